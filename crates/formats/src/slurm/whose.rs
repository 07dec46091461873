//! Reads whose a job is, and its licences.

use std::collections::BTreeMap;

use super::amounts::Amounts;
use super::cluster::Cluster;
use super::fields::At;
use super::owner::Owner;
use super::words::{MOST, Tres, numbers};
use base::error::Result;
use model::Direction;

/// What the job's fields say of whose it is; `total` is what it takes.
pub(super) fn owner(cluster: &mut Cluster, at: &At, total: &Tres) -> Result<Owner> {
    let set = |number: Option<i64>| number.filter(|number| *number > 0);
    let mut user = at.text("user_name")?;
    if user.is_empty() {
        user = at.text("user_id")?;
    }
    let text = at.text("array_task_string")?;
    let most = text.split_once('%').and_then(|(_, most)| most.trim_end_matches(']').parse().ok());
    let mut amounts = Amounts {
        cpu: total.cpu.unwrap_or(0),
        memory: total.memory.unwrap_or(0),
        ..Amounts::default()
    };
    amounts.add_gres(&total.gres);
    Ok(Owner {
        user,
        account: at.text("account")?,
        qos: at.text("qos")?,
        cluster: at.text("cluster")?,
        partitions: at.words("partition")?,
        association: at.number("association_id")?.unwrap_or(0),
        name: at.text("name")?,
        number: at.number("job_id")?.unwrap_or(0),
        array: set(at.number("array_job_id")?.or(at.number("job_id")?)).filter(|_| {
            !text.is_empty() || at.number("array_task_id").is_ok_and(|index| index.is_some())
        }),
        at_once: set(at.number("array_max_tasks")?).or(most),
        het: set(at.number("het_job_id")?),
        parts: numbers(&at.text("het_job_id_set")?, MOST).map_or(0, |list| list.len()),
        reservations: at.words("resv_name")?,
        licences: licences(cluster, at, total)?,
        total: amounts,
        nodes: total.nodes.unwrap_or(1),
    })
}

/// `ansys:2,matlab@server:1`; where only the totals say it, `license/ansys=2` among these.
fn licences(cluster: &mut Cluster, at: &At, total: &Tres) -> Result<BTreeMap<String, i64>> {
    let mut found = BTreeMap::new();
    let allocated = at.text("licenses_allocated")?;
    let text = if allocated.is_empty() { at.text("licenses")? } else { allocated };
    if text.contains(['|', ';']) {
        let cause = "one of several licences is wanted: not planned with";
        cluster.warnings.assume(Direction::Wider, at.path_of("licenses"), cause);
        return Ok(found);
    }
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        if matches!(part, "(null)" | "none") {
            continue;
        }
        let (name, count) = part.rsplit_once([':', '*', '=']).unwrap_or((part, "1"));
        let count: i64 = count
            .trim()
            .parse()
            .map_err(|_| at.wrong("licenses", format!("`{part}` is no licence such as ansys:2")))?;
        if !(0..=1_000_000_000).contains(&count) {
            return Err(at.wrong("licenses", format!("`{part}` is out of range")));
        }
        *found.entry(name.trim().to_owned()).or_default() += count;
    }
    if text.is_empty() {
        for other in &total.others {
            let own = other.strip_prefix("license/").and_then(|own| own.split_once('='));
            if let Some((name, Ok(count))) = own.map(|(name, n)| (name, n.trim().parse::<i64>())) {
                found.insert(name.to_owned(), count.clamp(0, 1_000_000_000));
            }
        }
    }
    found.retain(|_, count| *count > 0);
    Ok(found)
}
