//! What is still open in a branch of the search: which task may go to which node, which tasks are
//! fixed, and the room that leaves.

use super::super::problem::{Vector, fits, sub};
use super::problem::{NONE, Problem};

/// One node that a free task may still go to.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<const R: usize> {
    pub task: u32,
    pub cost: i64,
    pub demand: Vector<R>,
}

/// The candidates node by node, and everything that follows from the fixed tasks.
#[derive(Clone, Debug)]
pub struct Domain<const R: usize> {
    /// Candidates of node `j`: `list[start[j]..start[j + 1]]`, free tasks only.
    pub start: Vec<u32>,
    pub list: Vec<Candidate<R>>,
    /// How many candidates each free task has; zero for fixed tasks.
    pub count: Vec<u32>,
    /// The node of each fixed task, `NONE` for free ones.
    pub node_of: Vec<u32>,
    /// How many tasks are free.
    pub free: usize,
    /// What the fixed tasks leave of each node.
    pub room: Vec<Vector<R>>,
    /// The price still owed for each node if it gets a task.
    pub price: Vec<i64>,
    /// Cost of the fixed tasks and of the nodes they use.
    pub base: i64,
}

impl<const R: usize> Domain<R> {
    /// Everything open that the rooms and the forbidden pairs allow; `None` if that already shows
    /// that there is no plan.
    pub fn new(p: &Problem<R>) -> Option<Self> {
        let (mut start, mut list) = (vec![0], Vec::new());
        for j in 0..p.nodes {
            for i in (0..p.tasks).filter(|&i| p.may(i, j) && fits(p.demand(i, j), &p.room[j])) {
                let (cost, demand) = (p.cost(i, j), *p.demand(i, j));
                list.push(Candidate { task: i as u32, cost, demand });
            }
            start.push(list.len() as u32);
        }
        let mut domain = Domain {
            start,
            list,
            count: vec![0; p.tasks],
            node_of: vec![NONE; p.tasks],
            free: p.tasks,
            room: p.room.clone(),
            price: (0..p.nodes).map(|j| p.price(j)).collect(),
            base: 0,
        };
        for c in &domain.list {
            domain.count[c.task as usize] += 1;
        }
        domain.settle().then_some(domain)
    }

    pub fn nodes(&self) -> usize {
        self.room.len()
    }

    /// Positions in `list` of the candidates of node `j`.
    pub fn of(&self, j: usize) -> std::ops::Range<usize> {
        self.start[j] as usize..self.start[j + 1] as usize
    }

    /// The node whose list position `k` is in.
    pub fn node_at(&self, k: usize) -> usize {
        self.start.partition_point(|s| *s as usize <= k) - 1
    }

    /// Keeps only the candidates that `keep` says yes to, by position, and follows up. False if no
    /// plan is left.
    pub fn retain(&mut self, mut keep: impl FnMut(usize) -> bool) -> bool {
        self.filter(|k, _, _| keep(k));
        self.settle()
    }

    /// Fixes a free task to a node and follows up. False if no plan is left.
    pub fn fix(&mut self, task: u32, node: usize) -> bool {
        self.filter(|_, j, c| c.task != task || j == node);
        self.settle()
    }

    /// Takes candidates out; the room left of a node is looked at as well.
    fn filter(&mut self, mut keep: impl FnMut(usize, usize, &Candidate<R>) -> bool) {
        let mut to = 0;
        for j in 0..self.nodes() {
            let range = self.of(j);
            self.start[j] = to as u32;
            for k in range {
                let c = self.list[k];
                if self.node_of[c.task as usize] == NONE
                    && fits(&c.demand, &self.room[j])
                    && keep(k, j, &c)
                {
                    self.list[to] = c;
                    to += 1;
                } else if self.node_of[c.task as usize] == NONE {
                    self.count[c.task as usize] -= 1;
                }
            }
        }
        let nodes = self.nodes();
        self.start[nodes] = to as u32;
        self.list.truncate(to);
    }

    /// Fixes tasks with one candidate until there are none. False if some task has no candidate,
    /// or if two that must share a node do not fit.
    fn settle(&mut self) -> bool {
        loop {
            let mut forced = false;
            for j in 0..self.nodes() {
                for k in self.of(j) {
                    let c = self.list[k];
                    if self.count[c.task as usize] == 1 && self.node_of[c.task as usize] == NONE {
                        if !fits(&c.demand, &self.room[j]) {
                            return false;
                        }
                        self.place(&c, j);
                        forced = true;
                    }
                }
            }
            if !forced {
                break;
            }
            self.filter(|_, _, _| true);
        }
        self.node_of.iter().zip(&self.count).all(|(j, count)| *j != NONE || *count > 0)
    }

    fn place(&mut self, c: &Candidate<R>, j: usize) {
        self.node_of[c.task as usize] = j as u32;
        self.count[c.task as usize] = 0;
        self.room[j] = sub(self.room[j], c.demand);
        self.base += c.cost + std::mem::take(&mut self.price[j]);
        self.free -= 1;
    }
}
