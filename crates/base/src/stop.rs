//! When to stop: a deadline on the clock, or somebody asking.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Shared by everything that works on one answer; clones stop together.
#[derive(Clone, Debug)]
pub struct Stop {
    deadline: Instant,
    asked: Arc<AtomicBool>,
    /// Stops this too.
    parent: Option<Arc<Stop>>,
}

impl Stop {
    /// Stops once `limit` has passed from now.
    pub fn after(limit: Duration) -> Stop {
        // A limit of centuries is no limit; the clock cannot count that far.
        let limit = limit.min(Duration::from_secs(100 * 366 * 86_400));
        Stop { deadline: Instant::now() + limit, asked: Arc::default(), parent: None }
    }

    /// Stops only when asked to.
    pub fn never() -> Stop {
        Stop::after(Duration::MAX)
    }

    /// A part of this: stops after `limit` or with this, and can be asked to stop by
    /// itself.
    pub fn part(&self, limit: Duration) -> Stop {
        let own = Stop::after(limit);
        let deadline = own.deadline.min(self.deadline);
        Stop { deadline, parent: Some(Arc::new(self.clone())), ..own }
    }

    /// A part of this that leaves `each` for so many things that come after it; half of the time
    /// is always its own.
    pub fn before(&self, each: Duration, many: usize) -> Stop {
        let left = self.remaining();
        let many = u32::try_from(many).unwrap_or(u32::MAX);
        self.part(left - each.saturating_mul(many).min(left / 2))
    }

    /// Stops everything that shares this.
    pub fn ask(&self) {
        self.asked.store(true, Ordering::Relaxed);
    }

    /// True once it is time.
    pub fn reached(&self) -> bool {
        self.was_asked() || Instant::now() >= self.deadline
    }

    fn was_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
            || self.parent.as_ref().is_some_and(|parent| parent.was_asked())
    }

    /// When the time is up, whoever asks.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Time left, zero once it is time.
    pub fn remaining(&self) -> Duration {
        if self.was_asked() {
            return Duration::ZERO;
        }
        self.deadline.saturating_duration_since(Instant::now())
    }
}
