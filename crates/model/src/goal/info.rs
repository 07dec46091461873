//! What there is to say about a term, apart from what it is worth.

use super::Term;
use super::shape::Shape;

/// How people read the values of a goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// A share of a capacity, read as a percentage.
    Share,
    /// A variance of shares.
    Variance,
    /// Seconds.
    Time,
    /// A number of what the goal counts.
    Number,
}

/// What there is to say about a term.
pub struct TermInfo {
    /// The term.
    pub term: Term,
    /// The name used in flags and files.
    pub name: &'static str,
    /// What is minimised, in one line.
    pub help: &'static str,
    /// What stands before a value, where that is not the name.
    pub title: Option<&'static str>,
    /// What a value says about the plan, with `{}` in its place.
    pub says: &'static str,
    /// How its values read.
    pub measure: Measure,
    /// Of what shape it is: all that engines have to know.
    pub shape: Shape,
}
