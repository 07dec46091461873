//! What limits count: sums over tasks.

use crate::{NodeId, TaskId};

/// What a limit counts, and how much there may be of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Limit {
    /// The resource whose demands are added up; `None` counts tasks.
    pub resource: Option<usize>,
    /// What each task adds, and what it adds on nodes where that differs: sorted, a task's usual
    /// amount first. Empty where tasks are counted.
    pub amounts: Vec<(TaskId, Option<NodeId>, i64)>,
    /// The values that it looks at, sorted; all when empty.
    pub values: Vec<u32>,
    /// The most on each, in steps of the resource.
    pub at_most: i64,
    /// In time: from when on it is how much instead, sorted.
    pub later: Vec<(i64, i64)>,
    /// In time it holds for the plan as a whole, whatever the times.
    pub always: bool,
}

impl Limit {
    /// The most on each at that second.
    pub fn at(&self, second: i64) -> i64 {
        let passed = self.later.partition_point(|(from, _)| *from <= second);
        passed.checked_sub(1).map_or(self.at_most, |last| self.later[last].1)
    }

    /// The most that there may be on each at any time.
    pub fn highest(&self) -> i64 {
        self.later.iter().map(|(_, at_most)| *at_most).fold(self.at_most, i64::max)
    }

    /// The least of what there may be on each.
    pub fn lowest(&self) -> i64 {
        self.later.iter().map(|(_, at_most)| *at_most).fold(self.at_most, i64::min)
    }

    /// What the task adds on the node.
    pub fn amount(&self, task: TaskId, node: NodeId) -> i64 {
        let of = |node| self.amounts.binary_search_by_key(&(task, node), |(t, n, _)| (*t, *n));
        match of(Some(node)) {
            Ok(at) => self.amounts[at].2,
            Err(_) => self.base(task),
        }
    }

    /// What the task adds where nothing else is said.
    pub fn base(&self, task: TaskId) -> i64 {
        if self.resource.is_none() {
            return 1;
        }
        let at = self.amounts.binary_search_by_key(&(task, None), |(t, node, _)| (*t, *node));
        at.map_or(0, |at| self.amounts[at].2)
    }

    /// What the task adds at most, wherever it is.
    pub fn most(&self, task: TaskId) -> i64 {
        let own = self.amounts_of(task).iter().map(|(_, _, amount)| *amount);
        own.fold(self.base(task), i64::max)
    }

    /// What the task says of it: amounts, with the nodes where they differ.
    pub fn amounts_of(&self, task: TaskId) -> &[(TaskId, Option<NodeId>, i64)] {
        let from = self.amounts.partition_point(|(known, ..)| *known < task);
        let to = self.amounts.partition_point(|(known, ..)| *known <= task);
        &self.amounts[from..to]
    }

    /// Whether nodes with this value are looked at.
    pub fn looks_at(&self, value: u32) -> bool {
        self.values.is_empty() || self.values.binary_search(&value).is_ok()
    }

    /// The same of tasks that go by other numbers; those without one are gone.
    pub(super) fn renamed(&self, id: impl Fn(TaskId) -> Option<TaskId>) -> Limit {
        let amounts = self.amounts.iter();
        let amounts = amounts.filter_map(|(task, node, amount)| Some((id(*task)?, *node, *amount)));
        Limit { amounts: amounts.collect(), ..self.clone() }
    }
}
