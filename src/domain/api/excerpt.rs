//! Invariant: an error quotes at most [`EXCERPT`] characters of a caller's value.
//!
//! Values of callers, shortened for error messages.

use crate::domain::json::to_json;

/// Most characters of a value that an error quotes.
pub(crate) const EXCERPT: usize = 64;

/// A value of the caller as an error quotes it: as JSON text, at most [`EXCERPT`] characters of it.
pub(crate) fn excerpt(value: &str) -> String {
    to_json(&shortened(value, EXCERPT))
}

/// At most so many characters of a value.
pub(crate) fn shortened(value: &str, most: usize) -> String {
    let mut text: String = value.chars().take(most).collect();
    if text.len() < value.len() {
        text.push('…');
    }
    text
}
