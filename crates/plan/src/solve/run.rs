//! The work behind [`super::solve`], step by step.

use std::time::Instant;

use super::improve::Searched;
use super::reasons::{impossible_answer, left_out, notes};
use super::start::SET_ASIDE;
use super::{Answer, Method, NoPlan, Outcome, Params, Tried, Watch, judged, search_lacks};
use base::error::{Error, Result};
use engines::bounds::{Bounds, impossible};
use engines::policy::{self, Choice, Settings, Start, multi_start};
use engines::search;
use ilp::{self, Backend, Exact, Request};
use judge::check::check_plan;
use judge::metrics::goal_values;
use judge::proof::{Bound, Proof, proven};
use model::state::State;
use model::{Classes, Goal, Instance, Plan, Shape, Term};

/// One solve on its way.
pub(super) struct Run<'a> {
    pub(super) instance: &'a Instance,
    pub(super) params: &'a Params,
    pub(super) watch: &'a Watch<'a>,
    began: Instant,
    pub(super) bounds: Bounds<'a>,
    pub(super) goal: Goal,
    /// Search is asked for and can take the instance on.
    pub(super) searches: bool,
    /// What searches for the first tier alone.
    pub(super) engine: Option<&'static search::Engine>,
    /// It has done so, from a plan or to a plan that leaves nothing out.
    pub(super) searched: bool,
    notes: Vec<String>,
    tried: Vec<Tried>,
}

/// The best plan so far and who found it.
pub(super) struct Incumbent {
    pub(super) plan: Plan,
    pub(super) found_by: String,
}

impl<'a> Run<'a> {
    pub(super) fn new(instance: &'a Instance, params: &'a Params, watch: &'a Watch<'a>) -> Run<'a> {
        let goal = if params.allow_unplaced {
            instance.goal().with_unplaced_first(&instance.priorities())
        } else {
            instance.goal().clone()
        };
        let searches = match params.method {
            Method::Auto | Method::Search => search_lacks(instance).is_none(),
            Method::Ilp | Method::Policy(_) | Method::Queue(_) => false,
        };
        let bounds = Bounds::of(instance);
        // Engines look for plans that leave nothing out: of use where there are some, and where
        // none that leaves something out is as good in the tiers before.
        let whole = |engine: &&search::Engine| {
            let weigh = |task| instance.drop_weight(task) > 0;
            !params.allow_unplaced
                || engine.term == Term::Peak
                    && instance.task_ids().all(weigh)
                    && impossible(instance, &bounds).is_none()
        };
        let engine = if searches { search::engine(instance).filter(whole) } else { None };
        Run {
            instance,
            params,
            watch,
            began: Instant::now(),
            bounds,
            goal,
            searches,
            engine,
            searched: false,
            notes: notes(instance),
            tried: Vec::new(),
        }
    }

    pub(super) fn answer(mut self) -> Result<Answer> {
        if matches!(self.params.method, Method::Ilp) {
            self.params.solver.ensure()?;
        }
        if !self.params.allow_unplaced
            && let Some(proof) = impossible(self.instance, &self.bounds)
        {
            return Ok(impossible_answer(proof.code, proof.cause));
        }
        if let (Method::Search, Some(lacks)) = (self.params.method, search_lacks(self.instance)) {
            return Err(Error::usage(lacks).help("--method auto uses whatever applies"));
        }
        let first = self.heuristics()?;
        if first.plan.placed() == self.instance.tasks() {
            self.watch.show(&self.outcome(&first, &self.counting_bounds(&first.plan))?);
        }
        let (first, proven) = match self.first_goal(first) {
            Searched::Nothing(first) => (first, None),
            Searched::Better(first, bound) => (first, Some(bound)),
            Searched::Impossible(cause) => return Ok(impossible_answer("capacity", cause)),
        };
        // Where the search began with nothing and found no plan, a policy may.
        let first = match first.plan.placed() {
            0 if self.tried.is_empty() && self.params.order.is_none() => self.policies(),
            _ => first,
        };
        let first = self.complete(first);
        let complete = first.plan.placed() == self.instance.tasks();
        if !complete
            && !self.params.allow_unplaced
            && matches!(self.params.method, Method::Policy(_))
        {
            return Ok(self.policy_failed(&first.plan));
        }
        let usable = complete || self.params.allow_unplaced;
        let mut incumbent = usable.then_some(first);
        let mut bounds = Vec::new();
        if let Some(incumbent) = &mut incumbent {
            bounds = self.counting_bounds(&incumbent.plan);
            if let (Some(proven), Some(at)) = (proven, self.first_tier(&incumbent.plan)) {
                bounds[at] = bounds[at].clone().max(proven);
            }
            self.watch.show(&self.outcome(incumbent, &bounds)?);
            self.relax(incumbent, &mut bounds);
            let outcome = self.outcome(incumbent, &bounds)?;
            (self.watch.log)(&describe(&outcome));
            self.watch.show(&outcome);
            self.polish(incumbent, &mut bounds);
        }
        self.exact(incumbent, bounds)
    }

    fn for_peak(&self) -> bool {
        self.engine.is_some_and(|engine| engine.term == Term::Peak)
    }

    /// The plan of the policies that the method calls for.
    fn heuristics(&mut self) -> Result<Incumbent> {
        let (instance, params) = (self.instance, self.params);
        let settings = Settings { seed: params.seed, ..params.policy.clone() };
        if let Method::Policy(policy) = params.method {
            // Says what is missing, which a multi-start could not.
            policy.rule(instance, &settings).map_err(Error::usage)?;
        }
        if let (Method::Policy(policy), Some(order)) = (params.method, params.order) {
            let order_of = order.of(instance, params.seed);
            let stop = &self.watch.stop;
            let pass = policy::run(instance, policy, &settings, &order_of, stop);
            let policy::Pass { plan, hurried } = pass.map_err(Error::usage)?;
            let start = Start { policy, order, seed: params.seed };
            self.note_hurry(hurried);
            return Ok(Incumbent { plan, found_by: start.to_string() });
        }
        if let Some(start) = &params.start {
            match self.given(&start.plan) {
                Some(given) => return Ok(given),
                None => self.notes.push(SET_ASIDE.to_owned()),
            }
        }
        if instance.tasks() > LARGE && self.for_peak() {
            // The search has a first plan of its own, which takes a fraction of the time.
            let plan = Plan::empty(instance.tasks());
            return Ok(Incumbent { plan, found_by: "nothing".to_owned() });
        }
        if let Some(plan) = self.staying() {
            return Ok(Incumbent { plan, found_by: "what runs now".to_owned() });
        }
        Ok(self.policies())
    }

    /// The best plan of the policies that the method calls for.
    fn policies(&mut self) -> Incumbent {
        let (instance, params) = (self.instance, self.params);
        let settings = Settings { seed: params.seed, ..params.policy.clone() };
        let policies: Vec<Choice> = match params.method {
            Method::Policy(policy) => vec![policy],
            _ => {
                let used = |term: Term| matches!(term.shape(), Shape::Prices(prices) if prices.used.is_some());
                let costly = self.goal.terms().any(used);
                let names: &[&str] =
                    if costly { &["min-cost", "best-fit"] } else { &["min-load", "best-fit"] };
                policy::choices(names)
            }
        };
        let found = multi_start(instance, &policies, instance.goal(), &settings, &self.watch.stop);
        match found {
            Some(found) => {
                let tiers = self.goal.tiers.len();
                let tried = found.each.into_iter().map(|reached| Tried {
                    by: reached.start.to_string(),
                    left_out: reached.left_out,
                    // A goal with a tier for what is left out begins with it.
                    values: reached.values[reached.values.len() - tiers..].to_vec(),
                });
                self.tried = tried.collect();
                self.note_hurry(found.hurried);
                Incumbent { plan: found.plan, found_by: found.start.to_string() }
            }
            None => {
                Incumbent { plan: Plan::empty(instance.tasks()), found_by: "nothing".to_owned() }
            }
        }
    }

    /// Says of a policy's plan that most of it is not the policy's.
    fn note_hurry(&mut self, tasks: usize) {
        if tasks > 0 {
            self.notes.push(format!(
                "time ran out before the policy had placed all tasks: {tasks} went to the next node in line"
            ));
        }
    }

    /// The plan in which everything stays where it is, where moving costs something and that
    /// plan breaks no rule. No policy cares what moves cost.
    fn staying(&self) -> Option<Plan> {
        let (instance, goal) = (self.instance, &self.goal);
        let costly = goal.terms().any(Term::counts_moves);
        if matches!(self.params.method, Method::Policy(_)) || !(costly || instance.has_transient())
        {
            return None;
        }
        let placement: Vec<_> = instance.task_ids().map(|task| instance.current(task)).collect();
        let plan = Plan { placement, cards: Vec::new() };
        let plan = State::load_plan(instance, &plan).unload();
        check_plan(instance, &plan, self.params.allow_unplaced).is_empty().then_some(plan)
    }

    /// Position of the instance's own first tier in the goal, if neither the plan nor any other
    /// that is as good in the tiers before leaves anything out.
    pub(super) fn first_tier(&self, plan: &Plan) -> Option<usize> {
        let complete = self.dropped(plan) == 0;
        complete.then(|| self.goal.tiers.len() - self.instance.goal().tiers.len())
    }

    /// How many tasks are left out at most where the plan's tiers for them are kept.
    fn dropped(&self, plan: &Plan) -> usize {
        if self.params.allow_unplaced {
            self.bounds.most_left_out(plan)
        } else {
            self.instance.tasks() - plan.placed()
        }
    }

    /// Bounds by counting, one a tier.
    pub(super) fn counting_bounds(&self, plan: &Plan) -> Vec<Bound> {
        let dropped = self.dropped(plan);
        self.goal.tiers.iter().map(|tier| self.bounds.tier(tier, dropped)).collect()
    }

    fn request<'r>(
        &'r self,
        classes: &'r Classes,
        plan: Option<&Plan>,
        bounds: &[Bound],
    ) -> Request<'r> {
        Request {
            instance: self.instance,
            classes,
            goal: &self.goal,
            allow_unplaced: self.params.allow_unplaced,
            backend: self.params.solver,
            gap: self.params.gap,
            seed: self.params.seed,
            incumbent: plan.cloned(),
            bounds: bounds.iter().map(|bound| bound.value).collect(),
            failures: Vec::new(),
        }
    }

    /// Raises the bounds of tiers that counting leaves open by the relaxation.
    fn relax(&mut self, incumbent: &Incumbent, bounds: &mut [Bound]) {
        let mut request = self.request(self.bounds.classes(), Some(&incumbent.plan), bounds);
        request.backend = Backend::default_of_build(); // an LP needs no stronger one
        let tiers = &self.goal.tiers;
        let mut doubts = Vec::new();
        // Where a search follows, most of the time is for that.
        let share = if self.searches {
            self.watch.stop.remaining() / 4
        } else {
            self.watch.stop.remaining()
        };
        let stop = &self.watch.stop.part(share);
        let values = goal_values(self.instance, &incumbent.plan, &self.goal);
        for (k, tier) in tiers.iter().enumerate() {
            let value = values[k].worth();
            if proven(self.instance, tier, value, bounds[k].value) {
                continue;
            }
            let relaxed = ilp::relaxation(&request, &tiers[..k], tier, stop);
            let relaxed = relaxed.unwrap_or_else(|error| {
                doubts.push(format!("{} (no relaxation of {tier})", error.cause));
                None
            });
            match relaxed {
                // No relaxation lies above a plan that holds: then the solver is wrong.
                Some(bound) if bound.contradicts(value) => doubts.push(format!(
                    "{} states a relaxation of {tier} above a known plan; it was set aside",
                    request.backend.name()
                )),
                Some(bound) => {
                    let relaxed = Bound::new(bound, "the linear relaxation over classes");
                    bounds[k] = bounds[k].clone().max(relaxed);
                }
                None => {}
            }
        }
        self.notes.extend(doubts);
    }

    /// The exact method, where the method asks for it and something is open.
    fn exact(mut self, incumbent: Option<Incumbent>, mut bounds: Vec<Bound>) -> Result<Answer> {
        let open = match &incumbent {
            Some(incumbent) => {
                let outcome = self.outcome(incumbent, &bounds)?;
                outcome.goal.iter().any(|tier| tier.gap > self.params.gap)
            }
            None => true,
        };
        let asked = match self.params.method {
            Method::Policy(_) | Method::Search | Method::Queue(_) => false,
            Method::Ilp => true,
            Method::Auto => open,
        };
        // Grouping a million tasks takes seconds: only where the classes are of use, and
        // without rules between tasks they are those of the bounds.
        let own = (asked && !self.instance.rules().is_empty()).then(|| Classes::of(self.instance));
        let variables = own.as_ref().unwrap_or(self.bounds.classes()).variables();
        let wanted = asked && (matches!(self.params.method, Method::Ilp) || self.fits(variables));
        if !wanted {
            return self.close(incumbent, bounds, &[]);
        }
        // Asked for the ILP by name, it proves every tier itself.
        let known: &[Bound] = if matches!(self.params.method, Method::Ilp) { &[] } else { &bounds };
        let classes = own.as_ref().unwrap_or(self.bounds.classes());
        let request = self.request(classes, incumbent.as_ref().map(|i| &i.plan), known);
        let finding = match (ilp::solve(&request, &self.watch.stop), self.params.method) {
            (Ok(finding), _) => finding,
            (Err(error), Method::Auto) if incumbent.is_some() => {
                self.notes.push(format!("the exact method gave up: {error}"));
                return self.close(incumbent, bounds, &[]);
            }
            (Err(error), _) => return Err(error),
        };
        self.notes.extend(finding.warnings.iter().cloned());
        if finding.exact == Exact::Infeasible {
            return Ok(Answer::NoPlan(NoPlan {
                proven: true,
                code: "infeasible",
                cause: format!(
                    "{} proved that no plan places every task",
                    self.params.solver.name()
                ),
                remedy: "--allow-unplaced places as many as possible".to_owned(),
            }));
        }
        let Some(plan) = finding.plan else { return self.close(None, bounds, &finding.warnings) };
        bounds = match &incumbent {
            Some(known) => self.carried(bounds, &known.plan, &plan),
            None => self.counting_bounds(&plan),
        };
        for (bound, found) in bounds.iter_mut().zip(&finding.tiers) {
            if let Some(value) = found.bound {
                let proof = Bound::new(value, format!("the ILP ({})", self.params.solver.name()));
                *bound = bound.clone().max(proof);
            }
        }
        let same = incumbent.as_ref().is_some_and(|incumbent| incumbent.plan == plan);
        let found_by = match incumbent {
            Some(incumbent) if same => incumbent.found_by,
            _ => format!("the ILP ({})", self.params.solver.name()),
        };
        self.close(Some(Incumbent { plan, found_by }), bounds, &[])
    }

    /// What of the bounds beside one plan still holds beside another: what was proven for later
    /// tiers supposed the values of the first in earlier ones.
    pub(super) fn carried(&self, bounds: Vec<Bound>, known: &Plan, plan: &Plan) -> Vec<Bound> {
        let fresh = self.counting_bounds(plan).into_iter();
        (fresh.zip(bounds).enumerate())
            .map(|(k, (fresh, old))| {
                let holds = ilp::no_worse(self.instance, &self.goal.tiers[..k], plan, known);
                if holds { old.max(fresh) } else { fresh }
            })
            .collect()
    }

    /// Whether `auto` hands a model of this size to the solver; says so if not.
    fn fits(&mut self, size: usize) -> bool {
        let most = self.params.solver.sensible_size();
        if size > most {
            self.notes.push(format!(
                "ILP skipped: {size} variables, limit {most} for {}; --method ilp insists, or try --solver cbc",
                self.params.solver.name()
            ));
        }
        size <= most && !self.watch.stop.reached()
    }

    pub(super) fn outcome(&self, incumbent: &Incumbent, bounds: &[Bound]) -> Result<Outcome> {
        let values = goal_values(self.instance, &incumbent.plan, &self.goal);
        let mut goal = Vec::with_capacity(values.len());
        for ((tier, value), bound) in self.goal.tiers.iter().zip(values).zip(bounds) {
            goal.push(Proof::of(self.instance, tier, value.worth(), bound)?);
        }
        Ok(Outcome {
            method: self.params.method.name(),
            seed: self.params.seed,
            plan: incumbent.plan.clone(),
            start: Vec::new(),
            optimal: goal.iter().all(|tier| tier.gap == 0.0),
            goal,
            found_by: incumbent.found_by.clone(),
            unplaced: Vec::new(),
            notes: self.notes.clone(),
            elapsed: self.began.elapsed(),
            trace: Vec::new(),
            tried: self.tried.clone(),
            survives: None,
            standbys: Vec::new(),
        })
    }

    /// The outcome, once the checker agrees.
    pub(super) fn finish(self, incumbent: Incumbent, bounds: &[Bound]) -> Result<Answer> {
        let outcome = self.outcome(&incumbent, bounds)?;
        let mut outcome = judged(self.instance, self.params, outcome)?;
        outcome.elapsed = self.began.elapsed();
        self.watch.note(&outcome);
        outcome.trace = self.watch.trace();
        Ok(Answer::Plan(Box::new(outcome)))
    }

    fn policy_failed(&self, plan: &Plan) -> Answer {
        let unplaced = left_out(self.instance, plan);
        let names: Vec<String> = unplaced
            .iter()
            .take(3)
            .map(|u| format!("`{}` ({})", self.instance.task_name(u.task), u.detail))
            .collect();
        Answer::NoPlan(NoPlan {
            proven: false,
            code: "not-found",
            cause: format!(
                "{} placed {} of {} tasks; left over: {}{}",
                self.params.method.name(),
                plan.placed(),
                self.instance.tasks(),
                names.join(", "),
                if unplaced.len() > 3 { ", ..." } else { "" },
            ),
            remedy:
                "another --order or --method may place them; --allow-unplaced accepts this plan"
                    .to_owned(),
        })
    }

    /// `failures` are those of the solver.
    pub(super) fn nothing_found(&self, failures: &[String]) -> Answer {
        let failed = failures.iter().map(|failure| format!("; {failure}"));
        Answer::NoPlan(NoPlan {
            proven: false,
            code: "not-found",
            cause: format!(
                "no plan that places all {} tasks was found, and none was proven impossible{}",
                self.instance.tasks(),
                failed.collect::<String>()
            ),
            remedy: "raise --time-limit, choose another --solver, or accept --allow-unplaced"
                .to_owned(),
        })
    }
}

/// Tasks above which the search begins without a plan of the policies.
const LARGE: usize = 20_000;

pub(super) fn describe(outcome: &Outcome) -> String {
    let tiers = outcome.goal.iter().map(|tier| {
        format!(
            "{} {:.6} (bound {:.6}, gap {:.3} %)",
            tier.tier,
            tier.value,
            tier.bound,
            100.0 * tier.gap
        )
    });
    format!(
        "{:.2} s: {} by {}",
        outcome.elapsed.as_secs_f64(),
        tiers.collect::<Vec<_>>().join(", "),
        outcome.found_by
    )
}
