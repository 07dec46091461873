//! Cheap proofs that no plan exists, in words.

use rustc_hash::{FxHashMap, FxHashSet};

use super::Bounds;
use model::{ANY, Instance, Refusal, Requirement, TaskId, Toleration};

/// Why no plan can place every task.
#[derive(Clone, Debug, PartialEq)]
pub struct Impossible {
    /// Short name for scripts.
    pub code: &'static str,
    /// The proof in words.
    pub cause: String,
    /// The tasks it is about: they alone contradict the instance.
    pub tasks: Vec<TaskId>,
    /// The resource it is about, when it is about one.
    pub resource: Option<usize>,
}

/// Looks for a proof that not every task can be placed: a task that fits
/// nowhere, more demand than capacity, more tasks than nodes. `None` says
/// nothing either way.
pub fn impossible(instance: &Instance, bounds: &Bounds) -> Option<Impossible> {
    no_home(instance, bounds)
        .or_else(|| more_tasks_than_nodes(instance, bounds))
        .or_else(|| more_demand_than_capacity(instance, bounds))
        .or_else(|| more_than_limits(instance))
}

/// A limit below what tasks add to it wherever they go.
fn more_than_limits(instance: &Instance) -> Option<Impossible> {
    instance.rules().iter().find_map(|rule| {
        let limit = rule.limit()?;
        if instance.is_timed() && rule.instant().is_some() {
            return None;
        }
        let least = |task: &TaskId| {
            let own = limit.amounts_of(*task).iter().map(|(_, _, amount)| *amount).min();
            i128::from(own.unwrap_or_else(|| limit.base(*task)))
        };
        let sum = |tasks: &[TaskId]| tasks.iter().map(least).sum::<i128>();
        if sum(&rule.tasks) <= i128::from(limit.at_most) {
            return None;
        }
        // Tasks that ask the same go to the same values; where one is not looked at, they add nothing.
        let mut known: FxHashMap<_, Option<FxHashSet<u32>>> = FxHashMap::default();
        let (mut tasks, mut values) = (Vec::new(), FxHashSet::default());
        for task in &rule.tasks {
            let there = known.entry((instance.requirement_of(*task), instance.pin(*task)));
            let there = there.or_insert_with(|| {
                let nodes = instance.node_ids().filter(|node| instance.eligible(*task, *node));
                nodes.map(|node| instance.value_of(rule, node)).collect()
            });
            if let Some(there) = there {
                values.extend(there.iter().copied());
                tasks.push(*task);
            }
        }
        let least = sum(&tasks);
        if least <= i128::from(limit.at_most) * values.len() as i128 {
            return None;
        }
        let each = match values.len() {
            1 => String::new(),
            values => format!(" on each of {values} values"),
        };
        let cause = format!(
            "{} tasks take {} {} at least and the limit `{}` is {}{each}",
            tasks.len(),
            instance.show_limited(limit, i64::try_from(least).unwrap_or(i64::MAX)),
            instance.limited(limit),
            rule.name,
            instance.show_limited(limit, limit.at_most),
        );
        Some(Impossible { code: "limit", cause, tasks, resource: None })
    })
}

fn no_home(instance: &Instance, bounds: &Bounds) -> Option<Impossible> {
    if bounds.area.homeless == 0 {
        return None;
    }
    let classes = &bounds.area.classes;
    let mut examples = classes.tasks.iter().map(|class| class.example());
    let task = examples.find(|task| !bounds.area.has_home(instance, *task))?;
    let others = match bounds.area.homeless {
        1 => String::new(),
        n => format!(" ({} more tasks fit nowhere either)", n - 1),
    };
    let (code, detail) = why_nowhere(instance, task);
    Some(Impossible {
        code,
        cause: format!("task `{}` fits on no node: {detail}{others}", instance.task_name(task)),
        tasks: vec![task],
        resource: None,
    })
}

/// Why the task fits on no node even alone: reason code and words.
pub fn why_nowhere(instance: &Instance, task: TaskId) -> (&'static str, String) {
    let eligible: Vec<_> =
        instance.node_ids().filter(|node| instance.eligible(task, *node)).collect();
    if eligible.is_empty() {
        return ineligible(instance, task);
    }
    for (r, resource) in instance.resources().iter().enumerate() {
        let short = |node: &model::NodeId| {
            instance.demand_on(task, *node)[r] > instance.room_for(task, *node, r)
        };
        if eligible.iter().all(short) {
            let most = eligible.iter().max_by_key(|node| instance.room_for(task, **node, r));
            let Some(most) = most else { continue };
            return (
                "capacity",
                format!(
                    "it needs {} {} and the most that is free is {} (on node `{}`)",
                    resource.show(instance.demand_on(task, *most)[r]),
                    resource.name,
                    resource.show(instance.room_for(task, *most, r)),
                    instance.node_name(*most),
                ),
            );
        }
    }
    let varies = |r: usize| instance.kept_risk().is_some() && instance.deviation(task)[r] > 0;
    let risky = |node| instance.lacks_alone(task, node).is_some_and(varies);
    let code = if eligible.iter().all(|node| risky(*node)) { "risk" } else { "capacity" };
    let blocks = eligible.iter().take(3).filter_map(|node| {
        let r = instance.lacks_alone(task, *node)?;
        let beside = if varies(r) { " for how its demand varies" } else { "" };
        let resource = &instance.resources()[r].name;
        Some(format!("`{}` lacks {resource}{beside}", instance.node_name(*node)))
    });
    let blocks: Vec<String> = blocks.collect();
    (code, format!("every node lacks something: {}", blocks.join(", ")))
}

/// Why no node is eligible.
fn ineligible(instance: &Instance, task: TaskId) -> (&'static str, String) {
    let mut ready = instance.node_ids().filter(|node| instance.counted(*node)).peekable();
    if ready.peek().is_none() {
        return ("state", "no node is ready".to_owned());
    }
    let requirement = instance.requirement(task);
    if let Some(pin) = instance.pin(task) {
        let name = instance.node_name(pin);
        return match requirement.refusal(instance.labels(pin), instance.taints(pin)) {
            Some(refusal) => ("pinned", format!("it is pinned to `{name}`, which {refusal}")),
            None => ("pinned", format!("it is pinned to `{name}`, which is not ready")),
        };
    }
    let untolerated = ready.find_map(|node| {
        let labels_only = Requirement { tolerations: tolerate_all(), ..requirement.clone() };
        let labels = instance.labels(node);
        match requirement.refusal(labels, instance.taints(node)) {
            Some(Refusal::Tainted(taint)) if labels_only.accepts(labels, &[]) => {
                Some((node, taint.to_string()))
            }
            _ => None,
        }
    });
    match untolerated {
        Some((node, taint)) => (
            "tainted",
            format!(
                "every ready node with the right labels has a taint that it does not tolerate (`{}` has {taint})",
                instance.node_name(node)
            ),
        ),
        None => {
            let labels: Vec<_> = instance.node_ids().map(|node| instance.labels(node)).collect();
            let near = requirement.misspelt(&labels);
            let near = near.map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"));
            ("requires", format!("no ready node has {requirement}{near}"))
        }
    }
}

fn tolerate_all() -> Vec<Toleration> {
    vec![Toleration { key: ANY.to_owned(), value: None, effect: None }]
}

fn more_tasks_than_nodes(instance: &Instance, bounds: &Bounds) -> Option<Impossible> {
    let most = bounds.area.most_tasks();
    if instance.tasks() as u64 <= most {
        return None;
    }
    let cause = if instance.one_task_per_node() {
        let nodes = bounds.area.slots.iter().filter(|slots| **slots > 0).count();
        format!("{} tasks, one a node, and {nodes} nodes that take tasks", instance.tasks())
    } else {
        format!("{} tasks, and all nodes together take {most} at most", instance.tasks())
    };
    let tasks = instance.task_ids().collect();
    Some(Impossible { code: "max-tasks", cause, tasks, resource: None })
}

fn more_demand_than_capacity(instance: &Instance, bounds: &Bounds) -> Option<Impossible> {
    for group in &bounds.area.groups {
        for (r, resource) in instance.resources().iter().enumerate() {
            let each = group.nodes(instance).map(|node| i128::from(instance.free(node, r)));
            // What is short is no more than is asked.
            let Ok(free) = i64::try_from(each.sum::<i128>()) else { continue };
            if group.demand[r] <= free {
                continue;
            }
            let cause = format!(
                "{} tasks{} need {} {} in all and the nodes they can use have {} free: {} too little",
                group.tasks,
                group.whose(instance),
                resource.show(group.demand[r]),
                resource.name,
                resource.show(free),
                resource.show(group.demand[r] - free),
            );
            let tasks = group.members(instance);
            return Some(Impossible { code: "capacity", cause, tasks, resource: Some(r) });
        }
    }
    large_tasks(instance, bounds)
}

/// More large tasks than the nodes can hold of them.
fn large_tasks(instance: &Instance, bounds: &Bounds) -> Option<Impossible> {
    for (r, resource) in instance.resources().iter().enumerate() {
        for (size, tasks) in bounds.area.thresholds(r, 0) {
            let each = bounds.area.frees[r].iter().map(|free| i128::from(free / size));
            let holds: i128 = each.sum();
            if holds < i128::from(tasks) {
                let cause = format!(
                    "{tasks} tasks need at least {} {} each and all nodes together hold {holds} such tasks",
                    resource.show(size),
                    resource.name,
                );
                let large = |task: &TaskId| super::area::least_demand(instance, *task)[r] >= size;
                let tasks = instance.task_ids().filter(large).collect();
                return Some(Impossible { code: "capacity", cause, tasks, resource: Some(r) });
            }
        }
    }
    None
}
