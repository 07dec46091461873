//! What the source of an instance says and the instance does not: what every claim about it assumes.

use std::fmt;

/// Which way a reading errs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// The plan may do what the cluster refuses: that it works is not proven.
    Wider,
    /// The plan may refuse, or pay for, what the cluster allows: bounds, and that there is no plan,
    /// are not proven.
    Narrower,
    /// Either of the two.
    Either,
}

impl Direction {
    /// The word used in documents.
    pub fn word(self) -> &'static str {
        match self {
            Direction::Wider => "wider",
            Direction::Narrower => "narrower",
            Direction::Either => "either",
        }
    }
}

impl fmt::Display for Direction {
    /// What it means for a plan.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Direction::Wider => "the plan may do what the cluster refuses",
            Direction::Narrower => "the plan may refuse what the cluster allows",
            Direction::Either => "the cluster may allow more or less than the plan does",
        })
    }
}

/// Something that the source says and the instance does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assumption {
    /// The first object that says it, with its file.
    pub object: String,
    /// The field that says it; empty for the object as a whole.
    pub field: String,
    /// How many say it.
    pub count: usize,
    /// Which way the reading errs.
    pub direction: Direction,
    /// What is assumed.
    pub note: String,
}

impl fmt::Display for Assumption {
    /// One line for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Assumption { object, field, count, direction, note } = self;
        let parts = [object, field, note].into_iter().filter(|part| !part.is_empty());
        f.write_str(&parts.map(String::as_str).collect::<Vec<_>>().join(": "))?;
        if *count > 1 {
            write!(f, " (and {} more such)", count - 1)?;
        }
        write!(f, "; {direction}")
    }
}
