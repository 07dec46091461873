//! Other schedulers, traces and benchmarks of scheduling: each small file says what it is, is read as
//! it is meant, and solved.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::helpers::{public_data, stowplan};

/// An input kept for fuzzing, its parts in files of their own.
fn parts(folder: &Path, name: &str) -> Vec<PathBuf> {
    let text = std::fs::read_to_string(Path::new("tests/data/fuzz").join(name)).unwrap();
    let parts = text.split("====\n").enumerate();
    let path = |(k, text): (usize, &str)| {
        let path = folder.join(format!("{k}-{}", name.replace('/', "-")));
        std::fs::write(&path, text).unwrap();
        path
    };
    parts.map(path).collect()
}

fn solved(arguments: &[&str], files: &[PathBuf]) -> Value {
    let mut solve = stowplan();
    solve.args(["solve", "--output", "json", "--time-limit", "20s"]).args(arguments).args(files);
    let output = solve.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{files:?}: {said}");
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{files:?}: {error}\n{said}"))
}

fn count(plan: &Value) -> (u64, u64) {
    let of = |key: &str| plan["instance"][key].as_u64().unwrap();
    (of("tasks"), of("nodes"))
}

/// The tasks are units: those of a gang are counted one by one.
#[test]
fn schedulers_are_told_apart_and_solved() {
    let folder = tempfile::tempdir().unwrap();
    for (name, tasks, nodes) in [
        // Two chunks of one, one of another, and a job of its own.
        ("schedulers/pbs.json", 4, 2),
        // Two nodes, each with two slots of four cores.
        ("schedulers/flux.json", 2, 4),
        ("schedulers/condor.json", 1, 1),
        // Three wanted, one is there.
        ("schedulers/nomad.json", 2, 1),
        ("schedulers/hq.toml", 2, 1),
        ("traces/small.swf", 24, 16),
        ("traces/batsim.json", 3, 4),
    ] {
        let plan = solved(&[], &parts(folder.path(), name));
        assert_eq!(count(&plan), (tasks, nodes), "{name}: {plan}");
    }
}

#[test]
fn traces_come_with_a_table_of_nodes() {
    let folder = tempfile::tempdir().unwrap();
    for (name, tasks, nodes) in
        [("traces/helios.csv", 1, 2), ("traces/pai.csv", 3, 1), ("traces/philly.csv", 4, 1)]
    {
        let files = parts(folder.path(), name);
        let [jobs, machines] = &files[..] else { panic!("{files:?}") };
        let arguments = ["--tasks", jobs.to_str().unwrap(), "--nodes", machines.to_str().unwrap()];
        assert_eq!(count(&solved(&arguments, &[])), (tasks, nodes), "{name}");
        let alone = stowplan().arg("solve").arg(jobs).output().unwrap();
        let said = String::from_utf8_lossy(&alone.stderr);
        assert_eq!(alone.status.code(), Some(2));
        assert!(
            said.contains("this is a trace of jobs") && said.contains("--nodes NODES"),
            "{said}"
        );
    }
}

#[test]
fn benchmarks_have_their_optimum() {
    let folder = tempfile::tempdir().unwrap();
    for (name, tasks, nodes, value) in [
        ("benchmarks/ft03.jsp", 9, 3, "11"),
        ("benchmarks/ta.txt", 9, 3, "11"),
        ("benchmarks/small.fjs", 3, 2, "7"),
        ("benchmarks/j301.sm", 3, 1, "7"),
        ("benchmarks/rg.rcp", 3, 1, "7"),
        ("benchmarks/u20.bpp", 6, 3, "3"),
        ("benchmarks/orlib.txt", 6, 3, "3"),
        ("benchmarks/i.vbp", 7, 3, "3"),
    ] {
        let plan = solved(&[], &parts(folder.path(), name));
        assert_eq!(count(&plan), (tasks, nodes), "{name}");
        let tier = &plan["goal"][0];
        assert_eq!(tier["value"].to_string().trim_end_matches(".0"), value, "{name}: {tier}");
        assert_eq!(plan["status"], "optimal", "{name}");
    }
}

/// Public instances are read, all of them, with as many activities as they say.
#[test]
fn public_instances_are_read() {
    let Some(folder) = public_data() else { return };
    let mut read = 0;
    for (set, tasks) in [("rcpsp/j30", 30), ("rcpsp/j60", 60), ("rcpsp/j120", 120)] {
        for entry in std::fs::read_dir(folder.join(set)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "sm") {
                continue;
            }
            let source = stowplan::format::Source::read(&path).unwrap();
            let input = stowplan::format::Input::One(source);
            let instance = stowplan::format::read_instance(&input, None).unwrap();
            assert_eq!((instance.tasks(), instance.nodes()), (tasks, 1), "{}", path.display());
            read += 1;
        }
    }
    for set in ["new", "panigrahy", "triplet"] {
        for entry in std::fs::read_dir(folder.join("vectorpacking").join(set)).unwrap() {
            let path = entry.unwrap().path();
            let source = stowplan::format::Source::read(&path).unwrap();
            let input = stowplan::format::Input::One(source);
            let instance = stowplan::format::read_instance(&input, None).unwrap();
            assert_eq!(instance.goal().to_string(), "nodes", "{}", path.display());
            read += 1;
        }
    }
    assert!(read > 200, "{read}");
}

const FT06: &str = "6 6
2 1 0 3 1 6 3 7 5 3 4 6
1 8 2 5 4 10 5 10 0 10 3 4
2 5 3 4 5 8 0 9 1 1 4 7
1 5 0 5 2 5 3 3 4 8 5 9
2 9 1 3 4 5 5 4 0 3 3 1
1 3 3 3 5 9 0 10 4 4 2 1
";

#[test]
fn ft06_ends_at_55() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ft06.jsp");
    std::fs::write(&path, FT06).unwrap();
    let plan = solved(&[], &[path]);
    assert_eq!(count(&plan), (36, 6));
    assert_eq!(plan["goal"][0]["value"].as_f64(), Some(55.0), "{}", plan["goal"]);
}

/// Jobs of Slurm are of the kind that their name says, once there is a history.
#[test]
fn runs_of_sacct_are_a_history() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let node =
        "NodeName=cn1\n   CPUAlloc=0 CPUTot=64\n   RealMemory=515000 AllocMem=0\n   State=IDLE\n";
    let job = "JobId=201 JobName=train\n   JobState=PENDING Reason=None\n   TimeLimit=1-00:00:00\n   \
               NumNodes=1 NumCPUs=8 NumTasks=1\n   MinMemoryNode=1G\n";
    let run = |k: u32| format!("{k}|train|8|01:02:03|COMPLETED|cn1\n");
    let runs: String = (101..109).map(run).collect();
    let runs = format!("JobID|JobName|NCPUS|Elapsed|State|NodeList\n{runs}");
    for (name, text) in [("nodes", node), ("jobs", job), ("runs", runs.as_str())] {
        std::fs::write(path(name), text).unwrap();
    }
    let mut convert = stowplan();
    convert.arg("convert").arg(path("nodes")).arg(path("jobs")).arg("--history").arg(path("runs"));
    convert.arg("-o").arg(path("out.json")).assert().code(0);
    let out: Value = serde_json::from_slice(&std::fs::read(path("out.json")).unwrap()).unwrap();
    assert_eq!(out["tasks"][0]["duration"], 3723, "{out}");
    stowplan().arg("learn").arg(path("runs")).assert().code(0);
    let alone = stowplan().arg("solve").arg(path("runs")).output().unwrap();
    let said = String::from_utf8_lossy(&alone.stderr);
    assert!(said.contains("runs that sacct knows"), "{said}");
}
