//! Finds plans: lower bounds by counting ([`bounds`]), greedy rules ([`policy`]), searches for
//! plans without times ([`search`]) and plans in time ([`schedule`]).

pub mod bounds;
pub mod policy;
pub mod schedule;
pub mod search;
