//! HiGHS, embedded in builds with the feature `highs`.

use super::{Answer, Availability, Effort, Solver};
#[cfg(feature = "highs")]
use super::{assemble, failed};
use crate::program::Program;
#[cfg(feature = "highs")]
use ::highs::{HighsModelStatus, HighsSolutionStatus};
use base::error::Result;

/// Through good_lp's model, but solved by the highs crate's own call: good_lp
/// drops the bound. One thread, so that a seed gives one answer. It is given no start: HiGHS 1.15
/// calls some starts optimal that are not, with and without presolve; without a start it was never
/// seen to.
pub(super) struct Highs;

impl Solver for Highs {
    fn name(&self) -> &'static str {
        "highs"
    }

    fn help(&self) -> &'static str {
        "embedded when built with `--features highs`"
    }

    fn availability(&self) -> Availability {
        if cfg!(feature = "highs") {
            return Availability::Embedded("HiGHS 1.15".to_owned());
        }
        Availability::Missing(
            "this build has no HiGHS: build with `--features highs`, or use highs-exe".to_owned(),
        )
    }

    #[cfg(not(feature = "highs"))]
    fn solve(&self, _: &Program, _: Option<&[f64]>, _: Effort) -> Result<Answer> {
        super::Backend::Highs.ensure().map(|()| Answer::default())
    }

    #[cfg(feature = "highs")]
    fn solve(&self, program: &Program, _: Option<&[f64]>, effort: Effort) -> Result<Answer> {
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
            model
                .try_set_option(name, value)
                .map_err(|e| broken(format!("option {name}: {e:?}")))?;
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
        let infeasible = matches!(
            status,
            HighsModelStatus::Infeasible | HighsModelStatus::UnboundedOrInfeasible
        );
        Ok(Answer {
            point: (feasible && !infeasible).then(|| solved.get_solution().columns().to_vec()),
            bound: bound.filter(|b| b.is_finite() && b.abs() < 1e29 && !infeasible),
            infeasible,
            complete: status == HighsModelStatus::Optimal,
        })
    }
}
