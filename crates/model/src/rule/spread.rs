//! `spread`: on many values of a label, on few, or evenly.

use super::Ask;
use super::info::{Field, Over, Reading, RuleFields, RuleInfo, wrong};
use crate::Decimal;

pub(super) const INFO: RuleInfo = RuleInfo {
    name: "spread",
    help: "On many values, few, or evenly: see `at_least`, `at_most`, `max_skew`.",
    over: Over::Label,
    fields: &[Field::AtLeast, Field::AtMost, Field::MaxSkew, Field::Present, Field::Price],
    read,
};

fn read(fields: &RuleFields) -> Reading {
    if !fields.present.is_empty() && fields.max_skew.is_none() {
        return wrong(Field::Present, "what is there counts for `max_skew` only");
    }
    let whole = |most: Decimal| u32::try_from(most.at_places(0)?).ok();
    let at_most = match fields.at_most.map(whole) {
        Some(None) => return wrong(Field::AtMost, "values are counted: a whole number"),
        at_most => at_most.flatten(),
    };
    Ok((Ask::spread(fields.at_least, at_most, fields.max_skew), None))
}

impl Ask {
    /// A spread that asks what is said.
    pub fn spread(at_least: Option<u32>, at_most: Option<u32>, max_skew: Option<u32>) -> Ask {
        let (at_least, at_most) = (at_least.unwrap_or(0), at_most.unwrap_or(u32::MAX));
        Ask::Spread { at_least, at_most, max_skew }
    }
}

/// Why so many tasks cannot be spread like this, with what helps.
pub(crate) fn objection(
    (at_least, at_most, max_skew): (u32, u32, Option<u32>),
    tasks: usize,
) -> Option<(String, &'static str)> {
    if at_least as usize > tasks {
        let cause = format!("{tasks} tasks cannot be on {at_least} values");
        return Some((cause, "lower at_least"));
    }
    if at_most == 0 || at_least > at_most {
        return Some((format!("at least {at_least} and at most {at_most}"), "raise at_most"));
    }
    let nothing = at_least == 0 && at_most == u32::MAX && max_skew.is_none();
    nothing.then(|| ("this spread asks nothing".to_owned(), "give at_least, at_most or max_skew"))
}
