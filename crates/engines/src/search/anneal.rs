//! Simulated annealing by relocate and swap against a target.
//!
//! The cost is the sum over nodes and resources of the squared excess over the room that the
//! target leaves, in units of the mean demand. Works on a block: some nodes with the tasks on
//! them, copied into arrays small enough for the cache.

use super::problem::Vector;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Some nodes and the tasks on them, numbered from 0.
pub struct Block<const R: usize> {
    pub demand: Vec<Vector<R>>,
    pub kind: Vec<u16>,
    /// Per kind and node, whether it may run there; empty when all may run everywhere.
    pub allowed: Vec<Vec<bool>>,
    pub node_of: Vec<u32>,
    pub load: Vec<Vector<R>>,
    pub room: Vec<Vector<R>>,
    /// One over the mean demand.
    pub scale: [f64; R],
}

/// How long and how hot.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// Moves evaluated: the unit of a work limit.
    pub moves: u64,
    pub hot: f64,
    pub cold: f64,
}

/// Moves between two changes of temperature.
const CHUNK: u64 = 256;

impl<const R: usize> Block<R> {
    fn cost(&self, j: usize, load: &Vector<R>) -> f64 {
        let mut sum = 0.0;
        let room = &self.room[j];
        for (r, scale) in self.scale.iter().enumerate() {
            let x = (load[r] - room[r]).max(0) as f64 * scale;
            sum += x * x;
        }
        sum
    }

    fn may(&self, i: usize, j: usize) -> bool {
        self.allowed.is_empty() || self.allowed[usize::from(self.kind[i])][j]
    }

    /// Anneals in place.
    pub fn anneal(&mut self, s: Schedule, rng: &mut ChaCha8Rng) {
        let (n, m) = (self.demand.len(), self.load.len());
        if n < 2 || m < 2 {
            return;
        }
        let mut done = 0;
        while done < s.moves {
            let part = done as f64 / s.moves as f64;
            let heat = s.hot * (s.cold / s.hot).powf(part);
            for _ in 0..CHUNK {
                let i = rng.random_range(0..n);
                if rng.random_range(0..8u32) == 0 {
                    let to = rng.random_range(0..m);
                    self.try_move(i, None, to, heat, rng);
                } else {
                    let k = rng.random_range(0..n);
                    self.try_move(i, Some(k), self.node_of[k] as usize, heat, rng);
                }
            }
            done += CHUNK;
        }
    }

    /// Moves task `i` to node `to`, and task `back` the other way, if the dice agree.
    fn try_move(
        &mut self,
        i: usize,
        back: Option<usize>,
        to: usize,
        heat: f64,
        rng: &mut ChaCha8Rng,
    ) {
        let from = self.node_of[i] as usize;
        if from == to || !self.may(i, to) || back.is_some_and(|k| !self.may(k, from)) {
            return;
        }
        let d = self.demand[i];
        let e = back.map_or([0; R], |k| self.demand[k]);
        let (a, b) = (self.load[from], self.load[to]);
        let na: Vector<R> = std::array::from_fn(|r| a[r] - d[r] + e[r]);
        let nb: Vector<R> = std::array::from_fn(|r| b[r] + d[r] - e[r]);
        let delta =
            self.cost(from, &na) + self.cost(to, &nb) - self.cost(from, &a) - self.cost(to, &b);
        if delta <= 0.0 || delta < heat * -(rng.random::<f32>() as f64).max(1e-9).ln() {
            self.load[from] = na;
            self.load[to] = nb;
            self.node_of[i] = to as u32;
            if let Some(k) = back {
                self.node_of[k] = from as u32;
            }
        }
    }
}
