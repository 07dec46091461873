//! Improves a plan by solving small groups of nodes, with all tasks on them, to the end. Groups of
//! one round are disjoint and are solved in parallel.

use super::super::budget::Budget;
use super::ascent::{Pace, climb};
use super::domain::Domain;
use super::plan::Plan;
use super::problem::Problem;
use super::relax::Relaxation;
use super::tree::Tree;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// First climb in a group.
const OUTER: Pace = Pace { steps: 150, stride: 0.5, least: 0.01, patience: 8 };

/// Work limit of a group at most.
const MOST: u64 = 1 << 22;

/// Which nodes go well together, and how large groups are.
pub struct Groups<'a, const R: usize> {
    p: &'a Problem<R>,
    /// Offers of the best bound of the whole problem, and the scale they are in.
    offer: &'a [i64],
    scale: i64,
    /// Per task, the nodes that suit it best.
    near: &'a [Vec<u32>],
    size: usize,
    /// Work limit of one group.
    pub effort: u64,
    rng: ChaCha8Rng,
}

/// What came of one group.
struct Outcome {
    moved: Vec<(u32, u32)>,
    work: u64,
    settled: bool,
}

impl<'a, const R: usize> Groups<'a, R> {
    pub fn new(
        p: &'a Problem<R>,
        (offer, scale): (&'a [i64], i64),
        near: &'a [Vec<u32>],
        seed: u64,
    ) -> Self {
        let per_node = (p.tasks / p.nodes.max(1)).max(1);
        let size = (30 / per_node).clamp(2, 8);
        let rng = ChaCha8Rng::seed_from_u64(seed);
        Groups { p, offer, scale, near, size, effort: 30_000, rng }
    }

    /// One round over all nodes. Whether the plan got better.
    pub fn round(&mut self, plan: &mut Plan<R>, budget: &mut Budget) -> bool {
        let before = plan.value;
        let groups = self.draw(plan);
        let share = budget.share(self.effort);
        let solve = |nodes: &Vec<u32>| self.solve(plan, nodes, share);
        let outcomes: Vec<Outcome> = groups.par_iter().map(solve).collect();
        let settled = outcomes.iter().filter(|o| o.settled).count();
        for outcome in &outcomes {
            budget.work += outcome.work;
            for &(i, j) in &outcome.moved {
                if plan.node_of[i as usize] != j {
                    plan.shift(self.p, i as usize, j as usize);
                }
            }
        }
        let better = plan.value < before;
        self.adapt(better, settled * 2 > outcomes.len());
        better
    }

    /// Larger groups if they are solved to no avail, more work if they are not solved.
    fn adapt(&mut self, better: bool, settled: bool) {
        if better {
            return;
        }
        if settled && self.size < self.p.nodes {
            self.size += 1;
        } else if !settled && self.effort < MOST && self.rng.random_range(0..4) > 0 {
            self.effort *= 2;
        } else if !settled && self.size > 2 {
            self.size -= 1;
        }
    }

    /// Disjoint groups of nodes that tasks could be exchanged between.
    fn draw(&mut self, plan: &Plan<R>) -> Vec<Vec<u32>> {
        let mut free = vec![true; self.p.nodes];
        let mut left = self.p.nodes;
        let mut groups = Vec::new();
        while left >= 2 {
            let seed = self.pick(&free, left);
            free[seed as usize] = false;
            let mut group = vec![seed];
            while group.len() < self.size.min(left) {
                let next = self.partner(plan, &group, &free);
                let next = match next {
                    Some(next) => next,
                    None => self.pick(&free, left - group.len()),
                };
                free[next as usize] = false;
                group.push(next);
            }
            left -= group.len();
            groups.push(group);
        }
        groups
    }

    /// A free node at random; `left` are.
    fn pick(&mut self, free: &[bool], left: usize) -> u32 {
        let at = self.rng.random_range(0..left.max(1));
        (0..free.len()).filter(|&j| free[j]).nth(at).unwrap_or(0) as u32
    }

    /// A free node that suits some task of the group.
    fn partner(&mut self, plan: &Plan<R>, group: &[u32], free: &[bool]) -> Option<u32> {
        for _ in 0..10 {
            let j = group[self.rng.random_range(0..group.len())] as usize;
            let members = &plan.members[j];
            if members.is_empty() {
                continue;
            }
            let near = &self.near[members[self.rng.random_range(0..members.len())] as usize];
            if near.is_empty() {
                continue;
            }
            let next = near[self.rng.random_range(0..near.len())];
            if free[next as usize] {
                return Some(next);
            }
        }
        None
    }

    /// Looks for a cheaper plan of the tasks on some nodes.
    fn solve(&self, plan: &Plan<R>, nodes: &[u32], mut budget: Budget) -> Outcome {
        let p = self.p;
        let members = |&j: &u32| plan.members[j as usize].iter().copied();
        let mut tasks: Vec<u32> = nodes.iter().flat_map(members).collect();
        tasks.sort_unstable();
        let room = nodes.iter().map(|&j| p.room[j as usize]).collect();
        let part = p.part(&tasks, nodes, room, |_| true);
        let at = |i: &u32| nodes.iter().position(|j| *j == plan.node_of[*i as usize]).unwrap_or(0);
        let now: Vec<u32> = tasks.iter().map(|i| at(i) as u32).collect();
        let value = part.value(&now);
        let mut relax = Relaxation::new(&part, false);
        // The scale of the part may differ from that of the whole.
        let unit = |i: &u32| self.offer[*i as usize] / self.scale * relax.scale;
        let mut offer: Vec<i64> = tasks.iter().map(unit).collect();
        let found = Domain::new(&part).map(|domain| {
            let goal = (value - 1) * relax.scale;
            let peak = climb(&mut relax, &domain, &mut offer, goal, OUTER, &mut budget);
            if peak.value > goal {
                return (None, true);
            }
            let found = Tree::new(&part, &mut relax, domain, offer, value).run(&mut budget);
            (found.plan, found.bound >= found.value)
        });
        let (better, settled) = found.unwrap_or((None, true));
        let moved = better.unwrap_or_default().into_iter().zip(&tasks);
        let moved = moved.map(|(j, &i)| (i, nodes[j as usize])).collect();
        Outcome { moved, work: budget.work + 50, settled }
    }
}
