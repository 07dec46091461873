//! Cost of moves: the task's own and its route's, in the unit of `move_cost`.

use super::Term;
use super::info::{Measure, TermInfo};
use super::shape::{Placement, Prices, Shape};
use crate::Instance;

pub(super) const INFO: TermInfo = TermInfo {
    term: Term::Moves,
    name: "moves",
    help: "cost of moving tasks off their current nodes",
    title: None,
    says: "Moving running tasks costs {}",
    measure: Measure::Number,
    shape: Shape::Prices(Prices {
        scale: Instance::move_scale,
        placement: Placement::Move(Instance::move_cost),
        used: None,
        margins: false,
        in_time: true,
    }),
};
