//! Comparisons: as a table, JSON, CSV and Markdown.

use std::collections::BTreeMap;

use comfy_table::Table;
use serde::Serialize;

use super::json::TierDoc;
use super::table::{bare, columns_of, indented, right};
use super::time::{brief, clock};
use super::{csv, json, markdown, number};
use formats::guarded;
use judge::metrics::TimeFigures;
use judge::proof::Proof;
use model::Tier;
use plan::compare::{Comparison, Row};

#[derive(Serialize)]
struct ComparisonDoc {
    schema_version: u32,
    reference: String,
    rows: Vec<RowDoc>,
    failed: Vec<FailedDoc>,
}

#[derive(Serialize)]
struct RowDoc {
    instance: String,
    method: String,
    status: String,
    goal: Vec<TierDoc>,
    metrics: BTreeMap<&'static str, f64>,
    gap_to_reference: Option<f64>,
    rank: Option<usize>,
    seconds: f64,
}

#[derive(Serialize)]
struct FailedDoc {
    instance: String,
    method: String,
    detail: String,
}

/// `{schema_version, reference, rows, failed}`.
pub fn comparison_json(comparison: &Comparison) -> String {
    let rows = comparison.rows.iter().map(|row| RowDoc {
        instance: row.instance.clone(),
        method: row.method.clone(),
        status: row.status.to_owned(),
        goal: row.goal.iter().map(TierDoc::of).collect(),
        metrics: metrics(row),
        gap_to_reference: row.gap_to_reference,
        rank: row.rank,
        seconds: row.seconds,
    });
    let failed = comparison.failed.iter().map(|(k, detail)| FailedDoc {
        instance: comparison.rows[*k].instance.clone(),
        method: comparison.rows[*k].method.clone(),
        detail: detail.clone(),
    });
    json::pretty(&ComparisonDoc {
        schema_version: 1,
        reference: comparison.reference.clone(),
        rows: rows.collect(),
        failed: failed.collect(),
    })
}

pub(super) fn metrics(row: &Row) -> BTreeMap<&'static str, f64> {
    let Some(m) = &row.metrics else { return BTreeMap::new() };
    let mut figures = BTreeMap::from([
        ("peak", m.peak),
        ("utilisation", m.utilisation),
        ("balance_degree", m.balance_degree),
        ("nodes_used", m.nodes_used as f64),
        ("cost", row.cost),
        ("unplaced", m.unplaced as f64),
    ]);
    if let Some(time) = &row.time {
        figures.extend([
            ("makespan", time.makespan as f64),
            ("mean_wait", time.mean_wait),
            ("longest_wait", time.longest_wait as f64),
            ("late", time.late as f64),
            ("utilisation_over_time", busiest(time)),
        ]);
    }
    figures
}

/// Mean utilisation of the busiest resource until the last task ends.
fn busiest(time: &TimeFigures) -> f64 {
    time.utilisation.iter().copied().flatten().fold(0.0, f64::max)
}

/// Headings; plans in time have figures of their own.
fn header(comparison: &Comparison) -> Vec<String> {
    let common = ["instance", "rank", "method", "status", "value", "bound", "gap", "to reference"];
    let own: &[&str] = if timed(&comparison.rows) {
        &["makespan", "mean wait", "in use"]
    } else {
        &["balance degree"]
    };
    common.iter().chain(own).chain(&["seconds"]).map(|name| (*name).to_owned()).collect()
}

/// Whether any row is a plan in time.
fn timed(rows: &[Row]) -> bool {
    rows.iter().any(|row| row.time.is_some())
}

/// A figure of all tiers in one cell, separated by commas.
pub(super) fn tiers(row: &Row, of: fn(&Proof) -> f64) -> String {
    let each = row.goal.iter().map(|tier| value(&tier.tier, of(tier)));
    let joined = each.collect::<Vec<_>>().join(", ");
    if joined.is_empty() { "-".to_owned() } else { joined }
}

/// Cells for people.
fn cells(row: &Row, timed: bool) -> Vec<String> {
    let mut cells = vec![
        row.instance.clone(),
        row.rank.map_or("-".to_owned(), |rank| rank.to_string()),
        row.method.clone(),
        row.status.to_owned(),
        tiers(row, |tier| tier.value),
        tiers(row, |tier| tier.bound),
        markdown::gap(row.gap()),
        markdown::gap(row.gap_to_reference),
    ];
    match (timed, &row.time, &row.metrics) {
        (true, Some(time), _) => cells.extend([
            clock(time.makespan),
            brief(time.mean_wait.round() as i64),
            format!("{:.1} %", 100.0 * busiest(time)),
        ]),
        (true, None, _) => cells.extend(["-", "-", "-"].map(str::to_owned)),
        (false, _, Some(metrics)) => cells.push(number::small(metrics.balance_degree)),
        (false, _, None) => cells.push("-".to_owned()),
    }
    cells.push(format!("{:.2}", row.seconds));
    cells
}

/// A tier's value without its name.
pub(super) fn value(tier: &Tier, value: f64) -> String {
    number::measured(tier.measure(), value, 4)
}

/// The last columns of the rows, as many as there are headings.
fn table_of(rows: &[Row], header: &[String], left_out: usize) -> Table {
    let mut table = bare();
    table.set_header(header);
    for row in rows {
        table.add_row(&cells(row, timed(rows))[left_out..]);
    }
    right(&mut table, 4 - left_out..header.len());
    table
}

/// Rows for a terminal; where they do not fit into `width` columns, a table an instance.
pub fn comparison_table(comparison: &Comparison, width: Option<usize>) -> String {
    let header = header(comparison);
    let whole = table_of(&comparison.rows, &header, 0);
    let mut text = if width.is_none_or(|width| columns_of(&whole) <= width) {
        indented(&whole)
    } else {
        let of_instance = |rows: &[Row]| {
            let header: Vec<String> =
                header[1..].iter().map(|name| name.replace(' ', "\n")).collect();
            format!("  {}\n{}\n", rows[0].instance, indented(&table_of(rows, &header, 1)))
        };
        comparison.rows.chunk_by(|a, b| a.instance == b.instance).map(of_instance).collect()
    };
    text.push_str(&format!("  reference: {}\n", comparison.reference));
    for (_, detail) in &comparison.failed {
        text.push_str(&format!("  failed: {detail}\n"));
    }
    text
}

/// The same as Markdown.
pub fn comparison_markdown(comparison: &Comparison) -> String {
    let timed = timed(&comparison.rows);
    let safe = |row| cells(row, timed).iter().map(|cell| markdown::cell(cell)).collect();
    let mut text = markdown::table(&header(comparison), comparison.rows.iter().map(safe));
    text.push_str(&format!("\nreference: {}\n", comparison.reference));
    for (_, detail) in &comparison.failed {
        text.push_str(&format!("- failed: {}\n", markdown::cell(detail)));
    }
    text
}

/// Full precision, first tier only; for further tiers use JSON.
pub fn comparison_csv(comparison: &Comparison) -> String {
    let header = [
        "instance",
        "method",
        "status",
        "tier",
        "value",
        "bound",
        "gap",
        "gap_to_reference",
        "balance_degree",
        "seconds",
        "rank",
    ];
    let timed = timed(&comparison.rows);
    let own = ["makespan", "mean_wait", "utilisation_over_time"].iter().filter(|_| timed);
    let header = header.iter().chain(own).map(|name| (*name).to_owned()).collect();
    let body = comparison.rows.iter().map(|row| {
        let text = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
        let first = row.goal.first();
        let mut cells = vec![
            guarded(&row.instance),
            row.method.clone(),
            row.status.to_owned(),
            first.map_or(String::new(), |tier| tier.tier.to_string()),
            text(first.map(|tier| tier.value)),
            text(first.map(|tier| tier.bound)),
            text(row.gap()),
            text(row.gap_to_reference),
            text(row.metrics.as_ref().map(|m| m.balance_degree)),
            format!("{:.3}", row.seconds),
            row.rank.map_or(String::new(), |rank| rank.to_string()),
        ];
        if timed {
            let time = row.time.as_ref();
            let own = [
                time.map(|time| time.makespan as f64),
                time.map(|time| time.mean_wait),
                time.map(busiest),
            ];
            cells.extend(own.map(text));
        }
        cells
    });
    csv::rows(std::iter::once(header).chain(body))
}
