//! Every placement there is, where there are few: exact at any size of numbers, and by whatever
//! rule, since the checker and the metrics alone decide.

use std::cmp::Ordering;

use crate::check::check_plan;
use crate::metrics::goal_values;
use crate::model::{Goal, Instance, NodeId, Plan, TaskId, Worth};
use crate::stop::Stop;

/// Placements that are tried at most.
const MOST: usize = 20_000;

/// A plan with its tiers' values.
pub(super) type Best = (Plan, Vec<Worth>);

/// The best of all placements, where any holds. `None` where there are too many, where cards would
/// have to be dealt out, or when time runs out first.
pub(super) fn best_of_all(
    instance: &Instance,
    goal: &Goal,
    allow_unplaced: bool,
    stop: &Stop,
) -> Option<Option<Best>> {
    if !instance.devices().is_empty() {
        return None;
    }
    let mut places: Vec<Vec<Option<NodeId>>> = Vec::with_capacity(instance.tasks().min(64));
    let mut many = 1usize;
    for task in instance.task_ids() {
        let on = instance.node_ids().filter(|node| instance.fits_alone(task, *node)).map(Some);
        let out = allow_unplaced.then_some(None);
        let own: Vec<Option<NodeId>> = on.chain(out).take(MOST + 1).collect();
        many = many.saturating_mul(own.len());
        if many > MOST || places.len() >= 64 {
            return None;
        }
        places.push(own);
    }
    let mut best: Option<Best> = None;
    for k in 0..many {
        if k % 64 == 0 && stop.reached() {
            return None;
        }
        let mut rest = k;
        let mut plan = Plan::empty(instance.tasks());
        for (task, own) in places.iter().enumerate() {
            plan.placement[TaskId::from(task).index()] = own[rest % own.len()];
            rest /= own.len();
        }
        if !check_plan(instance, &plan, allow_unplaced).is_empty() {
            continue;
        }
        let values: Vec<Worth> =
            goal_values(instance, &plan, goal).iter().map(|tier| tier.worth()).collect();
        if best.as_ref().is_none_or(|(_, known)| lower(&values, known)) {
            best = Some((plan, values));
        }
    }
    Some(best)
}

/// Lower in the first tier in which they differ.
fn lower(a: &[Worth], b: &[Worth]) -> bool {
    let differ = a.iter().zip(b).map(|(a, b)| a.order(*b)).find(|order| order.is_ne());
    differ == Some(Ordering::Less)
}
