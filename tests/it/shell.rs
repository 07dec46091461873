//! Completions and manual pages: every command, every shell.

use crate::helpers::stowplan;

/// Every command, as the program's own help lists them.
fn commands() -> Vec<String> {
    let help = String::from_utf8(stowplan().arg("--help").output().unwrap().stdout).unwrap();
    let list = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let names = list.lines().filter_map(|line| line.strip_prefix("  "));
    let names = names.filter(|line| !line.starts_with(' '));
    let names = names.map(|line| line.split(' ').next().unwrap().to_owned());
    names.filter(|name| name != "help").collect()
}

#[test]
fn completions_know_every_command() {
    assert!(commands().contains(&"solve".to_owned()) && commands().len() >= 11);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = stowplan().args(["completions", shell]).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty());
        let script = String::from_utf8(output.stdout).unwrap();
        for word in commands().iter().map(String::as_str).chain(["time-limit"]) {
            assert!(script.contains(word), "{shell} lacks {word}");
        }
    }
    let wrong = stowplan().args(["completions", "bsah"]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("bash"));
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    stowplan().args(["man", "-o"]).arg(&pages).assert().success().stdout("");
    let read = |name: &str| std::fs::read_to_string(pages.join(name)).unwrap();
    for command in commands() {
        let page = read(&format!("stowplan-{command}.1"));
        assert!(page.starts_with(".ie") || page.starts_with(".TH"), "{page}");
        assert!(page.contains("SYNOPSIS"), "{page}");
    }
    assert_eq!(std::fs::read_dir(&pages).unwrap().count(), commands().len() + 1);
    assert!(read("stowplan-solve.1").contains("time\\-limit"));
    let program = stowplan().arg("man").output().unwrap().stdout;
    assert_eq!(String::from_utf8(program).unwrap(), read("stowplan.1"));
    stowplan().args(["man", "-o", "Cargo.toml"]).assert().code(2);
}
