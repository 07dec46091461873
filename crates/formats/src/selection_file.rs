//! What tasks ask of labels beside plain requirements: alternatives and preferences, as
//! files write them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::{OneOrMany, Ordered, Quantity};
use model::{Decimal, Preference, Selection};

/// One of several things that will do.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Selection")]
pub(super) struct SelectionFile {
    /// Labels its node must have; for each key one of the values.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    pub(super) requires: Ordered<OneOrMany>,
    /// Labels its node must not have.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    pub(super) avoid: Ordered<OneOrMany>,
}

/// Labels a task would like.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Preference")]
pub(super) struct PreferenceFile {
    /// For each key one of the values; all keys together.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    pub(super) labels: Ordered<OneOrMany>,
    /// Labels that it would rather not have.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    pub(super) avoid: Ordered<OneOrMany>,
    /// What it costs not to have them; 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) weight: Option<Quantity>,
}

/// Keys with values, sorted by key.
pub(super) fn sorted(labels: Ordered<OneOrMany>) -> Vec<(String, Vec<String>)> {
    let mut list: Vec<_> = labels.0.into_iter().map(|(key, values)| (key, values.0)).collect();
    list.sort();
    list
}

impl SelectionFile {
    pub(super) fn draft(self) -> Selection {
        Selection { any_of: sorted(self.requires), none_of: sorted(self.avoid) }
    }
}

impl PreferenceFile {
    pub(super) fn draft(self) -> Preference {
        Preference {
            labels: Selection { any_of: sorted(self.labels), none_of: sorted(self.avoid) },
            weight: self.weight.map_or(Decimal::ONE, |weight| weight.0),
        }
    }
}
