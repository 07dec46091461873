//! What there is to say about a kind of rule, and how it is read, apart from what one rule asks.

use super::Ask;
use crate::{Decimal, LimitDraft, When, Whom};

/// What there is to say about a kind of rule.
#[derive(Debug)]
pub struct RuleInfo {
    /// The word in files and messages.
    pub name: &'static str,
    /// What it asks, in one line.
    pub help: &'static str,
    /// What it is over.
    pub over: Over,
    /// The fields that it has beside those that all rules have.
    pub fields: &'static [Field],
    /// What a rule with these fields asks; the others of `near` and what a limit counts are told
    /// apart once the instance is known.
    pub read: fn(&RuleFields) -> Reading,
}

/// What rules of a kind are over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// Nothing.
    Nothing,
    /// A label; the node itself where none is named.
    Label,
    /// A label; the whole plan where none is named.
    LabelOrPlan,
}

/// A field that some rules have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Fewest values in use.
    AtLeast,
    /// The most of something.
    AtMost,
    /// Most by which the fullest value exceeds the emptiest.
    MaxSkew,
    /// What there is on values that is not part of the plan.
    Present,
    /// Other tasks.
    Near,
    /// What is counted.
    Resource,
    /// The values that it looks at.
    Values,
    /// What holds from times on.
    Later,
    /// It holds whatever the times.
    Always,
    /// Its tasks start at the same second.
    AsOne,
    /// What a breach costs, where it may be broken.
    Price,
}

impl Field {
    /// The key in files, and the word that it has there where it can have several.
    pub fn name(self) -> (&'static str, Option<&'static str>) {
        match self {
            Field::AtLeast => ("at_least", None),
            Field::AtMost => ("at_most", None),
            Field::MaxSkew => ("max_skew", None),
            Field::Present => ("present", None),
            Field::Near => ("near", None),
            Field::Resource => ("resource", None),
            Field::Values => ("values", None),
            Field::Later => ("later", None),
            Field::Always => ("when", Some("always")),
            Field::AsOne => ("when", Some("as-one")),
            Field::Price => ("price", None),
        }
    }
}

/// The fields of a rule as a file gives them.
#[derive(Clone, Debug, Default)]
pub struct RuleFields {
    /// See [`Field::AtLeast`].
    pub at_least: Option<u32>,
    /// See [`Field::AtMost`].
    pub at_most: Option<Decimal>,
    /// See [`Field::MaxSkew`].
    pub max_skew: Option<u32>,
    /// See [`Field::Present`].
    pub present: Vec<(String, u32)>,
    /// See [`Field::Near`].
    pub near: Option<Whom>,
    /// See [`Field::Resource`].
    pub resource: Option<String>,
    /// See [`Field::Values`]; all when absent.
    pub values: Option<Vec<String>>,
    /// See [`Field::Later`].
    pub later: Vec<(When, Decimal)>,
    /// See [`Field::Always`].
    pub always: bool,
    /// See [`Field::AsOne`].
    pub as_one: bool,
    /// See [`Field::Price`].
    pub price: Option<Decimal>,
}

impl RuleFields {
    /// Those that are given.
    pub fn given(&self) -> impl Iterator<Item = Field> + use<> {
        let given = [
            (Field::AtLeast, self.at_least.is_some()),
            (Field::AtMost, self.at_most.is_some()),
            (Field::MaxSkew, self.max_skew.is_some()),
            (Field::Present, !self.present.is_empty()),
            (Field::Near, self.near.is_some()),
            (Field::Resource, self.resource.is_some()),
            (Field::Values, self.values.is_some()),
            (Field::Later, !self.later.is_empty()),
            (Field::Always, self.always),
            (Field::AsOne, self.as_one),
            (Field::Price, self.price.is_some()),
        ];
        given.into_iter().filter(|(_, given)| *given).map(|(field, _)| field)
    }
}

/// What a rule asks, with what a limit counts as it was written; or the field that is wrong.
pub type Reading = Result<(Ask, Option<LimitDraft>), WrongField>;

/// A field that is wrong: its key, and why.
pub type WrongField = (&'static str, String);

/// What kinds of rules answer whose field is wrong.
pub(super) fn wrong<T>(field: Field, cause: &str) -> Result<T, WrongField> {
    Err((field.name().0, cause.to_owned()))
}
