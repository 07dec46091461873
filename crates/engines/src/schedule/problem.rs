//! The timed instance in flat arrays. A gang is one job, whose units start together.

use std::cmp::Reverse;

use rustc_hash::FxHashMap;

use super::pools::{Draw, Pools};
use super::timeline::Timeline;
use model::{Instance, NodeId, Rule, RuleShape, TaskId};

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
    /// Rules between tasks say something about its places, or about whether it has one.
    pub tied: bool,
    /// Position of its own rows, where demands or durations depend on the pair.
    pub pair: Option<u32>,
    /// Limits at every instant that it draws on.
    pub draws: Vec<Draw>,
    /// Jobs that start when it starts, itself among them; see [`Problem::sets`].
    pub set: Option<u32>,
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
    /// Limits at every instant.
    pub pools: Pools,
    /// Jobs that start as one.
    pub sets: Vec<Vec<u32>>,
    /// Every job after all it comes after.
    pub topological: Vec<u32>,
    pub precedence: bool,
    /// Jobs may be left out.
    pub partial: bool,
    /// Jobs that run now, the most important first.
    pub running: Vec<u32>,
    /// By task.
    job_of: Vec<u32>,
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
    /// With `partial` jobs may be left out.
    pub fn new(instance: &'a Instance, partial: bool) -> Problem<'a> {
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
            pools: Pools::new(instance),
            sets: Vec::new(),
            topological: Vec::new(),
            precedence: false,
            partial,
            running: Vec::new(),
            job_of: Vec::with_capacity(tasks),
        };
        let mut known = FxHashMap::default();
        let mut pair_rows = 0;
        let mut shapes = FxHashMap::default();
        let rules = instance.rules().iter();
        let values: Vec<Option<Vec<u32>>> =
            rules.map(|rule| values_of(instance, rule, partial)).collect();
        for first in instance.jobs() {
            let units = instance.units(first);
            let pin = |task: TaskId| {
                if instance.runs_now(task) { instance.current(task) } else { instance.pin(task) }
            };
            let pinned = units.len() > 1 && units.clone().any(|t| pin(TaskId::from(t)).is_some());
            let alone = if pinned { None } else { pin(first) };
            let own = instance.rules_of(first).iter().filter(|(_, other)| !other);
            let own = own.map(|(rule, _)| *rule as usize);
            let narrow: Vec<usize> = own.filter(|rule| values[*rule].is_some()).collect();
            let key = (instance.requirement_of(first), alone, narrow.clone());
            let place = *known.entry(key).or_insert_with(|| {
                let of = instance.eligible_nodes(instance.requirement_of(first));
                let may = |node: &NodeId| {
                    let among = |rule: &usize| {
                        let value = instance.value_of(&instance.rules()[*rule], *node);
                        let values = values[*rule].as_deref().unwrap_or_default();
                        value.is_some_and(|value| values.binary_search(&value).is_ok())
                    };
                    of[node.index()]
                        && alone.is_none_or(|pin| pin == *node)
                        && narrow.iter().all(among)
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
                let rules = instance.rules_of(TaskId::from(t)).iter();
                let mut rules = rules.map(|(rule, _)| &instance.rules()[*rule as usize]);
                rules.any(|rule| {
                    let places = rule.has_places() && rule.instant().is_none();
                    places || (partial && !rule.has_places() && rule.tasks.len() > units.len())
                })
            });
            p.job_of.extend(units.clone().map(|_| p.jobs.len() as u32));
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
                draws: p.pools.draws(instance, first),
                set: None,
                before: Vec::new(),
                after: Vec::new(),
                shortest: 0,
                longest: 0,
            });
        }
        p.empty = (0..nodes.len()).map(|j| p.line(j)).collect();
        p.set_extremes();
        p.set_precedence();
        p.set_sets();
        p.running = (0..p.jobs.len() as u32).filter(|k| p.jobs[*k as usize].running).collect();
        let rank = |k: &u32| {
            let job = &p.jobs[*k as usize];
            (Reverse(job.priority), Reverse(job.weight), *k)
        };
        p.running.sort_by_key(rank);
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

    /// Jobs that rules start as one; what rules have in common is one set.
    fn set_sets(&mut self) {
        for rule in self.instance.rules().iter().filter(|rule| rule.as_one) {
            let mut jobs: Vec<u32> =
                rule.tasks.iter().map(|task| self.job_of[task.index()]).collect();
            let known: Vec<u32> =
                jobs.iter().filter_map(|job| self.jobs[*job as usize].set).collect();
            known.iter().for_each(|set| jobs.append(&mut self.sets[*set as usize]));
            jobs.sort_unstable();
            jobs.dedup();
            let set = self.sets.len() as u32;
            jobs.iter().for_each(|job| self.jobs[*job as usize].set = Some(set));
            self.sets.push(jobs);
        }
    }

    /// Jobs that start when the job starts, without itself.
    pub fn others(&self, job: usize) -> impl Iterator<Item = usize> + use<'_, 'a> {
        let set = self.jobs[job].set.map_or(&[][..], |set| &self.sets[set as usize]);
        set.iter().map(|other| *other as usize).filter(move |other| *other != job)
    }

    fn set_precedence(&mut self) {
        let instance = self.instance;
        for k in 0..self.jobs.len() {
            let mut before: Vec<(u32, i64)> = (self.jobs[k].tasks())
                .flat_map(|task| instance.after(task))
                .map(|(task, lag)| (self.job_of[task.index()], *lag))
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
        p.running.clear();
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
        p.pools = self.pools.mirrored(end);
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

    pub fn job_of(&self, task: TaskId) -> usize {
        self.job_of[task.index()] as usize
    }

    /// Why a job that runs now cannot stay where it runs, by itself.
    pub fn stays(&self, job: usize) -> Result<(), &'static str> {
        let of = &self.jobs[job];
        let mut nodes: Vec<u32> = Vec::with_capacity(of.units as usize);
        for task in of.tasks() {
            match self.pin(task).filter(|node| self.places(job).binary_search(node).is_ok()) {
                Some(node) => nodes.push(node),
                None => return Err("it runs now on a node that it may not run on"),
            }
        }
        nodes.sort_unstable();
        for same in nodes.chunk_by(|a, b| a == b) {
            let (node, many) = (same[0], same.len() as u32);
            let seconds = self.duration(job, node);
            if self.empty[node as usize].fitting(0, seconds, self.demand(job, node), many) < many {
                return Err("it runs now on a node that has no room for it");
            }
            if seconds > of.deadline {
                return Err("it runs now and cannot end by its deadline");
            }
        }
        Ok(())
    }

    /// The node that the task has to be on, if there is but one.
    pub fn pin(&self, task: TaskId) -> Option<u32> {
        if self.instance.runs_now(task) {
            self.instance.current(task)
        } else {
            self.instance.pin(task)
        }
        .map(|node| node.0)
    }
}

/// The values on which a rule lets its tasks be at all, sorted: where they have to be together,
/// those on which each can run; where they want others near, those on which one of these can. Where
/// tasks may be left out, nothing is sure of the first kind.
fn values_of(instance: &Instance, rule: &Rule, partial: bool) -> Option<Vec<u32>> {
    let of = |task: &TaskId| -> Vec<u32> {
        let nodes = instance.node_ids().filter(|node| instance.eligible(*task, *node));
        sorted(nodes.filter_map(|node| instance.value_of(rule, node)).collect())
    };
    match rule.shape() {
        RuleShape::Values { at_most: 1, .. } if !partial => {
            rule.tasks.iter().map(of).reduce(|mut all, own| {
                all.retain(|value| own.binary_search(value).is_ok());
                all
            })
        }
        RuleShape::Beside { others } => Some(sorted(others.iter().flat_map(of).collect())),
        _ => None,
    }
}

fn sorted(mut values: Vec<u32>) -> Vec<u32> {
    values.sort_unstable();
    values.dedup();
    values
}
