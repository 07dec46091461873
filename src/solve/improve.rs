//! The part of search in a solve: the engine for `peak`, the completion of plans that leave
//! tasks out, and local search on whatever tier is still open.

use std::time::{Duration, Instant};

use super::Method;
use super::run::{Incumbent, Run, describe, proven};
use crate::bounds::Bound;
use crate::check::check_plan;
use crate::error::Result;
use crate::metrics::{Metrics, value_of};
use crate::model::{Goal, Plan, Term, Tier};
use crate::search::{self, local};
use crate::state::State;

/// How often at most the search shows a better plan.
const SHOW: Duration = Duration::from_millis(200);

/// What came of the search.
pub(super) enum Searched {
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

impl Run<'_> {
    /// Improves on the policies' plan where the first tier is `peak`, open, and nothing ties tasks
    /// to each other.
    pub(super) fn lower_peak(&mut self, first: Incumbent) -> Searched {
        if !self.for_peak {
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

    /// Finds a node for what the policies left out, where nothing may be left out.
    pub(super) fn complete(&self, first: Incumbent) -> Incumbent {
        let instance = self.instance;
        if !self.searches || self.params.allow_unplaced || first.plan.placed() == instance.tasks() {
            return first;
        }
        let goal = Goal { tiers: vec![Tier::single(Term::Unplaced(None))] };
        let share = if self.small() { 4 } else { 2 };
        let (plan, _) = self.local(&goal, &first.plan, &[0.0], share, &mut |_| {});
        match plan.placed() == instance.tasks() && check_plan(instance, &plan, false).is_empty() {
            true => Incumbent { plan, found_by: "the search".to_owned() },
            false => first,
        }
    }

    /// Local search on the tiers that are open, the earlier ones kept as they are.
    pub(super) fn polish(
        &mut self,
        incumbent: &mut Incumbent,
        bounds: &mut Vec<Bound>,
    ) -> Result<()> {
        let values: Vec<f64> = (self.goal.tiers.iter())
            .map(|tier| value_of(self.instance, &incumbent.plan, tier))
            .collect();
        let mut finished: Vec<f64> = bounds.iter().map(|bound| bound.value).collect();
        for (k, tier) in self.goal.tiers.iter().enumerate() {
            let gap = self.params.gap * values[k].abs();
            let searched = self.for_peak && tier.only() == Some(Term::Peak);
            if searched || values[k] - bounds[k].value <= gap {
                finished[k] = f64::INFINITY;
            }
        }
        let open = |k: usize| {
            finished[k] < f64::INFINITY && !proven(&self.goal.tiers[k], values[k], bounds[k].value)
        };
        if !self.searches || !(0..values.len()).any(open) {
            return Ok(());
        }
        let share = if self.small() && matches!(self.params.method, Method::Auto) { 4 } else { 1 };
        let (mut shown, mut cost) = (Instant::now(), Duration::ZERO);
        let (plan, _) = self.local(&self.goal, &incumbent.plan, &finished, share, &mut |plan| {
            if shown.elapsed() < SHOW.max(20 * cost) {
                return;
            }
            let began = Instant::now();
            let by = Incumbent { plan: plan.clone(), found_by: "the search".to_owned() };
            if let Ok(outcome) = self.outcome(&by, bounds) {
                (self.watch.log)(&describe(&outcome));
                self.watch.show(&outcome);
            }
            (shown, cost) = (Instant::now(), began.elapsed());
        });
        let better = (self.goal.tiers.iter().zip(&values))
            .map(|(tier, old)| value_of(self.instance, &plan, tier) - old)
            .find(|change| change.abs() > 1e-12)
            .is_some_and(|change| change < 0.0);
        if better && check_plan(self.instance, &plan, self.params.allow_unplaced).is_empty() {
            *bounds = self.carried(bounds.clone(), &incumbent.plan, &plan);
            *incumbent = Incumbent { plan, found_by: "the search".to_owned() };
        }
        Ok(())
    }

    /// The integer program may have something to do.
    fn small(&self) -> bool {
        self.bounds.classes().variables() <= self.params.solver.sensible_size()
    }

    /// Local search with one part in `share` of the time; cards are dealt out.
    fn local(
        &self,
        goal: &Goal,
        start: &Plan,
        bounds: &[f64],
        share: u32,
        tell: local::Tell,
    ) -> (Plan, u64) {
        let stop = self.watch.stop.part(self.watch.stop.remaining() / share);
        let task = local::Task {
            instance: self.instance,
            goal,
            start,
            bounds,
            seed: self.params.seed,
            work: self.params.work_limit.unwrap_or(u64::MAX),
            stop: &stop,
        };
        let (plan, work) = local::improve(&task, tell);
        match self.instance.devices().is_empty() {
            true => (plan, work),
            false => (State::load_plan(self.instance, &plan).unload(), work),
        }
    }
}
