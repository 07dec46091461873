//! How far rules that may be broken are broken, counted so that a change looks at its own wishes only.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::{Instance, NodeId, Rule, RuleShape, TaskId};

/// A task that goes from one place to another; nowhere is a place too.
pub type Step = (TaskId, Option<NodeId>, Option<NodeId>);

/// What breaches of wishes cost as things stand.
#[derive(Clone, Debug)]
pub struct Wishes<'a> {
    instance: &'a Instance,
    /// One a wish.
    counts: Vec<Counts>,
    /// In soft units.
    total: i64,
}

/// Where the tasks of a wish are.
#[derive(Clone, Debug, Default)]
struct Counts {
    /// Of each value that has any: tasks of the wish, and of its others.
    on: FxHashMap<u32, (i64, i64)>,
    sums: Sums,
    breaches: i64,
}

/// What there is of a wish's tasks, wherever they are.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    placed: i64,
    /// Placed on nodes without the label.
    stray: i64,
    /// Values in use.
    distinct: i64,
    /// What is too much on values of a sum, or beside none of the others.
    off: i64,
}

/// What changes for a wish: by value as in [`Counts`], and what comes to nodes without the label.
#[derive(Default)]
struct Change {
    on: Vec<(u32, (i64, i64))>,
    stray: i64,
}

impl<'a> Wishes<'a> {
    /// Nothing placed yet.
    pub fn new(instance: &'a Instance) -> Wishes<'a> {
        let counts = vec![Counts::default(); instance.wishes().len()];
        Wishes { instance, counts, total: 0 }
    }

    /// What the breaches cost, in soft units.
    pub fn total(&self) -> i64 {
        self.total
    }

    /// By how much the cost changes when these tasks go.
    pub fn after(&self, steps: &[Step]) -> i64 {
        let each = self.changes(steps).into_iter().map(|(k, change)| {
            let wish = &self.instance.wishes()[k];
            let counts = &self.counts[k];
            wish.price * (counts.with(&wish.rule, &change).1 - counts.breaches)
        });
        each.sum()
    }

    /// The tasks go.
    pub fn change(&mut self, steps: &[Step]) {
        for (k, change) in self.changes(steps) {
            let (wish, counts) = (&self.instance.wishes()[k], &mut self.counts[k]);
            let (sums, breaches) = counts.with(&wish.rule, &change);
            self.total += wish.price * (breaches - counts.breaches);
            (counts.sums, counts.breaches) = (sums, breaches);
            for (value, (members, others)) in change.on {
                let now = counts.on.entry(value).or_default();
                *now = (now.0 + members, now.1 + others);
                if *now == (0, 0) {
                    counts.on.remove(&value);
                }
            }
        }
    }

    fn changes(&self, steps: &[Step]) -> BTreeMap<usize, Change> {
        let mut all: BTreeMap<usize, Change> = BTreeMap::new();
        for (task, from, to) in steps.iter().filter(|(_, from, to)| from != to) {
            for (wish, other) in self.instance.wishes_of(*task) {
                let rule = &self.instance.wishes()[*wish as usize].rule;
                let change = all.entry(*wish as usize).or_default();
                for (place, by) in [(from, -1), (to, 1)] {
                    let Some(node) = *place else { continue };
                    let more = if *other { (0, by) } else { (by, 0) };
                    match self.instance.value_of(rule, node) {
                        Some(value) => match change.on.iter_mut().find(|(at, _)| *at == value) {
                            Some((_, sum)) => *sum = (sum.0 + more.0, sum.1 + more.1),
                            None => change.on.push((value, more)),
                        },
                        None => change.stray += more.0,
                    }
                }
            }
        }
        all
    }
}

impl Counts {
    /// What there is after the change, and how many breaches.
    fn with(&self, rule: &Rule, change: &Change) -> (Sums, i64) {
        let mut sums = self.sums;
        let shape = rule.shape();
        sums.stray += change.stray;
        sums.placed += change.stray;
        for (value, (members, others)) in &change.on {
            let was = self.on.get(value).copied().unwrap_or_default();
            let now = (was.0 + members, was.1 + others);
            sums.placed += members;
            sums.distinct += i64::from(now.0 > 0) - i64::from(was.0 > 0);
            sums.off += off(&shape, now) - off(&shape, was);
        }
        let breaches = match shape {
            RuleShape::AllOrNone => 0,
            RuleShape::Sum { .. } => sums.off,
            RuleShape::Beside { .. } => sums.off + sums.stray,
            RuleShape::Values { .. } if sums.placed == 0 => 0,
            RuleShape::Values { at_least, at_most, max_skew } => {
                let few = (i64::from(at_least) - sums.distinct).max(0);
                let many = (sums.distinct - i64::from(at_most)).max(0);
                let uneven = max_skew.map_or(0, |skew| self.uneven(rule, change, skew.into()));
                few + many + uneven
            }
        };
        (sums, breaches)
    }

    /// By how many tasks the fullest value exceeds what it may.
    fn uneven(&self, rule: &Rule, change: &Change, skew: i64) -> i64 {
        let changed = |value: u32| change.on.iter().find(|(at, _)| *at == value);
        let there = |value: u32| {
            let own = self.on.get(&value).map_or(0, |own| own.0);
            own + changed(value).map_or(0, |(_, more)| more.0)
        };
        // Of values with any task of the plan.
        let most = self.on.keys().copied().chain(change.on.iter().map(|(value, _)| *value));
        let full = most.filter(|value| there(*value) > 0);
        let full = full.map(|value| there(value) + i64::from(rule.present_on(value))).max();
        let least = rule.values.iter();
        let least = least.map(|value| there(*value) + i64::from(rule.present_on(*value))).min();
        (full.unwrap_or(0) - least.unwrap_or(0) - skew).max(0)
    }
}

/// What is too much on a value with so many tasks of the wish and of its others.
fn off(shape: &RuleShape, (members, others): (i64, i64)) -> i64 {
    match shape {
        RuleShape::Sum { at_most, .. } => (members - at_most).max(0),
        RuleShape::Beside { .. } if others == 0 => members,
        RuleShape::Beside { .. } | RuleShape::AllOrNone | RuleShape::Values { .. } => 0,
    }
}
