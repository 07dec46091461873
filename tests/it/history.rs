//! Earlier runs: what is learned of them, and what instances make of it.

use serde_json::Value;

use crate::helpers::stowplan;

struct Folder(tempfile::TempDir);

impl Folder {
    fn with(files: &[(&str, &str)]) -> Folder {
        let folder = tempfile::tempdir().unwrap();
        files
            .iter()
            .for_each(|(name, text)| std::fs::write(folder.path().join(name), text).unwrap());
        Folder(folder)
    }

    fn run(&self, args: &[&str]) -> (Option<i32>, String, String) {
        let output = stowplan().current_dir(self.0.path()).args(args).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }
}

const RUNS: &str = include_str!("../../data/runs.csv");

#[test]
fn what_was_learned_is_printed_with_its_samples() {
    let folder = Folder::with(&[("runs.csv", RUNS)]);
    let (code, text, _) = folder.run(&["learn", "runs.csv", "--output", "json"]);
    assert_eq!(code, Some(0));
    let doc: Value = serde_json::from_str(&text).unwrap();
    let kinds = doc["kinds"].as_array().unwrap();
    let names: Vec<&str> = kinds.iter().map(|kind| kind["kind"].as_str().unwrap()).collect();
    assert_eq!(names, ["eval", "export", "probe", "train"]);
    let train = &kinds[3];
    // Drawn around 7,200 s and 8 cpu, with one run of a day among them.
    let seconds = train["seconds"]["mean"].as_f64().unwrap();
    assert!((6_500.0..7_900.0).contains(&seconds), "{seconds}");
    assert!((7.0..9.0).contains(&train["demand"]["cpu"]["mean"].as_f64().unwrap()));
    let runs = RUNS.lines().filter(|line| line.starts_with("train,")).count();
    assert_eq!(train["runs"], runs);
    let speed = |node: &str| {
        let nodes = doc["nodes"].as_array().unwrap();
        let of = nodes.iter().find(|known| known["node"] == node).unwrap();
        of["speed"].as_f64().unwrap()
    };
    assert!(speed("C") / speed("A") > 1.3 && speed("D") / speed("A") < 0.95, "{text}");
    let ignored = doc["ignored"].to_string();
    for word in ["1 rows without a kind", "1 runs of 0 seconds", "speed of `E`"] {
        assert!(ignored.contains(word), "{ignored} lacks {word}");
    }
    let (_, table, _) = folder.run(&["learn", "runs.csv"]);
    assert!(table.contains("left out: ") && table.contains("export"), "{table}");
    let (_, csv, _) = folder.run(&["learn", "runs.csv", "--output", "csv"]);
    assert!(csv.starts_with("name,figure,runs,middle,spread\n"), "{csv}");
}

#[test]
fn instances_take_over_what_their_kinds_used() {
    let instance = r#"{"nodes": [{"id": "A", "capacity": {"cpu": 32, "gpu": 2}}],
        "resources": {"gpu": {"devices": true}},
        "tasks": [{"id": "train-7", "demand": {"cpu": 1, "gpu": 1}}, {"id": "x", "key": "eval"},
                  {"id": "other", "demand": {"cpu": 3}}]}"#;
    let folder = Folder::with(&[("i.json", instance), ("runs.csv", RUNS)]);
    let args = ["convert", "i.json", "--history", "runs.csv", "--to", "json"];
    let (code, text, warnings) = folder.run(&args);
    assert_eq!(code, Some(0), "{warnings}");
    let doc: Value = serde_json::from_str(&text).unwrap();
    let tasks = doc["tasks"].as_array().unwrap();
    let mean = |k: usize| tasks[k]["demand"]["cpu"]["mean"].as_f64().unwrap();
    // Two runs' weight for the 1 that the task says itself.
    assert!((5.5..8.5).contains(&mean(0)), "{text}");
    assert!((1.5..2.6).contains(&mean(1)), "{text}");
    assert!(tasks[0]["demand"]["cpu"]["sd"].as_f64().unwrap() > 0.3);
    assert_eq!(tasks[0]["demand"]["gpu"], 1);
    assert_eq!(tasks[2]["demand"]["cpu"], 3);
    assert!(tasks[0]["duration"].as_i64().unwrap() > 6_000, "{text}");
    for word in ["1 of 3 tasks are of no kind that ran", "`memory` is no resource"] {
        assert!(warnings.contains(word), "{warnings} lacks {word}");
    }
    // The spread feeds the risk.
    let args = ["solve", "i.json", "--history", "runs.csv", "--risk", "1%", "--output", "json"];
    let (code, text, warnings) = folder.run(&args);
    assert_eq!(code, Some(0), "{warnings}");
    let plan: Value = serde_json::from_str(&text).unwrap();
    assert!(plan["metrics"]["overload"]["chance"].as_f64().unwrap() <= 0.01, "{text}");
}

#[test]
fn tables_that_are_none_say_so() {
    for (runs, wanted) in [
        ("kind\na\n", "there is nothing to learn in these columns"),
        ("job,seconds\na,1\n", "needs a column `kind`"),
        ("kind,seconds\na,-1\n", "line 2, column `seconds`"),
        ("kind,seconds\na,soon\n", "line 2, column `seconds`"),
        ("kind,seconds\na,1e308\n", "line 2, column `seconds`"),
        ("kind,seconds\na\n", "this row has 1 cell"),
        ("kind,seconds\n", "no rows"),
        ("", "empty"),
    ] {
        let folder = Folder::with(&[("runs.csv", runs)]);
        let (code, out, error) = folder.run(&["learn", "runs.csv"]);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{runs:?}");
        assert!(error.contains(wanted), "{runs:?}: {error}");
    }
}
