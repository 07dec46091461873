//! Job shops: the OR-Library's and JSPLIB's lines of machine and duration, Taillard's two tables, and
//! flexible job shops. A machine is a node that takes one operation at a time.

use super::super::source::Text;
use super::psplib::{Numbers, duration};
use base::error::Result;
use model::{AfterDraft, Decimal, Draft, Goal, NodeDraft, PairDraft, TaskDraft, Term};

/// The label of machines.
const MACHINE: &str = "machine";
/// Most machines.
const MOST: usize = 100_000;

/// Without comments, and what may stand before the first number of an OR-Library's collection.
fn bare(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    lines.map(|line| format!("{line}\n")).collect()
}

/// The numbers of the text, if it holds nothing else.
fn numbers(text: &str) -> Option<Vec<i64>> {
    text.split_ascii_whitespace().map(|word| word.parse().ok()).collect()
}

/// True for `n m` and n x m pairs of machine and duration, with each machine once in every job.
pub(super) fn fits(text: &str) -> bool {
    let Some(words) = numbers(&bare(text)) else { return false };
    let [n, m, ref rest @ ..] = words[..] else { return false };
    let (Ok(n), Ok(m)) = (usize::try_from(n), usize::try_from(m)) else { return false };
    let whole = n.checked_mul(m).and_then(|all| all.checked_mul(2));
    if n == 0 || m == 0 || whole != Some(rest.len()) {
        return false;
    }
    rest.chunks(2 * m).all(|job| {
        let mut seen: Vec<i64> = job.iter().step_by(2).copied().collect();
        seen.sort_unstable();
        seen.iter().zip(0..).all(|(own, k)| *own == k)
    })
}

/// True for Taillard's heads.
pub(super) fn fits_taillard(text: &str) -> bool {
    let line = |name: &str| text.lines().any(|line| line.trim().eq_ignore_ascii_case(name));
    line("times") && line("machines")
}

/// True for the numbers of a flexible job shop: after `n m` and perhaps a mean, n lines with the
/// number of operations, and for each how many machines with their durations.
pub(super) fn fits_flexible(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let head: Vec<&str> = lines.next().unwrap_or("").split_whitespace().collect();
    let (Some(Ok(n)), Some(Ok(m))) = (
        head.first().map(|word| word.parse::<usize>()),
        head.get(1).map(|word| word.parse::<i64>()),
    ) else {
        return false;
    };
    if !(2..=3).contains(&head.len())
        || head.get(2).is_some_and(|mean| mean.parse::<f64>().is_err())
        || n == 0
    {
        return false;
    }
    let jobs: Vec<&str> = lines.collect();
    jobs.len() == n && jobs.iter().all(|line| flexible_line(line, m))
}

fn flexible_line(line: &str, m: i64) -> bool {
    let Some(words) = numbers(line) else { return false };
    let Some((operations, mut rest)) = words.split_first() else { return false };
    for _ in 0..*operations {
        let Some((count, after)) = rest.split_first() else { return false };
        let Some(pairs) =
            usize::try_from(*count).ok().and_then(|count| after.get(..count.checked_mul(2)?))
        else {
            return false;
        };
        if pairs.is_empty() || pairs.iter().step_by(2).any(|machine| !(0..=m).contains(machine)) {
            return false;
        }
        rest = &after[pairs.len()..];
    }
    rest.is_empty() && *operations >= 0
}

/// The machines, each with room for one operation.
fn shop(count: usize) -> Draft {
    let mut draft = Draft { goal: Some(Goal::single(Term::Makespan)), ..Draft::default() };
    let r = draft.resource(MACHINE);
    draft.nodes = (0..count)
        .map(|k| NodeDraft {
            id: format!("m{k}"),
            capacity: vec![(r, Decimal::ONE)],
            labels: vec![(MACHINE.to_owned(), k.to_string())],
            ..NodeDraft::default()
        })
        .collect();
    draft
}

/// Adds an operation that any of these machines can do, in so long each.
fn operation(draft: &mut Draft, (job, k): (usize, usize), machines: &[(usize, i64)]) {
    let id = format!("j{job}.{k}");
    let mut task = TaskDraft {
        id: id.clone(),
        demand: vec![(0, Decimal::ONE)],
        duration: machines.iter().map(|(_, seconds)| *seconds).max(),
        ..TaskDraft::default()
    };
    if k > 0 {
        task.after.push(AfterDraft { task: format!("j{job}.{}", k - 1), lag: 0 });
    }
    let mut names: Vec<String> = machines.iter().map(|(machine, _)| machine.to_string()).collect();
    names.sort();
    names.dedup();
    task.requires.any_of.push((MACHINE.to_owned(), names));
    for (machine, seconds) in machines.iter().filter(|(_, seconds)| Some(*seconds) != task.duration)
    {
        let node = format!("m{machine}");
        draft.pairs.push(PairDraft {
            task: id.clone(),
            node,
            duration: Some(*seconds),
            ..PairDraft::default()
        });
    }
    draft.tasks.push(task);
}

/// Reads lines of machine and duration; machines are counted from 0.
///
/// # Errors
/// Something else than whole numbers, machines that there are not, more or fewer numbers.
pub(super) fn read(source: Text) -> Result<Draft> {
    let text = bare(source.text);
    let source = Text { name: source.name, text: &text };
    let mut numbers = Numbers::new(source);
    let (n, m) = size(&mut numbers)?;
    let mut draft = shop(m);
    for job in 0..n {
        for k in 0..m {
            let machine = machine(&mut numbers, m, 0)?;
            let seconds = duration(&mut numbers)?;
            operation(&mut draft, (job, k), &[(machine, seconds)]);
        }
    }
    end(&numbers, draft)
}

/// Jobs and machines.
fn size(numbers: &mut Numbers) -> Result<(usize, usize)> {
    let n = numbers.count("the number of jobs")?;
    let m = numbers.count("the number of machines")?;
    if n == 0 || m == 0 || m > MOST || n.saturating_mul(m) > numbers.left() {
        return Err(numbers.error(format!(
            "{n} jobs on {m} machines do not fit the {} numbers that follow",
            numbers.left()
        )));
    }
    Ok((n, m))
}

fn machine(numbers: &mut Numbers, m: usize, first: usize) -> Result<usize> {
    let number = numbers.next("a machine")?;
    let own =
        usize::try_from(number).ok().and_then(|own| own.checked_sub(first)).filter(|own| *own < m);
    own.ok_or_else(|| {
        numbers
            .error(format!("machines are numbers from {first} to {}, not {number}", m + first - 1))
    })
}

fn end(numbers: &Numbers, draft: Draft) -> Result<Draft> {
    match numbers.left() {
        0 => Ok(draft),
        more => Err(numbers.error(format!("{more} more numbers follow the last job"))),
    }
}

/// Reads Taillard's tables: of times, and of machines, which are counted from 1. What stands in the
/// first two lines beside the numbers of jobs and machines (seeds, bounds) is left out.
///
/// # Errors
/// As for [`read`].
pub(super) fn read_taillard(source: Text) -> Result<Draft> {
    let lines: Vec<&str> = source.text.lines().collect();
    let at = |name: &str| lines.iter().position(|line| line.trim().eq_ignore_ascii_case(name));
    let (times, machines) = (at("times"), at("machines"));
    let (Some(times), Some(machines)) = (times, machines.filter(|at| Some(*at) > times)) else {
        return Err(
            source.error("the lines `Times` and `Machines` are not both there, in this order")
        );
    };
    let head = lines[..times].iter().flat_map(|line| line.split_whitespace());
    let sizes: Vec<&str> = head.filter(|word| word.parse::<usize>().is_ok()).take(2).collect();
    let text =
        [sizes.join(" "), lines[times + 1..machines].join("\n"), lines[machines + 1..].join("\n")]
            .join("\n");
    let own = Text { name: source.name, text: &text };
    let mut numbers = Numbers::new(own);
    let (n, m) = size(&mut numbers)?;
    let mut durations = Vec::new();
    for _ in 0..n * m {
        durations.push(duration(&mut numbers)?);
    }
    let mut draft = shop(m);
    for (k, seconds) in durations.into_iter().enumerate() {
        let machine = machine(&mut numbers, m, 1)?;
        operation(&mut draft, (k / m, k % m), &[(machine, seconds)]);
    }
    end(&numbers, draft)
}

/// Reads a flexible job shop; machines are counted from 1.
///
/// # Errors
/// As for [`read`].
pub(super) fn read_flexible(source: Text) -> Result<Draft> {
    let mut lines = source.text.trim_start().splitn(2, '\n');
    let head: Vec<&str> = lines.next().unwrap_or("").split_whitespace().take(2).collect();
    let text = format!("{}\n{}", head.join(" "), lines.next().unwrap_or(""));
    let mut numbers = Numbers::new(Text { name: source.name, text: &text });
    let n = numbers.count("the number of jobs")?;
    let m = numbers.next("the number of machines")?;
    let left = numbers.left();
    let m = usize::try_from(m).ok().filter(|m| (1..=MOST.min(left)).contains(m));
    let m = m.ok_or_else(|| {
        numbers.error(format!("the machines do not fit the {left} numbers that follow"))
    })?;
    let mut draft = shop(m);
    for job in 0..n {
        for k in 0..numbers.count("the number of operations")? {
            let count = numbers.count("the number of machines of an operation")?;
            let mut list = Vec::with_capacity(count);
            for _ in 0..count {
                list.push((machine(&mut numbers, m, 1)?, duration(&mut numbers)?));
            }
            if list.is_empty() {
                return Err(numbers.error("an operation that no machine can do".to_owned()));
            }
            operation(&mut draft, (job, k), &list);
        }
    }
    end(&numbers, draft)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_forms() {
        let text = "# ft03\n3 3\n0 3 1 2 2 2\n0 2 2 1 1 4\n1 4 2 3 0 1\n";
        assert!(fits(text));
        let lines = read(Text { name: "f", text }).unwrap();
        let text = "3 3\nTimes\n3 2 2\n2 1 4\n4 3 1\nMachines\n1 2 3\n1 3 2\n2 3 1\n";
        assert!(fits_taillard(text));
        let tables = read_taillard(Text { name: "f", text }).unwrap();
        let show = |draft: &Draft| -> Vec<_> {
            draft
                .tasks
                .iter()
                .map(|task| (task.id.clone(), task.duration, task.requires.any_of.clone()))
                .collect()
        };
        assert_eq!(show(&lines), show(&tables));
        let text = "2 2 1.5\n2 1 1 3 2 1 4 2 5\n1 1 2 6\n";
        assert!(fits_flexible(text));
        let flexible = read_flexible(Text { name: "f", text }).unwrap();
        assert_eq!((flexible.tasks.len(), flexible.pairs.len()), (3, 1));
        assert!(flexible.build().is_ok());
        for (text, cause) in [
            ("2 2\n0 1 1 1 0 1 5 1", "machines are numbers from 0 to 1, not 5"),
            ("9 9 1", "the number of jobs is 9, and the file has 2 more numbers"),
            ("1 1 0 1 2", "1 more numbers"),
        ] {
            let error = read(Text { name: "f", text }).unwrap_err().to_string();
            assert!(error.contains(cause), "{error}");
        }
    }
}
