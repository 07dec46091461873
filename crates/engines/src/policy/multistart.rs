//! One policy from many orders, in parallel; the best plan by the goal wins.

use std::cmp::Ordering;
use std::sync::Mutex;

use rayon::prelude::*;

use super::driver::{Bundles, run, run_until};
use super::index::NodeIndex;
use super::{Choice, Order, Settings};
use base::stop::Stop;
use judge::metrics::goal_values;
use model::{Goal, Instance, Plan, Term, Tier};

/// Placements that a multi-start makes in all before it settles for what it has.
const PLACEMENTS: usize = 200_000;

/// The best plan of all, and what each policy reached by itself.
pub struct Found {
    /// The plan.
    pub plan: Plan,
    /// How it came about.
    pub start: Start,
    /// Tasks that time ran out for, see [`Pass`](super::Pass).
    pub hurried: usize,
    /// Each policy that ran.
    pub each: Vec<Reached>,
}

/// What one policy reached by itself.
pub struct Reached {
    /// Its best start.
    pub start: Start,
    /// Tasks that it found no node for.
    pub left_out: usize,
    /// What is left out by priority, then the goal's tiers.
    pub values: Vec<f64>,
}

/// How a plan came about.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// The policy.
    pub policy: Choice,
    /// The order of tasks.
    pub order: Order,
    /// Seed of the order.
    pub seed: u64,
}

impl std::fmt::Display for Start {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.policy.name(), self.order.name())?;
        if matches!(self.order, Order::Random | Order::Noisy) {
            write!(f, " (seed {})", self.seed)?;
        }
        Ok(())
    }
}

/// Runs each policy from every order, and from as many perturbed ones as the
/// size of the instance allows. The best plan by unplaced tasks, first by weight and then by
/// number, then `goal`, then balance wins, the earliest start among equals, so the result does not depend on the
/// number of threads. The first start always comes to its end, in a hurry where that is near;
/// others only before `stop`.
pub fn multi_start(
    instance: &Instance,
    policies: &[Choice],
    goal: &Goal,
    settings: &Settings,
    stop: &Stop,
) -> Option<Found> {
    let seed = settings.seed;
    let each = (PLACEMENTS / instance.tasks().max(1) / policies.len().max(1)).clamp(4, 64);
    let named = [Order::LongestFirst, Order::LargestFirst, Order::ShortestFirst, Order::Input];
    let mut starts = Vec::new();
    for &policy in policies {
        starts.extend(named.map(|order| Start { policy, order, seed }));
        let noisy = (0..(each - named.len()) as u64).map(|k| Start {
            policy,
            order: Order::Noisy,
            seed: seed.wrapping_add(k),
        });
        starts.extend(noisy);
    }
    let own = goal.tiers.len();
    let mut goal = goal.with_unplaced_first(&instance.priorities());
    let tiers = goal.tiers.len();
    if !goal.mentions(Term::Balance) {
        // Nobody asked for it, but between equals the more even plan looks saner.
        goal.tiers.push(Tier::single(Term::Balance));
    }
    let reached = Mutex::new(Vec::with_capacity(starts.len()));
    let best = starts
        .par_iter()
        .enumerate()
        .map_init(
            || (NodeIndex::new(instance), Bundles::of(instance)),
            |(index, bundles), (k, start)| {
                // An order alone takes a while where there are many tasks.
                if k > 0 && stop.reached() {
                    return None;
                }
                let order = start.order.of(instance, start.seed);
                let settings = Settings { seed: start.seed, ..settings.clone() };
                // Policies that lack something were refused before.
                let rule = start.policy.rule(instance, &settings).ok()?;
                let (plan, hurried) = match k {
                    0 => {
                        let pass = run(index, bundles, rule, &order, stop);
                        (pass.plan, pass.hurried)
                    }
                    _ => (run_until(index, bundles, rule, &order, stop)?, 0),
                };
                let values: Vec<f64> =
                    goal_values(instance, &plan, &goal).iter().map(|v| v.value).collect();
                let left_out = instance.tasks() - plan.placed();
                let rest = values[tiers - own..].to_vec();
                let key = (values[..tiers - own].to_vec(), left_out, rest, k);
                if let Ok(mut all) = reached.lock() {
                    all.push(key.clone());
                }
                Some((key, plan, hurried))
            },
        )
        .flatten()
        .reduce_with(|a, b| if b.0 < a.0 { b } else { a });
    let ((.., k), plan, hurried) = best?;
    let mut all = reached.into_inner().unwrap_or_default();
    all.sort_by(|a, b| a.partial_cmp(b).unwrap_or(Ordering::Equal));
    // Starts of one policy are neighbours, as many for each.
    let best_of = |p: usize| all.iter().find(|(.., k)| k / each == p);
    let reached = (0..policies.len()).filter_map(best_of).map(|(left, left_out, rest, k)| {
        let values = left.iter().chain(&rest[..own]).copied().collect();
        Reached { start: starts[*k], left_out: *left_out, values }
    });
    Some(Found { plan, start: starts[k], hurried, each: reached.collect() })
}
