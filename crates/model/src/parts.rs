//! Parts of an instance: what is said of it beside its nodes and tasks. What is made of a draft, and
//! what an instance answers, stands in the file of each.

use super::{Decimal, LabelValues, NodeId, Rule, RuleId, Scale, TaskId, Wish};

/// At most so many of these tasks may be on their way in one wave of moves. Plans do not see it,
/// orders of moves do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// What people call it.
    pub name: String,
    /// Whose moves count, sorted.
    pub tasks: Vec<TaskId>,
    /// How many may move in one wave.
    pub at_once: u32,
}

/// A job of several units, placed all or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gang {
    /// The job's id; its units are called `id[0]`, `id[1]`, ...
    pub name: String,
    /// Its first unit; the others follow.
    pub first: TaskId,
    /// Number of units.
    pub size: u32,
}

/// A resource that comes in cards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Devices {
    /// Position among the resources.
    pub resource: usize,
    /// Steps of one card.
    pub card: i64,
}

/// The part of an instance that is about moves.
#[derive(Clone, Debug)]
pub(super) struct Moves {
    /// Per task; empty when each costs 1.
    pub(super) own: Vec<i64>,
    pub(super) scale: Scale,
    pub(super) routes: Routes,
    /// Row-major, nodes x resources; 0 for resources that are not transient.
    pub(super) held: Vec<i64>,
    /// In order of first appearance.
    pub(super) groups: Vec<Vec<TaskId>>,
    pub(super) group_names: Vec<String>,
    /// Row starts and entries: the groups of each task. Empty without groups.
    pub(super) groups_of: (Vec<u32>, Vec<u32>),
}

/// Costs of routes, one sparse row a node that is left.
#[derive(Clone, Debug, Default)]
pub(super) struct Routes {
    /// Row i is `start[i]..start[i + 1]`; empty when there are no routes at all.
    pub(super) start: Vec<u32>,
    pub(super) to: Vec<NodeId>,
    pub(super) cost: Vec<i64>,
}

/// What becomes of limits when capacities change: what is reserved, and what of that and of safety
/// capacities is a part of the capacity. Positions are node times resources plus resource.
#[derive(Clone, Debug, Default)]
pub(super) struct Reserved {
    /// In steps; empty when nothing is reserved.
    pub(super) reserve: Vec<i64>,
    pub(super) reserve_percent: Vec<(usize, Decimal)>,
    pub(super) safety_percent: Vec<(usize, Decimal)>,
    /// Kept free of every capacity beside that: parts as numerator and denominator.
    pub(super) headroom: Vec<(i64, i64)>,
}

/// Room that should be free beside other room: a node whose load leaves r free of
/// `room` and s free of `with` costs max(0, a r - b s) soft units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RoomRatio {
    /// Position of the resource whose room asks for other room.
    pub room: usize,
    /// Position of the resource of which there should be room.
    pub with: usize,
    /// Soft units for each free step of `room`.
    pub a: i64,
    /// Soft units for each free step of `with`.
    pub b: i64,
    /// Units of `with` for each unit of `room`, as written.
    pub ratio: Decimal,
    /// Price of a missing unit, as written.
    pub price: Decimal,
}

impl RoomRatio {
    /// What a node of this capacity costs under this load.
    pub fn cost(&self, capacity: &[i64], load: &[i64]) -> i64 {
        // A plan that breaks rules may overload a node by any amount.
        let free = |r: usize| i128::from(capacity[r]) - i128::from(load[r]);
        let missing = i128::from(self.a) * free(self.room) - i128::from(self.b) * free(self.with);
        i64::try_from(missing.max(0)).unwrap_or(i64::MAX)
    }
}

/// The part of an instance that is about time. Lists are empty where they would say nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Times {
    /// Seconds since 1970 at which the plan starts.
    pub(super) start: Option<i64>,
    pub(super) release: Vec<i64>,
    pub(super) due: Vec<Option<i64>>,
    pub(super) deadline: Vec<Option<i64>>,
    pub(super) elapsed: Vec<Option<i64>>,
    pub(super) precedence: Precedence,
    /// Numerator and denominator per node.
    pub(super) speed: Vec<(i64, i64)>,
    /// Sorted and disjoint, per node.
    pub(super) closed: Vec<Vec<(i64, i64)>>,
    /// What of the load that is there ends, and when; sorted, per node.
    pub(super) ending: Vec<Vec<(i64, Vec<i64>)>>,
    /// Beside the pairs, 0 where a pair has no duration of its own.
    pub(super) pair_duration: Vec<i64>,
}

/// What nodes and pairs cost, in whole steps of one scale.
#[derive(Clone, Debug)]
pub(super) struct Costs {
    pub(super) scale: Scale,
    /// Of each node in use.
    pub(super) price: Vec<i64>,
    /// Of a second of a task on each node.
    pub(super) rate: Vec<i64>,
    /// Beside the pairs.
    pub(super) pair: Vec<i64>,
}

/// What soft rules cost, in whole steps of one scale.
#[derive(Clone, Debug)]
pub(super) struct Soft {
    pub(super) scale: Scale,
    /// Per requirement and node; an empty row where nothing is missed.
    pub(super) penalty: Vec<Vec<i64>>,
    /// Per resource and step above the safety capacity.
    pub(super) price: Vec<i64>,
    pub(super) ratios: Vec<RoomRatio>,
}

/// What leaving each task out weighs.
#[derive(Clone, Debug)]
pub(super) struct Weights {
    pub(super) scale: Scale,
    /// Empty when all weigh 1.
    pub(super) own: Vec<i64>,
}

/// The rules between tasks, and what follows from them.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    pub(super) all: Vec<Rule>,
    /// Row starts, and the entries: rule, and whether as one of its others.
    pub(super) of: (Vec<u32>, Vec<(RuleId, bool)>),
    pub(super) wishes: Vec<Wish>,
    /// As `of`: wish, and whether as one of its others.
    pub(super) wishes_of: (Vec<u32>, Vec<(RuleId, bool)>),
    pub(super) labels: Vec<LabelValues>,
}

impl Default for Costs {
    fn default() -> Costs {
        Costs { scale: Scale::ONE, price: Vec::new(), rate: Vec::new(), pair: Vec::new() }
    }
}

impl Default for Soft {
    fn default() -> Soft {
        Soft { scale: Scale::ONE, penalty: Vec::new(), price: Vec::new(), ratios: Vec::new() }
    }
}

impl Default for Weights {
    fn default() -> Weights {
        Weights { scale: Scale::ONE, own: Vec::new() }
    }
}

/// Watts of the nodes; empty where nobody says any.
#[derive(Clone, Debug)]
pub(super) struct Watts {
    /// Of each node in use.
    pub(super) idle: Vec<i64>,
    /// Of each step of load: row-major, nodes x resources.
    pub(super) load: Vec<i64>,
    pub(super) scale: Scale,
}

impl Default for Watts {
    fn default() -> Watts {
        Watts { idle: Vec::new(), load: Vec::new(), scale: Scale::ONE }
    }
}

impl Watts {
    /// Steps of the resource, of `width`, are so many times as fine; `None` where that does not fit.
    pub(super) fn finer(&mut self, r: usize, width: usize, times: i64) -> Option<()> {
        if self.idle.is_empty() {
            return Some(());
        }
        let others = self.load.iter_mut().enumerate().filter(|(k, _)| k % width != r);
        for value in self.idle.iter_mut().chain(others.map(|(_, value)| value)) {
            *value = value.checked_mul(times)?;
        }
        self.scale = self.scale.divided(times)?;
        Some(())
    }

    /// One more node that draws as much as the node at `like` of `width` resources.
    pub(super) fn add_node_like(&mut self, like: usize, width: usize) {
        if !self.idle.is_empty() {
            self.idle.push(self.idle[like]);
            self.load.extend_from_within(like * width..(like + 1) * width);
        }
    }
}

/// For each task, the tasks that have to end before it starts.
#[derive(Clone, Debug, Default)]
pub(super) struct Precedence {
    /// The row of each task; units of a gang share one. Empty when nothing comes after anything.
    pub(super) row: Vec<u32>,
    /// Row i is `start[i]..start[i + 1]`.
    pub(super) start: Vec<u32>,
    pub(super) entries: Vec<(TaskId, i64)>,
}

/// Whether a node takes tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum NodeState {
    /// Takes tasks.
    #[default]
    Ready,
    /// Takes no new task and is on its way out; counts in no figure.
    Drain,
    /// Gone.
    Down,
}

/// The task's row of a list in rows.
pub(super) fn row_of(rows: &(Vec<u32>, Vec<(RuleId, bool)>), task: TaskId) -> &[(RuleId, bool)] {
    let (start, entries) = rows;
    match start.get(task.index()..=task.index() + 1) {
        Some(&[from, to]) => &entries[from as usize..to as usize],
        _ => &[],
    }
}
