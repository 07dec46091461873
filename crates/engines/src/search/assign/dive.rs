//! A first plan from the bound: fix the tasks whose node the fractional plan is sure of, climb
//! again, and so on.

use super::super::budget::Budget;
use super::super::problem::{fits, sub};
use super::ascent::{Pace, climb};
use super::domain::Domain;
use super::plan::Plan;
use super::problem::{NONE, Problem};
use super::relax::{Relaxation, STEPS};
use super::round::round;

/// Climbing between two fixings.
const STEP: Pace = Pace { steps: 30, stride: 0.3, least: 0.01, patience: 5 };
/// Steps of an enumeration; the bound does not matter here.
const HASTY: u64 = 1_000;
/// A share from which on a task is sure of its node.
const SURE: f64 = 0.97;
/// Of so many free tasks, at least one is fixed each time.
const PART: usize = 12;

/// A complete plan within the rooms and polished, the best met on the way down, or `None`.
pub fn dive<const R: usize>(
    p: &Problem<R>,
    relax: &mut Relaxation<R>,
    mut domain: Domain<R>,
    mut offer: Vec<i64>,
    goal: i64,
    budget: &mut Budget,
) -> Option<Plan<R>> {
    let mut best: Option<Plan<R>> = None;
    let mut keep = |plan: Vec<u32>, budget: &mut Budget| {
        let mut plan = Plan::new(p, plan);
        budget.work += plan.polish(p);
        if best.as_ref().is_none_or(|b| plan.value < b.value) {
            best = Some(plan);
        }
    };
    relax.steps = HASTY;
    while domain.free > 0 && !budget.over() {
        let peak = climb(relax, &domain, &mut offer, goal, STEP, budget);
        relax.evaluate(&domain, &offer);
        budget.work += p.tasks as u64;
        let rounded = round(p, &domain, &offer, relax.scale, &relax.answer.taken);
        for plan in [peak.plan, rounded].into_iter().flatten() {
            keep(plan, budget);
        }
        if !fix_sure(&mut domain, &peak.share) {
            break;
        }
    }
    relax.steps = STEPS;
    if domain.free == 0 {
        keep(domain.node_of, budget);
    }
    best
}

/// Fixes the surest tasks. False if that leaves no plan.
fn fix_sure<const R: usize>(domain: &mut Domain<R>, share: &[f64]) -> bool {
    let mut order: Vec<u32> = (0..domain.list.len() as u32).collect();
    order.sort_by(|a, b| share[*b as usize].total_cmp(&share[*a as usize]).then(a.cmp(b)));
    let least = domain.free.div_ceil(PART);
    let mut node_of = vec![NONE; domain.node_of.len()];
    let mut left = domain.room.clone();
    let mut fixed = 0;
    for &k in &order {
        if fixed >= least && share[k as usize] < SURE {
            break;
        }
        let (c, j) = (&domain.list[k as usize], domain.node_at(k as usize));
        let fits = fits(&c.demand, &left[j]);
        if fits && node_of[c.task as usize] == NONE {
            left[j] = sub(left[j], c.demand);
            node_of[c.task as usize] = j as u32;
            fixed += 1;
        }
    }
    let at: Vec<u32> = (0..domain.list.len()).map(|k| domain.node_at(k) as u32).collect();
    let old = domain.list.clone();
    domain.retain(|k| {
        let wanted = node_of[old[k].task as usize];
        wanted == NONE || wanted == at[k]
    })
}
