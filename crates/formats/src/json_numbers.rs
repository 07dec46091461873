//! Numbers in JSON that would not be read as they are written.

use super::source::{Text, line_at};
use super::values::float_text;
use base::error::Result;
use model::{Decimal, quoted};

/// JSON readers take numbers with a point or an exponent, and very large ones, for doubles. One of
/// which a double does not keep every digit is refused, whatever field it stands in.
///
/// # Errors
/// The first such number, with its line and column.
pub(super) fn check(source: Text) -> Result<()> {
    let (text, bytes) = (source.text, source.text.as_bytes());
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at = end_of_string(bytes, at),
            b'-' | b'0'..=b'9' => {
                let number = |byte: &&u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
                let end = at + bytes[at..].iter().take_while(number).count();
                if changes(&text[at..end]) {
                    let cause = format!(
                        "the number {} has more digits than JSON numbers keep",
                        quoted(&text[at..end])
                    );
                    let column = at - text[..at].rfind('\n').map_or(0, |line| line + 1) + 1;
                    let place = format!("line {} column {column}", line_at(text, at));
                    let remedy = "write it as a text, in quotes: texts are read exactly";
                    return Err(source.error(cause).at(place).help(remedy));
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    Ok(())
}

/// The byte behind a string that begins here.
fn end_of_string(bytes: &[u8], from: usize) -> usize {
    let mut at = from + 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

/// True where the double is a quantity, and another than the one that is written.
fn changes(number: &str) -> bool {
    if number.len() <= 15 || number.parse::<i64>().is_ok() {
        return false;
    }
    let read = number.parse::<f64>().ok().and_then(|value| Decimal::parse(&float_text(value)).ok());
    read.is_some_and(|read| Decimal::parse(number) != Ok(read))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_written_or_refused() {
        let check = |text: &str| check(Text { name: "f", text });
        for good in [
            "[1152921504606846975, 0.1, 1.50000000000000000, 0.30000000000000004, 1e-3, -7]",
            r#"{"123456789012345678.5": "0.1234567890123456789", "a\\": "\"0.1234567890123456789"}"#,
            "[1e300, 99999999999999999999999999]",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for (bad, place) in [
            ("[1,\n 123456789012345678.5]", "line 2 column 2"),
            (r#"{"a\"": 0.12345678901234567890}"#, "line 1 column 9"),
            ("[1152921504606.846975]", "line 1 column 2"),
        ] {
            let error = check(bad).unwrap_err();
            assert_eq!(error.place, place, "{bad}");
            assert!(error.remedy.contains("as a text"));
        }
    }
}
