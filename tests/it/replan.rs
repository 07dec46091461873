//! Planning anew from where tasks run: few moves, in an order that works.

use std::collections::{HashSet, VecDeque};

use proptest::prelude::*;
use proptest::sample::select;
use stowplan::check::check_moves;
use stowplan::format::{Input, Source, read_running};
use stowplan::model::{Goal, Instance, NodeId, Plan};
use stowplan::replan::{frontier, order, today};
use stowplan::solve::{Answer, Params};
use stowplan::stop::Stop;

use crate::helpers::{public_data, ruled, run, stowplan, tiny, with_goal};
use crate::properties::cases;

/// Plans for two goals, the first of them where tasks run now.
fn pair(draft: &stowplan::model::Draft, goals: (&str, &str)) -> Option<(Instance, Plan, Plan)> {
    let first = with_goal(draft, goals.0);
    let Answer::Plan(before) = run(&first, "auto", false) else { return None };
    let instance = first.running(&first, &before.plan);
    let second = instance.clone().with_goal(Goal::parse(goals.1).unwrap());
    let Answer::Plan(after) = run(&second, "auto", false) else { return None };
    Some((instance, before.plan, after.plan))
}

/// Whether single moves lead from one plan to another, by trying all of them.
fn reachable(instance: &Instance, from: &Plan, to: &Plan) -> bool {
    let plain = instance.without_transients();
    let mut seen: HashSet<Vec<Option<NodeId>>> = HashSet::from([from.placement.clone()]);
    let mut queue = VecDeque::from([from.placement.clone()]);
    while let Some(at) = queue.pop_front() {
        if at == to.placement {
            return true;
        }
        for task in instance.task_ids().filter(|task| instance.pin(*task).is_none()) {
            for node in instance.node_ids().filter(|node| at[task.index()] != Some(*node)) {
                let mut next = at.clone();
                next[task.index()] = Some(node);
                let plan = Plan { placement: next.clone(), cards: Vec::new() };
                let fine = stowplan::check::check_plan(&plain, &plan, true).is_empty();
                if fine && seen.insert(next.clone()) {
                    queue.push_back(next);
                }
            }
        }
    }
    false
}

proptest! {
    #![proptest_config(cases(300))]

    /// Every wave passes the checker, under every rule, and what is stuck is all that is missing.
    #[test]
    fn moves_in_order_can_be_made(
        draft in ruled(),
        goals in select(&[("peak", "nodes"), ("nodes", "peak"), ("cost", "balance")][..]),
    ) {
        let Some((instance, before, after)) = pair(&draft, goals) else { return Ok(()) };
        let found = order(&instance, &before, &after, 1, &Stop::never());
        let open: Vec<_> = found.stuck.iter().map(|stuck| stuck.of).collect();
        let wrong = check_moves(&instance, &before, &found.waves, &after, &open);
        prop_assert!(wrong.is_empty(), "{wrong:?}\n{found:?}");
        for stuck in &found.stuck {
            prop_assert!(stuck.of.from != stuck.of.to, "{stuck:?}");
        }
    }

    /// Where any order of single moves exists, one is found: of capacities alone.
    #[test]
    fn an_order_is_found_where_there_is_one(
        draft in tiny(),
        goals in select(&[("peak", "nodes"), ("nodes", "peak"), ("cost", "balance")][..]),
    ) {
        let Some((instance, before, after)) = pair(&draft, goals) else { return Ok(()) };
        let found = order(&instance, &before, &after, 1, &Stop::never());
        prop_assert_eq!(found.stuck.is_empty(), reachable(&instance, &before, &after), "{:?}", found);
    }

    /// Values fall and bounds hold along the frontier, and its last point is the goal's optimum.
    #[test]
    fn frontiers_fall(draft in tiny(), goals in select(&[("nodes", "peak"), ("peak", "cost")][..])) {
        let Some((instance, _, _)) = pair(&draft, goals) else { return Ok(()) };
        let instance = instance.with_goal(Goal::parse(goals.1).unwrap());
        let params = Params { start: Some(today(&instance).into()), ..Params::default() };
        let found = frontier(&instance, &params, 25).unwrap().unwrap();
        prop_assert!(!found.points.is_empty());
        for point in &found.points {
            prop_assert!(point.moved <= point.most);
            let limited = format!("moved <= {}, {}", point.most, goals.1);
            let limited = instance.clone().with_goal(Goal::parse(&limited).unwrap());
            let Answer::Plan(best) = run(&limited, "ilp", false) else { panic!("no plan") };
            let (value, tier) = (best.goal[1].value, &point.goal[0]);
            prop_assert!(tier.bound <= value + 1e-9 && value <= tier.value + 1e-9, "{tier:?} {value}");
        }
        for two in found.points.windows(2) {
            prop_assert!(two[1].goal[0].value <= two[0].goal[0].value + 1e-12);
            prop_assert!(two[1].goal[0].bound <= two[0].goal[0].bound + 1e-12);
        }
    }
}

fn says(args: &[&str]) -> (i32, String, String) {
    let output = stowplan().args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The source's case: D's CPU goes up to 50 %, and the one move that helps most takes T1 to E.
#[test]
fn one_task_leaves_the_node_that_got_busy() {
    let args = ["replan", "data/five-nodes-running.json", "--max-moves", "1", "--output", "csv"];
    assert_eq!(says(&args), (0, "wave,task,from,to\n1,T1,D,E\n".to_owned(), String::new()));
    let (code, table, _) = says(&args[..4]);
    assert_eq!(code, 0);
    assert!(table.contains("moved at most 1"), "{table}");
    assert!(table.contains("1 move in 1 wave"), "{table}");
}

#[test]
fn a_drained_node_is_emptied_with_few_moves() {
    let (code, json, _) =
        says(&["replan", "data/five-nodes-running.json", "--drain", "A", "--output", "json"]);
    let plan: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(code, 0);
    assert_eq!(plan["goal"][0]["tier"], "moves");
    assert_eq!(plan["goal"][0]["value"], 2.0);
    assert_eq!(plan["goal"][0]["bound"], 2.0);
    let moves: Vec<&str> = plan["moves"]["waves"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|wave| wave.as_array().unwrap())
        .map(|m| m["task"].as_str().unwrap())
        .collect();
    assert_eq!(moves, ["T5", "T9"]);
    let (code, _, error) =
        says(&["replan", "data/five-nodes-running.json", "--drain", "A", "--max-moves", "1"]);
    assert_eq!(code, 1);
    assert!(error.contains("no plan has moved <= 1: 2 at least"), "{error}");
}

#[test]
fn a_circle_is_broken_or_explained() {
    let file = |third: i64| {
        format!(
            r#"{{"nodes": [{{"id": "n1", "capacity": {{"gpu": 8}}}},
                 {{"id": "n2", "capacity": {{"gpu": 8}}, "labels": {{"x": "2"}}}},
                 {{"id": "n3", "capacity": {{"gpu": {third}}}}}],
                "tasks": [{{"id": "a", "demand": {{"gpu": 8}}, "node": "n1", "requires": {{"x": "2"}}}},
                 {{"id": "b", "demand": {{"gpu": 7}}, "node": "n2"}}]}}"#
        )
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("circle.json");
    let path = path.to_str().unwrap();
    std::fs::write(path, file(7)).unwrap();
    let (code, rows, _) = says(&["replan", path, "--goal", "nodes", "--output", "csv"]);
    assert_eq!((code, rows.lines().count()), (0, 4), "{rows}");
    std::fs::write(path, file(1)).unwrap();
    let (code, table, _) = says(&["replan", path]);
    assert_eq!(code, 1);
    assert!(table.contains("2 moves found no place in the order"), "{table}");
    assert!(table.contains("room for `b` (7 gpu) on any other node"), "{table}");
}

#[test]
fn mistakes_are_named() {
    for (args, words) in [
        (&["replan", "data/five-nodes.json"][..], "does not say where tasks run now"),
        (&["replan", "data/five-nodes-running.json", "--drain", "AA"], "no node `AA`"),
        (
            &["replan", "data/five-nodes-running.json", "--drain", "rack=r1"],
            "no node has the label",
        ),
        (&["replan", "data/five-nodes-running.json", "--remove-tasks", "T"], "no task `T`"),
        (&["replan", "data/five-nodes-running.json", "--max-move-cost", "nan"], "no cost"),
        (&["replan", "data/five-nodes-running.json", "--add", "data/train-tasks.csv"], "column"),
        (&["solve", "data/five-nodes.json", "--goal", "moved <= x"], "is not a limit"),
    ] {
        let (code, _, error) = says(args);
        assert_eq!(code, 2, "{args:?}: {error}");
        assert!(error.contains(words), "{args:?}: {error}");
    }
}

#[test]
fn scenarios_are_compared_with_the_plan_as_it_is() {
    let (instance, scenarios) = ("data/five-nodes-running.json", "data/five-nodes-scenarios.toml");
    let (code, json, _) = says(&["what-if", instance, scenarios, "--output", "json"]);
    assert_eq!(code, 0);
    let answer: serde_json::Value = serde_json::from_str(&json).unwrap();
    let rows = answer["scenarios"].as_array().unwrap();
    let fits: Vec<&str> = rows.iter().map(|row| row["fit"].as_str().unwrap()).collect();
    assert_eq!(fits, ["yes", "yes", "yes", "no", "yes"]);
    assert!(rows[3]["reason"].as_str().unwrap().contains("volume"), "{}", rows[3]);
    assert!(rows[3]["unplaced"].as_u64().unwrap() > 0);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.toml");
    let path = path.to_str().unwrap();
    for (text, code, words) in [
        ("[[scenario]]\nname = 'x'\nmust = 'fit'\ndemand = 9\n", 1, "`x` must fit and does not"),
        ("[[scenario]]\nname = 'x'\ndwon = 'A'\n", 2, "did you mean `down`?"),
        ("[[scenario]]\ndown = 'A'\n", 2, "`name`"),
        ("[[scenario]]\nname = 'x'\ndown = 'F'\n", 2, "no node `F`"),
        ("[[scenario]]\nname = 'x'\nadd_nodes = 'none.csv'\n", 2, "none.csv"),
        ("name = 'x'\n", 2, "no scenarios"),
        ("[[scenario]\n", 2, "line 1"),
    ] {
        std::fs::write(path, text).unwrap();
        let (got, _, error) = says(&["what-if", instance, path]);
        assert_eq!(got, code, "{text}: {error}");
        assert!(error.contains(words), "{text}: {error}");
    }
}

/// Orders of plans for machine reassignment pass the checker step by step.
#[test]
#[ignore = "public data, a minute"]
fn reassignments_have_an_order() {
    let Some(folder) = public_data() else { return };
    for name in ["a1_1", "a1_2", "a1_4", "a2_2", "a2_5"] {
        let source = |file: String| Source::read(&folder.join("roadef").join(file)).unwrap();
        let input = Input::One(source(format!("model_{name}.txt")));
        let current = source(format!("assignment_{name}.sol"));
        let instance = read_running(&input, None, Some(&current)).unwrap().instance;
        let params = Params { time_limit: std::time::Duration::from_secs(8), ..Params::default() };
        let Answer::Plan(outcome) = stowplan::solve::solve(&instance, &params).unwrap() else {
            panic!("{name}: no plan")
        };
        let start = today(&instance);
        let found = order(&instance, &start, &outcome.plan, 1, &Stop::never());
        let open: Vec<_> = found.stuck.iter().map(|stuck| stuck.of).collect();
        let wrong = check_moves(&instance, &start, &found.waves, &outcome.plan, &open);
        assert!(wrong.is_empty(), "{name}: {:?}", wrong.first());
        let (moves, waves) = (found.moves().count(), found.waves.len());
        println!(
            "{name}: {moves} moves in {waves} waves, {} aside, {} stuck",
            found.detours,
            open.len()
        );
    }
}
