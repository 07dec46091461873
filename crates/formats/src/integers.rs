//! Files that are nothing but integers between white space, with the place of each.

use std::str::SplitAsciiWhitespace;

use super::source::Text;
use base::error::{Error, Result};

/// What a number may be at most.
const MOST: i64 = 10i64.pow(18);

/// The numbers of a file, one after the other.
pub(super) struct Integers<'a> {
    source: Text<'a>,
    words: SplitAsciiWhitespace<'a>,
    /// The word read last.
    word: &'a str,
}

impl<'a> Integers<'a> {
    pub(super) fn of(source: Text<'a>) -> Integers<'a> {
        let words = source.text.split_ascii_whitespace();
        Integers { source, words, word: &source.text[..0] }
    }

    /// The next number, from 0 to 10^18. `what` says what it stands for.
    pub(super) fn next(&mut self, what: impl Fn() -> String) -> Result<i64> {
        let Some(word) = self.words.next() else {
            let lines = self.source.text.trim_end().lines().count();
            let cause = format!("the file ends where {} should follow", what());
            return Err(self.source.error(cause).at(format!("line {lines}")));
        };
        self.word = word;
        match word.parse() {
            Ok(value) if (0..=MOST).contains(&value) => Ok(value),
            _ => {
                let shown: String = word.chars().take(40).collect();
                let cause = format!("{} is `{shown}`, not a whole number from 0 to 10^18", what());
                Err(self.error(cause))
            }
        }
    }

    /// The next number, a position in a list of `count`.
    pub(super) fn position(&mut self, count: usize, what: impl Fn() -> String) -> Result<usize> {
        let value = self.next(&what)?;
        match usize::try_from(value) {
            Ok(at) if at < count => Ok(at),
            _ => Err(self.error(match count {
                0 => format!("{} is {value}, and there is none", what()),
                _ => format!("{} is {value}: it is 0 to {}", what(), count - 1),
            })),
        }
    }

    /// Something wrong with the number read last.
    pub(super) fn error(&self, cause: String) -> Error {
        let at = self.word.as_ptr() as usize - self.source.text.as_ptr() as usize;
        let before = &self.source.text[..at];
        let line = 1 + before.bytes().filter(|byte| *byte == b'\n').count();
        let column = at - before.rfind('\n').map_or(0, |end| end + 1) + 1;
        self.source.error(cause).at(format!("line {line} column {column}"))
    }

    /// Nothing may follow.
    pub(super) fn end(&mut self, after: &str) -> Result<()> {
        let Some(word) = self.words.next() else { return Ok(()) };
        self.word = word;
        let more = 1 + self.words.by_ref().count();
        Err(self.error(format!("{more} more numbers follow {after}")))
    }
}
