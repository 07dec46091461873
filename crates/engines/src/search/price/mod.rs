//! The cheapest set of nodes that takes all tasks.

mod columns;
mod cuts;
mod engine;
mod knapsack;
mod lower;
mod master;
mod pack;
mod shape;
pub(super) mod simplex;
#[cfg(test)]
mod tests;
mod upper;
mod walk;

pub use engine::Engine;
