//! Scenarios beside each other: a row a scenario, the plan as it is first.

use serde::Serialize;

use super::json::TierDoc;
use super::table::{bare, indented, right};
use super::{csv, json, markdown, number};
use formats::guarded;
use judge::proof::Proof;
use plan::replan::{Effect, Fit};
use plan::solve::Outcome;

/// A scenario with its name and what came of it.
pub struct Named<'a> {
    /// What people call it.
    pub name: &'a str,
    /// All tasks must have a place then.
    pub must_fit: bool,
    /// What came of it.
    pub effect: &'a Effect,
}

#[derive(Serialize)]
struct WhatIfDoc {
    schema_version: u32,
    base: Vec<TierDoc>,
    scenarios: Vec<ScenarioDoc>,
}

#[derive(Serialize)]
struct ScenarioDoc {
    name: String,
    fit: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    must: Option<&'static str>,
    goal: Vec<TierDoc>,
    moves: usize,
    unplaced: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Tiers of the goal proper: not those for what is left out before, nor those for moves behind.
pub(super) fn own<'a>(base: &Outcome, effect: &'a Effect) -> &'a [Proof] {
    let all = effect.outcome.as_ref().map_or(&[][..], |outcome| &outcome.goal);
    let first = base.goal.first().and_then(|tier| all.iter().position(|t| t.tier == tier.tier));
    let first = first.unwrap_or(0);
    &all[first..(first + base.goal.len()).min(all.len())]
}

pub(super) fn fit(effect: &Effect) -> &'static str {
    match effect.fit {
        Fit::Yes => "yes",
        Fit::No(_) => "no",
        Fit::Unknown(_) => "unknown",
    }
}

pub(super) fn reason(effect: &Effect) -> Option<String> {
    match &effect.fit {
        Fit::Yes => None,
        Fit::No(none) | Fit::Unknown(none) => Some(none.cause.clone()),
    }
}

pub(super) fn unplaced(effect: &Effect) -> Option<usize> {
    effect.outcome.as_ref().map(|outcome| outcome.unplaced.len())
}

/// `{schema_version, base, scenarios}`.
pub fn what_if_json(base: &Outcome, scenarios: &[Named]) -> String {
    let rows = scenarios.iter().map(|row| ScenarioDoc {
        name: row.name.to_owned(),
        fit: fit(row.effect),
        must: row.must_fit.then_some("fit"),
        goal: own(base, row.effect).iter().map(TierDoc::of).collect(),
        moves: row.effect.moved,
        unplaced: unplaced(row.effect).unwrap_or(0),
        reason: reason(row.effect),
    });
    let goal = base.goal.iter().map(TierDoc::of).collect();
    json::pretty(&WhatIfDoc { schema_version: 1, base: goal, scenarios: rows.collect() })
}

fn header(base: &Outcome) -> Vec<String> {
    let tiers = base.goal.iter().map(|tier| tier.tier.to_string());
    let first = ["scenario", "fits", "must"].map(str::to_owned);
    let last = ["moves", "unplaced"].map(str::to_owned);
    first.into_iter().chain(tiers).chain(last).collect()
}

/// Cells of the plan as it is and of every scenario; `value` writes a tier's value.
fn rows<'a>(
    base: &'a Outcome,
    scenarios: &'a [Named<'a>],
    value: impl Fn(&Proof) -> String + Copy + 'a,
) -> impl Iterator<Item = Vec<String>> + 'a {
    let mut first: Vec<String> = ["as it is", "yes", ""].map(str::to_owned).to_vec();
    first.extend(base.goal.iter().map(value));
    first.extend(["0", "0"].map(str::to_owned));
    let rest = scenarios.iter().map(move |row| {
        let must = if row.must_fit { "fit" } else { "" };
        let mut cells = vec![row.name.to_owned(), fit(row.effect).to_owned(), must.to_owned()];
        let tiers = own(base, row.effect);
        cells.extend((0..base.goal.len()).map(|k| tiers.get(k).map_or("-".to_owned(), value)));
        cells.push(row.effect.moved.to_string());
        cells.push(unplaced(row.effect).map_or("-".to_owned(), |count| count.to_string()));
        cells
    });
    std::iter::once(first).chain(rest)
}

/// Why scenarios do not fit, a line each.
fn reasons<'a>(scenarios: &'a [Named<'a>]) -> impl Iterator<Item = String> + 'a {
    scenarios.iter().filter_map(|row| Some(format!("{}: {}", row.name, reason(row.effect)?)))
}

/// For a terminal.
pub fn what_if_table(base: &Outcome, scenarios: &[Named]) -> String {
    let mut table = bare();
    table.set_header(header(base));
    for row in rows(base, scenarios, |tier| number::tier_value(&tier.tier, tier.value)) {
        table.add_row(row);
    }
    right(&mut table, 3..5 + base.goal.len());
    let mut text = indented(&table);
    for (k, line) in reasons(scenarios).enumerate() {
        text.push_str(if k == 0 { "\n" } else { "" });
        text.push_str(&format!("  {line}\n"));
    }
    text
}

/// A row a scenario, numbers as they are.
pub fn what_if_csv(base: &Outcome, scenarios: &[Named]) -> String {
    let header = std::iter::once(header(base));
    let rows = rows(base, scenarios, |tier| tier.value.to_string());
    csv::rows(header.chain(rows.map(|row| row.iter().map(|cell| guarded(cell)).collect())))
}

/// For issues and wikis.
pub fn what_if_markdown(base: &Outcome, scenarios: &[Named]) -> String {
    let header: Vec<String> = header(base).iter().map(|cell| markdown::cell(cell)).collect();
    let rows = rows(base, scenarios, |tier| number::tier_value(&tier.tier, tier.value));
    let rows = rows.map(|row| row.iter().map(|cell| markdown::cell(cell)).collect());
    let mut text = markdown::table(&header, rows);
    for (k, line) in reasons(scenarios).enumerate() {
        text.push_str(if k == 0 { "\n" } else { "" });
        text.push_str(&format!("- {}\n", markdown::cell(&line)));
    }
    text
}
