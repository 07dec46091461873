//! Many starts, then local search on the order of jobs and their places.

use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::goal::{Aim, Amount, Target, less};
use super::orders::{Figures, RULES, Rule};
use super::problem::{NEVER, NONE, Problem};
use super::queue::{self, QUEUES, Queue};
use super::serial::{Builder, Recipe};
use base::stop::Stop;
use model::{Schedule, Seconds, Shape, Term};

/// Searches beside each other, however many threads there are.
const WORKERS: u64 = 4;
/// Work of one of them before they meet.
const ROUND: u64 = 3_000_000;
/// Shaken orders per rule to begin with.
const SHAKEN: usize = 2;

/// What hurrying takes a unit of a job, about.
const HURRY: Duration = Duration::from_micros(3);

/// How long a first schedule may take before it has to hurry; half of the time is always its own.
pub(super) fn before_the_hurry(p: &Problem, stop: &Stop) -> Stop {
    stop.before(HURRY, p.instance.tasks())
}

/// A schedule and how it came about.
#[derive(Clone)]
pub(super) struct Built {
    pub value: Vec<Amount>,
    pub recipe: Recipe,
    pub schedule: Schedule,
    pub by: String,
    /// Per job, as in the builder.
    pub start: Vec<i64>,
    pub end: Vec<i64>,
}

impl Built {
    pub fn of(b: &Builder, aim: &Aim, recipe: &Recipe, by: &str) -> Built {
        Built {
            value: aim.value(b),
            recipe: recipe.clone(),
            schedule: b.schedule(),
            by: by.to_owned(),
            start: b.start.clone(),
            end: b.end.clone(),
        }
    }
}

/// What a first schedule is made by: a rule, shaken so much, or a queue policy.
#[derive(Clone, Copy, PartialEq)]
enum Start {
    Rule(usize, Rule),
    Queue(Queue),
}

/// What the search is told.
pub(super) struct Search<'a> {
    pub p: &'a Problem<'a>,
    pub aim: &'a Aim,
    pub figures: &'a Figures,
    pub seed: u64,
    /// Work units at most.
    pub work: u64,
    pub stop: &'a Stop,
    /// What is good enough.
    pub target: &'a Target,
    /// The mirrored problem, where the end of everything matters.
    mirror: Option<Problem<'a>>,
}

impl<'a> Search<'a> {
    pub fn new(
        (p, aim, figures): (&'a Problem<'a>, &'a Aim, &'a Figures),
        (seed, work): (u64, u64),
        stop: &'a Stop,
        target: &'a Target,
    ) -> Search<'a> {
        let mirror = aim.goal.mentions(Term::Makespan).then(|| {
            // About when everything ends: by paths, by what all jobs take.
            let path = (0..p.jobs.len()).map(|k| figures.head[k] + figures.tail[k]).max();
            let area = figures.area.iter().sum::<f64>() / p.width as f64;
            p.mirrored(path.unwrap_or(0).max(area as i64))
        });
        Search { p, aim, figures, seed, work, stop, target, mirror }
    }

    /// The rule that is made for the goal.
    pub fn rule(&self) -> Rule {
        let goal = self.p.instance.goal();
        match goal.tiers[0].terms.iter().find(|part| part.term.is_timed()).map(|p| p.term.shape()) {
            Some(Shape::Seconds(Seconds::Late)) => Rule::Due,
            Some(Shape::Seconds(Seconds::End)) => Rule::Weight,
            Some(Shape::Seconds(Seconds::Wait)) => Rule::Release,
            _ => Rule::CriticalPath,
        }
    }

    /// The best of all rules, plain and shaken, and of the queue policies, the one made for the
    /// goal first; `used` counts work. The first is built whatever the time, in a hurry where that
    /// is short.
    pub fn starts(&self, used: &mut u64) -> Option<Built> {
        let wanted = match self.rule() {
            Rule::Release => Start::Queue(Queue::Weighted),
            rule => Start::Rule(0, rule),
        };
        let shaken = |shake| RULES.iter().map(move |row| Start::Rule(shake, row.0));
        // Backfill in which nobody is passed is the rule of the release.
        let queues = QUEUES.iter().map(|row| row.0).filter(|queue| *queue != Queue::Conservative);
        let mut tries: Vec<Start> = shaken(0).chain(queues.map(Start::Queue)).collect();
        tries.extend((1..=SHAKEN).flat_map(shaken));
        tries.sort_by_key(|start| *start != wanted);
        let mut best: Option<Built> = None;
        // The time is looked at between batches.
        let (first, others) = tries.split_at(1);
        let stop = &self.stop.part(self.stop.remaining() * 3 / 4);
        let soon = &before_the_hurry(self.p, self.stop);
        for batch in std::iter::once(first).chain(others.chunks(RULES.len())) {
            let certain = best.is_none();
            if !certain && (stop.reached() || *used >= self.work) {
                break;
            }
            let built: Vec<(Option<Built>, u64)> = (batch.par_iter())
                .map(|start| match *start {
                    _ if !certain && stop.reached() => (None, 0),
                    Start::Rule(shake, rule) => {
                        self.start((shake, rule), certain.then_some(soon), stop)
                    }
                    Start::Queue(queue) => self.queue(queue, certain.then_some(soon), stop),
                })
                .collect();
            for (found, work) in built {
                *used += work;
                best = better(best, found);
            }
            if best.as_ref().is_some_and(|best| self.target.reached(&best.value)) {
                break;
            }
        }
        best
    }

    /// What the queue policy makes of it, as a list in the order of the starts.
    fn queue(&self, queue: Queue, soon: Option<&Stop>, stop: &Stop) -> (Option<Built>, u64) {
        let p = self.p;
        let mut b = Builder::new(p);
        b.soon = soon;
        b.stop = soon.is_none().then_some(stop);
        if !queue::run(&mut b, &Aim::by_time(p), queue, self.figures) {
            return (None, b.work);
        }
        let mut order: Vec<u32> = (0..p.jobs.len() as u32).collect();
        order.sort_by_key(|k| b.start[*k as usize]);
        let want = p.jobs.iter().map(|job| match job.units {
            1 => b.node[job.first as usize],
            _ => NONE,
        });
        let recipe = Recipe { order, want: want.collect(), ..Recipe::default() };
        let name = b.by(queue.name());
        (Some(Built::of(&b, self.aim, &recipe, &name)), b.work)
    }

    fn start(
        &self,
        (shake, rule): (usize, Rule),
        soon: Option<&Stop>,
        stop: &Stop,
    ) -> (Option<Built>, u64) {
        let at = RULES.iter().position(|row| row.0 == rule).unwrap_or(0);
        let stream = (shake * RULES.len() + at) as u64;
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(stream);
        let name = RULES[at].1;
        let order = self.figures.order(self.p, rule, 0.3 * shake as f64, &mut rng);
        let mut b = Builder::new(self.p);
        b.soon = soon;
        b.stop = soon.is_none().then_some(stop);
        let mut recipe = Recipe { order, ..Recipe::default() };
        self.urgent_first(&mut recipe.order);
        b.build(&recipe, self.aim);
        let name = b.by(name);
        (b.soon, b.stop) = (None, Some(stop));
        let mut found = Built::of(&b, self.aim, &recipe, &name);
        let mut work = b.work;
        if let Some(mirror) = self.mirror.as_ref().filter(|_| !self.target.reached(&found.value)) {
            let mut back = Builder::new(mirror);
            back.stop = Some(stop);
            for _ in 0..4 {
                if stop.reached() {
                    break;
                }
                let next = self.there_and_back(&mut b, &mut back, &found);
                let better = less(&next.value, &found.value);
                found = if better { next } else { found };
                if !better {
                    break;
                }
            }
            work = b.work + back.work;
        }
        (Some(found), work)
    }

    /// Where jobs may be left out, the most important are placed first.
    fn urgent_first(&self, order: &mut [u32]) {
        if matches!(self.aim.goal.tiers[0].terms[0].term, Term::Unplaced(_)) {
            order.sort_by_key(|k| std::cmp::Reverse(self.p.jobs[*k as usize].priority));
        }
    }

    /// Backwards from the end, the last to end first, then forwards in the order of the starts
    /// (Tormos, Lova 2001, DOI 10.1023/A:1010997814183).
    fn there_and_back(&self, b: &mut Builder, back: &mut Builder, found: &Built) -> Built {
        let mut order: Vec<u32> = (0..self.p.jobs.len() as u32).collect();
        order.sort_by_key(|k| (std::cmp::Reverse(found.end[*k as usize]), *k));
        let want = found.recipe.want.clone();
        let recipe = Recipe { order, want, latest: None, turn: found.recipe.turn };
        back.build(&recipe, self.aim);
        let mut order = recipe.order;
        let ends = |k: &u32| back.end[*k as usize].min(NEVER);
        order.sort_by_key(|k| (std::cmp::Reverse(ends(k)), *k));
        let recipe = Recipe { order, want: recipe.want, ..found.recipe.clone() };
        b.build(&recipe, self.aim);
        Built::of(b, self.aim, &recipe, &found.by)
    }

    /// Local search from there, until the time or the work is used up or it is good enough.
    pub fn climb(&self, best: Built, used: &mut u64, told: &mut dyn FnMut(&Built)) -> Built {
        let mut best = best;
        // Workers alone take a while where there are many nodes and jobs.
        if self.stop.reached() || *used >= self.work || self.target.reached(&best.value) {
            return best;
        }
        let mut workers: Vec<Worker> =
            (0..WORKERS).map(|k| Worker::new(self, k, best.clone())).collect();
        let mut round = 0u64;
        while !self.stop.reached() && *used < self.work && !self.target.reached(&best.value) {
            let quota = ROUND.min((self.work - *used).div_ceil(WORKERS));
            workers.par_iter_mut().for_each(|worker| worker.run(self, quota));
            *used += workers.iter_mut().map(|w| std::mem::take(&mut w.work)).sum::<u64>();
            for worker in &workers {
                if less(&worker.best.value, &best.value) {
                    best = worker.best.clone();
                    told(&best);
                }
            }
            round += 1;
            for (k, worker) in (0u64..).zip(&mut workers) {
                if less(&best.value, &worker.best.value) && (round + k).is_multiple_of(3) {
                    (worker.now, worker.best) = (best.clone(), best.clone());
                }
            }
        }
        best
    }
}

/// The better of two; the first where they are equal.
pub(super) fn better(a: Option<Built>, b: Option<Built>) -> Option<Built> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if less(&b.value, &a.value) { b } else { a }),
        (a, b) => a.or(b),
    }
}

/// One search with its own stream of random numbers.
struct Worker<'a> {
    b: Builder<'a>,
    rng: ChaCha8Rng,
    now: Built,
    best: Built,
    work: u64,
    tries: u64,
}

impl<'a> Worker<'a> {
    fn new(search: &Search<'a>, stream: u64, best: Built) -> Worker<'a> {
        let mut rng = ChaCha8Rng::seed_from_u64(search.seed);
        rng.set_stream(1000 + stream);
        let mut b = Builder::new(search.p);
        b.stop = Some(search.stop);
        let mut worker = Worker { b, rng, now: best.clone(), best, work: 0, tries: 0 };
        worker.settle();
        worker
    }

    /// The order of the starts gives the same schedule or a better one, and makes neighbours in
    /// time neighbours in the list.
    fn settle(&mut self) {
        let start = &self.now.start;
        self.now.recipe.order.sort_by_key(|k| start[*k as usize]);
    }

    fn run(&mut self, search: &Search<'a>, quota: u64) {
        let n = search.p.jobs.len();
        let mut back = None;
        while self.work < quota && !search.stop.reached() && n > 0 {
            if search.target.reached(&self.best.value) {
                return;
            }
            self.tries += 1;
            let before = self.b.work;
            let recipe = self.neighbour(search);
            self.b.build(&recipe, search.aim);
            let value = search.aim.value(&self.b);
            let mut at_least = 8;
            if !less(&self.now.value, &value) {
                let improved = less(&value, &self.now.value);
                self.now = Built::of(&self.b, search.aim, &recipe, "local search");
                self.settle();
                at_least += n as u64;
                if let Some(mirror) = search.mirror.as_ref().filter(|_| improved) {
                    let back = back.get_or_insert_with(|| Builder::new(mirror));
                    let worked = back.work;
                    let next = search.there_and_back(&mut self.b, back, &self.now);
                    self.work += back.work - worked;
                    if !less(&self.now.value, &next.value) {
                        self.now = Built { by: "local search".to_owned(), ..next };
                        self.settle();
                    }
                }
                if less(&self.now.value, &self.best.value) {
                    self.best = self.now.clone();
                }
            }
            self.work += self.b.work - before + at_least + n as u64 / 4;
        }
    }

    fn neighbour(&mut self, search: &Search) -> Recipe {
        let p = search.p;
        let n = p.jobs.len();
        let mut recipe = self.now.recipe.clone();
        let at = if self.rng.random_bool(0.5) {
            self.critical(p).unwrap_or_else(|| self.rng.random_range(0..n))
        } else {
            self.rng.random_range(0..n)
        };
        let job = recipe.order[at];
        let reach = (n / 4).clamp(2, 400);
        recipe.turn = match self.rng.random_range(0..8) {
            0 => self.rng.random_range(0..p.nodes().max(1) as u32),
            _ => recipe.turn,
        };
        match self.rng.random_range(0..10) {
            0..4 => {
                let to = at.saturating_sub(self.rng.random_range(1..=reach));
                recipe.order[to..=at].rotate_right(1);
            }
            4 => {
                let to = (at + self.rng.random_range(1..=reach)).min(n - 1);
                recipe.order[at..=to].rotate_left(1);
            }
            5..7 => {
                let to = at.saturating_sub(self.rng.random_range(1..=reach));
                recipe.order.swap(at, to);
            }
            7 => {
                // A few at once.
                for _ in 0..3 {
                    let from = self.rng.random_range(0..n);
                    let to = from.saturating_sub(self.rng.random_range(1..=reach));
                    recipe.order[to..=from].rotate_right(1);
                }
            }
            _ => {
                let places = p.places(job as usize);
                if recipe.want.is_empty() {
                    recipe.want = vec![NONE; n];
                }
                recipe.want[job as usize] = if self.rng.random_bool(0.3) || places.is_empty() {
                    NONE
                } else {
                    places[self.rng.random_range(0..places.len())]
                };
            }
        }
        recipe.latest = self.latest(search);
        recipe
    }

    /// Where the makespan comes first and places later: the ends that keep it.
    fn latest(&mut self, search: &Search) -> Option<Vec<i64>> {
        let goal = search.p.instance.goal();
        if search.aim.time_alone()
            || goal.tiers[0].only() != Some(Term::Makespan)
            || self.rng.random_bool(0.3)
        {
            return None;
        }
        let p = search.p;
        let end = self.now.end.iter().copied().filter(|end| *end < NEVER).max()?;
        let tail = &search.figures.tail;
        Some((0..p.jobs.len()).map(|k| end - (tail[k] - p.jobs[k].shortest)).collect())
    }

    /// The position of a job that the goal waits for: one that is late, or on a chain of jobs
    /// without a gap up to the last end.
    fn critical(&mut self, p: &Problem) -> Option<usize> {
        let Built { start, end, recipe, schedule, .. } = &self.now;
        let placed = |k: &usize| end[*k] < NEVER;
        let all = || (0..p.jobs.len()).filter(placed);
        let mut job = if p.instance.goal().mentions(Term::Makespan) {
            all().max_by_key(|k| (end[*k], *k))?
        } else {
            let late: Vec<usize> = all()
                .filter(|k| match p.jobs[*k].due {
                    Some(due) => end[*k] > due,
                    None => start[*k] > p.jobs[*k].release,
                })
                .collect();
            *late.get(self.rng.random_range(0..late.len().max(1)))?
        };
        // Some steps back along what ended just when it began.
        let node = |k: usize| schedule.plan.placement[p.jobs[k].first as usize];
        for _ in 0..self.rng.random_range(0..12) {
            let by_rule = p.jobs[job].before.iter();
            let mut by_rule =
                by_rule.filter(|(k, lag)| end[*k as usize] + lag == start[job]).map(|(k, _)| *k);
            let previous = by_rule.next().map(|k| k as usize).or_else(|| {
                let same = |k: &usize| end[*k] == start[job] && node(*k) == node(job);
                all().find(same)
            });
            match previous {
                Some(previous) => job = previous,
                None => break,
            }
        }
        recipe.order.iter().position(|k| *k as usize == job)
    }
}
