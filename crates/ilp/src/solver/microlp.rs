//! microlp, embedded.

use super::{Answer, Availability, Effort, Solver, assemble, failed};
use crate::program::Program;
use base::error::Result;

/// Through good_lp's model, but solved by microlp's own call: good_lp drops the
/// bound and knows no node limit.
pub(super) struct Microlp;

impl Solver for Microlp {
    fn name(&self) -> &'static str {
        "microlp"
    }

    fn help(&self) -> &'static str {
        "embedded, pure Rust: small models"
    }

    fn availability(&self) -> Availability {
        Availability::Embedded("microlp 0.6".to_owned())
    }

    fn sensible_size(&self) -> usize {
        2_000
    }

    fn solve(&self, program: &Program, start: Option<&[f64]>, effort: Effort) -> Result<Answer> {
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
}
