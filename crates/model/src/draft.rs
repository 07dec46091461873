//! What a reader found, in the words of the problem and still in decimals.
//! [`Draft::build`] turns it into an [`Instance`](super::Instance).

use std::collections::hash_map::Entry;

use rustc_hash::FxHashMap;

use super::selector::wrong_mark;
use super::{Ask, Assumption, Decimal, Goal, Labels, NodeState, Requirement, Risk, Taint, Term};

/// A resource as read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResourceDraft {
    /// The name.
    pub name: String,
    /// What one unit is called.
    pub unit: Option<String>,
    /// One unit is a card: whole cards or a share of one, never across cards.
    pub devices: bool,
    /// Price of one unit of load above a node's safety capacity.
    pub safety_price: Option<Decimal>,
    /// Tasks that move take it on both nodes until all moves are done.
    pub transient: bool,
}

/// A part of a capacity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Part {
    /// In the resource's unit.
    Exact(Decimal),
    /// In percent of the node's capacity.
    Percent(Decimal),
}

/// A task as read: quantities are still decimals.
#[derive(Clone, Debug, Default)]
pub struct TaskDraft {
    /// Unique among tasks.
    pub id: String,
    /// (position in [`Draft::resources`], quantity); resources not named are 0.
    pub demand: Vec<(u16, Decimal)>,
    /// Standard deviations of demands that vary around the mean given in `demand`.
    pub deviation: Vec<(u16, Decimal)>,
    /// Seconds, when known.
    pub duration: Option<i64>,
    /// What it asks of labels and taints, and what it would like.
    pub requires: Requirement,
    /// Higher ones are placed first, whatever it takes from lower ones.
    pub priority: i64,
    /// How much leaving it out weighs among tasks of its priority; 1 when absent.
    pub weight: Option<Decimal>,
    /// So many units, all placed or none; a plain task when absent.
    pub replicas: Option<u32>,
    /// Rules between the units, each over a label (`node` is the node itself).
    pub within: Vec<(Ask, String)>,
    /// Where it runs now: one node, or one for each unit.
    pub current: Vec<String>,
    /// It stays where it runs now.
    pub pinned: bool,
    /// What hash policies hash and what rules can group by; the id when absent.
    pub key: Option<String>,
    /// Names by which rules can refer to it; moves are counted by group.
    pub groups: Vec<String>,
    /// What moving it off its current node costs; 1 when absent.
    pub move_cost: Option<Decimal>,
    /// It has a standby: on another `node`, or on another value of this label.
    pub backup: Option<String>,
    /// Earliest start; the start of the plan when absent.
    pub release: Option<When>,
    /// The end that tardiness counts from.
    pub due: Option<When>,
    /// Latest end.
    pub deadline: Option<When>,
    /// What has to end before it starts.
    pub after: Vec<AfterDraft>,
    /// Seconds that it has been running on its current node, which it cannot leave.
    pub elapsed: Option<i64>,
}

/// A task that has to end before another starts, as read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AfterDraft {
    /// Its id; a gang's means all of its units.
    pub task: String,
    /// Seconds that have to pass between.
    pub lag: i64,
}

/// A node as read.
#[derive(Clone, Debug, Default)]
pub struct NodeDraft {
    /// Unique among nodes.
    pub id: String,
    /// (position in [`Draft::resources`], quantity); resources not named are 0.
    pub capacity: Vec<(u16, Decimal)>,
    /// Load that is there already.
    pub used: Vec<(u16, Decimal)>,
    /// Load that a new node like this one has from the start: that of daemons, say.
    pub overhead: Vec<(u16, Decimal)>,
    /// Parts of it that end, and when.
    pub ending: Vec<(When, Vec<(u16, Decimal)>)>,
    /// Label keys and values.
    pub labels: Labels,
    /// Whether it takes tasks.
    pub state: NodeState,
    /// Price of using it at all.
    pub price: Option<Decimal>,
    /// Cost of one hour of one task on it.
    pub price_per_hour: Option<Decimal>,
    /// Watts that it draws once it has a task.
    pub idle_watts: Option<Decimal>,
    /// Watts that each unit of load adds.
    pub watts: Vec<(u16, Decimal)>,
    /// Marks that keep tasks away.
    pub taints: Vec<Taint>,
    /// Tasks of the plan it takes at most.
    pub max_tasks: Option<u32>,
    /// Tasks of the plan that a new node like this one takes at most, where that differs.
    pub copy_max_tasks: Option<u32>,
    /// What the plan must leave free; where a resource is not named, the draft's.
    pub reserve: Vec<(u16, Part)>,
    /// Load above which each unit has its price.
    pub safety: Vec<(u16, Part)>,
    /// Share of the work that weighted policies give it; 1 when absent.
    pub weight: Option<Decimal>,
    /// Connections it has already.
    pub connections: u32,
    /// Time it takes to answer, in milliseconds.
    pub response_time: Option<Decimal>,
    /// How many times as fast as usual tasks run on it; 1 when absent.
    pub speed: Option<Decimal>,
    /// When it begins to take tasks; the start of the plan when absent.
    pub available_at: Option<When>,
    /// Times in which nothing runs on it, each from its start to before its end.
    pub closed: Vec<(When, When)>,
}

/// Which tasks a rule means.
#[derive(Clone, Debug, PartialEq)]
pub enum Whom {
    /// These; a gang's id means all of its units.
    Tasks(Vec<String>),
    /// Those that name this group.
    Group(String),
    /// Not one rule but many: one for the tasks of each key.
    EachKey,
    /// Likewise, one for each group.
    EachGroup,
}

/// A rule as read.
#[derive(Clone, Debug)]
pub struct RuleDraft {
    /// What people call it; made up when absent.
    pub name: Option<String>,
    /// What it asks; the others of `near` stand in [`RuleDraft::near`], what a limit counts in
    /// [`RuleDraft::limit`].
    pub ask: Ask,
    /// Over which label; `node` is the node itself, a limit over nothing is one on the whole plan.
    pub over: String,
    /// Whom it concerns.
    pub whom: Whom,
    /// Whom `near` wants close.
    pub near: Option<Whom>,
    /// What a limit counts, and how much there may be of it.
    pub limit: Option<LimitDraft>,
    /// Values with how many tasks of the kind they have that are not part of the plan;
    /// a spread's `max_skew` counts them.
    pub present: Vec<(String, u32)>,
    /// Of a gang: in time all of its tasks start at the same second.
    pub as_one: bool,
    /// What each breach costs, where the rule may be broken.
    pub price: Option<Decimal>,
}

impl RuleDraft {
    /// A rule that asks this and no more.
    pub fn new(name: String, ask: Ask, over: &str, whom: Whom) -> RuleDraft {
        RuleDraft {
            name: Some(name),
            ask,
            over: over.to_owned(),
            whom,
            near: None,
            limit: None,
            present: Vec::new(),
            as_one: false,
            price: None,
        }
    }
}

/// What a limit counts, as read.
#[derive(Clone, Debug, PartialEq)]
pub struct LimitDraft {
    /// The resource whose demands are added up; `tasks` counts tasks, `moved` those that move in
    /// one wave.
    pub resource: String,
    /// The label's values that are looked at; all when empty.
    pub values: Vec<String>,
    /// The most that there may be on each.
    pub at_most: Decimal,
    /// From when on it is how much instead; plans without times look at their start alone.
    pub later: Vec<(When, Decimal)>,
    /// In time it holds for the plan as a whole, whatever the times.
    pub always: bool,
}

/// Cost, demand or duration of one task on one node, as read.
#[derive(Clone, Debug, Default)]
pub struct PairDraft {
    /// Id of the task.
    pub task: String,
    /// Id of the node.
    pub node: String,
    /// Cost, when it differs.
    pub cost: Option<Decimal>,
    /// Demand, for the resources in which it differs.
    pub demand: Vec<(u16, Decimal)>,
    /// Seconds, when they differ.
    pub duration: Option<i64>,
}

/// What moving a task from one node to another costs, as read.
#[derive(Clone, Debug, PartialEq)]
pub struct RouteDraft {
    /// Id of the node that is left.
    pub from: String,
    /// Id of the node that is gone to.
    pub to: String,
    /// Added to the task's own cost.
    pub cost: Decimal,
}

/// Room that should be free beside other room, as read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RatioDraft {
    /// For each free unit of this resource ...
    pub room: u16,
    /// ... there should be `ratio` free units of this one.
    pub with: u16,
    /// How many.
    pub ratio: Decimal,
    /// Price of each unit that is missing.
    pub price: Decimal,
}

/// Everything a reader found.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// In the order people should see them.
    pub resources: Vec<ResourceDraft>,
    /// Tasks in order.
    pub tasks: Vec<TaskDraft>,
    /// Nodes in order.
    pub nodes: Vec<NodeDraft>,
    /// Pairs in any order.
    pub pairs: Vec<PairDraft>,
    /// Rules between tasks.
    pub rules: Vec<RuleDraft>,
    /// What moving from node to node costs; 0 where it is not named.
    pub routes: Vec<RouteDraft>,
    /// Room that should be free beside other room, on every node.
    pub ratios: Vec<RatioDraft>,
    /// What the plan must leave free on every node that does not say otherwise.
    pub reserve: Vec<(u16, Part)>,
    /// The goal the input asks for; `peak` when it asks for none.
    pub goal: Option<Goal>,
    /// At most one task of the plan on a node.
    pub one_task_per_node: bool,
    /// The chance with which varying demands may overload a node.
    pub risk: Option<Risk>,
    /// When the plan starts, in seconds since 1970 (UTC); dates need it.
    pub start: Option<i64>,
    /// What the reader saw and could not say in these words; no part of the problem.
    pub warnings: Vec<String>,
    /// What the source says and these words do not: claims about the instance quote it.
    pub assumptions: Vec<Assumption>,
    /// The tasks are a queue: what does not fit waits.
    pub queue: bool,
}

/// Where in the draft something is wrong. Readers turn it into a line or a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DraftItem {
    /// `tasks[k]`
    Task(usize),
    /// `nodes[k]`
    Node(usize),
    /// `pairs[k]`
    Pair(usize),
    /// `rules[k]`
    Rule(usize),
    /// `routes[k]`
    Route(usize),
    /// `ratios[k]`
    Ratio(usize),
    /// A resource, by position.
    Resource(usize),
    /// The whole input.
    Whole,
}

/// Something wrong with the problem itself, whatever format it came in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{cause}")]
pub struct DraftError {
    /// Where.
    pub item: DraftItem,
    /// Which field of the item, empty for the item itself.
    pub field: String,
    /// What is wrong.
    pub cause: String,
    /// What to do about it.
    pub remedy: String,
}

pub(super) fn error(item: DraftItem, field: &str, cause: String, remedy: &str) -> DraftError {
    DraftError { item, field: field.to_owned(), cause, remedy: remedy.to_owned() }
}

/// Ids to positions, with empty, untidy and repeated ones refused.
pub(super) fn index_ids<'a>(
    ids: impl Iterator<Item = &'a str>,
    item: fn(usize) -> DraftItem,
) -> Result<FxHashMap<&'a str, u32>, DraftError> {
    let kind = if matches!(item(0), DraftItem::Task(_)) { "task" } else { "node" };
    let mut seen: FxHashMap<&str, u32> = FxHashMap::default();
    for (k, id) in ids.enumerate() {
        if id.trim().is_empty() {
            let cause = format!("this {kind} has no id");
            return Err(error(item(k), "id", cause, "give every task and node an id"));
        }
        if id.contains(|c: char| c.is_control()) {
            let cause = format!("the id {id:?} contains a control character");
            return Err(error(item(k), "id", cause, "use printable characters only"));
        }
        match seen.entry(id) {
            Entry::Vacant(free) => free.insert(k as u32),
            Entry::Occupied(_) => {
                let cause = format!("the {kind} id `{id}` appears twice");
                return Err(error(item(k), "id", cause, "ids are unique: rename one of the two"));
            }
        };
    }
    Ok(seen)
}

/// A time as read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// So many seconds after the start of the plan.
    In(i64),
    /// A date, in seconds since 1970 (UTC).
    On(i64),
}

/// Whether a resource can be called so: tables have it in their headers.
pub fn is_resource_name(name: &str) -> bool {
    !name.is_empty() && name.trim() == name && !name.contains(char::is_control)
}

/// Keys and values.
fn words(list: &[(String, Vec<String>)]) -> impl Iterator<Item = &String> {
    list.iter().flat_map(|(key, values)| std::iter::once(key).chain(values))
}

impl Draft {
    /// Position of the resource called `name`, added when it is new.
    pub fn resource(&mut self, name: &str) -> u16 {
        let at = match self.resources.iter().position(|known| known.name == name) {
            Some(at) => at,
            None => {
                let name = name.to_owned();
                self.resources.push(ResourceDraft { name, ..ResourceDraft::default() });
                self.resources.len() - 1
            }
        };
        at as u16
    }

    /// Whatever is shown to people as it is, is printable.
    pub(super) fn check_words(&self) -> Result<(), DraftError> {
        let check = |item: DraftItem, field: &str, words: &mut dyn Iterator<Item = &String>| {
            for word in words {
                if word.contains(char::is_control) {
                    let cause = format!("{word:?} contains a control character");
                    return Err(error(item, field, cause, "use printable characters only"));
                }
            }
            Ok(())
        };
        for (k, resource) in self.resources.iter().enumerate() {
            let item = DraftItem::Resource(k);
            if !is_resource_name(&resource.name) {
                let cause = format!("{:?} is no name for a resource", resource.name);
                return Err(error(item, "resources", cause, "use printable characters"));
            }
            check(item, "resources", &mut resource.unit.iter())?;
        }
        for (k, node) in self.nodes.iter().enumerate() {
            let item = DraftItem::Node(k);
            let mut labels = node.labels.iter().flat_map(|(key, value)| [key, value]);
            check(item, "labels", &mut labels)?;
            let mut taints = node.taints.iter().flat_map(|taint| [&taint.key, &taint.value]);
            check(item, "taints", &mut taints)?;
            for taint in &node.taints {
                if let Some(wrong) = wrong_mark(&taint.key, Some(&taint.value)) {
                    let cause = format!("a taint of node `{}`: {wrong}", node.id);
                    return Err(error(
                        item,
                        "taints",
                        cause,
                        "write key=value, as in gpu=reserved",
                    ));
                }
            }
        }
        for (k, task) in self.tasks.iter().enumerate() {
            let item = DraftItem::Task(k);
            let asked = [("requires", &task.requires.any_of), ("avoid", &task.requires.none_of)];
            for (field, list) in asked {
                check(item, field, &mut words(list))?;
            }
            let wished = task.requires.prefers.iter().map(|wish| ("prefers", &wish.labels));
            let other = task.requires.either.iter().map(|one| ("either", one));
            for (field, one) in wished.chain(other) {
                check(item, field, &mut words(&one.any_of).chain(words(&one.none_of)))?;
            }
            for toleration in &task.requires.tolerations {
                let (key, value) = (&toleration.key, &toleration.value);
                check(item, "tolerations", &mut std::iter::once(key).chain(value))?;
                if let Some(wrong) = wrong_mark(key, value.as_deref()) {
                    let cause = format!("a toleration of task `{}`: {wrong}", task.id);
                    let remedy = "write key=value, key or *, as in gpu=reserved";
                    return Err(error(item, "tolerations", cause, remedy));
                }
            }
            check(item, "group", &mut task.groups.iter())?;
            check(item, "key", &mut task.key.iter())?;
        }
        for (k, rule) in self.rules.iter().enumerate() {
            check(DraftItem::Rule(k), "id", &mut rule.name.iter())?;
        }
        Ok(())
    }

    /// A generalised assignment problem: tasks `t0`, `t1`, ... and nodes `n0`,
    /// `n1`, ... whose costs and demands differ for every pair. `costs` and
    /// `demands` are row-major, nodes x tasks; the goal is `cost`.
    pub fn pairwise(
        resource: &str,
        costs: &[Decimal],
        demands: &[Decimal],
        capacities: &[Decimal],
    ) -> Draft {
        let mut draft = Draft { goal: Some(Goal::single(Term::Cost)), ..Draft::default() };
        let load = draft.resource(resource);
        draft.nodes = (capacities.iter().enumerate())
            .map(|(j, capacity)| NodeDraft {
                id: format!("n{j}"),
                capacity: vec![(load, *capacity)],
                ..NodeDraft::default()
            })
            .collect();
        let tasks = costs.len() / capacities.len().max(1);
        draft.tasks =
            (0..tasks).map(|i| TaskDraft { id: format!("t{i}"), ..TaskDraft::default() }).collect();
        draft.pairs = (costs.iter().zip(demands).enumerate())
            .map(|(k, (cost, demand))| PairDraft {
                task: format!("t{}", k % tasks),
                node: format!("n{}", k / tasks),
                cost: Some(*cost),
                demand: vec![(load, *demand)],
                duration: None,
            })
            .collect();
        draft
    }
}
