//! One-pass placement rules: filter the nodes that fit, score them, take the
//! best. Every rule is a row of [`POLICIES`].

mod draws;
mod fits;
mod index;
mod multistart;
mod order;
mod rules;

pub use index::{Group, Lanes, Summary};
pub use multistart::{Start, multi_start};
pub use order::{ORDERS, Order, OrderInfo};

use crate::model::{Instance, NodeId, Plan, TaskId};
use crate::state::State;
use index::NodeIndex;

/// Lowest wins, compared entry by entry; ties go to the first node.
pub type Score = [f64; 2];

/// A placement rule. The driver asks for bounds to skip whole groups of nodes,
/// so a placement costs far less than one score a node.
pub trait Policy {
    /// Score of the task on a node that it fits on.
    fn score(&self, state: &State, task: TaskId, node: NodeId) -> Score;

    /// A score that no node of the group can go below, for a task with this
    /// demand on every node.
    fn bound(&self, group: &Group, demand: &[i64]) -> Score;

    /// Per node of a block, a number that its score's first entry cannot go
    /// below. Nodes on which the task does not fit may get anything.
    fn lanes(&self, lanes: &Lanes, demand: &[i64], low: &mut [f64]);

    /// A node chosen without scores, for rules that draw. `None` leaves the choice
    /// to the scores, `Some(None)` says that the task fits nowhere.
    fn choose(&mut self, _state: &State, _task: TaskId) -> Option<Option<NodeId>> {
        None
    }

    /// Told of every placement.
    fn placed(&mut self, _node: NodeId) {}
}

/// A row of the policy table.
pub struct PolicyInfo {
    /// The name used in flags and files.
    pub name: &'static str,
    /// One line of help.
    pub help: &'static str,
    /// Where it comes from.
    pub reference: &'static str,
    /// A fresh rule for an instance and a seed.
    pub new: fn(&Instance, u64) -> Box<dyn Policy>,
}

/// Every policy there is.
pub const POLICIES: &[PolicyInfo] = &[
    PolicyInfo {
        name: "min-load",
        help: "the node whose utilisation is lowest once the task is there",
        reference: "list scheduling: Graham 1969, DOI 10.1137/0117039",
        new: |_, _| Box::new(rules::MinLoad),
    },
    PolicyInfo {
        name: "best-fit",
        help: "the node with the least capacity left once the task is there",
        reference: "Johnson, Demers, Ullman, Garey, Graham 1974, DOI 10.1137/0203025",
        new: |_, _| Box::new(fits::BestFit),
    },
    PolicyInfo {
        name: "min-cost",
        help: "the node where the task adds least cost, then least load",
        reference: "greedy for the generalised assignment problem: Martello, Toth 1990, ISBN 0471924202",
        new: |instance, _| Box::new(rules::MinCost::new(instance)),
    },
    PolicyInfo {
        name: "round-robin",
        help: "the next node in order that fits",
        reference: "the load balancers' default",
        new: |instance, _| Box::new(rules::RoundRobin::new(instance)),
    },
    PolicyInfo {
        name: "least-tasks",
        help: "the node with the fewest tasks of the plan",
        reference: "least connections, the load balancers' other default",
        new: |_, _| Box::new(rules::LeastTasks),
    },
    PolicyInfo {
        name: "first-fit",
        help: "the first node in order",
        reference: "Johnson, Demers, Ullman, Garey, Graham 1974, DOI 10.1137/0203025",
        new: |_, _| Box::new(fits::FirstFit),
    },
    PolicyInfo {
        name: "worst-fit",
        help: "the node with the most capacity left once the task is there",
        reference: "Johnson 1974, DOI 10.1016/S0022-0000(74)80026-7",
        new: |_, _| Box::new(fits::WorstFit),
    },
    PolicyInfo {
        name: "dot-product",
        help: "the node whose free capacity points most in the direction of the demand",
        reference: "Panigrahy, Talwar, Uyeda, Wieder 2011, Heuristics for Vector Bin Packing",
        new: |_, _| Box::new(fits::DotProduct),
    },
    PolicyInfo {
        name: "power-of-two-choices",
        help: "the less loaded of two nodes drawn at random",
        reference: "Mitzenmacher 2001, DOI 10.1109/71.963420",
        new: |_, seed| Box::new(draws::PowerOfTwo::new(seed)),
    },
    PolicyInfo {
        name: "random",
        help: "a node drawn at random",
        reference: "",
        new: |_, seed| Box::new(draws::Random::new(seed)),
    },
    PolicyInfo {
        name: "hash",
        help: "the node that the task's id hashes to highest: the same one while it is there and has room",
        reference: "rendezvous hashing: Thaler, Ravishankar 1998, DOI 10.1109/90.663936",
        new: |instance, _| Box::new(draws::Rendezvous::new(instance)),
    },
];

impl std::fmt::Debug for PolicyInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// The policy of that name.
pub fn find(name: &str) -> Option<&'static PolicyInfo> {
    POLICIES.iter().find(|policy| policy.name == name)
}

/// Places the tasks one by one in this order; those that fit nowhere by then
/// stay unplaced. `seed` matters to policies that draw.
pub fn run(instance: &Instance, policy: &PolicyInfo, order: &[TaskId], seed: u64) -> Plan {
    run_on(&mut NodeIndex::new(instance), policy, order, seed)
}

fn run_on(index: &mut NodeIndex, policy: &PolicyInfo, order: &[TaskId], seed: u64) -> Plan {
    let instance = index.instance();
    let mut rule = (policy.new)(instance, seed);
    let mut state = State::new(instance);
    index.reset();
    for &task in order {
        let chosen = rule.choose(&state, task);
        if let Some(node) = chosen.unwrap_or_else(|| index.best(&state, rule.as_ref(), task)) {
            state.place(task, node);
            index.refresh(&state, node);
            rule.placed(node);
        }
    }
    state.unload()
}
