//! Everything the objects say, gathered before any of it is put together: objects come in
//! any order.

use std::collections::BTreeMap;
use std::hash::Hash;

use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::{
    LimitRange, Namespace, Node, PersistentVolume, PersistentVolumeClaim, Pod as ApiPod, PodSpec,
    ResourceQuota,
};
use k8s_openapi::api::node::v1::RuntimeClass;
use k8s_openapi::api::scheduling::v1::PriorityClass;
use k8s_openapi::api::storage::v1::{CSINode, StorageClass};
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::Value;

use super::super::Running;
use super::super::source::Text;
use super::affinity::{self, NAME};
use super::claims::Claims;
use super::disruption::{Budget, belongs_to_node, keeps};
use super::nodes::{Host, host};
use super::objects::{Object, Place};
use super::operators::labels_of_pods;
use super::pods::{Class, Pod, Terms, devices, group, terms, unplanned};
use super::queues::{GATE, QUEUE, Queues};
use super::quotas::Quotas;
use super::requests::{Amounts, Wrong, effective};
use super::runtimes::Runtimes;
use super::selectors::Labels;
use super::shares::share;
use super::topology::{HyperNodes, topology};
use super::volumes::Volumes;
use super::warnings::Warnings;
use super::workloads::{Daemon, Workload, controller, workloads};
use base::error::{Error, Result};
use model::{Direction, Requirement};

/// The API group of devices and claims.
const DEVICES: &str = "resource.k8s.io";
/// The API group of Kueue.
const KUEUE: &str = "kueue.x-k8s.io";

/// Kinds of objects that say nothing of where pods may run.
const INDIFFERENT: [&str; 21] = [
    "AdmissionCheck",
    "ClusterRole",
    "ClusterRoleBinding",
    "ConfigMap",
    "ControllerRevision",
    "CustomResourceDefinition",
    "EndpointSlice",
    "Endpoints",
    "Event",
    "HorizontalPodAutoscaler",
    "Ingress",
    "IngressClass",
    "Kustomization",
    "Lease",
    "NetworkPolicy",
    "Role",
    "RoleBinding",
    "Secret",
    "Service",
    "ServiceAccount",
    "WorkloadPriorityClass",
];

/// Values that share a number when they are equal.
#[derive(Debug)]
pub(super) struct Interned<T>(FxHashMap<T, usize>);

impl<T: Clone + Eq + Hash> Interned<T> {
    pub(super) fn number(&mut self, list: &mut Vec<T>, value: T) -> usize {
        *self.0.entry(value).or_insert_with_key(|value| {
            list.push(value.clone());
            list.len() - 1
        })
    }
}

/// What was read.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) files: Vec<String>,
    pub(super) hosts: Vec<Host>,
    pub(super) running: Vec<Pod>,
    pub(super) waiting: Vec<Pod>,
    pub(super) classes: Vec<Class>,
    class_at: Interned<Class>,
    pub(super) requirements: Vec<Requirement>,
    pub(super) requirement_at: Interned<Requirement>,
    /// What pods need; equal needs share a position.
    pub(super) needs: Vec<Amounts>,
    pub(super) needs_at: Interned<Amounts>,
    /// Some pod asks for a share of a card.
    pub(super) shared: bool,
    /// Labels of namespaces.
    pub(super) namespaces: FxHashMap<String, Labels>,
    /// Fewest members of pod groups that run at once.
    pub(super) groups: FxHashMap<String, i64>,
    pub(super) volumes: Volumes,
    pub(super) runtimes: Runtimes,
    pub(super) hyper_nodes: HyperNodes,
    /// What a waiting pod needs on a host where that is not what it needs elsewhere: positions of
    /// the pod and the host, the resource, the amount.
    pub(super) there: Vec<(usize, usize, String, i64)>,
    pub(super) priorities: FxHashMap<String, i64>,
    pub(super) usual_priority: i64,
    pub(super) claims: Claims,
    pub(super) queues: Queues,
    pub(super) quotas: Quotas,
    pub(super) daemons: Vec<Daemon>,
    pub(super) budgets: Vec<Budget>,
    /// What becomes of pods that run.
    pub(super) mode: Running,
    pub(super) workloads: Vec<Workload>,
    /// What operators have made pods of: namespace, label of the pods, its value.
    pub(super) made: FxHashSet<(String, &'static str, String)>,
    /// Pods that are there by their controller: namespace, kind, name.
    pub(super) owned: FxHashMap<(String, String, String), i64>,
    pub(super) seen: FxHashMap<String, Place>,
    /// When the newest thing in the files happened, in seconds since 1970.
    pub(super) newest: Option<i64>,
    pub(super) warnings: Warnings,
}

/// A pod as manifest or dump have it.
pub(super) struct Template<'a> {
    pub(super) place: Place,
    /// Where fields are: `spec` is `spec.template.spec` in manifests.
    pub(super) whole_place: String,
    pub(super) prefix: &'a str,
    pub(super) id: String,
    pub(super) namespace: &'a str,
    pub(super) labels: &'a Labels,
    pub(super) annotations: Option<&'a BTreeMap<String, String>>,
    pub(super) spec: &'a PodSpec,
    /// It runs: what it asked of other pods when it came is asked no more, unless it moves.
    pub(super) runs: bool,
}

impl Cluster {
    pub(super) fn new(sources: &[Text], mode: Running) -> Cluster {
        Cluster {
            files: sources.iter().map(|source| source.name.to_owned()).collect(),
            hosts: Vec::new(),
            running: Vec::new(),
            waiting: Vec::new(),
            classes: Vec::new(),
            class_at: Interned(FxHashMap::default()),
            requirements: Vec::new(),
            requirement_at: Interned(FxHashMap::default()),
            needs: Vec::new(),
            needs_at: Interned(FxHashMap::default()),
            shared: false,
            namespaces: FxHashMap::default(),
            groups: FxHashMap::default(),
            volumes: Volumes::default(),
            runtimes: Runtimes::default(),
            hyper_nodes: HyperNodes::default(),
            there: Vec::new(),
            priorities: FxHashMap::default(),
            usual_priority: 0,
            claims: Claims::default(),
            queues: Queues::default(),
            quotas: Quotas::default(),
            daemons: Vec::new(),
            budgets: Vec::new(),
            mode,
            workloads: Vec::new(),
            made: FxHashSet::default(),
            owned: FxHashMap::default(),
            seen: FxHashMap::default(),
            newest: None,
            warnings: Warnings::default(),
        }
    }

    /// `file: items[5] default/web-0`
    pub(super) fn show(&self, place: Place, name: &str) -> String {
        let within = place.within();
        let parts = [within.as_str(), name].into_iter().filter(|part| !part.is_empty());
        let object = parts.collect::<Vec<_>>().join(" ");
        let file = &self.files[place.file];
        if object.is_empty() { file.clone() } else { format!("{file}: {object}") }
    }

    /// Takes an object over.
    pub(super) fn take(&mut self, source: Text, object: Object) -> Result<()> {
        let place = self.show(object.place, &object.name);
        object.is_named_well(source)?;
        match (object.group.as_str(), object.kind.as_str()) {
            ("", "Node") => {
                let (node, unknown) = object.typed::<Node>(source)?;
                self.unknown(&place, &unknown);
                let id = node.metadata.name.clone().unwrap_or_default();
                self.once(source, &object, format!("node {id}"))?;
                let host = host(&node, &place, &mut self.warnings);
                self.hosts.push(host.map_err(|wrong| bad(source, &object, "", wrong))?);
            }
            ("", "Pod") => self.pod(source, &object, &place)?,
            ("", "Namespace") => {
                let (namespace, _) = object.typed::<Namespace>(source)?;
                let labels = namespace.metadata.labels.unwrap_or_default();
                self.namespaces.insert(namespace.metadata.name.unwrap_or_default(), labels);
            }
            ("", "PersistentVolume") => {
                let (volume, _) = object.typed::<PersistentVolume>(source)?;
                let warnings = &mut self.warnings;
                let read = self.volumes.volume(volume, &mut |errs, field, what| {
                    warnings.assume(errs, &place, &field, &what);
                });
                read.map_err(|wrong| bad(source, &object, "", wrong))?;
            }
            ("", "PersistentVolumeClaim") => {
                let (claim, _) = object.typed::<PersistentVolumeClaim>(source)?;
                let read = self.volumes.claim(claim);
                read.map_err(|wrong| bad(source, &object, "", wrong))?;
            }
            ("storage.k8s.io", "StorageClass") => {
                self.volumes.class(object.typed::<StorageClass>(source)?.0);
            }
            ("storage.k8s.io", "CSINode") => {
                self.volumes.limits(object.typed::<CSINode>(source)?.0);
            }
            ("node.k8s.io", "RuntimeClass") => {
                self.runtimes.take(object.typed::<RuntimeClass>(source)?.0);
            }
            ("scheduling.k8s.io", "PriorityClass") => {
                let (class, _) = object.typed::<PriorityClass>(source)?;
                let value = i64::from(class.value.unwrap_or(0));
                if class.global_default == Some(true) {
                    self.usual_priority = value;
                }
                self.priorities.insert(class.metadata.name.unwrap_or_default(), value);
            }
            (_, "PodGroup") => self.pod_group(&object, &place),
            ("topology.volcano.sh", "HyperNode") => {
                if let Err((field, what)) = self.hyper_nodes.take(&object) {
                    self.warnings.assume(Direction::Either, &place, field, &what);
                }
            }
            ("scheduling.k8s.io", "Workload") => self.groups_of_workload(&object),
            ("apps" | "extensions", "DaemonSet") => {
                let (set, unknown) = object.typed::<DaemonSet>(source)?;
                self.daemons.push(Daemon::new(&object, set, unknown));
            }
            ("", "ResourceQuota") => {
                let (quota, _) = object.typed::<ResourceQuota>(source)?;
                let warnings = &mut self.warnings;
                let mut tell = |errs, field: String, what: String| {
                    warnings.assume(errs, &place, &field, &what);
                };
                let read = self.quotas.quota(quota, &mut tell);
                read.map_err(|wrong| bad(source, &object, "", wrong))?;
            }
            ("", "LimitRange") => {
                let (range, _) = object.typed::<LimitRange>(source)?;
                let warnings = &mut self.warnings;
                self.quotas.range(range, &mut |errs, field, what| {
                    warnings.assume(errs, &place, &field, &what);
                });
            }
            ("policy", "PodDisruptionBudget") => self.budget(source, &object, &place)?,
            (DEVICES, _) => {
                if !self.claims.take(&object) {
                    let what = format!("objects of kind {} are left out", object.kind);
                    self.warnings.assume(Direction::Either, &place, "kind", &what);
                }
            }
            (KUEUE, "Workload" | "WorkloadPriorityClass" | "AdmissionCheck") => {
                let what = format!("objects of kind {} are left out", object.kind);
                self.warnings.add(&place, "kind", &what);
            }
            (KUEUE, _) => {
                let taken = self.queues.take(&object);
                if !taken.map_err(|wrong| bad(source, &object, "", wrong))? {
                    let what = format!("objects of kind {} are left out", object.kind);
                    self.warnings.assume(Direction::Either, &place, "kind", &what);
                }
            }
            ("", "Binding") => {
                let what = "a Binding is part of a plan, not of a cluster: it is left out";
                self.warnings.add(&place, "kind", what);
            }
            _ => match workloads(&object, source)? {
                Some(list) => self.workloads.extend(list),
                None => {
                    let what = format!("objects of kind {} are left out", object.kind);
                    match INDIFFERENT.contains(&object.kind.as_str()) {
                        true => self.warnings.add(&place, "kind", &what),
                        false => self.warnings.assume(Direction::Either, &place, "kind", &what),
                    }
                }
            },
        }
        Ok(())
    }

    /// Notes fields of the specification that the API's types do not have.
    pub(super) fn unknown(&mut self, place: &str, fields: &[String]) {
        for field in fields.iter().filter(|field| field.starts_with("spec")) {
            self.warnings.assume(Direction::Either, place, field, "unknown field, left out");
        }
    }

    fn once(&mut self, source: Text, object: &Object, id: String) -> Result<()> {
        match self.seen.get(&id) {
            None => {
                self.seen.insert(id, object.place);
                Ok(())
            }
            Some(first) => {
                let first = self.show(*first, &object.name);
                let error = source.error(format!("{id} appears twice, first in {first}"));
                Err(error.at(object.whole_place()).help("give each object once"))
            }
        }
    }

    fn pod(&mut self, source: Text, object: &Object, place: &str) -> Result<()> {
        let (pod, unknown) = object.typed::<ApiPod>(source)?;
        let ApiPod { metadata, spec, status } = pod;
        let Some(mut spec) = spec else {
            return Err(source.error("missing field `spec`").at(object.whole_place()));
        };
        match metadata.uid {
            None => self.runtimes.fill_in(&mut spec),
            // The API server has done it.
            Some(_) => spec.runtime_class_name = None,
        }
        let phase = status.as_ref().and_then(|status| status.phase.as_deref());
        let namespace = metadata.namespace.as_deref().unwrap_or("default");
        let name = metadata.name.as_deref().or(metadata.generate_name.as_deref());
        let id = format!("{namespace}/{}", name.unwrap_or_default());
        self.once(source, object, format!("pod {id}"))?;
        let labels = metadata.labels.clone().unwrap_or_default();
        for key in labels_of_pods() {
            let made = labels.get(key).map(|of| (namespace.to_owned(), key, of.clone()));
            self.made.extend(made);
        }
        if matches!(phase, Some("Succeeded" | "Failed")) {
            return Ok(());
        }
        let owner = controller(&metadata);
        if let Some((kind, name)) = owner.clone() {
            *self.owned.entry((namespace.to_owned(), kind, name)).or_insert(0) += 1;
        }
        let notes = metadata.annotations.as_ref();
        let runs = spec.node_name.as_ref().is_some_and(|node| !node.is_empty());
        let ends = metadata.deletion_timestamp.is_some();
        if !runs && ends {
            let what = "the pod is being deleted before it ran: it is left out";
            self.warnings.add(place, "metadata.deletionTimestamp", what);
            return Ok(());
        }
        let gates = spec.scheduling_gates.iter().flatten().filter(|_| !runs);
        let (of_queues, gates): (Vec<_>, Vec<_>) =
            gates.partition(|gate| gate.name.starts_with(GATE));
        if !gates.is_empty() {
            let what = "the pod is not to be scheduled before its gates are open: it is left out";
            self.warnings.add(place, "spec.schedulingGates", what);
            return Ok(());
        }
        let of_node = belongs_to_node(owner.as_ref(), notes);
        let moves = match self.mode {
            Running::Load => false,
            Running::Movable(_) => runs && !ends && !of_node,
            Running::Evictable => runs && !ends,
        };
        let needs = effective(&spec, status.as_ref().filter(|_| runs));
        let needs = needs.map_err(|wrong| bad(source, object, "spec.", wrong))?;
        let template = Template {
            place: object.place,
            whole_place: place.to_owned(),
            prefix: "",
            id,
            namespace,
            labels: &labels,
            annotations: notes,
            spec: &spec,
            runs,
        };
        let is_task = !runs || moves;
        let mut pod = self.classed(&template, needs, is_task);
        pod.devices = devices(&spec, namespace, status.as_ref());
        let began = status.and_then(|status| status.start_time).map(|time| time.0.as_second());
        let made = metadata.creation_timestamp.map(|time| time.0.as_second());
        self.newest = self.newest.max(began).max(made);
        if !of_queues.is_empty() {
            pod.queue = labels.get(QUEUE).map(|queue| format!("{namespace}/{queue}"));
        }
        if let Some(group) = object.value.pointer("/spec/workloadRef/podGroup") {
            let of = object.value.pointer("/spec/workloadRef/name").and_then(Value::as_str);
            let (of, group) = (of.unwrap_or_default(), group.as_str().unwrap_or_default());
            pod.group = Some(format!("{namespace}/{of}/{group}"));
        }
        if let Running::Movable(eviction) = self.mode {
            pod.keeps = keeps(&spec, owner.as_ref(), notes, eviction);
        }
        pod.never_preempts = spec.preemption_policy.as_deref() == Some("Never");
        pod.owner = owner;
        if runs {
            pod.daemon_of = spec.node_name.clone().filter(|_| of_node);
            (pod.node, pod.ends) = (spec.node_name, ends);
            pod.end = pod.most.and_then(|most| began?.checked_add(most));
            if !moves {
                pod.queue = labels.get(QUEUE).map(|queue| format!("{namespace}/{queue}"));
            }
        } else if of_node {
            let asked = &self.requirements[pod.requirement].any_of;
            let host = asked.iter().find(|(key, _)| key == NAME);
            pod.daemon_of = host.and_then(|(_, hosts)| hosts.first().cloned());
        }
        if is_task {
            let known = |field: &&String| !field.starts_with("spec.workloadRef");
            let unknown: Vec<String> = unknown.iter().filter(known).cloned().collect();
            self.unknown(place, &unknown);
            self.waiting.push(pod);
        } else {
            self.running.push(pod);
        }
        Ok(())
    }

    /// Takes the name of a pod to be made; false where there is such a pod.
    pub(super) fn claim_id(&mut self, id: &str, place: Place) -> bool {
        self.seen.insert(format!("pod {id}"), place).is_none()
    }

    /// The pod with its class, what it needs, and if it waits what it asks.
    pub(super) fn classed(&mut self, template: &Template, needs: Amounts, waits: bool) -> Pod {
        let Template { spec, namespace, labels, .. } = template;
        let mut told: Vec<(Direction, String, String)> = Vec::new();
        let mut tell =
            |errs: Direction, field: String, what: String| told.push((errs, field, what));
        let mut terms = terms(spec, namespace, labels, &mut tell);
        let mut requirement = Requirement::default();
        if waits {
            requirement = affinity::requirement(spec, &mut tell);
            unplanned(spec, &mut tell);
        }
        if !waits || (template.runs && self.mode == Running::Evictable) {
            // Of what runs only that matters which keeps others away, and the ports that are taken.
            terms = Terms { away: terms.away, ports: terms.ports, ..Terms::default() };
            told.clear();
        }
        let all = terms.near.iter().chain(&terms.away);
        let by_label = all.filter_map(|term| term.namespaces_with.as_ref());
        if by_label.into_iter().any(|selector| selector.needs_labels())
            && self.namespaces.is_empty()
        {
            let what = "labels of namespaces are not known: add kubectl get namespaces";
            told.push((Direction::Either, "spec.affinity".to_owned(), what.to_owned()));
        }
        for (errs, field, what) in told {
            let field = format!("{}{field}", template.prefix);
            self.warnings.assume(errs, &template.whole_place, &field, &what);
        }
        let share = share(template.annotations).unwrap_or_else(|(key, what)| {
            let field = format!("{}metadata.annotations.{key}", template.prefix);
            self.warnings.assume(Direction::Wider, &template.whole_place, &field, &what);
            None
        });
        let topology = topology(template.annotations, |key, what| {
            let field = format!("{}metadata.annotations.{key}", template.prefix);
            self.warnings.assume(Direction::Wider, &template.whole_place, &field, what);
        });
        let member = group(namespace, spec, Some(labels), template.annotations);
        if let Some((group, Some(size))) = &member {
            self.groups.entry(group.clone()).or_insert(*size);
        }
        let requirement = self.requirement_at.number(&mut self.requirements, requirement);
        let class = Class { namespace: (*namespace).to_owned(), labels: (*labels).clone(), terms };
        Pod {
            id: template.id.clone(),
            place: template.place,
            class: self.class_at.number(&mut self.classes, class),
            requirement,
            own: requirement,
            most: spec.active_deadline_seconds.filter(|most| *most > 0),
            end: None,
            needs: self.needs_at.number(&mut self.needs, needs),
            priority: spec.priority.map(i64::from),
            priority_class: spec.priority_class_name.clone(),
            node: None,
            claims: self.mounted(spec, namespace, &template.id, &[]),
            devices: devices(spec, namespace, None),
            share,
            keeps: None,
            never_preempts: false,
            owner: None,
            daemon_of: None,
            queue: None,
            ends: false,
            group: member.map(|(group, _)| group),
            topology,
            template: None,
        }
    }
}

fn bad(source: Text, object: &Object, prefix: &str, wrong: Wrong) -> Error {
    let place = format!("{}, {prefix}{}", object.whole_place(), wrong.field);
    let remedy = "write such as 500m, 2, 1.5Gi or 1e9";
    source.error(wrong.cause).at(place).help(remedy)
}
