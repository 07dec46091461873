//! The plan for a terminal: headline, allocation matrix, nodes with bars, proof.

use comfy_table::Table;

use super::ending::Ending;
use super::moves::moves_table;
use super::table::{ROWS, bar, bare, columns_of, indented, line, right, unplaced};
use super::units::Unit;
use super::{Report, number};
use model::{NodeId, NodeState};

/// Task names listed at most behind a node, likewise.
const NAMES: usize = 12;
/// Width of a full bar.
const BAR: usize = 20;

/// The plan as text. Colours are escape codes: strip them where nobody sees them.
pub fn plan_table(report: &Report) -> String {
    if let Some(schedule) = &report.schedule {
        return super::time::plan_text(report, schedule);
    }
    let mut text = line(report, 0, &report.headline());
    text.push('\n');
    if let Some(said) = Ending::of(report.instance).said() {
        text.push_str(&line(report, 2, &said));
        text.push('\n');
    }
    let matrix = report.shows_matrix().then(|| matrix(report));
    let fits = |table: &Table| report.matrix || report.fits(columns_of(table));
    match matrix.filter(fits) {
        Some(matrix) => text.push_str(&indented(&matrix)),
        None => text.push_str(&list_by_node(report)),
    }
    text.push('\n');
    text.push_str(&nodes(report));
    text.push('\n');
    text.push_str(&unplaced(report));
    if let Some(order) = report.moves {
        text.push_str(&moves_table(report, order));
        text.push('\n');
    }
    let figures = std::iter::once(report.balance_line()).chain(report.further_lines());
    for figure in figures.chain(report.provenance()) {
        text.push_str(&line(report, 2, &figure));
    }
    text
}

/// The allocation matrix: a row a task, a column a node, 1 or a dot; s for its standby.
fn matrix(report: &Report) -> Table {
    let instance = report.instance;
    let mut table = bare();
    let ending = Ending::of(instance);
    let header = instance.node_ids().map(|node| ending.cut(instance.node_name(node)).to_owned());
    table.set_header(std::iter::once(String::new()).chain(header));
    for task in instance.task_ids() {
        let at = report.outcome.plan.placement[task.index()];
        let standby = report.outcome.standby(task).map(|standby| standby.node);
        let cells = instance.node_ids().map(|node| match Some(node) {
            node if node == at => "1".to_owned(),
            node if node == standby => "s".to_owned(),
            _ => ".".to_owned(),
        });
        table.add_row(std::iter::once(instance.task_name(task).to_owned()).chain(cells));
    }
    right(&mut table, 1..instance.nodes() + 1);
    table
}

/// Nodes with tasks, fullest first.
fn fullest(report: &Report) -> Vec<NodeId> {
    let mut nodes: Vec<NodeId> = report.instance.node_ids().collect();
    if nodes.len() > ROWS && !report.matrix {
        let level = |node: &NodeId| report.metrics.nodes[node.index()].dominant.unwrap_or(0.0);
        nodes.sort_by(|a, b| level(b).total_cmp(&level(a)).then(a.cmp(b)));
        nodes.truncate(ROWS);
    }
    nodes
}

fn list_by_node(report: &Report) -> String {
    let instance = report.instance;
    let mut on = vec![Vec::new(); instance.nodes()];
    for (task, node) in report.outcome.plan.placements() {
        on[node.index()].push(task);
    }
    let (n, m) = (number::grouped(instance.tasks()), number::grouped(instance.nodes()));
    let why = format!(
        "matrix hidden ({n} x {m} is too wide; --matrix forces it): tasks by node, fullest first; --output csv or json has all"
    );
    let mut text = line(report, 2, &why);
    let (shown, ending) = (fullest(report), Ending::of(instance));
    for node in &shown {
        let tasks = &on[node.index()];
        if tasks.is_empty() {
            continue;
        }
        let names: Vec<&str> =
            tasks.iter().take(NAMES).map(|task| instance.task_name(*task)).collect();
        let more = match tasks.len().saturating_sub(NAMES) {
            0 => String::new(),
            more => format!(" and {} more", number::grouped(more)),
        };
        let node = ending.cut(instance.node_name(*node));
        let entry = format!("{node}: {}{more}", names.join(" "));
        text.push_str(&line(report, 2, &entry));
    }
    text
}

/// Resources that a table of nodes shows: those that somebody asks for or has.
fn wanted(report: &Report) -> Vec<bool> {
    let instance = report.instance;
    let mut wanted = vec![false; instance.resources().len()];
    let tasks = instance.task_ids().map(|task| instance.demand(task));
    let loads = report.metrics.nodes.iter().map(|figures| figures.load.as_slice());
    for amounts in tasks.chain(loads) {
        wanted.iter_mut().zip(amounts).for_each(|(wanted, amount)| *wanted |= *amount > 0);
    }
    if !wanted.contains(&true) {
        wanted.fill(true);
    }
    wanted
}

/// Load, capacity and utilisation per node, with a bar for the fullest resource.
fn nodes(report: &Report) -> String {
    let resources = report.instance.resources();
    let wanted = wanted(report);
    let (units, others): (Vec<_>, Vec<_>) =
        Unit::all(report.instance).into_iter().enumerate().partition(|(r, _)| wanted[*r]);
    let shown = fullest(report);
    let mut table = node_table(report, &shown, &units, true, BAR);
    if !report.fits(columns_of(&node_table(report, &shown, &units, true, 0)) + BAR) {
        // Names and units one above the other, and as much of a bar as there is room for.
        let taken = columns_of(&node_table(report, &shown, &units, false, 0));
        let room = report.width.map_or(BAR, |width| width.saturating_sub(taken).min(BAR));
        table = node_table(report, &shown, &units, false, if room < 5 { 0 } else { room });
    }
    let mut text = indented(&table);
    let hidden = report.instance.nodes() - shown.len();
    if hidden > 0 {
        text.push_str(&format!("  ... and {} nodes that are less full\n", number::grouped(hidden)));
    }
    if !others.is_empty() {
        let names: Vec<&str> = others.iter().map(|(r, _)| resources[*r].name.as_str()).collect();
        text.push_str(&line(report, 2, &format!("nobody asks for {}", names.join(", "))));
    }
    text
}

/// Headings in one line or in two.
fn node_table(
    report: &Report,
    shown: &[NodeId],
    units: &[(usize, Unit)],
    one_line: bool,
    length: usize,
) -> Table {
    let mut table = bare();
    let mut header = vec!["node".to_owned(), "tasks".to_owned()];
    header.extend(units.iter().map(|(_, unit)| {
        if one_line {
            unit.title("used / capacity")
        } else {
            unit.title("").replacen(" (", "\n(", 1)
        }
    }));
    if report.weights.is_some() {
        header.push("weighted load".to_owned());
    }
    header.extend(["utilisation".to_owned(), String::new()]);
    let columns = header.len();
    table.set_header(header);
    let ending = Ending::of(report.instance);
    for node in shown {
        table.add_row(node_row(report, *node, units, &ending, length));
    }
    right(&mut table, 1..columns - 1);
    table
}

fn node_row(
    report: &Report,
    node: NodeId,
    units: &[(usize, Unit)],
    ending: &Ending,
    length: usize,
) -> Vec<String> {
    let instance = report.instance;
    let figures = &report.metrics.nodes[node.index()];
    let name = ending.cut(instance.node_name(node)).to_owned();
    let mut row = vec![name, number::grouped(figures.tasks)];
    for (r, unit) in units {
        row.push(unit.used_of(figures.load[*r], instance.capacity(node)[*r]));
    }
    if report.weights.is_some() {
        row.push(format!("{:.4}", figures.weighted));
    }
    match figures.dominant {
        Some(level) => row.extend([format!("{:.1} %", 100.0 * level), bar(level, length)]),
        None => row.extend([state(instance.state(node)).to_owned(), String::new()]),
    }
    row
}

/// What stands where a node that counts nowhere has no utilisation.
fn state(state: NodeState) -> &'static str {
    match state {
        NodeState::Ready => "-",
        NodeState::Drain => "drain",
        NodeState::Down => "down",
    }
}
