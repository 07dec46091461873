//! Quality on public instances: one row an instance with value, bound, gap to the best known
//! value, seconds and memory, as CSV on standard output. Every plan is judged by `stowplan check`.
//!
//! ```sh
//! cargo bench --bench quality -- FOLDER [--only TEXT] [--time-limit 60] [--method auto] [--solver NAME]
//! ```
//!
//! FOLDER holds `best_known.csv` (path, format, objective, lower_bound, best_known, ...) and the
//! instances it names.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How often memory is looked at.
const LOOK: Duration = Duration::from_millis(20);

struct Wanted {
    folder: PathBuf,
    only: String,
    /// Handed on to `stowplan solve`.
    options: Vec<String>,
}

fn main() {
    let Some(wanted) = wanted() else {
        // `cargo test --benches` and `cargo bench` without a folder land here.
        eprintln!("name the folder of public instances: cargo bench --bench quality -- FOLDER");
        return;
    };
    let list = wanted.folder.join("best_known.csv");
    let mut list =
        csv::Reader::from_path(&list).unwrap_or_else(|e| panic!("{}: {e}", list.display()));
    println!("instance,value,bound,gap,best_known,excess,proven,checked,seconds,megabytes");
    let mut excess = Vec::new();
    for row in list.records() {
        let row = row.expect("best_known.csv is well-formed");
        let (path, objective, best) = (&row[0], &row[2], &row[4]);
        if objective.contains("maximised") || !path.contains(&wanted.only) {
            continue;
        }
        let found = solve(&wanted, &wanted.folder.join(path));
        let best: f64 = best.parse().expect("best known values are numbers");
        let over = found.value.map(|value| (value - best) / best.abs().max(1e-9));
        excess.extend(over);
        let show = |number: Option<f64>| number.map_or(String::new(), |n| format!("{n}"));
        let percent =
            |part: Option<f64>| part.map_or(String::new(), |p| format!("{:.4}%", 100.0 * p));
        println!(
            "{path},{},{},{},{best},{},{},{},{:.2},{}",
            show(found.value),
            show(found.bound),
            percent(found.gap),
            percent(over),
            found.proven,
            found.checked,
            found.seconds,
            found.kilobytes / 1024,
        );
    }
    let mean = excess.iter().sum::<f64>() / excess.len().max(1) as f64;
    let met = excess.iter().filter(|part| **part <= 1e-12).count();
    eprintln!(
        "{} instances with a plan, {met} at the best known value or below it, mean excess {:.4} %",
        excess.len(),
        100.0 * mean
    );
}

fn wanted() -> Option<Wanted> {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let mut wanted = Wanted {
        folder: PathBuf::from(arguments.next()?),
        only: String::new(),
        options: Vec::new(),
    };
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--only" => wanted.only = arguments.next()?,
            _ => wanted.options.push(argument),
        }
    }
    wanted.folder.is_dir().then_some(wanted)
}

#[derive(Default)]
struct Found {
    value: Option<f64>,
    bound: Option<f64>,
    gap: Option<f64>,
    proven: bool,
    checked: bool,
    seconds: f64,
    kilobytes: u64,
}

fn stowplan() -> Command {
    Command::new(env!("CARGO_BIN_EXE_stowplan"))
}

fn solve(wanted: &Wanted, path: &Path) -> Found {
    let plan = std::env::temp_dir().join(format!("stowplan-quality-{}.json", std::process::id()));
    let began = Instant::now();
    let mut command = stowplan();
    command.arg("solve").arg(path).args(&wanted.options);
    command.args(["--output", "json", "-o"]).arg(&plan);
    let mut child = (command.stdout(Stdio::null()).stderr(Stdio::null()).spawn())
        .expect("the binary was built with the bench");
    let kilobytes = watch(&mut child);
    let mut found = Found { seconds: began.elapsed().as_secs_f64(), kilobytes, ..Found::default() };
    let Some(answer) =
        std::fs::read(&plan).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok())
    else {
        return found;
    };
    let tier = &answer["goal"][0];
    (found.value, found.bound) = (tier["value"].as_f64(), tier["bound"].as_f64());
    found.gap = tier["gap"].as_f64();
    found.proven = found.gap == Some(0.0);
    let check = stowplan()
        .arg("check")
        .arg(path)
        .arg(&plan)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    found.checked = check.is_ok_and(|status| status.success());
    // Gone or not, the next run writes its own.
    let _ = std::fs::remove_file(&plan);
    found
}

/// Waits for the child; the most memory it was seen to hold (Linux; 0 elsewhere).
fn watch(child: &mut Child) -> u64 {
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    while child.try_wait().is_ok_and(|ended| ended.is_none()) {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with("VmHWM:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
        most = most.max(kilobytes.unwrap_or(0));
        std::thread::sleep(LOOK);
    }
    most
}
