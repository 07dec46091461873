//! Plans that survive every single failure: by the chosen method where its plan
//! happens to, else by the integer program with each failure's fallback in it.

use std::time::Instant;

use super::{Fate, Question, Survival, domains, survive};
use crate::bounds::{Bound, Bounds};
use crate::check::check_plan;
use crate::error::{Error, Kind, Result};
use crate::ilp::{self, Exact, Request};
use crate::metrics::goal_values;
use crate::model::{Ask, Classes, Instance, Plan, Survives};
use crate::solve::{Answer, Method, NoPlan, Outcome, Params, Watch, solve_watched, tier_outcome};

/// Plans the instance so that the tasks on whatever fails (`over`: each node, or all nodes with
/// one value of a label) have room on the others, where all else stays.
///
/// # Errors
/// A label that no node has, tasks that may stay unplaced, a method that cannot honour it on this
/// instance; a solver that is missing or fails.
pub fn solve_surviving(
    instance: &Instance,
    params: &Params,
    over: &str,
    watch: &Watch,
) -> Result<Answer> {
    if params.allow_unplaced {
        return Err(Error::usage("a plan that survives failures places every task")
            .help("leave out --allow-unplaced"));
    }
    let question = Question {
        domains: domains(instance, over)?,
        depth: 1,
        rearrange: false,
        solver: params.solver,
        seed: params.seed,
        time_limit: params.time_limit,
        threads: params.threads,
    };
    Hold { instance, params, over, question, watch, began: Instant::now() }.answer()
}

struct Hold<'a> {
    instance: &'a Instance,
    params: &'a Params,
    over: &'a str,
    question: Question,
    watch: &'a Watch<'a>,
    began: Instant,
}

impl Hold<'_> {
    fn answer(&self) -> Result<Answer> {
        let exact = matches!(self.params.method, Method::Auto | Method::Ilp);
        let lacks = self.lacks();
        if let (Method::Ilp, Some(lacks)) = (self.params.method, &lacks) {
            return Err(Error::usage(format!("--survive with --method ilp: {lacks}"))
                .help("another method may find a plan that survives, without a proof"));
        }
        let part = self.watch.stop.remaining() / if exact && lacks.is_none() { 4 } else { 2 };
        let params = Params { survive: None, ..self.params.clone() };
        let first = Watch::new(self.watch.stop.part(part), self.watch.log);
        let mut known: Option<Outcome> = None;
        let mut why = "it has not found any plan".to_owned();
        match solve_watched(self.instance, &params, &first)? {
            // Without a plan there is none that survives.
            Answer::NoPlan(none) if none.proven => return Ok(Answer::NoPlan(none)),
            Answer::NoPlan(none) => why = none.cause,
            Answer::Plan(mut outcome) => {
                let survival = self.let_fail(&outcome.plan)?;
                match self.fails(&survival) {
                    None => {
                        outcome.survives = Some(self.fallbacks(&survival));
                        known = Some(*outcome);
                    }
                    Some(fails) => why = fails,
                }
            }
        }
        // A plan that is the best of all plans is the best of those that survive.
        if known.as_ref().is_some_and(|known| known.optimal) || !exact {
            return Ok(known.map_or_else(|| self.not_found(&why, None), boxed));
        }
        match lacks.or_else(|| self.too_large()) {
            Some(lacks) => Ok(known.map_or_else(|| self.not_found(&why, Some(&lacks)), boxed)),
            None => self.exact(known),
        }
    }

    /// What the integer program does not know how to move.
    fn lacks(&self) -> Option<String> {
        let rule = self.instance.rules().iter().find(|rule| rule.ask != Ask::Gang);
        match (rule, self.instance.devices().first()) {
            (Some(rule), _) => Some(format!(
                "the integer program has no fallbacks under rules between tasks such as `{}`",
                rule.name
            )),
            (None, Some(device)) => Some(format!(
                "the integer program has no fallbacks for `{}`, which comes in cards",
                self.instance.resources()[device.resource].name
            )),
            (None, None) => None,
        }
    }

    fn too_large(&self) -> Option<String> {
        let variables = Classes::of(self.instance).variables();
        let size = variables.saturating_mul(self.question.domains.len() + 1);
        let most = self.params.solver.sensible_size();
        (matches!(self.params.method, Method::Auto) && size > most).then(|| {
            let solver = self.params.solver.name();
            format!("{size} count variables, `auto` gives {solver} at most {most}")
        })
    }

    fn let_fail(&self, plan: &Plan) -> Result<Survival> {
        let left = self.watch.stop.remaining();
        survive(self.instance, plan, &Question { time_limit: left, ..self.question.clone() })
    }

    /// The worst failure that is not survived, in words.
    fn fails(&self, survival: &Survival) -> Option<String> {
        let worst = survival.failures.first().filter(|failure| failure.fate != Fate::Survived);
        match (worst, survival.unexamined) {
            (None, 0) => None,
            (None, _) => Some("time ran out before all failures were looked at".to_owned()),
            (Some(failure), _) => {
                let name = &self.question.domains[failure.domains[0]].name;
                let many = failure.displaced.len();
                Some(match failure.fate {
                    Fate::Unknown => {
                        format!("no fallback was found in time for the {many} tasks on `{name}`")
                    }
                    _ => format!("when `{name}` fails, its {many} tasks have no place in its plan"),
                })
            }
        }
    }

    fn fallbacks(&self, survival: &Survival) -> Survives {
        let mut failures: Vec<_> = survival.failures.iter().collect();
        failures.sort_by(|a, b| a.domains.cmp(&b.domains));
        let named = failures.into_iter().map(|failure| {
            (self.question.domains[failure.domains[0]].name.clone(), failure.moves.clone())
        });
        Survives { over: self.over.to_owned(), fallbacks: named.collect() }
    }

    fn not_found(&self, why: &str, lacks: Option<&str>) -> Answer {
        let lacks = lacks.map(|lacks| format!("; {lacks}")).unwrap_or_default();
        Answer::NoPlan(NoPlan {
            proven: false,
            code: "not-found",
            cause: format!(
                "{} found no plan that survives each failure of {}: {why}{lacks}",
                self.params.method.name(),
                self.over
            ),
            remedy: "--method ilp looks for one exactly, where the instance has no rules between tasks and no cards; `survive` says what is lost".to_owned(),
        })
    }

    /// The integer program with the fallbacks of every failure.
    fn exact(&self, known: Option<Outcome>) -> Result<Answer> {
        let instance = self.instance;
        let classes = Classes::of(instance);
        let request = Request {
            instance,
            classes: &classes,
            goal: instance.goal(),
            allow_unplaced: false,
            backend: self.params.solver,
            gap: self.params.gap,
            seed: self.params.seed,
            incumbent: known.as_ref().map(|known| known.plan.clone()),
            bounds: Vec::new(),
            failures: self.question.domains.iter().map(|domain| domain.nodes.clone()).collect(),
        };
        let finding = ilp::solve(&request, &self.watch.stop)?;
        let solver = self.params.solver.name();
        if finding.exact == Exact::Infeasible {
            return Ok(Answer::NoPlan(NoPlan {
                proven: true,
                code: "survive",
                cause: format!(
                    "{solver} proved that no plan survives each failure of {}",
                    self.over
                ),
                remedy: "add nodes or capacity, or unpin tasks; `survive` says what a plan loses"
                    .to_owned(),
            }));
        }
        let Some(plan) = finding.plan else {
            return Ok(self.not_found("time ran out", None));
        };
        let survives = match &known {
            Some(known) if known.plan == plan => known.survives.clone(),
            _ => self.witness(&plan)?,
        };
        let Some(survives) = survives else {
            return Ok(self.not_found("time ran out before its fallbacks were found again", None));
        };
        let bounds = Bounds::of(instance);
        let mut goal = Vec::new();
        for (k, (tier, value)) in instance
            .goal()
            .tiers
            .iter()
            .zip(goal_values(instance, &plan, instance.goal()))
            .enumerate()
        {
            let found = finding.tiers.get(k).and_then(|tier| tier.bound);
            let proof = found.map(|bound| Bound::new(bound, format!("the ILP ({solver})")));
            let bound = bounds.tier(tier, 0);
            let bound = proof.map_or(bound.clone(), |proof| bound.max(proof));
            goal.push(tier_outcome(instance, tier, value.value, &bound)?);
        }
        let same = known.as_ref().filter(|known| known.plan == plan);
        let found_by = same.map_or(format!("the ILP ({solver})"), |known| known.found_by.clone());
        Ok(boxed(Outcome {
            method: self.params.method.name(),
            seed: self.params.seed,
            optimal: goal.iter().all(|tier| tier.gap == 0.0),
            goal,
            found_by,
            unplaced: Vec::new(),
            notes: finding.warnings,
            elapsed: self.began.elapsed(),
            trace: Vec::new(),
            tried: known.map(|known| known.tried).unwrap_or_default(),
            survives: Some(survives),
            plan,
            start: Vec::new(),
        }))
    }

    /// The fallbacks of a plan that has them by the integer program; none where time ran out.
    fn witness(&self, plan: &Plan) -> Result<Option<Survives>> {
        let survival = self.let_fail(plan)?;
        let broken = check_plan(self.instance, plan, false).first().map(ToString::to_string);
        let lost = survival.failures.iter().find(|failure| failure.fate == Fate::Lost);
        let lost = lost.and_then(|_| self.fails(&survival));
        match broken.or(lost) {
            Some(cause) => {
                let cause = format!("the integer program's plan does not survive: {cause}");
                Err(Error::new(Kind::Solver, cause).help("this is a bug: please report it"))
            }
            None => Ok(self.fails(&survival).is_none().then(|| self.fallbacks(&survival))),
        }
    }
}

fn boxed(outcome: Outcome) -> Answer {
    Answer::Plan(Box::new(outcome))
}
