//! Solvers that are programs of their own, through good_lp's `lp-solvers`.
//! good_lp keeps neither their status nor their bound, so each is wrapped in a
//! recorder that notes both on the way past.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use good_lp::solvers::lp_solvers::{
    LpSolver, Model as ExternalModel, Solution as Found, SolverProgram, SolverWithSolutionParsing,
    Status,
};
use good_lp::{ResolutionError, Solution, SolverModel};
use lp_solvers::lp_format::{AsVariable, LpProblem};

use super::{Answer, Availability, Backend, assemble, failed};
use crate::program::{Label, Program, Row, Sense};
use base::error::Result;

/// Notes what good_lp forgets.
#[derive(Clone)]
pub(super) struct Recorder<T> {
    tool: T,
    notes: Rc<RefCell<Notes>>,
}

#[derive(Default)]
struct Notes {
    status: Option<Status>,
    bound: Option<f64>,
}

impl<T: SolverProgram> SolverProgram for Recorder<T> {
    fn command_name(&self) -> &str {
        self.tool.command_name()
    }

    fn arguments(&self, lp_file: &Path, solution_file: &Path) -> Vec<OsString> {
        self.tool.arguments(lp_file, solution_file)
    }

    fn preferred_temp_solution_file(&self) -> Option<&Path> {
        self.tool.preferred_temp_solution_file()
    }

    fn parse_stdout_status(&self, stdout: &[u8]) -> Option<Status> {
        let text = String::from_utf8_lossy(stdout);
        self.notes.borrow_mut().bound = stated_bound(&text);
        self.tool.parse_stdout_status(stdout)
    }

    fn solution_suffix(&self) -> Option<&str> {
        self.tool.solution_suffix()
    }
}

impl<T: SolverWithSolutionParsing> SolverWithSolutionParsing for Recorder<T> {
    fn read_specific_solution<'a, P: LpProblem<'a>>(
        &self,
        file: &File,
        problem: Option<&'a P>,
    ) -> std::result::Result<Found, String> {
        let found = self.tool.read_specific_solution(file, problem)?;
        self.notes.borrow_mut().status = Some(found.status.clone());
        Ok(found)
    }
}

/// The last bound in a solver's log: CBC's "Lower bound:", HiGHS's and SCIP's
/// "Dual bound", Gurobi's "best bound".
fn stated_bound(log: &str) -> Option<f64> {
    let after = |line: &str, mark: &str| {
        let at = line.to_ascii_lowercase().find(mark)?;
        let rest = line[at + mark.len()..].trim_start_matches([' ', ':', '=']);
        let number = rest.split([' ', ',', '\t', ')']).next()?;
        number.parse::<f64>().ok().filter(|bound| bound.is_finite() && bound.abs() < 1e19)
    };
    let marks = ["lower bound", "dual bound", "best bound"];
    log.lines().rev().find_map(|line| marks.iter().find_map(|mark| after(line, mark)))
}

/// Runs an external solver on the program.
///
/// # Errors
/// The program cannot be started or its answer cannot be read.
pub(super) fn solve<T>(
    backend: Backend,
    program: &Program,
    start: Option<&[f64]>,
    tool: T,
) -> Result<Answer>
where
    T: SolverProgram + SolverWithSolutionParsing + Clone,
{
    backend.ensure()?;
    let notes = Rc::new(RefCell::new(Notes::default()));
    let recorder = Recorder { tool, notes: Rc::clone(&notes) };
    let limited = with_cutoff(program, start);
    let (model, columns): (ExternalModel<Recorder<T>>, _) = assemble(&limited, LpSolver(recorder));
    let result = model.solve();
    let notes = notes.borrow();
    let solution = match result {
        Ok(solution) => solution,
        Err(ResolutionError::Infeasible) => {
            return Ok(Answer { infeasible: true, complete: true, ..Answer::default() });
        }
        // Out of time with nothing in hand: no answer, but no failure either.
        Err(ResolutionError::Other(_)) => {
            return Ok(Answer { bound: notes.bound, ..Answer::default() });
        }
        Err(other) => return Err(failed(backend.name(), &other.to_string())),
    };
    let point: Vec<f64> = columns.iter().map(|column| solution.value(*column)).collect();
    // These points come back in single precision, and GLPK's continuous columns
    // not at all: only the counts in them are used. What a completed search
    // proves is the value of the plan that they stand for.
    let complete = notes.status == Some(Status::Optimal);
    let bound = if complete { None } else { notes.bound };
    Ok(Answer { bound, point: Some(point), infeasible: false, complete })
}

/// External solvers take no start, so the best known value becomes a row.
fn with_cutoff(program: &Program, start: Option<&[f64]>) -> Program {
    let mut limited = program.clone();
    if program.columns.iter().all(|column| column.cost == 0.0) {
        // Not every solver reads an objective without terms.
        let nothing = limited.column(0.0, 0.0, false) as usize;
        limited.columns[nothing].cost = 1.0;
        return limited;
    }
    if let Some(start) = start {
        let costs = program.columns.iter().enumerate().filter(|(_, c)| c.cost != 0.0);
        let terms: Vec<_> = costs.map(|(col, c)| (col as u32, c.cost)).collect();
        let value: f64 = terms.iter().map(|(col, cost)| cost * start[*col as usize]).sum();
        if !terms.is_empty() {
            let rhs = value + 1e-6 * value.abs().max(1.0);
            limited.rows.push(Row { label: Label::default(), terms, sense: Sense::AtMost, rhs });
        }
    }
    limited
}

/// Finds the executable on the search path.
pub(super) fn locate(name: &str) -> Availability {
    match on_path(name) {
        Some(path) => Availability::Found(path.display().to_string()),
        None => {
            Availability::Missing(format!("there is no executable `{name}` on the search path"))
        }
    }
}

/// The executable on the search path.
pub(super) fn on_path(name: &str) -> Option<PathBuf> {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(&file)).find(|path| path.is_file())
}

/// Whole seconds, as most of them want a limit.
pub(super) fn seconds(time: Duration) -> u32 {
    time.as_secs_f64().ceil().clamp(1.0, 1e9) as u32
}

/// `name value` lines over zeros for every variable of the problem.
pub(super) fn named_values<'l, 'a, P: LpProblem<'a>>(
    lines: impl Iterator<Item = &'l str>,
    problem: Option<&'a P>,
) -> HashMap<String, f32> {
    let mut values = HashMap::new();
    if let Some(problem) = problem {
        values.extend(problem.variables().map(|variable| (variable.name().to_owned(), 0.0)));
    }
    for line in lines {
        let mut words = line.split_whitespace();
        if let (Some(name), Some(value)) = (words.next(), words.next())
            && let Ok(value) = value.parse::<f32>()
        {
            values.insert(name.to_owned(), value);
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_read_from_every_solvers_log() {
        for (log, bound) in [
            ("Lower bound:                    12.5\nGap: 0.1", 12.5),
            ("  Primal bound      7\n  Dual bound        3.25\n", 3.25),
            ("Dual Bound         : +6.00000000000000e+00\n", 6.0),
            ("Best objective 3.0e+00, best bound 2.5e+00, gap 1%", 2.5),
        ] {
            assert_eq!(stated_bound(log), Some(bound), "{log}");
        }
        assert_eq!(stated_bound("Dual bound  -inf"), None);
    }
}
