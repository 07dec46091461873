//! What is minimised: tiers in order of importance, each a weighted sum of terms. What a term means
//! stands in a file of its own.

mod balance;
mod completion;
mod cost;
mod demand;
mod energy;
mod group_moves;
mod info;
mod makespan;
mod moved;
mod moves;
mod nodes;
mod peak;
mod shape;
mod soft;
mod tardiness;
mod terms;
mod unplaced;
mod wait;
mod words;

pub use info::{Measure, TermInfo};
pub use shape::{Placement, Prices, Seconds, Shape};
pub use terms::TERMS;
pub use words::GoalError;

/// One thing that can be minimised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Term {
    /// Highest utilisation of any node in any resource.
    Peak,
    /// The balance degree: variance of node utilisation.
    Balance,
    /// Cost of placements plus the price of used nodes.
    Cost,
    /// Number of used nodes.
    Nodes,
    /// Total demand placed, summed over resources.
    Demand,
    /// Watts that used nodes draw, idle and for what they carry.
    Energy,
    /// What soft rules cost that are not kept: preferences, soft taints, load
    /// above safety capacities, room that is missing beside other room. The
    /// implicit last tier where there are any.
    Soft,
    /// Cost of the moves of tasks that run somewhere already.
    Moves,
    /// Number of tasks that run somewhere already and are to run elsewhere.
    Moved,
    /// Moved tasks of the group that has most of them.
    GroupMoves,
    /// When the last task ends.
    Makespan,
    /// Sum of the tasks' ends, each times its weight.
    Completion,
    /// Sum of how much too late tasks end, each times its weight.
    Tardiness,
    /// Sum of how long tasks wait from their release to their start, each times its weight.
    Wait,
    /// Weight of tasks left without a node, of one priority or of all. Never
    /// written by hand: the implicit first tiers when tasks may stay unplaced.
    Unplaced(Option<i64>),
}

/// A term and how much one unit of it weighs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WeightedTerm {
    /// Factor, finite and positive.
    pub weight: f64,
    /// What is weighed.
    pub term: Term,
}

/// A weighted sum; tiers before it matter infinitely more.
#[derive(Clone, Debug, PartialEq)]
pub struct Tier {
    /// At least one term, each term once.
    pub terms: Vec<WeightedTerm>,
    /// The sum is low enough at that: a tier's value is never below it.
    pub enough: Option<f64>,
}

impl Tier {
    /// A tier of one term with weight 1.
    pub fn single(term: Term) -> Tier {
        Tier { terms: vec![WeightedTerm { weight: 1.0, term }], enough: None }
    }

    /// A tier of one term that is kept at or below `enough` where that can be.
    pub fn limit(term: Term, enough: f64) -> Tier {
        Tier { enough: Some(enough), ..Tier::single(term) }
    }

    /// What a sum is worth: itself, or what is enough if it is lower.
    pub fn worth(&self, sum: f64) -> f64 {
        self.enough.map_or(sum, |enough| sum.max(enough))
    }

    /// The term, when the tier is nothing but that term and as low as can be.
    pub fn only(&self) -> Option<Term> {
        match self.terms[..] {
            [WeightedTerm { weight: 1.0, term }] if self.enough.is_none() => Some(term),
            _ => None,
        }
    }

    /// The weight of `term` in this tier, 0 when it is absent.
    pub fn weight(&self, term: Term) -> f64 {
        self.terms.iter().find(|t| t.term == term).map_or(0.0, |t| t.weight)
    }
}

/// Tiers in order of importance; at least one.
#[derive(Clone, Debug, PartialEq)]
pub struct Goal {
    /// Most important first.
    pub tiers: Vec<Tier>,
}

impl Goal {
    /// One tier, one term.
    pub fn single(term: Term) -> Goal {
        Goal { tiers: vec![Tier::single(term)] }
    }

    /// The goal with "leave as little unplaced as possible" before everything: a
    /// tier for each of the priorities, the highest first, or one for all when
    /// there is but one.
    pub fn with_unplaced_first(&self, priorities: &[i64]) -> Goal {
        let mut tiers: Vec<Tier> = match priorities {
            [] | [_] => vec![Tier::single(Term::Unplaced(None))],
            many => many.iter().map(|p| Tier::single(Term::Unplaced(Some(*p)))).collect(),
        };
        tiers.extend(self.tiers.iter().cloned());
        Goal { tiers }
    }

    /// The terms of all tiers, the most important tier's first.
    pub fn terms(&self) -> impl Iterator<Item = Term> + '_ {
        self.tiers.iter().flat_map(|tier| &tier.terms).map(|part| part.term)
    }

    /// True when any tier mentions `term`.
    pub fn mentions(&self, term: Term) -> bool {
        self.tiers.iter().any(|tier| tier.weight(term) > 0.0)
    }
}
