//! `near`: each of the tasks shares its value of a label with one of some others.

use super::Ask;
use super::info::{Field, Over, Reading, RuleFields, RuleInfo, wrong};

pub(super) const INFO: RuleInfo = RuleInfo {
    name: "near",
    help: "Each on a value where one of `near` is.",
    over: Over::Label,
    fields: &[Field::Near, Field::Price],
    read,
};

fn read(fields: &RuleFields) -> Reading {
    match fields.near {
        Some(_) => Ok((Ask::Near { others: Vec::new() }, None)),
        None => wrong(Field::Near, "say near whom: `near` or `near_group`"),
    }
}
