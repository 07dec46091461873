//! What soft rules cost at least: load that cannot be below the safety capacities
//! and room that must be missing, counted over all nodes together.

use super::area::Area;
use model::{Instance, NodeId};

/// No plan that leaves at most `dropped` tasks out costs less, in steps of the soft scale. The
/// argument needs the total load, so every task must be placed and need the same everywhere.
pub(super) fn least(instance: &Instance, area: &Area, dropped: usize) -> i128 {
    if dropped > 0 || instance.has_pairs() {
        return 0;
    }
    let counted = || instance.node_ids().filter(|node| instance.counted(*node));
    let sum = |of: &dyn Fn(NodeId) -> i64| counted().map(|node| i128::from(of(node))).sum::<i128>();
    let load = |r: usize| sum(&|node| instance.used(node)[r]) + i128::from(area.least_total(r, 0));
    let free = |r: usize| sum(&|node| instance.capacity(node)[r]) - load(r);
    let mut value: i128 = 0;
    for r in 0..instance.resources().len() {
        if instance.safety_price(r) > 0 {
            // A node has more than this only where it pays for it.
            let unpaid = |node: NodeId| {
                let safety = instance.safety(node).get(r).copied().unwrap_or(i64::MAX);
                safety.min(instance.limit(node)[r]).max(instance.used(node)[r])
            };
            let over = (load(r) - sum(&unpaid)).max(0);
            value += over * i128::from(instance.safety_price(r));
        }
    }
    for ratio in instance.ratios() {
        let missing =
            i128::from(ratio.a) * free(ratio.room) - i128::from(ratio.b) * free(ratio.with);
        value += missing.max(0);
    }
    value
}
