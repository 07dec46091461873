//! Writing an instance as tables: tasks, nodes, and pairs where there are any.

use super::csv::{NODE, PAIR, TASK, USED, is_reserved};
use super::json_write::{pair_cost, price, price_per_hour};
use crate::error::{Error, Kind, Result};
use crate::model::{Instance, NodeId, NodeState, Pair, TaskId};

/// An instance as tables, each the content of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvFiles {
    /// For `tasks.csv`.
    pub tasks: String,
    /// For `nodes.csv`.
    pub nodes: String,
    /// For `pairs.csv`, when cost or demand depends on both task and node.
    pub pairs: Option<String>,
}

/// Writes the instance as tables that read back as the same tasks, nodes and
/// pairs. Tables have no place for the goal, for the units' names and for
/// `one_task_per_node`; those are given on the command line.
///
/// # Errors
/// Names that tables cannot hold: a resource called like a reserved column,
/// leading or trailing white space, separators within labels.
pub fn write_csv(instance: &Instance) -> Result<CsvFiles> {
    for resource in instance.resources() {
        if is_reserved(&resource.name) {
            return Err(unwritable(&format!("a resource called `{}`", resource.name)));
        }
        check_trimmed(&resource.name)?;
    }
    let pairs = if instance.has_pairs() { Some(pairs(instance)?) } else { None };
    Ok(CsvFiles { tasks: tasks(instance)?, nodes: nodes(instance)?, pairs })
}

fn unwritable(what: &str) -> Error {
    let cause = format!("{what} cannot be written as CSV");
    Error::new(Kind::Usage, cause).help("write the instance as JSON")
}

fn check_trimmed(text: &str) -> Result<()> {
    if text.trim() == text {
        return Ok(());
    }
    Err(unwritable(&format!("the name {text:?}, which starts or ends with white space,")))
}

/// A table under construction: columns that stay empty throughout are left out.
struct Columns {
    names: Vec<String>,
    required: usize,
    rows: Vec<Vec<String>>,
}

impl Columns {
    /// The first `required` columns are written also when they are empty.
    fn new(names: Vec<String>, required: usize) -> Columns {
        Columns { names, required, rows: Vec::new() }
    }

    fn write(self) -> Result<String> {
        let filled = |k: usize| k < self.required || self.rows.iter().any(|row| !row[k].is_empty());
        let kept: Vec<usize> = (0..self.names.len()).filter(|k| filled(*k)).collect();
        let mut writer = csv::Writer::from_writer(Vec::new());
        for row in std::iter::once(&self.names).chain(&self.rows) {
            let record = writer.write_record(kept.iter().map(|k| &row[*k]));
            record.map_err(|error| unwritable(&error.to_string()))?;
        }
        let bytes = writer.into_inner().map_err(|error| unwritable(&error.to_string()))?;
        String::from_utf8(bytes).map_err(|error| unwritable(&error.to_string()))
    }
}

fn resource_names(instance: &Instance) -> impl Iterator<Item = String> + '_ {
    instance.resources().iter().map(|resource| resource.name.clone())
}

fn owned(names: &[&str]) -> impl Iterator<Item = String> {
    names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>().into_iter()
}

/// Amounts as written, with nothing where `wanted` says no.
fn amounts<'a>(
    instance: &'a Instance,
    row: &'a [i64],
    wanted: impl Fn(usize, i64) -> bool + 'a,
) -> impl Iterator<Item = String> + 'a {
    let shown = instance.resources().iter().zip(row).enumerate();
    shown.map(move |(r, (resource, amount))| match wanted(r, *amount) {
        true => resource.scale.show(*amount),
        false => String::new(),
    })
}

fn tasks(instance: &Instance) -> Result<String> {
    let names = owned(&["task"]).chain(resource_names(instance)).chain(owned(&TASK));
    let mut table = Columns::new(names.collect(), 1 + instance.resources().len());
    for task in instance.task_ids() {
        table.rows.push(task_row(instance, task)?);
    }
    table.write()
}

fn task_row(instance: &Instance, task: TaskId) -> Result<Vec<String>> {
    check_trimmed(instance.task_name(task))?;
    let mut row = vec![instance.task_name(task).to_owned()];
    row.extend(amounts(instance, instance.demand(task), |_, _| true));
    row.push(match instance.duration(task) {
        0 => String::new(),
        seconds => seconds.to_string(),
    });
    let requirement = &instance.requirements()[instance.requirement_of(task) as usize];
    let mut parts = Vec::with_capacity(requirement.any_of.len());
    for (key, values) in &requirement.any_of {
        check_entry(key, values.iter(), &[';', '|'])?;
        parts.push(format!("{key}={}", values.join("|")));
    }
    row.push(parts.join(";"));
    Ok(row)
}

/// Keys and values that can be told apart again.
fn check_entry<'a>(
    key: &str,
    values: impl Iterator<Item = &'a String>,
    separators: &[char],
) -> Result<()> {
    check_trimmed(key)?;
    if key.is_empty() || key.contains(['=', ';']) {
        return Err(unwritable(&format!("the label key `{key}`")));
    }
    for value in values {
        check_trimmed(value)?;
        if value.contains(separators) {
            return Err(unwritable(&format!("the label value `{value}`")));
        }
    }
    Ok(())
}

fn nodes(instance: &Instance) -> Result<String> {
    let used = resource_names(instance).map(|name| format!("{USED}{name}"));
    let names = owned(&["node"]).chain(resource_names(instance)).chain(used).chain(owned(&NODE));
    let mut table = Columns::new(names.collect(), 1 + instance.resources().len());
    for node in instance.node_ids() {
        table.rows.push(node_row(instance, node)?);
    }
    table.write()
}

fn node_row(instance: &Instance, node: NodeId) -> Result<Vec<String>> {
    check_trimmed(instance.node_name(node))?;
    let mut row = vec![instance.node_name(node).to_owned()];
    row.extend(amounts(instance, instance.capacity(node), |_, _| true));
    row.extend(amounts(instance, instance.used(node), |_, used| used != 0));
    let mut parts = Vec::new();
    for (key, value) in instance.labels(node) {
        check_entry(key, std::iter::once(value), &[';'])?;
        parts.push(format!("{key}={value}"));
    }
    row.push(parts.join(";"));
    row.push(match instance.state(node) {
        NodeState::Ready => String::new(),
        NodeState::Drain => "drain".to_owned(),
        NodeState::Down => "down".to_owned(),
    });
    for cost in [price(instance, node)?, price_per_hour(instance, node)?] {
        row.push(cost.map_or_else(String::new, |cost| cost.to_string()));
    }
    Ok(row)
}

fn pairs(instance: &Instance) -> Result<String> {
    let names = owned(&["task", "node"]).chain(owned(&PAIR)).chain(resource_names(instance));
    let mut table = Columns::new(names.collect(), 2);
    for task in instance.task_ids() {
        for pair in instance.pairs(task) {
            table.rows.push(pair_row(instance, task, pair)?);
        }
    }
    table.write()
}

fn pair_row(instance: &Instance, task: TaskId, pair: Pair) -> Result<Vec<String>> {
    let usual = instance.demand(task);
    let cost = pair_cost(instance, task, pair)?;
    let mut row = vec![
        instance.task_name(task).to_owned(),
        instance.node_name(pair.node).to_owned(),
        cost.map_or_else(String::new, |cost| cost.to_string()),
    ];
    row.extend(amounts(instance, pair.demand, |r, demand| demand != usual[r]));
    Ok(row)
}

#[cfg(test)]
mod tests {
    use super::super::csv::instance as from_csv;
    use super::super::digest::digest;
    use super::super::json::instance as from_json;
    use super::*;

    fn again(instance: &Instance) -> Instance {
        let files = write_csv(instance).unwrap();
        from_csv(&files.tasks, &files.nodes, files.pairs.as_deref()).unwrap()
    }

    #[test]
    fn tables_read_back_as_the_same() {
        let text = r#"{
          "nodes": [
            { "id": "=n,1", "capacity": {"cpu": 8, "a.b/c": 0.5}, "used": {"cpu": "1500m"},
              "labels": {"rack": "r=1", "a": ""}, "state": "drain", "price": 4800.05, "price_per_hour": 1.1 },
            { "id": 2, "capacity": {"cpu": 6}, "state": "down" } ],
          "tasks": [
            { "id": "say \"hi\"", "demand": {"cpu": "500m"}, "duration": "30m",
              "requires": {"gpu_model": ["A100", "H100"], "a": "b"} },
            { "id": "@t2", "duration": 7 } ],
          "pairs": [ { "task": "@t2", "node": 2, "cost": 0.125, "demand": {"cpu": 3} },
                     { "task": "@t2", "node": "=n,1", "demand": {"a.b/c": 0.25} } ] }"#;
        let first = from_json(text).unwrap();
        let second = again(&first);
        assert_eq!(format!("{first:?}"), format!("{second:?}"));
        assert_eq!(digest(&first), digest(&second));
    }

    #[test]
    fn columns_without_content_are_left_out() {
        let simple = from_csv("id,cpu\na,1\n", "id,cpu\nx,2\n", None).unwrap();
        let files = write_csv(&simple).unwrap();
        assert_eq!(files.tasks, "task,cpu\na,1\n");
        assert_eq!(files.nodes, "node,cpu\nx,2\n");
        assert_eq!(files.pairs, None);
    }

    #[test]
    fn what_tables_cannot_hold_is_refused() {
        let text = r#"{"nodes": [{"id": "n", "capacity": {"cpu": 1}, "labels": {"k": "v"}}],
                       "tasks": [{"id": "t", "requires": {"k": "w"}}]}"#;
        for (from, to) in [
            ("\"cpu\"", "\"price\""),
            ("\"cpu\"", "\"used:x\""),
            ("\"t\"", "\" t\""),
            ("\"k\"", "\"k=\""),
            ("\"v\"", "\"v;w\""),
            ("\"w\"", "\"w|x\""),
        ] {
            let instance = from_json(&text.replace(from, to)).unwrap();
            let error = write_csv(&instance).unwrap_err();
            assert!(error.cause.contains("cannot be written as CSV"), "{error}");
        }
    }
}
