//! The house rules that a compiler does not hold: who may import whom, who may
//! print, and that nothing a user can cause panics.

use std::path::{Path, PathBuf};

struct File {
    /// Path below src, such as `model/goal.rs`.
    name: String,
    /// Lines up to the tests.
    lines: Vec<String>,
}

fn sources() -> Vec<File> {
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
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    paths.sort();
    assert!(paths.len() > 20, "found only {} files", paths.len());
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let lines = text
            .lines()
            .take_while(|line| *line != "#[cfg(test)]" && !line.starts_with("mod tests"));
        File {
            name: path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/"),
            lines: lines.map(str::to_owned).collect(),
        }
    };
    paths.into_iter().map(read).collect()
}

/// The room a file belongs to: `model` for `model/goal.rs`, `check` for `check.rs`.
fn room(name: &str) -> &str {
    name.split(['/', '.']).next().unwrap_or(name)
}

/// Lines of code, comments left out.
fn code(file: &File) -> impl Iterator<Item = (usize, &str)> {
    let lines = file.lines.iter().enumerate();
    lines.map(|(k, line)| (k + 1, line.trim())).filter(|(_, line)| !line.starts_with("//"))
}

/// Rooms that a line names as `crate::room`.
fn imports(line: &str) -> Vec<&str> {
    let parts = line.split("crate::").skip(1);
    parts
        .map(|rest| {
            rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next().unwrap_or("")
        })
        .filter(|name| !name.is_empty())
        .collect()
}

/// Who may import whom.
const MAY_IMPORT: [(&str, &[&str]); 25] = [
    ("model", &[]),
    ("error", &["model"]),
    ("stop", &[]),
    ("threads", &["error"]),
    ("metrics", &["model"]),
    ("check", &["model", "metrics"]),
    ("format", &["model", "error"]),
    ("generate", &["model", "error"]),
    ("simulate", &["model"]),
    ("proof", &["model", "metrics", "error"]),
    ("bounds", &["model", "metrics", "proof"]),
    ("split", &["model", "format", "check", "error"]),
    ("state", &["model"]),
    ("policy", &["model", "metrics", "state", "stop"]),
    ("ilp", &["model", "metrics", "check", "state", "error", "stop"]),
    ("search", &["model", "state", "stop"]),
    ("schedule", &["model", "metrics", "proof", "state", "search", "error", "stop", "threads"]),
    (
        "solve",
        &[
            "model", "metrics", "proof", "check", "bounds", "state", "policy", "search",
            "schedule", "ilp", "error", "stop", "threads",
        ],
    ),
    ("learn", &["model", "format"]),
    (
        "explain",
        &[
            "model", "metrics", "check", "bounds", "state", "policy", "ilp", "solve", "error",
            "stop",
        ],
    ),
    (
        "survive",
        &[
            "model", "metrics", "proof", "check", "bounds", "state", "policy", "ilp", "solve",
            "explain", "error", "stop", "threads",
        ],
    ),
    ("compare", &["model", "metrics", "proof", "solve", "survive", "error", "stop"]),
    ("replan", &["model", "metrics", "proof", "state", "check", "solve", "error", "stop"]),
    // What guards a cell of a table is the business of those who read tables too.
    (
        "report",
        &[
            "model", "metrics", "proof", "solve", "explain", "survive", "compare", "replan",
            "format", "error", "learn",
        ],
    ),
    (
        "cli",
        &[
            "model", "metrics", "proof", "check", "format", "generate", "policy", "ilp", "solve",
            "explain", "compare", "replan", "report", "error", "split", "simulate", "stop",
            "survive", "learn", "schedule",
        ],
    ),
];

#[test]
fn dependencies_point_one_way() {
    for file in sources() {
        let own = room(&file.name).to_owned();
        if own == "lib" || own == "main" {
            continue;
        }
        let (_, allowed) = MAY_IMPORT.iter().find(|(name, _)| *name == own).unwrap_or_else(|| {
            panic!("room `{own}` is not in the list: add it and docs/architecture.md")
        });
        for (line, text) in code(&file) {
            for import in imports(text) {
                assert!(
                    import == own || allowed.contains(&import),
                    "src/{}:{line}: `{own}` may not import `{import}`",
                    file.name
                );
            }
        }
    }
}

#[test]
fn libraries_stay_in_their_rooms() {
    let kept: [(&str, &[&str]); 9] = [
        ("good_lp", &["ilp"]),
        ("microlp::", &["ilp"]),
        ("lp_solvers", &["ilp"]),
        ("serde", &["format", "report"]),
        ("clap", &["cli"]),
        ("askama", &["report"]),
        ("indicatif", &["cli"]),
        ("annotate_snippets", &["cli"]),
        (
            "std::time::Instant",
            &["stop", "solve", "compare", "policy", "ilp", "search", "survive", "cli"],
        ),
    ];
    for file in sources() {
        for (line, text) in code(&file) {
            for (library, rooms) in kept {
                let uses = text.contains(library) && !text.contains(&format!("\"{library}"));
                assert!(
                    !uses || rooms.contains(&room(&file.name)),
                    "src/{}:{line}: `{library}` belongs to {rooms:?}",
                    file.name
                );
            }
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
            let place = format!("src/{}:{line}", file.name);
            if room(&file.name) != "cli" {
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
        assert!(file.lines.len() <= 520, "src/{} has {} lines", file.name, file.lines.len());
        assert!(
            file.lines.first().is_some_and(|line| line.starts_with("//!")),
            "src/{} does not say what it is for",
            file.name
        );
    }
}
