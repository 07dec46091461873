//! Pending jobs: tasks, gangs over several nodes, and arrays of either.

use std::rc::Rc;

use super::cluster::{Cluster, Node, Pending};
use super::demand::{resources_of, shape};
use super::fields::At;
use super::owner::Owner;
use super::partition::{Entry, admitted};
use super::places::{requirement, switches};
use super::shape::Shape;
use super::times;
use super::waits::why_out;
use super::whose::owner;
use super::words::{MOST, numbers};
use base::error::Result;
use model::{Direction, TaskDraft};

/// A pending job: a task, a gang over several nodes, or an array of either.
pub(super) fn pending(cluster: &mut Cluster, at: &At) -> Result<()> {
    cluster.waiting += 1;
    let mut shape = shape(cluster, at)?;
    let partitions = at.words("partition")?;
    let owner = owner(cluster, at, &resources_of(at, "tres_req_str")?)?;
    let beyond = cluster.beyond(&owner, at.number("time_limit")?);
    let entry = match why_out(cluster, at, &owner)?.or(beyond) {
        Some(reason) => Entry::Out(reason),
        None => admitted(cluster, at, &partitions, &mut shape)?,
    };
    let partitions = match entry {
        Entry::Open(partitions) => partitions,
        Entry::Out(reason) => return cluster.leave_out(at, &reason),
    };
    let mut task =
        TaskDraft { priority: at.number("priority")?.unwrap_or(0), ..TaskDraft::default() };
    task.key = Some(at.text("name")?).filter(|name| cluster.named && !name.is_empty());
    task.duration = times::limit(cluster, at, &partitions)?;
    if task.duration.is_none() && !cluster.untimed {
        let cause = "the job has no time limit: planned as if it ran for a year, as Slurm's backfill takes it";
        cluster.warnings.assume(Direction::Either, at.path_of("time_limit"), cause);
        task.duration = Some(times::YEAR);
    }
    let wishes = times::wishes(cluster, at, &owner)?;
    let mut within = Vec::new();
    task.requires = requirement(cluster, at, &shape, &partitions, &mut within)?;
    if !shape.is_single() {
        switches(cluster, at, &mut shape, &mut within)?;
    }
    not_planned(cluster, at, &shape, &owner)?;
    let owner = Rc::new(owner);
    for id in ids(cluster, at)? {
        if cluster.pending.len() >= MOST {
            cluster.fatal = Some(at.error(format!("more than {MOST} tasks are pending")));
            return Ok(());
        }
        if !cluster.ids.insert(id.clone()) {
            let error = at.error(format!("the job `{id}` appears twice"));
            cluster.fatal = Some(error.help("give one dump of the jobs"));
            return Ok(());
        }
        cluster.times.waits(at, &id, cluster.pending.len())?;
        let task = TaskDraft { id, ..task.clone() };
        let (shape, partitions, wishes) = (shape.clone(), partitions.clone(), wishes.clone());
        let (within, owner) = (within.clone(), owner.clone());
        cluster.pending.push(Pending { task, shape, within, partitions, wishes, owner });
    }
    Ok(())
}

impl Cluster {
    /// A pending job that cannot start, whatever room there is.
    pub(super) fn leave_out(&mut self, at: &At, reason: &str) -> Result<()> {
        self.times.over(at)?;
        let id = at.number("job_id")?.map_or_else(|| "?".to_owned(), |id| id.to_string());
        match self.out.iter_mut().find(|(known, _)| known == reason) {
            Some((_, list)) => list.push(id),
            None => self.out.push((reason.to_owned(), vec![id])),
        }
        Ok(())
    }
}

/// The job's id as `scontrol` takes it, `123` or `123_4`; one for each task of an array.
fn ids(cluster: &mut Cluster, at: &At) -> Result<Vec<String>> {
    let job = at.number("job_id")?.filter(|id| *id > 0);
    let array = at.number("array_job_id")?.filter(|id| *id > 0);
    if let (Some(array), Some(task)) = (array, at.number("array_task_id")?) {
        return Ok(vec![format!("{array}_{task}")]);
    }
    let text = at.text("array_task_string")?;
    if let (Some(array), false) = (array.or(job), text.is_empty()) {
        let list = text.split('%').next().unwrap_or(&text);
        let (list, cut) = match list.split_once(",...").or(list.split_once("...")) {
            Some((list, _)) => (list, true),
            None => (list, false),
        };
        if cut {
            let cause = "the list of the array's tasks is cut short: the rest is left out";
            cluster.warnings.assume(Direction::Wider, at.path_of("array_task_string"), cause);
        }
        let list = list.trim().trim_start_matches('[').trim_end_matches(']');
        let tasks = numbers(list, MOST).map_err(|cause| at.wrong("array_task_string", cause))?;
        return Ok(tasks.iter().map(|task| format!("{array}_{task}")).collect());
    }
    match job {
        Some(job) => Ok(vec![job.to_string()]),
        None => match at.text("name")? {
            name if name.is_empty() => Err(at.error("the job has neither `job_id` nor `name`")),
            name => Ok(vec![name]),
        },
    }
}

/// What would matter and is not planned with.
fn not_planned(cluster: &mut Cluster, at: &At, shape: &Shape, owner: &Owner) -> Result<()> {
    let warnings = &mut cluster.warnings;
    if owner.licences.keys().any(|name| !cluster.licences.contains_key(name)) {
        let cause = "how many licences there are is not said: add `scontrol show licenses --json`";
        warnings.assume(Direction::Wider, at.path_of("licenses"), cause);
    }
    for (key, errs, cause) in [
        ("burst_buffer", Direction::Wider, "burst buffers are not planned with"),
        (
            "batch_features",
            Direction::Wider,
            "the constraint on the first node is not planned with",
        ),
    ] {
        if !at.text(key)?.is_empty() {
            warnings.assume(errs, at.path_of(key), cause);
        }
    }
    let named = |node: &Node| owner.reservations.contains(&node.reservation);
    if !owner.reservations.is_empty() && !cluster.reserves(owner) {
        let cause = match cluster.nodes.iter().any(named) {
            true => {
                "which nodes are kept for the reservation is known for now: add `scontrol show reservation --json`"
            }
            false => {
                "which nodes are kept for the reservation is not said: add `scontrol show reservation --json`"
            }
        };
        cluster.warnings.assume(Direction::Either, at.path_of("resv_name"), cause);
    }
    if owner.reservations.len() > 1 {
        let cause = "the job may run in several reservations: one is planned with";
        cluster.warnings.assume(Direction::Narrower, at.path_of("resv_name"), cause);
    }
    let warnings = &mut cluster.warnings;
    for (key, cause) in [
        ("cores_per_socket", "cores by socket are not planned with"),
        ("tasks_per_socket", "tasks by socket are not planned with"),
        ("tasks_per_board", "tasks by board are not planned with"),
        ("core_spec", "specialised cores are not planned with"),
    ] {
        if at.number(key)?.is_some_and(|number| number > 0 && number < 0x7ffe) {
            warnings.assume(Direction::Wider, at.path_of(key), cause);
        }
    }
    let sockets = at.number("sockets_per_node")?.is_some_and(|own| own > 1 && own < 0x7ffe);
    if sockets && at.text("tres_per_socket")?.is_empty() {
        let cause = "sockets by node are not planned with";
        warnings.assume(Direction::Wider, at.path_of("sockets_per_node"), cause);
    }
    if at.flag("contiguous") && !shape.is_single() {
        let cause = "contiguous nodes are not planned with";
        warnings.assume(Direction::Wider, at.path_of("contiguous"), cause);
    }
    Ok(())
}
