//! Moves in order, and what more of them would buy.

use askama::Template;
use schemars::JsonSchema;
use serde::Serialize;

use super::axis::{Axis, tick};
use super::ending::Ending;
use super::json::{TierDoc, job};
use super::table::{bare, indented, right};
use super::{Report, csv, json, markdown, number};
use base::error::{Error, Kind, Result};
use formats::guarded;
use judge::proof::Proof;
use model::{Instance, Measure, Move, NodeId, TaskId};
use plan::replan::{Frontier, Order, Point, Stuck};

/// The way from where tasks run today to the plan.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MovesDoc {
    /// Moves, detours included; tasks that start or stop are moves too.
    pub count: usize,
    /// Moves to nodes that tasks leave again.
    pub detours: usize,
    /// One after the other; the moves of a wave may run at once.
    pub waves: Vec<Vec<MoveDoc>>,
    /// Moves that wait for each other and have no place in the order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stuck: Vec<StuckDoc>,
    /// A stuck task for which room anywhere else would be enough to move all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spare: Option<String>,
}

/// One task changes its node.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MoveDoc {
    /// Id of the task.
    pub task: String,
    /// Which of a gang's units, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<u32>,
    /// Node it leaves; absent where it starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Node it goes to; absent where it stops.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Moves of a wave with the same number have to happen in one go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub together: Option<usize>,
}

/// A move without a place in the order.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StuckDoc {
    /// The move.
    #[serde(flatten)]
    pub of: MoveDoc,
    /// Why, in words.
    pub reason: String,
}

impl MoveDoc {
    fn of(instance: &Instance, m: &Move, together: Option<usize>) -> MoveDoc {
        let name = |node: NodeId| instance.node_name(node).to_owned();
        let (task, unit) = job(instance, m.task);
        MoveDoc {
            task: task.to_owned(),
            unit,
            from: m.from.map(name),
            to: m.to.map(name),
            together,
        }
    }
}

impl MovesDoc {
    /// The document of an order.
    pub(super) fn of(instance: &Instance, order: &Order) -> MovesDoc {
        let wave = |wave: &Vec<Vec<Move>>| {
            let steps = wave.iter().enumerate().flat_map(|(k, step)| {
                let together = (step.len() > 1).then_some(k);
                step.iter().map(move |m| MoveDoc::of(instance, m, together))
            });
            steps.collect()
        };
        let stuck = order.stuck.iter().map(|stuck| StuckDoc {
            of: MoveDoc::of(instance, &stuck.of, None),
            reason: reason(instance, stuck),
        });
        MovesDoc {
            count: order.moves().count(),
            detours: order.detours,
            waves: order.waves.iter().map(wave).collect(),
            stuck: stuck.collect(),
            spare: order.spare.map(|task| instance.task_name(task).to_owned()),
        }
    }
}

/// Tasks named at most as those that a move waits for.
const NAMES: usize = 5;

/// Why a move has no place in the order.
fn reason(instance: &Instance, stuck: &Stuck) -> String {
    let mut parts = Vec::new();
    let budgets: Vec<String> = (stuck.budgets.iter())
        .map(|budget| format!("`{}`", instance.budgets()[*budget].name))
        .collect();
    if !budgets.is_empty() {
        return format!(
            "a disruption budget allows none of its tasks to move: {}",
            budgets.join(", ")
        );
    }
    if let (Some(to), false) = (stuck.of.to, stuck.lacks.is_empty()) {
        let lacks: Vec<String> = (stuck.lacks.iter())
            .map(|(r, lack)| {
                let resource = &instance.resources()[*r];
                format!("{} {}", resource.show(*lack), resource.name)
            })
            .collect();
        parts.push(format!("`{}` lacks {}", instance.node_name(to), lacks.join(" and ")));
    }
    let rules: Vec<String> = (stuck.rules.iter())
        .map(|rule| format!("`{}`", instance.rules()[*rule as usize].name))
        .collect();
    if !rules.is_empty() {
        parts.push(format!("a rule forbids it on the way: {}", rules.join(", ")));
    }
    if !stuck.waits_for.is_empty() {
        let names: Vec<String> = (stuck.waits_for.iter().take(NAMES))
            .map(|task| format!("`{}`", instance.task_name(*task)))
            .collect();
        let more = match stuck.waits_for.len().saturating_sub(NAMES) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        parts.push(format!("it waits for {}{more} to leave", names.join(", ")));
    }
    if parts.is_empty() {
        parts.push("cards or the number of tasks there forbid it".to_owned());
    }
    parts.join("; ")
}

/// What a circle needs.
fn spare(instance: &Instance, task: TaskId) -> String {
    let demand = instance.resources().iter().zip(instance.demand(task));
    let needs: Vec<String> = demand
        .filter(|(_, demand)| **demand > 0)
        .map(|(r, demand)| format!("{} {}", r.show(*demand), r.name))
        .collect();
    let name = instance.task_name(task);
    format!(
        "room for `{name}` ({}) on any other node would be enough to move all",
        needs.join(", ")
    )
}

/// "3 moves in 2 waves", and what is wrong.
fn lines(instance: &Instance, order: &Order) -> Vec<String> {
    let plural = |n: usize, word: &str| match n {
        1 => format!("1 {word}"),
        n => format!("{} {word}s", number::grouped(n)),
    };
    let count = order.moves().count();
    let mut text = match count {
        0 if order.stuck.is_empty() => "nothing moves".to_owned(),
        _ => format!("{} in {}", plural(count, "move"), plural(order.waves.len(), "wave")),
    };
    if order.detours > 0 {
        text.push_str(&format!(", {} of them aside to make room", number::grouped(order.detours)));
    }
    let mut lines = vec![text];
    if !order.stuck.is_empty() {
        lines.push(format!("{} found no place in the order:", plural(order.stuck.len(), "move")));
        for stuck in &order.stuck {
            let place = |node: Option<NodeId>| node.map_or("-", |node| instance.node_name(node));
            lines.push(format!(
                "`{}` from {} to {}: {}",
                instance.task_name(stuck.of.task),
                place(stuck.of.from),
                place(stuck.of.to),
                reason(instance, stuck)
            ));
        }
    }
    lines.extend(order.spare.map(|task| spare(instance, task)));
    lines
}

const HEADER: [&str; 4] = ["wave", "task", "from", "to"];

/// A row a move: wave from 1, task, both nodes; `=` before tasks that move in one go.
fn move_rows<'a>(
    instance: &'a Instance,
    order: &'a Order,
) -> impl Iterator<Item = [String; 4]> + 'a {
    let steps = order.waves.iter().enumerate().flat_map(|(k, wave)| {
        wave.iter().flat_map(move |step| step.iter().map(move |m| (k, step.len() > 1, m)))
    });
    steps.map(|(k, joint, m)| {
        let place = |node: Option<NodeId>| {
            node.map_or_else(String::new, |node| instance.node_name(node).to_owned())
        };
        let mark = if joint { "= " } else { "" };
        let task = format!("{mark}{}", instance.task_name(m.task));
        [(k + 1).to_string(), task, place(m.from), place(m.to)]
    })
}

/// Moves listed at most in a table.
const ROWS: usize = 100;

/// The moves for a terminal.
pub(super) fn moves_table(report: &Report, order: &Order) -> String {
    let mut table = bare();
    table.set_header(HEADER);
    let all = order.moves().count();
    let shown = if report.matrix { all } else { ROWS };
    let ending = Ending::of(report.instance);
    for mut row in move_rows(report.instance, order).take(shown) {
        for node in &mut row[2..] {
            *node = if node.is_empty() { "-".to_owned() } else { ending.cut(node).to_owned() };
        }
        table.add_row(row);
    }
    right(&mut table, 0..1);
    let mut text = String::new();
    if all > 0 {
        text.push_str(&indented(&table));
    }
    if all > shown {
        let more = number::grouped(all - shown);
        text.push_str(&format!("  and {more} more (--output csv or json has all)\n"));
    }
    for line in lines(report.instance, order) {
        text.push_str(&format!("  {line}\n"));
    }
    text
}

/// `wave,task,from,to`.
pub fn moves_csv(instance: &Instance, order: &Order) -> String {
    let header = HEADER.map(str::to_owned).to_vec();
    let rows = move_rows(instance, order).map(|row| row.map(|cell| guarded(&cell)).to_vec());
    csv::rows(std::iter::once(header).chain(rows))
}

/// The moves for issues and wikis.
pub(super) fn moves_markdown(instance: &Instance, order: &Order) -> String {
    let header = HEADER.map(str::to_owned);
    let rows = move_rows(instance, order).map(|row| row.map(|cell| markdown::cell(&cell)).to_vec());
    let mut text = markdown::table(&header, rows);
    text.push('\n');
    for line in lines(instance, order) {
        text.push_str(&format!("- {}\n", markdown::cell(&line)));
    }
    text
}

#[derive(Serialize)]
struct FrontierDoc {
    schema_version: u32,
    least_moves: usize,
    points: Vec<PointDoc>,
}

#[derive(Serialize)]
struct PointDoc {
    most_moves: usize,
    moves: usize,
    goal: Vec<TierDoc>,
    bought: f64,
}

/// What part of the way from the first point's value to the last one's a point is.
fn bought(frontier: &Frontier, point: &Point) -> f64 {
    let value = |point: &Point| point.goal.first().map_or(0.0, |tier| tier.value);
    let (Some(first), Some(last)) = (frontier.points.first(), frontier.points.last()) else {
        return 0.0;
    };
    let span = value(first) - value(last);
    if span > 0.0 { ((value(first) - value(point)) / span).clamp(0.0, 1.0) } else { 1.0 }
}

/// `{schema_version, least_moves, points}`.
pub fn frontier_json(frontier: &Frontier) -> String {
    let points = frontier.points.iter().map(|point| PointDoc {
        most_moves: point.most,
        moves: point.moved,
        goal: point.goal.iter().map(TierDoc::of).collect(),
        bought: bought(frontier, point),
    });
    let (least_moves, points) = (frontier.least, points.collect());
    json::pretty(&FrontierDoc { schema_version: 1, least_moves, points })
}

fn point_header(frontier: &Frontier) -> Vec<String> {
    let tiers = frontier.points.first().map_or(&[][..], |point| &point.goal);
    let tiers =
        tiers.iter().flat_map(|tier| [tier.tier.to_string(), "bound".to_owned(), "gap".to_owned()]);
    ["moves".to_owned()].into_iter().chain(tiers).chain(["bought".to_owned()]).collect()
}

/// Numbers as people read them.
fn point_row(frontier: &Frontier, point: &Point) -> Vec<String> {
    let mut row = vec![point.most.to_string()];
    for tier in &point.goal {
        row.push(number::tier_value(&tier.tier, tier.value));
        row.push(number::tier_value(&tier.tier, tier.bound));
        row.push(number::percent(tier.gap));
    }
    row.push(number::percent(bought(frontier, point)));
    row
}

/// A row a number of moves.
pub fn frontier_table(frontier: &Frontier) -> String {
    let mut table = bare();
    let header = point_header(frontier);
    let columns = header.len();
    table.set_header(header);
    for point in &frontier.points {
        table.add_row(point_row(frontier, point));
    }
    right(&mut table, 0..columns);
    indented(&table)
}

/// The same for issues and wikis.
pub fn frontier_markdown(frontier: &Frontier) -> String {
    let rows = frontier.points.iter().map(|point| point_row(frontier, point));
    markdown::table(&point_header(frontier), rows)
}

/// `moves`, then value, bound and gap of every tier, then `bought`.
pub fn frontier_csv(frontier: &Frontier) -> String {
    let rows = frontier.points.iter().map(|point| {
        let mut row = vec![point.most.to_string()];
        for tier in &point.goal {
            row.extend([tier.value, tier.bound, tier.gap].map(|value| value.to_string()));
        }
        row.push(bought(frontier, point).to_string());
        row
    });
    csv::rows(std::iter::once(point_header(frontier)).chain(rows))
}

/// Where the drawing is, within 720 x 420.
const LEFT: f64 = 80.0;
const RIGHT: f64 = 690.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 360.0;

#[derive(Template)]
#[template(path = "frontier.svg")]
struct Drawing {
    tier: String,
    xs: Vec<(String, String)>,
    ys: Vec<(String, String)>,
    value: String,
    bound: String,
    dots: Vec<(String, String, String)>,
}

/// Moves against the first tier and its bound, as a drawing.
///
/// # Errors
/// None that a person can cause: the template does not fit.
pub fn frontier_svg(frontier: &Frontier) -> Result<String> {
    let points: Vec<(f64, &Proof)> = (frontier.points.iter())
        .filter_map(|point| Some((point.most as f64, point.goal.first()?)))
        .collect();
    let ends = points.iter().flat_map(|(_, tier)| [tier.value, tier.bound]);
    let (low, high) = ends.fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)));
    let (low, high) = if low > high { (0.0, 1.0) } else { (low, high) };
    let room = (0.06 * (high - low)).max(1e-3 * high.abs()).max(1e-9);
    let (from, to) = (points.first().map_or(0.0, |p| p.0), points.last().map_or(0.0, |p| p.0));
    let to = if to > from { to } else { from + 1.0 };
    let x = Axis { from, to, ends: (LEFT, RIGHT), logarithmic: false };
    let y = Axis { from: low - room, to: high + room, ends: (BOTTOM, TOP), logarithmic: false };
    let measure = points.first().map_or(Measure::Number, |(_, tier)| tier.tier.measure());
    let tier = points.first().map_or_else(String::new, |(_, tier)| tier.tier.to_string());
    let place = |(x, y): (f64, f64)| (format!("{x:.1}"), format!("{y:.1}"));
    // Between two numbers of moves the plan for fewer still stands.
    let steps = |of: fn(&Proof) -> f64| {
        let mut line: Vec<String> = Vec::new();
        for (k, (moves, tier)) in points.iter().enumerate() {
            if let Some((_, before)) = k.checked_sub(1).map(|k| points[k]) {
                line.push(format!("{:.1},{:.1}", x.at(*moves), y.at(of(before))));
            }
            line.push(format!("{:.1},{:.1}", x.at(*moves), y.at(of(tier))));
        }
        line.join(" ")
    };
    let dots = frontier.points.iter().zip(&points).map(|(point, (moves, own))| {
        let (cx, cy) = place((x.at(*moves), y.at(own.value)));
        let value = number::tier_value(&own.tier, own.value);
        let part = number::percent(bought(frontier, point));
        (cx, cy, format!("{} moves: {value}, {part} of what moves can buy", point.most))
    });
    let whole = |t: &f64| t.fract() == 0.0;
    let drawing = Drawing {
        xs: x
            .ticks()
            .into_iter()
            .filter(whole)
            .map(|t| (place((x.at(t), 0.0)).0, t.to_string()))
            .collect(),
        ys: y.ticks().into_iter().map(|t| (place((0.0, y.at(t))).1, tick(measure, t))).collect(),
        value: steps(|tier| tier.value),
        bound: steps(|tier| tier.bound),
        dots: dots.collect(),
        tier,
    };
    drawing.render().map_err(|error| Error::new(Kind::Io, error.to_string()))
}
