//! Tasks that run somewhere and are to run elsewhere.

use super::Term;
use super::info::{Measure, TermInfo};
use super::shape::{Placement, Prices, Shape};
use crate::Scale;

pub(super) const INFO: TermInfo = TermInfo {
    term: Term::Moved,
    name: "moved",
    help: "number of tasks moved off their current nodes",
    title: None,
    says: "Tasks that move: {}",
    measure: Measure::Number,
    shape: Shape::Prices(Prices {
        scale: |_| Scale::ONE,
        placement: Placement::Move(|instance, task, node| instance.moved(task, node).into()),
        used: None,
        margins: false,
        in_time: true,
    }),
};
