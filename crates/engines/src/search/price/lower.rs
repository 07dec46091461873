//! Proofs: the cheapest choice of nodes that all cuts allow is packed, refuted by a new cut or by
//! an exact search, or set aside; the bound rises with every one refuted.

use super::super::budget::Budget;
use super::super::closing::{Answer, Closing, Limit};
use super::super::problem::{Problem, sub};
use super::columns::{Columns, Filling, Step, Terms};
use super::cuts::{self, Cut};
use super::knapsack::Knapsack;
use super::master::{Choice, Master};
use super::pack::{Effort, pack};
use super::shape::Shape;
use super::upper::FLOPS;
use base::stop::Stop;

/// Floating point operations for the next choice.
const CHOICE: u64 = 100_000_000;
/// Steps of the column generation in one turn.
const STEPS: usize = 4;
/// The most tasks and nodes for an exact search, and its work.
const SMALL: (usize, usize) = (64, 40);
const EXACT: u64 = 20_000_000;
/// The most steps to refute a choice.
const SEPARATE: usize = 30;
/// Turns without trying after a choice that could not be refuted.
const PAUSE: u64 = 16;
/// Tries to pack one choice, each twice as hard.
const TRIES: u32 = 4;
/// Rows of a linear program that is still quick.
const ROWS: usize = 1500;

/// The search for proofs.
pub struct Lower<'a, const R: usize> {
    p: &'a Problem<R>,
    shape: &'a Shape<R>,
    pub master: Master,
    knapsacks: Vec<Knapsack<R>>,
    /// The column generation for the price; none where it would take too long or once it is done.
    columns: Option<Columns<'a, R>>,
    /// What is left of it: worth and fillings.
    worth: Vec<f64>,
    fillings: Vec<Filling>,
    /// The choice at hand, and how often it was tried.
    last: (Vec<i64>, u32),
    seed: u64,
    turns: u64,
    /// The turn from which on a refutation by a cut is tried again.
    wait: u64,
    work: u64,
}

/// What a turn came to.
pub struct Turn {
    pub plan: Option<Vec<u32>>,
    /// Nothing is left to prove.
    pub closed: bool,
    pub work: u64,
}

impl<'a, const R: usize> Lower<'a, R> {
    pub fn new(p: &'a Problem<R>, shape: &'a Shape<R>, seed: u64) -> Self {
        let mut master = Master::new(shape);
        cuts::counting(shape).into_iter().for_each(|cut| master.add(cut));
        master.root();
        let worth = master.worth(shape.kinds.len());
        Lower {
            p,
            shape,
            knapsacks: Vec::new(),
            columns: None,
            worth,
            fillings: Vec::new(),
            last: (Vec::new(), 0),
            seed,
            turns: 0,
            wait: 0,
            work: 0,
            master,
        }
    }

    /// One turn of limited work. `below` is the price of the best plan.
    pub fn turn(&mut self, below: i64, stop: &Stop) -> Turn {
        let before = self.work + self.master.work() / FLOPS;
        let (plan, closed) = self.advance(below, stop);
        let work = 1 + self.work + self.master.work() / FLOPS - before;
        Turn { plan, closed, work }
    }

    fn advance(&mut self, below: i64, stop: &Stop) -> (Option<Vec<u32>>, bool) {
        if self.columns.is_some() {
            self.generate();
            return (None, false);
        }
        let x = match self.master.cheapest(below, CHOICE, &|| stop.reached()) {
            Choice::Found(x) => x,
            Choice::Nothing => return (None, self.master.bound >= below),
            Choice::Limit => return (None, false),
        };
        if self.last.0 != x {
            self.last = (x.clone(), 0);
        }
        self.last.1 += 1;
        if let Some(plan) = self.try_packing(&x, stop) {
            return (Some(plan), false);
        }
        let small = self.p.tasks() <= SMALL.0 && x.iter().sum::<i64>() <= SMALL.1 as i64;
        if small && let Some(answer) = self.exact(&x, stop) {
            return (answer, false);
        }
        if self.knapsacks.is_empty() && self.begin() {
            return (None, false);
        }
        if self.last.1 == 1 && self.turns >= self.wait {
            if self.separate(&x, stop) {
                return (None, false);
            }
            self.wait = self.turns + PAUSE;
        }
        if self.last.1 >= TRIES {
            self.master.set_aside(&x);
        }
        (None, false)
    }

    fn try_packing(&mut self, x: &[i64], stop: &Stop) -> Option<Vec<u32>> {
        self.turns += 1;
        let seed = self.seed.wrapping_add(self.turns);
        let nodes = self.shape.nodes(x);
        let mut budget = Budget::new(stop, u64::MAX);
        let effort = Effort::of(1 << (self.last.1 - 1).min(5));
        let found = pack(self.p, &nodes, effort, seed, &mut budget);
        self.work += budget.work;
        found.ok()
    }

    /// Packs a choice exactly, or takes it out; nothing if the limit came first.
    fn exact(&mut self, x: &[i64], stop: &Stop) -> Option<Option<Vec<u32>>> {
        let p = self.p;
        let nodes = self.shape.nodes(x);
        let room = |j: &u32| sub(p.cap[*j as usize], p.used[*j as usize]);
        let bins: Vec<_> = nodes.iter().map(room).collect();
        let limit = Limit { work: EXACT, until: Some(stop.deadline()), ..Limit::PROOF };
        let may = |i: usize, b: usize| p.may(i, nodes[b] as usize);
        let mut closing = Closing::new(&p.demand, &bins, may, limit);
        let answer = closing.run();
        self.work += closing.work();
        match answer {
            Answer::Packed(of) => Some(Some(of.iter().map(|b| nodes[*b as usize]).collect())),
            Answer::Impossible => {
                self.master.refute(x);
                Some(None)
            }
            Answer::Unknown => None,
        }
    }

    /// Starts the column generation, if it is within reach.
    fn begin(&mut self) -> bool {
        let shape = self.shape;
        self.knapsacks = (0..shape.groups.len()).map(|g| Knapsack::new(shape, g)).collect();
        let exact = self.knapsacks.iter().all(Knapsack::exact);
        if !exact || shape.kinds.len() + shape.types.len() > ROWS {
            return false;
        }
        let terms = Terms {
            price: shape.types.iter().map(|t| t.price as f64).collect(),
            count: shape.types.iter().map(|t| t.nodes.len() as f64).collect(),
            penalty: self.penalties(),
        };
        self.columns = Some(Columns::new(shape, terms, self.worth.clone()));
        true
    }

    /// More than leaving a task out can save.
    fn penalties(&self) -> Vec<f64> {
        let mean = self.worth.iter().sum::<f64>() / self.worth.len().max(1) as f64;
        self.worth.iter().map(|w| 3.0 * w + mean + 1e-3).collect()
    }

    /// Some steps of the column generation.
    fn generate(&mut self) {
        let Some(mut columns) = self.columns.take() else { return };
        for _ in 0..STEPS {
            let before = columns.work;
            let step = columns.step(&mut self.knapsacks, |cut| self.master.add(cut));
            self.work += columns.work - before;
            if step != Step::Better || columns.proved >= columns.value - 1e-4 {
                self.worth.clone_from(&columns.center);
                self.fillings = columns.fillings;
                return;
            }
        }
        self.columns = Some(columns);
    }

    /// Looks for a cut that the choice violates, by the column generation that leaves out as
    /// little worth as possible on just these nodes.
    fn separate(&mut self, x: &[i64], stop: &Stop) -> bool {
        let exact = !self.knapsacks.is_empty() && self.knapsacks.iter().all(Knapsack::exact);
        if !exact || self.shape.kinds.len() + self.shape.types.len() > ROWS {
            return false;
        }
        let terms = Terms {
            price: vec![0.0; x.len()],
            count: x.iter().map(|x| *x as f64).collect(),
            penalty: self.penalties(),
        };
        let mut columns = Columns::new(self.shape, terms, self.worth.clone());
        for filling in self.fillings.iter().filter(|f| x[f.0] > 0) {
            columns.add(filling.clone());
        }
        let mut found: Vec<Cut> = Vec::new();
        for _ in 0..SEPARATE {
            let take = |cut: Cut| {
                if !cut.allows(x) {
                    found.push(cut)
                }
            };
            let step = columns.step(&mut self.knapsacks, take);
            let nothing = columns.value < 1e-6 * self.master.bound as f64;
            let enough = !found.is_empty() && columns.proved > 0.3 * columns.value;
            if step != Step::Better || nothing || enough || stop.reached() {
                break;
            }
        }
        self.work += columns.work;
        let any = !found.is_empty();
        found.into_iter().for_each(|cut| self.master.add(cut));
        any
    }
}
