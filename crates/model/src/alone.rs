//! Whether a task fits on a node that has nothing else of the plan.

use super::{Devices, Instance, NodeId, TaskId};

impl Instance {
    /// The first resource in which the task does not fit on the node even when
    /// nothing else of the plan is there; `None` when it fits.
    pub fn lacks_alone(&self, task: TaskId, node: NodeId) -> Option<usize> {
        let demand = self.demand_on(task, node);
        let lacks = (0..demand.len()).find(|&r| {
            let slack = self.room_for(task, node, r) - demand[r];
            let risk = self.kept_risk().filter(|_| demand[r] > 0);
            slack < 0
                || risk.is_some_and(|risk| !risk.covers(slack, self.variance_on(task, node, r)))
        });
        lacks.or_else(|| {
            let short = |device: &&Devices| {
                let (free, demand) = (self.free_cards(node, **device), demand[device.resource]);
                if demand < device.card {
                    demand > 0 && !free.iter().any(|card| *card >= demand)
                } else {
                    (free.iter().filter(|card| **card == device.card).count() as i64)
                        < demand / device.card
                }
            };
            self.devices.iter().find(short).map(|device| device.resource)
        })
    }

    /// True when the task may be placed on the node and fits there alone.
    pub fn fits_alone(&self, task: TaskId, node: NodeId) -> bool {
        self.eligible(task, node)
            && self.max_tasks(node) > 0
            && self.lacks_alone(task, node).is_none()
    }
}
