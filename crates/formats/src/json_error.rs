//! What serde_json says, in words for people: the line, the cause, the remedy.

use serde::Deserializer as _;
use serde::de::{DeserializeOwned, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::error::Category;

use super::source::Text;
use base::error::{Error, Result};
use base::nearest;

/// Reads a document.
///
/// # Errors
/// Anything wrong, with line, column, the path of the field, cause and remedy.
pub(super) fn parse<T: DeserializeOwned>(source: Text) -> Result<T> {
    serde_json::from_str(source.text).map_err(|error| {
        let mut located = locate(source, &error);
        if !error.is_data() {
            return located; // broken JSON has no fields
        }
        // Keeping track of the path costs time, so only failures pay for it.
        let mut again = serde_json::Deserializer::from_str(source.text);
        if let Err(error) = serde_path_to_error::deserialize::<_, T>(&mut again) {
            let path = error.path().to_string();
            if path != "." && !located.place.is_empty() {
                located.place = format!("{}, {path}", located.place);
            }
        }
        located
    })
}

/// The failure with its place in the file, its cause and, where one is known, a remedy.
pub(super) fn locate(source: Text, error: &serde_json::Error) -> Error {
    let full = error.to_string();
    let (line, column) = (error.line(), error.column());
    let message = full.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&full);
    let (cause, remedy) = match error.classify() {
        Category::Eof => (
            format!("the JSON ends too early ({message})"),
            "is the file complete? every { and [ needs its } and ]".to_owned(),
        ),
        Category::Data => data(message),
        Category::Syntax | Category::Io => syntax(message, &around(source.text, line, column)),
    };
    let located = source.error(cause).help(remedy);
    if line == 0 { located } else { located.at(format!("line {line} column {column}")) }
}

fn syntax(message: &str, around: &str) -> (String, String) {
    let infinite = ["NaN", "Infinity", "inf"].into_iter().find(|word| around.contains(word));
    if let Some(word) = infinite {
        return (format!("{word} is not a number that JSON has"), "write a finite number".into());
    }
    if message.starts_with("number out of range") {
        let remedy = "quantities have at most 18 digits: use a larger unit";
        return ("the number is out of range".to_owned(), remedy.to_owned());
    }
    let remedy = match message {
        "trailing characters" => "the JSON ends before this place: remove what follows it",
        "trailing comma" => "remove the comma before } or ]",
        "key must be a string" => "write keys in double quotes",
        "recursion limit exceeded" => "an instance needs no more than five levels",
        _ => "",
    };
    (format!("not valid JSON: {message}"), remedy.to_owned())
}

/// A few characters on both sides of a place.
fn around(text: &str, line: usize, column: usize) -> String {
    let line = text.split('\n').nth(line.saturating_sub(1)).unwrap_or("").as_bytes();
    let few = line.iter().skip(column.saturating_sub(2)).take(10);
    few.map(|byte| char::from(*byte)).collect()
}

/// Well-formed JSON that is not what was expected.
fn data(message: &str) -> (String, String) {
    for kind in ["field", "variant"] {
        if message.starts_with(&format!("unknown {kind} `")) {
            let mut quoted = message.split('`').skip(1).step_by(2);
            let word = quoted.next().unwrap_or("");
            let known: Vec<&str> = quoted.collect();
            let noun = if kind == "field" { "field" } else { "value" };
            let remedy = match nearest(word, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if known.is_empty() => String::new(),
                None => format!("known here: {}", known.join(", ")),
            };
            return (format!("unknown {noun} `{word}`"), remedy);
        }
    }
    // serde's words for JSON's lists and objects.
    let plain = message
        .replace("invalid type: map", "invalid type: object")
        .replace("invalid type: sequence", "invalid type: list")
        .replace("expected a sequence", "expected a list")
        .replace("expected a map", "expected an object");
    (plain, String::new())
}

/// The first key of the top-level object that is in `wanted`, found without
/// reading further. Broken files have the keys before the break.
pub(super) fn first_key(text: &str, wanted: &[&'static str]) -> Option<&'static str> {
    struct Keys<'a> {
        wanted: &'a [&'static str],
        found: &'a mut Option<&'static str>,
    }
    impl<'de> Visitor<'de> for Keys<'_> {
        type Value = ();
        fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<(), A::Error> {
            while let Some(key) = map.next_key::<String>()? {
                *self.found = self.wanted.iter().copied().find(|wanted| **wanted == key);
                if self.found.is_some() {
                    return Err(A::Error::custom("found"));
                }
                map.next_value::<IgnoredAny>()?;
            }
            Ok(())
        }
    }
    let mut found = None;
    let keys = Keys { wanted, found: &mut found };
    // An error is either ours or one that reading in earnest reports better.
    let _ = serde_json::Deserializer::from_str(text).deserialize_map(keys);
    found
}

#[cfg(test)]
mod tests {
    use super::super::json::instance;
    use super::*;

    fn message(text: &str) -> String {
        let error = instance(text).unwrap_err();
        format!("{error} [{}]", error.remedy)
    }

    #[test]
    fn keys_are_found_early_and_in_broken_files() {
        assert_eq!(first_key(r#"{"a":[1],"b":2}"#, &["b"]), Some("b"));
        assert_eq!(first_key(r#"{"a":[1],"b":"#, &["b"]), Some("b"));
        assert_eq!(first_key(r#"{"a":{"b":1}}"#, &["b"]), None);
        assert_eq!(first_key("[1]", &["b"]), None);
    }

    #[test]
    fn broken_json_says_where_and_why() {
        let good = r#"{"nodes":[{"id":"n","capacity":{"cpu":1}}],"tasks":[{"id":"t","demand":{"cpu":1}}]}"#;
        assert!(instance(good).is_ok());
        for (text, part) in [
            (good[..60].to_owned(), "f: line 1 column 60: the JSON ends too early"),
            (format!("{good} x"), "not valid JSON: trailing characters [the JSON ends before"),
            (good.replace(":1}", ":NaN}"), "NaN is not a number that JSON has"),
            (good.replace(":1}", ":-Infinity}"), "Infinity is not a number that JSON has"),
            (good.replace(":1}", ":1e999}"), "the number is out of range [quantities"),
            (good.replace(":1}", ":1e308}"), "is out of range: quantities have at most 18 digits"),
            (good.replace(":1}", ":-1}"), "`-1` is negative: quantities are zero or more"),
            (good.replace(":1}", ":true}"), "invalid type: boolean `true`, expected a quantity"),
            (good.replace(":1}", ":[1]}"), "invalid type: list, expected a quantity"),
            (
                good.replace(r#"[{"id":"n"#, r#"[["n"],{"id":"n"#),
                "invalid type: list, expected an object",
            ),
            (good.replace("demand", "demnad"), "unknown field `demnad` [did you mean `demand`?]"),
            (good.replace("demand", "zzz"), "unknown field `zzz` [known here: id, demand"),
            (good.replace(r#""id":"t""#, r#""id":"t","id":"u""#), "duplicate field `id`"),
            (good.replace(r#""id":"t","#, ""), "missing field `id`"),
            (good.replace(r#""t""#, "1.5"), "expected a name: a string or a whole number"),
            (good.replace(r#"{"cpu":1}"#, r#"{"cpu":1,"cpu":2}"#), "the key `cpu` appears twice"),
            (good.replace("}]}", "}],}"), "trailing comma"),
            ("[".repeat(100_000), "the top level is a list"),
            (
                format!("{{\"nodes\":{}", "[".repeat(100_000)),
                "invalid type: list, expected an object",
            ),
            ("{}".into(), "missing field `nodes`"),
        ] {
            let message = message(&text);
            assert!(message.contains(part), "{message}\nlacks {part}");
        }
    }
}
