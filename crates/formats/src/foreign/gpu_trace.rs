//! Traces of GPU clusters as tables of jobs: Philly, Helios, and Alibaba's PAI. One table of columns
//! each. Nodes come from a table of their own.

use super::super::csv;
use super::super::table::{Row, Table};
use super::super::time_file::parse_date;
use super::item::{Unit, amount, whole};
use super::pool::{Pool, units};
use base::error::{Error, Result};
use model::{CENTURY, Decimal, Direction, Draft, NodeDraft, TaskDraft, Term, When};

/// How a trace says what.
struct Trace {
    name: &'static str,
    /// Columns by which it is known.
    marks: &'static [&'static str],
    /// Columns that make the id, joined by a slash.
    id: &'static [&'static str],
    submit: &'static str,
    start: &'static str,
    end: &'static str,
    /// Seconds.
    duration: &'static str,
    /// How many units a row is, and whether the amounts are of one.
    count: &'static str,
    each: bool,
    /// Each unit is on a node of its own.
    apart: bool,
    amounts: &'static [(&'static str, &'static str, Unit)],
    /// A column that names a label of nodes.
    label: Option<(&'static str, &'static str)>,
    /// Columns that say nothing of where and when.
    others: &'static [&'static str],
    /// Columns of its own table of machines: id, and amounts.
    machines: (&'static str, &'static [(&'static str, &'static str, Unit)]),
}

const TRACES: [Trace; 3] = [
    Trace {
        name: "philly",
        marks: &["vc", "jobid", "submitted_time", "gpu_num"],
        id: &["jobid"],
        submit: "submitted_time",
        start: "start_time",
        end: "end_time",
        duration: "duration",
        count: "",
        each: false,
        apart: false,
        amounts: &[("gpu_num", "gpu", Unit::One)],
        label: None,
        others: &["vc", "user", "status", "state", "attempts"],
        machines: ("machineId", &[("number of GPUs", "gpu", Unit::One)]),
    },
    Trace {
        name: "helios",
        marks: &["job_id", "vc", "gpu_num", "cpu_num", "node_num"],
        id: &["job_id"],
        submit: "submit_time",
        start: "start_time",
        end: "end_time",
        duration: "duration",
        count: "node_num",
        each: false,
        apart: true,
        amounts: &[("cpu_num", "cpu", Unit::One), ("gpu_num", "gpu", Unit::One)],
        label: None,
        others: &["vc", "user", "jobname", "state", "queue"],
        machines: ("", &[]),
    },
    Trace {
        name: "pai",
        marks: &["job_name", "task_name", "inst_num", "plan_gpu"],
        id: &["job_name", "task_name"],
        submit: "",
        start: "start_time",
        end: "end_time",
        duration: "",
        count: "inst_num",
        each: true,
        apart: false,
        amounts: &[
            ("plan_cpu", "cpu", Unit::Percent),
            ("plan_mem", "memory", Unit::Gib),
            ("plan_gpu", "gpu", Unit::Percent),
        ],
        label: Some(("gpu_type", "gpu_type")),
        others: &["status"],
        machines: (
            "machine",
            &[
                ("cap_cpu", "cpu", Unit::One),
                ("cap_mem", "memory", Unit::Gib),
                ("cap_gpu", "gpu", Unit::One),
            ],
        ),
    },
];

/// The trace that a table of jobs is of.
fn trace_of(table: &Table) -> Option<&'static Trace> {
    TRACES.iter().find(|trace| trace.marks.iter().all(|mark| table.column(mark).is_some()))
}

/// The name of the trace that a table of jobs is of.
pub(super) fn name_of(table: &Table) -> Option<&'static str> {
    trace_of(table).map(|trace| trace.name)
}

/// Why a trace alone is no instance.
pub(super) fn alone(table: &Table) -> Option<Error> {
    let trace = trace_of(table)?;
    let cause = format!("this is a trace of jobs ({}), and says nothing of nodes", trace.name);
    let remedy = "give a table of nodes too: --tasks FILE --nodes NODES, with a line such as id,cpu,memory,gpu";
    Some(table.source.error(cause).help(remedy))
}

/// Reads the jobs of a trace and nodes: of our own table, or of the trace's.
///
/// # Errors
/// Cells that do not read, each with line and column; no nodes.
pub(super) fn read(tasks: &Table, nodes: &Table) -> Result<Draft> {
    let Some(trace) = trace_of(tasks) else {
        let remedy = "give a table of jobs of Philly, Helios or PAI to --tasks";
        return Err(tasks.source.error("this is none of the traces that are known").help(remedy));
    };
    let mut pool = Pool::new(&[]);
    for (_, name, _) in trace.amounts {
        let r = pool.draft.resource(name);
        // Shares of cards are of one card.
        pool.draft.resources[usize::from(r)].devices = *name == "gpu" && trace.each;
        let unit = if *name == "memory" {
            "byte"
        } else if *name == "cpu" {
            "core"
        } else {
            "card"
        };
        pool.draft.resources[usize::from(r)].unit = Some(unit.to_owned());
    }
    machines(trace, nodes, &mut pool)?;
    jobs(trace, tasks, &mut pool)?;
    pool.timed(Term::Wait);
    pool.finish(&[tasks.source], "a table of nodes with --nodes", "jobs that ran")
}

fn machines(trace: &Trace, nodes: &Table, pool: &mut Pool) -> Result<()> {
    let (id, amounts) = trace.machines;
    let Some(id) = nodes.column(id).filter(|_| !id.is_empty()) else {
        for (name, unit) in [("cpu", "core"), ("memory", "byte"), ("gpu", "card")] {
            let asked = trace.amounts.iter().any(|(_, resource, _)| *resource == name);
            if nodes.column(name).is_some() && !asked {
                let r = pool.draft.resource(name);
                pool.draft.resources[usize::from(r)].unit = Some(unit.to_owned());
                let cause = format!("the jobs say nothing of {name}: planned as if they took none");
                pool.assume(Direction::Wider, nodes.source.name.to_owned(), cause);
            }
        }
        pool.draft.nodes = csv::more_nodes(nodes, &pool.draft)?;
        return Ok(());
    };
    let label = trace.label.and_then(|(_, label)| nodes.column(label).map(|k| (label, k)));
    let mut list = Vec::new();
    nodes.rows(|row| {
        let mut node = NodeDraft { id: row.cell(id).to_owned(), ..NodeDraft::default() };
        for (column, resource, unit) in amounts {
            let Some(column) = nodes.column(column) else { continue };
            let value = cell(row, column, *unit)?.unwrap_or(Decimal::ZERO);
            node.capacity.push((pool.draft.resource(resource), value));
        }
        if let Some((label, column)) = label.filter(|(_, column)| !row.cell(*column).is_empty()) {
            node.labels.push((label.to_owned(), row.cell(column).to_owned()));
        }
        list.push(node);
        Ok(())
    })?;
    pool.draft.nodes = list;
    Ok(())
}

/// An amount in a cell; `None` where it is empty.
fn cell(row: &Row, column: usize, unit: Unit) -> Result<Option<Decimal>> {
    let text = row.cell(column);
    if matches!(text, "" | "None" | "null" | "NULL") {
        return Ok(None);
    }
    let value = amount(text, unit);
    value.map(Some).ok_or_else(|| row.error(column, format!("`{text}` is no amount")))
}

/// Seconds since 1970, of a date or a number.
fn moment(row: &Row, column: Option<usize>) -> Result<Option<i64>> {
    let Some(column) = column else { return Ok(None) };
    let text = row.cell(column);
    if matches!(text, "" | "None" | "null" | "NULL") {
        return Ok(None);
    }
    let seconds = || {
        let value: f64 = text.parse().ok().filter(|value: &f64| (0.0..1e12).contains(value))?;
        Some(value.floor() as i64)
    };
    let date =
        || parse_date(&text.replacen(' ', "T", 1).replace(" PST", "").replace(" PDT", "")).ok();
    let found = seconds().or_else(date);
    found.map(Some).ok_or_else(|| {
        row.error(column, format!("`{text}` is no time: seconds, or such as 2020-04-01 00:00:10"))
    })
}

fn jobs(trace: &Trace, tasks: &Table, pool: &mut Pool) -> Result<()> {
    let column = |name: &str| if name.is_empty() { None } else { tasks.column(name) };
    let ids: Vec<usize> = trace.id.iter().filter_map(|name| column(name)).collect();
    let [submit, start, end, duration] =
        [trace.submit, trace.start, trace.end, trace.duration].map(column);
    let label = trace.label.and_then(|(name, label)| column(name).map(|k| (label, k)));
    unknown(trace, tasks, pool);
    let labelled = label.is_some_and(|(label, _)| {
        pool.draft.nodes.iter().any(|node| node.labels.iter().any(|(key, _)| key == label))
    });
    let mut found: Vec<(TaskDraft, Option<i64>)> = Vec::new();
    tasks.rows(|row| {
        let names: Vec<&str> = ids.iter().map(|k| row.cell(*k)).collect();
        let id = names.join("/");
        let place = format!("{}: {}", tasks.source.name, id);
        let [submit, start, end] = [moment(row, submit)?, moment(row, start)?, moment(row, end)?];
        let ran = start.zip(end).map(|(start, end)| (end - start).max(0));
        let own = duration.map(|k| {
            let text = row.cell(k);
            let value = whole(text).or_else(|| {
                text.parse().ok().filter(|v: &f64| (0.0..1e12).contains(v)).map(|v| v.ceil() as i64)
            });
            if text.is_empty() {
                Ok(None)
            } else {
                value
                    .map(Some)
                    .ok_or_else(|| row.error(k, format!("`{text}` is no number of seconds")))
            }
        });
        let Some(seconds) = own.transpose()?.flatten().or(ran) else {
            pool.assume(
                Direction::Wider,
                place,
                "jobs that never ran, or have not ended, are left out",
            );
            return Ok(());
        };
        if seconds > CENTURY {
            return Err(row.error(
                duration.or(tasks.column(trace.end)).unwrap_or(0),
                "the job runs longer than a century",
            ));
        }
        if submit.is_none() && !trace.submit.is_empty() || trace.submit.is_empty() {
            let cause = "when a job was submitted is not said: it may start when it did";
            pool.assume(Direction::Narrower, place.clone(), cause);
        }
        let mut task = TaskDraft { id, duration: Some(seconds), ..TaskDraft::default() };
        let count = column(trace.count).map_or(Ok(1), |k| {
            let count = whole(row.cell(k)).filter(|count| (1..=1_000_000).contains(count));
            count.ok_or_else(|| {
                row.error(k, format!("`{}` is no number from 1 to 1,000,000", row.cell(k)))
            })
        })?;
        demand(trace, tasks, row, count, &mut task, pool)?;
        if let Some((label, k)) =
            label.filter(|(_, k)| !["", "CPU", "None"].contains(&row.cell(*k)))
        {
            if labelled {
                task.requires.any_of.push((label.to_owned(), vec![row.cell(k).to_owned()]));
            } else {
                let cause = format!("jobs name a {label}, and no node has that label: any will do");
                pool.assume(Direction::Wider, place, cause);
            }
        }
        found.push((task, submit.or(start)));
        Ok(())
    })?;
    // The first job begins the plan.
    let first = found.iter().filter_map(|(_, time)| *time).min();
    pool.draft.start = first;
    let mut seen: rustc_hash::FxHashMap<String, usize> = rustc_hash::FxHashMap::default();
    for (mut task, time) in found {
        let many = seen.entry(task.id.clone()).or_default();
        *many += 1;
        if *many > 1 {
            task.id = format!("{}#{many}", task.id);
        }
        task.release = time.zip(first).map(|(time, first)| When::In(time - first));
        pool.draft.tasks.push(task);
    }
    Ok(())
}

/// What each unit of a job takes.
fn demand(
    trace: &Trace,
    tasks: &Table,
    row: &Row,
    count: i64,
    task: &mut TaskDraft,
    pool: &mut Pool,
) -> Result<()> {
    let place = format!("{}: {}", tasks.source.name, task.id);
    for (name, resource, unit) in trace.amounts {
        let Some(k) = tasks.column(name) else { continue };
        let Some(mut value) = cell(row, k, *unit)? else { continue };
        if !trace.each && count > 1 {
            // Equal shares, rounded up.
            let all = value.up_to_places(0).unwrap_or(i64::MAX);
            value = super::pool::whole_amount(all / count + i64::from(all % count > 0));
            if all % count > 0 {
                let cause =
                    "what a job takes does not divide by its nodes: each has the same, rounded up";
                pool.assume(Direction::Narrower, place.clone(), cause);
            }
        }
        let shares = *resource == "gpu" && value.at_places(0).is_none();
        if shares && value.up_to_places(0) != Some(1) {
            let cause = "more than one card and a part of one: planned as whole cards";
            pool.assume(Direction::Narrower, place.clone(), cause);
            value = super::pool::whole_amount(value.up_to_places(0).unwrap_or(i64::MAX));
        }
        task.demand.push((pool.draft.resource(resource), value));
    }
    if trace.count.is_empty() || tasks.column(trace.count).is_none() {
        let cards = task.demand.first().and_then(|(_, value)| value.at_places(0)).unwrap_or(1);
        if cards > 1 && cards <= 1_000_000 {
            // How many nodes is not said: cards anywhere.
            let cause =
                "on how many nodes a job's cards have to be is not said: they may be anywhere";
            pool.assume(Direction::Wider, place, cause);
            task.demand = vec![(0, Decimal::ONE)];
            units(task, cards as u32, false);
        }
        return Ok(());
    }
    units(task, count as u32, trace.apart);
    Ok(())
}

/// Columns that are not known.
fn unknown(trace: &Trace, tasks: &Table, pool: &mut Pool) {
    let own = [trace.submit, trace.start, trace.end, trace.duration, trace.count];
    for name in &tasks.headers {
        let known = own.contains(&name.as_str())
            || trace.id.contains(&name.as_str())
            || trace.others.contains(&name.as_str())
            || trace.amounts.iter().any(|(column, ..)| column == name)
            || trace.label.is_some_and(|(column, _)| column == name);
        if !known {
            let cause = format!("the column `{name}` is not known: left out");
            pool.assume(Direction::Either, tasks.source.name.to_owned(), cause);
        }
    }
}
