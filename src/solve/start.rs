//! A plan to begin with: what holds of it is kept, the rest is placed anew.

use super::run::{Incumbent, Run};
use crate::check::check_plan;
use crate::model::Plan;
use crate::state::{Block, State};

impl Run<'_> {
    /// The plan that was given, repaired where it breaks rules. Nothing where tasks
    /// are left over that nobody finds a node for.
    pub(super) fn given(&self, start: &Plan) -> Option<Incumbent> {
        let holds = |plan: &Plan| check_plan(self.instance, plan, true).is_empty();
        let plan = match holds(start) {
            true => State::load_plan(self.instance, start).unload(),
            false => self.what_holds(start),
        };
        let plan = Some(plan).filter(holds)?;
        let incumbent = self.complete(Incumbent { plan, found_by: "the plan given".to_owned() });
        let complete = incumbent.plan.placed() == self.instance.tasks();
        (complete || self.params.allow_unplaced).then_some(incumbent)
    }

    /// The plan without tasks that have no place on their nodes, and without those of
    /// rules that are broken then.
    fn what_holds(&self, start: &Plan) -> Plan {
        let mut state = State::new(self.instance);
        for (task, node) in start.placements() {
            if matches!(state.blocked(task, node), None | Some(Block::Rule(_))) {
                state.restore(task, node);
            }
        }
        loop {
            let broken = state.broken_rules();
            if broken.is_empty() {
                return state.unload();
            }
            for rule in broken {
                let tasks = &self.instance.rules()[rule as usize].tasks;
                tasks.iter().for_each(|task| state.remove(*task));
            }
        }
    }
}
