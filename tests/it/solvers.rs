//! Solvers against each other and against brute force. Which external ones must
//! be there is named in `STOWPLAN_EXPECT_SOLVERS`; others are skipped aloud.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use stowplan::ilp::{Availability, Backend};
use stowplan::model::Instance;
use stowplan::solve::{Answer, Method, Params, solve};

use crate::helpers::{GOALS, brute_force, less, plan, read, tiny, with_goal};
use crate::properties::cases;

fn values(instance: &Instance, solver: Backend) -> Option<Vec<f64>> {
    let params = Params { method: Method::Ilp, solver, ..Params::default() };
    match solve(instance, &params).unwrap() {
        Answer::NoPlan(none) => {
            assert!(none.proven, "{solver:?}: {}", none.cause);
            None
        }
        Answer::Plan(outcome) => {
            assert!(outcome.optimal, "{solver:?}: {:?} {:?}", outcome.goal, outcome.notes);
            assert!(outcome.notes.is_empty(), "{solver:?}: {:?}", outcome.notes);
            Some(outcome.goal.iter().map(|tier| tier.value).collect())
        }
    }
}

/// `count` tiny instances, the same in every run, each with one of the goals.
fn instances(count: usize) -> Vec<Instance> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let draw = |k: usize| {
        with_goal(&tiny().new_tree(&mut runner).unwrap().current(), GOALS[k % GOALS.len()])
    };
    (0..count).map(draw).collect()
}

fn agree(solver: Backend, count: usize) {
    for instance in instances(count) {
        let (found, truth) = (values(&instance, solver), brute_force(&instance, false));
        let same = match (&found, &truth) {
            (Some(a), Some(b)) => !less(a, b) && !less(b, a),
            (None, None) => true,
            _ => false,
        };
        assert!(same, "{solver:?} {found:?}, brute force {truth:?}");
    }
}

#[test]
fn microlp_agrees_with_brute_force_on_200_instances() {
    agree(Backend::Microlp, 200);
}

#[cfg(feature = "highs")]
#[test]
fn highs_agrees_with_brute_force_on_200_instances() {
    agree(Backend::Highs, 200);
}

/// Larger than brute force can do.
#[cfg(feature = "highs")]
#[test]
fn highs_and_microlp_give_equal_values_on_200_random_small_instances() {
    use stowplan::generate::{KINDS, Settings, generate};
    use stowplan::model::Goal;

    // The others are about time: all their tasks at once have no place.
    let timed = ["franca-uniform", "franca-non-uniform", "layered", "week"];
    let kinds: Vec<_> = KINDS.iter().filter(|kind| !timed.contains(&kind.name)).collect();
    let mut compared = 0;
    for k in 0..200u64 {
        let kind = kinds[k as usize % kinds.len()];
        let settings = Settings {
            kind,
            tasks: 6 + (k % 5) as usize,
            nodes: 3 + (k % 2) as usize,
            resources: 1 + (k % 2) as usize,
            fill: 0.6,
            longest: 100,
            seed: k,
            priced: true,
            sd: 0.0,
        };
        let goal = ["peak", "cost", "nodes, peak", "cost + 2*nodes"][k as usize / 9 % 4];
        let instance =
            generate(&settings).unwrap().build().unwrap().with_goal(Goal::parse(goal).unwrap());
        let (a, b) = (values(&instance, Backend::Microlp), values(&instance, Backend::Highs));
        let same = match (&a, &b) {
            (Some(a), Some(b)) => !less(a, b) && !less(b, a),
            (a, b) => a.is_none() && b.is_none(),
        };
        assert!(same, "{} {k} {goal}: microlp {a:?}, HiGHS {b:?}", kind.name);
        compared += usize::from(a.is_some());
    }
    assert!(compared > 120, "only {compared} of 200 have a plan");
}

#[test]
fn external_solvers_agree_with_brute_force() {
    let expected = std::env::var("STOWPLAN_EXPECT_SOLVERS").unwrap_or_default();
    for solver in [Backend::Cbc, Backend::Glpk, Backend::HighsExecutable] {
        match solver.availability() {
            Availability::Missing(what) => {
                assert!(!expected.split(' ').any(|name| name == solver.name()), "{what}");
                eprintln!("skipped {}: {what}", solver.name());
            }
            _ => agree(solver, 40),
        }
    }
}

/// Every solver that is there.
fn available() -> Vec<Backend> {
    let here = |solver: &Backend| !matches!(solver.availability(), Availability::Missing(_));
    Backend::ALL.into_iter().filter(here).collect()
}

/// Embedded HiGHS called 22/35 optimal when it was given a start.
#[test]
fn every_solver_finds_the_lowest_peak() {
    let amounts = |cpu: u32, memory: u32| json!({"cpu": cpu, "memory": memory});
    let nodes = [(79, 25), (25, 48), (58, 51), (53, 70)];
    let nodes = nodes.iter().enumerate().map(|(k, (cpu, memory))| {
        let used = if k == 0 { 6 } else { 0 };
        json!({"id": format!("n{k}"), "capacity": amounts(*cpu, *memory), "used": {"cpu": used}})
    });
    let tasks = [(6, 16), (6, 22), (11, 12), (12, 29), (7, 28)];
    let tasks = tasks
        .iter()
        .enumerate()
        .map(|(k, (cpu, memory))| json!({"id": format!("t{k}"), "demand": amounts(*cpu, *memory)}));
    let (nodes, tasks): (Vec<Value>, Vec<Value>) = (nodes.collect(), tasks.collect());
    let instance = read(&json!({"nodes": nodes, "tasks": tasks, "goal": "peak"}));
    for solver in available() {
        assert_eq!(values(&instance, solver), Some(vec![28.0 / 48.0]), "{}", solver.name());
    }
}

proptest! {
    #![proptest_config(cases(60))]

    /// New instances in every run.
    #[test]
    fn solvers_agree_with_each_other(drawn in tiny(), goal in select(&GOALS[..])) {
        let instance = with_goal(&drawn, goal);
        let truth = brute_force(&instance, false);
        for solver in available() {
            let found = values(&instance, solver);
            let same = match (&found, &truth) {
                (Some(a), Some(b)) => !less(a, b) && !less(b, a),
                (a, b) => a.is_none() && b.is_none(),
            };
            prop_assert!(same, "{}: {found:?}, brute force {truth:?}", solver.name());
        }
    }
}

/// A solver that is stopped keeps the heuristics' plan and states no bound that
/// it has not proven.
#[test]
fn a_time_limit_loses_nothing() {
    use stowplan::generate::{Settings, generate, kind};
    let settings = Settings {
        kind: kind("uniform").unwrap(),
        tasks: 40,
        nodes: 8,
        resources: 2,
        fill: 0.85,
        longest: 100,
        seed: 5,
        priced: false,
        sd: 0.0,
    };
    let instance = generate(&settings).unwrap().build().unwrap();
    let run = |method, seconds: f64| {
        let time_limit = std::time::Duration::from_secs_f64(seconds);
        plan(solve(&instance, &Params { method, time_limit, ..Params::default() }).unwrap())
    };
    let heuristic = run(Method::parse("min-load").unwrap(), 10.0);
    for seconds in [0.0, 0.3, 1.5] {
        let exact = run(Method::Ilp, seconds);
        let tier = &exact.goal[0];
        assert!(tier.bound <= tier.value);
        if seconds > 0.0 {
            assert!(tier.value <= heuristic.goal[0].value, "{tier:?}");
        }
    }
}

/// What a solver that fails says is a note: plans and proofs that are at hand stand.
#[cfg(unix)]
#[test]
fn a_solver_that_fails_ends_nothing() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let tool = folder.path().join("cbc");
    // It breaks off, writes nothing, what no reader knows, or lines that its reader trips over.
    let bodies = [
        "kill -ABRT $$",
        "exit 0",
        "for f; do :; done; echo 'no such thing' > \"$f\"",
        "for f; do :; done; printf 'Optimal - objective value 0\\n\\n' > \"$f\"",
        "for f; do :; done; echo 'Unbounded - objective value 0' > \"$f\"",
    ];
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let run = |arguments: &[&str]| {
        let arguments = arguments.iter().chain(&["--solver", "cbc", "--time-limit", "5"]);
        let output =
            crate::helpers::stowplan().env("PATH", &path).args(arguments).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    for body in bodies {
        std::fs::write(&tool, format!("#!/bin/sh\n{body}\n")).unwrap();
        std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).unwrap();
        for arguments in [
            &["solve", "data/min-load.json", "--method", "ilp"][..],
            &["solve", "data/four-nodes-timed.json", "--method", "ilp"],
            &["solve", "data/five-nodes.json", "--method", "ilp", "--survive", "node"],
        ] {
            let (code, out, err) = run(arguments);
            assert_eq!(code, Some(0), "{body} {arguments:?} {out} {err}");
            let unknown = body.contains("no such thing");
            assert!(unknown || err.contains("cbc failed"), "{body} {arguments:?} {err}");
        }
        for arguments in [
            &["solve", "data/rules.json"][..],
            &["explain", "data/five-nodes.json"],
            &["explain", "data/six-tasks.json", "--one-task-per-node"],
            &["survive", "data/five-nodes.json", "data/five-nodes-plan.csv"],
            &["replan", "data/five-nodes-running.json", "--drain", "A"],
        ] {
            let (code, out, err) = run(arguments);
            assert!(matches!(code, Some(0 | 1)), "{body} {arguments:?} {code:?} {out} {err}");
        }
    }
}
