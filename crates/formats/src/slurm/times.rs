//! When jobs may start and have to end, what they wait for, and when what runs ends.

use rustc_hash::FxHashMap;

use super::cluster::{Cluster, Known, Times, Wishes};
use super::fields::At;
use super::fields::Warnings;
use super::owner::Owner;
use super::waits::blocked;
use base::error::Result;
use model::{AfterDraft, CENTURY, Direction, When};

/// What Slurm's backfill takes the time of a job without limit to be.
pub(super) const YEAR: i64 = 365 * 86_400;

impl Times {
    /// Of a plan that starts at `start`, where that is asked for.
    pub(super) fn from(start: Option<i64>) -> Times {
        Times { now: start, asked: start.is_some(), ..Times::default() }
    }

    /// Something has happened then.
    pub(super) fn happened(&mut self, at: Option<i64>) {
        if !self.asked {
            self.now = self.now.max(at.filter(|at| *at > 0));
        }
    }

    /// A job that is over is known too: nobody waits for it.
    pub(super) fn over(&mut self, at: &At) -> Result<()> {
        numbers(at)?.into_iter().for_each(|name| {
            self.known.entry(name).or_default();
        });
        Ok(())
    }

    /// A pending job, under its name and its numbers.
    pub(super) fn waits(&mut self, at: &At, id: &str, position: usize) -> Result<()> {
        let mut names = numbers(at)?;
        names.push(id.to_owned());
        names.sort();
        names.dedup();
        for name in names {
            self.known.entry(name).or_default().waiting.push(position);
        }
        Ok(())
    }

    /// When a job that runs ends, in seconds since 1970; `None` where nothing says so.
    pub(super) fn runs(&mut self, at: &At, states: &[String]) -> Result<Option<i64>> {
        let set = |time: Option<i64>| time.filter(|time| *time > 0);
        let start = set(at.number("start_time")?);
        self.happened(start);
        let stopped = |state: &String| ["SUSPENDED", "STOPPED"].contains(&state.as_str());
        let limit = set(at.number("time_limit")?).map(|minutes| minutes.saturating_mul(60));
        let end = if at.endless("time_limit") || states.iter().any(stopped) {
            None
        } else {
            let until = || Some(start?.saturating_add(limit?));
            set(at.number("end_time")?).or_else(until)
        };
        for name in numbers(at)? {
            let known = self.known.entry(name).or_default();
            known.end = known.end.max(end);
            known.endless |= end.is_none();
        }
        Ok(end)
    }
}

/// The numbers that a job goes by: its own, that of its array, and that with its index.
fn numbers(at: &At) -> Result<Vec<String>> {
    let set = |number: Option<i64>| number.filter(|number| *number > 0);
    let (job, array) = (set(at.number("job_id")?), set(at.number("array_job_id")?));
    let mut names: Vec<String> = job.iter().map(ToString::to_string).collect();
    if let Some(array) = array {
        names.push(array.to_string());
        names.extend(at.number("array_task_id")?.map(|task| format!("{array}_{task}")));
    }
    names.sort();
    names.dedup();
    Ok(names)
}

/// What a pending job says of time.
pub(super) fn wishes(cluster: &mut Cluster, at: &At, owner: &Owner) -> Result<Wishes> {
    cluster.times.happened(at.number("submit_time")?);
    let set = |time: Option<i64>| time.filter(|time| *time > 0);
    Ok(Wishes {
        eligible: set(at.number("eligible_time")?),
        deadline: set(at.number("deadline")?),
        dependency: at.text("dependency")?,
        submitted: at.number("submit_time")?.unwrap_or(0),
        blocked: blocked(cluster, at, owner)?,
        place: at.path_of(""),
    })
}

/// The job's time limit in seconds, else what its partitions give such jobs; `None` where there
/// is no limit.
pub(super) fn limit(cluster: &Cluster, at: &At, partitions: &[String]) -> Result<Option<i64>> {
    if at.endless("time_limit") {
        return Ok(None);
    }
    let own = at.number("time_limit")?.and_then(|minutes| minutes.checked_mul(60));
    let usual = || partitions.iter().filter_map(|name| cluster.times.usual.get(name)).max();
    match own.or_else(|| usual().copied()) {
        Some(seconds) if seconds > CENTURY => {
            let cause = format!("{} minutes are longer than a century", seconds / 60);
            Err(at.wrong("time_limit", cause))
        }
        limit => Ok(limit),
    }
}

/// The time that a partition gives jobs without a limit: its default, else its maximum.
pub(super) fn partition(cluster: &mut Cluster, at: &At) -> Result<()> {
    let of = |key: &str| at.get(key).map_or(Ok(None), |list| list.number("time"));
    let usual = of("defaults")?.or(of("maximums")?).and_then(|minutes| minutes.checked_mul(60));
    if let Some(usual) = usual.filter(|seconds| *seconds > 0) {
        cluster.times.usual.insert(at.text("name")?, usual);
    }
    Ok(())
}

impl Cluster {
    /// Releases, deadlines and what comes after what, once every job is known. Without a time at
    /// which the plan starts, dates are left out.
    pub(super) fn set_times(&mut self) {
        let earlier = self.earlier();
        let warnings = &mut self.warnings;
        for node in &self.nodes {
            let over = |(end, _): &(i64, _)| self.times.now.is_some_and(|now| *end <= now);
            if node.ending.iter().any(over) {
                let cause = "a job that runs here should have ended: plans in time take it as over";
                warnings.assume(Direction::Wider, format!("node `{}`", node.name), cause);
            }
        }
        // Tasks of one array say the same: once is enough.
        let (mut last, mut silent) = (String::new(), Warnings::default());
        let ids: Vec<String> = self.pending.iter().map(|job| job.task.id.clone()).collect();
        for (k, job) in self.pending.iter_mut().enumerate() {
            let wishes = &job.wishes;
            let warnings = if last == wishes.place { &mut silent } else { &mut *warnings };
            last.clone_from(&wishes.place);
            let of = (ids[k].as_str(), self.now, earlier.get(&k));
            let (after, ends) = self.times.depends(wishes, of, warnings);
            let after = after.into_iter().filter(|other| *other != k);
            job.task.after =
                after.map(|other| AfterDraft { task: ids[other].clone(), lag: 0 }).collect();
            let Some(now) = self.times.now else {
                if wishes.deadline.is_some() || wishes.eligible.is_some() || ends.is_some() {
                    let cause = "nothing says when the plan starts, so times of jobs are left out: give --start-date";
                    warnings.assume(
                        Direction::Wider,
                        format!("{}eligible_time", wishes.place),
                        cause,
                    );
                }
                continue;
            };
            let release = wishes.eligible.max(ends).filter(|release| *release > now);
            job.task.release = release.map(When::On);
            let earliest = release.unwrap_or(now).saturating_add(job.task.duration.unwrap_or(0));
            match wishes.deadline {
                Some(deadline) if deadline < earliest => {
                    let cause = "the job cannot keep its deadline any more: it is planned without";
                    warnings.assume(Direction::Wider, format!("{}deadline", wishes.place), cause);
                }
                deadline => job.task.deadline = deadline.map(When::On),
            }
        }
    }
}

impl Cluster {
    /// What jobs with the dependency `singleton` come after, by their positions: jobs of the same user
    /// and name that run, and those that were submitted before.
    fn earlier(&self) -> FxHashMap<usize, Known> {
        let single = |k: usize| {
            let Owner { user, name, .. } = &*self.pending[k].owner;
            let known = !user.is_empty() || !name.is_empty();
            known && self.pending[k].wishes.dependency.contains("singleton")
        };
        let key = |owner: &Owner| (owner.user.clone(), owner.name.clone());
        let mut same: FxHashMap<(String, String), Vec<usize>> = FxHashMap::default();
        for k in (0..self.pending.len()).filter(|k| single(*k)) {
            same.insert(key(&self.pending[k].owner), Vec::new());
        }
        if same.is_empty() {
            return FxHashMap::default();
        }
        for (k, job) in self.pending.iter().enumerate() {
            same.entry(key(&job.owner)).and_modify(|list| list.push(k));
        }
        let mut found: FxHashMap<usize, Known> = FxHashMap::default();
        for list in same.values_mut() {
            list.sort_by_key(|k| (self.pending[*k].owner.number, *k));
            let mut since = 0;
            for (at, k) in list.iter().enumerate().filter(|(_, k)| single(**k)) {
                let waiting = list[since..at].to_vec();
                found.insert(*k, Known { waiting, ..Known::default() });
                since = at;
            }
        }
        let mut runs: FxHashMap<(String, String), Vec<Option<i64>>> = FxHashMap::default();
        for running in &self.running {
            runs.entry(key(&running.owner)).or_default().push(running.end);
        }
        for (k, known) in &mut found {
            for end in runs.get(&key(&self.pending[*k].owner)).into_iter().flatten() {
                known.end = known.end.max(*end);
                known.endless |= end.is_none();
            }
        }
        found
    }
}

impl Times {
    /// Positions of pending jobs that the job comes after, and when those that run and that it
    /// comes after have ended.
    fn depends(
        &self,
        wishes: &Wishes,
        (id, only_now, earlier): (&str, bool, Option<&Known>),
        warnings: &mut Warnings,
    ) -> (Vec<usize>, Option<i64>) {
        let (mut after, mut ends) = (Vec::new(), None);
        let text = wishes.dependency.as_str();
        if matches!(text, "" | "(null)") {
            return (after, ends);
        }
        let place = format!("{}dependency", wishes.place);
        let mut tell = |cause: &str| warnings.assume(Direction::Wider, place.clone(), cause);
        if !only_now {
            tell("dependencies count in plans in time only: without time they are taken as met");
        } else if wishes.blocked.is_some() {
            return (after, ends);
        }
        if text.contains('?') {
            tell("one of several dependencies cannot be planned with: taken as met");
            return (after, ends);
        }
        for part in text.split(',') {
            let part = part.split('(').next().unwrap_or("").trim();
            let mut words = part.split(':');
            let kind = words.next().unwrap_or("");
            match kind {
                "afterok" | "afterany" | "aftercorr" => {}
                "singleton" => {
                    if earlier.is_none() {
                        tell(
                            "whose the job is and what it is called is not said: `singleton` is taken as met",
                        );
                    }
                    if let Some(known) = earlier {
                        after.extend(&known.waiting);
                        ends = ends.max(known.end);
                        if known.endless {
                            tell("the job comes after one that runs without an end: taken as met");
                        }
                    }
                    continue;
                }
                "afternotok" => tell("the job is planned as if what it comes after failed"),
                _ => {
                    let cause =
                        format!("the dependency `{kind}` is not planned with: taken as met");
                    tell(&cause);
                    continue;
                }
            }
            for word in words {
                let number = word.trim().trim_end_matches("_*");
                let index = id.split_once('_').map(|(_, index)| format!("{number}_{index}"));
                let own =
                    index.filter(|_| kind == "aftercorr").and_then(|key| self.known.get(&key));
                match own.or_else(|| self.known.get(number)) {
                    None => tell("a job that is not in the dump is taken as over"),
                    Some(known) => {
                        after.extend(&known.waiting);
                        ends = ends.max(known.end);
                        if known.endless {
                            tell("the job comes after one that runs without an end: taken as met");
                        }
                    }
                }
            }
        }
        after.sort_unstable();
        after.dedup();
        (after, ends)
    }
}
