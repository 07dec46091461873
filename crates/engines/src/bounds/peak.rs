//! Lower bounds on the highest utilisation.

use std::cmp::Reverse;

use super::Bound;
use super::area::Area;
use judge::metrics::attainable_peak;
use model::{Instance, NodeId};

/// Tasks looked at one by one, the largest of each resource.
const LARGEST: usize = 256;

/// The best of: what nodes carry already; the total of a resource over what its
/// nodes have, for all tasks and for those confined by a requirement; the
/// largest tasks, alone and counted against what nodes can hold of them.
/// Raised to the next value that some node's load can have at all.
pub(super) fn bound(instance: &Instance, area: &Area, dropped: usize) -> Bound {
    let mut best = existing(instance);
    for group in &area.groups {
        best = best.max(confined(instance, area, group, dropped));
    }
    if dropped == 0 {
        best = best.max(single(instance, area));
    }
    for r in 0..instance.resources().len() {
        let sharper = counted(instance, area, r, dropped, best.value.near());
        best = best.max(sharper);
    }
    Bound::new(attainable_peak(instance, best.value.near()), best.why)
}

/// Loads that are there whatever the plan does.
fn existing(instance: &Instance) -> Bound {
    let mut best = Bound::real(0.0, "nothing to place");
    for node in instance.node_ids().filter(|node| instance.counted(*node)) {
        for (used, capacity) in instance.used(node).iter().zip(instance.capacity(node)) {
            if *capacity > 0 && *used as f64 / *capacity as f64 > best.value.near() {
                let why = format!("the load that node {} has already", instance.node_name(node));
                best = Bound::real(*used as f64 / *capacity as f64, why);
            }
        }
    }
    best
}

/// Level to which a demand fills nodes when it may be split at will.
fn confined(
    instance: &Instance,
    area: &Area,
    group: &super::area::RequirementGroup,
    dropped: usize,
) -> Bound {
    let nodes: Vec<NodeId> = group.nodes(instance).collect();
    let mut best = Bound::real(0.0, "");
    for (r, resource) in instance.resources().iter().enumerate() {
        let largest: i64 = area.demands[r].iter().take(dropped).sum();
        let demand = (group.demand[r] - largest).max(0);
        let level = water_level(
            nodes.iter().map(|node| (instance.used(*node)[r], instance.capacity(*node)[r])),
            demand,
        );
        if level > best.value.near() {
            let whose = group.whose(instance);
            let whose = if whose.is_empty() { whose } else { format!(" of tasks{whose}") };
            let why = format!("total {}{whose} over total capacity", resource.name);
            best = Bound::real(level, why);
        }
    }
    best
}

/// The z at which sum of max(0, z c - u) reaches `demand`.
fn water_level(nodes: impl Iterator<Item = (i64, i64)>, demand: i64) -> f64 {
    let mut nodes: Vec<(i64, i64)> = nodes.filter(|(_, capacity)| *capacity > 0).collect();
    nodes.sort_by(|a, b| (a.0 as f64 / a.1 as f64).total_cmp(&(b.0 as f64 / b.1 as f64)));
    let (mut used, mut capacity, mut level) = (0i128, 0i128, 0.0);
    for (u, c) in nodes {
        if capacity > 0 && level <= u as f64 / c as f64 {
            break;
        }
        used += i128::from(u);
        capacity += i128::from(c);
        level = (used + i128::from(demand)) as f64 / capacity as f64;
    }
    if demand > 0 { level } else { 0.0 }
}

/// The best place of the task that is hardest to place by itself.
fn single(instance: &Instance, area: &Area) -> Bound {
    let mut best = Bound::real(0.0, "");
    let nodes: Vec<NodeId> = area.classes.nodes.iter().map(|class| class.example()).collect();
    let mut order: Vec<usize> = Vec::new();
    if instance.has_pairs() {
        order.extend(0..area.classes.tasks.len());
    } else {
        for r in 0..instance.resources().len() {
            let classes = area.classes.tasks.iter().enumerate();
            let mut by_demand: Vec<(Reverse<i64>, usize)> = classes
                .map(|(k, class)| (Reverse(instance.demand(class.example())[r]), k))
                .collect();
            if by_demand.len() > LARGEST {
                by_demand.select_nth_unstable(LARGEST);
                by_demand.truncate(LARGEST);
            }
            order.extend(by_demand.into_iter().map(|(_, k)| k));
        }
    }
    order.sort_unstable();
    order.dedup();
    for k in order {
        let task = area.classes.tasks[k].example();
        let places = nodes.iter().filter(|node| instance.fits_alone(task, **node));
        let least = places.map(|node| alone(instance, task, *node)).reduce(f64::min);
        if let Some(least) = least.filter(|least| *least > best.value.near()) {
            let why = format!("the best place for task {} alone", instance.task_name(task));
            best = Bound::real(least, why);
        }
    }
    best
}

fn alone(instance: &Instance, task: model::TaskId, node: NodeId) -> f64 {
    let demand = instance.demand_on(task, node);
    let (used, capacity) = (instance.used(node), instance.capacity(node));
    (0..demand.len())
        .filter(|&r| capacity[r] > 0)
        .map(|r| (used[r] + demand[r]) as f64 / capacity[r] as f64)
        .fold(0.0, f64::max)
}

/// At level z a node holds at most floor((z c - u) / s) tasks of size s or
/// more; all of them together have to hold as many as there are. Contains the
/// classical argument that of the m q + 1 largest tasks some node gets q + 1.
fn counted(instance: &Instance, area: &Area, resource: usize, dropped: usize, floor: f64) -> Bound {
    let mut kinds: Vec<(i64, i64, i64)> = Vec::new();
    let usable = instance.node_ids().filter(|node| instance.counted(*node));
    let mut list: Vec<(i64, i64)> = usable
        .map(|node| (instance.used(node)[resource], instance.capacity(node)[resource]))
        .filter(|(used, capacity)| used < capacity)
        .collect();
    list.sort_unstable();
    for (used, capacity) in list {
        match kinds.last_mut() {
            Some((u, c, count)) if (*u, *c) == (used, capacity) => *count += 1,
            _ => kinds.push((used, capacity, 1)),
        }
    }
    let mut best = Bound::real(floor, "");
    for (size, tasks) in area.thresholds(resource, dropped) {
        let holds = |level: f64| {
            let each = kinds.iter().map(|(used, capacity, count)| {
                let room = (level * *capacity as f64 * (1.0 + 1e-12)).floor() as i64 - used;
                (room.max(0) / size) * count
            });
            each.sum::<i64>() >= tasks
        };
        // Levels above 1 are infeasible anyway and need no sharper proof.
        if holds(best.value.near()) || !holds(1.0) {
            continue;
        }
        let (mut low, mut high) = (best.value.near(), 1.0);
        while high - low > 1e-12 {
            let middle = 0.5 * (low + high);
            if middle <= low || middle >= high {
                break;
            }
            if holds(middle) { high = middle } else { low = middle }
        }
        let name = &instance.resources()[resource].name;
        let why = if tasks == 1 {
            format!("the largest task in {name}")
        } else {
            format!("the {tasks} largest tasks in {name}")
        };
        best = Bound::real(low, why);
    }
    best
}
