//! Where volumes can be mounted: claims, the volumes they are bound to, and the classes that would
//! make them. After kube-scheduler's `volumebinding`, `volumezone` and `volumerestrictions`.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{
    NodeSelectorTerm, PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimSpec,
    TopologySelectorTerm,
};
use k8s_openapi::api::storage::v1::{CSINode, StorageClass};
use rustc_hash::FxHashMap;

use super::affinity::{HOSTNAME, NAME, Tell, bar, narrow, selection};
use super::attach::{Limits, driver};
use super::nodes::Host;
use super::requests::{Wrong, steps};
use super::selectors::{Labels, Selector};
use model::{ANY, Requirement, Selection};

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
pub(super) const WAITS: &str = "volume claim";
/// The class of claims that name none.
const DEFAULT_CLASS: &str = "storageclass.kubernetes.io/is-default-class";
/// Makes no volumes: those that are there have to do.
const NO_PROVISIONER: &str = "kubernetes.io/no-provisioner";

/// A claim.
#[derive(Clone, Debug)]
struct Claim {
    /// The volume it is bound to.
    volume: Option<String>,
    class: Option<String>,
    /// One pod alone may use it.
    alone: bool,
    /// What it asks of a volume that it has yet to get.
    asks: Asks,
}

/// What a claim asks of volumes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Asks {
    /// Bytes.
    pub(super) size: i64,
    pub(super) kind: Kind,
}

/// What claims may differ in beside their size.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind {
    pub(super) class: String,
    modes: Vec<String>,
    block: bool,
    selector: Option<Selector>,
}

/// A volume.
#[derive(Debug)]
pub(super) struct Volume {
    /// What it asks of its node: one of these, where there are any.
    pub(super) either: Vec<Selection>,
    /// Labels that its node must have too, with the values that will do.
    zones: Vec<(&'static str, Vec<String>)>,
    labels: Labels,
    class: String,
    size: i64,
    modes: Vec<String>,
    block: bool,
    /// The claim that it is for.
    of: Option<String>,
    available: bool,
    /// The driver that attaches it, and what tells it from others.
    handle: Option<(String, String)>,
}

/// What there is of volumes.
#[derive(Debug, Default)]
pub(super) struct Volumes {
    claims: FxHashMap<String, Claim>,
    /// Some claims were in the files: those that were not are not there.
    told: bool,
    volumes: BTreeMap<String, Volume>,
    pub(super) classes: FxHashMap<String, Class>,
    usual_class: Option<String>,
    pub(super) limits: Limits,
}

/// A class that makes volumes.
#[derive(Debug)]
pub(super) struct Class {
    /// The pod comes first, the volume after it.
    waits: bool,
    /// Who makes them, unless nobody does.
    pub(super) maker: Option<String>,
    /// Where they can be: anywhere, or one of these.
    pub(super) topologies: Vec<Selection>,
}

/// Where a claim stands.
pub(super) enum Stand<'a> {
    /// Not known, and what is missing.
    Unknown(String),
    /// No pod that mounts it is scheduled before this holds.
    Waits(String),
    Bound(&'a Volume),
    /// The pod comes first.
    Late(&'a Asks, &'a Class),
}

impl Volumes {
    /// Takes a volume over.
    pub(super) fn volume(&mut self, volume: PersistentVolume, tell: Tell) -> Result<(), Wrong> {
        let spec = volume.spec.unwrap_or_default();
        let handle = driver(&spec, &volume.metadata);
        let required = spec.node_affinity.and_then(|affinity| affinity.required);
        let at = "spec.nodeAffinity.required.nodeSelectorTerms";
        let term = |(k, term): (usize, &NodeSelectorTerm), tell: Tell| {
            selection(term, &format!("{at}[{k}]"), tell)
        };
        let terms = required.map(|required| required.node_selector_terms);
        // A term without expressions matches no node.
        let says = |term: &&NodeSelectorTerm| {
            term.match_expressions.is_some() || term.match_fields.is_some()
        };
        let said = terms.iter().flatten().filter(says).enumerate();
        let mut either: Vec<Selection> = said.map(|one| term(one, &mut *tell)).collect();
        if terms.is_some_and(|terms| !terms.is_empty()) && either.is_empty() {
            let mut nowhere = Selection::default();
            narrow(&mut nowhere, NAME, vec!["(a volume that no node reaches)".to_owned()]);
            either.push(nowhere);
        }
        let labels = volume.metadata.labels.unwrap_or_default();
        let zones = ZONES.iter().filter_map(|key| {
            Some((*key, labels.get(*key)?.split(SEVERAL).map(str::to_owned).collect()))
        });
        let phase = volume.status.and_then(|status| status.phase);
        let capacity = spec.capacity.unwrap_or_default();
        let size = capacity.get("storage").map_or(Ok(0), |size| steps("storage", size));
        let of = spec.claim_ref.map(|of| {
            let namespace = of.namespace.unwrap_or_default();
            format!("{namespace}/{}", of.name.unwrap_or_default())
        });
        let known = Volume {
            either,
            zones: zones.collect(),
            labels,
            class: spec.storage_class_name.unwrap_or_default(),
            size: size
                .map_err(|cause| Wrong { field: "spec.capacity.storage".to_owned(), cause })?,
            modes: spec.access_modes.unwrap_or_default(),
            block: spec.volume_mode.as_deref() == Some("Block"),
            of,
            available: phase.as_deref().is_none_or(|phase| phase == "Available"),
            handle,
        };
        self.volumes.insert(volume.metadata.name.unwrap_or_default(), known);
        Ok(())
    }

    /// Takes a claim over.
    pub(super) fn claim(&mut self, claim: PersistentVolumeClaim) -> Result<(), Wrong> {
        let namespace = claim.metadata.namespace.unwrap_or_else(|| "default".to_owned());
        let id = format!("{namespace}/{}", claim.metadata.name.unwrap_or_default());
        self.told = true;
        self.claims.insert(id, Claim::of(claim.spec.unwrap_or_default())?);
        Ok(())
    }

    /// A claim that is made with its pod, unless it is there.
    pub(super) fn expect_claim(&mut self, id: &str, spec: Option<PersistentVolumeClaimSpec>) {
        if !self.claims.contains_key(id)
            && let Ok(claim) = Claim::of(spec.unwrap_or_default())
        {
            self.claims.insert(id.to_owned(), claim);
        }
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
        let maker = Some(class.provisioner).filter(|maker| maker != NO_PROVISIONER);
        self.classes.insert(name, Class { waits, maker, topologies });
    }

    /// Takes over how many volumes a node attaches.
    pub(super) fn limits(&mut self, node: CSINode) {
        self.limits.take(node);
    }

    /// Whether one pod alone may use the claim.
    pub(super) fn is_alone(&self, claim: &str) -> bool {
        self.claims.get(claim).is_some_and(|claim| claim.alone)
    }

    fn class_of(&self, claim: &Claim) -> Option<String> {
        let usual = || self.usual_class.clone().filter(|_| claim.class.is_none());
        claim.class.clone().filter(|name| !name.is_empty()).or_else(usual)
    }

    /// Where the claim stands.
    pub(super) fn stand(&self, claim: &str) -> Stand<'_> {
        let Some(known) = self.claims.get(claim) else {
            return match self.told {
                true => Stand::Waits(format!("{claim} is there")),
                false => Stand::Unknown(format!(
                    "the claim `{claim}` is not there, where its volume can be mounted is not planned with: add kubectl get pv,pvc,storageclass -A"
                )),
            };
        };
        if let Some(name) = &known.volume {
            return match self.volumes.get(name) {
                Some(volume) => Stand::Bound(volume),
                None => Stand::Unknown(format!(
                    "the volume `{name}` is not there, where it can be mounted is not planned with: add kubectl get pv"
                )),
            };
        }
        let name = self.class_of(known);
        match name.as_ref().map(|name| (name, self.classes.get(name))) {
            Some((_, Some(class))) if class.waits => Stand::Late(&known.asks, class),
            Some((name, None)) => Stand::Unknown(format!(
                "the storage class `{name}` is not there, where its volumes can be is not planned with: add kubectl get storageclass"
            )),
            None if known.class.is_none() && self.classes.is_empty() => Stand::Unknown(format!(
                "the storage class of `{claim}` is not known, where its volume can be is not planned with: add kubectl get storageclass"
            )),
            // Bound before any pod, by somebody else.
            Some(_) | None => Stand::Waits(format!("{claim} is bound")),
        }
    }

    /// The driver that attaches the volume of a claim and what tells the volume from others.
    pub(super) fn handle(&self, claim: &str) -> Option<(String, String)> {
        match self.stand(claim) {
            Stand::Bound(volume) => volume.handle.clone(),
            Stand::Late(_, class) => Some((class.maker.clone()?, claim.to_owned())),
            Stand::Unknown(_) | Stand::Waits(_) => None,
        }
    }

    /// Whether a volume that is free will do for the claim, wherever it is.
    fn fits(volume: &Volume, asks: &Asks, claim: &str) -> bool {
        let kind = &asks.kind;
        let shaped = volume.size >= asks.size && volume.block == kind.block;
        match &volume.of {
            Some(of) => shaped && of == claim,
            None => {
                shaped
                    && volume.available
                    && volume.class == kind.class
                    && kind.selector.as_ref().is_none_or(|s| s.matches(&volume.labels))
                    && kind.modes.iter().all(|mode| volume.modes.contains(mode))
            }
        }
    }

    /// The volumes that somebody may yet get.
    pub(super) fn free<'a>(&'a self, hosts: &'a [Host]) -> Free<'a> {
        let open = |volume: &&Volume| match &volume.of {
            Some(claim) => self.claims.get(claim).is_some_and(|claim| claim.volume.is_none()),
            None => volume.available,
        };
        let volumes: Vec<&Volume> = self.volumes.values().filter(open).collect();
        let mut named: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
        for (k, host) in hosts.iter().enumerate().filter(|_| !volumes.is_empty()) {
            let own = host.labels.iter().find(|(key, _)| key == HOSTNAME);
            own.into_iter().for_each(|(_, value)| named.entry(value).or_default().push(k));
        }
        let mut at = vec![Vec::new(); hosts.len()];
        let mut reached = Vec::with_capacity(volumes.len());
        for (k, volume) in volumes.iter().enumerate() {
            // Local volumes name their host: no need to look at all the others.
            let names =
                volume.either.iter().map(|one| one.any_of.iter().find(|(key, _)| key == HOSTNAME));
            let names: Option<Vec<&(String, Vec<String>)>> = names.collect();
            let few = names.filter(|all| !all.is_empty()).map(|all| {
                let values = all.iter().flat_map(|(_, values)| values);
                let few: BTreeSet<usize> = values
                    .filter_map(|value| named.get(value.as_str()))
                    .flatten()
                    .copied()
                    .collect();
                few.into_iter().collect::<Vec<usize>>()
            });
            let own = few.map(|mut own| {
                own.retain(|host| volume.is_reached_by(&hosts[*host]));
                own
            });
            own.iter().flatten().for_each(|host| at[*host].push(k));
            reached.push(own);
        }
        let wide = (0..volumes.len()).filter(|k| reached[*k].is_none()).collect();
        Free { volumes, hosts, at, wide, reached }
    }
}

/// Volumes that somebody may yet get, and where they are.
pub(super) struct Free<'a> {
    volumes: Vec<&'a Volume>,
    hosts: &'a [Host],
    /// By host: positions of those that name it and that it reaches.
    at: Vec<Vec<usize>>,
    /// Those that name no host.
    wide: Vec<usize>,
    /// By volume: positions of the hosts that reach it, where it names them.
    reached: Vec<Option<Vec<usize>>>,
}

impl Free<'_> {
    /// The volume that is for the claim and for no other.
    pub(super) fn of(&self, claim: &str) -> Option<usize> {
        self.volumes.iter().position(|volume| volume.of.as_deref() == Some(claim))
    }

    /// Whether volumes for all of the claims can be had where the host is: each takes the smallest
    /// that is left and will do, the smallest claim first; what is left over is made. `own` are
    /// the volumes that are for the claims.
    pub(super) fn reaches(
        &self,
        claims: &[(&str, &Asks, &Class)],
        own: &[Option<usize>],
        k: usize,
    ) -> bool {
        let host = &self.hosts[k];
        let is_here = |volume: &usize| self.volumes[*volume].is_reached_by(host);
        let mut taken: Vec<usize> = Vec::new();
        claims.iter().zip(own).all(|((claim, asks, class), own)| {
            if let Some(own) = own.filter(|own| Volumes::fits(self.volumes[*own], asks, claim)) {
                return is_here(&own);
            }
            let left = self.at[k].iter().chain(&self.wide).copied().filter(|volume| {
                !taken.contains(volume) && Volumes::fits(self.volumes[*volume], asks, claim)
            });
            let left = left.filter(|volume| self.reached[*volume].is_some() || is_here(volume));
            if let Some(volume) = left.min_by_key(|volume| self.volumes[*volume].size) {
                taken.push(volume);
                return true;
            }
            let there = |one: &Selection| one.accepts(&host.labels);
            class.maker.is_some()
                && (class.topologies.is_empty() || class.topologies.iter().any(there))
        })
    }

    /// The volumes that a claim of the kind may take, each where it is if that is one host alone:
    /// size and position of the host. Nothing where some are reached by several hosts or are for
    /// one claim.
    pub(super) fn local(&self, kind: &Kind) -> Option<Vec<(i64, usize)>> {
        let asks = Asks { size: 0, kind: kind.clone() };
        let mut list = Vec::new();
        for (volume, named) in self.volumes.iter().zip(&self.reached) {
            if volume.class != kind.class {
                continue;
            }
            if volume.of.is_some() {
                return None;
            }
            if !Volumes::fits(volume, &asks, "") {
                continue;
            }
            let reached = |k: &usize| volume.is_reached_by(&self.hosts[*k]);
            let mut all: Box<dyn Iterator<Item = usize>> = match named {
                Some(hosts) => Box::new(hosts.iter().copied()),
                None => Box::new((0..self.hosts.len()).filter(reached)),
            };
            match (all.next(), all.next()) {
                (Some(host), None) => list.push((volume.size, host)),
                (None, _) => {}
                (Some(_), Some(_)) => return None,
            }
        }
        Some(list)
    }
}

impl Volume {
    fn is_reached_by(&self, host: &Host) -> bool {
        self.either.is_empty() || is_one_of(host, &self.either)
    }

    /// What its zones ask of a node: to be in them, or to be in no zone at all.
    pub(super) fn by_zone(&self, zones: &Zones) -> Vec<Selection> {
        if self.zones.is_empty() {
            return Vec::new();
        }
        let (mut within, mut without) = (Selection::default(), Selection::default());
        for (key, values) in &self.zones {
            // Nodes have the newer label where they lack the older.
            let known = key.strip_prefix("failure-domain.beta");
            let known = known.filter(|_| !zones.keys.contains(key));
            let newer = known.map(|rest| format!("topology{rest}"));
            narrow(&mut within, newer.as_deref().unwrap_or(key), values.clone());
        }
        for key in ZONES {
            bar(&mut without, key, vec![ANY.to_owned()]);
        }
        match zones.some_in_none {
            true => vec![within, without],
            false => vec![within],
        }
    }
}

/// What nodes say of zones.
pub(super) struct Zones {
    /// Labels that some node has.
    keys: Vec<&'static str>,
    /// Some node is in no zone and in no region.
    some_in_none: bool,
}

impl Zones {
    pub(super) fn of(hosts: &[Host]) -> Zones {
        let has = |host: &Host, key: &str| host.labels.iter().any(|(known, _)| known == key);
        let known = |key: &&'static str| hosts.iter().any(|host| has(host, key));
        Zones {
            keys: ZONES.into_iter().filter(known).collect(),
            some_in_none: hosts.iter().any(|host| !ZONES.iter().any(|key| has(host, key))),
        }
    }
}

/// Whether the host is as one of these asks.
pub(super) fn is_one_of(host: &Host, either: &[Selection]) -> bool {
    let named = |one: &Selection| one.any_of.iter().chain(&one.none_of).any(|(key, _)| key == NAME);
    if !either.iter().any(named) {
        return either.iter().any(|one| one.accepts(&host.labels));
    }
    let asked = Requirement { either: either.to_vec(), ..Requirement::default() };
    host.is_selected_by(&asked)
}

impl Claim {
    fn of(spec: PersistentVolumeClaimSpec) -> Result<Claim, Wrong> {
        let requests = spec.resources.and_then(|all| all.requests).unwrap_or_default();
        let size = requests.get("storage").map_or(Ok(0), |size| steps("storage", size));
        let field = "spec.resources.requests.storage".to_owned();
        let size = size.map_err(|cause| Wrong { field, cause })?;
        let mut modes = spec.access_modes.unwrap_or_default();
        modes.sort();
        let of = |selector| Selector::of(Some(selector), &Labels::new(), None, None);
        let field = "spec.selector".to_owned();
        let selector = spec.selector.as_ref().map(of).transpose();
        let kind = Kind {
            class: spec.storage_class_name.clone().unwrap_or_default(),
            block: spec.volume_mode.as_deref() == Some("Block"),
            selector: selector.map_err(|cause| Wrong { field, cause })?,
            modes,
        };
        Ok(Claim {
            volume: spec.volume_name.filter(|name| !name.is_empty()),
            class: spec.storage_class_name,
            alone: kind.modes.iter().any(|mode| mode == "ReadWriteOncePod"),
            asks: Asks { size, kind },
        })
    }
}
