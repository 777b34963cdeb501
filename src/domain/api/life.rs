//! Cancel and extend: the bodies of the requests.

use super::body::{object, string, unknown_key};
use super::create::timeout;
use super::error::ApiError;
use super::limits::MAX_REASON;
use crate::domain::time::timeout::TIMEOUT_FORMS;
use crate::domain::time::timestamp::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Reads the body of cancel: the reason, if it has one. An empty body is one without a reason.
///
/// # Errors
/// `InvalidJson`, `ValidationError`.
pub fn parse_cancel(body: &[u8]) -> Result<Option<String>, ApiError> {
    #[derive(Deserialize)]
    struct Fields<'a> {
        #[serde(borrow)]
        reason: Option<&'a RawValue>,
    }
    if body.is_empty() {
        return Ok(None);
    }
    let fields: Fields<'_> = object(body)?;
    let Some(raw) = fields.reason else {
        return Ok(None);
    };
    let reason = string(raw, "reason")?;
    let length = reason.chars().count();
    if length > MAX_REASON {
        let message =
            format!("reason has {length} characters. Use at most {MAX_REASON} characters.");
        return Err(ApiError::ValidationError {
            path: "reason",
            message,
        });
    }
    Ok(Some(reason).filter(|text| !text.trim().is_empty()))
}

/// A reason that a person has written, if there is one.
///
/// # Errors
/// It has more characters than a reason may have: so many.
pub fn read_reason(text: &str) -> Result<Option<String>, usize> {
    // Browsers send line breaks as CR LF.
    let reason = text.trim().replace("\r\n", "\n");
    match reason.chars().count() {
        0 => Ok(None),
        length if length > MAX_REASON => Err(length),
        _ => Ok(Some(reason)),
    }
}

/// An unknown key in the body of cancel, which may be misspelt.
#[must_use]
pub fn unknown_key_of_cancel(body: &[u8]) -> Option<String> {
    unknown_key(body, &["reason"])
}

/// An unknown key in the body of extend, which may be misspelt.
#[must_use]
pub fn unknown_key_of_extend(body: &[u8]) -> Option<String> {
    unknown_key(body, &["timeout"])
}

/// Reads the body of extend: the new timeout.
///
/// # Errors
/// `BodyEmpty`, `InvalidJson`, `ValidationError`.
pub fn parse_extend(body: &[u8], now: Timestamp) -> Result<Timestamp, ApiError> {
    #[derive(Deserialize)]
    struct Fields<'a> {
        #[serde(borrow)]
        timeout: Option<&'a RawValue>,
    }
    let fields: Fields<'_> = object(body)?;
    let raw = fields.timeout.ok_or_else(|| ApiError::ValidationError {
        path: "timeout",
        message: format!("timeout is missing. Use {TIMEOUT_FORMS}."),
    })?;
    timeout(raw.get(), now)
}
