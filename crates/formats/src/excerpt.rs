//! From the place that an error names to the line that a person has to look at.

use std::ops::Range;

use super::json_place;
use super::source::Source;
use base::error::{Error, Excerpt, Result};

/// Bytes shown at most on both sides of where the trouble starts.
const AROUND: usize = 240;

/// The same result, an error with the line that it is about where it names one of the sources.
pub(super) fn excerpted<T>(result: Result<T>, sources: &[&Source]) -> Result<T> {
    result.map_err(|mut error| {
        let more = error.take_more().into_iter();
        let with = |one: Error| excerpted::<()>(Err(one), sources).err();
        error = error.with(more.filter_map(with).collect());
        let source = sources.iter().find(|source| source.name == error.file);
        if let (None, Some(source)) = (&error.excerpt, source) {
            error.excerpt = excerpt(&error, &source.bytes).map(Box::new);
        }
        error
    })
}

fn excerpt(error: &Error, bytes: &[u8]) -> Option<Excerpt> {
    let mark = bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]);
    let removed = if mark.is_some() { 3 } else { 0 };
    let bytes = mark.unwrap_or(bytes);
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return None; // UTF-16: nothing that could be shown
    }
    let wrong = find(bytes, &Place::read(&error.place), removed)?;
    Some(cut(bytes, wrong))
}

/// A place as errors write it: `line 3 column 14, tasks[0].demand`, ``line 2, column `cpu` ``,
/// `line 4, byte 60`, `tasks[0].demand`. Every part may be missing.
#[derive(Debug, Default, PartialEq)]
struct Place<'a> {
    line: Option<usize>,
    column: Option<usize>,
    byte: Option<usize>,
    header: Option<&'a str>,
    path: &'a str,
}

impl<'a> Place<'a> {
    fn read(text: &'a str) -> Place<'a> {
        let mut place = Place::default();
        let mut rest = text;
        if let Some((line, after)) = number(rest.strip_prefix("line ").unwrap_or("")) {
            (place.line, rest) = (Some(line), after);
            if let Some((column, after)) = number(rest.strip_prefix(" column ").unwrap_or("")) {
                (place.column, rest) = (Some(column), after);
            }
            rest = rest.strip_prefix(", ").unwrap_or(rest);
        }
        if let Some((byte, "")) = number(rest.strip_prefix("byte ").unwrap_or("")) {
            place.byte = Some(byte);
        } else if let Some(header) = rest.strip_prefix("column `") {
            place.header = header.strip_suffix('`');
        } else {
            place.path = rest;
        }
        place
    }
}

/// The number that a text starts with, and what follows.
fn number(text: &str) -> Option<(usize, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

/// The bytes that are wrong. `removed` are missing at the front.
fn find(bytes: &[u8], place: &Place, removed: usize) -> Option<Range<usize>> {
    let start = match place.line {
        Some(line) => Some(line_start(bytes, line)?),
        None => None,
    };
    if let Some(byte) = place.byte {
        let at = byte.checked_sub(removed).filter(|at| *at < bytes.len())?;
        return Some(at..at + 1);
    }
    if let (Some(start), Some(header)) = (start, place.header) {
        return cell(bytes, start, header).or_else(|| Some(whole_line(bytes, start)));
    }
    let at = match (start, place.column) {
        (Some(start), Some(column)) => Some((start + column).saturating_sub(1).min(bytes.len())),
        _ => None,
    };
    let path = if place.path.is_empty() { None } else { json_place::find(bytes, place.path, at) };
    match (path, at, start) {
        (Some(found), ..) => Some(found),
        (None, Some(at), _) => Some(word(bytes, at)),
        (None, None, Some(start)) => Some(whole_line(bytes, start)),
        (None, None, None) => None,
    }
}

/// Where a line, counted from 1, starts.
fn line_start(bytes: &[u8], line: usize) -> Option<usize> {
    let mut ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at);
    match line {
        0 => None,
        1 => Some(0),
        _ => ends.nth(line - 2).map(|end| end + 1),
    }
}

fn line_end(bytes: &[u8], from: usize) -> usize {
    bytes[from..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| from + end)
}

/// A line without the blanks around it.
fn whole_line(bytes: &[u8], start: usize) -> Range<usize> {
    trimmed(bytes, start..line_end(bytes, start))
}

fn trimmed(bytes: &[u8], range: Range<usize>) -> Range<usize> {
    let text = &bytes[range.clone()];
    let end = range.start + text.trim_ascii_end().len();
    (end - text.trim_ascii().len())..end
}

/// The number or word at a place, or the one character.
fn word(bytes: &[u8], at: usize) -> Range<usize> {
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-._".contains(byte) || *byte >= 0x80;
    if !bytes.get(at).is_some_and(part) {
        let end = if bytes.get(at).is_some_and(|byte| *byte != b'\n') { at + 1 } else { at };
        return at..end;
    }
    let before = bytes[..at].iter().rev().take_while(|byte| part(byte)).count();
    let after = bytes[at..].iter().take_while(|byte| part(byte)).count();
    at - before..at + after
}

/// The cell below a header in the row that starts here.
fn cell(bytes: &[u8], row: usize, header: &str) -> Option<Range<usize>> {
    let name = |cell: Range<usize>| {
        let text = &bytes[trimmed(bytes, cell)];
        let inner = text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\""));
        String::from_utf8_lossy(inner.unwrap_or(text)).trim().replace("\"\"", "\"")
    };
    let first = bytes.len() - bytes.trim_ascii_start().len();
    let column = cells(bytes, first).into_iter().position(|cell| name(cell) == header)?;
    cells(bytes, row).into_iter().nth(column).map(|cell| trimmed(bytes, cell))
}

/// The cells of the row that starts here, quotes included.
fn cells(bytes: &[u8], row: usize) -> Vec<Range<usize>> {
    let (mut found, mut start, mut quoted) = (Vec::new(), row, false);
    for (at, byte) in bytes.iter().enumerate().skip(row) {
        match byte {
            b'"' if quoted || at == start => quoted = !quoted,
            // A doubled quote closes and opens again.
            b'"' if bytes[at - 1] == b'"' => quoted = true,
            b',' if !quoted => {
                found.push(start..at);
                start = at + 1;
            }
            b'\n' if !quoted => {
                found.push(start..at);
                return found;
            }
            _ => {}
        }
    }
    found.push(start..bytes.len());
    found
}

/// The line around what is wrong, as much of it as a person can use.
fn cut(bytes: &[u8], wrong: Range<usize>) -> Excerpt {
    let line = 1 + bytes[..wrong.start].iter().filter(|byte| **byte == b'\n').count();
    let start = bytes[..wrong.start].iter().rposition(|b| *b == b'\n').map_or(0, |end| end + 1);
    let end = line_end(bytes, wrong.start);
    let end = if bytes[start..end].ends_with(b"\r") { end - 1 } else { end };
    let wrong = wrong.start.min(end)..wrong.end.min(end).max(wrong.start.min(end));
    // Cuts fall between characters.
    let inner = |at: usize| bytes.get(at).is_some_and(|byte| byte & 0xC0 == 0x80);
    let mut from = wrong.start.saturating_sub(AROUND).max(start);
    while from > start && inner(from) {
        from -= 1;
    }
    let mut to = (wrong.start + AROUND).min(end);
    while to < end && inner(to) {
        to += 1;
    }
    let text = |range: Range<usize>| String::from_utf8_lossy(&bytes[range]).into_owned();
    let before = format!("{}{}", if from > start { "…" } else { "" }, text(from..wrong.start));
    let within = text(wrong.start..wrong.end.min(to));
    let after = format!("{}{}", text(wrong.end.min(to)..to), if to < end { "…" } else { "" });
    let span = before.len()..before.len() + within.len();
    Excerpt { line, text: format!("{before}{within}{after}"), span }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line with what is wrong in brackets.
    fn marked(text: &str, place: &str) -> String {
        let error = Error::input("f", "wrong").at(place);
        match excerpt(&error, text.as_bytes()) {
            None => "nothing".to_owned(),
            Some(Excerpt { line, text, span }) => {
                let (before, after) = (&text[..span.start], &text[span.end..]);
                format!("{line}: {before}[{}]{after}", &text[span])
            }
        }
    }

    /// A text may break off between a key and its colon.
    #[test]
    fn a_key_at_the_end_of_the_text_is_marked() {
        for text in [r#"{"key""#, r#"{"key"  "#, r#"{"key" :"#] {
            let place = format!("line 1 column {}, key", text.len());
            let shown = marked(text, &place);
            assert_eq!(shown.replace(['[', ']'], ""), format!("1: {text}"), "{shown}");
        }
    }

    #[test]
    fn places_in_tables() {
        let table = "task, cpu ,\"x, \"\"y\"\"\"\r\n\"a, b\", 1 ,2\r\n\nc,,\"4\n5\"\r\nd";
        for (place, shown) in [
            ("line 2, column `cpu`", "2: \"a, b\", [1] ,2"),
            ("line 2, column `task`", "2: [\"a, b\"], 1 ,2"),
            ("line 2, column `x, \"y\"`", "2: \"a, b\", 1 ,[2]"),
            ("line 1, column `cpu`", "1: task, [cpu] ,\"x, \"\"y\"\"\""),
            ("line 4, column `cpu`", "4: c,[],\"4"),
            ("line 4, column `x, \"y\"`", "4: c,,[\"4]"),
            ("line 4, column `none`", "4: [c,,\"4]"),
            ("line 6, column `cpu`", "6: [d]"),
            ("line 6", "6: [d]"),
            ("line 3", "3: []"),
            ("line 7", "nothing"),
            ("line 0", "nothing"),
            ("", "nothing"),
            ("somewhere", "nothing"),
            ("line 99999999999999999999999", "nothing"),
        ] {
            assert_eq!(marked(table, place), shown, "{place}");
        }
        assert_eq!(marked("\u{feff}cpu\n1", "line 1, column `cpu`"), "1: [cpu]");
    }

    #[test]
    fn places_in_words_and_bytes() {
        assert_eq!(marked("1 2\n3 -x4 5", "line 2 column 3"), "2: 3 [-x4] 5");
        assert_eq!(marked("1 2\n3 -x4 5", "line 2 column 4"), "2: 3 [-x4] 5");
        assert_eq!(marked("{]\n", "line 1 column 2"), "1: {[]]");
        assert_eq!(marked("{\n", "line 2 column 0"), "1: {[]");
        assert_eq!(marked("{", "line 1 column 1"), "1: [{]");
        assert_eq!(marked("{", "line 1 column 9"), "1: {[]");
        assert_eq!(marked("ab\ncd", "line 2, byte 4"), "2: c[d]");
        assert_eq!(marked("\u{feff}ab", "line 1, byte 4"), "1: a[b]");
        let error = Error::input("f", "wrong").at("line 1, byte 1");
        let shown = excerpt(&error, b"a\xE9b").unwrap();
        assert_eq!((shown.text.as_str(), shown.span), ("a\u{fffd}b", 1..4));
        assert_eq!(excerpt(&error, b"\xFF\xFEa\0"), None);
    }

    #[test]
    fn long_lines_are_cut_between_characters() {
        let text = format!("{}x{}", "ä".repeat(5_000_000), "ö".repeat(5_000_000));
        let shown = marked(&text, "line 1, byte 10000000");
        assert!(shown.starts_with("1: …ää") && shown.ends_with("öö…"), "{shown}");
        assert!(shown.contains("ä[x]ö") && shown.len() < 600, "{shown}");
        let long = marked(&format!("[\"{}\"]", "y".repeat(1_000_000)), "line 1");
        assert!(long.starts_with("1: [[\"yy") && long.ends_with("y]…"), "{long}");
    }
}
