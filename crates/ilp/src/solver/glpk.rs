//! GLPK's `glpsol`.

use good_lp::solvers::lp_solvers::{GlpkSolver, WithMaxSeconds};

use super::external::{self, locate, seconds};
use super::{Answer, Availability, Backend, Effort, Solver};
use crate::program::Program;
use base::error::Result;

/// GLPK's `glpsol`.
pub(super) struct Glpk;

impl Solver for Glpk {
    fn name(&self) -> &'static str {
        "glpk"
    }

    fn help(&self) -> &'static str {
        "the executable `glpsol` (Debian glpk-utils)"
    }

    fn availability(&self) -> Availability {
        locate("glpsol")
    }

    fn sensible_size(&self) -> usize {
        10_000
    }

    fn solve(&self, program: &Program, start: Option<&[f64]>, effort: Effort) -> Result<Answer> {
        let tool = GlpkSolver::new().with_max_seconds(seconds(effort.time));
        external::solve(Backend::Glpk, program, start, tool)
    }
}
