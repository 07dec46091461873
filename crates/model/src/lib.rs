//! The words of the problem: what is given ([`Instance`]), what is wanted
//! ([`Goal`]), what is answered ([`Plan`]). No input or output, no clock, no
//! randomness.

mod alone;
mod amounts;
mod assumption;
mod budget;
mod build;
mod classes;
mod copies;
mod costs;
mod deviation;
mod devices;
mod draft;
mod edit;
mod expand;
mod failure;
mod gang;
mod goal;
mod instance;
mod learned;
mod left_out;
mod moves;
mod names;
mod parts;
mod plan;
mod precedence;
mod quantity;
mod resolve;
mod risk;
mod room;
mod rule;
mod selector;
mod soft;
mod steps;
mod time;
mod timing;
mod watts;
mod worth;

pub mod state;

pub use assumption::{Assumption, Direction};
pub use budget::MOVED;
pub use build::MOST_NODES;
pub use classes::{Classes, NodeClass, TaskClass};
pub use copies::naming;
pub use draft::{
    AfterDraft, Draft, DraftError, DraftItem, LimitDraft, NodeDraft, PairDraft, Part, RatioDraft,
    ResourceDraft, RouteDraft, RuleDraft, TaskDraft, When, Whom, is_resource_name,
};
pub use edit::Kept;
pub use expand::MOST_TASKS;
pub use failure::{Aftermath, NODE};
pub use goal::{
    Goal, GoalError, Measure, Placement, Prices, Seconds, Shape, TERMS, Term, TermInfo, Tier,
    WeightedTerm,
};
pub use instance::{Instance, Pair, Resource, ResourceWeights, Traffic};
pub use learned::{Estimate, KindEstimates, Learned, NodeSpeed};
pub use left_out::LeftOut;
pub use parts::{Budget, Devices, Gang, NodeState, RoomRatio};
pub use plan::{
    CardSet, Claim, ClaimedPlacement, ClaimedStandby, ClaimedSurvival, ClaimedTier, Fallback, Move,
    Plan, Run, Schedule, Step, Survives, TierValue, cards_in,
};
pub use quantity::{CENTURY, Decimal, QuantityError, Scale, gcd, parse_duration, quoted};
pub use risk::{Risk, normal_quantile, normal_tail, parse_share};
pub use rule::{
    Ask, Field, LabelId, LabelValues, Limit, Over, RULES, Reading, Rule, RuleFields, RuleId,
    RuleInfo, RuleShape, Wish, WrongField,
};
pub use selector::{
    ANY, Effect, Labels, Preference, Refusal, Requirement, RequirementId, Selection, Taint,
    Toleration,
};
pub use timing::joined;
pub use worth::{Fraction, HAIR, ROUNDING, Worth, differ};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl $name {
            /// Position in the instance's order.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl From<usize> for $name {
            fn from(index: usize) -> Self {
                $name(u32::try_from(index).expect("instances hold at most 2^32 - 2 items"))
            }
        }
    };
}

id!(
    /// A task, by its position in the instance.
    TaskId
);
id!(
    /// A node, by its position in the instance.
    NodeId
);
