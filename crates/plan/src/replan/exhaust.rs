//! Orders of moves on tiny instances by looking at every placement that single moves
//! lead to: what the greedy search cannot order is ordered here, or has no such order.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use super::order::Way;
use model::state::State;
use model::{Instance, Move, NodeId, Plan, TaskId};

/// Placements that are looked at, at most.
const PLACEMENTS: f64 = 20_000.0;

type Placement = Vec<Option<NodeId>>;

/// The shortest sequence of moves, one at a time, from `start` to `end`; `None` where there is none
/// or the instance is not tiny. Tasks that start or stop and cards are left to the greedy search.
pub(super) fn shortest(instance: &Instance, start: &Plan, end: &Plan) -> Option<Vec<Move>> {
    let places = |task: TaskId| -> Vec<NodeId> {
        instance.node_ids().filter(|node| instance.eligible(task, *node)).collect()
    };
    let comes = |task: &TaskId| {
        start.placement[task.index()].is_some() != end.placement[task.index()].is_some()
    };
    let free: Vec<(TaskId, Vec<NodeId>)> = (instance.task_ids())
        .filter(|task| start.placement[task.index()].is_some())
        .map(|task| (task, places(task)))
        .collect();
    let all: f64 = free.iter().map(|(_, places)| places.len().max(1) as f64).product();
    if all > PLACEMENTS || !instance.devices().is_empty() || instance.task_ids().any(|t| comes(&t))
    {
        return None;
    }
    let mut from: FxHashMap<Placement, Option<(Placement, Move)>> = FxHashMap::default();
    from.insert(start.placement.clone(), None);
    let mut queue = VecDeque::from([start.placement.clone()]);
    while let Some(at) = queue.pop_front() {
        if at == end.placement {
            return Some(way_to(&from, at));
        }
        let plan = Plan { placement: at.clone(), cards: Vec::new() };
        let mut way = Way::alone(instance, State::load_plan(instance, &plan));
        for (task, places) in &free {
            let home = at[task.index()];
            for node in places.iter().filter(|node| home != Some(**node)) {
                let m = Move { task: *task, from: home, to: Some(*node) };
                if !way.can(m) {
                    continue;
                }
                let mut next = at.clone();
                next[task.index()] = Some(*node);
                if !from.contains_key(&next) {
                    from.insert(next.clone(), Some((at.clone(), m)));
                    queue.push_back(next);
                }
            }
        }
    }
    None
}

fn way_to(from: &FxHashMap<Placement, Option<(Placement, Move)>>, end: Placement) -> Vec<Move> {
    let mut moves = Vec::new();
    let mut at = &end;
    while let Some(Some((before, m))) = from.get(at) {
        moves.push(*m);
        at = before;
    }
    moves.reverse();
    moves
}
