//! What is written reads back, and what is printed keeps the published schema.

use serde_json::Value;

use crate::helpers::stowplan;

fn json(arguments: &[&str]) -> Value {
    let output = stowplan().args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn digest(arguments: &[&str]) -> Value {
    // The goal is no part of it, and policies plan without time.
    let mut all = vec!["solve", "--output", "json", "--allow-unplaced", "--method", "best-fit"];
    all.extend(["--goal", "peak"]);
    all.extend(arguments);
    json(&all)["instance"]["digest"].clone()
}

const INSTANCES: [&str; 8] = [
    "data/rules.json",
    "data/train-jobs.json",
    "data/four-nodes.json",
    "data/six-tasks.json",
    "data/min-load.json",
    "data/weighted-load.json",
    "data/utilisation.json",
    "data/five-nodes.json",
];

#[test]
fn instances_survive_json_and_csv() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for instance in INSTANCES {
        let before = digest(&[instance]);
        stowplan().args(["convert", instance, "-o", &path("i.json")]).assert().success();
        assert_eq!(digest(&[&path("i.json")]), before, "{instance} through JSON");
        stowplan()
            .args(["convert", instance, "--to", "csv", "-o", &path("tables")])
            .assert()
            .success();
        let [tasks, nodes, pairs, rules] =
            ["tasks", "nodes", "pairs", "rules"].map(|name| path(&format!("tables/{name}.csv")));
        let mut tables = vec!["--tasks", &tasks, "--nodes", &nodes];
        for (flag, file) in [("--pairs", &pairs), ("--rules", &rules)] {
            if std::path::Path::new(file).exists() {
                tables.extend([flag, file]);
            }
        }
        assert_eq!(digest(&tables), before, "{instance} through CSV");
        std::fs::remove_dir_all(path("tables")).unwrap();
    }
}

#[test]
fn generated_instances_of_every_kind_survive_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for kind in stowplan::generate::KINDS {
        let size = ["--tasks", "20", "--nodes", "5", "--priced", "--seed", "3"];
        stowplan()
            .args(["generate", kind.name, "-o", &path("i.json")])
            .args(size)
            .assert()
            .success();
        stowplan().args(["generate", kind.name, "--csv", &path("t")]).args(size).assert().success();
        let (tasks, nodes, pairs) = (path("t/tasks.csv"), path("t/nodes.csv"), path("t/pairs.csv"));
        let mut tables = vec!["--tasks", &tasks, "--nodes", &nodes];
        if std::path::Path::new(&pairs).exists() {
            tables.extend(["--pairs", &pairs]);
        }
        assert_eq!(digest(&[&path("i.json")]), digest(&tables), "{}", kind.name);
        std::fs::remove_dir_all(path("t")).unwrap();
    }
}

#[test]
fn real_outputs_keep_the_schemas() {
    let plan = jsonschema::validator_for(&json(&["schema", "plan"])).unwrap();
    let instance = jsonschema::validator_for(&json(&["schema", "instance"])).unwrap();
    for file in INSTANCES {
        let text =
            std::fs::read_to_string(format!("{}/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let document: Value = serde_json::from_str(&text).unwrap();
        assert!(
            instance.is_valid(&document),
            "{file}: {:?}",
            instance.iter_errors(&document).next()
        );
        let written = json(&["convert", file]);
        assert!(instance.is_valid(&written), "{file}: {:?}", instance.iter_errors(&written).next());
        for more in [&["--timing"][..], &["--allow-unplaced"], &["--goal", "cost + 2*nodes, peak"]]
        {
            let mut arguments = vec!["solve", file, "--output", "json"];
            arguments.extend(more);
            let document = json(&arguments);
            assert!(plan.is_valid(&document), "{file}: {:?}", plan.iter_errors(&document).next());
        }
    }
    assert!(!instance.is_valid(&serde_json::json!({"nodes": [], "tasks": [], "unknown": 1})));
}

#[test]
fn every_printed_form_passes_the_checker() {
    let folder = tempfile::tempdir().unwrap();
    for (form, file) in [("json", "p.json"), ("csv", "p.csv")] {
        let plan = folder.path().join(file);
        stowplan()
            .args(["solve", "data/train-jobs.json", "--output", form, "-o"])
            .arg(&plan)
            .assert()
            .success();
        stowplan().args(["check", "data/train-jobs.json"]).arg(&plan).assert().success();
    }
}

#[test]
fn names_do_no_harm() {
    let names = [
        "=cmd()",
        "+1",
        "-2",
        "@x",
        "'=quoted",
        "a|b*c",
        "<script>alert(1)</script>",
        "naïve-任务",
        "a,b\"c",
    ];
    let tasks: Vec<Value> =
        names.iter().map(|n| serde_json::json!({"id": n, "demand": {"cpu": 1}})).collect();
    let instance =
        serde_json::json!({"nodes": [{"id": "=n", "capacity": {"cpu": 99}}], "tasks": tasks})
            .to_string();
    let folder = tempfile::tempdir().unwrap();
    let (file, plan) = (folder.path().join("i.json"), folder.path().join("p.csv"));
    std::fs::write(&file, instance).unwrap();
    stowplan()
        .arg("solve")
        .arg(&file)
        .args(["--output", "csv", "-o"])
        .arg(&plan)
        .assert()
        .success();
    let text = std::fs::read_to_string(&plan).unwrap();
    assert!(!text.lines().any(|line| line.starts_with(['=', '+', '-', '@'])), "{text}");
    stowplan().arg("check").args([&file, &plan]).assert().success();
    let output =
        stowplan().arg("solve").arg(&file).args(["--output", "markdown"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("&lt;script&gt;") && !text.contains("<script>") && text.contains("a\\|b\\*c"),
        "{text}"
    );
}

/// Names that a spreadsheet would run are written so that it does not, and read back as they were.
#[test]
fn formulas_in_names_survive_tables_and_plans() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let text = r#"{"schema_version": 1, "resources": {"=cpu": {}},
        "nodes": [{"id": "@n", "capacity": {"=cpu": 9}, "labels": {"-l": "+v"}}, {"id": "'-7", "capacity": {"=cpu": 9}}],
        "tasks": [{"id": "=cmd()", "demand": {"=cpu": 1}}, {"id": "+1", "demand": {"=cpu": 1}, "requires": {"-l": "+v"}},
                  {"id": "'=x", "demand": {"=cpu": 1}, "priority": -5}]}"#;
    std::fs::write(path("i.json"), text).unwrap();
    let before = digest(&[&path("i.json")]);
    let convert = ["convert", &path("i.json"), "--to", "csv", "-o", &path("tables")];
    stowplan().args(convert).assert().success();
    let [tasks, nodes] = ["tasks", "nodes"].map(|name| path(&format!("tables/{name}.csv")));
    assert_eq!(digest(&["--tasks", &tasks, "--nodes", &nodes]), before);
    let solve = ["solve", &path("i.json"), "--output", "csv", "-o", &path("plan.csv")];
    stowplan().args(solve).assert().success();
    stowplan().args(["check", &path("i.json"), &path("plan.csv")]).assert().success();
    for file in [tasks, nodes, path("plan.csv")] {
        let text = std::fs::read_to_string(&file).unwrap();
        let mut cells = text.lines().flat_map(|line| line.split(','));
        let active = cells.find(|cell| cell.starts_with(['=', '+', '@', '-']) && *cell != "-5");
        assert_eq!(active, None, "{file}");
    }
}
