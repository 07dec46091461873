//! The proof: every tier with its bound, how both moved while the program worked, and what
//! each method reached.

use super::words::own;
use super::{Report, number};
use crate::axis::{Axis, tick};
use plan::solve::Step;

/// Steps listed in numbers at most.
const STEPS: usize = 200;
/// The picture, within a view box of 1000 x 260.
const LEFT: f64 = 90.0;
const RIGHT: f64 = 900.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 225.0;
/// Last over first moment from which the axis of time is logarithmic.
const LOGARITHMIC: f64 = 50.0;

pub(super) struct Progress {
    pub tiers: Vec<TierRow>,
    pub story: String,
    pub charts: Vec<Chart>,
    pub steps: Vec<StepRow>,
    pub methods: Vec<MethodRow>,
}

pub(super) struct TierRow {
    pub name: String,
    pub value: String,
    pub bound: String,
    pub gap: String,
    pub why: String,
}

pub(super) struct StepRow {
    pub seconds: String,
    pub cells: Vec<String>,
    pub by: String,
}

pub(super) struct MethodRow {
    pub name: String,
    pub cells: Vec<String>,
    pub above: String,
    pub left_out: String,
    pub after: String,
}

/// Value and bound of one tier over time.
pub(super) struct Chart {
    pub caption: String,
    pub xs: Vec<(String, String)>,
    pub ys: Vec<(String, String)>,
    pub value: String,
    pub bound: String,
    pub dots: Vec<(String, String, String)>,
    pub value_label: String,
    pub bound_label: String,
}

impl Progress {
    pub(super) fn of(report: &Report) -> Progress {
        let outcome = report.outcome;
        let tiers = outcome.goal.iter().map(|tier| {
            let (value, bound) = number::pair(&tier.tier, tier.value, tier.bound);
            TierRow {
                name: tier.tier.to_string(),
                value,
                bound,
                gap: if tier.gap == 0.0 { "proven".to_owned() } else { number::percent(tier.gap) },
                why: tier.why.clone(),
            }
        });
        let trace = &outcome.trace;
        let charts = (0..outcome.goal.len()).filter_map(|at| chart(report, at)).collect();
        let each = trace.len().div_ceil(STEPS).max(1);
        // The last step is always among them.
        let listed =
            trace.iter().enumerate().filter(|(k, _)| (trace.len() - 1 - k).is_multiple_of(each));
        Progress {
            tiers: tiers.collect(),
            story: story(report, each),
            charts,
            steps: listed.map(|(_, step)| step_row(step)).collect(),
            methods: methods(report),
        }
    }
}

/// Time and origin of the plan in a sentence.
fn story(report: &Report, each: usize) -> String {
    let outcome = report.outcome;
    let seconds = outcome.elapsed.as_secs_f64();
    let mut text =
        format!("Found by {} within {} in all.", outcome.found_by, number::seconds(seconds));
    if let (Some(first), Some(at)) = (outcome.trace.first(), own(report))
        && let (Some(from), to) = (first.goal.get(at), &outcome.goal[at])
        && from.value > to.value
    {
        let (from, to) = number::pair(&to.tier, from.value, to.value);
        text.push_str(&format!(
            " The first plan stood after {} at {from}; it ended at {to}.",
            number::seconds(first.seconds)
        ));
    }
    if each > 1 {
        text.push_str(&format!(" The table lists one step in {each}."));
    }
    text
}

fn step_row(step: &Step) -> StepRow {
    let cells = step.goal.iter().flat_map(|tier| {
        let (value, bound) = number::pair(&tier.tier, tier.value, tier.bound);
        [value, bound]
    });
    StepRow {
        seconds: format!("{:.3}", step.seconds),
        cells: cells.collect(),
        by: step.found_by.clone(),
    }
}

/// Absent where nothing moved.
fn chart(report: &Report, at: usize) -> Option<Chart> {
    let trace: Vec<(f64, f64, f64, &str)> = (report.outcome.trace.iter())
        .filter_map(|step| {
            let tier = step.goal.get(at)?;
            Some((step.seconds.max(1e-3), tier.value, tier.bound, step.found_by.as_str()))
        })
        .collect();
    let (first, last) = (trace.first()?, trace.last()?);
    let moved = trace.iter().any(|step| (step.1, step.2) != (first.1, first.2));
    if !moved || last.0 <= first.0 {
        return None;
    }
    let ends = trace.iter().flat_map(|step| [step.1, step.2]);
    let (low, high) = ends.fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)));
    let room = 0.06 * (high - low);
    let logarithmic = last.0 / first.0 > LOGARITHMIC;
    let x = Axis {
        from: if logarithmic { first.0 } else { 0.0 },
        to: last.0,
        ends: (LEFT, RIGHT),
        logarithmic,
    };
    let y = Axis { from: low - room, to: high + room, ends: (BOTTOM, TOP), logarithmic: false };
    let tier = &report.outcome.goal[at].tier;
    let line = |of: fn(&(f64, f64, f64, &str)) -> f64| {
        let mut points = vec![format!("{:.1},{:.1}", x.at(first.0), y.at(of(first)))];
        for (before, after) in trace.iter().zip(&trace[1..]) {
            let from = y.at(of(before));
            points.push(format!("{:.1},{from:.1}", x.at(after.0)));
            points.push(format!("{:.1},{:.1}", x.at(after.0), y.at(of(after))));
        }
        points.join(" ")
    };
    let better = std::iter::once(first)
        .chain(trace.iter().zip(&trace[1..]).filter(|(a, b)| a.1 != b.1).map(|(_, b)| b));
    let shown = |value: f64| number::pair(tier, value, low).0;
    let dots = better.map(|step| {
        let title = format!("{}: {} by {}", number::seconds(step.0), shown(step.1), step.3);
        (format!("{:.1}", x.at(step.0)), format!("{:.1}", y.at(step.1)), title)
    });
    let (value_at, bound_at) = (y.at(last.1), y.at(last.2));
    // Labels that would cover each other stand one above the other.
    let close = (14.0 - (bound_at - value_at)).max(0.0) / 2.0;
    let scale = if logarithmic { " (logarithmic scale)" } else { "" };
    Some(Chart {
        caption: format!("{tier}: value of the best plan and proven bound over seconds{scale}"),
        xs: (x.ticks().into_iter())
            .map(|t| (format!("{:.1}", x.at(t)), format!("{} s", number::plain(t))))
            .collect(),
        ys: y
            .ticks()
            .into_iter()
            .map(|t| (format!("{:.1}", y.at(t)), tick(tier.measure(), t)))
            .collect(),
        value: line(|step| step.1),
        bound: line(|step| step.2),
        dots: dots.collect(),
        value_label: format!("{:.1}", value_at - close),
        bound_label: format!("{:.1}", bound_at + close),
    })
}

/// Policies by what they reached, then whatever improved on them.
fn methods(report: &Report) -> Vec<MethodRow> {
    let outcome = report.outcome;
    let at = own(report);
    let bound = at.map_or(0.0, |at| outcome.goal[at].bound);
    let above = |values: &[f64]| match at.and_then(|at| values.get(at)) {
        Some(value) if *value > bound => number::percent((value - bound) / value.abs()),
        Some(_) => number::percent(0.0),
        None => "–".to_owned(),
    };
    let cells = |values: &[f64]| {
        let pairs = outcome.goal.iter().zip(values);
        pairs.map(|(tier, value)| number::pair(&tier.tier, *value, tier.bound).0).collect()
    };
    let mut tried: Vec<_> = outcome.tried.iter().collect();
    tried.sort_by(|a, b| {
        let values = b.values.partial_cmp(&a.values).unwrap_or(std::cmp::Ordering::Equal);
        b.left_out.cmp(&a.left_out).then(values)
    });
    let mut rows: Vec<MethodRow> = (tried.into_iter())
        .map(|tried| MethodRow {
            name: tried.by.clone(),
            // Values of a plan that leaves tasks out say nothing beside the others.
            cells: if tried.left_out > 0 && at == Some(0) {
                vec!["–".to_owned(); tried.values.len()]
            } else {
                cells(&tried.values)
            },
            above: if tried.left_out > 0 { "–".to_owned() } else { above(&tried.values) },
            left_out: number::grouped(tried.left_out),
            after: "–".to_owned(),
        })
        .collect();
    let mut last: Vec<(&str, &Step)> = Vec::new();
    for step in &outcome.trace {
        // The moment at which its last better value was known, not a better bound.
        let same = |old: &Step| {
            old.goal.iter().map(|tier| tier.value).eq(step.goal.iter().map(|tier| tier.value))
        };
        match last.iter_mut().find(|(by, _)| *by == step.found_by) {
            Some((_, known)) if same(known) => {}
            Some((_, known)) => *known = step,
            None => last.push((&step.found_by, step)),
        }
    }
    for (by, step) in last {
        let values: Vec<f64> = step.goal.iter().map(|tier| tier.value).collect();
        let after = number::seconds(step.seconds);
        match rows.iter_mut().find(|row| row.name == by) {
            Some(row) => row.after = after,
            None => rows.push(MethodRow {
                name: by.to_owned(),
                cells: cells(&values),
                above: above(&values),
                left_out: if by == outcome.found_by {
                    number::grouped(report.metrics.unplaced)
                } else {
                    "–".to_owned()
                },
                after,
            }),
        }
    }
    rows
}
