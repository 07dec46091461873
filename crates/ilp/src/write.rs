//! The integer program as a file that other solvers read: CPLEX LP or free MPS. What is written
//! is what the exact method solves, to the last digit; no crate at hand keeps names, bounds and
//! the objective's constant together.

use std::fmt::Write;

use super::assemble::settle;
use super::balance::distances;
use super::columns::{Model, Settled, Shape};
use super::names::Names;
use super::program::{Col, Column, Program, Sense, merged};
use super::risk::Breaks;
use model::{Classes, Goal, Instance, Plan, TaskId};

/// Forms of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelForm {
    /// CPLEX LP.
    Lp,
    /// Free MPS.
    Mps,
}

/// Which of the exact method's models is meant.
pub struct ModelRequest<'a> {
    /// The problem.
    pub instance: &'a Instance,
    /// Every tier, `unplaced` included where tasks may stay unplaced.
    pub goal: &'a Goal,
    /// Position of the tier that is minimised.
    pub tier: usize,
    /// The plan from which the method goes on: tiers before this one keep its values, and the
    /// parabola of a variance has tangents where its nodes are.
    pub plan: Option<&'a Plan>,
    /// Tasks may stay unplaced.
    pub allow_unplaced: bool,
}

/// The model as text, `None` when some task has no node to go to. Columns `x(task,node)` count the
/// tasks of a class on a node, the class named by its first task; the rest is named after what it
/// is about. The column `constant` is fixed at 1: it carries what no plan can change.
pub fn write_model(request: &ModelRequest, form: ModelForm) -> Option<String> {
    let instance = request.instance;
    let classes = Classes::of(instance);
    let shape = Shape::exact(instance, &classes, request.allow_unplaced, &[]);
    let tier = &request.goal.tiers[request.tier];
    let (settled, points) = match request.plan {
        Some(plan) => {
            let earlier = request.goal.tiers[..request.tier].iter();
            let settled: Vec<Settled> = earlier.map(|tier| settle(instance, plan, tier)).collect();
            (settled, [vec![0.0], distances(instance, plan)].concat())
        }
        None => (Vec::new(), vec![0.0]),
    };
    let mut model = Model::build(&shape, tier, &settled, &points, &Breaks::default())?;
    if model.offset != 0.0 || model.program.columns.iter().all(|column| column.cost == 0.0) {
        model.program.about("constant", &[]);
        let constant = model.program.column(1.0, 1.0, false);
        model.program.columns[constant as usize].cost = model.offset;
    }
    let head = head(request, &settled, &model, &classes);
    let names = Names::of(instance, &model.program);
    Some(match form {
        ModelForm::Lp => lp(&head, &model.program, &names),
        ModelForm::Mps => mps(&head, &model.program, &names),
    })
}

/// Comments: what is minimised, what is held, who stands for whom.
fn head(
    request: &ModelRequest,
    settled: &[Settled],
    model: &Model,
    classes: &Classes,
) -> Vec<String> {
    let tiers = &request.goal.tiers;
    let (k, tier) = (request.tier + 1, &tiers[request.tier]);
    let unit = model.unit;
    let mut head = vec![
        format!("stowplan {}: tier {k} of {}, {tier}", env!("CARGO_PKG_VERSION"), tiers.len()),
        format!("objective = {unit} x ({tier})"),
    ];
    head.extend(
        settled
            .iter()
            .map(|earlier| format!("{} is at most {}", earlier.tier, earlier.worth.near())),
    );
    let name = |task: &TaskId| commented(request.instance.task_name(*task));
    for class in classes.tasks.iter().filter(|class| class.tasks.len() > 1) {
        let first = name(&class.example());
        head.push(format!("{first} stands for {} equal tasks:", class.tasks.len()));
        let mut line = String::new();
        for task in &class.tasks {
            if line.len() > WIDTH {
                head.push(std::mem::take(&mut line));
            }
            let _ = write!(line, "  {}", name(task));
        }
        head.push(line);
    }
    head
}

/// A name in a comment: whole, or its beginning where it is too long for a line.
fn commented(name: &str) -> String {
    const MOST: usize = 60;
    let shown: String = name.chars().take(MOST).collect();
    let shown = shown.escape_debug();
    match name.chars().count().saturating_sub(MOST) {
        0 => shown.to_string(),
        more => format!("{shown}... and {more} more characters"),
    }
}

/// Length at which lines are broken: readers take some 500 characters.
const WIDTH: usize = 90;

fn lp(head: &[String], program: &Program, names: &Names) -> String {
    let mut text = String::new();
    head.iter().for_each(|line| push(&mut text, format_args!("\\ {line}")));
    text.push_str("Minimize\n");
    let columns = || program.columns.iter().enumerate();
    let costs =
        columns().filter(|(_, column)| column.cost != 0.0 || column.label.family == "constant");
    sum(&mut text, "objective", costs.map(|(col, column)| (col as Col, column.cost)), names);
    text.push_str("\nSubject To\n");
    for (row, name) in program.rows.iter().zip(&names.rows) {
        sum(&mut text, name, merged(row.terms.clone()).into_iter(), names);
        let sign = match row.sense {
            Sense::AtMost => "<=",
            Sense::Equal => "=",
        };
        push(&mut text, format_args!(" {sign} {}", row.rhs + 0.0)); // never -0
    }
    text.push_str("Bounds\n");
    for (column, name) in program.columns.iter().zip(&names.columns) {
        let Column { lower, upper, .. } = column;
        match (lower == upper, upper.is_finite()) {
            (true, _) => push(&mut text, format_args!(" {name} = {lower}")),
            (_, true) => push(&mut text, format_args!(" {lower} <= {name} <= {upper}")),
            (_, false) => push(&mut text, format_args!(" {name} >= {lower}")),
        }
    }
    if program.columns.iter().any(|column| column.integer) {
        text.push_str("Generals\n");
        for (_, name) in program.columns.iter().zip(&names.columns).filter(|(c, _)| c.integer) {
            push(&mut text, format_args!(" {name}"));
        }
    }
    text.push_str("End\n");
    text
}

/// ` name: 2 a - 3 b`, without a line break at the end.
fn sum(text: &mut String, name: &str, terms: impl Iterator<Item = (Col, f64)>, names: &Names) {
    let _ = write!(text, " {name}:");
    let mut start = text.len();
    for (col, a) in terms {
        if text.len() - start > WIDTH {
            text.push_str("\n  ");
            start = text.len();
        }
        let sign = if a < 0.0 { '-' } else { '+' };
        let name = &names.columns[col as usize];
        let _ = match a.abs() {
            1.0 => write!(text, " {sign} {name}"),
            size => write!(text, " {sign} {size} {name}"),
        };
    }
}

fn mps(head: &[String], program: &Program, names: &Names) -> String {
    let mut text = String::new();
    head.iter().for_each(|line| push(&mut text, format_args!("* {line}")));
    text.push_str("NAME stowplan FREE\nROWS\n N objective\n");
    for (row, name) in program.rows.iter().zip(&names.rows) {
        let sense = match row.sense {
            Sense::AtMost => 'L',
            Sense::Equal => 'E',
        };
        push(&mut text, format_args!(" {sense} {name}"));
    }
    let mut of: Vec<Vec<(usize, f64)>> = vec![Vec::new(); program.columns.len()];
    for (r, row) in program.rows.iter().enumerate() {
        merged(row.terms.clone()).iter().for_each(|(col, a)| of[*col as usize].push((r, *a)));
    }
    text.push_str("COLUMNS\n");
    let mut whole = false;
    let marker = |text: &mut String, what| push(text, format_args!(" MARKER 'MARKER' '{what}'"));
    for ((column, name), rows) in program.columns.iter().zip(&names.columns).zip(&of) {
        if column.integer != whole {
            marker(&mut text, if whole { "INTEND" } else { "INTORG" });
            whole = column.integer;
        }
        if column.cost != 0.0 || rows.is_empty() {
            push(&mut text, format_args!(" {name} objective {}", column.cost));
        }
        for (row, a) in rows {
            push(&mut text, format_args!(" {name} {} {a}", names.rows[*row]));
        }
    }
    if whole {
        marker(&mut text, "INTEND");
    }
    text.push_str("RHS\n");
    for (row, name) in program.rows.iter().zip(&names.rows).filter(|(row, _)| row.rhs != 0.0) {
        push(&mut text, format_args!(" RHS {name} {}", row.rhs));
    }
    text.push_str("BOUNDS\n");
    for (column, name) in program.columns.iter().zip(&names.columns) {
        let Column { lower, upper, .. } = column;
        if lower == upper {
            push(&mut text, format_args!(" FX BOUND {name} {lower}"));
            continue;
        }
        push(&mut text, format_args!(" LO BOUND {name} {lower}"));
        if upper.is_finite() {
            push(&mut text, format_args!(" UP BOUND {name} {upper}"))
        } else {
            push(&mut text, format_args!(" PL BOUND {name}"))
        }
    }
    text.push_str("ENDATA\n");
    text
}

fn push(text: &mut String, line: std::fmt::Arguments) {
    // Writing to a string does not fail.
    let _ = text.write_fmt(line);
    text.push('\n');
}
