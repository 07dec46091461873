//! Splitting an instance and merging plans of its parts.

use proptest::prelude::*;
use proptest::sample::select;
use stowplan::check::check_plan;
use stowplan::format::{Input, Part, Source, digest, read_claim, read_instance, write_part};
use stowplan::model::{Ask, Instance, TaskId};
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
        for limit in copy.limit.iter_mut().filter(|_| rule.over == "node") {
            limit.values = names(&limit.values);
        }
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
            let apart = matches!(rule.ask, Ask::Limit(_));
            prop_assert!(apart || rule.tasks.iter().all(inside) || !rule.tasks.iter().any(inside));
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
        let merged = solve(&instance, &Params { start: Some(start.clone().into()), ..params(drop) }).unwrap();
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

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// Runs the program and gives its exit code, what it printed and what it said.
fn call(args: &[&str]) -> (i32, String, String) {
    let output = stowplan().args(args).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// `big.json` of this seed in the folder, its parts in `parts`, their plans in `plans`.
fn made(folder: &std::path::Path, seed: &str, parts: usize) -> (String, Vec<String>) {
    let at = |name: String| folder.join(name).to_str().unwrap().to_owned();
    let (big, out) = (at(format!("big-{seed}.json")), at(format!("parts-{seed}-{parts}")));
    let generate = ["generate", "uniform", "--tasks", "60", "--nodes", "12", "--seed", seed];
    assert_eq!(call(&[&generate[..], &["-o", &big]].concat()).0, 0);
    let (code, said, errors) = call(&["split", &big, "--parts", &parts.to_string(), "-o", &out]);
    assert_eq!((code, errors.as_str()), (0, ""));
    assert_eq!(said.lines().count(), parts);
    let plan = |k: usize| {
        let (part, plan) = (format!("{out}/part-{k}.json"), format!("{out}/plan-{k}.json"));
        let solve = ["solve", &part, "--work-limit", "20000", "--output", "json", "-o", &plan];
        assert_eq!(call(&solve).0, 0);
        plan
    };
    let plans = (0..parts).map(plan).collect();
    (big, plans)
}

#[test]
fn plans_are_merged_in_any_order_and_mistakes_are_named() {
    let folder = folder();
    let (big, plans) = made(folder.path(), "5", 3);
    let merge = |plans: &[&String]| {
        let mut args = vec!["merge", &big, "--work-limit", "20000", "--output", "json"];
        args.extend(plans.iter().map(|plan| plan.as_str()));
        call(&args)
    };
    let (code, first, _) = merge(&[&plans[0], &plans[1], &plans[2]]);
    assert_eq!(code, 0);
    assert_eq!(merge(&[&plans[2], &plans[0], &plans[1]]).1, first);
    let merged = folder.path().join("merged.json");
    std::fs::write(&merged, &first).unwrap();
    assert_eq!(call(&["check", &big, merged.to_str().unwrap()]).0, 0);
    // A plan to begin with is at least kept.
    let again = ["solve", &big, "--work-limit", "1", "--output", "json", "--start"];
    let (_, again, _) = call(&[&again[..], &[merged.to_str().unwrap()]].concat());
    let value = |text: &str| {
        let plan: serde_json::Value = serde_json::from_str(text).unwrap();
        plan["goal"][0]["value"].as_f64().unwrap()
    };
    assert!(value(&again) <= value(&first));

    let (other, others) = made(folder.path(), "6", 3);
    let (_, halves) = made(folder.path(), "5", 2);
    let csv = folder.path().join("plan.csv");
    std::fs::write(&csv, "task,node\nt1,n1\n").unwrap();
    let csv = csv.to_str().unwrap().to_owned();
    for (plans, wanted) in [
        (vec![&plans[0], &plans[1]], "say nothing of"),
        (vec![&plans[0], &plans[1], &plans[1]], "are for the same part"),
        (vec![&plans[0], &plans[1], &halves[0]], "is in another of these plans too"),
        (vec![&others[0], &others[1], &others[2]], "for none of the 3 parts"),
        (vec![&plans[0], &plans[1], &other], "this is an instance, not a plan"),
        (vec![&plans[0], &plans[1], &csv], "does not say which instance it is for"),
        (vec![&plans[0]; 13], "13 plans are no plans of parts"),
        (vec![], "needs the plans"),
    ] {
        let (code, _, said) = merge(&plans);
        assert!(code == 2 && said.contains(wanted), "{wanted}: {code} {said}");
    }
}

#[test]
fn what_cannot_be_split_says_why() {
    let folder = folder();
    let out = folder.path().join("parts");
    let out = out.to_str().unwrap();
    let file = folder.path().join("tied.json");
    let nodes: Vec<_> =
        (0..4).map(|j| format!(r#"{{"id": "n{j}", "capacity": {{"cpu": 4}}}}"#)).collect();
    let tasks: Vec<_> =
        (0..4).map(|i| format!(r#"{{"id": "t{i}", "demand": {{"cpu": 2}}}}"#)).collect();
    let text = format!(
        r#"{{"nodes": [{}], "tasks": [{}], "rules": [{{"id": "all", "rule": "apart", "tasks": ["t0", "t1", "t2", "t3"]}}]}}"#,
        nodes.join(", "),
        tasks.join(", ")
    );
    std::fs::write(&file, text).unwrap();
    let tied = file.to_str().unwrap();
    for (args, wanted) in [
        (vec!["split", tied, "--parts", "2", "-o", out], "rule `all` among them, tie them into 1"),
        (
            vec!["split", "data/four-nodes.json", "--parts", "5", "-o", out],
            "5 parts cannot be made of 4 nodes",
        ),
        (
            vec!["split", "data/four-nodes.json", "--parts", "4", "-o", out],
            "4 parts cannot be made of 3 tasks",
        ),
        (vec!["split", "data/four-nodes.json", "--parts", "0", "-o", out], "at least one part"),
        (vec!["split", "data/four-nodes.json", "--parts", "2", "-o", tied], "File exists"),
    ] {
        let (code, _, said) = call(&args);
        assert!(code == 2 && said.contains(wanted), "{wanted}: {code} {said}");
    }
    // Files of another split stay where they are and stop this one.
    assert_eq!(call(&["split", "data/train-jobs.json", "--parts", "3", "-o", out]).0, 0);
    let (code, _, said) = call(&["split", "data/train-jobs.json", "--parts", "2", "-o", out]);
    assert!(code == 2 && said.contains("part-2.json is of another split"), "{said}");
}

#[test]
fn sweeps_run_every_combination_and_emit_the_same_commands() {
    let folder = folder();
    let file = folder.path().join("sweep.toml");
    let sweep = |text: &str, more: &[&str]| {
        std::fs::write(&file, text).unwrap();
        call(&[&["sweep", file.to_str().unwrap()], more].concat())
    };
    let text = "instance = ['data/train-jobs.json', 'data/five-nodes.json']\nmethod = ['search', 'min-load']\ngoal = ['peak', 'balance, peak']\nwork-limit = 20000\ntime-limit = '10m'\n";
    let (code, csv, said) = sweep(text, &["--output", "csv"]);
    assert_eq!((code, said.as_str()), (0, ""));
    let rows: Vec<&str> = csv.lines().collect();
    assert!(rows[0].starts_with("run,instance,method,goal,work-limit,time-limit,status,tier,"));
    assert_eq!(rows.len(), 9);
    assert!(rows[3].starts_with("2,data/train-jobs.json,min-load,peak,"), "{}", rows[3]);
    assert_eq!(sweep(text, &["--output", "csv", "--jobs", "1"]).1, csv);
    let (_, lines, _) = sweep(text, &["--emit"]);
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(
        lines[1],
        "stowplan solve data/train-jobs.json --method=search '--goal=balance, peak' --work-limit=20000 --time-limit=10m"
    );
    assert_eq!(lines.len(), 8);
    let (_, json, _) = sweep(text, &["--output", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let (_, plan, _) = call(&[
        "solve",
        "data/train-jobs.json",
        "--method=min-load",
        "--goal=peak",
        "--output=json",
    ]);
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    assert_eq!(json["runs"][2]["goal"], plan["goal"]);
    for (text, wanted) in [
        ("instance = 'data/train-jobs.json'\nmetod = 'auto'", "'--method'"),
        ("instance = 'data/train-jobs.json'\nmethod = 'auti'", "did you mean `auto`?"),
        ("instance = 'data/train-jobs.json'\noutput = 'json'", "says what `solve` prints"),
        ("instance = '-'", "standard input"),
        ("seed = 1", "run 0"),
        ("instance = ", "line 1"),
    ] {
        let (code, out, said) = sweep(text, &[]);
        assert!(code == 2 && out.is_empty() && said.contains(wanted), "{wanted}: {said}");
    }
    // One run that fails takes nothing from the others.
    let (code, out, said) =
        sweep("instance = ['nowhere.json', 'data/train-jobs.json']", &["--output", "csv"]);
    assert!(code == 2 && said.contains("nowhere.json"), "{said}");
    assert!(
        out.contains("0,nowhere.json,error") && out.contains("1,data/train-jobs.json,optimal"),
        "{out}"
    );
}
