//! From an instance whose first goal is the price or the number of the nodes used to the flat
//! problem, and back.

use super::peak::{flat, kinds, many_kinds};
use super::price::Engine;
use super::specialists::{
    Better, Found, Look, Request, by_width, objection, plan_of, positions, ready,
};
use model::{Instance, NodeId, Scale, Term, Worth, gcd};

/// Limit of the dearest price times the nodes, so that sums stay exact in floating point.
const DEAREST: i128 = 1 << 40;

/// What about the instance the search for cheap nodes does not know yet; `None` when it covers it.
pub fn covers(instance: &Instance) -> Option<&'static str> {
    if instance.has_pairs() {
        return Some("demands and costs that depend on task and node");
    }
    let nodes: Vec<NodeId> = ready(instance).collect();
    let timed = || instance.task_ids().any(|task| instance.duration(task) > 0);
    let costly = instance.goal().tiers[0].only() == Some(Term::Cost);
    if costly && nodes.iter().any(|node| instance.rate(*node) > 0) && timed() {
        return Some("costs of tasks");
    }
    let (prices, _) = prices(instance, &nodes);
    let dearest = prices.iter().max().copied().unwrap_or(0);
    if dearest == 0 {
        return Some("goals in which nothing costs anything");
    }
    if (i128::from(dearest) + 1) * (prices.len() as i128 + 1) > DEAREST {
        return Some("prices of too many digits");
    }
    objection(instance).or_else(|| many_kinds(&kinds(instance).1))
}

/// The price of each node, and what one unit of it stands for.
fn prices(instance: &Instance, nodes: &[NodeId]) -> (Vec<i64>, (i64, Scale)) {
    if instance.goal().tiers[0].only() == Some(Term::Nodes) {
        return (vec![1; nodes.len()], (1, Scale::ONE));
    }
    let mut prices: Vec<i64> = nodes.iter().map(|node| instance.price(*node)).collect();
    let unit = prices.iter().fold(0, |g, price| gcd(*price, g)).max(1);
    prices.iter_mut().for_each(|price| *price /= unit);
    (prices, (unit, instance.cost_scale()))
}

/// Searches for the cheapest set of nodes that takes all tasks.
pub fn search(request: &Request, better: Look) -> Found {
    by_width!(run, request, better)
}

fn run<const R: usize>(request: &Request, better: Look) -> Found {
    let instance = request.instance;
    let nodes: Vec<NodeId> = ready(instance).collect();
    let problem = flat::<R>(instance, &nodes, |node, r| (instance.free(node, r), 0));
    let (prices, (unit, scale)) = prices(instance, &nodes);
    let of = |value: i64| scale.to_f64(value.max(0) * unit);
    let mut tell = |node_of: &[u32], value: i64, bound: i64| {
        better(Better { value: of(value), bound: of(bound), node_of, nodes: &nodes });
    };
    let (seed, stop) = (request.seed, request.stop);
    let mut engine = Engine::new(&problem, &prices, seed, stop, request.work, &mut tell);
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
            Worth::counted(engine.bound.max(0) * unit, scale)
        },
        impossible: none
            .then(|| "no choice of nodes takes all tasks, not even all of them".to_owned()),
        work: engine.work,
    }
}
