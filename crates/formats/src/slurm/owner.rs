//! Whose a job is, and what it takes of what is no node's: licences, its place in an array.

use std::collections::BTreeMap;

use super::amounts::Amounts;

/// Whose a job is.
#[derive(Clone, Debug, Default)]
pub(super) struct Owner {
    pub(super) user: String,
    pub(super) account: String,
    pub(super) qos: String,
    pub(super) cluster: String,
    pub(super) partitions: Vec<String>,
    /// The number of its association; 0 where nothing says it.
    pub(super) association: i64,
    /// What it is called, by its user.
    pub(super) name: String,
    /// Its number; 0 where it has none.
    pub(super) number: i64,
    /// The number of its array, and how many of that may run at once.
    pub(super) array: Option<i64>,
    pub(super) at_once: Option<i64>,
    /// The number that the parts of a heterogeneous job have in common.
    pub(super) het: Option<i64>,
    /// How many parts that has; 0 where nothing says it.
    pub(super) parts: usize,
    /// The reservations that it may run in.
    pub(super) reservations: Vec<String>,
    /// Licences, by name.
    pub(super) licences: BTreeMap<String, i64>,
    /// CPUs, MiB and generic resources, all together.
    pub(super) total: Amounts,
    pub(super) nodes: i64,
}

/// A job that holds nodes.
#[derive(Clone, Debug)]
pub(super) struct Running {
    pub(super) owner: Owner,
    /// When it ends, in seconds since 1970.
    pub(super) end: Option<i64>,
}
