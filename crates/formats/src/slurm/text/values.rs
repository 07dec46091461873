//! How Slurm's texts write numbers, times and sets, as its JSON has them.

use serde_json::{Map, Value, json};

use super::super::super::time_file::parse_date;
use super::super::words::hosts;

/// What an entry of Slurm's JSON is made of.
pub(super) type Entry = Map<String, Value>;

/// True where a text says that nothing is set.
pub(super) fn unset(text: &str) -> bool {
    matches!(
        text.trim(),
        "" | "(null)" | "N/A" | "n/a" | "n/s" | "None" | "none" | "NONE" | "Unknown" | "*" | "null"
    )
}

/// A whole number. What is none stays as it is written, and is refused where it is used.
pub(super) fn number(text: &str) -> Value {
    let text = text.trim();
    match text.parse::<u64>() {
        Ok(number) => json!(number),
        Err(_) if unset(text) => Value::Null,
        Err(_) => json!(text),
    }
}

/// A number without limit, as Slurm's JSON has it.
pub(super) fn endless() -> Value {
    json!({"set": true, "infinite": true, "number": 0})
}

/// A date in seconds since 1970, `None` where it is written in another way.
pub(super) fn date(text: &str) -> Option<Value> {
    match text.trim() {
        text if unset(text) => Some(Value::Null),
        text => parse_date(text).ok().map(|seconds| json!(seconds.max(0))),
    }
}

/// `1-00:00:00`, `02:00:00`, `30:00`, `45`, in seconds; one number alone is so many minutes, as are
/// the first two of a `dd-hh` or `dd-hh:mm`.
pub(in super::super::super) fn seconds(text: &str) -> Option<u64> {
    let number = |text: &str| match text.bytes().all(|b| b.is_ascii_digit()) {
        true if !text.is_empty() && text.len() < 10 => text.parse::<u64>().ok(),
        _ => None,
    };
    let (days, rest) = match text.trim().split_once('-') {
        Some((days, rest)) => (Some(number(days)?), rest),
        None => (None, text.trim()),
    };
    let parts: Vec<u64> = rest.split(':').map(number).collect::<Option<_>>()?;
    let (hours, minutes, seconds) = match (days.is_some(), &parts[..]) {
        (_, [hours, minutes, seconds]) => (*hours, *minutes, *seconds),
        (true, [hours]) => (*hours, 0, 0),
        (true, [hours, minutes]) => (*hours, *minutes, 0),
        (false, [minutes]) => (0, *minutes, 0),
        (false, [minutes, seconds]) => (0, *minutes, *seconds),
        _ => return None,
    };
    Some(days.unwrap_or(0) * 86_400 + hours * 3_600 + minutes * 60 + seconds)
}

/// A time limit in minutes, as the JSON has it: rounded up.
pub(super) fn minutes(text: &str) -> Value {
    let text = text.trim();
    match text.to_ascii_lowercase().as_str() {
        "unlimited" | "infinite" => endless(),
        "partition_limit" | "not_set" => Value::Null,
        _ if unset(text) => Value::Null,
        _ => seconds(text).map_or_else(|| json!(text), |seconds| json!(seconds.div_ceil(60))),
    }
}

/// A number of which `UNLIMITED` is one.
pub(super) fn most(text: &str) -> Value {
    match text.trim().to_ascii_lowercase().as_str() {
        "unlimited" | "infinite" | "-1" => endless(),
        _ => number(text),
    }
}

/// What `OverSubscribe` is in JSON: 0 gives whole nodes, more than 1 lets jobs share.
pub(super) fn shares(text: &str) -> Value {
    let (word, count) = text.split_once(':').unwrap_or((text, "4"));
    let count = count.parse::<u64>().unwrap_or(4).clamp(1, 0x7fff);
    match word.to_ascii_uppercase().as_str() {
        "EXCLUSIVE" => json!(0),
        "YES" | "FORCE" => json!(count),
        _ => json!(1),
    }
}

/// Names between commas; `ALL` is everybody.
pub(super) fn everybody(text: &str) -> bool {
    unset(text) || text.trim().eq_ignore_ascii_case("all")
}

/// Sets a value of an object within: `put(entry, "maximums.nodes", ...)`.
pub(super) fn put(entry: &mut Entry, path: &str, value: Value) {
    let Some((first, rest)) = path.split_once('.') else {
        entry.insert(path.to_owned(), value);
        return;
    };
    let inner = entry.entry(first.to_owned()).or_insert_with(|| json!({}));
    if let Value::Object(inner) = inner {
        put(inner, rest, value);
    }
}

/// The names of a list of hosts; none where it is broken, which is said where it is read.
pub(super) fn names(text: &str) -> Vec<String> {
    if unset(text) { Vec::new() } else { hosts(text).unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (text, seconds_of) in [
            ("1-02:03:04", Some(93_784)),
            ("02:00:00", Some(7_200)),
            ("30:00", Some(1_800)),
            ("45", Some(2_700)),
            ("2-12", Some(216_000)),
            ("2-12:30", Some(217_800)),
            ("", None),
            ("1:2:3:4", None),
            ("-1", None),
            ("99999999999", None),
        ] {
            assert_eq!(seconds(text), seconds_of, "{text}");
        }
        assert_eq!(minutes("00:00:30"), json!(1));
        assert_eq!(minutes("UNLIMITED")["infinite"], json!(true));
        assert_eq!(minutes("Partition_Limit"), Value::Null);
        assert_eq!(date("1970-01-02T00:00:00"), Some(json!(86_400)));
        assert_eq!(date("Tomorr 10:00"), None);
    }
}
