//! The engine against trying everything, on tiny instances.

use super::super::problem::{Problem, Vector, add, fits};
use super::Engine;
use base::stop::Stop;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::time::Duration;

/// A tiny instance: `tight` sets how small the nodes are.
fn tiny<const R: usize>(seed: u64, kinds: bool, tight: i64) -> (Problem<R>, Vec<i64>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (n, m) = (rng.random_range(1..8usize), rng.random_range(1..5usize));
    let mut vectors = |count: usize, most: i64| -> Vec<Vector<R>> {
        (0..count).map(|_| std::array::from_fn(|_| rng.random_range(0..=most))).collect()
    };
    let (demand, cap) = (vectors(n, 9), vectors(m, tight));
    let used = vectors(m, 2);
    let prices = (0..m).map(|_| 5 * rng.random_range(0..20i64)).collect();
    let kind = (0..n).map(|_| rng.random_range(0..2u16)).collect();
    let row = |rng: &mut ChaCha8Rng| (0..m).map(|_| rng.random_range(0..4u8) > 0).collect();
    let allowed = if kinds { vec![row(&mut rng), row(&mut rng)] } else { Vec::new() };
    (Problem { demand, cap, used, kind, allowed }, prices)
}

/// The price of a plan; none if it breaks something.
fn price<const R: usize>(p: &Problem<R>, prices: &[i64], plan: &[u32]) -> Option<i64> {
    let mut load = p.used.clone();
    let mut taken = vec![false; p.nodes()];
    for (i, j) in plan.iter().enumerate() {
        let j = *j as usize;
        load[j] = add(load[j], p.demand[i]);
        taken[j] = true;
        if !p.may(i, j) {
            return None;
        }
    }
    let good = (0..p.nodes()).all(|j| !taken[j] || fits(&load[j], &p.cap[j]));
    good.then(|| (0..p.nodes()).filter(|j| taken[*j]).map(|j| prices[j]).sum())
}

fn cheapest<const R: usize>(p: &Problem<R>, prices: &[i64]) -> Option<i64> {
    let (n, m) = (p.tasks() as u32, p.nodes());
    let plan = |code: usize| (0..n).map(move |i| (code / m.pow(i) % m) as u32).collect::<Vec<_>>();
    (0..m.pow(n)).filter_map(|code| price(p, prices, &plan(code))).min()
}

fn agree<const R: usize>(seed: u64, kinds: bool, tight: i64) {
    let (p, prices) = tiny::<R>(seed, kinds, tight);
    let stop = Stop::after(Duration::from_secs(60));
    let mut told = Vec::new();
    let mut tell = |plan: &[u32], value: i64, bound: i64| told.push((plan.to_vec(), value, bound));
    let mut engine = Engine::new(&p, &prices, seed, &stop, 50_000_000, &mut tell);
    engine.run();
    let (value, bound, plan) = (engine.value, engine.bound, engine.plan);
    let best = cheapest(&p, &prices);
    let proven = best.unwrap_or(i64::MAX);
    assert_eq!((value, bound), (proven, proven), "seed {seed}: {p:?} {prices:?}");
    if best.is_some() {
        assert_eq!(price(&p, &prices, &plan), best, "seed {seed}");
    }
    for (plan, value, bound) in told {
        assert_eq!(price(&p, &prices, &plan), Some(value), "seed {seed}");
        assert!(bound <= proven, "seed {seed}: {bound} above {proven}");
    }
}

#[test]
fn one_resource() {
    (0..150).for_each(|seed| agree::<1>(seed, false, 30));
}

#[test]
fn three_resources() {
    (0..150).for_each(|seed| agree::<3>(seed, false, 30));
}

#[test]
fn kinds_and_infeasible_instances() {
    (0..150).for_each(|seed| agree::<2>(seed, true, 20));
}

#[test]
fn no_tasks() {
    let p = Problem::<1> {
        demand: Vec::new(),
        cap: vec![[1]],
        used: vec![[0]],
        kind: Vec::new(),
        allowed: Vec::new(),
    };
    let stop = Stop::after(Duration::from_secs(60));
    let mut tell = |_: &[u32], _, _| {};
    let mut engine = Engine::new(&p, &[7], 1, &stop, 1000, &mut tell);
    engine.run();
    assert_eq!((engine.value, engine.bound), (0, 0));
}

/// Nodes of two sizes, fit tightly by tasks of few sizes.
fn medium(seed: u64) -> (Problem<2>, Vec<i64>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let demand: Vec<Vector<2>> =
        (0..60).map(|_| [rng.random_range(1..7i64), rng.random_range(1..7i64)]).collect();
    let cap: Vec<Vector<2>> =
        (0..40).map(|j| if j % 2 == 0 { [10, 12] } else { [16, 9] }).collect();
    let prices = (0..40).map(|j| 10 + j % 7).collect();
    let (kind, used) = (vec![0; 60], vec![[0; 2]; 40]);
    (Problem { demand, cap, used, kind, allowed: Vec::new() }, prices)
}

#[test]
fn threads_do_not_matter() {
    let (p, prices) = medium(3);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let stop = Stop::after(Duration::from_secs(600));
            let mut tell = |_: &[u32], _, _| {};
            let mut engine = Engine::new(&p, &prices, 5, &stop, 20_000_000, &mut tell);
            engine.run();
            (engine.plan, engine.value, engine.bound, engine.work)
        })
    };
    let one = run(1);
    assert!(one.2 <= one.1 && price(&p, &prices, &one.0) == Some(one.1));
    assert_eq!(one, run(2));
}
