//! Identical tasks and identical nodes, as counts. A model over classes has
//! the optimum of the model over individuals at a fraction of its size.

use rustc_hash::FxHashMap;

use super::{Instance, NodeId, TaskId};

/// Tasks that no constraint and no goal can tell apart.
#[derive(Clone, Debug)]
pub struct TaskClass {
    /// Members in instance order; never empty.
    pub tasks: Vec<TaskId>,
}

impl TaskClass {
    /// One member, to ask for demands and costs.
    pub fn example(&self) -> TaskId {
        self.tasks[0]
    }
}

/// Nodes that no constraint and no goal can tell apart.
#[derive(Clone, Debug)]
pub struct NodeClass {
    /// Members in instance order; never empty.
    pub nodes: Vec<NodeId>,
}

impl NodeClass {
    /// One member, to ask for capacities and prices.
    pub fn example(&self) -> NodeId {
        self.nodes[0]
    }
}

/// The instance's tasks and nodes, grouped.
#[derive(Clone, Debug)]
pub struct Classes {
    /// In order of their first members.
    pub tasks: Vec<TaskClass>,
    /// In order of their first members.
    pub nodes: Vec<NodeClass>,
}

impl Classes {
    /// Groups tasks and nodes; linear in the size of the instance.
    pub fn of(instance: &Instance) -> Classes {
        let tasks = group(instance.task_ids(), |task| task_key(instance, task));
        let columns = columns(instance);
        let nodes = group(instance.node_ids(), |node| {
            let mut key = node_key(instance, node);
            if let Some(column) = columns.get(node.index()) {
                key.extend_from_slice(column);
            }
            key
        });
        Classes {
            tasks: tasks.into_iter().map(|tasks| TaskClass { tasks }).collect(),
            nodes: nodes.into_iter().map(|nodes| NodeClass { nodes }).collect(),
        }
    }
}

/// Items with equal keys together, groups in order of first appearance.
fn group<T: Copy>(items: impl Iterator<Item = T>, key: impl Fn(T) -> Vec<i64>) -> Vec<Vec<T>> {
    let mut at: FxHashMap<Vec<i64>, usize> = FxHashMap::default();
    let mut groups: Vec<Vec<T>> = Vec::new();
    for item in items {
        let next = groups.len();
        let k = *at.entry(key(item)).or_insert(next);
        if k == next {
            groups.push(Vec::new());
        }
        groups[k].push(item);
    }
    groups
}

fn task_key(instance: &Instance, task: TaskId) -> Vec<i64> {
    let mut key = instance.demand(task).to_vec();
    key.push(i64::from(instance.requirement_of(task)));
    key.push(instance.duration(task));
    for pair in instance.pairs(task) {
        key.push(i64::from(pair.node.0));
        key.push(pair.cost);
        key.extend_from_slice(pair.demand);
    }
    key
}

fn node_key(instance: &Instance, node: NodeId) -> Vec<i64> {
    let mut key = instance.capacity(node).to_vec();
    key.extend_from_slice(instance.used(node));
    key.push(instance.state(node) as i64);
    key.push(instance.price(node));
    key.push(instance.rate(node));
    for requirement in 0..instance.requirements().len() as u32 {
        key.push(i64::from(instance.eligible_nodes(requirement)[node.index()]));
    }
    key
}

/// What the pairs say of each node; empty without pairs.
fn columns(instance: &Instance) -> Vec<Vec<i64>> {
    if !instance.has_pairs() {
        return Vec::new();
    }
    let mut columns = vec![Vec::new(); instance.nodes()];
    for task in instance.task_ids() {
        for pair in instance.pairs(task) {
            let column = &mut columns[pair.node.index()];
            column.push(i64::from(task.0));
            column.push(pair.cost);
            column.extend_from_slice(pair.demand);
        }
    }
    columns
}
