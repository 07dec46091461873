//! Tables of `squeue` and `sinfo`: columns between `|`, or in line with their heads.

use serde_json::{Map, Value, json};

use super::super::super::source::Text;
use super::super::fields::Warnings;
use super::super::words::{Gres, gres};
use super::columns::{SINFO, SQUEUE};
use super::fill::Filler;
use super::job::{disk_of, shared};
use super::kind::Kind;
use super::records::words;
use super::rows::{Row, row};
use super::values::{Entry, endless, everybody, number, put, shares, unset};
use base::error::{Error, Result};
use model::Direction;

/// A table with its heads.
struct Table<'a> {
    /// Each with its place in the line, where columns are in line.
    heads: Vec<(usize, &'a str)>,
    /// Lines with their numbers.
    lines: Vec<(usize, &'a str)>,
    piped: bool,
}

/// The heads of a line, each with its place.
fn heads(line: &str) -> Vec<(usize, &str)> {
    if !line.contains('|') {
        return words(line).collect();
    }
    let start = line.as_ptr() as usize;
    line.split('|').map(|head| (head.as_ptr() as usize - start, head.trim())).collect()
}

/// What a line of heads is of.
pub(super) fn kind(line: &str) -> Option<Kind> {
    let heads = heads(line);
    let has = |name: &str| heads.iter().any(|(_, head)| *head == name);
    let known =
        |rows: &[Row]| heads.iter().filter(|(_, head)| row(rows, head, false).is_some()).count();
    if has("JOBID") && known(SQUEUE) > heads.len() / 2 {
        return Some(Kind::Jobs);
    }
    let named = has("NODELIST") || has("HOSTNAMES") || has("NODEHOST");
    (named && heads.len() > 1 && known(SINFO) > heads.len() / 2).then_some(Kind::Nodes)
}

impl<'a> Table<'a> {
    fn of(text: &'a str, wanted: Kind) -> Table<'a> {
        let mut lines = text.lines().enumerate().map(|(k, line)| (k + 1, line));
        let head = lines.find(|(_, line)| kind(line) == Some(wanted)).map_or("", |(_, line)| line);
        let piped = head.contains('|');
        // Some forms repeat the head.
        let rows = lines.filter(|(_, line)| !line.trim().is_empty() && *line != head);
        Table { heads: heads(head), lines: rows.collect(), piped }
    }

    fn has(&self, names: &[&str]) -> bool {
        self.heads.iter().any(|(_, head)| names.contains(head))
    }

    /// The cells of a line, one a column.
    fn cells(&self, line: &'a str) -> std::result::Result<Vec<String>, String> {
        if self.piped {
            let mut cells: Vec<String> =
                line.split('|').map(|cell| cell.trim().to_owned()).collect();
            // Constraints such as `a|b` have the separator in them.
            let more = cells.len().saturating_sub(self.heads.len());
            let features = self.heads.iter().position(|(_, head)| *head == "FEATURES");
            if let (Some(at), true) = (features, more > 0) {
                let rest = cells.split_off(at + 1);
                let (own, rest) = rest.split_at(more.min(rest.len()));
                cells[at] = [&cells[at..], own].concat().join("|");
                cells.extend_from_slice(rest);
            }
            return match cells.len() == self.heads.len() {
                true => Ok(cells),
                false => Err(format!("{} cells for {} columns", cells.len(), self.heads.len())),
            };
        }
        let found: Vec<(usize, &str)> = words(line).collect();
        let n = self.heads.len();
        if found.len() == n {
            return Ok(found.into_iter().map(|(_, word)| word.to_owned()).collect());
        }
        // Names and reasons have spaces: words belong to the column that they stand in.
        let mut cells = vec![String::new(); n];
        let (mut column, last) = (0, n.saturating_sub(1));
        for (at, word) in found {
            // Below its head, else in the column that ends behind it.
            let end = at + word.len();
            let below = |k: &usize| {
                let (start, head) = self.heads[*k];
                at < start + head.len() && start < end
            };
            let before = |k: &usize| end <= self.heads[*k].0 + self.heads[*k].1.len();
            let rest = column..=last;
            column = rest.clone().find(below).or(rest.clone().find(before)).unwrap_or(last);
            if !cells[column].is_empty() {
                cells[column].push(' ');
            }
            cells[column].push_str(word);
        }
        Ok(cells)
    }

    /// The cells under a head, first those that are set.
    fn cell<'b>(&self, cells: &'b [String], head: &str) -> Option<&'b str> {
        let own = self.heads.iter().zip(cells).filter(|((_, own), _)| *own == head);
        own.map(|(_, cell)| cell.as_str()).find(|cell| !unset(cell))
    }

    /// Entries of the lines.
    fn entries(
        &self,
        source: Text,
        rows: &[Row],
        told: &mut Warnings,
        mut finish: impl FnMut(&Table, &[String], &mut Filler),
    ) -> Value {
        let mut list = Vec::with_capacity(self.lines.len());
        for (number, line) in &self.lines {
            let place = format!("line {number}");
            let cells = match self.cells(line) {
                Ok(cells) => cells,
                Err(cause) => {
                    let cause = format!("a line that is not understood is left out: {cause}");
                    told.assume(Direction::Either, format!("{}: {place}", source.name), cause);
                    continue;
                }
            };
            let mut filler = Filler::new(source.name, place, told);
            for ((_, head), cell) in
                self.heads.iter().zip(&cells).filter(|((_, head), _)| !head.is_empty())
            {
                filler.field(rows, head, cell);
            }
            finish(self, &cells, &mut filler);
            list.push(Value::Object(filler.entry));
        }
        Value::Array(list)
    }

    /// Says which way a missing column errs.
    fn lacks(
        &self,
        source: Text,
        told: &mut Warnings,
        heads: &[&str],
        errs: Direction,
        cause: &str,
    ) {
        if !self.has(heads) && !self.lines.is_empty() {
            told.assume(errs, format!("{}: column {}", source.name, heads[0]), cause);
        }
    }
}

/// An error about a text that says too little.
fn poor(source: Text, cause: String, better: &str) -> Error {
    source.error(cause).help(format!("give {better}"))
}

/// The command that says all of jobs.
const JOBS: &str = "what `scontrol show job` prints, or `squeue --json`";
/// The command that says all of nodes.
const NODES: &str = "what `scontrol show node` prints, or `scontrol show node --json`";

/// States in two letters.
const SHORT: [(&str, &str); 24] = [
    ("PD", "PENDING"),
    ("R", "RUNNING"),
    ("S", "SUSPENDED"),
    ("ST", "STOPPED"),
    ("CG", "COMPLETING"),
    ("CF", "CONFIGURING"),
    ("CD", "COMPLETED"),
    ("CA", "CANCELLED"),
    ("F", "FAILED"),
    ("TO", "TIMEOUT"),
    ("NF", "NODE_FAIL"),
    ("PR", "PREEMPTED"),
    ("BF", "BOOT_FAIL"),
    ("DL", "DEADLINE"),
    ("OOM", "OUT_OF_MEMORY"),
    ("RS", "RESIZING"),
    ("RQ", "REQUEUED"),
    ("RH", "REQUEUE_HOLD"),
    ("RF", "REQUEUE_FED"),
    ("RV", "REVOKED"),
    ("SI", "SIGNALING"),
    ("SE", "SPECIAL_EXIT"),
    ("SO", "STAGE_OUT"),
    ("LF", "LAUNCH_FAILED"),
];

/// The jobs of `squeue`.
pub(super) fn jobs(source: Text, told: &mut Warnings) -> Result<Value> {
    let table = Table::of(source.text, Kind::Jobs);
    if table.lines.is_empty() {
        return Ok(json!({"jobs": []}));
    }
    if !table.has(&["ST", "STATE"]) {
        return Err(poor(source, "no column says which jobs wait".to_owned(), JOBS));
    }
    if !table.has(&["CPUS", "TRES_ALLOC"]) {
        let cause =
            "these columns of squeue do not say how many CPUs jobs take, nor how much memory"
                .to_owned();
        return Err(poor(source, cause, JOBS));
    }
    let lacking: [(&[&str], Direction, &str); 5] = [
        (
            &["MIN_MEMORY", "TRES_ALLOC"],
            Direction::Wider,
            "no column says how much memory jobs take: planned without; `scontrol show job` says it",
        ),
        (
            &["TRES_PER_NODE", "GRES", "TRES_ALLOC"],
            Direction::Wider,
            "no column says which generic resources jobs take: planned without; `scontrol show job` says it",
        ),
        (
            &["FEATURES"],
            Direction::Wider,
            "no column says which features jobs ask for: planned without; `scontrol show job` says it",
        ),
        (
            &["REQ_NODES", "EXC_NODES"],
            Direction::Wider,
            "no column says which nodes jobs ask for by name: planned without; `scontrol show job` says it",
        ),
        (
            &["DEPENDENCY"],
            Direction::Wider,
            "no column says what jobs come after: planned as after nothing; `scontrol show job` says it",
        ),
    ];
    for (heads, errs, cause) in lacking {
        table.lacks(source, told, heads, errs, cause);
    }
    let entries = table.entries(source, SQUEUE, told, job);
    Ok(json!({"jobs": entries}))
}

fn job(table: &Table, cells: &[String], filler: &mut Filler) {
    let of = |head: &str| table.cell(cells, head);
    let own = of("JOBID").unwrap_or("");
    let array = of("ARRAY_JOB_ID").unwrap_or(own);
    match of("ARRAY_TASK_ID").filter(|_| !own.contains('_')) {
        Some(task) if task.parse::<u64>().is_ok() => job_number(filler, &format!("{array}_{task}")),
        Some(list) => job_number(filler, &format!("{array}_[{list}]")),
        None => job_number(filler, own),
    }
    if let Some(short) = of("ST") {
        let long = SHORT.iter().find(|(own, _)| *own == short).map_or(short, |(_, long)| long);
        filler.put("job_state", json!(long));
    }
    if let Some(text) = of("NODELIST(REASON)") {
        match text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) {
            Some(reason) => filler.put("state_reason", json!(reason.replace(' ', "_"))),
            None => filler.put("nodes", json!(text)),
        }
    }
    for (head, to) in [("USER", "user_name"), ("GROUP", "group_name")] {
        if let Some(name) = of(head) {
            filler.put(to, json!(name));
        }
    }
    // One of two columns called so is a share of the greatest priority.
    let priorities = table.heads.iter().zip(cells).filter(|((_, head), _)| *head == "PRIORITY");
    if let Some((_, whole)) = priorities.into_iter().find(|(_, cell)| cell.parse::<u64>().is_ok()) {
        filler.put("priority", number(whole));
    }
    shared(filler, of("OVER_SUBSCRIBE").or(of("OVERSUBSCRIBE")));
    if of("CONTIGUOUS").is_some_and(|text| ["1", "yes"].contains(&text)) {
        filler.put("contiguous", json!(true));
    }
    if let Some(disk) = of("MIN_TMP_DISK") {
        disk_of(filler, disk);
    }
    let count = |head: &str| of(head).and_then(|text| text.parse::<i64>().ok());
    let waits = filler.entry.get("job_state") == Some(&json!("PENDING"));
    let spread = waits && count("CPUS") > count("NODES").or(Some(1));
    if let Some(memory) = of("MIN_MEMORY") {
        filler.put("memory_per_node", json!(memory));
        if spread {
            let cause = "MIN_MEMORY is of each node or of each CPU, and does not say which: taken as of each node; `scontrol show job` says it";
            filler.assume(Direction::Wider, "MIN_MEMORY", cause);
        }
    }
    if spread && count("TASKS").is_none() {
        let cause = "how many tasks a job has is not said: planned as one on each of its nodes; `scontrol show job` says it";
        filler.assume(Direction::Either, "CPUS", cause);
    }
    if let Some(text) = of("TRES_ALLOC") {
        filler.put(if waits { "tres_req_str" } else { "tres_alloc_str" }, json!(text));
    } else if let (false, Some(own)) = (waits, of("TRES_PER_NODE").or(of("GRES"))) {
        let nodes = count("NODES").unwrap_or(1).max(1);
        filler.put("tres_alloc_str", json!(in_all(own, nodes)));
    }
}

/// So many times what is on each node; what is none stays as it is.
fn in_all(text: &str, nodes: i64) -> String {
    let Ok(list) = gres(text) else { return text.to_owned() };
    let one = |one: &Gres| {
        let kind = one.kind.as_ref().map_or(String::new(), |kind| format!(":{kind}"));
        format!("gres/{}{kind}={}", one.name, one.count.saturating_mul(nodes))
    };
    list.iter().map(one).collect::<Vec<_>>().join(",")
}

/// `12`, `12_3`, `12_[1-9%2]`, `12+1` of a job in parts.
fn job_number(filler: &mut Filler, text: &str) {
    if let Some((job, part)) = text.split_once('+') {
        filler.put("het_job_id", number(job));
        filler.put("het_job_id_set", json!(text));
        let own = job.parse::<u64>().ok().zip(part.parse::<u64>().ok());
        let own = own.and_then(|(job, part)| job.checked_add(part));
        filler.put("job_id", own.map_or_else(|| json!(text), |own| json!(own)));
        return;
    }
    let (job, task) = text.split_once('_').map_or((text, None), |(job, task)| (job, Some(task)));
    filler.put("job_id", number(job));
    let Some(task) = task else { return };
    filler.put("array_job_id", number(job));
    match task.strip_prefix('[') {
        Some(list) => filler.put("array_task_string", json!(list.replace(']', ""))),
        None => filler.put("array_task_id", number(task)),
    }
}

/// The nodes of `sinfo`.
pub(super) fn nodes(source: Text, told: &mut Warnings) -> Result<Value> {
    let table = Table::of(source.text, Kind::Nodes);
    if !table.has(&["CPUS", "CPUS(A/I/O/T)"]) || !table.has(&["MEMORY"]) {
        let cause =
            "these columns of sinfo do not say how many CPUs nodes have, nor how much memory"
                .to_owned();
        return Err(poor(source, cause, NODES));
    }
    let lacking: [(&[&str], Direction, &str); 4] = [
        (
            &["GRES"],
            Direction::Narrower,
            "no column says which generic resources nodes have: planned as without; `scontrol show node` says it",
        ),
        (
            &["GRES_USED"],
            Direction::Wider,
            "no column says what is taken of generic resources: only what running jobs have is planned with; `scontrol -d show node` says it",
        ),
        (
            &["CPUS(A/I/O/T)"],
            Direction::Wider,
            "no column says how many CPUs are taken: only what running jobs have is planned with; `scontrol show node` says it",
        ),
        (
            &["ALLOCMEM"],
            Direction::Wider,
            "no column says how much memory is taken: only what running jobs have is planned with; `scontrol show node` says it",
        ),
    ];
    let generic = table.has(&["GRES"]);
    for (heads, errs, cause) in lacking {
        if heads[0] != "GRES_USED" || generic {
            table.lacks(source, told, heads, errs, cause);
        }
    }
    let entries = table.entries(source, SINFO, told, group);
    Ok(json!({"sinfo": entries}))
}

fn group(table: &Table, cells: &[String], filler: &mut Filler) {
    let of = |head: &str| table.cell(cells, head);
    let names: Vec<&str> = match of("NODELIST").or(of("NODEHOST")).or(of("HOSTNAMES")) {
        Some(list) => vec![list],
        None => Vec::new(),
    };
    put(&mut filler.entry, "nodes", json!({"nodes": names}));
    let mut own = Map::new();
    let all = of("CPUS(A/I/O/T)").map(|text| text.split('/').collect::<Vec<_>>());
    let taken = all.as_ref().and_then(|all| all.first()).map_or(Value::Null, |taken| number(taken));
    range(&mut own, "cpus", of("CPUS").or(all.as_ref().and_then(|all| all.last().copied())), taken);
    range(&mut own, "memory", of("MEMORY"), of("ALLOCMEM").map_or(Value::Null, number));
    range(&mut own, "disk", of("TMP_DISK"), Value::Null);
    range(&mut own, "weight", of("WEIGHT"), Value::Null);
    own.into_iter().for_each(|(key, value)| filler.put(&key, value));
    if let Some(name) = of("PARTITION") {
        filler.put("partition.name", json!(name.trim_end_matches('*')));
    }
    if of("AVAIL").is_some_and(|text| text != "up") {
        filler.put("partition.partition.state", json!(["DOWN"]));
    }
    if let Some((_, most)) = of("JOB_SIZE").and_then(|size| size.split_once('-')) {
        filler.put(
            "partition.maximums.nodes",
            if most == "infinite" { endless() } else { number(most) },
        );
    }
    if let Some(text) = of("OVERSUBSCRIBE").or(of("OVERSUBS")) {
        filler.put("partition.maximums.shares", shares(text));
    }
    if let Some(groups) = of("GROUPS").filter(|groups| !everybody(groups)) {
        filler.put("partition.groups.allowed", json!(groups));
    }
}

/// A number of nodes that are alike: `64`, or `64+` where some have more.
fn range(entry: &mut Entry, key: &str, text: Option<&str>, taken: Value) {
    let Some(text) = text else { return };
    let least = number(text.trim_end_matches('+'));
    let most = match (text.ends_with('+'), &least) {
        (true, Value::Number(least)) => json!(least.as_u64().unwrap_or(0).saturating_add(1)),
        (_, least) => least.clone(),
    };
    entry.insert(key.to_owned(), json!({"minimum": least, "maximum": most, "allocated": taken}));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_go_to_their_columns() {
        let text = [
            "     JOBID PARTITION     NAME ST  NODES NODELIST(REASON)",
            "        22     short a job wi PD      3 (Nodes are down)",
            "        23     short      abc PD      3 (Priority)",
        ];
        let text = text.join("\n");
        let table = Table::of(&text, Kind::Jobs);
        let cells: Vec<Vec<String>> =
            table.lines.iter().map(|(_, line)| table.cells(line).unwrap()).collect();
        assert_eq!(cells[0], ["22", "short", "a job wi", "PD", "3", "(Nodes are down)"]);
        assert_eq!(cells[1][2], "abc");
        let table = Table::of("JOBID|ST\n1|PD|x\n", Kind::Jobs);
        assert!(table.cells(table.lines[0].1).is_err());
    }
}
