//! `stowplan check INSTANCE... PLAN`

use std::path::PathBuf;

use super::input::{TableArgs, instance_and_plan, read};
use super::output::{print, say};
use super::{Done, FAILED};
use crate::check::check_claim;
use crate::error::Error;
use crate::format::read_plan;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// INSTANCE and PLAN, the last file; only PLAN with --tasks and --nodes. `-` is standard input
    #[arg(value_name = "INSTANCE PLAN", num_args = 1.., required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    tables: TableArgs,
    /// Judge the plan with at most one task on each node
    #[arg(long)]
    one_task_per_node: bool,
}

pub(super) fn run(args: Args) -> Done {
    let (instance, Some(plan)) = instance_and_plan(&args.files, &args.tables)? else {
        return Err(Error::usage("check needs an instance and a plan")
            .help("stowplan check instance.json plan.json"));
    };
    let mut instance = read(instance, &args.tables, false)?;
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
