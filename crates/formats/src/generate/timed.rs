//! Instances in time: parallel machines, layered graphs of tasks, a week of jobs of a GPU
//! cluster.

use rand::RngExt;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, LogNormal};

use super::cluster::{boxes, weighted};
use super::{Settings, whole};
use model::{AfterDraft, Decimal, Draft, Goal, NodeDraft, TaskDraft, Term, When};

/// Times uniform in [1, longest].
pub(super) fn franca_uniform(settings: &Settings, rng: &mut ChaCha8Rng) -> Draft {
    machines(settings, || rng.random_range(1..=settings.longest))
}

/// With a = 1 and b the longest time, 98 % of the times uniform in [0.9 (b - a), b], the others in
/// [a, 0.2 (b - a)].
pub(super) fn franca_non_uniform(settings: &Settings, rng: &mut ChaCha8Rng) -> Draft {
    let (a, b) = (1, settings.longest);
    let (low, high) = (a.max(9 * (b - a) / 10), a.max(2 * (b - a) / 10));
    machines(settings, || {
        if rng.random_range(0..100) < 98 {
            rng.random_range(low..=b)
        } else {
            rng.random_range(a..=high)
        }
    })
}

/// Identical machines, each running one task at a time.
fn machines(settings: &Settings, mut draw: impl FnMut() -> i64) -> Draft {
    let mut draft = Draft { goal: Some(Goal::single(Term::Makespan)), ..Draft::default() };
    let one = vec![(draft.resource("cpu"), Decimal::ONE)];
    let node = |j| NodeDraft { id: format!("m{j}"), capacity: one.clone(), ..NodeDraft::default() };
    draft.nodes = (0..settings.nodes).map(node).collect();
    let mut task = |i| TaskDraft {
        id: format!("t{i}"),
        demand: one.clone(),
        duration: Some(draw()),
        ..TaskDraft::default()
    };
    draft.tasks = (0..settings.tasks).map(&mut task).collect();
    draft
}

/// Cores and GiB of a node.
const SIZE: [i64; 2] = [16, 64];

/// Layers of 1 to twice as many tasks as there are nodes. Each task comes after 1 to 3 of the
/// layer before, one time in ten with a lag of 1 to 10 minutes; it takes up to half a node and 1
/// to 100 minutes. A quarter of the nodes is twice as large.
pub(super) fn layered(settings: &Settings, rng: &mut ChaCha8Rng) -> Draft {
    let mut draft = Draft { goal: Some(Goal::single(Term::Makespan)), ..Draft::default() };
    let (cpu, memory) = (draft.resource("cpu"), draft.resource("memory"));
    draft.resources[usize::from(memory)].unit = Some("GiB".to_owned());
    for j in 0..settings.nodes {
        let size = if rng.random_range(0..4) == 0 { 2 } else { 1 };
        draft.nodes.push(NodeDraft {
            id: format!("n{j}"),
            capacity: vec![(cpu, whole(size * SIZE[0])), (memory, whole(size * SIZE[1]))],
            ..NodeDraft::default()
        });
    }
    let mut before = 0..0;
    while draft.tasks.len() < settings.tasks {
        let first = draft.tasks.len();
        let width = rng.random_range(1..=2 * settings.nodes);
        for i in first..(first + width).min(settings.tasks) {
            let wanted = rng.random_range(1..=3usize).min(before.len());
            let mut chosen = sample(rng, before.len(), wanted).into_vec();
            chosen.sort_unstable();
            let mut after = |k: usize| AfterDraft {
                task: format!("t{}", before.start + k),
                lag: if rng.random_range(0..10) == 0 { 60 * rng.random_range(1..=10) } else { 0 },
            };
            draft.tasks.push(TaskDraft {
                id: format!("t{i}"),
                after: chosen.into_iter().map(&mut after).collect(),
                demand: vec![
                    (cpu, whole(rng.random_range(1..=SIZE[0] / 2))),
                    (memory, whole(rng.random_range(1..=SIZE[1] / 2))),
                ],
                duration: Some(60 * rng.random_range(1..=100)),
                ..TaskDraft::default()
            });
        }
        before = first..draft.tasks.len();
    }
    draft
}

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// What jobs ask for: units, quarters of a card each, weight.
const JOBS: [(u32, i64, u32); 9] = [
    (1, 1, 12), // a quarter of a card
    (1, 2, 10), // half a card
    (1, 4, 40),
    (1, 8, 12),
    (1, 16, 10),
    (1, 32, 9),
    (2, 32, 4),
    (4, 32, 2),
    (8, 32, 1),
];

/// Priorities with their weights.
const PRIORITIES: [(i64, u32); 3] = [(0, 70), (1, 25), (2, 5)];

/// Jobs over seven days, most of them in the afternoon of working days (the first day is a
/// Monday), on boxes as in `gpu-cluster` with cards that jobs share in quarters and halves, take
/// whole, or in gangs of 2 to 8 whole boxes. Durations are lognormal (sigma 1.7, a minute to
/// three days), scaled so that they keep the cards as busy as `fill` says for the seven days,
/// where so many jobs can.
pub(super) fn week(settings: &Settings, rng: &mut ChaCha8Rng) -> Draft {
    let goal = Some(Goal::single(Term::Wait));
    let mut draft = boxes(settings, rng);
    draft.goal = goal;
    draft.resources[0].devices = true;
    let cards: f64 = draft.nodes.iter().map(|node| node.capacity[0].1.to_f64()).sum();
    let large = draft.nodes.iter().filter(|node| node.capacity[0].1.to_f64() >= 8.0).count();
    let mut releases: Vec<i64> = (0..settings.tasks).map(|_| arrival(rng)).collect();
    releases.sort_unstable();
    // The parameters are constants in range.
    let length = LogNormal::new(0.0f64, 1.7).ok();
    let mut lengths = Vec::with_capacity(settings.tasks);
    for (i, release) in releases.into_iter().enumerate() {
        let (units, quarters, _) = JOBS[weighted(rng, JOBS.map(|job| job.2))];
        let units = units.min(large.max(1) as u32);
        // Without boxes of eight cards there are no jobs for eight.
        let quarters = if large == 0 { quarters.min(4) } else { quarters };
        let amounts =
            [(1, quarters * rng.random_range(1..=3)), (2, quarters * rng.random_range(4..=24))];
        let card = Decimal::parse(&format!("{}", quarters as f64 / 4.0)).unwrap_or(Decimal::ONE);
        let mut demand = vec![(0, card)];
        demand.extend(amounts.map(|(r, amount)| (r, whole(amount))));
        lengths.push((
            length.as_ref().map_or(1.0, |length| length.sample(rng)),
            f64::from(units) * quarters as f64 / 4.0,
        ));
        draft.tasks.push(TaskDraft {
            id: format!("job-{i:05}"),
            demand,
            priority: PRIORITIES[weighted(rng, PRIORITIES.map(|p| p.1))].0,
            replicas: (units > 1).then_some(units),
            release: Some(When::In(release)),
            ..TaskDraft::default()
        });
    }
    let seconds = |length: f64, unit: f64| (length * unit).clamp(60.0, 3.0 * DAY as f64).floor();
    let work = |unit: f64| lengths.iter().map(|(l, cards)| seconds(*l, unit) * cards).sum::<f64>();
    let (wanted, mut unit, mut step) = (settings.fill * cards * 7.0 * DAY as f64, 0.0, 1e9);
    for _ in 0..60 {
        if work(unit + step) <= wanted {
            unit += step;
        }
        step *= 0.5;
    }
    for (task, (length, _)) in draft.tasks.iter_mut().zip(&lengths) {
        task.duration = Some(seconds(*length, unit) as i64);
    }
    draft
}

/// A second of the week: by a rhythm that is 1.7 times the mean at 15:00 and 0.3 times at 3:00,
/// and half of that on the last two days.
fn arrival(rng: &mut ChaCha8Rng) -> i64 {
    loop {
        let second = rng.random_range(0..7 * DAY);
        let hour = (second % DAY) as f64 / HOUR as f64;
        let rhythm = 1.0 + 0.7 * libm::cos((hour - 15.0) / 12.0 * std::f64::consts::PI);
        let days = if second >= 5 * DAY { 0.5 } else { 1.0 };
        if rng.random::<f64>() * 1.7 < rhythm * days {
            return second;
        }
    }
}
