//! What stands in the reserved columns of our tables.

use serde::Deserialize;

use super::csv::RULE;
use super::rule_file::{LaterFile, RuleFile};
use super::table::{Row, Table};
use super::time_file;
use super::time_file::WhenText;
use super::values::{Id, OneOrMany, Ordered, Quantity};
use super::words;
use base::error::{Error, Result};
use base::nearest;
use model::{
    Ask, Decimal, Labels, NODE, NodeDraft, NodeState, Preference, RuleDraft, Selection, TaskDraft,
    parse_duration,
};

const STATES: [(&str, NodeState); 3] =
    [("ready", NodeState::Ready), ("drain", NodeState::Drain), ("down", NodeState::Down)];

/// Separates several values in one cell.
const OR: char = '|';

/// Takes over a task's cell that is not empty.
pub(super) fn task(row: &Row, k: usize, name: &str, task: &mut TaskDraft) -> Result<()> {
    let text = row.cell(k);
    match name {
        "duration" => task.duration = Some(row.amount(k, parse_duration)?),
        "requires" => task.requires.any_of = requirement(row, k)?,
        "avoid" => task.requires.none_of = requirement(row, k)?,
        "prefers" => task.requires.prefers = preferences(row, k)?,
        "tolerations" => {
            let each = row.read(k, |text| parts(text).map(words::toleration).collect())?;
            task.requires.tolerations = each;
        }
        "priority" => task.priority = row.amount(k, whole)?,
        "weight" => task.weight = row.quantity(k)?,
        "replicas" => task.replicas = Some(row.amount(k, whole)?),
        "together" => task.within.push((Ask::Together, text.to_owned())),
        "apart" => task.within.push((Ask::Apart, text.to_owned())),
        "spread" => task.within.push(row.read(k, words::spread)?),
        "node" => task.current = text.split(OR).map(|name| name.trim().to_owned()).collect(),
        "pinned" => task.pinned = row.read(k, yes_or_no)?,
        "key" => task.key = Some(text.to_owned()),
        "move_cost" => task.move_cost = row.quantity(k)?,
        "backup" => {
            task.backup = match yes_or_no(text) {
                Ok(false) => None,
                Ok(true) => Some(NODE.to_owned()),
                Err(_) => Some(text.to_owned()),
            }
        }
        "release" => task.release = Some(row.amount(k, time_file::when)?),
        "due" => task.due = Some(row.amount(k, time_file::when)?),
        "deadline" => task.deadline = Some(row.amount(k, time_file::when)?),
        "after" => task.after = row.read(k, |text| parts(text).map(time_file::after).collect())?,
        "elapsed" => task.elapsed = Some(row.amount(k, parse_duration)?),
        "group" => task.groups = parts(text).map(str::to_owned).collect(),
        _ => return Err(unread(row, k, name)),
    }
    Ok(())
}

/// Takes over a node's cell that is not empty.
pub(super) fn node(row: &Row, k: usize, name: &str, node: &mut NodeDraft) -> Result<()> {
    match name {
        "labels" => node.labels = labels(row, k)?,
        "state" => node.state = state(row, k)?,
        "price" => node.price = row.quantity(k)?,
        "price_per_hour" => node.price_per_hour = row.quantity(k)?,
        "idle_watts" => node.idle_watts = row.quantity(k)?,
        "taints" => {
            node.taints = row.read(k, |text| parts(text).map(words::taint).collect())?;
        }
        "max_tasks" => node.max_tasks = Some(row.amount(k, whole)?),
        "copy_max_tasks" => node.copy_max_tasks = Some(row.amount(k, whole)?),
        "weight" => node.weight = row.quantity(k)?,
        "connections" => node.connections = row.amount(k, whole)?,
        "speed" => node.speed = row.quantity(k)?,
        "available_at" => node.available_at = Some(row.amount(k, time_file::when)?),
        "closed" => {
            node.closed = row.read(k, |text| parts(text).map(time_file::window).collect())?
        }
        "response_time" => node.response_time = Some(row.amount(k, words::millis)?),
        _ => return Err(unread(row, k, name)),
    }
    Ok(())
}

/// A column of ours that nothing reads.
fn unread(row: &Row, k: usize, name: &str) -> Error {
    row.error(k, format!("nothing reads the column `{name}`; this is a bug: please report it"))
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(';').map(str::trim).filter(|part| !part.is_empty())
}

fn whole<T: std::str::FromStr>(text: &str) -> std::result::Result<T, String> {
    text.parse().map_err(|_| format!("`{text}` is no whole number, or out of range"))
}

/// Whether a cell says yes.
pub(super) fn yes_or_no(text: &str) -> std::result::Result<bool, String> {
    match text {
        "true" | "yes" | "1" => Ok(true),
        "false" | "no" | "0" => Ok(false),
        _ => Err(format!("`{text}` is neither true nor false")),
    }
}

fn state(row: &Row, column: usize) -> Result<NodeState> {
    let text = row.cell(column);
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

type AnyOf = Vec<(String, Vec<String>)>;

fn values(text: &str) -> Vec<String> {
    text.split(OR).map(|value| value.trim().to_owned()).collect()
}

/// `gpu_model=A100|H100;zone=z1`
fn requirement(row: &Row, column: usize) -> Result<AnyOf> {
    let mut any_of: AnyOf = Vec::new();
    for (key, text) in entries(row, column, "gpu_model=A100|H100;zone=z1")? {
        if any_of.iter().any(|(known, _)| known == key) {
            let error = row.error(column, format!("the key `{key}` appears twice"));
            return Err(error.help("write the values that will do with | between them"));
        }
        any_of.push((key.to_owned(), values(text)));
    }
    any_of.sort();
    Ok(any_of)
}

/// `gpu_model=A100|H100*5;zone=z1&disk=ssd`: a weight behind a star, labels
/// wanted together joined by &, `zone!=z1` for what the node should not have.
fn preferences(row: &Row, column: usize) -> Result<Vec<Preference>> {
    let one = |part: &str| {
        let (labels, weight) = match part.rsplit_once('*') {
            Some((labels, weight)) if !weight.is_empty() && !labels.ends_with(['=', OR]) => {
                (labels, Decimal::parse(weight).map_err(|error| error.to_string())?)
            }
            _ => (part, Decimal::ONE),
        };
        let mut asked = Selection::default();
        for label in labels.split('&') {
            let (key, text) = label.split_once('=').ok_or_else(|| {
                format!("`{part}` is no preference: write such as gpu_model=A100*5")
            })?;
            let (key, list) = match key.strip_suffix('!') {
                Some(key) => (key, &mut asked.none_of),
                None => (key, &mut asked.any_of),
            };
            list.push((key.trim().to_owned(), values(text)));
        }
        asked.any_of.sort();
        asked.none_of.sort();
        Ok(Preference { labels: asked, weight })
    };
    row.read(column, |text| parts(text).map(one).collect())
}

/// `key=value` between semicolons.
fn entries<'r>(row: &'r Row, column: usize, example: &str) -> Result<Vec<(&'r str, &'r str)>> {
    parts(row.cell(column))
        .map(|part| match part.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => Ok((key.trim(), value.trim())),
            _ => {
                let error = row.error(column, format!("`{part}` is not of the form key=value"));
                Err(error.help(format!("write such as {example}")))
            }
        })
        .collect()
}

/// Reads the table of rules: the columns are the keys of JSON rules, lists have
/// | between their entries.
///
/// # Errors
/// Unknown columns, cells that do not read, rules that say too much or too little.
pub(super) fn rules(table: &Table) -> Result<Vec<RuleDraft>> {
    for name in &table.headers {
        if !RULE.contains(&name.as_str()) {
            let error = table.header_error(name, format!("unknown column `{name}`"));
            return Err(error.help(match nearest(name, RULE.into_iter()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known here: {}", RULE.join(", ")),
            }));
        }
    }
    let mut rules = Vec::new();
    table.rows(|row| {
        let (mut file, mut columns) = (RuleFile::default(), Vec::new());
        for (k, name) in table.headers.iter().enumerate() {
            columns.push(name.as_str());
            if !row.cell(k).is_empty() {
                rule_cell(row, k, name, &mut file)?;
            }
        }
        let place = |field: &str| columns.iter().position(|name| *name == field).unwrap_or(0);
        rules.push(file.draft().map_err(|(field, cause)| row.error(place(field), cause))?);
        Ok(())
    })?;
    Ok(rules)
}

fn rule_cell(row: &Row, k: usize, name: &str, rule: &mut RuleFile) -> Result<()> {
    let text = row.cell(k);
    match name {
        "id" => rule.id = Some(Id(text.to_owned())),
        "rule" => rule.rule = Some(row.read(k, word)?),
        "tasks" => rule.tasks = Some(OneOrMany(values(text))),
        "group" => rule.group = Some(text.to_owned()),
        "each" => rule.each = Some(row.read(k, word)?),
        "over" => rule.over = Some(text.to_owned()),
        "at_least" => rule.at_least = Some(row.amount(k, whole)?),
        "at_most" => rule.at_most = row.quantity(k)?.map(Quantity),
        "max_skew" => rule.max_skew = Some(row.amount(k, whole)?),
        "present" => {
            let entries = entries(row, k, "z1=3;z2=1")?.into_iter();
            let entries = entries.map(|(value, count)| Ok((value.to_owned(), whole(count)?)));
            let entries = entries.collect::<std::result::Result<_, String>>();
            rule.present = Ordered(entries.map_err(|cause| row.error(k, cause))?);
        }
        "near" => rule.near = Some(OneOrMany(values(text))),
        "near_group" => rule.near_group = Some(text.to_owned()),
        "resource" => rule.resource = Some(text.to_owned()),
        "values" => rule.values = Some(OneOrMany(values(text))),
        "when" => rule.when = Some(row.read(k, word)?),
        "price" => rule.price = row.quantity(k)?.map(Quantity),
        "later" => {
            for (from, amount) in entries(row, k, "1h=3;2h=4")? {
                let from = time_file::when(from).map_err(|cause| row.error(k, cause))?;
                let at_most = Decimal::parse(amount);
                let at_most = at_most.map_err(|error| row.error(k, error.to_string()))?;
                rule.later.push(LaterFile { from: WhenText(from), at_most: Quantity(at_most) });
            }
        }
        _ => return Err(unread(row, k, name)),
    }
    Ok(())
}

/// One of the words that a field of rules can have.
fn word<T: for<'de> Deserialize<'de>>(text: &str) -> std::result::Result<T, String> {
    let word = serde::de::value::StrDeserializer::<serde::de::value::Error>::new(text);
    T::deserialize(word).map_err(|error| error.to_string())
}
