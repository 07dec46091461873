//! From an instance to the flat problem that the engine works on, and back.

use super::budget::Budget;
use super::engine::Engine;
use super::problem::{Problem, Vector};
use super::ratio::Ratio;
use super::specialists::{
    Better, Found, Look, Request, by_width, demanded, objection, plan_of, ready,
};
use model::{Fraction, Instance, NodeId, TaskId, Worth};

/// Kinds of tasks, as far as it matters where they may run, at most.
const KINDS: usize = 4096;

/// What about the instance the search does not know yet; `None` when it covers it.
pub fn covers(instance: &Instance) -> Option<&'static str> {
    if let Some(objection) = objection(instance) {
        return Some(objection);
    }
    if instance.has_pairs() {
        return Some("demands and costs that depend on task and node");
    }
    if ready(instance).any(|node| instance.limit(node) != instance.capacity(node)) {
        return Some("reserves");
    }
    let over = |node: NodeId| {
        instance.used(node).iter().zip(instance.capacity(node)).any(|(used, c)| used > c)
    };
    if ready(instance).any(over) {
        return Some("nodes that are overloaded already");
    }
    let (_, examples) = kinds(instance);
    let homeless = |task: &TaskId| !ready(instance).any(|node| instance.eligible(*task, node));
    if examples.iter().any(homeless) {
        return Some("tasks that no node takes");
    }
    many_kinds(&examples)
}

/// Objects to more kinds of tasks than are worth a table.
pub(super) fn many_kinds(examples: &[TaskId]) -> Option<&'static str> {
    (examples.len() > KINDS).then_some("thousands of different requirements")
}

/// Kind of each task by requirement and pin, and one task of each kind.
pub(super) fn kinds(instance: &Instance) -> (Vec<u16>, Vec<TaskId>) {
    let mut at = rustc_hash::FxHashMap::default();
    let mut examples = Vec::new();
    let kind = |task: TaskId| {
        let key = (instance.requirement_of(task), instance.pin(task));
        *at.entry(key).or_insert_with(|| {
            examples.push(task);
            (examples.len() - 1) as u16
        })
    };
    (instance.task_ids().map(kind).collect(), examples)
}

/// Searches for the plan with the lowest peak.
pub fn search(request: &Request, better: Look) -> Found {
    by_width!(run, request, better)
}

fn run<const R: usize>(request: &Request, better: Look) -> Found {
    let instance = request.instance;
    let nodes: Vec<NodeId> = ready(instance).collect();
    let problem = problem::<R>(instance, &nodes);
    let one = Ratio { num: 1, den: 1 };
    let mut tell = |node_of: &[u32], value: Ratio, bound: Ratio| {
        if value <= one {
            let (value, bound) = (value.to_f64(), bound.to_f64());
            better(Better { value, bound, node_of, nodes: &nodes });
        }
    };
    let budget = Budget::new(request.stop, request.work);
    let floor = Ratio::of(request.floor);
    let mut engine = Engine::new(&problem, floor, budget, request.seed, &mut tell);
    engine.run();
    let plan = (engine.value <= one).then(|| plan_of(&engine.plan, &nodes));
    let (bound, work) = (engine.bound, engine.budget.work);
    let near = 100.0 * bound.to_f64();
    let impossible = (plan.is_none() && bound > one).then(|| match near {
        percent if percent < 100.001 => "the fullest node would be above 100 %".to_owned(),
        percent => format!("the fullest node would be at {percent:.3} % at least"),
    });
    let bound = Worth::exact(Fraction::new(bound.num.into(), bound.den.into()));
    Found { plan, bound, impossible, work }
}

fn problem<const R: usize>(instance: &Instance, nodes: &[NodeId]) -> Problem<R> {
    flat(instance, nodes, |node, r| (instance.capacity(node)[r], instance.used(node)[r]))
}

/// The flat problem with the capacity and the base load that `of` says, by node and resource.
pub(super) fn flat<const R: usize>(
    instance: &Instance,
    nodes: &[NodeId],
    of: impl Fn(NodeId, usize) -> (i64, i64),
) -> Problem<R> {
    let resources = demanded(instance);
    let vector = |f: &dyn Fn(usize) -> i64| -> Vector<R> {
        std::array::from_fn(|k| resources.get(k).map_or(0, |r| f(*r)))
    };
    let (kind, examples) = kinds(instance);
    let may = |task: &TaskId| nodes.iter().map(|node| instance.eligible(*task, *node)).collect();
    let allowed: Vec<Vec<bool>> = examples.iter().map(may).collect();
    let everywhere = allowed.iter().flatten().all(|may| *may);
    let demand = |task| vector(&|r| instance.demand(task)[r]);
    Problem {
        demand: instance.task_ids().map(demand).collect(),
        cap: nodes.iter().map(|node| vector(&|r| of(*node, r).0)).collect(),
        used: nodes.iter().map(|node| vector(&|r| of(*node, r).1)).collect(),
        kind,
        allowed: if everywhere { Vec::new() } else { allowed },
    }
}
