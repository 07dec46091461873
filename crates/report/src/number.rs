//! Numbers as people read them.

use super::time::clock;
use model::{Measure, Tier};

/// With commas between thousands.
pub(super) fn grouped(value: usize) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (k, digit) in digits.chars().enumerate() {
        if k > 0 && (digits.len() - k).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A fraction as a percentage: more digits where it is small.
pub(super) fn percent(fraction: f64) -> String {
    let value = 100.0 * fraction;
    if value == 0.0 {
        "0 %".to_owned()
    } else if value.abs() < 0.01 {
        format!("{value:.1e} %")
    } else if value.abs() < 1.0 {
        format!("{value:.3} %")
    } else {
        format!("{value:.2} %")
    }
}

/// Six significant places, in plain form unless tiny.
pub(super) fn small(value: f64) -> String {
    if value != 0.0 && value.abs() < 1e-4 { format!("{value:.3e}") } else { format!("{value:.6}") }
}

/// A value without needless zeros.
pub(super) fn plain(value: f64) -> String {
    if value == value.trunc() && value.abs() < 1e15 {
        format!("{value:.0}")
    } else {
        let text = format!("{value:.4}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

/// A tier with its value, in the tier's own way of counting.
pub(super) fn tier(tier: &Tier, value: f64) -> String {
    match tier.enough {
        Some(most) if value <= most => {
            format!("{} at most {}", tier.title(), tier_value(tier, most))
        }
        Some(_) => format!("{tier} {}", tier_value(tier, value)),
        None => format!("{} {}", tier.title(), tier_value(tier, value)),
    }
}

/// A tier's value alone.
pub(super) fn tier_value(tier: &Tier, value: f64) -> String {
    measured(tier.measure(), value, 2)
}

/// A value as its goal is read; so many digits of a percentage.
pub(super) fn measured(measure: Measure, value: f64, digits: usize) -> String {
    match measure {
        Measure::Share => format!("{:.digits$} %", 100.0 * value),
        Measure::Variance => small(value),
        Measure::Time => time(value),
        Measure::Number => plain(value),
    }
}

/// Seconds of a tier; a bound need not be a whole number of them.
fn time(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 9e15 {
        clock(value as i64)
    } else {
        format!("{} s", plain(value))
    }
}

/// A time with its unit, finer where it is short.
pub(super) fn seconds(seconds: f64) -> String {
    let digits = if seconds < 0.1 { 3 } else { 2 };
    format!("{seconds:.digits$} s")
}

/// A tier's value and its bound without the tier's name, with as many digits as tell them apart.
pub(super) fn pair(tier: &Tier, value: f64, bound: f64) -> (String, String) {
    let shown = |number: f64, digits: usize| measured(tier.measure(), number, digits);
    let apart = |digits: &usize| shown(value, *digits) != shown(bound, *digits);
    let digits = if value == bound { 2 } else { (2..=6).find(apart).unwrap_or(6) };
    (shown(value, digits), shown(bound, digits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Term;

    #[test]
    fn numbers_read_well() {
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped(999), "999");
        assert_eq!(percent(0.05), "5.00 %");
        assert_eq!(percent(0.0), "0 %");
        assert_eq!(plain(3.0), "3");
        assert_eq!(plain(2.5), "2.5");
        let (peak, nodes) = (Tier::single(Term::Peak), Tier::single(Term::Nodes));
        assert_eq!(pair(&peak, 0.5, 0.25), ("50.00 %".into(), "25.00 %".into()));
        assert_eq!(pair(&peak, 0.84, 0.839996), ("84.0000 %".into(), "83.9996 %".into()));
        assert_eq!(pair(&nodes, 4.0, 3.0), ("4".into(), "3".into()));
    }
}
