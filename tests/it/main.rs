//! One binary for every integration test, one module a contract.

mod bad_inputs;
mod checker;
mod cli;
mod explain;
mod formats;
mod golden;
mod helpers;
mod parts;
mod properties;
mod public;
mod readme;
mod snapshots;
mod solvers;
mod tidy;
