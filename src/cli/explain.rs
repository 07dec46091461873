//! `stowplan explain INSTANCE... [PLAN] [--task TASK]`

use super::clock::Clock;
use super::goal::GoalArgs;
use super::input::FileArgs;
use super::judged::{judged_running, without_time};
use super::output::{Form, OutputArgs, print, say};
use super::params::ParamArgs;
use super::{Done, FAILED, NOTHING_FOUND};
use base::error::{Error, Result};
use base::nearest;
use base::stop::Stop;
use model::{Instance, Plan, TaskId};
use plan::explain::{Verdict, explain, why_plan, why_task};
use plan::replan::today;
use plan::solve::{Answer, Method, Params, solve};
use report;

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
    /// Tell on standard error what is done
    #[arg(short, long)]
    verbose: bool,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(mut args: Args) -> Done {
    let clock = Clock::new(args.verbose);
    args.files.tables.untimed = !args.goal.wants_time();
    let form = args.output.form("explanations", &[Form::Table, Form::Json])?;
    let (instance, plan) = args.files.instance_and_plan()?;
    if instance.is_empty() && args.files.tables.tasks.is_none() {
        return Err(Error::usage("explain needs an instance")
            .help("stowplan explain instance.json [plan.json] [--task TASK]"));
    }
    let about = (plan.as_ref(), args.task.as_deref());
    let instance = args.goal.apply(args.files.read_for(instance, about, false)?)?;
    without_time(&instance, "`explain`")?;
    let params = args.params.params(Method::Auto, None)?;
    let task = args.task.as_deref().map(|name| find_task(&instance, name)).transpose()?;
    let plan = match plan {
        Some(file) => match judged_running(&file, &instance)? {
            None => return Ok(FAILED),
            plan => plan,
        },
        // Of what runs one wants to know why it cannot stay, or go.
        None => task.filter(|task| instance.current(*task).is_some()).map(|_| today(&instance)),
    };
    clock.lap("read");
    let stop = Stop::after(params.time_limit);
    let question = Question {
        output: &args.output,
        form,
        instance: &instance,
        params: &params,
        task,
        stop,
        clock,
    };
    match plan {
        Some(plan) => question.about(&plan),
        None => question.about_instance(),
    }
}

/// What is to be explained.
struct Question<'a> {
    output: &'a OutputArgs,
    form: Form,
    instance: &'a Instance,
    params: &'a Params,
    task: Option<TaskId>,
    stop: Stop,
    clock: Clock,
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

/// Over what is said of a task where there is no plan of all.
const AS_IT_IS: &str = "As things are, what runs in its place and nothing else placed:";

/// Part of the time that is kept for explaining a plan that has to be found first.
const FOR_WORDS: u32 = 4;

impl Question<'_> {
    /// The task, or the plan as a whole.
    fn about(&self, plan: &Plan) -> Done {
        let instance = self.instance;
        let text = match self.task {
            Some(task) => {
                let why = why_task(instance, plan, task, &self.stop);
                self.clock.lap("answered");
                match self.form {
                    Form::Json => report::task_json(instance, &why, None),
                    _ => report::task_text(instance, &why),
                }
            }
            None => {
                let why = why_plan(instance, plan, &self.stop);
                self.clock.lap("answered");
                match self.form {
                    Form::Json => report::plan_why_json(instance, &why),
                    _ => report::plan_why_text(instance, &why),
                }
            }
        };
        self.write(&text)?;
        Ok(0)
    }

    fn write(&self, text: &str) -> Result<()> {
        self.output.write(self.form, text)?;
        self.clock.lap("written");
        Ok(())
    }

    /// Why there is no plan; where there is one, about that.
    fn about_instance(&self) -> Done {
        let (instance, params) = (self.instance, self.params);
        // Of a queue some wait: a task is asked about beside what starts.
        let queue = instance.is_queue() && self.task.is_some();
        if params.allow_unplaced || queue {
            return match self.plan()? {
                Answer::Plan(outcome) => self.about(&outcome.plan),
                Answer::NoPlan(none) => Err(Error::usage(none.cause)),
            };
        }
        match explain(instance, params.solver, params.seed, self.stop.remaining())? {
            Verdict::Infeasible(why) => {
                let as_it_is = |task| why_task(instance, &today(instance), task, &self.stop);
                let own = self.task.map(as_it_is);
                self.clock.lap("answered");
                self.write(&match (self.form, own) {
                    (Form::Json, None) => report::infeasible_json(instance, &why),
                    (Form::Json, Some(task)) => report::task_json(instance, &task, Some(&why)),
                    (_, None) => report::infeasible_text(instance, &why),
                    (_, Some(task)) => {
                        let no_plan = report::infeasible_text(instance, &why);
                        format!("{AS_IT_IS}\n{}\n{no_plan}", report::task_text(instance, &task))
                    }
                })?;
                Ok(if instance.may_be_too_narrow() { NOTHING_FOUND } else { FAILED })
            }
            Verdict::Feasible(_) => {
                if let (Form::Table, None) = (self.form, &self.output.file) {
                    print("There is a plan; this is about the one that `solve` finds.\n")?;
                }
                match self.plan()? {
                    Answer::Plan(outcome) => self.about(&outcome.plan),
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

    /// The plan that `solve` finds, with some time left to explain it.
    fn plan(&self) -> Result<Answer> {
        let left = self.stop.remaining();
        let allow_unplaced = self.params.allow_unplaced || self.instance.is_queue();
        let time_limit = left - left / FOR_WORDS;
        solve(self.instance, &Params { time_limit, allow_unplaced, ..self.params.clone() })
    }
}
