//! What `-v` says of time: how long reading, answering and writing took.

use std::cell::Cell;
use std::time::Instant;

use super::output::say;

/// Laps of one command.
pub(super) struct Clock {
    told: bool,
    began: Cell<Instant>,
}

impl Clock {
    /// Begins now, and says each lap where `told`.
    pub(super) fn new(told: bool) -> Clock {
        Clock { told, began: Cell::new(Instant::now()) }
    }

    /// Ends a lap: "read in 0.52 s".
    pub(super) fn lap(&self, what: &str) {
        let took = self.began.replace(Instant::now()).elapsed();
        if self.told {
            say(&format!("{what} in {:.2} s", took.as_secs_f64()));
        }
    }
}
