//! Inequalities that every choice of nodes satisfies: whatever tasks are worth, the nodes used
//! must be able to hold all that worth.
//!
//! For any worth of the tasks, not negative: the sum over all tasks is at most the sum over the
//! nodes used of the most each of them can hold. The total demand in one resource is the simplest
//! case; dual-feasible functions (Lueker 1983; Fekete, Schepers 2001) and the multipliers of a
//! column generation are others.

use super::super::problem::{Vector, fits};
use super::shape::{Kind, Shape, Type};

/// One inequality: `sum over types of holds * count >= total`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The worth of one task of each kind.
    pub worth: Vec<i64>,
    /// The worth of all tasks.
    pub total: i64,
    /// Per type: the most worth that one node can hold, at most `total`.
    pub holds: Vec<i64>,
}

/// Sizes by which demands are counted, per resource.
const SIZES: usize = 64;
/// Rooms that tasks are compared with.
const ROOMS: usize = 64;

impl Cut {
    /// `holds` is cut off at the total; nothing if it says nothing or numbers get too large.
    pub fn new<const R: usize>(
        shape: &Shape<R>,
        worth: Vec<i64>,
        mut holds: Vec<i64>,
    ) -> Option<Self> {
        let all = worth.iter().zip(&shape.kinds);
        let total: i128 = all.map(|(w, k)| i128::from(*w) * k.tasks.len() as i128).sum();
        let total = i64::try_from(total).ok().filter(|t| (1..1 << 50).contains(t))?;
        holds.iter_mut().for_each(|h| *h = (*h).clamp(0, total));
        Some(Cut { worth, total, holds })
    }

    /// The same with `part` of the total more to hold, as far as all nodes together can: leaves
    /// room for packing.
    pub fn with_slack<const R: usize>(&self, shape: &Shape<R>, part: f64) -> Self {
        let nodes = self.holds.iter().zip(&shape.types);
        let all = nodes.map(|(h, t)| h.saturating_mul(t.nodes.len() as i64));
        let all = all.fold(0i64, i64::saturating_add).max(self.total);
        let more = (self.total as f64 * part).round() as i64;
        Cut { total: (self.total + more).min(all), ..self.clone() }
    }

    /// By how much of its total the choice `x` falls short.
    pub fn missing(&self, x: &[f64]) -> f64 {
        let held: f64 = self.holds.iter().zip(x).map(|(h, x)| *h as f64 * x).sum();
        1.0 - held / self.total as f64
    }

    /// Whether a whole choice satisfies it.
    pub fn allows(&self, x: &[i64]) -> bool {
        let held: i128 =
            self.holds.iter().zip(x).map(|(h, x)| i128::from(*h) * i128::from(*x)).sum();
        held >= i128::from(self.total)
    }
}

/// The total demand of every resource, demands counted in whole multiples of some sizes, and the
/// demand of the tasks that do not fit on some type of node.
pub fn counting<const R: usize>(shape: &Shape<R>) -> Vec<Cut> {
    let mut cuts = Vec::new();
    let mut rooms: Vec<Vector<R>> = shape.types.iter().map(|t| t.room).collect();
    rooms.sort_unstable();
    rooms.dedup();
    let skip = rooms.len().div_ceil(ROOMS).max(1);
    let rooms: Vec<_> = rooms.into_iter().step_by(skip).collect();
    for r in 0..R {
        let mut sizes: Vec<i64> = shape.kinds.iter().map(|k| k.demand[r]).collect();
        sizes.sort_unstable();
        sizes.dedup();
        sizes.retain(|s| *s > 1);
        let skip = sizes.len().div_ceil(SIZES).max(1);
        for s in std::iter::once(1).chain(sizes.into_iter().rev().step_by(skip)) {
            cuts.extend(counted(shape, r, s, |_| true));
        }
        for room in &rooms {
            cuts.extend(counted(shape, r, 1, |d| !fits(d, room)));
        }
    }
    cuts
}

/// Demands in resource `r` of some tasks, counted in whole multiples of `s`. A node holds no more
/// than its room, and none of the tasks that do not fit on it.
fn counted<const R: usize>(
    shape: &Shape<R>,
    r: usize,
    s: i64,
    some: impl Fn(&Vector<R>) -> bool,
) -> Option<Cut> {
    let of = |k: &Kind<R>| if some(&k.demand) { k.demand[r] / s } else { 0 };
    let worth: Vec<i64> = shape.kinds.iter().map(of).collect();
    let holds = |t: &Type<R>| {
        let fitting = shape.groups[t.group].iter().map(|k| *k as usize);
        let fitting = fitting.filter(|k| worth[*k] > 0 && fits(&shape.kinds[*k].demand, &t.room));
        let sum: i64 = fitting.map(|k| worth[k] * shape.kinds[k].tasks.len() as i64).sum();
        sum.min(t.room[r] / s)
    };
    let holds = shape.types.iter().map(holds).collect();
    Cut::new(shape, worth, holds)
}
