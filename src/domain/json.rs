//! Invariant: a struct is read only from a JSON object. serde alone would also accept an array of its
//! fields.
//!
//! Reads and writes JSON.

use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
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
    let mut entries = Vec::new();
    let is_read = is_object(json) && read(json, &mut |key, value| entries.push((key, value)));
    is_read.then_some(entries)
}

/// Calls a function with each key of an object, in order, and its value. False if the text is no object,
/// perhaps after some calls. Unlike [`entries`], it holds one key at a time.
pub(crate) fn for_each_entry<'a>(
    json: &'a str,
    each: &mut dyn FnMut(String, &'a RawValue),
) -> bool {
    is_object(json) && read(json, each)
}

/// The values of these keys of an object, as JSON text. `None` for any other text, and if one of the keys is
/// given twice.
#[cfg(not(any(feature = "browser", feature = "server")))]
pub(crate) fn pick<'a, const N: usize>(
    json: &'a str,
    keys: [&str; N],
) -> Option<[Option<&'a str>; N]> {
    let mut values = [None; N];
    pick_into(json, &keys, &mut values).then_some(values)
}

#[cfg(not(any(feature = "browser", feature = "server")))]
fn pick_into<'a>(json: &'a str, keys: &[&str], values: &mut [Option<&'a str>]) -> bool {
    let mut is_twice = false;
    let is_read = for_each_entry(json, &mut |name, value| {
        let slots = keys.iter().zip(&mut *values);
        if let Some((_, slot)) = slots.into_iter().find(|(key, _)| **key == name) {
            is_twice |= slot.replace(value.get()).is_some();
        }
    });
    is_read && !is_twice
}

/// Calls a function with each item of a list, in order. False if the text is no list, perhaps after some
/// calls.
pub(crate) fn for_each_item<'a>(json: &'a str, each: &mut dyn FnMut(&'a RawValue)) -> bool {
    !is_object(json) && read(json, &mut |_, item| each(item))
}

/// Reads an object or a list. The items of a list have empty keys.
fn read<'a>(json: &'a str, each: &mut dyn FnMut(String, &'a RawValue)) -> bool {
    struct Each<'f, 'de>(&'f mut dyn FnMut(String, &'de RawValue));
    impl<'de> Visitor<'de> for Each<'_, 'de> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object or a list")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
            while let Some((key, value)) = map.next_entry()? {
                (self.0)(key, value);
            }
            Ok(())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
            while let Some(item) = items.next_element()? {
                (self.0)(String::new(), item);
            }
            Ok(())
        }
    }
    let mut reader = serde_json::Deserializer::from_str(json);
    let each = Each(each);
    let read = match is_object(json) {
        true => reader.deserialize_map(each),
        false => reader.deserialize_seq(each),
    };
    read.is_ok() && reader.end().is_ok()
}

/// Removes insignificant white space from JSON.
#[must_use]
pub fn minify_json(json: &str) -> String {
    let (mut quoted, mut escaped) = (false, false);
    let keep = |c: &char| {
        let kept = quoted || !matches!(c, ' ' | '\t' | '\n' | '\r');
        quoted ^= *c == '"' && !escaped;
        escaped = quoted && *c == '\\' && !escaped;
        kept
    };
    json.chars().filter(keep).collect()
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
