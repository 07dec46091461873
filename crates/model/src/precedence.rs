//! What comes after what: one row a job, without circles.

use super::draft::{DraftError, DraftItem, error};
use super::expand::{MOST_ENTRIES, Units};
use super::parts::Precedence;
use super::{Draft, TaskId};

impl Precedence {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn of(&self, task: TaskId) -> &[(TaskId, i64)] {
        let Some(row) = self.row.get(task.index()) else { return &[] };
        let row = *row as usize;
        &self.entries[self.start[row] as usize..self.start[row + 1] as usize]
    }

    /// Reads what the draft's tasks come after.
    ///
    /// # Errors
    /// Names that no task has, a task named twice, lags below zero, and a circle, which is named.
    pub(super) fn of_draft(draft: &Draft, units: &Units) -> Result<Precedence, DraftError> {
        if draft.tasks.iter().all(|task| task.after.is_empty()) {
            return Ok(Precedence::default());
        }
        let mut before: Vec<Vec<usize>> = Vec::with_capacity(draft.tasks.len());
        let mut precedence = Precedence { start: vec![0], ..Precedence::default() };
        for (k, task) in draft.tasks.iter().enumerate() {
            let mut own: Vec<(usize, i64)> = Vec::with_capacity(task.after.len());
            let wrong =
                |cause: String, remedy: &str| error(DraftItem::Task(k), "after", cause, remedy);
            for after in &task.after {
                let at = units.position(&after.task).ok_or_else(|| {
                    let near = units.nearest(&after.task);
                    let remedy = near.map_or_else(
                        || "name a task of this instance".to_owned(),
                        |near| format!("did you mean `{near}`?"),
                    );
                    wrong(format!("there is no task `{}`", after.task), &remedy)
                })?;
                own.push((at, after.lag));
            }
            own.sort_unstable();
            if let Some(twice) = own.windows(2).find(|pair| pair[0].0 == pair[1].0) {
                let cause = format!("it comes after `{}` twice", draft.tasks[twice[0].0].id);
                return Err(wrong(cause, "keep one of the two"));
            }
            for (at, lag) in &own {
                let others = units.range(*at);
                if precedence.entries.len() + others.len() > MOST_ENTRIES {
                    let cause = format!("tasks come after more than {MOST_ENTRIES} others in all");
                    return Err(wrong(cause, "name fewer tasks in `after`"));
                }
                precedence.entries.extend(others.map(|unit| (TaskId::from(unit), *lag)));
            }
            precedence.start.push(precedence.entries.len() as u32);
            precedence.row.extend(units.range(k).map(|_| k as u32));
            before.push(own.into_iter().map(|(at, _)| at).collect());
        }
        match circle(&before) {
            None => Ok(precedence),
            Some(tasks) => {
                let names: Vec<_> =
                    tasks.iter().map(|k| format!("`{}`", draft.tasks[*k].id)).collect();
                let cause =
                    format!("tasks wait for each other in a circle: {}", names.join(" after "));
                let item = DraftItem::Task(tasks[0]);
                Err(error(item, "after", cause, "drop one of these"))
            }
        }
    }

    /// The same among the tasks that have a new id; what the others end is not waited for.
    pub(super) fn only(&self, new_id: &[Option<TaskId>]) -> Precedence {
        if self.is_empty() {
            return Precedence::default();
        }
        let mut precedence = Precedence { start: vec![0], ..Precedence::default() };
        let mut last = None;
        for (task, _) in new_id.iter().enumerate().filter(|(_, id)| id.is_some()) {
            if last != Some(self.row[task]) {
                last = Some(self.row[task]);
                let kept = self.of(TaskId::from(task)).iter();
                let kept = kept.filter_map(|(other, lag)| Some((new_id[other.index()]?, *lag)));
                precedence.entries.extend(kept);
                precedence.start.push(precedence.entries.len() as u32);
            }
            precedence.row.push(precedence.start.len() as u32 - 2);
        }
        precedence
    }
}

/// Tasks of which each comes after the next, the first of them once more at the end.
fn circle(before: &[Vec<usize>]) -> Option<Vec<usize>> {
    const OPEN: u8 = 1;
    const DONE: u8 = 2;
    let mut state = vec![0u8; before.len()];
    for root in 0..before.len() {
        if state[root] != 0 {
            continue;
        }
        // The way from the root, each with how many of those before it have been looked at.
        let mut way = vec![(root, 0)];
        state[root] = OPEN;
        while let Some((task, seen)) = way.last_mut() {
            let Some(next) = before[*task].get(*seen).copied() else {
                state[*task] = DONE;
                way.pop();
                continue;
            };
            *seen += 1;
            match state[next] {
                OPEN => {
                    let from = way.iter().position(|(task, _)| *task == next).unwrap_or(0);
                    let tasks = way[from..].iter().map(|(task, _)| *task);
                    return Some(tasks.chain([next]).collect());
                }
                DONE => {}
                _ => {
                    state[next] = OPEN;
                    way.push((next, 0));
                }
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circles_are_found_and_long_chains_are_none() {
        assert_eq!(circle(&[vec![1], vec![2], vec![1]]), Some(vec![1, 2, 1]));
        assert_eq!(circle(&[vec![0]]), Some(vec![0, 0]));
        assert_eq!(circle(&[vec![1, 2], vec![2], vec![]]), None);
        let chain: Vec<Vec<usize>> =
            (0..100_000).map(|k| if k == 0 { vec![] } else { vec![k - 1] }).collect();
        assert_eq!(circle(&chain), None);
    }
}
