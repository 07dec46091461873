//! Schedules of small random instances, with every feature, against trying everything.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Aim, Figures, Heads, Problem, bounds, prices};
use super::{Finding, Found, Given, QUEUES, Request, solve};
use base::stop::Stop;
use base::threads;
use judge::check::check_schedule;
use judge::metrics::timed_values;
use judge::proof::Proof;
use model::{
    AfterDraft, Ask, Decimal, Draft, Goal, Instance, NodeDraft, NodeId, PairDraft, Plan,
    ResourceDraft, Schedule, TaskDraft, TaskId, Term, When,
};

fn number(x: i64) -> Decimal {
    Decimal::from_integer(x).unwrap()
}

/// What a random instance has.
#[derive(Clone, Copy)]
struct Wish {
    tasks: usize,
    goal: &'static str,
    gangs: bool,
    windows: bool,
    speeds: bool,
    pairs: bool,
    deadlines: bool,
}

fn instance(g: &mut ChaCha8Rng, wish: Wish) -> Instance {
    let resources = ["cpu", "gpu"];
    let nodes = g.random_range(1..=2);
    let mut draft = Draft {
        resources: resources
            .map(|name| ResourceDraft { name: name.to_owned(), ..ResourceDraft::default() })
            .to_vec(),
        goal: Some(Goal::parse(wish.goal).unwrap()),
        one_task_per_node: g.random_bool(0.2),
        ..Draft::default()
    };
    for j in 0..nodes {
        let from = g.random_range(1..4);
        let window = (When::In(from), When::In(from + g.random_range(1..3)));
        draft.nodes.push(NodeDraft {
            id: format!("n{j}"),
            capacity: vec![(0, number(g.random_range(2..5))), (1, number(g.random_range(1..4)))],
            speed: (j > 0 && wish.speeds && g.random_bool(0.7)).then(|| number(2)),
            available_at: (j > 0 && g.random_bool(0.4)).then_some(When::In(1)),
            closed: if wish.windows && g.random_bool(0.5) { vec![window] } else { vec![] },
            price_per_hour: Some(number(3600 * g.random_range(1..3))),
            used: if wish.windows { vec![(0, number(1))] } else { vec![] },
            ending: if wish.windows && g.random_bool(0.7) {
                vec![(When::In(g.random_range(0..5)), vec![(0, number(1))])]
            } else {
                vec![]
            },
            ..NodeDraft::default()
        });
    }
    for k in 0..wish.tasks {
        let after = (0..k).filter(|_| g.random_bool(0.25)).collect::<Vec<_>>();
        let running = k == 0 && g.random_bool(0.2) && !wish.windows;
        let duration = g.random_range(1..4);
        let replicas = (wish.gangs && !running && g.random_bool(0.3)).then_some(2);
        let apart = replicas.is_some() && nodes == 2 && g.random_bool(0.3);
        draft.tasks.push(TaskDraft {
            id: format!("t{k}"),
            demand: vec![(0, number(g.random_range(0..3))), (1, number(g.random_range(0..2)))],
            duration: Some(if running { 8 } else { duration }),
            replicas,
            within: if apart { vec![(Ask::Apart, "node".to_owned())] } else { vec![] },
            weight: g.random_bool(0.3).then(|| number(g.random_range(1..4))),
            release: (!running && g.random_bool(0.3)).then(|| When::In(g.random_range(0..4))),
            due: g.random_bool(0.7).then(|| When::In(g.random_range(1..7))),
            deadline: (wish.deadlines && !running && g.random_bool(0.4))
                .then(|| When::In(g.random_range(7..12))),
            after: if running {
                vec![]
            } else {
                after
                    .into_iter()
                    .map(|other| AfterDraft {
                        task: format!("t{other}"),
                        lag: g.random_range(0..2),
                    })
                    .collect()
            },
            current: if running { vec!["n0".to_owned()] } else { vec![] },
            elapsed: running.then_some(6),
            ..TaskDraft::default()
        });
        if wish.pairs && g.random_bool(0.3) && !running {
            draft.pairs.push(PairDraft {
                task: format!("t{k}"),
                node: "n0".to_owned(),
                duration: Some(g.random_range(1..5)),
                ..PairDraft::default()
            });
        }
    }
    draft.build().unwrap_or_else(|error| panic!("{error:?}"))
}

/// Whether the schedule holds, with everything placed.
fn holds(instance: &Instance, schedule: &Schedule) -> bool {
    check_schedule(instance, schedule, false).is_empty()
}

fn values(instance: &Instance, schedule: &Schedule) -> Vec<f64> {
    timed_values(instance, schedule, instance.goal()).into_iter().map(|tier| tier.value).collect()
}

/// The least values over all nodes and all starts below `horizon` of all jobs.
fn brute(instance: &Instance, horizon: i64) -> Option<Vec<f64>> {
    let jobs: Vec<TaskId> = instance.jobs().collect();
    let mut schedule =
        Schedule { plan: Plan::empty(instance.tasks()), start: vec![None; instance.tasks()] };
    let mut best = None;
    fn go(
        instance: &Instance,
        jobs: &[TaskId],
        horizon: i64,
        schedule: &mut Schedule,
        best: &mut Option<Vec<f64>>,
    ) {
        let Some((job, rest)) = jobs.split_first() else {
            if holds(instance, schedule) {
                let values = values(instance, schedule);
                if best.as_ref().is_none_or(|best| values < *best) {
                    *best = Some(values);
                }
            }
            return;
        };
        let units: Vec<usize> = instance.units(*job).collect();
        let ways = instance.nodes().pow(units.len() as u32);
        let last = if instance.runs_now(*job) { 0 } else { horizon };
        for start in instance.release(*job)..=last {
            for way in 0..ways {
                let mut code = way;
                let mut eligible = true;
                for unit in &units {
                    let node = NodeId::from(code % instance.nodes());
                    code /= instance.nodes();
                    schedule.plan.placement[*unit] = Some(node);
                    schedule.start[*unit] = Some(start);
                    eligible &= instance.eligible(TaskId::from(*unit), node);
                }
                // What is placed so far must hold by itself, what comes after it aside.
                if eligible && partly(instance, schedule) {
                    go(instance, rest, horizon, schedule, best);
                }
            }
        }
        for unit in units {
            schedule.plan.placement[unit] = None;
            schedule.start[unit] = None;
        }
    }
    go(instance, &jobs, horizon, &mut schedule, &mut best);
    best
}

/// No instant at which what is placed takes more than there is: a quick look that only lets
/// brute force end some day.
fn partly(instance: &Instance, schedule: &Schedule) -> bool {
    let runs: Vec<_> = schedule.runs(instance).collect();
    runs.iter().all(|run| {
        let there = || {
            let same = |other: &&model::Run| {
                other.node == run.node && other.start <= run.start && run.start < other.end
            };
            runs.iter().filter(same)
        };
        let used = instance.used_at(run.node, run.start);
        let after = instance.after(run.task).iter().all(|(other, lag)| {
            schedule.end(instance, *other).is_none_or(|end| end + lag <= run.start)
        });
        after
            && there().count() <= instance.max_tasks(run.node) as usize
            && (0..instance.resources().len()).all(|r| {
                let load: i64 = there().map(|o| instance.demand_on(o.task, o.node)[r]).sum();
                load + used[r] <= instance.limit(run.node)[r]
            })
    })
}

fn plan(request: &Request) -> Option<Found> {
    match solve(request, &mut |_| {}).unwrap() {
        Finding::Schedule(found) => Some(*found),
        Finding::None { .. } => None,
    }
}

/// The tiers of an instance of which nothing is left out.
fn proofs(instance: &Instance, found: &Found) -> Vec<Proof> {
    let values = timed_values(instance, &found.schedule, instance.goal());
    let tiers = instance.goal().tiers.iter().zip(values).zip(&found.bounds);
    tiers
        .map(|((tier, value), bound)| Proof::of(instance, tier, value.worth(), bound).unwrap())
        .collect()
}

fn optimal(goal: &[Proof]) -> bool {
    goal.iter().all(|tier| tier.gap == 0.0)
}

fn quick<'a>(instance: &'a Instance, work: u64, stop: &'a Stop) -> Request<'a> {
    Request {
        instance,
        queue: None,
        allow_unplaced: false,
        start: None,
        gap: 0.0,
        seed: 1,
        work,
        stop,
    }
}

const PLAIN: Wish = Wish {
    tasks: 4,
    goal: "makespan",
    gangs: false,
    windows: false,
    speeds: false,
    pairs: false,
    deadlines: false,
};

/// Solves random instances: what is claimed holds, bounds are no higher than the optimum, and it
/// is found.
fn agrees(seed: u64, rounds: usize, wish: Wish) {
    let mut g = ChaCha8Rng::seed_from_u64(seed);
    let (mut solved, stop) = (0, Stop::never());
    for round in 0..rounds {
        let instance = instance(&mut g, wish);
        let finding = solve(&quick(&instance, 20_000_000, &stop), &mut |_| {}).unwrap();
        // Nothing better needs to start after the end of what is there.
        let horizon = match &finding {
            Finding::Schedule(found) => found.schedule.makespan(&instance),
            Finding::None { .. } => 12,
        };
        let best = brute(&instance, horizon);
        match (finding, best) {
            (Finding::Schedule(found), Some(best)) => {
                assert!(holds(&instance, &found.schedule), "{round}: {:?}", found.schedule);
                let goal = proofs(&instance, &found);
                let values = values(&instance, &found.schedule);
                assert_eq!(values, best, "{round} {wish:?}", wish = wish.goal);
                assert!(goal[0].bound <= best[0] + 1e-9, "{round}: bound");
                assert!(optimal(&goal), "{round}: {goal:?}");
                solved += 1;
            }
            (Finding::None { proven, .. }, None) => assert!(proven, "{round}"),
            (finding, best) => panic!("{round}: {finding:?} against {best:?}"),
        }
    }
    assert!(solved > 0, "nothing to solve");
}

#[test]
fn makespan_is_what_brute_force_finds() {
    agrees(1, 40, Wish { windows: true, ..PLAIN });
    agrees(2, 30, Wish { speeds: true, pairs: true, ..PLAIN });
}

#[test]
fn gangs_are_what_brute_force_finds() {
    agrees(3, 25, Wish { tasks: 3, gangs: true, windows: true, ..PLAIN });
}

#[test]
fn sums_are_what_brute_force_finds() {
    for (seed, goal) in (10..).zip(["completion", "tardiness, makespan", "wait", "tardiness"]) {
        agrees(seed, 15, Wish { goal, windows: true, speeds: true, ..PLAIN });
    }
}

#[test]
fn places_are_what_brute_force_finds() {
    for (seed, goal) in
        (20..).zip(["makespan, cost", "cost, makespan", "makespan + 0.5*cost", "nodes, completion"])
    {
        agrees(seed, 15, Wish { goal, speeds: true, ..PLAIN });
    }
}

#[test]
fn deadlines_are_what_brute_force_finds() {
    agrees(30, 25, Wish { deadlines: true, windows: true, ..PLAIN });
    agrees(31, 25, Wish { deadlines: true, goal: "completion", ..PLAIN });
}

#[test]
fn queue_policies_keep_every_rule() {
    let (mut g, stop) = (ChaCha8Rng::seed_from_u64(40), Stop::never());
    for _ in 0..100 {
        let wish = Wish { tasks: 9, gangs: true, windows: true, speeds: true, ..PLAIN };
        let instance = instance(&mut g, wish);
        for (queue, name, _) in QUEUES {
            let request = Request { queue: Some(queue), ..quick(&instance, u64::MAX, &stop) };
            if let Some(found) = plan(&request) {
                let wrong = check_schedule(&instance, &found.schedule, false);
                assert!(wrong.is_empty(), "{name}: {wrong:?}");
                let goal = proofs(&instance, &found);
                assert!(goal[0].bound <= goal[0].value);
            }
        }
    }
}

/// A layered graph on equal nodes, wide enough for the index.
fn layered(g: &mut ChaCha8Rng, tasks: usize, nodes: usize) -> Instance {
    let mut draft = Draft {
        resources: vec![ResourceDraft { name: "cpu".to_owned(), ..ResourceDraft::default() }],
        goal: Some(Goal::single(Term::Makespan)),
        ..Draft::default()
    };
    for j in 0..nodes {
        let capacity = vec![(0, number(8))];
        draft.nodes.push(NodeDraft { id: format!("n{j}"), capacity, ..NodeDraft::default() });
    }
    for k in 0..tasks {
        let layer = k / 20;
        let before = (0..3).filter(|_| layer > 0).map(|_| {
            let other = g.random_range((layer - 1) * 20..layer * 20);
            AfterDraft { task: format!("t{other}"), lag: 0 }
        });
        let mut after: Vec<AfterDraft> = before.collect();
        after.sort_by(|a, b| a.task.cmp(&b.task));
        after.dedup();
        draft.tasks.push(TaskDraft {
            id: format!("t{k}"),
            demand: vec![(0, number(g.random_range(1..8)))],
            duration: Some(g.random_range(1..30)),
            replicas: g.random_bool(0.1).then_some(3),
            after,
            ..TaskDraft::default()
        });
    }
    draft.build().unwrap()
}

#[test]
fn threads_do_not_change_the_schedule() {
    let (mut g, stop) = (ChaCha8Rng::seed_from_u64(50), Stop::never());
    for (tasks, nodes) in [(60, 3), (200, 60)] {
        let instance = layered(&mut g, tasks, nodes);
        let run = |many| {
            let run = || Ok(plan(&quick(&instance, 3_000_000, &stop)).expect("a schedule"));
            threads::on(Some(many), run).unwrap()
        };
        let (one, two) = (run(1), run(2));
        assert_eq!(one.schedule, two.schedule);
        assert_eq!((one.bounds, one.work), (two.bounds, two.work));
        assert!(holds(&instance, &one.schedule));
    }
}

#[test]
fn a_gap_ends_the_search_early_and_is_kept() {
    let (mut g, stop) = (ChaCha8Rng::seed_from_u64(55), Stop::never());
    let mut saved = 0;
    for goal in ["makespan", "completion, nodes", "wait"] {
        let wish = Wish { tasks: 12, goal, gangs: true, speeds: true, ..PLAIN };
        for _ in 0..8 {
            let instance = instance(&mut g, wish);
            let run = |gap| plan(&Request { gap, ..quick(&instance, 2_000_000, &stop) });
            let (Some(wide), Some(none)) = (run(0.25), run(0.0)) else { continue };
            assert!(holds(&instance, &wide.schedule));
            assert!(wide.work <= none.work);
            let goal = proofs(&instance, &wide);
            let within = goal.iter().all(|tier| tier.gap <= 0.25);
            assert!(within || wide.work == none.work, "{goal:?}");
            saved += usize::from(within && !optimal(&goal));
        }
    }
    assert!(saved > 0, "some stop before they are proven");
}

#[test]
fn a_schedule_given_is_never_lost() {
    let (mut g, stop) = (ChaCha8Rng::seed_from_u64(57), Stop::never());
    for goal in ["makespan", "completion, nodes", "tardiness"] {
        let wish = Wish { tasks: 8, goal, gangs: true, windows: true, pairs: true, ..PLAIN };
        for _ in 0..12 {
            let instance = instance(&mut g, wish);
            let Some(best) = plan(&quick(&instance, 1_000_000, &stop)) else { continue };
            let from = |schedule: Schedule, holds| {
                let start = Some(Given { schedule, holds });
                plan(&Request { start, ..quick(&instance, 1, &stop) }).expect("a schedule")
            };
            let again = from(best.schedule.clone(), true);
            assert!(holds(&instance, &again.schedule));
            assert!(values(&instance, &again.schedule) <= values(&instance, &best.schedule));
            assert!(!again.set_aside);
            // Nodes alone, and starts that cannot be.
            let early =
                Schedule { start: vec![Some(-7); instance.tasks()], ..best.schedule.clone() };
            for broken in [Schedule::from(best.schedule.plan), early] {
                assert!(holds(&instance, &from(broken, false).schedule));
            }
        }
    }
}

#[test]
fn the_index_finds_what_looking_everywhere_finds() {
    use super::goal::Aim;
    use super::problem::{NEVER, Problem};
    use super::serial::{Builder, Recipe};
    let mut g = ChaCha8Rng::seed_from_u64(60);
    let instance = layered(&mut g, 300, 60);
    let p = Problem::new(&instance, false);
    let aim = Aim::new(&p, false);
    let order: Vec<u32> = p.topological.clone();
    let recipe = Recipe { order, ..Recipe::default() };
    let mut with = Builder::new(&p);
    with.build(&recipe, &aim);
    let mut without = Builder::new(&p);
    without.forget_index();
    without.build(&recipe, &aim);
    assert!(with.end.iter().all(|end| *end < NEVER));
    assert_eq!(with.end, without.end);
}

#[test]
fn what_cannot_be_placed_is_left_out_with_what_follows() {
    let (mut g, stop) = (ChaCha8Rng::seed_from_u64(70), Stop::never());
    for _ in 0..60 {
        let wish = Wish { deadlines: true, windows: true, tasks: 8, goal: "makespan", ..PLAIN };
        let instance = instance(&mut g, wish);
        let request = Request { allow_unplaced: true, ..quick(&instance, 2_000_000, &stop) };
        let found = plan(&request).expect("a schedule");
        let wrong = check_schedule(&instance, &found.schedule, true);
        assert!(wrong.is_empty(), "{wrong:?}");
        assert_eq!(found.unplaced.len(), found.schedule.plan.unplaced().count());
    }
}

#[test]
fn parallel_machines_end_when_brute_force_says() {
    let (mut g, stop) = (ChaCha8Rng::seed_from_u64(80), Stop::never());
    for _ in 0..150 {
        let (n, m) = (g.random_range(1..9), g.random_range(1..4usize));
        let top = [4, 30, 1000][g.random_range(0..3)];
        let seconds: Vec<i64> = (0..n).map(|_| g.random_range(1..=top)).collect();
        let free: Vec<i64> = (0..m).map(|_| g.random_range(0..3) * top / 4).collect();
        let mut draft = Draft {
            goal: Some(Goal::single(Term::Makespan)),
            one_task_per_node: true,
            resources: vec![ResourceDraft { name: "cpu".to_owned(), ..ResourceDraft::default() }],
            ..Draft::default()
        };
        for (k, seconds) in seconds.iter().enumerate() {
            let duration = Some(*seconds);
            draft.tasks.push(TaskDraft { id: format!("t{k}"), duration, ..TaskDraft::default() });
        }
        for (j, free) in free.iter().enumerate() {
            let available_at = Some(When::In(*free));
            let id = format!("n{j}");
            draft.nodes.push(NodeDraft { id, available_at, ..NodeDraft::default() });
        }
        let instance = draft.build().unwrap();
        let mut best = i64::MAX;
        for code in 0..m.pow(n as u32) {
            let (mut code, mut end) = (code, free.clone());
            let mut last = 0;
            for seconds in &seconds {
                end[code % m] += seconds;
                last = last.max(end[code % m]);
                code /= m;
            }
            best = best.min(last);
        }
        let found = plan(&quick(&instance, 20_000_000, &stop)).expect("a schedule");
        assert!(holds(&instance, &found.schedule));
        let goal = proofs(&instance, &found);
        assert_eq!(goal[0].value, best as f64, "{seconds:?} {free:?}");
        assert!(optimal(&goal), "{seconds:?} {free:?} {goal:?}");
    }
}

/// Bounds before they are held against a schedule: none is above what some schedule has.
#[test]
fn no_bound_is_above_a_schedule() {
    let (mut g, stop) = (ChaCha8Rng::seed_from_u64(77), Stop::never());
    let (mut priced, mut positive) = (0, 0);
    for round in 0..200 {
        let goal =
            ["completion", "wait", "tardiness", "makespan", "2*completion + wait"][round % 5];
        let tasks = g.random_range(2..10);
        let wish =
            Wish { goal, tasks, gangs: true, windows: true, speeds: true, pairs: true, ..PLAIN };
        let instance = instance(&mut g, wish);
        let Some(found) = plan(&quick(&instance, 300_000, &stop)) else { continue };
        let p = Problem::new(&instance, false);
        let (aim, figures) = (Aim::new(&p, false), Figures::of(&p));
        let (heads, never) = Heads::of(&p);
        let value = values(&instance, &found.schedule)[0];
        let tier = &aim.goal.tiers[0];
        let counted = &bounds::bounds(&p, &aim, &figures, &heads, &never)[0];
        assert!(
            counted.value <= value + 1e-9,
            "{goal}: {} > {value}, {}",
            counted.value,
            counted.why
        );
        let end = instance.horizon();
        let mut work = 0;
        let factor = instance.weight_scale().factor();
        let known = (value / factor, end);
        let bound = prices::bound(&p, &heads, tier, known, (&mut work, u64::MAX), &stop);
        assert_eq!(bound.is_some(), goal != "makespan");
        if let Some(bound) = bound.map(|bound| bound * factor) {
            assert!(bound <= value + 1e-6, "{goal}: {bound} > {value} in round {round}");
            priced += 1;
            positive += usize::from(bound > 0.9 * value && value > 0.0);
        }
    }
    assert!(priced > 50 && positive > 10, "{priced} bounds, {positive} of them near");
}
