//! What happens when a node fails: the same instance without it, planned anew.
//!
//! ```sh
//! cargo run --example node_failure
//! ```

use stowplan::format::{Input, Source, read_draft};
use stowplan::model::{Draft, NodeState};
use stowplan::solve::{Answer, Params, solve};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/train-jobs.json");
    let input = Input::One(Source::read(path.as_ref())?);
    let draft = read_draft(&input, None)?;
    println!("all nodes: {}", outlook(draft.clone())?);
    for k in 0..draft.nodes.len() {
        let mut without = draft.clone();
        without.nodes[k].state = NodeState::Down;
        println!("without {}: {}", draft.nodes[k].id, outlook(without)?);
    }
    Ok(())
}

fn outlook(draft: Draft) -> Result<String, Box<dyn std::error::Error>> {
    Ok(match solve(&draft.build()?, &Params::default())? {
        Answer::Plan(outcome) => {
            let peak = &outcome.goal[0];
            format!("peak {:.1} %, proven bound {:.1} %", 100.0 * peak.value, 100.0 * peak.bound)
        }
        Answer::NoPlan(none) => format!("no plan: {}", none.cause),
    })
}
