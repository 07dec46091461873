//! What moves mean for the program: resources that are taken twice while tasks
//! move, and the group that moves most. A class of tasks runs on one node now as a
//! whole wherever that matters.

use super::columns::{Derived, Model, Shape};
use super::program::{Col, Of, merged};
use model::{NodeId, TaskId};

/// Room on a node for a task: where it does not run now, less of what is transient.
pub(super) fn room(shape: &Shape, task: TaskId, node: NodeId, limit: &[i64]) -> Vec<i64> {
    let rooms = limit.iter().enumerate();
    rooms.map(|(r, limit)| shape.instance.room_for(task, node, r).min(*limit)).collect()
}

impl Model<'_> {
    /// While tasks move, what comes to a node fits beside what is held there.
    pub(super) fn transient_rows(&mut self) {
        let instance = self.shape.instance;
        if !instance.has_transient() {
            return;
        }
        let width = instance.resources().len();
        for (g, group) in self.shape.groups.iter().enumerate() {
            let node = group[0];
            for r in (0..width).filter(|r| instance.transient(*r)) {
                let mut terms: Vec<(Col, f64)> = Vec::new();
                for (class, counts) in self.shape.classes.tasks.iter().zip(&self.counts) {
                    let task = class.example();
                    let demand = instance.demand_on(task, node)[r];
                    let comes = instance.current(task) != Some(node);
                    if let (Some(col), true) = (counts[g], comes && demand > 0) {
                        terms.push((col, demand as f64));
                    }
                }
                let room = instance.free_for_others(node, r) as f64 * group.len() as f64;
                if self.largest_load(&terms) > room {
                    self.program.about("transient", &[Of::Resource(r), Of::Node(node)]);
                    self.program.at_most(terms, room);
                }
            }
        }
    }

    /// A column above every group's number of moved tasks.
    pub(super) fn group_moves_rows(&mut self) {
        let instance = self.shape.instance;
        let mut of: Vec<Vec<Col>> = vec![Vec::new(); instance.groups().len()];
        for (class, counts) in self.shape.classes.tasks.iter().zip(&self.counts) {
            let task = class.example();
            for (group, col) in self.shape.groups.iter().zip(counts) {
                if let (Some(col), true) = (col, instance.moved(task, group[0])) {
                    instance.groups_of(task).iter().for_each(|k| of[*k as usize].push(*col));
                }
            }
        }
        self.program.about("group_moves", &[]);
        let most = self.program.column(0.0, f64::INFINITY, false);
        for cols in of.iter().filter(|cols| !cols.is_empty()) {
            let mut terms: Vec<(Col, f64)> = cols.iter().map(|col| (*col, 1.0)).collect();
            terms.push((most, -1.0));
            self.program.at_most(terms, 0.0);
        }
        self.derived.push(Derived::Most {
            col: most,
            of: of.into_iter().map(|cols| (cols, 0.0)).collect(),
        });
        self.group_moves = Some(most);
    }

    /// Columns for room that is missing beside other room, priced.
    pub(super) fn ratio_rows(&mut self) {
        let instance = self.shape.instance;
        let factor = instance.soft_scale().factor();
        for (g, group) in self.shape.groups.iter().enumerate() {
            let (capacity, used) = (instance.capacity(group[0]), instance.used(group[0]));
            let size = group.len() as f64;
            for ratio in instance.ratios() {
                // In steps of the larger coefficient, to keep numbers moderate.
                let unit = ratio.a.max(ratio.b).max(1) as f64;
                let (a, b) = (ratio.a as f64 / unit, ratio.b as f64 / unit);
                let free = |r: usize| (capacity[r] - used[r]) as f64;
                let missing = (a * free(ratio.room) - b * free(ratio.with)) * size;
                let mut terms = self.load_terms(g, ratio.with, b);
                terms.extend(self.load_terms(g, ratio.room, -a));
                let terms: Vec<(Col, f64)> =
                    merged(terms).into_iter().filter(|(_, a)| *a != 0.0).collect();
                let upper = |col: Col| self.program.columns[col as usize].upper;
                let most: f64 = terms.iter().map(|(col, a)| a.max(0.0) * upper(*col)).sum();
                if terms.is_empty() {
                    self.margins_constant += missing.max(0.0) * unit * factor;
                }
                if terms.is_empty() || missing + most <= 0.0 {
                    continue;
                }
                let [room, with] = [ratio.room, ratio.with].map(Of::Resource);
                self.program.about("missing", &[room, with, Of::Node(group[0])]);
                self.priced(vec![(terms, -missing)], unit * factor);
            }
        }
    }
}
