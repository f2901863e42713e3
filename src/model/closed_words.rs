//! Asks a closed set for its words.

use std::cell::Cell;

use serde::Deserialize;
use serde::de::value::Error;
use serde::de::{Deserializer, Error as _, Visitor};

/// Returns the words of a closed set, as its derived reading names them.
pub(super) fn of<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    let words: Cell<&'static [&'static str]> = Cell::new(&[]);
    drop(T::deserialize(Asker { words: &words }));
    words.get()
}

/// Notes the words that it is asked for, and has none.
struct Asker<'w> {
    words: &'w Cell<&'static [&'static str]>,
}

impl<'de> Deserializer<'de> for Asker<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("there is no value"))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.words.set(variants);
        self.deserialize_any(visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}
