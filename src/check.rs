//! What a feasible plan is, written to be read: one function a rule, every
//! violation returned. Shares nothing with the search and the policies.

use std::fmt;

use rustc_hash::FxHashMap;

use crate::metrics;
use crate::model::{
    Claim, Goal, Instance, NodeId, NodeState, Plan, Requirement, TaskId, TierValue, nearest,
};

/// One broken rule, with everything needed to find and mend it.
#[derive(Clone, Debug, PartialEq)]
pub enum Violation {
    /// The plan names a task that the instance does not have.
    UnknownTask { task: String, nearest: Option<String> },
    /// The plan names a node that the instance does not have.
    UnknownNode { task: String, node: String, nearest: Option<String> },
    /// The plan gives one task several nodes, or calls a placed task unplaced.
    Twice { task: String },
    /// The task has no node although all tasks must be placed, or the plan does
    /// not mention it at all.
    NotPlaced { task: String },
    /// The node's load in a resource exceeds its capacity. Amounts as written.
    Capacity { node: String, resource: String, load: String, capacity: String, tasks: Vec<String> },
    /// The node takes no tasks.
    State { task: String, node: String, state: NodeState },
    /// The node's labels do not satisfy the task.
    Requires { task: String, node: String, key: String, wants: Vec<String>, has: Option<String> },
    /// More than one task on a node that may have one.
    OneTaskPerNode { node: String, tasks: Vec<String> },
    /// The plan states a tier that no goal has.
    Tier { tier: String },
    /// The plan states a value that it does not have.
    Value { tier: String, stated: f64, actual: f64 },
    /// The plan states a bound above its own value.
    Bound { tier: String, bound: f64, actual: f64 },
}

impl Violation {
    /// Short name for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Violation::UnknownTask { .. } => "unknown-task",
            Violation::UnknownNode { .. } => "unknown-node",
            Violation::Twice { .. } => "twice",
            Violation::NotPlaced { .. } => "not-placed",
            Violation::Capacity { .. } => "capacity",
            Violation::State { .. } => "state",
            Violation::Requires { .. } => "requires",
            Violation::OneTaskPerNode { .. } => "one-task-per-node",
            Violation::Tier { .. } => "tier",
            Violation::Value { .. } => "value",
            Violation::Bound { .. } => "bound",
        }
    }
}

/// What the checker found: no violations means the plan is feasible and says
/// the truth about itself.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// In the order task, node, claim.
    pub violations: Vec<Violation>,
    /// Value of each tier, recomputed.
    pub values: Vec<TierValue>,
    /// The plan as understood.
    pub plan: Plan,
}

/// Checks a plan as written down: names, rules, stated values.
pub fn check_claim(instance: &Instance, claim: &Claim) -> Verdict {
    let mut violations = Vec::new();
    let plan = resolve(instance, claim, &mut violations);
    let allow_unplaced = !claim.unplaced.is_empty();
    violations.extend(check_plan(instance, &plan, true));
    if !allow_unplaced {
        violations.extend(unmentioned(instance, &plan));
    } else {
        let said: std::collections::HashSet<&str> =
            claim.unplaced.iter().map(String::as_str).collect();
        let missing = plan.unplaced().map(|task| instance.task_name(task));
        let silent = missing.filter(|name| !said.contains(name));
        violations.extend(silent.map(|task| Violation::NotPlaced { task: task.to_owned() }));
    }
    let values = goal_of(instance, claim, &plan);
    violations.extend(stated_values(claim, &values));
    Verdict { violations, values, plan }
}

/// Checks a plan against every rule of the instance. With `allow_unplaced`,
/// tasks without a node are no violation.
pub fn check_plan(instance: &Instance, plan: &Plan, allow_unplaced: bool) -> Vec<Violation> {
    let mut violations = Vec::new();
    if !allow_unplaced {
        violations.extend(unmentioned(instance, plan));
    }
    violations.extend(states(instance, plan));
    violations.extend(requirements(instance, plan));
    violations.extend(capacities(instance, plan));
    violations.extend(one_task_per_node(instance, plan));
    violations
}

/// Unknown names for which the nearest known one is looked up: each costs a pass
/// over all names, and a plan for another instance altogether needs no such help.
const SUGGESTIONS: usize = 10;

/// Names to ids, with what has none reported.
fn resolve(instance: &Instance, claim: &Claim, violations: &mut Vec<Violation>) -> Plan {
    let tasks: FxHashMap<&str, TaskId> =
        instance.task_ids().map(|task| (instance.task_name(task), task)).collect();
    let nodes: FxHashMap<&str, NodeId> =
        instance.node_ids().map(|node| (instance.node_name(node), node)).collect();
    let mut plan = Plan::empty(instance.tasks());
    let placed = claim.assignments.iter().map(|(task, node)| (task, Some(node)));
    let left = claim.unplaced.iter().map(|task| (task, None));
    for (task, node) in placed.chain(left) {
        let few = violations.len() < SUGGESTIONS;
        let Some(id) = tasks.get(task.as_str()) else {
            violations.push(Violation::UnknownTask {
                task: task.clone(),
                nearest: few.then(|| nearest(task, tasks.keys().copied())).flatten(),
            });
            continue;
        };
        if plan.placement[id.index()].is_some() {
            violations.push(Violation::Twice { task: task.clone() });
            continue;
        }
        let Some(node) = node else { continue };
        match nodes.get(node.as_str()) {
            Some(node) => plan.placement[id.index()] = Some(*node),
            None => violations.push(Violation::UnknownNode {
                task: task.clone(),
                node: node.clone(),
                nearest: few.then(|| nearest(node, nodes.keys().copied())).flatten(),
            }),
        }
    }
    plan
}

/// Every task has a node.
fn unmentioned(instance: &Instance, plan: &Plan) -> Vec<Violation> {
    plan.unplaced()
        .map(|task| Violation::NotPlaced { task: instance.task_name(task).to_owned() })
        .collect()
}

/// Tasks are on nodes that take tasks.
fn states(instance: &Instance, plan: &Plan) -> Vec<Violation> {
    plan.placements()
        .filter(|(_, node)| instance.state(*node) != NodeState::Ready)
        .map(|(task, node)| Violation::State {
            task: instance.task_name(task).to_owned(),
            node: instance.node_name(node).to_owned(),
            state: instance.state(node),
        })
        .collect()
}

/// Labels satisfy the tasks that ask for them.
fn requirements(instance: &Instance, plan: &Plan) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (task, node) in plan.placements() {
        let requirement = &instance.requirements()[instance.requirement_of(task) as usize];
        for (key, values) in &requirement.any_of {
            let one = Requirement { any_of: vec![(key.clone(), values.clone())] };
            if !one.accepts(instance.labels(node)) {
                let has = instance.labels(node).iter().find(|(k, _)| k == key);
                violations.push(Violation::Requires {
                    task: instance.task_name(task).to_owned(),
                    node: instance.node_name(node).to_owned(),
                    key: key.clone(),
                    wants: values.clone(),
                    has: has.map(|(_, value)| value.clone()),
                });
            }
        }
    }
    violations
}

/// Loads stay within capacities, wherever the plan adds any.
fn capacities(instance: &Instance, plan: &Plan) -> Vec<Violation> {
    let width = instance.resources().len();
    let loads = metrics::loads(instance, plan);
    let mut over: Vec<(NodeId, usize)> = Vec::new();
    for node in instance.node_ids() {
        for r in 0..width {
            let load = loads[node.index() * width + r];
            // What exceeds the capacity before the plan is not the plan's doing.
            if load > instance.capacity(node)[r] && load > instance.used(node)[r] {
                over.push((node, r));
            }
        }
    }
    if over.is_empty() {
        return Vec::new();
    }
    let on = tasks_by_node(instance, plan);
    over.into_iter()
        .map(|(node, r)| {
            let resource = &instance.resources()[r];
            let adds = |task: &&TaskId| instance.demand_on(**task, node)[r] > 0;
            Violation::Capacity {
                node: instance.node_name(node).to_owned(),
                resource: resource.name.clone(),
                load: resource.scale.show(loads[node.index() * width + r]),
                capacity: resource.scale.show(instance.capacity(node)[r]),
                tasks: names(instance, on[node.index()].iter().filter(adds)),
            }
        })
        .collect()
}

/// At most one task a node, where that is asked.
fn one_task_per_node(instance: &Instance, plan: &Plan) -> Vec<Violation> {
    if !instance.one_task_per_node() {
        return Vec::new();
    }
    let on = tasks_by_node(instance, plan);
    instance
        .node_ids()
        .filter(|node| on[node.index()].len() > 1)
        .map(|node| Violation::OneTaskPerNode {
            node: instance.node_name(node).to_owned(),
            tasks: names(instance, on[node.index()].iter()),
        })
        .collect()
}

fn tasks_by_node(instance: &Instance, plan: &Plan) -> Vec<Vec<TaskId>> {
    let mut on = vec![Vec::new(); instance.nodes()];
    for (task, node) in plan.placements() {
        on[node.index()].push(task);
    }
    on
}

fn names<'a>(instance: &Instance, tasks: impl Iterator<Item = &'a TaskId>) -> Vec<String> {
    tasks.map(|task| instance.task_name(*task).to_owned()).collect()
}

/// Values of the tiers the claim states; of the instance's goal when it states none.
fn goal_of(instance: &Instance, claim: &Claim, plan: &Plan) -> Vec<TierValue> {
    let mut tiers = Vec::new();
    for stated in &claim.goal {
        match Goal::parse(&stated.tier) {
            Ok(goal) => tiers.extend(goal.tiers),
            Err(_) if stated.tier == "unplaced" => {
                tiers.extend(Goal { tiers: Vec::new() }.with_unplaced_first().tiers);
            }
            Err(_) => {}
        }
    }
    let goal = if tiers.is_empty() { instance.goal().clone() } else { Goal { tiers } };
    metrics::goal_values(instance, plan, &goal)
}

/// A plan says the truth about its values, and no bound lies above them.
fn stated_values(claim: &Claim, values: &[TierValue]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for stated in &claim.goal {
        let Some(actual) = values.iter().find(|v| v.tier == stated.tier) else {
            violations.push(Violation::Tier { tier: stated.tier.clone() });
            continue;
        };
        let tolerance = 1e-9 * actual.value.abs().max(1e-9);
        if (stated.value - actual.value).abs() > tolerance {
            violations.push(Violation::Value {
                tier: stated.tier.clone(),
                stated: stated.value,
                actual: actual.value,
            });
        }
        if let Some(bound) = stated.bound.filter(|bound| *bound > actual.value + tolerance) {
            violations.push(Violation::Bound {
                tier: stated.tier.clone(),
                bound,
                actual: actual.value,
            });
        }
    }
    violations
}

/// At most eight names, then how many more.
fn list(names: &[String]) -> String {
    let shown = names.iter().take(8).map(|name| format!("`{name}`")).collect::<Vec<_>>();
    match names.len().saturating_sub(8) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn did_you_mean(near: &Option<String>) -> String {
    near.as_ref().map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"))
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Violation::UnknownTask { task, nearest } => {
                write!(f, "the instance has no task `{task}`{}", did_you_mean(nearest))
            }
            Violation::UnknownNode { task, node, nearest } => write!(
                f,
                "task `{task}` is placed on `{node}`, which the instance does not have{}",
                did_you_mean(nearest)
            ),
            Violation::Twice { task } => write!(f, "task `{task}` appears more than once"),
            Violation::NotPlaced { task } => write!(f, "task `{task}` has no node"),
            Violation::Capacity { node, resource, load, capacity, tasks } => write!(
                f,
                "node `{node}` carries {load} {resource} and has {capacity}; tasks there: {}",
                list(tasks)
            ),
            Violation::State { task, node, state } => {
                let state = match state {
                    NodeState::Ready => "ready",
                    NodeState::Drain => "drained",
                    NodeState::Down => "down",
                };
                write!(f, "task `{task}` is on node `{node}`, which is {state}")
            }
            Violation::Requires { task, node, key, wants, has } => write!(
                f,
                "task `{task}` requires {key} = {} and node `{node}` has {}",
                wants.join(" or "),
                has.as_deref().unwrap_or("no such label")
            ),
            Violation::OneTaskPerNode { node, tasks } => {
                write!(f, "node `{node}` may have one task and has {}", list(tasks))
            }
            Violation::Tier { tier } => {
                write!(f, "the plan states a goal `{tier}`, which there is none of")
            }
            Violation::Value { tier, stated, actual } => {
                write!(f, "the plan states {tier} = {stated}, it is {actual}")
            }
            Violation::Bound { tier, bound, actual } => {
                write!(f, "the plan states a bound of {bound} on {tier}, above its value {actual}")
            }
        }
    }
}
