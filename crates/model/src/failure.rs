//! An instance after some of its nodes failed: as a whole, and as far as it is
//! about the tasks that lost their nodes.

use super::draft::{DraftError, DraftItem, error};
use super::expand::Units;
use super::moves::held;
use super::{
    Draft, Goal, Instance, Kept, NodeId, NodeState, Plan, Rule, RuleId, TaskId, Term, cards_in,
};
use base::nearest;

/// What is left to decide once nodes have failed.
#[derive(Clone, Debug)]
pub struct Aftermath {
    /// The problem. Its only goal is that no task is left out.
    pub instance: Instance,
    /// Its tasks, as tasks of the whole instance.
    pub tasks: Vec<TaskId>,
}

/// The word for nodes by themselves, where others are taken together by a label.
pub const NODE: &str = "node";

impl Instance {
    /// What the task's standby has to be another one of: [`NODE`], or the key of a label.
    pub fn backup(&self, task: TaskId) -> Option<&str> {
        self.backup.get(task.index())?.as_deref()
    }

    /// What backups are over, each once: labels in order of first appearance, then nodes.
    pub fn backups(&self) -> Vec<&str> {
        let mut all: Vec<&str> = Vec::new();
        for over in self.backup.iter().flatten() {
            if !all.contains(&over.as_str()) {
                all.push(over);
            }
        }
        all.sort_by_key(|over| *over == NODE);
        all
    }

    /// The instance in which no task has a standby.
    pub fn without_backups(&self) -> Instance {
        Instance { backup: Vec::new(), ..self.clone() }
    }

    /// As [`Instance::eligible`] after a failure, which asks no budget.
    pub fn eligible_after_failure(&self, task: TaskId, node: NodeId) -> bool {
        self.eligible[self.requirement_of(task) as usize][node.index()]
            && (!self.is_pinned(task) || self.current(task) == Some(node))
    }

    /// The instance with a plan carried out and then these nodes down: tasks run where the
    /// plan has them, and moving is counted from there. Failures ask no budget.
    pub fn failed(&self, plan: &Plan, nodes: &[NodeId]) -> Instance {
        let mut instance = self.clone();
        instance.take_down(nodes);
        instance.still = Vec::new();
        instance.current.clone_from(&plan.placement);
        instance.moves.held = held(&instance);
        // A task that was left out holds nothing, and stays pinned.
        for task in self.task_ids().filter(|task| plan.placement[task.index()].is_none()) {
            instance.current[task.index()] = self.pin(task);
        }
        instance.reruled()
    }

    /// The instance with nothing to be placed on this node.
    pub fn without_node(&self, node: NodeId) -> Instance {
        let mut instance = self.clone();
        instance.take_down(&[node]);
        instance.reruled()
    }

    /// What `look` makes of the instance while these nodes are down, as far as it is about what plans
    /// are worth: who may run where stays as it is.
    pub fn while_down<T>(&mut self, nodes: &[NodeId], look: impl FnOnce(&Instance) -> T) -> T {
        let before: Vec<NodeState> = nodes.iter().map(|node| self.state[node.index()]).collect();
        nodes.iter().for_each(|node| self.state[node.index()] = NodeState::Down);
        let seen = look(self);
        nodes.iter().zip(before).for_each(|(node, state)| self.state[node.index()] = state);
        seen
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
    /// alone. Tasks that share rules with these, by themselves or through others, and under a risk
    /// those whose demands vary, are part of it, pinned, and come before all others: they are left
    /// out only where no plan keeps their rules (units of a gang that lost one, for instance).
    /// Their room becomes free then, not so their cards and what is transient. The plan has to name cards where there are
    /// any.
    /// Rules that speak of tasks that `stopped` with their nodes ask for nothing.
    pub fn aftermath(
        &self,
        plan: &Plan,
        nodes: &[NodeId],
        stopped: &[TaskId],
        rearrange: bool,
    ) -> Aftermath {
        let at = |task: TaskId| plan.placement[task.index()];
        let displaced = |task: TaskId| at(task).is_some_and(|node| nodes.contains(&node));
        let (tasks, rules) = if rearrange {
            (plan.placement.iter().map(Option::is_some).collect(), self.rules_without(stopped))
        } else {
            self.concerned(plan, &displaced, self.rules_without(stopped))
        };
        let keep = Kept { tasks, rules, ..Kept::all(self) };
        let kept: Vec<TaskId> = self.task_ids().filter(|task| keep.tasks[task.index()]).collect();
        let mut instance = self.only(&keep);
        instance.backup = Vec::new();
        instance.take_down(nodes);
        instance.current = kept.iter().map(|task| at(*task)).collect();
        instance.goal = Goal::single(Term::Unplaced(None));
        if !rearrange {
            let binds = |rule: RuleId| keep.rules[rule as usize];
            let tied = |task| self.rules_of(task).iter().any(|(rule, _)| binds(*rule));
            instance.settle(self, plan, &kept, &displaced, &tied);
        }
        instance.moves.held = held(&instance);
        let instance = instance.with_whole_rules(self, &keep, &kept);
        Aftermath { instance: instance.weighing_something().into_owned(), tasks: kept }
    }

    /// Which rules speak of none of these tasks. Limits count what is there.
    fn rules_without(&self, tasks: &[TaskId]) -> Vec<bool> {
        let mut binding = vec![true; self.rules().len()];
        for (rule, _) in tasks.iter().flat_map(|task| self.rules_of(*task)) {
            let at = *rule as usize;
            binding[at] = self.rules()[at].limit().is_some();
        }
        binding
    }

    /// The instance without the rules that speak of any of these tasks, limits apart.
    pub fn without_rules_of(self, tasks: &[TaskId]) -> Instance {
        let rules = self.rules_without(tasks);
        if rules.contains(&false) { self.only(&Kept { rules, ..Kept::all(&self) }) } else { self }
    }

    /// The displaced tasks with all that rules tie to them, and those rules.
    fn concerned(
        &self,
        plan: &Plan,
        displaced: &dyn Fn(TaskId) -> bool,
        binding: Vec<bool>,
    ) -> (Vec<bool>, Vec<bool>) {
        let mut tasks = vec![false; self.tasks()];
        let mut rules = vec![false; self.rules().len()];
        let mut open: Vec<TaskId> = self.task_ids().filter(|task| displaced(*task)).collect();
        open.iter().for_each(|task| tasks[task.index()] = true);
        while let Some(task) = open.pop() {
            for (rule, _) in self.rules_of(task) {
                let at = *rule as usize;
                if !binding[at] || std::mem::replace(&mut rules[at], true) {
                    continue;
                }
                for tied in self.rules()[at].everyone() {
                    let placed = plan.placement[tied.index()].is_some();
                    if placed && !std::mem::replace(&mut tasks[tied.index()], true) {
                        open.push(tied);
                    }
                }
            }
        }
        // What varies is known by itself; that it is does not tie it to anything.
        if self.kept_risk().is_some() {
            let varies = |task: TaskId| self.deviation(task).iter().any(|deviation| *deviation > 0);
            let there = plan.placements().filter(|(task, _)| varies(*task));
            there.for_each(|(task, _)| tasks[task.index()] = true);
        }
        (tasks, rules)
    }

    /// Turns what stays into load, cards and transient resources of `kept` tasks included: the instance has only those
    /// of `whole`.
    fn settle(
        &mut self,
        whole: &Instance,
        plan: &Plan,
        kept: &[TaskId],
        displaced: &dyn Fn(TaskId) -> bool,
        tied: &dyn Fn(TaskId) -> bool,
    ) {
        let width = whole.resources().len();
        let (many, mut staying) = (whole.devices().len(), vec![0u32; whole.nodes()]);
        if many > 0 {
            let nodes = whole.node_ids();
            let banks = nodes.flat_map(|j| whole.devices().iter().map(move |d| (j, *d)));
            self.cards_left = banks.map(|(node, device)| whole.free_cards(node, device)).collect();
        }
        let stays = |r: usize| whole.resources()[r].devices || whole.resources()[r].transient;
        for (task, node) in plan.placements().filter(|(task, _)| !displaced(*task)) {
            let demand = whole.demand_on(task, node);
            let known = kept.binary_search(&task).is_ok();
            let used = &mut self.used[node.index() * width..(node.index() + 1) * width];
            for (r, used) in used.iter_mut().enumerate() {
                *used += if known && !stays(r) { 0 } else { demand[r] };
            }
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
            self.pinned[k] = !displaced(*task) || whole.is_pinned(*task);
            let Some(node) = plan.placement[task.index()].filter(|_| !displaced(*task)) else {
                continue;
            };
            staying[node.index()] -= 1;
            // What no rule ties is never lost.
            self.priority[k] = if tied(*task) { first } else { first.saturating_add(1) };
            let pairs = self.pair_range(TaskId::from(k));
            for r in (0..width).filter(|r| stays(*r)) {
                self.demand[k * width + r] = 0;
                pairs.clone().for_each(|pair| self.pairs.demand[pair * width + r] = 0);
            }
        }
        let most = whole.node_ids().zip(staying).map(|(node, there)| match whole.max_tasks(node) {
            u32::MAX => u32::MAX,
            most => most.saturating_sub(there),
        });
        self.max_tasks = most.collect();
        self.one_task_per_node = false;
    }

    /// The kept rules with all they ask, though tasks that were left out are not there.
    fn with_whole_rules(self, whole: &Instance, keep: &Kept, kept: &[TaskId]) -> Instance {
        let new = |task: TaskId| kept.binary_search(&task).ok().map(TaskId::from);
        let ids = |tasks: &[TaskId]| -> Vec<TaskId> {
            tasks.iter().filter_map(|task| new(*task)).collect()
        };
        let rules = whole.rules().iter().enumerate();
        let left: Vec<(RuleId, Vec<TaskId>)> = rules
            .filter(|(k, _)| keep.rules[*k])
            .map(|(k, rule)| (k as RuleId, ids(&rule.tasks)))
            .filter(|(_, tasks)| !tasks.is_empty())
            .collect();
        let shrunk = left.iter().map(|(k, tasks)| {
            let rule = &whole.rules()[*k as usize];
            Rule { ask: rule.ask.renamed(new), tasks: tasks.clone(), ..rule.clone() }
        });
        // What is asked after a failure is who has a place.
        let mut instance = self.ruled(shrunk.collect(), Vec::new());
        // Which values could be used is asked of all tasks of a rule, those left out included.
        for (at, (k, _)) in left.iter().enumerate() {
            let rule = &whole.rules()[*k as usize];
            let asked = rule.tasks.iter().map(|task| whole.requirement_of(*task)).collect();
            let values = instance.rules.usable_values(&instance, rule, asked);
            instance.rules.all[at].values = values;
        }
        instance
    }
}

/// Over what each task's standby is.
pub(super) fn backups(
    instance: &Instance,
    draft: &Draft,
    units: &Units,
) -> Result<Vec<Option<String>>, DraftError> {
    if draft.tasks.iter().all(|task| task.backup.is_none()) {
        return Ok(Vec::new());
    }
    for (k, task) in draft.tasks.iter().enumerate() {
        let Some(over) = task.backup.as_deref().filter(|over| *over != NODE) else { continue };
        let mut labels = instance.node_ids().flat_map(|node| instance.labels(node));
        if !labels.any(|(key, _)| key == over) {
            let known = instance.node_ids().flat_map(|node| instance.labels(node));
            let near = nearest(over, known.map(|(key, _)| key.as_str()).chain([NODE]));
            let cause = format!("no node has a label `{over}`");
            let remedy = near.map_or_else(
                || "a standby is on another `node`, or on another value of a label".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            return Err(error(DraftItem::Task(k), "backup", cause, &remedy));
        }
    }
    if let Some(k) = draft.tasks.iter().position(|task| task.pinned && task.backup.is_some()) {
        let cause = "a task that is pinned to its node has no standby on another";
        return Err(error(
            DraftItem::Task(k),
            "backup",
            cause.to_owned(),
            "leave out one of the two",
        ));
    }
    Ok(units.tasks().map(|k| draft.tasks[k].backup.clone()).collect())
}
