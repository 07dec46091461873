//! Where the tasks of each rule are, counted by value, so that a change looks at its own rules only.

use rustc_hash::FxHashMap;

use crate::{Instance, NodeId, Rule, RuleId, RuleShape, TaskId};

/// What the rules between tasks say of placements, whatever the loads.
#[derive(Clone, Debug)]
pub struct Ties<'a> {
    instance: &'a Instance,
    /// One a rule.
    tallies: Vec<Tally>,
    /// The plan has times.
    timed: bool,
}

impl<'a> Ties<'a> {
    /// Nothing placed yet.
    pub fn new(instance: &'a Instance) -> Ties<'a> {
        let tally = |rule: &Rule| {
            let values = instance.label_values()[rule.over as usize].values.len();
            Tally {
                members: Counts::new(values, rule.tasks.len()),
                others: Counts::new(values, rule.ask.others().len()),
                ..Tally::default()
            }
        };
        let tallies = instance.rules().iter().map(tally).collect();
        Ties { instance, tallies, timed: instance.is_timed() }
    }

    /// The first rule that forbids an unplaced task on the node as things stand.
    pub fn refuses(&self, task: TaskId, node: NodeId) -> Option<RuleId> {
        let refuses = |(id, other): &&(RuleId, bool)| {
            let (rule, tally) = self.rule(*id);
            let value = self.instance.value_of(rule, node);
            !other && !self.apart(rule) && !tally.allows(rule, value, rule.adds(task, node))
        };
        self.instance.rules_of(task).iter().find(refuses).map(|(rule, _)| *rule)
    }

    /// Whether a limit on the plan as a whole has no room for the task, wherever it would go.
    pub fn shut(&self, task: TaskId) -> bool {
        self.instance.rules_of(task).iter().any(|(id, other)| {
            let (rule, tally) = self.rule(*id);
            let Some(limit) = rule.limit() else { return false };
            let whole = self.instance.label_values()[rule.over as usize].key.is_empty();
            let same = limit.amounts_of(task).len() <= 1;
            let full = tally.members.get(0) + limit.base(task) > limit.at_most;
            !other && whole && same && full && !self.apart(rule)
        })
    }

    /// Whether some rule cannot hold any more with an unplaced task on the node, whatever becomes of
    /// the others that have no place: unlike [`Ties::refuses`] it asks nothing of the order in which
    /// tasks come.
    pub fn rules_out(&self, task: TaskId, node: NodeId) -> Option<RuleId> {
        let out = |(id, other): &&(RuleId, bool)| {
            let (rule, tally) = self.rule(*id);
            let value = self.instance.value_of(rule, node);
            !self.apart(rule) && !tally.may_hold(rule, *other, value, rule.adds(task, node))
        };
        self.instance.rules_of(task).iter().find(out).map(|(rule, _)| *rule)
    }

    /// A task comes to the node, or leaves it.
    pub fn change(&mut self, task: TaskId, node: NodeId, comes: bool) {
        for (id, other) in self.instance.rules_of(task) {
            let rule = &self.instance.rules()[*id as usize];
            if self.apart(rule) {
                continue;
            }
            let (tally, by) = (&mut self.tallies[*id as usize], if comes { 1 } else { -1 });
            let (shape, value) = (rule.shape(), self.instance.value_of(rule, node));
            match shape {
                RuleShape::Sum { at_most, .. } => {
                    let by = by * shape.adds(task, node);
                    value.into_iter().for_each(|value| tally.charge(value, by, at_most));
                }
                _ => tally.change(rule, value, *other, by),
            }
        }
    }

    /// Whether the rule holds as things stand.
    pub fn holds(&self, rule: RuleId) -> bool {
        let (rule, tally) = self.rule(rule);
        self.apart(rule) || tally.holds(rule)
    }

    /// Whether every rule that concerns the task holds.
    pub fn hold(&self, task: TaskId) -> bool {
        self.instance.rules_of(task).iter().all(|(rule, _)| self.holds(*rule))
    }

    /// Takes everything off its node.
    pub fn clear(&mut self) {
        self.tallies.iter_mut().for_each(Tally::clear);
    }

    /// Whether the rule is a limit at every instant, of which a placement says nothing.
    fn apart(&self, rule: &Rule) -> bool {
        self.timed && rule.instant().is_some()
    }

    fn rule(&self, id: RuleId) -> (&'a Rule, &Tally) {
        (&self.instance.rules()[id as usize], &self.tallies[id as usize])
    }
}

/// How many there are of each value. Nothing is allocated before the first comes.
#[derive(Clone, Debug)]
enum Counts {
    /// By value, as far as any was seen.
    Dense(Vec<i64>),
    /// Values that have any.
    Sparse(FxHashMap<u32, i64>),
}

impl Default for Counts {
    fn default() -> Counts {
        Counts::Dense(Vec::new())
    }
}

impl Counts {
    /// For about `tasks` tasks on one of `values` values each.
    fn new(values: usize, tasks: usize) -> Counts {
        match values <= 4 * tasks + 64 {
            true => Counts::Dense(Vec::new()),
            false => Counts::Sparse(FxHashMap::default()),
        }
    }

    fn get(&self, value: u32) -> i64 {
        match self {
            Counts::Dense(list) => list.get(value as usize).copied().unwrap_or(0),
            Counts::Sparse(map) => map.get(&value).copied().unwrap_or(0),
        }
    }

    /// The count after the change.
    fn add(&mut self, value: u32, by: i64) -> i64 {
        match self {
            Counts::Dense(list) => {
                let at = value as usize;
                list.resize(list.len().max(at + 1), 0);
                list[at] += by;
                list[at]
            }
            Counts::Sparse(map) => {
                let count = map.entry(value).or_insert(0);
                *count += by;
                let now = *count;
                if now == 0 {
                    map.remove(&value);
                }
                now
            }
        }
    }

    /// The most that `of` makes of any value and its count, of those with any.
    fn most(&self, of: impl Fn(u32, i64) -> i64) -> Option<i64> {
        match self {
            Counts::Dense(list) => {
                let used = (0..).zip(list).filter(|(_, count)| **count != 0);
                used.map(|(value, count)| of(value, *count)).max()
            }
            Counts::Sparse(map) => map.iter().map(|(value, count)| of(*value, *count)).max(),
        }
    }

    fn clear(&mut self) {
        match self {
            Counts::Dense(list) => list.clear(),
            Counts::Sparse(map) => map.clear(),
        }
    }
}

/// One rule's tasks by value.
#[derive(Clone, Debug, Default)]
struct Tally {
    members: Counts,
    /// Of `near`'s other tasks.
    others: Counts,
    placed: usize,
    others_placed: usize,
    /// Values with a member.
    distinct: usize,
    /// Values with more than a sum may be.
    crowded: usize,
    /// Values with members but none of the others.
    lacking: usize,
}

impl Tally {
    /// One comes (1), or leaves (-1).
    fn change(&mut self, rule: &Rule, value: Option<u32>, other: bool, by: i64) {
        let step = |count: &mut usize, by: i64| *count = count.wrapping_add_signed(by as isize);
        step(if other { &mut self.others_placed } else { &mut self.placed }, by);
        let Some(value) = value.filter(|_| rule.has_places()) else { return };
        // What counts of the first to come is that of the last to go.
        let first = |now: i64| now == (1 + by) / 2;
        if other {
            if first(self.others.add(value, by)) && self.members.get(value) > 0 {
                step(&mut self.lacking, -by);
            }
            return;
        }
        let now = self.members.add(value, by);
        if first(now) {
            step(&mut self.distinct, by);
            if self.others.get(value) == 0 {
                step(&mut self.lacking, by);
            }
        }
    }

    /// What a sum counts on the value changes by so much.
    fn charge(&mut self, value: u32, by: i64, at_most: i64) {
        let now = self.members.add(value, by);
        let over = |count: i64| usize::from(count > at_most);
        self.crowded = self.crowded + over(now) - over(now - by);
    }

    fn clear(&mut self) {
        self.members.clear();
        self.others.clear();
        let (members, others) =
            (std::mem::take(&mut self.members), std::mem::take(&mut self.others));
        *self = Tally { members, others, ..Tally::default() };
    }

    /// Whether one more of the rule's tasks may go to the value; `adds` is what it counts there.
    fn allows(&self, rule: &Rule, value: Option<u32>, adds: i64) -> bool {
        let Some(value) = value else { return !rule.needs_label() };
        match rule.shape() {
            RuleShape::AllOrNone => true,
            RuleShape::Sum { at_most, .. } => self.members.get(value) + adds <= at_most,
            RuleShape::Beside { .. } => self.others.get(value) > 0,
            RuleShape::Values { at_least, at_most, max_skew } => {
                let even = max_skew.is_none_or(|skew| {
                    let full = self.there(rule, value) + 1;
                    full - self.least(rule, Some(value)).min(full) <= i64::from(skew)
                });
                even && self.allows_values(rule, value, (at_least, at_most))
            }
        }
    }

    /// Whether the rule may hold in the end with one more of its tasks, or of its others, on the
    /// value.
    fn may_hold(&self, rule: &Rule, other: bool, value: Option<u32>, adds: i64) -> bool {
        match (rule.shape(), value) {
            (RuleShape::AllOrNone, _) => true,
            (RuleShape::Beside { others }, _) => {
                // Each value without any of the others needs one that has no place yet.
                let left = others.len() - self.others_placed - usize::from(other);
                let bare = |value: u32| self.others.get(value) == 0;
                let used = |value: u32| self.members.get(value) > 0;
                let helped = value.is_some_and(|at| other && bare(at) && used(at));
                let more = value.is_some_and(|at| !other && bare(at) && !used(at));
                let lack = self.lacking + usize::from(more) - usize::from(helped);
                (other || value.is_some()) && lack <= left
            }
            (_, None) => !rule.needs_label(),
            (RuleShape::Sum { at_most, .. }, Some(value)) => {
                self.members.get(value) + adds <= at_most
            }
            (RuleShape::Values { at_least, at_most, max_skew }, Some(value)) => {
                let even = max_skew.is_none_or(|skew| {
                    let here = self.there(rule, value) + 1;
                    let most =
                        self.members.most(|at, count| count + i64::from(rule.present_on(at)));
                    let floor = most.map_or(here, |most| most.max(here)) - i64::from(skew);
                    let held = |at: u32| self.there(rule, at) + i64::from(at == value);
                    let lack: i64 = rule.values.iter().map(|at| (floor - held(*at)).max(0)).sum();
                    lack <= self.left(rule) as i64
                });
                even && self.allows_values(rule, value, (at_least, at_most))
            }
        }
    }

    /// Whether one more task may be on the value as far as the number of values goes.
    fn allows_values(&self, rule: &Rule, value: u32, (at_least, at_most): (u32, u32)) -> bool {
        let distinct = self.distinct + usize::from(self.members.get(value) == 0);
        distinct <= at_most as usize && distinct + self.left(rule) >= at_least as usize
    }

    /// Tasks that have no place once one more has.
    fn left(&self, rule: &Rule) -> usize {
        rule.tasks.len() - self.placed - 1
    }

    /// Tasks on the value, with those that are not part of the plan.
    fn there(&self, rule: &Rule, value: u32) -> i64 {
        self.members.get(value) + i64::from(rule.present_on(value))
    }

    /// Fewest tasks on any value that could have some, `extra` having one more.
    fn least(&self, rule: &Rule, extra: Option<u32>) -> i64 {
        let count = |value: &u32| self.there(rule, *value) + i64::from(extra == Some(*value));
        rule.values.iter().map(count).min().unwrap_or(0)
    }

    /// Whether the rule holds as things stand.
    fn holds(&self, rule: &Rule) -> bool {
        match rule.shape() {
            RuleShape::Sum { .. } => self.crowded == 0,
            _ if self.placed == 0 => true,
            RuleShape::AllOrNone => self.placed == rule.tasks.len(),
            RuleShape::Beside { .. } => self.lacking == 0,
            RuleShape::Values { at_least, at_most, max_skew } => {
                let even = max_skew.is_none_or(|skew| {
                    let of = |at: u32, count: i64| count + i64::from(rule.present_on(at));
                    let most = self.members.most(of).unwrap_or(0);
                    most - self.least(rule, None) <= i64::from(skew)
                });
                (at_least as usize..=at_most as usize).contains(&self.distinct) && even
            }
        }
    }
}
