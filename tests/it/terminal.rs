//! What a person at a terminal sees, in pseudo-terminals, and that a pipe sees none of it.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::pty::{Winsize, openpty};

use crate::helpers::stowplan;

/// What a run left on its terminal.
struct Seen {
    /// Every byte that was sent.
    raw: String,
    /// What stands on the screen in the end.
    screen: String,
    code: Option<i32>,
}

/// Runs the program on a terminal of 40 lines; `interrupt` sends Ctrl-C's signal after so long.
fn on_terminal(
    columns: u16,
    environment: &[(&str, &str)],
    arguments: &[&str],
    interrupt: Option<Duration>,
) -> Seen {
    let size = Winsize { ws_row: 40, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    let pty = openpty(Some(&size), None).unwrap();
    let end = || Stdio::from(pty.slave.try_clone().unwrap());
    let mut child = Command::new(env!("CARGO_BIN_EXE_stowplan"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR")
        .env_remove("CLICOLOR_FORCE")
        .env_remove("CI")
        .env("TERM", "xterm-256color")
        .envs(environment.iter().copied())
        .args(arguments)
        .stdin(end())
        .stdout(end())
        .stderr(end())
        .spawn()
        .unwrap();
    drop(pty.slave);
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // The last reader is told that the other end is closed by an error.
        let _ = std::fs::File::from(pty.master).read_to_end(&mut bytes);
        bytes
    });
    if let Some(time) = interrupt {
        std::thread::sleep(time);
        Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    }
    let code = child.wait().unwrap().code();
    let bytes = reader.join().unwrap();
    let mut terminal = vt100::Parser::new(40, columns, 0);
    terminal.process(&bytes);
    let raw = String::from_utf8(bytes).unwrap();
    Seen { raw, screen: terminal.screen().contents(), code }
}

/// A file in a folder that goes away with it.
fn file(name: &str, text: impl AsRef<[u8]>) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    (folder, path.to_str().unwrap().to_owned())
}

/// An instance that microlp is busy with for long.
fn hard() -> (tempfile::TempDir, String) {
    let arguments = ["generate", "uniform", "--tasks", "60", "--nodes", "12"];
    file("hard.json", stowplan().args(arguments).output().unwrap().stdout)
}

#[test]
fn a_line_of_progress_comes_and_goes() {
    let (_folder, path) = hard();
    let solve = ["solve", &path, "--method", "ilp", "--time-limit"];
    let short: Vec<&str> = solve.iter().copied().chain(["1.5"]).collect();
    let long: Vec<&str> = solve.iter().copied().chain(["300"]).collect();
    let line = " %  · bound ".replace("  ", " ");
    let interrupt = Some(Duration::from_millis(1200));
    for seen in [on_terminal(100, &[], &short, None), on_terminal(100, &[], &long, interrupt)] {
        assert_eq!(seen.code, Some(0), "{}", seen.screen);
        assert!(seen.raw.contains(&line), "no progress in {:?}", seen.raw);
        assert!(!seen.screen.contains(&line), "left behind:\n{}", seen.screen);
        assert!(seen.screen.contains("balance degree"), "no plan in:\n{}", seen.screen);
        assert!(!seen.raw.contains("\x1b[?25l"), "the cursor is hidden");
    }
    let quiet: Vec<&str> = short.iter().copied().chain(["-q"]).collect();
    assert!(!on_terminal(100, &[], &quiet, None).raw.contains(&line));
    assert!(!on_terminal(100, &[("TERM", "dumb")], &short, None).raw.contains(&line));
    let piped = stowplan().args(&short).output().unwrap();
    assert!(!String::from_utf8_lossy(&piped.stderr).contains("· bound "));
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let solve = ["solve", "data/train-jobs.json", "--method", "min-load"];
    let full = on_terminal(160, &[], &solve, None);
    assert!(full.raw.contains("\x1b[38;5;32m███"), "{}", full.raw);
    for environment in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let seen = on_terminal(160, &[environment], &solve, None);
        assert!(!seen.raw.contains("\x1b["), "{environment:?}: {}", seen.raw);
        assert_eq!(seen.screen, full.screen, "{environment:?}");
    }
}

#[test]
fn plans_fit_the_terminal() {
    let solve = ["solve", "data/train-jobs.json", "--method", "min-load"];
    for (columns, matrix, headings) in
        [(160, true, "gpu used / capacity (card)"), (80, true, "(card)"), (50, false, "(card)")]
    {
        let seen = on_terminal(columns, &[("NO_COLOR", "1")], &solve, None);
        assert!(seen.raw.contains(headings), "{}", seen.raw);
        assert_eq!(seen.raw.contains("llm-pretrain-7b           1"), matrix, "{}", seen.raw);
        if columns >= 80 {
            let widest = seen.raw.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(widest <= usize::from(columns), "{columns}: {widest}\n{}", seen.raw);
            assert!(seen.raw.contains("█████"), "{}", seen.raw);
        }
    }
}

#[test]
fn errors_show_the_line() {
    let nodes = "{\"nodes\": [{\"id\": \"n\", \"capacity\": {\"cpu\": 8}}],\n";
    let wide =
        format!("{nodes}\t\"tasks\": [{{\"id\": \"日本\", \"demnad\": {{\"cpu\": 1}}}}]}}\n");
    let sly = format!("{nodes} \"tasks\": [{{\"id\": \"\x1b[2J\u{9b}31m\"}}]}}");
    let long = format!(
        "{nodes} \"tasks\": [{}{{\"id\": \"t\", \"demand\": {{\"cpu\": -1}}}}]}}",
        "{\"id\": \"x\"}, ".repeat(100_000)
    );
    let missing = format!("{nodes} \"tasks\": [{{\"id\": \"t\", \"demand\": {{\"cpus\": 1}}}}]}}");
    let below =
        |blanks: usize, count: usize| format!("  | {}{}", " ".repeat(blanks), "^".repeat(count));
    for (text, lines) in [
        (&wide, ["2 |     \"tasks\": [{\"id\": \"日本\", \"demnad\": {\"cpu\"", &below(29, 8)]),
        (&sly, ["2 |  \"tasks\": [{\"id\": \"␛[2J", &below(19, 1)]),
        (&long, ["\"demand\":", "^^"]),
        (&missing, ["{\"cpus\": 1}", &below(42, 1)]),
    ] {
        let (_folder, path) = file("f.json", text);
        let seen = on_terminal(80, &[], &["solve", &path], None);
        assert_eq!(seen.code, Some(2));
        for line in lines {
            assert!(seen.screen.contains(line), "lacks {line:?}\n{}", seen.screen);
        }
        assert!(!seen.raw.contains("\x1b[2J") && !seen.raw.contains('\u{9b}'), "{:?}", seen.raw);
        let mut excerpt = seen.screen.lines().filter(|line| line.contains(" | "));
        assert!(excerpt.all(|line| line.chars().count() <= 80), "{}", seen.screen);
        // In a pipe an error is one line, and one of advice.
        let piped = stowplan().args(["solve", &path]).output().unwrap();
        let said = String::from_utf8(piped.stderr).unwrap();
        assert!(said.lines().count() <= 2 && !said.contains('\x1b'), "{said}");
    }
}

#[test]
fn errors_show_the_cell() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("nodes.csv"), "node,cpu,gpu\nn1,8,1\n").unwrap();
    let tables =
        ["solve", "--tasks", &path("tasks.csv"), "--nodes", &path("nodes.csv")].map(str::to_owned);
    for (tasks, lines) in [
        ("task,cpu,gpu\n\"a, b\",4x,1\n", ["2 | \"a, b\",4x,1", "  |        ^^"]),
        (
            "task,cpu,gpu,prority\na,4,1,2\n",
            ["1 | task,cpu,gpu,prority", "  |              ^^^^^^^"],
        ),
        ("task,cpu,gpu\na,1,0\na,1,0\n", ["3 | a,1,0", "  | ^"]),
        ("task,cpu,gpu\na,1\n", ["2 | a,1", "  | ^^^"]),
    ] {
        std::fs::write(path("tasks.csv"), tasks).unwrap();
        let arguments: Vec<&str> = tables.iter().map(String::as_str).collect();
        let seen = on_terminal(80, &[], &arguments, None);
        assert_eq!(seen.code, Some(2));
        for line in lines {
            assert!(seen.screen.contains(line), "lacks {line:?}\n{}", seen.screen);
        }
    }
}

#[test]
fn plans_show_their_line_too() {
    let plan = "{\"assignments\": [\n {\"task\": \"a\", \"node\": [1]}]}";
    let (_folder, path) = file("plan.json", plan);
    let seen = on_terminal(80, &[], &["check", "data/four-nodes.json", &path], None);
    assert_eq!(seen.code, Some(2));
    assert!(seen.screen.contains("2 |  {\"task\": \"a\", \"node\": [1]}"), "{}", seen.screen);
}

#[test]
fn a_run_without_a_command_says_where_to_begin() {
    let seen = on_terminal(80, &[], &[], None);
    assert_eq!(seen.code, Some(2));
    assert!(seen.screen.lines().count() <= 24, "{}", seen.screen);
    assert!(!seen.raw.lines().any(|line| line.chars().count() > 80), "{}", seen.screen);
    // Its commands are ones that there are.
    let folder = tempfile::tempdir().unwrap();
    let commands = seen.screen.lines().filter_map(|line| line.trim().strip_prefix("stowplan "));
    for command in commands.filter(|c| c.starts_with("generate") || c.starts_with("solve jobs")) {
        let words: Vec<&str> = command.split("  ").next().unwrap().split(' ').collect();
        stowplan().current_dir(folder.path()).args(words).assert().success();
    }
}
