//! Tiers as linear forms over the columns of the program in time.

use super::super::objective::unit;
use super::super::program::{Col, merged};
use super::rows::Model;
use judge::metrics;
use model::{ROUNDING, Scale, Shape, Term, Tier, gcd};

/// A tier: its value times `unit` is the sum of the terms, and the constant.
pub(super) struct Form {
    pub(super) terms: Vec<(Col, f64)>,
    pub(super) constant: f64,
    pub(super) unit: f64,
    /// What all factors have in common, where they are whole numbers.
    pub(super) step: f64,
    /// The sum of the terms is a multiple of the step.
    pub(super) whole: bool,
}

/// Beyond, floating point does not hold every whole number.
const EXACT: f64 = 9.0e15;
/// Decimals of weights that are looked for.
const DECIMALS: i32 = 6;

impl Model<'_> {
    pub(super) fn form(&self, tier: &Tier) -> Form {
        let instance = self.table.instance;
        let (mut terms, mut constant) = (Vec::new(), 0.0);
        let mut den = 1;
        for part in &tier.terms {
            let scale = metrics::unit(instance, part.term).unwrap_or(Scale::ONE);
            let factor = part.weight * scale.factor();
            terms.extend(self.term(part.term).into_iter().map(|(col, a)| (col, a as f64 * factor)));
            if let Shape::LastEnd = part.term.shape() {
                constant += self.span.0 as f64 * factor;
            }
            den = (den / gcd(den, scale.den)).saturating_mul(scale.den);
        }
        let mut terms = merged(terms);
        terms.retain(|(_, a)| *a != 0.0);
        // One term is counted in its steps; of sums the decimals of the weights count too.
        let units = (0..=DECIMALS).map(|places| match tier.only() {
            Some(_) => unit(instance, tier),
            None => den as f64 * 10f64.powi(places),
        });
        let near = |a: f64| (a - a.round()).abs() <= ROUNDING * a.abs().max(1.0) && a.abs() < EXACT;
        let mut whole = units.filter(|unit| terms.iter().all(|(_, a)| near(a * unit)));
        let Some(unit) = whole.next() else {
            return Form { terms, constant, unit: 1.0, step: 1.0, whole: false };
        };
        terms.iter_mut().for_each(|(_, a)| *a = (*a * unit).round());
        let shared = terms.iter().fold(0, |shared, (_, a)| gcd(shared, a.abs() as i64));
        Form { terms, constant: constant * unit, unit, step: shared.max(1) as f64, whole: true }
    }

    /// A term in its steps.
    fn term(&self, term: Term) -> Vec<(Col, i64)> {
        if let Shape::LastEnd = term.shape() {
            return self.span.1.iter().map(|(below, level, col)| (*col, level - below)).collect();
        }
        let mut terms = Vec::new();
        let classes = self.table.classes.iter().zip(&self.starts).zip(&self.units).zip(&self.out);
        for (((class, starts), units), out) in classes {
            terms.extend(starts.iter().map(|s| (s.col, class.steps(term, (s.start, s.end)))));
            terms.extend(units.iter().filter_map(|unit| {
                let place = class.parts[unit.part].at[unit.group].as_ref()?;
                Some((unit.col, place.steps(term)))
            }));
            terms.extend(out.map(|col| (col, class.out_steps(term))));
        }
        let groups = self.table.groups.iter().zip(&self.used);
        terms.extend(groups.filter_map(|(group, used)| Some(((*used)?, group.use_steps(term)))));
        terms
    }
}
