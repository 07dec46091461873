//! From what a reader found to an [`Instance`]: the checks that belong to the
//! problem rather than to a file format, and the change into integers.

use std::collections::hash_map::Entry;

use rustc_hash::FxHashMap;

use super::costs::set_costs;
use super::instance::PairTable;
use super::names::{Names, nearest};
use super::{
    Decimal, Goal, Instance, Labels, NodeId, NodeState, Requirement, RequirementId, Resource,
    Scale, Term,
};

/// A task as read: quantities are still decimals.
#[derive(Clone, Debug, Default)]
pub struct TaskDraft {
    /// Unique among tasks.
    pub id: String,
    /// (position in [`Draft::resources`], quantity); resources not named are 0.
    pub demand: Vec<(u16, Decimal)>,
    /// Seconds, when known.
    pub duration: Option<i64>,
    /// What it asks of labels.
    pub requires: Requirement,
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
    /// Label keys and values.
    pub labels: Labels,
    /// Whether it takes tasks.
    pub state: NodeState,
    /// Price of using it at all.
    pub price: Option<Decimal>,
    /// Cost of one hour of one task on it.
    pub price_per_hour: Option<Decimal>,
}

/// Cost or demand of one task on one node, as read.
#[derive(Clone, Debug)]
pub struct PairDraft {
    /// Id of the task.
    pub task: String,
    /// Id of the node.
    pub node: String,
    /// Cost, when it differs.
    pub cost: Option<Decimal>,
    /// Demand, for the resources in which it differs.
    pub demand: Vec<(u16, Decimal)>,
}

/// Everything a reader found.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// Names and units, in the order people should see them.
    pub resources: Vec<(String, Option<String>)>,
    /// Tasks in order.
    pub tasks: Vec<TaskDraft>,
    /// Nodes in order.
    pub nodes: Vec<NodeDraft>,
    /// Pairs in any order.
    pub pairs: Vec<PairDraft>,
    /// The goal the input asks for; `peak` when it asks for none.
    pub goal: Option<Goal>,
    /// At most one task of the plan on a node.
    pub one_task_per_node: bool,
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

impl Draft {
    /// Position of the resource called `name`, added when it is new.
    pub fn resource(&mut self, name: &str) -> u16 {
        let at = match self.resources.iter().position(|(known, _)| known == name) {
            Some(at) => at,
            None => {
                self.resources.push((name.to_owned(), None));
                self.resources.len() - 1
            }
        };
        at as u16
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
            })
            .collect();
        draft
    }

    /// Checks the draft and turns it into an instance.
    ///
    /// # Errors
    /// No tasks or nodes, empty or duplicate ids, a demanded resource that no
    /// node has, pairs of unknown or repeated tasks and nodes, quantities whose
    /// total does not fit 60 bits at their finest scale.
    pub fn build(self) -> Result<Instance, DraftError> {
        check_sizes(&self)?;
        let task_at = index_ids(self.tasks.iter().map(|t| t.id.as_str()), "task")?;
        let node_at = index_ids(self.nodes.iter().map(|n| n.id.as_str()), "node")?;
        check_resources(&self)?;

        let places: Vec<u8> = (0..self.resources.len()).map(|r| finest(&self, r)).collect();
        let mut demand = Flat::new(&places);
        for (k, task) in self.tasks.iter().enumerate() {
            demand.push(&task.demand, None, DraftItem::Task(k), "demand")?;
        }
        let mut capacity = Flat::new(&places);
        let mut used = Flat::new(&places);
        for (k, node) in self.nodes.iter().enumerate() {
            capacity.push(&node.capacity, None, DraftItem::Node(k), "capacity")?;
            used.push(&node.used, None, DraftItem::Node(k), "used")?;
        }
        let (pairs, pair_cost) = collect_pairs(&self, &places, &demand, &task_at, &node_at)?;

        let mut flats = [demand.values, capacity.values, used.values, pairs.demand];
        let resources = reduce(&self, &places, &mut flats)?;
        let [demand, capacity, used, pair_demand] = flats;
        let (requirement, requirements) = intern(&self.tasks);
        let eligible = requirements.iter().map(|r| accepted(r, &self.nodes)).collect();

        let mut task_names = Names::default();
        self.tasks.iter().for_each(|task| task_names.push(&task.id));
        let mut node_names = Names::default();
        self.nodes.iter().for_each(|node| node_names.push(&node.id));

        let mut instance = Instance {
            resources,
            cost_scale: Scale::ONE,
            task_names,
            demand,
            duration: self.tasks.iter().map(|t| t.duration.unwrap_or(0)).collect(),
            requirement,
            node_names,
            capacity,
            used,
            state: self.nodes.iter().map(|n| n.state).collect(),
            price: Vec::new(),
            rate: Vec::new(),
            labels: Vec::new(),
            requirements,
            eligible,
            pairs: PairTable { demand: pair_demand, ..pairs },
            goal: self.goal.clone().unwrap_or_else(|| Goal::single(Term::Peak)),
            one_task_per_node: self.one_task_per_node,
        };
        set_costs(&mut instance, &self, &pair_cost)?;
        instance.labels = self.nodes.into_iter().map(|node| node.labels).collect();
        Ok(instance)
    }
}

pub(super) fn error(item: DraftItem, field: &str, cause: String, remedy: &str) -> DraftError {
    DraftError { item, field: field.to_owned(), cause, remedy: remedy.to_owned() }
}

fn check_sizes(draft: &Draft) -> Result<(), DraftError> {
    let whole = |cause: &str, remedy| Err(error(DraftItem::Whole, "", cause.to_owned(), remedy));
    if draft.tasks.is_empty() {
        return whole("there are no tasks", "give at least one task");
    }
    if draft.nodes.is_empty() {
        return whole("there are no nodes", "give at least one node");
    }
    if draft.resources.is_empty() {
        return whole("there are no resources", "give tasks a demand and nodes a capacity");
    }
    if draft.resources.len() > 1000 || draft.tasks.len().max(draft.nodes.len()) >= 1 << 31 {
        return whole("the instance is too large", "stay below 1000 resources and 2^31 tasks");
    }
    Ok(())
}

/// Ids to positions, with empty, untidy and repeated ones refused.
fn index_ids<'a>(
    ids: impl Iterator<Item = &'a str>,
    kind: &str,
) -> Result<FxHashMap<&'a str, u32>, DraftError> {
    let item = |k| if kind == "task" { DraftItem::Task(k) } else { DraftItem::Node(k) };
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

/// A resource that tasks need and no node has is nearly always a slip of the pen.
fn check_resources(draft: &Draft) -> Result<(), DraftError> {
    let mut offered = vec![false; draft.resources.len()];
    for node in &draft.nodes {
        for (r, _) in &node.capacity {
            offered[*r as usize] = true;
        }
    }
    let check = |needs: &[(u16, Decimal)], item| {
        for (r, quantity) in needs {
            if !offered[*r as usize] && !quantity.is_zero() {
                let name = &draft.resources[*r as usize].0;
                let known: Vec<&str> = (0..offered.len())
                    .filter(|&k| offered[k])
                    .map(|k| draft.resources[k].0.as_str())
                    .collect();
                let near = nearest(name, known.iter().copied());
                let cause = format!("no node has a capacity for resource `{name}`");
                let remedy = match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("nodes have {}", known.join(", ")),
                };
                return Err(error(item, &format!("demand.{name}"), cause, &remedy));
            }
        }
        Ok(())
    };
    for (k, task) in draft.tasks.iter().enumerate() {
        check(&task.demand, DraftItem::Task(k))?;
    }
    for (k, pair) in draft.pairs.iter().enumerate() {
        check(&pair.demand, DraftItem::Pair(k))?;
    }
    Ok(())
}

/// Most decimal places any quantity of the resource has.
fn finest(draft: &Draft, resource: usize) -> u8 {
    let of = |list: &[(u16, Decimal)]| {
        list.iter()
            .filter(|(r, _)| *r as usize == resource)
            .map(|(_, q)| q.decimals())
            .max()
            .unwrap_or(0)
    };
    let tasks = draft.tasks.iter().map(|t| of(&t.demand)).max();
    let nodes = draft.nodes.iter().map(|n| of(&n.capacity).max(of(&n.used))).max();
    let pairs = draft.pairs.iter().map(|p| of(&p.demand)).max();
    tasks.max(nodes).max(pairs).unwrap_or(0)
}

/// Rows of integers at a given number of decimal places per resource.
struct Flat<'a> {
    places: &'a [u8],
    values: Vec<i64>,
}

impl<'a> Flat<'a> {
    fn new(places: &'a [u8]) -> Flat<'a> {
        Flat { places, values: Vec::new() }
    }

    /// Appends a row; resources not named get `base` or 0.
    fn push(
        &mut self,
        quantities: &[(u16, Decimal)],
        base: Option<&[i64]>,
        item: DraftItem,
        field: &str,
    ) -> Result<(), DraftError> {
        let from = self.values.len();
        match base {
            Some(base) => self.values.extend_from_slice(base),
            None => self.values.resize(from + self.places.len(), 0),
        }
        for (r, quantity) in quantities {
            let r = *r as usize;
            self.values[from + r] = quantity.at_places(self.places[r]).ok_or_else(|| {
                let cause = format!(
                    "{quantity} does not fit beside quantities with {} decimal places",
                    self.places[r]
                );
                error(item, field, cause, "use a larger unit or fewer decimals")
            })?;
        }
        Ok(())
    }

    fn row(&self, index: usize) -> &[i64] {
        let width = self.places.len();
        &self.values[index * width..(index + 1) * width]
    }
}

/// Pairs in rows sorted by node, and each pair's cost where it has one.
fn collect_pairs(
    draft: &Draft,
    places: &[u8],
    demand: &Flat,
    task_at: &FxHashMap<&str, u32>,
    node_at: &FxHashMap<&str, u32>,
) -> Result<(PairTable, Vec<Option<Decimal>>), DraftError> {
    if draft.pairs.is_empty() {
        return Ok((PairTable::default(), Vec::new()));
    }
    let mut order: Vec<(u32, u32, usize)> = Vec::with_capacity(draft.pairs.len());
    for (k, pair) in draft.pairs.iter().enumerate() {
        let find = |map: &FxHashMap<&str, u32>, kind: &str, id: &str| {
            map.get(id).copied().ok_or_else(|| {
                let cause = format!("there is no {kind} `{id}`");
                let near = nearest(id, map.keys().copied());
                let remedy = near.map_or_else(
                    || format!("name a {kind} of this instance"),
                    |near| format!("did you mean `{near}`?"),
                );
                error(DraftItem::Pair(k), kind, cause, &remedy)
            })
        };
        let task = find(task_at, "task", &pair.task)?;
        let node = find(node_at, "node", &pair.node)?;
        order.push((task, node, k));
    }
    order.sort_unstable();
    if let Some(twice) = order.windows(2).find(|w| (w[0].0, w[0].1) == (w[1].0, w[1].1)) {
        let pair = &draft.pairs[twice[1].2];
        let cause = format!("task `{}` and node `{}` are paired twice", pair.task, pair.node);
        return Err(error(DraftItem::Pair(twice[1].2), "", cause, "keep one of the two"));
    }
    let mut table = PairTable::default();
    let mut flat = Flat::new(places);
    let mut costs = Vec::with_capacity(order.len());
    table.start.push(0);
    for (task, node, k) in order {
        while table.start.len() <= task as usize {
            table.start.push(table.node.len() as u32);
        }
        let pair = &draft.pairs[k];
        let base = demand.row(task as usize);
        flat.push(&pair.demand, Some(base), DraftItem::Pair(k), "demand")?;
        table.node.push(NodeId(node));
        costs.push(pair.cost);
    }
    table.start.resize(draft.tasks.len() + 1, table.node.len() as u32);
    table.demand = flat.values;
    Ok((table, costs))
}

/// Divides each resource's integers by what they have in common and refuses
/// totals that could overflow.
fn reduce(
    draft: &Draft,
    places: &[u8],
    flats: &mut [Vec<i64>; 4],
) -> Result<Vec<Resource>, DraftError> {
    let width = places.len();
    let mut resources = Vec::with_capacity(width);
    for (r, (name, unit)) in draft.resources.iter().enumerate() {
        let mut common = 0;
        let mut total: i128 = 0;
        for flat in flats.iter() {
            for value in flat.iter().skip(r).step_by(width) {
                common = gcd(common, *value);
                total += i128::from(*value);
            }
        }
        let common = common.max(1);
        if total / i128::from(common) >= 1 << 60 {
            let cause =
                format!("the quantities of resource `{name}` add up to more than 2^60 steps");
            let remedy = "use a larger unit or fewer decimals";
            return Err(error(DraftItem::Resource(r), "", cause, remedy));
        }
        for flat in flats.iter_mut() {
            flat.iter_mut().skip(r).step_by(width).for_each(|value| *value /= common);
        }
        // A quantity has at most 18 decimal places, so this fits.
        let den = 10i64.pow(u32::from(places[r]));
        let shared = gcd(common, den);
        resources.push(Resource {
            name: name.clone(),
            unit: unit.clone(),
            scale: Scale { num: common / shared, den: den / shared },
        });
    }
    Ok(resources)
}

pub(super) fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a.abs() } else { gcd(b, a % b) }
}

/// Requirement 0 asks nothing; equal requirements share a number.
fn intern(tasks: &[TaskDraft]) -> (Vec<RequirementId>, Vec<Requirement>) {
    let mut list = vec![Requirement::default()];
    let mut known: FxHashMap<&Requirement, RequirementId> = FxHashMap::default();
    let nothing = Requirement::default();
    known.insert(&nothing, 0);
    let ids = tasks
        .iter()
        .map(|task| {
            *known.entry(&task.requires).or_insert_with(|| {
                list.push(task.requires.clone());
                (list.len() - 1) as RequirementId
            })
        })
        .collect();
    (ids, list)
}

fn accepted(requirement: &Requirement, nodes: &[NodeDraft]) -> Vec<bool> {
    nodes
        .iter()
        .map(|node| node.state == NodeState::Ready && requirement.accepts(&node.labels))
        .collect()
}
