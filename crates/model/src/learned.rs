//! What was learned of kinds of tasks from earlier runs, and which tasks it is for.

use super::{Decimal, Draft, TaskDraft};

/// A robust estimate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Runs that it rests on.
    pub runs: usize,
    /// Where runs lie.
    pub middle: f64,
    /// How far from there, as a standard deviation.
    pub spread: f64,
}

/// One kind of tasks.
#[derive(Clone, Debug, PartialEq)]
pub struct KindEstimates {
    /// The name.
    pub kind: String,
    /// Rows about it.
    pub runs: usize,
    /// Seconds on a node of usual speed.
    pub seconds: Option<Estimate>,
    /// By resource.
    pub demand: Vec<(String, Estimate)>,
}

/// Every kind, in the order of names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Learned {
    /// In the order of names, each once.
    pub kinds: Vec<KindEstimates>,
    /// Nodes in the order of names, each once.
    pub speeds: Vec<NodeSpeed>,
}

/// How fast a node, or a kind of node, is.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeSpeed {
    /// The name.
    pub node: String,
    /// Runs that it rests on.
    pub runs: usize,
    /// Where the usual node has 1.
    pub speed: f64,
}

/// What a demand that the instance states counts, in runs.
const STATED: f64 = 2.0;

impl Learned {
    /// What was learned of the task's kind: that of its key, of its id, or of the longest part of its
    /// id before one of `- _ . / [`.
    pub fn of(&self, id: &str, key: Option<&str>) -> Option<&KindEstimates> {
        let find = |name: &str| {
            let at = self.kinds.binary_search_by(|known| known.kind.as_str().cmp(name)).ok()?;
            self.kinds.get(at)
        };
        let cuts = id.char_indices().rev().filter(|(_, c)| "-_./[".contains(*c));
        let parts = cuts.map(|(at, _)| &id[..at]);
        key.into_iter().chain([id]).chain(parts).find_map(find)
    }

    /// Gives tasks the durations and demands of their kinds, and says of what it could not. A demand
    /// that a task states already counts like two runs.
    pub(super) fn set(&self, task: &mut TaskDraft, draft_resources: &[(String, bool)]) -> bool {
        let Some(known) = self.of(&task.id, task.key.as_deref()) else { return false };
        if let Some(seconds) = known.seconds {
            task.duration = Some(seconds.middle.ceil() as i64);
        }
        for (name, estimate) in &known.demand {
            let at = draft_resources.iter().position(|(own, varies)| own == name && *varies);
            let Some(r) = at.map(|at| at as u16) else { continue };
            let stated = task.demand.iter().find(|(own, _)| *own == r).map(|(_, d)| d.to_f64());
            let n = estimate.runs as f64;
            let mean = match stated.filter(|stated| *stated > 0.0) {
                Some(stated) => (n * estimate.middle + STATED * stated) / (n + STATED),
                None => estimate.middle,
            };
            let (Some(mean), Some(sd)) =
                (Decimal::rounded_up(mean), Decimal::rounded_up(estimate.spread))
            else {
                continue;
            };
            task.demand.retain(|(own, _)| *own != r);
            task.deviation.retain(|(own, _)| *own != r);
            task.demand.push((r, mean));
            if !sd.is_zero() && !mean.is_zero() {
                task.deviation.push((r, sd));
            }
        }
        true
    }

    /// What was learned of the node, or kind of node, of that name.
    pub fn speed(&self, name: &str) -> Option<f64> {
        let at = self.speeds.binary_search_by(|known| known.node.as_str().cmp(name)).ok()?;
        self.speeds.get(at).map(|known| known.speed)
    }

    /// Gives nodes without a speed what was learned of them: by id, or by a value of their labels.
    fn set_speeds(&self, draft: &mut Draft) {
        for node in draft.nodes.iter_mut().filter(|node| node.speed.is_none()) {
            let names = node.labels.iter().map(|(_, value)| value.as_str());
            let mut names = std::iter::once(node.id.as_str()).chain(names);
            let known = names.find_map(|name| self.speed(name));
            node.speed = known.and_then(Decimal::rounded_up);
        }
    }

    /// Gives tasks the durations and demands of their kinds, and nodes their speeds; warnings say for
    /// what there was no use. A demand that a task states already counts like two runs.
    pub fn apply(&self, draft: &mut Draft) {
        self.set_speeds(draft);
        let resources: Vec<(String, bool)> = (draft.resources.iter())
            .map(|resource| (resource.name.clone(), !resource.devices && !resource.transient))
            .collect();
        let known =
            draft.tasks.iter_mut().filter_map(|task| self.set(task, &resources).then_some(()));
        let (known, all) = (known.count(), draft.tasks.len());
        if known < all {
            let warning =
                format!("history: {} of {all} tasks are of no kind that ran", all - known);
            draft.warnings.push(warning);
        }
        let mut names: Vec<&str> = self
            .kinds
            .iter()
            .flat_map(|kind| kind.demand.iter().map(|(name, _)| name.as_str()))
            .collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let why = match resources.iter().find(|(own, _)| own == name) {
                None => "is no resource of the instance",
                Some((_, false)) => "comes in cards or is transient and does not vary",
                Some(_) => continue,
            };
            draft.warnings.push(format!("history: `{name}` {why}: left as it is"));
        }
    }
}
