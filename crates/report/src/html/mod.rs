//! The report as one HTML page: everything in one file, nothing from the network. Templates
//! escape every text; the page's policy allows no script but its own.

mod nodes;
mod progress;
mod scenarios;
mod tasks;
mod words;

use askama::Template;
use sha2::{Digest, Sha256};

use super::comparison::value;
use super::json::tool;
use super::time::{self, Gantt};
use super::{ConflictDoc, Report, markdown, number, plan_csv};
use base::error::{Error, Kind, Result};
use judge::metrics::TimeFigures;
use model::Instance;
use nodes::Nodes;
use plan::compare::{Comparison, Row};
use plan::solve::NoPlan;
use progress::Progress;
pub use scenarios::what_if_html;
use tasks::{Tasks, Unplaced};

/// What all pages have in common.
struct Shell {
    title: String,
    /// Anchors and names of the page's parts.
    parts: Vec<(&'static str, &'static str)>,
}

impl Shell {
    fn css(&self) -> &'static str {
        include_str!("../../templates/report.css")
    }

    fn script(&self) -> &'static str {
        include_str!("../../templates/report.js")
    }

    /// What a browser compares the script with before it runs it.
    fn script_hash(&self) -> String {
        format!("sha256-{}", base64(&Sha256::digest(self.script())))
    }

    fn tool(&self) -> String {
        tool()
    }
}

/// RFC 4648 with padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = (0..3)
            .fold(0usize, |bits, k| bits << 8 | usize::from(group.get(k).copied().unwrap_or(0)));
        for k in 0..4 {
            let digit = char::from(DIGITS[bits >> (18 - 6 * k) & 63]);
            text.push(if k <= group.len() { digit } else { '=' });
        }
    }
    text
}

/// A utilisation as scripts and as people read it.
struct Share {
    key: String,
    shown: String,
}

impl Share {
    fn of(fraction: Option<f64>) -> Share {
        match fraction {
            Some(u) => Share { key: format!("{u:.4}"), shown: format!("{:.1} %", 100.0 * u) },
            None => Share { key: String::new(), shown: "–".to_owned() },
        }
    }

    /// Whether there is anything to draw.
    fn some(&self) -> bool {
        !matches!(self.key.as_str(), "" | "0.0000")
    }
}

/// Characters up to which a name stays on one line.
const SHORT: usize = 28;

/// Whether some name is too long for that.
fn any_long<'a>(mut names: impl Iterator<Item = &'a str>) -> bool {
    names.any(|name| name.chars().count() > SHORT)
}

/// A figure that stands at the top.
struct Tile {
    name: String,
    value: String,
    small: String,
}

#[derive(Template)]
#[template(path = "plan.html")]
struct PlanPage {
    shell: Shell,
    title: String,
    subject: String,
    sentence: String,
    tiles: Vec<Tile>,
    notes: Vec<String>,
    nodes: Nodes,
    tasks: Tasks,
    /// The plan in time.
    gantt: Option<Gantt>,
    /// Figures of time.
    lines: Vec<String>,
    unplaced: Option<Unplaced>,
    progress: Progress,
    foot: String,
}

fn rendered(page: &impl Template) -> Result<String> {
    page.render()
        .map_err(|error| Error::new(Kind::Io, format!("the page could not be made: {error}")))
}

/// What is planned: its name where there is one, and its size.
fn subject(name: Option<&str>, instance: &Instance) -> String {
    let size = format!(
        "{} tasks, {} nodes",
        number::grouped(instance.tasks()),
        number::grouped(instance.nodes())
    );
    name.map_or_else(|| size.clone(), |name| format!("{name} · {size}"))
}

/// The plan as a page.
///
/// # Errors
/// The page cannot be put together, which would be a bug.
pub fn plan_html(report: &Report) -> Result<String> {
    let outcome = report.outcome;
    let unplaced = Unplaced::of(report);
    let mut parts = vec![("part-use", "Utilisation"), ("part-tasks", "Allocation")];
    parts.push(("part-proof", "How good it is"));
    if report.schedule.is_some() {
        parts.insert(0, ("part-time", "Timeline"));
    }
    if unplaced.is_some() {
        parts.insert(0, ("part-unplaced", "Without a node"));
    }
    rendered(&PlanPage {
        shell: Shell {
            title: format!("{} · stowplan", report.name.as_deref().unwrap_or("Plan")),
            parts,
        },
        title: words::title(report),
        subject: subject(report.name.as_deref(), report.instance),
        sentence: words::sentence(report),
        tiles: words::tiles(report),
        notes: (report.instance.assumptions().iter().map(ToString::to_string))
            .chain(outcome.notes.iter().cloned())
            .collect(),
        nodes: Nodes::of(report),
        tasks: Tasks::of(report),
        gantt: report.schedule.as_ref().map(|s| time::gantt(&time::View::of(report.instance, s))),
        lines: report.schedule.as_ref().map_or_else(Vec::new, |schedule| {
            let figures = TimeFigures::of(report.instance, schedule);
            // The drawing shows the load over time.
            time::lines(report.instance, schedule, &figures).into_iter().take(1).collect()
        }),
        unplaced,
        progress: Progress::of(report),
        foot: format!(
            "Instance {} · method {}, seed {} · {:.2} s ·",
            report.digest,
            outcome.method,
            outcome.seed,
            outcome.elapsed.as_secs_f64()
        ),
    })
}

#[derive(Template)]
#[template(path = "refusal.html")]
struct RefusalPage<'a> {
    shell: Shell,
    title: &'static str,
    subject: String,
    cause: &'a str,
    remedy: &'a str,
    why: Option<ConflictDoc>,
}

/// The refusal as a page.
///
/// # Errors
/// As for [`plan_html`].
pub fn no_plan_html(
    instance: &Instance,
    name: Option<&str>,
    no_plan: &NoPlan,
    why: Option<ConflictDoc>,
) -> Result<String> {
    rendered(&RefusalPage {
        shell: Shell { title: "No plan · stowplan".to_owned(), parts: Vec::new() },
        title: no_plan.title(instance),
        subject: subject(name, instance),
        cause: &no_plan.cause,
        remedy: &no_plan.remedy,
        why,
    })
}

#[derive(Template)]
#[template(path = "compare.html")]
struct ComparisonPage {
    shell: Shell,
    title: String,
    sentence: String,
    explained: String,
    failed: Vec<String>,
    rows: Vec<ComparedRow>,
}

/// One method on one instance; a `_key` is what the column is sorted by.
struct ComparedRow {
    method: String,
    instance: String,
    rank: String,
    status: &'static str,
    value: String,
    value_key: String,
    bound: String,
    bound_key: String,
    /// Value over the highest of the instance, for the bar.
    length: String,
    gap: String,
    gap_key: String,
    reference: String,
    reference_key: String,
    balance: String,
    balance_key: String,
    seconds: String,
}

/// The comparison as a page.
///
/// # Errors
/// As for [`plan_html`].
pub fn comparison_html(comparison: &Comparison) -> Result<String> {
    let instances = count(comparison.rows.iter().map(|row| row.instance.as_str()));
    let methods = count(comparison.rows.iter().map(|row| row.method.as_str()));
    let title = format!("{methods} methods compared");
    rendered(&ComparisonPage {
        shell: Shell { title: format!("{title} · stowplan"), parts: Vec::new() },
        title,
        sentence: words::ranking(comparison, instances),
        explained: format!(
            "Lower values are better; bars and sorting go by the first of them. The gap is to the proven bound, \
             “to reference” to the value of {}. Rank 1 is the best by the whole goal.",
            comparison.reference
        ),
        failed: comparison.failed.iter().map(|(_, detail)| detail.clone()).collect(),
        rows: comparison.rows.iter().map(|row| compared(comparison, row)).collect(),
    })
}

fn count<'a>(names: impl Iterator<Item = &'a str>) -> usize {
    names.collect::<std::collections::BTreeSet<_>>().len()
}

fn compared(comparison: &Comparison, row: &Row) -> ComparedRow {
    let key = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
    let first = row.goal.first();
    let own = comparison.rows.iter().filter(|other| other.instance == row.instance);
    let worst = own.filter_map(|other| other.goal.first()).map(|tier| tier.value.abs());
    let worst = worst.fold(0.0, f64::max);
    let tiers = |of: fn(&judge::proof::Proof) -> f64| {
        let each: Vec<String> = row.goal.iter().map(|tier| value(&tier.tier, of(tier))).collect();
        if each.is_empty() { "–".to_owned() } else { each.join(", ") }
    };
    ComparedRow {
        method: row.method.clone(),
        instance: row.instance.clone(),
        rank: row.rank.map_or(String::new(), |rank| rank.to_string()),
        status: row.status,
        value: tiers(|tier| tier.value),
        value_key: key(first.map(|tier| tier.value)),
        bound: tiers(|tier| tier.bound),
        bound_key: key(first.map(|tier| tier.bound)),
        length: first
            .filter(|_| worst > 0.0)
            .map_or(String::new(), |tier| format!("{:.4}", tier.value.abs() / worst)),
        gap: markdown::gap(row.gap()),
        gap_key: key(row.gap()),
        reference: markdown::gap(row.gap_to_reference),
        reference_key: key(row.gap_to_reference),
        balance: row.metrics.as_ref().map_or("–".to_owned(), |m| number::small(m.balance_degree)),
        balance_key: key(row.metrics.as_ref().map(|m| m.balance_degree)),
        seconds: format!("{:.2}", row.seconds),
    }
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_as_in_the_standard() {
        let known =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("fooba", "Zm9vYmE=")];
        known.iter().for_each(|(plain, coded)| assert_eq!(base64(plain.as_bytes()), *coded));
    }
}
