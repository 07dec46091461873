//! Tables as Markdown.

use super::number;

/// A cell whose text cannot break the table or become markup.
pub(super) fn cell(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '#' | '~' => safe.extend(['\\', c]),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            c => safe.push(c),
        }
    }
    safe
}

/// A table from a header and rows of ready cells; all but the first column to
/// the right.
pub(super) fn table(header: &[String], rows: impl Iterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let rule = format!("| --- |{}\n", " ---: |".repeat(header.len().saturating_sub(1)));
    rows.fold(line(header) + &rule, |text, row| text + &line(&row))
}

/// A gap for a cell.
pub(super) fn gap(gap: Option<f64>) -> String {
    gap.map_or("-".to_owned(), number::percent)
}
