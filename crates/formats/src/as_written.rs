//! What an instance has, as it was written, for JSON and for tables: names, and amounts as decimals.

use base::error::{Error, Kind, Result};
use model::{Decimal, Instance, NodeId, Pair, Scale, TaskId, gcd};

/// Whether the task stays where it is though it does not run already.
pub(super) fn pinned(instance: &Instance, task: TaskId) -> bool {
    instance.is_pinned(task) && !instance.runs_now(task)
}

/// The groups that a task names.
pub(super) fn groups(instance: &Instance, task: TaskId) -> Vec<String> {
    let groups = instance.groups_of(task).iter();
    groups.map(|group| instance.group_name(*group).to_owned()).collect()
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

/// What moving the task costs as written, `None` for 1.
pub(super) fn move_cost(instance: &Instance, task: TaskId) -> Result<Option<Decimal>> {
    let cost = decimal(&instance.move_scale().show(instance.own_move_cost(task)))?;
    Ok(Some(cost).filter(|cost| *cost != Decimal::ONE))
}

/// What leaving the task out weighs as written, `None` for 1.
pub(super) fn drop_weight(instance: &Instance, task: TaskId) -> Result<Option<Decimal>> {
    let weight = decimal(&instance.weight_scale().show(instance.drop_weight(task)))?;
    Ok(Some(weight).filter(|weight| *weight != Decimal::ONE))
}

/// The pair's cost as written, `None` where it is what the node costs anyway.
pub(super) fn pair_cost(instance: &Instance, task: TaskId, pair: Pair) -> Result<Option<Decimal>> {
    if pair.cost == instance.base_cost(task, pair.node) {
        return Ok(None);
    }
    decimal(&instance.cost_scale().show(pair.cost)).map(Some)
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

/// Price of one unit of load above safety capacities as written, `None` for 0.
pub(super) fn safety_price(instance: &Instance, resource: usize) -> Result<Option<Decimal>> {
    let price = instance.safety_price(resource);
    if price == 0 {
        return Ok(None);
    }
    per_unit(instance, resource, instance.soft_scale(), price).map(Some)
}

/// A price of one step of a resource, in steps of its scale, as that of one unit.
fn per_unit(instance: &Instance, resource: usize, scale: Scale, price: i64) -> Result<Decimal> {
    // The products are checked, the division is exact.
    let unit = instance.resources()[resource].scale;
    let exact = || {
        let common = gcd(scale.num, unit.num);
        let num = (scale.num / common).checked_mul(unit.den)?;
        let den = scale.den.checked_mul(unit.num / common)?;
        let again = gcd(num, den);
        Some(Scale { num: num / again, den: den / again }.show(price))
    };
    decimal(&exact().unwrap_or_default())
}

/// What the node draws once it has a task, as written, `None` for 0.
pub(super) fn idle_watts(instance: &Instance, node: NodeId) -> Result<Option<Decimal>> {
    let watts = Some(instance.idle_watts(node)).filter(|watts| *watts != 0);
    watts.map(|watts| decimal(&instance.watt_scale().show(watts))).transpose()
}

/// What a unit of load adds, as written, `None` for 0.
pub(super) fn watts_per_unit(
    instance: &Instance,
    node: NodeId,
    resource: usize,
) -> Result<Option<Decimal>> {
    let watts = instance.load_watts(node).get(resource).copied().filter(|watts| *watts != 0);
    watts.map(|watts| per_unit(instance, resource, instance.watt_scale(), watts)).transpose()
}

/// What was read as a decimal is one again.
pub(super) fn decimal(text: &str) -> Result<Decimal> {
    Decimal::parse(text).map_err(|_| {
        let cause = format!("the amount `{text}` cannot be written exactly");
        Error::new(Kind::Input, cause).help("use a larger unit or fewer decimals")
    })
}
