//! The command line: one file a command. The only place that prints.

mod check;
mod clock;
mod compare;
mod convert;
mod demo;
mod explain;
mod export;
mod generate;
mod goal;
mod input;
mod judged;
mod learn;
mod lists;
mod merge;
mod output;
mod params;
mod progress;
mod replan;
mod schema;
mod shell;
mod solve;
mod split;
mod survive;
mod sweep;
mod whatif;

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

use base::error::{Error, Kind};
pub use output::complaint;

/// Exit code when there is no plan, or a check or comparison failed.
const FAILED: u8 = 1;
/// Exit code when the input or the command line is wrong, or writing failed.
const WRONG: u8 = 2;
/// Exit code when no plan was found in time and none was proven impossible.
const NOTHING_FOUND: u8 = 3;
/// Exit code when interrupted with nothing in hand.
const INTERRUPTED: u8 = 130;

const EXIT_CODES: &str = "\
Exit codes:
  0    a plan was found, the check passed, the comparison held, every failure is survived
  1    there is no plan, the check or comparison failed, or a failure is not survived
  2    the input or the command line is wrong, or writing failed
  3    stopped before any plan was found
  130  interrupted with nothing in hand

Start here:
  stowplan solve data/train-jobs.json
  stowplan solve --tasks tasks.csv --nodes nodes.csv --output json";

/// Plan which task runs on which node, and prove how good the plan is.
#[derive(Debug, Parser)]
#[command(name = "stowplan", version, after_help = EXIT_CODES, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Place every task on a node and print the plan with its bound
    Solve(solve::Args),
    /// Plan anew from where tasks run: few moves, in an order that works
    Replan(replan::Args),
    /// Compare scenarios: nodes fail, demands grow, tasks come
    WhatIf(whatif::Args),
    /// Check a plan against every rule, independently of what made it
    Check(check::Args),
    /// Explain why there is no plan and what would help, or why a plan is as it is
    Explain(explain::Args),
    /// Check whether a plan survives node failures
    Survive(survive::Args),
    /// Compare methods on instances, for CI too
    Compare(compare::Args),
    /// Estimate durations and demands from past runs
    Learn(learn::Args),
    /// Generate a random instance
    Generate(generate::Args),
    /// Write an instance in another format
    Convert(convert::Args),
    /// Write what other programs read: LP, MPS, Bindings, scripts for Slurm and kubectl
    Export(export::Args),
    /// Split an instance into parts to solve separately
    Split(split::Args),
    /// Merge the plans of all parts, improve the result, and bound it
    Merge(merge::Args),
    /// Run `solve` with many settings, or print the commands for a cluster to run
    Sweep(sweep::Args),
    /// Write small instances and say what to try
    Demo(demo::Args),
    /// List placement policies, orders and methods
    Policies,
    /// List integer programming solvers and which of them this machine has
    Solvers,
    /// Print the JSON Schema of instances, plans or what `survive` says
    Schema(schema::Args),
    /// Print a shell's completions of commands and options
    Completions(shell::CompletionsArgs),
    /// Print the manual page, or write those of all commands
    Man(shell::ManArgs),
}

/// Parses the command line, runs it and says how it went.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            return ExitCode::from(shell::welcome());
        }
        Err(error) => {
            // Help and version are answers, not errors.
            let code = match (error.use_stderr(), error.print()) {
                (false, Ok(())) => 0,
                _ => WRONG,
            };
            return ExitCode::from(code);
        }
    };
    let result = match cli.command {
        Command::Solve(args) => solve::run(args),
        Command::Replan(args) => replan::run(args),
        Command::WhatIf(args) => whatif::run(args),
        Command::Check(args) => check::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Survive(args) => survive::run(args),
        Command::Compare(args) => compare::run(args),
        Command::Learn(args) => learn::run(args),
        Command::Generate(args) => generate::run(args),
        Command::Convert(args) => convert::run(args),
        Command::Demo(args) => demo::run(args),
        Command::Export(args) => export::run(args),
        Command::Split(args) => split::run(args),
        Command::Merge(args) => merge::run(args),
        Command::Sweep(args) => sweep::run(args),
        Command::Policies => lists::policies(),
        Command::Solvers => lists::solvers(),
        Command::Schema(args) => schema::run(args),
        Command::Completions(args) => shell::completions(args),
        Command::Man(args) => shell::man(args),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            output::complain(&error);
            ExitCode::from(exit_code(error.kind))
        }
    }
}

/// What kind of failure leads to which exit code.
fn exit_code(kind: Kind) -> u8 {
    match kind {
        Kind::Input | Kind::Usage | Kind::Io => WRONG,
        Kind::Solver => NOTHING_FOUND,
        Kind::Idle => 0,
    }
}

/// Results of a command: its exit code.
type Done = std::result::Result<u8, Error>;
