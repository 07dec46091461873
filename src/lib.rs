//! Plans which task runs on which node as an optimisation problem, and proves
//! how good the plan is.

pub mod check;
pub mod error;
pub mod metrics;
pub mod model;

pub use error::{Error, Kind, Result};
