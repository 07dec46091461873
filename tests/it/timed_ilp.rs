//! `--method ilp` for goals about time: what it proves, and what it refuses with a reason.

use serde_json::{Value, json};

use crate::helpers::stowplan;

fn run(arguments: &[&str]) -> (Option<i32>, Value, String) {
    let output = stowplan().args(arguments).args(["--output", "json"]).output().unwrap();
    let document = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output.status.code(), document, String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn the_documents_cases_are_proven_by_the_integer_program() {
    for (file, makespan) in
        [("data/four-nodes-timed.json", 2100.0), ("data/five-nodes-timed.json", 10_800.0)]
    {
        let (code, plan, message) = run(&["solve", file, "--method", "ilp"]);
        assert_eq!(code, Some(0), "{message}");
        assert_eq!(plan["status"], "optimal", "{file}");
        for (k, tier) in plan["goal"].as_array().unwrap().iter().enumerate() {
            assert_eq!(tier["value"], tier["bound"], "{file}");
            assert!(k > 0 || tier["value"] == makespan, "{file}");
        }
    }
}

#[test]
fn it_is_compared_with_other_methods() {
    let file = "data/five-nodes-timed.json";
    let (code, rows, message) = run(&["compare", file, "--methods", "ilp,auto,fifo"]);
    assert_eq!(code, Some(0), "{message}");
    let rows = rows["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 3);
    assert_eq!((&rows[0]["status"], &rows[0]["rank"]), (&json!("optimal"), &json!(1)));
}

/// Twelve tasks of different seconds on three equal nodes that hold two or three of them.
fn many() -> Value {
    let nodes = ["x", "y", "z"].map(|id| json!({"id": id, "capacity": {"cpu": 8}}));
    let tasks = (0..12).map(|k| {
        let (seconds, cpu) = (1000 + 37 * k * k, 2 + k % 4);
        json!({"id": format!("t{k}"), "duration": seconds, "demand": {"cpu": cpu}})
    });
    json!({"nodes": nodes, "tasks": tasks.collect::<Vec<_>>(), "goal": "completion"})
}

#[test]
fn what_it_does_not_know_or_cannot_take_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |instance: &Value| {
        let path = folder.path().join("i.json");
        std::fs::write(&path, instance.to_string()).unwrap();
        let file = path.display().to_string();
        // The one in every build, which is given the least.
        let (code, _, message) = run(&["solve", &file, "--method", "ilp", "--solver", "microlp"]);
        assert_eq!(code, Some(2), "{message}");
        message
    };
    let with = |change: &dyn Fn(&mut Value)| {
        let mut instance = many();
        change(&mut instance);
        refused(&instance)
    };
    for (message, want) in [
        (with(&|_| {}), "the integer program in time is too large"),
        (with(&|i| i["goal"] = json!("makespan, peak")), "does not know the goal `peak` in time"),
        (
            with(&|i| i["rules"] = json!([{"rule": "apart", "tasks": ["t0", "t1"]}])),
            "does not know rules between tasks",
        ),
        (
            with(&|i| i["resources"] = json!({"cpu": {"devices": true}})),
            "does not know resources that come in cards",
        ),
    ] {
        assert!(message.contains(want) && message.contains("--method auto"), "{want}: {message}");
    }
}

#[test]
fn what_cannot_be_is_refuted_and_what_is_left_out_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("i.json");
    let task = |id: &str| json!({"id": id, "duration": 60, "demand": {"cpu": 1}, "deadline": 100});
    let instance = json!({
        "nodes": [{"id": "x", "capacity": {"cpu": 1}}],
        "tasks": [task("a"), task("b")],
        "goal": "makespan",
    });
    std::fs::write(&path, instance.to_string()).unwrap();
    let file = path.display().to_string();
    let (code, _, message) = run(&["solve", &file, "--method", "ilp"]);
    assert_eq!(code, Some(1), "{message}");
    let (code, plan, message) = run(&["solve", &file, "--method", "ilp", "--allow-unplaced"]);
    assert_eq!(code, Some(0), "{message}");
    assert_eq!(plan["status"], "optimal");
    assert_eq!(plan["goal"][0]["value"], 1.0);
    assert_eq!(plan["goal"][1]["value"], 60.0);
}
