//! Why Slurm keeps a pending job waiting, where room would not help.

use super::cluster::Cluster;
use super::fields::At;
use super::owner::Owner;
use base::error::Result;

/// Reasons that are about room or the queue, or that times and rules say: such jobs are planned.
const PLANNED: [&str; 22] = [
    "",
    "None",
    "Priority",
    "Resources",
    "Dependency",
    "BeginTime",
    "Licenses",
    "Reservation",
    "JobArrayTaskLimit",
    "ReqNodeNotAvail",
    "NodeDown",
    "Nodes_required_for_job_are_DOWN,_DRAINED_or_reserved_for_jobs_in_higher_priority_partitions",
    "Prolog",
    "Cleaning",
    "BackfillInterval",
    "SchedDefer",
    "Deadline",
    "DeadLine",
    "BurstBufferResources",
    "BurstBufferStageIn",
    "FrontEndDown",
    "MaxPowerAvail",
];

/// Beginnings of reasons with which no job starts before somebody changes something, or before
/// limits that are not read here let it.
const OUT: [&str; 26] = [
    "JobHeld",
    "JobHold",
    "launch failed",
    "launch_failed",
    "held state",
    "SpecialExit",
    "DependencyNeverSatisfied",
    "BadConstraints",
    "Invalid",
    "Partition",
    "QOS",
    "Assoc",
    "Account",
    "User",
    "Group",
    "MaxJobs",
    "MaxNodes",
    "MaxTime",
    "MaxMem",
    "MaxCpu",
    "MaxGRES",
    "MaxTRES",
    "MaxBilling",
    "ReservationDeleted",
    "NonZeroExitCode",
    "FedJobLock",
];

/// Beginnings of those reasons that are about something else than room and turn.
const BLOCKED: [&str; 7] = [
    "Dependency",
    "BeginTime",
    "Licenses",
    "Reservation",
    "JobArrayTaskLimit",
    "BurstBuffer",
    "Deadline",
];

/// Whether the reason is about what a limit of the plan says.
fn is_planned(cluster: &Cluster, owner: &Owner, reason: &str) -> bool {
    let known = |name: &String| cluster.licences.contains_key(name);
    match reason {
        "Licenses" => !owner.licences.is_empty() && owner.licences.keys().all(known),
        "JobArrayTaskLimit" => owner.at_once.is_some(),
        "Reservation" => cluster.reserves(owner),
        _ => false,
    }
}

/// What Slurm says that a pending job waits for, if that is neither room nor its turn.
pub(super) fn blocked(cluster: &Cluster, at: &At, owner: &Owner) -> Result<Option<String>> {
    let reason = at.text("state_reason")?;
    let blocked = BLOCKED.iter().any(|begin| reason.starts_with(begin));
    Ok(Some(reason).filter(|reason| blocked && !is_planned(cluster, owner, reason)))
}

/// Why the job cannot start whatever room there is; `None` where it may.
pub(super) fn why_out(cluster: &Cluster, at: &At, owner: &Owner) -> Result<Option<String>> {
    let reason = at.text("state_reason")?;
    let held = at.words("job_state")?.iter().any(|state| {
        ["REQUEUE_HOLD", "SPECIAL_EXIT"].contains(&state.to_ascii_uppercase().as_str())
    });
    let plain = PLANNED.contains(&reason.as_str()) || reason.starts_with("ReqNodeNotAvail");
    let known = cluster.knows(owner, &reason);
    if !plain && !known && OUT.iter().any(|begin| reason.starts_with(begin)) {
        return Ok(Some(format!("Slurm says {reason}")));
    }
    Ok(match (held, at.flag("hold")) {
        (true, _) => Some("it is held after it was requeued".to_owned()),
        (false, true) => Some("it is held".to_owned()),
        (false, false) => None,
    })
}
