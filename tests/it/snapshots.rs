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
        // Seconds change from run to run.
        let seconds = |line: &str| match form {
            "csv" if line.contains("data/") => {
                let mut cells: Vec<&str> = line.split(',').collect();
                let seconds = cells.len() - 2;
                cells[seconds] = "s";
                cells.join(",")
            }
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

/// Which node each task goes to by every policy, and the peak: on
/// five nodes and ten tasks in the order given, and on a cluster with cards.
#[test]
fn every_policy() {
    for (name, instance) in
        [("five_nodes", "data/five-nodes.json"), ("train_jobs", "data/train-jobs.json")]
    {
        let mut text = String::new();
        let hybrid = "load-aware>least-response-time";
        let names = stowplan::policy::POLICIES.iter().map(|policy| policy.name);
        for method in names.chain([hybrid]) {
            let arguments = ["solve", instance, "--order", "input", "--output", "json"];
            let more = ["--resource", if name == "five_nodes" { "volume" } else { "cpu" }];
            let output =
                stowplan().args(arguments).args(more).args(["--method", method]).output().unwrap();
            let Ok(plan) = serde_json::from_slice::<serde_json::Value>(&output.stdout) else {
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                text += &format!("{method:30}  {}\n", said.lines().next().unwrap_or_default());
                continue;
            };
            let Some(list) = plan["assignments"].as_array() else {
                text += &format!("{method:30}  {}\n", plan["reason"]["detail"]);
                continue;
            };
            let nodes: Vec<&str> = list.iter().map(|a| a["node"].as_str().unwrap()).collect();
            let peak = plan["metrics"]["peak"].as_f64().unwrap();
            text += &format!("{method:30}  {}  peak {peak:.3}\n", nodes.join(" "));
        }
        insta::assert_snapshot!(format!("every_policy_on_{name}"), text);
    }
}

#[test]
fn tables_of_methods() {
    insta::assert_snapshot!("policies", printed(&["policies"]));
}
