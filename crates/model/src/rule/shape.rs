//! Of what shapes rules are. The tally, engines and the integer program match on these, never on
//! kinds of rules: a new kind of a known shape is known to all of them.

use super::Limit;
use crate::{NodeId, TaskId};

/// What a rule asks, in the terms of those who keep it.
#[derive(Clone, Copy, Debug)]
pub enum RuleShape<'a> {
    /// All of its tasks are placed, or none.
    AllOrNone,
    /// What its tasks add on a value is `at_most` so much on each.
    Sum {
        /// What each adds; one each where there is no limit.
        limit: Option<&'a Limit>,
        /// The most on each value.
        at_most: i64,
    },
    /// So many values are in use, as soon as any of its tasks is placed.
    Values {
        /// The fewest.
        at_least: u32,
        /// The most.
        at_most: u32,
        /// Most by which the fullest value may exceed the emptiest that any of the tasks could use.
        max_skew: Option<u32>,
    },
    /// Each is on a value where one of these others is.
    Beside {
        /// Sorted.
        others: &'a [TaskId],
    },
}

impl RuleShape<'_> {
    /// What a task adds to a sum on the node.
    pub fn adds(&self, task: TaskId, node: NodeId) -> i64 {
        match self {
            RuleShape::Sum { limit: Some(limit), .. } => limit.amount(task, node),
            _ => 1,
        }
    }
}
