//! What a model is made of: its shape, its columns, and what stands behind them. The rows are the
//! business of the files that add them; `assemble` says in which order.

use super::program::{Col, Program};
use model::{Classes, Devices, Instance, NodeId, Tier, Worth};

/// Nodes that the model treats as one, and how the counts are meant.
pub(super) struct Shape<'a> {
    pub(super) instance: &'a Instance,
    pub(super) classes: &'a Classes,
    /// Nodes per group: single nodes, or whole classes in the relaxation.
    pub(super) groups: Vec<Vec<NodeId>>,
    /// Counts are whole numbers.
    pub(super) integer: bool,
    /// Tasks may stay unplaced.
    pub(super) allow_unplaced: bool,
    /// Nodes that fail at once, each set of which the plan has to survive.
    pub(super) failures: &'a [Failure],
}

impl<'a> Shape<'a> {
    /// The exact model: every node that takes tasks by itself, identical ones
    /// next to each other.
    pub(super) fn exact(
        instance: &'a Instance,
        classes: &'a Classes,
        allow_unplaced: bool,
        failures: &'a [Failure],
    ) -> Self {
        let nodes = classes.nodes.iter().flat_map(|class| class.nodes.iter());
        let ready = nodes.filter(|node| instance.counted(**node));
        Shape {
            instance,
            classes,
            groups: ready.map(|node| vec![*node]).collect(),
            integer: true,
            allow_unplaced,
            failures,
        }
    }

    /// The LP relaxation, aggregated.
    pub(super) fn relaxed(
        instance: &'a Instance,
        classes: &'a Classes,
        allow_unplaced: bool,
    ) -> Self {
        let groups = classes.nodes.iter().map(|class| class.nodes.clone());
        Shape {
            instance,
            classes,
            groups: groups.filter(|nodes| instance.counted(nodes[0])).collect(),
            integer: false,
            allow_unplaced,
            failures: &[],
        }
    }

    /// Number of count variables the model would have.
    pub(super) fn size(&self) -> usize {
        self.groups.len().saturating_mul(self.classes.tasks.len())
    }
}

/// An earlier tier, held at the value it was settled at.
#[derive(Clone, Debug)]
pub(super) struct Settled {
    pub(super) tier: Tier,
    pub(super) worth: Worth,
    /// Highest load over capacity, as a fraction, when the tier is `peak`.
    pub(super) peak: Option<(i64, i64)>,
}

/// A tier's model and what its columns mean.
pub(super) struct Model<'a> {
    pub(super) shape: &'a Shape<'a>,
    pub(super) program: Program,
    /// Per task class and group: the count's column where placing is possible.
    pub(super) counts: Vec<Vec<Option<Col>>>,
    pub(super) unplaced: Vec<Col>,
    pub(super) used: Vec<Col>,
    pub(super) peak: Option<Col>,
    pub(super) balance: Option<BalanceRows>,
    /// Load above safety capacities and missing room, with the price of a step.
    pub(super) margins: Vec<(Col, f64)>,
    /// What of that no plan can change.
    pub(super) margins_constant: f64,
    /// Moved tasks of the group with most of them.
    pub(super) group_moves: Option<Col>,
    pub(super) cards: Vec<CardRows>,
    /// Columns whose values follow from others.
    pub(super) derived: Vec<Derived>,
    pub(super) chords: Vec<Chords>,
    /// Objective of the program = value of the tier x unit + offset.
    pub(super) unit: f64,
    pub(super) offset: f64,
    /// Resource by whose load identical nodes are ordered.
    pub(super) key: usize,
}

impl Model<'_> {
    /// The load when all columns are as high as they can be.
    pub(super) fn largest_load(&self, terms: &[(Col, f64)]) -> f64 {
        terms.iter().map(|(col, a)| a * self.program.columns[*col as usize].upper).sum()
    }

    /// `factor` times the load that the plan puts on a group.
    pub(super) fn load_terms(&self, group: usize, resource: usize, factor: f64) -> Vec<(Col, f64)> {
        load_terms(self.shape, &self.counts, group, resource, factor)
    }
}

/// `factor` times the load that the plan puts on a group.
pub(super) fn load_terms(
    shape: &Shape,
    counts: &[Vec<Option<Col>>],
    group: usize,
    resource: usize,
    factor: f64,
) -> Vec<(Col, f64)> {
    let node = shape.groups[group][0];
    let classes = shape.classes.tasks.iter().zip(counts);
    classes
        .filter_map(|(class, counts)| {
            let demand = shape.instance.demand_on(class.example(), node)[resource];
            counts[group].filter(|_| demand != 0).map(|col| (col, demand as f64 * factor))
        })
        .collect()
}

/// Room per group and resource: free capacity, less where `peak` is settled.
pub(super) fn limits(shape: &Shape, settled: &[Settled]) -> Vec<Vec<i64>> {
    let instance = shape.instance;
    let room = |node: NodeId, r: usize| {
        let mut room = instance.free(node, r);
        for (num, den) in settled.iter().filter_map(|s| s.peak) {
            // The largest whole load with load / capacity <= num / den.
            let most = i128::from(num) * i128::from(instance.capacity(node)[r]) / i128::from(den);
            room = room.min((most as i64 - instance.used(node)[r]).max(0));
        }
        room
    };
    let width = instance.resources().len();
    shape.groups.iter().map(|group| (0..width).map(|r| room(group[0], r)).collect()).collect()
}

/// How many tasks of this demand fit into the limits.
pub(super) fn most_that_fit(demand: &[i64], limit: &[i64]) -> i64 {
    let each = demand.iter().zip(limit).filter(|(d, _)| **d > 0).map(|(d, limit)| limit / d);
    each.min().unwrap_or(i64::MAX)
}

/// Nodes that fail at once.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The nodes.
    pub nodes: Vec<NodeId>,
    /// Only tasks with a standby over this have to be placed anew, the others stop.
    pub guard: Option<String>,
}

/// One counted node's utilisation.
pub(super) enum Utilisation {
    /// It takes no task, so its utilisation is known.
    Known(f64),
    /// A column, with what it is the maximum of.
    Open { col: Col, of: Vec<Resource> },
}

/// One resource of a node that can be its fullest.
pub(super) struct Resource {
    pub(super) resource: usize,
    /// Load terms in percent of capacity, and what is there already.
    pub(super) terms: Vec<(Col, f64)>,
    pub(super) base: f64,
    /// 1 when this one is the fullest; absent when no other can be.
    pub(super) fullest: Option<Col>,
}

/// The columns behind a variance.
pub(super) struct BalanceRows {
    pub(super) nodes: Vec<(NodeId, Utilisation)>,
    pub(super) squares: Vec<Col>,
    pub(super) points: Vec<f64>,
}

/// The columns of one node's cards of one resource.
pub(super) struct CardRows {
    pub(super) group: usize,
    pub(super) device: Devices,
    /// What is free on each card before the plan, most first.
    pub(super) free: Vec<i64>,
    /// Per class that shares a card: its number and its columns, one a card.
    pub(super) shares: Vec<(usize, Vec<Col>)>,
    /// 1 where a card is taken whole; only for cards that are entirely free.
    pub(super) whole: Vec<Option<Col>>,
}

/// The chords of one node in one resource: on which one it is, and its variance there.
pub(super) struct Chords {
    /// Upper end, binary and variance of each, in order. Variances are parts of the largest.
    pub(super) pieces: Vec<(f64, Col, Col)>,
    pub(super) variance: Vec<(Col, f64)>,
}

/// A weighted sum of columns, and its limit.
pub(super) type Above = (Vec<(Col, f64)>, f64);

/// A column whose value follows from the counts.
pub(super) enum Derived {
    /// 1 when the columns' sum is positive.
    Any { col: Col, of: Vec<Col> },
    /// The largest of several sums, each with a constant that counts where the sum is
    /// positive.
    Most { col: Col, of: Vec<(Vec<Col>, f64)> },
    /// The most that any of several weighted sums is above its limit, at least 0.
    Over { col: Col, of: Vec<Above> },
}
