//! What `kubectl get nodes,pods -A -o json` prints, and manifests: running pods are load
//! that is there already, waiting ones are tasks.

mod admission;
mod affinity;
mod attach;
mod away;
mod between;
mod cel;
mod claims;
mod cluster;
mod daemons;
mod devices;
mod disruption;
mod evictions;
mod exclusive;
mod expand;
mod gangs;
mod mounts;
mod nodes;
mod objects;
mod operators;
mod patterns;
mod pods;
mod preferred;
mod priorities;
mod queues;
mod quotas;
mod racks;
mod requests;
mod runtimes;
mod selectors;
mod share_out;
mod shares;
mod spread;
mod topology;
mod typed;
mod volumes;
mod warnings;
mod workloads;
mod write;

pub use write::write_objects;
pub(super) use write::{claim, is_plan};

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::source::Text;
use super::{Beside, Running};
use affinity::{NAME, with};
use base::error::{Error, Result};
use cluster::Cluster;
use model::{
    Decimal, Draft, DraftError, NodeDraft, NodeState, PairDraft, QuantityError, TaskDraft, When,
};
use requests::Amounts;
use runtimes::waits_for_class;

/// True for texts that begin like API objects.
pub(super) fn fits(text: &str) -> bool {
    objects::fits(text)
}

/// Reads the objects of all files as one cluster. Where nobody says when the plan starts, it does
/// when the newest thing in the files happened.
///
/// # Errors
/// Text that is neither JSON nor YAML, objects that are none of the API's, quantities that
/// are none, repeated names: with the file, the object and the field.
pub(super) fn read(sources: &[Text], beside: &Beside) -> Result<Draft> {
    let mut cluster = cluster(sources, beside.running)?;
    cluster.newest = beside.start.or(cluster.newest);
    cluster.settle(&beside.emptied().collect::<Vec<_>>());
    draft(cluster)
}

fn cluster(sources: &[Text], mode: Running) -> Result<Cluster> {
    let mut cluster = Cluster::new(sources, mode);
    let mut late = Vec::new();
    for (file, source) in sources.iter().enumerate() {
        objects::each(file, *source, &mut |object| match waits_for_class(&object) {
            true => {
                late.push((*source, object));
                Ok(())
            }
            false => cluster.take(*source, object),
        })?;
    }
    for (source, object) in late {
        cluster.take(source, object)?;
    }
    cluster.expand()?;
    cluster.share_out();
    cluster.mount();
    cluster.attach();
    Ok(cluster)
}

/// What is wrong with the problem, in the words of the cluster.
pub(super) fn explain(file: &str, error: &DraftError) -> Error {
    let remedy = match error.cause.as_str() {
        "there are no tasks" => {
            "no pod waits for a node: give pods that do, or the manifests of those to come"
        }
        "there are no nodes" => "give nodes too: kubectl get nodes,pods -A -o json",
        _ => error.remedy.as_str(),
    };
    Error::input(file, error.cause.clone()).help(remedy)
}

fn too_large(error: &QuantityError) -> Error {
    Error::usage(format!("what pods need adds up to too much: {error}"))
}

/// Names of resources, the usual ones first, with their units.
fn resources(cluster: &Cluster, draft: &mut Draft) {
    let mut names: Vec<&String> = Vec::new();
    let offered = cluster.hosts.iter().flat_map(|host| &host.allocatable);
    let offered = offered.filter(|(_, amount)| **amount > 0).map(|(name, _)| name);
    names.extend(offered.chain(cluster.needs.iter().flat_map(|needs| needs.keys())));
    names.sort_by_key(|name| (*name != "cpu", *name != "memory", (*name).clone()));
    names.dedup();
    for name in names {
        let at = usize::from(draft.resource(name));
        let bytes =
            name == "memory" || name == "ephemeral-storage" || name.starts_with("hugepages-");
        draft.resources[at].devices = shares::is_of_cards(name, cluster.shared);
        draft.resources[at].unit = match name.as_str() {
            "cpu" => Some("core".to_owned()),
            _ if bytes => Some("byte".to_owned()),
            _ => None,
        };
    }
}

/// Amounts as quantities of the draft's resources.
fn quantities(
    draft: &Draft,
    amounts: &Amounts,
    every: bool,
) -> std::result::Result<Vec<(u16, Decimal)>, QuantityError> {
    let mut list = Vec::with_capacity(amounts.len());
    for (r, resource) in (0u16..).zip(&draft.resources) {
        let amount = amounts.get(&resource.name).copied().unwrap_or(0);
        if amount > 0 || every {
            list.push((r, requests::decimal(&resource.name, amount)?));
        }
    }
    Ok(list)
}

fn draft(mut cluster: Cluster) -> Result<Draft> {
    let mut draft = Draft::default();
    let names: Vec<String> = cluster.hosts.iter().map(|host| host.name.clone()).collect();
    let host_at: FxHashMap<&str, usize> =
        names.iter().enumerate().map(|(k, name)| (name.as_str(), k)).collect();
    let mut rules = cluster.queued();
    rules.extend(cluster.topologies(&host_at));
    rules.extend(cluster.claim_devices());
    resources(&cluster, &mut draft);
    let loads = loads(&mut cluster, &host_at);
    let between = between::between(&cluster, &host_at);
    for (errs, place, field, what) in &between.told {
        cluster.warnings.assume(*errs, place, field, what);
    }
    draft.rules = between.rules;
    gangs::add(&mut cluster, &between.extra, &mut draft.rules);
    draft.rules.extend(cluster.volumes_of_one());
    draft.rules.append(&mut rules);
    draft.rules.extend(cluster.bounded());
    let workloads = std::mem::take(&mut cluster.workloads);
    draft.rules.extend(cluster.disruptions(&workloads));
    let overheads = cluster.overheads();
    let barred = between.extra.iter().flat_map(|extra| &extra.none_of);
    let by_name = barred.map(|(key, _)| key).any(|key| key == NAME)
        || cluster.requirements.iter().any(|requirement| requirement.mentions(NAME));
    let mut asked: Vec<usize> = cluster.waiting.iter().map(|pod| pod.requirement).collect();
    asked.sort_unstable();
    asked.dedup();
    for host in cluster.hosts.iter_mut().filter(|host| host.state != NodeState::Ready) {
        if asked.iter().any(|at| host.lets_in(&cluster.requirements[*at])) {
            host.state = NodeState::Ready;
        }
    }
    let hosts = cluster.hosts.iter_mut().zip(loads).zip(overheads);
    for ((host, (used, pods, ends)), (own, daemons)) in hosts {
        if by_name {
            host.labels.push((NAME.to_owned(), host.name.clone()));
        }
        let most = |taken: i64| {
            let left = host.pods.map(|most| most.saturating_sub(taken).max(0));
            left.map(|most| u32::try_from(most).unwrap_or(u32::MAX))
        };
        draft.nodes.push(NodeDraft {
            id: host.name.clone(),
            capacity: quantities(&draft, &host.allocatable, true).map_err(|e| too_large(&e))?,
            used: quantities(&draft, &used, false).map_err(|e| too_large(&e))?,
            overhead: quantities(&draft, &own, false).map_err(|e| too_large(&e))?,
            ending: (ends.into_iter())
                .map(|(end, needs)| {
                    Ok((When::On(end), quantities(&draft, &cluster.needs[needs], false)?))
                })
                .collect::<std::result::Result<_, _>>()
                .map_err(|e| too_large(&e))?,
            labels: std::mem::take(&mut host.labels),
            taints: std::mem::take(&mut host.taints),
            state: host.state,
            max_tasks: most(pods),
            copy_max_tasks: most(daemons).filter(|_| pods != daemons),
            ..NodeDraft::default()
        });
    }
    let needs: Vec<_> = (cluster.needs.iter())
        .map(|needs| quantities(&draft, needs, false))
        .collect::<std::result::Result<_, _>>()
        .map_err(|error| too_large(&error))?;
    let mut priorities = Vec::with_capacity(cluster.waiting.len());
    for k in 0..cluster.waiting.len() {
        priorities.push(cluster.priority(k));
    }
    for (pod, priority) in cluster.waiting.iter().zip(priorities) {
        let mut requires = with(&cluster.requirements[pod.requirement], &between.extra[pod.class]);
        requires.prefers.extend_from_slice(&between.prefers[pod.class]);
        draft.tasks.push(TaskDraft {
            id: pod.id.clone(),
            demand: needs[pod.needs].clone(),
            requires,
            priority,
            duration: pod.most,
            current: pod.node.iter().cloned().collect(),
            ..TaskDraft::default()
        });
    }
    draft.pairs = pairs(&cluster, &draft).map_err(|error| too_large(&error))?;
    // Only what ends has a date.
    draft.start = cluster.newest.filter(|_| draft.nodes.iter().any(|n| !n.ending.is_empty()));
    cluster.warnings.tell(&mut draft);
    Ok(draft)
}

/// What pods need on nodes where that is not what they need elsewhere.
fn pairs(cluster: &Cluster, draft: &Draft) -> std::result::Result<Vec<PairDraft>, QuantityError> {
    let mut all: BTreeMap<(usize, usize), Vec<(u16, Decimal)>> = BTreeMap::new();
    for (pod, host, resource, amount) in &cluster.there {
        let at = (0u16..).zip(&draft.resources).find(|(_, known)| known.name == *resource);
        if let Some((r, _)) = at {
            let demand = all.entry((*pod, *host)).or_default();
            demand.push((r, requests::decimal(resource, *amount)?));
        }
    }
    let one = |((pod, host), mut demand): ((usize, usize), Vec<(u16, Decimal)>)| {
        demand.sort_by_key(|(r, _)| *r);
        let (task, node) = (cluster.waiting[pod].id.clone(), cluster.hosts[host].name.clone());
        PairDraft { task, node, cost: None, demand, duration: None }
    };
    Ok(all.into_iter().map(one).collect())
}

/// What runs on a host, how many pods, and those that end: when, and the position of their needs.
type Load = (Amounts, i64, Vec<(i64, usize)>);

/// What runs on each host.
fn loads(cluster: &mut Cluster, host_at: &FxHashMap<&str, usize>) -> Vec<Load> {
    let mut loads: Vec<Load> = vec![Load::default(); cluster.hosts.len()];
    for k in 0..cluster.running.len() {
        let pod = &cluster.running[k];
        let name = pod.node.as_deref().unwrap_or_default();
        match host_at.get(name) {
            Some(at) => {
                let (load, pods, ends) = &mut loads[*at];
                requests::add(load, &cluster.needs[pod.needs]);
                *pods += 1;
                ends.extend(pod.end.map(|end| (end, pod.needs)));
            }
            None => {
                let place = cluster.show(pod.place, &pod.id);
                let what = format!("there is no node `{name}`: the pod is left out");
                cluster.warnings.add(&place, "spec.nodeName", &what);
            }
        }
    }
    for (host, (load, ..)) in cluster.hosts.iter().zip(&loads) {
        let more = |(name, amount): (&String, &i64)| {
            *amount > host.allocatable.get(name).copied().unwrap_or(0)
        };
        if host.state == NodeState::Ready && load.iter().any(more) {
            let what = "the pods that run there ask for more than the node can give";
            cluster.warnings.add(&host.name, "", what);
        }
    }
    loads
}

#[cfg(test)]
mod tests;
