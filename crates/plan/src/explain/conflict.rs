//! A small set of tasks, rules and capacities that cannot all be had: the
//! deletion filter over irreducible infeasible subsets (Chinneck, Dravnieks 1991,
//! DOI 10.1287/ijoc.3.2.157), whole blocks first.

use std::fmt;

use rustc_hash::FxHashSet;

use super::oracle::{Feasible, Oracle};
use base::error::Result;
use base::stop::Stop;
use engines::bounds::Impossible;
use model::{Instance, Kept, RuleId, TaskId};

/// A part of a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// A task, or the whole gang that it is the first unit of.
    Job(TaskId),
    /// A rule between tasks.
    Rule(RuleId),
    /// The capacities in one resource.
    Resource(usize),
    /// Limits on the number of tasks on a node.
    MaxTasks,
}

/// What cannot all be had.
#[derive(Clone, Debug)]
pub struct Conflict {
    /// Its parts: jobs first, then rules, then capacities.
    pub elements: Vec<Element>,
    /// Without any one of them the rest has a plan: tried, one by one.
    pub minimal: bool,
}

impl Conflict {
    /// The jobs among the parts.
    pub fn jobs(&self) -> impl Iterator<Item = TaskId> + '_ {
        self.elements.iter().filter_map(|element| match element {
            Element::Job(task) => Some(*task),
            _ => None,
        })
    }

    /// The instance with nothing but the conflict: it has no plan either.
    pub fn alone(&self, instance: &Instance) -> Instance {
        instance.only(&kept(instance, &self.elements))
    }

    /// The instance without the conflict's jobs.
    pub fn without(&self, instance: &Instance) -> Instance {
        let mut keep = Kept::all(instance);
        for task in self.jobs() {
            keep.tasks[instance.units(task)].fill(false);
        }
        instance.only(&keep)
    }
}

fn kept(instance: &Instance, elements: &[Element]) -> Kept {
    let mut keep = Kept {
        tasks: vec![false; instance.tasks()],
        rules: vec![false; instance.rules().len()],
        resources: vec![false; instance.resources().len()],
        max_tasks: false,
    };
    // A gang's own rule says nothing while all of its units have to be placed.
    for element in elements {
        match element {
            Element::Job(task) => keep.tasks[instance.units(*task)].fill(true),
            Element::Rule(rule) => keep.rules[*rule as usize] = true,
            Element::Resource(r) => keep.resources[*r] = true,
            Element::MaxTasks => keep.max_tasks = true,
        }
    }
    keep
}

/// Shrinks an instance without a plan to a conflict.
///
/// # Errors
/// The solver is missing.
pub fn conflict(
    instance: &Instance,
    oracle: &Oracle,
    proof: Option<&Impossible>,
    stop: &Stop,
) -> Result<Conflict> {
    let mut filter = Filter { instance, oracle, stop, certain: true };
    let mut elements = all(instance);
    // A proof that names its tasks is a far smaller start.
    if let Some(proof) = proof.filter(|proof| !proof.tasks.is_empty()) {
        let named: FxHashSet<TaskId> = proof.tasks.iter().copied().collect();
        let mut start: Vec<Element> = instance
            .jobs()
            .filter(|job| instance.units(*job).any(|k| named.contains(&TaskId::from(k))))
            .map(Element::Job)
            .collect();
        match proof.resource {
            Some(r) => start.push(Element::Resource(r)),
            None => start.extend(elements.iter().filter(|e| !matches!(e, Element::Job(_)))),
        }
        if filter.contradicts(&start)? {
            elements = start;
        }
    }
    filter.shrink(&mut elements)?;
    let minimal = filter.certain && filter.is_minimal(&elements)?;
    Ok(Conflict { elements, minimal })
}

/// Everything, the smallest jobs first: those go first.
fn all(instance: &Instance) -> Vec<Element> {
    let resources = 0..instance.resources().len();
    let all_of = |r| instance.node_ids().map(|node| instance.capacity(node)[r]).sum::<i64>();
    let capacities: Vec<i64> = resources.clone().map(all_of).collect();
    let size = |task: &TaskId| {
        let most = |r: usize| {
            let demand: i64 =
                instance.units(*task).map(|unit| instance.demand(TaskId::from(unit))[r]).sum();
            if capacities[r] > 0 { demand as f64 / capacities[r] as f64 } else { 0.0 }
        };
        resources.clone().map(most).fold(0.0, f64::max)
    };
    let mut sized: Vec<(f64, TaskId)> = instance.jobs().map(|task| (size(&task), task)).collect();
    sized.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
    let rules = instance.rules().iter().enumerate().filter(|(_, rule)| rule.has_places());
    let limited = instance.node_ids().any(|node| instance.max_tasks(node) < u32::MAX);
    (sized.into_iter().map(|(_, task)| Element::Job(task)))
        .chain(rules.map(|(k, _)| Element::Rule(k as RuleId)))
        .chain((0..instance.resources().len()).map(Element::Resource))
        .chain(limited.then_some(Element::MaxTasks))
        .collect()
}

/// Elements that are tried one by one for minimality at most.
const TRIED: usize = 200;

struct Filter<'a> {
    instance: &'a Instance,
    oracle: &'a Oracle,
    stop: &'a Stop,
    /// No answer was missing so far.
    certain: bool,
}

impl Filter<'_> {
    /// Whether the elements alone have no plan.
    fn contradicts(&mut self, elements: &[Element]) -> Result<bool> {
        if self.stop.reached() {
            self.certain = false;
            return Ok(false);
        }
        let alone = self.instance.only(&kept(self.instance, elements));
        let slice = self.stop.part(self.stop.remaining() / 4);
        Ok(match self.oracle.feasible(&alone, &slice)? {
            Feasible::No(_) => true,
            Feasible::Yes(_) => false,
            Feasible::Unknown => {
                self.certain = false;
                false
            }
        })
    }

    /// Leaves out what can be left out: halves, quarters, ... single elements. The
    /// capacities and rules first, so that it is known early what it is about.
    fn shrink(&mut self, elements: &mut Vec<Element>) -> Result<()> {
        let mut k = elements.len();
        while k > 0 {
            k -= 1;
            if matches!(elements[k], Element::Job(_)) {
                break;
            }
            self.leave_out(elements, k..k + 1)?;
        }
        let jobs =
            |elements: &[Element]| elements.iter().filter(|e| matches!(e, Element::Job(_))).count();
        let mut block = jobs(elements).div_ceil(2).max(1);
        loop {
            let mut at = 0;
            while at < jobs(elements) && !self.stop.reached() {
                let end = (at + block).min(jobs(elements));
                if !self.leave_out(elements, at..end)? {
                    at = end;
                }
            }
            if block == 1 || self.stop.reached() {
                return Ok(());
            }
            block = block.div_ceil(2);
        }
    }

    fn leave_out(
        &mut self,
        elements: &mut Vec<Element>,
        range: std::ops::Range<usize>,
    ) -> Result<bool> {
        let mut rest = elements.clone();
        rest.drain(range);
        let shorter = !rest.is_empty() && self.contradicts(&rest)?;
        if shorter {
            *elements = rest;
        }
        Ok(shorter)
    }

    /// Whether each element is needed.
    fn is_minimal(&mut self, elements: &[Element]) -> Result<bool> {
        if elements.len() > TRIED {
            return Ok(false);
        }
        for k in 0..elements.len() {
            let mut rest = elements.to_vec();
            rest.remove(k);
            let alone = self.instance.only(&kept(self.instance, &rest));
            let slice = self.stop.part(self.stop.remaining() / 2);
            let has_plan = matches!(self.oracle.feasible(&alone, &slice)?, Feasible::Yes(_));
            if !has_plan {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Element {
    /// The element in words.
    pub fn words(self, instance: &Instance) -> String {
        Words(instance, self).to_string()
    }

    /// Short name of what it is, for scripts.
    pub fn kind(self) -> &'static str {
        match self {
            Element::Job(_) => "task",
            Element::Rule(_) => "rule",
            Element::Resource(_) => "capacity",
            Element::MaxTasks => "max-tasks",
        }
    }
}

struct Words<'a>(&'a Instance, Element);

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Words(instance, element) = self;
        match element {
            Element::Job(task) => {
                match instance.gang_of(*task) {
                    Some((gang, _)) => write!(f, "gang `{}` of {} units", gang.name, gang.size)?,
                    None => write!(f, "task `{}`", instance.task_name(*task))?,
                }
                let demand = instance.resources().iter().zip(instance.demand(*task));
                let needs: Vec<String> = demand
                    .filter(|(_, demand)| **demand > 0)
                    .map(|(r, demand)| format!("{} {}", r.show(*demand), r.name))
                    .collect();
                if !needs.is_empty() {
                    write!(f, " ({}", needs.join(", "))?;
                    f.write_str(if instance.gang_of(*task).is_some() { " each)" } else { ")" })?;
                }
                let requirement = instance.requirement(*task);
                let asks = requirement.to_string();
                if !asks.is_empty() {
                    write!(f, ", which requires {asks}")?;
                }
                instance.pin(*task).map_or(Ok(()), |pin| {
                    write!(f, ", which is pinned to `{}`", instance.node_name(pin))
                })
            }
            Element::Rule(rule) => {
                write!(f, "rule `{}`", instance.rules()[*rule as usize].name)
            }
            Element::Resource(r) => {
                write!(f, "the nodes' capacities in {}", instance.resources()[*r].name)
            }
            Element::MaxTasks => f.write_str("the task limit per node"),
        }
    }
}
