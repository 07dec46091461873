//! Slurm: what `sinfo`, `scontrol show node|job|partition` and `squeue` print, as text or with
//! `--json`, `topology.conf` and `slurm.conf`, in any number of files that make one instance together.

mod accounting;
mod amounts;
mod bounds;
mod cluster;
mod demand;
mod features;
mod fields;
mod job;
mod layout;
mod licences;
mod limits;
mod node;
mod owner;
mod partition;
mod pending;
mod places;
mod reservations;
mod script;
mod shape;
mod shards;
mod sums;
mod text;
mod times;
mod together;
mod topology;
mod topology_yaml;
mod waits;
mod weights;
mod whose;
mod words;

pub use script::{write_script, write_timed_script};

pub(super) use text::run_seconds;
pub(super) use words::mebibytes;

use rustc_hash::FxHashSet;
use serde_json::Value;

use self::amounts::Amounts;
use self::cluster::{Cluster, Node, PARTITION, Pending, Times};
use self::features::{FEATURE, YES};
use self::fields::At;
use self::layout::Planner;

use super::Beside;
use super::json_error;
use super::source::Text;
use base::error::{Error, Kind, Result};
use model::{
    Decimal, Direction, Draft, Labels, NodeDraft, PairDraft, ResourceDraft, TaskDraft, When,
};

/// Keys of Slurm's documents, none of which an instance of our own has.
pub(super) const KEYS: [&str; 8] =
    ["jobs", "sinfo", "partitions", "licenses", "qos", "associations", "reservations", "meta"];

/// True for a text that a command of Slurm's prints for people, or one of its configuration files.
pub(super) fn is_text(source: Text) -> bool {
    topology::is_topology(source)
        || topology_yaml::is_topology(source)
        || text::is_text(source.text)
}

/// True for an object with `nodes` as Slurm writes them, whatever is left of the rest.
pub(super) fn has_nodes(text: &str) -> bool {
    let list = text.split_once("\"nodes\"").map_or("", |(_, rest)| rest.trim_start());
    let list = list.strip_prefix(':').map_or("", |rest| rest.trim_start());
    let first = list.strip_prefix('[').map_or("", |rest| rest.trim_start());
    let keys = ["id", "capacity", "name", "hostname", "cpus", "real_memory"];
    let key = json_error::first_key(first, &keys);
    key.is_some_and(|key| !["id", "capacity"].contains(&key))
}

/// The key of documents made of `slurm.conf`.
const CONF: &str = "conf";

/// Load that ends, as a draft has it.
type Ending = (When, Vec<(u16, Decimal)>);

/// Reads the files. The plan starts when `beside` says, else when the newest thing in the files
/// happened.
///
/// # Errors
/// What is no JSON of Slurm's, fields of another kind, nodes and jobs that appear twice, no nodes
/// or no pending jobs; each with file and field.
pub(super) fn read(sources: &[Text], beside: &Beside) -> Result<Draft> {
    let times = Times::from(beside.start);
    let (now, untimed, named) = (beside.now, beside.untimed, beside.learned.is_some());
    let mut cluster = Cluster { times, named, now, untimed, ..Cluster::default() };
    let mut documents: Vec<(&str, Value)> = Vec::new();
    for source in sources {
        if topology::is_topology(*source) {
            cluster.topology = topology::read(*source)?;
        } else if topology_yaml::is_topology(*source) {
            cluster.topology = topology_yaml::read(*source)?;
        } else if source.text.trim_start().starts_with(['{', '[']) {
            documents.push((source.name, json_error::parse(*source)?));
        } else {
            documents.push((source.name, text::document(*source, &mut cluster.warnings)?));
        }
    }
    // Jobs are on nodes and in partitions, so those come first; what a controller says counts for
    // more than what its configuration does.
    let mut known = vec![false; documents.len()];
    type Reader = fn(&mut Cluster, &At) -> Result<()>;
    let readers: [(&str, bool, Reader); 11] = [
        ("nodes", false, node::read),
        ("sinfo", false, node::read_group),
        ("nodes", true, node::read),
        ("partitions", false, partition::read),
        ("partitions", true, partition::read),
        ("licenses", true, licences::read),
        ("licenses", false, licences::read),
        ("qos", false, accounting::qos),
        ("associations", false, accounting::association),
        ("reservations", false, reservations::read),
        ("jobs", false, job::read),
    ];
    for (key, conf, read) in readers {
        for ((name, document), known) in documents.iter().zip(&mut known) {
            let Some(list) = At::root(name, document).get(key) else { continue };
            *known = true;
            if document.get(CONF).is_some() != conf {
                continue;
            }
            if ["jobs", "reservations"].contains(&key) {
                cluster.times.happened(At::root(name, document).number("last_update")?);
            }
            for entry in list.entries()? {
                if !entry.is_object() {
                    return Err(entry.error("this is no object"));
                }
                if conf && cluster.is_stated(key, &entry)? {
                    continue;
                }
                cluster.jobs += usize::from(key == "jobs");
                if let Err(error) = read(&mut cluster, &entry) {
                    cluster.odd(key, &entry, &error);
                }
                if let Some(error) = cluster.fatal.take() {
                    return Err(error);
                }
                if !conf {
                    cluster.stated = cluster.nodes.len();
                }
            }
        }
    }
    let mut unknown = documents.iter().zip(known).filter(|(_, known)| !known);
    if let Some(((name, document), _)) = unknown.next() {
        let cause = if document.is_object() {
            "none of the keys `nodes`, `sinfo`, `jobs`, `partitions`, `licenses`, `qos`, `associations`, `reservations` is in it"
        } else {
            "this is no output of Slurm's: the top level is no object"
        };
        let remedy = "give what `scontrol show node --json` and `squeue --json` print";
        return Err(Error::input(*name, cause).help(remedy));
    }
    cluster.draft(sources)
}

impl Cluster {
    /// Whether a node or a partition of a configuration file is known from the controller.
    fn is_stated(&self, key: &str, entry: &At) -> Result<bool> {
        let name = entry.text("name")?;
        Ok(match key {
            "nodes" => self.at.get(&name).is_some_and(|node| *node < self.stated),
            "partitions" => self.limits.contains_key(&name),
            _ => false,
        })
    }

    /// Leaves out one entry that cannot be understood: the others can.
    fn odd(&mut self, key: &str, entry: &At, error: &Error) {
        let job = key == "jobs" && job::waits(entry);
        let (errs, what) = match (key, job) {
            ("jobs", true) => {
                (Direction::Either, "a pending job that is not understood is left out")
            }
            ("jobs", false) => (Direction::Wider, "a job that is not understood is left out"),
            ("partitions", _) => {
                (Direction::Wider, "a partition that is not understood lets all in")
            }
            ("licenses" | "qos" | "associations", _) => {
                (Direction::Wider, "limits that are not understood bind nobody")
            }
            ("reservations", _) => {
                (Direction::Wider, "a reservation that is not understood keeps nobody out")
            }
            _ => (Direction::Narrower, "a node that is not understood is left out"),
        };
        self.warnings.assume(errs, error.to_string(), what);
        if job {
            self.odd = true;
            self.out.push((error.to_string(), vec![entry.text("job_id").unwrap_or_default()]));
        }
    }

    /// The instance, once everything is read.
    fn draft(mut self, sources: &[Text]) -> Result<Draft> {
        let file = sources.first().map_or("", |source| source.name);
        if self.nodes.is_empty() {
            let told = self.warnings.first().map_or_else(String::new, |line| format!(": {line}"));
            let error = Error::input(file, format!("there are no nodes{told}"));
            return Err(error.help("add the file that `scontrol show node --json` prints"));
        }
        if self.pending.is_empty() {
            return Err(self.nothing(file));
        }
        self.doubts(file);
        self.set_times();
        self.keep();
        self.in_line();
        self.whole_jobs();
        if self.pending.is_empty() {
            return Err(self.nothing(file));
        }
        self.tell_out(file);
        self.share_cards();
        let mut draft = Draft { start: self.times.now, queue: true, ..Draft::default() };
        self.prefer_light(&mut draft);
        self.resources(&mut draft);
        for node in &self.nodes {
            draft.nodes.push(NodeDraft {
                id: node.name.clone(),
                capacity: quantities(&draft.resources, &node.has)?,
                used: quantities(&draft.resources, &node.used())?,
                ending: self.ending(node, &draft.resources)?,
                labels: self.labels(node),
                state: node.state,
                closed: (node.closed.iter())
                    .map(|(from, to)| (When::On(*from), When::On(*to)))
                    .collect(),
                ..NodeDraft::default()
            });
        }
        let labels = self.nodes.iter().map(|node| self.labels(node)).collect();
        let mut planner = Planner::new(labels);
        let mut tasks = Vec::with_capacity(self.pending.len());
        for k in 0..self.pending.len() {
            let layout = planner.lay_out(&mut self, k);
            let job = &self.pending[k];
            let parts = layout.tasks(job);
            let first = parts.first().map(|(_, each)| each.clone()).unwrap_or_default();
            tasks.push(draft.tasks.len()..draft.tasks.len() + parts.len());
            for (task, each) in parts {
                let demand = quantities(&draft.resources, &each)?;
                draft.tasks.push(TaskDraft { demand, ..task });
            }
            layout.rules(job, &mut draft);
            if job.shape.exclusive || job.shape.all_memory {
                self.whole(job, &first, &planner, &mut draft)?;
            }
        }
        self.together(&mut draft, &tasks);
        self.limit(&mut draft, &tasks)?;
        std::mem::take(&mut self.warnings).tell(&mut draft);
        Ok(draft)
    }

    /// Why there is nothing to plan.
    fn nothing(&self, file: &str) -> Error {
        let idle = |cause: String| match Error::input(file, cause) {
            error if self.odd => error,
            error => error.of(Kind::Idle),
        };
        if self.waiting > 0 {
            let list: Vec<String> = self.out.iter().map(|(why, ids)| left_out(why, ids)).collect();
            let list = list.join("; ");
            let cause = format!("none of {} pending jobs can start: {list}", self.waiting);
            return idle(cause).help("there is nothing to plan before that changes");
        }
        match self.jobs {
            0 => {
                let error = Error::input(file, "there are no jobs");
                error.help("add the file that `squeue --json` prints")
            }
            jobs => idle(format!("no job is pending among {jobs}: the queue is empty"))
                .help("there is nothing to plan"),
        }
    }

    /// In the order in which Slurm looks at them: the highest priority first, then the first that
    /// was submitted. Where only those that could start now are wanted, the others are left out.
    fn in_line(&mut self) {
        self.pending.sort_by_key(|job| (-job.task.priority, job.wishes.submitted));
        if !self.now {
            return;
        }
        let (mut out, mut kept) = (std::mem::take(&mut self.out), Vec::new());
        for job in std::mem::take(&mut self.pending) {
            match job.waits() {
                None => kept.push(job),
                Some(why) => match out.iter_mut().find(|(known, _)| *known == why) {
                    Some((_, list)) => list.push(job.task.id),
                    None => out.push((why, vec![job.task.id])),
                },
            }
        }
        (self.out, self.pending) = (out, kept);
    }

    /// Says which jobs cannot start whatever room there is.
    fn tell_out(&mut self, file: &str) {
        for (why, ids) in &self.out {
            let line = format!("left out, as it cannot start: {}", left_out(why, ids));
            self.warnings.add(format!("{file}: jobs"), line);
        }
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
        if self.topology.others {
            let cause =
                "partitions may have a topology of their own: that of the cluster is planned with";
            self.warnings.assume(Direction::Either, place("topology"), cause);
        }
        if self.topology.has_switches() {
            let lost = |node: &&Node| self.topology.labels(node.real()).is_empty();
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
        let wanted = self.pending.iter().flat_map(|job| job.shape.names());
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
        let mut labels = self.topology.labels(node.real());
        labels.extend(node.labels.iter().cloned());
        labels.extend(node.partitions.iter().map(|name| yes(PARTITION, name)));
        labels.extend(node.features.iter().map(|name| yes(FEATURE, name)));
        let mut same: Vec<_> = self.same.iter().collect();
        same.sort();
        for (key, names) in same {
            let has = |set: &&Vec<String>| set.iter().all(|name| node.features.contains(name));
            labels.extend(names.iter().find(has).map(|set| (key.clone(), set.join("&"))));
        }
        if self.by_name {
            labels.push(("node".to_owned(), node.real().clone()));
        }
        if self.by_disk {
            labels.push(("tmp_disk".to_owned(), node.disk.to_string()));
        }
        let mut seen = FxHashSet::default();
        labels.retain(|(key, _)| seen.insert(key.clone()));
        labels
    }

    /// A job that has its nodes to itself takes all CPUs and all generic resources of each; one
    /// that says nothing of memory all of that.
    fn whole(
        &self,
        job: &Pending,
        each: &Amounts,
        planner: &Planner,
        draft: &mut Draft,
    ) -> Result<()> {
        for k in planner.open(self, &job.task.requires) {
            let node = &self.nodes[k];
            let mut all = each.clone();
            if job.shape.exclusive {
                all.cpu = all.cpu.max(node.has.cpu);
                for (name, count) in &node.has.gres {
                    // What the node does not have, it still does not have.
                    let own = all.gres.entry(name.clone()).or_default();
                    *own = (*own).max(*count);
                }
            }
            if job.shape.all_memory {
                all.memory = node.has.memory;
            }
            if all == *each {
                continue;
            }
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

/// Most numbers of jobs that a message names.
const NAMED: usize = 5;

/// Which jobs are left out, and why.
fn left_out(why: &str, ids: &[String]) -> String {
    let named = ids[..ids.len().min(NAMED)].join(", ");
    match ids.len() {
        n if n > NAMED => format!("{named} and {} more ({why})", n - NAMED),
        _ => format!("{named} ({why})"),
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
