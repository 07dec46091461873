//! `stowplan merge INSTANCE PLAN...`

use super::Done;
use super::clock::Clock;
use super::input::FileArgs;
use super::solve::{HowArgs, Job, plan};
use base::error::Error;
use formats::{Running, Source, read_claim};
use plan::solve::Params;
use plan::split::{PartPlan, join};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    files: FileArgs,
    #[command(flatten)]
    how: HowArgs,
}

pub(super) fn run(args: Args) -> Done {
    let clock = Clock::new(args.how.verbose);
    let (files, plans) = args.files.instance_and_plans()?;
    if plans.is_empty() {
        return Err(Error::usage("merge needs the plans of an instance's parts")
            .help("stowplan merge instance.json plans/*.json"));
    }
    let params = args.how.checked()?;
    let instance = args.how.goal.apply(args.files.read(files, Running::Load, args.how.quiet)?)?;
    let read = |file: &Source| Ok(PartPlan { name: file.name.clone(), claim: read_claim(file)? });
    let plans = plans.iter().map(read).collect::<Result<Vec<_>, Error>>()?;
    let start = Some(join(&instance, &plans)?.into());
    let name = args.files.name();
    let job = Job {
        instance: &instance,
        name: name.as_deref(),
        moves: false,
        running: None,
        clock: &clock,
    };
    plan(&args.how, &job, &Params { start, ..params })
}
