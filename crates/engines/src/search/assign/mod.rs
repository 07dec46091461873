//! Search for cheap plans of generalised assignment problems, with proofs: a Lagrangian relaxation
//! whose reduced costs take out most of the candidates, annealing, groups of nodes solved to the end,
//! branch and bound.

mod anneal;
mod ascent;
mod dive;
mod domain;
mod engine;
mod enumerate;
mod groups;
mod plan;
mod problem;
mod relax;
mod round;
mod table;
mod tree;

pub use engine::Engine;
pub use problem::Problem;

#[cfg(test)]
mod tests;
