//! How spreadsheets are saved: what stands between their cells, how their numbers are written, and
//! the units that their headers name.

use std::borrow::Cow;

/// What a comma or a point in a number means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    /// It begins the fraction.
    Decimal,
    /// It stands between groups of three digits.
    Grouping,
    /// Nothing in the file says which.
    Unclear,
}

/// How a table is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sheet {
    /// Between cells.
    pub(super) separator: u8,
    /// Bytes before the header: the line `sep=;`.
    pub(super) before: usize,
    comma: Mark,
    point: Mark,
}

impl Sheet {
    /// Told from the header, and from numbers that can be read in one way only.
    pub(super) fn of(text: &str) -> Sheet {
        let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
        let stated = line.trim().strip_prefix("sep=").or(line.trim().strip_prefix("SEP="));
        let stated = stated.and_then(|rest| match rest.as_bytes() {
            [one] => Some(*one),
            _ => None,
        });
        let before = stated.map_or(0, |_| {
            let at = text.find(line).unwrap_or(0) + line.len();
            at + text[at..].find('\n').map_or(0, |end| end + 1)
        });
        let separator = stated.unwrap_or_else(|| most_common(line));
        let mut sheet = Sheet { separator, before, comma: Mark::Grouping, point: Mark::Decimal };
        if separator != b',' {
            sheet.look(&text[before..]);
        }
        sheet
    }

    /// Looks for numbers that say what commas and points mean.
    fn look(&mut self, text: &str) {
        let (mut commas, mut points) = (Seen::default(), Seen::default());
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .delimiter(self.separator)
            .from_reader(text.as_bytes());
        let mut record = csv::StringRecord::new();
        while reader.read_record(&mut record).unwrap_or(false) {
            for (number, _) in record.iter().filter_map(parts) {
                match (number.rfind(','), number.rfind('.')) {
                    (Some(comma), Some(point)) => {
                        let (last, other) = match comma > point {
                            true => (&mut commas, &mut points),
                            false => (&mut points, &mut commas),
                        };
                        last.decimal = true;
                        other.grouping = true;
                    }
                    (Some(_), None) => commas.look(number, ','),
                    (None, Some(_)) => points.look(number, '.'),
                    (None, None) => {}
                }
            }
        }
        let told = |own: Seen, other: Seen, usual: Mark| match (own, other) {
            (Seen { decimal: true, grouping: false }, _) => Mark::Decimal,
            (Seen { decimal: false, grouping: true }, _) => Mark::Grouping,
            (Seen { decimal: true, grouping: true }, _) => Mark::Unclear,
            (_, Seen { decimal: true, grouping: false }) => Mark::Grouping,
            (_, Seen { decimal: false, grouping: true }) => Mark::Decimal,
            _ => usual,
        };
        // Semicolons are there because commas are taken.
        let usual = if self.separator == b';' { Mark::Decimal } else { Mark::Unclear };
        self.comma = told(commas, points, usual);
        self.point = told(points, commas, Mark::Unclear);
    }

    /// The cell as our parsers read numbers: a point before the fraction, nothing between digits, no
    /// space before the unit; `unit` is that of bare numbers. What is no number is left as it is.
    ///
    /// # Errors
    /// A number that can be read in two ways.
    pub(super) fn plain<'t>(
        &self,
        text: &'t str,
        unit: Option<&str>,
    ) -> Result<Cow<'t, str>, String> {
        let Some((number, rest)) = parts(text) else { return Ok(Cow::Borrowed(text)) };
        let suffix = match rest {
            "" => unit.unwrap_or(""),
            rest => known_unit(rest).unwrap_or(rest),
        };
        let mut plain = String::with_capacity(text.len() + suffix.len());
        let bare = number.trim_start_matches(['+', '-', '\u{2212}']);
        if number.starts_with(['-', '\u{2212}']) {
            plain.push('-');
        }
        let spaced: Vec<&str> = bare.split(GROUPING).collect();
        if spaced.len() > 1
            && !(in_groups(&spaced[..spaced.len() - 1]) && begins_group(spaced[spaced.len() - 1]))
        {
            return Ok(Cow::Borrowed(text));
        }
        let digits = spaced.concat();
        let (whole, fraction) = match self.split(&digits)? {
            Some(split) => split,
            None => return Ok(Cow::Borrowed(text)),
        };
        plain.push_str(&whole);
        if let Some(fraction) = fraction {
            plain.push('.');
            plain.push_str(fraction);
        }
        plain.push_str(suffix);
        Ok(if plain == text { Cow::Borrowed(text) } else { Cow::Owned(plain) })
    }

    /// The digits before and behind the mark of the fraction; `None` for what is no number.
    fn split<'d>(&self, digits: &'d str) -> Result<Option<(String, Option<&'d str>)>, String> {
        let (commas, points) = (digits.matches(',').count(), digits.matches('.').count());
        let decimal = match (commas, points) {
            (0, 0) => None,
            (1.., 1..) => Some(if digits.rfind(',') > digits.rfind('.') { ',' } else { '.' }),
            (many, 0) => self.mark(digits, ',', many, self.comma)?,
            (0, many) => self.mark(digits, '.', many, self.point)?,
        };
        let (whole, fraction) = match decimal.and_then(|mark| digits.rsplit_once(mark)) {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (digits, None),
        };
        let groups: Vec<&str> = whole.split([',', '.']).collect();
        let fine = groups.len() == 1 || in_groups(&groups);
        let numeric = fraction.is_none_or(|part| part.bytes().all(|b| b.is_ascii_digit()));
        Ok((fine && numeric).then(|| (groups.concat(), fraction)))
    }

    /// The mark, where it begins the fraction of this number.
    fn mark(
        &self,
        digits: &str,
        mark: char,
        many: usize,
        means: Mark,
    ) -> Result<Option<char>, String> {
        let mut seen = Seen::default();
        seen.look(digits, mark);
        match (seen.decimal, seen.grouping, means) {
            (true, _, _) => Ok(Some(mark)),
            (_, true, _) => Ok(None),
            (_, _, Mark::Decimal) if many == 1 => Ok(Some(mark)),
            (_, _, Mark::Unclear) => {
                let plain = digits.replace(mark, "");
                let fraction = digits.replace(mark, ".");
                Err(format!(
                    "`{digits}` is {plain} or {fraction}: nothing in the table says which; write it without `{mark}`, or with a fraction of another length"
                ))
            }
            _ => Ok(None),
        }
    }
}

/// What numbers have shown of a mark.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    decimal: bool,
    grouping: bool,
}

impl Seen {
    /// Takes note of a number with this mark and not the other.
    fn look(&mut self, number: &str, mark: char) {
        let bare = number.trim_start_matches(['+', '-', '\u{2212}']);
        let groups: Vec<&str> = bare.split(mark).collect();
        match groups[..] {
            [whole, fraction] => {
                let odd = fraction.len() != 3 || whole.is_empty() || whole.len() > 3;
                self.decimal |= odd || whole.starts_with('0');
            }
            _ => self.grouping |= in_groups(&groups),
        }
    }
}

/// What may stand between groups of digits whatever the language.
const GROUPING: [char; 5] = [' ', '\u{a0}', '\u{202f}', '\'', '\u{2019}'];

/// Whether digits come in groups of three, the first of one to three.
fn in_groups(groups: &[&str]) -> bool {
    let all_digits = |group: &&str| !group.is_empty() && group.bytes().all(|b| b.is_ascii_digit());
    let (Some(first), rest) = (groups.first(), &groups[1..]) else { return false };
    groups.iter().all(all_digits) && first.len() <= 3 && rest.iter().all(|group| group.len() == 3)
}

/// Whether a text begins with three digits and then, if at all, its fraction.
fn begins_group(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    digits == 3
}

/// A number, with sign and marks, and its unit or exponent; `None` for what is no number.
fn parts(text: &str) -> Option<(&str, &str)> {
    let text = text.trim();
    let bare = text.trim_start_matches(['+', '-', '\u{2212}']);
    let begins = bare.bytes().next()?;
    if !(begins.is_ascii_digit() || begins == b'.' || begins == b',') {
        return None;
    }
    let of_number = |c: char| c.is_ascii_digit() || c == '.' || c == ',' || GROUPING.contains(&c);
    let end = bare.find(|c| !of_number(c)).unwrap_or(bare.len());
    let (number, rest) = bare.split_at(end);
    let number_end = text.len() - bare.len() + number.trim_end_matches(GROUPING).len();
    let unit = rest.chars().all(|c| c.is_alphabetic() || c == '%');
    let exponent = rest.strip_prefix(['e', 'E']).is_some_and(|power| {
        let digits = power.trim_start_matches(['+', '-']);
        !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
    });
    (unit || exponent).then(|| (&text[..number_end], rest))
}

/// Units that people write, and how our parsers know them.
const UNITS: [(&[&str], &str); 13] = [
    (&["b", "byte", "bytes"], ""),
    (&["kb"], "k"),
    (&["mb"], "M"),
    (&["gb"], "G"),
    (&["tb"], "T"),
    (&["pb"], "P"),
    (&["kib"], "Ki"),
    (&["mib"], "Mi"),
    (&["gib"], "Gi"),
    (&["tib"], "Ti"),
    (&["pib"], "Pi"),
    (&["core", "cores", "cpu", "cpus", "vcpu", "vcpus", "thread", "threads"], ""),
    (&["gpu", "gpus", "card", "cards", "device", "devices"], ""),
];

/// Units of whole columns beside those.
const OF_COLUMNS: [(&[&str], &str); 5] = [
    (&["s", "sec", "secs", "second", "seconds"], "s"),
    (&["min", "mins", "minute", "minutes"], "m"),
    (&["h", "hr", "hrs", "hour", "hours"], "h"),
    (&["d", "day", "days"], "d"),
    (&["%"], "%"),
];

fn known_unit(text: &str) -> Option<&'static str> {
    let text = text.to_ascii_lowercase();
    UNITS.iter().find(|(words, _)| words.contains(&text.as_str())).map(|(_, unit)| *unit)
}

/// A unit of a column as our parsers know it: `GiB`, `GB`, `Gi`, `h`, `cores`.
pub(super) fn column_unit(text: &str) -> Option<&'static str> {
    const OURS: [&str; 13] = ["k", "M", "G", "T", "P", "Ki", "Mi", "Gi", "Ti", "Pi", "", "m", "%"];
    let lower = text.to_ascii_lowercase();
    let longer = OF_COLUMNS.iter().find(|(words, _)| words.contains(&lower.as_str()));
    let own = || OURS.iter().find(|own| **own == text).copied();
    known_unit(text).or(own()).or(longer.map(|(_, unit)| *unit))
}

/// A header without the unit that it names: `memory (GiB)` is `memory`.
pub(super) fn header_unit(header: &str) -> (&str, Option<&'static str>) {
    let open = match header.as_bytes().last() {
        Some(b')') => header.rfind('('),
        Some(b']') => header.rfind('['),
        _ => None,
    };
    let Some(open) = open.filter(|open| *open > 0) else { return (header, None) };
    let unit = column_unit(header[open + 1..header.len() - 1].trim());
    unit.map_or((header, None), |unit| (header[..open].trim_end(), Some(unit)))
}

/// What separates the cells of a header: what is most common outside quotes.
fn most_common(header: &str) -> u8 {
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    let mut quoted = false;
    for byte in header.bytes() {
        quoted ^= byte == b'"';
        counts.iter_mut().filter(|(own, _)| !quoted && *own == byte).for_each(|(_, n)| *n += 1);
    }
    // The first of those that are as common.
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(own, _)| own)
}

/// A name as headers are compared: `Price per hour` is `price_per_hour`.
pub(super) fn alike(header: &str) -> String {
    header.trim().to_lowercase().replace([' ', '-'], "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(sheet: &Sheet, text: &str) -> String {
        sheet.plain(text, None).map_or_else(|error| format!("error: {error}"), Cow::into_owned)
    }

    #[test]
    fn numbers_are_read_as_their_table_writes_them() {
        let commas = Sheet::of("task,memory\n");
        let german = Sheet::of("task;memory\na;1.024,5\nb;2.048\n");
        let semicolons = Sheet::of("task;memory\na;0.5\nb;1,024\n");
        let silent = Sheet::of("task;memory\na;1\n");
        let tabs = Sheet::of("task\tmemory\na\t1\n");
        assert_eq!((commas.separator, german.separator, tabs.separator), (b',', b';', b'\t'));
        for (sheet, text, read) in [
            (&commas, "65,536Mi", "65536Mi"),
            (&commas, "1.5", "1.5"),
            (&commas, "1,024.5", "1024.5"),
            (&commas, "64 GiB", "64Gi"),
            (&commas, "64GB", "64G"),
            (&commas, "64 gb", "64G"),
            (&commas, "16 cores", "16"),
            (&commas, "35 %", "35%"),
            (&commas, "1h30m", "1h30m"),
            (&commas, "1 024", "1024"),
            (&commas, "1\u{202f}024\u{a0}MB", "1024M"),
            (&commas, "1'024", "1024"),
            (&commas, "1.5E+03", "1.5E+03"),
            (&commas, "gpu_model=A100", "gpu_model=A100"),
            (&commas, "2026-01-05", "2026-01-05"),
            (&commas, "1,50,000", "1,50,000"),
            (&german, "1,5", "1.5"),
            (&german, "2.048", "2048"),
            (&german, "-1,5", "-1.5"),
            (&german, "1,5E+03", "1.5E+03"),
            (&semicolons, "1,024", "1024"),
            (&semicolons, "0.25", "0.25"),
            (&silent, "1,500", "1.500"),
            (&silent, "1.5", "1.5"),
        ] {
            assert_eq!(plain(sheet, text), read, "{text}");
        }
        assert!(plain(&silent, "1.500").starts_with("error: `1.500` is 1500 or 1.500"));
        assert!(plain(&tabs, "1,500").starts_with("error: `1,500` is 1500 or 1.500"));
        assert_eq!(Sheet::of("sep=;\na;b\n").before, 6);
        assert_eq!(Sheet::of("SEP=|\r\na|b\n").separator, b'|');
    }

    #[test]
    fn headers_name_units() {
        for (header, name, unit) in [
            ("memory (GiB)", "memory", Some("Gi")),
            ("Memory [GB]", "Memory", Some("G")),
            ("duration (h)", "duration", Some("h")),
            ("cpu (cores)", "cpu", Some("")),
            ("cpu (fast)", "cpu (fast)", None),
            ("(GiB)", "(GiB)", None),
            ("reserve:cpu (%)", "reserve:cpu", Some("%")),
        ] {
            assert_eq!(header_unit(header), (name, unit), "{header}");
        }
        assert_eq!(alike(" Price per hour"), "price_per_hour");
    }
}
