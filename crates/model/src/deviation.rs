//! How much each demand varies, and what that asks of a node.

use super::draft::{DraftError, DraftItem, error};
use super::expand::Units;
use super::{Instance, NodeId, Risk, TaskId};

/// The deviations, one row a unit, in steps of the resources; empty where nothing varies.
pub(super) fn deviations(
    instance: &Instance,
    units: &Units,
    deviation: Vec<i64>,
) -> Result<Vec<i64>, DraftError> {
    if deviation.iter().all(|deviation| *deviation == 0) {
        return Ok(Vec::new());
    }
    let width = instance.resources.len();
    let mut total = vec![0i128; width];
    for (unit, k) in units.tasks().enumerate() {
        for (r, total) in total.iter_mut().enumerate() {
            let (at, resource) = (unit * width + r, &instance.resources[r]);
            if deviation[at] == 0 {
                continue;
            }
            let wrong = |cause: &str, remedy: &str| {
                let field = format!("demand.{}", resource.name);
                Err(error(DraftItem::Task(k), &field, cause.to_owned(), remedy))
            };
            if resource.devices {
                return wrong("cards do not vary", "give the number of cards alone");
            }
            if resource.transient {
                return wrong("a transient resource does not vary", "give the amount alone");
            }
            if instance.demand[at] == 0 {
                return wrong("a deviation around a mean of 0", "give the mean, or leave it out");
            }
            *total += i128::from(deviation[at]) * i128::from(deviation[at]);
            if *total >= 1 << 100 {
                let remedy = "use a larger unit or fewer decimals";
                return wrong("the deviations add up to too many digits", remedy);
            }
        }
    }
    Ok(deviation)
}

impl Instance {
    /// True when any demand varies.
    pub fn has_deviations(&self) -> bool {
        !self.deviation.is_empty()
    }

    /// Standard deviations of the task's demand, one a resource; nothing when no demand of any task
    /// varies.
    pub fn deviation(&self, task: TaskId) -> &[i64] {
        let width = self.resources.len();
        if self.deviation.is_empty() {
            &[]
        } else {
            &self.deviation[task.index() * width..(task.index() + 1) * width]
        }
    }

    /// The variance that the task brings to the node: none where it demands nothing. What a pair
    /// says replaces the mean, the deviation stays the task's.
    pub fn variance_on(&self, task: TaskId, node: NodeId, resource: usize) -> i128 {
        match self.deviation(task).get(resource) {
            None | Some(0) => 0,
            Some(_) if self.demand_on(task, node)[resource] == 0 => 0,
            Some(deviation) => i128::from(*deviation) * i128::from(*deviation),
        }
    }

    /// The risk that was asked for.
    pub fn risk(&self) -> Option<Risk> {
        self.risk
    }

    /// The risk that plans must keep, where any demand varies.
    pub fn kept_risk(&self) -> Option<Risk> {
        self.risk.filter(|_| self.has_deviations())
    }

    /// The same instance with another risk, or none.
    pub fn with_risk(mut self, risk: Option<Risk>) -> Instance {
        self.risk = risk;
        self
    }
}
