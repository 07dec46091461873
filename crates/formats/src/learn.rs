//! Robust estimates from earlier runs: durations and demands of kinds of tasks, speeds of nodes.
//!
//! Medians say where runs lie, median absolute deviations (times 1.4826, which makes them standard
//! deviations of a normal distribution; Hampel 1974, DOI 10.1080/01621459.1974.10482962) how far from
//! there; a kind with few runs leans on what other kinds do. Speeds come from median polish (Tukey
//! 1977) of the logarithms of seconds.

use std::collections::BTreeMap;

use crate::{History, Run};
use model::{Estimate, KindEstimates, Learned, NodeSpeed};

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
    /// By kind of task and by node.
    pub learned: Learned,
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
    let mut learned = Learned { speeds, ..Learned::default() };
    let speed = |node: &str| learned.speed(node).unwrap_or(1.0);
    let seconds = |run: &&Run| {
        run.seconds.filter(|seconds| *seconds > 0.0).map(|seconds| seconds * speed(&run.node))
    };
    let columns: Vec<BTreeMap<&str, Vec<f64>>> = (0..history.resources.len())
        .map(|r| values(&kinds, |run| run.used[r]))
        .chain([values(&kinds, |run| seconds(&run))])
        .collect();
    let relative: Vec<Option<f64>> = columns.iter().map(usual_spread).collect();
    for (kind, runs) in &kinds {
        let mut estimate = |column: usize, what: &str| {
            let seen = columns[column].get(kind)?;
            let estimate = robust(seen, relative[column]);
            if estimate.is_none() {
                ignored.push(format!(
                    "{what} of `{kind}`: one run, and no other kind says how far runs spread"
                ));
            }
            estimate
        };
        let demand = history.resources.iter().enumerate();
        let demand =
            demand.filter_map(|(r, name)| Some((name.clone(), estimate(r, name)?))).collect();
        let seconds = estimate(history.resources.len(), "seconds");
        let kind = (*kind).to_owned();
        learned.kinds.push(KindEstimates { kind, runs: runs.len(), seconds, demand });
    }
    Lesson { learned, ignored }
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

/// Runs that say how nodes compare, by positions in lists of kinds and nodes.
struct Cells<'a> {
    kinds: usize,
    nodes: Vec<&'a str>,
    /// Kind, node, logarithm of seconds.
    all: Vec<(usize, usize, f64)>,
}

impl<'a> Cells<'a> {
    fn of(kinds: &BTreeMap<&str, Vec<&'a Run>>) -> Cells<'a> {
        let mut at: BTreeMap<&str, usize> = BTreeMap::new();
        let timed = |run: &&'a Run| !run.node.is_empty() && run.seconds.is_some_and(|s| s > 0.0);
        for run in kinds.values().flatten().filter(|run| timed(run)) {
            at.insert(&run.node, 0);
        }
        at.values_mut().enumerate().for_each(|(k, place)| *place = k);
        let mut all = Vec::new();
        for (k, runs) in kinds.values().enumerate() {
            for run in runs.iter().filter(|run| timed(run)) {
                let seconds = run.seconds.unwrap_or(1.0);
                all.push((k, at[run.node.as_str()], libm::log(seconds)));
            }
        }
        Cells { kinds: kinds.len(), nodes: at.into_keys().collect(), all }
    }

    /// Only kinds that ran on several nodes say how these compare.
    fn compared(&self) -> Vec<(usize, usize, f64)> {
        let mut seen: Vec<Option<(usize, bool)>> = vec![None; self.kinds];
        for (kind, node, _) in &self.all {
            let (first, several) = seen[*kind].unwrap_or((*node, false));
            seen[*kind] = Some((first, several || first != *node));
        }
        let several = |kind: usize| seen[kind].is_some_and(|(_, several)| several);
        self.all.iter().copied().filter(|(kind, _, _)| several(*kind)).collect()
    }
}

/// How fast nodes are: what a run takes is taken for the product of something of its kind and
/// something of its node. The usual node has 1.
fn speeds(kinds: &BTreeMap<&str, Vec<&Run>>, ignored: &mut Vec<String>) -> Vec<NodeSpeed> {
    let cells = Cells::of(kinds);
    let compared = cells.compared();
    let mut of_kind = vec![0.0; cells.kinds];
    let mut of_node = vec![0.0; cells.nodes.len()];
    for _ in 0..ROUNDS {
        let left = compared.iter().map(|(kind, node, log)| (*kind, log - of_node[*node]));
        of_kind = middles(cells.kinds, left);
        let left = compared.iter().map(|(kind, node, log)| (*node, log - of_kind[*kind]));
        of_node = middles(cells.nodes.len(), left);
    }
    let mut runs = vec![0; cells.nodes.len()];
    compared.iter().for_each(|(_, node, _)| runs[*node] += 1);
    let seen = of_node.iter().zip(&runs).filter(|(_, runs)| **runs > 0);
    let usual = median(&seen.map(|(log, _)| *log).collect::<Vec<f64>>());
    let mut list = Vec::new();
    for (k, node) in cells.nodes.iter().enumerate() {
        match runs[k] {
            0 => ignored.push(format!("speed of `{node}`: no kind ran there and elsewhere")),
            runs => list.push(NodeSpeed {
                node: (*node).to_owned(),
                runs,
                speed: libm::exp(usual - of_node[k]),
            }),
        }
    }
    list
}

/// The median of each group's values; 0 for groups without any.
fn middles(groups: usize, values: impl Iterator<Item = (usize, f64)>) -> Vec<f64> {
    let mut each = vec![Vec::new(); groups];
    values.for_each(|(group, value)| each[group].push(value));
    each.iter().map(|values| median(values)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(kind: &str, node: &str, seconds: f64, used: f64) -> Run {
        let (kind, node) = (kind.to_owned(), node.to_owned());
        Run { kind, node, seconds: Some(seconds), used: vec![Some(used)] }
    }

    fn history(runs: Vec<Run>) -> History {
        History { resources: vec!["gpu".to_owned()], runs, ..History::default() }
    }

    /// A run that hung for a day and one that used everything change nothing.
    #[test]
    fn what_is_far_off_does_no_harm() {
        let mut runs: Vec<Run> =
            (0..20).map(|k| run("a", "n", 95.0 + f64::from(k % 11), 4.0)).collect();
        let alone = learn(&history(runs.clone()));
        runs.push(run("a", "n", 86_400.0, 64.0));
        let with = learn(&history(runs));
        let of = |lesson: &Lesson| lesson.learned.kinds[0].seconds.unwrap();
        assert!((of(&alone).middle - of(&with).middle).abs() <= 1.0);
        assert!(of(&with).spread < 6.0, "{:?}", of(&with));
        assert_eq!(with.learned.kinds[0].demand[0].1.middle, 4.0);
        assert_eq!(with.learned.kinds[0].demand[0].1.runs, 21);
    }

    /// Nodes of speeds 1, 2 and 0.5, kinds of very different lengths that ran on some of them.
    #[test]
    fn speeds_are_told_from_kinds() {
        let speeds = [("usual", 1.0), ("fast", 2.0), ("slow", 0.5)];
        let mut runs = Vec::new();
        for (k, seconds) in [100.0, 3000.0, 7.0, 900.0].into_iter().enumerate() {
            for (node, speed) in speeds.iter().cycle().skip(k).take(2) {
                runs.push(run(&format!("kind{k}"), node, seconds / speed, 1.0));
            }
        }
        runs.push(run("lonely", "far", 5.0, 1.0));
        let lesson = learn(&history(runs));
        for NodeSpeed { node, runs, speed: found } in &lesson.learned.speeds {
            let (_, speed) = speeds.iter().find(|(name, _)| name == node).unwrap();
            // Twenty rounds come so close.
            assert!((found / speed - 1.0).abs() < 1e-4, "{node}: {found} from {runs}");
        }
        assert_eq!(lesson.learned.speeds.len(), 3);
        assert!(lesson.ignored.iter().any(|line| line.contains("`far`")), "{:?}", lesson.ignored);
        let kinds = lesson.learned.kinds.iter().map(|kind| (kind.kind.as_str(), kind.seconds));
        let seconds = |name| kinds.clone().find(|(kind, _)| *kind == name).and_then(|k| k.1);
        assert!((seconds("kind1").unwrap().middle - 3000.0).abs() < 1.0);
    }

    /// One run says how far off it may be only through other kinds.
    #[test]
    fn few_runs_lean_on_other_kinds() {
        let mut runs = vec![run("once", "n", 50.0, 2.0)];
        assert!(learn(&history(runs.clone())).learned.kinds[0].seconds.is_none());
        runs.extend((0..9).map(|k| run("often", "n", 92.0 + 2.0 * f64::from(k), 2.0)));
        let lesson = learn(&history(runs));
        let once = lesson.learned.kinds.iter().find(|kind| kind.kind == "once").unwrap();
        let often = lesson.learned.kinds.iter().find(|kind| kind.kind == "often").unwrap();
        let (once, often) = (once.seconds.unwrap(), often.seconds.unwrap());
        assert!((once.spread / once.middle - often.spread / often.middle).abs() < 1e-9);
    }
}
