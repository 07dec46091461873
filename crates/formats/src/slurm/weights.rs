//! Weights of nodes: Slurm gives jobs the lightest nodes that will do.

use super::cluster::Cluster;
use model::{Decimal, Draft, Goal, Preference, Selection};

/// The label that says what a node weighs.
pub(super) const WEIGHT: &str = "node_weight";
/// Most steps between weights that are told apart.
const STEPS: usize = 20;

impl Cluster {
    /// Among as many jobs as can start, those on the lightest nodes: a preference for each step. Plans
    /// in time have goals of their own.
    pub(super) fn prefer_light(&mut self, draft: &mut Draft) {
        let mut weights: Vec<i64> = self.nodes.iter().map(|node| node.weight).collect();
        weights.sort_unstable();
        weights.dedup();
        if weights.len() < 2 {
            return;
        }
        if !self.now {
            let cause = "weights of nodes are not planned with, but for what starts now";
            self.warnings.add("nodes[].weight".to_owned(), cause);
            return;
        }
        weights.pop();
        let step = weights.len().div_ceil(STEPS).max(1);
        let steps: Vec<i64> = weights.into_iter().step_by(step).collect();
        for node in &mut self.nodes {
            node.labels.push((WEIGHT.to_owned(), node.weight.to_string()));
        }
        let lighter = |most: &i64| {
            let below = vec![format!("<{}", most.saturating_add(1))];
            let labels =
                Selection { any_of: vec![(WEIGHT.to_owned(), below)], ..Selection::default() };
            Preference { labels, weight: Decimal::ONE }
        };
        let all: Vec<Preference> = steps.iter().map(lighter).collect();
        let more = Decimal::from_integer(all.len() as i64 + 1).unwrap_or(Decimal::ONE);
        for job in &mut self.pending {
            let prefers = &mut job.task.requires.prefers;
            // What the job itself prefers weighs more than all steps.
            prefers.iter_mut().for_each(|own| own.weight = more);
            prefers.extend(all.iter().cloned());
        }
        draft.goal = Goal::parse("soft, peak").ok();
    }
}
