//! The balance degree in a linear model. With U(j) the utilisation of node j's
//! fullest resource and mean U the mean over nodes,
//! B = (1/m) sum_j (U(j) - mean U)^2 is separable in the distances
//! v(j) = U(j) - mean U, and each square lies above its tangents:
//! q(j) >= 2 a v(j) - a^2 for every a. Tangents are added where solutions
//! turn up until the model's value meets the true one (outer approximation:
//! Duran, Grossmann 1986, DOI 10.1007/BF02592064).
//!
//! U(j) is a maximum, and a smaller one may be worse for the variance, so "at
//! least every resource" is not enough: a binary per resource says which one
//! is the fullest. Utilisations are in percent here to keep numbers moderate.

use super::columns::{BalanceRows, Resource, Shape, Utilisation, load_terms};
use super::program::{Col, Of, Program};
use judge::metrics::Metrics;
use model::{Instance, NodeId, Plan};

impl BalanceRows {
    /// Adds columns and rows to a model with one group a node.
    pub(super) fn add(
        program: &mut Program,
        shape: &Shape,
        counts: &[Vec<Option<Col>>],
        points: &[f64],
    ) -> BalanceRows {
        let instance = shape.instance;
        let mut group_of = vec![None; instance.nodes()];
        for (g, group) in shape.groups.iter().enumerate() {
            group_of[group[0].index()] = Some(g);
        }
        let counted = instance.node_ids().filter(|node| instance.counted(*node));
        let mut rows =
            BalanceRows { nodes: Vec::new(), squares: Vec::new(), points: points.to_vec() };
        for node in counted.filter(|node| instance.capacity(*node).iter().any(|c| *c > 0)) {
            let of = match group_of[node.index()] {
                Some(group) => candidates(shape, counts, group, node),
                None => Vec::new(),
            };
            rows.nodes.push((node, utilisation(program, instance, node, of)));
        }
        rows.square_rows(program);
        rows
    }

    /// q(j) above every tangent of v(j)^2.
    fn square_rows(&mut self, program: &mut Program) {
        let m = self.nodes.len() as f64;
        let mut mean: Vec<(Col, f64)> = Vec::new();
        let mut constant = 0.0;
        for (_, node) in &self.nodes {
            match node {
                Utilisation::Known(u) => constant += u / m,
                Utilisation::Open { col, .. } => mean.push((*col, 1.0 / m)),
            }
        }
        program.about("mean", &[]);
        let average = program.column(0.0, f64::INFINITY, false);
        let mut row = mean;
        row.push((average, -1.0));
        program.equal(row, -constant);
        for (id, node) in &self.nodes {
            program.about("square", &[Of::Node(*id)]);
            let square = program.column(0.0, f64::INFINITY, false);
            self.squares.push(square);
            for a in &self.points {
                // 2 a (u - average) - square <= a^2
                let mut terms = vec![(average, -2.0 * a), (square, -1.0)];
                let mut rhs = a * a;
                match node {
                    Utilisation::Known(u) => rhs -= 2.0 * a * u,
                    Utilisation::Open { col, .. } => terms.push((*col, 2.0 * a)),
                }
                program.at_most(terms, rhs);
            }
        }
    }

    /// The variance as a linear form, as a fraction (not percent).
    pub(super) fn variance(&self) -> Vec<(Col, f64)> {
        let each = 1e-4 / self.squares.len().max(1) as f64;
        self.squares.iter().map(|q| (*q, each)).collect()
    }

    /// Fills in the columns of this part from the counts already in `point`.
    pub(super) fn start(&self, point: &mut [f64]) {
        let mut values = Vec::with_capacity(self.nodes.len());
        for (_, node) in &self.nodes {
            let Utilisation::Open { col, of } = node else {
                if let Utilisation::Known(u) = node {
                    values.push(*u);
                }
                continue;
            };
            let load = |r: &Resource| {
                r.base + r.terms.iter().map(|(col, a)| a * point[*col as usize]).sum::<f64>()
            };
            let loads: Vec<f64> = of.iter().map(load).collect();
            let best = (0..loads.len()).max_by(|a, b| loads[*a].total_cmp(&loads[*b])).unwrap_or(0);
            let top = loads.get(best).copied().unwrap_or(0.0);
            point[*col as usize] = top;
            if let Some(fullest) = of.get(best).and_then(|r| r.fullest) {
                point[fullest as usize] = 1.0;
            }
            values.push(top);
        }
        let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
        let Some(first) = self.squares.first() else { return };
        point[*first as usize - 1] = mean; // the average's column stands before the squares
        for (square, u) in self.squares.iter().zip(values) {
            let v = u - mean;
            let tangents = self.points.iter().map(|a| 2.0 * a * v - a * a);
            point[*square as usize] = tangents.fold(0.0, f64::max);
        }
    }
}

/// The resources that can be a node's fullest: those no other one dominates in
/// existing load and in every task's demand.
fn candidates(
    shape: &Shape,
    counts: &[Vec<Option<Col>>],
    group: usize,
    node: NodeId,
) -> Vec<Resource> {
    let instance = shape.instance;
    let capacity = instance.capacity(node);
    let mut all: Vec<Resource> = Vec::new();
    for r in (0..capacity.len()).filter(|&r| capacity[r] > 0) {
        let percent = 100.0 / capacity[r] as f64;
        all.push(Resource {
            resource: r,
            terms: load_terms(shape, counts, group, r, percent),
            base: instance.used(node)[r] as f64 * percent,
            fullest: None,
        });
    }
    let at = |resource: &Resource, col: Col| {
        resource.terms.iter().find(|(c, _)| *c == col).map_or(0.0, |(_, a)| *a)
    };
    let below = |a: &Resource, b: &Resource| {
        a.base <= b.base && a.terms.iter().all(|(col, demand)| *demand <= at(b, *col))
    };
    let dominated: Vec<bool> = (0..all.len())
        .map(|k| {
            (0..all.len()).any(|other| {
                let strictly_or_first = !below(&all[other], &all[k]) || other < k;
                other != k && below(&all[k], &all[other]) && strictly_or_first
            })
        })
        .collect();
    let mut keep = dominated.iter();
    all.retain(|_| !keep.next().copied().unwrap_or(false));
    all
}

fn utilisation(
    program: &mut Program,
    instance: &Instance,
    node: NodeId,
    mut of: Vec<Resource>,
) -> Utilisation {
    let known = of.iter().all(|r| r.terms.is_empty());
    if known {
        let loads = instance.used(node).iter().zip(instance.capacity(node));
        let percent = loads.filter(|(_, c)| **c > 0).map(|(u, c)| 100.0 * *u as f64 / *c as f64);
        return Utilisation::Known(percent.fold(0.0, f64::max));
    }
    program.about("utilisation", &[Of::Node(node)]);
    let highest = of.iter().map(|r| r.base).fold(100.0, f64::max);
    let col = program.column(0.0, highest, false);
    if let [only] = &of[..] {
        let mut terms = only.terms.clone();
        terms.push((col, -1.0));
        program.equal(terms, -only.base);
        return Utilisation::Open { col, of };
    }
    let mut one = Vec::new();
    for resource in &mut of {
        program.about("fullest", &[Of::Resource(resource.resource), Of::Node(node)]);
        let fullest = program.column(0.0, 1.0, true);
        resource.fullest = Some(fullest);
        one.push((fullest, 1.0));
        // At least this resource ...
        let mut terms = resource.terms.clone();
        terms.push((col, -1.0));
        program.at_most(terms, -resource.base);
        // ... and no more than it where it is the fullest.
        let slack = highest - resource.base;
        let mut terms: Vec<(Col, f64)> = resource.terms.iter().map(|(c, a)| (*c, -a)).collect();
        terms.extend([(col, 1.0), (fullest, slack)]);
        program.at_most(terms, resource.base + slack);
    }
    program.about("fullest", &[Of::Node(node)]);
    program.equal(one, 1.0);
    Utilisation::Open { col, of }
}

/// Each counted node's distance from the mean utilisation, in percent.
pub(super) fn distances(instance: &Instance, plan: &Plan) -> Vec<f64> {
    let metrics = Metrics::of(instance, plan, None);
    let all: Vec<f64> =
        metrics.nodes.iter().filter_map(|n| n.dominant).map(|u| 100.0 * u).collect();
    let mean = all.iter().sum::<f64>() / all.len().max(1) as f64;
    all.into_iter().map(|u| u - mean).collect()
}
