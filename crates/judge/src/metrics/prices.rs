//! Goals that are made of prices: of placements, of used nodes, of load.

use super::wishes::cost;
use model::{Instance, Plan, Prices, Shape, TERMS, Term};

/// What each of them comes to, in its own steps. `count` says how many tasks of the plan each node
/// has.
pub(super) fn sums(
    instance: &Instance,
    plan: &Plan,
    loads: &[i64],
    count: &[usize],
) -> Vec<(Term, i64)> {
    let each = TERMS.iter().filter_map(|info| match &info.shape {
        Shape::Prices(prices) => Some((info.term, sum(instance, plan, loads, count, prices))),
        _ => None,
    });
    each.collect()
}

fn sum(instance: &Instance, plan: &Plan, loads: &[i64], count: &[usize], prices: &Prices) -> i64 {
    let mut sum = 0;
    if prices.placement.any(instance) {
        let each = plan.placements().map(|(task, at)| prices.placement.price(instance, task, at));
        sum += each.sum::<i64>();
    }
    if prices.used.is_some() {
        let used = instance.node_ids().filter(|node| count[node.index()] > 0);
        sum += used.map(|node| prices.of_use(instance, node)).sum::<i64>();
    }
    if prices.margins {
        sum = sum.saturating_add(margins(instance, loads)).saturating_add(cost(instance, plan));
    }
    sum
}

/// Load above the safety capacities and room missing beside other room, on nodes that count. Load
/// above safety capacities that was there before is not the plan's doing.
fn margins(instance: &Instance, loads: &[i64]) -> i64 {
    let width = instance.resources().len();
    let mut total: i64 = 0;
    for node in instance.node_ids().filter(|node| instance.counted(*node)) {
        for (r, safety) in instance.safety(node).iter().enumerate() {
            let from = (*safety).max(instance.used(node)[r]);
            let over = loads[node.index() * width + r].saturating_sub(from).max(0);
            total += over * instance.safety_price(r);
        }
        let load = &loads[node.index() * width..(node.index() + 1) * width];
        for ratio in instance.ratios() {
            total = total.saturating_add(ratio.cost(instance.capacity(node), load));
        }
    }
    total
}
