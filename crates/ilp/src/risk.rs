//! Rows for demands that vary. A node keeps the risk where M + z sqrt(V) <= C: M the sum of means, V
//! that of variances, both linear in the counts. sqrt(V) lies above its chords, so rows with chords
//! forbid nothing that is allowed; where a solution falls between, its variance becomes a break: chords
//! meet the root there, and binaries say on which chord a node is.

use rustc_hash::FxHashMap;

use super::columns::{Chords, Model, Shape, load_terms};
use super::program::{Col, Of};
use model::{Instance, NodeId, Plan, ROUNDING, TaskId};

/// Variances at which the root is met exactly, ascending: by the first node of a class and the
/// resource.
#[derive(Clone, Debug, Default)]
pub(super) struct Breaks {
    at: FxHashMap<(NodeId, usize), Vec<i128>>,
}

impl Breaks {
    /// Adds the variances of the nodes on which the plan does not keep the risk; true when any was
    /// new.
    pub(super) fn add(&mut self, shape: &Shape, plan: &Plan) -> bool {
        let instance = shape.instance;
        let Some(risk) = instance.kept_risk() else { return false };
        let mut fresh = false;
        let on = plan.by_node(instance.nodes());
        for (node, tasks) in instance.node_ids().zip(&on) {
            for r in 0..instance.resources().len() {
                let mean: i64 = tasks.iter().map(|task| instance.demand_on(*task, node)[r]).sum();
                let squares = tasks.iter().map(|task| instance.variance_on(*task, node, r));
                let variance: i128 = squares.sum();
                if risk.covers(instance.free(node, r) - mean, variance) || variance == 0 {
                    continue;
                }
                let known = self.at.entry((first(shape, node), r)).or_default();
                if let Err(place) = known.binary_search(&variance) {
                    known.insert(place, variance);
                    fresh = true;
                }
            }
        }
        fresh
    }
}

/// The first node of the node's class.
fn first(shape: &Shape, node: NodeId) -> NodeId {
    let mut classes = shape.classes.nodes.iter();
    let own = classes.find(|class| class.nodes.binary_search(&node).is_ok());
    own.map_or(node, |class| class.example())
}

impl Chords {
    /// Fills in the columns from the counts in `point`.
    pub(super) fn start(&self, point: &mut [f64]) {
        let variance: f64 = self.variance.iter().map(|(col, a)| a * point[*col as usize]).sum();
        let own = self.pieces.iter().find(|(end, _, _)| variance <= end + 1e-12);
        if let Some((_, on, part)) = own.or(self.pieces.last()) {
            point[*on as usize] = 1.0;
            point[*part as usize] = variance;
        }
    }
}

impl Model<'_> {
    /// The risk is kept on every node in every resource, up to what lies between chords.
    pub(super) fn risk_rows(&mut self, breaks: &Breaks) {
        let shape = self.shape;
        let Some(risk) = shape.instance.kept_risk() else { return };
        let z = risk.quantile() * (1.0 - ROUNDING);
        for (g, group) in shape.groups.iter().enumerate() {
            for r in 0..shape.instance.resources().len() {
                let room = shape.instance.free(group[0], r) as f64;
                let mean = load_terms(shape, &self.counts, g, r, 1.0 / room.max(1.0));
                let variance = self.variance_terms(g, r);
                if variance.is_empty() {
                    continue;
                }
                let (all, most) = (self.largest_load(&mean) * room, self.largest_load(&variance));
                if all + z * most.sqrt() <= room {
                    continue; // not even everything together is too much
                }
                // V <= q M for the largest ratio q, and M <= C - z sqrt(V).
                let ratio = largest_ratio(&mean, &variance) / room.max(1.0);
                let root = ((ratio * z).powi(2) + 4.0 * ratio * room).sqrt();
                let most = most.min((0.5 * (root - ratio * z)).powi(2)) * (1.0 + ROUNDING);
                self.program.about("risk", &[Of::Resource(r), Of::Node(group[0])]);
                let parts: Vec<(Col, f64)> =
                    variance.iter().map(|(col, v)| (*col, v / most)).collect();
                let known = breaks.at.get(&(first(shape, group[0]), r)).filter(|_| shape.integer);
                let inner = known.map_or(&[][..], |known| known);
                let inner: Vec<f64> =
                    inner.iter().map(|v| *v as f64 / most).filter(|v| *v < 1.0).collect();
                let mut terms = mean;
                terms.extend(self.root_terms(parts, &inner, z * most.sqrt() / room.max(1.0)));
                match self.used.get(g) {
                    Some(used) => {
                        terms.push((*used, -1.0));
                        self.program.at_most(terms, 0.0);
                    }
                    None => self.program.at_most(terms, group.len() as f64),
                }
            }
        }
    }

    /// The variance of a group's load, in the steps' squares.
    fn variance_terms(&self, group: usize, resource: usize) -> Vec<(Col, f64)> {
        let node = self.shape.groups[group][0];
        let classes = self.shape.classes.tasks.iter().zip(&self.counts);
        let terms = classes.filter_map(|(class, counts)| {
            let own = self.shape.instance.variance_on(class.example(), node, resource);
            counts[group].filter(|_| own > 0).map(|col| (col, own as f64))
        });
        terms.collect()
    }

    /// `factor` times a function that lies below the root of the variance, in parts of the largest: one
    /// chord, or several that meet the root at the inner ends.
    fn root_terms(
        &mut self,
        variance: Vec<(Col, f64)>,
        inner: &[f64],
        factor: f64,
    ) -> Vec<(Col, f64)> {
        if inner.is_empty() {
            return variance.into_iter().map(|(col, part)| (col, factor * part)).collect();
        }
        let ends: Vec<f64> = inner.iter().copied().chain([1.0]).collect();
        let (mut terms, mut pieces) = (Vec::new(), Vec::new());
        let (mut one, mut sum) = (Vec::new(), Vec::new());
        let mut low = 0.0f64;
        for end in ends {
            let on = self.program.column(0.0, 1.0, true);
            let part = self.program.column(0.0, 1.0, false);
            self.program.at_most(vec![(part, 1.0), (on, -end)], 0.0);
            self.program.at_most(vec![(on, low), (part, -1.0)], 0.0);
            let slope = 1.0 / (low.sqrt() + end.sqrt());
            terms.extend([(on, factor * (low.sqrt() - low * slope)), (part, factor * slope)]);
            one.push((on, 1.0));
            sum.push((part, -1.0));
            pieces.push((end, on, part));
            low = end;
        }
        self.program.equal(one, 1.0);
        sum.extend(variance.iter().copied());
        self.program.equal(sum, 0.0);
        self.chords.push(Chords { pieces, variance });
        terms
    }
}

/// The most variance a column has for its part of the mean; both lists are in the order of columns.
fn largest_ratio(mean: &[(Col, f64)], variance: &[(Col, f64)]) -> f64 {
    let mut means = mean.iter();
    let ratios = variance.iter().filter_map(|(col, v)| {
        let (_, mean) = means.find(|(known, _)| known == col)?;
        Some(v / mean)
    });
    ratios.fold(0.0, f64::max)
}

/// How many of `most` such tasks the node bears with nothing else there, within the risk.
pub(super) fn most_in_risk(instance: &Instance, task: TaskId, node: NodeId, most: i64) -> i64 {
    let Some(risk) = instance.kept_risk() else { return most };
    let demand = instance.demand_on(task, node);
    let bears = |count: i64| {
        (0..demand.len()).filter(|r| demand[*r] > 0).all(|r| {
            let variance = i128::from(count) * instance.variance_on(task, node, r);
            risk.covers(instance.free(node, r) - count * demand[r], variance)
        })
    };
    let (mut low, mut high) = (0, most);
    while low < high {
        let middle = low + (high - low + 1) / 2;
        if bears(middle) { low = middle } else { high = middle - 1 }
    }
    low
}
