//! Nodes: what `scontrol show node`, and `sinfo` in its older and newer form, say of them.

use super::cluster::{Cluster, Node};
use super::fields::At;
use super::words::{gres, hosts, mebibytes, tres};
use base::error::Result;
use model::{Direction, NodeState};

/// An entry of `nodes`.
pub(super) fn read(cluster: &mut Cluster, at: &At) -> Result<()> {
    let name = at.text("name")?;
    if name.is_empty() {
        return Err(at.error("the node has no name"));
    }
    let threads = at.number("threads")?.filter(|own| *own > 0).unwrap_or(1);
    let mut node = Node { name, threads, ..Node::default() };
    let wrong = |key: &'static str| move |cause: String| at.wrong(key, cause);
    let trackable = tres(&at.text("tres")?).map_err(wrong("tres"))?;
    let cpus = at.number("effective_cpus")?.filter(|cpus| *cpus > 0).or(at.number("cpus")?);
    node.has.cpu = cpus.or(trackable.cpu).ok_or_else(|| at.error("the node has no `cpus`"))?;
    let special = at.number("specialized_memory")?.unwrap_or(0);
    let memory = at.number("real_memory")?.or(trackable.memory);
    let memory = memory.ok_or_else(|| at.error("the node has no `real_memory`"))?;
    node.has.memory = (memory - special).max(0);
    let own = gres(&at.text("gres")?).map_err(wrong("gres"))?;
    node.has.add_gres(if own.is_empty() { &trackable.gres } else { &own });
    let there = own.iter().filter(|one| one.there);
    let there: Vec<String> = there.flat_map(|one| feature_names(&one.name, &one.kind)).collect();
    let used = tres(&at.text("tres_used")?).map_err(wrong("tres_used"))?;
    let own = gres(&at.text("gres_used")?).map_err(wrong("gres_used"))?;
    node.stated.cpu = at.number("alloc_cpus")?.or(used.cpu).unwrap_or(0);
    node.stated.memory = at.number("alloc_memory")?.or(used.memory).unwrap_or(0);
    node.stated.add_gres(if own.is_empty() { &used.gres } else { &own });
    node.features = at.words("active_features")?;
    if node.features.is_empty() {
        node.features = at.words("features")?;
    }
    for name in there {
        node.has.gres.remove(name.trim_start_matches(GRES));
        cluster.there.insert(name.clone());
        node.features.push(name);
    }
    node.partitions = at.words("partitions")?;
    let states = [at.words("state")?, at.words("state_flags")?].concat();
    node.reserved = reserved(&states);
    node.reservation = at.text("reservation")?;
    node.state = state(cluster, at, "state", &states);
    node.disk = at.number("temporary_disk")?.unwrap_or(0);
    node.weight = at.number("weight")?.unwrap_or(1);
    if cluster.at.contains_key(&node.name) {
        let error = at.error(format!("the node `{}` appears twice", node.name));
        cluster.fatal = Some(error.help("give one dump of the nodes"));
        return Ok(());
    }
    cluster.add(node);
    Ok(())
}

/// Begins the name of a feature that stands for a resource that no job takes.
const GRES: &str = "gres/";

/// What such a resource is called among the features of a node, with its type and without.
pub(super) fn feature_names(name: &str, kind: &Option<String>) -> Vec<String> {
    let typed = kind.iter().map(|kind| format!("{GRES}{name}:{kind}"));
    std::iter::once(format!("{GRES}{name}")).chain(typed).collect()
}

/// An entry of `sinfo` as later versions write it: nodes that are alike, for one partition.
pub(super) fn read_group(cluster: &mut Cluster, at: &At) -> Result<()> {
    let part = |key: &str| at.get(key).ok_or_else(|| at.error(format!("the entry has no `{key}`")));
    let (list, cpus, memory) = (part("nodes")?, part("cpus")?, part("memory")?);
    let mut names = Vec::new();
    for text in list.words("nodes")? {
        names.extend(hosts(&text).map_err(|cause| list.wrong("nodes", cause))?);
    }
    let mut node = Node { threads: 1, ..Node::default() };
    for (from, what) in [(&cpus, "CPUs"), (&memory, "memory")] {
        if from.number("minimum")? != from.number("maximum")? {
            let cause = format!(
                "these nodes differ in {what}: the least is planned with; `scontrol show node --json` tells them apart"
            );
            cluster.warnings.assume(Direction::Narrower, from.path_of("minimum"), cause);
        }
    }
    let least = |from: &At, what: &str| {
        from.number("minimum")?.ok_or_else(|| from.error(format!("the least {what} is missing")))
    };
    node.has.cpu = least(&cpus, "number of CPUs")?;
    node.has.memory = least(&memory, "memory")?;
    let all = cpus.number("allocated")?.unwrap_or(0);
    let taken = memory.number("allocated")?.unwrap_or(0);
    match names.len() {
        1 => (node.stated.cpu, node.stated.memory) = (all, taken),
        n if all > 0 && all == node.has.cpu.saturating_mul(n as i64) => {
            node.stated.cpu = node.has.cpu
        }
        _ if all > 0 => {
            let cause = "what is taken is said of several nodes together: only running jobs are planned with; `scontrol show node --json` says it of each";
            cluster.warnings.assume(Direction::Wider, cpus.path_of("allocated"), cause);
        }
        _ => {}
    }
    if let Some(generic) = at.get("gres") {
        let own = |key: &str| gres(&generic.text(key)?).map_err(|cause| generic.wrong(key, cause));
        node.has.add_gres(&own("total")?);
        node.stated.add_gres(&own("used")?);
    }
    if let Some(features) = at.get("features") {
        node.features = features.words("active")?;
        if node.features.is_empty() {
            node.features = features.words("total")?;
        }
    }
    if let Some(disk) = at.get("disk") {
        node.disk = disk.number("minimum")?.unwrap_or(0);
    }
    if let Some(partition) = at.get("partition") {
        node.partitions = partition.words("name")?;
        super::partition::limits(cluster, &partition)?;
    }
    if let Some(weight) = at.get("weight") {
        node.weight = weight.number("minimum")?.unwrap_or(1);
    }
    let states = at.get("node").map_or(Ok(Vec::new()), |node| node.words("state"))?;
    node.reserved = reserved(&states);
    node.state = state(cluster, at, "node.state", &states);
    for name in names {
        match cluster.at.get(&name) {
            Some(known) => {
                let partitions = &mut cluster.nodes[*known].partitions;
                partitions.extend(node.partitions.iter().cloned());
                partitions.sort();
                partitions.dedup();
            }
            None => cluster.add(Node { name, ..node.clone() }),
        }
    }
    Ok(())
}

/// Words that say that a node is kept for a reservation, maintenance perhaps.
const KEPT: [&str; 4] = ["MAINT", "MAINTENANCE", "RESERVED", "RESV"];

fn reserved(words: &[String]) -> bool {
    let mut words = words.iter().flat_map(|word| word.split('+'));
    words.any(|word| KEPT.contains(&word.trim_end_matches('*').to_ascii_uppercase().as_str()))
}

/// Whether a node takes tasks. Words that are not known keep them away.
fn state(cluster: &mut Cluster, at: &At, key: &str, words: &[String]) -> NodeState {
    let mut found = NodeState::Ready;
    for word in words.iter().flat_map(|word| word.split('+')) {
        // Marks of the short form: not responding, in maintenance, powered down, ...
        let bare = word.trim_end_matches(['*', '$', '~', '#', '!', '%', '@', '^', '-']);
        let marks = &word[bare.len()..];
        let upper = bare.to_ascii_uppercase().replace(['-', ' '], "_");
        let one = match upper.as_str() {
            "IDLE" | "MIXED" | "ALLOCATED" | "ALLOC" | "MIX" | "COMPLETING" | "COMP"
            | "PLANNED" | "PLND" | "CLOUD" | "POWERED_DOWN" | "POWER_DOWN" | "POWERING_UP"
            | "POWER_UP" | "POWER_SAVING" | "DYNAMIC_FUTURE" | "DYNAMIC_NORM" | "PERFCTRS"
            | "NPC" | "EXTERNAL" | "" => NodeState::Ready,
            // Who may is said by the reservation.
            word if KEPT.contains(&word) => NodeState::Ready,
            "DRAIN" | "DRAINING" | "DRAINED" | "DRNG" | "FAIL" | "FAILING" | "FAILG" | "REBOOT"
            | "REBOOT_ISSUED" | "REBOOT_REQUESTED" | "POWERING_DOWN" | "BLOCKED" | "UNDRAIN" => {
                NodeState::Drain
            }
            "DOWN" | "ERROR" | "UNKNOWN" | "UNK" | "FUTURE" | "FUTR" | "INVAL" | "INVALID"
            | "INVALID_REG" | "NO_RESPOND" | "NOT_RESPONDING" => NodeState::Down,
            _ => {
                let cause = format!("the state `{word}` is not known: such nodes take no tasks");
                cluster.warnings.assume(Direction::Narrower, at.path_of(key), cause);
                NodeState::Drain
            }
        };
        let marked = match marks {
            marks if marks.contains('*') => NodeState::Down,
            marks if marks.contains(['$', '%', '@']) => NodeState::Drain,
            _ => NodeState::Ready,
        };
        for one in [one, marked] {
            found = match (found, one) {
                (NodeState::Down, _) | (_, NodeState::Down) => NodeState::Down,
                (NodeState::Drain, _) | (_, NodeState::Drain) => NodeState::Drain,
                _ => NodeState::Ready,
            };
        }
    }
    found
}

/// Memory that comes as a number or as a text with a suffix.
pub(super) fn memory(at: &At, key: &str) -> Result<Option<i64>> {
    match at.number(key) {
        Ok(number) => Ok(number),
        Err(_) => mebibytes(&at.text(key)?).map(Some).map_err(|cause| at.wrong(key, cause)),
    }
}
