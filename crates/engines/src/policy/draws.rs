//! Rules that draw nodes by chance.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::rules::resulting_load;
use super::{Policy, Score};
use model::state::State;
use model::{NodeId, TaskId};

/// Draws this often before it counts the nodes that fit.
const TRIES: usize = 16;

/// A node that the task fits on, each with the same chance.
fn draw(rng: &mut ChaCha8Rng, state: &State, task: TaskId, banned: &[NodeId]) -> Option<NodeId> {
    let nodes = state.instance().nodes();
    let fits = |node: &NodeId| !banned.contains(node) && state.fits(task, *node);
    for _ in 0..TRIES {
        let node = NodeId::from(rng.random_range(0..nodes));
        if fits(&node) {
            return Some(node);
        }
    }
    let fitting: Vec<NodeId> = state.instance().node_ids().filter(fits).collect();
    match fitting.len() {
        0 => None,
        n => Some(fitting[rng.random_range(0..n)]),
    }
}

/// A node drawn at random.
pub(super) struct Random(ChaCha8Rng);

impl Random {
    pub(super) fn new(seed: u64) -> Random {
        Random(ChaCha8Rng::seed_from_u64(seed))
    }
}

impl Policy for Random {
    fn score(&self, _state: &State, _task: TaskId, _node: NodeId) -> Score {
        [0.0, 0.0]
    }

    fn choose(&mut self, state: &State, task: TaskId, banned: &[NodeId]) -> Option<Option<NodeId>> {
        Some(draw(&mut self.0, state, task, banned))
    }
}

/// The less loaded of two nodes drawn at random.
pub(super) struct PowerOfTwo(ChaCha8Rng);

impl PowerOfTwo {
    pub(super) fn new(seed: u64) -> PowerOfTwo {
        PowerOfTwo(ChaCha8Rng::seed_from_u64(seed))
    }
}

impl Policy for PowerOfTwo {
    fn score(&self, state: &State, task: TaskId, node: NodeId) -> Score {
        [resulting_load(state, task, node), 0.0]
    }

    fn choose(&mut self, state: &State, task: TaskId, banned: &[NodeId]) -> Option<Option<NodeId>> {
        let Some(first) = draw(&mut self.0, state, task, banned) else { return Some(None) };
        let Some(second) = draw(&mut self.0, state, task, banned) else {
            return Some(Some(first));
        };
        let key = |node: NodeId| (resulting_load(state, task, node), node);
        Some(Some(if key(second) < key(first) { second } else { first }))
    }
}
