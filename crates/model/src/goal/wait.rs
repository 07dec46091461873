//! Seconds from each job's release to its start, times its weight, summed.

use super::Term;
use super::info::{Measure, TermInfo};
use super::shape::{Seconds, Shape};

pub(super) const INFO: TermInfo = TermInfo {
    term: Term::Wait,
    name: "wait",
    help: "sum of the tasks' times from release to start, times their weights",
    title: None,
    says: "The tasks' weighted waits come to {}",
    measure: Measure::Time,
    shape: Shape::Seconds(Seconds::Wait),
};
