//! What the JSON documents have in common.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use judge::proof::Proof;
use model::{Assumption, CardSet, Instance, TaskId, cards_in};
use plan::solve::{self, Unplaced};

/// Which instance a plan is for.
#[derive(Debug, Serialize, JsonSchema)]
pub struct InstanceRef {
    /// Number of tasks.
    pub tasks: usize,
    /// Number of nodes.
    pub nodes: usize,
    /// Fingerprint of the instance's content.
    pub digest: String,
    /// What its source says and the instance does not: claims are about the instance as read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub assumptions: Vec<AssumptionDoc>,
}

impl InstanceRef {
    /// The instance with this digest.
    pub fn of(instance: &Instance, digest: String) -> InstanceRef {
        let assumptions = instance.assumptions().iter().map(AssumptionDoc::of).collect();
        InstanceRef { tasks: instance.tasks(), nodes: instance.nodes(), digest, assumptions }
    }
}

/// Something that the source says and the instance does not.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AssumptionDoc {
    /// The first object that says it, with its file.
    pub object: String,
    /// The field that says it; empty for the object as a whole.
    pub field: String,
    /// How many say it.
    pub count: usize,
    /// `wider`: the plan may do what the cluster refuses. `narrower`: the plan may refuse, or pay
    /// for, what the cluster allows. `either` of the two.
    pub direction: String,
    /// What is assumed.
    pub note: String,
}

impl AssumptionDoc {
    fn of(assumed: &Assumption) -> AssumptionDoc {
        AssumptionDoc {
            object: assumed.object.clone(),
            field: assumed.field.clone(),
            count: assumed.count,
            direction: assumed.direction.word().to_owned(),
            note: assumed.note.clone(),
        }
    }
}

/// One tier.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TierDoc {
    /// The tier as written.
    pub tier: String,
    /// What the plan achieves.
    pub value: f64,
    /// No plan that keeps the earlier tiers achieves less.
    pub bound: f64,
    /// (value - bound) / |value|.
    pub gap: f64,
    /// Where the bound comes from.
    pub bound_from: String,
}

/// One task without a node.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UnplacedDoc {
    /// Id of the task.
    pub task: String,
    /// Which of a gang's units, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<u32>,
    /// Reason code.
    pub reason: String,
    /// The reason in words.
    pub detail: String,
    /// What could be done about it.
    pub action: String,
}

/// Name and version of the program.
pub(super) fn tool() -> String {
    format!("stowplan {}", env!("CARGO_PKG_VERSION"))
}

/// The id under which a task was given, and which unit of a gang it is.
pub(super) fn job(instance: &Instance, task: TaskId) -> (&str, Option<u32>) {
    (instance.job_name(task), instance.gang_of(task).map(|(_, unit)| unit))
}

/// The numbers of the cards in a set for each resource that comes in cards.
pub(super) fn card_numbers(instance: &Instance, sets: &[CardSet]) -> BTreeMap<String, Vec<u32>> {
    let named = instance.devices().iter().zip(sets).filter_map(|(device, set)| {
        let set = Some(*set).filter(|set| *set != 0)?;
        let numbers = cards_in(set).map(|card| card as u32).collect();
        Some((instance.resources()[device.resource].name.clone(), numbers))
    });
    named.collect()
}

/// Pretty JSON that ends with a line feed. Documents hold only numbers, texts
/// and lists, which always serialise.
pub(super) fn pretty<T: Serialize>(document: &T) -> String {
    let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.push('\n');
    text
}

/// JSON Schema of a document that is written.
pub(super) fn schema_of<T: JsonSchema>() -> serde_json::Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

impl TierDoc {
    /// The document of a tier.
    pub(super) fn of(tier: &Proof) -> TierDoc {
        TierDoc {
            tier: tier.tier.to_string(),
            value: tier.value,
            bound: tier.bound,
            gap: tier.gap,
            bound_from: tier.why.clone(),
        }
    }
}

impl UnplacedDoc {
    /// The document of a task without a node.
    pub(super) fn of(instance: &Instance, unplaced: &Unplaced) -> UnplacedDoc {
        let (name, unit) = job(instance, unplaced.task);
        UnplacedDoc {
            task: name.to_owned(),
            unit,
            reason: unplaced.reason.to_owned(),
            detail: unplaced.detail.clone(),
            action: solve::action(unplaced.reason).to_owned(),
        }
    }
}
