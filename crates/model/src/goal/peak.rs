//! Highest utilisation of any node in any resource: load over capacity, without unit.

use super::Term;
use super::info::{Measure, TermInfo};
use super::shape::Shape;

pub(super) const INFO: TermInfo = TermInfo {
    term: Term::Peak,
    name: "peak",
    help: "highest utilisation of any node in any resource",
    title: Some("peak utilisation"),
    says: "The fullest node is {} full",
    measure: Measure::Share,
    shape: Shape::Highest,
};
