//! From plans to points of the model and back.

use super::columns::Model;
use super::margins::WHOLE;
use judge::metrics;
use model::state::State;
use model::{NodeId, Plan, TaskId};

impl Model<'_> {
    /// Column values that stand for a plan, with identical nodes put in order.
    pub(super) fn start(&self, plan: &Plan) -> Vec<f64> {
        let instance = self.shape.instance;
        let mut point: Vec<f64> = self.program.columns.iter().map(|c| c.lower).collect();
        let place = self.ordered(plan);
        let mut on: Vec<Vec<TaskId>> = vec![Vec::new(); self.shape.groups.len()];
        let mut left: Vec<f64> =
            self.shape.classes.tasks.iter().map(|c| c.tasks.len() as f64).collect();
        for (k, class) in self.shape.classes.tasks.iter().enumerate() {
            for task in &class.tasks {
                let group = plan.placement[task.index()].and_then(|node| place[node.index()]);
                let Some(group) = group else { continue };
                on[group].push(*task);
                if let Some(col) = self.counts[k][group] {
                    point[col as usize] += 1.0;
                    left[k] -= 1.0;
                    if let Some(used) = self.used.get(group) {
                        point[*used as usize] = 1.0;
                    }
                }
            }
        }
        for (col, left) in self.unplaced.iter().zip(left) {
            point[*col as usize] = left;
        }
        if !self.cards.is_empty() {
            self.start_cards(&mut point, &on);
        }
        self.derived.iter().for_each(|derived| derived.start(&mut point));
        self.chords.iter().for_each(|chords| chords.start(&mut point));
        if let Some(z) = self.peak {
            point[z as usize] = metrics::Metrics::of(instance, plan, None).peak;
        }
        if let Some(balance) = &self.balance {
            balance.start(&mut point);
        }
        point
    }

    /// Which group stands for each node: identical nodes swap places until
    /// their loads descend.
    fn ordered(&self, plan: &Plan) -> Vec<Option<usize>> {
        let instance = self.shape.instance;
        let width = instance.resources().len();
        let loads = metrics::loads(instance, plan);
        let mut tasks = vec![0usize; instance.nodes()];
        plan.placements().for_each(|(_, node)| tasks[node.index()] += 1);
        let mut place = vec![None; instance.nodes()];
        let mut g = 0;
        while g < self.shape.groups.len() {
            let mut end = g + 1;
            while end < self.shape.groups.len() && self.shape.integer && self.twins(end - 1, end) {
                end += 1;
            }
            let mut nodes: Vec<NodeId> =
                self.shape.groups[g..end].iter().map(|group| group[0]).collect();
            let load =
                |node: &NodeId| (loads[node.index() * width + self.key], tasks[node.index()]);
            nodes.sort_by(|a, b| load(b).cmp(&load(a)).then(a.cmp(b)));
            for (k, node) in nodes.into_iter().enumerate() {
                place[node.index()] = Some(g + k);
            }
            g = end;
        }
        place
    }

    /// The plan that a solver's point stands for; `None` when its counts are no
    /// whole numbers or do not add up.
    pub(super) fn plan(&self, point: &[f64]) -> Option<Plan> {
        let instance = self.shape.instance;
        let mut plan = Plan::empty(instance.tasks());
        for (class, counts) in self.shape.classes.tasks.iter().zip(&self.counts) {
            let mut tasks = class.tasks.iter();
            for (group, col) in self.shape.groups.iter().zip(counts) {
                let Some(col) = col else { continue };
                let value = point[*col as usize];
                let whole = value.round();
                if (value - whole).abs() > WHOLE || whole < 0.0 {
                    return None;
                }
                for _ in 0..whole as usize {
                    let task: &TaskId = tasks.next()?;
                    plan.placement[task.index()] = Some(group[0]);
                }
            }
            if !self.shape.allow_unplaced && tasks.next().is_some() {
                return None;
            }
        }
        Some(match instance.devices() {
            [] => plan,
            _ => State::load_plan(instance, &plan).unload(),
        })
    }
}
