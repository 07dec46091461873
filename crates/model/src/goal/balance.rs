//! The balance degree: the variance of nodes' dominant utilisation, without unit.

use super::Term;
use super::info::{Measure, TermInfo};
use super::shape::Shape;

pub(super) const INFO: TermInfo = TermInfo {
    term: Term::Balance,
    name: "balance",
    help: "balance degree: variance of node utilisation",
    title: Some("balance degree"),
    says: "The nodes' utilisation has a variance of {}",
    measure: Measure::Variance,
    shape: Shape::Variance,
};
