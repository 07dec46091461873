//! How a task's demand for a resource is written in JSON: an amount, or how it varies.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, IntoDeserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::values::{Ordered, Quantity};
use model::{Decimal, normal_quantile};

/// A mean, and the standard deviation where the demand varies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct DemandFile {
    pub(super) mean: Decimal,
    pub(super) deviation: Option<Decimal>,
}

/// Mean and deviation of the normal distribution with two such quantiles, each with its chance.
fn from_quantiles(list: &[(f64, Decimal)]) -> Result<DemandFile, String> {
    let &[(a, low), (b, high)] = list else {
        return Err(
            "two quantiles say how a demand varies, as in {\"p50\": 4, \"p95\": 6}".to_owned()
        );
    };
    let (a, b) = (normal_quantile(a), normal_quantile(b));
    let (low, high) = (low.to_f64(), high.to_f64());
    let deviation = (high - low) / (b - a);
    let mean = low - a * deviation;
    if deviation < 0.0 || mean <= 0.0 {
        return Err(
            "no demand has these quantiles: more of them lies below a higher one, and their \
                    mean is above 0"
                .to_owned(),
        );
    }
    let exact = |value| Decimal::rounded_up(value).ok_or("these quantiles need too many digits");
    Ok(DemandFile { mean: exact(mean)?, deviation: Some(exact(deviation)?) })
}

/// `p95` as 0.95.
fn chance(key: &str) -> Option<f64> {
    let percent: f64 = key.strip_prefix('p')?.parse().ok()?;
    (percent > 0.0 && percent < 100.0).then_some(percent / 100.0)
}

fn from_entries(entries: &[(String, Quantity)]) -> Result<DemandFile, String> {
    let find = |name: &str| entries.iter().find(|(key, _)| key == name).map(|(_, q)| q.0);
    match (find("mean"), find("sd"), entries.len()) {
        (Some(mean), deviation, n) if n == 1 + usize::from(deviation.is_some()) => {
            return Ok(DemandFile { mean, deviation: deviation.filter(|d| !d.is_zero()) });
        }
        (None, None, _) => {}
        _ => {
            return Err(
                "a demand that varies is {\"mean\": 4, \"sd\": 1} and nothing else".to_owned()
            );
        }
    }
    let mut quantiles = Vec::with_capacity(entries.len());
    for (key, quantity) in entries {
        let chance = chance(key).ok_or_else(|| {
            format!(
                "unknown field `{key}`: a demand that varies has `mean` and `sd`, or two quantiles such as \
                 `p50` and `p95`"
            )
        })?;
        quantiles.push((chance, quantity.0));
    }
    from_quantiles(&quantiles)
}

impl<'de> Deserialize<'de> for DemandFile {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl Any {
            fn exact<'de, E: Error>(value: impl IntoDeserializer<'de, E>) -> Result<DemandFile, E> {
                let Quantity(mean) = Quantity::deserialize(value.into_deserializer())?;
                Ok(DemandFile { mean, deviation: None })
            }
        }
        impl<'de> Visitor<'de> for Any {
            type Value = DemandFile;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str(
                    "a quantity: a number, or a string such as \"250m\", or how it varies: \
                     {\"mean\": 4, \"sd\": 1}",
                )
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<DemandFile, E> {
                Any::exact(text)
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<DemandFile, E> {
                Any::exact(value)
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<DemandFile, E> {
                Any::exact(value)
            }
            fn visit_f64<E: Error>(self, value: f64) -> Result<DemandFile, E> {
                Any::exact(value)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<DemandFile, A::Error> {
                let entries = Ordered::<Quantity>::deserialize(MapAccessDeserializer::new(map))?;
                from_entries(&entries.0).map_err(A::Error::custom)
            }
        }
        from.deserialize_any(Any)
    }
}

impl Serialize for DemandFile {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Some(deviation) = self.deviation else { return Quantity(self.mean).serialize(to) };
        let mut map = to.serialize_map(Some(2))?;
        map.serialize_entry("mean", &Quantity(self.mean))?;
        map.serialize_entry("sd", &Quantity(deviation))?;
        map.end()
    }
}

impl JsonSchema for DemandFile {
    fn schema_name() -> Cow<'static, str> {
        "Demand".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let quantity = generator.subschema_for::<Quantity>();
        json_schema!({
            "description": "An amount, or how it varies: mean and standard deviation, or two quantiles of \
                a normal distribution such as p50 and p95.",
            "anyOf": [
                quantity,
                { "type": "object", "properties": { "mean": quantity, "sd": quantity },
                  "required": ["mean"], "additionalProperties": false },
                { "type": "object", "patternProperties": { "^p[0-9.]+$": quantity },
                  "minProperties": 2, "maxProperties": 2, "additionalProperties": false }
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<DemandFile, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn amounts_and_how_they_vary() {
        let decimal = |text: &str| Decimal::parse(text).unwrap();
        let gives = |text: &str, mean: &str, deviation: Option<&str>| {
            let want = DemandFile { mean: decimal(mean), deviation: deviation.map(decimal) };
            assert_eq!(read(text), Ok(want), "{text}");
        };
        gives("4", "4", None);
        gives("0.25", "0.25", None);
        gives("\"16Gi\"", "16Gi", None);
        gives(r#"{"mean": "500m", "sd": 0.1}"#, "0.5", Some("0.1"));
        gives(r#"{"sd": 0, "mean": 4}"#, "4", None);
        gives(r#"{"p50": 4, "p95": 6}"#, "4", Some("1.216"));
        gives(r#"{"p95": 6, "p50": 4}"#, "4", Some("1.216"));
        gives(r#"{"p10": 2, "p90": 6}"#, "4", Some("1.5607"));
    }

    #[test]
    fn what_is_no_demand_says_so() {
        for (text, says) in [
            (r#"{"mean": 4, "p95": 6}"#, "nothing else"),
            (r#"{"sd": 4}"#, "nothing else"),
            (r#"{"mean": 4, "dev": 1}"#, "nothing else"),
            (r#"{"p50": 4}"#, "two quantiles"),
            (r#"{"p50": 4, "p90": 5, "p95": 6}"#, "two quantiles"),
            (r#"{"p50": 4, "p100": 6}"#, "unknown field `p100`"),
            (r#"{"p50": 6, "p95": 4}"#, "no demand has"),
            (r#"{"mean": -4}"#, "negative"),
            (r#"{"mean": 4, "mean": 5}"#, "twice"),
            ("{}", "two quantiles"),
            ("[4, 1]", "a quantity"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn the_schema_knows_them_all() {
        let schema = schemars::schema_for!(DemandFile).to_value();
        let valid = jsonschema::validator_for(&schema).unwrap();
        let value = |text: &str| serde_json::from_str(text).unwrap();
        for text in ["4", "\"4Gi\"", r#"{"mean": 4, "sd": 1}"#, r#"{"p50": 4, "p99.9": 6}"#] {
            assert!(valid.is_valid(&value(text)), "{text}");
        }
        for text in ["[4]", r#"{"mean": 4, "p95": 1}"#, r#"{"p50": 4}"#] {
            assert!(!valid.is_valid(&value(text)), "{text}");
        }
    }
}
