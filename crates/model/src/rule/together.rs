//! `together`: all of the tasks on one value of a label.

use super::info::{Field, Over, RuleInfo};
use super::{Ask, RuleShape};

pub(super) const INFO: RuleInfo = RuleInfo {
    name: "together",
    help: "All on one value of the label.",
    over: Over::Label,
    fields: &[Field::Price],
    read: |_| Ok((Ask::Together, None)),
};

pub(super) const SHAPE: RuleShape = RuleShape::Values { at_least: 0, at_most: 1, max_skew: None };
