//! What happens when there is little time or none: plans made in a hurry hold, and one limit is
//! shared by all that a command plans.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use stowplan::check::{check_changed, check_moves, check_plan, check_schedule};
use stowplan::compare::compare;
use stowplan::explain::why_plan;
use stowplan::generate::{generate, kind};
use stowplan::model::{Goal, Instance, NodeId, Schedule, TaskId};
use stowplan::policy::{self, Order, Settings};
use stowplan::replan::{frontier, order, today};
use stowplan::solve::{Answer, Method, Params, solve};
use stowplan::stop::Stop;

use crate::helpers::{plan, ruled, run, stowplan};
use crate::properties::cases;

fn now() -> Stop {
    Stop::after(Duration::ZERO)
}

fn made(name: &str, tasks: usize, nodes: usize) -> Instance {
    let settings = stowplan::generate::Settings {
        kind: kind(name).unwrap(),
        tasks,
        nodes,
        resources: 2,
        fill: 0.85,
        longest: 100,
        seed: 1,
        priced: false,
        sd: 0.0,
    };
    generate(&settings).unwrap().build().unwrap()
}

proptest! {
    #![proptest_config(cases(200))]

    /// Without any time a policy's tasks go to the next nodes that take them, under every rule.
    #[test]
    fn plans_made_in_a_hurry_hold(draft in ruled()) {
        let instance = draft.build().unwrap();
        let order = Order::LargestFirst.of(&instance, 1);
        for policy in policy::choices(&["min-load", "best-fit", "random", "hash"]) {
            let pass = policy::run(&instance, policy, &Settings::default(), &order, &now()).unwrap();
            let broken = check_plan(&instance, &pass.plan, true);
            prop_assert!(broken.is_empty(), "{}: {broken:?}", policy.name());
            prop_assert!(pass.hurried >= pass.plan.placed());
        }
    }

    /// Whatever a few tasks do, the checker finds what is wrong by looking at them alone.
    #[test]
    fn a_change_is_judged_as_the_whole_is(draft in ruled(), moves in prop::collection::vec((0usize..9, 0usize..5), 1..4)) {
        let instance = draft.build().unwrap();
        let Answer::Plan(outcome) = run(&instance, "search", true) else { return Ok(()) };
        let before = outcome.plan;
        let mut after = before.clone();
        after.cards.clear();
        let mut changed = Vec::new();
        for (task, node) in moves {
            if task < instance.tasks() {
                after.placement[task] = (node < instance.nodes()).then(|| NodeId::from(node));
                changed.push(TaskId::from(task));
            }
        }
        let on = before.by_node(instance.nodes());
        let whole = check_plan(&instance, &after, true);
        let part = check_changed(&instance, &after, &changed, &on);
        let words = |list: &[stowplan::check::Violation]| {
            let mut words: Vec<String> = list.iter().map(ToString::to_string).collect();
            words.sort();
            words
        };
        prop_assert_eq!(words(&part), words(&whole));
    }
}

#[test]
fn schedules_made_in_a_hurry_hold() {
    for (kind, goal) in
        [("week", "wait"), ("layered", "makespan"), ("week", "makespan"), ("layered", "completion")]
    {
        let instance = made(kind, 600, 20).with_goal(Goal::parse(goal).unwrap());
        for method in ["auto", "fifo", "easy", "conservative", "weighted"] {
            let params = Params {
                method: Method::parse(method).unwrap(),
                time_limit: Duration::ZERO,
                ..Params::default()
            };
            let found = plan(solve(&instance, &params).unwrap());
            assert!(found.unplaced.is_empty(), "{kind} {goal} {method}");
            assert!(
                found.found_by.contains("in a hurry"),
                "{kind} {goal} {method}: {}",
                found.found_by
            );
            let schedule = Schedule { plan: found.plan, start: found.start };
            assert_eq!(check_schedule(&instance, &schedule, false), [], "{kind} {goal} {method}");
        }
    }
}

#[test]
fn with_time_enough_nobody_hurries() {
    let instance = made("week", 300, 20);
    let found = plan(
        solve(&instance, &Params { method: Method::parse("fifo").unwrap(), ..Params::default() })
            .unwrap(),
    );
    assert_eq!(found.found_by, "fifo");
}

#[test]
fn without_time_there_is_a_plan_with_bounds() {
    let instance = made("uniform", 3000, 40);
    for goal in ["peak", "nodes", "balance"] {
        let instance = instance.clone().with_goal(Goal::parse(goal).unwrap());
        let params = Params { time_limit: Duration::ZERO, ..Params::default() };
        let found = plan(solve(&instance, &params).unwrap());
        assert_eq!(found.plan.placed(), 3000, "{goal}");
        assert!(found.goal[0].bound <= found.goal[0].value, "{goal}");
    }
}

#[test]
fn a_policy_that_ran_out_of_time_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("i.json");
    let path = path.to_str().unwrap();
    stowplan()
        .args(["generate", "uniform", "--tasks", "400", "--nodes", "10", "-o", path])
        .assert()
        .success();
    let run = stowplan()
        .args(["solve", path, "--method", "best-fit", "--time-limit", "0", "-v"])
        .assert()
        .success();
    let told = String::from_utf8(run.get_output().stderr.clone()).unwrap();
    assert!(
        told.contains("time ran out before the policy had placed all tasks: 400 went"),
        "{told}"
    );
    for lap in ["read in ", "answered in ", "written in "] {
        assert!(told.contains(lap), "{told}");
    }
}

/// Methods that go on for as long as they may share the limit; those that do one pass need not be
/// last.
#[test]
fn comparisons_share_one_limit() {
    let instance = made("correlated", 400, 30).with_goal(Goal::parse("balance").unwrap());
    let methods: Vec<Method> = ["auto", "search", "auto", "search", "auto", "min-load"]
        .map(|name| Method::parse(name).unwrap())
        .to_vec();
    let params = Params { time_limit: Duration::from_secs(2), ..Params::default() };
    let began = Instant::now();
    let instances = [("i".to_owned(), instance)];
    let found = compare(&instances, &methods, methods[0], &params, &[], |_| {}).unwrap();
    let names: Vec<&str> = found.rows.iter().map(|row| row.method.as_str()).collect();
    assert_eq!(names, ["auto", "search", "auto", "search", "auto", "min-load"]);
    assert!(found.rows.iter().all(|row| row.has_plan()));
    // Each by itself would be ten.
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
}

#[test]
fn a_frontier_cut_short_still_ends_with_the_best_plan() {
    let instance = made("uniform", 60, 6);
    let before = plan(run(&instance, "first-fit", false)).plan;
    let instance = instance.running(&instance, &before).with_goal(Goal::parse("peak").unwrap());
    let params = Params {
        time_limit: Duration::ZERO,
        start: Some(today(&instance).into()),
        ..Params::default()
    };
    let found = frontier(&instance, &params, 25).unwrap().unwrap();
    for point in &found.points {
        assert!(point.moved <= point.most, "{} {}", point.moved, point.most);
        assert!(point.goal[0].bound <= point.goal[0].value);
        assert!(check_plan(&instance, &point.plan, false).is_empty());
    }
    assert!(!found.points.is_empty());
}

#[test]
fn moves_without_time_to_order_them_are_said_to_be_cut_short() {
    let text = |nodes: &str| {
        format!(
            r#"{{"nodes": [{{"id": "a", "capacity": {{"cpu": 4}}}}, {{"id": "b", "capacity": {{"cpu": 4}}}}],
            "tasks": [{{"id": "x", "demand": {{"cpu": 3}}, "node": "{nodes}"}},
                      {{"id": "y", "demand": {{"cpu": 3}}, "node": "b"}}]}}"#
        )
    };
    let source = stowplan::format::Source { name: "i.json".into(), bytes: text("a").into_bytes() };
    let instance =
        stowplan::format::read_instance(&stowplan::format::Input::One(source), None).unwrap();
    let start = today(&instance);
    let mut end = start.clone();
    end.placement.swap(0, 1);
    let found = order(&instance, &start, &end, 1, &now());
    assert!(found.cut_short && found.stuck.len() == 2, "{found:?}");
    let open: Vec<_> = found.stuck.iter().map(|stuck| stuck.of).collect();
    assert!(check_moves(&instance, &start, &found.waves, &end, &open).is_empty());
    let found = order(&instance, &start, &end, 1, &Stop::never());
    assert!(!found.cut_short && found.stuck.len() == 2, "{found:?}");
}

#[test]
fn what_more_capacity_is_worth_is_left_out_without_time() {
    let instance = made("uniform", 60, 6);
    let before = plan(run(&instance, "min-load", false)).plan;
    assert!(!why_plan(&instance, &before, &Stop::never()).worth.is_empty());
    let why = why_plan(&instance, &before, &now());
    assert!(why.worth.is_empty() && why.bound > 0.0);
}
