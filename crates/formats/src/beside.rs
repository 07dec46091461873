//! What is said of an instance beside the files that hold it.

use super::table::Columns;
use super::{Change, Samples, Source};
use model::{Learned, NodeState};

/// What becomes of what runs, in formats that say what does and that it could run elsewhere: pods. Tasks
/// that say where they run may be evicted whatever the format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Running {
    /// It is load that is there.
    #[default]
    Load,
    /// It is tasks that may move, unless something keeps them.
    Movable(Eviction),
    /// It is tasks that stay, unless a higher priority needs their room.
    Evictable,
}

/// Which running pods may be evicted beside those that nothing keeps, as `kubectl drain` calls it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Eviction {
    /// Pods without a controller, and those marked as not safe to evict.
    pub force: bool,
    /// Pods with local storage, which is lost.
    pub delete_emptydir_data: bool,
}

impl Eviction {
    /// Only what nothing keeps.
    pub const GENTLE: Eviction = Eviction { force: false, delete_emptydir_data: false };
    /// Whatever a controller or a person could evict.
    pub const FORCED: Eviction = Eviction { force: true, delete_emptydir_data: true };
}

/// What stands beside an instance and says more of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside<'a> {
    /// A plan that says where tasks run now.
    pub current: Option<&'a Source>,
    /// What was observed of tasks.
    pub samples: Option<&'a Samples>,
    /// What earlier runs taught of kinds of tasks.
    pub learned: Option<&'a Learned>,
    /// What is different, one change after the other.
    pub changes: &'a [Change],
    /// When the plan starts, in seconds since 1970, whatever the instance says.
    pub start: Option<i64>,
    /// Only what could start now is wanted of a queue, not what waits for something else than room.
    pub now: bool,
    /// No plan in time is wanted.
    pub untimed: bool,
    /// What becomes of what runs.
    pub running: Running,
    /// How tables are read.
    pub columns: Columns<'a>,
}

impl Beside<'_> {
    /// Nodes that are to be emptied, by their ids or by `LABEL=VALUE`.
    pub(super) fn emptied(&self) -> impl Iterator<Item = &str> {
        let names = self.changes.iter().filter_map(|change| match change {
            Change::State(names, NodeState::Drain | NodeState::Down) => Some(names),
            _ => None,
        });
        names.flatten().map(String::as_str)
    }
}
