//! JSON bodies of requests.
//!
//! Invariant: a valid body is parsed once. An invalid one is parsed again to find its error.

use super::error::ApiError;
use super::excerpt::excerpt;
use crate::domain::json::is_object;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Reads a JSON object.
///
/// # Errors
/// `BodyEmpty`, `InvalidJson`, `ValidationError`.
pub(super) fn object<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, ApiError> {
    if body.is_empty() {
        return Err(ApiError::BodyEmpty);
    }
    let text = std::str::from_utf8(body).map_err(|_| ApiError::InvalidJson)?;
    if !is_object(text) {
        let raw: &RawValue = serde_json::from_str(text).map_err(|_| ApiError::InvalidJson)?;
        return Err(match raw.get() {
            // trigger.dev treats these as invalid JSON.
            "null" | "false" | "0" | "\"\"" => ApiError::InvalidJson,
            other => ApiError::ValidationError {
                path: "",
                message: format!("Expected object, received {}", kind_of(other)),
            },
        });
    }
    serde_json::from_str(text).map_err(|why| {
        if why.is_data() {
            ApiError::ValidationError {
                path: "",
                message: why.to_string(),
            }
        } else {
            ApiError::InvalidJson
        }
    })
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
