//! A value of a JSON document with the way to it, and amounts read by a table of fields.

use serde_json::Value;

use super::super::source::Text;
use base::error::{Error, Result};
use model::Decimal;

/// A value with its place.
#[derive(Clone)]
pub(super) struct Item<'a> {
    pub(super) source: Text<'a>,
    pub(super) path: String,
    pub(super) value: &'a Value,
}

impl<'a> Item<'a> {
    pub(super) fn root(source: Text<'a>, value: &'a Value) -> Item<'a> {
        Item { source, path: String::new(), value }
    }

    /// What keys with dots between lead to, unless it is missing or null.
    pub(super) fn get(&self, path: &str) -> Option<Item<'a>> {
        let mut value = self.value;
        for key in path.split('.') {
            value = value.get(key)?;
        }
        let dot = if self.path.is_empty() { "" } else { "." };
        let path = format!("{}{dot}{path}", self.path);
        (!value.is_null()).then_some(Item { source: self.source, path, value })
    }

    /// The entries of a list; none where there is no list.
    ///
    /// # Errors
    /// Something else than a list.
    pub(super) fn list(&self, path: &str) -> Result<Vec<Item<'a>>> {
        self.get(path).map_or(Ok(Vec::new()), |list| list.entries())
    }

    /// The entries of this list.
    ///
    /// # Errors
    /// Something else than a list.
    pub(super) fn entries(&self) -> Result<Vec<Item<'a>>> {
        let list = self.value.as_array().ok_or_else(|| self.error("this is no list"))?;
        let at =
            |(k, value)| Item { source: self.source, path: format!("{}[{k}]", self.path), value };
        Ok(list.iter().enumerate().map(at).collect())
    }

    /// The fields of an object with their names, in the order of names.
    ///
    /// # Errors
    /// Something else than an object.
    pub(super) fn fields(&self, path: &str) -> Result<Vec<(&'a str, Item<'a>)>> {
        let Some(object) = self.get(path) else { return Ok(Vec::new()) };
        let map = object.value.as_object().ok_or_else(|| object.error("this is no object"))?;
        let mut list: Vec<_> = map.iter().collect();
        list.sort_by_key(|(key, _)| *key);
        let at = |(key, value): (&'a String, &'a Value)| {
            let path = format!("{}.{key}", object.path);
            (key.as_str(), Item { source: self.source, path, value })
        };
        Ok(list.into_iter().map(at).collect())
    }

    /// A text or a number as text; empty where it is missing.
    ///
    /// # Errors
    /// A list or an object.
    pub(super) fn text(&self, path: &str) -> Result<String> {
        let Some(item) = self.get(path) else { return Ok(String::new()) };
        match item.value {
            Value::String(text) => Ok(text.trim().to_owned()),
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(flag) => Ok(flag.to_string()),
            _ => Err(item.error("this is no text")),
        }
    }

    /// A whole number from 0 below 10^15; `None` where it is missing.
    ///
    /// # Errors
    /// Anything else.
    pub(super) fn whole(&self, path: &str) -> Result<Option<i64>> {
        let text = self.text(path)?;
        if text.is_empty() {
            return Ok(None);
        }
        let value = whole(&text);
        value
            .map(Some)
            .ok_or_else(|| self.wrong(path, format!("`{text}` is no whole number from 0")))
    }

    pub(super) fn error(&self, cause: impl Into<String>) -> Error {
        self.source.error(cause).at(&self.path)
    }

    /// The same about a field.
    pub(super) fn wrong(&self, key: &str, cause: impl Into<String>) -> Error {
        self.source.error(cause).at(format!("{}.{key}", self.path).trim_start_matches('.'))
    }

    /// The place for messages.
    pub(super) fn place(&self) -> String {
        format!("{}: {}", self.source.name, self.path)
    }
}

/// A whole number from 0 below 10^15, however it is written: `4`, `4.0`.
pub(super) fn whole(text: &str) -> Option<i64> {
    let text = text.trim();
    let text = text
        .split_once('.')
        .filter(|(_, part)| part.bytes().all(|b| b == b'0'))
        .map_or(text, |(text, _)| text);
    text.parse().ok().filter(|value| (0..1_000_000_000_000_000).contains(value))
}

/// What an amount is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// As it is.
    One,
    /// MB as most mean them: 2^20 bytes.
    Mib,
    /// 2^30 bytes.
    Gib,
    /// `16gb`, `263000000kb`: powers of 1024; words (`w`) have eight bytes.
    Size,
    /// Hundredths.
    Percent,
}

/// An amount in units of the resource: cores, cards, bytes.
pub(super) fn amount(text: &str, unit: Unit) -> Option<Decimal> {
    let text = text.trim();
    let times = |text: &str, times: i64| {
        Decimal::parse(text).ok()?.times(Decimal::from_integer(times).ok()?)
    };
    match unit {
        Unit::One => Decimal::parse(text).ok(),
        Unit::Mib => times(text, 1 << 20),
        Unit::Gib => times(text, 1 << 30),
        Unit::Percent => {
            let (whole, part) = text.split_once('.').unwrap_or((text, ""));
            let zero = part.bytes().all(|b| b == b'0');
            let value: i64 =
                whole.parse().ok().filter(|value| zero && (0..1_000_000_000).contains(value))?;
            Decimal::parse(&format!("{}m", value * 10)).ok()
        }
        Unit::Size => {
            let lower = text.to_ascii_lowercase();
            let end = lower.find(|c: char| !c.is_ascii_digit())?;
            let (number, suffix) = lower.split_at(end);
            let (scale, word) = match suffix.strip_suffix('w') {
                Some(scale) => (scale, 8),
                None => (suffix.strip_suffix('b').unwrap_or(suffix), 1),
            };
            let power = ["", "k", "m", "g", "t", "p"].iter().position(|own| *own == scale)?;
            let bytes =
                number.parse::<i64>().ok()?.checked_mul(word)?.checked_mul(1 << (10 * power))?;
            Decimal::from_integer(bytes).ok()
        }
    }
}
