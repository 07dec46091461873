//! Weight of what is left out. Never written by hand: the implicit first tiers where tasks may stay
//! unplaced.

use super::Term;
use super::info::{Measure, TermInfo};
use super::shape::Shape;

pub(super) const INFO: TermInfo = TermInfo {
    term: Term::Unplaced(None),
    name: "unplaced",
    help: "weight of tasks left without a node",
    title: None,
    says: "What is left out weighs {}",
    measure: Measure::Number,
    shape: Shape::LeftOut,
};
