//! Other schedulers, traces and benchmarks of scheduling: one file a format, what they share in
//! `pool` and `item`.

mod batsim;
mod condor;
mod flux;
mod gpu_trace;
mod hyperqueue;
mod item;
mod job_shop;
mod nomad;
mod packing;
mod pbs;
mod pool;
mod psplib;
mod swf;

use super::format::Format;
use super::json_error;
use super::source::Text;
use super::table::Table;
use base::error::{Error, Result};
use model::Draft;

/// Keys of documents, and whose they are; none is one of our own.
const KEYS: [(&str, Format); 8] = [
    ("pbs_version", Format::Pbs),
    ("pbs_server", Format::Pbs),
    ("execution", Format::Flux),
    ("attributes", Format::Flux),
    ("nb_res", Format::Batsim),
    ("TaskGroups", Format::Nomad),
    ("Job", Format::Nomad),
    ("NodeResources", Format::Nomad),
];

/// Whose a JSON document is.
pub(super) fn of_json(text: &str) -> Option<Format> {
    if text.starts_with('[') {
        let has = |key: &str| text.contains(&format!("\"{key}\""));
        let one = |keys: &[&str]| keys.iter().any(|key| has(key));
        return match () {
            () if one(&["NodeResources", "ClientStatus", "TaskGroups"]) => Some(Format::Nomad),
            () if has("Machine") && one(&["Cpus", "TotalCpus"])
                || has("ClusterId") && has("JobStatus") =>
            {
                Some(Format::Condor)
            }
            () if has("configuration") && has("hostname") => Some(Format::HyperQueue),
            () => None,
        };
    }
    let keys: Vec<&'static str> = KEYS.iter().map(|(key, _)| *key).collect();
    let found = json_error::first_key(text, &keys)?;
    KEYS.iter().find(|(key, _)| *key == found).map(|(_, format)| *format)
}

/// Whose a text is, of those whose first line may look like a table.
pub(super) fn of_text(text: &str) -> Option<Format> {
    if text.starts_with(';') && swf::fits(text) {
        return Some(Format::Swf);
    }
    if psplib::fits(text) {
        return Some(Format::Psplib);
    }
    if hyperqueue::fits(text) {
        return Some(Format::HyperQueue);
    }
    (text.starts_with('#') && job_shop::fits(text)).then_some(Format::JobShop)
}

/// Whose a text of numbers is, exactly.
pub(super) fn of_numbers(text: &str) -> Option<Format> {
    type Fits = fn(&str) -> bool;
    let known: [(Fits, Format); 8] = [
        (job_shop::fits, Format::JobShop),
        (job_shop::fits_taillard, Format::Taillard),
        (psplib::fits_patterson, Format::Patterson),
        (packing::fits_library, Format::Binpack),
        (packing::fits_vectors, Format::VectorPacking),
        (packing::fits, Format::BinPacking),
        (job_shop::fits_flexible, Format::FlexibleJobShop),
        (swf::fits, Format::Swf),
    ];
    known.into_iter().find(|(fits, _)| fits(text)).map(|(_, format)| format)
}

/// Reads an instance in one of these formats.
///
/// # Errors
/// Those of the format.
pub(super) fn read(format: Format, texts: &[Text]) -> Result<Draft> {
    let Some(first) = texts.first().copied() else {
        return Err(Error::usage("there is no instance").help("name a file"));
    };
    match format {
        Format::Pbs => pbs::read(texts),
        Format::Flux => flux::read(texts),
        Format::Condor => condor::read(texts),
        Format::Nomad => nomad::read(texts),
        Format::HyperQueue => hyperqueue::read(texts),
        Format::Batsim => batsim::read(first),
        Format::Psplib => psplib::read(first),
        Format::Patterson => psplib::read_patterson(first),
        Format::JobShop => job_shop::read(first),
        Format::Taillard => job_shop::read_taillard(first),
        Format::FlexibleJobShop => job_shop::read_flexible(first),
        Format::BinPacking => packing::read(first),
        Format::Binpack => packing::read_library(first),
        Format::VectorPacking => packing::read_vectors(first),
        _ => swf::read(first),
    }
}

/// Why a table of jobs alone is no instance; `None` where it is not one of a trace.
pub(super) fn alone(source: Text) -> Option<Error> {
    gpu_trace::alone(&Table::open(source).ok()?)
}

/// Reads a table of jobs of a trace, and one of nodes.
///
/// # Errors
/// Cells that do not read; no nodes.
pub(super) fn read_trace(jobs: &Table, nodes: &Table) -> Result<Draft> {
    gpu_trace::read(jobs, nodes)
}

/// True for a table of jobs of a trace.
pub(super) fn is_trace(table: &Table) -> bool {
    gpu_trace::name_of(table).is_some()
}
