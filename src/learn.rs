//! Robust estimates from earlier runs: durations and demands of kinds of tasks, speeds of nodes.
//!
//! Medians say where runs lie, median absolute deviations (times 1.4826, which makes them standard
//! deviations of a normal distribution; Hampel 1974, DOI 10.1080/01621459.1974.10482962) how far from
//! there; a kind with few runs leans on what other kinds do. Speeds come from median polish (Tukey
//! 1977) of the logarithms of seconds.

use std::collections::BTreeMap;

use crate::format::{History, Run};
use crate::model::{Estimate, KindEstimates, Learned};

/// Makes a median absolute deviation the standard deviation of a normal distribution.
const NORMAL: f64 = 1.4826;
/// Runs that what other kinds do counts like.
const PRIOR: f64 = 4.0;
/// Runs from which on a kind says something about others.
const ENOUGH: usize = 5;
/// Rounds of median polish.
const ROUNDS: usize = 20;

/// What runs teach.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lesson {
    /// By kind of task.
    pub learned: Learned,
    /// Nodes in the order of names: runs, and speed where the usual node has 1.
    pub speeds: Vec<(String, usize, f64)>,
    /// What was left out, and why.
    pub ignored: Vec<String>,
}

/// Learns from runs.
pub fn learn(history: &History) -> Lesson {
    let mut ignored = Vec::new();
    if history.nameless > 0 {
        ignored.push(format!("{} rows without a kind", history.nameless));
    }
    let mut kinds: BTreeMap<&str, Vec<&Run>> = BTreeMap::new();
    for run in &history.runs {
        kinds.entry(&run.kind).or_default().push(run);
    }
    let zero = history.runs.iter().filter(|run| run.seconds == Some(0.0)).count();
    if zero > 0 {
        ignored.push(format!("{zero} runs of 0 seconds, for durations"));
    }
    let speeds = speeds(&kinds, &mut ignored);
    let speed = |node: &str| speeds.iter().find(|s| s.0 == node).map_or(1.0, |s| s.2);
    let seconds = |run: &&Run| {
        run.seconds.filter(|seconds| *seconds > 0.0).map(|seconds| seconds * speed(&run.node))
    };
    let columns: Vec<BTreeMap<&str, Vec<f64>>> = (0..history.resources.len())
        .map(|r| values(&kinds, |run| run.used[r]))
        .chain([values(&kinds, |run| seconds(&run))])
        .collect();
    let relative: Vec<Option<f64>> = columns.iter().map(usual_spread).collect();
    let mut learned = Learned::default();
    for (kind, runs) in &kinds {
        let mut estimate = |column: usize, what: &str| {
            let seen = columns[column].get(kind)?;
            let estimate = robust(seen, relative[column]);
            if estimate.is_none() {
                ignored.push(format!("{what} of `{kind}`: one run, and no other kind says how far runs spread"));
            }
            estimate
        };
        let demand = history.resources.iter().enumerate();
        let demand = demand.filter_map(|(r, name)| Some((name.clone(), estimate(r, name)?))).collect();
        let seconds = estimate(history.resources.len(), "seconds");
        let kind = (*kind).to_owned();
        learned.kinds.push(KindEstimates { kind, runs: runs.len(), seconds, demand });
    }
    Lesson { learned, speeds, ignored }
}

/// What is known of each kind; kinds of which nothing is known are left out.
fn values<'a>(
    kinds: &BTreeMap<&'a str, Vec<&Run>>,
    of: impl Fn(&Run) -> Option<f64>,
) -> BTreeMap<&'a str, Vec<f64>> {
    let own = |runs: &Vec<&Run>| -> Vec<f64> { runs.iter().filter_map(|run| of(run)).collect() };
    kinds.iter().map(|(kind, runs)| (*kind, own(runs))).filter(|(_, v)| !v.is_empty()).collect()
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        n if n % 2 == 1 => sorted[half],
        _ => 0.5 * (sorted[half - 1] + sorted[half]),
    }
}

/// Median and spread, which is 0 for a single value.
fn middle(values: &[f64]) -> (f64, f64) {
    let middle = median(values);
    let far: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
    (middle, NORMAL * median(&far))
}

/// Spread over middle of the usual kind, among those that ran often enough.
fn usual_spread(column: &BTreeMap<&str, Vec<f64>>) -> Option<f64> {
    let often = column.values().filter(|seen| seen.len() >= ENOUGH).map(|seen| middle(seen));
    let relative: Vec<f64> =
        often.filter(|(middle, _)| *middle > 0.0).map(|(middle, spread)| spread / middle).collect();
    (!relative.is_empty()).then(|| median(&relative))
}

/// The estimate; the fewer runs, the more it leans on the usual spread. `None` where nothing says how
/// far a single run may be off.
fn robust(seen: &[f64], usual: Option<f64>) -> Option<Estimate> {
    let (middle, spread) = middle(seen);
    let own = (seen.len() - 1) as f64;
    let spread = match usual {
        Some(usual) => {
            let usual = usual * middle;
            ((own * spread * spread + PRIOR * usual * usual) / (own + PRIOR)).sqrt()
        }
        None if seen.len() > 1 => spread,
        None => return None,
    };
    Some(Estimate { runs: seen.len(), middle, spread })
}

/// How fast nodes are: what a run takes is taken for the product of something of its kind and
/// something of its node. The usual node has 1.
fn speeds(kinds: &BTreeMap<&str, Vec<&Run>>, ignored: &mut Vec<String>) -> Vec<(String, usize, f64)> {
    let mut cells: Vec<(&str, &str, f64)> = Vec::new();
    for (kind, runs) in kinds {
        let known = runs.iter().filter(|run| !run.node.is_empty());
        let timed = known.filter_map(|run| Some((run, run.seconds.filter(|s| *s > 0.0)?)));
        cells.extend(timed.map(|(run, seconds)| (*kind, run.node.as_str(), libm::log(seconds))));
    }
    let mut nodes: BTreeMap<&str, f64> = cells.iter().map(|(_, node, _)| (*node, 0.0)).collect();
    let mut own: BTreeMap<&str, f64> = cells.iter().map(|(kind, _, _)| (*kind, 0.0)).collect();
    // Only kinds that ran on several nodes say how nodes compare.
    let shared = |kind: &str| {
        let mut on = cells.iter().filter(|(known, _, _)| *known == kind).map(|(_, node, _)| *node);
        let first = on.next();
        on.any(|node| Some(node) != first)
    };
    let compared: Vec<&(&str, &str, f64)> = {
        let known: BTreeMap<&str, bool> = own.keys().map(|kind| (*kind, shared(kind))).collect();
        cells.iter().filter(|(kind, _, _)| known[kind]).collect()
    };
    for _ in 0..ROUNDS {
        for (kind, middle) in &mut own {
            let left = compared.iter().filter(|cell| cell.0 == *kind).map(|cell| cell.2 - nodes[cell.1]);
            *middle = median(&left.collect::<Vec<f64>>());
        }
        for (node, middle) in &mut nodes {
            let left = compared.iter().filter(|cell| cell.1 == *node).map(|cell| cell.2 - own[cell.0]);
            *middle = median(&left.collect::<Vec<f64>>());
        }
    }
    let seen: Vec<f64> =
        nodes.iter().filter(|(n, _)| compared.iter().any(|cell| cell.1 == **n)).map(|(_, m)| *m).collect();
    let usual = median(&seen);
    let mut list = Vec::new();
    for (node, middle) in nodes {
        let runs = compared.iter().filter(|cell| cell.1 == node).count();
        if runs == 0 {
            ignored.push(format!("speed of `{node}`: no kind ran there and elsewhere"));
            continue;
        }
        list.push((node.to_owned(), runs, libm::exp(usual - middle)));
    }
    list
}
