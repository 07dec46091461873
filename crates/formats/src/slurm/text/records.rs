//! What `scontrol show` prints: records of `Key=Value`, over several lines or in one.

use super::values::unset;

/// A record with the line that it begins in.
pub(super) struct Record<'a> {
    pub(super) line: usize,
    /// Its first key.
    pub(super) head: &'static str,
    pub(super) fields: Vec<(&'a str, &'a str)>,
    /// What a job holds of its nodes, in the detailed form: each with `Nodes`, `CPU_IDs`, `Mem`, `GRES`.
    pub(super) parts: Vec<Vec<(&'a str, &'a str)>>,
}

impl<'a> Record<'a> {
    /// The first value of a field, if it is set.
    pub(super) fn value(&self, key: &str) -> Option<&'a str> {
        let own = self.fields.iter().find(|(own, _)| *own == key).map(|(_, value)| *value);
        own.filter(|value| !unset(value))
    }
}

/// What records begin with.
const HEADS: [&str; 5] = ["NodeName", "JobId", "PartitionName", "ReservationName", "LicenseName"];

/// Fields whose values may have spaces in them, and what looks like a field.
const FREE: [&str; 14] = [
    "JobName",
    "Comment",
    "AdminComment",
    "SystemComment",
    "Extra",
    "OS",
    "Command",
    "WorkDir",
    "StdErr",
    "StdIn",
    "StdOut",
    "SubmitLine",
    "MailUser",
    "Container",
];

/// The head that a line begins with.
pub(super) fn head(line: &str) -> Option<&'static str> {
    HEADS.into_iter().find(|head| line.strip_prefix(head).is_some_and(|rest| rest.starts_with('=')))
}

/// The records of a text; lines before the first one are none. `known` says whether a record
/// with this head has such a field.
pub(super) fn records<'a>(text: &'a str, known: impl Fn(&str, &str) -> bool) -> Vec<Record<'a>> {
    let mut list: Vec<(usize, &'static str, Vec<&str>)> = Vec::new();
    for (k, line) in text.lines().enumerate() {
        match (head(line), list.last_mut()) {
            (Some(head), _) => list.push((k + 1, head, vec![line])),
            (None, Some((_, _, lines))) if line.starts_with([' ', '\t']) => lines.push(line),
            _ => {}
        }
    }
    let mut found = Vec::with_capacity(list.len());
    for (line, head, lines) in list {
        let mut record = Record { line, head, fields: Vec::new(), parts: Vec::new() };
        let whole = lines.len() > 1;
        for line in lines {
            for (key, value) in fields(line, whole, |key| known(head, key)) {
                let held = head == "JobId";
                match (held, key, record.parts.last_mut()) {
                    (true, "Nodes", _) => record.parts.push(vec![(key, value)]),
                    (true, "CPU_IDs" | "Mem" | "GRES" | "GRES_IDX", Some(part)) => {
                        part.push((key, value));
                    }
                    _ => record.fields.push((key, value)),
                }
            }
        }
        found.push(record);
    }
    found
}

/// The fields of a line. Where records have several lines, free texts go on to the end of theirs;
/// else to the next field that is known.
fn fields<'a>(line: &'a str, whole: bool, known: impl Fn(&str) -> bool) -> Vec<(&'a str, &'a str)> {
    let mut starts: Vec<(usize, &str)> = Vec::new();
    let mut free = false;
    // The reason of a node ends its line, that of a job is one word.
    let reason = |key: &str| key == "Reason" && line.trim_start().starts_with("Reason=");
    for (at, word) in words(line) {
        let Some((key, _)) = word.split_once('=') else { continue };
        let name = |c: char| c.is_ascii_alphanumeric() || "_:/-".contains(c);
        let plain = key.starts_with(|c: char| c.is_ascii_alphabetic()) && key.chars().all(name);
        if !plain || free && (whole || !known(key)) {
            continue;
        }
        free = FREE.contains(&key) || reason(key);
        starts.push((at, key));
    }
    let ends = starts.iter().skip(1).map(|(at, _)| *at).chain([line.len()]);
    let value =
        |((at, key), end): (&(usize, &'a str), usize)| (*key, line[at + key.len() + 1..end].trim());
    starts.iter().zip(ends).map(value).collect()
}

/// Words between white space, each with its place.
pub(super) fn words(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let start = line.as_ptr() as usize;
    line.split_whitespace().map(move |word| (word.as_ptr() as usize - start, word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_lines() {
        let known = |_: &str, key: &str| ["UserId", "JobState", "Priority"].contains(&key);
        let text = "\nJobId=7 JobName=a job with = spaces and Priority=9\n   Priority=5 Nice=0\n     \
                    Nodes=n1 CPU_IDs=0-3 Mem=8 GRES=\n   Comment=x Nice=4\n\nJobId=8 JobName=b c UserId=ada(1) JobState=PENDING\n";
        let list = records(text, known);
        assert_eq!(list.len(), 2);
        let expected = [
            ("JobId", "7"),
            ("JobName", "a job with = spaces and Priority=9"),
            ("Priority", "5"),
            ("Nice", "0"),
            ("Comment", "x Nice=4"),
        ];
        assert_eq!((list[0].line, &list[0].fields[..]), (2, &expected[..]));
        assert_eq!(list[0].parts.len(), 1);
        let expected =
            [("JobId", "8"), ("JobName", "b c"), ("UserId", "ada(1)"), ("JobState", "PENDING")];
        assert_eq!((list[1].line, &list[1].fields[..]), (7, &expected[..]));
    }
}
