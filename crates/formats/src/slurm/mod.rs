//! Slurm: what `sinfo`, `scontrol show node|job|partition` and `squeue` print with `--json`, and
//! `topology.conf`, in any number of files that make one instance together.

mod cluster;
mod features;
mod fields;
mod job;
mod node;
mod partition;
mod script;
mod times;
mod topology;
mod words;

pub use script::{write_script, write_timed_script};

use rustc_hash::FxHashSet;
use serde_json::Value;

use self::cluster::{Amounts, Cluster, Node, PARTITION, Pending, Times};
use self::features::{FEATURE, YES};
use self::fields::At;

use super::json_error;
use super::source::Text;
use base::error::{Error, Result};
use model::{
    Decimal, Draft, Labels, NodeDraft, NodeState, PairDraft, ResourceDraft, TaskDraft, When,
};

/// Keys of Slurm's documents, none of which an instance of our own has.
pub(super) const KEYS: [&str; 4] = ["jobs", "sinfo", "partitions", "meta"];

/// True for the text of a `topology.conf`.
pub(super) fn is_topology(source: Text) -> bool {
    topology::is_topology(source)
}

/// Load that ends, as a draft has it.
type Ending = (When, Vec<(u16, Decimal)>);

/// Reads the files. The plan starts at `start`, in seconds since 1970, else when the newest
/// thing in the files happened.
///
/// # Errors
/// What is no JSON of Slurm's, fields of another kind, nodes and jobs that appear twice, no nodes
/// or no pending jobs; each with file and field.
pub(super) fn read(sources: &[Text], start: Option<i64>) -> Result<Draft> {
    let mut cluster = Cluster { times: Times::from(start), ..Cluster::default() };
    let mut documents: Vec<(&str, Value)> = Vec::new();
    for source in sources {
        if is_topology(*source) {
            cluster.topology = topology::read(*source)?;
        } else {
            documents.push((source.name, json_error::parse(*source)?));
        }
    }
    // Jobs are on nodes and in partitions, so those come first.
    let mut known = vec![false; documents.len()];
    type Reader = fn(&mut Cluster, &At) -> Result<()>;
    let readers: [(&str, Reader); 4] = [
        ("nodes", node::read),
        ("sinfo", node::read_group),
        ("partitions", partition::read),
        ("jobs", job::read),
    ];
    for (key, read) in readers {
        for ((name, document), known) in documents.iter().zip(&mut known) {
            let Some(list) = At::root(name, document).get(key) else { continue };
            *known = true;
            if key == "jobs" {
                cluster.times.happened(At::root(name, document).number("last_update")?);
            }
            for entry in list.entries()? {
                if !entry.is_object() {
                    return Err(entry.error("this is no object"));
                }
                cluster.jobs += usize::from(key == "jobs");
                read(&mut cluster, &entry)?;
            }
        }
    }
    let mut unknown = documents.iter().zip(known).filter(|(_, known)| !known);
    if let Some(((name, document), _)) = unknown.next() {
        let cause = if document.is_object() {
            "none of the keys `nodes`, `sinfo`, `jobs`, `partitions` is in it"
        } else {
            "this is no output of Slurm's: the top level is no object"
        };
        let remedy = "give what `scontrol show node --json` and `squeue --json` print";
        return Err(Error::input(*name, cause).help(remedy));
    }
    cluster.draft(sources)
}

impl Cluster {
    /// The instance, once everything is read.
    fn draft(mut self, sources: &[Text]) -> Result<Draft> {
        let file = sources.first().map_or("", |source| source.name);
        if self.nodes.is_empty() {
            let error = Error::input(file, "there are no nodes");
            return Err(error.help("add the file that `scontrol show node --json` prints"));
        }
        if self.pending.is_empty() {
            let cause = format!("no job is pending among {}: there is nothing to plan", self.jobs);
            let error = Error::input(file, cause);
            return Err(error.help("add the file that `squeue --json` prints"));
        }
        self.doubts(file);
        self.set_times();
        let mut draft = Draft { start: self.times.now, ..Draft::default() };
        self.resources(&mut draft);
        for node in &self.nodes {
            draft.nodes.push(NodeDraft {
                id: node.name.clone(),
                capacity: quantities(&draft.resources, &node.has)?,
                used: quantities(&draft.resources, &node.used())?,
                ending: self.ending(node, &draft.resources)?,
                labels: self.labels(node),
                state: node.state,
                ..NodeDraft::default()
            });
        }
        for job in &self.pending {
            let demand = quantities(&draft.resources, &job.each)?;
            draft.tasks.push(TaskDraft { demand, ..job.task.clone() });
            if job.exclusive {
                self.alone(job, &mut draft)?;
            }
        }
        draft.warnings = self.warnings.lines();
        Ok(draft)
    }

    /// Says what makes no sense only when everything is known.
    fn doubts(&mut self, file: &str) {
        let place = |what: &str| format!("{file}: {what}");
        if self.partitioned() {
            let there: FxHashSet<&String> =
                self.nodes.iter().flat_map(|node| &node.partitions).collect();
            for name in self.pending.iter().flat_map(|job| &job.partitions) {
                if !there.contains(name) {
                    let cause = format!("no node is in partition `{name}`");
                    self.warnings.add(place("jobs[].partition"), cause);
                }
            }
        }
        if self.topology.has_switches() {
            let lost = |node: &&Node| self.topology.labels(&node.name).is_empty();
            for node in self.nodes.iter().filter(lost) {
                let cause = "the topology does not say where the node hangs";
                self.warnings.add(place(&format!("node `{}`", node.name)), cause);
            }
        }
    }

    /// CPUs and memory; generic ones that a node has or a job wants, and their types where a
    /// job names one.
    fn resources(&self, draft: &mut Draft) {
        for (name, unit) in [("cpu", "cpu"), ("memory", "byte")] {
            let unit = Some(unit.to_owned());
            draft.resources.push(ResourceDraft {
                name: name.to_owned(),
                unit,
                ..ResourceDraft::default()
            });
        }
        let wanted = self.pending.iter().flat_map(|job| job.each.gres.keys());
        let had = self.nodes.iter().flat_map(|node| node.has.gres.keys());
        let mut names: Vec<&String> =
            had.filter(|name| !name.contains(':')).chain(wanted).collect();
        names.sort();
        names.dedup();
        names.iter().for_each(|name| {
            draft.resource(name);
        });
    }

    /// What running jobs give back, where it is known when that is.
    fn ending(&self, node: &Node, resources: &[ResourceDraft]) -> Result<Vec<Ending>> {
        let known = self.times.now.map_or(&[][..], |_| &node.ending);
        let each = known.iter().map(|(end, amounts)| {
            Ok((When::On(*end), quantities(resources, &node.typed(amounts.clone()))?))
        });
        each.collect()
    }

    fn labels(&self, node: &Node) -> Labels {
        let yes = |prefix: &str, name: &String| (format!("{prefix}{name}"), YES.to_owned());
        let mut labels = self.topology.labels(&node.name);
        labels.extend(node.partitions.iter().map(|name| yes(PARTITION, name)));
        labels.extend(node.features.iter().map(|name| yes(FEATURE, name)));
        let mut same: Vec<_> = self.same.iter().collect();
        same.sort();
        for (key, names) in same {
            let own = names.iter().find(|name| node.features.contains(*name));
            labels.extend(own.map(|name| (key.clone(), name.clone())));
        }
        if self.by_name {
            labels.push(("node".to_owned(), node.name.clone()));
        }
        if self.by_disk {
            labels.push(("tmp_disk".to_owned(), node.disk.to_string()));
        }
        let mut seen = FxHashSet::default();
        labels.retain(|(key, _)| seen.insert(key.clone()));
        labels
    }

    /// A job that has its nodes to itself takes all CPUs and all generic resources of each.
    fn alone(&self, job: &Pending, draft: &mut Draft) -> Result<()> {
        let open = |node: &&Node| {
            let inside = job.partitions.iter().any(|name| node.partitions.contains(name));
            node.state == NodeState::Ready
                && (inside || !self.partitioned() || job.partitions.is_empty())
        };
        for node in self.nodes.iter().filter(open) {
            let all = Amounts { memory: job.each.memory, ..node.has.clone() };
            // What the node does not have, it still does not have.
            let mut all = all;
            for (name, count) in &job.each.gres {
                let own = all.gres.entry(name.clone()).or_default();
                *own = (*own).max(*count);
            }
            all.cpu = all.cpu.max(job.each.cpu);
            draft.pairs.push(PairDraft {
                task: job.task.id.clone(),
                node: node.name.clone(),
                demand: quantities(&draft.resources, &all)?,
                ..PairDraft::default()
            });
        }
        Ok(())
    }
}

/// Amounts as quantities of the resources that are planned with.
fn quantities(resources: &[ResourceDraft], amounts: &Amounts) -> Result<Vec<(u16, Decimal)>> {
    let mut list = Vec::with_capacity(resources.len());
    for (r, resource) in resources.iter().enumerate() {
        let amount = match resource.name.as_str() {
            "cpu" => amounts.cpu,
            "memory" => amounts.memory.saturating_mul(1 << 20),
            name => amounts.gres.get(name).copied().unwrap_or(0),
        };
        let amount =
            Decimal::from_integer(amount).map_err(|error| Error::usage(error.to_string()))?;
        list.push((r as u16, amount));
    }
    Ok(list)
}

#[cfg(test)]
mod tests;
