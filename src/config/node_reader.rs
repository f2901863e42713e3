//! Serde over a [`Node`]: like any format, but an error keeps its sort and the way to the value,
//! and no message repeats a text of the file unless the type that refused it chose to.

use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor,
};

use super::document::{Node, Value};
use super::key_path::{KeyPath, Part};

/// Why a tree could not be read as a type.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ReadError {
    /// The way to the value, as far as it is known.
    pub(super) path: KeyPath,
    /// What is wrong.
    pub(super) kind: ReadErrorKind,
}

/// The sorts of reading errors.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum ReadErrorKind {
    /// A key that the table does not have. `located` = the path ends with the key itself.
    UnknownKey {
        key: String,
        known: &'static [&'static str],
        located: bool,
    },
    /// A key that the table must have.
    MissingKey { key: &'static str },
    /// A word that is none of the known ones.
    UnknownWord {
        word: String,
        known: &'static [&'static str],
    },
    /// A value of the wrong type.
    WrongType {
        found: &'static str,
        expected: String,
    },
    /// A value of the right type that will not do.
    BadValue { message: String },
}

impl ReadError {
    fn new(kind: ReadErrorKind) -> Self {
        Self {
            path: KeyPath::top(),
            kind,
        }
    }

    fn under(mut self, part: Part) -> Self {
        self.path.prepend(part);
        self
    }
}

impl std::fmt::Display for ReadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {:?}", self.path, self.kind)
    }
}

impl std::error::Error for ReadError {}

impl de::Error for ReadError {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::new(ReadErrorKind::BadValue {
            message: message.to_string(),
        })
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(ReadErrorKind::WrongType {
            found: in_words(&found),
            expected: expected_in_words(&expected.to_string()),
        })
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        let message = match found {
            Unexpected::Signed(number) => format!("{number} is out of range"),
            Unexpected::Unsigned(number) => format!("{number} is out of range"),
            _ => format!(
                "this {} will not do: write {}",
                in_words(&found),
                expected_in_words(&expected.to_string())
            ),
        };
        Self::new(ReadErrorKind::BadValue { message })
    }

    fn unknown_variant(word: &str, known: &'static [&'static str]) -> Self {
        Self::new(ReadErrorKind::UnknownWord {
            word: word.to_owned(),
            known,
        })
    }

    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        Self::new(ReadErrorKind::UnknownKey {
            key: key.to_owned(),
            known,
            located: false,
        })
    }

    fn missing_field(key: &'static str) -> Self {
        Self::new(ReadErrorKind::MissingKey { key })
    }
}

fn in_words(found: &Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_) => "true or false",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) => "a whole number",
        Unexpected::Float(_) => "a number with a fraction",
        Unexpected::Char(_) | Unexpected::Str(_) => "a text in quotes",
        Unexpected::Seq | Unexpected::TupleVariant => "a list",
        Unexpected::Map | Unexpected::StructVariant => "a table",
        Unexpected::Bytes(_)
        | Unexpected::Unit
        | Unexpected::Option
        | Unexpected::NewtypeStruct
        | Unexpected::Enum
        | Unexpected::UnitVariant
        | Unexpected::NewtypeVariant
        | Unexpected::Other(_) => "something else",
    }
}

/// Says what serde's derived code expects in words that do not speak of Rust.
fn expected_in_words(expected: &str) -> String {
    match expected {
        "a string" | "a borrowed string" | "path string" => "a text in quotes".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "a table".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" | "usize" => {
            "a whole number".to_owned()
        }
        "f32" | "f64" => "a number".to_owned(),
        other if other.starts_with("struct ") || other.starts_with("internally tagged enum ") => {
            "a table".to_owned()
        }
        other => other.to_owned(),
    }
}

fn wrong_type(node: &Node, expected: &str) -> ReadError {
    let found = match &node.value {
        Value::String(_) => "a text in quotes",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number with a fraction",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
        Value::Removed | Value::StandIn => "nothing",
    };
    ReadError::new(ReadErrorKind::WrongType {
        found,
        expected: expected.to_owned(),
    })
}

/// Answers a stand-in with the plainest value of the type that is asked for, so that the rest of
/// the file is read; the result is thrown away in the end, because a mistake was reported.
macro_rules! stand_in {
    ($($method:ident => $visit:ident ( $($value:expr)? );)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
            match self.value {
                Value::StandIn => visitor.$visit($($value)?),
                _ => self.deserialize_any(visitor),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for &'de Node {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.value {
            Value::String(text) | Value::Datetime(text) => visitor.visit_borrowed_str(text),
            Value::Integer(number) => visitor.visit_i64(*number),
            Value::Float(number) => visitor.visit_f64(*number),
            Value::Boolean(value) => visitor.visit_bool(*value),
            Value::Array(items) => visitor.visit_seq(Items {
                rest: items.iter().enumerate(),
            }),
            Value::Table(entries) => visitor.visit_map(Entries {
                rest: entries.iter(),
                value: None,
            }),
            Value::StandIn => visitor.visit_borrowed_str(""),
            Value::Removed => visitor.visit_unit(),
        }
    }

    stand_in! {
        deserialize_bool => visit_bool(false);
        deserialize_i8 => visit_i64(0);
        deserialize_i16 => visit_i64(0);
        deserialize_i32 => visit_i64(0);
        deserialize_i64 => visit_i64(0);
        deserialize_u8 => visit_u64(0);
        deserialize_u16 => visit_u64(0);
        deserialize_u32 => visit_u64(0);
        deserialize_u64 => visit_u64(0);
        deserialize_f32 => visit_f64(0.0);
        deserialize_f64 => visit_f64(0.0);
        deserialize_seq => visit_seq(Items::none());
        deserialize_map => visit_map(Entries::none());
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.value {
            Value::StandIn => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        match self.value {
            // A list is no table: serde would read it by position.
            Value::Array(_) => Err(wrong_type(self, "a table")),
            _ => self.deserialize_map(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        match &self.value {
            Value::String(text) => visitor.visit_enum(Word(text)),
            Value::StandIn => visitor.visit_enum(Word(variants.first().copied().unwrap_or(""))),
            _ => Err(wrong_type(
                self,
                &format!("one of: {}", variants.join(", ")),
            )),
        }
    }

    serde::forward_to_deserialize_any! {
        i128 u128 char str string bytes byte_buf unit unit_struct tuple tuple_struct identifier
        ignored_any
    }
}

/// The items of a list that are still there, with their places in the file.
struct Items<'de> {
    rest: std::iter::Enumerate<std::slice::Iter<'de, Node>>,
}

impl Items<'_> {
    fn none() -> Self {
        Items {
            rest: [].iter().enumerate(),
        }
    }
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, ReadError> {
        let next = self
            .rest
            .find(|(_, node)| !matches!(node.value, Value::Removed));
        match next {
            None => Ok(None),
            Some((index, node)) => seed
                .deserialize(node)
                .map(Some)
                .map_err(|error| error.under(Part::Index(index))),
        }
    }
}

/// The entries of a table.
struct Entries<'de> {
    rest: std::collections::btree_map::Iter<'de, String, Node>,
    value: Option<(&'de String, &'de Node)>,
}

impl Entries<'_> {
    fn none() -> Self {
        Entries {
            rest: std::collections::btree_map::Iter::default(),
            value: None,
        }
    }
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, ReadError> {
        let Some((key, node)) = self.rest.next() else {
            return Ok(None);
        };
        self.value = Some((key, node));
        let read: Result<K::Value, ReadError> =
            seed.deserialize(de::value::BorrowedStrDeserializer::new(key));
        read.map(Some).map_err(|mut error| {
            if let ReadErrorKind::UnknownKey { located, .. } = &mut error.kind {
                *located = true;
            }
            error.under(Part::Key(key.clone()))
        })
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ReadError> {
        let (key, node) = self
            .value
            .take()
            .ok_or_else(|| de::Error::custom("a value was asked for before its key"))?;
        seed.deserialize(node)
            .map_err(|error| error.under(Part::Key(key.clone())))
    }
}

/// A choice written as one word.
struct Word<'de>(&'de str);

impl<'de> EnumAccess<'de> for Word<'de> {
    type Error = ReadError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), ReadError> {
        let value = seed.deserialize(self.0.into_deserializer())?;
        Ok((value, self))
    }
}

impl<'de> VariantAccess<'de> for Word<'de> {
    type Error = ReadError;

    fn unit_variant(self) -> Result<(), ReadError> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, ReadError> {
        Err(needs_table())
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, ReadError> {
        Err(needs_table())
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, ReadError> {
        Err(needs_table())
    }
}

fn needs_table() -> ReadError {
    ReadError::new(ReadErrorKind::WrongType {
        found: "a text in quotes",
        expected: "a table".to_owned(),
    })
}
