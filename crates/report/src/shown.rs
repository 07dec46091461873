//! Characters that cannot be seen, made visible: names from a file that look alike are told apart,
//! and none changes the direction of what stands beside it.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether a character shows nothing and may change what is around it: controls beyond ASCII,
/// marks that turn the direction of writing, separators of lines, and whatever has no width.
fn hidden(c: char) -> bool {
    matches!(c,
        '\u{80}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}'
        | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

fn replaced(text: &str, by: impl Fn(&mut String, char)) -> Cow<'_, str> {
    if text.is_ascii() || !text.contains(hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if hidden(c) { by(&mut shown, c) } else { shown.push(c) }
    }
    Cow::Owned(shown)
}

/// The text for people: such characters by their numbers, as `[U+202E]`.
pub fn visible(text: &str) -> Cow<'_, str> {
    replaced(text, |shown, c| {
        // Writing to a string cannot fail.
        let _ = write!(shown, "[U+{:04X}]", u32::from(c));
    })
}

/// A JSON document that says the same with such characters escaped.
pub fn escaped(json: &str) -> Cow<'_, str> {
    replaced(json, |shown, c| {
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = write!(shown, "\\u{unit:04x}");
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_shown() {
        assert_eq!(visible("a\u{202e}b\u{200b}\u{e0041}"), "a[U+202E]b[U+200B][U+E0041]");
        assert_eq!(escaped("\"a\u{2066}\u{e0041}\""), "\"a\\u2066\\udb40\\udc41\"");
        let text = "\"\u{202e}x\u{feff}\u{ad}\u{e0041}\u{85}\"";
        let read = |json: &str| serde_json::from_str::<String>(json).unwrap();
        assert_eq!(read(&escaped(text)), read(text));
        for plain in ["n1", "Knoten 3", "größer", "機器", "نود", "│▁█ │", "\u{1b}[1mx\n"]
        {
            assert_eq!(visible(plain), plain);
        }
    }
}
