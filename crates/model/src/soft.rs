//! What soft rules cost, and what leaving tasks out weighs, in integers.

use super::draft::{DraftError, DraftItem, error};
use super::expand::Units;
use super::parts::{RoomRatio, Soft, Weights};
use super::{Decimal, Draft, Instance, RatioDraft, Scale, Wish, gcd};

const REMEDY: &str = "use smaller weights and prices, or fewer decimals";

fn too_large(field: &str) -> DraftError {
    let cause = "what soft rules may cost adds up to more than 2^60 steps".to_owned();
    error(DraftItem::Whole, field, cause, REMEDY)
}

/// Penalties of preferences and soft taints, prices of load above safety
/// capacities: integers of one scale; with the price of each of the draft's rules in it.
pub(super) fn soft(instance: &Instance, draft: &Draft) -> Result<(Soft, Vec<i64>), DraftError> {
    let prices = || draft.resources.iter().map(|resource| resource.safety_price);
    let weights = instance.requirements.iter().flat_map(|r| r.prefers.iter().map(|p| p.weight));
    let places = prices().flatten().chain(weights).map(Decimal::decimals);
    let products = draft.ratios.iter().map(|r| r.price.decimals() + r.ratio.decimals());
    let wishes = || draft.rules.iter().map(|rule| rule.price.unwrap_or(Decimal::ZERO));
    let wished = wishes().map(Decimal::decimals);
    let places = places.chain(products).chain(wished).max().unwrap_or(0);
    // One step of a resource is num / den of its unit.
    let priced = prices().enumerate().filter(|(_, price)| price.is_some()).map(|(r, _)| r);
    let compared = draft.ratios.iter().flat_map(|r| [usize::from(r.room), usize::from(r.with)]);
    let mut common: i64 = 1;
    for r in priced.chain(compared) {
        let den = instance.resources()[r].scale.den;
        common = (common / gcd(common, den)).checked_mul(den).ok_or_else(|| too_large("safety"))?;
    }
    let whole = |value: Decimal, times: i64| {
        let scaled = value.at_places(places).and_then(|v| v.checked_mul(times));
        scaled.ok_or_else(|| too_large("prefers"))
    };
    let mut penalty = Vec::with_capacity(instance.requirements.len());
    for requirement in &instance.requirements {
        let mut row = Vec::with_capacity(instance.nodes());
        for node in instance.node_ids() {
            let mut sum = 0i64;
            for miss in requirement.misses(instance.labels(node), instance.taints(node)) {
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
    let ratios = ratios(instance, draft, places, common)?;
    let wished: Result<Vec<i64>, _> = wishes().map(|price| whole(price, common)).collect();
    let mut wished = wished?;
    let mut soft = Soft { scale: Scale::ONE, penalty, price, ratios };
    check_total(instance, &soft)?;
    let lists = soft.penalty.iter().flatten().chain(&soft.price);
    let lists = lists.chain(soft.ratios.iter().flat_map(|ratio| [&ratio.a, &ratio.b]));
    let lists = lists.chain(&wished);
    let shared = lists.fold(0, |g, value| gcd(g, *value)).max(1);
    wished.iter_mut().for_each(|value| *value /= shared);
    soft.penalty.iter_mut().flatten().for_each(|value| *value /= shared);
    soft.price.iter_mut().for_each(|value| *value /= shared);
    for ratio in &mut soft.ratios {
        ratio.a /= shared;
        ratio.b /= shared;
    }
    let den = 10i64
        .checked_pow(u32::from(places))
        .and_then(|den| den.checked_mul(common))
        .ok_or_else(|| too_large("safety"))?;
    let g = gcd(shared, den);
    soft.scale = Scale { num: shared / g, den: den / g };
    Ok((soft, wished))
}

/// Ratios in soft units; those without a price ask nothing.
fn ratios(
    instance: &Instance,
    draft: &Draft,
    places: u8,
    common: i64,
) -> Result<Vec<RoomRatio>, DraftError> {
    let mut list = Vec::with_capacity(draft.ratios.len());
    for (k, RatioDraft { room, with, ratio, price }) in draft.ratios.iter().enumerate() {
        let item = DraftItem::Ratio(k);
        let (room, with) = (usize::from(*room), usize::from(*with));
        if room == with {
            let name = &draft.resources[room].name;
            let cause = format!("a ratio of `{name}` to itself");
            return Err(error(item, "with", cause, "name two resources"));
        }
        let coefficient = |factors: &[Decimal], r: usize| {
            let scale = instance.resources()[r].scale;
            let used: u32 = factors.iter().map(|factor| u32::from(factor.decimals())).sum();
            let mut product = 10i128.checked_pow(u32::from(places) - used)?;
            product = product.checked_mul(i128::from(common / scale.den))?;
            product = product.checked_mul(i128::from(scale.num))?;
            for factor in factors {
                let mantissa = i128::from(factor.at_places(factor.decimals())?);
                product = product.checked_mul(mantissa)?;
            }
            i64::try_from(product).ok()
        };
        let too_large = || {
            let cause = format!("a ratio of {ratio} at a price of {price} needs too many digits");
            error(item, "ratio", cause, REMEDY)
        };
        let a = coefficient(&[*price, *ratio], room).ok_or_else(too_large)?;
        let b = coefficient(&[*price], with).ok_or_else(too_large)?;
        if b > 0 {
            list.push(RoomRatio { room, with, a, b, ratio: *ratio, price: *price });
        }
    }
    Ok(list)
}

impl Soft {
    /// What soft rules cost stays as it is when a step of the resource becomes so many times as
    /// fine; `None` where that does not fit.
    pub(super) fn finer(&mut self, r: usize, times: i64, wishes: &mut [Wish]) -> Option<()> {
        let compares = |ratio: &RoomRatio| ratio.room == r || ratio.with == r;
        if self.price[r] == 0 && !self.ratios.iter().any(compares) {
            return Some(());
        }
        let prices = self.price.iter_mut().enumerate().filter(|(k, _)| *k != r);
        let prices = prices.map(|(_, price)| price).chain(self.penalty.iter_mut().flatten());
        let ratios = self.ratios.iter_mut().flat_map(|ratio| {
            let own = [(ratio.room, &mut ratio.a), (ratio.with, &mut ratio.b)];
            own.into_iter().filter(|(k, _)| *k != r).map(|(_, factor)| factor)
        });
        let wished = wishes.iter_mut().map(|wish| &mut wish.price);
        for value in prices.chain(ratios).chain(wished) {
            *value = value.checked_mul(times)?;
        }
        self.scale = self.scale.divided(times)?;
        Some(())
    }
}

/// Refuses what any plan could add up to more than 60 bits.
pub(super) fn check_total(instance: &Instance, soft: &Soft) -> Result<(), DraftError> {
    let most: Vec<i64> =
        soft.penalty.iter().map(|row| row.iter().copied().max().unwrap_or(0)).collect();
    let tasks = instance.task_ids().map(|t| i128::from(most[instance.requirement_of(t) as usize]));
    let loads = instance.node_ids().flat_map(|node| {
        let amounts = instance.capacity(node).iter().zip(instance.used(node));
        let amounts = amounts.map(|(c, u)| i128::from(*c.max(u)));
        amounts.zip(&soft.price).map(|(load, price)| load * i128::from(*price))
    });
    let rooms = instance.node_ids().flat_map(|node| {
        let most =
            move |r: usize| i128::from(instance.capacity(node)[r].max(instance.used(node)[r]));
        let ratios = soft.ratios.iter();
        ratios.map(move |q| i128::from(q.a) * most(q.room) + i128::from(q.b) * most(q.with))
    });
    if tasks.sum::<i128>() + loads.sum::<i128>() + rooms.sum::<i128>() >= 1 << 60 {
        return Err(too_large("safety"));
    }
    Ok(())
}

/// Weights of leaving tasks out, as integers of one scale; empty when all are 1.
pub(super) fn weights(draft: &Draft, units: &Units) -> Result<Weights, DraftError> {
    if draft.tasks.iter().all(|task| task.weight.is_none()) {
        return Ok(Weights::default());
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
    Ok(Weights { scale: Scale { num: shared / g, den: den / g }, own: weights })
}
