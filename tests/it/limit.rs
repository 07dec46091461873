//! The rule `limit`: what it counts, what is said of it, and where it is refused.

use serde_json::{Value, json};
use stowplan::check::{check_plan, check_schedule};
use stowplan::format::{Input, Source, digest, read_instance, write_csv, write_instance};
use stowplan::model::{Instance, NodeId, Plan, Schedule, TaskId};
use stowplan::solve::{Answer, Method, Params, solve};

use crate::helpers::{plan, read, run, stowplan};

/// Four tasks that need a licence each (the last two), on two racks with power for one each.
fn cae(at_most: u32) -> Value {
    json!({
        "nodes": [
            {"id": "n1", "capacity": {"cpu": 8, "watts": 900}, "labels": {"rack": "r1"}},
            {"id": "n2", "capacity": {"cpu": 8, "watts": 900}, "labels": {"rack": "r1"}},
            {"id": "n3", "capacity": {"cpu": 8, "watts": 900}, "labels": {"rack": "r2"}},
            {"id": "n4", "capacity": {"cpu": 8, "watts": 900}},
        ],
        "tasks": (0..4).map(|k| json!({
            "id": format!("t{k}"), "group": "cae",
            "demand": {"cpu": 2, "watts": 400, "ansys": if k == 3 { 2.5 } else { 1.0 }},
        })).collect::<Vec<_>>(),
        "rules": [
            {"rule": "limit", "id": "licences", "resource": "ansys", "group": "cae", "at_most": at_most},
            {"rule": "limit", "id": "power", "resource": "watts", "group": "cae", "over": "rack",
             "values": "r1", "at_most": "0.5k"},
            {"rule": "limit", "id": "few", "resource": "tasks", "group": "cae", "over": "node", "at_most": 2},
        ],
    })
}

fn placed(instance: &Instance, nodes: &[Option<usize>]) -> Vec<String> {
    let placement = nodes.iter().map(|node| node.map(NodeId::from)).collect();
    let plan = Plan { placement, ..Plan::empty(instance.tasks()) };
    check_plan(instance, &plan, true).iter().map(ToString::to_string).collect()
}

/// The instance that a file states, resources in its order.
fn from(text: &[u8]) -> Instance {
    let source = Source { name: "i.json".into(), bytes: text.to_vec() };
    read_instance(&Input::One(source), None).unwrap()
}

#[test]
fn sums_are_those_of_what_is_placed_where_the_limit_looks() {
    let instance = read(&cae(3));
    let wrong = placed(&instance, &[Some(0), Some(2), Some(3), None]);
    assert!(wrong.is_empty(), "{wrong:?}");
    let wrong = placed(&instance, &[Some(0), Some(2), None, Some(3)]);
    let words = "rule `licences` (limit): they take 4.5 ansys, at most 3 asked";
    assert_eq!(wrong, [words], "what nodes have none of is no load of theirs");
    let wrong = placed(&instance, &[Some(0), Some(1), None, None]);
    let words = "rule `power` (limit): they take 800 watts on rack r1, at most 500 asked";
    assert_eq!(wrong, [words]);
    // Neither r2 nor a node without a rack is looked at, but single nodes are.
    let wrong = placed(&instance, &[Some(3), Some(3), Some(3), None]);
    assert!(
        wrong.iter().any(|words| words.ends_with("they take 3 tasks on node n4, at most 2 asked"))
    );
}

#[test]
fn every_method_keeps_it_and_what_cannot_be_is_proven() {
    for method in ["auto", "ilp", "search", "best-fit", "min-load"] {
        let instance = read(&cae(3));
        let outcome = plan(run(&instance, method, true));
        assert!(check_plan(&instance, &outcome.plan, true).is_empty());
        assert_eq!(outcome.plan.unplaced().count(), 1, "{method}: three licences are three tasks");
        assert_eq!(outcome.plan.unplaced().next(), Some(TaskId(3)), "{method}");
        let Answer::NoPlan(none) = run(&instance, method, false) else { panic!("{method}") };
        assert!(none.proven && none.code == "limit", "{method}: {}", none.cause);
        assert!(none.cause.contains("4 tasks take 5.5 ansys at least"), "{}", none.cause);
        let enough = read(&cae(6));
        assert_eq!(plan(run(&enough, method, false)).plan.placed(), 4, "{method}");
    }
}

#[test]
fn explain_names_it_and_says_how_far_to_raise_it() {
    let text = cae(3).to_string();
    let output = stowplan().args(["explain", "-"]).write_stdin(text).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("rule `licences`"), "{said}");
    assert!(
        said.contains("raise the limit `licences` to 5.5 (proven: less will not do)"),
        "{said}"
    );
}

#[test]
fn files_say_it_again() {
    let first = read(&cae(3));
    let mut text = Vec::new();
    write_instance(&first, &mut text).unwrap();
    let second = from(&text);
    assert_eq!(format!("{first:?}"), format!("{second:?}"));
    let files = write_csv(&first).unwrap();
    let rules = files.rules.unwrap();
    assert!(rules.contains("licences,limit,t0|t1|t2|t3,,3,ansys,"), "{rules}");
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    // What no node has need not be a column of nodes.
    let nodes = files.nodes.lines().map(|line| {
        let mut cells: Vec<&str> = line.split(',').collect();
        cells.remove(
            files.nodes.lines().next().unwrap().split(',').position(|h| h == "ansys").unwrap(),
        );
        cells.join(",") + "\n"
    });
    let mut digests = Vec::new();
    for nodes in [files.nodes.clone(), nodes.collect()] {
        let (tasks, nodes) = (file("tasks.csv", &files.tasks), file("nodes.csv", &nodes));
        let rules = file("rules.csv", &rules);
        let output = stowplan()
            .arg("convert")
            .args(["--to", "json"])
            .args([std::ffi::OsStr::new("--tasks"), tasks.as_os_str()])
            .args([std::ffi::OsStr::new("--nodes"), nodes.as_os_str()])
            .args([std::ffi::OsStr::new("--rules"), rules.as_os_str()])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let instance = from(&output.stdout);
        assert_eq!(placed(&instance, &[Some(0), Some(2), None, Some(3)]).len(), 1);
        digests.push(digest(&instance));
    }
    assert_eq!(digests[0], digest(&first));
}

#[test]
fn what_cannot_be_meant_so_is_refused() {
    let with = |change: &dyn Fn(&mut Value)| {
        let mut file = cae(3);
        change(&mut file);
        let output =
            stowplan().args(["solve", "-"]).write_stdin(file.to_string()).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    let rule = |key: &'static str, value: Value| {
        with(&move |file: &mut Value| file["rules"][1][key] = value.clone())
    };
    for (said, wanted) in [
        (rule("resource", json!("wats")), "no task demands any `wats`"),
        (rule("values", json!("r9")), "no node has rack = r9"),
        (rule("over", json!("rak")), "no node has a label `rak`"),
        (rule("over", json!("")), "name a label, or leave it away"),
        (rule("at_most", json!(null)), "say how much there may be"),
        (rule("at_most", json!(-1)), "is negative"),
        (rule("max_skew", json!(1)), "only the rule `spread` has it"),
        (rule("rule", json!("apart")), "only the rules `spread` and `limit` have it"),
        (
            with(&|file| file["rules"][1]["present"] = json!({"r1": 1})),
            "only the rule `spread` has it",
        ),
        (
            with(&|file| {
                file["rules"] = json!([{"rule": "apart", "group": "cae", "values": "r1"}])
            }),
            "only the rule `limit` has it",
        ),
        (rule("when", json!("never")), "unknown value `never`"),
        (
            with(&|file| file["tasks"][0]["demand"]["ansys"] = json!({"mean": 1, "sd": 1})),
            "nothing varies in `ansys`, which limits alone count",
        ),
        (
            with(&|file| file["resources"] = json!({"ansys": {"devices": true}})),
            "no cards or moves of `ansys`",
        ),
        (
            with(&|file| {
                file["pairs"] = json!([{"task": "t0", "node": "n1", "demand": {"ansys": 3}}])
            }),
            "pairs have no demand for `ansys`",
        ),
        (with(&|file| file["nodes"][0]["capacity"]["tasks"] = json!(1)), "is called so too"),
    ] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
}

#[test]
fn in_time_it_says_that_it_is_on_the_whole_plan() {
    let mut file = cae(3);
    file["goal"] = json!("makespan");
    file["tasks"].as_array_mut().unwrap().truncate(3);
    for task in file["tasks"].as_array_mut().unwrap() {
        task["duration"] = json!(10);
    }
    let solve = |file: &Value, method: &str| {
        let args = ["solve", "-", "--method", method];
        let output = stowplan().args(args).write_stdin(file.to_string()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    // Three licences at any time, and one task at a time on the rack that has power for one.
    let (code, said) = solve(&file, "auto");
    assert_eq!(code, Some(0), "{said}");
    for rule in file["rules"].as_array_mut().unwrap() {
        rule["when"] = json!("always");
    }
    let (code, said) = solve(&file, "ilp");
    assert!(code == Some(2) && said.contains("rules between tasks"), "{said}");
    let (code, said) = solve(&file, "auto");
    assert_eq!(code, Some(0), "{said}");
    // Three tasks on one rack that takes one, whatever the times: another has to do.
    file["rules"][0]["at_most"] = json!(2);
    let (code, said) = solve(&file, "auto");
    assert_ne!(code, Some(0), "{said}");
}

#[test]
fn parts_keep_it_where_it_binds_and_are_free_where_it_cannot() {
    let file = cae(6);
    let instance = read(&file);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("i.json");
    std::fs::write(&path, file.to_string()).unwrap();
    let out = folder.path().join("parts");
    let split = |args: &[&str]| {
        let mut command = stowplan();
        command.arg("split").arg(&path).args(args).arg("-o").arg(&out);
        command.output().unwrap()
    };
    // The power of r1 binds all four together.
    let said = String::from_utf8(split(&["--parts", "2"]).stderr).unwrap();
    assert!(said.contains("rule `licences`") || said.contains("tie them into 1"), "{said}");
    let mut loose = file.clone();
    loose["rules"].as_array_mut().unwrap().remove(1);
    std::fs::write(&path, loose.to_string()).unwrap();
    let output = split(&["--parts", "2"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for k in 0..2 {
        let text = std::fs::read(out.join(format!("part-{k}.json"))).unwrap();
        let part = from(&text);
        assert!(part.rules().len() == 2 && part.tasks() < instance.tasks());
    }
}

#[test]
fn standbys_count_where_they_run_then() {
    // t3 stops with rack a: a limit counts what is left, other rules would ask for nothing.
    let file = |at_most: u32| {
        let node = |id: &str, rack: &str| json!({"id": id, "capacity": {"cpu": 8}, "labels": {"rack": rack}});
        let pinned = |id: &str, node: &str| json!({"id": id, "demand": {"cpu": 2}, "group": "g", "node": node, "pinned": true});
        json!({
            "nodes": [node("n0", "a"), node("n1", "b"), node("n2", "b")],
            "tasks": [
                {"id": "t0", "demand": {"cpu": 2}, "group": "g", "backup": "rack"},
                pinned("t1", "n1"), pinned("t2", "n2"), pinned("t3", "n0"),
            ],
            "rules": [
                {"rule": "limit", "resource": "tasks", "group": "g", "over": "rack", "at_most": at_most},
            ],
        })
    };
    let solve = |at_most: u32| {
        let args = ["solve", "-", "--time-limit", "5s"];
        let output = stowplan().args(args).write_stdin(file(at_most).to_string()).output().unwrap();
        output.status.code()
    };
    assert_eq!(solve(3), Some(0), "three on rack b, once a fails");
    assert_eq!(solve(2), Some(3));
}

/// Four licences, three jobs of two each: two at once, then the third. Later there are more.
#[test]
fn at_every_instant_no_more_run_than_the_limit_allows() {
    let mut file = json!({
        "nodes": [{"id": "n1", "capacity": {"cpu": 8}}],
        "tasks": (0..3).map(|k| json!({
            "id": format!("t{k}"), "demand": {"cpu": 1, "ansys": 2}, "duration": 10,
        })).collect::<Vec<_>>(),
        "rules": [{"rule": "limit", "id": "licences", "resource": "ansys", "tasks": ["t0", "t1", "t2"], "at_most": 4}],
        "goal": "makespan",
    });
    let starts = |file: &Value| {
        let instance = read(file);
        let outcome = plan(run(&instance, "auto", false));
        let schedule = Schedule { plan: outcome.plan, start: outcome.start };
        assert!(check_schedule(&instance, &schedule, false).is_empty());
        let mut starts: Vec<i64> = schedule.start.iter().flatten().copied().collect();
        starts.sort_unstable();
        (starts, outcome.optimal)
    };
    assert_eq!(starts(&file), (vec![0, 0, 10], true));
    file["rules"][0]["later"] = json!([{"from": 5, "at_most": 6}]);
    assert_eq!(starts(&file), (vec![0, 0, 5], true));
    file["rules"][0]["later"] = json!([{"from": 5, "at_most": 2}, {"from": "20s", "at_most": 4}]);
    assert_eq!(starts(&file).0, [0, 10, 20], "what runs on still counts");
    // Who passes the limit is told so.
    let instance = read(&file);
    let mut schedule = Schedule { plan: Plan::empty(3), start: vec![Some(0), Some(5), None] };
    schedule.plan.placement = vec![Some(NodeId(0)), Some(NodeId(0)), None];
    let said = check_schedule(&instance, &schedule, true);
    let said: Vec<String> = said.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("they take 4 ansys, at most 2 asked"), "{said:?}");
    // JSON and CSV say it again.
    let mut text = Vec::new();
    write_instance(&instance, &mut text).unwrap();
    assert_eq!(format!("{:?}", from(&text)), format!("{instance:?}"));
    let rules = write_csv(&instance).unwrap().rules.unwrap();
    assert!(rules.contains(",5=2;20=4"), "{rules}");
}

/// What starts as one waits until all have room; what does not need not.
#[test]
fn a_gang_of_different_jobs_starts_as_one() {
    let file = |when: Value| {
        let mut rule = json!({"rule": "gang", "tasks": ["a", "b"]});
        if !when.is_null() {
            rule["when"] = when;
        }
        json!({
            "nodes": [{"id": "n1", "capacity": {"cpu": 2, "gpu": 0}},
                      {"id": "n2", "capacity": {"cpu": 2, "gpu": 1}, "available_at": 7}],
            "tasks": [{"id": "a", "demand": {"cpu": 1}, "duration": 2},
                      {"id": "b", "demand": {"gpu": 1}, "duration": 2}],
            "rules": [rule], "goal": "makespan, completion",
        })
    };
    for (when, starts) in [(Value::Null, [0, 7]), (json!("as-one"), [7, 7])] {
        for method in ["auto", "fifo", "easy", "conservative", "priority"] {
            let instance = read(&file(when.clone()));
            let method = Method::parse(method).unwrap();
            let params = Params { method, work_limit: Some(100_000), ..Params::default() };
            let outcome = plan(solve(&instance, &params).unwrap());
            let schedule = Schedule { plan: outcome.plan, start: outcome.start };
            assert!(check_schedule(&instance, &schedule, false).is_empty());
            assert_eq!(schedule.start, starts.map(Some), "{method:?}");
            let mut text = Vec::new();
            write_instance(&instance, &mut text).unwrap();
            assert_eq!(digest(&from(&text)), digest(&instance));
        }
    }
    let apart = read(&file(json!("as-one")));
    let placement = vec![Some(NodeId(0)), Some(NodeId(1))];
    let plan = Plan { placement, ..Plan::empty(2) };
    let wrong = check_schedule(&apart, &Schedule { plan, start: vec![Some(0), Some(7)] }, false);
    assert_eq!(wrong.len(), 1, "{wrong:?}");
}
