//! What the README shows is what the program does.

use crate::helpers::stowplan;

fn readme() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap()
}

/// Bodies of the fenced blocks of a language.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    text.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[test]
fn the_two_commands_come_first() {
    let text = readme();
    let shell = blocks(&text, "sh");
    assert_eq!(shell, ["cargo run --release -- solve data/train-jobs.json\n", "cargo test\n"]);
}

#[test]
fn the_example_instance_is_one() {
    let text = readme();
    let example = blocks(&text, "json")[0];
    stowplan().args(["solve", "-"]).write_stdin(example).assert().success();
}

#[test]
fn the_tour_shows_real_output() {
    let text = readme();
    let output = stowplan().args(["solve", "data/train-jobs.json"]).output().unwrap();
    let plan = String::from_utf8(output.stdout).unwrap();
    if stowplan::ilp::Backend::default_of_build().name() == "microlp" {
        for line in plan.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
            assert!(text.contains(line), "README.md lacks: {line}");
        }
    }
    for policy in stowplan::policy::POLICIES {
        let row = format!("| `{}` | {} | {} |", policy.name, policy.help, policy.reference);
        assert!(text.contains(&row), "README.md lacks: {row}");
    }
}
