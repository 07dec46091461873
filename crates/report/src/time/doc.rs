//! Plans in time for scripts.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::View;
use super::path::code;
use formats::show_date;
use judge::metrics::{TimeFigures, Waits, load_over_time};
use model::{Instance, NodeId, Run, Schedule, TaskId};

/// What a plan in time is worth. Times are whole seconds from its start.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TimeDoc {
    /// The date of the start, where the instance has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// When the last task ends.
    pub makespan: i64,
    /// Mean time from release to start, over jobs.
    pub mean_wait: f64,
    /// The longest of these.
    pub longest_wait: i64,
    /// Jobs that end after they are due.
    pub late: usize,
    /// Highest utilisation of any node in any resource at any instant.
    pub peak: f64,
    /// Per resource, what is used between start and makespan of all that nodes have.
    pub utilisation: BTreeMap<String, f64>,
    /// Per resource, `[second, load from then on]` over all nodes.
    pub load: BTreeMap<String, Vec<(i64, f64)>>,
    /// The chain of tasks that makes the plan as long as it is, in order of time.
    pub critical_path: Vec<LinkDoc>,
    /// Nodes that anything runs on, each with what runs there in order of time.
    pub nodes: Vec<TimelineDoc>,
}

/// A task of the critical path.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LinkDoc {
    /// Id of the task.
    pub task: String,
    /// Id of the node.
    pub node: String,
    /// Its start.
    pub start: i64,
    /// Its end.
    pub end: i64,
    /// Why it does not start earlier: `start` of the plan, `release`, the node `closed` until
    /// then, `after` a task, `room` on the node when a task ends, `ending` when load that was there
    /// before ends, `nothing` in this chain.
    pub waits_for: String,
    /// The task that it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
}

/// What runs on a node.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TimelineDoc {
    /// Id of the node.
    pub node: String,
    /// In order of their starts.
    pub runs: Vec<RunDoc>,
}

/// A task on a node.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RunDoc {
    /// Id of the task or its unit.
    pub task: String,
    /// Its start.
    pub start: i64,
    /// Its end.
    pub end: i64,
}

impl TimeDoc {
    /// The document of a plan in time.
    pub fn of(instance: &Instance, schedule: &Schedule) -> TimeDoc {
        let view = View::of(instance, schedule);
        let figures = TimeFigures::of(instance, schedule);
        let names = || instance.resources().iter().map(|resource| resource.name.clone());
        let name = |task: TaskId| instance.task_name(task).to_owned();
        let load = instance.resources().iter().enumerate().map(|(r, resource)| {
            let steps = load_over_time(instance, schedule, r).into_iter();
            let steps = steps.map(|(at, load)| (at, resource.scale.to_f64(load)));
            (resource.name.clone(), steps.collect())
        });
        let timeline = |(node, runs): (usize, &Vec<Run>)| TimelineDoc {
            node: instance.node_name(NodeId::from(node)).to_owned(),
            runs: runs
                .iter()
                .map(|run| RunDoc { task: name(run.task), start: run.start, end: run.end })
                .collect(),
        };
        let used = view.by_node();
        TimeDoc {
            start: instance.start().map(show_date),
            makespan: figures.makespan,
            mean_wait: figures.mean_wait,
            longest_wait: figures.longest_wait,
            late: figures.late,
            peak: figures.peak,
            utilisation: names()
                .zip(&figures.utilisation)
                .filter_map(|(name, mean)| Some((name, (*mean)?)))
                .collect(),
            load: load.collect(),
            critical_path: view
                .chain
                .iter()
                .map(|link| LinkDoc {
                    task: name(link.run.task),
                    node: instance.node_name(link.run.node).to_owned(),
                    start: link.run.start,
                    end: link.run.end,
                    waits_for: code(link.waits).to_owned(),
                    before: match link.waits {
                        Waits::After(task, _)
                        | Waits::Room(task, _)
                        | Waits::Limit(_, Some(task)) => Some(name(task)),
                        _ => None,
                    },
                })
                .collect(),
            nodes: used
                .iter()
                .enumerate()
                .filter(|(_, runs)| !runs.is_empty())
                .map(timeline)
                .collect(),
        }
    }
}
