//! Annealing in blocks: the nodes are dealt at random into blocks that fit the cache, every block
//! is annealed by itself, then the nodes are dealt anew. Blocks share nothing, so they run in
//! parallel, and as each has its own stream the result is the same on any number of threads.

use super::anneal::{Block, Schedule};
use super::assignment::Assignment;
use super::budget::Budget;
use super::problem::{Problem, Vector};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// Tasks per block, about.
const BLOCK: usize = 4096;
/// Deals of the nodes, if there are several blocks.
const DEALS: u64 = 8;

/// Anneals the whole plan towards `room`: `per_task` moves for each task, from `hot` to `cold`.
pub fn anneal<const R: usize>(
    p: &Problem<R>,
    s: &mut Assignment<R>,
    room: &[Vector<R>],
    per_task: u64,
    heat: (f64, f64),
    seed: u64,
    budget: &mut Budget<'_>,
) {
    let parts = (p.tasks() / BLOCK).clamp(1, (p.nodes() / 8).max(1));
    let deals = if parts == 1 { 1 } else { DEALS };
    let moves = (per_task * p.tasks() as u64 / deals).min(budget.left() / deals).max(1);
    let mut nodes: Vec<u32> = (0..p.nodes() as u32).collect();
    for deal in 0..deals {
        if budget.over() {
            return;
        }
        let at = |k: u64| heat.0 * (heat.1 / heat.0).powf(k as f64 / deals as f64);
        let schedule = Schedule { moves: moves / parts as u64, hot: at(deal), cold: at(deal + 1) };
        let mut rng = ChaCha8Rng::seed_from_u64(seed.wrapping_add(deal));
        if parts > 1 {
            nodes.shuffle(&mut rng);
        }
        let size = nodes.len().div_ceil(parts);
        let work = |(k, part): (usize, &[u32])| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed.wrapping_add(deal));
            rng.set_stream(k as u64 + 1);
            let mut block = cut(p, s, room, part);
            block.anneal(schedule, &mut rng);
            block.node_of
        };
        let found: Vec<Vec<u32>> = nodes.par_chunks(size).enumerate().map(work).collect();
        *s = merge(p, s, &nodes, size, &found);
        budget.work += schedule.moves * parts as u64;
    }
}

/// Copies some nodes and their tasks into a block.
fn cut<const R: usize>(
    p: &Problem<R>,
    s: &Assignment<R>,
    room: &[Vector<R>],
    part: &[u32],
) -> Block<R> {
    let (mut demand, mut kind) = (Vec::new(), Vec::new());
    let mut node_of = Vec::new();
    for (k, &j) in part.iter().enumerate() {
        for &i in &s.members[j as usize] {
            demand.push(p.demand[i as usize]);
            kind.push(p.kind[i as usize]);
            node_of.push(k as u32);
        }
    }
    let square = |r: usize| demand.iter().map(|d: &Vector<R>| (d[r] as f64).powi(2)).sum::<f64>();
    let mean = |r: usize| (square(r) / demand.len().max(1) as f64).sqrt();
    Block {
        scale: std::array::from_fn(|r| 1.0 / mean(r).max(1e-9)),
        node_of,
        load: part.iter().map(|&j| s.load[j as usize]).collect(),
        room: part.iter().map(|&j| room[j as usize]).collect(),
        allowed: (p.allowed.iter())
            .map(|row| part.iter().map(|&j| row[j as usize]).collect())
            .collect(),
        kind,
        demand,
    }
}

/// The plan after the blocks have moved their tasks.
fn merge<const R: usize>(
    p: &Problem<R>,
    s: &Assignment<R>,
    nodes: &[u32],
    size: usize,
    found: &[Vec<u32>],
) -> Assignment<R> {
    let mut node_of = s.node_of.clone();
    for (part, of) in nodes.chunks(size).zip(found) {
        let tasks = part.iter().flat_map(|&j| &s.members[j as usize]);
        for (&i, &k) in tasks.zip(of) {
            node_of[i as usize] = part[k as usize];
        }
    }
    Assignment::new(p, node_of)
}
