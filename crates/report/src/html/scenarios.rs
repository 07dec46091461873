//! Scenarios beside each other as a page.

use askama::Template;

use super::{Shell, rendered};
use crate::comparison::value;
use crate::whatif::{Named, fit, own, reason, unplaced};
use base::error::Result;
use judge::proof::Proof;
use plan::solve::Outcome;

#[derive(Template)]
#[template(path = "scenarios.html")]
struct ScenarioPage {
    shell: Shell,
    title: String,
    sentence: String,
    explained: String,
    rows: Vec<ScenarioRow>,
}

struct ScenarioRow {
    name: String,
    fits: &'static str,
    must: &'static str,
    /// It must fit and does not.
    broken: bool,
    value: String,
    value_key: String,
    /// The first tier's value over the highest there is.
    length: String,
    bound: String,
    bound_key: String,
    moves: usize,
    left_out: String,
    why: String,
}

/// What becomes of the plan in each scenario, the plan as it is first.
///
/// # Errors
/// As for [`plan_html`](crate::plan_html).
pub fn what_if_html(base: &Outcome, scenarios: &[Named]) -> Result<String> {
    let many = scenarios.len();
    let title = match many {
        1 => "1 scenario".to_owned(),
        many => format!("{many} scenarios"),
    };
    let first = |tiers: &[Proof]| tiers.first().map_or(0.0, |tier| tier.value.abs());
    let each = scenarios.iter().map(|row| first(own(base, row.effect)));
    let worst = each.fold(first(&base.goal), f64::max);
    let as_it_is = ScenarioRow {
        name: "as it is".to_owned(),
        fits: "yes",
        must: "",
        broken: false,
        moves: 0,
        left_out: base.unplaced.len().to_string(),
        why: String::new(),
        ..tiers(&base.goal, worst)
    };
    let rows = scenarios.iter().map(|row| ScenarioRow {
        name: row.name.to_owned(),
        fits: fit(row.effect),
        must: if row.must_fit { "fit" } else { "" },
        broken: row.must_fit && fit(row.effect) != "yes",
        moves: row.effect.moved,
        left_out: unplaced(row.effect).map_or("–".to_owned(), |count| count.to_string()),
        why: reason(row.effect).unwrap_or_default(),
        ..tiers(own(base, row.effect), worst)
    });
    rendered(&ScenarioPage {
        shell: Shell { title: format!("{title} · stowplan"), parts: Vec::new() },
        sentence: sentence(scenarios),
        explained: format!(
            "The goal is {}; lower is better, bars and sorting go by its first tier. Moves are tasks that \
             change their node against the plan as it is, those on nodes that are gone included.",
            base.goal.iter().map(|tier| tier.tier.to_string()).collect::<Vec<_>>().join(", then ")
        ),
        rows: std::iter::once(as_it_is).chain(rows).collect(),
        title,
    })
}

fn sentence(scenarios: &[Named]) -> String {
    let fits = scenarios.iter().filter(|row| fit(row.effect) == "yes").count();
    let broken: Vec<&str> = (scenarios.iter())
        .filter(|row| row.must_fit && fit(row.effect) != "yes")
        .map(|row| row.name)
        .collect();
    let all = format!("All tasks have a place in {fits} of {}.", scenarios.len());
    match broken[..] {
        [] => all,
        [one] => format!("{all} “{one}” must fit and does not."),
        _ => format!("{all} {} must fit and do not: {}.", broken.len(), broken.join(", ")),
    }
}

/// A row with what is known of the goal.
fn tiers(goal: &[Proof], worst: f64) -> ScenarioRow {
    let shown = |of: fn(&Proof) -> f64| {
        let each: Vec<String> = goal.iter().map(|tier| value(&tier.tier, of(tier))).collect();
        if each.is_empty() { "–".to_owned() } else { each.join(", ") }
    };
    let first = goal.first();
    let length = first.filter(|_| worst > 0.0);
    ScenarioRow {
        value: shown(|tier| tier.value),
        value_key: first.map_or(String::new(), |tier| tier.value.to_string()),
        length: length.map_or(String::new(), |tier| format!("{:.4}", tier.value.abs() / worst)),
        bound: shown(|tier| tier.bound),
        bound_key: first.map_or(String::new(), |tier| tier.bound.to_string()),
        name: String::new(),
        fits: "",
        must: "",
        broken: false,
        moves: 0,
        left_out: String::new(),
        why: String::new(),
    }
}
