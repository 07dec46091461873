//! What keeps tasks where they are: pins, and disruption budgets, by which so many of some running
//! tasks may move at once.

use super::draft::{DraftError, DraftItem, RuleDraft, error};
use super::parts::Budget;
use super::rule::WHOLE;
use super::{Instance, LimitDraft, NodeId, NodeState, TaskId};

/// What a limit on moves has for a resource.
pub const MOVED: &str = "moved";

/// The number of moves at once that a rule of a draft allows; `None` for rules about anything else.
///
/// # Errors
/// Fields that say nothing of moves.
pub(super) fn at_once(item: DraftItem, rule: &RuleDraft) -> Result<Option<u32>, DraftError> {
    let Some(LimitDraft { resource, values, at_most, .. }) = &rule.limit else { return Ok(None) };
    if resource != MOVED {
        return Ok(None);
    }
    if rule.over != WHOLE || !values.is_empty() {
        let cause = "moves are counted wherever they lead".to_owned();
        return Err(error(item, "over", cause, "leave `over` and `values` away"));
    }
    match at_most.at_places(0).map(u32::try_from) {
        Some(Ok(most)) => Ok(Some(most)),
        _ => {
            let cause = format!("{at_most} is no number of moves");
            Err(error(item, "at_most", cause, "use a whole number"))
        }
    }
}

impl Instance {
    /// How many of some tasks may move at once.
    pub fn budgets(&self) -> &[Budget] {
        &self.budgets
    }

    /// The node that the task stays on, whether it is pinned to it or may not leave it.
    pub fn pin(&self, task: TaskId) -> Option<NodeId> {
        if self.is_pinned(task) { self.current[task.index()] } else { self.still(task) }
    }

    /// Whether the task is pinned to where it runs, whatever becomes of the node.
    pub fn is_pinned(&self, task: TaskId) -> bool {
        self.pinned.get(task.index()) == Some(&true)
    }

    /// Tasks that no budget allows to move stay where they run, for as long as their node is ready.
    fn still(&self, task: TaskId) -> Option<NodeId> {
        if self.still.get(task.index()) != Some(&true) {
            return None;
        }
        self.current(task).filter(|node| self.state(*node) == NodeState::Ready)
    }
}

/// Which tasks are in a budget that allows no moves; empty where none is.
pub(super) fn still(budgets: &[Budget], tasks: usize) -> Vec<bool> {
    let closed = budgets.iter().filter(|budget| budget.at_once == 0);
    let mut still = Vec::new();
    for task in closed.flat_map(|budget| &budget.tasks) {
        still.resize(tasks, false);
        still[task.index()] = true;
    }
    still
}
