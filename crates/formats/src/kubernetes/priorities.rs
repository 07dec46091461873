//! Who comes first: priorities of pods and of their classes.

use super::super::Running;
use super::cluster::Cluster;
use model::Direction;

/// What takes a priority below all others: such a pod evicts nobody.
const BELOW_ALL: i64 = 1 << 40;

impl Cluster {
    /// The priority of a waiting pod: its own, that of its class, or the usual one.
    pub(super) fn priority(&mut self, k: usize) -> i64 {
        let pod = self.waiting[k].clone();
        if let Some(priority) = pod.priority {
            let meek = pod.never_preempts && self.mode == Running::Evictable;
            return if meek { priority - BELOW_ALL } else { priority };
        }
        let Some(class) = pod.priority_class.as_deref().filter(|name| !name.is_empty()) else {
            return self.usual_priority;
        };
        let known = self.priorities.get(class).copied().or(match class {
            "system-cluster-critical" => Some(2_000_000_000),
            "system-node-critical" => Some(2_000_001_000),
            _ => None,
        });
        known.unwrap_or_else(|| {
            let place = self.show(pod.place, &pod.id);
            let what = format!(
                "the priority class `{class}` is not known, the priority is {}: add kubectl get priorityclasses",
                self.usual_priority
            );
            self.warnings.assume(Direction::Either, &place, "spec.priorityClassName", &what);
            self.usual_priority
        })
    }
}
