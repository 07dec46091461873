//! Rules from bin packing: which node's capacity the task fits best.

use super::{Group, Lanes, Policy, Score};
use model::state::State;
use model::{NodeId, ROUNDING, TaskId};

/// Sum over resources of the fraction of capacity left once the task is there.
fn left(state: &State, task: TaskId, node: NodeId) -> f64 {
    let instance = state.instance();
    let demand = instance.demand_on(task, node);
    let (load, capacity) = (state.load(node), instance.capacity(node));
    (0..demand.len())
        .filter(|&r| capacity[r] > 0)
        .map(|r| (capacity[r] - load[r] - demand[r]).max(0) as f64 / capacity[r] as f64)
        .sum()
}

/// The same for every node of a block.
fn left_lanes(lanes: &Lanes, demand: &[i64], left: &mut [f64]) {
    left.fill(0.0);
    for (r, demand) in demand.iter().enumerate() {
        let (utilisation, step) = lanes.resource(r);
        for (left, (utilisation, step)) in left.iter_mut().zip(utilisation.iter().zip(step)) {
            // No capacity, no capacity left: its step is 0.
            let part = (1.0 - utilisation - *demand as f64 * step).max(0.0);
            *left += if *step > 0.0 { part } else { 0.0 };
        }
    }
}

/// Least capacity left.
pub(super) struct BestFit;

impl Policy for BestFit {
    fn score(&self, state: &State, task: TaskId, node: NodeId) -> Score {
        [left(state, task, node), 0.0]
    }

    fn bound(&self, group: &Group, demand: &[i64]) -> Score {
        let parts = group.resources.iter().zip(demand);
        let least = parts.map(|(s, d)| (1.0 - s.max_utilisation - *d as f64 * s.max_step).max(0.0));
        [least.sum::<f64>() - ROUNDING, 0.0]
    }

    fn lanes(&self, lanes: &Lanes, demand: &[i64], low: &mut [f64]) {
        left_lanes(lanes, demand, low);
        low.iter_mut().for_each(|low| *low -= ROUNDING);
    }
}

/// Most capacity left.
pub(super) struct WorstFit;

impl Policy for WorstFit {
    fn score(&self, state: &State, task: TaskId, node: NodeId) -> Score {
        [-left(state, task, node), 0.0]
    }

    fn bound(&self, group: &Group, demand: &[i64]) -> Score {
        let parts = group.resources.iter().zip(demand);
        let most = parts.map(|(s, d)| (1.0 - s.min_utilisation - *d as f64 * s.min_step).max(0.0));
        [-most.sum::<f64>() - ROUNDING, 0.0]
    }

    fn lanes(&self, lanes: &Lanes, demand: &[i64], low: &mut [f64]) {
        left_lanes(lanes, demand, low);
        low.iter_mut().for_each(|low| *low = -*low - ROUNDING);
    }
}

/// The first node in order.
pub(super) struct FirstFit;

impl Policy for FirstFit {
    fn score(&self, _state: &State, _task: TaskId, node: NodeId) -> Score {
        [f64::from(node.0), 0.0]
    }

    fn bound(&self, group: &Group, _demand: &[i64]) -> Score {
        [group.first as f64, 0.0]
    }

    fn lanes(&self, lanes: &Lanes, _demand: &[i64], low: &mut [f64]) {
        low.iter_mut().zip(lanes.first..).for_each(|(low, node)| *low = node as f64);
    }
}

/// Largest product of demand and free capacity, both as fractions of capacity.
pub(super) struct DotProduct;

impl Policy for DotProduct {
    fn score(&self, state: &State, task: TaskId, node: NodeId) -> Score {
        let instance = state.instance();
        let demand = instance.demand_on(task, node);
        let (load, capacity) = (state.load(node), instance.capacity(node));
        let product = (0..demand.len()).filter(|&r| capacity[r] > 0).map(|r| {
            let free = (capacity[r] - load[r]).max(0) as f64 / capacity[r] as f64;
            demand[r] as f64 / capacity[r] as f64 * free
        });
        [-product.sum::<f64>(), 0.0]
    }

    fn bound(&self, group: &Group, demand: &[i64]) -> Score {
        let parts = group.resources.iter().zip(demand);
        let most = parts.map(|(s, d)| *d as f64 * s.max_step * (1.0 - s.min_utilisation).max(0.0));
        [-most.sum::<f64>() - ROUNDING, 0.0]
    }

    fn lanes(&self, lanes: &Lanes, demand: &[i64], low: &mut [f64]) {
        low.fill(-ROUNDING);
        for (r, demand) in demand.iter().enumerate() {
            let (utilisation, step) = lanes.resource(r);
            for (low, (utilisation, step)) in low.iter_mut().zip(utilisation.iter().zip(step)) {
                // Lanes beyond the last node are infinitely full.
                *low -= *demand as f64 * step * (1.0 - utilisation).max(0.0);
            }
        }
    }
}
