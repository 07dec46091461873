//! HTCondor's ClassAds as JSON: `condor_status -json` (slots) and `condor_q -json` (jobs).

use serde_json::Value;

use super::super::json_error;
use super::super::source::Text;
use super::item::{Item, Unit};
use super::pool::{Field, Pool, whole_amount};
use base::error::Result;
use model::{CENTURY, Decimal, Direction, Draft, NodeDraft, NodeState, TaskDraft};

/// What is free of a slot.
const FREE: [Field; 3] = [
    Field { path: "Cpus", resource: "cpu", unit: Unit::One },
    Field { path: "Memory", resource: "memory", unit: Unit::Mib },
    Field { path: "GPUs", resource: "gpu", unit: Unit::One },
];

/// What a slot that is divided as needed has in all, else what its machine has.
const ALL: [Field; 6] = [
    Field { path: "TotalSlotCpus", resource: "cpu", unit: Unit::One },
    Field { path: "TotalSlotMemory", resource: "memory", unit: Unit::Mib },
    Field { path: "TotalSlotGPUs", resource: "gpu", unit: Unit::One },
    Field { path: "TotalCpus", resource: "cpu", unit: Unit::One },
    Field { path: "TotalMemory", resource: "memory", unit: Unit::Mib },
    Field { path: "TotalGPUs", resource: "gpu", unit: Unit::One },
];

/// What a job asks for.
const ASKED: [Field; 3] = [
    Field { path: "RequestCpus", resource: "cpu", unit: Unit::One },
    Field { path: "RequestMemory", resource: "memory", unit: Unit::Mib },
    Field { path: "RequestGPUs", resource: "gpu", unit: Unit::One },
];

/// Reads lists of ads, one a file.
///
/// # Errors
/// What is no such list, fields that do not read, no slots, nothing that waits.
pub(super) fn read(sources: &[Text]) -> Result<Draft> {
    let mut pool = Pool::new(&["cpu", "memory", "gpu"]);
    for source in sources {
        let document: Value = json_error::parse(*source)?;
        for ad in Item::root(*source, &document).entries()? {
            if ad.get("ClusterId").is_some() && ad.get("JobStatus").is_some() {
                job(&mut pool, &ad)?;
            } else if ad.get("Machine").or(ad.get("Name")).is_some() {
                slot(&mut pool, &ad)?;
            } else {
                let error = ad.error("this is the ad of neither a slot nor a job: `Machine` or `ClusterId` is missing");
                return Err(
                    error.help("give what `condor_status -json` and `condor_q -json` print")
                );
            }
        }
    }
    pool.draft.queue = true;
    pool.finish(
        sources,
        "what `condor_status -json` prints",
        "what `condor_q -json` prints, with jobs that are idle",
    )
}

fn slot(pool: &mut Pool, ad: &Item) -> Result<()> {
    let kind = ad.text("SlotType")?;
    // What such slots have is taken from the slot that they came of.
    if kind == "Dynamic" {
        pool.running += usize::from(ad.text("State")? == "Claimed");
        return Ok(());
    }
    let name = ad.text("Name")?;
    let id = if name.is_empty() { ad.text("Machine")? } else { name };
    let free = pool.amounts(ad, &FREE)?;
    let all = if kind == "Static" { free.clone() } else { pool.amounts(ad, &ALL)? };
    let capacity = if all.is_empty() { free.clone() } else { all };
    let state = ad.text("State")?;
    let taken = |(r, all): &(u16, Decimal)| {
        let own = free.iter().find(|(own, _)| own == r).map_or(*all, |(_, own)| *own);
        let busy = kind == "Static" && state == "Claimed";
        let left = if busy { 0 } else { own.up_to_places(0).unwrap_or(0) };
        let used = all.up_to_places(0).unwrap_or(0).saturating_sub(left).max(0);
        (*r, whole_amount(used))
    };
    let mut node =
        NodeDraft { id, used: capacity.iter().map(taken).collect(), ..NodeDraft::default() };
    node.capacity = capacity;
    match state.as_str() {
        "Unclaimed" | "Claimed" | "Matched" | "Preempting" | "Backfill" | "" => {}
        "Owner" | "Drained" => node.state = NodeState::Drain,
        _ => {
            let cause = format!("the state `{state}` is not known: such slots take no jobs");
            pool.assume(Direction::Narrower, ad.place(), cause);
            node.state = NodeState::Drain;
        }
    }
    for key in ["Arch", "OpSys"] {
        let value = ad.text(key)?;
        if !value.is_empty() {
            node.labels.push((key.to_owned(), value));
        }
    }
    if ad.get("Start").is_some_and(|start| start.value != &Value::Bool(true)) {
        let cause = "the condition under which a slot starts jobs is not planned with";
        pool.assume(Direction::Wider, ad.place(), cause);
    }
    pool.node(ad, node)
}

fn job(pool: &mut Pool, ad: &Item) -> Result<()> {
    match ad.whole("JobStatus")? {
        Some(1) => {}
        Some(2 | 6 | 7) => {
            pool.running += 1;
            return Ok(());
        }
        Some(5) => {
            pool.assume(Direction::Wider, ad.place(), "jobs that are held are left out");
            return Ok(());
        }
        _ => return Ok(()),
    }
    let id = format!("{}.{}", ad.text("ClusterId")?, ad.whole("ProcId")?.unwrap_or(0));
    // Where the amount is an expression, what was found of other jobs is not known here.
    let mut demand = Vec::new();
    for field in ASKED {
        let text = ad.get(field.path).map_or(String::new(), |own| match own.value {
            Value::Number(number) => number.to_string(),
            Value::String(_) => "?".to_owned(),
            _ => String::new(),
        });
        if text == "?" {
            let cause = format!(
                "`{}` is an expression: {} is planned",
                field.path,
                if field.path == "RequestCpus" { "1" } else { "none" }
            );
            pool.assume(Direction::Wider, ad.place(), cause);
            continue;
        }
        if !text.is_empty() {
            demand.extend(pool.amounts(ad, &[field])?);
        }
    }
    if !demand.iter().any(|(r, _)| *r == 0) {
        demand.push((0, Decimal::ONE));
    }
    let mut task = TaskDraft { id, demand, ..TaskDraft::default() };
    task.priority = ad.get("JobPrio").and_then(|own| own.value.as_i64()).unwrap_or(0);
    let limit =
        ["JobDuration", "AllowedJobDuration", "AllowedExecuteDuration", "MaxJobRetirementTime"]
            .into_iter()
            .skip(1)
            .take(2);
    for key in limit {
        task.duration = task.duration.or(ad.whole(key)?.filter(|own| (1..=CENTURY).contains(own)));
    }
    for (key, cause) in [
        ("Requirements", "requirements of jobs are not planned with"),
        ("Rank", "which slots jobs prefer is not planned with"),
        ("ConcurrencyLimits", "concurrency limits are not planned with"),
        ("MachineCount", "a job on several machines is planned on one"),
    ] {
        let set = ad.get(key).is_some_and(|own| {
            !matches!(own.value, Value::Bool(true)) && own.value.as_f64() != Some(0.0)
        });
        let plain = key == "MachineCount" && ad.whole(key).ok().flatten() == Some(1);
        if set && !plain {
            pool.assume(Direction::Wider, ad.place(), cause);
        }
    }
    pool.draft.tasks.push(task);
    Ok(())
}
