//! Which nodes to use: the cheapest number of nodes of each type that satisfies all cuts, by a
//! best-first branch and bound that goes on where it was when cuts are added.
//!
//! The linear programs are solved in their dual form, in which cuts are columns and branching
//! changes costs only, so that one basis serves all of the tree. The bound of a node of the tree
//! is summed up anew in integers from rounded multipliers, and holds whatever the rounding.

use super::cuts::Cut;
use super::shape::Shape;
use super::simplex::Lp;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Multipliers are rounded to multiples of 2^-SHIFT.
const SHIFT: u32 = 56;
/// Pivots for one linear program.
const PIVOTS: usize = 2000;
/// Nothing is missing from a cut below this part of its total.
const SLIGHT: f64 = 1e-7;
/// What is so near a whole number is one.
const WHOLE: f64 = 1e-6;

/// Bounds on the number of nodes of every type.
type Region = Vec<(i32, i32)>;

/// The open part of the tree and the cuts.
pub struct Master {
    price: Vec<i64>,
    /// All that there is.
    whole: Region,
    step: i64,
    lp: Lp,
    /// All cuts, and the column of each that is in use.
    cuts: Vec<Cut>,
    used: Vec<(usize, usize)>,
    in_use: Vec<bool>,
    /// Open regions: bound, then the latest first.
    open: BinaryHeap<Reverse<(i64, Reverse<u64>, Region)>>,
    made: u64,
    /// The least price among choices that nobody could decide.
    undecided: i64,
    /// A bound on the price of every choice left.
    pub bound: i64,
}

/// What a search for the cheapest choice found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Nodes of each type, at the price of the bound.
    Found(Vec<i64>),
    /// Nothing is left below the price asked for.
    Nothing,
    /// The limit came first.
    Limit,
}

impl Master {
    pub fn new<const R: usize>(shape: &Shape<R>) -> Self {
        let price: Vec<i64> = shape.types.iter().map(|t| t.price).collect();
        let count: Vec<i32> = shape.types.iter().map(|t| t.nodes.len() as i32).collect();
        let all: f64 = price.iter().zip(&count).map(|(p, c)| *p as f64 * f64::from(*c)).sum();
        let mut rhs: Vec<f64> = price.iter().map(|p| *p as f64).collect();
        // One more row: keeps the multipliers finite where no choice satisfies all cuts.
        rhs.push(1000.0 * all.max(1.0));
        let mut lp = Lp::new(&rhs, &vec![0.0; rhs.len()]);
        for (t, c) in count.iter().enumerate() {
            lp.add(f64::from(*c), vec![(t as u32, -1.0)]);
        }
        // Nodes that cost nothing are always there.
        let least = |t: usize| if price[t] == 0 { count[t] } else { 0 };
        let region: Region = count.iter().enumerate().map(|(t, c)| (least(t), *c)).collect();
        Master {
            price,
            whole: region.clone(),
            step: shape.step,
            lp,
            cuts: Vec::new(),
            used: Vec::new(),
            in_use: Vec::new(),
            open: BinaryHeap::from([Reverse((0, Reverse(0), region))]),
            made: 0,
            undecided: i64::MAX,
            bound: 0,
        }
    }

    /// Floating point operations so far.
    pub fn work(&self) -> u64 {
        self.lp.work
    }

    /// All cuts so far.
    pub fn cuts(&self) -> &[Cut] {
        &self.cuts
    }

    /// What the cuts that are binding now say one task of each kind is worth.
    pub fn worth(&self, kinds: usize) -> Vec<f64> {
        let mut worth = vec![0.0; kinds];
        for (j, y) in self.lp.solution() {
            let Some((k, _)) = self.used.iter().find(|(_, column)| *column == j) else { continue };
            let cut = &self.cuts[*k];
            let scale = y / cut.total as f64;
            worth.iter_mut().zip(&cut.worth).for_each(|(w, c)| *w += scale * *c as f64);
        }
        worth
    }

    /// A choice that satisfies all cuts, rounded from the linear relaxation; none if the nodes
    /// altogether do not.
    pub fn rounded(&mut self) -> Option<Vec<i64>> {
        let point = self.root();
        let most = |t: usize| i64::from(self.whole[t].1);
        let mut x: Vec<i64> = point
            .iter()
            .enumerate()
            .map(|(t, x)| ((x - WHOLE).ceil() as i64).clamp(0, most(t)))
            .collect();
        if !self.cuts.iter().all(|cut| cut.allows(&x)) {
            x = (0..x.len()).map(most).collect();
        }
        let mut order: Vec<usize> = (0..x.len()).filter(|t| self.price[*t] > 0).collect();
        order.sort_by_key(|t| std::cmp::Reverse(self.price[*t]));
        for t in order {
            while x[t] > 0 {
                x[t] -= 1;
                if !self.cuts.iter().all(|cut| cut.allows(&x)) {
                    x[t] += 1;
                    break;
                }
            }
        }
        self.cuts.iter().all(|cut| cut.allows(&x)).then_some(x)
    }

    /// Takes a cut; it is used once something violates it.
    pub fn add(&mut self, cut: Cut) {
        self.cuts.push(cut);
        self.in_use.push(false);
    }

    /// The price of a choice.
    pub fn price(&self, x: &[i64]) -> i64 {
        self.price.iter().zip(x).map(|(p, x)| p * x).sum()
    }

    /// Looks for the cheapest choice that satisfies all cuts, below the price `below`.
    pub fn cheapest(&mut self, below: i64, limit: u64, stop: &dyn Fn() -> bool) -> Choice {
        let most = self.lp.work.saturating_add(limit);
        loop {
            let first = self.open.peek().map_or(i64::MAX, |Reverse((bound, ..))| *bound);
            self.bound = self.bound.max(first.min(self.undecided));
            if first >= below {
                return Choice::Nothing;
            }
            if self.lp.work > most || stop() {
                return Choice::Limit;
            }
            let Some(Reverse((_, _, region))) = self.open.pop() else { return Choice::Nothing };
            let (bound, x) = self.relax(&region, first);
            if bound > first || bound >= below {
                if bound < i64::MAX {
                    self.push(bound, region);
                }
                continue;
            }
            match self.fractional(&x) {
                Some(t) => self.branch(region, t, x[t], bound),
                None => {
                    let x: Vec<i64> = x.iter().map(|x| x.round() as i64).collect();
                    self.push(bound, region);
                    if self.price(&x) <= bound && self.cuts.iter().all(|cut| cut.allows(&x)) {
                        return Choice::Found(x);
                    }
                    // Rounding errors of the linear program: decided point by point.
                    if let Some(Reverse((.., region))) = self.open.pop() {
                        self.exclude(&region, &x, bound);
                    }
                }
            }
        }
    }

    /// Sets a choice aside that could neither be used nor refuted.
    pub fn set_aside(&mut self, x: &[i64]) {
        self.undecided = self.undecided.min(self.price(x));
        self.refute(x);
    }

    /// Takes out a choice that is known to be of no use.
    pub fn refute(&mut self, x: &[i64]) {
        let inside = |region: &Region| {
            region.iter().zip(x).all(|((lo, hi), x)| (i64::from(*lo)..=i64::from(*hi)).contains(x))
        };
        let open = std::mem::take(&mut self.open).into_vec();
        let (with, without): (Vec<_>, Vec<_>) =
            open.into_iter().partition(|Reverse((.., region))| inside(region));
        self.open = without.into();
        for Reverse((bound, _, region)) in with {
            self.split(&region, x, bound);
        }
    }

    /// Takes one point, which the cuts allow or not, out of a region.
    fn exclude(&mut self, region: &Region, x: &[i64], bound: i64) {
        if self.cuts.iter().all(|cut| cut.allows(x)) {
            self.undecided = self.undecided.min(self.price(x));
        }
        self.split(region, x, bound);
    }

    /// The region without one point, as disjoint regions.
    fn split(&mut self, region: &Region, x: &[i64], bound: i64) {
        let mut rest = region.clone();
        for t in 0..rest.len() {
            let (lo, hi) = rest[t];
            let at = (x[t] as i32).clamp(lo, hi);
            for part in [(lo, at - 1), (at + 1, hi)] {
                if part.0 <= part.1 {
                    let mut piece = rest.clone();
                    piece[t] = part;
                    self.push(bound, piece);
                }
            }
            rest[t] = (at, at);
        }
    }

    fn push(&mut self, bound: i64, region: Region) {
        self.made += 1;
        self.open.push(Reverse((bound, Reverse(self.made), region)));
    }

    fn fractional(&self, x: &[f64]) -> Option<usize> {
        let far = |t: &usize| (x[*t] - x[*t].round()).abs();
        let worth = |t: &usize| far(t) * (1.0 + self.price[*t] as f64);
        (0..x.len()).filter(|t| far(t) > WHOLE).max_by(|a, b| worth(a).total_cmp(&worth(b)))
    }

    fn branch(&mut self, region: Region, t: usize, x: f64, bound: i64) {
        let mut below = region.clone();
        let mut above = region;
        below[t].1 = x.floor() as i32;
        above[t].0 = x.floor() as i32 + 1;
        self.push(bound, below);
        self.push(bound, above);
    }

    /// A bound on every choice in the region, at least `known`, and the point where the linear
    /// program has it.
    fn relax(&mut self, region: &Region, known: i64) -> (i64, Vec<f64>) {
        let types = self.price.len();
        let most: Vec<i64> = region.iter().map(|(_, hi)| i64::from(*hi)).collect();
        if !self.cuts.iter().all(|cut| cut.allows(&most)) {
            return (i64::MAX, vec![0.0; types]);
        }
        for (t, (lo, hi)) in region.iter().enumerate() {
            self.lp.cost[t] = -f64::from(*lo);
            self.lp.cost[types + 1 + t] = f64::from(*hi);
        }
        loop {
            self.lp.solve(PIVOTS);
            let x: Vec<f64> = self.lp.dual[..types].iter().map(|y| -y).collect();
            let missing = |k: usize| self.cuts[k].missing(&x);
            let worst = (0..self.cuts.len())
                .filter(|k| !self.in_use[*k] && missing(*k) > SLIGHT)
                .max_by(|a, b| missing(*a).total_cmp(&missing(*b)));
            let Some(k) = worst else {
                let proved = self.proved(region).max(known);
                let dearer = proved > self.price(&most);
                return (if dearer { i64::MAX } else { proved }, x);
            };
            self.lp.work += (self.cuts.len() * types) as u64;
            let total = self.cuts[k].total as f64;
            let holds = self.cuts[k].holds.iter().enumerate().filter(|(_, h)| **h > 0);
            let mut column: Vec<(u32, f64)> =
                holds.map(|(t, h)| (t as u32, *h as f64 / total)).collect();
            column.push((types as u32, 1.0));
            self.used.push((k, self.lp.add(-1.0, column)));
            self.in_use[k] = true;
        }
    }

    /// The bound that the multipliers of the last linear program prove for a region.
    fn proved(&self, region: &Region) -> i64 {
        let one = 1i128 << SHIFT;
        let mut left: Vec<i128> = self.price.iter().map(|p| i128::from(*p) * one).collect();
        let mut sum = 0i128;
        for (j, y) in self.lp.solution() {
            let Some((k, _)) = self.used.iter().find(|(_, column)| *column == j) else { continue };
            let cut = &self.cuts[*k];
            let y = (y / cut.total as f64 * one as f64) as i128;
            sum = sum.saturating_add(y.saturating_mul(i128::from(cut.total)));
            for (l, h) in left.iter_mut().zip(&cut.holds) {
                *l -= y * i128::from(*h);
            }
        }
        for (l, (lo, hi)) in left.iter().zip(region) {
            sum += l * i128::from(if *l >= 0 { *lo } else { *hi });
        }
        let whole = (sum + one - 1) >> SHIFT;
        let value = i64::try_from(whole).unwrap_or(i64::MAX / 4).max(0);
        value.div_euclid(self.step).saturating_add(i64::from(value % self.step > 0)) * self.step
    }

    /// The linear relaxation with all cuts: where it has its least price.
    pub fn root(&mut self) -> Vec<f64> {
        let region = self.whole.clone();
        let (bound, x) = self.relax(&region, self.bound);
        self.bound = self.bound.max(bound);
        x
    }
}
