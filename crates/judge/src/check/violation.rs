//! What the checker can find wrong, and how it says so.

use std::fmt;

use model::NodeState;

/// One broken rule, with everything needed to find and mend it.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "fields are named by what they hold; the variant says the rest")]
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
    /// The node's load in a resource exceeds its capacity, or what is left of it
    /// beside what is reserved. Amounts as written.
    Capacity {
        node: String,
        resource: String,
        load: String,
        capacity: String,
        reserved: Option<String>,
        tasks: Vec<String>,
    },
    /// While tasks move, the node needs more of a transient resource than it has,
    /// or than is left of it beside what is reserved. Amounts as written.
    Transient { node: String, resource: String, load: String, capacity: String, tasks: Vec<String> },
    /// Loads that vary exceed what the plan may fill of the node too often. Amounts as written.
    Risk {
        node: String,
        resource: String,
        mean: String,
        deviation: f64,
        capacity: String,
        chance: f64,
        asked: String,
        tasks: Vec<String>,
    },
    /// The node takes no tasks.
    State { task: String, node: String, state: NodeState },
    /// The node's labels do not satisfy the task.
    Requires { task: String, node: String, key: String, wants: Vec<String>, has: Option<String> },
    /// A node for which none of several alternatives holds.
    Neither { task: String, node: String, asked: String },
    /// The node has a label that the task avoids.
    Avoids { task: String, node: String, key: String, value: String },
    /// The node has a taint that the task does not tolerate.
    Tainted { task: String, node: String, taint: String },
    /// The task is pinned to another node.
    Pinned { task: String, node: String, pin: String },
    /// More tasks on a node than it takes.
    MaxTasks { node: String, most: u32, tasks: Vec<String> },
    /// Cards of a node are overloaded, wrong or not dealt out.
    Cards { node: String, resource: String, detail: String },
    /// A rule between tasks is broken.
    Rule { rule: String, ask: String, detail: String },
    /// A move that cannot be made when it is to be made. Waves count from 1.
    Move { wave: usize, detail: String },
    /// A task runs when it may not.
    Time { code: &'static str, task: String, detail: String },
    /// What is wrong from this second on, when something starts.
    At { second: i64, violation: Box<Violation> },
    /// What the plan has in hand for a failure does not hold.
    Fallback { fail: String, detail: String },
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
            Violation::Transient { .. } => "transient",
            Violation::Risk { .. } => "risk",
            Violation::State { .. } => "state",
            Violation::Requires { .. } | Violation::Neither { .. } => "requires",
            Violation::Avoids { .. } => "avoids",
            Violation::Tainted { .. } => "tainted",
            Violation::Pinned { .. } => "pinned",
            Violation::MaxTasks { .. } => "max-tasks",
            Violation::Cards { .. } => "cards",
            Violation::Rule { .. } => "rule",
            Violation::Move { .. } => "move",
            Violation::Time { code, .. } => code,
            Violation::At { violation, .. } => violation.code(),
            Violation::Fallback { .. } => "fallback",
            Violation::Tier { .. } => "tier",
            Violation::Value { .. } => "value",
            Violation::Bound { .. } => "bound",
        }
    }
}

/// At most eight names, then how many more.
pub(super) fn list(names: &[String]) -> String {
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
            Violation::Capacity { node, resource, load, capacity, reserved, tasks } => {
                let kept = reserved.as_ref().map(|kept| format!(", {kept} of it reserved"));
                write!(
                    f,
                    "node `{node}` carries {load} {resource} and has {capacity}{}; tasks there: {}",
                    kept.unwrap_or_default(),
                    list(tasks)
                )
            }
            Violation::Transient { node, resource, load, capacity, tasks } => write!(
                f,
                "node `{node}` needs {load} {resource} while tasks move and has {capacity}; tasks that come: {}",
                list(tasks)
            ),
            Violation::Risk { node, resource, mean, deviation, capacity, chance, asked, tasks } => {
                write!(
                    f,
                    "node `{node}` carries {mean} {resource} in the mean, with a deviation of {deviation:.6}, and may fill {capacity}: \
                 the chance of more is {chance:.6}, {asked} is asked; tasks there: {}",
                    list(tasks)
                )
            }
            Violation::State { task, node, state } => {
                let state = match state {
                    NodeState::Ready => "ready",
                    NodeState::Drain => "drained",
                    NodeState::Down => "down",
                };
                write!(f, "task `{task}` is on node `{node}`, which is {state}")
            }
            Violation::Neither { task, node, asked } => {
                write!(f, "task `{task}` is on `{node}`, which {asked}")
            }
            Violation::Requires { task, node, key, wants, has } => write!(
                f,
                "task `{task}` requires {key} = {} and node `{node}` has {}",
                wants.join(" or "),
                has.as_deref().unwrap_or("no such label")
            ),
            Violation::Avoids { task, node, key, value } => {
                write!(f, "task `{task}` avoids {key} = {value}, which node `{node}` has")
            }
            Violation::Tainted { task, node, taint } => {
                write!(f, "task `{task}` does not tolerate the taint {taint} of node `{node}`")
            }
            Violation::Pinned { task, node, pin } => {
                write!(f, "task `{task}` is on node `{node}` and is pinned to `{pin}`")
            }
            Violation::MaxTasks { node, most, tasks } => {
                let most = if *most == 1 { "one task".to_owned() } else { format!("{most} tasks") };
                write!(f, "node `{node}` takes {most} and has {}", list(tasks))
            }
            Violation::Cards { node, resource, detail } => {
                write!(f, "{resource} cards of node `{node}`: {detail}")
            }
            Violation::Rule { rule, ask, detail } => write!(f, "rule `{rule}` ({ask}): {detail}"),
            Violation::Move { wave, detail } => write!(f, "wave {wave}: {detail}"),
            Violation::Time { task, detail, .. } => write!(f, "task `{task}` {detail}"),
            Violation::At { second, violation } => write!(f, "at {second} s: {violation}"),
            Violation::Fallback { fail, detail } => {
                write!(f, "the fallback for the failure of `{fail}`: {detail}")
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
