//! What of a pod matters for planning, and what would and is not understood.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{PodAffinityTerm, PodSpec};

use super::affinity::Tell;
use super::objects::Place;
use super::selectors::{Labels, Selector};

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
    /// Position of what it needs.
    pub(super) needs: usize,
    pub(super) priority: Option<i64>,
    pub(super) priority_class: Option<String>,
    /// Where it runs.
    pub(super) node: Option<String>,
    /// Seconds after which it is ended (`activeDeadlineSeconds`).
    pub(super) most: Option<i64>,
    /// When what runs is ended, in seconds since 1970.
    pub(super) end: Option<i64>,
    /// `namespace/name` of its pod group.
    pub(super) group: Option<String>,
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
    /// Spread that is a condition.
    pub(super) spread: Vec<(Term, u32)>,
}

/// Other pods, and the label whose values count.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
    let mut all = Terms::default();
    let affinity = spec.affinity.as_ref();
    let near = affinity.and_then(|a| a.pod_affinity.as_ref());
    let away = affinity.and_then(|a| a.pod_anti_affinity.as_ref());
    let required = |list: Option<&Vec<PodAffinityTerm>>, name: &str, tell: Tell| -> Vec<Term> {
        let at = format!("spec.affinity.{name}.requiredDuringSchedulingIgnoredDuringExecution");
        let terms = list.into_iter().flatten().enumerate();
        let read = terms.filter_map(|(k, one)| match term(one, namespace, labels) {
            Ok(term) => Some(term),
            Err(what) => {
                tell(format!("{at}[{k}]"), what);
                None
            }
        });
        read.collect()
    };
    let list = near.and_then(|a| a.required_during_scheduling_ignored_during_execution.as_ref());
    all.near = required(list, "podAffinity", tell);
    let list = away.and_then(|a| a.required_during_scheduling_ignored_during_execution.as_ref());
    all.away = required(list, "podAntiAffinity", tell);
    let near = near.and_then(|a| a.preferred_during_scheduling_ignored_during_execution.as_ref());
    let away = away.and_then(|a| a.preferred_during_scheduling_ignored_during_execution.as_ref());
    for (list, name) in [(near, "podAffinity"), (away, "podAntiAffinity")] {
        if list.is_some_and(|list| !list.is_empty()) {
            let field =
                format!("spec.affinity.{name}.preferredDuringSchedulingIgnoredDuringExecution");
            tell(field, "what pods only prefer of other pods is not planned with".to_owned());
        }
    }
    for (k, one) in spec.topology_spread_constraints.iter().flatten().enumerate() {
        let at = format!("spec.topologySpreadConstraints[{k}]");
        if one.when_unsatisfiable == "ScheduleAnyway" {
            let what = "ScheduleAnyway: an even spread that is only preferred is not planned with";
            tell(format!("{at}.whenUnsatisfiable"), what.to_owned());
            continue;
        }
        if one.min_domains.is_some_and(|most| most > 1) {
            tell(format!("{at}.minDomains"), "not planned with".to_owned());
        }
        if one.node_affinity_policy.as_deref() == Some("Ignore") {
            tell(format!("{at}.nodeAffinityPolicy"), "read as Honor".to_owned());
        }
        let alike = one.match_label_keys.as_ref();
        match (Selector::of(one.label_selector.as_ref(), labels, alike, None), one.max_skew) {
            (Ok(selector), skew @ 1..) => {
                let (over, namespaces) = (one.topology_key.clone(), vec![namespace.to_owned()]);
                let term = Term { over, selector, namespaces, namespaces_with: None };
                all.spread.push((term, skew.unsigned_abs()));
            }
            (Ok(_), skew) => tell(format!("{at}.maxSkew"), format!("{skew} is not 1 or more")),
            (Err(what), _) => tell(format!("{at}.labelSelector"), what),
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

/// Tells of every field that bears on where a pod can run and is not planned with.
pub(super) fn unplanned(spec: &PodSpec, tell: Tell) {
    let sidecars = spec.init_containers.iter().flatten();
    let lists = [
        ("containers", spec.containers.iter().collect::<Vec<_>>()),
        ("initContainers", sidecars.collect()),
    ];
    for (list, containers) in lists {
        for (k, container) in containers.into_iter().enumerate() {
            for (p, port) in container.ports.iter().flatten().enumerate() {
                let field = format!("spec.{list}[{k}].ports[{p}]");
                let on_host = spec.host_network == Some(true);
                if port.host_port.is_some_and(|port| port > 0) {
                    let what = "ports of the node are not planned with";
                    tell(format!("{field}.hostPort"), what.to_owned());
                } else if on_host {
                    let what = "hostNetwork: ports of the node are not planned with";
                    tell(format!("{field}.containerPort"), what.to_owned());
                }
            }
        }
    }
    for (k, volume) in spec.volumes.iter().flatten().enumerate() {
        let kinds: [(&str, bool, &str); 8] = [
            (
                "persistentVolumeClaim",
                volume.persistent_volume_claim.is_some(),
                "where the volume can be mounted",
            ),
            ("ephemeral", volume.ephemeral.is_some(), "where the volume can be mounted"),
            ("csi", volume.csi.is_some(), "how many volumes of a driver a node takes"),
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
            tell(format!("spec.volumes[{k}].{kind}"), format!("{what} is not planned with"));
        }
    }
    let whole: [(&str, bool, &str); 4] = [
        (
            "resourceClaims",
            spec.resource_claims.as_ref().is_some_and(|l| !l.is_empty()),
            "devices claimed by name are not planned with",
        ),
        (
            "schedulingGates",
            spec.scheduling_gates.as_ref().is_some_and(|l| !l.is_empty()),
            "the pod is planned as if its gates were open",
        ),
        (
            "runtimeClassName",
            spec.runtime_class_name.is_some() && spec.overhead.is_none(),
            "the overhead and the nodes that the class stands for are not known",
        ),
        (
            "os",
            spec.os.as_ref().is_some_and(|os| os.name != "linux"),
            "nodes are told apart by their labels only",
        ),
    ];
    for (field, _, what) in whole.into_iter().filter(|(_, is, _)| *is) {
        tell(format!("spec.{field}"), what.to_owned());
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
    const ANNOTATIONS: [&str; 2] =
        ["scheduling.k8s.io/group-name", "scheduling.volcano.sh/group-name"];
    const SIZES: [&str; 2] =
        ["kueue.x-k8s.io/pod-group-total-count", "pod-group.scheduling.sigs.k8s.io/min-available"];
    let own = spec.scheduling_group.as_ref().and_then(|g| g.pod_group_name.as_ref());
    let label = |key: &&str| labels.and_then(|all| all.get(*key));
    let note = |key: &&str| annotations.and_then(|all| all.get(*key));
    let name = own.or_else(|| LABELS.iter().find_map(label));
    let name = name.or_else(|| ANNOTATIONS.iter().find_map(note))?;
    let size = SIZES.iter().find_map(|key| label(key).or_else(|| note(key)));
    Some((format!("{namespace}/{name}"), size.and_then(|size| size.parse().ok())))
}
