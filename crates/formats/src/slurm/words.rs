//! The short texts of Slurm: host lists, GRES, TRES, counts and memory with suffixes.

/// Most names that a host list, and most tasks that an array, may stand for.
pub(super) const MOST: usize = 1_000_000;

/// `n[01-16,20],login1` as names, in order.
///
/// # Errors
/// What is wrong, in words.
pub(super) fn hosts(text: &str) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    for part in outside(text, ['[', ']'])? {
        if part.matches('[').count() > 8 {
            return Err(format!("`{part}` has more than eight brackets"));
        }
        let room = MOST.saturating_sub(names.len());
        names.extend(host(part, text, room)?);
    }
    Ok(names)
}

/// One of them: every bracket multiplies the names.
fn host(part: &str, text: &str, room: usize) -> Result<Vec<String>, String> {
    let Some((before, rest)) = part.split_once('[') else {
        return Ok(vec![part.to_owned()]);
    };
    let (inside, after) = rest.split_once(']').ok_or_else(|| unclosed(text))?;
    let middle = numbers(inside, room).map_err(|cause| format!("`{text}`: {cause}"))?;
    let ends = if after.is_empty() { vec![String::new()] } else { host(after, text, room)? };
    if middle.len().saturating_mul(ends.len()) > room {
        return Err(format!("`{text}` names more than {MOST} hosts"));
    }
    let mut names = Vec::with_capacity(middle.len() * ends.len());
    for number in &middle {
        names.extend(ends.iter().map(|end| format!("{before}{number}{end}")));
    }
    Ok(names)
}

/// `01-16,20` or `0-9:3`, padded as written.
///
/// # Errors
/// What is wrong, in words.
pub(super) fn numbers(text: &str, most: usize) -> Result<Vec<String>, String> {
    let mut list = Vec::new();
    for part in text.split(',').map(str::trim) {
        let (range, step) = match part.split_once(':') {
            Some((range, step)) => (range, step.parse::<u64>().ok().filter(|step| *step > 0)),
            None => (part, Some(1)),
        };
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let digits = |text: &str| match text.bytes().all(|b| b.is_ascii_digit()) {
            true if text.len() <= 20 => text.parse::<u64>().ok(),
            _ => None,
        };
        let (Some(from), Some(to), Some(step)) = (digits(first), digits(last), step) else {
            return Err(format!("`{part}` is no number and no range such as 1-4"));
        };
        if from > to {
            return Err(format!("the range `{part}` goes backwards"));
        }
        if ((to - from) / step).saturating_add(list.len() as u64) >= most as u64 {
            return Err(format!("`{text}` stands for more than {MOST}"));
        }
        let width = first.len();
        let mut next = Some(from);
        while let Some(number) = next.filter(|number| *number <= to) {
            list.push(format!("{number:0width$}"));
            next = number.checked_add(step);
        }
    }
    Ok(list)
}

/// The parts between commas that stand in no bracket; empty ones left out.
fn outside(text: &str, [open, close]: [char; 2]) -> Result<Vec<&str>, String> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0usize, 0);
    for (at, c) in text.char_indices() {
        if c == open {
            depth += 1;
        } else if c == close {
            depth = depth.checked_sub(1).ok_or_else(|| unclosed(text))?;
        } else if c == ',' && depth == 0 {
            parts.push(text[start..at].trim());
            start = at + 1;
        }
    }
    if depth > 0 {
        return Err(unclosed(text));
    }
    parts.push(text[start..].trim());
    parts.retain(|part| !part.is_empty());
    Ok(parts)
}

fn unclosed(text: &str) -> String {
    format!("a bracket of `{text}` has no partner")
}

/// Generic resources of one name and, where it is said, one type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gres {
    pub(super) name: String,
    pub(super) kind: Option<String>,
    pub(super) count: i64,
    /// It is there or not, and no job takes any of it.
    pub(super) there: bool,
}

/// `gpu:a100:8(S:0-1),nic:2`: of a node, of what is used on it, of what a job asks on each; with
/// or without `gres/` or `gres:` in front, `=` in place of the last colon.
///
/// # Errors
/// What is wrong, in words.
pub(super) fn gres(text: &str) -> Result<Vec<Gres>, String> {
    let mut list = Vec::new();
    if matches!(text.trim(), "" | "(null)" | "N/A" | "null") {
        return Ok(list);
    }
    for part in outside(text, ['(', ')'])? {
        let bare = part.split('(').next().unwrap_or("");
        let bare = bare.strip_prefix("gres/").or(bare.strip_prefix("gres:")).unwrap_or(bare);
        let mut words: Vec<&str> = bare.split([':', '=']).collect();
        let bad = || format!("`{part}` is no resource such as gpu:2 or gpu:a100:2");
        // A type such as `3g.20gb` may begin with a digit.
        let number = |word: &str| {
            let digits = suffix(word).0;
            !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit() || b"-.".contains(&b))
        };
        let count = match words.pop_if(|last| number(last)) {
            Some(last) => count(last)?,
            None => 1,
        };
        let there = words.contains(&"no_consume");
        words.retain(|word| *word != "no_consume");
        if words.is_empty() || words.len() > 2 || words.iter().any(|word| word.is_empty()) {
            return Err(bad());
        }
        list.push(Gres {
            name: words[0].to_owned(),
            kind: words.get(1).map(|kind| (*kind).to_owned()),
            count,
            there,
        });
    }
    Ok(list)
}

/// Trackable resources, of a node or of all of a job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tres {
    pub(super) cpu: Option<i64>,
    /// MiB.
    pub(super) memory: Option<i64>,
    pub(super) nodes: Option<i64>,
    pub(super) gres: Vec<Gres>,
    /// What no node has by itself: licences, burst buffers.
    pub(super) others: Vec<String>,
}

/// `cpu=4,mem=8G,node=1,billing=4,gres/gpu=2,gres/gpu:a100=2`
///
/// # Errors
/// What is wrong, in words.
pub(super) fn tres(text: &str) -> Result<Tres, String> {
    let mut found = Tres::default();
    if matches!(text.trim(), "" | "(null)" | "N/A" | "null") {
        return Ok(found);
    }
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let bad = || format!("`{part}` is no resource such as cpu=4 or gres/gpu=2");
        let (key, value) = part.split_once('=').ok_or_else(bad)?;
        match key {
            "cpu" => found.cpu = Some(count(value)?),
            "mem" => found.memory = Some(mebibytes(value)?),
            "node" => found.nodes = Some(count(value)?),
            // Derived from the others, or of no matter for where something runs.
            "billing" | "energy" | "pages" | "vmem" | "fs/disk" => {}
            key if key.starts_with("gres/") => found.gres.extend(gres(part)?),
            _ => found.others.push(part.to_owned()),
        }
    }
    Ok(found)
}

/// `4`, `2K`: suffixes are powers of 1024.
fn count(text: &str) -> Result<i64, String> {
    let (number, power) = suffix(text);
    let value = amount(number, power).filter(|value| value.fract() == 0.0);
    value.map(|value| value as i64).ok_or_else(|| format!("`{text}` is no whole number"))
}

/// `8G`, `62.50G`, `1000`: MiB where no suffix says otherwise, rounded as Slurm rounds them.
///
/// # Errors
/// What is wrong, in words.
pub(in super::super) fn mebibytes(text: &str) -> Result<i64, String> {
    let (number, power) = match suffix(text) {
        (number, 0) => (number, 0),
        (number, power) => (number, power - 2),
    };
    let value = amount(number, power).map(f64::round);
    value.map(|value| value as i64).ok_or_else(|| {
        format!("`{text}` is no amount of memory: Slurm writes 8G, 500M or a number of MiB")
    })
}

/// A number without its suffix, and the power of 1024 that the suffix is.
fn suffix(text: &str) -> (&str, i32) {
    let text = text.trim();
    let powers = ["K", "M", "G", "T", "P"].iter().zip(1..);
    let known = |(letter, power): (&&str, i32)| Some((text.strip_suffix(*letter)?, power));
    powers.into_iter().find_map(known).unwrap_or((text, 0))
}

/// Zero or more and small enough to be exact.
fn amount(number: &str, power: i32) -> Option<f64> {
    let plain = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let value = number.parse::<f64>().ok()? * 1024f64.powi(power);
    (plain && value.is_finite() && value < 1e15).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_lists() {
        for (text, names) in [
            ("n1", &["n1"][..]),
            ("n[01-03,20]", &["n01", "n02", "n03", "n20"]),
            ("a,b[1-2], c", &["a", "b1", "b2", "c"]),
            ("r[1-2]n[8-9]-ib", &["r1n8-ib", "r1n9-ib", "r2n8-ib", "r2n9-ib"]),
            ("n[098-101]", &["n098", "n099", "n100", "n101"]),
            ("", &[]),
        ] {
            assert_eq!(hosts(text).unwrap(), names, "{text}");
        }
        for (text, cause) in [
            ("n[1-", "has no partner"),
            ("n1]", "has no partner"),
            ("n[3-1]", "goes backwards"),
            ("n[a-b]", "no number and no range"),
            ("n[]", "no number and no range"),
            ("n[1-99999999]", "more than 1000000"),
            ("n[1-2000]x[1-2000]", "more than 1000000 hosts"),
            ("n[0-18446744073709551615]", "more than 1000000"),
            ("[1][1][1][1][1][1][1][1][1]", "more than eight brackets"),
        ] {
            let error = hosts(text).unwrap_err();
            assert!(error.contains(cause), "{text}: {error}");
        }
        assert_eq!(hosts("n[18446744073709551615]").unwrap(), ["n18446744073709551615"]);
        assert_eq!(numbers("0-9:4,12", 10).unwrap(), ["0", "4", "8", "12"]);
        assert!(numbers("1-3:0", 10).is_err());
    }

    fn of(name: &str, kind: Option<&str>, count: i64) -> Gres {
        Gres { name: name.to_owned(), kind: kind.map(str::to_owned), count, there: false }
    }

    #[test]
    fn generic_resources() {
        for (text, list) in [
            ("gpu:a100:8(S:0-1)", vec![of("gpu", Some("a100"), 8)]),
            ("gpu:8(S:0,2),nic:2", vec![of("gpu", None, 8), of("nic", None, 2)]),
            (
                "gpu:a100:2(IDX:0,1),gpu:h100:0(IDX:N/A)",
                vec![of("gpu", Some("a100"), 2), of("gpu", Some("h100"), 0)],
            ),
            ("gres/gpu:a100=2", vec![of("gpu", Some("a100"), 2)]),
            ("gres:gpu:3", vec![of("gpu", None, 3)]),
            ("gpu", vec![of("gpu", None, 1)]),
            ("gpu:3g.20gb", vec![of("gpu", Some("3g.20gb"), 1)]),
            ("mps:2K", vec![of("mps", None, 2048)]),
            ("(null)", vec![]),
            (
                "nsight:no_consume:1,fs:x:no_consume:4",
                vec![
                    Gres { there: true, ..of("nsight", None, 1) },
                    Gres { there: true, ..of("fs", Some("x"), 4) },
                ],
            ),
        ] {
            assert_eq!(gres(text).unwrap(), list, "{text}");
        }
        for text in ["gpu:", ":2", "gpu:a:b:2", "gpu:a100:2(S:0", "gpu:a100:1.5"] {
            assert!(gres(text).is_err(), "{text}");
        }
    }

    #[test]
    fn trackable_resources() {
        let found = tres("cpu=4,mem=8G,node=2,billing=4,gres/gpu=2,gres/gpu:a100=2,license/x=1");
        let found = found.unwrap();
        assert_eq!((found.cpu, found.memory, found.nodes), (Some(4), Some(8192), Some(2)));
        assert_eq!(found.gres, [of("gpu", None, 2), of("gpu", Some("a100"), 2)]);
        assert_eq!(found.others, ["license/x=1"]);
        for text in ["cpu", "cpu=-4", "cpu=x", "mem=1e9", "mem=", "gres/gpu=1.5"] {
            assert!(tres(text).is_err(), "{text}");
        }
    }

    #[test]
    fn memory() {
        for (text, mib) in [
            ("62.50G", 64000),
            ("1T", 1 << 20),
            ("500M", 500),
            ("500", 500),
            ("2048K", 2),
            ("0", 0),
        ] {
            assert_eq!(mebibytes(text).unwrap(), mib, "{text}");
        }
        assert!(mebibytes("99999999999P").is_err());
    }
}
