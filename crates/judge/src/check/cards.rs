//! Cards: a share on one card, whole cards for whole numbers, none overloaded.

use super::Violation;
use model::{Devices, Instance, NodeId, Plan, TaskId, cards_in};

/// Steps in which the checker looks for cards where a plan names none.
const BUDGET: u64 = 10_000_000;

/// Cards of a node as the plan names them for the tasks that are there at once; where it names
/// none, whether there is a way to deal them out.
pub(super) fn on_node(
    instance: &Instance,
    plan: &Plan,
    node: NodeId,
    tasks: &[TaskId],
) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (d, device) in instance.devices().iter().enumerate() {
        let detail = if plan.cards.is_empty() {
            undealt(instance, node, *device, tasks)
        } else {
            misdealt(instance, plan, node, (d, *device), tasks)
        };
        violations.extend(detail.map(|detail| Violation::Cards {
            node: instance.node_name(node).to_owned(),
            resource: instance.resources()[device.resource].name.clone(),
            detail,
        }));
    }
    violations
}

/// What is wrong with the cards that the plan names on a node.
fn misdealt(
    instance: &Instance,
    plan: &Plan,
    node: NodeId,
    (d, device): (usize, Devices),
    tasks: &[TaskId],
) -> Option<String> {
    let mut free = instance.free_cards(node, device);
    for task in tasks {
        let set = plan.cards[task.index() * instance.devices().len() + d];
        let demand = instance.demand_on(*task, node)[device.resource];
        let name = instance.task_name(*task);
        let share = demand > 0 && demand < device.card;
        let wanted = if share { 1 } else { demand / device.card };
        if i64::from(set.count_ones()) != wanted {
            return Some(format!("task `{name}` has {} and needs {wanted}", set.count_ones()));
        }
        for card in cards_in(set) {
            let each = demand.min(device.card);
            match free.get_mut(card) {
                None => return Some(format!("task `{name}` is on card {card}, there is none")),
                Some(free) if *free < each => {
                    return Some(format!("card {card} is overloaded by task `{name}`"));
                }
                Some(free) => *free -= each,
            }
        }
    }
    None
}

/// What is wrong when the node's cards cannot hold its tasks in any way.
fn undealt(instance: &Instance, node: NodeId, device: Devices, tasks: &[TaskId]) -> Option<String> {
    let mut free = instance.free_cards(node, device);
    let mut demands: Vec<i64> =
        tasks.iter().map(|t| instance.demand_on(*t, node)[device.resource]).collect();
    demands.retain(|demand| *demand > 0);
    demands.sort_unstable();
    let mut budget = BUDGET;
    if deals(&mut demands, &mut free, device.card, &mut budget) {
        None
    } else if budget == 0 {
        Some("no way to deal them out was found in time".to_owned())
    } else {
        Some("there is no way to deal them out to the tasks there".to_owned())
    }
}

/// Tries every card for the largest demand, then the rest.
fn deals(demands: &mut Vec<i64>, free: &mut [i64], card: i64, budget: &mut u64) -> bool {
    let Some(demand) = demands.pop() else { return true };
    *budget = budget.saturating_sub(1);
    let mut done = false;
    if demand >= card {
        let whole: Vec<usize> = (0..free.len()).filter(|k| free[*k] == card).collect();
        let wanted = (demand / card) as usize;
        if whole.len() >= wanted {
            whole[..wanted].iter().for_each(|k| free[*k] = 0);
            done = deals(demands, free, card, budget);
            whole[..wanted].iter().for_each(|k| free[*k] = card);
        }
    } else {
        for k in 0..free.len() {
            let tried = free[..k].contains(&free[k]);
            if !done && !tried && free[k] >= demand && *budget > 0 {
                free[k] -= demand;
                done = deals(demands, free, card, budget);
                free[k] += demand;
            }
        }
    }
    demands.push(demand);
    done
}
