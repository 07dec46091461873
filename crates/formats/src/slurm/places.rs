//! Where a pending job may run: its partition, constraint, nodes by name, local disk, and switches.

use super::cluster::{Cluster, PARTITION};
use super::features::{Constraint, YES, constraint, selection, there};
use super::fields::At;
use super::shape::{Shape, Within};
use super::topology::SWITCH;
use super::words::hosts;
use base::error::Result;
use model::{Ask, Decimal, Direction, Preference, Requirement, Selection};

/// Partition, constraint, nodes by name and local disk.
pub(super) fn requirement(
    cluster: &mut Cluster,
    at: &At,
    shape: &Shape,
    partitions: &[String],
    within: &mut Within,
) -> Result<Requirement> {
    let mut asks = Requirement::default();
    let mut either: Vec<Vec<Selection>> = Vec::new();
    let mut one_of = |asks: &mut Requirement, list: Vec<Selection>| match list.len() {
        1 => asks.any_of.extend(list.into_iter().flat_map(|one| one.any_of)),
        _ => either.push(list),
    };
    if cluster.partitioned() && !partitions.is_empty() {
        let label = |name: &String| (format!("{PARTITION}{name}"), vec![YES.to_owned()]);
        let one = |name| Selection { any_of: vec![label(name)], ..Selection::default() };
        one_of(&mut asks, partitions.iter().map(one).collect());
    }
    let text = at.text("features")?;
    if !text.is_empty() {
        match constraint(&text).map_err(|cause| at.wrong("features", cause))? {
            Constraint::AnyOf(list) => {
                one_of(&mut asks, list.iter().map(|one| selection(one)).collect());
            }
            Constraint::Counted(list) => {
                let cause = "counts of features are not planned with: each node has one of them";
                cluster.warnings.assume(Direction::Wider, at.path_of("features"), cause);
                one_of(&mut asks, list.iter().map(|one| selection(one)).collect());
            }
            Constraint::Same(sets) => {
                let joined: Vec<String> = sets.iter().map(|set| set.join("&")).collect();
                let key = format!("constraint:[{}]", joined.join("|"));
                asks.any_of.push(there(key.clone()));
                if !shape.is_single() {
                    within.push((Ask::Together, key.clone()));
                }
                cluster.same.insert(key, sets);
            }
        }
    }
    asks.either = match &either[..] {
        [] => Vec::new(),
        [one] => one.clone(),
        [one, two, ..] => {
            let both = |a: &Selection, b: &Selection| Selection {
                any_of: sorted([a.any_of.clone(), b.any_of.clone()].concat()),
                ..Selection::default()
            };
            one.iter().flat_map(|a| two.iter().map(move |b| both(a, b))).collect()
        }
    };
    let list = |key: &str| hosts(&at.text(key)?).map_err(|cause| at.wrong(key, cause));
    let (needs, not) = (list("required_nodes")?, list("excluded_nodes")?);
    if needs.len() as i64 == shape.least || shape.is_single() && !needs.is_empty() {
        asks.any_of.push(("node".to_owned(), needs));
        cluster.by_name = true;
    } else if !needs.is_empty() {
        let cause = "the job asks for some of its nodes by name and for others: not planned with";
        cluster.warnings.assume(Direction::Wider, at.path_of("required_nodes"), cause);
    }
    if !not.is_empty() {
        asks.none_of.push(("node".to_owned(), not));
        cluster.by_name = true;
    }
    asks.any_of.extend(selection(&shape.needs).any_of);
    let disk = at.number("minimum_tmp_disk_per_node")?.unwrap_or(0);
    if disk > 0 {
        asks.any_of.push(("tmp_disk".to_owned(), vec![format!(">{}", disk - 1)]));
        cluster.by_disk = true;
    }
    asks.any_of = sorted(asks.any_of);
    let text = at.text("prefer")?;
    if !text.is_empty() {
        match constraint(&text) {
            Ok(Constraint::AnyOf(list)) if list.len() == 1 => {
                let labels = selection(&list[0]);
                asks.prefers.push(Preference { labels, weight: Decimal::ONE });
            }
            _ => {
                let cause = "only preferences for one set of features are planned with";
                cluster.warnings.assume(Direction::Either, at.path_of("prefer"), cause);
            }
        }
    }
    Ok(asks)
}

fn sorted(mut list: Vec<(String, Vec<String>)>) -> Vec<(String, Vec<String>)> {
    list.sort();
    list.dedup();
    list
}

/// All nodes at one switch, or at few; in whole segments of blocks.
pub(super) fn switches(
    cluster: &mut Cluster,
    at: &At,
    shape: &mut Shape,
    within: &mut Within,
) -> Result<()> {
    // The name of 25.05 and later, and that of earlier versions.
    for key in ["required_switches", "minimum_switches"] {
        let most = at.number(key)?.unwrap_or(0);
        if most == 0 {
            continue;
        }
        if !cluster.topology.has_switches() {
            let cause = "the job wants few switches, and which node hangs where is not said: add topology.conf";
            cluster.warnings.assume(Direction::Wider, at.path_of(key), cause);
            break;
        }
        let at_most = u32::try_from(most).unwrap_or(u32::MAX);
        within.push(match at_most {
            1 => (Ask::Together, SWITCH.to_owned()),
            _ => (Ask::Spread { at_least: 1, at_most, max_skew: None }, SWITCH.to_owned()),
        });
        break;
    }
    let segment = at.number("segment_size")?.filter(|segment| *segment > 0);
    if segment.is_some() && !cluster.topology.has_blocks() {
        let cause = "the job wants segments of blocks, and which node is in which block is not said: add the topology";
        cluster.warnings.assume(Direction::Wider, at.path_of("segment_size"), cause);
    } else if let Some(segment) = segment {
        shape.segment = Some(segment);
    } else if cluster.topology.has_blocks() {
        let cause = "jobs on several nodes are planned in as many blocks as it takes";
        cluster.warnings.assume(Direction::Wider, at.path_of("node_count"), cause);
    }
    Ok(())
}
