//! Where tasks run now, taken from a plan beside the instance.

use rustc_hash::{FxHashMap, FxHashSet};

use super::assignment;
use super::plan::read_claim;
use super::source::{Source, Text};
use base::error::{Error, Result};
use base::nearest;
use model::{ClaimedPlacement, Draft};

/// Makes the plan's nodes the tasks' current ones. Tasks that it does not place
/// keep what the instance says.
///
/// # Errors
/// What is no plan, or one with other tasks and nodes; a gang of which the plan
/// places some units only.
pub(super) fn apply(draft: &mut Draft, source: &Source) -> Result<()> {
    let text = source.text()?;
    if assignment::is_assignment(text) {
        by_position(draft, text)
    } else {
        by_name(draft, text, read_claim(source)?.assignments)
    }
}

fn by_position(draft: &mut Draft, text: Text) -> Result<()> {
    let units = |replicas: Option<u32>| replicas.unwrap_or(1) as usize;
    let total = draft.tasks.iter().map(|task| units(task.replicas)).sum();
    let mut at = assignment::read(text, total, draft.nodes.len())?.into_iter();
    for task in &mut draft.tasks {
        let own = at.by_ref().take(units(task.replicas));
        task.current = own.map(|node| draft.nodes[node].id.clone()).collect();
    }
    Ok(())
}

fn by_name(draft: &mut Draft, text: Text, entries: Vec<ClaimedPlacement>) -> Result<()> {
    let tasks = draft.tasks.iter().enumerate().map(|(k, task)| (task.id.as_str(), k));
    let tasks: FxHashMap<&str, usize> = tasks.collect();
    let nodes: FxHashSet<&str> = draft.nodes.iter().map(|node| node.id.as_str()).collect();
    let unknown = |kind: &str, id: &str, near: Option<String>| -> Error {
        let error = text.error(format!("the instance has no {kind} `{id}`"));
        error.help(near.map_or_else(
            || "is this plan for another instance?".to_owned(),
            |near| format!("did you mean `{near}`?"),
        ))
    };
    let mut current: Vec<Vec<(Option<u32>, String)>> = vec![Vec::new(); draft.tasks.len()];
    for ClaimedPlacement { task, unit, node, .. } in entries {
        let k = *tasks
            .get(task.as_str())
            .ok_or_else(|| unknown("task", &task, nearest(&task, tasks.keys().copied())))?;
        if !nodes.contains(node.as_str()) {
            return Err(unknown("node", &node, nearest(&node, nodes.iter().copied())));
        }
        current[k].push((unit, node));
    }
    for (task, mut own) in draft.tasks.iter_mut().zip(current) {
        if own.is_empty() {
            continue;
        }
        let units = task.replicas.unwrap_or(1) as usize;
        // Units in order; those without a number come as they stand.
        own.sort_by_key(|(unit, _)| *unit);
        let numbers = own.iter().enumerate().filter_map(|(k, (unit, _))| Some((k, (*unit)?)));
        let in_order = numbers.into_iter().all(|(k, unit)| k == unit as usize);
        if own.len() != units || !in_order {
            let cause = format!("task `{}` has {} places for {units} units", task.id, own.len());
            return Err(text.error(cause).help("place each task once, and all units of a gang"));
        }
        task.current = own.into_iter().map(|(_, node)| node).collect();
    }
    Ok(())
}
