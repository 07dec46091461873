//! Lower bounds on `peak`: the smallest attainable value that no counting argument refutes.
//!
//! Every argument is a monotone test "could a plan with peak <= z exist?": once true, true for all
//! larger z. The bound is the smallest z = k / c (k a load, c a capacity that occurs) that passes.

use super::problem::{Problem, Vector, add, fits, sub};
use super::ratio::Ratio;
use model::gcd;
use rustc_hash::FxHashMap;

/// The part of an instance the tests need: nodes by type, sizes by resource.
pub struct Counting<const R: usize> {
    /// (capacity, used, how many nodes)
    types: Vec<(Vector<R>, Vector<R>, i64)>,
    total: Vector<R>,
    /// Greatest common divisor of the demands: loads move in its multiples.
    step: Vector<R>,
    /// Per resource: (s, sum over tasks of floor(d / s)) for chosen sizes s.
    sizes: Vec<Vec<(i64, i64)>>,
    /// Per resource: the largest tasks' demands in it, falling, and running sums of those tasks.
    crowd: Vec<Vec<(i64, Vector<R>)>>,
    /// The largest tasks of every resource together.
    big: Vec<Vector<R>>,
    /// Tasks not dominated by another: each needs a node that takes it whole.
    largest: Vec<Vector<R>>,
}

/// How many task sizes the floor test tries per resource.
const SIZES: usize = 64;
/// How many of the largest tasks per resource the crowding test knows, and the rooms it tries.
const CROWD: usize = 4096;
const STEPS: usize = 128;
/// How many of the largest tasks per resource the eligibility test knows.
const BIG: usize = 128;
/// How many undominated tasks are kept for the "fits somewhere" test.
const LARGEST: usize = 64;

impl<const R: usize> Counting<R> {
    pub fn new(p: &Problem<R>) -> Self {
        let mut count: FxHashMap<(Vector<R>, Vector<R>), i64> = FxHashMap::default();
        for j in 0..p.nodes() {
            *count.entry((p.cap[j], p.used[j])).or_insert(0) += 1;
        }
        let mut types: Vec<_> = count.into_iter().map(|((c, u), k)| (c, u, k)).collect();
        types.sort_unstable();
        let gcd_of = |r: usize| p.demand.iter().fold(0, |g, d| gcd(g, d[r])).max(1);
        Counting {
            types,
            total: p.total(),
            step: std::array::from_fn(gcd_of),
            sizes: (0..R).map(|r| size_table(p, r)).collect(),
            crowd: (0..R).map(|r| running_sums(p, r)).collect(),
            big: big(p),
            largest: undominated(p),
        }
    }

    /// Room of a node type at `z`, rounded down to loads that tasks can make up.
    fn room(&self, z: Ratio, t: usize) -> Vector<R> {
        let (cap, used, _) = &self.types[t];
        std::array::from_fn(|r| {
            let b = z.floor_of(cap[r]) - used[r];
            b.div_euclid(self.step[r]) * self.step[r]
        })
    }

    /// False if counting alone shows that no plan has a peak of at most `z`.
    pub fn could_fit(&self, z: Ratio) -> bool {
        let rooms: Vec<Vector<R>> = (0..self.types.len()).map(|t| self.room(z, t)).collect();
        if rooms.iter().any(|b| b.iter().any(|x| *x < 0)) {
            return false;
        }
        let sum = |r: usize| -> i128 {
            rooms.iter().zip(&self.types).map(|(b, t)| b[r] as i128 * t.2 as i128).sum()
        };
        (0..R).all(|r| sum(r) >= self.total[r] as i128)
            && self.largest.iter().all(|d| rooms.iter().any(|b| fits(d, b)))
            && (0..R).all(|r| self.sizes_fit(&rooms, r))
            && (0..R).all(|r| self.crowd_fits(&rooms, r))
            && self.eligible_fits(&rooms)
    }

    /// Tasks that fit, all resources considered, on no other nodes than some set of types must
    /// find room on those together (Hall's condition for the sets that occur). Up to 64 types.
    fn eligible_fits(&self, rooms: &[Vector<R>]) -> bool {
        if rooms.len() > 64 {
            return true;
        }
        let set = |d: &Vector<R>| {
            (0..rooms.len()).filter(|&t| fits(d, &rooms[t])).fold(0, |m, t| m | 1u64 << t)
        };
        let sets: Vec<u64> = self.big.iter().map(set).collect();
        let mut distinct = sets.clone();
        distinct.sort_unstable();
        distinct.dedup();
        distinct.into_iter().all(|e| {
            let mut left: Vector<R> = [0; R];
            for t in (0..rooms.len()).filter(|t| e >> t & 1 == 1) {
                left =
                    std::array::from_fn(|r| left[r] + rooms[t][r].saturating_mul(self.types[t].2));
            }
            for (d, _) in self.big.iter().zip(&sets).filter(|x| x.1 & !e == 0) {
                left = sub(left, *d);
            }
            left.iter().all(|x| *x >= 0)
        })
    }

    /// Tasks too large in resource `r` for all but some nodes must find room on those, in every
    /// resource together.
    fn crowd_fits(&self, rooms: &[Vector<R>], r: usize) -> bool {
        let mut order: Vec<usize> = (0..rooms.len()).collect();
        order.sort_unstable_by_key(|&t| std::cmp::Reverse(rooms[t][r]));
        let skip = order.len() / STEPS + 1;
        let mut sum = [0; R];
        for (k, pair) in order.windows(2).enumerate() {
            let (roomy, next) = (pair[0], &rooms[pair[1]]);
            for q in 0..R {
                sum[q] += rooms[roomy][q].saturating_mul(self.types[roomy].2);
            }
            if k % skip == 0 && next[r] < rooms[roomy][r] {
                let only_here = self.crowd[r].partition_point(|x| x.0 > next[r]);
                if only_here > 0 && !fits(&self.crowd[r][only_here - 1].1, &sum) {
                    return false;
                }
            }
        }
        true
    }

    /// floor(d / s) summed over tasks cannot exceed floor(b / s) summed over nodes, for any s: the
    /// counting of large tasks ("two of them share a node") for nodes of several sizes.
    fn sizes_fit(&self, rooms: &[Vector<R>], r: usize) -> bool {
        let places = |s: i64| -> i64 {
            rooms
                .iter()
                .zip(&self.types)
                .map(|(b, t)| (b[r] / s).saturating_mul(t.2))
                .fold(0, i64::saturating_add)
        };
        self.sizes[r].iter().all(|&(s, need)| places(s) >= need)
    }

    /// The smallest value above `z` at which some room grows; `None` if nothing can grow.
    pub fn next_value(&self, z: Ratio) -> Option<Ratio> {
        let mut best: Option<Ratio> = None;
        for (cap, used, _) in &self.types {
            for r in (0..R).filter(|&r| cap[r] > 0) {
                let b = z.floor_of(cap[r]) - used[r];
                let k = used[r] + (b.div_euclid(self.step[r]) + 1) * self.step[r];
                let v = Ratio::new(k, cap[r]);
                best = Some(best.map_or(v, |x| x.min(v)));
            }
        }
        best
    }

    /// The smallest attainable value that passes every test: a proven lower bound on the peak.
    /// For each capacity that occurs, bisect for its smallest passing load; most capacities are
    /// dismissed by one test against the best so far.
    pub fn bound(&self) -> Ratio {
        let mut best = Ratio::MAX;
        for c in self.capacities() {
            let mut hi = if best == Ratio::MAX { self.passing_load(c) } else { below(best, c) };
            if !self.could_fit(Ratio::new(hi, c)) {
                continue;
            }
            let mut lo = -1;
            while hi - lo > 1 {
                let mid = lo + (hi - lo) / 2;
                if self.could_fit(Ratio::new(mid, c)) { hi = mid } else { lo = mid }
            }
            best = best.min(Ratio::new(hi, c));
        }
        best
    }

    /// Distinct positive capacities, in a fixed scattered order (few improve on the best so far).
    fn capacities(&self) -> Vec<i64> {
        let mut all: Vec<i64> = self.types.iter().flat_map(|t| t.0).filter(|c| *c > 0).collect();
        all.sort_unstable();
        all.dedup();
        all.sort_by_key(|c| (*c as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        all
    }

    /// A load of capacity `c` large enough to pass, by doubling.
    fn passing_load(&self, c: i64) -> i64 {
        let mut k = c;
        while !self.could_fit(Ratio::new(k, c)) && k < i64::MAX / 4 {
            k *= 2;
        }
        k
    }
}

/// The largest k with k / c < z.
fn below(z: Ratio, c: i64) -> i64 {
    let k = z.floor_of(c);
    if Ratio::new(k, c) < z { k } else { k - 1 }
}

/// For at most `SIZES` task sizes s of resource `r`, the sum over tasks of floor(d / s).
fn size_table<const R: usize>(p: &Problem<R>, r: usize) -> Vec<(i64, i64)> {
    let mut all: Vec<i64> = p.demand.iter().map(|d| d[r]).filter(|d| *d > 0).collect();
    all.sort_unstable_by(|a, b| b.cmp(a));
    let mut chosen = all.clone();
    chosen.dedup();
    let skip = chosen.len().div_ceil(SIZES).max(1);
    let table = |s: i64| (s, all.iter().take_while(|d| **d >= s).map(|d| d / s).sum());
    chosen.into_iter().step_by(skip).map(table).collect()
}

/// The largest demands of resource `r`, falling, each with the sum of the tasks so far.
fn running_sums<const R: usize>(p: &Problem<R>, r: usize) -> Vec<(i64, Vector<R>)> {
    let mut sum = [0; R];
    let mut step = |i: u32| {
        sum = add(sum, p.demand[i as usize]);
        (p.demand[i as usize][r], sum)
    };
    largest(p, r, CROWD).into_iter().map(&mut step).collect()
}

/// The tasks with the largest demands of resource `r`, at most so many, falling.
fn largest<const R: usize>(p: &Problem<R>, r: usize, most: usize) -> Vec<u32> {
    let mut all: Vec<u32> = (0..p.tasks() as u32).collect();
    let size = |i: &u32| (std::cmp::Reverse(p.demand[*i as usize][r]), *i);
    if all.len() > most {
        all.select_nth_unstable_by_key(most, size);
        all.truncate(most);
    }
    all.sort_unstable_by_key(size);
    all
}

/// The `BIG` largest tasks of each resource, each task once.
fn big<const R: usize>(p: &Problem<R>) -> Vec<Vector<R>> {
    let mut chosen: Vec<u32> = (0..R).flat_map(|r| largest(p, r, BIG)).collect();
    chosen.sort_unstable();
    chosen.dedup();
    chosen.into_iter().map(|i| p.demand[i as usize]).collect()
}

/// Some tasks that no other kept task dominates, largest first.
fn undominated<const R: usize>(p: &Problem<R>) -> Vec<Vector<R>> {
    let mut sorted = p.demand.clone();
    sorted.sort_unstable_by_key(|d| std::cmp::Reverse((d.iter().copied().max(), *d)));
    let mut kept: Vec<Vector<R>> = Vec::new();
    for d in sorted {
        if kept.len() < LARGEST && !kept.iter().any(|k| fits(&d, k)) {
            kept.push(d);
        }
    }
    kept
}
