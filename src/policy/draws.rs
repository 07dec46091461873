//! Rules that draw, by chance or by hash.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::rules::resulting_load;
use super::{Group, Lanes, Policy, Score};
use crate::model::{Instance, NodeId, TaskId};
use crate::state::State;

/// Draws this often before it counts the nodes that fit.
const TRIES: usize = 16;

/// A node that the task fits on, each with the same chance.
fn draw(rng: &mut ChaCha8Rng, state: &State, task: TaskId) -> Option<NodeId> {
    let nodes = state.instance().nodes();
    for _ in 0..TRIES {
        let node = NodeId::from(rng.random_range(0..nodes));
        if state.fits(task, node) {
            return Some(node);
        }
    }
    let fitting: Vec<NodeId> =
        state.instance().node_ids().filter(|node| state.fits(task, *node)).collect();
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

    fn bound(&self, _group: &Group, _demand: &[i64]) -> Score {
        [0.0, 0.0]
    }

    fn lanes(&self, _lanes: &Lanes, _demand: &[i64], low: &mut [f64]) {
        low.fill(0.0);
    }

    fn choose(&mut self, state: &State, task: TaskId) -> Option<Option<NodeId>> {
        Some(draw(&mut self.0, state, task))
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

    fn bound(&self, _group: &Group, _demand: &[i64]) -> Score {
        [0.0, 0.0]
    }

    fn lanes(&self, _lanes: &Lanes, _demand: &[i64], low: &mut [f64]) {
        low.fill(0.0);
    }

    fn choose(&mut self, state: &State, task: TaskId) -> Option<Option<NodeId>> {
        let Some(first) = draw(&mut self.0, state, task) else { return Some(None) };
        let Some(second) = draw(&mut self.0, state, task) else { return Some(Some(first)) };
        let key = |node: NodeId| (resulting_load(state, task, node), node);
        Some(Some(if key(second) < key(first) { second } else { first }))
    }
}

/// Highest hash of task and node: a task moves only when its node is gone or
/// full, and then no other task moves.
pub(super) struct Rendezvous {
    tasks: Vec<u64>,
    nodes: Vec<u64>,
}

impl Rendezvous {
    pub(super) fn new(instance: &Instance) -> Rendezvous {
        Rendezvous {
            tasks: instance.task_ids().map(|task| hash(instance.task_name(task))).collect(),
            nodes: instance.node_ids().map(|node| hash(instance.node_name(node))).collect(),
        }
    }
}

/// FNV-1a over the bytes of an id, then mixed: the same on every platform.
fn hash(id: &str) -> u64 {
    let fnv = id.bytes().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    mix(fnv)
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014, DOI 10.1145/2660193.2660195).
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

impl Policy for Rendezvous {
    fn score(&self, _state: &State, task: TaskId, node: NodeId) -> Score {
        let height = mix(self.tasks[task.index()] ^ self.nodes[node.index()]);
        // 53 bits survive the change into floating point; the rest breaks ties.
        [-((height >> 11) as f64), -((height & 0x7ff) as f64)]
    }

    fn bound(&self, _group: &Group, _demand: &[i64]) -> Score {
        [f64::MIN, 0.0]
    }

    fn lanes(&self, _lanes: &Lanes, _demand: &[i64], low: &mut [f64]) {
        low.fill(f64::MIN);
    }
}
