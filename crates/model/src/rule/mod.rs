//! Rules that concern several tasks at once, over the values of a label: a file a kind.

mod apart;
mod gang;
mod index;
mod info;
mod kinds;
mod limit;
mod near;
mod shape;
mod spread;
mod sums;
mod together;

use std::fmt;

use super::{NodeId, TaskId};

pub use info::{Field, Over, Reading, RuleFields, RuleInfo, WrongField};
pub use kinds::RULES;
pub use shape::RuleShape;
pub use sums::Limit;

pub(super) use limit::{WHOLE, of_limits, read as read_limit, whole};
pub(super) use spread::objection as spread_objection;

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
    /// No more of something than so much, on each value.
    Limit(Limit),
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
    /// Values with how many tasks of the kind they have that are not part of the plan, sorted by
    /// value; only `max_skew` counts them, those with none too.
    pub present: Vec<(u32, u32)>,
    /// Of a gang: in time all of its tasks start at the same second.
    pub as_one: bool,
}

impl Rule {
    /// How many of the kind the value has that are not part of the plan.
    pub fn present_on(&self, value: u32) -> u32 {
        let at = self.present.binary_search_by_key(&value, |(known, _)| *known);
        at.map_or(0, |at| self.present[at].1)
    }

    /// Everybody it speaks of.
    pub fn everyone(&self) -> impl Iterator<Item = TaskId> + '_ {
        self.tasks.iter().chain(self.ask.others()).copied()
    }

    /// What it asks, in the terms of those who keep it.
    pub fn shape(&self) -> RuleShape<'_> {
        self.ask.shape()
    }

    /// What it limits, where it is a limit.
    pub fn limit(&self) -> Option<&Limit> {
        match &self.ask {
            Ask::Limit(limit) => Some(limit),
            _ => None,
        }
    }

    /// Fewest values that all of its tasks are on.
    pub fn at_least(&self) -> usize {
        match self.shape() {
            RuleShape::Values { at_least, .. } => at_least as usize,
            // As many as hold all of them.
            RuleShape::Sum { limit: None, at_most } => {
                self.tasks.len().div_ceil(usize::try_from(at_most.max(1)).unwrap_or(usize::MAX))
            }
            _ => 0,
        }
    }

    /// Most values that may be in use.
    pub fn at_most(&self) -> u32 {
        match self.shape() {
            RuleShape::Values { at_most, .. } => at_most,
            _ => u32::MAX,
        }
    }

    /// What it counts when the task comes to the node.
    pub fn adds(&self, task: TaskId, node: NodeId) -> i64 {
        self.shape().adds(task, node)
    }

    /// Whether its tasks run on nodes with its label only.
    pub fn needs_label(&self) -> bool {
        match self.shape() {
            RuleShape::AllOrNone | RuleShape::Sum { limit: Some(_), .. } => false,
            RuleShape::Sum { limit: None, .. } => true,
            RuleShape::Values { .. } | RuleShape::Beside { .. } => true,
        }
    }

    /// The limit that plans in time keep at every instant; `None` where there is none.
    pub fn instant(&self) -> Option<&Limit> {
        self.limit().filter(|limit| !limit.always)
    }

    /// True for rules that say something about where, not only about whether.
    pub fn has_places(&self) -> bool {
        !self.all_or_none()
    }

    /// True for rules that ask only that all or none of the tasks are placed.
    pub fn all_or_none(&self) -> bool {
        matches!(self.shape(), RuleShape::AllOrNone)
    }
}

impl Ask {
    /// What there is to say about rules of its kind.
    pub fn info(&self) -> &'static RuleInfo {
        match self {
            Ask::Gang => &gang::INFO,
            Ask::Together => &together::INFO,
            Ask::Apart => &apart::INFO,
            Ask::Spread { .. } => &spread::INFO,
            Ask::Near { .. } => &near::INFO,
            Ask::Limit(_) => &limit::INFO,
        }
    }

    /// What it asks, in the terms of those who keep it.
    pub fn shape(&self) -> RuleShape<'_> {
        match self {
            Ask::Gang => RuleShape::AllOrNone,
            Ask::Together => together::SHAPE,
            Ask::Apart => apart::SHAPE,
            Ask::Spread { at_least, at_most, max_skew } => {
                RuleShape::Values { at_least: *at_least, at_most: *at_most, max_skew: *max_skew }
            }
            Ask::Near { others } => RuleShape::Beside { others },
            Ask::Limit(limit) => RuleShape::Sum { limit: Some(limit), at_most: limit.at_most },
        }
    }

    /// The other tasks that it speaks of.
    pub fn others(&self) -> &[TaskId] {
        match self.shape() {
            RuleShape::Beside { others } => others,
            _ => &[],
        }
    }

    /// The same of tasks that go by other numbers; those without one are gone.
    pub fn renamed(&self, id: impl Fn(TaskId) -> Option<TaskId>) -> Ask {
        match self {
            Ask::Near { others } => {
                Ask::Near { others: others.iter().filter_map(|task| id(*task)).collect() }
            }
            Ask::Limit(limit) => Ask::Limit(limit.renamed(id)),
            Ask::Gang | Ask::Together | Ask::Apart | Ask::Spread { .. } => self.clone(),
        }
    }

    /// What it asks of those of its tasks that stay, by the numbers they then go by; `None` where
    /// it asks nothing of them. `whole` where all of its tasks stay.
    pub fn of_those(&self, whole: bool, id: impl Fn(TaskId) -> Option<TaskId>) -> Option<Ask> {
        match (self.shape(), whole) {
            (RuleShape::AllOrNone | RuleShape::Beside { .. }, false) => return None,
            (RuleShape::Beside { others }, true) if others.iter().any(|t| id(*t).is_none()) => {
                return None;
            }
            (RuleShape::Values { at_least: 0, max_skew: None, .. }, false) => {}
            (RuleShape::Values { at_most, .. }, false) => {
                return Some(Ask::Spread { at_least: 0, at_most, max_skew: None });
            }
            _ => {}
        }
        Some(self.renamed(id))
    }
}

impl fmt::Display for Ask {
    /// The word used in files and messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.info().name)
    }
}

/// A rule that may be broken, at a price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// What is wished.
    pub rule: Rule,
    /// What each breach costs, in soft units: a task on a value too many or beside nobody, a value
    /// too many or too few, a task by which the fullest value exceeds what it may.
    pub price: i64,
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
