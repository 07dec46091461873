//! DaemonSets: a pod for every node that they mean, on it and on no other.

use rustc_hash::FxHashSet;

use super::affinity::{one_of, requirement, with};
use super::cluster::{Cluster, Template};
use super::pods::Pod;
use super::requests::{add, effective};
use super::workloads::Daemon;
use base::error::{Error, Result};
use model::{Direction, Effect, Requirement, Toleration};

/// Taints that the controller lets its pods tolerate; the last with the host's network only.
const TOLERATED: [(&str, Effect); 7] = [
    ("node.kubernetes.io/not-ready", Effect::NoExecute),
    ("node.kubernetes.io/unreachable", Effect::NoExecute),
    ("node.kubernetes.io/disk-pressure", Effect::NoSchedule),
    ("node.kubernetes.io/memory-pressure", Effect::NoSchedule),
    ("node.kubernetes.io/pid-pressure", Effect::NoSchedule),
    ("node.kubernetes.io/unschedulable", Effect::NoSchedule),
    ("node.kubernetes.io/network-unavailable", Effect::NoSchedule),
];

impl Cluster {
    /// Plans the pods of DaemonSets that are not there yet.
    ///
    /// # Errors
    /// Quantities that are none.
    pub(super) fn daemons(&mut self) -> Result<()> {
        for daemon in std::mem::take(&mut self.daemons) {
            self.daemon(daemon)?;
        }
        Ok(())
    }

    fn daemon(&mut self, daemon: Daemon) -> Result<()> {
        let Daemon { place, whole_place, set, unknown } = daemon;
        let namespace = set.metadata.namespace.unwrap_or_else(|| "default".to_owned());
        let name = set.metadata.name.unwrap_or_default();
        let shown = self.show(place, &name);
        self.unknown(&shown, &unknown);
        let template = set.spec.template;
        let metadata = template.metadata.unwrap_or_default();
        let mut spec = template.spec.unwrap_or_default();
        self.quotas.fill_in(&namespace, &mut spec);
        self.runtimes.fill_in(&mut spec);
        let needs = effective(&spec, None).map_err(|wrong| {
            let at = format!("{whole_place}, spec.template.spec.{}", wrong.field);
            Error::input(&self.files[place.file], wrong.cause).at(at)
        })?;
        let labels = metadata.labels.unwrap_or_default();
        let template = Template {
            place,
            whole_place: shown.clone(),
            prefix: "spec.template.",
            id: String::new(),
            namespace: &namespace,
            labels: &labels,
            annotations: metadata.annotations.as_ref(),
            spec: &spec,
            runs: false,
        };
        let mut asked = requirement(&spec, &mut |_, _, _| {});
        let own_network = spec.host_network == Some(true);
        let tolerated = TOLERATED.iter().take(TOLERATED.len() - usize::from(!own_network));
        asked.tolerations.extend(tolerated.map(|(key, effect)| Toleration {
            key: (*key).to_owned(),
            value: None,
            effect: Some(*effect),
        }));
        asked.tolerations.sort();
        asked.tolerations.dedup();
        let there = self.hosts_of(&namespace, &name);
        let meant = |host: &super::nodes::Host| {
            host.is_selected_by(&asked) && host.lets_in(&asked) && !there.contains(&host.name)
        };
        let hosts = self.hosts.iter().filter(|host| meant(host));
        let hosts: Vec<String> = hosts.map(|host| host.name.clone()).collect();
        if hosts.is_empty() {
            return Ok(());
        }
        let pod = self.classed(&template, needs, true);
        for host in hosts {
            let id = format!("{namespace}/{name}-{host}");
            if !self.claim_id(&id, place) {
                let what = format!("a pod is called `{id}` already: that of the node is left out");
                self.warnings.assume(Direction::Wider, &shown, "metadata.name", &what);
                continue;
            }
            let own: Requirement = with(&asked, &one_of(vec![host.clone()]));
            let requirement = self.requirement_at.number(&mut self.requirements, own);
            self.waiting.push(Pod {
                id,
                requirement,
                own: requirement,
                daemon_of: Some(host),
                owner: Some(("DaemonSet".to_owned(), name.clone())),
                template: Some("spec.template".to_owned()),
                ..pod.clone()
            });
        }
        Ok(())
    }

    /// Hosts that have a pod of the set, or for which one waits.
    fn hosts_of(&self, namespace: &str, name: &str) -> FxHashSet<String> {
        let mine = |pod: &&Pod| {
            let owner = pod.owner.as_ref();
            owner.is_some_and(|(kind, of)| kind == "DaemonSet" && of == name)
                && pod.id.split_once('/').is_some_and(|(space, _)| space == namespace)
        };
        let running = self.running.iter().filter(mine).filter_map(|pod| pod.node.clone());
        let waiting = self.waiting.iter().filter(mine).filter_map(|pod| pod.daemon_of.clone());
        running.chain(waiting).collect()
    }

    /// For each host what a new one like it has from the start, and how many pods that is.
    pub(super) fn overheads(&self) -> Vec<(super::requests::Amounts, i64)> {
        let mut all = vec![(super::requests::Amounts::new(), 0); self.hosts.len()];
        let at: rustc_hash::FxHashMap<&str, usize> =
            self.hosts.iter().enumerate().map(|(k, host)| (host.name.as_str(), k)).collect();
        let own = self.running.iter().chain(&self.waiting);
        for pod in own {
            let host = pod.daemon_of.as_deref().and_then(|host| at.get(host));
            if let Some(k) = host {
                add(&mut all[*k].0, &self.needs[pod.needs]);
                all[*k].1 += 1;
            }
        }
        all
    }
}
