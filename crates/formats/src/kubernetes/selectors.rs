//! Which pods a label selector means.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

/// Labels of pods and namespaces.
pub(super) type Labels = BTreeMap<String, String>;

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Wants {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    DoesNotExist,
}

/// Conditions on labels, all of which must hold, in order; `None` means nobody.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Selector(Option<Vec<(String, Wants)>>);

impl Selector {
    /// The selector as written; `alike` and `unlike` are keys for which a pod must have the
    /// value of `own`, or another one.
    ///
    /// # Errors
    /// An operator that there is not.
    pub(super) fn of(
        selector: Option<&LabelSelector>,
        own: &Labels,
        alike: Option<&Vec<String>>,
        unlike: Option<&Vec<String>>,
    ) -> Result<Selector, String> {
        let Some(selector) = selector else { return Ok(Selector(None)) };
        let mut all = Vec::new();
        for (key, value) in selector.match_labels.iter().flatten() {
            all.push((key.clone(), Wants::In(vec![value.clone()])));
        }
        for expression in selector.match_expressions.iter().flatten() {
            let mut values = expression.values.clone().unwrap_or_default();
            values.sort();
            let wants = match expression.operator.as_str() {
                "In" => Wants::In(values),
                "NotIn" => Wants::NotIn(values),
                "Exists" => Wants::Exists,
                "DoesNotExist" => Wants::DoesNotExist,
                other => return Err(format!("there is no operator `{other}`")),
            };
            all.push((expression.key.clone(), wants));
        }
        for key in alike.into_iter().flatten() {
            all.extend(own.get(key).map(|v| (key.clone(), Wants::In(vec![v.clone()]))));
        }
        for key in unlike.into_iter().flatten() {
            all.extend(own.get(key).map(|v| (key.clone(), Wants::NotIn(vec![v.clone()]))));
        }
        all.sort();
        all.dedup();
        Ok(Selector(Some(all)))
    }

    /// True when the labels are meant.
    pub(super) fn matches(&self, labels: &Labels) -> bool {
        let holds = |(key, wants): &(String, Wants)| match (wants, labels.get(key)) {
            (Wants::In(values), Some(value)) => values.contains(value),
            (Wants::NotIn(values), Some(value)) => !values.contains(value),
            (Wants::Exists, value) => value.is_some(),
            (Wants::DoesNotExist, value) => value.is_none(),
            (Wants::In(_), None) => false,
            (Wants::NotIn(_), None) => true,
        };
        self.0.as_ref().is_some_and(|all| all.iter().all(holds))
    }

    /// The key and value that alone it asks for.
    pub(super) fn only(&self) -> Option<(&str, &str)> {
        match self.0.as_deref()? {
            [(key, Wants::In(values))] if values.len() == 1 => Some((key, &values[0])),
            _ => None,
        }
    }

    /// The key that it asks for, and the one value that it does not want there.
    pub(super) fn all_but(&self) -> Option<(&str, &str)> {
        match self.0.as_deref()? {
            [(key, Wants::NotIn(values)), (also, Wants::Exists)]
                if key == also && values.len() == 1 =>
            {
                Some((key, &values[0]))
            }
            _ => None,
        }
    }

    /// True when it asks nothing at all, which is not the same as meaning nobody.
    pub(super) fn is_empty(&self) -> bool {
        self.0.as_ref().is_some_and(Vec::is_empty)
    }

    /// True when it looks at other labels than a namespace's name.
    pub(super) fn needs_labels(&self) -> bool {
        self.0.iter().flatten().any(|(key, _)| key != NAMESPACE_NAME)
    }
}

/// The label that every namespace has.
pub(super) const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(selector: &str, labels: &str) -> bool {
        let labels: Labels = yaml_serde::from_str(labels).unwrap();
        let selector: LabelSelector = yaml_serde::from_str(selector).unwrap();
        Selector::of(Some(&selector), &labels, None, None).unwrap().matches(&labels)
    }

    #[test]
    fn selectors_mean_what_the_api_says() {
        assert!(matches("{}", "{a: b}"));
        assert!(matches("{matchLabels: {a: b}}", "{a: b, c: d}"));
        assert!(!matches("{matchLabels: {a: b, c: e}}", "{a: b, c: d}"));
        for (operator, with_b, with_c, without) in [
            ("In, values: [b]", true, false, false),
            ("NotIn, values: [b]", false, true, true),
            ("Exists", true, true, false),
            ("DoesNotExist", false, false, true),
        ] {
            let selector = format!("{{matchExpressions: [{{key: a, operator: {operator}}}]}}");
            assert_eq!(matches(&selector, "{a: b}"), with_b, "{operator}");
            assert_eq!(matches(&selector, "{a: c}"), with_c, "{operator}");
            assert_eq!(matches(&selector, "{x: y}"), without, "{operator}");
        }
        assert!(!Selector::of(None, &Labels::new(), None, None).unwrap().matches(&Labels::new()));
    }

    #[test]
    fn keys_to_match_take_the_value_of_the_pod_itself() {
        let own = Labels::from([("hash".to_owned(), "1".to_owned())]);
        let other = Labels::from([("hash".to_owned(), "2".to_owned())]);
        let keys = vec!["hash".to_owned(), "absent".to_owned()];
        let all = LabelSelector::default();
        let alike = Selector::of(Some(&all), &own, Some(&keys), None).unwrap();
        assert!(alike.matches(&own) && !alike.matches(&other));
        let unlike = Selector::of(Some(&all), &own, None, Some(&keys)).unwrap();
        assert!(!unlike.matches(&own) && unlike.matches(&other));
    }
}
