//! One binary for every integration test, one module a contract.

mod bad_inputs;
mod browser;
mod brute;
mod checker;
mod cli;
mod explain;
mod export;
mod extremes;
mod formats;
mod fuzz;
mod golden;
mod helpers;
mod history;
mod kubernetes;
mod left_out;
mod numbers;
mod parts;
mod properties;
mod public;
mod readme;
mod repairs;
mod replan;
mod risk;
mod roundtrip;
mod shell;
mod slurm;
mod snapshots;
mod solvers;
mod survive;
mod targets;
#[cfg(unix)]
mod terminal;
mod tidy;
mod timed;
mod timed_ilp;
mod timed_mixed;
