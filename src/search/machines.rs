//! Parallel machines: jobs that run one at a time on equally fast nodes, so that the last one
//! ends as early as can be. It is `peak` with durations for demands and nodes of equal capacity.

use super::budget::Budget;
use super::engine::Engine;
use super::patterns::Patterns;
use super::problem::Problem;
use super::ratio::Ratio;
use crate::stop::Stop;

/// Work of a first look.
const QUICK: u64 = 8_000_000;

/// What runs where.
pub struct Machines<'a> {
    /// Seconds of each job.
    pub seconds: &'a [i64],
    /// Seconds from which on each machine is free.
    pub free_from: &'a [i64],
    /// Kind of each job.
    pub kind: Vec<u16>,
    /// Which machines each kind may run on; empty when all may run on all.
    pub allowed: Vec<Vec<bool>>,
}

/// What was found.
pub struct Shared {
    /// The machine of each job.
    pub machine: Vec<u32>,
    /// When the last one ends, base loads included.
    pub end: i64,
    /// Proven: nothing ends earlier.
    pub bound: i64,
    /// Work units used.
    pub work: u64,
}

impl Machines<'_> {
    /// Looks for the earliest end; `None` when no machine takes some job.
    pub fn share(&self, seed: u64, work: u64, stop: &Stop) -> Option<Shared> {
        let problem = Problem::<1> {
            demand: self.seconds.iter().map(|seconds| [*seconds]).collect(),
            cap: vec![[1]; self.free_from.len()],
            used: self.free_from.iter().map(|from| [*from]).collect(),
            kind: self.kind.clone(),
            allowed: self.allowed.clone(),
        };
        let open = |kind: &Vec<bool>| kind.iter().any(|may| *may);
        if self.free_from.is_empty() || !self.allowed.iter().all(open) {
            return None;
        }
        let mut nobody = |_: &[u32], _, _| {};
        let found = |engine: &Engine<1>, before: u64| Shared {
            machine: engine.plan.clone(),
            end: engine.value.num / engine.value.den,
            bound: (engine.bound.num + engine.bound.den - 1) / engine.bound.den,
            work: before + engine.budget.work,
        };
        // Most are solved at once; the others need a better bound to aim at.
        let first = Budget::new(stop, work.min(QUICK));
        let mut engine = Engine::new(&problem, Ratio::ZERO, first, seed, &mut nobody);
        engine.run();
        let quick = found(&engine, 0);
        if quick.end <= quick.bound || quick.work >= work || stop.reached() {
            return Some(quick);
        }
        let mut budget = Budget::new(stop, (work - quick.work) / 2);
        let equal = self.allowed.is_empty() && self.free_from.iter().all(|from| *from == 0);
        let patterns = equal.then(|| Patterns::new(self.seconds, self.free_from.len(), quick.end));
        let bound = match patterns.flatten() {
            Some(mut patterns) => patterns.bound(quick.bound, quick.end, &mut budget),
            None => quick.bound,
        };
        let used = quick.work + budget.work;
        if quick.end <= bound {
            return Some(Shared { bound, work: used, ..quick });
        }
        let rest = Budget::new(stop, work.saturating_sub(used));
        let floor = Ratio { num: bound, den: 1 };
        let mut engine = Engine::new(&problem, floor, rest, seed.wrapping_add(1), &mut nobody);
        engine.run();
        let long = found(&engine, used);
        Some(match long.end <= quick.end {
            true => long,
            false => Shared { bound: long.bound, work: long.work, ..quick },
        })
    }
}
