//! Reading a plan somebody wrote down, JSON or CSV, into a [`Claim`].

use serde::Deserialize;

use super::excerpt::excerpted;
use super::json_error;
use super::source::{Source, Text};
use super::table::Table;
use super::values::{Id, Object, Ordered, Seconds, Version};
use base::error::Result;
use model::{
    Claim, ClaimedPlacement, ClaimedStandby, ClaimedSurvival, ClaimedTier, parse_duration,
};

/// The keys a claim is made of. Plans carry more, and later versions add keys,
/// so what is not listed is ignored.
#[derive(Debug, Deserialize)]
struct PlanFile {
    #[serde(rename = "schema_version", default)]
    _schema_version: Option<Version>,
    assignments: Vec<Object<AssignmentFile>>,
    #[serde(default)]
    unplaced: Vec<Object<UnplacedFile>>,
    #[serde(default)]
    goal: Vec<Object<TierFile>>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    instance: Option<Object<MadeForFile>>,
    #[serde(default)]
    survives: Option<Object<SurvivesFile>>,
}

#[derive(Debug, Deserialize)]
struct SurvivesFile {
    fail: String,
    #[serde(default)]
    failures: Vec<Object<FailureFile>>,
}

#[derive(Debug, Deserialize)]
struct FailureFile {
    fail: Vec<Id>,
    #[serde(default)]
    fallback: Vec<Object<MoveFile>>,
}

#[derive(Debug, Deserialize)]
struct MoveFile {
    task: Id,
    #[serde(default)]
    unit: Option<u32>,
    to: Id,
    #[serde(default)]
    devices: Ordered<Vec<u32>>,
}

#[derive(Debug, Deserialize)]
struct MadeForFile {
    #[serde(default)]
    digest: Option<String>,
}

#[derive(Debug, Deserialize)]
struct AssignmentFile {
    task: Id,
    #[serde(default)]
    unit: Option<u32>,
    node: Id,
    #[serde(default)]
    devices: Ordered<Vec<u32>>,
    #[serde(default)]
    start: Option<Seconds>,
    #[serde(default)]
    end: Option<Seconds>,
    #[serde(default)]
    standby: Option<Object<StandbyFile>>,
}

#[derive(Debug, Deserialize)]
struct StandbyFile {
    node: Id,
    #[serde(default)]
    devices: Ordered<Vec<u32>>,
}

#[derive(Debug, Deserialize)]
struct UnplacedFile {
    task: Id,
    #[serde(default)]
    unit: Option<u32>,
}

#[derive(Debug, Deserialize)]
struct TierFile {
    tier: String,
    value: f64,
    #[serde(default)]
    bound: Option<f64>,
}

const PLAN_REMEDY: &str =
    "a plan is JSON with `assignments`, or CSV with the columns `task` and `node`";

/// Reads a plan: JSON as `solve` writes it, or CSV with the columns `task` and
/// `node` among others, an empty node meaning that the task is unplaced.
///
/// # Errors
/// What is neither, an instance in its place, missing keys and columns, a task
/// without a name.
pub fn read_claim(source: &Source) -> Result<Claim> {
    excerpted(claim(source), &[source])
}

fn claim(source: &Source) -> Result<Claim> {
    let text = source.text()?;
    if super::kubernetes::fits(text.text) {
        return super::kubernetes::claim(text);
    }
    let first = text.text.trim_start();
    if first.starts_with('{') {
        return read_json(text);
    }
    if first.starts_with('[') {
        return Err(text
            .error("a plan is a JSON object, the top level is a list")
            .help(PLAN_REMEDY));
    }
    read_csv(text)
}

fn read_json(source: Text) -> Result<Claim> {
    let keys = ["assignments", "reason", "nodes", "tasks", "computerList", "processList"];
    match json_error::first_key(source.text, &keys) {
        Some("assignments") => {}
        Some("reason") => {
            let remedy = "it says why; --allow-unplaced gives a plan that leaves tasks out";
            return Err(source.error("this is the answer where there is no plan").help(remedy));
        }
        Some(_) => {
            let remedy = "the instance comes first, then the plan: are the two files swapped?";
            return Err(source.error("this is an instance, not a plan").help(remedy));
        }
        None => {} // reading says what is missing or broken
    }
    let file: Object<PlanFile> = json_error::parse(source)
        .map_err(|error| if error.remedy.is_empty() { error.help(PLAN_REMEDY) } else { error })?;
    let file = file.0;
    let assignments = file.assignments.into_iter();
    let tiers = file.goal.into_iter();
    Ok(Claim {
        assignments: assignments
            .map(|Object(entry)| ClaimedPlacement {
                task: entry.task.0,
                unit: entry.unit,
                node: entry.node.0,
                devices: entry.devices.0,
                standby: entry.standby.map(|Object(standby)| ClaimedStandby {
                    node: standby.node.0,
                    devices: standby.devices.0,
                }),
                start: entry.start.map(|start| start.0),
                end: entry.end.map(|end| end.0),
            })
            .collect(),
        unplaced: file.unplaced.into_iter().map(|Object(e)| (e.task.0, e.unit)).collect(),
        goal: tiers
            .map(|Object(tier)| ClaimedTier {
                tier: tier.tier,
                value: tier.value,
                bound: tier.bound,
            })
            .collect(),
        status: file.status,
        digest: file.instance.and_then(|Object(made_for)| made_for.digest),
        survives: file.survives.map(|Object(survives)| ClaimedSurvival {
            over: survives.fail,
            fallbacks: survives
                .failures
                .into_iter()
                .map(|Object(failure)| fallback(failure))
                .collect(),
        }),
    })
}

fn fallback(failure: FailureFile) -> (Vec<String>, Vec<ClaimedPlacement>) {
    let steps = failure.fallback.into_iter().map(|Object(step)| ClaimedPlacement {
        task: step.task.0,
        unit: step.unit,
        node: step.to.0,
        devices: step.devices.0,
        ..ClaimedPlacement::default()
    });
    (failure.fail.into_iter().map(|name| name.0).collect(), steps.collect())
}

fn read_csv(source: Text) -> Result<Claim> {
    let table = Table::open(source)?;
    let (Some(task), Some(node)) = (table.column("task"), table.column("node")) else {
        let (column, missing) = match (table.column("task"), table.column("node")) {
            (None, None) => {
                ("task", "this is no plan: it has neither a column `task` nor a column `node`")
            }
            (None, _) => ("task", "this is no plan: it has no column `task`"),
            _ => ("node", "this is no plan: it has no column `node`"),
        };
        return Err(table.lacks(column, missing, PLAN_REMEDY));
    };
    let (unit, cards) = (table.column("unit"), table.column("devices"));
    let standby = table.column("standby");
    let standby_cards = table.column("standby_devices");
    let (start, end) = (table.column("start"), table.column("end"));
    let mut claim = Claim::default();
    table.rows(|row| {
        let unit = match unit.map(|column| (column, row.cell(column))) {
            None | Some((_, "")) => None,
            Some((column, text)) => Some(text.parse().map_err(|_| {
                row.error(column, format!("`{text}` is no unit: units are numbered from 0"))
            })?),
        };
        let dealt = |column: Option<usize>| {
            let column = column.filter(|column| !row.cell(*column).is_empty());
            Ok(column.map(|column| row.read(column, devices)).transpose()?.unwrap_or_default())
        };
        let time = |column: Option<usize>| {
            let column = column.filter(|column| !row.cell(*column).is_empty());
            column.map(|column| row.read(column, parse_duration)).transpose()
        };
        match (row.cell(task), row.cell(node)) {
            ("", _) => {
                let error = row.error(task, "this row names no task");
                return Err(error.help("write the id of the task it is about"));
            }
            (task, "") => claim.unplaced.push((task.to_owned(), unit)),
            (task, node) => claim.assignments.push(ClaimedPlacement {
                task: task.to_owned(),
                unit,
                node: node.to_owned(),
                devices: dealt(cards)?,
                standby: match standby.map(|column| row.cell(column)).filter(|n| !n.is_empty()) {
                    None => None,
                    Some(node) => Some(ClaimedStandby {
                        node: node.to_owned(),
                        devices: dealt(standby_cards)?,
                    }),
                },
                start: time(start)?,
                end: time(end)?,
            }),
        }
        Ok(())
    })?;
    Ok(claim)
}

/// `gpu=0|3;nic=1`
fn devices(text: &str) -> std::result::Result<Vec<(String, Vec<u32>)>, String> {
    let bad = || format!("`{text}` names no cards: write such as gpu=0|3");
    let part = |part: &str| {
        let (name, numbers) = part.rsplit_once('=').ok_or_else(bad)?;
        let numbers = numbers.split('|').map(|number| number.trim().parse().map_err(|_| bad()));
        Ok((name.trim().to_owned(), numbers.collect::<std::result::Result<_, _>>()?))
    };
    text.split(';').map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(text: &str) -> Result<Claim> {
        read_claim(&Source { name: "p".into(), bytes: text.into() })
    }

    #[test]
    fn both_forms_are_read() {
        let json = claim(
            r#"{"schema_version": 1, "tool": "x", "status": "feasible", "future": {"a": [1]},
                "goal": [{"tier": "peak", "value": 0.5, "bound": 0.25, "gap": 0.5}],
                "assignments": [{"task": "a", "node": 7, "unit": 0}],
                "unplaced": [{"task": "b", "reason": "capacity"}]}"#,
        )
        .unwrap();
        let csv = claim("why,node,task\n,7,a\ncapacity,,b\n").unwrap();
        for claim in [&json, &csv] {
            let [only] = &claim.assignments[..] else { panic!("{claim:?}") };
            assert_eq!((only.task.as_str(), only.node.as_str()), ("a", "7"));
            assert_eq!(claim.unplaced, [("b".to_owned(), None)]);
        }
        assert_eq!(json.status.as_deref(), Some("feasible"));
        assert_eq!((json.goal[0].value, json.goal[0].bound), (0.5, Some(0.25)));
    }

    #[test]
    fn what_is_no_plan_says_so() {
        for (text, message) in [
            ("", "p: the file is empty"),
            (r#"{"nodes": [], "tasks": []}"#, "p: this is an instance, not a plan"),
            ("[]", "p: a plan is a JSON object, the top level is a list"),
            ("{}", "p: line 1 column 2: missing field `assignments`"),
            (
                r#"{"assignments": [{"task": "a"}]}"#,
                "p: line 1 column 30, assignments[0]: missing field `node`",
            ),
            (
                r#"{"assignments": 3}"#,
                "p: line 1 column 17, assignments: invalid type: integer `3`, expected a list",
            ),
            ("task,cpu\na,1\n", "p: line 1: this is no plan: it has no column `node`"),
            ("task,node\n,n\n", "p: line 2, column `task`: this row names no task"),
            (
                r#"{"schema_version": 2, "assignments": []}"#,
                "p: line 1 column 20, schema_version: schema_version is 2; this program reads version 1",
            ),
        ] {
            assert_eq!(claim(text).unwrap_err().to_string(), message);
        }
    }
}
