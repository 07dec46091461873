//! Rules between tasks, each read off the placements afresh.

use rustc_hash::{FxHashMap, FxHashSet};

use super::Violation;
use super::violation::list;
use crate::metrics::{skew, tasks_by_value};
use model::{Ask, Instance, Limit, Plan, Rule, TaskId};

/// Those of the rules that are broken, with what is wrong.
pub(super) fn broken<'a>(
    instance: &Instance,
    plan: &Plan,
    rules: impl Iterator<Item = &'a Rule>,
) -> Vec<Violation> {
    let broken = rules.filter_map(|rule| {
        let detail = wrong(instance, plan, rule)?;
        Some(Violation::Rule { rule: rule.name.clone(), ask: rule.ask.to_string(), detail })
    });
    broken.collect()
}

/// What is wrong with the plan as far as the rule is concerned.
pub(super) fn wrong(instance: &Instance, plan: &Plan, rule: &Rule) -> Option<String> {
    let placed = rule.tasks.iter().filter(|task| plan.placement[task.index()].is_some()).count();
    if placed == 0 {
        return None;
    }
    let label = &instance.label_values()[rule.over as usize];
    let on = tasks_by_value(plan, label, &rule.tasks);
    let key = &label.key;
    let name = |value: u32| &label.values[value as usize];
    match &rule.ask {
        Ask::Gang => (placed < rule.tasks.len()).then(|| {
            let left = rule.tasks.iter().filter(|task| plan.placement[task.index()].is_none());
            let left: Vec<String> = left.map(|t| instance.task_name(*t).to_owned()).collect();
            format!("{placed} of {} are placed, without {}", rule.tasks.len(), list(&left))
        }),
        Ask::Together => (on.len() > 1).then(|| {
            let values: Vec<String> = on.iter().map(|(value, _)| name(*value).clone()).collect();
            format!("they are on several values of {key}: {}", list(&values))
        }),
        Ask::Apart => on.iter().find(|(_, tasks)| tasks.len() > 1).map(|(value, tasks)| {
            let names: Vec<String> =
                tasks.iter().map(|t| instance.task_name(*t).to_owned()).collect();
            format!("{} share {key} {}", list(&names), name(*value))
        }),
        Ask::Spread { at_least, at_most, max_skew } => {
            let used = on.len() as u32;
            if used < *at_least {
                return Some(format!(
                    "they are on {used} values of {key}, at least {at_least} asked"
                ));
            }
            if used > *at_most {
                return Some(format!(
                    "they are on {used} values of {key}, at most {at_most} asked"
                ));
            }
            let skew = skew(instance, rule, &on);
            max_skew.filter(|most| skew > *most).map(|most| {
                format!("the fullest {key} has {skew} more than the emptiest, at most {most} asked")
            })
        }
        Ask::Near { others } => {
            let there = tasks_by_value(plan, label, others);
            let there: FxHashSet<u32> = there.into_iter().map(|(value, _)| value).collect();
            let alone = on.iter().find(|(value, _)| !there.contains(value));
            alone.map(|(value, tasks)| {
                format!(
                    "`{}` is on {key} {} without any of those it wants near",
                    instance.task_name(tasks[0]),
                    name(*value)
                )
            })
        }
        Ask::Limit(limit) => {
            let counted = counted(plan, limit);
            let sum = |tasks: &[TaskId]| match &counted {
                Some(own) => tasks.iter().filter_map(|task| own.get(task)).sum(),
                None => tasks.len() as i128,
            };
            let sums = on.iter().map(|(value, tasks)| (*value, sum(tasks)));
            let mut seen = sums.filter(|(value, _)| {
                limit.values.is_empty() || limit.values.binary_search(value).is_ok()
            });
            let (value, sum) = seen.find(|(_, sum)| *sum > i128::from(limit.at_most))?;
            Some(too_much(instance, rule, limit, (value, sum, limit.at_most)))
        }
    }
}

/// The words for a sum above what a limit allows on a value.
pub(super) fn too_much(
    instance: &Instance,
    rule: &Rule,
    limit: &Limit,
    (value, sum, most): (u32, i128, i64),
) -> String {
    let label = &instance.label_values()[rule.over as usize];
    let what = limit.resource.map(|r| &instance.resources()[r]);
    let show = |steps: i128| match what {
        Some(resource) => resource.show(i64::try_from(steps).unwrap_or(i64::MAX)),
        None => steps.to_string(),
    };
    let on = match label.key.as_str() {
        "" => String::new(),
        key => format!(" on {key} {}", label.values[value as usize]),
    };
    let name = what.map_or("tasks", |resource| &resource.name);
    format!("they take {} {name}{on}, at most {} asked", show(sum), show(i128::from(most)))
}

/// What a limit counts of each task that is placed; `None` where each counts for one.
pub(super) fn counted(plan: &Plan, limit: &Limit) -> Option<FxHashMap<TaskId, i128>> {
    limit.resource?;
    let mut own: FxHashMap<TaskId, i128> = FxHashMap::default();
    // What a node says stands behind what is usual.
    for (task, node, amount) in &limit.amounts {
        let at = plan.placement[task.index()];
        if at.is_some() && (node.is_none() || *node == at) {
            own.insert(*task, i128::from(*amount));
        }
    }
    Some(own)
}
