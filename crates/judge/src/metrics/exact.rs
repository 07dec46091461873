//! Values of tiers as fractions, and the steps in which they move.

use super::{Metrics, TimeFigures, demand_of};
use model::{Fraction, Instance, Plan, Scale, Shape, Term, Tier};

/// The figures that values are read from.
pub(super) struct Figures<'a> {
    pub(super) instance: &'a Instance,
    pub(super) plan: &'a Plan,
    pub(super) metrics: &'a Metrics,
    /// Of a plan in time, with the highest load of each node in each resource.
    pub(super) time: Option<(&'a TimeFigures, &'a [i64])>,
}

impl Figures<'_> {
    /// The tier's value; `None` where it has a variance in it, or more digits than fit.
    pub(super) fn tier(&self, tier: &Tier) -> Option<Fraction> {
        let mut sum = Fraction::ZERO;
        for part in &tier.terms {
            sum = sum.plus(Fraction::written(part.weight)?.times(self.term(part.term)?)?)?;
        }
        match tier.enough {
            Some(enough) => Some(sum.max(Fraction::written(enough)?)),
            None => Some(sum),
        }
    }

    fn term(&self, term: Term) -> Option<Fraction> {
        let (instance, metrics) = (self.instance, self.metrics);
        let steps = |count: i128, scale: Scale| Fraction::whole(count).times(scale.step());
        let timed = || self.time.map(|(figures, _)| figures);
        match term.shape() {
            Shape::Prices(prices) => steps(metrics.sum(term).into(), (prices.scale)(instance)),
            Shape::Amounts => {
                let scales = instance.resources().iter().map(|resource| resource.scale);
                let mut totals = demand_of(instance, self.plan).into_iter().zip(scales);
                totals.try_fold(Fraction::ZERO, |sum, (count, scale)| {
                    sum.plus(steps(count.into(), scale)?)
                })
            }
            Shape::Highest => {
                let width = instance.resources().len();
                let loads = |at: usize| match self.time {
                    Some((_, highest)) => &highest[at * width..(at + 1) * width],
                    None => &metrics.nodes[at].load[..],
                };
                Some(highest(instance, loads))
            }
            Shape::Variance => None,
            Shape::LargestGroup => Some(Fraction::whole(metrics.group_moves as i128)),
            Shape::LeftOut => {
                steps(metrics.left_out.weight(term.priority()).into(), instance.weight_scale())
            }
            Shape::LastEnd => Some(Fraction::whole(timed()?.makespan.into())),
            Shape::Seconds(seconds) => steps(timed()?.sum(*seconds), instance.weight_scale()),
        }
    }
}

/// The highest load over capacity of any counted node.
fn highest<'a>(instance: &'a Instance, loads: impl Fn(usize) -> &'a [i64]) -> Fraction {
    let mut best = (0i64, 1i64);
    for node in instance.node_ids().filter(|node| instance.counted(*node)) {
        for (load, capacity) in loads(node.index()).iter().zip(instance.capacity(node)) {
            let (left, right) = (i128::from(*load) * i128::from(best.1), i128::from(best.0));
            if *capacity > 0 && left > right * i128::from(*capacity) {
                best = (*load, *capacity);
            }
        }
    }
    Fraction::new(best.0.into(), best.1.into())
}

/// What one step of a counted term stands for; `None` for terms that are not counted.
pub fn unit(instance: &Instance, term: Term) -> Option<Scale> {
    match term.shape() {
        Shape::Amounts | Shape::Highest | Shape::Variance => None,
        Shape::Prices(prices) => Some((prices.scale)(instance)),
        Shape::LargestGroup | Shape::LastEnd => Some(Scale::ONE),
        Shape::LeftOut | Shape::Seconds(_) => Some(instance.weight_scale()),
    }
}

/// What every value of the tier is a whole multiple of; `None` where utilisations or a variance
/// are in it.
pub fn step(instance: &Instance, tier: &Tier) -> Option<Fraction> {
    let mut common = tier.enough.map_or(Some(Fraction::ZERO), Fraction::written)?;
    for part in &tier.terms {
        let weight = Fraction::written(part.weight)?;
        let scales: Vec<Scale> = match part.term.shape() {
            Shape::Amounts => instance.resources().iter().map(|resource| resource.scale).collect(),
            _ => vec![unit(instance, part.term)?],
        };
        for scale in scales {
            common = common.common(weight.times(scale.step())?)?;
        }
    }
    (common > Fraction::ZERO).then_some(common)
}
