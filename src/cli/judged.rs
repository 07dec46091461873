//! Plans from files, judged before anything is built on them.

use std::collections::HashSet;

use super::output::say;
use base::error::{Error, Result};
use formats::{Source, read_plan};
use judge::check::{Verdict, Violation, check_claim, check_plan};
use model::{ClaimedPlacement, Instance, Plan, Schedule};
use plan::replan::today;

/// Refuses what knows nothing of time.
pub(super) fn without_time(instance: &Instance, what: &str) -> Result<()> {
    if !instance.is_timed() {
        return Ok(());
    }
    let cause = format!("the goal `{}` is about time, and {what} is not", instance.goal());
    Err(Error::usage(cause).help("choose another goal, such as --goal peak, or use `solve`"))
}

/// A plan that keeps all rules, in time where it is about that.
pub(super) struct Judged {
    pub(super) plan: Plan,
    pub(super) schedule: Option<Schedule>,
}

/// Reads a plan for the instance; `None`, with the reasons on standard error, when it breaks rules.
pub(super) fn judged(file: &Source, instance: &Instance) -> Result<Option<Judged>> {
    accepted(check_claim(instance, &read_plan(file, instance)?))
}

/// The same whatever the plan says it is worth: it may have been made when nodes were being drained.
pub(super) fn judged_places(file: &Source, instance: &Instance) -> Result<Option<Judged>> {
    accepted_places(check_claim(instance, &read_plan(file, instance)?))
}

fn accepted_places(mut verdict: Verdict) -> Result<Option<Judged>> {
    let of_worth = |violation: &Violation| {
        matches!(violation, Violation::Value { .. } | Violation::Tier { .. })
    };
    verdict.violations.retain(|violation| !of_worth(violation));
    accepted(verdict)
}

fn accepted(verdict: Verdict) -> Result<Option<Judged>> {
    for violation in &verdict.violations {
        say(&format!("{}: {violation}", violation.code()));
    }
    if !verdict.violations.is_empty() {
        say("the plan breaks rules: `stowplan check` has the whole list");
        return Ok(None);
    }
    Ok(Some(Judged { plan: verdict.plan, schedule: verdict.schedule }))
}

/// The same of a plan for what runs too: what it does not speak of stays where it is.
pub(super) fn judged_running(file: &Source, instance: &Instance) -> Result<Option<Plan>> {
    let mut claim = read_plan(file, instance)?;
    let said: HashSet<String> = (claim.assignments.iter().map(|place| place.task.clone()))
        .chain(claim.unplaced.iter().map(|(task, _)| task.clone()))
        .collect();
    for (task, node) in today(instance).placements() {
        let name = instance.job_name(task);
        if !said.contains(name) {
            let node = instance.node_name(node).to_owned();
            let place = ClaimedPlacement { task: name.to_owned(), node, ..Default::default() };
            claim.assignments.push(place);
        }
    }
    places_only(instance, accepted_places(check_claim(instance, &claim))?)
}

/// For what only asks where tasks are.
fn places_only(instance: &Instance, judged: Option<Judged>) -> Result<Option<Plan>> {
    let Some(Judged { plan, schedule }) = judged else { return Ok(None) };
    // What holds one after the other need not hold at once.
    let broken = if schedule.is_some() { check_plan(instance, &plan, true) } else { Vec::new() };
    let Some(violation) = broken.first() else { return Ok(Some(plan)) };
    say(&format!("{}: {violation}", violation.code()));
    say("the plan holds in time only, with its starts");
    Ok(None)
}
