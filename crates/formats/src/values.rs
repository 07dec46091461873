//! The small values JSON files are made of: ids, quantities, durations, maps
//! that keep their order. Each reads itself, refuses what is wrong with the
//! reason, and describes itself for the published schema.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use rustc_hash::FxHashSet;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::words;
use model::{Decimal, Goal, Part, Risk, parse_duration};

/// The version of the instance and plan formats that this program reads and writes.
pub(super) const SCHEMA_VERSION: u64 = 1;

/// A name: a string, or a whole number taken as one.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Id(pub(super) String);

/// An exact amount: a number, or a string such as `250m` or `16Gi`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Quantity(pub(super) Decimal);

/// Whole seconds: a number, or a string such as `30m`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Seconds(pub(super) i64);

/// A part of a capacity: a quantity, or a string such as `10%`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Portion(pub(super) Part);

/// Milliseconds: a number, or a string such as `5ms`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Millis(pub(super) Decimal);

/// One string or a list of them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct OneOrMany(pub(super) Vec<String>);

/// A goal such as `cost, balance`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct GoalText(pub(super) Goal);

/// A chance such as 0.01 or `1%`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct RiskText(pub(super) Risk);

/// The number 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Version;

/// A map in the order of the file; a key given twice is an error.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ordered<V>(pub(super) Vec<(String, V)>);

/// A `T` written as an object. What serde derives would also take a list of
/// the fields' values.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Object<T>(pub(super) T);

impl<V> Default for Ordered<V> {
    fn default() -> Self {
        Ordered(Vec::new())
    }
}

impl<V> Ordered<V> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The text of a number that is no integer: the shortest one that reads back
/// as the same number, which is how such numbers are written in the first place.
pub(super) fn float_text(value: f64) -> String {
    serde_json::Number::from_f64(value).map_or_else(|| value.to_string(), |n| n.to_string())
}

/// `Deserialize` for a value given as a string or a number: `$parse` takes the
/// value's text and says what is wrong with it.
macro_rules! from_text {
    ($name:ident, $expecting:literal, $parse:expr) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                struct Text;
                impl Visitor<'_> for Text {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                        f.write_str($expecting)
                    }
                    fn visit_str<E: Error>(self, text: &str) -> Result<$name, E> {
                        let parse: fn(&str) -> Result<$name, String> = $parse;
                        parse(text).map_err(E::custom)
                    }
                    fn visit_u64<E: Error>(self, value: u64) -> Result<$name, E> {
                        self.visit_str(&value.to_string())
                    }
                    fn visit_i64<E: Error>(self, value: i64) -> Result<$name, E> {
                        self.visit_str(&value.to_string())
                    }
                    fn visit_f64<E: Error>(self, value: f64) -> Result<$name, E> {
                        self.visit_str(&float_text(value))
                    }
                }
                from.deserialize_any(Text)
            }
        }
    };
}

from_text!(Quantity, "a quantity: a number, or a string such as \"250m\"", |text| {
    Decimal::parse(text).map(Quantity).map_err(|error| error.to_string())
});
from_text!(Seconds, "a duration: seconds, or a string such as \"30m\"", |text| {
    parse_duration(text).map(Seconds)
});

from_text!(Portion, "an amount, or a part of the capacity such as \"10%\"", |text| {
    words::part(text).map(Portion)
});
from_text!(Millis, "milliseconds: a number, or a string such as \"5ms\"", |text| {
    words::millis(text).map(Millis)
});

from_text!(RiskText, "a chance: a number such as 0.01, or a string such as \"1%\"", |text| {
    Risk::parse(text).map(RiskText)
});

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Name;
        impl Visitor<'_> for Name {
            type Value = Id;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a name: a string or a whole number")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Id, E> {
                Ok(Id(text.to_owned()))
            }
            fn visit_string<E: Error>(self, text: String) -> Result<Id, E> {
                Ok(Id(text))
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<Id, E> {
                Ok(Id(value.to_string()))
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<Id, E> {
                Ok(Id(value.to_string()))
            }
        }
        from.deserialize_any(Name)
    }
}

impl<'de> Deserialize<'de> for GoalText {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Goal::parse(&text).map(GoalText).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match u64::deserialize(from)? {
            SCHEMA_VERSION => Ok(Version),
            other => Err(D::Error::custom(format!(
                "schema_version is {other}; this program reads version {SCHEMA_VERSION}"
            ))),
        }
    }
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Strings;
        impl<'de> Visitor<'de> for Strings {
            type Value = OneOrMany;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a string or a list of strings")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<OneOrMany, E> {
                Ok(OneOrMany(vec![text.to_owned()]))
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<OneOrMany, E> {
                Ok(OneOrMany(vec![value.to_string()]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<OneOrMany, A::Error> {
                let mut values = Vec::new();
                while let Some(Id(value)) = list.next_element()? {
                    values.push(value);
                }
                if values.is_empty() {
                    return Err(A::Error::custom("an empty list accepts no node: name a value"));
                }
                Ok(OneOrMany(values))
            }
        }
        from.deserialize_any(Strings)
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Ordered<V> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Entries<V>(PhantomData<V>);
        impl<'de, V: Deserialize<'de>> Visitor<'de> for Entries<V> {
            type Value = Ordered<V>;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered<V>, A::Error> {
                const FEW: usize = 16;
                let mut entries: Vec<(String, V)> = Vec::new();
                let mut seen: FxHashSet<String> = FxHashSet::default();
                while let Some(key) = map.next_key::<String>()? {
                    // Nearly all maps are short; the set is for those that are not.
                    if entries.len() == FEW {
                        seen = entries.iter().map(|(known, _)| known.clone()).collect();
                    }
                    let twice = match entries.len() {
                        0..FEW => entries.iter().any(|(known, _)| *known == key),
                        _ => !seen.insert(key.clone()),
                    };
                    if twice {
                        return Err(A::Error::custom(format!("the key `{key}` appears twice")));
                    }
                    let value = map.next_value()?;
                    entries.push((key, value));
                }
                Ok(Ordered(entries))
            }
        }
        from.deserialize_map(Entries(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = Object<T>;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }
        from.deserialize_map(Fields(PhantomData))
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_i64(self.0)
    }
}

impl Serialize for Quantity {
    /// A number when numbers are exact, a string otherwise.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if let Some(whole) = self.0.at_places(0) {
            return to.serialize_i64(whole);
        }
        let value = self.0.to_f64();
        match Decimal::parse(&float_text(value)) {
            Ok(read_back) if read_back == self.0 => to.serialize_f64(value),
            _ => to.serialize_str(&self.0.to_string()),
        }
    }
}

impl Serialize for Portion {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Part::Exact(exact) => Quantity(exact).serialize(to),
            Part::Percent(percent) => to.collect_str(&format_args!("{percent}%")),
        }
    }
}

impl Serialize for Millis {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        Quantity(self.0).serialize(to)
    }
}

impl Serialize for OneOrMany {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match &self.0[..] {
            [one] => to.serialize_str(one),
            many => many.serialize(to),
        }
    }
}

impl<V: Serialize> Serialize for Ordered<V> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<T: Serialize> Serialize for Object<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

/// A schema that stands where the value stands.
macro_rules! schema {
    ($name:ident, $($body:tt)*) => {
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($($body)*)
            }
        }
    };
}

schema!(Id, { "description": "A name: a string, or a whole number taken as one.",
    "type": ["string", "integer"] });
schema!(Quantity, { "description": "An exact amount, zero or more: a number, or a string with an \
    optional suffix (n u m k M G T P E Ki Mi Gi Ti Pi Ei).", "type": ["number", "string"], "minimum": 0 });
schema!(Seconds, { "description": "Whole seconds: a number, or a string such as 90s, 30m, 1.5h, 2d.",
    "type": ["number", "string"], "minimum": 0 });
schema!(Portion, { "description": "An amount, or a part of the node's capacity such as 10%.",
    "type": ["number", "string"], "minimum": 0 });
schema!(Millis, { "description": "Milliseconds: a number, or a string such as 5ms or 0.2s.",
    "type": ["number", "string"], "minimum": 0 });
schema!(RiskText, { "description": "A chance above 0 and below one half, such as 0.01 or 1%; with ` any` behind it whatever the distribution.",
    "type": ["number", "string"], "exclusiveMinimum": 0, "exclusiveMaximum": 0.5 });
schema!(OneOrMany, { "description": "One string, or a list of at least one.",
    "anyOf": [{ "type": "string" },
              { "type": "array", "items": { "type": "string" }, "minItems": 1 }] });
schema!(GoalText, { "description": "What is minimised: tiers between commas, each a weighted sum, \
    such as `peak` or `cost + 10*nodes, balance`.", "type": "string" });
schema!(Version, { "description": "Version of this format.", "const": 1 });

impl<V: JsonSchema> JsonSchema for Ordered<V> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        BTreeMap::<String, V>::schema_name()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        BTreeMap::<String, V>::json_schema(generator)
    }
}

impl<T: JsonSchema> JsonSchema for Object<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_survive_the_way_there_and_back() {
        for text in ["0", "7", "0.25", "1234567.125", "0.000000000000000001", "123456789.123456789"]
        {
            let quantity = Quantity(Decimal::parse(text).unwrap());
            let json = serde_json::to_string(&quantity).unwrap();
            assert_eq!(serde_json::from_str::<Quantity>(&json).unwrap(), quantity, "{json}");
        }
        let third = Quantity(Decimal::parse("0.25").unwrap());
        assert_eq!(serde_json::to_string(&third).unwrap(), "0.25");
    }

    #[test]
    fn long_maps_refuse_repeated_keys_too() {
        let entries =
            |n: usize| (0..n).map(|k| format!("\"k{k}\":1")).collect::<Vec<_>>().join(",");
        for n in [1, 16, 17, 40] {
            let good = format!("{{{}}}", entries(n));
            assert_eq!(serde_json::from_str::<Ordered<u8>>(&good).unwrap().0.len(), n);
            let bad = format!("{{{},\"k{}\":2}}", entries(n), n - 1);
            assert!(serde_json::from_str::<Ordered<u8>>(&bad).is_err(), "{n}");
        }
    }
}
