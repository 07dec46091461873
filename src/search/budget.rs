//! When to stop: a number of work units, the clock, or somebody asking.

use std::time::Instant;

use crate::stop::Stop;

/// A limit and what is used of it. One work unit is one move evaluated, or one sum made or looked
/// up in a closing: either takes some 20 to 60 nanoseconds.
pub struct Budget<'a> {
    stop: &'a Stop,
    limit: u64,
    pub work: u64,
}

impl<'a> Budget<'a> {
    pub fn new(stop: &'a Stop, limit: u64) -> Self {
        Budget { stop, limit, work: 0 }
    }

    /// The moment the time is up.
    pub fn until(&self) -> Instant {
        self.stop.deadline()
    }

    pub fn left(&self) -> u64 {
        self.limit.saturating_sub(self.work)
    }

    pub fn over(&self) -> bool {
        self.work >= self.limit || self.stop.reached()
    }
}
