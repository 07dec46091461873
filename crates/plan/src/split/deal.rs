//! Dealing groups of nodes and tasks out to parts, so that each part is the whole in small.

use rustc_hash::FxHashMap;

use super::ties::Group;
use base::error::{Error, Result};
use model::{Classes, Instance, NodeId, RequirementId, Rule, TaskId, Term};

/// The part of every node: of each kind of groups as many to each part as can be, larger
/// groups first, each to the part that has least.
pub(super) fn nodes(instance: &Instance, groups: &[Group], parts: usize) -> Vec<usize> {
    let room = Room::new(instance);
    let classes = Classes::of(instance).nodes;
    let mut class_of = vec![0; instance.nodes()];
    for (k, class) in classes.iter().enumerate() {
        class.nodes.iter().for_each(|node| class_of[node.index()] = k);
    }
    let kind = |group: &Group| {
        let mut kind: Vec<usize> = group.nodes.iter().map(|node| class_of[node.index()]).collect();
        kind.sort_unstable();
        kind
    };
    let mut order: Vec<(f64, Vec<usize>, &Group)> = (groups.iter())
        .filter(|group| !group.nodes.is_empty())
        .map(|group| (room.share(&group.nodes), kind(group), group))
        .collect();
    // Stable: equal ones stay in instance order.
    order.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let mut of_kind: FxHashMap<Vec<usize>, Vec<u32>> = FxHashMap::default();
    let mut has = vec![(0.0f64, 0usize); parts];
    let mut part_of = vec![0; instance.nodes()];
    for (share, kind, group) in order {
        let alike = of_kind.entry(kind).or_insert_with(|| vec![0; parts]);
        let key = |part: &usize| (alike[*part], has[*part].0, has[*part].1);
        let least = |a: &usize, b: &usize| {
            let (a, b) = (key(a), key(b));
            a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2))
        };
        let part = (0..parts).min_by(least).unwrap_or(0);
        alike[part] += 1;
        has[part] = (has[part].0 + share, has[part].1 + group.nodes.len());
        group.nodes.iter().for_each(|node| part_of[node.index()] = part);
    }
    part_of
}

/// The part of every task: groups that run somewhere or are pinned go to that part while it
/// has room to spare; of the others those that few nodes accept come first. Where costs
/// depend on task and node, then come those with most to lose, each to where it is cheapest
/// among parts with room to spare; else the larger, each to where what it may use is least full.
///
/// # Errors
/// Tasks tied together that together fit no part, though each fits some node.
pub(super) fn tasks(
    instance: &Instance,
    groups: &[Group],
    part_of_node: &[usize],
    parts: usize,
) -> Result<Vec<usize>> {
    let mut dealer = Dealer::new(instance, part_of_node, parts);
    let mut part_of = vec![0; instance.tasks()];
    let mut order: Vec<(bool, f64, f64, &Group)> = (groups.iter())
        .filter(|group| !group.tasks.is_empty())
        .map(|group| {
            let (scarce, size) = dealer.rank(&group.tasks);
            let weight = dealer.regret(&group.tasks).unwrap_or(size);
            (group.nodes.is_empty(), scarce, weight, group)
        })
        .collect();
    order.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(b.2.total_cmp(&a.2)));
    for (_, _, _, group) in order {
        let part = dealer.part(group)?;
        dealer.give(&group.tasks, part);
        group.tasks.iter().for_each(|task| part_of[task.index()] = part);
    }
    Ok(part_of)
}

/// What nodes have room for: each resource, and then tasks.
struct Room<'a> {
    instance: &'a Instance,
    total: Vec<f64>,
}

impl<'a> Room<'a> {
    fn new(instance: &'a Instance) -> Room<'a> {
        let mut room = Room { instance, total: vec![0.0; instance.resources().len() + 1] };
        let mut total = room.total.clone();
        for node in instance.node_ids() {
            total.iter_mut().zip(room.of(node)).for_each(|(sum, own)| *sum += own);
        }
        room.total = total;
        room
    }

    /// Nothing where the node takes no tasks.
    fn of(&self, node: NodeId) -> Vec<f64> {
        let (instance, ready) = (self.instance, self.instance.counted(node));
        let free = (0..instance.resources().len()).map(|r| instance.free(node, r) as f64);
        let tasks = f64::from(instance.max_tasks(node)).min(instance.tasks() as f64);
        free.chain([tasks]).map(|free| if ready { free } else { 0.0 }).collect()
    }

    /// What the nodes have of all there is, summed over the resources.
    fn share(&self, nodes: &[NodeId]) -> f64 {
        let of = |node: &NodeId| {
            let parts = self.of(*node).into_iter().zip(&self.total);
            parts.filter(|(_, total)| **total > 0.0).map(|(own, total)| own / total).sum::<f64>()
        };
        nodes.iter().map(of).sum()
    }
}

/// Room and what is dealt out of it, per part, for all nodes and for those of each
/// requirement.
struct Dealer<'a> {
    instance: &'a Instance,
    parts: usize,
    width: usize,
    nodes: Vec<Vec<NodeId>>,
    total: Vec<f64>,
    /// Requirements x parts x width, the last requirement standing for none.
    room: Vec<f64>,
    dealt: Vec<f64>,
    part_of_node: &'a [usize],
    /// A part with more than this part of its room taken is no better than any other.
    full: f64,
}

impl<'a> Dealer<'a> {
    fn new(instance: &'a Instance, part_of_node: &'a [usize], parts: usize) -> Dealer<'a> {
        let Room { total, .. } = Room::new(instance);
        let width = total.len();
        let whole = instance.requirements().len();
        let mut dealer = Dealer {
            instance,
            parts,
            width,
            nodes: vec![Vec::new(); parts],
            room: vec![0.0; (whole + 1) * parts * width],
            dealt: vec![0.0; (whole + 1) * parts * width],
            total,
            part_of_node,
            full: 1.0,
        };
        let room = Room { instance, total: Vec::new() };
        for node in instance.node_ids() {
            let part = part_of_node[node.index()];
            dealer.nodes[part].push(node);
            let own = room.of(node);
            let accepts = |q: &usize| {
                *q == whole || instance.eligible_nodes(*q as RequirementId)[node.index()]
            };
            for q in (0..=whole).filter(accepts) {
                let at = dealer.at(q, part);
                dealer.room[at..at + width].iter_mut().zip(&own).for_each(|(sum, own)| *sum += own);
            }
        }
        let mut demand = vec![0.0; width];
        for task in instance.task_ids() {
            demand.iter_mut().zip(dealer.demand(task)).for_each(|(sum, own)| *sum += own);
        }
        dealer.full = (1.0 + fullest(&demand, &dealer.total)) / 2.0;
        dealer
    }

    fn at(&self, requirement: usize, part: usize) -> usize {
        (requirement * self.parts + part) * self.width
    }

    /// What a task takes; on an average node where that differs.
    fn demand(&self, task: TaskId) -> Vec<f64> {
        let (instance, nodes) = (self.instance, self.instance.nodes() as f64);
        let usual = instance.demand(task);
        let mut sum: Vec<f64> = usual.iter().map(|d| *d as f64).collect();
        for pair in instance.pairs(task) {
            let more = pair.demand.iter().zip(usual).map(|(own, usual)| (own - usual) as f64);
            sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more / nodes);
        }
        sum.push(1.0);
        sum
    }

    /// What tasks with one requirement take, by requirement, and all of them.
    fn demands(&self, tasks: &[TaskId]) -> Vec<(usize, Vec<f64>)> {
        let mut sums: Vec<(usize, Vec<f64>)> = Vec::new();
        let mut all = vec![0.0; self.width];
        for task in tasks {
            let (q, own) = (self.instance.requirement_of(*task) as usize, self.demand(*task));
            all.iter_mut().zip(&own).for_each(|(sum, own)| *sum += own);
            match sums.iter_mut().find(|(known, _)| *known == q) {
                Some((_, sum)) => sum.iter_mut().zip(&own).for_each(|(sum, own)| *sum += own),
                None => sums.push((q, own)),
            }
        }
        sums.push((self.instance.requirements().len(), all));
        sums
    }

    /// How much of all room the tasks' nodes have, the scarcest requirement counting, and
    /// how much of that they take.
    fn rank(&self, tasks: &[TaskId]) -> (f64, f64) {
        let demands = self.demands(tasks);
        let of = |q: usize| {
            let mut room = vec![0.0; self.width];
            for part in 0..self.parts {
                let at = self.at(q, part);
                let own = &self.room[at..at + self.width];
                room.iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
            }
            room
        };
        let scarce = demands.iter().map(|(q, _)| fullest(&of(*q), &self.total));
        let size = demands.iter().map(|(_, demand)| fullest(demand, &self.total));
        (scarce.fold(1.0, f64::min), size.fold(0.0, f64::max))
    }

    /// How full the fullest of what the tasks may use in the part would be with them.
    fn pressure(&self, demands: &[(usize, Vec<f64>)], part: usize, dealt: bool) -> f64 {
        let of = |(q, demand): &(usize, Vec<f64>)| {
            let at = self.at(*q, part);
            let taken = self.dealt[at..at + self.width].iter().zip(demand);
            let taken: Vec<f64> =
                taken.map(|(before, own)| if dealt { before + own } else { *own }).collect();
            let used = taken.iter().zip(&self.room[at..at + self.width]).zip(demand);
            used.filter(|(_, own)| **own > 0.0)
                .map(|((taken, room), _)| taken / room)
                .fold(0.0, f64::max)
        };
        demands.iter().map(of).fold(0.0, f64::max)
    }

    fn give(&mut self, tasks: &[TaskId], part: usize) {
        for (q, demand) in self.demands(tasks) {
            let at = self.at(q, part);
            let row = &mut self.dealt[at..at + self.width];
            row.iter_mut().zip(demand).for_each(|(sum, own)| *sum += own);
        }
    }

    /// Where a group of tasks goes.
    fn part(&self, group: &Group) -> Result<usize> {
        let (instance, tasks) = (self.instance, &group.tasks);
        let demands = self.demands(tasks);
        let pressure = |part: usize| self.pressure(&demands, part, true);
        let can = |part: usize| {
            tasks.iter().all(|task| self.fits(*task, part))
                && self.pressure(&demands, part, false) <= 1.0
                && self.has_values(tasks, part)
        };
        if let Some(node) = group.nodes.first() {
            let part = self.part_of_node[node.index()];
            let pinned = tasks.iter().any(|task| instance.pin(*task).is_some());
            if pinned && !self.knows_labels(tasks, part) {
                return Err(self.tied(tasks));
            }
            if pinned || (pressure(part) <= self.full && can(part)) {
                return Ok(part);
            }
        }
        let count = |part: usize| {
            let at = self.at(instance.requirements().len(), part);
            self.dealt[at + self.width - 1]
        };
        let mut order: Vec<(f64, f64, usize)> =
            (0..self.parts).map(|part| (pressure(part), count(part), part)).collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        if let Some(costs) = self.costs(tasks) {
            // Stable: parts without room to spare follow, the emptiest first.
            order.sort_by(|a, b| {
                let dear = |(pressure, _, part): &(f64, f64, usize)| {
                    if *pressure <= self.full { costs[*part] } else { f64::INFINITY }
                };
                dear(a).total_cmp(&dear(b))
            });
        }
        order.retain(|(.., part)| self.knows_labels(tasks, *part));
        match (order.iter().find(|(.., part)| can(*part)), order.first()) {
            (Some((.., part)), _) => Ok(*part),
            // What fits nowhere at all is for the solver of the part to refuse.
            (None, Some((.., part))) if tasks.len() == 1 => Ok(*part),
            _ => Err(self.tied(tasks)),
        }
    }

    /// Whether the part has the labels that the tasks' rules are over.
    fn knows_labels(&self, tasks: &[TaskId], part: usize) -> bool {
        let instance = self.instance;
        let mut rules = tasks.iter().flat_map(|task| instance.rules_of(*task));
        rules.all(|(rule, _)| {
            let rule = &instance.rules()[*rule as usize];
            !rule.needs_label()
                || self.nodes[part].iter().any(|node| instance.value_of(rule, *node).is_some())
        })
    }

    /// What the tasks cost at least in each part, where that matters and depends on task
    /// and node; infinite where one has no node.
    fn costs(&self, tasks: &[TaskId]) -> Option<Vec<f64>> {
        let instance = self.instance;
        let matters = instance.goal().mentions(Term::Cost);
        if !matters || !tasks.iter().any(|task| instance.task_has_pairs(*task)) {
            return None;
        }
        let least = |task: TaskId, part: usize| {
            let nodes = self.nodes[part].iter().filter(|node| instance.eligible(task, **node));
            let costs = nodes.map(|node| instance.cost_on(task, *node) as f64);
            costs.fold(f64::INFINITY, f64::min)
        };
        let sum = |part: usize| tasks.iter().map(|task| least(*task, part)).sum();
        Some((0..self.parts).map(sum).collect())
    }

    /// What not having the cheapest part costs the tasks at least.
    fn regret(&self, tasks: &[TaskId]) -> Option<f64> {
        let mut costs = self.costs(tasks)?;
        costs.sort_by(f64::total_cmp);
        costs.retain(|cost| cost.is_finite());
        Some(costs.get(1).map_or(f64::INFINITY, |second| second - costs[0]))
    }

    fn fits(&self, task: TaskId, part: usize) -> bool {
        self.nodes[part].iter().any(|node| self.instance.fits_alone(task, *node))
    }

    /// Whether the part has as many values as the tasks' rules need.
    fn has_values(&self, tasks: &[TaskId], part: usize) -> bool {
        let instance = self.instance;
        let enough = |rule: &Rule| {
            let least = rule.at_least();
            if least < 2 {
                return true;
            }
            let ready = self.nodes[part].iter().filter(|node| instance.counted(**node));
            let mut values: Vec<u32> =
                ready.filter_map(|node| instance.value_of(rule, *node)).collect();
            values.sort_unstable();
            values.dedup();
            values.len() >= least
        };
        let rules = tasks.iter().flat_map(|task| instance.rules_of(*task));
        let mut rules: Vec<_> = rules.map(|(rule, _)| *rule).collect();
        rules.sort_unstable();
        rules.dedup();
        rules.into_iter().all(|rule| enough(&instance.rules()[rule as usize]))
    }

    fn tied(&self, tasks: &[TaskId]) -> Error {
        let instance = self.instance;
        let rules = tasks.iter().flat_map(|task| instance.rules_of(*task));
        let largest = rules
            .map(|(rule, _)| &instance.rules()[*rule as usize])
            .max_by_key(|rule| rule.tasks.len());
        let rule = largest.map_or(String::new(), |rule| format!(" by rule `{}`", rule.name));
        let (_, size) = self.rank(tasks);
        let more = match tasks.len() {
            1 => String::new(),
            all => format!(" and {} tasks that are tied to it{rule}", all - 1),
        };
        Error::usage(format!(
            "task `{}`{more} fit none of {} parts: they take {:.1} % of the whole, or need nodes and labels that no part has together",
            instance.task_name(tasks[0]),
            self.parts,
            100.0 * size,
        ))
        .help("use fewer parts")
    }
}

/// The largest quotient; resources that nobody has count nothing.
fn fullest(demand: &[f64], room: &[f64]) -> f64 {
    let pairs = demand.iter().zip(room).filter(|(demand, _)| **demand > 0.0);
    pairs.map(|(demand, room)| demand / room).fold(0.0, f64::max)
}
