//! Exact search for few jobs: branch and bound over what starts next, and where, in the order of
//! the starts. For goals that are never served by starting later it is complete: in a schedule in
//! which nothing can start earlier, each job stands at its earliest time after those before it. Rules
//! between tasks know no times, so a job is refused only where a rule could not hold any more, and
//! every schedule is asked whether all rules hold. Where jobs may be left out, what runs now may be
//! too: it is tried like any other job, at 0 alone.

use super::goal::{Aim, Amount, Target, less};
use super::improve::Built;
use super::orders::Figures;
use super::problem::{Job, NEVER, Problem};
use super::serial::{Builder, Recipe};
use base::stop::Stop;
use model::{NodeId, ROUNDING, Shape, TaskId, Term, Tier};

/// The most jobs, and nodes, that are worth a try.
const FEW: usize = 40;
const NODES: usize = 64;
/// Ways to deal out a gang's units that are tried at most.
const WAYS: usize = 3000;

/// The search and what it has found.
pub(super) struct Exact<'a> {
    p: &'a Problem<'a>,
    aim: &'a Aim,
    figures: &'a Figures,
    b: Builder<'a>,
    target: &'a Target,
    /// Values to beat; the schedule that has them, where this search found it.
    best: Vec<Amount>,
    pub found: Option<Built>,
    /// Nothing was left out: the best value is proven.
    pub complete: bool,
    work: u64,
    until: u64,
    stop: &'a Stop,
    recipe: Recipe,
    /// Earliest starts of jobs without a place, as things stand; [`NEVER`] where there is none.
    head: Vec<i64>,
    /// Node that is the same as this one in every way but its place in the list.
    twin: Vec<u32>,
}

/// Whether a search can prove anything about the instance.
pub(super) fn worth_it(p: &Problem) -> bool {
    let goal = p.instance.goal();
    p.jobs.len() <= FEW
        && p.nodes() <= NODES
        && !goal.terms().any(|term| matches!(term.shape(), Shape::Highest))
        && p.jobs.iter().all(|job| !job.pinned)
        && p.sets.is_empty()
        && p.instance.devices().is_empty()
}

impl<'a> Exact<'a> {
    pub fn new(
        (p, aim, figures): (&'a Problem<'a>, &'a Aim, &'a Figures),
        (best, target): (&Built, &'a Target),
        until: u64,
        stop: &'a Stop,
    ) -> Exact<'a> {
        let n = p.jobs.len();
        Exact {
            p,
            aim,
            figures,
            target,
            b: Builder::new(p),
            best: best.value.clone(),
            found: None,
            complete: true,
            work: 0,
            until,
            stop,
            recipe: Recipe { order: Vec::with_capacity(n), ..Recipe::default() },
            head: vec![0; n],
            twin: twins(p),
        }
    }

    /// Searches; returns the work used.
    pub fn run(&mut self) -> u64 {
        if self.p.partial {
            self.b.empty()
        } else {
            self.b.clear()
        }
        self.step(0, 0, 0);
        self.work + self.b.work
    }

    fn over(&mut self) -> bool {
        let over = self.work + self.b.work >= self.until
            || self.found.is_some() && self.target.reached(&self.best)
            || (self.work.is_multiple_of(64) && self.stop.reached());
        self.complete &= !over;
        over || !self.complete
    }

    fn leaf(&mut self) {
        if !self.b.rules_hold() {
            return;
        }
        let value = self.aim.value(&self.b);
        if less(&value, &self.best) {
            self.best = value;
            // Local search goes on from lists of all jobs: what runs now and what is left out, too.
            let mut recipe = self.recipe.clone();
            let all = 0..self.p.jobs.len() as u32;
            recipe.order.extend(all.filter(|k| !self.recipe.order.contains(k)));
            self.found = Some(Built::of(&self.b, self.aim, &recipe, "branch and bound"));
        }
    }

    /// Everything that starts at `last` or later, jobs below `least` at `last` itself excepted.
    fn step(&mut self, last: i64, least: usize, depth: usize) {
        self.work += 8;
        if self.over() {
            return;
        }
        let p = self.p;
        let n = p.jobs.len();
        let open = |b: &Builder, k: usize| b.start[k] >= NEVER;
        let whole = (0..n).all(|k| !open(&self.b, k));
        if whole || p.partial {
            self.leaf();
        }
        if whole || !less(&self.bound(last), &self.best) {
            return;
        }
        let mut next: Vec<(i64, usize)> = (0..n)
            .filter(|k| open(&self.b, *k))
            .filter(|k| p.jobs[*k].before.iter().all(|(o, _)| !open(&self.b, *o as usize)))
            .map(|k| (self.head[k] - self.figures.tail[k], k))
            .collect();
        next.sort_unstable();
        for (_, k) in next {
            let ready = self.b.ready(k).max(last);
            for way in self.ways(k) {
                if self.over() {
                    return;
                }
                let Some(start) = self.start_of(k, &way, ready) else { continue };
                if start == last && k < least && depth > 0 {
                    continue;
                }
                if !self.put(k, &way, start) {
                    continue;
                }
                self.recipe.order.push(k as u32);
                self.step(start, k, depth + 1);
                self.recipe.order.pop();
                self.b.remove(k);
            }
        }
    }

    /// Whether nothing tells the job's units apart: not even how far they move.
    fn alike(&self, k: usize) -> bool {
        let (instance, goal) = (self.p.instance, &self.aim.goal);
        let mut now = self.p.jobs[k].tasks().map(|task| instance.current(task));
        let first = now.next();
        !goal.terms().any(Term::counts_moves) || now.all(|node| Some(node) == first)
    }

    /// Nodes for the job's units, in ascending order where units are alike; of equal and equally busy
    /// nodes the first.
    fn ways(&mut self, k: usize) -> Vec<Vec<u32>> {
        let places = self.p.places(k);
        let usable = |j: &u32| {
            let same = |other: &&u32| {
                **other < *j
                    && self.twin[**other as usize] == self.twin[*j as usize]
                    && self.b.same(**other, *j)
            };
            self.p.jobs[k].units > 1 || !places.iter().any(|other| same(&other))
        };
        let nodes: Vec<u32> = places.iter().copied().filter(usable).collect();
        let alike = self.alike(k);
        let mut ways: Vec<Vec<u32>> = vec![Vec::new()];
        for _ in 0..self.p.jobs[k].units {
            let more = ways.iter().flat_map(|way| {
                let from = way.last().copied().filter(|_| alike).unwrap_or(0);
                let next = nodes.iter().filter(move |node| **node >= from);
                next.map(move |node| {
                    let mut way = way.clone();
                    way.push(*node);
                    way
                })
            });
            ways = more.take(WAYS + 1).collect();
            if ways.len() > WAYS {
                self.complete = false;
                return Vec::new();
            }
        }
        ways
    }

    fn start_of(&mut self, k: usize, way: &[u32], ready: i64) -> Option<i64> {
        let last = if self.p.jobs[k].running { 0 } else { NEVER };
        match way {
            [node] => self.b.at(k, *node, (ready, last)),
            _ => self.b.all_at(k, way, (ready, last)),
        }
    }

    fn put(&mut self, k: usize, way: &[u32], start: i64) -> bool {
        match way {
            [node] => self.b.place(k, *node, start),
            _ => self.b.place_units(k, way, start),
        }
    }

    /// What no schedule that goes on from here is below, tier by tier.
    fn bound(&mut self, last: i64) -> Vec<Amount> {
        let p = self.p;
        for k in p.topological.iter().map(|k| *k as usize) {
            if self.b.start[k] < NEVER {
                continue;
            }
            let after = p.jobs[k].before.iter().map(|(other, lag)| {
                let other = *other as usize;
                let end = match self.b.start[other] {
                    NEVER => self.head[other] + p.jobs[other].shortest,
                    _ => self.b.end[other],
                };
                end + lag
            });
            let job = &p.jobs[k];
            let head = after.max().unwrap_or(0).max(job.release).max(last);
            let late = head + job.shortest > job.deadline || (job.running && last > 0);
            self.head[k] = if late { NEVER } else { head };
        }
        let lost = |k: &usize| self.b.start[*k] >= NEVER && self.head[*k] >= NEVER;
        let lost: Vec<usize> = (0..p.jobs.len()).filter(lost).collect();
        let whole = lost.is_empty() && self.all_needed();
        let least = |term: Term| match term.shape() {
            Shape::LeftOut => {
                let priority = term.priority();
                let of = lost.iter().map(|k| &p.jobs[*k]);
                let of = of.filter(|job| priority.is_none_or(|p| job.priority == p));
                Amount::Steps(of.map(|job| i128::from(job.weight) * i128::from(job.units)).sum())
            }
            _ if whole => Amount::Steps(self.least(term, last)),
            // What has a place costs what it costs, whatever is left out.
            _ => self.aim.term(&self.b, term),
        };
        let mut values = self.aim.amounts(&self.b, lost.len(), &least);
        for value in &mut values {
            if let Amount::Real(value) = value {
                *value -= ROUNDING * value.abs();
            }
        }
        values
    }

    /// Whether a schedule that leaves anything out cannot be better than the best.
    fn all_needed(&self) -> bool {
        let jobs = &self.p.jobs;
        let unplaced = |tier: &Tier| matches!(tier.terms[0].term.shape(), Shape::LeftOut);
        let tiers = self.aim.goal.tiers.iter().zip(&self.best);
        let mut tiers = tiers.take_while(|(tier, _)| unplaced(tier));
        !self.p.partial
            || (tiers.all(|(_, best)| *best <= Amount::Steps(0))
                && jobs.iter().all(|job| job.weight > 0))
    }

    fn least(&self, term: Term, last: i64) -> i128 {
        let (p, b) = (self.p, &self.b);
        let instance = p.instance;
        let ends = |k: usize| match b.start[k] {
            NEVER => self.head[k] + p.jobs[k].shortest,
            _ => b.end[k],
        };
        let starts = |k: usize| if b.start[k] < NEVER { b.start[k] } else { self.head[k] };
        let all = 0..p.jobs.len();
        let sum = |of: &dyn Fn(usize) -> i64| -> i128 {
            all.clone().map(|k| i128::from(p.jobs[k].weight) * i128::from(of(k))).sum()
        };
        match term.shape() {
            Shape::LastEnd => {
                let rest = |k: usize| self.figures.tail[k] - p.jobs[k].shortest;
                let paths =
                    all.clone().map(|k| ends(k) + if b.start[k] < NEVER { 0 } else { rest(k) });
                paths.max().unwrap_or(0).max(self.energy(last)).into()
            }
            Shape::Seconds(seconds) => {
                sum(&|k| seconds.of((p.jobs[k].release, p.jobs[k].due), (starts(k), ends(k))))
            }
            Shape::Prices(prices) => {
                let used = (0..p.nodes()).filter(|node| b.on[*node] > 0);
                let used = used.map(|node| prices.of_use(instance, NodeId::from(node)));
                let price =
                    |task: TaskId, node: u32| prices.placement.price(instance, task, NodeId(node));
                let tasks = all.clone().flat_map(|k| p.jobs[k].tasks().map(move |task| (k, task)));
                let placed = tasks.map(|(k, task)| match b.start[k] {
                    NEVER => p.places(k).iter().map(|node| price(task, *node)).min().unwrap_or(0),
                    _ => price(task, b.node[task.index()]),
                });
                used.chain(placed).map(i128::from).sum()
            }
            // What is left out is counted before; loads over time are not searched for here, and the
            // others are refused beside time.
            Shape::LeftOut
            | Shape::Highest
            | Shape::Amounts
            | Shape::Variance
            | Shape::LargestGroup => 0,
        }
    }

    /// The end before which what is left and what still runs after `last` finds no room.
    fn energy(&self, last: i64) -> i64 {
        let (p, b) = (self.p, &self.b);
        let mut most = 0;
        for r in 0..p.width {
            let room: i128 = p.room.iter().skip(r).step_by(p.width).map(|x| i128::from(*x)).sum();
            if room == 0 {
                continue;
            }
            let mut left = 0i128;
            for (k, job) in p.jobs.iter().enumerate() {
                if b.start[k] < NEVER {
                    for task in job.tasks() {
                        let node = b.node[task.index()];
                        let seconds = (b.start[k] + p.duration(k, node) - last).max(0);
                        left += i128::from(seconds) * i128::from(p.demand(k, node)[r]);
                    }
                } else if job.pair.is_none()
                    && let Some(node) = p.places(k).first()
                {
                    let each = i128::from(job.shortest) * i128::from(p.demand(k, *node)[r]);
                    left += each * i128::from(job.units);
                }
            }
            most = most.max((left + room - 1) / room);
        }
        last + i64::try_from(most).unwrap_or(0)
    }
}

/// The first node that is the same for every job and every goal.
fn twins(p: &Problem) -> Vec<u32> {
    let instance = p.instance;
    let everywhere = |job: &Job| job.draws.iter().all(|draw| draw.whole);
    let plain = p.jobs.iter().all(|job| !job.tied && job.pair.is_none() && everywhere(job));
    let currents = p.instance.task_ids().any(|task| instance.current(task).is_some());
    let same = |a: usize, b: usize| {
        let (x, y) = (NodeId::from(a), NodeId::from(b));
        p.room(a as u32) == p.room(b as u32)
            && p.closed[a] == p.closed[b]
            && p.busy[a] == p.busy[b]
            && instance.speed(x) == instance.speed(y)
            && instance.price(x) == instance.price(y)
            && instance.rate(x) == instance.rate(y)
            && p.places.iter().all(|l| l.contains(&(a as u32)) == l.contains(&(b as u32)))
            && p.jobs.iter().all(|job| {
                let task = TaskId(job.first);
                instance.penalty(task, x) == instance.penalty(task, y)
            })
    };
    let first =
        |b: usize| if plain && !currents { (0..b).find(|a| same(*a, b)).unwrap_or(b) } else { b };
    (0..p.nodes()).map(|b| first(b) as u32).collect()
}
