//! The cheapest ways out of a conflict. Each is tried before it is proposed.

use super::conflict::{Conflict, Element};
use super::oracle::{Feasible, Oracle};
use crate::error::Result;
use crate::ilp::{self, Request};
use crate::model::{Ask, Classes, Goal, Instance, Kept, NodeId, RuleId, TaskId, Term, Tier};
use crate::policy::{self, Settings, multi_start};
use crate::stop::Stop;

/// Nodes of one kind that a repair adds at most.
const NODES: usize = 4096;
/// Kinds of nodes, and nodes to raise, that are tried at most.
const KINDS: usize = 8;

/// What would be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Leave these jobs out.
    Drop(Vec<TaskId>),
    /// Give a node more of a resource: in steps of the resource.
    Raise { node: NodeId, resource: usize, by: i64 },
    /// Add nodes like this one.
    Add { like: NodeId, count: usize },
    /// Lift a rule between tasks.
    Lift(RuleId),
    /// Ask nothing of the labels, taints and place of a task.
    Undemand(TaskId),
}

/// A way out that was tried and leads to a plan.
#[derive(Clone, Debug)]
pub struct Repair {
    /// What would be done.
    pub change: Change,
    /// In words.
    pub words: String,
    /// How many things change: nodes added, jobs left out, rules lifted.
    pub changes: usize,
    /// No smaller repair of its kind leads to a plan; proven.
    pub least: bool,
    /// What it costs where nodes have prices.
    pub price: Option<f64>,
}

/// Ways out, fewest changes first.
///
/// # Errors
/// The solver is missing or fails.
pub fn repairs(
    instance: &Instance,
    oracle: &Oracle,
    conflict: &Conflict,
    stop: &Stop,
) -> Result<Vec<Repair>> {
    let work = Work { instance, oracle, conflict, stop };
    let mut list = Vec::new();
    list.extend(work.drop_jobs()?);
    list.extend(work.lift()?);
    list.extend(work.add_nodes()?);
    list.extend(work.raise()?);
    list.sort_by_key(|repair| repair.changes);
    Ok(list)
}

struct Work<'a> {
    instance: &'a Instance,
    oracle: &'a Oracle,
    conflict: &'a Conflict,
    stop: &'a Stop,
}

impl Work<'_> {
    fn has_plan(&self, changed: &Instance) -> Result<Feasible> {
        if self.stop.reached() {
            return Ok(Feasible::Unknown);
        }
        self.oracle.feasible(changed, &self.stop.part(self.stop.remaining() / 4))
    }

    /// The lightest set of jobs to leave out: the exact one where the solver can.
    fn drop_jobs(&self) -> Result<Option<Repair>> {
        let instance = self.instance;
        let goal = Goal { tiers: vec![Tier::single(Term::Unplaced(None))] };
        let policies = policy::choices(&["best-fit", "min-load"]);
        let settings = Settings { seed: self.oracle.seed, ..Settings::default() };
        let slice = self.stop.part(self.stop.remaining() / 3);
        let found = multi_start(instance, &policies, &goal, &settings, &slice);
        let Some(mut plan) = found.map(|found| found.plan) else { return Ok(None) };
        let classes = Classes::of(instance);
        let mut least = plan.placed() + 1 == instance.tasks();
        if classes.variables() <= self.oracle.backend.sensible_size() && !least {
            let request = Request {
                instance,
                classes: &classes,
                goal: &goal,
                allow_unplaced: true,
                backend: self.oracle.backend,
                gap: 0.0,
                seed: self.oracle.seed,
                incumbent: Some(plan.clone()),
                bounds: Vec::new(),
                failures: Vec::new(),
            };
            let finding = ilp::solve(&request, &slice)?;
            least = finding.exact == ilp::Exact::Complete;
            plan = finding.plan.unwrap_or(plan);
        }
        let mut jobs: Vec<TaskId> = Vec::new();
        for task in plan.unplaced() {
            let job = instance.job(task);
            if jobs.last() != Some(&job) {
                jobs.push(job);
            }
        }
        // Rules that needed a dropped task go with it, so this is what is tried.
        let mut keep = Kept::all(instance);
        plan.unplaced().for_each(|task| keep.tasks[task.index()] = false);
        if jobs.is_empty() || !matches!(self.has_plan(&instance.only(&keep))?, Feasible::Yes(_)) {
            return Ok(None);
        }
        // Without a plan for all, leaving out one is the least there is.
        least |= jobs.len() == 1;
        let names: Vec<String> = jobs.iter().take(8).map(|job| self.name(*job)).collect();
        let more = match jobs.len().saturating_sub(8) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let words = format!("leave out {}{more}", names.join(", "));
        Ok(Some(Repair {
            changes: jobs.len(),
            words,
            least,
            price: None,
            change: Change::Drop(jobs),
        }))
    }

    fn name(&self, job: TaskId) -> String {
        match self.instance.gang_of(job) {
            Some((gang, _)) => format!("gang `{}`", gang.name),
            None => format!("`{}`", self.instance.task_name(job)),
        }
    }

    /// One rule lifted, or one job made undemanding.
    fn lift(&self) -> Result<Vec<Repair>> {
        let instance = self.instance;
        let mut list = Vec::new();
        for element in &self.conflict.elements {
            let (change, changed, words) = match element {
                Element::Rule(id) if instance.rules()[*id as usize].ask != Ask::Gang => {
                    let mut keep = Kept::all(instance);
                    keep.rules[*id as usize] = false;
                    let name = &instance.rules()[*id as usize].name;
                    (Change::Lift(*id), instance.only(&keep), format!("lift the rule `{name}`"))
                }
                Element::Job(task)
                    if instance.requirement_of(*task) != 0 || instance.pin(*task).is_some() =>
                {
                    let words = format!("let {} run on any node", self.name(*task));
                    (Change::Undemand(*task), instance.undemanding(*task), words)
                }
                _ => continue,
            };
            if matches!(self.has_plan(&changed)?, Feasible::Yes(_)) {
                list.push(Repair { change, words, changes: 1, least: true, price: None });
            }
            if list.len() >= KINDS {
                break;
            }
        }
        Ok(list)
    }

    /// Fewest nodes of each kind, for the kinds that help with few.
    fn add_nodes(&self) -> Result<Vec<Repair>> {
        let instance = self.instance;
        let mut kinds: Vec<NodeId> = Vec::new();
        let jobs: Vec<TaskId> = self.conflict.jobs().collect();
        let takes = |node: &NodeId| jobs.iter().any(|job| instance.eligible(*job, *node));
        for node in instance.node_ids().filter(takes) {
            let same = |other: &NodeId| {
                instance.capacity(*other) == instance.capacity(node)
                    && instance.taints(*other) == instance.taints(node)
                    && instance.price(*other) == instance.price(node)
                    && instance.labels(*other) == instance.labels(node)
            };
            if kinds.len() < KINDS && !kinds.iter().any(same) {
                kinds.push(node);
            }
        }
        let mut list: Vec<Repair> = Vec::new();
        for like in kinds {
            let more = |count: usize| instance.with_more_nodes(like, count);
            let Some((count, least)) = self.fewest(1, NODES, more)? else { continue };
            let price = instance.price(like) as f64 * count as f64 * instance.cost_scale().factor();
            let name = instance.node_name(like);
            let words = match count {
                1 => format!("add a node like `{name}`"),
                n => format!("add {n} nodes like `{name}`"),
            };
            list.push(Repair {
                change: Change::Add { like, count },
                words,
                changes: count,
                least,
                price: (price > 0.0).then_some(price),
            });
        }
        list.sort_by(|a, b| a.price.partial_cmp(&b.price).unwrap_or(std::cmp::Ordering::Equal));
        Ok(list)
    }

    /// The smallest number up to `most` with which there is a plan, and whether
    /// one less was proven too few. Doubles from `start`, then halves the distance.
    fn fewest(
        &self,
        start: usize,
        most: usize,
        change: impl Fn(usize) -> Instance,
    ) -> Result<Option<(usize, bool)>> {
        let (mut low, mut high) = (0, start.clamp(1, most));
        let mut certain = true;
        loop {
            match self.has_plan(&change(high))? {
                Feasible::Yes(_) => break,
                Feasible::No(_) => {}
                Feasible::Unknown => certain = false,
            }
            if high >= most || self.stop.reached() {
                return Ok(None);
            }
            low = high;
            high = (2 * high).min(most);
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            match self.has_plan(&change(middle))? {
                Feasible::Yes(_) => high = middle,
                Feasible::No(_) => low = middle,
                Feasible::Unknown => {
                    certain = false;
                    low = middle;
                }
            }
        }
        Ok(Some((high, certain)))
    }

    /// The least by which one node's capacity would have to grow, in each
    /// resource of the conflict.
    fn raise(&self) -> Result<Vec<Repair>> {
        let instance = self.instance;
        let mut list = Vec::new();
        let jobs: Vec<TaskId> = self.conflict.jobs().collect();
        for element in &self.conflict.elements {
            let Element::Resource(r) = *element else { continue };
            let step = instance.devices().iter().find(|d| d.resource == r).map_or(1, |d| d.card);
            let total: i64 = jobs
                .iter()
                .map(|job| instance.demand(*job)[r] * instance.units(*job).len() as i64)
                .sum();
            let most = (total / step + 1).clamp(1, 1 << 40) as usize;
            let takes = |node: &NodeId| jobs.iter().any(|job| instance.eligible(*job, *node));
            let mut nodes: Vec<NodeId> = instance.node_ids().filter(takes).collect();
            nodes.sort_by_key(|node| (std::cmp::Reverse(instance.free(*node, r)), *node));
            let mut best: Option<(usize, bool, NodeId)> = None;
            for node in nodes.into_iter().take(KINDS) {
                let limit = best.map_or(most, |(count, ..)| count);
                let raised = |count: usize| instance.raised(node, r, count as i64 * step);
                if let Some((count, least)) = self.fewest(most / 64, limit, raised)?
                    && best.is_none_or(|(known, ..)| count < known)
                {
                    best = Some((count, least, node));
                }
            }
            let Some((count, least, node)) = best else { continue };
            let resource = &instance.resources()[r];
            let by = count as i64 * step;
            list.push(Repair {
                change: Change::Raise { node, resource: r, by },
                words: format!(
                    "raise {} on node `{}` by {}",
                    resource.name,
                    instance.node_name(node),
                    resource.scale.show(by)
                ),
                changes: 1,
                least,
                price: None,
            });
        }
        Ok(list)
    }
}

impl Change {
    /// The instance with the change made.
    pub fn apply(&self, instance: &Instance) -> Instance {
        match self {
            Change::Drop(jobs) => {
                let mut keep = Kept::all(instance);
                for job in jobs {
                    keep.tasks[instance.units(*job)].fill(false);
                }
                instance.only(&keep)
            }
            Change::Raise { node, resource, by } => instance.raised(*node, *resource, *by),
            Change::Add { like, count } => instance.with_more_nodes(*like, *count),
            Change::Lift(rule) => {
                let mut keep = Kept::all(instance);
                keep.rules[*rule as usize] = false;
                instance.only(&keep)
            }
            Change::Undemand(task) => instance.undemanding(*task),
        }
    }
}
