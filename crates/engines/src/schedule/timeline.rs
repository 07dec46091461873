//! What is free on one node over time: a step function, as times and rows.

use std::slice::ChunksExactMut;

/// Free below anything that a task could ask: nothing runs.
const SHUT: i64 = i64::MIN / 4;

/// What is free from each time until the next; the last row holds for ever.
#[derive(Clone, Debug, Default)]
pub(super) struct Timeline {
    /// 0, and every time at which something starts or ends.
    times: Vec<i64>,
    /// How many things start or end then; a time goes with the last of them.
    edges: Vec<u32>,
    free: Vec<i64>,
}

impl Timeline {
    /// An empty node with this much room, shut in between, and with less room at times.
    pub fn new(room: &[i64], closed: &[(i64, i64)], busy: &[(i64, i64, Vec<i64>)]) -> Timeline {
        let mut line = Timeline { times: vec![0], edges: vec![1], free: room.to_vec() };
        let shut = vec![-SHUT; room.len()];
        closed.iter().for_each(|(from, to)| line.take(*from, *to, &shut));
        busy.iter().for_each(|(from, to, taken)| line.take(*from, *to, taken));
        line
    }

    pub fn copy(&mut self, other: &Timeline) {
        self.times.clone_from(&other.times);
        self.edges.clone_from(&other.edges);
        self.free.clone_from(&other.free);
    }

    fn segment(&self, time: i64) -> usize {
        self.times.partition_point(|t| *t <= time) - 1
    }

    /// The earliest start in `ready..=latest`; `None` when there is no room. `work` counts steps.
    pub fn earliest(
        &self,
        (ready, latest): (i64, i64),
        duration: i64,
        demand: &[i64],
        work: &mut u64,
    ) -> Option<i64> {
        let width = demand.len();
        let first = self.segment(ready);
        let mut start = ready;
        let mut at = first;
        let found = loop {
            let free = &self.free[at * width..(at + 1) * width];
            let next = self.times.get(at + 1).copied();
            if free.iter().zip(demand).any(|(free, demand)| free < demand) {
                match next {
                    Some(next) if next <= latest => start = next,
                    _ => break None,
                }
            } else if next.is_none_or(|next| next >= start + duration) {
                break Some(start);
            }
            at += 1;
        };
        let found = found.filter(|start| *start <= latest);
        *work += (at - first) as u64 / 4 + 1;
        found
    }

    /// How many tasks of this demand have room from `start` for the duration, at most `most`.
    pub fn fitting(&self, start: i64, duration: i64, demand: &[i64], most: u32) -> u32 {
        let width = demand.len();
        let mut many = i64::from(most);
        for at in self.segment(start)..self.times.len() {
            if self.times[at] >= start + duration {
                break;
            }
            for (free, demand) in self.free[at * width..(at + 1) * width].iter().zip(demand) {
                if *demand > 0 {
                    many = many.min(free.div_euclid(*demand));
                } else if *free < 0 {
                    many = 0;
                }
            }
            if many <= 0 {
                return 0;
            }
        }
        many as u32
    }

    /// When it changes for the last time.
    pub fn last(&self) -> i64 {
        self.times.last().copied().unwrap_or(0)
    }

    /// When so many of its changes were still to come.
    pub fn before_last(&self, changes: usize) -> i64 {
        self.times[self.times.len().saturating_sub(changes + 1)]
    }

    /// The first time after `time` at which anything changes.
    pub fn next(&self, time: i64) -> Option<i64> {
        self.times.get(self.segment(time) + 1).copied()
    }

    /// The most that is free at any time of the range, entry by entry.
    pub fn most_free(&self, (from, to): (i64, i64), most: &mut [i64]) {
        let width = most.len();
        most.fill(i64::MIN);
        for at in self.segment(from)..self.times.len() {
            if self.times[at] > to {
                break;
            }
            let row = &self.free[at * width..(at + 1) * width];
            most.iter_mut().zip(row).for_each(|(most, free)| *most = (*most).max(*free));
        }
    }

    /// The same is free at all times.
    pub fn same(&self, other: &Timeline, width: usize) -> bool {
        let free = |line: &Timeline, time: i64, r: usize| line.free[line.segment(time) * width + r];
        let mut times = self.times.iter().chain(&other.times);
        times.all(|time| (0..width).all(|r| free(self, *time, r) == free(other, *time, r)))
    }

    /// Takes the demand from `start` until before `end`.
    pub fn take(&mut self, start: i64, end: i64, demand: &[i64]) {
        let from = self.cut(start, demand.len());
        let to = self.cut(end, demand.len());
        for row in self.rows(from, to, demand.len()) {
            row.iter_mut().zip(demand).for_each(|(free, demand)| *free -= demand);
        }
        self.edges[from] += 1;
        self.edges[to] += 1;
    }

    /// Gives back what was taken with the same arguments.
    pub fn give_back(&mut self, start: i64, end: i64, demand: &[i64]) {
        let (from, to) = (self.segment(start), self.segment(end));
        for row in self.rows(from, to, demand.len()) {
            row.iter_mut().zip(demand).for_each(|(free, demand)| *free += demand);
        }
        self.join(to, demand.len());
        self.join(from, demand.len());
    }

    fn rows(&mut self, from: usize, to: usize, width: usize) -> ChunksExactMut<'_, i64> {
        self.free[from * width..to * width].chunks_exact_mut(width)
    }

    /// One thing less starts or ends at that time.
    fn join(&mut self, at: usize, width: usize) {
        self.edges[at] -= 1;
        if self.edges[at] == 0 {
            self.times.remove(at);
            self.edges.remove(at);
            self.free.drain(at * width..(at + 1) * width);
        }
    }

    /// Makes `time` a time at which something may change; its position.
    fn cut(&mut self, time: i64, width: usize) -> usize {
        let at = self.segment(time);
        if self.times[at] == time {
            return at;
        }
        self.times.insert(at + 1, time);
        self.edges.insert(at + 1, 0);
        let row = at * width..(at + 1) * width;
        let old = self.free.len();
        self.free.resize(old + width, 0);
        self.free.copy_within(row.end..old, row.end + width);
        self.free.copy_within(row.clone(), row.end);
        at + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_back_leaves_no_trace() {
        let mut line = Timeline::new(&[4, 9], &[(50, 60)], &[(0, 20, vec![1, 1])]);
        let before = format!("{line:?}");
        let taken = [(0, 10, [1, 2]), (10, 20, [1, 2]), (5, 50, [1, 0]), (30, 30, [1, 1])];
        taken.iter().for_each(|(from, to, demand)| line.take(*from, *to, demand));
        assert_eq!(line.next(0), Some(5));
        assert_eq!(line.earliest((0, 99), 5, &[3, 0], &mut 0), Some(20));
        // In any order; a time stays as long as something else starts or ends then.
        for k in [1, 3, 0, 2] {
            let (from, to, demand) = taken[k];
            line.give_back(from, to, &demand);
        }
        assert_eq!(format!("{line:?}"), before);
    }
}
