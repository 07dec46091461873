//! A placement policy of your own: the node that has room for the most tasks of
//! this kind.
//!
//! ```sh
//! cargo run --example custom_policy
//! ```

use stowplan::check::check_plan;
use stowplan::generate::{Settings, generate, kind};
use stowplan::metrics::Metrics;
use stowplan::model::{NodeId, TaskId};
use stowplan::policy::{self, Choice, Order, Policy, PolicyInfo, Score};
use stowplan::state::State;
use stowplan::stop::Stop;

struct MostRoom;

impl Policy for MostRoom {
    // Lowest wins. Bounds are not needed for a policy to be right, only to be fast.
    fn score(&self, state: &State, task: TaskId, node: NodeId) -> Score {
        let instance = state.instance();
        let demand = instance.demand_on(task, node);
        let room = instance.limit(node).iter().zip(state.load(node)).zip(demand);
        let times = room.filter(|(_, d)| **d > 0).map(|((limit, load), d)| (limit - load) / d);
        [-times.min().map_or(f64::INFINITY, |times| times as f64), 0.0]
    }
}

static MOST_ROOM: PolicyInfo = PolicyInfo {
    name: "most-room",
    help: "the node that has room for the most tasks of this kind",
    reference: "",
    ranks: true,
    new: |_, _| Ok(Box::new(MostRoom)),
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let settings = Settings {
        kind: kind("uniform")?,
        tasks: 200,
        nodes: 12,
        resources: 2,
        fill: 0.7,
        longest: 100,
        seed: 1,
        priced: false,
        sd: 0.0,
    };
    let instance = generate(&settings)?.build()?;
    let order = Order::LargestFirst.of(&instance, 1);
    for info in policy::POLICIES.iter().chain([&MOST_ROOM]) {
        let settings = policy::Settings::default();
        match policy::run(&instance, Choice::from(info), &settings, &order, &Stop::never()) {
            Ok(policy::Pass { plan, .. }) => {
                assert!(check_plan(&instance, &plan, true).is_empty());
                let metrics = Metrics::of(&instance, &plan, None);
                println!(
                    "{:30}  peak {:.4}  balance {:.6}  unplaced {}",
                    info.name, metrics.peak, metrics.balance_degree, metrics.unplaced
                );
            }
            Err(lacks) => println!("{:30}  {lacks}", info.name),
        }
    }
    Ok(())
}
