//! What would become of a plan if something happened.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::{Limits, goal, today};
use crate::solve::{Answer, NoPlan, Outcome, Params, solve};
use base::error::Result;
use base::stop::Stop;
use model::{Instance, Plan, TaskId, Term};

/// Whether all tasks have a place.
#[derive(Clone, Debug)]
pub enum Fit {
    /// They have.
    Yes,
    /// They have not; proven.
    No(NoPlan),
    /// No such plan was found in time.
    Unknown(NoPlan),
}

/// What came of a scenario.
#[derive(Clone, Debug)]
pub struct Effect {
    /// Whether all tasks have a place.
    pub fit: Fit,
    /// The plan, with as few tasks as possible left out where not all have a place; absent
    /// where there is no plan even then.
    pub outcome: Option<Outcome>,
    /// Tasks that have to move, those on nodes that are gone included.
    pub moved: usize,
}

/// Rounds of so many scenarios when each has a thread.
pub fn rounds(scenarios: usize) -> u32 {
    u32::try_from(scenarios.div_ceil(rayon::current_num_threads())).unwrap_or(u32::MAX)
}

/// Plans each instance anew, in parallel, by `stop` in all: the instance's goal, and of equal plans
/// the one with the cheapest moves away from `plan`, which is for `base`. Where nobody `asked` for
/// a goal, as little as possible moves first.
///
/// # Errors
/// As for [`solve`].
pub fn what_if(
    base: &Instance,
    plan: &Plan,
    changed: &[Instance],
    asked: bool,
    params: &Params,
    stop: &Stop,
) -> Result<Vec<Effect>> {
    let begun = AtomicUsize::new(0);
    let each = |instance: &Instance| {
        if stop.reached() {
            begun.fetch_add(1, Ordering::Relaxed);
            return Ok(not_looked_at());
        }
        let instance = instance.running(base, plan);
        let wanted = goal(&instance, &Limits::default(), asked);
        let left = changed.len() - begun.fetch_add(1, Ordering::Relaxed);
        let part = stop.part(stop.remaining() / rounds(left).max(1));
        effect(&instance.with_goal(wanted), params, &part)
    };
    changed.par_iter().map(each).collect()
}

/// Which budget a task has to break to leave a node that is emptied. Elsewhere it stays.
fn forbidden(instance: &Instance, plan: &Plan) -> Option<String> {
    let start = today(instance);
    let leaves = |task: &TaskId| {
        let (now, then) = (start.placement[task.index()], plan.placement[task.index()]);
        now.is_some() && now != then
    };
    let closed = instance.budgets().iter().filter(|budget| budget.at_once == 0);
    closed.into_iter().find_map(|budget| {
        let task = *budget.tasks.iter().find(|task| leaves(task))?;
        Some(format!(
            "`{}` has to move and the disruption budget `{}` allows no moves",
            instance.task_name(task),
            budget.name
        ))
    })
}

/// What is known once time has run out.
fn not_looked_at() -> Effect {
    let none = NoPlan {
        proven: false,
        code: "not-found",
        cause: "time ran out before it was looked at".to_owned(),
        remedy: "raise --time-limit".to_owned(),
    };
    Effect { fit: Fit::Unknown(none), outcome: None, moved: 0 }
}

fn effect(instance: &Instance, params: &Params, stop: &Stop) -> Result<Effect> {
    let start = Some(today(instance).into());
    // Where not all have a place, there is more to find out.
    let time_limit = stop.remaining() * if params.allow_unplaced { 3 } else { 2 } / 3;
    let params = Params { start, time_limit, threads: Some(1), ..params.clone() };
    let (fit, outcome) = match solve(instance, &params)? {
        Answer::Plan(outcome) if outcome.unplaced.is_empty() => (Fit::Yes, Some(outcome)),
        Answer::Plan(outcome) => {
            // As many as possible were asked for: whether all fit is the first tiers' question.
            let left = |k: usize| matches!(outcome.goal[k].tier.only(), Some(Term::Unplaced(_)));
            let proven = (0..outcome.goal.len()).any(|k| left(k) && outcome.goal[k].bound > 0.0);
            let none = NoPlan {
                proven,
                code: outcome.unplaced[0].reason,
                cause: outcome.unplaced[0].detail.clone(),
                remedy: String::new(),
            };
            (if proven { Fit::No(none) } else { Fit::Unknown(none) }, Some(outcome))
        }
        Answer::NoPlan(none) => {
            let fit = if none.proven { Fit::No(none) } else { Fit::Unknown(none) };
            let time_limit = stop.remaining();
            match solve(instance, &Params { allow_unplaced: true, time_limit, ..params })? {
                Answer::Plan(outcome) => (fit, Some(outcome)),
                Answer::NoPlan(_) => (fit, None),
            }
        }
    };
    let outcome = outcome.map(|outcome| *outcome);
    let fit = match outcome.as_ref().and_then(|outcome| forbidden(instance, &outcome.plan)) {
        Some(cause) => Fit::No(NoPlan {
            proven: true,
            code: "disruption-budget",
            cause,
            remedy: "raise what the budget allows".to_owned(),
        }),
        None => fit,
    };
    let moved = outcome.as_ref().map_or(0, |outcome| {
        let moves = outcome.plan.placements().filter(|(task, node)| instance.moved(*task, *node));
        moves.count()
    });
    Ok(Effect { fit, outcome, moved })
}
