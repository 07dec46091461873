//! One-pass placement rules: filter the nodes that fit, score them, take the
//! best. Every rule is a row of [`POLICIES`].

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
    /// A fresh rule for an instance.
    pub new: fn(&Instance) -> Box<dyn Policy>,
}

/// Every policy there is.
pub const POLICIES: &[PolicyInfo] = &[
    PolicyInfo {
        name: "min-load",
        help: "the node whose utilisation is lowest once the task is there",
        reference: "list scheduling: Graham 1969, DOI 10.1137/0117039",
        new: |_| Box::new(rules::MinLoad),
    },
    PolicyInfo {
        name: "best-fit",
        help: "the node with the least capacity left once the task is there",
        reference: "Johnson, Demers, Ullman, Garey, Graham 1974, DOI 10.1137/0203025",
        new: |_| Box::new(rules::BestFit),
    },
    PolicyInfo {
        name: "min-cost",
        help: "the node where the task adds least cost, then least load",
        reference: "greedy for the generalised assignment problem: Martello, Toth 1990, ISBN 0471924202",
        new: |_| Box::new(rules::MinCost),
    },
    PolicyInfo {
        name: "round-robin",
        help: "the next node in order that fits",
        reference: "the load balancers' default",
        new: |instance| Box::new(rules::RoundRobin::new(instance)),
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
/// stay unplaced.
pub fn run(instance: &Instance, policy: &PolicyInfo, order: &[TaskId]) -> Plan {
    run_on(&mut NodeIndex::new(instance), policy, order)
}

fn run_on(index: &mut NodeIndex, policy: &PolicyInfo, order: &[TaskId]) -> Plan {
    let instance = index.instance();
    let mut rule = (policy.new)(instance);
    let mut state = State::new(instance);
    index.reset();
    for &task in order {
        if let Some(node) = index.best(&state, rule.as_ref(), task) {
            state.place(task, node);
            index.refresh(&state, node);
            rule.placed(node);
        }
    }
    state.unload()
}
