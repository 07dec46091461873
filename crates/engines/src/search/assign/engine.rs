//! The anytime engine: the bound of the whole problem, a first plan, then improvement and proof in
//! turns.

use super::super::budget::Budget;
use super::anneal::Anneal;
use super::ascent::{Pace, climb};
use super::dive::dive;
use super::domain::Domain;
use super::groups::Groups;
use super::plan::Plan;
use super::problem::{NONE, Problem};
use super::relax::Relaxation;
use super::tree::{Found, Tree, ceil_div, cuts};

/// Climbing at the root: in turns, so that plans come early.
const ROOT: Pace = Pace { steps: 300, stride: 1.0, least: 1e-3, patience: 12 };
/// Before a first plan, which takes out many candidates, is looked for.
const EARLY: Pace = Pace { steps: 60, ..ROOT };
/// Turns of climbing at the root at most.
const TURNS: usize = 6;
/// Nodes worth trying per task.
const NEAR: usize = 12;
/// Annealing moves per task.
const MOVES: u64 = 500;
/// More candidates than this are too many for branch and bound.
const BRANCHABLE: usize = 6_000;

/// Told of every better plan or bound: the plan, its value, the bound by then.
pub type Better<'a> = &'a mut (dyn FnMut(&[u32], i64, i64) + Send);

/// Searches for the cheapest plan. The fields are the outcome.
pub struct Engine<'a, const R: usize> {
    p: &'a Problem<R>,
    seed: u64,
    /// The best plan; empty while there is none.
    pub plan: Vec<u32>,
    /// Its value; `i64::MAX` while there is no plan.
    pub value: i64,
    /// No plan costs less; `i64::MAX` once it is proven that there is no plan.
    pub bound: i64,
    pub budget: Budget<'a>,
    better: Better<'a>,
    relax: Relaxation<R>,
    offer: Vec<i64>,
    near: Vec<Vec<u32>>,
}

impl<'a, const R: usize> Engine<'a, R> {
    pub fn new(p: &'a Problem<R>, seed: u64, budget: Budget<'a>, better: Better<'a>) -> Self {
        Engine {
            p,
            seed,
            plan: Vec::new(),
            value: i64::MAX,
            bound: i64::MIN,
            budget,
            better,
            relax: Relaxation::new(p, true),
            offer: Vec::new(),
            near: Vec::new(),
        }
    }

    /// Begins with a plan that is known already.
    pub fn start(&mut self, plan: Vec<u32>) {
        if self.p.admits(&plan) {
            (self.value, self.plan) = (self.p.value(&plan), plan);
        }
    }

    /// Runs until optimal, infeasible, or out of budget.
    pub fn run(&mut self) {
        let Some(mut domain) = Domain::new(self.p) else {
            self.bound = i64::MAX;
            return;
        };
        self.offer = first_offers(&domain, self.relax.scale);
        self.near = near(self.p, &domain, &vec![0; domain.list.len()]);
        self.root(&mut domain);
        self.improve(domain);
    }

    fn done(&self) -> bool {
        self.value <= self.bound || self.budget.over()
    }

    /// The value that a plan must stay below; with no plan, more than any plan costs.
    fn limit(&self) -> i64 {
        let p = self.p;
        let row = |i: usize| p.cost[i * p.nodes..(i + 1) * p.nodes].iter().max().copied();
        let all: i64 = (0..p.tasks).filter_map(row).sum::<i64>() + p.price.iter().sum::<i64>();
        self.value.min(all + 1)
    }

    /// Takes a plan if it is the best so far and within the rooms.
    fn keep(&mut self, plan: &[u32]) {
        let value = self.p.value(plan);
        if value < self.value && self.p.admits(plan) {
            (self.value, self.plan) = (value, plan.to_vec());
            (self.better)(&self.plan, self.value, self.bound);
        }
    }

    fn raise(&mut self, bound: i64) {
        if bound > self.bound {
            self.bound = bound.min(self.value);
            (self.better)(&self.plan, self.value, self.bound);
        }
    }

    /// Climbs at the root, with a dive for a plan in between.
    fn root(&mut self, domain: &mut Domain<R>) {
        let mut pace = EARLY;
        for turn in 0..TURNS {
            let goal = (self.limit() - 1) * self.relax.scale;
            let before = self.bound;
            let peak =
                climb(&mut self.relax, domain, &mut self.offer, goal, pace, &mut self.budget);
            self.raise(ceil_div(peak.value, self.relax.scale));
            if let Some(plan) = peak.plan {
                self.keep(&plan);
            }
            if self.done() || !self.tighten(domain) {
                return;
            }
            if turn == 0 {
                self.first_plan();
                pace = ROOT;
                continue;
            }
            let goal = (self.limit() - 1) * self.relax.scale;
            let offer = self.offer.clone();
            let found =
                dive(self.p, &mut self.relax, domain.clone(), offer, goal, &mut self.budget);
            if let Some(plan) = found {
                self.keep(&plan.node_of);
            }
            if self.done() || !self.tighten(domain) || self.gained_little(before) {
                return;
            }
            pace.stride /= 2.0;
        }
    }

    /// Whether the bound rose by less than a thousandth.
    fn gained_little(&self, before: i64) -> bool {
        self.bound.saturating_sub(before) < self.bound.saturating_abs() / 1000
    }

    /// Takes out candidates that are too dear. False if that proves the best plan optimal, or that
    /// there is none.
    fn tighten(&mut self, domain: &mut Domain<R>) -> bool {
        let value = self.relax.evaluate(domain, &self.offer);
        let room = (self.limit() - 1) * self.relax.scale - value;
        let penalty = self.relax.penalties(domain, &self.offer);
        self.near = near(self.p, domain, &penalty);
        let keep = cuts(&mut self.relax, domain, &self.offer, room);
        self.budget.work += std::mem::take(&mut self.relax.work);
        let open = domain.retain(|k| keep[k]);
        if !open {
            self.bound = self.value;
        }
        open
    }

    /// Annealing with ever more moves, until a plan is found.
    fn first_plan(&mut self) {
        let plan = self.near.iter().map(|near| near.first().copied().unwrap_or(0)).collect();
        let mut plan = Plan::new(self.p, plan);
        for turn in 0..6 {
            let near = std::mem::take(&mut self.near);
            let mut anneal = Anneal::new(self.p, &near, self.seed + turn);
            let moves = (MOVES * self.p.tasks as u64) << turn;
            self.budget.work += anneal.run(&mut plan, moves, 1.0);
            let best = anneal.best.take();
            self.near = near;
            if let Some(best) = best {
                return self.keep(&best.node_of);
            }
            if self.budget.over() {
                return;
            }
        }
    }

    /// Groups of nodes and branch and bound in turns; each turn may work longer than the last.
    fn improve(&mut self, mut domain: Domain<R>) {
        let mut share = 500_000u64;
        let mut turn = 0;
        while !self.done() && self.tighten(&mut domain) && !self.done() {
            turn += 1;
            if self.value < i64::MAX {
                self.group_turn(share, turn);
            }
            if self.done() || !self.tighten(&mut domain) {
                return;
            }
            if domain.list.len() <= BRANCHABLE || self.value == i64::MAX {
                self.tree_turn(&domain, share);
            }
            share = share.saturating_mul(2);
        }
    }

    fn group_turn(&mut self, share: u64, turn: u64) {
        let mut plan = Plan::new(self.p, self.plan.clone());
        let (offer, near) = (self.offer.clone(), std::mem::take(&mut self.near));
        let seed = self.seed.wrapping_add(turn << 32);
        let mut groups = Groups::new(self.p, (&offer, self.relax.scale), &near, seed);
        let end = self.budget.work.saturating_add(share);
        while !self.done() && self.budget.work < end {
            if groups.round(&mut plan, &mut self.budget) {
                self.keep(&plan.node_of);
            }
        }
        self.near = near;
    }

    /// Branch and bound against targets ever farther from the bound.
    fn tree_turn(&mut self, domain: &Domain<R>, share: u64) {
        let end = self.budget.work.saturating_add(share);
        let mut step = 1;
        while !self.done() && self.budget.work < end {
            let limit = self.limit().min(self.bound.saturating_add(step));
            let mut part = self.budget.share(end - self.budget.work);
            let found = self.attempt(domain, limit, &mut part);
            self.budget.work += part.work;
            if let Some(plan) = &found.plan {
                self.keep(plan);
            }
            let bound = if found.bound >= self.limit() { self.value } else { found.bound };
            self.raise(bound);
            step *= 2;
        }
    }

    /// One search for plans below `limit`.
    fn attempt(&mut self, domain: &Domain<R>, limit: i64, budget: &mut Budget) -> Found {
        let mut domain = domain.clone();
        let value = self.relax.evaluate(&domain, &self.offer);
        let room = (limit - 1) * self.relax.scale - value;
        let keep = cuts(&mut self.relax, &domain, &self.offer, room);
        budget.work += std::mem::take(&mut self.relax.work);
        if !domain.retain(|k| keep[k]) {
            return Found { plan: None, value: limit, bound: limit };
        }
        Tree::new(self.p, &mut self.relax, domain, self.offer.clone(), limit).run(budget)
    }
}

/// First offers: the second lowest cost of each free task.
fn first_offers<const R: usize>(domain: &Domain<R>, scale: i64) -> Vec<i64> {
    let mut least = vec![(i64::MAX, i64::MAX); domain.count.len()];
    for c in &domain.list {
        let two = &mut least[c.task as usize];
        if c.cost < two.0 {
            *two = (c.cost, two.0);
        } else {
            two.1 = two.1.min(c.cost);
        }
    }
    let offer = |two: &(i64, i64)| if two.1 == i64::MAX { two.0 } else { two.1 };
    let offers = least.iter().map(|two| (offer(two), two.0 < i64::MAX));
    offers.map(|(u, known)| if known { u * scale } else { 0 }).collect()
}

/// Per task, the nodes of the least penalties, best first.
fn near<const R: usize>(p: &Problem<R>, domain: &Domain<R>, penalty: &[i64]) -> Vec<Vec<u32>> {
    let mut all = vec![Vec::new(); p.tasks];
    for j in 0..domain.nodes() {
        for k in domain.of(j) {
            let c = &domain.list[k];
            all[c.task as usize].push((penalty[k], c.cost, j as u32));
        }
    }
    let best = |(i, mut list): (usize, Vec<(i64, i64, u32)>)| {
        list.sort_unstable();
        list.truncate(NEAR);
        let fixed = (domain.node_of[i] != NONE).then_some(domain.node_of[i]);
        fixed.into_iter().chain(list.into_iter().map(|x| x.2)).collect()
    };
    all.into_iter().enumerate().map(best).collect()
}
