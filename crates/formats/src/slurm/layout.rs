//! On how many nodes a pending job is planned, and in which parts.

use rustc_hash::FxHashMap;

use super::amounts::Amounts;
use super::cluster::{Cluster, Pending};
use super::shape::{Shape, share};
use super::topology::BLOCK;
use model::{Ask, Direction, Draft, Labels, NodeState, Requirement, RuleDraft, TaskDraft, Whom};

/// Most tasks of jobs that are planned one by one. Beyond, jobs are planned in larger parts.
const ONE_BY_ONE: i64 = 20_000;

/// A job in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// Its tasks may be wherever there is room.
    Free,
    /// On so many nodes: what it takes on each, and what else may be on any of them.
    Nodes { count: i64, each: Amounts, rest: Vec<(i64, Amounts)> },
}

/// What is known while jobs are laid out.
pub(super) struct Planner {
    /// Labels of the nodes.
    labels: Vec<Labels>,
    /// Jobs that ask for the same have the same layout.
    known: FxHashMap<(String, Requirement), Layout>,
    /// Tasks that are planned one by one so far.
    single: i64,
}

impl Planner {
    pub(super) fn new(labels: Vec<Labels>) -> Planner {
        Planner { labels, known: FxHashMap::default(), single: 0 }
    }

    /// Nodes that the job may be on.
    pub(super) fn open<'a>(
        &'a self,
        cluster: &'a Cluster,
        requires: &'a Requirement,
    ) -> impl Iterator<Item = usize> + 'a {
        let ready = |k: &usize| cluster.nodes[*k].state == NodeState::Ready;
        let all = (0..cluster.nodes.len()).filter(ready);
        all.filter(move |k| requires.accepts(&self.labels[*k], &[]))
    }

    /// On how many nodes the job is planned, and in which parts.
    pub(super) fn lay_out(&mut self, cluster: &mut Cluster, k: usize) -> Layout {
        let shape = cluster.pending[k].shape.clone();
        if shape.task.cpu.saturating_mul(shape.tasks) % shape.core != 0 {
            let cause = "jobs are given whole cores: half of one is planned as one";
            cluster.warnings.assume(Direction::Narrower, shape.place.clone(), cause);
        }
        if shape.is_single() {
            let each = shape.on_node(shape.tasks, &shape.units());
            return Layout::Nodes { count: 1, each, rest: Vec::new() };
        }
        let whole = shape.segment.is_none();
        if whole && shape.is_free() && self.single.saturating_add(shape.tasks) <= ONE_BY_ONE {
            self.single += shape.tasks;
            if shape.task.cpu % shape.core != 0 {
                let cause = "tasks of one job share cores, which are given out whole: planned as if halves were";
                cluster.warnings.assume(Direction::Wider, shape.place.clone(), cause);
            }
            return Layout::Free;
        }
        let bare = Shape { place: String::new(), ..shape.clone() };
        let key = (format!("{bare:?}"), cluster.pending[k].task.requires.clone());
        let layout = match self.known.get(&key) {
            Some(known) => known.clone(),
            None => {
                let layout = self.fewest(cluster, &shape, &key.1);
                self.known.insert(key, layout.clone());
                layout
            }
        };
        if let (Layout::Nodes { rest, .. }, Some(_)) = (&layout, shape.segment)
            && !rest.is_empty()
        {
            let cause = "segments of uneven shares are not planned with";
            cluster.warnings.assume(Direction::Wider, shape.place.clone(), cause);
        }
        if let (Layout::Nodes { count, .. }, true) = (&layout, shape.most_nodes() > shape.least) {
            let cause = match count {
                1 => "the job may be on several nodes: it is planned on one".to_owned(),
                _ => format!("the job is planned on {count} nodes, the fewest that would do now"),
            };
            let errs = Direction::Narrower;
            cluster.warnings.assume(errs, shape.place.replace(".cpus", ".node_count"), cause);
        }
        layout
    }

    /// The fewest nodes that would do for the job alone: now, else once nothing runs.
    fn fewest(&self, cluster: &Cluster, shape: &Shape, requires: &Requirement) -> Layout {
        let open: Vec<usize> = self.open(cluster, requires).collect();
        for idle in [false, true] {
            let room = |k: &usize| {
                let node = &cluster.nodes[*k];
                let free = if idle { node.has.clone() } else { node.has.less(&node.used()) };
                let whole = free.cpu == node.has.cpu && free.gres == node.has.gres;
                let most = shape.most_cpus.unwrap_or(i64::MAX);
                let free = Amounts { cpu: free.cpu.min(most), ..free };
                let memory = free.memory == node.has.memory || !shape.all_memory;
                (memory && (whole || !shape.exclusive)).then_some(free)
            };
            let rooms: Vec<Amounts> = open.iter().filter_map(room).collect();
            if let Some(layout) = shape.within(&rooms) {
                return layout;
            }
        }
        shape.even(shape.least)
    }
}

impl Shape {
    /// The same share on each of so many nodes, the last of them with more room than needed.
    fn even(&self, count: i64) -> Layout {
        let units: Vec<i64> = self.pool.iter().map(|(all, _)| share(*all, count)).collect();
        let each = self.on_node(share(self.tasks, count), &units);
        Layout::Nodes { count, each, rest: Vec::new() }
    }

    /// One task, or as many as the least number of CPUs holds, on each of so many nodes, and the
    /// others on any of these.
    fn uneven(&self, count: i64) -> Layout {
        let (tasks, units) = self.first(count);
        let each = self.on_node(tasks, &units);
        let pools = self.pool.iter().zip(&units);
        let pools = pools.map(|((all, unit), own)| (all - own * count, unit.clone()));
        let tasks = if self.pooled() { 0 } else { self.tasks - tasks * count };
        let rest = std::iter::once((tasks, self.task.clone())).chain(pools);
        Layout::Nodes { count, each, rest: rest.filter(|(left, _)| *left > 0).collect() }
    }

    /// Tasks and units that are on each of so many nodes at least.
    fn first(&self, count: i64) -> (i64, Vec<i64>) {
        let held = self.node.cpu / self.task.cpu.max(1);
        let tasks = held.max(1).min((self.tasks / count).max(1));
        (tasks, self.pool.iter().map(|(all, _)| i64::from(*all >= count)).collect())
    }

    /// The fewest of these nodes on which the job has room; in equal shares where that is as good.
    fn within(&self, rooms: &[Amounts]) -> Option<Layout> {
        let most = self.most_nodes().min(rooms.len() as i64);
        let whole = self.exclusive || self.per_node.is_some();
        let mut count = self.least;
        while count <= most {
            if let Layout::Nodes { each, .. } = self.even(count) {
                let per_node = self.per_node.unwrap_or(i64::MAX);
                let fits = rooms.iter().filter(|room| room.holds(&each)).count() as i64;
                let exact =
                    self.tasks % count == 0 && self.pool.iter().all(|(all, _)| all % count == 0);
                if fits >= count && share(self.tasks, count) <= per_node && (exact || whole) {
                    return Some(self.even(count));
                }
            }
            if !whole && self.holds(rooms, count) {
                return Some(self.uneven(count));
            }
            count += 1;
        }
        None
    }

    /// Whether the best of these nodes have room for all parts in unequal shares.
    fn holds(&self, rooms: &[Amounts], count: i64) -> bool {
        let Layout::Nodes { each, rest, .. } = self.uneven(count) else { return false };
        let inside: Vec<Amounts> =
            rooms.iter().filter(|room| room.holds(&each)).map(|room| room.less(&each)).collect();
        if (inside.len() as i64) < count {
            return false;
        }
        rest.iter().all(|(left, unit)| {
            let mut times: Vec<i64> = inside.iter().map(|room| room.times_of(unit)).collect();
            times.sort_unstable_by(|a, b| b.cmp(a));
            let best = times.iter().take(usize::try_from(count).unwrap_or(usize::MAX));
            best.copied().fold(0, i64::saturating_add) >= *left
        })
    }
}

/// What a part of a job beside its first is called: no job has such a number.
pub(super) fn part_name(id: &str, part: usize) -> String {
    format!("{id}:{part}")
}

impl Layout {
    /// The tasks of the job, first the one that goes by its number, with what each takes.
    pub(super) fn tasks(&self, job: &Pending) -> Vec<(TaskDraft, Amounts)> {
        let shape = &job.shape;
        let mut task = job.task.clone();
        match self {
            Layout::Free => {
                task.replicas = Some(shape.tasks as u32);
                let fewer = |most: &i64| *most < shape.tasks;
                if shape.least == shape.tasks {
                    task.within.push((Ask::Apart, "node".to_owned()));
                } else if shape.least > 1 || shape.most.as_ref().is_some_and(fewer) {
                    let at_most = shape.most.map_or(u32::MAX, |most| most as u32);
                    let at_least = shape.least as u32;
                    let spread = Ask::Spread { at_least, at_most, max_skew: None };
                    task.within.push((spread, "node".to_owned()));
                }
                task.within.extend(job.within.iter().cloned());
                vec![(task, shape.task.clone())]
            }
            Layout::Nodes { count, each, rest } if rest.is_empty() && shape.segment.is_some() => {
                let size = shape.segment.map_or(*count, |segment| segment.min(*count));
                let of = |k: i64| {
                    let mut part = TaskDraft { weight: None, ..task.clone() };
                    if k > 0 {
                        part.id = part_name(&job.task.id, usize::try_from(k).unwrap_or(0));
                        part.weight = Some(model::Decimal::ZERO);
                    }
                    let units = size.min(count - k * size);
                    part.replicas = Some(units as u32);
                    if size >= *count {
                        part.within.extend(job.within.iter().cloned());
                    }
                    part.within.push((Ask::Together, BLOCK.to_owned()));
                    part.within.push((Ask::Apart, "node".to_owned()));
                    (part, each.clone())
                };
                (0..share(*count, size)).map(of).collect()
            }
            Layout::Nodes { count, each, rest } => {
                if *count > 1 {
                    task.replicas = Some(*count as u32);
                    task.within.push((Ask::Apart, "node".to_owned()));
                    task.within.extend(job.within.iter().cloned());
                }
                let part = |(k, (left, unit)): (usize, &(i64, Amounts))| {
                    let id = part_name(&job.task.id, k + 1);
                    // Whether the job is left out is weighed once.
                    let weight = Some(model::Decimal::ZERO);
                    let replicas = Some(*left as u32);
                    (TaskDraft { id, weight, replicas, ..job.task.clone() }, unit.clone())
                };
                let parts: Vec<_> = rest.iter().enumerate().map(part).collect();
                std::iter::once((task, each.clone())).chain(parts).collect()
            }
        }
    }

    /// All parts of the job are placed or none: uneven shares on the nodes of the first, segments each
    /// on nodes of its own.
    pub(super) fn rules(&self, job: &Pending, draft: &mut Draft) {
        let id = &job.task.id;
        let Layout::Nodes { count, rest, .. } = self else { return };
        if rest.is_empty() {
            let size = job.shape.segment.unwrap_or(*count);
            let parts = usize::try_from(share(*count, size)).unwrap_or(1);
            if parts > 1 {
                let names = (1..parts).map(|part| part_name(id, part));
                let all: Vec<String> = std::iter::once(id.clone()).chain(names).collect();
                let name = format!("job {id}");
                draft.rules.push(RuleDraft {
                    as_one: true,
                    ..RuleDraft::new(name.clone(), Ask::Gang, "node", Whom::Tasks(all.clone()))
                });
                draft.rules.push(RuleDraft::new(
                    name.clone(),
                    Ask::Apart,
                    "node",
                    Whom::Tasks(all.clone()),
                ));
                for (ask, over) in &job.within {
                    let whom = Whom::Tasks(all.clone());
                    draft.rules.push(RuleDraft::new(name.clone(), ask.clone(), over, whom));
                }
            }
            return;
        }
        let names: Vec<String> = (1..=rest.len()).map(|part| part_name(id, part)).collect();
        let all = std::iter::once(id.clone()).chain(names.iter().cloned()).collect();
        let name = format!("job {id}");
        draft.rules.push(RuleDraft {
            as_one: true,
            ..RuleDraft::new(name.clone(), Ask::Gang, "node", Whom::Tasks(all))
        });
        draft.rules.push(RuleDraft {
            near: Some(Whom::Tasks(vec![id.clone()])),
            ..RuleDraft::new(name, Ask::Near { others: Vec::new() }, "node", Whom::Tasks(names))
        });
    }
}
