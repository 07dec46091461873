//! A plan as a POSIX shell script that gives Slurm's pending jobs their nodes.

use std::fmt::Write;

use crate::error::{Error, Kind, Result};
use crate::model::{Instance, Plan};

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
    let mut text = HEAD.to_owned();
    for job in instance.jobs() {
        let name = instance.job_name(job);
        let places: Vec<_> = instance.units(job).filter_map(|unit| plan.placement[unit]).collect();
        if places.is_empty() {
            let _ = writeln!(text, "# {}: no node", name.escape_debug());
            continue;
        }
        let nodes: Result<Vec<&str>> =
            places.iter().map(|node| host(instance.node_name(*node))).collect();
        let nodes = nodes?.join(",");
        if is_number(name) {
            let _ =
                writeln!(text, "try scontrol update jobid={name} reqnodelist={}", quoted(&nodes));
            continue;
        }
        if name.contains('/') {
            let cause = format!("the job `{name}` has no number, and no file can be called so");
            return Err(Error::new(Kind::Usage, cause).help("rename it without slashes"));
        }
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
    match !text.is_empty() && text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
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
