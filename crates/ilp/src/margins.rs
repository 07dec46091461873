//! How exact solvers and floating point are taken to be: the numbers that more than one file needs.

/// A count of a solver's is a whole number if it is no further from one.
pub(super) const WHOLE: f64 = 1e-4;
/// What solvers' tolerances may hide in a value that is no whole number of steps, as a part of it.
pub(super) const HIDDEN: f64 = 1e-7;
