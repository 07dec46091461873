//! Every repair that is printed repairs: made in the input as a person would, the input read again, a plan
//! looked for by brute force. And where it is called the least, less does not do.

use proptest::prelude::*;
use serde_json::{Value, json};
use stowplan::check::check_plan;
use stowplan::explain::{Change, Repair, Verdict, explain};
use stowplan::ilp::Backend;
use stowplan::model::{
    ANY, Ask, Decimal, Draft, Instance, NodeDraft, NodeState, Part, Plan, Requirement, TaskId,
    Toleration,
};

use crate::helpers::{read, ruled, stowplan, weighed};
use crate::properties::cases;

/// Placements that are tried at most.
const MOST: usize = 200_000;

/// Whether any plan places exactly the tasks that are not `left`; `None` where there are too many
/// plans to look at.
fn feasible(instance: &Instance, left: &[TaskId]) -> Option<bool> {
    let placed: Vec<TaskId> = instance.task_ids().filter(|task| !left.contains(task)).collect();
    let many = instance.nodes().checked_pow(placed.len() as u32).filter(|many| *many <= MOST)?;
    let holds = |mut code: usize| {
        let mut plan = Plan::empty(instance.tasks());
        for task in &placed {
            plan.placement[task.index()] = Some((code % instance.nodes()).into());
            code /= instance.nodes();
        }
        check_plan(instance, &plan, !left.is_empty()).is_empty()
    };
    Some((0..many).any(holds))
}

fn sum(a: Decimal, b: &str) -> Decimal {
    let sum = a.to_string().parse::<f64>().unwrap() + b.parse::<f64>().unwrap();
    Decimal::parse(&format!("{}", (sum * 1e6).round() / 1e6)).unwrap()
}

/// The draft with the change made by hand; `None` for what is no change of the input.
fn by_hand(draft: &Draft, instance: &Instance, repair: &Repair) -> Option<Draft> {
    let mut draft = draft.clone();
    let task_of = |task: TaskId| {
        let name = match instance.gang_of(task) {
            Some((gang, _)) => gang.name.clone(),
            None => instance.task_name(task).to_owned(),
        };
        draft.tasks.iter().position(|task| task.id == name).unwrap()
    };
    match &repair.change {
        Change::Drop(_) => return None,
        Change::Raise { node, resource, by } => {
            let shown = instance.resources()[*resource].scale.show(*by);
            assert!(repair.words.contains(&shown), "{}", repair.words);
            let capacity = &mut draft.nodes[node.index()].capacity;
            let at = capacity.iter_mut().find(|(r, _)| usize::from(*r) == *resource).unwrap();
            at.1 = sum(at.1, &shown);
        }
        Change::Add { like, count } => {
            for k in 0..*count {
                let like = draft.nodes[like.index()].clone();
                draft.nodes.push(NodeDraft {
                    id: format!("new{k}"),
                    used: like.overhead.clone(),
                    max_tasks: like.copy_max_tasks.or(like.max_tasks),
                    state: NodeState::Ready,
                    ..like
                });
            }
        }
        Change::Lift(rule) => {
            let name = &instance.rules()[usize::from(*rule as u16)].name;
            draft.rules.retain(|rule| rule.name.as_ref() != Some(name));
            for task in &mut draft.tasks {
                let own = format!(" within {}", task.id);
                if name.ends_with(&own) {
                    task.within.retain(|(ask, over)| *name != format!("{ask} over {over}{own}"));
                }
            }
        }
        Change::Loosen { rule, at_most } => {
            let rule = &instance.rules()[*rule as usize];
            let Ask::Limit(limit) = &rule.ask else { panic!("{}", repair.words) };
            let shown = instance.show_limited(limit, *at_most);
            assert!(repair.words.ends_with(&shown), "{}", repair.words);
            let own = draft.rules.iter_mut().find(|own| own.name.as_ref() == Some(&rule.name));
            let limit = own.unwrap().limit.as_mut().unwrap();
            limit.at_most = Decimal::parse(&shown).unwrap();
        }
        Change::Undemand(task) => {
            let at = task_of(*task);
            let anything = Toleration { key: ANY.to_owned(), value: None, effect: None };
            draft.tasks[at].pinned = false;
            draft.tasks[at].requires =
                Requirement { tolerations: vec![anything], ..Requirement::default() };
        }
    }
    Some(draft)
}

/// Whether a little less does it too.
fn less_does(instance: &Instance, repair: &Repair) -> Option<bool> {
    match &repair.change {
        Change::Raise { resource, by, .. } => {
            let device = instance.devices().iter().find(|device| device.resource == *resource);
            let less = by - device.map_or(1, |device| device.card);
            let raised = |node| feasible(&instance.raised(node, *resource, less), &[]);
            let all: Option<Vec<bool>> = instance.node_ids().map(raised).collect();
            all.map(|all| all.contains(&true))
        }
        Change::Add { like, count } => {
            let fewer = |count| feasible(&instance.with_more_nodes(*like, count), &[]);
            let all: Option<Vec<bool>> = (1..*count).map(fewer).collect();
            all.map(|all| all.contains(&true))
        }
        Change::Drop(jobs) => {
            let weight = |tasks: &mut dyn Iterator<Item = TaskId>| -> (i64, usize) {
                tasks.fold((0, 0), |(sum, n), task| (sum + instance.drop_weight(task), n + 1))
            };
            let units = |jobs: &[TaskId]| -> Vec<TaskId> {
                jobs.iter().flat_map(|job| instance.units(*job)).map(TaskId::from).collect()
            };
            let own = weight(&mut units(jobs).into_iter());
            let all: Vec<TaskId> = instance.jobs().collect();
            let zeros = instance.task_ids().any(|task| instance.drop_weight(task) == 0);
            let sets = (0..1usize << all.len()).map(|bits| -> Vec<TaskId> {
                let some = all.iter().enumerate().filter(|(k, _)| bits >> k & 1 == 1);
                units(&some.map(|(_, job)| *job).collect::<Vec<_>>())
            });
            let lighter = |left: &Vec<TaskId>| {
                let other = weight(&mut left.iter().copied());
                if zeros { other < own } else { other.0 < own.0 }
            };
            let all: Option<Vec<bool>> =
                sets.filter(lighter).map(|left| feasible(instance, &left)).collect();
            all.map(|all| all.contains(&true))
        }
        Change::Loosen { rule, at_most } => feasible(&instance.with_limit(*rule, at_most - 1), &[]),
        Change::Lift(_) | Change::Undemand(_) => None,
    }
}

fn every_repair_repairs(draft: Draft) -> Result<usize, TestCaseError> {
    let mut draft = draft;
    for (k, rule) in draft.rules.iter_mut().enumerate() {
        rule.name = Some(format!("rule {k}"));
    }
    let instance = draft.clone().build().unwrap();
    let limit = std::time::Duration::from_secs(120);
    let why = match explain(&instance, Backend::Microlp, 1, limit).unwrap() {
        Verdict::Infeasible(why) => why,
        Verdict::Feasible(plan) => {
            prop_assert!(check_plan(&instance, &plan, false).is_empty());
            return Ok(0);
        }
        Verdict::Unknown => return Ok(0),
    };
    prop_assert!(feasible(&instance, &[]) == Some(false), "there is a plan");
    for repair in &why.repairs {
        let repaired = match (&repair.change, by_hand(&draft, &instance, repair)) {
            (Change::Drop(jobs), _) => {
                let units = jobs.iter().flat_map(|job| instance.units(*job)).map(TaskId::from);
                feasible(&instance, &units.collect::<Vec<_>>())
            }
            (_, Some(draft)) => feasible(&draft.build().unwrap(), &[]),
            (_, None) => None,
        };
        prop_assert!(repaired != Some(false), "{} does not help", repair.words);
        let less = if repair.least { less_does(&instance, repair) } else { None };
        prop_assert!(less != Some(true), "{}: less does too", repair.words);
    }
    Ok(why.repairs.len())
}

proptest! {
    #![proptest_config(cases(250))]

    #[test]
    fn every_printed_repair_repairs(
        draft in weighed(ruled()),
        percent in prop::option::of((prop::collection::vec(0usize..=4, 3), 0usize..=3)),
    ) {
        let mut draft = draft;
        if let Some((own, all)) = percent {
            let percent = |k: usize| Part::Percent(Decimal::from_integer([0, 10, 25, 30, 60][k]).unwrap());
            for (node, k) in draft.nodes.iter_mut().zip(own) {
                node.reserve.retain(|_| k != 1);
                if k > 1 && node.reserve.is_empty() {
                    let part = if k == 4 { Part::Exact(Decimal::from_integer(3).unwrap()) } else { percent(k) };
                    node.reserve.push((0, part));
                }
            }
            draft.reserve.push((0, percent(all)));
        }
        every_repair_repairs(draft)?;
    }
}

/// What is reserved as a percentage grows with the capacity.
#[test]
fn a_raise_pays_for_what_stays_reserved() {
    let document = json!({
        "reserve": {"cpu": "30%"},
        "rules": [
            {"rule": "spread", "over": "z", "tasks": ["t1", "t0"], "at_most": 1, "max_skew": 2},
            {"rule": "near", "tasks": ["t1", "t2"], "near": ["t0"]}],
        "nodes": [
            {"id": "n0", "capacity": {"cpu": 6}, "labels": {"z": "5"}},
            {"id": "n1", "capacity": {"cpu": 4}, "labels": {"z": "1"}}],
        "tasks": [
            {"id": "t0", "demand": {"cpu": 3}}, {"id": "t1", "demand": {"cpu": 2}},
            {"id": "t2", "demand": {"cpu": 1}}],
    });
    let Verdict::Infeasible(why) =
        explain(&read(&document), Backend::Microlp, 1, std::time::Duration::from_secs(120))
            .unwrap()
    else {
        panic!("6 x 70 % is less than 6");
    };
    let raise = |r: &&Repair| matches!(r.change, Change::Raise { .. });
    let raise = why.repairs.iter().find(raise).expect("more room helps");
    let by = raise.words.rsplit(' ').next().unwrap().parse::<f64>().unwrap();
    // 6 / 0.7 is 8.571...
    assert!((2.571..2.8).contains(&by), "{}", raise.words);
    // Steps are not the least there is here.
    assert!(!raise.least);
    let capacity = |cpu: f64| {
        let mut document = document.clone();
        document["nodes"][0]["capacity"]["cpu"] = json!(format!("{cpu:.3}"));
        feasible(&read(&document), &[])
    };
    assert_eq!((capacity(6.0 + by), capacity(8.5)), (Some(true), Some(false)));
}

/// A task under a rule over a label goes on needing the label.
#[test]
fn a_task_that_asks_for_nothing_still_needs_the_labels_of_its_rules() {
    let document = |requires: Value| {
        json!({
            "nodes": [
                {"id": "n0", "capacity": {"cpu": 4}},
                {"id": "n1", "capacity": {"cpu": 1}, "labels": {"rack": "a"}}],
            "rules": [{"rule": "apart", "tasks": ["t"], "over": "rack"}],
            "tasks": [{"id": "t", "demand": {"cpu": 3}, "requires": requires}],
        })
    };
    let instance = read(&document(json!({"disk": "ssd"})));
    assert_eq!(feasible(&read(&document(json!({}))), &[]), Some(false));
    let limit = std::time::Duration::from_secs(120);
    let Verdict::Infeasible(why) = explain(&instance, Backend::Microlp, 1, limit).unwrap() else {
        panic!("no node has the disk");
    };
    let asks_less = |repair: &&Repair| matches!(repair.change, Change::Undemand(_));
    assert!(why.repairs.iter().find(asks_less).is_none(), "{:?}", why.repairs);
}

/// Without its last limit, a resource that no node has would be refused as a slip of the pen.
#[test]
fn the_last_limit_on_what_no_node_has_is_raised_and_not_lifted() {
    let limit = |name: &str, at_most: u64| {
        json!({"rule": "limit", "id": name, "tasks": ["a", "b"], "resource": "licence",
            "at_most": at_most})
    };
    let words = |rules: Value| -> Vec<String> {
        let document = json!({
            "nodes": [{"id": "n", "capacity": {"cpu": 4}}],
            "rules": rules,
            "tasks": [
                {"id": "a", "demand": {"cpu": 1, "licence": 2}},
                {"id": "b", "demand": {"cpu": 1, "licence": 2}}],
        });
        let limit = std::time::Duration::from_secs(120);
        let verdict = explain(&read(&document), Backend::Microlp, 1, limit).unwrap();
        let Verdict::Infeasible(why) = verdict else { panic!("four licences are too many") };
        why.repairs.iter().map(|repair| repair.words.clone()).collect()
    };
    let one = words(json!([limit("few", 3)]));
    assert!(one.contains(&"raise the limit `few` to 4".to_owned()), "{one:?}");
    assert!(!one.iter().any(|words| words.contains("lift")), "{one:?}");
    let two = words(json!([limit("few", 3), limit("many", 9)]));
    assert!(two.contains(&"lift the rule `few`".to_owned()), "{two:?}");
}

/// Nothing is left out beside what has to be, though it weighs nothing.
#[test]
fn what_weighs_nothing_is_not_left_out_for_nothing() {
    let tasks = (0..5).map(|i| json!({"id": format!("t{i}"), "demand": {"cpu": 3}, "weight": 0}));
    let document = json!({
        "nodes": [{"id": "n0", "capacity": {"cpu": 6}}, {"id": "n1", "capacity": {"cpu": 6}}],
        "tasks": tasks.collect::<Value>(),
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("i.json");
    std::fs::write(&file, document.to_string()).unwrap();
    let output = stowplan().arg("explain").arg(&file).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find(|line| line.contains("leave out")).unwrap();
    assert_eq!(line.matches("`t").count(), 1, "{text}");
}
