//! Times as they are read, in seconds after the start of the plan.

use super::draft::{DraftError, DraftItem, error};
use super::{Draft, When};

/// Times are below this many seconds: 10,000 years.
pub(super) const LATEST: i64 = 10_000 * 366 * 86_400;

/// Turns what was read into seconds after the start.
pub(super) struct Resolve {
    pub(super) start: Option<i64>,
}

impl Resolve {
    pub(super) fn of(draft: &Draft) -> Resolve {
        Resolve { start: draft.start }
    }

    pub(super) fn at(&self, when: When, item: DraftItem, field: &str) -> Result<i64, DraftError> {
        let seconds = match (when, self.start) {
            (When::In(seconds), _) => seconds,
            (When::On(date), Some(start)) => date.saturating_sub(start),
            (When::On(_), None) => {
                let cause = "a date, and nothing says when the plan starts".to_owned();
                let remedy = "give --start-date, or the instance's `start`, or a time from the start such as 2h";
                return Err(error(item, field, cause, remedy));
            }
        };
        if seconds < 0
            && matches!(when, When::On(_))
            && matches!(field, "release" | "available_at" | "ending" | "later")
        {
            return Ok(0); // what was to happen before the start has happened
        }
        if !(0..LATEST).contains(&seconds) {
            let cause = if seconds < 0 {
                "a time before the start of the plan"
            } else {
                "a time more than 10,000 years after the start of the plan"
            };
            return Err(error(
                item,
                field,
                cause.to_owned(),
                "give a later start, or another time",
            ));
        }
        Ok(seconds)
    }
}
