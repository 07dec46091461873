//! The JSON instance: its fields, reading, and its published schema.

use rustc_hash::FxHashMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::json_error;
use super::source::Text;
use super::values::{GoalText, Id, Object, OneOrMany, Ordered, Quantity, Seconds, Version};
use crate::error::Result;
use crate::model::{
    Decimal, Draft, DraftError, DraftItem, NodeDraft, NodeState, PairDraft, Requirement, TaskDraft,
    nearest,
};

/// A planning problem: nodes with capacities, tasks with demands.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "stowplan instance")]
pub(super) struct InstanceFile {
    /// Version of this format.
    #[serde(rename = "schema_version", default)]
    _schema_version: Option<Version>,
    /// Resources whose order or unit matters; others are added as nodes and tasks name them.
    #[serde(default)]
    resources: Ordered<Object<ResourceFile>>,
    /// The machines, at least one.
    nodes: Vec<Object<NodeFile>>,
    /// The work, at least one task.
    tasks: Vec<Object<TaskFile>>,
    /// Costs and demands that depend on both the task and the node.
    #[serde(default)]
    pairs: Vec<Object<PairFile>>,
    /// What is minimised; `peak` when absent.
    #[serde(default)]
    goal: Option<GoalText>,
    /// At most one task of the plan on a node.
    #[serde(default)]
    one_task_per_node: bool,
}

/// What is known of a resource.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Resource")]
pub(super) struct ResourceFile {
    /// What one unit is called, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) unit: Option<String>,
}

/// A machine.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Node")]
pub(super) struct NodeFile {
    /// Unique among nodes.
    pub(super) id: Id,
    /// Amount of each resource.
    pub(super) capacity: Ordered<Quantity>,
    /// Load that is there already and not part of the plan.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    pub(super) used: Ordered<Quantity>,
    /// Keys and values that tasks may require.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    pub(super) labels: Ordered<String>,
    /// Whether it takes tasks; `ready` when absent.
    #[serde(default, skip_serializing_if = "StateFile::is_ready")]
    pub(super) state: StateFile,
    /// Price of using the node at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) price: Option<Quantity>,
    /// Cost of one hour of one task on the node; multiplied by the task's duration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) price_per_hour: Option<Quantity>,
}

/// Whether a node takes tasks: `ready` does, `drain` takes no new task but its
/// load counts, `down` is gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "State")]
pub(super) enum StateFile {
    #[default]
    Ready,
    Drain,
    Down,
}

/// A unit of work, placed on one node.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Task")]
pub(super) struct TaskFile {
    /// Unique among tasks.
    pub(super) id: Id,
    /// Amount it needs of each resource.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    pub(super) demand: Ordered<Quantity>,
    /// How long it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) duration: Option<Seconds>,
    /// Labels its node must have; for each key one of the values.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    pub(super) requires: Ordered<OneOrMany>,
}

/// What one task costs and needs on one node.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Pair")]
pub(super) struct PairFile {
    /// Id of the task.
    pub(super) task: Id,
    /// Id of the node.
    pub(super) node: Id,
    /// Cost of the placement, when it is not the node's hourly price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cost: Option<Quantity>,
    /// Amounts that differ from the task's demand.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    pub(super) demand: Ordered<Quantity>,
}

impl StateFile {
    fn is_ready(&self) -> bool {
        *self == StateFile::Ready
    }
}

impl From<StateFile> for NodeState {
    fn from(state: StateFile) -> NodeState {
        match state {
            StateFile::Ready => NodeState::Ready,
            StateFile::Drain => NodeState::Drain,
            StateFile::Down => NodeState::Down,
        }
    }
}

impl From<NodeState> for StateFile {
    fn from(state: NodeState) -> StateFile {
        match state {
            NodeState::Ready => StateFile::Ready,
            NodeState::Drain => StateFile::Drain,
            NodeState::Down => StateFile::Down,
        }
    }
}

/// The JSON Schema of instance files.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(InstanceFile).to_value()
}

/// Reads a JSON instance.
///
/// # Errors
/// Syntax, unknown or missing fields, wrong types, quantities that are none:
/// with line and column. Resources that are named oddly: with the field's path.
pub(super) fn read(source: Text) -> Result<Draft> {
    let file: Object<InstanceFile> = json_error::parse(source)?;
    let file = file.0;
    let mut draft = Draft {
        goal: file.goal.map(|goal| goal.0),
        one_task_per_node: file.one_task_per_node,
        ..Draft::default()
    };
    let mut names = ResourceNames { source, at: FxHashMap::default() };
    for (name, resource) in file.resources.0 {
        let at = names.position(&mut draft, &name, || format!("resources.{name}"))?;
        draft.resources[usize::from(at)].1 = resource.0.unit;
    }
    for (k, Object(node)) in file.nodes.into_iter().enumerate() {
        let capacity =
            names.quantities(&mut draft, node.capacity, || format!("nodes[{k}].capacity"))?;
        let used = names.quantities(&mut draft, node.used, || format!("nodes[{k}].used"))?;
        draft.nodes.push(NodeDraft {
            id: node.id.0,
            capacity,
            used,
            labels: node.labels.0,
            state: node.state.into(),
            price: node.price.map(|price| price.0),
            price_per_hour: node.price_per_hour.map(|price| price.0),
        });
    }
    for (k, Object(task)) in file.tasks.into_iter().enumerate() {
        let mut any_of: Vec<_> =
            task.requires.0.into_iter().map(|(key, values)| (key, values.0)).collect();
        any_of.sort();
        let demand = names.quantities(&mut draft, task.demand, || format!("tasks[{k}].demand"))?;
        draft.tasks.push(TaskDraft {
            id: task.id.0,
            demand,
            duration: task.duration.map(|duration| duration.0),
            requires: Requirement { any_of },
        });
    }
    for (k, Object(pair)) in file.pairs.into_iter().enumerate() {
        let demand = names.quantities(&mut draft, pair.demand, || format!("pairs[{k}].demand"))?;
        draft.pairs.push(PairDraft {
            task: pair.task.0,
            node: pair.node.0,
            cost: pair.cost.map(|cost| cost.0),
            demand,
        });
    }
    check_used(source, &draft)?;
    Ok(draft)
}

/// Positions of resources by name.
struct ResourceNames<'a> {
    source: Text<'a>,
    at: FxHashMap<String, u16>,
}

impl ResourceNames<'_> {
    fn position(
        &mut self,
        draft: &mut Draft,
        name: &str,
        place: impl Fn() -> String,
    ) -> Result<u16> {
        if let Some(at) = self.at.get(name) {
            return Ok(*at);
        }
        let error = |cause: String| Err(self.source.error(cause).at(place()));
        if name.trim() != name || name.is_empty() || name.contains(char::is_control) {
            return error(format!("{name:?} is no name for a resource: use printable characters"));
        }
        if draft.resources.len() >= 1000 {
            return error("there are more than 1000 resources".to_owned());
        }
        let at = draft.resource(name);
        self.at.insert(name.to_owned(), at);
        Ok(at)
    }

    fn quantities(
        &mut self,
        draft: &mut Draft,
        map: Ordered<Quantity>,
        place: impl Fn() -> String,
    ) -> Result<Vec<(u16, Decimal)>> {
        let mut list = Vec::with_capacity(map.0.len());
        for (name, quantity) in map.0 {
            list.push((self.position(draft, &name, &place)?, quantity.0));
        }
        Ok(list)
    }
}

/// Load in a resource that no node has is a slip of the pen.
fn check_used(source: Text, draft: &Draft) -> Result<()> {
    let mut offered = vec![false; draft.resources.len()];
    for (r, _) in draft.nodes.iter().flat_map(|node| &node.capacity) {
        offered[usize::from(*r)] = true;
    }
    for (k, node) in draft.nodes.iter().enumerate() {
        for (r, _) in &node.used {
            if offered[usize::from(*r)] {
                continue;
            }
            let name = &draft.resources[usize::from(*r)].0;
            let known = draft.resources.iter().zip(&offered).filter(|(_, offered)| **offered);
            let near = nearest(name, known.map(|((name, _), _)| name.as_str()));
            let cause = format!("no node has a capacity for resource `{name}`");
            let remedy = near.map(|near| format!("did you mean `{near}`?")).unwrap_or_default();
            return Err(source.error(cause).at(format!("nodes[{k}].used.{name}")).help(remedy));
        }
    }
    Ok(())
}

/// Where in the file a wrong draft is wrong: a path such as `tasks[3].demand.cpu`.
pub(super) fn place(error: &DraftError) -> String {
    let item = match error.item {
        DraftItem::Task(k) => format!("tasks[{k}]"),
        DraftItem::Node(k) => format!("nodes[{k}]"),
        DraftItem::Pair(k) => format!("pairs[{k}]"),
        DraftItem::Resource(_) | DraftItem::Whole => String::new(),
    };
    match (item.as_str(), error.field.as_str()) {
        ("", field) => field.to_owned(),
        (_, "") => item,
        (_, field) => format!("{item}.{field}"),
    }
}

/// An instance written by hand in tests.
#[cfg(test)]
pub(super) fn instance(text: &str) -> Result<crate::model::Instance> {
    use super::{Input, Source};
    let source = Source { name: "f".into(), bytes: text.into() };
    super::read_instance(&Input::One(source), None)
}
