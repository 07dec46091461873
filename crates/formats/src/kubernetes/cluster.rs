//! Everything the objects say, gathered before any of it is put together: objects come in
//! any order.

use std::collections::BTreeMap;
use std::hash::Hash;

use k8s_openapi::api::core::v1::{
    Namespace, Node, PersistentVolume, PersistentVolumeClaim, Pod as ApiPod, PodSpec,
};
use k8s_openapi::api::scheduling::v1::PriorityClass;
use k8s_openapi::api::storage::v1::StorageClass;
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::Value;

use super::super::source::Text;
use super::affinity;
use super::nodes::{Host, host};
use super::objects::{Object, Place};
use super::pods::{Class, Pod, Terms, claims, group, terms, unplanned};
use super::requests::{Amounts, Wrong, effective};
use super::selectors::Labels;
use super::volumes::Volumes;
use super::warnings::Warnings;
use super::workloads::{Workload, controller, workloads};
use base::error::{Error, Result};
use model::{Direction, MOST_TASKS, Requirement};

/// Annotations by which pods ask for a share of a GPU (KAI).
const SHARES: [&str; 3] = ["gpu-fraction", "gpu-memory", "gpu-fraction-num-devices"];

/// Kinds of objects that say nothing of where pods may run.
const INDIFFERENT: [&str; 20] = [
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
    "PodDisruptionBudget",
    "Role",
    "RoleBinding",
    "Secret",
    "Service",
    "ServiceAccount",
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
    files: Vec<String>,
    pub(super) hosts: Vec<Host>,
    pub(super) running: Vec<Pod>,
    pub(super) waiting: Vec<Pod>,
    pub(super) classes: Vec<Class>,
    class_at: Interned<Class>,
    pub(super) requirements: Vec<Requirement>,
    pub(super) requirement_at: Interned<Requirement>,
    /// What pods need; equal needs share a position.
    pub(super) needs: Vec<Amounts>,
    needs_at: Interned<Amounts>,
    /// Labels of namespaces.
    pub(super) namespaces: FxHashMap<String, Labels>,
    /// Fewest members of pod groups that run at once.
    pub(super) groups: FxHashMap<String, i64>,
    pub(super) volumes: Volumes,
    priorities: FxHashMap<String, i64>,
    usual_priority: i64,
    workloads: Vec<Workload>,
    /// Pods that are there by their controller: namespace, kind, name.
    owned: FxHashMap<(String, String, String), i64>,
    seen: FxHashMap<String, Place>,
    /// When the newest thing in the files happened, in seconds since 1970.
    pub(super) newest: Option<i64>,
    pub(super) warnings: Warnings,
}

/// A pod as manifest or dump have it.
struct Template<'a> {
    place: Place,
    /// Where fields are: `spec` is `spec.template.spec` in manifests.
    whole_place: String,
    prefix: &'a str,
    id: String,
    namespace: &'a str,
    labels: &'a Labels,
    annotations: Option<&'a BTreeMap<String, String>>,
    spec: &'a PodSpec,
}

impl Cluster {
    pub(super) fn new(sources: &[Text]) -> Cluster {
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
            namespaces: FxHashMap::default(),
            groups: FxHashMap::default(),
            volumes: Volumes::default(),
            priorities: FxHashMap::default(),
            usual_priority: 0,
            workloads: Vec::new(),
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
                self.volumes.volume(volume, &mut |errs, field, what| {
                    warnings.assume(errs, &place, &field, &what);
                });
            }
            ("", "PersistentVolumeClaim") => {
                self.volumes.claim(object.typed::<PersistentVolumeClaim>(source)?.0);
            }
            ("storage.k8s.io", "StorageClass") => {
                self.volumes.class(object.typed::<StorageClass>(source)?.0);
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
    fn unknown(&mut self, place: &str, fields: &[String]) {
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

    fn pod_group(&mut self, object: &Object, place: &str) {
        let spec = object.value.get("spec");
        let gang = spec.and_then(|spec| spec.pointer("/schedulingPolicy/gang/minCount"));
        let least = spec.and_then(|spec| spec.get("minMember")).or(gang);
        match least.and_then(Value::as_i64) {
            Some(least) => {
                let id = if object.name.contains('/') {
                    object.name.clone()
                } else {
                    format!("default/{}", object.name)
                };
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

    fn pod(&mut self, source: Text, object: &Object, place: &str) -> Result<()> {
        let (pod, unknown) = object.typed::<ApiPod>(source)?;
        let ApiPod { metadata, spec, status } = pod;
        let Some(spec) = spec else {
            return Err(source.error("missing field `spec`").at(object.whole_place()));
        };
        let phase = status.as_ref().and_then(|status| status.phase.as_deref());
        let namespace = metadata.namespace.as_deref().unwrap_or("default");
        let name = metadata.name.as_deref().or(metadata.generate_name.as_deref());
        let id = format!("{namespace}/{}", name.unwrap_or_default());
        self.once(source, object, format!("pod {id}"))?;
        if matches!(phase, Some("Succeeded" | "Failed")) {
            return Ok(());
        }
        if let Some((kind, name)) = controller(&metadata) {
            *self.owned.entry((namespace.to_owned(), kind, name)).or_insert(0) += 1;
        }
        let runs = spec.node_name.as_ref().is_some_and(|node| !node.is_empty());
        let ends = metadata.deletion_timestamp.is_some();
        let waits = !runs && !ends;
        if !runs && !waits {
            let what = "the pod is being deleted before it ran: it is left out";
            self.warnings.add(place, "metadata.deletionTimestamp", what);
            return Ok(());
        }
        if waits && spec.scheduling_gates.as_ref().is_some_and(|gates| !gates.is_empty()) {
            let what = "the pod is not to be scheduled before its gates are open: it is left out";
            self.warnings.add(place, "spec.schedulingGates", what);
            return Ok(());
        }
        let labels = metadata.labels.unwrap_or_default();
        let needs = effective(&spec, status.as_ref().filter(|_| runs));
        let needs = needs.map_err(|wrong| bad(source, object, "spec.", wrong))?;
        let template = Template {
            place: object.place,
            whole_place: place.to_owned(),
            prefix: "",
            id,
            namespace,
            labels: &labels,
            annotations: metadata.annotations.as_ref(),
            spec: &spec,
        };
        let mut pod = self.classed(&template, needs, waits);
        let began = status.and_then(|status| status.start_time).map(|time| time.0.as_second());
        let made = metadata.creation_timestamp.map(|time| time.0.as_second());
        self.newest = self.newest.max(began).max(made);
        if waits {
            self.unknown(place, &unknown);
            self.waiting.push(pod);
        } else {
            (pod.node, pod.ends) = (spec.node_name, ends);
            pod.end = pod.most.and_then(|most| began?.checked_add(most));
            self.running.push(pod);
        }
        Ok(())
    }

    /// The pod with its class, what it needs, and if it waits what it asks.
    fn classed(&mut self, template: &Template, needs: Amounts, waits: bool) -> Pod {
        let Template { spec, namespace, labels, .. } = template;
        let mut told: Vec<(Direction, String, String)> = Vec::new();
        let mut tell =
            |errs: Direction, field: String, what: String| told.push((errs, field, what));
        let mut terms = terms(spec, namespace, labels, &mut tell);
        let mut requirement = Requirement::default();
        if waits {
            requirement = affinity::requirement(spec, &mut tell);
            unplanned(spec, &mut tell);
        } else {
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
        for key in SHARES.iter().filter(|_| waits) {
            if template.annotations.is_some_and(|notes| notes.contains_key(*key)) {
                let what = "a share of a GPU that an annotation asks for is not planned with";
                let field = format!("{}metadata.annotations.{key}", template.prefix);
                self.warnings.assume(Direction::Wider, &template.whole_place, &field, what);
            }
        }
        let member = group(namespace, spec, Some(labels), template.annotations);
        if let Some((group, Some(size))) = &member {
            self.groups.entry(group.clone()).or_insert(*size);
        }
        let class = Class { namespace: (*namespace).to_owned(), labels: (*labels).clone(), terms };
        Pod {
            id: template.id.clone(),
            place: template.place,
            class: self.class_at.number(&mut self.classes, class),
            requirement: self.requirement_at.number(&mut self.requirements, requirement),
            most: spec.active_deadline_seconds.filter(|most| *most > 0),
            end: None,
            needs: self.needs_at.number(&mut self.needs, needs),
            priority: spec.priority.map(i64::from),
            priority_class: spec.priority_class_name.clone(),
            node: None,
            claims: claims(spec, namespace),
            ends: false,
            group: member.map(|(group, _)| group),
            template: None,
        }
    }

    /// Turns manifests into the pods that they will make and that are not there yet.
    ///
    /// # Errors
    /// Quantities that are none.
    pub(super) fn expand(&mut self) -> Result<()> {
        let workloads = std::mem::take(&mut self.workloads);
        let key = |w: &Workload| (w.namespace.clone(), w.kind.clone(), w.name.clone());
        let there: FxHashSet<_> = workloads.iter().map(key).collect();
        for workload in &workloads {
            let owner = workload.owner.clone();
            let made = owner.map(|(kind, name)| (workload.namespace.clone(), kind, name));
            if made.is_some_and(|owner| there.contains(&owner)) {
                continue; // what made it is there and counts its pods
            }
            let place = self.show(workload.place, &workload.name);
            self.unknown(&place, &workload.unknown);
            if workload.suspended {
                self.warnings.add(&place, "spec.suspend", "it is suspended: no pods are planned");
                continue;
            }
            self.expand_one(workload, &workloads, &place)?;
        }
        Ok(())
    }

    fn expand_one(&mut self, workload: &Workload, all: &[Workload], place: &str) -> Result<()> {
        let Workload { namespace, kind, name, template, .. } = workload;
        let owned = |kind: &str, name: &str| {
            let key = (namespace.clone(), kind.to_owned(), name.to_owned());
            self.owned.get(&key).copied().unwrap_or(0)
        };
        let mut there = owned(kind, name);
        if kind == "Deployment" {
            let sets = all.iter().filter(|w| w.kind == "ReplicaSet" && w.namespace == *namespace);
            let mut names: Vec<&str> = (self.owned.keys())
                .filter(|(space, kind, set)| {
                    let of = set.strip_prefix(name).and_then(|rest| rest.strip_prefix('-'));
                    let hash = of.is_some_and(|hash| !hash.is_empty() && !hash.contains('-'));
                    space == namespace && kind == "ReplicaSet" && hash
                })
                .map(|(_, _, set)| set.as_str())
                .collect();
            // Where the sets themselves are there, they say whose they are.
            let mine = |w: &&Workload| {
                w.owner.as_ref().is_some_and(|(kind, of)| kind == "Deployment" && of == name)
            };
            let known: Vec<&Workload> = sets.collect();
            names.retain(|set| known.iter().filter(|w| w.name == **set).all(&mine));
            there += names.iter().map(|set| owned("ReplicaSet", set)).sum::<i64>();
        }
        let wanted = (workload.replicas - there).max(0);
        let spec = template.spec.clone().unwrap_or_default();
        let metadata = template.metadata.clone().unwrap_or_default();
        let labels = metadata.labels.unwrap_or_default();
        let prefix = format!("{}.", workload.template_at);
        let needs = effective(&spec, None).map_err(|wrong| {
            let place = format!("{}, {prefix}spec.{}", workload.whole_place, wrong.field);
            Error::input(&self.files[workload.place.file], wrong.cause).at(place)
        })?;
        let template = Template {
            place: workload.place,
            whole_place: place.to_owned(),
            prefix: &prefix,
            id: String::new(),
            namespace,
            labels: &labels,
            annotations: metadata.annotations.as_ref(),
            spec: &spec,
        };
        if wanted == 0 {
            return Ok(());
        }
        if wanted > MOST_TASKS as i64 - self.waiting.len() as i64 {
            let cause = format!("{wanted} pods, an instance has at most {MOST_TASKS} tasks");
            let error = Error::input(&self.files[workload.place.file], cause);
            return Err(error.at(workload.whole_place.clone()).help("ask for fewer replicas"));
        }
        if spec.node_name.is_some() {
            let what = "the manifest names a node: its pods are planned all the same";
            self.warnings.add(place, &format!("{prefix}spec.nodeName"), what);
        }
        let mut pod = self.classed(&template, needs, true);
        if let Some((group, least)) = &workload.gang {
            self.groups.entry(group.clone()).or_insert(*least);
            pod.group = Some(group.clone());
        }
        pod.most = pod.most.into_iter().chain(workload.most.filter(|most| *most > 0)).min();
        pod.template = Some(workload.template_at.clone());
        let mut number = workload.first;
        let mut left = wanted;
        while left > 0 {
            let id = format!("{namespace}/{name}-{number}");
            number += 1;
            let known = format!("pod {id}");
            if self.seen.contains_key(&known) {
                continue;
            }
            self.seen.insert(known, workload.place);
            self.waiting.push(Pod { id, ..pod.clone() });
            left -= 1;
        }
        Ok(())
    }

    /// The priority of a waiting pod: its own, that of its class, or the usual one.
    pub(super) fn priority(&mut self, k: usize) -> i64 {
        let pod = self.waiting[k].clone();
        if let Some(priority) = pod.priority {
            return priority;
        }
        let Some(class) = pod.priority_class.as_deref().filter(|name| !name.is_empty()) else {
            return self.usual_priority;
        };
        let known = self.priorities.get(class).copied().or(match class {
            "system-cluster-critical" => Some(2_000_000_000),
            "system-node-critical" => Some(2_000_001_000),
            _ => None,
        });
        known.unwrap_or_else(|| {
            let place = self.show(pod.place, &pod.id);
            let what = format!(
                "the priority class `{class}` is not known, the priority is {}: add kubectl get priorityclasses",
                self.usual_priority
            );
            self.warnings.assume(Direction::Either, &place, "spec.priorityClassName", &what);
            self.usual_priority
        })
    }
}

fn bad(source: Text, object: &Object, prefix: &str, wrong: Wrong) -> Error {
    let place = format!("{}, {prefix}{}", object.whole_place(), wrong.field);
    let remedy = "write such as 500m, 2, 1.5Gi or 1e9";
    source.error(wrong.cause).at(place).help(remedy)
}
