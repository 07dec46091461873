//! Writing an instance as tables: tasks, nodes, and pairs where there are any.

use super::as_written::{
    current, drop_weight, groups, idle_watts, move_cost, pair_cost, pinned, price, price_per_hour,
    safety_price, watts_per_unit,
};
use super::csv::{
    CARDS, DEVIATION, NODE, OVERHEAD, PAIR, RESERVE, RULE, SAFETY, SAFETY_PRICE, TASK, TRANSIENT,
    USED, WATTS, is_reserved,
};
use super::csv_cells::yes_or_no;
use super::guard::guarded_unless_number;
use super::part::Part;
use super::rule_file::{LaterFile, WhenFile};
use super::rule_write::{limited, over, rule_files, within};
use super::time_file;
use super::values::OneOrMany;
use super::words;
use base::error::{Error, Kind, Result};
use model::{
    Decimal, Instance, NodeId, NodeState, Pair, Preference, Rule, Selection, TaskId, When,
};

/// An instance as tables, each the content of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvFiles {
    /// For `tasks.csv`.
    pub tasks: String,
    /// For `nodes.csv`.
    pub nodes: String,
    /// For `pairs.csv`, when cost or demand depends on both task and node.
    pub pairs: Option<String>,
    /// For `rules.csv`, when there are rules beside those within gangs.
    pub rules: Option<String>,
}

/// Writes the instance as tables that read back as the same tasks, nodes and
/// pairs. Tables have no place for the goal, for the units' names, for the
/// date of the start and for `one_task_per_node`; those are given on the command line.
///
/// # Errors
/// Names that tables cannot hold: a resource called like a reserved column,
/// white space around a name in a list, separators within labels; routes, ratios and load that ends.
pub fn write_csv(instance: &Instance) -> Result<CsvFiles> {
    if instance.has_routes() {
        return Err(unwritable("what moving from node to node costs (`routes`)"));
    }
    if !instance.ratios().is_empty() {
        return Err(unwritable("room beside other room (`ratios`)"));
    }
    if instance.node_ids().any(|node| !instance.ending(node).is_empty()) {
        return Err(unwritable("load that ends (`ending`)"));
    }
    if instance.requirements().iter().any(|requirement| !requirement.either.is_empty()) {
        return Err(unwritable("alternative requirements (`either`)"));
    }
    for resource in instance.resources() {
        if is_reserved(&resource.name) {
            return Err(unwritable(&format!("a resource called `{}`", resource.name)));
        }
        check_trimmed(&resource.name)?;
    }
    let pairs = if instance.has_pairs() { Some(pairs(instance)?) } else { None };
    let rules = rules(instance)?;
    Ok(CsvFiles { tasks: tasks(instance)?, nodes: nodes(instance)?, pairs, rules })
}

fn unwritable(what: &str) -> Error {
    let cause = format!("{what} cannot be written as CSV");
    Error::new(Kind::Usage, cause).help("write the instance as JSON")
}

fn check_trimmed(text: &str) -> Result<()> {
    if text.trim() == text {
        return Ok(());
    }
    Err(unwritable(&format!("the name {text:?}, which starts or ends with white space,")))
}

/// A table under construction: columns that stay empty throughout are left out.
struct Columns {
    names: Vec<String>,
    required: usize,
    rows: Vec<Vec<String>>,
}

impl Columns {
    /// The first `required` columns are written also when they are empty.
    fn new(names: Vec<String>, required: usize) -> Columns {
        Columns { names, required, rows: Vec::new() }
    }

    fn write(self) -> Result<String> {
        let filled = |k: usize| k < self.required || self.rows.iter().any(|row| !row[k].is_empty());
        let kept: Vec<usize> = (0..self.names.len()).filter(|k| filled(*k)).collect();
        let mut writer = csv::Writer::from_writer(Vec::new());
        for row in std::iter::once(&self.names).chain(&self.rows) {
            let record = writer.write_record(kept.iter().map(|k| guarded_unless_number(&row[*k])));
            record.map_err(|error| unwritable(&error.to_string()))?;
        }
        let bytes = writer.into_inner().map_err(|error| unwritable(&error.to_string()))?;
        String::from_utf8(bytes).map_err(|error| unwritable(&error.to_string()))
    }
}

fn resource_names(instance: &Instance) -> impl Iterator<Item = String> + '_ {
    instance.resources().iter().map(|resource| resource.name.clone())
}

fn owned(names: &[&str]) -> impl Iterator<Item = String> {
    names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>().into_iter()
}

/// Amounts as written, with nothing where `wanted` says no.
fn amounts<'a>(
    instance: &'a Instance,
    row: &'a [i64],
    wanted: impl Fn(usize, i64) -> bool + 'a,
) -> impl Iterator<Item = String> + 'a {
    let shown = instance.resources().iter().zip(row).enumerate();
    shown.map(move |(r, (resource, amount))| match wanted(r, *amount) {
        true => resource.scale.show(*amount),
        false => String::new(),
    })
}

fn tasks(instance: &Instance) -> Result<String> {
    let deviations = resource_names(instance).map(|name| format!("{DEVIATION}{name}"));
    let names = owned(&["task"]).chain(resource_names(instance)).chain(deviations);
    let names = names.chain(owned(&TASK));
    let mut table = Columns::new(names.collect(), 1 + instance.resources().len());
    let limited = limited(instance, &Part::whole(instance));
    for task in instance.jobs() {
        table.rows.push(task_row(instance, task, &limited)?);
    }
    table.write()
}

fn task_row(instance: &Instance, task: TaskId, limited: &[bool]) -> Result<Vec<String>> {
    let name = instance.job_name(task);
    let requirement = instance.requirement(task);
    let [together, apart, spread] = within(instance, task);
    let shown = |number: i64, usual: i64| match number {
        n if n == usual => String::new(),
        n => n.to_string(),
    };
    let label = |rule: Option<&Rule>| rule.map_or("", |rule| over(instance, rule)).to_owned();
    let current = current(instance, task).unwrap_or_default();
    check_list(current.iter(), "node")?;
    let key = instance.own_key(task).unwrap_or_default();
    let mut row = vec![name.to_owned()];
    row.extend(amounts(instance, &instance.stated_demand(task, |r| limited[r]), |_, _| true));
    match instance.deviation(task) {
        [] => row.extend(vec![String::new(); instance.resources().len()]),
        deviation => row.extend(amounts(instance, deviation, |_, sd| sd != 0)),
    }
    // In the order of TASK.
    row.extend([
        shown(instance.duration(task), 0),
        any_of(&requirement.any_of, ";")?,
        any_of(&requirement.none_of, ";")?,
        preferences(&requirement.prefers)?,
        joined(&requirement.tolerations)?,
        shown(instance.priority(task), 0),
        drop_weight(instance, task)?.map_or_else(String::new, |weight| weight.to_string()),
        instance.gang_of(task).map_or_else(String::new, |(gang, _)| gang.size.to_string()),
        label(together),
        label(apart),
        spread_text(instance, spread)?,
        current.join("|"),
        if pinned(instance, task) { "true".to_owned() } else { String::new() },
        key.to_owned(),
        joined(&groups(instance, task))?,
        move_cost(instance, task)?.map_or_else(String::new, |cost| cost.to_string()),
        backup(instance, task)?,
        shown(instance.release(task), 0),
        instance.due(task).map_or_else(String::new, |due| due.to_string()),
        instance.deadline(task).map_or_else(String::new, |deadline| deadline.to_string()),
        joined(&predecessors(instance, task)?)?,
        instance.elapsed(task).map_or_else(String::new, |elapsed| elapsed.to_string()),
    ]);
    Ok(row)
}

/// `rack>=2`
fn spread_text(instance: &Instance, spread: Option<&Rule>) -> Result<String> {
    let Some(rule) = spread else { return Ok(String::new()) };
    let over = over(instance, rule);
    if over.contains(|c: char| c.is_whitespace() || "<>~".contains(c)) {
        Err(unwritable(&format!("a spread over `{over}`")))
    } else {
        Ok(words::show_spread(&rule.ask, over))
    }
}

/// The label of a standby, unless it reads like yes or no.
fn backup(instance: &Instance, task: TaskId) -> Result<String> {
    let over = instance.backup(task).unwrap_or_default();
    match yes_or_no(over) {
        Ok(_) => Err(unwritable(&format!("a backup over `{over}`"))),
        Err(_) => Ok(over.to_owned()),
    }
}

/// What the task comes after, as `a` or `a+600`.
fn predecessors(instance: &Instance, task: TaskId) -> Result<Vec<String>> {
    let all = time_file::predecessors(instance, task).into_iter();
    all.map(|(name, lag)| check_trimmed(name).map(|()| time_file::show_after(name, lag))).collect()
}

/// `key=a|b;other=c`
fn any_of(list: &[(String, Vec<String>)], between: &str) -> Result<String> {
    let mut parts = Vec::with_capacity(list.len());
    for (key, values) in list {
        check_entry(key, values.iter(), &[';', '|'])?;
        parts.push(format!("{key}={}", values.join("|")));
    }
    Ok(parts.join(between))
}

fn preferences(list: &[Preference]) -> Result<String> {
    let mut parts = Vec::with_capacity(list.len());
    for preference in list {
        let Selection { any_of: wanted, none_of: unwanted } = &preference.labels;
        for (key, values) in wanted.iter().chain(unwanted) {
            if key.contains('&')
                || key.ends_with('!')
                || values.iter().any(|v| v.contains(['&', '*']) || v.is_empty() || v.ends_with('='))
            {
                return Err(unwritable(&format!("the preference for `{key}`")));
            }
        }
        let unwanted = unwanted.iter().map(|(key, values)| (format!("{key}!"), values.clone()));
        let all: Vec<_> = wanted.iter().cloned().chain(unwanted).collect();
        parts.push(format!("{}*{}", any_of(&all, "&")?, preference.weight));
    }
    Ok(parts.join(";"))
}

/// Texts with ; between them.
fn joined<T: ToString>(list: &[T]) -> Result<String> {
    let parts: Vec<String> = list.iter().map(ToString::to_string).collect();
    match parts.iter().find(|part| part.contains(';') || part.is_empty() || part.trim() != **part) {
        Some(part) => Err(unwritable(&format!("`{part}`"))),
        None => Ok(parts.join(";")),
    }
}

/// Names that are told apart by | in one cell.
fn check_list<'a>(names: impl Iterator<Item = &'a String>, what: &str) -> Result<()> {
    for name in names {
        check_trimmed(name)?;
        if name.contains('|') {
            return Err(unwritable(&format!("the {what} `{name}` in a list")));
        }
    }
    Ok(())
}

/// The table of rules, `None` when there are none beside those within gangs.
fn rules(instance: &Instance) -> Result<Option<String>> {
    let files = rule_files(instance, &Part::whole(instance))?;
    if files.is_empty() {
        return Ok(None);
    }
    let mut table = Columns::new(owned(&RULE).collect(), 3);
    for rule in files {
        let number = |number: Option<u32>| number.map_or_else(String::new, |n| n.to_string());
        let list = |list: Option<OneOrMany>| {
            let names = list.map_or_else(Vec::new, |list| list.0);
            check_list(names.iter(), "name").map(|()| names.join("|"))
        };
        table.rows.push(vec![
            rule.id.map_or_else(String::new, |id| id.0),
            rule.rule.map_or("", |rule| rule.0.name).to_owned(),
            list(rule.tasks)?,
            String::new(),
            String::new(),
            rule.over.unwrap_or_default(),
            number(rule.at_least),
            rule.at_most.map_or_else(String::new, |most| most.0.to_string()),
            number(rule.max_skew),
            present(&rule.present.0)?,
            list(rule.near)?,
            String::new(),
            rule.resource.unwrap_or_default(),
            list(rule.values)?,
            rule.when.map_or("", WhenFile::name).to_owned(),
            later(&rule.later),
            rule.price.map_or_else(String::new, |price| price.0.to_string()),
        ]);
    }
    table.write().map(Some)
}

/// `3600=3;7200=4`
fn later(steps: &[LaterFile]) -> String {
    let each = steps.iter().map(|step| {
        let from = match step.from.0 {
            When::In(seconds) | When::On(seconds) => seconds,
        };
        format!("{from}={}", step.at_most.0)
    });
    each.collect::<Vec<_>>().join(";")
}

/// `z1=3;z2=1`
fn present(counts: &[(String, u32)]) -> Result<String> {
    let mut parts = Vec::with_capacity(counts.len());
    for (value, count) in counts {
        check_entry(value, std::iter::empty(), &[])?;
        parts.push(format!("{value}={count}"));
    }
    Ok(parts.join(";"))
}

/// Keys and values that can be told apart again.
fn check_entry<'a>(
    key: &str,
    values: impl Iterator<Item = &'a String>,
    separators: &[char],
) -> Result<()> {
    check_trimmed(key)?;
    if key.is_empty() || key.contains(['=', ';']) {
        return Err(unwritable(&format!("the label key `{key}`")));
    }
    for value in values {
        check_trimmed(value)?;
        if value.contains(separators) {
            return Err(unwritable(&format!("the label value `{value}`")));
        }
    }
    Ok(())
}

fn nodes(instance: &Instance) -> Result<String> {
    let capacity = instance.resources().iter().map(|resource| {
        let transient = if resource.transient { TRANSIENT } else { "" };
        let cards = if resource.devices { CARDS } else { "" };
        format!("{transient}{cards}{}", resource.name)
    });
    let with =
        |prefix: &'static str| resource_names(instance).map(move |name| format!("{prefix}{name}"));
    let names = owned(&["node"]).chain(capacity).chain(with(USED)).chain(with(OVERHEAD));
    let names =
        names.chain(with(RESERVE)).chain(with(SAFETY)).chain(with(SAFETY_PRICE)).chain(with(WATTS));
    let names = names.chain(owned(&NODE));
    let mut table = Columns::new(names.collect(), 1 + instance.resources().len());
    for node in instance.node_ids() {
        table.rows.push(node_row(instance, node)?);
    }
    table.write()
}

fn node_row(instance: &Instance, node: NodeId) -> Result<Vec<String>> {
    let (capacity, limit) = (instance.capacity(node), instance.limit(node));
    let kept: Vec<i64> = capacity.iter().zip(limit).map(|(c, limit)| c - limit).collect();
    let mut row = vec![instance.node_name(node).to_owned()];
    row.extend(amounts(instance, capacity, |r, _| !instance.resources()[r].limits_only));
    row.extend(amounts(instance, instance.used(node), |_, used| used != 0));
    match instance.overhead(node) {
        [] => row.extend(vec![String::new(); capacity.len()]),
        overhead => row.extend(amounts(instance, overhead, |_, own| own != 0)),
    }
    row.extend(amounts(instance, &kept, |_, kept| kept != 0));
    match instance.safety(node) {
        [] => row.extend(vec![String::new(); capacity.len()]),
        safety => row.extend(amounts(instance, safety, |_, s| s != i64::MAX)),
    }
    for r in 0..capacity.len() {
        row.push(safety_price(instance, r)?.map_or_else(String::new, |price| price.to_string()));
    }
    for r in 0..capacity.len() {
        let watts = watts_per_unit(instance, node, r)?;
        row.push(watts.map_or_else(String::new, |watts| watts.to_string()));
    }
    let mut labels = Vec::new();
    for (key, value) in instance.labels(node) {
        check_entry(key, std::iter::once(value), &[';'])?;
        labels.push(format!("{key}={value}"));
    }
    let text = |value: Option<Decimal>| value.map_or_else(String::new, |value| value.to_string());
    let traffic = instance.traffic(node);
    // In the order of NODE.
    row.extend([
        labels.join(";"),
        match instance.state(node) {
            NodeState::Ready => String::new(),
            NodeState::Drain => "drain".to_owned(),
            NodeState::Down => "down".to_owned(),
        },
        text(price(instance, node)?),
        text(price_per_hour(instance, node)?),
        text(idle_watts(instance, node)?),
        joined(instance.taints(node))?,
        match instance.own_max_tasks(node) {
            u32::MAX => String::new(),
            most => most.to_string(),
        },
        instance.copy_max_tasks(node).map_or_else(String::new, |most| most.to_string()),
        text(Some(traffic.weight).filter(|weight| *weight != Decimal::ONE)),
        match traffic.connections {
            0 => String::new(),
            connections => connections.to_string(),
        },
        text(Some(traffic.response_time).filter(|time| !time.is_zero())),
        time_file::speed(instance, node).unwrap_or_default(),
        time_file::available_at(instance, node).map_or_else(String::new, |at| at.to_string()),
        time_file::windows(instance, node)
            .iter()
            .map(|window| time_file::show_window(*window))
            .collect::<Vec<_>>()
            .join(";"),
    ]);
    Ok(row)
}

fn pairs(instance: &Instance) -> Result<String> {
    let names = owned(&["task", "node"]).chain(owned(&PAIR)).chain(resource_names(instance));
    let mut table = Columns::new(names.collect(), 2);
    for task in instance.jobs() {
        for pair in instance.pairs(task) {
            table.rows.push(pair_row(instance, task, pair)?);
        }
    }
    table.write()
}

fn pair_row(instance: &Instance, task: TaskId, pair: Pair) -> Result<Vec<String>> {
    let usual = instance.demand(task);
    let cost = pair_cost(instance, task, pair)?;
    let mut row = vec![
        instance.job_name(task).to_owned(),
        instance.node_name(pair.node).to_owned(),
        cost.map_or_else(String::new, |cost| cost.to_string()),
        instance
            .own_duration_on(task, pair.node)
            .map_or_else(String::new, |seconds| seconds.to_string()),
    ];
    row.extend(amounts(instance, pair.demand, |r, demand| demand != usual[r]));
    Ok(row)
}

#[cfg(test)]
mod tests {
    use super::super::csv::instance as from_csv;
    use super::super::digest::digest;
    use super::super::json::instance as from_json;
    use super::*;

    fn again(instance: &Instance) -> Instance {
        let files = write_csv(instance).unwrap();
        from_csv(&files.tasks, &files.nodes, files.pairs.as_deref()).unwrap()
    }

    #[test]
    fn tables_read_back_as_the_same() {
        let text = r#"{
          "nodes": [
            { "id": "=n,1", "capacity": {"cpu": 8, "a.b/c": 0.5}, "used": {"cpu": "1500m"},
              "labels": {"rack": "r=1", "a": ""}, "state": "drain", "price": 4800.05, "price_per_hour": 1.1 },
            { "id": 2, "capacity": {"cpu": 6}, "state": "down" } ],
          "tasks": [
            { "id": "say \"hi\"", "demand": {"cpu": "500m"}, "duration": "30m",
              "requires": {"gpu_model": ["A100", "H100"], "a": "b"} },
            { "id": "@t2", "duration": 7 } ],
          "pairs": [ { "task": "@t2", "node": 2, "cost": 0.125, "demand": {"cpu": 3} },
                     { "task": "@t2", "node": "=n,1", "demand": {"a.b/c": 0.25} } ] }"#;
        let first = from_json(text).unwrap();
        let second = again(&first);
        assert_eq!(format!("{first:?}"), format!("{second:?}"));
        assert_eq!(digest(&first), digest(&second));
    }

    #[test]
    fn columns_without_content_are_left_out() {
        let simple = from_csv("id,cpu\na,1\n", "id,cpu\nx,2\n", None).unwrap();
        let files = write_csv(&simple).unwrap();
        assert_eq!(files.tasks, "task,cpu\na,1\n");
        assert_eq!(files.nodes, "node,cpu\nx,2\n");
        assert_eq!(files.pairs, None);
    }

    #[test]
    fn what_tables_cannot_hold_is_refused() {
        let text = r#"{"nodes": [{"id": "n", "capacity": {"cpu": 1}, "labels": {"k": "v"}}],
                       "tasks": [{"id": "t", "requires": {"k": "w"}}]}"#;
        for (from, to) in [
            ("\"cpu\"", "\"price\""),
            ("\"cpu\"", "\"used:x\""),
            ("\"k\"", "\"k=\""),
            ("\"v\"", "\"v;w\""),
            ("\"w\"", "\"w|x\""),
            (r#""requires": {"k": "w"}"#, r#""prefers": [{"labels": {"k": "w="}}]"#),
        ] {
            let instance = from_json(&text.replace(from, to)).unwrap();
            let error = write_csv(&instance).unwrap_err();
            assert!(error.cause.contains("cannot be written as CSV"), "{error}");
        }
    }
}
