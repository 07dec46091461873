//! A first plan in one pass: large tasks first, each to the best of a few sampled nodes.

use super::problem::{Problem, Vector};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Nodes looked at per task, and the same where there are many nodes.
const SAMPLE: usize = 24;
const FEWER: usize = 8;
const MANY: usize = 1000;
/// A task above this share of the mean capacity looks at every node: there are few of them, and
/// they decide most.
const LARGE: f64 = 0.25;

/// Nodes looked at between two looks at the clock.
const STRIDE: usize = 1 << 16;

/// Places the tasks, largest first, where the sum of (load / capacity)^8 grows least. `None` where
/// it is over before.
pub fn greedy<const R: usize>(
    p: &Problem<R>,
    rng: &mut ChaCha8Rng,
    over: &dyn Fn() -> bool,
) -> Option<Vec<u32>> {
    let m = p.nodes();
    let sample = m.min(if m > MANY { FEWER } else { SAMPLE });
    let mut load = p.used.clone();
    let mut node_of = vec![0u32; p.tasks()];
    let mut looks = 0;
    for (share, i) in by_size(p) {
        let d = &p.demand[i as usize];
        let some = share <= LARGE && sample < m;
        let mut best = if some {
            least(p, &load, i, (0..sample).map(|_| rng.random_range(0..m)))
        } else {
            None
        };
        looks += sample;
        if best.is_none() {
            best = least(p, &load, i, 0..m);
            looks += m;
        }
        if looks >= STRIDE {
            looks = 0;
            if over() {
                return None;
            }
        }
        let j = best.unwrap_or(0);
        for r in 0..R {
            load[j][r] += d[r];
        }
        node_of[i as usize] = j as u32;
    }
    Some(node_of)
}

/// Tasks by their largest share of the mean capacity, falling.
fn by_size<const R: usize>(p: &Problem<R>) -> Vec<(f64, u32)> {
    let m = p.nodes() as f64;
    let mean: [f64; R] =
        std::array::from_fn(|r| p.cap.iter().map(|c| c[r] as f64).sum::<f64>() / m);
    let size = |d: &Vector<R>| (0..R).map(|r| d[r] as f64 / mean[r].max(1.0)).fold(0.0, f64::max);
    let mut order: Vec<(f64, u32)> =
        (0..p.tasks()).map(|i| (size(&p.demand[i]), i as u32)).collect();
    order.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    order
}

/// The node among some where the task adds least; none if it can be on none of them.
fn least<const R: usize>(
    p: &Problem<R>,
    load: &[Vector<R>],
    i: u32,
    nodes: impl Iterator<Item = usize>,
) -> Option<usize> {
    let mut best = (f64::INFINITY, None);
    let d = &p.demand[i as usize];
    for j in nodes.filter(|j| p.may(i as usize, *j)) {
        let cost = growth(&load[j], d, &p.cap[j]);
        if cost < best.0 {
            best = (cost, Some(j));
        }
    }
    best.1
}

/// How much the sum of eighth powers of the utilisations grows; infinite without capacity.
fn growth<const R: usize>(load: &Vector<R>, d: &Vector<R>, cap: &Vector<R>) -> f64 {
    let mut sum = 0.0;
    for r in (0..R).filter(|&r| d[r] > 0) {
        if cap[r] == 0 {
            return f64::INFINITY;
        }
        let u = |l: i64| (l as f64 / cap[r] as f64).powi(8);
        sum += u(load[r] + d[r]) - u(load[r]);
    }
    sum
}
