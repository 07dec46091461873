//! What must hold on every instance, tried on random tiny ones against brute
//! force.

use proptest::prelude::*;
use proptest::sample::select;
use stowplan::bounds::{Bounds, impossible};
use stowplan::check::check_plan;
use stowplan::model::{Instance, NodeId, TaskId};
use stowplan::policy::{self, ORDERS, POLICIES};
use stowplan::report::{Report, plan_json};
use stowplan::solve::{Answer, Method, Params, solve};

use crate::helpers::{GOALS, brute_force, less, run, tiny, with_goal};

/// `n` cases, more or fewer as `PROPTEST_CASES` is above or below its default 256.
fn cases(n: u32) -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig { cases: n * default.cases / 256, failure_persistence: None, ..default }
}

proptest! {
    #![proptest_config(cases(600))]

    /// bound <= ILP = brute force <= every heuristic, and every plan passes the
    /// checker.
    #[test]
    fn the_ilp_equals_brute_force(draft in tiny(), goal in select(&GOALS[..]), drop in any::<bool>()) {
        let instance = with_goal(&draft, goal);
        let truth = brute_force(&instance, drop);
        match (run(&instance, "ilp", drop), &truth) {
            (Answer::NoPlan(none), None) => prop_assert!(none.proven, "{}", none.cause),
            (Answer::Plan(outcome), Some(truth)) => {
                let values: Vec<f64> = outcome.goal.iter().map(|tier| tier.value).collect();
                prop_assert!(!less(truth, &values), "ilp {values:?}, brute force {truth:?}");
                prop_assert!(!less(&values, truth), "ilp {values:?} beats brute force {truth:?}");
                prop_assert!(outcome.optimal, "{:?}", outcome.goal);
                prop_assert!(outcome.notes.is_empty(), "{:?}", outcome.notes);
                prop_assert!(check_plan(&instance, &outcome.plan, drop).is_empty());
            }
            (answer, truth) => prop_assert!(false, "ilp {answer:?}, brute force {truth:?}"),
        }
        bounds_hold(&instance, drop, truth.as_deref())?;
        heuristics_hold(&instance, drop, truth.as_deref())?;
    }

    /// Auto agrees with brute force too: its shortcuts prove nothing false.
    #[test]
    fn auto_equals_brute_force(draft in tiny(), goal in select(&GOALS[..])) {
        let instance = with_goal(&draft, goal);
        match (run(&instance, "auto", false), brute_force(&instance, false)) {
            (Answer::NoPlan(none), None) => prop_assert!(none.proven),
            (Answer::Plan(outcome), Some(truth)) => {
                let values: Vec<f64> = outcome.goal.iter().map(|tier| tier.value).collect();
                prop_assert!(!less(&truth, &values) && !less(&values, &truth), "{values:?} {truth:?}");
                prop_assert!(outcome.optimal, "{:?}", outcome.goal);
            }
            (answer, truth) => prop_assert!(false, "auto {answer:?}, brute force {truth:?}"),
        }
    }

    /// The tree finds the node that scoring every node finds.
    #[test]
    fn policies_take_the_best_node(draft in tiny(), order in 0..ORDERS.len(), which in 0..POLICIES.len()) {
        let instance = draft.build().unwrap();
        let order = ORDERS[order].order.of(&instance, 7);
        let policy = &POLICIES[which];
        prop_assert_eq!(policy::run(&instance, policy, &order, 5).placement, by_hand(&instance, policy, &order));
    }
}

proptest! {
    #![proptest_config(cases(60))]

    /// The same bytes on one thread and on two.
    #[test]
    fn threads_change_nothing(draft in tiny(), goal in select(&GOALS[..]), seed in 0u64..100) {
        let instance = with_goal(&draft, goal);
        let bytes = |threads| {
            let params = Params { threads: Some(threads), seed, ..Params::default() };
            match solve(&instance, &params).unwrap() {
                Answer::Plan(outcome) => plan_json(&Report::new(&instance, &outcome, String::new(), None)),
                Answer::NoPlan(none) => format!("{none:?}"),
            }
        };
        prop_assert_eq!(bytes(1), bytes(2));
    }
}

/// Counting bounds and proofs of impossibility say nothing false.
fn bounds_hold(
    instance: &Instance,
    drop: bool,
    truth: Option<&[f64]>,
) -> Result<(), TestCaseError> {
    let bounds = Bounds::of(instance);
    if let (Some(proof), false) = (impossible(instance, &bounds), drop) {
        prop_assert!(truth.is_none(), "called impossible: {}", proof.cause);
    }
    let Some(truth) = truth else { return Ok(()) };
    let goal = if drop { instance.goal().with_unplaced_first() } else { instance.goal().clone() };
    let dropped = if drop { truth[0] as usize } else { 0 };
    for (tier, value) in goal.tiers.iter().zip(truth) {
        let bound = bounds.tier(tier, dropped);
        let over = bound.value > value + 1e-9 * value.abs();
        prop_assert!(!over, "{tier}: bound {} from {} above {value}", bound.value, bound.why);
    }
    Ok(())
}

/// No heuristic beats the truth, and each plan passes the checker.
fn heuristics_hold(
    instance: &Instance,
    drop: bool,
    truth: Option<&[f64]>,
) -> Result<(), TestCaseError> {
    for policy in POLICIES {
        let params =
            Params { method: Method::Policy(policy), allow_unplaced: drop, ..Params::default() };
        let Answer::Plan(outcome) = solve(instance, &params).unwrap() else { continue };
        prop_assert!(check_plan(instance, &outcome.plan, drop).is_empty());
        let values: Vec<f64> = outcome.goal.iter().map(|tier| tier.value).collect();
        let Some(truth) = truth else {
            prop_assert!(false, "{} found a plan where none exists", policy.name);
            continue;
        };
        prop_assert!(!less(&values, truth), "{} {values:?} beats {truth:?}", policy.name);
        for tier in &outcome.goal {
            prop_assert!(tier.bound <= tier.value && tier.gap >= 0.0, "{tier:?}");
        }
        if outcome.optimal {
            prop_assert!(
                !less(truth, &values),
                "{} calls {values:?} optimal, {truth:?} is",
                policy.name
            );
        }
    }
    Ok(())
}

/// The policy, scoring every node.
fn by_hand(
    instance: &Instance,
    info: &policy::PolicyInfo,
    order: &[TaskId],
) -> Vec<Option<NodeId>> {
    let mut rule = (info.new)(instance, 5);
    let mut state = stowplan::state::State::new(instance);
    for &task in order {
        let fitting = instance.node_ids().filter(|node| state.fits(task, *node));
        let scored = fitting.map(|node| (rule.score(&state, task, node), node));
        let best = scored.reduce(|a, b| if b.0 < a.0 { b } else { a });
        let best = rule.choose(&state, task).unwrap_or(best.map(|(_, node)| node));
        if let Some(node) = best {
            state.place(task, node);
            rule.placed(node);
        }
    }
    state.unload().placement
}
