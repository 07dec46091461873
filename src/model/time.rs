//! What happens when: releases, due times and deadlines of tasks, what comes after what, speeds
//! of nodes and the times in which nothing runs on them. Whole seconds from the start of the plan.

use std::fmt;

use rustc_hash::FxHashMap;

use super::build::error;
use super::draft::{DraftError, DraftItem};
use super::edit::kept;
use super::expand::Units;
use super::precedence::Precedence;
use super::{Decimal, Draft, Goal, Instance, NodeId, TaskId, Term, gcd};

/// A time as read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// So many seconds after the start of the plan.
    In(i64),
    /// A date, in seconds since 1970 (UTC).
    On(i64),
}

/// The part of an instance that is about time. Lists are empty where they would say nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Times {
    /// Seconds since 1970 at which the plan starts.
    pub(super) start: Option<i64>,
    pub(super) release: Vec<i64>,
    pub(super) due: Vec<Option<i64>>,
    pub(super) deadline: Vec<Option<i64>>,
    pub(super) elapsed: Vec<Option<i64>>,
    pub(super) precedence: Precedence,
    /// Numerator and denominator per node.
    pub(super) speed: Vec<(i64, i64)>,
    /// Sorted and disjoint, per node.
    pub(super) closed: Vec<Vec<(i64, i64)>>,
    /// Beside the pairs, 0 where a pair has no duration of its own.
    pub(super) pair_duration: Vec<i64>,
}

impl Times {
    /// The times of the tasks that stay; those of pairs are left to the caller.
    pub(super) fn only(&self, keep: &[bool], new_id: &[Option<TaskId>]) -> Times {
        Times {
            start: self.start,
            release: kept(&self.release, keep),
            due: kept(&self.due, keep),
            deadline: kept(&self.deadline, keep),
            elapsed: kept(&self.elapsed, keep),
            precedence: self.precedence.only(new_id),
            speed: self.speed.clone(),
            closed: self.closed.clone(),
            pair_duration: Vec::new(),
        }
    }

    /// One more node, as fast as node `j` and always open.
    pub(super) fn add_node_like(&mut self, j: usize) {
        self.speed.extend(self.speed.get(j).copied());
        if !self.closed.is_empty() {
            self.closed.push(Vec::new());
        }
    }
}

/// Times are below this many seconds: 10,000 years.
const LATEST: i64 = 10_000 * 366 * 86_400;

impl Instance {
    /// True when the goal is about time: it names makespan, completion, tardiness or wait.
    pub fn is_timed(&self) -> bool {
        self.goal().is_timed()
    }

    /// Seconds since 1970 (UTC) at which the plan starts, where dates are spoken of.
    pub fn start(&self) -> Option<i64> {
        self.times.start
    }

    /// Seconds that the task runs on the node: the pair's duration, or the task's over the
    /// node's speed, rounded up; less what has elapsed of a task that runs now. 0 when unknown.
    pub fn duration_on(&self, task: TaskId, node: NodeId) -> i64 {
        let whole = self.whole_duration_on(task, node);
        match self.elapsed(task) {
            None => whole,
            Some(elapsed) => (whole - elapsed).max(0),
        }
    }

    fn whole_duration_on(&self, task: TaskId, node: NodeId) -> i64 {
        match self.own_duration_on(task, node) {
            Some(own) => own,
            None => self.at_speed(self.duration(task), node),
        }
    }

    /// The duration that the pair of task and node has of its own, before anything elapsed.
    pub fn own_duration_on(&self, task: TaskId, node: NodeId) -> Option<i64> {
        if self.times.pair_duration.is_empty() {
            return None;
        }
        let own = self.times.pair_duration[self.pair_position(task, node)?];
        (own > 0).then_some(own)
    }

    fn at_speed(&self, duration: i64, node: NodeId) -> i64 {
        match self.times.speed.get(node.index()) {
            None => duration,
            Some((num, den)) => (duration * den + num - 1) / num,
        }
    }

    /// How many times as fast as usual tasks run on the node: a fraction.
    pub fn speed(&self, node: NodeId) -> (i64, i64) {
        self.times.speed.get(node.index()).copied().unwrap_or((1, 1))
    }

    /// The longest that the task may run on any node.
    pub fn longest(&self, task: TaskId) -> i64 {
        let slowest = |a: &(i64, i64), b: &(i64, i64)| (a.0 * b.1).cmp(&(b.0 * a.1));
        let usual = match self.times.speed.iter().copied().min_by(|a, b| slowest(a, b)) {
            None => self.duration(task),
            Some((num, den)) => (self.duration(task) * den + num - 1) / num,
        };
        let own = self.times.pair_duration.get(self.pair_range(task)).unwrap_or_default();
        own.iter().copied().fold(usual, i64::max)
    }

    /// Earliest start.
    pub fn release(&self, task: TaskId) -> i64 {
        self.times.release.get(task.index()).copied().unwrap_or(0)
    }

    /// The end that tardiness counts from.
    pub fn due(&self, task: TaskId) -> Option<i64> {
        self.times.due.get(task.index()).copied().flatten()
    }

    /// Latest end.
    pub fn deadline(&self, task: TaskId) -> Option<i64> {
        self.times.deadline.get(task.index()).copied().flatten()
    }

    /// What has to end before the task starts, each with the seconds that have to pass between;
    /// a gang stands there with all of its units.
    pub fn after(&self, task: TaskId) -> &[(TaskId, i64)] {
        self.times.precedence.of(task)
    }

    /// True when any task comes after another.
    pub fn has_precedence(&self) -> bool {
        !self.times.precedence.is_empty()
    }

    /// Seconds that the task has been running on its current node.
    pub fn elapsed(&self, task: TaskId) -> Option<i64> {
        self.times.elapsed.get(task.index()).copied().flatten()
    }

    /// True when the task is known to be running: it starts at 0 on its current node and
    /// cannot be moved.
    pub fn runs_now(&self, task: TaskId) -> bool {
        self.elapsed(task).is_some()
    }

    /// Times in which nothing runs on the node, each from its start to before its end; sorted
    /// and disjoint. One that starts at 0 ends when the node becomes available.
    pub fn closed(&self, node: NodeId) -> &[(i64, i64)] {
        self.times.closed.get(node.index()).map_or(&[], Vec::as_slice)
    }

    /// What tells tasks apart in time, beside their durations.
    pub(super) fn time_key(&self, task: TaskId) -> Vec<i64> {
        let (due, deadline) = (self.due(task), self.deadline(task));
        let mut key = vec![
            self.release(task),
            due.unwrap_or(-1),
            deadline.unwrap_or(-1),
            self.elapsed(task).unwrap_or(-1),
        ];
        key.extend(self.after(task).iter().flat_map(|(other, lag)| [i64::from(other.0), *lag]));
        key.push(i64::MIN); // keeps what comes before apart from what follows
        key
    }

    /// A time at which everything can have ended: one task after the other, once every node is
    /// open for good and every task released.
    pub fn horizon(&self) -> i64 {
        let windows = self.times.closed.iter().flatten().map(|(_, to)| *to);
        let from = windows.chain(self.times.release.iter().copied()).max().unwrap_or(0);
        let each = self.task_ids().map(|task| {
            let lag = self.after(task).iter().map(|(_, lag)| *lag).max().unwrap_or(0);
            lag + self.longest(task)
        });
        each.fold(from, i64::saturating_add)
    }

    /// Whether a goal about time can be planned for.
    ///
    /// # Errors
    /// A task without a duration, goals that cannot be joined with ones about time, weights and
    /// times whose products do not fit 60 bits.
    pub fn check_times(&self) -> Result<(), DraftError> {
        let known = |term: Term| {
            term.is_timed() || !matches!(term, Term::Balance | Term::Demand | Term::GroupMoves)
        };
        let terms = self.goal().tiers.iter().flat_map(|tier| &tier.terms);
        if let Some(other) = terms.map(|part| part.term).find(|term| !known(*term)) {
            let cause = format!("the goal `{other}` cannot be joined with goals about time");
            let remedy = "beside makespan, completion, tardiness and wait there may be cost, \
                          nodes, soft, peak, moves and moved";
            return Err(error(DraftItem::Whole, "goal", cause, remedy));
        }
        if !self.ratios.is_empty() || self.soft_price.iter().any(|price| *price > 0) {
            let cause = "load above safety capacities and room beside room have no price in time";
            let remedy = "drop `safety_price` and `ratios`, or goals about time";
            return Err(error(DraftItem::Whole, "goal", cause.to_owned(), remedy));
        }
        for (k, job) in self.jobs().enumerate() {
            let own = self.times.pair_duration.get(self.pair_range(job)).unwrap_or_default();
            let all = own.len() == self.nodes() && own.iter().all(|own| *own > 0);
            if self.duration(job) == 0 && !all {
                let cause = format!(
                    "the task `{}` has no duration, which the goal `{}` needs",
                    self.job_name(job),
                    self.goal()
                );
                let remedy = "give every task a duration of a second or more";
                return Err(error(DraftItem::Task(k), "duration", cause, remedy));
            }
        }
        let weight: i128 = self.task_ids().map(|task| i128::from(self.drop_weight(task))).sum();
        if weight * i128::from(self.horizon()) >= 1 << 60 {
            let cause = "weights times times add up to more than 2^60".to_owned();
            let remedy = "use smaller weights, or fewer decimals";
            return Err(error(DraftItem::Whole, "weight", cause, remedy));
        }
        Ok(())
    }
}

impl Goal {
    /// True when any tier is about time.
    pub fn is_timed(&self) -> bool {
        self.tiers.iter().flat_map(|tier| &tier.terms).any(|part| part.term.is_timed())
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            When::In(seconds) => write!(f, "{seconds} s"),
            When::On(seconds) => write!(f, "{seconds} s since 1970"),
        }
    }
}

/// Speeds of nodes, and durations of pairs in the order of the instance's; before costs, which
/// depend on them.
pub(super) fn set_durations(
    instance: &mut Instance,
    draft: &Draft,
    pair_duration: Vec<Option<i64>>,
) -> Result<(), DraftError> {
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
            instance.times.speed.push(fraction);
        }
        if instance.times.speed.iter().all(|speed| *speed == (1, 1)) {
            instance.times.speed.clear();
        }
    }
    if pair_duration.iter().any(Option::is_some) {
        let seconds = pair_duration.into_iter().map(|own| own.unwrap_or(0));
        instance.times.pair_duration = seconds.collect();
    }
    Ok(())
}

/// Everything else about time.
pub(super) fn set_times(
    instance: &mut Instance,
    draft: &Draft,
    units: &Units,
) -> Result<(), DraftError> {
    let resolve = Resolve { start: draft.start };
    instance.times.start = draft.start;
    let mut rows = TaskTimes::default();
    for (k, task) in draft.tasks.iter().enumerate() {
        let at = |when: Option<When>, field: &str| {
            when.map(|when| resolve.at(when, DraftItem::Task(k), field)).transpose()
        };
        let release = at(task.release, "release")?.unwrap_or(0);
        let (due, deadline) = (at(task.due, "due")?, at(task.deadline, "deadline")?);
        check_running(instance, draft, units, k, release)?;
        for _ in units.range(k) {
            rows.release.push(release);
            rows.due.push(due);
            rows.deadline.push(deadline);
            rows.elapsed.push(task.elapsed);
        }
    }
    let times = &mut instance.times;
    times.release = unless_all(rows.release, &0);
    times.due = unless_all(rows.due, &None);
    times.deadline = unless_all(rows.deadline, &None);
    times.elapsed = unless_all(rows.elapsed, &None);
    times.precedence = Precedence::of_draft(draft, units)?;
    set_closed(instance, draft, &resolve)?;
    if instance.horizon() >= LATEST {
        let cause = "durations, lags and releases add up to more than 10,000 years".to_owned();
        return Err(error(DraftItem::Whole, "", cause, "use shorter durations"));
    }
    check_elapsed(instance, units, draft)?;
    check_deadlines(instance, draft, units)
}

#[derive(Default)]
struct TaskTimes {
    release: Vec<i64>,
    due: Vec<Option<i64>>,
    deadline: Vec<Option<i64>>,
    elapsed: Vec<Option<i64>>,
}

fn unless_all<T: PartialEq>(list: Vec<T>, usual: &T) -> Vec<T> {
    if list.iter().all(|value| value == usual) { Vec::new() } else { list }
}

/// Turns what was read into seconds after the start.
struct Resolve {
    start: Option<i64>,
}

impl Resolve {
    fn at(&self, when: When, item: DraftItem, field: &str) -> Result<i64, DraftError> {
        let seconds = match (when, self.start) {
            (When::In(seconds), _) => seconds,
            (When::On(date), Some(start)) => date.saturating_sub(start),
            (When::On(_), None) => {
                let cause = "a date, and nothing says when the plan starts".to_owned();
                let remedy = "give --start-date, or the instance's `start`, or a time from the start such as 2h";
                return Err(error(item, field, cause, remedy));
            }
        };
        if seconds < 0 && matches!(when, When::On(_)) && matches!(field, "release" | "available_at")
        {
            return Ok(0); // what was to happen before the start has happened
        }
        if !(0..LATEST).contains(&seconds) {
            let cause = match seconds < 0 {
                true => "a time before the start of the plan",
                false => "a time more than 10,000 years after the start of the plan",
            };
            return Err(error(
                item,
                field,
                cause.to_owned(),
                "give a later start, or another time",
            ));
        }
        Ok(seconds)
    }
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
fn set_closed(instance: &mut Instance, draft: &Draft, resolve: &Resolve) -> Result<(), DraftError> {
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
            let from = match past(from) {
                true => 0,
                false => resolve.at(*from, DraftItem::Node(k), "closed")?,
            };
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
    instance.times.closed = unless_all(closed, &Vec::new());
    Ok(())
}

/// Windows sorted by their starts, with those that touch made one.
fn joined(windows: impl Iterator<Item = (i64, i64)>) -> Vec<(i64, i64)> {
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
        let shortest = match instance.task_has_pairs(task) || instance.runs_now(task) {
            true => shortest(),
            false => *fastest.entry(instance.duration(task)).or_insert_with(shortest),
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
