//! What must hold on every instance, tried on random tiny ones against brute
//! force.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use stowplan::bounds::{Bounds, impossible};
use stowplan::check::check_plan;
use stowplan::format::{Input, Source, digest, read_instance, write_csv, write_instance};
use stowplan::model::{Instance, NodeId, TaskId};
use stowplan::policy::{self, Choice, ORDERS, POLICIES, Policy, Settings};
use stowplan::report::{Report, plan_json};
use stowplan::solve::{Answer, Method, Params, solve};

use crate::helpers::{GOALS, brute_force, less, ruled, run, tiny, with_goal};

/// `n` cases, more or fewer as `PROPTEST_CASES` is above or below its default 256.
pub fn cases(n: u32) -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig { cases: n * default.cases / 256, failure_persistence: None, ..default }
}

proptest! {
    #![proptest_config(cases(600))]

    /// bound <= ILP = brute force <= every heuristic, and every plan passes the
    /// checker.
    #[test]
    fn the_ilp_equals_brute_force(draft in tiny(), goal in select(&GOALS[..]), drop in any::<bool>()) {
        the_ilp_is_right(&with_goal(&draft, goal), drop)?;
    }

    /// The same under every rule there is.
    #[test]
    fn the_ilp_equals_brute_force_under_rules(
        draft in ruled(),
        goal in select(&GOALS[..]),
        drop in any::<bool>(),
    ) {
        the_ilp_is_right(&with_goal(&draft, goal), drop)?;
    }

    /// What is written reads back, in JSON and in tables.
    #[test]
    fn every_rule_reads_back(draft in ruled()) {
        let instance = draft.build().unwrap();
        let mut json = Vec::new();
        write_instance(&instance, &mut json).unwrap();
        let source = |name: &str, bytes: Vec<u8>| Source { name: name.into(), bytes };
        let again = read_instance(&Input::One(source("i", json)), None).unwrap();
        prop_assert_eq!(digest(&again), digest(&instance));
        if instance.has_routes() || !instance.ratios().is_empty() {
            prop_assert!(write_csv(&instance).unwrap_err().cause.contains("cannot be written as CSV"));
            return Ok(());
        }
        let files = write_csv(&instance).unwrap();
        let table = |name: &str, text: String| source(name, text.into_bytes());
        let tables = Input::Tables {
            tasks: table("tasks", files.tasks),
            nodes: table("nodes", files.nodes),
            pairs: files.pairs.map(|text| table("pairs", text)),
            rules: files.rules.map(|text| table("rules", text)),
        };
        // Tables have no place for what is asked of the whole.
        let instance = instance.with_risk(None);
        prop_assert_eq!(digest(&read_instance(&tables, None).unwrap()), digest(&instance));
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

    /// The searches for cheap assignments and for cheap nodes: what they call optimal is, their
    /// bounds hold, and no plan beats the truth.
    #[test]
    fn cheap_plans_equal_brute_force(
        draft in tiny(),
        goal in select(&["cost", "cost, peak", "nodes", "nodes, peak"][..]),
        priced in any::<bool>(),
    ) {
        let mut draft = draft;
        if priced {
            draft.pairs.clear();
            draft.nodes.iter_mut().for_each(|node| node.price_per_hour = None);
        }
        let instance = with_goal(&draft, goal);
        let truth = brute_force(&instance, false);
        for method in ["auto", "search"] {
            let method = Method::parse(method).unwrap();
            let auto = matches!(method, Method::Auto);
            let work_limit = (!auto).then_some(100_000);
            let answer = solve(&instance, &Params { method, work_limit, ..Params::default() });
            match (answer.unwrap(), &truth) {
                (Answer::Plan(outcome), Some(truth)) => {
                    let values: Vec<f64> = outcome.goal.iter().map(|tier| tier.value).collect();
                    prop_assert!(!less(&values, truth), "{values:?} beats {truth:?}");
                    let first = &outcome.goal[0];
                    prop_assert!(first.bound <= truth[0] + 1e-9, "{first:?} {truth:?}");
                    let optimal = !less(truth, &values);
                    prop_assert!(optimal || !(auto || outcome.optimal), "{values:?} {truth:?}");
                    prop_assert!(outcome.optimal || !auto, "{:?}", outcome.goal);
                }
                (Answer::NoPlan(none), None) => prop_assert!(none.proven || !auto, "{}", none.cause),
                (Answer::NoPlan(none), Some(_)) => prop_assert!(!auto && !none.proven, "{}", none.cause),
                (answer, None) => prop_assert!(false, "{answer:?} where no plan exists"),
            }
        }
    }

    /// A task fits exactly where the checker would not mind it, transient resources
    /// included.
    #[test]
    fn what_fits_is_what_the_checker_allows(
        draft in tiny(),
        current in prop::collection::vec(prop::option::weighted(0.7, 0usize..3), 6),
        transient in prop::collection::vec(any::<bool>(), 2),
        choices in prop::collection::vec(0usize..4, 6),
    ) {
        let mut draft = draft;
        for (resource, transient) in draft.resources.iter_mut().zip(transient) {
            resource.transient = transient;
        }
        for (task, current) in draft.tasks.iter_mut().zip(current) {
            let node = current.and_then(|node| draft.nodes.get(node));
            task.current = node.map(|node| node.id.clone()).into_iter().collect();
        }
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
    }

    /// The tree finds the node that scoring every node finds.
    #[test]
    fn policies_take_the_best_node(draft in tiny(), order in 0..ORDERS.len(), which in 0..POLICIES.len()) {
        let instance = draft.build().unwrap();
        let order = ORDERS[order].order.of(&instance, 7);
        let policy = Choice::from(&POLICIES[which]);
        let settings = Settings { seed: 5, ..Settings::default() };
        let Ok(rule) = policy.rule(&instance, &settings) else { return Ok(()) };
        let plan = policy::run(&instance, policy, &settings, &order).unwrap();
        prop_assert_eq!(plan.placement, by_hand(&instance, rule, &order));
    }
}

proptest! {
    #![proptest_config(cases(60))]

    /// The search proves what the integer program proves, labels and loads that
    /// were there before included.
    #[test]
    fn the_search_equals_the_ilp(
        demands in prop::collection::vec((1i64..=30, 0i64..=30, prop::option::weighted(0.2, 0usize..2)), 1..=10),
        nodes in prop::collection::vec((20i64..=120, 20i64..=120, 0i64..=10), 1..=4),
    ) {
        let list = |values: [i64; 2]| json!({"cpu": values[0], "memory": values[1]});
        let nodes: Vec<Value> = nodes.iter().enumerate().map(|(j, (cpu, memory, used))| json!({
            "id": format!("n{j}"), "capacity": list([*cpu, *memory]), "used": list([*used, 0]),
            "labels": {"kind": format!("k{}", j % 2)},
        })).collect();
        let tasks: Vec<Value> = demands.iter().enumerate().map(|(i, (cpu, memory, kind))| {
            let mut task = json!({ "id": format!("t{i}"), "demand": list([*cpu, *memory]) });
            if let Some(kind) = kind {
                task["requires"] = json!({"kind": format!("k{kind}")});
            }
            task
        }).collect();
        let text = json!({ "nodes": nodes, "tasks": tasks }).to_string();
        let source = Source { name: "i".into(), bytes: text.into_bytes() };
        let instance = read_instance(&Input::One(source), None).unwrap();
        let params = |work| Params {
            method: Method::parse("search").unwrap(),
            time_limit: std::time::Duration::from_secs(5),
            work_limit: Some(work),
            ..Params::default()
        };
        let searched = solve(&instance, &params(3_000_000)).unwrap();
        match (searched, run(&instance, "ilp", false)) {
            (Answer::Plan(found), Answer::Plan(exact)) => {
                let (found, exact) = (&found.goal[0], &exact.goal[0]);
                prop_assert!(found.bound <= exact.value && exact.bound <= found.value, "{found:?} {exact:?}");
                if found.gap == 0.0 {
                    prop_assert_eq!(found.value, exact.value);
                }
            }
            (Answer::NoPlan(none), Answer::Plan(_)) => prop_assert!(!none.proven, "{}", none.cause),
            (Answer::Plan(_), Answer::NoPlan(none)) => prop_assert!(false, "ilp: {}", none.cause),
            (Answer::NoPlan(_), Answer::NoPlan(_)) => {}
        }
    }

    /// A work limit gives the same plan on any number of threads.
    #[test]
    fn work_limits_do_not_depend_on_threads(seed in 0u64..1000, tasks in 60usize..300) {
        let settings = stowplan::generate::Settings {
            longest: 100,
            kind: stowplan::generate::kind("correlated").unwrap(),
            tasks, nodes: 12, resources: 3, fill: 0.9, seed, priced: false, sd: 0.0,
        };
        let instance = stowplan::generate::generate(&settings).unwrap().build().unwrap();
        let bytes = |threads| {
            let params = Params {
                method: Method::parse("search").unwrap(),
                time_limit: std::time::Duration::from_secs(600),
                work_limit: Some(400_000),
                threads: Some(threads),
                seed,
                ..Params::default()
            };
            match solve(&instance, &params).unwrap() {
                Answer::Plan(outcome) => plan_json(&Report::new(&instance, &outcome, String::new(), None)),
                Answer::NoPlan(none) => format!("{none:?}"),
            }
        };
        prop_assert_eq!(bytes(1), bytes(2));
    }

    /// Nor do they where tasks cost something on nodes, or nodes have prices.
    #[test]
    fn cheap_plans_do_not_depend_on_threads(
        seed in 0u64..1000,
        tasks in 30usize..120,
        (kind, priced) in select(&[("gap-e", false), ("uniform", true)][..]),
    ) {
        let settings = stowplan::generate::Settings {
            longest: 100,
            kind: stowplan::generate::kind(kind).unwrap(),
            tasks, nodes: 10, resources: if priced { 2 } else { 1 }, fill: 0.9, seed, priced, sd: 0.0,
        };
        let instance = with_goal(&stowplan::generate::generate(&settings).unwrap(), "cost");
        let bytes = |threads| {
            let params = Params {
                method: Method::Search,
                time_limit: std::time::Duration::from_secs(600),
                work_limit: Some(400_000),
                threads: Some(threads),
                seed,
                ..Params::default()
            };
            match solve(&instance, &params).unwrap() {
                Answer::Plan(outcome) => plan_json(&Report::new(&instance, &outcome, String::new(), None)),
                Answer::NoPlan(none) => format!("{none:?}"),
            }
        };
        prop_assert_eq!(bytes(1), bytes(2));
    }

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

/// The integer program agrees with brute force, and everything else with both.
fn the_ilp_is_right(instance: &Instance, drop: bool) -> Result<(), TestCaseError> {
    let truth = brute_force(instance, drop);
    match (run(instance, "ilp", drop), &truth) {
        (Answer::NoPlan(none), None) => prop_assert!(none.proven, "{}", none.cause),
        (Answer::Plan(outcome), Some(truth)) => {
            let values: Vec<f64> = outcome.goal.iter().map(|tier| tier.value).collect();
            prop_assert!(!less(truth, &values), "ilp {values:?}, brute force {truth:?}");
            prop_assert!(!less(&values, truth), "ilp {values:?} beats brute force {truth:?}");
            prop_assert!(outcome.optimal, "{:?}", outcome.goal);
            prop_assert!(outcome.notes.is_empty(), "{:?}", outcome.notes);
            prop_assert!(check_plan(instance, &outcome.plan, drop).is_empty());
        }
        (answer, truth) => prop_assert!(false, "ilp {answer:?}, brute force {truth:?}"),
    }
    bounds_hold(instance, drop, truth.as_deref())?;
    heuristics_hold(instance, drop, truth.as_deref())
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
    let unplaced = instance.goal().with_unplaced_first(&instance.priorities());
    let goal = if drop { unplaced } else { instance.goal().clone() };
    // How many are left out, when each weighs 1; otherwise at most all of them.
    let plain = instance.task_ids().all(|t| instance.drop_weight(t) == 1);
    let dropped = match (drop, plain && instance.priorities().len() == 1) {
        (false, _) => 0,
        (true, true) => truth[0] as usize,
        (true, false) => instance.tasks(),
    };
    for (tier, value) in goal.tiers.iter().zip(truth) {
        let bound = bounds.tier(tier, dropped);
        let over = bound.value.near() > value + 1e-9 * value.abs();
        prop_assert!(
            !over,
            "{tier}: bound {} from {} above {value}",
            bound.value.near(),
            bound.why
        );
    }
    Ok(())
}

/// No heuristic beats the truth, and each plan passes the checker.
fn heuristics_hold(
    instance: &Instance,
    drop: bool,
    truth: Option<&[f64]>,
) -> Result<(), TestCaseError> {
    let policies = POLICIES.iter().map(|policy| Method::Policy(Choice::from(policy)));
    for method in policies.chain([Method::Search]) {
        if method.lacks(instance, &Settings::default()).is_some() {
            continue;
        }
        let work_limit = Some(20_000);
        let params = Params { method, allow_unplaced: drop, work_limit, ..Params::default() };
        let Answer::Plan(outcome) = solve(instance, &params).unwrap() else { continue };
        prop_assert!(check_plan(instance, &outcome.plan, drop).is_empty());
        let values: Vec<f64> = outcome.goal.iter().map(|tier| tier.value).collect();
        let Some(truth) = truth else {
            prop_assert!(false, "{} found a plan where none exists", method.name());
            continue;
        };
        prop_assert!(!less(&values, truth), "{} {values:?} beats {truth:?}", method.name());
        for tier in &outcome.goal {
            prop_assert!(tier.bound <= tier.value && tier.gap >= 0.0, "{tier:?}");
        }
        if outcome.optimal {
            prop_assert!(
                !less(truth, &values),
                "{} calls {values:?} optimal, {truth:?} is",
                method.name()
            );
        }
    }
    Ok(())
}

/// The policy, scoring every node.
fn by_hand(
    instance: &Instance,
    mut rule: Box<dyn Policy>,
    order: &[TaskId],
) -> Vec<Option<NodeId>> {
    let mut state = stowplan::state::State::new(instance);
    for &task in order {
        let chosen = rule.choose(&state, task, &[]);
        if chosen.is_none() {
            rule.prepare(&state, task);
        }
        let fitting = instance.node_ids().filter(|node| state.fits(task, *node));
        let scored = fitting.map(|node| (rule.score(&state, task, node), node));
        let best = scored.reduce(|a, b| if b.0 < a.0 { b } else { a });
        let best = chosen.unwrap_or(best.map(|(_, node)| node));
        if let Some(node) = best {
            state.place(task, node);
            rule.placed(&state, task, node);
        }
    }
    state.unload().placement
}
