//! Totals: how much is asked, how much there is, by resource and by what tasks
//! require.

use model::{Classes, Instance, LeftOut, NodeId, Placement, RequirementId, TaskClass, TaskId};

/// How many distinct demands the large-task arguments look at per resource.
const THRESHOLDS: usize = 64;

/// Sums and sorted lists over an instance.
pub(super) struct Area {
    /// Per resource, every task's least demand on any node, largest first.
    pub(super) demands: Vec<Vec<i64>>,
    /// Per resource, free capacity of each node that takes tasks, most first.
    pub(super) frees: Vec<Vec<i64>>,
    /// Tasks that each ready node takes at most, most first.
    pub(super) slots: Vec<u32>,
    /// Leaving out one task weighs as much as leaving out any other, one step.
    pub(super) weigh_alike: bool,
    /// Tasks that fit on no node at all.
    pub(super) homeless: usize,
    /// What they weigh.
    pub(super) lost: LeftOut,
    /// Per requirement: nodes it accepts, and per resource the demand of tasks
    /// that can go nowhere else.
    pub(super) groups: Vec<RequirementGroup>,
    /// Classes of identical tasks and nodes.
    pub(super) classes: Classes,
}

/// Tasks confined to the nodes of one requirement.
pub(super) struct RequirementGroup {
    /// The requirement; `None` for every node that takes tasks.
    pub(super) requirement: Option<RequirementId>,
    /// Demand per resource, of tasks whose nodes all lie in the group.
    pub(super) demand: Vec<i64>,
    /// Number of those tasks.
    pub(super) tasks: usize,
}

impl RequirementGroup {
    /// The nodes that the group's tasks can use.
    pub(super) fn nodes<'a>(&self, instance: &'a Instance) -> impl Iterator<Item = NodeId> + 'a {
        let eligible = self.requirement.map(|requirement| instance.eligible_nodes(requirement));
        instance.node_ids().filter(move |node| match eligible {
            Some(eligible) => eligible[node.index()],
            None => instance.counted(*node),
        })
    }

    /// The tasks that can run on the group's nodes only.
    pub(super) fn members(&self, instance: &Instance) -> Vec<TaskId> {
        let Some(own) = self.requirement.map(|own| instance.eligible_nodes(own)) else {
            return instance.task_ids().collect();
        };
        let inside = |task: &TaskId| {
            let nodes = instance.eligible_nodes(instance.requirement_of(*task));
            nodes.iter().zip(own).all(|(a, b)| !a || *b)
        };
        instance.task_ids().filter(inside).collect()
    }

    /// ` that require gpu_model = A100`; empty when the group is everything.
    pub(super) fn whose(&self, instance: &Instance) -> String {
        let asks = self.requirement.map(|r| instance.requirements()[r as usize].to_string());
        match asks {
            Some(asks) if !asks.is_empty() => format!(" that require {asks}"),
            Some(_) if instance.node_ids().any(|node| !instance.taints(node).is_empty()) => {
                " that tolerate no taint".to_owned()
            }
            _ => String::new(),
        }
    }
}

impl Area {
    pub(super) fn of(instance: &Instance) -> Area {
        let width = instance.resources().len();
        // Row-major, tasks x resources.
        let mut least: Vec<i64> = Vec::with_capacity(instance.tasks() * width);
        instance.task_ids().for_each(|task| match instance.task_has_pairs(task) {
            true => least.extend(least_demand(instance, task)),
            false => least.extend_from_slice(instance.demand(task)),
        });
        let usable: Vec<NodeId> =
            instance.node_ids().filter(|node| instance.counted(*node)).collect();
        let sorted = |mut list: Vec<i64>| {
            list.sort_unstable_by(|a, b| b.cmp(a));
            list
        };
        let column = |r: usize| least.iter().skip(r).step_by(width).copied().collect();
        let demands = (0..width).map(|r| sorted(column(r))).collect();
        let frees = (0..width)
            .map(|r| sorted(usable.iter().map(|node| instance.free(*node, r)).collect()))
            .collect();
        let classes = Classes::without_rules(instance);
        let mut slots: Vec<u32> = usable.iter().map(|node| instance.max_tasks(*node)).collect();
        slots.sort_unstable_by(|a, b| b.cmp(a));
        let mut area = Area {
            demands,
            frees,
            slots,
            weigh_alike: instance.task_ids().all(|task| instance.drop_weight(task) == 1),
            homeless: 0,
            lost: LeftOut::default(),
            groups: groups(instance, &least),
            classes,
        };
        let lost = area.classes.tasks.iter().filter(|c| !area.has_home(instance, c.example()));
        let lost: Vec<&TaskClass> = lost.collect();
        let weight = |class: &&TaskClass| {
            let (task, count) = (class.example(), class.tasks.len() as i64);
            (instance.priority(task), count * instance.drop_weight(task))
        };
        let weights = LeftOut::of(lost.iter().map(weight));
        area.homeless = lost.iter().map(|class| class.tasks.len()).sum();
        area.lost = weights;
        area
    }

    /// Whether the task fits on any node alone.
    pub(super) fn has_home(&self, instance: &Instance, task: TaskId) -> bool {
        self.classes.nodes.iter().any(|class| instance.fits_alone(task, class.example()))
    }

    /// Tasks that all nodes together take at most, whatever their size.
    pub(super) fn most_tasks(&self) -> u64 {
        self.slots.iter().map(|slots| u64::from(*slots)).sum()
    }

    /// Fewest nodes that take so many tasks, whatever their size.
    pub(super) fn fewest_for_count(&self, tasks: usize) -> usize {
        let mut missing = tasks as u64;
        let mut nodes = 0;
        for slots in &self.slots {
            if missing == 0 {
                break;
            }
            missing = missing.saturating_sub(u64::from(*slots));
            nodes += 1;
        }
        nodes
    }

    /// Sum over tasks of the least demand, without the `dropped` largest.
    pub(super) fn least_total(&self, resource: usize, dropped: usize) -> i64 {
        self.demands[resource].iter().skip(dropped).sum()
    }

    /// What each task pays for its cheapest node. Moves are looked at task by task: classes may join
    /// tasks that run in different places.
    pub(super) fn cheapest(&self, instance: &Instance, placement: &Placement) -> Vec<i64> {
        let least = |task: TaskId, nodes: &mut dyn Iterator<Item = NodeId>| {
            let fit = nodes.filter(|node| instance.fits_alone(task, *node));
            fit.map(|node| placement.price(instance, task, node)).min().unwrap_or(0)
        };
        if let Placement::Move(_) = placement {
            let stays = |task: TaskId| {
                instance.current(task).is_none_or(|node| instance.fits_alone(task, node))
            };
            let each = instance.task_ids().map(|task| match stays(task) {
                true => 0,
                false => least(task, &mut instance.node_ids()),
            });
            return each.collect();
        }
        let mut prices = Vec::with_capacity(instance.tasks());
        for class in &self.classes.tasks {
            let mut nodes = self.classes.nodes.iter().map(|node| node.example());
            let price = least(class.example(), &mut nodes);
            prices.extend(std::iter::repeat_n(price, class.tasks.len()));
        }
        prices
    }

    /// Least price of nodes whose free capacities cover the total demand in one
    /// resource, fractions of nodes allowed; rounded up to whole steps.
    pub(super) fn cheapest_cover(
        &self,
        instance: &Instance,
        price: &dyn Fn(NodeId) -> i64,
        resource: usize,
        dropped: usize,
    ) -> i128 {
        let mut offers: Vec<(i64, i64)> = instance
            .node_ids()
            .filter(|node| instance.counted(*node))
            .map(|node| (price(node), instance.free(node, resource)))
            .filter(|(_, free)| *free > 0)
            .collect();
        offers.sort_by(|a, b| {
            let left = i128::from(a.0) * i128::from(b.1);
            left.cmp(&(i128::from(b.0) * i128::from(a.1))).then(a.cmp(b))
        });
        let mut missing = self.least_total(resource, dropped);
        let mut sum: i128 = 0;
        for (cost, free) in offers {
            if missing <= 0 {
                break;
            }
            if free <= missing {
                sum += i128::from(cost);
                missing -= free;
            } else {
                let part = i128::from(cost) * i128::from(missing);
                sum += (part + i128::from(free) - 1) / i128::from(free);
                missing = 0;
            }
        }
        sum
    }

    /// Fewest nodes whose free capacities add up to the total demand.
    pub(super) fn fewest_for_total(&self, resource: usize, dropped: usize) -> usize {
        let mut missing = self.least_total(resource, dropped);
        let mut nodes = 0;
        for free in &self.frees[resource] {
            if missing <= 0 {
                break;
            }
            missing -= free;
            nodes += 1;
        }
        nodes
    }

    /// Fewest nodes that hold all tasks of at least some size, whichever size
    /// says most: a node holds floor(free / size) of them.
    pub(super) fn fewest_for_large(&self, resource: usize, dropped: usize) -> usize {
        let mut best = 0;
        for (size, tasks) in self.thresholds(resource, dropped) {
            let mut missing = tasks;
            let mut nodes = 0;
            for free in &self.frees[resource] {
                if missing <= 0 || *free < size {
                    break;
                }
                missing -= free / size;
                nodes += 1;
            }
            best = best.max(nodes);
        }
        best
    }

    /// Tasks that must stay unplaced so that the rest fits the total capacity:
    /// dropping the largest frees the most.
    pub(super) fn too_many(&self, resource: usize) -> usize {
        let capacity: i64 = self.frees[resource].iter().sum();
        let mut over = self.least_total(resource, 0) - capacity;
        let mut dropped = 0;
        for demand in &self.demands[resource] {
            if over <= 0 {
                break;
            }
            over -= demand;
            dropped += 1;
        }
        dropped
    }

    /// (size, how many of the tasks that must be placed are at least that
    /// large), for a spread of sizes, largest first.
    pub(super) fn thresholds(&self, resource: usize, dropped: usize) -> Vec<(i64, i64)> {
        let demands = &self.demands[resource];
        let placed = &demands[dropped.min(demands.len())..];
        let mut list = Vec::new();
        for (k, size) in placed.iter().enumerate() {
            let last_of_its_size = placed.get(k + 1) != Some(size);
            if *size > 0 && last_of_its_size {
                list.push((*size, (k + 1) as i64));
            }
        }
        let step = list.len().div_ceil(THRESHOLDS).max(1);
        list.into_iter().step_by(step).collect()
    }
}

/// Least demand of the task on any node it may run on, per resource.
pub(super) fn least_demand(instance: &Instance, task: TaskId) -> Vec<i64> {
    let pairs = instance.pairs(task);
    let mut least = instance.demand(task).to_vec();
    let every_node_has_a_pair = pairs.len() == instance.nodes();
    if every_node_has_a_pair {
        least.fill(i64::MAX);
    }
    for pair in pairs.filter(|pair| instance.eligible(task, pair.node)) {
        for (least, demand) in least.iter_mut().zip(pair.demand) {
            *least = (*least).min(*demand);
        }
    }
    for value in &mut least {
        if *value == i64::MAX {
            *value = 0; // no node at all: nothing can be said
        }
    }
    least
}

/// For each requirement, the tasks that can run on its nodes only.
fn groups(instance: &Instance, least: &[i64]) -> Vec<RequirementGroup> {
    let width = instance.resources().len();
    let count = instance.requirements().len();
    // Sums per requirement first: there are few, and many tasks.
    let mut demand = vec![vec![0i64; width]; count];
    let mut tasks = vec![0usize; count];
    for task in instance.task_ids() {
        let own = instance.requirement_of(task) as usize;
        tasks[own] += 1;
        for (sum, d) in demand[own].iter_mut().zip(&least[task.index() * width..]) {
            *sum += d;
        }
    }
    let inside = |a: usize, b: usize| {
        let (a, b) = (instance.eligible_nodes(a as u32), instance.eligible_nodes(b as u32));
        a.iter().zip(b).all(|(a, b)| !a || *b)
    };
    // Comparing all requirements with each other costs their number squared.
    let compare = if count <= 64 { count } else { 1 };
    let all = RequirementGroup {
        requirement: None,
        demand: (0..width).map(|r| (0..count).map(|k| demand[k][r]).sum()).collect(),
        tasks: instance.tasks(),
    };
    let each = (0..count)
        .map(|own| {
            let members: Vec<usize> = if own < compare {
                (0..count).filter(|&k| k == own || inside(k, own)).collect()
            } else {
                vec![own]
            };
            RequirementGroup {
                requirement: Some(own as RequirementId),
                demand: (0..width).map(|r| members.iter().map(|&k| demand[k][r]).sum()).collect(),
                tasks: members.iter().map(|&k| tasks[k]).sum(),
            }
        })
        .filter(|group| group.tasks > 0);
    std::iter::once(all).chain(each).collect()
}

/// Pours `amount` into the lowest of `levels`, one unit at a time, as evenly as
/// whole units allow.
pub(super) fn pour(levels: &mut [i64], amount: i64) {
    if levels.is_empty() {
        return;
    }
    levels.sort_unstable();
    let mut left = amount;
    // Raise the k lowest to the next level while that takes no more than is left.
    let mut k = 1;
    while k < levels.len() {
        let step = (levels[k] - levels[k - 1]).saturating_mul(k as i64);
        if step > left {
            break;
        }
        left -= step;
        k += 1;
    }
    let base = levels[k - 1] + left / k as i64;
    let extra = (left % k as i64) as usize;
    for (at, level) in levels[..k].iter_mut().enumerate() {
        *level = base + i64::from(at < extra);
    }
}

#[cfg(test)]
mod tests {
    use super::pour;

    #[test]
    fn pouring_is_even_and_loses_nothing() {
        for (start, amount, want) in [
            (vec![0, 0, 0], 7, vec![3, 2, 2]),
            (vec![5, 0, 1], 2, vec![2, 1, 5]),
            (vec![5, 0, 1], 20, vec![9, 9, 8]),
            (vec![4], 3, vec![7]),
        ] {
            let mut levels = start;
            pour(&mut levels, amount);
            assert_eq!(levels, want);
        }
    }
}
