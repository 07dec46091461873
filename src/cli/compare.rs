//! `stowplan compare INSTANCE...`

use std::path::PathBuf;

use super::clock::Clock;
use super::goal::GoalArgs;
use super::input::{TableArgs, read};
use super::output::{Form, OutputArgs, say};
use super::params::ParamArgs;
use super::{Done, FAILED};
use base::error::Error;
use formats::{Running, Source};
use plan::compare::{Threshold, compare};
use plan::solve::Method;
use report;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Instance files, each an instance
    #[arg(value_name = "INSTANCE", required_unless_present = "tasks")]
    instances: Vec<PathBuf>,
    #[command(flatten)]
    tables: TableArgs,
    #[command(flatten)]
    goal: GoalArgs,
    #[command(flatten)]
    params: ParamArgs,
    /// Methods, separated by commas; `all` for every one, the best first
    #[arg(long, alias = "method", default_value = "auto,min-load", value_name = "LIST")]
    methods: String,
    /// Method the others are measured against [default: the first]
    #[arg(long, value_name = "METHOD")]
    reference: Option<String>,
    /// Fail when a row breaks this, as in 'gap>5%' or 'min-load:gap_to_reference>5%'
    #[arg(long, value_name = "THRESHOLD")]
    fail_above: Vec<String>,
    #[command(flatten)]
    output: OutputArgs,
    /// Tell on standard error what is done
    #[arg(short, long)]
    verbose: bool,
}

pub(super) fn run(args: Args) -> Done {
    let clock = Clock::new(args.verbose);
    let form = args.output.form("a comparison", &Form::PAGES)?;
    let names: Vec<&str> = match args.methods.trim() {
        "all" => Method::names(),
        list => list.split(',').map(str::trim).collect(),
    };
    let methods = names.into_iter().map(Method::parse).collect::<Result<Vec<_>, _>>()?;
    let reference = match &args.reference {
        Some(name) => Method::parse(name)?,
        None => methods[0],
    };
    if !methods.iter().any(|method| method.name() == reference.name()) {
        return Err(Error::usage(format!(
            "--reference {} is not among --methods",
            reference.name()
        )));
    }
    let thresholds =
        args.fail_above.iter().map(|text| Threshold::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let params = args.params.params(reference, None)?;
    let mut instances = Vec::new();
    if args.tables.tasks.is_some() {
        instances.push((
            "tables".to_owned(),
            args.goal.apply(read(Vec::new(), &args.tables, (&[], Running::Load), false)?)?,
        ));
    }
    for path in &args.instances {
        let instance = args.goal.apply(read(
            vec![Source::read(path)?],
            &args.tables,
            (&[], Running::Load),
            false,
        )?)?;
        instances.push((path.display().to_string(), instance));
    }
    let mut methods = methods;
    if args.methods.trim() == "all" {
        methods.retain(|method| {
            let lacks = instances.iter().find_map(|(_, i)| method.lacks(i, &params.policy));
            if let Some(lacks) = &lacks {
                say(&format!("left out: {lacks}"));
            }
            lacks.is_none()
        });
    }
    clock.lap("read");
    let mut comparison = compare(&instances, &methods, reference, &params, &thresholds, |row| {
        if args.verbose {
            let value = row.goal.first().map_or(f64::NAN, |tier| tier.value);
            say(&format!(
                "{} {} {} {value} {:.2} s",
                row.instance, row.method, row.status, row.seconds
            ));
        }
    })?;
    clock.lap("answered");
    let not_run = comparison.rows.iter().filter(|row| !row.ran).count();
    if not_run > 0 {
        let all = comparison.rows.len();
        say(&format!("time ran out before {not_run} of {all} rows: they are `unknown`"));
    }
    if args.methods.trim() == "all" {
        comparison.sort_by_rank();
    }
    let text = match form {
        Form::Json => report::comparison_json(&comparison),
        Form::Csv => report::comparison_csv(&comparison),
        Form::Markdown => report::comparison_markdown(&comparison),
        Form::Html => report::comparison_html(&comparison)?,
        _ => report::comparison_table(&comparison, args.output.width()),
    };
    args.output.write(form, &text)?;
    clock.lap("written");
    for (_, detail) in &comparison.failed {
        say(&format!("failed: {detail}"));
    }
    Ok(if comparison.failed.is_empty() { 0 } else { FAILED })
}
