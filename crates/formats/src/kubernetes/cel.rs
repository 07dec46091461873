//! The conditions on devices that people write in CEL: drivers, attributes and capacities compared
//! with constants, versions and patterns, with and, or, not, in. Anything else is not understood,
//! and said to be so.

use std::collections::BTreeMap;

use semver::Version;

use super::patterns::Pattern;
use model::Decimal;

/// What is known of a device.
#[derive(Clone, Debug, Default)]
pub(super) struct Device {
    pub(super) driver: String,
    /// By `domain/name`.
    pub(super) attributes: BTreeMap<String, Value>,
    pub(super) capacity: BTreeMap<String, Decimal>,
}

/// A constant, or an attribute.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Text(String),
    Number(i64),
    Yes(bool),
    Amount(Decimal),
    Version(Version),
}

/// Whether the device meets the condition; `None` where it depends on what the device does not say,
/// which the scheduler calls an error.
///
/// # Errors
/// What is not understood.
pub(super) fn meets(device: &Device, condition: &str) -> Result<Option<bool>, String> {
    let mut parser = Parser { device, tokens: tokens(condition)?, at: 0 };
    let met = parser.either()?;
    match parser.tokens.get(parser.at) {
        None => Ok(met),
        Some(rest) => Err(format!("`{rest}` is not understood")),
    }
}

fn tokens(text: &str) -> Result<Vec<String>, String> {
    let signs: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut k = 0;
    while let Some(sign) = signs.get(k) {
        if sign.is_whitespace() {
            k += 1;
            continue;
        }
        let from = k;
        let raw = matches!(sign, 'r' | 'R') && signs.get(k + 1).is_some_and(is_quote);
        if raw || is_quote(sign) {
            k += usize::from(raw);
            let text;
            (text, k) = quoted(&signs, k, raw)?;
            tokens.push(text);
            continue;
        }
        if sign.is_alphanumeric() || *sign == '_' {
            while signs.get(k).is_some_and(|s| s.is_alphanumeric() || *s == '_') {
                k += 1;
            }
        } else {
            let two: String = signs[k..].iter().take(2).collect();
            k += if ["&&", "||", "==", "!=", ">=", "<="].contains(&two.as_str()) { 2 } else { 1 };
        }
        tokens.push(signs[from..k].iter().collect());
    }
    Ok(tokens)
}

fn is_quote(sign: &char) -> bool {
    *sign == '\'' || *sign == '"'
}

/// The text that begins with the quote at `from`, its escapes read, in its quotes; and where it ends.
fn quoted(signs: &[char], from: usize, raw: bool) -> Result<(String, usize), String> {
    let quote = signs[from];
    if signs[from..].starts_with(&[quote; 3]) {
        return Err("texts in three quotes are not understood".to_owned());
    }
    let mut text = String::from(quote);
    let mut rest = signs[from + 1..].iter().enumerate();
    while let Some((k, sign)) = rest.next() {
        match *sign {
            sign if sign == quote => {
                text.push(quote);
                return Ok((text, from + k + 2));
            }
            '\\' if !raw => text.push(match rest.next().map(|(_, sign)| *sign) {
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some(sign @ ('\\' | '\'' | '"' | '`' | '?')) => sign,
                Some(sign) => return Err(format!("`\\{sign}` is not understood")),
                None => break,
            }),
            sign => text.push(sign),
        }
    }
    Err("a text that does not end".to_owned())
}

/// A condition being read; `None` stands for what the device does not say.
struct Parser<'a> {
    device: &'a Device,
    tokens: Vec<String>,
    at: usize,
}

type Met = Result<Option<bool>, String>;

impl Parser<'_> {
    fn next_is(&mut self, token: &str) -> bool {
        let is = self.tokens.get(self.at).is_some_and(|next| next == token);
        self.at += usize::from(is);
        is
    }

    fn eat(&mut self, token: &str) -> Result<(), String> {
        if self.next_is(token) {
            return Ok(());
        }
        let found = self.tokens.get(self.at).map_or("the end", String::as_str);
        Err(format!("`{token}` is expected, not `{found}`"))
    }

    fn word(&mut self) -> Result<String, String> {
        let word = self.tokens.get(self.at).cloned().ok_or("it ends too early")?;
        self.at += 1;
        Ok(word)
    }

    fn either(&mut self) -> Met {
        let mut met = self.both()?;
        while self.next_is("||") {
            let other = self.both()?;
            met = match (met, other) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(a), Some(b)) => Some(a || b),
                _ => None,
            };
        }
        Ok(met)
    }

    fn both(&mut self) -> Met {
        let mut met = self.one()?;
        while self.next_is("&&") {
            let other = self.one()?;
            met = match (met, other) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(a), Some(b)) => Some(a && b),
                _ => None,
            };
        }
        Ok(met)
    }

    fn one(&mut self) -> Met {
        if self.next_is("!") {
            return Ok(self.one()?.map(|met| !met));
        }
        if self.next_is("(") {
            let met = self.either()?;
            self.eat(")")?;
            return Ok(met);
        }
        let left = self.value()?;
        if self.next_is("in") {
            return self.among(left);
        }
        let signs = ["==", "!=", ">=", "<=", ">", "<"];
        let Some(sign) = signs.into_iter().find(|sign| self.next_is(sign)) else {
            return match left {
                Some(Value::Yes(is)) => Ok(Some(is)),
                None => Ok(None),
                Some(_) => Err("a condition is expected".to_owned()),
            };
        };
        let right = self.value()?;
        let (Some(left), Some(right)) = (left, right) else { return Ok(None) };
        let equality = matches!(sign, "==" | "!=");
        let order = match (&left, &right) {
            (Value::Version(a), Value::Version(b)) if equality => a.cmp_precedence(b),
            // Whether a version is a text is an error, whether it is none is not; nor with a text first.
            (Value::Version(_), _) if sign == "==" => return Ok(None),
            (Value::Version(_), _) if equality => return Ok(Some(true)),
            (_, Value::Version(_)) if equality => return Ok(Some(sign == "!=")),
            (Value::Number(a), Value::Number(b)) => a.cmp(b),
            (Value::Text(a), Value::Text(b)) => a.cmp(b),
            (Value::Yes(a), Value::Yes(b)) => a.cmp(b),
            (Value::Amount(a), Value::Amount(b)) => compare(*a, *b)?,
            _ => return Err("values of different kinds are compared".to_owned()),
        };
        Ok(Some(match sign {
            "==" => order.is_eq(),
            "!=" => order.is_ne(),
            ">=" => order.is_ge(),
            "<=" => order.is_le(),
            ">" => order.is_gt(),
            _ => order.is_lt(),
        }))
    }

    /// `in ['a', 'b']`, or `in device.attributes['domain']`: whether there is one of that name.
    fn among(&mut self, left: Option<Value>) -> Met {
        if self.next_is("[") {
            if matches!(left, Some(Value::Version(_))) {
                return Err("versions in a list are not understood".to_owned());
            }
            let mut found = false;
            while !self.next_is("]") {
                let one = self.value()?;
                found |= one.is_some() && one == left;
                if !self.next_is(",") {
                    self.eat("]")?;
                    break;
                }
            }
            return Ok(left.map(|_| found));
        }
        for word in ["device", ".", "attributes"] {
            self.eat(word)?;
        }
        let Some(Value::Text(name)) = left else { return Err("a name is expected".to_owned()) };
        if self.tokens.get(self.at).is_some_and(|next| next == "[") {
            let full = format!("{}/{name}", self.domain()?);
            return Ok(Some(self.device.attributes.contains_key(&full)));
        }
        let start = format!("{name}/");
        Ok(Some(self.device.attributes.keys().any(|known| known.starts_with(&start))))
    }

    /// A value, or what one of its methods says of it.
    fn asked(&mut self, own: Option<Value>) -> Result<Option<Value>, String> {
        if !self.next_is(".") {
            return Ok(own);
        }
        let method = self.word()?;
        if !METHODS.contains(&method.as_str()) {
            return Err(format!("`{method}` is not understood"));
        }
        let mut given = self.given()?;
        let Some(own) = own else { return Ok(None) };
        let other = match given.len() {
            0 => None,
            1 => match given.remove(0) {
                None => return Ok(None),
                other => other,
            },
            _ => return Err(format!("`{method}` is given too much")),
        };
        let is = |is: bool| Ok(Some(Value::Yes(is)));
        let order = match (&own, &other) {
            (Value::Amount(a), Some(Value::Amount(b))) => Some(compare(*a, *b)?),
            (Value::Version(a), Some(Value::Version(b))) => Some(a.cmp_precedence(b)),
            _ => None,
        };
        match (method.as_str(), &own, &other, order) {
            ("startsWith", Value::Text(own), Some(Value::Text(other)), _) => {
                is(own.starts_with(other))
            }
            ("endsWith", Value::Text(own), Some(Value::Text(other)), _) => is(own.ends_with(other)),
            ("contains", Value::Text(own), Some(Value::Text(other)), _) => is(own.contains(other)),
            ("matches", Value::Text(own), Some(Value::Text(other)), _) => {
                is(Pattern::new(other)?.is_in(own)?)
            }
            ("compareTo", _, _, Some(order)) => Ok(Some(Value::Number(order as i64))),
            ("isGreaterThan", _, _, Some(order)) => is(order.is_gt()),
            ("isLessThan", _, _, Some(order)) => is(order.is_lt()),
            ("major", Value::Version(own), None, _) => number(own.major),
            ("minor", Value::Version(own), None, _) => number(own.minor),
            ("patch", Value::Version(own), None, _) => number(own.patch),
            _ => Err(format!("`{method}` is asked of a value of another kind")),
        }
    }

    /// What a method or function is given, in its brackets.
    fn given(&mut self) -> Result<Vec<Option<Value>>, String> {
        self.eat("(")?;
        let mut given = Vec::new();
        while !self.next_is(")") {
            given.push(self.value()?);
            if !self.next_is(",") {
                self.eat(")")?;
                break;
            }
        }
        Ok(given)
    }

    /// What a function makes of texts.
    fn made(&mut self, function: &str) -> Result<Option<Value>, String> {
        let given = self.given()?;
        let text = match given.first() {
            Some(Some(Value::Text(text))) => text.as_str(),
            Some(None) => return Ok(None),
            _ => return Err("a text is expected".to_owned()),
        };
        let tolerant = match given.get(1..) {
            Some([]) => false,
            Some([Some(Value::Yes(tolerant))]) if function != "quantity" => *tolerant,
            _ => return Err(format!("`{function}` is given too much")),
        };
        Ok(match function {
            "quantity" => Some(Value::Amount(Decimal::parse(text).map_err(|e| e.to_string())?)),
            "isSemver" => Some(Value::Yes(version(text, tolerant).is_some())),
            // What is no version is an error for the scheduler.
            _ => version(text, tolerant).map(Value::Version),
        })
    }

    fn value(&mut self) -> Result<Option<Value>, String> {
        let word = self.word()?;
        if let Some(text) = unquoted(&word) {
            return self.asked(Some(Value::Text(text.to_owned())));
        }
        match word.as_str() {
            "true" => return Ok(Some(Value::Yes(true))),
            "false" => return Ok(Some(Value::Yes(false))),
            "quantity" | "semver" | "isSemver" => {
                let made = self.made(&word)?;
                return self.asked(made);
            }
            "device" => {}
            _ => {
                let number = word.parse().map(Value::Number);
                return number.map(Some).map_err(|_| format!("`{word}` is not understood"));
            }
        }
        self.eat(".")?;
        let own = match self.word()?.as_str() {
            "driver" => Some(Value::Text(self.device.driver.clone())),
            "attributes" => {
                let name = self.name()?;
                self.device.attributes.get(&name).cloned()
            }
            "capacity" => {
                let name = self.name()?;
                self.device.capacity.get(&name).copied().map(Value::Amount)
            }
            other => return Err(format!("`device.{other}` is not understood")),
        };
        self.asked(own)
    }

    /// `['domain']`
    fn domain(&mut self) -> Result<String, String> {
        self.eat("[")?;
        let domain = self.word()?;
        let domain = unquoted(&domain).ok_or("a domain is expected")?.to_owned();
        self.eat("]")?;
        Ok(domain)
    }

    /// `['domain'].name`, as `domain/name`.
    fn name(&mut self) -> Result<String, String> {
        let domain = self.domain()?;
        self.eat(".")?;
        Ok(format!("{domain}/{}", self.word()?))
    }
}

/// What may be asked of values.
const METHODS: [&str; 10] = [
    "startsWith",
    "endsWith",
    "contains",
    "matches",
    "compareTo",
    "isGreaterThan",
    "isLessThan",
    "major",
    "minor",
    "patch",
];

fn number(number: u64) -> Result<Option<Value>, String> {
    let number = i64::try_from(number).map_err(|_| "a number too large to compare")?;
    Ok(Some(Value::Number(number)))
}

/// The version that the text is; if `tolerant` as `v1.02` too, for `1.2.0`.
pub(super) fn version(text: &str, tolerant: bool) -> Option<Version> {
    if !tolerant {
        return Version::parse(text).ok();
    }
    let text = text.strip_prefix('v').unwrap_or(text);
    let mut parts: Vec<String> = (text.splitn(3, '.'))
        .map(|part| match part.trim_start_matches('0') {
            _ if part.len() < 2 => part.to_owned(),
            bare if bare.starts_with(|sign: char| sign.is_ascii_digit()) => bare.to_owned(),
            bare => format!("0{bare}"),
        })
        .collect();
    if parts.len() < 3 {
        if parts.last().is_some_and(|part| part.contains(['+', '-'])) {
            return None;
        }
        parts.resize(3, "0".to_owned());
    }
    Version::parse(&parts.join(".")).ok()
}

fn compare(a: Decimal, b: Decimal) -> Result<std::cmp::Ordering, String> {
    let places = a.decimals().max(b.decimals());
    let too_large = || "amounts too large to compare".to_owned();
    Ok(a.at_places(places).ok_or_else(too_large)?.cmp(&b.at_places(places).ok_or_else(too_large)?))
}

fn unquoted(word: &str) -> Option<&str> {
    let inner = |quote: char| word.strip_prefix(quote)?.strip_suffix(quote);
    inner('\'').or_else(|| inner('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gpu() -> Device {
        let attributes = [
            ("gpu.example.com/model", Value::Text("X".to_owned())),
            ("gpu.example.com/index", Value::Number(3)),
            ("gpu.example.com/healthy", Value::Yes(true)),
            ("gpu.example.com/firmware", Value::Version(Version::parse("2.10.3+b4").unwrap())),
        ];
        let own = attributes.into_iter().map(|(name, value)| (name.to_owned(), value));
        let memory = ("gpu.example.com/memory".to_owned(), Decimal::parse("80Gi").unwrap());
        Device {
            driver: "gpu.example.com".to_owned(),
            attributes: own.collect(),
            capacity: [memory].into_iter().collect(),
        }
    }

    #[test]
    fn conditions_are_met_or_not() {
        for (condition, met) in [
            ("device.driver == 'gpu.example.com'", true),
            ("device.driver != \"gpu.example.com\"", false),
            ("device.attributes['gpu.example.com'].model == 'X'", true),
            ("device.attributes['gpu.example.com'].healthy", true),
            ("!device.attributes['gpu.example.com'].healthy", false),
            ("device.attributes['gpu.example.com'].index >= 3 && 1 < 2", true),
            ("device.attributes['gpu.example.com'].absent == 'X' || 1 == 1", true),
            ("device.attributes['gpu.example.com'].model in ['A', \"X\"]", true),
            ("device.attributes['gpu.example.com'].index in [1, 2]", false),
            ("'model' in device.attributes['gpu.example.com']", true),
            ("'absent' in device.attributes['gpu.example.com']", false),
            ("'gpu.example.com' in device.attributes", true),
            ("device.attributes['gpu.example.com'].model.startsWith('X')", true),
            ("device.driver.endsWith('.org') || device.driver.contains('example')", true),
            ("(1 == 2 || 2 == 2) && true", true),
            ("device.capacity['gpu.example.com'].memory.compareTo(quantity('40Gi')) >= 0", true),
            ("device.capacity['gpu.example.com'].memory.isGreaterThan(quantity('80Gi'))", false),
            ("device.capacity['gpu.example.com'].memory == quantity('80Gi')", true),
            ("device.attributes['gpu.example.com'].firmware.compareTo(semver('2.9.0')) >= 0", true),
            (
                "device.attributes['gpu.example.com'].firmware.isLessThan(semver('v2.11', true))",
                true,
            ),
            ("semver('3.0.0-rc.1').isGreaterThan(semver('3.0.0'))", false),
            ("device.attributes['gpu.example.com'].firmware == semver('2.10.3')", true),
            ("semver('2.10.3') != device.attributes['gpu.example.com'].firmware", false),
            ("'2.10.3' == device.attributes['gpu.example.com'].firmware", false),
            ("device.attributes['gpu.example.com'].firmware != '2.10.3'", true),
            ("device.attributes['gpu.example.com'].firmware.minor() == 10", true),
            ("isSemver('1.2') || isSemver('v01.2', true)", true),
            ("device.attributes['gpu.example.com'].model.matches('^[A-Z]$')", true),
            ("device.driver.matches('gpu\\\\.ex') && device.driver.matches(r'\\.com$')", true),
            ("'it\\'s' == \"it's\"", true),
        ] {
            assert_eq!(meets(&gpu(), condition), Ok(Some(met)), "{condition}");
        }
        for condition in [
            "device.attributes['gpu.example.com'].absent == 'X'",
            "!(device.attributes['gpu.example.com'].absent in ['X'])",
            "device.attributes['gpu.example.com'].absent.startsWith('X') && 1 == 1",
            "device.attributes['gpu.example.com'].absent.compareTo(semver('1.2.3')) >= 0",
            "device.attributes['gpu.example.com'].firmware == '2.10.3'",
            "semver('2').major() == 2",
        ] {
            assert_eq!(meets(&gpu(), condition), Ok(None), "{condition}");
        }
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for condition in [
            "device.attributes['gpu.example.com'].model.matches('[A-Z&&B]')",
            "device.attributes['gpu.example.com'].firmware.startsWith('2')",
            "device.attributes['gpu.example.com'].firmware > semver('2.0.0')",
            "device.attributes['d'].model.size() > 1",
            "'a\\d' == 'b'",
            "'''a''' == 'a'",
            "device.driver ==",
            "'open",
            "device.driver == 'a' ? true : false",
            "device.driver",
            "has(device.driver)",
        ] {
            assert!(meets(&gpu(), condition).is_err(), "{condition}");
        }
    }
}
