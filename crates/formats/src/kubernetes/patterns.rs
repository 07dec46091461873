//! Regular expressions in objects (RE2, as Go reads them): what both read alike, and nothing that
//! costs more than its length.

use regex::bytes::{Regex, RegexBuilder};

/// Longest pattern that is read, in bytes.
const LONGEST: usize = 1024;
/// Most memory of one pattern, in bytes: what repetitions of repetitions add up to.
const MOST_MEMORY: usize = 1 << 20;
/// What a class of characters means something else by in Go.
const SETS: [&str; 3] = ["&&", "--", "~~"];

/// A pattern that may be found anywhere in a text.
#[derive(Clone, Debug)]
pub(super) struct Pattern(Regex);

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is not understood.
    pub(super) fn new(text: &str) -> Result<Pattern, String> {
        if text.len() > LONGEST {
            return Err(format!("a pattern of more than {LONGEST} bytes"));
        }
        let nested = text.match_indices("[[").any(|(at, _)| !text[at + 2..].starts_with(':'));
        let sets = text.contains('[') && SETS.iter().any(|sign| text.contains(sign));
        if !text.is_ascii() || nested || sets {
            return Err(format!("the pattern `{text}` is not understood"));
        }
        // Without Unicode `\d`, `\w` and `\b` are what they are in Go.
        let built =
            RegexBuilder::new(text).unicode(false).size_limit(MOST_MEMORY).nest_limit(50).build();
        let built = built.map_err(|_| format!("the pattern `{text}` is not understood"))?;
        Ok(Pattern(built))
    }

    /// Whether it is found in the text.
    ///
    /// # Errors
    /// Texts of which a character is more than a byte.
    pub(super) fn is_in(&self, text: &str) -> Result<bool, String> {
        match text.is_ascii() {
            true => Ok(self.0.is_match(text.as_bytes())),
            false => Err("patterns are not understood for texts that are not ASCII".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_found_as_in_go() {
        for (pattern, text, found) in [
            ("^node-[0-9]+$", "node-12", true),
            ("^node-[0-9]+$", "node-12a", false),
            ("ode", "node", true),
            (r"rack-(1|2)\.example\.com$", "n1.rack-2.example.com", true),
            ("(?i)^NODE", "node", true),
            (r"^\d{2}$", "12", true),
            ("[[:alpha:]]", "7", false),
        ] {
            assert_eq!(Pattern::new(pattern).unwrap().is_in(text), Ok(found), "{pattern}");
        }
    }

    #[test]
    fn what_others_may_read_otherwise_or_what_costs_too_much_is_not_understood() {
        let long = "a".repeat(2000);
        for pattern in
            ["(", "[a-z&&b]", "[[a]b]", "é", r"\Qa\E", "((((a{99}){99}){99}){99})", r"(a)\1", &long]
        {
            assert!(Pattern::new(pattern).is_err(), "{pattern}");
        }
        assert!(Pattern::new(".").unwrap().is_in("é").is_err());
    }
}
