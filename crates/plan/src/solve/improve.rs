//! The part of search in a solve: the engine for the first tier, the completion of plans that leave
//! tasks out, and local search on whatever tier is still open.

use std::time::{Duration, Instant};

use super::Method;
use super::run::{Incumbent, Run, describe};
use engines::search::{self, local};
use judge::check::check_plan;
use judge::metrics::{value_of, worths};
use judge::proof::{Bound, proven};
use model::state::State;
use model::{Goal, Instance, Plan, Term, Tier, Worth};

/// How often at most the search shows a better plan.
const SHOW: Duration = Duration::from_millis(200);

/// What it takes to set up a search, a task, about.
const SETUP: Duration = Duration::from_nanos(1500);

/// When a better plan was shown last, and how long that took.
struct Shown {
    at: Instant,
    cost: Duration,
}

impl Shown {
    fn new() -> Shown {
        Shown { at: Instant::now(), cost: Duration::ZERO }
    }

    /// Shows a plan and its bounds, not too often: that must not take the time that improves it.
    fn show(&mut self, run: &Run, better: impl FnOnce() -> (Plan, Vec<Bound>)) {
        if self.at.elapsed() < SHOW.max(20 * self.cost) {
            return;
        }
        let began = Instant::now();
        let (plan, bounds) = better();
        let by = Incumbent { plan, found_by: "the search".to_owned() };
        if let Ok(outcome) = run.outcome(&by, &bounds) {
            (run.watch.log)(&describe(&outcome));
            run.watch.show(&outcome);
        }
        (self.at, self.cost) = (Instant::now(), began.elapsed());
    }
}

/// What came of the search.
pub(super) enum Searched {
    /// It does not apply, or there is nothing to improve.
    Nothing(Incumbent),
    /// The better of two plans, and a bound on the first tier.
    Better(Incumbent, Bound),
    /// No plan exists, and why.
    Impossible(String),
}

impl Run<'_> {
    /// Improves on the policies' plan where the first tier is open and has an engine of its own.
    pub(super) fn first_goal(&mut self, first: Incumbent) -> Searched {
        let Some(engine) = self.engine else { return Searched::Nothing(first) };
        let tier = &self.instance.goal().tiers[0];
        let floor = self.bounds.tier(tier, 0).value;
        let near = floor.near();
        let value = |plan: &Plan| value_of(self.instance, plan, tier);
        let known = self.first_tier(&first.plan).map(|_| value(&first.plan));
        let gap = self.params.gap;
        let closed = |value: f64, bound: f64| value - bound.max(near) <= gap * value;
        if known.is_some_and(|known| closed(known, near) || !self.worth_setting_up()) {
            return Searched::Nothing(first);
        }
        let proof = |bound: Worth| Bound::new(bound, engine.why);
        let stop = self.watch.stop.part(self.share(engine.term, known.is_some()));
        let request = search::Request {
            instance: self.instance,
            floor,
            start: known.map(|_| &first.plan),
            seed: self.params.seed,
            work: self.params.work_limit.unwrap_or(u64::MAX),
            stop: &stop,
        };
        let mut shown = Shown::new();
        let found = (engine.search)(&request, &mut |better| {
            if closed(better.value, better.bound) {
                stop.ask();
            }
            if known.is_some_and(|known| better.value >= known) {
                return;
            }
            shown.show(self, || {
                let plan = better.plan();
                let mut bounds = self.counting_bounds(&plan);
                if let Some(at) = self.first_tier(&plan) {
                    bounds[at] = bounds[at].clone().max(proof(Worth::real(better.bound)));
                }
                (plan, bounds)
            });
        });
        self.searched = known.is_some() || found.plan.is_some();
        match (found.plan, found.impossible) {
            (None, Some(cause)) if !self.params.allow_unplaced => Searched::Impossible(cause),
            (None, Some(_)) => Searched::Nothing(first),
            (Some(plan), _) if known.is_none_or(|known| value(&plan) < known) => Searched::Better(
                Incumbent { plan, found_by: "the search".to_owned() },
                proof(found.bound),
            ),
            _ => Searched::Better(first, proof(found.bound)),
        }
    }

    /// How long the engine for the first tier works: the integer program and the search for later
    /// tiers get their share where they may still have something to do.
    fn share(&self, term: Term, known: bool) -> Duration {
        let left = self.watch.stop.remaining();
        let later = self.instance.goal().tiers.len() > 1;
        match (self.params.method, term) {
            (Method::Auto, Term::Peak) if self.small() => left / 4,
            (Method::Auto, _) if self.small() || later => left / 2,
            (Method::Auto, Term::Peak) if !known => left / 2,
            (_, Term::Peak) => left,
            _ if later => left / 2,
            // Where it finds no plan, somebody else may.
            _ if !known => left * 9 / 10,
            _ => left,
        }
    }

    /// Finds a node for what the policies left out, where nothing may be left out.
    pub(super) fn complete(&self, first: Incumbent) -> Incumbent {
        let instance = self.instance;
        if !self.searches || self.params.allow_unplaced || first.plan.placed() == instance.tasks() {
            return first;
        }
        let goal = Goal { tiers: vec![Tier::single(Term::Unplaced(None))] };
        let share = if self.small() { 4 } else { 2 };
        let weighing = instance.weighing_something();
        let plan = self.local(&weighing, (&goal, &[0.0]), &first.plan, share, &mut |_| {});
        if plan.placed() == instance.tasks() && check_plan(instance, &plan, false).is_empty() {
            Incumbent { plan, found_by: "the search".to_owned() }
        } else {
            first
        }
    }

    /// Local search on the tiers that are open, the earlier ones kept as they are.
    pub(super) fn polish(&mut self, incumbent: &mut Incumbent, bounds: &mut Vec<Bound>) {
        let values = worths(self.instance, &incumbent.plan, &self.goal);
        let mut finished: Vec<f64> = bounds.iter().map(|bound| bound.value.near()).collect();
        for (k, tier) in self.goal.tiers.iter().enumerate() {
            let gap = self.params.gap * values[k].near().abs();
            let term = self.engine.map(|engine| engine.term);
            let searched = self.searched && tier.only().is_some() && tier.only() == term;
            if searched || values[k].over(bounds[k].value) <= gap {
                finished[k] = f64::INFINITY;
            }
        }
        let open = |k: usize| {
            finished[k] < f64::INFINITY
                && !proven(self.instance, &self.goal.tiers[k], values[k], bounds[k].value)
        };
        if !self.searches || !self.worth_setting_up() || !(0..values.len()).any(open) {
            return;
        }
        let share = if self.small() && matches!(self.params.method, Method::Auto) { 4 } else { 1 };
        let mut shown = Shown::new();
        let (instance, goal) = (self.instance, (&self.goal, &finished[..]));
        let plan = self.local(instance, goal, &incumbent.plan, share, &mut |plan| {
            shown.show(self, || (plan.clone(), bounds.clone()));
        });
        let better = (worths(self.instance, &plan, &self.goal).iter().zip(&values))
            .map(|(new, old)| new.order(*old))
            .find(|order| order.is_ne())
            .is_some_and(|order| order.is_lt());
        if better && check_plan(self.instance, &plan, self.params.allow_unplaced).is_empty() {
            *bounds = self.carried(bounds.clone(), &incumbent.plan, &plan);
            *incumbent = Incumbent { plan, found_by: "the search".to_owned() };
        }
    }

    /// There is time to set up a search of all tasks.
    fn worth_setting_up(&self) -> bool {
        let tasks = u32::try_from(self.instance.tasks()).unwrap_or(u32::MAX);
        self.watch.stop.remaining() > SETUP.saturating_mul(tasks)
    }

    /// The integer program may have something to do.
    fn small(&self) -> bool {
        self.bounds.classes().variables() <= self.params.solver.sensible_size()
    }

    /// Local search for a goal with bounds, with one part in `share` of the time; cards are
    /// dealt out.
    fn local(
        &self,
        instance: &Instance,
        (goal, bounds): (&Goal, &[f64]),
        start: &Plan,
        share: u32,
        tell: local::Tell,
    ) -> Plan {
        let stop = self.watch.stop.part(self.watch.stop.remaining() / share);
        let task = local::Task {
            instance,
            goal,
            start,
            bounds,
            seed: self.params.seed,
            work: self.params.work_limit.unwrap_or(u64::MAX),
            stop: &stop,
        };
        let plan = local::improve(&task, tell);
        if self.instance.devices().is_empty() {
            plan
        } else {
            State::load_plan(self.instance, &plan).unload()
        }
    }
}
