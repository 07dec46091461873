//! Why a task is where it is, and what stands between it and every other node.

use crate::solve::{block_in_words, code};
use base::stop::Stop;
use judge::metrics::goal_values;
use model::state::State;
use model::{Goal, Instance, NodeId, Plan, TaskId, TierValue};

/// Exchanges that are priced at most.
const SWAPS: usize = 5_000;

/// One node, for one task.
#[derive(Clone, Debug)]
pub struct NodeWhy {
    /// The node.
    pub node: NodeId,
    /// What forbids the task there: code and words.
    pub blocked: Option<(&'static str, String)>,
    /// The goal's tiers with the task there; absent where it is blocked or time
    /// ran out.
    pub values: Option<Vec<TierValue>>,
}

/// An exchange with a task of another node.
#[derive(Clone, Debug)]
pub struct Swap {
    /// The other task.
    pub with: TaskId,
    /// Its node, where the task would go.
    pub node: NodeId,
    /// The goal's tiers then.
    pub values: Vec<TierValue>,
}

/// Everything about one task in a plan.
#[derive(Clone, Debug)]
pub struct TaskWhy {
    /// The task.
    pub task: TaskId,
    /// Where it is.
    pub node: Option<NodeId>,
    /// The goal's tiers in the plan.
    pub values: Vec<TierValue>,
    /// Every other node, in instance order.
    pub others: Vec<NodeWhy>,
    /// The best exchange where no node has room for the task.
    pub swap: Option<Swap>,
    /// What the task would have to ask less of to have room, one resource at a time.
    pub less: Vec<Less>,
}

/// So much less of one resource, and the task has room.
#[derive(Clone, Debug)]
pub struct Less {
    /// The resource, by its place among the instance's.
    pub resource: usize,
    /// In steps: the least that will do.
    pub by: i64,
    /// Where it has room then.
    pub node: NodeId,
}

/// Asks of every other node what the task would do there.
pub fn why_task(instance: &Instance, plan: &Plan, task: TaskId, stop: &Stop) -> TaskWhy {
    let goal = instance.goal();
    let at = plan.placement[task.index()];
    let mut state = State::load_plan(instance, plan);
    state.remove(task);
    let mut others = Vec::with_capacity(instance.nodes());
    for node in instance.node_ids().filter(|node| Some(*node) != at) {
        let blocked = state.blocked(task, node).map(|block| {
            let words = block_in_words(&state, task, node).unwrap_or_default();
            (code(block), words)
        });
        let open = blocked.is_none() && !stop.reached();
        let values = open.then(|| values_with(instance, plan, goal, &[(task, node)]));
        others.push(NodeWhy { node, blocked, values });
    }
    let stuck = others.iter().all(|other| other.blocked.is_some());
    let swap = at.filter(|_| stuck).and_then(|at| best_swap(&mut state, plan, (task, at), stop));
    let less = match at {
        None if instance.units(task).len() == 1 => less(&state, plan, task),
        _ => Vec::new(),
    };
    TaskWhy { task, node: at, values: goal_values(instance, plan, goal), others, swap, less }
}

/// The least by which the task would have to ask less, for each resource of which that alone would
/// do. Each is tried.
fn less(state: &State, plan: &Plan, task: TaskId) -> Vec<Less> {
    let instance = state.instance();
    let mut list: Vec<Less> = Vec::new();
    for node in instance.node_ids().filter(|node| instance.eligible(task, *node)) {
        let (limit, load) = (instance.limit(node), state.load(node));
        let demand = instance.demand_on(task, node);
        let lacks = |r: &usize| demand[*r] > 0 && demand[*r] > limit[*r] - load[*r];
        let lacking: Vec<usize> = (0..demand.len()).filter(lacks).collect();
        let [resource] = lacking[..] else { continue };
        let by = demand[resource] - (limit[resource] - load[resource]);
        if by < demand[resource] && !instance.task_has_pairs(task) {
            list.push(Less { resource, by, node });
        }
    }
    list.sort_by_key(|less| (less.resource, less.by, less.node));
    list.dedup_by_key(|less| less.resource);
    list.retain(|less| {
        let steps = instance.demand(task)[less.resource] - less.by;
        let changed = instance.with_demand(task, less.resource, steps);
        State::load_plan(&changed, plan).blocked(task, less.node).is_none()
    });
    list
}

fn values_with(
    instance: &Instance,
    plan: &Plan,
    goal: &Goal,
    moves: &[(TaskId, NodeId)],
) -> Vec<TierValue> {
    let mut moved = plan.clone();
    moves.iter().for_each(|(task, node)| moved.placement[task.index()] = Some(*node));
    goal_values(instance, &moved, goal)
}

/// The exchange with the lowest goal; `state` has everything but the task.
fn best_swap(
    state: &mut State,
    plan: &Plan,
    (task, at): (TaskId, NodeId),
    stop: &Stop,
) -> Option<Swap> {
    let instance = state.instance();
    let mut best: Option<Swap> = None;
    let mut priced = 0;
    for (with, node) in plan.placements().filter(|(_, node)| *node != at) {
        if priced >= SWAPS || stop.reached() {
            break;
        }
        if !instance.eligible(task, node) || !instance.eligible(with, at) {
            continue;
        }
        state.remove(with);
        let fits = state.fits(task, node) && {
            state.restore(task, node);
            let back = state.fits(with, at);
            state.remove(task);
            back
        };
        state.restore(with, node);
        if !fits {
            continue;
        }
        priced += 1;
        let values = values_with(instance, plan, instance.goal(), &[(task, node), (with, at)]);
        let lower = |known: &Swap| {
            let pairs = values.iter().zip(&known.values);
            pairs.map(|(a, b)| a.value - b.value).find(|d| *d != 0.0).is_some_and(|d| d < 0.0)
        };
        if best.as_ref().is_none_or(lower) {
            best = Some(Swap { with, node, values });
        }
    }
    best
}
