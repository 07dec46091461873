//! One call from an instance to a plan with its proof: heuristics, bounds and
//! the exact method, in the order that the chosen method asks for.

mod improve;
mod one_by_one;
mod reasons;
mod run;
mod start;
mod timed;
mod tiny;

use std::sync::Mutex;
use std::time::Duration;

use base::error::{Error, Kind, Result};
use base::stop::Stop;
use base::threads;
use engines::policy::{self, Choice, Order, Settings};
use engines::schedule::{QUEUES, Queue};
use engines::search::local;
use ilp::Backend;
use judge::check::{check_plan, check_schedule};
use judge::proof::Proof;
use model::{Fallback, Instance, Plan, Schedule, Survives, TaskId};
pub use one_by_one::stuck_one_by_one;
pub use reasons::{REASONS, action, block_in_words, code, left_out};
use run::Run;

/// How to plan.
#[derive(Clone, Copy, Debug)]
pub enum Method {
    /// Heuristics, then bounds, then the exact method where it fits.
    Auto,
    /// The integer program, from the heuristics' plan.
    Ilp,
    /// Improvement search with its own bounds and proofs, from the heuristics' plan.
    Search,
    /// One policy, or a hybrid of two.
    Policy(Choice),
    /// One pass of a queue policy, in time.
    Queue(Queue),
}

impl Method {
    /// The methods that are no policies, with a line of help each.
    pub const GENERAL: [(&'static str, &'static str); 3] = [
        (
            "auto",
            "heuristics, then bounds, search, and the ILP where it fits the time and can still improve",
        ),
        ("search", "improvement search with bounds and proofs, every goal, every rule"),
        (
            "ilp",
            "the integer program over classes of tasks, exact, tier by tier; in time for small cases",
        ),
    ];

    /// The name used in flags and files.
    pub fn name(self) -> String {
        match self {
            Method::Auto => "auto".to_owned(),
            Method::Ilp => "ilp".to_owned(),
            Method::Search => "search".to_owned(),
            Method::Policy(policy) => policy.name(),
            Method::Queue(queue) => queue.name().to_owned(),
        }
    }

    /// What the method needs and the instance or the settings do not have.
    pub fn lacks(self, instance: &Instance, settings: &Settings) -> Option<String> {
        match self {
            Method::Auto => None,
            Method::Queue(_) if instance.is_timed() => None,
            Method::Queue(_) => Some(format!("`{}` plans in time", self.name())),
            Method::Ilp if instance.is_timed() => {
                Some("`ilp` plans in time only what is small: name it".to_owned())
            }
            Method::Policy(_) if instance.is_timed() => {
                Some(format!("`{}` plans without time", self.name()))
            }
            Method::Search if instance.is_timed() => Some("`search` is `auto` in time".to_owned()),
            Method::Ilp => None,
            Method::Search => search_lacks(instance),
            Method::Policy(policy) => policy.rule(instance, settings).err(),
        }
    }

    /// Every name there is.
    pub fn names() -> Vec<&'static str> {
        let policies = policy::POLICIES.iter().map(|policy| policy.name);
        let queues = QUEUES.iter().map(|(_, name, _)| *name);
        Method::GENERAL.iter().map(|(name, _)| *name).chain(policies).chain(queues).collect()
    }

    /// The method of that name.
    ///
    /// # Errors
    /// An unknown name, with the nearest known one; a hybrid that cannot be.
    pub fn parse(name: &str) -> Result<Method> {
        if let Some((queue, ..)) = QUEUES.iter().find(|(_, queue, _)| *queue == name) {
            return Ok(Method::Queue(*queue));
        }
        match name {
            "auto" => Ok(Method::Auto),
            "ilp" => Ok(Method::Ilp),
            "search" => Ok(Method::Search),
            _ => {
                let choice = Choice::parse(name).map_err(Error::usage)?;
                let half = name.split('>').map(str::trim);
                let wrong = half.clone().find(|half| policy::find(half).is_none());
                let unknown = || Error::unknown("method", wrong.unwrap_or(name), &Method::names());
                choice.map(Method::Policy).ok_or_else(unknown)
            }
        }
    }
}

/// Why the search cannot take the instance on.
fn search_lacks(instance: &Instance) -> Option<String> {
    local::too_wide(instance)
        .then(|| "`search` takes on instances of up to 64 resources".to_owned())
}

/// What a person may choose.
#[derive(Clone, Debug)]
pub struct Params {
    /// How to plan.
    pub method: Method,
    /// Which solver the exact method uses.
    pub solver: Backend,
    /// Wall-clock limit on everything.
    pub time_limit: Duration,
    /// Work units that the search may use; with it, and time enough, the search gives the
    /// same plan on any machine and any number of threads.
    pub work_limit: Option<u64>,
    /// Relative gap at which to stop.
    pub gap: f64,
    /// Seed of everything random.
    pub seed: u64,
    /// Threads; `None` takes what the machine has.
    pub threads: Option<usize>,
    /// Tasks may stay unplaced; as few as possible do.
    pub allow_unplaced: bool,
    /// Begins with this plan instead of the policies' best; what breaks a rule in it is
    /// placed anew. In time one without starts says only where tasks go.
    pub start: Option<Schedule>,
    /// One order for a policy instead of its multi-start.
    pub order: Option<Order>,
    /// What policies are told; their seed is the one above.
    pub policy: Settings,
    /// What the plan has to survive: `node` or a label, see
    /// [`survive::plan`](crate::survive::plan), which is the library's `solve`.
    pub survive: Option<String>,
}

impl Default for Params {
    fn default() -> Self {
        Params {
            method: Method::Auto,
            solver: Backend::default_of_build(),
            time_limit: Duration::from_secs(10),
            work_limit: None,
            gap: 0.0,
            seed: 1,
            threads: None,
            allow_unplaced: false,
            start: None,
            order: None,
            policy: Settings::default(),
            survive: None,
        }
    }
}

/// Why a task has no node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unplaced {
    /// The task.
    pub task: TaskId,
    /// Short name for scripts.
    pub reason: &'static str,
    /// The reason in words.
    pub detail: String,
}

/// A plan and everything that vouches for it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The method that was asked for.
    pub method: String,
    /// Its seed.
    pub seed: u64,
    /// The plan, checked.
    pub plan: Plan,
    /// When each task starts, in seconds from the start of the plan; empty where the goal is not
    /// about time. Indexed by task.
    pub start: Vec<Option<i64>>,
    /// Every tier, most important first.
    pub goal: Vec<Proof>,
    /// Every tier is proven.
    pub optimal: bool,
    /// What found the plan.
    pub found_by: String,
    /// Tasks without a node.
    pub unplaced: Vec<Unplaced>,
    /// What a person should know.
    pub notes: Vec<String>,
    /// Wall-clock time.
    pub elapsed: Duration,
    /// How plan and bounds got better, in order of time.
    pub trace: Vec<Step>,
    /// What each policy of a multi-start reached by itself.
    pub tried: Vec<Tried>,
    /// What the plan survives, with its fallbacks; only where that was asked for.
    pub survives: Option<Survives>,
    /// Where tasks go when their nodes fail, of those that are to have a standby.
    pub standbys: Vec<Fallback>,
}

impl Outcome {
    /// The task's standby, where it has one.
    pub fn standby(&self, task: TaskId) -> Option<&Fallback> {
        let at = self.standbys.binary_search_by_key(&task, |standby| standby.task).ok()?;
        self.standbys.get(at)
    }
}

/// A moment of a solve. Depends on the clock, so it is for people only.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Wall-clock seconds since the solve began.
    pub seconds: f64,
    /// What found the best plan so far.
    pub found_by: String,
    /// Its tiers, with the bounds proven so far.
    pub goal: Vec<Proof>,
}

/// The best plan of one policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Tried {
    /// The policy with its order of tasks.
    pub by: String,
    /// Tasks it found no node for.
    pub left_out: usize,
    /// Values of the goal's tiers.
    pub values: Vec<f64>,
}

/// There is no plan.
#[derive(Clone, Debug)]
pub struct NoPlan {
    /// No plan exists; otherwise none was found.
    pub proven: bool,
    /// Short name for scripts.
    pub code: &'static str,
    /// Why, in words.
    pub cause: String,
    /// What to do about it.
    pub remedy: String,
}

impl NoPlan {
    /// Whether it is proven of what the instance was read from too: not where that may allow more
    /// than the instance does.
    pub fn holds(&self, instance: &Instance) -> bool {
        self.proven && !instance.may_be_too_narrow()
    }

    /// What is to be said of it.
    pub fn title(&self, instance: &Instance) -> &'static str {
        match (self.proven, self.holds(instance)) {
            (false, _) => "No plan was found",
            (true, false) => "No plan exists for the instance as read, which may allow too little",
            (true, true) => "No plan exists",
        }
    }
}

/// The answer.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A plan.
    Plan(Box<Outcome>),
    /// None.
    NoPlan(NoPlan),
}

/// What runs beside a solve: when to stop, what to say, and the best plan so
/// far for whoever cannot wait.
pub struct Watch<'a> {
    /// When to stop.
    pub stop: Stop,
    /// Told of progress.
    pub log: &'a (dyn Fn(&str) + Sync),
    best: Mutex<Option<Outcome>>,
    trace: Mutex<Vec<Step>>,
}

impl<'a> Watch<'a> {
    /// Stops with `stop` and talks to `log`.
    pub fn new(stop: Stop, log: &'a (dyn Fn(&str) + Sync)) -> Watch<'a> {
        Watch { stop, log, best: Mutex::new(None), trace: Mutex::new(Vec::new()) }
    }

    /// The best plan so far, with the bounds proven so far.
    pub fn best(&self) -> Option<Outcome> {
        let best = self.best.lock().ok()?.clone()?;
        Some(Outcome { trace: self.trace(), ..best })
    }

    /// How the best plan came about so far.
    fn trace(&self) -> Vec<Step> {
        self.trace.lock().map_or_else(|_| Vec::new(), |trace| trace.clone())
    }

    /// Notes what is reached, unless nothing has changed.
    fn note(&self, outcome: &Outcome) {
        if let Ok(mut trace) = self.trace.lock()
            && trace.last().is_none_or(|last| last.goal != outcome.goal)
        {
            trace.push(Step {
                seconds: outcome.elapsed.as_secs_f64(),
                found_by: outcome.found_by.clone(),
                goal: outcome.goal.clone(),
            });
        }
    }

    /// Every tier of the best plan so far.
    pub fn goal(&self) -> Option<Vec<Proof>> {
        self.best.lock().ok()?.as_ref().map(|outcome| outcome.goal.clone())
    }

    fn show(&self, outcome: &Outcome) {
        self.note(outcome);
        if let Ok(mut best) = self.best.lock() {
            *best = Some(outcome.clone());
        }
    }
}

/// The outcome, with why tasks are left out, once the checker agrees.
///
/// # Errors
/// The plan breaks a rule, which is a bug.
pub fn judged(instance: &Instance, params: &Params, mut outcome: Outcome) -> Result<Outcome> {
    let timed = instance.is_timed();
    let broken = if timed {
        let schedule = Schedule { plan: outcome.plan, start: outcome.start };
        let broken = check_schedule(instance, &schedule, params.allow_unplaced);
        (outcome.plan, outcome.start) = (schedule.plan, schedule.start);
        broken
    } else {
        check_plan(instance, &outcome.plan, params.allow_unplaced)
    };
    if let Some(violation) = broken.first() {
        let cause = format!("the plan of {} breaks a rule: {violation}", outcome.found_by);
        return Err(Error::new(Kind::Solver, cause).help("this is a bug: please report it"));
    }
    if !timed {
        outcome.unplaced = left_out(instance, &outcome.plan);
    }
    Ok(outcome)
}

/// What it takes to judge and measure a plan, a task, about; in time it takes more.
const JUDGING: Duration = Duration::from_nanos(700);
const JUDGING_TIMES: Duration = Duration::from_nanos(2500);

/// When planning has to end for its answer to be judged by `stop`; half of the time is always its
/// own.
pub fn planning(instance: &Instance, stop: &Stop) -> Stop {
    let each = if instance.is_timed() { JUDGING_TIMES } else { JUDGING };
    stop.before(each, instance.tasks())
}

/// Plans the instance.
///
/// # Errors
/// A solver is missing or fails, an answer contradicts itself, a policy is given a start.
pub fn solve(instance: &Instance, params: &Params) -> Result<Answer> {
    let watch = Watch::new(planning(instance, &Stop::after(params.time_limit)), &|_| {});
    solve_watched(instance, params, &watch)
}

/// Plans the instance while `watch` looks on.
///
/// # Errors
/// As for [`solve`].
pub fn solve_watched(instance: &Instance, params: &Params, watch: &Watch) -> Result<Answer> {
    if params.survive.is_some() || !instance.backups().is_empty() {
        let cause = "plans that survive failures and plans with standbys are made by `solve` alone";
        return Err(Error::usage(cause).help("leave --survive out, and `backup` of tasks"));
    }
    if params.start.is_some() && matches!(params.method, Method::Policy(_) | Method::Queue(_)) {
        let cause =
            format!("`{}` places all tasks anew and begins with no plan", params.method.name());
        return Err(Error::usage(cause).help("use auto, search or ilp"));
    }
    if let (Method::Queue(_), false) = (params.method, instance.is_timed()) {
        let cause = format!("`{}` plans in time, and no goal is about it", params.method.name());
        return Err(Error::usage(cause).help("add --timed, or a goal such as makespan or wait"));
    }
    threads::on(params.threads, || {
        if instance.is_timed() {
            timed::answer(instance, params, watch)
        } else {
            Run::new(instance, params, watch).answer()
        }
    })
}
