//! Numbers, counts and texts that nobody means: refused by name, at once, and whatever is written
//! goes where it was to go.

use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::helpers::stowplan;

/// Runs the program, which answers at once.
fn run(arguments: &[&str], input: &str) -> Output {
    let begun = Instant::now();
    let output = stowplan()
        .args(arguments)
        .write_stdin(input.to_owned())
        .timeout(Duration::from_secs(60))
        .output()
        .unwrap();
    assert!(begun.elapsed() < Duration::from_secs(30), "{arguments:?}");
    output
}

/// Exit 2, with words of bounded length that hold these.
fn refused(output: &Output, wants: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.chars().count() < 4_000, "{} characters: {said:.200}", said.len());
    wants.iter().for_each(|want| assert!(said.contains(want), "{said}\nlacks {want}"));
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

const SIGNS: usize = 40_000;

#[test]
fn long_quantities_in_json_are_refused() {
    let fields = [
        r#""nodes[0].capacity.cpu""#,
        r#""nodes[0].used.cpu""#,
        r#""nodes[0].reserve.cpu""#,
        r#""nodes[0].safety.cpu""#,
        r#""nodes[0].price""#,
        r#""nodes[0].price_per_hour""#,
        r#""nodes[0].weight""#,
        r#""nodes[0].response_time""#,
        r#""nodes[0].speed""#,
        r#""nodes[0].available_at""#,
        r#""tasks[0].demand.cpu""#,
        r#""tasks[0].duration""#,
        r#""tasks[0].release""#,
        r#""tasks[0].move_cost""#,
        r#""tasks[0].weight""#,
        r#""pairs[0].cost""#,
        r#""pairs[0].demand.cpu""#,
        r#""risk""#,
        r#""goal""#,
        r#""start""#,
    ];
    for field in fields {
        let field = field.trim_matches('"');
        for sign in ["-", "9", "0.", "e"] {
            let mut instance = json!({
                "nodes": [{"id": "n", "capacity": {"cpu": 9}, "used": {}, "reserve": {}, "safety": {}}],
                "tasks": [{"id": "t", "demand": {"cpu": 1}}],
                "pairs": [{"task": "t", "node": "n", "demand": {}}],
            });
            let pointer = format!("/{}", field.replace(['.', '['], "/").replace(']', ""));
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            instance.pointer_mut(parent).unwrap()[key] = json!(sign.repeat(SIGNS));
            refused(
                &run(&["solve", "-"], &instance.to_string()),
                &["error: <stdin>: line 1 column"],
            );
        }
        if field.ends_with(".cpu") {
            let number = "9".repeat(SIGNS);
            let text =
                json!({"nodes": [{"id": "n", "capacity": {"cpu": 7}}], "tasks": [{"id": "t"}]});
            let text = text.to_string().replace('7', &number);
            refused(&run(&["solve", "-"], &text), &["out of range"]);
        }
    }
}

#[test]
fn long_quantities_in_tables_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| write(folder.path(), name, text);
    for sign in ["-", "9", "."] {
        let long = sign.repeat(SIGNS);
        let good = file("nodes.csv", "node,cpu\nn,9\n");
        for column in
            ["cpu", "duration", "weight", "move_cost", "sd:cpu", "replicas", "priority", "release"]
        {
            let cpu = if column == "cpu" { "" } else { ",cpu" };
            let value = if column == "cpu" { "" } else { ",1" };
            let tasks = file("tasks.csv", &format!("task,{column}{cpu}\nt,{long}{value}\n"));
            let output = run(&["solve", "--tasks", &tasks, "--nodes", &good], "");
            refused(&output, &[&format!("line 2, column `{column}`")]);
        }
        let tasks = file("tasks.csv", "task,cpu\nt,1\n");
        for column in
            ["cpu", "used:cpu", "reserve:cpu", "price", "response_time", "max_tasks", "speed"]
        {
            let cpu = if column == "cpu" { "" } else { ",cpu" };
            let value = if column == "cpu" { "" } else { ",1" };
            let nodes = file("nodes.csv", &format!("node,{column}{cpu}\nn,{long}{value}\n"));
            let output = run(&["solve", "--tasks", &tasks, "--nodes", &nodes], "");
            refused(&output, &[&format!("line 2, column `{column}`")]);
        }
        let runs = file("runs.csv", &format!("kind,node,seconds,cpu\nt,n,7,{long}\n"));
        let samples = file("samples.csv", &format!("task,cpu\nt,1\nt,{long}\n"));
        let nodes = file("nodes.csv", "node,cpu\nn,9\n");
        let both = ["--tasks", &tasks, "--nodes", &nodes];
        refused(&run(&["learn", &runs], ""), &["line 2, column `cpu`"]);
        for (option, table) in [("--history", &runs), ("--samples", &samples)] {
            refused(
                &run(&[&["solve"], &both[..], &[option, table]].concat(), ""),
                &["column `cpu`"],
            );
        }
        for option in ["--risk", "--headroom", "--time-limit", "--start-date"] {
            let given = format!("{option}={long}");
            refused(&run(&[&["solve"], &both[..], &[&given]].concat(), ""), &["error"]);
        }
    }
}

/// Large numbers are read exactly or refused, never rounded.
#[test]
fn numbers_are_exact_or_refused() {
    let around = |number: &str| {
        format!(
            r#"{{"nodes": [{{"id": "n", "capacity": {{"cpu": {number}}}}}], "tasks": [{{"id": "t", "demand": {{"cpu": {number}}}}}]}}"#
        )
    };
    for number in ["999999999999999999", "\"123456789012345678\"", "\"12345678901234567.8\"", "0.1"]
    {
        let output = run(&["convert", "-"], &around(number));
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.contains(number.trim_matches('"')), "{number}: {said}");
    }
    for (number, wants) in [
        ("1152921504606846975", "at most 18 digits"),
        ("\"1152921504606846975\"", "at most 18 digits"),
        ("123456789012345678.5", "more digits than JSON numbers keep"),
        ("1152921504606.846975", "more digits than JSON numbers keep"),
        ("0.12345678901234567890", "more digits than JSON numbers keep"),
        ("1e400", "out of range"),
    ] {
        refused(&run(&["convert", "-"], &around(number)), &[wants]);
    }
    let plain = around("9");
    for goal in ["1152921504606846975*cost", "moved <= 1152921504606846975", "1e999*cost"] {
        refused(&run(&["solve", "-", "--goal", goal], &plain), &["at most 15 digits"]);
    }
    for (field, value) in [
        ("priority", "9223372036854775808"),
        ("replicas", "1152921504606846975"),
        ("duration", "1152921504606846975"),
        ("due", "1152921504606846975"),
        ("weight", "1152921504606846975"),
        ("move_cost", "1152921504606846975"),
    ] {
        let text = plain.replace(r#""id": "t""#, &format!(r#""id": "t", "{field}": {value}"#));
        refused(&run(&["solve", "-"], &text), &[&format!("tasks[0].{field}")]);
    }
}

/// Gangs are counted before anything is made of them.
#[test]
fn gangs_without_number_are_refused_by_name() {
    let gang = |replicas: u64| {
        json!({"nodes": [{"id": "n", "capacity": {"cpu": 9}}],
               "tasks": [{"id": "a", "demand": {"cpu": 1}, "replicas": replicas}]})
        .to_string()
    };
    for command in [
        &["solve", "-"][..],
        &["solve", "-", "--timed"],
        &["convert", "-"],
        &["explain", "-"],
        &["export", "-", "--to", "lp"],
        &["split", "-", "--parts", "1", "-o", "/nowhere"],
    ] {
        for replicas in [10_000_001, 1_000_000_000, u64::from(u32::MAX)] {
            let wants =
                [format!("with the {replicas} units of `a`"), "10000000 is the most".to_owned()];
            let output = run(command, &gang(replicas));
            refused(&output, &wants.each_ref().map(String::as_str));
        }
    }
    let all: Vec<_> = (0..6)
        .map(|k| json!({"id": format!("g{k}"), "demand": {"cpu": 1}, "replicas": 2_000_000}))
        .collect();
    let all = json!({"nodes": [{"id": "n", "capacity": {"cpu": 9}}], "tasks": all}).to_string();
    refused(
        &run(&["convert", "-"], &all),
        &["tasks[5].replicas: with the 2000000 units of `g5` the instance has 12000000 tasks"],
    );
    let name = "x".repeat(10_000);
    let long = gang(1_000_000).replace("\"a\"", &format!("\"{name}\""));
    refused(&run(&["convert", "-"], &long), &["the names of all units take more than 4 GiB"]);
    let pods = "kind: Node\napiVersion: v1\nmetadata: {name: n}\nstatus: {allocatable: {cpu: '8'}}\n---\n\
                kind: Deployment\napiVersion: apps/v1\nmetadata: {name: web, namespace: d}\nspec:\n  replicas: 2000000000\n  \
                template: {spec: {containers: [{name: c, resources: {requests: {cpu: 1}}}]}}\n";
    refused(&run(&["solve", "-"], pods), &["web", "2000000000 pods"]);
}

/// Memory that is not there is said in words.
#[cfg(target_os = "linux")]
#[test]
fn too_little_memory_is_a_message() {
    let text = json!({"nodes": [{"id": "n", "capacity": {"cpu": 9}}],
                      "tasks": [{"id": "a", "demand": {"cpu": 1}, "replicas": 9_000_000}]});
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "i.json", &text.to_string());
    let limited =
        format!("ulimit -v 600000; exec {} convert {file}", env!("CARGO_BIN_EXE_stowplan"));
    let output = std::process::Command::new("sh").args(["-c", &limited]).output().unwrap();
    refused(&output, &["9000000 tasks take some", "there is less memory"]);
}

/// A gang that no rule lets be is tried beside a job: the tries leave nothing behind that would have
/// to be tried in turn, until the job ends.
#[test]
fn time_does_not_grow_with_durations() {
    let instance = |long: u64| {
        json!({
            "nodes": [{"id": "n0", "capacity": {"cpu": 4}, "labels": {"switch": "s0"}},
                      {"id": "n1", "capacity": {"cpu": 4}, "labels": {"switch": "s1"}}],
            "tasks": [{"id": "long", "demand": {"cpu": 1}, "duration": long},
                      {"id": "gang", "demand": {"cpu": 1}, "duration": 60, "replicas": 2, "apart": "node"},
                      {"id": "more", "demand": {"cpu": 1}, "duration": 50}],
            "rules": [{"rule": "together", "tasks": ["gang"], "over": "switch"}],
        })
        .to_string()
    };
    let said = [3_000, 3_000_000_000].map(|long| {
        let output = run(&["solve", "-", "--timed", "--time-limit", "10"], &instance(long));
        assert_eq!(output.status.code(), Some(1), "{long}");
        output.stderr
    });
    assert_eq!(said[0], said[1]);
}

/// Slurm knows limits in minutes, and some cannot be meant.
#[test]
fn time_limits_of_millennia_are_refused() {
    let jobs = |minutes: u64| {
        json!({
            "nodes": [{"name": "n1", "cpus": 8, "real_memory": 1000, "state": ["IDLE"], "partitions": ["p"]}],
            "jobs": [{"job_id": 7, "job_state": ["PENDING"], "partition": "p", "cpus": 4, "node_count": 1,
                      "time_limit": minutes, "submit_time": 1_700_000_000}],
        })
        .to_string()
    };
    let slurm = ["solve", "-", "--format", "slurm", "--timed"];
    let output = run(&slurm, &jobs(5_000_000));
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    refused(&run(&slurm, &jobs(2_147_483_648)), &["jobs[0].time_limit", "longer than a century"]);
}

#[test]
fn marks_without_a_key_are_refused() {
    let pods = "kind: Node\napiVersion: v1\nmetadata: {name: n1}\n\
                spec: {taints: [{key: '', value: x, effect: NoSchedule}]}\n\
                status: {allocatable: {cpu: '8', pods: '9'}}\n---\n\
                kind: Pod\napiVersion: v1\nmetadata: {name: p, namespace: d}\n\
                spec: {containers: [{name: c, resources: {requests: {cpu: 1}}}]}\n";
    for command in ["solve", "convert"] {
        refused(&run(&[command, "-"], pods), &["a taint of node `n1`: it has no key"]);
    }
}

/// Characters that cannot be seen are shown to people, and kept for programs.
#[test]
fn what_cannot_be_seen_is_shown_to_people() {
    let folder = tempfile::tempdir().unwrap();
    let hidden = "a\u{202e}b\u{200b}";
    let text = json!({"nodes": [{"id": "n", "capacity": {"cpu": 9}}],
                      "tasks": [{"id": hidden, "demand": {"cpu": 1}}]});
    let file = write(folder.path(), "i.json", &text.to_string());
    let out = |form: &str| {
        let output = run(&["solve", &file, "--output", form], "");
        assert_eq!(output.status.code(), Some(0), "{form}");
        String::from_utf8(output.stdout).unwrap()
    };
    for form in ["table", "markdown", "html"] {
        let text = out(form);
        assert!(text.contains("a[U+202E]b[U+200B]"), "{form}: {text}");
        assert!(!text.contains(['\u{202e}', '\u{200b}']), "{form}");
    }
    let json = out("json");
    assert!(json.contains(r"a\u202eb\u200b") && !json.contains('\u{202e}'), "{json}");
    assert!(out("csv").contains(hidden));
    let wrong = text.to_string().replace("\"cpu\":1", "\"cpu\":\"x\u{202e}\"");
    refused(&run(&["solve", "-"], &wrong), &["x[U+202E]"]);
    let control =
        text.to_string().replace(hidden, "a").replace("\"id\":\"n\"", r#""id":"n\u001b[1m""#);
    refused(&run(&["solve", "-"], &control), &["control character"]);
    let rule = json!([{"rule": "apart", "tasks": [hidden], "id": "x\u{1b}[31m"}]);
    let mut ruled = text.clone();
    ruled["rules"] = rule;
    refused(&run(&["solve", "-"], &ruled.to_string()), &["rules[0].id", "control character"]);
}

/// Lines of model files stay short enough for every solver, whatever things are called.
#[test]
fn models_have_short_lines() {
    let name = |k: usize| format!("{}{k}", "né\u{2028}".repeat(4_000));
    let tasks: Vec<_> = (0..9).map(|k| json!({"id": name(k), "demand": {"cpu": 1}})).collect();
    let text =
        json!({"nodes": [{"id": name(0), "capacity": {"cpu": 9}}], "tasks": tasks}).to_string();
    for form in ["lp", "mps"] {
        let output = run(&["export", "-", "--to", form], &text);
        assert_eq!(output.status.code(), Some(0));
        let model = String::from_utf8(output.stdout).unwrap();
        let longest = model.lines().map(str::len).max().unwrap();
        assert!(model.contains("characters") && longest < 500, "{form}: {longest}");
    }
}

#[cfg(unix)]
mod files {
    use std::fs::{OpenOptions, read_to_string};
    use std::io::Read;
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
    use std::process::{Command, Stdio};

    use super::*;

    const ANSWER: [&str; 4] = ["solve", "data/six-tasks.json", "--output", "csv"];

    fn answer(to: &Path) -> Output {
        run(&[&ANSWER[..], &["-o", to.to_str().unwrap()]].concat(), "")
    }

    #[test]
    fn links_lead_to_their_files_and_stay() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("deep")).unwrap();
        std::fs::write(at("deep/old.csv"), "old").unwrap();
        std::fs::set_permissions(at("deep/old.csv"), PermissionsExt::from_mode(0o640)).unwrap();
        symlink("deep/old.csv", at("link")).unwrap();
        symlink("link", at("further")).unwrap();
        symlink("deep/new.csv", at("dangling")).unwrap();
        symlink("/dev/null", at("null")).unwrap();
        symlink("round", at("round")).unwrap();
        for (link, file) in [("further", "deep/old.csv"), ("dangling", "deep/new.csv")] {
            assert!(answer(&at(link)).status.success(), "{link}");
            assert!(read_to_string(at(file)).unwrap().starts_with("task,node"), "{file}");
            assert!(at(link).symlink_metadata().unwrap().is_symlink(), "{link}");
        }
        let mode = at("deep/old.csv").metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640, "permissions stay");
        assert!(answer(&at("null")).status.success());
        assert!(at("null").symlink_metadata().unwrap().is_symlink());
        assert!(Path::new("/dev/null").metadata().unwrap().file_type().is_char_device());
        refused(&answer(&at("round")), &["too many links"]);
        refused(&answer(&at("deep")), &["irectory"]);
        refused(&answer(&at("none/x.csv")), &["nothing was written"]);
        let left = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 6, "nothing is left behind");
    }

    /// What is open under the name of a standard stream is written to where it stands.
    #[test]
    fn open_files_are_written_to_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (link, log) = (folder.path().join("stdout"), folder.path().join("log"));
        symlink("/proc/self/fd/1", &link).unwrap();
        if !link.exists() {
            return; // no such files on this system
        }
        let output = answer(&link);
        assert!(output.stdout.starts_with(b"task,node"));
        assert!(link.symlink_metadata().unwrap().is_symlink());
        std::fs::write(&log, "before\n").unwrap();
        let status = Command::new(env!("CARGO_BIN_EXE_stowplan"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(ANSWER)
            .arg("-o")
            .arg(&link)
            .stdout(OpenOptions::new().append(true).open(&log).unwrap())
            .status();
        assert!(status.unwrap().success());
        assert!(read_to_string(&log).unwrap().starts_with("before\ntask,node"));
    }

    #[test]
    fn pipes_are_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        if !Command::new("mkfifo").arg(&pipe).status().is_ok_and(|status| status.success()) {
            return; // no such program here
        }
        let mut reader = Command::new("cat").arg(&pipe).stdout(Stdio::piped()).spawn().unwrap();
        assert!(answer(&pipe).status.success());
        let mut text = String::new();
        reader.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        reader.wait().unwrap();
        assert!(text.starts_with("task,node"), "{text}");
        assert!(pipe.metadata().unwrap().file_type().is_fifo());
    }

    /// An answer that nobody can read is an error, whatever the command.
    #[test]
    fn what_cannot_be_printed_is_an_error() {
        let plan = tempfile::NamedTempFile::new().unwrap();
        let path = plan.path().to_str().unwrap();
        assert!(answer(plan.path()).status.success());
        let six = "data/six-tasks.json";
        for arguments in [
            &["solve", six][..],
            &["solve", six, "--output", "json"],
            &["check", six, path],
            &["explain", six],
            &["survive", six, path],
            &["compare", six, "--methods", "best-fit"],
            &["generate", "uniform"],
            &["convert", six],
            &["export", six, "--to", "lp"],
            &["replan", six],
            &["policies"],
            &["solvers"],
            &["schema", "plan"],
            &["completions", "bash"],
            &["man"],
            &["--help"],
            &["--version"],
            &["solve", "--help"],
        ] {
            let full = OpenOptions::new().write(true).open("/dev/full");
            let Ok(full) = full else { return }; // no such device here
            let output = Command::new(env!("CARGO_BIN_EXE_stowplan"))
                .current_dir(env!("CARGO_MANIFEST_DIR"))
                .args(arguments)
                .stdin(Stdio::null())
                .stdout(full)
                .output()
                .unwrap();
            assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        }
    }
}
