//! What a text of Slurm's is.

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `scontrol show node`, `job`, `partition`, `reservation`, `license`, one after the other.
    Records,
    /// `squeue`
    Jobs,
    /// `sinfo`
    Nodes,
    /// `slurm.conf` and what it includes.
    Conf,
    /// `gres.conf`
    Gres,
    /// A command says that there is nothing.
    Nothing(&'static str),
}
