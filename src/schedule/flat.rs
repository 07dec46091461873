//! The timed instance in flat arrays. A gang is one job, whose units start together.

use rustc_hash::FxHashMap;

use super::timeline::Timeline;
use crate::model::{Ask, Instance, NodeId, TaskId};

/// No job, no node.
pub(super) const NONE: u32 = u32::MAX;
/// No time at all.
pub(super) const NEVER: i64 = i64::MAX / 4;

/// What starts as one: a task, or the units of a gang.
#[derive(Clone, Debug)]
pub(super) struct Job {
    /// Its first task; the others follow.
    pub first: u32,
    pub units: u32,
    /// Which list of nodes it may run on, see [`Problem::places`].
    pub place: u32,
    /// Jobs that ask the same of the same nodes share it.
    pub shape: u32,
    pub release: i64,
    /// [`NEVER`] where there is none.
    pub deadline: i64,
    pub due: Option<i64>,
    pub weight: i64,
    pub priority: i64,
    /// Starts at 0 where its tasks are.
    pub running: bool,
    /// Some unit has one node that it may run on, others may have another.
    pub pinned: bool,
    /// Rules between tasks say something about its places.
    pub tied: bool,
    /// Position of its own rows, where demands or durations depend on the pair.
    pub pair: Option<u32>,
    /// What it comes after, with the seconds between.
    pub before: Vec<(u32, i64)>,
    /// What comes after it.
    pub after: Vec<(u32, i64)>,
    /// Seconds it takes at least, and at most, on the nodes it may run on.
    pub shortest: i64,
    pub longest: i64,
}

impl Job {
    pub fn tasks(&self) -> impl ExactSizeIterator<Item = TaskId> + use<> {
        (self.first..self.first + self.units).map(TaskId)
    }
}

/// Jobs, nodes and what they need of each other. Immutable once built.
#[derive(Clone)]
pub(super) struct Problem<'a> {
    pub instance: &'a Instance,
    pub jobs: Vec<Job>,
    /// Entries of a row: the demanded resources, then tasks at once where that is limited.
    pub width: usize,
    /// Nodes x width: what the plan may fill, once all has ended that ends.
    pub room: Vec<i64>,
    pub closed: Vec<Vec<(i64, i64)>>,
    /// Per node, what load that is there takes of the room, from when until when.
    pub busy: Vec<Vec<(i64, i64, Vec<i64>)>>,
    /// Every node without any task.
    pub empty: Vec<Timeline>,
    /// Nodes that a job may run on, by [`Job::place`].
    pub places: Vec<Vec<u32>>,
    /// Jobs x width.
    demand: Vec<i64>,
    /// Jobs x distinct speeds.
    pace: Vec<i64>,
    speed_of: Vec<u16>,
    speeds: usize,
    /// Rows of nodes x (width + 1), demands and duration, for jobs with pairs.
    pairs: Vec<i64>,
    /// Every job after all it comes after.
    pub topological: Vec<u32>,
    pub precedence: bool,
}

/// What the engine does not plan for in time.
pub(super) fn objection(instance: &Instance) -> Option<&'static str> {
    if instance.kept_risk().is_some() {
        return Some("demands that vary (--risk)");
    }
    if instance.has_transient() {
        return Some("transient resources");
    }
    let safety = instance.node_ids().any(|node| !instance.safety(node).is_empty());
    if safety || !instance.ratios().is_empty() {
        return Some("safety capacities and room beside other room");
    }
    None
}

impl<'a> Problem<'a> {
    pub fn new(instance: &'a Instance) -> Problem<'a> {
        let needed = |r: &usize| {
            instance.task_ids().any(|task| {
                instance.demand(task)[*r] > 0
                    || instance.pairs(task).any(|pair| pair.demand[*r] > 0)
            })
        };
        let resources: Vec<usize> = (0..instance.resources().len()).filter(needed).collect();
        let tasks = instance.tasks();
        let counted = instance.node_ids().any(|node| (instance.max_tasks(node) as usize) < tasks);
        let width = (resources.len() + usize::from(counted)).max(1);
        let row = |of: &dyn Fn(usize) -> i64, count: i64| -> Vec<i64> {
            let mut row: Vec<i64> = resources.iter().map(|r| of(*r)).collect();
            row.resize(width, 0);
            if counted {
                row[width - 1] = count;
            }
            row
        };
        let room = |node: NodeId, second: i64| {
            let used = instance.used_at(node, second);
            let free = |r: usize| (instance.limit(node)[r] - used[r]).max(0);
            row(&free, i64::from(instance.max_tasks(node)))
        };
        let busy = |node: NodeId| {
            let (mut from, last) = (0, room(node, i64::MAX));
            let mut steps = Vec::new();
            for (at, _) in instance.ending(node).iter().filter(|(at, _)| *at > 0) {
                if *at > from {
                    let free = room(node, from);
                    let taken = last.iter().zip(&free).map(|(last, free)| last - free);
                    steps.push((from, *at, taken.collect()));
                    from = *at;
                }
            }
            steps
        };
        let nodes: Vec<NodeId> = instance.node_ids().collect();
        let mut speeds: Vec<((i64, i64), NodeId)> = Vec::new();
        let speed_of = nodes.iter().map(|node| {
            let speed = instance.speed(*node);
            let at = speeds.iter().position(|(known, _)| *known == speed).unwrap_or_else(|| {
                speeds.push((speed, *node));
                speeds.len() - 1
            });
            at as u16
        });
        let speed_of: Vec<u16> = speed_of.collect();
        let mut p = Problem {
            instance,
            jobs: Vec::new(),
            width,
            room: nodes.iter().flat_map(|node| room(*node, i64::MAX)).collect(),
            closed: nodes.iter().map(|node| instance.closed(*node).to_vec()).collect(),
            busy: nodes.iter().map(|node| busy(*node)).collect(),
            empty: Vec::new(),
            places: Vec::new(),
            demand: Vec::new(),
            pace: Vec::new(),
            speed_of,
            speeds: speeds.len(),
            pairs: Vec::new(),
            topological: Vec::new(),
            precedence: false,
        };
        let mut known = FxHashMap::default();
        let mut pair_rows = 0;
        let mut shapes = FxHashMap::default();
        for first in instance.jobs() {
            let units = instance.units(first);
            let pin = |task: TaskId| match instance.runs_now(task) {
                true => instance.current(task),
                false => instance.pin(task),
            };
            let pinned = units.len() > 1 && units.clone().any(|t| pin(TaskId::from(t)).is_some());
            let alone = if pinned { None } else { pin(first) };
            let values = values_for(instance, first);
            let running = instance.runs_now(first);
            let key = (instance.requirement_of(first), alone, values.clone(), running);
            let place = *known.entry(key).or_insert_with(|| {
                let of = instance.eligible_nodes(instance.requirement_of(first));
                let may = |node: &NodeId| {
                    if running && alone == Some(*node) {
                        return true;
                    }
                    of[node.index()]
                        && alone.is_none_or(|pin| pin == *node)
                        && values.as_ref().is_none_or(|(over, values)| {
                            let value = instance.label_values()[*over as usize].of[node.index()];
                            values.binary_search(&value).is_ok()
                        })
                };
                p.places.push(nodes.iter().filter(|node| may(node)).map(|node| node.0).collect());
                p.places.len() as u32 - 1
            });
            let demand = row(&|r| instance.demand(first)[r], 1);
            p.demand.extend(&demand);
            let new = shapes.len() as u32;
            let shape = *shapes.entry((place, units.len(), demand)).or_insert(new);
            p.pace.extend(speeds.iter().map(|(_, node)| instance.duration_on(first, *node)));
            let pair = instance.task_has_pairs(first).then(|| {
                for node in &nodes {
                    let of = instance.demand_on(first, *node);
                    p.pairs.extend(row(&|r| of[r], 1));
                    p.pairs.push(instance.duration_on(first, *node));
                }
                pair_rows += 1;
                pair_rows - 1
            });
            let tied = units.clone().any(|t| {
                let rules = instance.rules_of(TaskId::from(t));
                rules.iter().any(|(rule, _)| instance.rules()[*rule as usize].has_places())
            });
            p.jobs.push(Job {
                first: first.0,
                units: units.len() as u32,
                place,
                shape,
                release: instance.release(first),
                deadline: instance.deadline(first).unwrap_or(NEVER),
                due: instance.due(first),
                weight: instance.drop_weight(first),
                priority: instance.priority(first),
                running: instance.runs_now(first),
                pinned,
                tied,
                pair,
                before: Vec::new(),
                after: Vec::new(),
                shortest: 0,
                longest: 0,
            });
        }
        p.empty = (0..nodes.len()).map(|j| p.line(j)).collect();
        p.set_extremes();
        p.set_precedence();
        p
    }

    /// The node without any task.
    fn line(&self, node: usize) -> Timeline {
        Timeline::new(self.room(node as u32), &self.closed[node], &self.busy[node])
    }

    fn set_extremes(&mut self) {
        // Which speeds occur in each list of nodes.
        let occur = |place: &Vec<u32>| {
            let mut speeds: Vec<(u16, u32)> =
                place.iter().map(|node| (self.speed_of[*node as usize], *node)).collect();
            speeds.sort_unstable();
            speeds.dedup_by_key(|(speed, _)| *speed);
            speeds.into_iter().map(|(_, node)| node).collect::<Vec<u32>>()
        };
        let occur: Vec<Vec<u32>> = self.places.iter().map(occur).collect();
        for job in 0..self.jobs.len() {
            let place = self.jobs[job].place as usize;
            let nodes = if self.jobs[job].pair.is_some() { &self.places } else { &occur };
            let each = || nodes[place].iter().map(|node| self.duration(job, *node));
            let (shortest, longest) = (each().min(), each().max());
            self.jobs[job].shortest = shortest.unwrap_or(0);
            self.jobs[job].longest = longest.unwrap_or(0);
        }
    }

    fn set_precedence(&mut self) {
        let instance = self.instance;
        let mut job_of = vec![0u32; instance.tasks()];
        for (k, job) in self.jobs.iter().enumerate() {
            job.tasks().for_each(|task| job_of[task.index()] = k as u32);
        }
        for k in 0..self.jobs.len() {
            let mut before: Vec<(u32, i64)> = (self.jobs[k].tasks())
                .flat_map(|task| instance.after(task))
                .map(|(task, lag)| (job_of[task.index()], *lag))
                .collect();
            before.sort_unstable_by_key(|(job, lag)| (*job, std::cmp::Reverse(*lag)));
            before.dedup_by_key(|(job, _)| *job);
            for (job, lag) in &before {
                self.jobs[*job as usize].after.push((k as u32, *lag));
            }
            self.precedence |= !before.is_empty();
            self.jobs[k].before = before;
        }
        let mut open: Vec<usize> = self.jobs.iter().map(|job| job.before.len()).collect();
        let mut order: Vec<u32> =
            (0..self.jobs.len() as u32).filter(|job| open[*job as usize] == 0).collect();
        let mut at = 0;
        while at < order.len() {
            for (next, _) in &self.jobs[order[at] as usize].after {
                open[*next as usize] -= 1;
                if open[*next as usize] == 0 {
                    order.push(*next);
                }
            }
            at += 1;
        }
        debug_assert!(order.len() == self.jobs.len(), "instances have no circles");
        self.topological = order;
    }

    /// The same with time running backwards from `end`: what came after comes before. Releases
    /// and deadlines are left out, and what runs now is like anything else.
    pub fn mirrored(&self, end: i64) -> Problem<'a> {
        let mut p = self.clone();
        for job in &mut p.jobs {
            std::mem::swap(&mut job.before, &mut job.after);
            (job.release, job.deadline, job.running) = (0, NEVER, false);
        }
        p.topological.reverse();
        let turned = |from: i64, to: i64| ((end - to).max(0), end - from);
        for j in 0..p.nodes() {
            p.closed[j].retain(|(from, _)| *from < end);
            p.closed[j].iter_mut().for_each(|(from, to)| (*from, *to) = turned(*from, *to));
            p.closed[j].reverse();
            p.busy[j].retain(|(from, ..)| *from < end);
            p.busy[j].iter_mut().for_each(|(from, to, _)| (*from, *to) = turned(*from, *to));
            p.empty[j] = p.line(j);
        }
        p
    }

    pub fn nodes(&self) -> usize {
        self.closed.len()
    }

    /// Nodes that the job may run on.
    pub fn places(&self, job: usize) -> &[u32] {
        &self.places[self.jobs[job].place as usize]
    }

    /// Seconds that each task of the job runs on the node.
    pub fn duration(&self, job: usize, node: u32) -> i64 {
        match self.jobs[job].pair {
            Some(row) => {
                let at = row as usize * self.nodes() + node as usize;
                self.pairs[at * (self.width + 1) + self.width]
            }
            None => self.pace[job * self.speeds + usize::from(self.speed_of[node as usize])],
        }
    }

    /// What each task of the job takes on the node.
    pub fn demand(&self, job: usize, node: u32) -> &[i64] {
        match self.jobs[job].pair {
            Some(row) => {
                let at = (row as usize * self.nodes() + node as usize) * (self.width + 1);
                &self.pairs[at..at + self.width]
            }
            None => &self.demand[job * self.width..(job + 1) * self.width],
        }
    }

    /// What the plan may fill on the node.
    pub fn room(&self, node: u32) -> &[i64] {
        &self.room[node as usize * self.width..(node as usize + 1) * self.width]
    }

    /// The node that the task has to be on, if there is but one.
    pub fn pin(&self, task: TaskId) -> Option<u32> {
        match self.instance.runs_now(task) {
            true => self.instance.current(task),
            false => self.instance.pin(task),
        }
        .map(|node| node.0)
    }
}

/// The values of the label of a rule that keeps the task with others on which each of them could
/// run: the label and the values, sorted.
fn values_for(instance: &Instance, task: TaskId) -> Option<(u32, Vec<u32>)> {
    let together = instance.rules_of(task).iter().find_map(|(rule, other)| {
        let rule = &instance.rules()[*rule as usize];
        (!other && rule.ask == Ask::Together).then_some(rule)
    })?;
    let mut common: Option<Vec<u32>> = None;
    for task in &together.tasks {
        let mut own: Vec<u32> = instance
            .node_ids()
            .filter(|node| instance.eligible(*task, *node))
            .filter_map(|node| instance.value_of(together, node))
            .collect();
        own.sort_unstable();
        own.dedup();
        common = Some(match common {
            None => own,
            Some(before) => {
                before.into_iter().filter(|value| own.binary_search(value).is_ok()).collect()
            }
        });
    }
    Some((together.over, common?))
}
