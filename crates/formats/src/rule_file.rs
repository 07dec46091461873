//! Rules as files write them, JSON and tables alike.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::{Id, OneOrMany, Ordered};
use model::{Ask, RuleDraft, Whom};

/// What a rule asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Ask")]
pub(super) enum AskFile {
    /// All are placed, or none.
    Gang,
    /// All on one value of the label.
    Together,
    /// At most one on each value.
    Apart,
    /// On many values, few, or evenly: see `at_least`, `at_most`, `max_skew`.
    Spread,
    /// Each on a value where one of `near` is.
    Near,
}

impl AskFile {
    /// The word in files.
    pub(super) fn name(self) -> &'static str {
        match self {
            AskFile::Gang => "gang",
            AskFile::Together => "together",
            AskFile::Apart => "apart",
            AskFile::Spread => "spread",
            AskFile::Near => "near",
        }
    }
}

/// What tasks are grouped by, one rule for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Each")]
pub(super) enum EachFile {
    /// The task's `key`.
    Key,
    /// Each of the task's groups.
    Group,
}

/// A rule between tasks.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Rule")]
pub(super) struct RuleFile {
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<Id>,
    /// What it asks.
    pub(super) rule: Option<AskFile>,
    /// The tasks it concerns; a gang's id means all of its units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tasks: Option<OneOrMany>,
    /// Instead of `tasks`: those that name this group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) group: Option<String>,
    /// Instead of `tasks`: one rule for the tasks of each key or group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) each: Option<EachFile>,
    /// The label whose values count; `node`, the default, is the node itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) over: Option<String>,
    /// spread: fewest values in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) at_least: Option<u32>,
    /// spread: most values in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) at_most: Option<u32>,
    /// spread: most by which the fullest value exceeds the emptiest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) max_skew: Option<u32>,
    /// spread with `max_skew`: how many of their kind each value has that the plan does
    /// not place.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    pub(super) present: Ordered<u32>,
    /// near: the tasks that one of must be close.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) near: Option<OneOrMany>,
    /// Instead of `near`: those that name this group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) near_group: Option<String>,
}

/// A spread within a gang.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Spread")]
pub(super) struct SpreadFile {
    /// The label whose values count; `node` is the node itself.
    pub(super) over: String,
    /// Fewest values in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) at_least: Option<u32>,
    /// Most values in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) at_most: Option<u32>,
    /// Most by which the fullest value exceeds the emptiest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) max_skew: Option<u32>,
}

fn spread(at_least: Option<u32>, at_most: Option<u32>, max_skew: Option<u32>) -> Ask {
    Ask::Spread { at_least: at_least.unwrap_or(0), at_most: at_most.unwrap_or(u32::MAX), max_skew }
}

impl SpreadFile {
    pub(super) fn ask(&self) -> Ask {
        spread(self.at_least, self.at_most, self.max_skew)
    }

    pub(super) fn of(ask: &Ask, over: &str) -> Option<SpreadFile> {
        let Ask::Spread { at_least, at_most, max_skew } = ask else { return None };
        Some(SpreadFile {
            over: over.to_owned(),
            at_least: Some(*at_least).filter(|k| *k > 0),
            at_most: Some(*at_most).filter(|k| *k < u32::MAX),
            max_skew: *max_skew,
        })
    }
}

impl RuleFile {
    /// The rule in the words of the problem. `Err` has field and cause.
    pub(super) fn draft(self) -> Result<RuleDraft, (&'static str, String)> {
        let Some(rule) = self.rule else {
            return Err((
                "rule",
                "it does not say gang, together, apart, spread or near".to_owned(),
            ));
        };
        let whom = match (self.tasks, self.group, self.each) {
            (Some(tasks), None, None) => Whom::Tasks(tasks.0),
            (None, Some(group), None) => Whom::Group(group),
            (None, None, Some(EachFile::Key)) => Whom::EachKey,
            (None, None, Some(EachFile::Group)) => Whom::EachGroup,
            _ => return Err(("tasks", "name one of `tasks`, `group` and `each`".to_owned())),
        };
        let limits = self.at_least.is_some() || self.at_most.is_some() || self.max_skew.is_some();
        if limits && rule != AskFile::Spread {
            return Err(("at_least", "limits on values belong to a spread".to_owned()));
        }
        if !self.present.0.is_empty() && self.max_skew.is_none() {
            return Err(("present", "what is there counts for `max_skew` only".to_owned()));
        }
        let near = match (self.near, self.near_group) {
            (Some(tasks), None) => Some(Whom::Tasks(tasks.0)),
            (None, Some(group)) => Some(Whom::Group(group)),
            (None, None) => None,
            _ => return Err(("near", "name one of `near` and `near_group`".to_owned())),
        };
        let ask = match (rule, near.is_some()) {
            (AskFile::Gang, false) => Ask::Gang,
            (AskFile::Together, false) => Ask::Together,
            (AskFile::Apart, false) => Ask::Apart,
            (AskFile::Spread, false) => spread(self.at_least, self.at_most, self.max_skew),
            (AskFile::Near, true) => Ask::Near { others: Vec::new() },
            (AskFile::Near, false) => {
                return Err(("near", "say near whom: `near` or `near_group`".to_owned()));
            }
            (_, true) => return Err(("near", "only the rule `near` has it".to_owned())),
        };
        let over = self.over.unwrap_or_else(|| "node".to_owned());
        if ask == Ask::Gang && over != "node" {
            return Err(("over", "a gang is not over a label: leave it away".to_owned()));
        }
        let present = self.present.0;
        Ok(RuleDraft { name: self.id.map(|id| id.0), ask, over, whom, near, present })
    }
}
