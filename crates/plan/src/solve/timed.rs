//! Plans in time: the way to [`engines::schedule`] and to the integer program, and back.

use std::sync::Mutex;
use std::time::Instant;

use super::start::SET_ASIDE;
use super::{Answer, Method, NoPlan, Outcome, Params, Unplaced, Watch, judged};
use base::error::{Error, Result};
use base::stop::Stop;
use engines::schedule::{self, Finding, Found, Given, QUEUES, Queue};
use ilp::{self, Exact, TimedRequest};
use judge::check::check_schedule;
use judge::metrics::timed_values;
use judge::proof::{Bound, Proof};
use model::{Goal, Instance, Schedule};

/// Plans an instance whose goal is about time.
///
/// # Errors
/// Methods and settings that plan without time; what [`schedule::solve`] and
/// [`ilp::solve_timed`] refuse; a bound above a schedule's value and a schedule that breaks a rule,
/// which are bugs.
pub(super) fn answer(instance: &Instance, params: &Params, watch: &Watch) -> Result<Answer> {
    let run = Run { instance, params, watch, goal: goal(instance, params), began: Instant::now() };
    let queue = match params.method {
        Method::Ilp => return run.exact(),
        Method::Auto | Method::Search => None,
        Method::Queue(queue) => Some(queue),
        Method::Policy(_) => return Err(no_method(instance, params.method)),
    };
    match run.search(queue, params.work_limit, &watch.stop)? {
        Finding::None { proven, cause, remedy } => Ok(none(proven, cause, remedy)),
        Finding::Schedule(found) => run.finish(run.outcome(*found)?),
    }
}

/// The goal, with what is left out first where that may be.
fn goal(instance: &Instance, params: &Params) -> Goal {
    if params.allow_unplaced {
        instance.goal().with_unplaced_first(&instance.priorities())
    } else {
        instance.goal().clone()
    }
}

fn no_method(instance: &Instance, method: Method) -> Error {
    let queues: Vec<&str> = QUEUES.iter().map(|(_, name, _)| *name).collect();
    let cause = format!(
        "the goal `{}` is about time, and `{}` plans without it",
        instance.goal(),
        method.name()
    );
    let queues = queues.join(", ");
    Error::usage(cause).help(format!("methods that plan in time are auto, {queues}, ilp"))
}

fn none(proven: bool, cause: String, remedy: String) -> Answer {
    let code = if proven { "time" } else { "not-found" };
    Answer::NoPlan(NoPlan { proven, code, cause, remedy })
}

/// Work units after which the integer program gets the schedule that search has by then.
const START_WORK: u64 = 1_000_000;

/// One solve on its way.
struct Run<'a> {
    instance: &'a Instance,
    params: &'a Params,
    watch: &'a Watch<'a>,
    goal: Goal,
    began: Instant,
}

impl Run<'_> {
    fn search(
        &self,
        queue: Option<Queue>,
        work_limit: Option<u64>,
        stop: &Stop,
    ) -> Result<Finding> {
        let params = self.params;
        let request = schedule::Request {
            instance: self.instance,
            queue,
            allow_unplaced: params.allow_unplaced,
            start: params.start.as_ref().map(|start| given(self.instance, start)),
            gap: params.gap,
            seed: params.seed,
            work: work_limit.unwrap_or(u64::MAX),
            stop: &stop.part(params.time_limit),
        };
        // One schedule is told after the other, from whatever thread found it.
        let told = Mutex::new(());
        let mut tell = |found: Found| {
            let Ok(_one) = told.lock() else { return };
            // A contradiction is told with the answer: by then it is no smaller.
            if let Ok(outcome) = self.outcome(found) {
                self.watch.show(&outcome);
            }
        };
        schedule::solve(&request, &mut tell)
    }

    /// The integer program, from what a short search finds. It proves every tier itself.
    fn exact(&self) -> Result<Answer> {
        let (instance, params) = (self.instance, self.params);
        let work = params.work_limit.map_or(START_WORK, |limit| limit.min(START_WORK));
        let stop = self.watch.stop.part(self.watch.stop.remaining() / 4);
        let mut known = match self.search(None, Some(work), &stop)? {
            Finding::None { proven: true, cause, remedy } => return Ok(none(true, cause, remedy)),
            Finding::None { .. } => None,
            Finding::Schedule(found) => Some(found),
        };
        if let Some(found) = &mut known {
            found.bounds = self.proofs(found)?.iter().map(Proof::limit).collect();
        }
        let request = TimedRequest {
            instance,
            goal: &self.goal,
            allow_unplaced: params.allow_unplaced,
            backend: params.solver,
            gap: params.gap,
            seed: params.seed,
            incumbent: known.as_ref().map(|known| known.schedule.clone()),
        };
        let finding = ilp::solve_timed(&request, &self.watch.stop)?;
        let solver = format!("the ILP ({})", params.solver.name());
        let Some(schedule) = finding.schedule else {
            let proven = finding.exact == Exact::Infeasible;
            let (cause, remedy) = if proven {
                (
                    format!("{} proved that no schedule places every task", params.solver.name()),
                    "give later deadlines, or use --allow-unplaced",
                )
            } else {
                (
                    format!(
                        "no schedule was found in time, and none was proven impossible{}",
                        finding.warnings.iter().map(|why| format!("; {why}")).collect::<String>()
                    ),
                    "raise --time-limit, choose another --solver, or accept --allow-unplaced",
                )
            };
            return Ok(none(proven, cause, remedy.to_owned()));
        };
        let bounds = (0..self.goal.tiers.len()).map(|k| {
            // What search proves, it proves of every schedule that keeps the earlier tiers.
            let counted = known.as_ref().and_then(|known| known.bounds.get(k)).cloned();
            let found = finding.tiers.get(k).and_then(|tier| tier.bound);
            let found = found.map(|bound| Bound::new(bound, solver.clone()));
            let nothing = || Bound::real(0.0, "nothing yet");
            match (found, counted) {
                (Some(found), Some(counted)) => found.max(counted),
                (found, counted) => found.or(counted).unwrap_or_else(nothing),
            }
        });
        let bounds = bounds.collect();
        let same = known.as_ref().filter(|known| known.schedule == schedule);
        let by = same.map_or(solver, |known| known.by.clone());
        let set_aside = known.as_ref().is_some_and(|known| known.set_aside);
        let reasons = known.map(|known| known.unplaced).unwrap_or_default();
        let left = schedule.plan.unplaced().map(|task| {
            let known = reasons.iter().find(|(other, _)| *other == task);
            let why = known.map_or("what runs leaves no room for it in time", |(_, why)| why);
            (task, why.to_owned())
        });
        let unplaced = left.collect();
        let found = Found { schedule, bounds, by, unplaced, work: 0, set_aside };
        let mut outcome = self.outcome(found)?;
        outcome.notes.extend(finding.warnings);
        self.finish(outcome)
    }

    /// The answer, once the checker agrees.
    fn finish(&self, outcome: Outcome) -> Result<Answer> {
        let mut outcome = judged(self.instance, self.params, outcome)?;
        self.watch.note(&outcome);
        outcome.trace = self.watch.trace();
        Ok(Answer::Plan(Box::new(outcome)))
    }

    /// Every tier with what vouches for it.
    ///
    /// # Errors
    /// A bound above the value, which is a bug.
    fn proofs(&self, found: &Found) -> Result<Vec<Proof>> {
        let values = timed_values(self.instance, &found.schedule, &self.goal);
        let tiers = self.goal.tiers.iter().zip(values).zip(&found.bounds);
        tiers
            .map(|((tier, value), bound)| Proof::of(self.instance, tier, value.worth(), bound))
            .collect()
    }

    /// The answer in the shape of one without time.
    ///
    /// # Errors
    /// As for [`Run::proofs`].
    fn outcome(&self, found: Found) -> Result<Outcome> {
        let goal = self.proofs(&found)?;
        let left = found.unplaced.into_iter();
        let left = left.map(|(task, detail)| Unplaced { task, reason: "time", detail });
        Ok(Outcome {
            method: self.params.method.name(),
            seed: self.params.seed,
            plan: found.schedule.plan,
            start: found.schedule.start,
            optimal: goal.iter().all(|tier| tier.gap == 0.0),
            goal,
            found_by: found.by,
            unplaced: left.collect(),
            notes: found.set_aside.then(|| SET_ASIDE.to_owned()).into_iter().collect(),
            elapsed: self.began.elapsed(),
            trace: Vec::new(),
            tried: Vec::new(),
            survives: None,
            standbys: Vec::new(),
        })
    }
}

/// A start, with whether it can stand as it is: it breaks no rule and names the cards.
fn given(instance: &Instance, start: &Schedule) -> Given {
    let dealt = instance.devices().is_empty() || !start.plan.cards.is_empty();
    let holds = dealt && check_schedule(instance, start, true).is_empty();
    Given { schedule: start.clone(), holds }
}
