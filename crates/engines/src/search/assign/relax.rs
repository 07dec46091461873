//! The Lagrangian relaxation of "each task on exactly one node": with a price offered for each
//! task, every node takes the tasks that pay best, a knapsack of its own (Ross and Soland 1975,
//! DOI 10.1007/BF01580430; Fisher, Jaikumar and Van Wassenhove 1986).
//!
//! All sums are integers, in units of 1 / `scale` of the cost, so the bound is valid whatever
//! the offers are.

use super::super::problem::fits;
use super::domain::Domain;
use super::enumerate::{Enumeration, Item};
use super::problem::Problem;
use super::table::{Table, Weighed};
use rayon::prelude::*;

/// Largest table of a dynamic program, in cells; larger knapsacks are enumerated.
const CELLS: usize = 1 << 20;
/// Steps after which an enumeration settles for a bound.
pub const STEPS: u64 = 4_000;
/// Candidates from which on two threads pay.
const MANY: usize = 8_000;
/// The nodes are dealt to this many hands, whatever the number of threads.
const HANDS: usize = 4;

/// What the nodes answer to one set of offers.
#[derive(Default)]
pub struct Answer {
    /// The bound, scaled.
    pub value: i64,
    /// Positions of the candidates taken, in the domain's list.
    pub taken: Vec<u32>,
    /// Per node, what its tasks bring beyond their cost and its price, scaled; at least zero.
    pub gain: Vec<i64>,
    /// Whether all knapsacks were solved to the end.
    pub exact: bool,
}

/// Work space for one share of the nodes.
struct Hand<const R: usize> {
    table: Table,
    weighed: Vec<Weighed>,
    places: Vec<u32>,
    search: Enumeration<R>,
    /// Weights of the resources per node of this hand.
    mix: Vec<[f64; R]>,
    /// Gains of the nodes of this hand, and the candidates they take.
    gain: Vec<i64>,
    taken: Vec<u32>,
    exact: bool,
    /// Per candidate of this hand, by how much the bound rises if it goes the other way.
    penalty: Vec<i64>,
}

/// Solves the relaxation for any domain of one problem.
pub struct Relaxation<const R: usize> {
    hands: Vec<Hand<R>>,
    /// Units per unit of cost.
    pub scale: i64,
    /// Steps after which an enumeration settles for a bound.
    pub steps: u64,
    pub answer: Answer,
    pub work: u64,
    parallel: bool,
}

/// What a hand has to know of the whole.
#[derive(Clone, Copy)]
struct Terms {
    /// Number of the hand, and how many there are.
    hand: usize,
    hands: usize,
    scale: i64,
    /// Steps after which an enumeration settles for a bound.
    steps: u64,
}

impl<const R: usize> Relaxation<R> {
    /// `parallel`: whether other threads may help.
    pub fn new(p: &Problem<R>, parallel: bool) -> Self {
        let hands = if parallel { HANDS } else { 1 };
        let hand = |h: usize| Hand::new((p.nodes + hands - 1 - h) / hands);
        let most = p.cost.iter().chain(&p.price).map(|c| c.unsigned_abs()).max().unwrap_or(0);
        let sum = (most + 1).saturating_mul((p.tasks + p.nodes) as u64 + 1);
        Relaxation {
            hands: (0..hands).map(hand).collect(),
            scale: 1 << (sum.leading_zeros().saturating_sub(16)).min(12),
            steps: STEPS,
            answer: Answer::default(),
            work: 0,
            parallel,
        }
    }

    /// The bound for the offers, and what the nodes take, left in `answer`.
    pub fn evaluate(&mut self, domain: &Domain<R>, offer: &[i64]) -> i64 {
        self.deal(domain, |hand, terms| hand.answer(domain, offer, terms));
        let answer = &mut self.answer;
        answer.gain.clear();
        answer.gain.resize(domain.nodes(), 0);
        answer.taken.clear();
        answer.exact = true;
        let hands = self.hands.len();
        for (h, hand) in self.hands.iter().enumerate() {
            for (k, gain) in hand.gain.iter().enumerate() {
                answer.gain[h + k * hands] = *gain;
            }
            answer.taken.extend_from_slice(&hand.taken);
            answer.exact &= hand.exact;
        }
        let offered: i64 =
            offer.iter().zip(&domain.count).filter(|(_, count)| **count > 0).map(|(u, _)| u).sum();
        answer.value = self.scale * domain.base + offered - answer.gain.iter().sum::<i64>();
        answer.value
    }

    /// Per candidate, by how much the bound of `answer`, which must be that of the same offers,
    /// rises at least if the candidate is taken (when it is not) or not taken (when it is).
    pub fn penalties(&mut self, domain: &Domain<R>, offer: &[i64]) -> Vec<i64> {
        self.deal(domain, |hand, terms| hand.regrets(domain, offer, terms));
        let mut all = Vec::with_capacity(domain.list.len());
        let hands = self.hands.len();
        let mut at = vec![0; hands];
        for j in 0..domain.nodes() {
            let (h, count) = (j % hands, domain.of(j).len());
            all.extend_from_slice(&self.hands[h].penalty[at[h]..at[h] + count]);
            at[h] += count;
        }
        all
    }

    fn deal(&mut self, domain: &Domain<R>, f: impl Fn(&mut Hand<R>, Terms) + Sync) {
        let (hands, scale, steps) = (self.hands.len(), self.scale, self.steps);
        let terms = |hand: usize| Terms { hand, hands, scale, steps };
        if self.parallel && domain.list.len() >= MANY {
            self.hands.par_iter_mut().enumerate().for_each(|(h, hand)| f(hand, terms(h)));
        } else {
            for (h, hand) in self.hands.iter_mut().enumerate() {
                f(hand, terms(h));
            }
        }
        self.work += 1 + domain.list.len() as u64 / 16;
        for hand in &mut self.hands {
            self.work += std::mem::take(&mut hand.search.work);
        }
    }
}

impl<const R: usize> Hand<R> {
    fn new(nodes: usize) -> Self {
        Hand {
            table: Table::default(),
            weighed: Vec::new(),
            places: Vec::new(),
            search: Enumeration::new(),
            mix: vec![[1.0 / R as f64; R]; nodes],
            gain: Vec::new(),
            taken: Vec::new(),
            exact: true,
            penalty: Vec::new(),
        }
    }

    /// The answers of the nodes of this hand: every so many-th.
    fn answer(&mut self, domain: &Domain<R>, offer: &[i64], terms: Terms) {
        self.gain.clear();
        self.taken.clear();
        self.exact = true;
        for (index, j) in (terms.hand..domain.nodes()).step_by(terms.hands).enumerate() {
            let before = self.taken.len();
            let gain = self.node(domain, offer, (j, index), terms) - terms.scale * domain.price[j];
            if gain <= 0 {
                self.taken.truncate(before);
            }
            self.gain.push(gain.max(0));
        }
    }

    /// Gathers the candidates of node `j` that pay. True if their knapsack suits a table.
    fn gather(&mut self, domain: &Domain<R>, offer: &[i64], j: usize, scale: i64) -> bool {
        self.weighed.clear();
        self.places.clear();
        for k in domain.of(j) {
            let c = &domain.list[k];
            let profit = offer[c.task as usize] - scale * c.cost;
            if profit > 0 {
                self.weighed.push((profit, c.demand[0]));
                self.places.push(k as u32);
            }
        }
        R == 1 && (self.weighed.len() + 1).saturating_mul(room_of(domain, j) + 1) <= CELLS
    }

    /// The knapsack of node `j`: its profit, or a bound on it; takes the best choice known.
    fn node(
        &mut self,
        domain: &Domain<R>,
        offer: &[i64],
        (j, index): (usize, usize),
        terms: Terms,
    ) -> i64 {
        let table = self.gather(domain, offer, j, terms.scale);
        let mut all = [0i64; R];
        for &k in &self.places {
            all = std::array::from_fn(|r| all[r] + domain.list[k as usize].demand[r]);
        }
        if fits(&all, &domain.room[j]) {
            self.taken.extend_from_slice(&self.places);
            return self.weighed.iter().map(|x| x.0).sum();
        }
        if table {
            let (places, taken) = (&self.places, &mut self.taken);
            let profit = self.table.solve(&self.weighed, domain.room[j][0]);
            self.table.chosen(&self.weighed, |k| taken.push(places[k]));
            self.search.work += (places.len() * room_of(domain, j)) as u64 / 16;
            return profit;
        }
        self.load(domain);
        self.search.prepare(&domain.room[j], &mut self.mix[index]);
        let bound = self.search.solve(terms.steps);
        let search = &self.search;
        let mut profit = 0;
        for &k in &search.best {
            profit += search.items[k as usize].profit;
            self.taken.push(search.items[k as usize].name);
        }
        self.exact &= profit == bound;
        bound
    }

    /// Hands the gathered candidates to the enumeration.
    fn load(&mut self, domain: &Domain<R>) {
        let items = self.weighed.iter().zip(&self.places);
        self.search.items.clear();
        self.search
            .items
            .extend(items.map(|(x, &k)| Item::new(x.0, domain.list[k as usize].demand, k)));
    }

    /// The penalties of the nodes of this hand.
    fn regrets(&mut self, domain: &Domain<R>, offer: &[i64], terms: Terms) {
        let scale = terms.scale;
        self.penalty.clear();
        let mut taken = vec![false; domain.list.len()];
        self.taken.iter().for_each(|&k| taken[k as usize] = true);
        for (index, j) in (terms.hand..domain.nodes()).step_by(terms.hands).enumerate() {
            let owed = scale * domain.price[j];
            let gain = self.gain[index];
            let from = self.penalty.len();
            if self.gather(domain, offer, j, scale) {
                self.exact_profits(domain, offer, &taken, j, scale);
            } else {
                self.load(domain);
                self.search.prepare(&domain.room[j], &mut self.mix[index]);
                self.bound_profits(domain, offer, &taken, j, scale);
            }
            for (k, x) in domain.of(j).zip(&mut self.penalty[from..]) {
                let other = if taken[k] { (*x - owed).max(0) } else { *x - owed };
                *x = (gain - other).max(0);
            }
        }
    }

    /// Pushes, per candidate of node `j`, the best profit if it goes the other way.
    fn exact_profits(
        &mut self,
        domain: &Domain<R>,
        offer: &[i64],
        taken: &[bool],
        j: usize,
        scale: i64,
    ) {
        self.table.solve(&self.weighed, domain.room[j][0]);
        self.table.turn(&self.weighed);
        let mut next = 0;
        for k in domain.of(j) {
            let c = &domain.list[k];
            let profit = offer[c.task as usize] - scale * c.cost;
            let pays = profit > 0;
            self.penalty.push(match (pays, taken[k]) {
                (true, true) => self.table.without(next, 0),
                (true, false) => profit + self.table.without(next, c.demand[0]),
                (false, _) => profit + self.table.with_less(c.demand[0]),
            });
            next += usize::from(pays);
        }
        self.search.work += 3 * (self.weighed.len() * room_of(domain, j)) as u64 / 16;
    }

    /// Like `exact_profits`, but bounds.
    fn bound_profits(
        &mut self,
        domain: &Domain<R>,
        offer: &[i64],
        taken: &[bool],
        j: usize,
        scale: i64,
    ) {
        let mut at: Vec<(u32, u32)> =
            self.search.items.iter().zip(0..).map(|(item, k)| (item.name, k)).collect();
        at.sort_unstable();
        let mut at = at.into_iter().peekable();
        for k in domain.of(j) {
            let c = &domain.list[k];
            let profit = offer[c.task as usize] - scale * c.cost;
            let place = at.next_if(|x| x.0 as usize == k).map(|x| x.1 as usize);
            let bound = if taken[k] {
                self.search.bound_without(place, &[0; R])
            } else {
                self.search.bound_without(place, &c.demand).map(|b| b + profit)
            };
            self.penalty.push(bound.unwrap_or(i64::MIN / 4));
        }
        self.search.work += 1 + domain.of(j).len() as u64;
    }
}

/// The room of node `j` in its first resource, as a size.
fn room_of<const R: usize>(domain: &Domain<R>, j: usize) -> usize {
    domain.room[j][0].clamp(0, i64::MAX / 2) as usize
}
