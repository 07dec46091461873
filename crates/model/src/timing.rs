//! From the times of a draft to those of an instance, and what can be wrong with them.

use rustc_hash::FxHashMap;

use super::draft::{DraftError, DraftItem, TaskDraft, error};
use super::expand::Units;
use super::parts::{Precedence, Times};
use super::resolve::{LATEST, Resolve};
use super::{CENTURY, Decimal, Draft, Instance, NodeId, TaskId, When, gcd};

/// What the draft says about time; `pair_duration` in the order of the instance's pairs, `ending`
/// in rows of amounts.
pub(super) fn times(
    instance: &Instance,
    draft: &Draft,
    units: &Units,
    pair_duration: Vec<Option<i64>>,
    ending: &[i64],
) -> Result<Times, DraftError> {
    let resolve = Resolve::of(draft);
    let mut rows = TaskTimes::for_those(draft, units.len());
    for (k, task) in draft.tasks.iter().enumerate() {
        if task.duration.is_some_and(|seconds| seconds > CENTURY) {
            let cause = format!("`{}` runs for longer than a century", task.id);
            return Err(error(DraftItem::Task(k), "duration", cause, "use a shorter duration"));
        }
        let at = |when: Option<When>, field: &str| {
            when.map(|when| resolve.at(when, DraftItem::Task(k), field)).transpose()
        };
        let release = at(task.release, "release")?.unwrap_or(0);
        let (due, deadline) = (at(task.due, "due")?, at(task.deadline, "deadline")?);
        check_running(instance, draft, units, k, release)?;
        let range = units.range(k);
        rows.release.iter_mut().for_each(|all| all[range.clone()].fill(release));
        rows.due.iter_mut().for_each(|all| all[range.clone()].fill(due));
        rows.deadline.iter_mut().for_each(|all| all[range.clone()].fill(deadline));
        rows.elapsed.iter_mut().for_each(|all| all[range.clone()].fill(task.elapsed));
    }
    let own_durations = pair_duration.iter().any(Option::is_some);
    let pair_duration = pair_duration.into_iter().map(|own| own.unwrap_or(0));
    Ok(Times {
        start: draft.start,
        release: unless_all(rows.release.unwrap_or_default(), &0),
        due: rows.due.unwrap_or_default(),
        deadline: rows.deadline.unwrap_or_default(),
        elapsed: rows.elapsed.unwrap_or_default(),
        precedence: Precedence::of_draft(draft, units)?,
        speed: speeds(draft)?,
        closed: closed(draft, &resolve)?,
        ending: endings(instance, draft, &resolve, ending)?,
        pair_duration: if own_durations { pair_duration.collect() } else { Vec::new() },
    })
}

/// Numerator and denominator of each node's speed; empty where all are 1.
fn speeds(draft: &Draft) -> Result<Vec<(i64, i64)>, DraftError> {
    let mut speeds = Vec::new();
    if draft.nodes.iter().any(|node| node.speed.is_some()) {
        for (k, node) in draft.nodes.iter().enumerate() {
            let speed = node.speed.unwrap_or(Decimal::ONE);
            let fraction = || {
                let num = speed.at_places(speed.decimals())?;
                let den = 10i64.checked_pow(u32::from(speed.decimals()))?;
                let shared = gcd(num, den).max(1);
                let (num, den) = (num / shared, den / shared);
                let within = num > 0
                    && den <= 1_000_000
                    && (1..=1_000_000).contains(&((num + den - 1) / den));
                (within && den / num <= 1000).then_some((num, den))
            };
            let fraction = fraction().ok_or_else(|| {
                let cause = format!("{speed} is no speed");
                let remedy = "speeds are from 0.001 to 1000000, with at most 6 decimals";
                error(DraftItem::Node(k), "speed", cause, remedy)
            })?;
            speeds.push(fraction);
        }
        if speeds.iter().all(|speed| *speed == (1, 1)) {
            speeds.clear();
        }
    }
    Ok(speeds)
}

/// What can be wrong with times only as a whole.
pub(super) fn check(instance: &Instance, draft: &Draft, units: &Units) -> Result<(), DraftError> {
    if instance.horizon() >= LATEST {
        let cause = "durations, lags and releases add up to more than 10,000 years".to_owned();
        return Err(error(DraftItem::Whole, "", cause, "use shorter durations"));
    }
    check_elapsed(instance, units, draft)?;
    check_deadlines(instance, draft, units)
}

/// A list over all units of what any task has.
struct TaskTimes {
    release: Option<Vec<i64>>,
    due: Option<Vec<Option<i64>>>,
    deadline: Option<Vec<Option<i64>>>,
    elapsed: Option<Vec<Option<i64>>>,
}

impl TaskTimes {
    fn for_those(draft: &Draft, units: usize) -> TaskTimes {
        let any = |has: fn(&TaskDraft) -> bool| draft.tasks.iter().any(has);
        TaskTimes {
            release: any(|task| task.release.is_some()).then(|| vec![0; units]),
            due: any(|task| task.due.is_some()).then(|| vec![None; units]),
            deadline: any(|task| task.deadline.is_some()).then(|| vec![None; units]),
            elapsed: any(|task| task.elapsed.is_some()).then(|| vec![None; units]),
        }
    }
}

fn unless_all<T: PartialEq>(list: Vec<T>, usual: &T) -> Vec<T> {
    if list.iter().all(|value| value == usual) { Vec::new() } else { list }
}

/// What runs now has a place and waits for nothing.
fn check_running(
    instance: &Instance,
    draft: &Draft,
    units: &Units,
    k: usize,
    release: i64,
) -> Result<(), DraftError> {
    let task = &draft.tasks[k];
    if task.elapsed.is_none() {
        return Ok(());
    }
    let wrong =
        |cause: &str, remedy| Err(error(DraftItem::Task(k), "elapsed", cause.to_owned(), remedy));
    if units.range(k).any(|unit| instance.current(TaskId::from(unit)).is_none()) {
        return wrong("a task that runs now runs on a node", "name it with `node`");
    }
    if release > 0 {
        return wrong("it runs now and is released later", "drop `release` or `elapsed`");
    }
    if !task.after.is_empty() {
        return wrong(
            "it runs now and comes after a task still to end",
            "drop `after` or `elapsed`",
        );
    }
    Ok(())
}

/// [0, available_at) and the windows of each node.
fn closed(draft: &Draft, resolve: &Resolve) -> Result<Vec<Vec<(i64, i64)>>, DraftError> {
    let mut closed = Vec::with_capacity(draft.nodes.len());
    for (k, node) in draft.nodes.iter().enumerate() {
        let wrong = |cause: String, remedy| Err(error(DraftItem::Node(k), "closed", cause, remedy));
        let mut windows: Vec<(i64, i64)> = Vec::with_capacity(node.closed.len());
        for (from, to) in &node.closed {
            let past = |when: &When| match (when, resolve.start) {
                (When::On(date), Some(start)) => *date <= start,
                _ => false,
            };
            if past(to) {
                continue;
            }
            let from =
                if past(from) { 0 } else { resolve.at(*from, DraftItem::Node(k), "closed")? };
            let to = resolve.at(*to, DraftItem::Node(k), "closed")?;
            if to <= from {
                let cause = format!("a window from {from} s to {to} s");
                return wrong(cause, "a window ends after it starts");
            }
            windows.push((from, to));
        }
        windows.sort_unstable();
        if let Some(pair) = windows.windows(2).find(|pair| pair[1].0 < pair[0].1) {
            let cause =
                format!("the windows from {} s and from {} s overlap", pair[0].0, pair[1].0);
            return wrong(cause, "make one of the two");
        }
        let available =
            node.available_at.map(|at| resolve.at(at, DraftItem::Node(k), "available_at"));
        let first = available.transpose()?.filter(|at| *at > 0).map(|at| (0, at));
        closed.push(joined(first.into_iter().chain(windows)));
    }
    Ok(unless_all(closed, &Vec::new()))
}

/// What of the load that is there ends on a node, and when.
type Ending = Vec<(i64, Vec<i64>)>;

/// What ends on each node: rows of amounts in the order of the draft.
fn endings(
    instance: &Instance,
    draft: &Draft,
    resolve: &Resolve,
    rows: &[i64],
) -> Result<Vec<Ending>, DraftError> {
    let width = draft.resources.len();
    let mut rows = rows.chunks_exact(width.max(1));
    let mut all = Vec::with_capacity(draft.nodes.len());
    for (k, node) in draft.nodes.iter().enumerate() {
        let mut list: Vec<(i64, Vec<i64>)> = Vec::with_capacity(node.ending.len());
        for ((at, _), row) in node.ending.iter().zip(&mut rows) {
            list.push((resolve.at(*at, DraftItem::Node(k), "ending")?, row.to_vec()));
        }
        list.sort_by_key(|(at, _)| *at);
        for (r, resource) in draft.resources.iter().enumerate() {
            let ends = list.iter().map(|(_, amounts)| amounts[r]).fold(0, i64::saturating_add);
            let wrong = |cause, remedy| Err(error(DraftItem::Node(k), "ending", cause, remedy));
            if ends > instance.used(NodeId::from(k))[r] {
                let cause = format!("more of `{}` ends than is used", resource.name);
                return wrong(cause, "raise `used`, or lower what ends");
            }
            if ends > 0 && resource.devices {
                let cause =
                    format!("which cards of `{}` are given back is not known", resource.name);
                return wrong(cause, "make what runs there a task with `node` and `elapsed`");
            }
        }
        all.push(list);
    }
    Ok(unless_all(all, &Vec::new()))
}

/// Windows sorted by their starts, with those that touch made one.
pub fn joined(windows: impl IntoIterator<Item = (i64, i64)>) -> Vec<(i64, i64)> {
    let mut all: Vec<(i64, i64)> = Vec::new();
    for (from, to) in windows {
        match all.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => all.push((from, to)),
        }
    }
    all
}

/// What runs now is not done yet, and its node stays open for as long as it runs.
fn check_elapsed(instance: &Instance, units: &Units, draft: &Draft) -> Result<(), DraftError> {
    for (unit, k) in units.tasks().enumerate() {
        let task = TaskId::from(unit);
        let (Some(elapsed), Some(node)) = (instance.elapsed(task), instance.current(task)) else {
            continue;
        };
        let whole = instance.whole_duration_on(task, node);
        if whole > 0 && elapsed >= whole {
            let cause = format!("it has run for {elapsed} s of {whole} s and should have ended");
            let remedy = "raise its duration, or leave it out";
            return Err(error(DraftItem::Task(k), "elapsed", cause, remedy));
        }
        let end = instance.duration_on(task, node);
        if let Some((from, _)) = instance.closed(node).iter().find(|(from, _)| *from < end) {
            let name = &draft.tasks[k].id;
            let cause = format!(
                "`{name}` runs on node `{}` until {end} s, and the node is closed from {from} s on",
                instance.node_name(node)
            );
            let remedy = "close the node later, or let the task move: drop `elapsed`";
            return Err(error(DraftItem::Task(k), "elapsed", cause, remedy));
        }
    }
    Ok(())
}

/// A deadline that leaves no time to run is a slip of the pen.
fn check_deadlines(instance: &Instance, draft: &Draft, units: &Units) -> Result<(), DraftError> {
    if instance.times.deadline.is_empty() {
        return Ok(());
    }
    let mut fastest: FxHashMap<i64, i64> = FxHashMap::default();
    for (unit, k) in units.tasks().enumerate() {
        let task = TaskId::from(unit);
        let Some(deadline) = instance.deadline(task) else { continue };
        let shortest = || {
            let each = instance.node_ids().map(|node| instance.duration_on(task, node));
            each.min().unwrap_or(0)
        };
        let shortest = if instance.task_has_pairs(task) || instance.runs_now(task) {
            shortest()
        } else {
            *fastest.entry(instance.duration(task)).or_insert_with(shortest)
        };
        let (release, name) = (instance.release(task), &draft.tasks[k].id);
        if release + shortest > deadline {
            let cause = format!(
                "`{name}` cannot end by {deadline} s: it starts at {release} s at the earliest and runs for {shortest} s or more"
            );
            let remedy = "raise the deadline, or make it a `due` time, which may be missed";
            return Err(error(DraftItem::Task(k), "deadline", cause, remedy));
        }
    }
    Ok(())
}
