//! Which instance a command is about: files, or tables.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::output::{say, warn};
use base::error::{Error, Kind, Result};
use formats::learn::learn;
use formats::{
    Beside, Change, Columns, Eviction, Format, History, Input, Reading, Running, Samples, Source,
    digest, is_part, may_run_elsewhere, parse_date, read_beside, read_plan, wants_current,
};
use model::{Instance, Learned};

/// Where the instance is.
#[derive(Debug, clap::Args)]
pub(super) struct InstanceArgs {
    /// Instance file, or several that make one in formats of several files; `-` for standard input
    #[arg(value_name = "INSTANCE", required_unless_present = "tasks", conflicts_with_all = ["tasks", "nodes"])]
    pub(super) instance: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) tables: TableArgs,
}

/// An instance in tables.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Input")]
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
    #[arg(long, visible_alias = "from", value_name = "PLAN")]
    pub(super) current: Option<PathBuf>,
    /// Table of observed demands: their means and deviations replace those of the tasks in it
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub(super) samples: Option<PathBuf>,
    /// Table of earlier runs: what tasks of each kind took replaces their durations and demands
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub(super) history: Option<PathBuf>,
    /// When the plan starts, for times given as dates: 2026-01-05T08:00 [default: the instance's `start`]
    #[arg(long, value_name = "DATE", hide_short_help = true)]
    start_date: Option<String>,
    /// Refuse what the reader would have to assume something about
    #[arg(long)]
    strict: bool,
    /// Columns of tables that are left out
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', hide_short_help = true)]
    ignore_columns: Vec<String>,
    /// Units of bare numbers in tables: memory=GiB,duration=h
    #[arg(long, value_name = "UNITS", value_delimiter = ',', value_parser = unit)]
    units: Vec<(String, String)>,
    /// Only what could start now is wanted of a queue.
    #[arg(skip)]
    pub(super) now: bool,
    /// No plan in time is wanted.
    #[arg(skip)]
    pub(super) untimed: bool,
    /// Input format instead of detecting it: json, csv, slurm, kubernetes, ... as docs/formats.md lists them
    #[arg(long, value_name = "FORMAT")]
    pub(super) format: Option<String>,
}

/// `memory=GiB`
fn unit(text: &str) -> std::result::Result<(String, String), String> {
    let (column, unit) = text.split_once('=').ok_or("write such as memory=GiB")?;
    Ok((column.trim().to_owned(), unit.trim().to_owned()))
}

impl TableArgs {
    /// What earlier runs teach.
    fn learned(&self) -> Result<Option<Learned>> {
        let read = |path: &Path| History::read(&Source::read(path)?);
        let history = self.history.as_deref().map(read).transpose()?;
        Ok(history.map(|history| learn(&history).learned))
    }

    /// What was observed of tasks.
    pub(super) fn samples(&self) -> Result<Option<Samples>> {
        self.samples.as_deref().map(|path| Samples::read(&Source::read(path)?)).transpose()
    }
}

impl InstanceArgs {
    /// Reads the instance; `quiet` without warnings.
    pub(super) fn read(&self, quiet: bool) -> Result<Instance> {
        self.read_changed(&[], Running::Load, quiet)
    }

    /// The same, changed, with what runs as load or as tasks.
    pub(super) fn read_changed(
        &self,
        changes: &[Change],
        running: Running,
        quiet: bool,
    ) -> Result<Instance> {
        read(sources(&self.instance)?, &self.tables, (changes, running), quiet)
    }

    /// The same, and whether the files say what runs in a Kubernetes cluster.
    pub(super) fn read_running(
        &self,
        changes: &[Change],
        running: Running,
        quiet: bool,
    ) -> Result<(Instance, bool)> {
        let files = sources(&self.instance)?;
        let of_cluster = may_run_elsewhere(&files, self.tables.forced()?);
        Ok((read(files, &self.tables, (changes, running), quiet)?, of_cluster))
    }

    /// The name of the file that has the instance, or its tasks.
    pub(super) fn name(&self) -> Option<String> {
        name_of(self.instance.first().or(self.tables.tasks.as_ref())?)
    }
}

/// The files' content, in order.
fn sources(files: &[PathBuf]) -> Result<Vec<Source>> {
    files.iter().map(|path| Source::read(path)).collect()
}

/// An instance and, where the command is about them, plans for it.
#[derive(Debug, clap::Args)]
pub(super) struct FileArgs {
    /// INSTANCE, in some formats several files, and PLAN after it; only PLAN with --tasks and --nodes
    #[arg(value_name = "INSTANCE PLAN", num_args = 0..)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) tables: TableArgs,
}

impl FileArgs {
    /// The instance's files, none with tables, and those of plans: the instance ends where a file
    /// is no further part of it.
    pub(super) fn instance_and_plans(&self) -> Result<(Vec<Source>, Vec<Source>)> {
        let alone = usize::from(self.tables.tasks.is_none());
        let mut files = sources(&self.files)?;
        let further = files.iter().skip(alone).position(|file| alone == 0 || !is_part(file));
        let plans = files.split_off(further.map_or(files.len(), |k| k + alone));
        Ok((files, plans))
    }

    /// The same with one plan at most.
    ///
    /// # Errors
    /// More than one plan.
    pub(super) fn instance_and_plan(&self) -> Result<(Vec<Source>, Option<Source>)> {
        let (instance, mut plans) = self.instance_and_plans()?;
        let plan = plans.pop();
        match plans.first() {
            Some(more) if self.tables.tasks.is_some() => {
                Err(Error::usage("with --tasks and --nodes, name the plan only")
                    .in_file(&more.name))
            }
            Some(more) => Err(Error::usage("one plan too many").in_file(&more.name)),
            None => Ok((instance, plan)),
        }
    }

    /// Reads the instance, with what runs as load or as tasks; `quiet` without warnings.
    pub(super) fn read(
        &self,
        instance: Vec<Source>,
        running: Running,
        quiet: bool,
    ) -> Result<Instance> {
        read(instance, &self.tables, (&[], running), quiet)
    }

    /// The same with what runs as it was when the plan was made; without a plan, as tasks if this
    /// one is among them.
    pub(super) fn read_for(
        &self,
        instance: Vec<Source>,
        (plan, task): (Option<&Source>, Option<&str>),
        quiet: bool,
    ) -> Result<Instance> {
        let tables = &self.tables;
        let has_running = may_run_elsewhere(&instance, tables.forced()?);
        let input = tables.input(instance)?;
        let load = tables.load(&input, (&[], Running::Load))?;
        let reading = match has_running {
            true => as_planned(load, (plan, task), |running| tables.load(&input, (&[], running)))?,
            false => load,
        };
        tables.told(reading, quiet)
    }

    /// Whether the files say what runs in a Kubernetes cluster.
    pub(super) fn is_of_cluster(&self, instance: &[Source]) -> Result<bool> {
        Ok(may_run_elsewhere(instance, self.tables.forced()?))
    }

    /// The name of the file that has the instance, or its tasks.
    pub(super) fn name(&self) -> Option<String> {
        name_of(self.tables.tasks.as_ref().or(self.files.first())?)
    }
}

fn name_of(path: &Path) -> Option<String> {
    Some(path.file_name()?.to_string_lossy().into_owned())
}

/// The reading that the plan was made from, of those that take what runs for tasks or for load.
fn as_planned(
    load: Reading,
    (plan, task): (Option<&Source>, Option<&str>),
    read: impl Fn(Running) -> Result<Reading>,
) -> Result<Reading> {
    let claim = plan.map(|plan| read_plan(plan, &load.instance)).transpose()?.unwrap_or_default();
    let of_claim =
        |reading: &Reading| claim.digest.as_ref().is_some_and(|d| *d == digest(&reading.instance));
    let known: HashSet<&str> = {
        let instance = &load.instance;
        let tasks = instance.task_ids();
        tasks.flat_map(|task| [instance.job_name(task), instance.task_name(task)]).collect()
    };
    let mut named = claim.assignments.iter().map(|place| place.task.as_str()).chain(task);
    let known = named.all(|name| known.contains(name));
    if known && (claim.digest.is_none() || of_claim(&load)) {
        return Ok(load);
    }
    let willing = Running::Movable(Eviction::GENTLE);
    for running in [willing, Running::Evictable].into_iter().filter(|_| claim.digest.is_some()) {
        let reading = read(running)?;
        if of_claim(&reading) {
            return Ok(reading);
        }
    }
    match (known, plan) {
        (true, _) => Ok(load),
        (false, None) => read(willing),
        // What had to be forced has been forced by then.
        (false, Some(_)) => read(Running::Movable(Eviction::FORCED)),
    }
}

/// Reads the instance from files or from tables and changes it, with what runs as load or as tasks;
/// `quiet` without warnings.
pub(super) fn read(
    files: Vec<Source>,
    tables: &TableArgs,
    changed: (&[Change], Running),
    quiet: bool,
) -> Result<Instance> {
    let reading = tables.load(&tables.input(files)?, changed)?;
    tables.told(reading, quiet)
}

impl TableArgs {
    /// The files, or the tables where there are none.
    fn input(&self, files: Vec<Source>) -> Result<Input> {
        Ok(match (files.is_empty(), &self.tasks, &self.nodes) {
            (false, _, _) => Input::of(files),
            (true, Some(tasks), Some(nodes)) => Input::Tables {
                tasks: Source::read(tasks)?,
                nodes: Source::read(nodes)?,
                pairs: self.pairs.as_deref().map(Source::read).transpose()?,
                rules: self.rules.as_deref().map(Source::read).transpose()?,
            },
            _ => {
                return Err(Error::usage("there is no instance")
                    .help("name a file, or --tasks and --nodes"));
            }
        })
    }

    fn forced(&self) -> Result<Option<Format>> {
        self.format.as_deref().map(Format::parse).transpose()
    }

    /// Reads the input and changes it.
    fn load(&self, input: &Input, (changes, running): (&[Change], Running)) -> Result<Reading> {
        let format = self.forced()?;
        let beside = || match input {
            Input::One(source) if wants_current(input, format) => {
                assignment_beside(Path::new(&source.name))
            }
            _ => None,
        };
        let current = match &self.current {
            Some(path) => Some(Source::read(path)?),
            None => match beside() {
                Some(path) => {
                    say(&format!("{}: where tasks run now", path.display()));
                    Some(Source::read(&path)?)
                }
                None => None,
            },
        };
        let samples = self.samples()?;
        let start = self.start_date.as_deref().map(parse_date).transpose();
        let start = start.map_err(|cause| Error::usage(format!("--start-date: {cause}")))?;
        let learned = self.learned()?;
        let beside = Beside {
            current: current.as_ref(),
            samples: samples.as_ref(),
            learned: learned.as_ref(),
            changes,
            start,
            now: self.now,
            untimed: self.untimed,
            running,
            columns: Columns { ignored: &self.ignore_columns, units: &self.units },
        };
        read_beside(input, format, &beside)
    }

    /// The instance; what was not understood is said, unless `quiet`.
    fn told(&self, reading: Reading, quiet: bool) -> Result<Instance> {
        let assumptions = reading.instance.assumptions();
        if let (true, Some(first)) = (self.strict, assumptions.first()) {
            let count = assumptions.len();
            let cause = format!("{count} assumptions, and --strict allows none: {first}");
            return Err(Error::new(Kind::Input, cause)
                .help("leave out what is assumed about, or --strict; without it all are listed"));
        }
        if !quiet {
            reading.warnings.iter().for_each(|warning| warn(warning));
            assumptions.iter().for_each(|assumed| warn(&assumed.to_string()));
        }
        Ok(reading.instance)
    }
}

/// `assignment_X.sol` beside `model_X.txt`, where there is one.
fn assignment_beside(path: &Path) -> Option<PathBuf> {
    let name = path.file_stem()?.to_str()?.strip_prefix("model_")?;
    let beside = path.with_file_name(format!("assignment_{name}.sol"));
    beside.is_file().then_some(beside)
}
