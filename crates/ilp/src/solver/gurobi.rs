//! Gurobi's `gurobi_cl`.

use good_lp::solvers::lp_solvers::GurobiSolver;

use super::external::{self, locate};
use super::{Answer, Availability, Backend, Effort, Solver};
use crate::program::Program;
use base::error::Result;

/// Gurobi's `gurobi_cl`.
pub(super) struct Gurobi;

impl Solver for Gurobi {
    fn name(&self) -> &'static str {
        "gurobi"
    }

    fn help(&self) -> &'static str {
        "the executable `gurobi_cl`, with a licence"
    }

    fn availability(&self) -> Availability {
        locate("gurobi_cl")
    }

    fn solve(&self, program: &Program, start: Option<&[f64]>, _: Effort) -> Result<Answer> {
        let tool = GurobiSolver::new();
        external::solve(Backend::Gurobi, program, start, tool)
    }
}
