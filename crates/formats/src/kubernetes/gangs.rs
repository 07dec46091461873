//! Pod groups as gangs: as many waiting members as are wanting are placed all or none.

use rustc_hash::FxHashMap;

use super::cluster::Cluster;
use model::{Ask, Direction, RuleDraft, Whom};

/// Adds a rule for every group whose running members are too few.
pub(super) fn add(cluster: &mut Cluster, rules: &mut Vec<RuleDraft>) {
    let mut running: FxHashMap<&str, i64> = FxHashMap::default();
    for group in cluster.running.iter().filter_map(|pod| pod.group.as_deref()) {
        *running.entry(group).or_insert(0) += 1;
    }
    let mut at: FxHashMap<&str, usize> = FxHashMap::default();
    let mut members: Vec<(&str, Vec<usize>)> = Vec::new();
    for (k, pod) in cluster.waiting.iter().enumerate() {
        let Some(group) = pod.group.as_deref() else { continue };
        let next = members.len();
        let place = *at.entry(group).or_insert(next);
        if place == next {
            members.push((group, Vec::new()));
        }
        members[place].1.push(k);
    }
    let mut told = Vec::new();
    for (group, mut members) in members {
        let pod = &cluster.waiting[members[0]];
        let place = cluster.show(pod.place, &pod.id);
        let Some(least) = cluster.groups.get(group) else {
            let what = format!("the pod group `{group}` is not there: it asks nothing");
            told.push((Direction::Wider, place, what));
            continue;
        };
        let wanting = (*least - running.get(group).copied().unwrap_or(0)).max(0);
        if i64::try_from(members.len()).is_ok_and(|there| there < wanting) {
            let what = format!(
                "the pod group `{group}` lacks {} members to begin",
                wanting - members.len() as i64
            );
            told.push((Direction::Wider, place.clone(), what));
        }
        if i64::try_from(members.len()).is_ok_and(|there| there > wanting) && wanting > 0 {
            let what = format!(
                "any {wanting} of {} members of the pod group `{group}` would do: the first are taken",
                members.len()
            );
            told.push((Direction::Narrower, place, what));
        }
        members.truncate(usize::try_from(wanting).unwrap_or(usize::MAX));
        if members.len() > 1 {
            rules.push(RuleDraft {
                name: Some(format!("pod group {group}")),
                ask: Ask::Gang,
                over: "node".to_owned(),
                whom: Whom::Tasks(members.iter().map(|k| cluster.waiting[*k].id.clone()).collect()),
                near: None,
                limit: None,
                present: Vec::new(),
            });
        }
    }
    for (errs, place, what) in told {
        cluster.warnings.assume(errs, &place, "", &what);
    }
}
