//! A complete plan under search, feasible or not: who is where, what that leaves of every node.

use super::super::problem::{Vector, add, fits, sub};
use super::problem::Problem;

/// Flat state; `members` is the inverse of `node_of`.
#[derive(Clone)]
pub struct Plan<const R: usize> {
    pub node_of: Vec<u32>,
    pub members: Vec<Vec<u32>>,
    /// Room left; negative where a node is overloaded.
    pub left: Vec<Vector<R>>,
    /// Total cost, prices included.
    pub value: i64,
}

impl<const R: usize> Plan<R> {
    pub fn new(p: &Problem<R>, node_of: Vec<u32>) -> Self {
        let mut left = p.room.clone();
        let mut members = vec![Vec::new(); p.nodes];
        for (i, &j) in node_of.iter().enumerate() {
            left[j as usize] = sub(left[j as usize], *p.demand(i, j as usize));
            members[j as usize].push(i as u32);
        }
        let value = p.value(&node_of);
        Plan { node_of, members, left, value }
    }

    pub fn feasible(&self) -> bool {
        self.left.iter().flatten().all(|x| *x >= 0)
    }

    pub fn shift(&mut self, p: &Problem<R>, i: usize, to: usize) {
        let from = self.node_of[i] as usize;
        self.value += p.cost(i, to) - p.cost(i, from);
        self.left[from] = add(self.left[from], *p.demand(i, from));
        self.left[to] = sub(self.left[to], *p.demand(i, to));
        if let Some(at) = self.members[from].iter().position(|k| *k as usize == i) {
            self.members[from].swap_remove(at);
        }
        if self.members[from].is_empty() {
            self.value -= p.price(from);
        }
        if self.members[to].is_empty() {
            self.value += p.price(to);
        }
        self.members[to].push(i as u32);
        self.node_of[i] = to as u32;
    }

    /// Shifts and swaps that lower the cost of a feasible plan and keep it so, until there are
    /// none. Prices are looked at for shifts only. Returns the work.
    pub fn polish(&mut self, p: &Problem<R>) -> u64 {
        let mut work = 0;
        loop {
            let before = self.value;
            for i in 0..p.tasks {
                work += p.nodes as u64 / 4 + 1;
                if let Some(j) = self.best_shift(p, i) {
                    self.shift(p, i, j);
                }
            }
            for i in 0..p.tasks {
                work += (p.tasks - i) as u64 / 4 + 1;
                for k in i + 1..p.tasks {
                    if self.swap_pays(p, i, k) {
                        let (a, b) = (self.node_of[i] as usize, self.node_of[k] as usize);
                        self.shift(p, i, b);
                        self.shift(p, k, a);
                    }
                }
            }
            if self.value >= before {
                return work;
            }
        }
    }

    fn best_shift(&self, p: &Problem<R>, i: usize) -> Option<usize> {
        let from = self.node_of[i] as usize;
        let leaves = if self.members[from].len() == 1 { p.price(from) } else { 0 };
        let enters = |j: usize| if self.members[j].is_empty() { p.price(j) } else { 0 };
        let gain = |j: usize| p.cost(i, from) + leaves - p.cost(i, j) - enters(j);
        let open = |j: &usize| *j != from && p.may(i, *j) && fits(p.demand(i, *j), &self.left[*j]);
        let best = (0..p.nodes).filter(|j| gain(*j) > 0).filter(open);
        best.max_by_key(|j| (gain(*j), std::cmp::Reverse(*j)))
    }

    fn swap_pays(&self, p: &Problem<R>, i: usize, k: usize) -> bool {
        let (a, b) = (self.node_of[i] as usize, self.node_of[k] as usize);
        let gain = p.cost(i, a) + p.cost(k, b) - p.cost(i, b) - p.cost(k, a);
        if a == b || gain <= 0 || !p.may(i, b) || !p.may(k, a) {
            return false;
        }
        let on_a = sub(add(self.left[a], *p.demand(i, a)), *p.demand(k, a));
        let on_b = sub(add(self.left[b], *p.demand(k, b)), *p.demand(i, b));
        on_a.iter().chain(&on_b).all(|x| *x >= 0)
    }
}
