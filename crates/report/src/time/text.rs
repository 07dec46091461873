//! Plans in time for a terminal: bars, nodes, the critical path, the proof.

use anstyle::Style;

use super::super::table::{bar, bare, indented, line, right, unplaced};
use super::super::{Report, number};
use super::path::reason;
use super::{Lane, View, brief, clock, story, ticks};
use judge::metrics::{TimeFigures, load_over_time, there_until};
use model::{Instance, NodeId, Run, Schedule};

/// Columns where nobody says how many there are.
const WIDTH: usize = 100;
/// Lanes up to which tasks are drawn one by one.
const LANES: usize = 60;
/// Rows of the picture that is drawn of more.
const ROWS: usize = 40;
/// Characters of a node's name.
const NAME: usize = 16;
/// Links of the critical path that are listed, and nodes.
const LISTED: usize = 40;

/// A plan in time as bars: a row a node, or more where tasks run at once; `│` where a task starts,
/// `━` on the critical path, `░` where a node is closed. Large ones as how full nodes are.
pub fn gantt_text(instance: &Instance, schedule: &Schedule, width: Option<usize>) -> String {
    draw(&View::of(instance, schedule), width)
}

fn draw(view: &View, width: Option<usize>) -> String {
    let lanes = view.lanes();
    let names = lanes.iter().map(|lane| view.instance.node_name(lane.node).chars().count());
    let label = names.max().unwrap_or(0).clamp(4, NAME);
    let columns = width.unwrap_or(WIDTH).saturating_sub(label + 4).max(20);
    let mut text = ruler(view, label, columns);
    if lanes.len() > LANES {
        for (name, levels) in view.heat(ROWS, columns) {
            text.push_str(&row(&name, label, &levels.into_iter().map(shade).collect::<String>()));
        }
        return text;
    }
    for lane in &lanes {
        let name = if lane.first { view.instance.node_name(lane.node) } else { "" };
        text.push_str(&row(name, label, &bars(view, lane, columns)));
    }
    text
}

fn row(name: &str, label: usize, cells: &str) -> String {
    let short: String = if name.chars().count() > label {
        name.chars().take(label - 1).chain(['…']).collect()
    } else {
        name.to_owned()
    };
    format!("  {}\n", format!("{short:label$}  {cells}").trim_end())
}

/// The second a column begins with.
fn column(view: &View, second: i64, columns: usize) -> usize {
    (i128::from(second) * columns as i128 / i128::from(view.end)) as usize
}

/// Round times above the columns.
fn ruler(view: &View, label: usize, columns: usize) -> String {
    let mut marks = String::new();
    for second in ticks(view.end, (columns / 10).max(2)) {
        let at = column(view, second, columns);
        let length = marks.chars().count();
        if second == 0 || at > length {
            marks.extend(std::iter::repeat_n(' ', at - length));
            marks.push_str(&clock(second));
        }
    }
    row("node", label, &marks)
}

fn bars(view: &View, lane: &Lane, columns: usize) -> String {
    let mut cells = vec![' '; columns];
    let critical = Style::new().bold();
    for (from, to) in view.instance.closed(lane.node) {
        let from = column(view, (*from).min(view.end), columns);
        let to = column(view, (*to).min(view.end), columns);
        cells[from..to].fill('░');
    }
    let mut bold = vec![false; columns];
    for run in &lane.runs {
        let from = column(view, run.start, columns).min(columns - 1);
        let to = column(view, run.end, columns).max(from + 1).min(columns);
        let on_path = view.critical[run.task.index()];
        cells[from..to].fill(if on_path { '━' } else { '─' });
        bold[from..to].fill(on_path);
        cells[from] = '│';
        let room = to - from - 1;
        let name = view.task(run.task);
        if name.chars().count() <= room {
            cells[from + 1..].iter_mut().zip(name.chars()).for_each(|(cell, c)| *cell = c);
        }
    }
    let mut text = String::new();
    for (k, cell) in cells.iter().enumerate() {
        if bold[k] && (k == 0 || !bold[k - 1]) {
            text.push_str(&critical.to_string());
        }
        text.push(*cell);
        if bold[k] && (k + 1 == columns || !bold[k + 1]) {
            text.push_str(&format!("{critical:#}"));
        }
    }
    text
}

/// How full, as a block of that height.
fn shade(level: f64) -> char {
    const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let eighths = (level.clamp(0.0, 1.0) * 8.0).ceil() as usize;
    BLOCKS[eighths.min(8)]
}

/// The whole report.
pub(crate) fn plan(report: &Report, schedule: &Schedule) -> String {
    let view = View::of(report.instance, schedule);
    let figures = TimeFigures::of(report.instance, schedule);
    let mut text = line(report, 0, &report.headline());
    text.push('\n');
    text.push_str(&draw(&view, report.width));
    text.push('\n');
    text.push_str(&nodes(report, &view));
    text.push('\n');
    text.push_str(&unplaced(report));
    text.push_str(&critical(report, &view));
    text.push('\n');
    for figure in lines(report.instance, schedule, &figures) {
        text.push_str(&line(report, 2, &figure));
    }
    for figure in report.provenance() {
        text.push_str(&line(report, 2, &figure));
    }
    text
}

/// Figures of time, a line each.
pub(crate) fn lines(
    instance: &Instance,
    schedule: &Schedule,
    figures: &TimeFigures,
) -> Vec<String> {
    let mut first = format!(
        "makespan {} · mean wait {} · longest wait {}",
        clock(figures.makespan),
        brief(figures.mean_wait.round() as i64),
        brief(figures.longest_wait)
    );
    if instance.jobs().any(|job| instance.due(job).is_some()) {
        first.push_str(&format!(" · {} of {} jobs late", figures.late, figures.jobs));
    }
    let mut lines = vec![first];
    let each = instance.resources().iter().zip(&figures.utilisation).enumerate();
    lines.extend(each.filter_map(|(r, (resource, mean))| {
        let spark = spark(instance, schedule, r, figures.makespan);
        Some(format!("{} over time {spark} mean {}", resource.name, number::percent((*mean)?)))
    }));
    lines
}

/// Columns of a line of blocks.
const SPARK: usize = 32;

/// The cluster's load over time in blocks.
fn spark(instance: &Instance, schedule: &Schedule, resource: usize, end: i64) -> String {
    let counted = instance.node_ids().filter(|node| instance.counted(*node));
    let capacity: i64 = counted.map(|node| instance.capacity(node)[resource]).sum();
    let steps = load_over_time(instance, schedule, resource);
    let part = |k: usize| {
        let edge = |k: usize| end as f64 * k as f64 / SPARK as f64;
        let (from, to) = (edge(k), edge(k + 1));
        let ends = steps.iter().skip(1).map(|(at, _)| *at as f64).chain([f64::INFINITY]);
        let pieces = steps.iter().zip(ends).map(|((at, load), until)| {
            (until.min(to) - (*at as f64).max(from)).max(0.0) * *load as f64
        });
        let level = pieces.sum::<f64>() / (to - from).max(1e-9) / capacity.max(1) as f64;
        // A blank at the edge of a line would be lost.
        if level > 0.0 { shade(level) } else { '·' }
    };
    (0..SPARK).map(part).collect()
}

/// Nodes with what runs there: how long in all, how full in the mean and at most, until when.
fn nodes(report: &Report, view: &View) -> String {
    let instance = report.instance;
    let runs = view.by_node();
    let mut shown: Vec<NodeId> = instance
        .node_ids()
        .filter(|n| instance.counted(*n) || !runs[n.index()].is_empty())
        .collect();
    let end = |node: &NodeId| runs[node.index()].iter().map(|run| run.end).max().unwrap_or(0);
    if shown.len() > LISTED && !report.matrix {
        shown.sort_by_key(|node| (std::cmp::Reverse(end(node)), *node));
        shown.truncate(LISTED);
    }
    let hidden = instance.nodes() - shown.len();
    let mut table = bare();
    table.set_header(["node", "tasks", "busy", "until", "highest", "mean", ""]);
    for node in shown {
        let own = &runs[node.index()];
        let mean = mean_use(instance, node, own, view.end);
        let highest = report.metrics.nodes[node.index()].dominant.unwrap_or(0.0);
        table.add_row([
            instance.node_name(node).to_owned(),
            number::grouped(own.len()),
            brief(busy(own)),
            brief(end(&node)),
            format!("{:.1} %", 100.0 * highest),
            format!("{:.1} %", 100.0 * mean),
            bar(mean, 20),
        ]);
    }
    right(&mut table, 1..6);
    let mut text = indented(&table);
    if hidden > 0 {
        text.push_str(&format!(
            "  ... and {} nodes that are done earlier\n",
            number::grouped(hidden)
        ));
    }
    text
}

/// Seconds in which anything runs; the runs are in order of their starts.
fn busy(runs: &[Run]) -> i64 {
    let (mut total, mut until) = (0, 0);
    for run in runs {
        total += (run.end - run.start.max(until)).max(0);
        until = until.max(run.end);
    }
    total
}

/// Mean utilisation of the node's fullest resource until `end`.
fn mean_use(instance: &Instance, node: NodeId, runs: &[Run], end: i64) -> f64 {
    let each = instance.capacity(node).iter().enumerate().filter(|(_, c)| **c > 0).map(|(r, c)| {
        let work = runs
            .iter()
            .map(|run| instance.demand_on(run.task, node)[r] as f64 * (run.end - run.start) as f64);
        let there = there_until(instance, node, r, end) as f64;
        (work.sum::<f64>() / end as f64 + there / end as f64) / *c as f64
    });
    each.fold(0.0, f64::max)
}

/// The chain that makes the plan as long as it is.
fn critical(report: &Report, view: &View) -> String {
    let mut text = line(report, 2, &format!("critical path: {}", story(view)));
    let mut table = bare();
    let hidden = view.chain.len().saturating_sub(LISTED);
    for link in &view.chain[hidden..] {
        let run = link.run;
        table.add_row([
            format!("{} – {}", clock(run.start), clock(run.end)),
            view.task(run.task).to_owned(),
            view.instance.node_name(run.node).to_owned(),
            reason(view, link),
        ]);
    }
    if hidden > 0 {
        text.push_str(&format!("    {} tasks before these\n", number::grouped(hidden)));
    }
    text.push_str(&indented(&table));
    text
}
