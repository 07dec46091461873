//! From an instance whose first goal is `cost` to the flat assignment problem, and back.

use super::assign::{Engine, Problem};
use super::budget::Budget;
use super::problem::Vector;
use super::specialists::{
    Better, Found, Look, Request, by_width, demanded, objection, plan_of, positions, ready,
};
use model::{Instance, NodeId, TaskId, Worth, gcd};

/// Tasks times nodes at most.
const PAIRS: usize = 4_000_000;
/// Limit of the dearest cost times tasks and nodes, so that sums of scaled costs stay exact.
const DEAREST: i128 = 1 << 44;
/// Limit of the largest demand times the tasks.
const LARGEST: i128 = 1 << 60;

/// What about the instance the search for cheap assignments does not know yet; `None` when it
/// covers it.
pub fn covers(instance: &Instance) -> Option<&'static str> {
    if instance.tasks().saturating_mul(instance.nodes()) > PAIRS {
        return Some("more than four million pairs of task and node");
    }
    let nodes: Vec<NodeId> = ready(instance).collect();
    let (costs, prices) = (costs(instance, &nodes), prices(instance, &nodes));
    if costs.iter().all(|cost| *cost == 0) {
        return Some("goals in which no task costs anything");
    }
    let unit = unit(&costs, &prices);
    let dearest = costs.iter().chain(&prices).max().copied().unwrap_or(0) / unit;
    let parts = (instance.tasks() + instance.nodes()) as i128 + 1;
    if (i128::from(dearest) + 1) * parts > DEAREST {
        return Some("costs of too many digits");
    }
    let own = |task: TaskId| instance.demand(task).iter().max().copied().unwrap_or(0);
    let pair = |task| instance.pairs(task).flat_map(|pair| pair.demand.iter().copied()).max();
    let most = instance.task_ids().map(|task| own(task).max(pair(task).unwrap_or(0))).max();
    if i128::from(most.unwrap_or(0)) * parts > LARGEST {
        return Some("demands of too many digits");
    }
    objection(instance)
}

/// Cost of each task on each node, task by task.
fn costs(instance: &Instance, nodes: &[NodeId]) -> Vec<i64> {
    let row = |task| nodes.iter().map(move |node| instance.cost_on(task, *node));
    instance.task_ids().flat_map(row).collect()
}

fn prices(instance: &Instance, nodes: &[NodeId]) -> Vec<i64> {
    nodes.iter().map(|node| instance.price(*node)).collect()
}

/// What all costs are multiples of.
fn unit(costs: &[i64], prices: &[i64]) -> i64 {
    costs.iter().chain(prices).fold(0, |g, cost| gcd(*cost, g)).max(1)
}

/// Searches for the cheapest plan.
pub fn search(request: &Request, better: Look) -> Found {
    by_width!(run, request, better)
}

fn run<const R: usize>(request: &Request, better: Look) -> Found {
    let instance = request.instance;
    let nodes: Vec<NodeId> = ready(instance).collect();
    let (problem, unit) = problem::<R>(instance, &nodes);
    let of = |value: i64| instance.cost_scale().to_f64(value.max(0) * unit);
    let mut tell = |node_of: &[u32], value: i64, bound: i64| {
        if value < i64::MAX {
            better(Better { value: of(value), bound: of(bound), node_of, nodes: &nodes });
        }
    };
    let budget = Budget::new(request.stop, request.work);
    let mut engine = Engine::new(&problem, request.seed, budget, &mut tell);
    if let Some(start) = request.start.and_then(|plan| positions(instance, plan, &nodes)) {
        engine.start(start);
    }
    engine.run();
    let none = engine.bound == i64::MAX;
    Found {
        plan: (engine.value < i64::MAX).then(|| plan_of(&engine.plan, &nodes)),
        bound: if none {
            Worth::real(f64::INFINITY)
        } else {
            Worth::counted(engine.bound.max(0) * unit, instance.cost_scale())
        },
        impossible: none.then(|| {
            "branch and bound tried every choice of nodes: none takes all tasks within its room"
                .to_owned()
        }),
        work: engine.budget.work,
    }
}

/// The flat problem, and how many cost units its unit of cost is.
fn problem<const R: usize>(instance: &Instance, nodes: &[NodeId]) -> (Problem<R>, i64) {
    let resources = demanded(instance);
    let of = |row: &[i64]| -> Vector<R> {
        std::array::from_fn(|k| resources.get(k).map_or(0, |r| row[*r]))
    };
    let room = |node: &NodeId| -> Vector<R> {
        std::array::from_fn(|k| resources.get(k).map_or(0, |r| instance.free(*node, *r)))
    };
    let (mut cost, mut price) = (costs(instance, nodes), prices(instance, nodes));
    let unit = unit(&cost, &price);
    cost.iter_mut().chain(&mut price).for_each(|cost| *cost /= unit);
    let pairs = || instance.task_ids().flat_map(|task| nodes.iter().map(move |node| (task, *node)));
    let allowed: Vec<bool> = pairs().map(|(task, node)| instance.eligible(task, node)).collect();
    let demand = if instance.has_pairs() {
        pairs().map(|(task, node)| of(instance.demand_on(task, node))).collect()
    } else {
        instance.task_ids().map(|task| of(instance.demand(task))).collect()
    };
    let problem = Problem {
        tasks: instance.tasks(),
        nodes: nodes.len(),
        cost,
        demand,
        room: nodes.iter().map(room).collect(),
        allowed: if allowed.iter().all(|may| *may) { Vec::new() } else { allowed },
        price: if price.iter().all(|price| *price == 0) { Vec::new() } else { price },
    };
    (problem, unit)
}
