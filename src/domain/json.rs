//! Invariant: a struct is read from a JSON object alone. serde would take an array of its fields as
//! well.
//!
//! JSON text, read and written.

use serde::{Deserialize, Serialize};

/// Whether a JSON text is an object. What is no JSON may look like one.
#[must_use]
pub(crate) fn is_object(json: &str) -> bool {
    json.trim_ascii_start().starts_with('{')
}

/// A struct of a JSON object.
pub(crate) fn object<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Option<T> {
    serde_json::from_str(object_text(json)?).ok()
}

/// The text of what looks like an object. Apart from [`object`], which is compiled once for each struct.
pub(crate) fn object_text(json: &[u8]) -> Option<&str> {
    // From bytes serde would pass over a text that nobody reads and that is not UTF-8.
    let text = std::str::from_utf8(json).ok()?;
    is_object(text).then_some(text)
}

/// A value as JSON text. Writing a string cannot fail.
pub(crate) fn to_json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// How long a text is as a JSON string, in bytes.
pub(crate) fn quoted_len(text: &str) -> usize {
    let escaped = |byte| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 8 | 12 => 2,
        0..0x20 => 6,
        _ => 1,
    };
    2 + text.bytes().map(escaped).sum::<usize>()
}
