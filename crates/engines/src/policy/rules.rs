//! The rules themselves.

use super::{Group, Lanes, Policy, Score};
use model::state::State;
use model::{Instance, NodeId, TaskId};

/// Utilisation of the node's fullest resource with the task there.
pub(super) fn resulting_load(state: &State, task: TaskId, node: NodeId) -> f64 {
    let instance = state.instance();
    let demand = instance.demand_on(task, node);
    let load = state.load(node);
    let capacity = instance.capacity(node);
    (0..demand.len())
        .filter(|&r| capacity[r] > 0)
        .map(|r| (load[r] + demand[r]) as f64 / capacity[r] as f64)
        .fold(0.0, f64::max)
}

/// A little below what floating point makes of it, so that rounding in a bound
/// never hides the best node.
pub(super) fn below(value: f64) -> f64 {
    value * (1.0 - 1e-12)
}

fn least_resulting_load(group: &Group, demand: &[i64]) -> f64 {
    let loads = group.resources.iter().zip(demand);
    below(
        loads
            .map(|(s, demand)| s.min_utilisation + *demand as f64 * s.min_step)
            .fold(group.min_dominant, f64::max),
    )
}

/// Lowest resulting utilisation.
pub(super) struct MinLoad;

impl Policy for MinLoad {
    fn score(&self, state: &State, task: TaskId, node: NodeId) -> Score {
        [resulting_load(state, task, node), 0.0]
    }

    fn bound(&self, group: &Group, demand: &[i64]) -> Score {
        [least_resulting_load(group, demand), 0.0]
    }

    fn lanes(&self, lanes: &Lanes, _demand: &[i64], low: &mut [f64]) {
        let nodes = lanes.level.iter().zip(lanes.dominant);
        low.iter_mut().zip(nodes).for_each(|(low, (level, own))| *low = below(level.max(*own)));
    }
}

/// Least added cost, the price of a node not yet used included. Where nothing
/// costs anything, least load.
pub(super) struct MinCost {
    free: bool,
}

impl MinCost {
    pub(super) fn new(instance: &Instance) -> MinCost {
        let costs = |node| instance.price(node) > 0 || instance.rate(node) > 0;
        MinCost { free: !instance.has_pairs() && !instance.node_ids().any(costs) }
    }
}

impl Policy for MinCost {
    fn score(&self, state: &State, task: TaskId, node: NodeId) -> Score {
        if self.free {
            return MinLoad.score(state, task, node);
        }
        let instance = state.instance();
        let entry = if state.count(node) == 0 { instance.price(node) } else { 0 };
        let cost = instance.cost_on(task, node) + entry;
        [cost as f64, resulting_load(state, task, node)]
    }

    fn bound(&self, group: &Group, demand: &[i64]) -> Score {
        if self.free {
            return MinLoad.bound(group, demand);
        }
        [group.min_entry as f64, least_resulting_load(group, demand)]
    }

    fn lanes(&self, lanes: &Lanes, demand: &[i64], low: &mut [f64]) {
        if self.free {
            return MinLoad.lanes(lanes, demand, low);
        }
        low.copy_from_slice(lanes.entry);
    }

    fn second_lanes(&self, lanes: &Lanes, low: &mut [f64]) {
        if !self.free {
            MinLoad.lanes(lanes, &[], low);
        }
    }
}

/// The next node in order, around and around.
pub(super) struct RoundRobin {
    next: usize,
    nodes: usize,
}

impl RoundRobin {
    pub(super) fn new(instance: &Instance) -> RoundRobin {
        RoundRobin { next: 0, nodes: instance.nodes() }
    }

    /// Steps from the next node in line.
    fn steps(&self, node: usize) -> f64 {
        ((node + self.nodes - self.next) % self.nodes) as f64
    }
}

impl Policy for RoundRobin {
    fn score(&self, _state: &State, _task: TaskId, node: NodeId) -> Score {
        [self.steps(node.index()), 0.0]
    }

    fn bound(&self, group: &Group, _demand: &[i64]) -> Score {
        let next_is_inside = group.first <= self.next && self.next <= group.last;
        if next_is_inside || group.first >= self.nodes {
            return [0.0, 0.0];
        }
        [self.steps(group.first), 0.0]
    }

    fn lanes(&self, lanes: &Lanes, _demand: &[i64], low: &mut [f64]) {
        let nodes = (lanes.first..).zip(low.iter_mut());
        nodes.for_each(|(node, low)| {
            *low = if node < self.nodes { self.steps(node) } else { f64::MAX }
        });
    }

    fn placed(&mut self, _state: &State, _task: TaskId, node: NodeId) {
        self.next = (node.index() + 1) % self.nodes;
    }
}

/// Fewest connections that are there already and tasks of the plan.
pub(super) struct LeastTasks;

impl Policy for LeastTasks {
    fn score(&self, state: &State, _task: TaskId, node: NodeId) -> Score {
        let connections = state.instance().traffic(node).connections;
        [f64::from(state.count(node)) + f64::from(connections), 0.0]
    }

    fn bound(&self, group: &Group, _demand: &[i64]) -> Score {
        [group.min_tasks, 0.0]
    }

    fn lanes(&self, lanes: &Lanes, _demand: &[i64], low: &mut [f64]) {
        low.copy_from_slice(lanes.tasks);
    }
}
