//! Gangs: units that start together, on as many nodes as it takes.

use super::goal::Aim;
use super::problem::NONE;
use super::serial::{Builder, Recipe};
use model::{NodeId, TaskId};

impl Builder<'_> {
    /// Places all units of a gang at the earliest time at which all have room.
    pub(super) fn place_gang(
        &mut self,
        job: usize,
        (ready, last): (i64, i64),
        recipe: &Recipe,
        aim: &Aim,
    ) -> bool {
        let p = self.p;
        let mut nodes: Vec<u32> = p.places(job).to_vec();
        if nodes.is_empty() {
            return false;
        }
        let turn = recipe.turn as usize % nodes.len();
        nodes.rotate_left(turn);
        if !aim.time_alone() {
            let at = ready + p.jobs[job].longest;
            let score = |node: &u32| match recipe.latest {
                Some(_) => aim.place_score(self, job, *node, at),
                None => aim.score(self, job, *node, at),
            };
            let mut keyed: Vec<((f64, f64), u32)> =
                nodes.iter().map(|node| (score(node), *node)).collect();
            keyed.sort_by(|a, b| a.0.partial_cmp(&b.0).unwrap_or(std::cmp::Ordering::Equal));
            nodes = keyed.into_iter().map(|(_, node)| node).collect();
        }
        // Where a rule wants few values, each by itself is worth a try.
        let mut best: Option<(i64, Vec<u32>)> = None;
        let mut tries = vec![nodes.clone()];
        for (rule, other) in p.instance.rules_of(TaskId(p.jobs[job].first)) {
            let rule = &p.instance.rules()[*rule as usize];
            let few = rule.at_most() < p.jobs[job].units.max(2);
            if *other || !few {
                continue;
            }
            let mut groups: Vec<(u32, Vec<u32>)> = Vec::new();
            for node in &nodes {
                let Some(value) = p.instance.value_of(rule, NodeId(*node)) else { continue };
                match groups.iter_mut().find(|(known, _)| *known == value) {
                    Some((_, group)) => group.push(*node),
                    None => groups.push((value, vec![*node])),
                }
            }
            tries.extend(groups.into_iter().map(|(_, group)| group));
        }
        if tries.len() > 2 && p.jobs[job].tied {
            tries.rotate_left(1); // all of them last
        }
        for nodes in tries {
            let latest = best.as_ref().map_or(last, |(start, _)| last.min(start - 1));
            if let Some(start) = self.gang_start(job, (ready, latest), &nodes) {
                best = Some((start, nodes));
            }
        }
        match best {
            Some((start, nodes)) => self.put_gang(job, start, &nodes),
            None => false,
        }
    }

    /// The earliest time in the range at which all units have room on these nodes.
    fn gang_start(&mut self, job: usize, (from, to): (i64, i64), nodes: &[u32]) -> Option<i64> {
        let p = self.p;
        let to = to.min(p.jobs[job].deadline - p.jobs[job].shortest);
        let index = match &self.index {
            Some(index) if !p.jobs[job].pinned => index,
            _ => return self.gang_within(job, (from, to), nodes),
        };
        let demand = p.demand(job, 0);
        let wanted = u64::from(p.jobs[job].units);
        let mut span = index.span_of(from);
        loop {
            // Only nodes with room at some time of the span can begin in it.
            let Some(index) = &self.index else { return None };
            let (first, last) = index.range(span);
            if first > to || from > to || self.cut_short() {
                return None;
            }
            let some: Vec<u32> =
                nodes.iter().copied().filter(|node| index.may_fit(*node, span, demand)).collect();
            let end = index.last() == span;
            self.work += nodes.len() as u64 / 16 + 1;
            let most = |node: &u32| {
                let each = p.room(*node).iter().zip(demand).filter(|(_, d)| **d > 0);
                each.map(|(room, d)| room / d).min().unwrap_or(i64::MAX).clamp(0, 1 << 32) as u64
            };
            if some.iter().map(most).fold(0, u64::saturating_add) >= wanted
                && let Some(start) = self.gang_within(job, (first.max(from), last.min(to)), &some)
            {
                return Some(start);
            }
            if end {
                return None;
            }
            span += 1;
        }
    }

    /// The same, looking at all of these nodes.
    fn gang_within(&mut self, job: usize, (from, to): (i64, i64), nodes: &[u32]) -> Option<i64> {
        let p = self.p;
        let of = &p.jobs[job];
        let mut start = from;
        let mut firsts: Vec<(i64, u32)> = Vec::with_capacity(nodes.len());
        while start <= to {
            if self.cut_short() {
                return None;
            }
            if !of.draws.is_empty() {
                start = p.limits_let_all(&self.pools, job, (start, to), &mut self.work)?;
            }
            if of.pinned {
                if self.put_gang(job, start, nodes) {
                    self.remove(job);
                    return Some(start);
                }
                start = self.next_change(job, start, nodes)?;
                continue;
            }
            // Whether there is room now is soon known where there is; cards may still be lacking.
            let now = self.room_now(job, start, nodes);
            self.work += nodes.len() as u64 / 16 + 1;
            if now && !of.tied && !self.cards.any() && of.draws.is_empty() {
                return Some(start);
            }
            if now && self.put_gang(job, start, nodes) {
                self.remove(job);
                return Some(start);
            }
            let from = if now { self.next_change(job, start, nodes)? } else { start };
            firsts.clear();
            for node in nodes {
                let demand = p.demand(job, *node);
                if let Some(at) = self.room_at(job, *node, (from, to)) {
                    let most = p.room(*node).iter().zip(demand).filter(|(_, d)| **d > 0);
                    let most = most.map(|(room, d)| room / d).min().unwrap_or(i64::MAX);
                    firsts.push((at, most.min(i64::from(of.units)) as u32));
                }
            }
            firsts.sort_unstable();
            let mut units = 0;
            let enough = firsts.iter().find(|(_, most)| {
                units += most;
                units >= of.units
            });
            let earliest = enough?.0;
            start = if earliest > start { earliest } else { self.next_change(job, start, nodes)? };
        }
        None
    }

    /// Whether these nodes have room for all units from then on, cards aside.
    fn room_now(&self, job: usize, start: i64, nodes: &[u32]) -> bool {
        let p = self.p;
        let of = &p.jobs[job];
        let mut left = of.units;
        for node in nodes {
            let (demand, duration) = (p.demand(job, *node), p.duration(job, *node));
            if start + duration <= of.deadline {
                left -= self.lines[*node as usize].fitting(start, duration, demand, left);
            }
            if left == 0 {
                return true;
            }
        }
        false
    }

    /// When anything changes on these nodes for the first time after `start`, or in limits that the
    /// job draws on there.
    pub(super) fn next_change(&self, job: usize, start: i64, nodes: &[u32]) -> Option<i64> {
        let lines = nodes.iter().filter_map(|node| self.lines[*node as usize].next(start));
        let (p, draws) = (self.p, &self.p.jobs[job].draws);
        let some =
            if draws.iter().all(|draw| draw.whole) { nodes.len().min(1) } else { nodes.len() };
        let pools = nodes[..some].iter().flat_map(|node| p.taken(job, *node));
        let pools = pools.filter_map(|(line, _)| self.pools[line].next(start));
        lines.min().into_iter().chain(pools.min()).min()
    }

    /// The earliest time in the range at which each unit has room on the node that `way` gives it.
    pub fn all_at(&mut self, job: usize, way: &[u32], (ready, last): (i64, i64)) -> Option<i64> {
        let p = self.p;
        let mut nodes = way.to_vec();
        nodes.sort_unstable();
        let mut start = ready;
        while start <= last {
            let fits = nodes.chunk_by(|a, b| a == b).all(|same| {
                let (node, many) = (same[0], same.len() as u32);
                let duration = p.duration(job, node);
                let line = &self.lines[node as usize];
                start + duration <= p.jobs[job].deadline
                    && line.fitting(start, duration, p.demand(job, node), many) >= many
            });
            self.work += way.len() as u64;
            if fits && self.limits_let_way(job, &nodes, start) {
                return Some(start);
            }
            start = self.next_change(job, start, &nodes)?;
        }
        None
    }

    /// Whether limits at every instant let units run on these nodes from then on, all of them.
    fn limits_let_way(&mut self, job: usize, nodes: &[u32], start: i64) -> bool {
        let p = self.p;
        let mut taken: Vec<(usize, i64, i64)> = Vec::new();
        for node in nodes {
            let seconds = p.duration(job, *node);
            taken.extend(p.taken(job, *node).map(|(line, amount)| (line, seconds, amount)));
        }
        // Units that end later are there as long as those that end earlier.
        taken.sort_unstable_by_key(|(line, seconds, _)| (*line, std::cmp::Reverse(*seconds)));
        let lines = taken.chunk_by(|a, b| a.0 == b.0);
        lines.into_iter().all(|same| {
            let mut sum = 0i64;
            same.iter().all(|(line, seconds, amount)| {
                sum = sum.saturating_add(*amount);
                self.pools[*line].fitting(start, *seconds, &[sum], 1) == 1
            })
        })
    }

    /// Puts each unit on the node that `way` gives it, or none.
    pub fn place_units(&mut self, job: usize, way: &[u32], start: i64) -> bool {
        let tasks = self.p.jobs[job].tasks();
        let placed = tasks.zip(way).all(|(task, node)| self.put(job, task, *node, start));
        if placed {
            self.note(job, start)
        } else {
            self.p.jobs[job].tasks().for_each(|t| self.take_back(job, t, start))
        }
        placed
    }

    /// Two nodes are equally busy at all times.
    pub fn same(&self, a: u32, b: u32) -> bool {
        let twins = self.lines[a as usize].same(&self.lines[b as usize], self.p.width);
        twins && (self.on[a as usize] == 0) == (self.on[b as usize] == 0)
    }

    /// Puts all units on these nodes, the first ones first; or none.
    fn put_gang(&mut self, job: usize, start: i64, nodes: &[u32]) -> bool {
        let p = self.p;
        let of = &p.jobs[job];
        let (pinned, loose): (Vec<TaskId>, Vec<TaskId>) =
            of.tasks().partition(|task| of.pinned && p.pin(*task).is_some());
        let open = |node: u32| start + p.duration(job, node) <= of.deadline;
        let mut placed = pinned.iter().all(|task| {
            let node = p.pin(*task).unwrap_or(NONE);
            open(node) && nodes.contains(&node) && self.put(job, *task, node, start)
        });
        let mut at = nodes.iter();
        let mut node = at.next();
        for task in loose {
            while placed {
                let Some(here) = node else {
                    placed = false;
                    break;
                };
                if open(*here) && self.put(job, task, *here, start) {
                    break;
                }
                node = at.next();
            }
        }
        if placed {
            self.note(job, start)
        } else {
            of.tasks().for_each(|task| self.take_back(job, task, start))
        }
        placed
    }
}
