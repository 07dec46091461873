//! Some of an instance: which of its tasks and nodes, and what is on these beside the tasks.

use model::{Instance, TaskId};

/// Some of an instance's tasks and nodes; units of a gang and tasks of a rule are in it
/// together or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Per task of the instance.
    pub tasks: Vec<bool>,
    /// Per node of the instance.
    pub nodes: Vec<bool>,
}

impl Part {
    /// Every task and every node.
    pub(super) fn whole(instance: &Instance) -> Part {
        Part { tasks: vec![true; instance.tasks()], nodes: vec![true; instance.nodes()] }
    }

    /// Whether the instance's own text may say where the job runs now: on nodes of the
    /// part only.
    pub(super) fn knows_current(&self, instance: &Instance, job: TaskId) -> bool {
        self.tasks[job.index()]
            && instance.units(job).all(|unit| {
                let node = instance.current(TaskId::from(unit));
                node.is_none_or(|node| self.nodes[node.index()])
            })
    }

    /// Load of the part's nodes that is not the part's: what was there already, and of
    /// transient resources what tasks hold that are new to the part or not in it.
    pub(super) fn used(&self, instance: &Instance) -> Vec<Vec<i64>> {
        let mut used: Vec<_> = instance.node_ids().map(|n| instance.used(n).to_vec()).collect();
        let strangers = instance.jobs().filter(|job| !self.knows_current(instance, *job));
        for unit in strangers.flat_map(|job| instance.units(job)) {
            let unit = TaskId::from(unit);
            let Some(node) = instance.current(unit) else { continue };
            for (r, demand) in instance.demand_on(unit, node).iter().enumerate() {
                if instance.transient(r) {
                    used[node.index()][r] += demand;
                }
            }
        }
        used
    }
}
