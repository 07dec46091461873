//! Whether an instance has a plan at all: counting first, then policies, then
//! the integer program without a goal.

use base::error::Result;
use base::stop::Stop;
use engines::bounds::{Bounds, Impossible, impossible};
use engines::policy::{self, Order, Settings};
use ilp::{self, Backend, Exact, Request};
use judge::check::check_plan;
use model::{Classes, Goal, Instance, Plan, Tier};

/// What was found out.
#[derive(Clone, Debug, PartialEq)]
pub enum Feasible {
    /// There is a plan: this one.
    Yes(Plan),
    /// There is none; the proof, where counting gives one.
    No(Option<Impossible>),
    /// Time ran out, or the instance is too large for the solver.
    Unknown,
}

/// Orders that each policy tries.
const ROUNDS: u64 = 6;

/// Decides whether instances have plans.
#[derive(Clone, Copy, Debug)]
pub struct Oracle {
    /// The solver for what neither counting nor policies decide.
    pub backend: Backend,
    /// Its seed.
    pub seed: u64,
}

impl Oracle {
    /// Decides within the time that `stop` leaves.
    ///
    /// # Errors
    /// The solver is missing.
    pub fn feasible(&self, instance: &Instance, stop: &Stop) -> Result<Feasible> {
        if instance.tasks() == 0 {
            return Ok(Feasible::Yes(Plan::empty(0)));
        }
        if let Some(proof) = impossible(instance, &Bounds::of(instance)) {
            return Ok(Feasible::No(Some(proof)));
        }
        if let Some(plan) = self.any_policy(instance, stop) {
            return Ok(Feasible::Yes(plan));
        }
        let classes = Classes::of(instance);
        if classes.variables() > self.backend.sensible_size() || stop.reached() {
            return Ok(Feasible::Unknown);
        }
        // A tier of nothing: any plan will do.
        let goal = Goal { tiers: vec![Tier { terms: Vec::new(), enough: None }] };
        let request = Request {
            instance,
            classes: &classes,
            goal: &goal,
            allow_unplaced: false,
            backend: self.backend,
            gap: 0.0,
            seed: self.seed,
            incumbent: None,
            bounds: Vec::new(),
            failures: Vec::new(),
        };
        let finding = ilp::solve(&request, stop)?;
        Ok(match (finding.plan, finding.exact) {
            (Some(plan), _) => Feasible::Yes(plan),
            (None, Exact::Infeasible) => Feasible::No(None),
            (None, _) => Feasible::Unknown,
        })
    }

    /// The first plan of any policy from any order that places every task.
    fn any_policy(&self, instance: &Instance, stop: &Stop) -> Option<Plan> {
        let policies = ["best-fit", "min-load", "dot-product"];
        for round in 0..ROUNDS {
            let order = match round {
                0 => Order::LargestFirst,
                1 => Order::Input,
                _ => Order::Noisy,
            };
            let seed = self.seed.wrapping_add(round);
            let settings = Settings { seed, ..Settings::default() };
            for policy in policy::choices(&policies) {
                let tasks = order.of(instance, seed);
                let plan = policy::run_until(instance, policy, &settings, &tasks, stop).ok()??;
                let complete = plan.placed() == instance.tasks();
                if complete && check_plan(instance, &plan, false).is_empty() {
                    return Some(plan);
                }
            }
        }
        None
    }
}
