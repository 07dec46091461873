//! Observed demands: a table with a row for each time that somebody looked.

use rustc_hash::FxHashMap;

use super::source::Source;
use super::table::Table;
use base::error::{Error, Result};
use base::nearest;
use model::{Decimal, Draft, Instance, TaskId};

/// What was observed of tasks: one row an observation, all resources at once.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    file: String,
    /// Names of the columns beside the task's.
    resources: Vec<String>,
    /// Tasks in the order in which they first come, with their rows.
    tasks: Vec<(String, Vec<Vec<Option<Decimal>>>)>,
}

impl Samples {
    /// Reads a table with the column `task` and one for each resource that was observed.
    ///
    /// # Errors
    /// What is no such table, with line and column.
    pub fn read(source: &Source) -> Result<Samples> {
        let table = Table::open(source.text()?)?;
        let Some(id) = table.column("task") else {
            let cause = "a table of samples needs a column `task`";
            return Err(table.lacks("task", cause, "add the task that each row was observed of"));
        };
        let columns: Vec<usize> = (0..table.headers.len()).filter(|k| *k != id).collect();
        if columns.is_empty() {
            let remedy = "add a column for each resource that was observed";
            return Err(table
                .source
                .error("there is no column beside `task`")
                .at("line 1")
                .help(remedy));
        }
        let mut samples = Samples {
            file: source.name.clone(),
            resources: columns.iter().map(|k| table.headers[*k].clone()).collect(),
            tasks: Vec::new(),
        };
        let mut at: FxHashMap<String, usize> = FxHashMap::default();
        table.rows(|row| {
            let cells = columns.iter().map(|k| row.quantity(*k)).collect::<Result<Vec<_>>>()?;
            let next = samples.tasks.len();
            let task = *at.entry(row.cell(id).to_owned()).or_insert(next);
            if task == next {
                samples.tasks.push((row.cell(id).to_owned(), Vec::new()));
            }
            samples.tasks[task].1.push(cells);
            Ok(())
        })?;
        Ok(samples)
    }

    /// Gives the tasks that were observed the mean and the deviation of their samples in place of
    /// their demand. Both are rounded up to five digits.
    ///
    /// # Errors
    /// Tasks and resources that the instance does not have, a single observation.
    pub(super) fn apply(&self, draft: &mut Draft) -> Result<()> {
        let wrong = |cause: String| Error::input(&self.file, cause);
        let unknown = |kind: &str, name: &str, near: Option<String>| {
            let error = wrong(format!("the instance has no {kind} `{name}`"));
            error.help(near.map_or_else(
                || "are these samples of another instance?".to_owned(),
                |near| format!("did you mean `{near}`?"),
            ))
        };
        let mut resources = Vec::with_capacity(self.resources.len());
        for name in &self.resources {
            let known = draft.resources.iter().position(|known| known.name == *name);
            let names = draft.resources.iter().map(|known| known.name.as_str());
            resources
                .push(known.ok_or_else(|| unknown("resource", name, nearest(name, names)))? as u16);
        }
        let at: FxHashMap<String, usize> =
            draft.tasks.iter().enumerate().map(|(k, task)| (task.id.clone(), k)).collect();
        for (name, rows) in &self.tasks {
            let names = at.keys().map(String::as_str);
            let k = *at.get(name).ok_or_else(|| unknown("task", name, nearest(name, names)))?;
            let task = &mut draft.tasks[k];
            for (column, r) in resources.iter().enumerate() {
                let seen: Vec<f64> =
                    rows.iter().filter_map(|row| row[column]).map(Decimal::to_f64).collect();
                if seen.is_empty() {
                    continue;
                }
                let of = || format!("task `{name}`, resource `{}`", self.resources[column]);
                let (mean, deviation) = moments(&seen).ok_or_else(|| {
                    wrong(format!("{}: one observation does not say how a demand varies", of()))
                        .help("give two at least, or leave it out")
                })?;
                let exact = |value| {
                    Decimal::rounded_up(value)
                        .ok_or_else(|| wrong(format!("{}: the samples are too large", of())))
                };
                task.demand.retain(|(known, _)| known != r);
                task.deviation.retain(|(known, _)| known != r);
                task.demand.push((*r, exact(mean)?));
                if deviation > 0.0 {
                    task.deviation.push((*r, exact(deviation)?));
                }
            }
        }
        Ok(())
    }

    /// What was observed of each task of the instance, units of gangs included: rows with one number
    /// a resource, in integer steps; a resource that was not looked at has the demand's mean.
    pub fn observed(&self, instance: &Instance) -> Vec<Vec<Vec<f64>>> {
        let at: FxHashMap<&str, usize> =
            self.tasks.iter().enumerate().map(|(k, (name, _))| (name.as_str(), k)).collect();
        let column = |name: &str| self.resources.iter().position(|known| known == name);
        let columns: Vec<Option<usize>> =
            instance.resources().iter().map(|resource| column(&resource.name)).collect();
        let rows = |task: TaskId| {
            let Some(k) = at.get(instance.job_name(instance.job(task))) else { return Vec::new() };
            let mean = instance.demand(task);
            let number = |row: &[Option<Decimal>], r: usize| {
                let seen = columns[r].and_then(|column| row[column]);
                let scale = instance.resources()[r].scale;
                seen.map_or(mean[r] as f64, |seen| seen.to_f64() / scale.factor())
            };
            let rows = self.tasks[*k].1.iter();
            rows.map(|row| (0..mean.len()).map(|r| number(row, r)).collect()).collect()
        };
        instance.task_ids().map(rows).collect()
    }
}

/// Mean and standard deviation; `None` for fewer than two.
fn moments(seen: &[f64]) -> Option<(f64, f64)> {
    if seen.len() < 2 {
        return None;
    }
    let n = seen.len() as f64;
    let mean = seen.iter().sum::<f64>() / n;
    let squares: f64 = seen.iter().map(|x| (x - mean) * (x - mean)).sum();
    Some((mean, (squares / (n - 1.0)).sqrt()))
}
