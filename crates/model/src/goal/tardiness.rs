//! Seconds that each job ends too late, times its weight, summed.

use super::Term;
use super::info::{Measure, TermInfo};
use super::shape::{Seconds, Shape};

pub(super) const INFO: TermInfo = TermInfo {
    term: Term::Tardiness,
    name: "tardiness",
    help: "sum of what tasks end too late, each times its weight",
    title: None,
    says: "What ends too late comes to {}",
    measure: Measure::Time,
    shape: Shape::Seconds(Seconds::Late),
};
