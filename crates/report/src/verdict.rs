//! What `check` finds, for scripts.

use schemars::JsonSchema;
use serde::Serialize;

use super::json::{self, InstanceRef};
use judge::check::Verdict;
use model::Instance;

/// What the checker says of a plan.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "stowplan verdict")]
pub struct VerdictDoc {
    /// Version of this contract.
    schema_version: u32,
    /// What the plan is for, with what was assumed about it.
    instance: InstanceRef,
    /// `ok`, or `violations` where there are any.
    status: &'static str,
    /// Tasks with a node.
    placed: usize,
    /// The tiers that the plan states, or the instance's, as recomputed.
    goal: Vec<TierDoc>,
    /// Everything that is wrong.
    violations: Vec<ViolationDoc>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct TierDoc {
    tier: String,
    value: f64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ViolationDoc {
    /// Which sort of fault.
    code: String,
    /// In words.
    detail: String,
}

/// The verdict as JSON; `digest` is the instance's.
pub fn verdict_json(instance: &Instance, digest: String, verdict: &Verdict) -> String {
    let violations = verdict.violations.iter().map(|violation| ViolationDoc {
        code: violation.code().to_owned(),
        detail: violation.to_string(),
    });
    let tier =
        |value: &model::TierValue| TierDoc { tier: value.tier.to_string(), value: value.value };
    json::pretty(&VerdictDoc {
        schema_version: 1,
        instance: InstanceRef::of(instance, digest),
        status: if verdict.violations.is_empty() { "ok" } else { "violations" },
        placed: verdict.plan.placed(),
        goal: verdict.values.iter().map(tier).collect(),
        violations: violations.collect(),
    })
}

/// JSON Schema of the verdict.
pub fn verdict_schema() -> serde_json::Value {
    json::schema_of::<VerdictDoc>()
}
