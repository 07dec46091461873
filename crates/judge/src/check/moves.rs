//! Whether moves can be made in the order in which they are listed: every wave afresh.

use std::collections::BTreeSet;

use super::{Violation, pins, requirements, rules, states};
use crate::metrics::loads;
use model::{Instance, Move, Plan, Rule, Step, TaskId};

/// Checks waves of moves that lead from `start` towards `end`: while the moves of a wave are
/// made, in any order, what moves takes room on both nodes; a node that a task comes to has room
/// for it, takes it, and takes so many; no step breaks a rule between tasks that held before.
/// Tasks in `open` need not have arrived. Which cards tasks get is not part of a move.
pub fn check_moves(
    instance: &Instance,
    start: &Plan,
    waves: &[Vec<Step>],
    end: &Plan,
    open: &[Move],
) -> Vec<Violation> {
    let mut now = Plan { placement: start.placement.clone(), cards: Vec::new() };
    let mut violations = Vec::new();
    for (k, wave) in waves.iter().enumerate() {
        let mut say = |detail: String| violations.push(Violation::Move { wave: k + 1, detail });
        disruptions(instance, wave, &mut say);
        arrivals(instance, &now, wave, &mut say);
        for step in wave {
            make(instance, &mut now, step, &mut say);
        }
    }
    let open: BTreeSet<TaskId> = open.iter().map(|m| m.task).collect();
    for task in instance.task_ids() {
        let (is, should) = (now.placement[task.index()], end.placement[task.index()]);
        if is != should && !open.contains(&task) {
            let name = |node| match node {
                Some(node) => format!("on `{}`", instance.node_name(node)),
                None => "nowhere".to_owned(),
            };
            let task = instance.task_name(task);
            let detail = format!("in the end `{task}` is {}, not {}", name(is), name(should));
            violations.push(Violation::Move { wave: waves.len(), detail });
        }
    }
    violations
}

/// No budget has more of its tasks on their way than it allows.
fn disruptions(instance: &Instance, wave: &[Step], say: &mut dyn FnMut(String)) {
    for budget in instance.budgets() {
        let own = |m: &&Move| m.from.is_some() && budget.tasks.binary_search(&m.task).is_ok();
        let many = wave.iter().flatten().filter(own).count();
        if many > budget.at_once as usize {
            say(format!(
                "{many} tasks of the budget `{}` move at once, {} may",
                budget.name, budget.at_once
            ));
        }
    }
}

/// Room for what comes beside what is there and what has not left yet.
fn arrivals(instance: &Instance, now: &Plan, wave: &[Step], say: &mut dyn FnMut(String)) {
    let width = instance.resources().len();
    let mut load = loads(instance, now);
    let mut count = vec![0u64; instance.nodes()];
    now.placements().for_each(|(_, node)| count[node.index()] += 1);
    let mut coming = Plan::empty(instance.tasks());
    for Move { task, to, .. } in wave.iter().flatten() {
        let Some(to) = *to else { continue };
        coming.placement[task.index()] = Some(to);
        count[to.index()] += 1;
        let row = &mut load[to.index() * width..(to.index() + 1) * width];
        row.iter_mut()
            .zip(instance.demand_on(*task, to))
            .for_each(|(load, demand)| *load += demand);
    }
    for (task, to) in coming.placements() {
        let (name, node) = (instance.task_name(task), instance.node_name(to));
        let own = instance.resources().iter().zip(instance.demand_on(task, to)).enumerate();
        for (r, (resource, demand)) in own {
            let over = load[to.index() * width + r] - instance.limit(to)[r];
            if *demand > 0 && over > 0 {
                let over = resource.show(over);
                say(format!("`{name}` comes to `{node}`, which lacks {over} {}", resource.name));
            }
        }
        if count[to.index()] > u64::from(instance.max_tasks(to)) {
            say(format!("`{name}` comes to `{node}`, which takes no more tasks"));
        }
    }
    let refused = states(instance, coming.placements()).into_iter();
    let refused = refused.chain(pins(instance, coming.placements()));
    refused
        .chain(requirements(instance, coming.placements()))
        .for_each(|violation| say(violation.to_string()));
}

/// Makes the moves of a step; rules that held before hold after it.
fn make(instance: &Instance, now: &mut Plan, step: &[Move], say: &mut dyn FnMut(String)) {
    let of = |m: &Move| instance.rules_of(m.task).iter().map(|(rule, _)| *rule as usize);
    let touched: BTreeSet<usize> = step.iter().flat_map(of).collect();
    let touched: Vec<&Rule> = touched.into_iter().map(|rule| &instance.rules()[rule]).collect();
    let held: Vec<bool> =
        touched.iter().map(|rule| rules::wrong(instance, now, rule).is_none()).collect();
    for m in step {
        if now.placement[m.task.index()] != m.from {
            say(format!("`{}` is not where it is to leave", instance.task_name(m.task)));
        }
        now.placement[m.task.index()] = m.to;
    }
    for (rule, _) in touched.iter().zip(held).filter(|(_, held)| *held) {
        if let Some(detail) = rules::wrong(instance, now, rule) {
            say(format!("rule `{}`: {detail}", rule.name));
        }
    }
}
