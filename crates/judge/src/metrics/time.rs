//! Figures of a plan in time: makespan, waits, lateness, how full the cluster is when; from
//! scratch.

use super::{Figures, Metrics, tier_value_with};
use model::{Goal, Instance, NodeId, Schedule, Seconds, Shape, TaskId, Term, Tier, TierValue};

/// Figures of a plan in time. A gang counts as one job: by its units' start and their last end.
#[derive(Clone, Debug, PartialEq)]
pub struct TimeFigures {
    /// When the last task ends, in seconds from the start of the plan.
    pub makespan: i64,
    /// Sum of weight times end, in steps of weight times seconds.
    pub completion: i128,
    /// Sum of weight times seconds too late, likewise.
    pub tardiness: i128,
    /// Sum of weight times seconds from release to start, likewise.
    pub wait: i128,
    /// Jobs that run.
    pub jobs: usize,
    /// Mean seconds from release to start, of all jobs alike.
    pub mean_wait: f64,
    /// The longest of these.
    pub longest_wait: i64,
    /// Jobs that end after they are due.
    pub late: usize,
    /// Highest utilisation of any counted node in any resource at any instant.
    pub peak: f64,
    /// Per resource, what runs takes of all that the counted nodes have between the start and
    /// the makespan, closed times included; `None` where they have nothing.
    pub utilisation: Vec<Option<f64>>,
}

/// A job in time: its first task, start and last end.
fn jobs<'a>(
    instance: &'a Instance,
    schedule: &'a Schedule,
) -> impl Iterator<Item = (TaskId, i64, i64)> + 'a {
    instance.jobs().filter_map(|job| {
        let start = schedule.start[job.index()]?;
        let ends = instance.units(job).filter_map(|u| schedule.end(instance, TaskId::from(u)));
        Some((job, start, ends.max()?))
    })
}

impl TimeFigures {
    /// Every figure of the plan.
    pub fn of(instance: &Instance, schedule: &Schedule) -> TimeFigures {
        let makespan = schedule.makespan(instance);
        let mut figures = TimeFigures {
            makespan,
            completion: 0,
            tardiness: 0,
            wait: 0,
            jobs: 0,
            mean_wait: 0.0,
            longest_wait: 0,
            late: 0,
            peak: peak(instance, schedule),
            utilisation: utilisation(instance, schedule, makespan),
        };
        let mut waited: i128 = 0;
        for (job, start, end) in jobs(instance, schedule) {
            let weight = i128::from(instance.drop_weight(job));
            let wait = start - instance.release(job);
            let late = instance.due(job).map_or(0, |due| (end - due).max(0));
            figures.completion += weight * i128::from(end);
            figures.tardiness += weight * i128::from(late);
            figures.wait += weight * i128::from(wait);
            figures.jobs += 1;
            figures.longest_wait = figures.longest_wait.max(wait);
            figures.late += usize::from(late > 0);
            waited += i128::from(wait);
        }
        figures.mean_wait = waited as f64 / figures.jobs.max(1) as f64;
        figures
    }

    fn value(&self, instance: &Instance, term: Term) -> Option<f64> {
        let scale = instance.weight_scale();
        // Sums that fit no 64 bits are refused with the instance.
        let weighed = |sum: i128| i64::try_from(sum).map_or(f64::INFINITY, |sum| scale.to_f64(sum));
        match term.shape() {
            Shape::LastEnd => Some(self.makespan as f64),
            Shape::Seconds(seconds) => Some(weighed(self.sum(*seconds))),
            Shape::Highest => Some(self.peak),
            Shape::Prices(_)
            | Shape::Amounts
            | Shape::Variance
            | Shape::LargestGroup
            | Shape::LeftOut => None,
        }
    }

    /// The sum over jobs of weight times these seconds, in steps of weight times seconds.
    pub(super) fn sum(&self, seconds: Seconds) -> i128 {
        match seconds {
            Seconds::End => self.completion,
            Seconds::Late => self.tardiness,
            Seconds::Wait => self.wait,
        }
    }
}

/// Values of every tier of `goal` for a plan in time, most important first. What is not about
/// time is that of the placement.
pub fn timed_values(instance: &Instance, schedule: &Schedule, goal: &Goal) -> Vec<TierValue> {
    let metrics = Metrics::of(instance, &schedule.plan, None);
    let figures = TimeFigures::of(instance, schedule);
    let timed = |term| figures.value(instance, term);
    let value = |tier: &Tier| tier_value_with(instance, &schedule.plan, &metrics, tier, &timed);
    let full = goal.terms().any(|term| matches!(term.shape(), Shape::Highest));
    let highest = if full { highest_loads(instance, schedule) } else { Vec::new() };
    let plan = &schedule.plan;
    let exact = Figures { instance, plan, metrics: &metrics, time: Some((&figures, &highest)) };
    let each = goal.tiers.iter().map(|tier| TierValue {
        tier: tier.clone(),
        value: value(tier),
        exact: exact.tier(tier),
    });
    each.collect()
}

/// Load on the node that is there before the plan: how much of a resource, for how many of the
/// seconds up to `end`.
pub fn there_until(instance: &Instance, node: NodeId, resource: usize, end: i64) -> i128 {
    let ended = instance
        .ending(node)
        .iter()
        .map(|(at, ended)| i128::from(ended[resource]) * i128::from((end - at).max(0)));
    i128::from(instance.used(node)[resource]) * i128::from(end) - ended.sum::<i128>()
}

/// The highest load of each node in each resource at any instant: row-major, nodes x resources.
pub(super) fn highest_loads(instance: &Instance, schedule: &Schedule) -> Vec<i64> {
    // Ends before starts: (second, is a start, what it takes).
    let mut events: Vec<Vec<(i64, bool, &[i64])>> = vec![Vec::new(); instance.nodes()];
    for run in schedule.runs(instance).filter(|run| run.start < run.end) {
        let demand = instance.demand_on(run.task, run.node);
        events[run.node.index()].extend([(run.start, true, demand), (run.end, false, demand)]);
    }
    let mut highest = Vec::with_capacity(instance.nodes() * instance.resources().len());
    for (node, mut events) in instance.node_ids().zip(events) {
        let later = instance.ending(node).iter().filter(|(at, _)| *at > 0);
        events.extend(later.map(|(at, ended)| (*at, false, ended.as_slice())));
        events.sort_by_key(|(at, start, _)| (*at, *start));
        let mut load = instance.used_at(node, 0);
        let mut most = load.clone();
        for (_, start, amounts) in events {
            for (r, amount) in amounts.iter().enumerate() {
                load[r] += if start { *amount } else { -amount };
                most[r] = most[r].max(load[r]);
            }
        }
        highest.extend(most);
    }
    highest
}

fn peak(instance: &Instance, schedule: &Schedule) -> f64 {
    let highest = highest_loads(instance, schedule);
    let counted = instance.node_ids().filter(|node| instance.counted(*node));
    let each = counted.flat_map(|node| {
        let width = instance.resources().len();
        let row = &highest[node.index() * width..(node.index() + 1) * width];
        row.iter().zip(instance.capacity(node)).filter(|(_, capacity)| **capacity > 0)
    });
    each.map(|(load, capacity)| *load as f64 / *capacity as f64).fold(0.0, f64::max)
}

fn utilisation(instance: &Instance, schedule: &Schedule, makespan: i64) -> Vec<Option<f64>> {
    let counted = || instance.node_ids().filter(|node| instance.counted(*node));
    let each = (0..instance.resources().len()).map(|r| {
        let capacity: i64 = counted().map(|node| instance.capacity(node)[r]).sum();
        let there: i128 = counted().map(|node| there_until(instance, node, r, makespan)).sum();
        let work = schedule.runs(instance).filter(|run| instance.counted(run.node)).map(|run| {
            let demand = instance.demand_on(run.task, run.node)[r];
            i128::from(demand) * i128::from(run.end - run.start)
        });
        let all = i128::from(capacity) * i128::from(makespan);
        let taken = work.sum::<i128>() + there;
        (all > 0).then(|| taken as f64 / all as f64)
    });
    each.collect()
}

/// What all counted nodes carry of a resource over time: (second, load from then on), by time,
/// one entry for each change; ends with the load after the last end.
pub fn load_over_time(
    instance: &Instance,
    schedule: &Schedule,
    resource: usize,
) -> Vec<(i64, i64)> {
    let counted = || instance.node_ids().filter(|node| instance.counted(*node));
    let there: i64 = counted().map(|node| instance.used_at(node, 0)[resource]).sum();
    let ending = counted().flat_map(|node| instance.ending(node));
    let later = ending.filter(|(at, _)| *at > 0);
    let mut changes: Vec<(i64, i64)> = later.map(|(at, ended)| (*at, -ended[resource])).collect();
    for run in schedule.runs(instance).filter(|run| instance.counted(run.node)) {
        let demand = instance.demand_on(run.task, run.node)[resource];
        changes.extend([(run.start, demand), (run.end, -demand)]);
    }
    changes.sort_unstable();
    let mut load = there;
    let mut steps = vec![(0, there)];
    for (at, change) in changes {
        load += change;
        match steps.last_mut() {
            Some(last) if last.0 == at => last.1 = load,
            _ => steps.push((at, load)),
        }
    }
    steps.dedup_by_key(|(_, load)| *load);
    steps
}
