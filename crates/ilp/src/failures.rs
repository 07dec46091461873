//! Plans that survive failures: what is on nodes that fail at once has room on the
//! others, while all else stays. One column for each class of tasks, failure and
//! node that takes it then.

use super::columns::{Failure, Model, Shape, limits, load_terms, most_that_fit};
use super::program::{Col, Of};
use model::{Instance, NodeId, TaskId};

impl Failure {
    fn guards(&self, instance: &Instance, task: TaskId) -> bool {
        let over = self.guard.as_deref();
        over.is_none() || instance.backup(task) == over
    }
}

impl Shape<'_> {
    /// Whether two nodes can change places without any failure being another one: both fail
    /// together, or each by itself, or neither.
    pub(super) fn fail_alike(&self, a: NodeId, b: NodeId) -> bool {
        let of =
            |node: NodeId| self.failures.iter().position(|failure| failure.nodes.contains(&node));
        match (of(a), of(b)) {
            (Some(a), Some(b)) => {
                a == b || (self.failures[a].nodes.len() == 1 && self.failures[b].nodes.len() == 1)
            }
            (None, None) => true,
            _ => false,
        }
    }
}

impl Model<'_> {
    pub(super) fn failure_rows(&mut self) {
        let shape = self.shape;
        // A peak that is settled is one of the plan, not of its fallbacks.
        let rooms = limits(shape, &[]);
        for failure in shape.failures {
            let dead = failure.nodes[0];
            let fails: Vec<bool> =
                shape.groups.iter().map(|group| failure.nodes.contains(&group[0])).collect();
            let moved = self.fallback_columns(failure, &fails, &rooms);
            self.fallback_room(dead, &fails, &moved, &rooms);
        }
    }

    /// How many tasks of each class go to each node that is left: all that were on the others.
    fn fallback_columns(
        &mut self,
        failure: &Failure,
        fails: &[bool],
        rooms: &[Vec<i64>],
    ) -> Vec<Vec<Option<Col>>> {
        let (shape, dead) = (self.shape, failure.nodes[0]);
        let mut moved = Vec::with_capacity(shape.classes.tasks.len());
        for (k, class) in shape.classes.tasks.iter().enumerate() {
            let task = class.example();
            let gone = self.counts[k].iter().zip(fails).filter(|(_, fails)| **fails);
            let mut balance: Vec<(Col, f64)> =
                gone.filter_map(|(col, _)| col.map(|col| (col, 1.0))).collect();
            let mut row = vec![None; shape.groups.len()];
            if balance.is_empty() || !failure.guards(shape.instance, task) {
                moved.push(row);
                continue;
            }
            for (g, group) in shape.groups.iter().enumerate().filter(|(g, _)| !fails[*g]) {
                let node = group[0];
                let most = most_that_fit(shape.instance.demand_on(task, node), &rooms[g]);
                if shape.instance.eligible_after_failure(task, node) && most > 0 {
                    let most = most.min(class.tasks.len() as i64) as f64;
                    self.program
                        .about("fallback", &[Of::Task(task), Of::Node(dead), Of::Node(node)]);
                    let col = self.program.column(0.0, most, true);
                    row[g] = Some(col);
                    balance.push((col, -1.0));
                }
            }
            self.program.about("displaced", &[Of::Task(task), Of::Node(dead)]);
            self.program.equal(balance, 0.0);
            moved.push(row);
        }
        moved
    }

    /// What comes fits beside what stays.
    fn fallback_room(
        &mut self,
        dead: NodeId,
        fails: &[bool],
        moved: &[Vec<Option<Col>>],
        rooms: &[Vec<i64>],
    ) {
        let shape = self.shape;
        for (g, group) in shape.groups.iter().enumerate().filter(|(g, _)| !fails[*g]) {
            for (r, room) in rooms[g].iter().enumerate() {
                let come = load_terms(shape, moved, g, r, 1.0);
                let mut terms = self.load_terms(g, r, 1.0);
                terms.extend(&come);
                if come.is_empty() || self.largest_load(&terms) <= *room as f64 {
                    continue;
                }
                let about = [Of::Resource(r), Of::Node(dead), Of::Node(group[0])];
                self.program.about("fallback_room", &about);
                self.program.at_most(terms, *room as f64);
            }
            let most = f64::from(shape.instance.max_tasks(group[0]));
            let counts = self.counts.iter().chain(moved).filter_map(|row| row[g]);
            let terms: Vec<(Col, f64)> = counts.map(|col| (col, 1.0)).collect();
            if self.largest_load(&terms) > most {
                self.program.about("fallback_tasks", &[Of::Node(dead), Of::Node(group[0])]);
                self.program.at_most(terms, most);
            }
        }
    }
}
