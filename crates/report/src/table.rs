//! Tables and lines for a terminal.

use anstyle::{Ansi256Color, Style};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::{Report, number};

/// Nodes and tasks listed at most, unless everything is insisted on.
pub(super) const ROWS: usize = 40;

/// A table without lines, indented by two.
pub(super) fn bare() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table
}

/// The table's text, indented, without trailing blanks.
pub(super) fn indented(table: &Table) -> String {
    let lines = table.lines().map(|line| format!("  {}\n", line.trim_end()));
    lines.collect()
}

pub(super) fn right(table: &mut Table, columns: std::ops::Range<usize>) {
    for at in columns {
        if let Some(column) = table.column_mut(at) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

/// Columns that an indented table takes.
pub(super) fn columns_of(table: &Table) -> usize {
    1 + table.column_max_content_widths().iter().map(|width| usize::from(*width) + 2).sum::<usize>()
}

/// A line of text, broken between words where it is wider than the report may be.
pub(super) fn line(report: &Report, indent: usize, text: &str) -> String {
    let most = report.width.unwrap_or(usize::MAX);
    let mut lines = " ".repeat(indent);
    let mut column = indent;
    // A number keeps its unit: the blank between them is none until the words are apart.
    for (k, word) in text.replace(" %", "\u{a0}%").split(' ').enumerate() {
        let length = word.chars().count();
        if k > 0 && column + 1 + length > most {
            lines.push_str(&format!("\n{}", " ".repeat(indent + 2)));
            column = indent + 2;
        } else if k > 0 {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(&word.replace('\u{a0}', " "));
        column += length;
    }
    lines.push('\n');
    lines
}

/// A bar of blocks, eighths of a block included, coloured by how full it is.
pub(super) fn bar(level: f64, length: usize) -> String {
    if length == 0 {
        return String::new();
    }
    let eighths = (level.clamp(0.0, 1.0) * (length * 8) as f64).round() as usize;
    let mut blocks = "█".repeat(eighths / 8);
    if let Some(part) = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"].get(eighths % 8) {
        blocks.push_str(part);
    }
    let style = style(level);
    format!("{style}{blocks}{style:#}")
}

/// Blue, orange, bold red: apart for every eye, legible on light and on dark. The figure beside
/// the bar says the same.
fn style(level: f64) -> Style {
    let color = |code: u8| Style::new().fg_color(Some(Ansi256Color(code).into()));
    match level {
        level if level >= 0.95 => color(161).bold(),
        level if level >= 0.8 => color(166),
        _ => color(32),
    }
}

pub(super) fn unplaced(report: &Report) -> String {
    let unplaced = &report.outcome.unplaced;
    if unplaced.is_empty() {
        return String::new();
    }
    let mut text = format!("  {} unplaced:\n", number::grouped(unplaced.len()));
    for why in unplaced.iter().take(ROWS) {
        let name = report.instance.task_name(why.task);
        text.push_str(&line(report, 4, &format!("{name} ({}): {}", why.reason, why.detail)));
    }
    if unplaced.len() > ROWS {
        text.push_str(&format!("    ... and {} more\n", number::grouped(unplaced.len() - ROWS)));
    }
    text.push('\n');
    text
}
