//! The exact parts against brute force on tiny instances.

use super::bound::Counting;
use super::budget::Budget;
use super::closing::Limit;
use super::engine::Engine;
use super::patterns::Patterns;
use super::problem::Problem;
use super::prove;
use super::ratio::Ratio;
use super::subset::{Subsets, Window};
use std::time::Duration;

use base::stop::Stop;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The peak of a plan; none where a node has no capacity for what it carries.
fn whole<const R: usize>(p: &Problem<R>, plan: &[u32]) -> Result<Ratio, ()> {
    let may = plan.iter().enumerate().all(|(i, j)| p.may(i, *j as usize));
    Some(p.peak(plan)).filter(|z| may && *z != Ratio::MAX).ok_or(())
}

fn everywhere<const R: usize>(
    demand: Vec<[i64; R]>,
    cap: Vec<[i64; R]>,
    used: Vec<[i64; R]>,
) -> Problem<R> {
    Problem { kind: vec![0; demand.len()], allowed: Vec::new(), demand, cap, used }
}

/// The smallest peak over all m^n plans; plans on nodes without capacity do not count.
fn brute<const R: usize>(p: &Problem<R>) -> Option<Ratio> {
    let (n, m) = (p.tasks(), p.nodes() as u32);
    let mut plan = vec![0u32; n];
    let mut best: Option<Ratio> = None;
    loop {
        if let Ok(z) = whole(p, &plan) {
            best = Some(best.map_or(z, |b| b.min(z)));
        }
        let Some(i) = plan.iter().position(|j| *j + 1 < m) else { return best };
        plan[i] += 1;
        plan[..i].fill(0);
    }
}

fn random<const R: usize>(g: &mut ChaCha8Rng, n: usize, m: usize) -> Problem<R> {
    let top = [3, 6, 20, 100][g.random_range(0..4)];
    let from = g.random_range(0..2);
    let types = g.random_range(1..=m);
    let size: Vec<[i64; R]> =
        (0..types).map(|_| std::array::from_fn(|_| g.random_range(10..300))).collect();
    let base = if g.random_bool(0.3) { 30 } else { 1 };
    let mut p = everywhere(
        (0..n).map(|_| std::array::from_fn(|_| g.random_range(from..=top))).collect(),
        (0..m).map(|_| size[g.random_range(0..types)]).collect(),
        (0..m).map(|_| std::array::from_fn(|_| g.random_range(0..base))).collect(),
    );
    for j in 1..m {
        if g.random_bool(0.1) {
            (p.cap[j][0], p.used[j][0]) = (0, 0);
        }
    }
    p
}

/// Some tasks may not run on some nodes.
fn restrict<const R: usize>(p: &mut Problem<R>, g: &mut ChaCha8Rng) {
    p.allowed = (0..2).map(|_| (0..p.nodes()).map(|_| g.random_bool(0.7)).collect()).collect();
    p.allowed.push(vec![true; p.nodes()]);
    p.kind = (0..p.tasks()).map(|_| g.random_range(0..3)).collect();
}

#[test]
fn exact_equals_brute_force_where_tasks_are_restricted() {
    let mut g = ChaCha8Rng::seed_from_u64(11);
    for _ in 0..600 {
        let (n, m) = (g.random_range(1..8), g.random_range(1..4));
        let mut p = random::<2>(&mut g, n, m);
        restrict(&mut p, &mut g);
        let Some(best) = brute(&p) else { continue };
        let counting = Counting::new(&p);
        let proof = prove::raise(&p, &counting, counting.bound(), Ratio::MAX, Limit::PROOF);
        let plan = proof.plan.expect("a plan");
        assert_eq!(whole(&p, &plan), Ok(best), "{p:?}");
        assert!(proof.bound == best, "{p:?}");
    }
}

fn check<const R: usize>(seed: u64) {
    let mut g = ChaCha8Rng::seed_from_u64(seed);
    for _ in 0..400 {
        let m = g.random_range(1..5);
        let n = g.random_range(1..=if m < 4 { 8 } else { 6 });
        let p = random::<R>(&mut g, n, m);
        let best = brute(&p).expect("a plan");
        let counting = Counting::new(&p);
        assert!(counting.bound() <= best, "bound too high: {p:?}");
        let proof = prove::raise(&p, &counting, counting.bound(), Ratio::MAX, Limit::PROOF);
        let plan = proof.plan.expect("a plan");
        assert_eq!(whole(&p, &plan), Ok(best), "{p:?}");
        assert!(proof.bound == best, "{p:?}");
    }
}

#[test]
fn exact_equals_brute_force() {
    check::<1>(1);
    check::<2>(2);
    check::<3>(3);
    check::<4>(4);
}

#[test]
fn engine_finds_and_proves_the_optimum_of_tiny_instances() {
    let mut g = ChaCha8Rng::seed_from_u64(9);
    for _ in 0..200 {
        let (n, m) = (g.random_range(1..8), g.random_range(1..4));
        let p = random::<2>(&mut g, n, m);
        let best = brute(&p).expect("a plan");
        let stop = Stop::after(Duration::from_secs(20));
        let mut nobody = |_: &[u32], _, _| {};
        let budget = Budget::new(&stop, u64::MAX);
        let mut e = Engine::new(&p, Ratio::ZERO, budget, 1, &mut nobody);
        e.run();
        assert!(e.value == best && e.bound == best, "{p:?}");
    }
}

#[test]
fn windows_hold_the_subsets_that_brute_force_finds() {
    let mut g = ChaCha8Rng::seed_from_u64(4);
    let mut tools = Subsets::<3>::new();
    for _ in 0..300 {
        let n = g.random_range(0..11);
        let top = [2, 10, 60][g.random_range(0..3)];
        let mut items: Vec<[i64; 3]> =
            (0..n).map(|_| std::array::from_fn(|_| g.random_range(0..=top))).collect();
        items.sort_unstable();
        let lo: [i64; 3] = std::array::from_fn(|_| g.random_range(0..2 * top));
        let w = Window { lo, hi: lo.map(|x| x + g.random_range(0..=top)) };
        let sum = |bits: u64| -> [i64; 3] {
            std::array::from_fn(|r| {
                (0..n).filter(|i| bits >> i & 1 == 1).map(|i| items[i][r]).sum()
            })
        };
        let contents = |bits: u64| -> Vec<[i64; 3]> {
            (0..n).filter(|i| bits >> i & 1 == 1).map(|i| items[i]).collect()
        };
        let inside = |s: &[i64; 3]| (0..3).all(|r| w.lo[r] <= s[r] && s[r] <= w.hi[r]);
        let mut expected: Vec<_> =
            (0..1u64 << n).filter(|b| inside(&sum(*b))).map(contents).collect();
        expected.sort_unstable();
        expected.dedup();
        let mut found = Vec::new();
        let mut classed: Vec<([i64; 3], u32)> = items.iter().map(|item| (*item, 0)).collect();
        for k in 1..classed.len() {
            classed[k].1 = classed[k - 1].1 + u32::from(classed[k].0 != classed[k - 1].0);
        }
        let done = tools.each(&classed, (1 << n) - 1, w, 1 << 12, u64::MAX, |bits, s| {
            assert_eq!(sum(bits), *s);
            found.push(contents(bits));
            std::ops::ControlFlow::Continue(())
        });
        assert!(done.is_ok());
        found.sort_unstable();
        assert_eq!(found, expected);
    }
}

#[test]
fn threads_do_not_change_the_outcome() {
    let mut g = ChaCha8Rng::seed_from_u64(5);
    let p = everywhere::<4>(
        (0..9000).map(|_| std::array::from_fn(|_| g.random_range(1..=100))).collect(),
        (0..60).map(|j| [[4500; 4], [9000; 4], [13500; 4]][j % 3]).collect(),
        vec![[0; 4]; 60],
    );
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        let stop = Stop::after(Duration::from_secs(1_000_000));
        let mut nobody = |_: &[u32], _, _| {};
        let budget = Budget::new(&stop, 3_000_000);
        let mut e = Engine::new(&p, Ratio::ZERO, budget, 3, &mut nobody);
        pool.install(|| e.run());
        (e.plan.clone(), e.budget.work)
    };
    assert!(run(1) == run(3));
}

/// Whether the tasks fit into four bins, by two pairs of bins and all sub-sets of all sets (3^n).
fn four_bins(p: &Problem<2>, bins: &[[i64; 2]]) -> bool {
    let n = p.tasks();
    let sums: Vec<[i64; 2]> = (0..1usize << n)
        .map(|s| {
            (0..n)
                .filter(|i| s >> i & 1 == 1)
                .fold([0; 2], |a, i| super::problem::add(a, p.demand[i]))
        })
        .collect();
    let pair = |a: usize, b: usize| -> Vec<bool> {
        let fit = |s: usize, j: usize| super::problem::fits(&sums[s], &bins[j]);
        let split = |s: usize| {
            let mut t = s;
            loop {
                if fit(t, a) && fit(s ^ t, b) {
                    return true;
                }
                if t == 0 {
                    return false;
                }
                t = (t - 1) & s;
            }
        };
        (0..1usize << n).map(split).collect()
    };
    let (x, y) = (pair(0, 1), pair(2, 3));
    let all = (1usize << n) - 1;
    (0..=all).any(|s| x[s] && y[all ^ s])
}

#[test]
fn tight_instances_have_no_plan_below_the_proven_value() {
    let mut g = ChaCha8Rng::seed_from_u64(6);
    for _ in 0..6 {
        let n = 15;
        let demand: Vec<[i64; 2]> =
            (0..n).map(|_| std::array::from_fn(|_| g.random_range(1..=100))).collect();
        let total = demand.iter().fold([0; 2], |a, d| super::problem::add(a, *d));
        let sizes = [1, 1, 2, 4];
        let cap: Vec<[i64; 2]> =
            (0..4).map(|_| sizes[g.random_range(0..4)]).map(|k| [k, k]).collect();
        let units: i64 = cap.iter().map(|c| c[0]).sum();
        let cap: Vec<[i64; 2]> =
            cap.iter().map(|c| total.map(|t| t * 100 * c[0] / (85 * units))).collect();
        let p = everywhere(demand, cap, vec![[0; 2]; 4]);
        let counting = Counting::new(&p);
        let proof = prove::raise(&p, &counting, counting.bound(), Ratio::MAX, Limit::PROOF);
        assert_eq!(whole(&p, &proof.plan.expect("a plan")), Ok(proof.bound));
        // The rooms just below the value: the largest loads strictly under it.
        let z = proof.bound;
        let under = |c: i64| {
            if Ratio::new(z.floor_of(c), c) < z { z.floor_of(c) } else { z.floor_of(c) - 1 }
        };
        let bins: Vec<[i64; 2]> = p.cap.iter().map(|c| c.map(under)).collect();
        assert!(!four_bins(&p, &bins));
        assert!(four_bins(&p, &p.room(z)));
    }
}

#[test]
fn patterns_refute_no_end_that_can_be_had() {
    let mut g = ChaCha8Rng::seed_from_u64(8);
    let stop = Stop::after(Duration::from_secs(1000));
    let mut raised = 0;
    for _ in 0..300 {
        let (n, m) = (g.random_range(2..9), g.random_range(2..5));
        let low = [1, 90][g.random_range(0..2)];
        let seconds: Vec<i64> = (0..n).map(|_| g.random_range(low..=100)).collect();
        let demand = seconds.iter().map(|seconds| [*seconds]).collect();
        let p = everywhere::<1>(demand, vec![[1]; m], vec![[0]; m]);
        let best = brute(&p).expect("a plan").num;
        let counted = (seconds.iter().sum::<i64>() + m as i64 - 1) / m as i64;
        let mut budget = Budget::new(&stop, u64::MAX);
        let mut patterns = Patterns::new(&seconds, m, 2 * best).expect("a small instance");
        let bound = patterns.bound(counted, 2 * best, &mut budget);
        assert!(bound <= best, "{seconds:?} on {m}: {bound} against {best}");
        raised += usize::from(bound > counted);
    }
    assert!(raised > 50, "patterns say no more than counting");
}
