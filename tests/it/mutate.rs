//! Changes of a text that leave most of its structure as it is: words, groups in brackets, members
//! of objects and lines are replaced, left out, doubled, swapped, or come from other inputs.

use std::collections::BTreeSet;
use std::ops::Range;

/// What inputs are made of.
#[derive(Default)]
pub struct Pool {
    words: Vec<Vec<u8>>,
    pieces: Vec<Vec<u8>>,
}

/// Words that readers may not expect.
const ODD: [&str; 58] = [
    "0",
    "1",
    "-1",
    "2",
    "3",
    "63",
    "64",
    "65",
    "100000",
    "1000000000",
    "2147483647",
    "2147483648",
    "4294967295",
    "4294967296",
    "999999999999999999",
    "1000000000000000000",
    "1152921504606846975",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "0.1",
    "0.000000000000000001",
    "1e308",
    "1e-308",
    "1e18",
    "1e999",
    "-0",
    "0x10",
    "NaN",
    "Infinity",
    "null",
    "true",
    "false",
    "\"\"",
    "\" \"",
    "*",
    "\"*\"",
    "[]",
    "{}",
    "\"9E\"",
    "\"1n\"",
    "\"100%\"",
    "\"0%\"",
    "\"101%\"",
    "\"1s\"",
    "\"2026-01-05\"",
    "9999-12-31T23:59:59Z",
    "-9999-01-01",
    "UNLIMITED",
    "\"node\"",
    "\"\\u202e\"",
    "\u{2028}",
    "é",
    "'=x",
    "[0-99]",
    "[1",
    "\r",
];

/// Parts longer than this are not kept.
const LONG: usize = 400;

impl Pool {
    /// Of all these inputs.
    pub fn of(inputs: &[Vec<u8>]) -> Pool {
        let (mut words, mut pieces) = (BTreeSet::new(), BTreeSet::new());
        for bytes in inputs {
            let text = Text::of(bytes);
            words.extend(text.words.iter().map(|range| bytes[range.clone()].to_vec()));
            let short = text.pieces.iter().filter(|range| range.len() <= LONG);
            pieces.extend(short.map(|range| bytes[range.clone()].to_vec()));
        }
        Pool { words: words.into_iter().collect(), pieces: pieces.into_iter().collect() }
    }

    /// The text with some changes.
    pub fn mutate(&self, bytes: &[u8], seed: u32) -> Vec<u8> {
        let mut dice = Dice(u64::from(seed));
        let mut made = bytes.to_vec();
        for _ in 0..=dice.below(3) {
            made = self.change(&made, &mut dice);
        }
        made
    }

    fn change(&self, bytes: &[u8], dice: &mut Dice) -> Vec<u8> {
        let text = Text::of(bytes);
        let piece = |dice: &mut Dice| dice.of(&text.pieces).cloned().unwrap_or(0..0);
        let own = |range: Range<usize>| bytes[range].to_vec();
        let (at, new) = match dice.below(10) {
            0..=3 => {
                let Some(at) = dice.of(&text.words).cloned() else { return self.any(dice) };
                let new = match dice.below(5) {
                    0 => dice.of(&text.words).cloned().map_or_else(Vec::new, own),
                    1 => dice.of(&ODD).map_or_else(Vec::new, |word| word.as_bytes().to_vec()),
                    2 => number(&bytes[at.clone()], dice),
                    _ => dice.of(&self.words).cloned().unwrap_or_default(),
                };
                // A text stays one.
                match bytes[at.start] == b'"' && new.first() != Some(&b'"') && dice.below(4) > 0 {
                    true => (at, [b"\"", &new[..], b"\""].concat()),
                    false => (at, new),
                }
            }
            4 => (piece(dice), Vec::new()),
            5 => {
                let at = piece(dice);
                let twice = match bytes.get(at.end.wrapping_sub(1)) {
                    Some(b'\n') | None => own(at.clone()),
                    _ => [&bytes[at.clone()], b","].concat(),
                };
                (at.start..at.start, twice)
            }
            6 => (piece(dice), own(piece(dice))),
            7 => (piece(dice), self.any(dice)),
            8 => {
                let at = piece(dice).start;
                (at..at, [self.any(dice), b",".to_vec()].concat())
            }
            _ => {
                let (a, b) = (piece(dice), piece(dice));
                let (a, b) = if a.start <= b.start { (a, b) } else { (b, a) };
                if a.end > b.start {
                    return [&bytes[..b.start], &bytes[a], &bytes[b.start..]].concat();
                }
                let swapped = [&bytes[b.clone()], &bytes[a.end..b.start], &bytes[a.clone()]];
                (a.start..b.end, swapped.concat())
            }
        };
        [&bytes[..at.start], &new[..], &bytes[at.end..]].concat()
    }

    /// A piece of some input.
    fn any(&self, dice: &mut Dice) -> Vec<u8> {
        dice.of(&self.pieces).cloned().unwrap_or_default()
    }
}

/// Another number near this one, or far from it.
fn number(word: &[u8], dice: &mut Dice) -> Vec<u8> {
    let quoted = word.first() == Some(&b'"');
    let bare = std::str::from_utf8(word).unwrap_or("").trim_matches('"');
    let end = bare.find(|c: char| !c.is_ascii_digit()).unwrap_or(bare.len());
    let (digits, rest) = bare.split_at(end);
    let Ok(value) = digits.parse::<i128>() else { return word.to_vec() };
    let value = match dice.below(8) {
        0 => value.saturating_add(1).to_string(),
        1 => value.saturating_sub(1).to_string(),
        2 => value.saturating_mul(10).to_string(),
        3 => (value / 10).to_string(),
        4 => value.wrapping_shl(dice.below(40) as u32).to_string(),
        5 => format!("-{value}"),
        6 => format!("{value}.5"),
        _ => "9".repeat(1 + dice.below(40) as usize),
    };
    match quoted {
        true => format!("\"{value}{rest}\"").into_bytes(),
        false => format!("{value}{rest}").into_bytes(),
    }
}

/// Where words and larger pieces of a text are.
struct Text {
    words: Vec<Range<usize>>,
    pieces: Vec<Range<usize>>,
}

impl Text {
    fn of(bytes: &[u8]) -> Text {
        let (mut words, mut pieces) = (Vec::new(), Vec::new());
        let mut open: Vec<usize> = Vec::new();
        // Where the member began that is being read, for every bracket.
        let mut member: Vec<usize> = vec![0];
        let (mut at, mut line) = (0, 0);
        while at < bytes.len() {
            let start = at;
            at += 1;
            match bytes[start] {
                b'"' => {
                    while at < bytes.len() && bytes[at] != b'"' && bytes[at] != b'\n' {
                        at += if bytes[at] == b'\\' { 2 } else { 1 };
                    }
                    at = (at + 1).min(bytes.len());
                    words.push(start..at);
                }
                b'{' | b'[' => {
                    open.push(start);
                    member.push(at);
                }
                c @ (b',' | b'}' | b']') => {
                    if let Some(begin) = member.last_mut() {
                        if *begin < start {
                            pieces.push(*begin..start);
                        }
                        *begin = at;
                    }
                    if c != b',' {
                        pieces.extend(open.pop().map(|begin| begin..at));
                        member.truncate(member.len().saturating_sub(1).max(1));
                    }
                }
                b'\n' => {
                    pieces.push(line..at);
                    line = at;
                }
                c if in_word(c) => {
                    while at < bytes.len() && in_word(bytes[at]) {
                        at += 1;
                    }
                    words.push(start..at);
                }
                _ => {}
            }
        }
        Text { words, pieces }
    }
}

fn in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80 || b"_.+-%*/".contains(&byte)
}

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % most
    }

    fn of<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        let at = self.below(list.len().max(1) as u64) as usize;
        list.get(at)
    }
}
