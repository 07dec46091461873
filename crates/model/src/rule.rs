//! Rules that concern several tasks at once, over the values of a label.

use std::fmt;

use super::TaskId;

/// A rule, by its position in [`Instance::rules`](super::Instance::rules).
pub type RuleId = u32;

/// A label by whose values a rule looks at nodes; 0 is the node itself.
pub type LabelId = u32;

/// What a rule asks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Ask {
    /// All of the tasks are placed, or none.
    Gang,
    /// All on one value.
    Together,
    /// At most one on each value.
    Apart,
    /// On many values, or few, or evenly.
    Spread {
        /// Least number of values in use, as soon as any task is placed.
        at_least: u32,
        /// Most values in use.
        at_most: u32,
        /// Most by which the fullest value may exceed the emptiest that any of
        /// the tasks could use.
        max_skew: Option<u32>,
    },
    /// Each shares its value with one of other tasks.
    Near {
        /// Those others, sorted.
        others: Vec<TaskId>,
    },
}

/// A rule between tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What people call it.
    pub name: String,
    /// What it asks.
    pub ask: Ask,
    /// Over which label; of no matter to gangs.
    pub over: LabelId,
    /// Whom it concerns, sorted.
    pub tasks: Vec<TaskId>,
    /// Values that at least one of the tasks could use, sorted; empty for gangs.
    pub values: Vec<u32>,
    /// Values with how many tasks of the kind they have that are not part of the plan,
    /// sorted by value; only `max_skew` counts them.
    pub present: Vec<(u32, u32)>,
}

impl Rule {
    /// How many of the kind the value has that are not part of the plan.
    pub fn present_on(&self, value: u32) -> u32 {
        let at = self.present.binary_search_by_key(&value, |(known, _)| *known);
        at.map_or(0, |at| self.present[at].1)
    }

    /// Least number of values that must be in use once a task is placed.
    pub fn at_least(&self) -> u32 {
        match self.ask {
            Ask::Spread { at_least, .. } => at_least,
            _ => 0,
        }
    }

    /// Most values that may be in use.
    pub fn at_most(&self) -> u32 {
        match self.ask {
            Ask::Together => 1,
            Ask::Spread { at_most, .. } => at_most,
            _ => u32::MAX,
        }
    }

    /// True for rules that say something about where, not only about whether.
    pub fn has_places(&self) -> bool {
        self.ask != Ask::Gang
    }
}

impl fmt::Display for Ask {
    /// The word used in files and messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Ask::Gang => "gang",
            Ask::Together => "together",
            Ask::Apart => "apart",
            Ask::Spread { .. } => "spread",
            Ask::Near { .. } => "near",
        })
    }
}

/// The values of a label, and which one each node has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelValues {
    /// The label's key; `node` for the node itself.
    pub key: String,
    /// Its values in order of first appearance; for the node itself, the ids.
    pub values: Vec<String>,
    /// Position of each node's value; [`LabelValues::NONE`] where it has none.
    pub of: Vec<u32>,
}

impl LabelValues {
    /// The node does not have the label.
    pub const NONE: u32 = u32::MAX;
}
