//! Raises the Lagrangian bound: a subgradient method whose direction is smoothed (Camerini,
//! Fratta, Maffioli 1975, DOI 10.1007/BFb0120697) and whose step is Polyak's. The mean of what the
//! nodes take on the way is a near-optimal fractional plan (Barahona and Anbil 2000, DOI
//! 10.1007/s101070050002).

use super::super::budget::Budget;
use super::domain::Domain;
use super::problem::NONE;
use super::relax::Relaxation;

/// Weight of the newest subgradient in the direction, and of the newest answer in the mean.
const FRESH: (f64, f64) = (0.3, 0.08);

/// Limit of all offers together, so that no sum overflows.
const TOTAL: f64 = (1i64 << 50) as f64;

/// How long and how boldly to climb.
#[derive(Clone, Copy)]
pub struct Pace {
    /// Steps at most.
    pub steps: usize,
    /// First factor of the step length.
    pub stride: f64,
    /// Factor at which to give up.
    pub least: f64,
    /// Steps without a better bound before the factor is halved.
    pub patience: usize,
}

/// The best bound of a climb.
pub struct Peak {
    /// The bound, scaled.
    pub value: i64,
    /// Per candidate, how much of its task is on its node, about.
    pub share: Vec<f64>,
    /// A plan met on the way that takes every free task exactly once.
    pub plan: Option<Vec<u32>>,
}

/// Climbs from `offer`, which becomes the offers of the best bound, until the bound exceeds `goal`
/// (scaled).
pub fn climb<const R: usize>(
    relax: &mut Relaxation<R>,
    domain: &Domain<R>,
    offer: &mut Vec<i64>,
    goal: i64,
    pace: Pace,
    budget: &mut Budget,
) -> Peak {
    let most = TOTAL / (offer.len() + 1) as f64;
    let mut now: Vec<f64> = offer.iter().map(|u| *u as f64).collect();
    let mut here = offer.clone();
    let mut direction = vec![0.0; offer.len()];
    let mut mean = Mean::new(domain.list.len());
    let mut peak = Peak { value: i64::MIN, share: Vec::new(), plan: None };
    let (mut stride, mut idle) = (pace.stride, 0);
    for step in 0..pace.steps {
        let value = relax.evaluate(domain, &here);
        budget.work += std::mem::take(&mut relax.work);
        mean.add(&relax.answer.taken);
        if value > peak.value {
            idle =
                if value - peak.value.max(i64::MIN / 2) > value.abs() / 10_000 { 0 } else { idle };
            peak.value = value;
            offer.clone_from(&here);
        } else {
            idle += 1;
        }
        if idle >= pace.patience {
            (stride, idle) = (stride / 2.0, 0);
            now.iter_mut().zip(offer.iter()).for_each(|(x, u)| *x = *u as f64);
        }
        let size = turn(&mut direction, domain, &relax.answer.taken, step == 0);
        if size == 0.0 {
            peak.plan = Some(plan_of(domain, &relax.answer.taken));
            break;
        }
        if peak.value > goal || stride < pace.least || budget.over() {
            break;
        }
        let hope = (goal - peak.value + relax.scale).min(peak.value.abs() / 20 + relax.scale);
        let norm: f64 = direction.iter().map(|d| d * d).sum();
        let length = stride * (peak.value + hope - value) as f64 / norm.max(1e-9);
        for ((x, u), d) in now.iter_mut().zip(&mut here).zip(&direction) {
            *x = (*x + length * d).clamp(-most, most);
            *u = *x as i64;
        }
    }
    peak.share = mean.shares();
    peak
}

/// Turns the direction towards the newest subgradient, whose squared length is returned.
fn turn<const R: usize>(
    direction: &mut [f64],
    domain: &Domain<R>,
    taken: &[u32],
    first: bool,
) -> f64 {
    let mut lack: Vec<i32> = domain.count.iter().map(|c| i32::from(*c > 0)).collect();
    taken.iter().for_each(|&k| lack[domain.list[k as usize].task as usize] -= 1);
    let fresh = if first { 1.0 } else { FRESH.0 };
    let mut size = 0.0;
    for (d, g) in direction.iter_mut().zip(&lack) {
        let g = f64::from(*g);
        *d += fresh * (g - *d);
        size += g * g;
    }
    size
}

/// The complete plan of an answer that takes every free task once.
fn plan_of<const R: usize>(domain: &Domain<R>, taken: &[u32]) -> Vec<u32> {
    let mut plan = domain.node_of.clone();
    for &k in taken {
        plan[domain.list[k as usize].task as usize] = domain.node_at(k as usize) as u32;
    }
    debug_assert!(!plan.contains(&NONE), "a free task is on no node");
    plan
}

/// A mean that forgets: each answer weighs a little more than the one before.
struct Mean {
    sum: Vec<f64>,
    weight: f64,
    total: f64,
}

impl Mean {
    fn new(len: usize) -> Self {
        Mean { sum: vec![0.0; len], weight: 1.0, total: 0.0 }
    }

    fn add(&mut self, taken: &[u32]) {
        taken.iter().for_each(|&k| self.sum[k as usize] += self.weight);
        self.total += self.weight;
        self.weight /= 1.0 - FRESH.1;
        if self.weight > 1e100 {
            self.sum.iter_mut().for_each(|x| *x *= 1e-100);
            self.total *= 1e-100;
            self.weight *= 1e-100;
        }
    }

    fn shares(mut self) -> Vec<f64> {
        let total = self.total.max(1e-9);
        self.sum.iter_mut().for_each(|x| *x /= total);
        self.sum
    }
}
