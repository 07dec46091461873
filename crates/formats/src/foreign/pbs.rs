//! PBS Professional and OpenPBS: `pbsnodes -a -F json` and `qstat -f -F json`.

use serde_json::Value;

use super::super::json_error;
use super::super::source::Text;
use super::super::time_file::is_date;
use super::item::{Item, Unit};
use super::pool::{Field, Pool, units, whole_amount};
use base::error::Result;
use model::{
    AfterDraft, CENTURY, Decimal, Direction, Draft, NodeDraft, NodeState, TaskDraft, When,
};

/// Amounts of nodes and chunks.
const AMOUNTS: [Field; 3] = [
    Field { path: "ncpus", resource: "cpu", unit: Unit::One },
    Field { path: "mem", resource: "memory", unit: Unit::Size },
    Field { path: "ngpus", resource: "gpu", unit: Unit::One },
];

/// What else a node or a job may have of resources, and says nothing of where or when.
const SILENT: [&str; 22] = [
    "arch",
    "host",
    "vnode",
    "nodect",
    "nodes",
    "walltime",
    "select",
    "place",
    "cput",
    "pcput",
    "vmem",
    "pvmem",
    "pmem",
    "nice",
    "software",
    "mpiprocs",
    "ompthreads",
    "cpupercent",
    "ncpus",
    "mem",
    "ngpus",
    "min_walltime",
];

/// States of nodes that take no new jobs; the others do.
const NOT_READY: [(&str, NodeState); 9] = [
    ("down", NodeState::Down),
    ("offline", NodeState::Drain),
    ("unknown", NodeState::Down),
    ("state-unknown", NodeState::Down),
    ("stale", NodeState::Down),
    ("Stale", NodeState::Down),
    ("unresolvable", NodeState::Down),
    ("maintenance", NodeState::Drain),
    ("provisioning", NodeState::Drain),
];

/// Reads the documents.
///
/// # Errors
/// What is no such document, fields that do not read, no nodes, nothing that waits.
pub(super) fn read(sources: &[Text]) -> Result<Draft> {
    let mut pool = Pool::new(&["cpu", "memory", "gpu"]);
    let mut documents = Vec::new();
    for source in sources {
        documents.push((*source, json_error::parse::<Value>(*source)?));
    }
    for (source, document) in &documents {
        let root = Item::root(*source, document);
        let stamp = root.whole("timestamp")?;
        pool.draft.start = pool.draft.start.max(stamp.filter(|at| *at > 0 && is_date(at)));
        for (name, item) in root.fields("nodes")? {
            node(&mut pool, name, &item)?;
        }
    }
    for (source, document) in &documents {
        for (name, item) in Item::root(*source, document).fields("Jobs")? {
            job(&mut pool, name, &item)?;
        }
    }
    let known: Vec<String> = pool.draft.tasks.iter().map(|task| task.id.clone()).collect();
    for task in &mut pool.draft.tasks {
        task.after.retain(|after| known.contains(&after.task));
    }
    pool.draft.queue = true;
    pool.finish(
        sources,
        "what `pbsnodes -a -F json` prints",
        "what `qstat -f -F json` prints, with jobs that wait",
    )
}

fn node(pool: &mut Pool, name: &str, item: &Item) -> Result<()> {
    let has = item.get("resources_available");
    let taken = item.get("resources_assigned");
    let mut node = NodeDraft { id: name.to_owned(), ..NodeDraft::default() };
    if let Some(has) = &has {
        node.capacity = pool.amounts(has, &AMOUNTS)?;
        for (key, own) in item.fields("resources_available")? {
            match (SILENT.contains(&key), own.value) {
                (true, _) => {}
                (false, Value::String(text)) => node.labels.push((key.to_owned(), text.clone())),
                (false, Value::Bool(flag)) => node.labels.push((key.to_owned(), flag.to_string())),
                (false, Value::Number(_)) => {
                    let r = pool.draft.resource(key);
                    let value = own.value.as_i64().filter(|value| *value >= 0);
                    node.capacity.extend(value.map(|value| (r, whole_amount(value))));
                }
                (false, _) => {}
            }
        }
    }
    if node.capacity.is_empty() {
        let cpus = item.whole("pcpus")?;
        node.capacity.extend(cpus.map(|cpus| (0, whole_amount(cpus))));
    }
    if let Some(taken) = &taken {
        node.used = pool.amounts(taken, &AMOUNTS)?;
    }
    if let Some(queue) = Some(item.text("queue")?).filter(|queue| !queue.is_empty()) {
        node.labels.push(("queue".to_owned(), queue));
        let cause = "a node that is kept for a queue takes jobs of all queues";
        pool.assume(Direction::Wider, item.place(), cause);
    }
    let states = item.text("state")?;
    for state in states.split(',').map(str::trim).filter(|state| !state.is_empty()) {
        if let Some((_, own)) = NOT_READY.iter().find(|(known, _)| *known == state) {
            node.state = if *own == NodeState::Down { *own } else { node.state.max_of(*own) };
        } else if !["free", "job-busy", "job-exclusive", "busy", "resv-exclusive", "sleep"]
            .contains(&state)
        {
            let cause = format!("the state `{state}` is not known: such nodes take no jobs");
            pool.assume(Direction::Narrower, item.place(), cause);
            node.state = node.state.max_of(NodeState::Drain);
        }
        if ["job-exclusive", "resv-exclusive"].contains(&state) {
            node.used = node.capacity.clone();
        }
    }
    pool.node(item, node)
}

/// The worse of two states.
trait Worse {
    fn max_of(self, other: NodeState) -> NodeState;
}

impl Worse for NodeState {
    fn max_of(self, other: NodeState) -> NodeState {
        match (self, other) {
            (NodeState::Down, _) | (_, NodeState::Down) => NodeState::Down,
            (NodeState::Drain, _) | (_, NodeState::Drain) => NodeState::Drain,
            _ => NodeState::Ready,
        }
    }
}

/// `02:00:00`, `120`: seconds.
fn walltime(text: &str) -> Option<i64> {
    let parts: Option<Vec<i64>> = text
        .split(':')
        .map(|part| part.trim().parse().ok().filter(|n| (0..1_000_000_000).contains(n)))
        .collect();
    match parts?[..] {
        [seconds] => Some(seconds),
        [minutes, seconds] => Some(minutes * 60 + seconds),
        [hours, minutes, seconds] => Some(hours * 3600 + minutes * 60 + seconds),
        _ => None,
    }
}

/// A job: one task, or several where it asks for several chunks.
fn job(pool: &mut Pool, name: &str, item: &Item) -> Result<()> {
    let state = item.text("job_state")?;
    let id = name.split('.').next().unwrap_or(name).to_owned();
    if ["R", "E", "S", "U", "B"].contains(&state.as_str()) {
        // The node says what is taken.
        pool.running += 1;
        let cause = "what runs is taken for good: plans in time do not see it end";
        pool.assume(Direction::Narrower, item.place(), cause);
        return Ok(());
    }
    if !["Q", "W", "T"].contains(&state.as_str()) {
        if state == "H" {
            pool.assume(Direction::Wider, item.place(), "jobs that are held are left out");
        }
        return Ok(());
    }
    let asks = item.get("Resource_List");
    let text = |key: &str| asks.as_ref().map_or(Ok(String::new()), |asks| asks.text(key));
    let time = text("walltime")?;
    let duration = if time.is_empty() {
        None
    } else {
        let seconds = walltime(&time).filter(|seconds| *seconds <= CENTURY);
        Some(seconds.ok_or_else(|| {
            item.wrong("Resource_List.walltime", format!("`{time}` is no time such as 02:00:00"))
        })?)
    };
    let mut base = TaskDraft { duration, ..TaskDraft::default() };
    base.priority = item.get("Priority").and_then(|own| own.value.as_i64()).unwrap_or(0);
    let depend = item.text("depend")?;
    for part in depend.split(',').filter(|part| !part.is_empty()) {
        let mut words = part.split(':');
        let kind = words.next().unwrap_or("");
        if !["afterok", "afterany", "afternotok"].contains(&kind) {
            if kind.starts_with("before") || kind.starts_with("after") || kind == "on" {
                pool.assume(
                    Direction::Wider,
                    item.place(),
                    format!("the dependency `{kind}` is not planned with"),
                );
            }
            continue;
        }
        for job in words {
            let task = job.split('.').next().unwrap_or(job).to_owned();
            base.after.push(AfterDraft { task, lag: 0 });
        }
    }
    if let Some(at) = item.get("Execution_Time") {
        let date = at.value.as_i64().filter(|at| *at > 0);
        base.release = date.map(When::On);
        if date.is_none() {
            pool.assume(
                Direction::Wider,
                at.place(),
                "a time before which a job may not start is left out",
            );
        }
    }
    if !item.text("array_indices_submitted")?.is_empty() {
        pool.assume(Direction::Wider, item.place(), "an array of jobs is planned as one job");
    }
    for (key, own) in item.fields("Resource_List")? {
        if !SILENT.contains(&key) && !matches!(own.value, Value::Null) {
            let cause = format!("the resource `{key}` of jobs is not planned with");
            pool.assume(Direction::Wider, item.place(), cause);
        }
    }
    let select = text("select")?;
    let chunks: Vec<&str> = select.split('+').filter(|chunk| !chunk.is_empty()).collect();
    let place = text("place")?;
    let apart = place.contains("scatter");
    if place.contains("excl") {
        pool.assume(
            Direction::Wider,
            item.place(),
            "jobs that want their nodes to themselves share them",
        );
    }
    let mut list = Vec::new();
    if chunks.is_empty() {
        let demand = match &asks {
            Some(asks) => pool.amounts(asks, &AMOUNTS)?,
            None => Vec::new(),
        };
        list.push((1, demand));
    }
    for chunk in chunks {
        list.push(chunk_of(pool, item, chunk, &mut base)?);
    }
    let several = list.len() > 1;
    let mut names = Vec::new();
    for (k, (count, demand)) in list.into_iter().enumerate() {
        let id = if k == 0 { id.clone() } else { format!("{id}:{k}") };
        let weight = (k > 0).then_some(Decimal::ZERO);
        let mut task = TaskDraft { id: id.clone(), demand, weight, ..base.clone() };
        units(&mut task, count, apart);
        if place.contains("pack") && count > 1 {
            task.within.push((model::Ask::Together, "node".to_owned()));
        }
        pool.draft.tasks.push(task);
        names.push(id);
    }
    if several {
        let rule = model::RuleDraft::new(
            format!("job {id}"),
            model::Ask::Gang,
            "node",
            model::Whom::Tasks(names),
        );
        pool.draft.rules.push(rule);
    }
    Ok(())
}

/// `2:ncpus=8:mem=16gb:ngpus=1`: how many, and what each takes.
fn chunk_of(
    pool: &mut Pool,
    item: &Item,
    chunk: &str,
    base: &mut TaskDraft,
) -> Result<(u32, Vec<(u16, Decimal)>)> {
    let wrong = |cause: String| item.wrong("Resource_List.select", cause);
    let mut words = chunk.split(':').peekable();
    let count =
        words.next_if(|word| word.parse::<u32>().is_ok()).and_then(|word| word.parse().ok());
    let mut demand = vec![(0, Decimal::ONE)];
    for word in words {
        let (key, value) = word
            .split_once('=')
            .ok_or_else(|| wrong(format!("`{word}` is no resource such as ncpus=4")))?;
        match AMOUNTS.iter().find(|field| field.path == key) {
            Some(field) => {
                let own = super::item::amount(value, field.unit);
                let own = own.ok_or_else(|| wrong(format!("`{word}` is no amount")))?;
                let r = pool.draft.resource(field.resource);
                demand.retain(|(known, _)| *known != r);
                demand.push((r, own));
            }
            None if ["mpiprocs", "ompthreads"].contains(&key) => {}
            None if ["host", "vnode"].contains(&key) => {
                pool.assume(
                    Direction::Wider,
                    item.place(),
                    "nodes that a chunk names are not planned with",
                );
            }
            None => base
                .requires
                .any_of
                .push((key.to_owned(), vec![value.trim_matches(['\'', '"']).to_owned()])),
        }
    }
    let count = count.unwrap_or(1);
    match (1..=100_000).contains(&count) {
        true => Ok((count, demand)),
        false => Err(wrong(format!("{count} chunks are not from 1 to 100,000"))),
    }
}
