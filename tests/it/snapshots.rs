//! Every exporter's output, as it was when somebody last looked at it. After a
//! change that is meant: `INSTA_UPDATE=always cargo test`, then read the diff.

use crate::helpers::stowplan;

fn printed(arguments: &[&str]) -> String {
    String::from_utf8(stowplan().args(arguments).output().unwrap().stdout).unwrap()
}

#[test]
fn plans() {
    // Proven by counting, so the same with every solver.
    let plan = ["solve", "data/min-load.json", "--method", "min-load"];
    for form in ["table", "json", "csv", "markdown"] {
        let mut arguments = plan.to_vec();
        arguments.extend(["--output", form]);
        insta::assert_snapshot!(format!("plan_{form}"), printed(&arguments));
    }
}

#[test]
fn unplaced_tasks() {
    let plan = [
        "solve",
        "data/six-tasks.json",
        "--one-task-per-node",
        "--allow-unplaced",
        "--method",
        "min-load",
    ];
    for form in ["table", "csv", "markdown"] {
        let mut arguments = plan.to_vec();
        arguments.extend(["--output", form]);
        insta::assert_snapshot!(format!("unplaced_{form}"), printed(&arguments));
    }
}

#[test]
fn refusals() {
    let arguments = ["solve", "data/six-tasks.json", "--one-task-per-node", "--output", "json"];
    insta::assert_snapshot!("refusal_json", printed(&arguments));
}

#[test]
fn comparisons() {
    for form in ["table", "json", "csv", "markdown"] {
        let text = printed(&[
            "compare",
            "data/min-load.json",
            "data/utilisation.json",
            "--methods",
            "min-load,best-fit",
            "--output",
            form,
        ]);
        // Seconds change from run to run: the last figure of every row.
        let seconds = |line: &str| match form {
            "csv" => line.rsplit_once(',').map_or(line.to_owned(), |(rest, _)| format!("{rest},s")),
            "json" if line.contains("\"seconds\"") => "      \"seconds\": s".to_owned(),
            "table" if line.contains("data/") => {
                line.rsplit_once(' ').map_or(line.to_owned(), |(rest, _)| format!("{rest} s"))
            }
            "markdown" if line.contains("data/") => {
                line.rsplitn(3, '|').nth(2).map_or(line.to_owned(), |rest| format!("{rest}| s |"))
            }
            _ => line.to_owned(),
        };
        let stable: Vec<String> = text.lines().map(seconds).collect();
        insta::assert_snapshot!(format!("comparison_{form}"), stable.join("\n"));
    }
}

/// The documents' five nodes and ten tasks, in the documents' order, by every
/// policy: which node each task goes to, and the peak.
#[test]
fn every_policy_on_five_nodes() {
    let mut text = String::new();
    for policy in stowplan::policy::POLICIES {
        let plan = printed(&[
            "solve",
            "data/five-nodes.json",
            "--method",
            policy.name,
            "--order",
            "input",
            "--output",
            "json",
        ]);
        let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
        let nodes: Vec<&str> = plan["assignments"]
            .as_array()
            .unwrap()
            .iter()
            .map(|a| a["node"].as_str().unwrap())
            .collect();
        let peak = plan["metrics"]["peak"].as_f64().unwrap();
        text += &format!("{:20}  {}  peak {peak:.2}\n", policy.name, nodes.join(" "));
    }
    insta::assert_snapshot!("every_policy_on_five_nodes", text);
}

#[test]
fn tables_of_methods() {
    insta::assert_snapshot!("policies", printed(&["policies"]));
}
