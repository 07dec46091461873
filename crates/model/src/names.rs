//! Names, stored end to end.

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
