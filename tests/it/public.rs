//! Other people's instances with their best known values. They are not part of
//! the project: `STOWPLAN_PUBLIC_DATA` names the folder, else `../shared/data`.
//! They take minutes, so they are run with `cargo test -- --include-ignored`.

use std::path::Path;
use std::time::Duration;

use stowplan::bounds::Bounds;
use stowplan::check::{check_claim, check_plan};
use stowplan::format::{Input, Source, read_instance, read_plan, read_running};
use stowplan::model::{Instance, Plan};
use stowplan::solve::{Method, Outcome, Params, solve};

use crate::helpers::{plan, public_data};

fn read(path: &Path) -> Instance {
    read_instance(&Input::One(Source::read(path).unwrap()), None).unwrap()
}

fn openb(folder: &Path, pods: &str, nodes: &str) -> Instance {
    let source = |name: &str| Source::read(&folder.join("openb").join(name)).unwrap();
    let input =
        Input::Tables { tasks: source(pods), nodes: source(nodes), pairs: None, rules: None };
    read_instance(&input, None).unwrap()
}

fn run(instance: &Instance, method: &str, seconds: u64) -> Outcome {
    let params = Params {
        method: Method::parse(method).unwrap(),
        time_limit: Duration::from_secs(seconds),
        ..Params::default()
    };
    let outcome = plan(solve(instance, &params).unwrap());
    assert!(check_plan(instance, &outcome.plan, false).is_empty());
    outcome
}

/// (path, lower bound, best known value, proven) of the minimisation problems
/// below a folder.
fn best_known(folder: &Path, below: &str) -> Vec<(String, f64, f64, bool)> {
    let mut reader = csv::Reader::from_path(folder.join("best_known.csv")).unwrap();
    let rows = reader.records().map(|row| row.unwrap());
    let wanted = rows.filter(|row| row[0].starts_with(below) && row[2].contains("minimised"));
    wanted
        .map(|row| {
            (row[0].to_owned(), row[3].parse().unwrap(), row[4].parse().unwrap(), &row[5] == "yes")
        })
        .collect()
}

#[test]
#[ignore = "reads public instances, takes minutes"]
fn or_library_gap() {
    let Some(folder) = public_data() else { return };
    let known = best_known(&folder, "gap/or-library/");
    assert_eq!(known.len(), 60);
    // HiGHS proves each within seconds; microlp gets one second to be wrong in.
    let strong = stowplan::ilp::Backend::default_of_build().name() == "highs";
    let mut proven = 0;
    for (path, bound, value, _) in &known {
        let seconds = if strong { 60 } else { 1 };
        let params = Params {
            method: Method::Ilp,
            time_limit: Duration::from_secs(seconds),
            ..Params::default()
        };
        let instance = read(&folder.join(path));
        let stowplan::solve::Answer::Plan(outcome) = solve(&instance, &params).unwrap() else {
            assert!(!strong, "{path}: no plan");
            continue;
        };
        let tier = &outcome.goal[0];
        assert!(
            tier.value >= *value && tier.bound <= *value && *bound <= tier.value,
            "{path}: {tier:?}"
        );
        if outcome.optimal {
            assert_eq!(tier.value, *value, "{path}");
            proven += 1;
        }
    }
    eprintln!("or-library: {proven} of 60 proven");
    assert!(!strong || proven == 60, "only {proven} proven");
}

#[test]
#[ignore = "reads public instances"]
fn small_cloud_balancing_is_proven() {
    let Some(folder) = public_data() else { return };
    let mut checked = 0;
    for (path, _, value, proven) in best_known(&folder, "cloudbalancing/") {
        if proven {
            let outcome = run(&read(&folder.join(&path)), "auto", 30);
            assert!(outcome.optimal, "{path}");
            assert_eq!(outcome.goal[0].value, value, "{path}");
            checked += 1;
        }
    }
    assert_eq!(checked, 3);
}

#[test]
#[ignore = "reads public instances"]
fn large_gap_and_cloud_balancing_bounds_are_true() {
    let Some(folder) = public_data() else { return };
    for (path, _, value, _) in best_known(&folder, "cloudbalancing/")
        .into_iter()
        .chain(best_known(&folder, "gap/yagiura/"))
    {
        let instance = read(&folder.join(&path));
        let params = Params {
            method: Method::parse("min-cost").unwrap(),
            time_limit: Duration::from_secs(20),
            allow_unplaced: true,
            ..Params::default()
        };
        let outcome = plan(solve(&instance, &params).unwrap());
        let cost = outcome.goal.last().unwrap();
        eprintln!(
            "{path}: {} unplaced, cost {} bound {}, best known {value}",
            outcome.unplaced.len(),
            cost.value,
            cost.bound
        );
        if outcome.unplaced.is_empty() {
            assert!(cost.bound <= value + 1e-9, "{path}: bound {} above {value}", cost.bound);
        }
    }
}

#[test]
#[ignore = "reads public instances"]
fn openb_is_placed() {
    let Some(folder) = public_data() else { return };
    for (pods, nodes) in [
        ("openb_pod_list_gpushare100.csv", "openb_node_list_gpu_node.csv"),
        ("openb_pod_list_gpushare40.csv", "openb_node_list_gpu_node.csv"),
        ("openb_pod_list_gpushare100.csv", "openb_node_list_all_node.csv"),
    ] {
        let instance = openb(&folder, pods, nodes);
        assert_eq!(instance.tasks(), 8152);
        for method in ["min-load", "auto"] {
            let outcome = run(&instance, method, 10);
            let tier = &outcome.goal[0];
            eprintln!("{pods} on {nodes}, {method}: peak {} bound {}", tier.value, tier.bound);
            assert!(tier.gap < 0.06, "{pods} {method}: {tier:?}");
        }
    }
}

/// A model of the challenge with its initial assignment, and that plan.
fn roadef(folder: &Path, model: &str) -> (Instance, Plan) {
    let model = folder.join(model);
    let beside = model.to_str().unwrap().replace("model_", "assignment_").replace(".txt", ".sol");
    let current = Source::read(Path::new(&beside)).unwrap();
    let input = Input::One(Source::read(&model).unwrap());
    let instance = read_running(&input, None, Some(&current)).unwrap().instance;
    let claim = read_plan(&current, &instance).unwrap();
    let verdict = check_claim(&instance, &claim);
    assert!(verdict.violations.is_empty(), "{}: {}", model.display(), verdict.violations[0]);
    (instance, verdict.plan)
}

/// The initial assignments are feasible and worth what the challenge says, and no
/// bound by counting lies above the best value known.
#[test]
fn roadef_initial_assignments() {
    let Some(folder) = public_data() else { return };
    let mut reader = csv::Reader::from_path(folder.join("best_known.csv")).unwrap();
    let mut checked = 0;
    for row in reader.records().map(|row| row.unwrap()) {
        if !row[0].starts_with("roadef/") {
            continue;
        }
        let start = std::time::Instant::now();
        let (instance, plan) = roadef(&folder, &row[0]);
        let read = start.elapsed();
        let tier = &instance.goal().tiers[0];
        let value = stowplan::metrics::value_of(&instance, &plan, tier);
        let initial = row[6].split("initial ").nth(1).unwrap().split(';').next().unwrap();
        assert_eq!(value, initial.trim().parse::<f64>().unwrap(), "{}", &row[0]);
        let bound = Bounds::of(&instance).tier(tier, 0);
        let (lower, best): (f64, f64) = (row[3].parse().unwrap(), row[4].parse().unwrap());
        eprintln!(
            "{}: bound {} of {lower}, best {best}, read in {read:?}",
            &row[0],
            bound.value.near()
        );
        assert!(bound.value.near() <= best, "{}", &row[0]);
        checked += 1;
    }
    assert_eq!(checked, 13);
}
