//! What would become of a plan if something happened.

use rayon::prelude::*;

use super::{Limits, goal, today};
use crate::error::Result;
use crate::model::{Instance, Plan, Term};
use crate::solve::{Answer, NoPlan, Outcome, Params, solve};

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

/// Plans each instance anew, in parallel: the instance's goal, and of equal plans the one with
/// the cheapest moves away from `plan`, which is for `base`.
///
/// # Errors
/// As for [`solve`].
pub fn what_if(
    base: &Instance,
    plan: &Plan,
    changed: &[Instance],
    params: &Params,
) -> Result<Vec<Effect>> {
    let each = |instance: &Instance| {
        let instance = instance.running(base, plan);
        let wanted = goal(&instance, &Limits::default(), true);
        effect(&instance.with_goal(wanted), params)
    };
    changed.par_iter().map(each).collect()
}

fn effect(instance: &Instance, params: &Params) -> Result<Effect> {
    let start = Some(today(instance).into());
    let params = Params { start, threads: Some(1), ..params.clone() };
    let (fit, outcome) = match solve(instance, &params)? {
        Answer::Plan(outcome) if outcome.unplaced.is_empty() => (Fit::Yes, Some(outcome)),
        Answer::Plan(outcome) => {
            // As many as possible were asked for: whether all fit is the first tiers' question.
            let left =
                |k: usize| outcome.goal[k].tier.starts_with(&Term::Unplaced(None).to_string());
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
            match solve(instance, &Params { allow_unplaced: true, ..params })? {
                Answer::Plan(outcome) => (fit, Some(outcome)),
                Answer::NoPlan(_) => (fit, None),
            }
        }
    };
    let outcome = outcome.map(|outcome| *outcome);
    let moved = outcome.as_ref().map_or(0, |outcome| {
        let moves = outcome.plan.placements().filter(|(task, node)| instance.moved(*task, *node));
        moves.count()
    });
    Ok(Effect { fit, outcome, moved })
}
