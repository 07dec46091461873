//! On how many threads something runs.

use crate::error::{Error, Kind, Result};

/// Runs it on so many threads; `None` takes what the machine has, or those it runs on already.
///
/// # Errors
/// Threads cannot be started; those of `run`.
pub fn on<T: Send>(threads: Option<usize>, run: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    let Some(threads) = threads else { return run() };
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|e| Error::new(Kind::Io, format!("cannot start {threads} threads: {e}")))?
        .install(run)
}
