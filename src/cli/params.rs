//! How much effort a command spends, from its options.

use std::time::Duration;

use base::error::{Error, Result};
use engines::policy::{Order, Settings};
use ilp::Backend;
use plan::solve::{Method, Params};

/// How much effort, shared with `compare`.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Limits")]
pub(super) struct ParamArgs {
    /// Stop after this long, reading and writing aside: seconds, or with s, m, h. Where one command
    /// plans more than once, all share it
    #[arg(long, default_value = "10", value_name = "TIME")]
    pub(super) time_limit: String,
    /// Stop the search after so many units of work: the same plan on any number of threads
    #[arg(long, value_name = "N", hide_short_help = true)]
    pub(super) work_limit: Option<u64>,
    /// Stop at this relative gap: 0.01 or 1%
    #[arg(long, default_value = "0", value_name = "GAP")]
    pub(super) gap: String,
    /// Seed of everything random
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(super) seed: u64,
    /// Threads [default: all cores]
    #[arg(long, value_name = "N")]
    pub(super) threads: Option<usize>,
    /// Place as many tasks as possible when not all fit
    #[arg(long)]
    pub(super) allow_unplaced: bool,
    /// Solver of the integer program (see `stowplan solvers`)
    #[arg(long, value_name = "SOLVER", help_heading = "Method")]
    pub(super) solver: Option<String>,
    /// Resource that least-bandwidth looks at [default: network]
    #[arg(long, value_name = "NAME", help_heading = "Policies", hide_short_help = true)]
    resource: Option<String>,
    /// Factor of GPU utilisation in load-aware's weight 1 / (alpha GPU + beta memory + gamma)
    #[arg(
        long,
        default_value_t = 1.0,
        value_name = "X",
        help_heading = "Policies",
        hide_short_help = true
    )]
    alpha: f64,
    /// Factor of memory utilisation in load-aware's weight
    #[arg(
        long,
        default_value_t = 1.0,
        value_name = "X",
        help_heading = "Policies",
        hide_short_help = true
    )]
    beta: f64,
    /// Constant of load-aware's weight, above 0
    #[arg(
        long,
        default_value_t = 0.1,
        value_name = "X",
        help_heading = "Policies",
        hide_short_help = true
    )]
    gamma: f64,
    /// How much worse than its best the first policy of a hybrid may rate a node: 0.1 or 10%
    #[arg(
        long,
        default_value = "10%",
        value_name = "PART",
        help_heading = "Policies",
        hide_short_help = true
    )]
    tolerance: String,
}

impl ParamArgs {
    /// Checked parameters for a method.
    pub(super) fn params(&self, method: Method, order: Option<Order>) -> Result<Params> {
        let solver = self.solver.as_deref().map(Backend::parse).transpose()?;
        if let Some(solver) = solver {
            solver.ensure()?;
        }
        if self.threads.is_some_and(|n| n == 0 || n > 1024) {
            return Err(Error::usage("--threads: use 1 to 1024"));
        }
        Ok(Params {
            method,
            solver: solver.unwrap_or_else(Backend::default_of_build),
            time_limit: time_limit(&self.time_limit)?,
            work_limit: self.work_limit,
            gap: fraction("--gap", &self.gap)?,
            seed: self.seed,
            threads: self.threads,
            allow_unplaced: self.allow_unplaced,
            start: None,
            order,
            policy: Settings {
                seed: self.seed,
                resource: self.resource.clone(),
                alpha: self.alpha,
                beta: self.beta,
                gamma: self.gamma,
                tolerance: fraction("--tolerance", &self.tolerance)?,
            },
            survive: None,
        })
    }
}

/// Seconds with decimals, or a duration with a unit.
pub(super) fn time_limit(text: &str) -> Result<Duration> {
    let bad = || {
        Error::usage(format!("--time-limit: `{text}` is not a time"))
            .help("write 10, 0.5, 90s, 5m or 1h")
    };
    let (number, unit) = match text.trim().char_indices().last() {
        Some((at, 's')) => (&text.trim()[..at], 1.0),
        Some((at, 'm')) => (&text.trim()[..at], 60.0),
        Some((at, 'h')) => (&text.trim()[..at], 3600.0),
        _ => (text.trim(), 1.0),
    };
    let seconds: f64 = number.parse().map_err(|_| bad())?;
    if !(0.0..=1e9).contains(&seconds) {
        return Err(bad());
    }
    Duration::try_from_secs_f64(seconds * unit).map_err(|_| bad())
}

/// `0.05` or `5%`.
fn fraction(flag: &str, text: &str) -> Result<f64> {
    let bad =
        || Error::usage(format!("{flag}: `{text}` is no part of one")).help("write 0.01 or 1%");
    let (number, scale) = match text.trim().strip_suffix('%') {
        Some(number) => (number.trim(), 0.01),
        None => (text.trim(), 1.0),
    };
    let value: f64 = number.parse().map_err(|_| bad())?;
    if !(0.0..=1e6).contains(&value) {
        return Err(bad());
    }
    Ok(value * scale)
}
