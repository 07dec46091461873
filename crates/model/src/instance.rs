//! The immutable problem: what is given to the planner, in integers and flat
//! arrays. Built once, from a [`Draft`](super::Draft).

use super::names::Names;
use super::parts::{
    Costs, Devices, Gang, Moves, NodeState, Reserved, RoomRatio, Rules, Soft, Times, Watts,
    Weights, row_of,
};
use super::{
    Assumption, Decimal, Direction, Goal, LabelValues, Labels, NodeDraft, NodeId, Requirement,
    RequirementId, Risk, Rule, RuleId, Scale, Taint, TaskId, Term, Tier, Wish,
};

/// A named quantity that nodes have and tasks need.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// The name, such as `cpu`.
    pub name: String,
    /// What one unit is called, for people.
    pub unit: Option<String>,
    /// What one integer step stands for.
    pub scale: Scale,
    /// One unit is a card, see [`Instance::devices`].
    pub devices: bool,
    /// Tasks that move take it on both nodes, see [`Instance::held`].
    pub transient: bool,
    /// No node has any: it stands in no demand, and rules of the kind `limit` count it.
    pub limits_only: bool,
}

/// What load balancers know of a node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Traffic {
    /// Share of the work that weighted policies give it.
    pub weight: Decimal,
    /// Connections it has already.
    pub connections: u32,
    /// Time it takes to answer, in milliseconds.
    pub response_time: Decimal,
}

impl Traffic {
    pub(super) fn of(node: &NodeDraft) -> Traffic {
        Traffic {
            weight: node.weight.unwrap_or(Decimal::ONE),
            connections: node.connections,
            response_time: node.response_time.unwrap_or(Decimal::ZERO),
        }
    }
}

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

/// Weights for a node's weighted load, one per resource.
pub type ResourceWeights = Vec<f64>;

/// Pairwise cost and demand, one sparse row a task.
#[derive(Clone, Debug, Default)]
pub(super) struct PairTable {
    /// Row i is `start[i]..start[i + 1]`; empty when there are no pairs at all.
    pub(super) start: Vec<u32>,
    pub(super) node: Vec<NodeId>,
    pub(super) demand: Vec<i64>,
}

/// Everything the planner is given. Immutable.
#[derive(Clone, Debug)]
pub struct Instance {
    pub(super) resources: Vec<Resource>,
    pub(super) task_names: Names,
    /// In order of their first units.
    pub(super) gangs: Vec<Gang>,
    pub(super) demand: Vec<i64>,
    /// Empty when no demand varies.
    pub(super) deviation: Vec<i64>,
    pub(super) duration: Vec<i64>,
    pub(super) requirement: Vec<RequirementId>,
    pub(super) priority: Vec<i64>,
    pub(super) weights: Weights,
    /// Empty when nothing runs anywhere yet; likewise `pinned`.
    pub(super) current: Vec<Option<NodeId>>,
    pub(super) pinned: Vec<bool>,
    /// Empty when no task has a key.
    pub(super) keys: Vec<Option<String>>,
    /// Empty when no task has a standby.
    pub(super) backup: Vec<Option<String>>,
    pub(super) node_names: Names,
    pub(super) capacity: Vec<i64>,
    /// Capacity less what is reserved.
    pub(super) limit: Vec<i64>,
    pub(super) reserved: Reserved,
    /// `i64::MAX` where there is none; empty when there is none at all.
    pub(super) safety: Vec<i64>,
    pub(super) used: Vec<i64>,
    /// What copies have of it; empty where they have none.
    pub(super) overhead: Vec<i64>,
    pub(super) state: Vec<NodeState>,
    pub(super) costs: Costs,
    pub(super) watts: Watts,
    pub(super) max_tasks: Vec<u32>,
    /// What copies have in its place; empty where they have the same.
    pub(super) copy_max_tasks: Vec<u32>,
    pub(super) traffic: Vec<Traffic>,
    pub(super) labels: Vec<Labels>,
    pub(super) taints: Vec<Vec<Taint>>,
    pub(super) requirements: Vec<Requirement>,
    pub(super) eligible: Vec<Vec<bool>>,
    pub(super) soft: Soft,
    pub(super) moves: Moves,
    pub(super) devices: Vec<Devices>,
    /// What is free on each card, nodes x devices, where that does not follow from what is
    /// used; empty where it does.
    pub(super) cards_left: Vec<Vec<i64>>,
    pub(super) rules: Rules,
    pub(super) budgets: Vec<super::Budget>,
    /// Tasks that no budget allows to move; empty where there are none.
    pub(super) still: Vec<bool>,
    /// Demands for resources that only limits look at, a column of tasks each.
    pub(super) aside: Vec<(usize, Vec<i64>)>,
    pub(super) pairs: PairTable,
    pub(super) goal: Goal,
    pub(super) one_task_per_node: bool,
    pub(super) risk: Option<Risk>,
    pub(super) times: Times,
    pub(super) assumptions: Vec<Assumption>,
    pub(super) queue: bool,
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

    /// Seconds the task runs on a node of usual speed, 0 when unknown.
    pub fn duration(&self, task: TaskId) -> i64 {
        self.duration[task.index()]
    }

    /// Which requirement the task has.
    pub fn requirement_of(&self, task: TaskId) -> RequirementId {
        self.requirement[task.index()]
    }

    /// What the task asks of labels and taints.
    pub fn requirement(&self, task: TaskId) -> &Requirement {
        &self.requirements[self.requirement_of(task) as usize]
    }

    /// All distinct requirements; the first asks nothing.
    pub fn requirements(&self) -> &[Requirement] {
        &self.requirements
    }

    /// Which nodes are ready and satisfy the requirement, indexed by node.
    pub fn eligible_nodes(&self, requirement: RequirementId) -> &[bool] {
        &self.eligible[requirement as usize]
    }

    /// True when the node is ready, satisfies the task's requirement, and is the
    /// one it is pinned to if it is pinned.
    pub fn eligible(&self, task: TaskId, node: NodeId) -> bool {
        self.eligible[self.requirement_of(task) as usize][node.index()]
            && (self.pinned.is_empty() && self.still.is_empty()
                || self.pin(task).is_none_or(|pin| pin == node))
    }

    /// Where the task runs now.
    pub fn current(&self, task: TaskId) -> Option<NodeId> {
        self.current.get(task.index()).copied().flatten()
    }

    /// Higher ones are placed first.
    pub fn priority(&self, task: TaskId) -> i64 {
        self.priority[task.index()]
    }

    /// Every priority there is, the highest first.
    pub fn priorities(&self) -> Vec<i64> {
        let mut all = self.priority.clone();
        all.sort_unstable_by(|a, b| b.cmp(a));
        all.dedup();
        all
    }

    /// What leaving the task out weighs, in steps of [`Instance::weight_scale`].
    pub fn drop_weight(&self, task: TaskId) -> i64 {
        self.weights.own.get(task.index()).copied().unwrap_or(1)
    }

    /// What one step of a weight stands for.
    pub fn weight_scale(&self) -> Scale {
        self.weights.scale
    }

    /// What hash policies hash.
    pub fn key(&self, task: TaskId) -> &str {
        let own = self.keys.get(task.index()).and_then(|key| key.as_deref());
        own.unwrap_or_else(|| self.task_name(task))
    }

    /// The key as given.
    pub fn own_key(&self, task: TaskId) -> Option<&str> {
        self.keys.get(task.index()).and_then(|key| key.as_deref())
    }

    /// Rules between tasks.
    pub fn rules(&self) -> &[Rule] {
        &self.rules.all
    }

    /// The rules that concern the task, and whether as one of `near`'s others.
    pub fn rules_of(&self, task: TaskId) -> &[(RuleId, bool)] {
        row_of(&self.rules.of, task)
    }

    /// Rules between tasks that may be broken, at a price in `soft`.
    pub fn wishes(&self) -> &[Wish] {
        &self.rules.wishes
    }

    /// The wishes that concern the task, and whether as one of their others.
    pub fn wishes_of(&self, task: TaskId) -> &[(RuleId, bool)] {
        row_of(&self.rules.wishes_of, task)
    }

    /// The labels that rules look at; the first is the node itself.
    pub fn label_values(&self) -> &[LabelValues] {
        &self.rules.labels
    }

    /// The value that the rule sees in the node; `None` without the label, and where it is one that
    /// the rule does not look at.
    pub fn value_of(&self, rule: &Rule, node: NodeId) -> Option<u32> {
        let value = self.rules.labels[rule.over as usize].of[node.index()];
        let seen = rule.limit().is_none_or(|limit| limit.looks_at(value));
        (value != LabelValues::NONE && seen).then_some(value)
    }

    /// Capacity per resource.
    pub fn capacity(&self, node: NodeId) -> &[i64] {
        self.row(&self.capacity, node.index())
    }

    /// What the plan may fill: the capacity less what is reserved.
    pub fn limit(&self, node: NodeId) -> &[i64] {
        self.row(&self.limit, node.index())
    }

    /// Loads above which each step has its price; `i64::MAX` where there is none,
    /// nothing when no node has any.
    pub fn safety(&self, node: NodeId) -> &[i64] {
        if self.safety.is_empty() { &[] } else { self.row(&self.safety, node.index()) }
    }

    /// Price of one step of load above the safety capacity, in soft units.
    pub fn safety_price(&self, resource: usize) -> i64 {
        self.soft.price[resource]
    }

    /// Price of preferences that the node does not meet, in soft units.
    pub fn penalty(&self, task: TaskId, node: NodeId) -> i64 {
        self.soft.penalty[self.requirement_of(task) as usize]
            .get(node.index())
            .copied()
            .unwrap_or(0)
    }

    /// What one soft unit stands for.
    pub fn soft_scale(&self) -> Scale {
        self.soft.scale
    }

    /// True when any soft rule can cost anything.
    pub fn has_soft(&self) -> bool {
        self.has_penalties()
            || (!self.safety.is_empty() && self.soft.price.iter().any(|price| *price > 0))
            || !self.soft.ratios.is_empty()
            || self.rules.wishes.iter().any(|wish| wish.price > 0)
    }

    /// True when some task likes some nodes better than others.
    pub fn has_penalties(&self) -> bool {
        self.soft.penalty.iter().any(|row| !row.is_empty())
    }

    /// Room that should be free beside other room, on every counted node.
    pub fn ratios(&self) -> &[RoomRatio] {
        &self.soft.ratios
    }

    /// Load per resource that is there already and not part of the plan.
    pub fn used(&self, node: NodeId) -> &[i64] {
        self.row(&self.used, node.index())
    }

    /// What the plan may put on the node in one resource: never negative, also
    /// where the load that is there already exceeds the capacity. While tasks move
    /// there may be less, see [`Instance::free_for_others`].
    pub fn free(&self, node: NodeId, resource: usize) -> i64 {
        (self.limit(node)[resource] - self.used(node)[resource]).max(0)
    }

    /// Whether the node takes tasks.
    pub fn state(&self, node: NodeId) -> NodeState {
        self.state[node.index()]
    }

    /// True when the node takes tasks, and so counts in metrics and goals: it is
    /// ready. What no plan can use or relieve says nothing about a plan.
    pub fn counted(&self, node: NodeId) -> bool {
        self.state(node) == NodeState::Ready
    }

    /// The node's labels.
    pub fn labels(&self, node: NodeId) -> &Labels {
        &self.labels[node.index()]
    }

    /// The node's taints.
    pub fn taints(&self, node: NodeId) -> &[Taint] {
        &self.taints[node.index()]
    }

    /// Tasks of the plan that the node takes at most.
    pub fn max_tasks(&self, node: NodeId) -> u32 {
        let one = if self.one_task_per_node { 1 } else { u32::MAX };
        self.max_tasks[node.index()].min(one)
    }

    /// The same as given for this node.
    pub fn own_max_tasks(&self, node: NodeId) -> u32 {
        self.max_tasks[node.index()]
    }

    /// What load balancers know of the node.
    pub fn traffic(&self, node: NodeId) -> Traffic {
        self.traffic[node.index()]
    }

    /// Price of using the node at all, in cost units.
    pub fn price(&self, node: NodeId) -> i64 {
        self.costs.price[node.index()]
    }

    /// Cost of one second of one task on the node, in cost units.
    pub fn rate(&self, node: NodeId) -> i64 {
        self.costs.rate[node.index()]
    }

    /// Cost of this task on this node, in cost units, without the node's price.
    pub fn cost_on(&self, task: TaskId, node: NodeId) -> i64 {
        match self.pair(task, node) {
            Some(pair) => pair.cost,
            None => self.base_cost(task, node),
        }
    }

    /// The cost of the task's time on the node: what it costs where no pair says otherwise.
    pub fn base_cost(&self, task: TaskId, node: NodeId) -> i64 {
        match self.costs.rate[node.index()] {
            0 => 0,
            rate => rate * self.duration_on(task, node),
        }
    }

    /// What one cost unit stands for.
    pub fn cost_scale(&self) -> Scale {
        self.costs.scale
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
        self.pair_position(task, node).map(|at| self.pair_at(at))
    }

    pub(super) fn pair_position(&self, task: TaskId, node: NodeId) -> Option<usize> {
        let range = self.pair_range(task);
        let row = &self.pairs.node[range.clone()];
        let at = if row.len() == self.nodes() {
            node.index() // a full row: position = node
        } else {
            row.binary_search(&node).ok()?
        };
        Some(range.start + at)
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
            cost: self.costs.pair[at],
            demand: self.row(&self.pairs.demand, at),
        }
    }

    pub(super) fn row<'a>(&self, flat: &'a [i64], index: usize) -> &'a [i64] {
        let width = self.resources.len();
        &flat[index * width..(index + 1) * width]
    }

    /// What its source says and the instance does not.
    pub fn assumptions(&self) -> &[Assumption] {
        &self.assumptions
    }

    /// Whether the cluster may allow what this instance does not: then that there is no plan, or no
    /// better one, is proven of the instance alone.
    pub fn may_be_too_narrow(&self) -> bool {
        self.assumptions.iter().any(|assumed| assumed.direction != Direction::Wider)
    }

    /// Whether its tasks are a queue, as its source has it: what does not fit waits.
    pub fn is_queue(&self) -> bool {
        self.queue
    }

    /// What is minimised.
    pub fn goal(&self) -> &Goal {
        &self.goal
    }

    /// The same instance with another goal. What is soft joins it as the last tier
    /// unless the goal says where it belongs.
    pub fn with_goal(mut self, mut goal: Goal) -> Instance {
        if self.has_soft() && !goal.mentions(Term::Soft) {
            goal.tiers.push(Tier::single(Term::Soft));
        }
        self.goal = goal;
        self
    }

    /// True when every node takes at most one task of the plan.
    pub fn one_task_per_node(&self) -> bool {
        self.one_task_per_node
    }

    /// The same instance with or without that limit.
    pub fn with_one_task_per_node(mut self, limit: bool) -> Instance {
        self.one_task_per_node = limit;
        self
    }
}
