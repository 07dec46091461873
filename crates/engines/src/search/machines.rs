//! Parallel machines: jobs that run one at a time on equally fast nodes, so that the last one
//! ends as early as can be. It is `peak` with durations for demands and nodes of equal capacity.

use std::cmp::Reverse;
use std::ops::Range;

use super::budget::Budget;
use super::completion::complete;
use super::engine::Engine;
use super::patterns::Patterns;
use super::problem::Problem;
use super::ratio::Ratio;
use base::stop::Stop;

/// Work of a first look.
const QUICK: u64 = 8_000_000;
/// Pairs of jobs and machines beyond which only all machines together are counted.
const PAIRS: usize = 20_000_000;

/// What runs where.
pub struct Machines<'a> {
    /// Seconds of each job.
    pub seconds: &'a [i64],
    /// Seconds from which on each machine is free.
    pub free_from: &'a [i64],
    /// Kind of each job.
    pub kind: Vec<u16>,
    /// Which machines each kind may run on; empty when all may run on all.
    pub allowed: Vec<Vec<bool>>,
}

/// What was found.
pub struct Shared {
    /// The machine of each job.
    pub machine: Vec<u32>,
    /// When the last one ends, base loads included.
    pub end: i64,
    /// Proven: nothing ends earlier.
    pub bound: i64,
    /// Work units used.
    pub work: u64,
}

impl Machines<'_> {
    /// Looks for the earliest end; `None` when no machine takes some job.
    pub fn share(&self, seed: u64, work: u64, stop: &Stop) -> Option<Shared> {
        let open = |kind: &Vec<bool>| kind.iter().any(|may| *may);
        if self.free_from.is_empty() || !self.allowed.iter().all(open) {
            return None;
        }
        let equal = self.allowed.is_empty() && self.free_from.iter().all(|from| *from == 0);
        let tight = equal.then(|| Tight::of(self.seconds, self.free_from.len()));
        let floor = tight.as_ref().map_or(0, |tight| tight.end);
        // Most are solved at once; the others need exact packing, or a better bound to aim at.
        let mut quick = self.search(floor, seed, Budget::new(stop, work.min(QUICK)));
        let open = |quick: &Shared| quick.end > quick.bound && quick.work < work && !stop.reached();
        let pack = |tight: &Tight, quick: &mut Shared| {
            let half = stop.part(stop.remaining() / 2);
            let mut budget = Budget::new(&half, (work - quick.work) / 2);
            let machine = tight.pack(self.seconds, self.free_from.len(), seed, &mut budget);
            quick.work += budget.work;
            if let Some(machine) = machine {
                (quick.machine, quick.end) = (machine, tight.end);
            }
        };
        let tight = tight.filter(|tight| tight.end == quick.bound);
        if let Some(tight) = tight.as_ref().filter(|_| open(&quick)) {
            pack(tight, &mut quick);
        }
        if !open(&quick) {
            return Some(quick);
        }
        let mut budget = Budget::new(stop, (work - quick.work) / 2);
        let patterns = equal.then(|| Patterns::new(self.seconds, self.free_from.len(), quick.end));
        if let Some(mut patterns) = patterns.flatten() {
            quick.bound = patterns.bound(quick.bound, quick.end, &mut budget);
            quick.work += budget.work;
        }
        let (machines, jobs) = (self.free_from.len(), 0..self.seconds.len());
        let whole = Tight { end: quick.bound, machines, jobs };
        if equal && open(&quick) && tight.as_ref() != Some(&whole) {
            pack(&whole, &mut quick);
        }
        if !open(&quick) {
            return Some(quick);
        }
        let rest = Budget::new(stop, work - quick.work);
        let long = self.search(quick.bound, seed.wrapping_add(1), rest);
        let work = quick.work + long.work;
        let best = if long.end <= quick.end { long } else { Shared { bound: long.bound, ..quick } };
        Some(Shared { work, ..best })
    }

    /// The engine of `peak`, told that nothing ends before `floor`.
    fn search(&self, floor: i64, seed: u64, budget: Budget) -> Shared {
        let problem = Problem::<1> {
            demand: self.seconds.iter().map(|seconds| [*seconds]).collect(),
            cap: vec![[1]; self.free_from.len()],
            used: self.free_from.iter().map(|from| [*from]).collect(),
            kind: self.kind.clone(),
            allowed: self.allowed.clone(),
        };
        let mut nobody = |_: &[u32], _, _| {};
        let floor = Ratio { num: floor, den: 1 };
        let mut engine = Engine::new(&problem, floor, budget, seed, &mut nobody);
        engine.run();
        Shared {
            end: engine.value.num / engine.value.den,
            bound: (engine.bound.num + engine.bound.den - 1) / engine.bound.den,
            machine: engine.plan,
            work: engine.budget.work,
        }
    }
}

/// How many of the `longest` jobs the `some` machines with most of them run at least, when `all`
/// machines share these jobs.
pub fn least_jobs(longest: usize, some: usize, all: usize) -> usize {
    some * (longest / all) + some.min(longest % all)
}

/// The strongest bound that counts jobs: some machines run so many of the longest jobs that even
/// the shortest of these keep them busy until then (Haouari, Gharbi, Jemmali 2006, DOI
/// 10.1111/j.1475-3995.2006.00548.x).
#[derive(PartialEq)]
struct Tight {
    end: i64,
    machines: usize,
    /// Which jobs these are when nothing is wasted, by descending length.
    jobs: Range<usize>,
}

impl Tight {
    fn of(seconds: &[i64], all: usize) -> Tight {
        let order = longest_first(seconds);
        let mut sums = vec![0];
        order.iter().for_each(|job| sums.push(sums[sums.len() - 1] + seconds[*job]));
        let fewest = if order.len().saturating_mul(all) > PAIRS { all } else { 1 };
        let some = |longest| (fewest..=all).map(move |machines| (longest, machines));
        let bounds = (1..=order.len()).flat_map(some);
        let bounds = bounds.map(|(longest, machines)| {
            let jobs = longest - least_jobs(longest, machines, all)..longest;
            let busy = sums[jobs.end] - sums[jobs.start];
            Tight { end: (busy + machines as i64 - 1) / machines as i64, machines, jobs }
        });
        // Of equal ones that which leaves fewest machines and jobs over.
        let strongest = bounds.max_by_key(|tight| (tight.end, tight.machines, tight.jobs.end));
        strongest.unwrap_or(Tight { end: 0, machines: all, jobs: 0..0 })
    }

    /// Packs these jobs on these machines exactly, and the others elsewhere.
    fn pack(
        &self,
        seconds: &[i64],
        all: usize,
        seed: u64,
        budget: &mut Budget,
    ) -> Option<Vec<u32>> {
        let order = longest_first(seconds);
        let mut machine = vec![0; seconds.len()];
        let (tight, others): (Vec<_>, Vec<_>) =
            order.into_iter().enumerate().partition(|(at, _)| self.jobs.contains(at));
        let loose: Vec<i64> = others.iter().map(|(_, job)| seconds[*job]).collect();
        if !loose.is_empty() {
            let free = vec![0; all - self.machines];
            let kind = vec![0; loose.len()];
            let rest = Machines { seconds: &loose, free_from: &free, kind, allowed: Vec::new() };
            let found = rest.search(self.end, seed, budget.share(QUICK));
            budget.work += found.work;
            if found.end > self.end {
                return None;
            }
            others.iter().zip(&found.machine).for_each(|((_, job), at)| machine[*job] = *at);
        }
        let busy: Vec<i64> = tight.iter().map(|(_, job)| seconds[*job]).collect();
        let found = complete(&busy, self.machines, self.end, seed, budget)?;
        let first = (all - self.machines) as u32;
        tight.iter().zip(&found).for_each(|((_, job), at)| machine[*job] = first + at);
        Some(machine)
    }
}

/// Positions of jobs, the longest first.
fn longest_first(seconds: &[i64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..seconds.len()).collect();
    order.sort_unstable_by_key(|job| (Reverse(seconds[*job]), *job));
    order
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// The earliest end, by trying everything.
    fn brute(seconds: &[i64], loads: &mut Vec<i64>) -> i64 {
        let Some((first, rest)) = seconds.split_first() else {
            return loads.iter().copied().max().unwrap_or(0);
        };
        let ends = (0..loads.len()).map(|at| {
            loads[at] += first;
            let end = brute(rest, loads);
            loads[at] -= first;
            end
        });
        ends.collect::<Vec<i64>>().into_iter().min().unwrap_or(0)
    }

    #[test]
    fn bounds_hold_and_plans_reach_the_earliest_end() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut met = 0;
        for _ in 0..200 {
            let (jobs, machines) = (rng.random_range(1..9), rng.random_range(1..4));
            let from = if rng.random_bool(0.5) { 1 } else { 25 };
            let seconds: Vec<i64> = (0..jobs).map(|_| rng.random_range(from..30)).collect();
            let best = brute(&seconds, &mut vec![0; machines]);
            let tight = Tight::of(&seconds, machines);
            assert!(tight.end <= best, "{seconds:?} on {machines}: {} > {best}", tight.end);
            met += usize::from(tight.end == best);
            let (free, kind) = (vec![0; machines], vec![0; jobs]);
            let all = Machines { seconds: &seconds, free_from: &free, kind, allowed: vec![] };
            let found = all.share(1, 50_000_000, &Stop::never()).expect("machines");
            assert_eq!((found.end, found.bound), (best, best), "{seconds:?} on {machines}");
        }
        assert!(met > 100, "the bound meets {met} of 200");
    }
}
