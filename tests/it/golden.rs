//! Worked examples with their figures (docs/model.md).

use serde_json::Value;

use crate::helpers::stowplan;

fn solve(arguments: &[&str]) -> Value {
    let output =
        stowplan().arg("solve").args(arguments).args(["--output", "json"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn near(value: &Value, want: f64) {
    let value = value.as_f64().unwrap();
    assert!((value - want).abs() < 1e-9, "{value}, not {want}");
}

fn node_of<'a>(plan: &'a Value, task: &str) -> &'a str {
    let list = plan["assignments"].as_array().unwrap();
    list.iter().find(|a| a["task"] == task).unwrap()["node"].as_str().unwrap()
}

#[test]
fn four_nodes_three_tasks() {
    for method in ["auto", "ilp"] {
        let plan = solve(&["data/four-nodes.json", "--method", method]);
        assert_eq!(plan["status"], "optimal");
        near(&plan["metrics"]["peak"], 0.5);
        assert_eq!(node_of(&plan, "t2"), "n1", "4 CPU on 8 is the only 50 %");
    }
    let plan = solve(&["data/four-nodes.json", "--goal", "demand", "--method", "ilp"]);
    near(&plan["goal"][0]["value"], 7.0);
    assert_eq!(plan["status"], "optimal");
    // At most one task a node: three tasks, three nodes.
    let plan = solve(&["data/four-nodes.json", "--one-task-per-node", "--method", "ilp"]);
    assert_eq!(plan["metrics"]["nodes_used"], 3);
}

#[test]
fn one_task_a_node_cannot_hold_six_tasks_on_four_nodes() {
    let output =
        stowplan().args(["solve", "data/six-tasks.json", "--one-task-per-node"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.contains("no plan exists: 6 tasks, one a node, and 4 nodes"), "{message}");
}

#[test]
fn best_fit_subtracts_what_it_placed() {
    let plan = solve(&["data/six-tasks.json", "--method", "best-fit", "--order", "input"]);
    // task1 2 -> node4 (2 of 2, exact), task2 4 -> node3 (4 of 4, exact), task3 1 and task4 2 and
    // task5 1 and task6 1 fill node2 (5 of 6).
    let nodes: Vec<&str> = ["task1", "task2", "task3", "task4", "task5", "task6"]
        .iter()
        .map(|task| node_of(&plan, task))
        .collect();
    assert_eq!(nodes, ["node4", "node3", "node2", "node2", "node2", "node2"]);
}

#[test]
fn min_load_shortest_first_fails_honestly() {
    let output = stowplan()
        .args(["solve", "data/min-load.json", "--method", "min-load", "--order", "shortest-first"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3), "nothing found, nothing proven");
    assert!(output.stdout.is_empty());
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.contains("placed 3 of 4 tasks") && message.contains("size-100"), "{message}");
}

#[test]
fn min_load_longest_first_is_optimal() {
    let plan = solve(&["data/min-load.json", "--method", "min-load", "--order", "longest-first"]);
    assert_eq!(plan["status"], "optimal");
    near(&plan["metrics"]["peak"], 1.0);
    near(&plan["metrics"]["balance_degree"], 1.0 / 72.0);
    near(&plan["metrics"]["utilisation"], 2.5 / 3.0);
    let mut loads: Vec<i64> = plan["metrics"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["load"]["cpu"].as_i64().unwrap())
        .collect();
    loads.sort_unstable();
    assert_eq!(loads, [75, 75, 100]);
}

#[test]
fn weighted_load() {
    let plan = solve(&["data/weighted-load.json", "--weights", "cpu=1,memory=2,network=3"]);
    near(&plan["metrics"]["nodes"][0]["weighted_load"], 2.6 / 3.0);
}

#[test]
fn utilisation_and_balance_degree() {
    let plan = solve(&["data/utilisation.json"]);
    near(&plan["metrics"]["utilisation"], 0.75);
    near(&plan["metrics"]["balance_degree"], 0.02 / 3.0);
    near(&plan["metrics"]["nodes"][1]["relative_utilisation"], 0.75);
}

#[test]
fn five_nodes_ten_tasks() {
    let plan = solve(&["data/five-nodes.json"]);
    assert_eq!(plan["status"], "optimal");
    near(&plan["goal"][0]["value"], 0.5);
    near(&plan["goal"][1]["value"], 0.001);
}

#[test]
fn a_planners_morning() {
    let plan = solve(&["data/train-jobs.json"]);
    assert_eq!(plan["status"], "optimal");
    near(&plan["metrics"]["peak"], 0.875);
    for job in ["llm-pretrain-7b", "llm-sft-13b", "reward-model"] {
        assert!(node_of(&plan, job).starts_with("a100"), "{job}");
    }
    let drained = plan["assignments"].as_array().unwrap().iter().any(|a| a["node"] == "a100-03");
    assert!(!drained);
    // The same instance as tables.
    let tables = solve(&["--tasks", "data/train-tasks.csv", "--nodes", "data/train-nodes.csv"]);
    assert_eq!(tables["instance"]["digest"], plan["instance"]["digest"]);
    assert_eq!(tables["assignments"], plan["assignments"]);
}
