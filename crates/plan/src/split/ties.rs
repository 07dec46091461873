//! What has to stay in one part: tasks under one rule, pinned tasks and their nodes, nodes
//! of one rack where rules want tasks on one rack.

use base::error::{Error, Result};
use model::{Instance, LabelId, LabelValues, NodeId, Rule, RuleShape, TaskId};

/// Nodes and tasks that go to the same part.
#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    /// In instance order.
    pub(super) nodes: Vec<NodeId>,
    /// In instance order.
    pub(super) tasks: Vec<TaskId>,
}

/// All nodes and tasks in groups, in order of their first members, nodes before tasks.
///
/// # Errors
/// Fewer groups with a node that takes tasks, or with tasks, than parts.
pub(super) fn groups(instance: &Instance, parts: usize) -> Result<Vec<Group>> {
    let mut ties = Ties::new(instance);
    for rule in instance.rules().iter().filter(|rule| binds(rule)) {
        rule.everyone().for_each(|task| ties.tie_tasks(rule.tasks[0], task));
    }
    for task in instance.task_ids() {
        instance.after(task).iter().for_each(|(before, _)| ties.tie_tasks(task, *before));
        if let Some(pin) = instance.pin(task) {
            ties.tie(ties.task(task), pin.index());
        }
    }
    let (nodes, tasks) = ties.counts(instance);
    refuse_fewer(instance, parts, nodes, "nodes that take tasks")?;
    refuse_fewer(instance, parts, tasks, "tasks")?;
    for label in whole_labels(instance) {
        let mut with = ties.clone();
        let mut first = vec![None; label.values.len()];
        for (node, value) in label.of.iter().enumerate().filter(|(_, v)| **v != LabelValues::NONE) {
            with.tie(*first[*value as usize].get_or_insert(node), node);
        }
        if with.counts(instance).0 >= parts {
            ties = with;
        }
    }
    if instance.current_matters() {
        ties.stay(instance, (instance.nodes() / (2 * parts)).max(1));
    }
    Ok(ties.groups(instance))
}

/// Whether the tasks of a rule have to stay together. A limit that all of them keep wherever they
/// are, or that looks at single nodes, holds in each part by itself.
fn binds(rule: &Rule) -> bool {
    let Some(limit) = rule.limit() else { return true };
    let all: i128 = rule.tasks.iter().map(|task| i128::from(limit.most(*task))).sum();
    rule.over != 0 && all > i128::from(limit.lowest())
}

fn refuse_fewer(instance: &Instance, parts: usize, groups: usize, what: &str) -> Result<()> {
    if groups >= parts {
        return Ok(());
    }
    let ready = instance.node_ids().filter(|node| instance.counted(*node)).count();
    let all = if what == "tasks" { instance.tasks() } else { ready };
    let mut cause = format!("{parts} parts cannot be made of {all} {what}");
    if groups < all {
        let tied = instance.rules().iter().max_by_key(|rule| rule.tasks.len());
        let rule = tied.map_or(String::new(), |r| format!(", rule `{}` among them,", r.name));
        cause += &format!(": pins and rules{rule} tie them into {groups}");
    }
    Err(Error::usage(cause).help(format!("use at most {groups} parts")))
}

/// Labels over which rules want tasks on one value or few, the finest first.
fn whole_labels(instance: &Instance) -> Vec<&LabelValues> {
    let gathers = |rule: &&Rule| match rule.shape() {
        RuleShape::Beside { .. } => true,
        RuleShape::Values { at_most, .. } => at_most < u32::MAX,
        RuleShape::AllOrNone | RuleShape::Sum { .. } => false,
    };
    let rules = instance.rules().iter().filter(gathers);
    let mut labels: Vec<LabelId> = rules.map(|rule| rule.over).filter(|over| *over > 0).collect();
    labels.sort_unstable();
    labels.dedup();
    let mut labels: Vec<&LabelValues> =
        labels.into_iter().map(|label| &instance.label_values()[label as usize]).collect();
    labels.sort_by_key(|label| std::cmp::Reverse(label.values.len()));
    labels
}

/// Disjoint sets of nodes and tasks; nodes come first.
#[derive(Clone)]
struct Ties {
    parent: Vec<u32>,
    /// Nodes in the set, kept at its root.
    size: Vec<u32>,
    nodes: usize,
}

impl Ties {
    fn new(instance: &Instance) -> Ties {
        let (nodes, all) = (instance.nodes(), instance.nodes() + instance.tasks());
        let size = (0..all).map(|k| u32::from(k < nodes)).collect();
        Ties { parent: (0..all as u32).collect(), size, nodes }
    }

    fn task(&self, task: TaskId) -> usize {
        self.nodes + task.index()
    }

    fn root(&mut self, mut item: usize) -> usize {
        while self.parent[item] as usize != item {
            let up = self.parent[self.parent[item] as usize];
            self.parent[item] = up;
            item = up as usize;
        }
        item
    }

    fn tie(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        if a != b {
            let (first, last) = (a.min(b), a.max(b));
            self.parent[last] = first as u32;
            self.size[first] += self.size[last];
        }
    }

    fn tie_tasks(&mut self, a: TaskId, b: TaskId) {
        self.tie(self.task(a), self.task(b));
    }

    /// Ties tasks to the nodes on which they run as long as no more than `most` nodes come together.
    fn stay(&mut self, instance: &Instance, most: usize) {
        for task in instance.task_ids() {
            let Some(node) = instance.current(task) else { continue };
            let (own, there) = (self.root(self.task(task)), self.root(node.index()));
            if own != there && (self.size[own] + self.size[there]) as usize <= most {
                self.tie(own, there);
            }
        }
    }

    /// Sets with a node that takes tasks, and sets with tasks.
    fn counts(&mut self, instance: &Instance) -> (usize, usize) {
        let ready: Vec<usize> =
            instance.node_ids().filter(|node| instance.counted(*node)).map(NodeId::index).collect();
        let all = self.nodes..self.parent.len();
        (self.distinct(ready.into_iter()), self.distinct(all))
    }

    fn distinct(&mut self, items: impl Iterator<Item = usize>) -> usize {
        let mut roots: Vec<usize> = items.map(|item| self.root(item)).collect();
        roots.sort_unstable();
        roots.dedup();
        roots.len()
    }

    fn groups(mut self, instance: &Instance) -> Vec<Group> {
        let mut at = vec![None; self.parent.len()];
        let mut groups: Vec<Group> = Vec::new();
        let mut group_of = |ties: &mut Ties, item: usize, groups: &mut Vec<Group>| {
            *at[ties.root(item)].get_or_insert_with(|| {
                groups.push(Group::default());
                groups.len() - 1
            })
        };
        for node in instance.node_ids() {
            let group = group_of(&mut self, node.index(), &mut groups);
            groups[group].nodes.push(node);
        }
        for task in instance.task_ids() {
            let item = self.task(task);
            let group = group_of(&mut self, item, &mut groups);
            groups[group].tasks.push(task);
        }
        groups
    }
}
