//! Sweeps: a row a run, as a table, JSON, CSV and Markdown.

use std::collections::BTreeMap;

use serde::Serialize;

use super::comparison::{metrics, tiers};
use super::json::TierDoc;
use super::table::{bare, indented};
use super::{csv, json, markdown};
use formats::guarded;
use plan::compare::{Row, Scenario};

#[derive(Serialize)]
struct SweepDoc {
    schema_version: u32,
    runs: Vec<RunDoc>,
}

#[derive(Serialize)]
struct RunDoc {
    run: usize,
    settings: BTreeMap<String, String>,
    status: String,
    goal: Vec<TierDoc>,
    metrics: BTreeMap<&'static str, f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
}

/// `{schema_version, runs}`.
pub fn sweep_json(scenarios: &[Scenario], timing: bool) -> String {
    let runs = scenarios.iter().enumerate().map(|(run, scenario)| {
        let row = scenario.result.as_ref().ok();
        RunDoc {
            run,
            settings: scenario.settings.iter().cloned().collect(),
            status: status(scenario).to_owned(),
            goal: row.iter().flat_map(|row| &row.goal).map(TierDoc::of).collect(),
            metrics: row.map(metrics).unwrap_or_default(),
            error: scenario.result.as_ref().err().map(ToString::to_string),
            seconds: row.filter(|_| timing).map(|row| row.seconds),
        }
    });
    json::pretty(&SweepDoc { schema_version: 1, runs: runs.collect() })
}

fn status(scenario: &Scenario) -> &str {
    scenario.result.as_ref().map_or("error", |row| row.status)
}

/// Every option that any run names, in order of first appearance.
fn keys(scenarios: &[Scenario]) -> Vec<&str> {
    let mut keys: Vec<&str> = Vec::new();
    for (key, _) in scenarios.iter().flat_map(|scenario| &scenario.settings) {
        if !keys.contains(&key.as_str()) {
            keys.push(key);
        }
    }
    keys
}

fn header(keys: &[&str], figures: &[&str], timing: bool) -> Vec<String> {
    let seconds = timing.then_some("seconds");
    let names = ["run"].iter().chain(keys).chain(figures).copied().chain(seconds);
    names.map(str::to_owned).collect()
}

fn row(
    (run, scenario): (usize, &Scenario),
    keys: &[&str],
    figures: impl Fn(Option<&Row>) -> Vec<String>,
    timing: bool,
) -> Vec<String> {
    let result = scenario.result.as_ref().ok();
    let value = |key: &&str| {
        let own = scenario.settings.iter().find(|(known, _)| known == key);
        own.map_or(String::new(), |(_, value)| value.clone())
    };
    let mut cells = vec![run.to_string()];
    cells.extend(keys.iter().map(value));
    cells.push(status(scenario).to_owned());
    cells.extend(figures(result));
    let seconds = || result.map_or(String::new(), |row| format!("{:.3}", row.seconds));
    cells.extend(timing.then(seconds));
    cells
}

/// Figures for people: several tiers in one cell, separated by commas.
const FIGURES: [&str; 4] = ["status", "value", "bound", "gap"];

fn for_people(row: Option<&Row>) -> Vec<String> {
    let Some(row) = row else { return vec!["-".to_owned(); 3] };
    vec![tiers(row, |tier| tier.value), tiers(row, |tier| tier.bound), markdown::gap(row.gap())]
}

/// Rows for a terminal.
pub fn sweep_table(scenarios: &[Scenario], timing: bool) -> String {
    let keys = keys(scenarios);
    let mut table = bare();
    table.set_header(header(&keys, &FIGURES, timing));
    for scenario in scenarios.iter().enumerate() {
        table.add_row(row(scenario, &keys, for_people, timing));
    }
    indented(&table)
}

/// The same as Markdown.
pub fn sweep_markdown(scenarios: &[Scenario], timing: bool) -> String {
    let keys = keys(scenarios);
    let rows = scenarios.iter().enumerate().map(|scenario| {
        let cells = row(scenario, &keys, for_people, timing);
        cells.iter().map(|cell| markdown::cell(cell)).collect()
    });
    markdown::table(&header(&keys, &FIGURES, timing), rows)
}

/// Full precision, first tier only; for further tiers use JSON.
pub fn sweep_csv(scenarios: &[Scenario], timing: bool) -> String {
    let keys = keys(scenarios);
    let names = [
        "status",
        "tier",
        "value",
        "bound",
        "gap",
        "peak",
        "balance_degree",
        "cost",
        "nodes_used",
        "unplaced",
    ];
    let figures = |row: Option<&Row>| {
        let first = row.and_then(|row| row.goal.first());
        let text = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
        let metrics = row.map(metrics).unwrap_or_default();
        let mut cells = vec![
            first.map_or(String::new(), |tier| tier.tier.to_string()),
            text(first.map(|tier| tier.value)),
            text(first.map(|tier| tier.bound)),
            text(row.and_then(Row::gap)),
        ];
        cells.extend(names[5..].iter().map(|name| text(metrics.get(name).copied())));
        cells
    };
    let body = scenarios.iter().enumerate().map(|scenario| {
        let cells = row(scenario, &keys, figures, timing);
        cells.iter().map(|cell| guarded(cell)).collect()
    });
    csv::rows(std::iter::once(header(&keys, &names, timing)).chain(body))
}
