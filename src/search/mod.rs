//! Improvement search. For the goal `peak` on tasks that nothing but labels ties
//! to nodes: annealing, then an end-game that re-partitions small groups of nodes
//! exactly, and for small instances a proof by the same means.
//!
//! Work is counted, and everything that runs in parallel is disjoint and has its own
//! stream of random numbers, so a work limit gives the same plan on any number of threads.

mod anneal;
mod assignment;
mod blocks;
mod bound;
mod budget;
mod closing;
mod construct;
mod engine;
pub mod local;
mod peak;
mod problem;
mod prove;
mod ratio;
mod repair;
mod subset;
#[cfg(test)]
mod tests;

pub use peak::{Better, Found, Look, Request, covers, search};
