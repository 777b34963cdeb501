//! Compares the values of two JSON texts without building them.
//!
//! Invariant: the memory grows with the number of keys in the objects that are open at the same time,
//! never with the number of values. A text of megabytes can hold a million values, and each would
//! take fifty bytes or more as a [`serde_json::Value`].

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

/// A hash of a JSON text's value: equal for texts that differ only in white space, escapes, the spelling of
/// numbers or the order of keys. Of a repeated key the last value counts, as in JavaScript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// The fingerprint of a JSON text; `None` for text that is not JSON, nests deeper than 128 levels or has
    /// a number that is out of range.
    #[must_use]
    pub fn of_json(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The fingerprint of the JSON string that holds this text.
    #[must_use]
    pub fn of_string(text: &str) -> Self {
        Self::of("string", |hasher| text.hash(hasher))
    }

    /// The kind is hashed too, so that `1` and `"1"` differ.
    fn of(kind: &str, write: impl FnOnce(&mut DefaultHasher)) -> Self {
        let mut hasher = DefaultHasher::new();
        kind.hash(&mut hasher);
        write(&mut hasher);
        Self(hasher.finish())
    }

    fn of_number(number: f64) -> Self {
        // JavaScript writes -0 as 0.
        let number = if number == 0.0 { 0.0 } else { number };
        Self::of("number", |hasher| number.to_bits().hash(hasher))
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Fingerprint;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Fingerprint, E> {
        Ok(Fingerprint::of("null", |_| ()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Fingerprint, E> {
        Ok(Fingerprint::of("boolean", |hasher| value.hash(hasher)))
    }

    // JavaScript has only floating point numbers.
    fn visit_i64<E>(self, value: i64) -> Result<Fingerprint, E> {
        Ok(Fingerprint::of_number(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Fingerprint, E> {
        Ok(Fingerprint::of_number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Fingerprint, E> {
        Ok(Fingerprint::of_number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Fingerprint, E> {
        Ok(Fingerprint::of_string(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Fingerprint, A::Error> {
        let mut hasher = DefaultHasher::new();
        while let Some(Fingerprint(item)) = items.next_element()? {
            item.hash(&mut hasher);
        }
        let items = hasher.finish();
        Ok(Fingerprint::of("array", |hasher| items.hash(hasher)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Fingerprint, A::Error> {
        let mut values = BTreeMap::new();
        while let Some((Fingerprint(key), Fingerprint(value))) = entries.next_entry()? {
            values.insert(key, value);
        }
        Ok(Fingerprint::of("object", |hasher| values.hash(hasher)))
    }
}
