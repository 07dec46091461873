//! Exact closing: can a few items be packed into a few bins, in every resource at once?
//!
//! The bins are filled one by one, the smallest first. The rooms together exceed the demand by the
//! *slack*, and every bin filled may leave at most what slack is left: near a tight bound that
//! window is a few units wide, so that very few subsets qualify. Two states with equal bins and
//! equal items left are the same state; sets of items known to fail are remembered.
//! In the spirit of bin completion (Korf 2003; Fukunaga, Korf 2007, DOI 10.1613/jair.2106).

use super::problem::{Vector, add, fits, sub};
use super::subset::{Item, Subsets, Window};
use rustc_hash::FxHashSet;
use std::ops::ControlFlow;
use std::time::Instant;

/// What a closing found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The bin of every item.
    Packed(Vec<u8>),
    /// Proven: no packing exists.
    Impossible,
    /// The limit came first.
    Unknown,
}

/// The most work on the subsets for one bin: keeps a closing answerable to the clock.
const ONE_BIN: u64 = 1 << 25;

/// How far a closing may go.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// Additions and look-ups.
    pub work: u64,
    /// Subsets of half the items; beyond, the answer is unknown at once.
    pub half: usize,
    /// When to give up, whatever the work.
    pub until: Option<Instant>,
    /// Subsets tried for one bin; more are dropped, and `Impossible` becomes `Unknown`.
    pub branch: usize,
}

impl Limit {
    pub const PROOF: Limit = Limit { work: u64::MAX, half: 1 << 20, branch: 1 << 19, until: None };
}

/// Items (at most 64) and bins, sorted for the search.
pub struct Closing<const R: usize> {
    items: Vec<Item<R>>,
    item_ids: Vec<usize>,
    bins: Vec<Vector<R>>,
    /// Items that may go to each bin.
    masks: Vec<u64>,
    bin_ids: Vec<usize>,
    tools: Vec<Subsets<R>>,
    failed: Vec<FxHashSet<u64>>,
    chosen: Vec<u64>,
    classes: Vec<u64>,
    limit: Limit,
    work: u64,
    complete: bool,
    scale: [f64; R],
}

impl<const R: usize> Closing<R> {
    /// `may` says whether an item may go to a bin.
    pub fn new(
        items: &[Vector<R>],
        bins: &[Vector<R>],
        may: impl Fn(usize, usize) -> bool,
        limit: Limit,
    ) -> Self {
        let most = |v: &[Vector<R>]| -> Vector<R> {
            std::array::from_fn(|r| v.iter().map(|x| x[r]).max().unwrap_or(0).max(1))
        };
        let (top, size) = (most(bins), most(items));
        let part =
            |v: &Vector<R>, of: &Vector<R>| (0..R).map(|r| v[r] as f64 / of[r] as f64).sum::<f64>();
        // What an item is: its size and where it may go.
        let kind = |i: usize| -> (Vector<R>, Vec<bool>) {
            (items[i], (0..bins.len()).map(|j| may(i, j)).collect())
        };
        let mut sorted: Vec<(f64, (Vector<R>, Vec<bool>), usize)> =
            (0..items.len()).map(|i| (part(&items[i], &size), kind(i), i)).collect();
        sorted.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.cmp(&a.1)).then(a.2.cmp(&b.2)));
        let mut of_class: Vec<Item<R>> = Vec::with_capacity(items.len());
        for (k, (_, kind, _)) in sorted.iter().enumerate() {
            let class = match of_class.last() {
                Some((_, class)) if sorted[k - 1].1 == *kind => *class,
                Some((_, class)) => class + 1,
                None => 0,
            };
            of_class.push((kind.0, class));
        }
        let item_ids: Vec<usize> = sorted.iter().map(|(.., i)| *i).collect();
        let mask = |j: usize| -> u64 {
            let own = item_ids.iter().take(64).enumerate().filter(|(_, i)| may(**i, j));
            own.fold(0, |mask, (k, _)| mask | 1 << k)
        };
        let mut order: Vec<(usize, u64)> = (0..bins.len()).map(|j| (j, mask(j))).collect();
        order.sort_by(|&(a, x), &(b, y)| {
            let sizes = part(&bins[a], &top).total_cmp(&part(&bins[b], &top));
            sizes.then(bins[a].cmp(&bins[b])).then(x.cmp(&y)).then(a.cmp(&b))
        });
        let m = bins.len();
        Closing {
            classes: classes(&of_class),
            items: of_class,
            bins: order.iter().map(|(j, _)| bins[*j]).collect(),
            masks: order.iter().map(|(_, mask)| *mask).collect(),
            item_ids,
            bin_ids: order.iter().map(|(j, _)| *j).collect(),
            tools: (0..m).map(|_| Subsets::new()).collect(),
            failed: vec![FxHashSet::default(); m],
            chosen: vec![0; m],
            limit,
            work: 0,
            complete: true,
            scale: std::array::from_fn(|r| 1.0 / size[r] as f64),
        }
    }

    /// The work done so far: additions and look-ups.
    pub fn work(&self) -> u64 {
        self.work
    }

    /// Searches for a packing of all items.
    pub fn run(&mut self) -> Answer {
        let room = self.bins.iter().fold([0; R], |a, b| add(a, *b));
        let need = self.items.iter().fold([0; R], |a, b| add(a, b.0));
        let slack = sub(room, need);
        if !fits(&[0; R], &slack) || self.bins.iter().any(|b| b.iter().any(|x| *x < 0)) {
            return Answer::Impossible;
        }
        if self.items.len() > 64 || self.bins.is_empty() {
            return if self.items.is_empty() {
                Answer::Packed(Vec::new())
            } else {
                Answer::Unknown
            };
        }
        let all = if self.items.len() == 64 { u64::MAX } else { (1 << self.items.len()) - 1 };
        if self.fill(0, all, slack) {
            Answer::Packed(self.bins_of_items())
        } else if self.complete {
            Answer::Impossible
        } else {
            Answer::Unknown
        }
    }

    fn bins_of_items(&self) -> Vec<u8> {
        let mut of = vec![0u8; self.items.len()];
        for (k, &i) in self.item_ids.iter().enumerate() {
            let bin = (0..self.bins.len()).find(|&b| self.chosen[b] >> k & 1 == 1);
            of[i] = bin.map_or(0, |b| self.bin_ids[b] as u8);
        }
        of
    }

    /// Packs the items `rest` into the bins from `b` on, which have `slack` more room than needed.
    fn fill(&mut self, b: usize, rest: u64, slack: Vector<R>) -> bool {
        let last = self.bins.len() - 1;
        if b == last {
            self.chosen[b] = rest;
            return rest & !self.masks[b] == 0;
        }
        let same = |b: usize| (self.bins[b], self.masks[b]);
        let twin = b > 0 && same(b - 1) == same(b);
        if !twin && self.failed[b].contains(&rest) {
            return false;
        }
        let found = self.subsets(b, rest, slack, twin);
        for (taken, left) in found {
            if self.work > self.limit.work || self.limit.until.is_some_and(|t| Instant::now() > t) {
                self.complete = false;
                return false;
            }
            self.chosen[b] = taken;
            if self.fill(b + 1, rest & !taken, left) {
                return true;
            }
        }
        if !twin {
            self.failed[b].insert(rest);
        }
        false
    }

    /// The subsets of `rest` that fill bin `b` up to the slack, those that waste least first, with
    /// the slack they leave. Of equal bins the earlier one takes the larger set of items, read as
    /// a number (which of several identical items it took does not count).
    fn subsets(
        &mut self,
        b: usize,
        rest: u64,
        slack: Vector<R>,
        twin: bool,
    ) -> Vec<(u64, Vector<R>)> {
        let hi = self.bins[b];
        let w = Window { lo: std::array::from_fn(|r| (hi[r] - slack[r]).max(0)), hi };
        let classes = std::mem::take(&mut self.classes);
        let before = if twin { canonical(&classes, self.chosen[b - 1]) } else { u64::MAX };
        let mut found: Vec<(u64, Vector<R>)> = Vec::new();
        let enough = if b + 2 == self.bins.len() { 1 } else { self.limit.branch };
        // What the bin before the last leaves must be allowed on the last.
        let (bins, after) = (self.bins.len(), self.masks[b + 1]);
        let tools = &mut self.tools[b];
        let start = tools.work;
        let left = self.limit.work.saturating_sub(self.work).min(ONE_BIN);
        let half = self.limit.half.min((left / 4).max(16) as usize);
        let done = tools.each(&self.items, rest & self.masks[b], w, half, left, |bits, sum| {
            let rest_fits = b + 2 < bins || rest & !bits & !after == 0;
            if rest_fits && (!twin || canonical(&classes, bits) <= before) {
                found.push((bits, add(sub(slack, hi), *sum)));
            }
            if found.len() >= enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        self.work += tools.work - start;
        self.classes = classes;
        if done.is_err() || (found.len() >= enough && enough > 1) {
            self.complete = false;
        }
        let scale = self.scale;
        let wasted = |left: &Vector<R>| -(0..R).map(|r| left[r] as f64 * scale[r]).sum::<f64>();
        found.sort_by(|x, y| wasted(&x.1).total_cmp(&wasted(&y.1)).then(x.0.cmp(&y.0)));
        found
    }
}

/// Classes of identical items that have more than one member, as bits (neighbours).
fn classes<const R: usize>(items: &[Item<R>]) -> Vec<u64> {
    let mut out = Vec::new();
    let mut start = 0;
    for end in 1..=items.len().min(64) {
        if end == items.len() || items[end].1 != items[start].1 {
            if end - start > 1 {
                out.push((start..end).fold(0, |m, i| m | 1u64 << i));
            }
            start = end;
        }
    }
    out
}

/// The contents of a set, whichever members of a class it took: the lowest ones.
fn canonical(classes: &[u64], bits: u64) -> u64 {
    classes.iter().fold(bits, |bits, class| {
        let count = (bits & class).count_ones();
        let lowest = ((1u128 << count) - 1) as u64;
        bits & !class | lowest << class.trailing_zeros()
    })
}
