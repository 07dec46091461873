//! Fields of Slurm's JSON, plain as version 21.08 writes them or wrapped as later ones do.

use std::fmt::Display;

use rustc_hash::FxHashMap;
use serde_json::Value;

use super::text::name_of;

use base::error::{Error, Result};
use model::{Assumption, Direction, Draft};

/// The key under which an entry that was read from a text has its place there.
pub(super) const PLACE: &str = "@place";

/// A value in a document, with the way to it.
#[derive(Clone)]
pub(super) struct At<'a> {
    file: &'a str,
    path: String,
    value: &'a Value,
}

impl<'a> At<'a> {
    pub(super) fn root(file: &'a str, value: &'a Value) -> At<'a> {
        At { file, path: String::new(), value }
    }

    /// The field, unless it is missing or null.
    pub(super) fn get(&self, key: &str) -> Option<At<'a>> {
        let value = self.value.get(key).filter(|value| !value.is_null())?;
        let path = if self.path.is_empty() { key.to_owned() } else { self.way_to(key) };
        Some(At { file: self.file, path, value })
    }

    /// What stands at the end of a way through objects.
    pub(super) fn way(&self, keys: &[&str]) -> Option<At<'a>> {
        keys.iter().try_fold(self.clone(), |at, key| at.get(key))
    }

    /// The entries of a list; a map's values where an older form numbers them.
    pub(super) fn entries(&self) -> Result<Vec<At<'a>>> {
        let at = |place: &dyn Display, value| {
            let path = match Value::get(value, PLACE).and_then(Value::as_str) {
                Some(place) => place.to_owned(),
                None => format!("{}[{place}]", self.path),
            };
            At { file: self.file, path, value }
        };
        match self.value {
            Value::Array(list) => {
                Ok(list.iter().enumerate().map(|(k, value)| at(&k, value)).collect())
            }
            Value::Object(map) => {
                let mut list: Vec<_> = map.iter().collect();
                list.sort_by_key(|(key, _)| key.parse::<usize>().unwrap_or(usize::MAX));
                Ok(list.into_iter().map(|(key, value)| at(key, value)).collect())
            }
            _ => Err(self.error("this is no list")),
        }
    }

    /// A list of objects under a key; empty when it is not there.
    pub(super) fn list(&self, key: &str) -> Result<Vec<At<'a>>> {
        self.get(key).map_or(Ok(Vec::new()), |list| list.entries())
    }

    /// A whole number from 0; `None` where it is not set or has no limit.
    pub(super) fn number(&self, key: &str) -> Result<Option<i64>> {
        let Some(at) = self.get(key) else { return Ok(None) };
        let value = match at.value {
            Value::Object(wrapped) => {
                let is = |key: &str| wrapped.get(key) == Some(&Value::Bool(true));
                match wrapped.get("number") {
                    None => return Err(at.error("this is no number")),
                    Some(_) if !is("set") || is("infinite") => return Ok(None),
                    Some(number) => number,
                }
            }
            Value::String(text) if text.is_empty() => return Ok(None),
            other => other,
        };
        let found = match value {
            Value::Number(number) => match (number.as_u64(), number.as_f64()) {
                (Some(number), _) => Some(number),
                (None, Some(number)) if number >= 0.0 && number.fract() == 0.0 && number < 1e15 => {
                    Some(number as u64)
                }
                _ => None,
            },
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let found =
            found.ok_or_else(|| at.error(format!("`{value}` is no whole number from 0")))?;
        // How Slurm says "not set" and "without limit" in 32 and in 64 bits.
        let unset = [u32::MAX.into(), (u32::MAX - 1).into(), u64::MAX, u64::MAX - 1];
        if unset.contains(&found) {
            return Ok(None);
        }
        let small = i64::try_from(found).ok().filter(|number| *number < 1_000_000_000_000_000);
        small.map(Some).ok_or_else(|| at.error(format!("{found} is out of range")))
    }

    /// True for a number that is said to have no limit.
    pub(super) fn endless(&self, key: &str) -> bool {
        self.get(key).is_some_and(|at| match at.value {
            Value::Object(wrapped) => wrapped.get("infinite") == Some(&Value::Bool(true)),
            Value::Number(number) => {
                [u32::MAX.into(), u64::MAX].into_iter().any(|all| number.as_u64() == Some(all))
            }
            _ => false,
        })
    }

    /// A text; numbers are taken as one, what is missing is empty.
    pub(super) fn text(&self, key: &str) -> Result<String> {
        let Some(at) = self.get(key) else { return Ok(String::new()) };
        match at.value {
            Value::String(text) => Ok(text.trim().to_owned()),
            Value::Number(number) => Ok(number.to_string()),
            _ => Err(at.error("this is no text")),
        }
    }

    /// The text that it is itself.
    pub(super) fn own(&self) -> Result<String> {
        let text = self.value.as_str().map(|text| text.trim().to_owned());
        text.ok_or_else(|| self.error("this is no text"))
    }

    /// A list of words, or one text with commas between them.
    pub(super) fn words(&self, key: &str) -> Result<Vec<String>> {
        let Some(at) = self.get(key) else { return Ok(Vec::new()) };
        let list: Vec<String> = match at.value {
            Value::String(text) => text.split(',').map(|word| word.trim().to_owned()).collect(),
            Value::Array(list) => {
                let word = |value: &Value| value.as_str().map(|word| word.trim().to_owned());
                let words: Option<Vec<String>> = list.iter().map(word).collect();
                words.ok_or_else(|| at.error("this is no list of texts"))?
            }
            Value::Bool(flag) => vec![flag.to_string()],
            _ => return Err(at.error("this is no list of texts")),
        };
        Ok(list.into_iter().filter(|word| !word.is_empty()).collect())
    }

    /// True when it says so.
    pub(super) fn flag(&self, key: &str) -> bool {
        self.get(key).is_some_and(|at| at.value == &Value::Bool(true))
    }

    /// True for this text.
    pub(super) fn is_text(&self, text: &str) -> bool {
        self.value.as_str() == Some(text)
    }

    pub(super) fn is_object(&self) -> bool {
        self.value.is_object()
    }

    /// The way to a field, for messages.
    pub(super) fn path_of(&self, key: &str) -> String {
        format!("{}: {}", self.file, self.path_to(key))
    }

    /// The same without the file. Fields of a text go by the names that they have there.
    fn path_to(&self, key: &str) -> String {
        named(&self.way_to(key))
    }

    /// The way to a field by its own name.
    fn way_to(&self, key: &str) -> String {
        let between = if self.value.get(PLACE).is_some() { ": " } else { "." };
        format!("{}{between}{key}", self.path)
    }

    pub(super) fn error(&self, cause: impl Into<String>) -> Error {
        Error::input(self.file, cause).at(named(&self.path))
    }

    /// The same about a field.
    pub(super) fn wrong(&self, key: &str, cause: impl Into<String>) -> Error {
        Error::input(self.file, cause).at(self.path_to(key))
    }
}

/// A way with its last field called as in the text that it is read from, if it is read from one.
fn named(path: &str) -> String {
    match path.rsplit_once(": ").filter(|_| path.starts_with("line ")) {
        Some((place, key)) => format!("{place}: {}", name_of(place, key)),
        None => path.to_owned(),
    }
}

/// What is worth knowing: a line for each kind, however often it comes.
#[derive(Default)]
pub(super) struct Warnings {
    list: Vec<Said>,
    at: FxHashMap<String, usize>,
}

/// One kind of thing, with its first place.
struct Said {
    place: String,
    what: String,
    more: usize,
    /// Which way the reading errs; `None` where it is right.
    direction: Option<Direction>,
}

impl Warnings {
    /// Notes what is worth knowing and read as it is meant.
    pub(super) fn add(&mut self, place: String, what: impl Into<String>) {
        self.say(None, place, what.into());
    }

    /// Notes what is not planned with as it is meant.
    pub(super) fn assume(&mut self, errs: Direction, place: String, what: impl Into<String>) {
        self.say(Some(errs), place, what.into());
    }

    /// The first that was said.
    pub(super) fn first(&self) -> Option<&str> {
        self.list.first().map(|said| said.place.as_str())
    }

    fn say(&mut self, direction: Option<Direction>, place: String, what: String) {
        let next = self.list.len();
        let k = *self.at.entry(what.clone()).or_insert(next);
        if k == next {
            self.list.push(Said { place, what, more: 0, direction });
        } else {
            self.list[k].more += 1;
        }
    }

    /// Hands all of it to the draft.
    pub(super) fn tell(self, draft: &mut Draft) {
        for Said { place, what, more, direction } in self.list {
            if let Some(direction) = direction {
                let (object, field, count) = (place, String::new(), more + 1);
                let one = Assumption { object, field, count, direction, note: what };
                draft.assumptions.push(one);
                continue;
            }
            draft.warnings.push(match more {
                0 => format!("{place}: {what}"),
                more => format!("{place}, and {more} more: {what}"),
            });
        }
    }
}
