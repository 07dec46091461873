//! What soft rules cost at least: load that cannot be below the safety capacities
//! and room that must be missing, counted over all nodes together.

use super::Bound;
use super::area::Area;
use crate::model::Instance;

/// No plan that leaves at most `dropped` tasks out costs less. The argument needs
/// the total load, so every task must be placed and need the same everywhere.
pub(super) fn bound(instance: &Instance, area: &Area, dropped: usize) -> Bound {
    let nothing = Bound::new(0.0, "soft rules cost nothing or more");
    if dropped > 0 || instance.has_pairs() {
        return nothing;
    }
    let width = instance.resources().len();
    let counted = || instance.node_ids().filter(|node| instance.counted(*node));
    let sum = |of: &dyn Fn(usize) -> i64| counted().map(|n| i128::from(of(n.index()))).sum();
    let totals = |of: &dyn Fn(usize, usize) -> i64| -> Vec<i128> {
        (0..width).map(|r| sum(&|node| of(node, r))).collect()
    };
    let node = crate::model::NodeId::from;
    let used = totals(&|j, r| instance.used(node(j))[r]);
    let capacity = totals(&|j, r| instance.capacity(node(j))[r]);
    let load: Vec<i128> =
        (0..width).map(|r| used[r] + i128::from(area.least_total(r, 0))).collect();
    let mut value: i128 = 0;
    for r in 0..width {
        if instance.safety_price(r) > 0 {
            // A node has more than this only where it pays for it.
            let free = |j: usize| {
                let (used, limit) = (instance.used(node(j))[r], instance.limit(node(j))[r]);
                let safety = instance.safety(node(j)).get(r).copied().unwrap_or(i64::MAX);
                safety.min(limit).max(used)
            };
            let over = (load[r] - sum(&free)).max(0);
            value += over * i128::from(instance.safety_price(r));
        }
    }
    for ratio in instance.ratios() {
        let free = |r: usize| capacity[r] - load[r];
        let missing =
            i128::from(ratio.a) * free(ratio.room) - i128::from(ratio.b) * free(ratio.with);
        value += missing.max(0);
    }
    match i64::try_from(value) {
        Ok(value) if value > 0 => {
            let value = instance.soft_scale().to_f64(value);
            Bound::new(value, "the total load above all safety capacities and the room beside it")
        }
        _ => nothing,
    }
}
