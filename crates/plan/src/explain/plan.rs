//! What holds a plan back: where the goal binds, and what more capacity would
//! be worth.

use base::stop::Stop;
use engines::bounds::Bounds;
use judge::metrics::Metrics;
use model::{Instance, NodeId, Plan, TaskId, Tier};

/// Kinds of nodes for which more capacity is priced at most.
const KINDS: usize = 16;

/// A node and resource with the highest utilisation.
#[derive(Clone, Debug)]
pub struct Binding {
    /// The node.
    pub node: NodeId,
    /// The resource.
    pub resource: usize,
    /// Load over capacity.
    pub utilisation: f64,
    /// The tasks there that need the resource, the largest first.
    pub tasks: Vec<TaskId>,
}

/// What the goal's bound becomes with one more unit on a node.
#[derive(Clone, Debug)]
pub struct Worth {
    /// The node, one of its kind.
    pub node: NodeId,
    /// The resource.
    pub resource: usize,
    /// The tier's bound then.
    pub bound: f64,
}

/// What holds a plan back.
#[derive(Clone, Debug)]
pub struct PlanWhy {
    /// The fullest places, all equally full.
    pub binding: Vec<Binding>,
    /// The first tier, its bound by counting and where that comes from.
    pub tier: Tier,
    /// See `tier`.
    pub bound: f64,
    /// See `tier`.
    pub why: String,
    /// Where one more unit lowers that bound.
    pub worth: Vec<Worth>,
}

/// Looks at the fullest nodes and at what limits the bound of the first tier; what is not priced by
/// `stop` has no price.
pub fn why_plan(instance: &Instance, plan: &Plan, stop: &Stop) -> PlanWhy {
    let metrics = Metrics::of(instance, plan, None);
    let on = plan.by_node(instance.nodes());
    let mut binding = Vec::new();
    for node in instance.node_ids().filter(|node| instance.counted(*node)) {
        for (r, utilisation) in metrics.nodes[node.index()].utilisation.iter().enumerate() {
            let Some(utilisation) = utilisation.filter(|u| *u >= metrics.peak && *u > 0.0) else {
                continue;
            };
            let demand = |task: &TaskId| instance.demand_on(*task, node)[r];
            let mut tasks = on[node.index()].clone();
            tasks.retain(|task| demand(task) > 0);
            tasks.sort_by_key(|task| (std::cmp::Reverse(demand(task)), *task));
            binding.push(Binding { node, resource: r, utilisation, tasks });
        }
    }
    let tier = instance.goal().tiers[0].clone();
    let bounds = Bounds::of(instance);
    let dropped = bounds.most_left_out(plan);
    let bound = bounds.tier(&tier, dropped);
    let mut kinds: Vec<NodeId> = Vec::new();
    for node in instance.node_ids().filter(|node| instance.counted(*node)) {
        let same = |other: &NodeId| instance.capacity(*other) == instance.capacity(node);
        if kinds.len() < KINDS && !kinds.iter().any(same) {
            kinds.push(node);
        }
    }
    let mut worth = Vec::new();
    for node in kinds {
        for (r, resource) in instance.resources().iter().enumerate() {
            if stop.reached() {
                break;
            }
            let unit = (resource.scale.den / resource.scale.num).max(1);
            let then = Bounds::of(&instance.raised(node, r, unit)).tier(&tier, dropped).value;
            if bound.value.over(then) > 0.0 {
                worth.push(Worth { node, resource: r, bound: then.near() });
            }
        }
    }
    worth.sort_by(|a, b| a.bound.total_cmp(&b.bound));
    PlanWhy { binding, tier, bound: bound.value.near(), why: bound.why, worth }
}
