//! When to stop: a deadline on the clock, or somebody asking.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Shared by everything that works on one answer; clones stop together.
#[derive(Clone, Debug)]
pub struct Stop {
    deadline: Instant,
    asked: Arc<AtomicBool>,
}

impl Stop {
    /// Stops once `limit` has passed from now.
    pub fn after(limit: Duration) -> Stop {
        // A limit of centuries is no limit; the clock cannot count that far.
        let limit = limit.min(Duration::from_secs(100 * 366 * 86_400));
        Stop { deadline: Instant::now() + limit, asked: Arc::default() }
    }

    /// Stops everything that shares this.
    pub fn ask(&self) {
        self.asked.store(true, Ordering::Relaxed);
    }

    /// True once it is time.
    pub fn reached(&self) -> bool {
        self.asked.load(Ordering::Relaxed) || Instant::now() >= self.deadline
    }

    /// Time left, zero once it is time.
    pub fn remaining(&self) -> Duration {
        if self.asked.load(Ordering::Relaxed) {
            return Duration::ZERO;
        }
        self.deadline.saturating_duration_since(Instant::now())
    }
}
