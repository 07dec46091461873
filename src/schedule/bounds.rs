//! Proven lower bounds on the goals about time, and proofs that no schedule exists.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::flat::{NEVER, Problem};
use super::goal::Aim;
use super::orders::Figures;
use super::supply::{Row, rows};
use crate::model::{NodeId, TaskId, Term, Tier};
use crate::search::least_jobs;

/// A bound and what it rests on.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub value: f64,
    pub why: &'static str,
}

impl Bound {
    fn raise(&mut self, value: f64, why: &'static str) {
        if value > self.value {
            *self = Bound { value, why };
        }
    }
}

/// When each job can start and end at the earliest, on nodes of its own.
pub(super) struct Heads {
    pub start: Vec<i64>,
    pub end: Vec<i64>,
}

impl Heads {
    /// `Err` names jobs that can never run, and why.
    pub fn of(p: &Problem) -> (Heads, Vec<(usize, &'static str)>) {
        let n = p.jobs.len();
        let mut heads = Heads { start: vec![0; n], end: vec![0; n] };
        let mut never = Vec::new();
        let mut lost = vec![false; n];
        for k in p.topological.iter().map(|k| *k as usize) {
            let job = &p.jobs[k];
            let after = job.before.iter().map(|(other, lag)| heads.end[*other as usize] + lag);
            let ready = after.max().unwrap_or(0).max(job.release);
            let range = (ready, NEVER);
            let mut best: Option<(i64, i64)> = None;
            let mut units = 0u64;
            let own: Vec<u32>;
            let places = match job.tasks().next().and_then(|task| p.pin(task)) {
                Some(node) if job.units == 1 => {
                    own = vec![node];
                    &own
                }
                _ => p.places(k),
            };
            for node in places {
                let (demand, duration) = (p.demand(k, *node), p.duration(k, *node));
                let Some(start) = p.empty[*node as usize].earliest(range, duration, demand, &mut 0)
                else {
                    continue;
                };
                let each = p.room(*node).iter().zip(demand).filter(|(_, d)| **d > 0);
                let most = each.map(|(room, d)| room / d).min().unwrap_or(i64::MAX);
                units += most.clamp(0, i64::from(job.units)) as u64;
                let end = start + duration;
                best = Some(best.map_or((start, end), |(s, e)| (s.min(start), e.min(end))));
                let settled = start == ready && duration == job.shortest;
                if settled && units >= u64::from(job.units) {
                    break;
                }
            }
            (heads.start[k], heads.end[k]) = match best {
                _ if job.running => (0, job.shortest),
                Some(best) => best,
                None => (ready, ready),
            };
            let after_lost = job.before.iter().any(|(other, _)| lost[*other as usize]);
            let why = if job.running {
                continue;
            } else if best.is_none() {
                "no node that it may run on has room for it"
            } else if units < u64::from(job.units) && !job.pinned {
                "its units have no room at the same time"
            } else if heads.end[k] > job.deadline {
                "it cannot end by its deadline"
            } else if after_lost {
                "it comes after what can never run"
            } else {
                continue;
            };
            lost[k] = true;
            never.push((k, why));
        }
        (heads, never)
    }
}

/// A bound for each tier of the goal.
pub(super) fn bounds(
    p: &Problem,
    aim: &Aim,
    figures: &Figures,
    heads: &Heads,
    never: &[(usize, &'static str)],
) -> Vec<Bound> {
    let rows = rows(p);
    let tiers = aim.goal.tiers.iter();
    tiers.map(|tier| of_tier(p, tier, (figures, heads, &rows), never)).collect()
}

fn of_tier(
    p: &Problem,
    tier: &Tier,
    (figures, heads, rows): (&Figures, &Heads, &[Row]),
    never: &[(usize, &'static str)],
) -> Bound {
    let mut sum = Bound { value: 0.0, why: "counting" };
    for part in &tier.terms {
        // Where jobs may be left out, nothing is sure of those that are not.
        let bound = match part.term {
            Term::Unplaced(priority) => {
                let jobs = never.iter().map(|(k, _)| &p.jobs[*k]);
                let jobs = jobs.filter(|job| priority.is_none_or(|p| p == job.priority));
                let lost: i64 = jobs.map(|job| job.weight * i64::from(job.units)).sum();
                Bound { value: p.instance.weight_scale().to_f64(lost), why: "jobs that fit never" }
            }
            _ if !never.is_empty() => continue,
            Term::Makespan => makespan(p, figures, heads, rows),
            Term::Completion | Term::Wait | Term::Tardiness => {
                let (steps, why) = match part.term {
                    Term::Completion => completion(p, heads, rows, Counted::Ends),
                    Term::Wait => completion(p, heads, rows, Counted::Waits),
                    _ => tardiness(p, heads, rows),
                };
                // Sums are whole numbers of steps; what floating point loses is given up first.
                let whole = (steps - 1e-6 - 1e-9 * steps.abs()).ceil().max(0.0);
                Bound { value: p.instance.weight_scale().to_f64(whole as i64), why }
            }
            term => Bound { value: places(p, term), why: "each task where it is best" },
        };
        if bound.value * part.weight > 0.0 {
            sum = Bound { value: sum.value + bound.value * part.weight, why: bound.why };
        }
    }
    Bound { value: tier.worth(sum.value), ..sum }
}

/// Each task where it is best for a term about places.
fn places(p: &Problem, term: Term) -> f64 {
    let instance = p.instance;
    if p.jobs.is_empty() {
        return 0.0;
    }
    let least = |of: &dyn Fn(TaskId, NodeId) -> i64| -> i64 {
        let jobs = p.jobs.iter().enumerate();
        let each = jobs.flat_map(|(k, job)| job.tasks().map(move |task| (k, task)));
        each.map(|(k, task)| {
            let pin = p.pin(task).map(|node| of(task, NodeId(node)));
            let any = || p.places(k).iter().map(|node| of(task, NodeId(*node))).min();
            pin.or_else(any).unwrap_or(0)
        })
        .sum()
    };
    match term {
        Term::Cost => {
            let price = (0..p.nodes()).map(|node| instance.price(NodeId::from(node))).min();
            let tasks = least(&|task, node| instance.cost_on(task, node));
            instance.cost_scale().to_f64(tasks + price.unwrap_or(0))
        }
        Term::Nodes => 1.0,
        Term::Soft => {
            instance.soft_scale().to_f64(least(&|task, node| instance.penalty(task, node)))
        }
        Term::Moves => {
            instance.move_scale().to_f64(least(&|task, node| instance.move_cost(task, node)))
        }
        _ => 0.0,
    }
}

/// Distinct values, at most so many of them, the smallest among them.
fn some(mut values: Vec<i64>, most: usize) -> Vec<i64> {
    values.sort_unstable();
    values.dedup();
    let step = values.len().div_ceil(most).max(1);
    values.into_iter().step_by(step).collect()
}

fn makespan(p: &Problem, figures: &Figures, heads: &Heads, rows: &[Row]) -> Bound {
    let mut best = Bound { value: 0.0, why: "counting" };
    let rest = |k: usize| figures.tail[k] - p.jobs[k].shortest;
    let path = (0..p.jobs.len()).map(|k| heads.end[k] + rest(k)).max().unwrap_or(0);
    best.raise(path as f64, "the critical path");
    for row in rows {
        let mut jobs: Vec<(i64, i64, i128)> = row
            .jobs
            .iter()
            .map(|(k, energy)| (rest(*k as usize), heads.start[*k as usize], *energy))
            .collect();
        jobs.sort_unstable_by_key(|job| Reverse(job.0));
        let firsts = some(jobs.iter().map(|job| job.1).collect(), 40);
        for head in firsts {
            let mut sum = 0i128;
            let mut at = jobs.iter().filter(|job| job.1 >= head).peekable();
            while let Some((rest, _, energy)) = at.next() {
                sum += energy;
                // Only where the next job leaves less behind it does the bound change its form.
                if at.peek().is_none_or(|next| next.0 < *rest) {
                    let end = row.supply.full(head, sum).saturating_add(*rest);
                    best.raise(end as f64, row.why);
                }
            }
        }
        best.raise(crowd(p, heads, row, &rest) as f64, "the longest jobs that share a node");
    }
    best
}

/// Jobs and machines beyond which only one machine is looked at.
const PAIRS: usize = 20_000_000;

/// Jobs that run one at a time: some of the machines run so many of the longest that even the
/// shortest of these keep them busy until then (Haouari, Gharbi, Jemmali 2006, DOI
/// 10.1111/j.1475-3995.2006.00548.x).
fn crowd(p: &Problem, heads: &Heads, row: &Row, rest: &dyn Fn(usize) -> i64) -> i64 {
    let Some(machines) = row.machines.filter(|machines| *machines > 0) else { return 0 };
    let mut jobs: Vec<(i64, i64, i64)> = Vec::new();
    for (k, _) in &row.jobs {
        let k = *k as usize;
        let job = (p.jobs[k].shortest, heads.start[k], rest(k));
        jobs.extend(std::iter::repeat_n(job, p.jobs[k].units as usize));
    }
    jobs.sort_unstable_by_key(|job| Reverse(job.0));
    let most = if jobs.len().saturating_mul(machines) > PAIRS { 1 } else { machines };
    let (mut head, mut tail, mut best) = (NEVER, NEVER, 0);
    let mut sums = vec![0];
    for (longest, job) in (1..).zip(&jobs) {
        (head, tail) = (head.min(job.1), tail.min(job.2));
        sums.push(sums[longest - 1] + job.0);
        for some in 1..=most {
            let busy = sums[longest] - sums[longest - least_jobs(longest, some, machines)];
            let some = some as i64;
            best = best.max(head + (busy + some - 1) / some + tail);
        }
    }
    best
}

/// What of a job a sum counts.
#[derive(Clone, Copy, PartialEq)]
enum Counted {
    /// Its end.
    Ends,
    /// The time from its release to its start.
    Waits,
}

/// Sums of weight times end or wait, in steps of weight: jobs alone; one fast node that may
/// interrupt (Goemans et al. 2002, DOI 10.1137/S089548019936223X); and the shortest first.
fn completion(p: &Problem, heads: &Heads, rows: &[Row], counted: Counted) -> (f64, &'static str) {
    let weight = |k: usize| p.jobs[k].weight as f64;
    let alone = |k: usize| {
        let seconds = match counted {
            Counted::Ends => heads.end[k],
            Counted::Waits => heads.start[k] - p.jobs[k].release,
        };
        weight(k) * seconds as f64
    };
    let mut best = ((0..p.jobs.len()).map(alone).sum::<f64>(), "each job on nodes of its own");
    for row in rows {
        let mut inside = vec![false; p.jobs.len()];
        row.jobs.iter().for_each(|(k, _)| inside[*k as usize] = true);
        let outside: f64 = (0..p.jobs.len()).filter(|k| !inside[*k]).map(alone).sum();
        // From the middle of a job's time on, half of it is sure to follow; at most half of the
        // longest came before.
        let fluid = means(p, heads, row).into_iter().map(|(k, middle)| {
            let job = &p.jobs[k];
            let seconds = match counted {
                Counted::Ends => middle + job.shortest as f64 / 2.0,
                Counted::Waits => middle - job.longest as f64 / 2.0 - job.release as f64,
            };
            weight(k) * seconds
        });
        let fluid = outside + fluid.sum::<f64>();
        if fluid > best.0 {
            best = (fluid, row.why);
        }
        let jobs = || row.jobs.iter().map(|(k, _)| &p.jobs[*k as usize]);
        let least = jobs().map(|job| job.weight).min().unwrap_or(0) as f64;
        if let Some(runs) = row.machines.and_then(|m| shortest_first(p, heads, row, m)) {
            let seconds: i64 = match counted {
                Counted::Ends => runs.iter().map(|run| run.1).sum(),
                Counted::Waits => {
                    runs.iter().map(|run| run.0).sum::<i64>()
                        - jobs().map(|job| job.release).sum::<i64>()
                }
            };
            let sum = outside + least * seconds as f64;
            if sum > best.0 {
                best = (sum, "the shortest jobs first");
            }
        }
    }
    best
}

/// The middle of each job's time, weighted sums of which no schedule goes below, when one node
/// with all of the supply serves the most weight for its energy first and may interrupt.
fn means(p: &Problem, heads: &Heads, row: &Row) -> Vec<(usize, f64)> {
    let speed = row.supply.rate() as f64;
    let mut order: Vec<(i64, usize, f64)> = row
        .jobs
        .iter()
        .map(|(k, energy)| (heads.start[*k as usize], *k as usize, *energy as f64))
        .collect();
    order.sort_unstable_by_key(|job| (job.0, job.1));
    let density = |k: usize, energy: f64| p.jobs[k].weight as f64 / energy.max(1e-12);
    // Positive floats are ordered as their bits are.
    let mut open: BinaryHeap<(u64, Reverse<usize>)> = BinaryHeap::new();
    let (mut left, mut mean, mut whole) = (vec![], vec![], vec![]);
    let mut time = 0.0f64;
    let mut at = 0;
    loop {
        while at < order.len() && order[at].0 as f64 <= time {
            open.push((density(order[at].1, order[at].2).to_bits(), Reverse(at)));
            at += 1;
            left.push(order[at - 1].2);
            whole.push(order[at - 1].2);
            mean.push(0.0);
        }
        let Some((key, Reverse(now))) = open.pop() else {
            match order.get(at) {
                Some(next) => time = next.0 as f64,
                None => break,
            }
            continue;
        };
        let until = order.get(at).map_or(f64::INFINITY, |next| next.0 as f64);
        let run = (left[now] / speed).min(until - time);
        let part = if run * speed >= left[now] * (1.0 - 1e-15) { left[now] } else { run * speed };
        if whole[now] > 0.0 {
            mean[now] += part / whole[now] * (time + run / 2.0);
        } else {
            mean[now] = time;
        }
        left[now] -= part;
        time += run;
        if left[now] > 0.0 {
            open.push((key, Reverse(now)));
        }
    }
    order.iter().zip(mean).map(|((_, k, _), mean)| (*k, mean)).collect()
}

/// Starts and ends when machines that run one job at a time run the shortest first: neither their
/// sums nor the k-th end can be less. For jobs of one unit.
fn shortest_first(
    p: &Problem,
    heads: &Heads,
    row: &Row,
    machines: usize,
) -> Option<Vec<(i64, i64)>> {
    let jobs: Vec<usize> = row.jobs.iter().map(|(k, _)| *k as usize).collect();
    if machines == 0 || jobs.iter().any(|k| p.jobs[*k].units > 1) {
        return None;
    }
    let from = jobs.iter().map(|k| heads.start[*k]).min()?;
    let mut seconds: Vec<i64> = jobs.iter().map(|k| p.jobs[*k].shortest).collect();
    seconds.sort_unstable();
    let mut free: BinaryHeap<Reverse<i64>> =
        std::iter::repeat_n(Reverse(from), machines.min(jobs.len())).collect();
    let mut runs = Vec::with_capacity(jobs.len());
    for seconds in seconds {
        let Reverse(start) = free.pop()?;
        free.push(Reverse(start + seconds));
        runs.push((start, start + seconds));
    }
    Some(runs)
}

/// Weighted seconds too late, in steps of weight.
fn tardiness(p: &Problem, heads: &Heads, rows: &[Row]) -> (f64, &'static str) {
    let late = |k: usize| {
        let job = &p.jobs[k];
        job.due.map_or(0.0, |due| job.weight as f64 * (heads.end[k] - due).max(0) as f64)
    };
    let mut best = ((0..p.jobs.len()).map(late).sum::<f64>(), "each job on nodes of its own");
    for row in rows {
        let of = |k: u32| &p.jobs[k as usize];
        let due: Vec<(u32, i128)> =
            row.jobs.iter().copied().filter(|(k, _)| of(*k).due.is_some()).collect();
        let row = Row { jobs: due, ..row.clone() };
        let Some(runs) = row.machines.and_then(|m| shortest_first(p, heads, &row, m)) else {
            continue;
        };
        let mut ends: Vec<i64> = runs.into_iter().map(|run| run.1).collect();
        ends.sort_unstable();
        let mut dues: Vec<i64> = row.jobs.iter().filter_map(|(k, _)| of(*k).due).collect();
        dues.sort_unstable();
        let weight = row.jobs.iter().map(|(k, _)| of(*k).weight).min().unwrap_or(0) as f64;
        let mut inside = vec![false; p.jobs.len()];
        row.jobs.iter().for_each(|(k, _)| inside[*k as usize] = true);
        let outside: f64 = (0..p.jobs.len()).filter(|k| !inside[*k]).map(late).sum();
        let sum: i64 = ends.iter().zip(&dues).map(|(end, due)| (end - due).max(0)).sum();
        if outside + weight * sum as f64 > best.0 {
            best = (outside + weight * sum as f64, "due times in order, the shortest jobs first");
        }
    }
    best
}
