//! Of what shapes goals are. Engines match on these, never on names: a new goal of a known shape is
//! known to all of them.

use crate::{Instance, NodeId, Scale, TaskId};

/// What a goal is made of.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// A sum of prices, in whole steps.
    Prices(Prices),
    /// Amounts placed, each resource in steps of its own.
    Amounts,
    /// The highest load over capacity of any node in any resource.
    Highest,
    /// The variance of nodes' utilisation.
    Variance,
    /// Moved tasks of the group that has most of them.
    LargestGroup,
    /// The weight of what is left out.
    LeftOut,
    /// When the last job ends.
    LastEnd,
    /// Seconds of each job times its weight.
    Seconds(Seconds),
}

/// Prices of placements, of used nodes and of load, in steps of one scale.
#[derive(Clone, Copy, Debug)]
pub struct Prices {
    /// What one step stands for.
    pub scale: fn(&Instance) -> Scale,
    /// What a task on a node costs, whatever else is there.
    pub placement: Placement,
    /// What a node costs that has any task of the plan.
    pub used: Option<fn(&Instance, NodeId) -> i64>,
    /// Load above safety capacities and room that is missing beside other room cost what the
    /// instance says.
    pub margins: bool,
    /// They mean the same where tasks have times.
    pub in_time: bool,
}

/// What a task on a node costs, whatever else is there.
#[derive(Clone, Copy, Debug)]
pub enum Placement {
    /// Nothing.
    Free,
    /// Its price, zero or more, and whether any placement of an instance has one.
    Priced(fn(&Instance, TaskId, NodeId) -> i64, fn(&Instance) -> bool),
    /// Its price, zero or more; nothing on the node where it runs now, and for tasks that run
    /// nowhere.
    Move(fn(&Instance, TaskId, NodeId) -> i64),
}

impl Placement {
    /// In steps.
    pub fn price(&self, instance: &Instance, task: TaskId, node: NodeId) -> i64 {
        match self {
            Placement::Free => 0,
            Placement::Priced(price, _) | Placement::Move(price) => price(instance, task, node),
        }
    }

    /// Whether any placement of the instance may cost anything.
    pub fn any(&self, instance: &Instance) -> bool {
        match self {
            Placement::Free => false,
            Placement::Priced(_, any) => any(instance),
            Placement::Move(_) => instance.task_ids().any(|task| instance.current(task).is_some()),
        }
    }
}

impl Prices {
    /// What using the node costs, in steps.
    pub fn of_use(&self, instance: &Instance, node: NodeId) -> i64 {
        self.used.map_or(0, |price| price(instance, node))
    }

    /// Whether using some node costs anything.
    pub fn any_use(&self, instance: &Instance) -> bool {
        self.used.is_some_and(|price| instance.node_ids().any(|node| price(instance, node) != 0))
    }
}

/// What of a job's seconds counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seconds {
    /// Those to its end.
    End,
    /// Those from when it is due to its end.
    Late,
    /// Those from its release to its start.
    Wait,
}

impl Seconds {
    /// Of a job that may start at `release`, is `due` and runs from `start` to `end`.
    pub fn of(self, (release, due): (i64, Option<i64>), (start, end): (i64, i64)) -> i64 {
        match self {
            Seconds::End => end,
            Seconds::Late => due.map_or(0, |due| (end - due).max(0)),
            Seconds::Wait => start - release,
        }
    }
}
