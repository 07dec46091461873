//! Partitions: which nodes are in one, and which jobs it lets have what.

use super::cluster::Cluster;
use super::fields::At;
use super::limits::{Lists, Partition};
use super::shape::Shape;
use super::{times, words};
use base::error::Result;
use model::Direction;

/// Whether a job starts in any of its partitions.
pub(super) enum Entry {
    /// In these.
    Open(Vec<String>),
    /// In none, and why.
    Out(String),
}

/// An entry of `partitions`: its nodes and its limits.
pub(super) fn read(cluster: &mut Cluster, at: &At) -> Result<()> {
    let name = at.text("name")?;
    let nodes = at.get("nodes").map_or(Ok(String::new()), |nodes| nodes.text("configured"))?;
    for host in words::hosts(&nodes).map_err(|cause| at.wrong("nodes.configured", cause))? {
        if let Some(node) = cluster.at.get(&host).copied() {
            let partitions = &mut cluster.nodes[node].partitions;
            if !partitions.contains(&name) {
                partitions.push(name.clone());
            }
        }
    }
    limits(cluster, at)
}

/// What a partition lets jobs have.
pub(super) fn limits(cluster: &mut Cluster, at: &At) -> Result<()> {
    let mut own = Partition { starts: true, ..Partition::default() };
    if let Some(most) = at.get("maximums") {
        let set = |key: &str| -> Result<Option<i64>> {
            Ok(most.number(key)?.filter(|number| *number > 0))
        };
        own.most_nodes = set("nodes")?;
        own.most_time = set("time")?;
        own.most_cpus = set("cpus_per_node")?;
        let shares = match most.get("oversubscribe").filter(At::is_object) {
            Some(list) => list.number("jobs")?,
            None => most.number("shares")?,
        };
        own.exclusive = shares == Some(0);
        own.shared = shares.is_some_and(|most| most & 0x7fff > 1);
    }
    let state = at.get("partition").map_or(Ok(Vec::new()), |part| part.words("state"))?;
    let stands = |state: &String| ["DOWN", "INACTIVE"].contains(&state.to_uppercase().as_str());
    own.starts = !state.iter().any(stands);
    let lists = |key: &str, list: &str| -> Result<Vec<String>> {
        let words = at.get(key).map_or(Ok(Vec::new()), |part| part.words(list))?;
        Ok(if words.iter().any(|word| word.eq_ignore_ascii_case("all")) { vec![] } else { words })
    };
    let all = |list: &str| -> Result<Lists> {
        let (qos, accounts) = (lists("qos", list)?, lists("accounts", list)?);
        Ok(Lists { qos, accounts, groups: lists("groups", list)? })
    };
    own.qos = at.get("qos").map_or(Ok(String::new()), |part| part.text("assigned"))?;
    (own.allowed, own.denied) = (all("allowed")?, all("deny")?);
    cluster.limits.insert(at.text("name")?, own);
    times::partition(cluster, at)
}

/// Those of its partitions that let the job start as it is, or why none does.
pub(super) fn admitted(
    cluster: &mut Cluster,
    at: &At,
    partitions: &[String],
    shape: &mut Shape,
) -> Result<Entry> {
    let (mut open, mut why, mut exclusive) = (Vec::new(), None, false);
    for name in partitions {
        let Some(own) = cluster.limits.get(name).cloned() else {
            open.push(name.clone());
            continue;
        };
        if let Some(cause) = own.refuses(at, shape)? {
            why.get_or_insert(format!("partition `{name}` {cause}"));
            continue;
        }
        exclusive |= own.exclusive;
        own.doubts(cluster, at, name, shape)?;
        open.push(name.clone());
    }
    if let (true, Some(why)) = (open.is_empty(), why) {
        return Ok(Entry::Out(why));
    }
    shape.exclusive |= exclusive;
    Ok(Entry::Open(open))
}

impl Partition {
    /// Why the job does not start in the partition as it is.
    fn refuses(&self, at: &At, shape: &Shape) -> Result<Option<String>> {
        let among = |list: &[String], own: &str| list.iter().any(|name| name == own);
        if !self.starts {
            return Ok(Some("is down".to_owned()));
        }
        if let Some(most) = self.most_nodes.filter(|most| shape.least > *most) {
            return Ok(Some(format!("lets a job have {most} nodes")));
        }
        let minutes = at.number("time_limit")?;
        let endless = at.endless("time_limit");
        if let Some(most) = self.most_time.filter(|most| endless || minutes > Some(*most)) {
            return Ok(Some(format!("lets a job run {most} minutes")));
        }
        if let Some(most) = self.most_cpus.filter(|most| shape.least_cpus() > *most) {
            return Ok(Some(format!("lets jobs have {most} CPUs of a node")));
        }
        for (what, key, allowed, denied) in [
            ("QOS", "qos", &self.allowed.qos, &self.denied.qos),
            ("account", "account", &self.allowed.accounts, &self.denied.accounts),
        ] {
            let own = at.text(key)?;
            let named = !own.is_empty();
            if named && (among(denied, &own) || !allowed.is_empty() && !among(allowed, &own)) {
                return Ok(Some(format!("does not let the {what} `{own}` in")));
            }
        }
        Ok(None)
    }

    /// What the partition says and the plan does not keep.
    fn doubts(&self, cluster: &mut Cluster, at: &At, name: &str, shape: &mut Shape) -> Result<()> {
        let warnings = &mut cluster.warnings;
        if let Some(most) = self.most_nodes {
            shape.most = Some(shape.most.unwrap_or(most).min(most));
        }
        let group = at.text("group_name")?;
        if !self.allowed.groups.is_empty() && !self.allowed.groups.contains(&group) {
            let cause = format!(
                "partition `{name}` lets some groups in, and not the first of this user: taken as let in"
            );
            warnings.assume(Direction::Wider, at.path_of("group_name"), cause);
        }
        if self.shared {
            let cause = format!("partition `{name}` lets jobs share CPUs: planned as their own");
            warnings.assume(Direction::Narrower, at.path_of("partition"), cause);
        }
        if let Some(most) = self.most_cpus {
            shape.most_cpus = Some(shape.most_cpus.unwrap_or(most).min(most));
            let cause = format!(
                "partition `{name}` lets all its jobs have {most} CPUs of a node: each job alone keeps it"
            );
            warnings.assume(Direction::Wider, at.path_of("partition"), cause);
        }
        Ok(())
    }
}
