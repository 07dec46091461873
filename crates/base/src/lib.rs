//! What every floor needs: errors with their place and remedy, when to stop, on how many threads
//! something runs, and which known name a misspelt one is nearest to.

pub mod error;
pub mod stop;
pub mod threads;

mod names;

pub use error::{Error, Kind, Result};
pub use names::nearest;
