//! Splitting an instance and merging plans of its parts.

use std::path::Path;

use proptest::prelude::*;
use proptest::sample::select;
use stowplan::check::check_plan;
use stowplan::format::{Input, Part, Source, digest, read_claim, read_instance, write_part};
use stowplan::model::{Instance, TaskId};
use stowplan::report::{Report, plan_json};
use stowplan::solve::{Answer, Method, Outcome, Params, solve};
use stowplan::split::{PartPlan, join, split};

use crate::helpers::{GOALS, ruled, stowplan, with_goal};
use crate::properties::cases;

/// The part as whoever gets its file sees it.
fn read(instance: &Instance, part: &Part) -> Instance {
    let mut bytes = Vec::new();
    write_part(instance, part, &mut bytes).unwrap();
    let source = Source { name: "part".into(), bytes };
    read_instance(&Input::One(source), None).unwrap_or_else(|error| panic!("{error}"))
}

fn params(allow_unplaced: bool) -> Params {
    let method = Method::parse("search").unwrap();
    Params { method, work_limit: Some(20_000), allow_unplaced, ..Params::default() }
}

fn as_file(name: &str, part: &Instance, outcome: &Outcome) -> PartPlan {
    let text = plan_json(&Report::new(part, outcome, digest(part), None));
    let claim = read_claim(&Source { name: name.into(), bytes: text.into() }).unwrap();
    PartPlan { name: name.into(), claim }
}

/// Two copies of a draft beside each other, so that there is something to split.
fn doubled(draft: &stowplan::model::Draft) -> stowplan::model::Draft {
    use stowplan::model::Whom;
    let mut both = draft.clone();
    let name = |id: &String| format!("{id}'");
    let names = |ids: &Vec<String>| ids.iter().map(name).collect::<Vec<_>>();
    let whom = |whom: &Whom| match whom {
        Whom::Tasks(ids) => Whom::Tasks(names(ids)),
        other => other.clone(),
    };
    for node in &draft.nodes {
        both.nodes.push(stowplan::model::NodeDraft { id: name(&node.id), ..node.clone() });
    }
    for task in &draft.tasks {
        let mut copy = task.clone();
        (copy.id, copy.current) = (name(&task.id), names(&task.current));
        both.tasks.push(copy);
    }
    for pair in &draft.pairs {
        let mut copy = pair.clone();
        (copy.task, copy.node) = (name(&pair.task), name(&pair.node));
        both.pairs.push(copy);
    }
    for rule in &draft.rules {
        let mut copy = rule.clone();
        (copy.whom, copy.near) = (whom(&rule.whom), rule.near.as_ref().map(whom));
        both.rules.push(copy);
    }
    for route in &draft.routes {
        let mut copy = route.clone();
        (copy.from, copy.to) = (name(&route.from), name(&route.to));
        both.routes.push(copy);
    }
    both
}

proptest! {
    #![proptest_config(cases(300))]

    /// Every task and node is in exactly one part, ties are kept, every part reads as an
    /// instance; the merged plan passes the checker and is not below the whole's bound.
    #[test]
    fn plans_of_parts_make_a_plan_of_the_whole(
        draft in ruled(),
        goal in select(&GOALS[..]),
        parts in 1usize..=4,
        drop in any::<bool>(),
    ) {
        let instance = with_goal(&doubled(&draft), goal);
        let Ok(made) = split(&instance, parts) else {
            prop_assert!(parts > 1, "one part is always possible");
            return Ok(());
        };
        prop_assert_eq!(&made, &split(&instance, parts).unwrap());
        prop_assert_eq!(made.len(), parts);
        for task in instance.task_ids() {
            let own: Vec<usize> = (0..parts).filter(|k| made[*k].tasks[task.index()]).collect();
            prop_assert_eq!(own.len(), 1, "{}", instance.task_name(task));
            if let Some(pin) = instance.pin(task) {
                prop_assert!(made[own[0]].nodes[pin.index()]);
            }
        }
        for node in instance.node_ids() {
            prop_assert_eq!(made.iter().filter(|part| part.nodes[node.index()]).count(), 1);
        }
        for (rule, part) in instance.rules().iter().flat_map(|r| made.iter().map(move |p| (r, p))) {
            let inside = |task: &TaskId| part.tasks[task.index()];
            prop_assert!(rule.tasks.iter().all(inside) || !rule.tasks.iter().any(inside));
        }
        let owns: Vec<Instance> = made.iter().map(|part| read(&instance, part)).collect();
        for (own, part) in owns.iter().zip(&made) {
            let names = |all: &Instance, of: &dyn Fn(TaskId) -> bool| -> Vec<String> {
                let some = all.task_ids().filter(|task| of(*task));
                some.map(|task| all.task_name(task).to_owned()).collect()
            };
            prop_assert_eq!(
                names(own, &|_| true),
                names(&instance, &|task: TaskId| part.tasks[task.index()])
            );
            let nodes = part.nodes.iter().filter(|own| **own).count();
            prop_assert_eq!(own.nodes(), nodes);
            prop_assert_eq!(own.goal(), instance.goal());
        }
        if parts == 1 {
            prop_assert_eq!(digest(&owns[0]), digest(&instance));
        }
        let mut plans = Vec::new();
        for (k, own) in owns.iter().enumerate() {
            match solve(own, &params(drop)).unwrap() {
                Answer::Plan(outcome) => plans.push(as_file(&format!("{k}"), own, &outcome)),
                Answer::NoPlan(_) => {
                    prop_assert!(!drop, "every part has a plan that leaves tasks out");
                    return Ok(());
                }
            }
        }
        plans.reverse(); // in any order
        let start = join(&instance, &plans).unwrap_or_else(|error| panic!("{error} {}", error.place));
        let merged = solve(&instance, &Params { start: Some(start.clone()), ..params(drop) }).unwrap();
        let whole = solve(&instance, &params(drop)).unwrap();
        match (merged, whole) {
            (Answer::Plan(merged), Answer::Plan(whole)) => {
                prop_assert_eq!(check_plan(&instance, &merged.plan, drop), vec![]);
                let (a, b) = (&merged.goal[0], &whole.goal[0]);
                prop_assert!(a.value >= b.bound - 1e-9 * b.bound.abs(), "{a:?} {b:?}");
                prop_assert!(b.value >= a.bound - 1e-9 * a.bound.abs(), "{a:?} {b:?}");
            }
            (Answer::Plan(merged), Answer::NoPlan(none)) => {
                prop_assert_eq!(check_plan(&instance, &merged.plan, drop), vec![]);
                prop_assert!(!none.proven);
            }
            (Answer::NoPlan(none), _) => {
                // Only what looks beyond a part can break where every part holds.
                prop_assert!(!check_plan(&instance, &start, drop).is_empty(), "{}", none.cause);
            }
        }
    }
}
