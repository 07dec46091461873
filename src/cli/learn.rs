//! `stowplan learn RUNS`

use std::path::PathBuf;

use super::Done;
use super::output::{Form, OutputArgs};
use base::error::Error;
use formats::learn::learn;
use formats::{History, Source};
use report;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Table of earlier runs: `kind`, where known `node` and `seconds`, and a column a resource
    #[arg(value_name = "RUNS")]
    runs: PathBuf,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(args: Args) -> Done {
    let lesson = learn(&History::read(&Source::read(&args.runs)?)?);
    args.output.write(&match args.output.form() {
        Form::Table => report::lesson_table(&lesson),
        Form::Json => report::lesson_json(&lesson),
        Form::Csv => report::lesson_csv(&lesson),
        Form::Markdown => report::lesson_markdown(&lesson),
        Form::Sol => return Err(Error::usage("--output sol is for plans")),
        Form::Svg => return Err(Error::usage("--output svg is for plans in time and frontiers")),
        Form::Html => return Err(Error::usage("--output html is for plans and comparisons")),
    })?;
    Ok(0)
}
