//! What the engines for one goal in the first tier have in common: what they are asked, and what
//! they find.

use base::stop::Stop;
use model::{Instance, NodeId, Plan, TaskId, Term, Worth};

/// Resources that tasks may demand at most.
pub(super) const WIDTH: usize = 8;

/// Calls a function that is generic over the number of resources with the least number there is
/// code for that holds all that tasks demand.
macro_rules! by_width {
    ($run:ident, $request:ident, $better:ident) => {
        match $crate::search::specialists::demanded($request.instance).len() {
            0 | 1 => $run::<1>($request, $better),
            2 => $run::<2>($request, $better),
            3 | 4 => $run::<4>($request, $better),
            _ => $run::<{ $crate::search::specialists::WIDTH }>($request, $better),
        }
    };
}
pub(super) use by_width;

/// A search of its own for one goal, with a bound.
pub struct Engine {
    /// The goal.
    pub term: Term,
    /// What about the instance it does not know yet; `None` when it takes it on.
    pub covers: fn(&Instance) -> Option<&'static str>,
    /// Searches; the instance must be one it covers.
    pub search: fn(&Request, Look) -> Found,
    /// What its bounds rest on.
    pub why: &'static str,
}

/// What to search, and how long.
pub struct Request<'a> {
    /// The problem; the engine must have no objection.
    pub instance: &'a Instance,
    /// A lower bound on the value that is known already.
    pub floor: Worth,
    /// A plan to begin with, where one is known that leaves nothing out.
    pub start: Option<&'a Plan>,
    /// Seed of everything random.
    pub seed: u64,
    /// Work units at most, see `--work-limit`.
    pub work: u64,
    /// When to stop.
    pub stop: &'a Stop,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The best plan that leaves nothing out and overloads no node.
    pub plan: Option<Plan>,
    /// Proven: no plan has a lower value.
    pub bound: Worth,
    /// Why no plan exists, where that is proven.
    pub impossible: Option<String>,
    /// Work units used.
    pub work: u64,
}

/// A better plan that overloads no node, or a better bound, for whoever looks on.
pub struct Better<'a> {
    /// The value of the best plan.
    pub value: f64,
    /// The bound by then.
    pub bound: f64,
    pub(super) node_of: &'a [u32],
    pub(super) nodes: &'a [NodeId],
}

impl Better<'_> {
    /// The plan; costs a pass over the tasks.
    pub fn plan(&self) -> Plan {
        plan_of(self.node_of, self.nodes)
    }
}

/// Told of every better plan or bound.
pub type Look<'a> = &'a mut (dyn FnMut(Better) + Send);

/// The plan that puts each task on one of `nodes`.
pub(super) fn plan_of(node_of: &[u32], nodes: &[NodeId]) -> Plan {
    let mut plan = Plan::empty(node_of.len());
    let places = node_of.iter().map(|j| Some(nodes[*j as usize]));
    plan.placement.iter_mut().zip(places).for_each(|(place, node)| *place = node);
    plan
}

/// The position of each task's node among `nodes`; `None` if some task is on none of them.
pub(super) fn positions(instance: &Instance, plan: &Plan, nodes: &[NodeId]) -> Option<Vec<u32>> {
    let mut at = vec![None; instance.nodes()];
    nodes.iter().zip(0u32..).for_each(|(node, j)| at[node.index()] = Some(j));
    plan.placement.iter().map(|node| at[(*node)?.index()]).collect()
}

/// Nodes that take tasks.
pub(super) fn ready(instance: &Instance) -> impl Iterator<Item = NodeId> + '_ {
    instance.node_ids().filter(|node| instance.counted(*node))
}

/// Resources that any task demands, on some node at least.
pub(super) fn demanded(instance: &Instance) -> Vec<usize> {
    let own = |task: TaskId, r: usize| instance.demand(task)[r] > 0;
    let pair = |task: TaskId, r: usize| instance.pairs(task).any(|pair| pair.demand[r] > 0);
    let any = |r: &usize| instance.task_ids().any(|task| own(task, *r) || pair(task, *r));
    (0..instance.resources().len()).filter(any).collect()
}

/// What every engine objects to.
pub(super) fn objection(instance: &Instance) -> Option<&'static str> {
    if !instance.rules().is_empty() {
        return Some("rules between tasks");
    }
    if !instance.devices().is_empty() {
        return Some("cards");
    }
    if instance.kept_risk().is_some() {
        return Some("demands that vary");
    }
    if instance.has_transient() {
        return Some("transient resources");
    }
    if ready(instance).any(|node| (instance.max_tasks(node) as usize) < instance.tasks()) {
        return Some("limits on the number of tasks on a node");
    }
    (demanded(instance).len() > WIDTH).then_some("more than eight demanded resources")
}
