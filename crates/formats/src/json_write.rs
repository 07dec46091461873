//! Writing an instance as JSON, one node, task and pair a line.

use std::io::{self, Write};

use serde::Serialize;

use super::as_written::{
    current, decimal, drop_weight, groups, idle_watts, move_cost, pair_cost, pinned, price,
    price_per_hour, safety_price, watts_per_unit,
};
use super::backup_file::BackupFile;
use super::demand_file::DemandFile;
use super::json::{EndingFile, NodeFile, ResourceFile, TaskFile};
use super::move_file::{PairFile, RatioFile, RouteFile, unless_one};
use super::part::Part;
use super::rule_file::SpreadFile;
use super::rule_write::{limited, over, rule_files, within};
use super::selection_file::{PreferenceFile, SelectionFile};
use super::time_file::{self, AfterFile, DateText, WhenText, WindowFile};
use super::values::{
    Id, Millis, Object, OneOrMany, Ordered, Portion, Quantity, SCHEMA_VERSION, Seconds,
};
use base::error::{Error, Kind, Result};
use model::{self, Decimal, Instance, NodeId, Pair, RoomRatio, TaskId};

/// Writes the instance as JSON that reads back as an equal instance: the same
/// names, quantities, rules and goal.
///
/// # Errors
/// A writer that fails.
pub fn write_instance(instance: &Instance, to: &mut impl Write) -> Result<()> {
    let all = Part::whole(instance);
    write_part(instance, &all, to)
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
    let limited = limited(instance, part);
    list(to, jobs().map(|job| task_file(instance, job, knows(job), &limited)))?;
    let pairs = jobs().flat_map(|task| instance.pairs(task).map(move |pair| (task, pair)));
    let mut pairs = pairs.filter(|(_, pair)| has(pair.node)).peekable();
    if pairs.peek().is_some() {
        write(to, format_args!(",\n\"pairs\": "))?;
        list(to, pairs.map(|(task, pair)| pair_file(instance, task, pair)))?;
    }
    let rules = rule_files(instance, part)?;
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
        if risk.any() {
            value(to, &risk.to_string())?
        } else {
            value(to, &Quantity(risk.chance()))?
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

fn io_error(error: &io::Error) -> Error {
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
        capacity: amounts(instance, capacity, |r, _| !instance.resources()[r].limits_only)?,
        used: amounts(instance, used, |_, used| used != 0)?,
        overhead: amounts(instance, instance.overhead(node), |_, own| own != 0)?,
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
        idle_watts: idle_watts(instance, node)?.map(Quantity),
        watts: load_watts(instance, node)?,
        taints: instance.taints(node).iter().map(ToString::to_string).collect(),
        max_tasks: Some(instance.own_max_tasks(node)).filter(|most| *most < u32::MAX),
        copy_max_tasks: instance.copy_max_tasks(node),
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

fn task_file(instance: &Instance, task: TaskId, runs: bool, limited: &[bool]) -> Result<TaskFile> {
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
        demand: demands(instance, task, limited)?,
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
fn demands(instance: &Instance, task: TaskId, limited: &[bool]) -> Result<Ordered<DemandFile>> {
    let stated = instance.stated_demand(task, |r| limited[r]);
    let Ordered(means) = amounts(instance, &stated, |_, demand| demand != 0)?;
    let Ordered(spread) = amounts(instance, instance.deviation(task), |_, sd| sd != 0)?;
    let mut spread = spread.into_iter().peekable();
    let each = means.into_iter().map(|(name, Quantity(mean))| {
        let own = spread.next_if(|(known, _)| *known == name);
        (name, DemandFile { mean, deviation: own.map(|(_, Quantity(sd))| sd) })
    });
    Ok(Ordered(each.collect()))
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

fn load_watts(instance: &Instance, node: NodeId) -> Result<Ordered<Quantity>> {
    let mut list = Vec::new();
    for (r, resource) in instance.resources().iter().enumerate() {
        if let Some(watts) = watts_per_unit(instance, node, r)? {
            list.push((resource.name.clone(), Quantity(watts)));
        }
    }
    Ok(Ordered(list))
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
