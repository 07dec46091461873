//! Cells that a spreadsheet would take for a formula, made harmless and read back: one apostrophe
//! in front, which spreadsheets hide (OWASP, "CSV Injection").

/// Whether a spreadsheet may take a cell for more than text: it begins with one of these, their
/// full-width forms included. Apostrophes in front do not count, or those of a name would be lost.
fn active(text: &str) -> bool {
    let bare = text.trim_start_matches('\'');
    bare.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'])
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

/// The cell as it was before [`guarded`].
pub(super) fn unguarded(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|text| active(text)).unwrap_or(cell)
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
        ];
        for text in texts {
            let cell = guarded(text);
            assert_eq!(unguarded(&cell), text);
            assert!(!active(&cell) || cell.starts_with('\''), "{cell}");
            assert_eq!(unguarded(&guarded_unless_number(text)), text);
        }
        assert_eq!(guarded("+1"), "'+1");
        assert_eq!(guarded_unless_number("-2.5"), "-2.5");
    }
}
