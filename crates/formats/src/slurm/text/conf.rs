//! `slurm.conf`, and files that it includes: lines `NodeName=` and `PartitionName=`.

use rustc_hash::FxHashMap;
use serde_json::{Value, json};

use super::super::super::source::Text;
use super::super::fields::Warnings;
use super::super::topology::joined;
use super::super::words::{MOST, hosts, numbers};
use super::fill::Filler;
use super::kind::Kind;
use super::rows::{CONF, PARTITION, Row};
use super::values::{Entry, everybody, put, shares};
use base::error::Result;
use model::Direction;

/// Keys that lines of such files begin with, in small letters.
const HEADS: [&str; 4] = ["nodename", "partitionname", "clustername", "slurmctldhost"];

/// What lines of settings are of: those that begin as Slurm's do.
pub(super) fn kind(text: &str) -> Option<Kind> {
    let mut found = None;
    for line in text.lines().map(|line| line.split('#').next().unwrap_or("").trim()) {
        let key = line.split('=').next().unwrap_or("").trim().to_ascii_lowercase();
        if !HEADS.contains(&key.as_str()) || !line.contains('=') {
            continue;
        }
        let lower = line.to_ascii_lowercase();
        let generic = [" name=", " file=", " autodetect="].iter().any(|key| lower.contains(key));
        if key == "nodename" && generic {
            found = found.or(Some(Kind::Gres));
        } else {
            return Some(Kind::Conf);
        }
    }
    found
}

/// Most nodes that lines may name.
const MOST_NODES: usize = 100_000;

type Settings = Vec<(String, String)>;

/// Reads nodes, partitions, licences.
///
/// # Errors
/// Lines of nodes that are none, lists of hosts that are broken; each with its line.
pub(super) fn read(source: Text, told: &mut Warnings) -> Result<Value> {
    let (mut nodes, mut partitions) = (Vec::new(), Vec::new());
    let (mut node_default, mut partition_default) = (Settings::new(), Settings::new());
    let (mut licences, mut sets) = (Vec::new(), FxHashMap::default());
    let mut names: Vec<String> = Vec::new();
    for (number, line) in joined(source.text) {
        let place = format!("line {number}");
        let wrong = |cause: String| source.error(cause).at(&place);
        let Some((head, _)) = line.trim().split_once('=') else {
            if line.trim().to_ascii_lowercase().starts_with("include") {
                let cause = "files that are included are not read: name them beside this one";
                told.assume(Direction::Either, format!("{}: {place}", source.name), cause);
            }
            continue;
        };
        let head = head.trim().to_ascii_lowercase();
        if head == "selecttypeparameters" && !line.to_ascii_lowercase().contains("memory") {
            let cause = "memory is not given out here: it is planned with all the same";
            told.assume(Direction::Narrower, format!("{}: {place}", source.name), cause);
        }
        if head == "licenses" {
            licences.extend(licences_of(line.trim()));
        }
        if !["nodename", "partitionname", "nodeset"].contains(&head.as_str()) {
            continue;
        }
        let own = settings(&line).map_err(&wrong)?;
        let name = own.first().map_or(String::new(), |(_, name)| name.clone());
        if head == "nodeset" {
            sets.insert(name, own);
            continue;
        }
        let (default, list): (&mut Settings, &mut Vec<Value>) = match head.as_str() {
            "nodename" => (&mut node_default, &mut nodes),
            _ => (&mut partition_default, &mut partitions),
        };
        if name.eq_ignore_ascii_case("default") {
            default.retain(|(key, _)| !own.iter().any(|(new, _)| new.eq_ignore_ascii_case(key)));
            default.extend(own.into_iter().skip(1));
            continue;
        }
        let rows = if head == "nodename" { CONF } else { PARTITION };
        let place = format!("{place}, {}={name}", own.first().map_or("", |(key, _)| key));
        let mut filler = Filler::new(source.name, place, told);
        filler.loose = true;
        let all: Settings = own.iter().chain(default.iter()).cloned().collect();
        fill(&mut filler, rows, &all);
        if head == "partitionname" {
            list.push(Value::Object(partition(filler, &all)));
            continue;
        }
        let entry = node(filler, &all);
        let hosts = hosts(&name).map_err(&wrong)?;
        if names.len() + hosts.len() > MOST_NODES {
            return Err(wrong(format!("more than {MOST_NODES} nodes are named")));
        }
        for host in hosts {
            let mut entry = entry.clone();
            put(&mut entry, "name", json!(host));
            list.push(Value::Object(entry));
            names.push(host);
        }
    }
    for partition in &mut partitions {
        resolve(partition, &names, &sets);
    }
    Ok(json!({"nodes": nodes, "partitions": partitions, "licenses": licences, "conf": true}))
}

/// `Key=Value` with spaces between, values in quotes where they have spaces.
fn settings(line: &str) -> std::result::Result<Settings, String> {
    let mut list = Settings::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=').ok_or_else(|| {
            format!("`{}` is no setting such as CPUs=64", rest.chars().take(40).collect::<String>())
        })?;
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').ok_or("a quote is never closed")?,
            None => after.split_once(char::is_whitespace).unwrap_or((after, "")),
        };
        if key.contains(char::is_whitespace) {
            return Err(format!("`{key}` is no setting such as CPUs=64"));
        }
        list.push((key.to_owned(), value.trim_matches(',').to_owned()));
        rest = next.trim_start();
    }
    Ok(list)
}

fn fill(filler: &mut Filler, rows: &[Row], all: &Settings) {
    for (key, value) in all {
        filler.field(rows, key, value);
    }
}

fn of<'a>(all: &'a Settings, key: &str) -> Option<&'a str> {
    all.iter().find(|(own, _)| own.eq_ignore_ascii_case(key)).map(|(_, value)| value.as_str())
}

/// CPUs follow from sockets, cores and threads where they are not said.
fn node(mut filler: Filler, all: &Settings) -> Entry {
    let count = |key: &str| of(all, key).and_then(|text| text.parse::<u64>().ok());
    let threads = count("ThreadsPerCore").unwrap_or(1).max(1);
    let boards = count("Boards").unwrap_or(1).max(1);
    let sockets = count("Sockets")
        .unwrap_or_else(|| count("SocketsPerBoard").unwrap_or(1).saturating_mul(boards));
    let cores = count("CoresPerSocket").unwrap_or(1);
    let product = sockets.saturating_mul(cores).saturating_mul(threads);
    let cpus = count("CPUs").or(count("Procs")).unwrap_or(product);
    filler.put("cpus", json!(cpus));
    let listed = of(all, "CpuSpecList").and_then(|list| numbers(list, MOST).ok());
    let special = listed.map(|list| list.len() as u64);
    let special = special.or(count("CoreSpecCount").map(|cores| cores.saturating_mul(threads)));
    if let Some(special) = special.filter(|special| *special > 0) {
        filler.put("effective_cpus", json!(cpus.saturating_sub(special)));
    }
    if of(all, "RealMemory").is_none() {
        // As Slurm has it.
        filler.put("real_memory", json!(1));
        let cause = "the memory of a node is not said, which Slurm takes as 1 MB: add RealMemory";
        filler.assume(Direction::Narrower, "RealMemory", cause);
    }
    // What is unknown here is so until the node has spoken.
    let state = of(all, "State").unwrap_or("UNKNOWN");
    let state = if state.eq_ignore_ascii_case("unknown") { "IDLE" } else { state };
    filler.put("state", json!(state));
    filler.entry
}

fn partition(mut filler: Filler, all: &Settings) -> Entry {
    if let Some(text) = of(all, "OverSubscribe").or(of(all, "Shared")) {
        filler.put("maximums.shares", shares(text));
    }
    filler.entry
}

/// `ALL`, and sets of nodes, as the nodes that they are.
fn resolve(partition: &mut Value, names: &[String], sets: &FxHashMap<String, Settings>) {
    let Some(list) = partition.pointer_mut("/nodes/configured") else { return };
    let text = list.as_str().unwrap_or("").to_owned();
    if everybody(&text) {
        *list = json!(names.join(","));
        return;
    }
    let parts = text.split(',').map(|part| {
        let set = sets.get(part).and_then(|set| of(set, "Nodes"));
        set.unwrap_or(part)
    });
    *list = json!(parts.collect::<Vec<_>>().join(","));
}

/// `Licenses=ansys:4,matlab`
fn licences_of(line: &str) -> Vec<Value> {
    let list = line.split_once('=').map_or("", |(_, list)| list);
    let list = list.split(',').map(str::trim).filter(|name| !name.is_empty());
    list.map(|one| {
        let (name, count) = one.split_once(':').unwrap_or((one, "1"));
        let count = count.parse::<u64>().unwrap_or(1);
        json!({"LicenseName": name, "Total": count, "Used": 0, "Free": count})
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_and_partitions() {
        let text = "ClusterName=x # ours\nNodeName=DEFAULT Sockets=2 CoresPerSocket=8 ThreadsPerCore=2 RealMemory=1000\n\
                    nodename=n[1-2] Gres=gpu:a100:4 Feature=\"a,b\" CoreSpecCount=1\nNodeName=big CPUs=64 State=DOWN\n\
                    NodeSet=set Nodes=n1\nPartitionName=p Nodes=ALL MaxTime=1-0\nPartitionName=q Nodes=set OverSubscribe=EXCLUSIVE\n\
                    Licenses=ansys:4,matlab\n";
        let mut told = Warnings::default();
        let document = read(Text { name: "f", text }, &mut told).unwrap();
        assert_eq!(told.first(), None);
        let of = |pointer: &str| document.pointer(pointer).cloned().unwrap_or_default();
        assert_eq!(of("/nodes/0/cpus"), json!(32));
        assert_eq!(of("/nodes/1/effective_cpus"), json!(30));
        assert_eq!(of("/nodes/2/cpus"), json!(64));
        assert_eq!(of("/nodes/2/state"), json!("DOWN"));
        assert_eq!(of("/nodes/0/features"), json!("a,b"));
        assert_eq!(of("/partitions/0/nodes/configured"), json!("n1,n2,big"));
        assert_eq!(of("/partitions/0/maximums/time"), json!(1440));
        assert_eq!(of("/partitions/1/nodes/configured"), json!("n1"));
        assert_eq!(of("/partitions/1/maximums/shares"), json!(0));
        assert_eq!(of("/licenses/1/Total"), json!(1));
        for (text, cause) in [
            ("NodeName=n[1- CPUs=4", "has no partner"),
            ("NodeName=n1 CPUs 4", "`CPUs 4` is no setting"),
            ("NodeName=n1 Feature=\"a", "never closed"),
        ] {
            let error = read(Text { name: "f", text }, &mut told).unwrap_err();
            assert!(error.to_string().contains(cause), "{error}");
        }
    }
}
