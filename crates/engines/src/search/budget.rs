//! When to stop: a number of work units, the clock, or somebody asking.

use std::time::Instant;

use base::stop::Stop;

/// A limit and what is used of it. One work unit is one move evaluated, one sum made or looked
/// up in a closing, one step of an enumeration, or some sixteen cells of a table: each takes some
/// 10 to 60 nanoseconds.
#[derive(Clone, Copy)]
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

    /// A budget of its own for a part of the work: at most `work` units, the same clock.
    pub fn share(&self, work: u64) -> Budget<'a> {
        Budget { limit: work.min(self.left()), work: 0, ..*self }
    }

    pub fn left(&self) -> u64 {
        self.limit.saturating_sub(self.work)
    }

    pub fn over(&self) -> bool {
        self.work >= self.limit || self.stop.reached()
    }
}
