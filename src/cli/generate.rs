//! `stowplan generate KIND`

use std::path::PathBuf;

use super::Done;
use super::output::write_to;
use base::error::{Error, Kind};
use formats::generate::{KINDS, Settings, generate, kind};
use formats::write_csv;

/// The kinds with their help, shown below the options.
fn kinds() -> String {
    let width = KINDS.iter().map(|kind| kind.name.len()).max().unwrap_or(0);
    let lines = KINDS.iter().map(|kind| {
        let source = if kind.reference.is_empty() {
            String::new()
        } else {
            format!(" [{}]", kind.reference)
        };
        format!("  {:width$}  {}{source}\n", kind.name, kind.help)
    });
    format!("Types:\n{}", lines.collect::<String>())
}

#[derive(Debug, clap::Args)]
#[command(after_help = kinds())]
pub(super) struct Args {
    /// Distribution, see below
    #[arg(value_name = "TYPE")]
    kind: String,
    /// Number of tasks
    #[arg(long, default_value_t = 100, value_name = "N")]
    tasks: usize,
    /// Number of nodes
    #[arg(long, default_value_t = 10, value_name = "M")]
    nodes: usize,
    /// Number of resources, for uniform, assignment, correlated and heavy-tailed
    #[arg(long, default_value_t = 2, value_name = "R")]
    resources: usize,
    /// Total demand over total capacity
    #[arg(long, default_value_t = 0.85, value_name = "FRACTION")]
    fill: f64,
    /// Longest time in seconds, for franca-uniform and franca-non-uniform
    #[arg(long, default_value_t = 100, value_name = "SECONDS")]
    longest: i64,
    /// Seed of everything random
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Give nodes prices
    #[arg(long)]
    priced: bool,
    /// Let demands vary: standard deviation as a part of the mean, give or take half of it
    #[arg(long, default_value_t = 0.0, value_name = "PART")]
    sd: f64,
    /// Write the JSON instance to a file instead of standard output
    #[arg(short = 'o', long = "out", value_name = "FILE", conflicts_with = "csv")]
    file: Option<PathBuf>,
    /// Write tasks.csv and nodes.csv (and pairs.csv) into this folder instead
    #[arg(long, value_name = "FOLDER")]
    csv: Option<PathBuf>,
}

pub(super) fn run(args: Args) -> Done {
    let draft = generate(&Settings {
        kind: kind(&args.kind)?,
        tasks: args.tasks,
        nodes: args.nodes,
        resources: args.resources,
        fill: args.fill,
        longest: args.longest,
        seed: args.seed,
        priced: args.priced,
        sd: args.sd,
    })?;
    let instance = draft.build().map_err(|error| Error::new(Kind::Usage, error.to_string()))?;
    match (&args.csv, &args.file) {
        (Some(folder), _) => super::convert::write_tables(folder, &write_csv(&instance)?)?,
        (None, file) => write_to(file.as_deref(), &super::convert::json(&instance)?)?,
    }
    Ok(0)
}
