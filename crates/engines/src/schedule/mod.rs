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
mod pools;
mod prices;
mod problem;
mod queue;
mod serial;
mod supply;
#[cfg(test)]
mod tests;
mod ties;
mod timeline;
mod together;
mod warm_start;

use rustc_hash::FxHashMap;

use base::error::{Error, Kind, Result};
use base::stop::Stop;
use bounds::{Bound, Heads};
use exact::Exact;
use goal::{Aim, Amount, Target};
use improve::{Built, Search};
use judge::metrics::timed_values;
use judge::proof;
use model::{Instance, Schedule, TaskId, Term};
use orders::Figures;
use problem::{NEVER, Problem};
pub use queue::{QUEUES, Queue};
use serial::{Builder, Recipe};
pub use warm_start::Given;

/// What to plan, and how.
pub struct Request<'a> {
    /// The problem; its goal is about time.
    pub instance: &'a Instance,
    /// One pass of this policy. Where there is none, priority rules, local search and exact methods
    /// where they fit.
    pub queue: Option<Queue>,
    /// Tasks may stay unplaced; as few as possible do.
    pub allow_unplaced: bool,
    /// A schedule to begin with instead of priority rules.
    pub start: Option<Given>,
    /// Relative gap at which to stop: every tier at most that far from its bound.
    pub gap: f64,
    /// Seed of everything random.
    pub seed: u64,
    /// Work units at most; with it, and time enough, the schedule is the same on any machine and
    /// any number of threads. One unit is one node looked at for one job, about.
    pub work: u64,
    /// When to stop.
    pub stop: &'a Stop,
}

/// A schedule and what is known of it.
#[derive(Clone, Debug)]
pub struct Found {
    /// Which task runs where and when.
    pub schedule: Schedule,
    /// What no schedule that keeps the earlier tiers is below: every tier, the one of tasks left
    /// out included where tasks may be, most important first.
    pub bounds: Vec<proof::Bound>,
    /// What found the schedule.
    pub by: String,
    /// Tasks without a place, and why.
    pub unplaced: Vec<(TaskId, String)>,
    /// Work units used.
    pub work: u64,
    /// What was given to begin with left tasks out and was not used.
    pub set_aside: bool,
}

/// What comes of a request.
#[derive(Clone, Debug)]
pub enum Finding {
    /// A schedule.
    Schedule(Box<Found>),
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

/// Told of every better schedule, with what is proven by then.
pub type Look<'a> = &'a mut (dyn FnMut(Found) + Send);

/// Plans in time.
///
/// # Errors
/// The goal is not about time, or joins terms that cannot be joined; a task has no duration; the
/// instance has something that is not planned for in time.
pub fn solve(request: &Request, look: Look) -> Result<Finding> {
    let instance = request.instance;
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
    Ok(Run::new(request).answer(look))
}

/// One solve on its way.
struct Run<'a> {
    p: Problem<'a>,
    aim: Aim,
    figures: Figures,
    request: &'a Request<'a>,
    /// Jobs that can never run, and why.
    never: Vec<(usize, &'static str)>,
    work: u64,
    /// Everything was tried.
    exhausted: bool,
    set_aside: bool,
}

/// Share of the work that the exact engines may take before local search has its turn.
const EXACT_SHARE: u64 = 3;
/// Work of branch and bound when it looks first.
const FIRST_LOOK: u64 = 2_000_000;
/// Work of the local search after that, whose schedule makes the second look shorter.
const BETWEEN: u64 = 40_000_000;
/// Share of what is left that bounds by prices may take.
const PRICES_SHARE: u32 = 5;

impl<'a> Run<'a> {
    fn new(request: &'a Request<'a>) -> Run<'a> {
        let p = Problem::new(request.instance, request.allow_unplaced);
        let (aim, figures) = (Aim::new(&p, request.allow_unplaced), Figures::of(&p));
        Run {
            p,
            aim,
            figures,
            request,
            never: Vec::new(),
            work: 0,
            exhausted: false,
            set_aside: false,
        }
    }

    fn answer(mut self, look: Look) -> Finding {
        let (heads, never) = Heads::of(&self.p);
        self.never = never;
        if let Some(cause) = self.impossible().filter(|_| !self.request.allow_unplaced) {
            return Finding::None {
                proven: true,
                cause: format!("no schedule exists: {cause}"),
                remedy: "change what it asks or what nodes have, or use --allow-unplaced".into(),
            };
        }
        let mut bounds = bounds::bounds(&self.p, &self.aim, &self.figures, &heads, &self.never);
        let heads = bounds::all_have_places(&self.p, &self.never).then_some(&heads);
        let built = match self.request.queue {
            Some(queue) => {
                let built = self.queue(queue);
                let mut work = self.work;
                if let Some(built) = &built {
                    self.price(built, heads, &mut bounds, &mut work);
                }
                self.work = work;
                built
            }
            None => self.search(heads, &mut bounds, look),
        };
        match built {
            Some(built) if self.usable(&built) => {
                Finding::Schedule(Box::new(self.found(built, &bounds)))
            }
            built => self.nothing(built),
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
    fn usable(&self, built: &Built) -> bool {
        self.request.allow_unplaced || built.value[0] == Amount::Steps(0)
    }

    fn queue(&mut self, queue: Queue) -> Option<Built> {
        let soon = improve::before_the_hurry(&self.p, self.request.stop);
        let mut b = Builder::new(&self.p);
        b.soon = Some(&soon);
        let done = queue::run(&mut b, &Aim::by_time(&self.p), queue, &self.figures);
        let work = b.work;
        let name = b.by(queue.name());
        let built = done.then(|| Built::of(&b, &self.aim, &Recipe::default(), &name));
        self.work = work;
        built
    }

    /// Raises the bounds on sums over jobs, where every job can run, by prices for room.
    fn price(&self, built: &Built, heads: Option<&Heads>, bounds: &mut [Bound], work: &mut u64) {
        let Some(heads) = heads else { return };
        let Request { work: limit, stop, .. } = self.request;
        let stop = stop.part(stop.remaining() / PRICES_SHARE);
        let most = *work + limit.saturating_sub(*work) / u64::from(PRICES_SHARE);
        let end = built.end.iter().copied().filter(|end| *end < NEVER).max().unwrap_or(0);
        let factor = self.p.instance.weight_scale().factor();
        let tiers = self.aim.goal.tiers.iter().enumerate().rev();
        let values = built.value.iter().rev().zip(bounds.iter_mut().rev());
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

    fn search(&mut self, heads: Option<&Heads>, bounds: &mut [Bound], look: Look) -> Option<Built> {
        let (seed, limit, stop) = (self.request.seed, self.request.work, self.request.stop);
        let mut work = 0;
        let target = self.target(bounds);
        let context = (&self.p, &self.aim, &self.figures);
        let search = Search::new(context, (seed, limit), stop, &target);
        let given = self.request.start.as_ref().map(|given| search.begin_with(given, &mut work));
        let usable = given.as_ref().is_some_and(|given| self.usable(given));
        self.set_aside = given.is_some() && !usable;
        let mut best = match given.filter(|_| usable) {
            Some(given) => given,
            None => search.starts(&mut work)?,
        };
        self.price(&best, heads, bounds, &mut work);
        self.tell(&best, bounds, look);
        let target = self.target(bounds);
        if heads.is_some() && machines::covers(&self.p) && !target.reached(&best.value) {
            let share = limit / EXACT_SHARE;
            let stop = stop.part(stop.remaining() * 9 / 10);
            if let Some(solved) = machines::solve(&self.p, seed, share, &stop) {
                work += solved.work;
                let at = self.aim.goal.tiers.len() - self.p.instance.goal().tiers.len();
                if solved.bound as f64 > bounds[at].value {
                    let value = self.aim.goal.tiers[at].worth(solved.bound as f64);
                    bounds[at] = Bound { value, why: "exact packing of parallel machines" };
                }
                let mut b = Builder::new(&self.p);
                b.build(&solved.recipe, &self.aim);
                let next = Built::of(&b, &self.aim, &solved.recipe, "parallel machines");
                best = improve::better(Some(best), Some(next))?;
                self.tell(&best, bounds, look);
            }
        }
        let target = self.target(bounds);
        let search = Search::new(context, (seed, limit), stop, &target);
        if exact::worth_it(&self.p) && !target.reached(&best.value) {
            let first = (FIRST_LOOK.min(limit / EXACT_SHARE), stop);
            let mut complete;
            (best, complete) = self.branch(best, &target, first, &mut work)?;
            self.tell(&best, bounds, look);
            if !complete {
                let most = (work + BETWEEN).min(limit);
                let stop = stop.part(stop.remaining() / 5);
                let search = Search::new(context, (seed, most), &stop, &target);
                best = search.climb(best, &mut work, &mut |built| self.tell(built, bounds, look));
            }
            if !complete && !target.reached(&best.value) {
                let second = (limit.saturating_sub(work) / 2, &stop.part(stop.remaining() / 2));
                (best, complete) = self.branch(best, &target, second, &mut work)?;
                self.tell(&best, bounds, look);
            }
            if complete {
                (self.work, self.exhausted) = (work, true);
                return Some(best);
            }
        }
        best = search.climb(best, &mut work, &mut |built| self.tell(built, bounds, look));
        self.work = work;
        Some(best)
    }

    /// The schedule or a better one by branch and bound, within so much work and time; whether
    /// everything was tried.
    fn branch(
        &self,
        best: Built,
        target: &Target,
        (most, stop): (u64, &Stop),
        work: &mut u64,
    ) -> Option<(Built, bool)> {
        let context = (&self.p, &self.aim, &self.figures);
        let mut exact = Exact::new(context, (&best, target), most, stop);
        *work += exact.run();
        let (found, complete) = (exact.found.take(), exact.complete);
        Some((improve::better(Some(best), found)?, complete))
    }

    fn target(&self, bounds: &[Bound]) -> Target {
        self.aim.target(bounds.iter().map(|bound| bound.value), self.request.gap)
    }

    fn tell(&self, built: &Built, bounds: &[Bound], look: Look) {
        if self.usable(built) {
            look(self.found(built.clone(), bounds));
        }
    }

    /// The schedule with what is proven of it.
    fn found(&self, built: Built, bounds: &[Bound]) -> Found {
        let left: Vec<TaskId> = built.schedule.plan.unplaced().collect();
        let bounds = self.proven(&built.schedule, bounds, left.is_empty());
        let never: FxHashMap<u32, &str> =
            self.never.iter().map(|(k, why)| (self.p.jobs[*k].first, *why)).collect();
        let why = |task: TaskId| {
            let known = never.get(&self.p.instance.job(task).0);
            known.copied().unwrap_or("no room was found for it in time").to_owned()
        };
        Found {
            bounds,
            by: built.by,
            unplaced: left.into_iter().map(|task| (task, why(task))).collect(),
            schedule: built.schedule,
            work: self.work,
            set_aside: self.set_aside,
        }
    }

    /// What no schedule is below: what was counted, or what the schedule has once all are tried.
    fn proven(&self, schedule: &Schedule, bounds: &[Bound], whole: bool) -> Vec<proof::Bound> {
        let (instance, goal) = (self.p.instance, &self.aim.goal);
        let counted = bounds.iter().zip(&goal.tiers).map(|(bound, tier)| {
            // What is known of whole schedules says nothing where tasks are left out.
            let about_all = !matches!(tier.terms[0].term, Term::Unplaced(_));
            if !whole && about_all {
                proof::Bound::real(0.0, "tasks are left out")
            } else {
                proof::Bound::real(bound.value, bound.why)
            }
        });
        if !self.exhausted {
            return counted.collect();
        }
        // A schedule that is not beaten once all are tried is proven, unless that is known already;
        // a bound above it stays the contradiction that it is.
        let values = timed_values(instance, schedule, goal);
        let tiers = values.into_iter().zip(counted).zip(&goal.tiers);
        let tiers = tiers.map(|((value, known), tier)| {
            let worth = value.worth();
            let below = known.value.near() <= worth.near();
            if below && !proof::proven(instance, tier, worth, known.value) {
                proof::Bound::new(worth, "branch and bound")
            } else {
                known
            }
        });
        tiers.collect()
    }

    fn nothing(&self, built: Option<Built>) -> Finding {
        if self.exhausted {
            let cause = "no schedule places every task by its rules and deadline: all were tried";
            let remedy = "give later deadlines, or use --allow-unplaced".to_owned();
            return Finding::None { proven: true, cause: cause.to_owned(), remedy };
        }
        let remedy = "give it more time, later deadlines, or use --allow-unplaced".to_owned();
        let left = built.as_ref().and_then(|built| built.schedule.plan.unplaced().next());
        let cause = match left {
            Some(task) => format!(
                "no schedule was found that places every task: `{}` is left out, among others",
                self.p.instance.task_name(task)
            ),
            None => "no schedule was found in time".to_owned(),
        };
        Finding::None { proven: false, cause, remedy }
    }
}
