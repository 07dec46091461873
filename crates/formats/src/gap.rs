//! The generalized assignment problem as the OR-Library writes it: integers
//! between white space. `m n`, then an m x n table of costs (a row an agent),
//! an m x n table of demands, m capacities. Agents are our nodes, jobs our
//! tasks; the cost is minimised.

use super::source::Text;
use base::error::Result;
use model::{Decimal, Draft};

/// Reads one problem. Tasks are `t0`, `t1`, ..., nodes `n0`, `n1`, ..., the one
/// resource is `load`.
///
/// # Errors
/// Anything but non-negative integers below 10^18, sizes of zero, and any other
/// count of numbers than the sizes ask for.
pub(super) fn read(source: Text) -> Result<Draft> {
    let numbers = numbers(source)?;
    let (m, n) = sizes(source, &numbers)?;
    let (costs, rest) = numbers[2..].split_at(m * n);
    let (demands, capacities) = rest.split_at(m * n);
    Ok(Draft::pairwise("load", costs, demands, capacities))
}

/// True when the text has as many numbers as its first two ask for.
pub(super) fn fits(text: &str) -> bool {
    let mut words = text.split_ascii_whitespace();
    let mut size = || words.next().and_then(|word| word.parse::<usize>().ok());
    let (Some(m), Some(n)) = (size(), size()) else { return false };
    let needed = m.checked_mul(n).and_then(|mn| mn.checked_mul(2)?.checked_add(m));
    needed == Some(words.count())
}

/// Every number of the file.
fn numbers(source: Text) -> Result<Vec<Decimal>> {
    let start = source.text.as_ptr() as usize;
    let mut numbers = Vec::new();
    for word in source.text.split_ascii_whitespace() {
        let value: Option<i64> = word.parse().ok().filter(|value: &i64| *value < 10i64.pow(18));
        let number = value.and_then(|value| Decimal::from_integer(value).ok());
        match number {
            Some(number) => numbers.push(number),
            None => {
                let shown: String = word.chars().take(40).collect();
                let cause = format!("`{shown}` is not a whole number from 0 to 10^18");
                let at = word.as_ptr() as usize - start;
                let remedy = "a gap file holds only such numbers, with white space between them";
                return Err(source.error_at(at, cause).help(remedy));
            }
        }
    }
    Ok(numbers)
}

/// Nodes and tasks, once the file is known to hold exactly the numbers they need.
fn sizes(source: Text, numbers: &[Decimal]) -> Result<(usize, usize)> {
    let [m, n, ..] = numbers else {
        let cause = "a gap file starts with the number of nodes and the number of tasks";
        return Err(source.error(cause).at("line 1"));
    };
    let whole = |number: &Decimal| number.at_places(0).map_or(0, i128::from);
    let (m, n) = (whole(m), whole(n));
    if m == 0 || n == 0 {
        let cause = format!("the problem has {m} nodes and {n} tasks: both must be at least 1");
        return Err(source.error(cause).at("line 1"));
    }
    let needed = 2 + 2 * m * n + m;
    let found = numbers.len() as i128;
    if found < needed {
        let cause = format!("{m} nodes and {n} tasks need {needed} numbers, the file has {found}");
        let remedy = "write `m n`, m x n costs, m x n demands, m capacities";
        return Err(source.error(cause).help(remedy));
    }
    if found > needed {
        let more = found - needed;
        let cause = format!(
            "{more} more numbers follow the problem of {m} nodes and {n} tasks, which needs {needed}"
        );
        let remedy =
            "keep one problem a file: collections of several must be split, without their count";
        return Err(source.error(cause).help(remedy));
    }
    // Both are smaller than the number of numbers in memory.
    Ok((m as usize, n as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gap(text: &str) -> Result<Draft> {
        read(Text { name: "f", text })
    }

    #[test]
    fn a_small_problem() {
        let draft = gap("2 3\n1 2 3\n4 5 6\n 7 8 9 10 11 12\n20 21").unwrap();
        let instance = draft.build().unwrap();
        assert_eq!((instance.tasks(), instance.nodes()), (3, 2));
        let (task, node) = (model::TaskId(2), model::NodeId(1));
        assert_eq!(instance.demand_on(task, node), [12]);
        assert_eq!(instance.cost_on(task, node), 6);
        assert_eq!(instance.capacity(node), [21]);
        assert_eq!(instance.goal().to_string(), "cost");
    }

    #[test]
    fn bad_numbers_are_named() {
        for (text, message) in [
            ("1 1\n1 x 3", "f: line 2: `x` is not a whole number from 0 to 10^18"),
            ("1 1\n1 -1 3", "f: line 2: `-1` is not a whole number from 0 to 10^18"),
            ("1 1\n1 1.5 3", "f: line 2: `1.5` is not a whole number from 0 to 10^18"),
            ("1 1 1 1e308 3", "f: line 1: `1e308` is not a whole number from 0 to 10^18"),
            ("7", "f: line 1: a gap file starts with the number of nodes and the number of tasks"),
            ("0 3", "f: line 1: the problem has 0 nodes and 3 tasks: both must be at least 1"),
            ("2 2 1 1", "f: 2 nodes and 2 tasks need 12 numbers, the file has 4"),
            (
                "999999999 999999999 1",
                "f: 999999999 nodes and 999999999 tasks need 1999999997000000003 numbers, the file has 3",
            ),
            (
                "1 1 1 1 1 9 9",
                "f: 2 more numbers follow the problem of 1 nodes and 1 tasks, which needs 5",
            ),
        ] {
            assert_eq!(gap(text).unwrap_err().to_string(), message);
        }
    }
}
