//! Plans which task runs on which node as an optimisation problem, and proves
//! how good the plan is.

pub mod bounds;
pub mod check;
pub mod cli;
pub mod compare;
pub mod error;
pub mod format;
pub mod generate;
pub mod ilp;
pub mod metrics;
pub mod model;
pub mod policy;
pub mod report;
pub mod solve;
pub mod state;
pub mod stop;

pub use error::{Error, Kind, Result};
