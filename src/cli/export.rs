//! `stowplan export INSTANCE... [PLAN] --to lp|mps|slurm|kubernetes|kubectl`: what other programs
//! read.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::goal::GoalArgs;
use super::input::FileArgs;
use super::judged::{Judged, judged, judged_places, without_time};
use super::output::{complain, warn, write_to};
use super::{Done, FAILED};
use base::error::{Error, Result};
use base::stop::Stop;
use formats::{Eviction, Running, write_objects, write_script, write_timed_script};
use ilp::{ModelForm, ModelRequest, write_model};
use model::{Goal, Instance, Plan, Term};
use plan::replan::{judged_order, today};
use report;

/// How long an order of moves is looked for.
const TIME: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Target {
    /// The integer program as a CPLEX LP file
    Lp,
    /// The integer program as a free MPS file
    Mps,
    /// PLAN as a shell script that gives Slurm's pending jobs their nodes; of a plan in time also
    /// their begin and what they depend on
    Slurm,
    /// PLAN as Bindings of waiting pods and manifests with their nodes
    Kubernetes,
    /// PLAN as a shell script that evicts running pods in waves until they are where it has them
    Kubectl,
}

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    files: FileArgs,
    /// What to write [default: what the name of the file given to -o ends with]
    #[arg(long, value_enum, value_name = "FORM")]
    to: Option<Target>,
    /// File to write instead of standard output
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    goal: GoalArgs,
    #[command(flatten)]
    model: ModelArgs,
}

/// Which model is written.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Models (lp, mps)")]
struct ModelArgs {
    /// Tier that is minimised, from 1; those before it keep the values of PLAN
    #[arg(long, default_value_t = 1, value_name = "N")]
    tier: usize,
    /// Tasks may stay unplaced: as few as possible is the first tier
    #[arg(long)]
    allow_unplaced: bool,
}

pub(super) fn run(args: Args) -> Done {
    let (instance, plan) = args.files.instance_and_plan()?;
    if instance.is_empty() && args.files.tables.tasks.is_none() {
        return Err(Error::usage("export needs an instance").help(
            "stowplan export instance.json [plan.json] --to lp|mps|slurm|kubernetes|kubectl",
        ));
    }
    let target = target(args.to, args.out.as_deref(), args.files.is_of_cluster(&instance)?)?;
    let sources = if target == Target::Kubernetes { instance.clone() } else { Vec::new() };
    let instance = match target {
        // Whatever had to be forced has been forced by now.
        Target::Kubectl => args.files.read(instance, Running::Movable(Eviction::FORCED), false)?,
        _ => args.files.read(instance, Running::Load, false)?,
    };
    let instance = args.goal.apply(instance)?;
    let judge = if target == Target::Kubectl { judged_places } else { judged };
    let plan = match plan {
        Some(file) => match judge(&file, &instance)? {
            None => return Ok(FAILED),
            plan => plan,
        },
        None => None,
    };
    let text = match target {
        Target::Lp | Target::Mps => {
            without_time(&instance, "the model that lp and mps hold")?;
            let form = if target == Target::Lp { ModelForm::Lp } else { ModelForm::Mps };
            model(&args.model, &instance, plan.as_ref().map(|judged| &judged.plan), form)?
        }
        Target::Kubernetes => {
            let judged = needed(plan.as_ref())?;
            if judged.schedule.is_some() {
                return Err(Error::usage("Bindings know no time, and this plan is in time")
                    .help("--to slurm writes when jobs begin"));
            }
            Some(write_objects(&sources, &instance, &judged.plan)?)
        }
        Target::Kubectl => {
            let judged = needed(plan.as_ref())?;
            without_time(&instance, "a script of evictions")?;
            let (start, stop) = (today(&instance), Stop::after(TIME));
            let order = judged_order(&instance, &start, &judged.plan, 1, &stop)?;
            Some(report::kubectl_script(&instance, &judged.plan, &order)?)
        }
        Target::Slurm => {
            let judged = needed(plan.as_ref())?;
            Some(match &judged.schedule {
                Some(schedule) => write_timed_script(&instance, schedule)?,
                None => write_script(&instance, &judged.plan)?,
            })
        }
    };
    let Some(text) = text else { return Ok(FAILED) };
    write_to(args.out.as_deref(), &text)?;
    Ok(0)
}

/// What to write: as asked, else as the file's name says.
fn target(asked: Option<Target>, file: Option<&Path>, of_cluster: bool) -> Result<Target> {
    let extension = file.and_then(Path::extension).and_then(|extension| extension.to_str());
    let told = match extension {
        Some("lp") => Some(Target::Lp),
        Some("mps") => Some(Target::Mps),
        Some("yaml" | "yml") => Some(Target::Kubernetes),
        Some("sh") if of_cluster => Some(Target::Kubectl),
        Some("sh") => Some(Target::Slurm),
        _ => None,
    };
    asked.or(told).ok_or_else(|| {
        Error::usage("what to write is not said").help(
            "add --to lp, mps, slurm, kubernetes or kubectl, or -o FILE.lp, .mps, .yaml or .sh",
        )
    })
}

/// The plan, for forms that are about one.
fn needed(plan: Option<&Judged>) -> Result<&Judged> {
    plan.ok_or_else(|| {
        Error::usage("this form is about a plan, and none is named")
            .help("name the plan as the last file: export INSTANCE PLAN --to FORM")
    })
}

/// The integer program; `None` when it cannot even be written down.
fn model(
    args: &ModelArgs,
    instance: &Instance,
    plan: Option<&Plan>,
    form: ModelForm,
) -> Result<Option<String>> {
    let goal: Goal = if args.allow_unplaced {
        instance.goal().with_unplaced_first(&instance.priorities())
    } else {
        instance.goal().clone()
    };
    let tier = match args.tier.checked_sub(1).filter(|tier| *tier < goal.tiers.len()) {
        Some(tier) => tier,
        None => {
            let tiers = goal.tiers.iter().enumerate().map(|(k, tier)| format!("{} {tier}", k + 1));
            let tiers: Vec<String> = tiers.collect();
            return Err(Error::usage(format!("there is no tier {}", args.tier))
                .help(format!("the goal's tiers are {}", tiers.join(", "))));
        }
    };
    if tier > 0 && plan.is_none() {
        let cause = format!("tier {} needs the values of the tiers before it", tier + 1);
        return Err(Error::usage(cause).help("name a plan that has them: export INSTANCE PLAN"));
    }
    if goal.tiers[..=tier].iter().any(|tier| tier.weight(Term::Balance) > 0.0) {
        warn(match plan {
            Some(_) => {
                "balance: tangents stand for the variance; the model's optimum is a lower bound, exact where the plan is"
            }
            None => {
                "balance: tangents stand for the variance, and only a plan says where they are needed: name one"
            }
        });
    }
    if instance.kept_risk().is_some() {
        warn(
            "risk: chords stand for the root of variances; the model's optimum is a lower bound, its solutions may take more risk",
        );
    }
    let request =
        ModelRequest { instance, goal: &goal, tier, plan, allow_unplaced: args.allow_unplaced };
    let text = write_model(&request, form);
    if text.is_none() {
        complain(
            &Error::usage("there is no model: some task has no node to go to")
                .help("`stowplan explain` says which, and why"),
        );
    }
    Ok(text)
}
