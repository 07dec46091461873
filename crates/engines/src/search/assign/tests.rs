//! Agreement with brute force on tiny random instances, validity and determinism.

use super::super::budget::Budget;
use super::super::problem::Vector;
use super::*;
use base::stop::Stop;
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn long() -> Stop {
    Stop::after(Duration::from_secs(600))
}

/// A tiny random instance: forbidden pairs, prices and demands per node or not, by the seed.
fn tiny<const R: usize>(seed: u64) -> Problem<R> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (tasks, nodes) = (rng.random_range(1..=6), rng.random_range(1..=4));
    let pairs = tasks * nodes;
    let cells = if rng.random_range(0..2) == 0 { tasks } else { pairs };
    let tight = rng.random_range(4..=14) * tasks as i64 / nodes as i64;
    let forbid = rng.random_range(0..3) == 0;
    let priced = rng.random_range(0..2) == 0;
    Problem {
        tasks,
        nodes,
        cost: (0..pairs).map(|_| rng.random_range(-5..=30)).collect(),
        demand: (0..cells).map(|_| [(); R].map(|()| rng.random_range(0..=10))).collect(),
        room: (0..nodes).map(|_| [(); R].map(|()| rng.random_range(tight / 2..=tight))).collect(),
        allowed: (0..if forbid { pairs } else { 0 }).map(|_| rng.random_range(0..4) > 0).collect(),
        price: (0..if priced { nodes } else { 0 }).map(|_| rng.random_range(0..=20)).collect(),
    }
}

/// The optimum by trying all plans.
fn brute<const R: usize>(p: &Problem<R>) -> Option<i64> {
    let mut plan = vec![0u32; p.tasks];
    let mut best: Option<i64> = None;
    loop {
        if p.admits(&plan) {
            let value = p.value(&plan);
            best = Some(best.map_or(value, |b| b.min(value)));
        }
        let Some(i) = plan.iter().position(|j| *j as usize + 1 < p.nodes) else { return best };
        plan[i] += 1;
        plan[..i].fill(0);
    }
}

fn agrees<const R: usize>(seed: u64) {
    let p = tiny::<R>(seed);
    let best = brute(&p);
    let mut seen = Vec::new();
    let mut better = |plan: &[u32], value: i64, bound: i64| {
        assert!(best.is_none_or(|best| bound <= best), "seed {seed}: bound {bound} of {best:?}");
        if value < i64::MAX {
            assert!(p.admits(plan) && p.value(plan) == value);
        }
        seen.push(value);
    };
    let stop = long();
    let mut engine = Engine::new(&p, seed, Budget::new(&stop, 50_000_000), &mut better);
    engine.run();
    assert_eq!(engine.value, best.unwrap_or(i64::MAX), "seed {seed}");
    assert_eq!(engine.bound, best.unwrap_or(i64::MAX), "seed {seed}");
    assert_eq!(engine.plan.is_empty(), best.is_none(), "seed {seed}");
    assert!(seen.is_sorted_by(|a, b| a >= b));
}

#[test]
fn tiny_instances_are_solved_to_the_optimum() {
    for seed in 0..200 {
        agrees::<1>(seed);
        agrees::<2>(seed);
        agrees::<3>(seed);
    }
}

/// A random instance in the manner of type C.
fn medium<const R: usize>(tasks: usize, nodes: usize) -> Problem<R> {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let pairs = tasks * nodes;
    let demand: Vec<Vector<R>> =
        (0..pairs).map(|_| [(); R].map(|()| rng.random_range(5..=25))).collect();
    let room = 15 * tasks as i64 * 8 / (10 * nodes as i64);
    Problem {
        tasks,
        nodes,
        cost: (0..pairs).map(|_| rng.random_range(10..=50)).collect(),
        demand,
        room: vec![[room; R]; nodes],
        allowed: Vec::new(),
        price: Vec::new(),
    }
}

#[test]
fn a_work_limit_gives_the_same_plan_on_any_number_of_threads() {
    let p = medium::<2>(200, 60);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut nothing = |_: &[u32], _: i64, _: i64| ();
            let stop = long();
            let mut engine = Engine::new(&p, 3, Budget::new(&stop, 20_000_000), &mut nothing);
            engine.run();
            (engine.plan.clone(), engine.value, engine.bound, engine.budget.work)
        })
    };
    assert_eq!(run(1), run(2));
}

#[test]
fn more_demand_than_room_is_reported() {
    let mut p = medium::<1>(30, 5);
    p.room = vec![[40]; 5];
    let mut nothing = |_: &[u32], _: i64, _: i64| ();
    let stop = long();
    let mut engine = Engine::new(&p, 3, Budget::new(&stop, 30_000_000), &mut nothing);
    engine.run();
    assert_eq!((engine.value, engine.bound), (i64::MAX, i64::MAX));
    assert!(engine.plan.is_empty());
}
