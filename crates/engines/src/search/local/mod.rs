//! Local search for every goal under every rule: annealing by relocate, swap,
//! ejection chains and bundles, tier by tier, each tier with the values of the earlier
//! ones as limits. Workers start from the best plan, run a fixed number of moves, and the
//! best of them, the first of equals, goes on.

mod board;
mod groups;
mod moves;
mod problem;
mod spread;

use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::budget::Budget;
use super::problem::{Vector, add};
use base::stop::Stop;
use board::Board;
use model::{Goal, HAIR, Instance, Plan, ROUNDING, Term};
use moves::{Best, Guide, Schedule, anneal, member};
use problem::Problem;

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

/// Most resources there is code for.
const WIDEST: usize = 64;
/// Workers where a work limit has to give the same plan on any machine.
const WORKERS: usize = 2;
/// Tasks times nodes up to which that holds without a work limit too.
const SMALL: usize = 10_000;
/// Moves of the first round of each worker, per task; each later round has three times as many.
const PER_TASK: u64 = 50;
const GROWTH: u64 = 3;
/// A round that leaves less than so many of its length takes all that is left, or where it is
/// much a matter of luck what an annealing finds, one of so many equal parts.
const LAST: u64 = 12;
const LONG: u64 = 4;
/// What part of moves fails for lack of room where it is such a matter, and where nodes may be
/// overloaded on the way, if rounds have so many moves a task. Where tasks run already, that is:
/// elsewhere it was not measured.
const CROWDED: f64 = 0.5;
const SLOWLY: u64 = 10_000;
/// A tier is left when so many times the moves that led to its best plan led no further.
const PATIENCE: u64 = 8;
/// Moves in vain, at least, per task and node, before a tier is left.
const THOROUGH: u64 = 200;
/// Heat of the first round, in units of what a usual bad move costs, and the range it stays in.
const HEAT: f64 = 0.3;
const HEATS: (f64, f64) = (0.003, 1000.0);
/// Heat of workers beside the one that keeps to what was best: hotter and colder by turns.
const STEP: f64 = 5.0;

/// More resources than the search has code for.
pub fn too_wide(instance: &Instance) -> bool {
    instance.resources().len() > WIDEST
}

/// The best plan found; the start if there is none better.
pub fn improve(task: &Task, tell: Tell) -> Plan {
    match task.instance.resources().len() {
        0..=2 => Search::<2>::new(task).run(tell),
        3..=4 => Search::<4>::new(task).run(tell),
        5..=8 => Search::<8>::new(task).run(tell),
        9..=12 => Search::<12>::new(task).run(tell),
        13..=16 => Search::<16>::new(task).run(tell),
        _ => Search::<WIDEST>::new(task).run(tell),
    }
}

struct Search<'a, const R: usize> {
    task: &'a Task<'a>,
    problem: Problem<'a, R>,
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
            problem: Problem::new(task.instance, task.goal, drops),
            budget: Budget::new(task.stop, task.work),
            workers,
        }
    }

    fn run(mut self, tell: Tell) -> Plan {
        let mut best = self.problem.numbers(self.task.start);
        let mut caps = Vec::new();
        let mut ceiling: Option<Vec<Vector<R>>> = None;
        let tiers = self.problem.tiers.len();
        for stage in 0..tiers {
            let share = 1.0 / (tiers - stage) as f64;
            let value = self.stage(stage, &caps, ceiling.as_deref(), &mut best, share, tell);
            // Room for rounding, far below what one step of anything is worth.
            let value = self.task.goal.tiers[stage].worth(value);
            caps.push(value + ROUNDING * value.abs() + HAIR);
            if self.task.goal.tiers[stage].only() == Some(Term::Peak) {
                ceiling = Some(self.level(&best));
            }
        }
        self.problem.plan(&best)
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
        let board = |plan: &[u32]| Board::new(&self.problem, stage, caps.to_vec(), ceiling, plan);
        let first = board(best);
        let (mut value, guide) = (first.value(), Guide::of(&first));
        let mut rng = ChaCha8Rng::seed_from_u64(self.task.seed);
        let (usual, least) = bad_moves(&first, &guide, &mut rng);
        // An overload that is paid for says nothing of how loads vary.
        let varies = self.problem.varying.is_some();
        let tight = self.problem.runs() && !varies && crowded(&first, &mut rng) > CROWDED;
        let parts = if tight { LONG } else { 1 };
        let mut pace = Pace::new(&self.problem, &self.budget, self.workers as u64, share, parts);
        // A value that is proven to be the best; nothing is where no bound is known.
        let bound = self.task.bounds.get(stage).copied().filter(|bound| bound.is_finite());
        let enough = bound.map_or(f64::NEG_INFINITY, |bound| bound + ROUNDING * bound.abs());
        let mut heat = HEAT;
        // Overload helps on some instances and not on others: when it led no further, rounds go
        // on without it, and the other way round.
        let mut overload = true;
        while value > enough && !self.budget.over() {
            let Some(moves) = pace.next() else { break };
            let begin = board(best);
            let slow = tight && moves >= SLOWLY * self.problem.movable.len() as u64;
            let strained = slow && overload;
            let heat_of = |worker: usize| {
                // Longer rounds stand more heat, so hotter comes first.
                let sign = if pace.idle % 2 == 0 { 1 } else { -1 };
                let far = worker as i32 + pace.idle / 2;
                let factor = if worker == 0 { 1.0 } else { STEP.powi(sign * far) };
                (heat * factor).clamp(HEATS.0, HEATS.1)
            };
            let run = |worker: usize| {
                let salt = (stage as u64) << 40 | u64::from(pace.rounds) << 16 | worker as u64;
                let seed = self.task.seed.wrapping_mul(0x9e37_79b9).wrapping_add(salt);
                let mut board = begin.clone();
                // Full nodes are level with each other whatever their sizes.
                let full = self.problem.tiers[stage].balance > 0.0 && worker % 2 == 1;
                board.aim = full.then_some(1.0);
                let hot = usual * heat_of(worker);
                let schedule = Schedule {
                    moves,
                    hot,
                    cold: (0.1 * least).clamp(1e-4 * hot, hot),
                    strained,
                    enough,
                };
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                anneal(&mut board, schedule, &guide, &mut rng, &self.budget)
            };
            let found: Vec<Best> = (0..self.workers).into_par_iter().map(run).collect();
            self.budget.work += found.iter().map(|best| best.moves).sum::<u64>();
            let better = |a: &(usize, Best), b: &(usize, Best)| a.1.value.total_cmp(&b.1.value);
            let Some((worker, first)) = found.into_iter().enumerate().min_by(better) else { break };
            let progress = first.value < value - HAIR * value.abs();
            if progress {
                (value, heat) = (first.value, heat_of(worker));
                *best = first.node_of;
                tell(&self.problem.plan(best));
            } else if slow {
                overload = !overload;
            }
            pace.went(moves, progress);
        }
        value
    }

    /// The most that nodes carry when none is above the peak of the plan.
    fn level(&self, best: &[u32]) -> Vec<Vector<R>> {
        let mut load = self.problem.used.clone();
        for (i, j) in best.iter().enumerate() {
            if let Some(load) = load.get_mut(*j as usize) {
                *load = add(*load, self.problem.demand_on(i, *j as usize));
            }
        }
        let (mut num, mut den) = (0, 1);
        for (load, capacity) in load.iter().zip(&self.problem.capacity) {
            for r in (0..R).filter(|r| capacity[*r] > 0) {
                if i128::from(load[r]) * i128::from(den) > i128::from(num) * i128::from(capacity[r])
                {
                    (num, den) = (load[r], capacity[r]);
                }
            }
        }
        let most = |j: usize, r: usize| {
            let capacity = i128::from(self.problem.capacity[j][r]);
            let most = (i128::from(num) * capacity / i128::from(den)) as i64;
            most.max(self.problem.used[j][r])
        };
        (0..load.len()).map(|j| std::array::from_fn(|r| most(j, r))).collect()
    }
}

/// How long the rounds of a stage are, and when it is over. Moves are those of one worker.
struct Pace {
    rounds: u32,
    /// Rounds since the last progress.
    idle: i32,
    done: u64,
    /// What was done by the last progress.
    at: u64,
    first: u64,
    /// Moves in vain after which the stage is over, at least.
    least: u64,
    /// Moves at most, and the time for them: by the clock only where no work limit asks for
    /// the same plan every time.
    most: u64,
    time: Option<(Instant, Duration)>,
    /// Long rounds in the end.
    parts: u64,
}

impl Pace {
    fn new<const R: usize>(
        problem: &Problem<R>,
        budget: &Budget,
        workers: u64,
        share: f64,
        parts: u64,
    ) -> Pace {
        let (n, m) = (problem.demand.len() as u64, problem.nodes.len() as u64);
        let left = budget.until().saturating_duration_since(Instant::now()).mul_f64(share);
        Pace {
            rounds: 0,
            idle: 0,
            done: 0,
            at: 0,
            first: PER_TASK * n.max(20),
            least: (THOROUGH * n * m.min(1000)).max(100_000) / workers,
            most: (budget.left() as f64 * share) as u64 / workers,
            time: (budget.left() > 1 << 60).then(|| (Instant::now(), left)),
            parts,
        }
    }

    /// Moves of the next round: more than those of the one before, and soon all that is left:
    /// one long annealing beats two of half its length. None when the stage is over.
    fn next(&self) -> Option<u64> {
        let left = match self.time {
            Some((began, time)) if self.done > 0 => {
                let rate = self.done as f64 / began.elapsed().as_secs_f64().max(1e-9);
                (rate * time.saturating_sub(began.elapsed()).as_secs_f64()) as u64
            }
            _ => self.most - self.done,
        };
        let moves = self.first.saturating_mul(GROWTH.saturating_pow(self.rounds));
        let long = (self.done + left) / (self.parts + 1);
        let moves = match moves.saturating_mul(LAST) > left {
            false => moves,
            true if self.parts == 1 || left < long + long / 2 => left,
            true => long,
        };
        let idle = self.done - self.at > self.least.max(PATIENCE * self.at);
        (moves > self.first / 10 && !idle).then_some(moves)
    }

    fn went(&mut self, moves: u64, progress: bool) {
        self.rounds += 1;
        self.done += moves;
        self.idle = if progress { 0 } else { self.idle + 1 };
        if progress {
            self.at = self.done;
        }
    }
}

/// What part of moves fails because the node has no room.
fn crowded<const R: usize>(board: &Board<R>, rng: &mut ChaCha8Rng) -> f64 {
    let g = board.problem;
    let (tries, m) = (4000, g.nodes.len());
    if g.movable.is_empty() || m == 0 {
        return 0.0;
    }
    let fails = (0..tries).filter(|_| {
        let i = g.movable[rng.random_range(0..g.movable.len())] as usize;
        let j = rng.random_range(0..m);
        !g.has_room(i, j, None, board.room(j))
    });
    fails.count() as f64 / f64::from(tries)
}

/// What a usual bad move costs the stage's tier, and the least bad one.
fn bad_moves<const R: usize>(board: &Board<R>, guide: &Guide, rng: &mut ChaCha8Rng) -> (f64, f64) {
    let movable = &board.problem.movable;
    let mut costs = Vec::new();
    for k in 0..4000 {
        if movable.is_empty() || board.problem.nodes.is_empty() {
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
    (usual, costs.first().copied().unwrap_or(1e-9))
}
