//! Our own instance contract. Names are fixed, keys are only added; a key that
//! is not known is an error, so that no wish is silently ignored.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Source;
use super::value::{AnyOf, Id, Ordered, Quantity, Seconds};
use crate::error::{Error, Result};
use crate::model::{
    Decimal, Draft, Goal, Instance, NodeDraft, NodeState, PairDraft, Requirement, Scale, TaskDraft,
    nearest,
};

const SCHEMA_VERSION: u32 = 1;

/// What is planned: tasks with demands, nodes with capacities.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "stowplan instance")]
struct InstanceDoc {
    /// Version of this contract, 1.
    #[serde(default = "version", deserialize_with = "known_version")]
    schema_version: u32,
    /// Units and the order of resources; resources are otherwise those that
    /// nodes and tasks name.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    resources: Ordered<ResourceDoc>,
    /// The nodes.
    nodes: Vec<NodeDoc>,
    /// The tasks.
    tasks: Vec<TaskDoc>,
    /// Costs and demands that depend on task and node.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pairs: Vec<PairDoc>,
    /// What to minimise, such as `peak` or `cost, balance`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    goal: Option<String>,
    /// At most one task of the plan on each node.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    one_task_per_node: bool,
}

/// A resource.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ResourceDoc {
    /// What one unit is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
}

/// A machine.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NodeDoc {
    /// Unique among nodes.
    id: Id,
    /// Capacity per resource; 0 where it is not named.
    capacity: Ordered<Quantity>,
    /// Load that is there already and not part of the plan.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    used: Ordered<Quantity>,
    /// Labels that tasks may require.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    labels: Ordered<String>,
    /// Whether it takes tasks.
    #[serde(default, skip_serializing_if = "StateDoc::is_ready")]
    state: StateDoc,
    /// Price of using the node at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    price: Option<Quantity>,
    /// Cost of one hour of one task on the node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    price_per_hour: Option<Quantity>,
}

/// Whether a node takes tasks.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum StateDoc {
    /// Takes tasks.
    #[default]
    Ready,
    /// Takes no new task; what runs there still counts as load.
    Drain,
    /// Gone.
    Down,
}

impl StateDoc {
    fn is_ready(&self) -> bool {
        matches!(self, StateDoc::Ready)
    }
}

/// A unit of work.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TaskDoc {
    /// Unique among tasks.
    id: Id,
    /// Demand per resource; 0 where it is not named.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    demand: Ordered<Quantity>,
    /// How long it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    duration: Option<Seconds>,
    /// Labels a node must have, each with any one of the values.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    requires: Ordered<AnyOf>,
}

/// Cost or demand of one task on one node, where that differs.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PairDoc {
    /// Id of the task.
    task: Id,
    /// Id of the node.
    node: Id,
    /// Cost of the placement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cost: Option<Quantity>,
    /// Demand in the resources in which it differs.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    demand: Ordered<Quantity>,
}

fn version() -> u32 {
    SCHEMA_VERSION
}

fn known_version<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<u32, D::Error> {
    match u32::deserialize(deserializer)? {
        SCHEMA_VERSION => Ok(SCHEMA_VERSION),
        other => Err(serde::de::Error::custom(format!(
            "schema_version is {other}; this program reads version {SCHEMA_VERSION}"
        ))),
    }
}

/// JSON Schema of an instance.
pub fn instance_schema() -> serde_json::Value {
    schemars::schema_for!(InstanceDoc).to_value()
}

/// A serde_json error with its place and, for a misspelt key, the nearest one.
pub(super) fn explain(source: &Source, error: &serde_json::Error) -> Error {
    let text = error.to_string();
    let cause = match text.rfind(" at line ") {
        Some(at) => &text[..at],
        None => &text,
    };
    let place = format!("line {} column {}", error.line(), error.column());
    let remedy = unknown_key(cause).unwrap_or_else(|| {
        if error.is_syntax() || error.is_eof() {
            "the file is not valid JSON there".to_owned()
        } else if cause.starts_with("missing field") {
            "every instance has `nodes` and `tasks`; see `stowplan schema instance`".to_owned()
        } else {
            "see `stowplan schema instance`".to_owned()
        }
    });
    Error::input(&source.name, cause).at(place).help(remedy)
}

/// From "unknown field `x`, expected one of `a`, `b`" to advice.
fn unknown_key(cause: &str) -> Option<String> {
    let rest = cause.strip_prefix("unknown field `")?;
    let (key, rest) = rest.split_once('`')?;
    let known: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
    if key == "assignments" || known.contains(&"nodes") && key == "instance" {
        return Some("this is a plan, not an instance".to_owned());
    }
    Some(match nearest(key, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("keys here are {}", known.join(", ")),
    })
}

pub(super) fn read(source: &Source) -> Result<Draft> {
    let text = source.text()?;
    let doc: InstanceDoc = serde_json::from_str(text).map_err(|error| {
        if text.contains("\"assignments\"") {
            return Error::input(&source.name, "this is a plan, not an instance")
                .help("instances have `nodes` and `tasks`; check takes INSTANCE, then PLAN");
        }
        explain(source, &error)
    })?;
    let mut draft = Draft { one_task_per_node: doc.one_task_per_node, ..Draft::default() };
    for (name, resource) in doc.resources.0 {
        let at = draft.resource(&name) as usize;
        draft.resources[at].1 = resource.unit;
    }
    if let Some(text) = doc.goal {
        let goal = Goal::parse(&text)
            .map_err(|error| Error::input(&source.name, error.to_string()).at("goal"))?;
        draft.goal = Some(goal);
    }
    for node in doc.nodes {
        let node = node_draft(&mut draft, node);
        draft.nodes.push(node);
    }
    for task in doc.tasks {
        let demand = quantities(&mut draft, task.demand);
        draft.tasks.push(TaskDraft {
            id: task.id.0,
            demand,
            duration: task.duration.map(|seconds| seconds.0),
            requires: requirement(
                task.requires.0.into_iter().map(|(key, any)| (key, any.0)).collect(),
            ),
        });
    }
    for pair in doc.pairs {
        let demand = quantities(&mut draft, pair.demand);
        draft.pairs.push(PairDraft {
            task: pair.task.0,
            node: pair.node.0,
            cost: pair.cost.map(|cost| cost.0),
            demand,
        });
    }
    Ok(draft)
}

fn node_draft(draft: &mut Draft, node: NodeDoc) -> NodeDraft {
    NodeDraft {
        id: node.id.0,
        capacity: quantities(draft, node.capacity),
        used: quantities(draft, node.used),
        labels: node.labels.0,
        state: match node.state {
            StateDoc::Ready => NodeState::Ready,
            StateDoc::Drain => NodeState::Drain,
            StateDoc::Down => NodeState::Down,
        },
        price: node.price.map(|price| price.0),
        price_per_hour: node.price_per_hour.map(|price| price.0),
    }
}

fn quantities(draft: &mut Draft, map: Ordered<Quantity>) -> Vec<(u16, Decimal)> {
    map.0.into_iter().map(|(name, quantity)| (draft.resource(&name), quantity.0)).collect()
}

/// A requirement in the one order that equal ones share.
pub(super) fn requirement(mut any_of: Vec<(String, Vec<String>)>) -> Requirement {
    for (_, values) in &mut any_of {
        values.sort();
        values.dedup();
    }
    any_of.sort();
    Requirement { any_of }
}

/// The decimal that a scaled integer stands for.
pub(super) fn decimal(scale: Scale, value: i64) -> Decimal {
    Decimal::parse(&scale.show(value)).unwrap_or(Decimal::ZERO)
}

/// The instance as JSON that reads back as the same instance.
pub fn write_instance(instance: &Instance) -> String {
    let doc = document(instance);
    // One node, task or pair a line: people read and compare these files.
    let line = |value: serde_json::Result<String>| format!("    {}", value.unwrap_or_default());
    let list = |lines: Vec<String>| format!("[\n{}\n  ]", lines.join(",\n"));
    let mut parts = vec![format!("  \"schema_version\": {SCHEMA_VERSION}")];
    if !doc.resources.is_empty() {
        let text = serde_json::to_string(&doc.resources).unwrap_or_default();
        parts.push(format!("  \"resources\": {text}"));
    }
    let nodes = doc.nodes.iter().map(|node| line(serde_json::to_string(node))).collect();
    parts.push(format!("  \"nodes\": {}", list(nodes)));
    let tasks = doc.tasks.iter().map(|task| line(serde_json::to_string(task))).collect();
    parts.push(format!("  \"tasks\": {}", list(tasks)));
    if !doc.pairs.is_empty() {
        let pairs = doc.pairs.iter().map(|pair| line(serde_json::to_string(pair))).collect();
        parts.push(format!("  \"pairs\": {}", list(pairs)));
    }
    parts.push(format!("  \"goal\": \"{}\"", instance.goal()));
    if doc.one_task_per_node {
        parts.push("  \"one_task_per_node\": true".to_owned());
    }
    format!("{{\n{}\n}}\n", parts.join(",\n"))
}

fn document(instance: &Instance) -> InstanceDoc {
    let resources = instance.resources();
    let named = |values: &[i64], zeros: bool| {
        let each = resources.iter().zip(values).filter(|(_, value)| zeros || **value != 0);
        Ordered(each.map(|(r, v)| (r.name.clone(), Quantity(decimal(r.scale, *v)))).collect())
    };
    let money = |value: i64| (value != 0).then(|| Quantity(decimal(instance.cost_scale(), value)));
    let nodes = instance.node_ids().map(|node| NodeDoc {
        id: Id(instance.node_name(node).to_owned()),
        capacity: named(instance.capacity(node), true),
        used: named(instance.used(node), false),
        labels: Ordered(instance.labels(node).clone()),
        state: match instance.state(node) {
            NodeState::Ready => StateDoc::Ready,
            NodeState::Drain => StateDoc::Drain,
            NodeState::Down => StateDoc::Down,
        },
        price: money(instance.price(node)),
        price_per_hour: money(instance.rate(node).saturating_mul(3600)),
    });
    let tasks = instance.task_ids().map(|task| {
        let requirement = &instance.requirements()[instance.requirement_of(task) as usize];
        TaskDoc {
            id: Id(instance.task_name(task).to_owned()),
            demand: named(instance.demand(task), false),
            duration: Some(instance.duration(task)).filter(|d| *d > 0).map(Seconds),
            requires: Ordered(
                requirement
                    .any_of
                    .iter()
                    .map(|(key, any)| (key.clone(), AnyOf(any.clone())))
                    .collect(),
            ),
        }
    });
    let pairs =
        instance.task_ids().flat_map(|task| instance.pairs(task).map(move |pair| (task, pair)));
    let pairs = pairs.map(|(task, pair)| PairDoc {
        task: Id(instance.task_name(task).to_owned()),
        node: Id(instance.node_name(pair.node).to_owned()),
        cost: Some(Quantity(decimal(instance.cost_scale(), pair.cost))),
        demand: named(pair.demand, true),
    });
    InstanceDoc {
        schema_version: SCHEMA_VERSION,
        resources: Ordered(
            resources
                .iter()
                .map(|r| (r.name.clone(), ResourceDoc { unit: r.unit.clone() }))
                .collect(),
        ),
        nodes: nodes.collect(),
        tasks: tasks.collect(),
        pairs: pairs.collect(),
        goal: Some(instance.goal().to_string()),
        one_task_per_node: instance.one_task_per_node(),
    }
}
