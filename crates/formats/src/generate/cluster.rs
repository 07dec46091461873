//! A GPU cluster as planners know it: a few kinds of boxes, many small jobs,
//! some large ones, some that want one card model.

use rand::RngExt;
use rand::distr::weighted::WeightedIndex;
use rand_chacha::ChaCha8Rng;
use rand_distr::Distribution;

use super::{Settings, whole};
use model::{Draft, NodeDraft, Requirement, TaskDraft};

/// A kind of box: model label, cards, cores, GiB, price, weight in the mix.
const BOXES: [(&str, i64, i64, i64, i64, u32); 4] = [
    ("A100", 8, 128, 1024, 320, 40),
    ("H100", 8, 192, 2048, 560, 15),
    ("L40S", 4, 64, 512, 90, 35),
    ("", 0, 96, 384, 30, 10),
];

/// Cards a job asks for, with weights.
const CARDS: [(i64, u32); 5] = [(0, 15), (1, 45), (2, 18), (4, 14), (8, 8)];

/// Boxes in the stated mix (each kind at least once from four boxes on); jobs of
/// 0, 1, 2, 4 or 8 cards with cores and memory to match. Jobs are drawn until
/// the number asked for; those that would fill any resource beyond `fill` ask
/// for no card and a little of the rest instead.
pub(super) fn gpu_cluster(settings: &Settings, rng: &mut ChaCha8Rng) -> Draft {
    let mut draft = boxes(settings, rng);
    let amount = |r: usize| draft.nodes.iter().map(move |node| node.capacity[r].1.to_f64()).sum();
    let total: [f64; 3] = [amount(0), amount(1), amount(2)];
    let room = total.map(|sum| sum * settings.fill);
    let mut filled = [0.0; 3];
    for i in 0..settings.tasks {
        let task = job(rng, i, &room, &mut filled, draft.nodes.len() >= BOXES.len());
        draft.tasks.push(task);
    }
    draft
}

/// The boxes alone, with the resources gpu, cpu and memory.
pub(super) fn boxes(settings: &Settings, rng: &mut ChaCha8Rng) -> Draft {
    let mut draft = Draft::default();
    for (name, unit) in [("gpu", "card"), ("cpu", "core"), ("memory", "GiB")] {
        let at = draft.resource(name) as usize;
        draft.resources[at].unit = Some(unit.to_owned());
    }
    for j in 0..settings.nodes {
        let kind = if j < BOXES.len() { j } else { weighted(rng, BOXES.map(|b| b.5)) };
        let (model, cards, cores, memory, price, _) = BOXES[kind];
        let mut labels = vec![("rack".to_owned(), format!("r{}", j / 16))];
        if !model.is_empty() {
            labels.push(("gpu_model".to_owned(), model.to_owned()));
        }
        draft.nodes.push(NodeDraft {
            id: format!("gpu-{j:04}"),
            capacity: vec![(0, whole(cards)), (1, whole(cores)), (2, whole(memory))],
            labels,
            price: settings.priced.then(|| whole(price)),
            ..NodeDraft::default()
        });
    }
    draft
}

fn job(
    rng: &mut ChaCha8Rng,
    index: usize,
    room: &[f64; 3],
    filled: &mut [f64; 3],
    mixed: bool,
) -> TaskDraft {
    let cards = CARDS[weighted(rng, CARDS.map(|c| c.1))].0;
    let cores =
        if cards == 0 { rng.random_range(1..=16) } else { cards * rng.random_range(4..=14) };
    let memory =
        if cards == 0 { rng.random_range(2..=64) } else { cards * rng.random_range(16..=110) };
    let mut demand = [cards, cores, memory];
    let over = (0..3).any(|r| filled[r] + demand[r] as f64 > room[r]);
    if over {
        demand = [0, rng.random_range(1..=2), rng.random_range(1..=2)];
    }
    for (sum, amount) in filled.iter_mut().zip(demand) {
        *sum += amount as f64;
    }
    let wants_model = mixed && demand[0] > 0 && rng.random_range(0..100) < 25;
    let any_of = match (wants_model, demand[0]) {
        (false, _) => Vec::new(),
        // Only boxes with eight cards take the largest jobs.
        (true, 8) => vec![("gpu_model".to_owned(), vec!["A100".to_owned(), "H100".to_owned()])],
        (true, 4) => vec![("gpu_model".to_owned(), vec!["A100".to_owned()])],
        (true, _) => vec![("gpu_model".to_owned(), vec!["L40S".to_owned()])],
    };
    TaskDraft {
        id: format!("job-{index:05}"),
        demand: demand.iter().enumerate().map(|(r, amount)| (r as u16, whole(*amount))).collect(),
        duration: Some(600 * rng.random_range(1..=144)),
        requires: Requirement { any_of, ..Requirement::default() },
        ..TaskDraft::default()
    }
}

pub(super) fn weighted<const N: usize>(rng: &mut ChaCha8Rng, weights: [u32; N]) -> usize {
    // The weights are positive constants.
    WeightedIndex::new(weights).map_or(0, |index| index.sample(rng))
}
