//! Plans: cheap choices of nodes with a little more room than the cuts ask for, packed.
//!
//! How much more is drawn at random for each cut, up to a limit that falls when choices get too
//! dear and rises when they cannot be packed: so it hovers where plans are just possible.

use super::super::budget::Budget;
use super::super::problem::Problem;
use super::cuts::Cut;
use super::master::{Choice, Master};
use super::pack::{Effort, pack};
use super::shape::Shape;
use base::stop::Stop;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// Trials that run side by side.
const SIDE: u64 = 2;
/// Floating point operations for one choice.
const CHOICE: u64 = 40_000_000;
/// Floating point operations per unit of work.
pub const FLOPS: u64 = 16;
/// The slack to begin with and its limits, as a part of the totals.
const SLACK: (f64, f64, f64) = (0.01, 1e-4, 4.0);

/// By how much slack rises after a failure, later on; at first it doubles.
const LEAST_RISE: f64 = 0.15;

/// The search for plans.
pub struct Upper {
    /// Limit of the slack drawn.
    slack: f64,
    rounds: u64,
    seed: u64,
}

/// What a trial came to.
enum Trial {
    /// A plan on nodes of that price.
    Plan(i64, Vec<u32>),
    /// No choice below the price asked for.
    Dear,
    /// The choice could not be packed.
    Unpacked,
}

/// The best plan of a round and the work it took.
pub struct Round {
    pub plan: Option<Vec<u32>>,
    pub work: u64,
}

impl Upper {
    pub fn new(seed: u64) -> Self {
        Upper { slack: SLACK.0, rounds: 0, seed }
    }

    /// Some trials for plans cheaper than `below`.
    pub fn round<const R: usize>(
        &mut self,
        p: &Problem<R>,
        shape: &Shape<R>,
        cuts: &[Cut],
        below: i64,
        stop: &Stop,
    ) -> Round {
        self.rounds += 1;
        let rise = 1.0 + (4.0 / (3.0 + self.rounds as f64)).max(LEAST_RISE);
        let this = &*self;
        let trial = |k: u64| this.trial(p, shape, cuts, below, k, stop);
        let found: Vec<(Trial, u64)> = (0..SIDE).into_par_iter().map(trial).collect();
        let mut round = Round { plan: None, work: 0 };
        let mut best = i64::MAX;
        for (trial, work) in found {
            round.work += work;
            let factor = match trial {
                Trial::Plan(price, plan) => {
                    if price < best {
                        (best, round.plan) = (price, Some(plan));
                    }
                    0.8
                }
                Trial::Dear => 0.8,
                Trial::Unpacked => rise,
            };
            self.slack = (self.slack * factor).clamp(SLACK.1, SLACK.2);
        }
        round
    }

    fn trial<const R: usize>(
        &self,
        p: &Problem<R>,
        shape: &Shape<R>,
        cuts: &[Cut],
        below: i64,
        k: u64,
        stop: &Stop,
    ) -> (Trial, u64) {
        let seed = self.seed ^ (self.rounds * SIDE + k).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut master = Master::new(shape);
        let even = rng.random_range(0..3u32) == 0;
        for cut in cuts {
            let share = if even { 1.0 } else { rng.random::<f64>() };
            master.add(cut.with_slack(shape, self.slack * share));
        }
        let choice = match master.cheapest(below, CHOICE, &|| stop.reached()) {
            Choice::Found(x) => Some(x),
            Choice::Nothing => None,
            Choice::Limit => master.rounded(),
        };
        let work = 1 + master.work() / FLOPS;
        let Some(x) = choice.filter(|x| master.price(x) < below) else {
            return (Trial::Dear, work);
        };
        let mut budget = Budget::new(stop, u64::MAX);
        budget.work = work;
        let times = 1 + (self.rounds / 16).min(20);
        let packed = pack(p, &shape.nodes(&x), Effort::of(times), seed, &mut budget);
        let trial = packed.map_or(Trial::Unpacked, |plan| Trial::Plan(master.price(&x), plan));
        (trial, budget.work)
    }
}
