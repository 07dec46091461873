//! Misspelt names.

/// The known name that `word` is most likely a misspelling of; long words are none, since
/// comparing two takes time with the product of their lengths.
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    const LONG: usize = 200;
    if word.len() > LONG {
        return None;
    }
    let lower = word.to_lowercase();
    let limit = (word.chars().count() / 3).clamp(1, 3);
    known
        .filter(|name| name.len() <= LONG)
        .map(|name| (strsim::damerau_levenshtein(&lower, &name.to_lowercase()), name))
        .min()
        .filter(|(distance, _)| *distance <= limit)
        .map(|(_, name)| name.to_owned())
}
