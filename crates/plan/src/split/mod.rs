//! One instance as several that can be solved apart, on as many machines, and their
//! plans as one plan again (POP: Narayanan et al., SOSP 2021, DOI 10.1145/3477132.3483588).

mod deal;
mod join;
mod ties;

use base::error::{Error, Result};
use formats::Part;
pub use join::{PartPlan, join};
use model::Instance;

/// Deals the instance's nodes and tasks out to `parts` parts: nodes evenly by kind, tasks by
/// size to where there is room for them. Tasks under one rule between tasks are in one part,
/// pinned tasks in their node's; nodes that share a value of a label that `together`, `near`
/// or a spread over few values looks at stay in one part where there are enough values;
/// tasks stay with their current nodes, as far as that can be, where that matters.
/// The same instance and number of parts give the same parts; one part is the whole.
///
/// # Errors
/// More parts than there are nodes that take tasks, or tasks, or groups of either that pins
/// and rules tie together; tasks tied together that no single part can run.
pub fn split(instance: &Instance, parts: usize) -> Result<Vec<Part>> {
    if parts == 0 {
        return Err(Error::usage("an instance has at least one part").help("use --parts 2 or more"));
    }
    if parts == 1 {
        let nodes = vec![true; instance.nodes()];
        return Ok(vec![Part { tasks: vec![true; instance.tasks()], nodes }]);
    }
    let groups = ties::groups(instance, parts)?;
    let part_of_node = deal::nodes(instance, &groups, parts);
    let part_of_task = deal::tasks(instance, &groups, &part_of_node, parts)?;
    let made = (0..parts).map(|part| Part {
        tasks: part_of_task.iter().map(|own| *own == part).collect(),
        nodes: part_of_node.iter().map(|own| *own == part).collect(),
    });
    let made: Vec<Part> = made.collect();
    match made.iter().position(|part| !part.tasks.contains(&true)) {
        Some(empty) => Err(Error::usage(format!("no task is left for part {empty} of {parts}"))
            .help("use fewer parts")),
        None => Ok(made),
    }
}
