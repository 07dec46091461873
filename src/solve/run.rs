//! The work behind [`super::solve`], step by step.

use std::time::{Duration, Instant};

use super::reasons::unplaced;
use super::{Answer, Method, NoPlan, Outcome, Params, TierOutcome, Watch, search_lacks};
use crate::bounds::{Bound, Bounds, impossible};
use crate::check::check_plan;
use crate::error::{Error, Kind, Result};
use crate::ilp::{self, Backend, Exact, Request};
use crate::metrics::{Metrics, goal_values, value_of};
use crate::model::{Classes, Goal, Instance, Plan, Term, Tier};
use crate::policy::{self, Choice, Settings, Start, multi_start};
use crate::search;

/// One solve on its way.
pub(super) struct Run<'a> {
    instance: &'a Instance,
    params: &'a Params,
    watch: &'a Watch<'a>,
    began: Instant,
    bounds: Bounds<'a>,
    goal: Goal,
    /// Why the search has no part in this; absent when it has.
    search_lacks: Option<String>,
    notes: Vec<String>,
}

/// The best plan so far and who found it.
struct Incumbent {
    plan: Plan,
    found_by: String,
}

impl<'a> Run<'a> {
    pub(super) fn new(instance: &'a Instance, params: &'a Params, watch: &'a Watch<'a>) -> Run<'a> {
        let goal = match params.allow_unplaced {
            true => instance.goal().with_unplaced_first(&instance.priorities()),
            false => instance.goal().clone(),
        };
        Run {
            instance,
            params,
            watch,
            began: Instant::now(),
            bounds: Bounds::of(instance),
            goal,
            search_lacks: match params.method {
                Method::Auto | Method::Search => search_lacks(instance),
                Method::Ilp | Method::Policy(_) => Some("it was not asked for".to_owned()),
            },
            notes: Vec::new(),
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
        if let (Method::Search, Some(lacks)) = (self.params.method, &self.search_lacks) {
            return Err(Error::usage(lacks.clone()).help("--method auto uses whatever applies"));
        }
        let first = self.heuristics()?;
        let (first, proven) = match self.search(first) {
            Searched::Nothing(first) => (first, None),
            Searched::Better(first, bound) => (first, Some(bound)),
            Searched::Impossible(cause) => return Ok(impossible_answer("capacity", cause)),
        };
        let complete = first.plan.placed() == self.instance.tasks();
        if !complete
            && !self.params.allow_unplaced
            && matches!(self.params.method, Method::Policy(_))
        {
            return Ok(self.policy_failed(&first.plan));
        }
        let usable = complete || self.params.allow_unplaced;
        let incumbent = usable.then_some(first);
        let mut bounds = Vec::new();
        if let Some(incumbent) = &incumbent {
            bounds = self.counting_bounds(&incumbent.plan);
            if let (Some(proven), Some(at)) = (proven, self.first_tier(&incumbent.plan)) {
                bounds[at] = bounds[at].clone().max(proven);
            }
            self.watch.show(&self.outcome(incumbent, &bounds)?);
            self.relax(incumbent, &mut bounds)?;
            let outcome = self.outcome(incumbent, &bounds)?;
            (self.watch.log)(&describe(&outcome));
            self.watch.show(&outcome);
        }
        self.exact(incumbent, bounds)
    }

    /// The plan of the policies that the method calls for.
    fn heuristics(&self) -> Result<Incumbent> {
        let (instance, params) = (self.instance, self.params);
        let settings = Settings { seed: params.seed, ..params.policy.clone() };
        if let Method::Policy(policy) = params.method {
            // Says what is missing, which a multi-start could not.
            policy.rule(instance, &settings).map_err(Error::usage)?;
        }
        if let (Method::Policy(policy), Some(order)) = (params.method, params.order) {
            let order_of = order.of(instance, params.seed);
            let plan = policy::run(instance, policy, &settings, &order_of).map_err(Error::usage)?;
            let start = Start { policy, order, seed: params.seed };
            return Ok(Incumbent { plan, found_by: start.to_string() });
        }
        if instance.tasks() > LARGE && self.search_lacks.is_none() {
            // The search has a first plan of its own, which takes a fraction of the time.
            let plan = Plan::empty(instance.tasks());
            return Ok(Incumbent { plan, found_by: "nothing".to_owned() });
        }
        let policies: Vec<Choice> = match params.method {
            Method::Policy(policy) => vec![policy],
            _ => {
                let costly = self.goal.mentions(Term::Cost) || self.goal.mentions(Term::Nodes);
                let names: &[&str] =
                    if costly { &["min-cost", "best-fit"] } else { &["min-load", "best-fit"] };
                policy::choices(names)
            }
        };
        let found = multi_start(instance, &policies, instance.goal(), &settings, &self.watch.stop);
        Ok(match found {
            Some((plan, start)) => Incumbent { plan, found_by: start.to_string() },
            None => {
                Incumbent { plan: Plan::empty(instance.tasks()), found_by: "nothing".to_owned() }
            }
        })
    }

    /// Position of the instance's own first tier in the goal, if the plan leaves
    /// nothing out.
    fn first_tier(&self, plan: &Plan) -> Option<usize> {
        let complete = plan.placed() == self.instance.tasks();
        complete.then(|| self.goal.tiers.len() - self.instance.goal().tiers.len())
    }

    /// Improves on the policies' plan where the search applies and the first tier is open.
    fn search(&mut self, first: Incumbent) -> Searched {
        if self.search_lacks.is_some() {
            return Searched::Nothing(first);
        }
        let floor = self.bounds.tier(&self.instance.goal().tiers[0], 0);
        let value = |plan: &Plan| Metrics::of(self.instance, plan, None).peak;
        let known = self.first_tier(&first.plan).map(|_| value(&first.plan));
        let gap = self.params.gap;
        let closed = |value: f64, bound: f64| value - bound <= gap * value;
        if known.is_some_and(|known| closed(known, floor.value)) {
            return Searched::Nothing(first);
        }
        // The integer program gets its share where it may still have something to do.
        let left = self.watch.stop.remaining();
        let small = self.bounds.classes().variables() <= self.params.solver.sensible_size();
        let share = match self.params.method {
            Method::Auto if small => left / 4,
            Method::Auto if self.instance.goal().tiers.len() > 1 || known.is_none() => left / 2,
            _ => left,
        };
        let stop = self.watch.stop.part(share);
        let request = search::Request {
            instance: self.instance,
            floor: floor.value,
            seed: self.params.seed,
            work: self.params.work_limit.unwrap_or(u64::MAX),
            stop: &stop,
        };
        let (mut shown, mut cost) = (Instant::now(), Duration::ZERO);
        let found = search::search(&request, &mut |better| {
            if closed(better.value, better.bound) {
                stop.ask();
            }
            // Looking at a plan must not take the time that improves it.
            let due = SHOW.max(20 * cost);
            if known.is_some_and(|known| better.value >= known) || shown.elapsed() < due {
                return;
            }
            let began = Instant::now();
            let by = Incumbent { plan: better.plan(), found_by: "the search".to_owned() };
            let mut bounds = self.counting_bounds(&by.plan);
            if let Some(at) = self.first_tier(&by.plan) {
                bounds[at] = bounds[at].clone().max(searched(better.bound));
            }
            if let Ok(outcome) = self.outcome(&by, &bounds) {
                (self.watch.log)(&describe(&outcome));
                self.watch.show(&outcome);
            }
            (shown, cost) = (Instant::now(), began.elapsed());
        });
        match found.plan {
            None if found.bound > 1.0 && !self.params.allow_unplaced => Searched::Impossible(
                format!("the fullest node would be at {:.4} % at least", 100.0 * found.bound),
            ),
            Some(plan) if known.is_none_or(|known| value(&plan) < known) => Searched::Better(
                Incumbent { plan, found_by: "the search".to_owned() },
                searched(found.bound),
            ),
            _ if found.bound > 1.0 => Searched::Nothing(first),
            _ => Searched::Better(first, searched(found.bound)),
        }
    }

    /// Bounds by counting, one a tier.
    fn counting_bounds(&self, plan: &Plan) -> Vec<Bound> {
        let dropped = self.instance.tasks() - plan.placed();
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
        }
    }

    /// Raises the bounds of tiers that counting leaves open by the relaxation.
    fn relax(&mut self, incumbent: &Incumbent, bounds: &mut [Bound]) -> Result<()> {
        let mut request = self.request(self.bounds.classes(), Some(&incumbent.plan), bounds);
        request.backend = Backend::default_of_build(); // an LP needs no stronger one
        let tiers = &self.goal.tiers;
        let mut doubts = Vec::new();
        for (k, tier) in tiers.iter().enumerate() {
            let value = value_of(self.instance, &incumbent.plan, tier);
            if proven(tier, value, bounds[k].value) {
                continue;
            }
            let stop = &self.watch.stop;
            match ilp::relaxation(&request, &tiers[..k], tier, stop)? {
                // No relaxation lies above a plan that holds: then the solver is wrong.
                Some(bound) if bound > value + 1e-6 * value.abs() + 1e-9 => doubts.push(format!(
                    "{} states a relaxation of {tier} above a known plan; it was set aside",
                    request.backend.name()
                )),
                Some(bound) => {
                    let relaxed =
                        Bound::new(bound.min(value), "the linear relaxation over classes");
                    bounds[k] = bounds[k].clone().max(relaxed);
                }
                None => {}
            }
        }
        self.notes.extend(doubts);
        Ok(())
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
            Method::Policy(_) | Method::Search => false,
            Method::Ilp => true,
            Method::Auto => open,
        };
        // Grouping a million tasks takes seconds: only where the classes are of use, and
        // without rules between tasks they are those of the bounds.
        let own = (asked && !self.instance.rules().is_empty()).then(|| Classes::of(self.instance));
        let variables = own.as_ref().unwrap_or(self.bounds.classes()).variables();
        let wanted = asked && (matches!(self.params.method, Method::Ilp) || self.fits(variables));
        if !wanted {
            return match incumbent {
                Some(incumbent) => self.finish(incumbent, &bounds),
                None => Ok(self.nothing_found()),
            };
        }
        // Asked for the ILP by name, it proves every tier itself.
        let known: &[Bound] = if matches!(self.params.method, Method::Ilp) { &[] } else { &bounds };
        let classes = own.as_ref().unwrap_or(self.bounds.classes());
        let request = self.request(classes, incumbent.as_ref().map(|i| &i.plan), known);
        let finding = ilp::solve(&request, &self.watch.stop)?;
        self.notes.extend(finding.warnings);
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
        let Some(plan) = finding.plan else { return Ok(self.nothing_found()) };
        let fresh = self.counting_bounds(&plan);
        bounds = match &incumbent {
            // What was proven for later tiers supposed the incumbent's values in earlier ones.
            Some(known) => (fresh.into_iter().zip(bounds).enumerate())
                .map(|(k, (fresh, old))| {
                    let tiers = &self.goal.tiers[..k];
                    let holds = ilp::no_worse(self.instance, tiers, &plan, &known.plan);
                    if holds { old.max(fresh) } else { fresh }
                })
                .collect(),
            None => fresh,
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
        self.finish(Incumbent { plan, found_by }, &bounds)
    }

    /// Whether `auto` hands a model of this size to the solver; says so if not.
    fn fits(&mut self, size: usize) -> bool {
        let most = self.params.solver.sensible_size();
        if size > most {
            self.notes.push(format!(
                "the ILP was not tried: {size} count variables, `auto` gives {} at most {most}",
                self.params.solver.name()
            ));
        }
        size <= most && !self.watch.stop.reached()
    }

    fn outcome(&self, incumbent: &Incumbent, bounds: &[Bound]) -> Result<Outcome> {
        let values = goal_values(self.instance, &incumbent.plan, &self.goal);
        let mut goal = Vec::with_capacity(values.len());
        for ((tier, value), bound) in self.goal.tiers.iter().zip(values).zip(bounds) {
            goal.push(tier_outcome(tier, value.value, bound)?);
        }
        Ok(Outcome {
            method: self.params.method.name(),
            seed: self.params.seed,
            plan: incumbent.plan.clone(),
            optimal: goal.iter().all(|tier| tier.gap == 0.0),
            goal,
            found_by: incumbent.found_by.clone(),
            unplaced: Vec::new(),
            notes: self.notes.clone(),
            elapsed: self.began.elapsed(),
        })
    }

    /// The outcome, once the checker agrees.
    fn finish(self, incumbent: Incumbent, bounds: &[Bound]) -> Result<Answer> {
        let mut outcome = self.outcome(&incumbent, bounds)?;
        let violations = check_plan(self.instance, &outcome.plan, self.params.allow_unplaced);
        if let Some(violation) = violations.first() {
            let cause = format!("the plan of {} breaks a rule: {violation}", outcome.found_by);
            return Err(Error::new(Kind::Solver, cause).help("this is a bug: please report it"));
        }
        outcome.unplaced = unplaced(self.instance, &outcome.plan);
        outcome.elapsed = self.began.elapsed();
        Ok(Answer::Plan(Box::new(outcome)))
    }

    fn policy_failed(&self, plan: &Plan) -> Answer {
        let unplaced = unplaced(self.instance, plan);
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

    fn nothing_found(&self) -> Answer {
        Answer::NoPlan(NoPlan {
            proven: false,
            code: "not-found",
            cause: format!(
                "no plan that places all {} tasks was found in {:.1} s, and none was proven impossible",
                self.instance.tasks(),
                self.began.elapsed().as_secs_f64()
            ),
            remedy: "raise --time-limit, choose another --solver, or accept --allow-unplaced"
                .to_owned(),
        })
    }
}

/// Tasks above which the search begins without a plan of the policies.
const LARGE: usize = 20_000;

/// How often at most the search shows a better plan.
const SHOW: Duration = Duration::from_millis(200);

/// What came of the search.
enum Searched {
    /// It does not apply, or there is nothing to improve.
    Nothing(Incumbent),
    /// The better of two plans, and a bound on the first tier.
    Better(Incumbent, Bound),
    /// No plan exists, and why.
    Impossible(String),
}

fn searched(bound: f64) -> Bound {
    Bound::new(bound, "counting and exact packing")
}

fn impossible_answer(code: &'static str, cause: String) -> Answer {
    Answer::NoPlan(NoPlan {
        proven: true,
        code,
        cause,
        remedy: "add capacity or drop tasks; --allow-unplaced places as many as possible"
            .to_owned(),
    })
}

/// Proven up to what solvers' tolerances can resolve: nothing for values that
/// are counted, a millionth for variances, demands and mixed sums.
fn proven(tier: &Tier, value: f64, bound: f64) -> bool {
    let tolerance = match tier.only() {
        Some(Term::Balance | Term::Demand) | None => 1e-6 * value.abs() + 1e-12,
        Some(_) => 1e-12 * value.abs(),
    };
    value - bound <= tolerance
}

fn tier_outcome(tier: &Tier, value: f64, bound: &Bound) -> Result<TierOutcome> {
    if bound.value > value + 1e-6 * value.abs() + 1e-9 {
        let cause =
            format!("the bound {} ({}) contradicts {tier} = {value}", bound.value, bound.why);
        return Err(Error::new(Kind::Solver, cause).help("this is a bug: please report it"));
    }
    let closed = proven(tier, value, bound.value);
    Ok(TierOutcome {
        tier: tier.to_string(),
        value,
        bound: if closed { value } else { bound.value },
        why: bound.why.clone(),
        gap: if closed { 0.0 } else { (value - bound.value) / value.abs() },
    })
}

fn describe(outcome: &Outcome) -> String {
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
