//! What a feasible plan in time is: releases, deadlines, what comes after what, gangs that start
//! together, closed nodes, and every node at every instant.

use std::collections::BTreeMap;

use super::violation::Violation;
use super::{cards, node_limits, places, rules};
use model::{Instance, LabelValues, NodeId, Run, Schedule, TaskId};

/// Checks a plan in time against every rule of the instance. With `allow_unplaced`, tasks
/// without a node are no violation. Rules between tasks hold for the placement as a whole, limits at
/// every instant unless they say `always`.
pub fn check_schedule(
    instance: &Instance,
    schedule: &Schedule,
    allow_unplaced: bool,
) -> Vec<Violation> {
    let plan = &schedule.plan;
    let mut violations = places(instance, plan, allow_unplaced);
    let whole = instance.rules().iter().filter(|rule| rule.instant().is_none());
    violations.extend(rules::broken(instance, plan, whole));
    violations.extend(starts(instance, schedule));
    violations.extend(releases(instance, schedule));
    violations.extend(deadlines(instance, schedule));
    violations.extend(precedence(instance, schedule));
    violations.extend(gangs(instance, schedule));
    violations.extend(as_one(instance, schedule));
    violations.extend(windows(instance, schedule));
    violations.extend(instants(instance, schedule));
    violations.extend(limits(instance, schedule));
    violations
}

fn wrong(instance: &Instance, code: &'static str, task: TaskId, detail: String) -> Violation {
    Violation::Time { code, task: instance.task_name(task).to_owned(), detail }
}

/// What has a node has a start, not before that of the plan, and the other way round; what runs
/// now starts at once.
fn starts(instance: &Instance, schedule: &Schedule) -> Vec<Violation> {
    let mut violations = Vec::new();
    for task in instance.task_ids() {
        let (node, start) = (schedule.plan.placement[task.index()], schedule.start[task.index()]);
        let detail = match (node, start) {
            (Some(_), None) => "has a node and no start".to_owned(),
            (None, Some(_)) => "has a start and no node".to_owned(),
            (Some(_), Some(start)) if start < 0 => format!("starts at {start} s"),
            (Some(_), Some(start)) if start > 0 && instance.runs_now(task) => {
                format!("runs now and is to start at {start} s")
            }
            _ => continue,
        };
        violations.push(wrong(instance, "start", task, detail));
    }
    violations
}

/// Nothing starts before it is released.
fn releases(instance: &Instance, schedule: &Schedule) -> Vec<Violation> {
    let early = schedule.runs(instance).filter(|run| run.start < instance.release(run.task));
    let detail = |run: &Run| {
        format!("starts at {} s and is released at {} s", run.start, instance.release(run.task))
    };
    early.map(|run| wrong(instance, "release", run.task, detail(&run))).collect()
}

/// Nothing ends after its deadline.
fn deadlines(instance: &Instance, schedule: &Schedule) -> Vec<Violation> {
    let late = schedule.runs(instance).filter_map(|run| {
        let deadline = instance.deadline(run.task).filter(|deadline| run.end > *deadline)?;
        let detail = format!("ends at {} s, its deadline is {deadline} s", run.end);
        Some(wrong(instance, "deadline", run.task, detail))
    });
    late.collect()
}

/// What comes after something starts when that has ended and the lag has passed; it does not
/// run when that does not.
fn precedence(instance: &Instance, schedule: &Schedule) -> Vec<Violation> {
    let mut violations = Vec::new();
    for run in schedule.runs(instance) {
        for (before, lag) in instance.after(run.task) {
            let name = instance.task_name(*before);
            let detail = match schedule.end(instance, *before) {
                None => format!("comes after `{name}`, which does not run"),
                Some(end) if run.start < end + lag => {
                    let lag = if *lag > 0 { format!(" plus {lag} s") } else { String::new() };
                    format!(
                        "starts at {} s and comes after `{name}`, which ends at {end} s{lag}",
                        run.start
                    )
                }
                Some(_) => continue,
            };
            violations.push(wrong(instance, "after", run.task, detail));
        }
    }
    violations
}

/// The units of a gang start at one second.
fn gangs(instance: &Instance, schedule: &Schedule) -> Vec<Violation> {
    let mut violations = Vec::new();
    for gang in instance.gangs() {
        let units = instance.units(gang.first).map(TaskId::from);
        let starts: Vec<(TaskId, i64)> =
            units.filter_map(|unit| Some((unit, schedule.start[unit.index()]?))).collect();
        let Some((first, start)) = starts.first() else { continue };
        if let Some((other, at)) = starts.iter().find(|(_, at)| at != start) {
            let first = instance.task_name(*first);
            let detail = format!("starts at {at} s and `{first}` of its gang at {start} s");
            violations.push(wrong(instance, "gang-start", *other, detail));
        }
    }
    violations
}

/// Gangs of several jobs that start as one do.
fn as_one(instance: &Instance, schedule: &Schedule) -> Vec<Violation> {
    let mut violations = Vec::new();
    for rule in instance.rules().iter().filter(|rule| rule.as_one) {
        let starts = rule.tasks.iter().filter_map(|t| Some((*t, schedule.start[t.index()]?)));
        let starts: Vec<(TaskId, i64)> = starts.collect();
        let Some((first, start)) = starts.first() else { continue };
        if let Some((other, at)) = starts.iter().find(|(_, at)| at != start) {
            let first = instance.task_name(*first);
            let name = &rule.name;
            let detail = format!("starts at {at} s and `{first}` of `{name}` at {start} s");
            violations.push(wrong(instance, "gang-start", *other, detail));
        }
    }
    violations
}

/// At no instant does what runs pass a limit: what runs is added up on each value, from start to
/// start and whenever the limit changes.
fn limits(instance: &Instance, schedule: &Schedule) -> Vec<Violation> {
    let mut violations = Vec::new();
    for rule in instance.rules() {
        let Some(limit) = rule.instant() else { continue };
        let counted = rules::counted(&schedule.plan, limit);
        let label = &instance.label_values()[rule.over as usize];
        let mut on: BTreeMap<u32, Vec<(i64, i128)>> = BTreeMap::new();
        for task in &rule.tasks {
            let (node, start) =
                (schedule.plan.placement[task.index()], schedule.start[task.index()]);
            let (Some(node), Some(start)) = (node, start) else { continue };
            let value = label.of[node.index()];
            let seen = limit.values.is_empty() || limit.values.contains(&value);
            if value == LabelValues::NONE || !seen {
                continue;
            }
            let adds = match &counted {
                Some(own) => own.get(task).copied().unwrap_or(0),
                None => 1,
            };
            let end = start + instance.duration_on(*task, node);
            on.entry(value).or_default().extend([(start, adds), (end, -adds)]);
        }
        for (value, mut changes) in on {
            changes.extend(limit.later.iter().map(|(from, _)| (*from, 0)));
            changes.sort_unstable();
            let mut sum = 0;
            for same in changes.chunk_by(|a, b| a.0 == b.0) {
                sum += same.iter().map(|(_, adds)| adds).sum::<i128>();
                let second = same[0].0;
                let passed = limit.later.iter().filter(|(from, _)| *from <= second);
                let most = passed.map(|(_, most)| *most).next_back().unwrap_or(limit.at_most);
                if sum > i128::from(most) {
                    let detail = rules::too_much(instance, rule, limit, (value, sum, most));
                    let (rule, ask) = (rule.name.clone(), rule.ask.to_string());
                    let violation = Box::new(Violation::Rule { rule, ask, detail });
                    violations.push(Violation::At { second, violation });
                    break;
                }
            }
        }
    }
    violations
}

/// Nothing runs on a node while it is closed.
fn windows(instance: &Instance, schedule: &Schedule) -> Vec<Violation> {
    let mut violations = Vec::new();
    for run in schedule.runs(instance) {
        let closed = instance.closed(run.node).iter();
        for (from, to) in closed.filter(|(from, to)| run.start < *to && *from < run.end) {
            let detail = format!(
                "runs from {} s to {} s on node `{}`, which is closed from {from} s to {to} s",
                run.start,
                run.end,
                instance.node_name(run.node)
            );
            violations.push(wrong(instance, "closed", run.task, detail));
        }
    }
    violations
}

/// At every instant at which something starts, every node holds what runs there as it would
/// hold a plan without times. Between starts things only end, so no other instant matters.
fn instants(instance: &Instance, schedule: &Schedule) -> Vec<Violation> {
    let mut on: Vec<Vec<Run>> = vec![Vec::new(); instance.nodes()];
    for run in schedule.runs(instance).filter(|run| run.start < run.end) {
        on[run.node.index()].push(run);
    }
    let mut violations = Vec::new();
    for (node, runs) in on.iter_mut().enumerate() {
        runs.sort_by_key(|run| run.start);
        let mut running: Vec<Run> = Vec::new();
        for same in runs.chunk_by(|a, b| a.start == b.start) {
            let now = same[0].start;
            running.retain(|run| run.end > now);
            running.extend_from_slice(same);
            let tasks: Vec<TaskId> = running.iter().map(|run| run.task).collect();
            let at = |violation| Violation::At { second: now, violation: Box::new(violation) };
            violations
                .extend(node_now(instance, schedule, (NodeId::from(node), now), &tasks).map(at));
        }
    }
    violations
}

fn node_now(
    instance: &Instance,
    schedule: &Schedule,
    (node, now): (NodeId, i64),
    tasks: &[TaskId],
) -> impl Iterator<Item = Violation> {
    let mut violations = node_limits(instance, node, tasks, &instance.used_at(node, now));
    violations.extend(cards::on_node(instance, &schedule.plan, node, tasks));
    violations.into_iter()
}
