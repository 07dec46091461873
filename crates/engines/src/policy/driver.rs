//! Places tasks one after the other by a policy. What belongs together is
//! placed together, or not at all.

use std::time::Duration;

use super::Policy;
use super::fits::FirstFit;
use super::index::NodeIndex;
use base::stop::Stop;
use model::state::State;
use model::{Instance, NodeId, Plan, Rule, RuleShape, TaskId};

/// Values of a label that a bundle tries before it is put off.
const ATTEMPTS: usize = 64;
/// First nodes it tries where no rule keeps it to one value.
const LOOSE: usize = 4;
/// Tasks between two looks at the clock.
const LOOK_EVERY: usize = 32;
/// Nodes in line that a task in a hurry tries before all nodes are searched.
const IN_LINE: usize = 16;
/// What hurrying takes a task, about.
const HURRY: Duration = Duration::from_micros(1);

/// Tasks that are placed in one go, by task: those of a gang, those that rules
/// keep together. Tasks on their own are in no bundle.
pub(super) struct Bundles {
    /// Per task, its bundle's position.
    of: Vec<u32>,
    tasks: Vec<Vec<TaskId>>,
}

const ALONE: u32 = u32::MAX;

impl Bundles {
    pub(super) fn of(instance: &Instance) -> Bundles {
        let mut bundles = Bundles { of: Vec::new(), tasks: Vec::new() };
        let binds = |rule: &Rule| match rule.shape() {
            RuleShape::AllOrNone => true,
            RuleShape::Values { at_least, at_most, .. } => at_least > 1 || at_most < u32::MAX,
            RuleShape::Sum { .. } | RuleShape::Beside { .. } => false,
        };
        let rules = instance.rules().iter().filter(|rule| binds(rule));
        let mut parent: Vec<u32> = Vec::new();
        for rule in rules.filter(|rule| rule.tasks.len() > 1) {
            if parent.is_empty() {
                parent = (0..instance.tasks() as u32).collect();
            }
            for task in &rule.tasks[1..] {
                let (a, b) = (root(&mut parent, rule.tasks[0].0), root(&mut parent, task.0));
                parent[a.max(b) as usize] = a.min(b);
            }
        }
        if parent.is_empty() {
            return bundles;
        }
        let roots: Vec<u32> =
            (0..parent.len() as u32).map(|task| root(&mut parent, task)).collect();
        let mut size = vec![0u32; roots.len()];
        roots.iter().for_each(|root| size[*root as usize] += 1);
        let mut at = vec![ALONE; roots.len()];
        bundles.of = vec![ALONE; roots.len()];
        for (task, root) in roots.iter().enumerate().filter(|(_, r)| size[**r as usize] > 1) {
            let place = &mut at[*root as usize];
            if *place == ALONE {
                *place = bundles.tasks.len() as u32;
                bundles.tasks.push(Vec::new());
            }
            bundles.of[task] = *place;
            bundles.tasks[*place as usize].push(TaskId::from(task));
        }
        bundles
    }

    /// The task's bundle; `None` when it stands alone.
    fn bundle(&self, task: TaskId) -> Option<&[TaskId]> {
        match self.of.get(task.index()) {
            None | Some(&ALONE) => None,
            Some(at) => Some(&self.tasks[*at as usize]),
        }
    }
}

fn root(parent: &mut [u32], mut task: u32) -> u32 {
    while parent[task as usize] != task {
        parent[task as usize] = parent[parent[task as usize] as usize];
        task = parent[task as usize];
    }
    task
}

/// What came of one pass.
pub struct Pass {
    /// The plan.
    pub plan: Plan,
    /// Tasks that time ran out for: they went to the next node that took them, whatever the policy
    /// would have said.
    pub hurried: usize,
}

/// One pass of a policy over the tasks of an instance.
struct Driver<'a, 'b> {
    index: &'b mut NodeIndex<'a>,
    state: State<'a>,
    rule: Box<dyn Policy>,
    /// In a hurry: the next node in line.
    next: Option<usize>,
    hurried: usize,
}

/// Places the tasks in this order; those that fit nowhere by then stay unplaced. What is not placed
/// by `stop` is placed in a hurry.
pub(super) fn run(
    index: &mut NodeIndex,
    bundles: &Bundles,
    rule: Box<dyn Policy>,
    order: &[TaskId],
    stop: &Stop,
) -> Pass {
    let mut driver = Driver::new(index, rule);
    if driver.passes(bundles, order, &stop.before(HURRY, order.len())).is_none() {
        driver.next = Some(0);
        // Never stopped, it always comes to its end.
        let _ = driver.passes(bundles, order, &Stop::never());
    }
    let hurried = driver.hurried;
    Pass { plan: driver.finish(), hurried }
}

/// Likewise; `None` where it was stopped before the end.
pub(super) fn run_until(
    index: &mut NodeIndex,
    bundles: &Bundles,
    rule: Box<dyn Policy>,
    order: &[TaskId],
    stop: &Stop,
) -> Option<Plan> {
    let mut driver = Driver::new(index, rule);
    driver.passes(bundles, order, stop)?;
    Some(driver.finish())
}

impl<'a, 'b> Driver<'a, 'b> {
    fn new(index: &'b mut NodeIndex<'a>, rule: Box<dyn Policy>) -> Driver<'a, 'b> {
        let state = State::new(index.instance());
        index.reset();
        Driver { index, state, rule, next: None, hurried: 0 }
    }

    /// Places what it can; `None` where it was stopped.
    fn passes(&mut self, bundles: &Bundles, order: &[TaskId], stop: &Stop) -> Option<()> {
        let mut left = self.pass(bundles, order, stop)?;
        // What wanted to be near something that came later gets another chance.
        let rules = self.state.instance().rules();
        let near = rules.iter().any(|rule| !rule.ask.others().is_empty());
        while near && !left.is_empty() {
            let again = self.pass(bundles, &left, stop)?;
            if again.len() == left.len() {
                break;
            }
            left = again;
        }
        Some(())
    }

    /// The plan, without what breaks a rule.
    fn finish(mut self) -> Plan {
        self.retract();
        self.state.unload()
    }

    /// Places what it can and returns the rest; `None` where it was stopped.
    fn pass(&mut self, bundles: &Bundles, order: &[TaskId], stop: &Stop) -> Option<Vec<TaskId>> {
        let mut left = Vec::new();
        for (k, &task) in order.iter().enumerate() {
            if k % LOOK_EVERY == 0 && stop.reached() {
                return None;
            }
            if self.state.node_of(task).is_some() {
                continue;
            }
            match bundles.bundle(task) {
                None => {
                    if !self.place(task, &[]) {
                        left.push(task);
                    }
                }
                // The first of a bundle in the order places all of it.
                Some(tasks) => {
                    if !self.bundle(tasks) {
                        left.push(task);
                    }
                }
            }
        }
        Some(left)
    }

    fn choose(&mut self, task: TaskId, banned: &[NodeId]) -> Option<NodeId> {
        if self.state.shut(task) {
            return None; // no node need be asked
        }
        if self.next.is_some() {
            return self.in_line(task, banned);
        }
        match self.rule.choose(&self.state, task, banned) {
            Some(node) => node,
            None => self.index.best(&self.state, self.rule.as_mut(), task, banned),
        }
    }

    /// Puts the task on the best node that is not banned; false when there is none.
    fn place(&mut self, task: TaskId, banned: &[NodeId]) -> bool {
        let Some(node) = self.choose(task, banned) else { return false };
        self.state.place(task, node);
        self.index.touch(node);
        match self.next {
            None => self.rule.placed(&self.state, task, node),
            Some(_) => self.hurried += 1,
        }
        true
    }

    /// The next node in line that takes the task.
    fn in_line(&mut self, task: TaskId, banned: &[NodeId]) -> Option<NodeId> {
        let nodes = self.state.instance().nodes();
        let first = self.next.unwrap_or(0);
        let line = (0..IN_LINE.min(nodes)).map(|k| NodeId::from((first + k) % nodes));
        let takes = |node: &NodeId| self.state.fits(task, *node) && !banned.contains(node);
        let found = line.into_iter().find(takes);
        let node = match found {
            Some(node) => node,
            None => self.index.best(&self.state, &mut FirstFit, task, banned)?,
        };
        // The first fit is no place to go on from: what is there is full.
        self.next = Some(found.map_or(first + IN_LINE, |node| node.index() + 1) % nodes);
        Some(node)
    }

    fn remove(&mut self, task: TaskId) {
        let Some(node) = self.state.node_of(task) else { return };
        self.state.remove(task);
        self.index.touch(node);
        match self.next {
            None => self.rule.removed(&self.state, task, node),
            Some(_) => self.hurried = self.hurried.saturating_sub(1),
        }
    }

    /// Places all tasks of a bundle, or none: where the rest has no room beside
    /// the first, the first tries another place.
    fn bundle(&mut self, tasks: &[TaskId]) -> bool {
        let instance = self.state.instance();
        let mut tasks: Vec<TaskId> =
            tasks.iter().copied().filter(|task| self.state.node_of(*task).is_none()).collect();
        // The hardest first: it has the fewest places.
        let hardness = |task: &TaskId| {
            let demand = instance.demand(*task).iter().map(|d| *d as f64).sum::<f64>();
            -demand
        };
        tasks.sort_by(|a, b| hardness(a).total_cmp(&hardness(b)).then(a.cmp(b)));
        let groups = self.groups(&tasks);
        let attempts = if self.tight(tasks[0]).is_some() { ATTEMPTS } else { LOOSE };
        self.parts(&groups, attempts)
    }

    /// Places the first group of a bundle, and then those that are on values of their own, one after
    /// the other; or none.
    fn parts(&mut self, groups: &[Vec<TaskId>], attempts: usize) -> bool {
        let Some((first, rest)) = groups.split_first() else { return true };
        let mut banned: Vec<NodeId> = Vec::new();
        for _ in 0..attempts {
            if !self.place(first[0], &banned) {
                return false;
            }
            let whole = first[1..].iter().all(|task| self.place(*task, &[]));
            if whole && rest.iter().all(|group| self.parts(std::slice::from_ref(group), ATTEMPTS)) {
                return true;
            }
            let place = self.state.node_of(first[0]);
            groups.iter().flatten().for_each(|task| self.remove(*task));
            banned.extend(place.into_iter().flat_map(|node| self.same_place(first[0], node)));
        }
        false
    }

    /// The tasks in groups that have to be on one value each, such as the segments of a job; what no
    /// such rule keeps goes with the first.
    fn groups(&self, tasks: &[TaskId]) -> Vec<Vec<TaskId>> {
        let rule = |task: TaskId| self.tight(task).map(std::ptr::from_ref);
        let first = rule(tasks[0]);
        let mut known: Vec<Option<*const Rule>> = vec![first];
        let mut groups: Vec<Vec<TaskId>> = vec![Vec::new()];
        for task in tasks {
            let own = rule(*task).or(first);
            let at = known.iter().position(|known| *known == own).unwrap_or_else(|| {
                known.push(own);
                groups.push(Vec::new());
                known.len() - 1
            });
            groups[at].push(*task);
        }
        groups
    }

    /// The nodes that a rule cannot tell from this one: if the rest had no room
    /// beside this node it has none beside those. The node itself without such rules.
    fn same_place(&self, task: TaskId, node: NodeId) -> Vec<NodeId> {
        let instance = self.state.instance();
        let Some(rule) = self.tight(task).filter(|rule| rule.over != 0) else { return vec![node] };
        let value = instance.value_of(rule, node);
        instance.node_ids().filter(|n| instance.value_of(rule, *n) == value).collect()
    }

    /// The rule that keeps the task and others to one value.
    fn tight(&self, task: TaskId) -> Option<&Rule> {
        let instance = self.state.instance();
        let mut rules = instance.rules_of(task).iter().map(|(rule, _)| *rule as usize);
        rules.find(|rule| instance.rules()[*rule].at_most() == 1).map(|at| &instance.rules()[at])
    }

    /// Takes back what breaks a rule, until nothing does.
    fn retract(&mut self) {
        let instance = self.state.instance();
        loop {
            let broken = self.state.broken_rules();
            if broken.is_empty() {
                return;
            }
            for rule in broken {
                let rule = &instance.rules()[rule as usize];
                rule.tasks.iter().for_each(|task| self.remove(*task));
            }
        }
    }
}
