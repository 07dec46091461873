//! Constraints on features: `a100&nvme`, `a|b`, `(a|b)&c`, `[rack1|rack2]`, `a*2&b*1`.

use model::{ANY, Selection};

/// Prefix of the label that says that a node has a feature.
pub(super) const FEATURE: &str = "feature:";
/// The value of labels that are there or not.
pub(super) const YES: &str = "yes";

/// Most characters of a constraint.
const LONGEST: usize = 4_000;

/// Most alternatives that a constraint may come to.
const MOST: usize = 256;

/// What a constraint asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Constraint {
    /// One of these sets of features.
    AnyOf(Vec<Vec<String>>),
    /// All nodes of the job have the same one of these sets.
    Same(Vec<Vec<String>>),
    /// So many nodes with each: each node has one of these.
    Counted(Vec<Vec<String>>),
}

/// Reads a constraint. Operators without parentheses bind from left to right.
///
/// # Errors
/// What is wrong, in words.
pub(super) fn constraint(text: &str) -> Result<Constraint, String> {
    let whole = text.trim();
    if whole.len() > LONGEST {
        return Err(format!("the constraint has more than {LONGEST} characters"));
    }
    let inside = whole.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let mut reader = Reader { text: whole, rest: inside.unwrap_or(whole), counted: false };
    let found = reader.alternatives(0)?;
    if !reader.rest.is_empty() {
        return Err(reader.bad());
    }
    Ok(match (reader.counted, inside) {
        (true, _) => Constraint::Counted(found),
        (false, Some(_)) => Constraint::Same(found),
        (false, None) => Constraint::AnyOf(found),
    })
}

struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
    counted: bool,
}

impl Reader<'_> {
    fn bad(&self) -> String {
        format!("`{}` is no constraint such as a100&nvme or (a|b)&c", self.text)
    }

    fn take(&mut self, wanted: char) -> bool {
        self.rest = self.rest.trim_start();
        let rest = self.rest.strip_prefix(wanted);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn alternatives(&mut self, depth: usize) -> Result<Vec<Vec<String>>, String> {
        let mut left = self.one(depth)?;
        loop {
            let both = self.take('&') || self.take(',');
            if !both && !self.take('|') {
                return Ok(left);
            }
            let right = self.one(depth)?;
            // Where features are counted, each node has to have one side only.
            if both && !self.counted {
                let join = |a: &Vec<String>, b: &Vec<String>| [a.clone(), b.clone()].concat();
                left = left.iter().flat_map(|a| right.iter().map(move |b| join(a, b))).collect();
            } else {
                left.extend(right);
            }
            if left.len() > MOST {
                return Err(format!("`{}` comes to more than {MOST} alternatives", self.text));
            }
        }
    }

    fn one(&mut self, depth: usize) -> Result<Vec<Vec<String>>, String> {
        if depth > 20 {
            return Err(self.bad());
        }
        let found = if self.take('(') {
            let inside = self.alternatives(depth + 1)?;
            if !self.take(')') {
                return Err(self.bad());
            }
            inside
        } else {
            let end = self.rest.find(['&', '|', ',', '(', ')', '[', ']', '*']);
            let (name, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
            let name = name.trim().to_owned();
            if name.is_empty() {
                return Err(self.bad());
            }
            self.rest = rest;
            vec![vec![name]]
        };
        if self.take('*') {
            let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
            let (digits, rest) = self.rest.split_at(end);
            if digits.is_empty() {
                return Err(self.bad());
            }
            self.rest = rest;
            self.counted = true;
        }
        self.rest = self.rest.trim_start();
        Ok(found)
    }
}

/// What the labels of a node with these features are like.
pub(super) fn selection(features: &[String]) -> Selection {
    let mut any_of: Vec<(String, Vec<String>)> =
        features.iter().map(|name| (format!("{FEATURE}{name}"), vec![YES.to_owned()])).collect();
    any_of.sort();
    any_of.dedup();
    Selection { any_of, ..Selection::default() }
}

/// A label that is there, whatever its value.
pub(super) fn there(key: String) -> (String, Vec<String>) {
    (key, vec![ANY.to_owned()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn any(list: &[&[&str]]) -> Vec<Vec<String>> {
        list.iter().map(|one| one.iter().map(|name| (*name).to_owned()).collect()).collect()
    }

    #[test]
    fn constraints() {
        for (text, list) in [
            ("a100", &[&["a100"][..]][..]),
            ("a100-80gb&preemptible&gpu-1", &[&["a100-80gb", "preemptible", "gpu-1"]]),
            ("a|b", &[&["a"], &["b"]]),
            ("a,b", &[&["a", "b"]]),
            ("a|b&c", &[&["a", "c"], &["b", "c"]]),
            ("a|(b&c)", &[&["a"], &["b", "c"]]),
            (" (a | b) & c ", &[&["a", "c"], &["b", "c"]]),
        ] {
            assert_eq!(constraint(text).unwrap(), Constraint::AnyOf(any(list)), "{text}");
        }
        let same = Constraint::Same(any(&[&["r1"], &["r2"]]));
        assert_eq!(constraint("[r1|r2]").unwrap(), same);
        for text in ["[a*2&b*1]", "a*2&b*1"] {
            let counted = Constraint::Counted(any(&[&["a"], &["b"]]));
            assert_eq!(constraint(text).unwrap(), counted, "{text}");
        }
        for text in ["", "a&", "&a", "(a", "a)", "a*", "a||b", "[a", "((((((((((((((((((((((((a"] {
            assert!(constraint(text).is_err(), "{text}");
        }
        let wide = ["(a|b)"; 10].join("&");
        assert!(constraint(&wide).unwrap_err().contains("alternatives"));
    }
}
