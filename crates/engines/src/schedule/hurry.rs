//! What is left once time is short: each job somewhere, at once, behind what is there already.

use super::goal::Aim;
use super::problem::NEVER;
use super::serial::{Builder, Recipe};

/// Nodes in line that a job tries.
const IN_LINE: usize = 8;
/// Changes of a node's load, the last ones, among which a job looks for room.
const CHANGES: usize = 16;

impl Builder<'_> {
    /// Gives each job without a place one in a hurry, in this order; what comes after others goes
    /// after them.
    pub fn hurry(&mut self, order: &[u32]) {
        let p = self.p;
        let order = if p.precedence { &p.topological } else { order };
        loop {
            let (mut progress, mut refused) = (false, false);
            for job in order.iter().map(|job| *job as usize) {
                if self.start[job] < NEVER || p.jobs[job].running {
                    continue;
                }
                let ready = self.ready(job);
                if ready < NEVER && self.soon_after(job, ready) {
                    (progress, self.hurried) = (true, self.hurried + 1);
                } else {
                    // What its rules refuse may be taken once others have places.
                    refused |= p.jobs[job].tied;
                }
            }
            if !progress || !refused {
                return;
            }
        }
    }

    /// Who built the schedule, and whether it was in a hurry.
    pub fn by(&self, name: &str) -> String {
        match self.hurried {
            0 => name.to_owned(),
            jobs => format!("{name}, {jobs} jobs in a hurry"),
        }
    }

    /// Places the job behind the last changes of some nodes in line, where it ends first; or
    /// anywhere, where none of these has room for it.
    fn soon_after(&mut self, job: usize, ready: i64) -> bool {
        let p = self.p;
        let of = &p.jobs[job];
        let places = p.places(job);
        if places.is_empty() {
            return false;
        }
        if of.set.is_some() {
            let aim = Aim::by_time(p);
            return self.try_together(job, (ready, NEVER), &Recipe::default(), &aim);
        }
        if of.units > 1 {
            return self.gang_after(job, ready);
        }
        let first = self.line % places.len();
        let mut best: Option<(i64, u32, i64)> = None;
        for k in 0..IN_LINE.min(places.len()) {
            let node = places[(first + k) % places.len()];
            let from = ready.max(self.lines[node as usize].before_last(CHANGES));
            let to = best.map_or(NEVER, |(end, ..)| end - p.duration(job, node) - 1);
            if let Some(start) = self.at(job, node, (from, to)) {
                best = Some((start + p.duration(job, node), node, start));
            }
        }
        self.line += IN_LINE;
        match best {
            Some((_, node, start)) => self.place(job, node, start),
            None => places.iter().any(|node| {
                let start = self.at(job, *node, (ready, NEVER));
                start.is_some_and(|start| self.place(job, *node, start))
            }),
        }
    }

    /// Places the units on nodes in line once these are empty.
    fn gang_after(&mut self, job: usize, ready: i64) -> bool {
        let p = self.p;
        let of = &p.jobs[job];
        let mut way: Vec<u32> = Vec::with_capacity(of.units as usize);
        let places = p.places(job);
        let mut start = ready;
        for k in 0..places.len() {
            let node = places[(self.line + k) % places.len()];
            let each = p.room(node).iter().zip(p.demand(job, node)).filter(|(_, d)| **d > 0);
            let most = each.map(|(room, d)| room / d).min().unwrap_or(i64::MAX);
            let left = of.units as usize - way.len();
            let many = usize::try_from(most).unwrap_or(0).min(left);
            if many > 0 {
                start = start.max(self.lines[node as usize].last());
                way.extend(std::iter::repeat_n(node, many));
            }
            if way.len() == of.units as usize {
                self.line += k + 1;
                break;
            }
        }
        let lines = way.iter().flat_map(|node| p.taken(job, *node));
        start = lines.map(|(line, _)| self.pools[line].last()).fold(start, i64::max);
        let ends = way.iter().map(|node| start + p.duration(job, *node)).max();
        let pinned =
            of.tasks().zip(&way).any(|(task, node)| p.pin(task).is_some_and(|n| n != *node));
        way.len() == of.units as usize
            && !pinned
            && ends.is_some_and(|end| end <= of.deadline)
            && self.place_units(job, &way, start)
    }
}
