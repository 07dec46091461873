//! Improvement search. `local` takes on every goal under every rule. Where nothing but labels
//! ties tasks to nodes, the first goal may have an engine of its own, see [`Engine`]: for `peak`
//! annealing, then an end-game that re-partitions small groups of nodes exactly, and for small
//! instances a proof by the same means; for `cost` a Lagrangian relaxation and branch and bound;
//! for `nodes` and the prices of nodes alone, cuts from packings of single nodes.
//!
//! Work is counted, and everything that runs in parallel is disjoint and has its own
//! stream of random numbers, so a work limit gives the same plan on any number of threads.

mod anneal;
mod assign;
mod assignment;
mod blocks;
mod bound;
mod budget;
mod closing;
mod completion;
mod construct;
mod cost;
mod engine;
pub mod local;
mod machines;
mod patterns;
mod peak;
mod price;
mod problem;
mod prove;
mod ratio;
mod repair;
mod specialists;
mod subset;
#[cfg(test)]
mod tests;
mod used_nodes;

pub use machines::{Machines, Shared, least_jobs};
pub use specialists::{Better, Engine, Found, Look, Request};

use model::{Instance, Term};

const PACKING: &str = "cuts from packings of single nodes";

/// Every engine there is, in the order of preference.
const ENGINES: [Engine; 4] = [
    Engine {
        term: Term::Peak,
        covers: peak::covers,
        search: peak::search,
        why: "counting and exact packing",
    },
    Engine {
        term: Term::Nodes,
        covers: used_nodes::covers,
        search: used_nodes::search,
        why: PACKING,
    },
    Engine {
        term: Term::Cost,
        covers: used_nodes::covers,
        search: used_nodes::search,
        why: PACKING,
    },
    Engine {
        term: Term::Cost,
        covers: cost::covers,
        search: cost::search,
        why: "Lagrangian relaxation and branch and bound",
    },
];

/// The engine for the first tier of the instance's goal.
pub fn engine(instance: &Instance) -> Option<&'static Engine> {
    let term = instance.goal().tiers[0].only()?;
    ENGINES.iter().find(|engine| engine.term == term && (engine.covers)(instance).is_none())
}
