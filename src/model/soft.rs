//! What soft rules cost, and what leaving tasks out weighs, in integers.

use super::build::error;
use super::draft::{DraftError, DraftItem};
use super::expand::Units;
use super::{Decimal, Draft, Instance, Scale, gcd};

const REMEDY: &str = "use smaller weights and prices, or fewer decimals";

fn too_large(field: &str) -> DraftError {
    let cause = "what soft rules may cost adds up to more than 2^60 steps".to_owned();
    error(DraftItem::Whole, field, cause, REMEDY)
}

/// Penalties of preferences and soft taints, prices of load above safety
/// capacities: integers of one scale.
pub(super) fn set_soft(instance: &mut Instance, draft: &Draft) -> Result<(), DraftError> {
    let prices = || draft.resources.iter().map(|resource| resource.safety_price);
    let weights = instance.requirements.iter().flat_map(|r| r.prefers.iter().map(|p| p.weight));
    let places = prices().flatten().chain(weights).map(Decimal::decimals).max().unwrap_or(0);
    // One step of a resource is num / den of its unit.
    let priced = instance.resources().iter().zip(prices()).filter(|(_, price)| price.is_some());
    let mut common: i64 = 1;
    for (resource, _) in priced {
        let den = resource.scale.den;
        common = (common / gcd(common, den)).checked_mul(den).ok_or_else(|| too_large("safety"))?;
    }
    let whole = |value: Decimal, times: i64| {
        let scaled = value.at_places(places).and_then(|v| v.checked_mul(times));
        scaled.ok_or_else(|| too_large("prefers"))
    };
    let mut penalty = Vec::with_capacity(instance.requirements.len());
    for requirement in &instance.requirements {
        let mut row = Vec::with_capacity(draft.nodes.len());
        for node in &draft.nodes {
            let mut sum = 0i64;
            for miss in requirement.misses(&node.labels, &node.taints) {
                sum = sum.checked_add(whole(miss, common)?).ok_or_else(|| too_large("prefers"))?;
            }
            row.push(sum);
        }
        penalty.push(if row.iter().all(|p| *p == 0) { Vec::new() } else { row });
    }
    let mut price = Vec::with_capacity(instance.resources().len());
    for (resource, per_unit) in instance.resources().iter().zip(prices()) {
        let times = (common / resource.scale.den.min(common)).checked_mul(resource.scale.num);
        price.push(match (per_unit, times) {
            (None, _) => 0,
            (Some(per_unit), Some(times)) => whole(per_unit, times)?,
            (Some(_), None) => return Err(too_large("safety")),
        });
    }
    instance.penalty = penalty;
    instance.soft_price = price;
    check_total(instance)?;
    let lists = instance.penalty.iter().flatten().chain(&instance.soft_price);
    let shared = lists.fold(0, |g, value| gcd(g, *value)).max(1);
    instance.penalty.iter_mut().flatten().for_each(|value| *value /= shared);
    instance.soft_price.iter_mut().for_each(|value| *value /= shared);
    let den = 10i64
        .checked_pow(u32::from(places))
        .and_then(|den| den.checked_mul(common))
        .ok_or_else(|| too_large("safety"))?;
    let g = gcd(shared, den);
    instance.soft_scale = Scale { num: shared / g, den: den / g };
    Ok(())
}

fn check_total(instance: &Instance) -> Result<(), DraftError> {
    let most: Vec<i64> =
        instance.penalty.iter().map(|row| row.iter().copied().max().unwrap_or(0)).collect();
    let tasks = instance.task_ids().map(|t| i128::from(most[instance.requirement_of(t) as usize]));
    let loads = instance.node_ids().flat_map(|node| {
        let amounts = instance.capacity(node).iter().zip(instance.used(node));
        let amounts = amounts.map(|(c, u)| i128::from(*c.max(u)));
        amounts.zip(&instance.soft_price).map(|(load, price)| load * i128::from(*price))
    });
    if tasks.sum::<i128>() + loads.sum::<i128>() >= 1 << 60 {
        return Err(too_large("safety"));
    }
    Ok(())
}

/// Weights of leaving tasks out, as integers of one scale; empty when all are 1.
pub(super) fn set_weights(
    instance: &mut Instance,
    draft: &Draft,
    units: &Units,
) -> Result<(), DraftError> {
    if draft.tasks.iter().all(|task| task.weight.is_none()) {
        return Ok(());
    }
    let given = draft.tasks.iter().filter_map(|task| task.weight);
    let places = given.map(Decimal::decimals).max().unwrap_or(0);
    let mut weights = Vec::with_capacity(units.len());
    let mut total: i128 = 0;
    for k in units.tasks() {
        let weight = draft.tasks[k].weight.unwrap_or(Decimal::ONE).at_places(places);
        total += i128::from(weight.unwrap_or(i64::MAX));
        weights.extend(weight);
    }
    if total >= 1 << 60 {
        let cause = "weights add up to more than 2^60 steps".to_owned();
        return Err(error(DraftItem::Whole, "weight", cause, REMEDY));
    }
    let shared = weights.iter().fold(0, |g, value| gcd(g, *value)).max(1);
    weights.iter_mut().for_each(|value| *value /= shared);
    let den = 10i64.pow(u32::from(places));
    let g = gcd(shared, den);
    instance.weight = weights;
    instance.weight_scale = Scale { num: shared / g, den: den / g };
    Ok(())
}
