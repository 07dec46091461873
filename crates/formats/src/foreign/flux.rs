//! Flux: a resource set (RFC 20, `flux resource R`) and jobspecs (RFC 14 and 25), one a file.

use serde_json::Value;

use super::super::json_error;
use super::super::source::Text;
use super::item::{Item, whole};
use super::pool::{Pool, units, whole_amount};
use base::error::Result;
use model::{CENTURY, Decimal, Direction, Draft, NodeDraft, TaskDraft};

/// Most nodes of a set, and most slots of a job.
const MOST: i64 = 100_000;

/// Numbers of a set of ids: `0-3,7`.
fn ids(text: &str) -> Option<Vec<i64>> {
    let mut list = Vec::new();
    for part in text.trim_matches(['[', ']']).split(',').filter(|part| !part.is_empty()) {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (from, to) = (from.parse::<i64>().ok()?, to.parse::<i64>().ok()?);
        if from < 0 || to < from || to - from >= MOST || list.len() as i64 + (to - from) >= MOST {
            return None;
        }
        list.extend(from..=to);
    }
    Some(list)
}

/// Names of a list of hosts: `tern[1-4],login`.
fn hosts(list: &[String]) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for text in list {
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let open = rest.find('[').unwrap_or(rest.len());
            let comma = rest.find(',').unwrap_or(rest.len());
            if comma < open || open == rest.len() {
                names.push(rest[..comma].to_owned());
                rest = rest.get(comma + 1..).unwrap_or("");
                continue;
            }
            let (before, after) = rest.split_at(open);
            let (inside, after) = after[1..].split_once(']')?;
            let (end, next) = after.split_once(',').unwrap_or((after, ""));
            for part in inside.split(',') {
                let width = part.split('-').next().map_or(0, str::len);
                names.extend(ids(part)?.iter().map(|n| format!("{before}{n:0width$}{end}")));
            }
            if names.len() as i64 > MOST {
                return None;
            }
            rest = next;
        }
    }
    names.retain(|name| !name.is_empty());
    Some(names)
}

/// Reads the documents.
///
/// # Errors
/// What is no resource set and no jobspec, fields that do not read, no nodes, no jobs.
pub(super) fn read(sources: &[Text]) -> Result<Draft> {
    let mut pool = Pool::new(&["cpu", "gpu"]);
    let documents: Vec<(Text, Value)> = sources
        .iter()
        .map(|source| Ok((*source, json_error::parse::<Value>(*source)?)))
        .collect::<Result<_>>()?;
    for (source, document) in &documents {
        let root = Item::root(*source, document);
        if root.get("execution").is_some() {
            set(&mut pool, &root)?;
        } else if root.get("resources").is_none() {
            let error = source.error("this is neither a resource set nor a jobspec of Flux");
            return Err(error.help("give what `flux resource R` and `flux submit --dry-run` print"));
        }
    }
    for (k, (source, document)) in documents.iter().enumerate() {
        let root = Item::root(*source, document);
        if root.get("resources").is_some() {
            job(&mut pool, &root, k)?;
        }
    }
    pool.finish(
        sources,
        "what `flux resource R` prints",
        "jobspecs: what `flux submit --dry-run` prints, one a file",
    )
}

fn set(pool: &mut Pool, root: &Item) -> Result<()> {
    let texts = root.list("execution.nodelist")?;
    let texts: Vec<String> =
        texts.iter().filter_map(|item| item.value.as_str().map(str::to_owned)).collect();
    let bad = |item: &Item, text: &str| item.error(format!("`{text}` is no list such as 0-3,7"));
    let hosts = hosts(&texts).ok_or_else(|| {
        root.wrong("execution.nodelist", "this is no list of hosts such as n[1-4]")
    })?;
    let mut host = hosts.iter();
    for entry in root.list("execution.R_lite")? {
        let (ranks, cores, cards) =
            (entry.text("rank")?, entry.text("children.core")?, entry.text("children.gpu")?);
        let count =
            |text: &str| ids(text).map(|list| list.len() as i64).ok_or_else(|| bad(&entry, text));
        let (cores, cards) = (count(&cores)?, count(&cards)?);
        for rank in ids(&ranks).ok_or_else(|| bad(&entry, &ranks))? {
            let id = host.next().cloned().unwrap_or_else(|| format!("rank{rank}"));
            let capacity = vec![(0, whole_amount(cores)), (1, whole_amount(cards))];
            pool.node(&entry, NodeDraft { id, capacity, ..NodeDraft::default() })?;
        }
    }
    let properties = root.fields("execution.properties")?;
    if let Some((_, first)) = properties.first() {
        pool.assume(Direction::Either, first.place(), "properties of ranks are not planned with");
    }
    Ok(())
}

/// A jobspec of nodes with slots, or of slots: each slot is a unit, those of one node come together.
fn job(pool: &mut Pool, root: &Item, k: usize) -> Result<()> {
    let name = root.text("attributes.system.job.name")?;
    let id = if name.is_empty() { format!("job{}", k + 1) } else { format!("{name}.{}", k + 1) };
    let seconds = root.text("attributes.system.duration")?;
    let duration = seconds
        .parse::<f64>()
        .ok()
        .filter(|own| *own > 0.0 && *own <= CENTURY as f64)
        .map(|own| own.ceil() as i64);
    let mut task = TaskDraft { id, duration, ..TaskDraft::default() };
    let [top] = &root.list("resources")?[..] else {
        return Err(root.wrong("resources", "a jobspec has one resource at the top"));
    };
    let (mut nodes, mut slots) = (1, 1);
    let (mut per_node, mut at) = (false, top.clone());
    // node / slot / what a slot has.
    for _ in 0..3 {
        let kind = at.text("type")?;
        let count = count(&at)?;
        match kind.as_str() {
            "node" => (nodes, per_node) = (count, true),
            "slot" => slots = count,
            _ => break,
        }
        let inner = at.list("with")?;
        if kind == "slot" {
            task.demand = slot(pool, &inner)?;
            if inner.iter().any(|one| one.text("type").is_ok_and(|kind| kind == "node")) {
                per_node = true;
            }
            break;
        }
        let Some(first) = inner.first() else {
            return Err(at.error("a node of a jobspec says nothing of what is used of it"));
        };
        at = first.clone();
    }
    if task.demand.is_empty() {
        return Err(top.error("the jobspec has no slot"));
    }
    if per_node && slots > 1 {
        // The slots of one node are on one node.
        for (_, own) in &mut task.demand {
            *own = own.times(whole_amount(slots)).unwrap_or(*own);
        }
        slots = 1;
    }
    if root.get("attributes.system.constraints").is_some() {
        pool.assume(Direction::Wider, root.place(), "constraints of jobspecs are not planned with");
    }
    if root.get("attributes.system.dependencies").is_some() {
        pool.assume(
            Direction::Wider,
            root.place(),
            "dependencies of jobspecs are not planned with",
        );
    }
    let all = nodes.checked_mul(slots).filter(|all| *all <= MOST);
    let all = all.ok_or_else(|| top.error(format!("a job has at most {MOST} slots")))?;
    units(&mut task, all as u32, per_node);
    pool.draft.tasks.push(task);
    Ok(())
}

/// A count: a number, or the least of a range.
fn count(item: &Item) -> Result<i64> {
    let own = match item.get("count") {
        Some(range) if range.value.is_object() => range.whole("min")?,
        Some(list) => list
            .value
            .as_i64()
            .or(list.value.as_str().and_then(|text| whole(text.split(['-', '+', ':']).next()?))),
        None => None,
    };
    own.filter(|own| (1..=MOST).contains(own))
        .ok_or_else(|| item.wrong("count", format!("this is no number from 1 to {MOST}")))
}

fn slot(pool: &mut Pool, inner: &[Item]) -> Result<Vec<(u16, Decimal)>> {
    let mut demand = vec![(0, Decimal::ZERO)];
    for one in inner {
        let many = count(one)?;
        let r = match one.text("type")?.as_str() {
            "core" => 0,
            "gpu" => 1,
            kind => {
                let cause = format!("the resource `{kind}` of jobspecs is not planned with");
                pool.assume(Direction::Wider, one.place(), cause);
                continue;
            }
        };
        demand.retain(|(own, _)| *own != r);
        demand.push((r, whole_amount(many)));
    }
    Ok(demand)
}
