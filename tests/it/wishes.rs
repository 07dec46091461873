//! Rules that may be broken at a price.

use serde_json::{Value, json};

use crate::helpers::stowplan;

/// Three nodes in two zones, one of them without a zone, with room for what `cpu` says.
fn cluster(cpu: [u32; 3], tasks: &[&str], rules: Value, goal: &str) -> Value {
    let zones = [Some("a"), Some("b"), None];
    let nodes: Vec<Value> = (zones.iter().zip(cpu).enumerate())
        .map(|(k, (zone, cpu))| {
            let labels = zone.map_or(json!({}), |zone| json!({ "zone": zone }));
            json!({"id": format!("n{k}"), "capacity": {"cpu": cpu}, "labels": labels})
        })
        .collect();
    let tasks: Vec<Value> =
        tasks.iter().map(|id| json!({"id": id, "demand": {"cpu": 1}})).collect();
    json!({"nodes": nodes, "tasks": tasks, "rules": rules, "goal": goal})
}

fn solve(case: &Value, options: &[&str]) -> std::process::Output {
    let mut command = stowplan();
    command.args(["solve", "-"]).args(options).write_stdin(case.to_string());
    command.output().unwrap()
}

/// What `soft` is worth, and whether that is proven.
fn soft(case: &Value, options: &[&str]) -> (f64, bool) {
    let told = solve(case, &[&["--output", "json"], options].concat());
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    let tiers = told["goal"].as_array().unwrap();
    let tier = tiers.iter().find(|tier| tier["tier"] == "soft").unwrap();
    (tier["value"].as_f64().unwrap(), tier["gap"] == 0.0)
}

#[test]
fn each_breach_costs_its_price() {
    let all = ["t0", "t1", "t2", "t3"];
    let rule = |rule: Value| json!([rule]);
    for (cpu, rules, wanted) in [
        // Four tasks where a node holds two: one value too many.
        ([2, 2, 0], rule(json!({"rule": "together", "tasks": all, "price": 3})), 3.0),
        // Two nodes for four tasks: each has one too many.
        ([2, 2, 0], rule(json!({"rule": "apart", "tasks": all, "price": "1.5"})), 3.0),
        // Nodes without the label count for no value.
        ([1, 1, 2], rule(json!({"rule": "apart", "tasks": all, "over": "zone", "price": 1})), 0.0),
        // The one near whom three want to be has no place beside it for all of them.
        (
            [2, 2, 0],
            rule(json!({"rule": "near", "tasks": &all[1..], "near": "t0", "price": 2})),
            4.0,
        ),
        // Two zones, three asked; on each as many.
        (
            [2, 2, 0],
            rule(
                json!({"rule": "spread", "tasks": all, "over": "zone", "at_least": 3, "price": 5}),
            ),
            5.0,
        ),
        // Three more on the one than on the other, where one more would do.
        (
            [1, 4, 0],
            rule(
                json!({"rule": "spread", "tasks": all, "over": "zone", "max_skew": 1, "price": 1}),
            ),
            1.0,
        ),
        (
            [2, 2, 0],
            rule(json!({"rule": "spread", "tasks": all, "over": "zone", "at_most": 1, "price": 1})),
            1.0,
        ),
    ] {
        let case = cluster(cpu, &all, rules, "soft");
        assert_eq!(soft(&case, &["--method", "ilp"]), (wanted, true), "{case}");
        assert_eq!(soft(&case, &[]), (wanted, true), "{case}");
        assert_eq!(soft(&case, &["--method", "search"]).0, wanted, "{case}");
    }
}

#[test]
fn wishes_are_the_last_tier_and_what_must_hold_comes_first() {
    let all = ["t0", "t1", "t2", "t3"];
    let rules = json!([
        {"rule": "apart", "tasks": all, "over": "zone", "price": 1},
        {"rule": "together", "tasks": ["t0", "t1"], "over": "zone"},
    ]);
    let case = cluster([4, 4, 4], &all, rules, "nodes");
    // One node holds all four: three too many.
    assert_eq!(soft(&case, &[]), (3.0, true));
    // What is only wished asks for no label.
    let case = cluster(
        [4, 4, 4],
        &["t0"],
        json!([{"rule": "apart", "tasks": ["t0"], "over": "zone", "price": 1}]),
        "soft",
    );
    assert_eq!(soft(&case, &[]), (0.0, true));
}

#[test]
fn prices_are_for_rules_that_can_be_broken_a_little() {
    let all = ["t0", "t1"];
    let timed = json!({"rule": "apart", "tasks": all, "price": 1});
    for (rule, goal, part) in [
        (json!({"rule": "gang", "tasks": all, "price": 1}), "peak", "`spread` and `near` have it"),
        (
            json!({"rule": "limit", "resource": "tasks", "at_most": 1, "tasks": all, "price": 1}),
            "peak",
            "price",
        ),
        (json!({"rule": "apart", "tasks": all, "price": -1}), "peak", "negative"),
        (timed, "makespan", "rules that may be broken have no price in time"),
    ] {
        let mut case = cluster([4, 4, 4], &all, json!([rule]), goal);
        for task in case["tasks"].as_array_mut().unwrap() {
            task["duration"] = json!(5);
        }
        let told = solve(&case, &[]);
        let said = String::from_utf8_lossy(&told.stderr).into_owned();
        assert_eq!(told.status.code(), Some(2), "{said}");
        assert!(said.contains(part), "{said}\nlacks {part}");
    }
}

/// A node of a zone with so much room.
fn node(name: &str, zone: &str, cpu: u32) -> Value {
    json!({
        "kind": "Node", "apiVersion": "v1",
        "metadata": {"name": name, "labels": {"zone": zone, "kubernetes.io/hostname": name}},
        "status": {"allocatable": {"cpu": cpu.to_string(), "memory": "8Gi", "pods": "9"}}
    })
}

fn pod(name: &str, app: &str, spec: Value) -> Value {
    let mut all = json!({"containers": [{"name": "c", "resources": {"requests": {"cpu": "1"}}}]});
    all.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    json!({
        "kind": "Pod", "apiVersion": "v1",
        "metadata": {"name": name, "namespace": "d", "labels": {"app": app}}, "spec": all
    })
}

/// The nodes of waiting pods of a cluster, and what `soft` is worth; nothing is told of what pods prefer.
fn placed(objects: Vec<Value>) -> (Vec<String>, f64) {
    let case = json!({"kind": "List", "apiVersion": "v1", "items": objects});
    let told = solve(&case, &["--goal", "soft", "--output", "json"]);
    let said = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(!said.contains("prefer") && !said.contains("ScheduleAnyway"), "{said}");
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    let at = |task: &Value| task["node"].as_str().unwrap().to_owned();
    let nodes = told["assignments"].as_array().unwrap().iter().map(at).collect();
    let tiers = told["goal"].as_array().unwrap();
    let soft = tiers.iter().find(|tier| tier["tier"] == "soft");
    (nodes, soft.map_or(0.0, |tier| tier["value"].as_f64().unwrap()))
}

#[test]
fn pods_are_spread_as_they_should_be_where_there_is_room() {
    let selector = json!({"matchLabels": {"app": "w"}});
    let spread = json!({"topologySpreadConstraints": [{
        "maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": selector
    }]});
    let pods = |n: usize| (0..n).map(|k| pod(&format!("w{k}"), "w", spread.clone()));
    let mut objects = vec![node("n1", "a", 8), node("n2", "b", 2)];
    objects.extend(pods(4));
    assert_eq!(placed(objects.clone()).1, 0.0);
    // Two have room in the one zone: four against two is one too many.
    objects.extend(pods(6).skip(4));
    assert_eq!(placed(objects).1, 1.0);
}

#[test]
fn pods_keep_apart_from_others_where_they_would_rather() {
    let term = |app: &str, weight: u32| {
        json!([{"weight": weight, "podAffinityTerm": {
            "topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": app}}
        }}])
    };
    let likes = |kind: &str, app: &str, weight: u32| {
        json!({"affinity": {kind: {
            "preferredDuringSchedulingIgnoredDuringExecution": term(app, weight)
        }}})
    };
    let mut runs = pod("db", "db", json!({"nodeName": "n1"}));
    runs["status"] = json!({"phase": "Running"});
    let nodes = || vec![node("n1", "a", 8), node("n2", "b", 8)];
    // From what runs, and towards it.
    let mut objects = nodes();
    objects.extend([runs.clone(), pod("w", "w", likes("podAntiAffinity", "db", 7))]);
    assert_eq!(placed(objects), (vec!["n2".to_owned()], 0.0));
    let mut objects = nodes();
    objects.extend([runs, pod("w", "w", likes("podAffinity", "db", 7))]);
    assert_eq!(placed(objects), (vec!["n1".to_owned()], 0.0));
    // From each other: three on two nodes, one too many.
    let mut objects = nodes();
    objects.extend((0..3).map(|k| pod(&format!("w{k}"), "w", likes("podAntiAffinity", "w", 10))));
    assert_eq!(placed(objects).1, 10.0);
    // Near others that wait.
    let mut objects = nodes();
    objects.extend([pod("db", "db", json!({})), pod("w", "w", likes("podAffinity", "db", 3))]);
    let (at, soft) = placed(objects);
    assert_eq!((at[0] == at[1], soft), (true, 0.0));
}
