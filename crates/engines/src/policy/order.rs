//! In which order a policy takes the tasks.

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use model::{Instance, TaskId};

/// An order of the tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Longest duration first, larger first among equals.
    LongestFirst,
    /// Largest share of the cluster first.
    LargestFirst,
    /// Shortest duration first, smaller first among equals.
    ShortestFirst,
    /// As in the instance.
    Input,
    /// Shuffled by the seed.
    Random,
    /// Largest first after a seeded change of up to a fifth in every size: the
    /// restarts of a multi-start.
    Noisy,
}

/// A row of the table of orders.
pub struct OrderInfo {
    /// The order.
    pub order: Order,
    /// The name used in flags.
    pub name: &'static str,
    /// One line of help.
    pub help: &'static str,
}

/// The orders a person can ask for.
pub const ORDERS: &[OrderInfo] = &[
    OrderInfo {
        order: Order::LongestFirst,
        name: "longest-first",
        help: "longest duration first, larger first among equals",
    },
    OrderInfo {
        order: Order::LargestFirst,
        name: "largest-first",
        help: "largest share of the cluster first",
    },
    OrderInfo {
        order: Order::ShortestFirst,
        name: "shortest-first",
        help: "shortest duration first, smaller first among equals",
    },
    OrderInfo { order: Order::Input, name: "input", help: "as the instance lists them" },
    OrderInfo { order: Order::Random, name: "random", help: "shuffled by the seed" },
];

impl Order {
    /// The name used in flags and progress lines.
    pub fn name(self) -> &'static str {
        let row = ORDERS.iter().find(|row| row.order == self);
        row.map_or("noisy", |row| row.name)
    }

    /// The tasks in this order, higher priorities before it all. `seed` matters to
    /// the seeded orders only.
    pub fn of(self, instance: &Instance, seed: u64) -> Vec<TaskId> {
        let mut tasks = self.regardless(instance, seed);
        // Stable: within a priority the order stays.
        tasks.sort_by_key(|task| std::cmp::Reverse(instance.priority(*task)));
        tasks
    }

    fn regardless(self, instance: &Instance, seed: u64) -> Vec<TaskId> {
        let mut tasks: Vec<TaskId> = instance.task_ids().collect();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut size = sizes(instance);
        match self {
            Order::Input => return tasks,
            Order::Random => {
                tasks.shuffle(&mut rng);
                return tasks;
            }
            Order::Noisy => size.iter_mut().for_each(|s| *s *= rng.random_range(0.8..1.2)),
            Order::LongestFirst | Order::LargestFirst | Order::ShortestFirst => {}
        }
        let by_time = matches!(self, Order::LongestFirst | Order::ShortestFirst);
        // Sizes are never negative, so they are ordered as their bits are.
        let key = |task: TaskId| {
            let time = if by_time { instance.duration(task) } else { 0 };
            let size = size[task.index()].to_bits();
            match self {
                Order::ShortestFirst => (time, size, task),
                _ => (-time, !size, task),
            }
        };
        let mut keyed: Vec<(i64, u64, TaskId)> = tasks.iter().map(|task| key(*task)).collect();
        keyed.par_sort_unstable();
        keyed.into_iter().map(|(.., task)| task).collect()
    }
}

/// Each task's largest share of the cluster's capacity in any resource.
fn sizes(instance: &Instance) -> Vec<f64> {
    let width = instance.resources().len();
    let mut total = vec![0i64; width];
    for node in instance.node_ids().filter(|node| instance.counted(*node)) {
        for (sum, capacity) in total.iter_mut().zip(instance.capacity(node)) {
            *sum += capacity;
        }
    }
    let share = |demand: &[i64]| {
        let shares = demand.iter().zip(&total).filter(|(_, total)| **total > 0);
        shares.map(|(d, total)| *d as f64 / *total as f64).fold(0.0, f64::max)
    };
    let size = |task| {
        let base = share(instance.demand(task));
        instance.pairs(task).map(|pair| share(pair.demand)).fold(base, f64::max)
    };
    instance.task_ids().map(size).collect()
}
