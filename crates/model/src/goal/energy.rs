//! Watts of used nodes: what each draws idle, and what each unit of load adds.

use super::Term;
use super::info::{Measure, TermInfo};
use super::shape::{Placement, Prices, Shape};
use crate::Instance;

pub(super) const INFO: TermInfo = TermInfo {
    term: Term::Energy,
    name: "energy",
    help: "watts of used nodes, idle and for what they carry",
    title: None,
    says: "The used nodes draw {} watts",
    measure: Measure::Number,
    shape: Shape::Prices(Prices {
        scale: Instance::watt_scale,
        placement: Placement::Priced(Instance::watts_on, Instance::has_watts),
        used: Some(Instance::idle_watts),
        margins: false,
        in_time: false,
    }),
};
