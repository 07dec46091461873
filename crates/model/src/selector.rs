//! Which nodes a task may run on and which it would rather: labels, taints,
//! preferences.

use std::fmt;

use super::Decimal;
use base::nearest;

/// Label keys and values of a node.
pub type Labels = Vec<(String, String)>;

/// The value that stands for "whatever, as long as the label is there". Values `>N`, `<N`
/// and `>N<M` stand for the whole numbers above N, below N, and between the two.
pub const ANY: &str = "*";

/// What a taint does to tasks that do not tolerate it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Effect {
    /// They are not placed there.
    #[default]
    NoSchedule,
    /// Likewise; what runs there is driven out, which is not the plan's doing.
    NoExecute,
    /// They are less welcome: each such taint costs 1 in the goal `soft`.
    Prefer,
}

impl Effect {
    /// Every effect with the word that ends a taint or a toleration.
    pub const ALL: [(Effect, &'static str); 3] = [
        (Effect::NoSchedule, ":no-schedule"),
        (Effect::NoExecute, ":no-execute"),
        (Effect::Prefer, ":prefer"),
    ];

    /// The word that ends a taint or a toleration.
    pub fn suffix(self) -> &'static str {
        Effect::ALL.iter().find(|(effect, _)| *effect == self).map_or("", |(_, word)| word)
    }
}

/// A mark on a node that keeps tasks away unless they tolerate it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Taint {
    /// Key, such as `gpu`.
    pub key: String,
    /// Value, possibly empty.
    pub value: String,
    /// What it does.
    pub effect: Effect,
}

/// What is wrong with the key and value of a taint or of a toleration: as a text they would not be
/// read as what they are.
pub(super) fn wrong_mark(key: &str, value: Option<&str>) -> Option<String> {
    let untidy = |text: &str| text.trim() != text;
    let effect = |text: &str| Effect::ALL.iter().any(|(_, word)| text.ends_with(word));
    // An empty value is not written: the key is what ends the text.
    let text = value.filter(|value| !value.is_empty()).unwrap_or(key);
    match key {
        "" => Some("it has no key".to_owned()),
        ANY if value.is_some() => Some(format!("`{ANY}` stands for every taint, with no value")),
        _ if key.contains('=') => Some(format!("its key `{key}` has a `=`")),
        _ if effect(text) => Some(format!("`{text}` ends like an effect")),
        _ if untidy(key) || untidy(text) => {
            Some(format!("{text:?} starts or ends with white space"))
        }
        _ => None,
    }
}

/// Taints that a task does not mind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Toleration {
    /// The key; [`ANY`] for every taint there is.
    pub key: String,
    /// The value; `None` for every value.
    pub value: Option<String>,
    /// The effect; `None` for every effect.
    pub effect: Option<Effect>,
}

/// What the labels of a node must be like.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Selection {
    /// Keys with the values that will do, sorted by key: every key must have one.
    pub any_of: Vec<(String, Vec<String>)>,
    /// Keys with values that the node must not have, sorted by key.
    pub none_of: Vec<(String, Vec<String>)>,
}

/// Labels a task would like its node to have.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Preference {
    /// All of this together.
    pub labels: Selection,
    /// What it costs in the goal `soft` when the node is not so.
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
    /// Where there are any, one of these must hold beside.
    pub either: Vec<Selection>,
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
    /// None of several alternatives holds.
    Neither(&'a [Selection]),
    /// A taint that is not tolerated.
    Tainted(&'a Taint),
}

fn value_of<'a>(labels: &'a Labels, key: &str) -> Option<&'a String> {
    labels.iter().find(|(known, _)| known == key).map(|(_, value)| value)
}

fn among(values: &[String], value: &str) -> bool {
    values.iter().any(|known| known == value || known == ANY || in_range(known, value))
}

/// The bounds of a range of whole numbers, both exclusive: `>4`, `<8` or `>4<8`.
fn range(text: &str) -> Option<(i64, i64)> {
    let (above, below) = match (text.strip_prefix('>'), text.strip_prefix('<')) {
        (Some(rest), _) => match rest.split_once('<') {
            Some((above, below)) => (Some(above), Some(below)),
            None => (Some(rest), None),
        },
        (None, below) => (None, Some(below?)),
    };
    let number = |text: Option<&str>, none: i64| text.map_or(Some(none), |t| t.parse().ok());
    Some((number(above, i64::MIN)?, number(below, i64::MAX)?))
}

fn in_range(known: &str, value: &str) -> bool {
    range(known).is_some_and(|(above, below)| {
        value.parse::<i64>().is_ok_and(|number| above < number && number < below)
    })
}

impl Selection {
    /// True when the labels will do.
    pub fn accepts(&self, labels: &Labels) -> bool {
        let has = |(key, values): &(String, Vec<String>)| {
            value_of(labels, key).is_some_and(|value| among(values, value))
        };
        self.any_of.iter().all(has) && !self.none_of.iter().any(has)
    }
}

impl Toleration {
    fn covers(&self, taint: &Taint) -> bool {
        (self.key == ANY || self.key == taint.key)
            && self.value.as_ref().is_none_or(|value| *value == taint.value)
            && self.effect.is_none_or(|effect| effect == taint.effect)
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
        if !self.either.is_empty() && !self.either.iter().any(|one| one.accepts(labels)) {
            return Some(Refusal::Neither(&self.either));
        }
        self.kept_away_by(taints).map(Refusal::Tainted)
    }

    /// The first of the taints that it does not tolerate; those that only make a node less welcome
    /// apart.
    pub fn kept_away_by<'a>(&self, taints: &'a [Taint]) -> Option<&'a Taint> {
        let hard = |taint: &&Taint| taint.effect != Effect::Prefer && !self.tolerates(taint);
        taints.iter().find(hard)
    }

    /// True when the node will do.
    pub fn accepts(&self, labels: &Labels, taints: &[Taint]) -> bool {
        self.refusal(labels, taints).is_none()
    }

    /// True when it asks, or wishes, anything of the label.
    pub fn mentions(&self, key: &str) -> bool {
        let either = self.either.iter().flat_map(|one| one.any_of.iter().chain(&one.none_of));
        let wished = self.prefers.iter().map(|preference| &preference.labels);
        let wished = wished.flat_map(|one| one.any_of.iter().chain(&one.none_of));
        let all = self.any_of.iter().chain(&self.none_of).chain(either).chain(wished);
        all.into_iter().any(|(known, _)| known == key)
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
        let unmet = self.prefers.iter().filter(|p| !p.labels.accepts(labels)).map(|p| p.weight);
        let soft = |taint: &&Taint| taint.effect == Effect::Prefer && !self.tolerates(taint);
        let soft = taints.iter().filter(soft);
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

/// What the labels must be like, and what not.
fn both(
    f: &mut fmt::Formatter<'_>,
    any_of: &[(String, Vec<String>)],
    none_of: &[(String, Vec<String>)],
) -> fmt::Result {
    asks(f, any_of)?;
    if !none_of.is_empty() {
        f.write_str(if any_of.is_empty() { "not " } else { " and not " })?;
        asks(f, none_of)?;
    }
    Ok(())
}

/// `(zone = z1) or (zone = z2 and not disk = hdd)`
fn alternatives(f: &mut fmt::Formatter<'_>, either: &[Selection]) -> fmt::Result {
    for (k, one) in either.iter().enumerate() {
        f.write_str(if k > 0 { " or (" } else { "(" })?;
        both(f, &one.any_of, &one.none_of)?;
        f.write_str(")")?;
    }
    Ok(())
}

impl fmt::Display for Requirement {
    /// What a node must be like, in words; empty when anything will do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        both(f, &self.any_of, &self.none_of)?;
        let more = !self.any_of.is_empty() || !self.none_of.is_empty();
        match (self.either.is_empty(), more) {
            (true, _) => Ok(()),
            (false, true) => {
                f.write_str(" and one of ").and_then(|()| alternatives(f, &self.either))
            }
            (false, false) => alternatives(f, &self.either),
        }
    }
}

impl fmt::Display for Refusal<'_> {
    /// What is wrong with the node: "lacks gpu_model = A100".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Lacks(key, [any]) if any == ANY => write!(f, "has no label {key}"),
            Refusal::Lacks(key, values) => write!(f, "lacks {key} = {}", values.join(" or ")),
            Refusal::Avoids(key, value) => write!(f, "has {key} = {value}, which is avoided"),
            Refusal::Neither(either) => {
                f.write_str("has none of ").and_then(|()| alternatives(f, either))
            }
            Refusal::Tainted(taint) => write!(f, "is tainted {taint}"),
        }
    }
}

impl fmt::Display for Taint {
    /// `gpu=reserved`, with `:prefer` or `:no-execute` where it does that.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)?;
        if !self.value.is_empty() {
            write!(f, "={}", self.value)?;
        }
        f.write_str(if self.effect == Effect::NoSchedule { "" } else { self.effect.suffix() })
    }
}

impl fmt::Display for Toleration {
    /// `gpu=reserved`, or `gpu` for every value; with an effect behind it, for that alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)?;
        self.value.as_ref().map_or(Ok(()), |value| write!(f, "={value}"))?;
        f.write_str(self.effect.map_or("", Effect::suffix))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, Vec<String>)> {
        let parts = text.split(' ').filter_map(|part| part.split_once('='));
        parts.map(|(k, v)| (k.to_owned(), v.split('|').map(str::to_owned).collect())).collect()
    }

    fn labels(text: &str) -> Labels {
        pairs(text).into_iter().map(|(key, mut values)| (key, values.remove(0))).collect()
    }

    #[test]
    fn ranges_are_of_whole_numbers_and_exclusive() {
        let accepts = |asked: &str, has: &str| {
            Selection { any_of: pairs(asked), none_of: Vec::new() }.accepts(&labels(has))
        };
        assert!(accepts("cores=>8", "cores=9") && !accepts("cores=>8", "cores=8"));
        assert!(accepts("cores=<8", "cores=-1") && !accepts("cores=<8", "cores=8"));
        assert!(accepts("cores=>4<8", "cores=5") && !accepts("cores=>4<8", "cores=8"));
        assert!(!accepts("cores=>4", "cores=many") && !accepts("cores=>4", "zone=5"));
        assert!(accepts("cores=>x", "cores=>x"), "no range is a plain value");
    }

    #[test]
    fn one_of_the_alternatives_must_hold() {
        let one = Selection { any_of: pairs("zone=z1"), none_of: Vec::new() };
        let two = Selection { any_of: pairs("zone=z2"), none_of: pairs("disk=hdd") };
        let requirement = Requirement { either: vec![one, two], ..Requirement::default() };
        for (has, fine) in
            [("zone=z1 disk=hdd", true), ("zone=z2", true), ("zone=z2 disk=hdd", false)]
        {
            assert_eq!(requirement.accepts(&labels(has), &[]), fine, "{has}");
        }
        let words = "has none of (zone = z1) or (zone = z2 and not disk = hdd)";
        assert_eq!(requirement.refusal(&labels("a=b"), &[]).unwrap().to_string(), words);
    }

    #[test]
    fn a_toleration_may_be_for_one_effect() {
        let toleration = |effect| Toleration { key: "gpu".into(), value: None, effect };
        let taint = |effect| Taint { key: "gpu".into(), value: "x".into(), effect };
        let covers = |t, effect| toleration(t).covers(&taint(effect));
        assert!(covers(None, Effect::NoExecute));
        assert!(covers(Some(Effect::NoExecute), Effect::NoExecute));
        assert!(!covers(Some(Effect::NoSchedule), Effect::NoExecute));
    }
}
