//! Invariant: of a value of the caller at most 64 characters are shown.
//!
//! Values of the caller as errors quote them.

use crate::domain::json::to_json;

/// A value of the caller as an error quotes it: as JSON text, at most 64 characters of it.
pub(crate) fn excerpt(value: &str) -> String {
    to_json(&shortened(value))
}

/// At most 64 characters of a value.
pub(crate) fn shortened(value: &str) -> String {
    let mut text: String = value.chars().take(64).collect();
    if text.len() < value.len() {
        text.push('…');
    }
    text
}
