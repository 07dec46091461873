//! Instances that differ a little from a given one: what if this task were not
//! there, this rule lifted, that node larger.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use super::instance::PairTable;
use super::moves::{held, index_groups};
use super::names::Names;
use super::parts::{Costs, Weights};
use super::{
    ANY, Ask, Instance, NodeId, Plan, Requirement, Rule, RuleId, Scale, TaskId, Toleration, Wish,
};

/// What stays of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Per task.
    pub tasks: Vec<bool>,
    /// Per rule.
    pub rules: Vec<bool>,
    /// Per resource: whether its capacities still limit anything.
    pub resources: Vec<bool>,
    /// Whether limits on the number of tasks on a node still hold.
    pub max_tasks: bool,
}

impl Kept {
    /// Everything.
    pub fn all(instance: &Instance) -> Kept {
        Kept {
            tasks: vec![true; instance.tasks()],
            rules: vec![true; instance.rules().len()],
            resources: vec![true; instance.resources().len()],
            max_tasks: true,
        }
    }
}

/// The entries whose tasks stay.
pub(super) fn kept<T: Clone>(list: &[T], keep: &[bool]) -> Vec<T> {
    list.iter().zip(keep).filter(|(_, keep)| **keep).map(|(value, _)| value.clone()).collect()
}

impl Instance {
    /// The instance with only what is kept. The less is kept, the less is asked:
    /// a rule that needs all of its tasks (near, an even spread, a spread over at least
    /// so many values, a gang) goes when one of them goes; other rules keep holding
    /// for the tasks that stay. A task that goes still holds what is transient on its
    /// current node.
    pub fn only(&self, keep: &Kept) -> Instance {
        let mut new_id = vec![None; self.tasks()];
        let mut next = 0u32;
        for (id, keep) in new_id.iter_mut().zip(&keep.tasks) {
            if *keep {
                *id = Some(TaskId(next));
                next += 1;
            }
        }
        let mut names = Names::default();
        let staying = || self.task_ids().filter(|task| keep.tasks[task.index()]);
        staying().for_each(|task| names.push(self.task_name(task)));
        let width = self.resources().len();
        let mut instance = Instance {
            task_names: names,
            demand: staying().flat_map(|task| self.demand(task).iter().copied()).collect(),
            aside: self.aside.iter().map(|(r, column)| (*r, kept(column, &keep.tasks))).collect(),
            deviation: staying().flat_map(|task| self.deviation(task).iter().copied()).collect(),
            duration: kept(&self.duration, &keep.tasks),
            requirement: kept(&self.requirement, &keep.tasks),
            priority: kept(&self.priority, &keep.tasks),
            weights: Weights { own: kept(&self.weights.own, &keep.tasks), ..self.weights.clone() },
            current: kept(&self.current, &keep.tasks),
            pinned: kept(&self.pinned, &keep.tasks),
            still: kept(&self.still, &keep.tasks),
            keys: kept(&self.keys, &keep.tasks),
            backup: kept(&self.backup, &keep.tasks),
            gangs: Vec::new(),
            pairs: PairTable::default(),
            costs: Costs { pair: Vec::new(), ..self.costs.clone() },
            times: self.times.only(&keep.tasks, &new_id),
            ..self.clone()
        };
        for gang in &self.gangs {
            let ids = (0..gang.size).filter_map(|unit| new_id[gang.first.index() + unit as usize]);
            let ids: Vec<TaskId> = ids.collect();
            if let Some(first) = ids.first() {
                let size = ids.len() as u32;
                instance.gangs.push(super::Gang { name: gang.name.clone(), first: *first, size });
            }
        }
        if self.has_pairs() {
            instance.pairs.start.push(0);
            for task in staying() {
                let own = self.times.pair_duration.get(self.pair_range(task));
                instance.times.pair_duration.extend_from_slice(own.unwrap_or_default());
                for pair in self.pairs(task) {
                    instance.pairs.node.push(pair.node);
                    instance.costs.pair.push(pair.cost);
                    instance.pairs.demand.extend_from_slice(pair.demand);
                }
                instance.pairs.start.push(instance.pairs.node.len() as u32);
            }
        }
        for (r, _) in keep.resources.iter().enumerate().filter(|(_, keep)| !**keep) {
            let moves = &mut instance.moves;
            for row in [&mut instance.demand, &mut instance.pairs.demand, &mut moves.held] {
                row.iter_mut().skip(r).step_by(width).for_each(|demand| *demand = 0);
            }
        }
        if !keep.max_tasks {
            instance.max_tasks.fill(u32::MAX);
            instance.copy_max_tasks = Vec::new();
            instance.one_task_per_node = false;
        }
        instance.moves.own = kept(&self.moves.own, &keep.tasks);
        for group in &mut instance.moves.groups {
            *group = group.iter().filter_map(|task| new_id[task.index()]).collect();
        }
        index_groups(&mut instance.moves, next as usize);
        for budget in &mut instance.budgets {
            let own = budget.tasks.iter().filter_map(|task| new_id[task.index()]);
            budget.tasks = own.collect();
        }
        instance.budgets.retain(|budget| !budget.tasks.is_empty());
        let rules = self.rules.all.iter().zip(&keep.rules).filter(|(_, keep)| **keep);
        let rules = rules.filter_map(|(rule, _)| shrunk(rule, &new_id)).collect();
        let wishes = self
            .rules
            .wishes
            .iter()
            .filter_map(|wish| shrunk(&wish.rule, &new_id).map(|rule| Wish { rule, ..*wish }));
        instance.ruled(rules, wishes.collect())
    }

    /// The instance without tasks that are placed nowhere: unlike in [`Instance::only`] rules keep
    /// asking the same of those that stay.
    pub fn placing(&self, stays: &[bool]) -> Instance {
        let instance = self.only(&Kept { tasks: stays.to_vec(), ..Kept::all(self) });
        let mut next = 0u32;
        let new_id: Vec<Option<TaskId>> = (stays.iter())
            .map(|stays| {
                next += u32::from(*stays);
                stays.then(|| TaskId(next - 1))
            })
            .collect();
        let new = |task: TaskId| new_id[task.index()];
        let narrowed = |rule: &Rule| {
            let tasks: Vec<TaskId> = rule.tasks.iter().filter_map(|task| new(*task)).collect();
            let ask = rule.ask.renamed(new);
            (!tasks.is_empty()).then(|| Rule { ask, tasks, ..rule.clone() })
        };
        let rules = self.rules.all.iter().filter_map(narrowed).collect();
        let wishes = self.rules.wishes.iter();
        let wishes = wishes.filter_map(|wish| Some(Wish { rule: narrowed(&wish.rule)?, ..*wish }));
        instance.ruled(rules, wishes.collect())
    }

    /// The instance with nothing asked of the labels, taints and place of one task
    /// and of the other units of its gang, but the labels of rules that they are under.
    pub fn undemanding(&self, task: TaskId) -> Instance {
        let mut instance = self.clone();
        for unit in self.units(self.job(task)) {
            let any = |label: &str| (label.to_owned(), vec![ANY.to_owned()]);
            let requirement = Requirement {
                any_of: self.labels_of_rules(TaskId::from(unit)).into_iter().map(any).collect(),
                tolerations: vec![Toleration { key: ANY.to_owned(), value: None, effect: None }],
                ..Requirement::default()
            };
            let known = instance.requirements.iter().position(|known| *known == requirement);
            let at = known.unwrap_or_else(|| {
                let eligible = self.node_ids().map(|node| {
                    self.counted(node) && requirement.accepts(self.labels(node), self.taints(node))
                });
                instance.eligible.push(eligible.collect());
                instance.soft.penalty.push(Vec::new());
                instance.requirements.push(requirement);
                instance.requirements.len() - 1
            });
            instance.requirement[unit] = at as u32;
            if let Some(pinned) = instance.pinned.get_mut(unit) {
                *pinned = false;
            }
        }
        instance.reruled()
    }

    /// Labels that a node needs to have for the sake of the task's rules.
    pub fn labels_of_rules(&self, task: TaskId) -> Vec<&str> {
        let own = self.rules_of(task).iter().filter(|(_, other)| !other);
        let own = own.map(|(rule, _)| &self.rules()[*rule as usize]);
        let over = own.filter(|rule| rule.needs_label()).map(|rule| rule.over as usize);
        let labels =
            over.filter(|over| *over > 0).map(|over| self.label_values()[over].key.as_str());
        let mut labels: Vec<&str> = labels.collect();
        labels.sort_unstable();
        labels.dedup();
        labels
    }

    /// The instance in which a task demands so much of a resource, in steps.
    pub fn with_demand(&self, task: TaskId, resource: usize, steps: i64) -> Instance {
        let mut instance = self.clone();
        let width = instance.resources.len();
        instance.demand[task.index() * width + resource] = steps;
        instance
    }

    /// The instance in which a limit is so much, in steps.
    pub fn with_limit(&self, rule: RuleId, at_most: i64) -> Instance {
        let mut instance = self.clone();
        if let Ask::Limit(limit) = &mut instance.rules.all[rule as usize].ask {
            limit.at_most = at_most;
        }
        instance
    }

    /// The instance with every task that a plan for another instance places running there now:
    /// tasks and nodes are the same if they have the same names.
    pub fn running(&self, other: &Instance, plan: &Plan) -> Instance {
        let nodes: FxHashMap<&str, NodeId> =
            self.node_ids().map(|node| (self.node_name(node), node)).collect();
        let placed = plan.placements().filter_map(|(task, node)| {
            Some((other.task_name(task), *nodes.get(other.node_name(node))?))
        });
        let placed: FxHashMap<&str, NodeId> = placed.collect();
        let mut instance = self.clone();
        let at = |task| placed.get(self.task_name(task)).copied();
        instance.current = self.task_ids().map(at).collect();
        instance.moves.held = held(&instance);
        instance
    }

    /// The instance in which no task is left out for nothing: it takes more weight to leave out
    /// more, and of what weighs the same to leave out more tasks.
    pub fn weighing_something(&self) -> Cow<'_, Instance> {
        if !self.weights.own.contains(&0) {
            return Cow::Borrowed(self);
        }
        let total: i128 = self.weights.own.iter().map(|weight| i128::from(*weight)).sum();
        let tasks = self.tasks() as i128;
        let mut instance = self.clone();
        instance.weights.scale = Scale::ONE;
        // Where that is too much for integers, what weighs nothing weighs little instead.
        let exact = (total + 1) * (tasks + 1) < 1 << 60;
        for weight in &mut instance.weights.own {
            *weight = if exact { *weight * (tasks as i64 + 1) + 1 } else { (*weight).max(1) };
        }
        Cow::Owned(instance)
    }

    /// The instance in which a task that moves takes nothing on the node that it leaves.
    pub fn without_transients(&self) -> Instance {
        let mut instance = self.clone();
        instance.resources.iter_mut().for_each(|resource| resource.transient = false);
        instance.moves.held.fill(0);
        instance
    }
}

/// The rule for the tasks that stay; `None` when it needs one that does not.
fn shrunk(rule: &Rule, new_id: &[Option<TaskId>]) -> Option<Rule> {
    let new = |task: TaskId| new_id[task.index()];
    let tasks: Vec<TaskId> = rule.tasks.iter().filter_map(|task| new(*task)).collect();
    let whole = tasks.len() == rule.tasks.len();
    let ask = rule.ask.of_those(whole, new)?;
    (!tasks.is_empty()).then(|| Rule { ask, tasks, ..rule.clone() })
}
