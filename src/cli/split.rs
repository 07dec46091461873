//! `stowplan split INSTANCE --parts K -o FOLDER`

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::Done;
use super::goal::GoalArgs;
use super::input::InstanceArgs;
use super::judged::without_time;
use super::output::{print, write_file};
use base::error::{Error, Kind, Result};
use formats::{Part, write_part};
use model::Instance;
use plan::split::split;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    instance: InstanceArgs,
    #[command(flatten)]
    goal: GoalArgs,
    /// Number of parts
    #[arg(long, value_name = "K")]
    parts: usize,
    /// Folder for part-0.json, part-1.json, ...; made when it is missing
    #[arg(short = 'o', long = "out", value_name = "FOLDER")]
    out: PathBuf,
}

pub(super) fn run(args: Args) -> Done {
    let instance = args.goal.apply(args.instance.read(false)?)?;
    without_time(&instance, "`split`")?;
    let parts = split(&instance, args.parts)?;
    let texts: Vec<String> =
        parts.par_iter().map(|part| text(&instance, part)).collect::<Result<_>>()?;
    let failed = |error: std::io::Error| {
        Error::new(Kind::Io, error.to_string()).in_file(args.out.display().to_string())
    };
    std::fs::create_dir_all(&args.out).map_err(failed)?;
    refuse_leftovers(&args.out, args.parts)?;
    for (k, (part, text)) in parts.iter().zip(&texts).enumerate() {
        let path = args.out.join(format!("part-{k}.json"));
        write_file(&path, text)?;
        let count = |list: &[bool]| list.iter().filter(|own| **own).count();
        let (tasks, nodes) = (count(&part.tasks), count(&part.nodes));
        print(&format!("{}: {tasks} tasks, {nodes} nodes\n", path.display()))?;
    }
    Ok(0)
}

fn text(instance: &Instance, part: &Part) -> Result<String> {
    let mut bytes = Vec::new();
    write_part(instance, part, &mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Parts of a split into more parts would be taken for parts of this one.
fn refuse_leftovers(folder: &Path, parts: usize) -> Result<()> {
    let entries = std::fs::read_dir(folder).map_err(|error| {
        Error::new(Kind::Io, error.to_string()).in_file(folder.display().to_string())
    })?;
    let number = |name: &str| -> Option<usize> {
        name.strip_prefix("part-")?.strip_suffix(".json")?.parse().ok()
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if name.to_str().and_then(number).is_some_and(|k| k >= parts) {
            let cause = format!("{} is of another split", Path::new(&name).display());
            return Err(Error::new(Kind::Io, cause)
                .in_file(folder.display().to_string())
                .help("remove the old parts, or name another folder"));
        }
    }
    Ok(())
}
