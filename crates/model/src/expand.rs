//! Gangs into units, and rules into the tasks they mean.

use std::ops::Range;

use rustc_hash::{FxHashMap, FxHashSet};

use super::budget::at_once;
use super::draft::{DraftError, DraftItem, RuleDraft, Whom, error, index_ids};
use super::names::Names;
use super::parts::Rules;
use super::resolve::Resolve;
use super::rule::{WHOLE, read_limit, spread_objection, whole};
use super::{Ask, Budget, Draft, Field, Gang, Instance, LabelId, LabelValues, Rule, TaskId, Wish};
use base::nearest;

/// Most tasks that an instance has, the units of its gangs counted one by one.
pub const MOST_TASKS: usize = 10_000_000;

/// Most bytes of all their names.
const MOST_BYTES: usize = u32::MAX as usize;

/// Most entries of a table with a row for every unit: pairs, tasks under rules, tasks that others
/// come after.
pub(super) const MOST_ENTRIES: usize = 100_000_000;

/// The tasks of an instance: one for each unit of each draft task.
pub(super) struct Units<'a> {
    /// Draft task k has units `start[k]..start[k + 1]`.
    start: Vec<usize>,
    at: FxHashMap<&'a str, u32>,
}

impl<'a> Units<'a> {
    pub(super) fn of(draft: &'a Draft) -> Result<Units<'a>, DraftError> {
        let at = index_ids(draft.tasks.iter().map(|t| t.id.as_str()), DraftItem::Task)?;
        let mut start = Vec::with_capacity(draft.tasks.len() + 1);
        let (mut next, mut bytes) = (0usize, 0usize);
        for (k, task) in draft.tasks.iter().enumerate() {
            start.push(next);
            let wrong = |cause: String, remedy: &str| {
                Err(error(DraftItem::Task(k), "replicas", cause, remedy))
            };
            match task.replicas {
                Some(0) => return wrong("a gang of no units".to_owned(), "write 1 or more"),
                None if !task.within.is_empty() => {
                    let (ask, _) = &task.within[0];
                    let cause = format!("`{ask}` is between the units of a gang, and this is none");
                    return wrong(cause, "add replicas, or write a rule between tasks in `rules`");
                }
                replicas => {
                    let units = replicas.unwrap_or(1) as usize;
                    next += units;
                    let name = task.id.len() + if replicas.is_some() { 10 } else { 0 };
                    bytes = bytes.saturating_add(units.saturating_mul(name));
                }
            }
            if next > MOST_TASKS {
                let (id, units) = (&task.id, task.replicas.unwrap_or(1));
                let cause = format!(
                    "with the {units} units of `{id}` the instance has {next} tasks, and {MOST_TASKS} is the most"
                );
                return wrong(cause, "use fewer units, or let one task stand for several");
            }
            if bytes > MOST_BYTES {
                let cause =
                    format!("with `{}` the names of all units take more than 4 GiB", task.id);
                return wrong(cause, "use shorter ids");
            }
        }
        start.push(next);
        let units = Units { start, at };
        units.check_names(draft)?;
        Ok(units)
    }

    /// No task is called like a unit of a gang.
    fn check_names(&self, draft: &Draft) -> Result<(), DraftError> {
        for (k, task) in draft.tasks.iter().enumerate() {
            let inside = task.id.strip_suffix(']').and_then(|rest| rest.rsplit_once('['));
            let Some((gang, number)) = inside else { continue };
            let Some(gang) = self.position(gang).map(|at| &draft.tasks[at]) else { continue };
            // As units are numbered: no sign, no zeros in front.
            let unit = number.parse::<u32>().ok().filter(|unit| unit.to_string() == number);
            if unit.is_some_and(|unit| unit < gang.replicas.unwrap_or(0)) {
                let cause = format!("the id `{}` is that of a unit of gang `{}`", task.id, gang.id);
                return Err(error(DraftItem::Task(k), "id", cause, "rename one of the two"));
            }
        }
        Ok(())
    }

    /// Asks for as much memory as lists over so many tasks take, all at once, and gives it back: that
    /// there is not as much is said here, where it still can be.
    pub(super) fn check_memory(&self, resources: usize) -> Result<(), DraftError> {
        let tasks = self.len();
        let bytes = tasks * (64 + 16 * resources);
        let mut all: Vec<u8> = Vec::new();
        // What nobody looks at would not be asked for.
        let there = std::hint::black_box(&mut all).try_reserve_exact(bytes).is_ok();
        if std::hint::black_box(&all).capacity() >= bytes && there {
            return Ok(());
        }
        let cause = format!("{tasks} tasks take some {} MB, and there is less memory", bytes >> 20);
        let remedy = "use fewer units, or a machine with more memory";
        Err(error(DraftItem::Whole, "", cause, remedy))
    }

    /// Number of units.
    pub(super) fn len(&self) -> usize {
        self.start.last().copied().unwrap_or(0)
    }

    /// The draft task of each unit, in order.
    pub(super) fn tasks(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.start.len() - 1).flat_map(|k| self.range(k).map(move |_| k))
    }

    /// The units of draft task `k`.
    pub(super) fn range(&self, k: usize) -> Range<usize> {
        self.start[k]..self.start[k + 1]
    }

    /// The units of the task called `id`.
    pub(super) fn find(&self, id: &str) -> Option<Range<usize>> {
        self.at.get(id).map(|k| self.range(*k as usize))
    }

    /// The draft task called `id`.
    pub(super) fn position(&self, id: &str) -> Option<usize> {
        self.at.get(id).map(|k| *k as usize)
    }

    /// The known id nearest to this one.
    pub(super) fn nearest(&self, id: &str) -> Option<String> {
        nearest(id, self.at.keys().copied())
    }

    pub(super) fn names(&self, draft: &Draft) -> Names {
        let mut names = Names::default();
        for (k, task) in draft.tasks.iter().enumerate() {
            match task.replicas {
                None => names.push(&task.id),
                Some(_) => {
                    (0..self.range(k).len()).for_each(|unit| names.push_unit(&task.id, unit));
                }
            }
        }
        names
    }

    pub(super) fn gangs(&self, draft: &Draft) -> Vec<Gang> {
        let gangs = draft.tasks.iter().enumerate().filter(|(_, task)| task.replicas.is_some());
        gangs
            .map(|(k, task)| {
                let range = self.range(k);
                Gang {
                    name: task.id.clone(),
                    first: TaskId::from(range.start),
                    size: range.len() as u32,
                }
            })
            .collect()
    }

    /// Labels that rules look at, for each draft task under such a rule.
    pub(super) fn labels<'d>(&self, draft: &'d Draft) -> FxHashMap<usize, Vec<&'d String>> {
        let mut labels: FxHashMap<usize, Vec<&String>> = FxHashMap::default();
        let mut add = |k: usize, label: &'d String| {
            let list = labels.entry(k).or_default();
            if !list.contains(&label) {
                list.push(label);
            }
        };
        for (k, task) in draft.tasks.iter().enumerate() {
            for (_, over) in task.within.iter().filter(|(_, over)| over != NODE) {
                add(k, over);
            }
        }
        // What a limit does not see it does not count, and what is only wished nobody has to keep.
        let asks =
            |rule: &&RuleDraft| rule.over != NODE && rule.limit.is_none() && rule.price.is_none();
        for rule in draft.rules.iter().filter(asks) {
            // Unknown names are reported when the rules are resolved.
            for (_, tasks) in self.members(draft, &rule.whom).unwrap_or_default() {
                tasks.into_iter().for_each(|k| add(k, &rule.over));
            }
        }
        labels
    }

    /// The units of these draft tasks.
    fn units_of(&self, tasks: &[usize]) -> Vec<TaskId> {
        tasks.iter().flat_map(|k| self.range(*k).map(TaskId::from)).collect()
    }

    /// The groups of draft tasks that a rule means, with what to call each. `Err` has
    /// the name that there is none of.
    fn members(&self, draft: &Draft, whom: &Whom) -> Result<Vec<(String, Vec<usize>)>, String> {
        match whom {
            Whom::Tasks(ids) => {
                let find = |id: &String| self.position(id).ok_or_else(|| id.clone());
                let mut tasks: Vec<usize> = ids.iter().map(find).collect::<Result<_, _>>()?;
                tasks.sort_unstable();
                tasks.dedup();
                Ok(vec![(ids.join(", "), tasks)])
            }
            Whom::Group(name) => {
                let own = |k: &usize| draft.tasks[*k].groups.contains(name);
                let tasks: Vec<usize> = (0..draft.tasks.len()).filter(own).collect();
                if tasks.is_empty() { Err(name.clone()) } else { Ok(vec![(name.clone(), tasks)]) }
            }
            Whom::EachKey => Ok(self.each(draft, |k| draft.tasks[k].key.iter().collect())),
            Whom::EachGroup => Ok(self.grouped(draft)),
        }
    }

    /// Tasks by the groups they name, in order of first appearance.
    fn grouped(&self, draft: &Draft) -> Vec<(String, Vec<usize>)> {
        self.each(draft, |k| draft.tasks[k].groups.iter().collect())
    }

    /// The same, with all units of the tasks.
    pub(super) fn groups(&self, draft: &Draft) -> Vec<(String, Vec<TaskId>)> {
        let groups = self.grouped(draft).into_iter();
        groups.map(|(name, tasks)| (name, self.units_of(&tasks))).collect()
    }

    /// Tasks by a name they share, in order of first appearance.
    fn each<'d>(
        &self,
        draft: &'d Draft,
        names: impl Fn(usize) -> Vec<&'d String>,
    ) -> Vec<(String, Vec<usize>)> {
        let mut at: FxHashMap<&String, usize> = FxHashMap::default();
        let mut list: Vec<(String, Vec<usize>)> = Vec::new();
        for k in 0..draft.tasks.len() {
            for name in names(k) {
                let place = *at.entry(name).or_insert_with(|| {
                    list.push((name.clone(), Vec::new()));
                    list.len() - 1
                });
                list[place].1.push(k);
            }
        }
        list
    }
}

/// What rules call the node itself among labels.
pub(super) const NODE: &str = "node";

/// Gangs and rules as the instance's, and how many may move at once. `prices` has that of each of
/// the draft's rules, in soft units.
pub(super) fn resolve_rules(
    instance: &Instance,
    draft: &Draft,
    units: &Units,
    prices: &[i64],
) -> Result<(Rules, Vec<Budget>), DraftError> {
    let labels = vec![of_nodes(draft)];
    let resolve = Resolve::of(draft);
    let mut budgets = Vec::new();
    let mut list = Resolved {
        instance,
        draft,
        labels,
        whole: None,
        rules: Vec::new(),
        wishes: Vec::new(),
        most: 0,
        entries: 0,
    };
    let mut gangs: FxHashSet<(TaskId, TaskId, usize)> = FxHashSet::default();
    let ends = |tasks: &[TaskId]| (tasks[0], tasks[tasks.len() - 1], tasks.len());
    for (k, task) in draft.tasks.iter().enumerate().filter(|(_, task)| task.replicas.is_some()) {
        let tasks: Vec<TaskId> = units.range(k).map(TaskId::from).collect();
        gangs.insert(ends(&tasks));
        let name = format!("gang {}", task.id);
        let item = DraftItem::Task(k);
        list.add(item, "", (name, Ask::Gang), 0, tasks.clone(), &[])?;
        for (ask, over) in &task.within {
            let label = list.label(item, &ask.to_string(), over)?;
            let name = format!("{ask} over {over} within {}", task.id);
            list.add(item, &ask.to_string(), (name, ask.clone()), label, tasks.clone(), &[])?;
        }
    }
    for (k, rule) in draft.rules.iter().enumerate() {
        let item = DraftItem::Rule(k);
        if let Some(at_once) = at_once(item, rule)? {
            for (whose, mut tasks) in list.members(item, units, &rule.whom, "tasks")? {
                let name = match (&rule.name, &rule.whom) {
                    (Some(name), Whom::Tasks(_) | Whom::Group(_)) => name.clone(),
                    (Some(name), _) => format!("{name} {whose}"),
                    (None, _) => format!("moves of {whose}"),
                };
                tasks.sort_unstable();
                tasks.dedup();
                budgets.push(Budget { name, tasks, at_once });
            }
            continue;
        }
        let label = match (&rule.limit, rule.over.as_str()) {
            (Some(_), WHOLE) => list.whole(),
            (_, over) => list.label(item, "over", over)?,
        };
        let ask = match (&rule.ask, &rule.near) {
            (Ask::Near { .. }, Some(near)) => {
                let mut groups = list.members(item, units, near, "near")?;
                match (groups.pop(), groups.is_empty()) {
                    (Some((_, others)), true) => Ask::Near { others },
                    _ => {
                        let cause = "near wants one group of tasks".to_owned();
                        return Err(error(item, "near", cause, "name a group or tasks"));
                    }
                }
            }
            (ask, _) => ask.clone(),
        };
        let limit = rule.limit.as_ref();
        let limit = limit
            .map(|draft| read_limit(instance, item, draft, &list.labels[label as usize], &resolve));
        let limit = limit.transpose()?;
        for (whose, tasks) in list.members(item, units, &rule.whom, "tasks")? {
            let ask = match &limit {
                Some(limit) => Ask::Limit(limit.counting(instance, &tasks)),
                None => ask.clone(),
            };
            if ask == Ask::Gang && gangs.contains(&ends(&tasks)) {
                // A job of several units starts as one anyhow.
                continue;
            }
            let made_up = || {
                let of = rule.limit.iter().map(|limit| format!(" on {}", limit.resource));
                let over = Some(&rule.over).filter(|over| *over != WHOLE);
                let over = over.map_or(String::new(), |over| format!(" over {over}"));
                format!("{ask}{}{over} of {whose}", of.collect::<String>())
            };
            let name = match (&rule.name, &rule.whom) {
                (Some(name), Whom::Tasks(_) | Whom::Group(_)) => name.clone(),
                (Some(name), _) => format!("{name} {whose}"),
                (None, _) => made_up(),
            };
            list.add(item, "", (name, ask.clone()), label, tasks, &rule.present)?;
            let Some(mut own) = list.rules.pop() else { continue };
            own.as_one = rule.as_one;
            match rule.price {
                None => list.rules.push(own),
                Some(_) => list.wish(item, own, prices[k])?,
            }
        }
    }
    Ok((Rules::of(instance, list.rules, list.wishes, list.labels), budgets))
}

/// The rules of a draft as far as they are resolved.
struct Resolved<'a> {
    instance: &'a Instance,
    draft: &'a Draft,
    labels: Vec<LabelValues>,
    whole: Option<LabelId>,
    rules: Vec<Rule>,
    wishes: Vec<Wish>,
    /// What breaches of all wishes cost at most.
    most: i128,
    /// Tasks under all rules, each counted under each.
    entries: usize,
}

impl Resolved<'_> {
    /// What limits on the plan as a whole are over.
    fn whole(&mut self) -> LabelId {
        *self.whole.get_or_insert_with(|| {
            self.labels.push(whole(self.draft.nodes.len()));
            self.labels.len() as LabelId - 1
        })
    }

    /// The label's number; a label that no node has is an error.
    fn label(&mut self, item: DraftItem, field: &str, key: &str) -> Result<LabelId, DraftError> {
        let mut known = self.labels.iter().zip(0..);
        let same =
            |(known, at): &(&LabelValues, LabelId)| known.key == key && Some(*at) != self.whole;
        if let Some((_, at)) = known.find(same) {
            return Ok(at);
        }
        let mut values: Vec<String> = Vec::new();
        let mut at: FxHashMap<&str, u32> = FxHashMap::default();
        let mut of = Vec::with_capacity(self.instance.nodes());
        for node in self.instance.node_ids() {
            let value =
                self.instance.labels(node).iter().find(|(known, _)| known == key).map(|(_, v)| v);
            of.push(value.map_or(LabelValues::NONE, |value| {
                *at.entry(value).or_insert_with(|| {
                    values.push(value.clone());
                    values.len() as u32 - 1
                })
            }));
        }
        if values.is_empty() {
            let known = self.instance.node_ids().flat_map(|node| self.instance.labels(node));
            let near = nearest(key, known.map(|(key, _)| key.as_str()).chain([NODE]));
            let remedy = near.map_or_else(
                || "rules are over `node` or over a label of nodes".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            return Err(error(item, field, format!("no node has a label `{key}`"), &remedy));
        }
        self.labels.push(LabelValues { key: key.to_owned(), values, of });
        Ok(self.labels.len() as LabelId - 1)
    }

    fn members(
        &self,
        item: DraftItem,
        units: &Units,
        whom: &Whom,
        field: &str,
    ) -> Result<Vec<(String, Vec<TaskId>)>, DraftError> {
        let groups = units.members(self.draft, whom).map_err(|name| {
            let (what, near) = match whom {
                Whom::Group(_) => {
                    let groups = self.draft.tasks.iter().flat_map(|task| &task.groups);
                    ("group", nearest(&name, groups.map(String::as_str)))
                }
                _ => ("task", units.nearest(&name)),
            };
            let remedy = near.map_or_else(String::new, |near| format!("did you mean `{near}`?"));
            error(item, field, format!("there is no {what} `{name}`"), &remedy)
        })?;
        if groups.is_empty() || groups.iter().any(|(_, tasks)| tasks.is_empty()) {
            let cause = "this rule concerns no task".to_owned();
            let remedy = "name tasks or a group, or give tasks keys or groups";
            return Err(error(item, field, cause, remedy));
        }
        Ok(groups.into_iter().map(|(name, tasks)| (name, units.units_of(&tasks))).collect())
    }

    /// Takes a rule in that may be broken.
    fn wish(&mut self, item: DraftItem, rule: Rule, price: i64) -> Result<(), DraftError> {
        if !rule.ask.info().fields.contains(&Field::Price) {
            let cause = format!("a {} cannot be broken at a price", rule.ask);
            return Err(error(item, "price", cause, "leave `price` away"));
        }
        let there = rule.present.iter().map(|(_, count)| i128::from(*count)).max();
        let breaches = 3 * rule.tasks.len() as i128 + there.unwrap_or(0);
        self.most += i128::from(price) * breaches;
        if self.most >= 1 << 60 {
            let cause = "what broken rules may cost adds up to more than 2^60 steps".to_owned();
            return Err(error(item, "price", cause, "use smaller prices, or fewer decimals"));
        }
        self.wishes.push(Wish { rule, price });
        Ok(())
    }

    fn add(
        &mut self,
        item: DraftItem,
        field: &str,
        (name, ask): (String, Ask),
        over: LabelId,
        tasks: Vec<TaskId>,
        there: &[(String, u32)],
    ) -> Result<(), DraftError> {
        if let Ask::Spread { at_least, at_most, max_skew } = ask {
            let objection = spread_objection((at_least, at_most, max_skew), tasks.len());
            if let Some((cause, remedy)) = objection {
                return Err(error(item, field, cause, remedy));
            }
        }
        self.entries += tasks.len();
        if self.entries > MOST_ENTRIES {
            let cause = format!("rules concern more than {MOST_ENTRIES} tasks in all");
            return Err(error(item, field, cause, "let rules concern fewer tasks"));
        }
        let label = &mut self.labels[over as usize];
        let mut present: Vec<(u32, u32)> = Vec::with_capacity(there.len());
        let mut at: FxHashMap<String, u32> = match there {
            [] => FxHashMap::default(),
            _ => label.values.iter().zip(0..).map(|(value, k)| (value.clone(), k)).collect(),
        };
        for (value, count) in there {
            let known = match at.get(value.as_str()) {
                Some(known) => *known,
                // A value without nodes can only be empty; nodes themselves are all there.
                None if *count == 0 && over > 0 => {
                    label.values.push(value.clone());
                    at.insert(value.clone(), label.values.len() as u32 - 1);
                    label.values.len() as u32 - 1
                }
                None => {
                    let cause = format!("no node has {} = {value}", label.key);
                    return Err(error(item, "present", cause, "name values that nodes have"));
                }
            };
            present.push((known, *count));
        }
        present.sort_unstable();
        if let Some(twice) = present.windows(2).find(|w| w[0].0 == w[1].0) {
            let cause = format!("{} is counted twice", label.values[twice[0].0 as usize]);
            return Err(error(item, "present", cause, "name each value once"));
        }
        let (values, as_one) = (Vec::new(), false);
        self.rules.push(Rule { name, ask, over, tasks, values, present, as_one });
        Ok(())
    }
}

/// Every node is its own value.
fn of_nodes(draft: &Draft) -> LabelValues {
    LabelValues {
        key: NODE.to_owned(),
        values: draft.nodes.iter().map(|node| node.id.clone()).collect(),
        of: (0..draft.nodes.len() as u32).collect(),
    }
}
