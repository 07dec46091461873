//! `stowplan merge INSTANCE PLAN...`

use std::path::PathBuf;

use super::Done;
use super::input::{TableArgs, read};
use super::solve::{HowArgs, plan};
use crate::error::Error;
use crate::format::{Source, read_claim};
use crate::solve::Params;
use crate::split::{PartPlan, join};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// INSTANCE and the plan of each of its parts, as JSON; only plans with --tasks and --nodes
    #[arg(value_name = "INSTANCE PLAN", num_args = 1.., required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    tables: TableArgs,
    #[command(flatten)]
    how: HowArgs,
}

pub(super) fn run(args: Args) -> Done {
    let (instance, plans) = match args.tables.tasks {
        Some(_) => (None, args.files.as_slice()),
        None => (args.files.first(), args.files.get(1..).unwrap_or_default()),
    };
    if plans.is_empty() {
        return Err(Error::usage("merge needs the plans of an instance's parts")
            .help("stowplan merge instance.json plans/*.json"));
    }
    let params = args.how.checked()?;
    let name = instance.and_then(|file| Some(file.file_name()?.to_string_lossy().into_owned()));
    let files = instance.map(|file| Source::read(file)).into_iter().collect::<Result<_, _>>()?;
    let instance = args.how.goal.apply(read(files, &args.tables, args.how.quiet)?)?;
    let read = |path: &PathBuf| {
        let claim = read_claim(&Source::read(path)?)?;
        Ok(PartPlan { name: path.display().to_string(), claim })
    };
    let plans = plans.iter().map(read).collect::<Result<Vec<_>, Error>>()?;
    let start = Some(join(&instance, &plans)?);
    plan(&args.how, &instance, &Params { start, ..params }, name.as_deref())
}
