//! Load balancers' rules: what nodes weigh, how many connections they have, how
//! fast they answer.

use super::{Policy, Score, Settings};
use model::state::State;
use model::{Instance, NodeId, TaskId};

/// Weights of the nodes, as numbers.
fn weights(instance: &Instance) -> Vec<f64> {
    instance.node_ids().map(|node| instance.traffic(node).weight.to_f64()).collect()
}

/// Connections that are there already and tasks of the plan.
fn active(state: &State, node: NodeId) -> f64 {
    f64::from(state.instance().traffic(node).connections) + f64::from(state.count(node))
}

/// Smooth weighted round-robin: every node's credit grows by its weight, the one
/// with the most is taken and pays the sum of all weights.
pub(super) struct WeightedRoundRobin {
    weight: Vec<f64>,
    credit: Vec<f64>,
    total: f64,
}

impl WeightedRoundRobin {
    pub(super) fn new(instance: &Instance) -> WeightedRoundRobin {
        let mut weight = weights(instance);
        for (node, weight) in instance.node_ids().zip(&mut weight) {
            *weight = if instance.counted(node) { *weight } else { 0.0 };
        }
        let total = weight.iter().sum();
        WeightedRoundRobin { credit: vec![0.0; weight.len()], weight, total }
    }
}

impl Policy for WeightedRoundRobin {
    fn prepare(&mut self, _state: &State, _task: TaskId) {
        self.credit.iter_mut().zip(&self.weight).for_each(|(credit, weight)| *credit += weight);
    }

    fn score(&self, _state: &State, _task: TaskId, node: NodeId) -> Score {
        [-self.credit[node.index()], 0.0]
    }

    fn placed(&mut self, _state: &State, _task: TaskId, node: NodeId) {
        self.credit[node.index()] -= self.total;
    }

    fn removed(&mut self, _state: &State, _task: TaskId, node: NodeId) {
        self.credit[node.index()] += self.total;
    }
}

/// Fewest connections and tasks for the node's weight.
pub(super) struct WeightedLeastTasks(Vec<f64>);

impl WeightedLeastTasks {
    pub(super) fn new(instance: &Instance) -> WeightedLeastTasks {
        WeightedLeastTasks(weights(instance))
    }
}

impl Policy for WeightedLeastTasks {
    fn score(&self, state: &State, _task: TaskId, node: NodeId) -> Score {
        // A node of weight 0 is taken when there is no other.
        let weight = self.0[node.index()];
        [if weight > 0.0 { active(state, node) / weight } else { f64::MAX }, 0.0]
    }
}

/// Least load in one resource, in its own unit.
pub(super) struct LeastBandwidth(usize);

impl LeastBandwidth {
    pub(super) fn new(instance: &Instance, settings: &Settings) -> Result<LeastBandwidth, String> {
        let name = settings.resource.as_deref().unwrap_or("network");
        let known = || instance.resources().iter().map(|resource| resource.name.as_str());
        known().position(|known| known == name).map(LeastBandwidth).ok_or_else(|| {
            let all = known().collect::<Vec<_>>().join(", ");
            format!(
                "least-bandwidth looks at the resource `{name}`, which there is none of: \
                 name another with --resource ({all})"
            )
        })
    }
}

impl Policy for LeastBandwidth {
    fn score(&self, state: &State, _task: TaskId, node: NodeId) -> Score {
        [state.load(node)[self.0] as f64, 0.0]
    }
}

/// Shortest response time, the longer the more is active on the node.
pub(super) struct LeastResponseTime(Vec<f64>);

impl LeastResponseTime {
    pub(super) fn new(instance: &Instance) -> LeastResponseTime {
        let times = instance.node_ids().map(|node| instance.traffic(node).response_time.to_f64());
        LeastResponseTime(times.collect())
    }
}

impl Policy for LeastResponseTime {
    fn score(&self, state: &State, _task: TaskId, node: NodeId) -> Score {
        let active = active(state, node);
        [self.0[node.index()] * (active + 1.0), active]
    }
}

/// Highest of the weights 1 / (alpha GPU + beta memory + gamma), from
/// the utilisation as it stands.
pub(super) struct LoadAware {
    parts: [(usize, f64); 2],
    gamma: f64,
}

impl LoadAware {
    pub(super) fn new(instance: &Instance, settings: &Settings) -> Result<LoadAware, String> {
        let Settings { alpha, beta, gamma, .. } = *settings;
        if !(gamma > 0.0 && gamma.is_finite()) {
            return Err(format!(
                "load-aware with gamma {gamma}: an idle node's weight 1 / gamma would be no \
                 number; use --gamma above 0"
            ));
        }
        if !(alpha >= 0.0 && beta >= 0.0 && alpha.is_finite() && beta.is_finite()) {
            return Err(format!("load-aware with alpha {alpha} and beta {beta}: use 0 or more"));
        }
        let find = |name: &str| instance.resources().iter().position(|r| r.name == name);
        let (gpu, memory) = (find("gpu").or_else(|| find("cpu")), find("memory"));
        match (gpu, memory) {
            (Some(gpu), Some(memory)) => {
                Ok(LoadAware { parts: [(gpu, alpha), (memory, beta)], gamma })
            }
            _ => Err("load-aware looks at the resources `gpu` (else `cpu`) and `memory`, and \
                      one of them is missing"
                .to_owned()),
        }
    }
}

impl Policy for LoadAware {
    fn score(&self, state: &State, _task: TaskId, node: NodeId) -> Score {
        let (load, capacity) = (state.load(node), state.instance().capacity(node));
        let parts = self.parts.iter().filter(|(r, _)| capacity[*r] > 0);
        let sum = parts.map(|(r, factor)| factor * load[*r] as f64 / capacity[*r] as f64);
        [-1.0 / (sum.sum::<f64>() + self.gamma), 0.0]
    }
}

/// The second policy among the nodes that the first rates nearly as its best.
pub(super) struct Hybrid {
    pub(super) first: Box<dyn Policy>,
    pub(super) second: Box<dyn Policy>,
    pub(super) tolerance: f64,
    /// Worst rating of the first that will do for the task at hand.
    pub(super) limit: f64,
}

impl Policy for Hybrid {
    fn prepare(&mut self, state: &State, task: TaskId) {
        self.first.prepare(state, task);
        self.second.prepare(state, task);
        let fitting = state.instance().node_ids().filter(|node| state.fits(task, *node));
        let best = fitting.map(|node| self.first.score(state, task, node)[0]).reduce(f64::min);
        self.limit = best.map_or(f64::INFINITY, |best| best + self.tolerance * best.abs());
    }

    fn score(&self, state: &State, task: TaskId, node: NodeId) -> Score {
        let rating = self.first.score(state, task, node)[0];
        if rating <= self.limit {
            self.second.score(state, task, node)
        } else {
            // After all that will do, by the first.
            [f64::MAX, rating]
        }
    }

    fn placed(&mut self, state: &State, task: TaskId, node: NodeId) {
        self.first.placed(state, task, node);
        self.second.placed(state, task, node);
    }

    fn removed(&mut self, state: &State, task: TaskId, node: NodeId) {
        self.first.removed(state, task, node);
        self.second.removed(state, task, node);
    }
}
