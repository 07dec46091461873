//! The end-game: small groups of nodes are re-partitioned exactly until no node exceeds its room.
//!
//! A node above its room is joined by the nodes whose spare room covers its excess best. Some of
//! the tasks on the group are freed (the others stay) and packed anew by the exact closing. The
//! excess of a group after that is the least its totals allow; where that is not zero, one node of
//! the group may keep it. So the total excess never grows, excess and spare room wander, and meet.

use super::assignment::Assignment;
use super::closing::{Answer, Closing, Limit};
use super::problem::{Problem, Vector, add, sub};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// What the end-game works towards, and with what means.
pub struct Repair<'a, const R: usize> {
    pub p: &'a Problem<R>,
    pub room: Vec<Vector<R>>,
    /// Root mean square of the demands: how far one task moves a sum.
    pub spread: [f64; R],
    pub seed: u64,
    /// How often in a row a node's group could not be packed: it gets more freedom next time.
    fails: Vec<u8>,
}

/// Figures of one round.
#[derive(Default, Debug, Clone, Copy)]
pub struct Round {
    pub work: u64,
}

/// The most nodes in a group, the nodes looked at to extend one, the most tasks freed.
const GROUP: usize = 6;
const SAMPLE: usize = 128;
const FREE: usize = 32;
/// The most groups in a round.
const GROUPS: usize = 512;
/// Failures that free two more tasks each, and the expectation below which nothing is tried.
const MORE: u8 = 4;
const HOPELESS: f64 = 0.0;
/// Freed tasks are chosen so many that about 2^this packings can be expected.
const EXPECTED: f64 = 4.0;

/// New nodes for tasks of a group, and the work it took to find them.
type Outcome = (Option<Vec<(u32, u32)>>, u64);

impl<'a, const R: usize> Repair<'a, R> {
    pub fn new(p: &'a Problem<R>, room: Vec<Vector<R>>, seed: u64) -> Self {
        let n = p.tasks().max(1) as f64;
        let square = |r: usize| p.demand.iter().map(|d| (d[r] as f64).powi(2)).sum::<f64>();
        Repair {
            p,
            room,
            spread: std::array::from_fn(|r| (square(r) / n).sqrt().max(1e-9)),
            seed,
            fails: vec![0; p.nodes()],
        }
    }

    /// Total units above the rooms.
    pub fn excess(&self, s: &Assignment<R>) -> i64 {
        (0..self.p.nodes()).map(|j| over(&self.spare(s, j as u32))).sum()
    }

    /// Whether average nodes can be expected to be re-partitioned three at a time under these
    /// rooms: tells beforehand about how low a target can be reached.
    pub fn promising(&self) -> bool {
        let (n, m) = (self.p.tasks(), self.p.nodes().max(1));
        let room = self.room.iter().fold([0; R], |a, b| add(a, *b));
        let spare = sub(room, self.p.total()).map(|x| 3 * x / m as i64);
        over(&spare) == 0 && self.bits(3, (3 * n / m).min(FREE), &spare) >= EXPECTED
    }

    fn spare(&self, s: &Assignment<R>, j: u32) -> Vector<R> {
        sub(self.room[j as usize], s.load[j as usize])
    }

    /// One round: disjoint groups around all nodes above their room, each re-partitioned once.
    /// The outcome does not depend on the number of threads.
    pub fn round(&mut self, s: &mut Assignment<R>, round: u64) -> Round {
        let mut rng = self.stream(round, u64::MAX);
        let groups = self.groups(s, &mut rng);
        let (this, state) = (&*self, &*s);
        let solve = |(k, g): (usize, &Vec<u32>)| {
            this.repartition(state, g, &mut this.stream(round, k as u64))
        };
        let found: Vec<Outcome> = groups.par_iter().enumerate().map(solve).collect();
        let mut out = Round::default();
        for (g, (moved, work)) in groups.iter().zip(found) {
            out.work += work;
            let fails = &mut self.fails[g[0] as usize];
            *fails = if moved.is_some() { 0 } else { fails.saturating_add(1) };
            if let Some(moved) = moved {
                s.assign(self.p, g, &moved);
            }
        }
        out
    }

    fn stream(&self, round: u64, k: u64) -> ChaCha8Rng {
        let mut rng =
            ChaCha8Rng::seed_from_u64(self.seed ^ round.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        rng.set_stream(k);
        rng
    }

    /// Disjoint groups, one around each node above its room as long as partners last.
    fn groups(&self, s: &Assignment<R>, rng: &mut ChaCha8Rng) -> Vec<Vec<u32>> {
        let m = self.p.nodes();
        let mut order: Vec<u32> = (0..m as u32).filter(|&j| over(&self.spare(s, j)) > 0).collect();
        order.shuffle(rng);
        let mut taken = vec![false; m];
        let mut groups = Vec::new();
        for v in order {
            if groups.len() >= GROUPS {
                break;
            }
            if taken[v as usize] {
                continue;
            }
            taken[v as usize] = true;
            let group = self.extend(s, v, &mut taken, rng);
            if group.len() > 1 {
                groups.push(group);
            }
        }
        groups
    }

    /// A node and partners: until they cover its excess and enough packings can be expected, but
    /// not beyond the point where one more only makes it harder.
    fn extend(
        &self,
        s: &Assignment<R>,
        v: u32,
        taken: &mut [bool],
        rng: &mut ChaCha8Rng,
    ) -> Vec<u32> {
        let mut group = vec![v];
        let mut spare = self.spare(s, v);
        let mut tasks = s.members[v as usize].len();
        let (free, wanted) = (self.most(v), self.wanted(v));
        let mut bits = f64::NEG_INFINITY;
        while group.len() < GROUP && (over(&spare) > 0 || bits < wanted) {
            let Some(j) = self.partner(s, &spare, taken, rng) else { break };
            let (more, with) = (tasks + s.members[j as usize].len(), add(spare, self.spare(s, j)));
            let next = self.bits(group.len() + 1, more.min(free), &with);
            if over(&spare) == 0 && next <= bits {
                break;
            }
            taken[j as usize] = true;
            group.push(j);
            (tasks, spare, bits) = (more, with, next);
        }
        group
    }

    /// The best of a random number of nodes looked at: always taking the best of all would pair
    /// the same nodes again and again.
    fn partner(
        &self,
        s: &Assignment<R>,
        spare: &Vector<R>,
        taken: &[bool],
        rng: &mut ChaCha8Rng,
    ) -> Option<u32> {
        let m = self.p.nodes();
        let mut best: Option<((i64, f64), u32)> = None;
        let offset = rng.random_range(0..m);
        let look = (m.min(SAMPLE) >> rng.random_range(0..6)).max(3);
        for k in 0..look {
            let j = if look == m { (offset + k) % m } else { rng.random_range(0..m) };
            if !taken[j] {
                let key = rank(&add(*spare, self.spare(s, j as u32)));
                if best.is_none_or(|b| key < b.0) {
                    best = Some((key, j as u32));
                }
            }
        }
        best.map(|b| b.1)
    }

    /// Frees some tasks of the group and packs them anew.
    fn repartition(&self, s: &Assignment<R>, group: &[u32], rng: &mut ChaCha8Rng) -> Outcome {
        let mut bins: Vec<Vector<R>> = group.iter().map(|&j| self.spare(s, j)).collect();
        let mut spare = bins.iter().fold([0; R], |a, b| add(a, *b));
        let keeper = rng.random_range(0..group.len());
        for r in 0..R {
            let short = (-spare[r]).max(0);
            bins[keeper][r] += short;
            spare[r] += short;
        }
        let free = self.free(s, group, &spare, rng);
        if self.bits(group.len(), free.len(), &spare) < HOPELESS {
            return (None, free.len() as u64);
        }
        for &(i, k) in &free {
            bins[k] = add(bins[k], self.p.demand[i as usize]);
        }
        let items: Vec<Vector<R>> = free.iter().map(|&(i, _)| self.p.demand[i as usize]).collect();
        let fails = self.fails[group[0] as usize];
        let depth = free.len() / 2;
        let work = 1 << (17 + fails.min(5)).max(depth as u8 + 3);
        let limit = Limit { work, half: 1 << (depth + 1).clamp(16, 20), branch: 256, until: None };
        let may = |k: usize, b: usize| self.p.may(free[k].0 as usize, group[b] as usize);
        let mut closing = Closing::new(&items, &bins, may, limit);
        let answer = closing.run();
        let moved = match answer {
            Answer::Packed(of) => {
                Some(free.iter().zip(of).map(|(&(i, _), b)| (i, group[b as usize])).collect())
            }
            _ => None,
        };
        (moved, closing.work())
    }

    /// Tasks to free, with the place of their node in the group: random ones, evenly over the
    /// nodes, and no more than needed to expect a few packings.
    fn free(
        &self,
        s: &Assignment<R>,
        group: &[u32],
        spare: &Vector<R>,
        rng: &mut ChaCha8Rng,
    ) -> Vec<(u32, usize)> {
        let mut pools: Vec<Vec<u32>> =
            group.iter().map(|&j| s.members[j as usize].clone()).collect();
        for pool in &mut pools {
            pool.shuffle(rng);
        }
        let count = self.needed(group.len(), spare, group[0]);
        let mut free = Vec::with_capacity(count);
        while free.len() < count && pools.iter().any(|p| !p.is_empty()) {
            for (k, pool) in pools.iter_mut().enumerate() {
                if let Some(i) = pool.pop() {
                    free.push((i, k));
                }
            }
        }
        free.truncate(64);
        free
    }

    /// How many tasks must be free for as many packings as wanted.
    fn needed(&self, k: usize, spare: &Vector<R>, v: u32) -> usize {
        let most = self.most(v);
        (8..most).find(|&n| self.bits(k, n, spare) >= self.wanted(v)).unwrap_or(most)
    }

    /// The most tasks to free around node `v`: more after failures.
    fn most(&self, v: u32) -> usize {
        FREE + 2 * self.fails[v as usize].min(MORE) as usize
    }

    /// Packings wanted for the group of node `v`, as a power of two: more after failures.
    fn wanted(&self, v: u32) -> f64 {
        EXPECTED + (2.0 * self.fails[v as usize] as f64).min(12.0)
    }

    /// The binary logarithm of the packings to expect: k^n ways to place n tasks on k nodes, of
    /// which those count whose sums fall into the windows (normal approximation).
    fn bits(&self, k: usize, n: usize, spare: &Vector<R>) -> f64 {
        if k < 2 {
            return f64::NEG_INFINITY;
        }
        let share = n as f64 / k as f64 * (1.0 - 1.0 / k as f64);
        let miss = |r: usize| {
            (2.5 * self.spread[r] * share.sqrt() / (spare[r].max(0) as f64 + 1.0)).max(1.0).log2()
        };
        n as f64 * (k as f64).log2() - (0..R).map(miss).sum::<f64>() * (k as f64 - 1.0)
    }
}

/// Units above the room, over all resources.
fn over<const R: usize>(spare: &Vector<R>) -> i64 {
    spare.iter().map(|x| (-x).max(0)).sum()
}

/// What makes a partner good: little excess left, then much room to choose among packings.
fn rank<const R: usize>(spare: &Vector<R>) -> (i64, f64) {
    let freedom: f64 = spare.iter().map(|x| (x.max(&0) + 1) as f64).product();
    (over(spare), -freedom)
}
