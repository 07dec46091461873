//! Who has which cards of a node, and when: a task keeps its cards for as long as it runs.

use super::problem::Problem;
use model::state::choose;
use model::{CardSet, NodeId, TaskId, cards_in};

/// Cards that a task has for a time.
#[derive(Clone, Debug)]
struct Hold {
    task: u32,
    start: i64,
    end: i64,
    set: CardSet,
    /// Of each of them.
    each: i64,
}

/// Holds by node and device; empty where nothing comes in cards.
#[derive(Clone, Default)]
pub(super) struct Cards {
    /// What is free on each card before the plan.
    free: Vec<Vec<i64>>,
    /// Sorted by their ends.
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
            on: vec![Vec::new(); p.nodes() * devices.len()],
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
        let devices = if self.any() { p.instance.devices() } else { &[] };
        let mut sets = Vec::with_capacity(devices.len());
        for (d, device) in devices.iter().enumerate() {
            let demand = p.instance.demand_on(task, NodeId(node))[device.resource];
            if demand == 0 {
                sets.push(0);
                continue;
            }
            let at = node as usize * devices.len() + d;
            let later = &self.on[at][self.on[at].partition_point(|hold| hold.end <= start)..];
            let overlapping = || later.iter().filter(|hold| hold.start < end);
            // First as if all who overlap were there at once.
            let mut least = self.free[at].clone();
            for hold in overlapping() {
                cards_in(hold.set).for_each(|card| least[card] -= hold.each);
            }
            let set = choose(&least, device.card, demand).or_else(|| {
                // Whole cards are free of everybody who overlaps at all.
                (demand < device.card)
                    .then(|| self.least_free(at, &overlapping, start))
                    .and_then(|least| choose(&least, device.card, demand))
            });
            sets.push(set?);
        }
        Some(sets)
    }

    /// The least that is free on each card at any time from `start` on; what is taken rises only
    /// where somebody starts.
    fn least_free<'a, I: Iterator<Item = &'a Hold>>(
        &self,
        at: usize,
        overlapping: &dyn Fn() -> I,
        start: i64,
    ) -> Vec<i64> {
        let mut least = self.free[at].clone();
        for time in overlapping().map(|hold| hold.start.max(start)) {
            let mut now = self.free[at].clone();
            for hold in overlapping().filter(|hold| hold.start <= time && time < hold.end) {
                cards_in(hold.set).for_each(|card| now[card] -= hold.each);
            }
            least.iter_mut().zip(&now).for_each(|(least, now)| *least = (*least).min(*now));
        }
        least
    }

    pub fn hold(
        &mut self,
        p: &Problem,
        (task, node): (TaskId, u32),
        (start, end): (i64, i64),
        sets: &[CardSet],
    ) {
        for ((d, device), set) in p.instance.devices().iter().enumerate().zip(sets) {
            self.sets[task.index() * sets.len() + d] = *set;
            if *set == 0 {
                continue;
            }
            let demand = p.instance.demand_on(task, NodeId(node))[device.resource];
            let holds = &mut self.on[node as usize * sets.len() + d];
            let at = holds.partition_point(|hold| hold.end <= end);
            let each = demand.min(device.card);
            holds.insert(at, Hold { task: task.0, start, end, set: *set, each });
        }
    }

    pub fn give_back(&mut self, p: &Problem, task: TaskId, node: u32) {
        let many = if self.any() { p.instance.devices().len() } else { 0 };
        for d in 0..many {
            self.sets[task.index() * many + d] = 0;
            self.on[node as usize * many + d].retain(|hold| hold.task != task.0);
        }
    }

    /// True when tasks may need cards at all.
    pub fn any(&self) -> bool {
        !self.on.is_empty()
    }
}
