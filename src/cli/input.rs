//! Which instance a command is about: files, or tables.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::output::{say, warn};
use base::error::{Error, Kind, Result};
use base::nearest;
use formats::learn::learn;
use formats::{
    Beside, Change, Eviction, Format, History, Input, Reading, Running, Samples, Source, digest,
    is_part, may_run_elsewhere, parse_date, read_beside, read_plan, wants_current,
};
use judge::check::{Verdict, Violation, check_claim, check_plan};
use model::{
    ClaimedPlacement, Goal, Instance, Learned, Plan, ResourceWeights, Risk, Schedule, Term,
    parse_share,
};
use plan::replan::today;

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
    #[arg(long, value_name = "FILE")]
    pub(super) samples: Option<PathBuf>,
    /// Table of earlier runs: what tasks of each kind took replaces their durations and demands
    #[arg(long, value_name = "FILE")]
    pub(super) history: Option<PathBuf>,
    /// When the plan starts, for times given as dates: 2026-01-05T08:00 [default: the instance's `start`]
    #[arg(long, value_name = "DATE")]
    start_date: Option<String>,
    /// Refuse what the reader would have to assume something about
    #[arg(long)]
    strict: bool,
    /// Only what could start now is wanted of a queue.
    #[arg(skip)]
    pub(super) now: bool,
    /// Input format instead of detecting it: json, csv, gap, cloudbalancing, openb, roadef, slurm, kubernetes
    #[arg(long, value_name = "FORMAT")]
    pub(super) format: Option<String>,
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
        let (tables, input) = (&self.tables, self.tables.input(instance)?);
        let load = tables.load(&input, (&[], Running::Load))?;
        let reading = match tables.has_running(&input)? {
            true => as_planned(load, (plan, task), |running| tables.load(&input, (&[], running)))?,
            false => load,
        };
        tables.told(reading, quiet)
    }

    /// Whether the files say what runs in a Kubernetes cluster.
    pub(super) fn is_of_cluster(&self, instance: &[Source]) -> Result<bool> {
        let files = instance.first().map(|first| Input::One(first.clone()));
        files.map_or(Ok(false), |input| self.tables.has_running(&input))
    }

    /// The name of the file that has the instance, or its tasks.
    pub(super) fn name(&self) -> Option<String> {
        name_of(self.tables.tasks.as_ref().or(self.files.first())?)
    }
}

fn name_of(path: &Path) -> Option<String> {
    Some(path.file_name()?.to_string_lossy().into_owned())
}

/// Refuses what knows nothing of time.
pub(super) fn without_time(instance: &Instance, what: &str) -> Result<()> {
    if !instance.is_timed() {
        return Ok(());
    }
    let cause = format!("the goal `{}` is about time, and {what} is not", instance.goal());
    Err(Error::usage(cause).help("choose another goal, such as --goal peak, or use `solve`"))
}

/// A plan that keeps all rules, in time where it is about that.
pub(super) struct Judged {
    pub(super) plan: Plan,
    pub(super) schedule: Option<Schedule>,
}

/// Reads a plan for the instance; `None`, with the reasons on standard error, when it breaks rules.
pub(super) fn judged(file: &Source, instance: &Instance) -> Result<Option<Judged>> {
    accepted(check_claim(instance, &read_plan(file, instance)?))
}

/// The same whatever the plan says it is worth: it may have been made when nodes were being drained.
pub(super) fn judged_places(file: &Source, instance: &Instance) -> Result<Option<Judged>> {
    accepted_places(check_claim(instance, &read_plan(file, instance)?))
}

fn accepted_places(mut verdict: Verdict) -> Result<Option<Judged>> {
    let of_worth = |violation: &Violation| {
        matches!(violation, Violation::Value { .. } | Violation::Tier { .. })
    };
    verdict.violations.retain(|violation| !of_worth(violation));
    accepted(verdict)
}

fn accepted(verdict: Verdict) -> Result<Option<Judged>> {
    for violation in &verdict.violations {
        say(&format!("{}: {violation}", violation.code()));
    }
    if !verdict.violations.is_empty() {
        say("the plan breaks rules: `stowplan check` has the whole list");
        return Ok(None);
    }
    Ok(Some(Judged { plan: verdict.plan, schedule: verdict.schedule }))
}

/// The same of a plan for what runs too: what it does not speak of stays where it is.
pub(super) fn judged_running(file: &Source, instance: &Instance) -> Result<Option<Plan>> {
    let mut claim = read_plan(file, instance)?;
    let said: HashSet<String> = (claim.assignments.iter().map(|place| place.task.clone()))
        .chain(claim.unplaced.iter().map(|(task, _)| task.clone()))
        .collect();
    for (task, node) in today(instance).placements() {
        let name = instance.job_name(task);
        if !said.contains(name) {
            let node = instance.node_name(node).to_owned();
            let place = ClaimedPlacement { task: name.to_owned(), node, ..Default::default() };
            claim.assignments.push(place);
        }
    }
    places_only(instance, accepted_places(check_claim(instance, &claim))?)
}

/// For what only asks where tasks are.
fn places_only(instance: &Instance, judged: Option<Judged>) -> Result<Option<Plan>> {
    let Some(Judged { plan, schedule }) = judged else { return Ok(None) };
    // What holds one after the other need not hold at once.
    let broken = if schedule.is_some() { check_plan(instance, &plan, true) } else { Vec::new() };
    let Some(violation) = broken.first() else { return Ok(Some(plan)) };
    say(&format!("{}: {violation}", violation.code()));
    say("the plan holds in time only, with its starts");
    Ok(None)
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

    /// Whether the input may say of what runs that it could run elsewhere.
    fn has_running(&self, input: &Input) -> Result<bool> {
        Ok(may_run_elsewhere(input, self.forced()?))
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
            running,
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

/// What a person may change about an instance on the command line.
#[derive(Debug, clap::Args)]
pub(super) struct GoalArgs {
    /// What to minimise: tiers separated by commas, each a weighted sum of
    /// peak, balance, cost, nodes, demand, energy, soft, moves, moved, group_moves; in time
    /// makespan, completion, tardiness, wait [default: the instance's, else peak]
    #[arg(long, value_name = "GOAL")]
    pub(super) goal: Option<String>,
    /// Say when tasks run, not only where: goal makespan, unless the goal is about time anyway
    #[arg(long)]
    timed: bool,
    #[command(flatten)]
    pub(super) limits: LimitArgs,
}

/// What a person may ask of every node, shared with `check`.
#[derive(Debug, clap::Args)]
pub(super) struct LimitArgs {
    /// At most one task of the plan on each node
    #[arg(long)]
    pub(super) one_task_per_node: bool,
    /// Chance with which demands that vary may overload a node, in each resource: 0.01 or 1%
    #[arg(long, value_name = "CHANCE")]
    pub(super) risk: Option<String>,
    /// Part of every capacity that the plan leaves free: 0.1 or 10%
    #[arg(long, value_name = "PART")]
    pub(super) headroom: Option<String>,
}

impl LimitArgs {
    /// The instance within these limits.
    pub(super) fn apply(&self, mut instance: Instance) -> Result<Instance> {
        if self.one_task_per_node {
            instance = instance.with_one_task_per_node(true);
        }
        if let Some(text) = &self.risk {
            let risk =
                Risk::parse(text).map_err(|cause| Error::usage(format!("--risk: {cause}")))?;
            if !instance.has_deviations() {
                let cause = "--risk: no demand of this instance varies";
                let remedy = "give demands as {\"mean\": 4, \"sd\": 1}, columns `sd:RESOURCE`, or --samples FILE";
                return Err(Error::usage(cause).help(remedy));
            }
            instance = instance.with_risk(Some(risk));
        }
        if let Some(text) = &self.headroom {
            let part = parse_share(text);
            let with = part.and_then(|part| instance.with_headroom(part));
            instance = with.map_err(|cause| Error::usage(format!("--headroom: {cause}")))?;
        }
        Ok(instance)
    }
}

impl GoalArgs {
    /// Whether a plan in time is asked for.
    pub(super) fn wants_time(&self) -> bool {
        let goal = self.goal.as_deref().map(Goal::parse);
        self.timed || goal.is_some_and(|goal| goal.is_ok_and(|goal| goal.is_timed()))
    }

    /// Whether it is about what runs: how much of it moves, or on how few nodes it could be.
    pub(super) fn is_about_running(&self) -> bool {
        let goal = self.goal.as_deref().map(Goal::parse);
        let about = [Term::Moves, Term::Moved, Term::GroupMoves, Term::Nodes];
        goal.is_some_and(|goal| {
            goal.is_ok_and(|goal| about.iter().any(|term| goal.mentions(*term)))
        })
    }

    /// The instance with these changes.
    pub(super) fn apply(&self, mut instance: Instance) -> Result<Instance> {
        if let Some(text) = &self.goal {
            let goal =
                Goal::parse(text).map_err(|error| Error::usage(format!("--goal: {error}")))?;
            instance = instance.with_goal(goal);
        }
        if self.timed && !instance.is_timed() {
            instance = instance.with_goal(Goal::single(Term::Makespan));
        }
        self.limits.apply(instance)
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
