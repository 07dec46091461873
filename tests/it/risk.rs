//! Demands that vary: what keeps the risk, in every method, against brute force and against draws.

use proptest::prelude::*;
use proptest::sample::select;
use stowplan::check::check_plan;
use stowplan::generate::{self, Settings, generate};
use stowplan::model::{Decimal, Goal, Instance, NodeId, Part, Plan, RatioDraft, Risk};
use stowplan::policy::POLICIES;
use stowplan::simulate::{self, Shape, simulate};
use stowplan::solve::{Answer, Method, Params, solve};

use crate::helpers::{brute_force, less, plan, run, stowplan, tiny, vary};
use crate::properties::cases;

const RISKS: [&str; 3] = ["0.3", "0.05", "0.001"];

proptest! {
    #![proptest_config(cases(400))]

    /// A task fits exactly where the checker would not mind it.
    #[test]
    fn what_fits_keeps_the_risk(
        draft in tiny(),
        deviations in prop::collection::vec(0i64..=3, 6),
        risk in select(&RISKS[..]),
        choices in prop::collection::vec(0usize..4, 6),
    ) {
        let mut draft = draft;
        vary(&mut draft, &deviations, risk);
        let instance = draft.build().unwrap();
        let mut state = stowplan::state::State::new(&instance);
        for (task, choice) in instance.task_ids().zip(choices) {
            for node in instance.node_ids() {
                let mut plan = state.clone().unload();
                plan.placement[task.index()] = Some(node);
                let allowed = check_plan(&instance, &plan, true).is_empty();
                prop_assert_eq!(state.fits(task, node), allowed, "{:?} on {:?}", task, node);
                prop_assert!(!allowed || instance.fits_alone(task, node));
            }
            let node = NodeId::from(choice.min(instance.nodes() - 1));
            if choice < 3 && state.fits(task, node) {
                state.place(task, node);
            }
        }
        for task in instance.task_ids() {
            state.remove(task);
        }
        let empty = stowplan::state::State::new(&instance);
        for (task, node) in instance.task_ids().flat_map(|t| instance.node_ids().map(move |n| (t, n))) {
            prop_assert_eq!(state.fits(task, node), empty.fits(task, node));
        }
    }

    /// What is kept free as a headroom is what is reserved as the same part of every capacity.
    #[test]
    fn headroom_is_a_reserve(
        draft in tiny(),
        deviations in prop::collection::vec(0i64..=3, 6),
        risk in select(&RISKS[..]),
        part in select(&["0.25", "0.1", "0.375"][..]),
        priced in prop::option::of((0i64..=6, 0i64..=2)),
        goal in select(&["peak", "soft, cost", "nodes"][..]),
    ) {
        let mut draft = draft;
        draft.tasks.truncate(4);
        let known: Vec<String> = draft.tasks.iter().map(|task| task.id.clone()).collect();
        draft.pairs.retain(|pair| known.contains(&pair.task));
        draft.one_task_per_node = false;
        vary(&mut draft, &deviations, risk);
        let whole = |value| Decimal::from_integer(value).unwrap();
        if let Some((safety, ratio)) = priced {
            draft.resources[0].safety_price = Some(whole(2));
            draft.nodes[0].safety.push((0, Part::Exact(whole(safety))));
            if draft.resources.len() > 1 {
                let ratio = RatioDraft { room: 1, with: 0, ratio: whole(ratio), price: whole(1) };
                draft.ratios.push(ratio);
            }
        }
        let part = Decimal::parse(part).unwrap();
        let goal = Goal::parse(goal).unwrap();
        let spared = draft.clone().build().unwrap().with_headroom(part).unwrap();
        let percent = Part::Percent(part.percent(whole(10_000)).unwrap());
        for r in 0..draft.resources.len() {
            draft.reserve.push((r as u16, percent));
        }
        let reserved = draft.build().unwrap();
        let (spared, reserved) = (spared.with_goal(goal.clone()), reserved.with_goal(goal));
        prop_assert_eq!(brute_force(&spared, true), brute_force(&reserved, true));
    }

    /// The integer program finds the best plan that keeps the risk, and proves it; the search finds no
    /// better one, and what it finds keeps the risk.
    #[test]
    fn methods_equal_brute_force(
        draft in tiny(),
        deviations in prop::collection::vec(0i64..=3, 6),
        risk in select(&RISKS[..]),
        goal in select(&["peak", "cost", "nodes", "balance", "cost, peak"][..]),
        drop in any::<bool>(),
    ) {
        let mut draft = draft;
        vary(&mut draft, &deviations, risk);
        let instance = draft.build().unwrap().with_goal(Goal::parse(goal).unwrap());
        let truth = brute_force(&instance, drop);
        for method in ["ilp", "auto"] {
            match (run(&instance, method, drop), &truth) {
                (Answer::NoPlan(none), None) => prop_assert!(none.proven, "{}", none.cause),
                (Answer::Plan(outcome), Some(truth)) => {
                    let values: Vec<f64> = outcome.goal.iter().map(|tier| tier.value).collect();
                    prop_assert!(!less(truth, &values) && !less(&values, truth), "{method} {values:?} {truth:?}");
                    prop_assert!(outcome.optimal, "{method}: {:?} {:?}", outcome.goal, outcome.notes);
                }
                (answer, truth) => prop_assert!(false, "{method}: {answer:?}, brute force {truth:?}"),
            }
        }
        let params = Params {
            method: Method::Search,
            work_limit: Some(30_000),
            allow_unplaced: drop,
            ..Params::default()
        };
        match (solve(&instance, &params).unwrap(), &truth) {
            (Answer::Plan(outcome), Some(truth)) => {
                let values: Vec<f64> = outcome.goal.iter().map(|tier| tier.value).collect();
                prop_assert!(!less(&values, truth), "{values:?} beats {truth:?}");
                prop_assert!(outcome.goal[0].bound <= truth[0] + 1e-9);
            }
            (Answer::NoPlan(none), Some(_)) => prop_assert!(!none.proven, "{}", none.cause),
            (Answer::Plan(outcome), None) => prop_assert!(false, "{outcome:?} where no plan exists"),
            (Answer::NoPlan(_), None) => {}
        }
    }
}

fn varied(tasks: usize, nodes: usize, fill: f64, sd: f64, risk: &str) -> Instance {
    let kind = generate::kind("uniform").unwrap();
    let (longest, resources) = (100, 2);
    let settings =
        Settings { kind, tasks, nodes, resources, fill, longest, seed: 3, priced: false, sd };
    let instance = generate(&settings).unwrap().build().unwrap();
    instance.with_risk(Some(Risk::parse(risk).unwrap()))
}

fn overloads(instance: &Instance, plan: &Plan, shape: Shape) -> simulate::Overloads {
    let settings = simulate::Settings { shape, draws: 20_000, seed: 5, observed: &[] };
    simulate(instance, plan, &settings).unwrap()
}

/// Every policy and both methods of improvement keep the risk; without it the fullest nodes are
/// overloaded a good part of the time.
#[test]
fn every_method_keeps_the_risk() {
    let risk = 0.02;
    let instance = varied(120, 8, 0.7, 0.3, "2%").with_goal(Goal::parse("nodes").unwrap());
    let means = instance.clone().with_risk(None);
    let careless = plan(run(&means, "best-fit", false)).plan;
    assert!(overloads(&means, &careless, Shape::Normal).worst.2.value() > 0.2);
    assert!(check_plan(&instance, &careless, false).iter().any(|v| v.code() == "risk"));
    let policies = POLICIES.iter().map(|policy| policy.name);
    let mut kept = 0;
    for method in ["auto", "search"].into_iter().chain(policies) {
        let params = Params {
            method: Method::parse(method).unwrap(),
            time_limit: std::time::Duration::from_secs(3),
            ..Params::default()
        };
        let Ok(Answer::Plan(outcome)) = solve(&instance, &params) else { continue };
        kept += 1;
        assert!(check_plan(&instance, &outcome.plan, false).is_empty(), "{method}");
        let worst = overloads(&instance, &outcome.plan, Shape::Normal).worst.2;
        assert!(worst.interval.0 <= risk, "{method}: {worst:?}");
    }
    assert!(kept > 8, "only {kept} methods found a plan");
}

/// The same draws on any number of threads, and the interval holds what is computed.
#[test]
fn draws_agree_with_the_formula() {
    let instance = varied(40, 3, 0.75, 0.2, "10%");
    let plan = plan(run(&instance, "min-load", false)).plan;
    let one = rayon_pool(1, || overloads(&instance, &plan, Shape::Normal));
    assert_eq!(one, rayon_pool(2, || overloads(&instance, &plan, Shape::Normal)));
    let (node, r, worst) = one.worst;
    let on = plan.by_node(instance.nodes());
    let tasks = &on[node.index()];
    let mean: i64 = tasks.iter().map(|task| instance.demand(*task)[r]).sum();
    let variance = tasks.iter().map(|task| instance.variance_on(*task, node, r)).sum();
    let chance = Risk::chance_of(instance.limit(node)[r] - mean, variance);
    assert!(worst.interval.0 <= chance && chance <= worst.interval.1, "{worst:?} {chance}");
}

fn rayon_pool<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(run)
}

const VARYING: &str = r#"{
  "nodes": [{"id": "n1", "capacity": {"cpu": 10}}, {"id": "n2", "capacity": {"cpu": 10}}],
  "tasks": [{"id": "a", "demand": {"cpu": {"mean": 4, "sd": 1}}},
            {"id": "b", "demand": {"cpu": {"mean": 4, "sd": 1}}},
            {"id": "c", "demand": {"cpu": {"p50": 2, "p95": 3.645}}}] }"#;

struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn new(files: &[(&str, &str)]) -> Files {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        Files { folder }
    }

    /// Exit code, standard output and standard error.
    fn run(&self, args: &[&str]) -> (Option<i32>, String, String) {
        let output = stowplan().current_dir(self.folder.path()).args(args).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }
}

#[test]
fn the_checker_says_how_likely_an_overload_is() {
    let files = Files::new(&[("i.json", VARYING), ("p.csv", "task,node\na,n1\nb,n1\nc,n2\n")]);
    assert_eq!(files.run(&["check", "i.json", "p.csv"]).0, Some(0));
    // 8 + z sqrt(2) <= 10 up to z = 1.414, a chance of 7.9 %.
    assert_eq!(files.run(&["check", "i.json", "p.csv", "--risk", "8%"]).0, Some(0));
    let (code, text, _) = files.run(&["check", "i.json", "p.csv", "--risk", "7%"]);
    assert_eq!(code, Some(1));
    assert!(
        text.contains(
            "risk: node `n1` carries 8 cpu in the mean, with a deviation of 1.414214, and may fill 10: \
             the chance of more is 0.078650, 0.07 is asked; tasks there: `a`, `b`"
        ),
        "{text}"
    );
    let (code, text, _) = files.run(&["check", "i.json", "p.csv", "--headroom", "0.21"]);
    assert_eq!(code, Some(1));
    assert!(
        text.contains("capacity: node `n1` carries 8 cpu and has 10, 2.1 of it reserved"),
        "{text}"
    );
}

#[test]
fn draws_are_counted_and_judged() {
    let files = Files::new(&[("i.json", VARYING), ("p.csv", "task,node\na,n1\nb,n1\nc,n2\n")]);
    let args = ["check", "i.json", "p.csv", "--simulate", "50000", "--seed", "4"];
    let (code, text, _) = files.run(&args);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("simulated: 50000 draws, normal"), "{text}");
    // 50,000 draws are within three standard errors of the exact chance, 7.865 %.
    let (_, rest) = text.split_once("worst: node `n1` overloaded in cpu: ").expect(&text);
    let often: f64 = rest.split(' ').next().unwrap().parse().unwrap();
    assert!((often - 7.865).abs() < 0.361, "{text}");
    assert_eq!(files.run(&args).1, text, "the same seed, the same draws");
    let (code, _, error) =
        files.run(&[&args[..], &["--risk", "0.08", "--distribution", "normal"]].concat());
    assert_eq!(code, Some(0), "{error}");
    let other = ["--distribution", "normall"];
    let (code, _, error) = files.run(&[&args[..], &other].concat());
    assert_eq!((code, error.contains("did you mean `normal`?")), (Some(2), true), "{error}");
    // Two demands that peak one time in ten are far from a normal sum.
    let rare = ["--risk", "0.0790", "--distribution", "peaks"];
    let (code, _, error) = files.run(&[&args[..], &rare].concat());
    assert_eq!(
        (code, error.contains("more often than the risk of 0.079")),
        (Some(1), true),
        "{error}"
    );
}

#[test]
fn samples_say_how_demands_vary() {
    let plain = r#"{"nodes": [{"id": "n1", "capacity": {"cpu": 10}}, {"id": "n2", "capacity": {"cpu": 4}}],
        "tasks": [{"id": "a", "demand": {"cpu": 2}}, {"id": "b", "demand": {"cpu": 1}}]}"#;
    let samples = "task,cpu\na,1\na,3\na,2\na,6\n";
    let files = Files::new(&[("i.json", plain), ("s.csv", samples)]);
    let (code, text, _) = files.run(&["convert", "i.json", "--samples", "s.csv"]);
    assert_eq!(code, Some(0));
    assert!(text.contains(r#""demand":{"cpu":{"mean":3,"sd":2.1603}}"#), "{text}");
    let (code, text, error) =
        files.run(&["solve", "i.json", "--samples", "s.csv", "--risk", "1%", "--output", "csv"]);
    assert_eq!((code, error.as_str()), (Some(0), ""), "{error}");
    assert!(text.contains("a,n1"), "{text}");
    // One of four observations is above the capacity of 4.
    std::fs::write(files.folder.path().join("p.csv"), "task,node\na,n2\nb,n1\n").unwrap();
    let (_, text, _) =
        files.run(&["check", "i.json", "p.csv", "--samples", "s.csv", "--simulate", "20000"]);
    assert!(text.contains("worst: node `n2` overloaded in cpu: 2"), "{text}");
    for (bad, says) in [
        ("task,cpu\nx,1\nx,2\n", "the instance has no task `x`"),
        ("task,cpus\na,1\na,2\n", "did you mean `cpu`?"),
        ("task,cpu\na,1\n", "one observation does not say how a demand varies"),
        ("task,cpu\na,-1\na,1\n", "line 2, column `cpu`: `-1` is negative"),
        ("name,cpu\na,1\n", "needs a column `task`"),
        ("task\na\n", "no column beside `task`"),
    ] {
        std::fs::write(files.folder.path().join("s.csv"), bad).unwrap();
        let (code, text, error) = files.run(&["solve", "i.json", "--samples", "s.csv"]);
        assert_eq!((code, text.as_str()), (Some(2), ""), "{bad}");
        assert!(error.contains(says), "{bad}: {error}");
    }
}

#[test]
fn tables_and_json_say_the_same() {
    let tasks = "task,cpu,sd:cpu\na,4,1\nb,4,1\nc,2,1.0001\n";
    let files =
        Files::new(&[("i.json", VARYING), ("t.csv", tasks), ("n.csv", "node,cpu\nn1,10\nn2,10\n")]);
    let (_, json, _) = files.run(&["convert", "i.json"]);
    let (code, table, error) = files.run(&["convert", "--tasks", "t.csv", "--nodes", "n.csv"]);
    assert_eq!((code, json), (Some(0), table), "{error}");
    assert_eq!(files.run(&["convert", "i.json", "--to", "csv", "-o", "out"]).0, Some(0));
    let written = std::fs::read_to_string(files.folder.path().join("out/tasks.csv")).unwrap();
    assert_eq!(written, tasks);
    std::fs::write(files.folder.path().join("t.csv"), tasks.replace("sd:cpu", "sd:cpus")).unwrap();
    let (code, _, error) = files.run(&["convert", "--tasks", "t.csv", "--nodes", "n.csv"]);
    assert_eq!((code, error.contains("did you mean `sd:cpu`?")), (Some(2), true), "{error}");
    // Both would be too much for one node.
    let (_, text, _) = files.run(&["solve", "i.json", "--risk", "0.01", "--output", "csv"]);
    let node = |task: &str| text.lines().find_map(|l| Some(l.strip_prefix(task)?[..2].to_owned()));
    assert!(node("a,").is_some() && node("a,") != node("b,"), "{text}");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let files = Files::new(&[
        ("i.json", VARYING),
        ("four.json", include_str!("../../data/four-nodes.json")),
    ]);
    let (code, _, error) = files.run(&["solve", "i.json"]);
    assert_eq!(code, Some(0));
    assert!(error.contains("demands vary and no risk is given"), "{error}");
    for (args, says) in [
        (&["solve", "four.json", "--risk", "1%"][..], "no demand of this instance varies"),
        (&["solve", "i.json", "--risk", "0.5"], "less than 0.5"),
        (&["solve", "i.json", "--risk", "often"], "--risk: `often` is no part of one"),
        (&["solve", "i.json", "--headroom", "2"], "--headroom: 2 is more than the whole"),
        (&["check", "i.json", "--seed", "2"], "--simulate"),
    ] {
        let (code, text, error) = files.run(args);
        assert_eq!((code, text.as_str()), (Some(2), ""), "{args:?}: {error}");
        assert!(error.contains(says), "{args:?}: {error}");
    }
    let bad = |from: &str, to: &str| {
        let text = VARYING.replace(from, to);
        std::fs::write(files.folder.path().join("bad.json"), text).unwrap();
        let (code, _, error) = files.run(&["solve", "bad.json"]);
        assert_eq!(code, Some(2), "{to}: {error}");
        error
    };
    assert!(
        bad("\"mean\": 4", "\"mean\": 0")
            .contains("tasks[0].demand.cpu: a deviation around a mean of 0")
    );
    assert!(bad("\"sd\": 1", "\"std\": 1").contains("and nothing else"));
    assert!(
        bad("{\n", "{ \"resources\": {\"cpu\": {\"devices\": true}},")
            .contains("cards do not vary")
    );
    assert!(bad("{\n", "{ \"resources\": {\"cpu\": {\"transient\": true}},").contains("transient"));
    assert!(bad("{\n", "{ \"risk\": 0.7,").contains("less than 0.5"));
    // Where the means alone would fit.
    let (code, _, error) = files.run(&["solve", "i.json", "--risk", "0.0000001"]);
    assert_eq!(code, Some(1), "{error}");
    let (_, text, _) = files.run(&[
        "solve",
        "i.json",
        "--risk",
        "1%",
        "--headroom",
        "40%",
        "--allow-unplaced",
        "--output",
        "csv",
    ]);
    assert!(text.contains(",risk,"), "{text}");
}
