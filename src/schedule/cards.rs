//! Who has which cards of a node, and when: a task keeps its cards for as long as it runs.

use super::flat::Problem;
use crate::model::{CardSet, NodeId, TaskId, cards_in};
use crate::state::choose;

/// Cards that a task has for a time.
#[derive(Clone, Debug)]
struct Hold {
    task: u32,
    start: i64,
    end: i64,
}

/// Holds by node; empty where nothing comes in cards.
#[derive(Clone, Default)]
pub(super) struct Cards {
    /// Nodes x devices: what is free on each card before the plan.
    free: Vec<Vec<i64>>,
    on: Vec<Vec<Hold>>,
    /// Tasks x devices.
    pub sets: Vec<CardSet>,
}

impl Cards {
    pub fn new(p: &Problem) -> Cards {
        let devices = p.instance.devices();
        if devices.is_empty() {
            return Cards::default();
        }
        let free = |node| devices.iter().map(move |device| p.instance.free_cards(node, *device));
        Cards {
            free: p.instance.node_ids().flat_map(free).collect(),
            on: vec![Vec::new(); p.nodes()],
            sets: vec![0; p.instance.tasks() * devices.len()],
        }
    }

    pub fn clear(&mut self) {
        self.on.iter_mut().for_each(Vec::clear);
        self.sets.fill(0);
    }

    /// Cards for the task on the node over that time, a set for each of the devices; `None` when
    /// there are too few.
    pub fn find(
        &self,
        p: &Problem,
        (task, node): (TaskId, u32),
        (start, end): (i64, i64),
    ) -> Option<Vec<CardSet>> {
        let devices = p.instance.devices();
        let overlapping: Vec<&Hold> = match self.on.get(node as usize) {
            None => return Some(Vec::new()),
            Some(holds) => holds.iter().filter(|h| h.start < end && start < h.end).collect(),
        };
        let mut sets = Vec::with_capacity(devices.len());
        for (d, device) in devices.iter().enumerate() {
            let demand = p.instance.demand_on(task, NodeId(node))[device.resource];
            if demand == 0 {
                sets.push(0);
                continue;
            }
            let base = &self.free[node as usize * devices.len() + d];
            let mut least = base.clone();
            let mut now = base.clone();
            // What is taken rises only where somebody starts.
            let starts = overlapping.iter().map(|hold| hold.start.max(start));
            for time in starts {
                now.clone_from(base);
                let there = overlapping.iter().filter(|h| h.start <= time && time < h.end);
                for hold in there {
                    let other = p.instance.demand_on(TaskId(hold.task), NodeId(node));
                    let each = other[device.resource].min(device.card);
                    let set = self.sets[hold.task as usize * devices.len() + d];
                    cards_in(set).for_each(|card| now[card] -= each);
                }
                least.iter_mut().zip(&now).for_each(|(least, now)| *least = (*least).min(*now));
            }
            sets.push(choose(&least, device.card, demand)?);
        }
        Some(sets)
    }

    pub fn hold(
        &mut self,
        (task, node): (TaskId, u32),
        (start, end): (i64, i64),
        sets: &[CardSet],
    ) {
        if !self.on.is_empty() {
            let at = task.index() * sets.len();
            self.sets[at..at + sets.len()].copy_from_slice(sets);
            self.on[node as usize].push(Hold { task: task.0, start, end });
        }
    }

    pub fn give_back(&mut self, task: TaskId, node: u32) {
        if let Some(holds) = self.on.get_mut(node as usize) {
            holds.retain(|hold| hold.task != task.0);
        }
    }

    /// True when tasks may need cards at all.
    pub fn any(&self) -> bool {
        !self.on.is_empty()
    }
}
