//! Manifests to the pods that they will make and that are not there yet.

use rustc_hash::FxHashSet;

use super::cluster::{Cluster, Template};
use super::pods::Pod;
use super::requests::effective;
use super::workloads::Workload;
use base::error::{Error, Result};
use model::MOST_TASKS;

impl Cluster {
    /// Turns manifests into the pods that they will make and that are not there yet.
    ///
    /// # Errors
    /// Quantities that are none.
    pub(super) fn expand(&mut self) -> Result<()> {
        let workloads = std::mem::take(&mut self.workloads);
        let key = |w: &Workload| (w.namespace.clone(), w.kind.clone(), w.name.clone());
        let there: FxHashSet<_> = workloads.iter().map(key).collect();
        for workload in &workloads {
            if let Some((label, name)) = &workload.made {
                let key = (workload.namespace.clone(), *label, name.clone());
                if self.made.contains(&key) {
                    let place = self.show(workload.place, &workload.name);
                    let what = "its operator has made its pods: no more are planned";
                    self.warnings.add(&place, "kind", what);
                    continue;
                }
            }
            let owner = workload.owner.clone();
            let made = owner.map(|(kind, name)| (workload.namespace.clone(), kind, name));
            if made.is_some_and(|owner| there.contains(&owner)) {
                continue; // what made it is there and counts its pods
            }
            let place = self.show(workload.place, &workload.name);
            self.unknown(&place, &workload.unknown);
            for (errs, field, what) in &workload.told {
                self.warnings.assume(*errs, &place, field, what);
            }
            // A queue starts what waits for it.
            if workload.suspended && workload.queue.is_none() {
                self.warnings.add(&place, "spec.suspend", "it is suspended: no pods are planned");
                continue;
            }
            self.expand_one(workload, &workloads, &place)?;
        }
        self.workloads = workloads;
        self.daemons()
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
        let mut spec = template.spec.clone().unwrap_or_default();
        self.quotas.fill_in(namespace, &mut spec);
        self.runtimes.fill_in(&mut spec);
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
            runs: false,
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
            self.network_topology(workload.network.as_ref(), group, place);
            pod.group = Some(group.clone());
        }
        if let Some(group) = &workload.member_of {
            pod.group = Some(group.clone());
        }
        if workload.suspended {
            pod.queue = workload.queue.as_ref().map(|queue| format!("{namespace}/{queue}"));
            if workload.gang.is_none() {
                let group = format!("{namespace}/{kind}/{name}");
                self.groups.insert(group.clone(), wanted);
                pod.group = Some(group);
            }
        }
        pod.most = pod.most.into_iter().chain(workload.most.filter(|most| *most > 0)).min();
        pod.template = Some(workload.template_at.clone());
        let own = spec.volumes.iter().flatten().any(|volume| volume.ephemeral.is_some());
        let own = own || !workload.claims.is_empty();
        let mut number = workload.first;
        let mut left = wanted;
        while left > 0 {
            let id = format!("{namespace}/{name}-{number}");
            number += 1;
            if self.seen.contains_key(&format!("pod {id}")) {
                continue;
            }
            self.claim_id(&id, workload.place);
            if own {
                pod.claims = self.mounted(&spec, namespace, &id, &workload.claims);
            }
            self.waiting.push(Pod { id, ..pod.clone() });
            left -= 1;
        }
        Ok(())
    }
}
