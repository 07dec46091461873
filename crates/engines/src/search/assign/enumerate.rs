//! The 0/1 knapsack with several resources by depth-first search. The resources are added up with
//! weights of their own into one, whose fractional optimum bounds the rest (Dantzig 1957, DOI
//! 10.1287/opre.5.2.266; the search is that of Horowitz and Sahni 1974).

use super::super::problem::{Vector, fits, sub};

/// An item of positive profit.
#[derive(Clone, Copy, Debug)]
pub struct Item<const R: usize> {
    pub profit: i64,
    pub demand: Vector<R>,
    /// What the caller knows the item by.
    pub name: u32,
    /// All resources added up with the weights; and profit per unit of that.
    weight: f64,
    rate: f64,
}

impl<const R: usize> Item<R> {
    pub fn new(profit: i64, demand: Vector<R>, name: u32) -> Self {
        Item { profit, demand, name, weight: 0.0, rate: 0.0 }
    }
}

/// Added to every bound that is computed in floating point: profits stay below 2^51, so rounding
/// cannot amount to more.
const MARGIN: i64 = 4;
/// Added to the room, which adds up to about one, against rounding.
const SLACK: f64 = 1e-9;
/// Steps of the search for good weights in one call.
const TUNING: usize = 3;

/// Work space that is kept between calls.
pub struct Enumeration<const R: usize> {
    pub items: Vec<Item<R>>,
    /// Running sums of weights and profits over the sorted items.
    weights: Vec<f64>,
    profits: Vec<i64>,
    taken: Vec<u32>,
    /// The best choice found, as positions in `items`.
    pub best: Vec<u32>,
    room: Vector<R>,
    mix: [f64; R],
    pub work: u64,
}

impl<const R: usize> Enumeration<R> {
    pub fn new() -> Self {
        Enumeration {
            items: Vec::new(),
            weights: Vec::new(),
            profits: Vec::new(),
            taken: Vec::new(),
            best: Vec::new(),
            room: [0; R],
            mix: [1.0; R],
            work: 0,
        }
    }

    /// Sorts `items` for `room` with weights near `mix`, which is improved on; then a bound on the
    /// profit is at hand.
    pub fn prepare(&mut self, room: &Vector<R>, mix: &mut [f64; R]) {
        self.room = *room;
        let scale: [f64; R] = std::array::from_fn(|r| 1.0 / room[r].max(1) as f64);
        let mut least = (i64::MAX, *mix);
        let mut step = 0.3;
        for round in 0..TUNING {
            self.mix = std::array::from_fn(|r| mix[r] * scale[r]);
            self.sort();
            let bound = self.bound(0, self.whole());
            if bound < least.0 {
                least = (bound, *mix);
            }
            if R == 1 || round == TUNING - 1 || !self.shift(mix, &scale, step) {
                break;
            }
            step /= 2.0;
        }
        if *mix != least.1 {
            *mix = least.1;
            self.mix = std::array::from_fn(|r| mix[r] * scale[r]);
            self.sort();
        }
    }

    /// Raises the weight of resources that the fractional optimum overloads. False if there are
    /// none to speak of.
    fn shift(&self, mix: &mut [f64; R], scale: &[f64; R], step: f64) -> bool {
        let (mut left, mut load) = (self.whole(), [0.0; R]);
        for item in &self.items {
            let part = if item.weight <= left { 1.0 } else { left / item.weight };
            for r in 0..R {
                load[r] += part * item.demand[r] as f64 * scale[r];
            }
            left -= part * item.weight;
            if part < 1.0 {
                break;
            }
        }
        if load.iter().all(|x| *x < 1.02) {
            return false;
        }
        let mut sum = 0.0;
        for r in 0..R {
            mix[r] = (mix[r] * (1.0 + step * (load[r] - 1.0)).clamp(0.3, 3.0)).max(1e-3);
            sum += mix[r];
        }
        mix.iter_mut().for_each(|x| *x /= sum);
        true
    }

    /// The whole room, added up.
    fn whole(&self) -> f64 {
        (0..R).map(|r| self.mix[r] * self.room[r] as f64).sum()
    }

    fn weigh(&self, demand: &Vector<R>) -> f64 {
        (0..R).map(|r| self.mix[r] * demand[r] as f64).sum()
    }

    fn sort(&mut self) {
        let mix = self.mix;
        for item in &mut self.items {
            item.weight = (0..R).map(|r| mix[r] * item.demand[r] as f64).sum();
            item.rate = item.profit as f64 / item.weight.max(1e-12);
        }
        // Rates are positive: their bits are in the order of their values.
        self.items.sort_unstable_by_key(|x| (!x.rate.to_bits(), x.name));
        self.weights.clear();
        self.profits.clear();
        self.weights.push(0.0);
        self.profits.push(0);
        let (mut weight, mut profit) = (0.0, 0);
        for item in &self.items {
            weight += item.weight;
            profit += item.profit;
            self.weights.push(weight);
            self.profits.push(profit);
        }
        self.work += 2 + self.items.len() as u64 / 2;
    }

    /// A bound on the profit of the items from `k` on in `left` of the added-up room.
    fn bound(&self, k: usize, left: f64) -> i64 {
        let most = self.weights[k] + left + SLACK;
        let end = k + self.weights[k + 1..].partition_point(|w| *w <= most);
        let whole = self.profits[end] - self.profits[k];
        match self.items.get(end) {
            Some(item) => {
                let part = ((most - self.weights[end]) * item.rate).min(item.profit as f64);
                whole + part as i64 + MARGIN
            }
            None => whole,
        }
    }

    /// A bound on the profit of all items but the one at `skip`, with `lost` of the room gone;
    /// `None` if so much room is not there.
    pub fn bound_without(&self, skip: Option<usize>, lost: &Vector<R>) -> Option<i64> {
        if !fits(lost, &self.room) {
            return None;
        }
        let left = self.whole() - self.weigh(lost);
        let Some(skip) = skip else { return Some(self.bound(0, left)) };
        if left < self.weights[skip] {
            return Some(self.bound(0, left));
        }
        Some(self.profits[skip] + self.bound(skip + 1, left - self.weights[skip]) + MARGIN)
    }

    /// The best choice, left in `best`, and a bound on the profit: the profit itself unless more
    /// than `limit` steps would be needed.
    pub fn solve(&mut self, limit: u64) -> i64 {
        self.best.clear();
        self.taken.clear();
        let (mut top, mut profit, mut k, mut steps) = (0, 0, 0, 0);
        let (mut left, mut whole) = (self.room, self.whole());
        loop {
            while k < self.items.len() && profit + self.bound(k, whole) > top {
                let item = &self.items[k];
                steps += 1;
                if fits(&item.demand, &left) {
                    left = sub(left, item.demand);
                    whole -= item.weight;
                    profit += item.profit;
                    self.taken.push(k as u32);
                }
                k += 1;
            }
            if profit > top {
                top = profit;
                self.best.clone_from(&self.taken);
            }
            if steps > limit {
                self.work += steps;
                return self.unexplored(profit, whole).max(top);
            }
            let Some(last) = self.taken.pop() else { break };
            let item = &self.items[last as usize];
            left = std::array::from_fn(|r| left[r] + item.demand[r]);
            whole += item.weight;
            profit -= item.profit;
            k = last as usize + 1;
        }
        self.work += steps;
        top
    }

    /// A bound on all choices that a search broken off has not looked at.
    fn unexplored(&self, mut profit: i64, mut whole: f64) -> i64 {
        let mut most = 0;
        for &last in self.taken.iter().rev() {
            let item = &self.items[last as usize];
            profit -= item.profit;
            whole += item.weight;
            most = most.max(profit + self.bound(last as usize + 1, whole));
        }
        most
    }
}
