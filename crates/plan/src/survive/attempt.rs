//! A quick try on the plan as it stands: the displaced tasks one after the other
//! on the emptiest node, then on the fullest, then every way there is while that
//! is little work. What is tried is taken back.

use std::cmp::Reverse;

use super::Fixed;
use model::state::State;
use model::{CardSet, Fallback, NodeId, TaskId};

/// Nodes that the exact search looks at before it gives up.
const LOOKS: usize = 400_000;
/// Most tasks that it takes on.
const MOST: usize = 64;

/// What came of it.
pub(super) enum Attempt {
    /// Every task has a place.
    Placed(Vec<Fallback>),
    /// There is no way: why, in words, and what can be placed all the same.
    Impossible(String, Vec<Fallback>),
    /// Neither was found out.
    Open,
}

/// Tries to place the displaced tasks off the dead nodes. The state has the whole plan, before
/// and after.
pub(super) fn attempt(
    state: &mut State,
    failed: &[NodeId],
    displaced: &[TaskId],
    fixed: &Fixed,
) -> Attempt {
    let instance = state.instance();
    let mut dead = vec![false; instance.nodes()];
    failed.iter().for_each(|node| dead[node.index()] = true);
    let dead = &dead[..];
    let settled = fixed.standbys.iter().map(|standby| &standby.task);
    let leaving = displaced.iter().chain(&fixed.stopped).chain(settled);
    let home: Vec<(TaskId, NodeId, Vec<CardSet>)> = leaving
        .filter_map(|task| Some((*task, state.node_of(*task)?, cards_of(state, *task))))
        .collect();
    home.iter().for_each(|(task, ..)| state.remove(*task));
    let standbys = fixed.standbys.iter();
    standbys.for_each(|step| state.put_back(step.task, step.node, &step.cards));
    let mut order = displaced.to_vec();
    let all = |r: usize| instance.node_ids().map(|n| instance.capacity(n)[r] as f64).sum::<f64>();
    let scale: Vec<f64> = (0..instance.resources().len()).map(|r| all(r).max(1.0)).collect();
    order.sort_by(|a, b| {
        let first = |task: &TaskId| Reverse(instance.priority(*task));
        let size = |task: &TaskId| {
            let parts = instance.demand(*task).iter().zip(&scale);
            parts.map(|(demand, all)| *demand as f64 / all).fold(0.0, f64::max)
        };
        first(a).cmp(&first(b)).then(size(b).total_cmp(&size(a))).then(a.cmp(b))
    });
    let mut answer = Attempt::Open;
    for emptiest in [true, false] {
        let placed = one_by_one(state, dead, &order, emptiest) == order.len();
        let rules = order.iter().flat_map(|task| instance.rules_of(*task));
        if placed && rules.into_iter().all(|(rule, _)| state.holds(*rule)) {
            answer = Attempt::Placed(moves(state, &order));
        }
        order.iter().for_each(|task| state.remove(*task));
        if let Attempt::Placed(_) = answer {
            break;
        }
    }
    // Under rules what fits depends on the order of tasks: then no search by what fits is exact.
    let free = displaced.iter().all(|task| instance.rules_of(*task).is_empty());
    if let (Attempt::Open, true) = (&answer, free && order.len() <= MOST) {
        answer = Exact::of(state, dead, &order).search(state);
        order.iter().for_each(|task| state.remove(*task));
        if let Attempt::Impossible(_, placed) = &mut answer {
            one_by_one(state, dead, &order, false);
            *placed = moves(state, &order);
            order.iter().for_each(|task| state.remove(*task));
        }
    }
    fixed.standbys.iter().for_each(|step| state.remove(step.task));
    home.iter().for_each(|(task, node, cards)| state.put_back(*task, *node, cards));
    answer
}

fn cards_of(state: &State, task: TaskId) -> Vec<CardSet> {
    match state.instance().devices() {
        [] => Vec::new(),
        _ => state.cards_of(task).to_vec(),
    }
}

fn moves(state: &State, tasks: &[TaskId]) -> Vec<Fallback> {
    let mut moves: Vec<Fallback> = (tasks.iter())
        .filter_map(|task| {
            let node = state.node_of(*task)?;
            Some(Fallback { task: *task, node, cards: cards_of(state, *task) })
        })
        .collect();
    moves.sort_by_key(|step| step.task);
    moves
}

/// Puts each task on the emptiest node with room for it, or the fullest; those that have none are
/// left out. How many were placed.
fn one_by_one(state: &mut State, dead: &[bool], order: &[TaskId], emptiest: bool) -> usize {
    let instance = state.instance();
    let mut placed = 0;
    for task in order {
        let mut best: Option<(f64, NodeId)> = None;
        for node in instance.node_ids() {
            if dead[node.index()] || !state.fits(*task, node) {
                continue;
            }
            let level = fullness(state, *task, node);
            let better =
                |(known, _): (f64, NodeId)| if emptiest { level < known } else { level > known };
            if best.is_none_or(better) {
                best = Some((level, node));
            }
        }
        if let Some((_, node)) = best {
            state.place(*task, node);
            placed += 1;
        }
    }
    placed
}

/// How full the node is with the task, in its fullest resource.
fn fullness(state: &State, task: TaskId, node: NodeId) -> f64 {
    let instance = state.instance();
    let taken = state.load(node).iter().zip(instance.demand_on(task, node));
    let parts = taken.zip(instance.capacity(node)).filter(|(_, capacity)| **capacity > 0);
    parts.map(|((load, own), capacity)| (load + own) as f64 / *capacity as f64).fold(0.0, f64::max)
}

/// Every way of placing some tasks, those with the fewest nodes first.
struct Exact {
    tasks: Vec<TaskId>,
    /// Nodes with room for each task when no other displaced task is there.
    nodes: Vec<Vec<NodeId>>,
    /// The task is like the one before it: then its node comes no earlier.
    like: Vec<bool>,
    looks: usize,
}

impl Exact {
    fn of(state: &State, dead: &[bool], tasks: &[TaskId]) -> Exact {
        let instance = state.instance();
        let open = |task: &TaskId| -> Vec<NodeId> {
            let nodes = instance.node_ids().filter(|node| !dead[node.index()]);
            nodes.filter(|node| state.fits(*task, *node)).collect()
        };
        let mut rows: Vec<(TaskId, Vec<NodeId>)> = tasks.iter().map(|t| (*t, open(t))).collect();
        let key = |task: TaskId| (Reverse(instance.demand(task)), instance.requirement_of(task));
        rows.sort_by(|a, b| {
            let order = a.1.len().cmp(&b.1.len()).then_with(|| key(a.0).cmp(&key(b.0)));
            order.then(a.0.cmp(&b.0))
        });
        let plain = |task: TaskId| instance.pin(task).is_none() && !instance.task_has_pairs(task);
        let like = (0..rows.len()).map(|k| {
            k > 0 && {
                let (a, b) = (rows[k - 1].0, rows[k].0);
                key(a) == key(b) && plain(a) && plain(b)
            }
        });
        let like = like.collect();
        let (tasks, nodes) = rows.into_iter().unzip();
        Exact { tasks, nodes, like, looks: LOOKS }
    }

    fn search(mut self, state: &mut State) -> Attempt {
        let instance = state.instance();
        if let Some(k) = self.nodes.iter().position(Vec::is_empty) {
            let name = instance.task_name(self.tasks[k]);
            let words = format!("no node that is left takes `{name}`");
            return Attempt::Impossible(words, Vec::new());
        }
        // Shares of cards are dealt out one way only, which need not be the right one.
        let shared = |task: &TaskId| {
            let of = |r: usize| instance.pairs(*task).map(move |pair| pair.demand[r]);
            let each = |r: usize| of(r).chain([instance.demand(*task)[r]]);
            let mut devices = instance.devices().iter();
            devices.any(|d| each(d.resource).any(|demand| demand > 0 && demand < d.card))
        };
        let cards = self.tasks.iter().any(shared);
        if self.from(state, 0, 0) {
            Attempt::Placed(moves(state, &self.tasks))
        } else if self.looks == 0 || cards {
            Attempt::Open
        } else {
            let many = self.tasks.len();
            let words = format!("every way of placing the {many} displaced tasks was tried");
            Attempt::Impossible(words, Vec::new())
        }
    }

    /// Places the tasks from the k-th on; `first` is where the node of one like the last begins.
    fn from(&mut self, state: &mut State, k: usize, first: usize) -> bool {
        let Some(task) = self.tasks.get(k).copied() else { return true };
        let first = if self.like[k] { first } else { 0 };
        for at in first..self.nodes[k].len() {
            if self.looks == 0 {
                return false;
            }
            self.looks -= 1;
            let node = self.nodes[k][at];
            if !state.fits(task, node) {
                continue;
            }
            state.place(task, node);
            if self.from(state, k + 1, at) {
                return true;
            }
            state.remove(task);
        }
        false
    }
}
