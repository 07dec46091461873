//! Names: how they are stored, and which known one a misspelt one is nearest to.

use std::fmt::Write;

/// Short names stored end to end: a million of them cost no million allocations.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    text: String,
    ends: Vec<u32>,
}

impl Names {
    pub(super) fn push(&mut self, name: &str) {
        self.text.push_str(name);
        self.end();
    }

    /// The name of a gang's unit.
    pub(super) fn push_unit(&mut self, gang: &str, unit: usize) {
        // Writing to a string cannot fail.
        let _ = write!(self.text, "{gang}[{unit}]");
        self.end();
    }

    fn end(&mut self) {
        self.ends.push(u32::try_from(self.text.len()).expect("names hold at most 4 GiB"));
    }

    pub(super) fn get(&self, index: usize) -> &str {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.text[start as usize..self.ends[index] as usize]
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }
}

/// The known name that `word` is most likely a misspelling of; long words are none, since
/// comparing two takes time with the product of their lengths.
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    const LONG: usize = 200;
    if word.len() > LONG {
        return None;
    }
    let lower = word.to_lowercase();
    let limit = (word.chars().count() / 3).clamp(1, 3);
    known
        .filter(|name| name.len() <= LONG)
        .map(|name| (strsim::damerau_levenshtein(&lower, &name.to_lowercase()), name))
        .min()
        .filter(|(distance, _)| *distance <= limit)
        .map(|(_, name)| name.to_owned())
}
