//! Micro-benchmarks: readers, policies, bounds, checker.
//!
//! ```sh
//! cargo bench
//! ```

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use stowplan::bounds::Bounds;
use stowplan::check::check_plan;
use stowplan::format::{Input, Source, read_instance, write_csv, write_instance};
use stowplan::generate::{Settings, generate, kind};
use stowplan::model::{Goal, Instance};
use stowplan::policy::{self, Choice, Order};
use stowplan::search::local;
use stowplan::stop::Stop;

fn main() {
    divan::main();
}

fn instance(tasks: usize, nodes: usize) -> Instance {
    let settings = Settings {
        longest: 100,
        kind: kind("uniform").unwrap(),
        tasks,
        nodes,
        resources: 3,
        fill: 0.85,
        seed: 1,
        priced: false,
        sd: 0.0,
    };
    generate(&settings).unwrap().build().unwrap()
}

fn source(name: &str, bytes: Vec<u8>) -> Source {
    Source { name: name.to_owned(), bytes }
}

#[divan::bench]
fn read_json(bencher: Bencher) {
    let mut bytes = Vec::new();
    write_instance(&instance(20_000, 200), &mut bytes).unwrap();
    let size = bytes.len();
    let input = Input::One(source("i.json", bytes));
    bencher.counter(BytesCount::new(size)).bench(|| read_instance(&input, None).unwrap());
}

#[divan::bench]
fn read_csv(bencher: Bencher) {
    let files = write_csv(&instance(20_000, 200)).unwrap();
    let size = files.tasks.len() + files.nodes.len();
    let input = Input::Tables {
        tasks: source("tasks.csv", files.tasks.into_bytes()),
        nodes: source("nodes.csv", files.nodes.into_bytes()),
        pairs: None,
        rules: None,
    };
    bencher.counter(BytesCount::new(size)).bench(|| read_instance(&input, None).unwrap());
}

#[divan::bench(args = policy::POLICIES.iter().map(|policy| policy.name))]
fn place(bencher: Bencher, name: &str) {
    let instance = instance(20_000, 1_000);
    let order = Order::LargestFirst.of(&instance, 1);
    let policy = Choice::from(policy::find(name).unwrap());
    let settings = policy::Settings::default();
    bencher
        .counter(ItemsCount::new(instance.tasks()))
        .bench(|| policy::run(&instance, policy, &settings, &order, &Stop::never()));
}

#[divan::bench]
fn bounds(bencher: Bencher) {
    let instance = instance(20_000, 1_000);
    let tier = instance.goal().tiers[0].clone();
    bencher.bench(|| Bounds::of(&instance).tier(&tier, 0));
}

#[divan::bench]
fn check(bencher: Bencher) {
    let instance = instance(20_000, 1_000);
    let order = Order::LargestFirst.of(&instance, 1);
    let policy = Choice::from(policy::find("min-load").unwrap());
    let plan = policy::run(&instance, policy, &policy::Settings::default(), &order, &Stop::never())
        .unwrap()
        .plan;
    bencher
        .counter(ItemsCount::new(instance.tasks()))
        .bench(|| check_plan(&instance, &plan, false));
}

/// Moves of the local search, proposed and priced, two resources, two workers.
#[divan::bench(args = ["peak", "balance", "cost", "nodes"], sample_count = 5)]
fn local_search_moves(bencher: Bencher, goal: &str) {
    let settings = Settings {
        longest: 100,
        kind: kind("assignment").unwrap(),
        tasks: 1_000,
        nodes: 100,
        resources: 2,
        fill: 0.85,
        seed: 1,
        priced: false,
        sd: 0.0,
    };
    let goal = Goal::parse(goal).unwrap();
    let instance = generate(&settings).unwrap().build().unwrap().with_goal(goal.clone());
    let policy = Choice::from(policy::find("min-load").unwrap());
    let order = Order::LargestFirst.of(&instance, 1);
    let start =
        policy::run(&instance, policy, &policy::Settings::default(), &order, &Stop::never())
            .unwrap()
            .plan;
    let work = 2_000_000;
    bencher.counter(ItemsCount::new(work)).bench(|| {
        let stop = Stop::after(std::time::Duration::from_secs(600));
        let task = local::Task {
            instance: &instance,
            goal: &goal,
            start: &start,
            bounds: &[],
            seed: 1,
            work,
            stop: &stop,
        };
        local::improve(&task, &mut |_| {})
    });
}
