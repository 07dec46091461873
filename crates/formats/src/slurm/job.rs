//! Jobs: pending ones are tasks, those that hold nodes are load on them, finished ones are nothing.

use super::amounts::Amounts;
use super::cluster::Cluster;
use super::demand::resources_of;
use super::fields::At;
use super::owner::Running;
use super::pending::pending;
use super::shape::{share, shares};
use super::whose::owner;
use super::words::{gres, hosts};
use base::error::Result;
use model::Direction;

/// What a job's state means.
enum Phase {
    Pending,
    Holds,
    Over,
}

/// An entry of `jobs`.
pub(super) fn read(cluster: &mut Cluster, at: &At) -> Result<()> {
    let states = at.words("job_state")?;
    match phase(cluster, at, &states) {
        Phase::Pending => pending(cluster, at),
        Phase::Holds => holds(cluster, at, &states),
        Phase::Over => cluster.times.over(at),
    }
}

/// Whether the job is said to be pending.
pub(super) fn waits(at: &At) -> bool {
    at.words("job_state").is_ok_and(|states| states.iter().any(|state| state == "PENDING"))
}

fn phase(cluster: &mut Cluster, at: &At, states: &[String]) -> Phase {
    let (mut waits, mut holds) = (false, false);
    for state in states {
        match state.to_ascii_uppercase().as_str() {
            "PENDING" | "REQUEUED" | "REQUEUE_HOLD" | "REQUEUE_FED" | "SPECIAL_EXIT" => {
                waits = true
            }
            "RUNNING" | "SUSPENDED" | "COMPLETING" | "CONFIGURING" | "RESIZING" | "SIGNALING"
            | "STAGE_OUT" | "STOPPED" | "POWER_UP_NODE" | "UPDATE_DB" | "LAUNCH_FAILED" => {
                holds = true;
            }
            "COMPLETED" | "CANCELLED" | "FAILED" | "TIMEOUT" | "NODE_FAIL" | "PREEMPTED"
            | "BOOT_FAIL" | "DEADLINE" | "OUT_OF_MEMORY" | "REVOKED" | "RECONFIG_FAIL" => {}
            _ => {
                let cause = format!("the state `{state}` is not known: such jobs are left out");
                cluster.warnings.add(at.path_of("job_state"), cause);
            }
        }
    }
    match (waits, holds) {
        (true, _) => Phase::Pending,
        (false, true) => Phase::Holds,
        (false, false) => {
            if states.is_empty() {
                let cause = "the state is missing: such jobs are left out";
                cluster.warnings.add(at.path_of("job_state"), cause);
            }
            Phase::Over
        }
    }
}

/// What a running job holds of its nodes.
fn holds(cluster: &mut Cluster, at: &At, states: &[String]) -> Result<()> {
    let end = cluster.times.runs(at, states)?;
    let names = hosts(&at.text("nodes")?).map_err(|cause| at.wrong("nodes", cause))?;
    if names.is_empty() {
        let cause = "a job that runs names no nodes: it is left out";
        cluster.warnings.assume(Direction::Wider, at.path_of("nodes"), cause);
        return Ok(());
    }
    let total = resources_of(at, "tres_alloc_str")?;
    let owner = owner(cluster, at, &total)?;
    cluster.running.push(Running { owner, end });
    let n = names.len() as i64;
    let parts = allocations(at, cluster.threads())?;
    let detail = at.words("gres_detail")?;
    for (k, name) in names.iter().enumerate() {
        let mut own = Amounts {
            cpu: share(total.cpu.unwrap_or(0), n),
            memory: share(total.memory.unwrap_or(0), n),
            ..Amounts::default()
        };
        let named = parts.iter().find(|part| part.0.as_ref() == Some(name));
        if let Some((_, cpu, memory)) = named.or(parts.get(k).filter(|part| part.0.is_none())) {
            own.cpu = cpu.unwrap_or(own.cpu);
            own.memory = memory.unwrap_or(own.memory);
        }
        match detail.get(k).filter(|_| detail.len() == names.len()) {
            Some(text) => {
                own.add_gres(&gres(text).map_err(|cause| at.wrong("gres_detail", cause))?);
            }
            None => own.add_gres(&shares(&total.gres, n)),
        }
        match cluster.at.get(name) {
            Some(node) => {
                let node = &mut cluster.nodes[*node];
                node.held.add(&own);
                node.ending.extend(end.map(|end| (end, own)));
            }
            None => {
                let cause = "the job runs on a node that is not in the dump: left out there";
                cluster.warnings.add(at.path_of("nodes"), cause);
            }
        }
    }
    Ok(())
}

/// Cores that are allocated on a node, where they are listed by socket.
fn cores(part: &At) -> Result<Option<i64>> {
    let mut count = 0;
    for socket in part.list("sockets")? {
        let Some(cores) = socket.get("cores") else { continue };
        for core in cores.entries()? {
            count += i64::from(core.is_text("allocated"));
        }
    }
    Ok(Some(count).filter(|count| *count > 0))
}

/// CPUs and MiB by node, as far as the job says: by name, or in order of its nodes.
type Allocation = (Option<String>, Option<i64>, Option<i64>);

fn allocations(at: &At, threads: i64) -> Result<Vec<Allocation>> {
    let Some(resources) = at.get("job_resources").filter(At::is_object) else {
        return Ok(Vec::new());
    };
    let later = resources.get("nodes").filter(At::is_object);
    let list = match &later {
        Some(nodes) => nodes.list("allocation")?,
        None => resources.list("allocated_nodes")?,
    };
    let mut parts = Vec::with_capacity(list.len());
    for part in &list {
        let mut name = part.text("name")?;
        if name.is_empty() {
            name = part.text("nodename")?;
        }
        let (cpus, memory) = match (part.get("cpus"), part.get("memory")) {
            (Some(cpus), Some(memory)) if cpus.is_object() && memory.is_object() => {
                (cpus.number("count")?, memory.number("allocated")?)
            }
            (Some(_), Some(_)) => (part.number("cpus")?, part.number("memory")?),
            _ => {
                // Some versions write 0 here, and list the cores.
                let own = part.number("cpus_used")?.filter(|cpus| *cpus > 0);
                let cpus = if own.is_some() { own } else { cores(part)?.map(|own| own * threads) };
                (cpus, part.number("memory_allocated")?)
            }
        };
        parts.push(((!name.is_empty()).then_some(name), cpus, memory));
    }
    Ok(parts)
}
