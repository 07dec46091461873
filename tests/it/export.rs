//! What is written for other programs: models that other solvers read back.

use std::path::{Path, PathBuf};
use std::process::Command;

use stowplan::ilp::{Availability, Backend};

use crate::helpers::stowplan;

/// Room that should be free on two nodes, one of which no task can go to: what is missing there
/// is a constant of the goal `soft`.
const CONSTANT: &str = r#"{
    "nodes": [
        {"id": "a", "capacity": {"cpu": 8, "memory": 4}},
        {"id": "b", "capacity": {"cpu": 6, "memory": 2}, "labels": {"kind": "old"}}
    ],
    "tasks": [{"id": "t", "demand": {"cpu": 2, "memory": 3}, "avoid": {"kind": "old"}}],
    "ratios": [{"room": "cpu", "with": "memory", "ratio": 1, "price": 1}],
    "goal": "soft"
}"#;

/// Names that no reader of models takes as they are: the first 80 characters of two are alike.
fn odd_names() -> String {
    let long = "long ".repeat(30);
    format!(
        r#"{{"nodes": [{{"id": "e1", "capacity": {{"cpu": 4}}}}, {{"id": "End : \u00e4", "capacity": {{"cpu": 6}}}}],
            "tasks": [{{"id": "{long}1", "demand": {{"cpu": 3}}}}, {{"id": "{long}2", "demand": {{"cpu": 2}}}},
                      {{"id": "free", "demand": {{"cpu": 1}}}}, {{"id": "[x] <= 3 \\ y", "demand": {{"cpu": 1}}}}]}}"#
    )
}

/// The solvers that are here; one that is expected and is not fails the test.
fn readers() -> Vec<Backend> {
    let expected = std::env::var("STOWPLAN_EXPECT_SOLVERS").unwrap_or_default();
    let all = [Backend::Glpk, Backend::Cbc].into_iter();
    all.filter(|solver| match solver.availability() {
        Availability::Missing(what) => {
            assert!(!expected.split(' ').any(|name| name == solver.name()), "{what}");
            eprintln!("skipped {}: {what}", solver.name());
            false
        }
        _ => true,
    })
    .collect()
}

/// The proven optimum that the solver states of the model.
fn optimum(solver: Backend, model: &Path) -> f64 {
    let out = model.with_extension("solution");
    let form = match (solver, model.extension().unwrap() == "lp") {
        (Backend::Glpk, true) => "--lp",
        (Backend::Glpk, false) => "--freemps",
        _ => "",
    };
    let mut command = Command::new(if solver == Backend::Glpk { "glpsol" } else { "cbc" });
    match solver {
        Backend::Glpk => command.arg(form).arg(model).arg("-o").arg(&out),
        _ => command.arg(model).args(["-solve", "-solu"]).arg(&out),
    };
    let log = command.output().unwrap();
    let text = std::fs::read_to_string(&out).unwrap_or_else(|error| {
        panic!("{solver:?} {error}: {}", String::from_utf8_lossy(&log.stdout))
    });
    let value = match solver {
        Backend::Glpk => {
            assert!(text.contains("INTEGER OPTIMAL"), "{text}");
            let line = text.lines().find(|line| line.starts_with("Objective:")).unwrap();
            line.split('=').nth(1).unwrap().split_whitespace().next().unwrap().to_owned()
        }
        _ => {
            let line = text.lines().next().unwrap();
            line.strip_prefix("Optimal - objective value")
                .unwrap_or_else(|| panic!("{line}"))
                .trim()
                .to_owned()
        }
    };
    std::fs::remove_file(&out).unwrap();
    value.parse().unwrap()
}

/// What a tier is multiplied by in the model, as its head says.
fn unit(text: &str) -> f64 {
    let line = text.lines().find(|line| line.contains("objective = ")).unwrap();
    line.split_whitespace().nth(3).unwrap().parse().unwrap()
}

/// Solves with the ILP, then every tier of the goal by every reader in both forms.
fn reads_back(folder: &Path, name: &str, instance: &Path, goal: &str, more: &[&str]) -> usize {
    let plan = folder.join("plan.json");
    let mut solve = stowplan();
    solve.arg("solve").arg(instance).args([
        "--method",
        "ilp",
        "--time-limit",
        "60",
        "--goal",
        goal,
        "--output",
        "json",
        "-o",
    ]);
    solve.arg(&plan).args(more).assert().code(0);
    let found: serde_json::Value = serde_json::from_slice(&std::fs::read(&plan).unwrap()).unwrap();
    assert_eq!(found["status"], "optimal", "{name} {goal}");
    let mut count = 0;
    for (k, tier) in found["goal"].as_array().unwrap().iter().enumerate() {
        for form in ["lp", "mps"] {
            let model: PathBuf = folder.join(format!("model.{form}"));
            let mut export = stowplan();
            export.arg("export").arg(instance).arg(&plan).args(["--goal", goal, "--tier"]);
            export.arg((k + 1).to_string()).arg("-o").arg(&model).args(more).assert().code(0);
            let unit = unit(&std::fs::read_to_string(&model).unwrap());
            let value = tier["value"].as_f64().unwrap();
            for solver in readers() {
                let read = optimum(solver, &model) / unit;
                assert!(
                    (read - value).abs() <= 1e-7 * (1.0 + value.abs()),
                    "{name}, {goal}, tier {}, {form}, {solver:?}: {read}, not {value}",
                    k + 1
                );
                count += 1;
            }
        }
    }
    count
}

#[test]
fn other_solvers_read_the_models_back_and_find_the_same_optimum() {
    let folder = tempfile::tempdir().unwrap();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let written = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let constant = written("constant.json", CONSTANT);
    let odd = written("odd.json", &odd_names());
    let all = ["--allow-unplaced"];
    let cases: [(&str, &Path, &str, &[&str]); 12] = [
        ("train-jobs", &data.join("train-jobs.json"), "peak", &[]),
        ("train-jobs", &data.join("train-jobs.json"), "cost + 2*nodes", &[]),
        ("five-nodes", &data.join("five-nodes.json"), "nodes, peak", &[]),
        ("five-nodes", &data.join("five-nodes.json"), "peak, balance", &[]),
        ("four-nodes", &data.join("four-nodes.json"), "balance", &[]),
        ("four-nodes", &data.join("four-nodes.json"), "demand", &[]),
        ("rules", &data.join("rules.json"), "nodes, soft", &[]),
        ("rules", &data.join("rules.json"), "peak", &[]),
        (
            "six-tasks",
            &data.join("six-tasks.json"),
            "nodes",
            &["--allow-unplaced", "--one-task-per-node"],
        ),
        ("constant", &constant, "soft", &[]),
        ("constant", &constant, "soft + peak", &[]),
        ("odd names", &odd, "peak, nodes", &all),
    ];
    let count: usize = cases
        .iter()
        .map(|(name, path, goal, more)| reads_back(folder.path(), name, path, goal, more))
        .sum();
    assert_eq!(count % readers().len().max(1), 0);
}

/// The constant is what the two nodes lack when nothing is placed on the old one.
#[test]
fn the_objectives_constant_is_a_fixed_column() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("constant.json");
    std::fs::write(&path, CONSTANT).unwrap();
    let text = |form: &str| {
        let output = stowplan().arg("export").arg(&path).args(["--to", form]).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stdout).unwrap()
    };
    let lp = text("lp");
    assert!(lp.contains("+ 4 constant"), "{lp}");
    assert!(lp.contains(" constant = 1\n"), "{lp}");
    let mps = text("mps");
    assert!(mps.contains(" constant objective 4\n"), "{mps}");
    assert!(mps.contains(" FX BOUND constant 1\n"), "{mps}");
}

#[test]
fn what_cannot_be_written_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("nowhere.json");
    std::fs::write(&nowhere, CONSTANT.replace("\"cpu\": 2,", "\"cpu\": 9,")).unwrap();
    let nowhere = nowhere.to_str().unwrap();
    for (arguments, code, message) in [
        (&["data/five-nodes.json"][..], 2, "what to write is not said"),
        (&["data/five-nodes.json", "--to", "lp", "--tier", "2"], 2, "tier 2 needs the values"),
        (&["data/five-nodes.json", "--to", "lp", "--tier", "3"], 2, "there is no tier 3"),
        (&["data/five-nodes.json", "--to", "lp", "--tier", "0"], 2, "there is no tier 0"),
        (&["data/five-nodes.json", "--to", "lp", "--goal", "balance"], 0, "only a plan says"),
        (&[nowhere, "--to", "mps"], 1, "some task has no node"),
        (&["--to", "mps"], 2, "export needs an instance"),
    ] {
        let output = stowplan().arg("export").args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(message), "{arguments:?}: {said}");
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        assert_eq!(output.stdout.is_empty(), code != 0, "{arguments:?}");
    }
}
