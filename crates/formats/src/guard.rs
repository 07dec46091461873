//! Cells that would not be read as they are written, and how they are: one apostrophe in front.
//! A spreadsheet would take them for a formula, and hides the apostrophe (OWASP, "CSV Injection");
//! or white space begins or ends them, which is no part of any other cell.

/// Whether a cell is guarded: it begins with what a spreadsheet may take for more than text, the
/// full-width forms included, or has white space at an end. Apostrophes in front do not count, or
/// those of a name would be lost.
fn active(text: &str) -> bool {
    let bare = text.trim_start_matches('\'');
    bare.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']) || bare.trim() != bare
}

/// The cell as it is written.
pub fn guarded(text: &str) -> String {
    if active(text) { format!("'{text}") } else { text.to_owned() }
}

/// The same for a cell that may be an amount: a negative number does no harm and stays one.
pub(super) fn guarded_unless_number(text: &str) -> String {
    match text.parse::<f64>() {
        Ok(_) if text.starts_with('-') => text.to_owned(),
        _ => guarded(text),
    }
}

/// The cell as it was before [`guarded`]; of others, what is between white space.
pub(super) fn unguarded(cell: &str) -> &str {
    fn inside(cell: &str) -> Option<&str> {
        cell.strip_prefix('\'').filter(|text| active(text))
    }
    inside(cell).or_else(|| inside(cell.trim())).unwrap_or(cell.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back_and_none_is_a_formula() {
        let texts = [
            "=cmd()",
            "+1",
            "@x",
            "-x",
            "-5",
            "-1+cmd|' /C calc'!A0",
            "'=x",
            "''-5",
            "'a",
            "a=b",
            "",
            "\tx",
            "＝1",
            "5",
            " a ",
            "a ",
            "\u{2028}a",
            "' a",
            "''a ",
            "' ",
            "  ",
        ];
        for text in texts {
            let cell = guarded(text);
            assert_eq!(unguarded(&cell), text);
            assert!(!active(&cell) || cell.starts_with('\''), "{cell}");
            assert_eq!(unguarded(&guarded_unless_number(text)), text);
        }
        assert_eq!(guarded("+1"), "'+1");
        assert_eq!(unguarded("  a "), "a");
        assert_eq!(unguarded("  '=a"), "=a");
        assert_eq!(guarded_unless_number("-2.5"), "-2.5");
    }
}
