//! `stowplan demo [FOLDER]`

use std::path::PathBuf;

use super::Done;
use super::output::{print, write_file};
use base::error::{Error, Kind};

/// Small instances to begin with.
const FILES: [(&str, &str); 3] = [
    ("train-jobs.json", include_str!("../../data/train-jobs.json")),
    ("running.json", include_str!("../../data/five-nodes-running.json")),
    ("jobs-in-time.json", include_str!("../../data/four-nodes-timed.json")),
];

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder to write into
    #[arg(value_name = "FOLDER", default_value = "stowplan-demo")]
    folder: PathBuf,
}

pub(super) fn run(args: Args) -> Done {
    let failed = |error: std::io::Error| {
        Error::new(Kind::Io, error.to_string()).in_file(args.folder.display().to_string())
    };
    std::fs::create_dir_all(&args.folder).map_err(failed)?;
    for (name, text) in FILES {
        let path = args.folder.join(name);
        // What somebody has changed is theirs.
        if std::fs::read(&path).is_ok_and(|there| there != text.as_bytes()) {
            return Err(Error::new(Kind::Io, "there is another file of this name")
                .in_file(path.display().to_string())
                .help("name another folder: stowplan demo FOLDER"));
        }
        write_file(&path, text)?;
    }
    print(&what_to_try(&args.folder.display().to_string()))?;
    Ok(0)
}

fn what_to_try(folder: &str) -> String {
    let files: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
    let [jobs, running, timed] = [0, 1, 2].map(|k| format!("{folder}/{}", files[k]));
    format!(
        "Wrote {} to {folder}. Try:

  stowplan solve {jobs}                       where each job goes, and the proof
  stowplan solve {jobs} -o plan.html          the same as a page
  stowplan explain {jobs} --goal nodes        what limits it
  stowplan replan {running} --drain n1        who moves where when a node is emptied, in waves
  stowplan survive {running}                  what happens when any node fails
  stowplan solve {timed} -o plan.svg          when jobs run, as a drawing

On your own cluster:

  kubectl get nodes,pods -A -o json | stowplan solve -
  stowplan solve <(scontrol show node --json) <(squeue --json)
  stowplan solve --tasks tasks.csv --nodes nodes.csv
",
        files.join(", ")
    )
}
