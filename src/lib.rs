//! Plans which task runs on which node as an optimisation problem, and proves
//! how good the plan is.
//!
//! Three nouns: an [`Instance`](model::Instance) is given and immutable, a
//! [`State`](state::State) is its mutable counterpart, a [`Plan`](model::Plan)
//! is a snapshot. [`solve::solve`] goes from the first to the last and adds the
//! proof; [`check::check_plan`] judges any plan without sharing code with it.
//!
//! ```
//! use stowplan::format::{Input, Source, read_instance};
//! use stowplan::solve::{Answer, Params, solve};
//!
//! let text = br#"{
//!     "nodes": [{"id": "n1", "capacity": {"gpu": 8}}, {"id": "n2", "capacity": {"gpu": 4}}],
//!     "tasks": [{"id": "a", "demand": {"gpu": 4}}, {"id": "b", "demand": {"gpu": 2}}]
//! }"#;
//! let input = Input::One(Source { name: "example".into(), bytes: text.to_vec() });
//! let instance = read_instance(&input, None)?;
//! match solve(&instance, &Params::default())? {
//!     Answer::Plan(outcome) => {
//!         assert!(outcome.optimal);
//!         assert_eq!(outcome.goal[0].value, 0.5); // the peak utilisation
//!     }
//!     Answer::NoPlan(none) => println!("{}", none.cause),
//! }
//! # Ok::<(), stowplan::Error>(())
//! ```

#[cfg(feature = "cli")]
pub mod cli;

pub use base::{Error, Kind, Result, error, stop, threads};
pub use engines::{bounds, policy, schedule, search};
pub use formats::{self as format, generate, learn};
pub use ilp;
pub use judge::{check, metrics, proof, simulate};
pub use model::{self, state};
pub use plan::{compare, explain, replan, split, survive};
#[cfg(feature = "report")]
pub use report;

/// Plans: what may be asked, and the one door through which it is answered.
pub mod solve {
    pub use plan::solve::*;
    // Whatever is asked, failures to be survived and standbys included.
    pub use plan::survive::{plan as solve, plan_watched as solve_watched};
}
