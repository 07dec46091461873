//! Packing all tasks into given nodes: a greedy start, annealing, then the repair of small groups.

use super::super::assignment::Assignment;
use super::super::blocks;
use super::super::budget::Budget;
use super::super::construct;
use super::super::problem::Problem;
use super::super::repair::Repair;
use super::walk::Walk;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// How hard to try.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Annealing moves per task.
    pub moves: u64,
    /// Rounds of repair without progress.
    pub patience: u64,
    /// Work units for the walk, if that is reached.
    pub walk: u64,
}

impl Effort {
    /// An effort `times` that of the least one.
    pub fn of(times: u64) -> Self {
        Effort { moves: 300 * times, patience: 30 + 20 * times, walk: 1_000_000 * times }
    }
}

/// Heat at which annealing starts and ends, in squared mean demands.
const HEAT: (f64, f64) = (0.03, 3e-4);
/// Excess per node beyond which the walk is not worth it.
const FAR: f64 = 0.1;

/// Tries to place all tasks on the nodes listed. The node of every task, or how much of the
/// demand was left over the room, in units summed over resources.
pub fn pack<const R: usize>(
    p: &Problem<R>,
    nodes: &[u32],
    effort: Effort,
    seed: u64,
    budget: &mut Budget,
) -> Result<Vec<u32>, i64> {
    if nodes.is_empty() {
        return if p.tasks() == 0 { Ok(Vec::new()) } else { Err(i64::MAX) };
    }
    let part = part(p, nodes);
    let room: Vec<_> = part.cap.clone();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let Some(start) = construct::greedy(&part, &mut rng, &|| budget.over()) else {
        return Err(i64::MAX);
    };
    if start.iter().enumerate().any(|(i, j)| !part.may(i, *j as usize)) {
        return Err(i64::MAX);
    }
    let mut s = Assignment::new(&part, start);
    blocks::anneal(&part, &mut s, &room, effort.moves, HEAT, seed, budget);
    let mut repair = Repair::new(&part, room, seed);
    let mut least = repair.excess(&s);
    let (mut idle, mut round) = (0, 0);
    while least > 0 && idle < effort.patience && !budget.over() {
        round += 1;
        budget.work += 1 + repair.round(&mut s, round).work;
        let now = repair.excess(&s);
        idle = if now < least { 0 } else { idle + 1 };
        least = least.min(now);
    }
    if least > 0 && least as f64 <= 1.0 + FAR * nodes.len() as f64 {
        let mut walk = Walk::new(&part, &mut s);
        least = walk.run(effort.walk, &mut rng, &|| budget.over());
        budget.work += walk.work;
    }
    if least > 0 {
        return Err(least);
    }
    Ok(s.node_of.iter().map(|j| nodes[*j as usize]).collect())
}

/// The problem on some nodes only, with what is used taken off their capacity.
fn part<const R: usize>(p: &Problem<R>, nodes: &[u32]) -> Problem<R> {
    let room = |j: &u32| std::array::from_fn(|r| p.cap[*j as usize][r] - p.used[*j as usize][r]);
    Problem {
        demand: p.demand.clone(),
        cap: nodes.iter().map(room).collect(),
        used: vec![[0; R]; nodes.len()],
        kind: p.kind.clone(),
        allowed: (p.allowed.iter())
            .map(|row| nodes.iter().map(|j| row[*j as usize]).collect())
            .collect(),
    }
}
