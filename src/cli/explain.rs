//! `stowplan explain INSTANCE... [PLAN] [--task TASK]`

use std::path::PathBuf;

use super::input::{FileArgs, GoalArgs, judged_plan, without_time};
use super::output::{print, say, write_to};
use super::solve::ParamArgs;
use super::{Done, FAILED, NOTHING_FOUND};
use crate::error::{Error, Result};
use crate::explain::{Verdict, explain, why_plan, why_task};
use crate::model::{Instance, Plan, TaskId, nearest};
use crate::report;
use crate::solve::{Answer, Method, Params, solve};
use crate::stop::Stop;

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// For people
    Table,
    /// For scripts
    Json,
}

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    files: FileArgs,
    #[command(flatten)]
    goal: GoalArgs,
    #[command(flatten)]
    params: ParamArgs,
    /// Why this task is where it is, and what every other node would mean for it
    #[arg(long, value_name = "TASK")]
    task: Option<String>,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = Form::Table, value_name = "FORM")]
    output: Form,
    /// Write the answer to a file instead of standard output
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    file: Option<PathBuf>,
}

pub(super) fn run(args: Args) -> Done {
    let (instance, plan) = args.files.instance_and_plan()?;
    if instance.is_empty() && args.files.tables.tasks.is_none() {
        return Err(Error::usage("explain needs an instance")
            .help("stowplan explain instance.json [plan.json] [--task TASK]"));
    }
    let instance = args.goal.apply(args.files.read(instance, false)?)?;
    without_time(&instance, "`explain`")?;
    let params = args.params.params(Method::Auto, None)?;
    let task = args.task.as_deref().map(|name| find_task(&instance, name)).transpose()?;
    let plan = match plan {
        Some(file) => match judged_plan(&file, &instance)? {
            None => return Ok(FAILED),
            plan => plan,
        },
        None => None,
    };
    match plan {
        Some(plan) => about(&args, &instance, &params, &plan, task),
        None => about_instance(&args, &instance, &params, task),
    }
}

fn find_task(instance: &Instance, name: &str) -> Result<TaskId> {
    let names = || instance.task_ids().map(|task| instance.task_name(task));
    let gang = instance.gangs().iter().find(|gang| gang.name == name).map(|gang| gang.first);
    let known = names().position(|known| known == name).map(TaskId::from).or(gang);
    known.ok_or_else(|| {
        let error = Error::usage(format!("there is no task `{name}`"));
        match nearest(name, names()) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help("name a task of the instance, or a gang"),
        }
    })
}

/// The task, or the plan as a whole.
fn about(
    args: &Args,
    instance: &Instance,
    params: &Params,
    plan: &Plan,
    task: Option<TaskId>,
) -> Done {
    let text = match (task, args.output) {
        (Some(task), form) => {
            let why = why_task(instance, plan, task, &Stop::after(params.time_limit));
            match form {
                Form::Table => report::task_text(instance, &why),
                Form::Json => report::task_json(instance, &why),
            }
        }
        (None, Form::Table) => report::plan_why_text(instance, &why_plan(instance, plan)),
        (None, Form::Json) => report::plan_why_json(instance, &why_plan(instance, plan)),
    };
    answer(args, &text)?;
    Ok(0)
}

fn answer(args: &Args, text: &str) -> Result<()> {
    let text = match args.output {
        Form::Table => report::visible(text),
        Form::Json => report::escaped(text),
    };
    write_to(args.file.as_deref(), &text)
}

/// Why there is no plan; where there is one, about that.
fn about_instance(args: &Args, instance: &Instance, params: &Params, task: Option<TaskId>) -> Done {
    if params.allow_unplaced {
        return match solve(instance, params)? {
            Answer::Plan(outcome) => about(args, instance, params, &outcome.plan, task),
            Answer::NoPlan(none) => Err(Error::usage(none.cause)),
        };
    }
    match explain(instance, params.solver, params.seed, params.time_limit)? {
        Verdict::Infeasible(why) => {
            let text = match args.output {
                Form::Table => report::infeasible_text(instance, &why),
                Form::Json => report::infeasible_json(instance, &why),
            };
            answer(args, &text)?;
            Ok(FAILED)
        }
        Verdict::Feasible(_) => {
            if let (Form::Table, None) = (args.output, &args.file) {
                print("There is a plan; this is about the one that `solve` finds.\n")?;
            }
            match solve(instance, params)? {
                Answer::Plan(outcome) => about(args, instance, params, &outcome.plan, task),
                Answer::NoPlan(_) => Ok(NOTHING_FOUND),
            }
        }
        Verdict::Unknown => {
            say(
                "whether there is a plan was not found out: raise --time-limit, or choose another --solver",
            );
            Ok(NOTHING_FOUND)
        }
    }
}
