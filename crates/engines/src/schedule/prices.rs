//! A bound on sums over jobs (completion, wait, tardiness): room has a price at each time, every job
//! starts where delay and price together are least for it, and what all room is worth is taken off
//! again. It is the Lagrangian relaxation of the time-indexed program (Christofides,
//! Alvarez-Valdes, Tamarit 1987, DOI 10.1016/0377-2217(87)90240-2; Moehring, Schulz, Stork, Uetz
//! 2003, DOI 10.1287/mnsc.49.3.330.12737), over all nodes of a row at once. Prices follow what is
//! asked for and what there is (Held, Wolfe, Crowder 1974, DOI 10.1007/BF01580223).

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::bounds::Heads;
use super::problem::{NEVER, Problem};
use super::supply::{Row, rows};
use base::stop::Stop;
use model::{ROUNDING, Seconds, Shape, Tier, gcd};

/// Spans of time that have a price of their own.
const SPANS: i64 = 400;
/// Rounds at most, and without a better bound before steps become shorter.
const ROUNDS: usize = 300;
const PATIENCE: usize = 8;
/// Jobs that one thread takes at a time; the order of sums does not depend on threads.
const BLOCK: usize = 512;
/// Share of the last direction that is kept.
const KEPT: f64 = 0.6;

/// Jobs, prices and the room there is.
struct Market<'a> {
    p: &'a Problem<'a>,
    heads: &'a Heads,
    /// Which seconds count, and what each weighs.
    weights: Vec<(Seconds, f64)>,
    /// Seconds of a span, and how many there are.
    step: i64,
    spans: usize,
    /// Per row and span: what is there, in seconds of everything.
    room: Vec<Vec<f64>>,
    /// Which rows a job takes from, as parts of everything; jobs alike share it.
    shares: Vec<Vec<(usize, f64)>>,
    share_of: Vec<u32>,
}

/// What jobs ask for at some prices.
struct Asked {
    /// Delays and prices, each job where they are least; and the sum of what was added up.
    least: f64,
    /// Per row and span, as [`Market::room`].
    taken: Vec<Vec<f64>>,
}

/// No schedule has less of the tier's sums, in steps of weight; `known` is what some schedule has
/// of them, which ends at `end`. `None` where the tier is about something else too.
pub(super) fn bound(
    p: &Problem,
    heads: &Heads,
    tier: &Tier,
    (known, end): (f64, i64),
    (work, most): (&mut u64, u64),
    stop: &Stop,
) -> Option<f64> {
    let seconds = tier.terms.iter().map(|part| match part.term.shape() {
        Shape::Seconds(seconds) => Some((*seconds, part.weight)),
        _ => None,
    });
    let weights =
        seconds.collect::<Option<Vec<(Seconds, f64)>>>().filter(|_| !p.jobs.is_empty())?;
    let market = Market::new(p, heads, weights, end);
    let cells = (market.room.len() + market.shares.len()) * market.spans;
    let round = (p.jobs.len() * 16 + cells) as u64;
    let mut prices = vec![vec![0.0; market.spans]; market.room.len()];
    let mut direction = prices.clone();
    let mut best = (f64::NEG_INFINITY, prices.clone());
    let (mut pace, mut idle) = (1.0, 0);
    for _ in 0..ROUNDS {
        if *work + round > most || stop.reached() {
            break;
        }
        *work += round;
        let asked = market.ask(&prices);
        let worth: f64 = prices.iter().zip(&market.room).map(|(a, b)| dot(a, b)).sum();
        let value = asked.least - worth - ROUNDING * (asked.least.abs() + worth);
        if value > best.0 {
            (best, idle) = ((value, prices.clone()), 0);
        } else {
            idle += 1;
        }
        if best.0 >= known - 1e-3 || pace < 1e-3 {
            break;
        }
        if idle >= PATIENCE {
            (pace, idle, prices) = (pace / 2.0, 0, best.1.clone());
            direction.iter_mut().flatten().for_each(|d| *d = 0.0);
            continue;
        }
        let mut length = 0.0;
        for (row, d) in direction.iter_mut().enumerate() {
            for (span, d) in d.iter_mut().enumerate() {
                let want = asked.taken[row][span] - market.room[row][span];
                // Nothing is cheaper than nothing.
                let want = if want < 0.0 && prices[row][span] <= 0.0 { 0.0 } else { want };
                *d = KEPT * *d + want;
                length += *d * *d;
            }
        }
        if length <= 0.0 {
            break;
        }
        let far = pace * (known - value).max(known.abs() * 1e-4) / length;
        for (row, d) in prices.iter_mut().zip(&direction) {
            row.iter_mut().zip(d).for_each(|(price, d)| *price = (*price + far * d).max(0.0));
        }
    }
    best.0.is_finite().then_some(best.0)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

impl<'a> Market<'a> {
    fn new(
        p: &'a Problem<'a>,
        heads: &'a Heads,
        weights: Vec<(Seconds, f64)>,
        end: i64,
    ) -> Market<'a> {
        let unit = p.jobs.iter().fold(0, |unit, job| gcd(gcd(unit, job.shortest), job.release));
        let unit = unit.max(1);
        let step = unit * (end / unit / SPANS + 1);
        let spans = (end / step + 1) as usize;
        let rows = rows(p);
        let offered = |row: &Row, span: usize| {
            let from = step * span as i64;
            let room = row.supply.by(from + step) - row.supply.by(from);
            room as f64 / row.supply.rate() as f64
        };
        let room = rows.iter().map(|row| (0..spans).map(|span| offered(row, span)).collect());
        let mut of_job: Vec<Vec<(usize, f64)>> = vec![Vec::new(); p.jobs.len()];
        for (at, row) in rows.iter().enumerate() {
            for (k, energy) in &row.jobs {
                let job = &p.jobs[*k as usize];
                // Otherwise it may take less at a time, for longer.
                if job.shortest > 0 && (job.pair.is_none() || job.shortest == job.longest) {
                    let share = *energy as f64 / job.shortest as f64 / row.supply.rate() as f64;
                    of_job[*k as usize].push((at, share));
                }
            }
        }
        let mut known = FxHashMap::default();
        let mut shares: Vec<Vec<(usize, f64)>> = Vec::new();
        let share_of = of_job.into_iter().map(|of| {
            let key: Vec<(usize, u64)> = of.iter().map(|(r, x)| (*r, x.to_bits())).collect();
            *known.entry(key).or_insert_with(|| {
                shares.push(of);
                shares.len() as u32 - 1
            })
        });
        let share_of = share_of.collect();
        Market { p, heads, weights, step, spans, room: room.collect(), shares, share_of }
    }

    /// Every job where it is cheapest.
    fn ask(&self, prices: &[Vec<f64>]) -> Asked {
        // Up to each border of spans: what a job with these shares pays.
        let paid = |shares: &Vec<(usize, f64)>| {
            let mut sum = vec![0.0; self.spans + 1];
            for span in 0..self.spans {
                let price: f64 = shares.iter().map(|(row, x)| x * prices[*row][span]).sum();
                sum[span + 1] = sum[span] + price * self.step as f64;
            }
            sum
        };
        let paid: Vec<Vec<f64>> = self.shares.par_iter().map(paid).collect();
        let jobs: Vec<usize> = (0..self.p.jobs.len()).collect();
        let parts: Vec<(f64, Vec<Vec<f64>>)> = jobs
            .par_chunks(BLOCK)
            .map(|jobs| {
                let mut least = 0.0;
                // Differences between spans first: what begins and ends in each.
                let mut taken = vec![vec![0.0; self.spans + 2]; self.room.len()];
                for k in jobs {
                    let share = self.share_of[*k] as usize;
                    let (cost, start) = self.cheapest(*k, &paid[share]);
                    least += cost;
                    for (row, x) in &self.shares[share] {
                        self.ramp(&mut taken[*row], start, *x);
                        self.ramp(&mut taken[*row], start + self.p.jobs[*k].shortest, -*x);
                    }
                }
                (least, taken)
            })
            .collect();
        let mut asked =
            Asked { least: 0.0, taken: vec![vec![0.0; self.spans + 2]; self.room.len()] };
        for (least, taken) in parts {
            asked.least += least;
            for (all, part) in asked.taken.iter_mut().zip(taken) {
                all.iter_mut().zip(part).for_each(|(all, part)| *all += part);
            }
        }
        for row in &mut asked.taken {
            (1..row.len()).for_each(|span| row[span] += row[span - 1]);
            row.truncate(self.spans);
        }
        asked
    }

    /// Adds `x` from `time` on, forever, as differences between spans.
    fn ramp(&self, taken: &mut [f64], time: i64, x: f64) {
        let span = ((time / self.step) as usize).min(self.spans);
        let rest = if span == self.spans { 0 } else { self.step * (span as i64 + 1) - time };
        taken[span] += x * rest as f64;
        taken[span + 1] += x * (self.step - rest) as f64;
    }

    /// Where delay and price are least, and what they are.
    fn cheapest(&self, k: usize, paid: &[f64]) -> (f64, i64) {
        let job = &self.p.jobs[k];
        let weight = job.weight as f64;
        let first = self.heads.start[k];
        let last = match job.deadline {
            _ if job.running => first,
            NEVER => NEVER,
            deadline => (deadline - job.shortest).max(first),
        };
        let delay = |start: i64| {
            let end = start + job.shortest;
            let of = |seconds: Seconds| seconds.of((job.release, job.due), (start, end)) as f64;
            weight * self.weights.iter().map(|(seconds, each)| each * of(*seconds)).sum::<f64>()
        };
        let by = |time: i64| {
            let span = (time / self.step) as usize;
            if span >= self.spans {
                return paid[self.spans];
            }
            let part = (time - self.step * span as i64) as f64 / self.step as f64;
            paid[span] + part * (paid[span + 1] - paid[span])
        };
        let price = |start: i64| by(start + job.shortest) - by(start);
        let mut best = (delay(first) + price(first), first);
        let mut look = |start: i64| {
            if start <= first || start > last {
                return true;
            }
            let wait = delay(start);
            let cost = wait + price(start);
            if cost < best.0 {
                best = (cost, start);
            }
            wait < best.0
        };
        // Prices change at borders, delays at due times: in between nothing is least.
        if let Some(due) = job.due {
            look(due - job.shortest);
        }
        if last < NEVER {
            look(last);
        }
        let mut starts = first / self.step + 1;
        let mut ends = (first + job.shortest) / self.step + 1;
        let borders = self.spans as i64;
        while starts <= borders {
            let (start, before) = (starts * self.step, ends * self.step - job.shortest);
            let go_on = if ends <= borders && before < start {
                ends += 1;
                look(before)
            } else {
                starts += 1;
                look(start)
            };
            if !go_on {
                break;
            }
        }
        best
    }
}
