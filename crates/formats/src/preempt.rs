//! Running tasks as tasks that higher priorities may evict.

use model::Draft;

/// Running tasks stay where they are or are evicted, and that only for what has a higher priority:
/// of one priority those that run come first.
pub(super) fn apply(draft: &mut Draft) {
    let mut priorities: Vec<i64> = draft.tasks.iter().map(|task| task.priority).collect();
    priorities.sort_unstable();
    priorities.dedup();
    for task in &mut draft.tasks {
        let rank = priorities.binary_search(&task.priority).unwrap_or(0) as i64;
        let runs = !task.current.is_empty();
        task.priority = 2 * rank + i64::from(runs);
        task.pinned |= runs;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::TaskDraft;

    #[test]
    fn what_runs_comes_before_what_waits_with_the_same_priority() {
        let task = |priority: i64, node: Option<&str>| TaskDraft {
            priority,
            current: node.iter().map(|node| (*node).to_owned()).collect(),
            ..TaskDraft::default()
        };
        let tasks =
            vec![task(i64::MAX, None), task(7, Some("n")), task(7, None), task(-5, Some("n"))];
        let mut draft = Draft { tasks, ..Draft::default() };
        apply(&mut draft);
        let now: Vec<(i64, bool)> = draft.tasks.iter().map(|t| (t.priority, t.pinned)).collect();
        assert_eq!(now, [(4, false), (3, true), (2, false), (1, true)]);
    }
}
