//! `stowplan replan INSTANCE --from PLAN`

use std::path::PathBuf;

use super::clock::Clock;
use super::input::InstanceArgs;
use super::judged::without_time;
use super::output::{Form, say};
use super::solve::{HowArgs, Job, plan};
use super::{Done, FAILED};
use base::error::{Error, Result};
use formats::{Change, Eviction, Running, Source};
use model::{Instance, NodeState};
use plan::replan::{Limits, Running as Asked, frontier, goal, today};
use plan::solve::Params;
use report;

/// Numbers of moves that a frontier has at most.
const POINTS: usize = 25;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    instance: InstanceArgs,
    /// Nodes that take no tasks any more and are to be emptied: ids or LABEL=VALUE
    #[arg(long, value_name = "NODES", value_delimiter = ',', help_heading = "Changes")]
    drain: Vec<String>,
    /// Nodes that are gone with what ran there: ids or LABEL=VALUE
    #[arg(long, value_name = "NODES", value_delimiter = ',', help_heading = "Changes")]
    down: Vec<String>,
    /// Table of nodes that come
    #[arg(long, value_name = "FILE", help_heading = "Changes")]
    add: Option<PathBuf>,
    /// Table of tasks that come
    #[arg(long, value_name = "FILE", help_heading = "Changes")]
    add_tasks: Option<PathBuf>,
    /// Tasks that end
    #[arg(long, value_name = "TASKS", value_delimiter = ',', help_heading = "Changes")]
    remove_tasks: Vec<String>,
    /// Kubernetes: move pods that no controller makes anew, or that are marked as not safe to evict
    #[arg(long, help_heading = "Changes")]
    force: bool,
    /// Kubernetes: move pods with local storage, which is lost
    #[arg(long, help_heading = "Changes")]
    delete_emptydir_data: bool,
    /// Kubernetes: place the pods that wait too, which otherwise stay waiting where a change, a goal or a limit is asked for
    #[arg(long, conflicts_with = "allow_unplaced")]
    all: bool,
    /// Tasks that may move at most
    #[arg(long, value_name = "N")]
    max_moves: Option<usize>,
    /// What the moves may cost at most
    #[arg(long, value_name = "COST")]
    max_move_cost: Option<f64>,
    /// Print what each number of moves buys: table, json, csv, markdown, or a drawing with -o FILE.svg
    #[arg(long, conflicts_with_all = ["max_moves", "max_move_cost"])]
    frontier: bool,
    #[command(flatten)]
    how: HowArgs,
}

pub(super) fn run(args: Args) -> Done {
    let clock = Clock::new(args.how.verbose);
    let params = args.how.checked()?;
    let (changes, running) = (args.changes()?, Running::Movable(args.eviction()));
    let (instance, of_cluster) = args.instance.read_running(&changes, running, args.how.quiet)?;
    let instance = args.how.goal.apply(instance)?;
    without_time(&instance, "`replan`")?;
    if instance.task_ids().all(|task| instance.current(task).is_none()) {
        return Err(Error::usage("the instance does not say where tasks run now")
            .help("name the plan with --from PLAN, or give tasks their `node`"));
    }
    let limits = Limits { moved: args.max_moves, cost: args.cost()? };
    let asks = !changes.is_empty() || args.asks();
    let every = args.all || args.add_tasks.is_some() || params.allow_unplaced;
    let about = |instance| if of_cluster && asks && !every { Asked::of(instance) } else { None };
    if args.frontier {
        let asked = about(&instance);
        let instance = asked.as_ref().map_or(&instance, |asked| &asked.instance);
        let params = Params { start: Some(today(instance).into()), ..params };
        return print_frontier(&args, instance, &params, &clock);
    }
    let wanted = goal(&instance, &limits, args.how.goal.goal.is_some());
    let instance = instance.with_goal(wanted);
    let name = args.instance.name();
    let asked = about(&instance);
    let start = today(asked.as_ref().map_or(&instance, |asked| &asked.instance));
    let params = Params { start: Some(start.into()), ..params };
    let job = Job {
        instance: &instance,
        name: name.as_deref(),
        moves: true,
        running: asked.as_ref(),
        clock: &clock,
    };
    plan(&args.how, &job, &params)
}

impl Args {
    /// Whether something is asked for that is about what runs.
    fn asks(&self) -> bool {
        self.how.goal.goal.is_some()
            || self.frontier
            || self.max_moves.is_some()
            || self.max_move_cost.is_some()
    }

    fn changes(&self) -> Result<Vec<Change>> {
        let mut changes = Vec::new();
        if let Some(path) = &self.add {
            changes.push(Change::AddNodes(Source::read(path)?));
        }
        if let Some(path) = &self.add_tasks {
            changes.push(Change::AddTasks(Source::read(path)?));
        }
        for (names, state) in [(&self.drain, NodeState::Drain), (&self.down, NodeState::Down)] {
            if !names.is_empty() {
                changes.push(Change::State(names.clone(), state));
            }
        }
        if !self.remove_tasks.is_empty() {
            changes.push(Change::RemoveTasks(self.remove_tasks.clone()));
        }
        Ok(changes)
    }

    fn eviction(&self) -> Eviction {
        Eviction { force: self.force, delete_emptydir_data: self.delete_emptydir_data }
    }

    fn cost(&self) -> Result<Option<f64>> {
        match self.max_move_cost {
            Some(cost) if !(0.0..=1e18).contains(&cost) => {
                Err(Error::usage(format!("--max-move-cost: {cost} is no cost"))
                    .help("use 0 or more"))
            }
            cost => Ok(cost),
        }
    }
}

fn print_frontier(args: &Args, instance: &Instance, params: &Params, clock: &Clock) -> Done {
    clock.lap("read");
    let output = &args.how.output;
    let forms = [&Form::TEXTS[..], &[Form::Svg]].concat();
    let form = output.form("a frontier", &forms)?;
    let found = frontier(instance, params, POINTS)?;
    clock.lap("answered");
    let Some(found) = found else {
        say("no plan was found: `stowplan replan` without --frontier says why");
        return Ok(FAILED);
    };
    let text = match form {
        Form::Svg => report::frontier_svg(&found)?,
        Form::Json => report::frontier_json(&found),
        Form::Csv => report::frontier_csv(&found),
        Form::Markdown => report::frontier_markdown(&found),
        _ => report::frontier_table(&found),
    };
    output.write(form, &text)?;
    clock.lap("written");
    Ok(0)
}
