//! Rules between tasks, counted by value, so that a move looks at its own rules only.

use rustc_hash::FxHashMap;

use model::{Ask, Instance, LabelValues, NodeId, Rule, TaskId};

/// How many there are of each value.
#[derive(Clone, Debug)]
enum Counts {
    Dense(Vec<u32>),
    Sparse(FxHashMap<u32, u32>),
}

impl Counts {
    /// For about `tasks` tasks on one of `values` values each.
    fn new(values: usize, tasks: usize) -> Counts {
        if values <= 4 * tasks + 64 {
            Counts::Dense(vec![0; values])
        } else {
            Counts::Sparse(FxHashMap::default())
        }
    }

    fn get(&self, value: u32) -> u32 {
        match self {
            Counts::Dense(list) => list[value as usize],
            Counts::Sparse(map) => map.get(&value).copied().unwrap_or(0),
        }
    }

    /// The count after the change.
    fn add(&mut self, value: u32, more: bool) -> u32 {
        let count = match self {
            Counts::Dense(list) => &mut list[value as usize],
            Counts::Sparse(map) => map.entry(value).or_insert(0),
        };
        *count = if more { *count + 1 } else { *count - 1 };
        let now = *count;
        if let (Counts::Sparse(map), 0) = (self, now) {
            map.remove(&value);
        }
        now
    }
}

/// One rule's tasks by value.
#[derive(Clone, Debug)]
struct Tie {
    members: Counts,
    /// Of `near`'s other tasks.
    others: Counts,
    placed: u32,
    /// Values with a member.
    distinct: u32,
    /// Values with more than one.
    crowded: u32,
    /// Values with members but none of the others.
    lacking: u32,
}

impl Tie {
    fn change(&mut self, near: bool, value: Option<u32>, other: bool, more: bool) {
        if !other {
            self.placed = if more { self.placed + 1 } else { self.placed - 1 };
        }
        let Some(value) = value else { return };
        if other {
            let now = self.others.add(value, more);
            // The first to come or the last to go.
            if now == u32::from(more) && self.members.get(value) > 0 {
                self.lacking = if more { self.lacking - 1 } else { self.lacking + 1 };
            }
            return;
        }
        let now = self.members.add(value, more);
        let step = |count: &mut u32| *count = if more { *count + 1 } else { *count - 1 };
        if now == u32::from(more) {
            step(&mut self.distinct);
            if near && self.others.get(value) == 0 {
                step(&mut self.lacking);
            }
        }
        if now == 1 + u32::from(more) {
            step(&mut self.crowded);
        }
    }

    fn holds(&self, rule: &Rule) -> bool {
        if self.placed == 0 {
            return true;
        }
        match &rule.ask {
            Ask::Gang => self.placed as usize == rule.tasks.len(),
            Ask::Together => self.distinct <= 1,
            Ask::Apart => self.crowded == 0,
            Ask::Near { .. } => self.lacking == 0,
            Ask::Spread { at_least, at_most, max_skew } => {
                let counts = || {
                    let own = |value: &u32| (self.members.get(*value), rule.present_on(*value));
                    rule.values.iter().map(own)
                };
                let skew = || {
                    let used = counts().filter(|(own, _)| *own > 0);
                    let most = used.map(|(own, there)| own + there).max().unwrap_or(0);
                    let least = counts().map(|(own, there)| own + there).min().unwrap_or(0);
                    most.saturating_sub(least)
                };
                (*at_least..=*at_most).contains(&self.distinct)
                    && max_skew.is_none_or(|most| skew() <= most)
            }
        }
    }
}

/// All rules, as things stand.
#[derive(Clone, Debug)]
pub struct Ties<'a> {
    instance: &'a Instance,
    list: Vec<Tie>,
}

impl<'a> Ties<'a> {
    /// The counts of a plan that places no task.
    pub fn new(instance: &'a Instance) -> Self {
        let tie = |rule: &Rule| {
            let values = instance.label_values()[rule.over as usize].values.len();
            let others = match &rule.ask {
                Ask::Near { others } => others.len(),
                _ => 0,
            };
            Tie {
                members: Counts::new(values, rule.tasks.len()),
                others: Counts::new(if others > 0 { values } else { 0 }, others),
                placed: 0,
                distinct: 0,
                crowded: 0,
                lacking: 0,
            }
        };
        Ties { instance, list: instance.rules().iter().map(tie).collect() }
    }

    /// The task comes to the node, or leaves it.
    pub fn change(&mut self, task: TaskId, node: NodeId, more: bool) {
        for (id, other) in self.instance.rules_of(task) {
            let rule = &self.instance.rules()[*id as usize];
            let value = self.instance.label_values()[rule.over as usize].of[node.index()];
            let value = (rule.has_places() && value != LabelValues::NONE).then_some(value);
            let near = matches!(rule.ask, Ask::Near { .. });
            self.list[*id as usize].change(near, value, *other, more);
        }
    }

    /// Whether every rule that concerns the task holds.
    pub fn hold(&self, task: TaskId) -> bool {
        self.instance
            .rules_of(task)
            .iter()
            .all(|(id, _)| self.list[*id as usize].holds(&self.instance.rules()[*id as usize]))
    }
}
