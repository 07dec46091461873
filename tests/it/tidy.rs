//! The house rules that a compiler does not hold: who may import whom, who may
//! print, and that nothing a user can cause panics.

use std::path::{Path, PathBuf};

pub struct File {
    /// Path below the project, such as `crates/engines/src/search/peak.rs`.
    name: String,
    /// Lines up to the tests.
    lines: Vec<String>,
}

impl File {
    /// The crate it belongs to, `stowplan` for the package at the top, and its path below `src`.
    pub fn place(&self) -> (&str, &str) {
        match self.name.strip_prefix("crates/").and_then(|rest| rest.split_once("/src/")) {
            Some(place) => place,
            None => ("stowplan", self.name.trim_start_matches("src/")),
        }
    }

    /// The room it belongs to: `engines::search` for `crates/engines/src/search/peak.rs`; a file
    /// at the top of a crate that is no room of its own belongs to the crate's own.
    fn room(&self) -> String {
        let (floor, below) = self.place();
        let first = below.split(['/', '.']).next().unwrap_or(below);
        if ROOMS.iter().any(|(f, room, _)| (*f, *room) == (floor, first)) {
            format!("{floor}::{first}")
        } else {
            floor.to_owned()
        }
    }
}

pub fn sources() -> Vec<File> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    walk(&root.join("src"), &mut paths);
    for floor in std::fs::read_dir(root.join("crates")).unwrap() {
        walk(&floor.unwrap().path().join("src"), &mut paths);
    }
    paths.sort();
    assert!(paths.len() > 200, "found only {} files", paths.len());
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let lines = text
            .lines()
            .take_while(|line| *line != "#[cfg(test)]" && !line.starts_with("mod tests"));
        File {
            name: path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/"),
            lines: lines.map(str::to_owned).collect(),
        }
    };
    paths.into_iter().map(read).collect()
}

/// Lines of code, comments left out.
pub fn code(file: &File) -> impl Iterator<Item = (usize, &str)> {
    let lines = file.lines.iter().enumerate();
    lines.map(|(k, line)| (k + 1, line.trim())).filter(|(_, line)| !line.starts_with("//"))
}

/// Which rooms of its own crate a room may import; who may import which crate is said, and held,
/// by each crate's Cargo.toml.
const ROOMS: [(&str, &str, &[&str]); 17] = [
    ("model", "state", &["*"]),
    ("judge", "metrics", &[]),
    ("judge", "check", &["metrics"]),
    ("judge", "proof", &["metrics"]),
    ("judge", "simulate", &[]),
    ("formats", "generate", &[]),
    ("formats", "learn", &["*"]),
    ("engines", "bounds", &[]),
    ("engines", "policy", &[]),
    ("engines", "search", &[]),
    ("engines", "schedule", &["search"]),
    ("plan", "solve", &[]),
    ("plan", "explain", &["solve"]),
    ("plan", "survive", &["solve", "explain"]),
    ("plan", "compare", &["solve", "survive"]),
    ("plan", "replan", &["solve"]),
    ("plan", "split", &[]),
];

#[test]
fn dependencies_point_one_way() {
    for file in sources() {
        let (floor, below) = file.place();
        if floor == "stowplan" || below == "lib.rs" {
            continue;
        }
        let rooms: Vec<_> = ROOMS.iter().filter(|(f, ..)| *f == floor).collect();
        let own = rooms.iter().find(|(_, room, _)| file.room() == format!("{floor}::{room}"));
        for (line, text) in code(&file) {
            for import in text.split("crate::").skip(1) {
                let import = import.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next();
                let import = import.unwrap_or("");
                let place = format!("{}:{line}: may not import `{import}`", file.name);
                match (rooms.iter().find(|(_, room, _)| *room == import), own) {
                    // One room names another.
                    (Some(_), Some((_, room, allowed))) => {
                        assert!(import == *room || allowed.contains(&import), "{place}");
                    }
                    // What a crate is about knows nothing of the rooms built upon it.
                    (Some(_), None) => panic!("{place}"),
                    (None, Some((.., allowed))) => assert!(allowed.contains(&"*"), "{place}"),
                    (None, None) => {}
                }
            }
        }
    }
}

#[test]
fn the_judge_shares_no_code_with_the_judged() {
    for file in sources().iter().filter(|file| file.place().0 == "judge") {
        for (line, text) in code(file) {
            assert!(!text.contains("state::"), "{}:{line}: judges by the model alone", file.name);
        }
    }
}

#[test]
fn only_those_who_have_limits_look_at_the_clock() {
    let may = [
        "base",
        "ilp",
        "engines::policy",
        "engines::search",
        "plan::solve",
        "plan::compare",
        "plan::survive",
        "stowplan",
    ];
    for file in sources().iter().filter(|file| !may.contains(&file.room().as_str())) {
        for (line, text) in code(file) {
            assert!(!text.contains("std::time::Instant"), "{}:{line}: no clock here", file.name);
        }
    }
}

#[test]
fn only_the_command_line_prints_and_nothing_panics() {
    let printing = ["println!", "eprintln!", "print!(", "eprint!(", "stdout()", "stderr()", "dbg!"];
    // Where a number is proven to be in range, the reason stands in the message.
    let panicking = [".unwrap()", "panic!(", "unreachable!(", "todo!(", "unimplemented!("];
    for file in sources() {
        for (line, text) in code(&file) {
            let place = format!("{}:{line}", file.name);
            if file.place().0 != "stowplan" {
                let prints = printing.iter().find(|word| text.contains(**word));
                assert!(prints.is_none(), "{place}: only cli/ prints");
            }
            let panics = panicking.iter().find(|word| text.contains(**word));
            assert!(panics.is_none(), "{place}: {}", panics.unwrap());
            assert!(!text.contains("unsafe "), "{place}: no unsafe code");
            let expects = text.contains(".expect(") && !text.contains("at most");
            assert!(!expects, "{place}: expect() without a limit that was checked before");
        }
    }
}

#[test]
fn files_hold_one_idea() {
    for file in sources() {
        assert!(file.lines.len() <= 520, "{} has {} lines", file.name, file.lines.len());
        assert!(
            file.lines.first().is_some_and(|line| line.starts_with("//!")),
            "{} does not say what it is for",
            file.name
        );
    }
}
