//! `stowplan solve`

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use super::clock::Clock;
use super::goal::{GoalArgs, weights};
use super::input::InstanceArgs;
use super::judged::without_time;
use super::output::{Form, OutputArgs, say, warn};
use super::params::ParamArgs;
use super::progress::{Progress, TICK};
use super::{Done, FAILED, INTERRUPTED, NOTHING_FOUND};
use base::error::{Error, Kind, Result};
use base::stop::Stop;
use engines::policy::{ORDERS, Order};
use formats::{Eviction, Running, Source, digest, read_plan, write_assignment};
use judge::check::{Violation, check_claim};
use judge::proof::Proof;
use model::{Instance, Schedule, Term, Tier, Worth};
use plan::explain::{Verdict, explain};
use plan::replan::{self, Running as Asked, today};
use plan::solve::{
    Answer, Method, NoPlan, Outcome, Params, Watch, judged, planning, stuck_one_by_one,
};
use plan::survive::plan_watched;
use report::{self, ConflictDoc, Report, standing};

/// How long a solver may take to notice that it was interrupted, or that its time is up.
const PATIENCE: Duration = Duration::from_millis(300);
/// How often a solver that has a plan is looked after once time is up.
const SOON: Duration = Duration::from_millis(20);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    instance: InstanceArgs,
    /// Begin with this plan; what breaks a rule in it is placed anew
    #[arg(long, value_name = "PLAN")]
    start: Option<PathBuf>,
    /// Only plans that survive every failure of a `node`, or of all nodes with one value of a
    /// LABEL: the tasks there have room on the others, where all else stays
    #[arg(long, value_name = "node|LABEL", conflicts_with = "allow_unplaced")]
    survive: Option<String>,
    /// Let tasks that run be evicted for those of higher priority, as few as can be: each stays where it is or goes
    #[arg(long, conflicts_with_all = ["survive", "start"])]
    preempt: bool,
    /// Place every task, of a queue too: Slurm's pending jobs otherwise start or wait
    #[arg(long, conflicts_with = "allow_unplaced")]
    all: bool,
    #[command(flatten)]
    pub(super) how: HowArgs,
}

/// How to plan and what to print, shared with `merge` and `replan`.
#[derive(Debug, clap::Args)]
pub(super) struct HowArgs {
    #[command(flatten)]
    pub(super) goal: GoalArgs,
    #[command(flatten)]
    params: ParamArgs,
    /// How to plan: auto, search, ilp, or a policy (see `stowplan policies`)
    #[arg(long, help_heading = "Method", default_value = "auto", value_name = "METHOD")]
    method: String,
    /// One order of tasks for a policy instead of trying many
    #[arg(long, value_name = "ORDER", help_heading = "Method", hide_short_help = true)]
    order: Option<String>,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    /// Print the allocation matrix, however wide
    #[arg(long, help_heading = "Output", hide_short_help = true)]
    matrix: bool,
    /// Weights of the weighted load, as in cpu=1,gpu=3
    #[arg(long, value_name = "LIST", help_heading = "Output", hide_short_help = true)]
    weights: Option<String>,
    /// Include timings
    #[arg(long, help_heading = "Output", hide_short_help = true)]
    timing: bool,
    /// Log what happens to standard error
    #[arg(short, long, conflicts_with = "quiet", help_heading = "Output")]
    pub(super) verbose: bool,
    /// No warnings and no progress line
    #[arg(short, long, help_heading = "Output")]
    pub(super) quiet: bool,
}

fn order(name: &str) -> Result<Order> {
    ORDERS.iter().find(|row| row.name == name).map(|row| row.order).ok_or_else(|| {
        let names: Vec<&str> = ORDERS.iter().map(|row| row.name).collect();
        Error::unknown("order", name, &names)
    })
}

pub(super) fn run(mut args: Args) -> Done {
    let clock = Clock::new(args.how.verbose);
    let params = Params { survive: args.survive.clone(), ..args.how.checked()? };
    let every = args.all || args.survive.is_some();
    args.instance.tables.untimed = !args.how.goal.wants_time();
    args.instance.tables.now = !every && args.instance.tables.untimed;
    let (instance, start) = args.read()?;
    let queue = instance.is_queue() && !every;
    let params =
        Params { allow_unplaced: params.allow_unplaced || args.preempt || queue, ..params };
    if params.survive.is_some() {
        without_time(&instance, "`--survive`")?;
    }
    let name = args.instance.name();
    let runs = || instance.task_ids().any(|task| instance.current(task).is_some());
    let moves = args.how.goal.is_about_running() && !instance.is_timed() && runs();
    let job =
        Job { instance: &instance, name: name.as_deref(), moves, running: None, clock: &clock };
    plan(&args.how, &job, &Params { start, ..params })
}

impl Args {
    /// The instance with what the options change about it, and the plan to begin with.
    pub(super) fn read(&self) -> Result<(Instance, Option<Schedule>)> {
        let running = match (self.preempt, self.how.goal.is_about_running()) {
            (true, _) => Running::Evictable,
            (false, true) => Running::Movable(Eviction::GENTLE),
            (false, false) => Running::Load,
        };
        let instance = self.instance.read_changed(&[], running, self.how.quiet)?;
        let instance = self.how.goal.apply(instance)?;
        let start = self.start.as_deref().map(|path| read_start(path, &instance)).transpose()?;
        Ok((instance, start))
    }
}

impl HowArgs {
    /// Checked parameters, without a start.
    pub(super) fn checked(&self) -> Result<Params> {
        let method = Method::parse(&self.method)?;
        let order = self.order.as_deref().map(order).transpose()?;
        if order.is_some() && !matches!(method, Method::Policy(_)) {
            return Err(Error::usage(format!(
                "--order is for policies, and --method is {}",
                method.name()
            ))
            .help("add --method min-load, or leave --order out"));
        }
        self.params.params(method, order)
    }
}

/// A plan to begin with: any plan that speaks of this instance's tasks and nodes.
fn read_start(path: &Path, instance: &Instance) -> Result<Schedule> {
    let verdict = check_claim(instance, &read_plan(&Source::read(path)?, instance)?);
    let unknown = |violation: &&Violation| {
        matches!(violation, Violation::UnknownTask { .. } | Violation::UnknownNode { .. })
    };
    match verdict.violations.iter().find(unknown) {
        Some(violation) => Err(Error::input(path.display().to_string(), violation.to_string())
            .help("is this plan for another instance?")),
        None => Ok(verdict.schedule.unwrap_or_else(|| verdict.plan.into())),
    }
}

/// What is planned.
pub(super) struct Job<'a> {
    /// The problem.
    pub(super) instance: &'a Instance,
    /// What people call it.
    pub(super) name: Option<&'a str>,
    /// Whether the way from where tasks run now is part of the answer.
    pub(super) moves: bool,
    /// What of it is asked about, where that is not all.
    pub(super) running: Option<&'a Asked<'a>>,
    /// Has run since the command began.
    pub(super) clock: &'a Clock,
}

/// Part of the time that is kept for the order of moves.
const FOR_THE_WAY: u32 = 8;

/// Plans and prints the answer.
pub(super) fn plan(args: &HowArgs, job: &Job, params: &Params) -> Done {
    let instance = job.running.map_or(job.instance, |running| &running.instance);
    let form = args.output.form("plans", &Form::PLANS)?;
    if form == Form::Svg && !instance.is_timed() {
        return Err(
            Error::usage("a drawing shows a plan in time").help("add --timed, or use -o FILE.html")
        );
    }
    let weights = args.weights.as_deref().map(|text| weights(text, instance)).transpose()?;
    let (sender, receiver) = mpsc::channel();
    let interrupt = sender.clone();
    // Without a handler an interrupt simply ends the program, as it always did.
    let _ = ctrlc::set_handler(move || {
        let _ = interrupt.send(Event::Interrupted);
    });
    let progress = Progress::new(params.time_limit, !args.quiet);
    let log = |line: &str| {
        if args.verbose {
            progress.say(line);
        }
    };
    job.clock.lap("read");
    let stop = Stop::after(params.time_limit);
    let whole = if job.moves {
        stop.part(params.time_limit - params.time_limit / FOR_THE_WAY)
    } else {
        stop.clone()
    };
    let watch = Watch::new(planning(instance, &whole), &log);
    // It goes on although its time is up, and there is an answer.
    let late = || {
        let end = whole.deadline().checked_add(PATIENCE);
        watch.stop.reached()
            && end.is_some_and(|end| Instant::now() >= end)
            && watch.goal().is_some()
    };
    let print = |outcome: Outcome| {
        let outcome = match job.running {
            Some(running) => running.with_waiting(outcome, params)?,
            None => outcome,
        };
        print_plan((args, form), job, &outcome, weights.as_ref(), &stop)
    };
    let event = std::thread::scope(|scope| -> Result<Done> {
        let work = &watch;
        scope.spawn(move || solve_and_send(instance, params, work, sender));
        let first = loop {
            match receiver.recv_timeout(if watch.stop.reached() { SOON } else { TICK }) {
                Err(RecvTimeoutError::Timeout) if late() => break Err(RecvTimeoutError::Timeout),
                Err(RecvTimeoutError::Timeout) => {
                    progress.tick(|| {
                        watch.goal().map_or_else(|| "no plan yet".to_owned(), |g| standing(&g))
                    });
                }
                event => break event,
            }
        };
        progress.finish();
        let answer = match first {
            Ok(Event::Done(answer)) => answer,
            _ => {
                watch.stop.ask();
                match receiver.recv_timeout(if late() { Duration::ZERO } else { PATIENCE }) {
                    Ok(Event::Done(answer)) => answer,
                    Ok(Event::Interrupted)
                    | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                        // The solver does not listen: answer with the best plan and go.
                        let done = match watch.best() {
                            Some(outcome) => judged(instance, params, outcome).and_then(print),
                            None => Ok(INTERRUPTED),
                        };
                        leave(done);
                    }
                }
            }
        };
        Ok(Ok(match *answer? {
            Answer::Plan(outcome) => print(*outcome)?,
            Answer::NoPlan(none) => {
                let job = Job { instance, running: None, ..*job };
                print_no_plan((args, form), &job, params, &none, &stop)?
            }
        }))
    });
    event?
}

enum Event {
    Done(Result<Box<Answer>>),
    Interrupted,
}

fn solve_and_send(instance: &Instance, params: &Params, watch: &Watch, sender: Sender<Event>) {
    let answer = plan_watched(instance, params, watch).map(Box::new);
    // Nobody listens any more only when the program is ending.
    let _ = sender.send(Event::Done(answer));
}

/// Ends the program while a solver is still at work on another thread.
fn leave(done: Done) -> ! {
    let code = match done {
        Ok(code) => code,
        Err(error) => {
            super::output::complain(&error);
            super::exit_code(error.kind)
        }
    };
    std::process::exit(i32::from(code))
}

fn print_plan(
    (args, form): (&HowArgs, Form),
    job: &Job,
    outcome: &Outcome,
    weights: Option<&model::ResourceWeights>,
    stop: &Stop,
) -> Done {
    let instance = job.instance;
    if let Some(missed) = job.moves.then(|| missed(instance, outcome)).flatten() {
        super::output::complain(&missed);
        return Ok(FAILED);
    }
    let (end, seed) = (&outcome.plan, outcome.seed);
    let way = || replan::judged_order(instance, &today(instance), end, seed, stop);
    let order = job.moves.then(way).transpose()?;
    job.clock.lap("answered");
    if !args.quiet {
        if order.as_ref().is_some_and(|order| order.cut_short) {
            warn(
                "time ran out before an order of all moves was found; a higher --time-limit may find one",
            );
        }
        outcome.notes.iter().for_each(|note| warn(note));
        let stuck = if !instance.is_timed() { stuck_one_by_one(instance, end) } else { Vec::new() };
        if let Some(first) = stuck.first() {
            warn(&format!(
                "{} tasks, `{}` among them, cannot be placed one after the other: on the way a spread would not hold. \
                 A scheduler that places one at a time stays stuck; bound as planned they are right",
                stuck.len(),
                instance.task_name(*first)
            ));
        }
        if instance.goal().mentions(Term::Demand)
            && !instance.has_pairs()
            && outcome.unplaced.is_empty()
        {
            warn(
                "`demand` is the same for every plan that places every task: no plan is better than another",
            );
        }
    }
    let mut report = Report::new(instance, outcome, digest(instance), weights);
    report.matrix = args.matrix;
    report.timing = args.timing;
    report.moves = order.as_ref();
    report.name = job.name.map(str::to_owned);
    report.width = args.output.width();
    let text = match form {
        Form::Table => report::plan_table(&report),
        Form::Json => report::plan_json(&report),
        Form::Csv => match &order {
            Some(order) => report::moves_csv(instance, order),
            None => report::plan_csv(&report),
        },
        Form::Markdown => report::plan_markdown(&report),
        Form::Html => report::plan_html(&report)?,
        Form::Sol => write_assignment(instance, &outcome.plan)?,
        Form::Svg => report
            .schedule
            .as_ref()
            .map_or_else(|| Ok(String::new()), |schedule| report::gantt_svg(instance, schedule))?,
    };
    args.output.write(form, &text)?;
    job.clock.lap("written");
    let stuck = order.is_some_and(|order| !order.stuck.is_empty());
    Ok(if stuck { FAILED } else { 0 })
}

/// Whether a value is above a limit, by more than rounding.
fn above(value: f64, limit: f64) -> bool {
    !Worth::real(value).at_most(Worth::real(limit))
}

/// The first limit of the goal that the plan does not keep.
fn missed(instance: &Instance, outcome: &Outcome) -> Option<Error> {
    let tiers = &instance.goal().tiers;
    let own = &outcome.goal[outcome.goal.len() - tiers.len()..];
    let over = |(tier, reached): &(&Tier, &Proof)| {
        tier.enough.is_some_and(|enough| above(reached.value, enough))
    };
    let (tier, reached) = tiers.iter().zip(own).find(over)?;
    let enough = tier.enough?;
    let sum = tier.terms.iter().map(|part| part.term.to_string()).collect::<Vec<_>>().join(" + ");
    Some(if above(reached.bound, enough) {
        Error::new(Kind::Input, format!("no plan has {tier}: {} at least", reached.bound))
            .help(format!("allow {sum} of {}", reached.bound))
    } else {
        Error::new(
            Kind::Input,
            format!(
                "no plan with {tier} was found: the best has {}, and {} cannot be ruled out",
                reached.value, reached.bound
            ),
        )
        .help("raise --time-limit or the limit")
    })
}

/// The reason goes to standard error; as JSON and as a page it is also the answer.
fn print_no_plan(
    (args, form): (&HowArgs, Form),
    job: &Job,
    params: &Params,
    none: &NoPlan,
    stop: &Stop,
) -> Done {
    let instance = job.instance;
    let head = none.title(instance).to_lowercase();
    let error = Error::new(Kind::Input, format!("{head}: {}", none.cause)).help(&none.remedy);
    super::output::complain(&error);
    // Without failures there may well be a plan: then `explain` has nothing to say.
    let why = if none.proven && !instance.is_timed() { why(instance, params, stop)? } else { None };
    job.clock.lap("answered");
    why.iter().flat_map(ConflictDoc::short).for_each(|line| say(&format!("  {line}")));
    match form {
        Form::Json => {
            let method = params.method.name();
            let text = report::no_plan_json(instance, digest(instance), &method, none, why);
            args.output.write(form, &text)?;
        }
        Form::Html => {
            args.output.write(form, &report::no_plan_html(instance, job.name, none, why)?)?;
        }
        _ => {}
    }
    Ok(if none.holds(instance) { FAILED } else { NOTHING_FOUND })
}

/// How long a refusal is looked into at most; `explain` takes all the time it is given.
const LOOK: Duration = Duration::from_secs(5);

fn why(instance: &Instance, params: &Params, stop: &Stop) -> Result<Option<ConflictDoc>> {
    // With a limit on work the clock decides nothing but when all of it ends.
    let most = if params.work_limit.is_some() { Duration::MAX } else { LOOK };
    let limit = stop.remaining().min(most);
    if limit.is_zero() {
        return Ok(None);
    }
    Ok(match explain(instance, params.solver, params.seed, limit)? {
        Verdict::Infeasible(why) => Some(ConflictDoc::of(instance, &why)),
        Verdict::Feasible(_) | Verdict::Unknown => None,
    })
}
