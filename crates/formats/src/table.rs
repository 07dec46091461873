//! Tables with a header line: what our CSV files and openb's have in common.

use csv::StringRecord;

use super::guard::unguarded;
use super::source::{Text, line_at};
use base::error::{Error, Result};
use base::nearest;
use model::Decimal;

/// A table whose header has been read and checked.
pub(super) struct Table<'a> {
    pub(super) source: Text<'a>,
    /// Column names, trimmed, each once.
    pub(super) headers: Vec<String>,
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
    /// JSON instead of a table, another separator than a comma, a quote that is
    /// never closed, unnamed or repeated columns.
    pub(super) fn open(source: Text<'a>) -> Result<Table<'a>> {
        if source.text.trim_start().starts_with(['{', '[']) {
            let remedy = "give a JSON instance by itself, without --tasks and --nodes";
            return Err(source.error("this is JSON, not a CSV table").help(remedy));
        }
        if let Some(at) = open_quote(source.text) {
            let cause = "a quote is opened here and never closed";
            let remedy = "close it; write a quote inside a quoted cell as \"\"";
            return Err(source.error_at(at, cause).help(remedy));
        }
        let mut reader = reader(source.text);
        let headers = reader.headers().map_err(|error| source.error(error.to_string()))?;
        let headers: Vec<String> =
            headers.iter().map(|name| unguarded(name.trim()).to_owned()).collect();
        let table = Table { source, headers };
        table.check_headers()?;
        Ok(table)
    }

    fn check_headers(&self) -> Result<()> {
        let header = |cause: String| self.source.error(cause).at("line 1");
        if let [only] = &self.headers[..] {
            for (separator, name) in [(';', "semicolons"), ('\t', "tabs")] {
                if only.contains(separator) {
                    let cause = format!("the cells are separated by {name}, not by commas");
                    let remedy = "save it with commas between cells and points in numbers";
                    return Err(header(cause).help(remedy));
                }
            }
        }
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
        let mut reader = reader(self.source.text);
        let mut record = StringRecord::new();
        let mut any = false;
        while reader
            .read_record(&mut record)
            .map_err(|error| self.source.error(error.to_string()))?
        {
            any = true;
            let row = Row { table: self, record: &record };
            if record.len() != self.headers.len() {
                let cells = |n: usize| {
                    if n == 1 { "1 cell".into() } else { format!("{n} cells") }
                };
                let (has, wants) = (cells(record.len()), cells(self.headers.len()));
                let cause = format!("this row has {has}, the header has {wants}");
                let remedy = "give every row one cell a column; empty cells keep their comma";
                return Err(self.source.error(cause).at(row.place()).help(remedy));
            }
            each(&row)?;
        }
        if any {
            return Ok(());
        }
        let remedy = "add one line for each item";
        Err(self.source.error("the file has a header and no rows").help(remedy))
    }

    /// `line N` of the row at this position, found by reading again: only
    /// errors ask.
    pub(super) fn place_of_row(&self, row: usize) -> String {
        let record = reader(self.source.text).into_records().nth(row);
        match record {
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
            text => {
                let quantity = Decimal::parse(text);
                quantity.map(Some).map_err(|error| self.error(column, error.to_string()))
            }
        }
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
        let from = self.record.position().map_or(0, |at| at.byte() as usize);
        // The reader counts blank lines as part of the row that follows them.
        let rest = text.as_bytes().get(from..).unwrap_or_default();
        let blank = rest.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        format!("line {}", line_at(text, from + blank))
    }
}

fn reader(text: &str) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes())
}

/// Where a quoted cell starts that never ends. The csv crate takes the rest of
/// the file for its content.
fn open_quote(text: &str) -> Option<usize> {
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
        cell_starts = matches!(bytes[at], b',' | b'\n' | b'\r');
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
    }

    #[test]
    fn bad_tables_say_why() {
        for (text, message) in [
            ("{}", "f.csv: this is JSON, not a CSV table"),
            ("a;b\n1;2", "f.csv: line 1: the cells are separated by semicolons, not by commas"),
            ("a\tb\n1\t2", "f.csv: line 1: the cells are separated by tabs, not by commas"),
            ("a,,b\n", "f.csv: line 1: column 2 has no name"),
            ("a,b,a\n", "f.csv: line 1: column `a` appears twice"),
            ("a,b\n", "f.csv: the file has a header and no rows"),
            ("a,b\n1,2\n\n3\n", "f.csv: line 4: this row has 1 cell, the header has 2 cells"),
            ("a,b\n1,2,\n", "f.csv: line 2: this row has 3 cells, the header has 2 cells"),
            ("a,b\n1,2\n\"3,4\n5,6\n", "f.csv: line 3: a quote is opened here and never closed"),
        ] {
            assert_eq!(read(text).unwrap_err().to_string(), message, "{text:?}");
        }
        assert!(read("a,b\n5\" disk,1\n").is_ok(), "a quote inside a cell is a character");
    }
}
