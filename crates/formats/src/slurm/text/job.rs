//! What a job's record says in fields of several parts, and together with others.

use rustc_hash::FxHashMap;
use serde_json::{Value, json};

use super::super::words::{MOST, numbers};
use super::fill::Filler;
use super::records::Record;
use super::values::{Entry, names, number, seconds, unset};
use model::Direction;

/// States in which a job has nodes.
const AT_WORK: [&str; 5] = ["RUNNING", "SUSPENDED", "COMPLETING", "CONFIGURING", "STOPPED"];

/// What jobs at work say of the text as a whole.
pub(super) struct Seen {
    /// When the text was printed, as far as that is known.
    pub(super) taken: Option<i64>,
    /// Nodes of jobs that may still be listed one by one.
    room: usize,
}

impl Seen {
    pub(super) fn new() -> Seen {
        Seen { taken: None, room: MOST }
    }
}

/// Puts what rows alone do not say.
pub(super) fn finish(mut filler: Filler, record: &Record, seen: &mut Seen) -> Entry {
    let of = |key: &str| record.value(key);
    if let Some(task) = of("ArrayTaskId") {
        match task.parse::<u64>() {
            Ok(task) => filler.put("array_task_id", json!(task)),
            Err(_) => filler.put("array_task_string", json!(task)),
        }
    }
    for (key, to) in [("UserId", "user_name"), ("GroupId", "group_name")] {
        if let Some(text) = of(key) {
            filler.put(to, json!(text.split('(').next().unwrap_or(text)));
        }
    }
    let (least, most) = of("NumNodes").map_or(("", ""), |text| {
        text.split_once('-').map_or((text, ""), |(least, most)| (least, most))
    });
    filler.put("node_count", number(least));
    filler.put("max_nodes", number(most));
    filler.put(
        "cpus",
        number(of("NumCPUs").map_or("", |text| text.split('-').next().unwrap_or(text))),
    );
    let parts = |key: &str| -> Vec<&str> {
        of(key).map_or_else(Vec::new, |text| text.split(':').collect())
    };
    put_parts(&mut filler, &parts("ReqB:S:C:T"), ["", "", "cores_per_socket", "threads_per_core"]);
    let tasks = ["tasks_per_node", "tasks_per_board", "tasks_per_socket", "tasks_per_core"];
    put_parts(&mut filler, &parts("NtasksPerN:B:S:C"), tasks);
    shared(&mut filler, of("OverSubscribe").or(of("Oversubscribe")));
    if of("Contiguous") == Some("1") {
        filler.put("contiguous", json!(true));
    }
    if let Some(disk) = of("MinTmpDiskNode") {
        disk_of(&mut filler, disk);
    }
    if let Some(most) = of("Switches").and_then(|text| text.split('@').next()) {
        filler.put("required_switches", number(most));
    }
    let works = of("JobState").is_some_and(|state| AT_WORK.contains(&state));
    if let Some(text) = of("TRES") {
        let to = if works { "tres_alloc_str" } else { "tres_req_str" };
        filler.put(to, json!(text));
    }
    if works {
        happened(record, &mut seen.taken);
        held(&mut filler, record, &mut seen.room);
    }
    filler.entry
}

/// Numbers between colons, each under its key.
fn put_parts(filler: &mut Filler, parts: &[&str], keys: [&str; 4]) {
    for (part, key) in parts.iter().zip(keys).filter(|(part, key)| !key.is_empty() && **part != "0")
    {
        filler.put(key, number(part));
    }
}

/// Whether the job has its nodes to itself.
pub(super) fn shared(filler: &mut Filler, text: Option<&str>) {
    let word = match text.unwrap_or("").to_ascii_uppercase().as_str() {
        "NO" => "none",
        "USER" => "user",
        "MCS" => "mcs",
        "TOPO" => "topo",
        _ => return,
    };
    filler.put("shared", json!([word]));
}

/// MB of local disk, which may have a suffix.
pub(super) fn disk_of(filler: &mut Filler, text: &str) {
    let disk = super::super::words::mebibytes(text);
    filler.put("minimum_tmp_disk_per_node", disk.map_or_else(|_| json!(text), |disk| json!(disk)));
}

/// A job that runs says for how long: the text is from then.
fn happened(record: &Record, taken: &mut Option<i64>) {
    let of = |key: &str| record.value(key);
    let start = of("StartTime").and_then(super::values::date).and_then(|date| date.as_i64());
    let runs = of("RunTime").and_then(seconds).and_then(|seconds| i64::try_from(seconds).ok());
    if let (Some(start), Some(runs), Some("RUNNING")) = (start, runs, of("JobState")) {
        *taken = (*taken).max(start.checked_add(runs));
    }
}

/// What the job holds of each of its nodes: as the detailed form says, else as it asked.
fn held(filler: &mut Filler, record: &Record, room: &mut usize) {
    let list = record.value("NodeList").filter(|_| *room > 0).unwrap_or("");
    let hosts = names(list);
    let Some(left) = room.checked_sub(hosts.len()).filter(|left| *left > 0) else {
        *room = 0;
        let cause = "jobs at work are on more nodes than are looked at one by one: equal shares are planned with";
        filler.assume(Direction::Either, "NodeList", cause);
        return;
    };
    *room = left;
    if record.parts.is_empty() {
        let total = record.value("AllocTRES").or(record.value("TRES")).unwrap_or("");
        if let (Some(own), false) = (record.value("TresPerNode"), total.contains("gres/")) {
            filler.put("gres_detail", json!(vec![own; hosts.len()]));
        } else if ["TresPerJob", "TresPerTask", "TresPerSocket"]
            .into_iter()
            .any(|key| record.value(key).is_some())
            && !total.contains("gres/")
        {
            let cause = "what a running job has of generic resources is not said of each node: left out; `scontrol -d show job` says it";
            filler.assume(Direction::Wider, "TRES", cause);
        }
        if hosts.len() > 1 {
            let cause = "what a running job has of each of its nodes is not said: equal shares are planned with; `scontrol -d show job` says it";
            filler.assume(Direction::Either, "TRES", cause);
        }
        return;
    }
    let (mut list, mut cards) = (Vec::new(), FxHashMap::default());
    for part in &record.parts {
        let of = |key: &str| part.iter().find(|(own, _)| *own == key).map_or("", |(_, text)| *text);
        let cpus = numbers(of("CPU_IDs"), MOST).map(|list| list.len());
        for host in names(of("Nodes")).into_iter().take(hosts.len()) {
            let gres = if unset(of("GRES")) { "" } else { of("GRES") };
            cards.insert(host.clone(), gres);
            let cpus = cpus.clone().map_or(Value::Null, |cpus| json!(cpus));
            let memory = number(of("Mem"));
            list.push(json!({"nodename": host, "cpus_used": cpus, "memory_allocated": memory}));
        }
        if list.len() > hosts.len() {
            break;
        }
    }
    filler.put("job_resources", json!({"allocated_nodes": list}));
    let cards: Vec<&str> = hosts.iter().filter_map(|host| cards.get(host).copied()).collect();
    if cards.iter().any(|own| !own.is_empty()) {
        filler.put("gres_detail", json!(cards));
    }
}
