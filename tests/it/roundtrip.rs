//! What is written reads back as the same, or is refused: names of any characters and numbers of
//! all sizes, instances and plans.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;
use stowplan::format::{
    Input, Source, digest, read_claim, read_instance, write_csv, write_instance,
};
use stowplan::model::{
    AfterDraft, Ask, Decimal, Draft, Instance, NodeDraft, Preference, Requirement, RuleDraft,
    Selection, Taint, TaskDraft, Toleration, Whom,
};
use stowplan::report::{Report, plan_csv, plan_json};
use stowplan::solve::{Answer, Method, Params, solve};

use crate::helpers::stowplan;
use crate::properties::cases;

/// Pieces of names: all that tables, quotes, lists, formulas, effects, terminals and lines make
/// something of.
const PIECES: [&str; 39] = [
    "é",
    "任",
    "x y",
    " ",
    "\u{a0}",
    "\u{2028}",
    "\u{202e}",
    "\u{200b}",
    "\u{feff}",
    ";",
    "|",
    ",",
    "\"",
    "'",
    "=",
    "+",
    "-",
    "@",
    "＝",
    "*",
    "&",
    "!",
    "%",
    ":",
    "~",
    ">",
    "<",
    ">=2",
    "[0]",
    "]",
    ":prefer",
    "..",
    "+10",
    "true",
    "node",
    "/",
    "\n",
    "\u{85}",
    "\u{1b}[1m",
];

/// A name, mostly its own, with such a piece in half of all.
fn word() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        20 => Just(String::new()),
        20 => select(&PIECES[..36]).prop_map(str::to_owned),
        1 => select(&PIECES[36..]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    let own = prop_oneof![20 => "[a-c][0-9]{3}", 1 => Just(String::new())];
    let again = prop_oneof![4 => Just(""), 1 => select(&PIECES[..36])];
    (piece, own, again, any::<bool>()).prop_map(|(piece, own, again, first)| {
        if first { format!("{piece}{own}{again}") } else { format!("{again}{own}{piece}") }
    })
}

/// Quantities with up to 18 digits anywhere around the point.
fn amount() -> impl Strategy<Value = Decimal> {
    let digits =
        prop_oneof![Just(0u64), 1u64..100, 0u64..1_000_000_000, 0u64..1_000_000_000_000_000_000];
    let places = prop_oneof![9 => 0u32..=4, 1 => 0u32..=18];
    (digits, places).prop_map(|(digits, places)| {
        let text = match places {
            0 => digits.to_string(),
            _ => format!("{digits}e-{places}"),
        };
        Decimal::parse(&text).unwrap_or(Decimal::ONE)
    })
}

fn named() -> impl Strategy<Value = Draft> {
    let words = prop::collection::vec(word(), 16);
    (words, prop::collection::vec(amount(), 6), 0u8..64).prop_map(|(words, amounts, with)| {
        let w = |k: usize| words[k].clone();
        let has = |bit: u8| with & (1 << bit) != 0;
        let mut draft = Draft::default();
        let r = draft.resource(&w(0));
        let labels = || vec![(w(1), w(2))];
        let node = |id: String, k: usize| NodeDraft {
            id,
            capacity: vec![(r, amounts[k])],
            labels: labels(),
            ..NodeDraft::default()
        };
        draft.nodes = vec![node(w(3), 0), node(w(4), 1)];
        draft.nodes[1].used = vec![(r, amounts[2])];
        draft.nodes[0].price = Some(amounts[3]);
        if has(0) {
            draft.nodes[1].taints =
                vec![Taint { key: w(5), value: w(6), effect: Default::default() }];
        }
        let mut requires = Requirement::default();
        if has(1) {
            requires.any_of = vec![(w(1), vec![w(2), w(7)])];
            requires.tolerations =
                vec![Toleration { key: w(5), value: has(2).then(|| w(6)), effect: None }];
        }
        if has(2) {
            let labels = Selection { any_of: vec![(w(1), vec![w(2)])], ..Selection::default() };
            requires.prefers = vec![Preference { labels, weight: amounts[4] }];
        }
        draft.tasks = vec![
            TaskDraft {
                id: w(8),
                demand: vec![(r, amounts[5])],
                requires,
                key: has(3).then(|| w(9)),
                groups: vec![w(10)],
                current: if has(4) { vec![w(3)] } else { Vec::new() },
                backup: (with % 7 == 0).then(|| w(1)),
                ..TaskDraft::default()
            },
            TaskDraft {
                id: w(11),
                demand: vec![(r, Decimal::ONE)],
                replicas: has(5).then_some(2),
                within: match (has(5), has(0)) {
                    (true, true) => vec![(Ask::Together, w(1))],
                    (true, false) => {
                        vec![(Ask::Spread { at_least: 1, at_most: 1, max_skew: None }, w(1))]
                    }
                    _ => Vec::new(),
                },
                after: if has(2) { vec![AfterDraft { task: w(8), lag: 7 }] } else { Vec::new() },
                groups: vec![w(10), w(12)],
                ..TaskDraft::default()
            },
        ];
        if has(3) {
            draft.rules = vec![RuleDraft {
                name: has(4).then(|| w(13)),
                ask: Ask::Spread { at_least: 0, at_most: 2, max_skew: None },
                over: w(1),
                whom: if has(5) { Whom::Group(w(10)) } else { Whom::Tasks(vec![w(8), w(11)]) },
                near: None,
                limit: None,
                present: Vec::new(),
                as_one: false,
                price: has(6).then_some(Decimal::ONE),
            }];
        }
        draft
    })
}

fn source(name: &str, text: impl Into<Vec<u8>>) -> Source {
    Source { name: name.into(), bytes: text.into() }
}

fn through_json(instance: &Instance) -> Instance {
    let mut text = Vec::new();
    write_instance(instance, &mut text).unwrap();
    let input = Input::One(source("i", text.clone()));
    read_instance(&input, None)
        .unwrap_or_else(|error| panic!("{error}\n{}", String::from_utf8_lossy(&text)))
}

/// `None` where tables refuse it.
fn through_tables(instance: &Instance) -> Option<Instance> {
    let files = match write_csv(instance) {
        Ok(files) => files,
        Err(error) => {
            assert!(error.cause.contains("cannot be written as CSV"), "{error}");
            return None;
        }
    };
    let shown = format!("{files:?}");
    let input = Input::Tables {
        tasks: source("tasks", files.tasks),
        nodes: source("nodes", files.nodes),
        pairs: files.pairs.map(|text| source("pairs", text)),
        rules: files.rules.map(|text| source("rules", text)),
    };
    Some(read_instance(&input, None).unwrap_or_else(|error| panic!("{error}\n{shown}")))
}

proptest! {
    #![proptest_config(ProptestConfig { max_global_rejects: 20_000, ..cases(1000) })]

    #[test]
    fn instances_read_back_as_the_same(draft in named()) {
        // What cannot be meant so is refused, and nothing is written.
        let built = draft.build();
        prop_assume!(built.is_ok());
        let instance = built.unwrap();
        prop_assert_eq!(digest(&through_json(&instance)), digest(&instance));
        if let Some(again) = through_tables(&instance) {
            prop_assert_eq!(digest(&again), digest(&instance));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_global_rejects: 20_000, ..cases(200) })]

    #[test]
    fn plans_read_back_as_the_same(draft in named()) {
        let built = draft.build();
        prop_assume!(built.is_ok());
        let instance = built.unwrap().without_backups();
        let method = Method::parse("best-fit").unwrap();
        let params = Params { allow_unplaced: true, method, ..Params::default() };
        let Ok(Answer::Plan(outcome)) = solve(&instance, &params) else { return Ok(()) };
        let report = Report::new(&instance, &outcome, digest(&instance), None);
        let mut want: Vec<(String, String)> = outcome
            .plan
            .placements()
            .map(|(task, node)| (instance.job_name(task).to_owned(), instance.node_name(node).to_owned()))
            .collect();
        want.sort();
        for text in [plan_json(&report), plan_csv(&report)] {
            let claim = read_claim(&source("p", text.clone()));
            let claim = claim.unwrap_or_else(|error| panic!("{error}\n{text}"));
            let unit = |task: String| match instance.gangs().iter().find(|gang| {
                task.strip_prefix(&gang.name).is_some_and(|rest| ["[0]", "[1]"].contains(&rest))
            }) {
                Some(gang) => gang.name.clone(),
                None => task,
            };
            let read = claim.assignments.into_iter().map(|a| (unit(a.task), a.node));
            let mut read: Vec<_> = read.collect();
            read.sort();
            prop_assert_eq!(&read, &want, "{}", text);
        }
    }
}

/// Names that differ in white space around them only are different names, in plans in CSV too.
#[test]
fn white_space_around_names_is_part_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let (file, plan) = (folder.path().join("i.json"), folder.path().join("p.csv"));
    let names = [" a ", "a", "a ", "\u{2028}a", "' a", "\u{a0}a"];
    let tasks: Vec<_> = names.iter().map(|id| json!({"id": id, "demand": {"cpu": 1}})).collect();
    let instance =
        json!({"nodes": [{"id": " n ", "capacity": {"cpu": 9}}], "tasks": tasks}).to_string();
    std::fs::write(&file, instance).unwrap();
    let solve = ["--output", "csv", "-o"];
    stowplan().arg("solve").arg(&file).args(solve).arg(&plan).assert().success();
    stowplan().arg("check").args([&file, &plan]).assert().success();
    let read = read_claim(&Source::read(&plan).unwrap()).unwrap();
    let read: Vec<_> =
        read.assignments.iter().map(|a| (a.task.as_str(), a.node.as_str())).collect();
    assert_eq!(read, names.map(|name| (name, " n ")));
}
