//! `limit`: no more of something than so much on each value of a label, or in the whole plan.

use std::borrow::Cow;

use rustc_hash::{FxHashMap, FxHashSet};

use super::info::{Field, Over, Reading, RuleFields, RuleInfo, wrong};
use super::{Ask, LabelValues, Limit};
use crate::draft::{DraftError, DraftItem, LimitDraft, error};
use crate::resolve::Resolve;
use crate::{Decimal, Draft, Instance, Scale, TaskId};
use base::nearest;

pub(super) const INFO: RuleInfo = RuleInfo {
    name: "limit",
    help: "No more of `resource` than `at_most`, on each value or in the whole plan.",
    over: Over::LabelOrPlan,
    fields: &[Field::AtMost, Field::Resource, Field::Values, Field::Later, Field::Always],
    read: of_fields,
};

fn of_fields(fields: &RuleFields) -> Reading {
    let Some(resource) = fields.resource.clone() else {
        return wrong(Field::Resource, "say what is limited: a resource, or `tasks`");
    };
    let Some(at_most) = fields.at_most else {
        return wrong(Field::AtMost, "say how much there may be");
    };
    let (values, later) = (fields.values.clone().unwrap_or_default(), fields.later.clone());
    let limit = LimitDraft { resource, values, at_most, later, always: fields.always };
    Ok((Ask::Limit(Limit::default()), Some(limit)))
}

/// What a limit on the number of tasks has for a resource.
pub(super) const TASKS: &str = "tasks";

/// The key of what is no label of nodes: they all have its one value.
pub(crate) const WHOLE: &str = "";

/// The label of limits on the plan as a whole.
pub(crate) fn whole(nodes: usize) -> LabelValues {
    LabelValues { key: WHOLE.to_owned(), values: vec!["the plan".to_owned()], of: vec![0; nodes] }
}

/// Which resources are the business of limits alone: one names them and no node does.
///
/// # Errors
/// Such a resource is as plain as can be: no cards, nothing that varies or depends on the node.
pub(crate) fn of_limits(draft: &Draft) -> Result<Vec<bool>, DraftError> {
    let limits = draft.rules.iter().filter_map(|rule| rule.limit.as_ref());
    let named: FxHashSet<&str> = limits.map(|limit| limit.resource.as_str()).collect();
    let mut own: Vec<bool> =
        draft.resources.iter().map(|resource| named.contains(resource.name.as_str())).collect();
    for (r, _) in draft.nodes.iter().flat_map(|node| node.capacity.iter().chain(&node.used)) {
        own[*r as usize] = false;
    }
    let refuse = |item, field: &str, r: usize, what: &str| {
        let name = &draft.resources[r].name;
        let cause = format!("{what} `{name}`, which limits alone count: no node has any");
        Err(error(item, &format!("{field}.{name}"), cause, "leave it away, or give nodes some"))
    };
    for (r, resource) in draft.resources.iter().enumerate().filter(|(r, _)| own[*r]) {
        if resource.devices || resource.transient {
            return refuse(
                DraftItem::Resource(r),
                "resources",
                r,
                "there are no cards or moves of",
            );
        }
    }
    for (k, pair) in draft.pairs.iter().enumerate() {
        if let Some((r, _)) = pair.demand.iter().find(|(r, _)| own[*r as usize]) {
            return refuse(DraftItem::Pair(k), "demand", *r as usize, "pairs have no demand for");
        }
    }
    for (k, task) in draft.tasks.iter().enumerate() {
        if let Some((r, _)) = task.deviation.iter().find(|(r, _)| own[*r as usize]) {
            return refuse(DraftItem::Task(k), "demand", *r as usize, "nothing varies in");
        }
    }
    Ok(own)
}

/// The limit that a draft's rule means, of no tasks yet.
pub(crate) fn read(
    instance: &Instance,
    item: DraftItem,
    draft: &LimitDraft,
    label: &LabelValues,
    resolve: &Resolve,
) -> Result<Limit, DraftError> {
    let (resource, scale) = resource(instance, item, &draft.resource)?;
    let known: FxHashMap<&str, u32> = match draft.values.is_empty() {
        true => FxHashMap::default(),
        false => label.values.iter().zip(0..).map(|(value, k)| (value.as_str(), k)).collect(),
    };
    let mut values = Vec::with_capacity(draft.values.len());
    for value in &draft.values {
        let Some(at) = known.get(value.as_str()) else {
            let cause = match label.key.as_str() {
                WHOLE => "values are those of a label".to_owned(),
                key => format!("no node has {key} = {value}"),
            };
            let remedy = "say `over` which label, and name values that nodes have";
            return Err(error(item, "values", cause, remedy));
        };
        values.push(*at);
    }
    values.sort_unstable();
    values.dedup();
    let at_most = steps(draft.at_most, scale);
    let mut later = Vec::with_capacity(draft.later.len());
    for (when, amount) in &draft.later {
        later.push((resolve.at(*when, item, "later")?, steps(*amount, scale)));
    }
    later.sort_by_key(|(from, _)| *from);
    if let Some(same) = later.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        let cause = format!("it is said twice how much there may be from {} s on", same[0].0);
        return Err(error(item, "later", cause, "say it once"));
    }
    if draft.always && !later.is_empty() {
        let cause = "what holds always does not change".to_owned();
        return Err(error(item, "later", cause, "leave `when` away, or `later`"));
    }
    Ok(Limit { resource, amounts: Vec::new(), values, at_most, later, always: draft.always })
}

impl Limit {
    /// The same of these tasks.
    pub(crate) fn counting(&self, instance: &Instance, tasks: &[TaskId]) -> Limit {
        let mut amounts = Vec::new();
        for (r, task) in self.resource.iter().flat_map(|r| tasks.iter().map(|task| (*r, *task))) {
            let usual = instance.stated_demand(task, |own| own == r)[r];
            amounts.push((task, None, usual));
            // Pairs say nothing of what only limits look at.
            let pairs = instance.pairs(task).filter(|_| !instance.resources()[r].limits_only);
            let other = pairs.filter(|pair| pair.demand[r] != usual);
            amounts.extend(other.map(|pair| (task, Some(pair.node), pair.demand[r])));
        }
        Limit { amounts, ..self.clone() }
    }
}

/// What a limit calls so; `None` where it counts tasks.
fn resource(
    instance: &Instance,
    item: DraftItem,
    name: &str,
) -> Result<(Option<usize>, Scale), DraftError> {
    let known = instance.resources().iter().position(|resource| resource.name == name);
    match (known, name) {
        (None, TASKS) => Ok((None, Scale::ONE)),
        (Some(_), TASKS) => {
            let cause = "a limit on `tasks` counts tasks, and a resource is called so too";
            Err(error(item, "resource", cause.to_owned(), "rename the resource"))
        }
        (Some(r), _) => Ok((Some(r), instance.resources()[r].scale)),
        (None, _) => {
            let names = instance.resources().iter().map(|resource| resource.name.as_str());
            let remedy = match nearest(name, names.chain([TASKS])) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "name one that tasks demand, or `tasks`".to_owned(),
            };
            let cause = format!("no task demands any `{name}`");
            Err(error(item, "resource", cause, &remedy))
        }
    }
}

/// So many whole steps are no more than the amount.
fn steps(amount: Decimal, scale: Scale) -> i64 {
    let places = amount.decimals();
    let whole = i128::from(amount.at_places(places).unwrap_or(i64::MAX));
    let den = 10i128.pow(u32::from(places)) * i128::from(scale.num);
    // At most 18 digits and 2^60 steps: no product leaves 128 bits.
    let steps = whole * i128::from(scale.den) / den;
    i64::try_from(steps).unwrap_or(i64::MAX)
}

impl Instance {
    /// What a limit counts, in words: `ansys`, or `tasks`.
    pub fn limited(&self, limit: &Limit) -> &str {
        limit.resource.map_or(TASKS, |r| &self.resources()[r].name)
    }

    /// So much of it as a person would write it.
    pub fn show_limited(&self, limit: &Limit, steps: i64) -> String {
        limit.resource.map_or_else(|| steps.to_string(), |r| self.resources()[r].show(steps))
    }

    /// What the task demands, with what only limits look at, of these resources.
    pub fn stated_demand(&self, task: TaskId, of: impl Fn(usize) -> bool) -> Cow<'_, [i64]> {
        let mut stated = Cow::Borrowed(self.demand(task));
        for (r, column) in self.aside.iter().filter(|(r, _)| of(*r)) {
            stated.to_mut()[*r] = column[task.index()];
        }
        stated
    }
}
