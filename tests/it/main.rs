//! One binary for every integration test, one module a contract.

mod bad_inputs;
mod checker;
mod cli;
mod explain;
mod formats;
mod golden;
mod helpers;
mod properties;
mod public;
mod readme;
mod shell;
mod snapshots;
mod solvers;
#[cfg(unix)]
mod terminal;
mod tidy;
