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
                format!("{task},{to},,,")
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

/// Plans for `data/rules.json` that break one rule each.
#[test]
fn rules_between_tasks_cards_and_nodes() {
    let good =
        stowplan().args(["solve", "data/rules.json", "--output", "json"]).output().unwrap().stdout;
    let good: serde_json::Value = serde_json::from_slice(&good).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan.json");
    let check = |plan: &serde_json::Value| {
        std::fs::write(&file, plan.to_string()).unwrap();
        let output = stowplan().args(["check", "data/rules.json"]).arg(&file).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let mut bare = good.clone();
    bare.as_object_mut().unwrap().retain(|key, _| key == "assignments" || key == "unplaced");
    assert_eq!(check(&good).0, Some(0));
    // Without cards and units the checker finds them itself.
    let mut plain = bare.clone();
    for entry in plain["assignments"].as_array_mut().unwrap() {
        entry.as_object_mut().unwrap().retain(|key, _| key == "task" || key == "node");
    }
    assert_eq!(check(&plain).0, Some(0), "{}", check(&plain).1);

    let moved = |moves: &[(&str, u64, &str)]| {
        let mut plan = plain.clone();
        let mut seen = std::collections::HashMap::new();
        for entry in plan["assignments"].as_array_mut().unwrap() {
            let task = entry["task"].as_str().unwrap().to_owned();
            let unit = seen.entry(task.clone()).or_insert(0u64);
            if let Some((.., to)) = moves.iter().find(|(t, u, _)| *t == task && u == unit) {
                entry["node"] = (*to).into();
            }
            *unit += 1;
        }
        plan
    };
    for (moves, want) in [
        (&[("pretrain", 0, "b1")][..], "rule: rule `together over rack within pretrain`"),
        (&[("server", 0, "b1"), ("server", 1, "b1")], "(apart): `server[0]`, `server[1]`"),
        (&[("server", 0, "c2"), ("server", 1, "c2"), ("server", 2, "c2")], "at least 2 asked"),
        (&[("indexer", 0, "b1"), ("loader", 0, "b1")], "rule `etl on different nodes` (apart)"),
        (&[("cache", 0, "c2")], "rule `cache beside the loader` (near)"),
        (&[("session-1", 0, "a1"), ("session-2", 0, "b1")], "(together): they are on several"),
        (&[("monitor", 0, "b1")], "pinned: task `monitor` is on node `b1` and is pinned to `b2`"),
        (&[("vision", 0, "a2")], "avoids: task `vision` avoids gpu_model = A100"),
        (&[("cache", 0, "c1")], "tainted: task `cache` does not tolerate the taint team=vision"),
        (
            &[("pretrain", 0, "c2"), ("pretrain", 1, "c2")],
            "capacity: node `c2` carries 8.5 gpu and has 4, 1 of it reserved",
        ),
        (
            &[("pretrain", 0, "a2"), ("pretrain", 1, "a2"), ("pretrain", 2, "a1")],
            "cards: gpu cards of node `a2`: there is no way to deal them out",
        ),
        (
            &[
                ("indexer", 0, "b1"),
                ("server", 0, "b1"),
                ("session-1", 0, "b1"),
                ("session-2", 0, "b1"),
                ("monitor", 0, "b1"),
                ("vision", 0, "b1"),
                ("loader", 0, "b1"),
                ("cache", 0, "b1"),
            ],
            "max-tasks: node `b1` takes 6 tasks and has",
        ),
    ] {
        let (code, text) = check(&moved(moves));
        assert_eq!(code, Some(1), "{want}");
        assert!(text.contains(want), "{want}\n{text}");
    }

    // Half a gang, and cards that are wrong.
    let mut half = plain.clone();
    let list = half["assignments"].as_array_mut().unwrap();
    let at = list.iter().position(|entry| entry["task"] == "pretrain").unwrap();
    list.remove(at);
    half["unplaced"] = serde_json::json!([{ "task": "pretrain", "unit": 2 }]);
    let text = check(&half).1;
    assert!(text.contains("rule `gang pretrain` (gang): 2 of 3 are placed"), "{text}");
    for (devices, want) in [
        (serde_json::json!({"gpu": [0, 1, 2]}), "has 3 and needs 4"),
        (serde_json::json!({"gpu": [0, 1, 2, 9]}), "is on card 9, there is none"),
        (serde_json::json!({"gpu": [0, 0, 1, 2]}), "which there are none of"),
        (serde_json::json!({"cpu": [0]}), "which there are none of"),
    ] {
        let mut plan = bare.clone();
        let list = plan["assignments"].as_array_mut().unwrap();
        let entry = list.iter_mut().find(|entry| entry["task"] == "pretrain").unwrap();
        entry["devices"] = devices;
        let text = check(&plan).1;
        assert!(text.contains("cards: ") && text.contains(want), "{want}\n{text}");
    }
}

/// Tasks that swap nodes: what is transient counts on both while they do.
#[test]
fn transient_resources_count_twice_while_tasks_move() {
    let folder = tempfile::tempdir().unwrap();
    let instance = folder.path().join("i.json");
    let write = |disk: u32, used: u32| {
        let node = |id: &str, used: u32| {
            format!(
                r#"{{"id": "{id}", "capacity": {{"cpu": 9, "disk": {disk}}}, "used": {{"disk": {used}}}}}"#
            )
        };
        let text = format!(
            r#"{{"resources": {{"disk": {{"transient": true}}}}, "nodes": [{}, {}], "tasks": [
                {{"id": "a", "demand": {{"disk": 5}}, "node": "x", "group": "s", "move_cost": 2.5}},
                {{"id": "b", "demand": {{"disk": 4}}, "node": "y", "group": ["s", "u"]}},
                {{"id": "new", "demand": {{"disk": 1, "cpu": 9}}, "group": "u"}}],
                "routes": [{{"from": "x", "to": "y", "cost": 1.25}}],
                "goal": "moves + 10*group_moves"}}"#,
            node("x", used),
            node("y", 0)
        );
        std::fs::write(&instance, text).unwrap();
    };
    let plan = folder.path().join("plan.csv");
    let check = |rows: &str| {
        std::fs::write(&plan, format!("task,node\n{rows}")).unwrap();
        let output = stowplan().arg("check").args([&instance, &plan]).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    write(8, 0);
    let (code, text) = check("a,y\nb,x\nnew,y\n");
    assert_eq!(code, Some(1));
    assert!(
        text.contains(
            "transient: node `x` needs 9 disk while tasks move and has 8; tasks that come: `b`"
        ),
        "{text}"
    );
    assert!(text.contains("transient: node `y` needs 10 disk while tasks move and has 8; tasks that come: `a`, `new`"), "{text}");
    // With room for both at once: 2.5 + 1.25 + 1, and two of group s move.
    write(10, 0);
    let (code, text) = check("a,y\nb,x\nnew,y\n");
    assert_eq!(
        (code, text.as_str()),
        (Some(0), "ok: 3 of 3 tasks placed, moves + 10*group_moves = 24.75\n")
    );
    // A task that stays needs no more than it holds.
    write(8, 3);
    assert_eq!(check("a,x\nb,y\nnew,y\n").0, Some(0));
    assert!(check("a,x\nb,y\nnew,x\n").1.contains("transient: node `x` needs 9 disk"));
    // A task that is left out runs on.
    let (code, text) = check("a,\nb,x\nnew,y\n");
    assert_eq!(code, Some(1));
    assert!(text.contains("transient: node `x` needs 12 disk"), "{text}");
}

/// Room of one resource without room of another costs.
#[test]
fn missing_room_is_counted_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let (instance, plan) = (folder.path().join("i.json"), folder.path().join("plan.csv"));
    let text = r#"{"nodes": [{"id": "x", "capacity": {"cpu": 8, "memory": "1.5"}},
                             {"id": "y", "capacity": {"cpu": 2, "memory": 9}}],
                   "tasks": [{"id": "a", "demand": {"cpu": 2, "memory": 0.25}}],
                   "ratios": [{"room": "cpu", "with": "memory", "ratio": 0.5, "price": 4}]}"#;
    std::fs::write(&instance, text).unwrap();
    // Free cpu 6 asks for 3, 1.25 is free; on y 2 asks for 1, 9 is free. And the reverse.
    for (row, cost) in [("a,x", "soft = 7"), ("a,y", "soft = 10")] {
        std::fs::write(&plan, format!("task,node\n{row}\n")).unwrap();
        let output = stowplan().arg("check").args([&instance, &plan]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.starts_with("ok") && text.contains(cost), "{text}");
    }
}
