use super::instance;
use model::{NodeId, NodeState, TaskId};

const TASKS: &str = "task,cpu,memory,duration,requires\n\
                     a,500m,16Gi,30m,gpu_model=A100|H100;zone=z1\n\
                     b,2,,,\n";
const NODES: &str = "node,memory,cpu,used:cpu,labels,state,price,price_per_hour\n\
                     x,32Gi,8,1,zone=z1;gpu_model=H100,,4.5,1\n\
                     y,1Gi,4,,,drain,,\n";

fn message(tasks: &str, nodes: &str, pairs: Option<&str>) -> String {
    let error = instance(tasks, nodes, pairs).unwrap_err();
    format!("{error} [{}]", error.remedy)
}

#[test]
fn every_column_is_read() {
    let pairs = "node,task,cost,cpu\nx,a,7,\nx,b,,3\n";
    let instance = instance(TASKS, NODES, Some(pairs)).unwrap();
    let names: Vec<&str> = instance.resources().iter().map(|r| r.name.as_str()).collect();
    assert_eq!(names, ["memory", "cpu"]);
    let cpu = instance.resources()[1].scale;
    let (a, b, x, y) = (TaskId(0), TaskId(1), NodeId(0), NodeId(1));
    assert_eq!(cpu.show(instance.demand_on(a, x)[1]), "0.5");
    assert_eq!(cpu.show(instance.demand_on(b, x)[1]), "3");
    assert_eq!(cpu.show(instance.demand_on(b, y)[1]), "2");
    assert_eq!(cpu.show(instance.used(x)[1]), "1");
    assert_eq!(instance.cost_scale().show(instance.cost_on(a, x)), "7");
    assert_eq!(instance.duration(a), 1800);
    assert_eq!(instance.state(y), NodeState::Drain);
    assert!(instance.eligible(a, x));
}

#[test]
fn wrong_columns_are_named_with_the_nearest() {
    for (tasks, nodes, part) in [
        (
            "task,cpuu\na,1\n",
            "node,cpu\nx,1\n",
            "tasks.csv: line 1, column `cpuu`: unknown column `cpuu` [did you mean `cpu`? a resource is",
        ),
        ("task,cpu,requirs\na,1,\n", "node,cpu\nx,1\n", "did you mean `requires`?"),
        (
            "task,cpu\na,1\n",
            "node,cpu,gpu\nx,1,2\n",
            "nodes.csv: line 1, column `gpu`: unknown column",
        ),
        ("task,cpu,state\na,1,\n", "node,cpu\nx,1\n", "[it belongs in nodes.csv]"),
        ("task,cpu\na,1\n", "node,cpu,duration\nx,1,\n", "[it belongs in tasks.csv]"),
        ("task,cpu\na,1\n", "node,cpu,used:cpo\nx,1,2\n", "did you mean `used:cpu`?"),
        (
            "taks,cpu\na,1\n",
            "node,cpu\nx,1\n",
            "no column `task` (or `id`, or `name`) [did you mean",
        ),
        ("task,id,cpu\na,a,1\n", "node,cpu\nx,1\n", "columns `task` and `id` both name the rows"),
        (NODES, TASKS, "tasks.csv: line 1: this is a table of nodes where the tasks belong [are"),
        ("id,cpu\na,1\n", "task,cpu\nx,1\n", "nodes.csv: line 1: this is a table of tasks"),
        ("{}", NODES, "tasks.csv: this is JSON, not a CSV table [give a JSON instance by itself"),
    ] {
        let message = message(tasks, nodes, None);
        assert!(message.contains(part), "{message}\nlacks {part}");
    }
}

#[test]
fn wrong_cells_are_named_with_line_and_column() {
    for (from, to, part) in [
        ("500m", "-1", "tasks.csv: line 2, column `cpu`: `-1` is negative"),
        ("500m", "NaN", "`NaN` is not a quantity"),
        ("500m", "inf", "`inf` is not a quantity"),
        ("500m", "1e308", "`1e308` is out of range"),
        ("500m", "\"1,50,000\"", "`1,50,000` is not a quantity"),
        ("30m", "soon", "tasks.csv: line 2, column `duration`: `soon` is not a duration"),
        ("zone=z1", "zone", "column `requires`: `zone` is not of the form key=value"),
        ("zone=z1", "gpu_model=z1", "the key `gpu_model` appears twice"),
        ("b,2", "a,2", "tasks.csv: line 3: the task id `a` appears twice"),
        ("b,2", ",2", "tasks.csv: line 3: this task has no id"),
        ("b,2,,,", "b,2,,", "tasks.csv: line 3: this row has 4 cells, the header has 5 cells"),
    ] {
        let message = message(&TASKS.replace(from, to), NODES, None);
        assert!(message.contains(part), "{message}\nlacks {part}");
    }
    for (from, to, part) in [
        (
            "drain",
            "drian",
            "nodes.csv: line 3, column `state`: unknown state `drian` [did you mean",
        ),
        ("4.5", "free", "nodes.csv: line 2, column `price`: `free` is not a quantity"),
        ("zone=z1", "=z1", "column `labels`: `=z1` is not of the form key=value"),
        ("y,1Gi", "x,1Gi", "nodes.csv: line 3: the node id `x` appears twice"),
    ] {
        let message = message(TASKS, &NODES.replace(from, to), None);
        assert!(message.contains(part), "{message}\nlacks {part}");
    }
}

#[test]
fn wrong_pairs_are_named() {
    for (pairs, part) in [
        ("task,node,cost\na,z,1\n", "pairs.csv: line 2, column `node`: there is no node `z`"),
        ("task,node,cost\na,x,1\n\na,x,2\n", "pairs.csv: line 4: task `a` and node `x` are paired"),
        ("task,cost\na,1\n", "a table of pairs needs a column `node`"),
        ("task,node,cots\na,x,1\n", "unknown column `cots` [did you mean `cost`?"),
    ] {
        let message = message(TASKS, NODES, Some(pairs));
        assert!(message.contains(part), "{message}\nlacks {part}");
    }
}
