//! A placement policy of your own: the node with the fewest tasks.
//!
//! ```sh
//! cargo run --example custom_policy
//! ```

use stowplan::check::check_plan;
use stowplan::generate::{Settings, generate, kind};
use stowplan::metrics::Metrics;
use stowplan::model::{NodeId, TaskId};
use stowplan::policy::{self, Group, Lanes, Order, Policy, PolicyInfo, Score};
use stowplan::state::State;

struct FewestTasks;

impl Policy for FewestTasks {
    fn score(&self, state: &State, _task: TaskId, node: NodeId) -> Score {
        [f64::from(state.count(node)), 0.0]
    }

    // No bound is needed for a policy to be right, only for it to be fast.
    fn bound(&self, _group: &Group, _demand: &[i64]) -> Score {
        [0.0, 0.0]
    }

    fn lanes(&self, _lanes: &Lanes, _demand: &[i64], low: &mut [f64]) {
        low.fill(0.0);
    }
}

static FEWEST_TASKS: PolicyInfo = PolicyInfo {
    name: "fewest-tasks",
    help: "the node with the fewest tasks",
    reference: "",
    new: |_, _| Box::new(FewestTasks),
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let settings = Settings {
        kind: kind("uniform")?,
        tasks: 200,
        nodes: 12,
        resources: 2,
        fill: 0.7,
        seed: 1,
        priced: false,
    };
    let instance = generate(&settings)?.build()?;
    for policy in policy::POLICIES.iter().chain([&FEWEST_TASKS]) {
        let plan = policy::run(&instance, policy, &Order::LargestFirst.of(&instance, 1), 1);
        assert!(check_plan(&instance, &plan, true).is_empty());
        let metrics = Metrics::of(&instance, &plan, None);
        println!(
            "{:20}  peak {:.4}  balance {:.6}  unplaced {}",
            policy.name, metrics.peak, metrics.balance_degree, metrics.unplaced
        );
    }
    Ok(())
}
