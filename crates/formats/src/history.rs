//! Earlier runs: a table with a row for each run of a task.

use super::history_slurm;
use super::source::Source;
use super::table::Table;
use base::error::Result;

/// One run.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Kind of the task.
    pub kind: String,
    /// Node or kind of node on which it ran; empty where that is not known.
    pub node: String,
    /// How long.
    pub seconds: Option<f64>,
    /// What it used, in the order of [`History::resources`].
    pub used: Vec<Option<f64>>,
}

/// Earlier runs, as read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// Names of the columns that are resources.
    pub resources: Vec<String>,
    /// Runs in the order of the file.
    pub runs: Vec<Run>,
    /// Rows without a kind.
    pub nameless: usize,
}

/// Columns that are no resources.
const OWN: [&str; 3] = ["kind", "node", "seconds"];

impl History {
    /// Reads what Slurm's `sacct` prints, or a table with the column `kind`, where wanted `node` and `seconds`, and one for each
    /// resource.
    ///
    /// # Errors
    /// What is no such table, with line and column.
    pub fn read(source: &Source) -> Result<History> {
        let text = source.text()?;
        if history_slurm::fits(text.text) {
            return history_slurm::read(text);
        }
        let table = Table::open(text)?;
        let Some(kind) = table.column("kind") else {
            let cause = "a table of runs needs a column `kind`";
            return Err(table.lacks("kind", cause, "add the kind of task that each row is about"));
        };
        let [node, seconds] = ["node", "seconds"].map(|name| table.column(name));
        let others = |k: &usize| !OWN.contains(&table.headers[*k].as_str());
        let columns: Vec<usize> = (0..table.headers.len()).filter(others).collect();
        if columns.is_empty() && seconds.is_none() {
            let remedy = "add `seconds`, or a column for each resource";
            let error = table.source.error("there is nothing to learn in these columns");
            return Err(error.at("line 1").help(remedy));
        }
        let mut history = History {
            resources: columns.iter().map(|k| table.headers[*k].clone()).collect(),
            ..History::default()
        };
        table.rows(|row| {
            let number = |k: usize| match row.quantity(k)?.map(|quantity| quantity.to_f64()) {
                Some(value) if value < 0.0 => {
                    let error = row.error(k, format!("{value} is less than nothing"));
                    Err(error.help("leave the cell empty where it was not measured"))
                }
                value => Ok(value),
            };
            let run = Run {
                kind: row.cell(kind).to_owned(),
                node: node.map_or("", |k| row.cell(k)).to_owned(),
                seconds: seconds.map(number).transpose()?.flatten(),
                used: columns.iter().map(|k| number(*k)).collect::<Result<_>>()?,
            };
            if run.kind.is_empty() {
                history.nameless += 1;
            } else {
                history.runs.push(run);
            }
            Ok(())
        })?;
        Ok(history)
    }
}
