//! From a [`Draft`] to an [`Instance`]: the checks that belong to the problem
//! rather than to a file format, and the change into integers.

use std::borrow::Cow;
use std::collections::hash_map::Entry;

use rustc_hash::FxHashMap;

use super::budget;
use super::copies;
use super::costs::set_costs;
use super::deviation::set_deviations;
use super::devices::find_devices;
use super::draft::{DraftError, DraftItem, NodeDraft, ResourceDraft, TaskDraft, error, index_ids};
use super::expand::{MOST_ENTRIES, Units, resolve_rules};
use super::failure::backups;
use super::instance::{PairTable, Traffic};
use super::limit::{of_limits, set_aside};
use super::moves::set_moves;
use super::names::Names;
use super::parts::Moves;
use super::parts::Reserved;
use super::parts::{Times, Watts};
use super::room::Room;
use super::soft::{set_soft, set_weights};
use super::timing::{set_durations, set_times};
use super::watts::set_watts;
use super::{
    Decimal, Draft, Goal, Instance, NodeId, NodeState, Requirement, RequirementId, Resource, Scale,
    Term, gcd,
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
    pub fn build(self) -> Result<Instance, DraftError> {
        check_sizes(&self)?;
        self.check_words()?;
        let units = Units::of(&self)?;
        units.check_memory(self.resources.len())?;
        let node_at = index_ids(self.nodes.iter().map(|n| n.id.as_str()), DraftItem::Node)?;
        let aside = of_limits(&self)?;
        check_resources(&self, &aside)?;
        let room = Room::of(&self)?;

        let places: Vec<u8> = (0..self.resources.len()).map(|r| finest(&self, &room, r)).collect();
        let mut demand = Flat::new(&places);
        let varies = self.tasks.iter().any(|task| !task.deviation.is_empty());
        let mut deviation = Flat::new(&places);
        for k in units.tasks() {
            demand.push(&self.tasks[k].demand, None, DraftItem::Task(k), "demand")?;
            if varies {
                deviation.push(&self.tasks[k].deviation, None, DraftItem::Task(k), "demand")?;
            }
        }
        let mut node_flats = [(); 5].map(|()| Flat::new(&places));
        for (k, node) in self.nodes.iter().enumerate() {
            let lists = [
                (&node.capacity, "capacity"),
                (&node.used, "used"),
                (&node.overhead, "overhead"),
                (&room.reserve[k], "reserve"),
                (&room.safety[k], "safety"),
            ];
            for (flat, (list, field)) in node_flats.iter_mut().zip(lists) {
                flat.push(list, None, DraftItem::Node(k), field)?;
            }
        }
        let mut ending = Flat::new(&places);
        for (k, node) in self.nodes.iter().enumerate() {
            for (_, list) in &node.ending {
                ending.push(list, None, DraftItem::Node(k), "ending")?;
            }
        }
        let (pairs, pair_drafts) = collect_pairs(&self, &places, &demand, &units, &node_at)?;
        let [capacity, used, overhead, reserve, safety] = node_flats.map(|flat| flat.values);
        let deviation = deviation.values;
        let mut flats = [
            demand.values,
            deviation,
            capacity,
            used,
            overhead,
            reserve,
            safety,
            pairs.demand,
            ending.values,
        ];
        let resources = reduce(&self, &places, &mut flats)?;
        let [demand, deviation, capacity, used, overhead, reserve, safety, pair_demand, ending] =
            flats;

        let (requirement, requirements) = intern(&self, &units);
        let eligible = requirements.iter().map(|r| accepted(r, &self.nodes)).collect();
        let limit = capacity.iter().zip(&reserve).map(|(c, r)| (c - r).max(0)).collect();
        let current = current_nodes(&self, &units, &node_at)?;
        let mut instance = Instance {
            resources,
            cost_scale: Scale::ONE,
            task_names: units.names(&self),
            gangs: units.gangs(&self),
            demand,
            deviation: Vec::new(),
            duration: units.tasks().map(|k| self.tasks[k].duration.unwrap_or(0)).collect(),
            requirement,
            priority: units.tasks().map(|k| self.tasks[k].priority).collect(),
            weight: Vec::new(),
            weight_scale: Scale::ONE,
            pinned: if current.is_empty() {
                Vec::new()
            } else {
                units.tasks().map(|k| stays(&self.tasks[k])).collect()
            },
            current,
            keys: keys(&self, &units),
            backup: backups(&self, &units)?,
            node_names: Names::default(),
            capacity,
            limit,
            reserved: Reserved::of(&self, reserve),
            safety: room.thresholds(&self, safety),
            used,
            overhead: copies::overhead(overhead),
            state: self.nodes.iter().map(|n| n.state).collect(),
            price: Vec::new(),
            rate: Vec::new(),
            watts: Watts::default(),
            max_tasks: self.nodes.iter().map(|n| n.max_tasks.unwrap_or(u32::MAX)).collect(),
            copy_max_tasks: copies::copy_max_tasks(&self),
            traffic: self.nodes.iter().map(Traffic::of).collect(),
            labels: Vec::new(),
            taints: Vec::new(),
            requirements,
            eligible,
            penalty: Vec::new(),
            soft_price: Vec::new(),
            soft_scale: Scale::ONE,
            ratios: Vec::new(),
            moves: Moves::default(),
            devices: Vec::new(),
            cards_left: Vec::new(),
            aside: Vec::new(),
            rules: Vec::new(),
            budgets: Vec::new(),
            still: Vec::new(),
            rules_of: (Vec::new(), Vec::new()),
            label_values: Vec::new(),
            pairs: PairTable { demand: pair_demand, ..pairs },
            goal: Goal::single(Term::Peak),
            one_task_per_node: self.one_task_per_node,
            risk: None,
            times: Times::default(),
            assumptions: Vec::new(),
            queue: self.queue,
        };
        self.nodes.iter().for_each(|node| instance.node_names.push(&node.id));
        let of_pair = |k: &usize| &self.pairs[*k];
        let pair_duration = pair_drafts.iter().map(|k| of_pair(k).duration).collect();
        set_durations(&mut instance, &self, pair_duration)?;
        let pair_cost: Vec<_> = pair_drafts.iter().map(|k| of_pair(k).cost).collect();
        set_times(&mut instance, &self, &units, &ending)?;
        set_costs(&mut instance, &self, &pair_cost)?;
        resolve_rules(&mut instance, &self, &units)?;
        set_aside(&mut instance, &aside);
        instance.still = budget::still(&instance.budgets, instance.tasks());
        set_watts(&mut instance, &self)?;
        set_soft(&mut instance, &self)?;
        set_weights(&mut instance, &self, &units)?;
        set_moves(&mut instance, &self, &units, &node_at)?;
        set_deviations(&mut instance, &self, &units, deviation)?;
        find_devices(&mut instance, &self, &units, &places)?;
        let goal = self.goal.clone().unwrap_or_else(|| Goal::single(Term::Peak));
        instance.assumptions = self.assumptions;
        for node in self.nodes {
            instance.labels.push(node.labels);
            instance.taints.push(node.taints);
        }
        let instance = instance.with_goal(goal);
        if instance.is_timed() {
            instance.check_times()?;
        }
        Ok(instance)
    }
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
    if draft.tasks.iter().all(|task| task.current.is_empty() && !task.pinned) {
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

/// Most decimal places any quantity of the resource has.
fn finest(draft: &Draft, room: &Room, resource: usize) -> u8 {
    let of = |list: &[(u16, Decimal)]| {
        list.iter()
            .filter(|(r, _)| *r as usize == resource)
            .map(|(_, q)| q.decimals())
            .max()
            .unwrap_or(0)
    };
    let tasks = draft.tasks.iter().map(|t| of(&t.demand).max(of(&t.deviation))).max();
    let ending = |n: &NodeDraft| n.ending.iter().map(|(_, list)| of(list)).max().unwrap_or(0);
    let own = |n: &NodeDraft| of(&n.capacity).max(of(&n.used)).max(ending(n));
    let nodes = draft.nodes.iter().map(own).max();
    let pairs = draft.pairs.iter().map(|p| of(&p.demand)).max();
    let room = room.reserve.iter().chain(&room.safety).map(|list| of(list)).max();
    tasks.max(nodes).max(pairs).max(room).unwrap_or(0)
}

/// Rows of integers at a given number of decimal places per resource.
struct Flat<'a> {
    places: &'a [u8],
    values: Vec<i64>,
}

impl<'a> Flat<'a> {
    fn new(places: &'a [u8]) -> Flat<'a> {
        Flat { places, values: Vec::new() }
    }

    /// Appends a row; resources not named get `base` or 0.
    fn push(
        &mut self,
        quantities: &[(u16, Decimal)],
        base: Option<&[i64]>,
        item: DraftItem,
        field: &str,
    ) -> Result<(), DraftError> {
        let from = self.values.len();
        match base {
            Some(base) => self.values.extend_from_slice(base),
            None => self.values.resize(from + self.places.len(), 0),
        }
        for (r, quantity) in quantities {
            let r = *r as usize;
            self.values[from + r] = quantity.at_places(self.places[r]).ok_or_else(|| {
                let cause = format!(
                    "{quantity} does not fit beside quantities with {} decimal places",
                    self.places[r]
                );
                error(item, field, cause, "use a larger unit or fewer decimals")
            })?;
        }
        Ok(())
    }

    fn row(&self, index: usize) -> &[i64] {
        let width = self.places.len();
        &self.values[index * width..(index + 1) * width]
    }
}

/// Pairs in rows sorted by node, and which pair of the draft each is.
fn collect_pairs(
    draft: &Draft,
    places: &[u8],
    demand: &Flat,
    units: &Units,
    node_at: &FxHashMap<&str, u32>,
) -> Result<(PairTable, Vec<usize>), DraftError> {
    if draft.pairs.is_empty() {
        return Ok((PairTable::default(), Vec::new()));
    }
    let mut order: Vec<(u32, u32, usize)> = Vec::with_capacity(draft.pairs.len());
    let unknown = |k: usize, kind: &str, id: &str, near: Option<String>| {
        let remedy = near.map_or_else(
            || format!("name a {kind} of this instance"),
            |near| format!("did you mean `{near}`?"),
        );
        error(DraftItem::Pair(k), kind, format!("there is no {kind} `{id}`"), &remedy)
    };
    for (k, pair) in draft.pairs.iter().enumerate() {
        let tasks = units
            .find(&pair.task)
            .ok_or_else(|| unknown(k, "task", &pair.task, units.nearest(&pair.task)))?;
        let node = node_at.get(pair.node.as_str()).ok_or_else(|| {
            unknown(k, "node", &pair.node, nearest(&pair.node, node_at.keys().copied()))
        })?;
        if order.len() + tasks.len() > MOST_ENTRIES {
            let cause = format!("there are more than {MOST_ENTRIES} pairs of nodes and units");
            let remedy = "pair fewer nodes with gangs, or use fewer units";
            return Err(error(DraftItem::Pair(k), "", cause, remedy));
        }
        order.extend(tasks.map(|task| (task as u32, *node, k)));
    }
    order.sort_unstable();
    if let Some(twice) = order.windows(2).find(|w| (w[0].0, w[0].1) == (w[1].0, w[1].1)) {
        let pair = &draft.pairs[twice[1].2];
        let cause = format!("task `{}` and node `{}` are paired twice", pair.task, pair.node);
        return Err(error(DraftItem::Pair(twice[1].2), "", cause, "keep one of the two"));
    }
    let mut table = PairTable::default();
    let mut flat = Flat::new(places);
    let mut drafts = Vec::with_capacity(order.len());
    table.start.push(0);
    for (task, node, k) in order {
        while table.start.len() <= task as usize {
            table.start.push(table.node.len() as u32);
        }
        let pair = &draft.pairs[k];
        let base = demand.row(task as usize);
        flat.push(&pair.demand, Some(base), DraftItem::Pair(k), "demand")?;
        table.node.push(NodeId(node));
        drafts.push(k);
    }
    table.start.resize(units.len() + 1, table.node.len() as u32);
    table.demand = flat.values;
    Ok((table, drafts))
}

/// Divides each resource's integers by what they have in common and refuses
/// totals that could overflow.
fn reduce(
    draft: &Draft,
    places: &[u8],
    flats: &mut [Vec<i64>; 9],
) -> Result<Vec<Resource>, DraftError> {
    let width = places.len();
    let mut resources = Vec::with_capacity(width);
    for (r, resource) in draft.resources.iter().enumerate() {
        let ResourceDraft { name, unit, devices, transient, .. } = resource;
        // A quantity has at most 18 decimal places, so this fits.
        let den = 10i64.pow(u32::from(places[r]));
        let mut common = if *devices { den } else { 0 };
        let mut total: i128 = 0;
        for flat in flats.iter() {
            for value in flat.iter().skip(r).step_by(width) {
                common = gcd(common, *value);
                total += i128::from(*value);
            }
        }
        let common = common.max(1);
        if total / i128::from(common) >= 1 << 60 {
            let cause =
                format!("the quantities of resource `{name}` add up to more than 2^60 steps");
            let remedy = "use a larger unit or fewer decimals";
            return Err(error(DraftItem::Resource(r), "", cause, remedy));
        }
        for flat in flats.iter_mut() {
            flat.iter_mut().skip(r).step_by(width).for_each(|value| *value /= common);
        }
        let shared = gcd(common, den);
        resources.push(Resource {
            name: name.clone(),
            unit: unit.clone(),
            scale: Scale { num: common / shared, den: den / shared },
            devices: *devices,
            transient: *transient,
            limits_only: false,
        });
    }
    Ok(resources)
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

fn accepted(requirement: &Requirement, nodes: &[NodeDraft]) -> Vec<bool> {
    nodes
        .iter()
        .map(|node| {
            node.state == NodeState::Ready && requirement.accepts(&node.labels, &node.taints)
        })
        .collect()
}
