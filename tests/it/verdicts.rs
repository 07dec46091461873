//! What the real kube-scheduler said about random clusters, heard again without it.
//! `benches/peers/kube-scheduler/truth.py record` asks it anew.

use std::path::Path;

use serde_json::Value;

use crate::clusters::ask;

fn recorded() -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/kubernetes/verdicts.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Assumptions that may leave room unused.
fn may_be_too_careful(answer: &Value) -> bool {
    let told = answer["instance"]["assumptions"].as_array();
    told.into_iter().flatten().any(|one| one["direction"] != "wider")
}

#[test]
fn every_node_is_open_to_a_pod_where_the_scheduler_says_so() {
    let mut heard = 0;
    for line in recorded().iter().filter(|line| line["filters"].is_object()) {
        let args = ["explain", "DUMP", "--task", "d/w-0", "--allow-unplaced", "--output", "json"];
        let (_, answer, said) = ask(line["objects"].as_array().unwrap(), &args);
        let others = answer["nodes"].as_array();
        let is_open = |node: &str| {
            let reason = others.and_then(|all| all.iter().find(|one| one["node"] == node));
            answer["node"] == node || reason.is_some_and(|one| one["reason"].is_null())
        };
        for (node, why) in line["filters"].as_object().unwrap() {
            heard += 1;
            assert_eq!(is_open(node), why == "", "{}: {node}: {why}\n{said}", line["features"]);
        }
    }
    assert!(heard > 500, "{heard}");
}

#[test]
fn the_scheduler_never_places_more_than_a_plan_says_is_possible() {
    let mut heard = 0;
    for line in recorded().iter().filter(|line| line["placed"].is_number()) {
        let args =
            ["solve", "DUMP", "--allow-unplaced", "--work-limit", "5000", "--output", "json"];
        let items = line["objects"].as_array().unwrap();
        let (_, answer, said) = ask(items, &args);
        if said.contains("there are no tasks") {
            assert_eq!(line["placed"], 0, "{said}");
            continue;
        }
        heard += 1;
        let left = answer["unplaced"].as_array().unwrap().len();
        let tasks = answer["instance"]["tasks"].as_u64().unwrap() as usize;
        let proven = answer["status"] == "optimal" && !may_be_too_careful(&answer);
        let most = line["placed"].as_u64().unwrap() as usize;
        assert!(!proven || tasks - left >= most, "{}: {answer}", line["features"]);
    }
    assert!(heard > 40, "{heard}");
}
