//! Nodes in blocks of neighbours. A block knows how much room there is at most
//! and how loaded its nodes are at least, which skips most blocks; within a
//! block, utilisations lie side by side in memory, so that one pass of vector
//! arithmetic skips most nodes. Only the few that remain are scored.

use super::{Policy, Score};
use model::state::State;
use model::{Instance, NodeId, ROUNDING, TaskId};

/// Nodes in a block.
pub(super) const BLOCK: usize = 64;
/// Scores that are no further apart are taken for equal.
const HAIR: f64 = 2.0 * ROUNDING;

/// What is known of a block of nodes in one resource.
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

    /// One node. A capacity of 0 has no utilisation: it neither raises a node's
    /// load nor leaves room.
    fn of(capacity: i64, limit: i64, load: i64) -> Summary {
        let step = if capacity > 0 { 1.0 / capacity as f64 } else { 0.0 };
        let utilisation = load as f64 * step;
        Summary {
            max_free: limit - load,
            min_utilisation: utilisation,
            max_utilisation: if capacity > 0 { utilisation } else { 1.0 },
            min_step: step,
            max_step: step,
        }
    }
}

/// A block of neighbouring nodes.
pub struct Group<'a> {
    /// Index of its first node.
    pub first: usize,
    /// Index of its last node.
    pub last: usize,
    /// One summary a resource.
    pub resources: &'a [Summary],
    /// Lowest utilisation of the fullest resource of any node.
    pub min_dominant: f64,
    /// Least price that placing a first task on one of its nodes costs: 0 as
    /// soon as one of them is used.
    pub min_entry: i64,
    /// Fewest connections and tasks of the plan on any node.
    pub min_tasks: f64,
}

/// The nodes of one block side by side.
pub struct Lanes<'a> {
    /// Index of the first node.
    pub first: usize,
    /// Utilisation per resource and node, row-major.
    pub utilisation: &'a [f64],
    /// What one unit of demand adds to it, likewise.
    pub step: &'a [f64],
    /// Utilisation of the fullest resource before the task.
    pub dominant: &'a [f64; BLOCK],
    /// Utilisation with the task in the fullest resource that it demands.
    pub level: &'a [f64; BLOCK],
    /// Price that a first task costs, 0 on used nodes.
    pub entry: &'a [f64; BLOCK],
    /// Connections and tasks of the plan.
    pub tasks: &'a [f64; BLOCK],
}

impl Lanes<'_> {
    /// One resource's utilisations and steps.
    pub fn resource(&self, r: usize) -> (&[f64], &[f64]) {
        let range = r * BLOCK..(r + 1) * BLOCK;
        (&self.utilisation[range.clone()], &self.step[range])
    }
}

/// What changes while tasks are placed.
#[derive(Clone)]
struct Blocks {
    /// Blocks x resources.
    summaries: Vec<Summary>,
    min_dominant: Vec<f64>,
    min_entry: Vec<i64>,
    min_tasks: Vec<f64>,
    /// Blocks x resources x lanes. Lanes beyond the last node are never free.
    utilisation: Vec<f64>,
    step: Vec<f64>,
    /// Blocks x lanes.
    dominant: Vec<[f64; BLOCK]>,
    entry: Vec<[f64; BLOCK]>,
    tasks: Vec<[f64; BLOCK]>,
}

/// The index over an instance's nodes.
pub(super) struct NodeIndex<'a> {
    instance: &'a Instance,
    blocks: Blocks,
    fresh: Blocks,
    /// Per requirement and block: whether any node is eligible.
    eligible: Vec<Vec<bool>>,
    /// Nodes that changed since the blocks were looked at.
    changed: Vec<NodeId>,
}

impl<'a> NodeIndex<'a> {
    pub(super) fn new(instance: &'a Instance) -> NodeIndex<'a> {
        let count = instance.nodes().div_ceil(BLOCK);
        let width = instance.resources().len();
        let blocks = Blocks {
            summaries: vec![Summary::NOTHING; count * width],
            min_dominant: vec![0.0; count],
            min_entry: vec![0; count],
            min_tasks: vec![0.0; count],
            utilisation: vec![f64::INFINITY; count * width * BLOCK],
            step: vec![0.0; count * width * BLOCK],
            dominant: vec![[f64::INFINITY; BLOCK]; count],
            entry: vec![[f64::INFINITY; BLOCK]; count],
            tasks: vec![[f64::INFINITY; BLOCK]; count],
        };
        let any = |eligible: &[bool]| eligible.chunks(BLOCK).map(|b| b.contains(&true)).collect();
        let requirements = 0..instance.requirements().len() as u32;
        let eligible = requirements.map(|id| any(instance.eligible_nodes(id))).collect();
        let mut index =
            NodeIndex { instance, fresh: blocks.clone(), blocks, eligible, changed: Vec::new() };
        let empty = State::new(instance);
        instance.node_ids().for_each(|node| index.set_lane(&empty, node));
        (0..count).for_each(|block| index.summarise(&empty, block));
        index.fresh = index.blocks.clone();
        index
    }

    pub(super) fn instance(&self) -> &'a Instance {
        self.instance
    }

    /// Back to nothing placed.
    pub(super) fn reset(&mut self) {
        self.changed.clear();
        self.blocks.clone_from(&self.fresh);
    }

    /// Notes that something changed on the node.
    pub(super) fn touch(&mut self, node: NodeId) {
        self.changed.push(node);
    }

    /// Takes over what changed.
    fn refresh(&mut self, state: &State) {
        let mut changed = std::mem::take(&mut self.changed);
        changed.sort_unstable();
        changed.dedup();
        changed.iter().for_each(|node| self.set_lane(state, *node));
        for nodes in changed.chunk_by(|a, b| a.index() / BLOCK == b.index() / BLOCK) {
            self.summarise(state, nodes[0].index() / BLOCK);
        }
        changed.clear();
        self.changed = changed;
    }

    fn set_lane(&mut self, state: &State, node: NodeId) {
        let width = self.instance.resources().len();
        let (block, lane) = (node.index() / BLOCK, node.index() % BLOCK);
        let (load, limit) = (state.load(node), self.instance.limit(node));
        let mut dominant = 0.0f64;
        for (r, capacity) in self.instance.capacity(node).iter().enumerate() {
            let one = Summary::of(*capacity, limit[r], load[r]);
            let at = (block * width + r) * BLOCK + lane;
            self.blocks.utilisation[at] = one.min_utilisation;
            self.blocks.step[at] = one.min_step;
            dominant = dominant.max(one.min_utilisation);
        }
        self.blocks.dominant[block][lane] = dominant;
        let unused = state.count(node) == 0;
        let price = if unused { self.instance.price(node) } else { 0 };
        self.blocks.entry[block][lane] = price as f64;
        let connections = f64::from(self.instance.traffic(node).connections);
        self.blocks.tasks[block][lane] = connections + f64::from(state.count(node));
    }

    fn summarise(&mut self, state: &State, block: usize) {
        let width = self.instance.resources().len();
        let nodes = block * BLOCK..((block + 1) * BLOCK).min(self.instance.nodes());
        let row = &mut self.blocks.summaries[block * width..(block + 1) * width];
        row.fill(Summary::NOTHING);
        for node in nodes.map(NodeId::from) {
            let (load, limit) = (state.load(node), self.instance.limit(node));
            for (r, capacity) in self.instance.capacity(node).iter().enumerate() {
                row[r] = row[r].join(Summary::of(*capacity, limit[r], load[r]));
            }
        }
        let least = |lanes: &[f64; BLOCK]| lanes.iter().copied().fold(f64::INFINITY, f64::min);
        self.blocks.min_dominant[block] = least(&self.blocks.dominant[block]);
        self.blocks.min_entry[block] = least(&self.blocks.entry[block]) as i64;
        self.blocks.min_tasks[block] = least(&self.blocks.tasks[block]);
    }

    /// The node with the lowest score among those the task fits on; the first
    /// of equals.
    pub(super) fn best(
        &mut self,
        state: &State,
        policy: &mut dyn Policy,
        task: TaskId,
        banned: &[NodeId],
    ) -> Option<NodeId> {
        self.refresh(state);
        policy.prepare(state, task);
        let demand = self.instance.demand(task);
        let mut search = Search { index: self, state, policy, task, demand, banned, best: None };
        if let Some(pin) = self.instance.pin(task) {
            search.score(pin);
            return search.best.map(|(_, node)| node);
        }
        if self.instance.task_has_pairs(task) {
            // Demand and cost differ from node to node: blocks say nothing.
            self.instance.node_ids().for_each(|node| search.score(node));
            return search.best.map(|(_, node)| node);
        }
        // The most promising block first: its best node rules out most others.
        let count = self.blocks.min_dominant.len();
        let bounds: Vec<Option<Score>> = (0..count).map(|block| search.bound(block)).collect();
        let promising = (0..count)
            .filter_map(|block| bounds[block].map(|bound| (bound, block)))
            .reduce(|a, b| if b.0 < a.0 { b } else { a })?
            .1;
        search.block(promising);
        for (block, bound) in bounds.iter().enumerate() {
            let Some(bound) = bound else { continue };
            // Bounds lie a hair low, so that rounding hides no better node. If that counted, equal
            // nodes would all be looked at, one block after the other.
            let late = |(best, node): (Score, NodeId)| {
                let up = bound.map(|part| part + HAIR * (part.abs() / 1024.0).max(1.0));
                *bound > best || (up >= best && block * BLOCK > node.index())
            };
            if block != promising && !search.best.is_some_and(late) {
                search.block(block);
            }
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
    banned: &'b [NodeId],
    best: Option<(Score, NodeId)>,
}

impl Search<'_, '_> {
    /// The block's bound, `None` when the task fits on none of its nodes.
    fn bound(&self, block: usize) -> Option<Score> {
        let instance = self.index.instance;
        if !self.index.eligible[instance.requirement_of(self.task) as usize][block] {
            return None;
        }
        let width = self.demand.len();
        let blocks = &self.index.blocks;
        let resources = &blocks.summaries[block * width..(block + 1) * width];
        let full = |(demand, s): (&i64, &Summary)| *demand > 0 && *demand > s.max_free;
        if self.demand.iter().zip(resources).any(full) {
            return None;
        }
        let group = Group {
            first: block * BLOCK,
            last: ((block + 1) * BLOCK).min(instance.nodes()) - 1,
            resources,
            min_dominant: blocks.min_dominant[block],
            min_entry: blocks.min_entry[block],
            min_tasks: blocks.min_tasks[block],
        };
        Some(self.policy.bound(&group, self.demand))
    }

    /// Scores the nodes of a block that arithmetic does not rule out.
    fn block(&mut self, block: usize) {
        let width = self.demand.len();
        let blocks = &self.index.blocks;
        let range = block * width * BLOCK..(block + 1) * width * BLOCK;
        let (utilisation, step) = (&blocks.utilisation[range.clone()], &blocks.step[range]);
        let mut level = [0.0f64; BLOCK];
        for (r, demand) in self.demand.iter().enumerate().filter(|(_, demand)| **demand > 0) {
            let row = r * BLOCK..(r + 1) * BLOCK;
            let lanes = utilisation[row.clone()].iter().zip(&step[row]);
            for (level, (utilisation, step)) in level.iter_mut().zip(lanes) {
                *level = level.max(utilisation + *demand as f64 * step);
            }
        }
        let lanes = Lanes {
            first: block * BLOCK,
            utilisation,
            step,
            dominant: &blocks.dominant[block],
            level: &level,
            entry: &blocks.entry[block],
            tasks: &blocks.tasks[block],
        };
        let (mut low, mut second) = ([0.0f64; BLOCK], [f64::NEG_INFINITY; BLOCK]);
        self.policy.lanes(&lanes, self.demand, &mut low);
        self.policy.second_lanes(&lanes, &mut second);
        let nodes = BLOCK.min(self.index.instance.nodes() - block * BLOCK);
        for lane in 0..nodes {
            let beaten = self.best.is_some_and(|(best, _)| {
                low[lane] > best[0] || low[lane] == best[0] && second[lane] > best[1]
            });
            // Rounding may put an exact fit a hair above 1.
            if !beaten && level[lane] <= 1.0 + ROUNDING {
                self.score(NodeId::from(block * BLOCK + lane));
            }
        }
    }

    fn score(&mut self, node: NodeId) {
        if !self.banned.contains(&node) && self.state.fits(self.task, node) {
            let score = self.policy.score(self.state, self.task, node);
            if self.best.is_none_or(|(best, at)| (score, node) < (best, at)) {
                self.best = Some((score, node));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::super::rules::{MinLoad, below};
    use super::*;
    use model::{Decimal, Draft, NodeDraft, TaskDraft};

    /// Counts how often it is asked for a score.
    struct Counting(Cell<usize>);

    impl Policy for Counting {
        fn score(&self, state: &State, task: TaskId, node: NodeId) -> Score {
            self.0.set(self.0.get() + 1);
            MinLoad.score(state, task, node)
        }

        fn bound(&self, group: &Group, demand: &[i64]) -> Score {
            MinLoad.bound(group, demand).map(below)
        }
    }

    /// Of nodes that are all equal those of one block are looked at.
    #[test]
    fn equal_blocks_are_not_looked_at_one_by_one() {
        let quantity = |n| vec![(0, Decimal::from_integer(n).unwrap())];
        let mut draft = Draft::default();
        draft.resource("cpu");
        for k in 0..20 * BLOCK {
            let id = format!("n{k}");
            draft.nodes.push(NodeDraft { id, capacity: quantity(7), ..NodeDraft::default() });
        }
        let task = TaskDraft { id: "t".into(), demand: quantity(3), ..TaskDraft::default() };
        draft.tasks.push(task);
        let instance = draft.build().unwrap();
        let mut policy = Counting(Cell::new(0));
        let state = State::new(&instance);
        let best = NodeIndex::new(&instance).best(&state, &mut policy, TaskId(0), &[]);
        assert_eq!((best, policy.0.get()), (Some(NodeId(0)), BLOCK));
    }
}
