//! Plans that survive every single failure, or have room for every standby: by the
//! chosen method where its plan happens to, else with room held back, else by the
//! integer program with each failure's fallback in it.

use std::time::Instant;

use super::domain::{domains, domains_for_standbys};
use super::{Fate, Loss, Question, Survival, room, survive_beside};
use crate::solve::{Answer, Method, NoPlan, Outcome, Params, Watch, planning, solve_watched};
use base::error::{Error, Kind, Result};
use base::stop::Stop;
use base::threads;
use engines::bounds::Bounds;
use ilp::{self, Exact, Request};
use judge::check::check_plan;
use judge::metrics::goal_values;
use judge::proof::{Bound, Proof};
use model::state::State;
use model::{Classes, Fallback, Instance, NODE, Plan, Rule, Survives, TierValue};

/// Plans the instance: with what [`Params::survive`] asks for, and with a standby for every task
/// that is to have one. What is survived (`over`: each node, or all nodes with one value of a label)
/// leaves the tasks there room on the others, where all else stays.
///
/// # Errors
/// As for [`solve_watched`]; a label that no node has, tasks that may stay unplaced, a method that
/// cannot honour it on this instance.
pub fn plan_watched(instance: &Instance, params: &Params, watch: &Watch) -> Result<Answer> {
    let mut backups = instance.backups();
    // A node that fails by itself is part of what its label's value takes along. Less has to go
    // elsewhere then, so room is no question; but rules see those that stay, and where standbys are
    // over several labels more of them take over.
    let rules = rule_about_places(instance).is_some();
    if !backups.is_empty() && !backups.contains(&NODE) && (rules || backups.len() > 1) {
        backups.push(NODE);
    }
    let (over, guard) = match &params.survive {
        None if backups.is_empty() => return solve_watched(instance, params, watch),
        None => (backups, true),
        Some(over) if backups.is_empty() => (vec![over.as_str()], false),
        Some(_) => {
            let cause = "--survive gives every task a fallback, and some ask for a standby";
            return Err(Error::usage(cause).help("use one of the two"));
        }
    };
    if instance.is_timed() {
        let cause = "plans in time survive no failures and have no standbys yet";
        return Err(Error::usage(cause).help("choose a goal that is not about time, such as peak"));
    }
    if params.allow_unplaced {
        return Err(Error::usage("a plan that survives failures places every task")
            .help("leave out --allow-unplaced"));
    }
    let question = |over: &&str| -> Result<Question> {
        Ok(Question {
            domains: if guard {
                domains_for_standbys(instance, over)?
            } else {
                domains(instance, over)?
            },
            depth: 1,
            rearrange: false,
            guard: guard.then(|| (*over).to_owned()),
            solver: params.solver,
            seed: params.seed,
            time_limit: params.time_limit,
            threads: None,
        })
    };
    let questions = over.iter().map(question).collect::<Result<Vec<_>>>()?;
    let plain = if guard { instance.without_backups() } else { instance.clone() };
    let over = over.join(", ");
    // One pool for all that is asked of it.
    let own = Params { threads: None, ..params.clone() };
    let began = Instant::now();
    let hold = Hold { instance, plain, params: &own, over, questions, watch, began };
    threads::on(params.threads, || hold.answer())
}

/// The first rule that says something about where tasks are.
fn rule_about_places(instance: &Instance) -> Option<&Rule> {
    instance.rules().iter().find(|rule| rule.has_places())
}

/// Likewise, with nobody looking on.
///
/// # Errors
/// As for [`plan_watched`].
pub fn plan(instance: &Instance, params: &Params) -> Result<Answer> {
    let stop = planning(instance, &Stop::after(params.time_limit));
    plan_watched(instance, params, &Watch::new(stop, &|_| {}))
}

pub(super) struct Hold<'a> {
    pub(super) instance: &'a Instance,
    /// The instance without standbys.
    pub(super) plain: Instance,
    pub(super) params: &'a Params,
    over: String,
    /// What fails; standbys over labels come before those over nodes.
    pub(super) questions: Vec<Question>,
    pub(super) watch: &'a Watch<'a>,
    began: Instant,
}

/// A plan with all that is asked of it.
pub(super) struct Held {
    pub(super) plan: Plan,
    pub(super) found_by: String,
    pub(super) values: Vec<TierValue>,
    survives: Option<Survives>,
    standbys: Vec<Fallback>,
}

/// What came of a plan when everything failed in turn.
pub(super) enum Trial {
    Holds(Held),
    /// It does not, or that was not found out; why.
    Fails(String),
}

impl Hold<'_> {
    fn answer(&self) -> Result<Answer> {
        let exact = matches!(self.params.method, Method::Auto | Method::Ilp);
        let lacks = self.lacks();
        if let (Method::Ilp, Some(lacks)) = (self.params.method, &lacks) {
            return Err(Error::usage(format!("fallbacks with --method ilp: {lacks}"))
                .help("another method may find a plan that survives, without a proof"));
        }
        let part = self.watch.stop.remaining() / if exact && lacks.is_none() { 4 } else { 3 };
        let params = Params { survive: None, ..self.params.clone() };
        let first = Watch::new(self.watch.stop.part(part), self.watch.log);
        let mut known: Option<Held> = None;
        let mut why = "it has not found any plan".to_owned();
        let mut first_tier = None;
        match solve_watched(&self.plain, &params, &first)? {
            // Without a plan there is none that survives.
            Answer::NoPlan(none) if none.proven => return Ok(Answer::NoPlan(none)),
            Answer::NoPlan(none) => why = none.cause,
            Answer::Plan(mut outcome) => match self.trial(&outcome.plan, &outcome.found_by)? {
                // A plan that is the best of all plans is the best of those that survive.
                Trial::Holds(held) if outcome.optimal || !exact => {
                    outcome.plan = held.plan;
                    outcome.survives = held.survives;
                    outcome.standbys = held.standbys;
                    outcome.elapsed = self.began.elapsed();
                    return Ok(Answer::Plan(outcome));
                }
                Trial::Holds(held) => known = Some(held),
                Trial::Fails(fails) => {
                    why = fails;
                    let tier = outcome.goal.first();
                    first_tier = tier.map(|tier| tier.limit());
                }
            },
        }
        if known.is_none() && !matches!(self.params.method, Method::Ilp) {
            let exact = exact && lacks.is_none() && self.too_large().is_none();
            let part = self.watch.stop.remaining() / if exact { 3 } else { 1 };
            known = room::with_room(self, &self.watch.stop.part(part))?;
        }
        let lacks = lacks.or_else(|| self.too_large());
        if let (true, None) = (exact, &lacks) {
            return self.exact(known);
        }
        match known {
            Some(held) => {
                let bounds = self.bounds(first_tier);
                Ok(Answer::Plan(Box::new(self.outcome(held, &bounds, Vec::new())?)))
            }
            None => Ok(self.not_found(&why, lacks.as_deref().filter(|_| exact))),
        }
    }

    /// What the integer program does not know how to move.
    fn lacks(&self) -> Option<String> {
        let rule = rule_about_places(self.instance);
        let device = self.instance.devices().first();
        match (rule, device) {
            (Some(rule), _) => Some(format!(
                "the integer program has no fallbacks under rules between tasks such as `{}`",
                rule.name
            )),
            (None, Some(device)) => Some(format!(
                "the integer program has no fallbacks for `{}`, which comes in cards",
                self.instance.resources()[device.resource].name
            )),
            (None, None) if self.questions.len() > 1 => {
                Some("the integer program has standbys over one label, or over nodes".to_owned())
            }
            (None, None) => None,
        }
    }

    fn too_large(&self) -> Option<String> {
        let variables = Classes::of(self.instance).variables();
        let failures: usize = self.questions.iter().map(|question| question.domains.len()).sum();
        let size = variables.saturating_mul(failures + 1);
        let most = self.params.solver.sensible_size();
        (matches!(self.params.method, Method::Auto) && size > most).then(|| {
            let solver = self.params.solver.name();
            format!("{size} count variables, `auto` gives {solver} at most {most}")
        })
    }

    /// Lets everything fail in turn.
    pub(super) fn trial(&self, plan: &Plan, found_by: &str) -> Result<Trial> {
        // One found for an instance that differs a little may not hold for this one.
        if let Some(broken) = check_plan(self.instance, plan, false).first() {
            return Ok(Trial::Fails(format!("the plan of {found_by} breaks a rule: {broken}")));
        }
        let mut standbys: Vec<Fallback> = Vec::new();
        let mut survives = None;
        for question in &self.questions {
            let question = Question { time_limit: self.watch.stop.remaining(), ..question.clone() };
            let survival = survive_beside(self.instance, plan, &question, &standbys)?;
            if let Some(fails) = fails(&question, &survival) {
                return Ok(Trial::Fails(fails));
            }
            match question.guard {
                None => survives = Some(self.fallbacks(&question, &survival)),
                Some(_) => {
                    let moves = survival.failures.iter().flat_map(|failure| &failure.moves);
                    standbys.extend(moves.cloned());
                }
            }
        }
        standbys.sort_by_key(|standby| standby.task);
        Ok(Trial::Holds(Held {
            // The cards that the fallbacks leave alone.
            plan: State::load_plan(self.instance, plan).unload(),
            found_by: found_by.to_owned(),
            values: goal_values(self.instance, plan, self.instance.goal()),
            survives,
            standbys,
        }))
    }

    fn fallbacks(&self, question: &Question, survival: &Survival) -> Survives {
        let mut failures: Vec<_> = survival.failures.iter().collect();
        failures.sort_by(|a, b| a.domains.cmp(&b.domains));
        let named = failures.into_iter().map(|failure| {
            (question.domains[failure.domains[0]].name.clone(), failure.moves.clone())
        });
        Survives { over: self.over.clone(), fallbacks: named.collect() }
    }

    /// What is asked, in words.
    fn asked(&self) -> String {
        if self.questions.iter().any(|question| question.guard.is_some()) {
            "has room for every standby".to_owned()
        } else {
            format!("survives each failure of {}", self.over)
        }
    }

    fn not_found(&self, why: &str, lacks: Option<&str>) -> Answer {
        let lacks = lacks.map(|lacks| format!("; {lacks}")).unwrap_or_default();
        let method = self.params.method.name();
        Answer::NoPlan(NoPlan {
            proven: false,
            code: "not-found",
            cause: format!("{method} found no plan that {}: {why}{lacks}", self.asked()),
            remedy: "--method ilp looks for one exactly, where the instance has no rules between tasks and no cards; `survive` says what is lost".to_owned(),
        })
    }

    /// Bounds on every plan, which hold for those that survive too.
    fn bounds(&self, first: Option<Bound>) -> Vec<Bound> {
        let known = Bounds::of(&self.plain);
        let tiers = self.instance.goal().tiers.iter().map(|tier| known.tier(tier, 0));
        let mut bounds: Vec<Bound> = tiers.collect();
        if let (Some(bound), Some(first)) = (bounds.first_mut(), first) {
            *bound = bound.clone().max(first);
        }
        bounds
    }

    fn outcome(&self, held: Held, bounds: &[Bound], notes: Vec<String>) -> Result<Outcome> {
        let tiers = self.instance.goal().tiers.iter().zip(&held.values).zip(bounds);
        let goal = tiers
            .map(|((tier, value), bound)| Proof::of(&self.plain, tier, value.worth(), bound))
            .collect::<Result<Vec<Proof>>>()?;
        Ok(Outcome {
            method: self.params.method.name(),
            seed: self.params.seed,
            optimal: goal.iter().all(|tier| tier.gap == 0.0),
            goal,
            found_by: held.found_by,
            unplaced: Vec::new(),
            notes,
            elapsed: self.began.elapsed(),
            trace: Vec::new(),
            tried: Vec::new(),
            survives: held.survives,
            standbys: held.standbys,
            plan: held.plan,
            start: Vec::new(),
        })
    }

    /// The integer program with the fallbacks of every failure.
    fn exact(&self, known: Option<Held>) -> Result<Answer> {
        let instance = &self.instance;
        let classes = Classes::of(instance);
        let failures = self.questions.iter().flat_map(|question| {
            let guard = &question.guard;
            let each = question.domains.iter();
            each.map(|domain| ilp::Failure { nodes: domain.nodes.clone(), guard: guard.clone() })
        });
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
            failures: failures.collect(),
        };
        let finding = ilp::solve(&request, &self.watch.stop)?;
        let solver = self.params.solver.name();
        if finding.exact == Exact::Infeasible {
            return Ok(Answer::NoPlan(NoPlan {
                proven: true,
                code: "survive",
                cause: format!("{solver} proved that no plan {}", self.asked()),
                remedy: "add nodes or capacity, or unpin tasks; `survive` says what a plan loses"
                    .to_owned(),
            }));
        }
        let Some(plan) = finding.plan else {
            let failed = finding.warnings.first().map_or("time ran out", String::as_str);
            return Ok(self.not_found(failed, None));
        };
        let found_by = format!("the ILP ({solver})");
        let held = match known {
            Some(known) if known.plan.placement == plan.placement => known,
            known => match self.trial(&plan, &found_by)? {
                Trial::Holds(held) => held,
                Trial::Fails(_) if self.watch.stop.reached() => {
                    let why = "time ran out before its fallbacks were found again";
                    return Ok(self.not_found(why, None));
                }
                // Its fallbacks are those of means: what it bounds holds, what it finds may not.
                Trial::Fails(cause) if instance.kept_risk().is_some() => match known {
                    Some(known) => known,
                    None => {
                        let why = format!("{cause}, as demands vary in the plan of {found_by}");
                        return Ok(self.not_found(&why, None));
                    }
                },
                Trial::Fails(cause) => {
                    let cause = format!("the integer program's plan does not survive: {cause}");
                    return Err(
                        Error::new(Kind::Solver, cause).help("this is a bug: please report it")
                    );
                }
            },
        };
        if let Some(broken) = check_plan(instance, &held.plan, false).first() {
            let cause = format!("the plan of {} breaks a rule: {broken}", held.found_by);
            return Err(Error::new(Kind::Solver, cause).help("this is a bug: please report it"));
        }
        let tiers = &instance.goal().tiers;
        let proofs = finding.tiers.iter().enumerate().map(|(k, tier)| {
            // Later tiers' are for plans that keep what its own reaches in the earlier ones.
            let keeps = ilp::no_worse(instance, &tiers[..k], &held.plan, &plan);
            let bound = tier.bound.filter(|_| keeps);
            bound.map(|bound| Bound::new(bound, format!("the ILP ({solver})")))
        });
        let mut bounds = self.bounds(None);
        for (bound, proof) in bounds.iter_mut().zip(proofs) {
            *bound = proof.map_or(bound.clone(), |proof| bound.clone().max(proof));
        }
        Ok(Answer::Plan(Box::new(self.outcome(held, &bounds, finding.warnings)?)))
    }
}

/// The worst failure that is not survived, in words.
fn fails(question: &Question, survival: &Survival) -> Option<String> {
    let worst = survival.failures.first().filter(|failure| failure.fate != Fate::Survived);
    match (worst, survival.unexamined) {
        (None, 0) => None,
        (None, _) => Some("time ran out before all failures were looked at".to_owned()),
        (Some(failure), _) => {
            let name = &question.domains[failure.domains[0]].name;
            if let Some(Loss::Standbys(wrong)) = &failure.proof {
                return Some(format!(
                    "when `{name}` fails, its tasks' standbys break a rule: {wrong}"
                ));
            }
            let many = failure.displaced.len();
            let tasks = match (many, &question.guard) {
                (1, None) => "its task has".to_owned(),
                (1, Some(_)) => "the standby of its task has".to_owned(),
                (many, None) => format!("its {many} tasks have"),
                (many, Some(_)) => format!("the standbys of {many} of its tasks have"),
            };
            Some(match failure.fate {
                Fate::Unknown => {
                    format!("no fallback was found in time for {many} tasks on `{name}`")
                }
                _ => format!("when `{name}` fails, {tasks} no place in its plan"),
            })
        }
    }
}
