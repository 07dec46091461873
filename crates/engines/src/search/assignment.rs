//! A plan under search in flat arrays: who is where, and what every node carries.

use super::problem::{Problem, Vector, add, sub};
use super::ratio::Ratio;

/// Flat state; `members` is the inverse of `node_of`, `load` its sums (base loads not included).
#[derive(Clone)]
pub struct Assignment<const R: usize> {
    pub node_of: Vec<u32>,
    pub load: Vec<Vector<R>>,
    pub members: Vec<Vec<u32>>,
}

impl<const R: usize> Assignment<R> {
    pub fn new(p: &Problem<R>, node_of: Vec<u32>) -> Self {
        let mut load = vec![[0; R]; p.nodes()];
        let mut members = vec![Vec::new(); p.nodes()];
        for (i, &j) in node_of.iter().enumerate() {
            load[j as usize] = add(load[j as usize], p.demand[i]);
            members[j as usize].push(i as u32);
        }
        Assignment { node_of, load, members }
    }

    /// Takes over new nodes for some tasks, all of which lie on `nodes` before and after.
    pub fn assign(&mut self, p: &Problem<R>, nodes: &[u32], moved: &[(u32, u32)]) {
        for &(i, j) in moved {
            let d = p.demand[i as usize];
            let from = self.node_of[i as usize] as usize;
            self.load[from] = sub(self.load[from], d);
            self.load[j as usize] = add(self.load[j as usize], d);
            self.node_of[i as usize] = j;
        }
        let mut all: Vec<u32> = Vec::new();
        for &j in nodes {
            all.append(&mut self.members[j as usize]);
        }
        for i in all {
            self.members[self.node_of[i as usize] as usize].push(i);
        }
    }

    /// The peak of the plan.
    pub fn peak(&self, p: &Problem<R>) -> Ratio {
        let of = |j: usize| p.peak_of(j, &add(p.used[j], self.load[j]));
        (0..p.nodes()).map(of).max().unwrap_or(Ratio::ZERO)
    }
}
