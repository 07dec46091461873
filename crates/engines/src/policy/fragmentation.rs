//! Fragmentation gradient descent: the node whose cards the task fragments
//! least (Weng et al., Beware of Fragmentation: Scheduling GPU-Sharing Workloads
//! with Fragmentation Gradient Descent, USENIX ATC 2023).

use std::cell::RefCell;

use super::{Policy, Score};
use judge::metrics::{Mix, fragmented};
use model::state::State;
use model::{Classes, Instance, NodeId, TaskId};

/// Score by how much the fragmented share of the node's cards grows.
pub(super) struct FragmentationGradient {
    mix: Mix,
    /// Class of each task.
    class: Vec<u32>,
    classes: usize,
    /// Nodes x classes: growth as the node stands, NaN when not known.
    growth: RefCell<Vec<f64>>,
}

impl FragmentationGradient {
    pub(super) fn new(instance: &Instance) -> Result<FragmentationGradient, String> {
        if instance.devices().is_empty() {
            return Err("fragmentation-gradient-descent is about cards, and no resource has \
                        `devices`"
                .to_owned());
        }
        let classes = Classes::without_rules(instance);
        let mut class = vec![0; instance.tasks()];
        for (k, group) in classes.tasks.iter().enumerate() {
            group.tasks.iter().for_each(|task| class[task.index()] = k as u32);
        }
        let count = classes.tasks.len();
        let growth = RefCell::new(vec![f64::NAN; count * instance.nodes()]);
        Ok(FragmentationGradient {
            mix: Mix::of(instance, &classes),
            class,
            classes: count,
            growth,
        })
    }

    fn compute(&self, state: &State, task: TaskId, node: NodeId) -> f64 {
        let instance = state.instance();
        let demand = instance.demand_on(task, node);
        let before = state.load(node);
        let after: Vec<i64> = before.iter().zip(demand).map(|(load, d)| load + d).collect();
        let mut growth = 0.0;
        for (d, device) in instance.devices().iter().enumerate() {
            let free = state.free_cards(node, d);
            let now = fragmented(instance, &self.mix, node, *device, before, free);
            if let Some(free) = state.cards_after(task, node, d) {
                growth += fragmented(instance, &self.mix, node, *device, &after, &free) - now;
            }
        }
        growth
    }

    fn forget(&self, node: NodeId) {
        let from = node.index() * self.classes;
        self.growth.borrow_mut()[from..from + self.classes].fill(f64::NAN);
    }
}

impl Policy for FragmentationGradient {
    fn score(&self, state: &State, task: TaskId, node: NodeId) -> Score {
        let at = node.index() * self.classes + self.class[task.index()] as usize;
        let known = self.growth.borrow()[at];
        let growth = if known.is_nan() { self.compute(state, task, node) } else { known };
        self.growth.borrow_mut()[at] = growth;
        [growth, 0.0]
    }

    fn placed(&mut self, _state: &State, _task: TaskId, node: NodeId) {
        self.forget(node);
    }

    fn removed(&mut self, _state: &State, _task: TaskId, node: NodeId) {
        self.forget(node);
    }
}
