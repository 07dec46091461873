//! Where the tasks of each rule are, counted by value.

use rustc_hash::FxHashMap;

use crate::{Ask, Instance, NodeId, Rule, RuleId, TaskId};

/// What the rules between tasks say of placements, whatever the loads.
#[derive(Clone, Debug)]
pub struct Ties<'a> {
    instance: &'a Instance,
    /// One a rule.
    tallies: Vec<Tally>,
}

impl<'a> Ties<'a> {
    /// Nothing placed yet.
    pub fn new(instance: &'a Instance) -> Ties<'a> {
        Ties { instance, tallies: vec![Tally::default(); instance.rules().len()] }
    }

    /// The first rule that forbids an unplaced task on the node as things stand.
    pub fn refuses(&self, task: TaskId, node: NodeId) -> Option<RuleId> {
        let refuses = |(rule, other): &&(RuleId, bool)| {
            !other && !self.tallies[*rule as usize].allows(self.instance, *rule, node)
        };
        self.instance.rules_of(task).iter().find(refuses).map(|(rule, _)| *rule)
    }

    /// Whether some rule cannot hold any more with an unplaced task on the node, whatever becomes of
    /// the others that have no place: unlike [`Ties::refuses`] it asks nothing of the order in which
    /// tasks come.
    pub fn rules_out(&self, task: TaskId, node: NodeId) -> Option<RuleId> {
        let out = |(rule, other): &&(RuleId, bool)| {
            !self.tallies[*rule as usize].may_hold(self.instance, *rule, *other, node)
        };
        self.instance.rules_of(task).iter().find(out).map(|(rule, _)| *rule)
    }

    /// A task comes to the node, or leaves it.
    pub fn change(&mut self, task: TaskId, node: NodeId, comes: bool) {
        for (rule, other) in self.instance.rules_of(task) {
            let value = self.instance.value_of(&self.instance.rules()[*rule as usize], node);
            self.tallies[*rule as usize].change(value, *other, comes);
        }
    }

    /// Whether the rule holds as things stand.
    pub fn holds(&self, rule: RuleId) -> bool {
        self.tallies[rule as usize].holds(&self.instance.rules()[rule as usize])
    }

    /// Takes everything off its node.
    pub fn clear(&mut self) {
        self.tallies.fill(Tally::default());
    }
}

/// Counts by value; values without any task are not there.
#[derive(Clone, Debug, Default)]
struct Tally {
    members: FxHashMap<u32, u32>,
    /// Of `near`'s other tasks.
    others: FxHashMap<u32, u32>,
    placed: u32,
    others_placed: u32,
}

impl Tally {
    /// Whether one more of the rule's tasks may go to the node.
    fn allows(&self, instance: &Instance, id: RuleId, node: NodeId) -> bool {
        let rule = &instance.rules()[id as usize];
        if rule.ask == Ask::Gang {
            return true;
        }
        let Some(value) = instance.value_of(rule, node) else { return false };
        let fits = match &rule.ask {
            Ask::Near { .. } => self.others.contains_key(&value),
            Ask::Spread { max_skew: Some(skew), .. } => {
                let least = self.least(rule, Some(value));
                let here = self.members.get(&value).copied().unwrap_or(0);
                let full = here + 1 + rule.present_on(value);
                full - least.min(full) <= *skew
            }
            _ => true,
        };
        fits && self.allows_values(rule, value)
    }

    /// Whether the rule may hold in the end with one more of its tasks, or of `near`'s others, on the
    /// node.
    fn may_hold(&self, instance: &Instance, id: RuleId, other: bool, node: NodeId) -> bool {
        let rule = &instance.rules()[id as usize];
        let value = instance.value_of(rule, node);
        match (&rule.ask, value) {
            (Ask::Near { others }, _) => {
                // Each value without any of the others needs one that has no place yet.
                let left = others.len() as u32 - self.others_placed - u32::from(other);
                let comes = value.filter(|_| other);
                let alone = |at: &u32| !self.others.contains_key(at) && comes != Some(*at);
                let more = value.filter(|at| !other && !self.members.contains_key(at));
                let lack = self.members.keys().copied().chain(more).filter(alone).count();
                (other || value.is_some()) && lack as u32 <= left
            }
            (Ask::Spread { max_skew: Some(skew), .. }, Some(value)) => {
                let held = |at: u32| {
                    let here = self.members.get(&at).copied().unwrap_or(0);
                    here + rule.present_on(at) + u32::from(at == value)
                };
                let used = self.members.keys().copied().chain([value]);
                let most = used.map(held).max().unwrap_or(0);
                let lack = rule
                    .values
                    .iter()
                    .map(|at| most.saturating_sub(held(*at).saturating_add(*skew)));
                let left = rule.tasks.len() as u32 - self.placed - 1;
                lack.map(u64::from).sum::<u64>() <= u64::from(left)
                    && self.allows_values(rule, value)
            }
            (Ask::Gang, _) => true,
            (_, Some(value)) => self.allows_values(rule, value),
            (_, None) => false,
        }
    }

    /// Whether one more task may be on the value as far as the number of values goes.
    fn allows_values(&self, rule: &Rule, value: u32) -> bool {
        let here = self.members.get(&value).copied().unwrap_or(0);
        let distinct = self.members.len() as u32 + u32::from(here == 0);
        match &rule.ask {
            Ask::Gang | Ask::Near { .. } => true,
            Ask::Apart => here == 0,
            Ask::Together => distinct <= 1,
            Ask::Spread { at_least, at_most, .. } => {
                let left = rule.tasks.len() as u32 - self.placed - 1;
                distinct <= *at_most && distinct + left >= *at_least
            }
        }
    }

    /// Fewest tasks on any value that could have some, `extra` having one more.
    fn least(&self, rule: &Rule, extra: Option<u32>) -> u32 {
        let count = |value: &u32| {
            let here = self.members.get(value).copied().unwrap_or(0) + rule.present_on(*value);
            here + u32::from(extra == Some(*value))
        };
        rule.values.iter().map(count).min().unwrap_or(0)
    }

    fn change(&mut self, value: Option<u32>, other: bool, more: bool) {
        let placed = if other { &mut self.others_placed } else { &mut self.placed };
        *placed = if more { *placed + 1 } else { *placed - 1 };
        let Some(value) = value else { return };
        let counts = if other { &mut self.others } else { &mut self.members };
        let count = counts.entry(value).or_insert(0);
        *count = if more { *count + 1 } else { *count - 1 };
        if *count == 0 {
            counts.remove(&value);
        }
    }

    /// Whether the rule holds as things stand.
    fn holds(&self, rule: &Rule) -> bool {
        if self.placed == 0 {
            return true;
        }
        match &rule.ask {
            Ask::Gang => self.placed as usize == rule.tasks.len(),
            Ask::Together => self.members.len() <= 1,
            Ask::Apart => self.members.values().all(|count| *count <= 1),
            Ask::Near { .. } => self.members.keys().all(|value| self.others.contains_key(value)),
            Ask::Spread { at_least, at_most, max_skew } => {
                let distinct = self.members.len() as u32;
                let even = max_skew.is_none_or(|skew| {
                    let counts = self.members.iter();
                    let most = counts.map(|(v, count)| count + rule.present_on(*v)).max();
                    most.unwrap_or(0).saturating_sub(self.least(rule, None)) <= skew
                });
                (*at_least..=*at_most).contains(&distinct) && even
            }
        }
    }
}
