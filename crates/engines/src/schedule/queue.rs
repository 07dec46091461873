//! Queue policies: what a cluster's scheduler does that looks at its queue only when something
//! ends or arrives. For comparison; no search.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use rustc_hash::FxHashMap;

use super::goal::Aim;
use super::orders::Figures;
use super::problem::{NEVER, Problem};
use super::serial::{Builder, Recipe};

/// Jobs behind the first that are looked at when something may pass it: Slurm's usual depth.
const DEPTH: usize = 100;

/// How jobs leave the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// In the order of arrival; nothing passes the first.
    Fifo,
    /// The highest priority first; nothing passes the first.
    Priority,
    /// The shortest first; nothing passes the first.
    Shortest,
    /// Priority as a weight: the most priority for the nodes' time that a job takes.
    Weighted,
    /// In the order of arrival; others pass if the first starts no later for it (Lifka 1995,
    /// DOI 10.1007/3-540-60153-8_35).
    Easy,
    /// In the order of arrival; others pass if no job before them starts later for it.
    Conservative,
}

/// Every policy, with its name and a line of help.
pub const QUEUES: [(Queue, &str, &str); 6] = [
    (Queue::Fifo, "fifo", "in the order of arrival; nothing passes the first of the queue"),
    (Queue::Priority, "priority", "the highest priority first; nothing passes the first"),
    (Queue::Shortest, "shortest", "the shortest first; nothing passes the first"),
    (Queue::Weighted, "weighted", "the most priority for the time that a job takes first"),
    (Queue::Easy, "easy", "EASY backfill: others pass if the first starts no later for it"),
    (Queue::Conservative, "conservative", "backfill: others pass if nothing before them waits"),
];

impl Queue {
    /// The name used in flags and files.
    pub fn name(self) -> &'static str {
        QUEUES.iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }
}

/// Builds the policy's schedule; jobs that it can never start have no place. False if the time
/// ran out before. In a hurry what is left is placed in the order of arrival.
pub(super) fn run(b: &mut Builder, aim: &Aim, queue: Queue, figures: &Figures) -> bool {
    let arrivals = || {
        let mut order: Vec<u32> = (0..figures.head.len() as u32).collect();
        order.sort_by_key(|k| (figures.head[*k as usize], *k));
        order
    };
    if queue == Queue::Conservative {
        b.build(&Recipe { order: arrivals(), ..Recipe::default() }, aim);
        return b.soon.is_some() || !b.cut_short();
    }
    let mut simulation = Simulation::new(b, queue, figures);
    while let Some(time) = simulation.advance() {
        if simulation.b.cut_short() {
            if b.soon.is_none() {
                return false;
            }
            b.hurry(&arrivals());
            break;
        }
        simulation.serve(time);
    }
    b.complete(&Recipe { order: arrivals(), ..Recipe::default() }, aim);
    true
}

/// What a queue is sorted by, and the job.
type Place = (i64, i64, u32);

struct Simulation<'a, 'b> {
    b: &'b mut Builder<'a>,
    queue: Queue,
    /// Sorted by arrival, or as the policy says.
    waiting: BTreeSet<Place>,
    /// When jobs arrive of which all that they come after has a start.
    arrivals: BinaryHeap<Reverse<(i64, u32)>>,
    /// Times at which something ends, on the node before the plan too, or a node opens.
    events: BinaryHeap<Reverse<i64>>,
    /// Jobs before each that have no start.
    open: Vec<u32>,
    keys: Vec<i64>,
    /// When each joined the queue.
    came: Vec<i64>,
    recipe: Recipe,
    aim: Aim,
    /// Shapes of jobs that have no room now, with the shortest time that they had none for.
    failed: FxHashMap<u32, i64>,
    /// The first of the queue, and when it can start.
    blocked: Option<(u32, i64)>,
    /// Until then the start of what was the first is waited for.
    reserved: i64,
    /// Jobs that left the queue because their rules refused them.
    refused: Vec<u32>,
    now: i64,
}

impl<'a, 'b> Simulation<'a, 'b> {
    fn new(b: &'b mut Builder<'a>, queue: Queue, figures: &Figures) -> Simulation<'a, 'b> {
        let p = b.p;
        b.clear();
        let mut levels: Vec<i64> = p.jobs.iter().map(|job| job.priority).collect();
        levels.sort_unstable();
        levels.dedup();
        let level = |k: usize| levels.partition_point(|x| *x < p.jobs[k].priority) + 1;
        let key = |k: usize| match queue {
            Queue::Fifo | Queue::Easy | Queue::Conservative => 0,
            Queue::Priority => -p.jobs[k].priority,
            Queue::Shortest => p.jobs[k].shortest,
            // In millionths: the least area for its weight first.
            Queue::Weighted => {
                let area = figures.area[k].max(1e-9) * 1e6;
                (area / (level(k) as f64 * p.jobs[k].weight.max(1) as f64)).min(1e15) as i64
            }
        };
        let ends = p.busy.iter().flatten().map(|(_, to, _)| *to);
        let windows = p.closed.iter().flatten().map(|(_, to)| *to).chain(ends);
        let windows = windows.chain(p.pools.steps()).map(Reverse);
        let mut simulation = Simulation {
            queue,
            waiting: BTreeSet::new(),
            arrivals: BinaryHeap::new(),
            events: windows.collect(),
            open: p.jobs.iter().map(|job| job.before.len() as u32).collect(),
            keys: (0..p.jobs.len()).map(key).collect(),
            came: vec![0; p.jobs.len()],
            recipe: Recipe::default(),
            aim: Aim::by_time(p),
            failed: FxHashMap::default(),
            blocked: None,
            reserved: 0,
            refused: Vec::new(),
            now: 0,
            b,
        };
        for k in 0..p.jobs.len() {
            if simulation.b.start[k] < NEVER {
                simulation.started(k);
            } else if p.jobs[k].before.is_empty() {
                simulation.arrivals.push(Reverse((p.jobs[k].release, k as u32)));
            }
        }
        simulation
    }

    /// The next time at which anything happens; what arrives by then waits.
    fn advance(&mut self) -> Option<i64> {
        let arrival = self.arrivals.peek().map(|Reverse((time, _))| *time);
        let event = if self.waiting.is_empty() {
            // Nobody waits for what ends.
            None
        } else {
            self.events.peek().map(|Reverse(time)| *time)
        };
        let time = match (arrival, event) {
            (Some(a), Some(b)) => a.min(b),
            (a, b) => a.or(b)?,
        };
        while self.events.peek().is_some_and(|Reverse(event)| *event <= time) {
            self.events.pop();
        }
        while let Some(Reverse((at, k))) = self.arrivals.peek().copied()
            && at <= time
        {
            self.arrivals.pop();
            if self.b.start[k as usize] < NEVER {
                continue;
            }
            self.came[k as usize] = at;
            self.waiting.insert((self.keys[k as usize], at, k));
        }
        self.now = time;
        Some(time)
    }

    /// The job has a start, and so has what starts with it.
    fn started(&mut self, k: usize) {
        self.begun(k);
        let others: Vec<usize> = self.b.p.others(k).collect();
        for other in others {
            self.waiting.remove(&(self.keys[other], self.came[other], other as u32));
            self.begun(other);
        }
    }

    fn begun(&mut self, k: usize) {
        let p: &Problem = self.b.p;
        self.events.push(Reverse(self.b.end[k]));
        if p.jobs[k].tied {
            // What rules refused before they may let pass now.
            let back = self.refused.drain(..).map(|job| Reverse((self.now, job)));
            self.arrivals.extend(back);
        }
        for (next, _) in &p.jobs[k].after {
            let next = *next as usize;
            self.open[next] -= 1;
            if self.open[next] == 0 {
                self.arrivals.push(Reverse((self.b.ready(next), next as u32)));
            }
        }
    }

    /// Starts a job before the first of the queue, if it has room right now. What is free only
    /// shrinks meanwhile, so what found no room need not be asked again by its like.
    fn pass(&mut self, place: Place, time: i64) {
        let k = place.2 as usize;
        let job = &self.b.p.jobs[k];
        let (shape, seconds) = (job.shape, job.shortest);
        let plain = !job.tied && job.pair.is_none() && !job.pinned;
        let plain = plain && job.draws.is_empty() && job.set.is_none();
        if self.b.start[k] < NEVER {
            return; // with another
        }
        if plain && self.failed.get(&shape).is_some_and(|known| *known <= seconds) {
            return;
        }
        if self.b.try_at(k, (time, time), &self.recipe, &self.aim) {
            self.waiting.remove(&place);
            self.started(k);
        } else if plain {
            let known = self.failed.entry(shape).or_insert(seconds);
            *known = seconds.min(*known);
        }
    }

    /// Starts what the policy lets pass the first of the queue.
    fn pass_by(&mut self, time: i64) {
        if self.queue == Queue::Easy {
            let next: Vec<Place> = self.waiting.iter().take(DEPTH).copied().collect();
            self.failed.clear();
            next.into_iter().for_each(|place| self.pass(place, time));
        }
    }

    /// Starts what the policy starts at that time.
    fn serve(&mut self, time: i64) {
        if self.reserved > time {
            self.pass_by(time);
            return;
        }
        // In the order of arrival nobody comes before the first any more, so that it has its
        // place as soon as it is the first.
        let keeps = matches!(self.queue, Queue::Easy | Queue::Fifo);
        while let Some(first) = self.waiting.first().copied() {
            let k = first.2 as usize;
            // It starts when it could when it was last looked at, at the earliest.
            let from = match self.blocked {
                Some((known, start)) if known == first.2 => start.max(time),
                _ => time,
            };
            if from > time {
                return;
            }
            // What can never start any more leaves the queue.
            if !self.b.try_at(k, (time, NEVER), &self.recipe, &self.aim) {
                self.waiting.pop_first();
                self.refused.extend(Some(first.2).filter(|_| self.b.p.jobs[k].tied));
                continue;
            }
            let start = self.b.start[k];
            if start == time || keeps {
                self.waiting.pop_first();
                self.started(k);
            }
            if start == time {
                continue;
            }
            self.events.push(Reverse(start));
            if keeps {
                self.reserved = start;
            } else {
                self.blocked = Some((first.2, start));
                let others: Vec<usize> = self.b.p.others(k).collect();
                self.b.remove(k);
                others.into_iter().for_each(|other| self.b.remove(other));
            }
            self.pass_by(time);
            return;
        }
    }
}
