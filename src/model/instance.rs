//! The immutable problem: what is given to the planner, in integers and flat
//! arrays. Built once, from a [`Draft`](super::Draft).

use super::names::Names;
use super::{Goal, NodeId, Scale, TaskId};

/// A named quantity that nodes have and tasks need.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// The name, such as `cpu`.
    pub name: String,
    /// What one unit is called, for people.
    pub unit: Option<String>,
    /// What one integer step stands for.
    pub scale: Scale,
}

/// Whether a node takes tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum NodeState {
    /// Takes tasks.
    #[default]
    Ready,
    /// Takes no new task and is on its way out; counts in no figure.
    Drain,
    /// Gone.
    Down,
}

/// Label keys and values of a node.
pub type Labels = Vec<(String, String)>;

/// What a task asks of a node's labels: every key must have one of its values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Requirement {
    /// Keys with the values that will do, sorted by key.
    pub any_of: Vec<(String, Vec<String>)>,
}

impl Requirement {
    /// True when `labels` satisfy every key.
    pub fn accepts(&self, labels: &Labels) -> bool {
        self.any_of.iter().all(|(key, values)| {
            labels.iter().any(|(k, v)| k == key && values.iter().any(|value| value == v))
        })
    }
}

/// A requirement, by its position in [`Instance::requirements`]. 0 asks nothing.
pub type RequirementId = u32;

/// What one task costs and needs on one node, where that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair<'a> {
    /// The node.
    pub node: NodeId,
    /// Cost in integer cost units.
    pub cost: i64,
    /// Demand per resource.
    pub demand: &'a [i64],
}

/// Weights for the documents' weighted load, one per resource.
pub type ResourceWeights = Vec<f64>;

/// Pairwise cost and demand, one sparse row a task.
#[derive(Clone, Debug, Default)]
pub(super) struct PairTable {
    /// Row i is `start[i]..start[i + 1]`; empty when there are no pairs at all.
    pub(super) start: Vec<u32>,
    pub(super) node: Vec<NodeId>,
    pub(super) cost: Vec<i64>,
    pub(super) demand: Vec<i64>,
}

/// Everything the planner is given. Immutable.
#[derive(Clone, Debug)]
pub struct Instance {
    pub(super) resources: Vec<Resource>,
    pub(super) cost_scale: Scale,
    pub(super) task_names: Names,
    pub(super) demand: Vec<i64>,
    pub(super) duration: Vec<i64>,
    pub(super) requirement: Vec<RequirementId>,
    pub(super) node_names: Names,
    pub(super) capacity: Vec<i64>,
    pub(super) used: Vec<i64>,
    pub(super) state: Vec<NodeState>,
    pub(super) price: Vec<i64>,
    pub(super) rate: Vec<i64>,
    pub(super) labels: Vec<Labels>,
    pub(super) requirements: Vec<Requirement>,
    pub(super) eligible: Vec<Vec<bool>>,
    pub(super) pairs: PairTable,
    pub(super) goal: Goal,
    pub(super) one_task_per_node: bool,
}

impl Instance {
    /// Number of tasks.
    pub fn tasks(&self) -> usize {
        self.task_names.len()
    }

    /// Number of nodes.
    pub fn nodes(&self) -> usize {
        self.node_names.len()
    }

    /// Every task, in instance order.
    pub fn task_ids(&self) -> impl ExactSizeIterator<Item = TaskId> + use<> {
        (0..self.tasks() as u32).map(TaskId)
    }

    /// Every node, in instance order.
    pub fn node_ids(&self) -> impl ExactSizeIterator<Item = NodeId> + use<> {
        (0..self.nodes() as u32).map(NodeId)
    }

    /// The resources, in the order of every per-resource slice.
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// The task's id.
    pub fn task_name(&self, task: TaskId) -> &str {
        self.task_names.get(task.index())
    }

    /// The node's id.
    pub fn node_name(&self, node: NodeId) -> &str {
        self.node_names.get(node.index())
    }

    /// Demand per resource, where no pair says otherwise.
    pub fn demand(&self, task: TaskId) -> &[i64] {
        self.row(&self.demand, task.index())
    }

    /// Demand per resource on this node.
    pub fn demand_on(&self, task: TaskId, node: NodeId) -> &[i64] {
        match self.pair(task, node) {
            Some(pair) => pair.demand,
            None => self.demand(task),
        }
    }

    /// Seconds the task runs, 0 when unknown.
    pub fn duration(&self, task: TaskId) -> i64 {
        self.duration[task.index()]
    }

    /// Which requirement the task has.
    pub fn requirement_of(&self, task: TaskId) -> RequirementId {
        self.requirement[task.index()]
    }

    /// All distinct requirements; the first asks nothing.
    pub fn requirements(&self) -> &[Requirement] {
        &self.requirements
    }

    /// Which nodes are ready and satisfy the requirement, indexed by node.
    pub fn eligible_nodes(&self, requirement: RequirementId) -> &[bool] {
        &self.eligible[requirement as usize]
    }

    /// True when the node is ready and satisfies the task's requirement.
    pub fn eligible(&self, task: TaskId, node: NodeId) -> bool {
        self.eligible[self.requirement_of(task) as usize][node.index()]
    }

    /// Capacity per resource.
    pub fn capacity(&self, node: NodeId) -> &[i64] {
        self.row(&self.capacity, node.index())
    }

    /// Load per resource that is there already and not part of the plan.
    pub fn used(&self, node: NodeId) -> &[i64] {
        self.row(&self.used, node.index())
    }

    /// What the plan may put on the node in one resource: never negative, also
    /// where the load that is there already exceeds the capacity.
    pub fn free(&self, node: NodeId, resource: usize) -> i64 {
        (self.capacity(node)[resource] - self.used(node)[resource]).max(0)
    }

    /// Whether the node takes tasks.
    pub fn state(&self, node: NodeId) -> NodeState {
        self.state[node.index()]
    }

    /// True when the node counts in metrics and goals: it is ready. What no plan
    /// can use or relieve says nothing about a plan.
    pub fn counted(&self, node: NodeId) -> bool {
        self.state(node) == NodeState::Ready
    }

    /// The node's labels.
    pub fn labels(&self, node: NodeId) -> &Labels {
        &self.labels[node.index()]
    }

    /// Price of using the node at all, in cost units.
    pub fn price(&self, node: NodeId) -> i64 {
        self.price[node.index()]
    }

    /// Cost of one second of one task on the node, in cost units.
    pub fn rate(&self, node: NodeId) -> i64 {
        self.rate[node.index()]
    }

    /// Cost of this task on this node, in cost units, without the node's price.
    pub fn cost_on(&self, task: TaskId, node: NodeId) -> i64 {
        match self.pair(task, node) {
            Some(pair) => pair.cost,
            None => self.base_cost(task, node),
        }
    }

    pub(super) fn base_cost(&self, task: TaskId, node: NodeId) -> i64 {
        self.rate[node.index()] * self.duration[task.index()]
    }

    /// What one cost unit stands for.
    pub fn cost_scale(&self) -> Scale {
        self.cost_scale
    }

    /// The pairs of one task, sorted by node.
    pub fn pairs(&self, task: TaskId) -> impl ExactSizeIterator<Item = Pair<'_>> + '_ {
        self.pair_range(task).map(|at| self.pair_at(at))
    }

    /// True when any pair exists.
    pub fn has_pairs(&self) -> bool {
        !self.pairs.node.is_empty()
    }

    /// True when the task has a pair of its own.
    pub fn task_has_pairs(&self, task: TaskId) -> bool {
        !self.pair_range(task).is_empty()
    }

    fn pair(&self, task: TaskId, node: NodeId) -> Option<Pair<'_>> {
        let range = self.pair_range(task);
        let row = &self.pairs.node[range.clone()];
        let at = if row.len() == self.nodes() {
            node.index() // a full row: position = node
        } else {
            row.binary_search(&node).ok()?
        };
        Some(self.pair_at(range.start + at))
    }

    pub(super) fn pair_range(&self, task: TaskId) -> std::ops::Range<usize> {
        match self.pairs.start.get(task.index()..=task.index() + 1) {
            Some(&[from, to]) => from as usize..to as usize,
            _ => 0..0,
        }
    }

    fn pair_at(&self, at: usize) -> Pair<'_> {
        Pair {
            node: self.pairs.node[at],
            cost: self.pairs.cost[at],
            demand: self.row(&self.pairs.demand, at),
        }
    }

    fn row<'a>(&self, flat: &'a [i64], index: usize) -> &'a [i64] {
        let width = self.resources.len();
        &flat[index * width..(index + 1) * width]
    }

    /// What is minimised.
    pub fn goal(&self) -> &Goal {
        &self.goal
    }

    /// The same instance with another goal.
    pub fn with_goal(mut self, goal: Goal) -> Instance {
        self.goal = goal;
        self
    }

    /// True when a node takes at most one task of the plan.
    pub fn one_task_per_node(&self) -> bool {
        self.one_task_per_node
    }

    /// The same instance with or without that limit.
    pub fn with_one_task_per_node(mut self, limit: bool) -> Instance {
        self.one_task_per_node = limit;
        self
    }

    /// The first resource in which the task does not fit on the node even when
    /// nothing else of the plan is there; `None` when it fits.
    pub fn lacks_alone(&self, task: TaskId, node: NodeId) -> Option<usize> {
        let demand = self.demand_on(task, node);
        (0..demand.len()).find(|&r| demand[r] > self.free(node, r))
    }

    /// True when the task may be placed on the node and fits there alone.
    pub fn fits_alone(&self, task: TaskId, node: NodeId) -> bool {
        self.eligible(task, node) && self.lacks_alone(task, node).is_none()
    }
}
