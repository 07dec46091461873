//! `stowplan sweep FILE`

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::Parser;

use super::clock::Clock;
use super::output::{Form, OutputArgs, complain, say, write_to};
use super::{Done, FAILED, WRONG, params, solve};
use base::error::{Error, Result};
use formats::{Settings, Source, read_sweep};
use plan::compare::{Row, Scenario, run_one};
use plan::solve::Params;
use report;

const EXAMPLE: &str = "\
FILE is TOML: the instance and the long options of `stowplan solve`, each with a value or a list; every combination is a run.

  instance = [\"monday.json\", \"tuesday.json\"]
  method = [\"auto\", \"min-load\"]
  goal = [\"peak\", \"cost, balance\"]
  time-limit = \"30s\"

  [[runs]]            # as above, but for what stands here
  seed = [1, 2, 3]";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Args {
    /// What to run, see below; `-` is standard input
    #[arg(value_name = "FILE")]
    sweep: PathBuf,
    /// Print the command of every run, a line each, and run nothing
    #[arg(long, conflicts_with = "jobs")]
    emit: bool,
    /// Runs at a time, each with one thread unless the file says otherwise [default: all cores]
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Stop after this long over all runs, reading and writing aside; each has at most its share, and
    /// its own limit [default: only their own]
    #[arg(long, value_name = "TIME", conflicts_with = "emit")]
    time_limit: Option<String>,
    #[command(flatten)]
    output: OutputArgs,
    /// Include timings
    #[arg(long)]
    timing: bool,
    /// Tell on standard error what is done
    #[arg(short, long)]
    verbose: bool,
}

/// One run is what `solve` would be asked to do.
#[derive(Debug, Parser)]
#[command(name = "stowplan solve", no_binary_name = true)]
struct Run {
    #[command(flatten)]
    solve: solve::Args,
}

/// Options of `solve` that say what it prints.
const PRINTING: [&str; 7] = ["output", "out", "matrix", "weights", "timing", "verbose", "quiet"];

pub(super) fn run(args: Args) -> Done {
    let clock = Clock::new(args.verbose);
    let limit = args.time_limit.as_deref().map(params::time_limit).transpose()?;
    let source = Source::read(&args.sweep)?;
    let runs = read_sweep(&source)?;
    let mut parsed = Vec::with_capacity(runs.len());
    for (k, settings) in runs.iter().enumerate() {
        let run = parse(settings).and_then(|run| run.solve.how.checked().map(|_| run));
        parsed.push(run.map_err(|error| error.in_file(&source.name).at(format!("run {k}")))?);
    }
    if args.emit {
        let line = |settings| {
            let words = words(settings);
            let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
            format!("stowplan solve {}\n", words.join(" "))
        };
        write_to(args.output.file.as_deref(), &runs.iter().map(line).collect::<String>())?;
        return Ok(0);
    }
    let form = args.output.form("a sweep", &Form::TEXTS)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = args.jobs.unwrap_or(cores);
    if jobs == 0 || jobs > 1024 {
        return Err(Error::usage("--jobs: use 1 to 1024"));
    }
    clock.lap("read");
    let budget = Budget::new(limit, runs.len(), jobs);
    let scenarios = all(runs, &parsed, &budget, args.verbose);
    clock.lap("answered");
    let text = match form {
        Form::Json => report::sweep_json(&scenarios, args.timing),
        Form::Csv => report::sweep_csv(&scenarios, args.timing),
        Form::Markdown => report::sweep_markdown(&scenarios, args.timing),
        _ => report::sweep_table(&scenarios, args.timing),
    };
    args.output.write(form, &text)?;
    let failed: Vec<&Error> = scenarios.iter().filter_map(|s| s.result.as_ref().err()).collect();
    failed.iter().for_each(|error| complain(error));
    let planless = scenarios.iter().any(|s| s.result.as_ref().is_ok_and(|row| !row.has_plan()));
    Ok(if !failed.is_empty() {
        WRONG
    } else if planless {
        FAILED
    } else {
        0
    })
}

/// The words after `stowplan solve`.
fn words(settings: &Settings) -> Vec<String> {
    let word = |(key, value): &(String, String)| match (key.as_str(), value.as_str()) {
        ("instance", path) => Some(path.to_owned()),
        (_, "false") => None,
        (key, "true") => Some(format!("--{key}")),
        (key, value) => Some(format!("--{key}={value}")),
    };
    settings.iter().filter_map(word).collect()
}

fn parse(settings: &Settings) -> Result<Run> {
    if let Some((key, _)) = settings.iter().find(|(key, _)| PRINTING.contains(&key.as_str())) {
        let cause = format!("`{key}` says what `solve` prints, and a sweep prints a row a run");
        return Err(Error::usage(cause).help("give it to `sweep`, or to the emitted commands"));
    }
    if settings.iter().any(|(key, value)| key == "instance" && value == "-") {
        return Err(Error::usage("a run cannot read standard input").help("name a file"));
    }
    Run::try_parse_from(words(settings)).map_err(|error| {
        let text = error.to_string();
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let cause = lines.next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let tip = lines.find_map(|line| line.strip_prefix("tip: ")).map(str::to_owned);
        Error::usage(cause)
            .help(tip.unwrap_or_else(|| "keys are `instance` and options of `solve`".to_owned()))
    })
}

/// A word as a POSIX shell takes it for itself.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./=:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Runs everything, `jobs` at a time, each on threads of its own: in a shared pool a run
/// that waits would take up another one, and its time limit would pass meanwhile.
fn all(runs: Vec<Settings>, parsed: &[Run], budget: &Budget, verbose: bool) -> Vec<Scenario> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(runs.len()));
    std::thread::scope(|scope| {
        for _ in 0..budget.jobs.min(runs.len()) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(run) = parsed.get(at) else { break };
                    let result = one(run, budget, parsed.len() - at);
                    if verbose {
                        let status = result.as_ref().map_or("error", |row| row.status);
                        say(&format!("run {at}: {status}"));
                    }
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((at, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    let results = done.into_iter().map(|(_, result)| result);
    runs.into_iter().zip(results).map(|(settings, result)| Scenario { settings, result }).collect()
}

/// The time of a sweep that has a limit of its own.
struct Budget {
    /// How much planning all runs may do, as long as one thread would take.
    left: Option<Mutex<Duration>>,
    jobs: usize,
}

impl Budget {
    fn new(limit: Option<Duration>, runs: usize, jobs: usize) -> Budget {
        let jobs_at_once = u32::try_from(jobs.min(runs)).unwrap_or(u32::MAX);
        Budget { left: limit.map(|limit| Mutex::new(limit.saturating_mul(jobs_at_once))), jobs }
    }

    /// What one of so many runs may take; it has to give back what it does not need.
    fn share(&self, runs: usize) -> Option<Duration> {
        let mut left = self.left.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        let share = *left / u32::try_from(runs).unwrap_or(u32::MAX);
        *left -= share;
        Some(share)
    }

    /// What a run took beyond its share, others have to do without.
    fn give_back(&self, share: Duration, used: Duration) {
        let Some(left) = &self.left else { return };
        let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
        *left = (*left + share).saturating_sub(used);
    }
}

/// One of the last so many runs.
fn one(run: &Run, budget: &Budget, left: usize) -> Result<Row> {
    let mut params = run.solve.how.checked()?;
    params.threads = params.threads.or(Some(1));
    let (instance, start) = run.solve.read()?;
    let share = budget.share(left);
    if share.is_some_and(|share| share.is_zero()) {
        return Ok(Row::not_run("", params.method));
    }
    params.time_limit = params.time_limit.min(share.unwrap_or(Duration::MAX));
    let began = Instant::now();
    let row = run_one("", &instance, &Params { start, ..params });
    share.iter().for_each(|share| budget.give_back(*share, began.elapsed()));
    row
}
