//! Moves that cannot be avoided: tasks that cannot stay where they run now.

use super::Bound;
use model::{Instance, Scale, TaskId};

/// Those tasks of the group that has most of them.
pub(super) fn by_group(instance: &Instance, dropped: usize) -> Bound {
    let mut counts = vec![0usize; instance.groups().len()];
    for task in evicted(instance, dropped) {
        instance.groups_of(task).iter().for_each(|group| counts[*group as usize] += 1);
    }
    let most = counts.into_iter().max().unwrap_or(0);
    Bound::counted(most as i128, Scale::ONE, "tasks of one group that cannot stay where they are")
}

/// Tasks that have to go elsewhere; none where tasks may be left out instead.
fn evicted(instance: &Instance, dropped: usize) -> impl Iterator<Item = TaskId> + '_ {
    let all = instance.task_ids().filter(move |_| dropped == 0);
    all.filter(|task| instance.current(*task).is_some_and(|at| !instance.fits_alone(*task, at)))
}
