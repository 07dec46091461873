//! The amounts of a draft as rows of whole steps, a number a resource each.

use std::mem::take;

use rustc_hash::FxHashMap;

use super::draft::{DraftError, DraftItem, NodeDraft, ResourceDraft, TaskDraft, error};
use super::expand::{MOST_ENTRIES, Units};
use super::instance::PairTable;
use super::room::Room;
use super::{Decimal, Draft, NodeId, Resource, Scale, gcd};
use base::nearest;

/// Rows of whole steps, a number a resource each.
#[derive(Default)]
pub(super) struct Amounts {
    /// Of tasks.
    pub(super) demand: Vec<i64>,
    /// Of tasks; empty where nothing varies.
    pub(super) deviation: Vec<i64>,
    /// Of nodes, as the four below it.
    pub(super) capacity: Vec<i64>,
    pub(super) used: Vec<i64>,
    pub(super) overhead: Vec<i64>,
    pub(super) reserve: Vec<i64>,
    pub(super) safety: Vec<i64>,
    /// Of pairs.
    pub(super) pair: Vec<i64>,
    /// Of what ends on nodes, one after the other.
    pub(super) ending: Vec<i64>,
}

impl Amounts {
    /// Those of the draft, but pairs'.
    pub(super) fn of(
        draft: &Draft,
        units: &Units,
        room: &Room,
        places: &[u8],
    ) -> Result<Amounts, DraftError> {
        type Row<'a> = (&'a [(u16, Decimal)], DraftItem, &'static str);
        let rows = |rows: &mut dyn Iterator<Item = Row>| {
            let mut flat = Flat::new(places);
            for (row, item, field) in rows {
                flat.push(row, None, item, field)?;
            }
            Ok(flat.values)
        };
        let tasks = |of: fn(&TaskDraft) -> &[(u16, Decimal)]| {
            let each = units.tasks().map(|k| (of(&draft.tasks[k]), DraftItem::Task(k), "demand"));
            rows(&mut { each })
        };
        let own = |lists: &mut dyn Iterator<Item = &Vec<(u16, Decimal)>>, field: &'static str| {
            rows(&mut lists.enumerate().map(|(k, row)| (&row[..], DraftItem::Node(k), field)))
        };
        let nodes = || draft.nodes.iter();
        let varies = draft.tasks.iter().any(|task| !task.deviation.is_empty());
        let ending = draft.nodes.iter().enumerate().flat_map(|(k, node)| {
            node.ending.iter().map(move |(_, list)| (&list[..], DraftItem::Node(k), "ending"))
        });
        Ok(Amounts {
            demand: tasks(|task| &task.demand)?,
            deviation: if varies { tasks(|task| &task.deviation)? } else { Vec::new() },
            capacity: own(&mut nodes().map(|node| &node.capacity), "capacity")?,
            used: own(&mut nodes().map(|node| &node.used), "used")?,
            overhead: own(&mut nodes().map(|node| &node.overhead), "overhead")?,
            reserve: own(&mut room.reserve.iter(), "reserve")?,
            safety: own(&mut room.safety.iter(), "safety")?,
            pair: Vec::new(),
            ending: rows(&mut { ending })?,
        })
    }

    pub(super) fn all_mut(&mut self) -> [&mut Vec<i64>; 9] {
        let Amounts { demand, deviation, capacity, used, overhead, reserve, safety, pair, ending } =
            self;
        [demand, deviation, capacity, used, overhead, reserve, safety, pair, ending]
    }

    /// Takes what only limits look at off the tasks, a column each: nodes have none of it to give.
    pub(super) fn take_aside(
        &mut self,
        resources: &mut [Resource],
        own: &[bool],
    ) -> Vec<(usize, Vec<i64>)> {
        let width = resources.len();
        let mut aside = Vec::new();
        for (r, resource) in resources.iter_mut().enumerate().filter(|(r, _)| own[*r]) {
            resource.limits_only = true;
            let column = self.demand.iter_mut().skip(r).step_by(width).map(take);
            aside.push((r, column.collect()));
            self.pair.iter_mut().skip(r).step_by(width).for_each(|demand| *demand = 0);
        }
        aside
    }
}

/// Most decimal places any quantity of the resource has.
pub(super) fn finest(draft: &Draft, room: &Room, resource: usize) -> u8 {
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
pub(super) struct Flat<'a> {
    pub(super) places: &'a [u8],
    pub(super) values: Vec<i64>,
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

/// Pairs in rows sorted by node, which pair of the draft each is, and their demands.
pub(super) fn collect_pairs(
    draft: &Draft,
    places: &[u8],
    demand: &Flat,
    units: &Units,
    node_at: &FxHashMap<&str, u32>,
) -> Result<(PairTable, Vec<usize>, Vec<i64>), DraftError> {
    if draft.pairs.is_empty() {
        return Ok((PairTable::default(), Vec::new(), Vec::new()));
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
    Ok((table, drafts, flat.values))
}

/// Divides each resource's integers by what they have in common and refuses
/// totals that could overflow.
pub(super) fn reduce(
    draft: &Draft,
    places: &[u8],
    mut flats: [&mut Vec<i64>; 9],
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
