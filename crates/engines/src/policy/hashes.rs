//! Rules that hash a task's key: what has the same key goes to the same node as
//! long as that is there and has room.

use super::{Policy, Score};
use model::state::State;
use model::{Instance, NodeId, TaskId};

/// FNV-1a over the bytes of a name, then mixed: the same on every platform.
fn hash(name: &str) -> u64 {
    let fnv = name.bytes().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
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

fn of_tasks(instance: &Instance) -> Vec<u64> {
    instance.task_ids().map(|task| hash(instance.key(task))).collect()
}

/// Highest hash of key and node, nodes in proportion to their weights: a task
/// moves only when its node is gone or full, and then no other task moves.
pub(super) struct Rendezvous {
    tasks: Vec<u64>,
    nodes: Vec<(u64, f64)>,
}

impl Rendezvous {
    pub(super) fn new(instance: &Instance) -> Rendezvous {
        let node = |node| (hash(instance.node_name(node)), instance.traffic(node).weight.to_f64());
        Rendezvous { tasks: of_tasks(instance), nodes: instance.node_ids().map(node).collect() }
    }
}

impl Policy for Rendezvous {
    fn score(&self, _state: &State, task: TaskId, node: NodeId) -> Score {
        let (own, weight) = self.nodes[node.index()];
        let height = mix(self.tasks[task.index()] ^ own);
        // In (0, 1); its logarithm over the weight gives each node its share.
        let u = ((height >> 11) as f64 + 0.5) / (1u64 << 53) as f64;
        let distance = if weight > 0.0 { -u.ln() / weight } else { f64::MAX };
        [distance, -((height & 0x7ff) as f64)]
    }
}

/// Points on the ring for a node of weight 1.
const POINTS: f64 = 64.0;
/// A node takes at most so many times its share of the tasks.
const BALANCE: f64 = 1.25;

/// The next node on a ring of hashes that has room and is not above its share
/// (consistent hashing with bounded loads).
pub(super) struct Ring {
    tasks: Vec<u64>,
    /// Sorted by point.
    points: Vec<(u64, NodeId)>,
    most: Vec<u32>,
}

impl Ring {
    pub(super) fn new(instance: &Instance) -> Ring {
        let mut points = Vec::new();
        let weight = |node: NodeId| instance.traffic(node).weight.to_f64().min(1e4);
        let ready = || instance.node_ids().filter(|node| instance.counted(*node));
        for node in ready() {
            let own = hash(instance.node_name(node));
            let count = (POINTS * weight(node)).ceil() as u64;
            points.extend((0..count).map(|k| (mix(own.wrapping_add(mix(k + 1))), node)));
        }
        points.sort_unstable();
        let total: f64 = ready().map(weight).sum();
        let tasks = instance.tasks() as f64;
        let share = |node| (BALANCE * tasks * weight(node) / total.max(f64::MIN_POSITIVE)).ceil();
        Ring {
            tasks: of_tasks(instance),
            points,
            most: instance.node_ids().map(|node| share(node) as u32).collect(),
        }
    }
}

impl Policy for Ring {
    fn score(&self, _state: &State, _task: TaskId, node: NodeId) -> Score {
        [f64::from(node.0), 0.0]
    }

    fn choose(&mut self, state: &State, task: TaskId, banned: &[NodeId]) -> Option<Option<NodeId>> {
        let from = self.points.partition_point(|(point, _)| *point < self.tasks[task.index()]);
        let mut full = None;
        let mut seen = vec![false; state.instance().nodes()];
        for (_, node) in self.points[from..].iter().chain(&self.points[..from]) {
            if std::mem::replace(&mut seen[node.index()], true)
                || banned.contains(node)
                || !state.fits(task, *node)
            {
                continue;
            }
            if state.count(*node) < self.most[node.index()] {
                return Some(Some(*node));
            }
            full = full.or(Some(*node));
        }
        // Every node with room has its share already: the first of them.
        Some(full)
    }
}
