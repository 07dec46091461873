//! Moves that are made, and taken back where something forbids them.

use super::super::super::problem::{add, sub};
use super::Board;
use model::TaskId;
use model::state::pack;

impl<const R: usize> Board<'_, '_, R> {
    /// Makes moves that were priced at `delta`, if cards and rules between tasks allow it.
    pub fn commit(&mut self, moves: &[(usize, usize)], delta: f64) -> bool {
        let worth = self.strained_worth();
        let before: Vec<usize> = self.go(moves);
        let off = (self.strained_worth() - worth - delta).abs();
        let rounded = self.problem.tiers[self.stage].peak > 0.0;
        debug_assert!(
            rounded || off <= 1e-6 * (1.0 + worth.abs() + delta.abs()),
            "priced wrong by {off}"
        );
        if self.allowed(moves) {
            return true;
        }
        self.back(moves, &before);
        false
    }

    /// Makes the moves if everything allows them and they cost at most `most` together.
    pub fn attempt(&mut self, moves: &[(usize, usize)], most: f64) -> bool {
        if moves.iter().any(|(i, j)| !self.problem.may(*i, *j)) {
            return false;
        }
        let (g, worth) = (self.problem, self.strained_worth());
        let before: Vec<usize> = self.go(moves);
        let kept = |t: usize| self.worth(t) <= self.caps[t];
        let fits = |j: usize| {
            let most = g.nodes.get(j).map_or(u32::MAX, |node| g.instance.max_tasks(*node));
            (self.strained() || self.room[j].iter().all(|room| *room >= 0))
                && self.count[j] <= most
                && self.spread.bears(g, j, &self.room[j], None, None)
                && self.under(j, &self.load[j])
        };
        let good = self.strained_worth() - worth <= most
            && moves.iter().all(|(_, j)| fits(*j))
            && (0..self.stage).all(kept)
            && self.allowed(moves);
        if !good {
            self.back(moves, &before);
        }
        good
    }

    fn go(&mut self, moves: &[(usize, usize)]) -> Vec<usize> {
        let mut before = Vec::with_capacity(moves.len());
        for (i, j) in moves {
            before.push(self.node_of[*i] as usize);
            self.shift(*i, *j);
        }
        before
    }

    fn back(&mut self, moves: &[(usize, usize)], before: &[usize]) {
        moves.iter().zip(before).rev().for_each(|((i, _), j)| self.shift(*i, *j));
    }

    /// Whether rules between tasks and cards allow things as they are after the moves.
    fn allowed(&self, moves: &[(usize, usize)]) -> bool {
        moves.iter().all(|(i, _)| self.ties.hold(TaskId(*i as u32)))
            && moves.iter().all(|(_, j)| self.cards_fit(*j))
    }

    fn cards_fit(&self, j: usize) -> bool {
        let instance = self.problem.instance;
        let Some(node) = self.problem.nodes.get(j) else { return true };
        instance.devices().iter().all(|device| {
            let tasks: Vec<TaskId> = self.members[j].iter().map(|i| TaskId(*i)).collect();
            pack(instance, *node, *device, &tasks).is_some()
        })
    }

    /// Moves a task and keeps every sum.
    fn shift(&mut self, i: usize, b: usize) {
        let (g, a) = (self.problem, self.node_of[i] as usize);
        if a == b {
            return;
        }
        self.leave(i);
        self.enter(i, b);
        for t in 0..=self.stage {
            let toll = g.toll(t, i, b);
            self.sum[t] += toll - self.paid[t][i];
            self.paid[t][i] = toll;
        }
        [a, b].into_iter().for_each(|j| self.refresh(j));
    }

    fn refresh(&mut self, j: usize) {
        for t in 0..=self.stage {
            let now = self.problem.own(t, j, &self.load[j], self.count[j], t == self.stage);
            self.sum[t] += now - self.own[t][j];
            self.own[t][j] = now;
        }
        if self.strained() {
            let now = self.strain_of(&self.room[j]);
            self.over_sum += now - self.over[j];
            self.over[j] = now;
        }
        if self.even && j < self.level.len() {
            let was = self.powers(self.level[j]);
            self.level[j] = self.problem.utilisation(j, &self.load[j]);
            let now = self.powers(self.level[j]);
            (0..3).for_each(|k| self.total[k] += now[k] - was[k]);
        }
    }

    fn leave(&mut self, i: usize) {
        let a = self.node_of[i] as usize;
        self.load[a] = sub(self.load[a], self.problem.demand_on(i, a));
        self.room[a] = add(self.room[a], self.problem.takes(i, a));
        if self.grouped && self.problem.moved(i, a) {
            self.count_moved(i, false);
        }
        self.spread.change(self.problem, i, a, false);
        self.count[a] -= 1;
        let at = self.position[i] as usize;
        self.members[a].swap_remove(at);
        if let Some(moved) = self.members[a].get(at) {
            self.position[*moved as usize] = at as u32;
        }
        if let Some(node) = self.problem.nodes.get(a) {
            self.ties.change(TaskId(i as u32), *node, false);
            if self.wished {
                self.wishes.change(&[(TaskId(i as u32), Some(*node), None)]);
            }
        }
    }

    pub(super) fn enter(&mut self, i: usize, b: usize) {
        self.load[b] = add(self.load[b], self.problem.demand_on(i, b));
        self.room[b] = sub(self.room[b], self.problem.takes(i, b));
        if self.grouped && self.problem.moved(i, b) {
            self.count_moved(i, true);
        }
        self.spread.change(self.problem, i, b, true);
        self.count[b] += 1;
        self.node_of[i] = b as u32;
        self.position[i] = self.members[b].len() as u32;
        self.members[b].push(i as u32);
        if let Some(node) = self.problem.nodes.get(b) {
            self.ties.change(TaskId(i as u32), *node, true);
            if self.wished {
                self.wishes.change(&[(TaskId(i as u32), None, Some(*node))]);
            }
        }
    }
}
