//! Every placement there is, where there are few: exact at any size of numbers, and by whatever
//! rule, since the checker and the metrics alone decide.

use std::cmp::Ordering;

use super::reasons::impossible_answer;
use super::run::{Incumbent, Run};
use super::{Answer, Method};
use base::error::Result;
use base::stop::Stop;
use judge::check::check_plan;
use judge::metrics::worths;
use judge::proof::Bound;
use model::{Goal, Instance, NodeId, Plan, TaskId, Worth};

/// What vouches for a plan where few are possible.
const TRIED: &str = "all placements were tried";
/// Placements that are tried at most.
const MOST: usize = 20_000;

impl Run<'_> {
    /// What is still open where few placements exist is closed by trying them all.
    pub(super) fn close(
        self,
        incumbent: Option<Incumbent>,
        bounds: Vec<Bound>,
        failures: &[String],
    ) -> Result<Answer> {
        let open = match &incumbent {
            Some(incumbent) => !self.outcome(incumbent, &bounds)?.optimal,
            None => true,
        };
        let exact = open && matches!(self.params.method, Method::Auto | Method::Ilp);
        let allow = self.params.allow_unplaced;
        let all = exact.then(|| best_of_all(self.instance, &self.goal, allow, &self.watch.stop));
        match (all.flatten(), incumbent) {
            (None, None) => Ok(self.nothing_found(failures)),
            (None, Some(incumbent)) => self.finish(incumbent, &bounds),
            (Some(None), _) => {
                Ok(impossible_answer("infeasible", format!("{TRIED}, and none holds")))
            }
            (Some(Some((plan, values))), known) => {
                let same = |known: &Incumbent| {
                    let known = worths(self.instance, &known.plan, &self.goal);
                    known.iter().zip(&values).all(|(a, b)| a.order(*b).is_eq())
                };
                let found = || Incumbent { plan, found_by: TRIED.to_owned() };
                let best = known.filter(same).unwrap_or_else(found);
                let bounds: Vec<Bound> =
                    values.iter().map(|value| Bound::new(*value, TRIED)).collect();
                self.finish(best, &bounds)
            }
        }
    }
}

/// A plan with its tiers' values.
type Best = (Plan, Vec<Worth>);

/// The best of all placements, where any holds. `None` where there are too many, where cards would
/// have to be dealt out, or when time runs out first.
fn best_of_all(
    instance: &Instance,
    goal: &Goal,
    allow_unplaced: bool,
    stop: &Stop,
) -> Option<Option<Best>> {
    if !instance.devices().is_empty() {
        return None;
    }
    let mut places: Vec<Vec<Option<NodeId>>> = Vec::with_capacity(instance.tasks().min(64));
    let mut many = 1usize;
    for task in instance.task_ids() {
        let on = instance.node_ids().filter(|node| instance.fits_alone(task, *node)).map(Some);
        let out = allow_unplaced.then_some(None);
        let own: Vec<Option<NodeId>> = on.chain(out).take(MOST + 1).collect();
        many = many.saturating_mul(own.len());
        if many > MOST || places.len() >= 64 {
            return None;
        }
        places.push(own);
    }
    let mut best: Option<Best> = None;
    for k in 0..many {
        if k % 64 == 0 && stop.reached() {
            return None;
        }
        let mut rest = k;
        let mut plan = Plan::empty(instance.tasks());
        for (task, own) in places.iter().enumerate() {
            plan.placement[TaskId::from(task).index()] = own[rest % own.len()];
            rest /= own.len();
        }
        if !check_plan(instance, &plan, allow_unplaced).is_empty() {
            continue;
        }
        let values = worths(instance, &plan, goal);
        if best.as_ref().is_none_or(|(_, known)| lower(&values, known)) {
            best = Some((plan, values));
        }
    }
    Some(best)
}

/// Lower in the first tier in which they differ.
fn lower(a: &[Worth], b: &[Worth]) -> bool {
    let differ = a.iter().zip(b).map(|(a, b)| a.order(*b)).find(|order| order.is_ne());
    differ == Some(Ordering::Less)
}
