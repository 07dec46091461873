//! Plans in time: the way to [`crate::schedule`] and back.

use std::sync::Mutex;
use std::time::Instant;

use super::start::SET_ASIDE;
use super::{Answer, Method, NoPlan, Outcome, Params, TierOutcome, Unplaced, Watch};
use crate::check::check_schedule;
use crate::error::{Error, Kind, Result};
use crate::model::{Instance, Schedule};
use crate::schedule::{self, Given, TierAnswer};

/// Plans an instance whose goal is about time.
///
/// # Errors
/// Methods and settings that plan without time; what [`schedule::solve`] refuses; a schedule that
/// breaks a rule, which is a bug.
pub(super) fn answer(instance: &Instance, params: &Params, watch: &Watch) -> Result<Answer> {
    let began = Instant::now();
    let settings = schedule::Params {
        method: method(instance, params.method)?,
        time_limit: params.time_limit,
        work_limit: params.work_limit,
        gap: params.gap,
        seed: params.seed,
        threads: params.threads,
        allow_unplaced: params.allow_unplaced,
        start: params.start.as_ref().map(|start| given(instance, start)),
    };
    // One schedule is told after the other, from whatever thread found it.
    let told = Mutex::new(());
    let mut tell = |found: schedule::Outcome| {
        let Ok(_one) = told.lock() else { return };
        watch.show(&outcome(params, found, began));
    };
    match schedule::solve_until(instance, &settings, &watch.stop, &mut tell)? {
        schedule::Answer::None { proven, cause, remedy } => {
            let code = if proven { "time" } else { "not-found" };
            Ok(Answer::NoPlan(NoPlan { proven, code, cause, remedy }))
        }
        schedule::Answer::Schedule(found) => {
            let broken = check_schedule(instance, &found.schedule, params.allow_unplaced);
            if let Some(violation) = broken.first() {
                let cause =
                    format!("the schedule of {} breaks a rule: {violation}", found.found_by);
                return Err(Error::new(Kind::Solver, cause).help("this is a bug: please report it"));
            }
            let mut outcome = outcome(params, *found, began);
            watch.note(&outcome);
            outcome.trace = watch.trace();
            Ok(Answer::Plan(Box::new(outcome)))
        }
    }
}

/// The method as it is called in time.
fn method(instance: &Instance, method: Method) -> Result<schedule::Method> {
    match method {
        Method::Auto | Method::Search => Ok(schedule::Method::Auto),
        Method::Queue(queue) => Ok(schedule::Method::Queue(queue)),
        Method::Ilp | Method::Policy(_) => {
            let names: Vec<&str> = schedule::Method::all().iter().map(|(name, _)| *name).collect();
            let cause = format!(
                "the goal `{}` is about time, and `{}` plans without it",
                instance.goal(),
                method.name()
            );
            Err(Error::usage(cause)
                .help(format!("methods that plan in time are {}", names.join(", "))))
        }
    }
}

/// A start, with whether it can stand as it is: it breaks no rule and names the cards.
fn given(instance: &Instance, start: &Schedule) -> Given {
    let dealt = instance.devices().is_empty() || !start.plan.cards.is_empty();
    let holds = dealt && check_schedule(instance, start, true).is_empty();
    Given { schedule: start.clone(), holds }
}

fn tier(answer: &TierAnswer) -> TierOutcome {
    TierOutcome {
        tier: answer.tier.clone(),
        value: answer.value,
        bound: answer.bound,
        why: answer.why.clone(),
        gap: answer.gap(),
    }
}

/// The answer in the shape of one without time.
fn outcome(params: &Params, found: schedule::Outcome, began: Instant) -> Outcome {
    let left = found.unplaced.into_iter();
    Outcome {
        method: params.method.name(),
        seed: params.seed,
        plan: found.schedule.plan,
        start: found.schedule.start,
        goal: found.goal.iter().map(tier).collect(),
        optimal: found.optimal,
        found_by: found.found_by,
        unplaced: left.map(|(task, detail)| Unplaced { task, reason: "time", detail }).collect(),
        notes: found.set_aside.then(|| SET_ASIDE.to_owned()).into_iter().collect(),
        elapsed: began.elapsed(),
        trace: Vec::new(),
        tried: Vec::new(),
        survives: None,
        standbys: Vec::new(),
    }
}
