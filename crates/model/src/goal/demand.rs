//! Demand placed, each resource in its own unit. It differs where demands depend on the node.

use super::Term;
use super::info::{Measure, TermInfo};
use super::shape::Shape;

pub(super) const INFO: TermInfo = TermInfo {
    term: Term::Demand,
    name: "demand",
    help: "total demand placed, summed over resources",
    title: None,
    says: "The tasks take {} in all",
    measure: Measure::Number,
    shape: Shape::Amounts,
};
