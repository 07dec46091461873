//! What nodes draw, idle and for each unit of load, in whole steps of one scale.

use super::draft::{DraftError, DraftItem, error};
use super::parts::Watts;
use super::{Decimal, Draft, Instance, NodeId, Scale, TaskId, gcd};

impl Instance {
    /// True when any node is said to draw anything.
    pub fn has_watts(&self) -> bool {
        !self.watts.idle.is_empty()
    }

    /// What one step of watts stands for.
    pub fn watt_scale(&self) -> Scale {
        self.watts.scale
    }

    /// What the node draws once it has a task, in steps.
    pub fn idle_watts(&self, node: NodeId) -> i64 {
        self.watts.idle.get(node.index()).copied().unwrap_or(0)
    }

    /// What each step of load adds, in steps, by resource; empty where nobody says any.
    pub fn load_watts(&self, node: NodeId) -> &[i64] {
        let width = self.resources().len();
        let row = node.index() * width..(node.index() + 1) * width;
        self.watts.load.get(row).unwrap_or(&[])
    }

    /// What the task's load adds on the node, in steps.
    pub fn watts_on(&self, task: TaskId, node: NodeId) -> i64 {
        let each = self.load_watts(node).iter().zip(self.demand_on(task, node));
        each.map(|(watts, load)| watts * load).sum()
    }
}

fn too_large() -> DraftError {
    let cause = "the watts of all nodes and tasks add up to more than 2^60 steps".to_owned();
    error(DraftItem::Whole, "watts", cause, "use larger units or fewer decimals")
}

/// What nodes draw, as integers of one scale.
pub(super) fn watts(instance: &Instance, draft: &Draft) -> Result<Watts, DraftError> {
    let given = draft.nodes.iter().flat_map(|node| {
        let load = node.watts.iter().map(|(_, watts)| *watts);
        load.chain(node.idle_watts)
    });
    let Some(places) = given.map(Decimal::decimals).max() else { return Ok(Watts::default()) };
    let width = instance.resources().len();
    // One step of a resource is num / den of its unit.
    let mut common: i64 = 1;
    for (r, _) in draft.nodes.iter().flat_map(|node| &node.watts) {
        let den = instance.resources()[*r as usize].scale.den;
        common = (common / gcd(common, den)).checked_mul(den).ok_or_else(too_large)?;
    }
    let whole = |watts: Decimal, times: Option<i64>| {
        let steps = watts.at_places(places).zip(times).and_then(|(w, times)| w.checked_mul(times));
        steps.ok_or_else(too_large)
    };
    let mut watts = Watts::default();
    for node in &draft.nodes {
        watts.idle.push(whole(node.idle_watts.unwrap_or(Decimal::ZERO), Some(common))?);
        let from = watts.load.len();
        watts.load.resize(from + width, 0);
        for (r, each) in &node.watts {
            let scale = instance.resources()[*r as usize].scale;
            let times = (common / scale.den).checked_mul(scale.num);
            watts.load[from + *r as usize] = whole(*each, times)?;
        }
    }
    if watts.idle.iter().chain(&watts.load).all(|watts| *watts == 0) {
        return Ok(Watts::default());
    }
    check_total(instance, &watts)?;
    let shared = watts.idle.iter().chain(&watts.load).fold(0, |g, value| gcd(g, *value)).max(1);
    watts.idle.iter_mut().chain(&mut watts.load).for_each(|value| *value /= shared);
    let den = 10i64.checked_pow(u32::from(places)).and_then(|den| den.checked_mul(common));
    let den = den.ok_or_else(too_large)?;
    let g = gcd(shared, den);
    watts.scale = Scale { num: shared / g, den: den / g };
    Ok(watts)
}

/// Refuses what any plan could add up to more than 60 bits.
pub(super) fn check_total(instance: &Instance, watts: &Watts) -> Result<(), DraftError> {
    let width = instance.resources().len();
    let mut total: i128 = watts.idle.iter().map(|idle| i128::from(*idle)).sum();
    for r in 0..width {
        let dearest = watts.load.iter().skip(r).step_by(width).max().copied().unwrap_or(0);
        let most = |task: TaskId| {
            let pairs = instance.pairs(task).map(|pair| pair.demand[r]);
            i128::from(pairs.fold(instance.demand(task)[r], i64::max))
        };
        total += i128::from(dearest) * instance.task_ids().map(most).sum::<i128>();
    }
    if total >= 1 << 60 { Err(too_large()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::super::{Draft, NodeDraft, TaskDraft};
    use super::*;

    #[test]
    fn finer_steps_draw_as_much() {
        let mut draft = Draft::default();
        let (cpu, memory) = (draft.resource("cpu"), draft.resource("memory"));
        let one = |r| (r, Decimal::ONE);
        let two = Decimal::from_integer(2).unwrap();
        draft.nodes.push(NodeDraft {
            id: "n".to_owned(),
            capacity: vec![(cpu, two), (memory, two)],
            idle_watts: Some(two),
            watts: vec![one(cpu), one(memory)],
            ..NodeDraft::default()
        });
        draft.tasks.push(TaskDraft {
            id: "t".to_owned(),
            demand: vec![one(cpu), one(memory)],
            deviation: vec![one(cpu)],
            ..TaskDraft::default()
        });
        let instance = draft.build().unwrap();
        let (task, node) = (TaskId(0), NodeId(0));
        let drawn = |instance: &Instance| {
            let steps = instance.watts_on(task, node) + instance.idle_watts(node);
            instance.watt_scale().to_f64(steps)
        };
        assert_eq!(drawn(&instance), 4.0);
        let finer = instance.with_headroom(Decimal::parse("0.15").unwrap()).unwrap();
        assert!(finer.demand(task)[0] > 1, "steps became finer");
        assert_eq!(drawn(&finer), 4.0);
    }
}
