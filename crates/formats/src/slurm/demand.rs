//! What a pending job's fields say of its tasks, nodes, resources and memory.

use super::amounts::Amounts;
use super::cluster::Cluster;
use super::fields::At;
use super::node::{feature_names, memory};
use super::shape::{Shape, share, shares};
use super::words::{Gres, MOST, Tres, gres, tres};
use base::error::Result;
use model::Direction;

/// What all of a job takes: as the field says, else as it asked.
pub(super) fn resources_of(at: &At, key: &str) -> Result<Tres> {
    let text = at.text(key)?;
    let (key, text) =
        if text.is_empty() { ("tres_req_str", at.text("tres_req_str")?) } else { (key, text) };
    let mut total = tres(&text).map_err(|cause| at.wrong(key, cause))?;
    if total.cpu.is_none() {
        total.cpu = at.number("cpus")?;
    }
    Ok(total)
}

/// A number that says something.
pub(super) fn set(at: &At, key: &str) -> Result<Option<i64>> {
    Ok(at.number(key)?.filter(|number| (1..65_534).contains(number)))
}

/// Reads what a pending job asks.
pub(super) fn shape(cluster: &mut Cluster, at: &At) -> Result<Shape> {
    let total = resources_of(at, "tres_req_str")?;
    // The least is what was asked for; `node_count` of some versions is what the job would get.
    let count = at.number("node_count")?;
    let least = total.nodes.into_iter().chain(count).min().unwrap_or(1).max(1);
    if least > MOST as i64 {
        return Err(at.wrong("node_count", format!("the job asks for {least} nodes")));
    }
    let most = at.number("max_nodes")?.filter(|most| *most > 0).map(|most| most.max(least));
    let all = total.cpu.unwrap_or(1).max(1);
    let counted = at.number("tasks")?.filter(|tasks| *tasks > 0);
    let tasks = counted.unwrap_or(least).max(least);
    if tasks > MOST as i64 {
        return Err(at.wrong("tasks", format!("the job has more than {MOST} tasks")));
    }
    let core = match set(at, "threads_per_core")? {
        Some(1) => cluster.threads(),
        _ => 1,
    };
    // Older versions do not say how many each task has.
    let each = set(at, "cpus_per_task")?.unwrap_or(1).max(share(all, tasks));
    let shared = [at.words("exclusive")?, at.words("shared")?].concat();
    let mut shape = Shape {
        least,
        most,
        tasks,
        exclusive: shared.iter().any(|word| ["true", "none", "0"].contains(&word.as_str())),
        core: cluster.threads(),
        place: at.path_of("cpus"),
        ..Shape::default()
    };
    if shared.iter().any(|word| ["user", "mcs", "topo"].contains(&word.as_str())) {
        let cause = "nodes kept to one user, group or topology are not planned with";
        cluster.warnings.assume(Direction::Wider, at.path_of("exclusive"), cause);
    }
    shape.task.cpu = each.saturating_mul(core);
    shape.node.cpu = set(at, "minimum_cpus_per_node")?.unwrap_or(0).saturating_mul(core);
    shape.per_node = set(at, "tasks_per_node")?;
    if let Some(most) = shape.per_node {
        shape.node.cpu = shape.node.cpu.max(shape.task.cpu.saturating_mul(most.min(tasks)));
    }
    if shape.node.cpu <= shape.task.cpu {
        shape.node.cpu = 0;
    }
    resources(cluster, at, &mut shape, &total)?;
    memory_of(cluster, at, &mut shape, &total)?;
    for other in total.others.iter().filter(|other| !other.starts_with("license/")) {
        let name = other.split('=').next().unwrap_or(other);
        let cause = format!("`{name}` is of no node: not planned with");
        cluster.warnings.assume(Direction::Wider, at.path_of("tres_req_str"), cause);
    }
    Ok(shape)
}

/// Generic resources by task, by node, and of the job as a whole.
fn resources(cluster: &mut Cluster, at: &At, shape: &mut Shape, total: &Tres) -> Result<()> {
    let there = &cluster.there;
    let mut needs: Vec<String> = Vec::new();
    let mut list = |key: &str| -> Result<Vec<Gres>> {
        let text = at.text(key)?;
        // CPUs and memory among them are in the totals already.
        let own = text.split(',').filter(|part| {
            !["cpu", "mem", "node", "billing", "license"].iter().any(|name| {
                part.trim().strip_prefix(name).is_some_and(|rest| rest.starts_with([':', '=', '/']))
            })
        });
        let all = gres(&own.collect::<Vec<_>>().join(","));
        let mut all = all.map_err(|cause| at.wrong(key, cause))?;
        all.retain(|one| {
            let name = feature_names(&one.name, &one.kind).pop().unwrap_or_default();
            let taken = !there.contains(&name);
            needs.extend((!taken).then_some(name));
            taken
        });
        Ok(all)
    };
    let (per_task, per_node) = (list("tres_per_task")?, list("tres_per_node")?);
    let (per_socket, per_job) = (list("tres_per_socket")?, list("tres_per_job")?);
    shape.task.add_gres(&per_task);
    shape.node.add_gres(&per_node);
    let mut per_socket_node = Amounts::default();
    if !per_socket.is_empty() {
        // How many sockets hold the job.
        let sockets = set(at, "sockets_per_node")?;
        if sockets.is_none() {
            let cause = "the number of sockets is not said: the resources of one are planned";
            cluster.warnings.assume(Direction::Wider, at.path_of("tres_per_socket"), cause);
        }
        per_socket_node.add_gres(&per_socket);
        shape.node.add(&per_socket_node.times(sockets.unwrap_or(1)));
    }
    let cpus = list("cpus_per_tres")?;
    shape.needs = needs;
    let of = |own: &[Gres]| -> i64 {
        let of = |one: &Gres| {
            let same = cpus.iter().filter(|other| other.name == one.name);
            same.map(|other| other.count.saturating_mul(one.count)).max().unwrap_or(0)
        };
        own.iter().map(of).fold(0, i64::saturating_add)
    };
    shape.task.cpu = shape.task.cpu.max(of(&per_task));
    let least = of(&per_node).max(of(&per_socket));
    shape.node.cpu = shape.node.cpu.max(if least > shape.task.cpu { least } else { 0 });
    let together = set(at, "tasks_per_tres")?.or(set(at, "ntasks_per_tres")?);
    for one in &per_job {
        if one.count > MOST as i64 {
            return Err(at.wrong("tres_per_job", format!("more than {MOST} of `{}`", one.name)));
        }
        let single = [Gres { count: 1, ..one.clone() }];
        let mut each = Amounts { cpu: of(&single), ..Amounts::default() };
        if let Some(tasks) = together.filter(|_| one.name == "gpu") {
            each.cpu = each.cpu.max(shape.task.cpu.saturating_mul(tasks));
        }
        each.add_gres(&single);
        shape.pool.push((one.count, each));
    }
    let silent = shape.needs.is_empty()
        && [&per_task, &per_node, &per_socket, &per_job].iter().all(|list| list.is_empty());
    if silent {
        // Only the total is said, as older versions do: in equal shares.
        shape.node.add_gres(&shares(&total.gres, shape.least));
    }
    Ok(())
}

/// Memory by node, CPU or resource.
fn memory_of(cluster: &mut Cluster, at: &At, shape: &mut Shape, total: &Tres) -> Result<()> {
    let of = |key: &str| -> Result<Option<i64>> { Ok(memory(at, key)?.filter(|own| *own > 0)) };
    let (per_node, per_cpu) = (of("memory_per_node")?, of("memory_per_cpu")?);
    let text = at.text("memory_per_tres")?;
    let per_resource = gres(&text).map_err(|cause| at.wrong("memory_per_tres", cause))?;
    if !cluster.consumes_memory() {
        if per_node.or(per_cpu).is_some() {
            let cause = "memory is not consumed here, as nodes at work show: not planned with";
            cluster.warnings.assume(Direction::Wider, at.path_of("memory_per_node"), cause);
        }
        return Ok(());
    }
    if let Some(own) = per_node {
        shape.node.memory = own;
    } else if let Some(own) = per_cpu {
        shape.per_cpu = own;
        shape.task.memory = own.saturating_mul(shape.task.cpu);
    } else if !per_resource.is_empty() {
        let each = |amounts: &Amounts| -> i64 {
            let of = |one: &Gres| {
                let own = amounts.gres.get(&one.name).copied().unwrap_or(0);
                own.saturating_mul(one.count)
            };
            per_resource.iter().map(of).fold(0, i64::saturating_add)
        };
        let (task, node) = (each(&shape.task), each(&shape.node));
        (shape.task.memory, shape.node.memory) = (task, node);
        for (_, unit) in &mut shape.pool {
            unit.memory = each(unit);
        }
    } else if total.memory.is_some_and(|own| cluster.is_whole(share(own, shape.least))) {
        // No memory asked for and none by default: all of each node.
        shape.all_memory = true;
    } else {
        shape.node.memory = share(total.memory.unwrap_or(0), shape.least);
    }
    Ok(())
}
