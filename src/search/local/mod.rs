//! Local search for every goal under every rule: annealing by relocate, swap,
//! ejection chains and bundles, tier by tier, each tier with the values of the earlier
//! ones as limits. Workers start from the best plan, run a fixed number of moves, and the
//! best of them, the first of equals, goes on.

mod board;
mod ground;
mod moves;
mod ties;

use std::time::Instant;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::budget::Budget;
use super::problem::{Vector, add};
use crate::model::{Goal, Instance, Plan, Term};
use crate::stop::Stop;
use board::Board;
use ground::Ground;
use moves::{Best, Guide, Schedule, anneal, member};

/// What to improve, and how long.
pub struct Task<'a> {
    /// The problem.
    pub instance: &'a Instance,
    /// What is minimised, tiers for unplaced tasks included.
    pub goal: &'a Goal,
    /// A plan that breaks no rule; tasks it leaves out need a tier for them.
    pub start: &'a Plan,
    /// What no plan is below, one a tier: at that value a tier is finished.
    pub bounds: &'a [f64],
    /// Seed of everything random.
    pub seed: u64,
    /// Work units at most: moves proposed.
    pub work: u64,
    /// When to stop.
    pub stop: &'a Stop,
}

/// Told of every better plan, from a later tier or an earlier one.
pub type Tell<'a> = &'a mut (dyn FnMut(&Plan) + Send);

/// Widths there is code for.
const WIDTHS: [usize; 5] = [2, 4, 8, 16, 64];
/// Workers where a work limit has to give the same plan on any machine.
const WORKERS: usize = 2;
/// Tasks times nodes up to which that holds without a work limit too.
const SMALL: usize = 10_000;
/// Moves of the first round of each worker, per task; each later round doubles them.
const PER_TASK: u64 = 50;
/// A tier is left when so many times the moves that led to its best plan led no further.
const PATIENCE: u64 = 8;
/// Moves in vain, at least, per task and node, before a tier is left.
const THOROUGH: u64 = 200;
/// Heat of rounds in turn, as part of what a bad move costs.
const HEATS: [f64; 5] = [0.3, 0.03, 1.0, 0.01, 0.1];

/// More resources than the search has code for.
pub fn too_wide(instance: &Instance) -> bool {
    instance.resources().len() > WIDTHS[WIDTHS.len() - 1]
}

/// The best plan found, and the work done; the start if there is none better.
pub fn improve(task: &Task, tell: Tell) -> (Plan, u64) {
    match task.instance.resources().len() {
        0..=2 => Search::<2>::new(task).run(tell),
        3..=4 => Search::<4>::new(task).run(tell),
        5..=8 => Search::<8>::new(task).run(tell),
        9..=16 => Search::<16>::new(task).run(tell),
        _ => Search::<64>::new(task).run(tell),
    }
}

struct Search<'a, const R: usize> {
    task: &'a Task<'a>,
    ground: Ground<'a, R>,
    budget: Budget<'a>,
    workers: usize,
}

impl<'a, const R: usize> Search<'a, R> {
    fn new(task: &'a Task<'a>) -> Self {
        let drops = task
            .goal
            .tiers
            .iter()
            .any(|tier| tier.terms.iter().any(|part| matches!(part.term, Term::Unplaced(_))));
        let small = task.instance.tasks() * task.instance.nodes() <= SMALL;
        let fixed = small || task.work < u64::MAX;
        let workers = if fixed { WORKERS } else { rayon::current_num_threads().max(1) };
        Search {
            task,
            ground: Ground::new(task.instance, task.goal, drops),
            budget: Budget::new(task.stop, task.work),
            workers,
        }
    }

    fn run(mut self, tell: Tell) -> (Plan, u64) {
        let mut best = self.ground.numbers(self.task.start);
        let mut caps = Vec::new();
        let mut ceiling: Option<Vec<Vector<R>>> = None;
        let tiers = self.ground.tiers.len();
        for stage in 0..tiers {
            let share = 1.0 / (tiers - stage) as f64;
            let value = self.stage(stage, &caps, ceiling.as_deref(), &mut best, share, tell);
            // Room for rounding, far below what one step of anything is worth.
            caps.push(value + 1e-9 * value.abs() + 1e-12);
            if self.task.goal.tiers[stage].only() == Some(Term::Peak) {
                ceiling = Some(self.level(&best));
            }
        }
        (self.ground.plan(&best), self.budget.work)
    }

    /// Rounds of annealing for one tier; its value.
    fn stage(
        &mut self,
        stage: usize,
        caps: &[f64],
        ceiling: Option<&[Vector<R>]>,
        best: &mut Vec<u32>,
        share: f64,
        tell: Tell,
    ) -> f64 {
        let board = |plan: &[u32]| Board::new(&self.ground, stage, caps.to_vec(), ceiling, plan);
        let first = board(best);
        let (mut value, guide) = (first.value(), Guide::of(&first));
        let bound = self.task.bounds.get(stage).copied().unwrap_or(f64::NEG_INFINITY);
        let (n, m) = (best.len() as u64, self.ground.nodes.len() as u64);
        let least = (THOROUGH * n * m.min(1000)).max(100_000);
        let (began, left) = (Instant::now(), self.task.stop.remaining().mul_f64(share));
        let work = (self.budget.left() as f64 * share) as u64 / self.workers as u64;
        let (mut done, mut at) = (0, 0);
        for round in 0u64.. {
            let each = done / self.workers as u64;
            // By the clock only where no work limit asks for the same plan every time.
            let end = match self.task.work {
                u64::MAX if done > 0 => {
                    let pace = each as f64 / began.elapsed().as_secs_f64().max(1e-9);
                    each + (pace * left.saturating_sub(began.elapsed()).as_secs_f64()) as u64
                }
                _ => work,
            };
            let idle = done - at > least.max(PATIENCE * at);
            let closed = value <= bound + 1e-9 * bound.abs();
            let Some(moves) = next_round(PER_TASK * n.max(20), round, end.saturating_sub(each))
            else {
                break;
            };
            if closed || idle || self.budget.over() {
                break;
            }
            let begin = board(best);
            let run = |worker: usize| {
                let seed = self
                    .task
                    .seed
                    .wrapping_mul(0x9e37_79b9)
                    .wrapping_add((stage as u64) << 40 | round << 16 | worker as u64);
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                let heat = HEATS[(round as usize + worker) % HEATS.len()];
                let mut board = begin.clone();
                // Full nodes are level with each other whatever their sizes.
                let full = self.ground.tiers[stage].balance > 0.0 && worker % 2 == 1;
                board.aim = full.then_some(1.0);
                let schedule = temperatures(&board, &guide, moves, heat, &mut rng);
                anneal(&mut board, schedule, &guide, &mut rng, &self.budget)
            };
            let found: Vec<Best> = (0..self.workers).into_par_iter().map(run).collect();
            done += moves * self.workers as u64;
            self.budget.work += found.iter().map(|best| best.moves).sum::<u64>();
            let Some(first) =
                found.into_iter().reduce(|a, b| if b.value < a.value { b } else { a })
            else {
                break;
            };
            if first.value < value - 1e-12 * value.abs() {
                (value, at) = (first.value, done);
                *best = first.node_of;
                tell(&self.ground.plan(best));
            }
        }
        value
    }

    /// The most that nodes carry when none is above the peak of the plan.
    fn level(&self, best: &[u32]) -> Vec<Vector<R>> {
        let mut load = self.ground.used.clone();
        for (i, j) in best.iter().enumerate() {
            if let Some(load) = load.get_mut(*j as usize) {
                *load = add(*load, self.ground.demand_on(i, *j as usize));
            }
        }
        let (mut num, mut den) = (0, 1);
        for (load, capacity) in load.iter().zip(&self.ground.capacity) {
            for r in (0..R).filter(|r| capacity[*r] > 0) {
                if i128::from(load[r]) * i128::from(den) > i128::from(num) * i128::from(capacity[r])
                {
                    (num, den) = (load[r], capacity[r]);
                }
            }
        }
        let most = |j: usize, r: usize| {
            let capacity = i128::from(self.ground.capacity[j][r]);
            let most = (i128::from(num) * capacity / i128::from(den)) as i64;
            most.max(self.ground.used[j][r])
        };
        (0..load.len()).map(|j| std::array::from_fn(|r| most(j, r))).collect()
    }
}

/// Moves of a round: twice those of the one before, and all that is left where that is
/// hardly more. None when nothing is left.
fn next_round(first: u64, round: u64, left: u64) -> Option<u64> {
    let moves = first.saturating_mul(1 << round.min(40));
    let moves = if moves.saturating_mul(2) > left { left } else { moves };
    (moves > first / 10).then_some(moves)
}

/// Temperatures from what random moves cost: hot enough for a part of the usual bad
/// move, cold enough for the least of them.
fn temperatures<const R: usize>(
    board: &Board<R>,
    guide: &Guide,
    moves: u64,
    heat: f64,
    rng: &mut ChaCha8Rng,
) -> Schedule {
    let movable = &board.ground.movable;
    let mut costs = Vec::new();
    for k in 0..4000 {
        if movable.is_empty() || board.ground.nodes.is_empty() {
            break;
        }
        let i = movable[rng.random_range(0..movable.len())] as usize;
        let b = guide.node(board, i, rng);
        let other = if k % 2 == 0 { member(board, b, rng) } else { None };
        let cost = match other {
            Some(other) => board.swap(i, other, f64::INFINITY),
            None => board.relocate(i, b, f64::INFINITY),
        };
        costs.extend(cost.filter(|cost| *cost > 0.0));
    }
    costs.sort_unstable_by(f64::total_cmp);
    let usual = costs.get(costs.len() / 4).copied().unwrap_or(1e-9);
    let least = costs.first().copied().unwrap_or(1e-9);
    let hot = usual * heat;
    Schedule { moves, hot, cold: (0.1 * least).min(0.1 * hot).max(1e-6 * hot) }
}
