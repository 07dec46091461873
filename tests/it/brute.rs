//! The best plan without times by trying every one of them.

use stowplan::check::check_plan;
use stowplan::metrics::goal_values;
use stowplan::model::{Instance, NodeId, Plan};

/// Values of the best plan by trying every placement; `None` when none is
/// feasible. With `allow_unplaced` tasks may stay out, as few as possible.
pub fn brute_force(instance: &Instance, allow_unplaced: bool) -> Option<Vec<f64>> {
    let goal = if allow_unplaced {
        instance.goal().with_unplaced_first(&instance.priorities())
    } else {
        instance.goal().clone()
    };
    let choices = instance.nodes() + usize::from(allow_unplaced);
    let mut best: Option<Vec<f64>> = None;
    for code in 0..choices.pow(instance.tasks() as u32) {
        let mut rest = code;
        let mut plan = Plan::empty(instance.tasks());
        for place in &mut plan.placement {
            let choice = rest % choices;
            rest /= choices;
            *place = (choice < instance.nodes()).then(|| NodeId::from(choice));
        }
        if check_plan(instance, &plan, allow_unplaced).is_empty() {
            let values: Vec<f64> =
                goal_values(instance, &plan, &goal).iter().map(|v| v.value).collect();
            if best.as_ref().is_none_or(|best| less(&values, best)) {
                best = Some(values);
            }
        }
    }
    best
}

/// Lexicographic, with rounding noise between sums of different order ignored.
pub fn less(a: &[f64], b: &[f64]) -> bool {
    for (a, b) in a.iter().zip(b) {
        if (a - b).abs() > 1e-9 * a.abs().max(b.abs()).max(1e-3) {
            return a < b;
        }
    }
    false
}
