//! What becomes of a plan when nodes fail: a row a failure, as a table, JSON, CSV
//! and Markdown.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::json::{InstanceRef, UnplacedDoc, card_numbers, job, tool};
use super::table::{bare, indented, right};
use super::{csv, json, markdown, number};
use formats::guarded;
use model::{Fallback, Instance, Plan, Survives, TierValue};
use plan::survive::{Failure, Fate, Question, Survival};

/// Failures listed for people, unless they ask for more.
const LISTED: usize = 20;
/// Tasks named in one cell.
const NAMES: usize = 4;

/// What the exporters draw on.
pub struct SurvivalReport<'a> {
    /// The problem.
    pub instance: &'a Instance,
    /// The plan in question.
    pub plan: &'a Plan,
    /// What was asked.
    pub question: &'a Question,
    /// What failed together: `node`, or a label.
    pub over: &'a str,
    /// The answer.
    pub survival: &'a Survival,
    /// Fingerprint of the instance.
    pub digest: String,
    /// Failures listed, the worst first; by default 20 for people and all for programs.
    pub worst: Option<usize>,
}

/// What becomes of a plan when nodes fail.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "stowplan survival")]
pub struct SurvivalDoc {
    /// Version of this contract.
    pub schema_version: u32,
    /// Program and version.
    pub tool: String,
    /// What was planned.
    pub instance: InstanceRef,
    /// What fails as one: `node`, or a label.
    pub fail: String,
    /// How many of them fail at once, at most.
    pub depth: usize,
    /// Tasks on nodes that did not fail may move too.
    pub rearrange: bool,
    /// How the failures end.
    pub counts: CountsDoc,
    /// The goal's tiers before any failure.
    pub goal: Vec<ValueDoc>,
    /// The worst first.
    pub failures: Vec<FailureDoc>,
}

/// How many failures end how.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CountsDoc {
    /// All there are.
    pub failures: usize,
    /// Every displaced task has a place.
    pub survived: usize,
    /// Some tasks have no place; proven.
    pub lost: usize,
    /// Looked at, and neither was found out.
    pub unknown: usize,
    /// Not looked at: time ran out.
    pub unexamined: usize,
}

/// A tier's value.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ValueDoc {
    /// The tier as written.
    pub tier: String,
    /// Its value.
    pub value: f64,
}

/// One failure.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FailureDoc {
    /// The nodes, or values of the label, that fail.
    pub fail: Vec<String>,
    /// `survived`, `lost` (proven) or `unknown`.
    pub outcome: String,
    /// Tasks of the plan that lose their node.
    pub displaced: usize,
    /// Why some tasks have no place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<ProofDoc>,
    /// Tasks that the fallback leaves out.
    pub lost: Vec<UnplacedDoc>,
    /// Proven: no fallback leaves out less, by priority and then by weight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub least: Option<bool>,
    /// The goal's tiers with the fallback; empty where time ran out.
    pub goal: Vec<ValueDoc>,
    /// The fallback: every task that changes its node.
    pub fallback: Vec<PlaceDoc>,
}

/// Why some tasks have no place.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ProofDoc {
    /// Reason code.
    pub code: String,
    /// In words.
    pub detail: String,
}

/// Where a task goes after a failure.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PlaceDoc {
    /// Id of the task.
    pub task: String,
    /// Which of a gang's units, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<u32>,
    /// Its node in the plan.
    pub from: String,
    /// Its fallback node.
    pub to: String,
    /// The cards it has there, per resource that comes in cards; absent where others move too,
    /// because then cards are dealt out anew.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub devices: BTreeMap<String, Vec<u32>>,
}

/// What a plan has in hand for failures.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SurvivesDoc {
    /// What fails as one: `node`, or a label.
    pub fail: String,
    /// Every failure there is.
    pub failures: Vec<FallbackDoc>,
}

/// What a plan has in hand for one failure.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FallbackDoc {
    /// The node, or the value of the label, that fails.
    pub fail: Vec<String>,
    /// Where its tasks go.
    pub fallback: Vec<PlaceDoc>,
}

impl SurvivesDoc {
    /// The document of a plan's fallbacks.
    pub(super) fn of(instance: &Instance, plan: &Plan, survives: &Survives) -> SurvivesDoc {
        let failure = |(fail, moves): &(String, Vec<Fallback>)| FallbackDoc {
            fail: vec![fail.clone()],
            fallback: moves.iter().map(|step| PlaceDoc::of(instance, plan, step)).collect(),
        };
        SurvivesDoc {
            fail: survives.over.clone(),
            failures: survives.fallbacks.iter().map(failure).collect(),
        }
    }
}

impl PlaceDoc {
    fn of(instance: &Instance, plan: &Plan, step: &Fallback) -> PlaceDoc {
        let (name, unit) = job(instance, step.task);
        let home = plan.placement[step.task.index()];
        PlaceDoc {
            task: name.to_owned(),
            unit,
            from: home.map_or_else(String::new, |node| instance.node_name(node).to_owned()),
            to: instance.node_name(step.node).to_owned(),
            devices: card_numbers(instance, &step.cards),
        }
    }
}

impl SurvivalReport<'_> {
    fn listed(&self, default: usize) -> &[Failure] {
        let failures = &self.survival.failures;
        &failures[..self.worst.unwrap_or(default).min(failures.len())]
    }

    fn names(&self, failure: &Failure) -> Vec<&str> {
        failure.domains.iter().map(|at| &*self.question.domains[*at].name).collect()
    }

    fn counts(&self) -> CountsDoc {
        let survival = self.survival;
        CountsDoc {
            failures: self.question.failures(),
            survived: survival.count(Fate::Survived),
            lost: survival.count(Fate::Lost),
            unknown: survival.count(Fate::Unknown),
            unexamined: survival.unexamined,
        }
    }

    /// "5 failures of a node: 4 survived, 1 not"
    fn headline(&self) -> String {
        let counts = self.counts();
        let at_once = if self.question.depth > 1 { ", two at once included" } else { "" };
        let mut parts = vec![format!("{} survived", number::grouped(counts.survived))];
        let more = [
            (counts.lost, "not (proven)"),
            (counts.unknown, "unknown"),
            (counts.unexamined, "not looked at, time ran out"),
        ];
        let more = more.iter().filter(|(count, _)| *count > 0);
        parts.extend(more.map(|(count, words)| format!("{} {words}", number::grouped(*count))));
        let s = if counts.failures == 1 { "" } else { "s" };
        let over = self.over;
        format!(
            "{} failure{s} of {over}{at_once}: {}",
            number::grouped(counts.failures),
            parts.join(", ")
        )
    }

    /// What stays out, in words: "all placed", or a line for each failure that is not survived.
    fn reasons(&self) -> Vec<String> {
        let lost = self.listed(LISTED).iter().filter(|failure| failure.fate != Fate::Survived);
        let line = |failure: &Failure| {
            let names: Vec<&str> =
                failure.lost.iter().map(|lost| self.instance.task_name(lost.task)).collect();
            let least = if failure.least { ", the least there is" } else { "" };
            let out = if names.is_empty() {
                String::new()
            } else {
                format!("; left out: {}{least}", some(&names))
            };
            let why = match &failure.proof {
                Some(loss) => loss.words(),
                None => "no fallback was found in time, and none was proven impossible",
            };
            format!("{}: {why}{out}", self.names(failure).join(" + "))
        };
        lost.map(line).collect()
    }

    fn header(&self) -> Vec<String> {
        let mut header: Vec<String> =
            ["failure", "outcome", "tasks", "lost"].map(str::to_owned).to_vec();
        header.extend(self.survival.before.iter().map(|tier| tier.tier.to_string()));
        header.push("fallback".to_owned());
        header
    }

    fn tiers(&self, goal: Option<&Vec<TierValue>>) -> Vec<String> {
        let value = |k: usize| {
            let tier = goal.and_then(|goal| goal.get(k));
            tier.map_or("-".to_owned(), |tier| number::tier_value(&tier.tier, tier.value))
        };
        (0..self.survival.before.len()).map(value).collect()
    }

    /// Cells for people: the plan as it is first.
    fn rows(&self) -> Vec<Vec<String>> {
        let mut rows = vec![["none", "", "", ""].map(str::to_owned).to_vec()];
        rows[0].extend(self.tiers(Some(&self.survival.before)));
        rows[0].push(String::new());
        for failure in self.listed(LISTED) {
            let steps = failure.moves.iter().map(|step| {
                let (task, node) = (step.task, step.node);
                format!("{} → {}", self.instance.task_name(task), self.instance.node_name(node))
            });
            let steps: Vec<String> = steps.collect();
            let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
            let mut row = vec![
                self.names(failure).join(" + "),
                outcome(failure).to_owned(),
                number::grouped(failure.displaced.len()),
                number::grouped(failure.lost.len()),
            ];
            row.extend(self.tiers(failure.goal.as_ref()));
            row.push(some(&steps));
            rows.push(row);
        }
        rows
    }

    fn hidden(&self) -> Option<String> {
        let hidden = self.survival.failures.len() - self.listed(LISTED).len();
        let words = "failures that are less bad (--worst N lists more, json and csv have all)";
        (hidden > 0).then(|| format!("... and {} {words}", number::grouped(hidden)))
    }
}

/// The first few of a list.
fn some(names: &[&str]) -> String {
    let more = match names.len().saturating_sub(NAMES) {
        0 => String::new(),
        more => format!(" and {} more", number::grouped(more)),
    };
    format!("{}{more}", names[..names.len().min(NAMES)].join(", "))
}

fn outcome(failure: &Failure) -> &'static str {
    match failure.fate {
        Fate::Survived => "survived",
        Fate::Lost => "lost",
        Fate::Unknown => "unknown",
    }
}

/// The answer for a terminal.
pub fn survival_table(report: &SurvivalReport) -> String {
    let mut table = bare();
    table.set_header(report.header());
    report.rows().into_iter().for_each(|row| {
        table.add_row(row);
    });
    right(&mut table, 2..report.header().len() - 1);
    let mut text = format!("{}\n\n{}", report.headline(), indented(&table));
    report.hidden().iter().for_each(|line| text.push_str(&format!("  {line}\n")));
    let reasons = report.reasons();
    if !reasons.is_empty() {
        text.push('\n');
        reasons.iter().for_each(|line| text.push_str(&format!("  {line}\n")));
    }
    text
}

/// The answer for issues and wikis.
pub fn survival_markdown(report: &SurvivalReport) -> String {
    let rows = report.rows().into_iter();
    let rows = rows.map(|row| row.iter().map(|cell| markdown::cell(cell)).collect());
    let table = markdown::table(&report.header(), rows);
    let mut text = format!("**{}**\n\n{table}\n", markdown::cell(&report.headline()));
    for line in report.hidden().into_iter().chain(report.reasons()) {
        text.push_str(&format!("- {}\n", markdown::cell(&line)));
    }
    text
}

/// A row a failure: full precision, the goal's first tier only; for further tiers use JSON.
pub fn survival_csv(report: &SurvivalReport) -> String {
    let header = [
        "failure",
        "outcome",
        "displaced",
        "lost",
        "least",
        "reason",
        "detail",
        "tier",
        "value",
        "left_out",
        "fallback",
    ];
    let instance = report.instance;
    let body = report.listed(usize::MAX).iter().map(|failure| {
        let first = failure.goal.as_ref().and_then(|goal| goal.first());
        let (code, words) =
            failure.proof.as_ref().map_or(("", ""), |loss| (loss.code(), loss.words()));
        let lost = failure.lost.iter().map(|lost| instance.task_name(lost.task));
        let steps = failure.moves.iter().map(|step| {
            format!("{}={}", instance.task_name(step.task), instance.node_name(step.node))
        });
        [
            guarded(&report.names(failure).join("|")),
            outcome(failure).to_owned(),
            failure.displaced.len().to_string(),
            failure.lost.len().to_string(),
            if failure.lost.is_empty() { String::new() } else { failure.least.to_string() },
            code.to_owned(),
            guarded(words),
            first.map_or(String::new(), |tier| tier.tier.to_string()),
            first.map_or(String::new(), |tier| tier.value.to_string()),
            guarded(&lost.collect::<Vec<_>>().join("|")),
            guarded(&steps.collect::<Vec<_>>().join(";")),
        ]
    });
    csv::rows(std::iter::once(header.map(str::to_owned)).chain(body))
}

impl SurvivalDoc {
    /// The document of a report.
    pub fn of(report: &SurvivalReport) -> SurvivalDoc {
        let instance = report.instance;
        SurvivalDoc {
            schema_version: 1,
            tool: tool(),
            instance: InstanceRef::of(instance, report.digest.clone()),
            fail: report.over.to_owned(),
            depth: report.question.depth,
            rearrange: report.question.rearrange,
            counts: report.counts(),
            goal: values(&report.survival.before),
            failures: (report.listed(usize::MAX).iter())
                .map(|failure| report.failure(failure))
                .collect(),
        }
    }
}

fn values(tiers: &[TierValue]) -> Vec<ValueDoc> {
    tiers.iter().map(|tier| ValueDoc { tier: tier.tier.to_string(), value: tier.value }).collect()
}

impl SurvivalReport<'_> {
    fn failure(&self, failure: &Failure) -> FailureDoc {
        let instance = self.instance;
        FailureDoc {
            fail: self.names(failure).into_iter().map(str::to_owned).collect(),
            outcome: outcome(failure).to_owned(),
            displaced: failure.displaced.len(),
            proof: failure.proof.as_ref().map(|loss| ProofDoc {
                code: loss.code().to_owned(),
                detail: loss.words().to_owned(),
            }),
            lost: failure.lost.iter().map(|lost| UnplacedDoc::of(instance, lost)).collect(),
            least: (!failure.lost.is_empty()).then_some(failure.least),
            goal: failure.goal.as_deref().map(values).unwrap_or_default(),
            fallback: (failure.moves.iter())
                .map(|step| PlaceDoc::of(instance, self.plan, step))
                .collect(),
        }
    }
}

/// The answer as JSON.
pub fn survival_json(report: &SurvivalReport) -> String {
    json::pretty(&SurvivalDoc::of(report))
}

/// JSON Schema of the answer.
pub fn survival_schema() -> serde_json::Value {
    json::schema_of::<SurvivalDoc>()
}
