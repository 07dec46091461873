//! From a [`Draft`] to an [`Instance`]: the checks that belong to the problem
//! rather than to a file format, and the change into integers.

use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::mem::take;

use rustc_hash::FxHashMap;

use super::budget;
use super::copies;
use super::costs::costs;
use super::deviation::deviations;
use super::devices::devices;
use super::draft::{DraftError, DraftItem, TaskDraft, error, index_ids};
use super::expand::{Units, resolve_rules};
use super::failure::backups;
use super::instance::{PairTable, Traffic};
use super::moves::moves;
use super::names::Names;
use super::parts::{Costs, Moves, Reserved, Rules, Soft, Times, Watts};
use super::room::Room;
use super::rule::of_limits;
use super::soft::{soft, weights};
use super::steps::{Amounts, Flat, collect_pairs, finest, reduce};
use super::timing::{check as check_times, times};
use super::watts::watts;
use super::{
    Decimal, Draft, Goal, Instance, Labels, NodeId, NodeState, Requirement, RequirementId, Taint,
    Term,
};
use base::nearest;

impl Draft {
    /// Checks the draft and turns it into an instance.
    ///
    /// # Errors
    /// No tasks or nodes, empty or duplicate ids, a demanded resource that no
    /// node has, pairs and rules of unknown or repeated names, shares of cards
    /// that are none, quantities whose total does not fit 60 bits at their finest
    /// scale, times that cannot be kept, a goal about time without durations.
    pub fn build(mut self) -> Result<Instance, DraftError> {
        check_sizes(&self)?;
        self.check_words()?;
        let own = self.nodes.iter_mut();
        let own = own.map(|node| (take(&mut node.labels), take(&mut node.taints)));
        let (labels, taints): (Vec<Labels>, Vec<Vec<Taint>>) = own.unzip();
        let assumptions = take(&mut self.assumptions);
        let units = Units::of(&self)?;
        units.check_memory(self.resources.len())?;
        let node_at = index_ids(self.nodes.iter().map(|n| n.id.as_str()), DraftItem::Node)?;
        let aside = of_limits(&self)?;
        check_resources(&self, &aside)?;
        let room = Room::of(&self)?;

        let places: Vec<u8> = (0..self.resources.len()).map(|r| finest(&self, &room, r)).collect();
        let mut amounts = Amounts::of(&self, &units, &room, &places)?;
        let demand = Flat { places: &places, values: take(&mut amounts.demand) };
        let (pairs, pair_drafts, of_pairs) =
            collect_pairs(&self, &places, &demand, &units, &node_at)?;
        amounts.demand = demand.values;
        amounts.pair = of_pairs;
        let mut resources = reduce(&self, &places, amounts.all_mut())?;
        let aside = amounts.take_aside(&mut resources, &aside);
        let Amounts { demand, deviation, capacity, used, overhead, reserve, safety, pair, ending } =
            amounts;

        let (requirement, requirements) = intern(&self, &units);
        let ready = self.nodes.iter().map(|node| node.state == NodeState::Ready);
        let marks = || ready.clone().zip(labels.iter().zip(&taints));
        let accepted = |r: &Requirement| {
            let each = marks().map(|(ready, (labels, taints))| ready && r.accepts(labels, taints));
            each.collect()
        };
        let eligible = requirements.iter().map(accepted).collect();
        let mut node_names = Names::default();
        self.nodes.iter().for_each(|node| node_names.push(&node.id));
        // An instance in which nothing costs anything, no rule ties tasks and nothing has a time:
        // each step below looks at what those before it said, and says one thing more.
        let plain = Instance {
            resources,
            task_names: units.names(&self),
            gangs: units.gangs(&self),
            demand,
            deviation: Vec::new(),
            duration: units.tasks().map(|k| self.tasks[k].duration.unwrap_or(0)).collect(),
            requirement,
            priority: units.tasks().map(|k| self.tasks[k].priority).collect(),
            weights: weights(&self, &units)?,
            current: current_nodes(&self, &units, &node_at)?,
            pinned: pinned(&self, &units),
            keys: keys(&self, &units),
            backup: Vec::new(),
            node_names,
            limit: capacity.iter().zip(&reserve).map(|(c, r)| (c - r).max(0)).collect(),
            capacity,
            reserved: Reserved::of(&self, reserve),
            safety: room.thresholds(&self, safety),
            used,
            overhead: copies::overhead(overhead),
            state: self.nodes.iter().map(|n| n.state).collect(),
            costs: Costs::default(),
            watts: Watts::default(),
            max_tasks: self.nodes.iter().map(|n| n.max_tasks.unwrap_or(u32::MAX)).collect(),
            copy_max_tasks: copies::copy_max_tasks(&self),
            traffic: self.nodes.iter().map(Traffic::of).collect(),
            labels,
            taints,
            requirements,
            eligible,
            soft: Soft::default(),
            moves: Moves::default(),
            devices: Vec::new(),
            cards_left: Vec::new(),
            aside,
            rules: Rules::default(),
            budgets: Vec::new(),
            still: Vec::new(),
            pairs: PairTable { demand: pair, ..pairs },
            goal: Goal::single(Term::Peak),
            one_task_per_node: self.one_task_per_node,
            risk: self.risk,
            times: Times::default(),
            assumptions,
            queue: self.queue,
        };
        let plain = Instance { backup: backups(&plain, &self, &units)?, ..plain };
        let of_pair = |k: &usize| &self.pairs[*k];
        let durations = pair_drafts.iter().map(|k| of_pair(k).duration).collect();
        let prices: Vec<_> = pair_drafts.iter().map(|k| of_pair(k).cost).collect();
        let instance =
            Instance { times: times(&plain, &self, &units, durations, &ending)?, ..plain };
        check_times(&instance, &self, &units)?;
        let instance = Instance { costs: costs(&instance, &self, &prices)?, ..instance };
        let (soft, wished) = soft(&instance, &self)?;
        let instance = Instance { soft, ..instance };
        let (rules, budgets) = resolve_rules(&instance, &self, &units, &wished)?;
        let still = budget::still(&budgets, instance.tasks());
        let instance = Instance { rules, budgets, still, ..instance };
        let instance = Instance { watts: watts(&instance, &self)?, ..instance };
        let instance = Instance { moves: moves(&instance, &self, &units, &node_at)?, ..instance };
        let deviation = deviations(&instance, &units, deviation)?;
        let devices = devices(&instance, &self, &units)?;
        let instance = Instance { deviation, devices, ..instance };
        let instance = instance.with_goal(self.goal.unwrap_or_else(|| Goal::single(Term::Peak)));
        if instance.is_timed() {
            instance.check_times()?;
        }
        Ok(instance)
    }
}

/// Which units stay where they run now; empty where nothing runs anywhere.
fn pinned(draft: &Draft, units: &Units) -> Vec<bool> {
    match runs_nothing(draft) {
        true => Vec::new(),
        false => units.tasks().map(|k| stays(&draft.tasks[k])).collect(),
    }
}

fn runs_nothing(draft: &Draft) -> bool {
    draft.tasks.iter().all(|task| task.current.is_empty() && !task.pinned)
}

/// Whether the task stays where it runs now.
fn stays(task: &TaskDraft) -> bool {
    task.pinned || task.elapsed.is_some()
}

/// Where each unit runs now; empty when nothing runs anywhere.
fn current_nodes(
    draft: &Draft,
    units: &Units,
    node_at: &FxHashMap<&str, u32>,
) -> Result<Vec<Option<NodeId>>, DraftError> {
    if runs_nothing(draft) {
        return Ok(Vec::new());
    }
    let mut current = vec![None; units.len()];
    for (k, task) in draft.tasks.iter().enumerate() {
        let range = units.range(k);
        if task.pinned && task.current.is_empty() {
            let cause = "a pinned task needs the node it is pinned to".to_owned();
            return Err(error(DraftItem::Task(k), "pinned", cause, "name it with `node`"));
        }
        if task.current.len() > 1 && task.current.len() != range.len() {
            let cause = format!("{} nodes for {} units", task.current.len(), range.len());
            let remedy = "name one node, or one for each unit";
            return Err(error(DraftItem::Task(k), "node", cause, remedy));
        }
        for (u, unit) in range.enumerate() {
            let Some(name) = task.current.get(u).or(task.current.first()) else { continue };
            let at = node_at.get(name.as_str()).ok_or_else(|| {
                let near = nearest(name, node_at.keys().copied());
                let remedy = near.map_or_else(
                    || "name a node of this instance".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                error(DraftItem::Task(k), "node", format!("there is no node `{name}`"), &remedy)
            })?;
            current[unit] = Some(NodeId(*at));
        }
    }
    Ok(current)
}

/// What to hash, where any task says so.
fn keys(draft: &Draft, units: &Units) -> Vec<Option<String>> {
    if draft.tasks.iter().any(|task| task.key.is_some()) {
        units.tasks().map(|k| draft.tasks[k].key.clone()).collect()
    } else {
        Vec::new()
    }
}

/// Most nodes that an instance has.
pub const MOST_NODES: usize = 1_000_000;

fn check_sizes(draft: &Draft) -> Result<(), DraftError> {
    let whole =
        |cause: &str, remedy: &str| Err(error(DraftItem::Whole, "", cause.to_owned(), remedy));
    if draft.tasks.is_empty() {
        return whole("there are no tasks", "give at least one task");
    }
    if draft.nodes.is_empty() {
        return whole("there are no nodes", "give at least one node");
    }
    if draft.resources.is_empty() {
        return whole("there are no resources", "give tasks a demand and nodes a capacity");
    }
    if draft.resources.len() > 1000 || draft.nodes.len() > MOST_NODES {
        let cause = format!(
            "the instance has {} resources and {} nodes",
            draft.resources.len(),
            draft.nodes.len()
        );
        let remedy = format!("there are at most 1000 resources and {MOST_NODES} nodes");
        return whole(&cause, &remedy);
    }
    Ok(())
}

/// A resource that tasks need and no node has is nearly always a slip of the pen.
fn check_resources(draft: &Draft, aside: &[bool]) -> Result<(), DraftError> {
    for (k, resource) in draft.resources.iter().enumerate() {
        let name = &resource.name;
        if name.is_empty() || name.trim() != name || name.contains(char::is_control) {
            let cause = format!("{name:?} is no name for a resource");
            let remedy = "use printable characters, without space around them";
            return Err(error(DraftItem::Resource(k), "resources", cause, remedy));
        }
    }
    let mut offered = aside.to_vec();
    for node in &draft.nodes {
        for (r, _) in &node.capacity {
            offered[*r as usize] = true;
        }
    }
    let check = |needs: &[(u16, Decimal)], item| {
        for (r, quantity) in needs {
            if !offered[*r as usize] && !quantity.is_zero() {
                let name = &draft.resources[*r as usize].name;
                let known: Vec<&str> = (0..offered.len())
                    .filter(|&k| offered[k])
                    .map(|k| draft.resources[k].name.as_str())
                    .collect();
                let near = nearest(name, known.iter().copied());
                let cause = format!("no node has a capacity for resource `{name}`");
                let remedy = match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("nodes have {}", known.join(", ")),
                };
                return Err(error(item, &format!("demand.{name}"), cause, &remedy));
            }
        }
        Ok(())
    };
    for (k, task) in draft.tasks.iter().enumerate() {
        check(&task.demand, DraftItem::Task(k))?;
    }
    for (k, pair) in draft.pairs.iter().enumerate() {
        check(&pair.demand, DraftItem::Pair(k))?;
    }
    Ok(())
}

/// Requirement 0 asks nothing; equal requirements share a number. Tasks under a
/// rule over a label need a node that has the label.
fn intern(draft: &Draft, units: &Units) -> (Vec<RequirementId>, Vec<Requirement>) {
    let labels = units.labels(draft);
    let mut list = vec![Requirement::default()];
    let mut known: FxHashMap<Cow<Requirement>, RequirementId> = FxHashMap::default();
    known.insert(Cow::Owned(Requirement::default()), 0);
    let mut ids = Vec::with_capacity(units.len());
    for (k, task) in draft.tasks.iter().enumerate() {
        let mut requires = Cow::Borrowed(&task.requires);
        for label in labels.get(&k).into_iter().flatten() {
            if !requires.any_of.iter().any(|(key, _)| key == *label) {
                let any_of = &mut requires.to_mut().any_of;
                any_of.push(((*label).clone(), vec![super::ANY.to_owned()]));
                any_of.sort();
            }
        }
        let next = list.len() as RequirementId;
        let id = match known.entry(requires) {
            Entry::Occupied(there) => *there.get(),
            Entry::Vacant(free) => {
                list.push(free.key().clone().into_owned());
                *free.insert(next)
            }
        };
        ids.extend(units.range(k).map(|_| id));
    }
    (ids, list)
}
