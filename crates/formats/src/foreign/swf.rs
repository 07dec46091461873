//! The Standard Workload Format of the Parallel Workloads Archive: lines of 18 numbers, one a job,
//! after comments (`; MaxProcs: 128`).

use rustc_hash::{FxHashMap, FxHashSet};

use super::super::source::Text;
use super::super::time_file::is_date;
use super::pool::{Pool, units, whole_amount};
use base::error::Result;
use model::{AfterDraft, CENTURY, Decimal, Direction, Draft, NodeDraft, TaskDraft, Term, When};

/// Numbers of a line.
const COLUMNS: usize = 18;
/// Most nodes, and most processors of a job.
const MOST: i64 = 100_000;
/// Most processors of all.
const ALL: i64 = 100_000_000;

/// True for comments with a head of the format, or for a line of 18 numbers after comments.
pub(super) fn fits(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let comments = lines.clone().take_while(|line| line.starts_with(';'));
    let known = |line: &str| {
        ["Version:", "Computer:", "MaxProcs:", "MaxNodes:", "MaxJobs:", "UnixStartTime:"]
            .iter()
            .any(|head| line.trim_start_matches([';', ' ']).starts_with(head))
    };
    if comments.clone().any(known) {
        return true;
    }
    let first = lines.find(|line| !line.starts_with(';')).unwrap_or("");
    let words: Vec<&str> = first.split_whitespace().collect();
    words.len() == COLUMNS && words.iter().all(|word| word.parse::<f64>().is_ok())
}

/// The value of a head, a whole number.
fn head(text: &str, name: &str) -> Option<i64> {
    let comments = text.lines().map(str::trim).filter_map(|line| line.strip_prefix(';'));
    let own = comments.filter_map(|line| line.trim().strip_prefix(name)?.trim().strip_prefix(':'));
    let first = own.filter_map(|value| value.split_whitespace().next()?.parse::<i64>().ok()).next();
    first.filter(|value| *value > 0)
}

/// Reads the jobs. Nodes are `n1`, `n2`, ... with equal shares of the processors.
///
/// # Errors
/// Lines that are no jobs; no `MaxNodes` and no `MaxProcs`; jobs larger than the machine are read.
pub(super) fn read(source: Text) -> Result<Draft> {
    let mut pool = Pool::new(&["cpu"]);
    nodes(source, &mut pool)?;
    let start = head(source.text, "UnixStartTime");
    if let Some(start) = start.filter(|start| !is_date(start)) {
        return Err(source
            .error(format!("`{start}` seconds since 1970 are no date"))
            .at("UnixStartTime"));
    }
    pool.draft.start = start;
    let mut jobs: Vec<Job> = Vec::new();
    for (k, line) in source.text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(';') {
            continue;
        }
        let place = format!("line {}", k + 1);
        jobs.push(job(line).map_err(|cause| source.error(cause).at(place))?);
    }
    let known: FxHashSet<i64> = jobs.iter().map(|job| job.number).collect();
    let mut names: FxHashMap<i64, usize> = FxHashMap::default();
    let mut left = FxHashSet::default();
    for job in &jobs {
        if job.processors <= 0 || job.seconds < 0 {
            left.insert(job.number);
        }
    }
    for job in &jobs {
        let place = format!("{}: job {}", source.name, job.number);
        if left.contains(&job.number) {
            let cause = "jobs that never ran, or say nothing of processors or time, are left out";
            pool.assume(Direction::Wider, place, cause);
            continue;
        }
        let many = names.entry(job.number).or_default();
        *many += 1;
        let id = if *many > 1 { format!("{}.{many}", job.number) } else { job.number.to_string() };
        if job.memory > 0 {
            let cause = "memory is not planned with: the file does not say how much a node has";
            pool.assume(Direction::Wider, place.clone(), cause);
        }
        let mut task = TaskDraft {
            id,
            demand: vec![(0, Decimal::ONE)],
            duration: Some(job.seconds),
            release: Some(When::In(job.submit)),
            ..TaskDraft::default()
        };
        units(&mut task, job.processors as u32, false);
        if job.partition > 1 {
            let cause = "partitions are not planned with: every node is in all of them";
            pool.assume(Direction::Wider, place.clone(), cause);
        }
        if job.before > 0 {
            if known.contains(&job.before)
                && !left.contains(&job.before)
                && job.before != job.number
            {
                task.after.push(AfterDraft { task: job.before.to_string(), lag: job.think.max(0) });
            } else {
                let cause =
                    "a job that comes after one that is not in the file comes after nothing";
                pool.assume(Direction::Wider, place, cause);
            }
        }
        pool.draft.tasks.push(task);
    }
    pool.timed(Term::Wait);
    pool.finish(
        &[source],
        "the line `; MaxProcs: 128` at the top",
        "lines of 18 numbers, one a job",
    )
}

/// What a line says.
struct Job {
    number: i64,
    submit: i64,
    seconds: i64,
    processors: i64,
    /// KB of each processor.
    memory: i64,
    partition: i64,
    before: i64,
    think: i64,
}

fn job(line: &str) -> std::result::Result<Job, String> {
    let mut numbers = [-1i64; COLUMNS];
    let mut count = 0;
    for word in line.split_whitespace() {
        let value: Option<f64> = word.parse().ok().filter(|value: &f64| value.abs() < 1e15);
        let Some(value) = value else { return Err(format!("`{word}` is no number")) };
        if let Some(own) = numbers.get_mut(count) {
            *own = value.ceil() as i64;
        }
        count += 1;
    }
    if count != COLUMNS {
        return Err(format!("a job is {COLUMNS} numbers, this line has {count}"));
    }
    let [
        number,
        submit,
        _,
        run,
        allocated,
        _,
        _,
        asked,
        limit,
        memory,
        _,
        _,
        _,
        _,
        _,
        partition,
        before,
        think,
    ] = numbers;
    let processors = if asked > 0 { asked } else { allocated };
    let seconds = if run >= 0 { run } else { limit };
    if processors > MOST {
        return Err(format!("the job has {processors} processors, more than {MOST}"));
    }
    if submit < 0 {
        return Err("the job has no time at which it was submitted (column 2)".to_owned());
    }
    if [submit, seconds, think].into_iter().any(|time| time > CENTURY) {
        return Err("a time is longer than a century".to_owned());
    }
    Ok(Job { number, submit, seconds, processors, memory, partition, before, think })
}

/// Nodes of equal size.
fn nodes(source: Text, pool: &mut Pool) -> Result<()> {
    let (nodes, processors) = (head(source.text, "MaxNodes"), head(source.text, "MaxProcs"));
    let count = nodes.or(processors).ok_or_else(|| {
        let error =
            source.error("the head says neither MaxNodes nor MaxProcs: the machine is not known");
        error.help("add a line `; MaxProcs: 128`, and `; MaxNodes: 64` where nodes have several")
    })?;
    let all = processors.unwrap_or(count).max(count);
    if count > MOST || all > ALL {
        let cause =
            format!("{count} nodes with {all} processors: at most {MOST} with {ALL} are read");
        return Err(source.error(cause).help("correct MaxNodes and MaxProcs in the head"));
    }
    for k in 0..count {
        // The first ones have what does not divide.
        let own = all / count + i64::from(k < all % count);
        let capacity = vec![(0, whole_amount(own))];
        let id = format!("n{}", k + 1);
        pool.draft.nodes.push(NodeDraft { id, capacity, ..NodeDraft::default() });
    }
    Ok(())
}
