//! What is minimised: tiers in order of importance, each a weighted sum.

use std::fmt;

use super::{Decimal, quoted};
use base::nearest;

/// One thing that can be minimised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Term {
    /// Highest utilisation of any node in any resource.
    Peak,
    /// The balance degree: variance of node utilisation.
    Balance,
    /// Cost of placements plus the price of used nodes.
    Cost,
    /// Number of used nodes.
    Nodes,
    /// Total demand placed, summed over resources.
    Demand,
    /// What soft rules cost that are not kept: preferences, soft taints, load
    /// above safety capacities, room that is missing beside other room. The
    /// implicit last tier where there are any.
    Soft,
    /// Cost of the moves of tasks that run somewhere already.
    Moves,
    /// Number of tasks that run somewhere already and are to run elsewhere.
    Moved,
    /// Moved tasks of the group that has most of them.
    GroupMoves,
    /// When the last task ends.
    Makespan,
    /// Sum of the tasks' ends, each times its weight.
    Completion,
    /// Sum of how much too late tasks end, each times its weight.
    Tardiness,
    /// Sum of how long tasks wait from their release to their start, each times its weight.
    Wait,
    /// Weight of tasks left without a node, of one priority or of all. Never
    /// written by hand: the implicit first tiers when tasks may stay unplaced.
    Unplaced(Option<i64>),
}

/// How people read the values of a goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// A share of a capacity, read as a percentage.
    Share,
    /// A variance of shares.
    Variance,
    /// Seconds.
    Time,
    /// A number of what the goal counts.
    Number,
}

/// What there is to say about a term.
pub struct TermInfo {
    /// The term.
    pub term: Term,
    /// The name used in flags and files.
    pub name: &'static str,
    /// What is minimised, in one line.
    pub help: &'static str,
    /// What stands before a value, where that is not the name.
    pub title: Option<&'static str>,
    /// What a value says about the plan, with `{}` in its place.
    pub says: &'static str,
    /// How its values read.
    pub measure: Measure,
}

/// Every term that a person may write.
pub const TERMS: &[TermInfo] = &[
    TermInfo {
        term: Term::Peak,
        name: "peak",
        help: "highest utilisation of any node in any resource",
        title: Some("peak utilisation"),
        says: "The fullest node is {} full",
        measure: Measure::Share,
    },
    TermInfo {
        term: Term::Balance,
        name: "balance",
        help: "balance degree: variance of node utilisation",
        title: Some("balance degree"),
        says: "The nodes' utilisation has a variance of {}",
        measure: Measure::Variance,
    },
    TermInfo {
        term: Term::Cost,
        name: "cost",
        help: "cost of placements plus the price of used nodes",
        title: None,
        says: "The plan costs {}",
        measure: Measure::Number,
    },
    TermInfo {
        term: Term::Nodes,
        name: "nodes",
        help: "number of used nodes",
        title: None,
        says: "The plan uses {} nodes",
        measure: Measure::Number,
    },
    TermInfo {
        term: Term::Demand,
        name: "demand",
        help: "total demand placed, summed over resources",
        title: None,
        says: "The tasks take {} in all",
        measure: Measure::Number,
    },
    TermInfo {
        term: Term::Soft,
        name: "soft",
        help: "price of preferences not met, of load above safety capacities, of missing room",
        title: None,
        says: "Wishes and safety margins that are not kept cost {}",
        measure: Measure::Number,
    },
    TermInfo {
        term: Term::Moves,
        name: "moves",
        help: "cost of moving tasks off their current nodes",
        title: None,
        says: "Moving running tasks costs {}",
        measure: Measure::Number,
    },
    TermInfo {
        term: Term::Moved,
        name: "moved",
        help: "number of tasks moved off their current nodes",
        title: None,
        says: "Tasks that move: {}",
        measure: Measure::Number,
    },
    TermInfo {
        term: Term::GroupMoves,
        name: "group_moves",
        help: "moved tasks of the group with most of them",
        title: None,
        says: "Of no group more than {} tasks move",
        measure: Measure::Number,
    },
    TermInfo {
        term: Term::Makespan,
        name: "makespan",
        help: "when the last task ends",
        title: None,
        says: "The last task ends after {}",
        measure: Measure::Time,
    },
    TermInfo {
        term: Term::Completion,
        name: "completion",
        help: "sum of the tasks' ends, each times its weight",
        title: None,
        says: "The tasks' weighted ends come to {}",
        measure: Measure::Time,
    },
    TermInfo {
        term: Term::Tardiness,
        name: "tardiness",
        help: "sum of what tasks end too late, each times its weight",
        title: None,
        says: "What ends too late comes to {}",
        measure: Measure::Time,
    },
    TermInfo {
        term: Term::Wait,
        name: "wait",
        help: "sum of the tasks' times from release to start, times their weights",
        title: None,
        says: "The tasks' weighted waits come to {}",
        measure: Measure::Time,
    },
];

/// The implicit term; its name is told by [`Term`] itself, as it may carry a priority.
const UNPLACED: TermInfo = TermInfo {
    term: Term::Unplaced(None),
    name: "unplaced",
    help: "weight of tasks left without a node",
    title: None,
    says: "What is left out weighs {}",
    measure: Measure::Number,
};

impl Term {
    /// What there is to say about it.
    pub fn info(self) -> &'static TermInfo {
        TERMS.iter().find(|info| info.term == self).unwrap_or(&UNPLACED)
    }

    /// True when the term is about when tasks run.
    pub fn is_timed(self) -> bool {
        matches!(self, Term::Makespan | Term::Completion | Term::Tardiness | Term::Wait)
    }

    /// Reads the name of an implicit term: `unplaced` or `unplaced(5)`.
    fn implicit(word: &str) -> Option<Term> {
        let rest = word.strip_prefix(UNPLACED.name)?;
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
            Term::Unplaced(Some(priority)) => write!(f, "{}({priority})", UNPLACED.name),
            term => f.write_str(term.info().name),
        }
    }
}

/// A term and how much one unit of it weighs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WeightedTerm {
    /// Factor, finite and positive.
    pub weight: f64,
    /// What is weighed.
    pub term: Term,
}

/// A weighted sum; tiers before it matter infinitely more.
#[derive(Clone, Debug, PartialEq)]
pub struct Tier {
    /// At least one term, each term once.
    pub terms: Vec<WeightedTerm>,
    /// The sum is low enough at that: a tier's value is never below it.
    pub enough: Option<f64>,
}

impl Tier {
    /// A tier of one term with weight 1.
    pub fn single(term: Term) -> Tier {
        Tier { terms: vec![WeightedTerm { weight: 1.0, term }], enough: None }
    }

    /// A tier of one term that is kept at or below `enough` where that can be.
    pub fn limit(term: Term, enough: f64) -> Tier {
        Tier { enough: Some(enough), ..Tier::single(term) }
    }

    /// What a sum is worth: itself, or what is enough if it is lower.
    pub fn worth(&self, sum: f64) -> f64 {
        self.enough.map_or(sum, |enough| sum.max(enough))
    }

    /// The term, when the tier is nothing but that term and as low as can be.
    pub fn only(&self) -> Option<Term> {
        match self.terms[..] {
            [WeightedTerm { weight: 1.0, term }] if self.enough.is_none() => Some(term),
            _ => None,
        }
    }

    /// How its values read: as its term's do, where it is one term that weighs 1.
    pub fn measure(&self) -> Measure {
        match self.terms[..] {
            [WeightedTerm { weight: 1.0, term }] => term.info().measure,
            _ => Measure::Number,
        }
    }

    /// What stands before a value that is at most what is enough, or before any where nothing is.
    pub fn title(&self) -> String {
        let title = match self.terms[..] {
            [WeightedTerm { weight: 1.0, term }] => term.info().title,
            _ => None,
        };
        title.map_or_else(|| self.sum(), str::to_owned)
    }

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

    /// The weight of `term` in this tier, 0 when it is absent.
    pub fn weight(&self, term: Term) -> f64 {
        self.terms.iter().find(|t| t.term == term).map_or(0.0, |t| t.weight)
    }
}

/// Tiers in order of importance; at least one.
#[derive(Clone, Debug, PartialEq)]
pub struct Goal {
    /// Most important first.
    pub tiers: Vec<Tier>,
}

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

impl Goal {
    /// One tier, one term.
    pub fn single(term: Term) -> Goal {
        Goal { tiers: vec![Tier::single(term)] }
    }

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

    /// The goal with "leave as little unplaced as possible" before everything: a
    /// tier for each of the priorities, the highest first, or one for all when
    /// there is but one.
    pub fn with_unplaced_first(&self, priorities: &[i64]) -> Goal {
        let mut tiers: Vec<Tier> = match priorities {
            [] | [_] => vec![Tier::single(Term::Unplaced(None))],
            many => many.iter().map(|p| Tier::single(Term::Unplaced(Some(*p)))).collect(),
        };
        tiers.extend(self.tiers.iter().cloned());
        Goal { tiers }
    }

    /// True when any tier mentions `term`.
    pub fn mentions(&self, term: Term) -> bool {
        self.tiers.iter().any(|tier| tier.weight(term) > 0.0)
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
