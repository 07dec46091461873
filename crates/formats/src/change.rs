//! What becomes different about an instance before it is planned: nodes that go or come,
//! tasks that come or go, demands, loads and prices that change.

use super::csv;
use super::source::Source;
use super::table::Table;
use base::error::{Error, Result};
use base::nearest;
use model::{Decimal, Draft, NodeState, Whom, naming};

/// One change. Nodes are named by their ids, or by `LABEL=VALUE`: all nodes with that label.
#[derive(Clone, Debug)]
pub enum Change {
    /// Nodes take no tasks any more (drain, down), or do again.
    State(Vec<String>, NodeState),
    /// Nodes of a table: columns as in a table of nodes.
    AddNodes(Source),
    /// Tasks of a table: columns as in a table of tasks.
    AddTasks(Source),
    /// So many nodes more like this one, idle.
    MoreNodes(String, u32),
    /// So many tasks more like this one, which run nowhere yet.
    MoreTasks(String, u32),
    /// These tasks are not there any more.
    RemoveTasks(Vec<String>),
    /// Demands in this resource, or in all, times this.
    Demand(Option<String>, Decimal),
    /// The load that is there already is this, on these nodes in this resource.
    Used(String, String, Decimal),
    /// The price of using a node, of these nodes.
    Price(String, Decimal),
}

impl Change {
    /// The table that it brings.
    pub(super) fn table(&self) -> Option<&Source> {
        match self {
            Change::AddNodes(source) | Change::AddTasks(source) => Some(source),
            _ => None,
        }
    }

    /// Makes the change.
    ///
    /// # Errors
    /// Names that the instance does not have, with the nearest one that it has; a table that
    /// does not read; numbers too large.
    pub(super) fn apply(&self, draft: &mut Draft) -> Result<()> {
        match self {
            Change::State(names, state) => {
                for name in names {
                    for node in nodes(draft, name)? {
                        draft.nodes[node].state = *state;
                    }
                }
            }
            Change::AddNodes(source) => {
                let more = csv::more_nodes(&Table::open(source.text()?)?, draft)?;
                draft.nodes.extend(more);
            }
            Change::AddTasks(source) => {
                let more = csv::more_tasks(&Table::open(source.text()?)?, draft)?;
                draft.tasks.extend(more);
            }
            Change::MoreNodes(name, count) => {
                let own = naming(draft.nodes.iter().map(|n| (n.id.as_str(), &n.labels)));
                for node in nodes(draft, name)? {
                    for k in 1..=*count {
                        let mut more = draft.nodes[node].clone();
                        more.id = format!("{}+{k}", more.id);
                        let telling = more.labels.iter_mut().filter(|(key, _)| own.contains(key));
                        telling.for_each(|(_, value)| value.clone_from(&more.id));
                        more.used.clone_from(&more.overhead);
                        more.ending.clear();
                        more.max_tasks = more.copy_max_tasks.or(more.max_tasks);
                        more.connections = 0;
                        draft.nodes.push(more);
                    }
                }
            }
            Change::MoreTasks(name, count) => {
                let task = task(draft, name)?;
                for k in 1..=*count {
                    let mut more = draft.tasks[task].clone();
                    more.id = format!("{}+{k}", more.id);
                    more.current.clear();
                    more.pinned = false;
                    more.elapsed = None;
                    draft.tasks.push(more);
                }
            }
            Change::RemoveTasks(names) => remove(draft, names)?,
            Change::Demand(name, factor) => scale(draft, name.as_deref(), *factor)?,
            Change::Used(name, of, amount) => {
                let r = resource(draft, of)?;
                for node in nodes(draft, name)? {
                    let used = &mut draft.nodes[node].used;
                    used.retain(|(known, _)| *known != r);
                    used.push((r, *amount));
                }
            }
            Change::Price(name, price) => {
                for node in nodes(draft, name)? {
                    draft.nodes[node].price = Some(*price);
                }
            }
        }
        Ok(())
    }
}

fn unknown<'a>(kind: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Error {
    let error = Error::usage(format!("the instance has no {kind} `{name}`"));
    match nearest(name, known) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help(format!("name a {kind} of the instance")),
    }
}

/// The node of that id, or all that have `LABEL=VALUE`.
fn nodes(draft: &Draft, name: &str) -> Result<Vec<usize>> {
    if let Some(at) = draft.nodes.iter().position(|node| node.id == name) {
        return Ok(vec![at]);
    }
    let known = || draft.nodes.iter().map(|node| node.id.as_str());
    let Some((key, value)) = name.split_once('=') else {
        return Err(unknown("node", name, known()));
    };
    let has = |at: &usize| draft.nodes[*at].labels.iter().any(|(k, v)| k == key && v == value);
    let found: Vec<usize> = (0..draft.nodes.len()).filter(has).collect();
    if found.is_empty() {
        let error = Error::usage(format!("no node has the label {key} = {value}"));
        return Err(error.help("name a node, or a label as in rack=r1"));
    }
    Ok(found)
}

fn task(draft: &Draft, name: &str) -> Result<usize> {
    let known = || draft.tasks.iter().map(|task| task.id.as_str());
    known().position(|id| id == name).ok_or_else(|| unknown("task", name, known()))
}

fn resource(draft: &Draft, name: &str) -> Result<u16> {
    let known = || draft.resources.iter().map(|resource| resource.name.as_str());
    let at = known().position(|id| id == name);
    at.map(|at| at as u16).ok_or_else(|| unknown("resource", name, known()))
}

/// Tasks leave everything that names them; rules that name nobody any more go too.
fn remove(draft: &mut Draft, names: &[String]) -> Result<()> {
    for name in names {
        let at = task(draft, name)?;
        draft.tasks.remove(at);
    }
    let gone = |id: &String| names.contains(id);
    draft.pairs.retain(|pair| !gone(&pair.task));
    draft.tasks.iter_mut().for_each(|task| task.after.retain(|before| !gone(&before.task)));
    let groups: Vec<&String> = draft.tasks.iter().flat_map(|task| &task.groups).collect();
    let empty = |whom: &Whom| match whom {
        Whom::Tasks(tasks) => tasks.is_empty(),
        Whom::Group(group) => !groups.contains(&group),
        Whom::EachKey | Whom::EachGroup => false,
    };
    for rule in &mut draft.rules {
        for whom in std::iter::once(&mut rule.whom).chain(&mut rule.near) {
            if let Whom::Tasks(tasks) = whom {
                tasks.retain(|task| !gone(task));
            }
        }
    }
    draft.rules.retain(|rule| !empty(&rule.whom) && !rule.near.as_ref().is_some_and(empty));
    Ok(())
}

fn scale(draft: &mut Draft, name: Option<&str>, factor: Decimal) -> Result<()> {
    let of = name.map(|name| resource(draft, name)).transpose()?;
    let tasks = draft.tasks.iter_mut().map(|task| &mut task.demand);
    let pairs = draft.pairs.iter_mut().map(|pair| &mut pair.demand);
    for (r, demand) in tasks.chain(pairs).flatten() {
        if of.is_none_or(|of| of == *r) {
            *demand = demand.times(factor).ok_or_else(|| {
                Error::usage(format!("a demand of {demand} times {factor} is too large a number"))
                    .help("use a factor with fewer digits")
            })?;
        }
    }
    Ok(())
}
