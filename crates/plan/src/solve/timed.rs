//! Plans in time: the way to [`engines::schedule`] and to the integer program, and back.

use std::sync::Mutex;
use std::time::Instant;

use super::start::SET_ASIDE;
use super::{Answer, Method, NoPlan, Outcome, Params, Unplaced, Watch, judged};
use base::error::{Error, Result};
use base::stop::Stop;
use engines::schedule::{self, Given};
use ilp::{self, Exact, TimedRequest};
use judge::check::check_schedule;
use judge::metrics::timed_values;
use judge::proof::{Bound, Proof};
use model::{Goal, Instance, Schedule};

/// Plans an instance whose goal is about time.
///
/// # Errors
/// Methods and settings that plan without time; what [`schedule::solve`] and
/// [`ilp::solve_timed`] refuse; a schedule that breaks a rule, which is a bug.
pub(super) fn answer(instance: &Instance, params: &Params, watch: &Watch) -> Result<Answer> {
    let run = Run { instance, params, watch, began: Instant::now() };
    match method(instance, params.method)? {
        Some(method) => match run.search(method, params.work_limit, &watch.stop)? {
            schedule::Answer::None { proven, cause, remedy } => Ok(none(proven, cause, remedy)),
            schedule::Answer::Schedule(found) => run.finish(run.outcome(*found)),
        },
        None => run.exact(),
    }
}

/// The method as it is called in time; none for the integer program.
fn method(instance: &Instance, method: Method) -> Result<Option<schedule::Method>> {
    match method {
        Method::Auto | Method::Search => Ok(Some(schedule::Method::Auto)),
        Method::Queue(queue) => Ok(Some(schedule::Method::Queue(queue))),
        Method::Ilp => Ok(None),
        Method::Policy(_) => {
            let names: Vec<&str> = schedule::Method::all().iter().map(|(name, _)| *name).collect();
            let cause = format!(
                "the goal `{}` is about time, and `{}` plans without it",
                instance.goal(),
                method.name()
            );
            Err(Error::usage(cause)
                .help(format!("methods that plan in time are {}, ilp", names.join(", "))))
        }
    }
}

fn none(proven: bool, cause: String, remedy: String) -> Answer {
    let code = if proven { "time" } else { "not-found" };
    Answer::NoPlan(NoPlan { proven, code, cause, remedy })
}

/// Work units after which the integer program gets the schedule that search has by then.
const START_WORK: u64 = 1_000_000;

/// One solve on its way.
struct Run<'a> {
    instance: &'a Instance,
    params: &'a Params,
    watch: &'a Watch<'a>,
    began: Instant,
}

impl Run<'_> {
    /// The goal, with what is left out first where that may be.
    fn goal(&self) -> Goal {
        match self.params.allow_unplaced {
            true => self.instance.goal().with_unplaced_first(&self.instance.priorities()),
            false => self.instance.goal().clone(),
        }
    }

    fn search(
        &self,
        method: schedule::Method,
        work_limit: Option<u64>,
        stop: &Stop,
    ) -> Result<schedule::Answer> {
        let settings = schedule::Params {
            method,
            time_limit: self.params.time_limit,
            work_limit,
            gap: self.params.gap,
            seed: self.params.seed,
            threads: self.params.threads,
            allow_unplaced: self.params.allow_unplaced,
            start: self.params.start.as_ref().map(|start| given(self.instance, start)),
        };
        // One schedule is told after the other, from whatever thread found it.
        let told = Mutex::new(());
        let mut tell = |found: schedule::Outcome| {
            let Ok(_one) = told.lock() else { return };
            self.watch.show(&self.outcome(found));
        };
        schedule::solve_until(self.instance, &settings, stop, &mut tell)
    }

    /// The integer program, from what a short search finds. It proves every tier itself.
    fn exact(&self) -> Result<Answer> {
        let (instance, params) = (self.instance, self.params);
        let goal = self.goal();
        let work = params.work_limit.map_or(START_WORK, |limit| limit.min(START_WORK));
        let stop = self.watch.stop.part(self.watch.stop.remaining() / 4);
        let known = match self.search(schedule::Method::Auto, Some(work), &stop)? {
            schedule::Answer::None { proven: true, cause, remedy } => {
                return Ok(none(true, cause, remedy));
            }
            schedule::Answer::None { .. } => None,
            schedule::Answer::Schedule(found) => Some(found),
        };
        let request = TimedRequest {
            instance,
            goal: &goal,
            allow_unplaced: params.allow_unplaced,
            backend: params.solver,
            gap: params.gap,
            seed: params.seed,
            incumbent: known.as_ref().map(|known| known.schedule.clone()),
        };
        let finding = ilp::solve_timed(&request, &self.watch.stop)?;
        let solver = format!("the ILP ({})", params.solver.name());
        let Some(schedule) = finding.schedule else {
            let proven = finding.exact == Exact::Infeasible;
            let (cause, remedy) = match proven {
                true => (
                    format!("{} proved that no schedule places every task", params.solver.name()),
                    "give later deadlines, or use --allow-unplaced",
                ),
                false => (
                    format!(
                        "no schedule was found in time, and none was proven impossible{}",
                        finding.warnings.iter().map(|why| format!("; {why}")).collect::<String>()
                    ),
                    "raise --time-limit, choose another --solver, or accept --allow-unplaced",
                ),
            };
            return Ok(none(proven, cause, remedy.to_owned()));
        };
        let tiers = goal.tiers.iter().zip(timed_values(instance, &schedule, &goal));
        let tiers = tiers.enumerate().map(|(k, (tier, value))| {
            // What search proves, it proves of every schedule that keeps the earlier tiers.
            let counted = known.as_ref().and_then(|known| known.goal.get(k));
            let counted = counted.map(Proof::limit);
            let found = finding.tiers.get(k).and_then(|tier| tier.bound);
            let found = found.map(|bound| Bound::new(bound, solver.clone()));
            let nothing = || Bound::real(0.0, "nothing yet");
            let bound = match (found, counted) {
                (Some(found), Some(counted)) => found.max(counted),
                (found, counted) => found.or(counted).unwrap_or_else(nothing),
            };
            Proof::of(instance, tier, value.worth(), &bound)
        });
        let goal: Vec<Proof> = tiers.collect::<Result<_>>()?;
        let same = known.as_ref().filter(|known| known.schedule == schedule);
        let found_by = same.map_or(solver, |known| known.found_by.clone());
        let set_aside = known.as_ref().is_some_and(|known| known.set_aside);
        let reasons = known.map(|known| known.unplaced).unwrap_or_default();
        let left = schedule.plan.unplaced().map(|task| {
            let known = reasons.iter().find(|(other, _)| *other == task);
            let why = known.map_or("what runs leaves no room for it in time", |(_, why)| why);
            (task, why.to_owned())
        });
        let found = schedule::Outcome {
            goal: Vec::new(),
            optimal: goal.iter().all(|tier| tier.gap == 0.0),
            found_by,
            unplaced: left.collect(),
            work: 0,
            set_aside,
            schedule,
        };
        let optimal = found.optimal;
        let mut outcome = Outcome { goal, optimal, ..self.outcome(found) };
        outcome.notes.extend(finding.warnings);
        self.finish(outcome)
    }

    /// The answer, once the checker agrees.
    fn finish(&self, outcome: Outcome) -> Result<Answer> {
        let mut outcome = judged(self.instance, self.params, outcome)?;
        self.watch.note(&outcome);
        outcome.trace = self.watch.trace();
        Ok(Answer::Plan(Box::new(outcome)))
    }

    /// The answer in the shape of one without time.
    fn outcome(&self, found: schedule::Outcome) -> Outcome {
        let left = found.unplaced.into_iter();
        let left = left.map(|(task, detail)| Unplaced { task, reason: "time", detail });
        Outcome {
            method: self.params.method.name(),
            seed: self.params.seed,
            plan: found.schedule.plan,
            start: found.schedule.start,
            optimal: found.optimal,
            goal: found.goal,
            found_by: found.found_by,
            unplaced: left.collect(),
            notes: found.set_aside.then(|| SET_ASIDE.to_owned()).into_iter().collect(),
            elapsed: self.began.elapsed(),
            trace: Vec::new(),
            tried: Vec::new(),
            survives: None,
            standbys: Vec::new(),
        }
    }
}

/// A start, with whether it can stand as it is: it breaks no rule and names the cards.
fn given(instance: &Instance, start: &Schedule) -> Given {
    let dealt = instance.devices().is_empty() || !start.plan.cards.is_empty();
    let holds = dealt && check_schedule(instance, start, true).is_empty();
    Given { schedule: start.clone(), holds }
}
