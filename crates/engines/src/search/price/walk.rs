//! The last units of excess: a tabu walk that moves or swaps one task of a node above its room.
//!
//! Where rooms leave almost no slack and nodes hold few tasks, small groups of nodes can rarely be
//! packed by themselves; a walk over long chains of small changes gets through (tabu search:
//! Glover 1989).

use super::super::assignment::Assignment;
use super::super::problem::{Problem, Vector, add, sub};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Tasks looked at for one step, at most.
const SAMPLE: usize = 2048;
/// Steps for which a task may not return to a node: at least, and a random part.
const TENURE: (u64, u64) = (8, 24);

/// A walk on one plan.
pub struct Walk<'a, const R: usize> {
    p: &'a Problem<R>,
    s: &'a mut Assignment<R>,
    /// Nodes above their room.
    over: Vec<u32>,
    place: Vec<u32>,
    /// Per task: a node it may not return to, and until which step.
    tabu: Vec<(u32, u64)>,
    /// Units above the rooms.
    pub excess: i64,
    pub work: u64,
}

/// A step: the task that leaves, where to, and the task that comes back.
type Change = (u32, u32, Option<u32>);

/// The task that is to leave its node.
struct Leaving<const R: usize> {
    v: usize,
    i: u32,
    demand: Vector<R>,
    /// Load of its node without it, and the excess with it.
    others: Vector<R>,
    before: i64,
    step: u64,
    /// The least excess on the walk.
    least: i64,
}

/// The best change so far, and how many are as good.
struct Best {
    delta: i64,
    change: Option<Change>,
    ties: u32,
}

impl Best {
    fn offer(&mut self, delta: i64, change: Change, rng: &mut ChaCha8Rng) {
        self.ties = if delta < self.delta { 1 } else { self.ties + 1 };
        if self.ties == 1 || rng.random_range(0..self.ties) == 0 {
            (self.delta, self.change) = (delta, Some(change));
        }
    }
}

impl<'a, const R: usize> Walk<'a, R> {
    /// Capacities are the rooms; nothing is used beforehand.
    pub fn new(p: &'a Problem<R>, s: &'a mut Assignment<R>) -> Self {
        let mut walk = Walk {
            place: vec![u32::MAX; p.nodes()],
            tabu: vec![(u32::MAX, 0); p.tasks()],
            over: Vec::new(),
            excess: 0,
            work: 0,
            p,
            s,
        };
        for j in 0..p.nodes() {
            walk.excess += walk.above(j, &walk.s.load[j]);
            walk.list(j);
        }
        walk
    }

    /// Units by which a load is above the room of a node.
    fn above(&self, j: usize, load: &Vector<R>) -> i64 {
        let cap = &self.p.cap[j];
        (0..R).map(|r| (load[r] - cap[r]).max(0)).sum()
    }

    /// Keeps the list of nodes above their room.
    fn list(&mut self, j: usize) {
        let above = self.above(j, &self.s.load[j]) > 0;
        let at = self.place[j];
        if above && at == u32::MAX {
            self.place[j] = self.over.len() as u32;
            self.over.push(j as u32);
        } else if !above && at != u32::MAX {
            self.over.swap_remove(at as usize);
            if let Some(moved) = self.over.get(at as usize) {
                self.place[*moved as usize] = at;
            }
            self.place[j] = u32::MAX;
        }
    }

    /// Walks until nothing is above its room, or the work is done. The best excess on the way.
    pub fn run(&mut self, limit: u64, rng: &mut ChaCha8Rng, stop: &dyn Fn() -> bool) -> i64 {
        let mut least = self.excess;
        let mut step = 0;
        while self.excess > 0 && self.work < limit {
            step += 1;
            if step % 256 == 0 && stop() {
                break;
            }
            let v = self.over[rng.random_range(0..self.over.len())] as usize;
            let members = &self.s.members[v];
            if members.is_empty() {
                break;
            }
            let i = members[rng.random_range(0..members.len())];
            if let Some(change) = self.best(v, i, step, least, rng) {
                self.make(v, change, step, rng);
                least = least.min(self.excess);
            }
        }
        least
    }

    /// The change that leaves least excess; ties at random.
    fn best(
        &mut self,
        v: usize,
        i: u32,
        step: u64,
        least: i64,
        rng: &mut ChaCha8Rng,
    ) -> Option<Change> {
        let (n, m) = (self.p.tasks(), self.p.nodes());
        self.work += 1 + (n.min(SAMPLE) + m.min(SAMPLE)) as u64 / 4;
        let leaving = Leaving {
            v,
            i,
            demand: self.p.demand[i as usize],
            others: sub(self.s.load[v], self.p.demand[i as usize]),
            before: self.above(v, &self.s.load[v]),
            step,
            least,
        };
        let mut best = Best { delta: i64::MAX, change: None, ties: 0 };
        let start = rng.random_range(0..m);
        for b in (0..m.min(SAMPLE)).map(|k| (start + k) % m) {
            self.relocate(&leaving, b, &mut best, rng);
        }
        let start = rng.random_range(0..n);
        for k in (0..n.min(SAMPLE)).map(|k| (start + k) % n) {
            self.swap(&leaving, k, &mut best, rng);
        }
        best.change
    }

    /// Whether a task may go to a node: not back so soon, unless that is the best plan yet.
    fn free(&self, leaving: &Leaving<R>, delta: i64, task: u32, to: usize) -> bool {
        let (node, until) = self.tabu[task as usize];
        node != to as u32 || until < leaving.step || self.excess + delta < leaving.least
    }

    fn relocate(&self, l: &Leaving<R>, b: usize, best: &mut Best, rng: &mut ChaCha8Rng) {
        if b == l.v || !self.p.may(l.i as usize, b) {
            return;
        }
        let load = &self.s.load[b];
        let delta = self.above(l.v, &l.others) - l.before + self.above(b, &add(*load, l.demand))
            - self.above(b, load);
        if delta <= best.delta && self.free(l, delta, l.i, b) {
            best.offer(delta, (l.i, b as u32, None), rng);
        }
    }

    fn swap(&self, l: &Leaving<R>, k: usize, best: &mut Best, rng: &mut ChaCha8Rng) {
        let b = self.s.node_of[k] as usize;
        let (e, load) = (self.p.demand[k], &self.s.load[b]);
        if b == l.v || e == l.demand {
            return;
        }
        let delta = self.above(l.v, &add(l.others, e)) - l.before
            + self.above(b, &sub(add(*load, l.demand), e))
            - self.above(b, load);
        let may = || self.p.may(l.i as usize, b) && self.p.may(k, l.v);
        let free = || self.free(l, delta, l.i, b) && self.free(l, delta, k as u32, l.v);
        if delta <= best.delta && may() && free() {
            best.offer(delta, (l.i, b as u32, Some(k as u32)), rng);
        }
    }

    fn make(&mut self, v: usize, (i, b, back): Change, step: u64, rng: &mut ChaCha8Rng) {
        let mut until = || step + TENURE.0 + rng.random_range(0..TENURE.1);
        let before = [v, b as usize].map(|j| self.above(j, &self.s.load[j])).iter().sum::<i64>();
        self.tabu[i as usize] = (v as u32, until());
        let mut moved = vec![(i, b)];
        if let Some(k) = back {
            self.tabu[k as usize] = (b, until());
            moved.push((k, v as u32));
        }
        self.s.assign(self.p, &[v as u32, b], &moved);
        let after = [v, b as usize].map(|j| self.above(j, &self.s.load[j])).iter().sum::<i64>();
        self.excess += after - before;
        self.list(v);
        self.list(b as usize);
    }
}
