//! The mutable counterpart of a plan: loads, cards and rules kept
//! incrementally, in integers.

mod cards;
mod tally;
mod wishes;

pub use cards::{choose, pack};
pub use tally::Ties;
pub use wishes::{Step, Wishes};

use crate::{CardSet, Instance, NodeId, Plan, RuleId, TaskId};
use cards::Cards;

/// Why a task cannot go to a node as things stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Block {
    /// The node takes no tasks, the task's requirement refuses it, or the task is
    /// pinned elsewhere.
    Ineligible,
    /// The resource would be overloaded.
    Capacity(usize),
    /// The resource would be overloaded more often than the risk allows.
    Risk(usize),
    /// No card has room for the share, or too few are free.
    Cards(usize),
    /// The node has as many tasks as it takes.
    MaxTasks,
    /// A rule between tasks.
    Rule(RuleId),
}

/// A plan under construction, with what each node carries.
#[derive(Clone, Debug)]
pub struct State<'a> {
    instance: &'a Instance,
    /// Row-major, nodes x resources, existing load included.
    load: Vec<i64>,
    /// What is taken while tasks move: of transient resources what was there, what
    /// today's tasks hold and what has come from elsewhere, of others the load.
    /// Empty when nothing is transient: then it is the load.
    claimed: Vec<i64>,
    /// Sums of squared deviations, as the loads; empty when there is no risk to be kept.
    variance: Vec<i128>,
    /// Tasks of the plan per node.
    count: Vec<u32>,
    placement: Vec<Option<NodeId>>,
    cards: Cards,
    ties: Ties<'a>,
}

impl<'a> State<'a> {
    /// Nothing placed yet.
    pub fn new(instance: &'a Instance) -> State<'a> {
        let rows = |node| instance.used(node).iter().zip(instance.held(node));
        let claims = |node| rows(node).map(|(used, held)| used + held);
        State {
            instance,
            load: instance
                .node_ids()
                .flat_map(|node| instance.used(node).iter().copied())
                .collect(),
            claimed: match instance.has_transient() {
                true => instance.node_ids().flat_map(claims).collect(),
                false => Vec::new(),
            },
            variance: match instance.kept_risk() {
                Some(_) => vec![0; instance.nodes() * instance.resources().len()],
                None => Vec::new(),
            },
            count: vec![0; instance.nodes()],
            placement: vec![None; instance.tasks()],
            cards: Cards::new(instance),
            ties: Ties::new(instance),
        }
    }

    /// A plan taken up as it is, whether or not it keeps the rules. Where it names
    /// no cards, they are dealt out anew; tasks that no card is left for get none.
    pub fn load_plan(instance: &'a Instance, plan: &Plan) -> State<'a> {
        let mut state = State::new(instance);
        state.cards.deal(instance, plan);
        for (task, node) in plan.placements() {
            state.add(task, node);
        }
        state
    }

    /// The instance being planned.
    pub fn instance(&self) -> &'a Instance {
        self.instance
    }

    /// Load per resource.
    pub fn load(&self, node: NodeId) -> &[i64] {
        let width = self.instance.resources().len();
        &self.load[node.index() * width..(node.index() + 1) * width]
    }

    /// What is taken of each resource as this task sees it: the load on the node
    /// where it runs now; elsewhere, of transient resources, also what tasks hold
    /// that move away.
    pub fn taken(&self, task: TaskId, node: NodeId) -> &[i64] {
        if self.claimed.is_empty() || self.instance.current(task) == Some(node) {
            return self.load(node);
        }
        let width = self.instance.resources().len();
        &self.claimed[node.index() * width..(node.index() + 1) * width]
    }

    /// Tasks of the plan on the node.
    pub fn count(&self, node: NodeId) -> u32 {
        self.count[node.index()]
    }

    /// Where the task is.
    pub fn node_of(&self, task: TaskId) -> Option<NodeId> {
        self.placement[task.index()]
    }

    /// What is free on each card of the node, for the `device`-th of
    /// [`Instance::devices`].
    pub fn free_cards(&self, node: NodeId, device: usize) -> &[i64] {
        self.cards.free(node, device)
    }

    /// What would be free on the cards of the node with the task there; `None`
    /// when it does not fit.
    pub fn cards_after(&self, task: TaskId, node: NodeId, device: usize) -> Option<Vec<i64>> {
        let of = self.instance.devices()[device];
        let demand = self.instance.demand_on(task, node)[of.resource];
        cards::after(self.cards.free(node, device), of.card, demand)
    }

    /// True when nothing forbids the task on the node as things stand.
    pub fn fits(&self, task: TaskId, node: NodeId) -> bool {
        self.blocked(task, node).is_none()
    }

    /// Whether a limit on the plan as a whole keeps the task off every node.
    pub fn shut(&self, task: TaskId) -> bool {
        self.ties.shut(task)
    }

    /// The first thing that forbids an unplaced task on the node.
    pub fn blocked(&self, task: TaskId, node: NodeId) -> Option<Block> {
        let instance = self.instance;
        if !instance.eligible(task, node) {
            return Some(Block::Ineligible);
        }
        if self.count(node) >= instance.max_tasks(node) {
            return Some(Block::MaxTasks);
        }
        let (limit, load) = (instance.limit(node), self.taken(task, node));
        let demand = instance.demand_on(task, node);
        let over = |r: &usize| demand[*r] > 0 && load[*r] + demand[*r] > limit[*r];
        if let Some(r) = (0..demand.len()).find(over) {
            return Some(Block::Capacity(r));
        }
        if let Some(r) = self.too_risky(task, node) {
            return Some(Block::Risk(r));
        }
        for (d, device) in instance.devices().iter().enumerate() {
            let wanted = demand[device.resource];
            if wanted > 0 && cards::choose(self.cards.free(node, d), device.card, wanted).is_none()
            {
                return Some(Block::Cards(device.resource));
            }
        }
        self.ties.refuses(task, node).map(Block::Rule)
    }

    /// The first resource in which the node would not keep the risk with the task there.
    fn too_risky(&self, task: TaskId, node: NodeId) -> Option<usize> {
        let instance = self.instance;
        let risk = instance.kept_risk()?;
        let demand = instance.demand_on(task, node);
        let (limit, load) = (instance.limit(node), self.taken(task, node));
        (0..demand.len()).filter(|r| demand[*r] > 0).find(|r| {
            let there = self.variance[node.index() * demand.len() + r];
            let slack = limit[*r] - load[*r] - demand[*r];
            !risk.covers(slack, there + instance.variance_on(task, node, *r))
        })
    }

    /// Puts an unplaced task on a node.
    pub fn place(&mut self, task: TaskId, node: NodeId) {
        debug_assert!(self.fits(task, node), "placed where it does not fit");
        self.restore(task, node);
    }

    /// Puts a task back where it was before it was removed: nothing is asked.
    pub fn restore(&mut self, task: TaskId, node: NodeId) {
        self.cards.take(self.instance, task, node);
        self.add(task, node);
    }

    /// The cards that a task has, one set for each of [`Instance::devices`].
    pub fn cards_of(&self, task: TaskId) -> &[CardSet] {
        self.cards.of(self.instance, task)
    }

    /// Puts a task back on the very cards that it had before it was removed.
    pub fn put_back(&mut self, task: TaskId, node: NodeId, cards: &[CardSet]) {
        self.cards.take_these(self.instance, (task, node), cards);
        self.add(task, node);
    }

    /// Whether the rule holds as things stand.
    pub fn holds(&self, rule: RuleId) -> bool {
        self.ties.holds(rule)
    }

    /// Everything about a placement but its cards.
    fn add(&mut self, task: TaskId, node: NodeId) {
        debug_assert!(self.placement[task.index()].is_none(), "placed twice");
        self.change(task, node, 1);
        self.placement[task.index()] = Some(node);
    }

    /// Takes a placed task off its node; nothing happens to an unplaced one.
    pub fn remove(&mut self, task: TaskId) {
        let Some(node) = self.placement[task.index()].take() else { return };
        self.cards.give_back(self.instance, task, node);
        self.change(task, node, -1);
    }

    fn change(&mut self, task: TaskId, node: NodeId, sign: i64) {
        let width = self.instance.resources().len();
        let row = &mut self.load[node.index() * width..(node.index() + 1) * width];
        for (load, demand) in row.iter_mut().zip(self.instance.demand_on(task, node)) {
            *load += sign * demand;
        }
        if !self.variance.is_empty() {
            let row = &mut self.variance[node.index() * width..(node.index() + 1) * width];
            for (r, variance) in row.iter_mut().enumerate() {
                *variance += i128::from(sign) * self.instance.variance_on(task, node, r);
            }
        }
        if !self.claimed.is_empty() {
            let stays = self.instance.current(task) == Some(node);
            let row = &mut self.claimed[node.index() * width..(node.index() + 1) * width];
            let demand = self.instance.demand_on(task, node);
            for (r, (claimed, demand)) in row.iter_mut().zip(demand).enumerate() {
                if !(stays && self.instance.transient(r)) {
                    *claimed += sign * demand;
                }
            }
        }
        let count = &mut self.count[node.index()];
        *count = if sign > 0 { *count + 1 } else { *count - 1 };
        self.ties.change(task, node, sign > 0);
    }

    /// Rules that the plan breaks as it stands.
    pub fn broken_rules(&self) -> Vec<RuleId> {
        let rules = 0..self.instance.rules().len() as RuleId;
        rules.filter(|rule| !self.ties.holds(*rule)).collect()
    }

    /// The plan as it stands.
    pub fn unload(self) -> Plan {
        Plan { placement: self.placement, cards: self.cards.held() }
    }
}
