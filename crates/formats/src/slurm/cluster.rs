//! Everything that the files say, gathered.

use rustc_hash::{FxHashMap, FxHashSet};

use super::fields::Warnings;
use super::topology::Topology;
use super::words::Gres;
use model::{NodeState, TaskDraft};

/// Prefix of the label that says that a node is in a partition.
pub(super) const PARTITION: &str = "partition:";

/// Everything that the files say.
#[derive(Default)]
pub(super) struct Cluster {
    pub(super) nodes: Vec<Node>,
    /// Nodes by name.
    pub(super) at: FxHashMap<String, usize>,
    pub(super) pending: Vec<Pending>,
    pub(super) ids: FxHashSet<String>,
    pub(super) topology: Topology,
    /// Most nodes of a job, by partition.
    pub(super) most_nodes: FxHashMap<String, i64>,
    /// Labels whose value is the first of these features that a node has.
    pub(super) same: FxHashMap<String, Vec<String>>,
    /// Some job asks for nodes by name.
    pub(super) by_name: bool,
    /// Some job asks for local disk.
    pub(super) by_disk: bool,
    /// The first weight of a node.
    pub(super) weight: Option<i64>,
    pub(super) jobs: usize,
    pub(super) times: Times,
    pub(super) warnings: Warnings,
}

impl Cluster {
    pub(super) fn add(&mut self, node: Node) {
        self.at.insert(node.name.clone(), self.nodes.len());
        self.nodes.push(node);
    }

    /// Whether it is known which nodes are in which partition.
    pub(super) fn partitioned(&self) -> bool {
        self.nodes.iter().any(|node| !node.partitions.is_empty())
    }
}

/// What a node has, or what is taken of it, or what a task takes: by resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Amounts {
    pub(super) cpu: i64,
    /// MiB.
    pub(super) memory: i64,
    /// By name, such as `gpu` or `gpu:a100`; what is typed counts under both.
    pub(super) gres: FxHashMap<String, i64>,
}

impl Amounts {
    /// Adds generic resources. Where a name comes both with and without types, the
    /// typed ones are part of it.
    pub(super) fn add_gres(&mut self, list: &[Gres]) {
        let names: FxHashSet<&str> = list.iter().map(|one| one.name.as_str()).collect();
        for name in names {
            let of = |typed: bool| {
                let own = list.iter().filter(|one| one.name == name && one.kind.is_some() == typed);
                own.map(|one| one.count).fold(0, i64::saturating_add)
            };
            self.put(resource(name, None), of(true).max(of(false)));
        }
        for one in list.iter().filter(|one| one.kind.is_some()) {
            self.put(resource(&one.name, one.kind.as_deref()), one.count);
        }
    }

    fn put(&mut self, name: String, count: i64) {
        let own = self.gres.entry(name).or_default();
        *own = own.saturating_add(count);
    }

    /// The greater of both, resource by resource.
    fn raise(&mut self, other: &Amounts) {
        self.cpu = self.cpu.max(other.cpu);
        self.memory = self.memory.max(other.memory);
        for (name, count) in &other.gres {
            let own = self.gres.entry(name.clone()).or_default();
            *own = (*own).max(*count);
        }
    }

    pub(super) fn add(&mut self, other: &Amounts) {
        self.cpu = self.cpu.saturating_add(other.cpu);
        self.memory = self.memory.saturating_add(other.memory);
        other.gres.iter().for_each(|(name, count)| self.put(name.clone(), *count));
    }
}

/// `gpu`, `gpu:a100`; never one of the two resources that are no GRES.
pub(super) fn resource(name: &str, kind: Option<&str>) -> String {
    let name = match name {
        "cpu" | "memory" => format!("gres:{name}"),
        name => name.to_owned(),
    };
    kind.map_or(name.clone(), |kind| format!("{name}:{kind}"))
}

/// A node as Slurm knows it.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) has: Amounts,
    /// What the node itself says is taken.
    pub(super) stated: Amounts,
    /// What running jobs hold of it.
    pub(super) held: Amounts,
    /// Parts of that which end, in seconds since 1970.
    pub(super) ending: Vec<(i64, Amounts)>,
    pub(super) features: Vec<String>,
    pub(super) partitions: Vec<String>,
    pub(super) state: NodeState,
    /// MB of local disk.
    pub(super) disk: i64,
    pub(super) weight: i64,
}

impl Node {
    /// The greater of what the node states and what its running jobs hold. What is used of the
    /// only type of a resource is known without being said.
    pub(super) fn used(&self) -> Amounts {
        let mut used = self.stated.clone();
        used.raise(&self.held);
        self.typed(used)
    }

    /// The same amounts, with those of the only type of a resource.
    pub(super) fn typed(&self, mut amounts: Amounts) -> Amounts {
        let typed = self.has.gres.iter().filter(|(name, _)| name.contains(':'));
        for (name, count) in typed {
            let of = name.split(':').next().unwrap_or(name);
            if self.has.gres.get(of) == Some(count) {
                let all = amounts.gres.get(of).copied().unwrap_or(0);
                let own = amounts.gres.entry(name.clone()).or_default();
                *own = (*own).max(all);
            }
        }
        amounts
    }
}

/// A pending job, or one task of a pending array.
pub(super) struct Pending {
    pub(super) task: TaskDraft,
    /// What it takes on each of its nodes.
    pub(super) each: Amounts,
    /// It has its nodes to itself.
    pub(super) exclusive: bool,
    pub(super) partitions: Vec<String>,
    pub(super) wishes: Wishes,
}

/// What a pending job says of time.
#[derive(Clone, Default)]
pub(super) struct Wishes {
    /// Seconds since 1970 before which it may not start.
    pub(super) eligible: Option<i64>,
    /// Seconds since 1970 by which it has to end.
    pub(super) deadline: Option<i64>,
    /// What it waits for, as written.
    pub(super) dependency: String,
    /// Where the job stands, for messages.
    pub(super) place: String,
}

/// What is known of the jobs that one number stands for.
#[derive(Default)]
pub(super) struct Known {
    /// Positions among the pending ones.
    pub(super) waiting: Vec<usize>,
    /// When the last of those that run ends.
    pub(super) end: Option<i64>,
    /// One that runs has no end.
    pub(super) endless: bool,
}

/// Everything about time that the files say.
#[derive(Default)]
pub(super) struct Times {
    /// When the plan starts, in seconds since 1970: as asked for, else when the newest thing in the
    /// files happened.
    pub(super) now: Option<i64>,
    /// It is as asked for.
    pub(super) asked: bool,
    /// Seconds that a job without a limit of its own has, by partition.
    pub(super) usual: FxHashMap<String, i64>,
    /// Jobs by their numbers, such as `12`, or `12_3`.
    pub(super) known: FxHashMap<String, Known>,
}
