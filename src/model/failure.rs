//! An instance after some of its nodes failed: as a whole, and as far as it is
//! about the tasks that lost their nodes.

use super::expand::{index_rules, usable_values};
use super::moves::set_held;
use super::{
    Ask, Goal, Instance, Kept, NodeId, NodeState, Plan, Rule, RuleId, TaskId, Term, cards_in,
};

/// What is left to decide once nodes have failed.
#[derive(Clone, Debug)]
pub struct Aftermath {
    /// The problem. Its only goal is that no task is left out.
    pub instance: Instance,
    /// Its tasks, as tasks of the whole instance.
    pub tasks: Vec<TaskId>,
}

impl Instance {
    /// The instance with a plan carried out and then these nodes down: tasks run where the
    /// plan has them, and moving is counted from there.
    pub fn failed(&self, plan: &Plan, nodes: &[NodeId]) -> Instance {
        let mut instance = self.clone();
        instance.take_down(nodes);
        instance.current.clone_from(&plan.placement);
        set_held(&mut instance);
        // A task that was left out holds nothing, and stays pinned.
        for task in self.task_ids().filter(|task| plan.placement[task.index()].is_none()) {
            instance.current[task.index()] = self.pin(task);
        }
        index_rules(&mut instance);
        instance
    }

    fn take_down(&mut self, nodes: &[NodeId]) {
        for node in nodes {
            self.state[node.index()] = NodeState::Down;
            self.eligible.iter_mut().for_each(|row| row[node.index()] = false);
        }
    }

    /// What has to be decided once these nodes have failed while the plan was carried out.
    /// Tasks that the plan leaves out stay out.
    ///
    /// With `rearrange` every task of the plan may move. Otherwise those on other nodes stay,
    /// with the room and the cards that they have, and the problem is about the displaced tasks
    /// alone. Tasks that share rules with these, by themselves or through others, are part of
    /// it as tasks that ask for nothing, are pinned, and come before all others: they are left
    /// out only where no plan keeps their rules (units of a gang that lost one, for instance).
    /// Room and cards of those stay theirs; their place among the tasks of a node becomes free.
    /// The plan has to name cards where there are any.
    pub fn aftermath(&self, plan: &Plan, nodes: &[NodeId], rearrange: bool) -> Aftermath {
        let at = |task: TaskId| plan.placement[task.index()];
        let displaced = |task: TaskId| at(task).is_some_and(|node| nodes.contains(&node));
        let (tasks, rules) = match rearrange {
            true => (
                plan.placement.iter().map(Option::is_some).collect(),
                vec![true; self.rules().len()],
            ),
            false => self.concerned(plan, &displaced),
        };
        let keep = Kept { tasks, rules, ..Kept::all(self) };
        let kept: Vec<TaskId> = self.task_ids().filter(|task| keep.tasks[task.index()]).collect();
        let mut instance = self.only(&keep);
        instance.take_down(nodes);
        instance.current = kept.iter().map(|task| at(*task)).collect();
        instance.goal = Goal::single(Term::Unplaced(None));
        if !rearrange {
            instance.settle(self, plan, &kept, &displaced);
        }
        set_held(&mut instance);
        instance.keep_whole_rules(self, &keep, &kept);
        Aftermath { instance, tasks: kept }
    }

    /// The displaced tasks with all that rules tie to them, and those rules.
    fn concerned(&self, plan: &Plan, displaced: &dyn Fn(TaskId) -> bool) -> (Vec<bool>, Vec<bool>) {
        let mut tasks = vec![false; self.tasks()];
        let mut rules = vec![false; self.rules().len()];
        let mut open: Vec<TaskId> = self.task_ids().filter(|task| displaced(*task)).collect();
        open.iter().for_each(|task| tasks[task.index()] = true);
        while let Some(task) = open.pop() {
            for (rule, _) in self.rules_of(task) {
                if std::mem::replace(&mut rules[*rule as usize], true) {
                    continue;
                }
                for tied in members(&self.rules()[*rule as usize]) {
                    let placed = plan.placement[tied.index()].is_some();
                    if placed && !std::mem::replace(&mut tasks[tied.index()], true) {
                        open.push(tied);
                    }
                }
            }
        }
        (tasks, rules)
    }

    /// Turns what stays into load: the instance has the `kept` tasks of `whole` only.
    fn settle(
        &mut self,
        whole: &Instance,
        plan: &Plan,
        kept: &[TaskId],
        displaced: &dyn Fn(TaskId) -> bool,
    ) {
        let width = whole.resources().len();
        let (many, mut staying) = (whole.devices().len(), vec![0u32; whole.nodes()]);
        if many > 0 {
            let nodes = whole.node_ids();
            let banks = nodes.flat_map(|j| whole.devices().iter().map(move |d| (j, *d)));
            self.cards_left = banks.map(|(node, device)| whole.free_cards(node, device)).collect();
        }
        for (task, node) in plan.placements().filter(|(task, _)| !displaced(*task)) {
            let demand = whole.demand_on(task, node);
            let used = &mut self.used[node.index() * width..(node.index() + 1) * width];
            used.iter_mut().zip(demand).for_each(|(used, demand)| *used += demand);
            for (d, device) in whole.devices().iter().enumerate() {
                let each = demand[device.resource].min(device.card);
                let left = &mut self.cards_left[node.index() * many + d];
                cards_in(plan.cards[task.index() * many + d]).for_each(|card| left[card] -= each);
            }
            staying[node.index()] += 1;
        }
        self.resources.iter_mut().for_each(|resource| resource.transient = false);
        let first = self.priority.iter().max().map_or(0, |most| most.saturating_add(1));
        self.pinned = vec![false; kept.len()];
        for (k, task) in kept.iter().enumerate() {
            self.pinned[k] = !displaced(*task) || whole.pin(*task).is_some();
            let Some(node) = plan.placement[task.index()].filter(|_| !displaced(*task)) else {
                continue;
            };
            staying[node.index()] -= 1;
            self.priority[k] = first;
            self.demand[k * width..(k + 1) * width].fill(0);
            let pairs = self.pair_range(TaskId::from(k));
            self.pairs.demand[pairs.start * width..pairs.end * width].fill(0);
        }
        let most = whole.node_ids().zip(staying).map(|(node, there)| match whole.max_tasks(node) {
            u32::MAX => u32::MAX,
            most => most.saturating_sub(there),
        });
        self.max_tasks = most.collect();
        self.one_task_per_node = false;
    }

    /// The kept rules with all they ask, though tasks that were left out are not there.
    fn keep_whole_rules(&mut self, whole: &Instance, keep: &Kept, kept: &[TaskId]) {
        let ids = |tasks: &[TaskId]| -> Vec<TaskId> {
            tasks.iter().filter_map(|t| kept.binary_search(t).ok()).map(TaskId::from).collect()
        };
        let rules = whole.rules().iter().enumerate();
        let left: Vec<(RuleId, Vec<TaskId>)> = rules
            .filter(|(k, _)| keep.rules[*k])
            .map(|(k, rule)| (k as RuleId, ids(&rule.tasks)))
            .filter(|(_, tasks)| !tasks.is_empty())
            .collect();
        let shrunk = left.iter().map(|(k, tasks)| {
            let rule = &whole.rules()[*k as usize];
            let ask = match &rule.ask {
                Ask::Near { others } => Ask::Near { others: ids(others) },
                ask => ask.clone(),
            };
            Rule { ask, tasks: tasks.clone(), ..rule.clone() }
        });
        self.rules = shrunk.collect();
        index_rules(self);
        // Which values could be used is asked of all tasks of a rule, those left out included.
        for (at, (k, _)) in left.iter().enumerate() {
            let rule = &whole.rules()[*k as usize];
            let asked = rule.tasks.iter().map(|task| whole.requirement_of(*task)).collect();
            self.rules[at].values = usable_values(self, rule, asked);
        }
    }
}

/// Everybody a rule speaks of.
fn members(rule: &Rule) -> impl Iterator<Item = TaskId> + '_ {
    let others: &[TaskId] = match &rule.ask {
        Ask::Near { others } => others,
        _ => &[],
    };
    rule.tasks.iter().chain(others).copied()
}
