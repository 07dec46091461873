//! Moves against the goal: the best plan with none, one, two, ... moved tasks, each with its
//! bound (the epsilon-constraint method; Haimes, Lasdon, Wismer 1971).

use crate::solve::{Answer, Params, solve};
use base::error::Result;
use base::stop::Stop;
use judge::metrics::goal_values;
use judge::proof::Proof;
use model::{Goal, Instance, Plan, Schedule, Term, Tier};

/// A number of moves and what it buys.
#[derive(Clone, Debug)]
pub struct Point {
    /// Tasks that may move.
    pub most: usize,
    /// Tasks that do.
    pub moved: usize,
    /// The goal's tiers.
    pub goal: Vec<Proof>,
    /// The plan.
    pub plan: Plan,
}

/// The points, fewest moves first.
#[derive(Clone, Debug)]
pub struct Frontier {
    /// From the fewest moves that lead to any plan to those of the best plan found.
    pub points: Vec<Point>,
    /// No plan moves fewer tasks.
    pub least: usize,
}

/// Works out at most `most` points within the time of `params`. `None` when there is no plan.
///
/// # Errors
/// As for [`solve`].
pub fn frontier(instance: &Instance, params: &Params, most: usize) -> Result<Option<Frontier>> {
    let own: Vec<Tier> = instance.goal().tiers.clone();
    let moved = Tier::single(Term::Moved);
    let stop = Stop::after(params.time_limit);
    let run = |tiers: Vec<Tier>, start: Option<&Plan>, parts: u32| -> Result<Option<_>> {
        let instance = instance.clone().with_goal(Goal { tiers });
        let time_limit = stop.remaining() / parts.max(1);
        let start = start.cloned().map(Schedule::from).or_else(|| params.start.clone());
        Ok(match solve(&instance, &Params { time_limit, start, ..params.clone() })? {
            Answer::Plan(outcome) => Some(outcome),
            Answer::NoPlan(_) => None,
        })
    };
    let count = |plan: &Plan| {
        let moves = plan.placements().filter(|(task, node)| instance.moved(*task, *node));
        moves.count()
    };
    let Some(first) = run(vec![moved.clone()], None, 6)? else { return Ok(None) };
    let skipped = first.goal.len() - 1;
    let least = first.goal[skipped].bound.round().max(0.0) as usize;
    let fewest = count(&first.plan);
    let mut best = own.clone();
    if !instance.goal().terms().any(Term::counts_moves) {
        best.push(moved);
    }
    let Some(last) = run(best, Some(&first.plan), 3)? else { return Ok(None) };
    let full = count(&last.plan).max(fewest);
    let levels = levels(fewest, full, most);
    let mut points: Vec<Point> = Vec::with_capacity(levels.len());
    for (k, level) in levels.iter().enumerate() {
        let limit = Tier::limit(Term::Moved, *level as f64);
        let tiers: Vec<Tier> = std::iter::once(limit).chain(own.iter().cloned()).collect();
        let start = points.last().map_or(&first.plan, |point| &point.plan);
        let left = (levels.len() - k) as u32;
        // Fewer points rather than more time; the last one is known.
        if stop.reached() && !points.is_empty() {
            break;
        }
        let Some(outcome) = run(tiers, Some(start), left)? else { continue };
        let goal = outcome.goal[outcome.goal.len() - own.len()..].to_vec();
        let plan = outcome.plan;
        points.push(Point { most: *level, moved: count(&plan), goal, plan });
    }
    if points.len() < levels.len() && points.last().is_none_or(|point| point.most < full) {
        let goal = last.goal.iter().skip(skipped).take(own.len()).cloned().collect();
        points.push(Point { most: full, moved: count(&last.plan), goal, plan: last.plan });
    } else if let Some(point) = points.last_mut() {
        let tiers = last.goal.iter().skip(skipped).take(own.len());
        let better = tiers.clone().zip(&point.goal).find(|(a, b)| a.value != b.value);
        if better.is_some_and(|(a, b)| a.value < b.value) {
            (point.goal, point.plan) = (tiers.cloned().collect(), last.plan);
            point.moved = count(&point.plan);
        }
    }
    tidy(instance, &mut points)?;
    Ok(Some(Frontier { points, least }))
}

/// All numbers of moves, or so many with growing steps.
fn levels(fewest: usize, full: usize, most: usize) -> Vec<usize> {
    let span = full - fewest;
    if span < most {
        return (fewest..=full).collect();
    }
    // Small steps first: the first moves buy most.
    let steps = most.max(2) - 1;
    let at = |k: usize| fewest + (span as f64 * (k as f64 / steps as f64).powi(2)).round() as usize;
    let mut levels: Vec<usize> = (0..=steps).map(at).collect();
    levels.dedup();
    levels
}

/// More moves are never worth less: a plan for fewer moves is one for more, and what no plan
/// with more moves beats no plan with fewer does.
fn tidy(instance: &Instance, points: &mut [Point]) -> Result<()> {
    let tiers = &instance.goal().tiers;
    for k in 1..points.len() {
        let (before, after) = points.split_at_mut(k);
        let (known, point) = (&before[k - 1], &mut after[0]);
        let differs = known.goal.iter().zip(&point.goal).find(|(a, b)| a.value != b.value);
        if differs.is_some_and(|(a, b)| a.value < b.value) {
            point.plan = known.plan.clone();
            point.moved = known.moved;
            let values = goal_values(instance, &point.plan, instance.goal());
            for (k, (reached, value)) in point.goal.iter_mut().zip(values).enumerate() {
                let mut limit = reached.limit();
                // Bounds of later tiers were for other values of the earlier ones.
                if k > 0 && known.goal[k].limit().value.order(limit.value).is_lt() {
                    limit = known.goal[k].limit();
                }
                *reached = Proof::of(instance, &tiers[k], value.worth(), &limit)?;
            }
        }
    }
    for k in (1..points.len()).rev() {
        let limit = points[k].goal[0].limit();
        let first = &mut points[k - 1].goal[0];
        if limit.value.order(first.limit().value).is_gt() {
            let value = goal_values(instance, &points[k - 1].plan, instance.goal())[0].worth();
            points[k - 1].goal[0] = Proof::of(instance, &tiers[0], value, &limit)?;
        }
    }
    Ok(())
}
