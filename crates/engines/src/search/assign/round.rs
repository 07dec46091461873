//! Makes a plan out of what the nodes take in the relaxation: tasks taken more than once keep one
//! node, tasks taken by none are put where they cost least, others move aside if they must.

use super::super::problem::{Vector, add, fits, sub};
use super::domain::Domain;
use super::problem::{NONE, Problem};

/// A complete plan within the rooms, or `None` if this simple way finds none. `share` says how
/// much of each task is on each node in the fractional plan; more is better. Returns the work too.
pub fn round<const R: usize>(
    p: &Problem<R>,
    domain: &Domain<R>,
    offer: &[i64],
    scale: i64,
    taken: &[u32],
) -> Option<Vec<u32>> {
    let mut s = Partial { node_of: domain.node_of.clone(), left: domain.room.clone() };
    let mut order: Vec<u32> = taken.to_vec();
    let profit = |k: &u32| {
        let c = &domain.list[*k as usize];
        offer[c.task as usize] - scale * c.cost
    };
    order.sort_by_key(|k| (std::cmp::Reverse(profit(k)), *k));
    for &k in &order {
        let (c, j) = (&domain.list[k as usize], domain.node_at(k as usize));
        if s.node_of[c.task as usize] == NONE {
            s.put(c.task as usize, j, &c.demand);
        }
    }
    let mut rest: Vec<usize> = (0..p.tasks).filter(|&i| s.node_of[i] == NONE).collect();
    rest.sort_by_key(|&i| (std::cmp::Reverse(size(p, i)), i));
    for i in rest {
        if !s.insert(p, i) && !s.insert_aside(p, i) {
            return None;
        }
    }
    Some(s.node_of)
}

/// The least demand of a task over all nodes, all resources added up.
fn size<const R: usize>(p: &Problem<R>, i: usize) -> i64 {
    (0..p.nodes).filter(|&j| p.may(i, j)).map(|j| p.demand(i, j).iter().sum()).min().unwrap_or(0)
}

struct Partial<const R: usize> {
    node_of: Vec<u32>,
    left: Vec<Vector<R>>,
}

impl<const R: usize> Partial<R> {
    fn put(&mut self, i: usize, j: usize, demand: &Vector<R>) {
        self.node_of[i] = j as u32;
        self.left[j] = sub(self.left[j], *demand);
    }

    /// Puts a task on the cheapest node that has room.
    fn insert(&mut self, p: &Problem<R>, i: usize) -> bool {
        let open = |j: &usize| p.may(i, *j) && fits(p.demand(i, *j), &self.left[*j]);
        let Some(j) = (0..p.nodes).filter(open).min_by_key(|&j| (p.cost(i, j), j)) else {
            return false;
        };
        self.put(i, j, p.demand(i, j));
        true
    }

    /// Puts a task on a node from which one other task moves to a third.
    fn insert_aside(&mut self, p: &Problem<R>, i: usize) -> bool {
        let mut best: Option<(i64, usize, usize, usize)> = None;
        for k in (0..p.tasks).filter(|&k| self.node_of[k] != NONE) {
            let j = self.node_of[k] as usize;
            if !p.may(i, j) || !fits(p.demand(i, j), &add(self.left[j], *p.demand(k, j))) {
                continue;
            }
            for to in (0..p.nodes).filter(|&to| to != j && p.may(k, to)) {
                let cost = p.cost(i, j) + p.cost(k, to) - p.cost(k, j);
                if best.is_none_or(|b| cost < b.0) && fits(p.demand(k, to), &self.left[to]) {
                    best = Some((cost, k, j, to));
                }
            }
        }
        let Some((_, k, j, to)) = best else { return false };
        self.left[j] = add(self.left[j], *p.demand(k, j));
        self.put(k, to, p.demand(k, to));
        self.put(i, j, p.demand(i, j));
        true
    }
}
