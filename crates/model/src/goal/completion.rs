//! Seconds to each job's end, times its weight, summed.

use super::Term;
use super::info::{Measure, TermInfo};
use super::shape::{Seconds, Shape};

pub(super) const INFO: TermInfo = TermInfo {
    term: Term::Completion,
    name: "completion",
    help: "sum of the tasks' ends, each times its weight",
    title: None,
    says: "The tasks' weighted ends come to {}",
    measure: Measure::Time,
    shape: Shape::Seconds(Seconds::End),
};
