//! What nodes keep free and from where on load has a price: parts of capacities as quantities.

use super::draft::{DraftError, DraftItem, NodeDraft, Part, error};
use super::moves::held;
use super::parts::Reserved;
use super::soft::check_total as check_soft;
use super::watts::check_total;
use super::{Ask, Decimal, Draft, Instance, NodeId, TaskId, gcd};

/// What nodes keep free, and from where on their load has a price.
pub(super) struct Room {
    pub(super) reserve: Vec<Vec<(u16, Decimal)>>,
    pub(super) safety: Vec<Vec<(u16, Decimal)>>,
}

impl Room {
    pub(super) fn of(draft: &Draft) -> Result<Room, DraftError> {
        let mut room = Room { reserve: Vec::new(), safety: Vec::new() };
        for (k, node) in draft.nodes.iter().enumerate() {
            let own = |r: u16| node.reserve.iter().any(|(known, _)| *known == r);
            let usual = draft.reserve.iter().filter(|(r, _)| !own(*r));
            let reserve = node.reserve.iter().chain(usual);
            room.reserve.push(parts(node, k, reserve, "reserve")?);
            room.safety.push(parts(node, k, node.safety.iter(), "safety")?);
        }
        Ok(room)
    }

    /// Safety capacities in steps; `i64::MAX` where there is none.
    pub(super) fn thresholds(&self, draft: &Draft, mut steps: Vec<i64>) -> Vec<i64> {
        let width = draft.resources.len();
        for (k, list) in self.safety.iter().enumerate() {
            for r in 0..width {
                if !list.iter().any(|(known, _)| *known as usize == r) {
                    steps[k * width + r] = i64::MAX;
                }
            }
        }
        if self.safety.iter().all(Vec::is_empty) { Vec::new() } else { steps }
    }
}

impl Reserved {
    pub(super) fn of(draft: &Draft, reserve: Vec<i64>) -> Reserved {
        let width = draft.resources.len();
        let mut reserved = Reserved { reserve, ..Reserved::default() };
        let percent = |k: usize, (r, part): &(u16, Part)| match part {
            Part::Percent(percent) => Some((k * width + usize::from(*r), *percent)),
            Part::Exact(_) => None,
        };
        for (k, node) in draft.nodes.iter().enumerate() {
            let own = |r: u16| node.reserve.iter().any(|(known, _)| *known == r);
            let usual = draft.reserve.iter().filter(|(r, _)| !own(*r));
            reserved
                .reserve_percent
                .extend(node.reserve.iter().chain(usual).filter_map(|p| percent(k, p)));
            reserved.safety_percent.extend(node.safety.iter().filter_map(|p| percent(k, p)));
        }
        reserved.reserve_percent.sort_unstable_by_key(|(at, _)| *at);
        reserved.safety_percent.sort_unstable_by_key(|(at, _)| *at);
        if reserved.reserve.iter().all(|reserve| *reserve == 0) {
            reserved.reserve = Vec::new();
        }
        reserved
    }

    /// A node like node `j` comes after the last.
    pub(super) fn add_node_like(&mut self, j: usize, nodes: usize, width: usize) {
        let of = j * width..(j + 1) * width;
        if !self.reserve.is_empty() {
            self.reserve.extend_from_within(of.clone());
        }
        for list in [&mut self.reserve_percent, &mut self.safety_percent] {
            let own = list.iter().filter(|(at, _)| of.contains(at));
            let own: Vec<_> = own.map(|(at, p)| (at - j * width + nodes * width, *p)).collect();
            list.extend(own);
        }
    }
}

/// So many per cent of a capacity in steps, rounded up.
fn percent_of(capacity: i64, percent: Decimal) -> i64 {
    let Some(mantissa) = percent.at_places(percent.decimals()) else { return capacity };
    let one = 100 * 10i128.pow(u32::from(percent.decimals()));
    let part = (i128::from(capacity) * i128::from(mantissa) + one - 1) / one;
    i64::try_from(part).unwrap_or(i64::MAX)
}

fn known(list: &[(usize, Decimal)], at: usize) -> Option<Decimal> {
    let known = list.binary_search_by_key(&at, |(known, _)| *known).ok()?;
    list.get(known).map(|(_, percent)| *percent)
}

impl Instance {
    /// What the plan may fill of a node's resource if the capacity were this one.
    pub fn limit_at(&self, node: NodeId, resource: usize, capacity: i64) -> i64 {
        let at = node.index() * self.resources().len() + resource;
        let reserve = match known(&self.reserved.reserve_percent, at) {
            Some(percent) => percent_of(capacity, percent),
            None => self.reserved.reserve.get(at).copied().unwrap_or(0),
        };
        let limit = capacity.saturating_sub(reserve).max(0);
        let headroom = self.reserved.headroom.iter().map(|(part, one)| {
            (i128::from(capacity) * i128::from(one - part) / i128::from(*one)) as i64
        });
        headroom.fold(limit, i64::min)
    }

    /// Whether what the plan may fill grows step by step with the capacity.
    pub fn limit_follows(&self, node: NodeId, resource: usize) -> bool {
        let at = node.index() * self.resources().len() + resource;
        known(&self.reserved.reserve_percent, at).is_none() && self.reserved.headroom.is_empty()
    }

    /// The instance with `more` steps of a resource on one node: what is given as a part of the
    /// capacity grows with it.
    pub fn raised(&self, node: NodeId, resource: usize, more: i64) -> Instance {
        let mut instance = self.clone();
        let at = node.index() * self.resources().len() + resource;
        instance.capacity[at] += more;
        let capacity = instance.capacity[at];
        instance.limit[at] = self.limit_at(node, resource, capacity);
        if let Some(percent) = known(&self.reserved.safety_percent, at) {
            instance.safety[at] = percent_of(capacity, percent);
        }
        instance
    }

    /// Makes steps so fine that what this part of the capacities leaves is whole, where demands
    /// vary: loads are whole steps, the margins beside them are not.
    fn split_steps(&mut self, part: i64, one: i64) -> Result<(), String> {
        let width = self.resources().len();
        for r in 0..width {
            if !self.task_ids().any(|task| self.varies(task, r)) {
                continue;
            }
            let capacities = self.capacity.iter().skip(r).step_by(width);
            let rest = capacities
                .map(|c| (i128::from(*c) * i128::from(one - part) % i128::from(one)) as i64);
            let times = one / rest.fold(one, gcd);
            if times > 1 {
                self.finer(r, times).ok_or_else(|| {
                    let name = &self.resources[r].name;
                    format!("a part of each capacity in {name} has too many digits")
                })?;
            }
        }
        Ok(())
    }

    fn varies(&self, task: TaskId, resource: usize) -> bool {
        self.deviation(task).get(resource).is_some_and(|deviation| *deviation > 0)
    }

    /// Makes a step of the resource, which is none of cards, so many times as fine; `None` where
    /// sums would not fit.
    fn finer(&mut self, r: usize, times: i64) -> Option<()> {
        let width = self.resources().len();
        let mut total: i128 = 0;
        let mut squares: i128 = 0;
        for task in self.task_ids() {
            let deviation = self.deviation(task).get(r).copied().unwrap_or(0);
            let finer = deviation.checked_mul(times).filter(|finer| *finer < 1 << 50)?;
            squares += i128::from(finer) * i128::from(finer);
        }
        for list in [
            &mut self.demand,
            &mut self.deviation,
            &mut self.capacity,
            &mut self.limit,
            &mut self.used,
            &mut self.reserved.reserve,
            &mut self.pairs.demand,
        ] {
            for value in list.iter_mut().skip(r).step_by(width) {
                *value = value.checked_mul(times)?;
                total += i128::from(*value);
            }
        }
        for value in self.overhead.iter_mut().skip(r).step_by(width) {
            *value = value.checked_mul(times)?;
        }
        let ending = self.times.ending.iter_mut().flatten();
        for value in ending.filter_map(|(_, amounts)| amounts.get_mut(r)) {
            *value = value.checked_mul(times)?;
        }
        for safety in self.safety.iter_mut().skip(r).step_by(width).filter(|s| **s < i64::MAX) {
            *safety = safety.checked_mul(times)?;
        }
        self.moves.held = held(self);
        let scale = self.resources[r].scale;
        self.resources[r].scale = scale.divided(times)?;
        self.soft.finer(r, times, &mut self.rules.wishes)?;
        check_soft(self, &self.soft).ok()?;
        self.watts.finer(r, width, times)?;
        check_total(self, &self.watts).ok()?;
        for rule in &mut self.rules.all {
            if let Ask::Limit(limit) = &mut rule.ask
                && limit.resource == Some(r)
            {
                limit.at_most = limit.at_most.checked_mul(times)?;
                for (_, at_most) in &mut limit.later {
                    *at_most = at_most.checked_mul(times)?;
                }
                for (_, _, amount) in &mut limit.amounts {
                    *amount = amount.checked_mul(times)?;
                }
            }
        }
        (total < 1 << 60 && squares < 1 << 100).then_some(())
    }

    /// The instance with at least this part of every capacity kept free by the plan, what is
    /// reserved counted in.
    ///
    /// # Errors
    /// A part above 1.
    pub fn with_headroom(mut self, part: Decimal) -> Result<Instance, String> {
        let (Some(mantissa), Some(one)) =
            (part.at_places(part.decimals()), 10i64.checked_pow(u32::from(part.decimals())))
        else {
            return Err(format!("{part} has too many digits"));
        };
        if mantissa > one {
            return Err(format!("{part} is more than the whole capacity"));
        }
        self.split_steps(mantissa, one)?;
        self.reserved.headroom.push((mantissa, one));
        for (limit, capacity) in self.limit.iter_mut().zip(&self.capacity) {
            let usable = i128::from(*capacity) * i128::from(one - mantissa) / i128::from(one);
            *limit = (*limit).min(usable as i64);
        }
        Ok(self)
    }
}

/// Parts of a node's capacities as quantities.
fn parts<'a>(
    node: &NodeDraft,
    k: usize,
    list: impl Iterator<Item = &'a (u16, Part)>,
    field: &str,
) -> Result<Vec<(u16, Decimal)>, DraftError> {
    list.map(|(r, part)| match part {
        Part::Exact(exact) => Ok((*r, *exact)),
        Part::Percent(percent) => {
            let capacity = node.capacity.iter().find(|(known, _)| known == r);
            let capacity = capacity.map_or(Decimal::ZERO, |(_, capacity)| *capacity);
            let part = capacity.percent(*percent).ok_or_else(|| {
                let cause = format!("{percent} % of {capacity} has too many digits");
                error(DraftItem::Node(k), field, cause, "write the amount instead")
            })?;
            Ok((*r, part))
        }
    })
    .collect()
}
