//! Goals as people write them, and back.

use std::fmt;

use super::terms::TERMS;
use super::{Goal, Term, Tier, WeightedTerm};
use crate::{Decimal, quoted};
use base::nearest;

/// The name of the implicit term; it may carry a priority.
const UNPLACED: &str = "unplaced";

/// Why a text is no goal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GoalError {
    /// An unknown word.
    #[error("unknown goal `{word}`{}; goals are {}", suggestion.as_ref().map(|s| format!(": did you mean `{s}`?")).unwrap_or_default(), names())]
    Unknown {
        /// The word as written.
        word: String,
        /// The nearest known goal.
        suggestion: Option<String>,
    },
    /// Nothing between separators.
    #[error("empty goal: write goals such as `peak`, `cost, balance` or `cost + 10*nodes`")]
    Empty,
    /// A weight that is no positive number.
    #[error(
        "`{0}` is not a weight: weights are from 0.000000001 to 10^12 and have at most 15 digits, as in `cost + 10*nodes`"
    )]
    Weight(String),
    /// A limit that is no number.
    #[error(
        "`{0}` is not a limit: limits are zero or more and have at most 15 digits, as in `moved <= 7, peak`"
    )]
    Limit(String),
    /// The same term twice.
    #[error("goal `{0}` appears twice: name each goal once")]
    Twice(String),
}

fn names() -> String {
    TERMS.iter().map(|info| info.name).collect::<Vec<_>>().join(", ")
}

impl Term {
    /// Reads the name of an implicit term: `unplaced` or `unplaced(5)`.
    fn implicit(word: &str) -> Option<Term> {
        let rest = word.strip_prefix(UNPLACED)?;
        if rest.is_empty() {
            return Some(Term::Unplaced(None));
        }
        let priority = rest.strip_prefix('(')?.strip_suffix(')')?;
        priority.parse().ok().map(|priority| Term::Unplaced(Some(priority)))
    }
}

impl fmt::Display for Term {
    /// The name used in flags and files.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Term::Unplaced(Some(priority)) => write!(f, "{}({priority})", UNPLACED),
            term => f.write_str(term.info().name),
        }
    }
}

impl Tier {
    /// The sum as written, without what is enough.
    pub fn sum(&self) -> String {
        Tier { enough: None, ..self.clone() }.to_string()
    }

    /// Reads one tier as plans state it, implicit ones included.
    ///
    /// # Errors
    /// As for [`Goal::parse`].
    pub fn parse(text: &str) -> Result<Tier, GoalError> {
        match Term::implicit(text) {
            Some(term) => Ok(Tier::single(term)),
            None => Goal::parse(text)?.tiers.into_iter().next().ok_or(GoalError::Empty),
        }
    }
}

impl Goal {
    /// Reads `peak`, `cost, balance`, `cost + 10*nodes, peak`, `moved <= 7, peak`.
    ///
    /// # Errors
    /// Unknown terms (with the nearest known one), empty tiers, weights that
    /// are not positive finite numbers, limits below zero, and a term named twice.
    pub fn parse(text: &str) -> Result<Goal, GoalError> {
        let mut tiers = Vec::new();
        let mut seen: Vec<Term> = Vec::new();
        for tier_text in text.split(',') {
            let mut terms = Vec::new();
            let (sum, limit) = match tier_text.split_once("<=") {
                Some((sum, limit)) => (sum, Some(limit.trim())),
                None => (tier_text, None),
            };
            let parsed = |limit: &str| {
                let wrong = || GoalError::Limit(quoted(limit).into_owned());
                Decimal::double(limit).ok_or_else(wrong)
            };
            let enough = limit.map(parsed).transpose()?;
            for part in sum.split('+') {
                let part = part.trim();
                let (weight, word) = match part.split_once('*') {
                    Some((weight, word)) => {
                        let value = Decimal::double(weight);
                        let value = value.filter(|value| (1e-9..=1e12).contains(value));
                        let wrong = || GoalError::Weight(quoted(weight.trim()).into_owned());
                        (value.ok_or_else(wrong)?, word.trim())
                    }
                    None => (1.0, part),
                };
                if word.is_empty() {
                    return Err(GoalError::Empty);
                }
                let term =
                    TERMS.iter().find(|info| info.name == word).map(|info| info.term).ok_or_else(
                        || GoalError::Unknown {
                            word: word.to_owned(),
                            suggestion: nearest(word, TERMS.iter().map(|info| info.name)),
                        },
                    )?;
                if seen.contains(&term) {
                    return Err(GoalError::Twice(word.to_owned()));
                }
                seen.push(term);
                terms.push(WeightedTerm { weight, term });
            }
            tiers.push(Tier { terms, enough });
        }
        Ok(Goal { tiers })
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (k, WeightedTerm { weight, term }) in self.terms.iter().enumerate() {
            if k > 0 {
                f.write_str(" + ")?;
            }
            if *weight != 1.0 {
                write!(f, "{weight}*")?;
            }
            write!(f, "{term}")?;
        }
        self.enough.map_or(Ok(()), |enough| write!(f, " <= {enough}"))
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (k, tier) in self.tiers.iter().enumerate() {
            if k > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{tier}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goals_round_trip() {
        for text in
            ["peak", "cost, balance", "cost + 10*nodes, peak", "0.5*cost", "moved <= 7, peak"]
        {
            assert_eq!(Goal::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn bad_goals_are_named() {
        let message = Goal::parse("peek").unwrap_err().to_string();
        assert!(message.contains("did you mean `peak`"), "{message}");
        assert_eq!(Goal::parse("cost,"), Err(GoalError::Empty));
        assert!(matches!(Goal::parse("NaN*cost"), Err(GoalError::Weight(_))));
        assert!(matches!(Goal::parse("-1*cost"), Err(GoalError::Weight(_))));
        assert!(matches!(Goal::parse("moved <= -1"), Err(GoalError::Limit(_))));
        assert!(matches!(Goal::parse("moved <= NaN"), Err(GoalError::Limit(_))));
        assert!(matches!(Goal::parse("cost, cost"), Err(GoalError::Twice(_))));
    }
}
