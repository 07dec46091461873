//! Times as files have them: seconds from the start of the plan, durations such as `2h`, or
//! dates; what comes after what; windows in which a node is closed.

use std::borrow::Cow;
use std::fmt;

use jiff::civil::DateTime;
use jiff::{Timestamp, tz::TimeZone};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use super::values::{Id, Seconds};
use model::{AfterDraft, Instance, NodeId, Scale, TaskId, When, parse_duration};

/// Between the ends of a window in a table.
const UNTIL: &str = "..";

/// Reads a date with or without a time of day, such as `2026-01-05`, `2026-01-05T08:00` or
/// `2026-01-05T08:00:00+01:00`, into seconds since 1970; without an offset it is UTC.
///
/// # Errors
/// What is no date, or has parts of a second.
pub fn parse_date(text: &str) -> Result<i64, String> {
    let text = text.trim();
    let local = || {
        let date: DateTime = text.parse().ok()?;
        date.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    };
    let stamp = text.parse::<Timestamp>().ok().or_else(local).ok_or_else(|| {
        format!("`{text}` is no date: write such as 2026-01-05, 2026-01-05T08:00 or 2026-01-05T08:00:00Z")
    })?;
    match stamp.subsec_nanosecond() {
        0 => Ok(stamp.as_second()),
        _ => Err(format!("`{text}` is not a whole second")),
    }
}

/// Seconds since 1970 as a date, such as `2026-01-05T08:00:00Z`.
pub fn show_date(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |date| date.to_string())
}

/// Whether so many seconds since 1970 are a date that can be written.
pub(super) fn is_date(seconds: &i64) -> bool {
    Timestamp::from_second(*seconds).is_ok()
}

/// A time: `90`, `2h`, or a date.
pub(super) fn when(text: &str) -> Result<When, String> {
    let digits = text.trim().bytes().take_while(u8::is_ascii_digit).count();
    match (text.trim().as_bytes().get(digits), text.trim().parse()) {
        // As far away as a date may be, which is written so.
        (None, Ok(seconds)) if digits > 0 => Ok(When::In(seconds)),
        (Some(b'-'), _) if digits > 0 => parse_date(text).map(When::On),
        _ => parse_duration(text).map(When::In).map_err(|_| {
            format!(
                "`{text}` is no time: write seconds from the start (90), a number with s, m, h or d (30m, 1.5h), \
                 or a date (2026-01-05T08:00)"
            )
        }),
    }
}

/// `t1`, or `t1+10m` with what has to pass between.
pub(super) fn after(text: &str) -> Result<AfterDraft, String> {
    let with_lag = text.rsplit_once('+').filter(|(task, _)| !task.trim().is_empty());
    Ok(match with_lag.map(|(task, lag)| (task, parse_duration(lag))) {
        Some((task, Ok(lag))) => AfterDraft { task: task.trim().to_owned(), lag },
        _ => AfterDraft { task: text.trim().to_owned(), lag: 0 },
    })
}

/// What [`after`] reads.
pub(super) fn show_after(task: &str, lag: i64) -> String {
    match (lag, task.rsplit_once('+')) {
        (0, Some((_, end))) if parse_duration(end).is_ok() => format!("{task}+0"),
        (0, _) => task.to_owned(),
        (lag, _) => format!("{task}+{lag}"),
    }
}

/// `8h..10h`
pub(super) fn window(text: &str) -> Result<(When, When), String> {
    let (from, to) = text.split_once(UNTIL).ok_or_else(|| {
        format!("`{text}` is no window: write its start and its end, as in 8h..10h")
    })?;
    Ok((when(from)?, when(to)?))
}

/// What [`window`] reads.
pub(super) fn show_window((from, to): (i64, i64)) -> String {
    format!("{from}{UNTIL}{to}")
}

/// When the node becomes available, unless that is at the start.
pub(super) fn available_at(instance: &Instance, node: NodeId) -> Option<i64> {
    instance.closed(node).first().filter(|(from, _)| *from == 0).map(|(_, to)| *to)
}

/// The node's other windows.
pub(super) fn windows(instance: &Instance, node: NodeId) -> &[(i64, i64)] {
    let all = instance.closed(node);
    &all[usize::from(available_at(instance, node).is_some())..]
}

/// The node's speed as written, `None` for 1.
pub(super) fn speed(instance: &Instance, node: NodeId) -> Option<String> {
    let (num, den) = instance.speed(node);
    ((num, den) != (1, 1)).then(|| Scale { num, den }.show(1))
}

/// The jobs that the task comes after, by their ids.
pub(super) fn predecessors(instance: &Instance, task: TaskId) -> Vec<(&str, i64)> {
    let all = instance.after(task).iter().map(|(other, lag)| (instance.job(*other), *lag));
    let mut jobs: Vec<(TaskId, i64)> = all.collect();
    jobs.dedup();
    jobs.into_iter().map(|(job, lag)| (instance.job_name(job), lag)).collect()
}

/// A time: seconds from the start of the plan, a string such as `30m`, or a date.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct WhenText(pub(super) When);

/// A date, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct DateText(pub(super) i64);

/// A task that has to end first: its id, or with the time that has to pass between.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct AfterFile {
    pub(super) task: Id,
    pub(super) lag: Seconds,
}

/// The same as an object.
#[derive(serde::Deserialize, serde::Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "After")]
struct AfterFields {
    /// Id of the task that has to end first; a gang's means all of its units.
    task: Id,
    /// What has to pass between its end and this task's start; 0 when absent.
    #[serde(default)]
    lag: Option<Seconds>,
}

/// A time in which nothing runs on a node.
#[derive(Clone, Copy, Debug, serde::Deserialize, serde::Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Window")]
pub(super) struct WindowFile {
    /// From when on.
    pub(super) from: WhenText,
    /// When it is open again.
    pub(super) to: WhenText,
}

impl WhenText {
    pub(super) fn after_start(seconds: i64) -> WhenText {
        WhenText(When::In(seconds))
    }
}

impl<'de> Deserialize<'de> for WhenText {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = WhenText;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a time: seconds, a string such as \"30m\", or a date")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<WhenText, E> {
                when(text).map(WhenText).map_err(E::custom)
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<WhenText, E> {
                self.visit_str(&value.to_string())
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<WhenText, E> {
                self.visit_str(&value.to_string())
            }
            fn visit_f64<E: Error>(self, value: f64) -> Result<WhenText, E> {
                self.visit_str(&value.to_string())
            }
        }
        from.deserialize_any(Text)
    }
}

impl Serialize for WhenText {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            When::In(seconds) => to.serialize_i64(seconds),
            When::On(date) => to.serialize_str(&show_date(date)),
        }
    }
}

impl<'de> Deserialize<'de> for DateText {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        parse_date(&text).map(DateText).map_err(D::Error::custom)
    }
}

impl Serialize for DateText {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&show_date(self.0))
    }
}

impl<'de> Deserialize<'de> for AfterFile {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = AfterFile;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("the id of a task, or {\"task\": \"t1\", \"lag\": \"10m\"}")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<AfterFile, E> {
                Ok(AfterFile { task: Id(text.to_owned()), lag: Seconds(0) })
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<AfterFile, E> {
                self.visit_str(&value.to_string())
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<AfterFile, A::Error> {
                let fields = AfterFields::deserialize(MapAccessDeserializer::new(map))?;
                Ok(AfterFile { task: fields.task, lag: fields.lag.unwrap_or(Seconds(0)) })
            }
        }
        from.deserialize_any(Any)
    }
}

impl Serialize for AfterFile {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.lag {
            Seconds(0) => self.task.serialize(to),
            lag => AfterFields { task: self.task.clone(), lag: Some(lag) }.serialize(to),
        }
    }
}

impl JsonSchema for WhenText {
    fn schema_name() -> Cow<'static, str> {
        "When".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "Seconds from the start of the plan, a string such as 30m or 1.5h, or \
            a date such as 2026-01-05T08:00.", "type": ["number", "string"], "minimum": 0 })
    }
}

impl JsonSchema for DateText {
    fn schema_name() -> Cow<'static, str> {
        "Date".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "A date such as 2026-01-05T08:00; UTC unless an offset says otherwise.",
            "type": "string" })
    }
}

impl JsonSchema for AfterFile {
    fn schema_name() -> Cow<'static, str> {
        "Predecessor".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let fields = generator.subschema_for::<AfterFields>();
        json_schema!({ "anyOf": [{ "type": ["string", "integer"] }, fields] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_may_be_as_far_away_as_dates() {
        assert_eq!(when("15300003600"), Ok(When::In(15_300_003_600)));
        assert_eq!(when(" 90 "), Ok(When::In(90)));
        assert!(when("99999999999999999999").is_err());
    }

    #[test]
    fn dates_are_read_with_and_without_offsets() {
        assert_eq!(parse_date("1970-01-02"), Ok(86_400));
        assert_eq!(parse_date("1970-01-01T01:30"), Ok(5_400));
        assert_eq!(parse_date("1970-01-01T01:30:05Z"), Ok(5_405));
        assert_eq!(parse_date("1970-01-01T01:30:00+01:00"), Ok(1_800));
        assert_eq!(parse_date("2024-02-29 12:00"), Ok(1_709_208_000));
        assert_eq!(show_date(5_405), "1970-01-01T01:30:05Z");
        for text in ["", "soon", "2026-13-01", "2026-02-29", "1970-01-01T00:00:00.5"] {
            assert!(parse_date(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_are_durations_or_dates() {
        assert_eq!(when("90"), Ok(When::In(90)));
        assert_eq!(when("1.5h"), Ok(When::In(5_400)));
        assert_eq!(when("1970-01-02"), Ok(When::On(86_400)));
        assert!(when("-5").is_err() && when("noon").is_err() && when("2026-1").is_err());
        assert_eq!(window("8h..1970-01-02T00:00"), Ok((When::In(28_800), When::On(86_400))));
        assert!(window("8h-9h").is_err());
    }

    #[test]
    fn lags_stand_behind_a_plus() {
        for (task, lag) in [("a", 0), ("a", 600), ("a+b", 0), ("a+5", 0), ("a+5", 7), ("+", 3)] {
            let text = show_after(task, lag);
            assert_eq!(after(&text), Ok(AfterDraft { task: task.to_owned(), lag }), "{text}");
        }
    }
}
