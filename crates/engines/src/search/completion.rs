//! Bin completion: equal machines filled exactly, one after the other, each around the longest job
//! left, with whatever set of others wastes nearly nothing (Schreiber, Korf 2013, "Improved bin
//! completion for optimal bin packing and number partitioning", IJCAI). While many jobs are left,
//! sets of few jobs are drawn: they spare the short jobs, which make ends meet. The last machines
//! are searched through; when that fails or takes long, another draw begins.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::budget::Budget;

/// Searches beside each other, however many threads there are.
const STREAMS: u64 = 4;
/// Jobs that are few enough to be searched through.
const FEW: usize = 40;
/// Work of one draw: of the search through the last machines, and of each machine before, where
/// that is enough to find anything.
const SEARCH: u64 = 5_000_000;
const PICK: u64 = 200_000;
/// Sets that one is drawn from, and sets that a search tries for one machine.
const SETS: usize = 3_000;
const BRANCH: usize = 100;
/// Most jobs: each may be one more level of the enumeration.
const MOST: usize = 2_000;

/// The machine of each job, so that none ends after `end`; `seconds` are sorted, the longest
/// first. `None` when none was found.
pub(super) fn complete(
    seconds: &[i64],
    machines: usize,
    end: i64,
    seed: u64,
    budget: &mut Budget,
) -> Option<Vec<u32>> {
    let slack = end * machines as i64 - seconds.iter().sum::<i64>();
    if slack < 0 || machines == 0 || seconds.len() > MOST {
        return None;
    }
    let mut streams: Vec<Draw> = (0..STREAMS)
        .map(|stream| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(7000 + stream);
            let (failed, runs) = (FxHashSet::default(), Vec::new());
            Draw { seconds, end, rng, failed, runs, budget: budget.share(0) }
        })
        .collect();
    let draw = SEARCH + PICK * machines as u64;
    while !budget.over() {
        let share = (budget.left() / STREAMS).min(draw);
        let found: Vec<bool> = (streams.par_iter_mut())
            .map(|draw| {
                draw.budget = budget.share(share);
                draw.run(machines, slack)
            })
            .collect();
        budget.work += streams.iter().map(|draw| draw.budget.work).sum::<u64>().max(1);
        if let Some(first) = found.iter().position(|found| *found) {
            let mut machine = vec![0; seconds.len()];
            for (at, run) in (0..).zip(&streams[first].runs) {
                run.iter().for_each(|job| machine[*job as usize] = at);
            }
            return Some(machine);
        }
    }
    None
}

/// One draw and the search behind it.
struct Draw<'a> {
    seconds: &'a [i64],
    end: i64,
    rng: ChaCha8Rng,
    budget: Budget<'a>,
    /// Jobs that the last machines cannot share.
    failed: FxHashSet<Vec<u32>>,
    /// The jobs of each machine filled so far.
    runs: Vec<Vec<u32>>,
}

impl Draw<'_> {
    fn run(&mut self, mut machines: usize, mut slack: i64) -> bool {
        self.runs.clear();
        self.failed.clear();
        let mut rest: Vec<u32> = (0..self.seconds.len() as u32).collect();
        while rest.len() > FEW && machines > 2 {
            let Some((waste, others)) = self.pick(&rest, machines, slack) else { return false };
            rest = self.take(&rest, others);
            machines -= 1;
            slack -= waste;
        }
        self.fill(&rest, machines, slack)
    }

    /// Gives the longest job and `others` a machine; what is left.
    fn take(&mut self, rest: &[u32], others: Vec<u32>) -> Vec<u32> {
        let left = rest[1..].iter().filter(|job| !others.contains(job)).copied().collect();
        let mut run = others;
        run.push(rest[0]);
        self.runs.push(run);
        left
    }

    /// Others to go with the longest job, few of them, and what they waste.
    fn pick(&mut self, rest: &[u32], machines: usize, slack: i64) -> Option<(i64, Vec<u32>)> {
        let mut most = slack / (4 * machines as i64);
        loop {
            let sets = self.sets(rest, most, (SETS, PICK));
            let drawn = sets.into_iter().map(|set| {
                let luck = 1.0 + 0.3 * self.rng.random_range(0.0..1.0);
                (set.1.len() as f64 * luck, set)
            });
            if let Some((_, set)) = drawn.min_by(|a, b| a.0.total_cmp(&b.0)) {
                return Some(set);
            }
            if most >= slack || self.budget.over() {
                return None;
            }
            most = (2 * most + 1).min(slack);
        }
    }

    /// Whether what is left can share the machines left, which together waste `slack`.
    fn fill(&mut self, rest: &[u32], machines: usize, slack: i64) -> bool {
        if machines == 1 || rest.is_empty() {
            self.runs.push(rest.to_vec());
            return true;
        }
        if self.failed.contains(rest) {
            return false;
        }
        let mut sets = self.sets(rest, slack, (BRANCH, SEARCH));
        sets.sort_by_key(|(waste, _)| *waste);
        for (waste, others) in sets {
            let left = self.take(rest, others);
            if self.fill(&left, machines - 1, slack - waste) {
                return true;
            }
            self.runs.pop();
            if self.budget.over() {
                break;
            }
        }
        self.failed.insert(rest.to_vec());
        false
    }

    /// Sets of others that fill a machine beside the longest job up to `most` seconds, with what
    /// they leave: the first `enough` of them, or as many as `work` finds, the longest jobs first.
    fn sets(
        &mut self,
        rest: &[u32],
        most: i64,
        (enough, work): (usize, u64),
    ) -> Vec<(i64, Vec<u32>)> {
        let seconds: Vec<i64> = rest[1..].iter().map(|job| self.seconds[*job as usize]).collect();
        let mut behind = vec![0; seconds.len() + 1];
        (0..seconds.len()).rev().for_each(|at| behind[at] = behind[at + 1] + seconds[at]);
        let room = self.end - self.seconds[rest[0] as usize];
        let mut search = Sets {
            seconds,
            behind,
            most,
            enough,
            chosen: Vec::new(),
            found: Vec::new(),
            work: 0,
            work_of_some: work,
            limit: self.budget.left(),
        };
        if room <= most {
            search.found.push((room, Vec::new()));
        }
        search.extend(0, room);
        self.budget.work += search.work + rest.len() as u64;
        let named = |set: Vec<u32>| set.into_iter().map(|at| rest[at as usize + 1]).collect();
        search.found.into_iter().map(|(waste, set)| (waste, named(set))).collect()
    }
}

/// An enumeration of sets of jobs, the longest first.
struct Sets {
    seconds: Vec<i64>,
    /// Of each job and all behind it; then nothing.
    behind: Vec<i64>,
    most: i64,
    enough: usize,
    chosen: Vec<u32>,
    found: Vec<(i64, Vec<u32>)>,
    work: u64,
    /// At most, once something is found.
    work_of_some: u64,
    /// At most, whatever is found.
    limit: u64,
}

impl Sets {
    /// Adds jobs from position `from` on to those chosen, which leave `room`.
    fn extend(&mut self, from: usize, room: i64) {
        let first = from + self.seconds[from..].partition_point(|seconds| *seconds > room);
        // No more jobs than that can be added.
        let jobs = self.seconds.len() - self.behind.partition_point(|behind| *behind > room);
        let mut before = None;
        for at in first..self.seconds.len() {
            let some = !self.found.is_empty() && self.work >= self.work_of_some;
            let over = some || self.found.len() >= self.enough || self.work >= self.limit;
            let longest = self.behind[at] - self.behind[(at + jobs).min(self.seconds.len())];
            if over || longest < room - self.most {
                return;
            }
            self.work += 1;
            let left = room - self.seconds[at];
            // Of equal jobs the first are taken.
            if before.replace(self.seconds[at]) == Some(self.seconds[at]) {
                continue;
            }
            self.chosen.push(at as u32);
            if left <= self.most {
                self.found.push((left, self.chosen.clone()));
            }
            if self.seconds.last().is_some_and(|shortest| *shortest <= left) {
                self.extend(at + 1, left);
            }
            self.chosen.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use base::stop::Stop;

    /// Jobs cut from full machines can be put together again.
    #[test]
    fn full_machines_are_found() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        for machines in [2, 3, 8, 25] {
            let end = 20_000;
            let mut seconds: Vec<i64> = Vec::new();
            for _ in 0..machines {
                let mut cuts: Vec<i64> = (0..3).map(|_| rng.random_range(1..end)).collect();
                cuts.extend([0, end]);
                cuts.sort_unstable();
                seconds.extend(cuts.windows(2).map(|cut| cut[1] - cut[0]).filter(|s| *s > 0));
            }
            seconds.sort_unstable_by_key(|seconds| std::cmp::Reverse(*seconds));
            let stop = Stop::after(Duration::from_secs(600));
            let mut budget = Budget::new(&stop, 2_000_000_000);
            // Two seconds more a machine: full ones are many then.
            let found = complete(&seconds, machines, end + 2, 1, &mut budget).expect("a packing");
            let mut loads = vec![0; machines];
            found.iter().zip(&seconds).for_each(|(at, seconds)| loads[*at as usize] += seconds);
            assert!(loads.iter().all(|load| *load <= end + 2), "{loads:?}");
        }
    }

    #[test]
    fn too_much_for_all_is_refused() {
        let stop = Stop::after(Duration::from_secs(600));
        let mut budget = Budget::new(&stop, 1_000_000);
        assert_eq!(complete(&[5, 5, 5], 2, 7, 1, &mut budget), None);
        // Room for all, but not for three of them on one machine.
        assert_eq!(complete(&[5, 5, 5], 2, 9, 1, &mut budget), None);
    }
}
