//! The conditions on devices that people write in CEL: drivers, attributes and capacities compared
//! with constants, with and, or, not, in. Anything else is not understood, and said to be so.

use std::collections::BTreeMap;

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
        if *sign == '\'' || *sign == '"' {
            let end = signs[k + 1..].iter().position(|other| other == sign);
            k += end.ok_or("a text that does not end")? + 2;
        } else if sign.is_alphanumeric() || *sign == '_' {
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
        let order = match (&left, &right) {
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

    /// A text, or what one of its methods says of it.
    fn text(&mut self, own: Option<Value>) -> Result<Option<Value>, String> {
        if !self.next_is(".") {
            return Ok(own);
        }
        let text = match &own {
            Some(Value::Text(text)) => text.as_str(),
            None => "",
            Some(_) => return Err("only texts have methods".to_owned()),
        };
        let method = self.word()?;
        self.eat("(")?;
        let other = self.word()?;
        let other = unquoted(&other).ok_or("a text is expected")?.to_owned();
        self.eat(")")?;
        let is = match method.as_str() {
            "startsWith" => text.starts_with(&other),
            "endsWith" => text.ends_with(&other),
            "contains" => text.contains(&other),
            _ => return Err(format!("`{method}` is not understood")),
        };
        Ok(own.map(|_| Value::Yes(is)))
    }

    fn value(&mut self) -> Result<Option<Value>, String> {
        let word = self.word()?;
        if let Some(text) = unquoted(&word) {
            return Ok(Some(Value::Text(text.to_owned())));
        }
        match word.as_str() {
            "true" => return Ok(Some(Value::Yes(true))),
            "false" => return Ok(Some(Value::Yes(false))),
            "quantity" => return self.quantity().map(|amount| Some(Value::Amount(amount))),
            "device" => {}
            _ => {
                let number = word.parse().map(Value::Number);
                return number.map(Some).map_err(|_| format!("`{word}` is not understood"));
            }
        }
        self.eat(".")?;
        match self.word()?.as_str() {
            "driver" => self.text(Some(Value::Text(self.device.driver.clone()))),
            "attributes" => {
                let name = self.name()?;
                let own = self.device.attributes.get(&name).cloned();
                self.text(own)
            }
            "capacity" => {
                let name = self.name()?;
                let own = self.device.capacity.get(&name).copied();
                self.amount(own)
            }
            other => Err(format!("`device.{other}` is not understood")),
        }
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

    /// `quantity('40Gi')`, its first word read.
    fn quantity(&mut self) -> Result<Decimal, String> {
        self.eat("(")?;
        let text = self.word()?;
        let text = unquoted(&text).ok_or("a quantity is expected")?.to_owned();
        self.eat(")")?;
        Decimal::parse(&text).map_err(|error| error.to_string())
    }

    /// An amount, or what one of its methods says of it.
    fn amount(&mut self, own: Option<Decimal>) -> Result<Option<Value>, String> {
        if !self.next_is(".") {
            return Ok(own.map(Value::Amount));
        }
        let method = self.word()?;
        self.eat("(")?;
        self.eat("quantity")?;
        let other = self.quantity()?;
        self.eat(")")?;
        let Some(own) = own else { return Ok(None) };
        let order = compare(own, other)?;
        Ok(Some(match method.as_str() {
            "compareTo" => Value::Number(order as i64),
            "isGreaterThan" => Value::Yes(order.is_gt()),
            "isLessThan" => Value::Yes(order.is_lt()),
            _ => return Err(format!("`{method}` is not understood")),
        }))
    }
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
        ] {
            assert_eq!(meets(&gpu(), condition), Ok(Some(met)), "{condition}");
        }
        for condition in [
            "device.attributes['gpu.example.com'].absent == 'X'",
            "!(device.attributes['gpu.example.com'].absent in ['X'])",
            "device.attributes['gpu.example.com'].absent.startsWith('X') && 1 == 1",
        ] {
            assert_eq!(meets(&gpu(), condition), Ok(None), "{condition}");
        }
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for condition in [
            "device.attributes['d'].model.matches('A.*')",
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
