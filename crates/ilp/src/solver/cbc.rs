//! COIN-OR CBC's executable.

use good_lp::solvers::lp_solvers::{CbcSolver, WithMaxSeconds};

use super::external::{self, locate, seconds};
use super::{Answer, Availability, Backend, Effort, Solver};
use crate::program::Program;
use base::error::Result;

/// COIN-OR CBC's executable.
pub(super) struct Cbc;

impl Solver for Cbc {
    fn name(&self) -> &'static str {
        "cbc"
    }

    fn help(&self) -> &'static str {
        "the executable `cbc` (Debian coinor-cbc)"
    }

    fn availability(&self) -> Availability {
        locate("cbc")
    }

    fn solve(&self, program: &Program, start: Option<&[f64]>, effort: Effort) -> Result<Answer> {
        let tool = CbcSolver::new().with_max_seconds(seconds(effort.time));
        external::solve(Backend::Cbc, program, start, tool)
    }
}
