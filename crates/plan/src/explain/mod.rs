//! Answers to "why?": why there is no plan and what would change that, why a
//! task is where it is, what holds a plan back.

mod conflict;
mod oracle;
mod plan;
mod repair;
mod task;

pub use conflict::{Conflict, Element, conflict};
pub use oracle::{Feasible, Oracle};
pub use plan::{Binding, PlanWhy, Worth, why_plan};
pub use repair::{Change, Repair, repairs};
pub use task::{NodeWhy, TaskWhy, why_task};

use std::time::Duration;

use base::error::Result;
use base::stop::Stop;
use ilp::Backend;
use model::Instance;

/// Why an instance has no plan.
#[derive(Clone, Debug)]
pub struct NoPlanWhy {
    /// The proof in words, where counting gives one: code and sentence.
    pub certificate: Option<(String, String)>,
    /// A set of tasks, rules and capacities that contradict each other.
    pub conflict: Conflict,
    /// Ways out, the smallest first; each was tried and leads to a plan.
    pub repairs: Vec<Repair>,
}

/// What is known of whether an instance has a plan.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It has one.
    Feasible(model::Plan),
    /// It has none, and this is why.
    Infeasible(Box<NoPlanWhy>),
    /// Neither was found out in time.
    Unknown,
}

/// Finds out whether the instance has a plan, and if not why, and what would help.
/// A third of the time goes to each.
///
/// # Errors
/// The solver is missing.
pub fn explain(
    instance: &Instance,
    backend: Backend,
    seed: u64,
    limit: Duration,
) -> Result<Verdict> {
    let share = |parts: u32| Stop::after(limit / parts);
    let oracle = Oracle { backend, seed };
    let proof = match oracle.feasible(instance, &share(3))? {
        Feasible::Yes(plan) => return Ok(Verdict::Feasible(plan)),
        Feasible::Unknown => return Ok(Verdict::Unknown),
        Feasible::No(proof) => proof,
    };
    let conflict = conflict(instance, &oracle, proof.as_ref(), &share(3))?;
    let repairs = repairs(instance, &oracle, &conflict, &share(3))?;
    Ok(Verdict::Infeasible(Box::new(NoPlanWhy {
        certificate: proof.map(|proof| (proof.code.to_owned(), proof.cause)),
        conflict,
        repairs,
    })))
}
