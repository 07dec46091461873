//! Bin packing: `.bpp` (items, capacity, sizes), the OR-Library's `binpack`, and `.vbp` for vectors.
//! Bins are nodes, as many as first fit decreasing needs; the goal is the fewest.

use super::super::source::Text;
use super::pool::whole_amount;
use super::psplib::Numbers;
use base::error::Result;
use model::{Draft, Goal, NodeDraft, TaskDraft, Term};

/// Most items, and most dimensions.
const MOST: usize = 100_000;
const MOST_DIMENSIONS: usize = 900;

fn words(text: &str) -> Option<Vec<i64>> {
    text.split_ascii_whitespace().map(|word| word.parse().ok().filter(|n: &i64| *n >= 0)).collect()
}

/// True for lines of one number: of items, a capacity, and as many sizes within it.
pub(super) fn fits(text: &str) -> bool {
    if text.lines().any(|line| line.split_ascii_whitespace().nth(1).is_some()) {
        return false;
    }
    let Some(words) = words(text) else { return false };
    let [n, capacity, ref sizes @ ..] = words[..] else { return false };
    usize::try_from(n) == Ok(sizes.len()) && n > 0 && sizes.iter().all(|size| *size <= capacity)
}

/// True for a number of problems, and the first one's name, capacity, items and best known value.
pub(super) fn fits_library(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let (Some(count), Some(name), Some(head)) = (lines.next(), lines.next(), lines.next()) else {
        return false;
    };
    let head: Vec<&str> = head.split_whitespace().collect();
    let number = |text: &&str| text.parse::<f64>().is_ok();
    count.parse::<u32>().is_ok() && !number(&name) && head.len() == 3 && head.iter().all(number)
}

/// True for dimensions, capacities, kinds of items, and each with its sizes and how many there are.
pub(super) fn fits_vectors(text: &str) -> bool {
    let Some(words) = words(text) else { return false };
    let Some(d) = words.first().and_then(|d| usize::try_from(*d).ok()) else { return false };
    let Some(n) = d.checked_add(1).and_then(|at| words.get(at)) else { return false };
    let all = usize::try_from(*n).ok().and_then(|n| n.checked_mul(d + 1)?.checked_add(d + 2));
    (1..=MOST_DIMENSIONS).contains(&d) && *n > 0 && all == Some(words.len())
}

/// Items as tasks.
fn draft(numbers: &Numbers, capacity: &[i64], items: Vec<(String, Vec<i64>)>) -> Result<Draft> {
    let mut draft = Draft { goal: Some(Goal::single(Term::Nodes)), ..Draft::default() };
    for k in 0..capacity.len() {
        draft.resource(&if capacity.len() == 1 {
            "size".to_owned()
        } else {
            format!("size{}", k + 1)
        });
    }
    let amounts = |list: &[i64]| -> Vec<(u16, model::Decimal)> {
        list.iter().enumerate().map(|(r, own)| (r as u16, whole_amount(*own))).collect()
    };
    for (name, sizes) in &items {
        if sizes.iter().zip(capacity).any(|(own, all)| own > all) {
            return Err(numbers.error(format!("the item {name} is larger than a bin")));
        }
    }
    draft.nodes = (1..=bins(capacity, &items))
        .map(|k| NodeDraft {
            id: format!("bin{k}"),
            capacity: amounts(capacity),
            ..NodeDraft::default()
        })
        .collect();
    draft.tasks = (items.into_iter())
        .map(|(id, sizes)| TaskDraft { id, demand: amounts(&sizes), ..TaskDraft::default() })
        .collect();
    Ok(draft)
}

/// How many bins first fit decreasing needs: the fewest are no more. Beyond some work, one for each item.
fn bins(capacity: &[i64], items: &[(String, Vec<i64>)]) -> usize {
    let mut order: Vec<&Vec<i64>> = items.iter().map(|(_, sizes)| sizes).collect();
    // By the sum of shares, in whole millionths.
    let share = |sizes: &&Vec<i64>| -> i128 {
        let parts = sizes.iter().zip(capacity).filter(|(_, all)| **all > 0);
        -parts.map(|(own, all)| i128::from(*own) * 1_000_000 / i128::from(*all)).sum::<i128>()
    };
    order.sort_by_key(share);
    let mut open: Vec<Vec<i64>> = Vec::new();
    let mut looked = 0usize;
    for sizes in order {
        let fits = |free: &Vec<i64>| free.iter().zip(sizes).all(|(free, own)| free >= own);
        let at = open.iter().position(fits);
        looked += at.unwrap_or(open.len()) + 1;
        if looked > 200_000_000 {
            return items.len();
        }
        let at = at.unwrap_or_else(|| {
            open.push(capacity.to_vec());
            open.len() - 1
        });
        open[at].iter_mut().zip(sizes).for_each(|(free, own)| *free -= own);
    }
    open.len().max(1)
}

/// Reads a `.bpp`.
///
/// # Errors
/// Something else than whole numbers, too many or too few, items larger than a bin.
pub(super) fn read(source: Text) -> Result<Draft> {
    let mut numbers = Numbers::new(source);
    let n = numbers.next("the number of items")?;
    let capacity = numbers.next("the capacity of a bin")?;
    one(&mut numbers, n, capacity)
}

fn one(numbers: &mut Numbers, n: i64, capacity: i64) -> Result<Draft> {
    let left = numbers.left();
    if usize::try_from(n) != Ok(left) || n == 0 || left > MOST {
        return Err(numbers.error(format!(
            "{n} items are said to come, and {left} numbers follow (at most {MOST})"
        )));
    }
    let mut items = Vec::with_capacity(left);
    for k in 1..=left {
        items.push((format!("i{k}"), vec![numbers.next("a size")?]));
    }
    draft(numbers, &[capacity], items)
}

/// Reads the OR-Library's `binpack` with one problem.
///
/// # Errors
/// Several problems; as for [`read`].
pub(super) fn read_library(source: Text) -> Result<Draft> {
    let mut lines = source.text.lines().filter(|line| !line.trim().is_empty());
    let count = lines.next().unwrap_or("").trim();
    if count != "1" {
        let cause = format!("the file has {count} problems");
        return Err(source.error(cause).help("keep one problem a file, with 1 in the first line"));
    }
    let rest: Vec<&str> = lines.skip(1).collect();
    let (head, sizes) = rest.split_first().unwrap_or((&"", &[]));
    let head: Vec<&str> = head.split_whitespace().take(2).collect();
    let text = format!("{}\n{}", head.join(" "), sizes.join("\n"));
    let (whole, scale) = scaled(&text);
    let own = Text { name: source.name, text: &whole };
    let mut numbers = Numbers::new(own);
    let capacity = numbers.next("the capacity of a bin")?;
    let n = numbers.next("the number of items")? / scale;
    one(&mut numbers, n, capacity)
}

/// Numbers with a point (`46.7`) as whole ones, and how many times as large.
fn scaled(text: &str) -> (String, i64) {
    if !text.contains('.') {
        return (text.to_owned(), 1);
    }
    let places = text
        .split_ascii_whitespace()
        .filter_map(|word| word.split_once('.'))
        .map(|(_, part)| part.len());
    let places = places.max().unwrap_or(0).min(6);
    let word = |word: &str| {
        let (whole, part) = word.split_once('.').unwrap_or((word, ""));
        format!("{whole}{part:0<places$}")
    };
    let lines =
        text.lines().map(|line| line.split_whitespace().map(word).collect::<Vec<_>>().join(" "));
    (lines.collect::<Vec<_>>().join("\n"), 10i64.pow(places as u32))
}

/// Reads a `.vbp`.
///
/// # Errors
/// As for [`read`].
pub(super) fn read_vectors(source: Text) -> Result<Draft> {
    let mut numbers = Numbers::new(source);
    let d = numbers.count("the number of dimensions")?;
    if !(1..=MOST_DIMENSIONS).contains(&d) {
        return Err(numbers.error(format!("{d} dimensions: there are from 1 to {MOST_DIMENSIONS}")));
    }
    let capacity: Vec<i64> = (0..d).map(|_| numbers.next("a capacity")).collect::<Result<_>>()?;
    let n = numbers.count("the number of kinds of items")?;
    let mut items = Vec::new();
    for kind in 1..=n {
        let sizes: Vec<i64> = (0..d).map(|_| numbers.next("a size")).collect::<Result<_>>()?;
        let many = numbers.next("how many items there are of a kind")?;
        let room = MOST - items.len();
        let many = usize::try_from(many)
            .ok()
            .filter(|many| *many <= room && many.saturating_mul(d) <= 10_000_000);
        let many = many.ok_or_else(|| numbers.error(format!("more than {MOST} items")))?;
        for k in 1..=many {
            let name = if many == 1 { format!("i{kind}") } else { format!("i{kind}.{k}") };
            items.push((name, sizes.clone()));
        }
    }
    if numbers.left() > 0 {
        return Err(numbers.error(format!("{} more numbers follow the last item", numbers.left())));
    }
    draft(&numbers, &capacity, items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_forms() {
        let plain = "6\n10\n7\n5\n5\n3\n3\n2\n";
        let library = "1\nu6_00\n10 6 3\n7\n5\n5\n3\n3\n2\n";
        let vectors = "2\n10 10\n3\n4 3 2\n5 5 1\n3 2 4\n";
        assert!(fits(plain) && fits_library(library) && fits_vectors(vectors));
        assert!(!fits(vectors) && !fits_vectors(plain) && !fits_library(plain));
        let size = |draft: Result<Draft>| {
            draft.map(|draft| (draft.tasks.len(), draft.nodes.len())).unwrap()
        };
        assert_eq!(size(read(Text { name: "f", text: plain })), (6, 3));
        assert_eq!(size(read_library(Text { name: "f", text: library })), (6, 3));
        assert_eq!(size(read_vectors(Text { name: "f", text: vectors })), (7, 3));
        let tenths = "1\nt3\n100 3 1\n49.9\n46.7\n3.4\n";
        assert_eq!(size(read_library(Text { name: "f", text: tenths })), (3, 1));
        let error = read(Text { name: "f", text: "2 10 11 1" }).unwrap_err();
        assert!(error.cause.contains("larger than a bin"), "{error}");
    }
}
