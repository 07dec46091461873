//! Plans in time with every feature mixed, on random tiny instances: what every method claims, held
//! against all placements and all starts, by the checker alone.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rustc_hash::FxHashSet;
use serde_json::{Map, Value, json};
use stowplan::check::{Violation, check_schedule};
use stowplan::format::{Input, Source, read_instance};
use stowplan::metrics::timed_values;
use stowplan::model::{Goal, Instance, NodeId, Plan, Schedule, TaskId};
use stowplan::solve::{Answer, Method, Params, solve};

/// Instances a run, and of how many the integer program takes one; `STOWPLAN_MIXED` is another
/// number.
const CASES: u64 = 400;
const EXACT: u64 = 4;
/// Combinations that brute force takes on.
const WAYS: f64 = 60_000.0;

fn instance(file: &Value) -> Option<Instance> {
    let bytes = serde_json::to_vec(file).ok()?;
    let instance =
        read_instance(&Input::One(Source { name: "i.json".into(), bytes }), None).ok()?;
    (instance.is_timed() && instance.check_times().is_ok()).then_some(instance)
}

fn chance(g: &mut impl Rng, part: f64) -> bool {
    g.random_bool(part)
}

fn one<'a>(g: &mut impl Rng, of: &[&'a str]) -> &'a str {
    of[g.random_range(0..of.len())]
}

fn goal(g: &mut impl Rng) -> String {
    let timed = ["makespan", "completion", "tardiness", "wait"];
    let mut terms: Vec<&str> = vec![one(g, &timed)];
    let others =
        ["makespan", "completion", "tardiness", "wait", "cost", "nodes", "soft", "moves", "moved"];
    for _ in 0..g.random_range(0..3) {
        let term = if chance(g, 0.03) { "peak" } else { one(g, &others) };
        if !terms.contains(&term) {
            terms.insert(g.random_range(0..=terms.len()), term);
        }
    }
    let mut text = String::new();
    for (k, term) in terms.iter().enumerate() {
        if k > 0 {
            text += one(g, &[", ", ", ", " + "]);
        }
        text += one(g, &["", "", "", "2*", "0.3*"]);
        text += term;
        if chance(g, 0.1) && k + 1 < terms.len() {
            text += &format!(" <= {}, ", g.random_range(0..9));
            text = text.trim_end_matches(", ").to_owned();
        }
    }
    // A limit ends its tier.
    let mut fixed = String::new();
    for (k, part) in text.split(" + ").enumerate() {
        if k > 0 {
            let limited = fixed.rsplit(", ").next().is_some_and(|tier| tier.contains("<="));
            fixed += if limited { ", " } else { " + " };
        }
        fixed += part;
    }
    fixed
}

/// A random instance as a file; which features it has is drawn first, so that few meet at a time
/// and every pair of them meets often.
fn draw(g: &mut ChaCha8Rng) -> Value {
    let mut on = |part: f64| chance(g, part);
    let (speeds, windows, ending, pairs, lags) = (on(0.3), on(0.35), on(0.3), on(0.3), on(0.5));
    let (rules, gangs, running, moves, labels) = (on(0.55), on(0.3), on(0.35), on(0.4), on(0.6));
    let (weights, dues, deadlines, cards, prices) = (on(0.4), on(0.6), on(0.4), on(0.15), on(0.4));
    let (limits, states, priorities, alone) = (on(0.3), on(0.1), on(0.3), on(0.15));
    let m = g.random_range(1..=3);
    let mut nodes = Vec::new();
    for j in 0..m {
        let mut node = Map::new();
        let mut set = |key: &str, value: Value| node.insert(key.to_owned(), value);
        set("id", json!(format!("n{j}")));
        let mut capacity = Map::new();
        if chance(g, 0.9) {
            capacity.insert("cpu".into(), json!(g.random_range(1..=4)));
        }
        if cards {
            capacity.insert("gpu".into(), json!(g.random_range(0..=2)));
        }
        set("capacity", Value::Object(capacity));
        if labels && chance(g, 0.8) {
            set("labels", json!({"z": one(g, &["a", "b"])}));
        }
        if speeds && chance(g, 0.6) {
            set("speed", json!(one(g, &["0.5", "2", "1.5"]).parse::<f64>().unwrap()));
        }
        if windows && chance(g, 0.4) {
            set("available_at", json!(g.random_range(0..3)));
        }
        if windows && chance(g, 0.5) {
            let from = g.random_range(1..5);
            set("closed", json!([{"from": from, "to": from + g.random_range(1..3)}]));
        }
        if ending && chance(g, 0.7) {
            let (there, at) = (g.random_range(1..3), g.random_range(0..5));
            set("used", json!({"cpu": there}));
            set("ending", json!([{"at": at, "used": {"cpu": 1}}]));
        }
        if prices {
            set("price", json!(g.random_range(0..3)));
            set("price_per_hour", json!(3600 * g.random_range(0..3)));
        }
        if limits && chance(g, 0.6) {
            set("max_tasks", json!(g.random_range(1..=2)));
        }
        if limits && chance(g, 0.2) {
            set("reserve", json!({"cpu": 1}));
        }
        if states && chance(g, 0.4) {
            set("state", json!(one(g, &["drain", "down"])));
        }
        nodes.push(Value::Object(node));
    }
    let n = g.random_range(2..=4);
    let mut tasks = Vec::new();
    let mut over = vec![];
    for k in 0..n {
        let mut task = Map::new();
        let mut set = |key: &str, value: Value| task.insert(key.to_owned(), value);
        set("id", json!(format!("t{k}")));
        let mut demand = Map::new();
        demand.insert("cpu".into(), json!(g.random_range(0..=2)));
        if cards && chance(g, 0.6) {
            demand.insert("gpu".into(), json!(one(g, &["0.5", "1", "0.4", "0.6"])));
        }
        set("demand", Value::Object(demand));
        let now = running && chance(g, 0.5);
        let duration = g.random_range(1..=3);
        set("duration", json!(duration + i64::from(now)));
        let mut units = 1;
        if gangs && chance(g, 0.5) {
            units = 2;
            set("replicas", json!(2));
            let over = if labels { one(g, &["node", "z"]) } else { "node" };
            match g.random_range(0..5) {
                0 => drop(set("together", json!(over))),
                1 => drop(set("apart", json!(over))),
                2 => drop(set("spread", json!({"over": over, "at_least": 2}))),
                3 => drop(set("spread", json!({"over": over, "max_skew": g.random_range(0..2)}))),
                _ => {}
            }
        }
        let at = |g: &mut ChaCha8Rng| format!("n{}", g.random_range(0..m));
        if now {
            set("elapsed", json!(g.random_range(0..=1)));
        }
        if now || (moves && chance(g, 0.6)) {
            let at: Vec<String> = (0..units).map(|_| at(g)).collect();
            set("node", if units == 1 { json!(at[0]) } else { json!(at) });
            if chance(g, 0.2) {
                set("pinned", json!(true));
            }
            if chance(g, 0.3) {
                set("move_cost", json!(g.random_range(0..4)));
            }
        }
        if !now && chance(g, 0.25) {
            set("release", json!(g.random_range(0..4)));
        }
        if dues && chance(g, 0.7) {
            set("due", json!(g.random_range(1..7)));
        }
        if deadlines && chance(g, 0.6) {
            set("deadline", json!(g.random_range(3..9)));
        }
        if !now && lags && k > 0 && chance(g, 0.5) {
            let other = format!("t{}", g.random_range(0..k));
            set("after", json!([{"task": other, "lag": g.random_range(0..2)}]));
        }
        if weights && chance(g, 0.6) {
            set("weight", json!(one(g, &["0", "2", "0.5", "3"]).parse::<f64>().unwrap()));
        }
        if priorities && chance(g, 0.5) {
            set("priority", json!(g.random_range(0..2)));
        }
        if labels && chance(g, 0.2) {
            set(one(g, &["requires", "avoid"]), json!({"z": one(g, &["a", "b"])}));
        }
        if labels && chance(g, 0.2) {
            set(
                "prefers",
                json!([{"labels": {"z": one(g, &["a", "b"])}, "weight": g.random_range(1..3)}]),
            );
        }
        if pairs && chance(g, 0.4) {
            let mut pair = Map::new();
            pair.insert("task".into(), json!(format!("t{k}")));
            pair.insert("node".into(), json!(at(g)));
            pair.insert("duration".into(), json!(g.random_range(1..=4)));
            if chance(g, 0.4) {
                pair.insert("demand".into(), json!({"cpu": g.random_range(0..=2)}));
            }
            if chance(g, 0.4) {
                pair.insert("cost".into(), json!(g.random_range(0..4)));
            }
            over.push(Value::Object(pair));
        }
        tasks.push(Value::Object(task));
    }
    let mut asked = Vec::new();
    for _ in 0..if rules { g.random_range(1..=2) } else { 0 } {
        let first = g.random_range(0..n - 1);
        let second = g.random_range(first + 1..n);
        let mut whom = vec![format!("t{first}"), format!("t{second}")];
        let over = if labels { one(g, &["node", "z"]) } else { "node" };
        let kinds = ["near", "near", "together", "apart", "spread", "spread", "gang", "limit"];
        let kind = one(g, &kinds);
        let mut rule = Map::new();
        rule.insert("rule".into(), json!(kind));
        if kind == "near" {
            if chance(g, 0.5) {
                whom.reverse();
            }
            let others = whom.split_off(1);
            rule.insert("near".into(), json!(others));
        } else if n > 2 && chance(g, 0.4) {
            whom = (0..n).map(|k| format!("t{k}")).collect();
        }
        if kind == "spread" {
            match g.random_range(0..4) {
                0 => rule.insert("at_least".into(), json!(2)),
                1 => rule.insert("at_most".into(), json!(1)),
                _ => rule.insert("max_skew".into(), json!(g.random_range(0..2))),
            };
            if chance(g, 0.3) {
                let value = if over == "node" { "n0" } else { "a" };
                rule.insert("present".into(), json!({value: 1}));
            }
        }
        if kind == "limit" {
            rule.insert("resource".into(), json!(one(g, &["tasks", "cpu"])));
            rule.insert("at_most".into(), json!(g.random_range(0..=3)));
            if chance(g, 0.4) {
                rule.insert("when".into(), json!("always"));
            } else if chance(g, 0.3) {
                let step = |from: i64, most: i64| json!({"from": from, "at_most": most});
                let (first, second) = (g.random_range(0..4), g.random_range(0..4));
                rule.insert("later".into(), json!([step(1, first), step(3, second)]));
            }
        }
        if kind == "gang" && chance(g, 0.5) {
            rule.insert("when".into(), json!("as-one"));
        }
        if kind != "gang" && (kind != "limit" || chance(g, 0.6)) {
            rule.insert("over".into(), json!(over));
        }
        rule.insert("tasks".into(), json!(whom));
        asked.push(Value::Object(rule));
    }
    let mut file = json!({"nodes": nodes, "tasks": tasks, "goal": goal(g)});
    if cards {
        file["resources"] = json!({"cpu": {}, "gpu": {"devices": true}});
    }
    if alone {
        file["one_task_per_node"] = json!(true);
    }
    if !over.is_empty() {
        file["pairs"] = Value::Array(over);
    }
    if !asked.is_empty() {
        file["rules"] = Value::Array(asked);
    }
    file
}

/// A start with a node for each unit.
type Choice = (i64, Vec<NodeId>);

/// The values of every schedule that holds: of each as the goal's tiers say.
struct All<'a> {
    instance: &'a Instance,
    allow: bool,
    goal: &'a Goal,
    /// By job: its first task, and where and when it may run by itself.
    jobs: Vec<(TaskId, Vec<Choice>)>,
    schedule: Schedule,
    values: FxHashSet<Vec<u64>>,
}

impl<'a> All<'a> {
    /// `None` where there are too many.
    fn of(instance: &'a Instance, goal: &'a Goal, allow: bool) -> Option<Vec<Vec<f64>>> {
        let tasks = instance.tasks();
        let schedule = Schedule { plan: Plan::empty(tasks), start: vec![None; tasks] };
        let values = FxHashSet::default();
        let mut all = All { instance, allow, goal, jobs: Vec::new(), schedule, values };
        let mut ways = 1.0;
        for job in instance.jobs() {
            let options = all.options(job);
            ways *= (options.len() + usize::from(allow)) as f64;
            all.jobs.push((job, options));
        }
        if ways > WAYS {
            return None;
        }
        all.go(0);
        let read = |value: &Vec<u64>| value.iter().map(|bits| f64::from_bits(*bits)).collect();
        Some(all.values.iter().map(read).collect())
    }

    /// Where and when the job may run if there is nothing else.
    fn options(&mut self, job: TaskId) -> Vec<(i64, Vec<NodeId>)> {
        let units: Vec<usize> = self.instance.units(job).collect();
        let mut options = Vec::new();
        let others = |violation: &Violation| match violation {
            Violation::Rule { .. } => true,
            Violation::Time { code, .. } => *code == "after",
            _ => false,
        };
        for code in 0..self.instance.nodes().pow(units.len() as u32) {
            let nodes = self.instance.nodes();
            let way: Vec<NodeId> = (0..units.len() as u32)
                .map(|k| NodeId::from(code / nodes.pow(k) % nodes))
                .collect();
            for start in 0..=self.instance.horizon() {
                self.set(job, Some((start, &way)));
                if check_schedule(self.instance, &self.schedule, true).iter().all(others) {
                    options.push((start, way.clone()));
                }
            }
        }
        self.set(job, None);
        options
    }

    fn set(&mut self, job: TaskId, to: Option<(i64, &[NodeId])>) {
        for (k, unit) in self.instance.units(job).enumerate() {
            self.schedule.start[unit] = to.map(|(start, _)| start);
            self.schedule.plan.placement[unit] = to.map(|(_, way)| way[k]);
        }
    }

    fn go(&mut self, at: usize) {
        let Some((job, options)) = self.jobs.get(at).cloned() else {
            self.deal(0);
            return;
        };
        for (start, way) in &options {
            self.set(job, Some((*start, way)));
            if self.may_hold(job) {
                self.go(at + 1);
            }
        }
        self.set(job, None);
        if self.allow {
            self.go(at + 1);
        }
    }

    /// Whether what is there has room and comes after what it must: jobs come in that order.
    fn may_hold(&self, job: TaskId) -> bool {
        let instance = self.instance;
        let start = self.schedule.start[job.index()].unwrap();
        let ended = instance.units(job).flat_map(|unit| instance.after(TaskId::from(unit))).all(
            |(other, lag)| {
                self.schedule.end(instance, *other).is_some_and(|end| end + lag <= start)
            },
        );
        let runs: Vec<_> = self.schedule.runs(instance).collect();
        ended
            && runs.iter().all(|run| {
                let now = runs.iter().filter(|other| {
                    other.node == run.node && other.start <= run.start && run.start < other.end
                });
                let used = instance.used_at(run.node, run.start);
                now.clone().count() <= instance.max_tasks(run.node) as usize
                    && (0..used.len()).all(|r| {
                        let more: i64 =
                            now.clone().map(|o| instance.demand_on(o.task, o.node)[r]).sum();
                        more == 0 || used[r] + more <= instance.limit(run.node)[r]
                    })
            })
    }

    /// Every way to deal out cards to the tasks from `task` on.
    fn deal(&mut self, task: usize) {
        let devices = self.instance.devices();
        if task < self.instance.tasks() && !devices.is_empty() {
            if task == 0 {
                self.schedule.plan.cards = vec![0; self.instance.tasks() * devices.len()];
            }
            let Some(node) = self.schedule.plan.placement[task] else { return self.deal(task + 1) };
            let device = devices[0];
            let demand = self.instance.demand_on(TaskId::from(task), node)[device.resource];
            let wanted = (demand + device.card - 1) / device.card;
            let cards = self.instance.free_cards(node, device).len();
            for set in 0..1u64 << cards {
                if i64::from(set.count_ones()) == wanted {
                    self.schedule.plan.cards[task] = set as _;
                    self.deal(task + 1);
                }
            }
            self.schedule.plan.cards[task] = 0;
            return;
        }
        if check_schedule(self.instance, &self.schedule, self.allow).is_empty() {
            let values = timed_values(self.instance, &self.schedule, self.goal);
            self.values.insert(values.iter().map(|tier| tier.value.to_bits()).collect());
        }
    }
}

fn less(a: &[f64], b: &[f64]) -> bool {
    let far = |(a, b): &(&f64, &f64)| (*a - *b).abs() > 1e-9 * (1.0 + b.abs());
    a.iter().zip(b).find(far).is_some_and(|(a, b)| a < b)
}

/// What was seen, for the counts at the end.
#[derive(Default, Debug)]
struct Seen {
    optimal: usize,
    open: usize,
    refuted: usize,
    nothing: usize,
    refused: usize,
}

/// Holds what a method claims against all there is.
fn judge(
    instance: &Instance,
    all: &[Vec<f64>],
    (method, allow): (&str, bool),
    seen: &mut Seen,
) -> Result<(), String> {
    let params = Params {
        method: Method::parse(method).unwrap(),
        work_limit: Some(300_000),
        time_limit: std::time::Duration::from_secs(600),
        threads: Some(1),
        allow_unplaced: allow,
        ..Params::default()
    };
    let answer = match solve(instance, &params) {
        Err(error) if error.kind == stowplan::error::Kind::Usage => {
            seen.refused += 1;
            return Ok(());
        }
        Err(error) => return Err(format!("{method}: {error:?}")),
        Ok(answer) => answer,
    };
    let best = all.iter().fold(None, |best: Option<&Vec<f64>>, values| match best {
        Some(best) if !less(values, best) => Some(best),
        _ => Some(values),
    });
    match (answer, best) {
        (Answer::NoPlan(none), Some(best)) => {
            seen.nothing += 1;
            match none.proven {
                true => Err(format!("{method}: `{}`, and {best:?} is there", none.cause)),
                false if method == "auto" => Err(format!("auto finds nothing, {best:?} is there")),
                false => Ok(()),
            }
        }
        (Answer::NoPlan(none), None) => {
            seen.refuted += usize::from(none.proven);
            Ok(())
        }
        (Answer::Plan(plan), None) => Err(format!("{method}: a plan where none is: {plan:?}")),
        (Answer::Plan(plan), Some(best)) => {
            let values: Vec<f64> = plan.goal.iter().map(|tier| tier.value).collect();
            if less(&values, best) {
                return Err(format!("{method}: {values:?} is better than the best {best:?}"));
            }
            if plan.optimal && less(best, &values) {
                return Err(format!("{method}: {values:?} is called optimal, {best:?} is"));
            }
            for (k, tier) in plan.goal.iter().enumerate() {
                let keeps = all.iter().filter(|other| !less(&values[..k], &other[..k]));
                let least = keeps.map(|other| other[k]).fold(f64::INFINITY, f64::min);
                if tier.bound > least + 1e-9 * (1.0 + least.abs()) {
                    let (bound, why) = (tier.bound, &tier.why);
                    return Err(format!(
                        "{method}: bound {bound} ({why}) above {least} of {}",
                        tier.tier
                    ));
                }
            }
            seen.optimal += usize::from(plan.optimal);
            seen.open += usize::from(!plan.optimal);
            Ok(())
        }
    }
}

/// What is wrong with what any method says of the instance; `None` where brute force cannot tell.
fn wrong(file: &Value, methods: &[&str], seen: &mut Seen) -> Option<Option<String>> {
    let instance = instance(file)?;
    for allow in [false, true] {
        let goal = if allow {
            instance.goal().with_unplaced_first(&instance.priorities())
        } else {
            instance.goal().clone()
        };
        let all = All::of(&instance, &goal, allow)?;
        for method in methods {
            if let Err(what) = judge(&instance, &all, (method, allow), seen) {
                return Some(Some(format!("allow_unplaced {allow}: {what}")));
            }
        }
    }
    Some(None)
}

/// The smallest instance that is still wrong: parts are left out as long as that is so.
fn shrunk(file: &Value, methods: &[&str]) -> Value {
    fn parts(value: &Value, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
        let keys: Vec<String> = match value {
            Value::Object(map) => map.keys().cloned().collect(),
            Value::Array(list) => (0..list.len()).map(|k| k.to_string()).collect(),
            _ => return,
        };
        for key in keys {
            path.push(key.clone());
            found.push(path.clone());
            let inner = match value {
                Value::Array(list) => &list[key.parse::<usize>().unwrap()],
                _ => &value[&key],
            };
            parts(inner, path, found);
            path.pop();
        }
    }
    fn without(value: &Value, path: &[String]) -> Value {
        let mut value = value.clone();
        let pointer: String = path[..path.len() - 1].iter().map(|p| format!("/{p}")).collect();
        match value.pointer_mut(&pointer) {
            Some(Value::Object(map)) => drop(map.remove(&path[path.len() - 1])),
            Some(Value::Array(list)) => drop(list.remove(path[path.len() - 1].parse().unwrap())),
            _ => {}
        }
        value
    }
    let mut file = file.clone();
    loop {
        let mut all = Vec::new();
        parts(&file, &mut Vec::new(), &mut all);
        let smaller = all.iter().map(|path| without(&file, path));
        let still =
            |file: &Value| matches!(wrong(file, methods, &mut Seen::default()), Some(Some(_)));
        match smaller.into_iter().find(still) {
            Some(smaller) => file = smaller,
            None => return file,
        }
    }
}

#[test]
fn what_methods_claim_of_plans_in_time_is_true() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let cases = number("STOWPLAN_MIXED").unwrap_or(CASES);
    let from = number("STOWPLAN_MIXED_FROM").unwrap_or(0);
    let (mut judged, mut seen, mut faults) = (0, Seen::default(), Vec::new());
    let queues = ["fifo", "priority", "shortest", "weighted", "easy", "conservative"];
    for seed in from..from + cases {
        let file = draw(&mut ChaCha8Rng::seed_from_u64(seed));
        let mut methods = vec!["auto", queues[seed as usize % queues.len()]];
        if seed % EXACT == 0 {
            methods.push("ilp");
        }
        let Some(what) = wrong(&file, &methods, &mut seen) else { continue };
        judged += 1;
        if let Some(what) = what {
            let small = shrunk(&file, &methods);
            let still = wrong(&small, &methods, &mut Seen::default()).flatten();
            eprintln!("{seed}: {what}\n  {}\n  {small}", still.unwrap_or_default());
            faults.push(seed);
        }
    }
    eprintln!("{judged} judged of {cases}: {seen:?}");
    assert!(faults.is_empty(), "{} false claims: {faults:?}", faults.len());
    assert!(judged * 4 > cases && seen.optimal as u64 > judged, "{judged} {seen:?}");
}

/// An instance, what its best schedule is worth, and that where tasks may be left out.
type Known = (&'static str, Option<&'static [f64]>, &'static [f64]);

/// Instances of which false things were said once, with the right values: of schedules with
/// everything, where there are any, and of those that may leave something out.
const KNOWN: [Known; 24] = [
    // A task starts before the one that it wants to be near.
    (
        r#"{"rules": [{"rule": "near", "tasks": ["t2"], "over": "node", "near": ["t1"]}], "nodes": [{"id": "n1", "capacity": {"cpu": 4}}], "tasks": [{"id": "t1", "demand": {"cpu": 1}, "duration": 2}, {"id": "t2", "demand": {"cpu": 4}, "duration": 1}], "goal": "wait"}"#,
        Some(&[1.0]),
        &[0.0, 1.0],
    ),
    // The same under a sum.
    (
        r#"{"rules": [{"rule": "near", "tasks": ["t0"], "over": "node", "near": ["t2"]}], "nodes": [{"id": "n1", "capacity": {"cpu": 2}}], "tasks": [{"id": "t0", "demand": {"cpu": 1}, "duration": 1}, {"id": "t2", "demand": {"cpu": 2}, "duration": 2}], "goal": "completion + 3*makespan"}"#,
        Some(&[13.0]),
        &[0.0, 13.0],
    ),
    // The same over a label.
    (
        r#"{"rules": [{"rule": "near", "tasks": ["t1"], "over": "z", "near": ["t2"]}], "nodes": [{"id": "n1", "capacity": {"cpu": 4}, "labels": {"z": "b"}}], "tasks": [{"id": "t1", "demand": {"cpu": 1}, "duration": 1}, {"id": "t2", "demand": {"cpu": 4}, "duration": 2}], "goal": "wait"}"#,
        Some(&[1.0]),
        &[0.0, 1.0],
    ),
    // Near itself.
    (
        r#"{"goal": "completion", "nodes": [{"id": "n1", "capacity": {"cpu": 0}}], "tasks": [{"id": "t0", "duration": 1, "group": "p"}], "rules": [{"rule": "near", "tasks": ["t0"], "near_group": "p"}]}"#,
        Some(&[1.0]),
        &[0.0, 1.0],
    ),
    // Near what comes last.
    (
        r#"{"goal": "completion", "nodes": [{"id": "n2", "capacity": {"cpu": 6}}], "tasks": [{"id": "t0", "demand": {"cpu": 4}, "duration": 1}, {"id": "t1", "demand": {"cpu": 3}, "duration": 1}, {"id": "t2", "demand": {"cpu": 3}, "duration": 1}], "rules": [{"rule": "near", "tasks": ["t1", "t2"], "near": ["t0"]}]}"#,
        Some(&[4.0]),
        &[0.0, 4.0],
    ),
    // Near over zones.
    (
        r#"{"goal": "makespan", "nodes": [{"id": "n0", "capacity": {"cpu": 3}, "available_at": 1, "labels": {"zone": "b"}}, {"id": "n1", "capacity": {"cpu": 3}, "labels": {"zone": "b"}}], "tasks": [{"id": "t1", "demand": {"cpu": 3}, "duration": 1, "group": "p"}, {"id": "t2", "demand": {"cpu": 1}, "duration": 2}], "rules": [{"rule": "near", "tasks": ["t2"], "over": "zone", "near_group": "p"}]}"#,
        Some(&[2.0]),
        &[0.0, 2.0],
    ),
    // Together, and one of the two has no node.
    (
        r#"{"rules": [{"rule": "together", "tasks": ["t0", "t2"], "over": "z"}], "nodes": [{"id": "n1", "capacity": {"cpu": 1}, "labels": {"z": "b"}}], "tasks": [{"id": "t0", "duration": 1, "avoid": {"z": "b"}}, {"id": "t2", "duration": 1}], "goal": "0.5*makespan + 3*nodes"}"#,
        None,
        &[1.0, 3.5],
    ),
    // The same with a third.
    (
        r#"{"goal": "makespan", "nodes": [{"id": "n0", "capacity": {"cpu": 0}}], "tasks": [{"id": "t0", "duration": 1, "key": "l"}, {"id": "t1", "duration": 1}, {"id": "t2", "duration": 1, "requires": {"kind": "y"}, "key": "l"}], "rules": [{"rule": "together", "each": "key"}]}"#,
        None,
        &[1.0, 1.0],
    ),
    // Tardiness on two machines.
    (
        r#"{"nodes": [{"id": "n0", "capacity": {"cpu": 4}, "max_tasks": 1}, {"id": "n1", "capacity": {"cpu": 4}, "max_tasks": 1}], "tasks": [{"id": "t0", "duration": 3, "due": 7}, {"id": "t1", "duration": 6, "due": 5}, {"id": "t3", "duration": 3, "due": 5}], "goal": "tardiness"}"#,
        Some(&[1.0]),
        &[0.0, 1.0],
    ),
    // The same, six tasks.
    (
        r#"{"nodes": [{"id": "n0", "capacity": {"cpu": 1}, "max_tasks": 1}, {"id": "n1", "capacity": {"cpu": 1}, "max_tasks": 1}], "tasks": [{"id": "t0", "demand": {"cpu": 1}, "duration": 9, "due": 17}, {"id": "t1", "demand": {"cpu": 1}, "duration": 5, "due": 11}, {"id": "t2", "demand": {"cpu": 1}, "duration": 7, "due": 16}, {"id": "t3", "demand": {"cpu": 1}, "duration": 6, "due": 6}, {"id": "t4", "demand": {"cpu": 1}, "duration": 4, "due": 15}, {"id": "t5", "demand": {"cpu": 1}, "duration": 1, "due": 1}], "goal": "tardiness"}"#,
        Some(&[0.0]),
        &[0.0, 0.0],
    ),
    // The same, by capacity.
    (
        r#"{"nodes": [{"id": "n", "capacity": {"cpu": 1}}, {"id": "m", "capacity": {"cpu": 1}}], "tasks": [{"id": "a", "demand": {"cpu": 1}, "duration": 1, "due": 1}, {"id": "b", "demand": {"cpu": 1}, "duration": 1, "due": 2}, {"id": "c", "demand": {"cpu": 1}, "duration": 2, "due": 2}], "goal": "tardiness"}"#,
        Some(&[0.0]),
        &[0.0, 0.0],
    ),
    // What weighs nothing is left out at will.
    (
        r#"{"nodes": [{"id": "n1", "capacity": {"cpu": 1}}], "tasks": [{"id": "t3", "duration": 1, "weight": 0}], "goal": "makespan + 0.3*nodes"}"#,
        Some(&[1.3]),
        &[0.0, 0.0],
    ),
    // The same.
    (
        r#"{"nodes": [{"id": "n1", "capacity": {"cpu": 1}}], "tasks": [{"id": "t1", "duration": 1, "weight": 0}], "goal": "makespan"}"#,
        Some(&[1.0]),
        &[0.0, 0.0],
    ),
    // The same.
    (
        r#"{"goal": "wait + nodes + cost", "nodes": [{"id": "n2", "capacity": {"cpu": 0}}], "tasks": [{"id": "t0", "duration": 1, "weight": 0}]}"#,
        Some(&[1.0]),
        &[0.0, 0.0],
    ),
    // What runs now breaks a rule together.
    (
        r#"{"rules": [{"rule": "spread", "tasks": ["t0", "t1"], "over": "node", "at_most": 1}], "nodes": [{"id": "n0", "capacity": {}}, {"id": "n1", "capacity": {"cpu": 5}, "max_tasks": 2, "labels": {"z": "b"}}], "tasks": [{"id": "t0", "duration": 6, "node": "n1", "elapsed": 2}, {"id": "t1", "duration": 4, "node": "n0", "elapsed": 2}], "goal": "0.1*tardiness + cost"}"#,
        None,
        &[1.0, 0.0],
    ),
    // What runs now avoids its node.
    (
        r#"{"nodes": [{"id": "n0", "capacity": {"cpu": 1}, "labels": {"z": "b"}}], "tasks": [{"id": "t1", "duration": 2, "avoid": {"z": "b"}, "node": "n0", "elapsed": 1}], "goal": "0.5*completion + 10*nodes"}"#,
        None,
        &[1.0, 0.0],
    ),
    // What runs now has no room together.
    (
        r#"{"nodes": [{"id": "n0", "capacity": {"cpu": 2}}], "tasks": [{"id": "t0", "demand": {"cpu": 1}, "duration": 1, "node": "n0", "elapsed": 0}, {"id": "t1", "demand": {"cpu": 2}, "duration": 2, "node": "n0", "elapsed": 1}], "goal": "2*wait + moves"}"#,
        None,
        &[1.0, 0.0],
    ),
    // What runs now is on a node that is down.
    (
        r#"{"goal": "tardiness", "nodes": [{"id": "n1", "capacity": {"cpu": 0}, "state": "down"}], "tasks": [{"id": "t0", "duration": 1, "elapsed": 0, "node": "n1"}]}"#,
        None,
        &[1.0, 0.0],
    ),
    // What runs now does not tolerate a taint.
    (
        r#"{"goal": "makespan", "nodes": [{"id": "n1", "capacity": {"cpu": 4}}, {"id": "n2", "capacity": {"cpu": 3}, "taints": ["team=b"]}], "tasks": [{"id": "t0", "demand": {"cpu": 1}, "duration": 2, "elapsed": 0, "node": "n2"}]}"#,
        None,
        &[1.0, 0.0],
    ),
    // What comes later goes near to what runs now.
    (
        r#"{"goal": "completion", "nodes": [{"id": "n0", "capacity": {}}, {"id": "n1", "capacity": {"cpu": 0}, "labels": {"kind": "y"}}], "tasks": [{"id": "t0", "duration": 1, "elapsed": 0, "node": "n1"}, {"id": "t1", "duration": 1}], "rules": [{"rule": "near", "tasks": ["t0"], "over": "kind", "near": ["t1"]}]}"#,
        Some(&[2.0]),
        &[0.0, 2.0],
    ),
    // Half of a gang has no node.
    (
        r#"{"rules": [{"rule": "gang", "tasks": ["t0", "t1"]}], "nodes": [{"id": "n1", "capacity": {"cpu": 1}}], "tasks": [{"id": "t0", "duration": 1, "requires": {"z": "a"}}, {"id": "t1", "duration": 1}], "goal": "tardiness"}"#,
        None,
        &[2.0, 0.0],
    ),
    // Units of a gang that stay where each is.
    (
        r#"{"goal": "moves, wait", "nodes": [{"id": "n0", "capacity": {"cpu": 0}}, {"id": "n1", "capacity": {}}, {"id": "n2", "capacity": {}}], "tasks": [{"id": "t0", "duration": 1, "replicas": 3, "node": ["n2", "n0", "n1"]}]}"#,
        Some(&[0.0, 0.0]),
        &[0.0, 0.0, 0.0],
    ),
    // A skew of nothing.
    (
        r#"{"goal": "wait", "nodes": [{"id": "n0", "capacity": {"mem": 0}}, {"id": "n2", "capacity": {}}], "tasks": [{"id": "t1", "duration": 4}, {"id": "t2", "duration": 1}], "rules": [{"rule": "spread", "max_skew": 0, "tasks": ["t1", "t2"]}]}"#,
        Some(&[0.0]),
        &[0.0, 0.0],
    ),
    // A spread that is never met.
    (
        r#"{"goal": "wait, tardiness", "nodes": [{"id": "n0", "capacity": {"cpu": 6}, "labels": {"zone": "a", "kind": "x", "size": "2"}, "taints": ["old=y:prefer"]}, {"id": "n1", "capacity": {"cpu": 4}, "labels": {"zone": "b", "kind": "y", "size": "4"}}], "tasks": [{"id": "t0", "demand": {"cpu": 5}, "duration": 4}, {"id": "t1", "demand": {"cpu": 8}, "duration": 3}, {"id": "t2", "demand": {"cpu": 6}, "duration": 4, "node": "n0", "pinned": true, "tolerations": ["old=y:prefer"]}], "rules": [{"rule": "spread", "at_least": 2, "tasks": ["t0", "t1", "t2"], "over": "kind"}]}"#,
        None,
        &[3.0, 0.0, 0.0, 0.0],
    ),
];

#[test]
fn what_was_once_false_is_right() {
    let methods =
        ["auto", "fifo", "priority", "shortest", "weighted", "easy", "conservative", "ilp"];
    for (text, whole, partial) in KNOWN {
        let file: Value = serde_json::from_str(text).unwrap();
        let what = wrong(&file, &methods, &mut Seen::default());
        assert_eq!(what.flatten(), None, "{text}");
        let instance = instance(&file).unwrap();
        for allow_unplaced in [false, true] {
            let right = if allow_unplaced { Some(partial) } else { whole };
            let params = Params { allow_unplaced, ..Params::default() };
            match (solve(&instance, &params).unwrap(), right) {
                (Answer::Plan(plan), Some(right)) => {
                    let values: Vec<f64> = plan.goal.iter().map(|tier| tier.value).collect();
                    assert_eq!(values, right, "{text}");
                    assert!(plan.optimal, "{text}");
                }
                (Answer::NoPlan(none), None) => assert!(none.proven, "{text}: {}", none.cause),
                (answer, right) => panic!("{text}: {answer:?}, {right:?} is right"),
            }
        }
    }
}

/// A bound that is one below a value of ten digits leaves a gap.
#[test]
fn counted_values_are_proven_to_the_last_unit() {
    let file = json!({
        "nodes": [{"id": "n", "capacity": {"cpu": 2}}],
        "tasks": [
            {"id": "a", "demand": {"cpu": 2}, "duration": 1_000_000_003},
            {"id": "b", "demand": {"cpu": 2}, "duration": 1_000_000_002},
        ],
        "goal": "peak, wait",
    });
    for method in ["auto", "fifo", "shortest"] {
        let method = Method::parse(method).unwrap();
        let params = Params { method, work_limit: Some(1_000_000), ..Params::default() };
        let Answer::Plan(plan) = solve(&instance(&file).unwrap(), &params).unwrap() else {
            panic!("there is a plan")
        };
        let wait = &plan.goal[1];
        assert_eq!(wait.bound, 1_000_000_002.0, "{}", wait.why);
        assert_eq!(wait.gap == 0.0, wait.value == wait.bound, "{wait:?}");
    }
}

/// Local search goes on from what branch and bound has found by then: what runs now is in its list.
#[test]
fn a_short_look_by_branch_and_bound_is_gone_on_from() {
    let file: Value = serde_json::from_str(
        r#"{"goal": "tardiness", "nodes": [{"id": "n0", "capacity": {"cpu": 4}, "max_tasks": 1}, {"id": "n1", "capacity": {"cpu": 5}, "labels": {"kind": "x"}}], "tasks": [{"id": "t0", "demand": {"cpu": 4}, "duration": 3, "avoid": {"kind": "x"}, "due": 4, "node": "n1"}, {"id": "t1", "demand": {"cpu": 2}, "duration": 1, "due": 2}, {"id": "t2", "demand": {"cpu": 1}, "duration": 4, "node": "n0"}, {"id": "t3", "demand": {"cpu": 3}, "duration": 2, "due": 2, "node": "n0"}, {"id": "t4", "demand": {"cpu": 3}, "duration": 1, "avoid": {"zone": "b"}, "due": 6, "node": "n1"}, {"id": "t5", "demand": {"cpu": 4}, "duration": 4, "elapsed": 0, "node": "n1"}, {"id": "t7", "demand": {"cpu": 2}, "duration": 1, "avoid": {"kind": "x"}, "due": 5}]}"#,
    )
    .unwrap();
    let instance = instance(&file).unwrap();
    for work in [200, 20_000, 60_000] {
        for allow_unplaced in [false, true] {
            let work_limit = Some(work);
            let params = Params { work_limit, allow_unplaced, ..Params::default() };
            let Answer::Plan(plan) = solve(&instance, &params).unwrap() else {
                panic!("there is a plan")
            };
            let late = plan.goal.last().unwrap();
            assert!(late.value >= 4.0 && late.bound <= 4.0, "{late:?}");
        }
    }
}
