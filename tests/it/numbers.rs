//! Values that are whole are compared as whole numbers, however large: right plans, and nothing is
//! called optimal that a step less would beat.

use serde_json::{Value, json};

use crate::helpers::stowplan;

/// What `solve` says of the instance.
fn answer(instance: &Value, options: &[&str]) -> Value {
    let mut command = stowplan();
    command.args(["solve", "-", "--output", "json", "--time-limit", "20"]).args(options);
    let output = command.write_stdin(instance.to_string()).output().unwrap();
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{options:?}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// Node of each task, in the instance's order.
fn nodes(answer: &Value) -> Vec<&str> {
    let assignments = answer["assignments"].as_array().unwrap();
    assignments.iter().map(|a| a["node"].as_str().unwrap_or("-")).collect()
}

fn node(id: &str, cpu: &str) -> Value {
    json!({"id": id, "capacity": {"cpu": cpu}})
}

fn pair(task: &str, node: &str, cost: &str) -> Value {
    json!({"task": task, "node": node, "cost": cost})
}

/// Every case with the nodes of the only best plan.
fn cases() -> Vec<(Value, &'static [&'static str], &'static [&'static str])> {
    let cost = json!({
        "nodes": [node("n0", "1"), node("n1", "1")],
        "tasks": [{"id": "a", "demand": {"cpu": 1}}, {"id": "b", "demand": {"cpu": 1}}],
        "pairs": [
            pair("a", "n0", "10000000000000001"), pair("a", "n1", "10000000000000000"),
            pair("b", "n0", "10000000000000000"), pair("b", "n1", "10000000000000000"),
        ],
        "goal": "cost",
    });
    let soft = json!({
        "resources": {"cpu": {"safety_price": 1}},
        "nodes": [
            {"id": "n0", "capacity": {"cpu": "4000000000"}, "safety": {"cpu": "1000000000"}},
            {"id": "n1", "capacity": {"cpu": "4000000000"}, "safety": {"cpu": "1000000001"}},
        ],
        "tasks": [{"id": "a", "demand": {"cpu": "3000000000"}}],
        "goal": "soft",
    });
    let moves = json!({
        "nodes": [node("n0", "5"), node("n1", "5"), node("n2", "4")],
        "tasks": [
            {"id": "t0", "demand": {"cpu": 1}, "node": "n1", "move_cost": "10000000000007"},
            {"id": "t1", "demand": {"cpu": 2}, "node": "n2", "move_cost": "10000000000000"},
            {"id": "t2", "demand": {"cpu": 3}, "node": "n2", "move_cost": "10000000000001"},
        ],
        "routes": [
            {"from": "n1", "to": "n2", "cost": 8}, {"from": "n2", "to": "n0", "cost": 8},
            {"from": "n2", "to": "n1", "cost": 5},
        ],
        "goal": "moves",
    });
    let weight = json!({
        "nodes": [node("n0", "1"), node("n1", "3")],
        "tasks": [
            {"id": "t0", "demand": {"cpu": 3}, "weight": "100000000000000"},
            {"id": "t1", "demand": {"cpu": 3}, "weight": "100000000000000"},
            {"id": "t2", "demand": {"cpu": 2}, "weight": "100000000000000"},
            {"id": "t3", "demand": {"cpu": 2}, "weight": "100000000000001"},
        ],
        "goal": "nodes",
    });
    let peak = json!({
        "nodes": [node("n0", "10000000000000000"), node("n1", "10000000000000001")],
        "tasks": [{"id": "a", "demand": {"cpu": "5000000000000000"}}],
        "goal": "peak",
    });
    vec![
        (cost, &[], &["n1", "n0"]),
        (soft, &[], &["n1"]),
        (moves, &[], &["n1", "n1", "n2"]),
        (weight, &["--allow-unplaced"], &["n1"]),
        (peak, &[], &["n1"]),
    ]
}

#[test]
fn the_last_digit_counts() {
    for (instance, options, want) in cases() {
        for method in ["auto", "ilp"] {
            let answer = answer(&instance, &[options, &["--method", method]].concat());
            assert_eq!(answer["status"], "optimal", "{method} {instance}");
            let placed: Vec<&str> =
                nodes(&answer).into_iter().filter(|node| *node != "-").collect();
            assert_eq!(placed, want, "{method} {instance}");
        }
    }
}

/// A plan that is a step away from the best is not called optimal by whoever found it.
#[test]
fn what_is_a_step_above_the_bound_is_not_optimal() {
    for (instance, options, want) in cases() {
        for method in ["search", "min-load", "best-fit", "min-cost"] {
            let answer = answer(&instance, &[options, &["--method", method]].concat());
            let placed: Vec<&str> =
                nodes(&answer).into_iter().filter(|node| *node != "-").collect();
            assert!(placed == want || answer["status"] != "optimal", "{method} {instance}");
        }
    }
}

/// Sums of ends in the tens of billions: a relative tolerance of a billionth is ten seconds there.
#[test]
fn a_sum_of_ends_is_whole() {
    let instance = json!({
        "nodes": [node("n1", "1"), {"id": "n2", "capacity": {"gpu": 1}}],
        "tasks": [
            {"id": "a", "demand": {"cpu": 1}, "duration": "2s"},
            {"id": "b", "demand": {"cpu": 1}, "duration": "1s"},
            {"id": "late", "demand": {"gpu": 1}, "duration": "1s", "release": 10000, "weight": 1000000},
        ],
        "goal": "completion",
    });
    let short = answer(&instance, &["--method", "shortest"]);
    let long = answer(&instance, &["--method", "fifo"]);
    let tier = |answer: &Value, key: &str| answer["goal"][0][key].as_f64().unwrap();
    assert_eq!(tier(&short, "value"), 10_001_000_004.0);
    assert!(tier(&long, "value") == 10_001_000_005.0 && long["status"] == "feasible", "{long}");
    assert_eq!(tier(&short, "bound") == tier(&short, "value"), short["status"] == "optimal");
    assert_eq!(answer(&instance, &[])["status"], "optimal");
}

/// Two orders that floating point cannot tell apart: 10^17 + 2 and 10^17 + 3.
#[test]
fn orders_differ_by_their_last_second() {
    let instance = json!({
        "nodes": [node("n1", "1"), {"id": "n2", "capacity": {"gpu": 1}}],
        "tasks": [
            {"id": "a", "demand": {"cpu": 1}, "duration": 2, "due": 1},
            {"id": "b", "demand": {"cpu": 1}, "duration": 1, "due": 1},
            {"id": "late", "demand": {"gpu": 1}, "duration": 1000, "due": 0, "weight": "100000000000000"},
        ],
        "goal": "tardiness",
    });
    let answer = answer(&instance, &[]);
    let starts: Vec<i64> = answer["assignments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| a["start"].as_i64().unwrap())
        .collect();
    assert_eq!((&answer["status"], starts), (&json!("optimal"), vec![1, 0, 0]), "{answer}");
}
