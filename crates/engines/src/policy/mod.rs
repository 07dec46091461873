//! One-pass placement rules: filter the nodes that fit, score them, take the
//! best. Every rule is a row of [`POLICIES`].

mod balancers;
mod draws;
mod driver;
mod fits;
mod fragmentation;
mod hashes;
mod index;
mod multistart;
mod order;
mod rules;

pub use driver::Pass;
pub use index::{Group, Lanes, Summary};
pub use multistart::{Found, Reached, Start, multi_start};
pub use order::{ORDERS, Order, OrderInfo};

use base::stop::Stop;
use index::NodeIndex;
use model::state::State;
use model::{Instance, NodeId, Plan, TaskId};

/// Lowest wins, compared entry by entry; ties go to the first node.
pub type Score = [f64; 2];

/// A placement rule. The driver asks for bounds to skip whole groups of nodes,
/// so a placement costs far less than one score a node.
pub trait Policy {
    /// Score of the task on a node that it fits on.
    fn score(&self, state: &State, task: TaskId, node: NodeId) -> Score;

    /// A score that no node of the group can go below, for a task with this
    /// demand on every node.
    fn bound(&self, _group: &Group, _demand: &[i64]) -> Score {
        [f64::NEG_INFINITY; 2]
    }

    /// Per node of a block, a number that its score's first entry cannot go
    /// below. Nodes on which the task does not fit may get anything.
    fn lanes(&self, _lanes: &Lanes, _demand: &[i64], low: &mut [f64]) {
        low.fill(f64::NEG_INFINITY);
    }

    /// Likewise for the second entry, where the first one is exact.
    fn second_lanes(&self, _lanes: &Lanes, _low: &mut [f64]) {}

    /// A node that is not banned, chosen without scores, for rules that draw. `None`
    /// leaves the choice to the scores, `Some(None)` says that the task fits nowhere.
    fn choose(
        &mut self,
        _state: &State,
        _task: TaskId,
        _banned: &[NodeId],
    ) -> Option<Option<NodeId>> {
        None
    }

    /// Told before a task is scored on many nodes.
    fn prepare(&mut self, _state: &State, _task: TaskId) {}

    /// Told of every placement.
    fn placed(&mut self, _state: &State, _task: TaskId, _node: NodeId) {}

    /// Told of every placement taken back.
    fn removed(&mut self, _state: &State, _task: TaskId, _node: NodeId) {}
}

/// What policies can be told.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Seed of what is drawn.
    pub seed: u64,
    /// The resource that `least-bandwidth` looks at; `network` when absent.
    pub resource: Option<String>,
    /// Factors of `load-aware`'s weights 1 / (alpha gpu + beta memory + gamma).
    pub alpha: f64,
    /// See `alpha`.
    pub beta: f64,
    /// See `alpha`.
    pub gamma: f64,
    /// How much worse than its best a hybrid's first policy may rate a node.
    pub tolerance: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { seed: 1, resource: None, alpha: 1.0, beta: 1.0, gamma: 0.1, tolerance: 0.1 }
    }
}

/// A fresh rule; `Err` says what it needs and the instance or the settings do not
/// have.
pub type Made = Result<Box<dyn Policy>, String>;

/// A row of the policy table.
pub struct PolicyInfo {
    /// The name used in flags and files.
    pub name: &'static str,
    /// One line of help.
    pub help: &'static str,
    /// Where it comes from.
    pub reference: &'static str,
    /// Nodes have scores, so that it can be half of a hybrid.
    pub ranks: bool,
    /// A fresh rule for an instance; `Err` says what is missing.
    pub new: fn(&Instance, &Settings) -> Made,
}

/// Every policy there is.
pub const POLICIES: &[PolicyInfo] = &[
    PolicyInfo {
        name: "min-load",
        help: "the node whose utilisation is lowest once the task is there",
        reference: "list scheduling: Graham 1969, DOI 10.1137/0117039",
        ranks: true,
        new: |_, _| Ok(Box::new(rules::MinLoad)),
    },
    PolicyInfo {
        name: "best-fit",
        help: "the node with the least capacity left once the task is there",
        reference: "Johnson, Demers, Ullman, Garey, Graham 1974, DOI 10.1137/0203025",
        ranks: true,
        new: |_, _| Ok(Box::new(fits::BestFit)),
    },
    PolicyInfo {
        name: "min-cost",
        help: "the node where the task adds least cost, then least load",
        reference: "greedy for the generalised assignment problem: Martello, Toth 1990, ISBN 0471924202",
        ranks: true,
        new: |instance, _| Ok(Box::new(rules::MinCost::new(instance))),
    },
    PolicyInfo {
        name: "round-robin",
        help: "the next node in order that fits",
        reference: "the load balancers' default",
        ranks: true,
        new: |instance, _| Ok(Box::new(rules::RoundRobin::new(instance))),
    },
    PolicyInfo {
        name: "weighted-round-robin",
        help: "nodes in turn in proportion to their weights, smoothly",
        reference: "the smooth variant of web servers",
        ranks: true,
        new: |instance, _| Ok(Box::new(balancers::WeightedRoundRobin::new(instance))),
    },
    PolicyInfo {
        name: "least-tasks",
        help: "the node with the fewest connections and tasks",
        reference: "least connections, the load balancers' other default",
        ranks: true,
        new: |_, _| Ok(Box::new(rules::LeastTasks)),
    },
    PolicyInfo {
        name: "weighted-least-tasks",
        help: "the node with the fewest connections and tasks for its weight",
        reference: "weighted least connections",
        ranks: true,
        new: |instance, _| Ok(Box::new(balancers::WeightedLeastTasks::new(instance))),
    },
    PolicyInfo {
        name: "least-bandwidth",
        help: "the node with the least load in one resource (--resource, else network)",
        reference: "load balancers' least bandwidth",
        ranks: true,
        new: |instance, settings| Ok(Box::new(balancers::LeastBandwidth::new(instance, settings)?)),
    },
    PolicyInfo {
        name: "least-response-time",
        help: "the node that answers fastest, the slower the more is active on it",
        reference: "load balancers' least response time",
        ranks: true,
        new: |instance, _| Ok(Box::new(balancers::LeastResponseTime::new(instance))),
    },
    PolicyInfo {
        name: "load-aware",
        help: "the node with the highest weight 1 / (alpha GPU + beta memory + gamma) as things stand",
        reference: "docs/model.md",
        ranks: true,
        new: |instance, settings| Ok(Box::new(balancers::LoadAware::new(instance, settings)?)),
    },
    PolicyInfo {
        name: "first-fit",
        help: "the first node in order",
        reference: "Johnson, Demers, Ullman, Garey, Graham 1974, DOI 10.1137/0203025",
        ranks: true,
        new: |_, _| Ok(Box::new(fits::FirstFit)),
    },
    PolicyInfo {
        name: "worst-fit",
        help: "the node with the most capacity left once the task is there",
        reference: "Johnson 1974, DOI 10.1016/S0022-0000(74)80026-7",
        ranks: true,
        new: |_, _| Ok(Box::new(fits::WorstFit)),
    },
    PolicyInfo {
        name: "dot-product",
        help: "the node whose free capacity points most in the direction of the demand",
        reference: "Panigrahy, Talwar, Uyeda, Wieder 2011, Heuristics for Vector Bin Packing",
        ranks: true,
        new: |_, _| Ok(Box::new(fits::DotProduct)),
    },
    PolicyInfo {
        name: "fragmentation-gradient-descent",
        help: "the node whose free cards the task fragments least",
        reference: "Weng et al. 2023, USENIX ATC, Beware of Fragmentation",
        ranks: true,
        new: |instance, _| Ok(Box::new(fragmentation::FragmentationGradient::new(instance)?)),
    },
    PolicyInfo {
        name: "power-of-two-choices",
        help: "the less loaded of two nodes drawn at random",
        reference: "Mitzenmacher 2001, DOI 10.1109/71.963420",
        ranks: false,
        new: |_, settings| Ok(Box::new(draws::PowerOfTwo::new(settings.seed))),
    },
    PolicyInfo {
        name: "random",
        help: "a node drawn at random",
        reference: "",
        ranks: false,
        new: |_, settings| Ok(Box::new(draws::Random::new(settings.seed))),
    },
    PolicyInfo {
        name: "hash",
        help: "the node that the task's key hashes to highest, by weight: the same one while it has room",
        reference: "rendezvous hashing: Thaler, Ravishankar 1998, DOI 10.1109/90.663936",
        ranks: true,
        new: |instance, _| Ok(Box::new(hashes::Rendezvous::new(instance))),
    },
    PolicyInfo {
        name: "consistent-hash",
        help: "the next node on a ring of hashes from the task's key on, none above 1.25 times its share",
        reference: "Mirrokni, Thorup, Zadimoghaddam 2018, DOI 10.1137/1.9781611975031.39",
        ranks: false,
        new: |instance, _| Ok(Box::new(hashes::Ring::new(instance))),
    },
];

/// A policy, or two: the second chooses among the nodes that the first rates
/// within a tolerance of its best.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    first: &'static PolicyInfo,
    second: Option<&'static PolicyInfo>,
}

impl Choice {
    /// Reads `min-load` or `load-aware>least-response-time`. `None` when a name is
    /// unknown.
    ///
    /// # Errors
    /// A hybrid of policies that do not rank nodes.
    pub fn parse(text: &str) -> Result<Option<Choice>, String> {
        let Some((first, second)) = text.split_once('>') else {
            return Ok(find(text).map(Choice::from));
        };
        let (Some(first), Some(second)) = (find(first.trim()), find(second.trim())) else {
            return Ok(None);
        };
        match [first, second].into_iter().find(|policy| !policy.ranks) {
            Some(policy) => Err(format!(
                "`{}` draws a node and does not rank them: it cannot be half of a hybrid",
                policy.name
            )),
            None => Ok(Some(Choice { first, second: Some(second) })),
        }
    }

    /// The name used in flags and files.
    pub fn name(&self) -> String {
        match self.second {
            None => self.first.name.to_owned(),
            Some(second) => format!("{}>{}", self.first.name, second.name),
        }
    }

    /// A fresh rule for an instance.
    ///
    /// # Errors
    /// What the policy needs and the instance or the settings do not have.
    pub fn rule(&self, instance: &Instance, settings: &Settings) -> Made {
        let first = (self.first.new)(instance, settings)?;
        let Some(second) = self.second else { return Ok(first) };
        Ok(Box::new(balancers::Hybrid {
            first,
            second: (second.new)(instance, settings)?,
            tolerance: settings.tolerance,
            limit: f64::INFINITY,
        }))
    }
}

impl From<&'static PolicyInfo> for Choice {
    fn from(first: &'static PolicyInfo) -> Choice {
        Choice { first, second: None }
    }
}

impl std::fmt::Debug for PolicyInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// The policy of that name.
pub fn find(name: &str) -> Option<&'static PolicyInfo> {
    POLICIES.iter().find(|policy| policy.name == name)
}

/// The policies of these names, unknown ones left out.
pub fn choices(names: &[&str]) -> Vec<Choice> {
    names.iter().filter_map(|name| find(name)).map(Choice::from).collect()
}

/// Places the tasks one by one in this order; those that fit nowhere by then
/// stay unplaced. What is not placed by `stop` goes to the next node that takes it.
///
/// # Errors
/// What the policy needs and the instance or the settings do not have.
pub fn run(
    instance: &Instance,
    policy: Choice,
    settings: &Settings,
    order: &[TaskId],
    stop: &Stop,
) -> Result<Pass, String> {
    let mut index = NodeIndex::new(instance);
    let rule = policy.rule(instance, settings)?;
    Ok(driver::run(&mut index, &driver::Bundles::of(instance), rule, order, stop))
}

/// Likewise; `None` where it was stopped before the end.
///
/// # Errors
/// As for [`run`].
pub fn run_until(
    instance: &Instance,
    policy: Choice,
    settings: &Settings,
    order: &[TaskId],
    stop: &Stop,
) -> Result<Option<Plan>, String> {
    let mut index = NodeIndex::new(instance);
    let rule = policy.rule(instance, settings)?;
    Ok(driver::run_until(&mut index, &driver::Bundles::of(instance), rule, order, stop))
}
