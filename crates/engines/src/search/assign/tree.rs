//! Branch and bound for one problem: Lagrangian bounds, and what is too dear by its reduced cost
//! taken out (Posta, Ferland, Michelon 2012, DOI 10.1007/s10589-011-9432-0).

use super::super::budget::Budget;
use super::ascent::{Pace, Peak, climb};
use super::domain::Domain;
use super::plan::Plan;
use super::problem::{NONE, Problem};
use super::relax::Relaxation;
use super::round::round;

/// Climbing at inner branches.
const INNER: Pace = Pace { steps: 40, stride: 0.3, least: 0.02, patience: 5 };
/// Climbs again at once if so small a part of the candidates is left (of 16).
const SHRUNK: usize = 13;

/// An open branch.
struct Branch<const R: usize> {
    domain: Domain<R>,
    offer: Vec<i64>,
    /// A bound on its plans, scaled.
    bound: i64,
}

/// The outcome of a search.
pub struct Found {
    /// The best plan below the limit.
    pub plan: Option<Vec<u32>>,
    /// Its value, or the limit if there is no plan.
    pub value: i64,
    /// No plan costs less.
    pub bound: i64,
}

pub struct Tree<'a, const R: usize> {
    p: &'a Problem<R>,
    relax: &'a mut Relaxation<R>,
    stack: Vec<Branch<R>>,
    plan: Option<Vec<u32>>,
    /// Only plans that cost less are looked for.
    value: i64,
    branches: u64,
}

impl<'a, const R: usize> Tree<'a, R> {
    /// Searches `domain` for plans that cost less than `value`, from `offer`.
    pub fn new(
        p: &'a Problem<R>,
        relax: &'a mut Relaxation<R>,
        domain: Domain<R>,
        offer: Vec<i64>,
        value: i64,
    ) -> Self {
        let root = Branch { domain, offer, bound: i64::MIN };
        Tree { p, relax, stack: vec![root], plan: None, value, branches: 0 }
    }

    /// Runs to the end or until the budget is used up.
    pub fn run(mut self, budget: &mut Budget) -> Found {
        while !budget.over() {
            let Some(branch) = self.stack.pop() else { break };
            self.branches += 1;
            self.visit(branch, budget);
        }
        let open = self.stack.iter().map(|b| ceil_div(b.bound, self.relax.scale)).min();
        let bound = open.unwrap_or(i64::MAX).min(self.value);
        Found { plan: self.plan, value: self.value, bound }
    }

    /// The largest scaled bound at which a branch is still of interest.
    fn goal(&self) -> i64 {
        (self.value - 1) * self.relax.scale
    }

    fn visit(&mut self, mut branch: Branch<R>, budget: &mut Budget) {
        loop {
            if branch.domain.free == 0 {
                return self.complete(branch.domain.node_of);
            }
            if branch.bound > self.goal() {
                return;
            }
            let goal = self.goal();
            let peak = climb(self.relax, &branch.domain, &mut branch.offer, goal, INNER, budget);
            branch.bound = branch.bound.max(peak.value);
            if branch.bound > goal {
                return;
            }
            if budget.over() {
                // The branch has not been dealt with: it stays open.
                return self.stack.push(branch);
            }
            let before = branch.domain.list.len();
            let value = self.value;
            let Some(share) = self.tighten(&mut branch, &peak, budget) else { return };
            if let Some(plan) = peak.plan {
                self.complete(plan);
            }
            if self.value < value && branch.bound > self.goal() {
                return;
            }
            if branch.domain.list.len() * 16 > before * SHRUNK {
                return self.split(branch, &share);
            }
        }
    }

    /// Takes out what the bound at the best offers shows to be too dear. Returns the shares of
    /// what is left, or `None` if nothing is.
    fn tighten(
        &mut self,
        branch: &mut Branch<R>,
        peak: &Peak,
        budget: &mut Budget,
    ) -> Option<Vec<(u32, u32, f64)>> {
        let domain = &mut branch.domain;
        let bound = self.relax.evaluate(domain, &branch.offer);
        if self.branches < 4 || self.branches.is_multiple_of(8) {
            let taken = &self.relax.answer.taken;
            let plan = round(self.p, domain, &branch.offer, self.relax.scale, taken);
            if let Some(plan) = plan {
                let mut plan = Plan::new(self.p, plan);
                budget.work += plan.polish(self.p);
                self.complete(plan.node_of);
            }
        }
        let goal = (self.value - 1) * self.relax.scale;
        let room = goal - bound;
        let share: Vec<(u32, u32, f64)> = shares(domain, &peak.share);
        let cuts = cuts(self.relax, &branch.domain, &branch.offer, room);
        budget.work += std::mem::take(&mut self.relax.work);
        branch.domain.retain(|k| cuts[k]).then_some(share)
    }

    /// Takes over a plan if it is better.
    fn complete(&mut self, plan: Vec<u32>) {
        let value = self.p.value(&plan);
        if value < self.value && self.p.admits(&plan) {
            (self.value, self.plan) = (value, Some(plan));
        }
    }

    /// Splits a branch in two: some task on some node, or not.
    fn split(&mut self, branch: Branch<R>, share: &[(u32, u32, f64)]) {
        let free = |i: u32| branch.domain.node_of[i as usize] == NONE;
        let still = |x: &&(u32, u32, f64)| {
            let j = x.1 as usize;
            free(x.0) && branch.domain.of(j).any(|k| branch.domain.list[k].task == x.0)
        };
        let Some(&(task, node, _)) = share
            .iter()
            .filter(still)
            .max_by(|a, b| (worth(a.2)).total_cmp(&worth(b.2)).then(b.0.cmp(&a.0)))
        else {
            return self.complete(branch.domain.node_of);
        };
        let (j, mut with, mut without) = (node as usize, branch.domain.clone(), branch.domain);
        let at = without.of(j).find(|&k| without.list[k].task == task);
        if without.retain(|k| Some(k) != at) {
            let offer = branch.offer.clone();
            self.stack.push(Branch { domain: without, offer, bound: branch.bound });
        }
        if with.fix(task, j) {
            self.stack.push(Branch { domain: with, offer: branch.offer, bound: branch.bound });
        }
    }
}

/// How good a share is to branch on: nearly decided first, but not quite.
fn worth(share: f64) -> f64 {
    if share > 0.9 { 0.9 - share } else { share }
}

/// Task, node and share of every candidate.
fn shares<const R: usize>(domain: &Domain<R>, share: &[f64]) -> Vec<(u32, u32, f64)> {
    let of = |j: usize| domain.of(j).map(move |k| (domain.list[k].task, j as u32, share[k]));
    (0..domain.nodes()).flat_map(of).collect()
}

/// Which candidates may stay if a plan may lie at most `room` (scaled) above the bound of
/// the relaxation's last answer, that of `offer`.
pub fn cuts<const R: usize>(
    relax: &mut Relaxation<R>,
    domain: &Domain<R>,
    offer: &[i64],
    room: i64,
) -> Vec<bool> {
    let penalty = relax.penalties(domain, offer);
    let mut taken = vec![false; domain.list.len()];
    let mut drop_all = vec![0i64; offer.len()];
    let mut only = vec![NONE; offer.len()];
    for &k in &relax.answer.taken {
        let i = domain.list[k as usize].task as usize;
        taken[k as usize] = true;
        drop_all[i] += penalty[k as usize];
        if penalty[k as usize] > room {
            only[i] = k;
        }
    }
    let keep = |k: usize| {
        let i = domain.list[k].task as usize;
        // Every other node that takes the task has to do without it.
        let others = drop_all[i] - if taken[k] { penalty[k] } else { 0 };
        let this = if taken[k] { 0 } else { penalty[k] };
        (only[i] == NONE || only[i] == k as u32) && this + others <= room
    };
    (0..domain.list.len()).map(keep).collect()
}

/// The least integer whose multiple of `b` is at least `a`; `i64::MIN` is kept.
pub fn ceil_div(a: i64, b: i64) -> i64 {
    if a == i64::MIN { a } else { -(-a).div_euclid(b) }
}
