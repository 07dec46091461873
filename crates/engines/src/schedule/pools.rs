//! Limits at every instant: what is left of each over time, and jobs of several parts that start as
//! one.

use super::problem::{NEVER, Problem};
use super::supply::{Row, Supply};
use super::timeline::Timeline;
use model::{Instance, LabelValues, NodeId, Rule, RuleId, TaskId};

/// What is missing from when until when.
type Missing = Vec<(i64, i64, Vec<i64>)>;

/// What limits leave, by rule and value.
#[derive(Clone, Default)]
pub(super) struct Pools {
    /// Per rule, where its lines begin; `None` of rules that are no such limits.
    first: Vec<Option<u32>>,
    /// Each without any task.
    empty: Vec<Timeline>,
    /// The most that there is at any time, with what is missing from when until when.
    levels: Vec<(i64, Missing)>,
}

/// A limit that a job draws on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Draw {
    pub rule: RuleId,
    /// It looks at the plan as a whole, not at places.
    pub whole: bool,
}

impl Pools {
    pub fn new(instance: &Instance) -> Pools {
        let mut pools = Pools::default();
        for rule in instance.rules() {
            let Some(limit) = rule.instant().filter(|_| binds(rule)) else {
                pools.first.push(None);
                continue;
            };
            let most = limit.highest();
            let mut missing = Vec::new();
            let mut from = (0, limit.at(0));
            for (at, level) in limit.later.iter().filter(|(at, _)| *at > 0) {
                missing.push((from.0, *at, vec![most - from.1]));
                from = (*at, *level);
            }
            if from.1 < most {
                missing.push((from.0, NEVER, vec![most - from.1]));
            }
            missing.retain(|(_, _, amount)| amount[0] > 0);
            pools.first.push(Some(pools.levels.len() as u32));
            let values = instance.label_values()[rule.over as usize].values.len();
            pools.levels.extend(std::iter::repeat_n((most, missing), values));
        }
        pools.fill();
        pools
    }

    fn fill(&mut self) {
        let line = |(most, missing): &(i64, Missing)| Timeline::new(&[*most], &[], missing);
        self.empty = self.levels.iter().map(line).collect();
    }

    /// The same with time running backwards from `end`.
    pub fn mirrored(&self, end: i64) -> Pools {
        let mut pools = self.clone();
        for (_, missing) in &mut pools.levels {
            missing.retain(|(from, ..)| *from < end);
            for (from, to, _) in missing.iter_mut() {
                (*from, *to) = ((end - *to).max(0), end - *from);
            }
        }
        pools.fill();
        pools
    }

    /// Limits that the task is under.
    pub fn draws(&self, instance: &Instance, task: TaskId) -> Vec<Draw> {
        let own = instance.rules_of(task).iter().filter(|(_, other)| !other);
        let own = own.filter(|(rule, _)| self.first[*rule as usize].is_some());
        let draw = |rule: RuleId| {
            let label = &instance.label_values()[instance.rules()[rule as usize].over as usize];
            let one = label.values.len() == 1;
            Draw { rule, whole: one && label.of.iter().all(|value| *value != LabelValues::NONE) }
        };
        own.map(|(rule, _)| draw(*rule)).collect()
    }

    /// What there is without any task.
    pub fn lines(&self) -> Vec<Timeline> {
        self.empty.clone()
    }

    /// Takes everything off the lines again.
    pub fn reset(&self, lines: &mut [Timeline]) {
        lines.iter_mut().zip(&self.empty).for_each(|(line, empty)| line.copy(empty));
    }

    /// When limits change by themselves.
    pub fn steps(&self) -> impl Iterator<Item = i64> + '_ {
        let missing = self.levels.iter().flat_map(|(_, missing)| missing);
        missing.flat_map(|(from, to, _)| [*from, *to]).filter(|at| *at < NEVER)
    }
}

/// Whether all of its tasks at once, or one of them by itself, would be too much at any time.
fn binds(rule: &Rule) -> bool {
    let Some(limit) = rule.instant() else { return false };
    let all = rule.tasks.iter().map(|task| i128::from(limit.most(*task)));
    all.sum::<i128>() > i128::from(limit.lowest())
}

impl Problem<'_> {
    /// What limits on the plan as a whole offer over time, and what jobs take of it.
    pub fn limited(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for (rule, line) in self.pools.first.iter().enumerate() {
            let Some((most, missing)) = line.map(|line| &self.pools.levels[line as usize]) else {
                continue;
            };
            let energy = |k: usize| {
                let whole = |draw: &Draw| draw.whole && draw.rule as usize == rule;
                let job = &self.jobs[k];
                let own = job.draws.iter().any(whole) && job.pair.is_none();
                let adds = self.instance.rules()[rule].adds(TaskId(job.first), NodeId(0));
                own.then(|| i128::from(adds) * i128::from(job.units) * i128::from(job.shortest))
            };
            let jobs = (0..self.jobs.len()).filter_map(|k| Some((k as u32, energy(k)?)));
            let jobs: Vec<(u32, i128)> = jobs.filter(|(_, energy)| *energy > 0).collect();
            if jobs.is_empty() {
                continue;
            }
            let mut changes = vec![(0, i128::from(*most))];
            for (from, to, amount) in missing {
                let amount = i128::from(amount[0]);
                changes.extend([(*from, -amount), (*to, amount)]);
            }
            let supply = Supply::changing(changes);
            rows.push(Row { supply, jobs, machines: None, why: "what a limit lets run" });
        }
        rows
    }

    /// The lines that a unit of the job takes something of on the node, and how much.
    pub fn taken(&self, job: usize, node: u32) -> impl Iterator<Item = (usize, i64)> + '_ {
        let first = TaskId(self.jobs[job].first);
        self.jobs[job].draws.iter().filter_map(move |draw| {
            let rule = &self.instance.rules()[draw.rule as usize];
            let value = self.instance.value_of(rule, NodeId(node))?;
            let amount = rule.adds(first, NodeId(node));
            let line = self.pools.first[draw.rule as usize]? + value;
            (amount > 0).then_some((line as usize, amount))
        })
    }

    /// The earliest time from `from` on, up to `to`, at which limits let so many units of the job run
    /// on the node.
    pub fn limits_let(
        &self,
        lines: &[Timeline],
        (job, node, units): (usize, u32, i64),
        (from, to): (i64, i64),
        work: &mut u64,
    ) -> Option<i64> {
        let (mut start, seconds) = (from, self.duration(job, node));
        loop {
            let before = start;
            for (line, amount) in self.taken(job, node) {
                let demand = [amount.saturating_mul(units)];
                start = lines[line].earliest((start, to), seconds, &demand, work)?;
            }
            if start == before {
                return Some(start);
            }
        }
    }

    /// The same of all units, wherever they are.
    pub fn limits_let_all(
        &self,
        lines: &[Timeline],
        job: usize,
        range: (i64, i64),
        work: &mut u64,
    ) -> Option<i64> {
        let of = &self.jobs[job];
        match self.places(job).first() {
            Some(node) if of.pair.is_none() && of.draws.iter().all(|draw| draw.whole) => {
                let shortest = of.shortest == of.longest;
                let units = if shortest { i64::from(of.units) } else { 1 };
                self.limits_let(lines, (job, *node, units), range, work)
            }
            _ => Some(range.0),
        }
    }
}
