//! Partitions: which nodes are in one, and what it lets jobs have.

use super::cluster::Cluster;
use super::fields::At;
use super::{times, words};
use base::error::Result;

/// An entry of `partitions`: its nodes and its limits.
pub(super) fn read(cluster: &mut Cluster, at: &At) -> Result<()> {
    let name = at.text("name")?;
    let nodes = at.get("nodes").map_or(Ok(String::new()), |nodes| nodes.text("configured"))?;
    for host in words::hosts(&nodes).map_err(|cause| at.wrong("nodes.configured", cause))? {
        if let Some(node) = cluster.at.get(&host).copied() {
            let partitions = &mut cluster.nodes[node].partitions;
            if !partitions.contains(&name) {
                partitions.push(name.clone());
            }
        }
    }
    limits(cluster, at)
}

/// The most nodes that a partition lets a job have.
pub(super) fn limits(cluster: &mut Cluster, at: &At) -> Result<()> {
    let most = at.get("maximums").map_or(Ok(None), |most| most.number("nodes"))?;
    if let Some(most) = most.filter(|most| *most > 0) {
        cluster.most_nodes.insert(at.text("name")?, most);
    }
    times::partition(cluster, at)
}
