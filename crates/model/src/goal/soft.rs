//! What soft rules cost that are not kept, in the unit of their weights.

use super::Term;
use super::info::{Measure, TermInfo};
use super::shape::{Placement, Prices, Shape};
use crate::Instance;

pub(super) const INFO: TermInfo = TermInfo {
    term: Term::Soft,
    name: "soft",
    help: "price of preferences not met, of load above safety capacities, of missing room",
    title: None,
    says: "Wishes and safety margins that are not kept cost {}",
    measure: Measure::Number,
    shape: Shape::Prices(Prices {
        scale: Instance::soft_scale,
        placement: Placement::Priced(Instance::penalty, Instance::has_penalties),
        used: None,
        margins: true,
        in_time: true,
    }),
};
