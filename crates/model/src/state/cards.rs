//! Which cards of a node a task has.

use crate::{CardSet, Devices, Instance, NodeId, Plan, TaskId, cards_in};

/// Steps of the packing's search before it gives up.
const BUDGET: u32 = 1_000_000;

/// What is free on every card, and who holds which.
#[derive(Clone, Debug, Default)]
pub(super) struct Cards {
    /// One entry a device resource: cards of node j are `start[j]..start[j + 1]`.
    banks: Vec<Bank>,
    /// Tasks x device resources.
    held: Vec<CardSet>,
}

#[derive(Clone, Debug)]
struct Bank {
    start: Vec<u32>,
    free: Vec<i64>,
}

impl Cards {
    pub(super) fn new(instance: &Instance) -> Cards {
        let banks: Vec<Bank> = (instance.devices().iter())
            .map(|device| {
                let mut bank = Bank { start: vec![0], free: Vec::new() };
                for node in instance.node_ids() {
                    bank.free.extend(instance.free_cards(node, *device));
                    bank.start.push(bank.free.len() as u32);
                }
                bank
            })
            .collect();
        let held = vec![0; if banks.is_empty() { 0 } else { instance.tasks() * banks.len() }];
        Cards { banks, held }
    }

    pub(super) fn free(&self, node: NodeId, device: usize) -> &[i64] {
        let bank = &self.banks[device];
        &bank.free[bank.start[node.index()] as usize..bank.start[node.index() + 1] as usize]
    }

    /// Gives the task cards on the node, those that [`choose`] names.
    pub(super) fn take(&mut self, instance: &Instance, task: TaskId, node: NodeId) {
        for (d, device) in instance.devices().iter().enumerate() {
            let demand = instance.demand_on(task, node)[device.resource];
            let set = choose(self.free(node, d), device.card, demand).unwrap_or(0);
            self.hold(d, (task, node), demand.min(device.card), set);
        }
    }

    /// Gives the task these cards on the node.
    pub(super) fn take_these(
        &mut self,
        instance: &Instance,
        (task, node): (TaskId, NodeId),
        sets: &[CardSet],
    ) {
        for ((d, device), set) in instance.devices().iter().enumerate().zip(sets) {
            let demand = instance.demand_on(task, node)[device.resource];
            self.hold(d, (task, node), demand.min(device.card), *set);
        }
    }

    /// The task's cards, a set a device resource.
    pub(super) fn of(&self, instance: &Instance, task: TaskId) -> &[CardSet] {
        let many = instance.devices().len();
        &self.held[task.index() * many..(task.index() + 1) * many]
    }

    fn hold(&mut self, d: usize, (task, node): (TaskId, NodeId), each: i64, set: CardSet) {
        self.held[task.index() * self.banks.len() + d] = set;
        self.move_load(d, node, set, each);
    }

    fn move_load(&mut self, d: usize, node: NodeId, set: CardSet, each: i64) {
        let bank = &mut self.banks[d];
        let start = bank.start[node.index()] as usize;
        cards_in(set).for_each(|card| bank.free[start + card] -= each);
    }

    pub(super) fn give_back(&mut self, instance: &Instance, task: TaskId, node: NodeId) {
        for (d, device) in instance.devices().iter().enumerate() {
            let demand = instance.demand_on(task, node)[device.resource];
            let at = task.index() * self.banks.len() + d;
            let set = std::mem::take(&mut self.held[at]);
            self.move_load(d, node, set, -demand.min(device.card));
        }
    }

    /// Takes over the cards of a plan, or deals them out where it names none.
    pub(super) fn deal(&mut self, instance: &Instance, plan: &Plan) {
        if self.banks.is_empty() {
            return;
        }
        let count = self.banks.len();
        let named = !plan.cards.is_empty();
        for (node, tasks) in instance.node_ids().zip(plan.by_node(instance.nodes())) {
            for (d, device) in instance.devices().iter().enumerate() {
                let dealt = match named {
                    true => tasks.iter().map(|t| plan.cards[t.index() * count + d]).collect(),
                    false => pack(instance, node, *device, &tasks).unwrap_or_default(),
                };
                for (task, set) in tasks.iter().zip(dealt) {
                    let demand = instance.demand_on(*task, node)[device.resource];
                    self.hold(d, (*task, node), demand.min(device.card), set);
                }
            }
        }
    }

    pub(super) fn held(self) -> Vec<CardSet> {
        self.held
    }
}

/// Cards for a demand: a share goes to the fullest card with room for it, whole
/// cards are the first that are entirely free. `None` when there is no room.
pub fn choose(free: &[i64], card: i64, demand: i64) -> Option<CardSet> {
    if demand == 0 {
        return Some(0);
    }
    if demand < card {
        let room = free.iter().enumerate().filter(|(_, free)| **free >= demand);
        return room.min_by_key(|(k, free)| (**free, *k)).map(|(k, _)| 1 << k);
    }
    let wanted = (demand / card) as usize;
    let empty = free.iter().enumerate().filter(|(_, free)| **free == card).map(|(k, _)| k);
    let set: Vec<usize> = empty.take(wanted).collect();
    (set.len() == wanted).then(|| set.into_iter().fold(0, |set, k| set | 1 << k))
}

/// The room on each card after the demand, as [`choose`] deals it out.
pub(super) fn after(free: &[i64], card: i64, demand: i64) -> Option<Vec<i64>> {
    let set = choose(free, card, demand)?;
    let mut free = free.to_vec();
    cards_in(set).for_each(|k| free[k] -= demand.min(card));
    Some(free)
}

/// Deals a node's cards out to its tasks, exactly: a search over the shares from
/// the largest on, each to the fullest card first. `None` when there is no way,
/// or none was found within a million steps. The sets are in the order of
/// `tasks`.
pub fn pack(
    instance: &Instance,
    node: NodeId,
    device: Devices,
    tasks: &[TaskId],
) -> Option<Vec<CardSet>> {
    let demand = |k: usize| instance.demand_on(tasks[k], node)[device.resource];
    let mut free = instance.free_cards(node, device);
    let mut sets = vec![0; tasks.len()];
    let mut shares = Vec::new();
    for (k, set) in sets.iter_mut().enumerate() {
        match demand(k) {
            0 => {}
            share if share < device.card => shares.push(k),
            whole => {
                *set = choose(&free, device.card, whole)?;
                cards_in(*set).for_each(|card| free[card] = 0);
            }
        }
    }
    shares.sort_by_key(|k| (std::cmp::Reverse(demand(*k)), *k));
    let sizes: Vec<i64> = shares.iter().map(|k| demand(*k)).collect();
    let mut chosen = Vec::with_capacity(shares.len());
    let mut budget = BUDGET;
    if !fill(&sizes, &mut free, &mut chosen, &mut budget) {
        return None;
    }
    for (k, card) in shares.into_iter().zip(chosen) {
        sets[k] = 1 << card;
    }
    Some(sets)
}

fn fill(sizes: &[i64], free: &mut [i64], chosen: &mut Vec<usize>, budget: &mut u32) -> bool {
    let Some((size, rest)) = sizes.split_first() else { return true };
    if *budget == 0 || sizes.iter().sum::<i64>() > free.iter().sum() {
        return false;
    }
    *budget -= 1;
    let mut cards: Vec<usize> = (0..free.len()).filter(|card| free[*card] >= *size).collect();
    cards.sort_by_key(|card| (free[*card], *card));
    // Cards with the same room are the same card.
    cards.dedup_by_key(|card| free[*card]);
    for card in cards {
        free[card] -= size;
        chosen.push(card);
        if fill(rest, free, chosen, budget) {
            return true;
        }
        chosen.pop();
        free[card] += size;
    }
    false
}
