//! `gang`: all of the tasks are placed, or none.

use super::Ask;
use super::info::{Field, Over, RuleInfo};

pub(super) const INFO: RuleInfo = RuleInfo {
    name: "gang",
    help: "All are placed, or none.",
    over: Over::Nothing,
    fields: &[Field::AsOne],
    read: |_| Ok((Ask::Gang, None)),
};
