//! The exact method: the documents' integer program through good_lp, tier by
//! tier, and the LP relaxation as a bound.

mod backend;
mod balance;
mod cards;
mod external;
mod model;
mod moves;
mod objective;
mod point;
mod program;
mod rules;
mod tiers;

pub use backend::{Availability, BACKENDS, Backend, BackendInfo};
pub use objective::whole;
pub use tiers::{Exact, Finding, Request, TierFinding, no_worse, relaxation, solve};
