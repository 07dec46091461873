//! A plan as a POSIX shell script that gives Slurm's pending jobs their nodes.

use std::fmt::Write;

use rustc_hash::{FxHashMap, FxHashSet};

use super::reservations::{WITHIN, is_within};
use base::error::{Error, Kind, Result};
use model::{Instance, NodeId, Plan, Schedule, TaskId};

const HEAD: &str = "\
#!/bin/sh
# Gives pending jobs the nodes of a plan. Jobs without a number are submitted: their batch
# scripts are sought as NAME.sh in the folder JOBS, by default the current one.
# Goes on after a failure, such as a job that has started meanwhile, and then ends with 1.
set -u
failed=0
try() { \"$@\" || failed=1; }
";

/// Writes `scontrol update jobid=... reqnodelist=...` for each job with a number, `123` or `123_4`,
/// and `sbatch --nodelist=...` for every other. Jobs without a node are comments.
///
/// # Errors
/// Names that Slurm cannot take: of nodes with brackets, commas or spaces, of jobs with slashes.
pub fn write_script(instance: &Instance, plan: &Plan) -> Result<String> {
    let (mut text, further) = (HEAD.to_owned(), parts(instance));
    for job in instance.jobs().filter(|job| !is_part(instance, *job)) {
        let name = instance.job_name(job);
        let places = places(instance, plan, &further, job);
        if places.is_empty() {
            let _ = writeln!(text, "# {}: no node", name.escape_debug());
            continue;
        }
        let nodes = hosts(instance, &places)?;
        if is_number(name) {
            let _ =
                writeln!(text, "try scontrol update jobid={name} reqnodelist={}", quoted(&nodes));
            continue;
        }
        check_file(name)?;
        let _ = writeln!(
            text,
            "try sbatch --nodes={} --nodelist={} --job-name={} \"${{JOBS:-.}}/\"{}",
            places.len(),
            quoted(&nodes),
            quoted(name),
            quoted(&format!("{name}.sh"))
        );
    }
    text.push_str("exit \"$failed\"\n");
    Ok(text)
}

/// What is said of times.
const TIMED: &str = "\
# Jobs begin so many seconds after this script runs, and when what they come after has ended well.
";

/// The same for a plan in time, in the order of starts: jobs begin no sooner than planned and
/// depend on those that they come after, whatever these are called once they are submitted.
///
/// # Errors
/// As for [`write_script`].
pub fn write_timed_script(instance: &Instance, schedule: &Schedule) -> Result<String> {
    let further = parts(instance);
    let mut text = HEAD.replacen("# Goes on", &format!("{TIMED}# Goes on"), 1);
    let whole = instance.jobs().filter(|job| !is_part(instance, *job));
    let mut jobs: Vec<(Option<i64>, TaskId)> =
        whole.map(|job| (schedule.start[job.index()], job)).collect();
    // Jobs without a start come last, as comments.
    jobs.sort_by_key(|(start, job)| (start.is_none(), *start, *job));
    for (start, job) in jobs {
        let name = instance.job_name(job);
        let places = places(instance, &schedule.plan, &further, job);
        let (Some(start), false) = (start, places.is_empty()) else {
            let _ = writeln!(text, "# {}: no node", name.escape_debug());
            continue;
        };
        if instance.runs_now(job) {
            let _ = writeln!(text, "# {}: runs already", name.escape_debug());
            continue;
        }
        let nodes = quoted(&hosts(instance, &places)?);
        let mut before: Vec<TaskId> =
            instance.after(job).iter().map(|(task, _)| instance.job(*task)).collect();
        before.dedup();
        let ids: Vec<String> = before.iter().map(|job| number_of(instance, *job)).collect();
        let depends = |option: &str| {
            if ids.is_empty() {
                String::new()
            } else {
                format!(" {option}afterok:{}", ids.join(":"))
            }
        };
        if is_number(name) {
            let _ = writeln!(
                text,
                "try scontrol update jobid={name} reqnodelist={nodes} starttime=now+{start}{}",
                depends("dependency=")
            );
            continue;
        }
        check_file(name)?;
        let _ = writeln!(
            text,
            "job_{}=$(sbatch --parsable --begin=now+{start}{} --nodes={} --nodelist={nodes} --job-name={} \"${{JOBS:-.}}/\"{}) || failed=1",
            job.index(),
            depends("--dependency="),
            places.len(),
            quoted(name),
            quoted(&format!("{name}.sh"))
        );
    }
    text.push_str("exit \"$failed\"\n");
    Ok(text)
}

/// What another job calls this one: its number, or the variable that holds it.
fn number_of(instance: &Instance, job: TaskId) -> String {
    match instance.job_name(job) {
        name if is_number(name) => name.to_owned(),
        _ => format!("${{job_{}}}", job.index()),
    }
}

/// The nodes of a job and its further parts, each once: several of its tasks may be on one.
fn places(instance: &Instance, plan: &Plan, parts: &Parts, job: TaskId) -> Vec<NodeId> {
    let mut seen = FxHashSet::default();
    let name = instance.job_name(job);
    let parts = parts.get(name).into_iter().flatten();
    let jobs = std::iter::once(job).chain(parts.copied());
    let all = jobs.flat_map(|job| instance.units(job)).filter_map(|unit| plan.placement[unit]);
    all.filter(|node| seen.insert(*node)).collect()
}

/// Further parts of jobs, by what these are called.
type Parts<'a> = FxHashMap<&'a str, Vec<TaskId>>;

fn parts(instance: &Instance) -> Parts<'_> {
    let mut parts = Parts::default();
    for job in instance.jobs().filter(|job| is_part(instance, *job)) {
        if let Some((of, _)) = instance.job_name(job).rsplit_once(':') {
            parts.entry(of).or_default().push(job);
        }
    }
    parts
}

/// True for a part of a job beside its first.
fn is_part(instance: &Instance, job: TaskId) -> bool {
    let part = instance.job_name(job).rsplit_once(':');
    part.is_some_and(|(of, number)| {
        is_number(of) && number.bytes().all(|b| b.is_ascii_digit()) && !number.is_empty()
    })
}

/// The node, where this is what a reservation has of it.
fn real(instance: &Instance, node: NodeId) -> &str {
    let name = instance.node_name(node);
    match name.rsplit_once(WITHIN) {
        Some((real, of)) if is_within(instance.labels(node), of) => real,
        _ => name,
    }
}

/// Nodes as Slurm lists them.
fn hosts(instance: &Instance, nodes: &[NodeId]) -> Result<String> {
    let names: Result<Vec<&str>> = nodes.iter().map(|node| host(real(instance, *node))).collect();
    Ok(names?.join(","))
}

/// The script of a job without a number is a file of its name.
fn check_file(name: &str) -> Result<()> {
    if !name.contains('/') {
        return Ok(());
    }
    let cause = format!("the job `{name}` has no number, and no file can be called so");
    Err(Error::new(Kind::Usage, cause).help("rename it without slashes"))
}

/// `123` or `123_4`.
fn is_number(name: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    name.split_once('_').map_or(digits(name), |(job, task)| digits(job) && digits(task))
}

/// A node's name, if a list of nodes can hold it.
fn host(name: &str) -> Result<&str> {
    let breaks = |c: char| c.is_whitespace() || c.is_control() || "[],".contains(c);
    if name.is_empty() || name.contains(breaks) {
        let cause = format!("Slurm's lists of nodes cannot hold a node called `{name}`");
        return Err(
            Error::new(Kind::Usage, cause).help("rename it without spaces, commas, brackets")
        );
    }
    Ok(name)
}

/// One word of a shell, whatever is in it.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.,:/@%+=".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_shell() {
        for (text, word) in
            [("n1,n2", "n1,n2"), ("", "''"), ("a b", "'a b'"), ("it's $(x)", "'it'\\''s $(x)'")]
        {
            assert_eq!(quoted(text), word);
        }
        assert!(is_number("12") && is_number("12_3"));
        assert!(!["", "a", "12_", "_1", "12_3_4", "1.0"].into_iter().any(is_number));
    }
}
