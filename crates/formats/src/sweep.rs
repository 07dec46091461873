//! Reading a sweep: which options of `solve` take which values, in all combinations.

use toml::Value;

use super::source::{Source, Text, line_at};
use base::error::{Error, Result};

/// Options of one run with their values as texts, in the file's order. Switches are
/// `true` or `false`.
pub type Settings = Vec<(String, String)>;

/// Most settings of all runs together.
const MOST: usize = 2_000_000;
const REMEDY: &str = "write OPTION = VALUE or OPTION = [VALUE, ...], as in seed = [1, 2, 3]";

/// Reads a sweep in TOML: keys are `instance` and the long options of `solve`, values are
/// one or a list; `[[runs]]` tables say what differs from the keys above them. The last
/// key of a table changes fastest from run to run.
///
/// # Errors
/// What is no TOML, values that are no text, number or switch, empty lists, more than two million
/// settings.
pub fn read_sweep(source: &Source) -> Result<Vec<Settings>> {
    let text = source.text()?;
    let mut common = text.text.parse::<toml::Table>().map_err(|error| broken(text, &error))?;
    let blocks = match common.remove("runs") {
        None => vec![toml::Table::new()],
        Some(Value::Array(blocks)) if !blocks.is_empty() => {
            let tables = blocks.into_iter().map(|block| match block {
                Value::Table(table) => Ok(table),
                other => Err(wrong(text, "runs", &other)),
            });
            tables.collect::<Result<_>>()?
        }
        Some(other) => return Err(wrong(text, "runs", &other)),
    };
    let mut runs = Vec::new();
    let mut settings = 0usize;
    for block in blocks {
        let mut table = common.clone();
        table.extend(block);
        let each = table.iter().map(|(key, value)| Ok((key, values(text, key, value)?)));
        let each: Vec<(&String, Vec<String>)> = each.collect::<Result<_>>()?;
        let many =
            |count: usize, (_, values): &(&String, Vec<String>)| count.saturating_mul(values.len());
        let count = each.iter().fold(1, many);
        settings = settings.saturating_add(count.saturating_mul(each.len()));
        if settings > MOST || runs.len() + count > MOST {
            let cause = "these runs have more than two million settings together";
            return Err(text.error(cause).help("make several sweeps of it"));
        }
        for run in 0..count {
            let mut rest = count;
            let setting = |(key, values): &(&String, Vec<String>)| {
                rest /= values.len();
                ((*key).clone(), values[run / rest % values.len()].clone())
            };
            runs.push(each.iter().map(setting).collect());
        }
    }
    Ok(runs)
}

fn values(source: Text, key: &str, value: &Value) -> Result<Vec<String>> {
    let one = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Float(number) if number.is_finite() => Ok(number.to_string()),
        Value::Boolean(switch) => Ok(switch.to_string()),
        other => Err(wrong(source, key, other)),
    };
    match value {
        Value::Array(list) if list.is_empty() => {
            Err(source.error("this list is empty, so there is nothing to run").at(key).help(REMEDY))
        }
        Value::Array(list) => list.iter().map(one).collect(),
        value => Ok(vec![one(value)?]),
    }
}

fn wrong(source: Text, key: &str, value: &Value) -> Error {
    let what = if key == "runs" { "table of options" } else { "text, number or switch" };
    let remedy = if key == "runs" { "write [[runs]] and options below it" } else { REMEDY };
    source.error(format!("this {} is no {what}", value.type_str())).at(key).help(remedy)
}

fn broken(source: Text, error: &toml::de::Error) -> Error {
    let said = source.error(error.message().to_owned()).help("a sweep is a file in TOML");
    match error.span() {
        Some(span) => said.at(format!("line {}", line_at(source.text, span.start))),
        None => said,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(text: &str) -> Result<Vec<String>> {
        let runs = read_sweep(&Source { name: "s".into(), bytes: text.into() })?;
        let line = |run: Settings| {
            run.into_iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>()
        };
        Ok(runs.into_iter().map(|run| line(run).join(" ")).collect())
    }

    #[test]
    fn all_combinations_in_order() {
        assert_eq!(
            runs("instance = ['a', 'b']\ngap = 0.5\nseed = [1, 2]\n").unwrap(),
            [
                "instance=a gap=0.5 seed=1",
                "instance=a gap=0.5 seed=2",
                "instance=b gap=0.5 seed=1",
                "instance=b gap=0.5 seed=2"
            ]
        );
        assert_eq!(
            runs("instance = 'a'\nseed = 1\n[[runs]]\nseed = [2, 3]\n[[runs]]\nx = true").unwrap(),
            ["instance=a seed=2", "instance=a seed=3", "instance=a seed=1 x=true"]
        );
    }

    /// Neither the product of many lists nor many keys in every run take the memory that they would.
    #[test]
    fn too_many_settings_are_refused() {
        let list = |k: usize| format!("l{k} = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\n");
        let keys: String = (0..200).map(|k| format!("k{k} = 1\n")).collect();
        let lists = |count: usize| (0..count).map(list).collect::<String>();
        assert_eq!(runs(&lists(3)).unwrap().len(), 1_000);
        for text in [lists(40), lists(5) + &keys] {
            let error = runs(&text).unwrap_err();
            assert!(error.cause.contains("more than two million settings"), "{error}");
        }
    }

    #[test]
    fn mistakes_have_their_place() {
        for (text, place, cause) in [
            ("a = 1\nb = = 2", "line 2", ""),
            ("a = 1\na = 2", "line 2", "duplicate key"),
            ("seed = []", "seed", "empty"),
            ("seed = [[1]]", "seed", "no text, number or switch"),
            ("gap = nan", "gap", "no text"),
            ("runs = 3", "runs", "no table"),
            ("a = [1, 2]\n", "", ""),
        ] {
            match runs(text) {
                Err(error) => {
                    assert!(error.place.contains(place), "{text}: {error:?}");
                    assert!(error.cause.contains(cause), "{text}: {error:?}");
                }
                Ok(_) => assert!(place.is_empty(), "{text}"),
            }
        }
    }
}
