//! From where tasks run today to a better plan: the moves in an order that works, and what
//! more moves would buy.

mod budgets;
mod exhaust;
mod frontier;
mod order;
mod waiting;
mod whatif;

pub use frontier::{Frontier, Point, frontier};
pub use order::{Order, Stuck, order, today};

use base::error::{Error, Kind, Result};
use judge::check::check_moves;
pub use waiting::Running;
pub use whatif::{Effect, Fit, rounds, what_if};

use base::stop::Stop;
use model::{Goal, Instance, Plan, Term, Tier};

/// What moving may cost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    /// Tasks that may move at most.
    pub moved: Option<usize>,
    /// What their moves may cost at most.
    pub cost: Option<f64>,
}

impl Limits {
    /// The tiers that keep them.
    pub fn tiers(&self) -> Vec<Tier> {
        let moved = self.moved.map(|most| Tier::limit(Term::Moved, most as f64));
        let cost = self.cost.map(|most| Tier::limit(Term::Moves, most));
        moved.into_iter().chain(cost).collect()
    }
}

/// Orders the moves and has the checker judge every step.
///
/// # Errors
/// A step that breaks a rule, which is a bug.
pub fn judged_order(
    instance: &Instance,
    start: &Plan,
    end: &Plan,
    seed: u64,
    stop: &Stop,
) -> Result<Order> {
    let found = order(instance, start, end, seed, stop);
    let open: Vec<_> = found.stuck.iter().map(|stuck| stuck.of).collect();
    match check_moves(instance, start, &found.waves, end, &open).first() {
        None => Ok(found),
        Some(wrong) => {
            let cause = format!("the order of moves breaks a rule: {wrong}");
            Err(Error::new(Kind::Solver, cause).help("this is a bug: please report it"))
        }
    }
}

/// The goal of a replan: within the limits the instance's goal, and of equal plans the one
/// with the cheapest moves. Where neither limits nor a goal asked for (`asked`) say how much
/// may move, as little as possible does.
pub fn goal(instance: &Instance, limits: &Limits, asked: bool) -> Goal {
    let mut tiers = limits.tiers();
    let free = tiers.is_empty() && !asked;
    let own = instance.goal();
    tiers.extend(own.tiers.iter().cloned());
    if !own.terms().any(Term::counts_moves) {
        let moves = Tier::single(Term::Moves);
        if free { tiers.insert(0, moves) } else { tiers.push(moves) }
    }
    Goal { tiers }
}
