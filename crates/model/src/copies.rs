//! What a new node has that is like one there is.

use super::{Draft, Instance, Labels, NodeId};

/// Most tasks on copies of each node; empty where it is the same as on the nodes.
pub(super) fn copy_max_tasks(draft: &Draft) -> Vec<u32> {
    if draft.nodes.iter().all(|node| node.copy_max_tasks.is_none()) {
        return Vec::new();
    }
    let most = |node: &super::NodeDraft| node.copy_max_tasks.or(node.max_tasks);
    draft.nodes.iter().map(|node| most(node).unwrap_or(u32::MAX)).collect()
}

/// What new nodes have from the start; empty where that is nothing.
pub(super) fn overhead(amounts: Vec<i64>) -> Vec<i64> {
    if amounts.iter().all(|amount| *amount == 0) { Vec::new() } else { amounts }
}

/// The label that holds a host's own name, which need not be the node's.
const HOSTNAME: &str = "kubernetes.io/hostname";

/// Keys of labels that name each of these nodes, given with its labels. A copy has a value of its
/// own there.
pub fn naming<'a>(nodes: impl Iterator<Item = (&'a str, &'a Labels)>) -> Vec<String> {
    let nodes: Vec<(&str, &Labels)> = nodes.collect();
    let Some((_, first)) = nodes.first() else { return Vec::new() };
    let names = |key: &&String| {
        let named = |(name, labels): &(&str, &Labels)| {
            labels.iter().any(|(known, value)| known == *key && value == name)
        };
        *key == HOSTNAME || nodes.iter().all(named)
    };
    first.iter().map(|(key, _)| key).filter(names).cloned().collect()
}

impl Instance {
    /// Load that a new node like this one has from the start; empty where no node has any.
    pub fn overhead(&self, node: NodeId) -> &[i64] {
        if self.overhead.is_empty() { &[] } else { self.row(&self.overhead, node.index()) }
    }

    /// Most tasks of the plan on a new node like this one, where that differs.
    pub fn copy_max_tasks(&self, node: NodeId) -> Option<u32> {
        let own = self.own_max_tasks(node);
        self.copy_max_tasks.get(node.index()).copied().filter(|most| *most != own)
    }

    /// The instance with `count` more nodes like this one, ready and idle but for what every such
    /// node has.
    pub fn with_more_nodes(&self, like: NodeId, count: usize) -> Instance {
        let mut instance = self.clone();
        let (j, width) = (like.index(), self.resources().len());
        let all = self.node_ids().map(|node| (self.node_name(node), self.labels(node)));
        let own = naming(all);
        for k in 0..count {
            let name = format!("{}+{}", self.node_name(like), k + 1);
            let mut labels = self.labels[j].clone();
            let telling = labels.iter_mut().filter(|(key, _)| own.contains(key));
            telling.for_each(|(_, value)| value.clone_from(&name));
            instance.node_names.push(&name);
            instance.reserved.add_node_like(j, self.nodes() + k, width);
            instance.capacity.extend_from_slice(self.capacity(like));
            instance.limit.extend_from_slice(self.limit(like));
            match self.overhead(like) {
                [] => instance.used.extend(std::iter::repeat_n(0, width)),
                own => {
                    instance.used.extend_from_slice(own);
                    instance.overhead.extend_from_slice(own);
                }
            }
            instance.moves.held.extend(std::iter::repeat_n(0, width));
            instance.moves.routes.start.extend(instance.moves.routes.start.last().copied());
            if !self.safety.is_empty() {
                instance.safety.extend_from_slice(self.safety(like));
            }
            instance.state.push(super::NodeState::Ready);
            instance.costs.price.push(self.costs.price[j]);
            instance.costs.rate.push(self.costs.rate[j]);
            instance.watts.add_node_like(j, width);
            instance.max_tasks.push(*self.copy_max_tasks.get(j).unwrap_or(&self.max_tasks[j]));
            instance.copy_max_tasks.extend(self.copy_max_tasks.get(j));
            instance.traffic.push(self.traffic[j]);
            instance.times.add_node_like(j);
            instance.taints.push(self.taints[j].clone());
            for (row, requirement) in instance.eligible.iter_mut().zip(&self.requirements) {
                row.push(requirement.accepts(&labels, &self.taints[j]));
            }
            instance.labels.push(labels);
            for row in instance.soft.penalty.iter_mut().filter(|row| !row.is_empty()) {
                row.push(row[j]);
            }
            for (k, label) in instance.rules.labels.iter_mut().enumerate() {
                if k == 0 || own.contains(&label.key) {
                    label.values.push(name.clone());
                    label.of.push(label.values.len() as u32 - 1);
                } else {
                    label.of.push(label.of[j]);
                }
            }
        }
        instance.reruled()
    }
}
