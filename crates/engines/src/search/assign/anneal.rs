//! Simulated annealing over shifts and swaps, overload allowed at a price that adapts (the idea of
//! Yagiura, Ibaraki, Glover 2006, DOI 10.1016/j.ejor.2004.06.029).

use super::super::problem::{Vector, add, sub};
use super::plan::Plan;
use super::problem::Problem;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Heat at the start and at the end, in mean costs of a task.
const HEAT: (f64, f64) = (0.05, 0.002);
/// Moves between two looks at the loads.
const LOOK: u64 = 1_000;

pub struct Anneal<'a, const R: usize> {
    p: &'a Problem<R>,
    near: &'a [Vec<u32>],
    rng: ChaCha8Rng,
    /// Price of a unit of overload, per resource.
    fine: [f64; R],
    /// The best plan within the rooms so far.
    pub best: Option<Plan<R>>,
}

impl<'a, const R: usize> Anneal<'a, R> {
    /// `near`: the nodes worth trying per task.
    pub fn new(p: &'a Problem<R>, near: &'a [Vec<u32>], seed: u64) -> Self {
        let mut fine = [0.0; R];
        for (r, fine) in fine.iter_mut().enumerate() {
            let demand: i64 = p.demand.iter().map(|d| d[r]).sum();
            *fine = mean_cost(p) * p.demand.len() as f64 / demand.max(1) as f64;
        }
        Anneal { p, near, rng: ChaCha8Rng::seed_from_u64(seed), fine, best: None }
    }

    /// Makes `moves` moves from `plan`, cooling down. Returns the work.
    pub fn run(&mut self, plan: &mut Plan<R>, moves: u64, heat: f64) -> u64 {
        let unit = mean_cost(self.p);
        let (hot, cold) = (unit * heat * HEAT.0, unit * HEAT.1);
        let rounds = (moves / LOOK).max(1);
        for round in 0..rounds {
            let at = round as f64 / rounds as f64;
            let heat = 1.0 / (1.0 / hot.max(cold) * (1.0 - at) + at / cold);
            for _ in 0..LOOK {
                self.step(plan, heat);
            }
            self.look(plan);
        }
        rounds * LOOK
    }

    /// Keeps the best plan; fines rise while there is overload and fall when there is none.
    fn look(&mut self, plan: &Plan<R>) {
        let mut over = [false; R];
        for left in &plan.left {
            (0..R).for_each(|r| over[r] |= left[r] < 0);
        }
        for (fine, over) in self.fine.iter_mut().zip(over) {
            *fine *= if over { 1.05 } else { 0.97 };
        }
        if over == [false; R] && self.best.as_ref().is_none_or(|b| plan.value < b.value) {
            self.best = Some(plan.clone());
        }
    }

    fn step(&mut self, plan: &mut Plan<R>, heat: f64) {
        let i = self.rng.random_range(0..self.p.tasks);
        if self.near[i].is_empty() {
            return;
        }
        let to = self.near[i][self.rng.random_range(0..self.near[i].len())] as usize;
        let from = plan.node_of[i] as usize;
        if from == to {
            return;
        }
        let members = &plan.members[to];
        let swap = !members.is_empty() && self.rng.random_range(0..3) > 0;
        let other = swap.then(|| members[self.rng.random_range(0..members.len())] as usize);
        if other.is_some_and(|k| !self.p.may(k, from)) {
            return;
        }
        let change = self.change(plan, i, to, other);
        if change <= 0.0 || self.rng.random::<f64>() < (-change / heat).exp() {
            plan.shift(self.p, i, to);
            if let Some(k) = other {
                plan.shift(self.p, k, from);
            }
            if change < 0.0
                && self.best.as_ref().is_none_or(|b| plan.value < b.value)
                && plan.feasible()
            {
                self.best = Some(plan.clone());
            }
        }
    }

    /// By how much a move makes the plan dearer, fines included.
    fn change(&self, plan: &Plan<R>, i: usize, to: usize, other: Option<usize>) -> f64 {
        let (p, from) = (self.p, plan.node_of[i] as usize);
        let mut cost = p.cost(i, to) - p.cost(i, from);
        let mut on_from = add(plan.left[from], *p.demand(i, from));
        let mut on_to = sub(plan.left[to], *p.demand(i, to));
        match other {
            Some(k) => {
                cost += p.cost(k, from) - p.cost(k, to);
                on_from = sub(on_from, *p.demand(k, from));
                on_to = add(on_to, *p.demand(k, to));
            }
            None => {
                cost += if plan.members[to].is_empty() { p.price(to) } else { 0 };
                cost -= if plan.members[from].len() == 1 { p.price(from) } else { 0 };
            }
        }
        let fines = self.fines(&on_from) + self.fines(&on_to)
            - self.fines(&plan.left[from])
            - self.fines(&plan.left[to]);
        cost as f64 + fines
    }

    fn fines(&self, left: &Vector<R>) -> f64 {
        (0..R).map(|r| self.fine[r] * (-left[r]).max(0) as f64).sum()
    }
}

/// The mean size of a cost.
fn mean_cost<const R: usize>(p: &Problem<R>) -> f64 {
    let sum: f64 = p.cost.iter().map(|c| c.unsigned_abs() as f64).sum();
    (sum / p.cost.len().max(1) as f64).max(1.0)
}
