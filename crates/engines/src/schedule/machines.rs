//! When every job runs alone on its node and all nodes are equally fast, it is the classical
//! problem of parallel machines, for which there is an exact engine.

use super::problem::{NONE, Problem};
use super::serial::Recipe;
use crate::search::Machines;
use base::stop::Stop;
use model::Term;

/// Most machines and lists of nodes.
const KINDS: usize = 4096;

/// What the engine found.
pub(super) struct Solved {
    /// Where each job runs; the shortest first.
    pub recipe: Recipe,
    /// Nothing ends earlier.
    pub bound: i64,
    pub work: u64,
}

/// Whether the instance is of that kind.
pub(super) fn covers(p: &Problem) -> bool {
    let makespan = p.instance.goal().tiers[0].only() == Some(Term::Makespan);
    let plain = p.jobs.iter().all(|job| {
        job.units == 1
            && job.release == 0
            && job.deadline == super::problem::NEVER
            && job.pair.is_none()
            && !job.tied
            && job.draws.is_empty()
            && job.set.is_none()
            && (job.running || job.shortest == job.longest)
    });
    let speed = |j: usize| p.instance.speed(model::NodeId::from(j));
    let alike = (1..p.nodes()).all(|j| speed(j) == speed(0));
    let windows = p.closed.iter().all(|closed| match closed[..] {
        [] => true,
        [(from, _)] => from == 0,
        _ => false,
    });
    let idle = p.busy.iter().all(Vec::is_empty);
    makespan
        && idle
        && plain
        && alike
        && windows
        && !p.precedence
        && alone(p)
        && p.places.len() < KINDS
}

/// No two jobs have room on any node at once.
fn alone(p: &Problem) -> bool {
    let least = |r: usize| (0..p.jobs.len()).map(|k| p.demand(k, 0)[r]).min().unwrap_or(0);
    let least: Vec<i64> = (0..p.width).map(least).collect();
    (0..p.nodes() as u32).all(|j| p.room(j).iter().zip(&least).any(|(room, l)| 2 * l > *room))
}

/// Solves it; `None` when some job has no node.
pub(super) fn solve(p: &Problem, seed: u64, work: u64, stop: &Stop) -> Option<Solved> {
    let mut free_from: Vec<i64> =
        p.closed.iter().map(|closed| closed.first().map_or(0, |(_, to)| *to)).collect();
    let mut jobs: Vec<usize> = Vec::new();
    for (k, job) in p.jobs.iter().enumerate() {
        match job.tasks().next().filter(|_| job.running).and_then(|task| p.pin(task)) {
            Some(node) => {
                let from = &mut free_from[node as usize];
                *from = (*from).max(p.duration(k, node));
            }
            None => jobs.push(k),
        }
    }
    // Kinds of jobs by the nodes that may hold them.
    let mut kinds: Vec<Vec<bool>> = Vec::new();
    let mut known = rustc_hash::FxHashMap::default();
    let mut kind = Vec::with_capacity(jobs.len());
    for k in &jobs {
        let demand = p.demand(*k, 0);
        let at = *known.entry((p.jobs[*k].place, demand.to_vec())).or_insert_with(|| {
            let mut may = vec![false; p.nodes()];
            for node in p.places(*k) {
                may[*node as usize] = demand.iter().zip(p.room(*node)).all(|(d, room)| d <= room);
            }
            kinds.iter().position(|known| *known == may).unwrap_or_else(|| {
                kinds.push(may);
                kinds.len() - 1
            })
        });
        if at >= KINDS {
            return None;
        }
        kind.push(at as u16);
    }
    let everywhere = kinds.iter().flatten().all(|may| *may);
    let seconds: Vec<i64> = jobs.iter().map(|k| p.jobs[*k].shortest).collect();
    let allowed = if everywhere { Vec::new() } else { kinds };
    let machines = Machines { seconds: &seconds, free_from: &free_from, kind, allowed };
    let shared = machines.share(seed, work, stop)?;
    let mut want = vec![NONE; p.jobs.len()];
    jobs.iter().zip(&shared.machine).for_each(|(k, node)| want[*k] = *node);
    let mut order: Vec<u32> = (0..p.jobs.len() as u32).collect();
    order.sort_by_key(|k| (p.jobs[*k as usize].shortest, *k));
    let recipe = Recipe { order, want, ..Recipe::default() };
    // The end of a closed time is no end of a job.
    let closed = p.closed.iter().flatten().map(|(_, to)| *to).max().unwrap_or(0);
    let bound = if shared.bound > closed { shared.bound } else { 0 };
    Some(Solved { recipe, bound, work: shared.work })
}
