//! Prices, hourly rates and pair costs in integers of one scale.

use super::draft::{DraftError, DraftItem, error};
use super::parts::Costs;
use super::{Decimal, Draft, Instance, Scale, gcd};

/// Prices, hourly rates and pair costs as integers of one scale.
pub(super) fn costs(
    instance: &Instance,
    draft: &Draft,
    pair_cost: &[Option<Decimal>],
) -> Result<Costs, DraftError> {
    let node_costs = draft.nodes.iter().flat_map(|n| [n.price, n.price_per_hour]);
    let all = node_costs.chain(pair_cost.iter().copied()).flatten();
    let places = all.map(Decimal::decimals).max().unwrap_or(0);
    if places > 14 {
        let cause = format!("a price or cost has {places} decimal places");
        return Err(error(
            DraftItem::Whole,
            "price",
            cause,
            "costs have at most 14 decimal places",
        ));
    }
    let hourly = draft.nodes.iter().any(|n| n.price_per_hour.is_some());
    let per_second = if hourly { 3600 } else { 1 };
    let too_large = |item, field: &str| {
        let cause = "costs add up to more than 2^60 steps".to_owned();
        error(item, field, cause, "use a larger unit or fewer decimals")
    };
    let whole = |cost: Option<Decimal>, item, field: &str| match cost {
        None => Ok(0),
        Some(cost) => cost.at_places(places).ok_or_else(|| too_large(item, field)),
    };

    let mut costs = Costs::default();
    let mut total: i128 = 0;
    for (k, node) in draft.nodes.iter().enumerate() {
        let item = DraftItem::Node(k);
        let price = whole(node.price, item, "price")?
            .checked_mul(per_second)
            .ok_or_else(|| too_large(item, "price"))?;
        costs.price.push(price);
        costs.rate.push(whole(node.price_per_hour, item, "price_per_hour")?);
        total += i128::from(price);
    }
    let dearest = i128::from(costs.rate.iter().copied().max().unwrap_or(0));
    if dearest > 0 {
        total += dearest
            * instance.task_ids().map(|task| i128::from(instance.longest(task))).sum::<i128>();
    }
    for task in instance.task_ids() {
        for at in instance.pair_range(task) {
            let cost = match pair_cost[at] {
                Some(_) => whole(pair_cost[at], DraftItem::Whole, "pairs")?
                    .checked_mul(per_second)
                    .ok_or_else(|| too_large(DraftItem::Whole, "pairs"))?,
                None => 0, // set below, once the total is known to fit
            };
            total += i128::from(cost);
            costs.pair.push(cost);
        }
    }
    if total >= 1 << 60 {
        return Err(too_large(DraftItem::Whole, "price"));
    }
    for task in instance.task_ids() {
        for at in instance.pair_range(task) {
            if pair_cost[at].is_none() {
                let node = instance.pairs.node[at];
                costs.pair[at] = match costs.rate[node.index()] {
                    0 => 0,
                    rate => rate * instance.duration_on(task, node),
                };
            }
        }
    }
    let lists = [&costs.price, &costs.rate, &costs.pair];
    let common = lists.into_iter().flatten().fold(0, |g, value| gcd(g, *value)).max(1);
    for list in [&mut costs.price, &mut costs.rate, &mut costs.pair] {
        list.iter_mut().for_each(|value| *value /= common);
    }
    let den = 10i64.pow(u32::from(places)) * per_second;
    let shared = gcd(common, den);
    costs.scale = Scale { num: common / shared, den: den / shared };
    Ok(costs)
}
