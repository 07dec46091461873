//! JSON values to the API's types, with the fields that a type does not know and the path
//! to a value that does not fit. One reader for all types: each way to read them would be
//! compiled for hundreds of types.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess};
use serde::de::{Error as _, Unexpected, Visitor};
use serde_json::{Error, Map, Value};

/// A value as one of the API's types, and the paths of fields that the type does not have.
///
/// # Errors
/// A value of another type, with its path (empty for the whole).
pub(super) fn read<T: DeserializeOwned>(
    value: &Value,
) -> Result<(T, Vec<String>), (Error, String)> {
    let notes = RefCell::default();
    let read = T::deserialize(Reader { value, at: &Path::Top, notes: &notes });
    let Notes { unknown, failed } = notes.into_inner();
    read.map(|typed| (typed, unknown)).map_err(|error| (error, failed.unwrap_or_default()))
}

#[derive(Default)]
struct Notes {
    unknown: Vec<String>,
    /// Where reading failed first, which is the innermost place.
    failed: Option<String>,
}

/// The way from the top to a value: `spec.containers[0].image`.
#[derive(Clone, Copy)]
enum Path<'p> {
    Top,
    Field(&'p Path<'p>, &'p str),
    Item(&'p Path<'p>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Path::Top => Ok(()),
            Path::Field(Path::Top, name) => f.write_str(name),
            Path::Field(parent, name) => write!(f, "{parent}.{name}"),
            Path::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    value: &'a Value,
    at: &'a Path<'a>,
    notes: &'a RefCell<Notes>,
}

impl<'a> Reader<'a> {
    fn child(self, value: &'a Value, at: &'a Path<'a>) -> Reader<'a> {
        Reader { value, at, ..self }
    }

    fn noted<T>(self, read: Result<T, Error>) -> Result<T, Error> {
        if read.is_err() {
            self.notes.borrow_mut().failed.get_or_insert_with(|| self.at.to_string());
        }
        read
    }

    fn unexpected(self) -> Unexpected<'a> {
        match self.value {
            Value::Null => Unexpected::Unit,
            Value::Bool(value) => Unexpected::Bool(*value),
            Value::Number(value) => match (value.as_u64(), value.as_i64()) {
                (Some(value), _) => Unexpected::Unsigned(value),
                (None, Some(value)) => Unexpected::Signed(value),
                (None, None) => Unexpected::Float(value.as_f64().unwrap_or(f64::NAN)),
            },
            Value::String(value) => Unexpected::Str(value),
            Value::Array(_) => Unexpected::Seq,
            Value::Object(_) => Unexpected::Other("object"),
        }
    }
}

impl<'de> serde::Deserializer<'de> for Reader<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.noted(match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(value) => match (value.as_u64(), value.as_i64()) {
                (Some(value), _) => visitor.visit_u64(value),
                (None, Some(value)) => visitor.visit_i64(value),
                (None, None) => visitor.visit_f64(value.as_f64().unwrap_or(f64::NAN)),
            },
            Value::String(value) => visitor.visit_str(value),
            Value::Array(items) => visitor.visit_seq(Items { reader: self, items, next: 0 }),
            Value::Object(map) => visitor.visit_map(Fields::of(self, map)),
        })
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.value.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.noted(match self.value {
            Value::Object(map) => visitor.visit_map(Fields::of(self, map)),
            _ => Err(Error::invalid_type(self.unexpected(), &"object")),
        })
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.noted(match self.value {
            Value::Array(items) => visitor.visit_seq(Items { reader: self, items, next: 0 }),
            _ => Err(Error::invalid_type(self.unexpected(), &"list")),
        })
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.noted(match self.value {
            Value::String(value) => visitor.visit_str(value),
            _ => Err(Error::invalid_type(self.unexpected(), &visitor)),
        })
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.notes.borrow_mut().unknown.push(self.at.to_string());
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str bytes byte_buf unit
        unit_struct tuple tuple_struct enum identifier
    }
}

struct Items<'a> {
    reader: Reader<'a>,
    items: &'a [Value],
    next: usize,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        let Some(value) = self.items.get(self.next) else { return Ok(None) };
        let at = Path::Item(self.reader.at, self.next);
        self.next += 1;
        seed.deserialize(self.reader.child(value, &at)).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len() - self.next)
    }
}

struct Fields<'a> {
    reader: Reader<'a>,
    fields: serde_json::map::Iter<'a>,
    now: Option<(&'a str, &'a Value)>,
}

impl<'a> Fields<'a> {
    fn of(reader: Reader<'a>, map: &'a Map<String, Value>) -> Self {
        Fields { reader, fields: map.iter(), now: None }
    }
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        self.now = self.fields.next().map(|(name, value)| (name.as_str(), value));
        let Some((name, _)) = self.now else { return Ok(None) };
        seed.deserialize(name.into_deserializer()).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let (name, value) = self.now.ok_or_else(|| Error::custom("a value before its name"))?;
        let at = Path::Field(self.reader.at, name);
        seed.deserialize(self.reader.child(value, &at))
    }
}
