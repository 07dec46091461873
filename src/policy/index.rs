//! A tree over the nodes that knows, for every group of neighbours, how much
//! room there is at most and how loaded they are at least. The best node for a
//! task is found by branch and bound on it instead of by scoring every node.

use super::{Policy, Score};
use crate::model::{Instance, NodeId, TaskId};
use crate::state::State;

/// What is known of a group of nodes in one resource.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Most room on any node.
    pub max_free: i64,
    /// Lowest and highest load over capacity of any node.
    pub min_utilisation: f64,
    /// See `min_utilisation`.
    pub max_utilisation: f64,
    /// Least and most that one unit of demand adds to a node's utilisation.
    pub min_step: f64,
    /// See `min_step`.
    pub max_step: f64,
}

impl Summary {
    /// Joins anything without changing it.
    const NOTHING: Summary = Summary {
        max_free: i64::MIN,
        min_utilisation: f64::INFINITY,
        max_utilisation: 0.0,
        min_step: f64::INFINITY,
        max_step: 0.0,
    };

    fn join(self, other: Summary) -> Summary {
        Summary {
            max_free: self.max_free.max(other.max_free),
            min_utilisation: self.min_utilisation.min(other.min_utilisation),
            max_utilisation: self.max_utilisation.max(other.max_utilisation),
            min_step: self.min_step.min(other.min_step),
            max_step: self.max_step.max(other.max_step),
        }
    }

    fn of(capacity: i64, load: i64) -> Summary {
        if capacity == 0 {
            // No utilisation here: it neither raises a node's load nor leaves room.
            return Summary {
                max_free: 0,
                min_utilisation: 0.0,
                max_utilisation: 1.0,
                min_step: 0.0,
                max_step: 0.0,
            };
        }
        let utilisation = load as f64 / capacity as f64;
        let step = 1.0 / capacity as f64;
        Summary {
            max_free: capacity - load,
            min_utilisation: utilisation,
            max_utilisation: utilisation,
            min_step: step,
            max_step: step,
        }
    }
}

/// A run of neighbouring nodes.
pub struct Group<'a> {
    /// Index of its first node.
    pub first: usize,
    /// Index of its last node.
    pub last: usize,
    /// One summary a resource.
    pub resources: &'a [Summary],
    /// Least price that placing a first task on one of its nodes costs: 0 as
    /// soon as one of them is used.
    pub min_entry: i64,
}

/// The tree: a complete binary tree in an array, leaves in node order.
pub(super) struct NodeIndex<'a> {
    instance: &'a Instance,
    /// Number of leaves, a power of two.
    leaves: usize,
    /// Row-major, tree nodes x resources; tree node 1 is the root.
    summaries: Vec<Summary>,
    entry: Vec<i64>,
    /// Per requirement and tree node: whether any node below is eligible.
    eligible: Vec<Vec<bool>>,
    fresh: Option<(Vec<Summary>, Vec<i64>)>,
}

impl<'a> NodeIndex<'a> {
    pub(super) fn new(instance: &'a Instance) -> NodeIndex<'a> {
        let leaves = instance.nodes().next_power_of_two();
        let width = instance.resources().len();
        let mut index = NodeIndex {
            instance,
            leaves,
            summaries: vec![Summary::NOTHING; 2 * leaves * width],
            entry: vec![i64::MAX; 2 * leaves],
            eligible: Vec::new(),
            fresh: None,
        };
        for requirement in 0..instance.requirements().len() as u32 {
            let mut any = vec![false; 2 * leaves];
            let eligible = instance.eligible_nodes(requirement);
            any[leaves..leaves + eligible.len()].copy_from_slice(eligible);
            for k in (1..leaves).rev() {
                any[k] = any[2 * k] || any[2 * k + 1];
            }
            index.eligible.push(any);
        }
        let empty = State::new(instance);
        for node in instance.node_ids() {
            index.set_leaf(&empty, node);
        }
        for k in (1..leaves).rev() {
            index.pull(k);
        }
        index
    }

    pub(super) fn instance(&self) -> &'a Instance {
        self.instance
    }

    /// Back to nothing placed.
    pub(super) fn reset(&mut self) {
        match &self.fresh {
            None => self.fresh = Some((self.summaries.clone(), self.entry.clone())),
            Some((summaries, entry)) => {
                self.summaries.copy_from_slice(summaries);
                self.entry.copy_from_slice(entry);
            }
        }
    }

    /// Takes over what changed on one node.
    pub(super) fn refresh(&mut self, state: &State, node: NodeId) {
        self.set_leaf(state, node);
        let mut k = (self.leaves + node.index()) / 2;
        while k > 0 {
            self.pull(k);
            k /= 2;
        }
    }

    fn set_leaf(&mut self, state: &State, node: NodeId) {
        let width = self.instance.resources().len();
        let leaf = self.leaves + node.index();
        let load = state.load(node);
        for (r, capacity) in self.instance.capacity(node).iter().enumerate() {
            self.summaries[leaf * width + r] = Summary::of(*capacity, load[r]);
        }
        self.entry[leaf] = if state.count(node) == 0 { self.instance.price(node) } else { 0 };
    }

    fn pull(&mut self, k: usize) {
        let width = self.instance.resources().len();
        for r in 0..width {
            let left = self.summaries[2 * k * width + r];
            let right = self.summaries[(2 * k + 1) * width + r];
            self.summaries[k * width + r] = left.join(right);
        }
        self.entry[k] = self.entry[2 * k].min(self.entry[2 * k + 1]);
    }

    /// The node with the lowest score among those the task fits on; the first
    /// of equals.
    pub(super) fn best(&self, state: &State, policy: &dyn Policy, task: TaskId) -> Option<NodeId> {
        let mut search = Search {
            index: self,
            state,
            policy,
            task,
            demand: self.instance.demand(task),
            any: &self.eligible[self.instance.requirement_of(task) as usize],
            best: None,
        };
        if self.instance.task_has_pairs(task) {
            // Demand and cost differ from node to node: groups say nothing.
            self.instance.node_ids().for_each(|node| search.leaf(node));
        } else if let Some(bound) = search.bound(1, 0, self.leaves) {
            search.visit(1, 0, self.leaves, bound);
        }
        search.best.map(|(_, node)| node)
    }
}

struct Search<'a, 'b> {
    index: &'b NodeIndex<'a>,
    state: &'b State<'a>,
    policy: &'b dyn Policy,
    task: TaskId,
    demand: &'b [i64],
    any: &'b [bool],
    best: Option<(Score, NodeId)>,
}

impl Search<'_, '_> {
    /// The group's bound, `None` when the task fits on none of its nodes.
    fn bound(&self, k: usize, first: usize, size: usize) -> Option<Score> {
        if !self.any[k] {
            return None;
        }
        let width = self.demand.len();
        let resources = &self.index.summaries[k * width..(k + 1) * width];
        let full = |(demand, s): (&i64, &Summary)| *demand > 0 && *demand > s.max_free;
        if self.demand.iter().zip(resources).any(full) {
            return None;
        }
        let group =
            Group { first, last: first + size - 1, resources, min_entry: self.index.entry[k] };
        Some(self.policy.bound(&group, self.demand))
    }

    fn visit(&mut self, k: usize, first: usize, size: usize, bound: Score) {
        if let Some((best, node)) = self.best
            && (bound > best || (bound == best && first > node.index()))
        {
            return;
        }
        if size == 1 {
            return self.leaf(NodeId(first as u32));
        }
        let half = size / 2;
        let left = self.bound(2 * k, first, half).map(|b| (b, 2 * k, first));
        let right = self.bound(2 * k + 1, first + half, half);
        let right = right.map(|b| (b, 2 * k + 1, first + half));
        let swap = matches!((left, right), (Some((a, ..)), Some((b, ..))) if b < a);
        let ordered = if swap { [right, left] } else { [left, right] };
        for (bound, k, first) in ordered.into_iter().flatten() {
            self.visit(k, first, half, bound);
        }
    }

    fn leaf(&mut self, node: NodeId) {
        if node.index() < self.index.instance.nodes() && self.state.fits(self.task, node) {
            let score = self.policy.score(self.state, self.task, node);
            if self.best.is_none_or(|(best, at)| (score, node) < (best, at)) {
                self.best = Some((score, node));
            }
        }
    }
}
