//! Whether a plan can be carried out by placing one task after the other, as schedulers do.

use model::state::Ties;
use model::{Instance, Kept, NodeId, Plan, RuleShape, TaskId};

/// Most looks at values that finding an order is worth.
const WORTH: usize = 50_000_000;

/// Tasks that could not be placed one after the other: at each step every even spread has to hold
/// for the task that comes. Another order may do where several spreads concern one task. Nothing
/// where tasks run already, or where finding out would take long.
pub fn stuck_one_by_one(instance: &Instance, plan: &Plan) -> Vec<TaskId> {
    let even = |shape: RuleShape| matches!(shape, RuleShape::Values { max_skew: Some(_), .. });
    let rules: Vec<bool> = instance.rules().iter().map(|rule| even(rule.shape())).collect();
    let own = instance.rules().iter().zip(&rules).filter(|(_, own)| **own);
    let looks: usize = own.map(|(rule, _)| rule.tasks.len() * rule.values.len()).sum();
    let runs = instance.task_ids().any(|task| instance.current(task).is_some());
    if runs || looks == 0 || looks > WORTH {
        return Vec::new();
    }
    let only = instance.only(&Kept { rules, ..Kept::all(instance) });
    let mut ties = Ties::new(&only);
    let tied = |(task, _): &(TaskId, NodeId)| !only.rules_of(*task).is_empty();
    let mut left: Vec<(TaskId, NodeId)> = plan.placements().filter(tied).collect();
    loop {
        let before = left.len();
        left.retain(|(task, node)| {
            let refused = ties.refuses(*task, *node).is_some();
            if !refused {
                ties.change(*task, *node, true);
            }
            refused
        });
        if left.len() == before {
            return left.into_iter().map(|(task, _)| task).collect();
        }
    }
}
