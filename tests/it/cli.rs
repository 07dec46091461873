//! Streams, exit codes, files: what a script relies on.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::helpers::stowplan;

const TRAIN: &str = "data/train-jobs.json";

fn raw() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stowplan"));
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

#[test]
fn the_plan_and_nothing_else_goes_to_standard_output() {
    let output = stowplan().args(["solve", TRAIN, "--output", "json", "-v"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap();
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("bound"),
        "progress on standard error"
    );
    let quiet = stowplan().args(["solve", TRAIN, "--output", "json"]).output().unwrap();
    assert!(quiet.stderr.is_empty());
    assert_eq!(quiet.stdout, output.stdout);
}

#[test]
fn equal_runs_are_equal_bytes_and_pipes_have_no_colours() {
    for form in ["table", "json", "csv", "markdown"] {
        let run = |threads: &str| {
            stowplan()
                .args(["solve", TRAIN, "--output", form, "--threads", threads])
                .output()
                .unwrap()
                .stdout
        };
        let one = run("1");
        assert_eq!(one, run("2"), "{form}");
        assert!(!one.contains(&0x1b), "{form} has escape codes");
    }
}

#[test]
fn seconds_appear_only_when_asked_for() {
    let run = |more: &[&str]| {
        let output =
            stowplan().args(["solve", TRAIN, "--output", "json"]).args(more).output().unwrap();
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    assert!(run(&[]).get("timing").is_none());
    assert!(run(&["--timing"])["timing"]["seconds"].as_f64().unwrap() >= 0.0);
}

#[test]
fn standard_input_is_a_dash() {
    let instance =
        std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/data/four-nodes.json")).unwrap();
    stowplan().args(["solve", "-"]).write_stdin(instance).assert().success();
    stowplan().args(["solve", "-"]).write_stdin("").assert().code(2);
}

#[test]
fn exit_codes() {
    let cases: [(&[&str], i32); 9] = [
        (&["solve", TRAIN], 0),
        (&["--help"], 0),
        (&["--version"], 0),
        (&[], 2),
        (&["solve"], 2),
        (&["solve", TRAIN, "--goal", "peek"], 2),
        (&["solve", "data/no-such-file.json"], 2),
        (&["solve", "data/six-tasks.json", "--one-task-per-node"], 1),
        (&["solve", "data/min-load.json", "--method", "min-load", "--order", "shortest-first"], 3),
    ];
    for (arguments, code) in cases {
        let output = stowplan().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
    }
}

#[test]
fn a_refusal_is_json_too() {
    let output = stowplan()
        .args(["solve", "data/six-tasks.json", "--one-task-per-node", "--output", "json"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let refusal: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(refusal["status"], "infeasible");
    assert_eq!(refusal["reason"]["code"], "max-tasks");
    assert!(refusal["reason"]["remedy"].as_str().unwrap().contains("--allow-unplaced"));
}

#[test]
fn unplaced_tasks_carry_reasons() {
    let instance = r#"{"nodes": [{"id": "n", "capacity": {"gpu": 4}, "labels": {"model": "L4"}}],
        "tasks": [{"id": "small", "demand": {"gpu": 3}}, {"id": "also", "demand": {"gpu": 2}},
                  {"id": "huge", "demand": {"gpu": 9}}, {"id": "picky", "requires": {"model": "H100"}}]}"#;
    let output = stowplan()
        .args(["solve", "-", "--allow-unplaced", "--output", "json"])
        .write_stdin(instance)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    let plan: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(plan["goal"][0]["tier"], "unplaced");
    assert_eq!(plan["goal"][0]["value"], 3.0);
    assert_eq!(plan["status"], "optimal");
    let reasons: Vec<(&str, &str)> = plan["unplaced"]
        .as_array()
        .unwrap()
        .iter()
        .map(|u| (u["task"].as_str().unwrap(), u["reason"].as_str().unwrap()))
        .collect();
    assert!(
        reasons.contains(&("huge", "capacity")) && reasons.contains(&("picky", "requires")),
        "{reasons:?}"
    );
    let detail = plan["unplaced"].to_string();
    assert!(detail.contains("needs 9 gpu and the most that is free is 4"), "{detail}");
    assert!(detail.contains("no ready node has model = H100"), "{detail}");
}

#[test]
fn files_are_whole_or_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan.json");
    stowplan()
        .args(["solve", TRAIN, "--output", "json", "-o"])
        .arg(&file)
        .assert()
        .success()
        .stdout("");
    let whole = std::fs::read_to_string(&file).unwrap();
    serde_json::from_str::<serde_json::Value>(&whole).unwrap();
    stowplan().args(["check", TRAIN]).arg(&file).assert().success();
    // A run that fails leaves the file as it was.
    stowplan().args(["solve", TRAIN, "--goal", "peek", "-o"]).arg(&file).assert().code(2);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), whole);
    stowplan().args(["solve", TRAIN, "-o", "no/such/folder/plan.json"]).assert().code(2);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = raw().args(["solve", TRAIN]).stdout(full()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("<stdout>: No space left"));
    stowplan().args(["solve", TRAIN, "-o", "/dev/full"]).assert().code(2);
}

#[test]
fn a_closed_pipe_is_an_error_and_no_panic() {
    let mut child = raw()
        .args(["generate", "uniform", "--tasks", "100000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut some = [0; 10];
    let mut pipe = child.stdout.take().unwrap();
    pipe.read_exact(&mut some).unwrap();
    drop(pipe);
    let output = child.wait_with_output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("closed before everything was written"), "{message}");
    assert!(!message.contains("panicked"), "{message}");
}

#[cfg(unix)]
#[test]
fn an_interrupt_prints_the_best_plan_so_far() {
    let hard = stowplan()
        .args(["generate", "uniform", "--tasks", "60", "--nodes", "12"])
        .output()
        .unwrap()
        .stdout;
    let mut child = raw()
        .args(["solve", "-", "--method", "ilp", "--time-limit", "300", "--output", "json", "-v"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&hard).unwrap();
    // The first line of progress says that a plan is in hand.
    let mut errors = child.stderr.take().unwrap();
    let mut byte = [0];
    errors.read_exact(&mut byte).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(200));
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let plan: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(plan["assignments"].as_array().unwrap().len(), 60);
    assert!(plan["goal"][0]["bound"].as_f64().unwrap() > 0.0);
}

#[test]
fn comparisons_fail_a_build() {
    let run = |threshold: &str| {
        stowplan()
            .args([
                "compare",
                TRAIN,
                "data/six-tasks.json",
                "--methods",
                "ilp,min-load,round-robin",
            ])
            .args(["--fail-above", threshold])
            .output()
            .unwrap()
    };
    let held = run("min-load:gap_to_reference>5%");
    assert_eq!(held.status.code(), Some(0), "{}", String::from_utf8_lossy(&held.stdout));
    let broken = run("round-robin:peak>80%");
    assert_eq!(broken.status.code(), Some(1));
    let message = String::from_utf8_lossy(&broken.stderr).into_owned();
    assert!(
        message.contains("failed: data/train-jobs.json with round-robin: peak is 0.875"),
        "{message}"
    );
    assert_eq!(run("gab>5%").status.code(), Some(2));
}

#[test]
fn comparisons_in_every_form() {
    for (form, want) in [
        ("table", "reference: auto"),
        ("json", "\"reference\": \"auto\""),
        ("csv", "instance,method,status,tier,value,bound,gap"),
        ("markdown", "| instance | rank | method |"),
    ] {
        let output = stowplan()
            .args(["compare", "data/four-nodes.json", "--output", form])
            .output()
            .unwrap();
        assert!(output.status.success());
        assert!(String::from_utf8_lossy(&output.stdout).contains(want), "{form}");
    }
}

#[test]
fn large_plans_are_listed_by_node_unless_the_matrix_is_insisted_on() {
    let instance = stowplan()
        .args(["generate", "uniform", "--tasks", "80", "--nodes", "5"])
        .output()
        .unwrap()
        .stdout;
    let run = |more: &[&str]| {
        let output = stowplan()
            .args(["solve", "-", "--method", "min-load"])
            .args(more)
            .write_stdin(instance.clone())
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(run(&[]).contains("matrix hidden (80 x 5 is too wide"));
    assert!(run(&["--matrix"]).contains("  t79 "));
}

#[test]
fn tables_of_policies_and_solvers() {
    let list = stowplan().arg("policies").output().unwrap();
    let text = String::from_utf8(list.stdout).unwrap();
    for policy in stowplan::policy::POLICIES {
        assert!(text.contains(policy.name) && text.contains(policy.help));
    }
    let list = stowplan().arg("solvers").output().unwrap();
    let text = String::from_utf8(list.stdout).unwrap();
    assert!(text.contains("microlp") && text.contains("yes, embedded"), "{text}");
    // A solver that is not there is said to be missing, whatever the method.
    let missing = stowplan()
        .args(["solve", TRAIN, "--solver", "gurobi"])
        .env("PATH", "/nowhere")
        .output()
        .unwrap();
    assert_eq!(missing.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("solver `gurobi` is not available"));
}

/// What a file is called says what is written into it, with every command.
#[test]
fn the_name_of_the_file_says_the_form() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let run = |args: &[&str]| {
        let output = stowplan().args(args).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let instance = "data/four-nodes.json";
    let plan = at("plan.json");
    assert_eq!(run(&["solve", instance, "-q", "-o", &plan]), (Some(0), String::new()));
    let json = |name: &str| -> serde_json::Value {
        serde_json::from_str(&std::fs::read_to_string(at(name)).unwrap()).unwrap()
    };
    assert_eq!(json("plan.json")["status"], "optimal");
    let begins = |name: &str, with: &str| {
        let text = std::fs::read_to_string(at(name)).unwrap();
        assert!(text.starts_with(with), "{name}: {text}");
    };
    for (name, with) in [
        ("plan.csv", "task,"),
        ("plan.MD", "**Plan: "),
        ("plan.html", "<!doctype html>"),
        ("plan.txt", "Plan: "),
        ("plan", "Plan: "),
    ] {
        assert_eq!(run(&["solve", instance, "-q", "-o", &at(name)]).0, Some(0), "{name}");
        begins(name, with);
    }
    for (args, name) in [
        (vec!["check", instance, &plan], "verdict.json"),
        (vec!["explain", instance, &plan], "why.json"),
        (vec!["compare", instance, "--methods", "min-load"], "rows.json"),
        (vec!["survive", instance, &plan], "failures.json"),
    ] {
        let (code, text) = run(&[&args[..], &["-o", &at(name)]].concat());
        assert!(code.is_some_and(|code| code < 2), "{args:?}: {text}");
        assert!(json(name).is_object(), "{name}");
    }
    assert_eq!(json("verdict.json")["status"], "ok");
    let (code, text) = run(&["solve", instance, "-o", &at("plan.xlsx")]);
    assert!(code == Some(2) && text.contains("end it in .txt, .json, .csv"), "{text}");
    let (code, text) = run(&["check", instance, &plan, "-o", &at("verdict.svg")]);
    assert!(code == Some(2) && text.contains("there is no svg of verdicts"), "{text}");
    assert!(!folder.path().join("plan.xlsx").exists());
    assert_eq!(run(&["solve", instance, "--output", "json", "-o", &at("plan.out")]).0, Some(0));
    assert_eq!(json("plan.out")["status"], "optimal");
    // A verdict of a plan that breaks rules is an answer too, and fits its contract.
    let bad = at("bad.csv");
    std::fs::write(&bad, "task,node\nnobody,nowhere\n").unwrap();
    assert_eq!(run(&["check", instance, &bad, "-o", &at("bad.json")]).0, Some(1));
    let schema = stowplan().args(["schema", "verdict"]).output().unwrap().stdout;
    let schema: serde_json::Value = serde_json::from_slice(&schema).unwrap();
    for name in ["verdict.json", "bad.json"] {
        assert!(jsonschema::is_valid(&schema, &json(name)), "{name}");
    }
    assert_eq!(json("bad.json")["violations"][0]["code"], "unknown-task");
}

/// Each of two tasks may come only after the other, by another spread each.
#[test]
fn what_no_order_of_single_placements_reaches_is_said() {
    let case = json!({
        "nodes": [
            {"id": "n1", "capacity": {"cpu": 1}, "labels": {"zone": "z1", "rack": "r1"}},
            {"id": "n2", "capacity": {"cpu": 1}, "labels": {"zone": "z2", "rack": "r2"}},
        ],
        "tasks": [
            {"id": "p", "demand": {"cpu": 1}, "requires": {"zone": "z1"}},
            {"id": "q", "demand": {"cpu": 1}, "requires": {"zone": "z2"}},
        ],
        "rules": [
            {"rule": "spread", "tasks": ["p", "q"], "over": "zone", "max_skew": 1, "present": {"z1": 1}},
            {"rule": "spread", "tasks": ["p", "q"], "over": "rack", "max_skew": 1, "present": {"r2": 1}},
        ],
    });
    let said = |case: &Value| {
        let told = stowplan().args(["solve", "-"]).write_stdin(case.to_string()).output().unwrap();
        assert!(told.status.success());
        String::from_utf8(told.stderr).unwrap()
    };
    assert!(said(&case).contains("2 tasks, `p` among them, cannot be placed one after the other"));
    // Without the second spread `q` comes first.
    let mut one = case.clone();
    one["rules"].as_array_mut().unwrap().truncate(1);
    assert!(!said(&one).contains("one after the other"));
}
