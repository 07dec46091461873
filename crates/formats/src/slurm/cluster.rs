//! Everything that the files say, gathered.

use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::amounts::Amounts;
use super::bounds::{Association, Licence, Qos, Reservation};
use super::fields::Warnings;
use super::limits::Partition;
use super::owner::{Owner, Running};
use super::shape::{Shape, Within};
use super::topology::Topology;
use base::error::Error;
use model::{Labels, NodeState, TaskDraft};

/// Prefix of the label that says that a node is in a partition.
pub(super) const PARTITION: &str = "partition:";

/// Everything that the files say.
#[derive(Default)]
pub(super) struct Cluster {
    pub(super) nodes: Vec<Node>,
    /// How many of them a controller speaks of, not only its configuration.
    pub(super) stated: usize,
    /// Nodes by name.
    pub(super) at: FxHashMap<String, usize>,
    /// Amounts of memory that nodes have, each once.
    pub(super) memories: Vec<i64>,
    pub(super) pending: Vec<Pending>,
    pub(super) ids: FxHashSet<String>,
    /// Jobs that hold nodes.
    pub(super) running: Vec<Running>,
    pub(super) licences: FxHashMap<String, Licence>,
    pub(super) qos: FxHashMap<String, Qos>,
    pub(super) associations: Vec<Association>,
    pub(super) reservations: Vec<Reservation>,
    pub(super) topology: Topology,
    /// What partitions let jobs have.
    pub(super) limits: FxHashMap<String, Partition>,
    /// Labels whose value is the first of these sets of features that a node has.
    pub(super) same: FxHashMap<String, Vec<Vec<String>>>,
    /// Features that stand for resources that no job takes.
    pub(super) there: FxHashSet<String>,
    /// What makes the files as a whole useless.
    pub(super) fatal: Option<Error>,
    /// Pending jobs, whether or not they can start.
    pub(super) waiting: usize,
    /// Some pending job is not understood.
    pub(super) odd: bool,
    /// Why pending jobs cannot start, with their numbers.
    pub(super) out: Vec<(String, Vec<String>)>,
    /// Some job asks for nodes by name.
    pub(super) by_name: bool,
    /// Some job asks for local disk.
    pub(super) by_disk: bool,
    pub(super) jobs: usize,
    pub(super) times: Times,
    /// Tasks are of the kind that their job's name says: there is a history.
    pub(super) named: bool,
    /// Only what could start now is wanted.
    pub(super) now: bool,
    /// No plan in time is wanted.
    pub(super) untimed: bool,
    pub(super) warnings: Warnings,
}

impl Cluster {
    pub(super) fn add(&mut self, node: Node) {
        if !self.memories.contains(&node.has.memory) {
            self.memories.push(node.has.memory);
        }
        self.at.insert(node.name.clone(), self.nodes.len());
        self.nodes.push(node);
    }

    /// CPUs of a core, where all nodes have the same and none has half a core taken; 1 otherwise.
    pub(super) fn threads(&self) -> i64 {
        let first = self.nodes.first().map_or(1, |node| node.threads);
        let whole = |node: &Node| node.threads == first && node.stated.cpu % first == 0;
        if self.nodes.iter().all(whole) { first } else { 1 }
    }

    /// Whether jobs take memory: not where nodes at work have none taken.
    pub(super) fn consumes_memory(&self) -> bool {
        let mut busy = self.nodes.iter().filter(|node| node.stated.cpu > 0).peekable();
        busy.peek().is_none() || busy.any(|node| node.stated.memory > 0)
    }

    /// Whether so much memory is all of some node, as texts of two decimals have it.
    pub(super) fn is_whole(&self, memory: i64) -> bool {
        let all = |own: &i64| *own > 0 && (memory - own).abs() <= own / 200;
        self.memories.iter().any(all)
    }

    /// Whether it is known which nodes are in which partition.
    pub(super) fn partitioned(&self) -> bool {
        self.nodes.iter().any(|node| !node.partitions.is_empty())
    }
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
    /// CPUs of a core.
    pub(super) threads: i64,
    /// It is kept for a reservation now, and for which where that is said.
    pub(super) reserved: bool,
    pub(super) reservation: String,
    /// The node of which this is what a reservation has.
    pub(super) alias: Option<String>,
    /// When nothing of the plan runs here, in seconds since 1970.
    pub(super) closed: Vec<(i64, i64)>,
    /// Labels beside those that say what it is.
    pub(super) labels: Labels,
}

impl Node {
    /// What Slurm calls it.
    pub(super) fn real(&self) -> &String {
        self.alias.as_ref().unwrap_or(&self.name)
    }

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
    pub(super) shape: Shape,
    /// Rules between its parts, where it has several.
    pub(super) within: Within,
    pub(super) partitions: Vec<String>,
    pub(super) wishes: Wishes,
    pub(super) owner: Rc<Owner>,
}

impl Pending {
    /// Why the job cannot start now, though it will.
    pub(super) fn waits(&self) -> Option<String> {
        if !self.task.after.is_empty() {
            return Some("it comes after jobs that wait".to_owned());
        }
        let blocked = self.wishes.blocked.as_ref().map(|reason| format!("Slurm says {reason}"));
        blocked.or_else(|| self.task.release.map(|_| "it may not start yet".to_owned()))
    }
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
    /// When it was submitted, in seconds since 1970.
    pub(super) submitted: i64,
    /// What Slurm says that it waits for, if that is neither room nor its turn.
    pub(super) blocked: Option<String>,
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
