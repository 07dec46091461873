//! Tasks: where each is placed, as a matrix whose columns are nodes or groups of them, and
//! what has no node.

use super::super::time::clock;
use super::super::units::Unit;
use super::nodes::label_keys;
use super::{Report, any_long, number, plan_csv};
use model::{Instance, NodeId, TaskId};
use plan::solve;

/// Rows up to which the tasks are listed one by one.
const MOST: usize = 50_000;
/// Columns of the matrix that are single nodes at most.
const NODES: usize = 128;
/// Columns at most when nodes next to each other share one.
const BLOCKS: usize = 64;
/// Tasks from which they are grouped by node unasked.
const GROUPED: usize = 60;
/// Rows of a page.
const PAGE: usize = 100;

pub(super) struct Tasks {
    pub explained: String,
    pub columns: Vec<String>,
    /// Width of a column in pixels.
    pub width: usize,
    /// Height of their names in rem.
    pub high: f64,
    /// Every how many columns there is room for a name.
    pub stride: usize,
    /// Some task's name does not fit a line.
    pub long: bool,
    pub grouped: bool,
    pub gangs: bool,
    /// Some task runs somewhere now.
    pub current: bool,
    pub priorities: bool,
    pub cards: bool,
    /// There are starts and ends.
    pub timed: bool,
    pub titles: Vec<String>,
    pub rows: Vec<TaskRow>,
    pub shown: usize,
}

pub(super) struct TaskRow {
    pub name: String,
    pub node: String,
    pub gang: String,
    pub current: String,
    pub priority: i64,
    pub demand: Vec<String>,
    pub cards: String,
    /// Start and end: to sort by, and as people read them.
    pub times: [(i64, String); 2],
    /// Column of the node.
    pub at: Option<usize>,
    /// Column where it runs now, if that is another one.
    pub was: Option<usize>,
}

/// Columns of the matrix: their names, the column of each node, and in words what a column is.
struct Columns {
    names: Vec<String>,
    of: Vec<usize>,
    what: String,
}

impl Columns {
    fn of(instance: &Instance) -> Columns {
        let nodes = instance.nodes();
        let name = |at: usize| instance.node_name(NodeId::from(at)).to_owned();
        if nodes <= NODES {
            let names = (0..nodes).map(name).collect();
            return Columns { names, of: (0..nodes).collect(), what: "a node".to_owned() };
        }
        let many = number::grouped(nodes);
        let labels = label_keys(instance).into_iter();
        let kinds = |values: &Vec<String>| {
            values.iter().cloned().collect::<std::collections::BTreeSet<String>>()
        };
        // The label that tells the most apart.
        let best = labels.max_by_key(|(_, values)| kinds(values).len());
        if let Some((key, values)) = best {
            let names: Vec<String> = kinds(&values).into_iter().collect();
            let at = |value: &String| names.binary_search(value).unwrap_or(0);
            let of = values.iter().map(at).collect();
            let shown = |name: &String| if name.is_empty() { "(none)" } else { name }.to_owned();
            return Columns {
                of,
                names: names.iter().map(shown).collect(),
                what: format!("all nodes with one value of {key} ({many} nodes are too many)"),
            };
        }
        let each = nodes.div_ceil(BLOCKS);
        Columns {
            names: (0..nodes)
                .step_by(each)
                .map(|from| format!("{} … {}", name(from), name((from + each - 1).min(nodes - 1))))
                .collect(),
            of: (0..nodes).map(|node| node / each).collect(),
            what: format!("{each} nodes in a row ({many} are too many)"),
        }
    }
}

impl Tasks {
    pub(super) fn of(report: &Report) -> Tasks {
        let instance = report.instance;
        let columns = Columns::of(instance);
        let current = instance.task_ids().any(|task| instance.current(task).is_some());
        let whole = instance.tasks() <= MOST;
        let explained = if whole {
            format!(
                "A row is a task, a column on the right is {}; a filled mark stands where the task is placed{}.",
                columns.what,
                if current { ", a ring where it runs now if that is elsewhere" } else { "" }
            )
        } else {
            format!(
                "{} tasks are more than a page can hold (at most {}), so they are not listed one by one: the table of \
                 nodes says how many are on each, and --output csv has every task.",
                number::grouped(instance.tasks()),
                number::grouped(MOST)
            )
        };
        let units = Unit::all(instance);
        let row = |task: TaskId| task_row(report, task, &columns, &units);
        let width = (900 / columns.names.len().max(1)).clamp(9, 26);
        let longest = columns.names.iter().map(|name| name.chars().count()).max();
        let rows = if whole { instance.task_ids().map(row).collect() } else { Vec::new() };
        Tasks {
            explained,
            width,
            high: (0.5 * longest.unwrap_or(0) as f64).clamp(2.0, 7.0),
            stride: 14usize.div_ceil(width),
            long: any_long(instance.task_ids().map(|task| instance.task_name(task))),
            columns: columns.names,
            grouped: instance.tasks() > GROUPED,
            gangs: !instance.gangs().is_empty(),
            current,
            priorities: instance.priorities().len() > 1,
            cards: !instance.devices().is_empty(),
            timed: report.schedule.is_some(),
            titles: units.iter().map(|unit| unit.title("")).collect(),
            rows,
            shown: PAGE,
        }
    }
}

fn task_row(report: &Report, task: TaskId, columns: &Columns, units: &[Unit]) -> TaskRow {
    let instance = report.instance;
    let node = report.outcome.plan.placement[task.index()];
    let name = |node: Option<NodeId>| {
        node.map_or_else(|| "–".to_owned(), |node| instance.node_name(node).to_owned())
    };
    let demand = match node {
        Some(node) => instance.demand_on(task, node),
        None => instance.demand(task),
    };
    let now = instance.current(task);
    let schedule = report.schedule.as_ref();
    let start = schedule.and_then(|schedule| schedule.start[task.index()]);
    let end = schedule.and_then(|schedule| schedule.end(instance, task));
    TaskRow {
        name: instance.task_name(task).to_owned(),
        node: name(node),
        gang: instance.gang_of(task).map_or(String::new(), |(gang, _)| gang.name.clone()),
        current: name(now),
        priority: instance.priority(task),
        demand: units.iter().zip(demand).map(|(unit, amount)| unit.amount(*amount)).collect(),
        cards: plan_csv::devices(report, task),
        times: [start, end].map(|at| match at {
            Some(at) => (at, clock(at)),
            None => (i64::MAX, "–".to_owned()),
        }),
        at: node.map(|node| columns.of[node.index()]),
        was: now.filter(|_| now != node).map(|now| columns.of[now.index()]),
    }
}

/// Tasks that have no node.
pub(super) struct Unplaced {
    pub reasons: Vec<Reason>,
    pub rows: Vec<UnplacedRow>,
    /// What is not listed.
    pub cut: Option<String>,
}

/// How many lack a node for one reason.
pub(super) struct Reason {
    pub code: &'static str,
    pub count: String,
    pub action: &'static str,
}

pub(super) struct UnplacedRow {
    pub task: String,
    pub reason: &'static str,
    pub detail: String,
}

impl Unplaced {
    pub(super) fn of(report: &Report) -> Option<Unplaced> {
        let all = &report.outcome.unplaced;
        let mut tally: Vec<(&'static str, usize)> = Vec::new();
        for why in all {
            match tally.iter_mut().find(|(code, _)| *code == why.reason) {
                Some((_, count)) => *count += 1,
                None => tally.push((why.reason, 1)),
            }
        }
        tally.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let reasons = tally.into_iter().map(|(code, count)| Reason {
            code,
            count: number::grouped(count),
            action: solve::action(code),
        });
        let rows = all.iter().take(MOST).map(|why| UnplacedRow {
            task: report.instance.task_name(why.task).to_owned(),
            reason: why.reason,
            detail: why.detail.clone(),
        });
        (!all.is_empty()).then(|| Unplaced {
            reasons: reasons.collect(),
            rows: rows.collect(),
            cut: (all.len() > MOST).then(|| {
                format!(
                    "The first {} of {} are listed; --output csv has all of them.",
                    number::grouped(MOST),
                    number::grouped(all.len())
                )
            }),
        })
    }
}
