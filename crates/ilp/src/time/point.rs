//! From schedules to points of the program in time and back.

use std::cmp::Reverse;

use super::super::margins::WHOLE;
use super::rows::Model;
use model::{NodeId, Plan, Schedule, TaskId};

impl Model<'_> {
    /// Column values that stand for a schedule, equal nodes in order; `None` when it has a job
    /// where the program has none.
    pub(super) fn start(&self, schedule: &Schedule) -> Option<Vec<f64>> {
        let instance = self.table.instance;
        let place = self.ordered(schedule);
        let mut point: Vec<f64> = self.program.columns.iter().map(|c| c.lower).collect();
        for (k, class) in self.table.classes.iter().enumerate() {
            for job in &class.jobs {
                let Some(start) = schedule.start[job.index()] else {
                    point[self.out[k]? as usize] += 1.0;
                    continue;
                };
                let tasks = instance.units(*job).map(TaskId::from);
                let end = tasks.filter_map(|task| schedule.end(instance, task)).max()?;
                let mut wanted = Vec::new();
                for (p, part) in class.parts.iter().enumerate() {
                    for unit in &part.units {
                        let node = schedule.plan.placement[job.index() + unit]?;
                        wanted.push((p, place[node.index()]?));
                    }
                }
                let mut own = self.starts[k].iter().enumerate();
                let (of, start) = own.find(|(of, own)| {
                    let here = || self.units[k][*of].group == wanted[0].1;
                    (own.start, own.end) == (start, end) && (!class.plain() || here())
                })?;
                point[start.col as usize] += 1.0;
                if class.plain() {
                    continue;
                }
                for (part, group) in wanted {
                    let same = |unit: &&super::rows::Unit| {
                        (unit.of, unit.part, unit.group) == (of, part, group)
                    };
                    let unit = self.units[k].iter().find(same)?;
                    point[unit.col as usize] += 1.0;
                }
            }
        }
        for (g, used) in self.used.iter().enumerate() {
            let Some(used) = used else { continue };
            let on = self.units.iter().flatten().filter(|unit| unit.group == g);
            let there: Vec<(i64, i64, f64)> =
                on.map(|unit| (unit.start, unit.end, point[unit.col as usize])).collect();
            let at = |second: i64| -> f64 {
                let now = there.iter().filter(|(from, to, _)| *from <= second && second < *to);
                now.map(|(_, _, many)| many).sum()
            };
            let most = there.iter().map(|(from, _, _)| at(*from)).fold(0.0, f64::max);
            point[*used as usize] = match self.table.groups[g].slots {
                Some(slots) => (most / slots as f64).ceil(),
                None => most.min(1.0),
            };
        }
        let last = self.last().flat_map(|k| &self.starts[k]);
        let last = last.filter(|start| point[start.col as usize] > 0.5).map(|start| start.end);
        let last = last.max().unwrap_or(0);
        self.span.1.iter().for_each(|(below, _, rung)| {
            point[*rung as usize] = f64::from(u8::from(last > *below));
        });
        Some(point)
    }

    /// Which group stands for each node: equal nodes swap places until their tasks' seconds
    /// descend.
    fn ordered(&self, schedule: &Schedule) -> Vec<Option<usize>> {
        let instance = self.table.instance;
        let mut busy = vec![0i64; instance.nodes()];
        schedule.runs(instance).for_each(|run| busy[run.node.index()] += run.end - run.start);
        let mut place = self.table.group_of();
        let groups = &self.table.groups;
        let mut from = 0;
        while from < groups.len() {
            let to = (from + 1..groups.len()).find(|g| !groups[*g].twin).unwrap_or(groups.len());
            if to > from + 1 {
                let mut nodes: Vec<NodeId> = groups[from..to].iter().map(|g| g.nodes[0]).collect();
                nodes.sort_by_key(|node| (Reverse(busy[node.index()]), *node));
                nodes.iter().zip(from..).for_each(|(node, g)| place[node.index()] = Some(g));
            }
            from = to;
        }
        place
    }

    /// The schedule that a solver's point stands for; `None` when its counts are no whole numbers
    /// or do not add up.
    pub(super) fn schedule(&self, point: &[f64]) -> Option<Schedule> {
        let instance = self.table.instance;
        let mut plan = Plan::empty(instance.tasks());
        let mut starts = vec![None; instance.tasks()];
        // By group, for nodes to be chosen in the order of starts.
        let mut runs: Vec<Vec<(i64, i64, TaskId)>> = vec![Vec::new(); self.table.groups.len()];
        for (k, class) in self.table.classes.iter().enumerate() {
            let mut jobs = class.jobs.iter();
            for (of, start) in self.starts[k].iter().enumerate() {
                let many = count(point[start.col as usize])?;
                let chosen: Vec<TaskId> = jobs.by_ref().take(many).copied().collect();
                if chosen.len() < many {
                    return None;
                }
                for (p, part) in class.parts.iter().enumerate() {
                    let tasks = chosen
                        .iter()
                        .flat_map(|job| part.units.iter().map(|unit| TaskId(job.0 + *unit as u32)));
                    let mut tasks = tasks.collect::<Vec<TaskId>>().into_iter();
                    let units = self.units[k].iter().filter(|u| (u.of, u.part) == (of, p));
                    for unit in units {
                        for _ in 0..count(point[unit.col as usize])? {
                            let task = tasks.next()?;
                            starts[task.index()] = Some(unit.start);
                            runs[unit.group].push((unit.start, unit.end, task));
                        }
                    }
                    if tasks.next().is_some() {
                        return None;
                    }
                }
            }
            if self.out[k].is_none() && jobs.next().is_some() {
                return None;
            }
        }
        for (group, mut runs) in self.table.groups.iter().zip(runs) {
            runs.sort_unstable();
            let mut free: Vec<Vec<i64>> = vec![Vec::new(); group.nodes.len()];
            for (start, end, task) in runs {
                let node = match group.slots {
                    None => 0,
                    Some(slots) => free.iter_mut().position(|ends| {
                        ends.retain(|end| *end > start);
                        (ends.len() as i64) < slots
                    })?,
                };
                free[node].push(end);
                plan.placement[task.index()] = Some(group.nodes[node]);
            }
        }
        Some(Schedule { plan, start: starts })
    }
}

/// A count as a whole number.
fn count(value: f64) -> Option<usize> {
    let whole = value.round();
    ((value - whole).abs() <= WHOLE && whole >= 0.0).then_some(whole as usize)
}
