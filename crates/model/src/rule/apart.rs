//! `apart`: at most one of the tasks on each value of a label.

use super::info::{Field, Over, RuleInfo};
use super::{Ask, RuleShape};

pub(super) const INFO: RuleInfo = RuleInfo {
    name: "apart",
    help: "At most one on each value.",
    over: Over::Label,
    fields: &[Field::Price],
    read: |_| Ok((Ask::Apart, None)),
};

pub(super) const SHAPE: RuleShape = RuleShape::Sum { limit: None, at_most: 1 };
