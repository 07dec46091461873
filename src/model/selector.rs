//! Which nodes a task may run on and which it would rather: labels, taints,
//! preferences.

use std::fmt;

use super::{Decimal, nearest};

/// Label keys and values of a node.
pub type Labels = Vec<(String, String)>;

/// The value that stands for "whatever, as long as the label is there".
pub const ANY: &str = "*";

/// A mark on a node that keeps tasks away unless they tolerate it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Taint {
    /// Key, such as `gpu`.
    pub key: String,
    /// Value, possibly empty.
    pub value: String,
    /// False for marks that only make the node less welcome: each of them that a
    /// task does not tolerate costs 1 in the goal `soft`.
    pub hard: bool,
}

/// Taints that a task does not mind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Toleration {
    /// The key; [`ANY`] for every taint there is.
    pub key: String,
    /// The value; `None` for every value.
    pub value: Option<String>,
}

/// Labels a task would like its node to have.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Preference {
    /// Keys with the values that will do, sorted by key; all of them together.
    pub any_of: Vec<(String, Vec<String>)>,
    /// What it costs in the goal `soft` when the node has them not.
    pub weight: Decimal,
}

/// A requirement, by its position in [`Instance::requirements`]. 0 asks nothing.
///
/// [`Instance::requirements`]: super::Instance::requirements
pub type RequirementId = u32;

/// What a task asks of a node's labels and taints.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Requirement {
    /// Keys with the values that will do, sorted by key: every key must have one.
    pub any_of: Vec<(String, Vec<String>)>,
    /// Keys with values that the node must not have, sorted by key.
    pub none_of: Vec<(String, Vec<String>)>,
    /// Taints it does not mind, sorted.
    pub tolerations: Vec<Toleration>,
    /// What it would like.
    pub prefers: Vec<Preference>,
}

/// Why a requirement refuses a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal<'a> {
    /// A label is missing or has none of the values that will do.
    Lacks(&'a str, &'a [String]),
    /// A label has a value that it must not have.
    Avoids(&'a str, &'a str),
    /// A taint that is not tolerated.
    Tainted(&'a Taint),
}

fn value_of<'a>(labels: &'a Labels, key: &str) -> Option<&'a String> {
    labels.iter().find(|(known, _)| known == key).map(|(_, value)| value)
}

fn among(values: &[String], value: &str) -> bool {
    values.iter().any(|known| known == value || known == ANY)
}

fn has_all(labels: &Labels, any_of: &[(String, Vec<String>)]) -> bool {
    any_of.iter().all(|(key, values)| value_of(labels, key).is_some_and(|v| among(values, v)))
}

impl Toleration {
    fn covers(&self, taint: &Taint) -> bool {
        (self.key == ANY || self.key == taint.key)
            && self.value.as_ref().is_none_or(|value| *value == taint.value)
    }
}

impl Requirement {
    /// The first thing about the node that the requirement refuses.
    pub fn refusal<'a>(&'a self, labels: &'a Labels, taints: &'a [Taint]) -> Option<Refusal<'a>> {
        for (key, values) in &self.any_of {
            if !value_of(labels, key).is_some_and(|value| among(values, value)) {
                return Some(Refusal::Lacks(key, values));
            }
        }
        for (key, values) in &self.none_of {
            if let Some(value) = value_of(labels, key).filter(|value| among(values, value)) {
                return Some(Refusal::Avoids(key, value));
            }
        }
        let taint = taints.iter().find(|taint| taint.hard && !self.tolerates(taint));
        taint.map(Refusal::Tainted)
    }

    /// True when the node will do.
    pub fn accepts(&self, labels: &Labels, taints: &[Taint]) -> bool {
        self.refusal(labels, taints).is_none()
    }

    /// What was perhaps meant by a key, or by all values of a key, that none of these nodes
    /// has.
    pub fn misspelt(&self, nodes: &[&Labels]) -> Option<String> {
        let labels = || nodes.iter().copied().flatten();
        self.any_of.iter().find_map(|(key, values)| {
            let mut own = labels().filter(|(known, _)| known == key).peekable();
            if own.peek().is_none() {
                return nearest(key, labels().map(|(known, _)| known.as_str()));
            }
            let own: Vec<&str> = own.map(|(_, value)| value.as_str()).collect();
            if own.iter().any(|value| among(values, value)) {
                return None;
            }
            let near = values.iter().find_map(|value| nearest(value, own.iter().copied()))?;
            Some(format!("{key} = {near}"))
        })
    }

    fn tolerates(&self, taint: &Taint) -> bool {
        self.tolerations.iter().any(|toleration| toleration.covers(taint))
    }

    /// Weights of the preferences that the node does not meet, and 1 for each of
    /// its soft taints.
    pub(super) fn misses<'a>(
        &'a self,
        labels: &'a Labels,
        taints: &'a [Taint],
    ) -> impl Iterator<Item = Decimal> + 'a {
        let unmet = self.prefers.iter().filter(|p| !has_all(labels, &p.any_of)).map(|p| p.weight);
        let soft = taints.iter().filter(|taint| !taint.hard && !self.tolerates(taint));
        unmet.chain(soft.map(|_| Decimal::ONE))
    }
}

/// `gpu_model = A100 or H100 and zone = z1`
pub(super) fn asks(f: &mut fmt::Formatter<'_>, any_of: &[(String, Vec<String>)]) -> fmt::Result {
    for (k, (key, values)) in any_of.iter().enumerate() {
        f.write_str(if k > 0 { " and " } else { "" })?;
        match &values[..] {
            [any] if any == ANY => write!(f, "some {key}")?,
            values => write!(f, "{key} = {}", values.join(" or "))?,
        }
    }
    Ok(())
}

impl fmt::Display for Requirement {
    /// What a node must be like, in words; empty when anything will do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        asks(f, &self.any_of)?;
        if !self.none_of.is_empty() {
            f.write_str(if self.any_of.is_empty() { "not " } else { " and not " })?;
            asks(f, &self.none_of)?;
        }
        Ok(())
    }
}

impl fmt::Display for Refusal<'_> {
    /// What is wrong with the node: "lacks gpu_model = A100".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Lacks(key, [any]) if any == ANY => write!(f, "has no label {key}"),
            Refusal::Lacks(key, values) => write!(f, "lacks {key} = {}", values.join(" or ")),
            Refusal::Avoids(key, value) => write!(f, "has {key} = {value}, which is avoided"),
            Refusal::Tainted(taint) => write!(f, "is tainted {taint}"),
        }
    }
}

impl fmt::Display for Taint {
    /// `gpu=reserved`, with `:prefer` where it is soft.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)?;
        if !self.value.is_empty() {
            write!(f, "={}", self.value)?;
        }
        f.write_str(if self.hard { "" } else { ":prefer" })
    }
}

impl fmt::Display for Toleration {
    /// `gpu=reserved`, or `gpu` for every value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)?;
        self.value.as_ref().map_or(Ok(()), |value| write!(f, "={value}"))
    }
}
