//! Rules as files write them, JSON and tables alike.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::time_file::WhenText;
use super::values::{Id, OneOrMany, Ordered, Quantity};
use model::{Ask, Limit, LimitDraft, RuleDraft, Whom};

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
    /// No more of `resource` than `at_most`, on each value or in the whole plan.
    Limit,
}

/// What a rule means in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "RuleWhen")]
pub(super) enum WhenFile {
    /// limit: the plan as a whole, whatever the times.
    Always,
    /// gang: all of its tasks start at the same second.
    AsOne,
}

/// How much there may be from a time on.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Later")]
pub(super) struct LaterFile {
    /// From when on.
    pub(super) from: WhenText,
    /// The most on each value.
    pub(super) at_most: Quantity,
}

impl WhenFile {
    /// The word in files.
    pub(super) fn name(self) -> &'static str {
        match self {
            WhenFile::Always => "always",
            WhenFile::AsOne => "as-one",
        }
    }
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
            AskFile::Limit => "limit",
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
    /// The label whose values count; `node`, the default, is the node itself. A limit over nothing
    /// is one on the plan as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) over: Option<String>,
    /// spread: fewest values in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) at_least: Option<u32>,
    /// spread: most values in use; limit: most of the resource on each value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) at_most: Option<Quantity>,
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
    /// limit: the resource whose demands are added up, `tasks` to count tasks, or `moved` to count
    /// those that move in one wave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) resource: Option<String>,
    /// limit: the values of the label that it looks at; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) values: Option<OneOrMany>,
    /// limit: `always` where plans in time keep it as a whole, whatever the times; gang: `as-one`
    /// where in time all of its tasks start at the same second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) when: Option<WhenFile>,
    /// limit: how much there may be from times on; plans without times look at `at_most` alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) later: Vec<LaterFile>,
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

/// A field that is wrong, and why.
type Wrong = (&'static str, String);

fn wrong<T>(field: &'static str, cause: &str) -> Result<T, Wrong> {
    Err((field, cause.to_owned()))
}

impl RuleFile {
    /// The rule in the words of the problem. `Err` has field and cause.
    pub(super) fn draft(self) -> Result<RuleDraft, Wrong> {
        let Some(rule) = self.rule else {
            return wrong("rule", "it does not say gang, together, apart, spread, near or limit");
        };
        let ask = self.ask(rule)?;
        let limit = self.limit(rule)?;
        let as_one = self.when == Some(WhenFile::AsOne);
        if as_one && rule != AskFile::Gang {
            return wrong("when", "only the rule `gang` starts as one");
        }
        let whom = match (self.tasks, self.group, self.each) {
            (Some(tasks), None, None) => Whom::Tasks(tasks.0),
            (None, Some(group), None) => Whom::Group(group),
            (None, None, Some(EachFile::Key)) => Whom::EachKey,
            (None, None, Some(EachFile::Group)) => Whom::EachGroup,
            _ => return wrong("tasks", "name one of `tasks`, `group` and `each`"),
        };
        let near = match (self.near, self.near_group) {
            (Some(tasks), None) => Some(Whom::Tasks(tasks.0)),
            (None, Some(group)) => Some(Whom::Group(group)),
            (None, None) => None,
            _ => return wrong("near", "name one of `near` and `near_group`"),
        };
        let over = match (self.over, rule) {
            (Some(over), AskFile::Limit) if over.is_empty() => {
                return wrong("over", "name a label, or leave it away");
            }
            (None, AskFile::Limit) => String::new(),
            (over, _) => over.unwrap_or_else(|| "node".to_owned()),
        };
        if ask == Ask::Gang && over != "node" {
            return wrong("over", "a gang is not over a label: leave it away");
        }
        let (name, present) = (self.id.map(|id| id.0), self.present.0);
        Ok(RuleDraft { name, ask, over, whom, near, limit, present, as_one })
    }

    /// What it asks, with the fields that belong to it.
    fn ask(&self, rule: AskFile) -> Result<Ask, Wrong> {
        let of_spread = self.at_least.is_some() || self.max_skew.is_some();
        let of_both = self.at_most.is_some() && rule != AskFile::Limit;
        if (of_spread || of_both) && rule != AskFile::Spread {
            return wrong("at_least", "limits on values belong to a spread");
        }
        if !self.present.0.is_empty() && self.max_skew.is_none() {
            return wrong("present", "what is there counts for `max_skew` only");
        }
        let near = self.near.is_some() || self.near_group.is_some();
        Ok(match (rule, near) {
            (AskFile::Gang, false) => Ask::Gang,
            (AskFile::Together, false) => Ask::Together,
            (AskFile::Apart, false) => Ask::Apart,
            (AskFile::Spread, false) => {
                let whole = |most: Quantity| u32::try_from(most.0.at_places(0)?).ok();
                let at_most = match self.at_most.map(whole) {
                    Some(None) => return wrong("at_most", "values are counted: a whole number"),
                    at_most => at_most.flatten(),
                };
                spread(self.at_least, at_most, self.max_skew)
            }
            (AskFile::Near, true) => Ask::Near { others: Vec::new() },
            (AskFile::Limit, false) => Ask::Limit(Limit::default()),
            (AskFile::Near, false) => {
                return wrong("near", "say near whom: `near` or `near_group`");
            }
            (_, true) => return wrong("near", "only the rule `near` has it"),
        })
    }

    /// What a limit counts.
    fn limit(&self, rule: AskFile) -> Result<Option<LimitDraft>, Wrong> {
        let always = self.when == Some(WhenFile::Always);
        if rule != AskFile::Limit {
            let own =
                [self.resource.is_some(), self.values.is_some(), always, !self.later.is_empty()];
            let own = ["resource", "values", "when", "later"].into_iter().zip(own);
            let own = own.into_iter().find(|(_, own)| *own);
            return own.map_or(Ok(None), |(field, _)| wrong(field, "only the rule `limit` has it"));
        }
        let Some(resource) = self.resource.clone() else {
            return wrong("resource", "say what is limited: a resource, or `tasks`");
        };
        let Some(at_most) = self.at_most else {
            return wrong("at_most", "say how much there may be");
        };
        let values = self.values.as_ref().map_or_else(Vec::new, |values| values.0.clone());
        let later = self.later.iter().map(|own| (own.from.0, own.at_most.0)).collect();
        Ok(Some(LimitDraft { resource, values, at_most: at_most.0, later, always }))
    }
}
