//! Nodes: how full each is in each resource, before and with the plan.

use super::super::units::Unit;
use super::{Report, Share, any_long, number};
use judge::metrics::Metrics;
use model::{Instance, NodeId, NodeState, Plan};

/// Nodes listed at most, the fullest first.
const MOST: usize = 20_000;
/// Nodes from which a picture stands above the table.
const MANY: usize = 40;
/// Columns of that picture at most.
const COLUMNS: usize = 450;
/// Labels shown as columns at most.
const LABELS: usize = 4;
/// Values that such a label has at most.
const VALUES: usize = 64;
/// Rows of a page where there are that many.
const PAGE: usize = 25;

pub(super) struct Nodes {
    pub balance: String,
    pub cards: Vec<String>,
    pub resources: Vec<ResourceRow>,
    pub map: Option<Map>,
    /// What the narrow bars stand for.
    pub before_means: &'static str,
    /// What is not listed.
    pub cut: Option<String>,
    /// There was any load before.
    pub had: bool,
    pub labels: Vec<String>,
    /// Position of the first of them among the columns.
    pub label_column: usize,
    /// Some name does not fit a line.
    pub long: bool,
    /// Some node is not ready.
    pub states: bool,
    pub titles: Vec<String>,
    pub weighted: bool,
    pub rows: Vec<NodeRow>,
    pub shown: usize,
}

/// One resource over the whole cluster.
pub(super) struct ResourceRow {
    pub name: String,
    pub before: Share,
    pub after: Share,
    pub most: String,
    pub balance: String,
}

pub(super) struct NodeRow {
    pub name: String,
    pub labels: Vec<String>,
    pub state: &'static str,
    pub tasks: usize,
    pub cells: Vec<Cell>,
    pub weighted: Option<String>,
    pub before: Share,
    pub after: Share,
}

/// A node in one resource.
pub(super) struct Cell {
    pub level: Option<usize>,
    pub key: String,
    pub shown: String,
    pub amounts: String,
}

/// Utilisation of many nodes as a picture.
pub(super) struct Map {
    pub caption: String,
    pub left: usize,
    pub height: usize,
    pub foot: usize,
    pub rows: Vec<MapRow>,
}

pub(super) struct MapRow {
    pub name: String,
    pub y: usize,
    pub height: usize,
    pub text: usize,
    pub cells: Vec<MapCell>,
}

pub(super) struct MapCell {
    pub x: String,
    pub width: String,
    pub level: usize,
    pub title: String,
}

/// Tenths of the capacity; 10 is above it.
fn level(utilisation: f64) -> usize {
    if utilisation > 1.0 { 10 } else { ((10.0 * utilisation) as usize).min(9) }
}

/// Label keys that tell nodes apart without naming each: few values, each on several nodes.
pub(super) fn label_keys(instance: &Instance) -> Vec<(String, Vec<String>)> {
    let mut keys: Vec<(String, Vec<String>)> = Vec::new();
    let mut tried = std::collections::BTreeSet::new();
    for node in instance.node_ids() {
        for (key, _) in instance.labels(node) {
            if keys.len() < LABELS && tried.insert(key.clone()) {
                let values = values_of(instance, key);
                let kinds: std::collections::BTreeSet<&String> = values.iter().collect();
                if (2..=VALUES).contains(&kinds.len()) && 2 * kinds.len() <= values.len() {
                    keys.push((key.clone(), values));
                }
            }
        }
    }
    keys
}

/// The label's value on each node, empty where it has none.
fn values_of(instance: &Instance, key: &str) -> Vec<String> {
    let value = |node: NodeId| {
        let found = instance.labels(node).iter().find(|(known, _)| known == key);
        found.map_or(String::new(), |(_, value)| value.clone())
    };
    instance.node_ids().map(value).collect()
}

impl Nodes {
    pub(super) fn of(report: &Report) -> Nodes {
        let (instance, metrics) = (report.instance, &report.metrics);
        let now: Vec<_> = instance.task_ids().map(|task| instance.current(task)).collect();
        let runs = now.iter().any(Option::is_some);
        let before = Metrics::of(instance, &Plan { placement: now, cards: Vec::new() }, None);
        let units = Unit::all(instance);
        let labels = label_keys(instance);
        let mut order: Vec<NodeId> = instance.node_ids().collect();
        let fullness = |node: &NodeId| metrics.nodes[node.index()].dominant.unwrap_or(-1.0);
        let mut fullest = order.clone();
        fullest.sort_by(|a, b| fullness(b).total_cmp(&fullness(a)).then(a.cmp(b)));
        let cut = (order.len() > MOST).then(|| {
            format!(
                "The {} fullest of {} nodes are listed; --output json has all of them.",
                number::grouped(MOST),
                number::grouped(order.len())
            )
        });
        if cut.is_some() {
            order.clone_from(&fullest);
            order.truncate(MOST);
        }
        fullest.retain(|node| instance.counted(*node));
        let had = before.nodes.iter().any(|node| node.load.iter().any(|load| *load > 0));
        let weighted = report.weights.is_some();
        Nodes {
            balance: balance(metrics),
            cards: report.further_lines(),
            resources: resources(instance, &before, metrics, &fullest),
            map: (instance.nodes() > MANY).then(|| map(instance, metrics, &fullest)),
            before_means: if runs { "as things run now" } else { "before this batch" },
            cut,
            titles: units.iter().map(|unit| unit.title("")).collect(),
            states: instance.node_ids().any(|node| instance.state(node) != NodeState::Ready),
            weighted,
            // After node, tasks, resources, fullest resource and bar.
            label_column: 4 + units.len() + usize::from(had) + usize::from(weighted),
            had,
            long: any_long(instance.node_ids().map(|node| instance.node_name(node))),
            rows: (order.iter()).map(|node| row(report, *node, &before, &units, &labels)).collect(),
            labels: labels.into_iter().map(|(key, _)| key).collect(),
            shown: if instance.nodes() > MANY { PAGE } else { MANY },
        }
    }
}

fn balance(metrics: &Metrics) -> String {
    format!(
        "A node is as full as its fullest resource. Node utilisation: mean {:.1} %, max {:.1} %, \
         standard deviation {:.2} percentage points, balance degree (variance) {}, Jain's index {:.4} of 1.",
        100.0 * metrics.utilisation * metrics.peak,
        100.0 * metrics.peak,
        100.0 * metrics.standard_deviation,
        number::small(metrics.balance_degree),
        metrics.jain,
    )
}

fn resources(
    instance: &Instance,
    before: &Metrics,
    after: &Metrics,
    counted: &[NodeId],
) -> Vec<ResourceRow> {
    let row = |(r, resource): (usize, &model::Resource)| {
        let level = |node: &NodeId| Some((after.nodes[node.index()].utilisation[r]?, *node));
        let most = counted.iter().filter_map(level).reduce(|a, b| if b.0 > a.0 { b } else { a });
        ResourceRow {
            name: resource.name.clone(),
            before: Share::of(before.cluster_utilisation[r]),
            after: Share::of(after.cluster_utilisation[r]),
            most: most.map_or("–".to_owned(), |(u, node)| {
                format!("{:.1} % {}", 100.0 * u, instance.node_name(node))
            }),
            balance: number::small(after.balance_by_resource[r]),
        }
    };
    instance.resources().iter().enumerate().map(row).collect()
}

fn row(
    report: &Report,
    node: NodeId,
    before: &Metrics,
    units: &[Unit],
    labels: &[(String, Vec<String>)],
) -> NodeRow {
    let instance = report.instance;
    let figures = &report.metrics.nodes[node.index()];
    let cell = |(r, unit): (usize, &Unit)| {
        let share = Share::of(figures.utilisation[r]);
        Cell {
            level: figures.utilisation[r].map(level),
            key: share.key,
            shown: share.shown,
            amounts: unit.used_of(figures.load[r], instance.capacity(node)[r]),
        }
    };
    NodeRow {
        name: instance.node_name(node).to_owned(),
        labels: labels.iter().map(|(_, values)| values[node.index()].clone()).collect(),
        state: match instance.state(node) {
            NodeState::Ready => "ready",
            NodeState::Drain => "drain",
            NodeState::Down => "down",
        },
        tasks: figures.tasks,
        cells: units.iter().enumerate().map(cell).collect(),
        weighted: report.weights.map(|_| format!("{:.4}", figures.weighted)),
        before: Share::of(before.nodes[node.index()].dominant),
        after: Share::of(figures.dominant),
    }
}

/// A row a resource, a column a node or several neighbours, the fullest to the left.
fn map(instance: &Instance, metrics: &Metrics, fullest: &[NodeId]) -> Map {
    const LEFT: usize = 130;
    const HEIGHT: usize = 24;
    let each = fullest.len().div_ceil(COLUMNS).max(1);
    let width = (1000 - LEFT) as f64 / fullest.len().div_ceil(each).max(1) as f64;
    let rows = instance.resources().iter().enumerate().map(|(r, resource)| {
        let cells = fullest.chunks(each).enumerate().filter_map(|(k, nodes)| {
            let known = nodes.iter().filter_map(|n| metrics.nodes[n.index()].utilisation[r]);
            let known: Vec<f64> = known.collect();
            let mean = known.iter().sum::<f64>() / known.len() as f64;
            (!known.is_empty()).then(|| MapCell {
                x: format!("{:.2}", LEFT as f64 + k as f64 * width),
                // Thin columns touch, or the gaps would be all there is to see.
                width: format!("{:.2}", if width > 6.0 { width - 1.0 } else { width + 0.2 }),
                level: level(mean),
                title: match nodes {
                    [node] => format!(
                        "{}: {} {:.1} %",
                        instance.node_name(*node),
                        resource.name,
                        100.0 * mean
                    ),
                    _ => String::new(),
                },
            })
        });
        let y = r * (HEIGHT + 3);
        MapRow {
            name: resource.name.clone(),
            y,
            height: HEIGHT,
            text: y + 16,
            cells: cells.collect(),
        }
    });
    let caption = match each {
        1 => "Every column is a node, the fullest to the left; the deeper the colour, the fuller."
            .to_owned(),
        each => format!(
            "Every column is the mean of {each} nodes of about the same fullness, the fullest to the left; the deeper the colour, the fuller."
        ),
    };
    let height = instance.resources().len() * (HEIGHT + 3);
    Map { caption, left: LEFT, height: height + 20, foot: height + 14, rows: rows.collect() }
}

#[cfg(test)]
mod tests {
    use super::level;

    #[test]
    fn tenths_of_the_capacity() {
        assert_eq!([0.0, 0.0999, 0.1, 0.95, 1.0, 1.001].map(level), [0, 0, 1, 9, 9, 10]);
    }
}
