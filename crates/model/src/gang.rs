//! Jobs: plain tasks, and gangs of several units.

use super::parts::Gang;
use std::ops::Range;

use super::{Instance, TaskId};

impl Instance {
    /// Jobs of several units, in instance order.
    pub fn gangs(&self) -> &[Gang] {
        &self.gangs
    }

    /// The gang that the task is a unit of, and which unit.
    pub fn gang_of(&self, task: TaskId) -> Option<(&Gang, u32)> {
        let at = self.gangs.partition_point(|gang| gang.first <= task);
        let gang = self.gangs.get(at.checked_sub(1)?)?;
        let unit = task.0 - gang.first.0;
        (unit < gang.size).then_some((gang, unit))
    }

    /// Jobs, each by its first task: plain tasks, and the first units of gangs.
    pub fn jobs(&self) -> impl Iterator<Item = TaskId> + '_ {
        self.task_ids().filter(|task| self.job(*task) == *task)
    }

    /// The job that the task belongs to, by its first task.
    pub fn job(&self, task: TaskId) -> TaskId {
        self.gang_of(task).map_or(task, |(gang, _)| gang.first)
    }

    /// Positions of the tasks of a job.
    pub fn units(&self, job: TaskId) -> Range<usize> {
        let size = self.gang_of(job).map_or(1, |(gang, _)| gang.size as usize);
        job.index()..job.index() + size
    }

    /// The id under which the task or its whole gang was given.
    pub fn job_name(&self, task: TaskId) -> &str {
        match self.gang_of(task) {
            Some((gang, _)) => &gang.name,
            None => self.task_name(task),
        }
    }
}
