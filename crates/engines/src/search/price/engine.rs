//! The anytime engine: proofs from below and plans from above, in rounds of limited work that run
//! side by side, until they meet.

use super::super::budget::Budget;
use super::super::problem::Problem;
use super::lower::Lower;
use super::pack::{Effort, pack};
use super::shape::Shape;
use super::upper::Upper;
use base::stop::Stop;

/// Told of every better plan: the plan, its value, the bound by then.
pub type Better<'a> = &'a mut dyn FnMut(&[u32], i64, i64);

/// A search for the cheapest set of nodes that takes all tasks.
pub struct Engine<'a, const R: usize> {
    p: &'a Problem<R>,
    prices: &'a [i64],
    seed: u64,
    stop: &'a Stop,
    limit: u64,
    better: Better<'a>,
    /// The node of every task; empty while no plan is known.
    pub plan: Vec<u32>,
    /// The summed price of the nodes that the plan uses; `i64::MAX` while there is none.
    pub value: i64,
    /// No plan is cheaper; `i64::MAX` when it is proven that there is none.
    pub bound: i64,
    /// Work units used.
    pub work: u64,
}

impl<'a, const R: usize> Engine<'a, R> {
    /// `prices` has one entry a node, none negative. A round that has begun is finished, so that
    /// somewhat more than `limit` units of work may be done.
    pub fn new(
        p: &'a Problem<R>,
        prices: &'a [i64],
        seed: u64,
        stop: &'a Stop,
        limit: u64,
        better: Better<'a>,
    ) -> Self {
        let (value, bound) = (i64::MAX, 0);
        Engine { p, prices, seed, stop, limit, better, plan: Vec::new(), value, bound, work: 0 }
    }

    /// Begins with a plan that is known already and holds.
    pub fn start(&mut self, plan: Vec<u32>) {
        (self.value, self.plan) = (self.price(&plan), plan);
    }

    /// The summed price of the nodes that a plan uses.
    fn price(&self, plan: &[u32]) -> i64 {
        let mut used = vec![false; self.prices.len()];
        plan.iter().for_each(|j| used[*j as usize] = true);
        used.iter().zip(self.prices).filter(|(used, _)| **used).map(|(_, price)| price).sum()
    }

    fn done(&self) -> bool {
        self.value <= self.bound || self.work >= self.limit || self.stop.reached()
    }

    /// Runs until optimal, proven impossible, or out of budget.
    pub fn run(&mut self) {
        let p = self.p;
        if p.tasks() == 0 {
            self.keep(Vec::new());
            return;
        }
        let shape = Shape::new(p, self.prices);
        if shape.hopeless() {
            self.bound = i64::MAX;
            return;
        }
        let mut lower = Lower::new(p, &shape, self.seed);
        let mut upper = Upper::new(self.seed);
        self.bound = lower.master.bound;
        self.everywhere(&shape);
        while !self.done() {
            let (below, stop) = (self.value, self.stop);
            let cuts = lower.master.cuts().to_vec();
            let turn = || lower.turn(below, stop);
            let round = || upper.round(p, &shape, &cuts, below, stop);
            let (low, high) = rayon::join(turn, round);
            self.work += low.work + high.work;
            self.bound = self.bound.max(lower.master.bound.min(below));
            if low.closed {
                self.bound = below;
            }
            [low.plan, high.plan].into_iter().flatten().for_each(|plan| self.keep(plan));
        }
    }

    /// A first plan on all nodes.
    fn everywhere(&mut self, shape: &Shape<R>) {
        let nodes: Vec<u32> = shape.types.iter().flat_map(|t| t.nodes.iter().copied()).collect();
        let mut budget = Budget::new(self.stop, u64::MAX);
        if let Ok(plan) = pack(self.p, &nodes, Effort::of(1), self.seed, &mut budget) {
            self.keep(plan);
        }
        self.work += budget.work;
    }

    /// Takes the plan if it is the best so far.
    fn keep(&mut self, plan: Vec<u32>) {
        let value = self.price(&plan);
        if value < self.value {
            (self.value, self.plan) = (value, plan);
            (self.better)(&self.plan, self.value, self.bound);
        }
    }
}
