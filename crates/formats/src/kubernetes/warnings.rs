//! What was seen and is not planned with: each once, with its first place and how often.

use rustc_hash::FxHashMap;

/// Warnings in order of first appearance.
#[derive(Debug, Default)]
pub(super) struct Warnings {
    list: Vec<(String, usize)>,
    at: FxHashMap<(String, String), usize>,
}

impl Warnings {
    /// Notes that `what` is the matter with a field of an object.
    pub(super) fn add(&mut self, place: &str, field: &str, what: &str) {
        // The same field of every container is one kind of thing.
        let pattern: String = field.chars().filter(|c| !c.is_ascii_digit()).collect();
        let next = self.list.len();
        let at = *self.at.entry((pattern, what.to_owned())).or_insert(next);
        if at == next {
            let parts = [place, field, what].into_iter().filter(|part| !part.is_empty());
            self.list.push((parts.collect::<Vec<_>>().join(": "), 0));
        }
        self.list[at].1 += 1;
    }

    /// One line each.
    pub(super) fn lines(self) -> Vec<String> {
        let line = |(text, count): (String, usize)| match count {
            1 => text,
            more => format!("{text} (and {} more such)", more - 1),
        };
        self.list.into_iter().map(line).collect()
    }
}
