//! A plan as the ROADEF/EURO challenge 2012 writes it: for each task the position
//! of its node, from 0, with white space between them.

use super::excerpt::excerpted;
use super::integers::Integers;
use super::source::{Source, Text};
use base::error::{Error, Kind, Result};
use model::{Claim, ClaimedPlacement, Instance, Plan, TaskId};

/// True for a text that starts with a number and is no table.
pub(super) fn is_assignment(source: Text) -> bool {
    let text = source.text.trim_start();
    let line = text.lines().next().unwrap_or("");
    let number = line.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+');
    number && !line.contains([',', ';'])
}

/// Positions of nodes, one a task.
///
/// # Errors
/// Anything but numbers, positions of no node, more or fewer numbers than tasks.
pub(super) fn read(source: Text, tasks: usize, nodes: usize) -> Result<Vec<usize>> {
    let found = source.text.split_ascii_whitespace().count();
    if found != tasks {
        let cause = format!("the assignment has {found} numbers for {tasks} tasks");
        let remedy =
            "write the position of a node, from 0, for each task: is it for this instance?";
        return Err(source.error(cause).help(remedy));
    }
    let mut numbers = Integers::of(source);
    (0..tasks).map(|k| numbers.position(nodes, || format!("the node of task {k}"))).collect()
}

/// Reads a plan for this instance: in every form that [`read_claim`](super::read_claim)
/// reads, and as positions of nodes.
///
/// # Errors
/// As for `read_claim`; positions that are none, more or fewer than tasks.
pub fn read_plan(source: &Source, instance: &Instance) -> Result<Claim> {
    let text = source.text()?;
    if !is_assignment(text) {
        return super::read_claim(source);
    }
    let nodes = excerpted(read(text, instance.tasks(), instance.nodes()), &[source])?;
    let placed = nodes.into_iter().enumerate().map(|(k, node)| {
        let (task, unit) = match instance.gang_of(TaskId::from(k)) {
            Some((gang, unit)) => (gang.name.clone(), Some(unit)),
            None => (instance.task_name(TaskId::from(k)).to_owned(), None),
        };
        let node = instance.node_name(node.into()).to_owned();
        ClaimedPlacement { task, unit, node, ..ClaimedPlacement::default() }
    });
    Ok(Claim { assignments: placed.collect(), ..Claim::default() })
}

/// Writes a plan as positions of nodes.
///
/// # Errors
/// A task without a node.
pub fn write_assignment(instance: &Instance, plan: &Plan) -> Result<String> {
    let mut text = String::with_capacity(plan.placement.len() * 4);
    for (k, node) in plan.placement.iter().enumerate() {
        let Some(node) = node else {
            let name = instance.task_name(TaskId::from(k));
            let cause = format!("task `{name}` has no node, and an assignment names one for each");
            return Err(Error::new(Kind::Usage, cause).help("print the plan as JSON or CSV"));
        };
        if k > 0 {
            text.push(' ');
        }
        text.push_str(&node.0.to_string());
    }
    text.push('\n');
    Ok(text)
}
