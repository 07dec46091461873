//! Whether a task has a standby, as JSON has it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use model::NODE;

/// Whether a task has a standby, and on what.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(untagged, expecting = "expected true, `node` or the key of a label")]
#[schemars(rename = "Backup")]
pub(super) enum BackupFile {
    /// On another node.
    Node(bool),
    /// On another `node`, or another value of this label.
    Over(String),
}

impl BackupFile {
    pub(super) fn over(self) -> Option<String> {
        match self {
            BackupFile::Node(false) => None,
            BackupFile::Node(true) => Some(NODE.to_owned()),
            BackupFile::Over(over) => Some(over),
        }
    }
}
