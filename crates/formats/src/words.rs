//! The short texts that JSON and tables share: taints, tolerations, parts of a
//! capacity, milliseconds, spreads. Each reads what the other writes.

use model::{ANY, Ask, Decimal, Effect, Part, Taint, Toleration};

/// The text before an effect, and the effect.
fn effect(text: &str) -> (&str, Option<Effect>) {
    let ends = |(effect, word): &(Effect, &str)| Some((text.strip_suffix(word)?, Some(*effect)));
    Effect::ALL.iter().find_map(ends).unwrap_or((text, None))
}

fn key_and_value(text: &str, what: &str) -> Result<(String, Option<String>), String> {
    let (key, value) = match text.split_once('=') {
        Some((key, value)) => (key.trim(), Some(value.trim().to_owned())),
        None => (text.trim(), None),
    };
    match key {
        "" => Err(format!("`{text}` is no {what}: write key=value, as in gpu=reserved")),
        key => Ok((key.to_owned(), value)),
    }
}

/// `gpu=reserved`, `gpu`, `gpu=reserved:prefer`, `gpu:no-execute`
pub(super) fn taint(text: &str) -> Result<Taint, String> {
    let (body, effect) = effect(text);
    let (key, value) = key_and_value(body, "taint")?;
    Ok(Taint { key, value: value.unwrap_or_default(), effect: effect.unwrap_or_default() })
}

/// `gpu=reserved`, `gpu` for every value, `*` for every taint, each with an effect behind
/// it for that alone.
pub(super) fn toleration(text: &str) -> Result<Toleration, String> {
    let (body, effect) = effect(text);
    let (key, value) = key_and_value(body, "toleration")?;
    if key == ANY && value.is_some() {
        return Err(format!("`{text}`: * stands for every taint and has no value"));
    }
    Ok(Toleration { key, value, effect })
}

/// `4`, `16Gi` or `10%`.
pub(super) fn part(text: &str) -> Result<Part, String> {
    let Some(percent) = text.trim().strip_suffix('%') else {
        return Decimal::parse(text).map(Part::Exact).map_err(|error| error.to_string());
    };
    let percent = Decimal::parse(percent).map_err(|error| error.to_string())?;
    if percent.to_f64() > 100.0 {
        return Err(format!("`{text}` is more than the whole capacity"));
    }
    Ok(Part::Percent(percent))
}

/// `5`, `5ms`, `0.2s` as milliseconds.
pub(super) fn millis(text: &str) -> Result<Decimal, String> {
    let (number, seconds) = match (text.trim().strip_suffix("ms"), text.trim().strip_suffix('s')) {
        (Some(number), _) => (number, false),
        (None, Some(number)) => (number, true),
        (None, None) => (text.trim(), false),
    };
    let bad = || format!("`{text}` is no response time: write milliseconds, as in 5ms or 0.2s");
    if !number.ends_with(|c: char| c.is_ascii_digit()) {
        return Err(bad());
    }
    let number = if seconds { format!("{number}e3") } else { number.to_owned() };
    Decimal::parse(&number).map_err(|_| bad())
}

/// `rack>=2`, `rack<=2`, `rack~1` (skew), joined by spaces, as a rule and its label.
pub(super) fn spread(text: &str) -> Result<(Ask, String), String> {
    let bad = || {
        format!("`{text}` is no spread: write label>=k, label<=k or label~k (skew), as in rack>=2")
    };
    let (mut at_least, mut at_most, mut max_skew) = (0, u32::MAX, None);
    let mut over: Option<&str> = None;
    for word in text.split_whitespace() {
        let at = word.find(['>', '<', '~']).ok_or_else(bad)?;
        let (label, rest) = word.split_at(at);
        if label.is_empty() || over.is_some_and(|known| known != label) {
            return Err(bad());
        }
        over = Some(label);
        let number = rest.trim_start_matches(['>', '<', '~', '=']);
        let number: u32 = number.parse().map_err(|_| bad())?;
        match &rest[..rest.len() - number_width(rest)] {
            ">=" => at_least = number,
            "<=" => at_most = number,
            "~" => max_skew = Some(number),
            _ => return Err(bad()),
        }
    }
    let over = over.ok_or_else(bad)?.to_owned();
    Ok((Ask::Spread { at_least, at_most, max_skew }, over))
}

fn number_width(rest: &str) -> usize {
    rest.len() - rest.trim_end_matches(|c: char| c.is_ascii_digit()).len()
}

/// What [`spread`] reads.
pub(super) fn show_spread(ask: &Ask, over: &str) -> String {
    let Ask::Spread { at_least, at_most, max_skew } = ask else { return String::new() };
    let mut parts = Vec::new();
    if *at_least > 0 {
        parts.push(format!("{over}>={at_least}"));
    }
    if *at_most < u32::MAX {
        parts.push(format!("{over}<={at_most}"));
    }
    parts.extend(max_skew.map(|skew| format!("{over}~{skew}")));
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        for text in ["gpu=reserved", "gpu", "a=b:prefer", "a:no-execute"] {
            assert_eq!(taint(text).unwrap().to_string(), text);
        }
        for text in ["gpu=reserved", "gpu", "*", "gpu=x:no-schedule", "*:no-execute"] {
            assert_eq!(toleration(text).unwrap().to_string(), text);
        }
        for text in ["rack>=2", "rack<=3 rack~1", "zone~0"] {
            let (ask, over) = spread(text).unwrap();
            assert_eq!(show_spread(&ask, &over), text);
        }
        assert_eq!(millis("0.2s").unwrap().to_string(), "200");
        assert_eq!(millis("5ms").unwrap().to_string(), "5");
    }

    #[test]
    fn what_is_wrong_says_so() {
        assert!(taint("=x").unwrap_err().contains("key=value"));
        assert!(toleration("*=x").is_err());
        for text in ["rack", "rack>2", "rack>=", ">=2", "rack>=2 zone<=1", "rack>=-1"] {
            assert!(spread(text).is_err(), "{text}");
        }
        assert!(part("101%").unwrap_err().contains("whole capacity"));
        assert!(millis("5m").is_err());
    }
}
