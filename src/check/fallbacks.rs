//! What a plan has in hand for failures: for each a place for every task that it
//! displaces, while all others stay.

use rustc_hash::FxHashMap;

use super::{Names, Violation, card_set, check_plan};
use crate::model::{ClaimedPlacement, ClaimedSurvival, Instance, NodeId, NodeState, Plan};

/// Every failure has a fallback that keeps all rules.
pub(super) fn check(instance: &Instance, plan: &Plan, claim: &ClaimedSurvival) -> Vec<Violation> {
    let mut stated: FxHashMap<&str, &[ClaimedPlacement]> = FxHashMap::default();
    let mut violations = Vec::new();
    let mut wrong = |fail: &str, detail: String| {
        violations.push(Violation::Fallback { fail: fail.to_owned(), detail });
    };
    for (fail, steps) in &claim.fallbacks {
        match &fail[..] {
            [one] if !stated.contains_key(one.as_str()) => {
                stated.insert(one, steps);
            }
            many => wrong(&many.join(" + "), "one failure, stated once, is expected".to_owned()),
        }
    }
    for (fail, nodes) in failures(instance, &claim.over) {
        let steps = stated.remove(fail.as_str()).unwrap_or_default();
        if let Some(detail) = wrong_after(instance, plan, &nodes, steps) {
            wrong(&fail, detail);
        }
    }
    stated
        .keys()
        .for_each(|fail| wrong(fail, format!("no {} that fails is so called", claim.over)));
    violations.sort_by_key(ToString::to_string);
    violations
}

/// What fails as one, with the nodes of each that take tasks.
fn failures(instance: &Instance, over: &str) -> Vec<(String, Vec<NodeId>)> {
    let mut failures: Vec<(String, Vec<NodeId>)> = Vec::new();
    for node in instance.node_ids().filter(|node| instance.state(*node) == NodeState::Ready) {
        let label = instance.labels(node).iter().find(|(key, _)| key == over);
        let name = match (over, label) {
            ("node", _) => instance.node_name(node),
            (_, Some((_, value))) => value,
            (_, None) => continue,
        };
        match failures.iter_mut().find(|(known, _)| over != "node" && known == name) {
            Some((_, nodes)) => nodes.push(node),
            None => failures.push((name.to_owned(), vec![node])),
        }
    }
    failures
}

/// What is wrong once the nodes are down and the displaced tasks are where the fallback says.
fn wrong_after(
    instance: &Instance,
    plan: &Plan,
    nodes: &[NodeId],
    steps: &[ClaimedPlacement],
) -> Option<String> {
    let mut names = Names::of(instance);
    let mut after = plan.clone();
    let many = if after.cards.is_empty() { 0 } else { instance.devices().len() };
    let displaced: Vec<_> = plan.placements().filter(|(_, node)| nodes.contains(node)).collect();
    for (task, _) in &displaced {
        after.placement[task.index()] = None;
        after.cards[task.index() * many..(task.index() + 1) * many].fill(0);
    }
    for step in steps {
        let Some(task) = names.next(instance, &step.task, step.unit) else {
            return Some(format!("the instance has no task `{}`", step.task));
        };
        let Some(node) = names.nodes.get(step.node.as_str()) else {
            return Some(format!("the instance has no node `{}`", step.node));
        };
        let name = instance.task_name(task);
        if !displaced.iter().any(|(known, _)| *known == task) {
            return Some(format!("`{name}` moves, and its node did not fail"));
        }
        if after.placement[task.index()].replace(*node).is_some() {
            return Some(format!("`{name}` appears more than once"));
        }
        for (resource, numbers) in &step.devices {
            match card_set(instance, resource, numbers) {
                Some((d, set)) if many > 0 => after.cards[task.index() * many + d] = set,
                _ => return Some(format!("`{name}` has cards of {resource} that are none")),
            }
        }
    }
    if let Some((task, _)) = displaced.iter().find(|(t, _)| after.placement[t.index()].is_none()) {
        return Some(format!("`{}` has no place", instance.task_name(*task)));
    }
    let down = instance.failed(plan, nodes);
    check_plan(&down, &after, true).first().map(ToString::to_string)
}
