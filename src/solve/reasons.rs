//! Why tasks are left without a node.

use super::Unplaced;
use crate::bounds::why_nowhere;
use crate::model::{Instance, Plan, TaskId};
use crate::state::State;

/// Every unplaced task with what stands in its way in this plan.
pub(super) fn unplaced(instance: &Instance, plan: &Plan) -> Vec<Unplaced> {
    let mut state = State::new(instance);
    plan.placements().for_each(|(task, node)| state.place(task, node));
    plan.unplaced()
        .map(|task| {
            let nowhere = !instance.node_ids().any(|node| instance.fits_alone(task, node));
            let (reason, detail) =
                if nowhere { why_nowhere(instance, task) } else { why_not_now(&state, task) };
            Unplaced { task, reason, detail }
        })
        .collect()
}

/// What each node that could take the task lacks, as things stand.
fn why_not_now(state: &State, task: TaskId) -> (&'static str, String) {
    let instance = state.instance();
    let width = instance.resources().len();
    let mut lacks = vec![0usize; width];
    let mut taken = 0;
    let mut eligible = 0;
    for node in instance.node_ids().filter(|node| instance.fits_alone(task, *node)) {
        eligible += 1;
        let demand = instance.demand_on(task, node);
        let (load, capacity) = (state.load(node), instance.capacity(node));
        match (0..width).find(|&r| demand[r] > 0 && load[r] + demand[r] > capacity[r]) {
            Some(r) => lacks[r] += 1,
            None => taken += 1,
        }
    }
    let mut parts: Vec<String> = (0..width)
        .filter(|&r| lacks[r] > 0)
        .map(|r| format!("{} lack {}", lacks[r], instance.resources()[r].name))
        .collect();
    if taken > 0 {
        parts.push(format!("{taken} have their one task"));
    }
    let reason = if taken == eligible { "one-task-per-node" } else { "capacity" };
    (reason, format!("of {eligible} nodes it could run on, {}", parts.join(", ")))
}
