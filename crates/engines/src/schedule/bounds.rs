//! Proven lower bounds on the goals about time, and proofs that no schedule exists.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::goal::Aim;
use super::orders::Figures;
use super::problem::{NEVER, Problem};
use super::supply::{Row, rows, some};
use crate::search::least_jobs;
use model::{NodeId, Prices, Seconds, Shape, TaskId, Tier};

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
        let limits = p.pools.lines();
        for k in p.topological.iter().map(|k| *k as usize) {
            let job = &p.jobs[k];
            let after = job.before.iter().map(|(other, lag)| heads.end[*other as usize] + lag);
            let ready = after.max().unwrap_or(0).max(job.release);
            let let_by = p.limits_let_all(&limits, k, (ready, NEVER), &mut 0);
            let range = (let_by.unwrap_or(ready), NEVER);
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
                match p.stays(k) {
                    Ok(_) => continue,
                    Err(why) => why,
                }
            } else if places.is_empty() {
                "there is no node that it may run on"
            } else if best.is_none() {
                "no node that it may run on has room for it"
            } else if let_by.is_none() {
                "a limit never lets it run"
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

/// Whether every job has a place in every schedule that leaves out as little as can be: no other
/// is sure to be there. What weighs nothing may be left out at will.
pub(super) fn all_have_places(p: &Problem, never: &[(usize, &'static str)]) -> bool {
    never.is_empty() && !(p.partial && p.jobs.iter().any(|job| job.weight == 0))
}

/// A bound for each tier of the goal; those that are not about what is left out hold where nothing
/// is.
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
        let bound = match part.term.shape() {
            Shape::LeftOut => {
                let priority = part.term.priority();
                let jobs = never.iter().map(|(k, _)| &p.jobs[*k]);
                let jobs = jobs.filter(|job| priority.is_none_or(|p| p == job.priority));
                let lost: i64 = jobs.map(|job| job.weight * i64::from(job.units)).sum();
                Bound { value: p.instance.weight_scale().to_f64(lost), why: "jobs that fit never" }
            }
            _ if !all_have_places(p, never) => continue,
            Shape::LastEnd => makespan(p, figures, heads, rows),
            Shape::Seconds(seconds) => {
                let (steps, why) = match seconds {
                    Seconds::End => completion(p, heads, rows, Counted::Ends),
                    Seconds::Wait => completion(p, heads, rows, Counted::Waits),
                    Seconds::Late => tardiness(p, heads, rows),
                };
                let steps = i64::try_from(steps).unwrap_or(0).max(0);
                Bound { value: p.instance.weight_scale().to_f64(steps), why }
            }
            Shape::Prices(prices) => {
                Bound { value: places(p, prices), why: "each task where it is best" }
            }
            // Loads over time have no bound but this; the others are refused beside time.
            Shape::Highest | Shape::Amounts | Shape::Variance | Shape::LargestGroup => continue,
        };
        if bound.value * part.weight > 0.0 {
            sum = Bound { value: sum.value + bound.value * part.weight, why: bound.why };
        }
    }
    Bound { value: tier.worth(sum.value), ..sum }
}

/// Each task where it is cheapest, and the cheapest node that can be used.
fn places(p: &Problem, prices: &Prices) -> f64 {
    let instance = p.instance;
    if p.jobs.is_empty() {
        return 0.0;
    }
    let price = |task: TaskId, node: u32| prices.placement.price(instance, task, NodeId(node));
    let jobs = p.jobs.iter().enumerate();
    let each = jobs.flat_map(|(k, job)| job.tasks().map(move |task| (k, task)));
    let least = each.map(|(k, task)| {
        let pin = p.pin(task).map(|node| price(task, node));
        let any = || p.places(k).iter().map(|node| price(task, *node)).min();
        pin.or_else(any).unwrap_or(0)
    });
    let used = (0..p.nodes()).map(|node| prices.of_use(instance, NodeId::from(node))).min();
    (prices.scale)(instance).to_f64(least.sum::<i64>() + used.unwrap_or(0))
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
fn completion(p: &Problem, heads: &Heads, rows: &[Row], counted: Counted) -> (i128, &'static str) {
    let alone = |k: usize| {
        let seconds = match counted {
            Counted::Ends => heads.end[k],
            Counted::Waits => heads.start[k] - p.jobs[k].release,
        };
        i128::from(p.jobs[k].weight) * i128::from(seconds)
    };
    let mut best = ((0..p.jobs.len()).map(alone).sum::<i128>(), "each job on nodes of its own");
    for row in rows {
        let mut inside = vec![false; p.jobs.len()];
        row.jobs.iter().for_each(|(k, _)| inside[*k as usize] = true);
        let outside: i128 = (0..p.jobs.len()).filter(|k| !inside[*k]).map(alone).sum();
        // From the middle of a job's time on, half of it is sure to follow; at most half of the
        // longest came before.
        let fluid = means(p, heads, row).into_iter().map(|(k, middle)| {
            let job = &p.jobs[k];
            let seconds = match counted {
                Counted::Ends => middle + job.shortest as f64 / 2.0,
                Counted::Waits => middle - job.longest as f64 / 2.0 - job.release as f64,
            };
            job.weight as f64 * seconds
        });
        // Sums are whole numbers of steps; what floating point may have added is given up first.
        let fluid = fluid.sum::<f64>();
        let fluid = outside + (fluid - 1e-6 - 1e-9 * fluid.abs()).ceil() as i128;
        if fluid > best.0 {
            best = (fluid, row.why);
        }
        let jobs = || row.jobs.iter().map(|(k, _)| &p.jobs[*k as usize]);
        let least = i128::from(jobs().map(|job| job.weight).min().unwrap_or(0));
        if let Some(runs) = row.machines.and_then(|m| shortest_first(p, heads, row, m)) {
            let seconds: i128 = match counted {
                Counted::Ends => runs.iter().map(|run| i128::from(run.1)).sum(),
                Counted::Waits => {
                    let starts = runs.iter().map(|run| i128::from(run.0));
                    starts.sum::<i128>() - jobs().map(|job| i128::from(job.release)).sum::<i128>()
                }
            };
            let sum = outside + least * seconds;
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

/// Starts and ends when machines that run one job at a time run the shortest first: neither sum
/// can be less. For jobs of one unit. (The k-th end alone can: of 3, 3 and 6 on two machines the last
/// ends at 9 here, and at 6 where the longest goes first.)
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

/// Weighted seconds too late, in steps of weight: jobs alone, and [`soonest`].
///
/// Let C(1) <= C(2) <= ... be the ends of some jobs in a schedule, d(1) <= d(2) <= ... their due
/// times and L(k) <= C(k) the least that the k-th end can be. Swapping the ends of two jobs that end
/// in another order than they are due makes the sum of max(0, C - d) no larger, since max(0, x) is
/// convex. So no schedule has less than the sum of max(0, C(k) - d(k)), nor than that of
/// max(0, L(k) - d(k)).
fn tardiness(p: &Problem, heads: &Heads, rows: &[Row]) -> (i128, &'static str) {
    let late = |k: usize| {
        let job = &p.jobs[k];
        let over = job.due.map_or(0, |due| (heads.end[k] - due).max(0));
        i128::from(job.weight) * i128::from(over)
    };
    let mut best = ((0..p.jobs.len()).map(late).sum::<i128>(), "each job on nodes of its own");
    for row in rows {
        let Some(machines) = row.machines.filter(|machines| *machines > 0) else { continue };
        let of = |k: u32| &p.jobs[k as usize];
        let jobs = row.jobs.iter().map(|(k, _)| *k).filter(|k| of(*k).due.is_some());
        let jobs: Vec<u32> = jobs.collect();
        let runs = jobs.iter().map(|k| (heads.start[*k as usize], of(*k).shortest)).collect();
        let ends = soonest(runs, machines);
        let mut dues: Vec<i64> = jobs.iter().filter_map(|k| of(*k).due).collect();
        dues.sort_unstable();
        let sum = ends.iter().zip(&dues).map(|(end, due)| i128::from((end - due).max(0)));
        let weight = i128::from(jobs.iter().map(|k| of(*k).weight).min().unwrap_or(0));
        let mut inside = vec![false; p.jobs.len()];
        jobs.iter().for_each(|k| inside[*k as usize] = true);
        let outside: i128 = (0..p.jobs.len()).filter(|k| !inside[*k]).map(late).sum();
        let sum = outside + weight * sum.sum::<i128>();
        if sum > best.0 {
            best = (sum, "due times in order, each end as soon as can be");
        }
    }
    best
}

/// For each k, before when k of the jobs, given by their earliest starts and least seconds, cannot
/// have ended on machines that run one job at a time. Two arguments:
///
/// - One machine as fast as all together that may interrupt, and serves what has least left, has at
///   every moment ended as many jobs as any (Schrage 1968, DOI 10.1287/opre.16.3.687); it can do
///   whatever the machines do, a job on one of them taking its part of the speed.
/// - The k jobs that end first are, sorted, one by one no shorter than the k shortest. Of any
///   (q - 1) m + 1 among them, so of the longest, one of the m machines runs q, in a row, from the
///   earliest start on; the q shortest of these are no shorter than those of the k shortest jobs.
fn soonest(mut runs: Vec<(i64, i64)>, machines: usize) -> Vec<i64> {
    runs.sort_unstable();
    let Some((first, _)) = runs.first().copied() else { return Vec::new() };
    // Seconds times machines, so that all is whole.
    let speed = machines as i128;
    let mut ends: Vec<i64> = Vec::with_capacity(runs.len());
    let mut open: BinaryHeap<Reverse<i128>> = BinaryHeap::new();
    let (mut now, mut at) = (0i128, 0);
    while ends.len() < runs.len() {
        if open.is_empty() {
            now = now.max(i128::from(runs[at].0) * speed);
        }
        while at < runs.len() && i128::from(runs[at].0) * speed <= now {
            open.push(Reverse(i128::from(runs[at].1)));
            at += 1;
        }
        let Some(Reverse(left)) = open.pop() else { break };
        let until = runs.get(at).map_or(i128::MAX, |run| i128::from(run.0) * speed);
        if now + left <= until {
            now += left;
            ends.push(i64::try_from((now + speed - 1) / speed).unwrap_or(0));
        } else {
            open.push(Reverse(left - (until - now)));
            now = until;
        }
    }
    let mut seconds: Vec<i64> = runs.iter().map(|run| run.1).collect();
    seconds.sort_unstable();
    let mut sums = vec![0];
    seconds.iter().for_each(|s| sums.push(sums[sums.len() - 1] + s));
    let most = PAIRS / runs.len().max(1);
    for (k, end) in (1usize..).zip(&mut ends) {
        // The longest of k - i is the shortest of its sort among the k shortest.
        for q in (1..=k.div_ceil(machines)).take(most) {
            let from = k - ((q - 1) * machines + 1);
            *end = (*end).max(first + sums[from + q] - sums[from]);
        }
    }
    ends
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::soonest;

    /// Ends, sorted, where each job runs on its machine in the order of the list.
    fn ends(runs: &[(i64, i64)], on: &[usize], machines: usize) -> Vec<i64> {
        let mut free = vec![0; machines];
        let mut ends: Vec<i64> = runs
            .iter()
            .zip(on)
            .map(|((head, seconds), machine)| {
                free[*machine] = free[*machine].max(*head) + seconds;
                free[*machine]
            })
            .collect();
        ends.sort_unstable();
        ends
    }

    #[test]
    fn no_schedule_has_ended_as_many_jobs_sooner() {
        // The k-th end of the shortest first would be 9.
        assert_eq!(soonest(vec![(0, 3), (0, 3), (0, 6)], 2), [3, 3, 6]);
        assert_eq!(soonest(vec![(0, 3), (0, 3), (0, 3)], 2), [3, 3, 6]);
        assert_eq!(soonest(vec![(5, 2), (0, 9)], 1), [7, 11]);
        assert_eq!(soonest(vec![], 2), [0i64; 0]);
        let mut g = ChaCha8Rng::seed_from_u64(5);
        let mut met = 0;
        for _ in 0..300 {
            let (n, machines) = (g.random_range(1..7), g.random_range(1..4));
            let mut runs: Vec<(i64, i64)> =
                (0..n).map(|_| (g.random_range(0..6), g.random_range(1..8))).collect();
            let bound = soonest(runs.clone(), machines);
            assert!(bound.is_sorted(), "{bound:?}");
            let mut best = vec![i64::MAX; n];
            for _ in 0..400 {
                let (a, b) = (g.random_range(0..n), g.random_range(0..n));
                runs.swap(a, b);
                let on: Vec<usize> = (0..n).map(|_| g.random_range(0..machines)).collect();
                let ends = ends(&runs, &on, machines);
                best.iter_mut().zip(ends).for_each(|(best, end)| *best = end.min(*best));
            }
            let below = bound.iter().zip(&best).all(|(bound, best)| bound <= best);
            assert!(below, "{runs:?} on {machines}: {bound:?} {best:?}");
            met += bound.iter().zip(&best).filter(|(bound, best)| bound == best).count();
        }
        assert!(met > 500, "{met} ends are met");
    }
}
