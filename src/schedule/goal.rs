//! What a schedule is worth: the tiers of the goal as numbers, before the metrics say so too.

use super::flat::{NEVER, Problem};
use super::serial::Builder;
use crate::metrics::TimeFigures;
use crate::model::{Goal, NodeId, TaskId, Term};

/// Which of two values is better: the earlier tiers first.
pub(super) fn less(a: &[f64], b: &[f64]) -> bool {
    let differ = a.iter().zip(b).find(|(a, b)| a != b);
    differ.is_some_and(|(a, b)| a < b)
}

/// When a schedule is good enough: at its bounds, or as near to them as is asked for.
pub(super) struct Target {
    /// What values cannot be below, as [`Aim::value`] gives them.
    floors: Vec<f64>,
    /// Part of each tier's value that may lie above its bound.
    gap: f64,
    /// Tasks left out where none may be: that value has no gap.
    whole: usize,
}

impl Target {
    /// Bounds of the goal's tiers, and the gap to them.
    pub fn new(bounds: impl Iterator<Item = f64>, gap: f64, allow_unplaced: bool) -> Target {
        let whole = (!allow_unplaced).then_some(0.0);
        Target {
            floors: whole.into_iter().chain(bounds).collect(),
            gap,
            whole: whole.iter().count(),
        }
    }

    /// Every tier is within the gap.
    pub fn reached(&self, value: &[f64]) -> bool {
        value.iter().zip(&self.floors).enumerate().all(|(k, (value, floor))| {
            let over = if k < self.whole { 0.0 } else { self.gap * value.abs() };
            value - floor <= over
        })
    }
}

/// The goal, with what decides about single placements.
#[derive(Clone)]
pub(super) struct Aim {
    pub goal: Goal,
    /// Weight of a second in the first tier that is not about tasks left out; 0 when that tier is
    /// about places alone.
    second: f64,
    /// Terms about places in that tier, and in all later ones.
    places: [Vec<(Term, f64)>; 2],
    /// Seconds count once for each unit of weight.
    weighted: bool,
}

impl Aim {
    pub fn new(p: &Problem, allow_unplaced: bool) -> Aim {
        let own = p.instance.goal();
        let goal = match allow_unplaced {
            true => own.with_unplaced_first(&p.instance.priorities()),
            false => own.clone(),
        };
        let about_places = |term: Term| {
            matches!(term, Term::Cost | Term::Nodes | Term::Soft | Term::Moves | Term::Moved)
        };
        let terms = |tiers: &[crate::model::Tier]| -> Vec<(Term, f64)> {
            let all = tiers.iter().flat_map(|tier| &tier.terms);
            all.filter(|t| about_places(t.term)).map(|t| (t.term, t.weight)).collect()
        };
        let timed = own.tiers[0].terms.iter().filter(|t| t.term.is_timed());
        Aim {
            second: timed.clone().map(|t| t.weight).sum(),
            weighted: timed.clone().any(|t| t.term != Term::Makespan),
            places: [terms(&own.tiers[..1]), terms(&own.tiers[1..])],
            goal,
        }
    }

    /// Time decides, whatever the goal.
    pub fn by_time(p: &Problem) -> Aim {
        let aim = Aim::new(p, false);
        Aim { places: Default::default(), second: 1.0, ..aim }
    }

    /// Nothing but time decides where a task goes.
    pub fn time_alone(&self) -> bool {
        self.places.iter().all(Vec::is_empty)
    }

    /// The lower the better: the job on the node until `end`.
    pub fn score(&self, b: &Builder, job: usize, node: u32, end: i64) -> (f64, f64) {
        let first = self.price(b, job, node, 0);
        if self.second == 0.0 {
            return (first, end as f64);
        }
        let weight = if self.weighted { b.p.jobs[job].weight.max(1) as f64 } else { 1.0 };
        (self.second * weight * end as f64 + first, self.price(b, job, node, 1))
    }

    /// The lower the better when time is no matter any more.
    pub fn place_score(&self, b: &Builder, job: usize, node: u32, end: i64) -> (f64, f64) {
        (self.price(b, job, node, 0) + self.price(b, job, node, 1), end as f64)
    }

    fn price(&self, b: &Builder, job: usize, node: u32, which: usize) -> f64 {
        let instance = b.p.instance;
        let (task, at) = (TaskId(b.p.jobs[job].first), NodeId(node));
        let each = self.places[which].iter().map(|(term, weight)| {
            let fresh = b.on[node as usize] == 0;
            let elsewhere = instance.current(task).is_some_and(|current| current != at);
            let units = f64::from(b.p.jobs[job].units);
            weight
                * match term {
                    Term::Cost => {
                        let price = if fresh { instance.price(at) } else { 0 };
                        let tasks = instance.cost_on(task, at) as f64 * units;
                        instance.cost_scale().factor() * (tasks + price as f64)
                    }
                    Term::Nodes => f64::from(u8::from(fresh)),
                    Term::Soft => instance.soft_scale().to_f64(instance.penalty(task, at)),
                    Term::Moves => instance.move_scale().to_f64(instance.move_cost(task, at)),
                    _ => f64::from(u8::from(elsewhere)),
                }
        });
        each.sum()
    }

    /// Every tier, after the number of tasks left out where none may be.
    pub fn value(&self, b: &Builder) -> Vec<f64> {
        let p = b.p;
        let out = |k: &usize| b.start[*k] >= NEVER;
        let mut value = Vec::with_capacity(self.goal.tiers.len() + 1);
        let left = (0..p.jobs.len()).filter(out).count();
        if !matches!(self.goal.tiers[0].terms[0].term, Term::Unplaced(_)) {
            value.push(left as f64);
        }
        for tier in &self.goal.tiers {
            let sum = tier.terms.iter().map(|part| part.weight * self.term(b, part.term)).sum();
            value.push(tier.worth(sum));
        }
        value
    }

    /// What a term is worth, of what has a place.
    pub fn term(&self, b: &Builder, term: Term) -> f64 {
        let p = b.p;
        let instance = p.instance;
        let jobs = || p.jobs.iter().enumerate().filter(|(k, _)| b.start[*k] < NEVER);
        let scale = instance.weight_scale();
        let sum = |of: &dyn Fn(usize) -> i64| {
            scale.to_f64(jobs().map(|(k, job)| job.weight * of(k)).sum::<i64>())
        };
        let tasks = || jobs().flat_map(|(_, job)| job.tasks());
        let at = |task: TaskId| NodeId(b.node[task.index()]);
        let moved = |task: &TaskId| instance.current(*task).is_some_and(|now| now != at(*task));
        match term {
            Term::Makespan => jobs().map(|(k, _)| b.end[k]).max().unwrap_or(0) as f64,
            Term::Completion => sum(&|k| b.end[k]),
            Term::Tardiness => sum(&|k| p.jobs[k].due.map_or(0, |due| (b.end[k] - due).max(0))),
            Term::Wait => sum(&|k| b.start[k] - p.jobs[k].release),
            Term::Cost => {
                let nodes = (0..p.nodes()).filter(|node| b.on[*node] > 0);
                let prices: i64 = nodes.map(|node| instance.price(NodeId::from(node))).sum();
                let tasks: i64 = tasks().map(|task| instance.cost_on(task, at(task))).sum();
                instance.cost_scale().to_f64(prices + tasks)
            }
            Term::Nodes => b.on.iter().filter(|on| **on > 0).count() as f64,
            Term::Soft => {
                let each = tasks().map(|task| instance.penalty(task, at(task)));
                instance.soft_scale().to_f64(each.sum())
            }
            Term::Moved => tasks().filter(moved).count() as f64,
            Term::Moves => {
                let each = tasks().map(|task| instance.move_cost(task, at(task)));
                instance.move_scale().to_f64(each.sum())
            }
            Term::Peak => TimeFigures::of(instance, &b.schedule()).peak,
            Term::Unplaced(priority) => {
                let out = p.jobs.iter().enumerate().filter(|(k, job)| {
                    b.start[*k] >= NEVER && priority.is_none_or(|p| job.priority == p)
                });
                scale.to_f64(out.map(|(_, job)| job.weight * i64::from(job.units)).sum())
            }
            Term::Balance | Term::Demand | Term::GroupMoves => 0.0,
        }
    }
}
