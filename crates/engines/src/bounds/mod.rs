//! Proven lower bounds by counting: no solver, linear time or nearly, on every
//! plan of every size. What needs a relaxation lives in `ilp`.

mod area;
mod impossible;
mod moves;
mod peak;
mod soft;

pub use impossible::{Impossible, impossible, why_nowhere};

use std::collections::BTreeMap;

use area::Area;
use judge::proof::Bound;
use model::{
    Classes, Fraction, Instance, NodeId, Placement, Plan, Prices, Scale, Shape, Term, Tier, Worth,
};

/// Bounds of one instance. Collects the sums that all of them need once.
pub struct Bounds<'a> {
    instance: &'a Instance,
    area: Area,
}

impl<'a> Bounds<'a> {
    /// Linear in the size of the instance.
    pub fn of(instance: &'a Instance) -> Bounds<'a> {
        Bounds { instance, area: Area::of(instance) }
    }

    /// The instance's classes without regard to rules between tasks, which the
    /// bounds were computed from.
    pub fn classes(&self) -> &Classes {
        &self.area.classes
    }

    /// How many tasks a plan can leave out at most whose tiers for unplaced tasks are no higher
    /// than this plan's: many that weigh little weigh as much as few that weigh more, and what
    /// weighs nothing may always be left out.
    pub fn most_left_out(&self, plan: &Plan) -> usize {
        let instance = self.instance;
        if self.area.weigh_alike {
            return instance.tasks() - plan.placed();
        }
        let mut weights: BTreeMap<i64, (Vec<i64>, i64)> = BTreeMap::new();
        for task in instance.task_ids() {
            let (all, left) = weights.entry(instance.priority(task)).or_default();
            all.push(instance.drop_weight(task));
            if plan.placement[task.index()].is_none() {
                *left += instance.drop_weight(task);
            }
        }
        let lightest = |(mut all, mut left): (Vec<i64>, i64)| {
            all.sort_unstable();
            let within = |weight: &&i64| {
                left -= **weight;
                left >= 0
            };
            all.iter().take_while(within).count()
        };
        weights.into_values().map(lightest).sum()
    }

    /// No plan that leaves at most `dropped` tasks unplaced has a lower value
    /// in this tier.
    pub fn tier(&self, tier: &Tier, dropped: usize) -> Bound {
        if let Some(term) = tier.only() {
            return self.term(term, dropped);
        }
        let mut value = 0.0;
        let mut exact = Some(Fraction::ZERO);
        let mut why = Vec::new();
        for weighted in &tier.terms {
            let bound = self.term(weighted.term, dropped);
            value += weighted.weight * bound.value.near();
            exact = exact.and_then(|sum| {
                let weight = Fraction::written(weighted.weight)?;
                sum.plus(weight.times(bound.value.fraction()?)?)
            });
            why.push(bound.why);
        }
        let why = match tier.terms.len() {
            1 => why.remove(0),
            _ => format!("the sum of {}", why.join(", ")),
        };
        let worth = tier.worth(value);
        let enough = tier.enough.map_or(Some(Fraction::ZERO), Fraction::written);
        let exact = exact.and_then(|exact| Some(exact.max(enough?)));
        let why = if worth > value { "what is enough".to_owned() } else { why };
        Bound::new(Worth::new(worth, exact), why)
    }

    fn term(&self, term: Term, dropped: usize) -> Bound {
        match term.shape() {
            Shape::Prices(prices) => self.prices(prices, dropped),
            Shape::Amounts => self.demand(dropped),
            Shape::Highest => peak::bound(self.instance, &self.area, dropped),
            Shape::Variance => self.balance(dropped),
            Shape::LargestGroup => moves::by_group(self.instance, dropped),
            // What starts when is for the engine that plans in time.
            Shape::LastEnd | Shape::Seconds(_) => {
                Bound::counted(0, Scale::ONE, "counting, which knows no times")
            }
            Shape::LeftOut => match term.priority() {
                None if self.area.weigh_alike => self.unplaced(),
                priority => self.unplaceable(priority),
            },
        }
    }

    /// Each task where it is cheapest, the cheapest nodes that can hold all, and the load that
    /// cannot be free of charge.
    fn prices(&self, prices: &Prices, dropped: usize) -> Bound {
        let instance = self.instance;
        let placed = instance.tasks().saturating_sub(dropped);
        let mut cheapest: Vec<i64> = Vec::new();
        if prices.placement.any(instance) {
            cheapest = self.area.cheapest(instance, &prices.placement);
            cheapest.sort_unstable();
            cheapest.truncate(placed);
        }
        let tasks: i128 = cheapest.iter().map(|price| i128::from(*price)).sum();
        let mut parts = Vec::new();
        if tasks > 0 {
            parts.push(match prices.placement {
                Placement::Move(_) => "tasks that cannot stay where they are".to_owned(),
                _ => "each task's cheapest node".to_owned(),
            });
        }
        let (used, why) = match prices.used {
            Some(price) => self.used(&|node| price(instance, node), dropped),
            None => (0, String::new()),
        };
        if used > 0 {
            parts.push(why);
        }
        let margins = if prices.margins { soft::least(instance, &self.area, dropped) } else { 0 };
        if margins > 0 {
            let why = "the total load above all safety capacities and the room missing beside it";
            parts.push(why.to_owned());
        }
        let why = match parts[..] {
            [] => "prices are never negative".to_owned(),
            _ => parts.join(" and "),
        };
        Bound::counted(tasks + used + margins, (prices.scale)(instance), why)
    }

    /// Least price of nodes that can hold the tasks: of capacity for the total demand, or of as many
    /// nodes as there must be.
    fn used(&self, price: &dyn Fn(NodeId) -> i64, dropped: usize) -> (i128, String) {
        let instance = self.instance;
        let counted = || instance.node_ids().filter(|node| instance.counted(*node));
        let mut cheapest: Vec<i64> = counted().map(price).collect();
        if cheapest.iter().all(|price| *price == 0) {
            return (0, String::new());
        }
        let mut best = (0, String::new());
        let mut raise = |value: i128, why: String| {
            if value > best.0 {
                best = (value, why);
            }
        };
        cheapest.sort_unstable();
        let (count, why) = self.fewest(dropped);
        let sum = cheapest.iter().take(count).map(|price| i128::from(*price)).sum();
        raise(sum, why);
        for (r, resource) in instance.resources().iter().enumerate() {
            let cover = self.area.cheapest_cover(instance, price, r, dropped);
            raise(
                cover,
                format!("the cheapest capacity for the total demand for {}", resource.name),
            );
        }
        best
    }

    /// Fewest nodes whose capacities hold the total demand, or enough of the
    /// large tasks.
    fn fewest(&self, dropped: usize) -> (usize, String) {
        let placed = self.instance.tasks().saturating_sub(dropped);
        let by_count = self.area.fewest_for_count(placed);
        let mut best = (by_count, "tasks that need a node".to_owned());
        for (r, resource) in self.instance.resources().iter().enumerate() {
            let total = self.area.fewest_for_total(r, dropped);
            let large = self.area.fewest_for_large(r, dropped);
            for (count, whose) in [(total, "the total demand"), (large, "the largest demands")] {
                if count > best.0 {
                    best = (count, format!("{whose} for {}", resource.name));
                }
            }
        }
        best
    }

    /// Total of each task's least demand.
    fn demand(&self, dropped: usize) -> Bound {
        let why = "the least demand of each task";
        let each = self.instance.resources().iter().enumerate().map(|(r, resource)| {
            Bound::counted(self.area.least_total(r, dropped), resource.scale, why).value
        });
        let each: Vec<Worth> = each.collect();
        let near = each.iter().map(|worth| worth.near()).sum();
        let add = |sum: Fraction, worth: &Worth| sum.plus(worth.fraction()?);
        Bound::new(Worth::new(near, each.iter().try_fold(Fraction::ZERO, add)), why)
    }

    /// Tasks that the total capacity cannot hold, or that fit nowhere, where all weigh the same.
    fn unplaced(&self) -> Bound {
        let tasks = self.instance.tasks();
        let scale = self.instance.weight_scale();
        let bound = |tasks: u64, why: &str| Bound::counted(tasks, scale, why);
        let mut best = bound(self.area.homeless as u64, "tasks that fit on no node");
        let extra = (tasks as u64).saturating_sub(self.area.most_tasks());
        best = best.max(bound(extra, "more tasks than nodes take"));
        for (r, resource) in self.instance.resources().iter().enumerate() {
            let why = format!("total demand for {} over total capacity", resource.name);
            best = best.max(bound(self.area.too_many(r) as u64, &why));
        }
        best
    }

    /// Weight of tasks of a priority that fit nowhere.
    fn unplaceable(&self, priority: Option<i64>) -> Bound {
        let instance = self.instance;
        let weight = self.area.lost.weight(priority);
        Bound::counted(weight, instance.weight_scale(), "the weight of tasks that fit on no node")
    }

    /// With one resource and equal capacities the total load is fixed and the
    /// most even whole-numbered loads bound the variance. Otherwise 0: the
    /// variance of a maximum over resources has no such argument.
    fn balance(&self, dropped: usize) -> Bound {
        let instance = self.instance;
        let nothing = Bound::real(0.0, "a variance is never negative");
        let counted: Vec<_> = instance.node_ids().filter(|node| instance.counted(*node)).collect();
        let [_] = instance.resources() else { return nothing };
        let capacity = |node| instance.capacity(node)[0];
        let Some(first) = counted.first().map(|node| capacity(*node)) else { return nothing };
        let even = counted.iter().all(|node| capacity(*node) == first);
        if !even || first == 0 || instance.has_pairs() || dropped > 0 {
            return nothing;
        }
        let mut loads: Vec<i64> = counted.iter().map(|node| instance.used(*node)[0]).collect();
        area::pour(&mut loads, self.area.least_total(0, 0));
        let utilisation: Vec<f64> = loads.iter().map(|load| *load as f64 / first as f64).collect();
        let n = utilisation.len() as f64;
        let mean = utilisation.iter().sum::<f64>() / n;
        let variance = utilisation.iter().map(|u| (u - mean) * (u - mean)).sum::<f64>() / n;
        // The same sum in another order may differ in the last digits.
        let safe = if variance < 1e-15 { 0.0 } else { variance * (1.0 - 1e-12) };
        Bound::real(safe, "the most even loads in whole steps")
    }
}
