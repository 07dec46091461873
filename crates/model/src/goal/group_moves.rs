//! Moved tasks of the group that has most of them.

use super::Term;
use super::info::{Measure, TermInfo};
use super::shape::Shape;

pub(super) const INFO: TermInfo = TermInfo {
    term: Term::GroupMoves,
    name: "group_moves",
    help: "moved tasks of the group with most of them",
    title: None,
    says: "Of no group more than {} tasks move",
    measure: Measure::Number,
    shape: Shape::LargestGroup,
};
