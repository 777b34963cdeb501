//! JSON bodies of requests.
//!
//! Invariant: a valid body is parsed once. An invalid one is parsed again to find its error.

use super::error::ApiError;
use super::excerpt::excerpt;
use crate::domain::json::{entries, is_object};
use serde::Deserialize;
use serde_json::value::RawValue;

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
    let entries = entries(std::str::from_utf8(object).ok()?)?;
    let mut keys = entries.into_iter().map(|(key, _)| key);
    keys.find(|key| !known.contains(&key.as_str()))
}
