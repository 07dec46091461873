//! What a feasible plan is, written to be read: one function a rule, every
//! violation returned. Shares nothing with the search and the policies.

mod cards;
mod fallbacks;
mod moves;
mod rules;
mod time;
mod violation;

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::metrics;
use base::nearest;
use model::{
    CardSet, Claim, ClaimedPlacement, ClaimedStandby, Goal, Instance, NodeId, NodeState, Plan,
    Refusal, RuleId, Schedule, TaskId, Tier, TierValue,
};
pub use moves::check_moves;
pub use time::check_schedule;
pub use violation::Violation;

/// What the checker found: no violations means the plan is feasible and says
/// the truth about itself.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// In the order task, node, claim.
    pub violations: Vec<Violation>,
    /// Value of each tier, recomputed.
    pub values: Vec<TierValue>,
    /// The plan as understood.
    pub plan: Plan,
    /// The same in time, where the goal or the plan is about time.
    pub schedule: Option<Schedule>,
}

/// Checks a plan as written down: names, rules, stated values.
pub fn check_claim(instance: &Instance, claim: &Claim) -> Verdict {
    let mut violations = Vec::new();
    let mut said = FxHashSet::default();
    let mut standbys = Vec::new();
    let schedule = resolve(instance, claim, &mut said, &mut standbys, &mut violations);
    let timed = instance.is_timed() || schedule.start.iter().any(Option::is_some);
    violations.extend(if timed {
        check_schedule(instance, &schedule, true)
    } else {
        check_plan(instance, &schedule.plan, true)
    });
    let plan = &schedule.plan;
    let silent = plan.unplaced().filter(|task| !said.contains(task));
    violations.extend(silent.map(|task| not_placed(instance, task)));
    if let (Some(survives), true) = (&claim.survives, violations.is_empty()) {
        violations.extend(fallbacks::check(instance, plan, survives));
    }
    if violations.is_empty() {
        violations.extend(fallbacks::standbys(instance, plan, &standbys));
    }
    let goal = goal_of(instance, claim);
    let values = if timed {
        metrics::timed_values(instance, &schedule, &goal)
    } else {
        metrics::goal_values(instance, plan, &goal)
    };
    violations.extend(stated_values(claim, &values));
    Verdict { violations, values, plan: plan.clone(), schedule: timed.then_some(schedule) }
}

/// Checks a plan against every rule of the instance. With `allow_unplaced`,
/// tasks without a node are no violation.
pub fn check_plan(instance: &Instance, plan: &Plan, allow_unplaced: bool) -> Vec<Violation> {
    let mut violations = places(instance, plan, allow_unplaced);
    let on = plan.by_node(instance.nodes());
    let nodes = || instance.node_ids().zip(&on).filter(|(_, tasks)| !tasks.is_empty());
    let limits = |(node, tasks): (NodeId, &Vec<TaskId>)| {
        node_limits(instance, node, tasks, instance.used(node))
    };
    violations.extend(nodes().flat_map(limits));
    violations.extend(transients(instance, plan));
    violations
        .extend(nodes().flat_map(|(node, tasks)| cards::on_node(instance, plan, node, tasks)));
    violations.extend(rules::broken(instance, plan, instance.rules().iter()));
    violations
}

/// The same, with tasks without a node allowed, of a plan that differs from one that was checked in
/// `changed` alone: their places, the nodes that they are on and the rules that speak of them.
/// `before` has the tasks that the other plan has on each node.
pub fn check_changed(
    instance: &Instance,
    plan: &Plan,
    changed: &[TaskId],
    before: &[Vec<TaskId>],
) -> Vec<Violation> {
    if instance.has_transient() {
        return check_plan(instance, plan, true);
    }
    let mut now: BTreeMap<NodeId, Vec<TaskId>> = BTreeMap::new();
    let changed: BTreeSet<TaskId> = changed.iter().copied().collect();
    for task in &changed {
        let node = plan.placement[task.index()];
        node.iter().for_each(|node| now.entry(*node).or_default().push(*task));
    }
    let placed = || now.iter().flat_map(|(node, tasks)| tasks.iter().map(|task| (*task, *node)));
    let mut violations = states(instance, placed());
    violations.extend(pins(instance, placed()));
    violations.extend(requirements(instance, placed()));
    for (node, come) in &now {
        let stay = before[node.index()].iter().filter(|task| !changed.contains(task));
        let mut tasks: Vec<TaskId> = stay.chain(come).copied().collect();
        tasks.sort_unstable();
        violations.extend(node_limits(instance, *node, &tasks, instance.used(*node)));
        violations.extend(cards::on_node(instance, plan, *node, &tasks));
    }
    let of = |task: &TaskId| instance.rules_of(*task).iter().map(|(rule, _)| *rule);
    let touched: BTreeSet<RuleId> = changed.iter().flat_map(of).collect();
    let touched = touched.iter().map(|rule| &instance.rules()[*rule as usize]);
    violations.extend(rules::broken(instance, plan, touched));
    violations
}

/// Tasks have nodes, and these take them.
fn places(instance: &Instance, plan: &Plan, allow_unplaced: bool) -> Vec<Violation> {
    let mut violations = Vec::new();
    if !allow_unplaced {
        violations.extend(plan.unplaced().map(|task| not_placed(instance, task)));
    }
    violations.extend(states(instance, plan.placements()));
    violations.extend(pins(instance, plan.placements()));
    violations.extend(requirements(instance, plan.placements()));
    violations
}

/// Unknown names for which the nearest known one is looked up: each costs a pass
/// over all names, and a plan for another instance altogether needs no such help.
const SUGGESTIONS: usize = 10;

/// Names to ids, with what has none reported. `said` gets the tasks that the
/// claim calls unplaced, `standbys` what it says of them.
fn resolve<'c>(
    instance: &Instance,
    claim: &'c Claim,
    said: &mut FxHashSet<TaskId>,
    standbys: &mut Vec<(TaskId, &'c ClaimedStandby)>,
    violations: &mut Vec<Violation>,
) -> Schedule {
    let mut names = Names::of(instance);
    let mut plan = Plan::empty(instance.tasks());
    let mut start = vec![None; instance.tasks()];
    let width = instance.devices().len();
    if claim.assignments.iter().any(|entry| !entry.devices.is_empty()) {
        plan.cards = vec![0; instance.tasks() * width];
    }
    let placed = claim.assignments.iter().map(|entry| (&entry.task, entry.unit, Some(entry)));
    let left = claim.unplaced.iter().map(|(task, unit)| (task, *unit, None));
    for (task, unit, entry) in placed.chain(left) {
        let few = violations.len() < SUGGESTIONS;
        let Some(id) = names.next(instance, task, unit) else {
            violations.push(Violation::UnknownTask {
                task: unit.map_or(task.clone(), |unit| format!("{task}[{unit}]")),
                nearest: few.then(|| names.nearest_task(task)).flatten(),
            });
            continue;
        };
        if plan.placement[id.index()].is_some() || said.contains(&id) {
            violations.push(Violation::Twice { task: instance.task_name(id).to_owned() });
            continue;
        }
        let Some(entry) = entry else {
            said.insert(id);
            continue;
        };
        standbys.extend(entry.standby.as_ref().map(|standby| (id, standby)));
        match names.nodes.get(entry.node.as_str()) {
            Some(node) => {
                plan.placement[id.index()] = Some(*node);
                start[id.index()] = entry.start;
                violations.extend(wrong_end(instance, id, *node, entry));
            }
            None => violations.push(Violation::UnknownNode {
                task: instance.task_name(id).to_owned(),
                node: entry.node.clone(),
                nearest: few.then(|| nearest(&entry.node, names.nodes.keys().copied())).flatten(),
            }),
        }
        for (resource, numbers) in &entry.devices {
            match card_set(instance, resource, numbers) {
                Some((d, set)) => plan.cards[id.index() * width + d] = set,
                None => violations.push(Violation::Cards {
                    node: entry.node.clone(),
                    resource: resource.clone(),
                    detail: format!(
                        "task `{}` is said to have cards {numbers:?}, which there are none of",
                        instance.task_name(id)
                    ),
                }),
            }
        }
    }
    Schedule { plan, start }
}

/// A plan in time that says when a task ends says the truth.
fn wrong_end(
    instance: &Instance,
    task: TaskId,
    node: NodeId,
    entry: &ClaimedPlacement,
) -> Option<Violation> {
    let end = entry.start? + instance.duration_on(task, node);
    let stated = entry.end.filter(|stated| *stated != end)?;
    let detail = format!("is said to end at {stated} s and ends at {end} s");
    Some(Violation::Time { code: "end", task: instance.task_name(task).to_owned(), detail })
}

fn card_set(instance: &Instance, resource: &str, numbers: &[u32]) -> Option<(usize, CardSet)> {
    let of = |r: usize| instance.resources()[r].name == resource;
    let d = instance.devices().iter().position(|device| of(device.resource))?;
    let mut set = 0;
    for number in numbers {
        let bit = CardSet::from(1u8).checked_shl(*number)?;
        if set & bit != 0 {
            return None; // the same card twice
        }
        set |= bit;
    }
    Some((d, set))
}

/// The instance's names, and which unit of each gang comes next.
struct Names<'a> {
    tasks: FxHashMap<&'a str, TaskId>,
    gangs: FxHashMap<&'a str, (TaskId, u32, u32)>,
    nodes: FxHashMap<&'a str, NodeId>,
}

impl<'a> Names<'a> {
    fn of(instance: &'a Instance) -> Names<'a> {
        let gangs = instance.gangs().iter();
        Names {
            tasks: instance.task_ids().map(|task| (instance.task_name(task), task)).collect(),
            gangs: gangs.map(|g| (g.name.as_str(), (g.first, g.size, 0))).collect(),
            nodes: instance.node_ids().map(|node| (instance.node_name(node), node)).collect(),
        }
    }

    /// The task of that name: by itself, as a unit, or as the gang's next unit.
    fn next(&mut self, instance: &Instance, name: &str, unit: Option<u32>) -> Option<TaskId> {
        let gang = self.gangs.get_mut(name);
        match (gang, unit) {
            (Some((first, size, _)), Some(unit)) => (unit < *size).then(|| TaskId(first.0 + unit)),
            (Some((first, size, next)), None) => {
                // Beyond the last unit, the last one is named once too often.
                let unit = (*next).min(*size - 1);
                *next += 1;
                Some(TaskId(first.0 + unit))
            }
            (None, None | Some(0)) => self.tasks.get(name).copied(),
            (None, Some(_)) => None,
        }
        .filter(|task| task.index() < instance.tasks())
    }

    fn nearest_task(&self, name: &str) -> Option<String> {
        nearest(name, self.tasks.keys().chain(self.gangs.keys()).copied())
    }
}

fn not_placed(instance: &Instance, task: TaskId) -> Violation {
    Violation::NotPlaced { task: instance.task_name(task).to_owned() }
}

/// Tasks are on nodes that take tasks.
fn states(instance: &Instance, placed: impl Iterator<Item = (TaskId, NodeId)>) -> Vec<Violation> {
    placed
        .filter(|(_, node)| instance.state(*node) != NodeState::Ready)
        .map(|(task, node)| Violation::State {
            task: instance.task_name(task).to_owned(),
            node: instance.node_name(node).to_owned(),
            state: instance.state(node),
        })
        .collect()
}

/// Pinned tasks are where they are pinned to.
fn pins(instance: &Instance, placed: impl Iterator<Item = (TaskId, NodeId)>) -> Vec<Violation> {
    let moved = placed.filter_map(|(task, node)| {
        let pin = instance.pin(task).filter(|pin| *pin != node)?;
        Some(Violation::Pinned {
            task: instance.task_name(task).to_owned(),
            node: instance.node_name(node).to_owned(),
            pin: instance.node_name(pin).to_owned(),
        })
    });
    moved.collect()
}

/// Labels and taints satisfy the tasks that mind them.
fn requirements(
    instance: &Instance,
    placed: impl Iterator<Item = (TaskId, NodeId)>,
) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (task, node) in placed {
        let requirement = instance.requirement(task);
        let labels = instance.labels(node);
        violations.extend(requirement.refusal(labels, instance.taints(node)).map(|refusal| {
            let task = instance.task_name(task).to_owned();
            let at = instance.node_name(node).to_owned();
            match refusal {
                Refusal::Lacks(key, wants) => Violation::Requires {
                    task,
                    node: at,
                    key: key.to_owned(),
                    wants: wants.to_vec(),
                    has: labels.iter().find(|(k, _)| k == key).map(|(_, value)| value.clone()),
                },
                Refusal::Avoids(key, value) => Violation::Avoids {
                    task,
                    node: at,
                    key: key.to_owned(),
                    value: value.to_owned(),
                },
                Refusal::Neither(_) => {
                    Violation::Neither { task, node: at, asked: refusal.to_string() }
                }
                Refusal::Tainted(taint) => {
                    Violation::Tainted { task, node: at, taint: taint.to_string() }
                }
            }
        }));
    }
    violations
}

/// Loads stay within capacities, wherever the tasks add any.
fn capacities(instance: &Instance, node: NodeId, tasks: &[TaskId], used: &[i64]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (r, resource) in instance.resources().iter().enumerate() {
        let load = used[r] + added(instance, node, tasks, r);
        let (capacity, limit) = (instance.capacity(node)[r], instance.limit(node)[r]);
        // What exceeds the capacity before the plan is not the plan's doing.
        if load <= limit || load <= used[r] {
            continue;
        }
        let adds = |task: &&TaskId| instance.demand_on(**task, node)[r] > 0;
        violations.push(Violation::Capacity {
            node: instance.node_name(node).to_owned(),
            resource: resource.name.clone(),
            load: resource.show(load),
            capacity: resource.show(capacity),
            reserved: (limit < capacity).then(|| resource.show(capacity - limit)),
            tasks: names(instance, tasks.iter().filter(adds)),
        });
    }
    violations
}

/// What these tasks add to what is on the node already.
fn added(instance: &Instance, node: NodeId, tasks: &[TaskId], resource: usize) -> i64 {
    tasks.iter().map(|task| instance.demand_on(*task, node)[resource]).sum()
}

/// While tasks move, what is transient counts on both nodes: what was there, what
/// the tasks of today hold, and what comes from elsewhere fit together wherever
/// anything comes.
fn transients(instance: &Instance, plan: &Plan) -> Vec<Violation> {
    if !instance.has_transient() {
        return Vec::new();
    }
    let on = plan.by_node(instance.nodes());
    let mut violations = Vec::new();
    for node in instance.node_ids() {
        let comes = |task: &&TaskId| instance.current(**task) != Some(node);
        for (r, resource) in instance.resources().iter().enumerate() {
            let adds = |task: &&TaskId| comes(task) && instance.demand_on(**task, node)[r] > 0;
            let come: Vec<TaskId> = on[node.index()].iter().filter(adds).copied().collect();
            if come.is_empty() || !instance.transient(r) {
                continue;
            }
            let more: i64 = come.iter().map(|task| instance.demand_on(*task, node)[r]).sum();
            let load = instance.used(node)[r] + instance.held(node)[r] + more;
            let limit = instance.limit(node)[r];
            if load > limit {
                violations.push(Violation::Transient {
                    node: instance.node_name(node).to_owned(),
                    resource: resource.name.clone(),
                    load: resource.show(load),
                    capacity: resource.show(limit),
                    tasks: names(instance, come.iter()),
                });
            }
        }
    }
    violations
}

/// Where demands vary and a risk is asked for, every node keeps it in every resource that the plan
/// fills: mean + z sqrt(sum of squared deviations) <= what the plan may fill, squares compared in
/// whole numbers. Means that are too much by themselves are another violation.
fn risks(instance: &Instance, node: NodeId, tasks: &[TaskId], used: &[i64]) -> Vec<Violation> {
    let Some(risk) = instance.kept_risk() else { return Vec::new() };
    let (num, den) = risk.squared_quantile();
    let mut violations = Vec::new();
    for (r, resource) in instance.resources().iter().enumerate() {
        let adds = |task: &&TaskId| instance.demand_on(**task, node)[r] > 0;
        let squares = tasks.iter().filter(adds).map(|task| {
            let deviation = i128::from(instance.deviation(*task)[r]);
            deviation * deviation
        });
        let variance: i128 = squares.sum();
        let load = used[r] + added(instance, node, tasks, r);
        let slack = instance.limit(node)[r] - load;
        // Rounding up is exact: the square is a whole number.
        let need = (i128::from(num) * variance + i128::from(den) - 1) / i128::from(den);
        if slack < 0 || i128::from(slack) * i128::from(slack) >= need {
            continue;
        }
        violations.push(Violation::Risk {
            node: instance.node_name(node).to_owned(),
            resource: resource.name.clone(),
            mean: resource.show(load),
            deviation: (variance as f64).sqrt() * resource.scale.factor(),
            capacity: resource.show(instance.limit(node)[r]),
            chance: risk.chance_here(slack, variance),
            asked: risk.to_string(),
            tasks: names(instance, tasks.iter().filter(adds)),
        });
    }
    violations
}

/// No more tasks on a node than it takes.
fn max_tasks(instance: &Instance, node: NodeId, tasks: &[TaskId]) -> Option<Violation> {
    let most = instance.max_tasks(node);
    (tasks.len() as u64 > u64::from(most)).then(|| Violation::MaxTasks {
        node: instance.node_name(node).to_owned(),
        most,
        tasks: names(instance, tasks.iter()),
    })
}

/// What a node holds, whatever it is that is there at once.
fn node_limits(
    instance: &Instance,
    node: NodeId,
    tasks: &[TaskId],
    used: &[i64],
) -> Vec<Violation> {
    let mut violations = capacities(instance, node, tasks, used);
    violations.extend(risks(instance, node, tasks, used));
    violations.extend(max_tasks(instance, node, tasks));
    violations
}

fn names<'a>(instance: &Instance, tasks: impl Iterator<Item = &'a TaskId>) -> Vec<String> {
    tasks.map(|task| instance.task_name(*task).to_owned()).collect()
}

/// The tiers that the claim states; the instance's goal when it states none.
fn goal_of(instance: &Instance, claim: &Claim) -> Goal {
    let mut tiers = Vec::new();
    for stated in &claim.goal {
        tiers.extend(Tier::parse(&stated.tier));
    }
    if tiers.is_empty() { instance.goal().clone() } else { Goal { tiers } }
}

/// A plan says the truth about its values, and no bound lies above them.
fn stated_values(claim: &Claim, values: &[TierValue]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for stated in &claim.goal {
        let Some(actual) = values.iter().find(|v| v.tier.to_string() == stated.tier) else {
            violations.push(Violation::Tier { tier: stated.tier.clone() });
            continue;
        };
        let tolerance = 1e-9 * actual.value.abs().max(1e-9);
        if (stated.value - actual.value).abs() > tolerance {
            violations.push(Violation::Value {
                tier: stated.tier.clone(),
                stated: stated.value,
                actual: actual.value,
            });
        }
        if let Some(bound) = stated.bound.filter(|bound| *bound > actual.value + tolerance) {
            violations.push(Violation::Bound {
                tier: stated.tier.clone(),
                bound,
                actual: actual.value,
            });
        }
    }
    violations
}
