//! `sacctmgr show qos --json` and `sacctmgr show assoc --json`: what jobs of a quality of service, of a
//! user or of an account may have together, and each by itself.

use super::bounds::{Association, Bound, Bounds, Qos, Tally};
use super::cluster::Cluster;
use super::fields::At;
use base::error::Result;
use model::Direction;

/// An entry of `qos`.
pub(super) fn qos(cluster: &mut Cluster, at: &At) -> Result<()> {
    let name = at.text("name")?;
    if name.is_empty() {
        return Err(at.error("the QOS has no name"));
    }
    let limits = at.way(&["limits", "max"]);
    let jobs = limits.as_ref().and_then(|max| max.get("jobs"));
    // Where the form knows only one kind of count by user, it is that of jobs that run.
    let active = jobs.as_ref().map(|jobs| jobs.get("active_jobs").unwrap_or(jobs.clone()));
    let of = |key: &str| -> Result<Option<i64>> {
        active.as_ref().and_then(|jobs| jobs.get("per")).map_or(Ok(None), |per| per.number(key))
    };
    let tres = limits.as_ref().and_then(|max| max.get("tres"));
    let sum = |way: &[&str]| tally(tres.as_ref().and_then(|tres| tres.way(way)));
    let number = |way: [&str; 2]| -> Result<Option<i64>> {
        let of = limits.as_ref().and_then(|max| max.way(&way[..1]));
        of.map_or(Ok(None), |of| of.number(way[1]))
    };
    let wall = limits.as_ref().and_then(|max| max.way(&["wall_clock", "per"]));
    let bounds = Bounds {
        group: Bound { jobs: number(["active_jobs", "count"])?, tres: sum(&["total"])? },
        user: Bound { jobs: of("user")?, tres: sum(&["per", "user"])? },
        account: Bound { jobs: of("account")?, tres: sum(&["per", "account"])? },
        most: sum(&["per", "job"])?,
        least: tally(at.way(&["limits", "min", "tres", "per", "job"]))?,
        wall: wall.as_ref().map_or(Ok(None), |wall| wall.number("job"))?,
    };
    let minutes = ["qos", "job", "account", "user", "total"];
    let mut other = wall.as_ref().map_or(Ok(None), |wall| wall.number("qos"))?.is_some();
    for key in minutes {
        let per = sum(&["minutes", "per", key])?;
        other |= !per.is_empty() || !sum(&["minutes", key])?.is_empty();
    }
    if other {
        tell(cluster, at, "what a QOS lets jobs use over time (minutes) is not planned with");
    }
    if !sum(&["per", "node"])?.is_empty() {
        tell(cluster, at, "what a QOS lets jobs have of each node is not planned with");
    }
    let first = at.words("flags")?.iter().any(|flag| flag == "OVERRIDE_PARTITION_QOS");
    cluster.qos.insert(name, Qos { bounds, first });
    Ok(())
}

/// An entry of `associations`.
pub(super) fn association(cluster: &mut Cluster, at: &At) -> Result<()> {
    let max = at.get("max");
    let of = |way: &[&str]| max.as_ref().and_then(|max| max.way(way));
    let number = |way: &[&str], key: &str| -> Result<Option<i64>> {
        of(way).map_or(Ok(None), |of| of.number(key))
    };
    let id = match at.get("id").filter(At::is_object) {
        Some(id) if id.get("id").is_some() => id.number("id")?,
        _ => at.number("id")?,
    };
    let bounds = Bounds {
        group: Bound {
            jobs: number(&["jobs", "per"], "count")?,
            tres: tally(of(&["tres", "total"]))?,
        },
        user: Bound { jobs: number(&["jobs"], "active")?, tres: Vec::new() },
        account: Bound::default(),
        most: tally(of(&["tres", "per", "job"]))?,
        least: Vec::new(),
        wall: number(&["jobs", "per"], "wall_clock")?,
    };
    let over_time = [
        tally(of(&["tres", "group", "minutes"]))?,
        tally(of(&["tres", "group", "active"]))?,
        tally(of(&["tres", "minutes", "total"]))?,
        tally(of(&["tres", "minutes", "per", "job"]))?,
    ];
    let wall = number(&["per", "account"], "wall_clock")?.is_some();
    if wall || over_time.iter().any(|list| !list.is_empty()) {
        tell(cluster, at, "what an association lets jobs use over time is not planned with");
    }
    if !tally(of(&["tres", "per", "node"]))?.is_empty() {
        tell(cluster, at, "what an association lets jobs have of each node is not planned with");
    }
    cluster.associations.push(Association {
        number: id.unwrap_or(0),
        cluster: at.text("cluster")?,
        account: at.text("account")?,
        parent: at.text("parent_account")?,
        user: at.text("user")?,
        partition: at.text("partition")?,
        bounds,
    });
    Ok(())
}

fn tell(cluster: &mut Cluster, at: &At, cause: &str) {
    cluster.warnings.assume(Direction::Wider, at.path_of("max"), cause);
}

/// `[{"type": "gres", "name": "gpu", "count": 8}]`
fn tally(list: Option<At>) -> Result<Tally> {
    let mut found = Vec::new();
    for entry in list.map_or(Ok(Vec::new()), |list| list.entries())? {
        let (kind, name) = (entry.text("type")?, entry.text("name")?);
        let key = if name.is_empty() { kind } else { format!("{kind}/{name}") };
        if entry.text("count")?.starts_with('-') {
            continue; // a limit that was taken away
        }
        found.extend(entry.number("count")?.map(|count| (key, count)));
    }
    Ok(found)
}

impl Cluster {
    /// The job's association, then those of its account and of the accounts above.
    pub(super) fn associations_of(&self, owner: &super::owner::Owner) -> Vec<&Association> {
        let here = |one: &&Association| {
            owner.cluster.is_empty() || one.cluster.is_empty() || one.cluster == owner.cluster
        };
        let all = || self.associations.iter().filter(here);
        let by_number = all().find(|one| one.number > 0 && one.number == owner.association);
        let mine = |one: &&Association| one.user == owner.user && one.account == owner.account;
        let within = |one: &&Association| owner.partitions.contains(&one.partition);
        let own = by_number
            .or_else(|| all().filter(mine).find(within))
            .or_else(|| all().filter(mine).find(|one| one.partition.is_empty()));
        let mut list: Vec<&Association> = own.into_iter().collect();
        let mut account = own.map_or(&owner.account, |own| &own.account);
        // A circle of accounts is none that Slurm makes; it ends after all of them.
        for _ in 0..self.associations.len() {
            let Some(above) = all().find(|one| one.user.is_empty() && one.account == *account)
            else {
                break;
            };
            if list.iter().any(|known| std::ptr::eq(*known, above)) {
                break;
            }
            list.push(above);
            account = &above.parent;
        }
        list
    }
}
