//! The openb trace of a production GPU cluster, two tables: nodes
//! `sn,cpu_milli,memory_mib,gpu,model` and pods
//! `name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,...`. Every pod row is
//! a task, whatever its phase. Further columns are not ours to judge and are
//! ignored.

use super::table::{Row, Table};
use base::error::Result;
use base::nearest;
use model::{Decimal, Draft, Goal, NodeDraft, Requirement, ResourceDraft, TaskDraft, Term};

/// The label that carries a node's card model.
const MODEL: &str = "gpu_model";

/// True for the header of the nodes table.
pub(super) fn is_nodes(table: &Table) -> bool {
    ["sn", "cpu_milli", "memory_mib"].iter().all(|name| table.column(name).is_some())
}

/// True for the header of the pods table.
pub(super) fn is_pods(table: &Table) -> bool {
    ["name", "cpu_milli", "num_gpu"].iter().all(|name| table.column(name).is_some())
}

/// Reads the two tables. Resources are `cpu` in cores, `memory` in MiB and
/// `gpu`, whose devices are the cards: whole ones, or a share of one.
///
/// # Errors
/// Swapped tables, missing columns, cells that are no whole numbers.
pub(super) fn read(pods: &Table, nodes: &Table) -> Result<Draft> {
    if is_nodes(pods) && !is_pods(pods) {
        let remedy = "give the pods to --tasks and the nodes to --nodes";
        return Err(pods.source.error("this is openb's table of nodes, not of pods").help(remedy));
    }
    let mut draft = Draft { goal: Some(Goal::single(Term::Peak)), ..Draft::default() };
    for (name, unit) in [("cpu", "core"), ("memory", "MiB"), ("gpu", "card")] {
        draft.resources.push(ResourceDraft {
            name: name.to_owned(),
            unit: Some(unit.to_owned()),
            devices: name == "gpu",
            ..ResourceDraft::default()
        });
    }
    let [id, cpu, memory, gpu, model] =
        columns(nodes, ["sn", "cpu_milli", "memory_mib", "gpu", "model"])?;
    nodes.rows(|row| {
        let model = row.cell(model);
        draft.nodes.push(NodeDraft {
            id: row.cell(id).to_owned(),
            capacity: vec![
                (0, milli(row, cpu, 1)?),
                (1, whole(row, memory)?),
                (2, whole(row, gpu)?),
            ],
            labels: match model {
                "" => Vec::new(),
                model => vec![(MODEL.to_owned(), model.to_owned())],
            },
            ..NodeDraft::default()
        });
        Ok(())
    })?;
    let [id, cpu, memory, cards, share, spec] =
        columns(pods, ["name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli", "gpu_spec"])?;
    pods.rows(|row| {
        let cards = integer(row, cards)?;
        draft.tasks.push(TaskDraft {
            id: row.cell(id).to_owned(),
            demand: vec![
                (0, milli(row, cpu, 1)?),
                (1, whole(row, memory)?),
                (2, milli(row, share, cards)?),
            ],
            requires: models(row.cell(spec)),
            ..TaskDraft::default()
        });
        Ok(())
    })?;
    Ok(draft)
}

/// `V100M16|V100M32`: any of these; empty: any at all.
fn models(spec: &str) -> Requirement {
    let values: Vec<String> =
        spec.split('|').map(str::trim).filter(|m| !m.is_empty()).map(str::to_owned).collect();
    let any_of = if values.is_empty() { Vec::new() } else { vec![(MODEL.to_owned(), values)] };
    Requirement { any_of, ..Requirement::default() }
}

fn columns<const N: usize>(table: &Table, names: [&str; N]) -> Result<[usize; N]> {
    let mut found = [0; N];
    for (place, name) in found.iter_mut().zip(names) {
        *place = table.column(name).ok_or_else(|| {
            let near = nearest(name, table.headers.iter().map(String::as_str));
            let remedy = near.map(|near| format!("is it the column `{near}`?"));
            let cause = format!("openb's column `{name}` is missing");
            table.source.error(cause).at("line 1").help(remedy.unwrap_or_default())
        })?;
    }
    Ok(found)
}

fn integer(row: &Row, column: usize) -> Result<i64> {
    let text = if row.cell(column).is_empty() { "0" } else { row.cell(column) };
    let value = text.parse().ok().filter(|value| (0..1_000_000_000_000).contains(value));
    value
        .ok_or_else(|| row.error(column, format!("`{text}` is not a whole number from 0 to 10^12")))
}

fn whole(row: &Row, column: usize) -> Result<Decimal> {
    let value = integer(row, column)?;
    Decimal::from_integer(value).map_err(|error| row.error(column, error.to_string()))
}

/// Thousandths, `times` over.
fn milli(row: &Row, column: usize, times: i64) -> Result<Decimal> {
    let total = i128::from(integer(row, column)?) * i128::from(times);
    Decimal::parse(&format!("{total}m")).map_err(|error| row.error(column, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::super::source::Text;
    use super::*;

    const NODES: &str =
        "sn,cpu_milli,memory_mib,gpu,model\na,32000,262144,2,V100M16\nb,1500,1,0,\n";
    const PODS: &str = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos\n\
                        p,6000,12288,1,460,V100M16|V100M32,LS\nq,500,1,2,1000,,BE\n";

    fn openb(pods: &str, nodes: &str) -> Result<Draft> {
        let pods = Table::open(Text { name: "pods", text: pods })?;
        read(&pods, &Table::open(Text { name: "nodes", text: nodes })?)
    }

    #[test]
    fn pods_and_nodes() {
        let draft = openb(PODS, NODES).unwrap();
        assert_eq!(draft.tasks[0].demand[0].1.to_string(), "6");
        assert_eq!(draft.tasks[0].demand[2].1.to_string(), "0.46");
        assert_eq!(draft.tasks[1].demand[2].1.to_string(), "2");
        assert_eq!(draft.tasks[0].requires.any_of[0].1, ["V100M16", "V100M32"]);
        assert!(draft.nodes[1].labels.is_empty());
        let instance = draft.build().unwrap();
        assert!(!instance.eligible(model::TaskId(0), model::NodeId(1)));
    }

    #[test]
    fn bad_tables() {
        let bad = PODS.replace("460", "-460");
        assert_eq!(
            openb(&bad, NODES).unwrap_err().to_string(),
            "pods: line 2, column `gpu_milli`: `-460` is not a whole number from 0 to 10^12"
        );
        let missing = NODES.replace("model", "modell");
        let error = openb(PODS, &missing).unwrap_err();
        assert_eq!(error.to_string(), "nodes: line 1: openb's column `model` is missing");
        assert_eq!(error.remedy, "is it the column `modell`?");
        assert!(openb(NODES, PODS).unwrap_err().cause.contains("table of nodes"));
    }
}
