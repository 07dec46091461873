//! Cost of placements and the price of used nodes, in whatever unit of money prices are written.

use super::Term;
use super::info::{Measure, TermInfo};
use super::shape::{Placement, Prices, Shape};
use crate::Instance;

pub(super) const INFO: TermInfo = TermInfo {
    term: Term::Cost,
    name: "cost",
    help: "cost of placements plus the price of used nodes",
    title: None,
    says: "The plan costs {}",
    measure: Measure::Number,
    shape: Shape::Prices(Prices {
        scale: Instance::cost_scale,
        placement: Placement::Priced(Instance::cost_on, any),
        used: Some(Instance::price),
        margins: false,
        in_time: true,
    }),
};

/// Whether any placement costs anything.
fn any(instance: &Instance) -> bool {
    instance.has_pairs() || instance.node_ids().any(|node| instance.rate(node) > 0)
}
