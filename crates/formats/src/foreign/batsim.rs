//! Batsim's workloads: jobs that want so many of `nb_res` equal machines, with profiles.

use serde_json::Value;

use super::super::json_error;
use super::super::source::Text;
use super::item::Item;
use super::pool::{Pool, units};
use base::error::Result;
use model::{CENTURY, Decimal, Direction, Draft, NodeDraft, TaskDraft, Term, When};

/// Most machines.
const MOST: i64 = 100_000;

/// Seconds, rounded up; times may have a point.
fn seconds(item: &Item, key: &str) -> Result<Option<i64>> {
    let Some(own) = item.get(key) else { return Ok(None) };
    let value = own.value.as_f64();
    if value.is_some_and(|value| value < 0.0) {
        return Ok(None);
    }
    let value = value.filter(|value| *value <= CENTURY as f64).map(|value| value.ceil() as i64);
    value.map(Some).ok_or_else(|| own.error("this is no number of seconds up to a century"))
}

/// Reads a workload.
///
/// # Errors
/// What is none, jobs whose profile is not there and that have no walltime, no jobs.
pub(super) fn read(source: Text) -> Result<Draft> {
    let document: Value = json_error::parse(source)?;
    let root = Item::root(source, &document);
    let mut pool = Pool::new(&["machine"]);
    let count = root.whole("nb_res")?.filter(|count| (1..=MOST).contains(count));
    let count = count.ok_or_else(|| {
        root.wrong("nb_res", format!("the number of machines is missing, or not from 1 to {MOST}"))
    })?;
    for k in 0..count {
        let capacity = vec![(0, Decimal::ONE)];
        pool.draft.nodes.push(NodeDraft {
            id: format!("host{k}"),
            capacity,
            ..NodeDraft::default()
        });
    }
    for job in root.list("jobs")? {
        let id = job.text("id")?;
        let want = job.whole("res")?.filter(|want| (1..=MOST).contains(want));
        let want = want
            .ok_or_else(|| job.wrong("res", "the number of machines is missing, or not from 1"))?;
        let profile = root.get("profiles").and_then(|all| {
            let name = job.text("profile").ok()?;
            let value = all.value.get(&name)?;
            Some(Item { source, path: format!("profiles.{name}"), value })
        });
        let limit = seconds(&job, "walltime")?;
        let delay = match &profile {
            Some(profile) if profile.text("type")?.starts_with("delay") => {
                seconds(profile, "delay")?
            }
            _ => None,
        };
        if delay.is_none() && limit.is_some() {
            let cause =
                "how long a job computes and sends is not simulated: it runs for its walltime";
            pool.assume(Direction::Narrower, job.place(), cause);
        }
        let duration = match (delay, limit) {
            (Some(delay), Some(limit)) => delay.min(limit),
            (Some(own), None) | (None, Some(own)) => own,
            (None, None) => {
                let error =
                    job.error("the job has neither a walltime nor a profile of the type `delay`");
                return Err(error.help("give it a walltime"));
            }
        };
        let release = seconds(&job, "subtime")?.map(When::In);
        let mut task = TaskDraft {
            id,
            demand: vec![(0, Decimal::ONE)],
            duration: Some(duration),
            release,
            ..TaskDraft::default()
        };
        units(&mut task, want as u32, true);
        pool.draft.tasks.push(task);
    }
    pool.timed(Term::Wait);
    pool.finish(&[source], "nb_res", "jobs")
}
