//! A plan to begin with: what holds of it is kept, the rest is placed anew.

use super::run::{Incumbent, Run};
use judge::check::check_plan;
use model::state::{Block, State};
use model::{NodeId, Plan, TaskId};

/// What is said of a start that is of no use.
pub(super) const SET_ASIDE: &str =
    "the plan given breaks rules and could not be repaired; it was set aside";

impl Run<'_> {
    /// The plan that was given, repaired where it breaks rules. Nothing where tasks
    /// are left over that nobody finds a node for.
    pub(super) fn given(&self, start: &Plan) -> Option<Incumbent> {
        let holds = |plan: &Plan| check_plan(self.instance, plan, true).is_empty();
        let plan = if holds(start) {
            State::load_plan(self.instance, start).unload()
        } else {
            self.what_holds(start)
        };
        let plan = Some(plan).filter(holds)?;
        let incumbent = self.complete(Incumbent { plan, found_by: "the plan given".to_owned() });
        let complete = incumbent.plan.placed() == self.instance.tasks();
        (complete || self.params.allow_unplaced).then_some(incumbent)
    }

    /// The plan without tasks that have no place on their nodes and without those of rules
    /// that are broken then; these on the emptiest nodes that take them now.
    fn what_holds(&self, start: &Plan) -> Plan {
        let mut state = State::new(self.instance);
        for (task, node) in start.placements() {
            if matches!(state.blocked(task, node), None | Some(Block::Rule(_))) {
                state.restore(task, node);
            }
        }
        drop_broken(&mut state);
        for job in self.instance.jobs() {
            let units = || self.instance.units(job).map(TaskId::from);
            if units().any(|unit| state.node_of(unit).is_some()) {
                continue;
            }
            for unit in units() {
                match emptiest(&state, unit) {
                    Some(node) => state.place(unit, node),
                    None => break,
                }
            }
        }
        drop_broken(&mut state);
        state.unload()
    }
}

/// Removes the tasks of broken rules until none is broken.
fn drop_broken(state: &mut State) {
    loop {
        let broken = state.broken_rules();
        if broken.is_empty() {
            return;
        }
        for rule in broken {
            let tasks = &state.instance().rules()[rule as usize].tasks;
            tasks.iter().for_each(|task| state.remove(*task));
        }
    }
}

/// The node that is least full with the task, among those that take it as things stand.
fn emptiest(state: &State, task: TaskId) -> Option<NodeId> {
    let instance = state.instance();
    let fullness = |node: NodeId| {
        let taken = state.taken(task, node).iter().zip(instance.demand_on(task, node));
        let parts = taken.zip(instance.limit(node)).filter(|(_, limit)| **limit > 0);
        parts.map(|((taken, own), limit)| (taken + own) as f64 / *limit as f64).fold(0.0, f64::max)
    };
    let nodes = instance.node_ids().filter(|node| state.fits(task, *node));
    nodes
        .map(|node| (fullness(node), node))
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, node)| node)
}
