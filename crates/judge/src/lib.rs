//! Judges plans: [`check`] is the slow, obvious definition of feasible, [`metrics`] says what
//! every goal is worth, [`proof`] what is proven of it, and [`simulate`] how often a plan
//! overloads its nodes when demands vary. None of it shares code with what finds plans.

pub mod check;
pub mod metrics;
pub mod proof;
pub mod simulate;
