//! What there is to say about each term: one list, a file each.

use super::info::{Measure, TermInfo};
use super::shape::{Placement, Shape};
use super::{Term, Tier, WeightedTerm};

/// Every term that a person may write.
pub const TERMS: &[TermInfo] = &[
    super::peak::INFO,
    super::balance::INFO,
    super::cost::INFO,
    super::nodes::INFO,
    super::demand::INFO,
    super::energy::INFO,
    super::soft::INFO,
    super::moves::INFO,
    super::moved::INFO,
    super::group_moves::INFO,
    super::makespan::INFO,
    super::completion::INFO,
    super::tardiness::INFO,
    super::wait::INFO,
];

/// The implicit term; whose weight counts is told by [`Term`] itself.
const UNPLACED: &TermInfo = &super::unplaced::INFO;

impl Term {
    /// What there is to say about it.
    pub fn info(self) -> &'static TermInfo {
        TERMS.iter().find(|info| info.term == self).unwrap_or(UNPLACED)
    }

    /// Of what shape it is.
    pub fn shape(self) -> &'static Shape {
        &self.info().shape
    }

    /// The priority whose tasks alone it counts.
    pub fn priority(self) -> Option<i64> {
        match self {
            Term::Unplaced(priority) => priority,
            _ => None,
        }
    }

    /// True when the term is about when tasks run.
    pub fn is_timed(self) -> bool {
        matches!(self.shape(), Shape::LastEnd | Shape::Seconds(_))
    }

    /// True when it can stand beside terms about when tasks run.
    pub fn joins_time(self) -> bool {
        match self.shape() {
            Shape::Prices(prices) => prices.in_time,
            Shape::Highest | Shape::LeftOut | Shape::LastEnd | Shape::Seconds(_) => true,
            Shape::Amounts | Shape::Variance | Shape::LargestGroup => false,
        }
    }

    /// True when it counts what runs somewhere and is to run elsewhere.
    pub fn counts_moves(self) -> bool {
        match self.shape() {
            Shape::Prices(prices) => matches!(prices.placement, Placement::Move(_)),
            shape => matches!(shape, Shape::LargestGroup),
        }
    }
}

impl Tier {
    /// How its values read: as its term's do, where it is one term that weighs 1.
    pub fn measure(&self) -> Measure {
        match self.terms[..] {
            [WeightedTerm { weight: 1.0, term }] => term.info().measure,
            _ => Measure::Number,
        }
    }

    /// What stands before a value that is at most what is enough, or before any where nothing is.
    pub fn title(&self) -> String {
        let title = match self.terms[..] {
            [WeightedTerm { weight: 1.0, term }] => term.info().title,
            _ => None,
        };
        title.map_or_else(|| self.sum(), str::to_owned)
    }
}
