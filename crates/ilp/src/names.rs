//! Names of columns and rows that readers of LP and MPS files take: letters, digits, `_`, `.`,
//! parentheses and commas, short, each once.

use rustc_hash::{FxHashMap, FxHashSet};

use super::program::{Label, Of, Program};
use model::Instance;

/// Some readers take no more than 100 characters.
const LONGEST: usize = 80;

/// A name for every column and for every row.
pub(super) struct Names {
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<String>,
}

impl Names {
    pub(super) fn of(instance: &Instance, program: &Program) -> Names {
        let columns = program.columns.iter().map(|column| name(instance, &column.label));
        // A row may be called like a column, but not like the objective.
        let rows = program.rows.iter().map(|row| name(instance, &row.label));
        Names { columns: unique(columns), rows: unique(rows) }
    }
}

/// `family(a,b)`: what is in parentheses can be anything in the input.
fn name(instance: &Instance, label: &Label) -> String {
    let parts: Vec<String> = label.of.iter().flatten().map(|of| part(instance, *of)).collect();
    let mut name = label.family.to_owned();
    if !parts.is_empty() {
        name.push('(');
        name.push_str(&parts.join(","));
        name.truncate(LONGEST - 1); // all of it is ASCII
        name.push(')');
    }
    name
}

fn part(instance: &Instance, of: Of) -> String {
    let known = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let safe = |text: &str| text.chars().map(|c| if known(c) { c } else { '_' }).collect();
    match of {
        Of::Task(task) => safe(instance.task_name(task)),
        Of::Node(node) => safe(instance.node_name(node)),
        Of::Resource(r) => safe(&instance.resources()[r].name),
        Of::Rule(k) => safe(&instance.rules()[k].name),
        Of::Number(k) => (k + 1).to_string(),
        Of::Second(second) => second.to_string(),
    }
}

/// Numbers those that are there already.
fn unique(names: impl Iterator<Item = String>) -> Vec<String> {
    let names: Vec<String> = names.collect();
    let mut taken: FxHashSet<String> = FxHashSet::default();
    let mut last: FxHashMap<String, usize> = FxHashMap::default();
    let fresh = |name: String| {
        if taken.insert(name.clone()) {
            return name;
        }
        let count = last.entry(name.clone()).or_insert(1);
        loop {
            *count += 1;
            let numbered = format!("{name}_{count}");
            if taken.insert(numbered.clone()) {
                return numbered;
            }
        }
    };
    names.into_iter().map(fresh).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_names_are_numbered_past_those_that_are_there() {
        let names = ["a", "b", "a", "a_2", "a", "a_2"].map(str::to_owned);
        assert_eq!(unique(names.into_iter()), ["a", "b", "a_2", "a_2_2", "a_3", "a_2_3"]);
    }
}
