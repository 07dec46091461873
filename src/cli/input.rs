//! Which instance a command is about: one file, or tables.

use std::path::{Path, PathBuf};

use super::output::say;
use crate::error::{Error, Result};
use crate::format::{Format, Input, Source, read_running, wants_current};
use crate::model::{Goal, Instance, ResourceWeights, nearest};

/// Where the instance is.
#[derive(Debug, clap::Args)]
pub(super) struct InstanceArgs {
    /// Instance file, `-` for standard input
    #[arg(value_name = "INSTANCE", required_unless_present = "tasks", conflicts_with_all = ["tasks", "nodes"])]
    pub(super) instance: Option<PathBuf>,
    #[command(flatten)]
    pub(super) tables: TableArgs,
}

/// An instance in tables.
#[derive(Debug, clap::Args)]
pub(super) struct TableArgs {
    /// Table of tasks, with --nodes in place of INSTANCE
    #[arg(long, value_name = "FILE", requires = "nodes")]
    pub(super) tasks: Option<PathBuf>,
    /// Table of nodes
    #[arg(long, value_name = "FILE", requires = "tasks")]
    pub(super) nodes: Option<PathBuf>,
    /// Table of costs and demands that depend on task and node
    #[arg(long, value_name = "FILE", requires = "tasks")]
    pub(super) pairs: Option<PathBuf>,
    /// Table of rules between tasks
    #[arg(long, value_name = "FILE", requires = "tasks")]
    pub(super) rules: Option<PathBuf>,
    /// Plan that says where tasks run now; roadef files: assignment_X.sol beside model_X.txt
    #[arg(long, value_name = "PLAN")]
    pub(super) current: Option<PathBuf>,
    /// Input format instead of detecting it: json, csv, gap, cloudbalancing, openb, roadef
    #[arg(long, value_name = "FORMAT")]
    pub(super) format: Option<String>,
}

impl InstanceArgs {
    /// Reads the instance.
    pub(super) fn read(&self) -> Result<Instance> {
        read(self.instance.as_deref(), &self.tables)
    }

    /// The name of the file that has the instance, or its tasks.
    pub(super) fn name(&self) -> Option<String> {
        let file = self.instance.as_ref().or(self.tables.tasks.as_ref())?;
        Some(file.file_name()?.to_string_lossy().into_owned())
    }
}

/// The files of a command that is about an instance and perhaps a plan: with tables
/// the one file is the plan.
///
/// # Errors
/// Tables and an instance file.
pub(super) fn instance_and_plan<'a>(
    files: &'a [PathBuf],
    tables: &TableArgs,
) -> Result<(Option<&'a Path>, Option<&'a Path>)> {
    let (first, second) = (files.first(), files.get(1));
    let (instance, plan) = match tables.tasks {
        None => (first, second),
        Some(_) if second.is_some() => {
            return Err(Error::usage("with --tasks and --nodes, name the plan only"));
        }
        Some(_) => (None, first),
    };
    Ok((instance.map(PathBuf::as_path), plan.map(PathBuf::as_path)))
}

/// Reads the instance from a file or from tables.
pub(super) fn read(instance: Option<&Path>, tables: &TableArgs) -> Result<Instance> {
    let format = tables.format.as_deref().map(Format::parse).transpose()?;
    let input = match (instance, &tables.tasks, &tables.nodes) {
        (Some(path), _, _) => Input::One(Source::read(path)?),
        (None, Some(tasks), Some(nodes)) => Input::Tables {
            tasks: Source::read(tasks)?,
            nodes: Source::read(nodes)?,
            pairs: tables.pairs.as_deref().map(Source::read).transpose()?,
            rules: tables.rules.as_deref().map(Source::read).transpose()?,
        },
        _ => {
            return Err(
                Error::usage("there is no instance").help("name a file, or --tasks and --nodes")
            );
        }
    };
    let beside = || instance.filter(|_| wants_current(&input, format)).and_then(assignment_beside);
    let current = match &tables.current {
        Some(path) => Some(Source::read(path)?),
        None => match beside() {
            Some(path) => {
                say(&format!("{}: where tasks run now", path.display()));
                Some(Source::read(&path)?)
            }
            None => None,
        },
    };
    read_running(&input, format, current.as_ref())
}

/// `assignment_X.sol` beside `model_X.txt`, where there is one.
fn assignment_beside(path: &Path) -> Option<PathBuf> {
    let name = path.file_stem()?.to_str()?.strip_prefix("model_")?;
    let beside = path.with_file_name(format!("assignment_{name}.sol"));
    beside.is_file().then_some(beside)
}

/// What a person may change about an instance on the command line.
#[derive(Debug, clap::Args)]
pub(super) struct GoalArgs {
    /// What to minimise: tiers separated by commas, each a weighted sum of
    /// peak, balance, cost, nodes, demand, soft, moves, group_moves [default: the instance's,
    /// else peak]
    #[arg(long, value_name = "GOAL")]
    pub(super) goal: Option<String>,
    /// At most one task of the plan on each node
    #[arg(long)]
    pub(super) one_task_per_node: bool,
}

impl GoalArgs {
    /// The instance with these changes.
    pub(super) fn apply(&self, mut instance: Instance) -> Result<Instance> {
        if let Some(text) = &self.goal {
            let goal =
                Goal::parse(text).map_err(|error| Error::usage(format!("--goal: {error}")))?;
            instance = instance.with_goal(goal);
        }
        if self.one_task_per_node {
            instance = instance.with_one_task_per_node(true);
        }
        Ok(instance)
    }
}

/// `cpu=1,gpu=3` as one weight a resource; resources not named weigh 0.
pub(super) fn weights(text: &str, instance: &Instance) -> Result<ResourceWeights> {
    let names = || instance.resources().iter().map(|resource| resource.name.as_str());
    let mut weights = vec![0.0; instance.resources().len()];
    for part in text.split(',') {
        let bad = |cause: String| Error::usage(format!("--weights: {cause}"));
        let (name, value) = part
            .split_once('=')
            .ok_or_else(|| bad(format!("`{part}` is not RESOURCE=WEIGHT, as in cpu=1,gpu=3")))?;
        let name = name.trim();
        let at = names().position(|known| known == name).ok_or_else(|| {
            let error = bad(format!("there is no resource `{name}`"));
            match nearest(name, names()) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => {
                    error.help(format!("resources are {}", names().collect::<Vec<_>>().join(", ")))
                }
            }
        })?;
        let weight: f64 =
            value.trim().parse().map_err(|_| bad(format!("`{value}` is no number")))?;
        if !weight.is_finite() || weight < 0.0 {
            return Err(bad(format!("`{value}` is not a weight: weights are zero or more")));
        }
        weights[at] = weight;
    }
    Ok(weights)
}
