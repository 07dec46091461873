//! Solvers for integer programs: one file each, and the only list of them.

mod cbc;
mod external;
mod glpk;
mod gurobi;
mod highs;
mod highs_executable;
mod microlp;
mod scip;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use good_lp::{Expression, ProblemVariables, SolverModel, variable};

use super::program::{Program, Row, Sense};
use base::error::{Error, Kind, Result};

/// A solver for integer programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// microlp, part of every build.
    Microlp,
    /// HiGHS, part of builds with the feature `highs`.
    Highs,
    /// HiGHS's own executable.
    HighsExecutable,
    /// COIN-OR CBC's executable.
    Cbc,
    /// GLPK's `glpsol`.
    Glpk,
    /// Gurobi's `gurobi_cl`.
    Gurobi,
    /// SCIP's executable.
    Scip,
}

/// What a solver can do.
trait Solver: Sync {
    /// The name used in flags.
    fn name(&self) -> &'static str;

    /// One line of help.
    fn help(&self) -> &'static str;

    /// Looks whether it can be used here.
    fn availability(&self) -> Availability;

    /// How many count variables `auto` hands to it at most: beyond, it finds and proves nothing
    /// within minutes.
    fn sensible_size(&self) -> usize {
        100_000
    }

    /// Solves the program within the effort. `start` is a feasible point that it may begin from.
    ///
    /// # Errors
    /// It is missing, failed, or cannot take the program.
    fn solve(&self, program: &Program, start: Option<&[f64]>, effort: Effort) -> Result<Answer>;
}

/// Whether a solver can be used on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Availability {
    /// Part of this program, with its version.
    Embedded(String),
    /// An executable at this path.
    Found(String),
    /// What is missing.
    Missing(String),
}

impl Backend {
    /// Every solver that can be named, in the order in which they are listed.
    pub const ALL: [Backend; 7] = [
        Backend::Microlp,
        Backend::Highs,
        Backend::HighsExecutable,
        Backend::Cbc,
        Backend::Glpk,
        Backend::Gurobi,
        Backend::Scip,
    ];

    /// The strongest embedded solver of this build.
    pub fn default_of_build() -> Backend {
        if cfg!(feature = "highs") { Backend::Highs } else { Backend::Microlp }
    }

    fn solver(self) -> &'static dyn Solver {
        match self {
            Backend::Microlp => &microlp::Microlp,
            Backend::Highs => &highs::Highs,
            Backend::HighsExecutable => &highs_executable::HighsExecutable,
            Backend::Cbc => &cbc::Cbc,
            Backend::Glpk => &glpk::Glpk,
            Backend::Gurobi => &gurobi::Gurobi,
            Backend::Scip => &scip::Scip,
        }
    }

    /// The name used in flags.
    pub fn name(self) -> &'static str {
        self.solver().name()
    }

    /// One line of help.
    pub fn help(self) -> &'static str {
        self.solver().help()
    }

    /// The solver of that name.
    ///
    /// # Errors
    /// An unknown name, with the nearest known one.
    pub fn parse(name: &str) -> Result<Backend> {
        Backend::ALL
            .into_iter()
            .find(|backend| backend.name() == name)
            .ok_or_else(|| Error::unknown("solver", name, &Backend::ALL.map(Backend::name)))
    }

    /// Looks whether the solver can be used here.
    pub fn availability(self) -> Availability {
        self.solver().availability()
    }

    /// # Errors
    /// The solver is not on this machine.
    pub fn ensure(self) -> Result<()> {
        match self.availability() {
            Availability::Missing(what) => {
                Err(Error::usage(format!("solver `{}` is not available: {what}", self.name()))
                    .help("`stowplan solvers` lists what this machine has"))
            }
            Availability::Embedded(_) | Availability::Found(_) => Ok(()),
        }
    }

    /// How many count variables `auto` hands to this solver at most: beyond,
    /// it finds and proves nothing within minutes.
    pub fn sensible_size(self) -> usize {
        self.solver().sensible_size()
    }
}

/// What a solver says of a program.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    /// A value per column, when a feasible point was found.
    pub(super) point: Option<Vec<f64>>,
    /// No point has a lower objective. A completed search without a bound proves
    /// the value of its point.
    pub(super) bound: Option<f64>,
    /// The solver claims that no point exists.
    pub(super) infeasible: bool,
    /// The search was completed.
    pub(super) complete: bool,
}

/// Bounds on one run of a solver.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effort {
    pub(super) time: Duration,
    /// Relative gap at which to stop.
    pub(super) gap: f64,
    pub(super) seed: u64,
}

/// Builds the program in good_lp, whatever the solver.
fn assemble<S: good_lp::Solver>(
    program: &Program,
    solver: S,
) -> (S::Model, Vec<good_lp::Variable>) {
    let mut variables = ProblemVariables::new();
    let mut objective = Expression::with_capacity(program.columns.len());
    let mut columns = Vec::with_capacity(program.columns.len());
    for column in &program.columns {
        let mut definition = variable().min(column.lower);
        if column.upper.is_finite() {
            definition = definition.max(column.upper);
        }
        if column.integer {
            definition = definition.integer();
        }
        let variable = variables.add(definition);
        if column.cost != 0.0 {
            objective.add_mul(column.cost, variable);
        }
        columns.push(variable);
    }
    let mut model = variables.minimise(objective).using(solver);
    for row in &program.rows {
        let by = scale(row);
        let mut left = Expression::with_capacity(row.terms.len());
        for (col, a) in &row.terms {
            left.add_mul(*a * by, columns[*col as usize]);
        }
        model.add_constraint(match row.sense {
            Sense::AtMost => left.leq(row.rhs * by),
            Sense::Equal => left.eq(row.rhs * by),
        });
    }
    (model, columns)
}

/// Factors of a row above which doubles round by more than solvers tolerate in a row.
const LARGE: f64 = (1u32 << 20) as f64;

/// The power of two that makes a row of large factors moderate: what is feasible stays feasible.
fn scale(row: &Row) -> f64 {
    let size = row.terms.iter().map(|(_, a)| a.abs()).fold(0.0, f64::max);
    if size > LARGE { (LARGE / size).log2().floor().exp2() } else { 1.0 }
}

/// Solves the program within the effort. `start` is a feasible point that the
/// solver may begin from.
///
/// # Errors
/// The solver is missing, failed, or cannot take the program.
pub(super) fn solve(
    backend: Backend,
    program: &Program,
    start: Option<&[f64]>,
    effort: Effort,
) -> Result<Answer> {
    // Solvers and the readers of their answers are not ours: where one panics, it has failed.
    catch_unwind(AssertUnwindSafe(|| backend.solver().solve(program, start, effort)))
        .unwrap_or_else(|_| Err(failed(backend.name(), "it broke off")))
}

/// A solver failed. Some add all that it printed, of which the first line is enough.
fn failed(solver: &str, what: &str) -> Error {
    let line: String = what.lines().next().unwrap_or_default().chars().take(200).collect();
    Error::new(Kind::Solver, format!("{solver} failed: {line}"))
        .help("try another one with --solver, or --method min-load")
}
