//! Cloud balancing: processes to computers, three resources, and a price for
//! every computer that hosts at least one process.

use serde::Deserialize;

use super::source::Text;
use super::values::{Id, Object, Quantity};
use super::{json_error, json_numbers};
use base::error::Result;
use model::{Draft, Goal, NodeDraft, TaskDraft, Term};

/// Keys that are not ours are theirs: they are ignored. `computer`, where a
/// process runs now, is accepted and not yet used.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CloudFile {
    computer_list: Vec<Object<Computer>>,
    process_list: Vec<Object<Process>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Computer {
    id: Id,
    cpu_power: Quantity,
    memory: Quantity,
    network_bandwidth: Quantity,
    cost: Quantity,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Process {
    id: Id,
    required_cpu_power: Quantity,
    required_memory: Quantity,
    required_network_bandwidth: Quantity,
}

/// Reads one problem: processes are tasks `t<id>`, computers nodes `n<id>`,
/// resources `cpu`, `memory`, `network`; the cost is minimised.
///
/// # Errors
/// Syntax, missing keys and wrong types, with line and column.
pub(super) fn read(source: Text) -> Result<Draft> {
    let file: Object<CloudFile> = json_error::parse(source)?;
    json_numbers::check(source)?;
    let mut draft = Draft { goal: Some(Goal::single(Term::Cost)), ..Draft::default() };
    for name in ["cpu", "memory", "network"] {
        draft.resource(name);
    }
    let computers = file.0.computer_list.into_iter();
    draft.nodes = computers
        .map(|Object(computer)| NodeDraft {
            id: format!("n{}", computer.id.0),
            capacity: vec![
                (0, computer.cpu_power.0),
                (1, computer.memory.0),
                (2, computer.network_bandwidth.0),
            ],
            price: Some(computer.cost.0),
            ..NodeDraft::default()
        })
        .collect();
    let processes = file.0.process_list.into_iter();
    draft.tasks = processes
        .map(|Object(process)| TaskDraft {
            id: format!("t{}", process.id.0),
            demand: vec![
                (0, process.required_cpu_power.0),
                (1, process.required_memory.0),
                (2, process.required_network_bandwidth.0),
            ],
            ..TaskDraft::default()
        })
        .collect();
    Ok(draft)
}

#[cfg(test)]
mod tests {
    use super::super::json::instance;

    const SMALL: &str = r#"{ "id": 0,
        "computerList": [{"id": 0, "cpuPower": 24, "memory": 96, "networkBandwidth": 16, "cost": 4800}],
        "processList": [{"id": 7, "requiredCpuPower": 1, "requiredMemory": 2,
                         "requiredNetworkBandwidth": 3, "computer": null}] }"#;

    #[test]
    fn computers_have_a_price() {
        let problem = instance(SMALL).unwrap();
        let task = model::TaskId(0);
        let node = model::NodeId(0);
        assert_eq!((problem.task_name(task), problem.node_name(node)), ("t7", "n0"));
        assert_eq!(problem.cost_scale().show(problem.price(node)), "4800");
        assert_eq!(problem.goal().to_string(), "cost");
        assert!(instance(&SMALL.replace("null", "0")).is_ok());
    }

    #[test]
    fn missing_keys_are_named() {
        let error = instance(&SMALL.replace("\"cost\"", "\"price\"")).unwrap_err();
        assert!(error.to_string().contains("missing field `cost`"), "{error}");
        assert!(error.place.starts_with("line 2 column"), "{error}");
    }
}
