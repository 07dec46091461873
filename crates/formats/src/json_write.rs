//! Writing an instance as JSON, one node, task and pair a line.

use std::io::{self, Write};

use serde::Serialize;

use super::backup_file::BackupFile;
use super::demand_file::DemandFile;
use super::json::{EndingFile, NodeFile, ResourceFile, TaskFile};
use super::move_file::{PairFile, RatioFile, RouteFile, unless_one};
use super::rule_file::{AskFile, RuleFile, SpreadFile};
use super::selection_file::{PreferenceFile, SelectionFile};
use super::time_file::{self, AfterFile, DateText, WhenText, WindowFile};
use super::values::{
    Id, Millis, Object, OneOrMany, Ordered, Portion, Quantity, SCHEMA_VERSION, Seconds,
};
use base::error::{Error, Kind, Result};
use model::{
    self, Ask, Decimal, Gang, Instance, NodeId, Pair, RoomRatio, Rule, Scale, TaskId, gcd,
};

/// Writes the instance as JSON that reads back as an equal instance: the same
/// names, quantities, rules and goal.
///
/// # Errors
/// A writer that fails.
pub fn write_instance(instance: &Instance, to: &mut impl Write) -> Result<()> {
    let all = Part::whole(instance);
    write_part(instance, &all, to)
}

/// Some of an instance's tasks and nodes; units of a gang and tasks of a rule are in it
/// together or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Per task of the instance.
    pub tasks: Vec<bool>,
    /// Per node of the instance.
    pub nodes: Vec<bool>,
}

impl Part {
    /// Every task and every node.
    pub(super) fn whole(instance: &Instance) -> Part {
        Part { tasks: vec![true; instance.tasks()], nodes: vec![true; instance.nodes()] }
    }

    /// Whether the instance's own text may say where the job runs now: on nodes of the
    /// part only.
    fn knows_current(&self, instance: &Instance, job: TaskId) -> bool {
        self.tasks[job.index()]
            && instance.units(job).all(|unit| {
                let node = instance.current(TaskId::from(unit));
                node.is_none_or(|node| self.nodes[node.index()])
            })
    }

    /// Load of the part's nodes that is not the part's: what was there already, and of
    /// transient resources what tasks hold that are new to the part or not in it.
    fn used(&self, instance: &Instance) -> Vec<Vec<i64>> {
        let mut used: Vec<_> = instance.node_ids().map(|n| instance.used(n).to_vec()).collect();
        let strangers = instance.jobs().filter(|job| !self.knows_current(instance, *job));
        for unit in strangers.flat_map(|job| instance.units(job)) {
            let unit = TaskId::from(unit);
            let Some(node) = instance.current(unit) else { continue };
            for (r, demand) in instance.demand_on(unit, node).iter().enumerate() {
                if instance.transient(r) {
                    used[node.index()][r] += demand;
                }
            }
        }
        used
    }
}

/// Writes a part of the instance as an instance of its own. Rules hold where their tasks
/// are; tasks that run on a node outside the part are new to it.
///
/// # Errors
/// A writer that fails.
pub fn write_part(instance: &Instance, part: &Part, to: &mut impl Write) -> Result<()> {
    let has = |node: NodeId| part.nodes[node.index()];
    let nodes = || instance.node_ids().filter(|node| has(*node));
    let jobs = || instance.jobs().filter(|job| part.tasks[job.index()]);
    let resources = instance.resources().iter().enumerate().map(|(r, resource)| {
        let file = ResourceFile {
            unit: resource.unit.clone(),
            devices: resource.devices,
            safety_price: safety_price(instance, r)?.map(Quantity),
            transient: resource.transient,
        };
        Ok((resource.name.clone(), file))
    });
    let resources = Ordered(resources.collect::<Result<_>>()?);
    write(to, format_args!("{{\n\"schema_version\": {SCHEMA_VERSION},\n\"resources\": "))?;
    value(to, &resources)?;
    write(to, format_args!(",\n\"nodes\": "))?;
    let used = part.used(instance);
    list(to, nodes().map(|node| node_file(instance, node, &used[node.index()])))?;
    write(to, format_args!(",\n\"tasks\": "))?;
    let knows = |job| part.knows_current(instance, job);
    list(to, jobs().map(|job| task_file(instance, job, knows(job))))?;
    let pairs = jobs().flat_map(|task| instance.pairs(task).map(move |pair| (task, pair)));
    let mut pairs = pairs.filter(|(_, pair)| has(pair.node)).peekable();
    if pairs.peek().is_some() {
        write(to, format_args!(",\n\"pairs\": "))?;
        list(to, pairs.map(|(task, pair)| pair_file(instance, task, pair)))?;
    }
    let rules = rule_files(instance, part);
    if !rules.is_empty() {
        write(to, format_args!(",\n\"rules\": "))?;
        list(to, rules.into_iter().map(Ok))?;
    }
    let each =
        nodes().flat_map(|from| instance.routes_from(from).map(move |(to, cost)| (from, to, cost)));
    let mut routes = each.filter(|(_, to, _)| has(*to)).peekable();
    if routes.peek().is_some() {
        write(to, format_args!(",\n\"routes\": "))?;
        list(to, routes.map(|(from, to, cost)| route_file(instance, from, to, cost)))?;
    }
    if !instance.ratios().is_empty() {
        write(to, format_args!(",\n\"ratios\": "))?;
        list(to, instance.ratios().iter().map(|ratio| Ok(ratio_file(instance, ratio))))?;
    }
    write(to, format_args!(",\n\"goal\": "))?;
    value(to, &instance.goal().to_string())?;
    if instance.one_task_per_node() {
        write(to, format_args!(",\n\"one_task_per_node\": true"))?;
    }
    if let Some(start) = instance.start() {
        write(to, format_args!(",\n\"start\": "))?;
        value(to, &DateText(start))?;
    }
    if let Some(risk) = instance.risk() {
        write(to, format_args!(",\n\"risk\": "))?;
        match risk.any() {
            true => value(to, &risk.to_string())?,
            false => value(to, &Quantity(risk.chance()))?,
        }
    }
    write(to, format_args!("\n}}\n"))
}

/// Items between brackets, one a line.
fn list<T: Serialize>(to: &mut impl Write, items: impl Iterator<Item = Result<T>>) -> Result<()> {
    for (k, item) in items.enumerate() {
        write(to, format_args!("{}\n  ", if k == 0 { "[" } else { "," }))?;
        value(to, &item?)?;
    }
    write(to, format_args!("\n]"))
}

fn value(to: &mut impl Write, value: &impl Serialize) -> Result<()> {
    serde_json::to_writer(to, value).map_err(|error| io_error(&error.into()))
}

fn write(to: &mut impl Write, text: std::fmt::Arguments) -> Result<()> {
    to.write_fmt(text).map_err(|error| io_error(&error))
}

pub(super) fn io_error(error: &io::Error) -> Error {
    Error::new(Kind::Io, format!("writing failed: {error}"))
}

fn node_file(instance: &Instance, node: NodeId, used: &[i64]) -> Result<NodeFile> {
    let labels = instance.labels(node).clone();
    let (capacity, limit) = (instance.capacity(node), instance.limit(node));
    let kept: Vec<i64> = capacity.iter().zip(limit).map(|(c, limit)| c - limit).collect();
    let traffic = instance.traffic(node);
    Ok(NodeFile {
        id: Id(instance.node_name(node).to_owned()),
        // Zeros too: a resource that no node names is an error when tasks need it.
        capacity: amounts(instance, capacity, |_, _| true)?,
        used: amounts(instance, used, |_, used| used != 0)?,
        ending: (instance.ending(node).iter())
            .map(|(at, ended)| {
                let used = amounts(instance, ended, |_, ended| ended != 0)?;
                Ok(Object(EndingFile { at: WhenText::after_start(*at), used }))
            })
            .collect::<Result<_>>()?,
        labels: Ordered(labels),
        state: instance.state(node).into(),
        price: price(instance, node)?.map(Quantity),
        price_per_hour: price_per_hour(instance, node)?.map(Quantity),
        taints: instance.taints(node).iter().map(ToString::to_string).collect(),
        max_tasks: Some(instance.own_max_tasks(node)).filter(|most| *most < u32::MAX),
        reserve: portions(amounts(instance, &kept, |_, kept| kept != 0)?),
        safety: portions(amounts(instance, instance.safety(node), |_, s| s != i64::MAX)?),
        weight: Some(traffic.weight).filter(|w| *w != Decimal::ONE).map(Quantity),
        connections: traffic.connections,
        response_time: Some(traffic.response_time).filter(|t| !t.is_zero()).map(Millis),
        speed: time_file::speed(instance, node)
            .map(|speed| decimal(&speed))
            .transpose()?
            .map(Quantity),
        available_at: time_file::available_at(instance, node).map(WhenText::after_start),
        closed: time_file::windows(instance, node)
            .iter()
            .map(|(from, to)| {
                let (from, to) = (WhenText::after_start(*from), WhenText::after_start(*to));
                Object(WindowFile { from, to })
            })
            .collect(),
    })
}

fn portions(amounts: Ordered<Quantity>) -> Ordered<Portion> {
    Ordered(
        amounts
            .0
            .into_iter()
            .map(|(name, amount)| (name, Portion(model::Part::Exact(amount.0))))
            .collect(),
    )
}

fn labels(any_of: &[(String, Vec<String>)]) -> Ordered<OneOrMany> {
    Ordered(any_of.iter().cloned().map(|(key, values)| (key, OneOrMany(values))).collect())
}

fn task_file(instance: &Instance, task: TaskId, runs: bool) -> Result<TaskFile> {
    let requirement = instance.requirement(task);
    let gang = instance.gang_of(task).map(|(gang, _)| gang);
    let prefers = requirement.prefers.iter().map(|p| {
        Object(PreferenceFile {
            labels: labels(&p.labels.any_of),
            avoid: labels(&p.labels.none_of),
            weight: Some(p.weight).filter(|w| *w != Decimal::ONE).map(Quantity),
        })
    });
    let either = requirement.either.iter().map(|one| {
        Object(SelectionFile { requires: labels(&one.any_of), avoid: labels(&one.none_of) })
    });
    let [together, apart, spread] = within(instance, task);
    Ok(TaskFile {
        id: Id(instance.job_name(task).to_owned()),
        demand: demands(instance, task)?,
        duration: Some(instance.duration(task)).filter(|d| *d != 0).map(Seconds),
        requires: labels(&requirement.any_of),
        avoid: labels(&requirement.none_of),
        either: either.collect(),
        prefers: prefers.collect(),
        tolerations: requirement.tolerations.iter().map(ToString::to_string).collect(),
        priority: instance.priority(task),
        weight: drop_weight(instance, task)?.map(Quantity),
        replicas: gang.map(|gang| gang.size),
        together: together.map(|rule| over(instance, rule).to_owned()),
        apart: apart.map(|rule| over(instance, rule).to_owned()),
        spread: spread.and_then(|r| SpreadFile::of(&r.ask, over(instance, r))).map(Object),
        node: current(instance, task).filter(|_| runs).map(OneOrMany),
        pinned: pinned(instance, task),
        key: instance.own_key(task).map(|key| Id(key.to_owned())),
        group: Some(groups(instance, task)).filter(|g| !g.is_empty()).map(OneOrMany),
        move_cost: move_cost(instance, task)?.map(Quantity),
        backup: instance.backup(task).map(|over| BackupFile::Over(over.to_owned())),
        release: Some(instance.release(task)).filter(|r| *r != 0).map(WhenText::after_start),
        due: instance.due(task).map(WhenText::after_start),
        deadline: instance.deadline(task).map(WhenText::after_start),
        after: time_file::predecessors(instance, task)
            .into_iter()
            .map(|(name, lag)| AfterFile { task: Id(name.to_owned()), lag: Seconds(lag) })
            .collect(),
        elapsed: instance.elapsed(task).filter(|_| runs).map(Seconds),
    })
}

/// What the task demands, and how that varies.
fn demands(instance: &Instance, task: TaskId) -> Result<Ordered<DemandFile>> {
    let Ordered(means) = amounts(instance, instance.demand(task), |_, demand| demand != 0)?;
    let Ordered(spread) = amounts(instance, instance.deviation(task), |_, sd| sd != 0)?;
    let mut spread = spread.into_iter().peekable();
    let each = means.into_iter().map(|(name, Quantity(mean))| {
        let own = spread.next_if(|(known, _)| *known == name);
        (name, DemandFile { mean, deviation: own.map(|(_, Quantity(sd))| sd) })
    });
    Ok(Ordered(each.collect()))
}

/// Whether the task stays where it is though it does not run already.
pub(super) fn pinned(instance: &Instance, task: TaskId) -> bool {
    instance.pin(task).is_some() && !instance.runs_now(task)
}

/// The groups that a task names.
pub(super) fn groups(instance: &Instance, task: TaskId) -> Vec<String> {
    let groups = instance.groups_of(task).iter();
    groups.map(|group| instance.group_name(*group).to_owned()).collect()
}

/// What moving the task costs as written, `None` for 1.
pub(super) fn move_cost(instance: &Instance, task: TaskId) -> Result<Option<Decimal>> {
    let cost = decimal(&instance.move_scale().show(instance.own_move_cost(task)))?;
    Ok(Some(cost).filter(|cost| *cost != Decimal::ONE))
}

fn route_file(instance: &Instance, from: NodeId, to: NodeId, cost: i64) -> Result<RouteFile> {
    let name = |node| Id(instance.node_name(node).to_owned());
    let cost = Quantity(decimal(&instance.move_scale().show(cost))?);
    Ok(RouteFile { from: name(from), to: name(to), cost })
}

fn ratio_file(instance: &Instance, ratio: &RoomRatio) -> RatioFile {
    let name = |r: usize| instance.resources()[r].name.clone();
    RatioFile {
        room: name(ratio.room),
        with: name(ratio.with),
        ratio: unless_one(ratio.ratio),
        price: unless_one(ratio.price),
    }
}

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

/// Rules of the part's tasks that do not stand on a gang.
pub(super) fn rule_files(instance: &Instance, part: &Part) -> Vec<RuleFile> {
    let wanted = |rule: &Rule| part.tasks[rule.tasks[0].index()];
    let stands_on_gang = |rule: &Rule| {
        let whole = |gang: &Gang| {
            let last = gang.first.0 + gang.size - 1;
            rule.tasks.len() == gang.size as usize && rule.tasks.last() == Some(&TaskId(last))
        };
        let gang = instance.gang_of(rule.tasks[0]).map(|(gang, _)| gang);
        (rule.ask == Ask::Gang && gang.is_some_and(whole))
            || within(instance, rule.tasks[0]).iter().flatten().any(|own| std::ptr::eq(*own, rule))
    };
    let ids = |tasks: &[TaskId]| {
        let mut ids: Vec<String> =
            tasks.iter().map(|task| instance.job_name(*task).to_owned()).collect();
        ids.dedup();
        OneOrMany(ids)
    };
    let others = instance.rules().iter().filter(|rule| wanted(rule) && !stands_on_gang(rule));
    others
        .map(|rule| {
            let spread = SpreadFile::of(&rule.ask, over(instance, rule));
            RuleFile {
                id: Some(Id(rule.name.clone())),
                rule: Some(match rule.ask {
                    Ask::Gang => AskFile::Gang,
                    Ask::Together => AskFile::Together,
                    Ask::Apart => AskFile::Apart,
                    Ask::Spread { .. } => AskFile::Spread,
                    Ask::Near { .. } => AskFile::Near,
                }),
                tasks: Some(ids(&rule.tasks)),
                over: Some(over(instance, rule).to_owned()).filter(|_| rule.has_places()),
                at_least: spread.as_ref().and_then(|s| s.at_least),
                at_most: spread.as_ref().and_then(|s| s.at_most),
                max_skew: spread.as_ref().and_then(|s| s.max_skew),
                present: present(instance, rule, part),
                near: match &rule.ask {
                    Ask::Near { others } => Some(ids(others)),
                    _ => None,
                },
                ..RuleFile::default()
            }
        })
        .collect()
}

/// What is there already, by the names of values that nodes of the part have.
fn present(instance: &Instance, rule: &Rule, part: &Part) -> Ordered<u32> {
    let label = &instance.label_values()[rule.over as usize];
    let had = |value: u32| (label.of.iter().zip(&part.nodes)).any(|(v, own)| *own && *v == value);
    let known = rule.present.iter().filter(|(value, _)| had(*value));
    let named = known.map(|(value, count)| (label.values[*value as usize].clone(), *count));
    Ordered(named.collect())
}

/// Where a job runs now: one node, or one for each unit where they differ.
pub(super) fn current(instance: &Instance, task: TaskId) -> Option<Vec<String>> {
    let nodes = instance.units(task).map(|unit| instance.current(TaskId::from(unit)));
    let names = nodes.map(|node| node.map(|node| instance.node_name(node).to_owned()));
    let mut names: Vec<String> = names.collect::<Option<_>>()?;
    if names.iter().all(|name| *name == names[0]) {
        names.truncate(1);
    }
    Some(names)
}

/// What leaving the task out weighs as written, `None` for 1.
pub(super) fn drop_weight(instance: &Instance, task: TaskId) -> Result<Option<Decimal>> {
    let weight = decimal(&instance.weight_scale().show(instance.drop_weight(task)))?;
    Ok(Some(weight).filter(|weight| *weight != Decimal::ONE))
}

/// Price of one unit of load above safety capacities as written, `None` for 0.
pub(super) fn safety_price(instance: &Instance, resource: usize) -> Result<Option<Decimal>> {
    let price = instance.safety_price(resource);
    if price == 0 {
        return Ok(None);
    }
    // Per step to per unit; the products are checked, the division is exact.
    let (soft, unit) = (instance.soft_scale(), instance.resources()[resource].scale);
    let exact = || {
        let common = gcd(soft.num, unit.num);
        let num = (soft.num / common).checked_mul(unit.den)?;
        let den = soft.den.checked_mul(unit.num / common)?;
        let again = gcd(num, den);
        Some(Scale { num: num / again, den: den / again }.show(price))
    };
    decimal(&exact().unwrap_or_default()).map(Some)
}

fn pair_file(instance: &Instance, task: TaskId, pair: Pair) -> Result<PairFile> {
    let usual = instance.demand(task);
    Ok(PairFile {
        task: Id(instance.job_name(task).to_owned()),
        node: Id(instance.node_name(pair.node).to_owned()),
        cost: pair_cost(instance, task, pair)?.map(Quantity),
        demand: amounts(instance, pair.demand, |r, demand| demand != usual[r])?,
        duration: instance.own_duration_on(task, pair.node).map(Seconds),
    })
}

/// The quantities of a row that `wanted` says should be written.
fn amounts(
    instance: &Instance,
    row: &[i64],
    wanted: impl Fn(usize, i64) -> bool,
) -> Result<Ordered<Quantity>> {
    let mut list = Vec::with_capacity(row.len());
    for (r, (resource, amount)) in instance.resources().iter().zip(row).enumerate() {
        if wanted(r, *amount) {
            let quantity = decimal(&resource.scale.show(*amount))?;
            list.push((resource.name.clone(), Quantity(quantity)));
        }
    }
    Ok(Ordered(list))
}

/// The node's price as written, `None` for 0.
pub(super) fn price(instance: &Instance, node: NodeId) -> Result<Option<Decimal>> {
    let price = Some(instance.price(node)).filter(|price| *price != 0);
    price.map(|price| decimal(&instance.cost_scale().show(price))).transpose()
}

/// The node's hourly price as written, `None` for 0.
pub(super) fn price_per_hour(instance: &Instance, node: NodeId) -> Result<Option<Decimal>> {
    if instance.rate(node) == 0 {
        return Ok(None);
    }
    let scale = instance.cost_scale();
    let exact = || {
        // Seconds to hours; both products are checked, the division is exact.
        let common = gcd(3600, scale.den);
        let num = scale.num.checked_mul(3600 / common)?;
        Some(Scale { num, den: scale.den / common }.show(instance.rate(node)))
    };
    decimal(&exact().unwrap_or_default()).map(Some)
}

/// The pair's cost as written, `None` where it is what the node costs anyway.
pub(super) fn pair_cost(instance: &Instance, task: TaskId, pair: Pair) -> Result<Option<Decimal>> {
    if pair.cost == instance.base_cost(task, pair.node) {
        return Ok(None);
    }
    decimal(&instance.cost_scale().show(pair.cost)).map(Some)
}

/// What was read as a decimal is one again.
fn decimal(text: &str) -> Result<Decimal> {
    Decimal::parse(text).map_err(|_| {
        let cause = format!("the amount `{text}` cannot be written exactly");
        Error::new(Kind::Input, cause).help("use a larger unit or fewer decimals")
    })
}

#[cfg(test)]
mod tests {
    use super::super::digest::digest;
    use super::super::json::instance;
    use super::*;

    const FULL: &str = r#"{ "schema_version": 1,
      "resources": { "gpu": { "unit": "card", "transient": true }, "idle": {} },
      "nodes": [
        { "id": "n\"1", "capacity": {"cpu": 8, "gpu": 0.5}, "used": {"cpu": "1500m"},
          "labels": {"rack": "r1", "a": ""}, "state": "drain", "price": 4800.05, "price_per_hour": "1.1" },
        { "id": 2, "capacity": {"cpu": 6} }, { "id": "gone", "capacity": {}, "state": "down" } ],
      "tasks": [
        { "id": "t1", "demand": {"cpu": "500m", "memory": 0}, "duration": "30m",
          "requires": {"gpu_model": ["A100", "H100"], "a": "b"},
          "node": "2", "move_cost": 2.5, "group": ["y", "x"] },
        { "id": "t2", "duration": 7, "node": "gone", "group": "x" } ],
      "routes": [ { "from": 2, "to": "gone", "cost": "0.75" } ],
      "ratios": [ { "room": "cpu", "with": "gpu", "ratio": 0.3, "price": 7 } ],
      "pairs": [ { "task": "t1", "node": 2, "cost": 0.123456789, "demand": {"cpu": 3} },
                 { "task": "t2", "node": "n\"1", "demand": {"gpu": 0.25} } ],
      "goal": "cost + 10*nodes, peak", "one_task_per_node": true }"#;

    fn written(instance: &Instance) -> String {
        let mut text = Vec::new();
        write_instance(instance, &mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn what_is_written_reads_back_as_the_same() {
        let first = instance(FULL).unwrap();
        let text = written(&first);
        let second = instance(&text).unwrap();
        assert_eq!(format!("{first:?}"), format!("{second:?}"), "{text}");
        assert_eq!(digest(&first), digest(&second));
        assert_eq!(written(&second), text);
    }

    #[test]
    fn the_schema_names_every_field_with_its_meaning() {
        let schema = super::super::json::schema();
        assert_eq!(schema["$defs"]["Version"]["const"], 1);
        let node = &schema["$defs"]["Node"]["properties"];
        assert_eq!(node["price"]["description"], "Price of using the node at all.");
        assert_eq!(schema["$defs"]["Task"]["additionalProperties"], false);
        let validator = jsonschema::validator_for(&schema).unwrap();
        let value = |text: &str| serde_json::from_str(text).unwrap();
        assert!(validator.is_valid(&value(FULL)));
        assert!(validator.is_valid(&value(&written(&instance(FULL).unwrap()))));
        assert!(!validator.is_valid(&value(&FULL.replace("\"drain\"", "\"gone\""))));
        assert!(!validator.is_valid(&value(&FULL.replace("\"labels\"", "\"lables\""))));
    }

    #[test]
    fn the_digest_sees_content_and_not_spelling() {
        let base = digest(&instance(FULL).unwrap());
        assert_eq!(base.len(), "sha256:".len() + 64);
        let same = [
            ("\"500m\"", "0.5"),
            ("\"30m\"", "1800"),
            ("cost + 10*nodes, peak", "nodes"),
            ("\"rack\": \"r1\", \"a\": \"\"", "\"a\": \"\", \"rack\": \"r1\""),
            ("\"1.1\"", "1.10"),
        ];
        for (from, to) in same {
            assert_eq!(digest(&instance(&FULL.replace(from, to)).unwrap()), base, "{from}");
        }
        let other = [
            ("500m", "501m"),
            ("\"30m\"", "1801"),
            ("\"drain\"", "\"ready\""),
            ("4800.05", "4800.06"),
            ("H100", "H200"),
            ("_node\": true", "_node\": false"),
            ("\"idle\"", "\"idly\""),
            ("\"transient\": true", "\"transient\": false"),
            ("2.5", "2.25"),
            ("0.75", "1.75"),
            ("\"from\": 2, \"to\": \"gone\"", "\"from\": \"gone\", \"to\": 2"),
            ("0.3", "0.4"),
            ("\"price\": 7", "\"price\": 8"),
            ("\"group\": \"x\"", "\"group\": \"y\""),
        ];
        for (from, to) in other {
            assert_ne!(digest(&instance(&FULL.replace(from, to)).unwrap()), base, "{from}");
        }
    }
}
