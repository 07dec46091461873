//! Pairs, routes and room ratios as JSON has them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::{Id, Ordered, Quantity, Seconds};
use model::{Decimal, RouteDraft};

/// What one task costs and needs on one node.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Pair")]
pub(super) struct PairFile {
    /// Id of the task.
    pub(super) task: Id,
    /// Id of the node.
    pub(super) node: Id,
    /// Cost of the placement, when it is not the node's hourly price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cost: Option<Quantity>,
    /// Amounts that differ from the task's demand.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    pub(super) demand: Ordered<Quantity>,
    /// How long the task runs there, when it is not its duration over the node's speed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) duration: Option<Seconds>,
}

/// What moving a task from one node to another costs.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Route")]
pub(super) struct RouteFile {
    /// Id of the node that is left.
    pub(super) from: Id,
    /// Id of the node that is gone to.
    pub(super) to: Id,
    /// Added to the task's `move_cost`.
    pub(super) cost: Quantity,
}

/// Room that should be free beside other room, on every node that is ready.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Ratio")]
pub(super) struct RatioFile {
    /// For each free unit of this resource ...
    pub(super) room: String,
    /// ... there should be `ratio` free units of this one.
    pub(super) with: String,
    /// How many; 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ratio: Option<Quantity>,
    /// Price of each unit that is missing, in the goal `soft`; 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) price: Option<Quantity>,
}

impl RouteFile {
    pub(super) fn draft(self) -> RouteDraft {
        RouteDraft { from: self.from.0, to: self.to.0, cost: self.cost.0 }
    }
}

/// What was left away, or written.
pub(super) fn or_one(quantity: Option<Quantity>) -> Decimal {
    quantity.map_or(Decimal::ONE, |quantity| quantity.0)
}

/// What can be left away.
pub(super) fn unless_one(value: Decimal) -> Option<Quantity> {
    Some(value).filter(|value| *value != Decimal::ONE).map(Quantity)
}
