//! SCIP's executable.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use good_lp::solvers::lp_solvers::{
    Solution as Found, SolverProgram, SolverWithSolutionParsing, Status,
};
use lp_solvers::lp_format::LpProblem;

use super::external::{self, locate, named_values};
use super::{Answer, Availability, Backend, Effort, Solver};
use crate::program::Program;
use base::error::Result;

/// SCIP's executable.
pub(super) struct Scip;

impl Solver for Scip {
    fn name(&self) -> &'static str {
        "scip"
    }

    fn help(&self) -> &'static str {
        "the executable `scip`"
    }

    fn availability(&self) -> Availability {
        locate("scip")
    }

    fn solve(&self, program: &Program, start: Option<&[f64]>, effort: Effort) -> Result<Answer> {
        external::solve(Backend::Scip, program, start, Tool::new(effort))
    }
}

/// How it is run.
#[derive(Clone, Debug)]
struct Tool {
    seconds: f64,
    gap: f64,
}

impl Tool {
    fn new(effort: Effort) -> Tool {
        Tool { seconds: effort.time.as_secs_f64(), gap: effort.gap }
    }
}

impl SolverProgram for Tool {
    fn command_name(&self) -> &str {
        "scip"
    }

    fn arguments(&self, lp_file: &Path, solution_file: &Path) -> Vec<OsString> {
        let commands = [
            format!("read {}", lp_file.display()),
            format!("set limits time {}", self.seconds),
            format!("set limits gap {}", self.gap),
            "optimize".to_owned(),
            format!("write solution {}", solution_file.display()),
            "quit".to_owned(),
        ];
        commands.into_iter().flat_map(|command| ["-c".into(), command.into()]).collect()
    }
}

impl SolverWithSolutionParsing for Tool {
    fn read_specific_solution<'a, P: LpProblem<'a>>(
        &self,
        mut file: &File,
        problem: Option<&'a P>,
    ) -> std::result::Result<Found, String> {
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(|e| e.to_string())?;
        let head = text.lines().next().unwrap_or_default();
        let status = match head.trim_start_matches("solution status:").trim() {
            "optimal solution found" => Status::Optimal,
            "infeasible" => Status::Infeasible,
            "unbounded" => Status::Unbounded,
            _ => Status::SubOptimal,
        };
        if text.contains("no solution available") && status != Status::Infeasible {
            return Ok(Found::new(Status::NotSolved, HashMap::new()));
        }
        let rows = text.lines().skip(1).filter(|line| !line.starts_with("objective value"));
        Ok(Found::new(status, named_values(rows, problem)))
    }
}
