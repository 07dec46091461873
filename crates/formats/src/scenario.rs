//! Reading scenarios: what might become of an instance, by name.

use std::path::Path;

use toml::{Table, Value};

use super::change::Change;
use super::source::{Source, Text, line_at};
use base::error::{Error, Result};
use base::nearest;
use model::{Decimal, NodeState};

/// Something that might happen.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What people call it.
    pub name: String,
    /// All tasks must have a place then.
    pub must_fit: bool,
    /// What is different.
    pub changes: Vec<Change>,
}

const KEYS: [&str; 13] = [
    "name",
    "must",
    "drain",
    "down",
    "ready",
    "add_nodes",
    "add_tasks",
    "more_nodes",
    "more_tasks",
    "remove_tasks",
    "demand",
    "used",
    "price",
];

/// Reads a file of `[[scenario]]` tables in TOML; tables of nodes and tasks are looked for
/// beside it.
///
/// # Errors
/// What is no TOML, unknown keys with the nearest known one, values of another kind, a
/// scenario without a name or two of one name, files that cannot be read.
pub fn read_scenarios(source: &Source) -> Result<Vec<Scenario>> {
    let text = source.text()?;
    let mut file = text.text.parse::<Table>().map_err(|error| broken(text, &error))?;
    let list = match file.remove("scenario") {
        Some(Value::Array(list)) if !list.is_empty() => list,
        _ => {
            let remedy = "write [[scenario]] and below it name = \"...\" and what changes";
            return Err(text.error("there are no scenarios").help(remedy));
        }
    };
    if let Some(key) = file.keys().next() {
        return Err(unknown(text, "", key, &["scenario"]));
    }
    let mut scenarios: Vec<Scenario> = Vec::with_capacity(list.len());
    for (k, value) in list.into_iter().enumerate() {
        let at = format!("scenario {}", k + 1);
        let Value::Table(table) = value else {
            return Err(text.error("a scenario is a table").at(at).help("write [[scenario]]"));
        };
        let scenario =
            Reader { text, at, folder: Path::new(&source.name).parent() }.read(&table)?;
        if scenarios.iter().any(|known| known.name == scenario.name) {
            let cause = format!("two scenarios are called `{}`", scenario.name);
            return Err(text.error(cause).help("give each its own name"));
        }
        scenarios.push(scenario);
    }
    Ok(scenarios)
}

struct Reader<'a> {
    text: Text<'a>,
    at: String,
    folder: Option<&'a Path>,
}

impl Reader<'_> {
    fn read(&self, table: &Table) -> Result<Scenario> {
        if let Some(key) = table.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(unknown(self.text, &self.at, key, &KEYS));
        }
        let name = match table.get("name") {
            Some(Value::String(name)) if !name.trim().is_empty() => name.clone(),
            _ => return Err(self.wrong("name", "a text that is not empty")),
        };
        let must_fit = match table.get("must") {
            None => false,
            Some(Value::String(word)) if word == "fit" => true,
            Some(_) => return Err(self.wrong("must", "\"fit\"")),
        };
        let mut changes = Vec::new();
        for (key, value) in table {
            self.change(key, value, &mut changes)?;
        }
        Ok(Scenario { name, must_fit, changes })
    }

    fn change(&self, key: &str, value: &Value, changes: &mut Vec<Change>) -> Result<()> {
        match key {
            "drain" => changes.push(Change::State(self.names(key, value)?, NodeState::Drain)),
            "down" => changes.push(Change::State(self.names(key, value)?, NodeState::Down)),
            "ready" => changes.push(Change::State(self.names(key, value)?, NodeState::Ready)),
            "remove_tasks" => changes.push(Change::RemoveTasks(self.names(key, value)?)),
            "add_nodes" => {
                changes.extend(self.tables(key, value)?.into_iter().map(Change::AddNodes));
            }
            "add_tasks" => {
                changes.extend(self.tables(key, value)?.into_iter().map(Change::AddTasks));
            }
            "more_nodes" | "more_tasks" => {
                for (name, count) in self.table(key, value, "as in { n1 = 2 }")? {
                    let count = match count {
                        Value::Integer(count) => {
                            u32::try_from(*count).ok().filter(|n| *n <= 100_000)
                        }
                        _ => None,
                    };
                    let count = count.ok_or_else(|| self.wrong(key, "counts up to 100,000"))?;
                    changes.push(match key {
                        "more_nodes" => Change::MoreNodes(name.clone(), count),
                        _ => Change::MoreTasks(name.clone(), count),
                    });
                }
            }
            "demand" => match value {
                Value::Table(table) => {
                    for (resource, factor) in table {
                        let factor = self.number(key, factor)?;
                        changes.push(Change::Demand(Some(resource.clone()), factor));
                    }
                }
                factor => changes.push(Change::Demand(None, self.number(key, factor)?)),
            },
            "used" => {
                for (node, loads) in self.table(key, value, "as in { n1 = { cpu = 50 } }")? {
                    for (resource, load) in self.table(key, loads, "as in { n1 = { cpu = 50 } }")? {
                        let load = self.number(key, load)?;
                        changes.push(Change::Used(node.clone(), resource.clone(), load));
                    }
                }
            }
            "price" => {
                for (node, price) in self.table(key, value, "as in { n1 = 300 }")? {
                    changes.push(Change::Price(node.clone(), self.number(key, price)?));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn wrong(&self, key: &str, wanted: &str) -> Error {
        self.text.error(format!("`{key}` is {wanted}")).at(self.at.clone())
    }

    /// One name or a list of them.
    fn names(&self, key: &str, value: &Value) -> Result<Vec<String>> {
        let name = |value: &Value| match value {
            Value::String(name) => Ok(name.clone()),
            _ => Err(self.wrong(key, "a name or a list of names")),
        };
        match value {
            Value::Array(list) => list.iter().map(name).collect(),
            value => Ok(vec![name(value)?]),
        }
    }

    fn table<'v>(&self, key: &str, value: &'v Value, form: &str) -> Result<&'v Table> {
        value.as_table().ok_or_else(|| self.wrong(key, &format!("a table, {form}")))
    }

    /// A quantity as everywhere else: a number, or a text such as "16Gi".
    fn number(&self, key: &str, value: &Value) -> Result<Decimal> {
        let text = match value {
            Value::Integer(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            Value::String(text) => text.clone(),
            _ => return Err(self.wrong(key, "a number")),
        };
        Decimal::parse(&text)
            .map_err(|error| self.text.error(format!("`{key}`: {error}")).at(self.at.clone()))
    }

    fn tables(&self, key: &str, value: &Value) -> Result<Vec<Source>> {
        let beside = |name: String| match self.folder {
            Some(folder) => Source::read(&folder.join(name)),
            None => Source::read(Path::new(&name)),
        };
        self.names(key, value)?.into_iter().map(beside).collect()
    }
}

fn unknown(text: Text, at: &str, key: &str, known: &[&str]) -> Error {
    let error = text.error(format!("unknown key `{key}`")).at(at.to_owned());
    match nearest(key, known.iter().copied()) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help(format!("known here: {}", known.join(", "))),
    }
}

fn broken(source: Text, error: &toml::de::Error) -> Error {
    let said = source.error(error.message().to_owned()).help("scenarios are a file in TOML");
    match error.span() {
        Some(span) => said.at(format!("line {}", line_at(source.text, span.start))),
        None => said,
    }
}
