//! Methods against each other on the same instances, and thresholds that make
//! a build fail.

use std::time::Instant;

use crate::solve::{Answer, Method, Params};
use crate::survive::plan;
use base::error::{Error, Result};
use base::nearest;
use base::stop::Stop;
use judge::metrics::{Metrics, TimeFigures};
use judge::proof::Proof;
use model::{Instance, Schedule, Term, differ};

/// One method on one instance.
#[derive(Clone, Debug)]
pub struct Row {
    /// The instance's name.
    pub instance: String,
    /// The method's name.
    pub method: String,
    /// `optimal`, `feasible`, `infeasible` or `unknown`.
    pub status: &'static str,
    /// Tiers; empty without a plan.
    pub goal: Vec<Proof>,
    /// Figures; absent without a plan.
    pub metrics: Option<Metrics>,
    /// Figures of a plan in time.
    pub time: Option<TimeFigures>,
    /// Cost as people write it.
    pub cost: f64,
    /// (value - reference value) / |reference value| in the first tier that
    /// differs; absent where either has no plan.
    pub gap_to_reference: Option<f64>,
    /// Whether the method was run at all; time may have been over before.
    pub ran: bool,
    /// Wall-clock seconds.
    pub seconds: f64,
    /// Place among the methods on this instance, by the whole goal; equals share
    /// one. Absent without a plan.
    pub rank: Option<usize>,
}

impl Row {
    /// A row that time ran out for.
    pub fn not_run(instance: &str, method: Method) -> Row {
        Row {
            instance: instance.to_owned(),
            method: method.name(),
            status: "unknown",
            goal: Vec::new(),
            metrics: None,
            time: None,
            cost: 0.0,
            gap_to_reference: None,
            ran: false,
            seconds: 0.0,
            rank: None,
        }
    }

    /// Value of the first tier, absent without a plan.
    fn first(&self) -> Option<&Proof> {
        self.goal.first()
    }

    /// Whether a plan was found.
    pub fn has_plan(&self) -> bool {
        !self.goal.is_empty()
    }

    /// The largest gap over all tiers.
    pub fn gap(&self) -> Option<f64> {
        self.goal.iter().map(|tier| tier.gap).reduce(f64::max)
    }
}

/// A run of a sweep.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Options and their values.
    pub settings: Vec<(String, String)>,
    /// What came of it.
    pub result: Result<Row>,
}

/// All rows, and which of them break a threshold.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The method the others are measured against.
    pub reference: String,
    /// Instances in order, methods in order.
    pub rows: Vec<Row>,
    /// Rows that break a threshold, with the words to say so.
    pub failed: Vec<(usize, String)>,
}

/// Runs every method on every instance within the time of `params` in all; the first method is the
/// reference unless `reference` names another of them. Methods that do one pass come first, so that
/// those that go on for as long as they may share the rest. What the time does not reach is `unknown`.
///
/// # Errors
/// A solver is missing or fails.
pub fn compare(
    instances: &[(String, Instance)],
    methods: &[Method],
    reference: Method,
    params: &Params,
    thresholds: &[Threshold],
    mut seen: impl FnMut(&Row),
) -> Result<Comparison> {
    let stop = Stop::after(params.time_limit);
    let one_pass =
        |k: &usize| matches!(methods[k % methods.len()], Method::Policy(_) | Method::Queue(_));
    let all = 0..instances.len() * methods.len();
    let order = all.clone().filter(one_pass).chain(all.clone().filter(|k| !one_pass(k)));
    let mut runs: Vec<(usize, Row)> = Vec::with_capacity(all.len());
    for k in order {
        let (name, instance) = &instances[k / methods.len()];
        let left = u32::try_from(all.len() - runs.len()).unwrap_or(u32::MAX);
        let (method, time_limit) = (methods[k % methods.len()], stop.remaining() / left);
        let row = if stop.reached() {
            Row::not_run(name, method)
        } else {
            run_one(name, instance, &Params { method, time_limit, ..params.clone() })?
        };
        seen(&row);
        runs.push((k, row));
    }
    runs.sort_by_key(|(k, _)| *k);
    let mut rows: Vec<Row> = runs.into_iter().map(|(_, row)| row).collect();
    for rows in rows.chunks_mut(methods.len().max(1)) {
        let best = rows.iter().find(|row| row.method == reference.name()).cloned();
        if let Some(best) = best {
            rows.iter_mut().for_each(|row| row.gap_to_reference = distance(row, &best));
        }
        rank(rows);
    }
    let failed = rows
        .iter()
        .enumerate()
        .flat_map(|(k, row)| thresholds.iter().filter_map(move |t| Some((k, t.broken_by(row)?))))
        .collect();
    Ok(Comparison { reference: reference.name(), rows, failed })
}

/// Ranks the rows of one instance: how many rows with a plan are better, and one.
fn rank(rows: &mut [Row]) {
    let ranks: Vec<Option<usize>> = rows
        .iter()
        .map(|row| {
            let better = rows.iter().filter(|other| {
                other.has_plan() && distance(other, row).is_some_and(|distance| distance < 0.0)
            });
            row.has_plan().then(|| 1 + better.count())
        })
        .collect();
    rows.iter_mut().zip(ranks).for_each(|(row, rank)| row.rank = rank);
}

impl Comparison {
    /// The best method of each instance first, those without a plan last; which
    /// rows failed stays true.
    pub fn sort_by_rank(&mut self) {
        let mut order: Vec<usize> = (0..self.rows.len()).collect();
        let mut first = std::collections::HashMap::new();
        for (k, row) in self.rows.iter().enumerate() {
            first.entry(row.instance.clone()).or_insert(k);
        }
        order.sort_by_key(|k| {
            let row = &self.rows[*k];
            (first[&row.instance], row.rank.unwrap_or(usize::MAX), *k)
        });
        for (at, _) in &mut self.failed {
            *at = order.iter().position(|k| k == at).unwrap_or(*at);
        }
        self.rows = order.iter().map(|k| self.rows[*k].clone()).collect();
    }
}

/// Runs one method on one instance; alone it has neither rank nor reference.
///
/// # Errors
/// A solver is missing or fails.
pub fn run_one(name: &str, instance: &Instance, params: &Params) -> Result<Row> {
    let began = Instant::now();
    let answer = plan(instance, params)?;
    let seconds = began.elapsed().as_secs_f64();
    let mut row = Row { ran: true, seconds, ..Row::not_run(name, params.method) };
    match answer {
        Answer::Plan(outcome) => {
            let metrics = if outcome.start.is_empty() {
                Metrics::of(instance, &outcome.plan, None)
            } else {
                let schedule = Schedule { plan: outcome.plan, start: outcome.start };
                row.time = Some(TimeFigures::of(instance, &schedule));
                Metrics::in_time(instance, &schedule, None)
            };
            row.status = if outcome.optimal { "optimal" } else { "feasible" };
            row.cost = instance.cost_scale().to_f64(metrics.sum(Term::Cost));
            row.metrics = Some(metrics);
            row.goal = outcome.goal;
        }
        Answer::NoPlan(none) if none.proven => row.status = "infeasible",
        Answer::NoPlan(_) => {}
    }
    Ok(row)
}

fn distance(row: &Row, reference: &Row) -> Option<f64> {
    let pairs = row.goal.iter().zip(&reference.goal);
    if !row.has_plan() || !reference.has_plan() {
        return None;
    }
    let differs = pairs.map(|(a, b)| (a.value, b.value)).find(|(a, b)| differ(*a, *b));
    Some(differs.map_or(0.0, |(a, b)| (a - b) / b.abs().max(f64::MIN_POSITIVE)))
}

/// What a threshold may look at.
const FIGURES: [&str; 10] = [
    "gap",
    "gap_to_reference",
    "value",
    "bound",
    "peak",
    "balance_degree",
    "cost",
    "nodes_used",
    "unplaced",
    "seconds",
];

/// `gap>5%`, `min-load:gap_to_reference>0.05`, `seconds>=2`.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    text: String,
    method: Option<String>,
    figure: &'static str,
    or_equal: bool,
    limit: f64,
}

impl Threshold {
    /// Reads a threshold.
    ///
    /// # Errors
    /// An unknown figure or method, a missing `>`, a limit that is no number.
    pub fn parse(text: &str) -> Result<Threshold> {
        let bad = |cause: String| {
            Error::usage(format!("threshold `{text}`: {cause}"))
                .help("write FIGURE>LIMIT, as in 'gap>5%' or 'min-load:gap_to_reference>5%'")
        };
        let (left, limit) =
            text.split_once('>').ok_or_else(|| bad("there is no `>`".to_owned()))?;
        let (method, figure) = match left.rsplit_once(':') {
            Some((method, figure)) => (Some(Method::parse(method.trim())?.name()), figure.trim()),
            None => (None, left.trim()),
        };
        let figure =
            FIGURES.into_iter().find(|known| *known == figure).ok_or_else(|| {
                match nearest(figure, FIGURES.into_iter()) {
                    Some(near) => bad(format!("unknown figure `{figure}`: did you mean `{near}`?")),
                    None => bad(format!(
                        "unknown figure `{figure}`: figures are {}",
                        FIGURES.join(", ")
                    )),
                }
            })?;
        let (or_equal, limit) = match limit.strip_prefix('=') {
            Some(limit) => (true, limit.trim()),
            None => (false, limit.trim()),
        };
        let (number, scale) = match limit.strip_suffix('%') {
            Some(number) => (number.trim(), 0.01),
            None => (limit, 1.0),
        };
        let value: f64 = number.parse().map_err(|_| bad(format!("`{limit}` is no number")))?;
        if !value.is_finite() {
            return Err(bad(format!("`{limit}` is no number")));
        }
        Ok(Threshold { text: text.to_owned(), method, figure, or_equal, limit: value * scale })
    }

    /// What to say when the row breaks the threshold. A row without a plan
    /// breaks every threshold that concerns it.
    fn broken_by(&self, row: &Row) -> Option<String> {
        if self.method.as_ref().is_some_and(|method| *method != row.method) {
            return None;
        }
        let who = format!("{} with {}", row.instance, row.method);
        let Some(value) = self.value(row) else {
            return Some(format!("{who} has no {}: {}", self.figure, row.status));
        };
        let broken = if self.or_equal { value >= self.limit } else { value > self.limit };
        broken.then(|| format!("{who}: {} is {value:.6}, threshold {}", self.figure, self.text))
    }

    fn value(&self, row: &Row) -> Option<f64> {
        let metrics = row.metrics.as_ref()?;
        Some(match self.figure {
            "gap" => row.gap()?,
            "gap_to_reference" => row.gap_to_reference?,
            "value" => row.first()?.value,
            "bound" => row.first()?.bound,
            "peak" => metrics.peak,
            "balance_degree" => metrics.balance_degree,
            "cost" => row.cost,
            "nodes_used" => metrics.nodes_used as f64,
            "unplaced" => metrics.unplaced as f64,
            _ => row.seconds,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_read_percent_methods_and_mistakes() {
        let threshold = Threshold::parse("min-load:gap>5%").unwrap();
        assert_eq!((threshold.figure, threshold.limit), ("gap", 0.05));
        assert!(Threshold::parse("gap >= 0.1").unwrap().or_equal);
        for (text, want) in [
            ("gap", "no `>`"),
            ("gab>5%", "did you mean `gap`"),
            ("gap>abc", "no number"),
            ("gap>inf", "no number"),
        ] {
            let message = Threshold::parse(text).unwrap_err().to_string();
            assert!(message.contains(want), "{message}");
        }
    }
}
