//! The JSON contract: names are fixed, keys are only added.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::json::{InstanceRef, TierDoc, UnplacedDoc, card_numbers, job, pretty, schema_of, tool};
use super::survive::SurvivesDoc;
use super::{ConflictDoc, MovesDoc, Report, TimeDoc};
use judge::metrics::CardFigures;
use model::{Instance, Plan, Scale, TaskId, Term};
use plan::solve::NoPlan;

/// The version of the contract.
const SCHEMA_VERSION: u32 = 1;

/// A plan.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "stowplan plan")]
pub struct PlanDoc {
    /// Version of this contract.
    pub schema_version: u32,
    /// Program and version.
    pub tool: String,
    /// What was planned.
    pub instance: InstanceRef,
    /// The method asked for.
    pub method: String,
    /// Seed of everything random.
    pub seed: u64,
    /// `optimal`: every tier is proven; `feasible`: see the gaps.
    pub status: String,
    /// What found the plan.
    pub found_by: String,
    /// Tiers of the goal, most important first.
    pub goal: Vec<TierDoc>,
    /// Placements in instance order.
    pub assignments: Vec<AssignmentDoc>,
    /// Tasks without a node.
    pub unplaced: Vec<UnplacedDoc>,
    /// What the plan has in hand for failures; with `--survive` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub survives: Option<SurvivesDoc>,
    /// Figures of the plan. With goals about time loads are each node's highest at any instant.
    pub metrics: MetricsDoc,
    /// What happens when; with goals about time only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<TimeDoc>,
    /// From where tasks run today to this plan; with `replan` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moves: Option<MovesDoc>,
    /// What a person should know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What changes from run to run; with `--timing` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timing: Option<TimingDoc>,
}

/// One placement.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AssignmentDoc {
    /// Id of the task.
    pub task: String,
    /// Which of a gang's units, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<u32>,
    /// Id of the node.
    pub node: String,
    /// The cards it has there, per resource that comes in cards.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub devices: BTreeMap<String, Vec<u32>>,
    /// Its start in seconds from that of the plan; with goals about time only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<i64>,
    /// Its end, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<i64>,
    /// Where it goes when its node fails, room for it being kept; only where it asks for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standby: Option<StandbyDoc>,
}

/// A task's standby.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StandbyDoc {
    /// Id of the node.
    pub node: String,
    /// The cards kept for it there, per resource that comes in cards.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub devices: BTreeMap<String, Vec<u32>>,
}

/// Figures of a plan; utilisations are fractions of capacity.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MetricsDoc {
    /// Highest utilisation of any node in any resource.
    pub peak: f64,
    /// Mean over highest node utilisation.
    pub utilisation: f64,
    /// Load over capacity of the whole cluster, per resource.
    pub utilisation_by_resource: BTreeMap<String, f64>,
    /// Variance of node utilisation.
    pub balance_degree: f64,
    /// The same per resource.
    pub balance_degree_by_resource: BTreeMap<String, f64>,
    /// Square root of the balance degree.
    pub standard_deviation: f64,
    /// Standard deviation over mean.
    pub coefficient_of_variation: f64,
    /// Highest over mean node utilisation.
    pub max_over_mean: f64,
    /// Jain's fairness index.
    pub jain: f64,
    /// Nodes with at least one task.
    pub nodes_used: usize,
    /// Cost of placements plus the price of used nodes.
    pub cost: f64,
    /// What soft rules cost that are not kept.
    pub soft: f64,
    /// Tasks that are placed off the node where they run now; absent where that does not matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved: Option<usize>,
    /// The node and resource that are overloaded most often; where demands vary only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overload: Option<OverloadDoc>,
    /// What is left of resources that come in cards.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub devices: BTreeMap<String, CardsDoc>,
    /// Per node, in instance order.
    pub nodes: Vec<NodeDoc>,
}

/// What is left of one resource's cards, as shares of all cards.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CardsDoc {
    /// Free.
    pub unallocated: f64,
    /// Free, and of no use to a task of the instance's own mix, in the mean.
    pub fragmented: f64,
}

/// The likeliest overload.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OverloadDoc {
    /// Id of the node.
    pub node: String,
    /// The resource.
    pub resource: String,
    /// Chance that the load exceeds what the plan may fill, loads taken for normal.
    pub chance: f64,
}

/// Figures of a node.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NodeDoc {
    /// Id of the node.
    pub node: String,
    /// Tasks of the plan on it.
    pub tasks: usize,
    /// Load per resource, existing load included.
    #[schemars(with = "BTreeMap<String, f64>")]
    pub load: BTreeMap<String, serde_json::Number>,
    /// Load over capacity per resource; resources of capacity 0 are left out.
    pub utilisation: BTreeMap<String, f64>,
    /// The node's utilisation over the highest of all nodes.
    pub relative_utilisation: f64,
    /// Weighted load; with `--weights` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weighted_load: Option<f64>,
}

/// What changes from run to run.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TimingDoc {
    /// Wall-clock seconds from instance to plan.
    pub seconds: f64,
}

/// The answer when there is no plan.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NoPlanDoc {
    /// Version of this contract.
    pub schema_version: u32,
    /// Program and version.
    pub tool: String,
    /// What was to be planned.
    pub instance: InstanceRef,
    /// The method asked for.
    pub method: String,
    /// `infeasible`: proven; `unknown`: none was found, or none exists for the instance as read and
    /// the cluster may allow more.
    pub status: String,
    /// Why.
    pub reason: ReasonDoc,
    /// What contradicts what, and what would help; where that was found out.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub why: Option<ConflictDoc>,
}

/// Why there is no plan.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ReasonDoc {
    /// Reason code.
    pub code: String,
    /// The reason in words.
    pub detail: String,
    /// What to do about it.
    pub remedy: String,
}

/// A whole number where the quantity is one.
fn exact(scale: Scale, value: i64) -> serde_json::Number {
    let number = scale.to_f64(value);
    let whole = (number == number.trunc() && number.abs() < 9e15).then(|| (number as i64).into());
    whole.or_else(|| serde_json::Number::from_f64(number)).unwrap_or_else(|| 0.into())
}

impl PlanDoc {
    /// The document of a report.
    pub fn of(report: &Report) -> PlanDoc {
        let (instance, outcome) = (report.instance, report.outcome);
        PlanDoc {
            schema_version: SCHEMA_VERSION,
            tool: tool(),
            instance: InstanceRef::of(instance, report.digest.clone()),
            method: outcome.method.clone(),
            seed: outcome.seed,
            status: report.status().to_owned(),
            found_by: outcome.found_by.clone(),
            goal: outcome.goal.iter().map(TierDoc::of).collect(),
            assignments: outcome
                .plan
                .placements()
                .map(|(task, node)| {
                    let (name, unit) = job(instance, task);
                    AssignmentDoc {
                        task: name.to_owned(),
                        unit,
                        node: instance.node_name(node).to_owned(),
                        devices: cards(instance, &outcome.plan, task),
                        standby: outcome.standby(task).map(|standby| StandbyDoc {
                            node: instance.node_name(standby.node).to_owned(),
                            devices: card_numbers(instance, &standby.cards),
                        }),
                        start: report.schedule.as_ref().and_then(|s| s.start[task.index()]),
                        end: report.schedule.as_ref().and_then(|s| s.end(instance, task)),
                    }
                })
                .collect(),
            unplaced: (outcome.unplaced.iter())
                .map(|unplaced| UnplacedDoc::of(instance, unplaced))
                .collect(),
            survives: (outcome.survives.as_ref())
                .map(|survives| SurvivesDoc::of(instance, &outcome.plan, survives)),
            metrics: metrics(report),
            time: report.schedule.as_ref().map(|s| TimeDoc::of(instance, s)),
            moves: report.moves.map(|order| MovesDoc::of(instance, order)),
            notes: outcome.notes.clone(),
            timing: report.timing.then_some(TimingDoc { seconds: outcome.elapsed.as_secs_f64() }),
        }
    }
}

/// The numbers of the cards that a task has, by resource.
pub(super) fn cards(instance: &Instance, plan: &Plan, task: TaskId) -> BTreeMap<String, Vec<u32>> {
    let many = instance.devices().len();
    let row = plan.cards.get(many * task.index()..many * (task.index() + 1));
    card_numbers(instance, row.unwrap_or_default())
}

fn metrics(report: &Report) -> MetricsDoc {
    let (instance, m) = (report.instance, &report.metrics);
    let names = || instance.resources().iter().map(|resource| resource.name.clone());
    let nodes = instance.node_ids().map(|node| {
        let figures = &m.nodes[node.index()];
        let load = instance.resources().iter().zip(&figures.load);
        let utilisation = names().zip(&figures.utilisation);
        NodeDoc {
            node: instance.node_name(node).to_owned(),
            tasks: figures.tasks,
            load: load.map(|(r, load)| (r.name.clone(), exact(r.scale, *load))).collect(),
            utilisation: utilisation.filter_map(|(name, u)| Some((name, (*u)?))).collect(),
            relative_utilisation: figures.relative,
            weighted_load: report.weights.map(|_| figures.weighted),
        }
    });
    MetricsDoc {
        peak: m.peak,
        utilisation: m.utilisation,
        utilisation_by_resource: names()
            .zip(&m.cluster_utilisation)
            .filter_map(|(name, u)| Some((name, (*u)?)))
            .collect(),
        balance_degree: m.balance_degree,
        balance_degree_by_resource: names().zip(m.balance_by_resource.iter().copied()).collect(),
        standard_deviation: m.standard_deviation,
        coefficient_of_variation: m.coefficient_of_variation,
        max_over_mean: m.max_over_mean,
        jain: m.jain,
        nodes_used: m.nodes_used,
        cost: instance.cost_scale().to_f64(m.sum(Term::Cost)),
        soft: instance.soft_scale().to_f64(m.sum(Term::Soft)),
        moved: instance.current_matters().then_some(m.sum(Term::Moved) as usize),
        overload: m.overload.map(|worst| OverloadDoc {
            node: instance.node_name(worst.node).to_owned(),
            resource: instance.resources()[worst.resource].name.clone(),
            chance: worst.chance,
        }),
        devices: m
            .cards
            .iter()
            .map(|figures| {
                let name = instance.resources()[figures.resource].name.clone();
                let CardFigures { unallocated, fragmented, .. } = *figures;
                (name, CardsDoc { unallocated, fragmented })
            })
            .collect(),
        nodes: nodes.collect(),
    }
}

/// The plan as JSON.
pub fn plan_json(report: &Report) -> String {
    pretty(&PlanDoc::of(report))
}

/// The refusal as JSON.
pub fn no_plan_json(
    instance: &Instance,
    digest: String,
    method: &str,
    no_plan: &NoPlan,
    why: Option<ConflictDoc>,
) -> String {
    pretty(&NoPlanDoc {
        schema_version: SCHEMA_VERSION,
        tool: tool(),
        instance: InstanceRef::of(instance, digest),
        method: method.to_owned(),
        status: if no_plan.holds(instance) { "infeasible" } else { "unknown" }.to_owned(),
        reason: ReasonDoc {
            code: no_plan.code.to_owned(),
            detail: no_plan.cause.clone(),
            remedy: no_plan.remedy.clone(),
        },
        why,
    })
}

/// JSON Schema of a plan.
pub fn plan_schema() -> serde_json::Value {
    schema_of::<PlanDoc>()
}
