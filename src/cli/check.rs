//! `stowplan check INSTANCE... PLAN`

use super::input::FileArgs;
use super::output::{print, say};
use super::{Done, FAILED};
use crate::check::check_claim;
use crate::error::Error;
use crate::format::read_plan;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    files: FileArgs,
    /// Judge the plan with at most one task on each node
    #[arg(long)]
    one_task_per_node: bool,
}

pub(super) fn run(args: Args) -> Done {
    let (instance, Some(plan)) = args.files.instance_and_plan()? else {
        return Err(Error::usage("check needs an instance and a plan")
            .help("stowplan check instance.json plan.json"));
    };
    let mut instance = args.files.read(instance, false)?;
    if args.one_task_per_node {
        instance = instance.with_one_task_per_node(true);
    }
    let claim = read_plan(&plan, &instance)?;
    let verdict = check_claim(&instance, &claim);
    for violation in &verdict.violations {
        print(&format!("{}: {violation}\n", violation.code()))?;
    }
    let values = verdict.values.iter().map(|tier| format!("{} = {}", tier.tier, tier.value));
    let values = values.collect::<Vec<_>>().join(", ");
    if verdict.violations.is_empty() {
        let placed = verdict.plan.placed();
        print(&format!("ok: {placed} of {} tasks placed, {values}\n", instance.tasks()))?;
        Ok(0)
    } else {
        say(&format!("{} violations", verdict.violations.len()));
        Ok(FAILED)
    }
}
