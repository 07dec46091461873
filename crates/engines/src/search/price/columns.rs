//! Column generation: what tasks are worth when nodes are used at the lowest price.
//!
//! Columns are patterns, sets of tasks that fit on a node of some type; the linear program over
//! them (Gilmore, Gomory 1961, DOI 10.1287/opre.9.6.849; Dantzig, Wolfe 1960) covers every task at
//! the least price. The worth of the tasks in its dual is smoothed towards the best known
//! (Wentges 1997) before knapsacks find better patterns, and every worth tried becomes a cut.

use super::cuts::Cut;
use super::knapsack::{Knapsack, MOST, Pattern};
use super::shape::Shape;
use super::simplex::{End, Lp};

/// A pattern: type of node and tasks.
pub type Filling = (usize, Pattern);

/// The terms of one column generation: what a node of each type costs, how many there are, and
/// what it costs to leave a task of each kind out.
pub struct Terms {
    pub price: Vec<f64>,
    pub count: Vec<f64>,
    pub penalty: Vec<f64>,
}

/// Weight of the best worth known in what is tried next.
const SMOOTH: f64 = 0.7;
/// Pivots between two looks at the clock.
const PIVOTS: usize = 4000;

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Better,
    /// No pattern improves the linear program any more.
    Optimal,
    /// The linear program could not be solved.
    Stuck,
}

/// A column generation on its way.
pub struct Columns<'a, const R: usize> {
    shape: &'a Shape<R>,
    terms: Terms,
    lp: Lp,
    /// The fillings behind the columns.
    pub fillings: Vec<Filling>,
    /// The best worth so far, what it proves, and the value of the linear program.
    pub center: Vec<f64>,
    pub proved: f64,
    pub value: f64,
    smooth: f64,
    solved: bool,
    /// Integer units per unit of worth.
    scale: f64,
    pub work: u64,
}

impl<'a, const R: usize> Columns<'a, R> {
    /// `center` is a first guess at the worth of each kind.
    pub fn new(shape: &'a Shape<R>, terms: Terms, center: Vec<f64>) -> Self {
        let counts = shape.kinds.iter().map(|k| k.tasks.len() as f64);
        let rhs: Vec<f64> = counts.chain(terms.count.iter().copied()).collect();
        let kinds = shape.kinds.len();
        let mut cost = terms.penalty.clone();
        cost.resize(rhs.len(), 0.0);
        let mut lp = Lp::new(&rhs, &cost);
        for k in 0..kinds {
            lp.add(0.0, vec![(k as u32, -1.0)]);
        }
        let most = terms.price.iter().chain(&terms.penalty).copied().fold(1e-9, f64::max);
        Columns {
            shape,
            terms,
            lp,
            fillings: Vec::new(),
            center,
            proved: f64::NEG_INFINITY,
            value: f64::INFINITY,
            smooth: SMOOTH,
            solved: false,
            scale: f64::from(1 << 27) / most,
            work: 0,
        }
    }

    /// Adds a filling that is known.
    pub fn add(&mut self, filling: Filling) {
        let (t, pattern) = &filling;
        let mut column: Vec<(u32, f64)> =
            pattern.iter().map(|(k, count)| (*k, f64::from(*count))).collect();
        column.push(((self.shape.kinds.len() + t) as u32, 1.0));
        self.lp.add(self.terms.price[*t], column);
        self.fillings.push(filling);
        self.solved = false;
    }

    /// One round: solves the linear program, tries a worth, takes the patterns it brings. `tell`
    /// gets the cut.
    pub fn step(&mut self, knapsacks: &mut [Knapsack<R>], mut tell: impl FnMut(Cut)) -> Step {
        if !self.solved {
            let before = self.lp.work;
            let end = self.lp.solve(PIVOTS);
            self.work += (self.lp.work - before) / 16;
            if end == End::Unbounded {
                return Step::Stuck;
            }
            self.solved = end == End::Optimal;
            self.value = self.lp.value();
        }
        let kinds = self.shape.kinds.len();
        let smooth = if self.smooth < 0.05 { 0.0 } else { self.smooth };
        let mixed = |k: usize| smooth * self.center[k] + (1.0 - smooth) * self.lp.dual[k].max(0.0);
        let worth: Vec<f64> = (0..kinds).map(mixed).collect();
        let Some((cut, found)) = self.ask(knapsacks, &worth) else {
            return Step::Stuck;
        };
        self.judge(&cut, worth);
        tell(cut);
        let good: Vec<Filling> =
            found.into_iter().filter(|(t, pattern)| self.gain(*t, pattern) > 1e-7).collect();
        if good.is_empty() && smooth == 0.0 && self.solved {
            return Step::Optimal;
        }
        self.smooth = if good.is_empty() { smooth * 0.6 - 0.02 } else { SMOOTH };
        good.into_iter().for_each(|filling| self.add(filling));
        Step::Better
    }

    /// What the linear program gains by one node with the pattern.
    fn gain(&self, t: usize, pattern: &Pattern) -> f64 {
        let kinds = self.shape.kinds.len();
        let worth: f64 =
            pattern.iter().map(|(k, count)| self.lp.dual[*k as usize] * f64::from(*count)).sum();
        (worth - self.terms.price[t] + self.lp.dual[kinds + t])
            / (1.0 + self.terms.price[t]).min(1e3)
    }

    /// The cut of a worth, and the best filling of every type.
    fn ask(&mut self, knapsacks: &mut [Knapsack<R>], worth: &[f64]) -> Option<(Cut, Vec<Filling>)> {
        for _ in 0..12 {
            let whole: Vec<i64> =
                worth.iter().map(|u| ((u * self.scale) as i64).clamp(0, MOST)).collect();
            let mut holds = vec![0; self.shape.types.len()];
            let mut fillings = Vec::new();
            for knapsack in knapsacks.iter_mut() {
                let before = knapsack.work;
                knapsack.solve(self.shape, &whole, true, |t, best, pattern| {
                    holds[t] = best;
                    if self.terms.count[t] > 0.0 && !pattern.is_empty() {
                        fillings.push((t, pattern));
                    }
                });
                self.work += (knapsack.work - before) / 4;
            }
            if holds.iter().all(|h| *h < MOST) {
                return Some((Cut::new(self.shape, whole, holds)?, fillings));
            }
            self.scale /= 4.0;
        }
        None
    }

    /// Keeps the worth if it proves more than any before.
    fn judge(&mut self, cut: &Cut, worth: Vec<f64>) {
        let mut sum = cut.total as f64 / self.scale;
        for (t, h) in cut.holds.iter().enumerate() {
            sum -= self.terms.count[t] * (*h as f64 / self.scale - self.terms.price[t]).max(0.0);
        }
        if sum > self.proved {
            self.proved = sum;
            self.center = worth;
        }
    }
}
