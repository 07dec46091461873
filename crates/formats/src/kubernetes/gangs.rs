//! Pod groups as gangs: as many waiting members as are wanting are placed all or none.

use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::Value;

use super::cluster::Cluster;
use super::objects::Object;
use super::pods::{Pod, Terms};
use super::quotas::limit;
use model::{Ask, Direction, RuleDraft, Selection, Whom};

impl Cluster {
    /// Groups of pods as `scheduling.k8s.io` has them.
    pub(super) fn groups_of_workload(&mut self, object: &Object) {
        let groups = object.value.pointer("/spec/podGroups").and_then(Value::as_array);
        let (space, name) = object.name.split_once('/').unwrap_or(("default", &object.name));
        for group in groups.into_iter().flatten() {
            let own = group.get("name").and_then(Value::as_str).unwrap_or_default();
            if let Some(least) = group.pointer("/policy/gang/minCount").and_then(Value::as_i64) {
                self.groups.insert(format!("{space}/{name}/{own}"), least);
            }
        }
    }

    pub(super) fn pod_group(&mut self, object: &Object, place: &str) {
        let spec = object.value.get("spec");
        let gang = spec.and_then(|spec| spec.pointer("/schedulingPolicy/gang/minCount"));
        let least = spec.and_then(|spec| spec.get("minMember")).or(gang);
        let id = match object.name.contains('/') {
            true => object.name.clone(),
            false => format!("default/{}", object.name),
        };
        self.network_topology(spec.and_then(|spec| spec.get("networkTopology")), &id, place);
        match least.and_then(Value::as_i64) {
            Some(least) => {
                self.groups.insert(id, least);
            }
            None => {
                let what = "there is no number of members: the group asks nothing";
                self.warnings.assume(Direction::Wider, place, "spec.minMember", what);
            }
        }
        for field in ["minResources", "minTaskMember", "schedulingConstraints"] {
            if spec.is_some_and(|spec| spec.get(field).is_some()) {
                let field = format!("spec.{field}");
                self.warnings.assume(Direction::Wider, place, &field, "not planned with");
            }
        }
    }
}

/// A label that all nodes share: near over it is nowhere without.
const CLUSTER: &str = "stowplan/cluster";

/// Adds a rule for every group whose running members are too few.
pub(super) fn add(cluster: &mut Cluster, extra: &[Selection], rules: &mut Vec<RuleDraft>) {
    let ruled: FxHashSet<String> = rules.iter().flat_map(named).cloned().collect();
    let mut running: FxHashMap<&str, i64> = FxHashMap::default();
    let tasks = cluster.waiting.iter().filter(|pod| pod.node.is_some());
    for group in cluster.running.iter().chain(tasks).filter_map(|pod| pod.group.as_deref()) {
        *running.entry(group).or_insert(0) += 1;
    }
    let mut at: FxHashMap<&str, usize> = FxHashMap::default();
    let mut members: Vec<(&str, Vec<usize>)> = Vec::new();
    for (k, pod) in cluster.waiting.iter().enumerate().filter(|(_, pod)| pod.node.is_none()) {
        let Some(group) = pod.group.as_deref() else { continue };
        let next = members.len();
        let place = *at.entry(group).or_insert(next);
        if place == next {
            members.push((group, Vec::new()));
        }
        members[place].1.push(k);
    }
    let mut told = Vec::new();
    let mut whole = false;
    for (group, mut members) in members {
        let pod = &cluster.waiting[members[0]];
        let place = cluster.show(pod.place, &pod.id);
        let Some(least) = cluster.groups.get(group) else {
            let what = format!("the pod group `{group}` is not there: it asks nothing");
            told.push((Direction::Wider, place, what));
            continue;
        };
        let wanting = (*least - running.get(group).copied().unwrap_or(0)).max(0);
        let there = members.len() as i64;
        let ids = |some: &[usize]| -> Vec<String> {
            some.iter().map(|k| cluster.waiting[*k].id.clone()).collect()
        };
        if there < wanting {
            let name = format!("pod group {group} lacks {} members to begin", wanting - there);
            rules.push(limit(&name, "tasks", "", None, 0, ids(&members)));
            continue;
        }
        let few = usize::try_from(wanting).unwrap_or(usize::MAX);
        let alike = few < members.len()
            && few > 0
            && !members.iter().any(|k| ruled.contains(&cluster.waiting[*k].id))
            && smallest_first(cluster, extra, &mut members);
        if few < members.len() && few > 0 && !alike {
            let what = format!(
                "any {wanting} of {there} members of the pod group `{group}` would do: the first are taken"
            );
            told.push((Direction::Narrower, place, what));
        }
        let rest = members.split_off(few.min(members.len()));
        if alike {
            let (name, others) = (format!("rest of pod group {group}"), Vec::new());
            rules.push(RuleDraft {
                near: Some(Whom::Tasks(ids(&members))),
                ..RuleDraft::new(name, Ask::Near { others }, CLUSTER, Whom::Tasks(ids(&rest)))
            });
            whole = true;
        }
        if members.len() > 1 {
            let name = format!("pod group {group}");
            rules.push(RuleDraft::new(name, Ask::Gang, "node", Whom::Tasks(ids(&members))));
        }
    }
    if whole {
        let label = (CLUSTER.to_owned(), "all".to_owned());
        cluster.hosts.iter_mut().for_each(|host| host.labels.push(label.clone()));
    }
    for (errs, place, what) in told {
        cluster.warnings.assume(errs, &place, "", &what);
    }
}

/// Sorts members of a group so that each needs no more than the next, if they can be sorted so and
/// ask for the same otherwise. Where so many of them have to be placed together, the first may be
/// it: whoever else is among those placed can make room for one of them.
fn smallest_first(cluster: &Cluster, extra: &[Selection], members: &mut [usize]) -> bool {
    let pod = |k: &usize| &cluster.waiting[*k];
    let needs = |k: &usize| &cluster.needs[pod(k).needs];
    members.sort_by_cached_key(|k| (needs(k).values().map(|n| i128::from(*n)).sum::<i128>(), *k));
    let first = pod(&members[0]);
    let same = |k: &usize| {
        let other = pod(k);
        let plain = |pod: &Pod| cluster.classes[pod.class].terms == Terms::default();
        other.requirement == first.requirement
            && extra[other.class] == extra[first.class]
            && other.priority == first.priority
            && other.priority_class == first.priority_class
            && other.claims.is_empty()
            && plain(other)
    };
    let no_more = |a: &usize, b: &usize| {
        needs(a).iter().all(|(name, most)| needs(b).get(name).is_some_and(|own| own >= most))
    };
    members.iter().all(same) && members.windows(2).all(|two| no_more(&two[0], &two[1]))
}

/// The tasks that a rule speaks of by their names.
fn named(rule: &RuleDraft) -> impl Iterator<Item = &String> {
    let whom = std::iter::once(&rule.whom).chain(&rule.near);
    whom.flat_map(|whom| match whom {
        Whom::Tasks(ids) => ids.as_slice(),
        Whom::Group(_) | Whom::EachKey | Whom::EachGroup => &[],
    })
}
