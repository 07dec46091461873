//! Replans about what runs: tasks that wait for a node stay waiting, and are named with the reason.

use base::error::Result;
use model::state::State;
use model::{Instance, Plan, TaskId};

use crate::solve::{Outcome, Params, judged};

/// An instance, and what of it the question is about.
#[derive(Debug)]
pub struct Running<'a> {
    all: &'a Instance,
    /// What runs, as an instance of its own.
    pub instance: Instance,
    tasks: Vec<TaskId>,
}

impl<'a> Running<'a> {
    /// What runs of an instance; none where nothing waits.
    pub fn of(all: &'a Instance) -> Option<Running<'a>> {
        let stays: Vec<bool> = all.task_ids().map(|task| all.current(task).is_some()).collect();
        let tasks = all.task_ids().filter(|task| stays[task.index()]).collect();
        (!stays.iter().all(|stays| *stays)).then(|| Running {
            all,
            instance: all.placing(&stays),
            tasks,
        })
    }

    /// The answer about what runs as one about all, in which the others wait.
    ///
    /// # Errors
    /// The plan breaks a rule of the whole, which is a bug.
    pub fn with_waiting(&self, outcome: Outcome, params: &Params) -> Result<Outcome> {
        let (found, all) = (&outcome.plan, self.all.tasks());
        let width = found.cards.len() / self.tasks.len().max(1);
        let mut plan = Plan { cards: vec![0; width * all], ..Plan::empty(all) };
        for (k, task) in self.tasks.iter().enumerate() {
            plan.placement[task.index()] = found.placement[k];
            let own = task.index() * width..(task.index() + 1) * width;
            plan.cards[own].copy_from_slice(&found.cards[k * width..(k + 1) * width]);
        }
        let free = Params { allow_unplaced: true, ..params.clone() };
        let mut outcome = judged(self.all, &free, Outcome { plan, ..outcome })?;
        let state = State::load_plan(self.all, &outcome.plan);
        for left in &mut outcome.unplaced {
            let mut free = self.all.node_ids().filter(|n| state.blocked(left.task, *n).is_none());
            if let Some(first) = free.next() {
                let others = match free.count() {
                    0 => String::new(),
                    1 => ", so has another".to_owned(),
                    more => format!(", so have {more} others"),
                };
                let node = self.all.node_name(first);
                left.reason = "waits";
                left.detail =
                    format!("it is not asked about; `{node}` has room for it by itself{others}");
            }
        }
        Ok(outcome)
    }
}
