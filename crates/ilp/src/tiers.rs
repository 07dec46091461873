//! The tiers of a goal, solved one after the other.

use std::time::Duration;

use super::assemble::settle;
use super::balance::distances;
use super::columns::{Failure, Model, Settled, Shape};
use super::objective::{counted, unit, whole_steps};
use super::risk::Breaks;
use super::solver::{self, Answer, Backend, Effort};
use base::error::{Error, Result};
use base::stop::Stop;
use judge::check::{Violation, check_plan};
use judge::metrics::{attainable_peak, worth_of};
use model::{Classes, Fraction, Goal, Instance, Plan, Shape as GoalShape, Term, Tier, Worth};

/// Rounds of tangents after which a variance is left at the gap it has.
const ROUNDS: usize = 60;

/// What to solve.
pub struct Request<'a> {
    /// The problem.
    pub instance: &'a Instance,
    /// Its classes; for a relaxation without regard to rules between tasks.
    pub classes: &'a Classes,
    /// Every tier, `unplaced` included where tasks may stay unplaced.
    pub goal: &'a Goal,
    /// Tasks may stay unplaced.
    pub allow_unplaced: bool,
    /// The solver.
    pub backend: Backend,
    /// Relative gap at which a tier counts as settled.
    pub gap: f64,
    /// Seed for the solver.
    pub seed: u64,
    /// A feasible plan to begin from.
    pub incumbent: Option<Plan>,
    /// Known bounds per tier; a tier whose incumbent meets its bound is settled
    /// without the solver, as long as all tiers before it are.
    pub bounds: Vec<Worth>,
    /// Nodes that fail at once: after each such failure the tasks there have room on the others,
    /// where all else stays. For instances without cards and without rules about places.
    pub failures: Vec<Failure>,
}

impl Request<'_> {
    /// Whether the bound known for tier `k` still holds: it was found for plans
    /// that keep the incumbent's values in the tiers before.
    fn still_bounds(&self, finding: &Finding, k: usize) -> bool {
        match (&self.incumbent, &finding.plan) {
            (Some(incumbent), Some(plan)) => {
                no_worse(self.instance, &self.goal.tiers[..k], plan, incumbent)
            }
            _ => k == 0,
        }
    }
}

/// Whether `plan` is at most as high as `other` in each of the tiers.
pub fn no_worse(instance: &Instance, tiers: &[Tier], plan: &Plan, other: &Plan) -> bool {
    tiers.iter().all(|tier| worth_of(instance, plan, tier).at_most(worth_of(instance, other, tier)))
}

/// What was found for one tier.
#[derive(Clone, Debug, PartialEq)]
pub struct TierFinding {
    /// Proven lower bound, given that all earlier tiers keep their values.
    pub bound: Option<Worth>,
}

/// The outcome of the exact method.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The best plan known, the incumbent included.
    pub plan: Option<Plan>,
    /// Per tier, as far as the method came.
    pub tiers: Vec<TierFinding>,
    /// What happened.
    pub exact: Exact,
    /// Things a person should know, such as a solver's answer that did not hold.
    pub warnings: Vec<String>,
}

/// How far the exact method came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exact {
    /// Every tier is proven.
    Complete,
    /// Time ran out, or the solver gave up.
    Partial,
    /// No plan places every task.
    Infeasible,
}

/// Solves every tier of the goal exactly, within the time that `stop` leaves. Where the solver
/// fails, that is a warning, and what is known by then stands.
///
/// # Errors
/// The solver is missing.
pub fn solve(request: &Request, stop: &Stop) -> Result<Finding> {
    request.backend.ensure()?;
    let shape =
        Shape::exact(request.instance, request.classes, request.allow_unplaced, &request.failures);
    let mut finding = Finding {
        plan: request.incumbent.clone(),
        tiers: Vec::new(),
        exact: Exact::Complete,
        warnings: Vec::new(),
    };
    let mut settled: Vec<Settled> = Vec::new();
    let mut breaks = Breaks::default();
    for (k, tier) in request.goal.tiers.iter().enumerate() {
        let known = request.bounds.get(k).copied().filter(|_| request.still_bounds(&finding, k));
        let proven = finding.plan.as_ref().filter(|plan| {
            let value = worth_of(request.instance, plan, tier);
            finding.exact == Exact::Complete
                && known.is_some_and(|bound| meets(value, bound, request.gap))
        });
        if proven.is_none() {
            let left = (request.goal.tiers.len() - k) as u32;
            let time = stop.remaining() / left.max(1);
            let (shape, settled) = (&shape, &settled);
            let mut round =
                Round { request, shape, tier, settled, breaks: &mut breaks, stop, time };
            round.run(&mut finding);
            if finding.exact == Exact::Infeasible {
                return Ok(finding);
            }
        } else {
            finding.tiers.push(TierFinding { bound: known });
        }
        match &finding.plan {
            Some(plan) => settled.push(settle(request.instance, plan, tier)),
            None => break,
        }
    }
    Ok(finding)
}

/// One tier.
struct Round<'a> {
    request: &'a Request<'a>,
    shape: &'a Shape<'a>,
    tier: &'a Tier,
    settled: &'a [Settled],
    breaks: &'a mut Breaks,
    stop: &'a Stop,
    time: Duration,
}

impl Round<'_> {
    /// Solves the tier; again with more tangents as long as a variance in it or
    /// before it is not met, and with more chords as long as loads vary too much.
    fn run(&mut self, finding: &mut Finding) {
        let instance = self.request.instance;
        let curved = curved(self.tier) || self.settled.iter().any(|s| curved(&s.tier));
        let mut points = vec![0.0];
        if let (Some(plan), true) = (&finding.plan, curved) {
            add_points(&mut points, distances(instance, plan));
        }
        let mut bound: Option<Worth> = None;
        let end = self.stop.part(self.time);
        for _ in 0..ROUNDS {
            let left = end.remaining();
            if left.is_zero() {
                break;
            }
            let Some(model) =
                Model::build(self.shape, self.tier, self.settled, &points, self.breaks)
            else {
                finding.exact = Exact::Infeasible;
                return;
            };
            // A plan by itself does not say where tasks go in failures.
            let whole = finding.plan.as_ref().filter(|_| self.request.failures.is_empty());
            let start = whole.map(|plan| model.start(plan));
            if let Some(point) = &start {
                debug_assert!(
                    model.program.violation(point) < 1e-6,
                    "a feasible plan misses the model by {}",
                    model.program.violation(point)
                );
            }
            let effort = Effort { time: left, gap: self.request.gap, seed: self.request.seed };
            let answer =
                solver::solve(self.request.backend, &model.program, start.as_deref(), effort);
            let answer = answer.unwrap_or_else(|error| {
                finding.warnings.push(set_aside(&error, self.tier));
                Answer::default()
            });
            if answer.infeasible {
                self.infeasible(finding);
                return;
            }
            let step = self.digest(&model, &answer, finding);
            bound = max(bound, step.bound);
            let fresh = curved && step.distances.is_some_and(|d| add_points(&mut points, d));
            if !(fresh || step.broken) || self.settled_at(finding, bound) {
                break;
            }
        }
        if !self.settled_at(finding, bound) {
            finding.exact = Exact::Partial;
        }
        finding.tiers.push(TierFinding { bound });
    }

    fn settled_at(&self, finding: &Finding, bound: Option<Worth>) -> bool {
        let value =
            finding.plan.as_ref().map(|plan| worth_of(self.request.instance, plan, self.tier));
        matches!((value, bound), (Some(value), Some(bound)) if meets(value, bound, self.request.gap))
    }

    /// A solver that finds nothing although a plan is known is wrong.
    fn infeasible(&self, finding: &mut Finding) {
        if finding.plan.is_some() {
            finding.exact = Exact::Partial;
            finding.tiers.push(TierFinding { bound: None });
            finding.warnings.push(format!(
                "{} called the {} model infeasible although a plan is known; its answer was set aside",
                self.request.backend.name(),
                self.tier
            ));
        } else {
            finding.exact = Exact::Infeasible;
        }
    }

    /// Takes an answer apart: the plan if it holds and is better, the bound if
    /// nothing about the answer is doubtful, and where tangents are missing.
    fn digest(&mut self, model: &Model, answer: &Answer, finding: &mut Finding) -> Step {
        let instance = self.request.instance;
        let mut step = Step { bound: None, distances: None, broken: false };
        let mut trusted = true;
        let mut bound = answer.bound;
        if let Some(point) = &answer.point {
            let plan = model.plan(point).map(|plan| {
                let broken = check_plan(instance, &plan, self.request.allow_unplaced);
                (plan, broken)
            });
            let risky = |broken: &[Violation]| {
                broken.iter().all(|violation| matches!(violation, Violation::Risk { .. }))
            };
            match plan {
                // Between chords: what the model says of bounds holds, the plan does not.
                Some((plan, broken))
                    if !broken.is_empty()
                        && risky(&broken)
                        && self.breaks.add(self.shape, &plan) =>
                {
                    step.broken = true;
                }
                Some((plan, broken)) if broken.is_empty() => {
                    if answer.complete && bound.is_none() {
                        bound = Some(model.program.objective(&model.start(&plan)));
                    }
                    step.distances = Some(distances(instance, &plan));
                    if self.better(&plan, finding.plan.as_ref()) {
                        finding.plan = Some(plan);
                    }
                }
                _ => {
                    trusted = false;
                    finding.warnings.push(format!(
                        "{}'s answer for {} breaks a rule when counted in whole numbers; it was set aside",
                        self.request.backend.name(),
                        self.tier
                    ));
                }
            }
        }
        if let (Some(bound), true) = (bound, trusted) {
            let safe = safe_bound(instance, self.tier, bound + model.offset);
            let value = finding.plan.as_ref().map(|plan| worth_of(instance, plan, self.tier));
            // No proof can lie above a plan that holds: then the solver is wrong.
            if value.is_some_and(|value| safe.contradicts(value)) {
                finding.warnings.push(format!(
                    "{} states a bound above the value of a known plan; it was set aside",
                    self.request.backend.name()
                ));
            } else {
                step.bound = Some(safe);
            }
        }
        step
    }

    /// Better in this tier and no worse in the earlier ones.
    fn better(&self, plan: &Plan, known: Option<&Plan>) -> bool {
        let instance = self.request.instance;
        let keeps = self
            .settled
            .iter()
            .all(|earlier| worth_of(instance, plan, &earlier.tier).at_most(earlier.worth));
        let lower = known.is_none_or(|known| {
            let value = worth_of(instance, plan, self.tier);
            value.order(worth_of(instance, known, self.tier)).is_lt()
        });
        keeps && lower
    }
}

/// What is said of a solver that failed.
pub(super) fn set_aside(error: &Error, tier: &Tier) -> String {
    format!("{} ({tier} is left as it is)", error.cause)
}

/// Whether a variance is part of the tier.
fn curved(tier: &Tier) -> bool {
    tier.terms.iter().any(|part| matches!(part.term.shape(), GoalShape::Variance))
}

struct Step {
    bound: Option<Worth>,
    distances: Option<Vec<f64>>,
    /// Loads vary too much, and there are more chords now.
    broken: bool,
}

fn max(a: Option<Worth>, b: Option<Worth>) -> Option<Worth> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if b.order(a).is_gt() { b } else { a }),
        (a, b) => a.or(b),
    }
}

/// Adds the points that are not there yet; true when any was new.
fn add_points(points: &mut Vec<f64>, distances: Vec<f64>) -> bool {
    let before = points.len();
    for distance in distances {
        if points.iter().all(|known| (known - distance).abs() > 1e-6 * (1.0 + distance.abs())) {
            points.push(distance);
        }
    }
    points.len() > before
}

/// Whether a value is as good as its bound, up to `gap`.
pub(super) fn meets(value: Worth, bound: Worth, gap: f64) -> bool {
    value.meets(bound) || gap > 0.0 && value.over(bound) <= gap * value.near().abs()
}

/// A program's objective as a bound on the tier, lowered by what solvers'
/// tolerances may hide and raised to the next value that can occur.
fn safe_bound(instance: &Instance, tier: &Tier, objective: f64) -> Worth {
    let enough = |bound: Worth| match tier.enough {
        Some(enough) if enough > bound.near() => {
            Fraction::written(enough).map_or(Worth::real(enough), Worth::exact)
        }
        _ => bound,
    };
    if let Some(step) = counted(instance, tier) {
        let steps = Fraction::whole(whole_steps(objective));
        return enough(steps.times(step).map_or(Worth::real(f64::NEG_INFINITY), Worth::exact));
    }
    let value = objective / unit(instance, tier);
    let lowered = value - 1e-7 * value.abs();
    enough(match tier.only().map(Term::shape) {
        Some(GoalShape::Highest) => attainable_peak(instance, lowered),
        // Squares of percentages carry the tolerance of the rows behind them.
        Some(GoalShape::Variance) => Worth::real((lowered - 1e-12).max(0.0)),
        _ => Worth::real(lowered),
    })
}

/// The LP relaxation over classes as a bound on a tier, given that the earlier
/// tiers keep the values they have in `plan`. `None` when the tier has no
/// linear relaxation, the model is too large or time runs out.
///
/// # Errors
/// The solver is missing or fails.
pub fn relaxation(
    request: &Request,
    earlier: &[Tier],
    tier: &Tier,
    stop: &Stop,
) -> Result<Option<Worth>> {
    let instance = request.instance;
    let shape = Shape::relaxed(instance, request.classes, request.allow_unplaced);
    if curved(tier) || shape.size() > 20_000 || stop.reached() {
        return Ok(None);
    }
    let settled: Vec<Settled> = match &request.incumbent {
        Some(plan) => {
            earlier.iter().filter(|t| !curved(t)).map(|t| settle(instance, plan, t)).collect()
        }
        None => Vec::new(),
    };
    let Some(model) = Model::build(&shape, tier, &settled, &[], &Breaks::default()) else {
        return Ok(None);
    };
    let effort = Effort { time: stop.remaining(), gap: 0.0, seed: request.seed };
    let answer = solver::solve(request.backend, &model.program, None, effort)?;
    let bound = answer.bound.filter(|_| answer.complete && !answer.infeasible);
    Ok(bound.map(|bound| safe_bound(instance, tier, bound + model.offset)))
}
