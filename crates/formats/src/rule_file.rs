//! Rules as files write them, JSON and tables alike.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::json;

use super::time_file::WhenText;
use super::values::{Id, OneOrMany, Ordered, Quantity};
use model::{Ask, NODE, Over, RULES, RuleDraft, RuleFields, RuleInfo, Whom, WrongField};

/// What a rule asks, by the word for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct AskFile(pub(super) &'static RuleInfo);

impl<'de> Deserialize<'de> for AskFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<AskFile, D::Error> {
        let word = Cow::<str>::deserialize(deserializer)?;
        let known = RULES.into_iter().find(|info| info.name == word);
        known.map(AskFile).ok_or_else(|| {
            let known: Vec<String> = RULES.iter().map(|info| format!("`{}`", info.name)).collect();
            let known = known.join(", ");
            D::Error::custom(format!("unknown variant `{word}`, expected one of {known}"))
        })
    }
}

impl Serialize for AskFile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.name)
    }
}

impl JsonSchema for AskFile {
    fn schema_name() -> Cow<'static, str> {
        "Ask".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let each = RULES
            .map(|info| json!({ "description": info.help, "type": "string", "const": info.name }));
        json_schema!({ "description": "What a rule asks.", "oneOf": each })
    }
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
    /// The rule may be broken: what each breach costs in `soft`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) price: Option<Quantity>,
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

impl SpreadFile {
    pub(super) fn ask(&self) -> Ask {
        Ask::spread(self.at_least, self.at_most, self.max_skew)
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

fn wrong<T>(field: &'static str, cause: &str) -> Result<T, WrongField> {
    Err((field, cause.to_owned()))
}

impl RuleFile {
    /// The rule in the words of the problem. `Err` has field and cause.
    pub(super) fn draft(self) -> Result<RuleDraft, WrongField> {
        let Some(AskFile(rule)) = self.rule else {
            let (last, others) = RULES.split_last().unzip();
            let others: Vec<&str> =
                others.unwrap_or_default().iter().map(|info| info.name).collect();
            let last = last.map_or("", |info| info.name);
            return wrong("rule", &format!("it does not say {} or {last}", others.join(", ")));
        };
        let near = match (self.near, self.near_group) {
            (Some(tasks), None) => Some(Whom::Tasks(tasks.0)),
            (None, Some(group)) => Some(Whom::Group(group)),
            (None, None) => None,
            _ => return wrong("near", "name one of `near` and `near_group`"),
        };
        let fields = RuleFields {
            at_least: self.at_least,
            at_most: self.at_most.map(|most| most.0),
            max_skew: self.max_skew,
            present: self.present.0,
            near,
            resource: self.resource,
            values: self.values.map(|values| values.0),
            later: self.later.iter().map(|own| (own.from.0, own.at_most.0)).collect(),
            always: self.when == Some(WhenFile::Always),
            as_one: self.when == Some(WhenFile::AsOne),
            price: self.price.map(|price| price.0),
        };
        let (ask, limit) = rule.ask(&fields)?;
        let whom = match (self.tasks, self.group, self.each) {
            (Some(tasks), None, None) => Whom::Tasks(tasks.0),
            (None, Some(group), None) => Whom::Group(group),
            (None, None, Some(EachFile::Key)) => Whom::EachKey,
            (None, None, Some(EachFile::Group)) => Whom::EachGroup,
            _ => return wrong("tasks", "name one of `tasks`, `group` and `each`"),
        };
        let over = match (self.over, rule.over) {
            (Some(over), Over::LabelOrPlan) if over.is_empty() => {
                return wrong("over", "name a label, or leave it away");
            }
            (Some(over), Over::Nothing) if over != NODE => {
                let cause = format!("a {} is not over a label: leave it away", rule.name);
                return Err(("over", cause));
            }
            (None, Over::LabelOrPlan) => String::new(),
            (over, _) => over.unwrap_or_else(|| NODE.to_owned()),
        };
        let (name, as_one) = (self.id.map(|id| id.0), fields.as_one);
        let RuleFields { near, present, price, .. } = fields;
        Ok(RuleDraft { name, ask, over, whom, near, limit, present, as_one, price })
    }
}
