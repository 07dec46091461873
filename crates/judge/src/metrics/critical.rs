//! What makes a plan as long as it is: the chain of tasks, each waiting for the one before it,
//! that leads to the last end.

use model::{Instance, NodeId, RuleId, Run, Schedule, TaskId};

/// Why a task does not start earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits {
    /// The plan starts with it.
    Start,
    /// It is released then.
    Release,
    /// The node is closed until then.
    Opening(NodeId),
    /// Load that was on the node before the plan ends then.
    Ending(NodeId),
    /// It comes after this task, with a lag.
    After(TaskId, i64),
    /// This task makes room for it on the node.
    Room(TaskId, NodeId),
    /// A limit at every instant has room for it, as this task ends or as the limit changes.
    Limit(RuleId, Option<TaskId>),
    /// Nothing here: it could start earlier as far as this chain shows.
    Nothing,
}

/// A task of the chain and why it starts when it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The task as it runs.
    pub run: Run,
    /// What it waits for.
    pub waits: Waits,
}

/// The chain that ends with the task that ends last, in order of time; empty when nothing runs.
pub fn critical_path(instance: &Instance, schedule: &Schedule) -> Vec<Link> {
    let mut on: Vec<Vec<Run>> = vec![Vec::new(); instance.nodes()];
    schedule.runs(instance).for_each(|run| on[run.node.index()].push(run));
    on.iter_mut().for_each(|runs| runs.sort_by_key(|run| (run.end, run.start)));
    let last = schedule.runs(instance).max_by_key(|run| (run.end, run.end - run.start));
    let mut next = last;
    let mut chain: Vec<Link> = Vec::new();
    while let Some(run) = next {
        let waits = waits(instance, schedule, &on, run);
        chain.push(Link { run, waits });
        let before = match waits {
            Waits::After(task, _) | Waits::Room(task, _) | Waits::Limit(_, Some(task)) => task,
            _ => break,
        };
        // Every link is at an earlier second, but for tasks of no length.
        next = run_of(instance, schedule, before).filter(|before| before.start < run.start);
    }
    chain.reverse();
    chain
}

fn run_of(instance: &Instance, schedule: &Schedule, task: TaskId) -> Option<Run> {
    let (node, start) = (schedule.plan.placement[task.index()]?, schedule.start[task.index()]?);
    Some(Run { task, node, start, end: start + instance.duration_on(task, node) })
}

fn waits(instance: &Instance, schedule: &Schedule, on: &[Vec<Run>], run: Run) -> Waits {
    if run.start == 0 {
        return Waits::Start;
    }
    let after = instance.after(run.task).iter().find(|(before, lag)| {
        schedule.end(instance, *before).is_some_and(|end| end + lag == run.start)
    });
    if let Some((before, lag)) = after {
        return Waits::After(*before, *lag);
    }
    // A unit of a gang waits for what any of its units waits for.
    let units = || {
        let units = instance.units(instance.job(run.task)).map(TaskId::from);
        units.filter_map(|unit| run_of(instance, schedule, unit))
    };
    if instance.release(run.task) == run.start {
        return Waits::Release;
    }
    for unit in units() {
        if let Some(ended) = room(instance, &on[unit.node.index()], unit) {
            return Waits::Room(ended, unit.node);
        }
    }
    let opens = |unit: &Run| instance.closed(unit.node).iter().any(|(_, to)| *to == run.start);
    let frees = |unit: &Run| instance.ending(unit.node).iter().any(|(at, _)| *at == run.start);
    match (units().find(opens), units().find(frees)) {
        (Some(unit), _) => Waits::Opening(unit.node),
        (None, Some(unit)) => Waits::Ending(unit.node),
        (None, None) => match units().find_map(|unit| limited(instance, schedule, unit)) {
            Some((rule, ended)) => Waits::Limit(rule, ended),
            None => Waits::Nothing,
        },
    }
}

/// A limit that had no room for the job a second before, and a task that ends when the unit starts: of
/// several, the one that began first.
fn limited(
    instance: &Instance,
    schedule: &Schedule,
    unit: Run,
) -> Option<(RuleId, Option<TaskId>)> {
    let before = unit.start - 1;
    let units = instance.units(instance.job(unit.task)).len() as i64;
    let own = instance.rules_of(unit.task).iter().filter(|(_, other)| !other);
    own.map(|(id, _)| *id).find_map(|id| {
        let rule = &instance.rules()[id as usize];
        let (limit, value) = (rule.instant()?, instance.value_of(rule, unit.node)?);
        let runs = rule.tasks.iter().filter_map(|task| run_of(instance, schedule, *task));
        let here = |run: &Run| instance.value_of(rule, run.node) == Some(value);
        let runs: Vec<Run> = runs.filter(here).collect();
        let there = runs.iter().filter(|run| run.start <= before && before < run.end);
        let sum: i64 = there.map(|run| rule.adds(run.task, run.node)).sum();
        let wants = rule.adds(unit.task, unit.node).saturating_mul(units);
        let full = sum.saturating_add(wants) > limit.at(before);
        let ended = runs.iter().filter(|run| run.end == unit.start && run.start < run.end);
        let ended = ended.min_by_key(|run| (run.start, run.task)).map(|run| run.task);
        full.then_some((id, ended))
    })
}

/// A task that ends when the unit starts and without whose end it would not fit: of several, the
/// one that began first.
fn room(instance: &Instance, runs: &[Run], unit: Run) -> Option<TaskId> {
    let from = runs.partition_point(|run| run.end < unit.start);
    let ended = runs[from..].iter().take_while(|run| run.end == unit.start);
    let ended: Vec<&Run> = ended.filter(|run| run.start < run.end).collect();
    let node = unit.node;
    let before = unit.start - 1;
    let running = || runs.iter().filter(|run| run.start <= before && before < run.end);
    let crowded = running().count() as u64 + 1 > u64::from(instance.max_tasks(node));
    let used = instance.used_at(node, before);
    let lacks = |r: usize| {
        let load: i64 = running().map(|run| instance.demand_on(run.task, node)[r]).sum();
        let demand = instance.demand_on(unit.task, node)[r];
        demand > 0 && used[r] + load + demand > instance.limit(node)[r]
    };
    let full: Vec<usize> = (0..instance.resources().len()).filter(|r| lacks(*r)).collect();
    let takes = |run: &&&Run| {
        let demand = instance.demand_on(run.task, node);
        // Cards may be what is missing though there is room in sum.
        crowded || full.iter().any(|r| demand[*r] > 0) || shares_cards(instance, demand, unit)
    };
    ended.iter().filter(takes).min_by_key(|run| (run.start, run.task)).map(|run| run.task)
}

fn shares_cards(instance: &Instance, demand: &[i64], unit: Run) -> bool {
    let own = instance.demand_on(unit.task, unit.node);
    instance.devices().iter().any(|d| demand[d.resource] > 0 && own[d.resource] > 0)
}
