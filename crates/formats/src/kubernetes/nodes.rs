//! v1 Node to the node of a draft.

use k8s_openapi::api::core::v1::{Node, NodeStatus, Taint as ApiTaint};

use super::affinity::NAME;
use super::requests::{Amounts, Wrong, amounts};
use super::shares::registered;
use super::warnings::Warnings;
use model::{Direction, Effect, Labels, NodeState, Requirement, Taint};

/// What a node offers and asks.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) name: String,
    pub(super) allocatable: Amounts,
    /// Memory of each card that HAMi has registered, in MiB.
    pub(super) cards: Vec<i64>,
    /// Pods it takes at most.
    pub(super) pods: Option<i64>,
    pub(super) labels: Labels,
    pub(super) taints: Vec<Taint>,
    pub(super) state: NodeState,
}

impl Host {
    /// The value of the label, where the node has it.
    pub(super) fn label(&self, key: &str) -> Option<&str> {
        self.labels.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    /// Whether a pod that asks so much of labels, or of a name, means this node.
    pub(super) fn is_selected_by(&self, requirement: &Requirement) -> bool {
        if !requirement.mentions(NAME) {
            return requirement.accepts(&self.labels, &[]);
        }
        let own = (NAME.to_owned(), self.name.clone());
        requirement.accepts(&self.labels.iter().cloned().chain([own]).collect(), &[])
    }

    /// Whether a pod that asks so much may come here for all that the node's taints say. The
    /// scheduler goes by these alone, whatever else is said of the node.
    pub(super) fn lets_in(&self, requirement: &Requirement) -> bool {
        requirement.kept_away_by(&self.taints).is_none()
    }
}

/// What the scheduler sees of a cordon.
const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";
/// Conditions, and the taint that the node controller makes of each.
const CONDITIONS: [(&str, &str, &str); 6] = [
    ("Ready", "False", "node.kubernetes.io/not-ready"),
    ("Ready", "Unknown", "node.kubernetes.io/unreachable"),
    ("MemoryPressure", "True", "node.kubernetes.io/memory-pressure"),
    ("DiskPressure", "True", "node.kubernetes.io/disk-pressure"),
    ("PIDPressure", "True", "node.kubernetes.io/pid-pressure"),
    ("NetworkUnavailable", "True", "node.kubernetes.io/network-unavailable"),
];
const PODS: &str = "pods";
/// Counts of volumes by their driver, which pods cannot ask for by name.
const VOLUMES: &str = "attachable-volumes-";

/// Reads a node.
///
/// # Errors
/// Quantities that are none.
pub(super) fn host(node: &Node, place: &str, warnings: &mut Warnings) -> Result<Host, Wrong> {
    let status = node.status.as_ref();
    let mut allocatable = amounts(allocatable(status, place, warnings), "status.allocatable")?;
    let pods = allocatable.remove(PODS);
    allocatable.retain(|name, _| !name.starts_with(VOLUMES));
    let spec = node.spec.as_ref();
    let mut taints = Vec::new();
    for (k, taint) in spec.and_then(|s| s.taints.as_ref()).into_iter().flatten().enumerate() {
        match self::taint(taint) {
            Some(taint) => taints.push(taint),
            None => {
                let what = format!("there is no effect `{}`: the taint is left out", taint.effect);
                let field = format!("spec.taints[{k}].effect");
                warnings.assume(Direction::Wider, place, &field, &what);
            }
        }
    }
    let cordoned = spec.and_then(|s| s.unschedulable) == Some(true);
    for key in marks(status).chain(cordoned.then_some(UNSCHEDULABLE)) {
        let effect = Effect::NoSchedule;
        if !taints.iter().any(|taint| (taint.key.as_str(), taint.effect) == (key, effect)) {
            taints.push(Taint { key: key.to_owned(), value: String::new(), effect });
        }
    }
    Ok(Host {
        name: node.metadata.name.clone().unwrap_or_default(),
        cards: registered(node),
        allocatable,
        pods,
        labels: node.metadata.labels.clone().unwrap_or_default().into_iter().collect(),
        taints,
        state: match (ready(status), cordoned) {
            (false, _) => NodeState::Down,
            (true, true) => NodeState::Drain,
            (true, false) => NodeState::Ready,
        },
    })
}

type Quantities<'a> = Option<
    &'a std::collections::BTreeMap<String, k8s_openapi::apimachinery::pkg::api::resource::Quantity>,
>;

fn allocatable<'a>(
    status: Option<&'a NodeStatus>,
    place: &str,
    warnings: &mut Warnings,
) -> Quantities<'a> {
    let status = status?;
    if status.allocatable.is_none() && status.capacity.is_some() {
        let what = "there is none, the node is taken to give all of its capacity";
        warnings.assume(Direction::Wider, place, "status.allocatable", what);
    }
    status.allocatable.as_ref().or(status.capacity.as_ref())
}

/// A node that says nothing about it is taken to be ready.
fn ready(status: Option<&NodeStatus>) -> bool {
    let conditions = status.and_then(|s| s.conditions.as_ref()).into_iter().flatten();
    let mut said = conditions.filter(|condition| condition.type_ == "Ready");
    said.all(|condition| condition.status == "True")
}

/// The taints that the node controller sets for what the conditions say.
fn marks(status: Option<&NodeStatus>) -> impl Iterator<Item = &'static str> {
    let conditions = status.and_then(|s| s.conditions.as_ref()).into_iter().flatten();
    conditions.filter_map(|one| {
        let own =
            |(kind, status, _): &&(&str, &str, &str)| one.type_ == *kind && one.status == *status;
        CONDITIONS.iter().find(own).map(|(_, _, key)| *key)
    })
}

fn taint(taint: &ApiTaint) -> Option<Taint> {
    Some(Taint {
        key: taint.key.clone(),
        value: taint.value.clone().unwrap_or_default(),
        effect: effect(&taint.effect)?,
    })
}

/// An effect by its name in the API.
pub(super) fn effect(name: &str) -> Option<Effect> {
    match name {
        "NoSchedule" => Some(Effect::NoSchedule),
        "NoExecute" => Some(Effect::NoExecute),
        "PreferNoSchedule" => Some(Effect::Prefer),
        _ => None,
    }
}
