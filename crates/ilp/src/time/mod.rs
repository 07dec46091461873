//! The exact method for goals about time: a time-indexed integer program, tier by tier.

mod form;
mod limits;
mod point;
mod rows;
mod starts;
mod table;
#[cfg(test)]
mod tests;

use super::margins::HIDDEN;
use super::objective::{tolerance, whole_steps};
use super::solver::{self, Answer, Backend, Effort};
use super::tiers::{Exact, TierFinding, meets, set_aside};
use base::error::{Error, Result};
use base::stop::Stop;
use form::Form;
use judge::check::check_schedule;
use judge::metrics::{step, timed_values};
use model::{Goal, Instance, Schedule, Shape, Term, Tier, Worth};
use rows::{Built, Model};
use table::Table;

/// What to solve.
pub struct TimedRequest<'a> {
    /// The problem; its goal is about time.
    pub instance: &'a Instance,
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
    /// A schedule that holds, to begin from: what is worse is not looked for.
    pub incumbent: Option<Schedule>,
}

/// The outcome of the exact method in time.
#[derive(Clone, Debug)]
pub struct TimedFinding {
    /// The best schedule known, the incumbent included.
    pub schedule: Option<Schedule>,
    /// Per tier, as far as the method came.
    pub tiers: Vec<TierFinding>,
    /// What happened.
    pub exact: Exact,
    /// Things a person should know, such as a solver's answer that did not hold.
    pub warnings: Vec<String>,
}

/// What the program in time does not know of the instance.
pub fn time_objection(instance: &Instance) -> Option<String> {
    if let Some(rule) = instance.rules().iter().find(|rule| rule.has_places() || rule.as_one) {
        return Some(format!("rules between tasks (`{}`: {})", rule.name, rule.ask));
    }
    if !instance.devices().is_empty() {
        return Some("resources that come in cards".to_owned());
    }
    if instance.node_ids().any(|node| !instance.ending(node).is_empty()) {
        return Some("load on nodes that ends (`ending`)".to_owned());
    }
    if instance.kept_risk().is_some() {
        return Some("demands that vary (--risk)".to_owned());
    }
    if instance.has_transient() {
        return Some("transient resources".to_owned());
    }
    // It has only starts that are of use where starting later never is.
    let known = |term: &Term| match term.shape() {
        Shape::LastEnd | Shape::Seconds(_) | Shape::Prices(_) => term.joins_time(),
        _ => false,
    };
    let mut terms = instance.goal().terms();
    terms.find(|term| !known(term)).map(|term| format!("the goal `{term}` in time"))
}

/// Solves every tier of the goal exactly, within the time that `stop` leaves.
///
/// # Errors
/// What the program does not know; a program too large for the solver; the solver is missing.
/// Where it fails, that is a warning.
pub fn solve_timed(request: &TimedRequest, stop: &Stop) -> Result<TimedFinding> {
    request.backend.ensure()?;
    if let Some(what) = time_objection(request.instance) {
        let cause = format!("the integer program in time does not know {what}");
        return Err(Error::usage(cause).help("use --method auto, or leave it out"));
    }
    let pairs = request.instance.tasks().saturating_mul(request.instance.nodes());
    if pairs > PAIRS {
        return Err(too_large(request, pairs, "pairs of a task and a node", PAIRS));
    }
    let table = Table::new(request.instance, request.allow_unplaced);
    let mut run = Run {
        request,
        table: &table,
        settled: Vec::new(),
        finding: TimedFinding {
            schedule: request.incumbent.clone(),
            tiers: Vec::new(),
            exact: Exact::Complete,
            warnings: Vec::new(),
        },
    };
    for (k, tier) in request.goal.tiers.iter().enumerate() {
        let left = (request.goal.tiers.len() - k) as u32;
        run.tier(tier, &stop.part(stop.remaining() / left.max(1)))?;
        match run.value(tier) {
            Some(value) if run.finding.exact != Exact::Infeasible => {
                run.settled.push((tier, value));
            }
            _ => break,
        }
    }
    Ok(run.finding)
}

/// Beyond, not even columns are counted.
const PAIRS: usize = 1_000_000;

fn too_large(request: &TimedRequest, size: usize, of: &str, most: usize) -> Error {
    let cause = format!(
        "the integer program in time is too large: {size} {of} or more, and {} is given {most} at most",
        request.backend.name()
    );
    let larger = Backend::Cbc.sensible_size();
    let other = if request.backend.sensible_size() < larger && most < larger {
        format!("; highs, cbc, gurobi and scip take {larger} (--solver)")
    } else {
        String::new()
    };
    Error::usage(cause).help(format!("use --method auto{other}"))
}

/// One solve on its way.
struct Run<'a> {
    request: &'a TimedRequest<'a>,
    table: &'a Table<'a>,
    /// The tiers so far and what they reached.
    settled: Vec<(&'a Tier, Worth)>,
    finding: TimedFinding,
}

impl<'a> Run<'a> {
    fn worth(&self, schedule: &Schedule, tier: &Tier) -> Worth {
        let goal = Goal { tiers: vec![tier.clone()] };
        timed_values(self.request.instance, schedule, &goal)[0].worth()
    }

    /// What the best schedule reaches in the tier.
    fn value(&self, tier: &Tier) -> Option<Worth> {
        self.finding.schedule.as_ref().map(|schedule| self.worth(schedule, tier))
    }

    fn tier(&mut self, tier: &Tier, stop: &Stop) -> Result<()> {
        let known = self.value(tier);
        let most = self.request.backend.sensible_size();
        let model = match Model::build(self.table, tier, &self.settled, known, most) {
            Built::Model(model) => model,
            Built::TooLarge(size) => {
                return Err(too_large(self.request, size, "columns or rows", most));
            }
            Built::Impossible => {
                self.infeasible(tier);
                return Ok(());
            }
        };
        let form = model.form(tier);
        let mut program = model.program.clone();
        for (col, a) in &form.terms {
            program.columns[*col as usize].cost = a / form.step;
        }
        let start = self.finding.schedule.as_ref().and_then(|known| model.start(known));
        if let Some(point) = &start {
            debug_assert!(
                program.violation(point) < 1e-6,
                "a schedule that holds misses the program by {}",
                program.violation(point)
            );
        }
        let mut bound = None;
        if !stop.reached() {
            let (gap, seed) = (self.request.gap, self.request.seed);
            let effort = Effort { time: stop.remaining(), gap, seed };
            let answer = solver::solve(self.request.backend, &program, start.as_deref(), effort);
            let answer = answer.unwrap_or_else(|error| {
                self.finding.warnings.push(set_aside(&error, tier));
                Answer::default()
            });
            if answer.infeasible {
                self.infeasible(tier);
                return Ok(());
            }
            let objective = |schedule: &Schedule| Some(program.objective(&model.start(schedule)?));
            bound = self.digest(tier, &form, &model, &answer, &objective);
        }
        let met = match (self.value(tier), bound) {
            (Some(value), Some(bound)) => meets(value, bound, self.request.gap),
            _ => false,
        };
        if !met {
            self.finding.exact = Exact::Partial;
        }
        self.finding.tiers.push(TierFinding { bound });
        Ok(())
    }

    /// A solver that finds nothing although a schedule is known is wrong.
    fn infeasible(&mut self, tier: &Tier) {
        if self.finding.schedule.is_none() {
            self.finding.exact = Exact::Infeasible;
            return;
        }
        self.finding.exact = Exact::Partial;
        self.finding.tiers.push(TierFinding { bound: None });
        self.finding.warnings.push(format!(
            "{} called the {tier} program infeasible although a schedule is known; its answer was set aside",
            self.request.backend.name()
        ));
    }

    /// Takes an answer apart: the schedule if it holds and is better, the bound if nothing about
    /// the answer is doubtful.
    fn digest(
        &mut self,
        tier: &Tier,
        form: &Form,
        model: &Model,
        answer: &Answer,
        objective: &dyn Fn(&Schedule) -> Option<f64>,
    ) -> Option<Worth> {
        let (instance, solver) = (self.request.instance, self.request.backend.name());
        let mut bound = answer.bound;
        if let Some(point) = &answer.point {
            let allow = self.request.allow_unplaced;
            let holds = |s: &Schedule| check_schedule(instance, s, allow).is_empty();
            let Some(schedule) = model.schedule(point).filter(holds) else {
                self.finding.warnings.push(format!(
                    "{solver}'s answer for {tier} breaks a rule when counted in whole numbers; it was set aside"
                ));
                return None;
            };
            if answer.complete && bound.is_none() {
                bound = objective(&schedule);
            }
            if self.better(&schedule, tier) {
                self.finding.schedule = Some(schedule);
            }
        }
        let safe = safe_bound(instance, tier, form, bound?);
        let value = self.value(tier);
        // No proof can lie above a schedule that holds: then the solver is wrong.
        if value.is_some_and(|value| safe.contradicts(value)) {
            self.finding.warnings.push(format!(
                "{solver} states a bound above the value of a known schedule; it was set aside"
            ));
            return None;
        }
        Some(safe)
    }

    /// Better in this tier and no worse in the earlier ones.
    fn better(&self, schedule: &Schedule, tier: &Tier) -> bool {
        let keeps = self
            .settled
            .iter()
            .all(|(earlier, value)| self.worth(schedule, earlier).at_most(*value));
        let worth = self.worth(schedule, tier);
        keeps && self.value(tier).is_none_or(|known| worth.order(known).is_lt())
    }
}

/// A program's objective as a bound on the tier, lowered by what solvers' tolerances may hide and
/// raised to the next value that can occur.
fn safe_bound(instance: &Instance, tier: &Tier, form: &Form, objective: f64) -> Worth {
    let steps =
        if form.whole { whole_steps(objective) as f64 } else { objective - tolerance(objective) };
    let value = tier.worth((steps * form.step + form.constant) / form.unit);
    let lowered = if form.whole { value } else { value - HIDDEN * value.abs() };
    Worth::real(lowered).raised(step(instance, tier))
}
