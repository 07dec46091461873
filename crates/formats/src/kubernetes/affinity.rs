//! What a pod asks of its node's labels and taints: node selectors, node affinity,
//! tolerations.

use k8s_openapi::api::core::v1::{
    NodeSelectorRequirement, NodeSelectorTerm, PodSpec, Toleration as ApiToleration,
};

use super::nodes::effect;
use model::{ANY, Decimal, Direction, Preference, Requirement, Selection, Toleration};

/// The label that tells nodes apart.
pub(super) const HOSTNAME: &str = "kubernetes.io/hostname";
/// The name that stands for a node's own name among labels, where pods ask for that.
pub(super) const NAME: &str = "metadata.name";

/// Tells of a field that is not planned with as it is meant, and which way that errs.
pub(super) type Tell<'a> = &'a mut dyn FnMut(Direction, String, String);

/// All that the pod asks of its node.
pub(super) fn requirement(spec: &PodSpec, tell: Tell) -> Requirement {
    let mut all = Selection::default();
    for (key, value) in spec.node_selector.iter().flatten() {
        narrow(&mut all, key, vec![value.clone()]);
    }
    let affinity = spec.affinity.as_ref().and_then(|a| a.node_affinity.as_ref());
    let required = affinity
        .and_then(|a| a.required_during_scheduling_ignored_during_execution.as_ref())
        .map(|required| &required.node_selector_terms);
    let mut either = Vec::new();
    let at = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution";
    for (k, term) in required.into_iter().flatten().enumerate() {
        // A term without expressions matches no node.
        let empty = term.match_expressions.is_none() && term.match_fields.is_none();
        let selection = selection(term, &format!("{at}.nodeSelectorTerms[{k}]"), tell);
        if !empty && !either.contains(&selection) {
            either.push(selection);
        }
    }
    if required.is_some() && either.is_empty() {
        narrow(&mut all, NAME, Vec::new());
    }
    if let [only] = &either[..] {
        only.any_of.iter().for_each(|(key, values)| narrow(&mut all, key, values.clone()));
        only.none_of.iter().for_each(|(key, values)| bar(&mut all, key, values.clone()));
        either.clear();
    }
    let preferred = affinity
        .and_then(|a| a.preferred_during_scheduling_ignored_during_execution.as_ref())
        .into_iter()
        .flatten()
        .enumerate();
    let at = "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution";
    let mut prefers = Vec::new();
    for (k, term) in preferred {
        let labels = selection(&term.preference, &format!("{at}[{k}].preference"), tell);
        let weight = Decimal::from_integer(i64::from(term.weight)).unwrap_or(Decimal::ZERO);
        // A term without expressions wants nothing.
        if labels != Selection::default() {
            prefers.push(Preference { labels, weight });
        }
    }
    let mut tolerations = Vec::new();
    for (k, toleration) in spec.tolerations.iter().flatten().enumerate() {
        match self::toleration(toleration) {
            Ok(toleration) => tolerations.push(toleration),
            Err(what) => tell(Direction::Narrower, format!("spec.tolerations[{k}]"), what),
        }
    }
    tolerations.sort();
    tolerations.dedup();
    let Selection { any_of, none_of } = finished(all);
    Requirement { any_of, none_of, either, tolerations, prefers }
}

fn toleration(toleration: &ApiToleration) -> Result<Toleration, String> {
    let none = |text: &Option<String>| text.as_ref().is_none_or(String::is_empty);
    let value = match toleration.operator.as_deref() {
        None | Some("" | "Equal") => Some(toleration.value.clone().unwrap_or_default()),
        Some("Exists") => None,
        Some(other) => return Err(format!("the operator {other} is left out")),
    };
    let key = match (&toleration.key, &value) {
        (Some(key), _) if !key.is_empty() => key.clone(),
        (_, None) => ANY.to_owned(),
        (_, Some(_)) => return Err("without a key only Exists means anything".to_owned()),
    };
    let effect = match &toleration.effect {
        text if none(text) => None,
        text => {
            let name = text.as_deref().unwrap_or_default();
            Some(effect(name).ok_or_else(|| format!("there is no effect `{name}`"))?)
        }
    };
    Ok(Toleration { key, value, effect })
}

/// A term: all of its expressions.
pub(super) fn selection(term: &NodeSelectorTerm, at: &str, tell: Tell) -> Selection {
    let mut selection = Selection::default();
    for (k, field) in term.match_fields.iter().flatten().enumerate() {
        if field.key != NAME {
            let what = format!("there is no field `{}` to match", field.key);
            tell(Direction::Either, format!("{at}.matchFields[{k}]"), what);
        }
        express(&mut selection, field, &format!("{at}.matchFields[{k}]"), tell);
    }
    for (k, expression) in term.match_expressions.iter().flatten().enumerate() {
        express(&mut selection, expression, &format!("{at}.matchExpressions[{k}]"), tell);
    }
    finished(selection)
}

fn express(to: &mut Selection, one: &NodeSelectorRequirement, at: &str, tell: Tell) {
    let values = one.values.clone().unwrap_or_default();
    let any = || vec![ANY.to_owned()];
    match (one.operator.as_str(), &values[..]) {
        ("In", _) => narrow(to, &one.key, values),
        ("NotIn", _) => bar(to, &one.key, values),
        ("Exists", _) => narrow(to, &one.key, any()),
        ("DoesNotExist", _) => bar(to, &one.key, any()),
        (operator @ ("Gt" | "Lt"), [number]) if number.parse::<i64>().is_ok() => {
            let sign = if operator == "Gt" { '>' } else { '<' };
            narrow(to, &one.key, vec![format!("{sign}{number}")]);
        }
        (operator, _) => {
            let what = format!("the operator {operator} with {} values is left out", values.len());
            tell(Direction::Wider, at.to_owned(), what);
        }
    }
}

/// The selection as files can say it, which have no empty lists: where no value will do, the key
/// has to be there and must not; where none is excluded, nothing is said. Sorted.
pub(super) fn finished(mut selection: Selection) -> Selection {
    selection.none_of.retain(|(_, values)| !values.is_empty());
    let impossible = selection.any_of.iter_mut().filter(|(_, values)| values.is_empty());
    let impossible = impossible.map(|(key, values)| {
        values.push(ANY.to_owned());
        key.clone()
    });
    for key in impossible.collect::<Vec<String>>() {
        bar(&mut selection, &key, vec![ANY.to_owned()]);
    }
    selection.any_of.sort();
    selection.none_of.sort();
    selection
}

/// The key must have one of these values, beside what was asked of it before.
pub(super) fn narrow(selection: &mut Selection, key: &str, mut values: Vec<String>) {
    values.sort();
    values.dedup();
    let Some((_, known)) = selection.any_of.iter_mut().find(|(known, _)| known == key) else {
        selection.any_of.push((key.to_owned(), values));
        return;
    };
    let both = |a: &[String], b: &[String]| -> Vec<String> {
        let one = |values: &[String]| Selection {
            any_of: vec![(key.to_owned(), values.to_vec())],
            none_of: Vec::new(),
        };
        let fits = |value: &&String| one(b).accepts(&vec![(key.to_owned(), (*value).clone())]);
        a.iter().filter(fits).cloned().collect()
    };
    let plain = |values: &[String]| !values.iter().any(|v| v == ANY || v.starts_with(['>', '<']));
    *known = match (plain(known), plain(&values)) {
        (true, _) => both(known, &values),
        (false, true) => both(&values, known),
        (false, false) => meet(known, &values),
    };
}

/// Values that two ranges, or "any", have in common, as a range.
fn meet(a: &[String], b: &[String]) -> Vec<String> {
    let bounds = |sign: char| {
        let all = a.iter().chain(b).filter_map(move |text| text.split_once(sign));
        all.filter_map(|(_, rest)| rest.split(['<', '>']).next()?.parse::<i64>().ok())
    };
    let above = bounds('>').max().map_or(String::new(), |bound| format!(">{bound}"));
    let below = bounds('<').min().map_or(String::new(), |bound| format!("<{bound}"));
    match format!("{above}{below}") {
        none if none.is_empty() => vec![ANY.to_owned()],
        range => vec![range],
    }
}

/// The key must have none of these values.
pub(super) fn bar(selection: &mut Selection, key: &str, mut values: Vec<String>) {
    match selection.none_of.iter_mut().find(|(known, _)| known == key) {
        Some((_, known)) => {
            known.append(&mut values);
            known.sort();
            known.dedup();
        }
        None => {
            values.sort();
            values.dedup();
            selection.none_of.push((key.to_owned(), values));
        }
    }
}

/// The node is one of these, by name.
pub(super) fn one_of(names: Vec<String>) -> Selection {
    let mut here = Selection::default();
    narrow(&mut here, NAME, names);
    finished(here)
}

/// The requirement with more that is asked of labels.
pub(super) fn with(requirement: &Requirement, extra: &Selection) -> Requirement {
    let all = requirement.clone();
    if *extra == Selection::default() {
        return all;
    }
    let mut labels = Selection { any_of: all.any_of, none_of: all.none_of };
    extra.any_of.iter().for_each(|(key, values)| narrow(&mut labels, key, values.clone()));
    extra.none_of.iter().for_each(|(key, values)| bar(&mut labels, key, values.clone()));
    let Selection { any_of, none_of } = finished(labels);
    Requirement { any_of, none_of, ..all }
}

/// Most alternatives that are written out where one of these must hold beside one of those.
const MOST_ALTERNATIVES: usize = 256;

/// The requirement with more that is asked: one of these, where there are any.
///
/// Alternatives beside alternatives are multiplied out; nothing where that are too many.
pub(super) fn also(requirement: &Requirement, either: &[Selection]) -> Option<Requirement> {
    match either {
        [] => return Some(requirement.clone()),
        [one] => return Some(with(requirement, one)),
        _ if requirement.either.is_empty() => {
            return Some(Requirement { either: either.to_vec(), ..requirement.clone() });
        }
        _ if requirement.either.len() * either.len() > MOST_ALTERNATIVES => return None,
        _ => {}
    }
    let mut both: Vec<Selection> = Vec::new();
    for one in &requirement.either {
        for other in either {
            let mut all = one.clone();
            other.any_of.iter().for_each(|(key, values)| narrow(&mut all, key, values.clone()));
            other.none_of.iter().for_each(|(key, values)| bar(&mut all, key, values.clone()));
            let all = finished(all);
            if !both.contains(&all) {
                both.push(all);
            }
        }
    }
    Some(Requirement { either: both, ..requirement.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(text: &str) -> (Requirement, Vec<String>) {
        let spec: PodSpec = yaml_serde::from_str(&format!("containers: []\n{text}")).unwrap();
        let mut told = Vec::new();
        let requirement =
            requirement(&spec, &mut |_, field, what| told.push(format!("{field}: {what}")));
        (requirement, told)
    }

    fn terms(expressions: &[&str]) -> String {
        let terms: Vec<String> =
            expressions.iter().map(|e| format!("{{matchExpressions: [{e}]}}")).collect();
        format!(
            "affinity: {{nodeAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: {{nodeSelectorTerms: [{}]}}}}}}",
            terms.join(", ")
        )
    }

    #[test]
    fn every_operator_and_all_of_a_term() {
        let text = terms(&[
            "{key: a, operator: In, values: [x, y]}, {key: a, operator: NotIn, values: [y]}, \
             {key: b, operator: Exists}, {key: c, operator: DoesNotExist}, \
             {key: d, operator: Gt, values: ['4']}, {key: d, operator: Lt, values: ['8']}, {key: d, operator: Exists}",
        ]);
        let (requirement, told) = asks(&format!("{text}\nnodeSelector: {{a: x, e: f}}"));
        let said = "a = x and some b and d = >4<8 and e = f and not a = y and some c";
        assert_eq!(requirement.to_string(), said);
        assert_eq!(told, [""; 0]);
    }

    #[test]
    fn terms_are_alternatives() {
        let (requirement, _) = asks(&terms(&[
            "{key: a, operator: In, values: [x]}",
            "{key: b, operator: Exists}, {key: a, operator: NotIn, values: [z]}",
        ]));
        assert_eq!(requirement.to_string(), "(a = x) or (some b and not a = z)");
    }

    #[test]
    fn nothing_common_is_nothing_at_all() {
        let (requirement, _) = asks(&format!(
            "{}\nnodeSelector: {{a: y}}",
            terms(&["{key: a, operator: In, values: [x]}"])
        ));
        assert!(!requirement.accepts(&vec![("a".into(), "y".into())], &[]));
        let (requirement, _) = asks(&terms(&[]));
        assert!(!requirement.accepts(&Vec::new(), &[]), "no terms match no node");
    }

    #[test]
    fn what_is_not_understood_is_told() {
        let (_, told) = asks(&terms(&["{key: a, operator: Near, values: [x]}"]));
        assert!(told[0].ends_with("nodeSelectorTerms[0].matchExpressions[0]: the operator Near with 1 values is left out"), "{told:?}");
        let (requirement, told) = asks(
            "tolerations: [{key: a, operator: Exists, effect: NoExecute}, {operator: Exists}, {key: b, value: c}, {key: d, operator: Gt, value: '1'}]",
        );
        let tolerations: Vec<String> =
            requirement.tolerations.iter().map(ToString::to_string).collect();
        assert_eq!(tolerations, ["*", "a:no-execute", "b=c"]);
        assert_eq!(told, ["spec.tolerations[3]: the operator Gt is left out"]);
    }
}
