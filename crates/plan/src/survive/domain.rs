//! What fails as one: a node, or all nodes with the same value of a label.

use rustc_hash::FxHashMap;

use base::error::{Error, Result};
use base::nearest;
use model::{Instance, NODE, NodeId};

/// Nodes that fail together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    /// The node's id, or the value of the label.
    pub name: String,
    /// Those of the nodes that are ready: others run no tasks of a plan.
    pub nodes: Vec<NodeId>,
}

/// Every domain with a node that is ready, in order of first appearance: `node`, or the key of
/// a label. Nodes without the label are in none.
///
/// # Errors
/// A label that no node has.
pub fn domains(instance: &Instance, over: &str) -> Result<Vec<Domain>> {
    let ready = || instance.node_ids().filter(|node| instance.counted(*node));
    if over == NODE {
        let alone = |node| Domain { name: instance.node_name(node).to_owned(), nodes: vec![node] };
        return Ok(ready().map(alone).collect());
    }
    let value = |node| instance.labels(node).iter().find(|(key, _)| key == over).map(|(_, v)| v);
    if !instance.node_ids().any(|node| value(node).is_some()) {
        let known = instance.node_ids().flat_map(|node| instance.labels(node).iter());
        let known: Vec<&str> = known.map(|(key, _)| key.as_str()).chain([NODE]).collect();
        let error = Error::usage(format!("no node has a label `{over}`"));
        return Err(match nearest(over, known.into_iter()) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help("what fails is `node`, or a label of nodes"),
        });
    }
    let mut at: FxHashMap<&str, usize> = FxHashMap::default();
    let mut domains: Vec<Domain> = Vec::new();
    for node in ready() {
        let Some(value) = value(node) else { continue };
        let k = *at.entry(value).or_insert_with(|| {
            domains.push(Domain { name: value.clone(), nodes: Vec::new() });
            domains.len() - 1
        });
        domains[k].nodes.push(node);
    }
    Ok(domains)
}

/// What a standby keeps clear of: the domains of the label, and every node without it by itself.
pub(super) fn domains_for_standbys(instance: &Instance, over: &str) -> Result<Vec<Domain>> {
    let mut all = domains(instance, over)?;
    if over != NODE {
        let bare = |node: &NodeId| !instance.labels(*node).iter().any(|(key, _)| key == over);
        let alone = domains(instance, NODE)?;
        all.extend(alone.into_iter().filter(|domain| domain.nodes.iter().all(bare)));
    }
    Ok(all)
}
