//! What the volumes of pods ask of nodes, and what pods that share volumes ask of each other.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{PersistentVolumeClaim, PodSpec};

use super::affinity::{also, narrow, one_of, with};
use super::cluster::Cluster;
use super::pods::Pod;
use super::quotas::limit;
use super::volumes::{Asks, Class, Kind, Stand, WAITS, Zones, is_one_of};
use model::{Direction, Requirement, RuleDraft, Selection};

/// Sizes and hosts of the volumes that a kind of claim may take, see `Free::local`.
type Local = Option<Vec<(i64, usize)>>;

const SHARED: &str = "pods share a claim that has no volume yet: that the first of them says where it is is not planned with";

impl Cluster {
    /// `namespace/name` of the claims whose volumes a pod mounts, those among them that are made
    /// with it: by its volumes, or by `templates` of its set.
    pub(super) fn mounted(
        &mut self,
        spec: &PodSpec,
        namespace: &str,
        id: &str,
        templates: &[PersistentVolumeClaim],
    ) -> Vec<String> {
        let mut claims = Vec::new();
        for volume in spec.volumes.iter().flatten() {
            if let Some(claim) = &volume.persistent_volume_claim {
                claims.push(format!("{namespace}/{}", claim.claim_name));
            } else if let Some(own) = &volume.ephemeral {
                let claim = format!("{id}-{}", volume.name);
                let spec = own.volume_claim_template.as_ref().map(|t| t.spec.clone());
                self.volumes.expect_claim(&claim, spec);
                claims.push(claim);
            }
        }
        let pod = id.rsplit('/').next().unwrap_or_default();
        for template in templates {
            let name = template.metadata.name.as_deref().unwrap_or_default();
            let claim = format!("{namespace}/{name}-{pod}");
            self.volumes.expect_claim(&claim, template.spec.clone());
            claims.push(claim);
        }
        claims.sort();
        claims.dedup();
        claims
    }

    /// Asks of nodes what the volumes of waiting pods ask of them.
    pub(super) fn mount(&mut self) {
        let mut late: BTreeMap<Kind, Vec<(usize, i64)>> = BTreeMap::new();
        let mut reached: BTreeMap<Vec<Asks>, Vec<String>> = BTreeMap::new();
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let free = self.volumes.free(&self.hosts);
        let mut locals: BTreeMap<Kind, Local> = BTreeMap::new();
        let zones = Zones::of(&self.hosts);
        for k in 0..self.waiting.len() {
            let pod = &self.waiting[k];
            if pod.claims.is_empty() {
                continue;
            }
            let mut asked = self.requirements[pod.requirement].clone();
            let mut to_bind: Vec<(&str, &Asks, &Class)> = Vec::new();
            let mut unknown = Vec::new();
            for claim in &pod.claims {
                match self.volumes.stand(claim) {
                    Stand::Unknown(what) => unknown.push(what),
                    Stand::Waits(for_what) => {
                        let mut waits = Selection::default();
                        narrow(&mut waits, WAITS, vec![for_what]);
                        asked = with(&asked, &waits);
                    }
                    Stand::Bound(volume) => {
                        asked = self.within(&asked, &volume.either);
                        asked = self.within(&asked, &volume.by_zone(&zones));
                    }
                    Stand::Late(asks, class) => {
                        to_bind.push((claim, asks, class));
                        if !locals.contains_key(&asks.kind) {
                            locals.insert(asks.kind.clone(), free.local(&asks.kind));
                        }
                        match seen.insert(claim.clone()) {
                            true => late.entry(asks.kind.clone()).or_default().push((k, asks.size)),
                            false => unknown.push(SHARED.to_owned()),
                        }
                    }
                }
            }
            to_bind.sort_by_key(|(_, asks, _)| asks.size);
            let own: Vec<Option<usize>> =
                to_bind.iter().map(|(claim, ..)| free.of(claim)).collect();
            if let [(_, asks, class)] = &to_bind[..]
                && matches!(locals.get(&asks.kind), Some(Some(list)) if list.is_empty())
                && class.maker.is_some()
            {
                asked = self.within(&asked, &class.topologies);
            } else if !to_bind.is_empty() {
                let at = |k: &usize| free.reaches(&to_bind, &own, *k);
                let hosts = || (0..self.hosts.len()).filter(at);
                let all = || hosts().map(|k| self.hosts[k].name.clone()).collect();
                let key = to_bind.iter().map(|(_, asks, _)| (*asks).clone()).collect();
                let names: Vec<String> = match own.iter().any(Option::is_some) {
                    true => all(),
                    false => reached.entry(key).or_insert_with(all).clone(),
                };
                if names.len() < self.hosts.len() {
                    asked = with(&asked, &one_of(names));
                }
            }
            let place = self.show(pod.place, &pod.id);
            for what in unknown {
                self.warnings.assume(Direction::Wider, &place, "spec.volumes", &what);
            }
            let number = self.requirement_at.number(&mut self.requirements, asked);
            self.waiting[k].requirement = number;
        }
        self.share_volumes(&late, &locals);
    }

    /// What is asked, and one of these where there are any: of labels, or of names where labels
    /// would say it at too great length.
    fn within(&self, asked: &Requirement, either: &[Selection]) -> Requirement {
        also(asked, either).unwrap_or_else(|| {
            let hosts = self.hosts.iter().filter(|host| is_one_of(host, either));
            with(asked, &one_of(hosts.map(|host| host.name.clone()).collect()))
        })
    }

    /// Volumes that several claims could take: those that one host reaches are counted there.
    fn share_volumes(
        &mut self,
        late: &BTreeMap<Kind, Vec<(usize, i64)>>,
        locals: &BTreeMap<Kind, Local>,
    ) {
        for (kind, claims) in late {
            let of_class = late.iter().filter(|(other, _)| other.class == kind.class);
            let several = of_class.count() > 1;
            let made = self.volumes.classes.get(&kind.class).is_none_or(|c| c.maker.is_some());
            let local = locals.get(kind).cloned().flatten().filter(|_| !several);
            if claims.len() < 2 || local.as_ref().is_some_and(|list| made && list.is_empty()) {
                continue;
            }
            let Some(local) = local.filter(|_| !made) else {
                let pod = &self.waiting[claims[0].0];
                let place = self.show(pod.place, &pod.id);
                let what = "several claims may take the same volume: which takes which is not planned with";
                self.warnings.assume(Direction::Wider, &place, "spec.volumes", what);
                continue;
            };
            let mut sizes: Vec<i64> = claims.iter().map(|(_, size)| *size).collect();
            sizes.sort_unstable();
            sizes.dedup();
            // A claim takes a volume of its size or more: so many of these there must be.
            for (k, least) in sizes.iter().enumerate() {
                let name = match k {
                    0 => format!("volumes of {}", kind.class),
                    _ => format!("volumes of {} from {least} bytes", kind.class),
                };
                let large = claims.iter().filter(|(_, size)| size >= least);
                self.need(&name, large.map(|(k, _)| (*k, 1)));
                let mut counts = vec![0; self.hosts.len()];
                local.iter().filter(|(size, _)| size >= least).for_each(|(_, at)| counts[*at] += 1);
                for (host, count) in self.hosts.iter_mut().zip(counts) {
                    host.allocatable.insert(name.clone(), count);
                }
            }
        }
    }

    /// Claims that one pod alone may use: of those that wait one, none where one runs that has it.
    pub(super) fn volumes_of_one(&self) -> Vec<RuleDraft> {
        let mut users: BTreeMap<&str, (i64, Vec<String>)> = BTreeMap::new();
        let hosts: BTreeSet<&str> = self.hosts.iter().map(|host| host.name.as_str()).collect();
        let there = |pod: &&Pod| pod.node.as_deref().is_some_and(|node| hosts.contains(node));
        let running = self.running.iter().filter(there).map(|pod| (pod, false));
        for (pod, waits) in self.waiting.iter().map(|pod| (pod, true)).chain(running) {
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
