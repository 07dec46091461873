//! A plan: a node for every task, or none.

use super::goal::Tier;
use super::{Fraction, Instance, NodeId, TaskId, Worth};

/// Cards of one node, as bits from the first card on.
pub type CardSet = u64;

/// The cards of a set, first to last.
pub fn cards_in(set: CardSet) -> impl Iterator<Item = usize> {
    (0..CardSet::BITS as usize).filter(move |card| set >> card & 1 == 1)
}

/// A node for every task, or `None` where the task stays unplaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Indexed by task.
    pub placement: Vec<Option<NodeId>>,
    /// Which cards each task has, tasks x resources with devices; empty when
    /// nobody chose any.
    pub cards: Vec<CardSet>,
}

impl Plan {
    /// A plan that places nothing.
    pub fn empty(tasks: usize) -> Plan {
        Plan { placement: vec![None; tasks], cards: Vec::new() }
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

    /// The tasks on each node, in instance order.
    pub fn by_node(&self, nodes: usize) -> Vec<Vec<TaskId>> {
        let mut on = vec![Vec::new(); nodes];
        self.placements().for_each(|(task, node)| on[node.index()].push(task));
        on
    }
}

/// A plan in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Where each task runs.
    pub plan: Plan,
    /// When each task starts, in seconds from the start of the plan; none for tasks without a
    /// node. Indexed by task.
    pub start: Vec<Option<i64>>,
}

impl From<Plan> for Schedule {
    /// The plan without any start.
    fn from(plan: Plan) -> Schedule {
        let start = vec![None; plan.placement.len()];
        Schedule { plan, start }
    }
}

impl Schedule {
    /// When the task ends.
    pub fn end(&self, instance: &Instance, task: TaskId) -> Option<i64> {
        let node = self.plan.placement[task.index()]?;
        Some(self.start[task.index()]? + instance.duration_on(task, node))
    }

    /// Tasks with their nodes, starts and ends, in instance order.
    pub fn runs<'a>(&'a self, instance: &'a Instance) -> impl Iterator<Item = Run> + 'a {
        self.plan.placements().filter_map(|(task, node)| {
            let start = self.start[task.index()]?;
            Some(Run { task, node, start, end: start + instance.duration_on(task, node) })
        })
    }

    /// When the last task ends; 0 when none runs.
    pub fn makespan(&self, instance: &Instance) -> i64 {
        self.runs(instance).map(|run| run.end).max().unwrap_or(0)
    }
}

/// A task on a node from `start` to before `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The task.
    pub task: TaskId,
    /// Its node.
    pub node: NodeId,
    /// Seconds from the start of the plan.
    pub start: i64,
    /// Likewise.
    pub end: i64,
}

/// A task changes its node, starts, or stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// The task.
    pub task: TaskId,
    /// Where it runs before; nowhere if it starts.
    pub from: Option<NodeId>,
    /// Where it runs afterwards; nowhere if it stops.
    pub to: Option<NodeId>,
}

/// Moves that have to happen in one go, for the sake of a rule between their tasks; mostly one.
pub type Step = Vec<Move>;

/// Where a task goes when its node fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fallback {
    /// The task.
    pub task: TaskId,
    /// Its fallback node.
    pub node: NodeId,
    /// Its cards there, one set for each resource that comes in cards; none where nobody chose any.
    pub cards: Vec<CardSet>,
}

/// What a plan has in hand for every failure of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survives {
    /// What fails as one: `node`, or the key of a label.
    pub over: String,
    /// The node, or the value of the label, that fails, and where its tasks go.
    pub fallbacks: Vec<(String, Vec<Fallback>)>,
}

/// The value of one tier of the goal.
#[derive(Clone, Debug, PartialEq)]
pub struct TierValue {
    /// The tier.
    pub tier: Tier,
    /// What the plan achieves.
    pub value: f64,
    /// The same as a fraction, where it is one.
    pub exact: Option<Fraction>,
}

impl TierValue {
    /// The value as it is compared with others and with bounds.
    pub fn worth(&self) -> Worth {
        Worth::new(self.value, self.exact)
    }
}

/// A plan as somebody wrote it down: names, and the values it claims. The
/// checker judges this, so it sees exactly what a reader of the file sees.
#[derive(Clone, Debug, Default)]
pub struct Claim {
    /// Placements as written.
    pub assignments: Vec<ClaimedPlacement>,
    /// Tasks said to be unplaced, with their unit where one is named.
    pub unplaced: Vec<(String, Option<u32>)>,
    /// Tiers with the values and bounds the file states.
    pub goal: Vec<ClaimedTier>,
    /// What the file says of the whole plan, when it says anything.
    pub status: Option<String>,
    /// Fingerprint of the instance that the file says it is for.
    pub digest: Option<String>,
    /// What the plan says it survives.
    pub survives: Option<ClaimedSurvival>,
}

/// Fallbacks as a plan file states them.
#[derive(Clone, Debug, Default)]
pub struct ClaimedSurvival {
    /// What fails as one: `node`, or the key of a label.
    pub over: String,
    /// The nodes or values that fail at once, and where the displaced tasks go.
    pub fallbacks: Vec<(Vec<String>, Vec<ClaimedPlacement>)>,
}

/// One placement as a plan file states it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimedPlacement {
    /// Id of the task.
    pub task: String,
    /// Which of its replicas; when none is named, the next one in order.
    pub unit: Option<u32>,
    /// Id of the node.
    pub node: String,
    /// Resources with the numbers of the cards it has there.
    pub devices: Vec<(String, Vec<u32>)>,
    /// When it starts, in seconds from the start of the plan.
    pub start: Option<i64>,
    /// When it ends.
    pub end: Option<i64>,
    /// Where its standby is.
    pub standby: Option<ClaimedStandby>,
}

/// Where a task goes when its node fails, as a plan file states it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimedStandby {
    /// Id of the node.
    pub node: String,
    /// Resources with the numbers of the cards it has there.
    pub devices: Vec<(String, Vec<u32>)>,
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
