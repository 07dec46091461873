//! What a plan has in hand for failures: for each a place for every task that it
//! displaces, or for those that have a standby, while all others stay.

use rustc_hash::FxHashMap;

use super::{Names, Violation, card_set, check_plan};
use model::{
    ClaimedPlacement, ClaimedStandby, ClaimedSurvival, Instance, NODE, NodeId, NodeState, Plan,
    TaskId,
};

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
            (NODE, _) => instance.node_name(node),
            (_, Some((_, value))) => value,
            (_, None) => continue,
        };
        match failures.iter_mut().find(|(known, _)| over != NODE && known == name) {
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

/// Every task that is to have a standby has one, off what fails with its node; and whatever fails,
/// the standbys of the tasks there have room beside all that stays. Tasks without a standby stop.
pub(super) fn standbys(
    instance: &Instance,
    plan: &Plan,
    stated: &[(TaskId, &ClaimedStandby)],
) -> Vec<Violation> {
    let nodes: FxHashMap<&str, NodeId> =
        instance.node_ids().map(|node| (instance.node_name(node), node)).collect();
    let mut at: FxHashMap<TaskId, (NodeId, &ClaimedStandby)> = FxHashMap::default();
    let mut violations = Vec::new();
    let mut wrong = |fail: &str, detail: String| {
        violations.push(Violation::Fallback { fail: fail.to_owned(), detail });
    };
    for (task, standby) in stated {
        let (name, to) = (instance.task_name(*task), &standby.node);
        match (instance.backup(*task), nodes.get(to.as_str())) {
            (None, _) => wrong(to, format!("`{name}` asks for no standby and has one on `{to}`")),
            (_, None) => {
                wrong(to, format!("the standby of `{name}` is on `{to}`, which is no node"))
            }
            (_, Some(node)) => drop(at.insert(*task, (*node, standby))),
        }
    }
    for (task, node) in plan.placements() {
        if instance.backup(task).is_some() && !at.contains_key(&task) {
            let name = instance.task_name(task);
            wrong(instance.node_name(node), format!("`{name}` has no standby"));
        }
    }
    let mut guarded = vec![false; instance.nodes()];
    for (task, node) in plan.placements() {
        guarded[node.index()] |= instance.backup(task).is_some();
    }
    // Nodes fail by themselves too, whatever the standbys are over.
    let labels = instance.backups().into_iter().filter(|over| *over != NODE);
    for over in labels.chain([NODE]) {
        for (fail, dead) in failures(instance, over) {
            // Where no standby takes over, nothing is asked.
            if !dead.iter().any(|node| guarded[node.index()]) {
                continue;
            }
            if let Some(detail) = without_room(instance, plan, over, &dead, &at) {
                wrong(&fail, detail);
            }
        }
    }
    violations
}

/// What is wrong once the nodes are down and the standbys of the tasks there have taken over. When
/// a node fails by itself all standbys do, when a label's value fails those over that label.
fn without_room(
    instance: &Instance,
    plan: &Plan,
    over: &str,
    dead: &[NodeId],
    standbys: &FxHashMap<TaskId, (NodeId, &ClaimedStandby)>,
) -> Option<String> {
    let mut after = plan.clone();
    let mut stopped = Vec::new();
    let many = if after.cards.is_empty() { 0 } else { instance.devices().len() };
    for (task, _) in plan.placements().filter(|(_, node)| dead.contains(node)) {
        let at = task.index();
        after.placement[at] = None;
        after.cards[at * many..(at + 1) * many].fill(0);
        let guarded = |own: &str| own == over || over == NODE;
        if !instance.backup(task).is_some_and(guarded) {
            stopped.push(task);
            continue;
        }
        let Some((node, standby)) = standbys.get(&task) else { continue };
        let name = instance.task_name(task);
        if dead.contains(node) {
            return Some(format!("the standby of `{name}` fails with it"));
        }
        after.placement[at] = Some(*node);
        for (resource, numbers) in &standby.devices {
            match card_set(instance, resource, numbers) {
                Some((d, set)) if many > 0 => after.cards[at * many + d] = set,
                _ => return Some(format!("`{name}` has cards of {resource} that are none")),
            }
        }
    }
    // A rule that speaks of what stopped asks for nothing.
    let down = instance.failed(plan, dead).without_rules_of(&stopped);
    check_plan(&down, &after, true).first().map(ToString::to_string)
}
