//! What several tests need: random tiny instances, brute force, the program.

use proptest::prelude::*;
use stowplan::format::{Input, Source, read_instance};
use stowplan::model::{
    Ask, Decimal, Draft, Effect, Goal, Instance, Limit, LimitDraft, MOVED, NodeDraft, NodeState,
    PairDraft, Part, Preference, RatioDraft, Requirement, Risk, RouteDraft, RuleDraft, Selection,
    Taint, TaskDraft, Toleration, Whom,
};
use stowplan::solve::{Answer, Method, Outcome, Params, solve};

pub use crate::brute::{brute_force, less};

/// The program, as a person would run it from the project's folder.
pub fn stowplan() -> assert_cmd::Command {
    let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_stowplan"));
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

/// The instance that a document states.
pub fn read(document: &serde_json::Value) -> Instance {
    let source = Source { name: "i".into(), bytes: document.to_string().into_bytes() };
    read_instance(&Input::One(source), None).unwrap()
}

/// A folder of public instances: `STOWPLAN_PUBLIC_DATA`, else `../shared/data`.
pub fn public_data() -> Option<std::path::PathBuf> {
    let folder = match std::env::var_os("STOWPLAN_PUBLIC_DATA") {
        Some(named) => std::path::PathBuf::from(named),
        None => std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
    };
    if folder.join("best_known.csv").is_file() {
        return Some(folder);
    }
    eprintln!("skipped: no public instances at {}; set STOWPLAN_PUBLIC_DATA", folder.display());
    None
}

fn whole(value: i64) -> Decimal {
    Decimal::from_integer(value).unwrap()
}

fn quantities(values: &[i64]) -> Vec<(u16, Decimal)> {
    values.iter().enumerate().map(|(r, value)| (r as u16, whole(*value))).collect()
}

/// A tiny instance of every feature: 1 to 3 nodes, 1 to 6 tasks, 1 or 2
/// resources, existing load, states, labels, prices, rates, pairs. Demands and
/// capacities are small, so that equal tasks and equal nodes are common.
pub fn tiny() -> impl Strategy<Value = Draft> {
    (1usize..=2, 1usize..=3, 1usize..=6, any::<bool>()).prop_flat_map(|(width, m, n, one)| {
        let node = (
            prop::collection::vec(prop_oneof![4 => Just(8i64), 4 => 0i64..=12, 1 => Just(0i64)], width),
            prop::collection::vec(prop_oneof![4 => Just(0i64), 1 => 0i64..=9], width),
            prop_oneof![6 => Just(NodeState::Ready), 1 => Just(NodeState::Drain), 1 => Just(NodeState::Down)],
            prop_oneof![Just("a"), Just("b")],
            prop_oneof![Just(0i64), Just(5i64), 0i64..=9],
            prop_oneof![3 => Just(0i64), 1 => 1i64..=3],
            prop_oneof![2 => Just(None), 1 => (0i64..=6, 0i64..=3).prop_map(Some)],
        );
        let task = (
            prop::collection::vec(prop_oneof![Just(2i64), 0i64..=6], width),
            prop_oneof![Just(0i64), Just(3600i64), Just(7200i64)],
            prop_oneof![4 => Just(None), 1 => Just(Some("a"))],
        );
        let pairs = prop_oneof![
            3 => Just(Vec::new()),
            1 => prop::collection::vec((0..n, 0..m, 0i64..=9, prop::option::of(0i64..=5)), 1..=8),
        ];
        (
            prop::collection::vec(node, m),
            prop::collection::vec(task, n),
            pairs,
            Just(width),
            Just(one && n <= m),
        )
            .prop_map(|(nodes, tasks, pairs, width, one)| {
                let mut draft = Draft { one_task_per_node: one, ..Draft::default() };
                for r in 0..width {
                    draft.resource(["cpu", "memory"][r]);
                }
                for (j, (capacity, used, state, label, price, rate, watts)) in nodes.into_iter().enumerate() {
                    draft.nodes.push(NodeDraft {
                        id: format!("n{j}"),
                        capacity: quantities(&capacity),
                        used: quantities(&used),
                        labels: vec![("kind".to_owned(), label.to_owned())],
                        state,
                        price: Some(whole(price)),
                        price_per_hour: Some(whole(rate)),
                        idle_watts: watts.map(|(idle, _)| whole(idle)),
                        watts: watts.iter().map(|(_, each)| (0, whole(*each))).collect(),
                        ..NodeDraft::default()
                    });
                }
                for (i, (demand, duration, label)) in tasks.into_iter().enumerate() {
                    let any_of = label.map(|l| ("kind".to_owned(), vec![l.to_owned()]));
                    draft.tasks.push(TaskDraft {
                        id: format!("t{i}"),
                        demand: quantities(&demand),
                        duration: Some(duration),
                        requires: Requirement {
                            any_of: any_of.into_iter().collect(),
                            ..Requirement::default()
                        },
                        ..TaskDraft::default()
                    });
                }
                let mut seen = Vec::new();
                for (i, j, cost, demand) in pairs {
                    if !seen.contains(&(i, j)) {
                        seen.push((i, j));
                        draft.pairs.push(PairDraft {
                            task: format!("t{i}"),
                            node: format!("n{j}"),
                            cost: Some(whole(cost)),
                            demand: demand.map(|d| (0, whole(d))).into_iter().collect(),
                            ..PairDraft::default()
                        });
                    }
                }
                draft
            })
    })
}

/// Lets the first resource's demands vary with these deviations in turn, and asks for a risk.
pub fn vary(draft: &mut Draft, deviations: &[i64], risk: &str) {
    for (task, deviation) in draft.tasks.iter_mut().zip(deviations.iter().cycle()) {
        let demands = task.demand.iter().any(|(r, mean)| *r == 0 && !mean.is_zero());
        if demands && *deviation > 0 && !draft.resources[0].transient {
            task.deviation.push((0, whole(*deviation)));
        }
    }
    draft.risk = Some(Risk::parse(risk).unwrap());
}

/// The same with weights and priorities: what weighs nothing, fractions, and few values, so that
/// several sets of tasks weigh the same.
pub fn weighed(draft: impl Strategy<Value = Draft>) -> impl Strategy<Value = Draft> {
    let weight =
        prop_oneof![2 => Just(None), 2 => Just(Some(0i64)), 3 => (1i64..=6).prop_map(Some)];
    (draft, prop::collection::vec((weight, 0i64..=1), 6), any::<bool>()).prop_map(
        |(mut draft, weights, ranked)| {
            for (task, (weight, priority)) in draft.tasks.iter_mut().zip(weights) {
                let quarter = |n: i64| Decimal::parse(&format!("{}", n as f64 / 4.0)).unwrap();
                task.weight = weight.map(quarter);
                task.priority = if ranked { priority } else { 0 };
            }
            draft
        },
    )
}

/// A tiny instance under rules: everything of [`tiny`], and taints, avoided and
/// preferred labels, reserves, safety capacities, limits on tasks, pins, priorities and weights,
/// gangs, cards, every rule between tasks over nodes and racks, current nodes, transient
/// resources, groups, costs of moves and routes, room that goes with other room, and demands that
/// vary.
pub fn ruled() -> impl Strategy<Value = Draft> {
    let node = (
        prop_oneof![3 => Just(None), 1 => Just(Some(true)), 1 => Just(Some(false))], // taint
        prop_oneof![4 => Just(None), 1 => (0u32..=3).prop_map(Some)],                // max_tasks
        prop_oneof![4 => Just(None), 1 => Just(Some(20i64))],                        // reserve %
        prop_oneof![3 => Just(None), 1 => (0i64..=6).prop_map(Some)],                // safety
        prop_oneof![Just("r1"), Just("r2"), Just("")],                               // rack
        0i64..=3,                                                                    // cards
        prop_oneof![4 => Just(0i64), 1 => Just(1i64), 1 => Just(5i64)], // used, in quarters
    );
    let task = (
        prop_oneof![3 => Just(false), 1 => Just(true)], // tolerates
        prop_oneof![4 => Just(false), 1 => Just(true)], // avoids b
        prop_oneof![4 => Just(None), 1 => (1i64..=4).prop_map(Some)], // prefers a
        prop_oneof![5 => Just(None), 1 => (0usize..3).prop_map(Some)], // pinned
        (0i64..=1, prop_oneof![3 => Just(1i64), 1 => 1i64..=3]), // priority, weight
        prop_oneof![3 => Just(0i64), 1 => Just(1i64), 1 => Just(2i64), 1 => Just(3i64), 1 => Just(4i64), 1 => Just(8i64)], // quarters of a card
        prop_oneof![5 => Just((1u32, 0usize)), 1 => (2u32..=3, 0usize..6)], // replicas, rule within
    );
    let moving = (
        prop::collection::vec(
            (
                prop_oneof![1 => Just(None), 2 => (0usize..3).prop_map(Some)], // runs there now
                prop_oneof![2 => Just(None), 1 => (0i64..=6).prop_map(Some)],  // cost, in quarters
                0usize..4,                                                     // groups
            ),
            6,
        ),
        (any::<bool>(), any::<bool>()), // cpu and gpu are transient
        prop_oneof![2 => Just(Vec::new()), 1 => prop::collection::vec((0usize..3, 0usize..3, 0i64..=5), 1..=4)],
        prop_oneof![2 => Just(None), 1 => (0i64..=3, 1i64..=2).prop_map(Some)], // ratio, price
    );
    let rule = (0usize..9, any::<bool>(), any::<u8>(), any::<u8>(), 1u32..=2, 0u32..=2);
    (
        tiny(),
        prop::collection::vec(node, 3),
        prop::collection::vec(task, 6),
        prop::collection::vec(rule, 0..=2),
        any::<bool>(),
        prop::option::of(moving),
        prop::option::weighted(
            0.3,
            (prop::collection::vec(0i64..=2, 4), prop::sample::select(&["0.4", "0.1", "0.01"][..])),
        ),
    )
        .prop_map(|(mut draft, nodes, tasks, rules, cards, moving, varying)| {
            draft.one_task_per_node = false;
            draft.tasks.truncate(4);
            let known = draft.tasks.len();
            draft.pairs.retain(|pair| pair.task[1..].parse::<usize>().unwrap() < known);
            draft.resources[0].safety_price = Some(whole(2));
            let gpu = draft.resource("gpu");
            draft.resources[usize::from(gpu)].devices = true;
            let quarter = |n: i64| Decimal::parse(&format!("{}", n as f64 / 4.0)).unwrap();
            for (node, (taint, most, reserve, safety, rack, count, used)) in
                draft.nodes.iter_mut().zip(nodes)
            {
                node.taints.extend(taint.map(|hard| Taint {
                    key: "gpu".into(),
                    value: "x".into(),
                    effect: if hard { Effect::NoExecute } else { Effect::Prefer },
                }));
                node.max_tasks = most;
                // Of copies alone.
                node.overhead.push((0, whole(used)));
                node.copy_max_tasks = (used == 5).then_some(2);
                node.reserve.extend(reserve.map(|p| (0, Part::Percent(whole(p)))));
                node.safety.extend(safety.map(|s| (0, Part::Exact(whole(s)))));
                if !rack.is_empty() {
                    node.labels.push(("rack".to_owned(), rack.to_owned()));
                }
                if cards {
                    node.capacity.push((gpu, whole(count)));
                    node.used.push((gpu, quarter(used.min(4 * count))));
                } else {
                    node.capacity.push((gpu, whole(0)));
                }
            }
            // Some node has the label, else rules over it are errors.
            let racks = draft.nodes.iter().any(|n| n.labels.iter().any(|(key, _)| key == "rack"));
            if !racks {
                draft.nodes[0].labels.push(("rack".to_owned(), "r1".to_owned()));
            }
            let nodes: Vec<String> = draft.nodes.iter().map(|node| node.id.clone()).collect();
            let mut units = 0;
            for (task, (tolerates, avoids, prefers, pin, (priority, weight), share, gang)) in
                draft.tasks.iter_mut().zip(tasks)
            {
                if tolerates {
                    let toleration = Toleration { key: "gpu".into(), value: None, effect: None };
                    task.requires.tolerations.push(toleration);
                }
                if avoids {
                    task.requires.none_of.push(("kind".into(), vec!["b".into()]));
                }
                task.requires.prefers.extend(prefers.map(|weight| Preference {
                    labels: Selection {
                        any_of: vec![("kind".into(), vec!["a".into()])],
                        none_of: vec![("rack".into(), vec!["r1".into()])],
                    },
                    weight: whole(weight),
                }));
                if let Some(pin) = pin {
                    task.current = vec![nodes[pin % nodes.len()].clone()];
                    task.pinned = true;
                }
                task.priority = priority;
                task.weight = Some(whole(weight));
                if cards {
                    task.demand.push((gpu, quarter(share)));
                }
                let (replicas, within) = gang;
                units += replicas as usize;
                if replicas > 1 && units <= 6 {
                    task.replicas = Some(replicas);
                    let spread =
                        |at_least, at_most, max_skew| Ask::Spread { at_least, at_most, max_skew };
                    task.within.extend(match within {
                        0 => Some((Ask::Together, "node".to_owned())),
                        1 => Some((Ask::Together, "rack".to_owned())),
                        2 => Some((Ask::Apart, "node".to_owned())),
                        3 => Some((spread(2, u32::MAX, None), "rack".to_owned())),
                        4 => Some((spread(0, 2, Some(1)), "node".to_owned())),
                        _ => None,
                    });
                }
            }
            if let Some((tasks, transient, routes, ratio)) = moving {
                for (task, (current, cost, groups)) in draft.tasks.iter_mut().zip(tasks) {
                    if let (Some(node), false) = (current, task.pinned) {
                        task.current = vec![nodes[node % nodes.len()].clone()];
                    }
                    task.move_cost = cost.map(quarter);
                    task.groups = [&[][..], &["g"], &["h"], &["h", "g"]][groups]
                        .iter()
                        .map(ToString::to_string)
                        .collect();
                }
                draft.resources[0].transient = transient.0;
                draft.resources[usize::from(gpu)].transient = transient.1;
                for (from, to, cost) in routes {
                    let known = |r: &RouteDraft| r.from == nodes[from] && r.to == nodes[to];
                    if from != to && from.max(to) < nodes.len() && !draft.routes.iter().any(known) {
                        let (from, to) = (nodes[from].clone(), nodes[to].clone());
                        draft.routes.push(RouteDraft { from, to, cost: quarter(cost) });
                    }
                }
                draft.ratios.extend(ratio.map(|(ratio, price)| RatioDraft {
                    room: 0,
                    with: gpu,
                    ratio: quarter(ratio),
                    price: whole(price),
                }));
            }
            for (what, over_rack, a, b, number, skew) in rules {
                let pick = |bits: u8| {
                    let all = draft.tasks.iter().enumerate();
                    let some = all.filter(|(k, _)| bits >> k & 1 == 1);
                    let some: Vec<String> = some.map(|(_, task)| task.id.clone()).collect();
                    if some.is_empty() { vec![draft.tasks[0].id.clone()] } else { some }
                };
                let whom = pick(a);
                let at_least = number.min(whom.len() as u32);
                let (ask, near) = match what {
                    0 => (Ask::Together, None),
                    1 => (Ask::Apart, None),
                    2 => (Ask::Spread { at_least, at_most: u32::MAX, max_skew: Some(skew) }, None),
                    3 => (Ask::Spread { at_least: 0, at_most: number, max_skew: None }, None),
                    4 => (Ask::Gang, None),
                    5 => (Ask::Near { others: Vec::new() }, Some(Whom::Tasks(pick(b)))),
                    8 => {
                        draft.rules.push(budget(whom, skew));
                        continue;
                    }
                    _ => {
                        let limit = limit(&mut draft, (over_rack, a, b), number + skew);
                        draft.rules.push(RuleDraft { whom: Whom::Tasks(whom), ..limit });
                        continue;
                    }
                };
                let present = match (what, over_rack) {
                    (2, false) => vec![("n0".to_owned(), u32::from(b) % 4)],
                    _ => Vec::new(),
                };
                draft.rules.push(RuleDraft {
                    name: None,
                    present,
                    ask,
                    over: if over_rack && what != 4 { "rack" } else { "node" }.to_owned(),
                    whom: Whom::Tasks(whom),
                    near,
                    limit: None,
                    as_one: false,
                    // Some may be broken.
                    price: (what != 4 && b >> 6 == 3).then(|| whole(i64::from(number))),
                });
            }
            if let Some((deviations, risk)) = varying {
                vary(&mut draft, &deviations, risk);
            }
            draft
        })
}

/// At most so many of these tasks move at once.
pub fn budget(tasks: Vec<String>, at_once: u32) -> RuleDraft {
    let limit = LimitDraft {
        resource: MOVED.to_owned(),
        values: Vec::new(),
        at_most: whole(i64::from(at_once)),
        later: Vec::new(),
        always: false,
    };
    RuleDraft {
        name: None,
        ask: Ask::Limit(Limit::default()),
        over: String::new(),
        whom: Whom::Tasks(tasks),
        near: None,
        limit: Some(limit),
        present: Vec::new(),
        as_one: false,
        price: None,
    }
}

/// A limit on tasks, on a resource or on licences, which no node has: over racks, nodes or nothing,
/// on all values or one.
fn limit(draft: &mut Draft, (over_rack, a, b): (bool, u8, u8), number: u32) -> RuleDraft {
    let over = match (over_rack, a >> 6) {
        (true, _) => "rack",
        (false, 0) => "node",
        (false, _) => "",
    };
    let has = |node: &NodeDraft| match over {
        "node" => Some(node.id.clone()),
        over => node.labels.iter().find(|(key, _)| key == over).map(|(_, value)| value.clone()),
    };
    let values = draft.nodes.iter().filter_map(has).take(usize::from(b >> 5 == 0)).collect();
    let (resource, at_most) = match b % 4 {
        0 => ("tasks", whole(i64::from(number))),
        1 => ("cpu", whole(i64::from(2 * number))),
        2 => ("gpu", Decimal::parse(&format!("{}.25", number / 2)).unwrap()),
        _ => ("licence", whole(i64::from(number))),
    };
    if resource == "licence" && !draft.resources.iter().any(|known| known.name == resource) {
        let licence = draft.resource(resource);
        for (k, task) in draft.tasks.iter_mut().enumerate() {
            task.demand.push((licence, whole(1 + (i64::from(a) >> k & 1))));
        }
    }
    let limit = LimitDraft {
        resource: resource.to_owned(),
        values,
        at_most,
        later: Vec::new(),
        always: false,
    };
    RuleDraft {
        name: None,
        ask: Ask::Limit(Limit::default()),
        over: over.to_owned(),
        whom: Whom::EachKey,
        near: None,
        limit: Some(limit),
        present: Vec::new(),
        as_one: false,
        price: None,
    }
}

/// Goals that together touch every term, alone, weighted and in tiers.
pub const GOALS: [&str; 19] = [
    "peak",
    "balance",
    "cost",
    "nodes",
    "demand",
    "cost + 3*nodes",
    "peak, balance",
    "nodes, peak",
    "balance, cost",
    "peak + 0.01*cost, nodes",
    "soft, cost",
    "energy",
    "energy + 2*nodes, moved",
    "peak + 0.01*energy",
    "moves, group_moves",
    "soft + 2*moves + 3*group_moves",
    "group_moves, peak + 0.5*moves",
    "moved <= 1, peak",
    "peak + 0.01*cost <= 0.5, moved",
];

/// Solves with a method, time enough and one seed.
pub fn run(instance: &Instance, method: &str, allow_unplaced: bool) -> Answer {
    let params = Params {
        method: Method::parse(method).unwrap(),
        time_limit: std::time::Duration::from_secs(60),
        allow_unplaced,
        ..Params::default()
    };
    solve(instance, &params).unwrap()
}

/// The plan, or a panic with the reason why there is none.
pub fn plan(answer: Answer) -> Outcome {
    match answer {
        Answer::Plan(outcome) => *outcome,
        Answer::NoPlan(none) => panic!("no plan: {}", none.cause),
    }
}

/// The instance with this goal.
pub fn with_goal(draft: &Draft, goal: &str) -> Instance {
    draft.clone().build().unwrap().with_goal(Goal::parse(goal).unwrap())
}
