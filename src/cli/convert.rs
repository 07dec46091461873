//! `stowplan convert INSTANCE --to json|csv`

use std::path::{Path, PathBuf};

use super::Done;
use super::input::InstanceArgs;
use super::output::{write_file, write_to};
use base::error::{Error, Kind, Result};
use formats::{CsvFiles, write_csv, write_instance};
use model::Instance;

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Target {
    /// One JSON document
    Json,
    /// Tables tasks.csv and nodes.csv (and pairs.csv) in the folder named by -o
    Csv,
}

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    instance: InstanceArgs,
    /// Format to write
    #[arg(long, value_enum, default_value_t = Target::Json, value_name = "FORMAT")]
    to: Target,
    /// File to write, or folder for tables
    #[arg(short = 'o', long = "out", value_name = "PATH")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: Args) -> Done {
    let instance = args.instance.read(false)?;
    match (args.to, &args.out) {
        (Target::Json, file) => write_to(file.as_deref(), &json(&instance)?)?,
        (Target::Csv, Some(folder)) => write_tables(folder, &write_csv(&instance)?)?,
        (Target::Csv, None) => {
            return Err(Error::usage("tables need a folder").help("add -o FOLDER"));
        }
    }
    Ok(0)
}

/// The instance as JSON text.
pub(super) fn json(instance: &Instance) -> Result<String> {
    let mut bytes = Vec::new();
    write_instance(instance, &mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Writes the tables into a folder, which is made when it is missing.
pub(super) fn write_tables(folder: &Path, tables: &CsvFiles) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|error| {
        Error::new(Kind::Io, error.to_string()).in_file(folder.display().to_string())
    })?;
    write_file(&folder.join("tasks.csv"), &tables.tasks)?;
    write_file(&folder.join("nodes.csv"), &tables.nodes)?;
    for (name, table) in [("pairs.csv", &tables.pairs), ("rules.csv", &tables.rules)] {
        if let Some(table) = table {
            write_file(&folder.join(name), table)?;
        }
    }
    Ok(())
}
