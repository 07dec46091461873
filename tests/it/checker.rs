//! Every rule of the checker, broken once.

use crate::helpers::stowplan;

/// Checks a plan of `assignments` for an instance and returns exit code and
/// standard output.
fn check(instance: &str, assignments: &[(&str, &str)], more: &str) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let list: Vec<String> = assignments
        .iter()
        .map(|(task, node)| format!(r#"{{"task": "{task}", "node": "{node}"}}"#))
        .collect();
    let plan = folder.path().join("plan.json");
    std::fs::write(&plan, format!(r#"{{"assignments": [{}]{more}}}"#, list.join(", "))).unwrap();
    let output = stowplan().args(["check", instance]).arg(&plan).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code(), text + &String::from_utf8_lossy(&output.stderr))
}

const FOUR: &str = "data/four-nodes.json";
const GOOD: [(&str, &str); 3] = [("t1", "n2"), ("t2", "n1"), ("t3", "n3")];

#[test]
fn a_good_plan_passes() {
    let (code, text) = check(FOUR, &GOOD, "");
    assert_eq!((code, text.as_str()), (Some(0), "ok: 3 of 3 tasks placed, peak = 0.5\n"));
}

#[test]
fn each_violation_is_named_with_its_amounts() {
    /// Instance, assignments, further keys of the plan, what must be said.
    type Case = (&'static str, &'static [(&'static str, &'static str)], &'static str, &'static str);
    let cases: [Case; 9] = [
        (
            FOUR,
            &[("t1", "n2"), ("t2", "n4"), ("t3", "n3")],
            "",
            "capacity: node `n4` carries 4 cpu and has 2; tasks there: `t2`",
        ),
        (FOUR, &[("t1", "n2"), ("t2", "n1")], "", "not-placed: task `t3` has no node"),
        (
            FOUR,
            &[("t1", "n2"), ("t2", "n1"), ("t3", "n3"), ("t3", "n4")],
            "",
            "twice: task `t3` appears more than once",
        ),
        (
            FOUR,
            &[("t1", "n2"), ("t2", "n1"), ("t3", "n3"), ("tt3", "n4")],
            "",
            "unknown-task: the instance has no task `tt3` (did you mean `t3`?)",
        ),
        (
            FOUR,
            &[("t1", "n2"), ("t2", "n1"), ("t3", "n33")],
            "",
            "unknown-node: task `t3` is placed on `n33`, which the instance does not have (did you mean `n3`?)",
        ),
        (
            FOUR,
            &GOOD,
            r#", "goal": [{"tier": "peak", "value": 0.4, "bound": 0.4}]"#,
            "value: the plan states peak = 0.4, it is 0.5",
        ),
        (
            FOUR,
            &GOOD,
            r#", "goal": [{"tier": "peak", "value": 0.5, "bound": 0.6}]"#,
            "bound: the plan states a bound of 0.6 on peak, above its value 0.5",
        ),
        (
            FOUR,
            &GOOD,
            r#", "goal": [{"tier": "beauty", "value": 0.5}]"#,
            "tier: the plan states a goal `beauty`, which there is none of",
        ),
        (
            FOUR,
            &[("t1", "n2"), ("t2", "n1")],
            r#", "unplaced": [{"task": "t9"}]"#,
            "unknown-task: the instance has no task `t9`",
        ),
    ];
    for (instance, assignments, more, want) in cases {
        let (code, text) = check(instance, assignments, more);
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains(want), "wanted: {want}\ngot: {text}");
    }
}

#[test]
fn labels_and_states() {
    let output =
        stowplan().args(["solve", "data/train-jobs.json", "--output", "csv"]).output().unwrap();
    let plan = String::from_utf8(output.stdout).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan.csv");
    let moved = |task: &str, to: &str| {
        let lines = plan.lines().map(|line| {
            if line.starts_with(&format!("{task},")) {
                format!("{task},{to},,")
            } else {
                line.to_owned()
            }
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    for (task, to, want) in [
        ("tokenizer", "a100-03", "state: task `tokenizer` is on node `a100-03`, which is drained"),
        (
            "reward-model",
            "l40s-01",
            "requires: task `reward-model` requires gpu_model = A100 or H100 and node `l40s-01` has L40S",
        ),
    ] {
        std::fs::write(&file, moved(task, to)).unwrap();
        let output =
            stowplan().args(["check", "data/train-jobs.json"]).arg(&file).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(1));
        assert!(text.contains(want), "{text}");
    }
}

#[test]
fn one_task_a_node() {
    let folder = tempfile::tempdir().unwrap();
    let plan = folder.path().join("plan.csv");
    std::fs::write(&plan, "task,node\nt1,n1\nt2,n1\nt3,n3\n").unwrap();
    let run =
        |more: &[&str]| stowplan().args(["check", FOUR]).arg(&plan).args(more).output().unwrap();
    assert_eq!(run(&[]).status.code(), Some(0));
    let output = run(&["--one-task-per-node"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&output.stdout)
            .contains("node `n1` takes one task and has `t1`, `t2`")
    );
}

#[test]
fn overfull_nodes_are_not_the_plans_fault_until_it_adds_to_them() {
    let folder = tempfile::tempdir().unwrap();
    let instance = folder.path().join("i.json");
    std::fs::write(
        &instance,
        r#"{"nodes": [{"id": "full", "capacity": {"cpu": 4}, "used": {"cpu": 5}}, {"id": "free", "capacity": {"cpu": 4}}],
            "tasks": [{"id": "t", "demand": {"cpu": 1}}, {"id": "idle"}]}"#,
    )
    .unwrap();
    let plan = folder.path().join("plan.csv");
    for (rows, code) in [("t,free\nidle,full\n", 0), ("t,full\nidle,free\n", 1)] {
        std::fs::write(&plan, format!("task,node\n{rows}")).unwrap();
        let output = stowplan().arg("check").args([&instance, &plan]).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{rows}");
    }
    let output = stowplan().arg("solve").arg(&instance).output().unwrap();
    assert!(output.status.success());
}
