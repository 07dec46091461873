//! Resources that come in cards: a share of one fits on one card, more than
//! one is whole cards.

use super::draft::{DraftError, DraftItem, error};
use super::expand::Units;
use super::parts::Devices;
use super::{CardSet, Draft, Instance, NodeId};

/// Most cards of one resource on a node.
const MOST: i64 = CardSet::BITS as i64;

/// The instance's devices.
///
/// # Errors
/// What is no whole number of cards and no share of one.
pub(super) fn devices(
    instance: &Instance,
    draft: &Draft,
    units: &Units,
) -> Result<Vec<Devices>, DraftError> {
    let mut devices = Vec::new();
    for (r, resource) in draft.resources.iter().enumerate().filter(|(_, r)| r.devices) {
        // One card is one unit, which the resource's scale divides.
        let scale = instance.resources()[r].scale;
        let card = scale.den / scale.num.max(1);
        debug_assert!(card >= 1);
        for (k, node) in instance.node_ids().enumerate() {
            let capacity = instance.capacity(node)[r];
            let field = format!("capacity.{}", resource.name);
            if capacity % card != 0 {
                let cause = format!("{} cards are no whole number", scale.show(capacity));
                let remedy = "a resource with devices has whole cards on each node";
                return Err(error(DraftItem::Node(k), &field, cause, remedy));
            }
            if capacity / card > MOST {
                let cause = format!("{} cards on one node", capacity / card);
                let remedy = format!("a node has at most {MOST} cards of one resource");
                return Err(error(DraftItem::Node(k), &field, cause, &remedy));
            }
        }
        let whole = |demand: i64| demand < card || demand % card == 0;
        let wrong = |item, demand: i64| {
            let cause =
                format!("{} cards are neither whole cards nor a share of one", scale.show(demand));
            let remedy = "ask for less than one card, or for whole ones";
            Err(error(item, &format!("demand.{}", resource.name), cause, remedy))
        };
        for (task, k) in instance.task_ids().zip(units.tasks()) {
            if !whole(instance.demand(task)[r]) {
                return wrong(DraftItem::Task(k), instance.demand(task)[r]);
            }
            if let Some(pair) = instance.pairs(task).find(|pair| !whole(pair.demand[r])) {
                return wrong(DraftItem::Task(k), pair.demand[r]);
            }
        }
        devices.push(Devices { resource: r, card });
    }
    Ok(devices)
}

impl Instance {
    /// The resources that come in cards.
    pub fn devices(&self) -> &[Devices] {
        &self.devices
    }

    /// What is free on each of the node's cards before the plan: existing load
    /// fills the first cards, a remainder takes a part of the next. After a failure
    /// tasks that stay keep the cards they have.
    pub fn free_cards(&self, node: NodeId, device: Devices) -> Vec<i64> {
        let at = self.devices.iter().position(|known| known.resource == device.resource);
        let known = at.and_then(|d| self.cards_left.get(node.index() * self.devices.len() + d));
        if let Some(left) = known {
            return left.clone();
        }
        let mut used = self.used(node)[device.resource];
        let cards = (self.capacity(node)[device.resource] / device.card) as usize;
        (0..cards)
            .map(|_| {
                let here = used.min(device.card);
                used -= here;
                device.card - here
            })
            .collect()
    }
}
