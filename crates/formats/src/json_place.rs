//! Where in a JSON text the field stands that a path such as `tasks[3].demand.cpu` names. Reads
//! broken texts too, up to where they break.

use std::ops::Range;

/// A part of the text: a value, and the key that it has in an object.
#[derive(Clone)]
struct Part {
    key: Option<Range<usize>>,
    value: usize,
}

/// The bytes to look at: the value at the path, the key where `at` (just behind what was read)
/// says that the key itself is wrong or the value is long, the id of an object that has one.
/// What the path names and the text lacks is looked for where it should be.
pub(super) fn find(bytes: &[u8], path: &str, at: Option<usize>) -> Option<Range<usize>> {
    let mut part = Part { key: None, value: blanks(bytes, 0) };
    let mut rest = path;
    while !rest.is_empty() {
        let step = match bytes.get(part.value)? {
            b'{' => member(bytes, part.value, rest, at),
            b'[' => element(bytes, part.value, rest),
            _ => None,
        };
        let Some((next, left)) = step else { break };
        (part, rest) = (next, left);
    }
    if rest == path {
        return None; // a path into something else
    }
    Some(mark(bytes, &part, at))
}

fn mark(bytes: &[u8], part: &Part, at: Option<usize>) -> Range<usize> {
    if let (Some(key), Some(at)) = (&part.key, at)
        && (key.start..=key.end).contains(&at)
    {
        return key.clone();
    }
    match bytes.get(part.value) {
        Some(b'{') => {
            let named = member(bytes, part.value, "id", None);
            match (named, &part.key) {
                (Some((id, _)), _) => id.value..skip(bytes, id.value).unwrap_or(bytes.len()),
                (None, Some(key)) => key.clone(),
                (None, None) => part.value..part.value + 1,
            }
        }
        Some(b'[') => part.key.clone().unwrap_or(part.value..part.value + 1),
        _ => part.value..skip(bytes, part.value).unwrap_or(bytes.len()),
    }
}

/// The member of the object at `open` whose name the path starts with, and the path behind it.
/// Names may hold dots, so the longest counts; of equal ones the last that starts before `at`.
fn member<'a>(
    bytes: &[u8],
    open: usize,
    path: &'a str,
    at: Option<usize>,
) -> Option<(Part, &'a str)> {
    let mut best: Option<(usize, Part, &str)> = None;
    let mut here = blanks(bytes, open + 1);
    while bytes.get(here) == Some(&b'"') && at.is_none_or(|at| here <= at) {
        let Some(end) = skip(bytes, here) else { break };
        let name: Option<String> = serde_json::from_slice(&bytes[here..end]).ok();
        let colon = blanks(bytes, end);
        let part = Part { key: Some(here..end), value: blanks(bytes, colon + 1) };
        if let Some(left) = name.as_deref().and_then(|name| path.strip_prefix(name))
            && (left.is_empty() || left.starts_with(['.', '[']))
            && best.as_ref().is_none_or(|(length, ..)| path.len() - left.len() >= *length)
        {
            let behind = left.strip_prefix('.').unwrap_or(left);
            best = Some((path.len() - left.len(), part.clone(), behind));
        }
        let Some(end) = skip(bytes, part.value) else { break };
        here = blanks(bytes, blanks(bytes, end) + 1);
    }
    best.map(|(_, part, left)| (part, left))
}

/// The element of the list at `open` that the path starts with, and the path behind it.
fn element<'a>(bytes: &[u8], open: usize, path: &'a str) -> Option<(Part, &'a str)> {
    let (index, left) = path.strip_prefix('[')?.split_once(']')?;
    let mut here = blanks(bytes, open + 1);
    for _ in 0..index.parse::<usize>().ok()? {
        here = blanks(bytes, skip(bytes, here)?);
        if bytes.get(here) != Some(&b',') {
            return None;
        }
        here = blanks(bytes, here + 1);
    }
    Some((Part { key: None, value: here }, left.strip_prefix('.').unwrap_or(left)))
}

/// The first byte from `at` on that is no blank; the end of a text that breaks off before.
fn blanks(bytes: &[u8], at: usize) -> usize {
    let at = at.min(bytes.len());
    at + bytes[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// Behind the value that starts at `at`; none where the text ends before.
fn skip(bytes: &[u8], at: usize) -> Option<usize> {
    let (mut depth, mut here) = (0usize, at);
    loop {
        match bytes.get(here)? {
            b'"' => here = string_end(bytes, here)?,
            b'{' | b'[' => {
                depth += 1;
                here += 1;
            }
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                here += 1;
            }
            _ if depth == 0 => {
                let rest = bytes[here..].iter();
                let word = rest.take_while(|b| !b.is_ascii_whitespace() && !b",]}".contains(b));
                let length = word.count();
                return (length > 0).then_some(here + length);
            }
            _ => here += 1,
        }
        if depth == 0 {
            return Some(here);
        }
    }
}

/// Behind the quote that closes the string opened at `at`.
fn string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut here = at + 1;
    loop {
        match bytes.get(here)? {
            b'"' => return Some(here + 1),
            b'\\' => here += 2,
            _ => here += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"a": [1, {"id": "x", "b.c": {"d": -2.5}, "b": [true]}, [["s"]]],
        "e\n": "]}\"", "two": 1, "two": 2}"#;

    fn found(path: &str, at: Option<usize>) -> &str {
        find(TEXT.as_bytes(), path, at).map_or("nothing", |range| &TEXT[range])
    }

    #[test]
    fn paths_lead_to_fields() {
        for (path, shown) in [
            ("a[0]", "1"),
            ("a[1]", "\"x\""),
            ("a[1].id", "\"x\""),
            ("a[1].b.c.d", "-2.5"),
            ("a[1].b.c", "\"b.c\""),
            ("a[1].b[0]", "true"),
            ("a[1].missing", "\"x\""),
            ("a[2][0][0]", "\"s\""),
            ("a[3]", "\"a\""),
            ("a", "\"a\""),
            ("e\n", r#""]}\"""#),
            ("two", "2"),
            ("nowhere", "nothing"),
            ("[1]", "nothing"),
        ] {
            assert_eq!(found(path, None), shown, "{path}");
        }
        let first = TEXT.find("\"two\"").unwrap();
        assert_eq!(found("two", Some(first + 4)), "\"two\"");
        assert_eq!(found("two", Some(first + 7)), "1");
    }

    #[test]
    fn broken_texts_are_read_up_to_the_break() {
        for end in 0..TEXT.len() {
            find(&TEXT.as_bytes()[..end], "a[1].b.c.d", Some(end));
        }
        let broken = br#"{"a": [{"id": "x", "b": 1"#;
        assert_eq!(find(broken, "a[0].b", None), Some(24..25));
        assert_eq!(find(br#"{"a": "x"#, "a", None), Some(6..8));
        assert_eq!(find(b"- yaml: 1\n", "[0].yaml", None), None);
    }
}
