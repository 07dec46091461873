//! What is left out: tasks that weigh nothing or little, nodes without capacity, and what bounds may
//! conclude from the weight of what is left out.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use stowplan::bounds::Bounds;
use stowplan::check::check_plan;
use stowplan::metrics::goal_values;
use stowplan::model::{Draft, Instance, NodeId, Plan};
use stowplan::solve::{Answer, Method, Params, solve};

use crate::helpers::{GOALS, brute_force, less, plan, read, ruled, tiny, weighed, with_goal};
use crate::properties::cases;

/// The instance, the tiers' values with tasks left out, in the order of the goal.
fn known() -> Vec<(Value, Vec<f64>)> {
    let nodes = |list: &[i64]| -> Value {
        let node =
            |(j, cpu): (usize, &i64)| json!({"id": format!("n{j}"), "capacity": {"cpu": cpu}});
        list.iter().enumerate().map(node).collect()
    };
    vec![
        // Nothing of weight is left out, and nothing is placed.
        (
            json!({"nodes": nodes(&[0]), "tasks": [{"id": "t", "weight": 0}], "goal": "0.5*soft + nodes"}),
            vec![0.0, 0.0],
        ),
        (
            json!({"nodes": nodes(&[2, 8]), "goal": "balance + nodes",
                "tasks": [{"id": "t", "demand": {"cpu": 7}, "weight": 0}]}),
            vec![0.0, 0.0],
        ),
        (
            json!({"nodes": nodes(&[4, 5]), "goal": "moves, soft",
                "tasks": [{"id": "t", "demand": {"cpu": 5}, "node": "n0", "move_cost": "0.5", "weight": 0}]}),
            vec![0.0, 0.0, 0.0],
        ),
        (
            json!({"nodes": nodes(&[7, 2]), "reserve": {"cpu": 2}, "goal": "demand", "tasks": [
                {"id": "a", "demand": {"cpu": 8}}, {"id": "b", "demand": {"cpu": 2}, "weight": 0},
                {"id": "c", "demand": {"cpu": 1}}]}),
            vec![1.0, 1.0],
        ),
        // One task fits nowhere, and the search for the lowest peak has no first plan.
        (
            json!({"nodes": [{"id": "n0", "capacity": {"cpu": 0}, "labels": {"kind": "a"}},
                {"id": "n1", "capacity": {"cpu": 8}}], "goal": "peak", "tasks": [
                {"id": "a", "demand": {"cpu": 2}},
                {"id": "b", "demand": {"cpu": 2}, "requires": {"kind": "a"}}]}),
            vec![1.0, 0.25],
        ),
        // Two that weigh one each, or one that weighs two.
        (
            json!({"nodes": nodes(&[6]), "goal": "demand", "tasks": [
                {"id": "x", "demand": {"cpu": 1}, "weight": 2},
                {"id": "y", "demand": {"cpu": 3}, "replicas": 2}]}),
            vec![2.0, 1.0],
        ),
        (
            json!({"nodes": nodes(&[6]), "goal": "peak", "tasks": [
                {"id": "x", "demand": {"cpu": 1}, "weight": "0.5", "priority": 1},
                {"id": "y", "demand": {"cpu": 6}, "weight": "0.5"},
                {"id": "z", "demand": {"cpu": 3}, "weight": "0.25"}]}),
            vec![0.0, 0.5, 4.0 / 6.0],
        ),
    ]
}

#[test]
fn what_weighs_nothing_or_little_misleads_nobody() {
    for (document, truth) in known() {
        let instance = read(&document);
        assert_eq!(brute_force(&instance, true).as_ref(), Some(&truth), "{document}");
        for method in ["auto", "ilp", "search", "min-load", "worst-fit", "best-fit"] {
            let method = Method::parse(method).unwrap();
            let exact = matches!(method, Method::Auto | Method::Ilp);
            let work_limit = (!exact).then_some(50_000);
            let params = Params { method, allow_unplaced: true, work_limit, ..Params::default() };
            let outcome = plan(solve(&instance, &params).unwrap());
            let values: Vec<f64> = outcome.goal.iter().map(|tier| tier.value).collect();
            assert!(outcome.optimal || !exact, "{}: {:?}", method.name(), outcome.goal);
            let best = !less(&truth, &values) && !less(&values, &truth);
            assert!(best || !outcome.optimal, "{}: {values:?} {document}", method.name());
            assert!(outcome.goal[0].bound <= truth[0], "{}: {document}", method.name());
        }
    }
}

/// Where everything has to be placed, a task that weighs nothing has to be too.
#[test]
fn what_weighs_nothing_is_placed_where_all_are() {
    let sizes = [7, 6, 5, 4, 4, 4];
    let tasks = sizes.iter().enumerate();
    let tasks =
        tasks.map(|(i, cpu)| json!({"id": format!("t{i}"), "demand": {"cpu": cpu}, "weight": 0}));
    let nodes = (0..2).map(|j| json!({"id": format!("n{j}"), "capacity": {"cpu": 15}}));
    let document = json!({"nodes": nodes.collect::<Value>(), "tasks": tasks.collect::<Value>(),
        "rules": [{"rule": "apart", "tasks": ["t0", "t1"]}]});
    let instance = read(&document);
    for method in ["auto", "search", "ilp"] {
        let method = Method::parse(method).unwrap();
        let outcome = plan(solve(&instance, &Params { method, ..Params::default() }).unwrap());
        assert_eq!(outcome.plan.placed(), 6);
    }
}

/// As many tasks as weigh no more, priority by priority.
#[test]
fn the_most_that_can_be_left_out_is_counted_by_weight() {
    let task = |id: &str, weight: &str, priority: i64| json!({"id": id, "weight": weight, "priority": priority});
    let instance = read(&json!({"nodes": [{"id": "n", "capacity": {"cpu": 1}}], "tasks": [
        task("a", "1.5", 0), task("b", "0.5", 0), task("c", "0.5", 0), task("d", "0", 0),
        task("e", "1", 3), task("f", "0.25", 3)]}));
    let bounds = Bounds::of(&instance);
    let without = |left: &[usize]| {
        let place = |k| (!left.contains(&k)).then_some(NodeId::from(0));
        bounds.most_left_out(&Plan { placement: (0..6).map(place).collect(), cards: Vec::new() })
    };
    for (left, most) in [
        (&[][..], 1), // d
        (&[0], 3),    // b, c, d weigh less than a
        (&[1], 2),    // b, d
        (&[4], 2),    // d, f
        (&[0, 4], 4), // b, c, d, f
        (&[0, 1, 2, 3], 4),
        (&[0, 1, 2, 3, 4, 5], 6),
    ] {
        assert_eq!(without(left), most, "{left:?}");
    }
}

/// Every plan there is.
fn plans(instance: &Instance, allow_unplaced: bool) -> Vec<Plan> {
    let choices = instance.nodes() + usize::from(allow_unplaced);
    let all = 0..choices.pow(instance.tasks() as u32);
    let of = |mut code: usize| {
        let mut plan = Plan::empty(instance.tasks());
        for place in &mut plan.placement {
            *place = (code % choices < instance.nodes()).then(|| NodeId::from(code % choices));
            code /= choices;
        }
        plan
    };
    all.map(of).filter(|plan| check_plan(instance, plan, allow_unplaced).is_empty()).collect()
}

/// What is concluded beside any plan holds for every plan that keeps its earlier tiers.
fn bounds_hold_beside_every_plan(
    draft: &Draft,
    goal: &str,
    picks: &[prop::sample::Index],
) -> Result<(), TestCaseError> {
    let instance = with_goal(draft, goal);
    let goal = instance.goal().with_unplaced_first(&instance.priorities());
    let plans = plans(&instance, true);
    let values = |plan: &Plan| -> Vec<f64> {
        goal_values(&instance, plan, &goal).iter().map(|tier| tier.value).collect()
    };
    let reached: Vec<Vec<f64>> = plans.iter().map(values).collect();
    let bounds = Bounds::of(&instance);
    for pick in picks {
        let at = pick.index(plans.len());
        let dropped = bounds.most_left_out(&plans[at]);
        for (k, tier) in goal.tiers.iter().enumerate() {
            let bound = bounds.tier(tier, dropped);
            let keeps = |other: &&Vec<f64>| {
                other[..k].iter().zip(&reached[at]).all(|(a, b)| *a <= b + 1e-9 * b.abs())
            };
            for other in reached.iter().filter(keeps) {
                let over = bound.value.near() > other[k] + 1e-9 * other[k].abs();
                prop_assert!(
                    !over,
                    "{tier}: {} from {} above {}",
                    bound.value.near(),
                    bound.why,
                    other[k]
                );
            }
        }
    }
    Ok(())
}

/// Auto proves everything, the search nothing false.
fn claims_hold(instance: &Instance) -> Result<(), TestCaseError> {
    let Some(truth) = brute_force(instance, true) else {
        return Err(TestCaseError::fail("leaving everything out is a plan"));
    };
    for method in [Method::Auto, Method::Search] {
        let auto = matches!(method, Method::Auto);
        let work_limit = (!auto).then_some(20_000);
        let params = Params { method, allow_unplaced: true, work_limit, ..Params::default() };
        match solve(instance, &params).unwrap() {
            Answer::Plan(outcome) => {
                let values: Vec<f64> = outcome.goal.iter().map(|tier| tier.value).collect();
                prop_assert!(!less(&values, &truth), "{values:?} beats {truth:?}");
                let bound = outcome.goal[0].bound;
                prop_assert!(bound <= truth[0] + 1e-9, "{:?} {truth:?}", outcome.goal);
                let best = !less(&truth, &values);
                prop_assert!(best || !outcome.optimal, "{values:?} is no optimum: {truth:?}");
                prop_assert!(outcome.optimal || !auto, "{:?} {:?}", outcome.goal, outcome.notes);
            }
            Answer::NoPlan(none) => prop_assert!(false, "{}", none.cause),
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn counting_holds_beside_every_plan(
        draft in weighed(tiny()),
        goal in select(&GOALS[..]),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 8),
    ) {
        bounds_hold_beside_every_plan(&draft, goal, &picks)?;
    }

    #[test]
    fn counting_holds_beside_every_plan_under_rules(
        draft in weighed(ruled()),
        goal in select(&GOALS[..]),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 8),
    ) {
        bounds_hold_beside_every_plan(&draft, goal, &picks)?;
    }

    #[test]
    fn claims_hold_where_tasks_are_left_out(draft in weighed(tiny()), goal in select(&GOALS[..])) {
        claims_hold(&with_goal(&draft, goal))?;
    }

    #[test]
    fn claims_hold_where_tasks_are_left_out_under_rules(
        draft in weighed(ruled()),
        goal in select(&GOALS[..]),
    ) {
        claims_hold(&with_goal(&draft, goal))?;
    }
}
