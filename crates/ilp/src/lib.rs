//! The exact method: the integer program through good_lp, tier by
//! tier, and the LP relaxation as a bound.

mod assemble;
mod balance;
mod cards;
mod columns;
mod failures;
mod margins;
mod moves;
mod names;
mod objective;
mod point;
mod program;
mod risk;
mod rules;
mod solver;
mod tiers;
mod time;
mod write;

pub use columns::Failure;
pub use solver::{Availability, Backend};
pub use tiers::{Exact, Finding, Request, TierFinding, no_worse, relaxation, solve};
pub use time::{TimedFinding, TimedRequest, solve_timed, time_objection};
pub use write::{ModelForm, ModelRequest, write_model};
