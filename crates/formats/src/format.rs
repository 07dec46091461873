//! The formats an instance can be in, with their names.

use base::error::{Error, Result};

/// The formats an instance can be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The project's own JSON.
    Json,
    /// The project's own tables.
    Csv,
    /// Generalized assignment, as in the OR-Library.
    Gap,
    /// Cloud balancing.
    CloudBalancing,
    /// The openb cluster trace.
    Openb,
    /// Machine reassignment, as in the ROADEF/EURO challenge 2012.
    Roadef,
    /// What Slurm's commands print of nodes and jobs.
    Slurm,
    /// Objects of the Kubernetes API.
    Kubernetes,
    /// What PBS Professional and OpenPBS print of nodes and jobs.
    Pbs,
    /// Resource sets and jobspecs of Flux.
    Flux,
    /// Ads of HTCondor's slots and jobs.
    Condor,
    /// Nodes, allocations and jobs of Nomad.
    Nomad,
    /// Job files and workers of HyperQueue.
    HyperQueue,
    /// Workloads of Batsim.
    Batsim,
    /// The Standard Workload Format.
    Swf,
    /// Traces of GPU clusters: Philly, Helios, PAI.
    GpuTrace,
    /// Project scheduling as in PSPLIB.
    Psplib,
    /// Project scheduling as Patterson wrote it.
    Patterson,
    /// Job shops: lines of machine and duration.
    JobShop,
    /// Job shops: Taillard's two tables.
    Taillard,
    /// Flexible job shops.
    FlexibleJobShop,
    /// Bin packing: items, capacity, sizes.
    BinPacking,
    /// Bin packing, as in the OR-Library.
    Binpack,
    /// Vector bin packing.
    VectorPacking,
}

impl Format {
    /// Every format with its name and one line of help.
    pub const ALL: [(Format, &'static str, &'static str); 24] = [
        (Format::Json, "json", "one JSON instance"),
        (Format::Csv, "csv", "a table of tasks and a table of nodes, pairs optional"),
        (Format::Gap, "gap", "generalized assignment: integers as in the OR-Library"),
        (Format::CloudBalancing, "cloudbalancing", "JSON with computerList and processList"),
        (Format::Openb, "openb", "the openb cluster trace: tables of pods and nodes"),
        (
            Format::Roadef,
            "roadef",
            "machine reassignment: integers as in the ROADEF challenge 2012",
        ),
        (
            Format::Slurm,
            "slurm",
            "scontrol show node|job, sinfo, squeue, as text or JSON; topology.conf, slurm.conf",
        ),
        (Format::Kubernetes, "kubernetes", "nodes, pods and manifests of Kubernetes, JSON or YAML"),
        (Format::Pbs, "pbs", "pbsnodes -a -F json, qstat -f -F json"),
        (Format::Flux, "flux", "a resource set (RFC 20) and jobspecs of Flux"),
        (Format::Condor, "condor", "condor_status -json, condor_q -json"),
        (Format::Nomad, "nomad", "nodes, allocations and jobs of Nomad's API"),
        (Format::HyperQueue, "hyperqueue", "a job file and the workers of HyperQueue"),
        (Format::Batsim, "batsim", "a workload of Batsim"),
        (Format::Swf, "swf", "the Standard Workload Format: 18 numbers a job"),
        (
            Format::GpuTrace,
            "gpu-trace",
            "jobs of the Philly, Helios or PAI trace, and a table of nodes",
        ),
        (Format::Psplib, "psplib", "project scheduling, one mode (.sm)"),
        (Format::Patterson, "patterson", "project scheduling (.rcp)"),
        (Format::JobShop, "job-shop", "lines of machine and duration (.jsp)"),
        (Format::Taillard, "taillard", "a job shop as two tables, Times and Machines"),
        (
            Format::FlexibleJobShop,
            "flexible-job-shop",
            "operations with the machines that can do them (.fjs)",
        ),
        (Format::BinPacking, "bin-packing", "items, capacity, sizes (.bpp)"),
        (Format::Binpack, "binpack", "bin packing as in the OR-Library"),
        (Format::VectorPacking, "vector-packing", "bins and items of several dimensions (.vbp)"),
    ];

    /// The name used in flags.
    pub fn name(self) -> &'static str {
        Format::ALL.iter().find(|(format, _, _)| *format == self).map_or("", |(_, name, _)| name)
    }

    /// The format called `name`.
    ///
    /// # Errors
    /// A name that is not in [`Format::ALL`], with the nearest one that is.
    pub fn parse(name: &str) -> Result<Format> {
        Format::ALL
            .iter()
            .find(|row| row.1 == name)
            .map(|row| row.0)
            .ok_or_else(|| Error::unknown("format", name, &Format::ALL.map(|(_, known, _)| known)))
    }

    /// True for formats that may come in several files.
    pub(super) fn has_parts(self) -> bool {
        use Format::{Condor, Flux, HyperQueue, Kubernetes, Nomad, Pbs, Slurm};
        matches!(self, Slurm | Kubernetes | Pbs | Flux | Condor | Nomad | HyperQueue)
    }

    /// True for formats of two tables.
    pub(super) fn has_tables(self) -> bool {
        matches!(self, Format::Csv | Format::Openb | Format::GpuTrace)
    }
}
