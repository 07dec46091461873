//! What of a pod matters for planning, and what would and is not understood.

use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::api::core::v1::{
    PodAffinityTerm, PodResourceClaim, PodSpec, PodStatus, WeightedPodAffinityTerm,
};
use serde_json::Value;

use super::affinity::Tell;
use super::objects::Place;
use super::selectors::{Labels, Selector};
use super::shares::Share;
use super::topology::Topology;
use model::Direction;

/// A pod that runs, or waits for a node.
#[derive(Clone, Debug)]
pub(super) struct Pod {
    /// `namespace/name`
    pub(super) id: String,
    pub(super) place: Place,
    /// Position of its class.
    pub(super) class: usize,
    /// Position of what it asks of nodes; waiting pods only.
    pub(super) requirement: usize,
    /// Position of what it asks of nodes itself, its volumes and devices apart.
    pub(super) own: usize,
    /// Position of what it needs.
    pub(super) needs: usize,
    pub(super) priority: Option<i64>,
    pub(super) priority_class: Option<String>,
    /// Where it runs.
    pub(super) node: Option<String>,
    /// `namespace/name` of the claims whose volumes it mounts.
    pub(super) claims: Vec<String>,
    /// `namespace/name` of claims of devices, and whether that is a template's.
    pub(super) devices: Vec<(String, bool)>,
    /// The share of a GPU that its annotations ask for.
    pub(super) share: Option<Share>,
    /// Why it stays where it runs, where it may not be evicted.
    pub(super) keeps: Option<&'static str>,
    /// It waits for room and evicts nobody.
    pub(super) never_preempts: bool,
    /// Kind and name of its controller.
    pub(super) owner: Option<(String, String)>,
    /// The host that it belongs to: it is a daemon there.
    pub(super) daemon_of: Option<String>,
    /// `namespace/name` of the queue that has yet to admit it; of what runs, that has.
    pub(super) queue: Option<String>,
    /// It is being deleted: a spread does not count it.
    pub(super) ends: bool,
    /// Seconds after which it is ended (`activeDeadlineSeconds`).
    pub(super) most: Option<i64>,
    /// When what runs is ended, in seconds since 1970.
    pub(super) end: Option<i64>,
    /// `namespace/name` of its pod group.
    pub(super) group: Option<String>,
    /// What its set asks of where it is as a whole.
    pub(super) topology: Option<Topology>,
    /// Where in its manifest the template stands, for pods that are yet to be made.
    pub(super) template: Option<String>,
}

/// Pods that no selector can tell apart and that ask the same of other pods.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Class {
    pub(super) namespace: String,
    pub(super) labels: Labels,
    pub(super) terms: Terms,
}

/// What pods ask of other pods.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Terms {
    /// Required affinity.
    pub(super) near: Vec<Term>,
    /// Required anti-affinity.
    pub(super) away: Vec<Term>,
    /// Preferred affinity.
    pub(super) rather_near: Vec<Liking>,
    /// Preferred anti-affinity.
    pub(super) rather_away: Vec<Liking>,
    /// How pods are to be spread.
    pub(super) spread: Vec<Spread>,
    /// Ports of the node that they take, sorted.
    pub(super) ports: Vec<HostPort>,
}

/// Other pods that a pod prefers to be with, or without, and how much.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Liking {
    pub(super) term: Term,
    pub(super) weight: u32,
}

/// How evenly pods are spread.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Spread {
    /// Whom it counts, and over which label.
    pub(super) term: Term,
    pub(super) skew: u32,
    /// With fewer values than this the emptiest counts as empty.
    pub(super) least_values: usize,
    /// Nodes count that the pod does not select.
    pub(super) ignores_affinity: bool,
    /// Nodes count only where the pod tolerates their taints.
    pub(super) honours_taints: bool,
    /// Pods may be spread less evenly, but should not.
    pub(super) preferred: bool,
}

/// A port of the node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct HostPort {
    pub(super) port: i32,
    pub(super) protocol: String,
    /// The address that it listens at; [`EVERYWHERE`] where it listens at all.
    pub(super) address: String,
}

impl HostPort {
    /// Whether the two cannot be on one node.
    pub(super) fn meets(&self, other: &HostPort) -> bool {
        let (here, there) = (self.address.as_str(), other.address.as_str());
        (self.port, &self.protocol) == (other.port, &other.protocol)
            && (here == there || here == EVERYWHERE || there == EVERYWHERE)
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.address != EVERYWHERE {
            write!(f, "{}:", self.address)?;
        }
        write!(f, "{}/{}", self.port, self.protocol)
    }
}

/// The address that stands for all of a node.
pub(super) const EVERYWHERE: &str = "0.0.0.0";

/// The ports of the node that the pod takes: of its containers and of its sidecars, which run
/// beside them.
fn ports(spec: &PodSpec) -> Vec<HostPort> {
    let sidecars = spec.init_containers.iter().flatten();
    let sidecars = sidecars.filter(|one| one.restart_policy.as_deref() == Some("Always"));
    let all = spec.containers.iter().chain(sidecars).flat_map(|one| one.ports.iter().flatten());
    let on_host = spec.host_network == Some(true);
    let taken = all.filter_map(|one| {
        // On the host's network a port of the container is one of the node.
        let own = one.host_port.filter(|port| *port > 0);
        let port = own.or(on_host.then_some(one.container_port))?;
        let text = |value: &Option<String>, usual: &str| {
            value.clone().filter(|text| !text.is_empty()).unwrap_or_else(|| usual.to_owned())
        };
        let (protocol, address) = (text(&one.protocol, "TCP"), text(&one.host_ip, EVERYWHERE));
        Some(HostPort { port, protocol, address })
    });
    let mut taken: Vec<HostPort> = taken.collect();
    taken.sort();
    taken.dedup();
    taken
}

/// Other pods, and the label whose values count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Term {
    pub(super) over: String,
    pub(super) selector: Selector,
    /// In these namespaces.
    pub(super) namespaces: Vec<String>,
    /// And in those with such labels.
    pub(super) namespaces_with: Option<Selector>,
}

/// What the pod asks of others.
pub(super) fn terms(spec: &PodSpec, namespace: &str, labels: &Labels, tell: Tell) -> Terms {
    let mut all = Terms { ports: ports(spec), ..Terms::default() };
    let affinity = spec.affinity.as_ref();
    let near = affinity.and_then(|a| a.pod_affinity.as_ref());
    let away = affinity.and_then(|a| a.pod_anti_affinity.as_ref());
    let required = |list: Option<&Vec<PodAffinityTerm>>, name: &str, tell: Tell| -> Vec<Term> {
        let at = format!("spec.affinity.{name}.requiredDuringSchedulingIgnoredDuringExecution");
        let terms = list.into_iter().flatten().enumerate();
        let read = terms.filter_map(|(k, one)| match term(one, namespace, labels) {
            Ok(term) => Some(term),
            Err(what) => {
                tell(Direction::Wider, format!("{at}[{k}]"), what);
                None
            }
        });
        read.collect()
    };
    let list = near.and_then(|a| a.required_during_scheduling_ignored_during_execution.as_ref());
    all.near = required(list, "podAffinity", tell);
    let list = away.and_then(|a| a.required_during_scheduling_ignored_during_execution.as_ref());
    all.away = required(list, "podAntiAffinity", tell);
    let liked = |list: Option<&Vec<WeightedPodAffinityTerm>>, name: &str, tell: Tell| {
        let at = format!("spec.affinity.{name}.preferredDuringSchedulingIgnoredDuringExecution");
        let terms = list.into_iter().flatten().enumerate();
        let read =
            terms.filter_map(|(k, one)| match term(&one.pod_affinity_term, namespace, labels) {
                Ok(term) => Some(Liking { term, weight: one.weight.unsigned_abs() }),
                Err(what) => {
                    tell(Direction::Wider, format!("{at}[{k}]"), what);
                    None
                }
            });
        read.collect()
    };
    let list = near.and_then(|a| a.preferred_during_scheduling_ignored_during_execution.as_ref());
    all.rather_near = liked(list, "podAffinity", tell);
    let list = away.and_then(|a| a.preferred_during_scheduling_ignored_during_execution.as_ref());
    all.rather_away = liked(list, "podAntiAffinity", tell);
    for (k, one) in spec.topology_spread_constraints.iter().flatten().enumerate() {
        let at = format!("spec.topologySpreadConstraints[{k}]");
        let alike = one.match_label_keys.as_ref();
        match (Selector::of(one.label_selector.as_ref(), labels, alike, None), one.max_skew) {
            (Ok(selector), skew @ 1..) => {
                let (over, namespaces) = (one.topology_key.clone(), vec![namespace.to_owned()]);
                let term = Term { over, selector, namespaces, namespaces_with: None };
                all.spread.push(Spread {
                    term,
                    skew: skew.unsigned_abs(),
                    least_values: one.min_domains.map_or(1, |least| least.max(1) as usize),
                    ignores_affinity: one.node_affinity_policy.as_deref() == Some("Ignore"),
                    honours_taints: one.node_taints_policy.as_deref() == Some("Honor"),
                    preferred: one.when_unsatisfiable == "ScheduleAnyway",
                });
            }
            (Ok(_), skew) => {
                let what = format!("{skew} is not 1 or more");
                tell(Direction::Wider, format!("{at}.maxSkew"), what);
            }
            (Err(what), _) => tell(Direction::Wider, format!("{at}.labelSelector"), what),
        }
    }
    all
}

fn term(term: &PodAffinityTerm, namespace: &str, labels: &Labels) -> Result<Term, String> {
    let (alike, unlike) = (term.match_label_keys.as_ref(), term.mismatch_label_keys.as_ref());
    let none = Labels::new();
    let with = term.namespace_selector.as_ref();
    let namespaces_with =
        with.map(|selector| Selector::of(Some(selector), &none, None, None)).transpose()?;
    let mut namespaces = term.namespaces.clone().unwrap_or_default();
    if namespaces.is_empty() && namespaces_with.is_none() {
        namespaces.push(namespace.to_owned());
    }
    namespaces.sort();
    Ok(Term {
        over: term.topology_key.clone(),
        selector: Selector::of(term.label_selector.as_ref(), labels, alike, unlike)?,
        namespaces,
        namespaces_with,
    })
}

/// `namespace/name` of the claims of devices of a pod, and whether that is a template's: what a
/// template made has a name of its own in the pod's status.
pub(super) fn devices(
    spec: &PodSpec,
    namespace: &str,
    status: Option<&PodStatus>,
) -> Vec<(String, bool)> {
    let made = |name: &str| {
        let mut all = status?.resource_claim_statuses.iter().flatten();
        all.find(|one| one.name == name)?.resource_claim_name.clone()
    };
    let one = |claim: &PodResourceClaim| {
        let own = claim.resource_claim_name.clone().or_else(|| made(&claim.name));
        match (own, &claim.resource_claim_template_name) {
            (Some(name), _) => Some((format!("{namespace}/{name}"), false)),
            (None, Some(template)) => Some((format!("{namespace}/{template}"), true)),
            // Nobody is to be found behind it.
            (None, None) => Some((format!("{namespace}/{}", claim.name), true)),
        }
    };
    spec.resource_claims.iter().flatten().filter_map(one).collect()
}

/// Tells of every field that bears on where a pod can run and is not planned with.
pub(super) fn unplanned(spec: &PodSpec, tell: Tell) {
    for (k, volume) in spec.volumes.iter().flatten().enumerate() {
        let kinds: [(&str, bool, &str); 5] = [
            (
                "awsElasticBlockStore",
                volume.aws_elastic_block_store.is_some(),
                "who else has the disk",
            ),
            ("gcePersistentDisk", volume.gce_persistent_disk.is_some(), "who else has the disk"),
            ("azureDisk", volume.azure_disk.is_some(), "who else has the disk"),
            ("iscsi", volume.iscsi.is_some(), "who else has the disk"),
            ("rbd", volume.rbd.is_some(), "who else has the disk"),
        ];
        for (kind, _, what) in kinds.into_iter().filter(|(_, is, _)| *is) {
            let what = format!("{what} is not planned with");
            tell(Direction::Wider, format!("spec.volumes[{k}].{kind}"), what);
        }
    }
    let whole: [(&str, bool, &str); 2] = [
        (
            "runtimeClassName",
            spec.runtime_class_name.is_some(),
            "the class is not there, its overhead and its nodes are not known: add kubectl get runtimeclasses",
        ),
        (
            "os",
            spec.os.as_ref().is_some_and(|os| os.name != "linux"),
            "nodes are told apart by their labels only",
        ),
    ];
    for (field, _, what) in whole.into_iter().filter(|(_, is, _)| *is) {
        tell(Direction::Wider, format!("spec.{field}"), what.to_owned());
    }
}

/// `namespace/name` of the group that a pod is a member of, and how many members the pod
/// itself says that the group has.
pub(super) fn group(
    namespace: &str,
    spec: &PodSpec,
    labels: Option<&BTreeMap<String, String>>,
    annotations: Option<&BTreeMap<String, String>>,
) -> Option<(String, Option<i64>)> {
    const LABELS: [&str; 4] = [
        "scheduling.x-k8s.io/pod-group",
        "pod-group.scheduling.sigs.k8s.io",
        "pod-group.scheduling.sigs.k8s.io/name",
        "kueue.x-k8s.io/pod-group-name",
    ];
    const ANNOTATIONS: [&str; 4] = [
        "scheduling.k8s.io/group-name",
        "scheduling.volcano.sh/group-name",
        "gang.scheduling.koordinator.sh/name",
        "pod-group-name",
    ];
    const SIZES: [&str; 3] = [
        "kueue.x-k8s.io/pod-group-total-count",
        "pod-group.scheduling.sigs.k8s.io/min-available",
        "gang.scheduling.koordinator.sh/min-available",
    ];
    let own = spec.scheduling_group.as_ref().and_then(|g| g.pod_group_name.as_ref());
    let label = |key: &&str| labels.and_then(|all| all.get(*key));
    let note = |key: &&str| annotations.and_then(|all| all.get(*key));
    let name = own.or_else(|| LABELS.iter().find_map(label));
    let Some(name) = name.or_else(|| ANNOTATIONS.iter().find_map(note)) else {
        return task_group(namespace, &label, &note);
    };
    let size = SIZES.iter().find_map(|key| label(key).or_else(|| note(key)));
    Some((format!("{namespace}/{name}"), size.and_then(|size| size.parse().ok())))
}

/// The same of YuniKorn's task groups, which one of the pods says the sizes of.
fn task_group<'a>(
    namespace: &str,
    label: &dyn Fn(&&str) -> Option<&'a String>,
    note: &dyn Fn(&&str) -> Option<&'a String>,
) -> Option<(String, Option<i64>)> {
    const APP: [&str; 2] = ["yunikorn.apache.org/app-id", "applicationId"];
    let name = note(&"yunikorn.apache.org/task-group-name")?;
    let app = APP.iter().find_map(|key| label(key).or_else(|| note(key)));
    let id = format!("{namespace}/{}/{name}", app.map_or("", String::as_str));
    let groups = note(&"yunikorn.apache.org/task-groups");
    let groups: Option<Value> = groups.and_then(|text| serde_json::from_str(text).ok());
    let own = |group: &&Value| group.get("name").and_then(Value::as_str) == Some(name);
    let groups = groups.as_ref().and_then(Value::as_array);
    let size = groups.and_then(|all| all.iter().find(own)?.get("minMember")?.as_i64());
    Some((id, size))
}
