//! JSON bodies of requests.
//!
//! Invariant: a valid body is parsed once. An invalid one is parsed again to find its error.

use super::error::ApiError;
use super::excerpt::excerpt;
use crate::domain::json::is_object;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::fmt;

/// Reads a JSON object.
///
/// # Errors
/// `BodyEmpty`, `InvalidJson`, `ValidationError`.
pub(super) fn object<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, ApiError> {
    serde_json::from_str(object_text(body)?).map_err(|why| unreadable(&why))
}

// These two are not part of `object`, which is compiled once for each struct.
fn object_text(body: &[u8]) -> Result<&str, ApiError> {
    if body.is_empty() {
        return Err(ApiError::BodyEmpty);
    }
    let text = std::str::from_utf8(body).map_err(|_| ApiError::InvalidJson)?;
    if is_object(text) {
        return Ok(text);
    }
    let raw: &RawValue = serde_json::from_str(text).map_err(|_| ApiError::InvalidJson)?;
    Err(match raw.get() {
        // trigger.dev treats these as invalid JSON.
        "null" | "false" | "0" | "\"\"" => ApiError::InvalidJson,
        other => ApiError::ValidationError {
            path: "",
            message: format!("Expected object, received {}", kind_of(other)),
        },
    })
}

#[cold]
fn unreadable(why: &serde_json::Error) -> ApiError {
    if why.is_data() {
        ApiError::ValidationError {
            path: "",
            message: why.to_string(),
        }
    } else {
        ApiError::InvalidJson
    }
}

fn kind_of(json: &str) -> &'static str {
    match json.as_bytes().first() {
        Some(b'[') => "array",
        Some(b'"') => "string",
        Some(b't' | b'f') => "boolean",
        _ => "number",
    }
}

pub(super) fn string(raw: &RawValue, path: &'static str) -> Result<String, ApiError> {
    serde_json::from_str(raw.get()).map_err(|_| {
        let message = format!("{} is not a string. Use a string.", excerpt(raw.get()));
        ApiError::ValidationError { path, message }
    })
}

/// The first key of a JSON object that is not one of these.
pub(super) fn unknown_key(object: &[u8], known: &[&str]) -> Option<String> {
    struct Keys<'a>(&'a [&'a str]);
    impl<'de> Visitor<'de> for Keys<'_> {
        type Value = Option<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut unknown = None;
            while let Some(key) = map.next_key::<String>()? {
                map.next_value::<IgnoredAny>()?;
                if !self.0.contains(&key.as_str()) {
                    unknown.get_or_insert(key);
                }
            }
            Ok(unknown)
        }
    }
    let text = std::str::from_utf8(object).ok()?;
    let mut reader = serde_json::Deserializer::from_str(text);
    reader.deserialize_map(Keys(known)).unwrap_or(None)
}
