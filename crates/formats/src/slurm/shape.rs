//! How many tasks a pending job has, what each of them takes, and on how many nodes they may be.

use super::amounts::Amounts;
use super::words::Gres;
use model::Ask;

/// Rules between the parts of a job, each over a label.
pub(super) type Within = Vec<(Ask, String)>;

/// What a pending job asks, before it is said on how many nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shape {
    /// Least number of nodes.
    pub(super) least: i64,
    /// Most nodes, where the job says so.
    pub(super) most: Option<i64>,
    pub(super) tasks: i64,
    /// What each task takes.
    pub(super) task: Amounts,
    /// What the job takes on each of its nodes, whatever its tasks take there.
    pub(super) node: Amounts,
    /// Most tasks on a node, where the job says so.
    pub(super) per_node: Option<i64>,
    /// Resources of the job as a whole: so many units, and what each takes.
    pub(super) pool: Vec<(i64, Amounts)>,
    /// MiB for each CPU.
    pub(super) per_cpu: i64,
    /// It takes all memory of each of its nodes.
    pub(super) all_memory: bool,
    /// It has its nodes to itself.
    pub(super) exclusive: bool,
    /// Most CPUs on a node.
    pub(super) most_cpus: Option<i64>,
    /// CPUs come in so many: those of one core.
    pub(super) core: i64,
    /// Features that its nodes have to have, for resources that no job takes.
    pub(super) needs: Vec<String>,
    /// Its nodes are in segments of so many, each within a block.
    pub(super) segment: Option<i64>,
    /// Where the job stands, for messages.
    pub(super) place: String,
}

/// The whole number from below that is not less than the quotient.
pub(super) fn share(total: i64, n: i64) -> i64 {
    let n = n.max(1);
    total / n + i64::from(total % n > 0)
}

pub(super) fn shares(list: &[Gres], n: i64) -> Vec<Gres> {
    list.iter().map(|one| Gres { count: share(one.count, n), ..one.clone() }).collect()
}

impl Shape {
    /// What so many tasks and so many units of each pool take on one node.
    pub(super) fn on_node(&self, tasks: i64, units: &[i64]) -> Amounts {
        let mut all = self.node.clone();
        all.cpu = 0;
        all.add(&self.task.times(tasks));
        let mut pooled = 0i64;
        for ((_, unit), count) in self.pool.iter().zip(units) {
            let own = unit.times(*count);
            pooled = pooled.saturating_add(own.cpu);
            all.add(&Amounts { cpu: 0, ..own });
        }
        all.cpu = all.cpu.max(pooled).max(self.node.cpu);
        all.cpu = share(all.cpu, self.core).saturating_mul(self.core);
        all.memory = all.memory.max(self.per_cpu.saturating_mul(all.cpu));
        all
    }

    /// CPUs that it takes at least on one of its nodes.
    pub(super) fn least_cpus(&self) -> i64 {
        let tasks = if self.is_single() { self.tasks } else { 1 };
        self.on_node(tasks, &vec![0; self.pool.len()]).cpu
    }

    /// Whether the CPUs of pooled units are those of the tasks too.
    pub(super) fn pooled(&self) -> bool {
        let own = self.pool.iter().map(|(count, unit)| unit.cpu.saturating_mul(*count));
        let own = own.fold(0, i64::saturating_add);
        own > 0 && own >= self.task.cpu.saturating_mul(self.tasks)
    }

    /// Most nodes that it can be on: each has a task, or a unit of what the whole job has.
    pub(super) fn most_nodes(&self) -> i64 {
        let pooled = self.pool.iter().map(|(count, _)| *count).fold(0, i64::saturating_add);
        self.most.unwrap_or(i64::MAX).min(self.tasks.max(pooled)).max(self.least)
    }

    /// Whether it can be on one node only.
    pub(super) fn is_single(&self) -> bool {
        self.most_nodes() == 1
    }

    /// Whether tasks are all that takes anything, wherever they are.
    pub(super) fn is_free(&self) -> bool {
        let plain = self.node == Amounts::default() && self.pool.is_empty();
        plain && self.per_node.or(self.most_cpus).is_none() && !self.all_memory && !self.exclusive
    }

    /// Names of the generic resources that it takes.
    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        let pool = self.pool.iter().flat_map(|(_, unit)| unit.gres.keys());
        self.task.gres.keys().chain(self.node.gres.keys()).chain(pool)
    }

    /// All units of each pool.
    pub(super) fn units(&self) -> Vec<i64> {
        self.pool.iter().map(|(count, _)| *count).collect()
    }
}
