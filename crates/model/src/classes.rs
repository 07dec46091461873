//! Identical tasks and identical nodes, as counts. A model over classes has
//! the optimum of the model over individuals at a fraction of its size.

use std::hash::BuildHasher;

use rustc_hash::{FxBuildHasher, FxHashMap};

use super::{Instance, LabelId, Limit, NodeId, TaskId, Term};

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
        Classes::group(instance, true)
    }

    /// Groups them as if there were no rules between tasks: fewer classes, for
    /// relaxations that leave those rules out.
    pub fn without_rules(instance: &Instance) -> Classes {
        Classes::group(instance, false)
    }

    /// Number of count variables of a model over these classes and single nodes.
    pub fn variables(&self) -> usize {
        let nodes: usize = self.nodes.iter().map(|class| class.nodes.len()).sum();
        self.tasks.len().saturating_mul(nodes)
    }

    fn group(instance: &Instance, rules: bool) -> Classes {
        let tasks = group(instance.task_ids(), |task, key| {
            task_key(instance, task, key);
            for (wish, other) in instance.wishes_of(task) {
                key.push(i64::from(*wish) * 2 + i64::from(*other));
            }
            if rules {
                key.push(i64::MIN); // keeps pairs and rules apart
                for (rule, other) in instance.rules_of(task) {
                    key.push(i64::from(*rule) * 2 + i64::from(*other));
                    if let Some(limit) = instance.rules()[*rule as usize].limit() {
                        let own = limit.amounts_of(task).iter();
                        let node = |node: Option<NodeId>| node.map_or(-1, |j| i64::from(j.0));
                        key.extend(own.flat_map(|(_, at, amount)| [node(*at), *amount]));
                    }
                }
            }
        });
        let limits = if rules { limits(instance) } else { Vec::new() };
        let columns = columns(instance);
        let pins = pins(instance);
        let currents = currents(instance);
        let routes = routes(instance);
        let nodes = group(instance.node_ids(), |node, key| {
            node_key(instance, node, key);
            let wishes = instance.wishes().iter().map(|wish| &wish.rule);
            for rule in wishes {
                let value = instance.value_of(rule, node);
                key.push(match rule.over {
                    0 => i64::from(rule.present_on(node.0)),
                    _ => value.map_or(-1, i64::from),
                });
            }
            if rules {
                let labels = instance.label_values().iter().skip(1);
                key.extend(labels.map(|label| i64::from(label.of[node.index()])));
                let rules = instance.rules().iter().filter(|rule| rule.over == 0);
                let there = rules.filter(|rule| !rule.present.is_empty());
                key.extend(there.map(|rule| i64::from(rule.present_on(node.0))));
                key.extend(limits.get(node.index()).into_iter().flatten());
                key.push(i64::MIN); // keeps limits and what follows apart
            }
            key.extend(pins.get(node.index()).copied());
            key.extend(currents.get(node.index()).copied());
            key.extend(routes.get(node.index()).into_iter().flatten());
            key.push(i64::MIN); // keeps routes and pairs apart
            key.extend(columns.get(node.index()).into_iter().flatten());
        });
        Classes {
            tasks: tasks.into_iter().map(|tasks| TaskClass { tasks }).collect(),
            nodes: nodes.into_iter().map(|nodes| NodeClass { nodes }).collect(),
        }
    }
}

/// Items with equal keys together, groups in order of first appearance.
fn group<T: Copy>(
    items: impl Iterator<Item = T>,
    add_key: impl Fn(T, &mut Vec<i64>),
) -> Vec<Vec<T>> {
    // Keys one behind the other, with their ends; of equal hashes, the last group and the ones before.
    let (mut keys, mut ends): (Vec<i64>, Vec<usize>) = (Vec::new(), vec![0]);
    let (mut last, mut before): (FxHashMap<u64, usize>, Vec<Option<usize>>) = Default::default();
    let mut groups: Vec<Vec<T>> = Vec::new();
    for item in items {
        let own = keys.len();
        add_key(item, &mut keys);
        let hash = FxBuildHasher.hash_one(&keys[own..]);
        let alike = last.get(&hash).copied();
        let same = |k: &usize| keys[ends[*k]..ends[*k + 1]] == keys[own..];
        match std::iter::successors(alike, |k| before[*k]).find(same) {
            Some(k) => {
                keys.truncate(own);
                groups[k].push(item);
            }
            None => {
                before.push(last.insert(hash, groups.len()));
                ends.push(keys.len());
                groups.push(vec![item]);
            }
        }
    }
    groups
}

fn task_key(instance: &Instance, task: TaskId, key: &mut Vec<i64>) {
    key.extend_from_slice(instance.demand(task));
    if instance.risk().is_some() {
        key.extend_from_slice(instance.deviation(task));
    }
    key.push(i64::from(instance.requirement_of(task)));
    key.push(instance.duration(task));
    key.push(instance.priority(task));
    key.push(instance.drop_weight(task));
    key.push(instance.pin(task).map_or(-1, |node| i64::from(node.0)));
    let standby = instance.backup(task).unwrap_or_default();
    key.push(standby.len() as i64);
    key.extend(standby.bytes().map(i64::from));
    if instance.current_matters() {
        key.push(instance.current(task).map_or(-1, |node| i64::from(node.0)));
        if instance.goal().mentions(Term::Moves) {
            key.push(instance.own_move_cost(task));
        }
        if instance.goal().mentions(Term::GroupMoves) {
            let groups = instance.groups_of(task);
            key.push(groups.len() as i64);
            key.extend(groups.iter().map(|group| i64::from(*group)));
        }
    }
    if instance.is_timed() {
        key.extend(instance.time_key(task));
    }
    for pair in instance.pairs(task) {
        key.push(i64::from(pair.node.0));
        key.push(pair.cost);
        key.extend_from_slice(pair.demand);
    }
}

fn node_key(instance: &Instance, node: NodeId, key: &mut Vec<i64>) {
    key.extend_from_slice(instance.capacity(node));
    key.extend_from_slice(instance.limit(node));
    key.extend_from_slice(instance.safety(node));
    key.extend_from_slice(instance.used(node));
    key.push(instance.state(node) as i64);
    key.push(instance.price(node));
    key.push(instance.rate(node));
    key.push(instance.idle_watts(node));
    key.extend_from_slice(instance.load_watts(node));
    key.push(i64::from(instance.max_tasks(node)));
    let (num, den) = instance.speed(node);
    key.extend([num, den]);
    if instance.is_timed() {
        for (at, ended) in instance.ending(node) {
            key.push(*at);
            key.extend_from_slice(ended);
        }
        key.push(i64::MIN); // keeps what ends apart from what follows
        let windows = instance.closed(node);
        key.push(windows.len() as i64);
        key.extend(windows.iter().flat_map(|(from, to)| [*from, *to]));
    }
    if !instance.cards_left.is_empty() {
        let devices = instance.devices().iter();
        key.extend(devices.flat_map(|device| instance.free_cards(node, *device)));
    }
    for (requirement, penalty) in instance.soft.penalty.iter().enumerate() {
        key.push(i64::from(instance.eligible_nodes(requirement as u32)[node.index()]));
        key.push(penalty.get(node.index()).copied().unwrap_or(0));
    }
}

/// A number of its own for each node that tasks are pinned to; empty when none is.
fn pins(instance: &Instance) -> Vec<i64> {
    let mut pins = Vec::new();
    for node in instance.task_ids().filter_map(|task| instance.pin(task)) {
        pins.resize(instance.nodes(), -1);
        pins[node.index()] = i64::from(node.0);
    }
    pins
}

/// A number of its own for each node that tasks run on now; empty where that does
/// not matter.
fn currents(instance: &Instance) -> Vec<i64> {
    if !instance.current_matters() {
        return Vec::new();
    }
    let mut currents = vec![-1; instance.nodes()];
    for node in instance.task_ids().filter_map(|task| instance.current(task)) {
        currents[node.index()] = i64::from(node.0);
    }
    currents
}

/// What moving to each node costs from elsewhere; empty where that does not matter.
fn routes(instance: &Instance) -> Vec<Vec<i64>> {
    if !instance.has_routes() || !instance.goal().mentions(Term::Moves) {
        return Vec::new();
    }
    let mut routes = vec![Vec::new(); instance.nodes()];
    for from in instance.node_ids() {
        for (to, cost) in instance.routes_from(from) {
            routes[to.index()].extend([i64::from(from.0), cost]);
        }
    }
    routes
}

/// What limits say of each node: whether they look at it, where they name nodes, and what tasks
/// add there that add something else elsewhere; empty where there is nothing to say.
fn limits(instance: &Instance) -> Vec<Vec<i64>> {
    let own = instance.rules().iter().zip(0i64..);
    let own = own.filter_map(|(rule, k)| Some((k, rule.over, rule.limit()?)));
    let own: Vec<(i64, LabelId, &Limit)> = own.collect();
    if own.is_empty() {
        return Vec::new();
    }
    let mut columns = vec![Vec::new(); instance.nodes()];
    for (rule, over, limit) in own {
        let named = if over == 0 { &limit.values[..] } else { &[] };
        named.iter().for_each(|node| columns[*node as usize].push(rule));
        for (task, node, amount) in &limit.amounts {
            if let Some(node) = node {
                columns[node.index()].extend([rule, i64::from(task.0), *amount]);
            }
        }
    }
    columns
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
