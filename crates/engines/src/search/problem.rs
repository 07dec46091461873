//! The part of an instance that a search for a low peak looks at, in flat arrays
//! whose width is known at compile time.

use super::ratio::Ratio;

/// A load, demand or capacity: one integer a resource. `R` is known at compile time, so that the
/// inner loops unroll; an instance with fewer resources is padded with zeros.
pub type Vector<const R: usize> = [i64; R];

/// Tasks, nodes and base loads as integers. Immutable once built.
#[derive(Clone, Debug)]
pub struct Problem<const R: usize> {
    pub demand: Vec<Vector<R>>,
    pub cap: Vec<Vector<R>>,
    /// Load that is there before any task is placed.
    pub used: Vec<Vector<R>>,
    /// Kind of each task, as far as it matters where it may run.
    pub kind: Vec<u16>,
    /// Per kind and node, whether it may; empty when every task may run everywhere.
    pub allowed: Vec<Vec<bool>>,
}

impl<const R: usize> Problem<R> {
    pub fn tasks(&self) -> usize {
        self.demand.len()
    }

    pub fn nodes(&self) -> usize {
        self.cap.len()
    }

    /// Whether task `i` may run on node `j`.
    pub fn may(&self, i: usize, j: usize) -> bool {
        self.allowed.is_empty() || self.allowed[usize::from(self.kind[i])][j]
    }

    /// The peak of a plan, summed up afresh.
    pub fn peak(&self, node_of: &[u32]) -> Ratio {
        let mut load = self.used.clone();
        for (d, j) in self.demand.iter().zip(node_of) {
            load[*j as usize] = add(load[*j as usize], *d);
        }
        let of = |j: usize| self.peak_of(j, &load[j]);
        (0..self.nodes()).map(of).max().unwrap_or(Ratio::ZERO)
    }

    /// Room for tasks on every node when no load may exceed `z` times the capacity:
    /// floor(z c) - used. Negative when the base load alone is too much.
    pub fn room(&self, z: Ratio) -> Vec<Vector<R>> {
        let of = |j: usize| std::array::from_fn(|r| z.floor_of(self.cap[j][r]) - self.used[j][r]);
        (0..self.nodes()).map(of).collect()
    }

    /// The total demand per resource.
    pub fn total(&self) -> Vector<R> {
        self.demand.iter().fold([0; R], |a, d| add(a, *d))
    }

    /// The largest load over capacity of one node that carries `load` (base load included).
    pub fn peak_of(&self, j: usize, load: &Vector<R>) -> Ratio {
        let of = |r: usize| match self.cap[j][r] {
            0 if load[r] > 0 => Ratio::MAX,
            c => Ratio::new(load[r], c),
        };
        (0..R).map(of).max().unwrap_or(Ratio::ZERO)
    }
}

pub fn add<const R: usize>(a: Vector<R>, b: Vector<R>) -> Vector<R> {
    std::array::from_fn(|r| a[r] + b[r])
}

pub fn sub<const R: usize>(a: Vector<R>, b: Vector<R>) -> Vector<R> {
    std::array::from_fn(|r| a[r] - b[r])
}

/// Whether `a` is at most `b` in every resource.
pub fn fits<const R: usize>(a: &Vector<R>, b: &Vector<R>) -> bool {
    (0..R).all(|r| a[r] <= b[r])
}
