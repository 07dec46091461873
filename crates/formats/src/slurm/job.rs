//! Jobs: pending ones are tasks, those that hold nodes are load on them, finished ones are nothing.

use super::cluster::{Amounts, Cluster, PARTITION, Pending};
use super::features::{Constraint, YES, constraint, selection, there};
use super::fields::At;
use super::node::memory;
use super::times;
use super::topology::SWITCH;
use super::words::{Gres, MOST, gres, hosts, numbers, tres};
use base::error::Result;
use model::{Ask, Decimal, Preference, Requirement, Selection, TaskDraft};

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
        cluster.warnings.add(at.path_of("nodes"), cause);
        return Ok(());
    }
    let total = resources_of(at, "tres_alloc_str")?;
    let n = names.len() as i64;
    let parts = allocations(at)?;
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

/// CPUs and MiB by node, as far as the job says: by name, or in order of its nodes.
type Allocation = (Option<String>, Option<i64>, Option<i64>);

fn allocations(at: &At) -> Result<Vec<Allocation>> {
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
            _ => (part.number("cpus_used")?, part.number("memory_allocated")?),
        };
        parts.push(((!name.is_empty()).then_some(name), cpus, memory));
    }
    Ok(parts)
}

/// What all of a job takes: as the field says, else as it asked.
fn resources_of(at: &At, key: &str) -> Result<super::words::Tres> {
    let text = at.text(key)?;
    let (key, text) =
        if text.is_empty() { ("tres_req_str", at.text("tres_req_str")?) } else { (key, text) };
    let mut total = tres(&text).map_err(|cause| at.wrong(key, cause))?;
    if total.cpu.is_none() {
        total.cpu = at.number("cpus")?;
    }
    Ok(total)
}

fn share(total: i64, n: i64) -> i64 {
    (total + n - 1) / n.max(1)
}

fn shares(list: &[Gres], n: i64) -> Vec<Gres> {
    list.iter().map(|one| Gres { count: share(one.count, n), ..one.clone() }).collect()
}

/// A pending job: a task, a gang over several nodes, or an array of either.
fn pending(cluster: &mut Cluster, at: &At) -> Result<()> {
    let total = resources_of(at, "tres_req_str")?;
    let asked = at.number("node_count")?.or(total.nodes).unwrap_or(1).max(1);
    if asked > MOST as i64 {
        return Err(at.wrong("node_count", format!("the job asks for {asked} nodes")));
    }
    let each = demand(cluster, at, &total, asked)?;
    let mut task =
        TaskDraft { priority: at.number("priority")?.unwrap_or(0), ..TaskDraft::default() };
    let partitions = at.words("partition")?;
    task.duration = times::limit(cluster, at, &partitions)?;
    let wishes = times::wishes(cluster, at)?;
    task.requires = requirement(cluster, at, asked, &partitions, &mut task.within)?;
    if asked > 1 {
        task.replicas = Some(asked as u32);
        task.within.push((Ask::Apart, "node".to_owned()));
        switches(cluster, at, &mut task)?;
    }
    limits(cluster, at, asked, &partitions)?;
    not_planned(cluster, at)?;
    let shared = [at.words("exclusive")?, at.words("shared")?].concat();
    let exclusive = shared.iter().any(|word| ["true", "none", "0"].contains(&word.as_str()));
    if shared.iter().any(|word| ["user", "mcs", "topo"].contains(&word.as_str())) {
        let cause = "nodes kept to one user, group or topology are not planned with";
        cluster.warnings.add(at.path_of("exclusive"), cause);
    }
    for id in ids(cluster, at)? {
        if cluster.pending.len() >= MOST {
            return Err(at.error(format!("more than {MOST} tasks are pending")));
        }
        if !cluster.ids.insert(id.clone()) {
            let error = at.error(format!("the job `{id}` appears twice"));
            return Err(error.help("give one dump of the jobs"));
        }
        cluster.times.waits(at, &id, cluster.pending.len())?;
        let task = TaskDraft { id, ..task.clone() };
        let (each, partitions, wishes) = (each.clone(), partitions.clone(), wishes.clone());
        cluster.pending.push(Pending { task, each, exclusive, partitions, wishes });
    }
    Ok(())
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
        let (list, most) = match text.split_once('%') {
            Some((list, most)) => (list, Some(most)),
            None => (text.as_str(), None),
        };
        if most.is_some() {
            let cause = "how many tasks of an array may run at once is not planned with";
            cluster.warnings.add(at.path_of("array_task_string"), cause);
        }
        let (list, cut) = match list.split_once(",...").or(list.split_once("...")) {
            Some((list, _)) => (list, true),
            None => (list, false),
        };
        if cut {
            let cause = "the list of the array's tasks is cut short: the rest is left out";
            cluster.warnings.add(at.path_of("array_task_string"), cause);
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

/// What a pending job takes on each of its nodes.
fn demand(
    cluster: &mut Cluster,
    at: &At,
    total: &super::words::Tres,
    nodes: i64,
) -> Result<Amounts> {
    let all = total.cpu.unwrap_or(1);
    let mut each = Amounts { cpu: share(all, nodes), ..Amounts::default() };
    if all % nodes != 0 {
        let cause = "the CPUs are no multiple of the nodes: each node's share is rounded up";
        cluster.warnings.add(at.path_of("cpus"), cause);
    }
    each.cpu = each.cpu.max(at.number("minimum_cpus_per_node")?.unwrap_or(0));
    let set = |value: Option<i64>| value.filter(|value| *value > 0);
    each.memory = match (set(memory(at, "memory_per_node")?), set(memory(at, "memory_per_cpu")?)) {
        (Some(node), _) => node,
        (None, Some(cpu)) => cpu.saturating_mul(each.cpu),
        (None, None) => share(total.memory.unwrap_or(0), nodes),
    };
    let tasks = at.number("tasks")?.unwrap_or(nodes);
    let list = |key: &str| -> Result<Vec<Gres>> {
        let text = at.text(key)?;
        // CPUs and memory among them are in the totals already.
        let own = text.split(',').filter(|part| {
            !["cpu", "mem", "node", "billing", "license"].iter().any(|name| {
                part.trim().strip_prefix(name).is_some_and(|rest| rest.starts_with([':', '=', '/']))
            })
        });
        gres(&own.collect::<Vec<_>>().join(",")).map_err(|cause| at.wrong(key, cause))
    };
    let times = |list: Vec<Gres>, n: i64| -> Vec<Gres> {
        let each = |one: Gres| Gres { count: one.count.saturating_mul(n), ..one };
        list.into_iter().map(each).collect()
    };
    let per_node = list("tres_per_node")?;
    let per_task = times(list("tres_per_task")?, share(tasks, nodes));
    let per_job = shares(&list("tres_per_job")?, nodes);
    let own = [per_node, per_task, per_job].into_iter().find(|list| !list.is_empty());
    let own = own.unwrap_or_else(|| shares(&total.gres, nodes));
    if own.is_empty() && !at.text("tres_per_socket")?.is_empty() {
        let cause = "resources by socket are not planned with";
        cluster.warnings.add(at.path_of("tres_per_socket"), cause);
    }
    for other in &total.others {
        let cause = format!(
            "`{}` is of no node: not planned with",
            other.split('=').next().unwrap_or(other)
        );
        cluster.warnings.add(at.path_of("tres_req_str"), cause);
    }
    each.add_gres(&own);
    Ok(each)
}

/// Partition, constraint, nodes by name and local disk.
fn requirement(
    cluster: &mut Cluster,
    at: &At,
    nodes: i64,
    partitions: &[String],
    within: &mut Vec<(Ask, String)>,
) -> Result<Requirement> {
    let mut asks = Requirement::default();
    let mut either: Vec<Vec<Selection>> = Vec::new();
    let mut one_of = |asks: &mut Requirement, list: Vec<Selection>| match list.len() {
        1 => asks.any_of.extend(list.into_iter().flat_map(|one| one.any_of)),
        _ => either.push(list),
    };
    if cluster.partitioned() && !partitions.is_empty() {
        let label = |name: &String| (format!("{PARTITION}{name}"), vec![YES.to_owned()]);
        let one = |name| Selection { any_of: vec![label(name)], ..Selection::default() };
        one_of(&mut asks, partitions.iter().map(one).collect());
    }
    let text = at.text("features")?;
    if !text.is_empty() {
        match constraint(&text).map_err(|cause| at.wrong("features", cause))? {
            Constraint::AnyOf(list) => {
                one_of(&mut asks, list.iter().map(|one| selection(one)).collect());
            }
            Constraint::Counted(list) => {
                let cause = "counts of features are not planned with: each node has one of them";
                cluster.warnings.add(at.path_of("features"), cause);
                one_of(&mut asks, list.iter().map(|one| selection(one)).collect());
            }
            Constraint::Same(names) => {
                let key = format!("constraint:[{}]", names.join("|"));
                asks.any_of.push(there(key.clone()));
                if nodes > 1 {
                    within.push((Ask::Together, key.clone()));
                }
                cluster.same.insert(key, names);
            }
        }
    }
    asks.either = match &either[..] {
        [] => Vec::new(),
        [one] => one.clone(),
        [one, two, ..] => {
            let both = |a: &Selection, b: &Selection| Selection {
                any_of: sorted([a.any_of.clone(), b.any_of.clone()].concat()),
                ..Selection::default()
            };
            one.iter().flat_map(|a| two.iter().map(move |b| both(a, b))).collect()
        }
    };
    let list = |key: &str| hosts(&at.text(key)?).map_err(|cause| at.wrong(key, cause));
    let (needs, not) = (list("required_nodes")?, list("excluded_nodes")?);
    if needs.len() as i64 == nodes {
        asks.any_of.push(("node".to_owned(), needs));
        cluster.by_name = true;
    } else if !needs.is_empty() {
        let cause = "the job asks for some of its nodes by name and for others: not planned with";
        cluster.warnings.add(at.path_of("required_nodes"), cause);
    }
    if !not.is_empty() {
        asks.none_of.push(("node".to_owned(), not));
        cluster.by_name = true;
    }
    let disk = at.number("minimum_tmp_disk_per_node")?.unwrap_or(0);
    if disk > 0 {
        asks.any_of.push(("tmp_disk".to_owned(), vec![format!(">{}", disk - 1)]));
        cluster.by_disk = true;
    }
    asks.any_of = sorted(asks.any_of);
    let text = at.text("prefer")?;
    if !text.is_empty() {
        match constraint(&text) {
            Ok(Constraint::AnyOf(list)) if list.len() == 1 => {
                let labels = selection(&list[0]);
                asks.prefers.push(Preference { labels, weight: Decimal::ONE });
            }
            _ => {
                let cause = "only preferences for one set of features are planned with";
                cluster.warnings.add(at.path_of("prefer"), cause);
            }
        }
    }
    Ok(asks)
}

fn sorted(mut list: Vec<(String, Vec<String>)>) -> Vec<(String, Vec<String>)> {
    list.sort();
    list.dedup();
    list
}

/// All nodes at one switch, or at few.
fn switches(cluster: &mut Cluster, at: &At, task: &mut TaskDraft) -> Result<()> {
    let most = at.number("minimum_switches")?.unwrap_or(0);
    if most == 0 {
        return Ok(());
    }
    if !cluster.topology.has_switches() {
        let cause =
            "the job wants few switches, and which node hangs where is not said: add topology.conf";
        cluster.warnings.add(at.path_of("minimum_switches"), cause);
        return Ok(());
    }
    let at_most = u32::try_from(most).unwrap_or(u32::MAX);
    task.within.push(match at_most {
        1 => (Ask::Together, SWITCH.to_owned()),
        _ => (Ask::Spread { at_least: 1, at_most, max_skew: None }, SWITCH.to_owned()),
    });
    Ok(())
}

/// What the partition lets a job have.
fn limits(cluster: &mut Cluster, at: &At, nodes: i64, partitions: &[String]) -> Result<()> {
    for name in partitions {
        if cluster.most_nodes.get(name).is_some_and(|most| nodes > *most) {
            let cause = "the job asks for more nodes than its partition allows: Slurm will not start it as it is";
            cluster.warnings.add(at.path_of("node_count"), cause);
        }
    }
    if at.number("max_nodes")?.is_some_and(|most| most > nodes) {
        let cause = "the job may have more nodes: it is planned on the least number";
        cluster.warnings.add(at.path_of("max_nodes"), cause);
    }
    Ok(())
}

/// What would matter and is not planned with.
fn not_planned(cluster: &mut Cluster, at: &At) -> Result<()> {
    for (key, cause) in [
        ("licenses", "licences are not planned with"),
        ("resv_name", "reservations are not planned with"),
        ("burst_buffer", "burst buffers are not planned with"),
        ("batch_features", "the constraint on the first node is not planned with"),
        ("memory_per_tres", "memory by resource is not planned with"),
        ("het_job_id_set", "parts of heterogeneous jobs are planned one by one"),
    ] {
        if !at.text(key)?.is_empty() {
            cluster.warnings.add(at.path_of(key), cause);
        }
    }
    for (key, cause) in [
        ("cores_per_socket", "cores by socket are not planned with"),
        ("sockets_per_node", "sockets by node are not planned with"),
        ("threads_per_core", "threads by core are not planned with"),
        ("core_spec", "specialised cores are not planned with"),
    ] {
        if at.number(key)?.is_some_and(|number| number > 0 && number < 0x7ffe) {
            cluster.warnings.add(at.path_of(key), cause);
        }
    }
    if at.flag("contiguous") {
        cluster.warnings.add(at.path_of("contiguous"), "contiguous nodes are not planned with");
    }
    if at.flag("hold") || at.text("state_reason")?.starts_with("JobHeld") {
        cluster
            .warnings
            .add(at.path_of("state_reason"), "the job is held: it is planned all the same");
    }
    Ok(())
}
