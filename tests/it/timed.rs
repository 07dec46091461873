//! Plans in time: times as they are read and written, what the checker finds, and what people
//! and other programs get to see.

use proptest::prelude::*;
use serde_json::Value;
use stowplan::check::{check_claim, check_schedule};
use stowplan::format::{
    Input, Source, digest, read_claim, read_instance, write_csv, write_instance,
};
use stowplan::metrics::{Waits, critical_path, timed_values};
use stowplan::model::{
    AfterDraft, Decimal, Draft, Instance, NodeDraft, NodeId, PairDraft, Plan, Schedule, TaskDraft,
    When,
};
use stowplan::report::{gantt_svg, gantt_text};
use stowplan::solve::{Answer, Params, solve};

use crate::helpers::stowplan;

fn instance(text: &str) -> Instance {
    let source = Source { name: "i.json".into(), bytes: text.as_bytes().to_vec() };
    read_instance(&Input::One(source), None).unwrap()
}

fn refused(text: &str) -> String {
    let source = Source { name: "i.json".into(), bytes: text.as_bytes().to_vec() };
    let error = read_instance(&Input::One(source), None).unwrap_err();
    format!("{error} [{}]", error.remedy)
}

/// Two nodes of four cores, the second closed from 100 s to 200 s; a, b after a with a lag, a
/// gang of two, and one that runs now.
const SMALL: &str = r#"{
  "nodes": [
    {"id": "x", "capacity": {"cpu": 4}},
    {"id": "y", "capacity": {"cpu": 4}, "closed": [{"from": 100, "to": 200}]}
  ],
  "tasks": [
    {"id": "a", "demand": {"cpu": 3}, "duration": 60, "release": 10},
    {"id": "b", "demand": {"cpu": 2}, "duration": 40, "after": [{"task": "a", "lag": 5}], "due": 100, "weight": 2},
    {"id": "g", "demand": {"cpu": 2}, "duration": 30, "replicas": 2, "deadline": 300},
    {"id": "r", "demand": {"cpu": 1}, "duration": 50, "node": "x", "elapsed": 20}
  ],
  "goal": "makespan, tardiness"
}"#;

/// Nodes and starts in instance order: a, b, g[0], g[1], r.
fn schedule(nodes: [Option<u32>; 5], start: [Option<i64>; 5]) -> Schedule {
    let placement = nodes.map(|node| node.map(NodeId)).to_vec();
    Schedule { plan: Plan { placement, cards: Vec::new() }, start: start.to_vec() }
}

fn good() -> Schedule {
    schedule(
        [Some(0), Some(0), Some(1), Some(1), Some(0)],
        [Some(10), Some(75), Some(0), Some(0), Some(0)],
    )
}

fn codes(schedule: &Schedule) -> Vec<&'static str> {
    let instance = instance(SMALL);
    check_schedule(&instance, schedule, true).iter().map(stowplan::check::Violation::code).collect()
}

#[test]
fn a_good_schedule_is_good_and_its_values_are_counted() {
    let instance = instance(SMALL);
    assert_eq!(codes(&good()), Vec::<&str>::new());
    let values = timed_values(&instance, &good(), instance.goal());
    let values: Vec<f64> = values.iter().map(|value| value.value).collect();
    // b ends at 115, 15 s late, twice.
    assert_eq!(values, [115.0, 30.0]);
    let goal = stowplan::model::Goal::parse("completion, wait, peak, cost").unwrap();
    let values = timed_values(&instance, &good(), &goal);
    let values: Vec<f64> = values.iter().map(|value| value.value).collect();
    // 70 + 2 x 115 + 30 + 30; b waits 75 s from its release at 0, twice; x is full while a and r run.
    assert_eq!(values, [360.0, 150.0, 1.0, 0.0]);
}

#[test]
fn the_checker_names_everything_that_is_wrong_in_time() {
    let with = |change: &dyn Fn(&mut Schedule)| {
        let mut schedule = good();
        change(&mut schedule);
        codes(&schedule)
    };
    let start = |task: usize, at: i64| move |s: &mut Schedule| s.start[task] = Some(at);
    assert_eq!(with(&start(0, 9)), ["release"]);
    assert_eq!(with(&start(1, 74)), ["after"]);
    assert_eq!(with(&start(3, 1)), ["gang-start"]);
    assert_eq!(with(&start(4, 80)), ["start"]);
    assert_eq!(with(&start(1, -5)), ["start", "release", "after", "capacity"]);
    assert_eq!(with(&|s| s.start[0] = None), ["start", "after"]);
    assert_eq!(with(&|s| s.plan.placement[4] = Some(NodeId(1))), ["pinned", "capacity"]);
    assert_eq!(with(&|s| (s.start[2], s.start[3]) = (Some(80), Some(80))), ["closed", "closed"]);
    assert_eq!(
        with(&|s| (s.start[2], s.start[3]) = (Some(280), Some(280))),
        ["deadline", "deadline"]
    );
    assert_eq!(
        with(&|s| (s.plan.placement[1], s.start[1]) = (Some(NodeId(1)), Some(90))),
        ["closed"]
    );
    // A gang whole or not at all, and what comes after what does not run.
    assert_eq!(with(&|s| (s.plan.placement[3], s.start[3]) = (None, None)), ["rule"]);
    assert_eq!(with(&|s| (s.plan.placement[0], s.start[0]) = (None, None)), ["after"]);
    // Three on x from 10 s on: a takes 3 of 4 cores, r one, a unit two more.
    let crowded = |s: &mut Schedule| {
        (s.plan.placement[2], s.plan.placement[3]) = (Some(NodeId(0)), Some(NodeId(0)));
        (s.start[2], s.start[3]) = (Some(20), Some(20));
    };
    assert_eq!(with(&crowded), ["capacity"]);
    let violations = check_schedule(
        &instance(SMALL),
        &{
            let mut s = good();
            crowded(&mut s);
            s
        },
        true,
    );
    assert!(
        violations[0].to_string().starts_with("at 20 s: node `x` carries 8 cpu and has 4"),
        "{}",
        violations[0]
    );
}

#[test]
fn cards_and_counts_hold_at_every_instant() {
    let text = r#"{
      "resources": {"gpu": {"devices": true}},
      "nodes": [{"id": "x", "capacity": {"gpu": 2}, "max_tasks": 2}],
      "tasks": [
        {"id": "a", "demand": {"gpu": 0.5}, "duration": 10},
        {"id": "b", "demand": {"gpu": 0.5}, "duration": 10},
        {"id": "c", "demand": {"gpu": 1}, "duration": 10}
      ],
      "goal": "makespan"
    }"#;
    let instance = instance(text);
    let plan = |cards: &[u64]| Plan { placement: vec![Some(NodeId(0)); 3], cards: cards.to_vec() };
    let found = |plan: Plan, start: [i64; 3]| {
        let start = start.map(Some).to_vec();
        let violations = check_schedule(&instance, &Schedule { plan, start }, false);
        violations.iter().map(|v| v.code()).collect::<Vec<_>>()
    };
    // One after the other on the same card, and both shares at once on it.
    assert_eq!(found(plan(&[1, 1, 1]), [0, 10, 20]), Vec::<&str>::new());
    assert_eq!(found(plan(&[1, 1, 1]), [0, 0, 10]), Vec::<&str>::new());
    assert_eq!(found(plan(&[1, 2, 1]), [0, 5, 9]), ["max-tasks", "cards"]);
    assert_eq!(found(plan(&[1, 2, 2]), [0, 10, 19]), ["cards"]);
    assert_eq!(found(plan(&[1, 2, 4]), [0, 10, 20]), ["cards"]);
}

#[test]
fn a_plan_that_misstates_its_times_is_caught() {
    let instance = instance(SMALL);
    let claim = |text: &str| {
        let source = Source { name: "p.csv".into(), bytes: text.as_bytes().to_vec() };
        check_claim(&instance, &read_claim(&source).unwrap())
    };
    let rows = "task,node,start,end\na,x,10,70\nb,x,75,115\ng[0],y,0,30\ng[1],y,0,30\nr,x,0,30\n";
    let verdict = claim(rows);
    assert!(verdict.violations.is_empty(), "{:?}", verdict.violations);
    assert_eq!(verdict.schedule, Some(good()));
    let verdict = claim(&rows.replace("75,115", "75s,"));
    assert!(verdict.violations.is_empty(), "units are read, ends may be missing");
}

#[test]
fn a_wrong_end_and_a_missing_start_are_violations() {
    let instance = instance(SMALL);
    let claim = |text: &str| {
        let source = Source { name: "p.csv".into(), bytes: text.as_bytes().to_vec() };
        let verdict = check_claim(&instance, &read_claim(&source).unwrap());
        verdict.violations.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let rows = "task,node,start,end\na,x,10,71\nb,x,75,\ng[0],y,0,30\ng[1],y,0,30\nr,x,0,30\n";
    assert_eq!(claim(rows), ["task `a` is said to end at 71 s and ends at 70 s"]);
    let rows = "task,node\na,x\nb,x\ng[0],y\ng[1],y\nr,x\n";
    assert!(claim(rows).contains(&"task `a` has a node and no start".to_owned()));
}

#[test]
fn what_cannot_be_in_time_is_refused_with_its_reason() {
    let change = |from: &str, to: &str| {
        assert!(SMALL.contains(from), "{from}");
        refused(&SMALL.replace(from, to))
    };
    for (from, to, want) in [
        (r#""release": 10"#, r#""after": ["b"]"#, "in a circle: `a` after `b` after `a`"),
        (r#""task": "a", "lag""#, r#""task": "aa", "lag""#, "there is no task `aa`"),
        (r#"[{"task": "a", "lag": 5}]"#, r#"["a", "a"]"#, "comes after `a` twice"),
        (r#""deadline": 300"#, r#""deadline": 29"#, "`g` cannot end by 29 s"),
        (r#""elapsed": 20"#, r#""elapsed": 50"#, "it has run for 50 s of 50 s"),
        (r#""node": "x", "elapsed": 20"#, r#""elapsed": 20"#, "runs on a node"),
        (r#""elapsed": 20"#, r#""elapsed": 20, "release": 5"#, "released later"),
        (
            r#"{"from": 100, "to": 200}"#,
            r#"{"from": 200, "to": 200}"#,
            "a window ends after it starts",
        ),
        (
            r#"{"from": 100, "to": 200}"#,
            r#"{"from": 100, "to": 200}, {"from": 150, "to": 300}"#,
            "overlap",
        ),
        (r#""duration": 60"#, r#""key": "k""#, "the task `a` has no duration"),
        (r#""duration": 60"#, r#""duration": 0"#, "the task `a` has no duration"),
        (r#""release": 10"#, r#""release": "2026-01-05""#, "nothing says when the plan starts"),
        (r#""release": 10"#, r#""release": "soon""#, "`soon` is no time"),
        (r#""id": "x", "#, r#""id": "x", "speed": 0, "#, "0 is no speed"),
        ("makespan, tardiness", "makespan, balance", "cannot be joined with goals about time"),
    ] {
        let message = change(from, to);
        assert!(message.contains(want), "{to}: {message}");
    }
    let long = SMALL.replace(r#""node": "x", "elapsed": 20"#, r#""node": "y", "elapsed": 20"#);
    let long = long.replace(r#""duration": 50"#, r#""duration": 200"#);
    assert!(
        refused(&long)
            .contains("runs on node `y` until 180 s, and the node is closed from 100 s on")
    );
}

#[test]
fn dates_are_times_from_the_start() {
    let text = SMALL
        .replace(r#""goal""#, r#""start": "2026-01-05T08:00", "goal""#)
        .replace(r#""release": 10"#, r#""release": "2026-01-05T08:00:10""#)
        .replace(
            r#"{"from": 100, "to": 200}"#,
            r#"{"from": "2026-01-05T07:00Z", "to": "2026-01-05T09:03:20+01:00"}"#,
        );
    let instance = instance(&text);
    let a = instance.task_ids().next().unwrap();
    assert_eq!(instance.release(a), 10);
    assert_eq!(instance.closed(NodeId(1)), [(0, 200)]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("i.json");
    std::fs::write(&path, text.replace(r#""start": "2026-01-05T08:00", "#, "")).unwrap();
    let run = |more: &[&str]| stowplan().arg("convert").arg(&path).args(more).output().unwrap();
    let refused = run(&[]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--start-date"));
    let read = run(&["--start-date", "2026-01-05T08:00"]);
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    assert!(String::from_utf8_lossy(&read.stdout).contains(r#""start": "2026-01-05T08:00:00Z""#));
}

#[test]
fn speeds_and_pairs_change_durations_and_costs() {
    let text = r#"{
      "nodes": [
        {"id": "slow", "capacity": {"cpu": 1}, "price_per_hour": 1},
        {"id": "fast", "capacity": {"cpu": 1}, "speed": 1.5, "price_per_hour": 1}
      ],
      "tasks": [{"id": "a", "demand": {"cpu": 1}, "duration": "1h"}, {"id": "b", "demand": {"cpu": 1}, "duration": 100}],
      "pairs": [{"task": "b", "node": "fast", "duration": 7}]
    }"#;
    let instance = instance(text);
    let all: Vec<i64> = instance
        .task_ids()
        .flat_map(|t| instance.node_ids().map(|n| instance.duration_on(t, n)).collect::<Vec<_>>())
        .collect();
    assert_eq!(all, [3600, 2400, 100, 7]);
    let cost = |task: u32, node: u32| {
        let units = instance.cost_on(stowplan::model::TaskId(task), NodeId(node));
        instance.cost_scale().to_f64(units)
    };
    assert!((cost(0, 1) - 2.0 / 3.0).abs() < 1e-12 && (cost(1, 1) - 7.0 / 3600.0).abs() < 1e-12);
}

fn whole(value: i64) -> Decimal {
    Decimal::from_integer(value).unwrap()
}

/// Small instances with every field about time.
fn timed() -> impl Strategy<Value = Draft> {
    let node = (
        prop_oneof![3 => Just(None), 1 => Just(Some("0.5")), 1 => Just(Some("1.25"))],
        prop_oneof![2 => Just(None), 1 => (0i64..50).prop_map(Some)],
        prop::collection::vec((1i64..30, 1i64..30), 0..3),
    );
    let task = (
        (1i64..50, prop::option::of(0i64..20), prop::option::of(0i64..90)),
        prop::option::of(500i64..900),
        prop::option::of(2u32..4),
        prop::collection::vec((0usize..6, 0i64..9), 0..3),
        any::<bool>(),
    );
    let pairs = prop::collection::vec((0usize..3, 1i64..60), 0..2);
    let start = prop::option::of(0i64..2_000_000_000);
    (prop::collection::vec(node, 1..4), prop::collection::vec(task, 1..7), pairs, start).prop_map(
        |(nodes, tasks, pairs, start)| {
            let mut draft = Draft { start, ..Draft::default() };
            let cpu = draft.resource("cpu");
            for (j, (speed, available, gaps)) in nodes.iter().enumerate() {
                let mut at = 60;
                let closed = gaps.iter().map(|(open, shut)| {
                    let from = at + open;
                    at = from + shut;
                    (When::In(from), When::In(at))
                });
                draft.nodes.push(NodeDraft {
                    id: format!("n{j}"),
                    capacity: vec![(cpu, whole(4))],
                    closed: closed.collect(),
                    speed: speed.map(|text| Decimal::parse(text).unwrap()),
                    available_at: available.map(When::In),
                    ..NodeDraft::default()
                });
            }
            for (i, ((duration, release, due), deadline, replicas, after, runs)) in
                tasks.into_iter().enumerate()
            {
                let mut before: Vec<AfterDraft> = Vec::new();
                for (k, lag) in after {
                    let task = format!("t+{k}");
                    if k < i && before.iter().all(|known| known.task != task) {
                        before.push(AfterDraft { task, lag });
                    }
                }
                // Nodes that are closed at first have nothing running.
                let open =
                    draft.nodes.iter().find(|n| n.available_at.is_none() && n.closed.is_empty());
                let current =
                    open.filter(|_| runs && before.is_empty()).map(|node| node.id.clone());
                draft.tasks.push(TaskDraft {
                    id: format!("t+{i}"),
                    demand: vec![(cpu, whole(1))],
                    duration: Some(duration),
                    release: release.filter(|_| current.is_none()).map(When::In),
                    due: due.map(When::In),
                    deadline: deadline.map(When::In),
                    replicas,
                    elapsed: current.as_ref().map(|_| 0),
                    current: current.into_iter().collect(),
                    after: before,
                    ..TaskDraft::default()
                });
            }
            for (j, seconds) in pairs {
                if j < draft.nodes.len() && draft.pairs.iter().all(|p| p.node != format!("n{j}")) {
                    let (task, node) = ("t+0".to_owned(), format!("n{j}"));
                    draft.pairs.push(PairDraft {
                        task,
                        node,
                        duration: Some(seconds),
                        ..PairDraft::default()
                    });
                }
            }
            draft
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// What is written reads back as the same, as JSON and as tables.
    #[test]
    fn every_time_reads_back(draft in timed()) {
        let instance = draft.build().unwrap();
        let mut bytes = Vec::new();
        write_instance(&instance, &mut bytes).unwrap();
        let again = read_instance(&Input::One(Source { name: "i.json".into(), bytes }), None).unwrap();
        prop_assert_eq!(digest(&again), digest(&instance));
        prop_assert_eq!(again.start(), instance.start());
        for task in instance.task_ids() {
            prop_assert_eq!(again.after(task), instance.after(task));
            prop_assert_eq!(again.elapsed(task), instance.elapsed(task));
            for node in instance.node_ids() {
                prop_assert_eq!(again.duration_on(task, node), instance.duration_on(task, node));
            }
        }
        for node in instance.node_ids() {
            prop_assert_eq!(again.closed(node), instance.closed(node));
        }
        let files = write_csv(&instance).unwrap();
        let source = |name: &str, text: &str| Source { name: name.into(), bytes: text.as_bytes().to_vec() };
        let tables = Input::Tables {
            tasks: source("tasks.csv", &files.tasks),
            nodes: source("nodes.csv", &files.nodes),
            pairs: files.pairs.as_deref().map(|text| source("pairs.csv", text)),
            rules: files.rules.as_deref().map(|text| source("rules.csv", text)),
        };
        prop_assert_eq!(digest(&read_instance(&tables, None).unwrap()), digest(&instance));
    }
}

#[test]
fn bars_stand_where_tasks_run() {
    let instance = instance(SMALL);
    let text = gantt_text(&instance, &good(), Some(54));
    let plain: String = anstream::adapter::strip_str(&text).to_string();
    let want = "  node  0s          30s         1m          1m 30s
  x     │r──────────                  │b━━━━━━━━━━━━━━
            │a━━━━━━━━━━━━━━━━━━━━━━
  y     │g[0]───────                            ░░░░░░
        │g[1]───────                            ░░░░░░
";
    assert_eq!(plain, want, "\n{plain}");
    let path = critical_path(&instance, &good());
    let waits: Vec<Waits> = path.iter().map(|link| link.waits).collect();
    assert_eq!(waits, [Waits::Release, Waits::After(stowplan::model::TaskId(0), 5)]);
    let svg = gantt_svg(&instance, &good()).unwrap();
    for part in [
        "<title>b on x, 1m 15s to 1m 55s</title>",
        "class=\"path\"",
        "class=\"shut\"",
        ">cpu</tspan>",
    ] {
        assert!(svg.contains(part), "{part}: {svg}");
    }
}

fn json(arguments: &[&str]) -> Value {
    let output = stowplan().args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_documents_cases_are_proven() {
    for (file, makespan) in
        [("data/four-nodes-timed.json", 2100.0), ("data/five-nodes-timed.json", 10_800.0)]
    {
        let plan = json(&["solve", file, "--output", "json"]);
        assert_eq!(plan["status"], "optimal", "{file}");
        assert_eq!(plan["goal"][0]["value"], makespan, "{file}");
        assert_eq!(plan["time"]["makespan"], makespan as i64);
        let starts = plan["assignments"].as_array().unwrap().iter();
        assert!(starts.clone().all(|row| row["end"].as_i64() > row["start"].as_i64()));
    }
}

#[test]
fn plans_in_time_are_written_in_every_form_and_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = "data/five-nodes-timed.json";
    for (name, want) in
        [("p.json", "\"critical_path\""), ("p.csv", "task,node,reason,detail,start,end")]
    {
        let path = folder.path().join(name);
        let form = name.split('.').next_back().unwrap();
        stowplan().args(["solve", file, "--output", form, "-o"]).arg(&path).assert().success();
        assert!(std::fs::read_to_string(&path).unwrap().contains(want), "{name}");
        stowplan().args(["check", file]).arg(&path).assert().success();
        stowplan().args(["export", file]).arg(&path).args(["--to", "slurm"]).assert().success();
    }
    for (name, want) in [("p.svg", "<svg xmlns"), ("p.html", "id=\"part-time\"")] {
        let path = folder.path().join(name);
        stowplan().args(["solve", file, "-o"]).arg(&path).assert().success();
        assert!(std::fs::read_to_string(&path).unwrap().contains(want), "{name}");
    }
    let table = stowplan().args(["solve", file]).output().unwrap();
    let text = String::from_utf8_lossy(&table.stdout).into_owned();
    for want in ["makespan 3h", "optimal (gap 0 %)", "critical path:", "volume over time"] {
        assert!(text.contains(want), "{want}\n{text}");
    }
}

#[test]
fn scripts_for_slurm_wait_for_what_comes_before() {
    let folder = tempfile::tempdir().unwrap();
    let (file, plan) = (folder.path().join("i.json"), folder.path().join("p.csv"));
    std::fs::write(&file, SMALL.replace("\"a\"", "\"17\"")).unwrap();
    std::fs::write(
        &plan,
        "task,node,start,end\n17,x,10,70\nb,x,75,115\ng[0],y,0,30\ng[1],y,0,30\nr,x,0,30\n",
    )
    .unwrap();
    let output =
        stowplan().arg("export").arg(&file).arg(&plan).args(["--to", "slurm"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    for line in [
        "# r: runs already",
        "job_2=$(sbatch --parsable --begin=now+0 --nodes=1 --nodelist=y --job-name=g \"${JOBS:-.}/\"g.sh) || failed=1",
        "try scontrol update jobid=17 reqnodelist=x starttime=now+10",
        "job_1=$(sbatch --parsable --begin=now+75 --dependency=afterok:17 --nodes=1 --nodelist=x --job-name=b \"${JOBS:-.}/\"b.sh) || failed=1",
    ] {
        assert!(text.lines().any(|known| known == line), "{line}\n{text}");
    }
}

#[test]
fn methods_without_time_say_so() {
    let run = |more: &[&str]| {
        let output = stowplan().args(more).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, message) = run(&["solve", "data/five-nodes-timed.json", "--method", "min-load"]);
    assert!(code == Some(2) && message.contains("plans without it"), "{message}");
    let (code, message) = run(&["solve", "data/five-nodes.json", "--method", "fifo"]);
    assert!(code == Some(2) && message.contains("plans in time"), "{message}");
    for command in ["explain", "replan"] {
        let (code, message) = run(&[command, "data/five-nodes-timed.json"]);
        assert!(code == Some(2) && message.contains("is about time"), "{command}: {message}");
    }
    // Without a goal about time the makespan is meant.
    let plan = json(&["solve", "data/five-nodes.json", "--timed", "--output", "json"]);
    assert_eq!(plan["goal"][0]["tier"], "makespan");
    let rows = json(&[
        "compare",
        "data/five-nodes-timed.json",
        "--methods",
        "auto,fifo,easy,conservative",
        "--output",
        "json",
    ]);
    let rows = rows["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 4);
    assert!(rows.iter().all(|row| row["metrics"]["makespan"].as_f64() >= Some(10_800.0)));
    assert_eq!(rows[0]["rank"], 1);
}

#[test]
fn plans_begin_with_a_plan_and_stop_at_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let (file, start) = (folder.path().join("i.json"), folder.path().join("p.csv"));
    std::fs::write(&file, SMALL).unwrap();
    let rows = "task,node,start\na,x,10\nb,x,75\ng[0],y,0\ng[1],y,0\nr,x,0\n";
    let run = |plan: &str, more: &[&str]| {
        std::fs::write(&start, plan).unwrap();
        let mut command = stowplan();
        command.arg("solve").arg(&file).arg("--start").arg(&start).args(["--output", "json"]);
        command.args(more).output().unwrap()
    };
    let plan = |plan: &str, more: &[&str]| -> Value {
        let output = run(plan, more);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let given = plan(rows, &["--work-limit", "1", "--goal", "wait"]);
    assert_eq!(given["found_by"], "the plan given");
    assert_eq!(given["goal"][0]["value"], 150.0);
    // The same nodes without starts, and a start that breaks a rule.
    for broken in [
        rows.replace(",start", "").replace(",75", "").replace(",10", "").replace(",0", ""),
        rows.replace("75", "20"),
    ] {
        assert_eq!(plan(&broken, &[])["goal"][0]["value"], 115.0, "{broken}");
    }
    let refused = run(rows, &["--method", "fifo"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("begins with no plan"));
    let near = plan(rows, &["--goal", "completion", "--gap", "100%", "--work-limit", "1"]);
    assert!(near["goal"][0]["gap"].as_f64().unwrap() <= 1.0);
}

#[test]
fn bounds_are_known_on_the_way() {
    let text = std::fs::read_to_string("data/five-nodes-timed.json").unwrap();
    let Answer::Plan(outcome) = solve(&instance(&text), &Params::default()).unwrap() else {
        panic!("there is a plan");
    };
    assert!(!outcome.trace.is_empty());
    for step in &outcome.trace {
        assert!(step.goal[0].bound > 0.0 && step.goal[0].why != "counting", "{step:?}");
        assert!(step.goal[0].gap < 1.0);
    }
}

#[test]
fn load_that_ends_makes_room() {
    let text = r#"{
      "nodes": [{"id": "x", "capacity": {"cpu": 4}, "used": {"cpu": 3},
        "ending": [{"at": "1m", "used": {"cpu": 1}}, {"at": 50, "used": {"cpu": 1}}]}],
      "tasks": [{"id": "a", "demand": {"cpu": 3}, "duration": 10}, {"id": "b", "demand": {"cpu": 1}, "duration": 5}],
      "goal": "completion"
    }"#;
    let instance = instance(text);
    let mut bytes = Vec::new();
    write_instance(&instance, &mut bytes).unwrap();
    let again = Source { name: "i.json".into(), bytes };
    let again = read_instance(&Input::One(again), None).unwrap();
    assert_eq!(digest(&again), digest(&instance));
    assert!(write_csv(&instance).is_err(), "tables have no place for it");
    let Answer::Plan(outcome) = solve(&again, &Params::default()).unwrap() else {
        panic!("there is a plan");
    };
    assert_eq!((outcome.start.clone(), outcome.optimal), (vec![Some(60), Some(0)], true));
    let schedule = Schedule { plan: outcome.plan, start: outcome.start };
    assert_eq!(check_schedule(&instance, &schedule, false), vec![]);
    let path = critical_path(&instance, &schedule);
    assert_eq!(path[0].waits, Waits::Ending(NodeId(0)));
    let early = Schedule { start: vec![Some(59), Some(0)], ..schedule };
    let violations = check_schedule(&instance, &early, false);
    assert!(violations[0].to_string().starts_with("at 59 s: node `x` carries 5 cpu and has 4"));
    let much = refused(
        &text.replace("\"at\": 50, \"used\": {\"cpu\": 1}", "\"at\": 50, \"used\": {\"cpu\": 3}"),
    );
    assert!(much.contains("nodes[0].ending: more of `cpu` ends than is used"), "{much}");
}
