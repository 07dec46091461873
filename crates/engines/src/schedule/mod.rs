//! Plans in time: which task runs where, and when. Queue policies, or schedule generation by
//! priority rules and local search on orders and places, with proven bounds; the exact engine of
//! parallel machines where every job runs alone, branch and bound where there are few.
//!
//! Work is counted, and what runs in parallel has streams of its own, so a work limit gives the
//! same schedule on any number of threads.

mod bounds;
mod cards;
mod exact;
mod gangs;
mod goal;
mod hurry;
mod improve;
mod index;
mod machines;
mod orders;
mod prices;
mod problem;
mod queue;
mod serial;
mod supply;
#[cfg(test)]
mod tests;
mod ties;
mod timeline;
mod warm_start;

use std::time::Duration;

use rustc_hash::FxHashMap;

use base::error::{Error, Kind, Result};
use base::stop::Stop;
use base::threads;
use bounds::{Bound, Heads};
use exact::Exact;
use goal::{Aim, Amount, Target};
use improve::{Found, Search};
use judge::metrics::timed_values;
use judge::proof::{self, Proof};
use model::{Goal, Instance, Schedule, TaskId, Term};
use orders::Figures;
use problem::{NEVER, Problem};
pub use queue::{QUEUES, Queue};
use serial::{Builder, Recipe};
pub use warm_start::Given;

/// How to plan in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Priority rules, local search and exact methods where they fit, with bounds.
    Auto,
    /// One pass of a queue policy.
    Queue(Queue),
}

impl Method {
    /// Every name there is, with a line of help.
    pub fn all() -> Vec<(&'static str, &'static str)> {
        let auto = ("auto", "priority rules, local search, exact methods where they fit, bounds");
        std::iter::once(auto).chain(QUEUES.iter().map(|(_, name, help)| (*name, *help))).collect()
    }

    /// The name used in flags and files.
    pub fn name(self) -> &'static str {
        let of = |queue| QUEUES.iter().find(|row| row.0 == queue).map_or("", |row| row.1);
        match self {
            Method::Auto => "auto",
            Method::Queue(queue) => of(queue),
        }
    }

    /// The method of that name.
    ///
    /// # Errors
    /// An unknown name, with the nearest known one.
    pub fn parse(name: &str) -> Result<Method> {
        let queue = QUEUES.iter().find(|row| row.1 == name);
        match (name, queue) {
            ("auto", _) => Ok(Method::Auto),
            (_, Some(row)) => Ok(Method::Queue(row.0)),
            _ => {
                let names: Vec<&str> = Method::all().iter().map(|(name, _)| *name).collect();
                Err(Error::unknown("method", name, &names))
            }
        }
    }
}

/// What a person may choose.
#[derive(Clone, Debug)]
pub struct Params {
    /// How to plan.
    pub method: Method,
    /// Wall-clock limit on everything.
    pub time_limit: Duration,
    /// Work units at most; with it, and time enough, the schedule is the same on any machine and
    /// any number of threads. One unit is one node looked at for one job, about.
    pub work_limit: Option<u64>,
    /// Relative gap at which to stop: every tier at most that far from its bound.
    pub gap: f64,
    /// Seed of everything random.
    pub seed: u64,
    /// Threads; `None` takes what the machine has.
    pub threads: Option<usize>,
    /// Tasks may stay unplaced; as few as possible do.
    pub allow_unplaced: bool,
    /// Begins with this instead of priority rules.
    pub start: Option<Given>,
}

impl Default for Params {
    fn default() -> Self {
        Params {
            method: Method::Auto,
            time_limit: Duration::from_secs(10),
            work_limit: None,
            gap: 0.0,
            seed: 1,
            threads: None,
            allow_unplaced: false,
            start: None,
        }
    }
}

/// A schedule and what vouches for it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Which task runs where and when.
    pub schedule: Schedule,
    /// Every tier, most important first.
    pub goal: Vec<Proof>,
    /// Every tier is proven.
    pub optimal: bool,
    /// What found the schedule.
    pub found_by: String,
    /// Tasks without a place, and why.
    pub unplaced: Vec<(TaskId, String)>,
    /// Work units used.
    pub work: u64,
    /// What was given to begin with left tasks out and was not used.
    pub set_aside: bool,
}

/// The answer.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A schedule.
    Schedule(Box<Outcome>),
    /// None.
    None {
        /// No schedule exists; otherwise none was found.
        proven: bool,
        /// Why, in words.
        cause: String,
        /// What to do about it.
        remedy: String,
    },
}

/// Plans the instance in time.
///
/// # Errors
/// The goal is not about time, or joins terms that cannot be joined; a task has no duration; the
/// instance has something that is not planned for in time.
pub fn solve(instance: &Instance, params: &Params) -> Result<Answer> {
    solve_until(instance, params, &Stop::after(params.time_limit), &mut |_| {})
}

/// Plans the instance until `stop`, and tells of every better schedule, with what is proven by
/// then.
///
/// # Errors
/// As for [`solve`].
pub fn solve_until(
    instance: &Instance,
    params: &Params,
    stop: &Stop,
    told: &mut (dyn FnMut(Outcome) + Send),
) -> Result<Answer> {
    if !instance.is_timed() {
        let cause = format!("the goal `{}` is not about time", instance.goal());
        let remedy = "name makespan, completion, tardiness or wait";
        return Err(Error::usage(cause).help(remedy));
    }
    if let Err(wrong) = instance.check_times() {
        return Err(Error::new(Kind::Input, wrong.cause).help(wrong.remedy));
    }
    if let Some(what) = problem::objection(instance) {
        return Err(Error::usage(format!("plans in time do not know {what}"))
            .help("leave it out, or choose a goal that is not about time"));
    }
    let stop = stop.part(params.time_limit);
    threads::on(params.threads, || Run::new(instance, params, &stop).answer(told))
}

/// One solve on its way.
struct Run<'a> {
    p: Problem<'a>,
    aim: Aim,
    figures: Figures,
    params: &'a Params,
    stop: &'a Stop,
    /// Jobs that can never run, and why.
    never: Vec<(usize, &'static str)>,
    work: u64,
    /// Everything was tried.
    exhausted: bool,
    set_aside: bool,
}

/// Share of the work that the exact engines may take before local search has its turn.
const EXACT_SHARE: u64 = 3;
/// Share of what is left that bounds by prices may take.
const PRICES_SHARE: u32 = 5;

impl<'a> Run<'a> {
    fn new(instance: &'a Instance, params: &'a Params, stop: &'a Stop) -> Run<'a> {
        let p = Problem::new(instance, params.allow_unplaced);
        let (aim, figures) = (Aim::new(&p, params.allow_unplaced), Figures::of(&p));
        Run {
            p,
            aim,
            figures,
            params,
            stop,
            never: Vec::new(),
            work: 0,
            exhausted: false,
            set_aside: false,
        }
    }

    fn limit(&self) -> u64 {
        self.params.work_limit.unwrap_or(u64::MAX)
    }

    fn answer(mut self, told: &mut (dyn FnMut(Outcome) + Send)) -> Result<Answer> {
        let (heads, never) = Heads::of(&self.p);
        self.never = never;
        if let Some(cause) = self.impossible().filter(|_| !self.params.allow_unplaced) {
            return Ok(Answer::None {
                proven: true,
                cause: format!("no schedule exists: {cause}"),
                remedy: "change what it asks or what nodes have, or use --allow-unplaced".into(),
            });
        }
        let mut bounds = bounds::bounds(&self.p, &self.aim, &self.figures, &heads, &self.never);
        let heads = bounds::all_have_places(&self.p, &self.never).then_some(&heads);
        let found = match self.params.method {
            Method::Queue(queue) => {
                let found = self.queue(queue);
                let mut work = self.work;
                if let Some(found) = &found {
                    self.price(found, heads, &mut bounds, &mut work);
                }
                self.work = work;
                found
            }
            Method::Auto => self.search(heads, &mut bounds, told),
        };
        match found {
            Some(found) if self.usable(&found) => {
                Ok(Answer::Schedule(Box::new(self.outcome(found, &bounds)?)))
            }
            found => Ok(self.nothing(found)),
        }
    }

    /// Why no schedule has everything: a job that can never run, or jobs that run now and cannot all
    /// stay.
    fn impossible(&self) -> Option<String> {
        let name = |job: usize| self.p.instance.job_name(TaskId(self.p.jobs[job].first));
        if let Some((job, why)) = self.never.first() {
            return Some(format!("`{}`: {why}", name(*job)));
        }
        // A deal of cards that does not come out says nothing: there may be another.
        if self.p.running.is_empty() || !self.p.instance.devices().is_empty() {
            return None;
        }
        let mut b = Builder::new(&self.p);
        b.clear();
        let mut running = self.p.running.iter().map(|job| *job as usize);
        let lost = running.find(|job| b.start[*job] >= NEVER)?;
        let mut tasks = self.p.jobs[lost].tasks();
        Some(match tasks.find_map(|task| b.refused(lost, task, self.p.pin(task)?)) {
            Some(rule) => {
                let rule = &self.p.instance.rules()[rule as usize];
                format!(
                    "`{}`: it runs now where the rule `{}` does not let it",
                    name(lost),
                    rule.name
                )
            }
            None => format!("`{}`: it has no room beside what else runs there now", name(lost)),
        })
    }

    /// Whether it leaves out nothing that must not be.
    fn usable(&self, found: &Found) -> bool {
        self.params.allow_unplaced || found.value[0] == Amount::Steps(0)
    }

    fn queue(&mut self, queue: Queue) -> Option<Found> {
        let soon = improve::before_the_hurry(&self.p, self.stop);
        let mut b = Builder::new(&self.p);
        b.soon = Some(&soon);
        let done = queue::run(&mut b, &Aim::by_time(&self.p), queue, &self.figures);
        let work = b.work;
        let name = b.by(Method::Queue(queue).name());
        let found = done.then(|| Found::of(&b, &self.aim, &Recipe::default(), &name));
        self.work = work;
        found
    }

    /// Raises the bounds on sums over jobs, where every job can run, by prices for room.
    fn price(&self, found: &Found, heads: Option<&Heads>, bounds: &mut [Bound], work: &mut u64) {
        let Some(heads) = heads else { return };
        let stop = self.stop.part(self.stop.remaining() / PRICES_SHARE);
        let most = *work + self.limit().saturating_sub(*work) / u64::from(PRICES_SHARE);
        let end = found.end.iter().copied().filter(|end| *end < NEVER).max().unwrap_or(0);
        let factor = self.p.instance.weight_scale().factor();
        let tiers = self.aim.goal.tiers.iter().enumerate().rev();
        let values = found.value.iter().rev().zip(bounds.iter_mut().rev());
        for ((k, tier), (value, bound)) in tiers.zip(values) {
            let value = self.aim.near(k, *value);
            if value <= bound.value {
                continue;
            }
            let context = (value / factor, end);
            let work = (&mut *work, most);
            let Some(steps) = prices::bound(&self.p, heads, tier, context, work, &stop) else {
                continue;
            };
            // A single sum is a whole number of steps.
            let scale = self.p.instance.weight_scale();
            let value = tier.worth(match tier.terms[..] {
                [only] => only.weight * scale.to_f64((steps / only.weight - 1e-6).ceil() as i64),
                _ => steps * factor,
            });
            if value > bound.value {
                *bound = Bound { value, why: "prices for room over time" };
            }
        }
    }

    fn search(
        &mut self,
        heads: Option<&Heads>,
        bounds: &mut [Bound],
        told: &mut (dyn FnMut(Outcome) + Send),
    ) -> Option<Found> {
        let mut work = 0;
        let target = self.target(bounds);
        let context = (&self.p, &self.aim, &self.figures);
        let search = Search::new(context, (self.params.seed, self.limit()), self.stop, &target);
        let given = self.params.start.as_ref().map(|given| search.begin_with(given, &mut work));
        let usable = given.as_ref().is_some_and(|given| self.usable(given));
        self.set_aside = given.is_some() && !usable;
        let mut best = match given.filter(|_| usable) {
            Some(given) => given,
            None => search.starts(&mut work)?,
        };
        self.price(&best, heads, bounds, &mut work);
        self.tell(&best, bounds, told);
        let target = self.target(bounds);
        if heads.is_some() && machines::covers(&self.p) && !target.reached(&best.value) {
            let share = self.limit() / EXACT_SHARE;
            let stop = self.stop.part(self.stop.remaining() * 9 / 10);
            if let Some(solved) = machines::solve(&self.p, self.params.seed, share, &stop) {
                work += solved.work;
                let at = self.aim.goal.tiers.len() - self.p.instance.goal().tiers.len();
                if solved.bound as f64 > bounds[at].value {
                    let value = self.aim.goal.tiers[at].worth(solved.bound as f64);
                    bounds[at] = Bound { value, why: "exact packing of parallel machines" };
                }
                let mut b = Builder::new(&self.p);
                b.build(&solved.recipe, &self.aim);
                let next = Found::of(&b, &self.aim, &solved.recipe, "parallel machines");
                best = improve::better(Some(best), Some(next))?;
                self.tell(&best, bounds, told);
            }
        }
        let target = self.target(bounds);
        let search = Search::new(context, (self.params.seed, self.limit()), self.stop, &target);
        if exact::worth_it(&self.p) && !target.reached(&best.value) {
            // A first look, then what local search found makes the second shorter.
            for share in [2_000_000, u64::MAX] {
                let (most, stop) = match share {
                    u64::MAX => (
                        (self.limit() - work.min(self.limit())) / 2,
                        self.stop.part(self.stop.remaining() / 2),
                    ),
                    share => (share.min(self.limit() / EXACT_SHARE), self.stop.clone()),
                };
                let mut exact = Exact::new(context, (&best, &target), most, &stop);
                work += exact.run();
                best = improve::better(Some(best), exact.found.take())?;
                self.tell(&best, bounds, told);
                if exact.complete {
                    (self.work, self.exhausted) = (work, true);
                    return Some(best);
                }
                if share != u64::MAX {
                    let most = (work + 40_000_000).min(self.limit());
                    let stop = self.stop.part(self.stop.remaining() / 5);
                    let shorter = Search::new(context, (self.params.seed, most), &stop, &target);
                    best =
                        shorter.climb(best, &mut work, &mut |found| self.tell(found, bounds, told));
                    if target.reached(&best.value) {
                        break;
                    }
                }
            }
        }
        best = search.climb(best, &mut work, &mut |found| self.tell(found, bounds, told));
        self.work = work;
        Some(best)
    }

    fn target(&self, bounds: &[Bound]) -> Target {
        self.aim.target(bounds.iter().map(|bound| bound.value), self.params.gap)
    }

    fn tell(&self, found: &Found, bounds: &[Bound], told: &mut (dyn FnMut(Outcome) + Send)) {
        // A contradiction is told with the answer: by then it is no smaller.
        if let (true, Ok(outcome)) = (self.usable(found), self.outcome(found.clone(), bounds)) {
            told(outcome);
        }
    }

    /// The schedule with what is proven of it.
    ///
    /// # Errors
    /// A bound above the value, which is a bug.
    fn outcome(&self, found: Found, bounds: &[Bound]) -> Result<Outcome> {
        let instance = self.p.instance;
        let goal: &Goal = &self.aim.goal;
        let values = timed_values(instance, &found.schedule, goal);
        let left: Vec<TaskId> = found.schedule.plan.unplaced().collect();
        let tiers =
            values.into_iter().zip(bounds).zip(&goal.tiers).map(|((value, bound), tier)| {
                // What is known of whole schedules says nothing where tasks are left out.
                let about_all = !matches!(tier.terms[0].term, Term::Unplaced(_));
                let known = match !left.is_empty() && about_all {
                    true => Bound { value: 0.0, why: "tasks are left out" },
                    false => bound.clone(),
                };
                let worth = value.worth();
                let bound = proof::Bound::real(known.value, known.why);
                // A schedule that is not beaten once all are tried is proven, unless that is known
                // already; a bound above it stays the contradiction that it is.
                let tried = self.exhausted && known.value <= worth.near();
                let bound = match tried && !proof::proven(instance, tier, worth, bound.value) {
                    true => proof::Bound::new(worth, "branch and bound"),
                    false => bound,
                };
                Proof::of(instance, tier, worth, &bound)
            });
        let goal: Vec<Proof> = tiers.collect::<Result<_>>()?;
        let never: FxHashMap<u32, &str> =
            self.never.iter().map(|(k, why)| (self.p.jobs[*k].first, *why)).collect();
        let why = |task: TaskId| {
            let known = never.get(&instance.job(task).0);
            known.copied().unwrap_or("no room was found for it in time").to_owned()
        };
        Ok(Outcome {
            optimal: goal.iter().all(|tier| tier.gap == 0.0),
            goal,
            found_by: found.by,
            unplaced: left.into_iter().map(|task| (task, why(task))).collect(),
            schedule: found.schedule,
            work: self.work,
            set_aside: self.set_aside,
        })
    }

    fn nothing(&self, found: Option<Found>) -> Answer {
        if self.exhausted {
            let cause = "no schedule places every task by its rules and deadline: all were tried";
            let remedy = "give later deadlines, or use --allow-unplaced".to_owned();
            return Answer::None { proven: true, cause: cause.to_owned(), remedy };
        }
        let remedy = "give it more time, later deadlines, or use --allow-unplaced".to_owned();
        let left = found.as_ref().and_then(|found| found.schedule.plan.unplaced().next());
        let cause = match left {
            Some(task) => format!(
                "no schedule was found that places every task: `{}` is left out, among others",
                self.p.instance.task_name(task)
            ),
            None => "no schedule was found in time".to_owned(),
        };
        Answer::None { proven: false, cause, remedy }
    }
}
