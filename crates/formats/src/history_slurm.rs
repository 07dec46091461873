//! Earlier runs as Slurm's `sacct` knows them: `sacct -P` and `sacct --json`. The kind of a task is
//! the name of the job; runs that did not complete teach nothing.

use rustc_hash::FxHashMap;
use serde_json::Value;

use super::history::{History, Run};
use super::json_error;
use super::slurm::{mebibytes, run_seconds};
use super::source::Text;
use base::error::Result;

/// The resource that steps tell of.
const MEMORY: &str = "memory";

/// A job with what its steps used.
#[derive(Default)]
struct Job {
    name: String,
    node: String,
    seconds: Option<f64>,
    complete: bool,
    /// Bytes.
    memory: Option<f64>,
}

/// Reads what `sacct` prints.
///
/// # Errors
/// Columns that are missing, cells that do not read, each with its line; broken JSON.
pub(super) fn read(source: Text) -> Result<History> {
    let jobs = match source.text.trim_start().starts_with('{') {
        true => of_json(source)?,
        false => of_table(source)?,
    };
    let memory = jobs.iter().any(|job| job.memory.is_some());
    let mut history = History::default();
    history.resources.extend(memory.then(|| MEMORY.to_owned()));
    for job in jobs.into_iter().filter(|job| job.complete) {
        if job.name.is_empty() {
            history.nameless += 1;
            continue;
        }
        let used = if memory { vec![job.memory] } else { Vec::new() };
        history.runs.push(Run { kind: job.name, node: job.node, seconds: job.seconds, used });
    }
    if history.runs.is_empty() {
        let error = source.error("no job in it has completed");
        return Err(error.help("ask sacct for a longer time: sacct -a -S 2026-01-01 -P"));
    }
    Ok(history)
}

/// True for what `sacct` prints with `-P` or `--json`.
pub(super) fn fits(text: &str) -> bool {
    let first = text.lines().next().unwrap_or("");
    let heads: Vec<&str> = first.split('|').map(str::trim).collect();
    heads.len() > 1 && heads.iter().any(|head| head.starts_with("JobID"))
        || text.trim_start().starts_with('{') && json_error::first_key(text, &["jobs"]).is_some()
}

/// One node has a name to learn from.
fn single(list: &str) -> &str {
    let plain = !list.contains([',', '[']) && list != "None assigned" && list != "None";
    if plain { list } else { "" }
}

fn of_table(source: Text) -> Result<Vec<Job>> {
    let mut lines = source.text.lines().enumerate();
    let heads: Vec<&str> =
        lines.next().map_or("", |(_, line)| line).split('|').map(str::trim).collect();
    let column = |name: &str| heads.iter().position(|head| head.eq_ignore_ascii_case(name));
    let Some(id) = column("JobID") else {
        return Err(source.error("the column `JobID` is missing").at("line 1"));
    };
    let (name, state) = (column("JobName"), column("State"));
    let (raw, elapsed) = (column("ElapsedRaw"), column("Elapsed"));
    let (nodes, rss) = (column("NodeList"), column("MaxRSS"));
    if name.is_none() || raw.or(elapsed).is_none() {
        let error = source.error("the columns `JobName` and `Elapsed` are not both there");
        let remedy = "sacct -a -P -o JobID,JobName,Elapsed,State,NodeList,MaxRSS";
        return Err(error.at("line 1").help(remedy));
    }
    let (mut jobs, mut at): (Vec<Job>, FxHashMap<&str, usize>) = (Vec::new(), FxHashMap::default());
    for (k, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let wrong = |cause: String| source.error(cause).at(format!("line {}", k + 1));
        if cells.len() != heads.len() {
            return Err(wrong(format!("{} cells for {} columns", cells.len(), heads.len())));
        }
        let cell = |column: Option<usize>| column.map_or("", |k| cells[k]);
        let memory = match cell(rss) {
            "" => None,
            text => Some(bytes(text).ok_or_else(|| wrong(format!("`{text}` is no amount")))?),
        };
        // `101.batch` is a step of `101`.
        let (job, step) =
            cells[id].split_once('.').map_or((cells[id], false), |(job, _)| (job, true));
        if step {
            if let (Some(job), Some(memory)) = (at.get(job), memory) {
                let own: &mut Option<f64> = &mut jobs[*job].memory;
                *own = Some(own.unwrap_or(0.0).max(memory));
            }
            continue;
        }
        let text = if raw.is_some() { cell(raw) } else { cell(elapsed) };
        let seconds = match raw {
            Some(_) => text.parse::<f64>().ok().filter(|own| (0.0..1e12).contains(own)),
            None => run_seconds(text).map(|own| own as f64),
        };
        let seconds = seconds.ok_or_else(|| wrong(format!("`{text}` is no time")))?;
        at.insert(job, jobs.len());
        jobs.push(Job {
            name: cell(name).to_owned(),
            node: single(cell(nodes)).to_owned(),
            seconds: Some(seconds),
            complete: state.is_none() || cell(state) == "COMPLETED",
            memory,
        });
    }
    Ok(jobs)
}

/// `1234K`, `2.5G`: bytes.
fn bytes(text: &str) -> Option<f64> {
    let (number, power) = ["K", "M", "G", "T"]
        .iter()
        .zip(1..)
        .find_map(|(letter, power)| Some((text.strip_suffix(*letter)?, power)))?;
    let value: f64 = number.parse().ok()?;
    (0.0..1e15)
        .contains(&value)
        .then(|| value * 1024f64.powi(power))
        .or_else(|| mebibytes(text).ok().map(|mib| mib as f64 * 1_048_576.0))
}

fn of_json(source: Text) -> Result<Vec<Job>> {
    let document: Value = json_error::parse(source)?;
    let mut jobs = Vec::new();
    let list = document.get("jobs").and_then(Value::as_array);
    let list = list.ok_or_else(|| source.error("`jobs` is no list"))?;
    let number = |value: &Value| value.as_f64().or(value.get("number").and_then(Value::as_f64));
    for (k, job) in list.iter().enumerate() {
        let of = |pointer: &str| job.pointer(pointer);
        let text = |pointer: &str| of(pointer).and_then(Value::as_str).unwrap_or("").to_owned();
        let Some(seconds) = of("/time/elapsed").and_then(number) else {
            let error = source
                .error("the job does not say how long it ran")
                .at(format!("jobs[{k}].time.elapsed"));
            return Err(error.help("give what `sacct --json` prints"));
        };
        let state = of("/state/current");
        let complete = match state {
            Some(Value::Array(list)) => list.iter().any(|own| own == "COMPLETED"),
            Some(Value::String(own)) => own == "COMPLETED",
            _ => false,
        };
        let steps = of("/steps").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let most = steps.iter().filter_map(|step| {
            let list = step.pointer("/tres/requested/max").or(step.pointer("/tres/consumed/max"))?;
            let list = list.as_array()?.iter();
            let mem = list.filter(|own| own.get("type").is_some_and(|kind| kind == "mem"));
            mem.filter_map(|own| number(own.get("count")?)).reduce(f64::max)
        });
        let memory = most.reduce(f64::max).filter(|own| *own > 0.0);
        jobs.push(Job {
            name: text("/name"),
            node: single(&text("/nodes")).to_owned(),
            seconds: Some(seconds),
            complete,
            memory,
        });
    }
    Ok(jobs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_both_forms() {
        let text = "JobID|JobName|Partition|NNodes|NCPUS|ReqMem|Elapsed|State|NodeList|MaxRSS\n\
                    101|train|gpu|1|8|64G|01:02:03|COMPLETED|cn1|\n101.batch|batch||1|8||01:02:03|COMPLETED|cn1|2048K\n\
                    102|train|gpu|2|8|64G|00:10:00|FAILED|cn[1-2]|\n";
        assert!(fits(text));
        let table = read(Text { name: "f", text }).unwrap();
        assert_eq!(table.resources, ["memory"]);
        let run = Run {
            kind: "train".to_owned(),
            node: "cn1".to_owned(),
            seconds: Some(3723.0),
            used: vec![Some(2_097_152.0)],
        };
        assert_eq!(table.runs, std::slice::from_ref(&run));
        let text = r#"{"jobs": [{"name": "train", "nodes": "cn1", "time": {"elapsed": 3723},
            "state": {"current": ["COMPLETED"]},
            "steps": [{"tres": {"requested": {"max": [{"type": "mem", "count": 2097152}]}}}]}]}"#;
        assert_eq!(read(Text { name: "f", text }).unwrap().runs, [run]);
        for (text, cause) in [
            ("JobID|Elapsed\n1|00:01:00", "line 1: the columns `JobName` and `Elapsed`"),
            ("JobID|JobName|Elapsed\n1|a|x", "line 2: `x` is no time"),
            ("JobID|JobName|Elapsed\n1|a", "line 2: 2 cells for 3 columns"),
            ("JobID|JobName|Elapsed|State\n1|a|00:01:00|FAILED", "no job in it has completed"),
            (r#"{"jobs": [{}]}"#, "jobs[0].time.elapsed"),
        ] {
            let error = read(Text { name: "f", text }).unwrap_err().to_string();
            assert!(error.contains(cause), "{error}");
        }
    }
}
