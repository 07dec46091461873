//! Tasks with independent, correlated or heavy-tailed demands on nodes of four
//! sizes.

use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Pareto};

use super::{Settings, whole};
use model::{Decimal, Draft, Goal, NodeDraft, PairDraft, TaskDraft, Term};

/// Demands uniform 1..=100.
pub(super) fn uniform(settings: &Settings, rng: &mut ChaCha8Rng) -> Draft {
    let width = settings.resources;
    let demands = (0..settings.tasks * width).map(|_| rng.random_range(1..=100)).collect();
    cluster(settings, rng, demands)
}

/// As [`uniform`], and each pair of task and node costs 1..=100.
pub(super) fn assignment(settings: &Settings, rng: &mut ChaCha8Rng) -> Draft {
    let mut draft = uniform(settings, rng);
    let pairs =
        draft.tasks.iter().flat_map(|task| draft.nodes.iter().map(move |node| (task, node)));
    draft.pairs = pairs
        .map(|(task, node)| PairDraft {
            task: task.id.clone(),
            node: node.id.clone(),
            cost: Some(whole(rng.random_range(1..=100))),
            ..PairDraft::default()
        })
        .collect();
    draft.goal = Some(Goal::single(Term::Cost));
    draft
}

/// One size 1..=100 a task, times 0.8 to 1.2 in each resource.
pub(super) fn correlated(settings: &Settings, rng: &mut ChaCha8Rng) -> Draft {
    let mut demands = Vec::with_capacity(settings.tasks * settings.resources);
    for _ in 0..settings.tasks {
        let size: f64 = rng.random_range(1.0..100.0);
        for _ in 0..settings.resources {
            demands.push((size * rng.random_range(0.8..1.2)).round().max(1.0) as i64);
        }
    }
    cluster(settings, rng, demands)
}

/// Pareto with least value 1 and shape 1.5, cut at 1000.
pub(super) fn heavy_tailed(settings: &Settings, rng: &mut ChaCha8Rng) -> Draft {
    let mut draw = || match Pareto::new(1.0f64, 1.5) {
        Ok(pareto) => (10.0 * pareto.sample(rng)).min(10_000.0).round() as i64,
        Err(_) => 10, // the parameters are constants in range
    };
    let demands = (0..settings.tasks * settings.resources).map(|_| draw()).collect();
    cluster(settings, rng, demands)
}

/// Nodes of relative size 1, 1, 2 or 4, scaled so that the demands fill them as
/// asked in every resource. Where the largest task would fit on no node, the
/// largest node gets room for it.
fn cluster(settings: &Settings, rng: &mut ChaCha8Rng, demands: Vec<i64>) -> Draft {
    let width = settings.resources;
    let mut draft = Draft::default();
    for r in 0..width {
        match ["cpu", "memory", "disk", "network"].get(r) {
            Some(name) => draft.resource(name),
            None => draft.resource(&format!("r{r}")),
        };
    }
    let sizes: Vec<i64> =
        (0..settings.nodes).map(|_| [1, 1, 2, 4].choose(rng).copied().unwrap_or(1)).collect();
    let total: i64 = sizes.iter().sum();
    let largest_node = sizes.iter().enumerate().max_by_key(|(k, size)| (**size, usize::MAX - k));
    let mut capacity = vec![0i64; settings.nodes * width];
    for r in 0..width {
        let sum: i64 = demands.iter().skip(r).step_by(width).sum();
        let most = demands.iter().skip(r).step_by(width).copied().max().unwrap_or(0);
        for (j, size) in sizes.iter().enumerate() {
            let share = sum as f64 / settings.fill * *size as f64 / total as f64;
            capacity[j * width + r] = share.floor().max(1.0) as i64;
        }
        if let Some((j, _)) = largest_node {
            let room = &mut capacity[j * width + r];
            *room = (*room).max(most);
        }
    }
    draft.nodes = (0..settings.nodes)
        .map(|j| NodeDraft {
            id: format!("n{j}"),
            capacity: row(&capacity, width, j),
            price: settings.priced.then(|| {
                whole((100.0 * sizes[j] as f64 * rng.random_range(0.8..1.2)).round() as i64)
            }),
            ..NodeDraft::default()
        })
        .collect();
    draft.tasks = (0..settings.tasks)
        .map(|i| TaskDraft {
            id: format!("t{i}"),
            demand: row(&demands, width, i),
            ..TaskDraft::default()
        })
        .collect();
    draft
}

fn row(flat: &[i64], width: usize, index: usize) -> Vec<(u16, Decimal)> {
    let values = flat[index * width..(index + 1) * width].iter();
    values.enumerate().map(|(r, value)| (r as u16, whole(*value))).collect()
}
