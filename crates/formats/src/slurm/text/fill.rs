//! Fields of a text put where the JSON has them.

use serde_json::json;

use super::super::fields::{PLACE, Warnings};
use super::rows::{Row, To, row};
use super::values::{Entry, date, minutes, most, number, put, unset};
use model::Direction;

/// An entry in the making.
pub(super) struct Filler<'a> {
    file: &'a str,
    pub(super) place: String,
    pub(super) entry: Entry,
    pub(super) told: &'a mut Warnings,
    /// Keys have no case: people write them.
    pub(super) loose: bool,
}

impl<'a> Filler<'a> {
    pub(super) fn new(file: &'a str, place: String, told: &'a mut Warnings) -> Filler<'a> {
        let mut entry = Entry::new();
        entry.insert(PLACE.to_owned(), json!(place));
        Filler { file, place, entry, told, loose: false }
    }

    /// Notes what is not planned with as it is meant.
    pub(super) fn assume(&mut self, errs: Direction, key: &str, cause: impl Into<String>) {
        self.told.assume(errs, format!("{}: {}: {key}", self.file, self.place), cause);
    }

    /// Puts a field where its row says. Of several with the same key the first that is set counts.
    pub(super) fn field(&mut self, rows: &[Row], key: &str, text: &str) {
        let value = match row(rows, key, self.loose) {
            None => {
                if !unset(text) {
                    let cause = format!("the field `{key}` is not known: left out");
                    self.assume(Direction::Either, key, cause);
                }
                return;
            }
            Some(To::Own | To::Nothing) => return,
            Some(To::Lost(nothing, errs, cause)) => {
                let none = |word: &&str| word.eq_ignore_ascii_case(text.trim());
                if !unset(text) && !nothing.iter().any(none) {
                    self.assume(errs, key, cause);
                }
                return;
            }
            Some(_) if unset(text) => return,
            Some(To::Text(to)) => (to, json!(text.trim())),
            Some(To::Count(to)) => (to, number(text)),
            Some(To::Most(to)) => (to, most(text)),
            Some(To::Minutes(to)) => (to, minutes(text)),
            Some(To::Date(to)) => match date(text) {
                Some(date) => (to, date),
                None => {
                    let cause = "a time that is not written as 2026-01-05T08:00:00 is left out: unset SLURM_TIME_FORMAT";
                    self.assume(Direction::Either, key, cause);
                    return;
                }
            },
        };
        self.put(value.0, value.1);
    }

    /// Puts a value, unless there is one.
    pub(super) fn put(&mut self, path: &str, value: serde_json::Value) {
        let mut parts = path.split('.');
        let first = parts.next().and_then(|first| self.entry.get(first));
        let known = parts.fold(first, |at, key| at.and_then(|at| at.get(key)));
        let known = known.is_some_and(|known| !known.is_null());
        if !known {
            put(&mut self.entry, path, value);
        }
    }
}
