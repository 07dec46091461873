//! Plans with room held back for what may fail: a part of every capacity, or one
//! node altogether; then better ones near by that hold too.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::Domain;
use super::hold::{Held, Hold, Trial};
use crate::solve::{Answer, Params, Watch, solve_watched};
use base::error::Result;
use base::stop::Stop;
use judge::check::check_plan;
use judge::metrics::goal_values;
use model::state::State;
use model::{Decimal, Instance, NodeId, Plan, TaskId, Term, Tier};

/// Parts of a whole in which headroom is tried.
const PARTS: i64 = 1000;
/// Plans that are made at most.
const ROUNDS: u32 = 8;
/// Changes that are tried on the best of them, and in a row without success.
const STEPS: usize = 100_000;
const IDLE: usize = 2_000;
/// What stands behind the name of what found a plan that was changed then.
const POLISHED: &str = ", made better";

/// The best plan found that holds. Headroom begins with the part of all capacity that is on the
/// largest domain, which plans without rules and with small tasks need, and is then halved towards what
/// just does.
pub(super) fn with_room(hold: &Hold, stop: &Stop) -> Result<Option<Held>> {
    let mut best: Option<Held> = None;
    let mut left = ROUNDS;
    let parts = parts(hold);
    let alone = |domain: &Domain| match domain.nodes[..] {
        [node] => domain.name == hold.instance.node_name(node),
        _ => false,
    };
    let largest = parts.iter().copied().reduce(|a, b| if b.0 > a.0 { b } else { a });
    if parts.iter().all(|(_, domain)| alone(domain))
        && let Some((_, domain)) = largest
    {
        left -= 1;
        let spare = domain.nodes[0];
        let instance = hold.plain.without_node(spare);
        let note = format!("`{}` kept free", hold.instance.node_name(spare));
        attempt(hold, &instance, &note, left, stop, &mut best)?;
    }
    let share = largest.map_or(0.0, |(part, _)| part);
    let (mut low, mut high) = (0, PARTS);
    let mut part = ((share * PARTS as f64).ceil() as i64).clamp(1, PARTS - 1);
    while left > 0 && high - low > 1 && !stop.reached() {
        left -= 1;
        let note = format!("{} % of every capacity kept free", part as f64 * 100.0 / PARTS as f64);
        let headroom = Decimal::parse(&format!("0.{part:03}")).ok();
        let held = match headroom.map(|headroom| hold.plain.clone().with_headroom(headroom)) {
            Some(Ok(instance)) => attempt(hold, &instance, &note, left, stop, &mut best)?,
            _ => Tried::NoPlan,
        };
        match held {
            // Less may do as well, and more leaves no plan.
            Tried::Holds | Tried::NoPlan => high = part,
            Tried::Fails => low = part,
        }
        part = if high == PARTS { (part * 3 / 2 + 1).min(PARTS - 1) } else { (low + high) / 2 };
    }
    if let Some(held) = &mut best {
        polish(hold, held, stop)?;
    }
    Ok(best)
}

/// Moves tasks and exchanges them as long as the goal gets better, or stays and the plan gets more
/// even, and the plan still holds.
fn polish(hold: &Hold, held: &mut Held, stop: &Stop) -> Result<()> {
    let instance = &hold.plain;
    if instance.nodes() < 2 {
        return Ok(());
    }
    let mut goal = instance.goal().clone();
    if !goal.mentions(Term::Balance) {
        goal.tiers.push(Tier::single(Term::Balance));
    }
    let worth = |plan: &Plan| -> Vec<f64> {
        goal_values(instance, plan, &goal).iter().map(|tier| tier.value).collect()
    };
    let mut rng = ChaCha8Rng::seed_from_u64(hold.params.seed);
    let mut state = State::load_plan(instance, &held.plan);
    let mut best = worth(&held.plan);
    let mut idle = 0;
    let (tasks, nodes) = (instance.tasks() as u32, instance.nodes() as u32);
    for _ in 0..STEPS {
        if idle == IDLE || stop.reached() {
            break;
        }
        idle += 1;
        let task = TaskId(rng.random_range(0..tasks));
        let changed = match rng.random_range(0..3u32) {
            0 => exchange(&mut state, task, TaskId(rng.random_range(0..tasks))),
            _ => shift(&mut state, task, NodeId(rng.random_range(0..nodes))),
        };
        let Some(before) = changed else { continue };
        let plan = state.clone().unload();
        let value = worth(&plan);
        if value < best
            && check_plan(instance, &plan, false).is_empty()
            && let Trial::Holds(mut better) = hold.trial(&plan, &held.found_by)?
        {
            if !held.found_by.ends_with(POLISHED) {
                better.found_by.push_str(POLISHED);
            }
            (*held, best, idle) = (better, value, 0);
        } else {
            before.iter().for_each(|(task, _)| state.remove(*task));
            before.iter().for_each(|(task, node)| state.restore(*task, *node));
        }
    }
    Ok(())
}

/// Puts the task on another node; where it was, if it can be there.
fn shift(state: &mut State, task: TaskId, node: NodeId) -> Option<Vec<(TaskId, NodeId)>> {
    let home = state.node_of(task).filter(|home| *home != node)?;
    state.remove(task);
    if state.fits(task, node) {
        state.place(task, node);
        return Some(vec![(task, home)]);
    }
    state.restore(task, home);
    None
}

/// Exchanges two tasks; where they were, if they can be there.
fn exchange(state: &mut State, a: TaskId, b: TaskId) -> Option<Vec<(TaskId, NodeId)>> {
    let (of_a, of_b) = (state.node_of(a)?, state.node_of(b)?);
    if of_a == of_b {
        return None;
    }
    state.remove(a);
    state.remove(b);
    if state.fits(a, of_b) {
        state.place(a, of_b);
        if state.fits(b, of_a) {
            state.place(b, of_a);
            return Some(vec![(a, of_a), (b, of_b)]);
        }
        state.remove(a);
    }
    state.restore(a, of_a);
    state.restore(b, of_b);
    None
}

enum Tried {
    Holds,
    Fails,
    NoPlan,
}

fn attempt(
    hold: &Hold,
    instance: &Instance,
    note: &str,
    left: u32,
    stop: &Stop,
    best: &mut Option<Held>,
) -> Result<Tried> {
    let watch = Watch::new(stop.part(stop.remaining() / (left + 1)), hold.watch.log);
    let params = Params { survive: None, start: None, ..hold.params.clone() };
    let Answer::Plan(outcome) = solve_watched(instance, &params, &watch)? else {
        return Ok(Tried::NoPlan);
    };
    let found_by = format!("{}, {note}", outcome.found_by);
    let Trial::Holds(held) = hold.trial(&outcome.plan, &found_by)? else {
        return Ok(Tried::Fails);
    };
    let values = |held: &Held| held.values.iter().map(|tier| tier.value).collect::<Vec<f64>>();
    if best.as_ref().is_none_or(|best| values(&held) < values(best)) {
        *best = Some(held);
    }
    Ok(Tried::Holds)
}

/// Every domain with what it has of the resource of which it has most, as a part of what there is.
fn parts<'a>(hold: &'a Hold) -> Vec<(f64, &'a Domain)> {
    let instance = hold.instance;
    let all = |nodes: &[NodeId], r: usize| -> f64 {
        nodes.iter().map(|node| instance.capacity(*node)[r] as f64).sum()
    };
    let ready: Vec<NodeId> = instance.node_ids().filter(|node| instance.counted(*node)).collect();
    let whole: Vec<f64> = (0..instance.resources().len()).map(|r| all(&ready, r)).collect();
    let part = |domain: &Domain| {
        let some = whole.iter().enumerate().filter(|(_, whole)| **whole != 0.0);
        some.map(|(r, whole)| all(&domain.nodes, r) / whole).fold(0.0, f64::max)
    };
    let domains = hold.questions.iter().flat_map(|question| &question.domains);
    domains.map(|domain| (part(domain), domain)).collect()
}
