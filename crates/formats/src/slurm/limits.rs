//! What partitions let jobs have.

/// What a partition lets jobs have.
#[derive(Clone, Debug, Default)]
pub(super) struct Partition {
    /// Jobs in it start.
    pub(super) starts: bool,
    pub(super) most_nodes: Option<i64>,
    /// Minutes.
    pub(super) most_time: Option<i64>,
    pub(super) most_cpus: Option<i64>,
    /// Jobs have their nodes to themselves.
    pub(super) exclusive: bool,
    /// CPUs may be shared.
    pub(super) shared: bool,
    pub(super) allowed: Lists,
    pub(super) denied: Lists,
    /// The QOS whose limits all of its jobs are under.
    pub(super) qos: String,
}

/// Names of quality of service, accounts, groups.
#[derive(Clone, Debug, Default)]
pub(super) struct Lists {
    pub(super) qos: Vec<String>,
    pub(super) accounts: Vec<String>,
    pub(super) groups: Vec<String>,
}
