//! Small random instances, with everything that the program in time knows, against trying
//! everything and against branch and bound.

use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Built, Exact, Model, Table, TimedFinding, TimedRequest, solve_timed};
use crate::Backend;
use base::stop::Stop;
use engines::schedule::{self, Finding};
use judge::check::check_schedule;
use judge::metrics::timed_values;
use judge::proof::proven;
use model::{
    AfterDraft, Decimal, Draft, Goal, Instance, NodeDraft, NodeId, PairDraft, Plan, ResourceDraft,
    Schedule, TaskDraft, TaskId, When,
};

fn number(x: i64) -> Decimal {
    Decimal::from_integer(x).unwrap()
}

/// A random instance of up to `tasks` jobs, all times multiples of `unit`; `None` where the dice
/// fall so that no instance has it.
fn instance(g: &mut ChaCha8Rng, goal: &str, tasks: usize, unit: i64) -> Option<Instance> {
    let nodes = g.random_range(1..=3);
    let resource = |name: &str| ResourceDraft { name: name.to_owned(), ..ResourceDraft::default() };
    let mut draft = Draft {
        resources: ["cpu", "gpu"].map(resource).to_vec(),
        goal: Some(Goal::parse(goal).unwrap()),
        one_task_per_node: g.random_bool(0.2),
        ..Draft::default()
    };
    let (twins, speeds, windows) = (g.random_bool(0.3), g.random_bool(0.3), g.random_bool(0.4));
    for j in 0..nodes {
        let from = g.random_range(1..5) * unit;
        let window = (When::In(from), When::In(from + g.random_range(1..3) * unit));
        let node = NodeDraft {
            capacity: vec![(0, number(g.random_range(2..5))), (1, number(g.random_range(1..4)))],
            speed: (speeds && g.random_bool(0.7)).then(|| number(2)),
            available_at: g.random_bool(0.3).then_some(When::In(unit)),
            closed: if windows && g.random_bool(0.5) { vec![window] } else { vec![] },
            price_per_hour: Some(number(3600 * g.random_range(1..3))),
            price: g.random_bool(0.3).then(|| number(g.random_range(0..4))),
            max_tasks: g.random_bool(0.2).then_some(2),
            ..NodeDraft::default()
        };
        let node = if twins && j > 0 { draft.nodes[0].clone() } else { node };
        draft.nodes.push(NodeDraft { id: format!("n{j}"), ..node });
    }
    let count = g.random_range(2..=tasks);
    for k in 0..count {
        if k > 0 && g.random_bool(0.2) && draft.tasks[k - 1].elapsed.is_none() {
            // The same once more.
            let before = draft.tasks[k - 1].clone();
            draft.tasks.push(TaskDraft { id: format!("t{k}"), ..before });
            continue;
        }
        let running = k == 0 && g.random_bool(0.25) && !windows;
        let replicas = g.random_bool(0.25).then(|| g.random_range(2..4));
        let some = |g: &mut ChaCha8Rng, chance: f64, range: std::ops::Range<i64>| {
            g.random_bool(chance).then(|| When::In(g.random_range(range) * unit))
        };
        let mut after: Vec<AfterDraft> = Vec::new();
        for other in (0..k).filter(|_| !running) {
            if g.random_bool(0.2) {
                let lag = g.random_range(0..2) * unit;
                after.push(AfterDraft { task: format!("t{other}"), lag });
            }
        }
        let place = running || g.random_bool(0.2);
        let at = format!("n{}", g.random_range(0..nodes));
        let units = replicas.unwrap_or(1) as usize;
        draft.tasks.push(TaskDraft {
            id: format!("t{k}"),
            demand: vec![(0, number(g.random_range(0..3))), (1, number(g.random_range(0..2)))],
            after,
            duration: Some(if running { 9 * unit } else { g.random_range(1..4) * unit }),
            elapsed: running.then_some(5 * unit),
            replicas,
            weight: g.random_bool(0.3).then(|| number(g.random_range(1..4))),
            priority: g.random_range(0..2),
            release: some(g, 0.3, 0..4).filter(|_| !running),
            due: some(g, 0.6, 1..8),
            deadline: some(g, 0.3, 6..12),
            current: if place { vec![at; units] } else { vec![] },
            pinned: place && !running && g.random_bool(0.3),
            ..TaskDraft::default()
        });
        if g.random_bool(0.2) && !running {
            draft.pairs.push(PairDraft {
                task: format!("t{k}"),
                node: "n0".to_owned(),
                duration: Some(g.random_range(1..5) * unit),
                ..PairDraft::default()
            });
        }
    }
    draft.build().ok().filter(|instance| instance.check_times().is_ok())
}

fn goal(instance: &Instance, allow_unplaced: bool) -> Goal {
    if allow_unplaced {
        instance.goal().with_unplaced_first(&instance.priorities())
    } else {
        instance.goal().clone()
    }
}

fn values(instance: &Instance, schedule: &Schedule, goal: &Goal) -> Vec<f64> {
    timed_values(instance, schedule, goal).into_iter().map(|tier| tier.value).collect()
}

/// The least values over all nodes and starts up to `last`, by the checker alone: what breaks no
/// rule with some jobs left out is gone on from.
fn brute(instance: &Instance, allow_unplaced: bool, last: i64) -> Option<Vec<f64>> {
    struct Brute<'a>(&'a Instance, bool, i64, Goal, Option<Vec<f64>>);
    fn go(all: &mut Brute, jobs: &[TaskId], schedule: &mut Schedule) {
        let instance = all.0;
        let Some((job, rest)) = jobs.split_first() else {
            if check_schedule(instance, schedule, all.1).is_empty() {
                let values = values(instance, schedule, &all.3);
                if all.4.as_ref().is_none_or(|best| values < *best) {
                    all.4 = Some(values);
                }
            }
            return;
        };
        let units: Vec<usize> = instance.units(*job).collect();
        for start in 0..=all.2 {
            for way in 0..instance.nodes().pow(units.len() as u32) {
                let mut code = way;
                for unit in &units {
                    schedule.plan.placement[*unit] = Some(NodeId::from(code % instance.nodes()));
                    schedule.start[*unit] = Some(start);
                    code /= instance.nodes();
                }
                if check_schedule(instance, schedule, true).is_empty() {
                    go(all, rest, schedule);
                }
            }
        }
        for unit in units {
            (schedule.plan.placement[unit], schedule.start[unit]) = (None, None);
        }
        if all.1 {
            go(all, rest, schedule);
        }
    }
    let jobs: Vec<TaskId> = instance.jobs().collect();
    let tasks = instance.tasks();
    let mut schedule = Schedule { plan: Plan::empty(tasks), start: vec![None; tasks] };
    let goal = goal(instance, allow_unplaced);
    let mut all = Brute(instance, allow_unplaced, last, goal, None);
    go(&mut all, &jobs, &mut schedule);
    all.4
}

/// Few enough columns for a test, whatever is known.
fn small(instance: &Instance, allow_unplaced: bool) -> bool {
    let table = Table::new(instance, allow_unplaced);
    let goal = goal(instance, allow_unplaced);
    matches!(
        Model::build(&table, &goal.tiers[0], &[], None, 150),
        Built::Model(_) | Built::Impossible
    )
}

/// What the integer program finds, all of it proven, and that what it finds holds.
fn exact(
    instance: &Instance,
    allow: bool,
    backend: Backend,
    known: Option<&Schedule>,
) -> TimedFinding {
    let goal = goal(instance, allow);
    let request = TimedRequest {
        instance,
        goal: &goal,
        allow_unplaced: allow,
        backend,
        gap: 0.0,
        seed: 1,
        incumbent: known.cloned(),
    };
    let finding = solve_timed(&request, &Stop::after(Duration::from_secs(300))).unwrap();
    assert_eq!(finding.warnings, Vec::<String>::new());
    match &finding.schedule {
        Some(schedule) => {
            assert_eq!(finding.exact, Exact::Complete, "{finding:?}");
            let broken = check_schedule(instance, schedule, allow);
            assert!(broken.is_empty(), "{broken:?}");
            for (value, tier) in values(instance, schedule, &goal).iter().zip(&finding.tiers) {
                let bound = tier.bound.unwrap();
                let bound = bound.near();
                assert!((value - bound).abs() <= 1e-6 * (1.0 + value.abs()), "{value} {bound}");
            }
        }
        None => assert_eq!(finding.exact, Exact::Infeasible),
    }
    finding
}

/// What branch and bound proves; `None` where it proves that there is nothing. Not at all where it
/// gives up.
fn branched(instance: &Instance, allow_unplaced: bool) -> Option<Option<Schedule>> {
    let request = schedule::Request {
        instance,
        queue: None,
        allow_unplaced,
        start: None,
        gap: 0.0,
        seed: 1,
        work: 200_000,
        stop: &Stop::after(Duration::from_secs(1000)),
    };
    match schedule::solve(&request, &mut |_| {}).unwrap() {
        Finding::Schedule(found) => {
            let goal = goal(instance, allow_unplaced);
            let values = timed_values(instance, &found.schedule, &goal);
            let mut tiers = goal.tiers.iter().zip(values).zip(&found.bounds);
            let optimal = tiers
                .all(|((tier, value), bound)| proven(instance, tier, value.worth(), bound.value));
            optimal.then_some(Some(found.schedule))
        }
        Finding::None { proven, .. } => proven.then_some(None),
    }
}

const GOALS: [&str; 14] = [
    "makespan",
    "completion",
    "tardiness",
    "wait",
    "makespan, completion",
    "tardiness, makespan",
    "wait, cost",
    "makespan, cost",
    "cost, makespan",
    "makespan + 0.5*cost",
    "nodes, completion",
    "nodes, moved, makespan",
    "moves, completion + 2*tardiness",
    "makespan <= 6, cost, wait",
];

fn same(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-9 * (1.0 + b.abs()))
}

#[test]
fn two_or_three_jobs_are_what_brute_force_finds() {
    let mut g = ChaCha8Rng::seed_from_u64(1);
    let (mut solved, mut refuted) = (0, 0);
    for round in 0..420 {
        let Some(instance) = instance(&mut g, GOALS[round % GOALS.len()], 3, 1) else { continue };
        let allow = g.random_bool(0.4);
        let last = instance.horizon().min(11);
        let ways = |job| (instance.nodes() as u64).pow(instance.units(job).len() as u32);
        let all: u64 = instance.jobs().map(|job| ways(job) * (last + 1) as u64).product();
        if all > 6_000 || !small(&instance, allow) {
            continue;
        }
        let found = exact(&instance, allow, Backend::Microlp, None).schedule;
        let best = brute(&instance, allow, last);
        let goal = goal(&instance, allow);
        match (found, best) {
            (Some(found), Some(best)) => {
                let found = values(&instance, &found, &goal);
                assert!(same(&found, &best), "{round} {goal}: {found:?} against {best:?}");
                solved += 1;
            }
            (None, None) => refuted += 1,
            (found, best) => panic!("{round} {goal}: {found:?} against {best:?}"),
        }
    }
    assert!(solved > 60 && refuted > 1, "{solved} {refuted}");
}

#[test]
fn five_jobs_are_what_branch_and_bound_finds() {
    let mut g = ChaCha8Rng::seed_from_u64(2);
    let mut solved = 0;
    for round in 0..300 {
        let unit = [1, 600][round % 2];
        let goal_text = GOALS[round / 2 % GOALS.len()];
        let Some(instance) = instance(&mut g, goal_text, 5, unit) else { continue };
        let allow = g.random_bool(0.3);
        if !small(&instance, allow) {
            continue;
        }
        let Some(best) = branched(&instance, allow) else { continue };
        let goal = goal(&instance, allow);
        let worth = |schedule: &Schedule| values(&instance, schedule, &goal);
        // From what is known, and from nothing.
        let known = best.as_ref().filter(|_| g.random_bool(0.5));
        let found = exact(&instance, allow, Backend::Microlp, known).schedule;
        match (found, &best) {
            (Some(found), Some(best)) => {
                let (found, best) = (worth(&found), worth(best));
                assert!(same(&found, &best), "{round} {goal}: {found:?} against {best:?}");
                solved += 1;
            }
            (None, None) => {}
            (found, best) => panic!("{round} {goal}: {found:?} against {best:?}"),
        }
    }
    assert!(solved > 80, "{solved}");
}

/// Whatever solver is here says the same.
#[test]
fn solvers_agree() {
    let others = [Backend::Highs, Backend::Cbc, Backend::Glpk];
    for backend in others.into_iter().filter(|backend| backend.ensure().is_ok()) {
        let mut g = ChaCha8Rng::seed_from_u64(3);
        for round in 0..20 {
            let Some(instance) = instance(&mut g, GOALS[round % GOALS.len()], 4, 60) else {
                continue;
            };
            if !small(&instance, round % 3 == 0) {
                continue;
            }
            let run = |backend| exact(&instance, round % 3 == 0, backend, None).schedule;
            let worth = |schedule: Option<Schedule>| {
                schedule
                    .map(|schedule| values(&instance, &schedule, &goal(&instance, round % 3 == 0)))
            };
            let (one, other) = (worth(run(Backend::Microlp)), worth(run(backend)));
            assert!(one.is_some() == other.is_some(), "{round} {backend:?}");
            let (one, other) = (one.unwrap_or_default(), other.unwrap_or_default());
            assert!(same(&one, &other), "{round} {backend:?}: {one:?} {other:?}");
        }
    }
}
