//! Where the tasks of rules are, and what it costs that rules are broken which may be.

use rustc_hash::{FxHashMap, FxHashSet};

use model::{Ask, Instance, LabelValues, NodeState, Plan, RequirementId, Rule, TaskId};

/// What breaches of all wishes cost, in soft units.
pub(super) fn cost(instance: &Instance, plan: &Plan) -> i64 {
    let each =
        instance.wishes().iter().map(|wish| wish.price * breaches(instance, plan, &wish.rule));
    each.sum()
}

/// How often the rule is broken.
fn breaches(instance: &Instance, plan: &Plan, rule: &Rule) -> i64 {
    let label = &instance.label_values()[rule.over as usize];
    let on = tasks_by_value(plan, label, &rule.tasks);
    let placed = rule.tasks.iter().filter(|task| plan.placement[task.index()].is_some()).count();
    if placed == 0 {
        return 0;
    }
    let found = match &rule.ask {
        Ask::Together => on.len().saturating_sub(1),
        Ask::Apart => on.iter().map(|(_, tasks)| tasks.len() - 1).sum(),
        Ask::Spread { at_least, at_most, max_skew } => {
            let few = (*at_least as usize).saturating_sub(on.len());
            let many = on.len().saturating_sub(*at_most as usize);
            let uneven = max_skew.map_or(0, |most| skew(instance, rule, &on).saturating_sub(most));
            few + many + uneven as usize
        }
        Ask::Near { others } => {
            let there = tasks_by_value(plan, label, others);
            let there: FxHashSet<u32> = there.into_iter().map(|(value, _)| value).collect();
            let beside = on.iter().filter(|(value, _)| there.contains(value));
            placed - beside.map(|(_, tasks)| tasks.len()).sum::<usize>()
        }
        // They have no price.
        Ask::Gang | Ask::Limit(_) => 0,
    };
    found as i64
}

/// Placed tasks by the value of the label, values in order of first appearance.
pub(crate) fn tasks_by_value(
    plan: &Plan,
    label: &LabelValues,
    tasks: &[TaskId],
) -> Vec<(u32, Vec<TaskId>)> {
    let mut at: FxHashMap<u32, usize> = FxHashMap::default();
    let mut list: Vec<(u32, Vec<TaskId>)> = Vec::new();
    for task in tasks {
        let Some(node) = plan.placement[task.index()] else { continue };
        let value = label.of[node.index()];
        if value == LabelValues::NONE {
            continue; // said by the requirement that the label be there
        }
        let place = *at.entry(value).or_insert_with(|| {
            list.push((value, Vec::new()));
            list.len() - 1
        });
        list[place].1.push(*task);
    }
    list
}

/// Most tasks on a value with any of the plan less the fewest on any value that some task could
/// use, or of which the rule says what is there; those counted that are there already.
pub(crate) fn skew(instance: &Instance, rule: &Rule, on: &[(u32, Vec<TaskId>)]) -> u32 {
    let there = |value: u32| {
        let known = rule.present.iter().filter(|(known, _)| *known == value);
        known.map(|(_, count)| *count as usize).sum::<usize>()
    };
    let most = on.iter().map(|(value, tasks)| tasks.len() + there(*value)).max().unwrap_or(0);
    let of = &instance.label_values()[rule.over as usize].of;
    let tasks: FxHashMap<u32, usize> = on.iter().map(|(value, on)| (*value, on.len())).collect();
    let count = |value: u32| tasks.get(&value).copied().unwrap_or(0) + there(value);
    // Tasks that ask the same are asked once.
    let asked: FxHashMap<RequirementId, TaskId> =
        rule.tasks.iter().map(|task| (instance.requirement_of(*task), *task)).collect();
    let mut could: FxHashSet<u32> = FxHashSet::default();
    for node in instance.node_ids().filter(|node| instance.state(*node) == NodeState::Ready) {
        let value = of[node.index()];
        let accepts = |task: &TaskId| {
            let requirement = instance.requirement(*task);
            requirement.accepts(instance.labels(node), instance.taints(node))
        };
        if value != LabelValues::NONE && !could.contains(&value) && asked.values().any(accepts) {
            could.insert(value);
        }
    }
    could.extend(rule.present.iter().map(|(value, _)| *value));
    let least = could.into_iter().map(count).min().unwrap_or(0);
    (most - least.min(most)) as u32
}
