//! Plans of the parts as one plan of the whole.

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::split;
use base::error::{Error, Kind, Result};
use formats::{Input, Part, Source, digest, read_instance, write_part};
use judge::check::check_claim;
use model::{Claim, Instance, NodeId, Plan, TaskId};

/// A plan that somebody made of a part.
#[derive(Clone, Debug)]
pub struct PartPlan {
    /// The file it came in.
    pub name: String,
    /// What the file says.
    pub claim: Claim,
}

/// One plan out of the plans of all parts of one split, in any order. It keeps every rule
/// that holds within a part; what looks beyond (an even spread over values that other parts
/// have too) is for the solver that starts from it.
///
/// # Errors
/// An instance that cannot be split into that many parts; plans that do not say what
/// they are for, or that are for something else; two plans of one part, none of another;
/// a plan that breaks a rule of its part.
pub fn join(instance: &Instance, plans: &[PartPlan]) -> Result<Plan> {
    let parts = split(instance, plans.len()).map_err(|error| {
        let cause = format!("{} plans are no plans of parts: {}", plans.len(), error.cause);
        Error::usage(cause).help("name the plan of every part, each once")
    })?;
    let parts: Vec<(Part, Instance)> = parts
        .into_par_iter()
        .map(|part| as_read(instance, &part).map(|own| (part, own)))
        .collect::<Result<_>>()?;
    let digests: Vec<String> = parts.par_iter().map(|(_, own)| digest(own)).collect();
    let order = assign(instance, plans, &digests)?;
    let width = instance.devices().len();
    let mut whole = Plan::empty(instance.tasks());
    whole.cards = vec![0; instance.tasks() * width];
    for (plan, at) in plans.iter().zip(order) {
        let (part, own) = &parts[at];
        let verdict = check_claim(own, &plan.claim);
        if let Some(violation) = verdict.violations.first() {
            let cause = format!("this plan of part {at} breaks a rule: {violation}");
            return Err(Error::input(&plan.name, cause).help("`stowplan check` says all of it"));
        }
        let nodes: Vec<NodeId> =
            instance.node_ids().filter(|node| part.nodes[node.index()]).collect();
        let tasks = instance.task_ids().filter(|task| part.tasks[task.index()]);
        for (task, own) in tasks.zip(own.task_ids()) {
            let node = verdict.plan.placement[own.index()];
            whole.placement[task.index()] = node.map(|node| nodes[node.index()]);
            let cards = |task: TaskId| task.index() * width..(task.index() + 1) * width;
            if let Some(row) = verdict.plan.cards.get(cards(own)) {
                whole.cards[cards(task)].copy_from_slice(row);
            }
        }
    }
    Ok(whole)
}

/// The part as whoever solves it reads it.
fn as_read(instance: &Instance, part: &Part) -> Result<Instance> {
    let mut bytes = Vec::new();
    write_part(instance, part, &mut bytes)?;
    read_instance(&Input::One(Source { name: "part".to_owned(), bytes }), None)
}

/// Which part each plan is of.
fn assign(instance: &Instance, plans: &[PartPlan], digests: &[String]) -> Result<Vec<usize>> {
    let mut seen: FxHashMap<&str, &str> = FxHashMap::default();
    let mut order = Vec::with_capacity(plans.len());
    let mut stranger = None;
    for plan in plans {
        let Some(made_for) = plan.claim.digest.as_deref() else {
            let cause = "this plan does not say which instance it is for";
            return Err(Error::input(&plan.name, cause).help("write it with --output json"));
        };
        if let Some(other) = seen.insert(made_for, &plan.name) {
            let cause = format!("this plan and `{other}` are for the same part");
            return Err(Error::input(&plan.name, cause).help("name one plan of every part"));
        }
        match digests.iter().position(|digest| digest == made_for) {
            Some(part) => order.push(part),
            None => stranger = stranger.or(Some(plan)),
        }
    }
    stranger.map_or(Ok(order), |stranger| Err(why(instance, plans, stranger)))
}

/// Why a plan is of none of the parts.
fn why(instance: &Instance, plans: &[PartPlan], stranger: &PartPlan) -> Error {
    let jobs: FxHashSet<&str> = instance.jobs().map(|job| instance.job_name(job)).collect();
    let mut named = FxHashSet::default();
    for plan in plans {
        let unplaced = plan.claim.unplaced.iter().map(|(task, _)| task.as_str());
        let placed = plan.claim.assignments.iter().map(|entry| entry.task.as_str());
        let mut own: Vec<&str> = placed.chain(unplaced).collect();
        own.sort_unstable();
        own.dedup();
        for task in own {
            if !jobs.contains(task) {
                let cause = format!("this plan is for another instance: there is no task `{task}`");
                return Error::input(&plan.name, cause).help("name plans of this instance's parts");
            }
            if !named.insert(task) {
                let cause = format!("task `{task}` is in another of these plans too");
                let remedy = "the plans are of different splits: name those of one";
                return Error::input(&plan.name, cause).help(remedy);
            }
        }
    }
    if named.len() < jobs.len() {
        let missing = instance.jobs().map(|job| instance.job_name(job));
        let first = missing.into_iter().find(|job| !named.contains(job)).unwrap_or_default();
        let cause = format!(
            "the {} plans say nothing of {} of {} tasks, `{first}` the first",
            plans.len(),
            jobs.len() - named.len(),
            jobs.len()
        );
        return Error::new(Kind::Input, cause).help("the plan of a part is missing: name them all");
    }
    let cause = format!("this plan is for none of the {} parts of this instance", plans.len());
    Error::input(&stranger.name, cause).help(
        "the instance is not what it was when it was split, or was split with other options or by another version: split it again",
    )
}
