//! A bound for equal machines: how many of them an end needs when patterns, sets of jobs that one
//! machine can run by then, may be taken in fractions (Gilmore, Gomory 1961, DOI
//! 10.1287/opre.9.6.849). Patterns are generated one by one; what proves an end impossible is
//! summed up in integers.

use super::budget::Budget;
use super::price::simplex::{End, Lp};

/// Most distinct times, and most cells of a table that finds a pattern.
const ROWS: usize = 200;
const CELLS: i64 = 30_000_000;
/// Patterns for one end at most.
const ROUNDS: usize = 2_000;
/// Multipliers are rounded to multiples of this part of one.
const UNIT: f64 = (1u64 << 32) as f64;

/// Jobs of equal length.
struct Class {
    seconds: i64,
    count: i64,
}

/// A pattern: how many jobs of each class, and what they take together.
struct Pattern {
    of: Vec<(u32, f64)>,
    load: i64,
}

/// The patterns known so far, for one number of machines.
pub(super) struct Patterns {
    classes: Vec<Class>,
    machines: i64,
    known: Vec<Pattern>,
}

impl Patterns {
    /// `None` where it would take too long.
    pub fn new(seconds: &[i64], machines: usize, end: i64) -> Option<Patterns> {
        let mut sorted = seconds.to_vec();
        sorted.sort_unstable();
        let classes: Vec<Class> = sorted
            .chunk_by(|a, b| a == b)
            .map(|equal| Class { seconds: equal[0], count: equal.len() as i64 })
            .collect();
        let cells = (seconds.len() as i64).saturating_mul(end);
        let fits = classes.len() <= ROWS && cells <= CELLS && sorted.first() > Some(&0);
        fits.then(|| Patterns { classes, machines: machines as i64, known: Vec::new() })
    }

    /// The least end in `from..=below` that cannot be refuted; `from` is a bound already.
    pub fn bound(&mut self, from: i64, below: i64, budget: &mut Budget) -> i64 {
        let (mut low, mut high) = (from, below);
        // Most often the bound is good or slightly too low: look at the near ends first.
        let mut step = 1;
        while low < high && !budget.over() {
            let end = (low + step - 1).min(low + (high - 1 - low) / 2);
            match self.refutes(end, budget) {
                Some(true) => {
                    low = end + 1;
                    step *= 2;
                }
                Some(false) => {
                    high = end;
                    step = 1;
                }
                None => break,
            }
        }
        low
    }

    /// Whether that end is proven to be too early; `None` when nobody can tell.
    fn refutes(&mut self, end: i64, budget: &mut Budget) -> Option<bool> {
        if self.classes.last().is_some_and(|class| class.seconds > end) {
            return Some(true);
        }
        let counts: Vec<f64> = self.classes.iter().map(|class| class.count as f64).collect();
        let mut lp = Lp::new(&counts, &vec![1.0; counts.len()]);
        for pattern in self.known.iter().filter(|pattern| pattern.load <= end) {
            lp.add(1.0, pattern.of.clone());
        }
        for _ in 0..ROUNDS {
            let before = lp.work;
            if lp.solve(10_000) != End::Optimal || budget.over() {
                return None;
            }
            budget.work += (lp.work - before) / 8;
            if lp.value() <= self.machines as f64 + 1e-6 {
                return Some(false);
            }
            let worth: Vec<i64> = lp.dual.iter().map(|y| (y.max(0.0) * UNIT) as i64).collect();
            let (best, pattern) = self.most_worth(&worth, end, budget);
            let all: i128 = self
                .classes
                .iter()
                .zip(&worth)
                .map(|(class, worth)| i128::from(class.count) * i128::from(*worth))
                .sum();
            // No machine holds more than the best pattern is worth.
            if all > i128::from(self.machines) * i128::from(best) {
                return Some(true);
            }
            if best as f64 <= UNIT * (1.0 + 1e-7) {
                return Some(false);
            }
            lp.add(1.0, pattern.of.clone());
            self.known.push(pattern);
        }
        None
    }

    /// The pattern that is worth most, and its worth.
    fn most_worth(&self, worth: &[i64], end: i64, budget: &mut Budget) -> (i64, Pattern) {
        let width = end as usize + 1;
        let mut items: Vec<usize> = Vec::new();
        for (k, class) in self.classes.iter().enumerate().filter(|(k, _)| worth[*k] > 0) {
            let most = (end / class.seconds).min(class.count);
            items.extend(std::iter::repeat_n(k, most as usize));
        }
        let mut best = vec![0i64; width];
        let mut took = vec![false; items.len() * width];
        for (item, row) in items.iter().zip(took.chunks_exact_mut(width)) {
            let (seconds, worth) = (self.classes[*item].seconds as usize, worth[*item]);
            for room in (seconds..width).rev() {
                let with = best[room - seconds] + worth;
                if with > best[room] {
                    best[room] = with;
                    row[room] = true;
                }
            }
        }
        budget.work += (items.len() * width) as u64 / 16;
        let mut counts = vec![0u32; self.classes.len()];
        let (mut room, mut load) = (width - 1, 0);
        for (at, item) in items.iter().enumerate().rev() {
            if took[at * width + room] {
                counts[*item] += 1;
                room -= self.classes[*item].seconds as usize;
                load += self.classes[*item].seconds;
            }
        }
        let of = (0u32..).zip(&counts).filter(|(_, n)| **n > 0).map(|(k, n)| (k, f64::from(*n)));
        (best[width - 1], Pattern { of: of.collect(), load })
    }
}
