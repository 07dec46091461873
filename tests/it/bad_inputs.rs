//! What people get wrong, and what they are told: exit 2, nothing on standard
//! output, the place, the cause and the remedy on standard error.

use crate::helpers::stowplan;

/// Bytes given on standard input, and what the message must contain.
fn refuse(bytes: &[u8], arguments: &[&str], wants: &[&str]) {
    let output =
        stowplan().args(["solve", "-"]).args(arguments).write_stdin(bytes).output().unwrap();
    judge(&output, wants, &String::from_utf8_lossy(bytes));
}

fn judge(output: &std::process::Output, wants: &[&str], what: &str) {
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{what}\n{message}");
    assert!(output.stdout.is_empty(), "{what}");
    assert!(!message.contains("panicked"), "{message}");
    for want in wants {
        assert!(message.contains(want), "input: {what}\nmessage: {message}\nlacks: {want}");
    }
}

/// An instance around one node and one task.
fn around(node: &str, task: &str) -> String {
    format!(r#"{{"nodes": [{{"id": "n"{node}}}], "tasks": [{{"id": "t"{task}}}]}}"#)
}

#[test]
fn instances_in_json() {
    let cases: Vec<(String, &[&str])> = vec![
        ("".into(), &["<stdin>", "empty"]),
        (" \n\t ".into(), &["empty"]),
        ("{".into(), &["<stdin>: line 1", "help"]),
        (r#"{"nodes": [], "tasks": []} trailing"#.into(), &["line 1 column", "trailing"]),
        (r#"{"nodes": [], "tasks": []}"#.into(), &["no tasks"]),
        (r#"{"nodes": [], "tasks": [{"id": "t"}]}"#.into(), &["no nodes"]),
        (r#"{"tasks": []}"#.into(), &["missing field `nodes`"]),
        (r#"{"nodes": {}, "tasks": []}"#.into(), &["expected a list"]),
        (around(r#", "capacity": {"cpu": -1}"#, ""), &["line 1 column", "`-1` is negative"]),
        (around(r#", "capacity": {"cpu": 1e308}"#, ""), &["out of range"]),
        (around(r#", "capacity": {"cpu": 1e999}"#, ""), &["line 1 column", "out of range"]),
        (around(r#", "capacity": {"cpu": NaN}"#, ""), &["line 1"]),
        (around(r#", "capacity": {"cpu": "NaN"}"#, ""), &["NaN", "not a quantity"]),
        (around(r#", "capacity": {"cpu": "1,5"}"#, ""), &["not a quantity"]),
        (around(r#", "capacity": {"cpu": true}"#, ""), &["cpu"]),
        (around(r#", "capacity": {"cpu": 1, "cpu": 2}"#, ""), &["cpu", "twice"]),
        (around(r#", "capasity": {"cpu": 1}"#, ""), &["unknown", "capasity", "did you mean `capacity`?"]),
        (around(r#", "capacity": {"cpu": 1}, "state": "sleeping""#, ""), &["sleeping", "drain"]),
        (around(r#", "capacity": {"cpu": 1}"#, r#", "demand": {"cpus": 1}"#), &["`cpus`", "did you mean `cpu`?"]),
        (around(r#", "capacity": {"cpu": 1}"#, r#", "duration": "soon""#), &["soon", "duration"]),
        (around(r#", "capacity": {"cpu": 1}"#, r#", "duration": -5"#), &["duration"]),
        (around(r#", "capacity": {"cpu": 1}"#, r#", "requires": {"k": []}"#), &["requires"]),
        (around(r#", "capacity": {"cpu": 1}"#, r#", "requires": "k=v""#), &["requires"]),
        (around(r#", "capacity": {"cpu": 1}, "price": -4"#, ""), &["negative"]),
        (
            r#"{"nodes": [{"id": "n", "capacity": {"cpu": 1}}], "tasks": [{"id": "t"}, {"id": "t"}]}"#.into(),
            &["`t` appears twice", "tasks[1]"],
        ),
        (
            r#"{"nodes": [{"id": "n", "capacity": {"cpu": 1}}, {"id": "n", "capacity": {"cpu": 1}}], "tasks": [{"id": "t"}]}"#.into(),
            &["`n` appears twice", "nodes[1]"],
        ),
        (r#"{"nodes": [{"id": "", "capacity": {"cpu": 1}}], "tasks": [{"id": "t"}]}"#.into(), &["no id", "nodes[0]"]),
        (r#"{"nodes": [{"capacity": {"cpu": 1}}], "tasks": [{"id": "t"}]}"#.into(), &["missing field `id`"]),
        (r#"{"nodes": [{"id": 1.5, "capacity": {"cpu": 1}}], "tasks": [{"id": "t"}]}"#.into(), &["1.5"]),
        (
            r#"{"nodes": [{"id": "n", "capacity": {"cpu": 1}}], "tasks": [{"id": "t"}], "pairs": [{"task": "t", "node": "m", "cost": 1}]}"#.into(),
            &["no node `m`", "pairs[0]"],
        ),
        (
            r#"{"nodes": [{"id": "n", "capacity": {"cpu": 1}}], "tasks": [{"id": "t"}], "pairs": [{"task": "t", "node": "n"}, {"task": "t", "node": "n"}]}"#.into(),
            &["paired twice"],
        ),
        (
            r#"{"nodes": [{"id": "n", "capacity": {"cpu": 1}}], "tasks": [{"id": "t"}], "goal": "peek"}"#.into(),
            &["unknown goal `peek`", "did you mean `peak`?"],
        ),
        (
            r#"{"schema_version": 2, "nodes": [{"id": "n", "capacity": {"cpu": 1}}], "tasks": [{"id": "t"}]}"#.into(),
            &["schema_version"],
        ),
        (
            r#"{"nodes": [{"id": "n", "capacity": {"cpu": 900000000000000000}}, {"id": "m", "capacity": {"cpu": 900000000000000001}}], "tasks": [{"id": "t"}]}"#.into(),
            &["2^60", "larger unit"],
        ),
        (
            r#"{"nodes": [{"id": "n", "capacity": {"cpu": 100000000000000000}}], "tasks": [{"id": "t", "demand": {"cpu": "0.0000000001"}}]}"#.into(),
            &["decimal places"],
        ),
        (r#"{"assignments": []}"#.into(), &["plan"]),
        ("[".repeat(100_000), &["<stdin>"]),
        (format!("{{\"nodes\": {}", "[".repeat(100_000)), &["line 1"]),
        ("hello, world\n1,2\n".into(), &["--tasks"]),
        ("once upon a time".into(), &["format"]),
    ];
    for (text, wants) in &cases {
        refuse(text.as_bytes(), &[], wants);
    }
}

#[test]
fn encodings() {
    refuse(b"\xff\xfe{\x00}\x00\x00", &[], &["UTF-16", "UTF-8"]);
    refuse(b"PK\x03\x04\x14\x00", &[], &["Excel workbook", "save each sheet as CSV"]);
    refuse(b"{\"nodes\": [{\"id\": \"\xe9\"}]}", &[], &["UTF-8"]);
    refuse(b"\x00\x01\x02\x03", &[], &["<stdin>"]);
    // A byte order mark is no error.
    let text = format!("\u{feff}{}", around(r#", "capacity": {"cpu": 1}"#, ""));
    stowplan().args(["solve", "-"]).write_stdin(text).assert().success();
}

#[test]
fn foreign_formats() {
    refuse(b"2 2 1 1", &[], &["need 12 numbers, the file has 4"]);
    refuse(b"0 3", &[], &["both must be at least 1"]);
    refuse(b"999999999 999999999 1", &[], &["the file has 3"]);
    refuse(b"1 1\n1 x 3", &["--format", "gap"], &["line 2", "`x`"]);
    refuse(b"1\n1 x", &[], &["line 2 column 3", "load cost weight of resource r0 is `x`"]);
    refuse(br#"{"computerList": [], "processList": []}"#, &[], &["no tasks"]);
    refuse(br#"{"computerList": [{"id": 0}], "processList": []}"#, &[], &["cpuPower"]);
    refuse(b"{}", &["--format", "jsonn"], &["unknown format `jsonn`", "did you mean `json`?"]);
}

/// Two machines, one service, two processes, one balance cost.
const ROADEF: &str = "1\n1 10\n2\n0 0 9 5 0 1\n1 1 9 5 1 0\n1\n1 0\n2\n0 3 1\n0 2 1\n0\n1 1 1\n";

#[test]
fn machine_reassignment() {
    let folder = tempfile::tempdir().unwrap();
    let (model, plan) = (folder.path().join("model_x.txt"), folder.path().join("assignment_x.sol"));
    let solve = |text: &str, assignment: Option<&str>| {
        std::fs::write(&model, text).unwrap();
        match assignment {
            Some(text) => std::fs::write(&plan, text).unwrap(),
            None => drop(std::fs::remove_file(&plan)),
        }
        stowplan().args(["solve", "--method", "first-fit"]).arg(&model).output().unwrap()
    };
    let good = solve(ROADEF, Some("0 1\n"));
    assert!(good.status.success(), "{}", String::from_utf8_lossy(&good.stderr));
    assert!(
        String::from_utf8_lossy(&good.stderr).contains("assignment_x.sol: where tasks run now")
    );
    let nested = format!("{}\n", ROADEF.replace("9 5 0 1", "x 5 0 1"));
    for (text, assignment, wants) in [
        (ROADEF, None, &["does not say where processes run now", "--current FILE"][..]),
        (ROADEF, Some("0\n"), &["assignment_x.sol", "1 numbers for 2 tasks"]),
        (ROADEF, Some("0 1 1\n"), &["3 numbers for 2 tasks"]),
        (ROADEF, Some("0\n 2"), &["line 2 column 2", "the node of task 1 is 2: it is 0 to 1"]),
        (ROADEF, Some("0 -1"), &["line 1 column 3", "`-1`, not a whole number"]),
        (&nested, Some("0 1"), &["line 4 column 5", "capacity of machine m0 in r0 is `x`"]),
        (
            &ROADEF.replace("1 10", "2 10"),
            Some("0 1"),
            &["line 2 column 1", "r0 is transient is 2"],
        ),
        (
            &ROADEF.replace("0 3 1", "1 3 1"),
            Some("0 1"),
            &["line 9 column 1", "service of process p0 is 1: it is 0 to 0"],
        ),
        (&ROADEF.replace("\n1 0\n2", "\n3 0\n2"), Some("0 1"), &["s0 wants 3 locations and has 2"]),
        (
            &ROADEF.replace("\n1 0\n2", "\n1 1 1\n2"),
            Some("0 1"),
            &["line 7 column 5", "a service that s0 depends on is 1"],
        ),
        (
            &ROADEF[..ROADEF.len() - 3],
            Some("0 1"),
            &["line 12", "ends where the weight of machine moves"],
        ),
        (&format!("{ROADEF}7 8"), Some("0 1"), &["line 13 column 1", "2 more numbers follow"]),
        (&ROADEF.replace("0 2 1", "0 -2 1"), Some("0 1"), &["line 10 column 3", "`-2`"]),
        (
            &ROADEF
                .replace("1 1 1\n", "999999999999 1 999999999999\n")
                .replace("0 1\n", "0 999999999\n"),
            Some("0 1"),
            &["too much"],
        ),
    ] {
        judge(&solve(text, assignment), wants, &format!("{text}{assignment:?}"));
    }
    refuse(b"1 2\n", &["--format", "roadef"], &["line 1 column 3", "r0 is transient is 2"]);
    // Forms of answers and plans for other instances.
    let write = |text: &str| std::fs::write(&plan, text).unwrap();
    solve(ROADEF, Some("0 1"));
    let other = folder.path().join("new.sol");
    let run = |current: &std::path::Path| {
        let mut command = stowplan();
        command.arg("solve").arg(&model).arg("--current").arg(current).arg("-o").arg(&other);
        command.output().unwrap()
    };
    write("task,node\np0,m0\np1,m7\n");
    judge(&run(&plan), &["no node `m7`", "did you mean"], "plan in CSV");
    write("task,node\np0,m0\np0,m1\n");
    judge(&run(&plan), &["task `p0` has 2 places for 1 units"], "plan in CSV");
    write("task,node\nq0,m0\n");
    judge(&run(&plan), &["no task `q0`"], "plan in CSV");
    write("task,node\np0,m0\np1,m1\n");
    assert!(run(&plan).status.success());
    let text = std::fs::read_to_string(&other).unwrap();
    assert_eq!(text, "0 1\n");
    let checked =
        stowplan().arg("check").args([&model, &other, &"--current".into(), &plan]).output();
    let checked = checked.unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}

#[test]
fn moves_and_ratios_that_cannot_be_meant_so() {
    let with = |more: &str| {
        format!(
            r#"{{"nodes": [{{"id": "n", "capacity": {{"cpu": 1, "gpu": 1}}}}, {{"id": "m", "capacity": {{}}}}],
                "tasks": [{{"id": "t", "node": "n"}}]{more}}}"#
        )
    };
    for (more, wants) in [
        (
            r#", "routes": [{"from": "n", "to": "q", "cost": 1}]"#,
            &["no node `q`", "routes[0].to"][..],
        ),
        (r#", "routes": [{"from": "n", "to": "n", "cost": 1}]"#, &["from node `n` to itself"]),
        (
            r#", "routes": [{"from": "n", "to": "m", "cost": 1}, {"from": "n", "to": "m", "cost": 2}]"#,
            &["given twice", "routes[1]"],
        ),
        (r#", "routes": [{"from": "n", "to": "m", "cost": -1}]"#, &["negative"]),
        (
            r#", "routes": [{"from": "n", "to": "m", "cost": 1e17}, {"from": "m", "to": "n", "cost": "0.01"}]"#,
            &["2^60"],
        ),
        (
            r#", "ratios": [{"room": "cpus", "with": "gpu"}]"#,
            &["`cpus`", "did you mean `cpu`?", "ratios[0].room"],
        ),
        (
            r#", "ratios": [{"room": "gpu", "with": "gpu"}]"#,
            &["ratio of `gpu` to itself", "ratios[0].with"],
        ),
        (r#", "ratios": [{"room": "cpu", "with": "gpu", "ratio": -1}]"#, &["negative"]),
        (
            r#", "ratios": [{"room": "cpu", "with": "gpu", "ratio": 1e15, "price": 1e15}]"#,
            &["too many digits", "ratios[0]"],
        ),
        (r#", "ratios": [{"room": "cpu", "with": "gpu", "ratio": 1e9, "price": 2e9}]"#, &["2^60"]),
        (r#", "ratios": [{"room": "cpu", "with": "gpu", "part": 1}]"#, &["unknown", "`part`"]),
        (r#", "resources": {"cpu": {"transient": "yes"}}"#, &["transient"]),
        (r#", "goal": "mooves""#, &["did you mean `moves`?"]),
    ] {
        refuse(with(more).as_bytes(), &[], wants);
    }
    refuse(
        with("").replace(r#""node": "n""#, r#""move_cost": -2"#).as_bytes(),
        &[],
        &["negative", "move_cost"],
    );
    let huge = with("").replace(r#""node": "n""#, r#""move_cost": "1e18""#);
    refuse(huge.as_bytes(), &[], &["move_cost"]);
}

#[test]
fn tables() {
    const NODES: &str = "node,cpu,memory\nn1,4,8\n";
    const TASKS: &str = "task,cpu,memory\nt1,1,2\n";
    let cases: [(&str, &str, &[&str]); 20] = [
        ("", NODES, &["tasks.csv", "empty"]),
        ("task,cpu,memory\n", NODES, &["tasks.csv", "no rows"]),
        ("task,cpu,memory\nt1,1\n", NODES, &["tasks.csv: line 2", "2 cells, the header has 3"]),
        ("task,cpu,memory\nt1,1,2,3\n", NODES, &["line 2", "4 cells, the header has 3"]),
        ("task,cpu,memory\nt1,-1,2\n", NODES, &["line 2, column `cpu`", "negative"]),
        ("task,cpu,memory\nt1,abc,2\n", NODES, &["line 2, column `cpu`", "not a quantity"]),
        ("task,cpu,memory\nt1,nan,2\n", NODES, &["line 2, column `cpu`", "not a quantity"]),
        ("task,cpu,memory\nt1,1e308,2\n", NODES, &["line 2, column `cpu`", "out of range"]),
        ("task,cpu,memory\nt1,1,2\nt1,1,2\n", NODES, &["tasks.csv: line 3", "`t1` appears twice"]),
        ("task,cpu,memory\n,1,2\n", NODES, &["line 2", "no id"]),
        (
            "task,cpu,memory,durration\nt1,1,2,3\n",
            NODES,
            &["`durration`", "did you mean `duration`?"],
        ),
        ("task,cpu,memory,color\nt1,1,2,red\n", NODES, &["tasks.csv: line 1, column `color`"]),
        ("task,cpus,memory\nt1,1,2\n", NODES, &["`cpus`", "did you mean `cpu`?"]),
        ("task,cpu,cpu\nt1,1,2\n", NODES, &["column `cpu` appears twice"]),
        ("task;cpu;memory\nt1;1.500;2\n", NODES, &["`1.500` is 1500 or 1.500"]),
        ("task,cpu,memory\n\"t1,1,2\n", NODES, &["line 2", "never closed"]),
        ("cpu,memory\n1,2\n", NODES, &["tasks.csv: line 1", "task"]),
        ("{}", NODES, &["tasks.csv", "JSON"]),
        (
            TASKS,
            "node,cpu,memory,state\nn1,4,8,asleep\n",
            &["nodes.csv: line 2, column `state`", "asleep"],
        ),
        (NODES, TASKS, &["tasks.csv"]),
    ];
    let folder = tempfile::tempdir().unwrap();
    let (tasks, nodes) = (folder.path().join("tasks.csv"), folder.path().join("nodes.csv"));
    for (task_text, node_text, wants) in cases {
        std::fs::write(&tasks, task_text).unwrap();
        std::fs::write(&nodes, node_text).unwrap();
        let output = stowplan()
            .arg("solve")
            .arg("--tasks")
            .arg(&tasks)
            .arg("--nodes")
            .arg(&nodes)
            .output()
            .unwrap();
        judge(&output, wants, &format!("{task_text}\n{node_text}"));
    }
}

#[test]
fn command_lines() {
    let cases: [(&[&str], &[&str]); 21] = [
        (&["solv"], &["solve"]),
        (&["solve", "data"], &["data", "f"]),
        (&["solve", "data/missing.json"], &["data/missing.json", "no such file"]),
        (&["solve", "data/four-nodes.json", "--gool", "peak"], &["--gool", "--goal"]),
        (&["solve", "data/four-nodes.json", "--goal", ""], &["empty goal"]),
        (&["solve", "data/four-nodes.json", "--goal=-1*cost"], &["not a weight"]),
        (&["solve", "data/four-nodes.json", "--method", "min-lod"], &["did you mean `min-load`?"]),
        (&["solve", "data/four-nodes.json", "--order", "input"], &["--order is for policies"]),
        (
            &["solve", "data/four-nodes.json", "--method", "min-load", "--order", "x"],
            &["known are longest-first"],
        ),
        (&["solve", "data/four-nodes.json", "--time-limit", "soon"], &["not a time"]),
        (&["solve", "data/four-nodes.json", "--time-limit=-1"], &["not a time"]),
        (&["solve", "data/four-nodes.json", "--time-limit", "nan"], &["not a time"]),
        (&["solve", "data/four-nodes.json", "--gap", "x"], &["no part of one"]),
        (&["solve", "data/four-nodes.json", "--threads", "0"], &["--threads"]),
        (&["solve", "data/four-nodes.json", "--seed=-1"], &["--seed"]),
        (&["solve", "data/four-nodes.json", "--weights", "cpus=1"], &["did you mean `cpu`?"]),
        (&["solve", "data/four-nodes.json", "--weights", "cpu"], &["RESOURCE=WEIGHT"]),
        (&["solve", "data/four-nodes.json", "--weights", "cpu=inf"], &["not a weight"]),
        (&["solve", "data/four-nodes.json", "--solver", "hihgs"], &["did you mean `highs`?"]),
        (&["generate", "uniform", "--tasks", "0"], &["0 tasks"]),
        (&["generate", "uniform", "--fill", "NaN"], &["fill NaN"]),
    ];
    for (arguments, wants) in cases {
        judge(&stowplan().args(arguments).output().unwrap(), wants, &format!("{arguments:?}"));
    }
}

#[test]
fn plans() {
    let cases: [(&str, &[&str]); 7] = [
        ("", &["empty"]),
        ("{", &["line 1"]),
        (r#"{"assignments": [{"task": "t1"}]}"#, &["node"]),
        (r#"{"nodes": [], "tasks": []}"#, &["instance"]),
        ("task,machine\nt1,n1\n", &["no column `node`"]),
        ("task,node\n,n1\n", &["line 2", "names no task"]),
        ("[1, 2]", &["plan"]),
    ];
    let folder = tempfile::tempdir().unwrap();
    let plan = folder.path().join("plan");
    for (text, wants) in cases {
        std::fs::write(&plan, text).unwrap();
        let output =
            stowplan().args(["check", "data/four-nodes.json"]).arg(&plan).output().unwrap();
        judge(&output, wants, text);
    }
}

#[test]
fn rules_that_cannot_be_meant_so() {
    let base = |nodes: &str, tasks: &str, more: &str| {
        format!(
            r#"{{"nodes": [{{"id": "n", "capacity": {{"gpu": 2}}, "labels": {{"rack": "r"}}{nodes}}}],
                "tasks": [{{"id": "a", "demand": {{"gpu": 1}}{tasks}}}, {{"id": "b"}}]{more}}}"#
        )
    };
    let devices = r#", "resources": {"gpu": {"devices": true}}"#;
    let rule = |text: &str| format!(r#", "rules": [{text}]"#);
    let cases: Vec<(String, &[&str])> = vec![
        (base("", r#", "replicas": 0"#, ""), &["tasks[0].replicas", "a gang of no units"]),
        (
            base("", r#", "together": "rack""#, ""),
            &["tasks[0]", "`together` is between the units of a gang"],
        ),
        (
            base("", r#", "replicas": 2, "apart": "rak""#, ""),
            &["no node has a label `rak`", "did you mean `rack`?"],
        ),
        (
            base("", r#", "replicas": 2, "spread": {"over": "rack"}"#, ""),
            &["this spread asks nothing"],
        ),
        (
            base("", r#", "replicas": 2, "spread": {"over": "rack", "at_least": 3}"#, ""),
            &["2 tasks cannot be on 3 values"],
        ),
        (
            base(
                "",
                r#", "replicas": 2, "spread": {"over": "rack", "at_least": 2, "at_most": 1}"#,
                "",
            ),
            &["at least 2 and at most 1"],
        ),
        (
            base("", r#", "pinned": true"#, ""),
            &["tasks[0].pinned", "needs the node it is pinned to"],
        ),
        (
            base("", r#", "node": "m""#, ""),
            &["tasks[0].node", "there is no node `m`", "did you mean `n`?"],
        ),
        (base("", r#", "replicas": 3, "node": ["n", "n"]"#, ""), &["2 nodes for 3 units"]),
        (base("", r#", "tolerations": ["=x"]"#, ""), &["tasks[0].tolerations", "is no toleration"]),
        (base(r#", "taints": [""]"#, "", ""), &["nodes[0].taints", "is no taint"]),
        (
            base(r#", "reserve": {"gpu": "101%"}"#, "", ""),
            &["reserve", "more than the whole capacity"],
        ),
        (
            base(r#", "reserve": {"gup": 1}"#, "", ""),
            &["nodes[0].reserve.gup", "did you mean `gpu`?"],
        ),
        (base(r#", "response_time": "5m""#, "", ""), &["is no response time"]),
        (base(r#", "max_tasks": -1"#, "", ""), &["max_tasks"]),
        (
            base("", "", devices).replace("\"gpu\": 1", "\"gpu\": 1.5"),
            &["tasks[0].demand.gpu", "neither whole cards nor a share"],
        ),
        (
            base("", "", devices).replace("\"gpu\": 2", "\"gpu\": 2.5"),
            &["nodes[0].capacity.gpu", "no whole number"],
        ),
        (base("", "", devices).replace("\"gpu\": 2", "\"gpu\": 65"), &["65 cards on one node"]),
        (
            base("", "", &rule(r#"{"tasks": ["a"]}"#)),
            &["rules[0].rule", "does not say gang, together, apart"],
        ),
        (base("", "", &rule(r#"{"rule": "apart"}"#)), &["rules[0].tasks", "name one of"]),
        (
            base("", "", &rule(r#"{"rule": "apart", "tasks": ["c"]}"#)),
            &["rules[0].tasks", "there is no task `c`"],
        ),
        (base("", "", &rule(r#"{"rule": "apart", "group": "g"}"#)), &["there is no group `g`"]),
        (base("", "", &rule(r#"{"rule": "apart", "each": "key"}"#)), &["concerns no task"]),
        (
            base("", "", &rule(r#"{"rule": "apart", "tasks": ["a"], "over": "zone"}"#)),
            &["rules[0].over", "no node has a label `zone`"],
        ),
        (base("", "", &rule(r#"{"rule": "near", "tasks": ["a"]}"#)), &["say near whom"]),
        (
            base("", "", &rule(r#"{"rule": "together", "tasks": ["a"], "at_least": 2}"#)),
            &["only the rule `spread` has it"],
        ),
        (
            base("", r#", "replicas": 2"#, "").replace("\"b\"", "\"a[1]\""),
            &["is that of a unit of gang `a`"],
        ),
        (base("", r#", "priority": 1e308"#, ""), &["priority"]),
        (base("", r#", "weight": -1"#, ""), &["is negative"]),
    ];
    for (text, wants) in cases {
        refuse(text.as_bytes(), &[], wants);
    }
}

#[test]
fn policies_that_lack_something() {
    for (arguments, wants) in [
        (&["--method", "load-aware", "--gamma", "0"][..], &["gamma 0", "use --gamma above 0"][..]),
        (&["--method", "least-bandwidth"], &["`network`, which there is none of"]),
        (&["--method", "fragmentation-gradient-descent"], &["no resource has `devices`"]),
        (&["--method", "random>min-load"], &["cannot be half of a hybrid"]),
        (&["--method", "min-lod>best-fit"], &["did you mean `min-load`?"]),
        (&["--method", "min-load>best-fit", "--tolerance", "x"], &["--tolerance"]),
    ] {
        let output =
            stowplan().args(["solve", "data/five-nodes.json"]).args(arguments).output().unwrap();
        judge(&output, wants, &format!("{arguments:?}"));
    }
}

#[test]
fn several_files_for_a_format_of_one() {
    let five = "data/five-nodes.json";
    for arguments in [&["solve", five, five][..], &["check", five, five, "plan.json"]] {
        let output = stowplan().args(arguments).output().unwrap();
        let missing = arguments.len() == 4;
        let want = if missing { "plan.json" } else { "json instances are one file" };
        judge(&output, &[want], "two instances");
    }
}
