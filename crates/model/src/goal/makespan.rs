//! When the last task ends, in seconds from the start of the plan.

use super::Term;
use super::info::{Measure, TermInfo};
use super::shape::Shape;

pub(super) const INFO: TermInfo = TermInfo {
    term: Term::Makespan,
    name: "makespan",
    help: "when the last task ends",
    title: None,
    says: "The last task ends after {}",
    measure: Measure::Time,
    shape: Shape::LastEnd,
};
