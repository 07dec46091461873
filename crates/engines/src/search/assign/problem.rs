//! The generalised assignment problem in flat arrays, with a number of resources known at
//! compile time.

use super::super::problem::{Vector, sub};

/// Stands for "no node" in a plan that is not complete.
pub const NONE: u32 = u32::MAX;

/// Tasks, nodes, costs and demands. Immutable once built. Tables are task by task.
#[derive(Clone, Debug)]
pub struct Problem<const R: usize> {
    pub tasks: usize,
    pub nodes: usize,
    /// Cost of task `i` on node `j` at `i * nodes + j`.
    pub cost: Vec<i64>,
    /// Demands, none negative: per task and node like the costs, or one per task when it is the
    /// same on every node.
    pub demand: Vec<Vector<R>>,
    /// What each node can carry.
    pub room: Vec<Vector<R>>,
    /// Whether a task may run on a node, laid out like the costs; empty when every task may run
    /// everywhere.
    pub allowed: Vec<bool>,
    /// Price of each node, none negative, paid once if it has any task; empty when all are free
    /// of charge.
    pub price: Vec<i64>,
}

impl<const R: usize> Problem<R> {
    pub fn cost(&self, i: usize, j: usize) -> i64 {
        self.cost[i * self.nodes + j]
    }

    pub fn demand(&self, i: usize, j: usize) -> &Vector<R> {
        if self.uniform() { &self.demand[i] } else { &self.demand[i * self.nodes + j] }
    }

    /// Whether demands are the same on every node.
    fn uniform(&self) -> bool {
        self.demand.len() == self.tasks
    }

    /// Whether task `i` may run on node `j`, room aside.
    pub fn may(&self, i: usize, j: usize) -> bool {
        self.allowed.is_empty() || self.allowed[i * self.nodes + j]
    }

    pub fn price(&self, j: usize) -> i64 {
        self.price.get(j).copied().unwrap_or(0)
    }

    /// The total cost of a complete plan, summed up afresh.
    pub fn value(&self, plan: &[u32]) -> i64 {
        let mut used = vec![false; self.nodes];
        let mut sum = 0;
        for (i, &j) in plan.iter().enumerate() {
            sum += self.cost(i, j as usize);
            used[j as usize] = true;
        }
        sum + (0..self.nodes).filter(|&j| used[j]).map(|j| self.price(j)).sum::<i64>()
    }

    /// Whether a plan places every task where it may run and overloads no node.
    pub fn admits(&self, plan: &[u32]) -> bool {
        let mut left = self.room.clone();
        plan.len() == self.tasks
            && plan.iter().enumerate().all(|(i, &j)| {
                let j = j as usize;
                j < self.nodes && self.may(i, j) && {
                    left[j] = sub(left[j], *self.demand(i, j));
                    left[j].iter().all(|x| *x >= 0)
                }
            })
    }

    /// The problem of placing only `tasks` on `nodes`, which have `room` left for them; the price
    /// of a node is owed only if `owed`.
    pub fn part(
        &self,
        tasks: &[u32],
        nodes: &[u32],
        room: Vec<Vector<R>>,
        owed: impl Fn(usize) -> bool,
    ) -> Problem<R> {
        let pairs = || tasks.iter().flat_map(|&i| nodes.iter().map(move |&j| (i, j)));
        let pairs = || pairs().map(|(i, j)| (i as usize, j as usize));
        let price = |&j: &u32| if owed(j as usize) { self.price(j as usize) } else { 0 };
        Problem {
            tasks: tasks.len(),
            nodes: nodes.len(),
            cost: pairs().map(|(i, j)| self.cost(i, j)).collect(),
            demand: if self.uniform() {
                tasks.iter().map(|&i| self.demand[i as usize]).collect()
            } else {
                pairs().map(|(i, j)| *self.demand(i, j)).collect()
            },
            room,
            allowed: if self.allowed.is_empty() {
                Vec::new()
            } else {
                pairs().map(|(i, j)| self.may(i, j)).collect()
            },
            price: if self.price.is_empty() {
                Vec::new()
            } else {
                nodes.iter().map(price).collect()
            },
        }
    }
}
