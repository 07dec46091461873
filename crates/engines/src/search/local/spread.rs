//! Demands that vary: variances of tasks and of nodes, and whether a node bears its own.

use super::super::problem::{Vector, add, sub};
use super::problem::Problem;
use model::{Instance, NodeId, Risk, TaskId};

/// A variance a resource.
type Variances<const R: usize> = [i128; R];

/// What is given: the risk to be kept and how tasks vary.
pub struct Varying<const R: usize> {
    risk: Risk,
    tasks: Vec<Variances<R>>,
}

impl<const R: usize> Varying<R> {
    /// `None` where there is no risk to be kept.
    pub fn of(instance: &Instance) -> Option<Varying<R>> {
        let risk = instance.kept_risk()?;
        let square = |task: TaskId, r: usize| {
            let deviation = i128::from(instance.deviation(task).get(r).copied().unwrap_or(0));
            deviation * deviation
        };
        let row = |task| std::array::from_fn(|r| square(task, r));
        Some(Varying { risk, tasks: instance.task_ids().map(row).collect() })
    }
}

/// The variances of all nodes as things stand; none where there is no risk to be kept.
#[derive(Clone)]
pub struct Spread<const R: usize> {
    nodes: Vec<Variances<R>>,
}

impl<const R: usize> Spread<R> {
    pub fn new(problem: &Problem<R>) -> Self {
        let nodes = problem.varying.as_ref().map_or(0, |_| problem.nodes.len());
        Spread { nodes: vec![[0; R]; nodes] }
    }

    /// Task `i` comes to node `j`, or leaves it.
    pub fn change(&mut self, problem: &Problem<R>, i: usize, j: usize, more: bool) {
        let (Some(varying), Some(sum)) = (&problem.varying, self.nodes.get_mut(j)) else { return };
        let own = varying.on(problem, i, j);
        (0..R).for_each(|r| sum[r] += if more { own[r] } else { -own[r] });
    }

    /// Whether node `j`, which has this room now, bears its load with task `comes` there and task
    /// `leaves` gone.
    pub fn bears(
        &self,
        problem: &Problem<R>,
        j: usize,
        room: &Vector<R>,
        comes: Option<usize>,
        leaves: Option<usize>,
    ) -> bool {
        let (Some(varying), Some(sum)) = (&problem.varying, self.nodes.get(j)) else { return true };
        let (mut room, mut sum) = (*room, *sum);
        if let Some(i) = comes {
            let own = varying.on(problem, i, j);
            room = sub(room, problem.takes(i, j));
            (0..R).for_each(|r| sum[r] += own[r]);
        }
        if let Some(k) = leaves {
            let own = varying.on(problem, k, j);
            room = add(room, problem.takes(k, j));
            (0..R).for_each(|r| sum[r] -= own[r]);
        }
        (0..R).all(|r| sum[r] == 0 || varying.risk.covers(room[r], sum[r]))
    }
}

impl<const R: usize> Varying<R> {
    fn on(&self, problem: &Problem<R>, i: usize, j: usize) -> Variances<R> {
        if !problem.instance.has_pairs() {
            return self.tasks[i];
        }
        let node: NodeId = problem.nodes[j];
        let width = problem.instance.resources().len();
        let of = |r: usize| problem.instance.variance_on(TaskId(i as u32), node, r);
        std::array::from_fn(|r| if r < width { of(r) } else { 0 })
    }
}
