//! The only place that knows which solvers exist.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use good_lp::solvers::lp_solvers::{CbcSolver, GlpkSolver, GurobiSolver, WithMaxSeconds};
use good_lp::{Expression, ProblemVariables, Solver, SolverModel, variable};

use super::external::{self, HighsExecutable, Scip};
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

/// A row of the solver table.
pub struct BackendInfo {
    /// The solver.
    pub backend: Backend,
    /// The name used in flags.
    pub name: &'static str,
    /// One line of help.
    pub help: &'static str,
}

/// Every solver that can be named.
pub const BACKENDS: &[BackendInfo] = &[
    BackendInfo {
        backend: Backend::Microlp,
        name: "microlp",
        help: "embedded, pure Rust: small models",
    },
    BackendInfo {
        backend: Backend::Highs,
        name: "highs",
        help: "embedded when built with `--features highs`",
    },
    BackendInfo {
        backend: Backend::HighsExecutable,
        name: "highs-exe",
        help: "the executable `highs` (or STOWPLAN_HIGHS), as in PyPI's highsbox",
    },
    BackendInfo {
        backend: Backend::Cbc,
        name: "cbc",
        help: "the executable `cbc` (Debian coinor-cbc)",
    },
    BackendInfo {
        backend: Backend::Glpk,
        name: "glpk",
        help: "the executable `glpsol` (Debian glpk-utils)",
    },
    BackendInfo {
        backend: Backend::Gurobi,
        name: "gurobi",
        help: "the executable `gurobi_cl`, with a licence",
    },
    BackendInfo { backend: Backend::Scip, name: "scip", help: "the executable `scip`" },
];

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
    /// The strongest embedded solver of this build.
    pub fn default_of_build() -> Backend {
        if cfg!(feature = "highs") { Backend::Highs } else { Backend::Microlp }
    }

    /// The name used in flags.
    pub fn name(self) -> &'static str {
        BACKENDS.iter().find(|row| row.backend == self).map_or("", |row| row.name)
    }

    /// The solver of that name.
    ///
    /// # Errors
    /// An unknown name, with the nearest known one.
    pub fn parse(name: &str) -> Result<Backend> {
        BACKENDS.iter().find(|row| row.name == name).map(|row| row.backend).ok_or_else(|| {
            let known: Vec<&str> = BACKENDS.iter().map(|row| row.name).collect();
            Error::unknown("solver", name, &known)
        })
    }

    /// Looks whether the solver can be used here.
    pub fn availability(self) -> Availability {
        match self {
            Backend::Microlp => Availability::Embedded("microlp 0.6".to_owned()),
            Backend::Highs if cfg!(feature = "highs") => {
                Availability::Embedded("HiGHS 1.15".to_owned())
            }
            Backend::Highs => Availability::Missing(
                "this build has no HiGHS: build with `--features highs`, or use highs-exe"
                    .to_owned(),
            ),
            Backend::HighsExecutable => external::locate_highs(),
            Backend::Cbc => external::locate("cbc"),
            Backend::Glpk => external::locate("glpsol"),
            Backend::Gurobi => external::locate("gurobi_cl"),
            Backend::Scip => external::locate("scip"),
        }
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
        match self {
            Backend::Microlp => 2_000,
            Backend::Glpk => 10_000,
            Backend::Highs
            | Backend::HighsExecutable
            | Backend::Cbc
            | Backend::Gurobi
            | Backend::Scip => 100_000,
        }
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
fn assemble<S: Solver>(program: &Program, solver: S) -> (S::Model, Vec<good_lp::Variable>) {
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
    catch_unwind(AssertUnwindSafe(|| ask(backend, program, start, effort)))
        .unwrap_or_else(|_| Err(failed(backend.name(), "it broke off")))
}

fn ask(
    backend: Backend,
    program: &Program,
    start: Option<&[f64]>,
    effort: Effort,
) -> Result<Answer> {
    let seconds = effort.time.as_secs_f64().ceil().clamp(1.0, 1e9) as u32;
    match backend {
        Backend::Microlp => microlp(program, start, effort),
        Backend::Highs => highs(program, effort),
        Backend::HighsExecutable => {
            let tool = HighsExecutable::new(effort)?;
            external::solve(backend, program, start, tool, assemble)
        }
        Backend::Cbc => {
            let tool = CbcSolver::new().with_max_seconds(seconds);
            external::solve(backend, program, start, tool, assemble)
        }
        Backend::Glpk => {
            let tool = GlpkSolver::new().with_max_seconds(seconds);
            external::solve(backend, program, start, tool, assemble)
        }
        Backend::Gurobi => external::solve(backend, program, start, GurobiSolver::new(), assemble),
        Backend::Scip => external::solve(backend, program, start, Scip::new(effort), assemble),
    }
}

/// Through good_lp's model, but solved by microlp's own call: good_lp drops the
/// bound and knows no node limit.
fn microlp(program: &Program, start: Option<&[f64]>, effort: Effort) -> Result<Answer> {
    let (model, _) = assemble(program, good_lp::solvers::microlp::microlp);
    let mut options = ::microlp::SolveOptions::default();
    options.mip_gap = effort.gap;
    options.time_limit = Some(effort.time);
    // Its tree keeps an LP basis a node: bound the memory, not only the time.
    let node = (program.columns.len() + program.rows.len()) as u64 * 4;
    options.node_limit = Some((1_000_000_000 / node.max(1)).max(1_000));
    options.warm_start = start.map(|point| {
        // microlp's variables are positions in order of creation, which good_lp
        // keeps; a scratch problem hands out the same ones.
        let mut scratch = ::microlp::Problem::new(::microlp::OptimizationDirection::Minimize);
        point.iter().map(|x| (scratch.add_var(0.0, (0.0, 0.0)), *x)).collect()
    });
    let outcome = match model.as_inner().solve_with(options) {
        Ok(outcome) => outcome,
        Err(::microlp::Error::Infeasible) => {
            return Ok(Answer { infeasible: true, complete: true, ..Answer::default() });
        }
        Err(other) => return Err(failed("microlp", &other.to_string())),
    };
    let complete = outcome.is_optimal();
    let bound = outcome.stats().best_bound.filter(|bound| bound.is_finite());
    let point = outcome.solution().map(|solution| solution.iter().map(|(_, x)| x).collect());
    Ok(Answer { point, bound, infeasible: false, complete })
}

/// A solver failed. Some add all that it printed, of which the first line is enough.
pub(super) fn failed(solver: &str, what: &str) -> Error {
    let line: String = what.lines().next().unwrap_or_default().chars().take(200).collect();
    Error::new(Kind::Solver, format!("{solver} failed: {line}"))
        .help("try another one with --solver, or --method min-load")
}

#[cfg(not(feature = "highs"))]
fn highs(_: &Program, _: Effort) -> Result<Answer> {
    Backend::Highs.ensure().map(|()| Answer::default())
}

/// Through good_lp's model, but solved by the highs crate's own call: good_lp
/// drops the bound. One thread, so that a seed gives one answer. It is given no start: HiGHS 1.15
/// calls some starts optimal that are not, with and without presolve; without a start it was never
/// seen to.
#[cfg(feature = "highs")]
fn highs(program: &Program, effort: Effort) -> Result<Answer> {
    use ::highs::{HighsModelStatus, HighsSolutionStatus};

    let (model, _) = assemble(program, good_lp::solvers::highs::highs);
    let broken = |what: String| failed("HiGHS", &what);
    let mut model = model.try_into_inner().map_err(|e| broken(e.to_string()))?;
    model.make_quiet();
    let set = |model: &mut ::highs::Model, name: &str, value: f64| {
        model.try_set_option(name, value).map_err(|e| broken(format!("option {name}: {e:?}")))
    };
    set(&mut model, "time_limit", effort.time.as_secs_f64())?;
    set(&mut model, "mip_rel_gap", effort.gap)?;
    set(&mut model, "mip_abs_gap", 0.0)?;
    set(&mut model, "mip_feasibility_tolerance", 1e-9)?;
    for (name, value) in [("threads", 1), ("random_seed", (effort.seed % 1_000_000) as i32)] {
        model.try_set_option(name, value).map_err(|e| broken(format!("option {name}: {e:?}")))?;
    }
    let solved = model.try_solve().map_err(|e| broken(format!("{e:?}")))?;
    let status = solved.status();
    let integer = program.columns.iter().any(|column| column.integer);
    let bound = if integer {
        solved.double_info_value(c"mip_dual_bound").ok()
    } else {
        (status == HighsModelStatus::Optimal).then(|| solved.objective_value())
    };
    let feasible = solved.primal_solution_status() == HighsSolutionStatus::Feasible;
    let infeasible =
        matches!(status, HighsModelStatus::Infeasible | HighsModelStatus::UnboundedOrInfeasible);
    Ok(Answer {
        point: (feasible && !infeasible).then(|| solved.get_solution().columns().to_vec()),
        bound: bound.filter(|b| b.is_finite() && b.abs() < 1e29 && !infeasible),
        infeasible,
        complete: status == HighsModelStatus::Optimal,
    })
}
