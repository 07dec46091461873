//! Nodes with at least one task of the plan.

use super::Term;
use super::info::{Measure, TermInfo};
use super::shape::{Placement, Prices, Shape};
use crate::Scale;

pub(super) const INFO: TermInfo = TermInfo {
    term: Term::Nodes,
    name: "nodes",
    help: "number of used nodes",
    title: None,
    says: "The plan uses {} nodes",
    measure: Measure::Number,
    shape: Shape::Prices(Prices {
        scale: |_| Scale::ONE,
        placement: Placement::Free,
        used: Some(|_, _| 1),
        margins: false,
        in_time: true,
    }),
};
