//! Our tables: one of tasks, one of nodes, and one of pairs where cost or
//! demand depends on both. A column that is not reserved and is named in both
//! of the first two is a resource.

use super::csv_cells as cells;
use super::sheet::{alike, header_unit};
use super::table::{Row, Table};
use super::words;
use base::error::{Error, Faults, Result};
use base::nearest;
use model::{Decimal, Draft, NodeDraft, PairDraft, ResourceDraft, TaskDraft, parse_duration};

/// Names that the id column may also have.
pub(super) const ID: [&str; 2] = ["id", "name"];
/// Reserved in the tasks table, beside `task`.
pub(super) const TASK: [&str; 22] = [
    "duration",
    "requires",
    "avoid",
    "prefers",
    "tolerations",
    "priority",
    "weight",
    "replicas",
    "together",
    "apart",
    "spread",
    "node",
    "pinned",
    "key",
    "group",
    "move_cost",
    "backup",
    "release",
    "due",
    "deadline",
    "after",
    "elapsed",
];
/// Reserved in the nodes table, beside `node` and columns with a [`PREFIXES`].
pub(super) const NODE: [&str; 14] = [
    "labels",
    "state",
    "price",
    "price_per_hour",
    "idle_watts",
    "taints",
    "max_tasks",
    "copy_max_tasks",
    "weight",
    "connections",
    "response_time",
    "speed",
    "available_at",
    "closed",
];
/// Reserved in the rules table.
pub(super) const RULE: [&str; 17] = [
    "id",
    "rule",
    "tasks",
    "group",
    "each",
    "over",
    "at_least",
    "at_most",
    "max_skew",
    "present",
    "near",
    "near_group",
    "resource",
    "values",
    "when",
    "later",
    "price",
];
/// Reserved in the pairs table, beside `task` and `node`.
pub(super) const PAIR: [&str; 2] = ["cost", "duration"];
/// Precedes a resource's name where a column holds the load that is there already.
pub(super) const USED: &str = "used:";
/// Likewise, the capacity of a resource that comes in cards.
pub(super) const CARDS: &str = "cards:";
/// Likewise, the capacity of a resource that moving tasks take on both nodes; stands
/// before [`CARDS`] where both apply.
pub(super) const TRANSIENT: &str = "transient:";
/// Likewise, what the plan leaves free.
pub(super) const RESERVE: &str = "reserve:";
/// Likewise, the load above which each unit has its price.
pub(super) const SAFETY: &str = "safety:";
/// Likewise, that price, the same in every row.
pub(super) const SAFETY_PRICE: &str = "safety_price:";
/// Likewise, the watts that each unit of load adds.
pub(super) const WATTS: &str = "watts:";
/// Likewise, the load that a new node like this one has from the start.
pub(super) const OVERHEAD: &str = "overhead:";
/// Precedes a resource's name where a column of tasks holds the standard deviation of the demand.
pub(super) const DEVIATION: &str = "sd:";
const PREFIXES: [&str; 8] =
    [USED, OVERHEAD, CARDS, TRANSIENT, RESERVE, SAFETY, SAFETY_PRICE, WATTS];

/// True for names that a resource cannot have in tables.
pub(super) fn is_reserved(name: &str) -> bool {
    let mut reserved = ID.iter().chain(&TASK).chain(&NODE).chain(&PAIR).chain(&["task", "node"]);
    let mut prefixes = PREFIXES.iter().chain(&[DEVIATION]);
    prefixes.any(|prefix| name.starts_with(prefix))
        || reserved.any(|known| *known == alike(name))
        || header_unit(name).1.is_some()
}

/// What a column holds.
#[derive(Clone, Copy, PartialEq)]
enum Column {
    /// The id of the row's task or node, or of a pair's task.
    Id,
    /// Watts that each unit of load of the resource adds.
    Watts(u16),
    /// The node of a pair.
    PairNode,
    Resource(u16),
    Deviation(u16),
    Used(u16),
    Overhead(u16),
    Reserve(u16),
    Safety(u16),
    SafetyPrice(u16),
    Cost,
    /// Of a pair.
    Duration,
    /// Another reserved column, by its name.
    Named(&'static str),
    /// Nobody wants it.
    Ignored,
}

/// Reads the tables. Empty cells are 0, or absent in pairs.
///
/// # Errors
/// Swapped tables, no id column or two, columns that are neither reserved nor
/// a resource of both tables, and cells that do not read, each by line and column.
pub(super) fn read(
    tasks: &Table,
    nodes: &Table,
    pairs: Option<&Table>,
    rules: Option<&Table>,
) -> Result<Draft> {
    check_swapped(tasks, nodes)?;
    let task_id = id_column(tasks, "task")?;
    let node_id = id_column(nodes, "node")?;
    let mut draft = Draft::default();
    for header in &nodes.headers {
        let transient = header.strip_prefix(TRANSIENT).map(str::trim);
        let rest = transient.unwrap_or(header);
        let cards = rest.strip_prefix(CARDS).map(str::trim);
        let name = cards.unwrap_or(rest);
        if !is_reserved(name) && tasks.headers.iter().any(|known| known == name) {
            let at = usize::from(draft.resource(name));
            draft.resources[at].devices |= cards.is_some();
            draft.resources[at].transient |= transient.is_some();
        }
    }
    draft.rules = rules.map_or_else(|| Ok(Vec::new()), cells::rules)?;
    // What only limits look at need not be a column of nodes.
    let limits: Vec<String> = (draft.rules.iter())
        .filter_map(|rule| Some(rule.limit.as_ref()?.resource.clone()))
        .filter(|name| !is_reserved(name) && tasks.column(name).is_some())
        .collect();
    for name in &limits {
        draft.resource(name);
    }
    if draft.resources.len() > 1000 {
        return Err(nodes.source.error("there are more than 1000 resources"));
    }
    let names: Vec<String> = draft.resources.iter().map(|known| known.name.clone()).collect();
    // Both tables are looked through before anything is refused.
    let mut faults = Faults::default();
    let columns = task_columns(tasks, Some(nodes), task_id, &names, &mut faults)?;
    faults.take(tasks.rows(|row| {
        draft.tasks.push(task(row, &columns)?);
        Ok(())
    }))?;
    let columns = node_columns(nodes, Some(tasks), node_id, &names, &mut faults)?;
    faults.take(nodes.rows(|row| {
        draft.nodes.push(node(row, &columns)?);
        safety_prices(row, &columns, &mut draft.resources)
    }))?;
    faults.none()?;
    if let Some(pairs) = pairs {
        let columns = pair_columns(pairs, &names)?;
        pairs.rows(|row| {
            draft.pairs.push(pair(row, &columns)?);
            Ok(())
        })?;
    }
    Ok(draft)
}

fn check_swapped(tasks: &Table, nodes: &Table) -> Result<()> {
    let remedy = "are --tasks and --nodes swapped?";
    if tasks.column("task").is_none() && tasks.column("node").is_some() {
        let cause = "this is a table of nodes where the tasks belong";
        return Err(tasks.source.error(cause).at("line 1").help(remedy));
    }
    if nodes.column("node").is_none() && nodes.column("task").is_some() {
        let cause = "this is a table of tasks where the nodes belong";
        return Err(nodes.source.error(cause).at("line 1").help(remedy));
    }
    Ok(())
}

/// The one column that names the items.
fn id_column(table: &Table, own: &'static str) -> Result<usize> {
    let candidates = [own, ID[0], ID[1]];
    let found: Vec<usize> = candidates.iter().filter_map(|name| table.column(name)).collect();
    match found[..] {
        [column] => Ok(column),
        [] => {
            let remedy = format!("add a column `{own}` with a name for each row");
            let cause = format!("there is no column `{own}` (or `id`, or `name`)");
            Err(table.lacks(own, cause, &remedy))
        }
        [first, second, ..] => {
            let (first, second) = (&table.headers[first], &table.headers[second]);
            let cause = format!("columns `{first}` and `{second}` both name the rows");
            Err(table.source.error(cause).at("line 1").help("keep one of the two"))
        }
    }
}

fn resource(names: &[String], name: &str) -> Option<u16> {
    names.iter().position(|known| known == name).map(|at| at as u16)
}

/// The reserved column of that name.
fn named(reserved: &'static [&'static str], name: &str) -> Option<Column> {
    reserved.iter().find(|known| **known == name).map(|known| Column::Named(known))
}

/// Rows of a table of nodes, for an instance whose resources are known.
///
/// # Errors
/// As for [`read`]; columns are reserved or resources of the instance.
pub(super) fn more_nodes(nodes: &Table, draft: &Draft) -> Result<Vec<NodeDraft>> {
    let names: Vec<String> = draft.resources.iter().map(|known| known.name.clone()).collect();
    let mut faults = Faults::default();
    let columns = node_columns(nodes, None, id_column(nodes, "node")?, &names, &mut faults)?;
    faults.none()?;
    let mut more = Vec::new();
    nodes.rows(|row| {
        more.push(node(row, &columns)?);
        Ok(())
    })?;
    Ok(more)
}

/// Rows of a table of tasks, likewise.
///
/// # Errors
/// As for [`more_nodes`].
pub(super) fn more_tasks(tasks: &Table, draft: &Draft) -> Result<Vec<TaskDraft>> {
    let names: Vec<String> = draft.resources.iter().map(|known| known.name.clone()).collect();
    let mut faults = Faults::default();
    let columns = task_columns(tasks, None, id_column(tasks, "task")?, &names, &mut faults)?;
    faults.none()?;
    let mut more = Vec::new();
    tasks.rows(|row| {
        more.push(task(row, &columns)?);
        Ok(())
    })?;
    Ok(more)
}

fn task_columns(
    tasks: &Table,
    nodes: Option<&Table>,
    id: usize,
    names: &[String],
    faults: &mut Faults,
) -> Result<Vec<Column>> {
    let column = |(k, name): (usize, &String)| match named(&TASK, name) {
        _ if k == id => Ok(Column::Id),
        _ if tasks.ignored[k] => Ok(Column::Ignored),
        Some(column) => Ok(column),
        None => match (resource(names, name), name.strip_prefix(DEVIATION)) {
            (Some(r), _) => Ok(Column::Resource(r)),
            (None, Some(rest)) => prefixed(tasks, name, rest.trim(), names).map(Column::Deviation),
            (None, None) => Err(unknown(tasks, name, &TASK, nodes)),
        },
    };
    let all = tasks.headers.iter().enumerate().map(column);
    all.map(|found| Ok(faults.take(found)?.unwrap_or(Column::Ignored))).collect()
}

fn node_columns(
    nodes: &Table,
    tasks: Option<&Table>,
    id: usize,
    names: &[String],
    faults: &mut Faults,
) -> Result<Vec<Column>> {
    let column = |(k, name): (usize, &String)| {
        if k == id {
            return Ok(Column::Id);
        }
        if nodes.ignored[k] {
            return Ok(Column::Ignored);
        }
        if let Some(column) = named(&NODE, name) {
            return Ok(column);
        }
        let prefix = PREFIXES.iter().find_map(|p| Some((*p, name.strip_prefix(p)?.trim())));
        let Some((prefix, rest)) = prefix else {
            let known = resource(names, name).map(Column::Resource);
            return known.ok_or_else(|| unknown(nodes, name, &NODE, tasks));
        };
        let rest = match prefix {
            TRANSIENT => rest.strip_prefix(CARDS).map_or(rest, str::trim),
            _ => rest,
        };
        let r = prefixed(nodes, name, rest, names)?;
        Ok(match prefix {
            CARDS | TRANSIENT => Column::Resource(r),
            USED => Column::Used(r),
            OVERHEAD => Column::Overhead(r),
            RESERVE => Column::Reserve(r),
            SAFETY => Column::Safety(r),
            WATTS => Column::Watts(r),
            _ => Column::SafetyPrice(r),
        })
    };
    let all = nodes.headers.iter().enumerate().map(column);
    all.map(|found| Ok(faults.take(found)?.unwrap_or(Column::Ignored))).collect()
}

/// The resource that the rest of a column's name is.
fn prefixed(table: &Table, name: &str, rest: &str, names: &[String]) -> Result<u16> {
    resource(names, rest).ok_or_else(|| {
        let near = nearest(rest, names.iter().map(String::as_str));
        let remedy = match near {
            Some(near) => {
                format!("did you mean `{}{near}`?", name.strip_suffix(rest).unwrap_or(""))
            }
            None => format!("resources are {}", names.join(", ")),
        };
        table.header_error(name, format!("there is no resource `{rest}`")).help(remedy)
    })
}

fn pair_columns(pairs: &Table, names: &[String]) -> Result<Vec<Column>> {
    for needed in ["task", "node"] {
        if pairs.column(needed).is_none() {
            let cause = format!("a table of pairs needs a column `{needed}`");
            let remedy = format!("add the {needed} that each row is about");
            return Err(pairs.lacks(needed, cause, &remedy));
        }
    }
    let known: Vec<&str> = PAIR.into_iter().chain(names.iter().map(String::as_str)).collect();
    let column = |name: &String| match name.as_str() {
        "task" => Ok(Column::Id),
        "node" => Ok(Column::PairNode),
        "cost" => Ok(Column::Cost),
        "duration" => Ok(Column::Duration),
        _ => match resource(names, name) {
            Some(r) => Ok(Column::Resource(r)),
            None => Err(unknown(pairs, name, &known, None)),
        },
    };
    pairs.headers.iter().map(column).collect()
}

/// A column that is neither reserved nor a resource.
fn unknown(table: &Table, name: &str, reserved: &[&str], other: Option<&Table>) -> Error {
    let error = table.header_error(name, format!("unknown column `{name}`"));
    let foreign = if reserved == TASK { &NODE[..] } else { &TASK[..] };
    let prefixed = PREFIXES.iter().chain(&[DEVIATION]).any(|prefix| name.starts_with(prefix));
    if let Some(other) = other.filter(|_| foreign.contains(&name) || prefixed) {
        return error.help(format!("it belongs in {}", other.source.name));
    }
    let others = other.map_or(&[][..], |other| &other.headers[..]);
    let resources = others.iter().map(String::as_str).filter(|name| !is_reserved(name));
    let near = nearest(name, reserved.iter().copied().chain(resources));
    let both = other.map(|other| {
        let (here, there) = (table.source.name, other.source.name);
        format!("a resource is a column of both {here} and {there}")
    });
    let both = both.unwrap_or_else(|| format!("known here: {}", reserved.join(", ")));
    error.help(match near {
        Some(near) => format!("did you mean `{near}`? {both}"),
        None => format!("{both}; `--ignore-columns {name}` leaves it out"),
    })
}

/// Tables whose columns are called as ours, whatever their case, and as each other's.
pub(super) fn aligned<'a>(tasks: Table<'a>, nodes: Table<'a>) -> (Table<'a>, Table<'a>) {
    let tasks = tasks.named(["task"].into_iter().chain(ID).chain(TASK));
    let nodes = nodes.named(["node"].into_iter().chain(ID).chain(NODE));
    let resources = nodes.headers.iter().filter(|name| !is_reserved(name));
    let tasks = tasks.named(resources.map(String::as_str));
    (tasks, nodes)
}

fn task(row: &Row, columns: &[Column]) -> Result<TaskDraft> {
    let mut task = TaskDraft::default();
    for (k, column) in columns.iter().enumerate() {
        match column {
            Column::Id => task.id = row.cell(k).to_owned(),
            Column::Resource(r) => push(&mut task.demand, *r, row.quantity(k)?),
            Column::Deviation(r) => {
                let deviation = row.quantity(k)?.filter(|deviation| !deviation.is_zero());
                push(&mut task.deviation, *r, deviation);
            }
            Column::Named(name) if !row.cell(k).is_empty() => {
                cells::task(row, k, name, &mut task)?;
            }
            _ => {}
        }
    }
    task.requires.tolerations.sort();
    Ok(task)
}

fn node(row: &Row, columns: &[Column]) -> Result<NodeDraft> {
    let mut node = NodeDraft::default();
    for (k, column) in columns.iter().enumerate() {
        match column {
            Column::Id => node.id = row.cell(k).to_owned(),
            Column::Resource(r) => push(&mut node.capacity, *r, row.quantity(k)?),
            Column::Used(r) => push(&mut node.used, *r, row.quantity(k)?),
            Column::Overhead(r) => push(&mut node.overhead, *r, row.quantity(k)?),
            _ if row.cell(k).is_empty() => {}
            Column::Reserve(r) => node.reserve.push((*r, row.amount(k, words::part)?)),
            Column::Safety(r) => node.safety.push((*r, row.amount(k, words::part)?)),
            Column::Watts(r) => push(&mut node.watts, *r, row.quantity(k)?),
            Column::Named(name) => cells::node(row, k, name, &mut node)?,
            _ => {}
        }
    }
    Ok(node)
}

/// A resource has one price for load above safety capacities, on all nodes.
fn safety_prices(row: &Row, columns: &[Column], resources: &mut [ResourceDraft]) -> Result<()> {
    for (k, column) in columns.iter().enumerate() {
        let Column::SafetyPrice(r) = column else { continue };
        let known = &mut resources[usize::from(*r)].safety_price;
        match (row.quantity(k)?, *known) {
            (Some(price), Some(other)) if price != other => {
                let error = row.error(k, format!("the price is {other} in a row above"));
                return Err(error.help("a resource has one safety price, the same on every node"));
            }
            (Some(price), _) => *known = Some(price),
            (None, _) => {}
        }
    }
    Ok(())
}

fn pair(row: &Row, columns: &[Column]) -> Result<PairDraft> {
    let (mut task, mut node) = (String::new(), String::new());
    let (mut cost, mut demand, mut duration) = (None, Vec::new(), None);
    for (k, column) in columns.iter().enumerate() {
        match column {
            Column::Id => task = row.cell(k).to_owned(),
            Column::PairNode => node = row.cell(k).to_owned(),
            Column::Cost => cost = row.quantity(k)?,
            Column::Duration if !row.cell(k).is_empty() => {
                duration = Some(row.amount(k, parse_duration)?);
            }
            Column::Resource(r) => push(&mut demand, *r, row.quantity(k)?),
            _ => {}
        }
    }
    Ok(PairDraft { task, node, cost, demand, duration })
}

fn push(list: &mut Vec<(u16, Decimal)>, resource: u16, quantity: Option<Decimal>) {
    list.extend(quantity.map(|quantity| (resource, quantity)));
}

/// The tables' texts as an instance, for tests.
#[cfg(test)]
pub(super) fn instance(tasks: &str, nodes: &str, pairs: Option<&str>) -> Result<model::Instance> {
    use super::{Input, Source};
    let source = |name: &str, text: &str| Source { name: name.into(), bytes: text.into() };
    let input = Input::Tables {
        tasks: source("tasks.csv", tasks),
        nodes: source("nodes.csv", nodes),
        pairs: pairs.map(|text| source("pairs.csv", text)),
        rules: None,
    };
    super::read_instance(&input, None)
}

#[cfg(test)]
mod tests;
