//! Serial schedule generation: one job after the other, each at the earliest time that is left
//! (Kolisch 1996, DOI 10.1016/0377-2217(95)00357-6).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::cards::Cards;
use super::goal::Aim;
use super::index::Index;
use super::problem::{NEVER, NONE, Problem};
use super::timeline::Timeline;
use base::stop::Stop;
use model::state::Ties;
use model::{CardSet, NodeId, Plan, Schedule, TaskId};

/// What a schedule is built from.
#[derive(Clone, Default)]
pub(super) struct Recipe {
    /// Jobs, the first to be placed first; what comes after others waits for them.
    pub order: Vec<u32>,
    /// The node that a job is to have, [`NONE`] where the best one is; empty where no job has one.
    pub want: Vec<u32>,
    /// Where time is settled: when each job may end at the latest; places decide within.
    pub latest: Option<Vec<i64>>,
    /// The node that is looked at first: of equal ones the first is taken.
    pub turn: u32,
}

/// Units of jobs between two looks at the clock.
const STRIDE: usize = 64;

/// A schedule under construction.
pub(super) struct Builder<'a> {
    pub p: &'a Problem<'a>,
    pub(super) lines: Vec<Timeline>,
    /// What limits at every instant leave.
    pub(super) pools: Vec<Timeline>,
    pub(super) index: Option<Index>,
    pub(super) cards: Cards,
    pub(super) ties: Option<Ties<'a>>,
    /// Rules hold at every step, not only in the end.
    pub(super) strict: bool,
    /// Per job; [`NEVER`] where it has no place.
    pub start: Vec<i64>,
    pub end: Vec<i64>,
    /// Per task.
    pub node: Vec<u32>,
    /// Tasks per node.
    pub on: Vec<u32>,
    pub work: u64,
    /// Ends a build before its time; what is not placed by then has no place.
    pub stop: Option<&'a Stop>,
    /// From then on what has no place yet is placed in a hurry.
    pub soon: Option<&'a Stop>,
    /// In a hurry: the node that is next in line, and jobs placed so.
    pub(super) line: usize,
    pub(super) hurried: usize,
    rank: Vec<u32>,
    open: Vec<u32>,
}

impl<'a> Builder<'a> {
    pub fn new(p: &'a Problem<'a>) -> Builder<'a> {
        let tied = p.jobs.iter().any(|job| job.tied);
        Builder {
            p,
            lines: p.empty.clone(),
            pools: p.pools.lines(),
            index: Index::new(p),
            cards: Cards::new(p),
            ties: tied.then(|| Ties::new(p.instance)),
            strict: false,
            start: vec![NEVER; p.jobs.len()],
            end: vec![NEVER; p.jobs.len()],
            node: vec![NONE; p.instance.tasks()],
            on: vec![0; p.nodes()],
            work: 0,
            stop: None,
            soon: None,
            line: 0,
            hurried: 0,
            rank: vec![0; p.jobs.len()],
            open: Vec::new(),
        }
    }

    /// Looks at every node from now on.
    #[cfg(test)]
    pub fn forget_index(&mut self) {
        self.index = None;
    }

    /// Takes everything off its node.
    pub fn empty(&mut self) {
        self.hurried = 0;
        self.lines.iter_mut().zip(&self.p.empty).for_each(|(line, empty)| line.copy(empty));
        self.p.pools.reset(&mut self.pools);
        self.index.iter_mut().for_each(Index::clear);
        self.cards.clear();
        self.ties.iter_mut().for_each(Ties::clear);
        self.strict = false;
        self.start.fill(NEVER);
        self.end.fill(NEVER);
        self.node.fill(NONE);
        self.on.fill(0);
    }

    /// The same, and what runs now is back on its nodes, as far as it can be: the most important
    /// first.
    pub fn clear(&mut self) {
        self.empty();
        for k in &self.p.running {
            self.resume(*k as usize);
        }
    }

    /// A job that runs now starts where its tasks are.
    fn resume(&mut self, job: usize) -> bool {
        let p = self.p;
        let way: Vec<u32> = p.jobs[job].tasks().map(|task| p.pin(task).unwrap_or(NONE)).collect();
        p.stays(job).is_ok() && self.place_units(job, &way, 0)
    }

    /// Builds the schedule of the recipe from nothing.
    pub fn build(&mut self, recipe: &Recipe, aim: &Aim) {
        self.clear();
        let p = self.p;
        if !p.precedence && self.ties.is_none() {
            let mut steps = STRIDE;
            for job in &recipe.order {
                if self.over(*job, &mut steps) {
                    return self.leave_off(recipe);
                }
                self.next(*job as usize, recipe, aim);
            }
            if self.cut_short() {
                self.leave_off(recipe);
            }
            return;
        }
        self.round(recipe, aim);
        self.complete(recipe, aim);
    }

    /// Jobs without a place, in the order of the recipe, each once all before it have one.
    pub(super) fn round(&mut self, recipe: &Recipe, aim: &Aim) {
        let p = self.p;
        for (at, job) in recipe.order.iter().enumerate() {
            self.rank[*job as usize] = at as u32;
        }
        self.open.clear();
        self.open.extend(p.jobs.iter().map(|job| job.before.len() as u32));
        let mut ready = BinaryHeap::new();
        for k in 0..p.jobs.len() {
            match self.start[k] {
                NEVER if self.open[k] == 0 => ready.push(Reverse(self.rank[k])),
                NEVER => {}
                _ => self.release_after(k, &mut ready),
            }
        }
        // What its rules refuse is tried again once others have places.
        let mut refused = Vec::new();
        let (mut progress, mut steps) = (false, STRIDE);
        loop {
            while let Some(Reverse(rank)) = ready.pop() {
                let job = recipe.order[rank as usize] as usize;
                if self.start[job] < NEVER {
                    continue;
                }
                if self.over(job as u32, &mut steps) {
                    return self.leave_off(recipe);
                }
                if self.next(job, recipe, aim) {
                    progress = true;
                    self.release_after(job, &mut ready);
                    p.others(job).for_each(|other| self.release_after(other, &mut ready));
                } else if p.jobs[job].tied {
                    refused.push(Reverse(rank));
                }
            }
            if self.cut_short() {
                return self.leave_off(recipe);
            }
            if !progress || refused.is_empty() {
                return;
            }
            progress = false;
            ready.extend(refused.drain(..));
        }
    }

    /// Whether the build ends before its time or has to hurry.
    pub(super) fn cut_short(&self) -> bool {
        self.stop.is_some_and(Stop::reached) || self.soon.is_some_and(Stop::reached)
    }

    /// The same, asked every so many units only.
    fn over(&self, job: u32, steps: &mut usize) -> bool {
        *steps += self.p.jobs[job as usize].units as usize;
        if *steps < STRIDE {
            return false;
        }
        *steps = 0;
        self.cut_short()
    }

    /// Leaves what has no place yet where it is, or finds it some in a hurry.
    fn leave_off(&mut self, recipe: &Recipe) {
        if self.soon.is_some() {
            self.hurry(&recipe.order);
        }
    }

    fn release_after(&mut self, job: usize, ready: &mut BinaryHeap<Reverse<u32>>) {
        let p = self.p;
        for (next, _) in &p.jobs[job].after {
            self.open[*next as usize] -= 1;
            if self.open[*next as usize] == 0 {
                ready.push(Reverse(self.rank[*next as usize]));
            }
        }
    }

    /// The time from which nothing that the job comes after keeps it; [`NEVER`] where something
    /// has no place itself.
    pub fn ready(&self, job: usize) -> i64 {
        let of = &self.p.jobs[job];
        let mut ready = of.release;
        for (other, lag) in &of.before {
            if self.start[*other as usize] >= NEVER {
                return NEVER;
            }
            ready = ready.max(self.end[*other as usize] + lag);
        }
        ready
    }

    fn next(&mut self, job: usize, recipe: &Recipe, aim: &Aim) -> bool {
        let ready = self.ready(job);
        self.start[job] < NEVER || ready < NEVER && self.try_at(job, (ready, NEVER), recipe, aim)
    }

    /// Places the job at its earliest start in the range, if there is one. What runs now starts at
    /// once or not at all.
    pub fn try_at(&mut self, job: usize, range: (i64, i64), recipe: &Recipe, aim: &Aim) -> bool {
        if self.p.jobs[job].running {
            return range.0 == 0 && self.resume(job);
        }
        if self.p.jobs[job].set.is_some() {
            return self.try_together(job, range, recipe, aim);
        }
        self.try_alone(job, range, recipe, aim)
    }

    /// The same of one job, whatever starts with it.
    pub(super) fn try_alone(
        &mut self,
        job: usize,
        range: (i64, i64),
        recipe: &Recipe,
        aim: &Aim,
    ) -> bool {
        if self.p.jobs[job].units > 1 {
            return self.place_gang(job, range, recipe, aim);
        }
        let want = recipe.want.get(job).copied().unwrap_or(NONE);
        let chosen = match want {
            NONE => self.best(job, range, recipe, aim),
            node => self.at(job, node, range).map(|start| (node, start)),
        };
        chosen.is_some_and(|(node, start)| self.place(job, node, start))
    }

    /// Puts a job of one task there, where it has room.
    pub fn place(&mut self, job: usize, node: u32, start: i64) -> bool {
        let placed = self.put(job, TaskId(self.p.jobs[job].first), node, start);
        if placed {
            self.note(job, start);
        }
        placed
    }

    /// The earliest start in the range on the node; `None` when rules refuse it, or there is no
    /// room before the deadline.
    pub fn at(&mut self, job: usize, node: u32, range: (i64, i64)) -> Option<i64> {
        let p = self.p;
        let task = TaskId(p.jobs[job].first);
        if self.refused(job, task, node).is_some() {
            return None;
        }
        self.room_at(job, node, range)
    }

    /// The same for one unit of a job, whatever rules say.
    pub(super) fn room_at(&mut self, job: usize, node: u32, (from, to): (i64, i64)) -> Option<i64> {
        let p = self.p;
        let task = TaskId(p.jobs[job].first);
        let (demand, duration) = (p.demand(job, node), p.duration(job, node));
        let to = to.min(p.jobs[job].deadline - duration);
        let line = &self.lines[node as usize];
        let mut from = from;
        loop {
            let start = line.earliest((from, to), duration, demand, &mut self.work)?;
            let unit = (job, node, 1);
            let let_by = p.limits_let(&self.pools, unit, (start, to), &mut self.work)?;
            if let_by > start {
                from = let_by;
                continue;
            }
            let over = (start, start + duration);
            if !self.cards.any() || self.cards.find(p, (task, node), over).is_some() {
                return Some(start);
            }
            from = line.next(start)?;
        }
    }

    /// The best node for a job of one task, and its start there.
    fn best(
        &mut self,
        job: usize,
        (ready, last): (i64, i64),
        recipe: &Recipe,
        aim: &Aim,
    ) -> Option<(u32, i64)> {
        let p = self.p;
        let places = p.places(job);
        if places.is_empty() {
            return None;
        }
        let turn = recipe.turn as usize % places.len();
        if aim.time_alone() {
            if let Some(index) = self.index.take() {
                let best = index.first(self, job, (ready, last));
                self.index = Some(index);
                return best;
            }
            let mut best: Option<(u32, i64, i64)> = None;
            let same = p.jobs[job].shortest;
            for node in places[turn..].iter().chain(&places[..turn]) {
                let to =
                    best.map_or(last, |(_, _, end)| last.min(end - p.duration(job, *node) - 1));
                if let Some(start) = self.at(job, *node, (ready, to)) {
                    let end = start + p.duration(job, *node);
                    best = Some((*node, start, end));
                    if end == ready + same {
                        break;
                    }
                }
            }
            return best.map(|(node, start, _)| (node, start));
        }
        let mut best: Option<((bool, f64, f64), u32, i64)> = None;
        for node in places[turn..].iter().chain(&places[..turn]) {
            let Some(start) = self.at(job, *node, (ready, last)) else { continue };
            let end = start + p.duration(job, *node);
            let (late, score) = match &recipe.latest {
                Some(latest) if end > latest[job] => (true, (end as f64, 0.0)),
                Some(_) => (false, aim.place_score(self, job, *node, end)),
                None => (false, aim.score(self, job, *node, end)),
            };
            let key = (late, score.0, score.1);
            if best.is_none_or(|(known, ..)| key < known) {
                best = Some((key, *node, start));
            }
        }
        best.map(|(_, node, start)| (node, start))
    }

    /// Puts one task on the node if it has room there from `start` on and no rule forbids it.
    pub fn put(&mut self, job: usize, task: TaskId, node: u32, start: i64) -> bool {
        if node == NONE {
            return false;
        }
        let p = self.p;
        let (demand, duration) = (p.demand(job, node), p.duration(job, node));
        let over = (start, start + duration);
        if self.lines[node as usize].fitting(start, duration, demand, 1) == 0 {
            return false;
        }
        if p.limits_let(&self.pools, (job, node, 1), (start, start), &mut self.work).is_none() {
            return false;
        }
        let Some(sets) = self.cards.find(p, (task, node), over) else { return false };
        self.force(job, task, node, start, &sets)
    }

    fn force(&mut self, job: usize, task: TaskId, node: u32, start: i64, sets: &[CardSet]) -> bool {
        let p = self.p;
        let over = (start, start + p.duration(job, node));
        if self.refused(job, task, node).is_some() {
            return false;
        }
        if let Some(ties) = self.ties.as_mut().filter(|_| p.jobs[job].tied) {
            ties.change(task, NodeId(node), true);
        }
        self.lines[node as usize].take(over.0, over.1, p.demand(job, node));
        for (line, amount) in p.taken(job, node) {
            self.pools[line].take(over.0, over.1, &[amount]);
        }
        self.cards.hold(p, (task, node), over, sets);
        self.node[task.index()] = node;
        self.on[node as usize] += 1;
        if let Some(index) = &mut self.index {
            index.update(&self.lines[node as usize], node, over);
        }
        true
    }

    /// Takes a task off its node again.
    pub fn take_back(&mut self, job: usize, task: TaskId, start: i64) {
        let p = self.p;
        let node = std::mem::replace(&mut self.node[task.index()], NONE);
        if node == NONE {
            return;
        }
        let over = (start, start + p.duration(job, node));
        self.lines[node as usize].give_back(over.0, over.1, p.demand(job, node));
        for (line, amount) in p.taken(job, node) {
            self.pools[line].give_back(over.0, over.1, &[amount]);
        }
        self.cards.give_back(p, task, node);
        self.on[node as usize] -= 1;
        if let Some(ties) = self.ties.as_mut().filter(|_| p.jobs[job].tied) {
            ties.change(task, NodeId(node), false);
        }
        if let Some(index) = &mut self.index {
            index.update(&self.lines[node as usize], node, over);
        }
    }

    /// Takes a job off its nodes again.
    pub fn remove(&mut self, job: usize) {
        let start = std::mem::replace(&mut self.start[job], NEVER);
        self.end[job] = NEVER;
        self.p.jobs[job].tasks().for_each(|task| self.take_back(job, task, start));
    }

    pub fn note(&mut self, job: usize, start: i64) {
        let of = &self.p.jobs[job];
        let ends = of.tasks().map(|t| start + self.p.duration(job, self.node[t.index()]));
        self.end[job] = ends.max().unwrap_or(start);
        self.start[job] = start;
    }

    /// Takes starts and places from a schedule that holds. What is free is not known then: to look at only, until
    /// the next build.
    pub fn adopt(&mut self, schedule: &Schedule) {
        self.start.fill(NEVER);
        self.end.fill(NEVER);
        self.on.fill(0);
        for (task, node) in schedule.plan.placement.iter().enumerate() {
            self.node[task] = node.map_or(NONE, |node| node.0);
            node.iter().for_each(|node| self.on[node.index()] += 1);
        }
        self.cards.sets.clone_from(&schedule.plan.cards);
        for job in 0..self.p.jobs.len() {
            if let Some(start) = schedule.start[self.p.jobs[job].first as usize] {
                self.note(job, start);
            }
        }
    }

    /// The schedule as it stands.
    pub fn schedule(&self) -> Schedule {
        let mut plan = Plan::empty(self.node.len());
        let mut start = vec![None; self.node.len()];
        for (k, job) in self.p.jobs.iter().enumerate().filter(|(k, _)| self.start[*k] < NEVER) {
            for task in job.tasks() {
                plan.placement[task.index()] = Some(NodeId(self.node[task.index()]));
                start[task.index()] = Some(self.start[k]);
            }
        }
        plan.cards = self.cards.sets.clone();
        Schedule { plan, start }
    }
}
