//! `stowplan schema instance|plan|survival|verdict`

use super::Done;
use super::output::print;

use report::{plan_schema, survival_schema, verdict_schema};

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum What {
    /// Instances, as `solve` reads them
    Instance,
    /// Plans, as `solve --output json` prints them
    Plan,
    /// What `survive --output json` prints
    Survival,
    /// What `check --output json` prints
    Verdict,
}

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Which contract
    what: What,
}

pub(super) fn run(args: Args) -> Done {
    let schema = match args.what {
        What::Instance => formats::schema(),
        What::Plan => plan_schema(),
        What::Survival => survival_schema(),
        What::Verdict => verdict_schema(),
    };
    print(&format!("{schema:#}\n"))?;
    Ok(0)
}
