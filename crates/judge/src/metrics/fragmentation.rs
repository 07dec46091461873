//! How much of the free cards no task of the usual mix could use: the measure
//! of Weng et al., USENIX ATC 2023. A free card counts as a fragment for a task
//! that the node cannot take, for a task that wants no card, and when it has less
//! room than the task's share (a whole card for tasks that want several).

use model::{Classes, Devices, Instance, NodeId, Plan, TaskId, cards_in};

/// Kinds of tasks in the mix at most, the most frequent.
const KINDS: usize = 64;

/// What tasks look like, with how frequent each kind is.
#[derive(Clone, Debug)]
pub struct Mix {
    kinds: Vec<(f64, TaskId)>,
}

impl Mix {
    /// The most frequent classes of an instance's tasks.
    pub fn of(instance: &Instance, classes: &Classes) -> Mix {
        let mut by_size: Vec<&model::TaskClass> = classes.tasks.iter().collect();
        by_size.sort_by_key(|class| (std::cmp::Reverse(class.tasks.len()), class.example()));
        by_size.truncate(KINDS);
        let total: usize = by_size.iter().map(|class| class.tasks.len()).sum();
        debug_assert!(total <= instance.tasks());
        let share = |n: usize| n as f64 / total.max(1) as f64;
        Mix { kinds: by_size.iter().map(|c| (share(c.tasks.len()), c.example())).collect() }
    }
}

/// Steps of free cards on a node that are fragments, in the mean over the mix.
/// `load` has every resource, `free` the room on each card.
pub fn fragmented(
    instance: &Instance,
    mix: &Mix,
    node: NodeId,
    device: Devices,
    load: &[i64],
    free: &[i64],
) -> f64 {
    let all: i64 = free.iter().sum();
    let empty = free.iter().filter(|room| **room == device.card).count() as i64;
    let most = free.iter().copied().max().unwrap_or(0);
    let limit = instance.limit(node);
    let mut sum = 0.0;
    for (share, task) in &mix.kinds {
        let demand = instance.demand_on(*task, node);
        let wanted = demand[device.resource];
        let takes = wanted > 0
            && instance.eligible(*task, node)
            && (0..demand.len()).all(|r| demand[r] == 0 || load[r] + demand[r] <= limit[r])
            && if wanted < device.card { most >= wanted } else { empty >= wanted / device.card };
        let lost = if takes {
            let least = wanted.min(device.card);
            free.iter().filter(|room| **room < least).sum()
        } else {
            all
        };
        sum += share * lost as f64;
    }
    sum
}

/// What is left of one resource's cards, as shares of all cards.
#[derive(Clone, Debug, PartialEq)]
pub struct CardFigures {
    /// Position among the resources.
    pub resource: usize,
    /// Free.
    pub unallocated: f64,
    /// Free, and a fragment in the mean over the instance's own mix of tasks.
    pub fragmented: f64,
}

/// Figures of every resource that comes in cards, from the cards that the plan
/// names; nothing where it names none.
pub fn card_figures(instance: &Instance, plan: &Plan) -> Vec<CardFigures> {
    let count = instance.devices().len();
    if count == 0 || plan.cards.is_empty() {
        return Vec::new();
    }
    let mix = Mix::of(instance, &Classes::without_rules(instance));
    let (width, loads) = (instance.resources().len(), super::loads(instance, plan));
    let on = plan.by_node(instance.nodes());
    let figures = instance.devices().iter().enumerate().map(|(d, device)| {
        let (mut total, mut left, mut lost) = (0i64, 0i64, 0.0);
        for node in instance.node_ids().filter(|node| instance.counted(*node)) {
            let mut free = instance.free_cards(node, *device);
            for task in &on[node.index()] {
                let set = plan.cards[task.index() * count + d];
                let each = instance.demand_on(*task, node)[device.resource].min(device.card);
                cards_in(set).for_each(|card| free[card] -= each);
            }
            total += instance.capacity(node)[device.resource];
            left += free.iter().sum::<i64>();
            let load = &loads[node.index() * width..(node.index() + 1) * width];
            lost += fragmented(instance, &mix, node, *device, load, &free);
        }
        let share = |amount: f64| if total > 0 { amount / total as f64 } else { 0.0 };
        CardFigures {
            resource: device.resource,
            unallocated: share(left as f64),
            fragmented: share(lost),
        }
    });
    figures.collect()
}
