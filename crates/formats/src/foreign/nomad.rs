//! Nomad's API as JSON: nodes (`nomad node status -json`), allocations (`nomad alloc status -json`, or
//! `/v1/allocations?resources=true`), and jobs (`nomad job inspect`).

use rustc_hash::FxHashMap;
use serde_json::Value;

use super::super::json_error;
use super::super::source::Text;
use super::item::{Item, Unit};
use super::pool::{Field, Pool, sum, whole_amount};
use base::error::Result;
use model::{Decimal, Direction, Draft, NodeDraft, NodeState, TaskDraft};

/// Most tasks that are to be placed.
const MOST: i64 = 200_000;

/// What a node has, what is kept, and what tasks of an allocation have.
const AMOUNTS: [Field; 3] = [
    Field { path: "Cpu.CpuShares", resource: "cpu", unit: Unit::One },
    Field { path: "Memory.MemoryMB", resource: "memory", unit: Unit::Mib },
    Field { path: "Disk.DiskMB", resource: "disk", unit: Unit::Mib },
];

/// What a task of a job asks for.
const ASKED: [Field; 2] = [
    Field { path: "Resources.CPU", resource: "cpu", unit: Unit::One },
    Field { path: "Resources.MemoryMB", resource: "memory", unit: Unit::Mib },
];

/// Reads lists and objects of any of the three kinds.
///
/// # Errors
/// What is none of them, fields that do not read, no nodes, nothing to place.
pub(super) fn read(sources: &[Text]) -> Result<Draft> {
    let mut pool = Pool::new(&["cpu", "memory", "disk"]);
    pool.draft.resources[0].unit = Some("MHz".to_owned());
    let mut documents: Vec<(Text, Value)> = Vec::new();
    for source in sources {
        documents.push((*source, json_error::parse(*source)?));
    }
    let mut items = Vec::new();
    for (source, document) in &documents {
        let root = Item::root(*source, document);
        match document {
            Value::Array(_) => items.extend(root.entries()?),
            _ => items.push(root.get("Job").unwrap_or(root)),
        }
    }
    // Where allocations are by the nodes' own ids.
    let mut names: FxHashMap<String, String> = FxHashMap::default();
    for item in items.iter().filter(|item| item.get("NodeResources").is_some()) {
        node(&mut pool, item, &mut names)?;
    }
    let mut placed: FxHashMap<String, i64> = FxHashMap::default();
    for item in items.iter().filter(|item| item.get("ClientStatus").is_some()) {
        allocation(&mut pool, item, &names, &mut placed)?;
    }
    for item in items.iter().filter(|item| item.get("TaskGroups").is_some()) {
        job(&mut pool, item, &placed)?;
    }
    let known = ["NodeResources", "ClientStatus", "TaskGroups"];
    if let Some(other) = items.iter().find(|item| known.iter().all(|key| item.get(key).is_none())) {
        let error = other.error("this is neither a node, an allocation nor a job of Nomad's");
        return Err(error.help("give /v1/nodes?resources=true, /v1/allocations?resources=true, and `nomad job inspect`"));
    }
    pool.finish(
        sources,
        "nodes: /v1/nodes?resources=true",
        "jobs: what `nomad job inspect` prints, with groups that are not placed yet",
    )
}

fn node(pool: &mut Pool, item: &Item, names: &mut FxHashMap<String, String>) -> Result<()> {
    let name = item.text("Name")?;
    let own = item.text("ID")?;
    let id = if name.is_empty() { own.clone() } else { name };
    names.insert(own, id.clone());
    let mut node = NodeDraft { id, ..NodeDraft::default() };
    if let Some(has) = item.get("NodeResources") {
        node.capacity = pool.amounts(&has, &AMOUNTS)?;
        for device in has.list("Devices")? {
            let r = pool.draft.resource(&device.text("Type")?);
            let count = device.list("Instances")?.len() as i64;
            match node.capacity.iter_mut().find(|(own, _)| *own == r) {
                Some((_, all)) => *all = sum(*all, whole_amount(count)),
                None => node.capacity.push((r, whole_amount(count))),
            }
        }
    }
    if let Some(kept) = item.get("ReservedResources") {
        node.used = pool.amounts(&kept, &AMOUNTS)?;
    }
    for (key, label) in [("Datacenter", "datacenter"), ("NodeClass", "class"), ("NodePool", "pool")]
    {
        let value = item.text(key)?;
        if !value.is_empty() {
            node.labels.push((label.to_owned(), value));
        }
    }
    let drains = item.get("Drain").is_some_and(|own| own.value == &Value::Bool(true));
    node.state = match (item.text("Status")?.as_str(), item.text("SchedulingEligibility")?.as_str())
    {
        ("down" | "disconnected" | "initializing", _) => NodeState::Down,
        (_, "ineligible") => NodeState::Drain,
        _ if drains => NodeState::Drain,
        _ => NodeState::Ready,
    };
    pool.node(item, node)
}

fn allocation(
    pool: &mut Pool,
    item: &Item,
    names: &FxHashMap<String, String>,
    placed: &mut FxHashMap<String, i64>,
) -> Result<()> {
    let status = item.text("ClientStatus")?;
    let wanted = item.text("DesiredStatus")?;
    if ["complete", "failed", "lost"].contains(&status.as_str())
        || wanted == "stop"
        || wanted == "evict"
    {
        return Ok(());
    }
    let group = format!("{}.{}", item.text("JobID")?, item.text("TaskGroup")?);
    *placed.entry(group).or_default() += 1;
    let mut load: Vec<(u16, Decimal)> = Vec::new();
    for (_, task) in item.fields("AllocatedResources.Tasks")? {
        for (r, own) in pool.amounts(&task, &AMOUNTS)? {
            match load.iter_mut().find(|(known, _)| *known == r) {
                Some((_, all)) => *all = sum(*all, own),
                None => load.push((r, own)),
            }
        }
        for device in task.list("Devices")? {
            let r = pool.draft.resource(&device.text("Type")?);
            load.push((r, whole_amount(device.list("DeviceIDs")?.len() as i64)));
        }
    }
    if load.is_empty() {
        let cause = "an allocation says nothing of what it takes: planned as nothing; ask for /v1/allocations?resources=true";
        pool.assume(Direction::Wider, item.place(), cause);
    }
    let at = item.text("NodeID")?;
    let at = names.get(&at).cloned().unwrap_or(item.text("NodeName")?);
    if !pool.load(&at, &load) {
        pool.assume(
            Direction::Wider,
            item.place(),
            "an allocation is on a node that is not in the files: left out",
        );
    }
    Ok(())
}

fn job(pool: &mut Pool, item: &Item, placed: &FxHashMap<String, i64>) -> Result<()> {
    let name = item.text("ID")?;
    if item.get("Stop").is_some_and(|own| own.value == &Value::Bool(true)) {
        return Ok(());
    }
    let priority = item.whole("Priority")?.unwrap_or(50);
    let mut said = |key: &str, at: &Item, cause: &str| {
        if at.get(key).is_some_and(|own| own.value.as_array().is_none_or(|list| !list.is_empty())) {
            pool.assume(Direction::Wider, at.place(), cause);
        }
    };
    said("Constraints", item, "constraints of jobs are not planned with");
    said("Affinities", item, "which nodes jobs prefer is not planned with");
    said("Spreads", item, "spreads of jobs are not planned with");
    let centres: Vec<String> = item
        .list("Datacenters")?
        .iter()
        .filter_map(|own| own.value.as_str().map(str::to_owned))
        .collect();
    for group in item.list("TaskGroups")? {
        let own = group.text("Name")?;
        let count = group.whole("Count")?.unwrap_or(1);
        let left = count - placed.get(&format!("{name}.{own}")).copied().unwrap_or(0);
        let mut demand: Vec<(u16, Decimal)> = Vec::new();
        for task in group.list("Tasks")? {
            for (r, amount) in pool.amounts(&task, &ASKED)? {
                match demand.iter_mut().find(|(known, _)| *known == r) {
                    Some((_, all)) => *all = sum(*all, amount),
                    None => demand.push((r, amount)),
                }
            }
            for device in task.list("Resources.Devices")? {
                let kind = device.text("Name")?;
                let kind = kind.split('/').find(|part| *part == "gpu").unwrap_or(&kind).to_owned();
                let r = pool.draft.resource(&kind);
                demand.push((r, whole_amount(device.whole("Count")?.unwrap_or(1))));
            }
            if task
                .get("Constraints")
                .is_some_and(|own| own.value.as_array().is_some_and(|list| !list.is_empty()))
            {
                pool.assume(
                    Direction::Wider,
                    task.place(),
                    "constraints of jobs are not planned with",
                );
            }
        }
        if group
            .get("Constraints")
            .is_some_and(|own| own.value.as_array().is_some_and(|list| !list.is_empty()))
        {
            pool.assume(
                Direction::Wider,
                group.place(),
                "constraints of jobs are not planned with",
            );
        }
        let mut base = TaskDraft { demand, priority, ..TaskDraft::default() };
        if !centres.is_empty() && !centres.iter().any(|name| name.contains('*')) {
            base.requires.any_of.push(("datacenter".to_owned(), centres.clone()));
        }
        if pool.draft.tasks.len() as i64 + left > MOST {
            return Err(group.wrong("Count", format!("more than {MOST} tasks are to be placed")));
        }
        for k in 0..left.max(0) {
            pool.draft.tasks.push(TaskDraft { id: format!("{name}.{own}[{k}]"), ..base.clone() });
        }
    }
    Ok(())
}
