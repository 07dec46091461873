//! Answers: a plan with its proof ([`solve`]), why there is none and what would change that
//! ([`explain`]), the way from today's plan to the next ([`replan`]), what failures leave
//! ([`survive`]), instances in parts ([`split`]), and runs side by side ([`compare`]).

pub mod compare;
pub mod explain;
pub mod replan;
pub mod solve;
pub mod split;
pub mod survive;
