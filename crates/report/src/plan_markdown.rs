//! Plans for issues, wikis and merge requests.

use super::Report;
use super::markdown::{cell, table};
use super::moves::moves_markdown;
use super::time::{clock, lines as time_lines};
use super::units::Unit;
use judge::metrics::TimeFigures;
use model::{Run, Schedule};

/// Headline, nodes, tasks by node and the proof.
pub fn plan_markdown(report: &Report) -> String {
    if let Some(schedule) = &report.schedule {
        return timed(report, schedule);
    }
    let (instance, metrics) = (report.instance, &report.metrics);
    let mut on = vec![Vec::new(); instance.nodes()];
    for (task, node) in report.outcome.plan.placements() {
        on[node.index()].push(cell(instance.task_name(task)));
    }
    let mut header = vec!["node".to_owned()];
    let units = Unit::all(instance);
    header.extend(units.iter().map(|unit| cell(&unit.title(""))));
    header.extend(["utilisation".to_owned(), "tasks".to_owned()]);
    let rows = instance.node_ids().map(|node| {
        let figures = &metrics.nodes[node.index()];
        let mut row = vec![cell(instance.node_name(node))];
        for (r, unit) in units.iter().enumerate() {
            row.push(unit.used_of(figures.load[r], instance.capacity(node)[r]));
        }
        row.push(figures.dominant.map_or("-".to_owned(), |u| format!("{:.1} %", 100.0 * u)));
        row.push(on[node.index()].join(", "));
        row
    });
    let mut text = format!("**{}**\n\n{}\n", report.headline(), table(&header, rows));
    text.push_str(&unplaced(report));
    if let Some(order) = report.moves {
        text.push_str(&format!("{}\n", moves_markdown(instance, order)));
    }
    text.push_str(&format!("- {}\n", report.balance_line()));
    for line in report.further_lines().into_iter().chain(report.provenance()) {
        text.push_str(&format!("- {}\n", cell(&line)));
    }
    text
}

/// A plan in time: bars, tasks by start, figures and the proof.
fn timed(report: &Report, schedule: &Schedule) -> String {
    let instance = report.instance;
    let mut runs: Vec<Run> = schedule.runs(instance).collect();
    runs.sort_by_key(|run| (run.start, run.node, run.task));
    let header = ["task", "node", "start", "end"].map(str::to_owned);
    let rows = runs.iter().map(|run| {
        vec![
            cell(instance.task_name(run.task)),
            cell(instance.node_name(run.node)),
            clock(run.start),
            clock(run.end),
        ]
    });
    let mut text = format!("**{}**\n\n{}\n", report.headline(), table(&header, rows));
    text.push_str(&unplaced(report));
    let figures = TimeFigures::of(instance, schedule);
    for line in time_lines(instance, schedule, &figures).into_iter().chain(report.provenance()) {
        text.push_str(&format!("- {}\n", cell(&line)));
    }
    text
}

/// Tasks without a node; nothing where there are none.
fn unplaced(report: &Report) -> String {
    if report.outcome.unplaced.is_empty() {
        return String::new();
    }
    let header = ["unplaced", "reason", "detail"].map(str::to_owned);
    let rows = report.outcome.unplaced.iter().map(|why| {
        let name = report.instance.task_name(why.task);
        vec![cell(name), why.reason.to_owned(), cell(&why.detail)]
    });
    format!("{}\n", table(&header, rows))
}
