//! Invariant: the body of a callback is stored byte for byte as JSON or text, or it is rejected. No
//! part of it is lost.
//!
//! The body of a machine's POST to `token.url`.

use super::error::ApiError;
use super::form::{form_to_json, media_type};
use super::limits::MAX_COMPLETE;
use crate::domain::json::quoted_len;
use crate::domain::token::{Output, OutputKind};
use serde_json::value::RawValue;

/// Reads the body of a machine's POST to `token.url` as an output:
/// - An empty body is `{}`.
/// - JSON is kept as it is, whatever its content type claims, as by trigger.dev.
/// - A form becomes an object of its fields.
/// - Other text stays text.
///
/// # Errors
/// `InvalidJson` for a body that is not UTF-8, `UnsupportedMediaType` for a multipart form,
/// `TooManyFields`, and `BodyTooLarge` for a form whose JSON is longer than [`MAX_COMPLETE`] or a
/// text that is longer than twice that as JSON.
pub fn parse_callback(content_type: &str, body: &[u8]) -> Result<Output, ApiError> {
    let media_type = media_type(content_type);
    if media_type == "multipart/form-data" {
        return Err(ApiError::UnsupportedMediaType(media_type));
    }
    let json = |text: String| Output {
        kind: OutputKind::Json,
        text,
    };
    let text = std::str::from_utf8(body).map_err(|_| ApiError::InvalidJson)?;
    // A byte order mark is not part of the text.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Ok(json("{}".to_owned()));
    }
    // `curl -d '{"a":1}'` sends JSON with the content type of a form. A real form escapes braces.
    let is_form = media_type == "application/x-www-form-urlencoded"
        && !text.trim_start().starts_with(['{', '[', '"']);
    if is_form {
        return form_to_json(text).map(json);
    }
    if let Ok(raw) = serde_json::from_str::<&RawValue>(text) {
        return Ok(json(raw.get().to_owned()));
    }
    // Responses hold an output as a JSON string, which at most doubles the length of JSON.
    let size = quoted_len(text);
    if size > 2 * MAX_COMPLETE {
        return Err(ApiError::BodyTooLarge {
            limit: 2 * MAX_COMPLETE,
            size,
        });
    }
    Ok(Output {
        kind: OutputKind::Text,
        text: text.to_owned(),
    })
}
