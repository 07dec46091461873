//! Terms and tiers of the goal as linear forms over a model's columns.

use super::columns::{BalanceRows, Model};
use super::program::Col;
use judge::metrics::step;
use model::{Fraction, Instance, Prices, Shape, Term, Tier};

impl Model<'_> {
    /// A tier as a linear form times `unit`, and its constant.
    pub(super) fn tier_terms(&self, tier: &Tier, unit: f64) -> (Vec<(Col, f64)>, f64) {
        let mut terms = Vec::new();
        let mut constant = 0.0;
        for weighted in &tier.terms {
            let (part, fixed) = self.term(weighted.term);
            let factor = weighted.weight * unit;
            terms.extend(part.into_iter().map(|(col, a)| (col, a * factor)));
            constant += fixed * factor;
        }
        (terms, constant)
    }

    fn term(&self, term: Term) -> (Vec<(Col, f64)>, f64) {
        match term.shape() {
            Shape::Prices(prices) => self.priced_terms(prices),
            Shape::Amounts => {
                let scales = self.shape.instance.resources().iter().map(|resource| resource.scale);
                let parts = scales.enumerate().flat_map(|(r, scale)| {
                    let factor = scale.factor();
                    (0..self.shape.groups.len()).flat_map(move |g| self.load_terms(g, r, factor))
                });
                (parts.collect(), 0.0)
            }
            Shape::Highest => (self.peak.iter().map(|z| (*z, 1.0)).collect(), 0.0),
            Shape::Variance => {
                (self.balance.as_ref().map_or_else(Vec::new, BalanceRows::variance), 0.0)
            }
            Shape::LargestGroup => {
                (self.group_moves.iter().map(|most| (*most, 1.0)).collect(), 0.0)
            }
            Shape::LeftOut => (self.unplaced_terms(term.priority()), 0.0),
            // Refused before any model is made.
            Shape::LastEnd | Shape::Seconds(_) => (Vec::new(), 0.0),
        }
    }

    fn priced_terms(&self, prices: &Prices) -> (Vec<(Col, f64)>, f64) {
        let instance = self.shape.instance;
        let factor = (prices.scale)(instance).factor();
        let mut terms = if prices.margins { self.margins.clone() } else { Vec::new() };
        if prices.placement.any(instance) {
            for (class, counts) in self.shape.classes.tasks.iter().zip(&self.counts) {
                for (group, col) in self.shape.groups.iter().zip(counts) {
                    let price = prices.placement.price(instance, class.example(), group[0]);
                    if let (Some(col), true) = (col, price != 0) {
                        terms.push((*col, price as f64 * factor));
                    }
                }
            }
        }
        let used = self.shape.groups.iter().zip(&self.used);
        let used = used.map(|(group, col)| (*col, prices.of_use(instance, group[0])));
        terms.extend(used.map(|(col, price)| (col, price as f64 * factor)));
        (terms, if prices.margins { self.margins_constant } else { 0.0 })
    }

    fn unplaced_terms(&self, priority: Option<i64>) -> Vec<(Col, f64)> {
        let instance = self.shape.instance;
        let factor = instance.weight_scale().factor();
        let classes = self.shape.classes.tasks.iter().zip(&self.unplaced);
        classes
            .filter(|(class, _)| priority.is_none_or(|p| instance.priority(class.example()) == p))
            .map(|(class, col)| (*col, instance.drop_weight(class.example()) as f64 * factor))
            .collect()
    }
}

/// Steps to a unit beyond which a sum is no sum of whole numbers to a solver.
const FINEST: f64 = 1e4;

/// What the tier's values are multiples of, where the program counts in it: what a term is counted
/// in, or what the terms of a sum have in common unless that is too fine.
pub(super) fn counted(instance: &Instance, tier: &Tier) -> Option<Fraction> {
    let step = step(instance, tier)?;
    let amounts = |term: Term| matches!(term.shape(), Shape::Amounts);
    let single = tier.terms.len() == 1 && !tier.only().is_some_and(amounts);
    (single || step.near() * FINEST >= 1.0).then_some(step)
}

/// Factor from a tier's value to the program's objective: counted terms in whole
/// steps, everything else so that coefficients stay moderate.
pub(super) fn unit(instance: &Instance, tier: &Tier) -> f64 {
    match (tier.only().map(Term::shape), counted(instance, tier)) {
        (Some(Shape::Highest), _) => 100.0,
        (Some(Shape::Variance), _) => 1e4,
        (_, Some(step)) => 1.0 / step.near(),
        (_, None) => 1.0,
    }
}

/// What solvers' tolerances may hide in an objective.
pub(super) fn tolerance(objective: f64) -> f64 {
    let size = objective.abs();
    (1e-5 * size.clamp(1.0, 1e4)).max(1e-7 * size)
}

/// The least number of steps that an objective, counted in steps, stands for.
pub(super) fn whole_steps(objective: f64) -> i128 {
    (objective - tolerance(objective)).ceil() as i128
}
