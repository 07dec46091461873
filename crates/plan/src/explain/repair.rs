//! The cheapest ways out of a conflict. Each is tried before it is proposed.

use super::conflict::{Conflict, Element};
use super::oracle::{Feasible, Oracle};
use base::error::Result;
use base::stop::Stop;
use engines::policy::{self, Settings, multi_start};
use ilp::{self, Request};
use judge::check::check_plan;
use model::{
    CardSet, Classes, Goal, Instance, Kept, NodeId, Rule, RuleId, RuleShape, TaskId, Term, Tier,
};

/// Nodes of one kind that a repair adds at most.
const NODES: usize = 4096;
/// Kinds of nodes, and nodes to raise, that are tried at most.
const KINDS: usize = 8;
/// Steps by which a capacity is raised at most.
const LARGEST: i64 = 1 << 40;

/// What would be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Leave these jobs out.
    Drop(Vec<TaskId>),
    /// Give a node more of a resource: in steps of the resource.
    Raise {
        /// The node.
        node: NodeId,
        /// The resource, by its place among the instance's.
        resource: usize,
        /// How much more, in steps.
        by: i64,
    },
    /// Add nodes like this one.
    Add {
        /// The node that is copied.
        like: NodeId,
        /// How often.
        count: usize,
    },
    /// Lift a rule between tasks.
    Lift(RuleId),
    /// Let a limit be so much.
    Loosen {
        /// The limit.
        rule: RuleId,
        /// The most from then on, in steps.
        at_most: i64,
    },
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
/// The solver is missing.
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
    list.extend(work.loosen()?);
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
        let instance = &*self.instance.weighing_something();
        let goal = Goal { tiers: vec![Tier::single(Term::Unplaced(None))] };
        let policies = policy::choices(&["best-fit", "min-load"]);
        let settings = Settings { seed: self.oracle.seed, ..Settings::default() };
        let slice = self.stop.part(self.stop.remaining() / 3);
        let found = multi_start(instance, &policies, &goal, &settings, &slice);
        let Some(mut plan) = found.map(|found| found.plan) else { return Ok(None) };
        // Something has to be left out, so nothing is lighter than the lightest job.
        let weight = |task: TaskId| instance.drop_weight(task);
        let job = |job: TaskId| instance.units(job).map(|k| weight(TaskId::from(k))).sum::<i64>();
        let lightest = instance.jobs().map(job).min();
        let mut least = lightest == Some(plan.unplaced().map(weight).sum());
        let classes = Classes::of(instance);
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
        // To leave out everything is no way out.
        if jobs.is_empty()
            || plan.placed() == 0
            || !check_plan(self.instance, &plan, true).is_empty()
        {
            return Ok(None);
        }
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

    /// The node takes tasks, but not this one.
    fn barred(&self, task: TaskId, node: NodeId) -> bool {
        self.instance.counted(node) && !self.instance.eligible(task, node)
    }

    /// Whether the input without the rule means something. Units of a gang stay together, and a
    /// resource that no node has is a slip of the pen where no limit counts it.
    fn can_lift(&self, rule: RuleId) -> bool {
        let instance = self.instance;
        let counted =
            |rule: &Rule| rule.limit()?.resource.filter(|r| instance.resources()[*r].limits_only);
        let rule = &instance.rules()[rule as usize];
        let alone = |resource| {
            instance.rules().iter().filter(|other| counted(other) == Some(resource)).count() == 1
        };
        rule.has_places() && !counted(rule).is_some_and(alone)
    }

    /// One rule lifted, or one job made undemanding.
    fn lift(&self) -> Result<Vec<Repair>> {
        let instance = self.instance;
        let mut list = Vec::new();
        for element in &self.conflict.elements {
            let (change, changed, words) = match element {
                Element::Rule(id) if self.can_lift(*id) => {
                    let mut keep = Kept::all(instance);
                    keep.rules[*id as usize] = false;
                    let name = &instance.rules()[*id as usize].name;
                    (Change::Lift(*id), instance.only(&keep), format!("lift the rule `{name}`"))
                }
                Element::Job(task) if instance.node_ids().any(|n| self.barred(*task, n)) => {
                    let labels = instance.labels_of_rules(*task);
                    let with = if labels.is_empty() { "" } else { " with the label " };
                    let name = self.name(*task);
                    let tainted = |n| self.barred(*task, n) && !instance.taints(n).is_empty();
                    let taints =
                        if instance.node_ids().any(tainted) { ", whatever its taints" } else { "" };
                    let labels = labels.join(", ");
                    let words = format!("let {name} run on any node{with}{labels}{taints}");
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

    /// The least that each limit of the conflict would have to allow.
    fn loosen(&self) -> Result<Vec<Repair>> {
        let instance = self.instance;
        let mut list = Vec::new();
        for element in &self.conflict.elements {
            let Element::Rule(id) = *element else { continue };
            let rule = &instance.rules()[id as usize];
            let Some(limit) = rule.limit() else { continue };
            let all: i128 = rule.tasks.iter().map(|task| i128::from(limit.most(*task))).sum();
            let missing = (all - i128::from(limit.at_most)).min(i128::from(LARGEST));
            let Ok(missing @ 1..) = usize::try_from(missing) else { continue };
            let most = |more: usize| limit.at_most + more as i64;
            let fewest =
                self.fewest(missing / 64, missing, |more| instance.with_limit(id, most(more)))?;
            let Some(more) = fewest.count else { continue };
            let words = format!(
                "raise the limit `{}` to {}",
                rule.name,
                instance.show_limited(limit, most(more))
            );
            let change = Change::Loosen { rule: id, at_most: most(more) };
            list.push(Repair { change, words, changes: 1, least: fewest.certain, price: None });
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
                    && instance.limit(*other) == instance.limit(node)
                    && instance.max_tasks(*other) == instance.max_tasks(node)
                    && instance.taints(*other) == instance.taints(node)
                    && instance.price(*other) == instance.price(node)
                    && instance.labels(*other) == instance.labels(node)
            };
            if kinds.len() < KINDS && !kinds.iter().any(same) {
                kinds.push(node);
            }
        }
        // A node more is one more that an even spread over nodes has to fill: with it, more may
        // be worse than fewer, and not all numbers are tried beyond a few.
        let skewed = |rule: &Rule| {
            let skewed = matches!(rule.shape(), RuleShape::Values { max_skew: Some(_), .. });
            rule.over == 0 && skewed
        };
        let monotone = !instance.rules().iter().any(skewed);
        let mut list: Vec<Repair> = Vec::new();
        for like in kinds {
            let more = |count: usize| instance.with_more_nodes(like, count);
            // Sums over all nodes stay below 2^60 steps.
            let sum =
                |r: usize| instance.node_ids().map(|node| instance.capacity(node)[r]).sum::<i64>();
            let each = instance.capacity(like).iter().enumerate().filter(|(_, each)| **each > 0);
            let room = each.map(|(r, each)| ((1i64 << 60) - sum(r)).max(0) / each).min();
            let most = room.map_or(NODES, |room| NODES.min(usize::try_from(room).unwrap_or(NODES)));
            if most == 0 {
                continue;
            }
            let fewest = self.fewest(1, most, more)?;
            let Some(count) = fewest.count else { continue };
            let least = fewest.certain && (monotone || count <= 4);
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

    /// The smallest number up to `most` with which there is a plan. Doubles from `start`, then
    /// halves the distance.
    fn fewest(
        &self,
        start: usize,
        most: usize,
        change: impl Fn(usize) -> Instance,
    ) -> Result<Fewest> {
        let (mut low, mut high) = (0, start.clamp(1, most));
        let mut certain = true;
        loop {
            match self.has_plan(&change(high))? {
                Feasible::Yes(_) => break,
                Feasible::No(_) => {}
                Feasible::Unknown => certain = false,
            }
            if high >= most || self.stop.reached() {
                return Ok(Fewest { count: None, certain: certain && high >= most });
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
        Ok(Fewest { count: Some(high), certain })
    }

    /// The least by which one node's capacity would have to grow, in each
    /// resource of the conflict.
    fn raise(&self) -> Result<Vec<Repair>> {
        let instance = self.instance;
        let mut list = Vec::new();
        let jobs: Vec<TaskId> = self.conflict.jobs().collect();
        let takes = |node: &NodeId| jobs.iter().any(|job| instance.eligible(*job, *node));
        let classes = Classes::of(instance);
        for element in &self.conflict.elements {
            let Element::Resource(r) = *element else { continue };
            let card = instance.devices().iter().find(|d| d.resource == r).map(|d| d.card);
            let step = card.unwrap_or(1);
            let total: i64 = jobs
                .iter()
                .map(|job| instance.demand(*job)[r] * instance.units(*job).len() as i64)
                .sum();
            let raised = |node: &NodeId| {
                instance.limit_at(*node, r, instance.capacity(*node)[r].saturating_add(total))
            };
            // Of nodes that nothing tells apart, raised or not, one is enough.
            let mut nodes: Vec<NodeId> = Vec::new();
            for class in &classes.nodes {
                let from = nodes.len();
                for node in class.nodes.iter().filter(|node| takes(node)) {
                    if nodes[from..].iter().all(|known| raised(known) != raised(node)) {
                        nodes.push(*node);
                    }
                }
            }
            nodes.sort_by_key(|node| (std::cmp::Reverse(instance.free(*node, r)), *node));
            // Where a part stays reserved, or a margin for how demands vary, less than a step may do.
            let stepwise = |node: &NodeId| instance.limit_follows(*node, r);
            let mut certain = nodes.len() <= KINDS
                && nodes.iter().all(stepwise)
                && instance.kept_risk().is_none();
            let mut best: Option<(usize, NodeId)> = None;
            for node in nodes.into_iter().take(KINDS) {
                let capacity = instance.capacity(node)[r];
                let gain = |count: i64| {
                    let more = instance.limit_at(node, r, capacity + count * step);
                    more - instance.limit(node)[r]
                };
                // Enough for all jobs of the conflict, where a part stays reserved too.
                let mut most = total / step + 1;
                while gain(most) < total && most < LARGEST {
                    most *= 2;
                }
                let most = match card {
                    Some(card) => most.min(i64::from(CardSet::BITS) - capacity / card),
                    None => most.min(LARGEST),
                };
                let most = best.map_or(most, |(count, _)| most.min(count as i64 - 1));
                let Some(most) = usize::try_from(most).ok().filter(|most| *most > 0) else {
                    continue;
                };
                let raised = |count: usize| instance.raised(node, r, count as i64 * step);
                let fewest = self.fewest(most / 64, most, raised)?;
                certain &= fewest.certain;
                best = fewest.count.map(|count| (count, node)).or(best);
            }
            let Some((count, node)) = best else { continue };
            let resource = &instance.resources()[r];
            let by = count as i64 * step;
            let own = resource.unit.as_ref().filter(|unit| *unit != "byte");
            let unit = own.map_or_else(String::new, |unit| format!(" {unit}"));
            list.push(Repair {
                change: Change::Raise { node, resource: r, by },
                words: format!(
                    "raise {} on node `{}` by {}{unit}",
                    resource.name,
                    instance.node_name(node),
                    resource.show(by)
                ),
                changes: 1,
                least: certain,
                price: None,
            });
        }
        Ok(list)
    }
}

/// The smallest number of a change that leads to a plan.
struct Fewest {
    /// `None` where none was found.
    count: Option<usize>,
    /// No smaller one does, or none at all: proven, as far as more is never worse.
    certain: bool,
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
            Change::Loosen { rule, at_most } => instance.with_limit(*rule, *at_most),
            Change::Undemand(task) => instance.undemanding(*task),
        }
    }
}
