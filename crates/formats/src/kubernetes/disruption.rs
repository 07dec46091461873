//! What keeps running pods from being evicted: disruption budgets, and what `kubectl drain` and
//! autoscalers do not touch unless they are told to.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::PodSpec;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::super::Eviction;
use super::objects::Place;
use super::selectors::{Labels, Selector};

/// Annotations of the API server and of autoscalers.
const MIRROR: &str = "kubernetes.io/config.mirror";
const UNSAFE: [(&str, &str); 2] = [
    ("cluster-autoscaler.kubernetes.io/safe-to-evict", "false"),
    ("karpenter.sh/do-not-disrupt", "true"),
];

/// A disruption budget.
#[derive(Debug)]
pub(super) struct Budget {
    pub(super) place: Place,
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) selector: Selector,
    /// What the controller says may be disrupted now.
    pub(super) allowed: Option<i64>,
    least: Option<IntOrString>,
    most: Option<IntOrString>,
}

impl Budget {
    /// Reads a budget.
    ///
    /// # Errors
    /// A selector that says nothing.
    pub(super) fn of(budget: PodDisruptionBudget, place: Place) -> Result<Budget, String> {
        let spec = budget.spec.unwrap_or_default();
        Ok(Budget {
            place,
            name: budget.metadata.name.unwrap_or_default(),
            namespace: budget.metadata.namespace.unwrap_or_else(|| "default".to_owned()),
            selector: Selector::of(spec.selector.as_ref(), &Labels::new(), None, None)?,
            allowed: budget.status.and_then(|status| status.disruptions_allowed).map(i64::from),
            least: spec.min_available,
            most: spec.max_unavailable,
        })
    }

    /// How many may be away at once, of so many that are wanted and so many that are well.
    /// After the disruption controller, which rounds percentages up.
    pub(super) fn at_once(&self, wanted: i64, healthy: i64) -> i64 {
        if let Some(allowed) = self.allowed {
            return allowed.max(0);
        }
        let part = |amount: &IntOrString| match amount {
            IntOrString::Int(amount) => Some(i64::from(*amount)),
            IntOrString::String(text) => {
                let percent: i64 = text.strip_suffix('%')?.parse().ok()?;
                Some((wanted.saturating_mul(percent.max(0)) + 99) / 100)
            }
        };
        let least = match (&self.least, &self.most) {
            (Some(least), _) => part(least).unwrap_or(wanted),
            (None, Some(most)) => wanted - part(most).unwrap_or(0),
            (None, None) => wanted,
        };
        (healthy - least.max(0)).max(0)
    }
}

/// Whether a pod belongs to its node: a new one like it has the same.
pub(super) fn belongs_to_node(
    owner: Option<&(String, String)>,
    notes: Option<&BTreeMap<String, String>>,
) -> bool {
    owner.is_some_and(|(kind, _)| kind == "DaemonSet" || kind == "Node")
        || notes.is_some_and(|notes| notes.contains_key(MIRROR))
}

/// Why a running pod is not evicted, where nobody says that it may be.
pub(super) fn keeps(
    spec: &PodSpec,
    owner: Option<&(String, String)>,
    notes: Option<&BTreeMap<String, String>>,
    eviction: Eviction,
) -> Option<&'static str> {
    let local = || spec.volumes.iter().flatten().any(|volume| volume.empty_dir.is_some());
    let says = |(key, value): &(&str, &str)| {
        notes.and_then(|notes| notes.get(*key)).is_some_and(|own| own == value)
    };
    if owner.is_none() && !eviction.force {
        Some("pods without a controller stay without --force")
    } else if local() && !eviction.delete_emptydir_data {
        Some("pods with local storage stay without --delete-emptydir-data")
    } else if UNSAFE.iter().any(says) && !eviction.force {
        Some("pods that are marked as not safe to evict stay without --force")
    } else {
        None
    }
}
