//! Subsets of a few items whose sum lies in a window, in every resource at once.
//!
//! Meet in the middle (Horowitz, Sahni 1974, DOI 10.1145/321812.321823) with several dimensions:
//! the subsets of one half of the items are laid out in columns by their first resource, each
//! column sorted by the second; every subset of the other half looks up the few that complete it.
//! Identical items are taken in order only, so that no two subsets found have equal contents.

use super::problem::{Vector, add, fits, sub};
use std::ops::ControlFlow;

/// A sum and the items that make it up (bit i: item i).
type Part<const R: usize> = (Vector<R>, u64);

/// Work space that is kept between calls.
#[derive(Default)]
pub struct Subsets<const R: usize> {
    left: Vec<Part<R>>,
    right: Vec<Part<R>>,
    /// Where the columns of `right` start.
    starts: Vec<u32>,
    width: i64,
    /// Additions and look-ups so far: the unit of a work limit.
    pub work: u64,
}

/// An item: its size, and the number of its class. Items of one class are the same
/// in size and in where they may go, and are neighbours.
pub type Item<const R: usize> = (Vector<R>, u32);

/// Inclusive limits of the sums wanted.
#[derive(Clone, Copy)]
pub struct Window<const R: usize> {
    pub lo: Vector<R>,
    pub hi: Vector<R>,
}

impl<const R: usize> Subsets<R> {
    pub fn new() -> Self {
        Subsets { left: Vec::new(), right: Vec::new(), starts: Vec::new(), width: 1, work: 0 }
    }

    /// Calls `found` with each subset of `among` (bits into `items`) whose sum lies in the window,
    /// until it breaks. `Err` if a half has more than
    /// `max` subsets (none was looked at then) or the work exceeds `limit` (some were).
    pub fn each(
        &mut self,
        items: &[Item<R>],
        among: u64,
        w: Window<R>,
        max: usize,
        limit: u64,
        mut found: impl FnMut(u64, &Vector<R>) -> ControlFlow<()>,
    ) -> Result<(), ()> {
        let (a, b) = halves(items, among);
        let (mut left, mut right) =
            (std::mem::take(&mut self.left), std::mem::take(&mut self.right));
        let mut built =
            grow(&mut left, items, a, &w.hi, max) && grow(&mut right, items, b, &w.hi, max);
        if built {
            if left.len() < right.len() {
                std::mem::swap(&mut left, &mut right);
            }
            self.work +=
                left.len() as u64 + right.len() as u64 * (2 + right.len().ilog2() as u64 / 4);
            self.columns(&mut right, &w);
            let most = self.work.saturating_add(limit);
            built = self.join(&left, &right, &w, most, &mut found);
        } else {
            self.work += 2 * max as u64;
        }
        (self.left, self.right) = (left, right);
        if built { Ok(()) } else { Err(()) }
    }

    /// Sorts one half into columns about as wide as the window.
    fn columns(&mut self, right: &mut [Part<R>], w: &Window<R>) {
        let range = right.iter().map(|p| p.0[0]).max().unwrap_or(0) + 1;
        let most = ((right.len() / 4) as i64).clamp(1, 4096);
        let width = (w.hi[0] - w.lo[0] + 1).max(range / most + 1).max(1);
        let second = R.min(2) - 1;
        right.sort_unstable_by_key(|p| (p.0[0] / width, p.0[second]));
        self.starts.clear();
        let mut at = 0;
        for c in 0..=(range - 1) / width {
            while at < right.len() && right[at].0[0] / width < c {
                at += 1;
            }
            self.starts.push(at as u32);
        }
        self.starts.push(right.len() as u32);
        self.width = width;
    }

    /// For every subset of the left half, the right ones that complete it to a sum in the window.
    /// False if the work exceeds `most`.
    fn join(
        &mut self,
        left: &[Part<R>],
        right: &[Part<R>],
        w: &Window<R>,
        most: u64,
        found: &mut impl FnMut(u64, &Vector<R>) -> ControlFlow<()>,
    ) -> bool {
        let second = R.min(2) - 1;
        let last = self.starts.len() as i64 - 2;
        for (s, bits) in left {
            if self.work > most {
                return false;
            }
            let (lo, hi) = (sub(w.lo, *s), sub(w.hi, *s));
            let from = lo[0].max(0) / self.width;
            for c in from..=(hi[0] / self.width).min(last) {
                let column =
                    &right[self.starts[c as usize] as usize..self.starts[c as usize + 1] as usize];
                let start = column.partition_point(|p| p.0[second] < lo[second]);
                self.work += 1;
                for (t, more) in &column[start..] {
                    if t[second] > hi[second] {
                        break;
                    }
                    self.work += 1;
                    if fits(&lo, t) && fits(t, &hi) && found(bits | more, &add(*s, *t)).is_break() {
                        return true;
                    }
                }
            }
        }
        true
    }
}

/// Splits the items into two halves, classes of identical items kept together.
fn halves<const R: usize>(items: &[Item<R>], among: u64) -> (u64, u64) {
    let (mut a, mut b) = (0u64, 0u64);
    let mut rest = among;
    while rest != 0 {
        let i = rest.trailing_zeros() as usize;
        let mut class = 0u64;
        while rest != 0 && items[rest.trailing_zeros() as usize].1 == items[i].1 {
            class |= rest & rest.wrapping_neg();
            rest &= rest - 1;
        }
        if a.count_ones() <= b.count_ones() { a |= class } else { b |= class }
    }
    (a, b)
}

/// All subsets of `bits` whose sum is at most `hi`; of identical items always the first ones.
/// False if there are more than `max`.
fn grow<const R: usize>(
    out: &mut Vec<Part<R>>,
    items: &[Item<R>],
    bits: u64,
    hi: &Vector<R>,
    max: usize,
) -> bool {
    out.clear();
    out.push(([0; R], 0));
    let mut rest = bits;
    let mut before: Option<usize> = None;
    while rest != 0 {
        let i = rest.trailing_zeros() as usize;
        rest &= rest - 1;
        let needed = before.filter(|&k| items[k].1 == items[i].1).map_or(0, |k| 1u64 << k);
        for k in 0..out.len() {
            let (s, m) = out[k];
            let t = add(s, items[i].0);
            if m & needed == needed && fits(&t, hi) {
                out.push((t, m | 1 << i));
            }
        }
        if out.len() > max {
            return false;
        }
        before = Some(i);
    }
    true
}
