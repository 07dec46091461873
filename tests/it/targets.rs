//! What must hold of every reader whatever it is given: no panic, no end of the stack, no work
//! without measure, errors that say what to do, and what is taken is written and reads back the
//! same. One function a reader, for the fuzzer (fuzz/) and for the inputs kept in tests/data/fuzz.

use std::cell::OnceCell;
use std::fmt::Debug;
use std::time::Duration;

use stowplan::check::{check_claim, check_plan, check_schedule};
use stowplan::cli::complaint;
use stowplan::compare::Threshold;
use stowplan::explain::{why_plan, why_task};
use stowplan::format::{
    Beside, Change, Format, History, Input, Samples, Source, digest, guarded, is_part, parse_date,
    read_beside, read_claim, read_instance, read_plan, read_scenarios, read_sweep, show_date,
    wants_current, write_assignment, write_csv, write_instance, write_objects, write_part,
    write_script, write_timed_script,
};
use stowplan::ilp::{Backend, ModelForm, ModelRequest, write_model};
use stowplan::learn::learn;
use stowplan::model::{
    Decimal, Goal, Instance, Plan, Risk, Schedule, Tier, parse_duration, parse_share,
};
use stowplan::policy::{self, Choice, Settings};
use stowplan::report::{self, Report};
use stowplan::simulate;
use stowplan::solve::{Answer, Method, NoPlan, Outcome, Params, solve};
use stowplan::split::split;
use stowplan::stop::Stop;
use stowplan::survive::plan as plan_that_survives;
use stowplan::{Error, Kind};

use crate::brute::{brute_force, less};

/// A name, and what is done with an input.
pub type Target = (&'static str, fn(&[u8]));

/// Every target with its name. Where one takes several files, lines of `====` stand between them.
pub const TARGETS: [Target; 19] = [
    ("json", json),
    ("tables", tables),
    ("gap", |bytes| one(bytes, Format::Gap)),
    ("cloudbalancing", |bytes| one(bytes, Format::CloudBalancing)),
    ("openb", openb),
    ("roadef", roadef),
    ("slurm", slurm),
    ("kubernetes", kubernetes),
    ("schedulers", schedulers),
    ("traces", traces),
    ("benchmarks", benchmarks),
    ("plan", plan),
    ("claim", claim),
    ("history", history),
    ("samples", samples),
    ("scenarios", scenarios),
    ("sweep", sweep),
    ("words", words),
    ("solve", solved),
];

/// Units above which an instance is read and not worked on: these are tests of readers.
const LARGE: usize = 2_000;

/// The files of an input.
fn parts(bytes: &[u8]) -> Vec<Source> {
    let mut parts = vec![Vec::new()];
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        match line {
            b"====\n" => parts.push(Vec::new()),
            line => parts.last_mut().unwrap().extend_from_slice(line),
        }
    }
    let named = |(k, bytes)| Source { name: format!("file{k}"), bytes };
    parts.into_iter().enumerate().map(named).collect()
}

/// What was read, or nothing when it was refused in the way that it should be.
fn taken<T>(result: Result<T, Error>) -> Option<T> {
    let error = match result {
        Ok(value) => return Some(value),
        Err(error) => error,
    };
    assert!(error.kind != Kind::Solver, "{error}");
    assert!(!error.cause.trim().is_empty(), "an error without a cause: {error:?}");
    assert!(!error.cause.contains("this is a bug"), "{error}");
    for width in [None, Some(80)] {
        assert!(complaint(&error, width).len() < 100_000, "an endless error");
    }
    None
}

/// A text that a reader of words has read means the same once it is shown.
fn same<T: PartialEq + Debug, E: Debug>(
    text: &str,
    parse: impl Fn(&str) -> Result<T, E>,
    show: impl Fn(&T) -> String,
) {
    let Ok(value) = parse(text) else { return };
    let shown = show(&value);
    let again = parse(&shown);
    let again = again.unwrap_or_else(|error| panic!("`{text}` is `{shown}`, which is {error:?}"));
    assert_eq!(again, value, "`{text}` is shown as `{shown}`");
}

/// What is written reads back as the same instance, and then is written in the same bytes.
fn kept(instance: &Instance) {
    if instance.tasks() > LARGE || instance.nodes() > LARGE {
        return;
    }
    let write = |instance: &Instance| {
        let mut bytes = Vec::new();
        write_instance(instance, &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    };
    let text = write(instance);
    let again = read_instance(&Input::One(source("written", &text)), None)
        .unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(digest(&again), digest(instance), "{text}");
    assert_eq!(write(&again), text);
    let Some(tables) = taken(write_csv(instance)) else { return };
    let read = read_instance(&as_input(&tables), None)
        .unwrap_or_else(|error| panic!("{error}\n{tables:?}"));
    // Tables have no place for what is asked of the whole.
    let plain = instance.clone().with_risk(None).with_one_task_per_node(false);
    assert_eq!(digest(&read), digest(&plain), "{tables:?}");
    assert_eq!(write_csv(&read).unwrap(), tables);
}

fn as_input(tables: &stowplan::format::CsvFiles) -> Input {
    let optional = |name, text: &Option<String>| text.as_ref().map(|text| source(name, text));
    Input::Tables {
        tasks: source("tasks", &tables.tasks),
        nodes: source("nodes", &tables.nodes),
        pairs: optional("pairs", &tables.pairs),
        rules: optional("rules", &tables.rules),
    }
}

fn source(name: &str, text: &str) -> Source {
    Source { name: name.into(), bytes: text.into() }
}

/// The instance, read without its format being said.
fn json(bytes: &[u8]) {
    let source = Source { name: "file".into(), bytes: bytes.to_vec() };
    is_part(&source);
    let input = Input::One(source);
    wants_current(&input, None);
    if let Some(instance) = taken(read_instance(&input, None)) {
        kept(&instance);
    }
}

/// The instance in this format.
fn one(bytes: &[u8], format: Format) {
    let source = Source { name: "file".into(), bytes: bytes.to_vec() };
    if let Some(instance) = taken(read_instance(&Input::One(source), Some(format))) {
        kept(&instance);
    }
}

/// Tasks, nodes, and where there are more parts pairs and rules.
fn tables(bytes: &[u8]) {
    let mut parts = parts(bytes).into_iter();
    let mut next = || parts.next().filter(|part| !part.bytes.is_empty());
    let (Some(tasks), Some(nodes)) = (next(), next()) else { return };
    let input = Input::Tables { tasks, nodes, pairs: next(), rules: next() };
    if let Some(instance) = taken(read_instance(&input, Some(Format::Csv))) {
        kept(&instance);
    }
}

fn openb(bytes: &[u8]) {
    let mut parts = parts(bytes).into_iter();
    let (Some(tasks), Some(nodes)) = (parts.next(), parts.next()) else { return };
    let input = Input::Tables { tasks, nodes, pairs: None, rules: None };
    if let Some(instance) = taken(read_instance(&input, Some(Format::Openb))) {
        kept(&instance);
    }
}

/// The model, and the assignment that goes with it.
fn roadef(bytes: &[u8]) {
    let mut parts = parts(bytes).into_iter();
    let (Some(model), current) = (parts.next(), parts.next()) else { return };
    let beside = Beside { current: current.as_ref(), ..Beside::default() };
    let reading = read_beside(&Input::One(model), Some(Format::Roadef), &beside);
    if let Some(reading) = taken(reading) {
        kept(&reading.instance);
    }
}

/// What several commands print; then the script for the plan that one policy finds.
fn slurm(bytes: &[u8]) {
    for start in [None, Some(1_700_000_000)] {
        let beside = Beside { start, ..Beside::default() };
        let reading = read_beside(&Input::of(parts(bytes)), Some(Format::Slurm), &beside);
        let Some(reading) = taken(reading) else { continue };
        kept(&reading.instance);
        if let Some(plan) = quick(&reading.instance) {
            taken(write_script(&reading.instance, &plan));
        }
    }
}

/// What other schedulers print, as each of them.
fn schedulers(bytes: &[u8]) {
    let known = [Format::Pbs, Format::Flux, Format::Condor, Format::Nomad, Format::HyperQueue];
    for format in [None].into_iter().chain(known.map(Some)) {
        if let Some(instance) = taken(read_instance(&Input::of(parts(bytes)), format)) {
            kept(&instance);
        }
    }
}

/// A log, a workload, or tables of jobs and nodes.
fn traces(bytes: &[u8]) {
    let mut parts = parts(bytes).into_iter();
    if let (Some(tasks), Some(nodes)) = (parts.next(), parts.next()) {
        let input = Input::Tables { tasks, nodes, pairs: None, rules: None };
        if let Some(instance) = taken(read_instance(&input, Some(Format::GpuTrace))) {
            kept(&instance);
        }
        return;
    }
    one(bytes, Format::Swf);
    one(bytes, Format::Batsim);
}

/// Numbers and the like, in each of the forms that they may be in.
fn benchmarks(bytes: &[u8]) {
    json(bytes);
    for format in [
        Format::Psplib,
        Format::Patterson,
        Format::JobShop,
        Format::Taillard,
        Format::FlexibleJobShop,
        Format::BinPacking,
        Format::Binpack,
        Format::VectorPacking,
    ] {
        one(bytes, format);
    }
}

/// Objects; then the objects of the plan that one policy finds, which read back as this plan.
fn kubernetes(bytes: &[u8]) {
    let sources = parts(bytes);
    let input = Input::of(sources.clone());
    let Some(instance) = taken(read_instance(&input, Some(Format::Kubernetes))) else { return };
    kept(&instance);
    let Some(plan) = quick(&instance) else { return };
    let Some(text) = taken(write_objects(&sources, &instance, &plan)) else { return };
    let written = source("written", &text);
    let claim = read_plan(&written, &instance).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let understood = check_claim(&instance, &claim).plan;
    assert_eq!(understood.placement, plan.placement, "{text}");
}

/// A plan in no time, of what is small.
fn quick(instance: &Instance) -> Option<Plan> {
    if instance.tasks() > 50 || instance.nodes() > 50 {
        return None;
    }
    let order: Vec<_> = instance.task_ids().collect();
    let policy = Choice::parse("first-fit").ok()??;
    let pass = policy::run(instance, policy, &Settings::default(), &order, &Stop::never());
    pass.ok().map(|pass| pass.plan)
}

thread_local! {
    /// Instances for what is about one: plain, with load and places, with rules and cards, in time.
    static GIVEN: OnceCell<[Instance; 4]> = const { OnceCell::new() };
}

const GIVEN_TEXT: [&str; 4] = [
    include_str!("../../data/four-nodes.json"),
    include_str!("../../data/five-nodes-running.json"),
    include_str!("../../data/rules.json"),
    include_str!("../../data/four-nodes-timed.json"),
];

fn given(run: impl FnOnce(&[Instance; 4])) {
    GIVEN.with(|given| {
        run(given.get_or_init(|| {
            GIVEN_TEXT.map(|text| read_instance(&Input::One(source("given", text)), None).unwrap())
        }));
    });
}

/// A plan for instances that are known.
fn plan(bytes: &[u8]) {
    let file = Source { name: "plan".into(), bytes: bytes.to_vec() };
    given(|given| given.iter().for_each(|instance| judged(&file, instance)));
}

/// Instance and plan.
fn claim(bytes: &[u8]) {
    let parts = parts(bytes);
    let [instance, plan] = &parts[..] else { return };
    let Some(instance) = taken(read_instance(&Input::One(instance.clone()), None)) else { return };
    if instance.tasks() <= LARGE && instance.nodes() <= LARGE {
        judged(plan, &instance);
    }
}

/// The checker has an answer to every plan; as positions it reads back the same.
fn judged(file: &Source, instance: &Instance) {
    taken(read_claim(file));
    let Some(claim) = taken(read_plan(file, instance)) else { return };
    let verdict = check_claim(instance, &claim);
    verdict.violations.iter().for_each(|violation| assert!(!violation.to_string().is_empty()));
    let placed = verdict.plan.placed() == instance.tasks();
    if let Ok(text) = write_assignment(instance, &verdict.plan) {
        assert!(placed);
        let again = read_plan(&source("written", &text), instance).unwrap();
        assert_eq!(check_claim(instance, &again).plan.placement, verdict.plan.placement);
    }
}

/// Earlier runs, what they teach, and tasks that learned from them.
fn history(bytes: &[u8]) {
    let file = Source { name: "runs".into(), bytes: bytes.to_vec() };
    let Some(history) = taken(History::read(&file)) else { return };
    let lesson = learn(&history);
    report::lesson_table(&lesson);
    report::lesson_markdown(&lesson);
    report::lesson_csv(&lesson);
    report::lesson_json(&lesson);
    let input = Input::One(source("given", GIVEN_TEXT[1]));
    let beside = Beside { learned: Some(&lesson.learned), ..Beside::default() };
    if let Some(reading) = taken(read_beside(&input, None, &beside)) {
        kept(&reading.instance);
    }
}

/// What was observed of tasks, given to tasks, and drawn from.
fn samples(bytes: &[u8]) {
    let file = Source { name: "samples".into(), bytes: bytes.to_vec() };
    let Some(samples) = taken(Samples::read(&file)) else { return };
    for text in &GIVEN_TEXT[1..3] {
        let input = Input::One(source("given", text));
        let beside = Beside { samples: Some(&samples), ..Beside::default() };
        let Some(reading) = taken(read_beside(&input, None, &beside)) else { continue };
        let observed = samples.observed(&reading.instance);
        let Some(plan) = quick(&reading.instance) else { continue };
        let shape = simulate::Shape::ALL[0].0;
        let settings = simulate::Settings { shape, draws: 3, seed: 1, observed: &observed };
        simulate::simulate(&reading.instance, &plan, &settings);
        return kept(&reading.instance);
    }
}

/// What might happen to an instance; a second and a third part are tables of more nodes and tasks.
fn scenarios(bytes: &[u8]) {
    let parts = parts(bytes);
    // Files that a scenario names are read, and a device would have no end.
    let names_files = |part: &Source| {
        let text = String::from_utf8_lossy(&part.bytes);
        text.contains("add_") || text.contains("\\u")
    };
    if names_files(&parts[0]) {
        return;
    }
    let Some(scenarios) = taken(read_scenarios(&parts[0])) else { return };
    let nodes = parts.get(1).cloned().map(Change::AddNodes);
    let tasks = parts.get(2).cloned().map(Change::AddTasks);
    for scenario in scenarios.into_iter().take(2) {
        let mut changes = scenario.changes;
        let more = |change: &Change| match change {
            Change::MoreNodes(_, count) | Change::MoreTasks(_, count) => *count as usize,
            _ => 0,
        };
        if changes.iter().map(more).sum::<usize>() > 200 {
            continue;
        }
        changes.extend(nodes.clone().into_iter().chain(tasks.clone()));
        for text in &GIVEN_TEXT[1..3] {
            let input = Input::One(source("given", text));
            let beside = Beside { changes: &changes, ..Beside::default() };
            if let Some(reading) = taken(read_beside(&input, None, &beside)) {
                kept(&reading.instance);
                break;
            }
        }
    }
}

fn sweep(bytes: &[u8]) {
    let file = Source { name: "sweep".into(), bytes: bytes.to_vec() };
    taken(read_sweep(&file));
}

/// Quantities, durations, dates, parts, risks, goals, names of methods: the text is taken for all.
fn words(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    same(text, Decimal::parse, ToString::to_string);
    same(text, parse_duration, ToString::to_string);
    same(text, parse_share, ToString::to_string);
    same(text, Risk::parse, ToString::to_string);
    same(text, Goal::parse, ToString::to_string);
    same(text, Tier::parse, ToString::to_string);
    same(text, parse_date, |seconds| show_date(*seconds));
    same(text, |text| Method::parse(text).map(Method::name), Clone::clone);
    same(text, Format::parse, |format| format.name().to_owned());
    same(text, |text| Backend::parse(text).map(Backend::name), |name| (*name).to_owned());
    taken(Threshold::parse(text));
    guarded(text);
}

/// Small instances are solved by some method: the plan holds, is as good as it says, and nothing
/// that is tried out is better than what it calls the bound.
fn solved(bytes: &[u8]) {
    // What is asked stands in the first line, whatever it is.
    let (asked, rest) = match bytes.iter().position(|byte| *byte == b'\n') {
        Some(at) => bytes.split_at(at),
        None => return,
    };
    let source = Source { name: "file".into(), bytes: rest.to_vec() };
    let Some(instance) = taken(read_instance(&Input::One(source), None)) else { return };
    if instance.tasks() > 8 || instance.nodes() > 6 || instance.resources().len() > 5 {
        return;
    }
    let number =
        asked.iter().fold(0u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(*byte)));
    let methods = Method::names();
    let method = match number % 4 {
        0 => "auto",
        1 => "search",
        2 => "ilp",
        _ => methods[(number / 4) as usize % methods.len()],
    };
    let params = Params {
        method: Method::parse(method).unwrap(),
        time_limit: Duration::from_secs(2),
        work_limit: Some(2_000),
        allow_unplaced: number / 128 % 2 == 1,
        seed: u64::from(number / 256),
        ..Params::default()
    };
    if params.method.lacks(&instance, &params.policy).is_some() {
        return;
    }
    let answer = if instance.backups().is_empty() {
        solve(&instance, &params)
    } else {
        plan_that_survives(&instance, &params)
    };
    match answer {
        Ok(Answer::Plan(outcome)) => holds(&instance, &outcome, &params),
        Ok(Answer::NoPlan(none)) => holds_not(&instance, &none, &params),
        // A method may be unfit for an instance; nothing may fail.
        Err(error) => assert!(error.kind == Kind::Usage, "{method}: {error}"),
    }
}

/// Whether every placement can be tried.
fn tiny(instance: &Instance) -> bool {
    let choices = instance.nodes() as f64 + 1.0;
    !instance.is_timed() && choices.powi(instance.tasks() as i32) <= 300.0
}

fn holds(instance: &Instance, outcome: &Outcome, params: &Params) {
    let plan = &outcome.plan;
    let schedule = Schedule { plan: plan.clone(), start: outcome.start.clone() };
    let broken = if instance.is_timed() {
        check_schedule(instance, &schedule, params.allow_unplaced)
    } else {
        check_plan(instance, plan, params.allow_unplaced)
    };
    assert!(broken.is_empty(), "{}: {broken:?}", outcome.method);
    for tier in &outcome.goal {
        assert!(tier.bound <= tier.value + 1e-9 * tier.value.abs().max(1.0), "{tier:?}");
    }
    if tiny(instance) && instance.backups().is_empty() {
        let values: Vec<f64> = outcome.goal.iter().map(|tier| tier.value).collect();
        let best = brute_force(instance, params.allow_unplaced).unwrap();
        assert!(!less(&values, &best), "{}: {values:?} beats {best:?}", outcome.method);
        let optimal = !less(&best, &values);
        assert!(optimal || !outcome.optimal, "{}: {values:?}, best {best:?}", outcome.method);
        let bound = outcome.goal[0].bound;
        assert!(!less(&best[..1], &[bound]), "{}: bound {bound}, {best:?}", outcome.method);
    }
    shown(instance, outcome);
    if instance.is_timed() {
        drop(taken(write_timed_script(instance, &schedule)))
    } else {
        further(instance, plan)
    }
}

fn holds_not(instance: &Instance, none: &NoPlan, params: &Params) {
    assert!(!none.cause.is_empty() && !none.cause.contains("this is a bug"), "{none:?}");
    if none.proven && tiny(instance) && instance.backups().is_empty() {
        let best = brute_force(instance, params.allow_unplaced);
        assert!(best.is_none(), "{none:?}, and {best:?}");
    }
    report::no_plan_json(instance, digest(instance), "auto", none, None);
    report::no_plan_html(instance, None, none, None).unwrap();
}

/// Every form of the plan can be made; what is for programs reads back and passes the check.
fn shown(instance: &Instance, outcome: &Outcome) {
    let report =
        Report { width: Some(80), ..Report::new(instance, outcome, digest(instance), None) };
    report::plan_table(&report);
    report::plan_markdown(&report);
    report::plan_html(&report).unwrap();
    for text in [report::plan_json(&report), report::plan_csv(&report)] {
        let claim = read_claim(&source("written", &text));
        let claim = claim.unwrap_or_else(|error| panic!("{error}\n{text}"));
        let verdict = check_claim(instance, &claim);
        assert!(verdict.violations.is_empty(), "{:?}\n{text}", verdict.violations);
        assert_eq!(verdict.plan.placement, outcome.plan.placement, "{text}");
    }
}

/// What other commands make of an instance and its plan.
fn further(instance: &Instance, plan: &Plan) {
    taken(write_script(instance, plan));
    let goal = instance.goal();
    let request = ModelRequest { instance, goal, tier: 0, plan: Some(plan), allow_unplaced: true };
    write_model(&request, ModelForm::Lp);
    let soon = || Stop::after(Duration::from_millis(50));
    why_plan(instance, plan, &soon());
    if let Some(task) = instance.task_ids().next() {
        why_task(instance, plan, task, &soon());
    }
    for part in taken(split(instance, 2)).unwrap_or_default() {
        let mut bytes = Vec::new();
        write_part(instance, &part, &mut bytes).unwrap();
        let file = Source { name: "part".into(), bytes };
        let text = String::from_utf8_lossy(&file.bytes).into_owned();
        read_instance(&Input::One(file), None).unwrap_or_else(|error| panic!("{error}\n{text}"));
    }
}
