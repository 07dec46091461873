//! HiGHS's own executable.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use good_lp::solvers::lp_solvers::{
    Solution as Found, SolverProgram, SolverWithSolutionParsing, Status,
};
use lp_solvers::lp_format::LpProblem;

use super::external::{self, named_values, on_path};
use super::{Answer, Availability, Backend, Effort, Solver, failed};
use crate::program::Program;
use base::error::{Error, Result};

/// HiGHS's own executable.
pub(super) struct HighsExecutable;

impl Solver for HighsExecutable {
    fn name(&self) -> &'static str {
        "highs-exe"
    }

    fn help(&self) -> &'static str {
        "the executable `highs` (or STOWPLAN_HIGHS), as in PyPI's highsbox"
    }

    fn availability(&self) -> Availability {
        match highs_path() {
            Ok(path) => Availability::Found(path.display().to_string()),
            Err(error) => Availability::Missing(error.cause),
        }
    }

    fn solve(&self, program: &Program, start: Option<&[f64]>, effort: Effort) -> Result<Answer> {
        external::solve(Backend::HighsExecutable, program, start, Tool::new(effort)?)
    }
}

/// `STOWPLAN_HIGHS`, else `highs` on the search path.
fn highs_path() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("STOWPLAN_HIGHS") {
        let path = PathBuf::from(named);
        return if path.is_file() {
            Ok(path)
        } else {
            Err(Error::usage(format!("STOWPLAN_HIGHS names {}, which is no file", path.display())))
        };
    }
    on_path("highs").ok_or_else(|| {
        Error::usage(
            "there is no executable `highs` on the search path and STOWPLAN_HIGHS is not set",
        )
    })
}

/// How it is run.
#[derive(Clone, Debug)]
struct Tool {
    command: String,
    leading: Vec<OsString>,
    seconds: f64,
    options: Rc<tempfile::NamedTempFile>,
}

impl Tool {
    fn new(effort: Effort) -> Result<Tool> {
        let path = highs_path()?;
        let mut options = tempfile::NamedTempFile::new()
            .map_err(|e| failed("highs-exe", &format!("no temporary file: {e}")))?;
        // By itself it leaves a log in the working directory.
        let text = format!(
            "mip_rel_gap = {}\nmip_abs_gap = 0\nthreads = 1\nrandom_seed = {}\nlog_file = {}\n",
            effort.gap,
            effort.seed % 1_000_000,
            if cfg!(windows) { "NUL" } else { "/dev/null" }
        );
        options
            .write_all(text.as_bytes())
            .map_err(|e| failed("highs-exe", &format!("temporary file: {e}")))?;
        let own = path.display().to_string();
        // highsbox keeps its libraries beside the executable, where the loader
        // does not look by itself.
        let libraries = path.parent().and_then(Path::parent).map(|root| root.join("lib"));
        let (command, leading) =
            match libraries.filter(|lib| cfg!(unix) && lib.join("libhighs.so").is_file()) {
                Some(lib) => {
                    let setting = format!("LD_LIBRARY_PATH={}", lib.display());
                    ("env".to_owned(), vec![setting.into(), own.into()])
                }
                None => (own, Vec::new()),
            };
        Ok(Tool { command, leading, seconds: effort.time.as_secs_f64(), options: Rc::new(options) })
    }
}

impl SolverProgram for Tool {
    fn command_name(&self) -> &str {
        &self.command
    }

    fn arguments(&self, lp_file: &Path, solution_file: &Path) -> Vec<OsString> {
        let mut arguments = self.leading.clone();
        arguments.extend(["--options_file".into(), self.options.path().into()]);
        arguments.extend(["--time_limit".into(), self.seconds.to_string().into()]);
        arguments.extend(["--solution_file".into(), solution_file.into(), lp_file.into()]);
        arguments
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
        let lines: Vec<&str> = text.lines().collect();
        let status = match lines.get(1).copied().unwrap_or_default() {
            "Optimal" => Status::Optimal,
            "Infeasible" => Status::Infeasible,
            "Unbounded" => Status::Unbounded,
            _ => Status::SubOptimal,
        };
        let from = lines.iter().position(|line| line.starts_with("# Columns"));
        let feasible = lines.contains(&"Feasible");
        let Some(from) = from.filter(|_| feasible) else {
            let status = if status == Status::Infeasible { status } else { Status::NotSolved };
            return Ok(Found::new(status, HashMap::new()));
        };
        let rest = lines[from + 1..].iter().take_while(|line| !line.starts_with('#'));
        Ok(Found::new(status, named_values(rest.copied(), problem)))
    }
}
