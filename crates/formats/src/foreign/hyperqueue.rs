//! HyperQueue: a job file (TOML, `hq job submit-file`) and the workers (`hq worker list --output-mode
//! json`), or a line for each in a table of nodes.

use serde_json::Value;

use super::super::json_error;
use super::super::source::Text;
use super::item::{Item, Unit, amount};
use super::pool::{Pool, units, whole_amount};
use base::error::Result;
use model::{AfterDraft, CENTURY, Decimal, Direction, Draft, NodeDraft, TaskDraft, parse_duration};

/// True for a job file.
pub(super) fn fits(text: &str) -> bool {
    let lines = || text.lines().map(str::trim);
    lines().any(|line| line == "[[task]]")
        && lines().any(|line| line == "[[task.request]]" || line.starts_with("command"))
}

/// Resources by our names.
fn resource(name: &str) -> &str {
    match name {
        "cpus" => "cpu",
        name if name.starts_with("gpus") => "gpu",
        "mem" => "memory",
        name => name,
    }
}

/// Reads job files and lists of workers.
///
/// # Errors
/// What is neither, fields that do not read, no workers, no tasks.
pub(super) fn read(sources: &[Text]) -> Result<Draft> {
    let mut pool = Pool::new(&["cpu", "gpu"]);
    let mut files = Vec::new();
    for source in sources {
        if source.text.trim_start().starts_with('[') && !fits(source.text) {
            let document: Value = json_error::parse(*source)?;
            for worker in Item::root(*source, &document).entries()? {
                self::worker(&mut pool, &worker)?;
            }
        } else {
            let document: toml::Value = toml::from_str(source.text).map_err(|error| {
                let line = error
                    .span()
                    .map_or(0, |span| super::super::source::line_at(source.text, span.start));
                source
                    .error(format!("not valid TOML: {}", error.message()))
                    .at(format!("line {line}"))
            })?;
            let document =
                serde_json::to_value(&document).map_err(|error| source.error(error.to_string()))?;
            files.push((*source, document));
        }
    }
    for (source, document) in &files {
        job(&mut pool, &Item::root(*source, document), files.len() > 1)?;
    }
    pool.finish(
        sources,
        "the workers: what `hq worker list --output-mode json` prints",
        "a job file with [[task]]",
    )
}

fn worker(pool: &mut Pool, item: &Item) -> Result<()> {
    let own = item.get("configuration").unwrap_or(item.clone());
    let host = own.text("hostname")?;
    let id = item.text("id")?;
    let name = if host.is_empty() { format!("worker{id}") } else { format!("{host}.{id}") };
    let mut node = NodeDraft { id: name, ..NodeDraft::default() };
    let list = own.get("resources").map_or(Ok(Vec::new()), |all| match all.get("resources") {
        Some(list) => list.entries(),
        None => all.entries(),
    })?;
    for one in list {
        let kind = one.text("kind")?;
        let inner = one.get(&kind).unwrap_or(one.clone());
        let count = match (inner.whole("size")?, inner.whole("start")?, inner.whole("end")?) {
            (Some(size), ..) => size,
            (None, Some(start), Some(end)) => (end - start + 1).max(0),
            _ if inner.get("groups").is_some() => {
                let groups = inner.list("groups")?;
                groups.iter().map(|group| group.value.as_array().map_or(0, Vec::len) as i64).sum()
            }
            _ => inner.list("values")?.len() as i64,
        };
        let name = one.text("name")?;
        let r = pool.draft.resource(resource(&name));
        let value = if resource(&name) == "memory" {
            amount(&count.to_string(), Unit::Mib)
        } else {
            Some(whole_amount(count))
        };
        node.capacity.extend(value.map(|value| (r, value)));
    }
    if node.capacity.is_empty() {
        return Err(item.error("the worker has no resources"));
    }
    pool.node(item, node)
}

fn job(pool: &mut Pool, root: &Item, several: bool) -> Result<()> {
    let name = root.text("name")?;
    let prefix = if several && !name.is_empty() { format!("{name}.") } else { String::new() };
    for (k, task) in root.list("task")?.iter().enumerate() {
        let own = task.text("id")?;
        let id = format!("{prefix}{}", if own.is_empty() { k.to_string() } else { own });
        let mut draft = TaskDraft { id, ..TaskDraft::default() };
        draft.priority = task.get("priority").and_then(|own| own.value.as_i64()).unwrap_or(0);
        for before in task.list("deps")? {
            let other = before.value.as_i64().map(|own| own.to_string());
            let other = other.ok_or_else(|| before.error("this is no number of a task"))?;
            draft.after.push(AfterDraft { task: format!("{prefix}{other}"), lag: 0 });
        }
        let limit = task.text("time_limit")?;
        if !limit.is_empty() {
            let seconds = parse_duration(&limit).ok().filter(|own| *own <= CENTURY);
            draft.duration = Some(seconds.ok_or_else(|| {
                task.wrong("time_limit", format!("`{limit}` is no duration such as 10m"))
            })?);
        }
        let requests = task.list("request")?;
        if requests.len() > 1 {
            pool.assume(
                Direction::Narrower,
                task.place(),
                "of several ways to run a task the first is planned",
            );
        }
        draft.demand = vec![(0, Decimal::ONE)];
        if let Some(request) = requests.first() {
            demand(pool, request, &mut draft)?;
        }
        pool.draft.tasks.push(draft);
    }
    Ok(())
}

fn demand(pool: &mut Pool, request: &Item, task: &mut TaskDraft) -> Result<()> {
    for (key, own) in request.fields("resources")? {
        let text = match own.value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        // `4 compact`: how they lie on the node.
        let mut words = text.split_whitespace();
        let first = words.next().unwrap_or("").to_owned();
        if words.next().is_some() {
            pool.assume(
                Direction::Wider,
                own.place(),
                "how resources of a task lie on a node is not planned with",
            );
        }
        let r = pool.draft.resource(resource(key));
        if first == "all" {
            pool.assume(
                Direction::Wider,
                own.place(),
                "a task that wants all of a resource is planned with none of it",
            );
            continue;
        }
        let unit = if resource(key) == "memory" { Unit::Mib } else { Unit::One };
        let value =
            amount(&first, unit).ok_or_else(|| own.error(format!("`{text}` is no amount")))?;
        task.demand.retain(|(known, _)| *known != r);
        task.demand.push((r, value));
    }
    let nodes = request.whole("n_nodes")?.unwrap_or(0).min(100_000);
    if nodes > 0 {
        pool.assume(
            Direction::Wider,
            request.place(),
            "a task on several nodes has one core of each, not all of it",
        );
        units(task, nodes as u32, true);
    }
    let least = request.text("time_request")?;
    if !least.is_empty() && task.duration.is_none() {
        pool.assume(
            Direction::Wider,
            request.place(),
            "the least time that a worker must have left is not planned with",
        );
    }
    Ok(())
}
