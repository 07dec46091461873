//! A plan: a node for every task, or none.

use super::{NodeId, TaskId};

/// A node for every task, or `None` where the task stays unplaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Indexed by task.
    pub placement: Vec<Option<NodeId>>,
}

impl Plan {
    /// A plan that places nothing.
    pub fn empty(tasks: usize) -> Plan {
        Plan { placement: vec![None; tasks] }
    }

    /// Number of tasks that have a node.
    pub fn placed(&self) -> usize {
        self.placement.iter().filter(|node| node.is_some()).count()
    }

    /// Tasks without a node, in instance order.
    pub fn unplaced(&self) -> impl Iterator<Item = TaskId> + '_ {
        self.placement
            .iter()
            .enumerate()
            .filter(|(_, node)| node.is_none())
            .map(|(task, _)| TaskId::from(task))
    }

    /// Placements in instance order.
    pub fn placements(&self) -> impl Iterator<Item = (TaskId, NodeId)> + '_ {
        self.placement
            .iter()
            .enumerate()
            .filter_map(|(task, node)| node.map(|node| (TaskId::from(task), node)))
    }
}

/// The value of one tier of the goal.
#[derive(Clone, Debug, PartialEq)]
pub struct TierValue {
    /// The tier as written, such as `cost + 10*nodes`.
    pub tier: String,
    /// What the plan achieves.
    pub value: f64,
}

/// A plan as somebody wrote it down: names, and the values it claims. The
/// checker judges this, so it sees exactly what a reader of the file sees.
#[derive(Clone, Debug, Default)]
pub struct Claim {
    /// (task, node) pairs as written.
    pub assignments: Vec<(String, String)>,
    /// Tasks said to be unplaced.
    pub unplaced: Vec<String>,
    /// Tiers with the values and bounds the file states.
    pub goal: Vec<ClaimedTier>,
    /// What the file says of the whole plan, when it says anything.
    pub status: Option<String>,
}

/// One tier as a plan file states it.
#[derive(Clone, Debug)]
pub struct ClaimedTier {
    /// The tier as written.
    pub tier: String,
    /// The stated value.
    pub value: f64,
    /// The stated bound.
    pub bound: Option<f64>,
}
