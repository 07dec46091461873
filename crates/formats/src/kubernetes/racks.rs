//! Rules for pods that belong on one rack, block or hyper-node.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;
use serde_json::Value;

use super::cluster::Cluster;
use super::nodes::Host;
use super::pods::Pod;
use super::quotas::limit;
use super::topology::{Topology, tier_label};
use model::{Ask, Direction, RuleDraft, Whom};

impl Cluster {
    /// What Volcano's `networkTopology` asks of a pod group; `at` is where it stands.
    pub(super) fn network_topology(&mut self, asks: Option<&Value>, group: &str, place: &str) {
        let Some(asks) = asks.filter(|asks| !asks.is_null()) else { return };
        let field = "spec.networkTopology";
        if asks.get("mode").and_then(Value::as_str) == Some("soft") {
            let what = "a topology that is only preferred is not planned with";
            self.warnings.assume(Direction::Wider, place, field, what);
        } else if let Some(tier) = asks.get("highestTierAllowed").and_then(Value::as_i64) {
            self.hyper_nodes.asked.insert(group.to_owned(), tier);
        }
    }

    /// Rules for pods that belong on one value of a label.
    pub(super) fn topologies(&mut self, host_at: &FxHashMap<&str, usize>) -> Vec<RuleDraft> {
        let tiers: BTreeSet<i64> = self.hyper_nodes.asked.values().copied().collect();
        for tier in tiers {
            let of: Vec<Option<String>> = (self.hyper_nodes.by_host(tier, &self.hosts).into_iter())
                .map(|name| name.map(str::to_owned))
                .collect();
            for (host, name) in self.hosts.iter_mut().zip(of) {
                host.labels.extend(name.map(|name| (tier_label(tier), name)));
            }
        }
        let mut sets: BTreeMap<(String, Topology), (Vec<usize>, Vec<usize>)> = BTreeMap::new();
        for (pods, waits) in [(&self.waiting, true), (&self.running, false)] {
            for (k, pod) in pods.iter().enumerate() {
                let tier = pod.group.as_ref().and_then(|group| self.hyper_nodes.asked.get(group));
                let hyper =
                    tier.map(|tier| Topology { whole: Some(tier_label(*tier)), slice: None });
                for asks in pod.topology.iter().chain(&hyper) {
                    let set = sets.entry((set_of(pod), asks.clone())).or_default();
                    if waits { set.0.push(k) } else { set.1.push(k) }
                }
            }
        }
        let mut rules = Vec::new();
        for ((set, asks), (waiting, running)) in
            sets.iter().filter(|(_, (some, _))| !some.is_empty())
        {
            let ids = |some: &[usize]| -> Vec<String> {
                some.iter().map(|k| self.waiting[*k].id.clone()).collect()
            };
            if let Some(label) = &asks.whole {
                let values = |host: &Host| host.label(label).map(str::to_owned);
                let all: BTreeSet<String> = self.hosts.iter().filter_map(values).collect();
                let hosts = running.iter().filter_map(|k| {
                    host_at.get(self.running[*k].node.as_deref()?).map(|at| &self.hosts[*at])
                });
                let taken: BTreeSet<String> = hosts.filter_map(values).collect();
                let name = format!("{set} on one {label}");
                if all.is_empty() {
                    let name = format!("{name}, which no node has");
                    rules.push(limit(&name, "tasks", "", None, 0, ids(waiting)));
                } else if waiting.len() > 1 {
                    let whom = Whom::Tasks(ids(waiting));
                    rules.push(RuleDraft::new(name.clone(), Ask::Together, label, whom));
                }
                for other in all.difference(&taken).filter(|_| !taken.is_empty()) {
                    let name = format!("{name}: not {other}");
                    rules.push(limit(&name, "tasks", label, Some(other.clone()), 0, ids(waiting)));
                }
            }
            if let Some((label, size)) = &asks.slice {
                for (k, slice) in waiting.chunks(*size).enumerate().filter(|(_, s)| s.len() > 1) {
                    let name = format!("slice {k} of {set} on one {label}");
                    let whom = Whom::Tasks(ids(slice));
                    rules.push(RuleDraft::new(name, Ask::Together, label, whom));
                }
            }
        }
        rules
    }
}

/// The set of pods that a pod is one of.
fn set_of(pod: &Pod) -> String {
    let space = pod.id.split('/').next().unwrap_or_default();
    match (&pod.group, &pod.owner) {
        (Some(group), _) => format!("pod group {group}"),
        (None, Some((kind, name))) => format!("{kind} {space}/{name}"),
        (None, None) => match (&pod.template, pod.id.rsplit_once('-')) {
            (Some(_), Some((name, _))) => name.to_owned(),
            _ => pod.id.clone(),
        },
    }
}
