//! Invariant: a struct is read only from a JSON object. serde alone would also accept an array of its
//! fields.
//!
//! Reads and writes JSON.

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::fmt;

/// Whether a JSON text is an object. Invalid JSON may be mistaken for one.
#[must_use]
pub(crate) fn is_object(json: &str) -> bool {
    json.trim_ascii_start().starts_with('{')
}

/// Reads a struct from a JSON object.
pub(crate) fn object<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Option<T> {
    serde_json::from_str(object_text(json)?).ok()
}

/// The text, if it begins like an object. This is not part of [`object`], which is compiled once for
/// each struct.
pub(crate) fn object_text(json: &[u8]) -> Option<&str> {
    // Given bytes, serde would not check that ignored strings are UTF-8.
    let text = std::str::from_utf8(json).ok()?;
    is_object(text).then_some(text)
}

/// The keys of an object, in order, with their values as JSON text; `None` for any other text.
pub(crate) fn entries(json: &str) -> Option<Vec<(String, &RawValue)>> {
    struct Entries;
    impl<'de> Visitor<'de> for Entries {
        type Value = Vec<(String, &'de RawValue)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut entries = Vec::new();
            while let Some(entry) = map.next_entry()? {
                entries.push(entry);
            }
            Ok(entries)
        }
    }
    let mut reader = serde_json::Deserializer::from_str(json);
    let entries = reader.deserialize_map(Entries).ok()?;
    reader.end().ok()?;
    Some(entries)
}

/// An object of these entries, without those of some keys.
pub(crate) fn without(
    entries: Vec<(String, &RawValue)>,
    is_left_out: impl Fn(&str) -> bool,
) -> String {
    let mut rest = String::from("{");
    for (key, value) in entries {
        if is_left_out(&key) {
            continue;
        }
        if rest.len() > 1 {
            rest.push(',');
        }
        rest.push_str(&to_json(&key));
        rest.push(':');
        rest.push_str(value.get());
    }
    rest.push('}');
    rest
}

/// A value as JSON text. Writing a string cannot fail.
pub(crate) fn to_json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// The length of a text as a JSON string, in bytes.
pub(crate) fn quoted_len(text: &str) -> usize {
    let escaped = |byte| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 8 | 12 => 2,
        0..0x20 => 6,
        _ => 1,
    };
    2 + text.bytes().map(escaped).sum::<usize>()
}
