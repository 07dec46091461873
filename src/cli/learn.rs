//! `stowplan learn RUNS`

use std::path::PathBuf;

use super::Done;
use super::output::{Form, OutputArgs};
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
    let form = args.output.form("lessons", &Form::TEXTS)?;
    let lesson = learn(&History::read(&Source::read(&args.runs)?)?);
    let text = match form {
        Form::Json => report::lesson_json(&lesson),
        Form::Csv => report::lesson_csv(&lesson),
        Form::Markdown => report::lesson_markdown(&lesson),
        _ => report::lesson_table(&lesson),
    };
    args.output.write(form, &text)?;
    Ok(0)
}
