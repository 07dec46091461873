//! Plans in time: who runs when, as bars or as a picture of how full nodes are.

mod clock;
mod doc;
mod path;
mod svg;
mod text;

use judge::metrics::{Link, critical_path};
use model::{Instance, NodeId, Run, Schedule, TaskId};

pub(super) use clock::{brief, clock, ticks};
pub use doc::{LinkDoc, RunDoc, TimeDoc, TimelineDoc};
pub(super) use path::story;
pub use svg::gantt_svg;
pub(super) use svg::{Gantt, gantt};
pub use text::gantt_text;
pub(super) use text::{lines, plan as plan_text};

/// Runs on one node of which no two overlap.
pub(super) struct Lane {
    pub(super) node: NodeId,
    /// The first of its node.
    pub(super) first: bool,
    /// In order of their starts.
    pub(super) runs: Vec<Run>,
}

/// What a drawing of a plan in time needs to know.
pub(super) struct View<'a> {
    pub(super) instance: &'a Instance,
    pub(super) schedule: &'a Schedule,
    /// The makespan, 1 at least.
    pub(super) end: i64,
    pub(super) chain: Vec<Link>,
    /// Per task: on the critical path.
    pub(super) critical: Vec<bool>,
}

impl<'a> View<'a> {
    pub(super) fn of(instance: &'a Instance, schedule: &'a Schedule) -> View<'a> {
        let chain = critical_path(instance, schedule);
        let mut critical = vec![false; instance.tasks()];
        chain.iter().for_each(|link| critical[link.run.task.index()] = true);
        View { instance, schedule, end: schedule.makespan(instance).max(1), chain, critical }
    }

    /// Runs by node, in order of their starts.
    fn by_node(&self) -> Vec<Vec<Run>> {
        let mut on = vec![Vec::new(); self.instance.nodes()];
        self.schedule.runs(self.instance).for_each(|run| on[run.node.index()].push(run));
        on.iter_mut().for_each(|runs| runs.sort_by_key(|run| (run.start, run.task)));
        on
    }

    /// Nodes that take tasks or have some, in lanes; a run goes to the first that is free.
    pub(super) fn lanes(&self) -> Vec<Lane> {
        let mut lanes = Vec::new();
        for (node, runs) in self.by_node().into_iter().enumerate() {
            let node = NodeId::from(node);
            if runs.is_empty() && !self.instance.counted(node) {
                continue;
            }
            let mut own: Vec<Vec<Run>> = vec![Vec::new()];
            for run in runs {
                let ended = |lane: &&mut Vec<Run>| lane.last().is_none_or(|l| l.end <= run.start);
                match own.iter_mut().find(ended) {
                    Some(lane) => lane.push(run),
                    None => own.push(vec![run]),
                }
            }
            let own = own.into_iter().enumerate();
            lanes.extend(own.map(|(k, runs)| Lane { node, first: k == 0, runs }));
        }
        lanes
    }

    /// How full nodes are over time: rows of one or several nodes next to each other, each with
    /// the first one's name and how many more there are, and the mean utilisation of its fullest resource in so many parts of the
    /// time.
    pub(super) fn heat(&self, rows: usize, columns: usize) -> Vec<(String, Vec<f64>)> {
        let (instance, width) = (self.instance, self.instance.resources().len());
        let nodes: Vec<NodeId> =
            instance.node_ids().filter(|node| instance.counted(*node)).collect();
        let each = nodes.len().div_ceil(rows.max(1)).max(1);
        let on = self.by_node();
        // The second at which a column begins.
        let edge = |c: usize| (self.end as f64 * c as f64) / columns as f64;
        let row = |group: &[NodeId]| {
            let mut work = vec![0.0; columns * width];
            for run in group.iter().flat_map(|node| &on[node.index()]) {
                let column = |at: i64| (at as f64 / self.end as f64 * columns as f64) as usize;
                for c in column(run.start)..=column(run.end).min(columns - 1) {
                    let (from, to) =
                        (edge(c).max(run.start as f64), edge(c + 1).min(run.end as f64));
                    for (r, demand) in instance.demand_on(run.task, run.node).iter().enumerate() {
                        work[c * width + r] += *demand as f64 * (to - from).max(0.0);
                    }
                }
            }
            let ending: Vec<&(i64, Vec<i64>)> =
                group.iter().flat_map(|node| instance.ending(*node)).collect();
            let gone = |r: usize, c: usize| {
                let over = |at: i64| (edge(c + 1) - edge(c).max(at as f64)).max(0.0);
                ending.iter().map(|(at, ended)| ended[r] as f64 * over(*at)).sum::<f64>()
            };
            let sum = |of: &dyn Fn(NodeId) -> i64| group.iter().map(|n| of(*n)).sum::<i64>() as f64;
            let span = self.end as f64 / columns as f64;
            let level = |c: usize| {
                let each = (0..width).map(|r| {
                    let capacity = sum(&|node| instance.capacity(node)[r]);
                    let there = sum(&|node| instance.used(node)[r]);
                    let load = there + (work[c * width + r] - gone(r, c)) / span;
                    if capacity > 0.0 { load / capacity } else { 0.0 }
                });
                each.fold(0.0, f64::max)
            };
            let name = |node: &NodeId| instance.node_name(*node);
            let label = match group {
                [one] => name(one).to_owned(),
                many => format!("{} +{}", name(&many[0]), many.len() - 1),
            };
            (label, (0..columns).map(level).collect())
        };
        nodes.chunks(each).map(row).collect()
    }

    /// What a bar stands for, in words.
    fn title(&self, run: &Run) -> String {
        let (name, node) = (self.task(run.task), self.instance.node_name(run.node));
        format!("{name} on {node}, {} to {}", clock(run.start), clock(run.end))
    }

    fn task(&self, task: TaskId) -> &'a str {
        self.instance.task_name(task)
    }
}
