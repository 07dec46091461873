//! How many volumes of a driver a node attaches. After kube-scheduler's `nodevolumelimits`.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::PersistentVolumeSpec;
use k8s_openapi::api::storage::v1::CSINode;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::cluster::Cluster;
use model::Direction;

/// Most volumes of a driver by node.
#[derive(Debug, Default)]
pub(super) struct Limits(BTreeMap<String, BTreeMap<String, i64>>);

impl Limits {
    pub(super) fn take(&mut self, node: CSINode) {
        let name = node.metadata.name.unwrap_or_default();
        for driver in node.spec.drivers {
            if let Some(most) = driver.allocatable.and_then(|all| all.count) {
                self.0.entry(driver.name).or_default().insert(name.clone(), i64::from(most));
            }
        }
    }
}

/// The driver that attaches a volume and what tells the volume from others of the driver.
pub(super) fn driver(
    spec: &PersistentVolumeSpec,
    metadata: &ObjectMeta,
) -> Option<(String, String)> {
    if let Some(csi) = &spec.csi {
        return Some((csi.driver.clone(), csi.volume_handle.clone()));
    }
    // What older fields name is attached by these.
    let older = [
        (spec.aws_elastic_block_store.is_some(), "ebs.csi.aws.com"),
        (spec.azure_disk.is_some(), "disk.csi.azure.com"),
        (spec.gce_persistent_disk.is_some(), "pd.csi.storage.gke.io"),
        (spec.vsphere_volume.is_some(), "csi.vsphere.vmware.com"),
    ];
    let (_, driver) = older.into_iter().find(|(is, _)| *is)?;
    Some((driver.to_owned(), metadata.name.clone().unwrap_or_default()))
}

impl Cluster {
    /// The waiting pods need so many of a resource beside what they need anyhow.
    pub(super) fn need(&mut self, resource: &str, pods: impl IntoIterator<Item = (usize, i64)>) {
        for (k, count) in pods {
            let mut needs = self.needs[self.waiting[k].needs].clone();
            *needs.entry(resource.to_owned()).or_insert(0) += count;
            self.waiting[k].needs = self.needs_at.number(&mut self.needs, needs);
        }
    }

    /// Makes a resource of each driver of which nodes attach so many volumes and no more. Volumes
    /// that pods share are attached once.
    pub(super) fn attach(&mut self) {
        let limits = std::mem::take(&mut self.volumes.limits).0;
        for (driver, most) in &limits {
            let of = |claims: &[String]| -> BTreeSet<String> {
                let handles = claims.iter().filter_map(|claim| self.volumes.handle(claim));
                handles.filter(|(own, _)| own == driver).map(|(_, handle)| handle).collect()
            };
            let mut attached: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
            let mut first: Vec<i64> = Vec::with_capacity(self.running.len());
            for pod in &self.running {
                let on = attached.entry(pod.node.as_deref().unwrap_or_default()).or_default();
                let before = on.len();
                on.extend(of(&pod.claims));
                first.push((on.len() - before) as i64);
            }
            let asked: Vec<BTreeSet<String>> =
                self.waiting.iter().map(|pod| of(&pod.claims)).collect();
            let all: usize = asked.iter().map(BTreeSet::len).sum();
            if all == 0 {
                continue;
            }
            let name = format!("volumes of {driver}");
            let mut there = Vec::new();
            let mut at: BTreeMap<&String, Vec<usize>> = BTreeMap::new();
            for (host, own) in self.hosts.iter().enumerate() {
                let on = attached.get(own.name.as_str()).into_iter().flatten();
                on.for_each(|handle| at.entry(handle).or_default().push(host));
            }
            for (k, handles) in asked.iter().enumerate() {
                let mut old: BTreeMap<usize, i64> = BTreeMap::new();
                let hosts = handles.iter().filter_map(|handle| at.get(handle)).flatten();
                hosts.for_each(|host| *old.entry(*host).or_insert(0) += 1);
                let new =
                    |(host, old): (usize, i64)| (k, host, name.clone(), handles.len() as i64 - old);
                there.extend(old.into_iter().map(new));
            }
            let mut users: BTreeMap<&String, usize> = BTreeMap::new();
            for (k, handles) in asked.iter().enumerate() {
                for handle in handles {
                    if let Some(other) = users.insert(handle, k) {
                        let place = self.show(self.waiting[other].place, &self.waiting[other].id);
                        let what = format!(
                            "a volume of {driver} that waiting pods share is counted for each"
                        );
                        self.warnings.assume(Direction::Narrower, &place, "spec.volumes", &what);
                    }
                }
            }
            for (k, count) in first.into_iter().enumerate().filter(|(_, count)| *count > 0) {
                let mut needs = self.needs[self.running[k].needs].clone();
                needs.insert(name.clone(), count);
                self.running[k].needs = self.needs_at.number(&mut self.needs, needs);
            }
            let counts = asked.iter().map(|handles| handles.len() as i64).enumerate();
            self.need(&name, counts.filter(|(_, count)| *count > 0));
            let none = (all + self.running.len() * 128) as i64;
            for host in &mut self.hosts {
                let most = most.get(&host.name).copied().unwrap_or(none);
                host.allocatable.insert(name.clone(), most);
            }
            self.there.extend(there);
        }
    }
}
