//! What Slurm's commands print for people, and its configuration files, as the documents that its
//! JSON would be: what reads those reads these.

mod columns;
mod conf;
mod fill;
mod job;
mod kind;
mod records;
mod rows;
mod table;
mod values;

use serde_json::{Map, Value, json};

use self::fill::Filler;
use self::kind::Kind;
use self::records::{Record, head, records};
use self::rows::Row;
use self::values::{Entry, put, shares};

pub(super) use self::rows::name_of;
pub(in super::super) use self::values::seconds as run_seconds;

use super::super::source::Text;
use super::fields::Warnings;
use base::error::Result;
use model::Direction;

/// How commands say that there is nothing, and of what.
const NOTHING: [(&str, &str); 4] = [
    ("No jobs in the system", "jobs"),
    ("No reservations in the system", "reservations"),
    ("No licenses configured in Slurm", "licenses"),
    ("No partitions in the system", "partitions"),
];

/// Fields that records of `scontrol` have, and lines of `slurm.conf` have not.
const STATED: [&str; 6] =
    ["CPUTot=", "JobState=", "TotalNodes=", "NodeCnt=", "Total=", "CPUAlloc="];

fn kind(text: &str) -> Option<Kind> {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next()?.trim();
    if let Some((_, of)) = NOTHING.iter().find(|(words, _)| first.starts_with(words)) {
        return Some(Kind::Nothing(of));
    }
    if head(first).is_some() && STATED.iter().any(|key| text.contains(key)) {
        return Some(Kind::Records);
    }
    if let Some(kind) = conf::kind(text) {
        return Some(kind);
    }
    // The long forms begin with the date.
    let second = lines.next().unwrap_or("").trim();
    [first, second].into_iter().find_map(table::kind)
}

/// True for what is a text of Slurm's.
pub(super) fn is_text(text: &str) -> bool {
    kind(text).is_some()
}

/// The documents that Slurm would print of this as JSON.
///
/// # Errors
/// Texts that are none of Slurm's, or say too little to plan with, with the command that says more.
pub(super) fn document(source: Text, told: &mut Warnings) -> Result<Value> {
    match kind(source.text) {
        Some(Kind::Records) => Ok(of_records(source, told)),
        Some(Kind::Jobs) => table::jobs(source, told),
        Some(Kind::Nodes) => table::nodes(source, told),
        Some(Kind::Conf) => conf::read(source, told),
        Some(Kind::Gres) => {
            let cause = "gres.conf is left out: `Gres` of NodeName lines says what nodes have";
            told.add(source.name.to_owned(), cause);
            Ok(json!({"nodes": []}))
        }
        Some(Kind::Nothing(of)) => Ok(json!({of: []})),
        None => {
            let cause = "this is none of Slurm's texts that are known";
            let remedy = "give what `scontrol show node` and `scontrol show job` print, or squeue and sinfo with --json";
            Err(source.error(cause).help(remedy))
        }
    }
}

/// The list that records with a head are in, and the fields that they have.
fn list_of(head: &str) -> (&'static str, &'static [Row]) {
    match head {
        "NodeName" => ("nodes", rows::NODE),
        "JobId" => ("jobs", rows::JOB),
        "PartitionName" => ("partitions", rows::PARTITION),
        "ReservationName" => ("reservations", rows::RESERVATION),
        _ => ("licenses", rows::LICENCE),
    }
}

fn of_records(source: Text, told: &mut Warnings) -> Value {
    let known = |head: &str, key: &str| list_of(head).1.iter().any(|row| row.0 == key);
    let mut documents: Map<String, Value> = Map::new();
    let mut seen = job::Seen::new();
    for record in records(source.text, known) {
        let (list, rows) = list_of(record.head);
        let name = record.fields.first().map_or("", |(_, name)| name);
        let place = format!("line {}, {}={name}", record.line, record.head);
        let mut filler = Filler::new(source.name, place, told);
        for (key, value) in &record.fields {
            filler.field(rows, key, value);
        }
        let entry = match record.head {
            "NodeName" => node(filler, &record),
            "JobId" => job::finish(filler, &record, &mut seen),
            "PartitionName" => partition(filler, &record),
            "ReservationName" => reservation(filler, &record),
            _ => filler.entry,
        };
        let entries = documents.entry(list.to_owned()).or_insert_with(|| json!([]));
        if let Value::Array(entries) = entries {
            entries.push(Value::Object(entry));
        }
    }
    // What runs says when this was printed.
    if let Some(taken) = seen.taken {
        documents.insert("last_update".to_owned(), json!(taken));
    }
    Value::Object(documents)
}

fn node(mut filler: Filler, record: &Record) -> Entry {
    let count = |key: &str| record.value(key).and_then(|text| text.parse::<u64>().ok());
    // Versions before 22.05 do not say what is left of the CPUs.
    if let (None, Some(all), Some(special)) =
        (count("CPUEfctv"), count("CPUTot"), count("CoreSpecCount"))
    {
        let special = special.saturating_mul(count("ThreadsPerCore").unwrap_or(1));
        put(&mut filler.entry, "effective_cpus", json!(all.saturating_sub(special)));
    }
    let said = record.value("GresUsed").is_some()
        || ["CfgTRES", "AllocTRES"]
            .into_iter()
            .any(|key| record.value(key).is_some_and(|text| text.contains("gres/")));
    let busy = count("CPUAlloc").is_some_and(|cpus| cpus > 0);
    if record.value("Gres").is_some() && !said && busy {
        let cause = "what is taken of generic resources is not said of the node: only what running jobs ask is planned with; `scontrol -d show node` says it";
        filler.assume(Direction::Wider, "Gres", cause);
    }
    filler.entry
}

fn partition(mut filler: Filler, record: &Record) -> Entry {
    for key in ["OverSubscribe", "Shared"] {
        if let Some(text) = record.value(key) {
            put(&mut filler.entry, "maximums.shares", shares(text));
        }
    }
    filler.entry
}

fn reservation(mut filler: Filler, record: &Record) -> Entry {
    let flags = record.value("Flags").unwrap_or("");
    let flags: Vec<&str> = flags.split(',').filter(|flag| !flag.is_empty()).collect();
    put(&mut filler.entry, "flags", json!(flags));
    filler.entry
}

#[cfg(test)]
mod tests;
