//! Refusals: the reason is a true one, and the repairs repair.

use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use stowplan::check::check_plan;
use stowplan::explain::{Element, Feasible, NoPlanWhy, Oracle, Verdict, explain};
use stowplan::format::{Input, Source, read_instance};
use stowplan::ilp::Backend;
use stowplan::model::Instance;
use stowplan::stop::Stop;

use crate::helpers::stowplan;

const ORACLE: Oracle = Oracle { backend: Backend::Microlp, seed: 1 };

fn read(value: &Value) -> Instance {
    let source = Source { name: "test".into(), bytes: value.to_string().into_bytes() };
    read_instance(&Input::One(source), None).unwrap()
}

fn feasible(instance: &Instance) -> bool {
    match ORACLE.feasible(instance, &Stop::after(Duration::from_secs(20))).unwrap() {
        Feasible::Yes(plan) => {
            assert!(check_plan(instance, &plan, false).is_empty());
            true
        }
        Feasible::No(_) => false,
        Feasible::Unknown => panic!("not decided in time"),
    }
}

fn why(instance: &Instance) -> NoPlanWhy {
    match explain(instance, Backend::Microlp, 1, Duration::from_secs(30)).unwrap() {
        Verdict::Infeasible(why) => *why,
        other => panic!("called feasible or unknown: {other:?}"),
    }
}

/// Why an instance made by [`broken`] has no plan.
const CAUSES: [&str; 10] = [
    "total",
    "large",
    "label",
    "rack",
    "apart",
    "cards",
    "taint",
    "max-tasks",
    "pinned",
    "contradiction",
];

/// Four to six nodes in two racks with some small jobs on them that do no harm,
/// and jobs called `bad...` that have no plan for the named cause.
fn broken(cause: &str, rng: &mut ChaCha8Rng) -> Value {
    let count = rng.random_range(4..=6);
    let cpu = rng.random_range(8..=12);
    let mut nodes: Vec<Value> = (0..count)
        .map(|j| {
            json!({ "id": format!("n{j}"), "capacity": {"cpu": cpu, "gpu": 2},
                "labels": {"rack": format!("r{}", j % 2), "model": if j == 0 { "A" } else { "B" }} })
        })
        .collect();
    let mut tasks: Vec<Value> = (0..rng.random_range(0..=3))
        .map(|i| json!({ "id": format!("ok{i}"), "demand": {"cpu": 1} }))
        .collect();
    let mut rules = Vec::new();
    let mut bad = |k: usize, more: Value| {
        let mut task = json!({ "id": format!("bad{k}") });
        task.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        tasks.push(task);
    };
    match cause {
        "total" => {
            let each = cpu / 2;
            (0..2 * count + 1).for_each(|k| bad(k, json!({ "demand": {"cpu": each} })));
        }
        "large" => bad(0, json!({ "demand": {"cpu": cpu + rng.random_range(1..=5)} })),
        "label" => {
            (0..3).for_each(|k| {
                bad(k, json!({ "demand": {"cpu": cpu / 2}, "requires": {"model": "A"} }))
            });
        }
        "rack" => {
            let replicas = count / 2 + 1 + rng.random_range(0..=1);
            bad(
                0,
                json!({ "demand": {"cpu": cpu / 2 + 1}, "replicas": replicas, "together": "rack" }),
            );
            if replicas <= count.div_ceil(2) {
                bad(
                    1,
                    json!({ "demand": {"cpu": cpu / 2 + 1}, "replicas": replicas, "together": "rack" }),
                );
                bad(
                    2,
                    json!({ "demand": {"cpu": cpu / 2 + 1}, "replicas": replicas, "together": "rack" }),
                );
            }
        }
        "apart" => {
            bad(0, json!({ "demand": {"cpu": 1}, "replicas": count + 1, "apart": "node" }));
        }
        "cards" => {
            (0..2 * count + 1).for_each(|k| bad(k, json!({ "demand": {"gpu": 0.6} })));
        }
        "taint" => {
            for node in &mut nodes {
                node["taints"] = json!(["team=x"]);
            }
            tasks.iter_mut().for_each(|task| task["tolerations"] = json!(["team=x"]));
            tasks.push(json!({ "id": "bad0", "demand": {"cpu": 1} }));
        }
        "max-tasks" => {
            for node in &mut nodes {
                node["max_tasks"] = json!(2);
            }
            tasks.clear();
            (0..2 * count + 1)
                .for_each(|k| tasks.push(json!({ "id": format!("bad{k}"), "demand": {"cpu": 1} })));
        }
        "pinned" => {
            (0..2).for_each(|k| {
                bad(k, json!({ "demand": {"cpu": cpu / 2 + 1}, "node": "n1", "pinned": true }));
            });
        }
        _ => {
            bad(0, json!({ "demand": {"cpu": 1} }));
            bad(1, json!({ "demand": {"cpu": 1} }));
            rules.push(json!({ "rule": "together", "tasks": ["bad0", "bad1"], "over": "rack" }));
            rules.push(json!({ "rule": "apart", "tasks": ["bad0", "bad1"], "over": "rack" }));
        }
    }
    json!({ "resources": {"gpu": {"devices": true}}, "nodes": nodes, "tasks": tasks, "rules": rules })
}

/// 300 instances of ten causes: what is named contradicts itself alone, without
/// it there is a plan, it is about the jobs that were made bad, and every repair
/// leads to a plan.
#[test]
fn refusals_name_a_true_cause_and_repairs_repair() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let (mut minimal, mut repaired) = (0, 0);
    for round in 0..300 {
        let cause = CAUSES[round % CAUSES.len()];
        let text = broken(cause, &mut rng);
        let instance = read(&text);
        if feasible(&instance) {
            assert_eq!(cause, "rack", "{cause} is feasible: {text}");
            continue;
        }
        let why = why(&instance);
        let words: Vec<String> = why.conflict.elements.iter().map(|e| e.words(&instance)).collect();
        assert!(!feasible(&why.conflict.alone(&instance)), "{cause}: {words:?} alone has a plan");
        assert!(feasible(&why.conflict.without(&instance)), "{cause}: no plan without {words:?}");
        let jobs: Vec<&str> = why.conflict.jobs().map(|job| instance.task_name(job)).collect();
        assert!(jobs.iter().any(|job| job.starts_with("bad")), "{cause}: {words:?}");
        let about = |wanted: fn(&Element) -> bool| why.conflict.elements.iter().any(wanted);
        match cause {
            "total" | "rack" => assert!(about(|e| matches!(e, Element::Resource(_))), "{words:?}"),
            "apart" => assert!(about(|e| matches!(e, Element::Rule(_))), "{words:?}"),
            "cards" => assert!(about(|e| *e == Element::Resource(0)), "{words:?}"),
            "max-tasks" => assert!(about(|e| *e == Element::MaxTasks), "{words:?}"),
            "contradiction" => assert_eq!(why.conflict.elements.len(), 4, "{words:?}"),
            _ => {}
        }
        minimal += usize::from(why.conflict.minimal);
        assert!(!why.repairs.is_empty(), "{cause}: no repair for {text}");
        for repair in &why.repairs {
            assert!(
                feasible(&repair.change.apply(&instance)),
                "{cause}: {} does not help",
                repair.words
            );
            repaired += 1;
        }
    }
    eprintln!("{minimal} conflicts proven minimal, {repaired} repairs tried");
    assert!(minimal >= 250, "only {minimal}");
}

#[test]
fn explain_speaks_of_instances_plans_and_tasks() {
    let run = |arguments: &[&str]| stowplan().arg("explain").args(arguments).output().unwrap();
    let text = |output: &std::process::Output| String::from_utf8_lossy(&output.stdout).into_owned();
    let output = run(&["data/six-tasks.json", "--one-task-per-node"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("add 2 nodes like"), "{}", text(&output));
    let output = run(&["data/six-tasks.json", "--one-task-per-node", "--output", "json"]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&json["status"], &json["minimal"]), (&json!("infeasible"), &json!(true)));

    let output = run(&["data/train-jobs.json"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output).contains("a100-02 in gpu: 87.50 %"), "{}", text(&output));
    let output = run(&["data/train-jobs.json", "--task", "reward-model"]);
    for want in [
        "is on `a100-01`",
        "a100-03: is drained",
        "lacks gpu_model = A100 or H100",
        "a100-02: lacks 1 card gpu",
    ] {
        assert!(text(&output).contains(want), "{want}: {}", text(&output));
    }
    let output = run(&["data/train-jobs.json", "--task", "reward-modell"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("did you mean `reward-model`"));
}
