//! Pods that belong on one rack, block or hyper-node: what Kueue's annotations ask, and the
//! hyper-nodes of Volcano.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use rustc_hash::FxHashMap;
use serde_json::Value;

use super::nodes::Host;
use super::objects::Object;
use super::patterns::Pattern;
use super::selectors::{Labels, Selector};

const REQUIRED: &str = "kueue.x-k8s.io/podset-required-topology";
const PREFERRED: &str = "kueue.x-k8s.io/podset-preferred-topology";
const SLICE: &str = "kueue.x-k8s.io/podset-slice-required-topology";
const SLICE_SIZE: &str = "kueue.x-k8s.io/podset-slice-size";

/// The labels whose values the pods of a set share.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Topology {
    /// All of the set.
    pub(super) whole: Option<String>,
    /// Each so many of it.
    pub(super) slice: Option<(String, usize)>,
}

/// What the annotations of a pod ask of the set that it belongs to; fields that are not planned
/// with are told.
pub(super) fn topology(
    notes: Option<&BTreeMap<String, String>>,
    mut tell: impl FnMut(&str, &str),
) -> Option<Topology> {
    let notes = notes?;
    let mut asks = Topology { whole: notes.get(REQUIRED).cloned(), slice: None };
    if notes.contains_key(PREFERRED) {
        tell(PREFERRED, "a topology that is only preferred is not planned with");
    }
    if let Some(label) = notes.get(SLICE) {
        match notes.get(SLICE_SIZE).and_then(|size| size.parse().ok()).filter(|size| *size > 0) {
            Some(size) => asks.slice = Some((label.clone(), size)),
            None => tell(SLICE, "slices without a size are not planned with"),
        }
    }
    (asks != Topology::default()).then_some(asks)
}

/// Groups of nodes that Volcano knows, and pod groups that ask for one.
#[derive(Debug, Default)]
pub(super) struct HyperNodes {
    all: BTreeMap<String, HyperNode>,
    /// The highest tier that a pod group may span, by `namespace/name`.
    pub(super) asked: FxHashMap<String, i64>,
}

#[derive(Debug)]
struct HyperNode {
    tier: i64,
    hosts: Vec<Members>,
    parts: Vec<String>,
}

/// Nodes of a hyper-node.
#[derive(Debug)]
enum Members {
    Named(String),
    With(Selector),
    Like(Pattern),
}

/// The label that stands for the largest hyper-nodes of a tier or below.
pub(super) fn tier_label(tier: i64) -> String {
    format!("volcano.sh/hypernode-tier-{tier}")
}

impl HyperNodes {
    /// Takes a HyperNode over; `Err` has the field that is not understood, and why.
    pub(super) fn take(&mut self, object: &Object) -> Result<(), (&'static str, String)> {
        let spec = object.value.get("spec").unwrap_or(&Value::Null);
        let tier = spec.get("tier").and_then(Value::as_i64);
        let tier = tier.ok_or(("spec.tier", "there is no tier: it is left out".to_owned()))?;
        let (mut hosts, mut parts) = (Vec::new(), Vec::new());
        for member in spec.get("members").and_then(Value::as_array).into_iter().flatten() {
            let selector = member.get("selector").unwrap_or(&Value::Null);
            let exact = selector.pointer("/exactMatch/name").and_then(Value::as_str);
            let labels = selector.get("labelMatch").cloned().map(serde_json::from_value);
            let pattern = selector.pointer("/regexMatch/pattern").and_then(Value::as_str);
            if member["type"] == "HyperNode" {
                // Volcano knows parts by their names alone.
                parts.extend(exact.map(str::to_owned));
                continue;
            }
            if let (None, Some(pattern)) = (exact, pattern) {
                let left_out = |what| ("spec.members", format!("{what}: it is left out"));
                let pattern = Pattern::new(pattern).map_err(left_out)?;
                hosts.push(Members::Like(pattern));
                continue;
            }
            match (exact, labels) {
                (Some(name), _) => hosts.push(Members::Named(name.to_owned())),
                (None, Some(Ok::<LabelSelector, _>(selector))) => {
                    let selector = Selector::of(Some(&selector), &Labels::new(), None, None);
                    hosts.push(Members::With(selector.map_err(|what| ("spec.members", what))?));
                }
                _ => {
                    let what =
                        "only exactMatch, labelMatch and regexMatch are read: it is left out";
                    return Err(("spec.members", what.to_owned()));
                }
            }
        }
        self.all.insert(object.name.clone(), HyperNode { tier, hosts, parts });
        Ok(())
    }

    /// The hosts of a hyper-node, those of its parts too.
    fn hosts_of(&self, name: &str, hosts: &[Host], seen: &mut BTreeSet<String>) -> Vec<usize> {
        let Some(own) = self.all.get(name).filter(|_| seen.insert(name.to_owned())) else {
            return Vec::new();
        };
        let is_one = |host: &Host| {
            own.hosts.iter().any(|members| match members {
                Members::Named(name) => *name == host.name,
                Members::With(selector) => selector.matches(&host.labels.iter().cloned().collect()),
                // Names of nodes are ASCII.
                Members::Like(pattern) => pattern.is_in(&host.name) == Ok(true),
            })
        };
        let direct = (0..hosts.len()).filter(|k| is_one(&hosts[*k]));
        let mut found: Vec<usize> = direct.collect();
        for part in &own.parts {
            found.extend(self.hosts_of(part, hosts, seen));
        }
        found
    }

    /// For each host the largest hyper-node of the tier or below that it belongs to.
    pub(super) fn by_host(&self, tier: i64, hosts: &[Host]) -> Vec<Option<&str>> {
        let mut of = vec![None; hosts.len()];
        let mut all: Vec<_> = self.all.iter().filter(|(_, node)| node.tier <= tier).collect();
        all.sort_by_key(|(name, node)| (-node.tier, *name));
        for (name, _) in all {
            for host in self.hosts_of(name, hosts, &mut BTreeSet::new()) {
                of[host].get_or_insert(name.as_str());
            }
        }
        of
    }
}
