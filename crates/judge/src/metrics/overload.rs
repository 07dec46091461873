//! How likely nodes are overloaded where demands vary.

use super::loads;
use model::{Instance, NodeId, Plan, Risk};

/// The node and resource that are overloaded most often.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Overload {
    /// The node.
    pub node: NodeId,
    /// Position of the resource.
    pub resource: usize,
    /// Chance that the load exceeds what the plan may fill, loads taken for normal.
    pub chance: f64,
}

/// The likeliest overload of a plan; `None` where no demand that is placed varies.
pub fn worst_overload(instance: &Instance, plan: &Plan) -> Option<Overload> {
    if !instance.has_deviations() {
        return None;
    }
    let width = instance.resources().len();
    let mut variance = vec![0i128; instance.nodes() * width];
    for (task, node) in plan.placements() {
        for r in 0..width {
            variance[node.index() * width + r] += instance.variance_on(task, node, r);
        }
    }
    let loads = loads(instance, plan);
    let each = instance.node_ids().flat_map(|node| (0..width).map(move |r| (node, r)));
    let varying = each.filter_map(|(node, resource)| {
        let at = node.index() * width + resource;
        let slack = instance.limit(node)[resource] - loads[at];
        let chance = Risk::chance_of(slack, variance[at]);
        (variance[at] > 0).then_some(Overload { node, resource, chance })
    });
    varying.reduce(|a, b| if b.chance > a.chance { b } else { a })
}
