//! What earlier runs taught: kinds of tasks, nodes, and what was left out, as a
//! table, JSON, CSV and Markdown.

use std::collections::BTreeMap;

use serde::Serialize;

use super::table::{bare, indented, right};
use super::{csv, json, markdown, number};
use formats::guarded;
use formats::learn::Lesson;
use model::{Estimate, KindEstimates, NodeSpeed};

#[derive(Serialize)]
struct LessonDoc {
    schema_version: u32,
    kinds: Vec<KindDoc>,
    nodes: Vec<SpeedDoc>,
    ignored: Vec<String>,
}

#[derive(Serialize)]
struct KindDoc {
    kind: String,
    runs: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<EstimateDoc>,
    demand: BTreeMap<String, EstimateDoc>,
}

#[derive(Serialize)]
struct EstimateDoc {
    runs: usize,
    mean: f64,
    sd: f64,
}

#[derive(Serialize)]
struct SpeedDoc {
    node: String,
    runs: usize,
    speed: f64,
}

impl EstimateDoc {
    fn of(estimate: &Estimate) -> EstimateDoc {
        EstimateDoc { runs: estimate.runs, mean: estimate.middle, sd: estimate.spread }
    }
}

/// `{schema_version, kinds, nodes, ignored}`.
pub fn lesson_json(lesson: &Lesson) -> String {
    let kinds = lesson.learned.kinds.iter().map(|kind| KindDoc {
        kind: kind.kind.clone(),
        runs: kind.runs,
        seconds: kind.seconds.as_ref().map(EstimateDoc::of),
        demand: kind.demand.iter().map(|(r, e)| (r.clone(), EstimateDoc::of(e))).collect(),
    });
    let nodes = lesson.learned.speeds.iter().map(|known| SpeedDoc {
        node: known.node.clone(),
        runs: known.runs,
        speed: known.speed,
    });
    json::pretty(&LessonDoc {
        schema_version: 1,
        kinds: kinds.collect(),
        nodes: nodes.collect(),
        ignored: lesson.ignored.clone(),
    })
}

/// Every estimate by name: seconds, then resources.
fn estimates(kind: &KindEstimates) -> impl Iterator<Item = (&str, &Estimate)> {
    let seconds = kind.seconds.iter().map(|seconds| ("seconds", seconds));
    seconds.chain(kind.demand.iter().map(|(name, estimate)| (name.as_str(), estimate)))
}

/// A row for each kind and what was measured of it, then one for each node.
fn rows(lesson: &Lesson, shown: impl Fn(f64) -> String) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for kind in &lesson.learned.kinds {
        for (what, estimate) in estimates(kind) {
            let figures = [shown(estimate.middle), shown(estimate.spread)];
            let names = [kind.kind.clone(), what.to_owned(), estimate.runs.to_string()];
            rows.push(names.into_iter().chain(figures).collect());
        }
    }
    for NodeSpeed { node, runs, speed } in &lesson.learned.speeds {
        let row =
            [node.clone(), "speed".to_owned(), runs.to_string(), shown(*speed), String::new()];
        rows.push(row.to_vec());
    }
    rows
}

const HEADER: [&str; 5] = ["name", "figure", "runs", "middle", "spread"];

/// `name,figure,runs,middle,spread`.
pub fn lesson_csv(lesson: &Lesson) -> String {
    let guard = |row: Vec<String>| row.iter().map(|cell| guarded(cell)).collect();
    let body = rows(lesson, |value| value.to_string()).into_iter().map(guard);
    csv::rows(std::iter::once(HEADER.map(str::to_owned).to_vec()).chain(body))
}

/// For a terminal.
pub fn lesson_table(lesson: &Lesson) -> String {
    let mut table = bare();
    table.set_header(HEADER);
    for row in rows(lesson, number::plain) {
        table.add_row(row);
    }
    right(&mut table, 2..5);
    let mut text = indented(&table);
    for (k, line) in lesson.ignored.iter().enumerate() {
        text.push_str(if k == 0 { "\n" } else { "" });
        text.push_str(&format!("  left out: {line}\n"));
    }
    text
}

/// For issues and wikis.
pub fn lesson_markdown(lesson: &Lesson) -> String {
    let escaped = |row: Vec<String>| row.iter().map(|text| markdown::cell(text)).collect();
    let rows = rows(lesson, number::plain).into_iter().map(escaped);
    let mut text = markdown::table(&HEADER.map(str::to_owned), rows);
    for (k, line) in lesson.ignored.iter().enumerate() {
        text.push_str(if k == 0 { "\n" } else { "" });
        text.push_str(&format!("- left out: {}\n", markdown::cell(line)));
    }
    text
}
