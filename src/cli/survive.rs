//! `stowplan survive INSTANCE... PLAN`

use super::clock::Clock;
use super::goal::GoalArgs;
use super::input::FileArgs;
use super::judged::{judged_running, without_time};
use super::output::{Form, OutputArgs};
use super::params::time_limit;
use super::{Done, FAILED, NOTHING_FOUND};
use base::error::{Error, Result};
use formats::{Eviction, Running, digest};
use ilp::Backend;
use model::Instance;
use plan::replan::today;
use plan::survive::{Fate, Question, domains, survive};
use report::{self, SurvivalReport};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    files: FileArgs,
    #[command(flatten)]
    goal: GoalArgs,
    /// What fails: `node`, each by itself, or a label, all nodes with one of its values together
    #[arg(long, default_value = "node", value_name = "node|LABEL")]
    fail: String,
    /// Failures at once: 2 for every pair too
    #[arg(long, default_value_t = 1, value_name = "1|2", value_parser = clap::value_parser!(u8).range(1..=2))]
    depth: u8,
    /// Let tasks on nodes that did not fail move too
    #[arg(long)]
    rearrange: bool,
    /// List only so many failures, the worst first [default: 20 for people, all for programs]
    #[arg(long, value_name = "N")]
    worst: Option<usize>,
    /// Stop after this long, reading and writing aside: seconds, or with s, m, h. All failures share it
    #[arg(long, default_value = "10", value_name = "TIME")]
    time_limit: String,
    /// Seed of everything random
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Threads [default: all cores]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Solver of the integer program (see `stowplan solvers`)
    #[arg(long, value_name = "SOLVER")]
    solver: Option<String>,
    #[command(flatten)]
    output: OutputArgs,
    /// No warnings
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
    /// Tell on standard error what is done
    #[arg(short, long)]
    verbose: bool,
}

pub(super) fn run(args: Args) -> Done {
    let clock = Clock::new(args.verbose);
    let (instance, plan) = args.files.instance_and_plan()?;
    let instance = args.goal.apply(args.files.read(
        instance,
        Running::Movable(Eviction::GENTLE),
        args.quiet,
    )?)?;
    without_time(&instance, "`survive`")?;
    let question = args.question(&instance)?;
    let form = args.output.form("failures", &Form::TEXTS)?;
    let plan = match &plan {
        Some(plan) => judged_running(plan, &instance)?,
        None if instance.task_ids().any(|task| instance.current(task).is_some()) => {
            Some(today(&instance))
        }
        None => {
            return Err(Error::usage(
                "survive needs an instance and a plan, or one that says where tasks run",
            )
            .help("stowplan survive instance.json plan.json"));
        }
    };
    let Some(plan) = plan else { return Ok(FAILED) };
    clock.lap("read");
    let survival = survive(&instance, &plan, &question)?;
    clock.lap("answered");
    let report = SurvivalReport {
        instance: &instance,
        plan: &plan,
        question: &question,
        over: &args.fail,
        survival: &survival,
        digest: digest(&instance),
        worst: args.worst,
    };
    let text = match form {
        Form::Json => report::survival_json(&report),
        Form::Csv => report::survival_csv(&report),
        Form::Markdown => report::survival_markdown(&report),
        _ => report::survival_table(&report),
    };
    args.output.write(form, &text)?;
    clock.lap("written");
    let open = survival.unexamined + survival.count(Fate::Unknown);
    Ok(match (survival.count(Fate::Lost), open) {
        (0, 0) => 0,
        (0, _) => NOTHING_FOUND,
        _ => FAILED,
    })
}

impl Args {
    fn question(&self, instance: &Instance) -> Result<Question> {
        let solver = self.solver.as_deref().map(Backend::parse).transpose()?;
        if let Some(solver) = solver {
            solver.ensure()?;
        }
        if self.threads.is_some_and(|n| n == 0 || n > 1024) {
            return Err(Error::usage("--threads: use 1 to 1024"));
        }
        Ok(Question {
            domains: domains(instance, &self.fail)?,
            depth: usize::from(self.depth),
            guard: None,
            rearrange: self.rearrange,
            solver: solver.unwrap_or_else(Backend::default_of_build),
            seed: self.seed,
            time_limit: time_limit(&self.time_limit)?,
            threads: self.threads,
        })
    }
}
