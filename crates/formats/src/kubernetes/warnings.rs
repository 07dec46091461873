//! What was seen and is not planned with: each once, with its first place and how often.

use rustc_hash::FxHashMap;

use model::{Assumption, Direction, Draft};

/// What is said of one kind of thing.
#[derive(Debug)]
struct Said {
    place: String,
    field: String,
    what: String,
    /// Which way the reading errs; `None` where it is right.
    direction: Option<Direction>,
    count: usize,
}

/// In order of first appearance.
#[derive(Debug, Default)]
pub(super) struct Warnings {
    list: Vec<Said>,
    at: FxHashMap<(String, String), usize>,
}

impl Warnings {
    /// Notes that `what` is worth knowing of a field of an object, and read as it is meant.
    pub(super) fn add(&mut self, place: &str, field: &str, what: &str) {
        self.say(None, place, field, what);
    }

    /// Notes that a field of an object is not planned with as it is meant.
    pub(super) fn assume(&mut self, errs: Direction, place: &str, field: &str, what: &str) {
        self.say(Some(errs), place, field, what);
    }

    fn say(&mut self, direction: Option<Direction>, place: &str, field: &str, what: &str) {
        // The same field of every container is one kind of thing.
        let pattern: String = field.chars().filter(|c| !c.is_ascii_digit()).collect();
        let next = self.list.len();
        let at = *self.at.entry((pattern, what.to_owned())).or_insert(next);
        if at == next {
            let (place, field, what) = (place.to_owned(), field.to_owned(), what.to_owned());
            self.list.push(Said { place, field, what, direction, count: 0 });
        }
        self.list[at].count += 1;
    }

    /// Hands all of it to the draft.
    pub(super) fn tell(self, draft: &mut Draft) {
        for Said { place, field, what, direction, count } in self.list {
            if let Some(direction) = direction {
                let (object, note) = (place, what);
                draft.assumptions.push(Assumption { object, field, count, direction, note });
                continue;
            }
            let parts = [place, field, what].into_iter().filter(|part| !part.is_empty());
            let text = parts.collect::<Vec<_>>().join(": ");
            draft.warnings.push(match count {
                1 => text,
                more => format!("{text} (and {} more such)", more - 1),
            });
        }
    }
}
