//! Plans as CSV: a row a task.

use std::collections::BTreeMap;

use super::Report;
use super::csv::rows;
use super::json::card_numbers;
use formats::guarded;
use model::TaskId;

/// `task,node,reason,detail`, `devices` where resources come in cards, and `standby` (with
/// `standby_devices`) where tasks have any: the node is empty where a task stays unplaced. Of plans in
/// time also `start` and `end`, rows by node and start: each node's timeline.
pub fn plan_csv(report: &Report) -> String {
    let (instance, outcome) = (report.instance, report.outcome);
    let cards = !instance.devices().is_empty();
    // In instance order, as are the rows that have one.
    let mut reasons = outcome.unplaced.iter().peekable();
    let mut header = ["task", "node", "reason", "detail"].map(str::to_owned).to_vec();
    header.extend(cards.then(|| "devices".to_owned()));
    let standbys = !outcome.standbys.is_empty();
    header.extend(standbys.then(|| "standby".to_owned()));
    header.extend((standbys && cards).then(|| "standby_devices".to_owned()));
    let schedule = report.schedule.as_ref();
    let mut tasks: Vec<TaskId> = instance.task_ids().collect();
    if let Some(schedule) = schedule {
        header.extend(["start", "end"].map(str::to_owned));
        let at =
            |task: &TaskId| (outcome.plan.placement[task.index()], schedule.start[task.index()]);
        // What is left out comes last.
        tasks.sort_by_key(|task| (at(task).0.is_none(), at(task), *task));
    }
    let body = tasks.into_iter().map(|task| {
        let mut row = vec![guarded(instance.task_name(task))];
        let node = outcome.plan.placement[task.index()];
        row.push(node.map_or_else(String::new, |node| guarded(instance.node_name(node))));
        match reasons.next_if(|unplaced| unplaced.task == task) {
            Some(why) => row.extend([why.reason.to_owned(), guarded(&why.detail)]),
            None => row.extend([String::new(), String::new()]),
        }
        row.extend(cards.then(|| guarded(&devices(report, task))));
        if standbys {
            let standby = outcome.standby(task);
            let node = standby.map_or("", |standby| instance.node_name(standby.node));
            row.push(guarded(node));
            let kept = || card_numbers(instance, standby.map_or(&[], |standby| &standby.cards));
            row.extend(cards.then(|| guarded(&listed(kept()))));
        }
        if let Some(schedule) = schedule {
            let times = [schedule.start[task.index()], schedule.end(instance, task)];
            row.extend(times.map(|at| at.map_or_else(String::new, |at| at.to_string())));
        }
        row
    });
    rows(std::iter::once(header).chain(body))
}

/// `gpu=0|3`
pub(super) fn devices(report: &Report, task: TaskId) -> String {
    listed(super::plan_json::cards(report.instance, &report.outcome.plan, task))
}

fn listed(parts: BTreeMap<String, Vec<u32>>) -> String {
    let part = |(name, numbers): (String, Vec<u32>)| {
        let numbers: Vec<String> = numbers.iter().map(u32::to_string).collect();
        format!("{name}={}", numbers.join("|"))
    };
    parts.into_iter().map(part).collect::<Vec<_>>().join(";")
}
