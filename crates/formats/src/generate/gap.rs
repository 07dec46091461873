//! The published types of generalised assignment problems. Their capacity
//! formulas were checked against the published files of types A, B, C and E:
//! capacities there are rounded down.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::Settings;
use model::{Decimal, Draft};

/// Row-major, nodes x tasks.
struct Table {
    cost: Vec<i64>,
    demand: Vec<i64>,
    capacity: Vec<i64>,
}

/// Type A: demand U(5, 25), cost U(10, 50), capacity
/// 0.6 * 15 n/m + 0.4 * (the largest load when every task takes its cheapest node).
pub(super) fn a(settings: &Settings, rng: &mut ChaCha8Rng) -> Draft {
    loose(settings, rng, 1.0)
}

/// Type B: as A with 70 % of its capacity.
pub(super) fn b(settings: &Settings, rng: &mut ChaCha8Rng) -> Draft {
    loose(settings, rng, 0.7)
}

fn loose(settings: &Settings, rng: &mut ChaCha8Rng, factor: f64) -> Draft {
    let (m, n) = (settings.nodes, settings.tasks);
    let demand: Vec<i64> = (0..m * n).map(|_| rng.random_range(5..=25)).collect();
    let cost: Vec<i64> = (0..m * n).map(|_| rng.random_range(10..=50)).collect();
    let mut load = vec![0i64; m];
    for task in 0..n {
        let cheapest = (0..m).min_by_key(|node| cost[node * n + task]).unwrap_or(0);
        load[cheapest] += demand[cheapest * n + task];
    }
    let most = load.into_iter().max().unwrap_or(0);
    let capacity = factor * (0.6 * 15.0 * n as f64 / m as f64 + 0.4 * most as f64);
    draft(Table { cost, demand, capacity: vec![at_least_one(capacity); m] })
}

/// Type C: demand U(5, 25), cost U(10, 50), capacity 0.8 * sum of demands / m.
pub(super) fn c(settings: &Settings, rng: &mut ChaCha8Rng) -> Draft {
    tight(settings, || (rng.random_range(5..=25), rng.random_range(10..=50)))
}

/// Type D: demand U(1, 100), cost 111 - demand + U(-10, 10), capacity as C.
pub(super) fn d(settings: &Settings, rng: &mut ChaCha8Rng) -> Draft {
    tight(settings, || {
        let demand = rng.random_range(1..=100);
        (demand, 111 - demand + rng.random_range(-10..=10))
    })
}

/// Type E: demand 1 - 10 ln U(0, 1], cost 1000 / demand - 10 U[0, 1], capacity as C.
pub(super) fn e(settings: &Settings, rng: &mut ChaCha8Rng) -> Draft {
    tight(settings, || {
        let uniform = 1.0 - rng.random_range(0.0..1.0f64); // in (0, 1]
        let demand = 1.0 - 10.0 * uniform.ln();
        let cost = 1000.0 / demand.floor() - 10.0 * rng.random_range(0.0..1.0f64);
        (demand.floor() as i64, cost.round() as i64)
    })
}

fn tight(settings: &Settings, mut draw: impl FnMut() -> (i64, i64)) -> Draft {
    let (m, n) = (settings.nodes, settings.tasks);
    let (demand, cost): (Vec<i64>, Vec<i64>) = (0..m * n).map(|_| draw()).unzip();
    let capacity = demand
        .chunks(n)
        .map(|row| {
            at_least_one(0.8 * row.iter().sum::<i64>() as f64 / m as f64)
                .max(row.iter().copied().min().unwrap_or(1))
        })
        .collect();
    draft(Table { cost: cost.into_iter().map(|c| c.max(0)).collect(), demand, capacity })
}

fn at_least_one(capacity: f64) -> i64 {
    capacity.floor().max(1.0) as i64
}

fn draft(table: Table) -> Draft {
    let whole = |list: Vec<i64>| list.into_iter().map(super::whole).collect::<Vec<Decimal>>();
    Draft::pairwise("load", &whole(table.cost), &whole(table.demand), &whole(table.capacity))
}
