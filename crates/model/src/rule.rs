//! Rules that concern several tasks at once, over the values of a label.

use std::fmt;

use super::{NodeId, TaskId};

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

/// What a limit counts, and how much there may be of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Limit {
    /// The resource whose demands are added up; `None` counts tasks.
    pub resource: Option<usize>,
    /// What each task adds, and what it adds on nodes where that differs: sorted, a task's usual
    /// amount first. Empty where tasks are counted.
    pub amounts: Vec<(TaskId, Option<NodeId>, i64)>,
    /// The values that it looks at, sorted; all when empty.
    pub values: Vec<u32>,
    /// The most on each, in steps of the resource.
    pub at_most: i64,
    /// In time: from when on it is how much instead, sorted.
    pub later: Vec<(i64, i64)>,
    /// In time it holds for the plan as a whole, whatever the times.
    pub always: bool,
}

impl Limit {
    /// The most on each at that second.
    pub fn at(&self, second: i64) -> i64 {
        let passed = self.later.partition_point(|(from, _)| *from <= second);
        passed.checked_sub(1).map_or(self.at_most, |last| self.later[last].1)
    }

    /// The most that there may be on each at any time.
    pub fn highest(&self) -> i64 {
        self.later.iter().map(|(_, at_most)| *at_most).fold(self.at_most, i64::max)
    }

    /// The least of what there may be on each.
    pub fn lowest(&self) -> i64 {
        self.later.iter().map(|(_, at_most)| *at_most).fold(self.at_most, i64::min)
    }

    /// What the task adds on the node.
    pub fn amount(&self, task: TaskId, node: NodeId) -> i64 {
        let of = |node| self.amounts.binary_search_by_key(&(task, node), |(t, n, _)| (*t, *n));
        match of(Some(node)) {
            Ok(at) => self.amounts[at].2,
            Err(_) => self.base(task),
        }
    }

    /// What the task adds where nothing else is said.
    pub fn base(&self, task: TaskId) -> i64 {
        if self.resource.is_none() {
            return 1;
        }
        let at = self.amounts.binary_search_by_key(&(task, None), |(t, node, _)| (*t, *node));
        at.map_or(0, |at| self.amounts[at].2)
    }

    /// What the task adds at most, wherever it is.
    pub fn most(&self, task: TaskId) -> i64 {
        let own = self.amounts_of(task).iter().map(|(_, _, amount)| *amount);
        own.fold(self.base(task), i64::max)
    }

    /// What the task says of it: amounts, with the nodes where they differ.
    pub fn amounts_of(&self, task: TaskId) -> &[(TaskId, Option<NodeId>, i64)] {
        let from = self.amounts.partition_point(|(known, ..)| *known < task);
        let to = self.amounts.partition_point(|(known, ..)| *known <= task);
        &self.amounts[from..to]
    }

    /// Whether nodes with this value are looked at.
    pub fn looks_at(&self, value: u32) -> bool {
        self.values.is_empty() || self.values.binary_search(&value).is_ok()
    }
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

    /// What it counts when the task comes to the node.
    pub fn adds(&self, task: TaskId, node: NodeId) -> i64 {
        match &self.ask {
            Ask::Limit(limit) => limit.amount(task, node),
            _ => 1,
        }
    }

    /// Whether its tasks run on nodes with its label only.
    pub fn needs_label(&self) -> bool {
        self.has_places() && !matches!(self.ask, Ask::Limit(_))
    }

    /// The limit that plans in time keep at every instant; `None` where there is none.
    pub fn instant(&self) -> Option<&Limit> {
        match &self.ask {
            Ask::Limit(limit) if !limit.always => Some(limit),
            _ => None,
        }
    }

    /// True for rules that say something about where, not only about whether.
    pub fn has_places(&self) -> bool {
        self.ask != Ask::Gang
    }
}

impl Ask {
    /// `near`'s other tasks.
    pub fn others(&self) -> &[TaskId] {
        match self {
            Ask::Near { others } => others,
            _ => &[],
        }
    }

    /// The same of tasks that go by other numbers; those without one are gone.
    pub fn renamed(&self, id: impl Fn(TaskId) -> Option<TaskId>) -> Ask {
        match self {
            Ask::Near { others } => {
                Ask::Near { others: others.iter().filter_map(|task| id(*task)).collect() }
            }
            Ask::Limit(limit) => {
                let amounts = limit.amounts.iter();
                let amounts =
                    amounts.filter_map(|(task, node, amount)| Some((id(*task)?, *node, *amount)));
                Ask::Limit(Limit { amounts: amounts.collect(), ..limit.clone() })
            }
            ask => ask.clone(),
        }
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
            Ask::Limit(_) => "limit",
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
