//! Parallel machines: jobs that run one at a time on equally fast nodes, so that the last one
//! ends as early as can be. It is `peak` with durations for demands and nodes of equal capacity.

use super::budget::Budget;
use super::engine::Engine;
use super::problem::Problem;
use super::ratio::Ratio;
use crate::stop::Stop;

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
        let budget = Budget::new(stop, work);
        let mut engine = Engine::new(&problem, Ratio::ZERO, budget, seed, &mut nobody);
        engine.run();
        Some(Shared {
            machine: engine.plan.clone(),
            end: engine.value.num / engine.value.den,
            bound: (engine.bound.num + engine.bound.den - 1) / engine.bound.den,
            work: engine.budget.work,
        })
    }
}
