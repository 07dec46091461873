//! Our tables: one of tasks, one of nodes, and one of pairs where cost or
//! demand depends on both. A column that is not reserved and is named in both
//! of the first two is a resource.

use super::table::{Row, Table};
use crate::error::{Error, Result};
use crate::model::{
    Decimal, Draft, Labels, NodeDraft, NodeState, PairDraft, Requirement, TaskDraft, nearest,
    parse_duration,
};

/// Names that the id column may also have.
pub(super) const ID: [&str; 2] = ["id", "name"];
/// Reserved in the tasks table, beside `task`.
pub(super) const TASK: [&str; 2] = ["duration", "requires"];
/// Reserved in the nodes table, beside `node` and `used:<resource>`.
pub(super) const NODE: [&str; 4] = ["labels", "state", "price", "price_per_hour"];
/// Reserved in the pairs table, beside `task` and `node`.
pub(super) const PAIR: [&str; 1] = ["cost"];
/// Precedes a resource's name where a column holds the load that is there already.
pub(super) const USED: &str = "used:";

const STATES: [(&str, NodeState); 3] =
    [("ready", NodeState::Ready), ("drain", NodeState::Drain), ("down", NodeState::Down)];

/// True for names that a resource cannot have in tables.
pub(super) fn is_reserved(name: &str) -> bool {
    let mut reserved = ID.iter().chain(&TASK).chain(&NODE).chain(&PAIR).chain(&["task", "node"]);
    name.starts_with(USED) || reserved.any(|known| *known == name)
}

/// What a column holds.
#[derive(Clone, Copy, PartialEq)]
enum Column {
    Task,
    Node,
    Resource(u16),
    Used(u16),
    Duration,
    Requires,
    Labels,
    State,
    Price,
    PricePerHour,
    Cost,
}

/// Reads the tables. Empty cells are 0, or absent in pairs.
///
/// # Errors
/// Swapped tables, no id column or two, columns that are neither reserved nor
/// a resource of both tables, and cells that do not read, each by line and column.
pub(super) fn read(tasks: &Table, nodes: &Table, pairs: Option<&Table>) -> Result<Draft> {
    check_swapped(tasks, nodes)?;
    let task_id = id_column(tasks, "task")?;
    let node_id = id_column(nodes, "node")?;
    let mut draft = Draft::default();
    for name in &nodes.headers {
        if !is_reserved(name) && tasks.headers.contains(name) {
            draft.resource(name);
        }
    }
    if draft.resources.len() > 1000 {
        return Err(nodes.source.error("there are more than 1000 resources"));
    }
    let names: Vec<String> = draft.resources.iter().map(|(name, _)| name.clone()).collect();
    let columns = task_columns(tasks, nodes, task_id, &names)?;
    tasks.rows(|row| {
        draft.tasks.push(task(row, &columns)?);
        Ok(())
    })?;
    let columns = node_columns(nodes, tasks, node_id, &names)?;
    nodes.rows(|row| {
        draft.nodes.push(node(row, &columns)?);
        Ok(())
    })?;
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
            let near = nearest(own, table.headers.iter().map(String::as_str));
            let remedy = match near {
                Some(near) => format!("did you mean `{own}` by `{near}`?"),
                None => format!("add a column `{own}` with a name for each row"),
            };
            let cause = format!("there is no column `{own}` (or `id`, or `name`)");
            Err(table.source.error(cause).at("line 1").help(remedy))
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

fn task_columns(tasks: &Table, nodes: &Table, id: usize, names: &[String]) -> Result<Vec<Column>> {
    let column = |(k, name): (usize, &String)| match name.as_str() {
        _ if k == id => Ok(Column::Task),
        "duration" => Ok(Column::Duration),
        "requires" => Ok(Column::Requires),
        _ => match resource(names, name) {
            Some(r) => Ok(Column::Resource(r)),
            None => Err(unknown(tasks, name, &TASK, Some(nodes))),
        },
    };
    tasks.headers.iter().enumerate().map(column).collect()
}

fn node_columns(nodes: &Table, tasks: &Table, id: usize, names: &[String]) -> Result<Vec<Column>> {
    let column = |(k, name): (usize, &String)| match name.as_str() {
        _ if k == id => Ok(Column::Node),
        "labels" => Ok(Column::Labels),
        "state" => Ok(Column::State),
        "price" => Ok(Column::Price),
        "price_per_hour" => Ok(Column::PricePerHour),
        _ => match (name.strip_prefix(USED), resource(names, name)) {
            (None, Some(r)) => Ok(Column::Resource(r)),
            (None, None) => Err(unknown(nodes, name, &NODE, Some(tasks))),
            (Some(used), _) => resource(names, used.trim()).map(Column::Used).ok_or_else(|| {
                let near = nearest(used.trim(), names.iter().map(String::as_str));
                let remedy = match near {
                    Some(near) => format!("did you mean `{USED}{near}`?"),
                    None => format!("resources are {}", names.join(", ")),
                };
                nodes.header_error(name, format!("there is no resource `{used}`")).help(remedy)
            }),
        },
    };
    nodes.headers.iter().enumerate().map(column).collect()
}

fn pair_columns(pairs: &Table, names: &[String]) -> Result<Vec<Column>> {
    for needed in ["task", "node"] {
        if pairs.column(needed).is_none() {
            let cause = format!("a table of pairs needs a column `{needed}`");
            return Err(pairs.source.error(cause).at("line 1"));
        }
    }
    let known: Vec<&str> = PAIR.into_iter().chain(names.iter().map(String::as_str)).collect();
    let column = |name: &String| match name.as_str() {
        "task" => Ok(Column::Task),
        "node" => Ok(Column::Node),
        "cost" => Ok(Column::Cost),
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
    if let Some(other) = other.filter(|_| foreign.contains(&name) || name.starts_with(USED)) {
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
        None => both,
    })
}

fn task(row: &Row, columns: &[Column]) -> Result<TaskDraft> {
    let mut task = TaskDraft::default();
    for (k, column) in columns.iter().enumerate() {
        match column {
            Column::Task => task.id = row.cell(k).to_owned(),
            Column::Resource(r) => push(&mut task.demand, *r, row.quantity(k)?),
            Column::Duration if !row.cell(k).is_empty() => {
                let duration = parse_duration(row.cell(k)).map_err(|cause| row.error(k, cause))?;
                task.duration = Some(duration);
            }
            Column::Requires => task.requires = requirement(row, k)?,
            _ => {}
        }
    }
    Ok(task)
}

fn node(row: &Row, columns: &[Column]) -> Result<NodeDraft> {
    let mut node = NodeDraft::default();
    for (k, column) in columns.iter().enumerate() {
        match column {
            Column::Node => node.id = row.cell(k).to_owned(),
            Column::Resource(r) => push(&mut node.capacity, *r, row.quantity(k)?),
            Column::Used(r) => push(&mut node.used, *r, row.quantity(k)?),
            Column::Labels => node.labels = labels(row, k)?,
            Column::State => node.state = state(row, k)?,
            Column::Price => node.price = row.quantity(k)?,
            Column::PricePerHour => node.price_per_hour = row.quantity(k)?,
            _ => {}
        }
    }
    Ok(node)
}

fn pair(row: &Row, columns: &[Column]) -> Result<PairDraft> {
    let (mut task, mut node) = (String::new(), String::new());
    let (mut cost, mut demand) = (None, Vec::new());
    for (k, column) in columns.iter().enumerate() {
        match column {
            Column::Task => task = row.cell(k).to_owned(),
            Column::Node => node = row.cell(k).to_owned(),
            Column::Cost => cost = row.quantity(k)?,
            Column::Resource(r) => push(&mut demand, *r, row.quantity(k)?),
            _ => {}
        }
    }
    Ok(PairDraft { task, node, cost, demand })
}

fn push(list: &mut Vec<(u16, Decimal)>, resource: u16, quantity: Option<Decimal>) {
    list.extend(quantity.map(|quantity| (resource, quantity)));
}

fn state(row: &Row, column: usize) -> Result<NodeState> {
    let text = row.cell(column);
    if text.is_empty() {
        return Ok(NodeState::Ready);
    }
    let known = STATES.iter().find(|(name, _)| *name == text);
    known.map(|(_, state)| *state).ok_or_else(|| {
        let remedy = match nearest(text, STATES.iter().map(|(name, _)| *name)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "states are ready, drain and down".to_owned(),
        };
        row.error(column, format!("unknown state `{text}`")).help(remedy)
    })
}

/// `rack=r1;gpu_model=A100`
fn labels(row: &Row, column: usize) -> Result<Labels> {
    let mut labels: Labels = Vec::new();
    for (key, value) in entries(row, column, "rack=r1;gpu_model=A100")? {
        if labels.iter().any(|(known, _)| known == key) {
            return Err(row.error(column, format!("the key `{key}` appears twice")));
        }
        labels.push((key.to_owned(), value.to_owned()));
    }
    Ok(labels)
}

/// `gpu_model=A100|H100;zone=z1`
fn requirement(row: &Row, column: usize) -> Result<Requirement> {
    let mut any_of: Vec<(String, Vec<String>)> = Vec::new();
    for (key, values) in entries(row, column, "gpu_model=A100|H100;zone=z1")? {
        if any_of.iter().any(|(known, _)| known == key) {
            let error = row.error(column, format!("the key `{key}` appears twice"));
            return Err(error.help("write the values that will do with | between them"));
        }
        let values = values.split('|').map(|value| value.trim().to_owned());
        any_of.push((key.to_owned(), values.collect()));
    }
    any_of.sort();
    Ok(Requirement { any_of })
}

/// `key=value` between semicolons.
fn entries<'r>(row: &'r Row, column: usize, example: &str) -> Result<Vec<(&'r str, &'r str)>> {
    let parts = row.cell(column).split(';').map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| match part.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => Ok((key.trim(), value.trim())),
            _ => {
                let error = row.error(column, format!("`{part}` is not of the form key=value"));
                Err(error.help(format!("write such as {example}")))
            }
        })
        .collect()
}

/// The tables' texts as an instance, for tests.
#[cfg(test)]
pub(super) fn instance(
    tasks: &str,
    nodes: &str,
    pairs: Option<&str>,
) -> Result<crate::model::Instance> {
    use super::{Input, Source};
    let source = |name: &str, text: &str| Source { name: name.into(), bytes: text.into() };
    let input = Input::Tables {
        tasks: source("tasks.csv", tasks),
        nodes: source("nodes.csv", nodes),
        pairs: pairs.map(|text| source("pairs.csv", text)),
    };
    super::read_instance(&input, None)
}

#[cfg(test)]
mod tests;
