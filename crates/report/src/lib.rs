//! What people and scripts read: one document, built once, and a small
//! exporter a form.

mod axis;
mod comparison;
mod csv;
mod ending;
mod explain;
mod html;
mod json;
mod kubectl;
mod lesson;
mod markdown;
mod moves;
mod number;
mod plan_csv;
mod plan_json;
mod plan_markdown;
mod plan_table;
mod shown;
mod survive;
mod sweep;
mod table;
mod time;
mod units;
mod verdict;
mod whatif;

pub use comparison::{comparison_csv, comparison_json, comparison_markdown, comparison_table};
pub use explain::{
    ConflictDoc, ElementDoc, RepairDoc, infeasible_json, infeasible_text, plan_why_json,
    plan_why_text, task_json, task_text,
};
pub use html::{comparison_html, no_plan_html, plan_html, what_if_html};
pub use kubectl::kubectl_script;
pub use lesson::{lesson_csv, lesson_json, lesson_markdown, lesson_table};
pub use moves::{
    MovesDoc, frontier_csv, frontier_json, frontier_markdown, frontier_svg, frontier_table,
    moves_csv,
};
pub use plan_csv::plan_csv;
pub use plan_json::{NoPlanDoc, PlanDoc, no_plan_json, plan_json, plan_schema};
pub use plan_markdown::plan_markdown;
pub use plan_table::plan_table;
pub use shown::{escaped, visible};
pub use survive::{
    SurvivalDoc, SurvivalReport, SurvivesDoc, survival_csv, survival_json, survival_markdown,
    survival_schema, survival_table,
};
pub use sweep::{sweep_csv, sweep_json, sweep_markdown, sweep_table};
pub use time::{LinkDoc, RunDoc, TimeDoc, TimelineDoc, gantt_svg, gantt_text};
pub use verdict::{VerdictDoc, verdict_json, verdict_schema};
pub use whatif::{Named, what_if_csv, what_if_json, what_if_markdown, what_if_table};

use judge::metrics::{Metrics, card_figures, worst_overload};
use judge::proof::Proof;
use model::{Instance, ResourceWeights, Schedule};
use plan::replan::Order;
use plan::solve::Outcome;

/// Columns and rows up to which the allocation matrix is shown unasked.
pub const MATRIX_NODES: usize = 30;
/// See [`MATRIX_NODES`].
pub const MATRIX_TASKS: usize = 60;

/// Value, bound and gap of the first tier that is not proven, or of the last one.
pub fn standing(goal: &[Proof]) -> String {
    let open = goal.iter().find(|tier| tier.gap > 0.0).or(goal.last());
    open.map_or_else(String::new, |tier| {
        let (value, gap) = (number::tier(&tier.tier, tier.value), number::percent(tier.gap));
        let bound = number::tier_value(&tier.tier, tier.bound);
        format!("{value} · bound {bound} · gap {gap}")
    })
}

/// Priorities of which each is told what is left out of it.
const PRIORITIES: usize = 8;

/// Standbys listed for people, unless everything is insisted on.
const STANDBYS: usize = 12;

/// Whether nothing is known but that values are not negative.
fn is_useless(tier: &Proof) -> bool {
    tier.gap > 0.0 && tier.bound <= 0.0
}

/// How far a tier is from what is proven, in words.
fn gap(tier: &Proof) -> String {
    match tier.gap == 0.0 {
        true => "proven".to_owned(),
        false if is_useless(tier) => "distance to the optimum unknown".to_owned(),
        false => format!("gap {}", number::percent(tier.gap)),
    }
}

/// Everything the exporters draw on.
pub struct Report<'a> {
    /// The problem.
    pub instance: &'a Instance,
    /// The answer.
    pub outcome: &'a Outcome,
    /// Its figures.
    pub metrics: Metrics,
    /// The plan in time, where its goal is about time.
    pub schedule: Option<Schedule>,
    /// Fingerprint of the instance.
    pub digest: String,
    /// Weights of the weighted load, when asked for.
    pub weights: Option<&'a ResourceWeights>,
    /// The way from where tasks run today, where that was asked for.
    pub moves: Option<&'a Order>,
    /// What people call the instance, such as its file's name.
    pub name: Option<String>,
    /// Show the matrix however large it is.
    pub matrix: bool,
    /// Show what changes from run to run.
    pub timing: bool,
    /// Columns that a line may take; `None` where nothing limits them.
    pub width: Option<usize>,
}

impl<'a> Report<'a> {
    /// A report with everything optional left out.
    pub fn new(
        instance: &'a Instance,
        outcome: &'a Outcome,
        digest: String,
        weights: Option<&'a ResourceWeights>,
    ) -> Report<'a> {
        let schedule = (!outcome.start.is_empty())
            .then(|| Schedule { plan: outcome.plan.clone(), start: outcome.start.clone() });
        let metrics = match &schedule {
            Some(schedule) => Metrics::in_time(instance, schedule, weights),
            None => Metrics {
                cards: card_figures(instance, &outcome.plan),
                overload: worst_overload(instance, &outcome.plan),
                ..Metrics::of(instance, &outcome.plan, weights)
            },
        };
        Report {
            instance,
            outcome,
            metrics,
            schedule,
            digest,
            weights,
            moves: None,
            name: None,
            matrix: false,
            timing: false,
            width: None,
        }
    }

    /// Whether the allocation matrix is small enough to read, or insisted on.
    fn shows_matrix(&self) -> bool {
        let small = self.instance.nodes() <= MATRIX_NODES && self.instance.tasks() <= MATRIX_TASKS;
        small || self.matrix
    }

    fn fits(&self, columns: usize) -> bool {
        self.width.is_none_or(|width| columns <= width)
    }

    fn status(&self) -> &'static str {
        if self.outcome.optimal { "optimal" } else { "feasible" }
    }

    /// How many priorities are too many for what is left out of each to be told, and the tiers that
    /// are.
    fn listed(&self) -> (usize, &[Proof]) {
        let of_priority =
            |tier: &&Proof| matches!(tier.tier.only(), Some(model::Term::Unplaced(Some(_))));
        let goal = &self.outcome.goal;
        let count = goal.iter().take_while(of_priority).count();
        let folded = if count > PRIORITIES { count } else { 0 };
        (folded, &goal[folded..])
    }

    /// "3 of 3 tasks placed on 4 nodes", the proof, and the goal's values.
    fn headline(&self) -> String {
        let placed = self.outcome.plan.placed();
        let mut parts = vec![format!(
            "Plan: {placed} of {} tasks placed on {} of {} nodes",
            number::grouped(self.instance.tasks()),
            number::grouped(self.metrics.nodes_used),
            number::grouped(self.instance.nodes()),
        )];
        let assumed = self.instance.assumptions().len();
        parts.push(if self.outcome.optimal {
            let read = if assumed > 0 { " as read" } else { "" };
            format!("optimal{read} (gap 0 %)")
        } else {
            let worst = self.outcome.goal.iter().find(|tier| tier.gap > 0.0);
            worst.map_or_else(|| "feasible".to_owned(), |tier| format!("feasible ({})", gap(tier)))
        });
        if assumed > 0 {
            parts.push(format!("{assumed} assumption{}", if assumed > 1 { "s" } else { "" }));
        }
        let (folded, listed) = self.listed();
        if folded > 0 {
            let (left, all) = (number::grouped(self.metrics.unplaced), number::grouped(folded));
            parts.push(format!("{left} left out, fewest of each of {all} priorities in turn"));
        }
        parts.extend(listed.iter().map(|tier| number::tier(&tier.tier, tier.value)));
        if self.timing {
            parts.push(format!("{:.2} s", self.outcome.elapsed.as_secs_f64()));
        }
        parts.join(" · ")
    }

    /// Where each tier's bound comes from and what found the plan.
    fn provenance(&self) -> Vec<String> {
        let outcome = self.outcome;
        let (_, listed) = self.listed();
        let mut lines: Vec<String> = listed
            .iter()
            .map(|tier| {
                let bound = number::tier(&tier.tier, tier.bound);
                match is_useless(tier) {
                    true => format!("no useful bound on {}: {}", tier.tier, gap(tier)),
                    false => format!("bound: {bound} from {} ({})", tier.why, gap(tier)),
                }
            })
            .collect();
        lines.extend(outcome.survives.as_ref().map(|survives| {
            let (many, over) = (number::grouped(survives.fallbacks.len()), &survives.over);
            format!("survives each of {many} failures of {over}: --output json has the fallbacks")
        }));
        lines.extend(self.standby_line());
        lines.push(format!(
            "method {}: found by {}, seed {}",
            outcome.method, outcome.found_by, outcome.seed
        ));
        lines
    }

    /// Where tasks go when their nodes fail, of those that have a standby.
    fn standby_line(&self) -> Option<String> {
        let standbys = &self.outcome.standbys;
        let listed = if self.matrix { standbys.len() } else { STANDBYS.min(standbys.len()) };
        let each = standbys[..listed].iter().map(|standby| {
            let task = self.instance.task_name(standby.task);
            format!("{task} → {}", self.instance.node_name(standby.node))
        });
        let each = each.collect::<Vec<_>>().join(", ");
        let more = match standbys.len() - listed {
            0 => String::new(),
            more => format!(" and {} more", number::grouped(more)),
        };
        (!standbys.is_empty()).then(|| format!("standbys: {each}{more}"))
    }

    /// The chance of the likeliest overload, where demands vary.
    fn overload_line(&self) -> Option<String> {
        let worst = self.metrics.overload?;
        let asked = match self.instance.risk() {
            Some(risk) => {
                let whatever = if risk.any() { " whatever the distribution" } else { "" };
                format!("{} asked{whatever}", number::percent(risk.chance().to_f64()))
            }
            None => "no --risk asked".to_owned(),
        };
        Some(format!(
            "overload: {} at most, {} of {} (loads taken for normal; {asked})",
            number::percent(worst.chance),
            self.instance.resources()[worst.resource].name,
            self.instance.node_name(worst.node),
        ))
    }

    /// What is left of resources that come in cards and how likely an overload is, a line each.
    fn further_lines(&self) -> Vec<String> {
        let figures = self.metrics.cards.iter();
        figures
            .map(|left| {
                format!(
                    "{} cards: {} unallocated, {} fragmented for the mix of these tasks",
                    self.instance.resources()[left.resource].name,
                    number::percent(left.unallocated),
                    number::percent(left.fragmented),
                )
            })
            .chain(self.overload_line())
            .collect()
    }

    fn balance_line(&self) -> String {
        let m = &self.metrics;
        format!(
            "balance degree {} (variance of node utilisation) · utilisation {:.4} · Jain {:.4} · max/mean {:.3}",
            number::small(m.balance_degree),
            m.utilisation,
            m.jain,
            m.max_over_mean
        )
    }
}
