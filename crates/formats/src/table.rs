//! Tables with a header line: what our CSV files and openb's have in common.

use csv::StringRecord;

use super::guard::unguarded;
use super::sheet::{Sheet, alike, column_unit, header_unit};
use super::source::{Source, Text, line_at};
use base::error::{Error, Faults, Result};
use base::nearest;
use model::Decimal;

/// What a person says of tables beside what stands in them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Columns<'a> {
    /// Columns that are left out.
    pub ignored: &'a [String],
    /// Units of bare numbers: a resource and its unit.
    pub units: &'a [(String, String)],
}

/// A table whose header has been read and checked.
pub(super) struct Table<'a> {
    pub(super) source: Text<'a>,
    /// Column names, trimmed, each once.
    pub(super) headers: Vec<String>,
    /// Columns that are left out.
    pub(super) ignored: Vec<bool>,
    /// The unit of bare numbers in each column, where one is said.
    units: Vec<Option<&'static str>>,
    sheet: Sheet,
}

/// One line of a table.
pub(super) struct Row<'a> {
    table: &'a Table<'a>,
    record: &'a StringRecord,
}

impl<'a> Table<'a> {
    /// Reads the header.
    ///
    /// # Errors
    /// JSON instead of a table, a quote that is never closed, unnamed or repeated columns.
    pub(super) fn open(source: Text<'a>) -> Result<Table<'a>> {
        if source.text.trim_start().starts_with(['{', '[']) {
            let remedy = "give a JSON instance by itself, without --tasks and --nodes";
            return Err(source.error("this is JSON, not a CSV table").help(remedy));
        }
        let sheet = Sheet::of(source.text);
        if let Some(at) = open_quote(source.text, sheet.separator) {
            let cause = "a quote is opened here and never closed";
            let remedy = "close it; write a quote inside a quoted cell as \"\"";
            return Err(source.error_at(at, cause).help(remedy));
        }
        let mut reader = reader(source.text, sheet);
        let headers = reader.headers().map_err(|error| source.error(error.to_string()))?;
        let named = headers.iter().map(|name| header_unit(unguarded(name.trim())));
        let (mut headers, mut units): (Vec<String>, Vec<_>) =
            named.map(|(name, unit)| (name.to_owned(), unit)).unzip();
        // Spreadsheets leave separators behind the last column.
        while headers.len() > 1 && headers.last().is_some_and(String::is_empty) {
            headers.pop();
            units.pop();
        }
        let ignored = vec![false; headers.len()];
        let table = Table { source, headers, ignored, units, sheet };
        table.check_headers()?;
        Ok(table)
    }

    /// The file's table, as a person wants it read.
    ///
    /// # Errors
    /// As for [`Table::open`] and [`Table::with`].
    pub(super) fn of(source: &'a Source, columns: &Columns) -> Result<Table<'a>> {
        Table::open(source.text()?)?.with(columns)
    }

    /// The table as a person wants it read.
    ///
    /// # Errors
    /// A unit that there is not.
    pub(super) fn with(mut self, columns: &Columns) -> Result<Table<'a>> {
        for (k, name) in self.headers.iter().enumerate() {
            self.ignored[k] = columns.ignored.iter().any(|ignored| alike(ignored) == alike(name));
            let own = name.rsplit(':').next().unwrap_or(name).trim();
            if let Some((_, unit)) = columns.units.iter().find(|(of, _)| alike(of) == alike(own)) {
                self.units[k] = Some(column_unit(unit).ok_or_else(|| {
                    let cause = format!("--units: there is no unit `{unit}`");
                    Error::usage(cause).help("write such as memory=GiB or duration=h")
                })?);
            }
        }
        Ok(self)
    }

    /// The same with these names for columns that are called so but for case, spaces and hyphens.
    pub(super) fn named<'n>(mut self, names: impl Iterator<Item = &'n str>) -> Table<'a> {
        for name in names {
            let called = alike(name);
            let like = |header: &String| header != name && alike(header) == called;
            if self.column(name).is_none() && self.headers.iter().filter(|h| like(h)).count() == 1 {
                self.headers.iter_mut().filter(|h| like(h)).for_each(|h| name.clone_into(h));
            }
        }
        self
    }

    fn check_headers(&self) -> Result<()> {
        let header = |cause: String| self.source.error(cause).at("line 1");
        for (k, name) in self.headers.iter().enumerate() {
            if name.is_empty() {
                let cause = format!("column {} has no name", k + 1);
                return Err(header(cause).help("name it in the first line, or remove it"));
            }
            if name.contains(char::is_control) {
                let cause = format!("the column name {name:?} contains a control character");
                return Err(header(cause).help("use printable characters only"));
            }
            if self.headers[..k].contains(name) {
                return Err(
                    header(format!("column `{name}` appears twice")).help("keep one of the two")
                );
            }
        }
        Ok(())
    }

    /// Position of the column called `name`.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.headers.iter().position(|header| header == name)
    }

    /// An error about a column as a whole.
    pub(super) fn header_error(&self, column: &str, cause: impl Into<String>) -> Error {
        self.source.error(cause).at(format!("line 1, column `{column}`"))
    }

    /// An error about a column that is not there, or there by a misspelt name.
    pub(super) fn lacks(&self, column: &str, cause: impl Into<String>, remedy: &str) -> Error {
        match nearest(column, self.headers.iter().map(String::as_str)) {
            Some(near) => {
                let remedy = format!("did you mean `{column}` by `{near}`?");
                self.header_error(&near, cause).help(remedy)
            }
            None => self.source.error(cause).at("line 1").help(remedy),
        }
    }

    /// Calls `each` with every row.
    ///
    /// # Errors
    /// Those of `each`, rows of another length than the header, no rows at all.
    pub(super) fn rows(&self, mut each: impl FnMut(&Row) -> Result<()>) -> Result<()> {
        let mut reader = reader(self.source.text, self.sheet);
        let mut record = StringRecord::new();
        let (mut any, mut faults) = (false, Faults::default());
        while reader
            .read_record(&mut record)
            .map_err(|error| self.source.error(error.to_string()))?
        {
            if is_blank(&record) {
                continue;
            }
            any = true;
            let row = Row { table: self, record: &record };
            let beyond = record.iter().skip(self.headers.len());
            if record.len() < self.headers.len() || !all_empty(beyond) {
                let cells = |n: usize| {
                    if n == 1 { "1 cell".into() } else { format!("{n} cells") }
                };
                let (has, wants) = (cells(record.len()), cells(self.headers.len()));
                let cause = format!("this row has {has}, the header has {wants}");
                let remedy = "give every row one cell a column; empty cells keep their separator";
                faults.take(Err::<(), _>(self.source.error(cause).at(row.place()).help(remedy)))?;
                continue;
            }
            faults.take(each(&row))?;
        }
        faults.none()?;
        if any {
            return Ok(());
        }
        let remedy = "add one line for each item";
        Err(self.source.error("the file has a header and no rows").help(remedy))
    }

    /// `line N` of the row at this position, found by reading again: only
    /// errors ask.
    pub(super) fn place_of_row(&self, row: usize) -> String {
        let records = reader(self.source.text, self.sheet).into_records();
        let mut rows = records.filter(|record| !record.as_ref().is_ok_and(is_blank));
        match rows.nth(row) {
            Some(Ok(record)) => Row { table: self, record: &record }.place(),
            _ => String::new(),
        }
    }
}

impl Row<'_> {
    /// The cell, without the apostrophe that guards it or else trimmed.
    pub(super) fn cell(&self, column: usize) -> &str {
        unguarded(self.record.get(column).unwrap_or(""))
    }

    /// The quantity in a cell, `None` when it is empty.
    pub(super) fn quantity(&self, column: usize) -> Result<Option<Decimal>> {
        match self.cell(column) {
            "" => Ok(None),
            _ => {
                let parse = |text: &str| Decimal::parse(text).map_err(|error| error.to_string());
                self.amount(column, parse).map(Some)
            }
        }
    }

    /// What `parse` makes of a cell that holds a number, maybe with its unit.
    pub(super) fn amount<T>(
        &self,
        column: usize,
        parse: impl Fn(&str) -> std::result::Result<T, String>,
    ) -> Result<T> {
        let text = self.cell(column);
        let unit = self.table.units.get(column).copied().flatten();
        let read = self.table.sheet.plain(text, unit).and_then(|plain| {
            // Errors are about what stands there.
            parse(&plain)
                .map_err(|cause| cause.replacen(&format!("`{plain}`"), &format!("`{text}`"), 1))
        });
        read.map_err(|cause| self.error(column, cause))
    }

    /// What `parse` makes of a cell.
    pub(super) fn read<T>(
        &self,
        column: usize,
        parse: impl Fn(&str) -> std::result::Result<T, String>,
    ) -> Result<T> {
        parse(self.cell(column)).map_err(|cause| self.error(column, cause))
    }

    /// An error about one cell.
    pub(super) fn error(&self, column: usize, cause: impl Into<String>) -> Error {
        let name = self.table.headers.get(column).map_or("", String::as_str);
        let place = format!("{}, column `{name}`", self.place());
        self.table.source.error(cause).at(place)
    }

    /// `line N`, where the row starts.
    fn place(&self) -> String {
        let text = self.table.source.text;
        let before = self.table.sheet.before;
        let from = before + self.record.position().map_or(0, |at| at.byte() as usize);
        // The reader counts blank lines as part of the row that follows them.
        let rest = text.as_bytes().get(from..).unwrap_or_default();
        let blank = rest.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        format!("line {}", line_at(text, from + blank))
    }
}

/// Whether a row is what is left of one: separators only.
fn is_blank(record: &StringRecord) -> bool {
    record.len() > 1 && all_empty(record.iter())
}

fn all_empty<'c>(mut cells: impl Iterator<Item = &'c str>) -> bool {
    cells.all(|cell| cell.trim().is_empty())
}

fn reader(text: &str, sheet: Sheet) -> csv::Reader<&[u8]> {
    let rows = &text.as_bytes()[sheet.before..];
    csv::ReaderBuilder::new().flexible(true).delimiter(sheet.separator).from_reader(rows)
}

/// Where a quoted cell starts that never ends. The csv crate takes the rest of
/// the file for its content.
fn open_quote(text: &str, separator: u8) -> Option<usize> {
    let bytes = text.as_bytes();
    if !bytes.contains(&b'"') {
        return None;
    }
    let mut at = 0;
    let mut cell_starts = true;
    while at < bytes.len() {
        if cell_starts && bytes[at] == b'"' {
            match closing_quote(bytes, at + 1) {
                Some(closed) => at = closed,
                None => return Some(at),
            }
        }
        cell_starts = bytes[at] == separator || matches!(bytes[at], b'\n' | b'\r');
        at += 1;
    }
    None
}

/// The quote that ends a cell opened before `at`, doubled quotes skipped.
fn closing_quote(bytes: &[u8], mut at: usize) -> Option<usize> {
    while at < bytes.len() {
        if bytes[at] == b'"' {
            if bytes.get(at + 1) != Some(&b'"') {
                return Some(at);
            }
            at += 1;
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Vec<String>>> {
        let table = Table::open(Text { name: "f.csv", text })?;
        let mut rows = Vec::new();
        table.rows(|row| {
            rows.push((0..table.headers.len()).map(|c| row.cell(c).to_owned()).collect());
            Ok(())
        })?;
        Ok(rows)
    }

    #[test]
    fn rows_are_read_and_trimmed() {
        let rows = read("a , b\r\n1,\" x\"\"y\n \"\r\n\r\n2,\"\"\r\n").unwrap();
        assert_eq!(rows, [["1", "x\"y"], ["2", ""]]);
        let rows = read("sep=;\r\na;b;;\r\n1;x,y;;\r\n;;;\r\n2;\"z;\"\r\n").unwrap();
        assert_eq!(rows, [["1", "x,y"], ["2", "z;"]]);
        assert_eq!(read("a\tb\n1\t2\n").unwrap(), [["1", "2"]]);
        let faults = read("a,b\n1\n2,3\n4").unwrap_err();
        assert_eq!(faults.more().len(), 1);
        assert_eq!(faults.more()[0].place, "line 4");
    }

    #[test]
    fn bad_tables_say_why() {
        for (text, message) in [
            ("{}", "f.csv: this is JSON, not a CSV table"),
            ("a,b\n1\n2,3\n4", "f.csv: line 2: this row has 1 cell, the header has 2 cells"),
            ("a,,b\n", "f.csv: line 1: column 2 has no name"),
            ("a,b,a\n", "f.csv: line 1: column `a` appears twice"),
            ("a,b\n", "f.csv: the file has a header and no rows"),
            ("a,b\n1,2\n\n3\n", "f.csv: line 4: this row has 1 cell, the header has 2 cells"),
            ("a,b\n1,2,3\n", "f.csv: line 2: this row has 3 cells, the header has 2 cells"),
            ("a,b\n1,2\n\"3,4\n5,6\n", "f.csv: line 3: a quote is opened here and never closed"),
        ] {
            assert_eq!(read(text).unwrap_err().to_string(), message, "{text:?}");
        }
        assert!(read("a,b\n5\" disk,1\n").is_ok(), "a quote inside a cell is a character");
    }
}
