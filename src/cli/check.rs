//! `stowplan check INSTANCE... PLAN`

use super::goal::LimitArgs;
use super::input::FileArgs;
use super::judged::without_time;
use super::output::{Form, OutputArgs, print, say};
use super::{Done, FAILED};
use base::error::{Error, Result};
use formats::{digest, read_plan};
use judge::check::check_claim;
use judge::simulate::{Frequency, Settings, Shape, simulate};
use model::{Instance, Plan};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    files: FileArgs,
    #[command(flatten)]
    limits: LimitArgs,
    /// Draw all demands that vary so often and say how often nodes are overloaded
    #[arg(long, value_name = "DRAWS", value_parser = clap::value_parser!(u32).range(1..))]
    simulate: Option<u32>,
    /// How demands are drawn: normal, uniform, gamma, lognormal, peaks, rare-peaks; observed ones as in
    /// --samples
    #[arg(long, default_value = "normal", value_name = "SHAPE", requires = "simulate")]
    distribution: String,
    /// Seed of what is drawn
    #[arg(long, default_value_t = 1, value_name = "N", requires = "simulate")]
    seed: u64,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(args: Args) -> Done {
    let shape = shape(&args.distribution)?;
    let form = args.output.form("verdicts", &[Form::Table, Form::Json])?;
    if args.simulate.is_some() && (form, &args.output.file) != (Form::Table, &None) {
        return Err(Error::usage("--simulate prints for people, on standard output")
            .help("leave out --output and -o"));
    }
    let (instance, Some(plan)) = args.files.instance_and_plan()? else {
        return Err(Error::usage("check needs an instance and a plan")
            .help("stowplan check instance.json plan.json"));
    };
    let instance =
        args.limits.apply(args.files.read_for(instance, (Some(&plan), None), false)?)?;
    if args.simulate.is_some() {
        without_time(&instance, "`--simulate`")?;
    }
    let claim = read_plan(&plan, &instance)?;
    let verdict = check_claim(&instance, &claim);
    let fine = verdict.violations.is_empty();
    if form == Form::Json {
        let digest = digest(&instance);
        args.output.write(form, &report::verdict_json(&instance, digest, &verdict))?;
        return Ok(if fine { 0 } else { FAILED });
    }
    let mut text = String::new();
    for violation in &verdict.violations {
        text.push_str(&format!("{}: {violation}\n", violation.code()));
    }
    let values = verdict.values.iter().map(|tier| format!("{} = {}", tier.tier, tier.value));
    let values = values.collect::<Vec<_>>().join(", ");
    if fine {
        let placed = verdict.plan.placed();
        let assumed = match instance.assumptions().len() {
            0 => String::new(),
            1 => " as read, 1 assumption".to_owned(),
            more => format!(" as read, {more} assumptions"),
        };
        let tasks = instance.tasks();
        text.push_str(&format!("ok{assumed}: {placed} of {tasks} tasks placed, {values}\n"));
    }
    args.output.write(form, &text)?;
    if !fine {
        say(&format!("{} violations", verdict.violations.len()));
    }
    let kept = args.simulate.map(|draws| draw(&args, &instance, &verdict.plan, (draws, shape)));
    Ok(if fine && kept.transpose()?.unwrap_or(true) { 0 } else { FAILED })
}

fn shape(name: &str) -> Result<Shape> {
    let known = Shape::ALL.iter().find(|(_, known)| *known == name);
    known
        .map(|(shape, _)| *shape)
        .ok_or_else(|| Error::unknown("distribution", name, &Shape::ALL.map(|(_, name)| name)))
}

/// Draws, counts, prints; false when nodes are overloaded more often than the risk allows.
fn draw(
    args: &Args,
    instance: &Instance,
    plan: &Plan,
    (draws, shape): (u32, Shape),
) -> Result<bool> {
    let samples = args.files.tables.samples()?;
    let observed = samples.map_or_else(Vec::new, |samples| samples.observed(instance));
    let settings = Settings { shape, draws, seed: args.seed, observed: &observed };
    let Some(found) = simulate(instance, plan, &settings) else {
        print("simulated: no demand of the plan varies\n")?;
        return Ok(true);
    };
    let percent = |part: f64| format!("{:.4} %", 100.0 * part);
    let within = |f: &Frequency| {
        let (low, high) = f.interval;
        format!("{} (95 % confidence: {} to {})", percent(f.value()), percent(low), percent(high))
    };
    let (node, r, worst) = &found.worst;
    print(&format!(
        "simulated: {draws} draws, {}{}\n  worst: node `{}` overloaded in {}: {}\n  \
         all {} loads that vary, in the mean: {}\n  any node: {}\n",
        args.distribution,
        if observed.is_empty() { "" } else { ", samples where there are any" },
        instance.node_name(*node),
        instance.resources()[*r].name,
        within(worst),
        found.loads,
        percent(found.mean),
        within(&found.any),
    ))?;
    let Some(risk) = instance.risk() else { return Ok(true) };
    let kept = worst.interval.0 <= risk.chance().to_f64();
    if !kept {
        say(&format!(
            "the worst node is overloaded more often than the risk of {} allows",
            risk.chance()
        ));
    }
    Ok(kept)
}
