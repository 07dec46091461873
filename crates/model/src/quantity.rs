//! Exact quantities. Everything a person writes (`1.5`, `250m`, `16Gi`) is a
//! decimal number; one [`Scale`] per resource turns all of its quantities into
//! integers, so loads are sums of integers and feasibility is never a matter
//! of rounding.

use std::borrow::Cow;
use std::fmt;

/// A non-negative decimal number, `mantissa / 10^decimals`, exactly as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    mantissa: i64,
    decimals: u8,
}

/// Why a text is no quantity, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// Not a number with an optional suffix.
    #[error(
        "`{0}` is not a quantity: write a number such as 4 or 1.5, or one with a suffix (m, k, M, G, T, Ki, Mi, Gi, Ti)"
    )]
    Malformed(String),
    /// Below zero.
    #[error("`{0}` is negative: quantities are zero or more")]
    Negative(String),
    /// More than 18 significant digits.
    #[error(
        "`{0}` is out of range: quantities have at most 18 digits; use a larger unit or fewer decimals"
    )]
    TooLarge(String),
    /// More characters than any quantity needs.
    #[error("`{0}` is out of range: it has {1} characters, quantities have at most {LONGEST}")]
    TooLong(String, usize),
}

/// Most characters of a quantity, white space around it aside: 18 digits, zeros on both sides, a
/// point, a sign, an exponent.
const LONGEST: usize = 64;

/// The text as messages quote it: whole, or its beginning where it is long.
pub fn quoted(text: &str) -> Cow<'_, str> {
    const MOST: usize = 40;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// Powers of ten that fit an `i64`.
fn pow10(n: u32) -> Option<i64> {
    10i64.checked_pow(n)
}

impl Decimal {
    /// Zero.
    pub const ZERO: Decimal = Decimal { mantissa: 0, decimals: 0 };

    /// One.
    pub const ONE: Decimal = Decimal { mantissa: 1, decimals: 0 };

    /// A whole number of at most 18 digits. Negative numbers are an error.
    pub fn from_integer(value: i64) -> Result<Decimal, QuantityError> {
        if value < 0 {
            return Err(QuantityError::Negative(value.to_string()));
        }
        if value < 10i64.pow(18) {
            Ok(Decimal { mantissa: value, decimals: 0 })
        } else {
            Err(QuantityError::TooLarge(value.to_string()))
        }
    }

    /// Reads a decimal number, with an exponent (`1e3`) or a Kubernetes suffix
    /// (`n u m k M G T P E`, `Ki Mi Gi Ti Pi Ei`), with `B` for bytes if one likes (`GB`, `GiB`).
    ///
    /// # Errors
    /// Anything else, negative numbers, NaN and infinities, and numbers that
    /// need more than 18 digits.
    pub fn parse(text: &str) -> Result<Decimal, QuantityError> {
        let malformed = || QuantityError::Malformed(quoted(text).into_owned());
        let too_large = || QuantityError::TooLarge(quoted(text).into_owned());
        let trimmed = text.trim();
        if trimmed.len() > LONGEST {
            let long = trimmed.chars().count();
            return Err(QuantityError::TooLong(quoted(trimmed).into_owned(), long));
        }
        let negative = trimmed.starts_with('-');
        let unsigned = trimmed.strip_prefix(['-', '+']).unwrap_or(trimmed);
        let number_end =
            unsigned.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(number_end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return Err(malformed());
        }
        let (multiplier, shift) = suffix_value(suffix).ok_or_else(malformed)?;
        // Only what would be a quantity without its sign is negative.
        let nonzero = number.bytes().any(|byte| (b'1'..=b'9').contains(&byte));
        if !nonzero {
            return Ok(Decimal::ZERO);
        }
        if negative {
            return Err(QuantityError::Negative(quoted(text).into_owned()));
        }
        let digit = |mantissa: i128, byte: u8| {
            mantissa.checked_mul(10)?.checked_add(i128::from(byte - b'0'))
        };
        let mantissa = whole.bytes().chain(fraction.bytes()).try_fold(0, digit);
        let mut mantissa = mantissa.ok_or_else(too_large)?;
        mantissa = mantissa.checked_mul(i128::from(multiplier)).ok_or_else(too_large)?;
        // value = mantissa * 10^-decimals
        let mut decimals = fraction.len() as i64 - shift;
        while mantissa % 10 == 0 && decimals > 0 {
            mantissa /= 10;
            decimals -= 1;
        }
        while decimals < 0 {
            mantissa = mantissa.checked_mul(10).ok_or_else(too_large)?;
            decimals += 1;
        }
        if decimals > 18 || mantissa >= 10i128.pow(18) {
            return Err(too_large());
        }
        Ok(Decimal { mantissa: mantissa as i64, decimals: decimals as u8 })
    }

    /// Number of decimal places.
    pub fn decimals(self) -> u8 {
        self.decimals
    }

    /// The product; `None` when it has too many digits.
    pub fn times(self, other: Decimal) -> Option<Decimal> {
        let mut mantissa = i128::from(self.mantissa) * i128::from(other.mantissa);
        let mut decimals = self.decimals + other.decimals;
        while decimals > 0 && mantissa % 10 == 0 {
            (mantissa, decimals) = (mantissa / 10, decimals - 1);
        }
        let fits = decimals <= 18 && mantissa < 10i128.pow(18);
        fits.then_some(Decimal { mantissa: mantissa as i64, decimals })
    }

    /// True for zero.
    pub fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    /// The number times `10^places`, when that is a whole number in range.
    pub fn at_places(self, places: u8) -> Option<i64> {
        let up = places.checked_sub(self.decimals)?;
        self.mantissa.checked_mul(pow10(u32::from(up))?)
    }

    /// The number times `10^places`, rounded up to a whole number; `None` when that is out
    /// of range.
    pub fn up_to_places(self, places: u8) -> Option<i64> {
        match self.decimals.checked_sub(places) {
            None | Some(0) => self.at_places(places),
            Some(cut) => {
                let step = pow10(u32::from(cut))?;
                Some(self.mantissa / step + i64::from(self.mantissa % step > 0))
            }
        }
    }

    /// `percent` per cent of the number, exactly; `None` when that has more than 18
    /// digits.
    pub fn percent(self, percent: Decimal) -> Option<Decimal> {
        let mut mantissa = i128::from(self.mantissa) * i128::from(percent.mantissa);
        let mut decimals = u32::from(self.decimals) + u32::from(percent.decimals) + 2;
        while decimals > 0 && mantissa % 10 == 0 {
            mantissa /= 10;
            decimals -= 1;
        }
        if decimals > 18 || mantissa >= 10i128.pow(18) {
            return None;
        }
        Some(Decimal { mantissa: mantissa as i64, decimals: decimals as u8 })
    }

    /// An estimate as a number of five digits, rounded up; `None` when it is negative, no number or
    /// out of range.
    pub fn rounded_up(value: f64) -> Option<Decimal> {
        if value == 0.0 {
            return Some(Decimal::ZERO);
        }
        // What lies a hair above five digits is those with rounding errors.
        let text = format!("{value:.4e}");
        let (digits, exponent) = text.split_once('e')?;
        let mut mantissa: i64 = digits.replace('.', "").parse().ok()?;
        if text.parse::<f64>().ok()? < value * (1.0 - 1e-9) {
            mantissa += 1;
        }
        let exponent = exponent.parse::<i64>().ok()? - 4;
        Decimal::parse(&format!("{mantissa}e{exponent}")).ok()
    }

    /// The double that a text stands for; `None` where it is no quantity or has digits that a
    /// double does not keep.
    pub fn double(text: &str) -> Option<f64> {
        let exact = Decimal::parse(text).ok()?;
        let value: f64 = exact.to_string().parse().ok()?;
        (Decimal::parse(&value.to_string()) == Ok(exact)).then_some(value)
    }

    /// The nearest floating point number, for metrics and weights.
    pub fn to_f64(self) -> f64 {
        self.mantissa as f64 / 10f64.powi(i32::from(self.decimals))
    }
}

/// The multiplier and the power of ten that a suffix stands for.
fn suffix_value(suffix: &str) -> Option<(i64, i64)> {
    // Bytes may be named: `GB`, `GiB`.
    if let Some(bytes @ ("k" | "M" | "G" | "T" | "P" | "Ki" | "Mi" | "Gi" | "Ti" | "Pi")) =
        suffix.strip_suffix('B')
    {
        return suffix_value(bytes);
    }
    Some(match suffix {
        "" => (1, 0),
        "n" => (1, -9),
        "u" => (1, -6),
        "m" => (1, -3),
        "k" => (1, 3),
        "M" => (1, 6),
        "G" => (1, 9),
        "T" => (1, 12),
        "P" => (1, 15),
        "E" => (1, 18),
        "Ki" => (1 << 10, 0),
        "Mi" => (1 << 20, 0),
        "Gi" => (1 << 30, 0),
        "Ti" => (1 << 40, 0),
        "Pi" => (1 << 50, 0),
        "Ei" => (1 << 60, 0),
        _ => {
            let exponent = suffix.strip_prefix(['e', 'E'])?;
            let exponent: i64 = exponent.parse().ok()?;
            if !(-400..=400).contains(&exponent) {
                return None;
            }
            (1, exponent)
        }
    })
}

/// Greatest common divisor; `gcd(0, b)` is |b|.
pub fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a.abs() } else { gcd(b, a % b) }
}

/// How one resource's integers relate to the numbers people write:
/// `value = integer * num / den`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scale {
    /// Numerator, at least 1.
    pub num: i64,
    /// Denominator, at least 1.
    pub den: i64,
}

impl Scale {
    /// Integers stand for themselves.
    pub const ONE: Scale = Scale { num: 1, den: 1 };

    /// What one step stands for, nearly.
    pub fn factor(self) -> f64 {
        self.num as f64 / self.den as f64
    }

    /// The scale of which so many steps are one of this one.
    pub(super) fn divided(self, times: i64) -> Option<Scale> {
        let den = self.den.checked_mul(times)?;
        let shared = gcd(self.num, den).max(1);
        Some(Scale { num: self.num / shared, den: den / shared })
    }

    /// The number that `integer` stands for.
    pub fn to_f64(self, integer: i64) -> f64 {
        match i128::from(integer) * i128::from(self.num) {
            exact if exact % i128::from(self.den) == 0 => (exact / i128::from(self.den)) as f64,
            exact => exact as f64 / self.den as f64,
        }
    }

    /// The number as a person would write it, exact whenever it has a finite
    /// decimal form.
    pub fn show(self, integer: i64) -> String {
        let exact = i128::from(integer) * i128::from(self.num);
        let den = i128::from(self.den);
        let (sign, exact) = if exact < 0 { ("-", -exact) } else { ("", exact) };
        let mut text = format!("{sign}{}", exact / den);
        let mut rest = exact % den;
        if rest > 0 {
            text.push('.');
            for _ in 0..18 {
                rest *= 10;
                text.push(char::from(b'0' + (rest / den) as u8));
                rest %= den;
                if rest == 0 {
                    break;
                }
            }
        }
        text
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let den = pow10(u32::from(self.decimals)).unwrap_or(i64::MAX);
        f.write_str(&Scale { num: 1, den }.show(self.mantissa))
    }
}

/// Longest duration that is read, in seconds: a century.
pub const CENTURY: i64 = 100 * 366 * 86_400;

/// Units of durations, the longest first.
const UNITS: [(char, i64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// Reads a duration into whole seconds: `90` or `90s`, `30m`, `1.5h`, `2d`, `1h30m`, `1:30:00`.
///
/// # Errors
/// A message that names the text when it is no duration, is negative, or is
/// not a whole number of seconds.
pub fn parse_duration(text: &str) -> Result<i64, String> {
    if text.len() > LONGEST {
        return one_duration(text, text);
    }
    let (mut rest, mut sum) = (text.trim(), 0);
    // Hours, minutes, seconds, as spreadsheets write them.
    if let [hours, minutes, seconds] = rest.split(':').collect::<Vec<_>>()[..] {
        let below_60 = |part: &str| part.len() == 2 && part < "60";
        if below_60(minutes) && below_60(seconds) {
            let parts = [format!("{hours}h"), format!("{minutes}m"), seconds.to_owned()];
            let parts: Result<Vec<i64>, String> =
                parts.iter().map(|part| one_duration(part, text)).collect();
            let sum = parts?.iter().sum::<i64>();
            return if sum > CENTURY { Err(long(text)) } else { Ok(sum) };
        }
    }
    for (unit, _) in UNITS {
        let Some((part, after)) = rest.split_once(unit) else { continue };
        if after.trim().is_empty() {
            break;
        }
        if part.contains('.') || after.contains(unit) {
            return one_duration(text, text);
        }
        sum += one_duration(&format!("{part}{unit}"), text)?;
        rest = after.trim_start();
        // What follows names its unit.
        if !rest.ends_with(UNITS.map(|(unit, _)| unit)) {
            return one_duration(text, text);
        }
    }
    let sum = sum + one_duration(rest, text)?;
    if sum > CENTURY { Err(long(text)) } else { Ok(sum) }
}

fn long(text: &str) -> String {
    format!("`{}` is longer than a century", quoted(text))
}

/// A number with one unit; `text` is all that was written.
fn one_duration(part: &str, text: &str) -> Result<i64, String> {
    let trimmed = part.trim();
    let unit = UNITS.iter().find(|(unit, _)| trimmed.ends_with(*unit));
    let (number, unit) = match unit {
        Some((_, unit)) => (trimmed[..trimmed.len() - 1].trim_end(), i128::from(*unit)),
        None => (trimmed, 1),
    };
    let shown = quoted(text);
    let bad = || {
        format!(
            "`{shown}` is not a duration: write seconds (90) or a number with s, m, h or d (30m, 1.5h, 1h30m)"
        )
    };
    if number.contains(|c: char| !(c.is_ascii_digit() || c == '.')) {
        return Err(bad());
    }
    let number = match Decimal::parse(number) {
        Ok(number) => number,
        Err(QuantityError::TooLarge(_) | QuantityError::TooLong(..)) if !number.contains('.') => {
            return Err(long(text));
        }
        Err(_) => return Err(bad()),
    };
    let scale = pow10(u32::from(number.decimals)).ok_or_else(bad)?;
    let exact = i128::from(number.mantissa) * unit;
    if exact % i128::from(scale) != 0 {
        return Err(format!("`{shown}` is not a whole number of seconds"));
    }
    let seconds = exact / i128::from(scale);
    if seconds > i128::from(CENTURY) {
        return Err(long(text));
    }
    Ok(seconds as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str, n: u8) -> Option<i64> {
        Decimal::parse(text).ok()?.at_places(n)
    }

    #[test]
    fn whole_numbers_have_as_many_digits_as_others() {
        let most = 10i64.pow(18) - 1;
        assert_eq!(Decimal::from_integer(most), Decimal::parse(&most.to_string()));
        assert_eq!(Decimal::from_integer(most + 1), Decimal::parse(&(most + 1).to_string()));
        assert!(Decimal::from_integer(most + 1).is_err() && Decimal::from_integer(-1).is_err());
    }

    #[test]
    fn quantities_are_exact() {
        assert_eq!(places("250m", 3), Some(250));
        assert_eq!(places("16Gi", 0), Some(17_179_869_184));
        assert_eq!(places("1.5Gi", 0), Some(1_610_612_736));
        assert_eq!(places("0.1", 1), Some(1));
        assert_eq!(places("1e3", 0), Some(1_000));
        assert_eq!(places("12E2", 0), Some(1_200));
        assert_eq!(places("1E", 0), None, "10^18 has 19 digits");
        assert_eq!(places("007.50", 1), Some(75));
        assert_eq!(places("-0", 0), Some(0));
        assert_eq!(places(".5", 1), Some(5));
    }

    #[test]
    fn estimates_are_rounded_up() {
        for (value, want) in [
            (0.0, "0"),
            (4.0, "4"),
            (1.215_87, "1.2159"),
            (1.234_51, "1.2346"),
            (0.1 + 0.2, "0.3"),
            (99_999.5, "100000"),
            (17_179_869_185.0, "17180000000"),
            (1e-30, ""),
            (f64::NAN, ""),
            (-1.0, ""),
        ] {
            let text = Decimal::rounded_up(value).map_or_else(String::new, |d| d.to_string());
            assert_eq!(text, want, "{value}");
        }
    }

    #[test]
    fn what_is_no_quantity_says_why() {
        for text in
            ["", ".", "abc", "NaN", "inf", "1 2", "1.2.3", "5Q", "--1", "0x10", "-+1", "- 1", "-"]
        {
            assert!(
                matches!(Decimal::parse(text), Err(QuantityError::Malformed(_))),
                "{text}: {:?}",
                Decimal::parse(text)
            );
        }
        assert!(matches!(Decimal::parse("-3"), Err(QuantityError::Negative(_))));
        assert!(matches!(Decimal::parse("1e308"), Err(QuantityError::TooLarge(_))));
        assert!(matches!(Decimal::parse("1e-300"), Err(QuantityError::TooLarge(_))));
        assert!(matches!(Decimal::parse("1152921504606846975"), Err(QuantityError::TooLarge(_))));
    }

    #[test]
    fn long_texts_are_refused_and_quoted_in_part() {
        for one in ["-", "+", "0", "9", ".", "e", "1e", "é"] {
            let text = one.repeat(40_000);
            let error = Decimal::parse(&text).unwrap_err();
            assert!(matches!(error, QuantityError::TooLong(_, 40_000..)), "{one}");
            assert!(error.to_string().chars().count() < 150, "{error}");
            let error = parse_duration(&text).unwrap_err();
            assert!(error.chars().count() < 150, "{error}");
        }
        let long = format!("{}7.{}", "0".repeat(30), "0".repeat(30));
        assert_eq!(places(&long, 0), Some(7), "zeros may stand on both sides");
    }

    #[test]
    fn doubles_keep_every_digit_or_are_none() {
        for text in ["0", "7", "0.1", "12.5", "1e15", "999999999999999", "0.30000000000000004"] {
            assert_eq!(Decimal::double(text), text.parse().ok(), "{text}");
        }
        for text in ["9007199254740993", "123456789012345678.5", "0.1234567890123456789", "x", "-1"]
        {
            assert_eq!(Decimal::double(text), None, "{text}");
        }
    }

    #[test]
    fn scales_show_what_was_written() {
        let thousandths = Scale { num: 1, den: 1000 };
        assert_eq!(thousandths.show(250), "0.25");
        assert_eq!(Scale { num: 1024, den: 1 }.show(3), "3072");
        assert_eq!(thousandths.to_f64(1500), 1.5);
    }

    #[test]
    fn durations() {
        assert_eq!(parse_duration("30m"), Ok(1800));
        assert_eq!(parse_duration("1.5h"), Ok(5400));
        assert_eq!(parse_duration("90"), Ok(90));
        for (text, seconds) in
            [("1h30m", 5400), ("1d 12h", 129_600), ("2 h", 7200), ("1m1s", 61), ("1:30:00", 5400)]
        {
            assert_eq!(parse_duration(text), Ok(seconds), "{text}");
        }
        for text in ["1h1h", "30m1h", "1.5h30m", "1:30", "1:60:00", "99999999d1h", "h", "1hm"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
        assert!(parse_duration("0.5s").is_err());
        assert!(parse_duration("5m30").is_err());
        assert!(parse_duration("1e99h").is_err());
    }
}
