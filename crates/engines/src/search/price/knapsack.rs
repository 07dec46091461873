//! The most that tasks on one node can be worth: a bounded knapsack with several resources.
//!
//! One dynamic program over the grid of all loads serves every node that may run the same tasks
//! (Kellerer, Pferschy, Pisinger 2004, "Knapsack Problems", chapter 9). Where that grid would be
//! too large, loads are counted in coarser units, demands rounded down: a relaxation, so that
//! what it says is never too little.

use super::super::problem::{Vector, fits};
use super::shape::Shape;

/// Values of one knapsack stay below this.
pub const MOST: i64 = (1 << 30) - 1;

/// Cells of the grid, and copies of tasks times cells, that are still fine.
const CELLS: usize = 1 << 17;
const BYTES: usize = 1 << 27;

/// How many tasks of which kinds.
pub type Pattern = Vec<(u32, u32)>;

/// A knapsack solver for one group of kinds and the types that may run them.
pub struct Knapsack<const R: usize> {
    types: Vec<usize>,
    kinds: Vec<u32>,
    /// Cells along each resource, and how far apart neighbours lie.
    size: [usize; R],
    stride: [usize; R],
    /// Units per cell along each resource; all 1 when the answer is exact.
    unit: Vector<R>,
    value: Vec<i32>,
    /// Per item: in which cells it is taken.
    taken: Vec<u8>,
    items: Vec<Item<R>>,
    temporary: Vec<i32>,
    /// Cells visited.
    pub work: u64,
}

/// Some tasks of one kind together.
struct Item<const R: usize> {
    kind: u32,
    count: u32,
    worth: i32,
    demand: [usize; R],
}

impl<const R: usize> Knapsack<R> {
    /// For the types of group `group`.
    pub fn new(shape: &Shape<R>, group: usize) -> Self {
        let types: Vec<usize> =
            (0..shape.types.len()).filter(|t| shape.types[*t].group == group).collect();
        let rooms = || types.iter().map(|t| &shape.types[*t].room);
        let most: Vector<R> = std::array::from_fn(|r| {
            rooms().map(|room| room[r].min(shape.total[r])).max().unwrap_or(0).max(0)
        });
        let kinds: Vec<u32> = (shape.groups[group].iter().copied())
            .filter(|k| rooms().any(|room| fits(&shape.kinds[*k as usize].demand, room)))
            .collect();
        let unit = coarse(&most);
        let size: [usize; R] = std::array::from_fn(|r| (most[r] / unit[r]) as usize + 1);
        let stride = std::array::from_fn(|r| size[r + 1..].iter().product());
        let cells = size.iter().product();
        Knapsack {
            types,
            kinds,
            size,
            stride,
            unit,
            value: vec![0; cells],
            taken: Vec::new(),
            items: Vec::new(),
            temporary: Vec::new(),
            work: 0,
        }
    }

    /// Whether what it says is exact, so that patterns can be read off.
    pub fn exact(&self) -> bool {
        self.unit.iter().all(|u| *u == 1)
    }

    /// Solves for the worth of one task of each kind, at least 0 each: calls `tell` with each type,
    /// the most it can hold, and the tasks that are worth that (only when exact and asked for).
    /// Not more than `count` tasks of a kind are taken.
    pub fn solve(
        &mut self,
        shape: &Shape<R>,
        worth: &[i64],
        patterns: bool,
        mut tell: impl FnMut(usize, i64, Pattern),
    ) {
        self.list(shape, worth);
        let patterns = patterns && self.exact() && self.items.len() * self.value.len() <= BYTES;
        self.fill(patterns);
        for t in &self.types {
            let room = &shape.types[*t].room;
            let at =
                std::array::from_fn(|r| ((room[r] / self.unit[r]) as usize).min(self.size[r] - 1));
            let best = i64::from(self.value[self.cell(&at)]);
            tell(*t, best, if patterns { self.pattern(at) } else { Vec::new() });
        }
    }

    fn cell(&self, at: &[usize; R]) -> usize {
        (0..R).map(|r| at[r] * self.stride[r]).sum()
    }

    /// The items: tasks of a kind in portions of 1, 2, 4, ..., as many as could be on one node.
    fn list(&mut self, shape: &Shape<R>, worth: &[i64]) {
        self.items.clear();
        for k in &self.kinds {
            let kind = &shape.kinds[*k as usize];
            let one = worth[*k as usize].clamp(0, MOST);
            if one == 0 {
                continue;
            }
            let demand: [usize; R] =
                std::array::from_fn(|r| (kind.demand[r] / self.unit[r]) as usize);
            let fit = (0..R).filter(|r| demand[*r] > 0).map(|r| (self.size[r] - 1) / demand[r]);
            let mut left = fit.min().unwrap_or(usize::MAX).min(kind.tasks.len());
            let mut portion = 1;
            while left > 0 {
                let count = portion.min(left);
                left -= count;
                portion *= 2;
                self.items.push(Item {
                    kind: *k,
                    count: count as u32,
                    worth: (one * count as i64).min(MOST) as i32,
                    demand: demand.map(|d| d * count),
                });
            }
        }
    }

    /// The dynamic program: item after item, over all cells that hold it.
    fn fill(&mut self, patterns: bool) {
        let cells = self.value.len();
        self.value.fill(0);
        let width = self.size[R - 1];
        if patterns {
            self.taken.clear();
            self.taken.resize(self.items.len() * cells, 0);
        }
        let mut nothing = vec![0u8; width];
        for (k, item) in self.items.iter().enumerate() {
            let inner = item.demand[R - 1];
            if (0..R).any(|r| item.demand[r] >= self.size[r]) {
                continue;
            }
            let back: usize = (0..R - 1).map(|r| item.demand[r] * self.stride[r]).sum();
            for start in (0..cells / width).rev().map(|row| row * width) {
                if !holds(&self.size, &self.stride, &item.demand, start) {
                    continue;
                }
                let marks = if patterns {
                    &mut self.taken[k * cells + start..k * cells + start + width]
                } else {
                    &mut nothing[..]
                };
                self.temporary.clear();
                let from = start - back;
                self.temporary.extend_from_slice(&self.value[from..from + width - inner]);
                let row = &mut self.value[start + inner..start + width];
                take(row, &self.temporary, &mut marks[inner..], item.worth);
            }
            self.work += cells as u64 / 4;
        }
    }

    /// Reads off which tasks make up the value of a cell.
    fn pattern(&self, mut at: [usize; R]) -> Pattern {
        let cells = self.value.len();
        let mut pattern: Pattern = Vec::new();
        for (k, item) in self.items.iter().enumerate().rev() {
            if self.taken[k * cells + self.cell(&at)] == 1 {
                (0..R).for_each(|r| at[r] -= item.demand[r]);
                match pattern.last_mut() {
                    Some(last) if last.0 == item.kind => last.1 += item.count,
                    _ => pattern.push((item.kind, item.count)),
                }
            }
        }
        pattern
    }
}

/// One row of cells: where the item improves on what is there, it is taken.
fn take(row: &mut [i32], from: &[i32], marks: &mut [u8], worth: i32) {
    for ((v, f), mark) in row.iter_mut().zip(from).zip(marks) {
        let with = (f + worth).min(MOST as i32);
        *mark = u8::from(with > *v);
        *v = with.max(*v);
    }
}

/// Whether the row that starts at a cell can hold the item in all resources but the last.
fn holds<const R: usize>(
    size: &[usize; R],
    stride: &[usize; R],
    demand: &[usize; R],
    start: usize,
) -> bool {
    (0..R - 1).all(|r| (start / stride[r]) % size[r] >= demand[r])
}

/// Units per cell, so that the grid is small enough: the finest first is made coarser.
fn coarse<const R: usize>(most: &Vector<R>) -> Vector<R> {
    let mut unit = [1; R];
    let cells = |unit: &Vector<R>, r: usize| most[r] / unit[r] + 1;
    while (0..R).map(|r| cells(&unit, r) as f64).product::<f64>() > CELLS as f64 {
        if let Some(r) = (0..R).max_by_key(|r| cells(&unit, *r)) {
            unit[r] *= 2;
        }
    }
    unit
}
