//! The anytime engine: bound, first plan, annealing, then the end-game against falling targets,
//! with exact proofs for small instances in between.

use super::assignment::Assignment;
use super::blocks;
use super::bound::Counting;
use super::budget::Budget;
use super::closing::Limit;
use super::construct;
use super::problem::Problem;
use super::prove;
use super::ratio::Ratio;
use super::repair::Repair;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// The most tasks for an exact proof.
const SMALL: usize = 64;
/// Rounds of the end-game without progress before the target is raised.
const PATIENCE: u64 = 10;
/// Work that any one target may take; later on, a quarter of all work so far.
const SHARE: u64 = 20_000_000;
const SHARE_PER_TASK: u64 = 100;
/// Moves per task of the first annealing; each later one doubles them.
const PER_TASK: u64 = 20;
/// Heat at which annealing starts and ends, in squared mean demands.
const HEAT: (f64, f64) = (0.03, 1e-4);

/// Heat of the later annealings, which start from the best plan.
const SHAKES: [f64; 3] = [1.0, 0.01, 0.1];

/// Told of every better plan: the plan, its value, the bound by then.
pub type Better<'a> = &'a mut (dyn FnMut(&[u32], Ratio, Ratio) + Send);

pub struct Engine<'a, const R: usize> {
    p: &'a Problem<R>,
    counting: Counting<R>,
    pub bound: Ratio,
    pub value: Ratio,
    pub plan: Vec<u32>,
    pub budget: Budget<'a>,
    better: Better<'a>,
    seed: u64,
    rounds: u64,
    /// Work limit of the next attempt at a proof.
    proof: u64,
}

impl<'a, const R: usize> Engine<'a, R> {
    /// `floor` is a bound known from elsewhere.
    pub fn new(
        p: &'a Problem<R>,
        floor: Ratio,
        budget: Budget<'a>,
        seed: u64,
        better: Better<'a>,
    ) -> Self {
        let counting = Counting::new(p);
        let bound = counting.bound().max(floor);
        let (value, plan) = (Ratio::MAX, Vec::new());
        Engine { p, counting, bound, value, plan, budget, better, seed, rounds: 0, proof: 1 << 18 }
    }

    fn done(&self) -> bool {
        self.value <= self.bound || self.budget.over()
    }

    /// Runs until optimal or out of budget.
    pub fn run(&mut self) {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let Some(start) = construct::greedy(self.p, &mut rng, &|| self.budget.over()) else {
            return;
        };
        let mut s = Assignment::new(self.p, start);
        self.keep(&s);
        self.prove(&mut s);
        if self.done() {
            return;
        }
        let first = self.promising();
        let parts = if first == self.bound { [0.0, 0.5] } else { [0.7, 0.5] };
        for cycle in 0.. {
            if self.done() {
                break;
            }
            let part = parts[cycle % parts.len()];
            let (z, heat) = if cycle == 0 {
                (first, HEAT.0)
            } else {
                s = Assignment::new(self.p, self.plan.clone());
                (self.target(part), SHAKES[cycle % SHAKES.len()])
            };
            self.anneal(&mut s, z, 1 << cycle.min(6), heat);
            let met = self.reach(&mut s, z);
            self.descend(&mut s, if met { 0.5 } else { part.max(0.5) });
            self.prove(&mut s);
        }
    }

    /// The value `part` of the way from the bound to the best plan; the bound itself if no other
    /// attainable value lies between.
    fn target(&self, part: f64) -> Ratio {
        let z = Ratio::between(self.bound, self.value, part);
        let next = self.counting.next_value(self.bound);
        if next.is_none_or(|next| z < next) { self.bound } else { z }
    }

    /// The lowest target that the end-game can be expected to reach, about.
    fn promising(&self) -> Ratio {
        let mut part = 0.0;
        while part < 1.0 {
            let z = self.target(part);
            if Repair::new(self.p, self.p.room(z), 0).promising() {
                return z;
            }
            part = (part * 1.5).max(1e-4);
        }
        self.target(0.5)
    }

    /// Takes the plan if it is the best so far.
    fn keep(&mut self, s: &Assignment<R>) {
        let z = s.peak(self.p);
        if z < self.value || self.plan.is_empty() {
            debug_assert!(self.p.peak(&s.node_of) == z, "the loads are not those of the plan");
            (self.value, self.plan) = (z, s.node_of.clone());
            (self.better)(&self.plan, self.value, self.bound);
        }
    }

    fn anneal(&mut self, s: &mut Assignment<R>, z: Ratio, effort: u64, heat: f64) {
        self.rounds += 1;
        let seed = self.seed.wrapping_mul(31).wrapping_add(self.rounds << 20);
        let room = self.p.room(z);
        blocks::anneal(self.p, s, &room, PER_TASK * effort, (heat, HEAT.1), seed, &mut self.budget);
        self.keep(s);
    }

    /// End-game against targets ever nearer to the best value, from `part` of the way on.
    fn descend(&mut self, s: &mut Assignment<R>, mut part: f64) {
        while !self.done() && part < 0.95 {
            let z = self.target(part);
            if !self.reach(s, z) {
                part = (1.0 + part) / 2.0;
            }
        }
    }

    /// Rounds of the end-game against one target, until it is met or nothing moves any more.
    fn reach(&mut self, s: &mut Assignment<R>, z: Ratio) -> bool {
        let mut repair = Repair::new(self.p, self.p.room(z), self.seed);
        let (mut least, mut idle) = (repair.excess(s), 0);
        let enough = self.budget.work
            + SHARE.max(self.budget.work / 4).max(SHARE_PER_TASK * self.p.tasks() as u64);
        let mut mark = least;
        while least > 0 && idle < PATIENCE && self.budget.work < enough && !self.budget.over() {
            self.rounds += 1;
            let round = repair.round(s, self.rounds);
            self.budget.work += round.work;
            self.keep(s);
            let now = repair.excess(s);
            least = least.min(now);
            idle += 1;
            if least < mark - mark / 10 {
                (mark, idle) = (least, 0);
            }
        }
        least == 0
    }

    /// Tries to settle a small instance exactly; each attempt may work four times as long.
    fn prove(&mut self, s: &mut Assignment<R>) {
        if self.p.tasks() > SMALL || self.done() {
            return;
        }
        let limit = Limit {
            work: self.proof.min(self.budget.left()),
            until: Some(self.budget.until()),
            ..Limit::PROOF
        };
        let found = prove::raise(self.p, &self.counting, self.bound, self.value, limit);
        self.budget.work += found.work;
        self.proof = self.proof.saturating_mul(8);
        self.bound = self.bound.max(found.bound);
        if let Some(plan) = found.plan {
            *s = Assignment::new(self.p, plan);
            self.keep(s);
        }
    }
}
