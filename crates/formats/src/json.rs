//! The JSON instance: its fields, reading, and its published schema.

use rustc_hash::FxHashMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::backup_file::BackupFile;
use super::demand_file::DemandFile;
use super::json_resources::{ResourceNames, check_used};
use super::move_file::{PairFile, RatioFile, RouteFile, or_one};
use super::rule_file::{RuleFile, SpreadFile};
use super::selection_file::{PreferenceFile, SelectionFile, sorted};
use super::source::Text;
use super::time_file::{AfterFile, DateText, WhenText, WindowFile};
use super::values::{
    GoalText, Id, Millis, Object, OneOrMany, Ordered, Portion, Quantity, RiskText, Seconds, Version,
};
use super::{json_error, json_numbers, words};
use base::error::Result;
use model::{
    AfterDraft, Ask, Draft, DraftError, DraftItem, NodeDraft, NodeState, PairDraft, RatioDraft,
    Requirement, TaskDraft,
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
    /// Rules between tasks.
    #[serde(default)]
    rules: Vec<Object<RuleFile>>,
    /// What moving from node to node costs beside the task's `move_cost`; 0 where not named.
    #[serde(default)]
    routes: Vec<Object<RouteFile>>,
    /// Room that should be free beside other room.
    #[serde(default)]
    ratios: Vec<Object<RatioFile>>,
    /// What the plan leaves free on every node that has no `reserve` of its own.
    #[serde(default)]
    reserve: Ordered<Portion>,
    /// What is minimised; `peak` when absent.
    #[serde(default)]
    goal: Option<GoalText>,
    /// At most one task of the plan on a node.
    #[serde(default)]
    one_task_per_node: bool,
    /// When the plan starts; needed where times are given as dates.
    #[serde(default)]
    start: Option<DateText>,
    /// The chance with which demands that vary may overload a node, in each resource; none when
    /// absent: then tasks are planned by their means.
    #[serde(default)]
    risk: Option<RiskText>,
}

/// What is known of a resource.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Resource")]
pub(super) struct ResourceFile {
    /// What one unit is called, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) unit: Option<String>,
    /// One unit is a card: a task has whole cards, or a share of one card.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) devices: bool,
    /// Price of one unit of load above a node's `safety`, in the goal `soft`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) safety_price: Option<Quantity>,
    /// Tasks that move take it on both nodes until all moves are done.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) transient: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
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
    /// Load that a new node like this one has from the start, such as daemons. The node's own is
    /// part of `used`.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    pub(super) overhead: Ordered<Quantity>,
    /// Parts of `used` that end, in goals about time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) ending: Vec<Object<EndingFile>>,
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
    /// Watts that it draws once it has a task, in the goal `energy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) idle_watts: Option<Quantity>,
    /// Watts that each unit of load of the plan adds.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    pub(super) watts: Ordered<Quantity>,
    /// Marks that keep tasks away which do not tolerate them: `key=value`, with
    /// `:prefer` behind it where it only makes the node less welcome, `:no-execute` where
    /// it drives out what runs there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) taints: Vec<String>,
    /// Most tasks of the plan on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) max_tasks: Option<u32>,
    /// Most tasks of the plan on a new node like this one, where that differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) copy_max_tasks: Option<u32>,
    /// What the plan leaves free.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    pub(super) reserve: Ordered<Portion>,
    /// Load above which each unit has its resource's `safety_price`.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    pub(super) safety: Ordered<Portion>,
    /// Share of the work that weighted policies give it; 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) weight: Option<Quantity>,
    /// Connections it has already.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) connections: u32,
    /// Time it takes to answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) response_time: Option<Millis>,
    /// How many times as fast as usual tasks run on it; 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) speed: Option<Quantity>,
    /// When it begins to take tasks, in goals about time; the start of the plan when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) available_at: Option<WhenText>,
    /// Times in which nothing runs on it, in goals about time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) closed: Vec<Object<WindowFile>>,
}

/// A part of the load that is there already, and when it ends.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Ending")]
pub(super) struct EndingFile {
    /// When it ends.
    pub(super) at: WhenText,
    /// What it takes until then.
    pub(super) used: Ordered<Quantity>,
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
    /// Amount it needs of each resource, and how that varies.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    pub(super) demand: Ordered<DemandFile>,
    /// How long it runs on a node of speed 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) duration: Option<Seconds>,
    /// Labels its node must have; for each key one of the values.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    pub(super) requires: Ordered<OneOrMany>,
    /// Labels its node must not have.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    pub(super) avoid: Ordered<OneOrMany>,
    /// Several requirements, of which one must hold beside.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) either: Vec<Object<SelectionFile>>,
    /// Labels it would like, each with what it costs in the goal `soft` not to have them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) prefers: Vec<Object<PreferenceFile>>,
    /// Taints it does not mind: `key=value`, `key` for every value, `*` for all; with
    /// `:no-schedule`, `:no-execute` or `:prefer` behind it those with that effect only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) tolerations: Vec<String>,
    /// Higher ones are placed first, whatever it takes from lower ones.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) priority: i64,
    /// How much leaving it out weighs among tasks of its priority; 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) weight: Option<Quantity>,
    /// Makes it a gang: so many units, all placed or none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) replicas: Option<u32>,
    /// All units on one value of this label (`node` is the node itself).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) together: Option<String>,
    /// At most one unit on each value of this label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) apart: Option<String>,
    /// Units on many values, few, or evenly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) spread: Option<Object<SpreadFile>>,
    /// Where it runs now; for a gang one node, or one for each unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) node: Option<OneOrMany>,
    /// It stays on that node.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) pinned: bool,
    /// What hash policies hash, and what rules can group by; the id when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<Id>,
    /// Names by which rules can refer to it, and by which `group_moves` counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) group: Option<OneOrMany>,
    /// What moving it off its `node` costs in the goal `moves`; 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) move_cost: Option<Quantity>,
    /// It has a standby with room kept for it: on another `node` (or `true`), or on a node with
    /// another value of this label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) backup: Option<BackupFile>,
    /// Earliest start; the start of the plan when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) release: Option<WhenText>,
    /// The end that the goal `tardiness` counts from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) due: Option<WhenText>,
    /// Latest end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) deadline: Option<WhenText>,
    /// Tasks that have to end before it starts: ids, or with the time between as
    /// `{"task": "t1", "lag": "10m"}`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) after: Vec<AfterFile>,
    /// How long it has been running on its `node`, which it cannot leave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) elapsed: Option<Seconds>,
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
    json_numbers::check(source)?;
    let file = file.0;
    let mut draft = Draft {
        goal: file.goal.map(|goal| goal.0),
        one_task_per_node: file.one_task_per_node,
        risk: file.risk.map(|risk| risk.0),
        start: file.start.map(|start| start.0),
        ..Draft::default()
    };
    let mut names = ResourceNames { source, at: FxHashMap::default() };
    for (name, resource) in file.resources.0 {
        let at = names.position(&mut draft, &name, || format!("resources.{name}"))?;
        let known = &mut draft.resources[usize::from(at)];
        known.unit = resource.0.unit;
        known.devices = resource.0.devices;
        known.safety_price = resource.0.safety_price.map(|price| price.0);
        known.transient = resource.0.transient;
    }
    for (k, Object(node)) in file.nodes.into_iter().enumerate() {
        let node = node_draft(&mut names, &mut draft, node, k)?;
        draft.nodes.push(node);
    }
    for (k, Object(task)) in file.tasks.into_iter().enumerate() {
        let task = task_draft(&mut names, &mut draft, task, k)?;
        draft.tasks.push(task);
    }
    for (k, Object(rule)) in file.rules.into_iter().enumerate() {
        let wrong = |(field, cause)| source.error(cause).at(format!("rules[{k}].{field}"));
        draft.rules.push(rule.draft().map_err(wrong)?);
    }
    draft.reserve = names.portions(&mut draft, file.reserve, || "reserve".to_owned())?;
    for (k, Object(pair)) in file.pairs.into_iter().enumerate() {
        let demand = names.quantities(&mut draft, pair.demand, || format!("pairs[{k}].demand"))?;
        draft.pairs.push(PairDraft {
            task: pair.task.0,
            node: pair.node.0,
            cost: pair.cost.map(|cost| cost.0),
            demand,
            duration: pair.duration.map(|duration| duration.0),
        });
    }
    draft.routes = file.routes.into_iter().map(|Object(route)| route.draft()).collect();
    for (k, Object(file)) in file.ratios.into_iter().enumerate() {
        let mut find = |name: &str, field: &str| {
            names.position(&mut draft, name, || format!("ratios[{k}].{field}"))
        };
        let (room, with) = (find(&file.room, "room")?, find(&file.with, "with")?);
        let (ratio, price) = (or_one(file.ratio), or_one(file.price));
        draft.ratios.push(RatioDraft { room, with, ratio, price });
    }
    check_used(source, &draft)?;
    Ok(draft)
}

fn node_draft(
    names: &mut ResourceNames,
    draft: &mut Draft,
    node: NodeFile,
    k: usize,
) -> Result<NodeDraft> {
    let place = |field: &'static str| move || format!("nodes[{k}].{field}");
    let wrong = |cause: String| names.source.error(cause).at(format!("nodes[{k}].taints"));
    let taints = node.taints.iter().map(|text| words::taint(text));
    let taints = taints.collect::<std::result::Result<_, _>>().map_err(wrong)?;
    Ok(NodeDraft {
        id: node.id.0,
        capacity: names.quantities(draft, node.capacity, place("capacity"))?,
        used: names.quantities(draft, node.used, place("used"))?,
        overhead: names.quantities(draft, node.overhead, place("overhead"))?,
        ending: (node.ending.into_iter())
            .map(|Object(part)| {
                Ok((part.at.0, names.quantities(draft, part.used, place("ending"))?))
            })
            .collect::<Result<_>>()?,
        labels: node.labels.0,
        state: node.state.into(),
        price: node.price.map(|price| price.0),
        price_per_hour: node.price_per_hour.map(|price| price.0),
        idle_watts: node.idle_watts.map(|watts| watts.0),
        watts: names.quantities(draft, node.watts, place("watts"))?,
        taints,
        max_tasks: node.max_tasks,
        copy_max_tasks: node.copy_max_tasks,
        reserve: names.portions(draft, node.reserve, place("reserve"))?,
        safety: names.portions(draft, node.safety, place("safety"))?,
        weight: node.weight.map(|weight| weight.0),
        connections: node.connections,
        response_time: node.response_time.map(|time| time.0),
        speed: node.speed.map(|speed| speed.0),
        available_at: node.available_at.map(|at| at.0),
        closed: node
            .closed
            .into_iter()
            .map(|Object(window)| (window.from.0, window.to.0))
            .collect(),
    })
}

fn task_draft(
    names: &mut ResourceNames,
    draft: &mut Draft,
    task: TaskFile,
    k: usize,
) -> Result<TaskDraft> {
    let tolerations = task.tolerations.iter().map(|text| words::toleration(text));
    let mut tolerations: Vec<_> = tolerations
        .collect::<std::result::Result<_, _>>()
        .map_err(|cause| names.source.error(cause).at(format!("tasks[{k}].tolerations")))?;
    tolerations.sort();
    let mut within = Vec::new();
    within.extend(task.together.map(|over| (Ask::Together, over)));
    within.extend(task.apart.map(|over| (Ask::Apart, over)));
    within.extend(task.spread.map(|Object(spread)| (spread.ask(), spread.over)));
    let (mut demand, mut deviation) = (Vec::with_capacity(task.demand.0.len()), Vec::new());
    for (name, varying) in task.demand.0 {
        let r = names.position(draft, &name, || format!("tasks[{k}].demand"))?;
        demand.push((r, varying.mean));
        deviation.extend(varying.deviation.map(|deviation| (r, deviation)));
    }
    let prefers = task.prefers.into_iter().map(|Object(preference)| preference.draft());
    let either = task.either.into_iter().map(|Object(one)| one.draft());
    Ok(TaskDraft {
        id: task.id.0,
        demand,
        deviation,
        duration: task.duration.map(|duration| duration.0),
        requires: Requirement {
            any_of: sorted(task.requires),
            none_of: sorted(task.avoid),
            either: either.collect(),
            tolerations,
            prefers: prefers.collect(),
        },
        priority: task.priority,
        weight: task.weight.map(|weight| weight.0),
        replicas: task.replicas,
        within,
        current: task.node.map_or_else(Vec::new, |nodes| nodes.0),
        pinned: task.pinned,
        key: task.key.map(|key| key.0),
        groups: task.group.map_or_else(Vec::new, |groups| groups.0),
        move_cost: task.move_cost.map(|cost| cost.0),
        backup: task.backup.and_then(BackupFile::over),
        release: task.release.map(|at| at.0),
        due: task.due.map(|at| at.0),
        deadline: task.deadline.map(|at| at.0),
        after: task
            .after
            .into_iter()
            .map(|after| AfterDraft { task: after.task.0, lag: after.lag.0 })
            .collect(),
        elapsed: task.elapsed.map(|elapsed| elapsed.0),
    })
}

/// Where in the file a wrong draft is wrong: a path such as `tasks[3].demand.cpu`.
pub(super) fn place(error: &DraftError) -> String {
    let item = match error.item {
        DraftItem::Task(k) => format!("tasks[{k}]"),
        DraftItem::Node(k) => format!("nodes[{k}]"),
        DraftItem::Pair(k) => format!("pairs[{k}]"),
        DraftItem::Rule(k) => format!("rules[{k}]"),
        DraftItem::Route(k) => format!("routes[{k}]"),
        DraftItem::Ratio(k) => format!("ratios[{k}]"),
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
pub(super) fn instance(text: &str) -> Result<model::Instance> {
    use super::{Input, Source};
    let source = Source { name: "f".into(), bytes: text.into() };
    super::read_instance(&Input::One(source), None)
}
