//! Rules as they are written: on a gang's task where they can stand there, else as rules of their
//! own. For JSON and for tables.

use super::as_written::decimal;
use super::part::Part;
use super::rule_file::{AskFile, LaterFile, RuleFile, SpreadFile, WhenFile};
use super::time_file::WhenText;
use super::values::{Id, OneOrMany, Ordered, Quantity};
use base::error::Result;
use model::{Ask, Decimal, Gang, Instance, Limit, MOVED, Rule, TaskId};

/// The label that a rule is over.
pub(super) fn over<'a>(instance: &'a Instance, rule: &Rule) -> &'a str {
    &instance.label_values()[rule.over as usize].key
}

/// The rules within the task's gang that stand on the task itself, where they can: one of each.
pub(super) fn within(instance: &Instance, task: TaskId) -> [Option<&Rule>; 3] {
    let own = |wanted: fn(&Ask) -> bool| {
        let (gang, _) = instance.gang_of(task)?;
        let rules = instance.rules_of(gang.first).iter();
        rules.map(|(rule, _)| &instance.rules()[*rule as usize]).find(|rule| {
            let all = rule.tasks.len() == gang.size as usize && rule.tasks[0] == gang.first;
            all && rule.present.is_empty()
                && rule.tasks.last().is_some_and(|last| last.0 == gang.first.0 + gang.size - 1)
                && wanted(&rule.ask)
        })
    };
    [
        own(|ask| *ask == Ask::Together),
        own(|ask| *ask == Ask::Apart),
        own(|ask| matches!(ask, Ask::Spread { .. })),
    ]
}

/// Which rules speak of the part's tasks and, where they are limits, see any of its nodes.
fn rules_of(instance: &Instance, part: &Part) -> Vec<bool> {
    let sees = |rule: &Rule| {
        let mut own = instance.node_ids().filter(|node| part.nodes[node.index()]);
        rule.limit().is_none() || own.any(|node| instance.value_of(rule, node).is_some())
    };
    let own = |rule: &Rule| rule.tasks.iter().any(|task| part.tasks[task.index()]);
    instance.rules().iter().map(|rule| own(rule) && sees(rule)).collect()
}

/// Which resources limits of the part name.
pub(super) fn limited(instance: &Instance, part: &Part) -> Vec<bool> {
    let mut named = vec![false; instance.resources().len()];
    let own = instance.rules().iter().zip(rules_of(instance, part)).filter(|(_, own)| *own);
    for (rule, _) in own {
        if let Some(r) = rule.limit().and_then(|limit| limit.resource) {
            named[r] = true;
        }
    }
    named
}

/// Rules of the part's tasks that do not stand on a gang.
///
/// # Errors
/// A limit that cannot be written exactly.
pub(super) fn rule_files(instance: &Instance, part: &Part) -> Result<Vec<RuleFile>> {
    let stands_on_gang = |rule: &Rule| {
        let whole = |gang: &Gang| {
            let last = gang.first.0 + gang.size - 1;
            rule.tasks.len() == gang.size as usize && rule.tasks.last() == Some(&TaskId(last))
        };
        let gang = instance.gang_of(rule.tasks[0]).map(|(gang, _)| gang);
        (rule.all_or_none() && gang.is_some_and(whole))
            || within(instance, rule.tasks[0]).iter().flatten().any(|own| std::ptr::eq(*own, rule))
    };
    let ids = |tasks: &[TaskId]| {
        let own = tasks.iter().filter(|task| part.tasks[task.index()]);
        let mut ids: Vec<String> = own.map(|task| instance.job_name(*task).to_owned()).collect();
        ids.dedup();
        OneOrMany(ids)
    };
    let of_moves = instance.budgets().iter().map(|budget| RuleFile {
        id: Some(Id(budget.name.clone())),
        rule: Some(AskFile(Ask::Limit(Limit::default()).info())),
        tasks: Some(ids(&budget.tasks)),
        at_most: Decimal::from_integer(i64::from(budget.at_once)).ok().map(Quantity),
        resource: Some(MOVED.to_owned()),
        ..RuleFile::default()
    });
    let of_moves = of_moves.filter(|rule| rule.tasks.as_ref().is_some_and(|ids| !ids.0.is_empty()));
    // Wishes hold nothing together: those of a part are about what it has of their tasks.
    let here = |task: TaskId| part.tasks[task.index()];
    let wished: Vec<(Rule, i64)> = (instance.wishes().iter())
        .filter(|wish| wish.rule.tasks.iter().any(|task| here(*task)))
        .filter_map(|wish| {
            let whole = wish.rule.everyone().all(here);
            let ask = wish.rule.ask.of_those(whole, Some)?;
            let nothing = Ask::spread(None, None, None);
            (ask != nothing).then(|| (Rule { ask, ..wish.rule.clone() }, wish.price))
        })
        .collect();
    let own = instance.rules().iter().zip(rules_of(instance, part));
    let own = own.filter(|(rule, own)| *own && !stands_on_gang(rule));
    let own = own.map(|(rule, _)| (rule, None));
    own.chain(wished.iter().map(|(rule, price)| (rule, Some(*price))))
        .map(|(rule, price)| {
            let price = price.map(|price| decimal(&instance.soft_scale().show(price)));
            let spread = SpreadFile::of(&rule.ask, over(instance, rule));
            let limit = rule.limit();
            let most = match (&spread, limit) {
                (Some(spread), _) => spread.at_most.map(|most| most.to_string()),
                (None, limit) => limit.map(|limit| instance.show_limited(limit, limit.at_most)),
            };
            Ok(RuleFile {
                id: Some(Id(rule.name.clone())),
                rule: Some(AskFile(rule.ask.info())),
                tasks: Some(ids(&rule.tasks)),
                over: Some(over(instance, rule).to_owned())
                    .filter(|over| rule.has_places() && (limit.is_none() || !over.is_empty())),
                at_least: spread.as_ref().and_then(|s| s.at_least),
                at_most: most.map(|most| decimal(&most)).transpose()?.map(Quantity),
                max_skew: spread.as_ref().and_then(|s| s.max_skew),
                price: price.transpose()?.map(Quantity),
                present: Ordered(named(instance, rule, part, rule.present.iter().copied())),
                near: Some(rule.ask.others()).filter(|others| !others.is_empty()).map(ids),
                resource: limit.map(|limit| instance.limited(limit).to_owned()),
                values: limit
                    .map(|limit| {
                        let values = limit.values.iter().map(|value| (*value, ()));
                        let own = named(instance, rule, part, values).into_iter();
                        own.map(|(value, ())| value).collect::<Vec<_>>()
                    })
                    .filter(|values| !values.is_empty())
                    .map(OneOrMany),
                when: match rule.as_one {
                    true => Some(WhenFile::AsOne),
                    false => limit.filter(|limit| limit.always).map(|_| WhenFile::Always),
                },
                later: limit.map_or(Ok(Vec::new()), |limit| later(instance, limit))?,
                ..RuleFile::default()
            })
        })
        .chain(of_moves.map(Ok))
        .collect()
}

/// How much there may be from times on.
fn later(instance: &Instance, limit: &Limit) -> Result<Vec<LaterFile>> {
    let each = limit.later.iter().map(|(from, most)| {
        let at_most = Quantity(decimal(&instance.show_limited(limit, *most))?);
        Ok(LaterFile { from: WhenText::after_start(*from), at_most })
    });
    each.collect()
}

/// Those of the values that nodes of the part have, by name, with what goes with them.
fn named<T>(
    instance: &Instance,
    rule: &Rule,
    part: &Part,
    values: impl Iterator<Item = (u32, T)>,
) -> Vec<(String, T)> {
    let label = &instance.label_values()[rule.over as usize];
    // What no node has at all is nobody else's either.
    let had = |value: u32| {
        let mut of = label.of.iter().zip(&part.nodes).filter(|(v, _)| **v == value).peekable();
        of.peek().is_none() || of.any(|(_, own)| *own)
    };
    let own = values.filter(|(value, _)| had(*value));
    own.map(|(value, with)| (label.values[value as usize].clone(), with)).collect()
}
