//! Where volumes can be mounted: claims, the volumes they are bound to, and the classes that would
//! make them. After kube-scheduler's `volumebinding`, `volumezone` and `volumerestrictions`.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    NodeSelectorTerm, PersistentVolume, PersistentVolumeClaim, TopologySelectorTerm,
};
use k8s_openapi::api::storage::v1::StorageClass;
use rustc_hash::FxHashMap;

use super::affinity::{Tell, narrow, selection, with};
use super::cluster::Cluster;
use super::quotas::limit;
use model::{Direction, Requirement, RuleDraft, Selection};

/// Labels of a volume that its node must have too.
const ZONES: [&str; 4] = [
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
];
/// What separates the zones of a volume that is in several.
const SEVERAL: &str = "__";
/// Stands for what a pod waits for before any node will do.
const WAITS: &str = "volume claim";
/// The class of claims that name none.
const DEFAULT_CLASS: &str = "storageclass.kubernetes.io/is-default-class";
/// Makes no volumes: those that are there have to do.
const NO_PROVISIONER: &str = "kubernetes.io/no-provisioner";

/// A claim.
#[derive(Debug)]
struct Claim {
    /// The volume it is bound to.
    volume: Option<String>,
    class: Option<String>,
    /// One pod alone may use it.
    alone: bool,
}

/// What there is of volumes.
#[derive(Debug, Default)]
pub(super) struct Volumes {
    claims: FxHashMap<String, Claim>,
    /// What each volume asks of nodes: one of these.
    volumes: FxHashMap<String, Vec<Selection>>,
    classes: FxHashMap<String, Class>,
    usual_class: Option<String>,
}

/// A class that makes volumes.
#[derive(Debug)]
struct Class {
    /// The pod comes first, the volume after it.
    waits: bool,
    makes: bool,
    /// Where they can be: anywhere, or one of these.
    topologies: Vec<Selection>,
}

impl Volumes {
    /// Takes a volume over.
    pub(super) fn volume(&mut self, volume: PersistentVolume, tell: Tell) {
        let spec = volume.spec.unwrap_or_default();
        let required = spec.node_affinity.and_then(|affinity| affinity.required);
        let at = "spec.nodeAffinity.required.nodeSelectorTerms";
        let term = |(k, term): (usize, &NodeSelectorTerm), tell: Tell| {
            selection(term, &format!("{at}[{k}]"), tell)
        };
        let terms = required.map(|required| required.node_selector_terms);
        let mut either: Vec<Selection> =
            (terms.iter().flatten().enumerate()).map(|one| term(one, &mut *tell)).collect();
        let labels = volume.metadata.labels.unwrap_or_default();
        let zones = ZONES.iter().filter_map(|key| Some((*key, labels.get(*key)?)));
        let zones: Vec<(&str, &String)> = zones.collect();
        if either.is_empty() && !zones.is_empty() {
            either.push(Selection::default());
        }
        for one in &mut either {
            for (key, values) in &zones {
                narrow(one, key, values.split(SEVERAL).map(str::to_owned).collect());
            }
        }
        self.volumes.insert(volume.metadata.name.unwrap_or_default(), either);
    }

    /// Takes a claim over.
    pub(super) fn claim(&mut self, claim: PersistentVolumeClaim) {
        let namespace = claim.metadata.namespace.unwrap_or_else(|| "default".to_owned());
        let id = format!("{namespace}/{}", claim.metadata.name.unwrap_or_default());
        let spec = claim.spec.unwrap_or_default();
        let modes = spec.access_modes.unwrap_or_default();
        let (volume, class) = (spec.volume_name, spec.storage_class_name);
        let alone = modes.iter().any(|mode| mode == "ReadWriteOncePod");
        let volume = volume.filter(|name| !name.is_empty());
        self.claims.insert(id, Claim { volume, class, alone });
    }

    /// Takes a class over.
    pub(super) fn class(&mut self, class: StorageClass) {
        let name = class.metadata.name.unwrap_or_default();
        let notes = class.metadata.annotations.unwrap_or_default();
        if notes.get(DEFAULT_CLASS).is_some_and(|text| text == "true") {
            self.usual_class = Some(name.clone());
        }
        let topology = |term: &TopologySelectorTerm| {
            let mut one = Selection::default();
            for asks in term.match_label_expressions.iter().flatten() {
                narrow(&mut one, &asks.key, asks.values.clone());
            }
            one
        };
        let topologies = class.allowed_topologies.iter().flatten().map(topology).collect();
        let waits = class.volume_binding_mode.as_deref() == Some("WaitForFirstConsumer");
        let makes = class.provisioner != NO_PROVISIONER;
        self.classes.insert(name, Class { waits, makes, topologies });
    }

    /// Whether one pod alone may use the claim.
    pub(super) fn is_alone(&self, claim: &str) -> bool {
        self.claims.get(claim).is_some_and(|claim| claim.alone)
    }

    /// What a pod with the claim asks of nodes beside what it asks anyhow.
    pub(super) fn narrow(&self, claim: &str, asked: &mut Requirement, tell: Tell) {
        let mut assume = |what: String| tell(Direction::Wider, "spec.volumes".to_owned(), what);
        let Some(known) = self.claims.get(claim) else {
            assume(format!(
                "the claim `{claim}` is not there, where its volume can be mounted is not planned with: add kubectl get pv,pvc,storageclass -A"
            ));
            return;
        };
        let either = match &known.volume {
            Some(name) => match self.volumes.get(name) {
                Some(either) => either,
                None => {
                    assume(format!(
                        "the volume `{name}` is not there, where it can be mounted is not planned with: add kubectl get pv"
                    ));
                    return;
                }
            },
            None => {
                let class = known.class.clone().filter(|name| !name.is_empty());
                let usual = || self.usual_class.clone().filter(|_| known.class.is_none());
                let name = class.or_else(usual);
                match name.as_ref().map(|name| (name, self.classes.get(name))) {
                    Some((_, Some(class))) if class.waits && class.makes => &class.topologies,
                    Some((name, Some(class))) if class.waits => {
                        assume(format!(
                            "the class `{name}` makes no volumes, and which of those there are fit is not planned with"
                        ));
                        return;
                    }
                    Some((name, None)) => {
                        assume(format!(
                            "the storage class `{name}` is not there, where its volumes can be is not planned with: add kubectl get storageclass"
                        ));
                        return;
                    }
                    // Bound before any pod, by somebody else.
                    Some(_) | None => {
                        let mut waits = Selection::default();
                        narrow(&mut waits, WAITS, vec![format!("{claim} is bound")]);
                        *asked = with(asked, &waits);
                        return;
                    }
                }
            }
        };
        match &either[..] {
            [] => {}
            [one] => *asked = with(asked, one),
            several if asked.either.is_empty() => asked.either = several.to_vec(),
            _ => assume(format!(
                "the volume of `{claim}` is in one of several places, beside other alternatives of the pod: not planned with"
            )),
        }
    }
}

impl Cluster {
    /// Asks of nodes what the volumes of waiting pods ask of them.
    pub(super) fn mount(&mut self) {
        for k in 0..self.waiting.len() {
            let pod = &self.waiting[k];
            if pod.claims.is_empty() {
                continue;
            }
            let place = self.show(pod.place, &pod.id);
            let mut asked = self.requirements[pod.requirement].clone();
            for claim in &pod.claims {
                let warnings = &mut self.warnings;
                let tell: Tell =
                    &mut |errs, field, what| warnings.assume(errs, &place, &field, &what);
                self.volumes.narrow(claim, &mut asked, tell);
            }
            let number = self.requirement_at.number(&mut self.requirements, asked);
            self.waiting[k].requirement = number;
        }
    }

    /// Claims that one pod alone may use: of those that wait one, none where one runs that has it.
    pub(super) fn volumes_of_one(&self) -> Vec<RuleDraft> {
        let mut users: BTreeMap<&str, (i64, Vec<String>)> = BTreeMap::new();
        for (pod, waits) in
            self.waiting.iter().map(|p| (p, true)).chain(self.running.iter().map(|p| (p, false)))
        {
            for claim in pod.claims.iter().filter(|claim| self.volumes.is_alone(claim)) {
                let (runs, waiting) = users.entry(claim).or_default();
                if waits {
                    waiting.push(pod.id.clone());
                } else {
                    *runs += 1;
                }
            }
        }
        let rules =
            users.into_iter().filter(|(_, (runs, waiting))| waiting.len() as i64 + runs > 1);
        let rules = rules.filter(|(_, (_, waiting))| !waiting.is_empty());
        rules
            .map(|(claim, (runs, waiting))| {
                let most = i64::from(runs == 0);
                limit(&format!("one pod has {claim}"), "tasks", "", None, most, waiting)
            })
            .collect()
    }
}
