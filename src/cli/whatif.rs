//! `stowplan what-if INSTANCE SCENARIOS`

use std::path::PathBuf;

use super::clock::Clock;
use super::input::{TableArgs, read};
use super::judged::without_time;
use super::output::{Form, OutputArgs, complain, say};
use super::params::ParamArgs;
use super::{Done, FAILED, NOTHING_FOUND};
use base::error::{Error, Kind, Result};
use base::stop::Stop;
use formats::{Eviction, Running, Source, read_scenarios};
use model::Instance;
use plan::replan::{Fit, Limits, goal, rounds, today, what_if};
use plan::solve::{Answer, Method, Params, solve};
use report::{self, Named};

const EXAMPLE: &str = "\
SCENARIOS is TOML: a table for each, with a name and what changes. Nodes are named by their ids or by LABEL=VALUE.

  [[scenario]]
  name = \"rack 1 fails\"
  must = \"fit\"              # exit 1 where not all tasks have a place
  down = \"rack=r1\"          # or drain, ready

  [[scenario]]
  name = \"next year\"
  demand = { gpu = 1.3 }    # or 1.3 for every resource
  more_tasks = { train = 2 }
  more_nodes = { n1 = 4 }
  price = { n1 = 300 }
  used = { n2 = { cpu = 50 } }
  add_nodes = \"nodes.csv\"
  add_tasks = \"tasks.csv\"
  remove_tasks = [\"old\"]";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Args {
    /// INSTANCE and SCENARIOS; only SCENARIOS with --tasks and --nodes
    #[arg(value_name = "INSTANCE SCENARIOS", num_args = 1.., required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    tables: TableArgs,
    #[command(flatten)]
    goal: super::goal::GoalArgs,
    #[command(flatten)]
    params: ParamArgs,
    #[command(flatten)]
    output: OutputArgs,
    /// No warnings
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
    /// Tell on standard error what is done
    #[arg(short, long)]
    verbose: bool,
}

/// Pods that run may go elsewhere.
const RUNNING: Running = Running::Movable(Eviction::GENTLE);

pub(super) fn run(args: Args) -> Done {
    let Some((scenarios, instance)) = args.files.split_last() else {
        return Err(Error::usage("name an instance and a file of scenarios"));
    };
    let clock = Clock::new(args.verbose);
    let form = args.output.form("scenarios", &Form::PAGES)?;
    let source = Source::read(scenarios)?;
    let scenarios = read_scenarios(&source)?;
    let params = args.params.params(Method::Auto, None)?;
    let files = || instance.iter().map(|path| Source::read(path)).collect::<Result<Vec<_>>>();
    let base = args.goal.apply(read(files()?, &args.tables, (&[], RUNNING), args.quiet)?)?;
    without_time(&base, "`what-if`")?;
    let mut changed: Vec<Instance> = Vec::with_capacity(scenarios.len());
    for scenario in &scenarios {
        let own = read(files()?, &args.tables, (&scenario.changes, RUNNING), true)
            .map_err(|error| error.at(format!("scenario `{}`", scenario.name)))?;
        changed.push(args.goal.apply(own)?);
    }
    clock.lap("read");
    let stop = Stop::after(params.time_limit);
    let runs = base.task_ids().any(|task| base.current(task).is_some());
    let start = runs.then(|| today(&base).into());
    // The plan of things as they are has as much time as each round of scenarios.
    let time_limit = stop.remaining() / (1 + rounds(changed.len()));
    // What runs stays where it is unless a goal asks for more.
    let asked = !runs || args.goal.goal.is_some();
    let still = goal(&base, &Limits::default(), asked);
    let base = if asked { base } else { base.with_goal(still) };
    let outcome = match solve(&base, &Params { start, time_limit, ..params.clone() })? {
        Answer::Plan(outcome) => outcome,
        Answer::NoPlan(none) => {
            let head = none.title(&base).to_lowercase();
            let cause = format!("{head} as things are: {}", none.cause);
            complain(&Error::new(Kind::Input, cause).help(&none.remedy));
            return Ok(if none.holds(&base) { FAILED } else { NOTHING_FOUND });
        }
    };
    let effects = what_if(&base, &outcome.plan, &changed, asked, &params, &stop)?;
    clock.lap("answered");
    let rows: Vec<Named> = (scenarios.iter().zip(&effects))
        .map(|(scenario, effect)| Named {
            name: &scenario.name,
            must_fit: scenario.must_fit,
            effect,
        })
        .collect();
    let text = match form {
        Form::Json => report::what_if_json(&outcome, &rows),
        Form::Csv => report::what_if_csv(&outcome, &rows),
        Form::Markdown => report::what_if_markdown(&outcome, &rows),
        Form::Html => report::what_if_html(&outcome, &rows)?,
        _ => report::what_if_table(&outcome, &rows),
    };
    args.output.write(form, &text)?;
    clock.lap("written");
    let mut failed = rows.iter().filter(|row| row.must_fit && !matches!(row.effect.fit, Fit::Yes));
    Ok(match failed.next() {
        Some(row) => {
            say(&format!("`{}` must fit and does not", row.name));
            FAILED
        }
        None => 0,
    })
}
