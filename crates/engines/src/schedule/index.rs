//! Which nodes can have room in which span of time: skips whole blocks of nodes at once.

use super::problem::Problem;
use super::serial::Builder;
use super::timeline::Timeline;

/// Nodes from which on an index pays.
const MANY: usize = 48;
/// Nodes of one block.
const BLOCK: usize = 24;
/// Spans of equal length; the last one never ends.
const SPANS: usize = 256;

/// The most that is free at any time of a span, per node and per block of nodes.
pub(super) struct Index {
    /// Seconds of a span.
    span: i64,
    width: usize,
    /// Nodes x spans x width.
    node: Vec<i64>,
    /// Blocks x spans x width.
    block: Vec<i64>,
    /// Both without any task.
    empty: (Vec<i64>, Vec<i64>),
    /// Per list of nodes, whether it has the node.
    may: Vec<Vec<bool>>,
}

/// Seconds by which everything can have ended if nodes are no matter.
fn longest_path(p: &Problem) -> i64 {
    let mut end = vec![0i64; p.jobs.len()];
    for k in p.topological.iter().map(|k| *k as usize) {
        let job = &p.jobs[k];
        let before = job.before.iter().map(|(other, lag)| end[*other as usize] + lag);
        end[k] = before.max().unwrap_or(0).max(job.release) + job.longest;
    }
    end.into_iter().max().unwrap_or(0)
}

impl Index {
    /// `None` where looking at every node is as good.
    pub fn new(p: &Problem) -> Option<Index> {
        if p.nodes() < MANY || p.jobs.iter().any(|job| job.pair.is_some()) {
            return None;
        }
        let all = |r: usize| p.room.iter().skip(r).step_by(p.width).map(|x| *x as f64).sum();
        let total: Vec<f64> = (0..p.width).map(all).collect();
        let energy = |k: usize| {
            let demand = p.demand(k, 0).iter().zip(&total).filter(|(_, t)| **t > 0.0);
            let share = demand.map(|(d, t)| *d as f64 / t).fold(0.0, f64::max);
            share * f64::from(p.jobs[k].units) * p.jobs[k].longest as f64
        };
        let energy: f64 = (0..p.jobs.len()).map(energy).sum();
        // Chains of jobs may take far longer than what nodes are busy with.
        let span = (1.3 * energy.max(longest_path(p) as f64) / (SPANS - 1) as f64).ceil() as i64;
        let mut index = Index {
            span: span.max(1),
            width: p.width,
            node: vec![0; p.nodes() * SPANS * p.width],
            block: vec![i64::MIN; p.nodes().div_ceil(BLOCK) * SPANS * p.width],
            empty: Default::default(),
            may: Vec::new(),
        };
        for list in &p.places {
            let mut may = vec![false; p.nodes()];
            list.iter().for_each(|node| may[*node as usize] = true);
            index.may.push(may);
        }
        for (j, line) in p.empty.iter().enumerate() {
            for s in 0..SPANS {
                index.look(line, j, s);
            }
        }
        for b in 0..p.nodes().div_ceil(BLOCK) {
            (0..SPANS).for_each(|s| index.sum_up(b, s));
        }
        index.empty = (index.node.clone(), index.block.clone());
        Some(index)
    }

    pub fn clear(&mut self) {
        self.node.copy_from_slice(&self.empty.0);
        self.block.copy_from_slice(&self.empty.1);
    }

    pub fn span_of(&self, time: i64) -> usize {
        ((time / self.span) as usize).min(SPANS - 1)
    }

    /// First and last second of a span.
    pub fn range(&self, s: usize) -> (i64, i64) {
        let from = s as i64 * self.span;
        (from, if s + 1 == SPANS { super::problem::NEVER } else { from + self.span - 1 })
    }

    pub fn last(&self) -> usize {
        SPANS - 1
    }

    /// Whether the node has that much room at some time of the span.
    pub fn may_fit(&self, node: u32, s: usize, demand: &[i64]) -> bool {
        let row = &self.node[(node as usize * SPANS + s) * self.width..][..self.width];
        row.iter().zip(demand).all(|(most, demand)| most >= demand)
    }

    /// Works out one entry of a node.
    fn look(&mut self, line: &Timeline, j: usize, s: usize) {
        let range = self.range(s);
        let at = (j * SPANS + s) * self.width;
        line.most_free(range, &mut self.node[at..at + self.width]);
    }

    /// Works out one entry of a block.
    fn sum_up(&mut self, b: usize, s: usize) {
        let width = self.width;
        let at = (b * SPANS + s) * width;
        let nodes = self.node.len() / (SPANS * width);
        let block = &mut self.block[at..at + width];
        block.fill(i64::MIN);
        for j in b * BLOCK..((b + 1) * BLOCK).min(nodes) {
            let row = &self.node[(j * SPANS + s) * width..][..width];
            block.iter_mut().zip(row).for_each(|(most, x)| *most = (*most).max(*x));
        }
    }

    /// The node's line has changed in that time.
    pub fn update(&mut self, line: &Timeline, node: u32, (from, to): (i64, i64)) {
        let (j, width) = (node as usize, self.width);
        for s in self.span_of(from)..=self.span_of(to - 1) {
            let at = (j * SPANS + s) * width;
            let block = (j / BLOCK * SPANS + s) * width;
            let led = (0..width).any(|r| self.node[at + r] >= self.block[block + r]);
            self.look(line, j, s);
            let leads = (0..width).any(|r| self.node[at + r] > self.block[block + r]);
            if led || leads {
                self.sum_up(j / BLOCK, s);
            }
        }
    }

    /// The node where the job, of one task, ends first, and its start there, in the range.
    pub fn first(
        &self,
        b: &mut Builder,
        job: usize,
        (ready, last): (i64, i64),
    ) -> Option<(u32, i64)> {
        let p = b.p;
        let of = &p.jobs[job];
        let width = self.width;
        let demand = p.demand(job, 0);
        let enough = |row: &[i64]| row.iter().zip(demand).all(|(most, demand)| most >= demand);
        let may = &self.may[of.place as usize];
        let mut best: Option<(i64, u32, i64)> = None;
        for s in self.span_of(ready)..=self.span_of(last) {
            let (from, to) = self.range(s);
            let (from, to) = (from.max(ready), to.min(last));
            if best.is_some_and(|(end, ..)| end <= from + of.shortest) || from > of.deadline {
                break;
            }
            b.work += (self.block.len() / (SPANS * width)) as u64 / 8 + 1;
            for block in 0..p.nodes().div_ceil(BLOCK) {
                if !enough(&self.block[(block * SPANS + s) * width..][..width]) {
                    continue;
                }
                let nodes = block * BLOCK..((block + 1) * BLOCK).min(p.nodes());
                for j in nodes.filter(|j| may[*j]) {
                    if !enough(&self.node[(j * SPANS + s) * width..][..width]) {
                        continue;
                    }
                    let node = j as u32;
                    let duration = p.duration(job, node);
                    let to = best.map_or(to, |(end, ..)| to.min(end - duration - 1));
                    let Some(start) = b.at(job, node, (from, to)) else { continue };
                    best = Some((start + duration, node, start));
                    if start == from && duration == of.shortest {
                        return Some((node, start));
                    }
                }
            }
        }
        best.map(|(_, node, start)| (node, start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{AfterDraft, Decimal, Draft, Goal, NodeDraft, TaskDraft};

    /// A chain takes far longer than what it keeps busy: its jobs are not all in the last span.
    #[test]
    fn spans_reach_to_the_end_of_a_chain() {
        let quantity = |n| vec![(0, Decimal::from_integer(n).unwrap())];
        let mut draft = Draft::default();
        draft.resource("cpu");
        for k in 0..MANY {
            let id = format!("n{k}");
            draft.nodes.push(NodeDraft { id, capacity: quantity(9), ..NodeDraft::default() });
        }
        for k in 0..600 {
            let mut task =
                TaskDraft { id: format!("t{k}"), demand: quantity(1), ..TaskDraft::default() };
            task.duration = Some(10);
            if k > 0 {
                task.after.push(AfterDraft { task: format!("t{}", k - 1), lag: 0 });
            }
            draft.tasks.push(task);
        }
        let instance = draft.build().unwrap().with_goal(Goal::parse("makespan").unwrap());
        let index = Index::new(&Problem::new(&instance, false)).unwrap();
        assert!(index.range(index.last()).0 >= 6000, "{:?}", index.range(index.last()));
    }
}
