//! Cards in the exact model: shares are counted card by card, whole cards are
//! taken or not. Cards with equal room are ordered by load.

use super::columns::{CardRows, Model};
use super::program::{Col, Of};
use model::state::pack;
use model::{Devices, TaskId, cards_in};

impl Model<'_> {
    /// Rows for every node and every resource that comes in cards.
    pub(super) fn card_rows(&mut self) {
        for device in self.shape.instance.devices() {
            for g in 0..self.shape.groups.len() {
                self.cards_of(g, *device);
            }
        }
    }

    fn cards_of(&mut self, group: usize, device: Devices) {
        let (shape, card) = (self.shape, device.card);
        let node = shape.groups[group][0];
        let (resource, on) = (Of::Resource(device.resource), Of::Node(node));
        self.program.about("cards", &[resource, on]);
        let mut free = shape.instance.free_cards(node, device);
        free.sort_unstable_by(|a, b| b.cmp(a));
        let mut shares: Vec<(usize, Col, i64)> = Vec::new();
        let mut wholes: Vec<(Col, f64)> = Vec::new();
        for (k, class) in shape.classes.tasks.iter().enumerate() {
            let Some(col) = self.counts[k][group] else { continue };
            match shape.instance.demand_on(class.example(), node)[device.resource] {
                0 => {}
                share if share < card => shares.push((k, col, share)),
                whole => wholes.push((col, (whole / card) as f64)),
            }
        }
        let empty = free.iter().filter(|free| **free == card).count();
        if shares.is_empty() {
            self.program.at_most(wholes, empty as f64);
            return;
        }
        let mut rows = CardRows { group, device, free, shares: Vec::new(), whole: Vec::new() };
        let mut loads: Vec<Vec<(Col, f64)>> = vec![Vec::new(); rows.free.len()];
        for (c, free) in rows.free.iter().enumerate() {
            let takes = *free == card && !wholes.is_empty();
            self.program.about("whole", &[resource, on, Of::Number(c)]);
            let whole = takes.then(|| self.program.column(0.0, 1.0, true));
            loads[c].extend(whole.map(|col| (col, card as f64)));
            rows.whole.push(whole);
        }
        for (k, count, share) in shares {
            let most = shape.classes.tasks[k].tasks.len() as i64;
            let each = |free: &i64| (free / share).min(most) as f64;
            let task = Of::Task(shape.classes.tasks[k].example());
            let mut cols: Vec<Col> = Vec::with_capacity(rows.free.len());
            for (c, free) in rows.free.iter().enumerate() {
                self.program.about("share", &[task, resource, on, Of::Number(c)]);
                cols.push(self.program.column(0.0, each(free), true));
            }
            self.program.about("shares", &[task, resource, on]);
            let mut sum: Vec<(Col, f64)> = cols.iter().map(|col| (*col, 1.0)).collect();
            sum.push((count, -1.0));
            self.program.equal(sum, 0.0);
            for (load, col) in loads.iter_mut().zip(&cols) {
                load.push((*col, share as f64));
            }
            rows.shares.push((k, cols));
        }
        for (c, load) in loads.iter().enumerate() {
            self.program.about("card", &[resource, on, Of::Number(c)]);
            self.program.at_most(load.clone(), rows.free[c] as f64);
            if c > 0 && rows.free[c] == rows.free[c - 1] {
                let before = loads[c - 1].iter().map(|(col, a)| (*col, -a));
                self.program.at_most(load.iter().copied().chain(before).collect(), 0.0);
            }
        }
        if !wholes.is_empty() {
            self.program.about("wholes", &[resource, on]);
            let taken = rows.whole.iter().flatten().map(|col| (*col, -1.0));
            self.program.equal(wholes.into_iter().chain(taken).collect(), 0.0);
        }
        self.cards.push(rows);
    }

    /// Fills in the columns of cards; `on` are the tasks of each group.
    pub(super) fn start_cards(&self, point: &mut [f64], on: &[Vec<TaskId>]) {
        let instance = self.shape.instance;
        for rows in &self.cards {
            let (node, tasks) = (self.shape.groups[rows.group][0], &on[rows.group]);
            let Some(sets) = pack(instance, node, rows.device, tasks) else { continue };
            let free = instance.free_cards(node, rows.device);
            let mut loads = vec![0i64; free.len()];
            for (task, set) in tasks.iter().zip(&sets) {
                let demand = instance.demand_on(*task, node)[rows.device.resource];
                cards_in(*set).for_each(|card| loads[card] += demand.min(rows.device.card));
            }
            let mut order: Vec<usize> = (0..free.len()).collect();
            order.sort_by_key(|c| (std::cmp::Reverse(free[*c]), std::cmp::Reverse(loads[*c]), *c));
            for (at, card) in order.iter().enumerate() {
                for (task, set) in tasks.iter().zip(&sets) {
                    if set >> card & 1 == 0 {
                        continue;
                    }
                    let share = rows.shares.iter().find(|(k, _)| {
                        self.shape.classes.tasks[*k].tasks.binary_search(task).is_ok()
                    });
                    match (share, rows.whole[at]) {
                        (Some((_, cols)), _) => point[cols[at] as usize] += 1.0,
                        (None, Some(whole)) => point[whole as usize] = 1.0,
                        (None, None) => {}
                    }
                }
            }
        }
    }
}
