//! Bytes to instances and plans, and back: one file a format, the format found
//! from the content.

mod as_written;
mod assignment;
mod backup_file;
mod beside;
mod change;
mod cloudbalancing;
mod csv;
mod csv_cells;
mod csv_write;
mod demand_file;
mod digest;
mod excerpt;
mod foreign;
mod format;
mod gap;
pub mod generate;
mod guard;
mod history;
mod history_slurm;
mod integers;
mod json;
mod json_error;
mod json_numbers;
mod json_place;
mod json_resources;
mod json_write;
mod kubernetes;
pub mod learn;
mod move_file;
mod openb;
mod part;
mod plan;
mod preempt;
mod roadef;
mod rule_file;
mod rule_write;
mod running;
mod samples;
mod scenario;
mod selection_file;
mod sheet;
mod slurm;
mod source;
mod sweep;
mod table;
mod time_file;
mod units;
mod values;
mod words;

pub use assignment::{read_plan, write_assignment};
pub use beside::{Beside, Eviction, Running};
pub use change::Change;
pub use csv_write::{CsvFiles, write_csv};
pub use digest::digest;
pub use format::Format;
pub use guard::guarded;
pub use history::{History, Run};
pub use json::schema;
pub use json_write::{write_instance, write_part};
pub use kubernetes::write_objects;
pub use part::Part;
pub use plan::read_claim;
pub use samples::Samples;
pub use scenario::{Scenario, read_scenarios};
pub use slurm::{write_script, write_timed_script};
pub use source::Source;
pub use sweep::{Settings, read_sweep};
pub use table::Columns;
pub use time_file::{parse_date, show_date};

use base::error::{Error, Result};
use excerpt::excerpted;
use model::{Draft, DraftError, DraftItem, Instance};
use source::Text;
use table::Table;

/// What an instance is read from.
#[derive(Clone, Debug)]
pub enum Input {
    /// One file that holds everything.
    One(Source),
    /// Several that hold it together, in formats that come so: what a cluster's tools print.
    Several(Vec<Source>),
    /// Tables.
    Tables {
        /// A row a task.
        tasks: Source,
        /// A row a node.
        nodes: Source,
        /// A row a pair of task and node, where cost or demand depends on both.
        pairs: Option<Source>,
        /// A row a rule between tasks.
        rules: Option<Source>,
    },
}

impl Input {
    /// The files named in place of an instance: one, or several parts.
    pub fn of(mut files: Vec<Source>) -> Input {
        match files.len() {
            1 => Input::One(files.remove(0)),
            _ => Input::Several(files),
        }
    }

    /// Every file of it.
    fn sources(&self) -> Vec<&Source> {
        match self {
            Input::One(source) => vec![source],
            Input::Several(sources) => sources.iter().collect(),
            Input::Tables { tasks, nodes, pairs, rules } => {
                [Some(tasks), Some(nodes), pairs.as_ref(), rules.as_ref()]
                    .into_iter()
                    .flatten()
                    .collect()
            }
        }
    }
}

/// An instance, and what was not understood on the way.
#[derive(Clone, Debug)]
pub struct Reading {
    /// What was read.
    pub instance: Instance,
    /// Parts of the input that would matter and are not planned with, each with its place.
    pub warnings: Vec<String>,
}

/// Reads and checks an instance; `forced` skips the detection of its format.
///
/// # Errors
/// Everything that [`read_draft`] refuses, and a draft that makes no instance:
/// no tasks, repeated ids, unknown names in pairs, quantities out of range; each
/// with the line or field.
pub fn read_instance(input: &Input, forced: Option<Format>) -> Result<Instance> {
    read_beside(input, forced, &Beside::default()).map(|reading| reading.instance)
}

/// The same with the nodes on which tasks run now taken from a plan, where one is given, and with
/// warnings about what was not understood.
///
/// # Errors
/// As for [`read_beside`].
pub fn read_running(
    input: &Input,
    forced: Option<Format>,
    current: Option<&Source>,
) -> Result<Reading> {
    read_beside(input, forced, &Beside { current, ..Beside::default() })
}

/// The same with all that stands beside it.
///
/// # Errors
/// As for [`read_instance`]; a plan that is none, or one for other tasks and nodes;
/// no plan where the format says nothing of where tasks run and its goal asks; samples of other
/// tasks; a change that cannot be made.
pub fn read_beside(input: &Input, forced: Option<Format>, beside: &Beside) -> Result<Reading> {
    let tables = beside.changes.iter().filter_map(Change::table);
    let sources = input.sources().into_iter().chain(beside.current).chain(tables);
    excerpted(build(input, forced, beside), &sources.collect::<Vec<&Source>>())
}

/// So many things left out are named where nothing is left to plan.
const LEFT_OUT: usize = 5;
/// Why an instance without tasks is none.
const NO_TASKS: &str = "there are no tasks";

fn build(input: &Input, forced: Option<Format>, beside: &Beside) -> Result<Reading> {
    let (format, mut draft) = parse(input, forced, beside)?;
    if let Some(learned) = beside.learned {
        learned.apply(&mut draft);
    }
    if let Some(samples) = beside.samples {
        samples.apply(&mut draft)?;
    }
    match (input, beside.current) {
        (_, Some(current)) => running::apply(&mut draft, current)?,
        (Input::One(source), None) if format == Format::Roadef => {
            let error = Error::input(&source.name, "the file does not say where processes run now");
            return Err(error.help("name the assignment with --current FILE"));
        }
        _ => {}
    }
    draft.start = beside.start.or(draft.start);
    if beside.running == Running::Evictable {
        preempt::apply(&mut draft);
    }
    units::name_bytes(&mut draft);
    let mut warnings = std::mem::take(&mut draft.warnings);
    let assumed = draft.assumptions.iter().map(ToString::to_string);
    let left_out: Vec<String> = warnings.iter().cloned().chain(assumed).take(LEFT_OUT).collect();
    beside.changes.iter().try_for_each(|change| change.apply(&mut draft))?;
    let instance = draft.build().map_err(|error| match beside.changes {
        [] if error.cause == NO_TASKS && !left_out.is_empty() => {
            let error = locate(input, format, &error);
            let remedy = format!("{}; what was left out: {}", error.remedy, left_out.join("; "));
            error.help(remedy)
        }
        [] => locate(input, format, &error),
        // Positions are not those of the files any more.
        _ => {
            Error::input(&input.sources()[0].name, error.cause).at("as changed").help(error.remedy)
        }
    })?;
    warnings.extend(units::suspicious(format, &instance));
    Ok(Reading { instance, warnings })
}

/// True for a file that is, or may be, only a part of an instance: one in a format that
/// comes in several files.
pub fn is_part(source: &Source) -> bool {
    let text = source.text();
    text.and_then(|text| Ok(detect(text)?.has_parts() && !kubernetes::is_plan(text)))
        .unwrap_or(false)
}

/// True when the input leaves it to a second file where tasks run now.
pub fn wants_current(input: &Input, forced: Option<Format>) -> bool {
    let Input::One(source) = input else { return false };
    let detected = || source.text().and_then(detect).ok();
    forced.or_else(detected) == Some(Format::Roadef)
}

/// True for files of a format that says what runs and that it could run elsewhere, see [`Running`].
pub fn may_run_elsewhere(files: &[Source], forced: Option<Format>) -> bool {
    let detected = || files.first().and_then(|source| detect(source.text().ok()?).ok());
    forced.or_else(detected) == Some(Format::Kubernetes)
}

/// Reads an instance without the checks that concern the problem as a whole.
///
/// # Errors
/// Text that is in no known format or in another than `forced`, and what is
/// wrong with a file in itself, with its line and column.
pub fn read_draft(input: &Input, forced: Option<Format>) -> Result<Draft> {
    excerpted(parse(input, forced, &Beside::default()).map(|(_, draft)| draft), &input.sources())
}

fn parse(input: &Input, forced: Option<Format>, beside: &Beside) -> Result<(Format, Draft)> {
    let tables = matches!(input, Input::Tables { .. });
    if let Some(format) = forced.filter(|format| format.has_tables() != tables) {
        let cause = if tables {
            format!("--tasks and --nodes hold no {} instance", format.name())
        } else {
            format!("{} instances come in two files", format.name())
        };
        let remedy = if tables {
            "give the instance as one file, without --tasks and --nodes"
        } else {
            TWO_TABLES
        };
        return Err(Error::usage(cause).help(remedy));
    }
    match input {
        Input::One(source) => {
            let text = source.text()?;
            let format = forced.map_or_else(|| detect(text), Ok)?;
            let draft = match format {
                Format::Gap => gap::read(text),
                Format::CloudBalancing => cloudbalancing::read(text),
                Format::Roadef => roadef::read(text),
                Format::Slurm => slurm::read(&[text], beside),
                Format::Kubernetes => kubernetes::read(&[text], beside),
                Format::Json | Format::Csv | Format::Openb | Format::GpuTrace => json::read(text),
                format => foreign::read(format, &[text]),
            };
            Ok((format, draft?))
        }
        Input::Several(sources) => {
            let format = format_of_parts(sources, forced)?;
            let texts: Vec<Text> = sources.iter().map(Source::text).collect::<Result<_>>()?;
            match format {
                Format::Slurm => Ok((format, slurm::read(&texts, beside)?)),
                Format::Kubernetes => Ok((format, kubernetes::read(&texts, beside)?)),
                format if format.has_parts() => Ok((format, foreign::read(format, &texts)?)),
                _ => Err(several(sources, format)),
            }
        }
        Input::Tables { tasks, nodes, pairs, rules } => {
            parse_tables(tasks, nodes, [pairs.as_ref(), rules.as_ref()], forced, &beside.columns)
        }
    }
}

/// The one format that all parts are in.
fn format_of_parts(sources: &[Source], forced: Option<Format>) -> Result<Format> {
    let mut known = forced;
    for source in sources {
        let format = forced.map_or_else(|| source.text().and_then(detect), Ok)?;
        if !format.has_parts() {
            return Err(several(sources, format).in_file(&source.name));
        }
        let first = *known.get_or_insert(format);
        if format != first {
            let (format, first) = (format.name(), first.name());
            let cause = format!("the format is {format}, of the files before it {first}");
            let remedy = "files that make one instance together are in one format";
            return Err(Error::input(&source.name, cause).help(remedy));
        }
    }
    known.ok_or_else(|| Error::usage("there is no instance").help("name a file"))
}

/// Several files for a format of one.
fn several(sources: &[Source], format: Format) -> Error {
    let names: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
    let cause = format!("{} instances are one file, here are {}", format.name(), names.join(", "));
    Error::usage(cause).help(if format.has_tables() { TWO_TABLES } else { "name one of them" })
}

fn parse_tables(
    tasks: &Source,
    nodes: &Source,
    [pairs, rules]: [Option<&Source>; 2],
    forced: Option<Format>,
    columns: &Columns,
) -> Result<(Format, Draft)> {
    let (tasks, nodes) = (Table::of(tasks, columns)?, Table::of(nodes, columns)?);
    let foreign = openb::is_nodes(&nodes) || openb::is_pods(&tasks) || openb::is_nodes(&tasks);
    let trace = foreign::is_trace(&tasks) && tasks.column("gpu_milli").is_none();
    let format = forced.unwrap_or(match (foreign, trace) {
        (true, _) => Format::Openb,
        (false, true) => Format::GpuTrace,
        (false, false) => Format::Csv,
    });
    if matches!(format, Format::Openb | Format::GpuTrace) {
        if let Some(more) = pairs.or(rules) {
            let cause = format!("{} instances have neither pairs nor rules", format.name());
            return Err(Error::usage(cause).in_file(&more.name).help("leave them away"));
        }
        return Ok(match format {
            Format::Openb => (format, openb::read(&tasks, &nodes)?),
            _ => (format, foreign::read_trace(&tasks, &nodes)?),
        });
    }
    let (tasks, nodes) = csv::aligned(tasks, nodes);
    let pairs = pairs.map(|pairs| Table::of(pairs, columns)).transpose()?;
    let rules = rules.map(|rules| Table::of(rules, columns)).transpose()?;
    Ok((format, csv::read(&tasks, &nodes, pairs.as_ref(), rules.as_ref())?))
}

const TWO_TABLES: &str = "give the tables with --tasks FILE --nodes FILE";

/// The format of a file that holds everything.
fn detect(source: Text) -> Result<Format> {
    let text = source.text.trim_start();
    if kubernetes::fits(text) {
        return Ok(Format::Kubernetes);
    }
    let foreign = text.starts_with(['{', '[']).then(|| foreign::of_json(text)).flatten();
    if let Some(format) = foreign {
        return Ok(format);
    }
    if text.starts_with('{') {
        let keys = ["nodes", "tasks", "computerList", "processList", "assignments"];
        let keys = [&keys[..], &slurm::KEYS].concat();
        return match json_error::first_key(text, &keys) {
            Some("computerList" | "processList") => Ok(Format::CloudBalancing),
            Some(key) if slurm::KEYS.contains(&key) => Ok(Format::Slurm),
            // Both have nodes: Slurm says beside them who wrote them.
            Some("nodes") => {
                let keys = [&["tasks"][..], &slurm::KEYS].concat();
                let next = json_error::first_key(text, &keys);
                let theirs =
                    next.map_or_else(|| slurm::has_nodes(text), |key| slurm::KEYS.contains(&key));
                Ok(if theirs { Format::Slurm } else { Format::Json })
            }
            Some("assignments") => {
                let remedy = "the instance comes first: are instance and plan swapped?";
                Err(source.error("this is a plan, not an instance").help(remedy))
            }
            _ => Ok(Format::Json),
        };
    }
    if text.starts_with('[') && foreign::of_text(text).is_none() {
        let cause = "an instance is a JSON object, the top level is a list";
        return Err(source.error(cause).help("write { \"nodes\": [...], \"tasks\": [...] }"));
    }
    if slurm::is_text(source) {
        return Ok(Format::Slurm);
    }
    if let Some(format) = foreign::of_text(text) {
        return Ok(format);
    }
    let line = text.lines().next().unwrap_or("");
    if line.contains([',', ';']) {
        if let Some(error) = foreign::alone(source) {
            return Err(error);
        }
        let cause = "this is one CSV table; an instance needs two, tasks and nodes";
        return Err(source.error(cause).help(TWO_TABLES));
    }
    if line.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+') {
        if gap::fits(text) {
            return Ok(Format::Gap);
        }
        if roadef::fits(text) {
            return Ok(Format::Roadef);
        }
        return Ok(match foreign::of_numbers(text) {
            Some(format) => format,
            None if roadef::resembles(text) => Format::Roadef,
            None => Format::Gap,
        });
    }
    if history_slurm::fits(text) {
        let cause = "these are runs that sacct knows, not an instance";
        let remedy =
            "give what `scontrol show node` and `scontrol show job` print, and this with --history";
        return Err(source.error(cause).help(remedy));
    }
    let names: Vec<&str> = Format::ALL.iter().map(|(_, name, _)| *name).collect();
    let remedy = format!("formats are {}; force one with --format", names.join(", "));
    Err(source.error("this is in no known instance format").help(remedy))
}

/// Where in the files a draft is wrong.
fn locate(input: &Input, format: Format, error: &DraftError) -> Error {
    let said = |file: &Source, place: String| {
        Error::input(&file.name, error.cause.clone()).at(place).help(error.remedy.clone())
    };
    match input {
        Input::One(source) if format == Format::Kubernetes => {
            kubernetes::explain(&source.name, error)
        }
        Input::Several(sources) => {
            let names: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
            match format {
                Format::Kubernetes => kubernetes::explain(&names.join(", "), error),
                _ => Error::input(names.join(", "), error.cause.clone()).help(&error.remedy),
            }
        }
        Input::One(source) => said(
            source,
            match (format, error.item) {
                (Format::Gap, DraftItem::Task(k)) => format!("task t{k}"),
                (Format::Gap, DraftItem::Node(k)) => format!("node n{k}"),
                (Format::CloudBalancing, DraftItem::Task(k)) => format!("processList[{k}]"),
                (Format::CloudBalancing, DraftItem::Node(k)) => format!("computerList[{k}]"),
                (Format::Roadef, DraftItem::Task(k)) => format!("process p{k}"),
                (Format::Roadef, DraftItem::Node(k)) => format!("machine m{k}"),
                (Format::Roadef, DraftItem::Ratio(k)) => format!("balance cost {k}"),
                (Format::Json, _) => json::place(error),
                _ => String::new(), // causes have the names
            },
        ),
        Input::Tables { tasks, nodes, pairs, rules } => {
            let of_pairs = pairs.as_ref().unwrap_or(tasks);
            let (file, row) = match error.item {
                DraftItem::Node(k) => (nodes, Some(k)),
                DraftItem::Pair(k) => (of_pairs, Some(k)),
                DraftItem::Task(k) => (tasks, Some(k)),
                DraftItem::Rule(k) => (rules.as_ref().unwrap_or(tasks), Some(k)),
                DraftItem::Whole if error.field == "price" => (nodes, None),
                DraftItem::Whole if error.field == "pairs" => (of_pairs, None),
                DraftItem::Route(_) | DraftItem::Ratio(_) => (nodes, None),
                DraftItem::Whole | DraftItem::Resource(_) => (tasks, None),
            };
            said(file, row.map_or_else(String::new, |row| place_in_table(file, row, error)))
        }
    }
}

/// `line N, column `cpu``, or the line alone where no one column is at fault.
fn place_in_table(file: &Source, row: usize, error: &DraftError) -> String {
    let Ok(table) = file.text().and_then(Table::open) else {
        return String::new();
    };
    let place = table.place_of_row(row);
    let column = error.field.strip_prefix("demand.").unwrap_or(&error.field);
    let column = column.strip_prefix("capacity.").unwrap_or(column);
    match table.column(column) {
        Some(_) => format!("{place}, column `{column}`"),
        None => place,
    }
}

#[cfg(test)]
mod tests;
