//! Disruption budgets along an order of moves.

use rustc_hash::FxHashMap;

use model::{Instance, Move, TaskId};

/// How many tasks of each budget move in this wave.
pub(super) struct Budgets<'a> {
    instance: &'a Instance,
    /// The budgets of each task that has any.
    of: FxHashMap<TaskId, Vec<usize>>,
    moving: Vec<u32>,
}

impl<'a> Budgets<'a> {
    pub(super) fn of(instance: &'a Instance) -> Self {
        let mut of: FxHashMap<TaskId, Vec<usize>> = FxHashMap::default();
        for (k, budget) in instance.budgets().iter().enumerate() {
            budget.tasks.iter().for_each(|task| of.entry(*task).or_default().push(k));
        }
        Budgets { instance, of, moving: vec![0; instance.budgets().len()] }
    }

    /// The budgets that a move counts in: what comes disrupts nothing.
    fn disrupted(&self, m: &Move) -> &[usize] {
        self.of.get(&m.task).filter(|_| m.from.is_some()).map_or(&[], Vec::as_slice)
    }

    /// Whether these moves can be made beside those of this wave.
    pub(super) fn allow(&self, step: &[Move]) -> bool {
        let all: Vec<usize> = step.iter().flat_map(|m| self.disrupted(m)).copied().collect();
        all.iter().all(|budget| {
            let more = all.iter().filter(|other| *other == budget).count();
            let most = self.instance.budgets()[*budget].at_once as usize;
            self.moving[*budget] as usize + more <= most
        })
    }

    /// These moves are part of the wave.
    pub(super) fn add(&mut self, step: &[Move]) {
        let all: Vec<usize> = step.iter().flat_map(|m| self.disrupted(m)).copied().collect();
        all.into_iter().for_each(|budget| self.moving[budget] += 1);
    }

    /// What moved has arrived.
    pub(super) fn end_wave(&mut self) {
        self.moving.fill(0);
    }

    /// Budgets that never allow this move.
    pub(super) fn closed(&self, m: &Move) -> Vec<usize> {
        let all = self.instance.budgets();
        let own = self.disrupted(m).iter().copied();
        own.filter(|budget| all[*budget].at_once == 0).collect()
    }
}
