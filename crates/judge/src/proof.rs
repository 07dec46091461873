//! What is reached, what cannot be beaten, and whether the two meet: the one place that says so.

use crate::metrics::step;
use base::error::{Error, Kind, Result};
use model::{Fraction, Instance, Scale, Tier, Worth};

/// A proven limit, and the argument in a few words.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    /// No plan has a lower value.
    pub value: Worth,
    /// Where it comes from, as in "bound from ...".
    pub why: String,
}

impl Bound {
    /// A bound with its argument.
    pub fn new(value: Worth, why: impl Into<String>) -> Bound {
        Bound { value, why: why.into() }
    }

    /// A bound known in floating point.
    pub fn real(value: f64, why: impl Into<String>) -> Bound {
        Bound::new(Worth::real(value), why)
    }

    /// A bound counted in steps.
    pub fn counted(steps: impl Into<i128>, scale: Scale, why: impl Into<String>) -> Bound {
        Bound::new(Worth::counted(steps, scale), why)
    }

    /// The higher of two; this one when they are equal.
    pub fn max(self, other: Bound) -> Bound {
        if other.value.order(self.value).is_gt() { other } else { self }
    }
}

/// One tier of the goal: what was reached and what cannot be beaten.
#[derive(Clone, Debug, PartialEq)]
pub struct Proof {
    /// The tier.
    pub tier: Tier,
    /// What the plan achieves.
    pub value: f64,
    /// No plan that keeps the earlier tiers achieves less.
    pub bound: f64,
    /// The bound as a fraction, where it is one.
    pub exact: Option<Fraction>,
    /// Where the bound comes from.
    pub why: String,
    /// (value - bound) / |value|, 0 when the tier is proven.
    pub gap: f64,
}

impl Proof {
    /// A tier with its value and its bound, closed where the two meet.
    ///
    /// # Errors
    /// The bound lies above the value, which is a bug.
    pub fn of(instance: &Instance, tier: &Tier, value: Worth, bound: &Bound) -> Result<Proof> {
        let limit = bound.value.raised(step(instance, tier));
        if limit.contradicts(value) {
            let (limit, why, value) = (limit.near(), &bound.why, value.near());
            let cause = format!("the bound {limit} ({why}) contradicts {tier} = {value}");
            return Err(Error::new(Kind::Solver, cause).help("this is a bug: please report it"));
        }
        let limit = if value.meets(limit) { value } else { limit };
        Ok(Proof {
            tier: tier.clone(),
            value: value.near(),
            bound: limit.near(),
            exact: limit.fraction(),
            why: bound.why.clone(),
            gap: match value.over(limit) {
                0.0 => 0.0,
                over => over / value.near().abs(),
            },
        })
    }

    /// The bound as it is compared with values.
    pub fn limit(&self) -> Bound {
        Bound::new(Worth::new(self.bound, self.exact), self.why.clone())
    }
}

/// Whether nothing can be better than `value`, which is known to be `bound` at least: exactly where
/// values move in steps or are fractions, within a millionth for variances and sums with them.
pub fn proven(instance: &Instance, tier: &Tier, value: Worth, bound: Worth) -> bool {
    value.meets(bound.raised(step(instance, tier)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Draft, NodeDraft, TaskDraft};

    /// A millionth of hundreds of millions is hundreds of whole steps.
    #[test]
    fn sums_of_whole_numbers_are_not_proven_a_step_away() {
        let node = NodeDraft { id: "n".into(), ..NodeDraft::default() };
        let task = TaskDraft { id: "t".into(), ..TaskDraft::default() };
        let mut draft = Draft { nodes: vec![node], tasks: vec![task], ..Draft::default() };
        draft.resource("cpu");
        let instance = draft.build().unwrap();
        let value = Worth::exact(Fraction::whole(583_006_260));
        let closed = |tier: &str, bound| {
            proven(&instance, &Tier::parse(tier).unwrap(), value, Worth::real(bound))
        };
        assert!(!closed("cost + 10*nodes", 583_005_714.0));
        assert!(!closed("cost + 10*nodes", 583_006_259.0));
        assert!(closed("cost + 10*nodes", 583_006_259.5));
        assert!(!closed("cost + 0.5*nodes", 583_006_259.5));
        assert!(closed("cost + 0.5*nodes", 583_006_259.6));
        assert!(closed("cost + balance", 583_005_714.0), "in floating point only");
    }
}
