//! Utilisation, balance degree and every goal's value, computed from scratch
//! from an instance and a plan. Nothing here is incremental and nothing is
//! shared with the search, so it can judge what the search claims.

mod critical;
mod exact;
mod fragmentation;
mod overload;
mod prices;
mod time;
mod wishes;

pub use critical::{Link, Waits, critical_path};
use exact::Figures;
pub use exact::{step, unit};
pub use fragmentation::{CardFigures, Mix, card_figures, fragmented};
pub use overload::{Overload, worst_overload};
pub use time::{TimeFigures, load_over_time, there_until, timed_values};
pub(crate) use wishes::{skew, tasks_by_value};

use model::{
    Fraction, Goal, Instance, LeftOut, NodeId, Plan, ResourceWeights, Schedule, Shape, TaskId,
    Term, Tier, TierValue, WeightedTerm, Worth,
};

/// Figures of one node.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeMetrics {
    /// Tasks of the plan on it.
    pub tasks: usize,
    /// Load per resource, the load that was there before included.
    pub load: Vec<i64>,
    /// Load over capacity per resource; `None` where the capacity is 0.
    pub utilisation: Vec<Option<f64>>,
    /// Highest of those, `None` when every capacity is 0 or the node is down.
    pub dominant: Option<f64>,
    /// `dominant` over the highest of all nodes.
    pub relative: f64,
    /// The weighted load, sum over resources of weight x
    /// utilisation over the number of resources; 0 without weights.
    pub weighted: f64,
}

/// Figures of a plan. Utilisations are fractions of capacity.
#[derive(Clone, Debug, PartialEq)]
pub struct Metrics {
    /// Highest utilisation of any counted node in any resource.
    pub peak: f64,
    /// Mean over highest node utilisation: 1 when perfectly even.
    pub utilisation: f64,
    /// Variance of node utilisation, the balance degree.
    pub balance_degree: f64,
    /// The same for each resource by itself.
    pub balance_by_resource: Vec<f64>,
    /// Load over capacity of the whole cluster, per resource.
    pub cluster_utilisation: Vec<Option<f64>>,
    /// Square root of the balance degree.
    pub standard_deviation: f64,
    /// Standard deviation over mean.
    pub coefficient_of_variation: f64,
    /// Highest over mean node utilisation, 1 when perfectly even.
    pub max_over_mean: f64,
    /// Jain's fairness index, 1 when perfectly even.
    pub jain: f64,
    /// Nodes with at least one task of the plan.
    pub nodes_used: usize,
    /// What each goal that is made of prices comes to, in its own steps; in the order of
    /// [`TERMS`](model::TERMS).
    pub sums: Vec<(Term, i64)>,
    /// Of the group that has most of them, tasks that run somewhere now and are placed elsewhere.
    pub group_moves: usize,
    /// Tasks without a node.
    pub unplaced: usize,
    /// Their weight by priority, in steps of the weights' scale.
    pub left_out: LeftOut,
    /// What is left of resources that come in cards, where the plan names cards.
    pub cards: Vec<CardFigures>,
    /// The likeliest overload, where demands vary.
    pub overload: Option<Overload>,
    /// Per node, in instance order.
    pub nodes: Vec<NodeMetrics>,
}

/// Load per node and resource, existing load included: row-major, nodes x resources.
pub fn loads(instance: &Instance, plan: &Plan) -> Vec<i64> {
    let width = instance.resources().len();
    let mut loads = Vec::with_capacity(instance.nodes() * width);
    for node in instance.node_ids() {
        loads.extend_from_slice(instance.used(node));
    }
    for (task, node) in plan.placements() {
        let row = &mut loads[node.index() * width..(node.index() + 1) * width];
        for (load, demand) in row.iter_mut().zip(instance.demand_on(task, node)) {
            *load += demand;
        }
    }
    loads
}

/// Utilisation per resource of a node with this load; `None` where the capacity is 0.
fn utilisations(instance: &Instance, node: NodeId, load: &[i64]) -> Vec<Option<f64>> {
    load.iter()
        .zip(instance.capacity(node))
        .map(|(load, capacity)| (*capacity > 0).then(|| *load as f64 / *capacity as f64))
        .collect()
}

/// Mean and variance; zeros for nothing.
fn spread(values: &[f64]) -> (f64, f64) {
    if values.is_empty() {
        return (0.0, 0.0);
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|u| (u - mean) * (u - mean)).sum::<f64>() / n;
    (mean, variance)
}

impl Metrics {
    /// What a goal that is made of prices comes to, in its own steps; 0 for others.
    pub fn sum(&self, term: Term) -> i64 {
        self.sums.iter().find(|(of, _)| *of == term).map_or(0, |(_, sum)| *sum)
    }

    /// Every figure of the plan. `weights` has one entry a resource.
    pub fn of(instance: &Instance, plan: &Plan, weights: Option<&ResourceWeights>) -> Metrics {
        Metrics::at(instance, plan, loads(instance, plan), weights)
    }

    /// The same of a plan in time: loads are each node's highest at any instant, and the cluster's
    /// utilisation is the mean until the last task ends.
    pub fn in_time(
        instance: &Instance,
        schedule: &Schedule,
        weights: Option<&ResourceWeights>,
    ) -> Metrics {
        let highest = time::highest_loads(instance, schedule);
        let metrics = Metrics::at(instance, &schedule.plan, highest, weights);
        let cluster_utilisation = TimeFigures::of(instance, schedule).utilisation;
        Metrics { cluster_utilisation, ..metrics }
    }

    fn at(
        instance: &Instance,
        plan: &Plan,
        loads: Vec<i64>,
        weights: Option<&ResourceWeights>,
    ) -> Metrics {
        let width = instance.resources().len();
        let mut count = vec![0; instance.nodes()];
        for (_, node) in plan.placements() {
            count[node.index()] += 1;
        }
        let mut nodes: Vec<NodeMetrics> = instance
            .node_ids()
            .map(|node| {
                let load = loads[node.index() * width..(node.index() + 1) * width].to_vec();
                node_metrics(instance, node, load, count[node.index()], weights)
            })
            .collect();

        let dominant: Vec<f64> = nodes.iter().filter_map(|n| n.dominant).collect();
        let peak = dominant.iter().copied().fold(0.0, f64::max);
        for node in &mut nodes {
            node.relative = match node.dominant {
                Some(own) if peak > 0.0 => own / peak,
                _ => 0.0,
            };
        }
        let counted = |r: usize| {
            instance
                .node_ids()
                .filter(|node| instance.counted(*node))
                .filter_map(|node| nodes[node.index()].utilisation[r])
                .collect::<Vec<f64>>()
        };
        let (mean, variance) = spread(&dominant);
        let squares: f64 = dominant.iter().map(|u| u * u).sum();
        let weighed = |task| (instance.priority(task), instance.drop_weight(task));
        let over = |a: f64, b: f64, empty: f64| if b > 0.0 { a / b } else { empty };
        Metrics {
            peak,
            utilisation: over(mean, peak, 1.0),
            balance_degree: variance,
            balance_by_resource: (0..width).map(|r| spread(&counted(r)).1).collect(),
            cluster_utilisation: (0..width).map(|r| cluster(instance, &loads, r)).collect(),
            standard_deviation: variance.sqrt(),
            coefficient_of_variation: over(variance.sqrt(), mean, 0.0),
            max_over_mean: over(peak, mean, 1.0),
            jain: over(mean * mean * dominant.len() as f64, squares, 1.0),
            nodes_used: count.iter().filter(|n| **n > 0).count(),
            sums: prices::sums(instance, plan, &loads, &count),
            group_moves: group_moves(instance, plan),
            unplaced: instance.tasks() - plan.placed(),
            left_out: LeftOut::of(plan.unplaced().map(weighed)),
            // Costly, so only reports ask: see [`card_figures`].
            cards: Vec::new(),
            overload: None,
            nodes,
        }
    }
}

fn node_metrics(
    instance: &Instance,
    node: NodeId,
    load: Vec<i64>,
    tasks: usize,
    weights: Option<&ResourceWeights>,
) -> NodeMetrics {
    let utilisation = utilisations(instance, node, &load);
    let dominant =
        utilisation.iter().flatten().copied().reduce(f64::max).filter(|_| instance.counted(node));
    let weighted = weights.map_or(0.0, |weights| {
        let terms = utilisation.iter().zip(weights);
        terms.map(|(u, w)| u.unwrap_or(0.0) * w).sum::<f64>() / utilisation.len() as f64
    });
    NodeMetrics { tasks, load, utilisation, dominant, relative: 0.0, weighted }
}

fn cluster(instance: &Instance, loads: &[i64], resource: usize) -> Option<f64> {
    let width = instance.resources().len();
    let counted = || instance.node_ids().filter(|node| instance.counted(*node));
    let capacity: i64 = counted().map(|node| instance.capacity(node)[resource]).sum();
    let load: i64 = counted().map(|node| loads[node.index() * width + resource]).sum();
    (capacity > 0).then(|| load as f64 / capacity as f64)
}

/// Most moved tasks of any one group.
fn group_moves(instance: &Instance, plan: &Plan) -> usize {
    let moved = |task: &&TaskId| {
        plan.placement[task.index()].is_some_and(|node| instance.moved(**task, node))
    };
    let counts = instance.groups().iter().map(|group| group.iter().filter(moved).count());
    counts.max().unwrap_or(0)
}

/// Demand placed, per resource.
fn demand_of(instance: &Instance, plan: &Plan) -> Vec<i64> {
    let mut total = vec![0i64; instance.resources().len()];
    for (task, node) in plan.placements() {
        for (sum, demand) in total.iter_mut().zip(instance.demand_on(task, node)) {
            *sum += demand;
        }
    }
    total
}

/// The goal `demand`: demand placed, each resource in its own unit.
fn demand(instance: &Instance, plan: &Plan) -> f64 {
    let total = demand_of(instance, plan);
    let scales = instance.resources().iter().map(|resource| resource.scale);
    total.iter().zip(scales).map(|(sum, scale)| scale.to_f64(*sum)).sum()
}

/// Value of one term, from figures computed by [`Metrics::of`].
fn term_value(instance: &Instance, plan: &Plan, metrics: &Metrics, term: Term) -> f64 {
    match term.shape() {
        Shape::Prices(prices) => (prices.scale)(instance).to_f64(metrics.sum(term)),
        Shape::Amounts => demand(instance, plan),
        Shape::Highest => metrics.peak,
        Shape::Variance => metrics.balance_degree,
        Shape::LargestGroup => metrics.group_moves as f64,
        Shape::LeftOut => instance.weight_scale().to_f64(metrics.left_out.weight(term.priority())),
        // A plan without starts never ends; see [`timed_values`].
        Shape::LastEnd | Shape::Seconds(_) => f64::INFINITY,
    }
}

/// Value of one tier.
pub fn tier_value(instance: &Instance, plan: &Plan, metrics: &Metrics, tier: &Tier) -> f64 {
    tier_value_with(instance, plan, metrics, tier, &|_| None)
}

/// The same where some terms are known already.
fn tier_value_with(
    instance: &Instance,
    plan: &Plan,
    metrics: &Metrics,
    tier: &Tier,
    known: &dyn Fn(Term) -> Option<f64>,
) -> f64 {
    let value = |term| known(term).unwrap_or_else(|| term_value(instance, plan, metrics, term));
    let term = |t: &WeightedTerm| t.weight * value(t.term);
    tier.worth(tier.terms.iter().map(term).sum())
}

/// Value of one tier, from scratch.
pub fn value_of(instance: &Instance, plan: &Plan, tier: &Tier) -> f64 {
    tier_value(instance, plan, &Metrics::of(instance, plan, None), tier)
}

/// The same, exact where it can be.
pub fn worth_of(instance: &Instance, plan: &Plan, tier: &Tier) -> Worth {
    let metrics = Metrics::of(instance, plan, None);
    let figures = Figures { instance, plan, metrics: &metrics, time: None };
    Worth::new(tier_value(instance, plan, &metrics, tier), figures.tier(tier))
}

/// Values of every tier of `goal`, most important first.
pub fn goal_values(instance: &Instance, plan: &Plan, goal: &Goal) -> Vec<TierValue> {
    let metrics = Metrics::of(instance, plan, None);
    let figures = Figures { instance, plan, metrics: &metrics, time: None };
    goal.tiers
        .iter()
        .map(|tier| TierValue {
            tier: tier.clone(),
            value: tier_value(instance, plan, &metrics, tier),
            exact: figures.tier(tier),
        })
        .collect()
}

/// The same, without the tiers' names.
pub fn worths(instance: &Instance, plan: &Plan, goal: &Goal) -> Vec<Worth> {
    goal_values(instance, plan, goal).iter().map(TierValue::worth).collect()
}

/// The smallest load over capacity, of any node and resource, that is not below
/// `level`: a peak is always one of these. A bound may be raised to it.
pub fn attainable_peak(instance: &Instance, level: f64) -> Worth {
    if level <= 0.0 {
        return Worth::exact(Fraction::ZERO);
    }
    let mut best: Option<(i64, i64)> = None;
    for node in instance.node_ids().filter(|node| instance.counted(*node)) {
        for (used, capacity) in instance.used(node).iter().zip(instance.capacity(node)) {
            if *capacity == 0 {
                continue;
            }
            // Rounding may have put the level a hair above a value it equals.
            let exact = level * *capacity as f64;
            let load = ((exact * (1.0 - 1e-11)).ceil() as i64).max(*used);
            let product = |a: i64, b: i64| i128::from(a) * i128::from(b);
            if best.is_none_or(|(l, c)| product(load, c) < product(l, *capacity)) {
                best = Some((load, *capacity));
            }
        }
    }
    let peak = best.map(|(load, capacity)| Fraction::new(load.into(), capacity.into()));
    peak.map_or(Worth::real(level), Worth::exact)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Decimal, Draft, NodeDraft, TaskDraft};

    /// Nodes at the given percentages of one resource, by existing load alone.
    fn at(percentages: &[i64]) -> Metrics {
        let mut draft = Draft::default();
        let r = draft.resource("cpu");
        let quantity = |n| vec![(r, Decimal::from_integer(n).unwrap())];
        for (k, used) in percentages.iter().enumerate() {
            draft.nodes.push(NodeDraft {
                id: format!("n{k}"),
                capacity: quantity(100),
                used: quantity(*used),
                ..NodeDraft::default()
            });
        }
        draft.tasks.push(TaskDraft { id: "t".into(), ..TaskDraft::default() });
        let instance = draft.build().unwrap();
        Metrics::of(&instance, &Plan::empty(1), Some(&vec![3.0]))
    }

    #[test]
    fn the_documents_utilisation_and_balance_degree_corrected() {
        let metrics = at(&[40, 30, 20]);
        assert!((metrics.utilisation - 0.75).abs() < 1e-12);
        assert!((metrics.balance_degree - 0.02 / 3.0).abs() < 1e-12);
        assert!((metrics.nodes[0].weighted - 1.2).abs() < 1e-12);
    }

    #[test]
    fn an_even_cluster_is_perfect_and_an_idle_one_is_no_division_by_zero() {
        let even = at(&[50, 50]);
        assert_eq!((even.jain, even.max_over_mean, even.balance_degree), (1.0, 1.0, 0.0));
        let idle = at(&[0, 0]);
        assert_eq!((idle.utilisation, idle.jain, idle.peak), (1.0, 1.0, 0.0));
    }
}
